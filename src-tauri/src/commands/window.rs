//! The window: what the shell says to the page without being asked, and closing it although a sweep runs.

use std::time::Duration;

use contract::refusal::{Fault, Field, Refusal};
use contract::sweeps::{TrayWords, WindowNotice};
use tauri::ipc::{Channel, JavaScriptChannelId};
use tauri::{AppHandle, Runtime, State, Webview};

use super::Reply;
use crate::{Shell, desktop};

/// Longer words of a notification are refused: systems cut them off anyway.
const LONGEST_TITLE: usize = 100;
const LONGEST_BODY: usize = 300;
/// How long a notification is waited for.
const NOTIFY_WITHIN: Duration = Duration::from_secs(3);

/// Hands over the channel on which the page hears what it did not ask for.
#[tauri::command(rename_all = "snake_case")]
pub async fn window_notices<R: Runtime>(
    app: AppHandle<R>,
    webview: Webview<R>,
    shell: State<'_, Shell>,
    notices: JavaScriptChannelId,
    tray: TrayWords,
) -> Reply<()> {
    let channel: Channel<WindowNotice> = notices.channel_on(webview);
    shell.listen(Box::new(move |notice| channel.send(notice).is_ok()), tray);
    shell.pass_alerts_on(app)
}

/// Shows a notification of the system's own, in the page's words; answers whether the system took it. Nothing depends on that.
#[tauri::command(rename_all = "snake_case")]
pub async fn window_notify(title: String, body: String) -> Reply<bool> {
    if title.chars().count() > LONGEST_TITLE || body.chars().count() > LONGEST_BODY {
        return Err(Refusal::BadInput { field: Field::Words, fault: Fault::TooLong });
    }
    if title.trim().is_empty() {
        return Err(Refusal::BadInput { field: Field::Words, fault: Fault::Empty });
    }
    let shown = tauri::async_runtime::spawn_blocking(move || desktop::notify(&title, &body));
    // Whoever shows notifications may not answer at all.
    let shown = tokio::time::timeout(NOTIFY_WITHIN, shown).await;
    Ok(matches!(shown, Ok(Ok(true))))
}

/// Closes the window, after the running sweep was paused and everything under way was answered. It can be gone on with later.
#[tauri::command(rename_all = "snake_case")]
pub async fn window_close<R: Runtime>(webview: Webview<R>, shell: State<'_, Shell>) -> Reply<()> {
    shell.sweeping.rest().await;
    // The app ends with its last window.
    webview.window().destroy().map_err(|_| Refusal::OutOfOrder)
}

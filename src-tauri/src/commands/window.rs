//! The window: what the shell says to the page without being asked, and closing it although a sweep runs.

use contract::refusal::Refusal;
use contract::sweeps::{TrayWords, WindowNotice};
use tauri::ipc::{Channel, JavaScriptChannelId};
use tauri::{Runtime, State, Webview};

use super::Reply;
use crate::Shell;

/// Hands over the channel on which the page hears what it did not ask for.
#[tauri::command(rename_all = "snake_case")]
pub async fn window_notices<R: Runtime>(
    webview: Webview<R>,
    shell: State<'_, Shell>,
    notices: JavaScriptChannelId,
    tray: TrayWords,
) -> Reply<()> {
    let channel: Channel<WindowNotice> = notices.channel_on(webview);
    shell.listen(Box::new(move |notice| channel.send(notice).is_ok()), tray);
    Ok(())
}

/// Closes the window, after the running sweep was paused and everything under way was answered. It can be gone on with later.
#[tauri::command(rename_all = "snake_case")]
pub async fn window_close<R: Runtime>(webview: Webview<R>, shell: State<'_, Shell>) -> Reply<()> {
    shell.sweeping.rest().await;
    // The app ends with its last window.
    webview.window().destroy().map_err(|_| Refusal::OutOfOrder)
}

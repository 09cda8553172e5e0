//! The real window: opened once, led nowhere else, with the work that goes on while it is open.

mod closing;
mod notify;
mod tray;

use std::path::PathBuf;
use std::time::Duration;

use contract::refusal::Refusal;
use jiff::Timestamp;
use tauri::webview::NewWindowResponse;
use tauri::{App, AppHandle, Manager as _, Runtime, WebviewWindowBuilder};

use crate::Shell;
pub(crate) use notify::notify;

/// How often the desk is asked whether something is due. What is due is the desk's to say.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// Opens the window and starts what goes on beside it.
///
/// # Errors
/// What Tauri says when the window cannot be made.
pub fn open(app: &App) -> tauri::Result<()> {
    let handle = app.handle().clone();
    // The kept inventory is drawn while the engine starts: the page asks for it first of all.
    tauri::async_runtime::spawn(async move {
        if let Ok(desk) = handle.state::<Shell>().desk()
            && let Err(error) = desk.shown().await
        {
            tracing::debug!(%error, "no inventory is kept");
        }
    });
    let config = app.config().app.windows.first().cloned().unwrap_or_default();
    WebviewWindowBuilder::from_config(app.handle(), &config)?
        // The page is ours and stays ours: nothing in it may lead the window elsewhere.
        .on_navigation(|url| url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost"))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    closing::watch(app.handle());
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move { tend(handle).await });
    let handle = app.handle().clone();
    // Beside the other, so that a reading of minutes holds nothing up.
    tauri::async_runtime::spawn(async move { watch(handle).await });
    Ok(())
}

/// Asks the user for a file with the system's own dialog; of one kind, by the ending of its name, where that is known.
///
/// # Errors
/// [`Refusal::Cancelled`] when the app is closing.
pub(crate) async fn choose_file<R: Runtime>(
    app: &AppHandle<R>,
    ending: Option<&'static str>,
) -> Result<Option<PathBuf>, Refusal> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // Some systems show dialogs from the main thread only; the answer is waited for on another.
    app.run_on_main_thread(move || {
        let mut dialog = rfd::AsyncFileDialog::new();
        if let Some(ending) = ending {
            dialog = dialog.add_filter(ending.to_uppercase(), &[ending]);
        }
        let asked = dialog.pick_file();
        tauri::async_runtime::spawn(async move {
            let _ = tell.send(asked.await.map(|file| file.path().to_owned()));
        });
    })
    .map_err(|_| Refusal::Cancelled)?;
    told.await.map_err(|_| Refusal::Cancelled)
}

/// Keeps the session known and settles what time has made due, as long as the app runs.
async fn tend(app: AppHandle) {
    let shell = app.state::<Shell>();
    loop {
        tokio::time::sleep(TEND_EVERY).await;
        let Ok(desk) = shell.desk() else { continue };
        let now = Timestamp::now();
        if let Err(error) = desk.refresh_if_due(now).await {
            tracing::info!(%error, "the session was not renewed");
        }
        if let Err(error) = desk.tend(now).await {
            tracing::warn!(%error, "what is due was not done");
        }
    }
}

/// Looks for what came back, as long as the app runs.
async fn watch(app: AppHandle) {
    let shell = app.state::<Shell>();
    loop {
        tokio::time::sleep(TEND_EVERY).await;
        shell.watch_if_due(Timestamp::now()).await;
    }
}

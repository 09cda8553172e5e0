//! The real window: opened once, led nowhere else, with the work that goes on while it is open.

use std::time::Duration;

use jiff::Timestamp;
use tauri::webview::NewWindowResponse;
use tauri::{App, AppHandle, Manager as _, WebviewWindowBuilder};

use crate::Shell;

/// How often the desk is asked whether something is due. What is due is the desk's to say.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// Opens the window and starts what goes on beside it.
///
/// # Errors
/// What Tauri says when the window cannot be made.
pub fn open(app: &App) -> tauri::Result<()> {
    let config = app.config().app.windows.first().cloned().unwrap_or_default();
    WebviewWindowBuilder::from_config(app.handle(), &config)?
        // The page is ours and stays ours: nothing in it may lead the window elsewhere.
        .on_navigation(|url| url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost"))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move { tend(handle).await });
    Ok(())
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

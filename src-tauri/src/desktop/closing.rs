//! Closing the window while a sweep runs: it goes on behind an icon in the tray where there is one, and otherwise the page asks first.
//! What is sent and what is not is the mind's business; a process that dies here loses nothing.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use contract::sweeps::WindowNotice;
use tauri::{AppHandle, Manager as _, WindowEvent};

use super::tray;
use crate::Shell;

/// Whoever closes twice within this means it, whatever the page does.
const MEANT: Duration = Duration::from_secs(4);

/// Asks before the window closes, as long as a sweep runs.
pub(super) fn watch(app: &AppHandle) {
    let Some(window) = app.get_webview_window("main") else { return };
    let (app, asked) = (app.clone(), Mutex::new(None::<Instant>));
    window.on_window_event(move |event| {
        let WindowEvent::CloseRequested { api, .. } = event else { return };
        let shell = app.state::<Shell>();
        if !shell.sweeping.is_running() {
            return;
        }
        let mut asked = asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if asked.is_some_and(|at| at.elapsed() < MEANT) {
            return;
        }
        *asked = Some(Instant::now());
        if shell.tray_words().is_some_and(|words| tray::hide_into(&app, &words)) || shell.tell(WindowNotice::Closing) {
            api.prevent_close();
        }
    });
}

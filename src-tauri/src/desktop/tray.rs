//! The icon in the tray, which is there while a sweep goes on without a window, and only on systems that can show one.

use contract::sweeps::TrayWords;
use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _};

use crate::Shell;

const ID: &str = "sweep";

/// Hides the window behind an icon in the tray. `false`, with nothing changed, where none can be shown.
pub(super) fn hide_into(app: &AppHandle, words: &TrayWords) -> bool {
    if !can_show() {
        return false;
    }
    let Some(window) = app.get_webview_window("main") else { return false };
    if let Err(error) = icon(app, words) {
        tracing::info!(%error, "there is no icon in the tray");
        return false;
    }
    if window.hide().is_err() {
        app.remove_tray_by_id(ID);
        return false;
    }
    true
}

fn icon(app: &AppHandle, words: &TrayWords) -> tauri::Result<()> {
    let show = MenuItem::with_id(app, "show", &words.show, true, None::<&str>)?;
    let stop = MenuItem::with_id(app, "stop", &words.stop, true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&show, &stop])?;
    let mut icon = TrayIconBuilder::with_id(ID).tooltip(&words.title).menu(&menu);
    if let Some(image) = app.default_window_icon() {
        icon = icon.icon(image.clone());
    }
    icon.on_menu_event(|app, event| match event.id().as_ref() {
        "show" => {
            if let Some(window) = app.get_webview_window("main") {
                let _ = window.show();
                let _ = window.set_focus();
            }
            app.remove_tray_by_id(ID);
        }
        "stop" => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                app.state::<Shell>().sweeping.rest().await;
                app.exit(0);
            });
        }
        _ => {}
    })
    .build(app)?;
    Ok(())
}

/// Elsewhere than on Linux there always is a tray.
#[cfg(not(target_os = "linux"))]
fn can_show() -> bool {
    true
}

/// Whether the library for icons is there (without it the attempt to load it ends the program) and somebody on the session's bus shows
/// them: an icon that nobody shows would leave no way back to the window.
#[cfg(target_os = "linux")]
fn can_show() -> bool {
    const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];
    let named = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let usual = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib"].map(str::to_owned);
    let of_machine = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folders =
        named.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).chain(usual).chain([of_machine]);
    let installed =
        folders.map(std::path::PathBuf::from).any(|folder| LIBRARIES.iter().any(|name| folder.join(name).exists()));
    installed && somebody_shows_icons()
}

#[cfg(target_os = "linux")]
fn somebody_shows_icons() -> bool {
    let asked = zbus::blocking::Connection::session().and_then(|bus| {
        let bus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
        Ok(bus.name_has_owner("org.kde.StatusNotifierWatcher".try_into()?)?)
    });
    asked.unwrap_or(false)
}

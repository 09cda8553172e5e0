//! A notification of the system's own. Where nobody shows any, or the user wants none, the window says the same.

use notify_rust::Notification;

/// Shows one, and answers whether the system took it.
pub(crate) fn notify(title: &str, body: &str) -> bool {
    let mut notification = Notification::new();
    notification.appname("Cutoff").summary(title).body(&body_of(body));
    #[cfg(windows)]
    notification.app_id("dev.cutoff.desktop");
    match notification.show() {
        Ok(_) => true,
        Err(error) => {
            tracing::info!(%error, "no notification was shown");
            false
        }
    }
}

/// Some systems read a body as markup, and a name in it was chosen by an app's author.
#[cfg(all(unix, not(target_os = "macos")))]
fn body_of(body: &str) -> String {
    match notify_rust::get_capabilities() {
        Ok(can) if can.iter().any(|word| word == "body-markup") => {
            body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        }
        _ => body.to_owned(),
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn body_of(body: &str) -> String {
    body.to_owned()
}

//! How long a program takes from its start until somebody could type into its window. It watches from inside the page and does
//! not know what the page is.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::ClientBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bus::Bus;
use super::display::Display;
use super::process::{AMPLE, Group, alive, bare, descendants, until};
use super::{Home, Keyring, Mishap, Played};

/// Answers when the element of a selector is shown and enabled. The page's own mark wins over what is seen: a page may be done
/// before anybody outside can look.
const WATCH: &str = r#"
const [selector, tell] = arguments;
const now = () => performance.timeOrigin + performance.now();
const ready = () => {
  const found = document.querySelector(selector);
  return found && !found.disabled && found.getClientRects().length > 0;
};
const done = (late) => {
  const [mark] = performance.getEntriesByName("interactive", "mark");
  tell(mark ? { at: performance.timeOrigin + mark.startTime, late: false } : { at: now(), late });
};
if (ready()) done(true);
else {
  const watch = new MutationObserver(() => { if (ready()) { watch.disconnect(); done(false); } });
  watch.observe(document, { subtree: true, childList: true, attributes: true });
}
"#;

/// How soon the watch is set again after a page has gone away under it: the window shows an empty one first.
const SOON: Duration = Duration::from_millis(2);

/// A display, a bus with an open keyring, and a home, on which programs are started one after the other.
pub struct Startup {
    bus: Bus,
    display: Display,
    // Dropped last: the others live in it.
    home: Home,
}

/// One start.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// From the moment before the program was executed until its control could be used.
    pub took: Duration,
    /// The control was there when it was first looked for: it may have been there some milliseconds longer.
    pub late: bool,
}

#[derive(Deserialize)]
struct Seen {
    /// Milliseconds since 1970, by the page's clock, which is the machine's.
    at: f64,
    late: bool,
}

impl Startup {
    /// Sets everything up; nothing is started yet.
    ///
    /// # Errors
    /// When something that is needed is missing, in a sentence that names the Debian package.
    pub async fn set() -> Played<Self> {
        let home = Home::new()?;
        let display = Display::start(&home)?;
        let bus = Bus::start(&home, Keyring::Open).await?;
        Ok(Self { bus, display, home })
    }

    /// Somewhere in the home of the programs.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Starts a program, waits until the control of that selector can be used, and ends it.
    ///
    /// # Errors
    /// When it does not come so far in a minute.
    pub async fn time(&self, program: &Path, arguments: &[String], selector: &str) -> Played<Started> {
        let began = self.home.at("began");
        let start = self.home.at("start");
        let said = self.home.at("said.log");
        let script = format!(
            "#!/bin/sh\ndate +%s%N >{}\nexec {} \"$@\" >>{} 2>&1\n",
            quoted(&began),
            quoted(program),
            quoted(&said)
        );
        std::fs::write(&start, script)?;
        std::fs::set_permissions(&start, std::fs::Permissions::from_mode(0o755))?;
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = bare("WebKitWebDriver");
        self.home.dress(&mut command);
        command
            .env("DISPLAY", self.display.name())
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("GDK_BACKEND", "x11")
            // No accessibility bus is looked for: there is none on this stage.
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1");
        let driver = Group::start(command.arg(format!("--port={port}")), "webkit2gtk-driver")?;
        let url = format!("http://127.0.0.1:{port}");
        let waiting = Instant::now();
        while reqwest::get(format!("{url}/status")).await.is_err() {
            if waiting.elapsed() > AMPLE {
                return Err(Mishap::new("WebKitWebDriver never answered"));
            }
            tokio::time::sleep(SOON).await;
        }
        // The driver must not wait for the page to be loaded: by then it is too late to watch.
        let capabilities = [
            ("pageLoadStrategy".to_owned(), json!("none")),
            ("webkitgtk:browserOptions".to_owned(), json!({ "binary": start, "args": arguments })),
        ];
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client =
            ClientBuilder::new(connector).capabilities(capabilities.into_iter().collect()).connect(&url).await?;
        let seen: Seen = loop {
            match client.execute_async(WATCH, vec![Value::from(selector)]).await {
                Ok(seen) => break serde_json::from_value(seen)?,
                Err(error) if waiting.elapsed() > AMPLE => return Err(error.into()),
                Err(_) => tokio::time::sleep(SOON).await,
            }
        };
        let all = descendants(driver.pid());
        drop(driver);
        until("the program is gone", || all.iter().all(|pid| !alive(*pid))).await?;

        let began = std::fs::read_to_string(&began)?;
        let began: f64 = began.trim().parse().map_err(|_| Mishap::new(format!("`date` says {began:?}")))?;
        let took = seen.at - began / 1e6;
        if !(0.0..60_000.0).contains(&took) {
            return Err(Mishap::new(format!("the clock jumped: a start that took {took} ms")));
        }
        Ok(Started { took: Duration::from_secs_f64(took / 1e3), late: seen.late })
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

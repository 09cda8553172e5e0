//! How long a program takes from its start until somebody could type into its window. It watches from inside the page and does
//! not know what the page is. What was started can be left running, to be asked more.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bus::Bus;
use super::display::Display;
use super::process::{AMPLE, Group, alive, bare, descendants, until};
use super::{Home, Keyring, Mishap, Played};

/// Answers when the element of a selector is shown and enabled. The page's own mark wins over what is seen: a page may be done
/// before anybody outside can look.
const WATCH: &str = r#"
const [selector, painted, tell] = arguments;
const now = () => performance.timeOrigin + performance.now();
const ready = () => {
  const found = document.querySelector(selector);
  return found && !found.disabled && found.getClientRects().length > 0;
};
const done = (late) => {
  const [mark] = performance.getEntriesByName("interactive", "mark");
  if (mark) tell({ at: performance.timeOrigin + mark.startTime, late: false });
  else if (!painted) tell({ at: now(), late });
  // The frame that follows has it; a task after that comes when the frame is out of the page's hands.
  else requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => tell({ at: now(), late }); channel.port2.postMessage(0); });
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
        let running = self.open(program, arguments, selector, false).await?;
        let started = running.started;
        running.end().await?;
        Ok(started)
    }

    /// Starts a program and waits until the element of that selector is there and can be used; with `painted`, until the frame
    /// that shows it is out.
    ///
    /// # Errors
    /// When it does not come so far in a minute.
    pub async fn open(&self, program: &Path, arguments: &[String], selector: &str, painted: bool) -> Played<Running> {
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
            match client.execute_async(WATCH, vec![Value::from(selector), Value::from(painted)]).await {
                Ok(seen) => break serde_json::from_value(seen)?,
                Err(error) if waiting.elapsed() > AMPLE => return Err(error.into()),
                Err(_) => tokio::time::sleep(SOON).await,
            }
        };
        let began = std::fs::read_to_string(&began)?;
        let began: f64 = began.trim().parse().map_err(|_| Mishap::new(format!("`date` says {began:?}")))?;
        let took = seen.at - began / 1e6;
        if !(0.0..60_000.0).contains(&took) {
            return Err(Mishap::new(format!("the clock jumped: a start that took {took} ms")));
        }
        let Some(pid) = descendants(driver.pid()).first().copied() else {
            return Err(Mishap::new("the driver has a session and no program"));
        };
        let started = Started { took: Duration::from_secs_f64(took / 1e3), late: seen.late };
        Ok(Running { started, client, pid, driver })
    }
}

/// A program that has come so far.
pub struct Running {
    /// How long that took.
    pub started: Started,
    client: Client,
    pid: u32,
    // Dropped last: it is the parent of the program and of the engine's processes, and ends them with itself.
    driver: Group,
}

impl Running {
    /// Runs a script in the page that ends by calling its last argument.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn script_async(&self, script: &str, arguments: Vec<Value>) -> Played<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    /// Memory that is resident, in bytes: the program's own, and that of the engine's process that holds the page.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn resident(&self) -> Played<(u64, u64)> {
        let named = |pid: &u32| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            // The kernel keeps fifteen letters of `WebKitWebProcess`.
            name.trim() == "WebKitWebProces"
        };
        let page = descendants(self.pid).into_iter().find(named);
        let page = page.ok_or_else(|| Mishap::new("the engine has no process for the page"))?;
        Ok((resident(self.pid)?, resident(page)?))
    }

    /// Ends it, and waits until all of it is gone.
    ///
    /// # Errors
    /// When something of it is still there after a minute.
    pub async fn end(self) -> Played {
        let all = descendants(self.driver.pid());
        drop(self.driver);
        until("the program is gone", || all.iter().all(|pid| !alive(*pid))).await
    }
}

/// What `/proc` says of a process.
fn resident(pid: u32) -> Played<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Mishap::new(format!("process {pid} does not say what it holds")))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

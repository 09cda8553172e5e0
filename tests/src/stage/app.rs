//! The real app in its real window, driven through WebDriver: start it, look, click, type, close or kill it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use fantoccini::actions::{
    InputSource as _, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, WheelAction, WheelActions,
};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use super::process::{AGAIN, AMPLE, Group, alive, bare, descendants, kill, until};
use super::{Home, Mishap, Played};

/// The selector of a hook that the page offers to whoever drives it.
#[must_use]
pub fn hook(name: &str) -> String {
    format!("[data-test=\"{name}\"]")
}

/// The app, running.
pub struct App {
    client: Client,
    pid: u32,
    // Dropped last: it is the parent of the app and of the engine's processes, and ends them with itself.
    driver: Group,
}

/// How to start it.
pub(crate) struct Launch<'a> {
    pub home: &'a Home,
    pub display: &'a str,
    pub bus: &'a str,
    pub arguments: &'a [String],
    pub log: &'a Path,
    pub log_level: &'a str,
    pub dark: bool,
}

impl App {
    /// Starts it and waits until it shows something.
    pub(crate) async fn open(launch: Launch<'_>) -> Played<Self> {
        let script = script(&launch)?;
        let mut last = Mishap::new("never tried");
        // The driver takes its port by number, so a port that was free may be taken by the time it starts.
        for _ in 0..3 {
            match Self::try_open(&launch, &script).await {
                Ok(app) => return Ok(app),
                Err(mishap) => last = mishap,
            }
            if !matches!(&last, mishap if mishap.to_string().contains("WebKitWebDriver ended")) {
                break;
            }
        }
        Err(last)
    }

    async fn try_open(launch: &Launch<'_>, script: &Path) -> Played<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = bare("WebKitWebDriver");
        launch.home.dress(&mut command);
        command
            .arg(format!("--port={port}"))
            .env("DISPLAY", launch.display)
            .env("DBUS_SESSION_BUS_ADDRESS", launch.bus)
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("GDK_BACKEND", "x11")
            // No accessibility bus is looked for: there is none on this stage.
            .env("NO_AT_BRIDGE", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("CUTOFF_LOG", launch.log_level);
        if launch.dark {
            command.env("GTK_THEME", "Adwaita:dark");
        }
        let mut driver = Group::start(&mut command, "webkit2gtk-driver")?;
        let status = format!("http://127.0.0.1:{port}/status");
        let began = Instant::now();
        while reqwest::get(&status).await.is_err() {
            if let Some(status) = driver.ended() {
                return Err(Mishap::new(format!("WebKitWebDriver ended before it answered ({status})")));
            }
            if began.elapsed() > AMPLE {
                return Err(Mishap::new("WebKitWebDriver never answered"));
            }
            tokio::time::sleep(AGAIN).await;
        }

        let options = json!({ "binary": script, "args": launch.arguments });
        let capabilities = [("webkitgtk:browserOptions".to_owned(), options)].into_iter().collect();
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let opening =
            ClientBuilder::new(connector).capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await;
        let client = match opening {
            Ok(client) => client,
            Err(error) => {
                let said = std::fs::read_to_string(launch.log).unwrap_or_default();
                let end: String = said.lines().rev().take(5).map(|line| format!("\n  {line}")).collect();
                return Err(Mishap::new(format!(
                    "the app did not open its window ({error}); the end of what it said, last first:{end}"
                )));
            }
        };
        let Some(pid) = descendants(driver.pid()).first().copied() else {
            return Err(Mishap::new("the driver has a session and no app"));
        };
        let app = Self { client, pid, driver };
        app.see("[data-test=\"sign-in\"], [data-test=\"shell\"], [data-test=\"boot-refused\"]").await?;
        Ok(app)
    }

    /// The app's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The app's processes: its own and the web engine's.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.pid];
        all.extend(descendants(self.pid));
        all
    }

    /// Ends it at once, as a power cut would, and waits until all of it is gone.
    ///
    /// # Errors
    /// When it is still there after a minute.
    pub async fn kill(self) -> Played {
        let all = self.processes();
        kill(self.pid);
        drop(self.driver);
        until("the killed app is gone", || all.iter().all(|pid| !alive(*pid))).await
    }

    /// Waits until it has closed, after its window was asked to.
    pub(crate) async fn closed(self) -> Played {
        let all = self.processes();
        until("the closed app has ended by itself", || !alive(self.pid)).await?;
        drop(self.driver);
        until("the closed app is gone", || all.iter().all(|pid| !alive(*pid))).await
    }

    // ---- looking

    /// The element of that selector, once one is displayed.
    ///
    /// # Errors
    /// When there is none after a minute: with the selector and what stands on the page instead.
    pub async fn see(&self, selector: &str) -> Played<Element> {
        let began = Instant::now();
        loop {
            if let Some(found) = self.displayed(selector).await? {
                return Ok(found);
            }
            if began.elapsed() > AMPLE {
                let page = self.page().await.unwrap_or_else(|mishap| mishap.to_string());
                return Err(Mishap::new(format!("{selector} never came into view; on the page:\n{page}")));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Whether something of that selector is displayed now.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn shows(&self, selector: &str) -> Played<bool> {
        Ok(self.displayed(selector).await?.is_some())
    }

    async fn displayed(&self, selector: &str) -> Played<Option<Element>> {
        for element in self.client.find_all(Locator::Css(selector)).await? {
            // One that went between finding and asking is not displayed.
            if element.is_displayed().await.unwrap_or(false) {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Waits until nothing of that selector is displayed.
    ///
    /// # Errors
    /// When it still is after a minute.
    pub async fn gone(&self, selector: &str) -> Played {
        let began = Instant::now();
        while self.shows(selector).await? {
            if began.elapsed() > AMPLE {
                return Err(Mishap::new(format!("{selector} never went away")));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// The text of it, as a person reads it.
    ///
    /// # Errors
    /// As [`App::see`].
    pub async fn text(&self, selector: &str) -> Played<String> {
        let began = Instant::now();
        loop {
            // The element may be replaced while it is read: then it is looked for again.
            // The driver's own reading of a text glues the cells of a grid together.
            let element = serde_json::to_value(self.see(selector).await?)?;
            match self.client.execute("return arguments[0].innerText.trim()", vec![element]).await {
                Ok(text) => return Ok(text.as_str().unwrap_or_default().to_owned()),
                Err(error) if began.elapsed() > AMPLE => return Err(error.into()),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// Waits until one of that selector holds these words.
    ///
    /// # Errors
    /// When none does after a minute.
    pub async fn reads(&self, selector: &str, words: &str) -> Played {
        let began = Instant::now();
        loop {
            let text = self.text(selector).await?;
            if text.contains(words) {
                return Ok(());
            }
            if began.elapsed() > AMPLE {
                return Err(Mishap::new(format!("{selector} does not say {words:?}, but: {text}")));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// An attribute of it.
    ///
    /// # Errors
    /// As [`App::see`].
    pub async fn attribute(&self, selector: &str, name: &str) -> Played<Option<String>> {
        let began = Instant::now();
        loop {
            match self.see(selector).await?.attr(name).await {
                Ok(value) => return Ok(value),
                Err(error) if began.elapsed() > AMPLE => return Err(error.into()),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// The value of a fact in the dialog that is open.
    ///
    /// # Errors
    /// As [`App::see`].
    pub async fn fact(&self, key: &str) -> Played<String> {
        let fact = format!("dialog [data-fact=\"{key}\"]");
        // The value without the little button that copies it.
        let value = format!("{fact} > [data-value]");
        self.see(&fact).await?;
        self.text(if self.shows(&value).await? { &value } else { &fact }).await
    }

    /// The exact time behind a fact, the first if it tells several.
    ///
    /// # Errors
    /// As [`App::see`], and when the fact holds no time.
    pub async fn time(&self, key: &str) -> Played<jiff::Timestamp> {
        let selector = format!("dialog [data-fact=\"{key}\"] time");
        let at = self.attribute(&selector, "datetime").await?.unwrap_or_default();
        at.parse().map_err(|error| Mishap::new(format!("{selector} holds {at:?}: {error}")))
    }

    /// Everything on the page that can be read.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn page(&self) -> Played<String> {
        Ok(self.script("return document.body.innerText", vec![]).await?.as_str().unwrap_or_default().to_owned())
    }

    /// The page as it is built at this moment, with what is typed into it, its title, its storage and its address.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn everything(&self) -> Played<String> {
        let script = "return [document.documentElement.outerHTML, document.title, location.href, document.cookie, \
            JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}), \
            ...[...document.querySelectorAll('input')].map((input) => input.value)].join('\\n')";
        Ok(self.script(script, vec![]).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until what the page is by now has been painted.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn painted(&self) -> Played {
        // Two frames, for layout and for what observes it, and the time of a transition.
        let painted = "const done = arguments[arguments.length - 1]; \
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(null), 120)))";
        self.script_async(painted).await.map(drop)
    }

    /// The window as a PNG.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn picture(&self) -> Played<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }

    /// Runs a script in the page, outside of what the page itself is allowed.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Played<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// Waits until a script in the page answers true.
    ///
    /// # Errors
    /// When it still does not after a minute; `what` says what was waited for.
    pub async fn holds(&self, what: &str, script: &str, arguments: Vec<Value>) -> Played {
        let began = Instant::now();
        while self.script(script, arguments.clone()).await? != Value::Bool(true) {
            if began.elapsed() > AMPLE {
                let page = self.page().await?;
                return Err(Mishap::new(format!("it never came about that {what}; on the page:\n{page}")));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Runs a script in the page that ends by calling its last argument.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn script_async(&self, script: &str) -> Played<Value> {
        Ok(self.client.execute_async(script, vec![]).await?)
    }

    // ---- acting

    /// Clicks it with the mouse, once it can be clicked.
    ///
    /// # Errors
    /// As [`App::see`]; also when it stays disabled or covered.
    pub async fn click(&self, selector: &str) -> Played {
        let began = Instant::now();
        loop {
            let element = self.see(selector).await?;
            let tried = match element.is_enabled().await {
                Ok(true) => element.click().await.map_err(Mishap::from),
                Ok(false) => Err(Mishap::new("it is disabled")),
                Err(error) => Err(error.into()),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(mishap) if began.elapsed() > AMPLE => return Err(mishap.during(format!("clicking {selector}"))),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// Types into a field, after what is in it was taken out.
    ///
    /// # Errors
    /// As [`App::see`].
    pub async fn fill(&self, selector: &str, text: &str) -> Played {
        let began = Instant::now();
        loop {
            let field = self.see(selector).await?;
            let typed = match field.clear().await {
                Ok(()) => field.send_keys(text).await,
                error => error,
            };
            match typed {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > AMPLE => return Err(error.into()),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// Presses and releases one key, wherever the focus is.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn press(&self, key: Key) -> Played {
        self.keys(&char::from(key).to_string()).await
    }

    /// Types on the keyboard, wherever the focus is: one key after the other.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn keys(&self, text: &str) -> Played {
        for value in text.chars() {
            let keys = KeyActions::new("keyboard".into()).then(KeyAction::Down { value }).then(KeyAction::Up { value });
            self.client.perform_actions(keys).await?;
        }
        Ok(())
    }

    /// Presses one key while another is held down.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn chord(&self, held: Key, key: impl Into<char>) -> Played {
        let (held, key) = (char::from(held), key.into());
        let keys = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        Ok(self.client.perform_actions(keys).await?)
    }

    /// Moves the mouse to the middle of it and clicks there, once nothing lies over it. For what stays in sight while its list
    /// scrolls: the driver takes that for hidden, and [`App::click`] would wait in vain.
    ///
    /// # Errors
    /// When it is not to be hit after a minute.
    pub async fn point(&self, selector: &str) -> Played {
        let middle = "const at = document.querySelector(arguments[0])?.getBoundingClientRect(); \
            if (!at) return null; const x = at.left + at.width / 2, y = at.top + at.height / 2; \
            const hit = document.elementFromPoint(x, y); \
            return hit?.closest(arguments[0]) && !hit.closest(':disabled') ? [x, y] : null";
        let began = Instant::now();
        let (x, y): (f64, f64) = loop {
            let at = self.script(middle, vec![json!(selector)]).await?;
            if !at.is_null() {
                break serde_json::from_value(at)?;
            }
            if began.elapsed() > AMPLE {
                return Err(Mishap::new(format!("{selector} is not to be hit; on the page:\n{}", self.page().await?)));
            }
            tokio::time::sleep(AGAIN).await;
        };
        let mouse = MouseActions::new("mouse".into())
            .then(PointerAction::MoveTo { duration: None, x, y })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        Ok(self.client.perform_actions(mouse).await?)
    }

    /// Turns the mouse's wheel over the middle of it, so many CSS pixels downwards (upwards when negative).
    ///
    /// # Errors
    /// As [`App::see`], and what the driver says.
    pub async fn wheel(&self, selector: &str, down: i64) -> Played {
        let (x, y, wide, high) = self.see(selector).await?.rectangle().await?;
        let (x, y) = ((x + wide / 2.0) as i64, (y + high / 2.0) as i64);
        let scroll = WheelAction::Scroll { duration: None, x, y, delta_x: 0, delta_y: down };
        self.client.perform_actions(WheelActions::new("wheel".into()).then(scroll)).await?;
        Ok(())
    }

    /// Where the keyboard is: the hook of the focused element, or its tag.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn focus(&self) -> Played<String> {
        let script = "const at = document.activeElement; return at?.dataset?.test ?? at?.tagName?.toLowerCase() ?? ''";
        Ok(self.script(script, vec![]).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the keyboard is there.
    ///
    /// # Errors
    /// When it is still elsewhere after a minute.
    pub async fn focused(&self, name: &str) -> Played {
        let began = Instant::now();
        loop {
            let at = self.focus().await?;
            if at == name {
                return Ok(());
            }
            if began.elapsed() > AMPLE {
                return Err(Mishap::new(format!("the keyboard is on {at:?} and never came to {name:?}")));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Makes the page so large, in CSS pixels, and waits until it is.
    ///
    /// # Errors
    /// When it never becomes so.
    pub async fn resize(&self, width: u32, height: u32) -> Played {
        self.client.set_window_rect(0, 0, width, height).await?;
        let began = Instant::now();
        loop {
            let size = self.script("return [innerWidth, innerHeight]", vec![]).await?;
            if size == json!([width, height]) {
                return Ok(());
            }
            if began.elapsed() > AMPLE {
                return Err(Mishap::new(format!("the page is {size} and not {width}×{height}")));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// The driver throws away what the app says; through this script it goes to a file.
fn script(launch: &Launch<'_>) -> Played<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let quote = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let path = launch.home.at("start");
    let text = format!("#!/bin/sh\nexec {} \"$@\" >>{log} 2>&1\n", quote(&program()?), log = quote(launch.log));
    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// The app under test: what `CUTOFF_DESKTOP` names, or else what lies in the same target directory as this program. Refused when
/// it is older than what it is made of: a test of an old build proves nothing.
fn program() -> Played<PathBuf> {
    if let Some(named) = std::env::var_os("CUTOFF_DESKTOP") {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(std::path::absolute(named)?)
        } else {
            Err(Mishap::new(format!("CUTOFF_DESKTOP names {}, where nothing is", named.display())))
        };
    }
    let this = std::env::current_exe()?;
    let profile = this
        .ancestors()
        .skip(1)
        .find(|dir| !dir.ends_with("deps"))
        .ok_or_else(|| Mishap::new("this program lies nowhere"))?;
    let app = profile.join("cutoff-desktop");
    let Ok(built) = std::fs::metadata(&app).and_then(|data| data.modified()) else {
        return Err(Mishap::new(format!(
            "{} is not there: run `cargo build --package cutoff-desktop` first",
            app.display()
        )));
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // Cargo's own list of what the app was made of, beside the app.
    let made_of = std::fs::read_to_string(profile.join("cutoff-desktop.d")).unwrap_or_default();
    let rust = made_of.split(' ').skip(1).map(|path| root.join(path.trim())).filter(|path| path.is_file());
    let page = below(&root.join("ui"));
    let newer = rust
        .chain(page)
        .find(|path| std::fs::metadata(path).and_then(|data| data.modified()).is_ok_and(|changed| changed > built));
    match newer {
        Some(newer) => Err(Mishap::new(format!(
            "{} is older than {}: run `cargo build --package cutoff-desktop` first",
            app.display(),
            newer.display()
        ))),
        _ => Ok(app),
    }
}

fn below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(below(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

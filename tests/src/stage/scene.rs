//! A scene: a stage with a sandbox behind a wire, on which the app is opened, closed, killed and opened again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::Sandbox;
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::Launch;
use super::bus::Bus;
use super::display::Display;
use super::hunt::{self, Finding};
use super::process::until;
use super::{App, Home, Mishap, Played, Wire};

/// The keyring on a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// There is a Secret Service and it is unlocked.
    Open,
    /// There is one, it is locked, and nobody unlocks it.
    Locked,
    /// There is none.
    Missing,
}

/// How a scene is set.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The keyring.
    pub keyring: Keyring,
    /// The sandbox.
    pub sandbox: sandbox::Options,
    /// What `CUTOFF_LOG` says.
    pub log_level: &'static str,
    /// Whether the desktop prefers dark colours.
    pub dark: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self { keyring: Keyring::Open, sandbox: sandbox::Options::default(), log_level: "info", dark: false }
    }
}

/// A stage with a sandbox.
pub struct Scene {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// The wire to it.
    pub wire: Wire,
    log_level: &'static str,
    dark: bool,
    http: reqwest::Client,
    bus: Bus,
    display: Display,
    // Dropped last: the others live in it.
    home: Home,
}

/// What the sandbox knows to be true.
#[derive(Clone, Debug, Deserialize)]
pub struct Ledger {
    /// Member id and client id of every grant that lives.
    #[serde(deserialize_with = "pairs")]
    pub grants: Vec<(String, String)>,
    /// Every revoke that was handled.
    pub revocations: Vec<Revocation>,
    /// Every change of the policy through the API that was carried out: before and after, in the API's words.
    pub policy_changes: Vec<PolicyChange>,
}

/// A change of the policy that the sandbox carried out.
#[derive(Clone, Debug, Deserialize)]
pub struct PolicyChange {
    /// When.
    pub at: jiff::Timestamp,
    /// The four fields as they were.
    pub before: Value,
    /// The four fields as they are.
    pub after: Value,
}

/// A grant that lives, with all that the sandbox knows of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Granted {
    /// Whose.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
    /// With which scopes.
    pub scopes: Vec<String>,
}

/// A revoke that the sandbox handled.
#[derive(Clone, Debug, Deserialize)]
pub struct Revocation {
    /// Whose grant; none where the request named nobody.
    pub member_id: Option<String>,
    /// To which app.
    pub connected_app_id: String,
    /// `removed`, `nothing` or `refused`.
    pub effect: String,
    /// Whether a good answer was written whole.
    pub answered: bool,
    /// When.
    pub at: jiff::Timestamp,
}

fn pairs<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    #[derive(Deserialize)]
    struct Grant {
        member_id: String,
        connected_app_id: String,
    }
    Ok(Vec::<Grant>::deserialize(from)?.into_iter().map(|grant| (grant.member_id, grant.connected_app_id)).collect())
}

impl Scene {
    /// Sets the scene; the app is not open yet.
    ///
    /// # Errors
    /// When something that is needed is missing, in a sentence that names the Debian package.
    pub async fn set(setting: Setting) -> Played<Self> {
        let home = Home::new()?;
        let display = Display::start(&home)?;
        let bus = Bus::start(&home, setting.keyring).await?;
        let sandbox = Sandbox::start(setting.sandbox).await?;
        let wire = Wire::to(&sandbox.card().url).await?;
        let Setting { log_level, dark, .. } = setting;
        Ok(Self { sandbox, wire, log_level, dark, http: reqwest::Client::new(), bus, display, home })
    }

    /// Opens the app with the flags that lead it over the wire to the sandbox.
    ///
    /// # Errors
    /// When its window does not come up.
    pub async fn open(&self) -> Played<App> {
        let card = self.sandbox.card();
        self.open_with(&["--base-url", self.wire.url(), "--public-token", &card.public_token]).await
    }

    /// Opens the app with these flags, and a state directory of the scene's.
    ///
    /// # Errors
    /// When its window does not come up.
    pub async fn open_with(&self, flags: &[&str]) -> Played<App> {
        let mut arguments = vec!["--state-dir".to_owned(), self.state_dir().display().to_string()];
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        App::open(Launch {
            home: &self.home,
            display: self.display.name(),
            bus: self.bus.address(),
            arguments: &arguments,
            log: &self.log_file(),
            log_level: self.log_level,
            dark: self.dark,
        })
        .await
    }

    /// Closes the window as a person does, and waits until the app has ended.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(&self, app: App) -> Played {
        self.display.close_windows()?;
        app.closed().await
    }

    /// Chooses a file in the system's dialog, once it is there: types its path and presses Enter.
    ///
    /// # Errors
    /// When no dialog comes, or when it stays.
    pub async fn choose(&self, path: &Path) -> Played {
        let mut dialog = None;
        until("a dialog for choosing a file is there", || {
            dialog = self.display.dialog().ok().flatten();
            dialog.is_some()
        })
        .await?;
        let dialog = dialog.unwrap_or_default();
        // One that is still filling its list loses keys; what was typed is then taken out and typed again.
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(700)).await;
            if self.display.dialog()?.is_none() {
                return Ok(());
            }
            self.display.type_into(dialog, &path.display().to_string())?;
        }
        Err(Mishap::new("the dialog for choosing a file takes no path"))
    }

    /// Where the app's journal lies.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.home.at("data/state")
    }

    /// Where everything lies that anything on this stage has written.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// What all runs of the app have said on standard output and standard error.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.home.at("said.log")
    }

    // ---- the sandbox's side

    /// Id of the person of that role: `admin`, `reader`, `member`.
    ///
    /// # Panics
    /// When the sandbox has nobody of that role.
    #[must_use]
    pub fn person(&self, role: &str) -> &sandbox::Person {
        let people = &self.sandbox.card().people;
        people.iter().find(|person| person.role == role).unwrap_or_else(|| panic!("the sandbox has no {role}"))
    }

    /// The truth.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn ledger(&self) -> Played<Ledger> {
        let answer = self.http.get(&self.sandbox.card().ledger_url).send().await?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// The grants of the truth, with their scopes.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub async fn grants(&self) -> Played<Vec<Granted>> {
        #[derive(Deserialize)]
        struct Truth {
            grants: Vec<Granted>,
        }
        let answer = self.http.get(&self.sandbox.card().ledger_url).send().await?;
        let Truth { grants } = serde_json::from_slice(&answer.bytes().await?)?;
        Ok(grants)
    }

    /// Lets a member consent, behind the window's back; a grant that is there gets these scopes instead of its own.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub async fn consent(&self, member_id: &str, connected_app_id: &str, scopes: &[&str]) -> Played {
        let asked = json!({"member_id": member_id, "connected_app_id": connected_app_id, "scopes": scopes});
        self.control("consent", asked).await.map(drop)
    }

    /// Sets faults; a field left out keeps its value.
    ///
    /// # Errors
    /// When the sandbox refuses them.
    pub async fn faults(&self, faults: Value) -> Played {
        self.control("faults", faults).await.map(drop)
    }

    /// Gives a member other roles.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub async fn roles(&self, member_id: &str, roles: &[&str]) -> Played {
        self.control("roles", json!({"member_id": member_id, "roles": roles})).await.map(drop)
    }

    /// The policy in force, after a change by another administrator, or after none.
    ///
    /// # Errors
    /// When the sandbox refuses the change.
    pub async fn policy(&self, change: Value) -> Played<Value> {
        Ok(serde_json::from_str(&self.control("policy", change).await?)?)
    }

    /// An administrator who sits elsewhere revokes a grant through the API.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub async fn revoke_from_elsewhere(&self, member_id: &str, connected_app_id: &str) -> Played {
        let card = self.sandbox.card();
        let url = format!(
            "{}/sdk/v1/b2b/organizations/members/{member_id}/connected_apps/{connected_app_id}/revoke",
            card.url
        );
        let asked = self
            .http
            .post(url)
            .basic_auth(&card.public_token, Some(&self.person("admin").session_token))
            .header("Origin", "http://localhost:3000")
            .header("Content-Type", "application/json")
            .body("{}");
        let status = asked.send().await?.status();
        if status.is_success() { Ok(()) } else { Err(Mishap::new(format!("the revoke from elsewhere: {status}"))) }
    }

    async fn control(&self, name: &str, body: Value) -> Played<String> {
        let url = format!("{}/{name}", self.sandbox.control_url());
        let answer = self.http.post(url).body(body.to_string()).send().await?;
        let good = answer.status().is_success();
        let said = answer.text().await?;
        if good { Ok(said) } else { Err(Mishap::new(format!("the sandbox refuses {name} {body}: {said}"))) }
    }

    /// The newest code sent to that address, once there is one beyond the first `known`.
    ///
    /// # Errors
    /// When none comes.
    pub async fn code(&self, email: &str, known: usize) -> Played<String> {
        super::process::until("a code lies in the inbox", || self.codes(email) > known).await?;
        self.sandbox.newest_code(email).ok_or_else(|| Mishap::new("the inbox lost a code"))
    }

    /// How many codes were sent to that address.
    #[must_use]
    pub fn codes(&self, email: &str) -> usize {
        self.sandbox.inbox().iter().filter(|mail| mail.to.eq_ignore_ascii_case(email)).count()
    }

    // ---- looking for secrets

    /// Looks for secrets in every file that anything wrote, in the processes of the app, in every property of every window,
    /// and in the page. Answers what was found, and how many places were looked at.
    ///
    /// # Errors
    /// When a place cannot be looked at.
    pub async fn hunt(&self, app: Option<&App>, secrets: &[String]) -> Played<(Vec<Finding>, Looked)> {
        let needles = hunt::needles(secrets);
        let mut looked = Looked { needles: needles.len(), ..Looked::default() };
        let mut found = hunt::files(self.home.path(), &needles, &mut looked.files);
        if let Some(app) = app {
            for pid in app.processes() {
                looked.processes += 1;
                found.extend(hunt::process(pid, &needles));
            }
            for (name, value) in self.display.properties()? {
                looked.properties += 1;
                if name == "_NET_WM_NAME" {
                    looked.titles.push(String::from_utf8_lossy(&value).into_owned());
                }
                found.extend(hunt::bytes(&format!("the window property {name}"), &value, &needles));
            }
            found.extend(hunt::bytes("the page", app.everything().await?.as_bytes(), &needles));
        }
        Ok((found, looked))
    }
}

/// How much was looked at in a hunt: one that looked nowhere finds nothing.
#[derive(Debug, Default)]
pub struct Looked {
    /// Forms of the secrets.
    pub needles: usize,
    /// Files.
    pub files: usize,
    /// Processes.
    pub processes: usize,
    /// Properties of windows.
    pub properties: usize,
    /// The titles among them.
    pub titles: Vec<String>,
}

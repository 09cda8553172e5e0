//! The app on Tauri's mock runtime: real commands, the real capability file, a real journal in a directory of its own, and
//! a live sandbox on loopback. No window is drawn and nothing of ours is replaced.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use contract::connections::Connection;
use contract::refusal::Refusal;
use contract::revoke::RevokeReport;
use contract::session::{Session, SignInStep};
use contract::sweeps::WindowNotice;
use cutoff_desktop::{Options, Shell};
use sandbox::Sandbox;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponse, InvokeResponseBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{Manager as _, WebviewWindow, WebviewWindowBuilder};
use vault::{Trouble, Vault};

/// The origin of the app's own page, as the access list knows it on Linux and macOS.
pub const HOME: &str = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };

/// A public token that no sandbox knows: for input that must be refused before anybody is asked.
pub const STRANGE_TEST_TOKEN: &str = "public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11";
/// The same for a live project.
pub const STRANGE_LIVE_TOKEN: &str = "public-token-live-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11";

/// The folder below the state directory that stands for the user's downloads.
const DOWNLOADS: &str = "downloads";

/// A command whose answer has not been waited for yet.
pub struct Asked(std::sync::mpsc::Receiver<Result<Value, Value>>);

impl Asked {
    /// Waits for the answer, or the rejection.
    ///
    /// # Errors
    /// The rejection.
    pub fn wait(self) -> Result<Value, Value> {
        self.0.recv().expect("every command is answered")
    }
}

/// The app, as its page sees it.
pub struct App {
    main: WebviewWindow<MockRuntime>,
    app: tauri::App<MockRuntime>,
    /// Every raw reply so far, success or refusal, with the command that it answers.
    said: RefCell<Vec<(String, String)>>,
    state_dir: Arc<tempfile::TempDir>,
    vault: Vault,
}

impl App {
    /// Opens the app on a fresh state directory, impatient enough for a test.
    #[must_use]
    pub fn open() -> Self {
        Self::open_with(|_| {})
    }

    /// Opens it with options changed.
    #[must_use]
    pub fn open_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::open_on(Arc::new(tempfile::tempdir().expect("a directory")), Vault::memory(Trouble::Missing), change)
    }

    /// Asks without waiting, as a page does that goes on living while a command runs.
    #[must_use]
    pub fn begin(&self, command: &str, args: Value) -> Asked {
        let request = InvokeRequest {
            cmd: command.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: HOME.parse().expect("an origin"),
            body: InvokeBody::Json(args),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let webview: &tauri::Webview<MockRuntime> = self.main.as_ref();
        webview.clone().on_message(
            request,
            Box::new(move |_, _, response, _, _| {
                // Whoever did not wait does not want the answer.
                let _ = tell.send(match response {
                    InvokeResponse::Ok(InvokeResponseBody::Json(text)) => {
                        Ok(serde_json::from_str(&text).expect("a reply is JSON"))
                    }
                    InvokeResponse::Ok(InvokeResponseBody::Raw(_)) => Err(Value::Null),
                    InvokeResponse::Err(rejection) => Err(rejection.0),
                });
            }),
        );
        Asked(told)
    }

    /// Closes the app and opens it again on what it left: the same directory and the same vault.
    #[must_use]
    pub fn reopen(self) -> Self {
        let (dir, vault) = (self.state_dir.clone(), self.vault.clone());
        drop(self);
        Self::open_on(dir, vault, |_| {})
    }

    /// Opens it on a directory that somebody left something in.
    #[must_use]
    pub fn open_at(dir: tempfile::TempDir) -> Self {
        Self::open_on(Arc::new(dir), Vault::memory(Trouble::Missing), |_| {})
    }

    /// Opens the app a second time, as a later start would, on the same directory and vault.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::open_on(self.state_dir.clone(), self.vault.clone(), |_| {})
    }

    fn open_on(state_dir: Arc<tempfile::TempDir>, vault: Vault, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(state_dir.path().to_owned(), vault.clone());
        options.timeouts.connect = Duration::from_secs(2);
        options.timeouts.total = Duration::from_secs(5);
        options.pace.rereads = vec![Duration::from_millis(20), Duration::from_millis(40)];
        options.rules.still_there_after = options.pace.rereads.iter().sum();
        options.pace.between_attempts = Duration::from_millis(10);
        // The sandbox's rate windows are a second at the least; whoever tests with them sets them so.
        options.reading.window = Duration::from_secs(1);
        options.reading.jitter = Duration::from_millis(20);
        let downloads = state_dir.path().join(DOWNLOADS);
        std::fs::create_dir_all(&downloads).expect("a folder for downloads");
        options.export_dir = Some(downloads);
        change(&mut options);
        let app = cutoff_desktop::create(mock_builder(), options).expect("the app can be made");
        let main = WebviewWindowBuilder::new(&app, "main", tauri::WebviewUrl::default()).build().expect("a window");
        Self { main, app, said: RefCell::default(), state_dir, vault }
    }

    /// Asks as the page does; the error is whatever the page's promise would reject with.
    ///
    /// # Errors
    /// The rejection.
    pub fn ask(&self, command: &str, args: Value) -> Result<Value, Value> {
        self.ask_from(&self.main, HOME, command, args)
    }

    /// Asks from another window or another origin.
    ///
    /// # Errors
    /// The rejection.
    pub fn ask_from(
        &self,
        window: &WebviewWindow<MockRuntime>,
        origin: &str,
        command: &str,
        args: Value,
    ) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: command.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: origin.parse().expect("an origin"),
            body: InvokeBody::Json(args),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let answer = match get_ipc_response(window, request) {
            Ok(InvokeResponseBody::Json(text)) => {
                self.said.borrow_mut().push((command.to_owned(), text.clone()));
                return Ok(serde_json::from_str(&text).expect("a reply is JSON"));
            }
            Ok(InvokeResponseBody::Raw(bytes)) => panic!("{command} answered {} raw bytes", bytes.len()),
            Err(rejection) => rejection,
        };
        self.said.borrow_mut().push((command.to_owned(), answer.to_string()));
        Err(answer)
    }

    /// The window that the capability names.
    #[must_use]
    pub fn main_window(&self) -> WebviewWindow<MockRuntime> {
        self.main.clone()
    }

    /// A second window of the same app, which no capability names.
    #[must_use]
    pub fn other_window(&self) -> WebviewWindow<MockRuntime> {
        WebviewWindowBuilder::new(&self.app, "other", tauri::WebviewUrl::default()).build().expect("a window")
    }

    /// What a command answers, in the contract's type. A refusal fails the test.
    #[track_caller]
    pub fn get<T: DeserializeOwned>(&self, command: &str, args: Value) -> T {
        match self.ask(command, args) {
            Ok(reply) => serde_json::from_value(reply).expect("the reply has the contract's shape"),
            Err(refusal) => panic!("{command} was refused: {refusal}"),
        }
    }

    /// The refusal of a command, in the contract's type. An answer fails the test.
    #[track_caller]
    pub fn refusal(&self, command: &str, args: Value) -> Refusal {
        match self.ask(command, args) {
            Ok(reply) => panic!("{command} was not refused: {reply}"),
            Err(refusal) => {
                serde_json::from_value(refusal.clone()).unwrap_or_else(|_| panic!("not one of our refusals: {refusal}"))
            }
        }
    }

    /// The kind of a refusal, as the page reads it.
    #[track_caller]
    pub fn refusal_kind(&self, command: &str, args: Value) -> String {
        match self.ask(command, args) {
            Ok(reply) => panic!("{command} was not refused: {reply}"),
            Err(refusal) => match refusal["kind"].as_str() {
                Some(kind) => kind.to_owned(),
                None => panic!("not one of our refusals: {refusal}"),
            },
        }
    }

    /// Lets the watch look, as the window does every few seconds; answers whether it was time to.
    #[must_use]
    pub fn watch(&self, now: jiff::Timestamp) -> bool {
        tauri::async_runtime::block_on(self.app.state::<Shell>().watch_if_due(now))
    }

    /// Hears from now on what the page is told without asking.
    #[must_use]
    pub fn hear(&self) -> std::sync::mpsc::Receiver<WindowNotice> {
        // The page hands its channel over first, as it does when it loads; what is said is heard here instead.
        let tray = json!({"title": "t", "show": "s", "stop": "x"});
        self.get::<Value>("window_notices", json!({"notices": "__CHANNEL__:7", "tray": tray}));
        let (tell, told) = std::sync::mpsc::channel();
        self.app.state::<Shell>().listen(Box::new(move |notice| tell.send(notice).is_ok()), Default::default());
        told
    }

    /// Closes the app, lets somebody at its state directory, and opens it again with the same vault.
    #[must_use]
    pub fn reopen_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let (dir, vault) = (self.state_dir.clone(), self.vault.clone());
        drop(self);
        meanwhile(dir.path());
        Self::open_on(dir, vault, |_| {})
    }

    /// Revokes without a plan's hash.
    #[track_caller]
    pub fn revoke(&self, pair: &Pair) -> RevokeReport {
        self.get("revoke_connected_app", pair.args())
    }

    /// Every raw reply so far: command and text.
    #[must_use]
    pub fn said(&self) -> Vec<(String, String)> {
        self.said.borrow().clone()
    }

    /// Where the app keeps what it keeps.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        self.state_dir.path()
    }

    /// Every file below the state directory with its content.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        gather(self.state_dir(), &mut files);
        files
    }

    /// What is stored: every file but SQLite's shared-memory index, which a mere look changes and which holds no content.
    #[must_use]
    pub fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files();
        files.retain(|name, _| !name.ends_with("-shm"));
        files
    }

    /// Adds the connection that leads to a sandbox.
    #[track_caller]
    pub fn connect(&self, ground: &Ground) -> Connection {
        self.connect_at(ground, &ground.card().url, None)
    }

    /// The same through another address, or straight to an organization.
    #[track_caller]
    pub fn connect_at(&self, ground: &Ground, base_url: &str, slug: Option<&str>) -> Connection {
        let draft = json!({
            "public_token": ground.card().public_token, "base_url": base_url, "organization_slug": slug,
            "host_confirmed": false,
        });
        self.get("connection_add", json!({ "draft": draft }))
    }

    /// Signs a person of the sandbox in, as a person does: address, code from the inbox, organization where asked.
    #[track_caller]
    pub fn sign_in(&self, ground: &Ground, connection: &Connection, role: &str) -> Session {
        let person = ground.person(role);
        let step: SignInStep =
            self.get("sign_in_send_code", json!({"connection_id": connection.id, "email": person.email}));
        assert!(matches!(step, SignInStep::CodeSent { .. }), "a code was asked for: {step:?}");
        let code = ground.newest_code(&person.email);
        let mut step: SignInStep = self.get("sign_in_check_code", json!({ "code": code }));
        if let SignInStep::ChooseOrganization { .. } = step {
            let chosen = json!({"organization_id": ground.card().organization_id});
            step = self.get("sign_in_choose_organization", chosen);
        }
        match step {
            SignInStep::SignedIn(session) => *session,
            other => panic!("{role} is not signed in: {other:?}"),
        }
    }
}

fn gather(dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            files.insert(path.display().to_string(), std::fs::read(&path).unwrap_or_default());
        }
    }
}

/// A member and an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Whose grant.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
}

impl Pair {
    /// As arguments of a command.
    #[must_use]
    pub fn args(&self) -> Value {
        json!({"member_id": self.member_id, "connected_app_id": self.connected_app_id})
    }

    /// The same, asked although the policy says no.
    #[must_use]
    pub fn anyway(&self) -> Value {
        json!({"member_id": self.member_id, "connected_app_id": self.connected_app_id, "ask_anyway": true})
    }
}

/// A running sandbox with its control side.
pub struct Ground {
    sandbox: Sandbox,
}

/// What the sandbox knows to be true.
#[derive(Clone, Debug, Deserialize)]
pub struct Ledger {
    /// What lives now.
    pub grants: Vec<LedgerGrant>,
    /// Every call as it arrived.
    pub calls: Vec<LedgerCall>,
    /// Every revoke as it was handled.
    pub revocations: Vec<LedgerRevocation>,
    /// Every change of the organization's policy that was carried out.
    pub policy_changes: Vec<Value>,
}

/// A grant that lives.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[allow(missing_docs, reason = "the ledger's own words")]
pub struct LedgerGrant {
    pub member_id: String,
    pub connected_app_id: String,
    pub scopes: Vec<String>,
}

/// A call that arrived.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the ledger's own words")]
pub struct LedgerCall {
    pub method: String,
    pub path: String,
    pub status: Option<u16>,
    pub at: String,
}

/// A revoke that was handled.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the ledger's own words")]
pub struct LedgerRevocation {
    pub member_id: Option<String>,
    pub connected_app_id: String,
    pub effect: String,
    pub answered: bool,
}

impl Ledger {
    /// Whether the grant lives.
    #[must_use]
    pub fn grants_to(&self, pair: &Pair) -> bool {
        self.grants.iter().any(|g| g.member_id == pair.member_id && g.connected_app_id == pair.connected_app_id)
    }

    /// Effect and answer of every revoke so far.
    #[must_use]
    pub fn effects(&self) -> Vec<(&str, bool)> {
        self.revocations.iter().map(|row| (row.effect.as_str(), row.answered)).collect()
    }
}

/// The sandboxes' runtime: not the app's, so that a step observer that waits for the control side cannot starve it.
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    })
}

impl Default for Ground {
    fn default() -> Self {
        Self::sized(1, 16)
    }
}

impl Ground {
    /// Starts a sandbox of that seed and so many members.
    #[must_use]
    pub fn sized(seed: u64, members: usize) -> Self {
        Self::with(sandbox::Options { seed, members, ..sandbox::Options::default() })
    }

    /// Starts a sandbox as its options say.
    #[must_use]
    pub fn with(options: sandbox::Options) -> Self {
        let sandbox = runtime().block_on(Sandbox::start(options)).expect("a sandbox");
        Self { sandbox }
    }

    /// Addresses, tokens and people.
    #[must_use]
    pub fn card(&self) -> &sandbox::Card {
        self.sandbox.card()
    }

    /// Somebody by role: `admin`, `reader` or `member`.
    #[must_use]
    pub fn person(&self, role: &str) -> &sandbox::Person {
        self.card().people.iter().find(|person| person.role == role).expect("a person of that role")
    }

    /// The newest code in the inbox.
    #[must_use]
    pub fn newest_code(&self, email: &str) -> String {
        self.sandbox.newest_code(email).expect("a code was sent")
    }

    /// Stops answering: connections are refused from now on.
    pub fn stop(self) {
        runtime().block_on(self.sandbox.stop());
    }

    /// Sets faults; `null` clears one.
    pub fn fault(&self, faults: Value) {
        self.switch().fault(faults);
    }

    /// What a thread may hold to set faults or change the world while the app works.
    #[must_use]
    pub fn switch(&self) -> Switch {
        Switch { control: self.sandbox.control_url() }
    }

    /// An admin who sits elsewhere revokes a grant through the API.
    #[track_caller]
    pub fn revoke_from_elsewhere(&self, pair: &Pair) {
        let card = self.card();
        let host = card.url.strip_prefix("http://").expect("loopback http");
        let credentials = format!("{}:{}", card.public_token, self.person("admin").session_token);
        let credentials = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, credentials);
        let mut socket = TcpStream::connect(host).expect("the sandbox answers");
        write!(
            socket,
            "POST /sdk/v1/b2b/organizations/members/{}/connected_apps/{}/revoke HTTP/1.1\r\nHost: {host}\r\n\
             Connection: close\r\nOrigin: http://localhost:3000\r\nAuthorization: Basic {credentials}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
            pair.member_id, pair.connected_app_id
        )
        .expect("the request leaves");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "the revoke from elsewhere was refused");
    }

    /// The truth, now.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        serde_json::from_value(self.switch().call("GET", "ledger", None)).expect("the ledger's shape")
    }

    /// How many calls have arrived.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.ledger().calls.len()
    }

    /// Somebody else's grant to an app that at least three people let act for them, by somebody who has at least three apps:
    /// so that no list gets empty by revoking it.
    #[must_use]
    pub fn pair(&self) -> Pair {
        let people: Vec<&str> = self.card().people.iter().map(|person| person.member_id.as_str()).collect();
        self.pair_where(|grant, of_app, of_member| {
            of_app >= 3 && of_member >= 3 && !people.contains(&grant.member_id.as_str())
        })
    }

    /// The first grant that fits, given how many its app and its member have.
    #[must_use]
    pub fn pair_where(&self, fits: impl Fn(&LedgerGrant, usize, usize) -> bool) -> Pair {
        let grants = self.ledger().grants;
        let found = grants.iter().find(|grant| {
            let of_app = grants.iter().filter(|other| other.connected_app_id == grant.connected_app_id).count();
            let of_member = grants.iter().filter(|other| other.member_id == grant.member_id).count();
            fits(grant, of_app, of_member)
        });
        let found = found.expect("the seed has such a grant");
        Pair { member_id: found.member_id.clone(), connected_app_id: found.connected_app_id.clone() }
    }
}

/// The control side of a sandbox.
#[derive(Clone, Debug)]
pub struct Switch {
    control: String,
}

impl Switch {
    /// Sets faults; `null` clears one.
    pub fn fault(&self, faults: Value) {
        self.call("POST", "faults", Some(faults));
    }

    /// A member gives a grant (again).
    pub fn consent(&self, pair: &Pair) {
        self.consent_to(pair, &["openid"]);
    }

    /// The same, with other scopes.
    pub fn consent_to(&self, pair: &Pair, scopes: &[&str]) {
        self.call(
            "POST",
            "consent",
            Some(json!({"member_id": pair.member_id, "connected_app_id": pair.connected_app_id, "scopes": scopes})),
        );
    }

    /// Deletes a member.
    pub fn delete_member(&self, member_id: &str) {
        self.call("POST", "delete_member", Some(json!({ "member_id": member_id })));
    }

    /// Gives a member these roles beside `stytch_member`.
    pub fn roles(&self, member_id: &str, roles: &[&str]) {
        self.call("POST", "roles", Some(json!({"member_id": member_id, "roles": roles})));
    }

    /// Changes which connected apps the organization admits, and answers which it then does.
    pub fn policy(&self, change: Value) -> Value {
        self.call("POST", "policy", Some(change))
    }

    /// One call over a bare socket: it works on any thread, inside a runtime or not.
    fn call(&self, method: &str, what: &str, body: Option<Value>) -> Value {
        let rest = self.control.strip_prefix("http://").expect("loopback http");
        let (host, path) = rest.split_once('/').expect("a control path");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut socket = TcpStream::connect(host).expect("the sandbox answers");
        write!(
            socket,
            "{method} /{path}/{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("the request leaves");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("an answer");
        let text = String::from_utf8(answer).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200"), "the control side refused {what}: {text}");
        serde_json::from_str(body).expect("JSON")
    }
}

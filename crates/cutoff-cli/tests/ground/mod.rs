//! The ground the tests stand on: a running sandbox, a state directory of its own, and the real binary. Nothing of its inside.
#![allow(dead_code, missing_docs)]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Ground {
    pub sandbox: Sandbox,
    pub runtime: tokio::runtime::Runtime,
    pub dir: TempDir,
}

pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}"));
        self.out.lines().map(parse).collect()
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in stderr:\n{}", self.err);
        }
        self
    }
}

pub fn ground() -> Ground {
    ground_with(Options::default())
}

pub fn ground_with(options: Options) -> Ground {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let sandbox = runtime.block_on(Sandbox::start(options)).expect("a sandbox starts");
    Ground { sandbox, runtime, dir: TempDir::new().expect("a directory") }
}

/// The binary, with nothing of this user's: no keyring, no data directory, no log level.
pub fn cutoff() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutoff"));
    for name in ["CUTOFF_LOG", "DISPLAY", "WAYLAND_DISPLAY", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus").env("HOME", "/nonexistent").env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn start(mut command: Command, stdin: &str) -> Child {
    let mut child = command.spawn().expect("the binary starts");
    // It may end before it reads, as when it refuses the command line.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    child
}

/// How long a child may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(180);

/// Kills a child that is still there after [`PATIENCE`], so that it fails its own test and holds up no other. Drop what this
/// answers once the child has done what was waited for.
pub fn kill_if_it_stays(child: &Child) -> Sender<()> {
    let id = child.id().to_string();
    let (done, over) = channel();
    std::thread::spawn(move || {
        if over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
    });
    done
}

/// Waits until it ends.
pub fn end(child: Child) -> Ended {
    let over = kill_if_it_stays(&child);
    let ended = child.wait_with_output().expect("it ends");
    drop(over);
    Ended {
        code: ended.status.code().expect("it ended by itself"),
        out: String::from_utf8(ended.stdout).expect("UTF-8"),
        err: String::from_utf8(ended.stderr).expect("UTF-8"),
    }
}

/// Runs the binary with arguments alone.
pub fn run(arguments: &[&str]) -> Ended {
    let mut command = cutoff();
    command.args(arguments);
    end(start(command, ""))
}

impl Ground {
    pub fn token(&self, role: &str) -> String {
        let people = &self.sandbox.card().people;
        people.iter().find(|person| person.role == role).expect("the card has this role").session_token.clone()
    }

    pub fn email(&self, role: &str) -> String {
        let people = &self.sandbox.card().people;
        people.iter().find(|person| person.role == role).expect("the card has this role").email.clone()
    }

    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The flags that name this sandbox and this state directory.
    pub fn place(&self) -> Vec<String> {
        let card = self.sandbox.card();
        let dir = self.state_dir().display().to_string();
        ["--base-url", &card.url, "--public-token", &card.public_token, "--state-dir", &dir].map(str::to_owned).to_vec()
    }

    /// The binary with the arguments, at this place, with a session on standard input.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cutoff();
        command.args(arguments).args(self.place()).arg("--session-token-stdin");
        command
    }

    pub fn as_role(&self, role: &str, arguments: &[&str]) -> Ended {
        end(start(self.command(arguments), &format!("{}\nnot read\n", self.token(role))))
    }

    pub fn admin(&self, arguments: &[&str]) -> Ended {
        self.as_role("admin", arguments)
    }

    /// The binary in this state directory, without a session.
    pub fn here(&self, arguments: &[&str]) -> Ended {
        let mut command = cutoff();
        command.args(arguments).arg("--state-dir").arg(self.state_dir());
        end(start(command, ""))
    }

    pub fn faults(&self, faults: Value) {
        post(&self.sandbox.card().faults_url, &faults);
    }

    pub fn control(&self, what: &str, body: Value) -> Value {
        post(&format!("{}/{what}", self.sandbox.control_url()), &body)
    }

    pub fn ledger(&self) -> Value {
        get(&self.sandbox.card().ledger_url)
    }

    /// Paths of the calls so far, in the order in which they came.
    pub fn calls(&self) -> Vec<String> {
        let ledger = self.ledger();
        let calls = ledger["calls"].as_array().expect("calls").clone();
        calls.iter().map(|call| call["path"].as_str().expect("a path").to_owned()).collect()
    }

    /// Every grant that lives: member, app, scopes.
    pub fn truth(&self) -> BTreeSet<Fact> {
        let ledger = self.ledger();
        ledger["grants"].as_array().expect("grants").iter().map(fact).collect()
    }

    /// Signs in as the window does, in another process's place: this one's. The session is kept in memory here and nowhere else.
    pub fn window(&self, role: &str) -> cutoff::Desk {
        self.window_with(role, vault::Vault::memory(vault::Trouble::Missing))
    }

    /// The same with a vault that outlives it.
    pub fn window_with(&self, role: &str, vault: vault::Vault) -> cutoff::Desk {
        use cutoff::connections::Draft;
        let card = self.sandbox.card();
        let journal = journal::Journal::open(&self.state_dir()).expect("a journal");
        let desk = cutoff::Desk::new(std::sync::Arc::new(journal), cutoff::Options::new(vault));
        let draft =
            Draft { public_token: card.public_token.clone(), base_url: Some(card.url.clone()), ..Draft::default() };
        let email = self.email(role);
        self.runtime.block_on(async {
            let connection = desk.add_connection(&draft).await.expect("a connection");
            desk.send_code(connection.id, &email).await.expect("a code is sent");
            let code = self.sandbox.newest_code(&email).expect("a code came");
            let mut step = desk.check_code(&code).await.expect("the code is right");
            if matches!(step, cutoff::sign_in::Step::ChooseOrganization(_)) {
                step = desk.choose_organization(&card.organization_id).await.expect("an organization");
            }
            assert!(matches!(step, cutoff::sign_in::Step::SignedIn), "signed in");
        });
        desk
    }
}

/// Grants as they are counted in sentences.
pub fn count_grants(n: usize) -> String {
    format!("{n} {}", if n == 1 { "grant" } else { "grants" })
}

pub type Fact = (String, String, Vec<String>);

/// A grant as ledger and output both have it.
pub fn fact(row: &Value) -> Fact {
    let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned();
    let mut scopes: Vec<String> = row["scopes"]
        .as_array()
        .expect("scopes")
        .iter()
        .map(|scope| scope.as_str().expect("a scope").to_owned())
        .collect();
    scopes.sort();
    (text("member_id"), text("connected_app_id"), scopes)
}

pub fn get(url: &str) -> Value {
    exchange("GET", url, "")
}

pub fn post(url: &str, body: &Value) -> Value {
    exchange("POST", url, &body.to_string())
}

/// HTTP/1.0, so that the answer ends with the connection: all that a control address on loopback needs.
fn exchange(method: &str, url: &str, body: &str) -> Value {
    let (host, path) = url.strip_prefix("http://").expect("http").split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).expect("the sandbox listens");
    let length = body.len();
    write!(stream, "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.split(' ').nth(1) == Some("200"), "{answer}");
    serde_json::from_str(body).unwrap_or_else(|e| panic!("not JSON ({e}): {answer}"))
}

/// Every file below a directory, with its bytes.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).expect("readable")));
        }
    }
    found
}

pub fn no_faults() -> Value {
    json!({
        "latency_ms": null, "rate_limit_after": null, "retry_after_s": null, "rate_window_s": null,
        "server_error_share": null, "reset_before_commit_share": null, "body": null, "session_dies_after": null,
        "sdk_endpoint_off": false, "bad_row": null, "on": null,
    })
}

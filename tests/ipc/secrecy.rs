//! The session never reaches the page, a file, the environment or a log. A witness between app and sandbox writes down every
//! secret that goes over the wire, and everything the app says and writes is searched for them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contract::revoke::Outcome;
use promises::ipc::{App, Ground};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

/// Stands between the app and a sandbox and writes down what passes, both ways.
struct Witness {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Witness {
    fn before(target: &str) -> Self {
        let target = target.strip_prefix("http://").expect("loopback http").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = heard.clone();
        // These threads end with their sockets, the first one with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&target) else { continue };
                for (mut from, mut to) in
                    [(client.try_clone().expect("a socket"), server.try_clone().expect("a socket")), (server, client)]
                {
                    let ears = ears.clone();
                    std::thread::spawn(move || {
                        let mut part = [0; 16 * 1024];
                        while let Ok(read @ 1..) = from.read(&mut part) {
                            ears.lock().expect("ears").extend_from_slice(&part[..read]);
                            if to.write_all(&part[..read]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { url, heard }
    }

    /// Every secret that has passed, by the name of its field.
    fn secrets(&self) -> BTreeSet<(String, String)> {
        let heard = self.heard.lock().expect("ears");
        let text = String::from_utf8_lossy(&heard);
        let mut found = BTreeSet::new();
        for field in ["session_token", "session_jwt", "intermediate_session_token"] {
            let key = format!("\"{field}\":\"");
            for (at, _) in text.match_indices(&key) {
                let value: String = text[at + key.len()..].chars().take_while(|c| *c != '"').collect();
                if !value.is_empty() {
                    found.insert((field.to_owned(), value));
                }
            }
        }
        found
    }
}

/// A secret and the forms in which it could hide: as it is, and inside the Basic credentials it is sent with.
fn forms(public_token: &str, secret: &str) -> Vec<String> {
    let credentials = format!("{public_token}:{secret}");
    vec![
        secret.to_owned(),
        STANDARD.encode(&credentials),
        URL_SAFE_NO_PAD.encode(&credentials),
        // As a list of bytes, which is how `Debug` shows a buffer.
        format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ]
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle.as_bytes())
}

/// A whole sitting through a witness: two organizations to choose from, lists, refusals, a revoke, an
/// inventory and its files, an extension.
fn sitting(app: &App, ground: &Ground, witness: &Witness) {
    let connection = app.connect_at(ground, &witness.url, None);
    let admin = ground.person("admin");
    app.get::<Value>("sign_in_send_code", json!({"connection_id": connection.id, "email": admin.email}));
    let wrong = if ground.newest_code(&admin.email) == "000000" { "000001" } else { "000000" };
    app.refusal("sign_in_check_code", json!({ "code": wrong }));
    app.get::<Value>("sign_in_check_code", json!({"code": ground.newest_code(&admin.email)}));
    app.get::<Value>("sign_in_choose_organization", json!({"organization_id": ground.card().organization_id}));
    app.get::<Value>("session_status", json!({}));
    app.get::<Value>("inventory_read", json!({}));
    for list in ["inventory_apps", "inventory_members", "inventory_grants"] {
        let page: Value = app.get(list, json!({"query": {"count": 500}}));
        assert!(page["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{list} has rows to be searched");
    }
    let pair = ground.pair();
    app.get::<Value>("member_connected_apps", json!({"member_id": pair.member_id}));
    app.get::<Value>("inventory_grants", json!({"query": {"filter": {"apps": [pair.connected_app_id]}, "count": 500}}));
    app.get::<Value>("session_extend", json!({"minutes": 120}));
    app.get::<Value>("policy_read_again", json!({}));
    app.get::<Value>("keyring_try_again", json!({}));
    app.get::<Value>("revoke_plan", pair.args());
    assert_eq!(app.revoke(&pair).outcome, Outcome::Revoked);
    app.get::<Value>("inventory_read", json!({}));
    app.get::<Value>("inventory_looked", json!({}));
    for (noun, format) in [("apps", "csv"), ("members", "json"), ("grants", "csv")] {
        let what = json!({"noun": noun, "query": {"count": 0}, "format": format});
        app.get::<Value>("inventory_copy", json!({ "what": what }));
        app.get::<Value>("inventory_export", json!({ "what": what }));
    }
    // Answers that are not what they should be are where an excerpt could carry something along.
    for fault in
        [json!({"body": "wrong_envelope"}), json!({"body": "truncated"}), json!({"body": null, "errors_as_text": true})]
    {
        ground.fault(fault);
        let _ = app.ask("session_extend", json!({"minutes": 120}));
        let _ = app.ask("policy_read_again", json!({}));
        let _ = app.ask("member_connected_apps", json!({"member_id": pair.member_id}));
        let _ = app.ask("inventory_read", json!({}));
        let _ = app.ask("session_extend", json!({"minutes": 1}));
        let _ = app.ask("revoke_connected_app", ground.pair().args());
    }
    ground.fault(json!({"errors_as_text": false}));
    app.get::<Value>("revoke_list", json!({}));
    app.get::<Value>("connection_list", json!({}));
    app.get::<Value>("session_status", json!({}));
}

#[test]
fn no_reply_no_file_and_no_environment_holds_the_session() {
    let ground = Ground::default();
    let witness = Witness::before(&ground.card().url);
    let app = App::open();
    sitting(&app, &ground, &witness);
    let while_signed_in = app.files();
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));

    let secrets = witness.secrets();
    let kinds: BTreeSet<&str> = secrets.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["intermediate_session_token", "session_jwt", "session_token"],
        "the witness has seen every kind there is"
    );

    let said = app.said();
    assert!(said.len() >= 30, "{} replies were searched", said.len());
    let mut public = Vec::new();
    for (what, bytes) in [("environ", "/proc/self/environ"), ("cmdline", "/proc/self/cmdline")] {
        // Where there is no /proc there is nothing to search.
        public.push((what, std::fs::read(bytes).unwrap_or_default()));
    }
    for (kind, secret) in &secrets {
        for form in forms(&ground.card().public_token, secret) {
            for (command, text) in &said {
                assert!(!text.contains(&form), "the reply of {command} holds the {kind}");
            }
            for files in [&while_signed_in, &app.files()] {
                assert!(!files.is_empty());
                for (name, bytes) in files {
                    assert!(!holds(bytes, &form), "{name} holds the {kind}");
                }
            }
            for (what, bytes) in &public {
                assert!(!holds(bytes, &form), "{what} holds the {kind}");
            }
        }
    }
}

#[test]
fn a_code_is_in_no_reply_but_the_sandbox_s_inbox() {
    let app = App::open();
    let offer: Value = app.get("sandbox_start", json!({}));
    let email = offer["people"][0]["email"].clone();
    app.get::<Value>("sign_in_send_code", json!({"connection_id": offer["connection"]["id"], "email": email}));
    let letters: Value = app.get("sandbox_inbox", json!({}));
    let code = letters[0]["code"].as_str().expect("a code").to_owned();
    let step: Value = app.get("sign_in_check_code", json!({ "code": code }));
    assert_eq!(step["step"], "choose_organization");
    app.get::<Value>(
        "sign_in_choose_organization",
        json!({"organization_id": step["organizations"][0]["organization_id"]}),
    );
    app.get::<Value>("session_status", json!({}));
    // Six digits may stand in an id or a time by chance: as a whole text they stand in the inbox alone.
    let quoted = format!("\"{code}\"");
    let with_it: Vec<String> =
        app.said().into_iter().filter(|(_, text)| text.contains(&quoted)).map(|(command, _)| command).collect();
    assert_eq!(with_it, ["sandbox_inbox"]);
}

/// Everything that anybody in this process logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const CHILD: &str = "CUTOFF_TEST_LOGS_TO";

/// Runs in a process of its own, where one subscriber can take in everything at TRACE from every crate.
#[test]
#[ignore = "the body of the next test, which runs it"]
fn a_sitting_with_every_log_at_trace() {
    let path = std::env::var(CHILD).expect("where to log to");
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .init();
    tracing::trace!("planted-canary-7f1c5c1e");

    let ground = Ground::default();
    let witness = Witness::before(&ground.card().url);
    let app = App::open();
    sitting(&app, &ground, &witness);
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));

    let secrets: Vec<Value> = witness
        .secrets()
        .into_iter()
        .map(|(kind, secret)| json!({"kind": kind, "forms": forms(&ground.card().public_token, &secret)}))
        .collect();
    let logged = String::from_utf8_lossy(&log.0.lock().expect("the log")).into_owned();
    std::fs::write(path, json!({"log": logged, "secrets": secrets}).to_string()).expect("written");
}

#[test]
fn no_log_line_at_trace_holds_the_session() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("log.json");
    let ran = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "secrecy::a_sitting_with_every_log_at_trace", "--ignored", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .expect("a process");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Value = serde_json::from_slice(&std::fs::read(&path).expect("the log")).expect("JSON");
    let log = told["log"].as_str().expect("text");

    // The net has no hole: what was planted is there, and so are the lines of the client and of the crates below it.
    assert!(log.contains("planted-canary-7f1c5c1e"));
    for target in ["stytch_b2b", "reqwest", "hyper_util"] {
        assert!(log.contains(&format!(" {target}")), "nothing of {target} was logged at all");
    }
    let secrets = told["secrets"].as_array().expect("secrets");
    assert!(secrets.len() >= 3, "{}", secrets.len());
    for secret in secrets {
        for form in secret["forms"].as_array().expect("forms") {
            let form = form.as_str().expect("text");
            let line = log.lines().find(|line| line.contains(form));
            // The line itself is not shown: the worst place for a secret is a test's output.
            let target = line.map(|line| line.chars().take(80).collect::<String>().replace(form, "…"));
            assert!(line.is_none(), "a log line holds the {}: {target:?}", secret["kind"]);
        }
    }
}

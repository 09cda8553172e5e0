//! The session token shows nowhere: not in logs at their finest, not in errors, not in what prints for debugging.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stytch_b2b::IntermediateSessionToken;
use tracing_subscriber::filter::LevelFilter;

use crate::server::{Server, Step, answer, ok, raw};
use crate::{PUBLIC_TOKEN, TOKEN, client, token};

/// Collects what is logged. The lock is held for one line at a time.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// While only one subscriber lives, `tracing` asks the thread that meets a line first whether anybody wants it, and keeps the answer for
/// all threads: another test's thread, which has no subscriber, would say no. With a second one alive it asks both.
fn heard_from_every_thread() -> tracing::Dispatch {
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    tracing::callsite::rebuild_interest_cache();
    second
}

#[test]
fn no_token_and_no_code_shows_in_logs_or_errors() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut shown = String::new();
    tracing::subscriber::with_default(subscriber, || {
        let _second = heard_from_every_thread();
        runtime.block_on(async {
            let echo_of = |secret: &str| {
                format!(r#"{{"error_type":"odd {secret}","error_message":"<{secret}>","request_id":"{secret}"}}"#)
            };
            let echo = echo_of(TOKEN);
            let server = Server::start(vec![
                answer(400, "text/plain", &echo),
                answer(200, "text/html", &echo),
                Step::Answer(raw(&format!(
                    "HTTP/1.1 302 X\r\nLocation: https://{TOKEN}.example/?t={TOKEN}\r\nContent-Length: 0\r\n\r\n"
                ))),
                answer(400, "application/json", &echo_of("canary-code")),
                answer(400, "application/json", &echo_of("canary-ist")),
                ok(r#"{"data":{"member":{"member_id":"canary-row"}}}"#),
                Step::Reset,
            ]);
            let client = client(&server.base());
            let ist = IntermediateSessionToken::new("canary-ist".to_owned());
            let mut errors = Vec::new();
            for _ in 0..3 {
                errors.push(client.own_member(&token()).await.unwrap_err());
            }
            errors.push(client.authenticate_discovery_code("a@b.example", "canary-code").await.unwrap_err());
            errors.push(client.exchange_intermediate_session(&ist, &"o".into(), 60).await.unwrap_err());
            errors.push(client.own_member(&token()).await.unwrap_err());
            errors.push(client.own_member(&token()).await.unwrap_err());
            for error in &errors {
                shown.push_str(&format!("{error} {error:?} {:?}\n", error.facts()));
            }
            shown.push_str(&format!("{client:?} {:?} {ist:?}", token()));
        });
    });
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("/sdk/v1/b2b/organizations/members/me"), "the log was not on: {logged}");
    let encoded = STANDARD.encode(format!("{PUBLIC_TOKEN}:{TOKEN}"));
    for secret in ["canary", encoded.as_str()] {
        assert!(!shown.contains(secret), "{secret} shows in an error:\n{shown}");
        assert!(!logged.contains(secret), "{secret} shows in the log:\n{logged}");
    }
}

#[test]
fn a_log_line_names_the_method_and_not_the_person() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let _second = heard_from_every_thread();
        runtime.block_on(async {
            let server = Server::start(vec![ok(r#"{"data":{"request_id":"request-id-test-5"}}"#)]);
            let client = client(&server.base());
            client.revoke_member_connected_app(&token(), &"member-canary".into(), &"app-canary".into()).await.unwrap();
        });
    });
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let line = logged.lines().find(|line| line.contains("answered")).unwrap_or_else(|| panic!("no line in {logged}"));
    for part in [
        "stytch_b2b",
        "POST",
        "{member_id}/connected_apps/{connected_app_id}/revoke",
        "200",
        "request-id-test-5",
        "ms=",
    ] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    assert!(!line.contains("canary"), "{line}");
}

//! The example `call`, run as a program: its exit codes, what it prints where, and what it hides.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::server::{Server, answer, ok};
use crate::{PUBLIC_TOKEN, TOKEN};

/// Cargo builds the examples beside the tests, but tells a test nothing of where: `target/<profile>/examples`.
fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples").join(format!("call{}", std::env::consts::EXE_SUFFIX))
}

fn call(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(program())
        .args(arguments)
        // A proxy must not be used for a sandbox on this machine: this one answers nobody.
        .env("http_proxy", "http://127.0.0.1:9")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example is built: cargo test -p stytch-b2b builds it");
    // A program that refuses its arguments ends without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn error_of(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stderr).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}

#[test]
fn it_prints_the_data_and_hides_the_tokens_in_it() {
    let body = r#"{"data":{"session_token":"canary","session_jwt":"canary","member":{"member_id":"m"}}}"#;
    let server = Server::start(vec![ok(body)]);
    let base = server.base();
    let arguments =
        ["session.authenticate", "{}", "--base-url", &base, "--public-token", PUBLIC_TOKEN, "--session-token-stdin"];
    let output = call(&arguments, &format!("{TOKEN}\n"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let data: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(data, json!({"session_token": "[redacted]", "session_jwt": "[redacted]", "member": {"member_id": "m"}}));
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(server.request().line, "POST /sdk/v1/b2b/sessions/authenticate HTTP/1.1");

    let output = call(&[&arguments[..], &["--show-secrets"]].concat(), TOKEN);
    assert!(String::from_utf8_lossy(&output.stdout).contains("canary"), "{output:?}");
}

#[test]
fn arguments_fill_the_path_and_a_denial_is_printed_as_json() {
    let body = r#"{"status_code":403,"request_id":"request-id-test-7","error_type":"session_authorization_error","error_message":"Not you."}"#;
    let server = Server::start(vec![answer(403, "text/plain", body)]);
    let output = call(
        &[
            "organization.members.revokeConnectedApp",
            r#"{"member_id":"a/b","connected_app_id":"c"}"#,
            "--base-url",
            &server.base(),
            "--public-token",
            PUBLIC_TOKEN,
            "--session-token-stdin",
        ],
        TOKEN,
    );
    let error = error_of(&output);
    assert_eq!(error["kind"], "not_allowed");
    assert_eq!(error["status"], 403);
    assert_eq!(error["error_type"], "session_authorization_error");
    assert_eq!(error["request_id"], "request-id-test-7");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("Not you.") && message.contains("revoke.connected-app on stytch.member"), "{message}");
    let line = server.request().line;
    assert_eq!(line, "POST /sdk/v1/b2b/organizations/members/a%2Fb/connected_apps/c/revoke HTTP/1.1");
}

#[test]
fn mistakes_are_told_as_json_and_nothing_is_sent() {
    let server = Server::start(vec![ok("{}")]);
    let base = server.base();
    let rest = ["--base-url", &base, "--public-token", PUBLIC_TOKEN];
    let cases: [(&[&str], &str, &str); 8] = [
        (&["organization.members.revoke", "{}"], "", "usage"),
        (&["self.get", "[canary"], "", "usage"),
        (&["self.get", "[]"], "", "invalid_input"),
        (&["self.get", "{}"], "", "invalid_input"),
        (&["self.get", "{}", "--session-token-stdin"], "\n", "invalid_input"),
        (&["self.get", "{}", "--session-token=canary"], "", "usage"),
        (
            &["organization.getConnectedApp", r#"{"connected_app_id":"%2e%2E"}"#, "--session-token-stdin"],
            TOKEN,
            "invalid_input",
        ),
        (&["organization.getConnectedApp", "{}", "--session-token-stdin"], TOKEN, "invalid_input"),
    ];
    for (arguments, stdin, kind) in cases {
        let output = call(&[arguments, &rest[..]].concat(), stdin);
        let error = error_of(&output);
        assert_eq!(error["kind"], kind, "{arguments:?}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for arguments in [
        &["self.get", "{}", "--public-token", "public-token-test-x"][..],
        &["self.get", "{}", "--public-token", PUBLIC_TOKEN, "--base-url", "http://api.stytch.com"],
        &["self.get"],
    ] {
        assert_eq!(error_of(&call(arguments, TOKEN))["kind"], "usage", "{arguments:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn it_lists_and_describes_the_methods() {
    let output = call(&["--list"], "");
    let names = String::from_utf8(output.stdout).unwrap();
    assert_eq!(names.lines().count(), stytch_b2b::ENDPOINTS.len());
    assert!(names.lines().any(|name| name == "organization.members.revokeConnectedApp"), "{names}");
    let output = call(&["self.revokeConnectedApp", "--describe"], "");
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["permission"], json!(["stytch.self", "revoke.connected-app"]));
    assert_eq!(row["in_path"], json!(["connected_app_id"]));
}

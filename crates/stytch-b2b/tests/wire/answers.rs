//! What the client makes of what comes back, or does not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;
use stytch_b2b::{Cause, ClientType, Error, OrganizationUpdate, Phase, SignInOutcome, Timeouts};

use crate::server::{Server, Step, answer, ok, raw};
use crate::{client, client_with, token};

/// The answer to one revoke of one's own grant.
async fn revoke(base: &str) -> Result<(), Error> {
    client(base).revoke_own_connected_app(&token(), &"app-1".into()).await.map(|reply| reply.data)
}

async fn revoke_met_with(step: Step) -> Error {
    let server = Server::start(vec![step]);
    let error = revoke(&server.base()).await.expect_err("an error was expected");
    server.request();
    assert_eq!(server.connections(), 1, "nothing is repeated");
    error
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open_whether_the_revoke_was_carried_out() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
    let steps = [
        Step::Reset,
        Step::AnswerAndClose(Vec::new()),
        Step::AnswerAndClose(raw("HTTP/1.1 200 OK\r\nContent-")),
        Step::AnswerAndClose(raw(&format!("{head}{{\"data\":"))),
        Step::AnswerAndClose(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"dat")),
    ];
    for (number, step) in steps.into_iter().enumerate() {
        let error = revoke_met_with(step).await;
        let Error::Unreachable { phase: Phase::MaybeCarriedOut, cause: Cause::Reset, facts } = &error else {
            panic!("step {number}: {error:?}");
        };
        assert_eq!(facts.status, (number >= 3).then_some(200), "what had arrived by then is told: step {number}");
        assert!(error.maybe_carried_out());
    }
}

#[tokio::test]
async fn silence_ends_in_time_and_leaves_it_open_whether_the_revoke_was_carried_out() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":";
    for step in [Step::AnswerAndHang(Vec::new()), Step::AnswerAndHang(raw(half))] {
        let server = Server::start(vec![step]);
        let timeouts = Timeouts { connect: Duration::from_secs(5), total: Duration::from_millis(300) };
        let started = Instant::now();
        let client = client_with(&server.base(), timeouts);
        let error = client.revoke_own_connected_app(&token(), &"app-1".into()).await.unwrap_err();
        let Error::Unreachable { phase: Phase::MaybeCarriedOut, cause: Cause::TimedOut, .. } = error else {
            panic!("{error:?}");
        };
        assert!(started.elapsed() < Duration::from_secs(4), "it took {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn what_never_left_was_certainly_not_carried_out() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases = [
        (format!("http://127.0.0.1:{port}"), Cause::Refused),
        // RFC 6761 keeps this domain without addresses.
        ("https://nowhere.invalid".to_owned(), Cause::Dns),
    ];
    for (base, expected) in cases {
        let error = revoke(&base).await.unwrap_err();
        let Error::Unreachable { phase: Phase::NotSent, cause, .. } = &error else { panic!("{base}: {error:?}") };
        assert_eq!(*cause, expected, "{base}");
        assert!(!error.maybe_carried_out());
    }
}

#[tokio::test]
async fn a_host_that_never_finishes_the_handshake_was_sent_nothing() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", server.local_addr().unwrap());
    let timeouts = Timeouts { connect: Duration::from_millis(300), total: Duration::from_secs(10) };
    let error = client_with(&base, timeouts).revoke_own_connected_app(&token(), &"app-1".into()).await.unwrap_err();
    let Error::Unreachable { phase: Phase::NotSent, cause: Cause::TimedOut, .. } = error else { panic!("{error:?}") };
}

#[tokio::test]
async fn a_host_that_does_not_speak_tls_is_told_so_and_sees_no_credentials() {
    // It answers the greeting of TLS, which contains no line end, with plain HTTP.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = vec![0; 8192];
        let count = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        bytes.truncate(count);
        bytes.extend(rest);
        bytes
    });
    let error = revoke(&format!("https://127.0.0.1:{port}")).await.unwrap_err();
    let Error::Unreachable { phase: Phase::NotSent, cause: Cause::Tls, .. } = error else { panic!("{error:?}") };
    let seen = String::from_utf8_lossy(&seen.join().unwrap()).into_owned();
    assert!(!seen.contains("revoke") && !seen.contains("Basic"), "{seen}");
}

#[tokio::test]
async fn what_is_no_answer_of_this_api_is_garbled() {
    let steps = [
        answer(200, "text/html", "<!DOCTYPE html><h1>Welcome to the hotel</h1>"),
        answer(200, "application/json", r#"{"status_code":200}"#),
        answer(200, "application/json", r#"{"data":{"#),
        answer(204, "application/json", ""),
        Step::AnswerAndClose(raw("220 mail.example ESMTP\r\n")),
    ];
    for (number, step) in steps.into_iter().enumerate() {
        let error = revoke_met_with(step).await;
        assert_eq!(error.kind(), "garbled", "step {number}: {error:?}");
        assert!(error.maybe_carried_out());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let mut bytes = raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    bytes.resize(66 * 1024 * 1024, b' ');
    let server = Server::start(vec![Step::AnswerAndHang(bytes)]);
    let error = revoke(&server.base()).await.unwrap_err();
    let Error::Garbled { why, .. } = error else { panic!("{error:?}") };
    assert!(why.contains("64 MiB"), "{why}");
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(vec![ok(r#"{"data":{}}"#)]);
        let target = format!("{}/steal", elsewhere.base());
        let text = format!("HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let error = revoke_met_with(Step::Answer(raw(&text))).await;
        let Error::Redirected { to_host, facts } = &error else { panic!("{error:?}") };
        assert_eq!(*to_host, Some(format!("127.0.0.1:{}", elsewhere.port())));
        assert_eq!(facts.status, Some(status));
        assert!(error.maybe_carried_out());
        assert_eq!(elsewhere.connections(), 0, "the session went to another host");
    }
}

#[tokio::test]
async fn an_error_is_understood_whatever_its_header_calls_it() {
    let body = r#"{"status_code":403,"request_id":"request-id-test-9","error_type":"session_authorization_error",
        "error_message":"The Member is not authorized to perform the requested action on that resource.","error_url":"https://stytch.com/docs"}"#;
    for content_type in ["application/json", "text/plain; charset=utf-8", "text/html", ""] {
        let error = revoke_met_with(answer(403, content_type, body)).await;
        let Error::NotAllowed { needs: Some(needs), facts } = &error else { panic!("{error:?}") };
        assert_eq!((needs.resource.as_str(), needs.action.as_str()), ("stytch.self", "revoke.connected-app"));
        assert_eq!(facts.request_id, Some("request-id-test-9".into()));
        assert_eq!(facts.server_date.as_deref(), Some("Wed, 21 Oct 2015 07:28:00 GMT"));
        assert!(!error.maybe_carried_out());
        let line = error.to_string();
        assert!(line.contains("revoke.connected-app") && line.contains("request-id-test-9"), "{line}");
    }
}

#[tokio::test]
async fn a_rate_limit_tells_how_long_to_wait() {
    let text = "HTTP/1.1 429 Slow Down\r\nRetry-After: 12\r\nContent-Length: 0\r\n\r\n";
    let error = revoke_met_with(Step::Answer(raw(text))).await;
    let Error::RateLimited { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(12)));
}

#[tokio::test]
async fn captcha_in_plain_text_is_told_apart_from_any_other_refusal() {
    let server =
        Server::start(vec![answer(403, "text/plain", "Captcha required"), answer(403, "text/plain", "Go away")]);
    let client = client(&server.base());
    let first = client.send_discovery_code("a@b.example").await.unwrap_err();
    let second = client.send_discovery_code("a@b.example").await.unwrap_err();
    assert_eq!((first.kind(), second.kind()), ("captcha_required", "garbled"));
    assert_eq!(second.facts().message.as_deref(), Some("Go away"));
}

#[tokio::test]
async fn one_unreadable_row_never_sinks_the_list() {
    let body = r#"{"data":{"connected_apps":[
        {"connected_app_id":"a","name":"<img src=x onerror=alert(1)>","description":"","client_type":"third_party_public","logo_url":null},
        {"connected_app_id":"b","name":"\ud800","description":"","client_type":"first_party"},
        {"connected_app_id":7,"name":"x","description":"","client_type":"first_party"},
        {"connected_app_id":"c","client_type":"a_kind_of_2031","field_of_2031":{}}
    ],"status_code":200}}"#;
    let server = Server::start(vec![ok(body)]);
    let list = client(&server.base()).connected_apps(&token()).await.unwrap().data;
    let ids: Vec<_> = list.rows.iter().map(|app| app.connected_app_id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(list.rows[0].name, "<img src=x onerror=alert(1)>", "a name is kept as it came");
    assert_eq!(list.rows[0].client_type, ClientType::ThirdPartyPublic);
    assert_eq!(list.rows[1].client_type, ClientType::Other("a_kind_of_2031".to_owned()));
    assert_eq!(list.unreadable.iter().map(|row| row.index).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_missing_list_is_garbled_and_never_taken_for_no_grants() {
    let bodies = [r#"{"data":{}}"#, r#"{"data":{"connected_apps":null}}"#, r#"{"data":{"connected_apps":{}}}"#];
    for body in bodies {
        let server = Server::start(vec![ok(body)]);
        let client = client(&server.base());
        assert_eq!(client.connected_apps(&token()).await.unwrap_err().kind(), "garbled", "{body}");
        assert_eq!(client.own_connected_apps(&token()).await.unwrap_err().kind(), "garbled", "{body}");
        assert_eq!(client.member_connected_apps(&token(), &"m".into()).await.unwrap_err().kind(), "garbled", "{body}");
    }
    let server = Server::start(vec![ok(
        r#"{"data":{"connected_app_id":"a","name":"x","description":"","client_type":"first_party"}}"#,
    )]);
    let error = client(&server.base()).connected_app(&token(), &"a".into()).await.unwrap_err();
    let Error::Garbled { why, .. } = error else { panic!("{error:?}") };
    assert!(why.contains("active_members"), "{why}");
}

#[tokio::test]
async fn a_project_that_leaves_its_settings_out_can_still_be_signed_in_to() {
    let server = Server::start(vec![
        ok(r#"{"data":{}}"#),
        ok(
            r#"{"data":{"captcha_settings":null,"email_domains":null,"create_organization_enabled":null,"rbac_policy":{"roles":null}}}"#,
        ),
        ok(
            r#"{"data":{"captcha_settings":{"enabled":true,"siteKey":"k"},"rbac_policy":{"roles":[{"role_id":"r"}],"scopes":[]}}}"#,
        ),
    ]);
    let client = client(&server.base());
    assert_eq!(client.bootstrap().await.unwrap().data, stytch_b2b::Bootstrap::default());
    assert!(client.bootstrap().await.unwrap().data.rbac_policy.unwrap().roles.is_empty());
    let data = client.bootstrap().await.unwrap().data;
    assert_eq!((data.captcha_settings.enabled, data.captcha_settings.site_key.as_deref()), (true, Some("k")));
    assert_eq!(data.rbac_policy.unwrap().roles[0].role_id, "r");
}

#[tokio::test]
async fn scopes_are_read_in_both_of_their_forms() {
    let server = Server::start(vec![
        ok(
            r#"{"data":{"connected_app_id":"a","client_type":"first_party","active_members":[{"member_id":"m","granted_scopes":["openid","email"]}]}}"#,
        ),
        ok(
            r#"{"data":{"connected_apps":[{"connected_app_id":"a","client_type":"first_party","scopes_granted":"openid  email"}]}}"#,
        ),
    ]);
    let client = client(&server.base());
    let app = client.connected_app(&token(), &"a".into()).await.unwrap().data;
    let mine = client.own_connected_apps(&token()).await.unwrap().data;
    assert_eq!(app.active_members.rows[0].granted_scopes, ["openid", "email"]);
    assert_eq!(mine.rows[0].scopes(), ["openid", "email"]);
}

#[tokio::test]
async fn a_sign_in_gives_a_session_or_says_what_is_missing_or_that_cookies_are_in_the_way() {
    let answer = |authenticated: bool, session_token: &str, intermediate: &str, session: bool| {
        let member = json!({"member_id": "m", "organization_id": "o", "email_address": "a@b.example"});
        let session = session.then(|| {
            json!({
                "member_session_id": "s", "member_id": "m", "organization_id": "o", "roles": ["stytch_member"],
                "expires_at": "2030-01-01T00:00:00Z",
            })
        });
        let mfa = (!authenticated).then(|| json!({"member_options": null, "secondary_auth_initiated": "sms_otp"}));
        ok(&json!({"data": {
            "member": member, "organization": {"organization_id": "o", "organization_name": "Acme", "custom_roles": null},
            "member_session": session, "session_token": session_token, "session_jwt": "", "mfa_required": mfa,
            "intermediate_session_token": intermediate, "member_authenticated": authenticated, "primary_required": null,
        }})
        .to_string())
    };
    let server = Server::start(vec![
        answer(true, "canary", "", true),
        answer(false, "", "canary", false),
        answer(true, "", "", true),
        answer(false, "", "", false),
        answer(true, "canary", "", false),
    ]);
    let client = client(&server.base());
    let organization = "o".into();
    let sign_in = || client.authenticate_login_code(&organization, "a@b.example", "123456", 60);

    let first = sign_in().await.unwrap().data;
    let SignInOutcome::SignedIn { session_token, member_session } = &first.outcome else { panic!("{first:?}") };
    assert_eq!(
        (session_token.expose(), member_session.roles.as_slice()),
        ("canary", ["stytch_member".to_owned()].as_slice())
    );
    assert!(!format!("{first:?}").contains("canary"), "{first:?}");

    let second = sign_in().await.unwrap().data;
    let SignInOutcome::MoreNeeded { intermediate_session_token, mfa_required, .. } = &second.outcome else {
        panic!("{second:?}");
    };
    assert_eq!(intermediate_session_token.expose(), "canary");
    assert_eq!(mfa_required.as_ref().unwrap().secondary_auth_initiated.as_deref(), Some("sms_otp"));

    for _ in 0..2 {
        let error = sign_in().await.unwrap_err();
        assert_eq!(error.kind(), "cookies_only");
        assert!(error.maybe_carried_out(), "the code is used up");
    }
    assert_eq!(sign_in().await.unwrap_err().kind(), "garbled", "a token without its session");
}

const POLICY: [&str; 4] = [
    "first_party_connected_apps_allowed_type",
    "allowed_first_party_connected_apps",
    "third_party_connected_apps_allowed_type",
    "allowed_third_party_connected_apps",
];

#[tokio::test]
async fn a_policy_with_a_field_missing_is_garbled_and_never_an_empty_allowlist() {
    let whole = json!({
        "organization_id": "o", "organization_name": "Acme", "updated_at": "2026-01-02T03:04:05Z",
        POLICY[0]: "ALL_ALLOWED", POLICY[1]: null, POLICY[2]: "RESTRICTED", POLICY[3]: ["a", "b"],
    });
    let read = async |organization: &serde_json::Value| {
        let server = Server::start(vec![ok(&json!({"data": {"organization": organization}}).to_string())]);
        let answer = client(&server.base()).connected_app_policy(&token()).await.map(|reply| reply.data);
        assert_eq!(server.request().line, "GET /sdk/v1/b2b/organizations/me HTTP/1.1");
        answer
    };
    let policy = read(&whole).await.unwrap();
    assert_eq!(policy.organization_id, "o".into());
    assert_eq!(policy.third_party_connected_apps_allowed_type, "RESTRICTED");
    assert_eq!(policy.allowed_third_party_connected_apps, ["a".into(), "b".into()]);
    assert!(policy.allowed_first_party_connected_apps.is_empty());
    for field in POLICY {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(field);
        let Err(Error::Garbled { why, .. }) = read(&without).await else { panic!("read without {field}") };
        assert!(why.contains(field), "{why}");
    }
    let mut odd = whole.clone();
    odd[POLICY[3]] = json!(["a", 5]);
    let Err(Error::Garbled { .. }) = read(&odd).await else { panic!("a list with an odd row is no allowlist") };
}

#[tokio::test]
async fn a_denied_policy_change_had_no_effect_and_one_without_an_organization_may_have() {
    let update = OrganizationUpdate {
        third_party_connected_apps_allowed_type: Some("NOT_ALLOWED".to_owned()),
        ..OrganizationUpdate::default()
    };
    let change = async |step: Step| {
        let server = Server::start(vec![step]);
        let error = client(&server.base()).update_organization(&token(), &update).await.unwrap_err();
        server.request();
        assert_eq!(server.connections(), 1, "nothing is repeated");
        error
    };
    let denial = r#"{"status_code":403,"error_type":"session_authorization_error","request_id":"request-id-test-9"}"#;
    let error = change(answer(403, "application/json", denial)).await;
    let Error::NotAllowed { needs, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*needs, None, "which action it needs is documented nowhere, so none is named");
    assert!(!error.maybe_carried_out());

    let error = change(ok(r#"{"data":{"status_code":200}}"#)).await;
    let Error::Garbled { .. } = &error else { panic!("{error:?}") };
    assert!(error.maybe_carried_out());
    assert!(change(Step::Reset).await.maybe_carried_out());
}

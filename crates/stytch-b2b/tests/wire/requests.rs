//! What the client sends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stytch_b2b::{
    ConnectedAppId, Error, IntermediateSessionToken, MemberId, MemberOperand, MemberSearch, OrganizationUpdate,
    SessionToken,
};

use crate::server::{Request, Server, ok};
use crate::{PUBLIC_TOKEN, TOKEN, client, token};

const NOTHING: &str = r#"{"data":{"request_id":"request-id-test-1","status_code":200}}"#;

fn sdk_client(request: &Request) -> Value {
    let bytes = STANDARD.decode(request.one("x-sdk-client")).expect("padded standard base64");
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_revoke_is_one_post_with_an_empty_object_and_the_sessions_credentials() {
    let server = Server::start(vec![ok(NOTHING)]);
    let reply = client(&server.base())
        .revoke_member_connected_app(&token(), &MemberId::from("member-1"), &ConnectedAppId::from("app-1"))
        .await
        .unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.request_id, Some("request-id-test-1".into()));
    assert_eq!(reply.server_date.as_deref(), Some("Wed, 21 Oct 2015 07:28:00 GMT"));

    let request = server.request();
    assert_eq!(request.line, "POST /sdk/v1/b2b/organizations/members/member-1/connected_apps/app-1/revoke HTTP/1.1");
    assert_eq!(request.body, "{}");
    assert_eq!(request.one("content-type"), "application/json");
    let credentials = request.one("authorization").strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(credentials).unwrap(), format!("{PUBLIC_TOKEN}:{TOKEN}").into_bytes());
    assert_eq!(request.one("user-agent"), "example-sdk/4.5");
}

#[tokio::test]
async fn it_calls_as_a_native_app_and_tells_what_one_must_tell() {
    let server = Server::start(vec![ok(NOTHING)]);
    let client = client(&server.base());
    client.revoke_session(&token()).await.unwrap();
    client.send_discovery_code("a@b.example").await.unwrap();
    let (first, second) = (server.request(), server.request());
    for request in [&first, &second] {
        for name in ["origin", "x-sdk-parent-host", "cookie", "referer", "accept-encoding"] {
            assert!(request.all(name).is_empty(), "{name} was sent");
        }
    }
    let (one, two) = (sdk_client(&first), sdk_client(&second));
    assert_eq!(one["app"], json!({"identifier": "com.example.app", "version": "1.2.3"}));
    assert_eq!(one["sdk"], json!({"identifier": "example-sdk", "version": "4.5"}));
    assert_eq!(one["device"]["screen_size"], "(0x0)");
    assert!(!one["os"]["identifier"].as_str().unwrap().is_empty());
    assert!(one["event_id"].as_str().unwrap().starts_with("event-id-"));
    assert_ne!(one["event_id"], two["event_id"], "each request is an event of its own");
    assert_eq!(one["app_session_id"], two["app_session_id"], "the process stays the same");
    assert_ne!(one["persistent_id"], two["persistent_id"], "nothing follows a person");
}

#[tokio::test]
async fn without_a_session_the_public_token_stands_in_both_places() {
    let server = Server::start(vec![ok(r#"{"data":{"project_name":"P"}}"#)]);
    let data = client(&server.base()).bootstrap().await.unwrap().data;
    assert_eq!(data.project_name.as_deref(), Some("P"));
    let request = server.request();
    assert_eq!(request.line, format!("GET /sdk/v1/projects/bootstrap/{PUBLIC_TOKEN} HTTP/1.1"));
    assert_eq!(request.body, "");
    assert!(request.all("content-type").is_empty() && request.all("content-length").is_empty());
    let credentials = request.one("authorization").strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(credentials).unwrap(), format!("{PUBLIC_TOKEN}:{PUBLIC_TOKEN}").into_bytes());
}

#[tokio::test]
async fn a_hostile_id_arrives_as_one_segment() {
    let server = Server::start(vec![ok(NOTHING)]);
    let client = client(&server.base());
    let app = ConnectedAppId::from("a");
    for (id, sent) in [
        ("a/b", "a%2Fb"),
        ("../../x", "..%2F..%2Fx"),
        ("a%2fb", "a%252fb"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("ü\u{202e}", "%C3%BC%E2%80%AE"),
        ("a\r\nX-Evil: 1", "a%0D%0AX-Evil%3A%201"),
    ] {
        client.revoke_member_connected_app(&token(), &MemberId::from(id), &app).await.unwrap();
        let request = server.request();
        let path = format!("POST /sdk/v1/b2b/organizations/members/{sent}/connected_apps/a/revoke HTTP/1.1");
        assert_eq!(request.line, path);
        assert!(request.all("x-evil").is_empty());
    }
    let long = "x".repeat(10_000);
    client.revoke_member_connected_app(&token(), &MemberId::from(long.as_str()), &app).await.unwrap();
    assert!(server.request().line.contains(&long));
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    let server = Server::start(vec![ok(NOTHING)]);
    let client = client(&server.base());
    let what = |result: Result<_, Error>| match result.map(|_: ()| ()) {
        Err(error @ Error::InvalidInput { what }) => {
            assert!(error.to_string().ends_with('.'), "a sentence says what is right: {error}");
            assert!(!error.maybe_carried_out());
            what
        }
        other => panic!("{other:?}"),
    };
    let app = ConnectedAppId::from("a");
    for id in ["", ".", "..", "%2E%2e"] {
        let result = client.revoke_member_connected_app(&token(), &MemberId::from(id), &app).await;
        assert_eq!(what(result.map(drop)), "member_id");
    }
    let empty = SessionToken::new(String::new());
    assert_eq!(what(client.own_member(&empty).await.map(drop)), "session_token");
    for address in ["", "nobody", "@b.example", "a@", "a b@c.example"] {
        assert_eq!(what(client.send_discovery_code(address).await.map(drop)), "email_address", "{address:?}");
    }
    assert_eq!(what(client.authenticate_discovery_code("a@b.example", " ").await.map(drop)), "code");
    assert_eq!(what(client.send_login_code(&"".into(), "a@b.example").await.map(drop)), "organization_id");
    assert_eq!(what(client.organization_by_slug(" ").await.map(drop)), "organization_slug");
    let none = IntermediateSessionToken::new(String::new());
    let result = client.exchange_intermediate_session(&none, &"o".into(), 60).await;
    assert_eq!(what(result.map(drop)), "intermediate_session_token");
    let search = MemberSearch { limit: Some(1001), ..MemberSearch::default() };
    assert_eq!(what(client.search_members(&token(), &search).await.map(drop)), "limit");
    let search = MemberSearch { operands: vec![MemberOperand::EmailFuzzy("ab".into())], ..MemberSearch::default() };
    assert_eq!(what(client.search_members(&token(), &search).await.map(drop)), "member_email_fuzzy");
    let nothing = OrganizationUpdate::default();
    assert_eq!(what(client.update_organization(&token(), &nothing).await.map(drop)), "organization_update");
    assert_eq!(server.connections(), 0, "something was sent");
}

#[tokio::test]
async fn a_search_sends_what_was_asked_and_no_more() {
    let server = Server::start(vec![ok(r#"{"data":{"members":[],"results_metadata":{"total":-1,"next_cursor":""}}}"#)]);
    let client = client(&server.base());
    let page = client.search_members(&token(), &MemberSearch::default()).await.unwrap().data;
    assert_eq!((page.total, page.next_cursor), (None, None), "totals that are switched off are no number");
    assert_eq!(server.request().body, "{}");

    let search = MemberSearch {
        cursor: Some("next".to_owned()),
        limit: Some(1000),
        operands: vec![
            MemberOperand::Ids(vec!["m1".into(), "m2".into()]),
            MemberOperand::Statuses(vec!["deleted".to_owned()]),
            MemberOperand::IsBreakglass(true),
        ],
    };
    client.search_members(&token(), &search).await.unwrap();
    let sent: Value = serde_json::from_str(&server.request().body).unwrap();
    assert_eq!(
        sent,
        json!({"cursor": "next", "limit": 1000, "query": {"operator": "AND", "operands": [
            {"filter_name": "member_ids", "filter_value": ["m1", "m2"]},
            {"filter_name": "statuses", "filter_value": ["deleted"]},
            {"filter_name": "member_is_breakglass", "filter_value": true},
        ]}})
    );
}

#[tokio::test]
async fn a_change_of_the_policy_sends_the_given_fields_and_no_other() {
    let server = Server::start(vec![ok(
        r#"{"data":{"organization":{"organization_id":"o","third_party_connected_apps_allowed_type":"RESTRICTED","allowed_third_party_connected_apps":["a","b"]},"request_id":"request-id-test-3","status_code":200}}"#,
    )]);
    let client = client(&server.base());
    let block = OrganizationUpdate {
        third_party_connected_apps_allowed_type: Some("RESTRICTED".to_owned()),
        allowed_third_party_connected_apps: Some(vec!["a".into(), "b".into()]),
        ..OrganizationUpdate::default()
    };
    let reply = client.update_organization(&token(), &block).await.unwrap();
    assert_eq!(reply.request_id, Some("request-id-test-3".into()));
    assert_eq!(reply.data.allowed_third_party_connected_apps, ["a".into(), "b".into()]);
    let request = server.request();
    assert_eq!(request.line, "PUT /sdk/v1/b2b/organizations/me HTTP/1.1");
    assert_eq!(request.one("content-type"), "application/json");
    let sent: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        sent,
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": ["a", "b"]})
    );

    let whole = OrganizationUpdate {
        first_party_connected_apps_allowed_type: Some("NOT_ALLOWED".to_owned()),
        allowed_first_party_connected_apps: Some(vec![]),
        third_party_connected_apps_allowed_type: Some("A_WORD_OF_TOMORROW".to_owned()),
        allowed_third_party_connected_apps: Some(vec![]),
    };
    client.update_organization(&token(), &whole).await.unwrap();
    let sent: Value = serde_json::from_str(&server.request().body).unwrap();
    assert_eq!(
        sent,
        json!({
            "first_party_connected_apps_allowed_type": "NOT_ALLOWED", "allowed_first_party_connected_apps": [],
            "third_party_connected_apps_allowed_type": "A_WORD_OF_TOMORROW", "allowed_third_party_connected_apps": [],
        }),
        "an emptied list is sent as one, unlike a list that is not given"
    );
}

#[tokio::test]
async fn a_refresh_extends_only_when_asked_to() {
    let server = Server::start(vec![ok(NOTHING)]);
    let client = client(&server.base());
    let _ = client.authenticate_session(&token(), None).await;
    let _ = client.authenticate_session(&token(), Some(60)).await;
    assert_eq!(server.request().body, "{}");
    assert_eq!(server.request().body, r#"{"session_duration_minutes":60}"#);
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_it_resolves_to() {
    let server = Server::start(vec![ok(NOTHING)]);
    client(&format!("http://localhost:{}", server.port())).revoke_session(&token()).await.unwrap();
    assert_eq!(server.request().one("host"), format!("localhost:{}", server.port()));
}

#[tokio::test]
async fn calls_share_a_connection_and_keep_no_cookie() {
    let with_cookie =
        "HTTP/1.1 200 OK\r\nSet-Cookie: stytch_session=canary; Path=/\r\nContent-Length: 11\r\n\r\n{\"data\":{}}";
    let server = Server::start(vec![crate::server::Step::Answer(with_cookie.as_bytes().to_vec())]);
    let client = client(&server.base());
    for _ in 0..5 {
        client.clone().revoke_session(&token()).await.unwrap();
        assert!(server.request().all("cookie").is_empty());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn any_method_can_be_called_by_its_name_and_a_given_session_is_always_used() {
    let server = Server::start(vec![ok(r#"{"data":{"anything":[1,{"session_token":"x"}]}}"#)]);
    let client = client(&server.base());
    let find = |name| stytch_b2b::Endpoint::find(name).unwrap();
    let fields = |value: Value| value.as_object().unwrap().clone();

    let arguments = fields(json!({"connection_id": "a/b", "display_name": "x", "not_in_the_table": [1]}));
    let reply = client.call(find("sso.saml.updateConnection"), arguments, Some(&token())).await.unwrap();
    assert_eq!(reply.data["anything"][1]["session_token"], "x");
    let request = server.request();
    assert_eq!(request.line, "PUT /sdk/v1/b2b/sso/saml/a%2Fb HTTP/1.1");
    let sent: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(sent, json!({"display_name": "x", "not_in_the_table": [1]}));

    let arguments = fields(json!({"email_address": "a+b@c.example"}));
    client.call(find("sso.discoverConnections"), arguments, Some(&token())).await.unwrap();
    let request = server.request();
    assert_eq!(request.line, "GET /sdk/v1/b2b/sso/discovery/connections?email_address=a%2Bb%40c.example HTTP/1.1");
    let credentials = request.one("authorization").strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(credentials).unwrap(), format!("{PUBLIC_TOKEN}:{TOKEN}").into_bytes());

    client.call(find("projects.bootstrap"), fields(json!({})), None).await.unwrap();
    assert!(server.request().line.contains(PUBLIC_TOKEN), "the path's public token is the client's own");

    let missing = client.call(find("organization.members.delete"), fields(json!({})), Some(&token())).await;
    assert_eq!(missing.err(), Some(Error::InvalidInput { what: "member_id" }));
    let missing = client.call(find("self.get"), fields(json!({})), None).await;
    assert_eq!(missing.err(), Some(Error::InvalidInput { what: "session_token" }));
}

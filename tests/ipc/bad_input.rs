//! What cannot be used is refused at the edge with the field and what is wrong with it; nothing is stored, nothing is sent.
//! What merely looks odd goes out whole, as one segment of the path.

use contract::connections::Connection;
use contract::inventory::{GrantRows, MemberRows};
use contract::refusal::{Fault, Field, Refusal};
use contract::revoke::{Outcome, RevokePlan};
use promises::ipc::{App, Ground, Pair, STRANGE_LIVE_TOKEN, STRANGE_TEST_TOKEN};
use serde_json::{Value, json};

/// Asks for something that must be refused as bad input, and checks that it left no trace here or at the server.
#[track_caller]
fn refused(app: &App, ground: &Ground, command: &str, args: Value, field: Field, fault: Fault) {
    let (files, calls) = (app.stored(), ground.calls());
    let shown: String = args.to_string().chars().take(200).collect();
    let refusal = app.refusal(command, args);
    assert!(
        matches!(&refusal, Refusal::BadInput { field: f, fault: w } if (*f, *w) == (field, fault)),
        "{command} {shown}: {refusal:?}"
    );
    assert_eq!(ground.calls(), calls, "{command} {shown}: nothing is sent");
    assert!(app.stored() == files, "{command} {shown}: nothing is stored");
}

fn draft(public_token: &str, base_url: Option<&str>) -> Value {
    json!({"draft": {"public_token": public_token, "base_url": base_url, "host_confirmed": false}})
}

#[test]
fn a_public_token_that_is_none_is_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let url = ground.card().url.clone();
    for (token, fault) in [
        ("", Fault::Empty),
        ("   ", Fault::Empty),
        ("public-token-test-", Fault::Malformed),
        ("public-token-test-xyz", Fault::Malformed),
        ("public-token-stage-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11", Fault::Malformed),
        ("PUBLIC-TOKEN-TEST-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11", Fault::Malformed),
        ("public-token-test-1D1B0B4C-2B7C-4B55-9E0D-0A5F2C6F7A11", Fault::Malformed),
        ("public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11:x", Fault::Malformed),
        ("public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11\nX: y", Fault::Malformed),
        ("secret-test-Rkt2NwRRQ9Ykd0xD7RPVqqzDYVdPqRk0qxA=", Fault::Secret),
        ("secret-live-Rkt2NwRRQ9Ykd0xD7RPVqqzDYVdPqRk0qxA=", Fault::Secret),
        ("project-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11", Fault::Secret),
    ] {
        refused(&app, &ground, "connection_add", draft(token, Some(&url)), Field::PublicToken, fault);
    }
    let long = format!("public-token-test-{}", "a".repeat(10_000));
    refused(&app, &ground, "connection_add", draft(&long, Some(&url)), Field::PublicToken, Fault::Malformed);
    assert_eq!(app.get::<Vec<Connection>>("connection_list", json!({})), []);
}

#[test]
fn a_project_secret_typed_into_the_wrong_field_is_not_told_back() {
    let app = App::open();
    let secret = "secret-test-Rkt2NwRRQ9Ykd0xD7RPVqqzDYVdPqRk0qxA";
    app.refusal("connection_add", draft(secret, None));
    assert!(app.said().iter().all(|(_, text)| !text.contains("Rkt2NwRRQ9")));
    assert!(app.files().values().all(|bytes| !bytes.windows(10).any(|part| part == b"Rkt2NwRRQ9")));
}

#[test]
fn a_base_url_that_a_session_must_not_be_sent_to_is_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let port = ground.card().url.rsplit(':').next().expect("a port").to_owned();
    for (url, fault) in [
        ("http://example.com", Fault::PlainHttp),
        ("http://127.0.0.1.example.com", Fault::PlainHttp),
        ("http://localhost.example.com", Fault::PlainHttp),
        ("http://192.168.1.10:8080", Fault::PlainHttp),
        ("http://test.stytch.com", Fault::PlainHttp),
        ("https://example.com/sdk/v1", Fault::Extras),
        ("https://example.com?x=1", Fault::Extras),
        ("https://example.com#x", Fault::Extras),
        ("https://user:word@example.com", Fault::Extras),
        ("https://test.stytch.com@evil.example", Fault::Extras),
        ("ftp://example.com", Fault::Malformed),
        ("file:///etc/passwd", Fault::Malformed),
        ("javascript:alert(1)", Fault::Malformed),
        ("test.stytch.com", Fault::Malformed),
        ("https:", Fault::Malformed),
        ("https://", Fault::Malformed),
        ("https://exa mple.com", Fault::Malformed),
        ("https://example.com:99999", Fault::Malformed),
        ("not a url", Fault::Malformed),
    ] {
        refused(&app, &ground, "connection_add", draft(STRANGE_TEST_TOKEN, Some(url)), Field::BaseUrl, fault);
    }
    let loopback = format!("http://127.0.0.1:{port}");
    refused(
        &app,
        &ground,
        "connection_add",
        draft(STRANGE_LIVE_TOKEN, Some(&loopback)),
        Field::BaseUrl,
        Fault::PlainHttp,
    );
    for url in [format!("http://user@127.0.0.1:{port}"), format!("{loopback}/x"), format!("{loopback}?x")] {
        refused(&app, &ground, "connection_add", draft(STRANGE_TEST_TOKEN, Some(&url)), Field::BaseUrl, Fault::Extras);
    }
    assert_eq!(app.get::<Vec<Connection>>("connection_list", json!({})), []);
}

#[test]
fn a_host_that_is_not_stytch_s_is_asked_about_first() {
    let app = App::open();
    for url in [
        "https://login.example.com",
        "https://test.stytch.com.example",
        "https://test.stytch.com:8443",
        "https://stytch.com",
    ] {
        let files = app.stored();
        let refusal = app.refusal("connection_add", draft(STRANGE_TEST_TOKEN, Some(url)));
        assert!(matches!(&refusal, Refusal::UnknownHost { base_url } if base_url == url), "{url}: {refusal:?}");
        assert!(app.stored() == files, "{url}: nothing is stored before it is confirmed");
    }
    let confirmed = json!({"draft": {
        "public_token": STRANGE_TEST_TOKEN, "base_url": "https://login.example.com", "host_confirmed": true,
    }});
    let added: Connection = app.get("connection_add", confirmed);
    assert!(!added.stytch_host, "confirmed, and still called what it is");
    assert_eq!(app.get::<Vec<Connection>>("connection_list", json!({})).len(), 1);
    let own: Connection = app.get("connection_add", draft(STRANGE_TEST_TOKEN, None));
    assert!(own.stytch_host);
    assert_eq!(own.base_url, "https://test.stytch.com");
}

#[test]
fn confirming_a_host_does_not_lift_any_other_refusal() {
    let app = App::open();
    for url in ["http://example.com", "https://user:word@example.com"] {
        let args = json!({"draft": {"public_token": STRANGE_TEST_TOKEN, "base_url": url, "host_confirmed": true}});
        assert_eq!(app.refusal_kind("connection_add", args), "bad_input", "{url}");
    }
}

#[test]
fn slugs_and_identifiers_that_cannot_be_are_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let url = ground.card().url.clone();
    let with = |field: &str, text: &str| {
        let mut args = draft(STRANGE_TEST_TOKEN, Some(&url));
        args["draft"][field] = json!(text);
        args
    };
    for (slug, fault) in
        [("a b", Fault::Malformed), ("../x", Fault::Malformed), ("ä", Fault::Malformed), ("a\u{0}", Fault::Malformed)]
    {
        refused(&app, &ground, "connection_add", with("organization_slug", slug), Field::OrganizationSlug, fault);
    }
    let long = "a".repeat(10_000);
    refused(&app, &ground, "connection_add", with("organization_slug", &long), Field::OrganizationSlug, Fault::TooLong);
    for (name, field) in [("app_identifier", Field::AppIdentifier), ("sdk_identifier", Field::SdkIdentifier)] {
        refused(&app, &ground, "connection_add", with(name, "dev.cutoff\r\nX: y"), field, Fault::Malformed);
        refused(&app, &ground, "connection_add", with(name, "dev.cütoff"), field, Fault::Malformed);
        refused(&app, &ground, "connection_add", with(name, &long), field, Fault::TooLong);
    }
}

#[test]
fn an_address_or_a_code_that_cannot_be_one_is_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let to = |email: &str| json!({"connection_id": connection.id, "email": email});
    for (email, fault) in [
        ("", Fault::Empty),
        ("  ", Fault::Empty),
        ("nora", Fault::Malformed),
        ("nora@", Fault::Malformed),
        ("@acme.test", Fault::Malformed),
        ("nora@acme.test extra", Fault::Malformed),
        ("nora@acme.test\r\nBcc: x@y.test", Fault::Malformed),
        ("a@b@c", Fault::Malformed),
        ("nora@.test", Fault::Malformed),
    ] {
        refused(&app, &ground, "sign_in_send_code", to(email), Field::Email, fault);
    }
    let long = format!("{}@acme.test", "a".repeat(10_000));
    refused(&app, &ground, "sign_in_send_code", to(&long), Field::Email, Fault::TooLong);
    for (id, fault) in [
        ("", Fault::Malformed),
        ("x", Fault::Malformed),
        ("../../x", Fault::Malformed),
        ("7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", Fault::Unknown),
    ] {
        let args = json!({"connection_id": id, "email": "nora@acme.test"});
        refused(&app, &ground, "sign_in_send_code", args, Field::ConnectionId, fault);
        refused(&app, &ground, "connection_remove", json!({"connection_id": id}), Field::ConnectionId, fault);
    }

    let email = ground.person("member").email.clone();
    app.get::<Value>("sign_in_send_code", to(&email));
    for (code, fault) in [
        ("", Fault::Empty),
        (" - ", Fault::Empty),
        ("12345", Fault::Malformed),
        ("1234567", Fault::Malformed),
        ("12345a", Fault::Malformed),
        ("१२३४५६", Fault::Malformed),
    ] {
        refused(&app, &ground, "sign_in_check_code", json!({ "code": code }), Field::Code, fault);
    }
    let long = "1".repeat(10_000);
    refused(&app, &ground, "sign_in_check_code", json!({ "code": long }), Field::Code, Fault::Malformed);
    app.get::<Value>("sign_in_check_code", json!({"code": ground.newest_code(&email)}));
}

#[test]
fn ids_that_no_path_can_carry_are_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    let (long, wide) = ("x".repeat(100_000), "☃".repeat(10_000));
    for (id, fault) in [
        ("", Fault::Empty),
        (".", Fault::Dots),
        ("..", Fault::Dots),
        ("%2e", Fault::Dots),
        ("%2E%2e", Fault::Dots),
        (".%2e", Fault::Dots),
        ("%2E.", Fault::Dots),
        (long.as_str(), Fault::TooLong),
        (wide.as_str(), Fault::TooLong),
    ] {
        for command in ["revoke_plan", "revoke_connected_app"] {
            let args = json!({"member_id": id, "connected_app_id": pair.connected_app_id});
            refused(&app, &ground, command, args, Field::MemberId, fault);
            let args = json!({"member_id": pair.member_id, "connected_app_id": id});
            refused(&app, &ground, command, args, Field::ConnectedAppId, fault);
        }
        refused(&app, &ground, "member_connected_apps", json!({ "member_id": id }), Field::MemberId, fault);
    }
    assert!(ground.ledger().grants_to(&pair));
}

/// Ids that are odd but can be carried.
fn odd_ids() -> Vec<String> {
    let odd = [
        "/",
        "a/b",
        "/a",
        "a/",
        "//",
        "../x",
        "x/..",
        "../../organizations/connected_apps",
        "..%2fx",
        "%2f",
        "%2F..%2F",
        "%252e",
        "%",
        "%zz",
        "%00",
        "\0",
        "a b",
        " ",
        "+",
        "a+b",
        "?",
        "a?b=c",
        "#",
        "a#b",
        "a\\b",
        "..\\x",
        "a;b",
        "a&b",
        "é",
        "☃",
        "\u{202e}x",
        "\u{200b}",
        "．．",
        "اسم",
        "\"",
        "'",
        "<img src=x>",
        "a\r\nX-Evil: 1",
        "a\tb",
        "...",
        ".a",
        "connected_apps",
    ];
    odd.iter().map(|id| (*id).to_owned()).chain(["x".repeat(10_000), "/".repeat(10_000), "é".repeat(8_000)]).collect()
}

#[test]
fn an_odd_member_id_reaches_the_server_whole_and_escapes_nowhere() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    let before = ground.ledger().grants;
    for id in odd_ids() {
        let shown: String = id.chars().take(60).collect();
        let (calls, rows) = (ground.calls(), ground.ledger().revocations.len());
        let odd = Pair { member_id: id.clone(), connected_app_id: pair.connected_app_id.clone() };
        let report = app.revoke(&odd);
        assert_eq!(
            report.outcome,
            Outcome::MemberGone,
            "{shown:?}: nobody has such an id, and the app does not list them"
        );
        let ledger = ground.ledger();
        let handled: Vec<_> =
            ledger.revocations[rows..].iter().map(|row| (row.member_id.as_deref(), row.effect.as_str())).collect();
        assert_eq!(handled, [(Some(id.as_str()), "refused")], "{shown:?}: the server sees exactly this id");
        let posts: Vec<&str> =
            ledger.calls[calls..].iter().filter(|call| call.method == "POST").map(|call| call.path.as_str()).collect();
        let [path] = posts.as_slice() else { panic!("{shown:?}: one revoke was expected: {posts:?}") };
        let segments: Vec<&str> = path.split('/').collect();
        assert_eq!(segments.len(), 10, "{shown:?}: {path}");
        assert_eq!((segments[5], segments[7], segments[9]), ("members", "connected_apps", "revoke"), "{path}");
        for call in &ledger.calls[calls..] {
            assert!(call.path.starts_with("/sdk/v1/b2b/"), "{shown:?}: {}", call.path);
        }
    }
    assert_eq!(ground.ledger().grants, before, "nobody lost anything");
}

#[test]
fn an_odd_app_id_reaches_the_server_whole_and_escapes_nowhere() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    let before = ground.ledger().grants;
    for id in odd_ids() {
        let shown: String = id.chars().take(60).collect();
        let rows = ground.ledger().revocations.len();
        let odd = Pair { member_id: pair.member_id.clone(), connected_app_id: id.clone() };
        let report = app.revoke(&odd);
        assert_ne!(report.outcome, Outcome::Revoked, "{shown:?}");
        assert_eq!(report.app.connected_app_id, id, "{shown:?}: the report names what was asked for");
        let ledger = ground.ledger();
        let row = &ledger.revocations[rows..];
        assert_eq!(row.len(), 1, "{shown:?}: {row:?}");
        assert_eq!((row[0].connected_app_id.as_str(), row[0].effect.as_str()), (id.as_str(), "refused"), "{shown:?}");
        assert_eq!(row[0].member_id.as_deref(), Some(pair.member_id.as_str()), "{shown:?}");
    }
    assert_eq!(ground.ledger().grants, before, "nobody lost anything");
}

#[test]
fn odd_ids_in_reads_are_answered_as_unknown() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    for id in odd_ids() {
        let shown: String = id.chars().take(60).collect();
        assert_eq!(app.refusal_kind("member_connected_apps", json!({ "member_id": id })), "member_gone", "{shown:?}");

        // What a confirmation says of an app is read from the app's own view.
        let before = ground.calls();
        let plan: RevokePlan = app.get("revoke_plan", json!({"member_id": pair.member_id, "connected_app_id": id}));
        assert_eq!((plan.app.connected_app_id.as_str(), plan.app.name.as_str()), (id.as_str(), ""), "{shown:?}");
        assert!(plan.scopes.is_none_or(|scopes| scopes.is_empty()), "{shown:?}: nobody granted it anything");
        let calls = ground.ledger().calls.split_off(before);
        let view = calls.first().expect("the app was asked for");
        let segments: Vec<&str> = view.path.split('/').collect();
        assert_eq!((segments.len(), segments[5], view.status), (7, "connected_apps", Some(404)), "{}", view.path);
        for call in &calls {
            assert!(call.path.starts_with("/sdk/v1/b2b/organizations/"), "{shown:?}: {}", call.path);
        }
    }
}

#[test]
fn odd_ids_in_filters_match_nobody_and_are_sent_nowhere() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    app.get::<Value>("inventory_read", json!({}));
    let calls = ground.calls();
    for id in odd_ids() {
        let shown: String = id.chars().take(60).collect();
        for filter in [json!({"apps": [id]}), json!({"members": [id]})] {
            let page: GrantRows = app.get("inventory_grants", json!({"query": {"filter": filter, "count": 10}}));
            assert_eq!((page.rows.len(), page.matching), (0, 0), "{shown:?}");
        }
    }
    assert_eq!(ground.calls(), calls);
}

#[test]
fn a_window_of_any_size_is_answered_with_what_there_is() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    app.get::<Value>("inventory_read", json!({}));
    for (query, rows) in [
        (json!({"offset": 0, "count": 0}), 0),
        (json!({"offset": 15, "count": 10}), 1),
        (json!({"offset": 4_294_967_295_u32, "count": 4_294_967_295_u32}), 0),
        (json!({"offset": 0, "count": 4_294_967_295_u32}), 16),
        (json!({"filter": {"text": "\u{0}"}, "count": 10}), 0),
        (json!({"filter": {"text": "x".repeat(4_096)}, "count": 10}), 0),
        (json!({"filter": {"text": "MAYA lindqvist"}, "count": 10}), 1),
    ] {
        let shown: String = query.to_string().chars().take(80).collect();
        let page: MemberRows = app.get("inventory_members", json!({ "query": query }));
        assert_eq!((page.rows.len(), page.total), (rows, 16), "{shown}");
    }
    for command in ["inventory_apps", "inventory_members", "inventory_grants"] {
        let args = json!({"query": {"filter": {"text": "x".repeat(100_000)}, "count": 10}});
        refused(&app, &ground, command, args, Field::Query, Fault::TooLong);
    }
}

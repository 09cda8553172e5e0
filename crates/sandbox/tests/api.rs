//! Promises of the API side, over real HTTP: what a caller of Stytch's frontend API may rely on, the sandbox keeps.

mod ground;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ground::*;
use sandbox::{Faults, Options, Sandbox};
use serde_json::{Value, json};

#[tokio::test]
async fn the_card_has_exactly_the_keys_others_read_and_its_debug_form_no_token() {
    let ground = ground().await;
    let card = serde_json::to_value(ground.sandbox.card()).unwrap();
    let keys: BTreeSet<&str> = card.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted =
        ["url", "public_token", "bundle_id", "organization_id", "people", "inbox_url", "faults_url", "ledger_url"];
    assert_eq!(keys, BTreeSet::from(wanted));
    let roles: Vec<_> = card["people"].as_array().unwrap().iter().map(|p| p["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["admin", "reader", "member"]);
    let printed = format!("{:?}", ground.sandbox.card());
    for person in &ground.sandbox.card().people {
        assert!(!printed.contains(&person.session_token), "Debug must not print a session token");
        assert_eq!(ground.get(ME, &person.session_token).await.data()["member"]["member_id"], person.member_id);
    }
}

#[tokio::test]
async fn a_code_signs_in_once_and_only_the_newest_counts() {
    let ground = ground().await;
    let email = ground.person("member").email.clone();
    let send = json!({"organization_id": ground.sandbox.card().organization_id, "email_address": email});
    let path = "/sdk/v1/b2b/otps/email/login_or_signup";
    let public = ground.public();
    ground.post(path, &public, send.clone()).await.data();
    let first = ground.newest_code().await;
    ground.post(path, &public, send).await.data();
    let newest = ground.newest_code().await;
    assert_eq!(ground.sandbox.newest_code(&email), Some(newest.clone()));

    let with = |code: &str, minutes: i64| json!({"organization_id": ground.sandbox.card().organization_id, "email_address": email, "code": code, "session_duration_minutes": minutes});
    let path = "/sdk/v1/b2b/otps/email/authenticate";
    if first != newest {
        let stale = ground.post(path, &public, with(&first, 60)).await;
        assert_eq!(stale.refused(), (401, "unable_to_auth_otp_code".into()));
    }
    let too_short = ground.post(path, &public, with(&newest, 4)).await;
    assert_eq!(too_short.refused(), (400, "invalid_session_duration_minutes".into()));
    let signed_in = ground.post(path, &public, with(&newest, 60)).await.data();
    assert_eq!(signed_in["member_authenticated"], true);
    assert_eq!(signed_in["member_session"]["roles"], json!(["stytch_member"]));
    let again = ground.post(path, &public, with(&newest, 60)).await;
    assert_eq!(again.refused(), (404, "otp_code_not_found".into()), "a code is used up");
    let token = signed_in["session_token"].as_str().unwrap();
    assert_eq!(ground.get(ME, token).await.data()["member"]["email_address"], email);
}

#[tokio::test]
async fn discovery_lists_two_organizations_and_an_intermediate_session_is_spent_once() {
    let ground = ground().await;
    let email = ground.person("admin").email.clone();
    let public = ground.public();
    ground.post("/sdk/v1/b2b/otps/email/discovery/send", &public, json!({"email_address": email})).await.data();
    let code = ground.newest_code().await;
    let found = ground
        .post("/sdk/v1/b2b/otps/email/discovery/authenticate", &public, json!({"email_address": email, "code": code}))
        .await
        .data();
    assert_eq!(found["discovered_organizations"].as_array().unwrap().len(), 2);
    let held = found["intermediate_session_token"].clone();
    let second = found["discovered_organizations"][1]["organization"]["organization_id"].clone();
    let listed = ground
        .post("/sdk/v1/b2b/discovery/organizations", &public, json!({"intermediate_session_token": held}))
        .await
        .data();
    assert_eq!(listed["email_address"], email);

    let exchange =
        json!({"intermediate_session_token": held, "organization_id": second, "session_duration_minutes": 60});
    let path = "/sdk/v1/b2b/discovery/intermediate_sessions/exchange";
    let signed_in = ground.post(path, &public, exchange.clone()).await.data();
    assert_eq!(signed_in["organization"]["organization_id"], second);
    let again = ground.post(path, &public, exchange).await;
    assert_eq!(again.refused(), (404, "intermediate_session_not_found".into()));

    let token = signed_in["session_token"].as_str().unwrap();
    let back = json!({"organization_id": ground.sandbox.card().organization_id, "session_duration_minutes": 60});
    let moved = ground.post("/sdk/v1/b2b/sessions/exchange", token, back).await.data();
    assert_eq!(moved["organization"]["organization_id"], ground.sandbox.card().organization_id);
    assert_eq!(
        ground.get(ME, token).await.refused(),
        (401, "unauthorized_credentials".into()),
        "the old session is replaced"
    );
}

#[tokio::test]
async fn a_refresh_with_an_empty_body_does_not_extend_and_a_revoked_session_is_dead() {
    let ground = ground().await;
    let token = ground.token("admin");
    let before = ground.post(AUTHENTICATE, &token, json!({})).await.data();
    let expiry = before["member_session"]["expires_at"].clone();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let same = ground.post(AUTHENTICATE, &token, json!({})).await.data();
    assert_eq!(same["member_session"]["expires_at"], expiry);
    let moved = ground.post(AUTHENTICATE, &token, json!({"session_duration_minutes": 30})).await.data();
    assert_ne!(moved["member_session"]["expires_at"], expiry);

    ground.post("/sdk/v1/b2b/sessions/revoke", &token, json!({})).await.data();
    assert_eq!(ground.post(AUTHENTICATE, &token, json!({})).await.refused(), (404, "session_not_found".into()));
    assert_eq!(ground.get(APPS, &token).await.refused(), (401, "unauthorized_credentials".into()));
    assert_eq!(ground.get(APPS, &ground.public()).await.refused(), (401, "user_unauthenticated".into()));
}

#[tokio::test]
async fn a_revoke_removes_the_grant_from_every_view_and_a_member_can_give_it_again() {
    let ground = ground().await;
    let token = ground.token("admin");
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    let others = ground.members_of(&app).await.len() - 1;
    assert!(ground.granted(&member, &app).await);

    ground.revoke(&member, &app, &token).await.unwrap().data();
    assert!(!ground.members_of(&app).await.contains(&member));
    assert_eq!(ground.members_of(&app).await.len(), others, "nobody else is touched");
    assert!(!ground.apps_of(&member).await.contains(&app));
    assert!(!ground.granted(&member, &app).await);
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("removed"), &json!(true)), "{row}");

    ground.revoke(&member, &app, &token).await.unwrap().data();
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("nothing"), &json!(true)), "{row}");

    let again = json!({"member_id": member, "connected_app_id": app, "scopes": ["openid", "email"]});
    assert_eq!(ground.control("consent", again).await.status, 200);
    let view = ground.get(&apps_path(&member), &token).await.data();
    let rows = view["connected_apps"].as_array().unwrap();
    let row = rows.iter().find(|row| row["connected_app_id"] == json!(app)).unwrap();
    assert_eq!(row["scopes_granted"], "openid email", "one text in the member's view");
    let view = ground.get(&format!("{APPS}/{app}"), &token).await.data();
    let rows = view["active_members"].as_array().unwrap();
    let row = rows.iter().find(|row| row["member_id"] == json!(member)).unwrap();
    assert_eq!(row["granted_scopes"], json!(["openid", "email"]), "a list in the app's view");
}

#[tokio::test]
async fn a_reader_sees_and_cannot_revoke_and_the_ledger_says_refused() {
    let ground = ground().await;
    let token = ground.token("reader");
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    ground.get(&apps_path(&member), &token).await.data();
    let denied = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(denied.refused(), (403, "session_authorization_error".into()));
    assert!(denied.json()["request_id"].as_str().unwrap().starts_with("request-id-test-"));
    assert!(ground.granted(&member, &app).await, "a refused revoke changes nothing");
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("refused"), &json!(false)), "{row}");
    assert_eq!(row["member_id"], json!(member));
}

#[tokio::test]
async fn a_plain_member_sees_and_revokes_their_own_apps_only() {
    let ground = ground().await;
    let me = ground.person("member").clone();
    let own = ground.get(OWN_APPS, &me.session_token).await.data();
    let own = ids(&own["connected_apps"], "connected_app_id");
    assert!(own.len() >= 2, "something to see");
    let app = own.first().unwrap();
    assert_eq!(ground.get(&apps_path(&me.member_id), &me.session_token).await.status, 403);
    assert_eq!(ground.post(SEARCH, &me.session_token, json!({})).await.status, 403);
    let path = format!("{OWN_APPS}/{app}/revoke");
    ground.post(&path, &me.session_token, json!({})).await.data();
    assert!(!ground.granted(&me.member_id, app).await);
    let row = ground.last_revocation().await;
    assert_eq!(row["member_id"], json!(me.member_id), "the self path is in the ledger under the caller: {row}");
}

#[tokio::test]
async fn roles_changed_after_sign_in_hold_from_the_next_call_on() {
    let ground = ground().await;
    let admin = ground.person("admin").clone();
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    let taken = ground.control("roles", json!({"member_id": admin.member_id, "roles": ["app_reader"]})).await;
    assert_eq!(taken.json()["roles"], json!(["stytch_member", "app_reader"]));
    assert_eq!(ground.revoke(&member, &app, &admin.session_token).await.unwrap().status, 403);
    let unknown = ground.control("roles", json!({"member_id": admin.member_id, "roles": ["king"]})).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn search_pages_through_everybody_exactly_once() {
    let ground = ground().await;
    let token = ground.token("admin");
    let mut cursor = Value::Null;
    let mut seen = Vec::new();
    loop {
        let mut body = json!({"limit": 7});
        if !cursor.is_null() {
            body["cursor"] = cursor;
        }
        let page = ground.post(SEARCH, &token, body).await.data();
        assert_eq!(page["results_metadata"]["total"], 40);
        for member in page["members"].as_array().unwrap() {
            assert_ne!(member["status"], "deleted");
            seen.push(member["member_id"].as_str().unwrap().to_owned());
        }
        cursor = page["results_metadata"]["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 40);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 40, "nobody twice");
}

#[tokio::test]
async fn search_filters_and_refuses_what_the_documents_refuse() {
    let ground = ground().await;
    let token = ground.token("admin");
    let member = ground.person("member");
    let operand = |name: &str, value: Value| json!({"query": {"operator": "AND", "operands": [{"filter_name": name, "filter_value": value}]}});
    let total = async |body: Value| ground.post(SEARCH, &token, body).await.data()["results_metadata"]["total"].clone();
    assert_eq!(total(operand("member_ids", json!([member.member_id, "nobody"]))).await, 1);
    assert_eq!(total(operand("member_emails", json!([member.email.to_uppercase()]))).await, 1);
    assert_eq!(total(operand("member_email_fuzzy", json!("watan"))).await, 1);
    assert_eq!(total(operand("statuses", json!(["deleted"]))).await, 1);
    assert!(total(operand("member_roles", json!(["app_reader"]))).await.as_i64().unwrap() >= 1);
    let short = ground.post(SEARCH, &token, operand("member_email_fuzzy", json!("wa"))).await;
    assert_eq!(short.refused(), (400, "member_search_member_email_fuzzy_too_short".into()));
    assert_eq!(ground.post(SEARCH, &token, json!({"limit": 1001})).await.status, 400);
    assert_eq!(ground.post(SEARCH, &token, json!({"cursor": "made up"})).await.status, 400);
}

#[tokio::test]
async fn a_wrong_type_is_refused_in_the_validators_shape() {
    let ground = ground().await;
    let refused = ground.post(AUTHENTICATE, &ground.token("admin"), json!({"session_duration_minutes": "60"})).await;
    assert_eq!(refused.status, 400);
    let issue = &refused.json()["body"][0];
    assert_eq!((&issue["keyword"], &issue["dataPath"]), (&json!("type"), &json!(".session_duration_minutes")));
    assert!(refused.json().get("error_type").is_none());
    let missing = ground.post("/sdk/v1/b2b/otps/email/discovery/send", &ground.public(), json!({})).await;
    assert_eq!(missing.json()["body"][0]["params"]["missingProperty"], "email_address");
}

#[tokio::test]
async fn an_encoded_slash_does_not_split_an_id() {
    let ground = ground().await;
    let token = ground.token("admin");
    for id in ["a%2Fb", "..%2F..%2Fme", "%252f", "x%20y", "%D9%85", &"z".repeat(10_000)] {
        let answer = ground.get(&format!("{APPS}/{id}"), &token).await;
        assert_eq!(answer.refused(), (404, "connected_app_not_found".into()), "{id}");
        let answer = ground.get(&apps_path(id), &token).await;
        assert_eq!(answer.refused(), (404, "member_not_found".into()), "{id}");
    }
    ground.revoke("m%2F1", "a%2Frevoke", &token).await.unwrap();
    let row = ground.last_revocation().await;
    assert_eq!((&row["member_id"], &row["connected_app_id"]), (&json!("m/1"), &json!("a/revoke")));
}

#[tokio::test]
async fn unknown_routes_wrong_verbs_and_the_web_sdks_broken_url_say_so() {
    let ground = ground().await;
    let token = ground.token("admin");
    let broken = format!("/sdk/v1b2b/organizations/members/{}/connected_apps", ground.person("member").member_id);
    assert_eq!(ground.get(&broken, &token).await.refused(), (404, "route_not_found".into()));
    assert_eq!(ground.get("/", &token).await.refused(), (404, "route_not_found".into()));
    assert_eq!(
        ground.get("/_sandbox/guess/ledger", &token).await.status,
        404,
        "the control side cannot be stumbled on"
    );
    assert_eq!(ground.post(APPS, &token, json!({})).await.refused(), (405, "method_not_allowed".into()));
    let url = format!("{}/sdk/v1/events", ground.sandbox.card().url);
    assert_eq!(read(ground.http.post(url).body("[]")).await.unwrap().status, 200, "analytics need no credentials");
}

#[tokio::test]
async fn a_charset_in_the_content_type_is_refused() {
    let ground = ground().await;
    let request = ground
        .request("POST", AUTHENTICATE, &ground.token("admin"))
        .header("content-type", "application/json; charset=utf-8")
        .body("{}");
    assert_eq!(read(request).await.unwrap().status, 400);
}

#[tokio::test]
async fn natives_need_the_bundle_id_and_pages_must_be_of_this_machine() {
    let ground = ground().await;
    let card = ground.sandbox.card();
    let path = format!("{}/sdk/v1/projects/bootstrap/{}", card.url, card.public_token);
    let bare = || ground.http.get(&path).header("authorization", basic(&card.public_token, &card.public_token));
    let status = async |request| read(request).await.unwrap().refused();
    let bad_bundle = (400, "bad_app_bundle_for_stytch_sdk".to_owned());
    let bad_domain = (400, "bad_domain_for_stytch_sdk".to_owned());
    assert_eq!(status(bare()).await, bad_bundle);
    assert_eq!(status(bare().header("x-sdk-client", sdk_client("com.example.other"))).await, bad_bundle);
    assert_eq!(status(bare().header("x-sdk-client", sdk_client(&card.bundle_id))).await.0, 200);
    assert_eq!(status(bare().header("x-sdk-parent-host", "http://localhost:3000")).await.0, 200);
    assert_eq!(status(bare().header("origin", "http://127.0.0.1:9")).await.0, 200);
    assert_eq!(status(bare().header("x-sdk-parent-host", "https://evil.example")).await, bad_domain);
    let forged = bare().header("x-sdk-parent-host", "http://localhost").header("origin", "https://evil.example");
    assert_eq!(status(forged).await, bad_domain, "a page cannot forge its Origin");
}

#[tokio::test]
async fn a_local_page_passes_the_preflight_and_a_remote_one_does_not() {
    let ground = ground().await;
    let preflight = |origin: &str| {
        ground
            .http
            .request(reqwest::Method::OPTIONS, format!("{}{APPS}", ground.sandbox.card().url))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization,x-sdk-client,x-sdk-parent-host")
    };
    let local = read(preflight("http://localhost:3000")).await.unwrap();
    assert_eq!(local.status, 204);
    assert_eq!(local.headers["access-control-allow-origin"], "http://localhost:3000");
    assert!(local.headers["access-control-allow-headers"].to_str().unwrap().contains("x-sdk-parent-host"));
    let remote = read(preflight("https://evil.example")).await.unwrap();
    assert!(!remote.headers.contains_key("access-control-allow-origin"));
    assert_eq!(ground.ledger().await["calls"], json!([]), "a preflight is no call");
}

#[tokio::test]
async fn a_member_of_another_organization_is_out_of_reach() {
    let ground = ground().await;
    let token = ground.token("admin");
    let listed = ground.post("/sdk/v1/b2b/discovery/organizations", &token, json!({})).await.data();
    let theirs =
        listed["discovered_organizations"][1]["membership"]["member"]["member_id"].as_str().unwrap().to_owned();
    let app = ground.app().await;
    assert_eq!(
        ground.revoke(&theirs, &app, &token).await.unwrap().refused(),
        (403, "session_authorization_tenancy_error".into())
    );
    assert_eq!(ground.get(&apps_path("nobody"), &token).await.refused(), (404, "member_not_found".into()));
}

#[tokio::test]
async fn a_forbidden_app_leaves_every_view_and_its_grants_are_back_when_allowed_again() {
    let ground = faulty(Faults { policy_hides: Some(true), ..Faults::default() }).await;
    let token = ground.token("admin");
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    let set = ground.control("policy", json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"})).await;
    assert_eq!(set.status, 200);
    assert_eq!(ground.get(&format!("{APPS}/{app}"), &token).await.refused(), (404, "connected_app_not_found".into()));
    assert!(!ids(&ground.get(APPS, &token).await.data()["connected_apps"], "connected_app_id").contains(&app));
    assert!(!ground.apps_of(&member).await.contains(&app));
    assert!(ground.granted(&member, &app).await, "hidden, not gone");
    let again = json!({"member_id": member, "connected_app_id": app, "scopes": []});
    assert_eq!(ground.control("consent", again).await.status, 400, "nobody can consent to a forbidden app");
    let own = ground.get("/sdk/v1/b2b/organizations/me", &token).await.data();
    assert_eq!(own["organization"]["third_party_connected_apps_allowed_type"], "NOT_ALLOWED");
    ground
        .control("policy", json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [app]}))
        .await;
    assert!(ground.members_of(&app).await.contains(&member));
}

#[tokio::test]
async fn a_deleted_member_is_gone_with_their_grants_and_sessions() {
    let ground = ground().await;
    let token = ground.token("admin");
    let member = ground.person("member").clone();
    let app = ground.apps_of(&member.member_id).await.first().unwrap().clone();
    assert_eq!(ground.control("delete_member", json!({"member_id": member.member_id})).await.status, 200);
    assert_eq!(
        ground.revoke(&member.member_id, &app, &token).await.unwrap().refused(),
        (404, "member_not_found".into())
    );
    assert!(!ground.members_of(&app).await.contains(&member.member_id));
    assert_eq!(ground.get(ME, &member.session_token).await.status, 401);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_world_and_never_the_same_tokens() {
    let one = ground().await;
    let two = ground().await;
    let other = ground_with(Options { seed: 2, ..Options::default() }).await;
    assert_eq!(one.ledger().await["grants"], two.ledger().await["grants"]);
    assert_ne!(one.ledger().await["grants"], other.ledger().await["grants"]);
    assert_eq!(one.public(), two.public());
    assert_ne!(one.token("admin"), two.token("admin"));
    let grants = one.ledger().await["grants"].as_array().unwrap().len();
    assert!(grants >= 2 * 40, "several grants a member on average: {grants} for 40");
}

#[tokio::test]
async fn the_seed_holds_hostile_names_look_alikes_and_all_client_types() {
    let ground = ground().await;
    let list = ground.get(APPS, &ground.token("admin")).await.data();
    let rows = list["connected_apps"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"<img src=x onerror=alert(1)>"));
    assert!(names.iter().any(|name| name.contains('\u{202E}')));
    assert!(names.iter().any(|name| name.contains('\u{200B}')));
    assert!(names.iter().any(|name| name.chars().count() == 10_000));
    assert_eq!(names.iter().filter(|name| **name == "Claude").count(), 2, "two clients of one name");
    assert!(names.contains(&"Cl\u{0430}ude"));
    let types: BTreeSet<&str> = rows.iter().map(|row| row["client_type"].as_str().unwrap()).collect();
    assert_eq!(types, BTreeSet::from(["first_party", "first_party_public", "third_party", "third_party_public"]));
}

#[tokio::test]
async fn ten_thousand_members_and_a_hundred_apps_start_and_answer_fast() {
    let started = Instant::now();
    let ground = ground_with(Options { members: 10_000, apps: 100, ..Options::default() }).await;
    assert!(started.elapsed() < Duration::from_secs(4), "started after {:?}, unoptimized", started.elapsed());
    let token = ground.token("admin");
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    let started = Instant::now();
    for _ in 0..50 {
        ground.get(&apps_path(&member), &token).await.data();
        ground.revoke(&member, &app, &token).await.unwrap().data();
    }
    assert!(started.elapsed() < Duration::from_secs(2), "100 small calls took {:?}", started.elapsed());
    assert_eq!(ground.get(APPS, &token).await.data()["connected_apps"].as_array().unwrap().len(), 100);
    assert!(ground.members_of(&app).await.len() > 5_000);
}

#[tokio::test]
async fn a_stopped_sandbox_ends_open_connections_and_frees_its_port() {
    let ground = ground().await;
    ground.get(APPS, &ground.token("admin")).await.data();
    let url = ground.sandbox.card().url.clone();
    ground.sandbox.stop().await;
    assert!(ground.http.get(&url).send().await.is_err(), "a kept-alive connection does not outlive the sandbox");
    let port: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
    let again = Sandbox::start(Options { port: Some(port), ..Options::default() }).await.expect("the port is free");
    assert_eq!(again.card().url, url);
}

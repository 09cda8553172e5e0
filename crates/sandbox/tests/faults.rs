//! Promises of the faults, over real HTTP: each does what its name says, to the calls it is aimed at, and the ledger knows the truth of it.

mod ground;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ground::*;
use sandbox::{BadRow, Faults};
use serde_json::{Value, json};

/// A sandbox with the pair that a test revokes.
async fn pair() -> (Ground, String, String, String) {
    let ground = ground().await;
    let app = ground.app().await;
    let member = ground.somebody_of(&app).await;
    let token = ground.token("admin");
    (ground, app, member, token)
}

async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Sends a revoke over a bare socket and tells how the connection ended: what came, and the error if it was no clean close.
async fn revoke_over_a_socket(ground: &Ground, member: &str, app: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let card = ground.sandbox.card();
    let host = card.url.strip_prefix("http://").unwrap().to_owned();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\nX-SDK-Client: {}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
        revoke_path(member, app),
        basic(&card.public_token, &ground.token("admin")),
        sdk_client(&card.bundle_id),
    );
    // On a thread of its own: the sandbox runs on this one.
    let socket = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(host).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut came = Vec::new();
        let error = socket.read_to_end(&mut came).err();
        (came, error.map(|error| error.kind()))
    });
    socket.await.unwrap()
}

#[tokio::test]
async fn settings_are_answered_kept_cleared_and_checked() {
    let ground = ground().await;
    assert!(ground.faults(json!({})).await["latency_ms"].is_null());
    assert_eq!(ground.faults(json!({"latency_ms": 5, "views_disagree": true})).await["latency_ms"], 5);
    let now = ground.faults(json!({"latency_ms": null})).await;
    assert_eq!((&now["latency_ms"], &now["views_disagree"]), (&Value::Null, &json!(true)));
    assert_eq!(ground.control("faults", json!({"latency": 5})).await.status, 400);
    assert_eq!(ground.control("faults", json!({"server_error_share": 2})).await.status, 400);
    let scoped = ground.faults(json!({"bad_row": true, "on": "/connected_apps"})).await;
    assert_eq!((&scoped["bad_row"], &scoped["on"]["bad_row"]), (&json!("lone_surrogate"), &json!("/connected_apps")));
}

#[tokio::test]
async fn the_control_side_suffers_no_fault_and_is_in_no_ledger() {
    let ground = faulty(Faults { server_error_share: Some(1.0), rate_limit_after: Some(0), ..Faults::default() }).await;
    assert_eq!(ground.ledger().await["calls"], json!([]));
    assert_eq!(
        ground.faults(json!({"server_error_share": null, "rate_limit_after": null})).await["server_error_share"],
        Value::Null
    );
    assert_eq!(ground.get(ME, &ground.token("admin")).await.status, 200);
    let calls = ground.ledger().await["calls"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!((&calls[0]["method"], &calls[0]["path"], &calls[0]["status"]), (&json!("GET"), &json!(ME), &json!(200)));
}

#[tokio::test]
async fn latency_is_spent_before_the_commit() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"latency_ms": 300, "on": "/revoke"})).await;
    let started = Instant::now();
    let (answer, granted_meanwhile) = tokio::join!(ground.revoke(&member, &app, &token), async {
        sleep_ms(100).await;
        ground.granted(&member, &app).await
    });
    assert_eq!(answer.unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(granted_meanwhile, "nothing is committed while the latency runs");
    let started = Instant::now();
    ground.get(ME, &token).await.data();
    assert!(started.elapsed() < Duration::from_millis(250), "`on` aims at the revoke alone");
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_undo_the_revoke() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"latency_ms": 400, "on": "/revoke"})).await;
    let request = ground
        .request("POST", &revoke_path(&member, &app), &token)
        .header("content-type", "application/json")
        .body("{}");
    assert!(request.timeout(Duration::from_millis(100)).send().await.is_err());
    assert!(ground.granted(&member, &app).await);
    sleep_ms(600).await;
    assert!(!ground.granted(&member, &app).await);
    let row = ground.last_revocation().await;
    assert_eq!(
        (&row["effect"], &row["answered"]),
        (&json!("removed"), &json!(false)),
        "nobody was there to be answered"
    );
}

#[tokio::test]
async fn a_rate_limit_lets_its_quota_through_each_window() {
    let ground = ground().await;
    let token = ground.token("admin");
    ground.faults(json!({"rate_limit_after": 3, "rate_window_s": 3600, "retry_after_s": 7})).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(ground.get(ME, &token).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let refused = ground.get(ME, &token).await;
    assert_eq!(refused.refused(), (429, "too_many_requests".into()));
    assert_eq!(refused.headers["retry-after"], "7");
    ground.faults(json!({"retry_after_s": null})).await;
    let refused = ground.get(ME, &token).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.headers.contains_key("retry-after"));
    assert_eq!(ground.ledger().await["calls"].as_array().unwrap().len(), 7, "refused calls are counted too");
    ground.faults(json!({"rate_limit_after": 1, "rate_window_s": 1})).await;
    // From the start of a window, so that the two calls lie in one.
    let into = jiff_millis() % 1000;
    sleep_ms(1000 - into + 5).await;
    assert_eq!(ground.get(ME, &token).await.status, 200);
    assert_eq!(ground.get(ME, &token).await.status, 429);
    sleep_ms(1005).await;
    assert_eq!(ground.get(ME, &token).await.status, 200, "the next window has a quota of its own");
}

fn jiff_millis() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

#[tokio::test]
async fn a_server_error_commits_nothing() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"server_error_share": 1})).await;
    let refused = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(refused.refused(), (500, "internal_server_error".into()));
    assert!(ground.granted(&member, &app).await);
    assert_eq!(ground.last_revocation().await["effect"], "refused");
}

#[tokio::test]
async fn shares_are_drawn_alike_from_the_same_fault_seed() {
    let row = async |seed: u64| {
        let ground = ground().await;
        ground.faults(json!({"server_error_share": 0.5, "fault_seed": seed})).await;
        let mut row = Vec::new();
        for _ in 0..24 {
            row.push(ground.get(ME, &ground.token("admin")).await.status);
        }
        row
    };
    assert_eq!(row(3).await, row(3).await);
    assert_ne!(row(3).await, row(4).await);
}

#[tokio::test]
async fn a_reset_before_the_commit_is_a_real_one_and_leaves_the_grant() {
    let (ground, app, member, _) = pair().await;
    ground.faults(json!({"reset_before_commit_share": 1})).await;
    let (came, error) = revoke_over_a_socket(&ground, &member, &app).await;
    assert_eq!((came.len(), error), (0, Some(ErrorKind::ConnectionReset)));
    assert!(ground.granted(&member, &app).await);
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("nothing"), &json!(false)));
    assert!(ground.ledger().await["calls"].as_array().unwrap().last().unwrap()["status"].is_null());
}

#[tokio::test]
async fn a_reset_after_the_commit_takes_the_grant_and_the_answer() {
    let (ground, app, member, _) = pair().await;
    ground.faults(json!({"reset_after_commit_share": 1})).await;
    let (came, error) = revoke_over_a_socket(&ground, &member, &app).await;
    assert_eq!((came.len(), error), (0, Some(ErrorKind::ConnectionReset)));
    assert!(!ground.granted(&member, &app).await);
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("removed"), &json!(false)));
}

#[tokio::test]
async fn a_late_commit_lands_after_the_connection_died() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"late_commit_ms": 400})).await;
    assert!(ground.revoke(&member, &app, &token).await.is_err(), "every revoke's connection dies");
    assert!(ground.members_of(&app).await.contains(&member), "not yet committed, and reads are answered");
    sleep_ms(700).await;
    assert!(!ground.members_of(&app).await.contains(&member), "committed with nobody asking");
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("removed"), &json!(false)));

    ground.faults(json!({"reset_before_commit_share": 0})).await;
    assert_eq!(
        ground.revoke(&member, &app, &token).await.unwrap().status,
        200,
        "a share decides which connections die"
    );
}

#[tokio::test]
async fn silence_says_nothing_for_its_time_and_then_closes() {
    let (ground, app, member, _) = pair().await;
    ground.faults(json!({"silence_s": 0.4, "on": "/revoke"})).await;
    let started = Instant::now();
    let (came, error) = revoke_over_a_socket(&ground, &member, &app).await;
    assert_eq!((came.len(), error), (0, None), "a close, no reset");
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert!(ground.granted(&member, &app).await);
    // Shorter than the silence, so that a commit that did not wait for its end would show; long enough to look in between.
    ground.faults(json!({"silence_s": 1.2, "late_commit_ms": 1000})).await;
    revoke_over_a_socket(&ground, &member, &app).await;
    assert!(ground.granted(&member, &app).await, "the commit waits for the connection to die first");
    sleep_ms(1600).await;
    assert!(!ground.granted(&member, &app).await, "with a late commit the silent server did hear it");
}

#[tokio::test]
async fn spoilt_bodies_are_spoilt_as_named_and_count_as_unanswered() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"body": "truncated"})).await;
    let answer = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<Value>(&answer.text).is_err() && answer.text.starts_with('{'), "{}", answer.text);
    assert!(!ground.granted(&member, &app).await, "the commit happened all the same");
    assert_eq!(ground.last_revocation().await["answered"], false);
    ground.faults(json!({"body": "html"})).await;
    let answer = ground.get(ME, &token).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.text.starts_with("<!doctype html>"));
    ground.faults(json!({"body": "wrong_envelope"})).await;
    let answer = ground.get(ME, &token).await.json();
    assert!(answer.get("data").is_none());
    assert!(answer["result"]["member"].is_object());
}

#[tokio::test]
async fn errors_as_text_are_json_under_another_name() {
    let ground = ground().await;
    ground.faults(json!({"errors_as_text": true})).await;
    let refused = ground.get(&format!("{APPS}/nothing"), &ground.token("admin")).await;
    assert!(refused.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(refused.refused(), (404, "connected_app_not_found".into()));
    let fine = ground.get(ME, &ground.token("admin")).await;
    assert_eq!(fine.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_redirect_points_where_it_was_told_and_carries_nothing_out() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"redirect_to": "http://127.0.0.1:9/elsewhere"})).await;
    let answer = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(answer.headers["location"], "http://127.0.0.1:9/elsewhere");
    assert!(ground.granted(&member, &app).await);
}

#[tokio::test]
async fn a_session_dies_after_its_calls_and_no_other_with_it() {
    let ground = ground().await;
    let token = ground.token("admin");
    ground.get(ME, &token).await.data();
    ground.faults(json!({"session_dies_after": 2})).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ground.get(ME, &token).await.status);
    }
    assert_eq!(statuses, [200, 200, 401, 401], "counted from when it was set");
    assert_eq!(ground.post(AUTHENTICATE, &token, json!({})).await.refused(), (404, "session_not_found".into()));
    assert_eq!(ground.get(ME, &ground.token("reader")).await.status, 200);
    ground.faults(json!({"session_dies_after": null})).await;
    assert_eq!(ground.get(ME, &token).await.status, 401, "dead stays dead");
}

#[tokio::test]
async fn a_role_is_lost_after_its_calls_and_back_when_cleared() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"role_lost_after": 1})).await;
    ground.get(&apps_path(&member), &token).await.data();
    assert_eq!(
        ground.revoke(&member, &app, &token).await.unwrap().refused(),
        (403, "session_authorization_error".into())
    );
    let seen = ground.post(AUTHENTICATE, &token, json!({})).await.data();
    assert_eq!(seen["member_session"]["roles"], json!(["stytch_member"]));
    ground.faults(json!({"role_lost_after": null})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
}

#[tokio::test]
async fn an_unregistered_app_and_a_switched_off_endpoint_are_refused_in_stytchs_words() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"bundle_id_refused": true})).await;
    let refused = ground.get(APPS, &token).await;
    assert_eq!(refused.refused(), (400, "bad_app_bundle_for_stytch_sdk".into()));
    assert!(
        refused.json()["error_message"].as_str().unwrap().contains("https://stytch.com/dashboard/sdk-configuration")
    );
    ground.faults(json!({"bundle_id_refused": null, "sdk_endpoint_off": true})).await;
    let refused = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(refused.refused(), (401, "endpoint_not_authorized_for_sdk".into()));
    assert_eq!(ground.get(APPS, &token).await.status, 200, "no permission is checked here");
    ground.faults(json!({"sdk_endpoint_off": true, "on": "/otps/"})).await;
    assert_eq!(ground.revoke(&member, &app, &token).await.unwrap().status, 200);
    let refused = ground
        .post("/sdk/v1/b2b/otps/email/discovery/send", &ground.public(), json!({"email_address": "a@b.test"}))
        .await;
    assert_eq!(refused.refused(), (401, "endpoint_not_authorized_for_sdk".into()));
}

#[tokio::test]
async fn a_second_revoke_is_404_when_told_so() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"second_revoke_404": true})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    let second = ground.revoke(&member, &app, &token).await.unwrap();
    assert_eq!(second.refused(), (404, "connected_app_not_found".into()));
    let row = ground.last_revocation().await;
    assert_eq!((&row["effect"], &row["answered"]), (&json!("nothing"), &json!(false)));
}

#[tokio::test]
async fn lagging_reads_answer_the_past_in_both_views() {
    let (ground, app, member, token) = pair().await;
    ground.faults(json!({"read_lag_ms": 500})).await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    assert!(ground.members_of(&app).await.contains(&member));
    assert!(ground.apps_of(&member).await.contains(&app));
    assert!(!ground.granted(&member, &app).await, "the ledger does not lag");
    sleep_ms(700).await;
    assert!(!ground.members_of(&app).await.contains(&member));
    assert!(!ground.apps_of(&member).await.contains(&app));
}

#[tokio::test]
async fn a_consent_that_is_given_anew_lacks_in_no_list_that_lags() {
    let (ground, app, member, _) = pair().await;
    let again = json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]});
    assert_eq!(ground.control("consent", again).await.status, 200);
    ground.faults(json!({"read_lag_ms": 60_000})).await;
    assert!(ground.members_of(&app).await.contains(&member) && ground.apps_of(&member).await.contains(&app));
}

#[tokio::test]
async fn disagreeing_views_differ_by_turns_about_what_was_revoked() {
    let (ground, app, member, token) = pair().await;
    ground.revoke(&member, &app, &token).await.unwrap().data();
    let next = ground.somebody_of(&app).await;
    ground.revoke(&next, &app, &token).await.unwrap().data();
    ground.faults(json!({"views_disagree": true})).await;
    assert!(!ground.members_of(&app).await.contains(&member));
    assert!(ground.apps_of(&member).await.contains(&app));
    assert!(ground.members_of(&app).await.contains(&next));
    assert!(!ground.apps_of(&next).await.contains(&app));
}

#[tokio::test]
async fn an_empty_app_is_404_only_when_told_so() {
    let (ground, app, _, token) = pair().await;
    for member in ground.members_of(&app).await {
        ground.revoke(&member, &app, &token).await.unwrap().data();
    }
    let path = format!("{APPS}/{app}");
    assert_eq!(ground.get(&path, &token).await.data()["active_members"], json!([]));
    let list = ground.get(APPS, &token).await.data();
    assert!(
        !ids(&list["connected_apps"], "connected_app_id").contains(&app),
        "an app leaves the list with its last grant"
    );
    ground.faults(json!({"app_404_when_empty": true})).await;
    assert_eq!(ground.get(&path, &token).await.refused(), (404, "connected_app_not_found".into()));
}

#[tokio::test]
async fn a_deleted_member_goes_on_being_listed_by_the_app_when_told_so() {
    let (ground, app, _, token) = pair().await;
    let before = ground.members_of(&app).await;
    ground.faults(json!({"deleted_member_listed": true})).await;
    let ghosts: Vec<String> = ground.members_of(&app).await.difference(&before).cloned().collect();
    assert_eq!(ghosts.len(), 1, "the seed has a deleted member with this app");
    assert_eq!(ground.revoke(&ghosts[0], &app, &token).await.unwrap().refused(), (404, "member_not_found".into()));
    let search =
        json!({"query": {"operator": "AND", "operands": [{"filter_name": "member_ids", "filter_value": ghosts}]}});
    assert_eq!(
        ground.post(SEARCH, &token, search).await.data()["results_metadata"]["total"],
        0,
        "and search does not know them"
    );
}

#[tokio::test]
async fn one_bad_row_is_bad_as_named_and_the_others_are_whole() {
    let ground = faulty(Faults { bad_row: Some(BadRow::WrongType), ..Faults::default() }).await;
    let token = ground.token("admin");
    let rows = ground.get(APPS, &token).await.data();
    let rows = rows["connected_apps"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| !row["name"].is_string()).count(), 1);
    let app = rows[0]["connected_app_id"].as_str().unwrap();
    let view = ground.get(&format!("{APPS}/{app}"), &token).await.data();
    let bad = view["active_members"].as_array().unwrap().iter().filter(|row| !row["granted_scopes"].is_array()).count();
    assert_eq!(bad, 1);
    ground.faults(json!({"bad_row": "lone_surrogate"})).await;
    for answer in [
        ground.get(APPS, &token).await,
        ground.get(&format!("{APPS}/{app}"), &token).await,
        ground.post(SEARCH, &token, json!({})).await,
    ] {
        assert_eq!(answer.text.matches("\\ud800").count(), 1);
        assert!(serde_json::from_str::<Value>(&answer.text).is_err(), "a strict reader stumbles over it");
        assert!(serde_json::from_str::<Value>(&answer.text.replace("\\ud800", "")).is_ok(), "and over nothing else");
    }
}

//! What a session is bound to, and what one path leads to: one connection, one organization, oneself by one's own endpoint.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::inventory::{InventoryStatus, NamesReading};
use contract::revoke::{Outcome, RevokePlan, RevokeReport};
use contract::session::SessionStatus;
use journal::Journal;
use promises::ipc::{App, Ground, Pair};
use serde_json::{Value, json};

use crate::inventory::{grant_rows, has, read};

/// A loopback port that counts who knocks, and answers nobody.
fn trap() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let knocks = Arc::new(AtomicUsize::new(0));
    let counted = knocks.clone();
    // Ends with the process: it holds nothing but a port.
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, knocks)
}

#[test]
fn a_session_is_used_with_its_own_connection_only() {
    let (acme, other, app) = (Ground::default(), Ground::sized(2, 16), App::open());
    let (at_acme, at_other) = (app.connect(&acme), app.connect(&other));
    assert_ne!(at_acme.id, at_other.id);
    app.sign_in(&acme, &at_acme, "admin");
    let pair = acme.pair();
    let status: InventoryStatus = app.get("inventory_read", json!({}));
    assert!(status.picture.is_some_and(|facts| facts.organization_id == acme.card().organization_id && facts.complete));
    let report = app.revoke(&pair);
    assert_eq!(report.outcome, Outcome::Revoked);
    assert_eq!(other.calls(), 0, "nothing of the session reaches another place");

    // Signing in elsewhere moves the seat there, whole.
    let session = app.sign_in(&other, &at_other, "admin");
    assert_eq!(session.connection.id, at_other.id);
    let calls = acme.calls();
    let there = other.pair();
    assert_eq!(app.revoke(&there).outcome, Outcome::Revoked);
    let strange = app.revoke(&Pair { member_id: pair.member_id.clone(), ..there });
    assert_eq!(strange.outcome, Outcome::MemberGone, "a member of the first place is nobody here");
    assert_eq!(
        app.refusal_kind("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false})),
        "plan_changed"
    );
    assert_eq!(acme.calls(), calls, "and the first place hears nothing more");
    assert_eq!(acme.ledger().effects(), [("removed", true)]);
}

#[test]
fn a_plan_of_one_place_or_pair_is_no_plan_for_another() {
    let (acme, other, app) = (Ground::default(), Ground::sized(2, 16), App::open());
    let (at_acme, at_other) = (app.connect(&acme), app.connect(&other));
    app.sign_in(&acme, &at_acme, "admin");
    let pair = acme.pair();
    let plan: RevokePlan = app.get("revoke_plan", pair.args());
    let second = acme.pair_where(|grant, _, _| grant.member_id != pair.member_id);
    for (args, hash) in [
        (second.args(), plan.plan_hash.clone()),
        (pair.args(), "0".repeat(64)),
        (pair.args(), String::new()),
        (pair.args(), plan.plan_hash.to_uppercase()),
    ] {
        let mut args = args;
        args["plan_hash"] = json!(hash);
        let (calls, files) = (acme.calls(), app.stored());
        assert_eq!(app.refusal_kind("revoke_connected_app", args), "plan_changed", "{hash}");
        assert_eq!(acme.calls(), calls, "nothing is sent");
        assert!(app.stored() == files, "nothing is recorded");
    }
    app.sign_in(&other, &at_other, "admin");
    let mut args = pair.args();
    args["plan_hash"] = json!(plan.plan_hash);
    assert_eq!(app.refusal_kind("revoke_connected_app", args), "plan_changed", "the same pair at another place");
    assert_eq!((acme.ledger().revocations.len(), other.ledger().revocations.len()), (0, 0));
}

#[test]
fn a_connection_in_use_cannot_be_removed_and_one_that_is_removed_is_forgotten() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    assert_eq!(app.refusal_kind("connection_remove", json!({"connection_id": connection.id})), "out_of_order");
    let app = app.reopen();
    app.get::<Value>("connection_remove", json!({"connection_id": connection.id}));
    let calls = ground.calls();
    let app = app.reopen();
    assert!(matches!(app.get("session_restore", json!({})), SessionStatus::SignedOut { .. }));
    assert_eq!(ground.calls(), calls, "its session went with it");
}

#[test]
fn a_saved_connection_edited_behind_our_back_gets_no_session() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let (elsewhere, knocks) = trap();
    {
        let journal = Journal::open(app.state_dir()).expect("the journal");
        let mut saved = journal.connections().expect("connections").into_iter().next().expect("one");
        saved.base_url = elsewhere;
        journal.save_connection(&saved).expect("the edit");
    }
    let app = app.reopen();
    let status: SessionStatus = app.get("session_restore", json!({}));
    assert!(matches!(status, SessionStatus::SignedOut { .. }), "{status:?}");
    let args = json!({"connection_id": connection.id, "email": "nora@acme.test"});
    assert_eq!(app.refusal_kind("sign_in_send_code", args), "bad_input");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(knocks.load(Ordering::SeqCst), 0, "the other host never heard of us");
}

#[test]
fn a_redirect_is_followed_nowhere() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    let (elsewhere, knocks) = trap();
    ground.fault(json!({"redirect_to": format!("{elsewhere}/sdk/v1/b2b/organizations/connected_apps")}));
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "redirected");
    assert_eq!(app.revoke(&pair).outcome, Outcome::Unknown);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(knocks.load(Ordering::SeqCst), 0);
    assert!(ground.ledger().grants_to(&pair));
}

#[test]
fn oneself_goes_by_ones_own_endpoint() {
    for role in ["member", "admin"] {
        let (ground, app) = (Ground::default(), App::open());
        let connection = app.connect(&ground);
        app.sign_in(&ground, &connection, role);
        let own = ground.person(role).member_id.clone();
        let pair = ground.pair_where(|grant, _, of_member| grant.member_id == own && of_member >= 2);
        let plan: RevokePlan = app.get("revoke_plan", pair.args());
        assert!(plan.member.yourself && plan.denied.is_none(), "{plan:?}");
        let calls = ground.calls();
        let report = app.revoke(&pair);
        assert_eq!(report.outcome, Outcome::Revoked, "{role}");
        assert!(report.member.yourself);
        let ledger = ground.ledger();
        assert!(!ledger.grants_to(&pair));
        let paths: Vec<&str> = ledger.calls[calls..].iter().map(|call| call.path.as_str()).collect();
        let revoke = format!("/sdk/v1/b2b/organizations/members/connected_apps/{}/revoke", pair.connected_app_id);
        assert_eq!(
            paths.iter().filter(|path| path.ends_with("/revoke")).copied().collect::<Vec<_>>(),
            [revoke.as_str()]
        );
        assert!(
            paths.contains(&"/sdk/v1/b2b/organizations/members/connected_apps"),
            "one's own list proves it: {paths:?}"
        );
    }
}

#[test]
fn denied_in_advance_sends_nothing_and_says_what_is_missing() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "reader");
    let pair = ground.pair();
    let plan: RevokePlan = app.get("revoke_plan", pair.args());
    let in_advance = plan.denied.expect("said beside the disabled button");
    let (calls, files) = (ground.calls(), app.stored());
    let refusal = app.refusal("revoke_connected_app", pair.args());
    let contract::refusal::Refusal::NotAllowed(denial) = refusal else { panic!("{refusal:?}") };
    assert_eq!(denial, in_advance);
    assert_eq!(
        (denial.action.as_deref(), denial.resource.as_deref()),
        (Some("revoke.connected-app"), Some("stytch.member"))
    );
    assert_eq!(denial.your_roles, ["stytch_member", "app_reader"]);
    assert_eq!(denial.roles_that_hold_it, ["stytch_admin", "security_responder"]);
    assert_eq!((denial.request_id, denial.asked), (None, false));
    assert!(denial.policy_read_at.is_some());
    assert_eq!(ground.calls(), calls, "not one call");
    assert!(app.stored() == files, "and no row");
}

#[test]
fn asked_anyway_the_server_s_denial_is_the_outcome_with_its_facts() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "reader");
    let pair = ground.pair();
    let report: RevokeReport = app.get("revoke_connected_app", pair.anyway());
    assert_eq!(report.outcome, Outcome::Denied);
    let denial = report.denial.expect("a denial");
    assert_eq!(
        (denial.action.as_deref(), denial.resource.as_deref()),
        (Some("revoke.connected-app"), Some("stytch.member"))
    );
    assert_eq!(denial.your_roles, ["stytch_member", "app_reader"]);
    assert_eq!(denial.roles_that_hold_it, ["stytch_admin", "security_responder"]);
    assert!(denial.asked && denial.request_id.is_some());
    assert_eq!(ground.ledger().effects(), [("refused", false)]);
    assert!(ground.ledger().grants_to(&pair));
}

#[test]
fn a_role_given_meanwhile_is_found_by_reading_the_policy_again() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "reader");
    let pair = ground.pair();
    ground.switch().roles(&ground.person("reader").member_id, &["security_responder"]);
    assert_eq!(app.refusal_kind("revoke_connected_app", pair.args()), "not_allowed", "not known yet");
    let session: contract::session::Session = app.get("policy_read_again", json!({}));
    assert_eq!(session.may.revoke_member_app.allowed, Some(true));
    assert_eq!(app.revoke(&pair).outcome, Outcome::Revoked);
}

#[test]
fn a_plain_member_is_told_what_the_lists_of_others_need() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    let session = app.sign_in(&ground, &connection, "member");
    let own = ground.person("member").member_id.clone();
    let grants: Value = app.get("member_connected_apps", json!({ "member_id": own }));
    let mine = ground.ledger().grants.iter().filter(|grant| grant.member_id == own).count();
    assert_eq!(grants["grants"].as_array().map(Vec::len), Some(mine), "one's own are there");
    let pair = ground.pair();
    let refusal = app.refusal("member_connected_apps", json!({"member_id": pair.member_id}));
    let contract::refusal::Refusal::NotAllowed(denial) = refusal else { panic!("{refusal:?}") };
    assert_eq!((denial.action.as_deref(), denial.asked), (Some("get.connected-apps"), true));
    assert!(denial.roles_that_hold_it.contains(&"stytch_admin".to_owned()));
    assert!(denial.request_id.is_some());

    // Names are not asked for in vain: what they need is known in advance, and the picture says that they are missing.
    let names = session.may.search_members;
    assert_eq!(
        (names.allowed, names.action.as_str(), names.resource.as_str()),
        (Some(false), "search", "stytch.member")
    );
    assert!(names.roles_that_hold_it.contains(&"stytch_admin".to_owned()));
    let facts = read(&app);
    assert_eq!((facts.names, facts.complete), (NamesReading::Denied, false));
    assert!(has(&facts, "names", "denied"), "{:?}", facts.missing);
    let rows = grant_rows(&app, json!({"apps": [pair.connected_app_id]}));
    let of_app = ground.ledger().grants.iter().filter(|row| row.connected_app_id == pair.connected_app_id).count();
    assert_eq!(rows.len(), of_app, "every grant of an app is there");
    let nameless = rows.iter().all(|row| row.member.member_id == own || row.member.name.is_none());
    assert!(nameless, "members are shown by id: {rows:?}");
}

#[test]
fn a_sweep_that_another_process_runs_is_left_to_it() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    ground.fault(json!({"reset_before_commit_share": 1.0, "on": "/revoke"}));
    let report = app.revoke(&pair);
    assert_eq!(report.outcome, Outcome::Unknown);
    let journal = Journal::open(app.state_dir()).expect("the journal, a second time");
    let lock = journal.take_running_lock(report.sweep_id.parse().expect("an id")).expect("the lock");
    let calls = ground.calls();
    assert_eq!(app.refusal_kind("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": true})), "busy");
    assert_eq!(app.refusal_kind("revoke_connected_app", pair.args()), "busy");
    assert_eq!(ground.calls(), calls, "two processes never revoke the same grant");
    drop(lock);
    ground.fault(json!({"reset_before_commit_share": null}));
    let report: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": true}));
    assert_eq!(report.outcome, Outcome::Revoked);
    assert!(!ground.ledger().grants_to(&pair));
}

#[test]
fn a_session_of_one_organization_cuts_off_nobody_of_another() {
    let (ground, app) = (Ground::default(), App::open());
    let robotics = app.connect(&ground);
    app.sign_in(&ground, &robotics, "admin");
    let pair = ground.pair();
    let plan: RevokePlan = app.get("revoke_plan", pair.args());
    ground.fault(json!({"reset_before_commit_share": 1.0, "on": "/revoke"}));
    let open = app.revoke(&pair);
    ground.fault(json!({"reset_before_commit_share": null}));
    assert!(open.unsettled);

    // The same person, at the same place, in another organization.
    let trials = app.connect_at(&ground, &ground.card().url, Some("acme-field-trials"));
    let email = ground.person("admin").email.clone();
    app.get::<Value>("sign_in_send_code", json!({"connection_id": trials.id, "email": email}));
    app.get::<Value>("sign_in_check_code", json!({"code": ground.newest_code(&email)}));
    let mut with_plan = pair.args();
    with_plan["plan_hash"] = json!(plan.plan_hash);
    let (calls, rows) = (ground.calls(), ground.ledger().revocations.len());
    assert_eq!(app.refusal_kind("revoke_connected_app", with_plan), "plan_changed");
    for send_again in [false, true] {
        let settle = json!({"sweep_id": open.sweep_id, "send_again": send_again});
        assert_eq!(app.refusal_kind("revoke_settle", settle), "plan_changed");
    }
    assert_eq!(ground.calls(), calls, "an open sweep of the other organization waits for its own session");

    assert_eq!(app.refusal_kind("revoke_connected_app", pair.args()), "organization_refused");
    assert_eq!(app.refusal_kind("member_connected_apps", json!({"member_id": pair.member_id})), "organization_refused");
    let ledger = ground.ledger();
    assert!(ledger.grants_to(&pair));
    assert!(ledger.revocations[rows..].iter().all(|row| row.effect == "refused"), "{:?}", &ledger.revocations[rows..]);
}

#[test]
fn progress_is_told_to_a_channel_and_a_channel_that_is_none_is_refused() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    for bad in [json!("no channel"), json!(7), json!({"id": 1})] {
        let mut args = pair.args();
        args["progress"] = bad;
        let calls = ground.calls();
        assert!(matches!(app.ask("revoke_connected_app", args), Err(Value::String(_))));
        assert_eq!(ground.calls(), calls, "nothing is sent for a call that cannot be read");
    }
    let mut args = pair.args();
    args["progress"] = json!("__CHANNEL__:7");
    let report: RevokeReport = app.get("revoke_connected_app", args);
    assert_eq!(report.outcome, Outcome::Revoked);
}

//! Every fault of the sandbox, through the commands: what is told, and whether the ledger bears it out. Whatever happens,
//! "revoked" is never told of a grant that lives, and every request that left is in the ledger and in the report.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::inventory::{AppRows, GrantRows, MemberRows, NamesReading};
use contract::members::MemberApps;
use contract::refusal::Refusal;
use contract::revoke::{Outcome, RevokeReport, Why};
use cutoff::sweep::Step;
use cutoff_desktop::Options;
use promises::ipc::{App, Ground, Pair};
use serde_json::{Value, json};

use crate::inventory::{app_path, app_rows, only_missing, read, status, until};

/// A sandbox, the app with an admin signed in, and somebody else's grant.
fn scene() -> (Ground, App, Pair) {
    scene_with(|_, _| {})
}

fn scene_with(change: impl FnOnce(&Ground, &mut Options)) -> (Ground, App, Pair) {
    let ground = Ground::default();
    let app = App::open_with(|options| change(&ground, options));
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let pair = ground.pair();
    (ground, app, pair)
}

/// Revokes and checks what holds under every fault.
#[track_caller]
fn revoke(ground: &Ground, app: &App, pair: &Pair) -> RevokeReport {
    let before = ground.ledger();
    let report = app.revoke(pair);
    let after = ground.ledger();
    if report.outcome == Outcome::Revoked {
        assert!(!after.grants_to(pair), "told as revoked, and it lives: {report:?}");
        assert!(report.gone_at.is_some() && report.read_at.is_some(), "revoked means read again: {report:?}");
    }
    assert_eq!(report.member.member_id, pair.member_id);
    assert_eq!(report.app.connected_app_id, pair.connected_app_id);
    let others = |ledger: &promises::ipc::Ledger| {
        let mut grants = ledger.grants.clone();
        grants.retain(|grant| (&grant.member_id, &grant.connected_app_id) != (&pair.member_id, &pair.connected_app_id));
        grants
    };
    assert_eq!(others(&before), others(&after), "nobody else lost or gained anything");
    report
}

/// How many revokes the server has seen for the pair.
fn sent(ground: &Ground, pair: &Pair) -> usize {
    let path = format!("/members/{}/connected_apps/{}/revoke", pair.member_id, pair.connected_app_id);
    ground.ledger().calls.iter().filter(|call| call.path.ends_with(&path)).count()
}

fn problem_of(report: &RevokeReport) -> (Option<u16>, Option<&str>, Option<&str>) {
    let problem = report.problem.as_ref().unwrap_or_else(|| panic!("what went wrong is told: {report:?}"));
    (problem.status, problem.error_type.as_deref(), problem.cause.as_deref())
}

// ---- answered, and read again ----------------------------------------------------------------------------------------

#[test]
fn a_revoke_that_is_told_as_done_is_done() {
    let (ground, app, pair) = scene();
    assert!(read(&app).complete);
    let scopes = ground
        .ledger()
        .grants
        .into_iter()
        .find(|grant| (&grant.member_id, &grant.connected_app_id) == (&pair.member_id, &pair.connected_app_id));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Revoked);
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
    assert_eq!((report.attempts, sent(&ground, &pair)), (1, 1));
    assert_eq!(report.scopes, scopes.expect("it lived").scopes);
    assert_eq!(report.organization_name, "Acme Robotics");
    assert!(report.member.name.is_some() && !report.app.name.is_empty(), "told by name: {report:?}");
    let order = [&report.sent_at, &report.answered_at, &report.gone_at, &report.confirm_due_at]
        .map(|at| at.clone().expect("a time"));
    assert!(order.is_sorted(), "{order:?}");
    assert!(report.confirmed_at.is_none(), "one read is not two");
    assert!(report.request_id.is_some() && report.head.len() == 64 && !report.unsettled);
    assert_eq!((report.may_reconnect, &report.why, &report.problem), (Some(true), &None, &None));
}

#[test]
fn a_second_look_late_enough_confirms() {
    let (ground, app, pair) = scene_with(|_, options| options.rules.confirm_after = Duration::from_millis(1));
    let report = revoke(&ground, &app, &pair);
    std::thread::sleep(Duration::from_millis(5));
    let report: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false}));
    assert_eq!(report.outcome, Outcome::Revoked);
    assert!(report.confirmed_at > report.gone_at, "{report:?}");
    assert_eq!(sent(&ground, &pair), 1, "looking sends nothing");
}

#[test]
fn what_our_last_read_lacked_is_looked_for_and_not_sent() {
    let (ground, app, pair) = scene();
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
    assert!(read(&app).complete);
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.attempts), (Outcome::AlreadyGone, 0));
    assert_eq!(sent(&ground, &pair), 1);
}

#[test]
fn what_our_last_read_lacked_and_is_there_again_is_revoked() {
    let (ground, app, pair) = scene();
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
    assert!(read(&app).complete);
    ground.switch().consent(&pair);
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.attempts), (Outcome::Revoked, 1));
}

#[test]
fn a_grant_that_somebody_else_revoked_first_is_told_by_the_answer_and_the_read_after() {
    for (second_404, outcome) in [(false, Outcome::Revoked), (true, Outcome::AlreadyGone)] {
        let (ground, app, pair) = scene();
        ground.fault(json!({"second_revoke_404": second_404}));
        let other = App::open();
        let connection = other.connect(&ground);
        other.sign_in(&ground, &connection, "admin");
        assert_eq!(revoke(&ground, &other, &pair).outcome, Outcome::Revoked);
        // Answered 200 and absent after is revoked, whoever did it first; a 404 that a read bears out is already gone.
        assert_eq!(revoke(&ground, &app, &pair).outcome, outcome);
        assert_eq!(ground.ledger().effects(), [("removed", true), ("nothing", !second_404)]);
    }
}

#[test]
fn what_was_just_proven_gone_is_looked_at_and_not_sent_again() {
    let (ground, app, pair) = scene();
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
    let again = revoke(&ground, &app, &pair);
    assert_eq!((again.outcome, again.attempts), (Outcome::AlreadyGone, 0));
    assert_eq!(ground.ledger().effects(), [("removed", true)], "the second click sent nothing");
    // Given again, it is there again, whatever our last read said.
    ground.switch().consent(&pair);
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
}

#[test]
fn app_404_when_empty_is_proof_only_with_the_organization_s_list() {
    let (ground, app, _) = scene();
    ground.fault(json!({"app_404_when_empty": true}));
    assert!(read(&app).complete);
    let last = ground.pair_where(|_, of_app, of_member| of_app == 1 && of_member >= 2);
    let report = revoke(&ground, &app, &last);
    assert_eq!(report.outcome, Outcome::Revoked);
    let paths: Vec<String> = ground.ledger().calls.into_iter().map(|call| call.path).collect();
    let after = paths.iter().rposition(|path| path.ends_with("/revoke")).expect("the revoke");
    assert!(paths[after..].iter().any(|path| path.ends_with("/organizations/connected_apps")), "{:?}", &paths[after..]);

    // The app's view is gone, and the list and the member's view cannot be read: nothing proves anything.
    let (ground, app, _) = scene();
    ground.fault(json!({"app_404_when_empty": true}));
    let last = ground.pair_where(|_, of_app, of_member| of_app == 1 && of_member >= 2);
    ground.fault(json!({"bad_row": "wrong_type"}));
    let report = revoke(&ground, &app, &last);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::ReadIncomplete)));
}

#[test]
fn bad_row_leaves_a_revoke_accepted_since_the_row_may_be_this_one() {
    for kind in ["lone_surrogate", "wrong_type"] {
        let (ground, app, pair) = scene();
        ground.fault(json!({ "bad_row": kind }));
        let report = revoke(&ground, &app, &pair);
        assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::ReadIncomplete)), "{kind}");
        assert!(report.unsettled, "{kind}: a later read can settle it");
        ground.fault(json!({"bad_row": null}));
        let report: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false}));
        assert_eq!(report.outcome, Outcome::Revoked, "{kind}");
        assert_eq!(sent(&ground, &pair), 1, "{kind}");
    }
}

#[test]
fn a_bad_row_in_the_app_s_view_alone_is_made_up_for_by_the_member_s() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"bad_row": true, "on": format!("/organizations/connected_apps/{}", pair.connected_app_id)}));
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
}

#[test]
fn views_disagree_is_told_as_still_there_when_the_app_s_view_says_so() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"views_disagree": true}));
    // The first revocation is wrong in the member's view, the second in the app's.
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
    let second = ground.pair();
    let report = revoke(&ground, &app, &second);
    assert_eq!(report.outcome, Outcome::StillThere);
    assert!(report.gone_at.is_none() && report.tokens_until.is_none(), "{report:?}");
    assert_eq!(sent(&ground, &second), 1, "what was answered is not sent again");
}

#[test]
fn a_short_read_lag_is_waited_out_and_a_long_one_is_still_there() {
    let (ground, app, pair) = scene_with(|_, options| options.pace.rereads = vec![Duration::from_millis(150); 6]);
    ground.fault(json!({"read_lag_ms": 300}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Revoked);

    let second = ground.pair();
    ground.fault(json!({"read_lag_ms": 600_000}));
    let report = revoke(&ground, &app, &second);
    assert_eq!(report.outcome, Outcome::StillThere, "listed in every read, whatever was answered");
    assert!(!ground.ledger().grants_to(&second), "though it is gone: what is told is what was seen");
    ground.fault(json!({"read_lag_ms": null}));
    let report: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false}));
    assert_eq!(report.outcome, Outcome::Revoked);
}

#[test]
fn a_member_who_consents_again_at_once_is_still_there() {
    let answered = Arc::new(AtomicBool::new(false));
    let seen = answered.clone();
    let (ground, app, pair) = scene_with(|ground, options| {
        let (switch, pair) = (ground.switch(), ground.pair());
        options.observer = Some(Arc::new(move |step| {
            if step == Step::Answered {
                switch.consent(&pair);
                seen.store(true, Ordering::SeqCst);
            }
        }));
    });
    let report = revoke(&ground, &app, &pair);
    assert!(answered.load(Ordering::SeqCst));
    assert_eq!(report.outcome, Outcome::StillThere);
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
}

#[test]
fn a_policy_that_hides_the_app_leaves_an_answered_revoke_accepted() {
    let (ground, app, _) = scene();
    ground.fault(json!({"policy_hides": true}));
    assert!(read(&app).complete);
    let faces = app_rows(&app).into_iter().map(|row| row.app);
    let third: Vec<String> = faces.filter(|app| !app.first_party).map(|app| app.connected_app_id).collect();
    let pair = ground.pair_where(|grant, of_app, of_member| {
        of_app >= 3 && of_member >= 3 && third.contains(&grant.connected_app_id)
    });
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::HiddenByPolicy)));
    assert_eq!(report.may_reconnect, Some(false));

    let second = ground.pair_where(|grant, of_app, of_member| {
        of_app >= 3 && of_member >= 3 && third.contains(&grant.connected_app_id)
    });
    ground.fault(json!({"reset_before_commit_share": 1.0, "on": "/revoke"}));
    let report = revoke(&ground, &app, &second);
    assert_eq!(report.outcome, Outcome::Hidden, "not answered, and hidden: nothing is known");
    assert!(report.unsettled && ground.ledger().grants_to(&second));
}

#[test]
fn deleted_member_listed_is_no_member_gone_while_the_app_still_lists_them() {
    let (ground, app, pair) = scene();
    ground.switch().delete_member(&pair.member_id);
    let report = app.revoke(&pair);
    assert_eq!(report.outcome, Outcome::MemberGone, "404 for the member, and the app's view lacks them");

    let (ground, app, pair) = scene();
    ground.fault(json!({"deleted_member_listed": true}));
    ground.switch().delete_member(&pair.member_id);
    let report = app.revoke(&pair);
    assert_eq!(report.outcome, Outcome::Failed, "{report:?}");
    assert_eq!(problem_of(&report), (Some(404), Some("member_not_found"), None));
    assert!(report.gone_at.is_none());
}

// ---- refused ---------------------------------------------------------------------------------------------------------

#[test]
fn errors_as_text_are_read_like_any_error() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "reader");
    let pair = ground.pair();
    ground.fault(json!({"errors_as_text": true}));
    let report: RevokeReport = app.get("revoke_connected_app", pair.anyway());
    assert_eq!(report.outcome, Outcome::Denied);
    assert!(report.denial.is_some_and(|denial| denial.request_id.is_some()));
    assert_eq!(app.refusal_kind("member_connected_apps", json!({"member_id": "member-test-none"})), "member_gone");
    ground.fault(json!({"rate_limit_after": 0, "retry_after_s": 5}));
    let args = json!({"member_id": pair.member_id});
    assert_eq!(app.refusal_kind("member_connected_apps", args), "rate_limited");
}

#[test]
fn a_rate_limit_tells_until_when_if_the_server_does() {
    let (ground, app, pair) = scene();
    for (retry_after, on) in [(json!(30), "/revoke"), (Value::Null, "/revoke")] {
        ground.fault(json!({"rate_limit_after": 0, "retry_after_s": retry_after, "on": on}));
        let asked_at = jiff::Timestamp::now();
        let refusal = app.refusal("revoke_connected_app", pair.args());
        let Refusal::RateLimited { until, problem } = &refusal else { panic!("{refusal:?}") };
        assert_eq!((problem.status, problem.error_type.as_deref()), (Some(429), Some("too_many_requests")));
        assert!(problem.request_id.is_some());
        match until {
            Some(until) => {
                let until: jiff::Timestamp = until.parse().expect("a time");
                let wait = until.duration_since(asked_at).as_secs();
                assert!((29..=35).contains(&wait), "{wait}");
            }
            None => assert!(retry_after.is_null(), "the server said when"),
        }
        assert_eq!(until.is_some(), !retry_after.is_null());
    }
    assert!(ground.ledger().grants_to(&pair));
    assert_eq!(ground.ledger().effects(), [("refused", false); 2], "a 429 is not hammered on");
    let told: Vec<RevokeReport> = app.get("revoke_list", json!({}));
    assert!(told.iter().all(|report| report.outcome == Outcome::Failed), "{told:?}");

    // Let through again, the same act works.
    ground.fault(json!({"rate_limit_after": null, "retry_after_s": null}));
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
}

#[test]
fn a_rate_limit_that_hits_the_read_leaves_the_revoke_accepted() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"rate_limit_after": 1, "rate_window_s": 3600, "retry_after_s": 30}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::ReadFailed)));
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
    assert!(report.unsettled);
}

#[test]
fn a_role_lost_before_the_revoke_is_denied_and_after_it_changes_nothing() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"role_lost_after": 0}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Denied);
    let denial = report.denial.expect("a denial");
    assert!(denial.asked && denial.request_id.is_some());
    assert_eq!(denial.action.as_deref(), Some("revoke.connected-app"));
    assert!(ground.ledger().grants_to(&pair));

    let (ground, app, pair) = scene();
    ground.fault(json!({"role_lost_after": 1}));
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked, "the app's view asks for no role");

    // Without the role, and with an app's view that cannot tell, no view may be read.
    let (ground, app, pair) = scene();
    ground.fault(json!({"bad_row": true, "on": "/organizations/connected_apps"}));
    ground.fault(json!({"role_lost_after": 1}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::NoReadAllowed)));
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
}

#[test]
fn bundle_id_refused_and_sdk_endpoint_off_name_what_the_owner_must_add() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"bundle_id_refused": true}));
    let refusal = app.refusal("revoke_connected_app", pair.args());
    assert!(
        matches!(&refusal, Refusal::BundleIdNotRegistered { identifier, problem }
        if identifier == "dev.cutoff.desktop" && problem.request_id.is_some()),
        "{refusal:?}"
    );
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "bundle_id_not_registered");
    ground.fault(json!({"bundle_id_refused": false, "sdk_endpoint_off": true}));
    assert_eq!(app.refusal_kind("revoke_connected_app", pair.args()), "sdk_endpoint_off");
    let args = json!({"member_id": pair.member_id});
    assert_eq!(app.refusal_kind("member_connected_apps", args), "sdk_endpoint_off");
    let facts = read(&app);
    let missing = only_missing(&facts);
    assert_eq!((missing.what.as_str(), missing.cause.as_str()), ("names", "refused"));
    assert_eq!(missing.problem.error_type.as_deref(), Some("endpoint_not_authorized_for_sdk"));
    assert!(missing.problem.request_id.is_some(), "{missing:?}");
    assert!(ground.ledger().grants_to(&pair));
    assert_eq!(ground.ledger().effects(), [("refused", false); 2]);
}

// ---- sent, and not answered ------------------------------------------------------------------------------------------

#[test]
fn a_reset_before_the_commit_is_unknown_and_every_repeat_is_counted() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"reset_before_commit_share": 1.0, "on": "/revoke"}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Unknown);
    assert!(report.unsettled && report.answered_at.is_none() && report.gone_at.is_none());
    assert_eq!(problem_of(&report), (None, None, Some("reset")));
    assert_eq!((report.attempts as usize, sent(&ground, &pair)), (3, 3), "what the report counts is what left");
    assert_eq!(ground.ledger().effects(), [("nothing", false); 3]);
    assert!(ground.ledger().grants_to(&pair));

    ground.fault(json!({"reset_before_commit_share": null}));
    let looked: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false}));
    assert_eq!((looked.outcome, sent(&ground, &pair)), (Outcome::Unknown, 3), "looking sends nothing");
    let settled: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": true}));
    assert_eq!((settled.outcome, sent(&ground, &pair)), (Outcome::Revoked, 4));
    assert!(!ground.ledger().grants_to(&pair));
}

#[test]
fn a_reset_after_the_commit_is_found_gone_and_not_claimed_as_our_doing() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"reset_after_commit_share": 1.0, "on": "/revoke"}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::AlreadyGone, "absent, and no revoke of ours was answered");
    assert_eq!((report.attempts, sent(&ground, &pair)), (1, 1), "a grant that is gone is not revoked again");
    assert_eq!(ground.ledger().effects(), [("removed", false)]);
    assert!(report.answered_at.is_none());
}

#[test]
fn some_resets_and_server_errors_are_ridden_out() {
    for seed in 1..=8 {
        let (ground, app, pair) = scene_with(|_, options| {
            options.pace.attempts = 6;
            options.pace.rereads = vec![Duration::from_millis(5); 6];
        });
        ground.fault(json!({
            "fault_seed": seed, "reset_before_commit_share": 0.3, "reset_after_commit_share": 0.2, "server_error_share": 0.2,
        }));
        let report = revoke(&ground, &app, &pair);
        ground.fault(
            json!({"reset_before_commit_share": null, "reset_after_commit_share": null, "server_error_share": null}),
        );
        let settled: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": true}));
        assert!(matches!(settled.outcome, Outcome::Revoked | Outcome::AlreadyGone), "seed {seed}: {settled:?}");
        let ledger = ground.ledger();
        assert!(!ledger.grants_to(&pair), "seed {seed}: told as gone, and it lives");
        let removed = ledger.revocations.iter().filter(|row| row.effect == "removed").count();
        assert_eq!(removed, 1, "seed {seed}");
        assert_eq!(settled.attempts as usize, sent(&ground, &pair), "seed {seed}: what the report counts is what left");
    }
}

#[test]
fn a_server_error_is_unknown_until_it_is_read_and_repeated() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"server_error_share": 1.0, "on": "/revoke"}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Unknown, "a 500 says nothing of what was done");
    assert_eq!(problem_of(&report), (Some(500), Some("internal_server_error"), None));
    assert_eq!(sent(&ground, &pair), 3);
    assert!(report.unsettled && ground.ledger().grants_to(&pair));
}

#[test]
fn a_late_commit_is_never_told_as_revoked_before_or_after() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"late_commit_ms": 4000}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Unknown, "it was listed in the last read, and nothing was answered");
    assert!(ground.ledger().grants_to(&pair), "the commit has not landed yet");
    let gone_by = Instant::now() + Duration::from_secs(20);
    while ground.ledger().grants_to(&pair) {
        assert!(Instant::now() < gone_by, "the commit lands");
        std::thread::sleep(Duration::from_millis(50));
    }
    let report: RevokeReport = app.get("revoke_settle", json!({"sweep_id": report.sweep_id, "send_again": false}));
    assert_eq!(report.outcome, Outcome::AlreadyGone);
    assert!(ground.ledger().revocations.iter().all(|row| !row.answered));
}

#[test]
fn silence_is_given_up_on_in_time_and_told_as_such() {
    let (ground, app, pair) = scene_with(|_, options| options.timeouts.total = Duration::from_millis(700));
    ground.fault(json!({"silence_s": 20, "on": "/revoke"}));
    let began = Instant::now();
    let report = revoke(&ground, &app, &pair);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(report.outcome, Outcome::Unknown);
    assert_eq!(problem_of(&report), (None, None, Some("timed_out")));
    assert!(ground.ledger().grants_to(&pair));

    ground.fault(json!({"silence_s": 20, "on": "/organizations/connected_apps"}));
    let refusal = app.refusal("inventory_read", json!({}));
    assert!(
        matches!(&refusal, Refusal::Offline(problem) if problem.cause.as_deref() == Some("timed_out")),
        "{refusal:?}"
    );
}

#[test]
fn silence_at_the_re_read_leaves_the_revoke_accepted() {
    let (ground, app, pair) = scene_with(|_, options| options.timeouts.total = Duration::from_millis(700));
    ground.fault(json!({"silence_s": 20, "on": "connected_apps"}));
    ground.fault(json!({"silence_s": 20, "on": pair.connected_app_id}));
    // The revoke's path holds the app's id too, so the silence is set once the answer is there.
    ground.fault(json!({"silence_s": null}));
    let switch = ground.switch();
    let own = App::open_with(|options| {
        options.timeouts.total = Duration::from_millis(700);
        options.observer = Some(Arc::new(move |step| {
            if step == Step::AnswerRecorded {
                switch.fault(json!({"silence_s": 20}));
            }
        }));
    });
    drop(app);
    let connection = own.connect(&ground);
    own.sign_in(&ground, &connection, "admin");
    let report = revoke(&ground, &own, &pair);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::ReadFailed)));
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
}

#[test]
fn a_garbled_answer_is_no_answer() {
    for body in ["truncated", "html", "wrong_envelope"] {
        let (ground, app, pair) = scene();
        ground.fault(json!({"body": body, "on": "/revoke"}));
        let report = revoke(&ground, &app, &pair);
        assert_eq!(report.outcome, Outcome::AlreadyGone, "{body}: it was carried out, and nobody told us so");
        assert_eq!((report.attempts, sent(&ground, &pair)), (1, 1), "{body}");

        let (ground, app, pair) = scene();
        ground.fault(json!({ "body": body }));
        let report = revoke(&ground, &app, &pair);
        assert_eq!(report.outcome, Outcome::Unknown, "{body}: nothing can be read");
        assert_eq!(problem_of(&report), (Some(200), None, Some("garbled")), "{body}");
        assert!(report.unsettled, "{body}");
    }
}

#[test]
fn a_garbled_re_read_is_no_proof() {
    for body in ["truncated", "html", "wrong_envelope"] {
        let (ground, app, pair) = scene();
        ground.fault(json!({"body": body, "on": "/organizations/connected_apps"}));
        assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked, "{body}: the member's view tells");
        let switch = ground.switch();
        let garbling = App::open_with(|options| {
            options.observer = Some(Arc::new(move |step| {
                if step == Step::AnswerRecorded {
                    switch.fault(json!({"body": body, "on": "connected_apps"}));
                }
            }));
        });
        ground.fault(json!({"body": null}));
        let connection = garbling.connect(&ground);
        garbling.sign_in(&ground, &connection, "admin");
        let second = ground.pair();
        let report = revoke(&ground, &garbling, &second);
        assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::ReadFailed)), "{body}");
    }
}

#[test]
fn a_redirect_of_the_revoke_is_unknown_and_not_followed() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"redirect_to": "https://elsewhere.example/x", "on": "/revoke"}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!(report.outcome, Outcome::Unknown);
    assert_eq!(problem_of(&report), (Some(307), None, Some("redirected")));
    assert!(ground.ledger().grants_to(&pair));
    assert_eq!(ground.ledger().effects(), [("refused", false); 3]);
}

#[test]
fn a_server_that_is_not_there_is_offline_and_certainly_not_revoked() {
    let (ground, app, pair) = scene();
    ground.stop();
    let refusal = app.refusal("revoke_connected_app", pair.args());
    assert!(
        matches!(&refusal, Refusal::Offline(problem) if problem.cause.as_deref() == Some("refused")),
        "{refusal:?}"
    );
    let told: Vec<RevokeReport> = app.get("revoke_list", json!({}));
    assert_eq!(told[0].outcome, Outcome::Failed, "a request that never left did nothing");
    assert!(told[0].answered_at.is_none());
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "offline");
    assert_eq!(app.refusal_kind("sign_out", json!({"even_if_unreachable": false})), "not_signed_out_at_server");
}

#[test]
fn latency_delays_and_changes_nothing() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"latency_ms": 300}));
    let began = Instant::now();
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
    assert!(began.elapsed() >= Duration::from_millis(600), "the revoke and its re-read both waited");
}

// ---- the session dies on the way -------------------------------------------------------------------------------------

#[test]
fn a_session_that_dies_before_the_revoke_is_signed_out_and_nothing_is_revoked() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"session_dies_after": 0}));
    let refusal = app.refusal("revoke_connected_app", pair.args());
    let Refusal::SignedOut { request_id: Some(_), resume_as: Some(email) } = &refusal else { panic!("{refusal:?}") };
    assert_eq!(*email, ground.person("admin").email);
    assert!(ground.ledger().grants_to(&pair));
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");

    // Signed in again, one goes on.
    ground.fault(json!({"session_dies_after": null}));
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    assert_eq!(revoke(&ground, &app, &pair).outcome, Outcome::Revoked);
}

#[test]
fn a_session_that_dies_between_revoke_and_re_read_leaves_it_accepted_until_signed_in_again() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"session_dies_after": 1}));
    let report = revoke(&ground, &app, &pair);
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::SessionEnded)));
    assert!(report.answered_at.is_some() && report.unsettled);
    assert_eq!(ground.ledger().effects(), [("removed", true)]);
    let settle = json!({"sweep_id": report.sweep_id, "send_again": false});
    assert_eq!(app.refusal_kind("revoke_settle", settle.clone()), "signed_out");
    let listed: Vec<RevokeReport> = app.get("revoke_list", json!({}));
    assert_eq!(listed[0].outcome, Outcome::Accepted, "what was done can be read without a session");

    ground.fault(json!({"session_dies_after": null}));
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let report: RevokeReport = app.get("revoke_settle", settle);
    assert_eq!(report.outcome, Outcome::Revoked);
    assert_eq!(sent(&ground, &pair), 1);
}

#[test]
fn wherever_the_session_dies_nothing_is_told_that_is_not_so() {
    for calls in 0..8 {
        let (ground, app, pair) = scene();
        // A bad row makes the re-read ask more views, so that there are more places to die.
        ground.fault(json!({"bad_row": true, "on": "/connected_apps"}));
        ground.fault(json!({ "session_dies_after": calls }));
        let told = app.ask("revoke_connected_app", pair.args());
        let lives = ground.ledger().grants_to(&pair);
        match told {
            Ok(report) => {
                assert_eq!((&report["outcome"], lives), (&json!("accepted"), false), "after {calls} calls: {report}");
            }
            Err(refusal) => {
                assert_eq!((&refusal["kind"], calls), (&json!("signed_out"), 0), "after {calls} calls: {refusal}");
                assert!(lives);
            }
        }
    }
}

#[test]
fn a_session_refused_by_one_call_only_is_not_over() {
    let (ground, app, pair) = scene();
    // Scoped to the revoke alone, the session's own endpoint still says that it lives.
    ground.fault(json!({"session_dies_after": 0, "on": "/revoke"}));
    let told = app.ask("revoke_connected_app", pair.args());
    assert!(told.is_err() || told.as_ref().is_ok_and(|report| report["outcome"] != "revoked"), "{told:?}");
    assert!(ground.ledger().grants_to(&pair));
}

// ---- the lists -------------------------------------------------------------------------------------------------------

#[test]
fn one_bad_row_never_sinks_a_list() {
    for kind in ["lone_surrogate", "wrong_type"] {
        let (ground, app, pair) = scene();
        let ledger = ground.ledger();
        let apps: BTreeSet<&str> = ledger.grants.iter().map(|grant| grant.connected_app_id.as_str()).collect();
        let of_member = ledger.grants.iter().filter(|grant| grant.member_id == pair.member_id).count();
        ground.fault(json!({ "bad_row": kind }));

        assert!(!read(&app).complete, "{kind}");
        let page: AppRows = app.get("inventory_apps", json!({"query": {"count": 500}}));
        assert_eq!((page.total as usize, page.unreadable.len()), (apps.len() - 1, 1), "{kind}");
        let listed = page.rows[0].app.connected_app_id.clone();
        let page: MemberRows = app.get("inventory_members", json!({"query": {"count": 500}}));
        let named = page.rows.iter().filter(|row| row.status.is_some()).count();
        assert_eq!((named, page.unreadable.len()), (15, 1), "{kind}");
        assert_eq!(page.unreadable[0].index, 8, "{kind}: the row is shown in its place");
        let of_app = ledger.grants.iter().filter(|grant| grant.connected_app_id == listed).count();
        let only = json!({"query": {"filter": {"apps": [listed]}, "count": 500}});
        let page: GrantRows = app.get("inventory_grants", only);
        assert_eq!((page.rows.len(), page.unreadable.len()), (of_app - 1, 1), "{kind}");
        let page: MemberApps = app.get("member_connected_apps", json!({"member_id": pair.member_id}));
        assert_eq!((page.grants.len(), page.unreadable.len()), (of_member - 1, 1), "{kind}");
    }
}

#[test]
fn every_fault_of_a_list_has_its_own_words() {
    let (ground, app, pair) = scene_with(|_, options| options.timeouts.total = Duration::from_millis(700));
    let member = json!({"member_id": pair.member_id});
    // What a whole reading or one member's list is refused with, and what a reading says of the search or the one app that
    // alone was refused. A rate limit is no refusal of a reading: the next test has it.
    for (fault, kind, cause) in [
        (json!({"body": "truncated"}), "garbled", "garbled"),
        (json!({"body": "html"}), "garbled", "garbled"),
        (json!({"body": "wrong_envelope"}), "garbled", "garbled"),
        (json!({"redirect_to": "https://elsewhere.example/"}), "redirected", "refused"),
        (json!({"server_error_share": 1.0}), "server_error", "server_error"),
        (json!({"reset_before_commit_share": 1.0}), "offline", "offline"),
        (json!({"reset_after_commit_share": 1.0}), "offline", "offline"),
        (json!({"bundle_id_refused": true}), "bundle_id_not_registered", "refused"),
        (json!({"sdk_endpoint_off": true}), "sdk_endpoint_off", "refused"),
        (json!({"silence_s": 20}), "offline", "offline"),
    ] {
        let names = fault.as_object().expect("fields").keys();
        let cleared = Value::Object(names.map(|name| (name.clone(), Value::Null)).collect());
        let on = |path: &str| {
            let mut fault = fault.clone();
            fault["on"] = json!(path);
            ground.fault(fault);
        };

        on("/sdk/v1");
        assert_eq!(app.refusal_kind("inventory_read", json!({})), kind, "{fault}");
        assert_eq!(app.refusal_kind("member_connected_apps", member.clone()), kind, "{fault}");
        ground.fault(cleared.clone());

        on("/members/search");
        let facts = read(&app);
        let missing = only_missing(&facts);
        assert_eq!((missing.what.as_str(), missing.cause.as_str()), ("names", cause), "the search under {fault}");
        assert_eq!((facts.names, facts.apps_read), (NamesReading::Incomplete, facts.apps), "{fault}");
        ground.fault(cleared.clone());

        on(&app_path(&pair.connected_app_id));
        let facts = read(&app);
        let missing = only_missing(&facts);
        let of = missing.app.as_ref().map(|app| app.connected_app_id.as_str());
        assert_eq!(
            (missing.what.as_str(), missing.cause.as_str(), of),
            ("app", cause, Some(pair.connected_app_id.as_str())),
            "one app under {fault}"
        );
        ground.fault(cleared);
    }
    assert!(read(&app).complete, "and then all is well again");
    app.get::<MemberApps>("member_connected_apps", member);
}

#[test]
fn a_rate_limit_refuses_one_list_and_makes_a_reading_wait_for_as_long_as_somebody_will() {
    let (ground, app, pair) = scene();
    ground.fault(json!({"rate_limit_after": 0}));
    let member = json!({"member_id": pair.member_id});
    assert_eq!(app.refusal_kind("member_connected_apps", member.clone()), "rate_limited");
    let asked = app.begin("inventory_read", json!({}));
    until("the reading says until when it waits", || {
        status(&app).reading.is_some_and(|progress| progress.waiting_until.is_some())
    });
    app.get::<Value>("inventory_cancel", json!({}));
    assert_eq!(asked.wait().expect_err("it was stopped")["kind"], "cancelled");
    ground.fault(json!({"rate_limit_after": null}));
    assert!(read(&app).complete, "and then all is well again");
    app.get::<MemberApps>("member_connected_apps", member);
}

#[test]
fn a_list_that_fails_once_or_twice_is_read_again_by_itself() {
    let (ground, app, pair) = scene();
    let member = format!("/organizations/members/{}/connected_apps", pair.member_id);
    for (command, args, path) in [
        ("inventory_read", json!({}), "/organizations/connected_apps"),
        ("member_connected_apps", json!({"member_id": pair.member_id}), member.as_str()),
    ] {
        let before = ground.calls();
        ground.fault(json!({"fault_seed": 7, "server_error_share": 0.4, "on": path}));
        let answered = (0..10).filter(|_| app.ask(command, args.clone()).is_ok()).count();
        ground.fault(json!({"server_error_share": null}));
        let calls = ground.ledger().calls.split_off(before);
        let asked = calls.iter().filter(|call| call.path.ends_with(path)).count();
        assert!(answered >= 8, "{command}: {answered} of 10 lists in {asked} calls");
        assert!(asked > 10, "{command}: harmless reads are repeated: {asked} calls for 10 lists");
    }
}

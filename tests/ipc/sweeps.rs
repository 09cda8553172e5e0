//! Sweeps of many through the wire: typed confirmation, watching, pausing, going on, and what the ledger says of it all.

use std::time::{Duration, Instant};

use contract::plans::Plan;
use contract::refusal::{Fault, Field, Refusal};
use contract::revoke::{Outcome, RevokeReport};
use contract::sweeps::{Sweep, SweepGrants, SweepResume, SweepState};
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

use super::inventory::{read, scene};
use super::plans::plan_of;

fn everything() -> Value {
    json!({"kind": "selection", "selection": {"noun": "grants", "all": true, "ids": []}})
}

pub(crate) fn start(plan: &Plan) -> Value {
    json!({"hash": plan.hash, "typed": plan.to_type, "canary": false, "ask_anyway": false})
}

#[track_caller]
pub(crate) fn watch(app: &App, id: &str) -> Sweep {
    app.get("sweep_watch", json!({ "sweep_id": id }))
}

#[track_caller]
pub(crate) fn wait(why: &str, until: impl Fn() -> bool) {
    let began = Instant::now();
    while !until() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited too long for {why}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn sent(ground: &Ground) -> usize {
    ground.ledger().revocations.len()
}

/// A sweep that was paused in the middle.
fn paused(ground: &Ground, app: &App) -> Sweep {
    ground.fault(json!({"latency_ms": 40}));
    read(app);
    let sweep: Sweep = app.get("sweep_start", start(&plan_of(app, everything())));
    wait("the first few", || sent(ground) > 3);
    app.get::<Value>("sweep_wish", json!({"sweep_id": sweep.sweep_id, "wish": "pause"}));
    let sweep = watch(app, &sweep.sweep_id);
    assert_eq!(sweep.stand, SweepState::Paused);
    sweep
}

#[test]
fn a_sweep_revokes_every_grant_of_its_plan_once_and_reads_again() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    let plan = plan_of(&app, everything());
    let before = ground.ledger().grants.len();
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    let done = watch(&app, &sweep.sweep_id);
    assert_eq!((&done.stand, done.grants, done.unsent), (&SweepState::Done, plan.grants, 0));
    assert_eq!(done.outcomes.len(), 1, "{:?}", done.outcomes);
    assert_eq!((done.outcomes[0].outcome, done.outcomes[0].grants), (Outcome::Revoked, plan.grants));
    assert!(done.gone_at.is_some() && done.confirmed_at.is_none() && done.tokens_until.is_some());
    assert!(done.look_again_at > done.gone_at, "the second read comes later");
    assert!(ground.ledger().grants.is_empty());
    assert_eq!(sent(&ground), before, "one request each");
    let page: SweepGrants =
        app.get("sweep_grants", json!({"sweep_id": done.sweep_id, "query": {"offset": 3, "count": 5}}));
    assert_eq!((page.rows.len(), page.total, page.matching), (5, plan.grants, plan.grants));
    assert!(page.rows.iter().all(|row| row.outcome == Outcome::Revoked && row.request_id.is_some() && !row.alone));
    let one = &page.rows[2];
    let found: SweepGrants = app.get(
        "sweep_grants",
        json!({"sweep_id": done.sweep_id, "query": {"text": one.request_id, "offset": 0, "count": 5}}),
    );
    assert_eq!((found.matching, &found.rows[0].request_id), (1, &one.request_id), "found by its request id");
    let none: SweepGrants = app.get(
        "sweep_grants",
        json!({"sweep_id": done.sweep_id, "query": {"outcomes": ["failed"], "offset": 0, "count": 5}}),
    );
    assert_eq!((none.matching, none.total), (0, plan.grants));
    assert!(app.get::<Vec<RevokeReport>>("revoke_list", json!({})).is_empty(), "a sweep of many is no single revoke");
    let again = app.refusal("sweep_start", start(&plan));
    assert!(matches!(&again, Refusal::Plan { fault } if fault == "carried_out"), "{again:?}");
    assert_eq!(sent(&ground), before);
}

#[test]
fn without_the_count_and_the_organization_typed_nothing_is_sent() {
    let (ground, app) = scene(16, 8, "admin");
    read(&app);
    let plan = plan_of(&app, everything());
    let (calls, files) = (ground.calls(), app.stored());
    let n = plan.grants;
    for typed in [
        String::new(),
        n.to_string(),
        "Acme Robotics".to_owned(),
        format!("{} Acme Robotics", n + 1),
        format!("{n}Acme Robotics"),
        format!("{n} Acme"),
        format!("0{n} Acme Robotics"),
    ] {
        let mut args = start(&plan);
        args["typed"] = json!(typed);
        let refused = app.refusal("sweep_start", args);
        assert!(
            matches!(refused, Refusal::BadInput { field: Field::Typed, fault: Fault::Malformed }),
            "{typed:?}: {refused:?}"
        );
    }
    assert_eq!(ground.calls(), calls);
    assert!(app.stored() == files, "nothing is recorded");
    let mut args = start(&plan);
    args["typed"] = json!(format!("  {n}  acme robotics "));
    let sweep: Sweep = app.get("sweep_start", args);
    assert_eq!(watch(&app, &sweep.sweep_id).stand, SweepState::Done, "spaces and case are not what is asked about");
}

#[test]
fn a_sweep_that_was_paused_goes_on_and_repeats_nothing() {
    let (ground, app) = scene(24, 10, "admin");
    let sweep = paused(&ground, &app);
    let at_rest = sent(&ground);
    assert!(at_rest < sweep.grants as usize, "it was paused in the middle");
    assert_eq!((sweep.resume, sweep.unsettled), (SweepResume::Yes, true));
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(sent(&ground), at_rest, "a paused sweep sends nothing");
    app.get::<Sweep>("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    let done = watch(&app, &sweep.sweep_id);
    assert_eq!((done.stand, done.outcomes[0].grants), (SweepState::Done, sweep.grants));
    assert_eq!(sent(&ground), sweep.grants as usize, "no call is repeated");
}

#[test]
fn a_sweep_that_was_cancelled_never_sends_the_rest_and_the_rest_can_be_planned_anew() {
    let (ground, app) = scene(24, 10, "admin");
    let sweep = paused(&ground, &app);
    let at_rest = sent(&ground);
    app.get::<Value>("sweep_wish", json!({"sweep_id": sweep.sweep_id, "wish": "cancel"}));
    let over = watch(&app, &sweep.sweep_id);
    assert_eq!((over.stand, over.resume), (SweepState::Cancelled, SweepResume::NotNow));
    assert_eq!(over.unsent as usize, ground.ledger().grants.len());
    let query = json!({"unsent": true, "offset": 0, "count": 1000});
    let unsent: SweepGrants = app.get("sweep_grants", json!({"sweep_id": sweep.sweep_id, "query": query}));
    assert!(unsent.matching == over.unsent && unsent.rows.iter().all(|row| row.attempts == 0));
    assert_eq!(sent(&ground), at_rest);
    let refused = app.refusal("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    assert!(matches!(refused, Refusal::Plan { .. }), "{refused:?}");
    let rest: Plan = app.get("sweep_retry", json!({"sweep_id": sweep.sweep_id}));
    assert_eq!(rest.grants as usize, ground.ledger().grants.len(), "exactly what is left");
}

#[test]
fn while_a_sweep_runs_nothing_else_waits_behind_it_unsaid() {
    let (ground, app) = scene(24, 10, "admin");
    ground.fault(json!({"latency_ms": 60}));
    read(&app);
    let plan = plan_of(&app, everything());
    let other = plan_of(&app, json!({"kind": "member", "member_id": ground.pair().member_id}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    assert_eq!(sweep.stand, SweepState::Running);
    for (command, args) in [
        ("sweep_start", start(&other)),
        ("revoke_connected_app", ground.pair().args()),
        ("revoke_settle", json!({"sweep_id": sweep.sweep_id, "send_again": true})),
        ("sign_out", json!({"even_if_unreachable": false})),
    ] {
        let refused = app.refusal(command, args);
        let Refusal::SweepRunning { sweep_id } = refused else { panic!("{command}: {refused:?}") };
        assert_eq!(sweep_id.as_ref(), Some(&sweep.sweep_id), "{command}");
    }
    assert_eq!(watch(&app, &sweep.sweep_id).stand, SweepState::Done);
}

#[test]
fn another_member_may_look_at_a_sweep_and_not_go_on_with_it() {
    let (ground, app) = scene(24, 10, "admin");
    let sweep = paused(&ground, &app);
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let seen: Vec<Sweep> = app.get("sweep_list", json!({}));
    assert_eq!((seen[0].resume, seen[0].here), (SweepResume::Elsewhere, false), "nobody is signed in");
    assert_eq!(app.refusal_kind("sweep_resume", json!({"sweep_id": sweep.sweep_id})), "signed_out");
    let at_rest = sent(&ground);
    let connection = app.connect(&ground);
    // Whatever their roles.
    ground.switch().roles(&ground.person("reader").member_id, &["stytch_admin"]);
    app.sign_in(&ground, &connection, "reader");
    let seen: Vec<Sweep> = app.get("sweep_list", json!({}));
    assert_eq!((seen[0].resume, seen[0].here), (SweepResume::OtherMember, true));
    let refused = app.refusal("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "other_member"), "{refused:?}");
    assert_eq!(sent(&ground), at_rest);
    app.sign_in(&ground, &connection, "admin");
    app.get::<Sweep>("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    assert_eq!(watch(&app, &sweep.sweep_id).stand, SweepState::Done);
}

#[test]
fn a_sweep_that_an_earlier_run_left_is_gone_on_with_by_the_next() {
    let (ground, app) = scene(24, 10, "admin");
    let sweep = paused(&ground, &app);
    let app = app.reopen();
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let seen: Vec<Sweep> = app.get("sweep_list", json!({}));
    assert_eq!((&seen[0].sweep_id, seen[0].resume), (&sweep.sweep_id, SweepResume::Yes));
    app.get::<Sweep>("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    assert_eq!(watch(&app, &sweep.sweep_id).stand, SweepState::Done);
    assert_eq!(sent(&ground), sweep.grants as usize);
}

#[test]
fn a_session_that_ends_in_the_middle_leaves_a_sweep_to_go_on_with() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    let plan = plan_of(&app, everything());
    ground.fault(json!({"session_dies_after": 20}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    let over = watch(&app, &sweep.sweep_id);
    assert_eq!(over.stand, SweepState::SessionEnded);
    ground.fault(json!({"session_dies_after": null}));
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    app.get::<Sweep>("sweep_resume", json!({"sweep_id": sweep.sweep_id}));
    let done = watch(&app, &sweep.sweep_id);
    assert_eq!(done.stand, SweepState::Done);
    assert!(ground.ledger().grants.is_empty());
}

#[test]
fn what_names_no_sweep_is_refused() {
    let (_ground, app) = scene(16, 8, "admin");
    let unknown = "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11";
    for (id, fault) in [(unknown, Fault::Unknown), ("../../x", Fault::Malformed), ("", Fault::Malformed)] {
        for command in ["sweep_resume", "sweep_wish", "sweep_retry", "sweep_watch", "sweep_grants"] {
            let args = json!({"sweep_id": id, "wish": "cancel", "query": {"offset": 0, "count": 1}});
            let refused = app.refusal(command, args);
            assert!(
                matches!(&refused, Refusal::BadInput { field: Field::SweepId, fault: f } if *f == fault),
                "{command} {id:?}: {refused:?}"
            );
        }
    }
}

//! Containment through the wire: shown app by app, decided, made, carried out and lifted, and what the sandbox's ledger says of the
//! policy and of every grant.

use std::collections::BTreeSet;

use contract::contain::{
    AppKind, ContainFate, ContainLook, ContainRow, ContainRows, FacePairs, LiftLook, LiftWay, Lifted, PolicyPart,
};
use contract::plans::Plan;
use contract::refusal::{Fault, Field, Refusal};
use contract::revoke::Outcome;
use contract::sweeps::{Sweep, SweepState, WindowNotice};
use promises::ipc::{App, Ground, Pair};
use serde_json::{Value, json};

use super::come_backs::{in_minutes, said};
use super::inventory::{app_rows, read, scene};
use super::plans::plan_of;
use super::sweeps::{sent, start, watch};

/// Changes of the policy that were asked for, carried out or not.
fn puts(ground: &Ground) -> usize {
    ground.ledger().calls.iter().filter(|call| call.method == "PUT").count()
}

fn grants_of(ground: &Ground, app: &str) -> usize {
    ground.ledger().grants.iter().filter(|grant| grant.connected_app_id == app).count()
}

/// The ids of third-party apps that look like no other and have grants.
fn plain(app: &App) -> Vec<String> {
    let rows = app_rows(app).into_iter().filter(|row| !row.app.first_party && row.odd.is_empty() && row.grants > 1);
    rows.map(|row| row.app.connected_app_id).collect()
}

#[track_caller]
fn look_at(app: &App, ids: &[&str]) -> ContainLook {
    app.get("contain_look", json!({"what": {"kind": "apps", "connected_app_ids": ids}, "first_party": false}))
}

#[track_caller]
fn rows(app: &App, look: &ContainLook, fates: &[&str]) -> Vec<ContainRow> {
    let mut rows = Vec::new();
    loop {
        let query = json!({"fates": fates, "offset": rows.len(), "count": 3});
        let window: ContainRows = app.get("contain_rows", json!({"look": look.look, "query": query}));
        assert!(window.rows.len() <= 3, "a window is no longer than it was asked for");
        if window.rows.is_empty() {
            assert_eq!(rows.len(), window.matching as usize, "what is counted is what is there");
            return rows;
        }
        rows.extend(window.rows);
    }
}

fn ids(rows: &[ContainRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.app.connected_app_id.clone()).collect()
}

fn third(parts: &[PolicyPart]) -> &PolicyPart {
    parts.iter().find(|part| part.kind == AppKind::ThirdParty).expect("a part for third-party apps")
}

fn keep(rows: &[ContainRow]) -> Vec<Value> {
    rows.iter().map(|row| json!({"connected_app_id": row.app.connected_app_id, "choice": "keep"})).collect()
}

/// A containment of one app with everything else kept, made into a plan.
#[track_caller]
fn made(app: &App, id: &str) -> Plan {
    let look = look_at(app, &[id]);
    let decisions = keep(&rows(app, &look, &["undecided"]));
    app.get("contain_make", json!({"look": look.look, "decisions": decisions, "reason": null}))
}

/// Contains one app, keeping all others, and answers the sweep at rest.
#[track_caller]
pub(crate) fn contained(app: &App, id: &str) -> Sweep {
    let sweep: Sweep = app.get("sweep_start", start(&made(app, id)));
    watch(app, &sweep.sweep_id)
}

#[test]
fn a_containment_is_shown_app_by_app_decided_carried_out_and_lifted_exactly() {
    let (ground, app) = scene(60, 40, "admin");
    ground.fault(json!({"policy_hides": false}));
    read(&app);
    let policy = ground.switch().policy(json!({}));
    let all = app_rows(&app);
    let id = plain(&app).remove(0);
    let grants = grants_of(&ground, &id);

    let look = look_at(&app, &[&id]);
    assert_eq!((look.apps, look.grants as usize, look.unchanged), (1, grants, false));
    assert_eq!((third(&look.before).word.as_str(), third(&look.after).word.as_str()), ("ALL_ALLOWED", "RESTRICTED"));
    assert_eq!(look.closes, [AppKind::ThirdParty]);
    assert!(look.denied.is_none() && look.block_denied.is_none());
    let total: u32 = look.fates.iter().map(|fate| fate.apps).sum();
    assert_eq!(total as usize, all.len(), "every app of the list has a fate");
    for fate in [ContainFate::Blocked, ContainFate::Undecided, ContainFate::Kept, ContainFate::Forbidden] {
        let word = json!(fate).as_str().map(str::to_owned).expect("a word");
        let counted = look.fates.iter().find(|count| count.fate == fate).map_or(0, |count| count.apps);
        assert_eq!(rows(&app, &look, &[&word]).len(), counted as usize, "{word}");
    }
    assert_eq!(rows(&app, &look, &[]).len(), all.len());
    let undecided = rows(&app, &look, &["undecided"]);
    assert!(undecided.len() > 2 && undecided.iter().all(|row| row.odd || row.new), "this world has look-alikes");
    let query = json!({"text": id.to_uppercase(), "offset": 0, "count": 10});
    let found: ContainRows = app.get("contain_rows", json!({"look": look.look, "query": query}));
    assert_eq!((found.matching, found.rows[0].grants as usize), (1, grants), "found by a part of its id, in any case");
    assert_eq!(third(&look.after).listed as usize, all.iter().filter(|row| !row.app.first_party).count() - 1);

    // Each flagged one needs a decision, and only they can be decided about.
    let refused = app.refusal("contain_make", json!({"look": look.look, "decisions": [], "reason": null}));
    let Refusal::Block { fault, app_ids } = &refused else { panic!("{refused:?}") };
    assert_eq!((fault.as_str(), app_ids.iter().cloned().collect()), ("undecided", ids(&undecided)));
    let stray = json!([{"connected_app_id": id, "choice": "keep"}]);
    let refused = app.refusal("contain_make", json!({"look": look.look, "decisions": stray, "reason": null}));
    assert!(
        matches!(refused, Refusal::BadInput { field: Field::ConnectedAppId, fault: Fault::Unknown }),
        "{refused:?}"
    );

    let granted = |row: &&ContainRow| row.grants > 0;
    let [also, left, ..] = undecided.iter().filter(granted).collect::<Vec<_>>()[..] else { panic!("two with grants") };
    let mut decisions = keep(&undecided);
    for decision in &mut decisions {
        if decision["connected_app_id"] == json!(also.app.connected_app_id) {
            decision["choice"] = json!("block");
        } else if decision["connected_app_id"] == json!(left.app.connected_app_id) {
            decision["choice"] = json!("leave_out");
        }
    }
    let make = json!({"look": look.look, "decisions": decisions, "reason": "ticket 7"});
    let plan: Plan = app.get("contain_make", make);
    let block = plan.block.as_ref().expect("a plan with a block");
    assert_eq!((block.apps_total, block.left_out, block.kept as usize), (2, 1, undecided.len() - 2));
    assert_eq!(plan.grants as usize, grants + grants_of(&ground, &also.app.connected_app_id));
    assert_eq!(plan.to_type, format!("{} Acme Robotics", plan.grants));
    let mut wrong = start(&plan);
    wrong["typed"] = json!(format!("{} Acme Robotics", plan.grants - 1));
    let refused = app.refusal("sweep_start", wrong);
    assert!(matches!(refused, Refusal::BadInput { field: Field::Typed, .. }), "{refused:?}");
    assert_eq!(
        (puts(&ground), sent(&ground)),
        (0, 0),
        "nothing was sent until the count and the organization were typed"
    );

    let kept_alive = grants_of(&ground, &left.app.connected_app_id);
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    let done = watch(&app, &sweep.sweep_id);
    assert_eq!((&done.stand, done.refused.is_none()), (&SweepState::Done, true));
    assert_eq!(
        (done.outcomes.len(), done.outcomes[0].outcome, done.outcomes[0].grants),
        (1, Outcome::Revoked, plan.grants)
    );
    let told = done.policy.as_ref().expect("it changed the policy");
    assert!(told.in_force && !told.denied && !told.lifted && !told.can_consent_again && told.liftable, "{told:?}");
    assert!(told.request_id.is_some() && told.at.is_some() && done.tokens_until.is_some());
    assert_eq!((done.collateral, done.returned), (Some(0), 0));
    let ledger = ground.ledger();
    assert_eq!((ledger.policy_changes.len(), sent(&ground)), (1, plan.grants as usize), "one change, one revoke each");
    assert_eq!(grants_of(&ground, &left.app.connected_app_id), kept_alive, "left out of the list, left alone");
    let now = ground.switch().policy(json!({}));
    let allowed: BTreeSet<String> =
        serde_json::from_value(now["allowed_third_party_connected_apps"].clone()).expect("a list of ids");
    let gone = BTreeSet::from([id.clone(), also.app.connected_app_id.clone(), left.app.connected_app_id.clone()]);
    let others = all.iter().filter(|row| !row.app.first_party).map(|row| row.app.connected_app_id.clone());
    assert_eq!(allowed, others.filter(|id| !gone.contains(id)).collect(), "every other installed app is kept");

    let lift: LiftLook = app.get("lift_look", json!({"sweep_id": sweep.sweep_id}));
    assert_eq!((lift.way, lift.hidden, lift.differs.len()), (LiftWay::Exact, 0, 0));
    let [changes] = &lift.changes[..] else { panic!("one part changes: {:?}", lift.changes) };
    assert_eq!(changes.word_to.as_deref(), Some("ALL_ALLOWED"));
    let lifted: Lifted = app.get("lift", json!({"sweep_id": sweep.sweep_id, "over_changes": false}));
    assert!(!lifted.not_lifted && !lifted.nothing_to_lift);
    let told = lifted.sweep.policy.expect("its policy");
    assert!(told.lifted && told.can_consent_again && !told.in_force && !told.liftable, "{told:?}");
    let back = ground.switch().policy(json!({}));
    for part in ["third_party_connected_apps_allowed_type", "first_party_connected_apps_allowed_type"] {
        assert_eq!(back[part], policy[part]);
    }
}

/// What only the policy was changed for says of no grant that it is gone.
#[track_caller]
fn blocked_alone(done: &Sweep) {
    assert_eq!((&done.stand, done.grants, done.outcomes.len()), (&SweepState::Done, 0, 0), "{done:?}");
    assert_eq!(
        (&done.gone_at, &done.confirmed_at, &done.tokens_until),
        (&None, &None, &None),
        "nothing is gone: {done:?}"
    );
    let policy = done.policy.as_ref().expect("it changed the policy");
    assert!(policy.in_force && policy.liftable && policy.apps == 1, "{policy:?}");
}

#[test]
fn an_app_without_grants_and_an_id_that_no_list_names_are_blocked_recorded_and_lifted() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let before = ground.switch().policy(json!({}));
    let id = plain(&app).remove(0);
    let all = plan_of(&app, json!({"kind": "app", "connected_app_id": id}));
    let revoked: Sweep = app.get("sweep_start", start(&all));
    watch(&app, &revoked.sweep_id);
    let sent_before = sent(&ground);
    assert!(sent_before > 0 && grants_of(&ground, &id) == 0);
    assert!(
        app_rows(&app).iter().any(|row| row.app.connected_app_id == id && row.grants == 0),
        "listed, and without grants"
    );

    let advised = "connected-app-test-00000000-dead-4bad-8bad-00000000beef";
    for (id, listed) in [(id.as_str(), true), (advised, false)] {
        let look = look_at(&app, &[id]);
        assert_eq!((look.apps, look.grants, look.unchanged), (1, 0, false));
        match &look.unlisted[..] {
            [] => assert!(listed, "an id that no list names is told"),
            [one] => {
                assert!(!listed && one.app.connected_app_id == advised && one.known_at.is_none() && !one.kind_told);
                assert_eq!(one.kind, Some(AppKind::ThirdParty), "the vendor's own were not asked for");
            }
            more => panic!("{more:?}"),
        }
        let plan = made(&app, id);
        assert_eq!((plan.grants, plan.to_type.as_str()), (0, "Acme Robotics"));
        let mut wrong = start(&plan);
        wrong["typed"] = json!("0 Acme Robotics");
        assert!(matches!(app.refusal("sweep_start", wrong), Refusal::BadInput { field: Field::Typed, .. }));
        let sweep: Sweep = app.get("sweep_start", start(&plan));
        let done = watch(&app, &sweep.sweep_id);
        blocked_alone(&done);
        let listed_sweeps: Vec<Sweep> = app.get("sweep_list", json!({}));
        let told = listed_sweeps.iter().find(|one| one.sweep_id == done.sweep_id).expect("it is listed");
        assert_eq!(told.app.as_ref().map(|app| app.connected_app_id.as_str()), Some(id));
        let again = app.refusal(
            "contain_look",
            json!({"what": {"kind": "apps", "connected_app_ids": [id]}, "first_party": false}),
        );
        assert!(matches!(&again, Refusal::Block { fault, .. } if fault == "already_forbidden"), "{again:?}");
        let now = ground.switch().policy(json!({}));
        let allowed = now["allowed_third_party_connected_apps"].as_array().expect("a list").clone();
        assert!(!allowed.contains(&json!(id)) && !allowed.is_empty(), "{allowed:?}");
        app.get::<LiftLook>("lift_look", json!({"sweep_id": sweep.sweep_id}));
        let lifted: Lifted = app.get("lift", json!({"sweep_id": sweep.sweep_id, "over_changes": false}));
        assert!(!lifted.not_lifted && lifted.sweep.gone_at.is_none());
        let back = ground.switch().policy(json!({}));
        for part in ["third_party_connected_apps_allowed_type", "first_party_connected_apps_allowed_type"] {
            assert_eq!(back[part], before[part]);
        }
        // What the block hid is read anew: no list is made of a part.
        read(&app);
    }
    assert_eq!(
        (ground.ledger().policy_changes.len(), sent(&ground)),
        (4, sent_before),
        "two blocks, two liftings, no revoke"
    );
}

#[test]
fn what_is_left_out_or_could_not_be_read_is_told_also_of_apps_that_the_list_lacks() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let mut listed = app_rows(&app).into_iter();
    let own = listed.find(|row| row.app.first_party && row.grants > 0).expect("an app of the vendor's own");
    let own = own.app.connected_app_id;
    let id = plain(&app).remove(0);
    let all = plan_of(&app, json!({"kind": "app", "connected_app_id": own}));
    let revoked: Sweep = app.get("sweep_start", start(&all));
    watch(&app, &revoked.sweep_id);
    read(&app);
    assert!(app_rows(&app).iter().all(|row| row.app.connected_app_id != own), "the list lacks it");
    let look = look_at(&app, &[&own, &id]);
    assert_eq!((look.apps, look.first_party_left_out), (1, 1));

    // Forbidden already: nothing is to be done for it, and the other is still left out.
    let advised = "connected-app-test-00000000-dead-4bad-8bad-00000000beef";
    ground.switch().policy(json!({
        "third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [id],
    }));
    let refusal = |ids: &[&str]| {
        let what = json!({"kind": "apps", "connected_app_ids": ids});
        match app.refusal("contain_look", json!({"what": what, "first_party": false})) {
            Refusal::Block { fault, app_ids } => (fault, app_ids),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal(&[&own, advised]), ("already_forbidden".to_owned(), vec![own.clone()]));
    ground.fault(json!({"server_error_share": 1.0, "on": advised}));
    assert_eq!(refusal(&[&own, advised]), ("already_forbidden_unread".to_owned(), vec![advised.to_owned()]));
}

#[test]
fn what_the_policy_hides_is_not_called_revoked_and_what_returns_with_the_lift_is_named() {
    let (ground, app) = scene(40, 8, "admin");
    ground.fault(json!({"policy_hides": true}));
    read(&app);
    let id = plain(&app).remove(0);
    let done = contained(&app, &id);
    assert!(done.outcomes.iter().all(|count| count.outcome == Outcome::Accepted), "{:?}", done.outcomes);
    let lift: LiftLook = app.get("lift_look", json!({"sweep_id": done.sweep_id}));
    assert_eq!((lift.hidden, lift.accepted), (0, done.grants));
    let page: contract::sweeps::SweepGrants =
        app.get("sweep_grants", json!({"sweep_id": done.sweep_id, "query": {"offset": 0, "count": 1}}));
    let member = page.rows[0].member.member_id.clone();
    let pair = Pair { member_id: member.clone(), connected_app_id: id.clone() };
    // Somebody consents between the lift and its read. Here another admin lifts it, so that there is a moment between.
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    ground.switch().consent(&pair);
    let lift: LiftLook = app.get("lift_look", json!({"sweep_id": done.sweep_id}));
    assert_eq!((lift.way, lift.changes.len()), (LiftWay::Nothing, 0));
    let lifted: Lifted = app.get("lift", json!({"sweep_id": done.sweep_id, "over_changes": false}));
    assert_eq!((lifted.sweep.returned, lifted.nothing_to_lift), (1, true));
    let args = json!({"sweep_id": done.sweep_id, "part": "returned", "offset": 0, "count": 10});
    let returned: FacePairs = app.get("sweep_pairs", args);
    assert_eq!((returned.total, returned.rows[0].member.member_id.as_str()), (1, member.as_str()));
    assert_eq!(returned.rows[0].app.connected_app_id, id);
    let revoked: u32 = lifted.sweep.outcomes.iter().filter(|c| c.outcome == Outcome::Revoked).map(|c| c.grants).sum();
    assert_eq!(revoked, done.grants - 1, "the others are gone by this read");
    assert!(ground.ledger().grants_to(&pair), "what is there is not called gone");
}

#[test]
fn a_policy_that_somebody_has_changed_stops_a_containment_before_anything_is_sent() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let [first, second, ..] = &plain(&app)[..] else { panic!("two apps") };
    let look = look_at(&app, &[first]);
    let decisions = keep(&rows(&app, &look, &["undecided"]));
    let others: Vec<Value> = app_rows(&app)
        .iter()
        .filter(|row| !row.app.first_party && row.app.connected_app_id != *second)
        .map(|row| json!(row.app.connected_app_id))
        .collect();
    ground.switch().policy(json!({
        "third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": others,
    }));
    let refused = app.refusal("contain_make", json!({"look": look.look, "decisions": decisions, "reason": null}));
    let Refusal::PolicyChanged { differs } = &refused else { panic!("{refused:?}") };
    let word = (differs[0].word_from.as_deref(), differs[0].word_to.as_deref());
    assert_eq!((word, differs[0].added_total as usize), ((Some("ALL_ALLOWED"), Some("RESTRICTED")), others.len()));
    assert!(differs[0].added.iter().all(|app| !app.name.is_empty()), "apps are named: {differs:?}");

    // The same after it was planned: the sweep stops, says why, and is not gone on with.
    let plan = made(&app, first);
    assert_eq!(third(&plan.block.as_ref().expect("a block").before).word, "RESTRICTED");
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    let over = watch(&app, &sweep.sweep_id);
    assert_eq!(over.stand, SweepState::Cancelled);
    assert!(over.policy.as_ref().is_some_and(|policy| policy.overtaken && !policy.in_force && !policy.liftable));
    assert!(
        matches!(&over.refused, Some(Refusal::PolicyChanged { differs }) if !differs.is_empty()),
        "{:?}",
        over.refused
    );
    assert_eq!((puts(&ground), sent(&ground)), (0, 0));
}

#[test]
fn a_change_of_the_policy_that_is_denied_is_told_in_advance_and_the_grants_are_revoked_all_the_same() {
    let (ground, app) = scene(40, 8, "admin");
    let admin = ground.person("admin").member_id.clone();
    ground.switch().roles(&admin, &["security_responder"]);
    app.get::<Value>("policy_read_again", json!({}));
    read(&app);
    let id = plain(&app).remove(0);
    let look = look_at(&app, &[&id]);
    assert!(look.denied.is_none(), "the revokes are allowed");
    let denied = look.block_denied.expect("the block is not");
    assert_eq!((denied.resource.as_deref(), denied.asked), (Some("stytch.organization"), false));
    assert_eq!(denied.roles_that_hold_it, ["stytch_admin"]);
    let done = contained(&app, &id);
    let policy = done.policy.expect("its policy");
    assert!(policy.denied && policy.can_consent_again && !policy.in_force && !policy.liftable, "{policy:?}");
    assert!(policy.request_id.is_some());
    assert_eq!((done.outcomes.len(), done.outcomes[0].outcome), (1, Outcome::Revoked));
    assert_eq!((grants_of(&ground, &id), puts(&ground), ground.ledger().policy_changes.len()), (0, 1, 0));
}

#[test]
fn a_block_that_somebody_else_undoes_is_told_to_the_window_once() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let id = plain(&app).remove(0);
    let done = contained(&app, &id);
    let told = app.hear();
    assert!(!app.watch(in_minutes(0)), "it is not due at once");
    let undone = |minutes| {
        assert!(app.watch(in_minutes(minutes)), "the watch is due");
        said(&told).into_iter().filter(|notice| *notice != WindowNotice::Looked).collect::<Vec<_>>()
    };
    assert_eq!(undone(6), [], "it is in force");
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    assert_eq!(undone(12), [WindowNotice::BlockUndone { sweep_id: done.sweep_id, connected_app_ids: vec![id] }]);
    assert_eq!(undone(18), [], "once");
}

#[test]
fn revoke_read_then_block_is_carried_out_in_that_order() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let id = plain(&app).remove(0);
    let mut args = start(&made(&app, &id));
    args["block_last"] = json!(true);
    let sweep: Sweep = app.get("sweep_start", args);
    let done = watch(&app, &sweep.sweep_id);
    assert_eq!(
        (done.outcomes.len(), done.outcomes[0].outcome),
        (1, Outcome::Revoked),
        "read before the policy hides them"
    );
    assert!(done.policy.is_some_and(|policy| policy.in_force));
    let calls = ground.ledger().calls;
    let put = calls.iter().position(|call| call.method == "PUT").expect("a change of the policy");
    let last = calls.iter().rposition(|call| call.path.ends_with("/revoke")).expect("a revoke");
    assert!(last < put, "the block comes last");
}

#[test]
fn no_allowlist_is_made_of_a_list_that_is_not_whole() {
    let (ground, app) = scene(40, 8, "admin");
    ground.fault(json!({"bad_row": "wrong_type"}));
    read(&app);
    let id = plain(&app).remove(0);
    let args = json!({"what": {"kind": "apps", "connected_app_ids": [id]}, "first_party": false});
    let refused = app.refusal("contain_look", args);
    assert!(matches!(&refused, Refusal::Block { fault, .. } if fault == "incomplete_list"), "{refused:?}");
    assert_eq!(puts(&ground), 0);
}

#[test]
fn a_lift_restores_only_what_was_shown_and_nothing_else_that_was_changed_since() {
    let (ground, app) = scene(40, 8, "admin");
    read(&app);
    let [first, second, ..] = &plain(&app)[..] else { panic!("two apps") };
    let done = contained(&app, first);
    let lift = |over: bool| json!({"sweep_id": done.sweep_id, "over_changes": over});
    let refused = app.refusal("lift", lift(true));
    assert!(matches!(&refused, Refusal::Block { fault, .. } if fault == "not_kept"), "never shown: {refused:?}");

    app.get::<LiftLook>("lift_look", json!({"sweep_id": done.sweep_id}));
    let now = ground.switch().policy(json!({}));
    let mut list: Vec<String> =
        serde_json::from_value(now["allowed_third_party_connected_apps"].clone()).expect("a list of ids");
    list.retain(|id| id != second);
    ground.switch().policy(json!({"allowed_third_party_connected_apps": list}));
    let before = puts(&ground);
    for over in [false, true] {
        let refused = app.refusal("lift", lift(over));
        let Refusal::PolicyChanged { differs } = &refused else { panic!("changed since it was shown: {refused:?}") };
        assert_eq!((differs[0].removed_total, differs[0].removed[0].connected_app_id.as_str()), (1, second.as_str()));
    }
    let view: LiftLook = app.get("lift_look", json!({"sweep_id": done.sweep_id}));
    assert_eq!((view.way, view.differs.len()), (LiftWay::Changed, 1));
    assert_eq!(view.changes[0].added[0].connected_app_id, *first, "what could be consented to again is named");
    assert_eq!(app.refusal_kind("lift", lift(false)), "policy_changed", "nobody said to lift over it");
    assert_eq!(puts(&ground), before, "nothing was sent");
    let lifted: Lifted = app.get("lift", lift(true));
    assert!(!lifted.not_lifted && lifted.differs.len() == 1);
    let now = ground.switch().policy(json!({}));
    let allowed: BTreeSet<String> =
        serde_json::from_value(now["allowed_third_party_connected_apps"].clone()).expect("a list of ids");
    assert!(allowed.contains(first) && !allowed.contains(second), "theirs is left as it is");
}

#[test]
fn what_names_no_look_no_sweep_and_no_block_is_refused() {
    let (ground, app) = scene(16, 8, "admin");
    read(&app);
    let unknown = "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11";
    for (id, fault) in [(unknown, Fault::Unknown), ("../../x", Fault::Malformed), ("", Fault::Malformed)] {
        for command in ["lift_look", "lift", "sweep_pairs", "evidence_export"] {
            let args = json!({"sweep_id": id, "over_changes": true, "part": "returned", "offset": 0, "count": 1});
            let refused = app.refusal(command, args);
            let right = matches!(&refused, Refusal::BadInput { field: Field::SweepId, fault: f } if *f == fault);
            assert!(right, "{command} {id:?}: {refused:?}");
        }
    }
    for command in ["contain_rows", "contain_make"] {
        let args = json!({"look": unknown, "query": {"offset": 0, "count": 1}, "decisions": [], "reason": null});
        let refused = app.refusal(command, args);
        assert!(matches!(&refused, Refusal::Block { fault, .. } if fault == "not_kept"), "{command}: {refused:?}");
    }
    let contain = |what: Value| json!({"what": what, "first_party": false});
    for (what, field, fault) in [
        (json!({"kind": "apps", "connected_app_ids": []}), Field::ConnectedAppId, Fault::Unknown),
        (json!({"kind": "group", "group": "nobody"}), Field::ConnectedAppId, Fault::Unknown),
        (json!({"kind": "apps", "connected_app_ids": vec!["x"; 201]}), Field::Query, Fault::TooLong),
    ] {
        let refused = app.refusal("contain_look", contain(what));
        assert!(
            matches!(&refused, Refusal::BadInput { field: f, fault: w } if (*f, *w) == (field, fault)),
            "{refused:?}"
        );
    }
    let refused = app.refusal("contain_look", contain(json!({"kind": "apps", "connected_app_ids": ["nobody"]})));
    let Refusal::Block { fault, app_ids } = refused else { panic!("{refused:?}") };
    assert_eq!((fault.as_str(), app_ids), ("not_listed", vec!["nobody".to_owned()]));

    let plan = plan_of(&app, json!({"kind": "app", "connected_app_id": plain(&app)[0]}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    let done = watch(&app, &sweep.sweep_id);
    assert!(done.policy.is_none());
    let refused = app.refusal("lift_look", json!({"sweep_id": done.sweep_id}));
    assert!(matches!(&refused, Refusal::Block { fault, .. } if fault == "nothing_blocked"), "{refused:?}");
    assert_eq!(puts(&ground), 0);
}

#[test]
fn a_look_and_a_block_of_one_place_are_none_at_another() {
    let (ground, app) = scene(24, 8, "admin");
    let other = Ground::sized(2, 16);
    read(&app);
    let id = plain(&app).remove(0);
    let done = contained(&app, &id);
    let look = look_at(&app, &[&plain(&app)[1]]);
    let decisions = keep(&rows(&app, &look, &["undecided"]));
    let make = json!({"look": look.look, "decisions": decisions, "reason": null});
    let lift = json!({"sweep_id": done.sweep_id, "over_changes": true});
    app.get::<LiftLook>("lift_look", json!({"sweep_id": done.sweep_id}));
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let before = (puts(&ground), sent(&ground));
    for (command, args) in [("contain_make", &make), ("lift", &lift), ("lift_look", &lift), ("contain_look", &lift)] {
        let mut args = args.clone();
        args["what"] = json!({"kind": "apps", "connected_app_ids": [id]});
        args["first_party"] = json!(false);
        assert_eq!(app.refusal_kind(command, args), "signed_out", "{command}");
    }
    let connection = app.connect(&other);
    app.sign_in(&other, &connection, "admin");
    read(&app);
    for command in ["lift", "lift_look"] {
        let refused = app.refusal(command, lift.clone());
        assert!(matches!(&refused, Refusal::Plan { fault } if fault == "elsewhere"), "{command}: {refused:?}");
    }
    let refused = app.refusal("contain_make", make);
    assert!(matches!(&refused, Refusal::Block { .. } | Refusal::PolicyChanged { .. }), "{refused:?}");
    assert_eq!((puts(&ground), sent(&ground)), before);
    assert_eq!((puts(&other), sent(&other)), (0, 0));
}

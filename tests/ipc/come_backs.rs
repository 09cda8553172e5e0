//! Come-backs through the wire: told once to whoever listens, listed until they are dismissed, looked for while somebody is signed in
//! and nothing runs.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use contract::come_backs::{ComeBackKind, ComeBacks};
use contract::plans::Plan;
use contract::refusal::{Fault, Field, Refusal};
use contract::sweeps::{Sweep, SweepGrants, WindowNotice};
use jiff::Timestamp;
use promises::ipc::{App, Ground, Pair};
use serde_json::{Value, json};

use super::inventory::{read, scene};
use super::plans::plan_of;
use super::sweeps::{start, watch};

#[track_caller]
fn listed(app: &App) -> ComeBacks {
    app.get("come_back_list", json!({"offset": 0, "count": 100}))
}

/// What is said within a moment: nothing more is expected after it.
pub(crate) fn said(told: &Receiver<WindowNotice>) -> Vec<WindowNotice> {
    let mut said = Vec::new();
    while let Ok(notice) = told.recv_timeout(Duration::from_millis(300)) {
        said.push(notice);
    }
    said
}

pub(crate) fn in_minutes(minutes: i64) -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_mins(minutes)
}

/// Revokes everything of one app, lets two of those who lost it consent again, and answers both.
fn lost_and_two_back(ground: &Ground, app: &App) -> [Pair; 2] {
    read(app);
    let id = ground.pair().connected_app_id;
    let sweep: Sweep = app.get("sweep_start", start(&plan_of(app, json!({"kind": "app", "connected_app_id": id}))));
    let done = watch(app, &sweep.sweep_id);
    let page: SweepGrants =
        app.get("sweep_grants", json!({"sweep_id": done.sweep_id, "query": {"offset": 0, "count": 2}}));
    let pairs =
        [0, 1].map(|at| Pair { member_id: page.rows[at].member.member_id.clone(), connected_app_id: id.clone() });
    pairs.iter().for_each(|pair| ground.switch().consent(pair));
    pairs
}

/// What Activity shows as listed again: of the sweep that was first, the count and the members.
#[track_caller]
fn listed_again_in_activity(app: &App) -> (u32, BTreeSet<String>) {
    let all: Vec<Sweep> = app.get("sweep_list", json!({}));
    let first = all.last().expect("a sweep");
    let page: SweepGrants =
        app.get("sweep_grants", json!({"sweep_id": first.sweep_id, "query": {"offset": 0, "count": 100}}));
    let again = page.rows.into_iter().filter(|row| {
        assert!(row.listed_again_at.is_none() || row.listed_again_at > row.gone_at, "{row:?}");
        row.listed_again_at.is_some()
    });
    (first.listed_again, again.map(|row| row.member.member_id).collect())
}

#[test]
fn the_watch_tells_of_two_that_came_back_once_and_lists_them_until_they_are_dismissed() {
    let (ground, app) = scene(40, 8, "admin");
    let told = app.hear();
    let two = lost_and_two_back(&ground, &app);
    assert!(listed(&app).rows.is_empty(), "nobody has looked yet");
    assert_eq!(listed_again_in_activity(&app), (0, BTreeSet::new()));
    assert!(!app.watch(Timestamp::now()), "it is not due at once");
    let calls = ground.calls();
    assert!(!app.watch(in_minutes(4)) && ground.calls() == calls, "nor after four minutes");
    assert!(app.watch(in_minutes(6)), "after five it is");
    let notices = said(&told);
    let batches: Vec<&Vec<String>> = notices
        .iter()
        .filter_map(|notice| match notice {
            WindowNotice::ComeBacks { ids } => Some(ids),
            _ => None,
        })
        .collect();
    assert_eq!(batches.len(), 1, "one batch: {notices:?}");
    assert!(notices.contains(&WindowNotice::Looked));

    let back = listed(&app);
    assert_eq!((back.total, batches[0].len()), (2, 2));
    assert_eq!(back.rows.iter().map(|row| &row.id).collect::<BTreeSet<_>>(), batches[0].iter().collect());
    for row in &back.rows {
        assert_eq!((row.kind, &row.app), (ComeBackKind::SeenAgain, &row.lost_app));
        assert!(two.iter().any(|pair| pair.member_id == row.member.member_id), "{row:?}");
        assert!(row.gone_at < row.seen_at && !row.app.name.is_empty() && row.member.email.is_some());
    }
    let members: BTreeSet<String> = two.iter().map(|pair| pair.member_id.clone()).collect();
    assert_eq!(listed_again_in_activity(&app), (2, members.clone()), "what it came to is not what is");
    let window: ComeBacks = app.get("come_back_list", json!({"offset": 1, "count": 1}));
    assert_eq!((window.rows.len(), window.total, &window.rows[0].id), (1, 2, &back.rows[1].id));

    app.get::<Value>("come_back_dismiss", json!({"id": back.rows[0].id}));
    assert_eq!(listed(&app).rows.iter().map(|row| &row.id).collect::<Vec<_>>(), [&back.rows[1].id]);
    assert_eq!(listed_again_in_activity(&app), (2, members), "who dismisses knows of it, and it is still listed");
    assert!(app.watch(in_minutes(12)));
    assert_eq!(said(&told), [WindowNotice::Looked], "nothing is told twice");
    for id in ["", "nobody", back.rows[0].id.as_str()] {
        let refused = app.refusal("come_back_dismiss", json!({ "id": id }));
        assert!(
            matches!(refused, Refusal::BadInput { field: Field::ComeBackId, fault: Fault::Unknown }),
            "{id:?}: {refused:?}"
        );
    }
    let swept: Vec<Sweep> = app.get("sweep_list", json!({}));
    let again: Plan = app.get("sweep_retry", json!({"sweep_id": swept[0].sweep_id}));
    assert_eq!(again.grants, 2, "the sweep's own plan anew has what is listed again");
    // Revoke again: exactly what is still listed, as a plan like any other.
    let pairs: Vec<Value> = two.iter().map(Pair::args).collect();
    let plan: Plan = plan_of(&app, json!({"kind": "pairs", "pairs": pairs}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    watch(&app, &sweep.sweep_id);
    assert!(two.iter().all(|pair| !ground.ledger().grants_to(pair)));
    assert!(listed(&app).rows.is_empty(), "what is gone again is listed no more");
    assert_eq!(listed_again_in_activity(&app), (0, BTreeSet::new()));
}

#[test]
fn what_a_reading_of_ones_own_raises_is_told_as_well() {
    let (ground, app) = scene(40, 8, "admin");
    lost_and_two_back(&ground, &app);
    let told = app.hear();
    read(&app);
    let notices = said(&told);
    assert!(matches!(&notices[..], [WindowNotice::ComeBacks { ids }] if ids.len() == 2), "{notices:?}");
}

#[test]
fn it_watches_only_while_somebody_is_signed_in_something_was_read_and_nothing_runs() {
    let (ground, app) = scene(24, 10, "admin");
    let told = app.hear();
    let calls = ground.calls();
    assert!(!app.watch(in_minutes(60)) && ground.calls() == calls, "nobody asked for a first reading");
    assert!(!listed(&app).watch.watching);
    read(&app);
    assert!(!app.watch(Timestamp::now()), "it begins to watch");
    let watch_now = listed(&app).watch;
    assert_eq!((watch_now.watching, watch_now.every_s), (true, 300));
    assert!(watch_now.looked_at.is_some() && watch_now.next_at > watch_now.looked_at && watch_now.problem.is_none());

    ground.fault(json!({"latency_ms": 60}));
    let all = json!({"kind": "selection", "selection": {"noun": "grants", "all": true, "ids": []}});
    let sweep: Sweep = app.get("sweep_start", start(&plan_of(&app, all)));
    assert!(!listed(&app).watch.watching);
    assert!(!app.watch(in_minutes(60)), "not while a sweep runs");
    watch(&app, &sweep.sweep_id);
    ground.fault(json!({"latency_ms": null, "body": "truncated"}));
    said(&told);
    assert!(app.watch(in_minutes(60)));
    assert_eq!(said(&told), [WindowNotice::Looked]);
    assert!(listed(&app).watch.problem.is_some(), "a look that failed is told");
    assert!(!app.watch(in_minutes(61)), "and not repeated at once");
    ground.fault(json!({"body": null}));
    assert!(app.watch(in_minutes(66)));
    assert!(listed(&app).watch.problem.is_none());
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let calls = ground.calls();
    assert!(!app.watch(in_minutes(600)) && ground.calls() == calls, "nobody is signed in");
    assert_eq!(app.refusal_kind("come_back_list", json!({"offset": 0, "count": 1})), "signed_out");
}

#[test]
fn a_notification_that_nobody_shows_harms_nothing_and_words_without_end_are_refused() {
    let app = App::open();
    // Whether anybody here shows notifications is not known: both answers are right, and none is an error.
    app.get::<bool>("window_notify", json!({"title": "Came back", "body": "Two grants to <b>DataSync</b>"}));
    for (title, body, fault) in [("", "x", Fault::Empty), ("x", &"y".repeat(301), Fault::TooLong)] {
        let refused = app.refusal("window_notify", json!({"title": title, "body": body}));
        assert!(matches!(&refused, Refusal::BadInput { field: Field::Words, fault: f } if *f == fault), "{refused:?}");
    }
}

//! Indicators through the wire: what a file names is found or said not to be, planned, contained, and exported as evidence.

use std::collections::BTreeSet;
use std::path::PathBuf;

use contract::contain::ContainLook;
use contract::evidence::{EvidenceCheck, EvidencePack, EvidenceVerdict};
use contract::indicators::{Finding, FindingRows, MatchedBy};
use contract::plans::Plan;
use contract::refusal::Refusal;
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

use super::inventory::{app_rows, read};
use super::plans::with_choice;

#[track_caller]
fn check(app: &App) -> Finding {
    app.get::<Option<Finding>>("indicators_check", json!({})).expect("a file was chosen")
}

#[track_caller]
fn rows(app: &App, finding: &Finding, part: &str) -> FindingRows {
    app.get("indicators_rows", json!({"finding": finding.finding, "part": part, "offset": 0, "count": 100}))
}

#[test]
fn what_an_advisory_names_is_found_planned_contained_and_exported() {
    let ground = Ground::with(sandbox::Options { members: 40, apps: 10, ..sandbox::Options::default() });
    let (app, chosen) = with_choice(&ground);
    assert_eq!(app.refusal_kind("indicators_check", json!({})), "nothing_read");
    read(&app);
    assert!(app.get::<Option<Finding>>("indicators_check", json!({})).is_none(), "none was chosen");
    let mut plain =
        app_rows(&app).into_iter().filter(|row| !row.app.first_party && row.odd.is_empty() && row.grants > 1);
    let (one, two) = (plain.next().expect("an app").app, plain.next().expect("another").app);
    let file = app.state_dir().join("advisory.txt");
    *chosen.lock().expect("a choice") = Some(file.clone());
    std::fs::write(
        &file,
        format!("# an advisory\n{}\n{}\nconnected-app-test-nobody\n", one.connected_app_id, two.name.to_uppercase()),
    )
    .expect("a file");
    let calls = ground.calls();
    let finding = check(&app);
    assert_eq!((finding.file.as_str(), finding.indicators, finding.found), ("advisory.txt", 3, 2));
    assert_eq!((finding.apps_read, finding.apps_listed, finding.complete), (10, 10, true));
    let of = |id: &str| ground.ledger().grants.iter().filter(|grant| grant.connected_app_id == id).count();
    let grants = of(&one.connected_app_id) + of(&two.connected_app_id);
    assert_eq!((finding.apps, finding.grants as usize), (2, grants));
    let found = rows(&app, &finding, "found");
    let by: Vec<_> = found.rows.iter().map(|row| (row.by, row.apps[0].connected_app_id.as_str())).collect();
    let expected =
        [(Some(MatchedBy::Id), one.connected_app_id.as_str()), (Some(MatchedBy::Name), two.connected_app_id.as_str())];
    assert_eq!(by, expected);
    let missing = rows(&app, &finding, "not_found");
    assert_eq!((missing.total, missing.rows[0].text.as_str()), (1, "connected-app-test-nobody"));
    assert_eq!(rows(&app, &finding, "all").total, 3);

    let what = json!({"kind": "found", "finding": finding.finding, "look_alikes": false});
    let plan: Plan = app.get("plan_make", json!({"what": what, "first_party": false, "reason": "advisory"}));
    assert_eq!((plan.grants as usize, plan.apps, plan.block.is_none()), (grants, 2, true));
    assert_eq!(ground.calls(), calls + 2, "the policy, and the one id that is in no list");
    let look: ContainLook = app.get("contain_look", json!({"what": what, "first_party": false}));
    assert_eq!((look.apps, look.grants as usize), (2, grants));

    let export = json!({"finding": finding.finding, "reason": "advisory"});
    let pack: EvidencePack = app.get("indicators_export", export.clone());
    let again: EvidencePack = app.get("indicators_export", export);
    assert_eq!((&pack.head, &pack.chain_head), (&again.head, &again.chain_head), "it is recorded once");
    assert_ne!(pack.path, again.path, "no file is written over");
    *chosen.lock().expect("a choice") = Some(PathBuf::from(&pack.path));
    let checked: Option<EvidenceCheck> = app.get("evidence_check", json!({"head": pack.head}));
    let EvidenceVerdict::Good(facts) = checked.expect("a verdict").verdict else { panic!("it holds together") };
    assert_eq!((facts.grants, facts.closed), (0, true), "nothing was sent for a finding");
    assert_eq!((facts.finding, facts.complete), (true, Some(true)), "everything was read that was looked in");
    assert!(app.get::<Vec<Value>>("sweep_list", json!({})).is_empty(), "a finding is no sweep");
    assert!(ground.ledger().revocations.is_empty());
}

#[test]
fn names_that_only_look_like_one_are_told_apart_and_left_out_until_asked_for() {
    let ground = Ground::with(sandbox::Options { members: 40, apps: 40, ..sandbox::Options::default() });
    let (app, chosen) = with_choice(&ground);
    read(&app);
    let file = app.state_dir().join("names.csv");
    std::fs::write(&file, "name\nClaude\n").expect("a file");
    *chosen.lock().expect("a choice") = Some(file);
    let finding = check(&app);
    assert!(finding.apps_with_look_alikes > finding.apps && finding.grants_with_look_alikes > finding.grants);
    let row = &rows(&app, &finding, "found").rows[0];
    assert!(row.look_alikes_total > 0, "{row:?}");
    let plan = |look_alikes: bool| -> Plan {
        let what = json!({"kind": "found", "finding": finding.finding, "look_alikes": look_alikes});
        app.get("plan_make", json!({"what": what, "first_party": true, "reason": null}))
    };
    let (sure, all) = (plan(false), plan(true));
    assert_eq!((sure.grants, all.grants), (finding.grants, finding.grants_with_look_alikes));
    assert_ne!(sure.hash, all.hash);
}

#[test]
fn a_file_that_is_no_list_of_indicators_is_refused_with_what_is_wrong_with_it() {
    let ground = Ground::default();
    let (app, chosen) = with_choice(&ground);
    read(&app);
    let file = app.state_dir().join("bad");
    *chosen.lock().expect("a choice") = Some(file.clone());
    let many = (0..100_001).map(|n| format!("id-{n}\n")).collect::<String>();
    // What it holds, what is wrong with it, and in which line or entry.
    type Fault<'a> = (&'a [u8], &'a str, Option<u32>, Option<u32>);
    let faults: [Fault<'_>; 10] = [
        (b"", "empty", None, None),
        (b"# nothing\n", "empty", None, None),
        (b"\xff\xfe", "not_text", None, None),
        (b"{\"a\": 1}", "not_a_list", None, None),
        (b"[\"Foo\", {\"a\": 1}]", "not_a_list", None, Some(2)),
        (b"{\"name\": \"Foo\"}\n{\"a\": 1}\n", "not_a_list", Some(2), None),
        (b"a,b\n1,2\n3,4\n", "no_column", Some(1), None),
        (b"name,note\nFoo,1\n,2\n", "no_column", Some(3), None),
        (b"name\n\"open\nthe rest\n", "quotes", Some(2), None),
        (many.as_bytes(), "too_many", None, None),
    ];
    let mut told = BTreeSet::new();
    for (bytes, fault, line, entry) in faults {
        std::fs::write(&file, bytes).expect("a file");
        let refused = app.refusal("indicators_check", json!({}));
        let Refusal::ChosenFile { fault: f, line: l, entry: e } = &refused else { panic!("{fault}: {refused:?}") };
        assert_eq!((f.as_str(), *l, *e), (fault, line, entry));
        told.insert(fault);
    }
    assert_eq!(told.len(), 6);
    *chosen.lock().expect("a choice") = Some(app.state_dir().to_owned());
    let refused = app.refusal("indicators_check", json!({}));
    assert!(
        matches!(&refused, Refusal::ChosenFile { fault, line: None, entry: None } if fault == "unreadable"),
        "{refused:?}"
    );
}

#[test]
fn a_finding_that_was_never_shown_is_refused_and_one_of_another_place_is_no_evidence_here() {
    let (ground, other) = (Ground::default(), Ground::sized(2, 16));
    let (app, chosen) = with_choice(&ground);
    read(&app);
    let what = json!({"kind": "found", "finding": "nobody", "look_alikes": false});
    for (command, args) in [
        ("indicators_rows", json!({"finding": "nobody", "part": "all", "offset": 0, "count": 1})),
        ("indicators_export", json!({"finding": "nobody", "reason": null})),
        ("plan_make", json!({"what": what, "first_party": false, "reason": null})),
        ("contain_look", json!({"what": what, "first_party": false})),
    ] {
        let refused = app.refusal(command, args);
        assert!(matches!(&refused, Refusal::Plan { fault } if fault == "not_kept"), "{command}: {refused:?}");
    }
    let file = app.state_dir().join("advisory.txt");
    std::fs::write(&file, "connected-app-test-nobody\n").expect("a file");
    *chosen.lock().expect("a choice") = Some(file);
    let finding = check(&app);
    let connection = app.connect(&other);
    app.sign_in(&other, &connection, "admin");
    read(&app);
    let refused = app.refusal("indicators_export", json!({"finding": finding.finding, "reason": null}));
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "elsewhere"), "{refused:?}");
}

#[test]
fn an_app_that_the_policy_hides_is_found_by_its_id_and_never_called_absent() {
    let ground = Ground::with(sandbox::Options { members: 40, apps: 10, ..sandbox::Options::default() });
    let (app, chosen) = with_choice(&ground);
    read(&app);
    let mut plain =
        app_rows(&app).into_iter().filter(|row| !row.app.first_party && row.odd.is_empty() && row.grants > 1);
    let id = plain.next().expect("an app").app.connected_app_id;
    let grants = ground.ledger().grants.iter().filter(|grant| grant.connected_app_id == id).count();
    let third = |row: &contract::inventory::AppRow| !row.app.first_party && row.app.connected_app_id != id;
    let others: Vec<String> = app_rows(&app).into_iter().filter(third).map(|row| row.app.connected_app_id).collect();
    ground.switch().policy(json!({
        "third_party_connected_apps_allowed_type": "RESTRICTED",
        "allowed_third_party_connected_apps": others,
    }));
    read(&app);
    assert!(app_rows(&app).iter().all(|row| row.app.connected_app_id != id), "it is in no list any more");
    let file = app.state_dir().join("advisory.txt");
    std::fs::write(&file, format!("- {}\nconnected-app-test-nobody\n\"half of a name\n", id.to_uppercase()))
        .expect("a file");
    *chosen.lock().expect("a choice") = Some(file);

    let finding = check(&app);
    assert_eq!((finding.found, finding.grants as usize, finding.asked), (1, grants, 2));
    assert_eq!((finding.unknown, finding.unasked, finding.complete), (1, 0, false), "nobody's view may be hidden too");
    assert_eq!(finding.not_understood_total, 1);
    let found = rows(&app, &finding, "found");
    assert_eq!((found.rows[0].by, found.rows[0].apps[0].connected_app_id.as_str()), (Some(MatchedBy::Id), id.as_str()));
    assert!(!found.rows[0].apps[0].name.is_empty(), "its own view names it");
    let what = json!({"kind": "found", "finding": finding.finding, "look_alikes": false});
    let plan: Plan = app.get("plan_make", json!({"what": what, "first_party": false, "reason": null}));
    assert_eq!(plan.grants as usize, grants);

    // Its own view is hidden too: it is unknown, and no finding is nil.
    ground.fault(json!({"policy_hides": true}));
    let finding = check(&app);
    assert_eq!((finding.found, finding.unknown, finding.complete), (0, 2, false));
    // Nobody is signed in to ask.
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let refused = app.ask("indicators_check", json!({}));
    assert!(refused.is_err(), "nothing is shown, so nothing is looked for: {refused:?}");
}

//! Plans: exactly what was selected, counted as the ledger counts it; first-party left out until asked for; files that are opened
//! and compared; and every plan that cannot be used.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use contract::inventory::{Exported, GrantRow};
use contract::plans::{Plan, PlanGrants, PlanShares};
use contract::refusal::{Fault, Field, Refusal};
use promises::ipc::{App, Ground, Pair};
use serde_json::{Value, json};

use super::inventory::{app_rows, read, scene};

/// A plan of something, first-party included.
#[track_caller]
pub(crate) fn plan_of(app: &App, what: Value) -> Plan {
    app.get("plan_make", json!({"what": what, "first_party": true, "reason": null}))
}

#[track_caller]
fn rows(app: &App, hash: &str, part: &str) -> Vec<GrantRow> {
    let mut rows = Vec::new();
    loop {
        let args = json!({"hash": hash, "part": part, "offset": rows.len(), "count": 7});
        let window: PlanGrants = app.get("plan_grants", args);
        assert!(window.rows.len() <= 7, "a window is no longer than it was asked for");
        if window.rows.is_empty() {
            assert_eq!(rows.len(), window.total as usize, "what is counted is what is there");
            return rows;
        }
        rows.extend(window.rows);
    }
}

fn pairs(rows: &[GrantRow]) -> BTreeSet<(String, String)> {
    rows.iter().map(|row| (row.member.member_id.clone(), row.app.connected_app_id.clone())).collect()
}

fn ledger(ground: &Ground, fits: impl Fn(&str, &str) -> bool) -> BTreeSet<(String, String)> {
    let grants = ground.ledger().grants.into_iter().map(|grant| (grant.member_id, grant.connected_app_id));
    grants.filter(|(member, app)| fits(member, app)).collect()
}

#[test]
fn a_plan_names_exactly_the_grants_of_what_was_selected() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    let one = ground.pair();
    let (member, connected_app) = (one.member_id.clone(), one.connected_app_id.clone());
    let grant_id = format!("{member}\n{connected_app}");
    for (what, expected) in [
        (json!({"kind": "app", "connected_app_id": connected_app}), ledger(&ground, |_, app| app == connected_app)),
        (json!({"kind": "member", "member_id": member}), ledger(&ground, |of, _| of == member)),
        (
            json!({"kind": "selection", "selection": {"noun": "grants", "all": true, "ids": [grant_id]}}),
            ledger(&ground, |of, app| (of, app) != (&member, &connected_app)),
        ),
        (
            json!({"kind": "pairs", "pairs": [{"member_id": member, "connected_app_id": connected_app}]}),
            BTreeSet::from([(member.clone(), connected_app.clone())]),
        ),
    ] {
        let plan = plan_of(&app, what.clone());
        let rows = rows(&app, &plan.hash, "planned");
        assert_eq!((pairs(&rows), rows.len()), (expected.clone(), expected.len()), "{what}");
        assert_eq!(plan.grants as usize, expected.len(), "{what}");
        assert_eq!(plan.members as usize, expected.iter().map(|pair| &pair.0).collect::<BTreeSet<_>>().len());
        assert_eq!(plan.apps as usize, expected.iter().map(|pair| &pair.1).collect::<BTreeSet<_>>().len());
        assert_eq!(plan.to_type, format!("{} Acme Robotics", expected.len()));
        for (noun, count) in [("apps", plan.apps), ("members", plan.members)] {
            let shares: PlanShares =
                app.get("plan_shares", json!({"hash": plan.hash, "noun": noun, "offset": 0, "count": 1000}));
            assert_eq!((shares.total, shares.rows.len()), (count, count as usize), "{noun}");
            assert_eq!(shares.rows.iter().map(|share| share.grants).sum::<u32>(), plan.grants, "{noun}");
            assert!(shares.rows.iter().all(|share| share.grants >= 1 && share.grants <= share.of), "{noun}");
        }
    }
    assert!(ground.ledger().revocations.is_empty(), "a plan sends nothing");
}

#[test]
fn the_vendors_own_apps_stay_out_until_they_are_asked_for() {
    let (ground, app) = scene(24, 12, "admin");
    read(&app);
    let own: BTreeSet<String> =
        app_rows(&app).into_iter().filter(|row| row.app.first_party).map(|row| row.app.connected_app_id).collect();
    let theirs = ledger(&ground, |_, app| own.contains(app)).len() as u32;
    assert!(theirs > 0, "the scene has apps of the vendor's own");
    let all = json!({"kind": "selection", "selection": {"noun": "apps", "all": true, "ids": []}});
    let without: Plan = app.get("plan_make", json!({"what": all, "first_party": false, "reason": null}));
    assert_eq!((without.first_party, without.first_party_left_out), (0, theirs));
    assert!(rows(&app, &without.hash, "planned").iter().all(|row| !row.app.first_party));
    let with = plan_of(&app, all);
    assert_eq!((with.first_party, with.first_party_left_out), (theirs, 0));
    assert_eq!(with.grants, without.grants + theirs);
    assert_ne!(with.hash, without.hash);
    let only = json!({"kind": "app", "connected_app_id": own.first()});
    let refused = app.refusal("plan_make", json!({"what": only, "first_party": false, "reason": null}));
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "grants"), "nothing is left: {refused:?}");
}

#[test]
fn administrators_come_first_and_ones_own_grants_are_counted() {
    let (ground, app) = scene(30, 10, "admin");
    read(&app);
    let all = json!({"kind": "selection", "selection": {"noun": "grants", "all": true, "ids": []}});
    let plan = plan_of(&app, all);
    let me = ground.person("admin").member_id.clone();
    let own = ledger(&ground, |member, _| member == me).len();
    assert_eq!(plan.own as usize, own);
    let rows = rows(&app, &plan.hash, "planned");
    let admins: BTreeSet<String> = app
        .get::<contract::inventory::MemberRows>("inventory_members", json!({"query": {"count": 1000}}))
        .rows
        .into_iter()
        .filter(|row| row.roles.iter().any(|role| role == "stytch_admin"))
        .map(|row| row.face.member_id)
        .collect();
    let theirs = rows.iter().take_while(|row| admins.contains(&row.member.member_id)).count();
    assert!(theirs > 0 && theirs == plan.privileged as usize, "{theirs} stand first, {} are counted", plan.privileged);
    assert!(rows[theirs..].iter().all(|row| !admins.contains(&row.member.member_id)));
}

/// The app with a file to open, and the file.
pub(crate) fn with_choice(ground: &Ground) -> (App, Arc<Mutex<Option<PathBuf>>>) {
    let chosen = Arc::new(Mutex::new(None));
    let choice = chosen.clone();
    let app = App::open_with(|options| {
        options.choose_file = Some(Arc::new(move || choice.lock().expect("a choice").clone()));
    });
    let connection = app.connect(ground);
    app.sign_in(ground, &connection, "admin");
    (app, chosen)
}

#[test]
fn a_plan_from_a_file_shows_what_vanished_and_appeared_and_takes_none_of_it_in() {
    let ground = Ground::with(sandbox::Options { members: 24, apps: 8, ..sandbox::Options::default() });
    let (app, chosen) = with_choice(&ground);
    read(&app);
    assert_eq!(app.get::<Option<Plan>>("plan_open", json!({})).map(|plan| plan.hash), None, "none was chosen");
    let one = ground.pair();
    let connected_app = one.connected_app_id.clone();
    let planned = ledger(&ground, |_, app| app == connected_app);
    let plan = plan_of(&app, json!({"kind": "app", "connected_app_id": connected_app}));
    let saved: Exported = app.get("plan_save", json!({"hash": plan.hash}));
    assert_eq!(saved.rows, plan.grants);
    let path = PathBuf::from(&saved.path);
    assert!(path.starts_with(app.state_dir()), "in the folder for downloads: {}", saved.path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "a plan names members: it is nobody else's to read");
    }
    ground.revoke_from_elsewhere(&one);
    let members = ground.ledger().grants.into_iter().map(|grant| grant.member_id);
    let newcomer = members.into_iter().find(|member| !planned.contains(&(member.clone(), connected_app.clone())));
    let newcomer = Pair { member_id: newcomer.expect("somebody without it"), connected_app_id: connected_app.clone() };
    ground.switch().consent(&newcomer);
    *chosen.lock().expect("a choice") = Some(path);
    let opened: Plan = app.get::<Option<Plan>>("plan_open", json!({})).expect("a plan");
    assert_eq!((&opened.hash, opened.grants), (&plan.hash, plan.grants), "it is the same plan");
    let facts = opened.opened.expect("it comes from a file");
    assert_eq!((facts.vanished, facts.appeared, facts.beside), (1, 1, 1));
    assert!(facts.author.yourself && facts.unfinished.is_none() && facts.carried_out.is_none());
    let of = |pair: &Pair| BTreeSet::from([(pair.member_id.clone(), pair.connected_app_id.clone())]);
    assert_eq!(pairs(&rows(&app, &opened.hash, "vanished")), of(&one));
    assert_eq!(pairs(&rows(&app, &opened.hash, "appeared")), of(&newcomer));
    assert_eq!(pairs(&rows(&app, &opened.hash, "planned")), planned, "nothing is taken in, nothing left out");
}

#[test]
fn a_file_that_is_no_plan_for_here_is_refused_and_nothing_is_read_for_it() {
    let (ground, other) = (Ground::default(), Ground::sized(2, 16));
    let (app, chosen) = with_choice(&ground);
    read(&app);
    let plan = plan_of(&app, json!({"kind": "app", "connected_app_id": ground.pair().connected_app_id}));
    let saved: Exported = app.get("plan_save", json!({"hash": plan.hash}));
    let good: Value = serde_json::from_slice(&std::fs::read(&saved.path).expect("the file")).expect("JSON");
    let path = app.state_dir().join("handed-over.json");
    *chosen.lock().expect("a choice") = Some(path.clone());
    let edit = |key: &str, value: Value| {
        let mut plan = good.clone();
        plan[key] = value;
        plan.to_string()
    };
    let twice = json!([good["grants"][0], good["grants"][0]]);
    for (bytes, fault) in [
        ("{}".to_owned(), "not_a_plan"),
        ("\u{0}\u{1}".to_owned(), "not_a_plan"),
        (edit("format", json!("cutoff-pack")), "not_a_plan"),
        (edit("version", json!(99)), "newer"),
        (edit("critical", json!(["moonlight"])), "newer"),
        (edit("grants", json!([])), "grants"),
        (edit("grants", twice), "grants"),
        (edit("organization_id", json!("organization-test-elsewhere")), "elsewhere"),
        (edit("environment", json!("live")), "elsewhere"),
        (edit("expires_at", json!("2020-01-01T00:00:00.000Z")), "expired"),
        (" ".repeat(33 * 1024 * 1024), "too_large"),
    ] {
        std::fs::write(&path, bytes).expect("a file");
        let calls = ground.calls();
        let refused = app.refusal("plan_open", json!({}));
        assert!(matches!(&refused, Refusal::Plan { fault: f } if f == fault), "{fault}: {refused:?}");
        assert_eq!(ground.calls(), calls, "{fault}: nothing is read for it");
    }
    *chosen.lock().expect("a choice") = Some(app.state_dir().to_owned());
    let refused = app.refusal("plan_open", json!({}));
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "unreadable"), "a folder: {refused:?}");

    // The plan of one place is none at another, shown there or not.
    let connection = app.connect(&other);
    app.sign_in(&other, &connection, "admin");
    let start = json!({"hash": plan.hash, "typed": plan.to_type, "canary": false, "ask_anyway": false});
    let refused = app.refusal("sweep_start", start);
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "elsewhere"), "{refused:?}");
    assert!(ground.ledger().revocations.is_empty() && other.ledger().revocations.is_empty());
}

#[test]
fn a_plan_that_was_never_shown_or_a_reason_without_end_is_refused() {
    let (ground, app) = scene(16, 8, "admin");
    read(&app);
    for command in ["plan_grants", "plan_shares", "plan_save", "sweep_start"] {
        let args = json!({
            "hash": "0".repeat(64), "part": "planned", "noun": "apps", "offset": 0, "count": 1, "typed": "",
            "canary": false, "ask_anyway": false,
        });
        let refused = app.refusal(command, args);
        assert!(matches!(&refused, Refusal::Plan { fault } if fault == "not_kept"), "{command}: {refused:?}");
    }
    let what = json!({"kind": "app", "connected_app_id": ground.pair().connected_app_id});
    let long = app.refusal("plan_make", json!({"what": what, "first_party": false, "reason": "x".repeat(501)}));
    assert!(matches!(long, Refusal::BadInput { field: Field::Reason, fault: Fault::TooLong }), "{long:?}");
    let none = json!({"kind": "app", "connected_app_id": "connected-app-test-nobody"});
    let refused = app.refusal("plan_make", json!({"what": none, "first_party": true, "reason": null}));
    assert!(matches!(&refused, Refusal::Plan { fault } if fault == "grants"), "{refused:?}");
}

#[test]
fn whoever_may_not_revoke_is_told_before_anything_is_sent() {
    let (ground, app) = scene(16, 8, "reader");
    read(&app);
    let pair = ground.pair_where(|grant, _, _| grant.member_id != ground.person("reader").member_id);
    let plan = plan_of(&app, json!({"kind": "app", "connected_app_id": pair.connected_app_id}));
    let denied = plan.denied.expect("denied in advance");
    assert_eq!((denied.action.as_deref(), denied.asked), (Some("revoke.connected-app"), false));
    let start = json!({"hash": plan.hash, "typed": plan.to_type, "canary": false, "ask_anyway": false});
    assert_eq!(app.refusal_kind("sweep_start", start), "not_allowed");
    assert!(ground.ledger().revocations.is_empty());
}

//! The history of the inventory through the commands: what is new, widened and gone between readings, since when something
//! is there, and what a reading that could not see everything proves nothing about. A model made of the sandbox's own ledger
//! says what is right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use contract::inventory::{
    ChangeCounts, ChangeRows, Exported, GrantChange, GrantRow, InventoryStatus, PictureFacts, SnapshotRow,
};
use promises::ipc::{App, Ground, Pair};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::inventory::{Grants, app_rows, grant_rows, picture, read, scene, shows, status, truth};

/// All that differs between two snapshots, whatever the window.
#[track_caller]
fn changes(app: &App, from: u32, to: u32) -> ChangeRows {
    app.get("snapshot_changes", json!({"from": from, "to": to, "query": {"count": 1000}, "kinds": []}))
}

fn key(row: &GrantRow) -> (String, String) {
    (row.member.member_id.clone(), row.app.connected_app_id.clone())
}

fn pair_of(key: &(String, String)) -> Pair {
    Pair { member_id: key.0.clone(), connected_app_id: key.1.clone() }
}

/// An app of the third party's with the fewest grants, and who has granted it.
fn small_third_party_app(app: &App, ground: &Ground) -> (String, Vec<Pair>) {
    let rows = app_rows(app);
    let third = rows.iter().filter(|row| !row.app.first_party).min_by_key(|row| row.grants).expect("one");
    let id = third.app.connected_app_id.clone();
    let pairs = truth(ground).keys().filter(|(_, app)| *app == id).map(pair_of).collect();
    (id, pairs)
}

// ---- what is told of two readings --------------------------------------------------------------------------------------

#[test]
fn what_a_policy_hides_is_not_gone_even_when_it_changed_after_sign_in() {
    let (ground, app) = scene(12, 6, "admin");
    let first = read(&app);
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    let hidden = read(&app);
    assert!(hidden.apps < first.apps, "the list lacks what the policy hides");
    assert_eq!(hidden.changes, ChangeCounts::default(), "hidden is not gone");
    let told = changes(&app, 1, 2);
    assert_eq!((&told.counts, told.total), (&ChangeCounts::default(), 0));
    assert_eq!(told.not_compared.len(), (first.apps - hidden.apps) as usize, "what cannot be compared is named");
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    app.get::<Value>("inventory_looked", json!({}));
    let back = read(&app);
    assert_eq!(back.changes, ChangeCounts::default(), "it was there all the time");
    shows(&app, &truth(&ground), "back");
    assert!(grant_rows(&app, json!({})).iter().all(|row| row.first_seen.after.is_none()), "since the first reading");
}

#[test]
fn an_app_whose_last_grant_is_revoked_is_gone_and_what_hides_it_later_does_not_bring_it_back() {
    let (ground, app) = scene(12, 6, "admin");
    let first = read(&app);
    let (id, pairs) = small_third_party_app(&app, &ground);
    pairs.iter().for_each(|pair| ground.revoke_from_elsewhere(pair));
    let second = read(&app);
    assert_eq!((second.apps, second.changes.gone as usize), (first.apps - 1, pairs.len()));
    let calls = ground.calls();
    let third = read(&app);
    assert_eq!(ground.calls() - calls, 1 + third.apps as usize + 1, "what is gone costs no call any more");
    assert_eq!(third.changes.gone as usize, pairs.len());
    // Given again, and hidden: that reading tells nothing of it.
    ground.switch().consent(&pairs[0]);
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    app.get::<Value>("session_extend", json!({"minutes": 60}));
    let fourth = read(&app);
    assert_eq!(fourth.changes.gone, 0, "a grant that the policy hides is not called gone: {:?}", fourth.changes);
    let between: ChangeRows = changes(&app, 3, 4);
    assert_eq!(between.counts, ChangeCounts::default());
    assert!(between.not_compared.len() >= (third.apps - fourth.apps) as usize, "what is hidden is not compared");
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    app.get::<Value>("session_extend", json!({"minutes": 60}));
    let fifth = read(&app);
    assert_eq!(fifth.changes.gone as usize, pairs.len() - 1);
    let rows = grant_rows(&app, json!({"apps": [id]}));
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].first_seen.after.as_ref(),
        Some(&third.began_at),
        "the last reading that proves it was not there"
    );
    assert_eq!(rows[0].first_seen.by, fifth.read_at);
}

#[test]
fn a_grant_that_cannot_be_seen_for_want_of_an_answer_about_the_policy_is_not_gone() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    let (_, pairs) = small_third_party_app(&app, &ground);
    pairs.iter().for_each(|pair| ground.revoke_from_elsewhere(pair));
    ground.fault(json!({"server_error_share": 1.0, "on": "/organizations/me"}));
    // The search lies below the same path: names are missing, and so is the word on the policy.
    let second = read(&app);
    assert_eq!(second.changes, ChangeCounts::default());
    ground.fault(json!({"server_error_share": null}));
    let third = read(&app);
    assert_eq!(third.changes.gone as usize, pairs.len());
}

#[test]
fn new_since_i_last_looked_is_counted_from_there() {
    let (ground, app) = scene(12, 6, "admin");
    assert_eq!(read(&app).changes, ChangeCounts::default(), "nothing in the first reading is new");
    let all = truth(&ground);
    let members: BTreeSet<&String> = all.keys().map(|(member, _)| member).collect();
    let apps: BTreeSet<&String> = all.keys().map(|(_, app)| app).collect();
    let lacking: Vec<(String, String)> = members
        .iter()
        .flat_map(|member| apps.iter().map(|app| ((*member).clone(), (*app).clone())))
        .filter(|pair| !all.contains_key(pair))
        .take(2)
        .collect();
    ground.switch().consent_to(&pair_of(&lacking[0]), &["openid"]);
    assert_eq!(read(&app).changes.new, 1);
    let facts: InventoryStatus = app.get("inventory_looked", json!({}));
    assert_eq!(facts.picture.expect("shown").changes, ChangeCounts::default(), "looked at");
    ground.switch().consent_to(&pair_of(&lacking[1]), &["openid"]);
    ground.switch().consent_to(&pair_of(&lacking[0]), &["openid", "email"]);
    let facts = read(&app);
    assert_eq!(facts.changes, ChangeCounts { new: 1, widened: 1, ..ChangeCounts::default() });
    assert_eq!(facts.since.expect("compared").snapshot, 2);
    let new = grant_rows(&app, json!({"changes": ["new"]}));
    assert_eq!(new.iter().map(key).collect::<Vec<_>>(), [lacking[1].clone()]);
    let widened = grant_rows(&app, json!({"changes": ["widened"]}));
    assert_eq!(widened.iter().map(key).collect::<Vec<_>>(), [lacking[0].clone()]);
    assert_eq!(widened[0].scopes_before.as_deref(), Some(["openid".to_owned()].as_slice()));
    let since_first = grant_rows(&app, json!({"first_seen_after": 1}));
    assert_eq!(since_first.len(), 2);
    let list: Vec<SnapshotRow> = app.get("snapshot_list", json!({}));
    assert_eq!(list.iter().map(|row| row.snapshot).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(list.iter().all(|row| row.complete && row.read_by.as_deref() == Some(&ground.person("admin").email)));
    assert_eq!(list.last().expect("three").grants as usize, truth(&ground).len());
}

#[test]
fn a_journal_of_the_version_before_takes_an_inventory() {
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("frozen/0.1.0").join(journal::FILE_NAME);
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::copy(frozen, dir.path().join(journal::FILE_NAME)).expect("the frozen journal");
    let ground = Ground::with(sandbox::Options { members: 8, apps: 4, ..sandbox::Options::default() });
    let app = App::open_at(dir);
    let sweeps: Vec<Value> = app.get("revoke_list", json!({}));
    assert!(!sweeps.is_empty(), "what it held is there");
    assert!(app.get::<InventoryStatus>("inventory_status", json!({})).picture.is_none());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let facts = read(&app);
    assert_eq!((facts.snapshot, facts.complete), (Some(1), true));
    let app = app.reopen();
    assert_eq!(picture(&app).snapshot, Some(1));
    shows(&app, &truth(&ground), "kept");
    assert_eq!(app.get::<Vec<Value>>("revoke_list", json!({})).len(), sweeps.len());
}

// ---- random histories --------------------------------------------------------------------------------------------------

const SCOPES: [&[&str]; 4] =
    [&["openid"], &["openid", "email"], &["contacts.read"], &["openid", "email", "offline_access"]];

/// Something that happens; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Act {
    Consent(usize, usize, usize),
    Revoke(usize),
    RevokeAllOf(usize),
    Delete(usize),
    /// 0 forbids, 1 allows, 2 allows only the app of that number; of third parties, or of the vendor's own.
    Policy(bool, usize, usize),
    /// The next reading is refused the members of this app.
    Deny(usize),
    Look,
    Read,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..6_usize, 0..5_usize, 0..SCOPES.len()).prop_map(|(m, a, s)| Act::Consent(m, a, s)),
        4 => any::<u16>().prop_map(|n| Act::Revoke(n.into())),
        1 => (0..5_usize).prop_map(Act::RevokeAllOf),
        1 => (0..3_usize).prop_map(Act::Delete),
        2 => (any::<bool>(), 0..3_usize, 0..5_usize).prop_map(|(third, how, app)| Act::Policy(third, how, app)),
        1 => (0..5_usize).prop_map(Act::Deny),
        1 => Just(Act::Look),
        5 => Just(Act::Read),
    ]
}

/// One reading, as it must have come out.
struct Seen {
    facts: PictureFacts,
    grants: Grants,
    /// The apps whose missing grants were not there, as far as this reading can tell.
    proves: BTreeSet<String>,
    listed: BTreeSet<String>,
}

type Differing = BTreeMap<(String, String), (GrantChange, Option<BTreeSet<String>>)>;

/// What differs between two readings, by their definition.
fn differing(a: &Seen, b: &Seen) -> Differing {
    let mut out = Differing::new();
    for (pair, now) in &b.grants {
        match a.grants.get(pair) {
            Some(then) if then == now => {}
            Some(then) => {
                let change = match (now.is_superset(then), now.is_subset(then)) {
                    (true, _) => GrantChange::Widened,
                    (_, true) => GrantChange::Narrowed,
                    _ => GrantChange::Altered,
                };
                out.insert(pair.clone(), (change, Some(then.clone())));
            }
            None if a.proves.contains(&pair.1) => {
                out.insert(pair.clone(), (GrantChange::New, None));
            }
            None => {}
        }
    }
    for pair in a.grants.keys().filter(|pair| !b.grants.contains_key(*pair) && b.proves.contains(&pair.1)) {
        out.insert(pair.clone(), (GrantChange::Gone, None));
    }
    out
}

fn counted(differing: &Differing) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    for (change, _) in differing.values() {
        *match change {
            GrantChange::New => &mut counts.new,
            GrantChange::Widened => &mut counts.widened,
            GrantChange::Narrowed => &mut counts.narrowed,
            GrantChange::Altered => &mut counts.altered,
            GrantChange::Gone => &mut counts.gone,
        } += 1;
    }
    counts
}

fn told_of(rows: &[GrantRow]) -> Differing {
    let rows = rows.iter().filter_map(|row| {
        let before = row.scopes_before.as_ref().map(|scopes| scopes.iter().cloned().collect());
        Some((key(row), (row.change?, before)))
    });
    rows.collect()
}

/// Lives a history at a sandbox of six members and five apps, and holds everything that is told against the model.
fn live(acts: &[Act], seed: u64) {
    let ground = Ground::with(sandbox::Options { seed, members: 6, apps: 5, ..sandbox::Options::default() });
    let app = App::open();
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");

    let facts = read(&app);
    let grants = truth(&ground);
    let rows = app_rows(&app);
    let third: BTreeMap<String, bool> =
        rows.iter().map(|row| (row.app.connected_app_id.clone(), !row.app.first_party)).collect();
    let apps: Vec<String> = third.keys().cloned().collect();
    let people: BTreeSet<&String> = ground.card().people.iter().map(|person| &person.member_id).collect();
    let members: Vec<String> =
        grants.keys().map(|(member, _)| member.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut deletable: Vec<&String> = members.iter().filter(|member| !people.contains(member)).collect();
    let mut deleted: BTreeSet<&String> = BTreeSet::new();
    let mut allowed: BTreeSet<String> = apps.iter().cloned().collect();
    let mut denied: Option<String> = None;
    let all: BTreeSet<String> = apps.iter().cloned().collect();
    let mut seen = vec![Seen { facts, grants, proves: all.clone(), listed: all }];
    // Every app that a reading has listed.
    let mut ever: BTreeSet<String> = seen[0].listed.clone();
    let mut looked: Option<u32> = None;
    // Since when each pair is there: the reading that saw it first, and the last before that which proves that it was not.
    let mut since: BTreeMap<(String, String), (usize, Option<usize>)> =
        seen[0].grants.keys().map(|pair| (pair.clone(), (0, None))).collect();

    for act in acts.iter().copied().chain([Act::Read]) {
        match act {
            Act::Consent(m, a, s) => {
                let pair = (members[m % members.len()].clone(), apps[a % apps.len()].clone());
                if allowed.contains(&pair.1) && !deleted.contains(&pair.0) {
                    ground.switch().consent_to(&pair_of(&pair), SCOPES[s]);
                }
            }
            Act::Revoke(n) => {
                let all = truth(&ground);
                if let Some(pair) = all.keys().nth(n % all.len().max(1)) {
                    ground.revoke_from_elsewhere(&pair_of(pair));
                }
            }
            Act::RevokeAllOf(a) => {
                let id = &apps[a % apps.len()];
                truth(&ground).keys().filter(|(_, app)| app == id).for_each(|pair| {
                    ground.revoke_from_elsewhere(&pair_of(pair));
                });
            }
            Act::Delete(m) => {
                if !deletable.is_empty() {
                    let member = deletable.remove(m % deletable.len());
                    ground.switch().delete_member(member);
                    deleted.insert(member);
                }
            }
            Act::Policy(of_third, how, a) => {
                let only = &apps[a % apps.len()];
                let kind = if of_third { "third" } else { "first" };
                let word = ["NOT_ALLOWED", "ALL_ALLOWED", "RESTRICTED"][how];
                ground.switch().policy(json!({
                    format!("{kind}_party_connected_apps_allowed_type"): word,
                    format!("allowed_{kind}_party_connected_apps"): [only],
                }));
                for (id, _) in third.iter().filter(|(_, third)| **third == of_third) {
                    let admitted = how == 1 || (how == 2 && id == only);
                    if admitted {
                        allowed.insert(id.clone())
                    } else {
                        allowed.remove(id)
                    };
                }
                // A session is renewed every few minutes, and the policy's word with it.
                app.get::<Value>("session_extend", json!({"minutes": 60}));
            }
            Act::Deny(a) => denied = Some(apps[a % apps.len()].clone()),
            Act::Look => {
                app.get::<Value>("inventory_looked", json!({}));
                looked = seen.last().and_then(|seen| seen.facts.snapshot);
                let now = picture(&app);
                assert_eq!(now.changes, ChangeCounts::default(), "what was looked at differs from nothing");
            }
            Act::Read => {
                let all = truth(&ground);
                let listed: BTreeSet<String> =
                    all.keys().map(|(_, app)| app.clone()).filter(|app| allowed.contains(app)).collect();
                let refused = denied.take().filter(|app| listed.contains(app));
                if let Some(refused) = &refused {
                    ground.fault(json!({"sdk_endpoint_off": true, "on": format!("connected_apps/{refused}")}));
                }
                // A reading that has no app's grants at all is refused, and what was read before stays.
                let nothing = refused.is_some() && listed.len() == 1;
                let answer = app.ask("inventory_read", json!({}));
                ground.fault(json!({"sdk_endpoint_off": null}));
                if let Err(error) = &answer
                    && nothing
                {
                    assert_eq!(error["kind"], "sdk_endpoint_off", "{error}");
                    continue;
                }
                answer.unwrap_or_else(|error| panic!("inventory_read was refused: {error}"));
                let facts = picture(&app);
                let hidden: BTreeSet<String> =
                    ever.iter().filter(|app| !listed.contains(*app) && !allowed.contains(*app)).cloned().collect();
                let told: BTreeSet<String> = facts
                    .missing
                    .iter()
                    .filter(|missing| missing.cause == "hidden")
                    .filter_map(|missing| Some(missing.app.as_ref()?.connected_app_id.clone()))
                    .collect();
                assert_eq!(told, hidden, "what the policy hides of what was known is named");
                assert_eq!(facts.complete, refused.is_none() && hidden.is_empty(), "{:?}", facts.missing);
                ever.extend(listed.iter().cloned());
                let visible = |app: &String| listed.contains(app) && refused.as_ref() != Some(app);
                let proves: BTreeSet<String> = apps
                    .iter()
                    .filter(|app| {
                        visible(app) || (!listed.contains(*app) && !listed.is_empty() && allowed.contains(*app))
                    })
                    .cloned()
                    .collect();
                let grants: Grants = all.into_iter().filter(|((_, app), _)| visible(app)).collect();
                shows(&app, &grants, "what can be seen");
                // The interval of the first sight.
                since.retain(|pair, _| grants.contains_key(pair) || !proves.contains(&pair.1));
                for pair in grants.keys() {
                    let absent = || seen.iter().rposition(|seen| seen.proves.contains(&pair.1));
                    since.entry(pair.clone()).or_insert_with(|| (seen.len(), absent()));
                }
                seen.push(Seen { facts, grants, proves, listed });
                let now = &seen[seen.len() - 1];
                let base = seen.iter().find(|seen| seen.facts.snapshot == looked).unwrap_or(&seen[0]);
                let differs = differing(base, now);
                assert_eq!(now.facts.changes, counted(&differs), "since {:?}", base.facts.snapshot);
                assert_eq!(now.facts.since.as_ref().map(|mark| mark.snapshot), base.facts.snapshot);
                let rows = grant_rows(&app, json!({}));
                let there: Differing =
                    differs.into_iter().filter(|(_, (change, _))| *change != GrantChange::Gone).collect();
                assert_eq!(told_of(&rows), there);
                for row in rows {
                    let (by, after) = since[&key(&row)];
                    let expected =
                        (seen[by].facts.read_at.clone(), after.map(|after| seen[after].facts.began_at.clone()));
                    assert_eq!((row.first_seen.by.clone(), row.first_seen.after.clone()), expected, "{:?}", key(&row));
                }
            }
        }
    }
    for (at, a) in seen.iter().enumerate() {
        for b in &seen[at + 1..] {
            let (from, to) = (a.facts.snapshot.expect("stored"), b.facts.snapshot.expect("stored"));
            let told = changes(&app, from, to);
            let expected = differing(a, b);
            assert_eq!((&told.counts, told.total as usize), (&counted(&expected), expected.len()), "{from} to {to}");
            assert_eq!(told_of(&told.rows), expected, "{from} to {to}");
            let not_compared: BTreeSet<String> =
                told.not_compared.into_iter().map(|app| app.connected_app_id).collect();
            let unproven: BTreeSet<String> = (&a.listed | &b.listed)
                .into_iter()
                .filter(|app| !a.proves.contains(app) || !b.proves.contains(app))
                .collect();
            assert_eq!(not_compared, unproven, "{from} to {to}");
        }
    }
    assert_eq!(status(&app).snapshots as usize, seen.len());
}

#[test]
fn whatever_happened_between_readings_the_history_says_what_the_ledger_bears_out() {
    let config = Config { cases: 36, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let histories = (prop::collection::vec(act(), 4..22), 1..200_u64);
    runner
        .run(&histories, |(acts, seed)| {
            live(&acts, seed);
            Ok(())
        })
        .unwrap_or_else(|failed| panic!("{failed}"));
}

// ---- the differences as a file -----------------------------------------------------------------------------------------

#[test]
fn a_file_of_differences_has_what_the_comparison_shows_and_says_what_it_leaves_out() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    let (id, pairs) = small_third_party_app(&app, &ground);
    pairs.iter().for_each(|pair| ground.revoke_from_elsewhere(pair));
    let wide = truth(&ground).keys().map(|(member, _)| member.clone()).next().expect("a member");
    read(&app);
    ground.switch().consent(&pairs[0]);
    read(&app);
    // Whoever consented again did so to less than before.
    let cases: [(u32, u32, &[&str], usize); 3] =
        [(1, 2, &["gone"], pairs.len()), (2, 3, &["new"], 1), (1, 3, &["gone", "narrowed"], pairs.len())];
    for (from, to, words, rows) in cases {
        assert_eq!(changes(&app, from, to).total as usize, rows);
        for format in ["csv", "json"] {
            let args = json!({"from": from, "to": to, "query": {"count": 0}, "kinds": [], "format": format});
            let exported: Exported = app.get("snapshot_changes_export", args);
            assert_eq!((exported.rows as usize, exported.complete), (rows, true));
            assert!(exported.path.contains(&format!("-changes-{from}-to-{to}-2")), "{}", exported.path);
            let text = std::fs::read_to_string(&exported.path).expect("the file");
            if format == "json" {
                let file: Value = serde_json::from_str(&text).expect("JSON");
                let told = file["rows"].as_array().expect("rows");
                assert!(told.iter().all(|row| row["connected_app_id"] == *id), "{told:?}");
                let kinds: BTreeSet<&str> = told.iter().filter_map(|row| row["change"].as_str()).collect();
                assert_eq!(kinds, words.iter().copied().collect());
                assert_eq!((&file["compared_with"]["snapshot"], &file["filter"]), (&json!(from), &Value::Null));
                assert_eq!(file["not_compared"], json!([]));
            } else {
                assert_eq!(text.lines().filter(|line| line.starts_with(&id)).count(), rows, "{text}");
                assert_eq!(text.lines().count(), rows + 1, "a header and the rows");
            }
        }
    }
    // A part of it says so, in its name and in itself.
    let args = json!({"from": 1, "to": 2, "query": {"count": 0, "filter": {"text": wide}}, "kinds": ["new"], "format": "json"});
    let part: Exported = app.get("snapshot_changes_export", args);
    assert_eq!(part.rows, 0);
    assert!(part.path.contains("-changes-1-to-2-filtered-"), "{}", part.path);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&part.path).expect("the file")).expect("JSON");
    assert_eq!(file["filter"], json!(format!("text: {wide}; only: new")));
    let one = json!({"what": {"noun": "grants", "query": {"count": 0, "filter": {"apps": [id]}}, "format": "csv"}});
    assert!(app.get::<Exported>("inventory_export", one).path.contains("-grants-filtered-"));
}

#[test]
fn a_file_of_differences_names_the_apps_that_could_not_be_compared() {
    let (ground, app) = scene(12, 6, "admin");
    let first = read(&app);
    ground.switch().policy(json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    let hidden = read(&app);
    let lost = (first.apps - hidden.apps) as usize;
    assert!(lost > 0);
    let args = |format: &str| json!({"from": 1, "to": 2, "query": {"count": 0}, "kinds": [], "format": format});
    let exported: Exported = app.get("snapshot_changes_export", args("json"));
    assert_eq!((exported.rows, exported.complete), (0, false), "nothing is known to differ, and not all is known");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&exported.path).expect("it")).expect("JSON");
    assert_eq!(file["not_compared"].as_array().map(Vec::len), Some(lost));
    let exported: Exported = app.get("snapshot_changes_export", args("csv"));
    let text = std::fs::read_to_string(&exported.path).expect("it");
    assert_eq!(text.lines().filter(|line| line.starts_with("NOT_COMPARED,")).count(), lost, "{text}");
}

//! The reading of an inventory through the commands: how many calls it takes, what is shown when something is refused, and
//! that nothing is ever silently absent. The sandbox's ledger says what is true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use contract::inventory::{
    AppRow, AppRows, Copied, Exported, GrantRow, GrantRows, InventoryStatus, MemberInventoryRow, MemberRows, Missing,
    NamesReading, PictureFacts, PictureSource,
};
use contract::revoke::Outcome;
use promises::ipc::{App, Ground, Pair};
use promises::relay::{RULED, Relay, Rule};
use serde_json::{Value, json};

// ---- what every test of the inventory needs --------------------------------------------------------------------------

/// Grants by member and app, each with its scopes as a set.
pub(crate) type Grants = BTreeMap<(String, String), BTreeSet<String>>;

/// A sandbox of a few members and apps, and the app with somebody signed in.
pub(crate) fn scene(members: usize, apps: usize, role: &str) -> (Ground, App) {
    let ground = Ground::with(sandbox::Options { members, apps, ..sandbox::Options::default() });
    let app = App::open();
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, role);
    (ground, app)
}

/// The same through a relay.
fn relayed(members: usize, apps: usize) -> (Ground, Relay, App) {
    let ground = Ground::with(sandbox::Options { members, apps, ..sandbox::Options::default() });
    let relay = Relay::before(&ground.card().url);
    let app = App::open();
    let connection = app.connect_at(&ground, &relay.url, None);
    app.sign_in(&ground, &connection, "admin");
    (ground, relay, app)
}

/// What lives, by the sandbox's own ledger.
pub(crate) fn truth(ground: &Ground) -> Grants {
    let grants = ground.ledger().grants.into_iter();
    grants.map(|grant| ((grant.member_id, grant.connected_app_id), grant.scopes.into_iter().collect())).collect()
}

pub(crate) fn status(app: &App) -> InventoryStatus {
    app.get("inventory_status", json!({}))
}

/// What is shown; a test that finds nothing shown fails.
#[track_caller]
pub(crate) fn picture(app: &App) -> PictureFacts {
    status(app).picture.expect("something is shown")
}

/// Reads, and answers what is shown then.
#[track_caller]
pub(crate) fn read(app: &App) -> PictureFacts {
    let status: InventoryStatus = app.get("inventory_read", json!({}));
    assert!(status.reading.is_none(), "a reading that has ended is not under way: {status:?}");
    status.picture.expect("what was read is shown")
}

/// Every grant row that matches, window by window.
#[track_caller]
pub(crate) fn grant_rows(app: &App, filter: Value) -> Vec<GrantRow> {
    let mut rows = Vec::new();
    loop {
        let query = json!({"filter": filter, "offset": rows.len(), "count": 700});
        let window: GrantRows = app.get("inventory_grants", json!({ "query": query }));
        assert!(window.rows.len() <= 700 && window.matching <= window.total, "{} rows", window.rows.len());
        let end = window.rows.is_empty();
        rows.extend(window.rows);
        if end || rows.len() >= window.matching as usize {
            assert_eq!(rows.len(), window.matching as usize, "what is counted is what is there");
            return rows;
        }
    }
}

/// What the lists show, each pair once.
#[track_caller]
pub(crate) fn shown(app: &App) -> Grants {
    let mut grants = Grants::new();
    for row in grant_rows(app, json!({})) {
        let pair = (row.member.member_id, row.app.connected_app_id);
        let before = grants.insert(pair.clone(), row.scopes.into_iter().collect());
        assert!(before.is_none(), "{pair:?} is shown twice");
    }
    grants
}

/// Fails with what differs when the lists do not show exactly this.
#[track_caller]
pub(crate) fn shows(app: &App, expected: &Grants, why: &str) {
    let shown = shown(app);
    let extra: Vec<_> = shown.iter().filter(|(pair, scopes)| expected.get(*pair) != Some(*scopes)).collect();
    let lacking: Vec<_> = expected.iter().filter(|(pair, scopes)| shown.get(*pair) != Some(*scopes)).collect();
    assert!(extra.is_empty() && lacking.is_empty(), "{why}: shown and not so {extra:?}, so and not shown {lacking:?}");
}

pub(crate) fn app_rows(app: &App) -> Vec<AppRow> {
    app.get::<AppRows>("inventory_apps", json!({"query": {"count": 1000}})).rows
}

pub(crate) fn member_rows(app: &App) -> Vec<MemberInventoryRow> {
    app.get::<MemberRows>("inventory_members", json!({"query": {"count": 1000}})).rows
}

/// Whether something is missing of this kind, for this cause.
pub(crate) fn has(facts: &PictureFacts, what: &str, cause: &str) -> bool {
    facts.missing.iter().any(|missing| (missing.what.as_str(), missing.cause.as_str()) == (what, cause))
}

/// The one thing that is missing.
#[track_caller]
pub(crate) fn only_missing(facts: &PictureFacts) -> &Missing {
    assert!(!facts.complete, "{facts:?}");
    let [missing] = facts.missing.as_slice() else { panic!("one thing is missing: {:?}", facts.missing) };
    missing
}

/// Checks that copies and files of what is shown now say that it is not whole, in every format and of every list.
#[track_caller]
fn said_in_every_copy(app: &App, facts: &PictureFacts) {
    for noun in ["apps", "members", "grants"] {
        let what = |format: &str| json!({"what": {"noun": noun, "query": {"count": 0}, "format": format}});
        let copied: Copied = app.get("inventory_copy", what("csv"));
        let notices = copied.text.lines().filter(|line| line.starts_with("INCOMPLETE,")).count();
        assert!(notices >= facts.missing.len(), "{noun}: {notices} notices for {:?}", facts.missing);
        let exported: Exported = app.get("inventory_export", what("csv"));
        assert!(!exported.complete, "{noun}");
        assert_eq!(std::fs::read_to_string(&exported.path).expect("the file"), copied.text, "{noun}");
        let copied: Copied = app.get("inventory_copy", what("json"));
        let exported: Exported = app.get("inventory_export", what("json"));
        let file = std::fs::read_to_string(&exported.path).expect("the file");
        assert!(!exported.complete && file == copied.text, "{noun}");
        let file: Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(file["complete"], false, "{noun}");
        let told = file["missing"].as_array().expect("what is missing");
        assert_eq!(told.len(), facts.missing.len(), "{noun}: {told:?}");
        for (told, missing) in told.iter().zip(&facts.missing) {
            let app = missing.app.as_ref().map(|app| app.connected_app_id.as_str());
            assert_eq!(
                (told["what"].as_str(), told["cause"].as_str(), told["connected_app_id"].as_str()),
                (Some(missing.what.as_str()), Some(missing.cause.as_str()), app),
            );
            assert_eq!(told["request_id"].as_str(), missing.problem.request_id.as_deref());
        }
    }
}

/// Reads again once nothing is in the way, and checks that everything is there.
#[track_caller]
fn mended_by_the_next_reading(ground: &Ground, app: &App) -> PictureFacts {
    let facts = read(app);
    assert!(facts.complete && facts.missing.is_empty(), "{:?}", facts.missing);
    assert_eq!((facts.source, facts.names), (PictureSource::Read, NamesReading::Read));
    shows(app, &truth(ground), "as the ledger has it");
    assert!(app_rows(app).iter().all(|row| row.reading == "complete"));
    facts
}

/// Waits, no longer than ten seconds, until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn app_path(id: &str) -> String {
    format!("/organizations/connected_apps/{id}")
}

// ---- the calls -------------------------------------------------------------------------------------------------------

#[test]
fn an_inventory_takes_one_call_for_the_list_one_for_each_app_and_one_for_each_thousand_members() {
    let (ground, app) = scene(2_500, 40, "admin");
    let before = ground.ledger();
    let facts = read(&app);
    let after = ground.ledger();
    let apps: BTreeSet<&str> = before.grants.iter().map(|grant| grant.connected_app_id.as_str()).collect();
    assert_eq!(after.calls.len() - before.calls.len(), 1 + apps.len() + 3, "calls for {} apps", apps.len());
    let told = &after.calls[before.calls.len()..];
    assert!(told.iter().all(|call| call.status == Some(200)), "{told:?}");
    assert!(facts.complete, "{:?}", facts.missing);
    assert_eq!((facts.apps as usize, facts.apps_read as usize), (apps.len(), apps.len()));
    assert_eq!((facts.members, facts.names), (2_500, NamesReading::Read));
    assert_eq!(facts.grants as usize, before.grants.len());
    assert!(facts.since.is_none() && facts.changes == Default::default(), "nothing in the first reading is new");
    shows(&app, &truth(&ground), "as the ledger has it");
    let calls = ground.calls();
    app.get::<Value>("inventory_facets", json!({}));
    app.get::<Value>("inventory_map", json!({"query": {"cells_down": 100, "cells_across": 100}}));
    assert_eq!(ground.calls(), calls, "looking asks nobody");
}

#[test]
fn never_more_than_four_calls_are_under_way_and_no_fewer_when_there_is_work() {
    let (ground, relay, app) = relayed(12, 24);
    ground.fault(json!({"latency_ms": 30}));
    assert!(read(&app).complete);
    assert_eq!(relay.most_at_once(), 4);
}

#[test]
fn two_readings_asked_for_at_once_are_one() {
    let (ground, app) = scene(12, 8, "admin");
    ground.fault(json!({"latency_ms": 20}));
    let calls = ground.calls();
    let (first, second) = (app.begin("inventory_read", json!({})), app.begin("inventory_read", json!({})));
    for asked in [first, second] {
        let status: InventoryStatus = serde_json::from_value(asked.wait().expect("read")).expect("a status");
        assert!(status.picture.is_some_and(|facts| facts.complete));
    }
    let apps = app_rows(&app).len();
    assert_eq!(ground.calls() - calls, 1 + apps + 1);
    assert_eq!(status(&app).snapshots, 1);
}

#[test]
fn a_reading_tells_how_far_it_is_and_shows_what_it_has_so_far() {
    let (ground, app) = scene(12, 24, "admin");
    ground.fault(json!({"latency_ms": 60}));
    let asked = app.begin("inventory_read", json!({}));
    let mut told = Vec::new();
    let mut drawn = None;
    until("the reading is over", || {
        let now = status(&app);
        told.extend(now.reading.clone());
        if let Some(facts) = now.picture.filter(|facts| facts.source == PictureSource::UnderWay) {
            assert!(!facts.complete && facts.snapshot.is_none(), "{facts:?}");
            drawn = Some(facts);
        }
        now.reading.is_none() && !told.is_empty()
    });
    asked.wait().expect("read");
    let apps = app_rows(&app).len() as u32;
    let calls: Vec<u32> = told.iter().map(|progress| progress.calls).collect();
    assert!(calls.is_sorted() && calls.last() > calls.first(), "{calls:?}");
    let known: BTreeSet<u32> = told.iter().filter_map(|progress| progress.calls_expected).collect();
    assert_eq!(known, [1 + apps + 1].into(), "as many as it takes, from the moment the list is there");
    assert!(told.iter().any(|progress| progress.left_ms.is_some_and(|left| left > 0 && left < 10_000)), "{told:?}");
    assert!(drawn.is_some(), "a first reading is shown while it goes on");
}

// ---- refusals --------------------------------------------------------------------------------------------------------

#[test]
fn a_refused_list_of_apps_leaves_what_is_shown_as_it_was() {
    let (ground, relay, app) = relayed(12, 5);
    let list = "/organizations/connected_apps";
    let refused = |app: &App, kind: &str| assert_eq!(app.refusal_kind("inventory_read", json!({})), kind);
    relay.rule(vec![Rule::refuse(list, 0, 403, "session_authorization_error")]);
    refused(&app, "not_allowed");
    let nothing = status(&app);
    assert!(nothing.picture.is_none() && nothing.reading.is_none() && nothing.snapshots == 0, "{nothing:?}");
    assert_eq!(app.refusal_kind("inventory_apps", json!({"query": {"count": 5}})), "nothing_read");
    relay.rule(Vec::new());
    let facts = mended_by_the_next_reading(&ground, &app);
    for (fault, kind) in [
        (json!({"sdk_endpoint_off": true, "on": list}), "sdk_endpoint_off"),
        (json!({"sdk_endpoint_off": null, "server_error_share": 1.0, "on": list}), "server_error"),
        (json!({"server_error_share": null, "body": "html", "on": list}), "garbled"),
        (json!({"body": null, "redirect_to": "https://example.com/", "on": list}), "redirected"),
    ] {
        ground.fault(fault);
        refused(&app, kind);
        let now = status(&app);
        assert_eq!(now.picture.expect("the picture of before").snapshot, facts.snapshot, "{kind}");
        assert_eq!((now.snapshots, now.reading), (1, None), "{kind}");
        shows(&app, &truth(&ground), kind);
    }
    ground.fault(json!({"redirect_to": null}));
    relay.rule(vec![Rule::refuse(list, 0, 403, "session_authorization_error")]);
    refused(&app, "not_allowed");
    relay.rule(Vec::new());
    mended_by_the_next_reading(&ground, &app);
}

/// Reads while one app is refused in one way, then again without.
fn one_app_refused(ground: &Ground, app: &App, cause: &str, answered: bool, refuse: &dyn Fn(&str), relent: &dyn Fn()) {
    let all = truth(ground);
    let (_, victim) = all.keys().next().cloned().expect("a grant");
    let rest: Grants = all.iter().filter(|((_, app), _)| *app != victim).map(|(k, v)| (k.clone(), v.clone())).collect();
    let snapshots = status(app).snapshots;
    refuse(&victim);
    let facts = read(app);
    relent();
    let missing = only_missing(&facts);
    assert_eq!((missing.what.as_str(), missing.cause.as_str(), missing.rows), ("app", cause, 0), "{missing:?}");
    let face = missing.app.as_ref().expect("which app");
    assert!(face.connected_app_id == victim && !face.name.is_empty(), "{face:?}");
    assert_eq!(missing.problem.status.is_some(), answered, "{cause}: {missing:?}");
    assert_eq!((facts.apps_read + 1, facts.names), (facts.apps, NamesReading::Read), "{cause}");
    assert_eq!(facts.changes, Default::default(), "{cause}: what was not read is neither new nor gone");
    assert_eq!((status(app).snapshots, facts.source), (snapshots + 1, PictureSource::Read), "{cause}");
    shows(app, &rest, &format!("{cause}: nothing of it, and all of the others"));
    for row in app_rows(app) {
        let expected = if row.app.connected_app_id == victim { cause } else { "complete" };
        assert_eq!(row.reading, expected, "{}", row.app.name);
    }
    said_in_every_copy(app, &facts);
    let facts = mended_by_the_next_reading(ground, app);
    assert_eq!(facts.changes, Default::default(), "{cause}: it was there all the time");
}

#[test]
fn one_app_that_is_refused_is_marked_with_the_cause_and_the_rest_is_read() {
    let (ground, relay, app) = relayed(12, 5);
    assert!(read(&app).complete);
    for (status, error_type, cause) in [
        (403, "session_authorization_error", "denied"),
        (404, "connected_app_not_found", "app_gone"),
        (418, "something_new", "refused"),
    ] {
        let refuse = |id: &str| relay.rule(vec![Rule::refuse(&app_path(id), 0, status, error_type)]);
        one_app_refused(&ground, &app, cause, true, &refuse, &|| relay.rule(Vec::new()));
        assert!(app.said().iter().any(|(_, text)| text.contains(RULED)), "the request id is told: {cause}");
    }
    for (name, value, cause, answered) in [
        ("sdk_endpoint_off", json!(true), "refused", true),
        ("server_error_share", json!(1.0), "server_error", true),
        ("body", json!("truncated"), "garbled", true),
        ("body", json!("html"), "garbled", true),
        ("body", json!("wrong_envelope"), "garbled", true),
        ("redirect_to", json!("https://example.com/"), "refused", true),
        ("reset_before_commit_share", json!(1.0), "offline", false),
        ("reset_after_commit_share", json!(1.0), "offline", false),
    ] {
        let refuse = |id: &str| ground.fault(json!({name: value, "on": app_path(id)}));
        one_app_refused(&ground, &app, cause, answered, &refuse, &|| ground.fault(json!({ name: null })));
    }
}

#[test]
fn names_that_the_roles_do_not_allow_are_not_asked_for_and_members_are_shown_by_id() {
    let (ground, app) = scene(12, 5, "member");
    let before = ground.ledger().calls.len();
    let facts = read(&app);
    let missing = only_missing(&facts);
    assert_eq!((missing.what.as_str(), missing.cause.as_str()), ("names", "denied"));
    assert!(missing.problem.request_id.is_none(), "said in advance: nothing was asked");
    assert_eq!(facts.names, NamesReading::Denied);
    let calls = ground.ledger().calls.split_off(before);
    assert!(calls.iter().all(|call| !call.path.ends_with("/search")), "{calls:?}");
    assert_eq!(calls.len(), 1 + app_rows(&app).len());
    shows(&app, &truth(&ground), "every grant is there all the same");
    let own = &ground.person("member").member_id;
    for row in member_rows(&app) {
        assert_eq!(row.face.name.is_some(), row.face.member_id == *own, "only oneself by name: {row:?}");
        assert_eq!(row.status, None);
    }
    said_in_every_copy(&app, &facts);
}

#[test]
fn names_that_the_server_denies_against_the_policy_are_missing_with_its_request_id() {
    let (ground, app) = scene(12, 5, "admin");
    ground.switch().roles(&ground.person("admin").member_id, &[]);
    let facts = read(&app);
    let missing = only_missing(&facts);
    assert_eq!((missing.what.as_str(), missing.cause.as_str()), ("names", "denied"));
    assert_eq!(missing.problem.status, Some(403));
    assert!(missing.problem.request_id.is_some(), "{missing:?}");
    assert_eq!(facts.names, NamesReading::Denied);
    shows(&app, &truth(&ground), "as the ledger has it");
    said_in_every_copy(&app, &facts);
    ground.switch().roles(&ground.person("admin").member_id, &["stytch_admin"]);
    mended_by_the_next_reading(&ground, &app);
}

#[test]
fn a_search_that_breaks_off_halfway_keeps_the_names_it_brought_and_says_that_others_are_missing() {
    let (ground, relay, app) = relayed(1_050, 4);
    relay.rule(vec![Rule::refuse("/members/search", 1, 418, "something_new")]);
    let facts = read(&app);
    let missing = only_missing(&facts);
    assert_eq!((missing.what.as_str(), missing.cause.as_str()), ("names", "refused"));
    assert_eq!(missing.problem.request_id.as_deref(), Some(RULED));
    assert_eq!((facts.names, facts.apps_read), (NamesReading::Incomplete, facts.apps));
    shows(&app, &truth(&ground), "as the ledger has it");
    let query = json!({"query": {"filter": {"statuses": ["unknown"]}, "count": 1000}});
    let unknown: MemberRows = app.get("inventory_members", query);
    assert_eq!(facts.members, 1_000 + unknown.matching, "the first page by name, the others who matter by id");
    assert!(unknown.matching > 0 && unknown.rows.iter().all(|row| row.face.name.is_none()));
    said_in_every_copy(&app, &facts);
    relay.rule(Vec::new());
    let facts = mended_by_the_next_reading(&ground, &app);
    assert_eq!((facts.members, facts.changes), (1_050, Default::default()));
}

#[test]
fn rows_that_cannot_be_read_are_counted_where_they_are_and_make_the_inventory_partial() {
    for kind in ["lone_surrogate", "wrong_type"] {
        let (ground, app) = scene(12, 5, "admin");
        let all = truth(&ground);
        ground.fault(json!({ "bad_row": kind }));
        let facts = read(&app);
        ground.fault(json!({"bad_row": null}));
        assert!(!facts.complete);
        let rows = |what: &str| -> Vec<u32> {
            let of = facts.missing.iter().filter(|missing| missing.what == what);
            of.inspect(|missing| assert_eq!(missing.cause, "unreadable_rows")).map(|missing| missing.rows).collect()
        };
        assert_eq!((rows("list_rows"), rows("member_rows")), (vec![1], vec![1]), "{kind}");
        assert_eq!(rows("app_rows"), vec![1; facts.apps as usize], "{kind}: one in each app that was listed");
        assert_eq!(facts.names, NamesReading::Incomplete);
        let shown_now = shown(&app);
        assert!(shown_now.iter().all(|(pair, scopes)| all.get(pair) == Some(scopes)), "{kind}: nothing is invented");
        let listed: BTreeSet<String> = app_rows(&app).into_iter().map(|row| row.app.connected_app_id).collect();
        let of_listed = all.keys().filter(|(_, app)| listed.contains(app)).count();
        assert_eq!(shown_now.len(), of_listed - listed.len(), "{kind}: all but one of each");
        let window: AppRows = app.get("inventory_apps", json!({"query": {"count": 100}}));
        assert_eq!(window.unreadable.len(), 1, "{kind}");
        assert!(window.rows.iter().all(|row| row.reading == "partial"), "{kind}");
        let of_app = json!({"query": {"filter": {"apps": [listed.first()]}, "count": 100}});
        assert_eq!(app.get::<GrantRows>("inventory_grants", of_app).unreadable.len(), 1, "{kind}");
        let members: MemberRows = app.get("inventory_members", json!({"query": {"count": 100}}));
        assert_eq!(members.unreadable.len(), 1, "{kind}");
        said_in_every_copy(&app, &facts);
        let facts = mended_by_the_next_reading(&ground, &app);
        assert_eq!(facts.changes, Default::default(), "{kind}: what could not be read before is not new now");
    }
}

#[test]
fn a_rate_limit_is_waited_out_and_told_until_when() {
    for retry_after in [json!(1), Value::Null] {
        let (ground, app) = scene(12, 16, "admin");
        ground.fault(json!({"rate_limit_after": 6, "rate_window_s": 1, "retry_after_s": retry_after}));
        let before = ground.ledger().calls.len();
        let asked = app.begin("inventory_read", json!({}));
        let (mut waited, mut began) = (BTreeSet::new(), false);
        until("the reading is over", || {
            let now = jiff::Timestamp::now();
            let reading = status(&app).reading;
            began |= reading.is_some();
            if let Some(told) = reading.as_ref().and_then(|progress| progress.waiting_until.clone()) {
                let told: jiff::Timestamp = told.parse().expect("a time");
                assert!(told.duration_since(now).as_secs() < 3, "{told}");
                waited.insert(told);
            }
            reading.is_none() && began
        });
        asked.wait().expect("read in the end");
        assert!(!waited.is_empty(), "{retry_after}: it says until when it waits");
        ground.fault(json!({"rate_limit_after": null}));
        assert!(picture(&app).complete, "{retry_after}: a limit leaves nothing out");
        shows(&app, &truth(&ground), "as the ledger has it");
        let calls = ground.ledger().calls.split_off(before);
        let refused = calls.iter().filter(|call| call.status == Some(429)).count();
        assert!(refused > 0, "{retry_after}: the limit was met");
        // At the most those that were under way when it was.
        assert!(refused <= 4 * (waited.len() + 1), "{retry_after}: {refused} refusals for {} waits", waited.len());
        let answered = calls.iter().filter(|call| call.status == Some(200)).count();
        assert_eq!(answered, 1 + app_rows(&app).len() + 1, "{retry_after}: nothing that was answered is asked again");
    }
}

#[test]
fn a_wait_is_told_for_as_long_as_it_lasts_whatever_else_is_answered_meanwhile() {
    let ground = Ground::with(sandbox::Options { members: 12, apps: 24, ..sandbox::Options::default() });
    let relay = Relay::before(&ground.card().url);
    let app = App::open_with(|options| options.reading.window = Duration::from_secs(2));
    let connection = app.connect_at(&ground, &relay.url, None);
    app.sign_in(&ground, &connection, "admin");
    let (_, limited) = truth(&ground).into_keys().next().expect("a grant");
    relay.rule(vec![Rule::refuse(&app_path(&limited), 0, 429, "too_many_requests")]);
    // The other calls that are under way when the limit is met are answered in the middle of the wait.
    ground.fault(json!({"latency_ms": 200, "on": "connected_apps"}));
    let asked = app.begin("inventory_read", json!({}));
    let long = jiff::SignedDuration::from_millis(600);
    let told =
        |app: &App| -> Option<jiff::Timestamp> { Some(status(app).reading?.waiting_until?.parse().expect("a time")) };
    let (mut end, mut answered) = (None, 0);
    until("a wait of some length is told", || {
        end = told(&app).filter(|end| end.duration_since(jiff::Timestamp::now()) > long);
        answered = status(&app).reading.map_or(0, |progress| progress.calls);
        end.is_some()
    });
    let end = end.expect("a wait");
    let mut meanwhile = answered;
    loop {
        let now_told = told(&app);
        if jiff::Timestamp::now() >= end {
            break;
        }
        assert!(now_told >= Some(end), "nothing leaves before {end}, and {now_told:?} is told");
        meanwhile = status(&app).reading.map_or(meanwhile, |progress| progress.calls);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(meanwhile > answered, "calls that were under way were answered in the wait");
    relay.rule(Vec::new());
    ground.fault(json!({"latency_ms": null}));
    asked.wait().expect("read in the end");
    assert!(picture(&app).complete);
    shows(&app, &truth(&ground), "as the ledger has it");
}

#[test]
fn a_session_that_ends_midway_leaves_the_earlier_picture_to_look_at() {
    let (ground, app) = scene(12, 8, "admin");
    let facts = read(&app);
    ground.fault(json!({"session_dies_after": 4}));
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");
    let now = status(&app);
    let kept = now.picture.expect("the earlier one");
    assert_eq!((kept.snapshot, kept.complete, kept.read_only), (facts.snapshot, true, true));
    assert_eq!((now.snapshots, now.reading), (1, None));
    shows(&app, &truth(&ground), "as the ledger has it");
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");
    ground.fault(json!({"session_dies_after": null}));
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let facts = mended_by_the_next_reading(&ground, &app);
    assert!(!facts.read_only && facts.changes == Default::default());
}

#[test]
fn a_first_reading_that_the_session_does_not_survive_shows_what_came_and_names_the_rest() {
    let (ground, app) = scene(12, 8, "admin");
    let all = truth(&ground);
    ground.fault(json!({"session_dies_after": 4}));
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");
    let facts = picture(&app);
    assert!(!facts.complete && facts.read_only && facts.snapshot.is_none(), "{facts:?}");
    assert_eq!(status(&app).snapshots, 0, "half a reading is no part of the history");
    assert!(has(&facts, "app", "cancelled"), "{:?}", facts.missing);
    let named: BTreeSet<_> =
        facts.missing.iter().filter_map(|missing| Some(missing.app.as_ref()?.connected_app_id.clone())).collect();
    let expected: Grants = all.into_iter().filter(|((_, app), _)| !named.contains(app)).collect();
    shows(&app, &expected, "every app is there or named");
    assert_eq!(facts.apps_read as usize + named.len(), facts.apps as usize);
    said_in_every_copy(&app, &facts);
}

#[test]
fn a_network_that_is_gone_midway_is_told_and_leaves_the_earlier_picture() {
    let (ground, app) = scene(12, 8, "admin");
    let facts = read(&app);
    // The list is still answered, the apps and the search are not.
    ground.fault(json!({"reset_before_commit_share": 1.0, "on": "s/"}));
    let before = ground.calls();
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "offline");
    let calls = ground.calls() - before;
    assert!(calls <= 3 * (4 + 3), "nobody is asked for ever: {calls} calls");
    let now = status(&app);
    assert_eq!(now.picture.expect("the earlier one").snapshot, facts.snapshot);
    assert_eq!(now.snapshots, 1);
    ground.fault(json!({"reset_before_commit_share": null}));
    let facts = mended_by_the_next_reading(&ground, &app);
    assert_eq!(facts.changes, Default::default());
}

#[test]
fn a_reading_that_is_asked_to_stop_stops_at_once_and_says_what_is_missing() {
    let (ground, app) = scene(12, 24, "admin");
    let all = truth(&ground);
    let cancelled_midway = |app: &App| {
        ground.fault(json!({"latency_ms": 80}));
        let asked = app.begin("inventory_read", json!({}));
        until("two apps are read", || status(app).reading.is_some_and(|progress| progress.apps_done >= 2));
        app.get::<Value>("inventory_cancel", json!({}));
        let asked_at = Instant::now();
        assert_eq!(asked.wait().expect_err("it was cancelled")["kind"], "cancelled");
        assert!(asked_at.elapsed() < Duration::from_millis(500), "{:?}", asked_at.elapsed());
        ground.fault(json!({"latency_ms": null}));
        let calls = ground.calls();
        std::thread::sleep(Duration::from_millis(120));
        assert_eq!(ground.calls(), calls, "nothing is asked any more");
    };
    cancelled_midway(&app);
    let facts = picture(&app);
    assert!(!facts.complete && facts.snapshot.is_none() && has(&facts, "app", "cancelled"), "{facts:?}");
    assert_eq!(status(&app).snapshots, 0);
    let named: BTreeSet<_> =
        facts.missing.iter().filter_map(|missing| Some(missing.app.as_ref()?.connected_app_id.clone())).collect();
    let expected: Grants = all.into_iter().filter(|((_, app), _)| !named.contains(app)).collect();
    shows(&app, &expected, "every app is there or named");
    said_in_every_copy(&app, &facts);
    assert_eq!(app.refusal_kind("inventory_looked", json!({})), "nothing_read", "half a reading is not looked at");
    let whole = mended_by_the_next_reading(&ground, &app);
    cancelled_midway(&app);
    assert_eq!(picture(&app).snapshot, whole.snapshot, "a whole picture is not given up for half of one");
    assert!(picture(&app).complete);
    app.get::<Value>("inventory_cancel", json!({}));
    mended_by_the_next_reading(&ground, &app);
}

#[test]
fn a_reading_of_one_place_is_not_taken_for_that_of_another() {
    let (first, app) = scene(12, 16, "admin");
    let second = Ground::with(sandbox::Options { seed: 2, members: 10, apps: 4, ..sandbox::Options::default() });
    first.fault(json!({"latency_ms": 150}));
    let asked = app.begin("inventory_read", json!({}));
    until("the first reading is under way", || status(&app).reading.is_some());
    let connection = app.connect(&second);
    app.sign_in(&second, &connection, "admin");
    assert!(status(&app).picture.is_none() && status(&app).reading.is_none(), "nothing of the other place is shown");
    let facts = read(&app);
    assert_eq!(facts.organization_id, second.card().organization_id);
    shows(&app, &truth(&second), "as the ledger has it");
    let _ = asked.wait();
    assert_eq!(picture(&app).organization_id, second.card().organization_id);
    shows(&app, &truth(&second), "and stays shown when the other one ends");
}

// ---- while it is read ------------------------------------------------------------------------------------------------

#[test]
fn grants_that_others_change_meanwhile_are_shown_once_at_the_most_and_right_the_next_time() {
    let (ground, app) = scene(40, 12, "admin");
    let apps: Vec<String> =
        truth(&ground).into_keys().map(|(_, app)| app).collect::<BTreeSet<_>>().into_iter().collect();
    let people: BTreeSet<String> = ground.card().people.iter().map(|person| person.member_id.clone()).collect();
    let members: Vec<String> =
        truth(&ground).into_keys().map(|(member, _)| member).filter(|member| !people.contains(member)).collect();
    let over = Arc::new(AtomicBool::new(false));
    let others = {
        let (switch, over, session) = (ground.switch(), over.clone(), ground.person("admin").session_token.clone());
        let (card, apps) = (ground.card().clone(), apps.clone());
        let mut members: Vec<String> = members.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        std::thread::spawn(move || {
            let http = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let client = reqwest::Client::new();
            let mut rounds = 0_usize;
            while !over.load(Ordering::SeqCst) {
                let pair = Pair {
                    member_id: members[rounds % members.len()].clone(),
                    connected_app_id: apps[rounds % apps.len()].clone(),
                };
                match rounds % 3 {
                    0 => switch.consent_to(&pair, &["openid", "offline_access"]),
                    1 => {
                        let path = format!(
                            "{}/sdk/v1/b2b/organizations/members/{}/connected_apps/{}/revoke",
                            card.url, pair.member_id, pair.connected_app_id
                        );
                        let origin = "http://localhost:1234";
                        let request = client
                            .post(path)
                            .basic_auth(&card.public_token, Some(&session))
                            .header("Origin", origin)
                            .header("Content-Type", "application/json")
                            .body("{}");
                        let answer = http.block_on(request.send()).expect("an answer");
                        assert!(answer.status().is_success(), "{}", answer.status());
                    }
                    _ if members.len() > 20 => {
                        switch.delete_member(&pair.member_id);
                        members.retain(|member| *member != pair.member_id);
                    }
                    _ => {}
                }
                rounds += 1;
            }
            rounds
        })
    };
    ground.fault(json!({"latency_ms": 8, "on": "connected_apps"}));
    for _ in 0..4 {
        read(&app);
        let now = shown(&app);
        assert_eq!(now.len(), picture(&app).grants as usize);
        let known: u32 = member_rows(&app).iter().map(|row| row.grants).sum();
        assert_eq!(known as usize, now.len(), "each grant belongs to one member row");
    }
    over.store(true, Ordering::SeqCst);
    let rounds = others.join().expect("the others went on all the time");
    assert!(rounds > 20, "{rounds} changes were made meanwhile");
    ground.fault(json!({"latency_ms": null}));
    mended_by_the_next_reading(&ground, &app);
}

// ---- after a revoke --------------------------------------------------------------------------------------------------

#[test]
fn what_a_re_read_proved_gone_leaves_the_picture_at_once_and_is_not_called_returned() {
    let (ground, app) = scene(16, 12, "admin");
    let first = read(&app);
    let pair = ground.pair();
    let key = (pair.member_id.clone(), pair.connected_app_id.clone());
    assert!(shown(&app).contains_key(&key));
    let calls_before = ground.calls();
    assert_eq!(app.revoke(&pair).outcome, Outcome::Revoked);
    let calls = ground.calls();
    assert!(calls > calls_before);
    shows(&app, &truth(&ground), "gone from the lists without another reading");
    assert_eq!(picture(&app).grants + 1, first.grants);
    // Whatever makes the picture be drawn anew does not bring it back.
    app.get::<Value>("inventory_looked", json!({}));
    shows(&app, &truth(&ground), "nor is it back after a look");
    let rules: Value = app.get("width_rules", json!({}));
    app.get::<Value>("width_rules_set", json!({ "rules": rules }));
    shows(&app, &truth(&ground), "nor after the rules were saved");
    assert_eq!(ground.calls(), calls);
    let facts = read(&app);
    assert_eq!((facts.changes.new, facts.changes.gone), (0, 1), "{:?}", facts.changes);
    shows(&app, &truth(&ground), "as the ledger has it");
    // Given again, it is new: it was proven gone in between.
    ground.switch().consent(&pair);
    app.get::<Value>("inventory_looked", json!({}));
    let facts = read(&app);
    assert_eq!((facts.changes.new, facts.changes.gone), (1, 0), "{:?}", facts.changes);
    shows(&app, &truth(&ground), "as the ledger has it");
    let rows = grant_rows(&app, json!({"changes": ["new"]}));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].member.member_id, pair.member_id);
    assert!(rows[0].first_seen.after.is_some());
}

#[test]
fn a_grant_revoked_while_it_is_read_is_not_shown_by_that_reading() {
    let (ground, app) = scene(16, 12, "admin");
    read(&app);
    let pair = ground.pair();
    // The app is read at once, the other calls take their time.
    ground.fault(json!({"latency_ms": 3_000, "on": "/members/search"}));
    let before = ground.ledger().calls.len();
    let asked = app.begin("inventory_read", json!({}));
    let path = app_path(&pair.connected_app_id);
    until("the app was read", || {
        let calls = ground.ledger().calls.split_off(before);
        calls.iter().any(|call| call.path.ends_with(&path) && call.status.is_some())
    });
    ground.fault(json!({"latency_ms": null}));
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(app.revoke(&pair).outcome, Outcome::Revoked);
    assert!(status(&app).reading.is_some(), "the reading is still under way");
    asked.wait().expect("read");
    shows(&app, &truth(&ground), "what was proven gone after it was read is not shown");
}

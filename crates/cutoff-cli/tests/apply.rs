//! `cutoff plan`, `apply` and `log` against the sandbox's own ledger: what is said to be revoked is gone, once, and nothing else.

mod ground;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ground::{Ended, Ground, ground_with, start};
use sandbox::Options;
use serde_json::{Value, json};

/// A sandbox in which the first app has some forty grants.
fn many() -> Ground {
    ground_with(Options { members: 60, apps: 8, ..Options::default() })
}

fn plan(ground: &Ground, flags: &[&str]) -> Ended {
    let file = ground.dir.path().join("plan.json").display().to_string();
    let arguments: Vec<&str> = ["plan", "--out", &file].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn apply(ground: &Ground, flags: &[&str]) -> Ended {
    let file = ground.dir.path().join("plan.json").display().to_string();
    let arguments: Vec<&str> = ["apply", &file, "--json"].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn pairs_of_plan(ground: &Ground) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(ground.dir.path().join("plan.json")).expect("the plan's file");
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    plan["grants"].as_array().expect("grants").iter().map(pair).collect()
}

fn pair(row: &Value) -> (String, String) {
    let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned();
    (text("member_id"), text("connected_app_id"))
}

/// How often each pair was really removed.
fn removed(ground: &Ground) -> BTreeMap<(String, String), u32> {
    let mut removed = BTreeMap::new();
    for row in ground.ledger()["revocations"].as_array().expect("revocations") {
        if row["effect"] == "removed" {
            *removed.entry(pair(row)).or_default() += 1;
        }
    }
    removed
}

fn requests(ground: &Ground) -> usize {
    ground.ledger()["revocations"].as_array().expect("revocations").len()
}

fn outcomes(ended: &Ended) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in ended.lines() {
        *counts.entry(line["outcome"].as_str().expect("an outcome").to_owned()).or_default() += 1;
    }
    counts
}

/// What is said to be gone is not in the truth, and each pair of the plan was removed once at the most.
#[track_caller]
fn nothing_false(ground: &Ground, ended: &Ended) {
    let truth = ground.truth();
    for line in ended.lines() {
        let said = pair(&line);
        let there = truth.iter().any(|(member, app, _)| (member, app) == (&said.0, &said.1));
        let gone = ["revoked", "already_gone", "member_gone"].contains(&line["outcome"].as_str().expect("an outcome"));
        assert!(!(gone && there), "said to be gone and still there: {line}");
        if line["outcome"] == "revoked" {
            assert!(line["request_id"].as_str().is_some_and(|id| id.starts_with("request-id-")), "{line}");
            assert!(line["read_again_at"].is_string(), "{line}");
        }
    }
    let twice: Vec<_> = removed(ground).into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(twice.is_empty(), "removed more than once: {twice:?}");
}

#[test]
fn a_plan_is_carried_out_exactly_and_once() {
    let ground = many();
    plan(&ground, &["--app", "DataSync", "--reason", "SEC-2114"])
        .expect(0)
        .says(&["is an administrator's, and goes first"]);
    let planned = pairs_of_plan(&ground);
    assert!(planned.len() > 20, "{} grants", planned.len());
    let before = ground.truth().len();
    assert_eq!(requests(&ground), 0, "a plan sends nothing but reads");

    let asked = apply(&ground, &[]).expect(5).says(&["Nothing was sent", "--yes"]);
    assert_eq!((asked.lines().len(), requests(&ground)), (1, 0), "the plan is shown, and nothing is sent");

    let done = apply(&ground, &["--yes"]).expect(0);
    let done = done.says(&["Tokens issued before may be accepted until about"]);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned.len())]));
    assert_eq!(done.lines().iter().map(pair).collect::<Vec<_>>(), planned, "one line a grant, in the plan's order");
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned.len());
    assert_eq!(ground.truth().len(), before - planned.len(), "nothing else was revoked");

    let log = ground.here(&["log", "--json"]).expect(0).lines();
    let sweep = log[0]["sweep_id"].as_str().expect("an id");
    let by = format!("carried out already, by the sweep {sweep}");
    apply(&ground, &["--yes"]).expect(5).says(&[&by, &format!("cutoff log {sweep}")]);
    let shown = apply(&ground, &[]).expect(5).says(&[&by]);
    assert_eq!((&shown.lines()[0]["carried_out"], &shown.lines()[0]["sweep_id"]), (&json!(true), &json!(sweep)));
    assert!(!shown.err.contains("of its grants") && !shown.err.contains("add --yes"), "{}", shown.err);
    let shown = ground.admin(&["apply", &ground.dir.path().join("plan.json").display().to_string()]).expect(5).out;
    assert!(shown.contains("It was carried out: ") && !shown.contains("would be revoked"), "{shown}");
    apply(&ground, &["--yes", "--resume"]).expect(5).says(&["carried out already"]);
    assert_eq!(requests(&ground), planned.len());
    let log = ground.here(&["log", "--json"]).expect(0).lines();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0]["grants"].as_u64(), &log[0]["closed"]), (Some(planned.len() as u64), &json!(true)));
    let sweep = log[0]["sweep_id"].as_str().expect("an id");
    assert_eq!(ground.here(&["log", sweep, "--json"]).expect(0).lines(), done.lines());
}

#[test]
fn a_plan_that_two_processes_carry_out_at_once_is_sent_once() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.faults(json!({"latency_ms": 30}));
    let both: Vec<_> = (0..2)
        .map(|_| start(ground.command(&["apply", &file, "--yes"]), &format!("{}\n", ground.token("admin"))))
        .collect();
    let mut ended: Vec<Ended> = both.into_iter().map(ground::end).collect();
    ended.sort_by_key(|ended| ended.code);
    assert_eq!(requests(&ground), planned, "each grant is sent once");
    assert_eq!((ended[0].code, ended[1].code), (0, 5), "{}\n{}", ended[0].err, ended[1].err);
    assert_eq!(ground.here(&["log", "--json"]).expect(0).lines().len(), 1, "one sweep");
}

#[test]
fn an_edited_copy_of_a_plan_that_was_carried_out_is_refused() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    let file = ground.dir.path().join("plan.json");
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    let edited = |change: &dyn Fn(&mut Value)| {
        let mut edited = good.clone();
        change(&mut edited);
        std::fs::write(&file, edited.to_string()).expect("written");
        apply(&ground, &["--yes"]).expect(5)
    };
    // Hours that no plan is made with are not believed, carried out or not.
    edited(&|plan| plan["expires_at"] = json!("2036-01-01T00:00:00.000Z")).says(&["not a plan"]);
    edited(&|plan| {
        plan["created_at"] = json!("2090-01-01T00:00:00.000Z");
        plan["expires_at"] = json!("2090-01-01T12:00:00.000Z");
    })
    .says(&["not a plan"]);
    assert_eq!(requests(&ground), 0);

    std::fs::write(&file, good.to_string()).expect("written");
    apply(&ground, &["--yes"]).expect(0);
    for (member, app) in &planned {
        ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}));
    }
    edited(&|plan| plan["reason"] = json!("another")).says(&["carried out already"]);
    assert_eq!(requests(&ground), planned.len(), "nothing of it was sent again");
}

#[test]
fn what_a_sweep_found_gone_is_not_listed_again_by_a_program_that_starts_later() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    // Each desk begins with what the journal holds, as a program that starts does.
    let listed = || {
        let desk = ground.window("admin");
        let shown = ground.runtime.block_on(desk.shown()).expect("a snapshot is kept");
        let is_listed = |(member, app): &&(String, String)| {
            shown.picture.grant(&member.as_str().into(), &app.as_str().into()).is_some()
        };
        planned.iter().filter(is_listed).count()
    };
    assert_eq!(listed(), planned.len(), "the snapshot has them");
    apply(&ground, &["--yes"]).expect(0);
    assert_eq!(listed(), 0, "the snapshot is older than the sweep");
}

#[test]
fn what_somebody_else_has_revoked_meanwhile_is_not_sent_again() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    // The last ones: the first are administrators, and one of them is signed in.
    let (rest, gone) = planned.split_at(planned.len() - 5);
    for (member, _) in gone {
        ground.control("delete_member", json!({ "member_id": member }));
    }
    let done = apply(&ground, &["--yes"]).expect(0);
    let told = outcomes(&done);
    assert_eq!((told.get("already_gone"), told.get("revoked")), (Some(&5), Some(&rest.len())), "{told:?}");
    assert_eq!(requests(&ground), rest.len(), "nothing was sent for those that were gone");
    nothing_false(&ground, &done);
}

#[test]
fn what_vanished_and_what_appeared_since_the_plan_is_named_before_it_is_carried_out_and_nothing_is_added() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    let (gone, app) = planned.last().expect("one").clone();
    ground.control("delete_member", json!({ "member_id": gone }));
    let holds = |member: &str| planned.iter().any(|(planned, _)| planned == member);
    let new = ground.truth().into_iter().map(|(member, ..)| member).find(|member| !holds(member)).expect("one without");
    ground.control("consent", json!({"member_id": new, "connected_app_id": app, "scopes": ["openid"]}));
    let done = apply(&ground, &["--yes"]).expect(0).says(&[
        &format!("1 of its grants is not in its app's list now:\n  {app} of {gone}\n"),
        &format!("1 grant of its apps is new since it was made, and not in it:\n  {app} of {new}\n"),
    ]);
    assert!(!done.err.contains("not in the plan"), "that is told once: {}", done.err);
    nothing_false(&ground, &done);
    assert!(ground.truth().iter().any(|(member, of, _)| (member, of) == (&new, &app)), "it was never in the plan");
    // Of what is in the plan and listed nothing needs to be said.
    let quiet = many();
    plan(&quiet, &["--app", "DataSync"]).expect(0);
    let done = apply(&quiet, &["--yes"]).expect(0);
    assert!(!done.err.contains("of its grants") && !done.err.contains("not in"), "{}", done.err);
}

#[test]
fn what_only_later_reads_of_an_app_list_is_named_at_the_end_with_the_way_to_plan_it() {
    let ground = many();
    // A first reading has nothing to tell by that a list was cut short.
    ground.faults(json!({"list_cap": 8}));
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    let app = planned[0].1.clone();
    let done = apply(&ground, &["--yes"]).expect(0);
    nothing_false(&ground, &done);
    let again = format!("cutoff plan --app {app} --max-age 0 --out plan");
    let done = done.says(&["8 grants of its apps are not in the plan: nothing was sent for", "cut short", &again]);
    let truth = ground.truth();
    let named: Vec<&str> = done.err.lines().filter_map(|line| line.strip_prefix(&format!("  {app} of "))).collect();
    assert_eq!(named.len(), 8, "{}", done.err);
    for member in named {
        assert!(truth.iter().any(|(of, to, _)| of == member && *to == app), "{member} holds none");
        assert!(!planned.iter().any(|(of, _)| of == member), "{member} was planned");
    }
}

#[test]
fn grants_of_the_apps_that_are_not_in_a_plan_are_told_once() {
    let ground = many();
    plan(&ground, &["--member", &ground.email("admin")]).expect(0);
    let done = apply(&ground, &["--yes"]).expect(0);
    assert_eq!(done.err.matches("of its apps").count(), 1, "{}", done.err);
    done.says(&["other grants of its apps are not in it"]);
}

#[test]
fn a_list_that_lacks_what_an_earlier_reading_had_is_told_also_where_nothing_is_left_to_plan() {
    let ground = many();
    let lines = ground.admin(&["apps", "--each", "--json"]).expect(0).lines();
    let app = lines.iter().find(|app| app["app_name"] == "DataSync").expect("DataSync");
    let (app, grants) = (app["connected_app_id"].as_str().expect("an id").to_owned(), app["grants"].clone());
    ground.faults(json!({"server_error_share": 1.0, "on": "/members/"}));
    for (cap, code) in [(3, 2), (0, 5)] {
        ground.faults(json!({"list_cap": cap, "on": format!("/connected_apps/{app}$")}));
        let told = plan(&ground, &["--app", &app, "--max-age", "0", "--json"]).expect(code);
        // Its administrator's own list is still to be had.
        let planned = if cap == 0 { 0 } else { pairs_of_plan(&ground).len() as u64 };
        let told = told.says(&["neither shown nor called gone", "Read again with: cutoff inventory"]);
        if code == 2 {
            let left = grants.as_u64().expect("a number") - planned;
            assert_eq!(told.lines()[0]["not_borne_out"], json!(left), "{}", told.out);
            assert!(told.err.contains(&format!("{left} grants to DataSync")), "{}", told.err);
            std::fs::remove_file(ground.dir.path().join("plan.json")).expect("the file goes");
        }
    }
}

#[test]
fn a_list_that_is_cut_short_spares_no_grant_that_lives() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"list_cap": 5}));
    let done = apply(&ground, &["--yes"]).expect(0);
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned, "every one was listed by its own member's view, and sent");
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));
}

#[test]
fn where_no_second_view_can_be_read_what_one_list_lacks_is_sent_all_the_same() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    // A member's list leaves out what the policy forbids.
    let forbids = json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"});
    ground.control("policy", forbids);
    ground.faults(json!({"list_cap": 5}));
    let done = apply(&ground, &["--yes"]);
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned, "{:?}\n{}", outcomes(&done), done.err);
}

#[test]
fn the_vendors_own_apps_are_left_out_until_they_are_asked_for() {
    let ground = many();
    let admin = ground.email("admin");
    plan(&ground, &["--member", &admin]).expect(0).says(&["of the vendor's own apps were left out", "are your own"]);
    let without = pairs_of_plan(&ground).len();
    std::fs::remove_file(ground.dir.path().join("plan.json")).expect("the file goes");
    plan(&ground, &["--member", &admin, "--first-party"]).expect(0).says(&["may stop working"]);
    assert!(pairs_of_plan(&ground).len() > without);
    let done = apply(&ground, &["--yes"]).expect(0);
    nothing_false(&ground, &done);
}

#[test]
fn a_plan_that_was_tampered_with_or_is_for_elsewhere_sends_nothing() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let file = ground.dir.path().join("plan.json");
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    let refused = |change: &dyn Fn(&mut Value), words: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        std::fs::write(&file, bad.to_string()).expect("written");
        apply(&ground, &["--yes"]).expect(5).says(&[words]);
    };
    refused(&|plan| plan["organization_id"] = json!("organization-test-other"), "another organization");
    refused(&|plan| plan["host"] = json!("test.stytch.com"), "another organization");
    refused(&|plan| plan["environment"] = json!("live"), "another organization");
    refused(&|plan| plan["expires_at"] = json!("2020-01-01T00:00:00.000Z"), "expired");
    refused(&|plan| plan["version"] = json!(2), "later version");
    refused(&|plan| plan["critical"] = json!(["new"]), "later version");
    refused(&|plan| plan["grants"] = json!([]), "no grants");
    refused(&|plan| plan["grants"][1] = plan["grants"][0].clone(), "names one twice");
    refused(&|plan| plan["grants"][0]["member_id"] = json!(".."), "cannot be used");
    refused(&|plan| plan["format"] = json!("something"), "not a plan");
    std::fs::write(&file, "{").expect("written");
    apply(&ground, &["--yes"]).expect(5).says(&["not a plan"]);
    assert_eq!(requests(&ground), 0);
    plan(&ground, &["--app", "DataSync"]).expect(5).says(&["never written over"]);
}

#[test]
fn what_a_fresh_read_does_not_list_is_not_counted_as_if_it_were_there() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let (planned, file) = (pairs_of_plan(&ground), ground.dir.path().join("plan.json"));
    let members = format!("{0} grants of {0} members would be revoked", planned.len());
    let shown = apply(&ground, &[]).expect(5).lines();
    assert_eq!((&shown[0]["listed_now"], &shown[0]["not_listed_now"]), (&json!(planned.len()), &json!(0)));
    ground.control("delete_member", json!({"member_id": planned.last().expect("a grant").0}));
    let told = ground.admin(&["apply", &file.display().to_string()]).expect(5);
    let seen = format!("of which {} are listed now and 1 not", planned.len() - 1);
    assert!(told.out.contains(&format!("{members}, {seen}:")), "{}", told.out);
    told.says(&[&format!("revoke {} grants ({seen})", planned.len())]);
    let shown = apply(&ground, &[]).expect(5).lines();
    assert_eq!((&shown[0]["listed_now"], &shown[0]["not_listed_now"]), (&json!(planned.len() - 1), &json!(1)));
}

#[test]
fn a_plan_is_shown_whole_before_anybody_says_yes_and_only_the_expected_one_is_carried_out() {
    let ground = many();
    let made = plan(&ground, &["--app", "DataSync", "--reason", "SEC-2114", "--json"]).expect(0).lines();
    let hash = made[0]["plan_hash"].as_str().expect("a hash").to_owned();
    let planned = pairs_of_plan(&ground);
    let shown = apply(&ground, &["--expect-hash", &hash]).expect(5).says(&["--yes"]).lines();
    assert_eq!((&shown[0]["plan_hash"], &shown[0]["reason"]), (&json!(hash), &json!("SEC-2114")));
    assert_eq!((&shown[0]["grants"], &shown[0]["policy"]), (&json!(planned.len()), &Value::Null));
    assert_eq!(
        (&shown[0]["apps"][0]["name"], &shown[0]["apps"][0]["grants"]),
        (&json!("DataSync"), &json!(planned.len()))
    );
    assert!(shown[0]["estimate_ms"].is_u64() && shown[0]["compared"]["vanished"] == json!([]), "{}", shown[0]);
    let file = ground.dir.path().join("plan.json");
    let told = ground.admin(&["apply", &file.display().to_string()]).expect(5);
    let members = format!("{0} grants of {0} members would be revoked", planned.len());
    let organization = ground.window("admin").session().expect("a session").state().organization;
    let (name, id) = (organization.organization_name, organization.organization_id.to_string());
    let both = format!("{name} ({id})");
    for word in [&hash, "SEC-2114", "good until", "DataSync", "By the pace", &members, &both] {
        assert!(told.out.contains(word), "{word:?} is not in\n{}", told.out);
    }
    let told = told.says(&["of them is your own", "administrator's, and goes first", &both]);
    drop(told);
    assert_eq!((&shown[0]["members"], &shown[0]["organization_name"]), (&json!(planned.len()), &json!(name)));
    assert_eq!((&shown[0]["compared"]["own"], &shown[0]["compared"]["first_party"]), (&json!(1), &json!(0)));

    // Another grant, or a longer life, is another plan.
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    for (key, value) in [
        ("expires_at", json!("2099-01-01T00:00:00.000Z")),
        ("grants", json!(good["grants"].as_array().expect("grants")[1..])),
    ] {
        let mut edited = good.clone();
        edited[key] = value;
        std::fs::write(&file, edited.to_string()).expect("written");
        apply(&ground, &["--yes", "--expect-hash", &hash[..8]]).expect(5).says(&["not the plan that was expected"]);
    }
    assert_eq!(requests(&ground), 0);
    std::fs::write(&file, good.to_string()).expect("written");
    apply(&ground, &["--yes", "--expect-hash", &hash[..7]]).expect(5).says(&["8 to 64"]);
    let done = apply(&ground, &["--yes", "--expect-hash", &hash[..8].to_uppercase()]).expect(0).says(&[&hash]);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned.len())]));
}

#[test]
fn a_grant_that_was_never_seen_is_called_unknown_before_and_after() {
    let ground = many();
    let there = ground.truth().into_iter().next().expect("a grant");
    let known = format!("{}:{}", there.0, there.1);
    let strange = format!("member-test-nobody:{}", there.1);
    plan(&ground, &["--grant", &known, "--grant", &strange, "--first-party"])
        .expect(2)
        .says(&["the member is not listed", "member-test-nobody"]);
    let shown = apply(&ground, &[]).expect(5).says(&["never seen here"]).lines();
    assert_eq!(shown[0]["compared"]["never_seen"][0]["member_id"], "member-test-nobody");
    let done = apply(&ground, &["--yes"]).expect(0).says(&["1 grant is unknown: never seen here"]);
    nothing_false(&ground, &done);
    // One that went by itself was seen, and is told without doubt.
    std::fs::remove_file(ground.dir.path().join("plan.json")).expect("gone");
    plan(&ground, &["--app", "DataSync"]).expect(0);
    ground.control("delete_member", json!({ "member_id": pairs_of_plan(&ground).last().expect("one").0 }));
    let done = apply(&ground, &["--yes"]).expect(0);
    assert_eq!(outcomes(&done)["already_gone"], 1);
    assert!(!done.err.contains("never seen"), "{}", done.err);
}

#[test]
fn the_log_of_a_sweep_names_what_was_seen_again_later() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    apply(&ground, &["--yes"]).expect(0);
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    ground.admin(&["inventory"]).expect(0);
    let quiet = ground.here(&["log", &sweep]).expect(0);
    assert!(!quiet.err.contains("Seen again"), "{}", quiet.err);
    let (member, app) = pairs_of_plan(&ground).swap_remove(3);
    ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}));
    ground.admin(&["inventory"]).expect(0);
    let told = ground.here(&["log", &sweep]).expect(0);
    let told = told.says(&[&format!("Seen again: DataSync ({app}) of {member}, gone at")]);
    assert_eq!(told.err.matches("Seen again").count(), 1, "{}", told.err);
}

#[test]
fn a_limit_is_waited_out_and_every_grant_is_done() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"rate_limit_after": 15, "rate_window_s": 2, "retry_after_s": 2}));
    let done = apply(&ground, &["--yes"]).expect(0).says(&["Stytch limits the rate"]);
    ground.faults(json!({"rate_limit_after": null, "rate_window_s": null, "retry_after_s": null}));
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));
    nothing_false(&ground, &done);
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was_and_repeats_nothing_that_is_known() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground);
    ground.faults(json!({"latency_ms": 60}));
    let file = ground.dir.path().join("plan.json").display().to_string();
    let command = ground.command(&["apply", &file, "--yes", "--concurrency", "2"]);
    let mut child = start(command, &format!("{}\n", ground.token("admin")));
    let began = Instant::now();
    while removed(&ground).len() < planned.len() / 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is revoked");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("kill -9");
    child.wait().expect("it is gone");
    // What had left before the kill still arrives, within the latency.
    let mut arrived = requests(&ground);
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let now = requests(&ground);
        if now == arrived {
            break;
        }
        arrived = now;
    }
    ground.faults(json!({"latency_ms": null}));
    let done_before = removed(&ground).len();
    assert!(done_before < planned.len(), "it was over before it was killed");

    apply(&ground, &["--yes"]).expect(5).says(&["unfinished", "--resume"]);
    let sent_before = requests(&ground);

    // What was answered before the kill was on the disk, but for what was under way and what came in the last moment.
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let log = ground.here(&["log", &sweep, "--json"]).expect(0).lines();
    let known = log.iter().filter(|line| line["request_id"].is_string()).count();
    assert!(known + 2 * 2 >= done_before, "{done_before} were removed, and the journal knows the answer of {known}");

    // Whoever stands before one grant of it may not send for all of them: the single settle refuses a sweep of many.
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("an id");
    let desk = ground.window("admin");
    let refused = ground.runtime.block_on(desk.settle(sweep, true)).expect_err("it is a sweep of many");
    assert!(matches!(refused, cutoff::Error::Plan(cutoff::plan_file::Unusable::Unfinished)), "{refused:?}");
    let told = ground.runtime.block_on(desk.reports()).expect("reports");
    assert!(told.len() == planned.len() && told.iter().all(|report| !report.alone), "each is one of many");
    assert_eq!(requests(&ground), sent_before, "nothing was sent");
    drop(desk);

    let done = apply(&ground, &["--yes", "--resume"]).expect(0);
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned.len(), "none is lost");
    assert_eq!(done.lines().len(), planned.len());
    assert!(requests(&ground) - sent_before <= planned.len() - done_before, "what was gone was sent again");
}

#[test]
fn a_session_that_ends_in_the_middle_is_told_and_the_same_member_goes_on() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"session_dies_after": 15}));
    let ended = apply(&ground, &["--yes"]).expect(4).says(&["session has ended", "--resume", "of the same member"]);
    assert!(!ended.err.contains("cutoff sign-in"), "it was handed over: {}", ended.err);
    nothing_false(&ground, &ended);
    let done_before = removed(&ground).len();
    assert!((1..planned).contains(&done_before), "{done_before} of {planned}");
    ground.faults(json!({"session_dies_after": null}));

    // Another member may not go on with it, whatever their roles.
    let reader = ground.sandbox.card().people.iter().find(|person| person.role == "reader").expect("a reader");
    ground.control("roles", json!({"member_id": reader.member_id, "roles": ["stytch_admin"]}));
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground
        .as_role("reader", &["apply", &file, "--yes", "--resume"])
        .expect(5)
        .says(&["Another member began", "--failed-of"]);
    assert_eq!(removed(&ground).len(), done_before);

    // The same member does, with another session.
    let desk = ground.window("admin");
    let bytes = std::fs::read(ground.dir.path().join("plan.json")).expect("the plan");
    let plan = cutoff::plan_file::PlanFile::read(&bytes).expect("a plan");
    let how = cutoff::sweeps::Apply { resume: true, ..cutoff::sweeps::Apply::default() };
    let (_wish, wishes) = tokio::sync::watch::channel(cutoff::sweep::Wish::Run);
    let progress = tokio::sync::watch::Sender::default();
    let report = ground.runtime.block_on(desk.apply(&plan, &how, wishes, progress, None)).expect("it goes on");
    assert!(cutoff::sweeps::all_gone(&report), "{:?}", report.outcomes);
    assert_eq!(removed(&ground).len(), planned);
    assert!(removed(&ground).values().all(|times| *times == 1), "something was removed twice");
}

#[test]
fn a_role_that_is_lost_in_the_middle_stops_it_and_it_can_go_on_later() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"role_lost_after": 15}));
    let ended = apply(&ground, &["--yes"]).expect(3).says(&[
        "every other grant would meet the same refusal",
        "It needs revoke.connected-app on stytch.member",
        "Roles that hold it: stytch_admin",
        "one of yours holds it: it was taken away",
    ]);
    nothing_false(&ground, &ended);
    let sent = requests(&ground);
    assert!(sent < planned, "it went on against a refusal that meets every grant: {sent} of {planned}");
    ground.faults(json!({"role_lost_after": null}));
    let done = apply(&ground, &["--yes", "--resume"]);
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned, "stderr: {}", done.err);
}

#[test]
fn a_canary_that_dies_spares_the_rest() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"server_error_share": 1.0, "on": "/revoke"}));
    let ended = apply(&ground, &["--yes", "--canary"]).expect(2).says(&[
        "Stopped after the first 1, at the first stage of the canary",
        "1 of 1 failed, and more than one in five stops it",
        &format!("{} other grants were not sent", planned - 1),
        "go on with the following, which tries the failed again first",
    ]);
    nothing_false(&ground, &ended);
    let tried: std::collections::BTreeSet<_> =
        ground.ledger()["revocations"].as_array().expect("revocations").iter().map(pair).collect();
    assert!(tried.len() <= 1, "{} grants were tried", tried.len());
    ground.faults(json!({"server_error_share": null, "on": "/revoke"}));
    let done = apply(&ground, &["--yes", "--canary", "--resume"]).expect(0);
    assert_eq!(done.lines().len(), planned);
    nothing_false(&ground, &done);
}

/// Runs a command in which no file may grow beyond so many blocks of 512 bytes: what is written beyond fails, as on a full disk.
fn capped(command: &std::process::Command, blocks: u64) -> std::process::Command {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]).arg(command.get_program());
    shell.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    shell
}

#[test]
fn a_disk_that_is_full_before_the_first_revoke_is_a_refusal_and_nothing_was_sent() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let file = ground.dir.path().join("plan.json").display().to_string();
    let largest =
        ground::files(&ground.state_dir()).iter().map(|(_, bytes)| bytes.len()).max().expect("a journal") as u64;
    let mut refused = 0;
    for room in [0, 16, 64] {
        let command = capped(&ground.command(&["apply", &file, "--yes", "--resume"]), largest / 512 + room);
        let done = ground::end(start(command, &format!("{}\n", ground.token("admin"))));
        if requests(&ground) > 0 {
            break;
        }
        done.expect(5).says(&["No revoke and no change of the policy was sent"]);
        refused += 1;
    }
    assert!(refused > 0, "there was room from the start");
    apply(&ground, &["--yes", "--resume"]).expect(0);
}

/// A sweep begun with room for less than it writes, and how it ended once something was sent; `None` where that was so late that it was
/// carried out all the same, which is told as that.
fn broken_off_by_the_disk(word: &str) -> Option<(Ground, Ended)> {
    // Many grants, so that nearly all of what is written is written between the first request and the last.
    let ground = ground_with(Options { members: 200, apps: 4, ..Options::default() });
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let file = ground.dir.path().join("plan.json").display().to_string();
    let words = match word {
        "apply" => vec!["apply", &file, "--yes", "--resume", "--concurrency", "2"],
        _ => vec!["contain", "--app", "DataSync", "--unlisted", "keep", "--yes", "--concurrency", "2"],
    };
    // How much room a whole run takes is not known before: a little more each time, until something was sent.
    for room in (8..800).step_by(24) {
        let files = ground::files(&ground.state_dir());
        let largest = files.iter().map(|(_, bytes)| bytes.len()).max().expect("a journal") as u64;
        let command = capped(&ground.command(&words), largest / 512 + room);
        let ended = ground::end(start(command, &format!("{}\n", ground.token("admin"))));
        if ended.err.contains("after a request had left") {
            if ended.err.contains("The sweep was carried out.") {
                ended.expect(1).says(&["See what became of it: cutoff log "]);
                return None;
            }
            return Some((ground, ended.expect(1)));
        }
    }
    panic!("it never failed after something was sent");
}

#[test]
fn a_disk_that_is_full_after_something_was_sent_is_told_with_the_command_that_goes_on() {
    for word in ["apply", "contain"] {
        let (ground, failed) = (0..4)
            .find_map(|_| broken_off_by_the_disk(word))
            .expect("one that had more to send than there was room for");
        let (_, next) = failed
            .err
            .split_once("go on with it then: cutoff ")
            .unwrap_or_else(|| panic!("the command is told: {}", failed.err));
        // The place and the folder are this run's, and the next one gives them itself.
        let given = ["--base-url", "--public-token", "--state-dir", "--session-token-stdin"];
        let next: Vec<&str> = next.split_whitespace().take_while(|word| !given.contains(word)).collect();
        assert_eq!(next[0], word, "{}", failed.err);
        assert!(next.contains(&"--resume") && next.contains(&"--yes"), "{next:?}");
        let done = ground.admin(&next).expect(0);
        assert!(!done.err.contains("Nothing was sent"), "{}", done.err);
    }
}

#[test]
fn answers_that_never_come_are_settled_by_reading() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let planned = pairs_of_plan(&ground).len();
    ground.faults(json!({"reset_after_commit_share": 0.2, "reset_before_commit_share": 0.2, "on": "/revoke"}));
    let done = apply(&ground, &["--yes"]);
    nothing_false(&ground, &done);
    assert_eq!(removed(&ground).len(), planned, "{:?}\n{}", outcomes(&done), done.err);
    done.expect(0);
}

#[test]
fn the_token_is_in_no_plan_no_journal_and_no_output_of_a_sweep() {
    let ground = many();
    let token = ground.token("admin");
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let done = apply(&ground, &["--yes"]).expect(0);
    assert!(!done.out.contains(&token) && !done.err.contains(&token));
    let mut folders = vec![ground.dir.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&entry).expect("a file");
            assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "in {}", entry.display());
        }
    }
    assert!(files >= 2, "a plan and a journal at least");
}

#[test]
fn whoever_reads_no_further_still_gets_the_exit_code_of_what_became_of_the_sweep() {
    let ground = many();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    ground.faults(json!({"server_error_share": 1.0, "on": "/revoke"}));
    let file = ground.dir.path().join("plan.json").display().to_string();
    let mut child =
        start(ground.command(&["apply", &file, "--yes", "--json"]), &format!("{}\n", ground.token("admin")));
    drop(child.stdout.take());
    let ended = ground::end(child).expect(2);
    assert!(!ended.err.is_empty(), "and why is said");
    assert_eq!(ended.out, "");
}

#[test]
fn a_plain_member_plans_by_the_own_address_though_no_name_may_be_read() {
    let ground = many();
    let file = ground.dir.path().join("plan.json").display().to_string();
    let own =
        &ground.sandbox.card().people.iter().find(|person| person.role == "member").expect("one").member_id.clone();
    let address = ground.email("member").to_uppercase();
    let made = ground.as_role("member", &["plan", "--member", &address, "--first-party", "--out", &file]).expect(2);
    let made = made.says(&["are your own", "Members are shown by id"]);
    assert!(!made.err.contains("administrator's"), "{}", made.err);
    let held = ground.truth().into_iter().filter(|(member, ..)| member == own).count();
    let planned = pairs_of_plan(&ground);
    assert_eq!((planned.len(), planned.iter().all(|(member, _)| member == own)), (held, true));
    // Another's stays unknown, and is no empty plan.
    let other =
        ground.as_role("member", &["plan", "--member", &ground.email("admin"), "--out", "other.json"]).expect(5);
    other.says(&["No member in this inventory is called"]);
    ground.as_role("member", &["apply", &file, "--yes"]).expect(0);
    assert!(ground.truth().iter().all(|(member, ..)| member != own));
}

#[test]
fn whoever_may_not_revoke_is_told_so_and_not_how_to_do_it() {
    let ground = many();
    let file = ground.dir.path().join("plan.json").display().to_string();
    let made = ground.as_role("reader", &["plan", "--app", "DataSync", "--out", &file]).expect(3);
    let mut told = vec![made, ground.as_role("reader", &["apply", &file]).expect(3)];
    told.push(ground.as_role("reader", &["apply", &file, "--yes"]).expect(3));
    let keep: Vec<String> = ground
        .admin(&["apps", "--each", "--json", "--look-alikes"])
        .expect(0)
        .lines()
        .iter()
        .filter(|line| line["odd"].as_array().is_some_and(|odd| !odd.is_empty()))
        .flat_map(|line| ["--keep".to_owned(), line["connected_app_id"].as_str().expect("an id").to_owned()])
        .collect();
    let contain: Vec<&str> =
        ["contain", "--app", "DataSync"].into_iter().chain(keep.iter().map(String::as_str)).collect();
    told.push(ground.as_role("reader", &contain).expect(3));
    // Before anything is asked of them to be decided.
    let undecided = ground.as_role("reader", &["contain", "--app", "DataSync"]).expect(3);
    assert!(!undecided.err.contains("--keep"), "{}", undecided.err);
    told.push(undecided);
    for told in told {
        let told = told.says(&["It needs revoke.connected-app on stytch.member", "Roles that hold it: stytch_admin"]);
        for false_hope in ["add --yes", "--yes --base-url", "The grants are revoked all the same"] {
            assert!(!told.err.contains(false_hope), "{false_hope}: {}", told.err);
        }
    }
    assert_eq!(requests(&ground), 0);
}

#[test]
fn what_one_administrator_holds_is_not_told_of_several() {
    let ground = many();
    plan(&ground, &["--member", &ground.email("admin"), "--first-party"])
        .expect(0)
        .says(&["of 1 administrator, and go first"]);
}

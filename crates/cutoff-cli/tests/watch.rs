//! `cutoff watch` against the sandbox: what came back is told, once, and nothing else is.

mod ground;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use cutoff::watch::{Kind, waiting};
use ground::{Ended, Ground, end, ground_with, kill_if_it_stays, start};
use sandbox::Options;
use serde_json::{Value, json};

/// A sandbox in which DataSync has 137 grants and a few more.
fn many() -> Ground {
    ground_with(Options { members: 220, apps: 8, ..Options::default() })
}

type Pair = (String, String);

fn pair(row: &Value) -> Pair {
    let text = |key: &str| row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned();
    (text("member_id"), text("connected_app_id"))
}

/// Plans and revokes, and answers what the plan named.
fn cut_off(ground: &Ground, flags: &[&str]) -> Vec<Pair> {
    let path = ground.dir.path().join("plan.json");
    let file = path.display().to_string();
    let arguments: Vec<&str> = ["plan", "--out", &file].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments);
    let plan: Value = serde_json::from_slice(&std::fs::read(&path).expect("a plan")).expect("JSON");
    ground.admin(&["apply", &file, "--yes"]).expect(0);
    std::fs::remove_file(path).expect("the file goes");
    plan["grants"].as_array().expect("grants").iter().map(pair).collect()
}

fn consent(ground: &Ground, (member, app): &Pair) {
    ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}));
}

fn watch(ground: &Ground) -> Ended {
    ground.admin(&["watch", "--once", "--json"])
}

fn told(ended: &Ended) -> BTreeSet<(String, Pair)> {
    let lines = ended.lines();
    let found: BTreeSet<_> =
        lines.iter().map(|line| (line["kind"].as_str().expect("a kind").to_owned(), pair(line))).collect();
    assert_eq!(found.len(), lines.len(), "something is told twice: {}", ended.out);
    found
}

fn again(pairs: &[Pair]) -> BTreeSet<(String, Pair)> {
    pairs.iter().map(|pair| ("seen_again".to_owned(), pair.clone())).collect()
}

#[test]
fn two_of_many_consent_again_and_one_alert_names_both_and_never_again() {
    let ground = many();
    let lost = cut_off(&ground, &["--app", "DataSync"]);
    assert!(lost.len() > 130, "{} grants", lost.len());
    let nothing = watch(&ground).expect(0);
    assert_eq!(nothing.out, "");

    let two = [lost[3].clone(), lost[70].clone()];
    two.iter().for_each(|pair| consent(&ground, pair));
    let first = watch(&ground).expect(2);
    assert_eq!(told(&first), again(&two));
    for line in first.lines() {
        assert_eq!(line["lost_connected_app_id"], line["connected_app_id"]);
        let time = |key: &str| line[key].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
        assert!(time("gone_at") < time("seen_at"), "{line}");
        let sweeps = ground.here(&["log", "--json"]).expect(0).lines();
        assert_eq!(line["sweep_id"], sweeps[0]["sweep_id"]);
    }
    for (member, app) in &two {
        assert!(first.err.contains(&format!("--grant {member}:{app}")), "{}", first.err);
    }
    assert!(first.err.contains(&format!("cutoff contain --app {}", two[0].1)), "{}", first.err);
    let block = first.err.lines().find(|line| line.contains("cutoff contain")).expect("the hint");
    assert!(block.contains("what has to be decided") && !block.contains("--yes"), "{block}");
    ground.admin(&["contain", "--app", &two[0].1]).expect(5).says(&["Nothing was sent"]);
    assert_eq!(watch(&ground).expect(0).out, "", "told once, also by a program that starts later");

    // The window hears nothing of it any more, and lists it until somebody has dealt with it.
    let desk = ground.window("admin");
    let mut alerts = desk.alerts();
    let listed = |desk: &cutoff::Desk| ground.runtime.block_on(desk.come_backs()).expect("come-backs");
    ground.runtime.block_on(desk.read_inventory(&|_| {})).expect("read");
    assert_eq!(waiting(&mut alerts), []);
    let standing = listed(&desk);
    assert_eq!(standing.len(), 2);
    assert!(standing.iter().all(|back| back.kind == Kind::SeenAgain && back.known.is_some()));
    ground.runtime.block_on(desk.dismiss(&standing[0].id)).expect("dismissed");
    assert_eq!(listed(&desk), standing[1..]);
    drop(desk);
    assert_eq!(listed(&ground.window("admin")).len(), 1, "dismissed for good");
    let there = (standing[1].member_id.to_string(), standing[1].connected_app_id.to_string());

    // Revoked again it is dealt with, and when it comes back once more that is told.
    cut_off(&ground, &["--grant", &format!("{}:{}", there.0, there.1)]);
    assert_eq!(listed(&ground.window("admin")), []);
    watch(&ground).expect(0);
    consent(&ground, &there);
    assert_eq!(told(&watch(&ground).expect(2)), again(&[there]));
}

#[test]
fn a_look_alike_under_a_new_client_id_is_told_with_the_app_it_looks_like() {
    let ground = many();
    ground.admin(&["inventory"]).expect(0);
    let app = ground.admin(&["apps", "--json", "--each", "--app", "DataSync"]).expect(0).lines()[0]["connected_app_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    ground.faults(json!({"reconsent_after_ms": 0, "reconsent_new_client_id": true, "on": app}));
    let holders: Vec<Pair> =
        ground.truth().into_iter().filter(|(_, of, _)| *of == app).map(|(member, of, _)| (member, of)).collect();
    let some: Vec<String> = holders.iter().take(2).map(|(member, app)| format!("{member}:{app}")).collect();
    let lost = cut_off(&ground, &["--grant", &some[0], "--grant", &some[1]]);
    ground.faults(json!({"reconsent_after_ms": null, "reconsent_new_client_id": false, "on": app}));

    let first = watch(&ground).expect(2).says(&["Revoke it again"]);
    let lines = first.lines();
    assert_eq!(lines.len(), 2, "{}", first.out);
    for line in &lines {
        assert_eq!((line["kind"].as_str(), line["lost_connected_app_id"].as_str()), (Some("look_alike"), Some(&*app)));
        let (member, new) = pair(line);
        assert!(new != app && ground.truth().iter().any(|(of, to, _)| (of, to) == (&member, &new)), "{line}");
        assert!(lost.iter().any(|(of, _)| *of == member));
    }
    watch(&ground).expect(0);
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let told = ground.here(&["log", &sweep]).expect(0);
    for (member, new) in lines.iter().map(pair) {
        let of = |line: &&str| line.starts_with("A look-alike") && line.contains(&new) && line.contains(&member);
        let line = told.err.lines().find(of).expect("told");
        assert!(line.contains(&app), "{line}");
    }
}

#[test]
fn what_another_commands_reading_finds_is_passed_on_and_not_told_again() {
    let ground = many();
    let lost = cut_off(&ground, &["--app", "DataSync"]);
    consent(&ground, &lost[0]);
    let (member, app) = &lost[0];
    ground.admin(&["inventory"]).expect(0).says(&[
        "is seen again",
        "Stytch gives no way to tell",
        &format!("{member}:{app}"),
    ]);
    watch(&ground).expect(0);
}

#[test]
fn what_was_never_lost_is_no_come_back() {
    let ground = many();
    ground.admin(&["inventory"]).expect(0);
    let truth = ground.truth();
    let (member, app, _) = truth.first().expect("a grant").clone();
    let other = truth.iter().find(|(of, to, _)| *of != member && *to != app).expect("another").clone();
    cut_off(&ground, &["--first-party", "--grant", &format!("{member}:{app}")]);
    // A new grant of somebody who lost nothing, and one to an app that looks like nothing.
    let holds = |member: &str, app: &str| truth.iter().any(|(of, to, _)| of == member && to == app);
    let free = |app: &str| truth.iter().map(|(of, ..)| of).find(|of| **of != member && !holds(of, app));
    consent(&ground, &(free(&app).expect("somebody").clone(), app.clone()));
    if !holds(&member, &other.1) {
        consent(&ground, &(member, other.1));
    }
    assert_eq!(watch(&ground).expect(0).out, "");
}

#[test]
fn it_watches_through_trouble_until_it_is_interrupted() {
    let ground = many();
    let lost = cut_off(&ground, &["--app", "DataSync"]);
    let mut child =
        start(ground.command(&["watch", "--every-seconds", "1", "--json"]), &format!("{}\n", ground.token("admin")));
    ground.faults(json!({"server_error_share": 1.0}));
    std::thread::sleep(Duration::from_millis(2500));
    assert!(child.try_wait().expect("it is asked").is_none(), "it gave up");
    ground.faults(json!({"server_error_share": null}));
    consent(&ground, &lost[0]);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (began, mut line) = (Instant::now(), String::new());
    let over = kill_if_it_stays(&child);
    out.read_line(&mut line).expect("a line");
    drop(over);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(pair(&serde_json::from_str(&line).expect("JSON")), lost[0]);
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    end(child).expect(2).says(&["Trying again in 1 s"]);

    // Nothing came back: 0.
    let child =
        start(ground.command(&["watch", "--every-seconds", "1", "--json"]), &format!("{}\n", ground.token("admin")));
    let calls = ground.calls().len();
    while ground.calls().len() < calls + 12 {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    end(child).expect(0);
}

#[test]
fn what_came_back_is_told_before_anything_that_can_be_broken_off() {
    let ground = ground_with(Options { members: 40, apps: 4, ..Options::default() });
    let contained = ground.admin(&["contain", "--app", "DataSync", "--yes", "--json"]).expect(0);
    let blocked = pair(&contained.lines()[0]).1;
    let (member, app, _) = ground.truth().into_iter().find(|(_, app, _)| *app != blocked).expect("a grant");
    let lost = cut_off(&ground, &["--first-party", "--grant", &format!("{member}:{app}")]).remove(0);
    consent(&ground, &lost);
    // The policy, by which the block is looked at after the reading, keeps the watch waiting.
    ground.faults(json!({"silence_s": 60.0, "on": "/organizations/me$"}));
    let mut child = start(ground.command(&["watch", "--once", "--json"]), &format!("{}\n", ground.token("admin")));
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (began, mut line) = (Instant::now(), String::new());
    let over = kill_if_it_stays(&child);
    out.read_line(&mut line).expect("a line");
    drop(over);
    assert!(began.elapsed() < Duration::from_secs(30), "it was told only after the policy was read");
    assert_eq!(pair(&serde_json::from_str(&line).expect("JSON")), lost);
    assert!(
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success()
    );
    end(child).expect(2);
}

#[test]
fn it_ends_with_4_when_the_session_is_over_and_says_what_it_could_not_read() {
    let ground = many();
    let app = ground.truth().first().expect("a grant").1.clone();
    ground.faults(json!({"server_error_share": 1.0, "on": app}));
    ground.admin(&["watch", "--once"]).expect(2).says(&["could not be read"]);
    ground.faults(json!({"server_error_share": null, "on": app}));
    ground.admin(&["watch", "--once"]).expect(0);
    ground.faults(json!({"session_dies_after": 20}));
    ground.admin(&["watch", "--every-seconds", "1"]).expect(4).says(&["session has ended"]);
}

#[test]
fn what_the_sweeps_own_later_read_saw_again_is_told_by_the_window_and_then_by_nobody() {
    let ground = many();
    let lost = cut_off(&ground, &["--app", "DataSync"]);
    consent(&ground, &lost[5]);
    let desk = ground.window("admin");
    let mut alerts = desk.alerts();
    ground.runtime.block_on(async {
        // The read that would have confirmed it is due ten minutes later.
        let later = jiff::Timestamp::now() + Duration::from_secs(1200);
        desk.tend(later).await.expect("read again");
        assert_eq!(waiting(&mut alerts), [], "only an inventory raises anything");
        desk.read_inventory(&|_| {}).await.expect("read");
    });
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let lines = ground.here(&["log", &sweep, "--json"]).expect(0).lines();
    // Listed within seconds of the answer, which is too soon to call it still there.
    let there: Vec<Pair> = lines.iter().filter(|line| line["why"] == "listed_yet").map(pair).collect();
    assert_eq!(there, [lost[5].clone()], "the sweep no longer calls it revoked");
    let raised = waiting(&mut alerts);
    let told: Vec<Pair> =
        raised.iter().map(|back| (back.member_id.to_string(), back.connected_app_id.to_string())).collect();
    assert_eq!(told, [lost[5].clone()]);
    drop(desk);
    watch(&ground).expect(0);
}

#[test]
fn a_block_that_somebody_undoes_is_told_once_and_what_only_the_policy_hides_is_no_alarm() {
    let ground = ground_with(Options { members: 40, apps: 4, ..Options::default() });
    ground.admin(&["inventory"]).expect(0);
    let before = ground.control("policy", json!({}));
    let contained = ground.admin(&["contain", "--app", "DataSync", "--yes", "--json"]).expect(0);
    let app = pair(&contained.lines()[0]).1;
    let now = ground.control("policy", json!({}));
    // One forbidden app is known and hidden, and nothing came back.
    assert_eq!(watch(&ground).expect(0).out, "");
    let help = ground::run(&["watch", "--help"]).expect(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Apps that the policy hides do not count"), "{help}");
    let undo = |to: &Value| {
        let keys = ["third_party_connected_apps_allowed_type", "allowed_third_party_connected_apps"];
        let of: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), to[*key].clone())).collect();
        ground.control("policy", Value::Object(of))
    };
    undo(&before);
    let first = watch(&ground).expect(2).says(&["contain", &format!("--app {app}")]);
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].clone();
    let line = json!({"kind": "block_undone", "connected_app_ids": [app], "sweep_id": sweep});
    assert_eq!(first.lines(), std::slice::from_ref(&line));
    assert_eq!(watch(&ground).expect(0).out, "", "told once");
    // Whoever looks at the sweep later is told the same.
    let stands = |words: &str| {
        let told = ground.here(&["log", sweep.as_str().expect("an id")]).expect(0).out;
        assert!(told.contains(words), "{words:?} is not in {told}");
    };
    stands("is not in force, as read at");
    assert_eq!(ground.here(&["log", "--json"]).expect(0).lines()[0]["block"]["state"], "not_in_force");
    // Made again and undone again, it is another matter.
    undo(&now);
    watch(&ground).expect(0);
    stands("is in force");
    undo(&before);
    assert_eq!(watch(&ground).expect(2).lines(), [line]);
    // Lifted from here nobody has undone it.
    undo(&now);
    watch(&ground).expect(0);
    ground.admin(&["lift", sweep.as_str().expect("an id"), "--yes"]).expect(0);
    assert_eq!(watch(&ground).expect(0).out, "");
}

#[test]
fn a_block_that_stands_is_watched_whatever_became_of_others_of_the_same_app() {
    let ground = ground_with(Options { members: 40, apps: 4, ..Options::default() });
    let third_party = |ground: &Ground| {
        ground.admin(&["inventory"]);
        let apps = ground.admin(&["apps", "--json", "--each"]).lines();
        let of = |app: &Value| app["client_type"].as_str().is_some_and(|kind| kind.starts_with("third_party"));
        apps.into_iter().filter(of).map(|app| app["connected_app_id"].as_str().expect("an id").to_owned())
    };
    let apps: Vec<String> = third_party(&ground).collect();
    let open = ground.control("policy", json!({}));
    let newest =
        || ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let set = |to: &Value| {
        let keys = ["third_party_connected_apps_allowed_type", "allowed_third_party_connected_apps"];
        ground.control("policy", keys.iter().map(|key| ((*key).to_owned(), to[*key].clone())).collect())
    };
    let undone =
        |sweep: &str, app: &str| json!({"kind": "block_undone", "connected_app_ids": [app], "sweep_id": sweep});
    ground.admin(&["contain", "--app", &apps[0], "--yes"]).expect(0);
    let first = newest();
    // Another block of the same app and one more, which is lifted: that leaves the first one.
    ground.admin(&["contain", "--app", &apps[0], "--app", &apps[1], "--yes"]).expect(0);
    let second = newest();
    assert_ne!(second, first);
    let beside = "blocked an app of it too";
    let told = format!("Sweep {second} {beside}");
    ground.admin(&["lift", &first, "--over-changes"]).expect(5).says(&[&told]);
    assert!(!ground.admin(&["lift", &second]).expect(5).err.contains(beside), "the first one's block stays");
    ground.admin(&["lift", &newest(), "--yes"]).expect(0);
    assert_eq!(watch(&ground).out, "");
    set(&open);
    assert_eq!(watch(&ground).expect(2).lines(), [undone(&first, &apps[0])]);
}

#[test]
fn an_app_of_which_nobody_tells_whose_it_is_is_named_once_when_its_block_is_undone() {
    let ground = ground_with(Options { members: 40, apps: 4, ..Options::default() });
    ground.admin(&["inventory"]).expect(0);
    let before = ground.control("policy", json!({}));
    let app = "connected-app-test-00000000-0000-4000-8000-000000000001";
    let other = "connected-app-test-00000000-0000-4000-8000-000000000002";
    ground.admin(&["contain", "--app", app, "--app", other, "--first-party", "--yes"]).expect(0);
    watch(&ground);
    ground.control("policy", before);
    let told = watch(&ground).expect(2).lines();
    assert_eq!(told[0]["connected_app_ids"].as_array().expect("ids").len(), 2, "{told:?}");
}

#[test]
fn a_look_alike_that_was_there_before_a_cut_list_left_it_out_is_no_come_back() {
    let ground = ground_with(Options { members: 60, apps: 40, ..Options::default() });
    let alike = ground.admin(&["apps", "--look-alikes", "--each", "--json"]).expect(0).lines();
    let of = |line: &Value| line["connected_app_id"].as_str().expect("an id").to_owned();
    let same = |one: &Value, other: &Value| one["group_id"].is_string() && one["group_id"] == other["group_id"];
    let first = alike.iter().find(|one| alike.iter().filter(|other| same(one, other)).count() > 1).expect("a group");
    let other = alike.iter().find(|other| same(first, other) && of(other) != of(first)).expect("another of it");
    let (app, look_alike) = (of(first), of(other));
    let taken = ground.truth();
    let member = taken
        .iter()
        .map(|(member, ..)| member)
        .find(|member| !taken.iter().any(|(of, to, _)| of == *member && (*to == app || *to == look_alike)));
    let member = member.expect("somebody with neither").clone();
    consent(&ground, &(member.clone(), app.clone()));
    ground.admin(&["inventory"]).expect(0);
    consent(&ground, &(member.clone(), look_alike.clone()));
    ground.admin(&["inventory"]).expect(0);
    ground.faults(json!({"list_cap": 0, "on": look_alike}));
    ground.admin(&["inventory"]).expect(2);
    assert_eq!(cut_off(&ground, &["--first-party", "--grant", &format!("{member}:{app}")]).len(), 1);
    ground.faults(json!({"list_cap": null, "on": look_alike}));
    assert_eq!(watch(&ground).expect(0).out, "");
}

//! `cutoff plan --indicators` against the sandbox: what an advisory names is found or not found, and how much of the inventory that
//! is said of.

mod ground;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use ground::{Ended, Ground, ground_with, run};
use sandbox::Options;
use serde_json::{Value, json};

fn forty() -> Ground {
    ground_with(Options { members: 60, apps: 40, ..Options::default() })
}

fn write(ground: &Ground, name: &str, text: &str) -> String {
    let path = ground.dir.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

fn look(ground: &Ground, text: &str, flags: &[&str]) -> Ended {
    let file = write(ground, "indicators", text);
    let arguments: Vec<&str> =
        ["plan", "--json", "--indicators", &file].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn apps(ground: &Ground) -> Vec<(String, String)> {
    let lines = ground.admin(&["apps", "--each", "--json"]).expect(0).lines();
    let text = |line: &Value, key: &str| line[key].as_str().expect("a text").to_owned();
    lines.iter().map(|line| (text(line, "connected_app_id"), text(line, "app_name"))).collect()
}

#[test]
fn sixty_indicators_are_found_or_not_and_the_plan_has_every_grant_of_those_found() {
    let ground = forty();
    let apps = apps(&ground);
    let third: BTreeSet<String> = ground
        .admin(&["apps", "--each", "--json", "--type", "third_party"])
        .expect(0)
        .lines()
        .iter()
        .map(|line| line["connected_app_id"].as_str().expect("an id").to_owned())
        .collect();
    let data = apps.iter().find(|(_, name)| name == "DataSync").expect("DataSync").clone();
    let other = apps.iter().find(|(id, name)| third.contains(id) && *name != data.1 && !name.is_empty());
    let other = other.expect("another").0.clone();
    let strangers: String = (0..58).map(|n| format!("connected-app-test-{n:08}\n")).collect();
    let plan = ground.dir.path().join("plan.json");
    let text = format!("# advisory\r\ndatasync\r\n{other}\n{strangers}");
    let ended = look(&ground, &text, &["--out", &plan.display().to_string()]).expect(0);
    let ended = ended.says(&["2 of 60 indicators found", "apps read of"]);
    let lines = ended.lines();
    assert_eq!(lines.len(), 62, "60 indicators, what they are said of, and the plan");
    assert_eq!((&lines[0]["matched_by"], &lines[0]["connected_app_ids"]), (&json!("name"), &json!([data.0])));
    assert_eq!((&lines[1]["matched_by"], &lines[1]["connected_app_ids"]), (&json!("id"), &json!([other])));
    assert!(lines[2..60].iter().all(|line| line["found"] == json!(false) && line["matched_by"].is_null()));
    assert_eq!((&lines[60]["apps_read"], &lines[60]["complete"]), (&json!(apps.len()), &json!(true)));

    let planned: Value = serde_json::from_slice(&std::fs::read(plan).expect("a plan")).expect("JSON");
    let pair = |member: &Value, app: &Value| (member.as_str().map(str::to_owned), app.as_str().map(str::to_owned));
    let planned: BTreeSet<_> = planned["grants"]
        .as_array()
        .expect("grants")
        .iter()
        .map(|grant| pair(&grant["member_id"], &grant["connected_app_id"]))
        .collect();
    let truth: BTreeSet<_> = ground
        .truth()
        .into_iter()
        .filter(|(_, app, _)| *app == data.0 || *app == other)
        .map(|(member, app, _)| (Some(member), Some(app)))
        .collect();
    assert_eq!(planned, truth);
    assert_eq!(lines[0]["grants"].as_u64().unwrap() + lines[1]["grants"].as_u64().unwrap(), truth.len() as u64);
    assert_eq!(ground.ledger()["revocations"], json!([]), "looking sends nothing but reads");
}

#[test]
fn nothing_found_is_said_to_be_nothing_only_when_everything_was_read() {
    let ground = forty();
    let nil = look(&ground, "[\"connected-app-test-none\", \"No Such App\"]", &[]).expect(0);
    let nil = nil.says(&["Nil finding: none of 2 indicators was found"]);
    let last = nil.lines().pop().expect("a line");
    assert_eq!(
        (&last["found"], &last["complete"], &last["apps_read"]),
        (&json!(0), &json!(true), &last["apps_listed"])
    );

    let app = ground.truth().first().expect("a grant").1.clone();
    ground.faults(json!({"server_error_share": 1.0, "on": app}));
    let gap = look(&ground, "No Such App\n", &["--max-age", "0"]).expect(2);
    assert!(!gap.err.contains("Nil finding"), "{}", gap.err);
    let gap = gap.says(&["no nil finding, since not everything was read"]);
    assert_eq!(gap.lines().pop().expect("a line")["complete"], json!(false));

    // And so it is told of what was exported, long after.
    let pack = ground.dir.path().join("gap.zip").display().to_string();
    look(&ground, "No Such App\n", &["--max-age", "0", "--evidence", &pack]).expect(2);
    let whole = ground.dir.path().join("nil.zip").display().to_string();
    ground.faults(json!({"server_error_share": null, "on": app}));
    look(&ground, "No Such App\n", &["--max-age", "0", "--evidence", &whole]).expect(0);
    for (pack, complete, words) in
        [(&pack, false, "no nil finding"), (&whole, true, "Nil finding: none of 1 indicator")]
    {
        let told = run(&["verify", pack]).expect(0).out;
        assert!(told.contains(words), "{told}");
        let line = run(&["verify", pack, "--json"]).expect(0).lines().remove(0);
        let finding = json!({"indicators": 1, "found": 0, "complete": complete, "nil": complete});
        assert_eq!(line["finding"], finding);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_pack.py");
        let second = Command::new("python3").arg(script).arg(pack).output().expect("python3");
        let second: Value = serde_json::from_slice(&second.stdout).expect("JSON");
        assert_eq!(second["finding"], finding, "both verifiers say the same");
        let id = line["sweep_id"].as_str().expect("an id");
        let logged = ground.here(&["log", "--json"]).expect(0).lines();
        assert_eq!(logged.iter().find(|sweep| sweep["sweep_id"] == id).expect("it")["finding"], finding);
        assert!(ground.here(&["log", id]).expect(0).out.contains(words.split(':').next().expect("words")));
        assert_eq!(ground.here(&["log", id, "--json"]).expect(0).lines()[0]["complete"], json!(complete));
    }
}

#[test]
fn an_app_that_only_an_earlier_reading_had_is_named_with_when_that_was() {
    let ground = forty();
    ground.admin(&["inventory"]).expect(0);
    let app = ground.truth().first().expect("a grant").1.clone();
    let plan = ground.dir.path().join("all.json").display().to_string();
    ground.admin(&["plan", "--app", &app, "--first-party", "--out", &plan]).expect(0);
    ground.admin(&["apply", &plan, "--yes"]).expect(0);
    let pack = ground.dir.path().join("known.zip").display().to_string();
    let told = look(&ground, &format!("{app}\n"), &["--max-age", "0", "--evidence", &pack]);
    let line = told.lines().remove(0);
    assert_eq!((&line["found"], &line["known_before"][0]["connected_app_id"]), (&json!(false), &json!(app)));
    let at = line["known_before"][0]["read_at"].as_str().expect("when").to_owned();
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    let sweep = told.lines().pop().expect("a line")["sweep_id"].as_str().expect("an id").to_owned();
    let logged = ground.here(&["log", &sweep]).expect(0).out;
    assert!(logged.contains(&format!("{app} is known from the reading of ")), "{logged}");
    let bytes = std::fs::read(&pack).expect("a pack");
    let report = format!("(known from the reading of {at}, not listed now)");
    assert!(bytes.windows(report.len()).any(|part| part == report.as_bytes()), "in the report");
}

#[test]
fn a_name_that_only_looks_like_it_is_told_and_planned_when_asked_for() {
    let ground = forty();
    // A Cyrillic а, as an advisory's author may have pasted it.
    let text = "name\nDаtaSync\n";
    let plan = ground.dir.path().join("plan.json").display().to_string();
    let told = look(&ground, text, &["--out", &plan]).expect(0).says(&["--look-alikes", "none was written"]);
    assert_eq!(told.lines()[0]["matched_by"], "look_alike");
    assert!(!std::path::Path::new(&plan).exists());
    look(&ground, text, &["--out", &plan, "--look-alikes"]).expect(0);
    assert!(std::path::Path::new(&plan).exists());

    // An id is never found by likeness, and in any case.
    let id = apps(&ground).into_iter().find(|(_, name)| name == "DataSync").expect("DataSync").0;
    assert_eq!(look(&ground, "client_id\nDataSync\n", &[]).expect(0).lines()[0]["found"], json!(false));
    let upper = look(&ground, &format!("client_id\n{}\n", id.to_uppercase()), &[]).expect(0).lines();
    assert_eq!((&upper[0]["matched_by"], &upper[0]["connected_app_ids"]), (&json!("id"), &json!([id])));
}

/// Forbids one third-party app and allows every other.
fn forbid(ground: &Ground, app: &str) {
    let others: Vec<String> = apps(ground).into_iter().map(|(id, _)| id).filter(|id| id != app).collect();
    let rule =
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": others});
    ground.control("policy", rule);
}

#[test]
fn an_app_that_the_policy_hides_is_found_by_its_id_and_every_grant_of_it_is_planned() {
    let ground = forty();
    let app = apps(&ground).into_iter().find(|(_, name)| name == "DataSync").expect("DataSync").0;
    let holders = ground.truth().into_iter().filter(|(_, of, _)| *of == app).count();
    forbid(&ground, &app);
    // Another journal, in which it was never seen.
    std::fs::remove_dir_all(ground.state_dir()).expect("it goes");
    assert!(!apps(&ground).iter().any(|(id, _)| *id == app), "it is in no list");
    let plan = ground.dir.path().join("plan.json").display().to_string();
    let told = look(&ground, &format!("- {app}\n"), &["--out", &plan]).expect(0).says(&["1 of 1 indicator found"]);
    let line = &told.lines()[0];
    assert_eq!((&line["matched_by"], &line["grants"], &line["line"]), (&json!("id"), &json!(holders), &json!(1)));
    let planned: Value = serde_json::from_slice(&std::fs::read(&plan).expect("a plan")).expect("JSON");
    assert_eq!(planned["grants"].as_array().expect("grants").len(), holders);
    ground.admin(&["apply", &plan, "--yes"]).expect(0);
    assert!(ground.truth().iter().all(|(_, of, _)| *of != app));
}

#[test]
fn what_the_policy_hides_even_from_its_own_view_is_no_nil_finding() {
    let ground = forty();
    let app = apps(&ground).into_iter().find(|(_, name)| name == "DataSync").expect("DataSync").0;
    forbid(&ground, &app);
    ground.faults(json!({"policy_hides": true}));
    std::fs::remove_dir_all(ground.state_dir()).expect("it goes");
    for text in [app.clone(), app.to_uppercase(), "No Such App".to_owned()] {
        let told = look(&ground, &text, &[]).expect(2).says(&["no nil finding", "policy"]);
        assert!(!told.err.contains("Nil finding"), "{}", told.err);
        let lines = told.lines();
        assert_eq!(lines.last().expect("a line")["complete"], json!(false));
        assert_eq!(lines[0]["hidden"], json!(text != "No Such App"), "{text}");
    }
    // People are not told that it was not found, and are told where to look.
    let file = write(&ground, "indicators", &format!("https://evil.example/authorize?client_id={app}&x=1\n"));
    let told = ground.admin(&["plan", "--indicators", &file]).expect(2).says(&["is told by: cutoff log"]);
    assert!(told.out.contains(&format!("unknown    {app}: the policy hides it")), "{}", told.out);
    assert!(!told.out.contains("not found"), "{}", told.out);
    // Nor is one that nobody could ask for.
    let ground = forty();
    let id = "connected-app-test-00000000";
    ground.faults(json!({"server_error_share": 1.0, "on": id}));
    look(&ground, id, &[]).expect(2).says(&["no nil finding", id]);
    ground.faults(ground::no_faults());
    let calls = |ground: &Ground| ground.calls().iter().filter(|path| path.contains("connected-app-test-zz")).count();
    let many: String = (0..230).map(|n| format!("connected-app-test-zz{n:06}\n")).collect();
    look(&ground, &many, &[]).expect(2).says(&["30 more ids are in no list", "Split the file"]);
    assert_eq!(calls(&ground), 200);
}

#[test]
fn the_lines_of_an_advisory_are_understood_or_named_one_by_one() {
    let ground = forty();
    let (id, _) = apps(&ground).into_iter().find(|(_, name)| name == "DataSync").expect("DataSync");
    for line in [
        "- ID",
        "1. ID",
        "\"ID\"",
        "ID, Foo",
        "DataSync (ID)",
        "ID # since May",
        "connected-app[-]REST",
        "\u{feff}ID\r",
    ] {
        let rest = id.trim_start_matches("connected-app-");
        let line = line.replace("ID", &id).replace("REST", rest);
        let told = look(&ground, &format!("{line}\n"), &[]).expect(0);
        let found = told.lines().iter().any(|row| row["matched_by"] == "id" && row["connected_app_ids"] == json!([id]));
        assert!(found, "{line}: {}", told.out);
    }
    let open = format!("{id}\n\"never closed\n");
    look(&ground, &open, &[]).expect(2).says(&["Line 2 was not understood", "\"never closed"]);
    let file = write(&ground, "indicators", &format!("* {id}\n"));
    let text = ground.admin(&["plan", "--indicators", &file]).expect(0).out;
    assert!(text.contains(&format!("(line 1: * {id})")), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_whole_is_refused_and_nothing_is_looked_for() {
    let ground = forty();
    for (text, words) in [
        ("", "it has none"),
        ("{\"a\": 1}", "JSON Lines"),
        ("[\"a\", 7]", "number 2 of its list is no text, nor an object with client_id, id or name"),
        ("{\"name\": \"a\"}\n{}\n", "line 2 is no text"),
        ("date,app\n2026-01-01,Foo\n2026-01-02,Bar\n", "Name the column"),
    ] {
        look(&ground, text, &[]).expect(5).says(&[words, "nothing was looked for"]);
    }
    ground.admin(&["plan", "--indicators", "/nonexistent"]).expect(5).says(&["cannot be read"]);
    ground.admin(&["plan", "--indicators", "x", "--app", "y"]).expect(5);
    ground.admin(&["plan", "--app", "y"]).expect(5).says(&["--out"]);
    assert_eq!(ground.calls(), Vec::<String>::new());
}

#[test]
fn a_nil_finding_is_evidence_that_both_verifiers_take_and_no_changed_byte_of() {
    let ground = forty();
    let pack = ground.dir.path().join("finding.zip");
    let out = pack.display().to_string();
    let text = "# CVE\nconnected-app-test-none\n<script>alert(1)</script>\n";
    let told = look(&ground, text, &["--evidence", &out, "--reason", "ADV-7"]).expect(0).says(&["Nil finding"]);
    let last = told.lines().pop().expect("a line");
    let head = last["head"].as_str().expect("a head").to_owned();
    let bytes = std::fs::read(&pack).expect("a pack");
    let sweep = last["sweep_id"].as_str().expect("an id");
    let logged = ground.here(&["log", sweep]).expect(0).out;
    for part in ["A finding", "connected-app-test-none", "<script>alert(1)</script>", "INDICATOR"] {
        assert!(logged.contains(part), "{part}: {logged}");
    }
    let lines = ground.here(&["log", sweep, "--json"]).expect(0).lines();
    assert_eq!((lines.len(), &lines[0]["indicator"]), (2, &json!("connected-app-test-none")));
    assert_eq!((&lines[1]["matched_by"], &lines[1]["grants"]), (&json!("none"), &json!(0)));
    let verdict = run(&["verify", &out, "--head", &head]).expect(0).out;
    assert!(verdict.contains("Finding ") && verdict.contains("Unchanged since head"), "{verdict}");
    let verified = cutoff::evidence::verify(&bytes, head.parse().ok()).expect("it holds together");
    assert_eq!((verified.grants, verified.closed, verified.erased), (0, true, 0));
    assert_eq!(verified.absent, Vec::<&str>::new());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_pack.py");
    let second = |path: &Path| Command::new("python3").arg(&script).arg(path).args(["--head", &head]).output();
    assert!(second(&pack).expect("python3").status.success());

    let coverage = format!("{} read of {} listed", last["apps_read"], last["apps_listed"]);
    // Stored as they are, the files can be read in the pack itself.
    let holds = |part: &str| bytes.windows(part.len()).any(|found| found == part.as_bytes());
    for part in [
        "Nil finding: none of 2 indicators was found",
        &coverage,
        "&lt;script&gt;alert(1)",
        "\"matched_by\":\"none\"",
        "\"text\":\"connected-app-test-none\"",
        "ADV-7",
    ] {
        assert!(holds(part), "{part}");
    }
    assert!(!holds("Revoke of"), "nothing was revoked");
    let rows = bytes.windows(9).position(|found| found == b"indicator").expect("rows");
    for at in (rows..bytes.len()).step_by(211) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(cutoff::evidence::verify(&changed, head.parse().ok()).is_err(), "byte {at}");
    }

    // A text that is not the one that was looked for, with everything around it made to fit.
    let mut other = bytes.clone();
    let at = bytes.windows(8).position(|found| found == b"test-non").expect("the indicator");
    other[at] = b'b';
    std::fs::write(&pack, &other).expect("written");
    assert!(!second(&pack).expect("python3").status.success());

    // It is in the journal's own list, is no sweep for the window, and can be exported again, byte for byte.
    let log = ground.here(&["log", "--json"]).expect(0).lines();
    assert_eq!((log.len(), &log[0]["grants"], &log[0]["sweep_id"]), (1, &json!(0), &last["sweep_id"]));
    let again = ground.dir.path().join("again.zip").display().to_string();
    ground.here(&["export", last["sweep_id"].as_str().expect("an id"), "--out", &again]).expect(0);
    assert_eq!(std::fs::read(again).expect("a pack"), bytes);
    let desk = ground.window("admin");
    assert_eq!(ground.runtime.block_on(desk.digests()).expect("sweeps").len(), 0);
    ground.runtime.block_on(desk.tend(jiff::Timestamp::now())).expect("nothing is due");
}

#[test]
fn an_id_in_a_part_of_the_file_that_no_word_announces_is_found_and_a_name_there_is_no_nil_finding() {
    let ground = forty();
    let id = apps(&ground).into_iter().find(|(_, name)| name == "DataSync").expect("DataSync").0;
    for text in [
        json!([{"name": "Evil Notes", "type": "client_id", "value": id}]),
        json!({"name": "Advisory 7", "malicious_clients": [{"client_id": id}]}),
        json!({"indicators": ["connected-app-test-none"], "oauth_clients": [id]}),
        json!({"Indicators": [id], "name": "Advisory 7"}),
        json!([{"client_id": "connected-app-test-none", "connected_app_id": id}]),
        json!({"client_id": id, "apps": ["Nope"]}),
        json!([{"id": "IOC-1", "value": id}]),
        json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001",
               "objects": [{"type": "indicator", "pattern": format!("[x-oauth:client_id = '{id}']")}]}),
    ] {
        let found = look(&ground, &text.to_string(), &[]).expect(0).lines();
        assert!(found.iter().any(|line| line["connected_app_ids"] == json!([id])), "{text}: {found:?}");
    }
    let untold = json!({"indicators": ["connected-app-test-none"], "banned": ["No Such App"]});
    let ended = look(&ground, &untold.to_string(), &[]).expect(2);
    assert_eq!(ended.lines().pop().expect("a line")["lines_not_understood"], json!(1));
    let refused = look(&ground, "{\"type\": \"bundle\", \"objects\": [{\"type\": \"malware\"}]}", &[]);
    refused.expect(5).says(&["number 1 of its list", "STIX bundle"]);
}

#[test]
fn an_app_that_a_cut_list_lacks_is_found_and_one_of_which_nothing_tells_is_no_nil_finding() {
    let ground = ground_with(Options { members: 60, apps: 12, ..Options::default() });
    let all = apps(&ground);
    ground.faults(json!({"list_cap": 2}));
    ground.admin(&["inventory"]).expect(2);
    for (id, name) in &all {
        let found = look(&ground, id, &[]).expect(2).lines();
        assert_eq!(found[0]["connected_app_ids"], json!([id]), "{name}: {}", found[0]);
    }
    let (_, name) = all.iter().find(|(_, name)| name == "DataSync").expect("DataSync");
    assert_eq!(look(&ground, name, &[]).expect(2).lines()[0]["matched_by"], json!("name"));
    // Neither the list nor its own view tells of an app that was read before.
    ground.faults(json!({"list_cap": null}));
    ground.admin(&["inventory"]).expect(0);
    let calls = ground.calls();
    let last = calls.iter().filter_map(|path| path.split_once("/connected_apps/")).map(|(_, id)| id).next_back();
    let last = last.expect("an app was asked for").to_owned();
    ground.faults(json!({"list_cap": 2}));
    ground.faults(json!({"server_error_share": 1.0, "on": format!("/connected_apps/{last}")}));
    ground.admin(&["inventory"]).expect(2);
    let nil = look(&ground, "Nothing of this name", &[]).expect(2);
    assert_eq!(nil.lines()[1]["complete"], json!(false), "{}", nil.out);
    let asked = look(&ground, &last, &[]).expect(2);
    assert_eq!(asked.lines()[1]["complete"], json!(false), "{}", asked.out);
    assert!(asked.err.contains("is unknown") && !asked.err.contains("Nil finding"), "{}", asked.err);
}

#[test]
fn what_is_not_counted_any_more_since_sweeps_found_it_gone_is_told_with_the_time_of_the_reading() {
    let ground = ground_with(Options { members: 30, apps: 6, ..Options::default() });
    let plan = ground.dir.path().join("plan.json").display().to_string();
    let planned = ground.admin(&["plan", "--app", "DataSync", "--out", &plan, "--json"]).expect(0).lines();
    let n = planned[0]["grants"].as_u64().expect("a number");
    let before = ground.admin(&["apps", "--app", "DataSync", "--json"]).expect(0);
    assert!(!before.err.contains("found gone"), "{}", before.err);
    ground.admin(&["apply", &plan, "--yes"]).expect(0);
    let without = format!(", without {n} grants that sweeps found gone since");
    let after = ground.admin(&["apps", "--app", "DataSync", "--json"]).expect(0).says(&[&without]);
    assert_eq!(after.lines()[0]["grants"], json!(0), "{}", after.out);
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    let found = look(&ground, "DataSync\n", &["--evidence", &pack]).expect(0).says(&[&without]).lines();
    assert_eq!((&found[0]["grants"], &found[1]["found_gone"]), (&json!(0), &json!(n)));
    let bytes = std::fs::read(&pack).expect("a pack");
    assert!(String::from_utf8_lossy(&bytes).contains(&format!("(UTC){without}")), "the report says so too");
    run(&["verify", &pack]).expect(0);
}

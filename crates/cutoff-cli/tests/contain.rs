//! `cutoff contain` and `lift` against the sandbox's own ledger: one change of the policy, one revoke for each grant, nothing called
//! gone that is not, and a block that is lifted as exactly as it was made.

mod ground;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutoff::policy::Decisions;
use cutoff::sweep::Step;
use ground::{Ended, Ground, end, ground_with, start};
use sandbox::Options;
use serde_json::{Value, json};
use stytch_b2b::{ConnectedAppId, SessionToken};

fn small() -> Ground {
    ground_with(Options { members: 40, apps: 4, ..Options::default() })
}

fn apps(ground: &Ground) -> Vec<Value> {
    ground.admin(&["apps", "--json", "--max-age", "0"]).lines()
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned()
}

fn app_called(ground: &Ground, name: &str) -> String {
    let apps = apps(ground);
    text(apps.iter().find(|app| app["app_name"] == name).expect("the app"), "connected_app_id")
}

fn pair(row: &Value) -> (String, String) {
    (text(row, "member_id"), text(row, "connected_app_id"))
}

fn revocations(ground: &Ground) -> Vec<Value> {
    ground.ledger()["revocations"].as_array().expect("revocations").clone()
}

fn changes(ground: &Ground) -> Vec<Value> {
    ground.ledger()["policy_changes"].as_array().expect("policy changes").clone()
}

/// Calls that change the policy, carried out or not.
fn puts(ground: &Ground) -> usize {
    let calls = ground.ledger()["calls"].as_array().expect("calls").clone();
    calls.iter().filter(|call| call["method"] == "PUT").count()
}

/// The policy as it stands.
fn policy(ground: &Ground) -> (Value, Value) {
    let now = ground.control("policy", json!({}));
    (now["third_party_connected_apps_allowed_type"].clone(), now["allowed_third_party_connected_apps"].clone())
}

fn grants_of(ground: &Ground, app: &str) -> BTreeSet<(String, String)> {
    let truth = ground.truth().into_iter();
    truth.filter(|(_, of, _)| of == app).map(|(member, app, _)| (member, app)).collect()
}

fn outcomes(ended: &Ended) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in ended.lines() {
        *counts.entry(text(&line, "outcome")).or_default() += 1;
    }
    counts
}

/// What is said to be gone is not in the truth, and no grant was removed twice.
#[track_caller]
fn nothing_false(ground: &Ground, ended: &Ended) {
    let truth: BTreeSet<_> = ground.truth().into_iter().map(|(member, app, _)| (member, app)).collect();
    for line in ended.lines() {
        let gone = ["revoked", "already_gone", "member_gone"].contains(&text(&line, "outcome").as_str());
        assert!(!(gone && truth.contains(&pair(&line))), "said to be gone and still there: {line}");
    }
    let mut removed = BTreeMap::<_, u32>::new();
    for row in revocations(ground).iter().filter(|row| row["effect"] == "removed") {
        *removed.entry(pair(row)).or_default() += 1;
    }
    assert!(removed.values().all(|times| *times == 1), "removed more than once: {removed:?}");
}

fn contain(ground: &Ground, flags: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["contain", "--yes", "--json"].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn newest_sweep(ground: &Ground) -> String {
    text(&ground.here(&["log", "--json"]).expect(0).lines()[0], "sweep_id")
}

#[test]
fn a_compromised_app_and_its_look_alikes_are_blocked_and_cut_off_with_one_change_of_the_policy() {
    let ground = ground_with(Options { members: 500, apps: 40, ..Options::default() });
    let listed = apps(&ground);
    let id = |name: &str| text(listed.iter().find(|app| app["app_name"] == name).expect("the app"), "connected_app_id");
    // One app of 137 grants and three others of 21 together.
    let (app, others) = (id("Meeting Scribe"), ["C1aude", "Payroll \u{202E}fdp.exe", "\u{0421}laude"].map(id));
    let members: BTreeSet<String> = ground.truth().into_iter().map(|(member, ..)| member).collect();
    for (app, wanted) in [(&app, 137), (&others[0], 9), (&others[1], 8), (&others[2], 4)] {
        let have = grants_of(&ground, app);
        assert!(have.len() <= wanted, "{} of {app} are too many", have.len());
        let free = members.iter().filter(|member| !have.contains(&((*member).clone(), app.clone())));
        for member in free.take(wanted - have.len()) {
            ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}));
        }
    }
    let blocked: BTreeSet<&String> = others.iter().chain([&app]).collect();
    let planned: BTreeSet<_> = blocked.iter().flat_map(|app| grants_of(&ground, app)).collect();
    assert_eq!(planned.len(), 158);
    let beside = ground.truth().len() - planned.len();

    let mut flags: Vec<String> = blocked.iter().flat_map(|app| ["--app".to_owned(), (*app).clone()]).collect();
    let flagged: Vec<String> = listed
        .iter()
        .filter(|app| app["odd"].as_array().is_some_and(|odd| !odd.is_empty()))
        .filter(|app| text(app, "client_type").starts_with("third_party"))
        .map(|app| text(app, "connected_app_id"))
        .filter(|app| !blocked.contains(app))
        .collect();
    assert!(!flagged.is_empty(), "this world has look-alikes");
    // Nobody has decided about those that look like others: nothing is done, and each is named.
    let words: Vec<&str> = flags.iter().map(String::as_str).collect();
    let open = contain(&ground, &words).expect(5).says(&["--keep", "Nothing was sent"]);
    assert!(flagged.iter().all(|app| open.err.contains(app)), "{}", open.err);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));

    flags.extend(flagged.iter().flat_map(|app| ["--keep".to_owned(), app.clone()]));
    ground.faults(json!({"latency_ms": 20}));
    let words: Vec<&str> = flags.iter().map(String::as_str).collect();
    let done = contain(&ground, &words).expect(0).says(&["The block is in force", "until about"]);
    ground.faults(json!({"latency_ms": null}));
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), 158)]));
    nothing_false(&ground, &done);
    assert_eq!(done.lines().iter().map(pair).collect::<BTreeSet<_>>(), planned);
    let sent = revocations(&ground);
    assert_eq!(sent.len(), 158, "each has its own revoke, and one");
    assert_eq!(ground.truth().len(), beside, "nothing else was revoked");
    let changes = changes(&ground);
    assert_eq!((changes.len(), puts(&ground)), (1, 1), "one change of the policy");
    let (word, allowed) = policy(&ground);
    assert_eq!(word, "RESTRICTED");
    let allowed: BTreeSet<&str> = allowed.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let kept: BTreeSet<String> = listed
        .iter()
        .filter(|app| text(app, "client_type").starts_with("third_party"))
        .map(|app| text(app, "connected_app_id"))
        .filter(|app| !blocked.contains(app))
        .collect();
    assert_eq!(allowed, kept.iter().map(String::as_str).collect(), "every other app stays allowed, and no other");
    let first = changes[0]["before"]["first_party_connected_apps_allowed_type"].clone();
    assert_eq!(changes[0]["after"]["first_party_connected_apps_allowed_type"], first, "the other kind is left alone");
    // The block came first: what was planned was frozen before it.
    assert!(text(&changes[0], "at") <= text(&sent[0], "at"));
}

#[test]
fn without_yes_it_is_shown_and_nothing_is_sent() {
    let ground = small();
    let shown = ground.admin(&["contain", "--app", "DataSync"]).expect(5);
    shown.says(&["To be blocked: DataSync", "Stays allowed: Claude", "can no longer be connected", "--yes"]);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
    ground.admin(&["contain", "--yes", "--app", "Acme CLI"]).expect(5).says(&["--first-party"]);
    ground.admin(&["contain", "--yes", "--app", "DataSink"]).expect(5).says(&["No connected app"]);
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.admin(&["contain", "--app", "DataSync", "--out", &file]).expect(0).says(&["cutoff apply"]);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
    // A file that would open what it is to block is refused.
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    for change in [
        json!({"third_party": "ALL_ALLOWED"}),
        json!({"first_party": "RESTRICTED", "allowed_first_party": []}),
        json!({"allowed_third_party": [good["block"]["apps"][0]]}),
    ] {
        let mut bad = good.clone();
        for (key, value) in change.as_object().expect("a change") {
            bad["block"]["after"][key] = value.clone();
        }
        std::fs::write(&file, bad.to_string()).expect("written");
        ground.admin(&["apply", &file, "--yes"]).expect(5).says(&["not the one that its apps and decisions make"]);
        ground.admin(&["apply", &file]).expect(5).says(&["not the one that its apps and decisions make"]);
    }
    // What only the apps that are installed can tell: one that nobody decided about is forbidden too, or a stranger allowed.
    let list = good["block"]["after"]["allowed_third_party"].as_array().expect("a list").clone();
    let stranger: Vec<Value> = list.iter().cloned().chain([json!("connected-app-test-stranger")]).collect();
    for (list, word) in
        [(list[1..].to_vec(), list[0].as_str().expect("an id")), (stranger, "connected-app-test-stranger")]
    {
        let mut bad = good.clone();
        bad["block"]["after"]["allowed_third_party"] = json!(list);
        std::fs::write(&file, bad.to_string()).expect("written");
        ground.admin(&["apply", &file, "--yes"]).expect(5).says(&[
            "its apps and decisions make",
            word,
            "Nothing was sent",
        ]);
    }
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
    // The plan as it was made is shown with the change of the policy.
    std::fs::write(&file, good.to_string()).expect("written");
    let shown = ground.admin(&["apply", &file]).expect(5);
    for word in ["RESTRICTED instead of ALL_ALLOWED", "forbidden: DataSync", "stay allowed"] {
        assert!(shown.out.contains(word), "{word:?} is not in\n{}", shown.out);
    }
    let shown = ground.admin(&["apply", &file, "--json"]).expect(5).lines();
    assert_eq!(shown[0]["policy"]["to"]["third_party"], "RESTRICTED");
    assert_eq!(shown[0]["policy"]["forbids"], good["block"]["third_party"]);
    let mut bad = good.clone();
    bad["critical"] = json!([]);
    std::fs::write(&file, bad.to_string()).expect("written");
    ground.admin(&["apply", &file, "--yes"]).expect(5);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
}

#[test]
fn that_a_block_is_likely_to_be_refused_is_told_before_decisions_are_asked_for_it() {
    let ground = ground_with(Options { members: 60, apps: 8, ..Options::default() });
    let admin = ground.sandbox.card().people[0].member_id.clone();
    ground.control("roles", json!({"member_id": admin, "roles": ["security_responder"]}));
    let told = ground.admin(&["contain", "--app", "DataSync"]).expect(5);
    let at = |words: &str| told.err.find(words).unwrap_or_else(|| panic!("{words:?} is not in\n{}", told.err));
    assert!(at("The block is likely to be refused") < at("Decide for each with --keep ID"), "{}", told.err);
    assert_eq!(told.err.matches("likely to be refused").count(), 1, "{}", told.err);
}

#[test]
fn a_refused_change_of_the_policy_is_told_and_the_grants_are_revoked_all_the_same() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app).len();
    let admin = ground.sandbox.card().people[0].member_id.clone();
    ground.control("roles", json!({"member_id": admin, "roles": ["security_responder"]}));
    let before = ground.admin(&["contain", "--app", "DataSync"]).expect(5);
    let pace = "By the pace of the reading that takes about";
    before.says(&["The block is likely to be refused", "Roles that hold it: stytch_admin", "add --yes", pace]);
    let done = contain(&ground, &["--app", "DataSync"]).expect(2);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));
    nothing_false(&ground, &done);
    let done = done.says(&["was refused", "members can consent again"]);
    assert!(!done.err.contains("The block is in force"), "{}", done.err);
    assert_eq!((changes(&ground).len(), puts(&ground)), (0, 1), "it was asked for once");
    assert_eq!(grants_of(&ground, &app).len(), 0);
    let sweep = newest_sweep(&ground);
    // There is nothing to take back, and nobody else to blame: also once somebody has changed the policy.
    for _ in 0..2 {
        let nothing = ground.admin(&["lift", &sweep, "--yes"]).expect(5);
        let nothing = nothing.says(&["was refused at ", "request-id-test-", "never changed for it"]);
        assert!(!nothing.err.contains("another administrator"), "{}", nothing.err);
        ground.control("policy", json!({"first_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    }
    assert_eq!(puts(&ground), 1);
}

#[test]
fn an_app_that_somebody_has_forbidden_and_the_policy_hides_is_revoked_for_all_whom_the_last_reading_had() {
    let ground = small();
    ground.faults(json!({"policy_hides": true}));
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    ground.admin(&["inventory"]);
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    ground.admin(&["contain", "--app", &app]).expect(5).says(&["would be revoked, none of which is listed now"]);
    // A plan is made of what is listed: whoever asks for one is told what works instead, and it does.
    let file = ground.dir.path().join("plan.json").display().to_string();
    for wanted in [&app, "DataSync"] {
        let works = format!("cutoff contain --app {app}");
        let told = ground.admin(&["plan", "--app", wanted, "--out", &file]).expect(5);
        told.says(&["the organization's policy hides it", &works]);
    }
    let done = contain(&ground, &["--app", &app]).expect(2);
    nothing_false(&ground, &done);
    let done = done.says(&["the policy hides the app, so no read can show", "The containment is unproven"]);
    let done = done.says(&["that is not this sweep's to lift", "cutoff inventory"]);
    assert!(!done.err.contains("cutoff lift"), "{}", done.err);
    let sent: BTreeSet<_> = revocations(&ground).iter().map(pair).collect();
    assert_eq!((sent, puts(&ground)), (planned, 0));
    assert_eq!(grants_of(&ground, &app).len(), 0);
}

#[test]
fn where_the_policy_cannot_even_be_read_the_grants_are_revoked_all_the_same() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app).len();
    ground.faults(json!({"sdk_endpoint_off": true, "on": "organizations/me$"}));
    let before = ground.admin(&["contain", "--app", "DataSync"]).expect(5);
    let before = before.says(&["cannot be read, so nothing can be blocked", "members can consent again", "add --yes"]);
    assert!(!before.err.contains("change the policy") && !before.err.contains("To be blocked"), "{}", before.err);
    ground.admin(&["contain", "--app", "connected-app-test-nobody", "--yes"]).expect(3).says(&["nothing was sent"]);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
    let done = ground.admin(&["contain", "--app", "DataSync", "--json", "--yes"]).expect(2);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));
    nothing_false(&ground, &done);
    let done = done.says(&["Nothing was blocked: members can consent again"]);
    assert!(!done.err.contains("in force"), "{}", done.err);
    assert_eq!((grants_of(&ground, &app).len(), changes(&ground).len(), puts(&ground)), (0, 0, 0));
}

#[test]
fn what_the_policy_hides_is_never_called_revoked_and_what_had_no_answer_is_sent_again_when_it_is_lifted() {
    let ground = small();
    ground.faults(json!({"policy_hides": true}));
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    let victims: Vec<&String> = planned.iter().map(|(member, _)| member).skip(5).take(2).collect();
    ground.faults(json!({"reset_before_commit_share": 1.0, "on": victims[0]}));
    ground.faults(json!({"server_error_share": 1.0, "on": victims[1]}));
    let before = policy(&ground);
    let done = contain(&ground, &["--app", "DataSync", "--concurrency", "2"]).expect(2);
    nothing_false(&ground, &done);
    assert_eq!(
        outcomes(&done),
        BTreeMap::from([("accepted".to_owned(), planned.len() - 2), ("hidden".to_owned(), 2)]),
        "{}",
        done.err
    );
    let done =
        done.says(&["2 had no success, and the policy forbids the app: what no list shows", "The block is in force"]);
    assert!(!done.out.contains("revoked"), "{}", done.out);
    // Only those without an answer are told to be sent again; the others to be read again.
    let done =
        done.says(&["another read may tell more", "--settle", "2 grants may still be revoked by another request"]);
    assert!(done.err.contains("--failed-of"), "{}", done.err);
    let unproven = format!("The containment is unproven: no read shows of {} grants that they are gone", planned.len());
    let next = format!("Look at what it would do with: cutoff lift {}", newest_sweep(&ground));
    done.says(&[&unproven, &next]);
    // And whoever looks later is told the same, and of no second read that would confirm what no first one showed.
    let later = ground.here(&["log", &newest_sweep(&ground)]).expect(0).says(&[&unproven, &next]);
    assert!(!later.err.contains("Not yet confirmed"), "{}", later.err);
    assert_eq!(grants_of(&ground, &app).len(), 2, "two live on behind the policy");

    ground.faults(json!({"reset_before_commit_share": null, "server_error_share": null}));
    let sweep = newest_sweep(&ground);
    let sent = revocations(&ground).len();
    ground.admin(&["lift", &sweep]).expect(5).says(&[
        "2 revokes had no answer of success",
        "restored exactly",
        "--yes",
    ]);
    let lifted = ground.admin(&["lift", &sweep, "--yes", "--json"]).expect(0).says(&["2 grants came back"]);
    assert!(victims.iter().all(|member| lifted.err.contains(*member)), "{}", lifted.err);
    nothing_false(&ground, &lifted);
    assert_eq!(outcomes(&lifted), BTreeMap::from([("revoked".to_owned(), planned.len())]));
    assert_eq!(grants_of(&ground, &app).len(), 0);
    assert_eq!(policy(&ground), before, "the former policy, exactly");
    assert_eq!(revocations(&ground).len(), sent + 2, "nothing that was answered is sent again");

    // The lifting finished the sweep: whoever would go on with it hears that first, and nothing else.
    for flags in [&["--yes"][..], &[]] {
        let words: Vec<&str> = ["contain", "--resume", &sweep].into_iter().chain(flags.iter().copied()).collect();
        let over = ground.admin(&words).expect(5);
        let first = over.err.lines().next().unwrap_or_default().to_owned();
        assert!(first.starts_with("This plan was carried out already"), "{}", over.err);
        assert!(!over.err.contains("Going on with it"), "{}", over.err);
    }
}

#[test]
fn of_a_grant_that_the_apps_own_view_lacks_nobody_says_that_the_policy_hides_it() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    // Carried out, and the answer lost: the app's own view answers without it, and no list can bear that out.
    let victim = &planned.iter().nth(3).expect("one").0;
    ground.faults(json!({"reset_after_commit_share": 1.0, "on": victim}));
    let done = contain(&ground, &["--app", "DataSync"]).expect(2);
    let counts = BTreeMap::from([("hidden".to_owned(), 1), ("revoked".to_owned(), planned.len() - 1)]);
    assert_eq!((outcomes(&done), grants_of(&ground, &app).len()), (counts, 0), "{}", done.err);
    let done = done.says(&["1 had no success, and the policy forbids the app: what no list shows then may be there"]);
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    ground.here(&["export", &newest_sweep(&ground), "--out", &pack]).expect(0);
    let report = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    assert!(report.contains("a server may cut the app’s own short"), "the report says why that proves nothing");
    for told in [&done.err, &report] {
        assert!(!told.contains("hidden by the policy") && !told.contains("policy hides"), "{told}");
    }
}

#[test]
fn apps_that_the_policy_hides_are_counted_among_those_that_are_known() {
    let ground = small();
    ground.faults(json!({"policy_hides": true}));
    ground.admin(&["inventory", "--json"]).expect(0);
    let apps: BTreeSet<String> = ground.truth().into_iter().map(|(_, app, _)| app).collect();
    let app = app_called(&ground, "DataSync");
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [app],
               "first_party_connected_apps_allowed_type": "NOT_ALLOWED"}),
    );
    let file = ground.dir.path().join("plan.json").display().to_string();
    let said = format!("{} of {} apps could not be read", apps.len() - 1, apps.len());
    ground.admin(&["inventory"]).expect(2).says(&[&said]);
    ground.admin(&["plan", "--app", "DataSync", "--out", &file, "--max-age", "60"]).expect(2);
    let pack = ground.dir.path().join("evidence.zip").display().to_string();
    let done = ground.admin(&["apply", &file, "--yes", "--json", "--evidence", &pack]).expect(0);
    nothing_false(&ground, &done);
    let report = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    let counted = format!("1 listed of {} known, the members of 1 of them read", apps.len());
    assert!(report.contains(&counted), "{counted}");
}

#[test]
fn a_lifting_tells_revokes_without_an_answer_from_those_that_were_never_sent() {
    let ground = small();
    ground.faults(json!({"policy_hides": true}));
    let planned = grants_of(&ground, &app_called(&ground, "DataSync")).len();
    // The first of a canary fails, so the others are never sent.
    ground.faults(json!({"server_error_share": 1.0, "on": "/revoke"}));
    contain(&ground, &["--app", "DataSync", "--canary"]).expect(2);
    let tried: BTreeSet<_> = revocations(&ground).iter().map(pair).collect();
    assert_eq!(tried.len(), 1);
    let sweep = newest_sweep(&ground);
    let never = format!("{} revokes were never sent", planned - 1);
    ground.admin(&["lift", &sweep]).expect(5).says(&["1 revoke had no answer of success", &never]);
    // Lifting gives back what was; it is no occasion to send what was called off, only to settle what was begun.
    ground.faults(json!({"server_error_share": null, "on": null}));
    ground.admin(&["lift", &sweep, "--yes"]);
    let sent: BTreeSet<_> = revocations(&ground).iter().map(pair).collect();
    assert_eq!(sent, tried);
    assert!(grants_of(&ground, &app_called(&ground, "DataSync")).len() >= planned - 1);
    // Whoever goes on with it is told that members can consent again, before saying yes and after.
    let gone = ["The block of this sweep was lifted at", "members can consent again", "does not block again"];
    ground.admin(&["contain", "--resume", &sweep]).expect(5).says(&gone).says(&["add --yes"]);
    contain(&ground, &["--resume", &sweep]).says(&gone);
}

#[test]
fn where_the_block_itself_revokes_each_grant_has_its_own_revoke_all_the_same() {
    for hides in [false, true] {
        let ground = small();
        ground.faults(json!({"policy_revokes": true, "policy_hides": hides}));
        let app = app_called(&ground, "DataSync");
        let planned = grants_of(&ground, &app);
        let done = contain(&ground, &["--app", "DataSync"]).expect(if hides { 2 } else { 0 });
        nothing_false(&ground, &done);
        let expected = if hides { "accepted" } else { "revoked" };
        assert_eq!(outcomes(&done), BTreeMap::from([(expected.to_owned(), planned.len())]));
        let sent: BTreeSet<_> = revocations(&ground).iter().map(pair).collect();
        assert_eq!(sent, planned, "hides: {hides}");
        // Where each was answered, another request helps nobody, and the plan of one would have nothing in it.
        assert!(!done.err.contains("--failed-of"), "{}", done.err);
        assert!(done.err.contains("--settle"), "{}", done.err);
    }
}

#[test]
fn a_policy_that_the_lists_learn_of_late_makes_nothing_false() {
    let ground = small();
    ground.faults(json!({"policy_stale_s": 300}));
    let planned = grants_of(&ground, &app_called(&ground, "DataSync")).len();
    let done = contain(&ground, &["--app", "DataSync"]).expect(0);
    nothing_false(&ground, &done);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));
}

#[test]
fn a_policy_that_somebody_else_has_changed_stops_everything_before_anything_is_sent() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    let other = app_called(&ground, "Claude");
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.admin(&["contain", "--app", "DataSync", "--out", &file]).expect(0);
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [app]}),
    );
    let stopped = ground.admin(&["apply", &file, "--yes", "--json"]).expect(5);
    let stopped =
        stopped.says(&["not what the plan was made for", "nothing was sent", "RESTRICTED instead of ALL_ALLOWED"]);
    assert_eq!((stopped.out.as_str(), revocations(&ground).len(), puts(&ground)), ("", 0, 0));
    assert_eq!(grants_of(&ground, &app), planned);
    // It is over, and a new plan, made of what stands now, is carried out.
    ground.admin(&["apply", &file, "--yes", "--resume"]).expect(5);
    assert_eq!((revocations(&ground).len(), puts(&ground)), (0, 0));
    let done = contain(&ground, &["--app", &app]);
    assert_eq!(done.lines().len(), planned.len(), "{}", done.err);
    assert_eq!(policy(&ground).1, json!([]), "it was taken out of their list: {other} is not in it");
    assert_eq!(grants_of(&ground, &app).len(), 0);
}

#[test]
fn a_block_is_lifted_exactly_or_tells_what_has_changed_since() {
    let ground = small();
    ground.faults(json!({"policy_hides": false}));
    let (app, other) = (app_called(&ground, "DataSync"), app_called(&ground, "Claude"));
    contain(&ground, &["--app", "DataSync"]).expect(0);
    let sweep = newest_sweep(&ground);
    // Somebody takes another app out of the list, and members consent to the first again as soon as they can.
    let mut list = policy(&ground).1;
    list.as_array_mut().expect("a list").retain(|id| *id != json!(other));
    ground.control("policy", json!({"allowed_third_party_connected_apps": list}));
    let puts_before = puts(&ground);
    let refused = ground.admin(&["lift", &sweep, "--yes"]).expect(5);
    refused.says(&["The policy was changed since", "no longer allowed", &other, "--over-changes"]);
    assert_eq!(puts(&ground), puts_before, "nothing was changed");
    let lifted = ground.admin(&["lift", &sweep, "--yes", "--over-changes"]).expect(0);
    lifted.says(&["The block is lifted", "of the sweep were looked for again: none is listed"]);
    let (word, now) = policy(&ground);
    let now: Vec<&str> = now.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(word, "RESTRICTED", "what somebody else did stays");
    assert!(now.contains(&app.as_str()) && !now.contains(&other.as_str()), "{now:?}");
    // Lifted already: nothing is left to take back, nobody else is blamed for that, and it is looked at once more.
    let again = ground
        .admin(&["lift", &sweep, "--yes"])
        .expect(0)
        .says(&["The block was lifted already at 20", "Z (request id"]);
    assert!(!again.err.contains("another administrator"), "{}", again.err);
    assert_eq!(puts(&ground), puts_before + 1);
    ground.admin(&["lift", &sweep.replace(|c: char| c.is_ascii_digit(), "0"), "--yes"]).expect(5);
}

/// What `log` says of the block of a sweep: its line, and its state on a line of JSON.
fn block_in_log(ground: &Ground, sweep: &str) -> (String, String) {
    let told = ground.here(&["log", sweep]).expect(0).out;
    let line = told.lines().find(|line| line.contains("block") && line.contains("app")).expect("a line").to_owned();
    let sweeps = ground.here(&["log", "--json"]).expect(0).lines();
    let this = sweeps.iter().find(|line| line["sweep_id"] == sweep).expect("the sweep");
    (line, text(&this["block"], "state"))
}

/// What the window is told of the block of a sweep.
fn block_in_window(ground: &Ground, sweep: &str) -> cutoff::sweeps::BlockStand {
    let desk = ground.window("admin");
    let digests = ground.runtime.block_on(desk.digests()).expect("digests");
    let digest = digests.iter().find(|digest| digest.id.to_string() == sweep).expect("the sweep");
    digest.policy.as_ref().expect("a block").stand()
}

#[test]
fn a_block_that_others_have_laid_theirs_over_is_not_told_as_ours_in_force() {
    use cutoff::sweeps::BlockStand;
    let ground = small();
    contain(&ground, &["--app", "DataSync"]).expect(0);
    let sweep = newest_sweep(&ground);
    assert_eq!(block_in_log(&ground, &sweep).1, "in_force");
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    let lifted = ground.admin(&["lift", &sweep, "--yes", "--over-changes"]);
    lifted.says(&["Nothing of the block was left in the policy, which forbids its apps all the same"]);
    let (line, state) = block_in_log(&ground, &sweep);
    assert_eq!(state, "forbidden_by_others", "{line}");
    for word in ["nothing is left in the policy", "The policy forbids it all the same, as read at", "another change"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!line.contains("in force") && !line.contains("cutoff lift"), "{line}");
    assert_eq!(block_in_window(&ground, &sweep), BlockStand::Theirs);
}

#[test]
fn a_block_stands_as_the_last_read_of_the_policy_shows_it_whichever_sweep_made_that() {
    use cutoff::sweeps::BlockStand;
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let left = another(&ground, &app);
    contain(&ground, &["--app", &app, "--leave-out", &left]);
    let first = newest_sweep(&ground);
    // The first forbade it too, so that the second finds it forbidden.
    contain(&ground, &["--app", &left]);
    let second = newest_sweep(&ground);
    assert_ne!(first, second);
    assert_eq!(block_in_log(&ground, &second).1, "in_force");
    assert_eq!(block_in_window(&ground, &second), BlockStand::ForbiddenBefore);
    ground.admin(&["lift", &first, "--yes"]);
    assert_eq!(block_in_log(&ground, &first).1, "lifted");
    let (line, state) = block_in_log(&ground, &second);
    assert_eq!(state, "not_in_force", "{line}");
    assert!(line.contains("members can consent again"), "{line}");
    assert_eq!(block_in_window(&ground, &second), BlockStand::NotInForce);
    // What was lifted is not in force again because another sweep forbids the same.
    let consenting = &ground.truth().into_iter().next().expect("somebody").0;
    ground.control("consent", json!({"member_id": consenting, "connected_app_id": app, "scopes": ["openid"]}));
    contain(&ground, &["--app", &app]);
    let (line, state) = block_in_log(&ground, &first);
    assert_eq!(state, "forbidden_by_others", "{line}");
    assert!(line.contains("was lifted") && line.contains("The policy forbids"), "{line}");
    assert_eq!(block_in_window(&ground, &first), BlockStand::Theirs);
}

#[test]
fn a_block_that_another_sweep_made_again_just_alike_is_not_told_as_the_first_ones() {
    use cutoff::sweeps::BlockStand;
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let open = ground.control("policy", json!({}));
    contain(&ground, &["--app", &app]).expect(0);
    let first = newest_sweep(&ground);
    // Somebody undoes it, a member consents, and it is made again as it was.
    let keys = ["third_party_connected_apps_allowed_type", "allowed_third_party_connected_apps"];
    let former: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), open[*key].clone())).collect();
    ground.control("policy", Value::Object(former));
    let consenting = &ground.truth().into_iter().next().expect("somebody").0;
    ground.control("consent", json!({"member_id": consenting, "connected_app_id": app, "scopes": ["openid"]}));
    contain(&ground, &["--app", &app]).expect(0);
    let second = newest_sweep(&ground);
    assert_ne!(first, second);
    let made = changes(&ground);
    assert_eq!(made[0]["after"], made[1]["after"], "alike");
    let (line, state) = block_in_log(&ground, &first);
    assert_eq!(state, "forbidden_by_others", "{line}");
    assert!(!line.contains("in force") && !line.contains("cutoff lift"), "{line}");
    assert_eq!(block_in_window(&ground, &first), BlockStand::Theirs);
    assert_eq!(block_in_log(&ground, &second).1, "in_force");
    assert_eq!(block_in_window(&ground, &second), BlockStand::InForce);
    // What the first sweep itself reads later changes nothing about which is whose: a lifting that is refused reads the policy.
    let admin = ground.sandbox.card().people[0].member_id.clone();
    ground.control("roles", json!({"member_id": admin, "roles": ["security_responder"]}));
    ground.admin(&["lift", &first, "--yes"]).expect(3);
    for (sweep, stands) in [(&first, "forbidden_by_others"), (&second, "in_force")] {
        let (line, state) = block_in_log(&ground, sweep);
        assert_eq!(state, stands, "{line}");
    }
}

/// The pack of a sweep, of which every file stands in it as it is.
fn pack_of(ground: &Ground, sweep: &str) -> String {
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    ground.here(&["export", sweep, "--out", &pack]).expect(0);
    String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned()
}

#[test]
fn a_pack_tells_of_the_block_by_its_own_rows_and_apart_from_them_what_was_read_otherwise_since() {
    let ground = small();
    let open = ground.control("policy", json!({}));
    contain(&ground, &["--app", "DataSync"]).expect(0);
    let sweep = newest_sweep(&ground);
    let own = "So far the rows of this sweep tell: the last read of the policy in them began 20";
    let alone = pack_of(&ground, &sweep);
    assert!(alone.contains(own) && !alone.contains("Read otherwise since"), "{alone}");
    assert!(!alone.contains("members can consent"), "nothing is said of now: {alone}");
    // Another reading that shows the same changes no byte.
    ground.admin(&["watch", "--once"]).expect(0);
    assert_eq!(pack_of(&ground, &sweep), alone);
    let keys = ["third_party_connected_apps_allowed_type", "allowed_third_party_connected_apps"];
    let former: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), open[*key].clone())).collect();
    ground.control("policy", Value::Object(former));
    ground.admin(&["watch", "--once"]).expect(2);
    assert_eq!(block_in_log(&ground, &sweep).1, "not_in_force");
    let later = pack_of(&ground, &sweep);
    for words in [
        own,
        "block in force by a later read of the policy; by a later reading, of 20",
        "UTC and in no row: not in force</title>",
        "When this pack was made, a later reading of the policy was known, of 20",
        "no head of the rows vouches for it",
    ] {
        assert!(later.contains(words), "{words:?} is not in {later}");
    }
}

#[test]
fn a_lifting_whose_reads_all_failed_does_not_say_that_no_grant_is_listed() {
    let ground = small();
    ground.faults(json!({"policy_hides": false}));
    contain(&ground, &["--app", "DataSync"]).expect(0);
    let sweep = newest_sweep(&ground);
    ground.faults(json!({"sdk_endpoint_off": true, "on": "connected_apps"}));
    let lifted = ground.admin(&["lift", &sweep, "--yes"]);
    lifted.says(&["The block is lifted", "of the sweep could be read again: whether any came back is not known"]);
}

#[test]
fn a_grant_that_comes_back_after_the_lift_is_named_and_not_called_gone() {
    let ground = small();
    ground.faults(json!({"policy_hides": true}));
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    contain(&ground, &["--app", "DataSync"]).expect(2);
    let sweep = newest_sweep(&ground);
    // Between the lift and its read somebody consents again: here it is the lift that lets them, so it is done by another hand.
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    let back = &planned.iter().next().expect("a grant").0;
    ground.control("consent", json!({"member_id": back, "connected_app_id": app, "scopes": ["openid"]}));
    let lifted = ground.admin(&["lift", &sweep, "--yes", "--json", "--over-changes"]).expect(2);
    nothing_false(&ground, &lifted);
    let lifted = lifted.says(&["1 grant came back", back]);
    let told = outcomes(&lifted);
    assert_eq!((told.get("still_there"), told.get("revoked")), (Some(&1), Some(&(planned.len() - 1))), "{told:?}");
}

#[test]
fn a_grant_that_vanishes_meanwhile_and_is_in_no_plan_is_named() {
    let ground = ground_with(Options { members: 60, apps: 4, ..Options::default() });
    ground.faults(json!({"policy_hides": false}));
    let (app, other) = (app_called(&ground, "DataSync"), app_called(&ground, "Claude"));
    let planned = grants_of(&ground, &app);
    let bystander = grants_of(&ground, &other)
        .into_iter()
        .map(|(member, _)| member)
        .find(|member| !planned.contains(&(member.clone(), app.clone())))
        .expect("somebody who has the one and not the other");
    ground.faults(json!({"latency_ms": 40}));
    let pack = ground.dir.path().join("pack.zip");
    let out = pack.display().to_string();
    let flags = ["contain", "--app", "DataSync", "--yes", "--json", "--concurrency", "1", "--evidence", &out];
    let command = ground.command(&flags);
    let child = start(command, &format!("{}\n", ground.token("admin")));
    let began = Instant::now();
    while revocations(&ground).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is revoked");
        std::thread::sleep(Duration::from_millis(20));
    }
    ground.control("delete_member", json!({"member_id": bystander}));
    let done = end(child).expect(0);
    nothing_false(&ground, &done);
    done.says(&["vanished meanwhile and in no plan", &bystander]);
    // The report says so in a sentence, with the ids, and calls what was contained by its name there too.
    let report = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    let events = report.split("<h2>Decisions and events</h2>").nth(1).expect("a section");
    let events = events.split("<h2>").next().expect("its end");
    for word in
        ["in no plan vanished meanwhile", &bystander, &other, &format!("DataSync</bdi> (<bdi class=\"id\">{app}")]
    {
        assert!(events.contains(word), "{word}: {events}");
    }
}

/// Any other third-party app than one.
fn another(ground: &Ground, app: &str) -> String {
    let third =
        |row: &&Value| text(row, "client_type").starts_with("third_party") && text(row, "connected_app_id") != app;
    text(apps(ground).iter().find(third).expect("another app"), "connected_app_id")
}

#[test]
fn of_an_app_that_was_left_out_and_is_hidden_since_nobody_says_that_nothing_vanished() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let left = another(&ground, &app);
    // The policy takes the grants of what it forbids, and nobody can see it.
    ground.faults(json!({"policy_revokes": true, "policy_hides": true}));
    let pack = ground.dir.path().join("pack.zip");
    let done = contain(&ground, &["--app", &app, "--leave-out", &left, "--evidence", &pack.display().to_string()]);
    let why = "its own view answers that there is no such app";
    let done = done.says(&["Of 1 app it could not be seen whether grants in no plan vanished", &left, why]);
    assert!(!done.err.contains("vanished meanwhile"), "{}", done.err);
    assert_eq!(changes(&ground).len(), 1);
    // It was asked for after the change, and not only given up for what the lists leave out.
    let calls = ground.calls();
    let put = calls.iter().rposition(|path| path.ends_with("/organizations/me")).expect("the policy was read");
    assert!(calls[put..].iter().any(|path| path.ends_with(&left)), "{:?}", &calls[put..]);
    let journal = journal::Journal::open(&ground.state_dir()).expect("the journal");
    let sweep = newest_sweep(&ground);
    let rows = journal.rows(sweep.parse().expect("an id")).expect("rows");
    let of = |kind: &str| rows.iter().filter(|row| row.line.contains(&format!("\"kind\":\"{kind}\""))).count();
    assert_eq!(of("collateral"), 0, "nothing was seen, so nothing is said of it");
    let told = |what: &str, id: &str| rows.iter().any(|row| row.line.contains(what) && row.line.contains(id));
    assert!(told("beside_unseen", &left), "which app it was stands in the rows");
    assert!(told("left_out_00000", &left), "and so does the decision");
    let report = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    assert!(report.contains("its own view answered that there is no such app"), "{report}");
    ground.here(&["log", &sweep]).expect(0).says(&[&left, why]);
}

#[test]
fn grants_that_the_block_took_from_an_app_that_was_left_out_are_named_by_that_apps_own_view() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let left = another(&ground, &app);
    let taken = grants_of(&ground, &left);
    assert!(!taken.is_empty());
    ground.faults(json!({"policy_revokes": true}));
    let pack = ground.dir.path().join("pack.zip");
    let done = contain(&ground, &["--app", &app, "--leave-out", &left, "--evidence", &pack.display().to_string()]);
    assert_eq!(grants_of(&ground, &left).len(), 0);
    let told = format!("{} vanished meanwhile and in no plan", ground::count_grants(taken.len()));
    let done = done.says(&[&told, &left]);
    assert!(!done.err.contains("could not be seen"), "{}", done.err);
    let report = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    for word in ["The inventory did not tell of the grants to these apps", "in no plan vanished meanwhile"] {
        assert!(report.contains(word), "{word}");
    }
    ground.here(&["log", &newest_sweep(&ground)]).expect(0).says(&[&told]);
}

#[test]
fn whoever_goes_on_with_a_sweep_names_what_its_block_took_before() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let left = another(&ground, &app);
    let taken = ground::count_grants(grants_of(&ground, &left).len());
    ground.faults(json!({"policy_revokes": true}));
    ground.faults(json!({"server_error_share": 1.0, "on": "/revoke"}));
    contain(&ground, &["--app", &app, "--leave-out", &left, "--canary"]).expect(2);
    assert_eq!((changes(&ground).len(), grants_of(&ground, &left).len()), (1, 0));
    // Another reading knows nothing of what was there before the block.
    ground.admin(&["inventory"]);
    ground.faults(json!({"server_error_share": null, "on": null}));
    let done = contain(&ground, &["--resume", &newest_sweep(&ground)]);
    nothing_false(&ground, &done);
    done.says(&[&format!("{taken} vanished meanwhile and in no plan"), &left]);
}

#[test]
fn of_an_app_that_was_left_out_no_grant_is_named_that_lives_on_and_none_that_a_cut_list_lacks() {
    // A server that cuts its lists short after the block: what they lack is not taken for gone.
    for cap in [None, Some(1)] {
        let ground = small();
        let app = app_called(&ground, "DataSync");
        let left = another(&ground, &app);
        let file = ground.dir.path().join("plan.json").display().to_string();
        ground.admin(&["contain", "--app", &app, "--leave-out", &left, "--out", &file]).expect(0);
        let lives = grants_of(&ground, &left);
        assert!(lives.len() > 1);
        ground.faults(json!({"list_cap": cap, "on": left}));
        let done = ground.admin(&["apply", &file, "--yes", "--json"]);
        assert_eq!(grants_of(&ground, &left), lives);
        assert!(!done.err.contains("vanished meanwhile"), "{cap:?}: {}", done.err);
        let unseen = done.err.contains("no other list that can be believed bears out that they are gone");
        assert_eq!(unseen, cap.is_some(), "{}", done.err);
    }
}

#[test]
fn two_admins_at_once_agree_on_what_is_gone() {
    let ground = ground_with(Options { members: 120, apps: 4, ..Options::default() });
    ground.faults(json!({"second_revoke_404": true, "policy_hides": false}));
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app);
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.admin(&["plan", "--app", "DataSync", "--out", &file]).expect(0);
    let reader = ground.sandbox.card().people.iter().find(|person| person.role == "reader").expect("a reader");
    ground.control("roles", json!({"member_id": reader.member_id, "roles": ["stytch_admin"]}));
    ground.faults(json!({"latency_ms": 15}));
    // The other one has a journal of their own.
    let elsewhere = tempfile::TempDir::new().expect("a directory");
    let mut other = ground::cutoff();
    let card = ground.sandbox.card();
    other.args(["apply", &file, "--yes", "--json", "--session-token-stdin", "--base-url", &card.url]);
    other.args(["--public-token", &card.public_token, "--state-dir"]).arg(elsewhere.path());
    let first = start(
        ground.command(&["contain", "--app", "DataSync", "--yes", "--json"]),
        &format!("{}\n", ground.token("admin")),
    );
    let second = start(other, &format!("{}\n", ground.token("reader")));
    let (first, second) = (end(first).expect(0), end(second).expect(0));
    for ended in [&first, &second] {
        nothing_false(&ground, ended);
        assert_eq!(ended.lines().len(), planned.len());
        assert!(
            outcomes(ended).keys().all(|outcome| outcome == "revoked" || outcome == "already_gone"),
            "{:?}",
            outcomes(ended)
        );
    }
    let nothing = revocations(&ground).iter().filter(|row| row["effect"] == "nothing").count();
    let already = |ended: &Ended| outcomes(ended).get("already_gone").copied().unwrap_or(0);
    assert_eq!(already(&first) + already(&second), planned.len(), "each was one's and the other's already gone");
    assert!(nothing <= planned.len());
    assert_eq!(grants_of(&ground, &app).len(), 0);
}

#[test]
fn reads_that_trail_behind_make_nothing_still_there_too_early() {
    let ground = small();
    ground.faults(json!({"policy_hides": false}));
    let app = app_called(&ground, "DataSync");
    let planned = grants_of(&ground, &app).len();
    ground.faults(json!({"read_lag_ms": 4000}));
    let done = contain(&ground, &["--app", "DataSync"]).expect(0);
    nothing_false(&ground, &done);
    assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned)]));

    // Half a minute is more than the re-reads wait for: then it is still listed, after all of them, and told as that.
    let ground = small();
    ground.faults(json!({"policy_hides": false, "read_lag_ms": 30_000}));
    let began = Instant::now();
    let done = contain(&ground, &["--app", "DataSync"]).expect(2);
    nothing_false(&ground, &done);
    assert_eq!(outcomes(&done), BTreeMap::from([("still_there".to_owned(), planned)]));
    assert!(began.elapsed() >= Duration::from_secs(15), "before its re-reads were over: {:?}", began.elapsed());
}

// ---- the mind itself, where the command line cannot be stopped at a step ------------------------------------------------

/// A desk on the ground's journal, with the admin's session.
async fn desk(place: &Value, token: &str, options: cutoff::Options) -> cutoff::Desk {
    let journal = journal::Journal::open(std::path::Path::new(&text(place, "dir"))).expect("a journal");
    let desk = cutoff::Desk::new(Arc::new(journal), options);
    let draft = cutoff::connections::Draft {
        public_token: text(place, "public_token"),
        base_url: Some(text(place, "url")),
        ..cutoff::connections::Draft::default()
    };
    let connection = desk.add_connection(&draft).await.expect("a connection");
    desk.sit_with(connection.id, SessionToken::new(token.to_owned())).await.expect("a live session");
    desk
}

fn options() -> cutoff::Options {
    cutoff::Options::new(vault::Vault::memory(vault::Trouble::Missing))
}

async fn contained(desk: &cutoff::Desk, app: &str, block_last: bool) -> cutoff::sweeps::SweepReport {
    desk.read_inventory(&|_| ()).await.expect("an inventory");
    let now = jiff::Timestamp::now();
    let apps = [ConnectedAppId::from(app)];
    let made = desk.propose_containment(&apps, &Decisions::default(), false, None, now).await.expect("a plan");
    let how = cutoff::sweeps::Apply { block_last, ..cutoff::sweeps::Apply::default() };
    let (_wish, wishes) = tokio::sync::watch::channel(cutoff::sweep::Wish::Run);
    desk.apply(&made.proposal.file, &how, wishes, tokio::sync::watch::Sender::default(), None)
        .await
        .expect("carried out")
}

fn place(ground: &Ground) -> Value {
    let card = ground.sandbox.card();
    json!({"url": card.url, "public_token": card.public_token, "dir": ground.state_dir()})
}

const VICTIM: &str = "CUTOFF_TEST_VICTIM";

const STEPS: [(&str, Step); 5] = [
    ("policy_read", Step::PolicyRead),
    ("policy_intent_recorded", Step::PolicyIntentRecorded),
    ("policy_sending", Step::PolicySending),
    ("policy_answered", Step::PolicyAnswered),
    ("policy_answer_recorded", Step::PolicyAnswerRecorded),
];

/// The first revokes are about to be sent.
const INTENT: (&str, Step) = ("intent_recorded", Step::IntentRecorded);

/// Not a test of its own: the process that is killed. The session comes on standard input.
#[test]
fn victim() {
    let Ok(orders) = std::env::var(VICTIM) else { return };
    let orders: Value = serde_json::from_str(&orders).expect("orders");
    let mut token = String::new();
    std::io::stdin().lock().read_line(&mut token).expect("a token");
    let step = STEPS.iter().chain(&[INTENT]).find(|(name, _)| *name == text(&orders, "step")).expect("a known step").1;
    let mut options = options();
    options.observer = Arc::new(move |now| {
        if now == step {
            let killed = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            assert!(killed.is_ok_and(|status| status.success()), "kill is part of every Debian");
            loop {
                std::thread::park();
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let desk = desk(&orders, token.trim(), options).await;
        contained(&desk, &text(&orders, "app"), false).await;
    });
    panic!("the step {} never came", text(&orders, "step"));
}

/// Contains an app in a process that is killed at a step.
fn killed_at(ground: &Ground, step: &str, app: &str) {
    let mut orders = place(ground);
    orders["step"] = json!(step);
    orders["app"] = json!(app);
    let mut victim = std::process::Command::new(std::env::current_exe().expect("this binary"));
    victim.args(["victim", "--exact", "--nocapture"]).env(VICTIM, orders.to_string());
    victim.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = start(victim, &format!("{}\n", ground.token("admin")));
    let died = child.wait().expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&died), Some(9), "{step}: it died of the kill: {died:?}");
}

#[test]
fn a_block_without_grants_that_is_killed_goes_on_and_is_made_once() {
    let advised = "connected-app-test-00000000-dead-4bad-8bad-00000000beef";
    for (name, _) in STEPS {
        let ground = small();
        let before = policy(&ground);
        killed_at(&ground, name, advised);
        // Looking does not close what was not settled, and does not stumble over a sweep without grants.
        ground.admin(&["log", "--settle", "--json"]).expect(0);
        let open = ground.here(&["log", "--json"]).expect(0).lines().remove(0);
        assert_eq!((&open["state"], &open["grants"]), (&json!("unfinished"), &json!(0)), "{name}");
        let sweep = text(&open, "sweep_id");
        contain(&ground, &["--resume", &sweep]).expect(0).says(&["The block is in force"]);
        assert_eq!(
            (changes(&ground).len(), revocations(&ground).len()),
            (1, 0),
            "{name}: changed once, and nothing revoked"
        );
        let closed = ground.here(&["log", "--json"]).expect(0).lines().remove(0);
        assert_eq!((&closed["state"], &closed["gone_at"]), (&json!("closed"), &Value::Null), "{name}");
        ground.admin(&["lift", &sweep, "--yes"]).expect(0);
        assert_eq!(policy(&ground).0, before.0, "{name}");
        ground.here(&["log", "--verify"]).expect(0);
    }
}

#[test]
fn killed_around_the_change_of_the_policy_it_goes_on_and_makes_it_once() {
    for (name, _) in STEPS {
        let ground = small();
        ground.faults(json!({"policy_hides": false, "policy_revokes": name == "policy_answered"}));
        let app = app_called(&ground, "DataSync");
        let planned = grants_of(&ground, &app);
        killed_at(&ground, name, &app);
        assert_eq!(revocations(&ground).len(), 0, "{name}: the block comes first");

        let sweep = newest_sweep(&ground);
        let done = contain(&ground, &["--resume", &sweep]).expect(0).says(&["The block is in force"]);
        nothing_false(&ground, &done);
        assert_eq!(outcomes(&done), BTreeMap::from([("revoked".to_owned(), planned.len())]), "{name}");
        assert_eq!(changes(&ground).len(), 1, "{name}: the policy was changed once");
        let sent: Vec<_> = revocations(&ground).iter().map(pair).collect();
        assert_eq!(sent.len(), planned.len(), "{name}: each was sent once");
        assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), planned, "{name}");
        contain(&ground, &["--resume", &sweep]).expect(5).says(&["carried out"]);
    }
}

#[test]
fn what_a_killed_run_was_about_to_send_is_nowhere_counted_as_sent() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let file = ground.dir.path().join("pack.zip").display().to_string();
    let verified = || {
        let told = ground::run(&["verify", &file, "--json"]).expect(2).lines().remove(0);
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_pack.py");
        let second = std::process::Command::new("python3").arg(script).arg(&file).output().expect("python3 is there");
        let second: Value = serde_json::from_slice(&second.stdout).expect("a line of JSON");
        assert_eq!((&told["sent"], &told["maybe_sent"]), (&second["sent"], &second["maybe_sent"]));
        (told["sent"].as_u64().expect("a count"), told["maybe_sent"].as_u64().expect("a count"))
    };
    killed_at(&ground, "policy_sending", &app);
    let pack = pack_of(&ground, &newest_sweep(&ground));
    assert_eq!(verified(), (0, 0));
    assert!(pack.contains("was about to ask Stytch") && !pack.contains(") asked Stytch"), "{pack}");
    assert!(pack.contains("Of 1 of these requests our record says only that it was about to be sent"), "{pack}");

    killed_at(&ground, INTENT.0, &app);
    let pack = pack_of(&ground, &newest_sweep(&ground));
    assert_eq!(revocations(&ground).len(), 0, "none left, which no record tells");
    let (sent, maybe) = verified();
    assert!(sent == 0 && maybe > 0, "{sent} {maybe}");
    let grants = ground::count_grants(usize::try_from(maybe).expect("a few"));
    for words in [
        ") asked Stytch",
        &format!("to revoke up to {grants} of connected apps and change the organization's policy on them"),
        &format!("<b>Sent, or not.</b> For {grants} a request was about to be sent"),
        "about to be sent 20",
    ] {
        assert!(pack.contains(words), "{words:?} is not in {pack}");
    }
    assert!(!pack.contains("<span class=\"time\">sent 20"), "{pack}");
    let told = ground::run(&["verify", &file]).expect(2).out;
    assert!(
        told.contains(&format!("A request was sent for 0 grants, and may have been sent for {maybe} more")),
        "{told}"
    );
}

#[test]
fn a_block_of_which_nobody_knows_is_told_as_that_until_the_next_read() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    // It was carried out, and the answer was lost with the process.
    killed_at(&ground, "policy_answered", &app);
    assert_eq!(changes(&ground).len(), 1);
    let sweep = newest_sweep(&ground);
    let told = ground.here(&["log", &sweep]).expect(0);
    assert!(told.out.contains("whether members can consent is not known"), "{}", told.out);
    let settled = ground.admin(&["log", &sweep, "--settle"]).expect(0);
    assert!(settled.out.contains("The block of 1 app is in force"), "{}", settled.out);
    assert_eq!(changes(&ground).len(), 1, "nothing was sent for that");
}

#[test]
fn what_is_gone_is_confirmed_by_a_read_that_is_late_enough_after_the_block_too() {
    let ground = small();
    ground.faults(json!({"policy_hides": false}));
    let app = app_called(&ground, "DataSync");
    let runtime = &ground.runtime;
    runtime.block_on(async {
        let mut options = options();
        options.rules.confirm_after = Duration::from_millis(6000);
        // The block comes late: the revokes are answered long before it.
        let desk = desk(&place(&ground), &ground.token("admin"), options).await;
        ground.faults(json!({"latency_ms": 1500, "on": "organizations/me"}));
        let until_blocked = async {
            while changes(&ground).is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            ground.faults(json!({"latency_ms": null}));
        };
        let (report, ()) = tokio::join!(contained(&desk, &app, true), until_blocked);
        assert!(cutoff::sweeps::all_gone(&report), "{:?}", report.outcomes);
        let policy = report.policy.expect("a block");
        assert!(policy.in_force && !policy.can_consent_again(), "{policy:?}");
        let blocked_at: jiff::Timestamp = policy.at.expect("an answer").parse().expect("a time");
        assert_eq!(report.collateral, Some(Vec::new()), "it was looked for and nothing was found");
        let confirmed = async |now: jiff::Timestamp| {
            desk.tend(now).await.expect("tended");
            let reports = desk.reports_of(report.id).await.expect("reports");
            reports.iter().filter(|report| report.confirmed_at.is_some()).count()
        };
        let revoked = desk.reports_of(report.id).await.expect("reports");
        let last =
            revoked.iter().filter_map(|report| report.answered_at.as_deref()?.parse::<jiff::Timestamp>().ok()).max();
        while jiff::Timestamp::now() < last.expect("answered") + Duration::from_millis(6100) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let early = jiff::Timestamp::now();
        assert!(early < blocked_at + Duration::from_millis(6000), "this machine is too slow to tell the two apart");
        assert_eq!(confirmed(early).await, 0, "late enough after the revokes, and not after the block");
        while jiff::Timestamp::now() < blocked_at + Duration::from_millis(6100) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(confirmed(jiff::Timestamp::now()).await, report.lines.len());
        let reports = desk.reports_of(report.id).await.expect("reports");
        for report in reports {
            let at: jiff::Timestamp = report.confirmed_at.expect("confirmed").parse().expect("a time");
            assert!(
                at.duration_since(blocked_at).as_millis() >= 6000,
                "counted from the block, and not from the revoke"
            );
        }
    });
}

#[test]
fn the_grants_that_a_cut_list_lacks_are_revoked_with_the_others() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let all = grants_of(&ground, &app);
    // As many as there are apps, so that their list is whole and the members' lists are not.
    assert!(all.len() > 8, "{}", all.len());
    ground.faults(json!({"list_cap": 4}));
    contain(&ground, &["--app", "DataSync"]).says(&["does not have all of them"]);
    assert_eq!(grants_of(&ground, &app), BTreeSet::new());
    let sent: BTreeSet<_> = revocations(&ground).iter().map(pair).collect();
    assert_eq!(sent, all);
}

#[test]
fn no_list_of_allowed_apps_is_written_from_a_list_that_was_cut() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let app = (app.clone(), grants_of(&ground, &app).len());
    ground.faults(json!({"list_cap": 2}));
    let way = format!("cutoff plan --app {} --out plan.json", app.0);
    let told = contain(&ground, &["--app", "DataSync"]).expect(5);
    told.says(&["The list of apps is not whole", "members can consent again at once", &way, "cutoff apply plan.json"]);
    assert_eq!((changes(&ground).len(), revocations(&ground).len()), (0, 0));
    // The way that is named is one.
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.admin(&["plan", "--app", &app.0, "--out", &file]).expect(2);
    ground.admin(&["apply", &file, "--yes"]).expect(0);
    assert_eq!((changes(&ground).len(), revocations(&ground).len()), (0, app.1));
}

#[test]
fn a_containment_by_a_list_that_was_cut_is_not_called_whole() {
    let ground = small();
    // A first reading has nothing to tell by that a list was cut short.
    ground.faults(json!({"list_cap": 4}));
    let done = contain(&ground, &["--app", "DataSync"]).expect(2);
    nothing_false(&ground, &done);
    let app = text(&done.lines()[0], "connected_app_id");
    let again = format!("cutoff contain --app {app}");
    let done =
        done.says(&["4 grants of its apps are not in the plan: nothing was sent for", &again, "The block is in force"]);
    let lives: BTreeSet<_> = grants_of(&ground, &app).into_iter().map(|(member, _)| member).collect();
    let named: Vec<&str> = done.err.lines().filter_map(|line| line.strip_prefix(&format!("  {app} of "))).collect();
    assert!(named.len() == 4 && named.iter().all(|member| lives.contains(*member)), "{}", done.err);
    // The way that is named is one, until nothing is left.
    ground.faults(json!({"list_cap": null}));
    contain(&ground, &["--app", &app]).expect(0);
    assert_eq!(grants_of(&ground, &app).len(), 0);
}

#[test]
fn a_containment_of_which_an_earlier_reading_had_more_is_not_called_whole() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    ground.faults(json!({"list_cap": 3, "on": format!("/connected_apps/{app}$")}));
    ground.faults(json!({"server_error_share": 1.0, "on": "/members/"}));
    let told = "that an earlier reading had are not in its list now, and nothing bears out that they are gone";
    let file = ground.dir.path().join("plan.json").display().to_string();
    ground.admin(&["contain", "--app", &app, "--out", &file]).expect(2).says(&[told]);
    ground.faults(json!({"list_cap": 0, "on": format!("/connected_apps/{app}$")}));
    contain(&ground, &["--app", &app]).expect(2).says(&[told, "The block is in force"]);
}

//! `cutoff contain` of apps that nobody has connected, or that no list names, against the sandbox's own ledger: a change of the policy and
//! nothing else, and no word of a grant that is gone. And of a list that shrank: nobody falls off an allowlist unasked.

mod ground;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use ground::{Ended, Ground, ground_with};
use sandbox::Options;
use serde_json::{Value, json};

/// An id that no list and no project has.
const ADVISED: &str = "connected-app-test-00000000-dead-4bad-8bad-00000000beef";

fn small() -> Ground {
    ground_with(Options { members: 40, apps: 4, ..Options::default() })
}

fn app_called(ground: &Ground, name: &str) -> String {
    let apps = ground.admin(&["apps", "--json", "--max-age", "0"]).lines();
    let app = apps.iter().find(|app| app["app_name"] == name).expect("the app");
    app["connected_app_id"].as_str().expect("an id").to_owned()
}

fn puts(ground: &Ground) -> usize {
    let calls = ground.ledger()["calls"].as_array().expect("calls").clone();
    calls.iter().filter(|call| call["method"] == "PUT").count()
}

fn revokes(ground: &Ground) -> usize {
    ground.ledger()["revocations"].as_array().expect("revocations").len()
}

fn changes(ground: &Ground) -> Vec<Value> {
    ground.ledger()["policy_changes"].as_array().expect("policy changes").clone()
}

/// The whole policy on connected apps, as it stands.
fn policy(ground: &Ground) -> Value {
    ground.control("policy", json!({}))
}

fn allowed(ground: &Ground) -> BTreeSet<String> {
    let list = policy(ground)["allowed_third_party_connected_apps"].as_array().expect("a list").clone();
    list.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
}

fn third_party(ground: &Ground) -> BTreeSet<String> {
    let apps = ground.admin(&["apps", "--json", "--max-age", "0"]).lines();
    let third = apps.iter().filter(|app| app["client_type"].as_str().expect("a type").starts_with("third_party"));
    third.map(|app| app["connected_app_id"].as_str().expect("an id").to_owned()).collect()
}

fn contain(ground: &Ground, flags: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["contain", "--json"].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

/// Revokes every grant of an app, and blocks nothing.
fn revoke_all(ground: &Ground, app: &str) {
    let file = ground.dir.path().join("all.json").display().to_string();
    ground.admin(&["plan", "--app", app, "--first-party", "--out", &file, "--max-age", "0"]).expect(0);
    ground.admin(&["apply", &file, "--yes"]).expect(0);
}

/// Every grant of an app is revoked from another computer: this one learns of it by a list that shrank.
fn vanishes(ground: &Ground, app: &str) {
    let other = tempfile::tempdir().expect("a directory");
    let (state, file) = (other.path().join("state").display().to_string(), other.path().join("plan.json"));
    let elsewhere = |arguments: &[&str]| {
        let mut place = ground.place();
        *place.last_mut().expect("the state directory") = state.clone();
        let mut command = ground::cutoff();
        command.args(arguments).args(place).arg("--session-token-stdin");
        ground::end(ground::start(command, &format!("{}\n", ground.token("admin")))).expect(0);
    };
    let file = file.display().to_string();
    elsewhere(&["plan", "--app", app, "--out", &file]);
    elsewhere(&["apply", &file, "--yes"]);
    assert!(ground.truth().iter().all(|(_, of, _)| of != app), "gone");
}

/// No word of what never was: nothing was planned to be revoked, so nothing is revoked, and nothing is gone.
#[track_caller]
fn claims_nothing(text: &str) {
    let text = text.to_lowercase();
    for word in [
        "is revoked",
        "are revoked",
        "was revoked",
        "were revoked",
        "1 revoked",
        "0 revoked",
        "already_gone",
        "all gone",
        "gone by a",
        "gone at",
        "confirmed by",
    ] {
        assert!(!text.contains(word), "{word:?} is said in\n{text}");
    }
}

fn second_verifier(pack: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verify_pack.py");
    let told = Command::new("python3").arg(script).arg(pack).output().expect("python3 is there");
    assert!(told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).expect("a line of JSON")
}

#[test]
fn an_advised_id_that_nobody_has_connected_is_blocked_recorded_proven_and_lifted_exactly() {
    let ground = small();
    let (before, others, grants) = (policy(&ground), third_party(&ground), ground.truth());
    let shown = contain(&ground, &["--app", ADVISED]).expect(5);
    let shown = shown.says(&[
        "No list of this organization names",
        "the block will forbid this very id",
        "mistyped",
        "taken for a third party's",
        "revoke nothing",
        "add --yes",
    ]);
    claims_nothing(&shown.err);
    assert_eq!((puts(&ground), policy(&ground)), (0, before.clone()), "it was only looked at");

    let pack = ground.dir.path().join("evidence.zip");
    let flags = ["--app", ADVISED, "--yes", "--reason", "ADV-7", "--evidence", &pack.display().to_string()];
    let done = contain(&ground, &flags).expect(0).says(&["The block is in force"]);
    claims_nothing(&done.err);
    assert_eq!((done.out.as_str(), revokes(&ground), ground.truth() == grants), ("", 0, true), "no grant was touched");
    assert_eq!((changes(&ground).len(), puts(&ground)), (1, 1), "one change of the policy");
    let after = policy(&ground);
    assert_eq!(after["third_party_connected_apps_allowed_type"], "RESTRICTED");
    assert_eq!(allowed(&ground), others, "every other app stays allowed, and the advised one is not");
    assert_eq!(
        after["first_party_connected_apps_allowed_type"], before["first_party_connected_apps_allowed_type"],
        "the vendor's own were not meant"
    );

    // The record: a sweep, and no finding.
    let line = ground.here(&["log", "--json"]).expect(0).lines().remove(0);
    let told = (&line["kind"], &line["state"], &line["grants"], &line["block"]["state"], &line["reason"]);
    assert_eq!(told, (&json!("contain"), &json!("closed"), &json!(0), &json!("in_force"), &json!("ADV-7")));
    assert_eq!(line["apps"][0]["connected_app_id"], ADVISED);
    assert_eq!((&line["gone_at"], &line["confirmed_at"], &line["outcomes"]), (&Value::Null, &Value::Null, &json!({})));
    let sweep = line["sweep_id"].as_str().expect("an id").to_owned();
    let log = ground.here(&["log", &sweep]).expect(0).out;
    assert!(log.contains("Block alone") && log.contains(ADVISED), "{log}");
    claims_nothing(&log);
    ground.here(&["log", "--verify"]).expect(0);
    // Without a session, without network, the pack is sound; two verifiers agree.
    let verified = ground::run(&["verify", &pack.display().to_string()]).expect(0).out;
    assert!(verified.contains("no grants: it only changed the policy"), "{verified}");
    let second = second_verifier(&pack);
    assert_eq!(
        (&second["verdict"], &second["grants"], &second["closed"]),
        (&json!("consistent"), &json!(0), &json!(true))
    );
    let bytes = std::fs::read(&pack).expect("a pack");
    let report = String::from_utf8_lossy(&bytes).into_owned();
    for words in [
        "Block of 1 connected app: in force by a later read of the policy",
        "No grant was planned, and no revoke was sent.",
        "in no list of the organization, by the last reading before the sweep",
        "<b>Decided:</b> the organization’s policy is to forbid apps, before any grant is revoked.",
        "Apps of others: from all allowed (ALL_ALLOWED) to only those of a list allowed (RESTRICTED).",
        "That is what the change was to make of it, lists included.",
        "to change the organization's policy on connected apps",
    ] {
        assert!(report.contains(words), "{words:?} is not in the pack");
    }
    for raw in ["server_date:", "state.third_party", "after.allowed", "third_party_00000:", "error_type:"] {
        assert!(!report.contains(raw), "{raw} is no sentence");
    }
    let again = ground.dir.path().join("again.zip");
    ground.here(&["export", &sweep, "--out", &again.display().to_string()]).expect(0);
    assert_eq!(second_verifier(&again)["chain_head"], second["chain_head"]);

    ground.admin(&["lift", &sweep]).expect(5).says(&["restored exactly", "--yes"]);
    let lifted = ground.admin(&["lift", &sweep, "--yes"]).expect(0).says(&["The block is lifted"]);
    claims_nothing(&lifted.err);
    let now = policy(&ground);
    for part in ["first_party_connected_apps_allowed_type", "third_party_connected_apps_allowed_type"] {
        assert_eq!(now[part], before[part], "the former policy, exactly");
    }
}

#[test]
fn an_id_off_a_list_of_allowed_apps_is_forbidden_already_and_one_on_it_is_taken_off() {
    let ground = small();
    let (claude, data) = (app_called(&ground, "Claude"), app_called(&ground, "DataSync"));
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED",
               "allowed_third_party_connected_apps": [claude, ADVISED, data]}),
    );
    // A mistyped id is off the list as it stands: nothing to do is no failure, and nothing is asked of the policy.
    let other = ADVISED.replace("beef", "beee");
    let nothing =
        contain(&ground, &["--app", &other, "--yes"]).expect(0).says(&["already forbidden, nothing to change"]);
    claims_nothing(&nothing.err);
    assert_eq!((puts(&ground), revokes(&ground)), (0, 0));
    assert_eq!(ground.here(&["log", "--json"]).expect(0).lines(), Vec::<Value>::new(), "nothing was begun");

    contain(&ground, &["--app", ADVISED, "--yes"]).expect(0).says(&["The block is in force"]);
    assert_eq!(allowed(&ground), BTreeSet::from([claude, data]), "taken off, and nobody else");
    assert_eq!((changes(&ground).len(), revokes(&ground)), (1, 0));
    contain(&ground, &["--app", ADVISED, "--yes"]).expect(0).says(&["already forbidden"]);
    // Where nothing is allowed, nothing is left to forbid.
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED", "first_party_connected_apps_allowed_type": "NOT_ALLOWED"}),
    );
    contain(&ground, &["--app", &other, "--yes"]).expect(0).says(&["already forbidden"]);
    assert_eq!(puts(&ground), 1);
}

#[test]
fn an_id_of_which_nobody_tells_whose_it_is_is_forbidden_in_both_parts_if_the_vendors_own_are_meant_too() {
    let ground = small();
    let before = policy(&ground);
    let shown = contain(&ground, &["--app", ADVISED, "--first-party"]).expect(5);
    shown.says(&["forbidden in both parts of the policy", "The vendor's own apps are allowed by list from then on"]);
    contain(&ground, &["--app", ADVISED, "--first-party", "--yes"]).expect(0).says(&["The block is in force"]);
    let after = policy(&ground);
    for part in ["first_party", "third_party"] {
        assert_eq!(after[format!("{part}_connected_apps_allowed_type")], "RESTRICTED", "{part}");
        let list = after[format!("allowed_{part}_connected_apps")].as_array().expect("a list").clone();
        assert!(!list.is_empty() && !list.contains(&json!(ADVISED)), "{part}: {list:?}");
    }
    let line = ground.here(&["log", "--json"]).expect(0).lines().remove(0);
    assert_eq!(
        (&line["block"]["apps"], line["apps"].as_array().map(Vec::len)),
        (&json!(1), Some(1)),
        "one app, twice forbidden"
    );
    let sweep = line["sweep_id"].as_str().expect("an id").to_owned();
    ground.admin(&["lift", &sweep, "--yes"]).expect(0);
    for part in ["first_party_connected_apps_allowed_type", "third_party_connected_apps_allowed_type"] {
        assert_eq!(policy(&ground)[part], before[part]);
    }
}

#[test]
fn a_refused_block_without_grants_is_a_refusal_and_changes_nothing() {
    let ground = small();
    let before = policy(&ground);
    let admin = ground.sandbox.card().people[0].member_id.clone();
    ground.control("roles", json!({"member_id": admin, "roles": ["security_responder"]}));
    let done = contain(&ground, &["--app", ADVISED, "--yes"]).expect(3);
    let done = done.says(&["likely to be refused", "Then nothing is done", "The change of the policy was refused"]);
    claims_nothing(&done.err);
    assert!(!done.err.contains("in force"), "{}", done.err);
    assert_eq!((policy(&ground), puts(&ground), revokes(&ground)), (before, 1, 0));
}

#[test]
fn an_app_whose_grants_are_all_gone_is_blocked_by_the_name_it_had() {
    let ground = small();
    let data = app_called(&ground, "DataSync");
    revoke_all(&ground, "DataSync");
    let sent = revokes(&ground);
    let shown = contain(&ground, &["--app", "DataSync"]).expect(5);
    shown.says(&["To be blocked: DataSync", &data, "known from the reading of", "not listed now", "revoke nothing"]);
    contain(&ground, &["--app", "DataSync", "--yes"]).expect(0).says(&["The block is in force"]);
    assert_eq!(revokes(&ground), sent, "nothing was there to revoke");
    assert!(!allowed(&ground).contains(&data) && !allowed(&ground).is_empty());
    let member = ground.truth().into_iter().next().expect("a grant").0;
    let consent = json!({"member_id": member, "connected_app_id": data, "scopes": ["openid"]});
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ground.control("consent", consent)));
    assert!(refused.is_err(), "the sandbox lets somebody consent to it all the same");
}

#[test]
fn grants_that_only_the_apps_own_view_lists_are_revoked_although_the_policy_hides_it_from_every_list() {
    let ground = small();
    let (claude, data) = (app_called(&ground, "Claude"), app_called(&ground, "DataSync"));
    let of_it = || ground.truth().into_iter().filter(|(_, app, _)| *app == data).count();
    let (planned, beside) = (of_it(), ground.truth().len() - of_it());
    assert!(planned > 0);
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [claude]}),
    );
    let shown = contain(&ground, &["--app", &data]).expect(5);
    shown.says(&["The policy forbids them already", &format!("revoke {planned} grants"), "DataSync"]);
    let done = contain(&ground, &["--app", &data, "--yes"]).expect(0);
    let told: Vec<Value> = done.lines().iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(told, vec![json!("revoked"); planned], "{}", done.err);
    assert_eq!((of_it(), ground.truth().len(), puts(&ground)), (0, beside, 0));
}

#[test]
fn an_app_that_an_earlier_reading_knew_does_not_fall_off_the_allowlist_unasked() {
    let ground = small();
    let (claude, data) = (app_called(&ground, "Claude"), app_called(&ground, "DataSync"));
    vanishes(&ground, &claude);
    // Asked again and again, however many readings have lacked it by now.
    for _ in 0..2 {
        let open = contain(&ground, &["--app", "DataSync", "--yes"]).expect(5);
        open.says(&["Claude", &claude, "known from the reading of", "not listed now", "--keep", "Nothing was sent"]);
    }
    assert_eq!((puts(&ground), allowed(&ground).is_empty()), (0, true));
    let shown = contain(&ground, &["--app", "DataSync", "--keep", &claude]).expect(5);
    shown.says(&[&format!("Stays allowed: Claude ({claude}), known from the reading of")]);
    let left = contain(&ground, &["--app", "DataSync", "--unlisted", "leave-out"]).expect(5);
    left.says(&["To be forbidden too, with the grants it has left alone: Claude"]);

    contain(&ground, &["--app", "DataSync", "--unlisted", "keep", "--yes"]).expect(0);
    let allowed = allowed(&ground);
    assert!(allowed.contains(&claude) && !allowed.contains(&data), "{allowed:?}");
    // What was revoked from here is missed by nobody.
    let ground = small();
    let claude = app_called(&ground, "Claude");
    revoke_all(&ground, "Claude");
    contain(&ground, &["--app", "DataSync", "--yes"]).expect(0).says(&["whose grants were all revoked from here"]);
    assert!(!self::allowed(&ground).contains(&claude));
}

/// The third-party apps that are listed, as ids and names.
fn third_party_names(ground: &Ground) -> Vec<(String, String)> {
    let apps = ground.admin(&["apps", "--json", "--max-age", "0"]).lines();
    let third = apps.iter().filter(|app| app["client_type"].as_str().expect("a type").starts_with("third_party"));
    let text = |app: &Value, key: &str| app[key].as_str().expect("text").to_owned();
    third.map(|app| (text(app, "connected_app_id"), text(app, "app_name"))).collect()
}

#[test]
fn an_app_of_the_same_name_or_one_that_looks_like_it_stays_allowed_by_a_decision_only_on_a_list_that_stands_too() {
    let ground = ground_with(Options { members: 60, apps: 40, ..Options::default() });
    let third = third_party_names(&ground);
    let of = |name: &str| third.iter().filter(|(_, of)| of == name).map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let (claudes, imitation) = (of("Claude"), of("C1aude").remove(0));
    let [first, other] = &claudes[..] else { panic!("two of one name: {claudes:?}") };
    let ids: Vec<&String> = third.iter().map(|(id, _)| id).collect();
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED",
               "allowed_third_party_connected_apps": ids.iter().copied().cloned().chain([ADVISED.to_owned()]).collect::<Vec<_>>()}),
    );
    let open = contain(&ground, &["--app", first, "--yes"]).expect(5).says(&[
        &format!("{other} Claude (looks like one to be blocked"),
        &format!("{imitation} C1aude (looks like one to be blocked"),
        "Nothing was sent",
    ]);
    let asked = third.iter().filter(|(id, _)| open.err.contains(&format!("--DECIDE {id}"))).count();
    let alike =
        third.iter().filter(|(_, name)| ["\u{421}laude", "Cl\u{430}ude", "C1aude", "Claude"].contains(&name.as_str()));
    assert_eq!(asked, alike.count() - 1, "nobody else is asked about: {}", open.err);
    // What is asked about the one that imitates is not asked about the one it imitates.
    let calm = contain(&ground, &["--app", &imitation]).expect(5);
    assert!(!calm.err.contains(&format!("{other} Claude (looks")), "{}", calm.err);

    let decided: Vec<&str> = third
        .iter()
        .filter(|(id, _)| open.err.contains(&format!("--DECIDE {id}")))
        .flat_map(|(id, _)| [if *id == imitation { "--leave-out" } else { "--keep" }, id.as_str()])
        .collect();
    let words: Vec<&str> = ["--app", first].into_iter().chain(decided).collect();
    // The list that goes on to stand is shown whole, down to an id that nobody has connected.
    let shown = contain(&ground, &words).expect(5).says(&[
        &format!("Stays allowed: {ADVISED}, in no list of this organization's apps."),
        &format!("Stays allowed: Claude ({other})."),
        &format!("To be forbidden too, with the grants it has left alone: C1aude ({imitation})."),
    ]);
    let stays = shown.err.matches("Stays allowed: ").count();
    contain(&ground, &[&words[..], &["--yes"]].concat()).expect(0);
    let allowed = allowed(&ground);
    assert!(!allowed.contains(first) && !allowed.contains(&imitation) && allowed.contains(other));
    assert_eq!((allowed.len(), stays), (ids.len() - 1, ids.len() - 1), "each that stays was shown");
}

#[test]
fn where_a_list_of_allowed_apps_stands_nobody_falls_off_it_and_nobody_is_asked() {
    let ground = small();
    let (claude, data) = (app_called(&ground, "Claude"), app_called(&ground, "DataSync"));
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [claude, data]}),
    );
    vanishes(&ground, &claude);
    contain(&ground, &["--app", "DataSync", "--yes"]).expect(0);
    assert_eq!(allowed(&ground), BTreeSet::from([claude]));
}

#[test]
fn an_app_of_the_vendors_own_that_the_list_lacks_is_left_out_aloud() {
    let ground = small();
    let (cli, data) = (app_called(&ground, "Acme CLI"), app_called(&ground, "DataSync"));
    revoke_all(&ground, "Acme CLI");
    let left = format!("{cli} is the vendor's own and is left out; take it in with --first-party.");
    let both = ["--app", "Acme CLI", "--app", "DataSync"];
    let shown = contain(&ground, &both).expect(5).says(&[&left, "To be blocked: DataSync"]);
    assert!(!shown.err.contains("To be blocked: Acme CLI"), "{}", shown.err);
    // Taken in, it is blocked by the name it had.
    contain(&ground, &["--app", "Acme CLI", "--first-party"]).expect(5).says(&["To be blocked: Acme CLI"]);
    // Nothing else is asked for: that is a question, and not done.
    contain(&ground, &["--app", "Acme CLI", "--yes"]).expect(5).says(&["the vendor's own apps", "--first-party"]);
    contain(&ground, &[&both[..], &["--yes"]].concat()).expect(0).says(&[&left, "The block is in force"]);
    assert!(!allowed(&ground).contains(&data));
    // Also where nothing is left to do for the others.
    contain(&ground, &[&both[..], &["--yes"]].concat()).expect(0).says(&[&left, "already forbidden"]);
}

#[test]
fn what_is_forbidden_already_is_not_done_where_its_own_view_could_not_be_read() {
    let ground = small();
    let claude = app_called(&ground, "Claude");
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": [claude]}),
    );
    ground.faults(json!({"server_error_share": 1.0, "on": ADVISED}));
    let unread = contain(&ground, &["--app", ADVISED, "--yes"]).expect(2);
    let unread = unread.says(&[ADVISED, "a fault of its own", "status 500", "forbids that already", "is not known"]);
    assert!(!unread.err.contains("nothing to change"), "{}", unread.err);
    claims_nothing(&unread.err);
    assert_eq!((puts(&ground), revokes(&ground)), (0, 0));
    // The same of an app that is to be blocked yet: it is, and what was not seen is told.
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    let file = ground.dir.path().join("plan.json").display().to_string();
    contain(&ground, &["--app", ADVISED, "--out", &file]).expect(2).says(&["status 500", "The plan is written"]);
    let done = contain(&ground, &["--app", ADVISED, "--yes"]).expect(2);
    done.says(&["status 500", "The block is in force"]);
}

#[test]
fn a_plan_that_lacks_its_block_since_the_policy_cannot_be_read_is_not_the_whole_of_what_was_asked_for() {
    let ground = small();
    ground.faults(json!({"sdk_endpoint_off": true, "on": "organizations/me$"}));
    let file = ground.dir.path().join("plan.json");
    let out = ["--app", "DataSync", "--out", &file.display().to_string()];
    contain(&ground, &out).expect(2).says(&["nothing can be blocked", "The plan is written"]);
    let plan: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    assert!(plan.get("block").is_none_or(Value::is_null) && !plan["grants"].as_array().expect("grants").is_empty());
}

#[test]
fn a_block_that_was_overtaken_is_nowhere_told_as_made() {
    let ground = small();
    let kept = third_party(&ground);
    let file = ground.dir.path().join("plan.json").display().to_string();
    contain(&ground, &["--app", ADVISED, "--out", &file]).expect(0);
    ground.control(
        "policy",
        json!({"third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": kept}),
    );
    let before = puts(&ground);
    ground.admin(&["apply", &file, "--yes"]).expect(5);
    assert_eq!(puts(&ground), before, "nothing was changed");
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let told = ground.here(&["log", &sweep]).expect(0).out;
    assert!(told.contains("was not made, since the policy had been changed before"), "{told}");
    assert!(!told.contains("is in force") && !told.contains("cutoff lift"), "{told}");
    assert_eq!(ground.here(&["log", "--json"]).expect(0).lines()[0]["block"]["state"], "overtaken");
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    ground.here(&["export", &sweep, "--out", &pack]).expect(0);
    // Nothing in a pack is compressed.
    let all = String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).into_owned();
    assert!(all.contains("not made, the policy had been changed before"), "{all}");
    for word in ["in force by a later read", "after the change", "to change the organization's policy"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
}

#[test]
fn where_nothing_was_sent_there_is_no_letter_that_asks_to_compare_nothing() {
    let ground = small();
    let app = app_called(&ground, "DataSync");
    let (file, pack) = (ground.dir.path().join("plan.json"), ground.dir.path().join("pack.zip"));
    let (file, out) = (file.display().to_string(), pack.display().to_string());
    ground.admin(&["plan", "--app", &app, "--out", &file, "--max-age", "0"]).expect(0);
    vanishes(&ground, &app);
    let before = revokes(&ground);
    ground.admin(&["apply", &file, "--yes", "--evidence", &out]).expect(0);
    assert_eq!(revokes(&ground), before, "each was gone already");
    let holds = |word: &str| String::from_utf8_lossy(&std::fs::read(&pack).expect("a pack")).contains(word);
    assert!(!holds("letter.txt") && holds("grants.csv"), "neither the letter nor a word of it");
    assert_eq!(second_verifier(&pack)["verdict"], "consistent");
    assert!(!ground::run(&["verify", &out]).expect(0).out.contains("Not in the pack"), "it was never due");

    // A block that was overtaken sent nothing either; one that was refused did.
    let block = ground.dir.path().join("block.json").display().to_string();
    contain(&ground, &["--app", ADVISED, "--out", &block]).expect(0);
    ground.control("policy", json!({"first_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    ground.admin(&["apply", &block, "--yes"]).expect(5);
    let newest = || ground.here(&["log", "--json"]).expect(0).lines().remove(0)["sweep_id"].clone();
    let export = |sweep: Value| ground.here(&["export", sweep.as_str().expect("an id"), "--out", &out]).expect(0);
    export(newest());
    assert!(!holds("letter.txt") && puts(&ground) == 0);
    ground.control("policy", json!({"first_party_connected_apps_allowed_type": "ALL_ALLOWED"}));
    let admin = ground.sandbox.card().people[0].member_id.clone();
    ground.control("roles", json!({"member_id": admin, "roles": ["security_responder"]}));
    contain(&ground, &["--app", ADVISED, "--yes"]).expect(3);
    assert_eq!(puts(&ground), 1);
    export(newest());
    assert!(holds("letter.txt") && holds("    change     of the organization's policy"));
}

#[test]
fn a_name_that_nobody_bears_is_no_id() {
    let ground = small();
    contain(&ground, &["--app", "Some App", "--yes"]).expect(5).says(&["not a client id", "Nothing was sent"]);
    contain(&ground, &["--app", "connected-app-test-../x", "--yes"]).expect(5);
    contain(&ground, &["--app", "DataSync", "--keep", ADVISED, "--yes"])
        .expect(5)
        .says(&["Not among the connected apps"]);
    assert_eq!((puts(&ground), revokes(&ground)), (0, 0));
}

#[test]
fn a_plan_that_revokes_nothing_and_changes_nothing_is_none() {
    let ground = small();
    let file = ground.dir.path().join("plan.json");
    let path = file.display().to_string();
    contain(&ground, &["--app", ADVISED, "--out", &path]).expect(0).says(&["cutoff apply"]);
    assert_eq!(puts(&ground), 0);
    let good: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    assert_eq!(good["grants"], json!([]));
    let shown = ground.admin(&["apply", &path]).expect(5).says(&["revoke nothing", "--yes"]);
    assert!(shown.out.contains("Nothing would be revoked") && shown.out.contains(ADVISED), "{}", shown.out);
    let mut bad = good.clone();
    bad["block"]["after"] = good["block"]["before"].clone();
    std::fs::write(&file, bad.to_string()).expect("written");
    ground.admin(&["apply", &path, "--yes"]).expect(5);
    let mut bad = good.clone();
    bad["critical"] = json!([]);
    bad.as_object_mut().expect("a plan").remove("block");
    std::fs::write(&file, bad.to_string()).expect("written");
    ground.admin(&["apply", &path, "--yes"]).expect(5);
    assert_eq!(puts(&ground), 0);
    std::fs::write(&file, good.to_string()).expect("written");
    ground.admin(&["apply", &path, "--yes"]).expect(0).says(&["The block is in force"]);
    ground.admin(&["apply", &path, "--yes"]).expect(5);
    assert_eq!(puts(&ground), 1, "once");
}

#[test]
fn where_a_block_that_was_to_come_last_cannot_be_made_it_is_told_how_many_revokes_were_sent() {
    let ground = small();
    let file = ground.dir.path().join("plan.json").display().to_string();
    contain(&ground, &["--app", "DataSync", "--out", &file]).expect(0);
    ground.faults(json!({"sdk_endpoint_off": true, "on": "organizations/me$"}));
    let stopped = ground.admin(&["apply", &file, "--yes", "--block-last"]).expect(3);
    let sent = ground.ledger()["revocations"].as_array().map_or(0, Vec::len);
    assert!(sent > 0);
    stopped.says(&["Stopped before the block", &format!("for {sent} grants a revoke was sent"), "--resume"]);
    assert_eq!(puts(&ground), 0);
}

#[test]
fn a_plan_with_a_block_where_the_policy_cannot_be_read_sends_nothing_and_tells_how_to_revoke_without_it() {
    let ground = small();
    let file = ground.dir.path().join("plan.json").display().to_string();
    contain(&ground, &["--app", "DataSync", "--out", &file]).expect(0);
    ground.faults(json!({"sdk_endpoint_off": true, "on": "organizations/me$"}));
    ground.admin(&["apply", &file]).expect(5).says(&["policy cannot be read, so the block cannot be made"]);
    let stopped = ground.admin(&["apply", &file, "--yes"]).expect(3);
    let stopped = stopped.says(&["Stopped before the block, and nothing was sent", "--resume", "without the block"]);
    assert!(!stopped.err.contains("every other grant"), "{}", stopped.err);
    assert!(ground.ledger()["revocations"].as_array().is_some_and(Vec::is_empty), "nothing was sent");
    // As it is told.
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    assert!(stopped.err.contains(&format!("cutoff plan --failed-of {sweep} --out again.json")), "{}", stopped.err);
    let again = ground.dir.path().join("again.json").display().to_string();
    ground.admin(&["plan", "--failed-of", &sweep, "--out", &again]).expect(0);
    ground.admin(&["apply", &again, "--yes"]).expect(0);
    ground.faults(ground::no_faults());
    // And once it can be read, one that others have changed since is told before anything is done.
    let (_, other) = (std::fs::remove_file(&file), ground.dir.path().join("other.json").display().to_string());
    contain(&ground, &["--app", ADVISED, "--out", &other]).expect(0);
    ground.control("policy", json!({"third_party_connected_apps_allowed_type": "NOT_ALLOWED"}));
    ground.admin(&["apply", &other]).expect(5).says(&["The policy is not what the plan was made for"]);
}

//! What `cutoff inventory`, `apps`, `members` and `diff` print, against the sandbox's own ledger.

mod ground;

use std::collections::BTreeSet;

use ground::{Fact, Ground, fact, ground, ground_with};
use sandbox::Options;
use serde_json::{Value, json};

fn facts(lines: &[Value]) -> BTreeSet<Fact> {
    lines.iter().map(fact).collect()
}

#[test]
fn every_grant_is_printed_once_and_no_other() {
    let ground = ground();
    let ended = ground.admin(&["inventory", "--json"]).expect(0);
    let lines = ended.lines();
    assert_eq!(facts(&lines), ground.truth());
    assert_eq!(lines.len(), ground.truth().len(), "a grant is printed twice");
    assert_eq!(ended.err, "", "nothing is said when nothing is missing");
    for line in &lines {
        for key in ["app_name", "client_type", "member_email"] {
            assert!(line[key].as_str().is_some(), "{key} in {line}");
        }
        assert!(line["member_email"].as_str().is_some_and(|email| email.contains('@')), "{line}");
        assert!(line["first_seen"]["after"].is_null() && line["first_seen"]["by"].is_string(), "{line}");
        assert!((1..=3).contains(&line["width"]["level"].as_u64().expect("a level")), "{line}");
        assert!(line["width"]["rule"].is_string(), "{line}");
        assert!(line["change"].is_null(), "nothing is new in the first reading: {line}");
    }
}

#[test]
fn a_reading_takes_one_call_one_for_each_app_and_one_for_each_thousand_members() {
    let ground = ground_with(Options { members: 2_300, apps: 15, ..Options::default() });
    let ended = ground.admin(&["inventory", "--json"]).expect(0);
    assert_eq!(facts(&ended.lines()), ground.truth());
    let calls = ground.calls();
    let (before, reading): (Vec<String>, Vec<String>) = calls
        .into_iter()
        .partition(|path| path.ends_with("/sessions/authenticate") || path.contains("/projects/bootstrap/"));
    assert_eq!(before.len(), 2, "one check of the session that was handed over and one look at the policy: {before:?}");
    let apps = ground.admin(&["apps", "--json"]).expect(0).lines().len();
    assert_eq!(apps, 15);
    assert_eq!(reading.len(), 1 + apps + 3, "{reading:#?}");
}

#[test]
fn names_that_may_not_be_read_leave_ids_and_say_so() {
    let ground = ground();
    let ended = ground.as_role("member", &["inventory", "--json"]).expect(2);
    assert_eq!(facts(&ended.lines()), ground.truth());
    assert!(ended.lines().iter().all(|line| line["member_email"].is_null()));
    ended.says(&["shown by id", "search on stytch.member", "Incomplete"]);
}

#[test]
fn an_app_that_cannot_be_read_is_named_and_the_rest_is_there() {
    let ground = ground();
    let apps = ground.admin(&["apps", "--json"]).expect(0).lines();
    let broken = apps[0]["connected_app_id"].as_str().expect("an id").to_owned();
    ground.faults(json!({"server_error_share": 1.0, "on": format!("connected_apps/{broken}")}));
    let ended = ground.admin(&["inventory", "--json"]).expect(2);
    let rest: BTreeSet<Fact> = ground.truth().into_iter().filter(|(_, app, _)| *app != broken).collect();
    assert_eq!(facts(&ended.lines()), rest);
    let ended = ended.says(&["1 of 12 apps could not be read", &broken, "status 500", "request id", "Incomplete"]);
    assert!(!ended.out.contains(&broken));
    // The same from what was kept of it, without a call.
    let calls = ground.calls().len();
    let kept = ground.admin(&["apps", "--json"]).expect(2).says(&["Incomplete"]);
    let of =
        |id: &str| kept.lines().into_iter().find(|line| line["connected_app_id"] == id).expect("the app is listed");
    assert_eq!(of(&broken)["read"], "not");
    assert_eq!(ground.calls().len() - calls, 2, "a young snapshot is used: only the session is looked at");
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_the_others_are_there() {
    let ground = ground();
    ground.faults(json!({"bad_row": "lone_surrogate", "on": "/search"}));
    let ended =
        ground.admin(&["inventory", "--json"]).expect(2).says(&["row of the search for members could not be read"]);
    assert_eq!(facts(&ended.lines()), ground.truth());
}

#[test]
fn a_limit_is_waited_out_and_the_wait_is_told() {
    let ground = ground();
    ground.faults(json!({"rate_limit_after": 6, "rate_window_s": 1, "retry_after_s": 1}));
    let ended = ground.admin(&["inventory", "--json"]).expect(0).says(&["waiting until", "Stytch limits the rate"]);
    assert_eq!(facts(&ended.lines()), ground.truth());
}

#[test]
fn what_is_new_widened_narrowed_and_gone_since_another_snapshot_is_told() {
    let ground = ground();
    let before = ground.admin(&["inventory", "--json"]).expect(0).lines();
    let truth_before = ground.truth();
    ground.admin(&["diff", "--json"]).expect(0).says(&["one reading only"]);

    let app_of = |line: &Value| line["connected_app_id"].as_str().expect("an id").to_owned();
    let member_of = |line: &Value| line["member_id"].as_str().expect("an id").to_owned();
    let scopes_of = |line: &Value| line["scopes"].as_array().expect("scopes").clone();
    let consent = |line: &Value, scopes: Vec<Value>| {
        ground.control(
            "consent",
            json!({"member_id": member_of(line), "connected_app_id": app_of(line), "scopes": scopes}),
        );
    };
    let rich = || before.iter().filter(|line| scopes_of(line).len() > 2);
    let (widened, narrowed) = (rich().next().expect("a grant"), rich().nth(1).expect("another"));
    let mut more = scopes_of(widened);
    more.push(json!("admin.everything"));
    consent(widened, more);
    consent(narrowed, scopes_of(narrowed)[..1].to_vec());
    // Somebody who has nothing of it yet.
    let app = app_of(widened);
    let has: BTreeSet<String> = before.iter().filter(|line| app_of(line) == app).map(&member_of).collect();
    let newcomer = before.iter().map(&member_of).find(|member| !has.contains(member)).expect("a member without it");
    ground.control("consent", json!({"member_id": newcomer, "connected_app_id": app, "scopes": ["openid"]}));
    let touched = [member_of(widened), member_of(narrowed), newcomer.clone()];
    let people: Vec<&str> = ground.sandbox.card().people.iter().map(|person| person.member_id.as_str()).collect();
    let leaver = before.iter().map(&member_of).find(|id| !touched.contains(id) && !people.contains(&id.as_str()));
    let leaver = leaver.expect("somebody else");
    ground.control("delete_member", json!({"member_id": leaver}));

    let after = ground.admin(&["inventory", "--json"]).expect(0).lines();
    assert_eq!(facts(&after), ground.truth());
    let fresh: Vec<&Value> = after.iter().filter(|line| line["change"] == "new").collect();
    assert_eq!(fresh.len(), 1);
    assert!(fresh[0]["member_id"] == newcomer.as_str() && !fresh[0]["first_seen"]["after"].is_null(), "{}", fresh[0]);

    let told = ground.admin(&["diff", "--json"]).expect(0).lines();
    let found = |change: &str| -> BTreeSet<(String, String)> {
        told.iter().filter(|line| line["change"] == change).map(|line| (member_of(line), app_of(line))).collect()
    };
    let pair = |line: &Value| BTreeSet::from([(member_of(line), app_of(line))]);
    assert_eq!(found("widened"), pair(widened));
    assert_eq!(found("narrowed"), pair(narrowed));
    assert_eq!(found("new"), BTreeSet::from([(newcomer, app)]));
    let gone: BTreeSet<(String, String)> = truth_before
        .iter()
        .filter(|(member, ..)| *member == leaver)
        .map(|(member, app, _)| (member.clone(), app.clone()))
        .collect();
    assert!(!gone.is_empty());
    assert_eq!(found("gone"), gone);
    assert_eq!(told.len(), 3 + gone.len());

    let table = ground.admin(&["diff", "1", "2"]).expect(0);
    assert!(table.out.contains("1 new, 1 widened, 1 narrowed, 0 altered"), "{}", table.out);
    assert!(table.out.contains("+admin.everything"), "{}", table.out);
    ground.admin(&["diff", "2", "1"]).expect(5).says(&["cutoff diff --list"]);
    ground.admin(&["diff", "1", "9"]).expect(5);
    let list = ground.admin(&["diff", "--list", "--json"]).expect(0).lines();
    assert_eq!(list.iter().map(|line| line["snapshot"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(list[1]["grants"], after.len());
    let new = ground.admin(&["members", "--new", "--json"]).expect(0).lines();
    assert_eq!(new.len(), 1);
}

#[test]
fn filters_take_what_they_say_and_a_slip_is_not_an_empty_list() {
    let ground = ground();
    let all = ground.admin(&["inventory", "--json"]).expect(0).lines();
    let members = ground.admin(&["members", "--json"]).expect(0).lines();
    let some = all[0].clone();
    let name = some["app_name"].as_str().expect("a name");
    let lines = |flags: &[&str]| ground.admin(&[&["inventory", "--json"], flags].concat()).expect(0).lines();
    let count = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|line| keep(line)).count();

    let id = some["connected_app_id"].as_str().expect("an id");
    assert_eq!(lines(&["--app", id]).len(), count(&|line| line["connected_app_id"] == id));
    assert_eq!(lines(&["--app", &name.to_uppercase()]).len(), count(&|line| line["app_name"] == name));
    let email = some["member_email"].as_str().expect("an address");
    assert_eq!(lines(&["--member", email]).len(), count(&|line| line["member_email"] == email));
    assert_eq!(lines(&["--width", "3"]).len(), count(&|line| line["width"]["level"] == 3));
    assert_eq!(lines(&["--width", "3", "--width", "1"]).len(), count(&|line| line["width"]["level"] != 2));
    assert_eq!(lines(&["--type", "third-party"]).len(), count(&|line| line["client_type"] == "third_party"));
    let has = |line: &Value| line["scopes"].as_array().expect("scopes").iter().any(|scope| scope == "offline_access");
    assert_eq!(lines(&["--scope", "offline_access"]).len(), count(&has));
    let admins: BTreeSet<&str> = members
        .iter()
        .filter(|line| line["roles"].as_array().expect("roles").iter().any(|role| role == "stytch_admin"))
        .map(|line| line["member_id"].as_str().expect("an id"))
        .collect();
    assert!(!admins.is_empty());
    let held = count(&|line| admins.contains(line["member_id"].as_str().expect("an id")));
    assert_eq!(lines(&["--role", "stytch_admin"]).len(), held);
    let both = count(&|line| line["width"]["level"] == 3 && line["member_email"] == email);
    assert_eq!(lines(&["--width", "3", "--member", email]).len(), both);
    assert!(!ground.admin(&["apps", "--look-alikes", "--json"]).expect(0).lines().is_empty());

    ground.admin(&["inventory", "--app", "Nothing like it"]).expect(5).says(&["Nothing like it"]);
    ground.admin(&["members", "--member", "nobody@acme.test"]).expect(5);
    ground.admin(&["apps", "--width", "4"]).expect(5);
}

#[test]
fn a_name_in_a_table_cannot_act_on_the_terminal_and_is_whole_in_json() {
    let ground = ground_with(Options { apps: 40, ..Options::default() });
    let whole = ground.admin(&["apps", "--json"]).expect(0);
    let names: Vec<String> =
        whole.lines().iter().map(|line| line["app_name"].as_str().expect("a name").to_owned()).collect();
    assert!(names.iter().any(|name| name.contains('\u{202e}')), "the sandbox has a name that reorders text");
    assert!(names.iter().any(|name| name.contains('\u{200b}')), "and one that hides a character");
    assert!(names.iter().any(|name| name.chars().count() >= 10_000), "and one of ten thousand characters");
    for table in [
        ground.admin(&["apps"]).expect(0),
        ground.admin(&["apps", "--each"]).expect(0),
        ground.admin(&["members"]).expect(0),
        ground.admin(&["inventory"]).expect(0),
    ] {
        let hostile = table.out.chars().filter(|c| {
            (c.is_control() && *c != '\n')
                || matches!(u32::from(*c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069)
        });
        assert_eq!(hostile.count(), 0, "{}", table.out);
        assert!(table.out.lines().all(|line| line.chars().count() < 1_000), "a line goes on for ever");
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    use std::io::{BufRead as _, BufReader};
    let ground = ground_with(Options { members: 2_000, apps: 12, ..Options::default() });
    let mut child = ground::start(ground.command(&["inventory", "--json"]), &ground.token("admin"));
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut first).expect("a line");
    drop(out);
    assert!(first.starts_with("{\"connected_app_id\""), "{first}");
    let ended = ground::end(child).expect(0);
    assert_eq!(ended.err, "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_a_reading_and_keeps_nothing_of_it() {
    let ground = ground();
    ground.faults(json!({"latency_ms": 300}));
    let child = ground::start(ground.command(&["inventory", "--json"]), &ground.token("admin"));
    // The reading has begun once the list of apps was asked for.
    while !ground.calls().iter().any(|path| path.ends_with("/connected_apps")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let killed =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let ended = ground::end(child).expect(2).says(&["Stopped"]);
    assert_eq!(ended.out, "");
    ground.faults(ground::no_faults());
    let list = ground.admin(&["diff", "--list", "--json"]).expect(0);
    assert_eq!(list.out, "", "no snapshot was kept");
}

#[test]
fn what_the_window_read_is_there_offline_until_somebody_signs_out() {
    let ground = ground();
    ground.here(&["inventory", "--offline"]).expect(4).says(&["cutoff sign-in"]);
    let window = ground.window("admin");
    ground.runtime.block_on(window.read_inventory(&|_| {})).expect("it is read");
    let calls = ground.calls().len();

    let offline =
        ground.here(&["inventory", "--offline", "--json"]).expect(0).says(&["just now", "TEST", "snapshot 1"]);
    assert_eq!(facts(&offline.lines()), ground.truth());
    let apps = ground.here(&["apps", "--json"]).expect(0).lines();
    assert_eq!(apps.len(), 12, "young enough: no session is needed");
    ground.here(&["members", "--offline"]).expect(0);
    ground.here(&["diff", "--list"]).expect(0);
    assert_eq!(ground.calls().len(), calls, "nobody was asked");

    // A session that was handed over is nobody's seat: it leaves this one as it is.
    ground.as_role("reader", &["inventory"]).expect(0);
    let still = ground.here(&["apps", "--offline"]).expect(0);
    assert!(still.err.contains(&ground.email("admin")), "{}", still.err);

    let other = "http://127.0.0.1:9";
    let token = ground.sandbox.card().public_token.clone();
    ground.here(&["apps", "--offline", "--base-url", other, "--public-token", &token]).expect(4);
    ground.runtime.block_on(window.sign_out(false)).expect("signed out");
    ground.here(&["apps", "--offline"]).expect(4);
}

#[test]
fn what_was_looked_at_is_new_no_more() {
    let ground = ground();
    ground.admin(&["inventory"]).expect(0);
    let truth = ground.truth();
    let (member, app, _) = truth.first().expect("a grant").clone();
    let free =
        truth.iter().map(|(_, to, _)| to).find(|to| !truth.iter().any(|(of, app, _)| *of == member && app == *to));
    let to = free.expect("an app that the member has not").clone();
    assert_ne!(app, to);
    ground.control("consent", json!({"member_id": member, "connected_app_id": to, "scopes": ["openid"]}));
    ground.admin(&["inventory"]).expect(0);
    let new = || ground.admin(&["inventory", "--json", "--new"]).expect(0).lines().len();
    assert_eq!(new(), 1);
    let told = ground.admin(&["diff", "--looked", "--json"]).expect(0).lines();
    assert_eq!(told.len(), 1, "it is printed first");
    assert_eq!(new(), 0);
    ground.admin(&["diff", "--looked", "1", "2"]).expect(5);
}

#[test]
fn whoever_joins_a_reading_that_fails_is_told_so_too() {
    let ground = ground();
    let desk = ground.window("admin");
    let twice = async || {
        let (first, second) = tokio::join!(desk.read_inventory(&|_| ()), desk.read_inventory(&|_| ()));
        (first.is_ok(), second.is_ok())
    };
    // The list of apps is the first call of a reading, and without it there is none.
    ground.faults(json!({"server_error_share": 1.0, "on": "organizations/connected_apps"}));
    assert_eq!(ground.runtime.block_on(twice()), (false, false));
    ground.faults(json!({"server_error_share": null}));
    assert_eq!(ground.runtime.block_on(twice()), (true, true));
}

#[test]
fn a_reading_without_any_apps_grants_does_not_take_the_place_of_one_that_has_them() {
    let ground = ground();
    ground.faults(json!({"server_error_share": 1.0, "on": "connected_apps/connected-app-"}));
    // With nothing better to keep, the names of the apps are.
    ground.admin(&["inventory", "--json"]).expect(2).says(&["12 of 12 apps could not be read"]);
    ground.admin(&["inventory"]).expect(2).says(&["12 of 12 apps could not be read"]);
    ground.faults(json!({"server_error_share": null}));
    ground.admin(&["inventory"]).expect(0);
    let listed = |ground: &Ground| ground.admin(&["diff", "--list", "--json"]).expect(0).lines().len();
    let before = listed(&ground);
    ground.faults(json!({"server_error_share": 1.0, "on": "connected_apps/connected-app-"}));
    let failed =
        ground.admin(&["inventory", "--json"]).expect(6).says(&["stays the last one", "Stytch has a fault of its own"]);
    assert_eq!((failed.out.as_str(), listed(&ground)), ("", before));
    let calls = ground.calls().len();
    let apps = ground.admin(&["apps", "--each", "--json"]).expect(0).lines();
    assert!(apps.iter().all(|app| app["read"] == "complete"), "{apps:?}");
    assert!(!ground.calls()[calls..].iter().any(|path| path.contains("connected_apps")), "what was kept is used");
    // One app that can be read is news.
    let one = apps[0]["connected_app_id"].as_str().expect("an id").to_owned();
    let other = apps[1]["connected_app_id"].as_str().expect("an id").to_owned();
    ground.faults(json!({"server_error_share": 1.0, "on": format!("connected_apps/{other}")}));
    let part = ground.admin(&["inventory", "--json"]).expect(2).lines();
    assert!(part.iter().any(|grant| grant["connected_app_id"] == json!(one)));
    assert_eq!(listed(&ground), before + 1);
}

/// The pairs that lines name, by what they call the change.
fn pairs_of(lines: &[Value], change: &str) -> BTreeSet<(String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().expect("an id").to_owned();
    let of = lines.iter().filter(|line| line["change"] == change);
    of.map(|line| (text(line, "member_id"), text(line, "connected_app_id"))).collect()
}

#[test]
fn a_list_that_was_cut_short_makes_no_living_grant_gone_and_what_its_members_have_is_shown() {
    let ground = ground();
    ground.admin(&["inventory"]).expect(0);
    let people: Vec<&str> = ground.sandbox.card().people.iter().map(|person| person.member_id.as_str()).collect();
    let truth = ground.truth();
    let leaver = truth.iter().map(|(member, ..)| member).find(|id| !people.contains(&id.as_str())).expect("somebody");
    ground.control("delete_member", json!({"member_id": leaver}));
    let gone = truth.iter().filter(|(member, ..)| member == leaver);
    let gone: BTreeSet<_> = gone.map(|(member, app, _)| (member.clone(), app.clone())).collect();
    // Apps and members alike: no answer says that it is cut.
    ground.faults(json!({"list_cap": 3}));
    for _ in 0..2 {
        let cut = ground.admin(&["inventory", "--json"]).expect(2).says(&["not in it", "does not have all of them"]);
        assert_eq!(facts(&cut.lines()), ground.truth(), "what is alive is shown");
        let told = ground.admin(&["diff", "--json"]).expect(2);
        assert!(pairs_of(&told.lines(), "gone").is_subset(&gone), "{}", told.out);
    }
    ground.faults(json!({"list_cap": null}));
    ground.admin(&["inventory"]).expect(0);
    let whole = ground.admin(&["diff", "--json"]).expect(0).lines();
    assert_eq!(pairs_of(&whole, "gone"), gone, "what is really gone is told once the lists are whole");
    assert_eq!(whole.len(), gone.len(), "nothing is new: {whole:?}");
}

#[test]
fn what_nobody_could_be_asked_about_is_not_called_gone() {
    let ground = ground();
    ground.admin(&["inventory"]).expect(0);
    ground.faults(json!({"list_cap": 3}));
    ground.faults(json!({"server_error_share": 1.0, "on": "/members/"}));
    let cut = ground.admin(&["inventory", "--json"]).expect(2).says(&["neither shown nor called gone"]);
    assert!(facts(&cut.lines()).is_subset(&ground.truth()));
    let told = ground.admin(&["diff"]).expect(2);
    assert!(told.out.contains(" 0 gone"), "{}", told.out);
    // An app far down the list, whose own view cannot be had either.
    let calls = ground.calls();
    let last = calls.iter().filter_map(|path| path.split_once("/connected_apps/")).map(|(_, id)| id);
    let last = last.take(12).last().expect("twelve apps");
    ground.faults(json!({"server_error_share": 1.0, "on": format!("/connected_apps/{last}")}));
    ground.admin(&["inventory"]).expect(2).says(&["not listed now, and nothing bears out that"]);
    let told = ground.admin(&["diff"]).expect(2);
    assert!(told.out.contains(" 0 gone"), "{}", told.out);
}

#[test]
fn a_revoke_by_somebody_else_is_gone_since_its_members_own_list_bears_it_out() {
    let ground = ground();
    ground.admin(&["inventory"]).expect(0);
    let (member, app, _) = ground.truth().into_iter().next().expect("a grant");
    let elsewhere = ground.dir.path().join("elsewhere").display().to_string();
    let plan = ground.dir.path().join("theirs.json").display().to_string();
    let grant = format!("{member}:{app}");
    let at = |arguments: &[&str]| {
        let mut place = ground.place();
        let dir =
            place.iter().position(|flag| *flag == ground.state_dir().display().to_string()).expect("the directory");
        place[dir].clone_from(&elsewhere);
        let mut command = ground::cutoff();
        command.args(arguments).args(place).arg("--session-token-stdin");
        ground::end(ground::start(command, &ground.token("admin")))
    };
    at(&["plan", "--grant", &grant, "--first-party", "--out", &plan]).expect(0);
    at(&["apply", &plan, "--yes"]).expect(0);
    let calls = ground.calls().len();
    ground.admin(&["inventory"]).expect(0);
    let own = |path: &&String| path.contains(&format!("/members/{member}/"));
    assert_eq!(ground.calls()[calls..].iter().filter(own).count(), 1, "one look at the member's own list");
    assert_eq!(pairs_of(&ground.admin(&["diff", "--json"]).expect(0).lines(), "gone"), BTreeSet::from([(member, app)]));
}

#[test]
fn a_grant_that_was_listed_since_our_revoke_is_not_gone_by_that_revoke() {
    let ground = ground();
    ground.admin(&["inventory"]).expect(0);
    let truth = ground.truth();
    let (member, app, scopes) = truth.iter().next().expect("a grant").clone();
    let other = truth.iter().find(|(_, of, _)| *of != app).expect("a grant of another app").clone();
    let plan = ground.dir.path().join("plan.json").display().to_string();
    let (first, second) = (format!("{member}:{app}"), format!("{}:{}", other.0, other.1));
    ground.admin(&["plan", "--first-party", "--grant", &first, "--grant", &second, "--out", &plan]).expect(0);
    // What becomes of the other grant stays open, so that the sweep has a row that is younger than the next reading.
    ground.faults(json!({"server_error_share": 1.0, "on": other.1}));
    ground.admin(&["apply", &plan, "--yes"]);
    ground.faults(json!({"server_error_share": null}));
    ground.control("consent", json!({"member_id": member, "connected_app_id": app, "scopes": scopes}));
    ground.admin(&["inventory"]);
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    ground.faults(json!({"server_error_share": 1.0, "on": "/connected_apps"}));
    ground.admin(&["log", &sweep, "--settle"]);
    ground.faults(json!({"server_error_share": null}));
    ground.faults(json!({"list_cap": 0, "on": format!("/connected_apps/{app}$")}));
    let cut = ground.admin(&["inventory", "--json"]);
    assert!(facts(&cut.lines()).contains(&(member, app, scopes)), "{}", cut.err);
}

#[test]
fn more_grants_than_one_reading_asks_about_are_gone_after_some_readings() {
    let ground = ground_with(Options { members: 500, apps: 3, ..Options::default() });
    ground.admin(&["inventory"]).expect(0);
    let before = ground.truth();
    let elsewhere = ground.dir.path().join("elsewhere").display().to_string();
    let plan = ground.dir.path().join("theirs.json").display().to_string();
    let at = |arguments: &[&str]| {
        let mut place = ground.place();
        let dir =
            place.iter().position(|flag| *flag == ground.state_dir().display().to_string()).expect("the directory");
        place[dir].clone_from(&elsewhere);
        let mut command = ground::cutoff();
        command.args(arguments).args(place).arg("--session-token-stdin");
        ground::end(ground::start(command, &ground.token("admin")))
    };
    at(&["plan", "--app", "DataSync", "--out", &plan]).expect(0);
    at(&["apply", &plan, "--yes"]).expect(0);
    let lost = before.len() - ground.truth().len();
    assert!((201..400).contains(&lost), "{lost} grants are gone");
    let calls = ground.calls().len();
    // That some stay open is said, and how they are told.
    ground.admin(&["inventory"]).expect(2).says(&[
        "nothing bears out",
        "one reading asks for 200 at the most, and the next for others. Read again with: cutoff inventory",
    ]);
    let told = ground.admin(&["diff"]).expect(2).says(&["what came or went there in between is not told"]);
    assert!(told.out.contains(" 0 gone"), "{}", told.out);
    ground.admin(&["inventory"]).expect(0);
    let own = |path: &&String| path.contains("/members/") && path.ends_with("/connected_apps");
    assert_eq!(ground.calls()[calls..].iter().filter(own).count(), lost, "each member is asked once");
}

#[test]
fn what_an_empty_list_leaves_out_is_asked_for_and_said() {
    let ground = ground_with(Options { members: 40, apps: 4, ..Options::default() });
    ground.admin(&["inventory"]).expect(0);
    ground.faults(json!({"list_cap": 0, "on": "/connected_apps$"}));
    let cut =
        ground.admin(&["inventory", "--json"]).expect(2).says(&["The list of apps does not have all of them: 4 apps"]);
    assert_eq!(facts(&cut.lines()), ground.truth());
    // Of an app that neither its own view tells of, nothing is known.
    ground.faults(json!({"server_error_share": 1.0, "on": "/connected_apps/"}));
    ground.admin(&["inventory"]).expect(2).says(&["they are not listed now, and nothing bears out that they are gone"]);
    ground
        .admin(&["apps", "--app", "DataSync"])
        .expect(5)
        .says(&["nothing bears out", "No connected app in this inventory"]);
}

//! `cutoff log`, and what is done about a sweep that is over: it is told apart by what it was, confirmed by a second read, and
//! planned again where something is left.

mod ground;

use ground::{Ended, Ground, end, ground_with, kill_if_it_stays, start};
use journal::{ActorDraft, Body, Clock, GrantDraft, Hash, Journal, OpeningDraft, People, RowDraft, SweepId, Utc};
use sandbox::Options;
use serde_json::{Value, json};

fn small() -> Ground {
    ground_with(Options { members: 40, apps: 4, ..Options::default() })
}

fn file(ground: &Ground) -> String {
    ground.dir.path().join("plan.json").display().to_string()
}

fn plan(ground: &Ground, flags: &[&str]) -> Ended {
    let _ = std::fs::remove_file(file(ground));
    let file = file(ground);
    let arguments: Vec<&str> = ["plan", "--out", &file].into_iter().chain(flags.iter().copied()).collect();
    ground.admin(&arguments)
}

fn planned(ground: &Ground) -> Vec<Value> {
    let plan: Value = serde_json::from_slice(&std::fs::read(file(ground)).expect("a plan")).expect("JSON");
    plan["grants"].as_array().expect("grants").clone()
}

fn log(ground: &Ground) -> Vec<Value> {
    ground.here(&["log", "--json"]).expect(0).lines()
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("{key} in {row}")).to_owned()
}

#[test]
fn the_log_tells_a_block_from_a_revoke_and_names_apps_and_reason() {
    let ground = small();
    plan(&ground, &["--app", "Claude", "--reason", "TICKET-4"]).expect(0);
    ground.admin(&["apply", &file(&ground), "--yes"]).expect(0);
    ground.admin(&["contain", "--app", "DataSync", "--reason", "ADV-7", "--yes"]).expect(0);
    let sweeps = log(&ground);
    let (block, revoke) = (&sweeps[0], &sweeps[1]);
    assert_eq!(
        (&block["kind"], &block["reason"], &block["state"]),
        (&json!("contain"), &json!("ADV-7"), &json!("closed"))
    );
    assert_eq!((&block["block"]["state"], &block["apps"][0]["app_name"]), (&json!("in_force"), &json!("DataSync")));
    assert_eq!(
        (&revoke["kind"], &revoke["reason"], &revoke["block"]),
        (&json!("revoke"), &json!("TICKET-4"), &json!(null))
    );
    assert_eq!((&revoke["apps"][0]["app_name"], &revoke["apps"][0]["grants"]), (&json!("Claude"), &revoke["grants"]));
    let table = ground.here(&["log"]).expect(0).out;
    for word in ["contain (in force)", "DataSync", "ADV-7", "revoke", "Claude", "TICKET-4"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let id = text(block, "sweep_id");
    let one = ground.here(&["log", &id]).expect(0).out;
    for word in ["Block and revoke", "Reason: ADV-7", "App DataSync (connected-app-test-", "is in force", "cutoff lift"]
    {
        assert!(one.contains(word), "{word}: {one}");
    }
    ground.admin(&["lift", &id, "--yes"]).expect(0);
    assert_eq!(log(&ground)[0]["block"]["state"], "lifted");
    assert!(ground.here(&["log", &id]).expect(0).out.contains("was lifted"));
}

/// The same sweep as if it had been carried out so many minutes ago, before this computer was started.
fn as_if_earlier(ground: &Ground, sweep: SweepId, minutes: i64) -> SweepId {
    let journal = Journal::open(&ground.state_dir()).expect("a journal");
    let earlier = |clock: &Clock| Clock {
        utc: Utc::new(clock.utc.timestamp() - jiff::SignedDuration::from_mins(minutes)),
        mono_ms: clock.mono_ms,
        boot_id: "an earlier one".into(),
    };
    let rows: Vec<_> = journal.rows(sweep).expect("rows").into_iter().map(|stored| stored.row).collect();
    let id = SweepId::random();
    let (mut draft, mut grants, mut then) = (None, Vec::new(), Vec::new());
    for row in rows {
        match row.body {
            Body::Opening(opening) => {
                draft = Some(OpeningDraft {
                    clock: earlier(&row.clock),
                    sweep_id: id,
                    tool: opening.tool,
                    plan_hash: Hash::of(b"another plan"),
                    connection: opening.connection,
                    actor: ActorDraft {
                        member_id: opening.actor.member_id,
                        member_session_id: opening.actor.member_session_id,
                        roles: opening.actor.roles,
                        factors: opening.actor.factors,
                        person: None,
                        impersonator: None,
                    },
                    organization_name: None,
                    reason: None,
                });
            }
            Body::Grant(grant) => grants.push(GrantDraft {
                member_id: grant.member_id,
                connected_app_id: grant.connected_app_id,
                client_type: grant.client_type,
                scopes: grant.scopes,
                first_party: grant.first_party,
                route: grant.route,
                member_roles: grant.member_roles,
            }),
            mut body => {
                match &mut body {
                    Body::Read(read) => (read.began, read.ended) = (earlier(&read.began), earlier(&read.ended)),
                    Body::Answer(answer) => answer.sent = earlier(&answer.sent),
                    _ => {}
                }
                then.push(RowDraft { clock: earlier(&row.clock), body });
            }
        }
    }
    journal.open_sweep_with(&draft.expect("an opening"), &grants, &People::default(), &then).expect("opened");
    id
}

#[test]
fn what_was_gone_ten_minutes_ago_is_confirmed_by_settling_or_by_watching_and_nothing_sooner() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let done = ground.admin(&["apply", &file(&ground), "--yes"]).expect(0);
    let fresh = text(&log(&ground)[0], "sweep_id");
    let done = done.says(&["a second read confirms it", &format!("cutoff log {fresh} --settle"), "cutoff watch"]);
    assert!(!done.err.contains("not gone"), "{}", done.err);
    let first = as_if_earlier(&ground, fresh.parse().expect("an id"), 11).to_string();
    let second = as_if_earlier(&ground, fresh.parse().expect("an id"), 9).to_string();
    let confirmed = |id: &str| {
        let sweeps = log(&ground);
        let sweep = sweeps.iter().find(|sweep| sweep["sweep_id"] == *id).expect("the sweep").clone();
        !sweep["confirmed_at"].is_null()
    };
    assert!([&first, &second, &fresh].into_iter().all(|id| !confirmed(id)));
    ground.here(&["log", "--settle"]).expect(4).says(&["Nobody is signed in"]);
    let calls = ground.ledger()["revocations"].as_array().expect("revocations").len();
    let told = ground.admin(&["log", &first, "--settle"]).expect(0);
    assert!(told.out.contains("confirmed by a second read") && confirmed(&first), "{}", told.out);
    assert!(!confirmed(&second) && !confirmed(&fresh), "sooner than ten minutes nothing is confirmed");
    let lines = ground.here(&["log", &first, "--json"]).expect(0).lines();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["confirmed_at"].is_string()));
    let third = as_if_earlier(&ground, fresh.parse().expect("an id"), 12).to_string();
    ground.admin(&["watch", "--once"]).expect(0);
    assert!(confirmed(&third) && !confirmed(&fresh));
    assert_eq!(
        ground.ledger()["revocations"].as_array().expect("revocations").len(),
        calls,
        "settling sends no revoke"
    );
}

#[test]
fn what_failed_is_told_with_the_next_step_and_can_be_planned_again() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let all = planned(&ground);
    let one = all.last().expect("a grant").clone();
    // It comes back at once, whatever is done about it.
    ground.faults(json!({"reconsent_after_ms": 0, "on": text(&one, "connected_app_id")}));
    let left = ground.admin(&["apply", &file(&ground), "--yes", "--json"]).expect(2);
    let still = left.lines().iter().filter(|line| line["outcome"] == "still_there").count();
    assert_eq!(still, all.len());
    let sweep = text(&log(&ground)[0], "sweep_id");
    let left = left.says(&["still listed after", "Stytch gives no way to tell", &format!("--failed-of {sweep} --out")]);
    assert!(left.err.contains(&format!("{still} are still listed")), "{}", left.err);
    ground.faults(json!({"reconsent_after_ms": null}));
    plan(&ground, &["--failed-of", &sweep]).expect(0);
    let key = |row: &Value| (text(row, "member_id"), text(row, "connected_app_id"));
    let mut again: Vec<_> = planned(&ground).iter().map(key).collect();
    let mut before: Vec<_> = all.iter().map(key).collect();
    again.sort();
    before.sort();
    assert_eq!(again, before);
    ground.admin(&["apply", &file(&ground), "--yes"]).expect(0);
    let second = text(&log(&ground)[0], "sweep_id");
    plan(&ground, &["--failed-of", &second]).expect(5).says(&["nothing is left to plan"]);
    plan(&ground, &["--failed-of", "nonsense"]).expect(5).says(&["not a sweep's id"]);
    plan(&ground, &["--failed-of", &SweepId::random().to_string()]).expect(5).says(&["no such sweep"]);
}

#[test]
fn a_grant_that_the_inventory_does_not_list_is_named_and_the_plan_ends_with_2() {
    let ground = small();
    let real = ground.truth().into_iter().find(|(_, app, _)| !app.is_empty()).expect("a grant");
    let good = format!("{}:{}", real.0, real.1);
    plan(&ground, &["--grant", &good, "--first-party"]).expect(0);
    let bad = plan(&ground, &["--grant", &good, "--grant", "nope:nope", "--first-party"]).expect(2);
    bad.says(&["does not list 1 of 2 grants", "nope:nope, neither the member nor the app is listed"]);
    assert_eq!(planned(&ground).len(), 2, "it is said, and the plan is what was asked for");
    let member = format!("{}:nope", real.0);
    plan(&ground, &["--grant", &member]).expect(2).says(&["the app is not listed"]);
}

#[test]
fn a_sweep_that_another_process_carries_out_is_running_and_not_unfinished() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let file = file(&ground);
    ground.faults(json!({"latency_ms": 700}));
    let token = ground.token("admin");
    let first = start(ground.command(&["apply", &file, "--yes", "--concurrency", "1"]), &token);
    let over = kill_if_it_stays(&first);
    let since = std::time::Instant::now();
    while ground.ledger()["revocations"].as_array().expect("revocations").is_empty() {
        assert!(since.elapsed().as_secs() < 60, "nothing is sent");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(log(&ground)[0]["state"], "running");
    let second = ground.admin(&["apply", &file, "--yes"]).expect(5).says(&["Another revoke is running, in process"]);
    assert!(!second.err.contains("unfinished"), "{}", second.err);
    ground.faults(json!({"latency_ms": null}));
    // Broken off, it is unfinished, and the hint can be typed as it stands.
    let id = first.id().to_string();
    std::process::Command::new("kill").args(["-KILL", &id]).status().expect("killed");
    let mut first = first;
    first.wait().expect("it ends");
    drop(over);
    assert_eq!(log(&ground)[0]["state"], "unfinished");
    let hint = format!("cutoff apply {file} --resume --yes");
    ground.admin(&["apply", &file, "--yes"]).expect(5).says(&["unfinished", &hint]);
    let typed: Vec<&str> = hint.split(' ').skip(1).collect();
    end(start(ground.command(&typed), &token)).expect(0);
    assert_eq!(log(&ground)[0]["state"], "closed");
}

/// Stops a run once the first grants were removed, as Ctrl-C does.
fn stopped(ground: &Ground, arguments: &[&str]) -> ground::Ended {
    let sent = || ground.ledger()["revocations"].as_array().expect("revocations").len();
    let before = sent();
    let run = start(ground.command(arguments), &ground.token("admin"));
    let since = std::time::Instant::now();
    while sent() == before {
        assert!(since.elapsed().as_secs() < 60, "nothing is sent");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill runs");
    end(run)
}

/// The command that a line of standard error ends with.
fn told(ended: &ground::Ended, before: &str) -> Vec<String> {
    let found = ended.err.lines().find_map(|line| line.split_once(before)?.1.split_once("cutoff "));
    let (_, command) = found.unwrap_or_else(|| panic!("{before:?} is not told:\n{}", ended.err));
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn what_was_stopped_is_told_as_not_sent_or_not_read_and_the_log_tells_how_to_go_on() {
    let ground = small();
    let file = file(&ground);
    plan(&ground, &["--app", "DataSync"]).expect(0);
    for (first, word) in [
        (vec!["apply", file.as_str(), "--yes", "--concurrency", "1"], "apply"),
        (vec!["contain", "--app", "Claude", "--unlisted", "keep", "--yes", "--concurrency", "1"], "contain"),
    ] {
        ground.faults(json!({"latency_ms": 150}));
        let ended = stopped(&ground, &first).expect(2);
        ground.faults(json!({"latency_ms": null}));
        let sweep = log(&ground).into_iter().find(|told| told["state"] == "unfinished").expect("it");
        let sweep = text(&sweep, "sweep_id");
        let lines = ground.here(&["log", &sweep, "--json"]).expect(0).lines();
        let unsent = lines.iter().filter(|line| line["never_sent"] == true).count();
        let unread = lines.iter().filter(|line| line["why"] == "not_read_yet").count();
        assert!(unsent > 0 && unsent + unread == lines.len(), "{lines:?}");
        assert!(
            lines.iter().all(|line| (line["outcome"] == "not_attempted") == (line["never_sent"] == true)),
            "{lines:?}"
        );
        assert!(ended.out.contains(&format!("{unsent:>7}  not attempted\n")), "{}", ended.out);
        for false_reason in ["failed", "hides", "hidden"] {
            assert!(
                !ended.out.contains(false_reason) && !ended.err.contains(false_reason),
                "{}{}",
                ended.out,
                ended.err
            );
        }
        let table = ground.here(&["log", &sweep]).expect(0);
        assert_eq!(table.out.matches("not sent").count(), unsent, "{}", table.out);
        assert_eq!(table.out.matches("not read yet").count(), unread, "{}", table.out);
        assert_eq!(log(&ground)[0]["not_attempted"], json!(unsent));
        // A day later nobody can.
        let old = as_if_earlier(&ground, sweep.parse().expect("an id"), 24 * 60 + 1).to_string();
        let late =
            ground.here(&["log", &old]).expect(0).says(&["cannot be gone on with: nothing was done for it for a day"]);
        assert!(!late.err.contains("--resume"), "{}", late.err);
        assert_eq!(told(&late, "A new plan of what is left")[..3], ["plan", "--failed-of", &old].map(str::to_owned));
        let next = told(&table, "can go on with it until");
        assert_eq!(next[0], word);
        let next: Vec<&str> = next.iter().map(String::as_str).take_while(|word| *word != "--state-dir").collect();
        ground.admin(&next).expect(0);
        let state =
            |id: &str| log(&ground).into_iter().find(|told| told["sweep_id"] == *id).map(|told| text(&told, "state"));
        assert_eq!(state(&sweep).as_deref(), Some("closed"));
        let over = ground.here(&["log", &sweep]).expect(0);
        assert!(!over.err.contains("can go on") && !over.err.contains("A new plan"), "{}", over.err);
    }
}

#[test]
fn what_came_back_is_in_the_plan_of_what_is_left_and_the_log_tells_how_it_is_made() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    ground.admin(&["apply", &file(&ground), "--yes"]).expect(0);
    let sweep = text(&log(&ground)[0], "sweep_id");
    let again = ground.dir.path().join("again.json").display().to_string();
    ground.admin(&["plan", "--failed-of", &sweep, "--out", &again]).expect(5).says(&["nothing is left to plan"]);
    let back = planned(&ground).last().expect("a grant").clone();
    ground.control(
        "consent",
        json!({"member_id": back["member_id"], "connected_app_id": back["connected_app_id"], "scopes": ["openid"]}),
    );
    ground.admin(&["inventory"]).expect(0);
    let told = told(&ground.here(&["log", &sweep]).expect(0), "A new plan of what is left, or came back");
    assert_eq!(told[..3], ["plan", "--failed-of", &sweep].map(str::to_owned));
    ground.admin(&["plan", "--failed-of", &sweep, "--out", &again]).expect(0);
    let made: Value = serde_json::from_slice(&std::fs::read(&again).expect("a plan")).expect("JSON");
    assert_eq!(made["grants"], json!([back]));
}

#[test]
fn a_sweep_that_is_killed_between_its_re_reads_does_not_call_what_is_listed_still_there() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let token = ground.token("admin");
    ground.faults(json!({"read_lag_ms": 600_000}));
    let mut run = start(ground.command(&["apply", &file(&ground), "--yes"]), &token);
    let over = kill_if_it_stays(&run);
    let since = std::time::Instant::now();
    // Listed by a read after the answer: the rows are those that a later look judges.
    let listed = || {
        let sweeps = log(&ground);
        let sweep = sweeps.first()?;
        let lines = ground.here(&["log", &text(sweep, "sweep_id"), "--json"]).expect(0).lines();
        lines.iter().all(|line| line["why"] == "listed_yet" || line["outcome"] == "still_there").then_some(lines)
    };
    let lines = loop {
        assert!(since.elapsed().as_secs() < 60, "nothing is read again");
        match listed() {
            Some(lines) if !lines.is_empty() => break lines,
            _ => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    };
    run.kill().expect("killed");
    run.wait().expect("it ends");
    drop(over);
    assert!(lines.iter().all(|line| line["outcome"] == "accepted" && line["status"] == 200), "{lines:?}");
    let sweep = text(&log(&ground)[0], "sweep_id");
    assert!(ground.here(&["log", &sweep]).expect(0).out.contains("listed yet"));
    // Late enough it is.
    std::thread::sleep(std::time::Duration::from_secs(16));
    let lines = ground.admin(&["log", &sweep, "--settle", "--json"]).expect(0).lines();
    assert!(lines.iter().all(|line| line["outcome"] == "still_there"), "{lines:?}");
}

#[test]
fn what_was_refused_is_told_with_what_was_answered_and_what_was_never_sent_apart_from_it() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let all = planned(&ground).len();
    ground.faults(json!({"server_error_share": 1.0, "on": "/revoke"}));
    // The first of a canary gets no usable answer, so the others wait for ever.
    let left = ground.admin(&["apply", &file(&ground), "--yes", "--canary", "--concurrency", "1", "--json"]).expect(2);
    let lines = left.lines();
    let (sent, unsent): (Vec<&Value>, Vec<&Value>) = lines.iter().partition(|line| line["never_sent"] == false);
    assert_eq!((sent.len(), unsent.len()), (1, all - 1), "{lines:?}");
    let told = (&sent[0]["outcome"], &sent[0]["status"], &sent[0]["error_type"], &sent[0]["failure"]);
    assert_eq!(told, (&json!("unknown"), &json!(500), &json!("internal_server_error"), &json!(null)));
    assert!(unsent.iter().all(|line| line["outcome"] == "not_attempted" && line["status"].is_null()), "{lines:?}");
    let left = left.says(&["1 is not yet known (500 internal_server_error).", &format!("{} were never sent", all - 1)]);
    assert!(!left.err.contains(&format!("{all} are not yet known")), "{}", left.err);
    let sweep = text(&log(&ground)[0], "sweep_id");
    let table = ground.here(&["log", &sweep]).expect(0).out;
    assert_eq!(table.matches("not sent").count(), all - 1, "{table}");
    let pack = ground.dir.path().join("pack.zip").display().to_string();
    ground.here(&["export", &sweep, "--out", &pack]).expect(0);
    let pack = String::from_utf8_lossy(&std::fs::read(&pack).expect("the pack")).into_owned();
    let title = format!("0 gone by a later read, 1 not proven, {} never sent</title>", all - 1);
    assert!(pack.contains(&title), "the report's title says the same");
}

#[test]
fn until_when_tokens_may_be_accepted_is_one_time_in_window_command_line_and_report() {
    let ground = small();
    plan(&ground, &["--app", "DataSync"]).expect(0);
    let gone = planned(&ground).last().expect("a grant").clone();
    // Gone by itself before anything is sent: of that one the tokens run out by another time.
    ground.control("delete_member", json!({"member_id": text(&gone, "member_id")}));
    ground.faults(json!({"latency_ms": 150}));
    ground.admin(&["apply", &file(&ground), "--yes", "--concurrency", "1"]).expect(0);
    ground.faults(json!({"latency_ms": null}));
    let id: SweepId = text(&log(&ground)[0], "sweep_id").parse().expect("an id");
    let desk = ground.window("admin");
    let (digest, report, grants, pack) = ground.runtime.block_on(async {
        let (grants, ..) = desk.sweep_grants(id, &cutoff::activity::Wanted::default(), 0, 100).await.expect("grants");
        let report = desk.sweep_report(id).await.expect("a report");
        (desk.digest(id).await.expect("a digest"), report, grants, desk.pack(id).await.expect("a pack"))
    });
    let until: Vec<String> = grants.iter().map(|grant| grant.tokens_until.clone().expect("a time")).collect();
    let (first, last) = (until.iter().min().expect("one"), until.iter().max().expect("one"));
    assert!(first < last, "two grants, two times: {until:?}");
    assert_eq!(digest.tokens_until.map(|at| at.to_string()).as_ref(), Some(last), "the window");
    assert_eq!(report.tokens_until.map(cutoff::clock::rfc3339).as_ref(), Some(last), "the command line");
    // And so is the time from which a second read confirms all of them: nobody is told one at which it confirms the first.
    let due: Vec<String> = grants.iter().filter_map(|grant| grant.confirm_due_at.clone()).collect();
    let (earliest, latest) = (due.iter().min().expect("one"), due.iter().max().expect("one"));
    assert!(earliest < latest, "revoked one after the other: {due:?}");
    assert_eq!(digest.look_again_at.map(|at| at.to_string()).as_ref(), Some(latest), "the window");
    assert_eq!(log(&ground)[0]["confirm_due_at"].as_str(), Some(latest.as_str()), "the log");
    let told = format!("accepted until about {} UTC", last[..19].replace('T', " "));
    assert!(String::from_utf8_lossy(&pack.bytes).contains(&told), "the report: {told}");
    let told = format!("accepted until about {}Z", last[..19].replace('T', " "));
    ground.here(&["log", &id.to_string()]).expect(0).says(&[&told]);
}

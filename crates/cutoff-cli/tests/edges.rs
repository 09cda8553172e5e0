//! Exit codes, refusals, and what must never be said: the session token.

mod ground;

use std::process::{Command, Stdio};

use ground::{Ended, Ground, cutoff, end, files, ground, run, start};
use serde_json::{Value, json};

const PUBLIC: &str = "public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11";

#[test]
fn a_command_line_that_does_not_fit_together_is_refused_with_5_before_anything_is_sent() {
    let ground = ground();
    for (arguments, word) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["apps", "--nonsense"], "--nonsense"),
        (&["apps", "--base-url", "http://127.0.0.1:1"], "--public-token"),
        (&["apps", "--app-identifier", "com.example.app"], "--public-token"),
        (&["apps", "--connection", "x", "--public-token", PUBLIC], "--connection"),
        (&["apps", "--public-token", "secret-test-abc"], "project secret"),
        (&["apps", "--public-token", "nonsense"], "public-token-test-"),
        (&["apps", "--public-token", PUBLIC, "--base-url", "http://example.com"], "https"),
        (&["apps", "--public-token", PUBLIC, "--base-url", "https://login.example.com"], "not a host of Stytch's"),
        (&["apps", "--connection", "nowhere"], "nowhere"),
        (&["apps"], "no connection yet"),
        (&["sign-in", "--session-token-stdin", "--public-token", PUBLIC], "--session-token-stdin"),
        (&["apps", "--offline", "--session-token-stdin"], "--offline"),
        (&["sign-in", "--no-input", "--public-token", PUBLIC, "--email", "nora@acme.test"], "--no-input"),
        (&["sign-in", "--public-token", PUBLIC, "--email", "nora"], "e-mail address"),
        (&["diff", "--list", "1"], "--list"),
        (&["diff", "one"], "one"),
    ] {
        ground.here(arguments).expect(5).says(&[word]);
    }
    run(&[]).expect(5).says(&["Usage"]);
    assert_eq!(ground.calls(), Vec::<String>::new());
}

#[test]
fn help_and_version_end_with_0_and_every_command_has_help() {
    let help = run(&["--help"]).expect(0);
    for word in
        ["sign-in", "sign-out", "inventory", "apps", "members", "diff", "connections", "Exit codes", "--state-dir"]
    {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    // With the commit, where the tests are run in a repository.
    let version = run(&["--version"]).expect(0).out;
    let head = std::process::Command::new("git").args(["rev-parse", "--show-prefix", "HEAD"]).output().ok();
    let head = head.filter(|told| told.status.success()).and_then(|told| String::from_utf8(told.stdout).ok());
    let head = head.as_deref().and_then(|told| told.strip_prefix("crates/cutoff-cli/\n")).unwrap_or("").trim();
    assert!(version.starts_with("cutoff ") && version.contains(head), "{version}");
    for command in ["sign-in", "sign-out", "inventory", "apps", "members", "diff", "connections"] {
        let help = run(&[command, "--help"]).expect(0);
        for flag in ["--connection", "--base-url", "--public-token", "--state-dir", "--session-token-stdin", "--json"] {
            assert!(help.out.contains(flag), "{command}: {flag}: {}", help.out);
        }
        assert_eq!(help.err, "");
    }
}

#[test]
fn what_every_command_takes_may_stand_before_or_after_its_name() {
    let ground = ground();
    let place = ground.place();
    let token = ground.token("admin");
    let mut outputs = Vec::new();
    for (before, after) in [(0, place.len()), (place.len(), 0), (2, place.len() - 2)] {
        let mut command = cutoff();
        command.args(&place[..before]).arg("--json").arg("apps").args(&place[before..before + after]);
        command.arg("--session-token-stdin");
        outputs.push(end(start(command, &token)).expect(0).out);
    }
    assert!(!outputs[0].is_empty());
    assert!(outputs.iter().all(|output| *output == outputs[0]), "{outputs:#?}");
    let saved = ground.here(&["connections", "--json"]).expect(0).lines();
    assert_eq!(saved.len(), 1, "one place, one connection");
    let (id, name) = (saved[0]["connection_id"].as_str().expect("an id"), saved[0]["name"].as_str().expect("a name"));
    for named in [id, name] {
        let mut command = cutoff();
        command.args(["members", "--json", "--connection", named, "--session-token-stdin", "--state-dir"]);
        command.arg(ground.state_dir());
        assert_eq!(end(start(command, &token)).expect(0).lines().len(), 40);
    }
}

#[test]
fn each_kind_of_failure_has_its_own_code_and_a_next_step() {
    let ground = ground();
    // Denied: the project does not let apps such as this one ask.
    ground.faults(json!({"sdk_endpoint_off": true, "on": "connected_apps"}));
    let denied = ground.admin(&["inventory", "--json"]).expect(3).says(&["switch", "SDK configuration", "request id"]);
    assert_eq!(denied.out, "");
    ground.faults(ground::no_faults());
    // Session: dead when it is handed over, and dead in the middle.
    let mut command = ground.command(&["inventory", "--json"]);
    command.env("CUTOFF_LOG", "trace");
    let dead = end(start(command, "no-such-session-token-at-all-0000000000000\n"))
        .expect(4)
        .says(&["hand that over with --session-token-stdin"]);
    assert!(!dead.err.contains("cutoff sign-in"), "it was handed over: {}", dead.err);
    assert!(dead.out.is_empty() && !dead.err.contains("no-such-session-token"), "{}", dead.err);
    ground.faults(json!({"session_dies_after": 6}));
    let dies = ground.admin(&["inventory", "--json"]).expect(4).says(&["session has ended", "request id"]);
    assert_eq!(dies.out, "", "nothing is printed of a reading that was not kept");
    ground.faults(ground::no_faults());
    for stdin in ["", "\n", "two words\n", &"x".repeat(5_000)] {
        end(start(ground.command(&["apps"]), stdin)).expect(5).says(&["not a session token"]);
    }
    // Unreachable: nobody listens, somebody else answers, Stytch fails.
    let mut command = cutoff();
    command.args(["inventory", "--base-url", "http://127.0.0.1:9", "--public-token", PUBLIC, "--session-token-stdin"]);
    command.arg("--state-dir").arg(ground.state_dir());
    end(start(command, &ground.token("reader"))).expect(6).says(&["cannot be reached", "network"]);
    for (fault, word) in [
        (json!({"body": "html"}), "could not be read"),
        (json!({"server_error_share": 1.0}), "fault of its own"),
        (json!({"reset_before_commit_share": 1.0, "on": "connected_apps"}), "cannot be reached"),
    ] {
        ground.faults(fault);
        let ended = ground.as_role("reader", &["inventory", "--json"]).expect(6).says(&[word]);
        assert_eq!(ended.out, "");
        ground.faults(ground::no_faults());
    }
    // And after all that it reads.
    ground.as_role("reader", &["inventory"]).expect(0);
}

#[test]
fn a_journal_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let ground = ground();
    std::fs::create_dir_all(ground.state_dir()).expect("a directory");
    std::fs::write(
        ground.state_dir().join("journal.sqlite3"),
        "this is a letter, and no journal of any program".repeat(90),
    )
    .expect("written");
    ground.admin(&["inventory"]).expect(5).says(&["journal", "--state-dir"]);
    assert_eq!(ground.calls(), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_no_code_is_sent_for_a_session_that_would_be_lost() {
    let ground = ground();
    let mut command = cutoff();
    command.arg("sign-in").args(ground.place()).args(["--email", &ground.email("admin")]);
    end(start(command, "123456\n")).expect(4).says(&["cannot be kept", "no keyring", "--session-token-stdin"]);
    assert!(ground.sandbox.inbox().is_empty() && ground.calls().is_empty());
    ground.here(&["apps"]).expect(4).says(&["keyring"]);
}

#[test]
fn the_session_token_is_in_no_output_no_file_no_argument_and_no_variable() {
    let ground = ground();
    let token = ground.token("admin");
    let public = ground.sandbox.card().public_token.clone();
    // As it stands in the header that carries it, in any of the three ways that base64 may fall.
    let sent = format!("{public}:{token}");
    let mut forms = vec![token.clone()];
    forms.extend(
        (0..3).map(|skip| base64(&sent.as_bytes()[sent.len() - 30 - (sent.len() - 30) % 3 + skip..sent.len() - 6])),
    );
    let clean = |what: &str, bytes: &[u8]| {
        for form in &forms {
            assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{what} holds the token");
        }
    };
    ground.faults(json!({"latency_ms": 40}));
    for arguments in [
        &["inventory"][..],
        &["inventory", "--json"],
        &["apps"],
        &["members", "--json"],
        &["diff"],
        &["apps", "--app", "nothing like it"],
    ] {
        let mut command = ground.command(arguments);
        command.env("CUTOFF_LOG", "trace").env("RUST_BACKTRACE", "1");
        let child = start(command, &format!("{token}\n"));
        #[cfg(target_os = "linux")]
        for name in ["cmdline", "environ"] {
            clean(name, &std::fs::read(format!("/proc/{}/{name}", child.id())).expect("it still runs"));
        }
        let ended = end(child);
        clean("stdout", ended.out.as_bytes());
        clean("stderr", ended.err.as_bytes());
    }
    ground.faults(json!({"session_dies_after": 3}));
    clean("a refusal", ground.admin(&["inventory"]).expect(4).err.as_bytes());
    let kept = files(&ground.state_dir());
    assert!(!kept.is_empty());
    for (path, bytes) in kept {
        clean(&path.display().to_string(), &bytes);
    }
    // Somebody puts it where it does not belong.
    for arguments in [vec!["inventory", &token], vec!["--session-token-stdin", &token]] {
        let ended = run(&arguments).expect(5);
        clean("stdout", ended.out.as_bytes());
        clean("stderr", ended.err.as_bytes());
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift & 63) as usize]))
        })
        .collect()
}

/// A line as a shell takes it, with the binary first on its path.
fn shell(ground: &Ground, line: &str) -> Ended {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_cutoff")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(binary.to_owned()).chain(std::env::split_paths(&path)));
    let mut command = Command::new("sh");
    for (name, value) in cutoff().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .args(["-c", line])
        .env("PATH", path.expect("a path"))
        .env("HOME", ground.dir.path())
        .current_dir(ground.dir.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end(start(command, &ground.token("admin")))
}

#[test]
fn a_next_command_that_is_told_can_be_typed_as_it_stands() {
    let ground = ground();
    let card = ground.sandbox.card();
    let dir = ground.dir.path().join("it's here; or $HOME").display().to_string();
    let place = ["--base-url", &card.url, "--public-token", &card.public_token, "--state-dir", &dir];
    let run = |arguments: &[&str]| {
        let mut command = cutoff();
        command.args(arguments).args(place).arg("--session-token-stdin").current_dir(ground.dir.path());
        end(start(command, &ground.token("admin")))
    };
    let undecided = run(&["contain", "--app", "DataSync"]).expect(5);
    let ids = undecided.err.lines().filter_map(|line| line.split_once(' ')).map(|(id, _)| id);
    let keep: Vec<&str> = ids.filter(|id| id.starts_with("connected-app-")).flat_map(|id| ["--keep", id]).collect();
    let plan = ["contain", "--app", "DataSync", "--out", "a plan's.json"];
    let made = run(&plan.into_iter().chain(keep).collect::<Vec<_>>()).expect(0);
    shell(&ground, &told(&made, "Look at it with: ")).expect(5).says(&["add --yes"]);
    let done = shell(&ground, &told(&made, "Carry it out with: ")).expect(0);
    assert!(ground.ledger()["revocations"].as_array().is_some_and(|rows| !rows.is_empty()), "it was carried out");
    shell(&ground, &told(&done, "a second read confirms it, which cutoff watch makes while it runs, or: ")).expect(0);
    shell(&ground, &told(&done, "Lift it with: ")).expect(0).says(&["The block is lifted"]);
}

/// What is told behind some words, up to the end of the line.
#[track_caller]
fn told(ended: &Ended, before: &str) -> String {
    let rest = ended.err.lines().find_map(|line| line.split_once(before)).map(|(_, rest)| rest.to_owned());
    rest.unwrap_or_else(|| panic!("{before:?} is not told:\n{}", ended.err))
}

#[test]
fn decisions_that_are_asked_for_stand_marked_in_a_whole_command_that_is_refused_until_they_are_made() {
    let ground = ground();
    let reason = "it's for T 1";
    let undecided = ground.admin(&["contain", "--app", "DataSync", "--reason", reason]).expect(5);
    let line = told(&undecided, "as it stands it is refused: ");
    shell(&ground, &line).expect(5).says(&["--DECIDE"]);
    assert_eq!(ground.ledger()["revocations"], json!([]), "nothing was sent");
    // Everything that this run was asked for is in it, and in the one that says yes.
    let decided = line.replace("--DECIDE", "--keep").replace("--unlisted DECIDE", "--unlisted keep");
    let would = shell(&ground, &decided).expect(5);
    let yes = told(&would, "add --yes: ");
    assert!(yes.ends_with(" --yes") && yes.contains("T 1"), "{yes}");
    shell(&ground, &yes).expect(0);
    let logged = ground.here(&["log", "--json"]).expect(0).lines().remove(0);
    assert_eq!(logged["reason"], reason);
    // A block is lifted in two such steps, too.
    let sweep = logged["sweep_id"].as_str().expect("an id").to_owned();
    let would = ground.admin(&["lift", &sweep]).expect(5);
    shell(&ground, &told(&would, "add --yes: ")).expect(0).says(&["The block is lifted"]);
}

#[test]
fn a_new_plan_is_told_only_where_it_would_plan_something_and_never_over_a_file_that_is_there() {
    let ground = ground();
    let file = ground.dir.path().join("again.json").display().to_string();
    ground.admin(&["plan", "--app", "DataSync", "--out", &file]).expect(0);
    ground.admin(&["apply", &file, "--yes"]).expect(0);
    let sweep = ground.here(&["log", "--json"]).expect(0).lines()[0]["sweep_id"].as_str().expect("an id").to_owned();
    let over = ground.admin(&["apply", &file]).expect(5).says(&["carried out already", &sweep]);
    assert!(!over.err.contains("--failed-of"), "nothing is left to plan: {}", over.err);
    let plan: Value = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    let grant = &plan["grants"][0];
    ground.control(
        "consent",
        json!({"member_id": grant["member_id"], "connected_app_id": grant["connected_app_id"], "scopes": ["openid"]}),
    );
    ground.admin(&["inventory"]).expect(0);
    let mut again = cutoff();
    again.args(["apply", &file]).args(ground.place()).arg("--session-token-stdin").current_dir(ground.dir.path());
    let over = end(start(again, &ground.token("admin"))).expect(5);
    let line = told(&over, "Make a new plan of what is left of it with: ");
    assert!(line.contains(&sweep) && line.contains("--out again-2.json"), "{line}");
    shell(&ground, &line).expect(0);
    let made = std::fs::read(ground.dir.path().join("again-2.json")).expect("the new plan");
    let made: Value = serde_json::from_slice(&made).expect("JSON");
    assert_eq!(made["grants"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_only_this_command_takes_stands_first_in_its_help() {
    let help = run(&["apply", "--help"]).expect(0).out;
    let at = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words}: {help}"));
    let heading = at("What every command takes:");
    for own in ["--expect-hash", "--resume", "--canary", "--evidence", "--yes", "--help"] {
        assert!(at(own) < heading, "{own}: {help}");
    }
    for common in ["--connection", "--base-url", "--public-token", "--state-dir", "--session-token-stdin", "--json"] {
        assert!(at(&format!("      {common}")) > heading, "{common}: {help}");
    }
}

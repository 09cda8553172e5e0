//! Who may ask, and what every command answers when it can and when it cannot.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use contract::commands::COMMANDS;
use promises::ipc::{App, Ground, STRANGE_TEST_TOKEN};
use serde_json::{Value, json};

/// Arguments of the right shape for a command, naming nothing that exists.
fn shaped(command: &str) -> Value {
    match command {
        "connection_add" => json!({"draft": {"public_token": STRANGE_TEST_TOKEN, "host_confirmed": false}}),
        "connection_remove" => json!({"connection_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11"}),
        "sign_in_send_code" => {
            json!({"connection_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", "email": "nora@acme.test"})
        }
        "sign_in_check_code" => json!({"code": "123456"}),
        "sign_in_choose_organization" => json!({"organization_id": "organization-test-x"}),
        "session_extend" => json!({"minutes": 60}),
        "sign_out" => json!({"even_if_unreachable": false}),
        "member_connected_apps" => json!({"member_id": "member-test-x"}),
        "revoke_plan" | "revoke_connected_app" => {
            json!({"member_id": "member-test-x", "connected_app_id": "connected-app-test-x"})
        }
        "revoke_settle" => json!({"sweep_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", "send_again": false}),
        "inventory_apps" | "inventory_members" | "inventory_grants" => json!({"query": {"count": 10}}),
        "inventory_selection" => json!({"selection": {"noun": "apps", "all": true, "ids": []}}),
        "inventory_find" => json!({"text": "a", "count": 5}),
        "inventory_map" => json!({"query": {"cells_down": 10, "cells_across": 10}}),
        "inventory_copy" | "inventory_export" => {
            json!({"what": {"noun": "apps", "query": {"count": 0}, "format": "csv"}})
        }
        "snapshot_changes" => json!({"from": 1, "to": 2, "query": {"count": 10}, "kinds": []}),
        "snapshot_changes_export" => {
            json!({"from": 1, "to": 2, "query": {"count": 0}, "kinds": [], "format": "csv"})
        }
        "plan_make" => {
            json!({"what": {"kind": "app", "connected_app_id": "connected-app-test-x"}, "first_party": false})
        }
        "plan_grants" => json!({"hash": "x", "part": "planned", "offset": 0, "count": 10}),
        "plan_shares" => json!({"hash": "x", "noun": "apps", "offset": 0, "count": 10}),
        "plan_save" => json!({"hash": "x"}),
        "sweep_start" => json!({"hash": "x", "typed": "", "canary": false, "ask_anyway": false}),
        "sweep_resume" | "sweep_retry" | "sweep_watch" | "evidence_export" | "lift_look" => {
            json!({"sweep_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11"})
        }
        "sweep_pairs" => {
            let sweep = "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11";
            json!({"sweep_id": sweep, "part": "collateral", "offset": 0, "count": 10})
        }
        "lift" => json!({"sweep_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", "over_changes": false}),
        "contain_look" => {
            json!({"what": {"kind": "apps", "connected_app_ids": ["connected-app-test-x"]}, "first_party": false})
        }
        "contain_rows" => json!({"look": "x", "query": {"offset": 0, "count": 10}}),
        "contain_make" => json!({"look": "x", "decisions": [], "reason": null}),
        "evidence_check" => json!({"head": null}),
        "erase_person" => json!({"member_id": "member-test-x"}),
        "come_back_list" => json!({"offset": 0, "count": 10}),
        "come_back_dismiss" => json!({"id": "x"}),
        "indicators_rows" => json!({"finding": "x", "part": "all", "offset": 0, "count": 10}),
        "indicators_export" => json!({"finding": "x", "reason": null}),
        "window_notify" => json!({"title": "", "body": "x"}),
        "sweep_wish" => json!({"sweep_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", "wish": "pause"}),
        "sweep_grants" => {
            json!({"sweep_id": "7f1c5c1e-7d0e-4a34-8a3b-1f1d2f6a7b11", "query": {"offset": 0, "count": 10}})
        }
        "window_notices" => json!({"notices": "__CHANNEL__:1", "tray": {"title": "", "show": "", "stop": ""}}),
        "width_rules_set" => json!({"rules": null}),
        _ => json!({}),
    }
}

#[test]
fn only_the_one_window_may_ask_anything() {
    let app = App::open();
    let other = app.other_window();
    for command in COMMANDS {
        let refused = app.ask_from(&other, promises::ipc::HOME, command.name, shaped(command.name));
        let Err(Value::String(why)) = refused else { panic!("{} answered another window: {refused:?}", command.name) };
        assert!(why.contains("not allowed"), "{}: {why}", command.name);
    }
}

#[test]
fn a_page_from_elsewhere_may_ask_nothing() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let calls = ground.calls();
    let main = app.main_window();
    for origin in ["https://evil.example", "http://localhost:3000", "tauri://evil", "data:text/html,x"] {
        for command in COMMANDS {
            let refused = app.ask_from(&main, origin, command.name, shaped(command.name));
            let Err(Value::String(why)) = refused else {
                panic!("{} answered a page from {origin}: {refused:?}", command.name)
            };
            assert!(why.contains("not allowed"), "{} from {origin}: {why}", command.name);
        }
    }
    assert_eq!(ground.calls(), calls, "a refused page makes nothing be sent");
}

#[test]
fn arguments_of_the_wrong_shape_are_refused_before_anything_happens() {
    let (ground, app) = (Ground::default(), App::open());
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let calls = ground.calls();
    for (command, args) in [
        ("revoke_connected_app", json!({})),
        ("revoke_connected_app", json!({"member_id": 7, "connected_app_id": "x"})),
        ("revoke_connected_app", json!({"memberId": "x", "connectedAppId": "x"})),
        ("revoke_settle", json!({"sweep_id": "x"})),
        ("session_extend", json!({"minutes": -1})),
        ("session_extend", json!({"minutes": "60"})),
        ("connection_add", json!({"draft": {"base_url": "https://test.stytch.com"}})),
        ("inventory_members", json!({"query": {"offset": -1, "count": 1}})),
        ("no_such_command", json!({})),
    ] {
        let refused = app.ask(command, args.clone());
        assert!(matches!(refused, Err(Value::String(_))), "{command} {args}: {refused:?}");
    }
    assert_eq!(ground.calls(), calls);
}

#[test]
fn every_command_does_its_work_in_one_sitting() {
    let chosen = Arc::new(Mutex::new(None));
    let (ground, choice) = (Ground::default(), chosen.clone());
    let app = App::open_with(|options| {
        options.choose_file = Some(Arc::new(move || choice.lock().expect("a choice").clone()));
    });
    let mut done = BTreeSet::new();
    let mut get = |command: &str, args: Value| -> Value {
        done.insert(command.to_owned());
        app.get(command, args)
    };

    assert_eq!(get("session_status", json!({}))["state"], "signed_out");
    assert_eq!(get("session_restore", json!({}))["state"], "signed_out", "nothing was kept, so nothing comes back");
    assert_eq!(get("connection_list", json!({})), json!([]));
    assert_eq!(get("keyring_try_again", json!({})), "memory_no_keyring");

    // The sandbox inside the app, up to a code.
    let offer = get("sandbox_start", json!({}));
    assert_eq!(offer["connection"]["environment"], "sandbox");
    assert_eq!(get("sandbox_start", json!({}))["connection"]["id"], offer["connection"]["id"], "started once");
    let email = offer["people"][0]["email"].clone();
    get("sign_in_send_code", json!({"connection_id": offer["connection"]["id"], "email": email}));
    let letters = get("sandbox_inbox", json!({}));
    assert_eq!(letters[0]["to"], email);
    assert_eq!(letters[0]["code"].as_str().map(str::len), Some(6));
    assert_eq!(get("sign_in_cancel", json!({})), Value::Null);
    assert_eq!(app.refusal_kind("sign_in_check_code", json!({"code": letters[0]["code"]})), "out_of_order");

    // A sandbox beside the app, as any server is.
    let draft =
        json!({"public_token": ground.card().public_token, "base_url": ground.card().url, "host_confirmed": false});
    let connection = get("connection_add", json!({ "draft": draft }));
    assert_eq!(connection["environment"], "test");
    let admin = ground.person("admin");
    get("sign_in_send_code", json!({"connection_id": connection["id"], "email": admin.email}));
    let step = get("sign_in_check_code", json!({"code": ground.newest_code(&admin.email)}));
    assert_eq!(step["step"], "choose_organization");
    let step = get("sign_in_choose_organization", json!({"organization_id": ground.card().organization_id}));
    assert_eq!((&step["step"], &step["roles"]), (&json!("signed_in"), &json!(["stytch_member", "stytch_admin"])));

    let session = get("session_extend", json!({"minutes": 600}));
    assert!(session["expires_at"].as_str() > step["expires_at"].as_str(), "ten hours are more than one");
    assert_eq!(get("policy_read_again", json!({}))["may"]["revoke_member_app"]["allowed"], true);

    let ledger = ground.ledger();
    let granted: BTreeSet<&str> = ledger.grants.iter().map(|grant| grant.connected_app_id.as_str()).collect();
    let pair = ground.pair();
    let grants = get("member_connected_apps", json!({"member_id": pair.member_id}));
    let of_member = ledger.grants.iter().filter(|grant| grant.member_id == pair.member_id).count();
    assert_eq!(grants["grants"].as_array().map(Vec::len), Some(of_member));

    let inventory = get("inventory_read", json!({}));
    assert_eq!(inventory["picture"]["grants"], json!(ledger.grants.len()));
    assert_eq!(inventory["picture"]["names"], "read");
    assert_eq!(get("inventory_status", json!({}))["picture"]["snapshot"], 1);
    let apps = get("inventory_apps", json!({"query": {"count": 500}}));
    let rows = apps["rows"].as_array().expect("rows");
    let listed: BTreeSet<&str> = rows.iter().filter_map(|row| row["app"]["connected_app_id"].as_str()).collect();
    assert_eq!(listed, granted, "exactly the apps that somebody lets act");
    assert_eq!(apps["total"], json!(granted.len()));
    assert_eq!(get("inventory_members", shaped("inventory_members"))["total"], 16);
    assert_eq!(get("inventory_grants", shaped("inventory_grants"))["total"], json!(ledger.grants.len()));
    let only = json!({"query": {"filter": {"apps": [pair.connected_app_id]}, "count": 500}});
    let page = get("inventory_grants", only);
    let of_app = ledger.grants.iter().filter(|grant| grant.connected_app_id == pair.connected_app_id).count();
    assert_eq!(page["matching"], json!(of_app));
    let rows = page["rows"].as_array().expect("rows");
    assert!(rows.len() == of_app && rows.iter().all(|row| row["member"]["name"].is_string()), "by name: {page}");
    assert!(!get("inventory_facets", json!({}))["scopes"].as_array().expect("facets").is_empty());
    assert_eq!(get("inventory_selection", shaped("inventory_selection"))["rows"], json!(granted.len()));
    let name = apps["rows"][0]["app"]["name"].clone();
    assert!(!get("inventory_find", json!({"text": name, "count": 5})).as_array().expect("hits").is_empty());
    let map = get("inventory_map", shaped("inventory_map"));
    let drawn: u64 = map["cells"].as_array().expect("cells").iter().filter_map(|cell| cell["grants"].as_u64()).sum();
    assert_eq!(drawn, ledger.grants.len() as u64, "every grant lies in one cell");
    assert_eq!(get("inventory_copy", shaped("inventory_copy"))["rows"], json!(granted.len()));
    assert_eq!(get("inventory_export", shaped("inventory_export"))["rows"], json!(granted.len()));
    assert_eq!(get("inventory_cancel", json!({})), Value::Null);
    get("inventory_read", json!({}));
    assert_eq!(get("snapshot_list", json!({})).as_array().map(Vec::len), Some(2));
    assert_eq!(get("snapshot_changes", shaped("snapshot_changes"))["total"], 0);
    assert_eq!(get("snapshot_changes_export", shaped("snapshot_changes_export"))["rows"], 0);
    assert_eq!(get("inventory_looked", json!({}))["picture"]["since"]["snapshot"], 2);
    let rules = get("width_rules", json!({}));
    assert_eq!(get("width_rules_set", json!({ "rules": rules }))["rules"], rules["rules"]);

    let plan = get("revoke_plan", pair.args());
    assert_eq!((&plan["organization_name"], &plan["denied"]), (&json!("Acme Robotics"), &Value::Null));
    let mut act = pair.args();
    act["plan_hash"] = plan["plan_hash"].clone();
    let report = get("revoke_connected_app", act);
    assert_eq!(report["outcome"], "revoked");
    assert!(!ground.ledger().grants_to(&pair));
    let settled = get("revoke_settle", json!({"sweep_id": report["sweep_id"], "send_again": false}));
    assert_eq!(settled["outcome"], "revoked");
    assert_eq!(get("revoke_list", json!({}))[0]["sweep_id"], report["sweep_id"]);

    // A plan of many, its file, its sweep, and what is left of it.
    let other = ground.pair_where(|grant, _, _| grant.member_id != pair.member_id);
    let what =
        json!({"what": {"kind": "member", "member_id": other.member_id}, "first_party": true, "reason": "SEC-7"});
    let plan = get("plan_make", what);
    let hash = plan["hash"].clone();
    let grants =
        get("plan_grants", json!({"hash": hash, "part": "planned", "offset": 0, "count": 100}))["total"].clone();
    assert_eq!(grants, plan["grants"]);
    assert_eq!(get("plan_shares", json!({"hash": hash, "noun": "members", "offset": 0, "count": 9}))["total"], 1);
    let saved = get("plan_save", json!({ "hash": hash }));
    *chosen.lock().expect("a choice") = saved["path"].as_str().map(Into::into);
    assert_eq!(get("plan_open", json!({}))["hash"], hash, "the file is the plan");
    let begun = json!({"hash": hash, "typed": plan["to_type"], "canary": false, "ask_anyway": false});
    let sweep = get("sweep_start", begun)["sweep_id"].clone();
    let swept = get("sweep_watch", json!({ "sweep_id": sweep }));
    assert_eq!((&swept["outcomes"][0]["grants"], &swept["stand"]["state"]), (&grants, &json!("done")), "{swept}");
    assert_eq!(get("sweep_list", json!({}))[0]["sweep_id"], sweep);
    let all = json!({"sweep_id": sweep, "query": {"offset": 0, "count": 100}});
    assert_eq!(get("sweep_grants", all)["total"], grants);
    assert_eq!(get("sweep_wish", json!({"sweep_id": sweep, "wish": "pause"})), Value::Null);

    // Its evidence, what an advisory names, and a person erased.
    let collateral = get("sweep_pairs", json!({"sweep_id": sweep, "part": "collateral", "offset": 0, "count": 10}));
    assert_eq!(collateral["total"], 0);
    let pack = get("evidence_export", json!({ "sweep_id": sweep }));
    *chosen.lock().expect("a choice") = pack["path"].as_str().map(Into::into);
    let checked = get("evidence_check", json!({"head": pack["head"]}));
    assert_eq!(checked["verdict"]["verdict"], "good", "{checked}");
    assert_eq!(get("journal_status", json!({}))["rolled_back"], Value::Null);
    assert!(get("erase_person", json!({"member_id": other.member_id}))["texts"].as_u64() > Some(0));
    let advisory = app.state_dir().join("advisory.txt");
    std::fs::write(&advisory, "connected-app-test-nobody\n").expect("a file");
    *chosen.lock().expect("a choice") = Some(advisory);
    let finding = get("indicators_check", json!({}))["finding"].clone();
    let none = get("indicators_rows", json!({"finding": finding, "part": "not_found", "offset": 0, "count": 10}));
    assert_eq!(none["total"], 1);
    assert!(get("indicators_export", json!({"finding": finding, "reason": null}))["path"].is_string());
    assert_eq!(get("come_back_list", json!({"offset": 0, "count": 10}))["total"], 0);

    // What only another state lets succeed is kept in `sweeps.rs`, `contain.rs` and `come_backs.rs`.
    assert!(get("window_notify", json!({"title": "Came back", "body": "One grant"})).is_boolean());
    assert_eq!(get("window_notices", shaped("window_notices")), Value::Null);

    assert_eq!(get("sign_out", json!({"even_if_unreachable": false})), Value::Null);
    assert_eq!(get("session_status", json!({}))["state"], "signed_out");
    assert_eq!(get("connection_remove", json!({"connection_id": connection["id"]})), Value::Null);

    assert_eq!(get("window_close", json!({})), Value::Null);

    let elsewhere = [
        "sweep_resume",
        "sweep_retry",
        "contain_look",
        "contain_rows",
        "contain_make",
        "lift_look",
        "lift",
        "come_back_dismiss",
    ];
    let every: BTreeSet<String> = COMMANDS
        .iter()
        .map(|command| command.name.to_owned())
        .filter(|name| !elsewhere.contains(&name.as_str()))
        .collect();
    assert_eq!(done, every, "a command without a success here was forgotten");
}

/// What neither reads nor writes anything that is kept: words of the window, and what a look or a finding held in memory answers.
const WITHOUT_A_JOURNAL: [&str; 9] = [
    "sandbox_inbox",
    "window_notices",
    "window_close",
    "window_notify",
    "contain_rows",
    "contain_make",
    "evidence_check",
    "indicators_rows",
    "indicators_export",
];

#[test]
fn with_a_journal_that_cannot_be_opened_every_command_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a-file-in-the-way");
    std::fs::write(&file, "not a directory").expect("a file");
    let app = App::open_with(|options| options.state_dir = file.join("state"));
    for command in COMMANDS.iter().filter(|command| !WITHOUT_A_JOURNAL.contains(&command.name)) {
        assert_eq!(app.refusal_kind(command.name, shaped(command.name)), "journal", "{}", command.name);
    }
    let letters: Vec<Value> = app.get("sandbox_inbox", json!({}));
    assert!(letters.is_empty(), "no sandbox runs, so no letters");
}

#[test]
fn what_needs_a_session_says_that_nobody_is_signed_in_and_sends_nothing() {
    let (ground, app) = (Ground::default(), App::open());
    app.connect(&ground);
    for command in [
        "session_extend",
        "policy_read_again",
        "sign_out",
        "member_connected_apps",
        "revoke_plan",
        "revoke_connected_app",
        "revoke_settle",
        "inventory_read",
    ] {
        assert_eq!(app.refusal_kind(command, shaped(command)), "signed_out", "{command}");
    }
    for command in ["sign_in_check_code", "sign_in_choose_organization"] {
        assert_eq!(app.refusal_kind(command, shaped(command)), "out_of_order", "{command}");
    }
    assert_eq!(ground.calls(), 0);
    assert_eq!(app.get::<Vec<Value>>("revoke_list", json!({})).len(), 0, "and nothing was recorded");
}

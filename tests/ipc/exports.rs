//! What is asked of the inventory and what is taken out of it: windows, selections, the palette, the map, copies and files,
//! rules of width; and every way of asking that cannot be answered.

use std::collections::BTreeSet;

use contract::inventory::{
    AppRows, Copied, Exported, Facets, GrantRows, MapPicture, MemberRows, PaletteHit, SelectionCount, WidthRules,
};
use contract::refusal::{Fault, Field, Refusal};
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

use super::inventory::{app_rows, grant_rows, member_rows, picture, read, scene, truth};

/// The cells of a CSV by RFC 4180.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let (mut quoted, mut letters) = (false, csv.chars().peekable());
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().expect("a row");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                row.last_mut().expect("a cell").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                rows.push(vec![String::new()]);
            }
            _ => row.last_mut().expect("a cell").push(letter),
        }
    }
    assert!(!quoted && rows.pop() == Some(vec![String::new()]), "every line of the file is ended");
    rows
}

fn what(noun: &str, format: &str) -> Value {
    json!({"what": {"noun": noun, "query": {"count": 0}, "format": format}})
}

#[test]
fn a_file_has_every_row_that_the_filter_shows_and_no_other() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    for filter in [json!({}), json!({"levels": [3]}), json!({"text": "a"}), json!({"statuses": ["active"]})] {
        let rows = grant_rows(&app, filter.clone());
        let expected: BTreeSet<(String, String)> =
            rows.iter().map(|row| (row.app.connected_app_id.clone(), row.member.member_id.clone())).collect();
        for format in ["csv", "json"] {
            let mut args = what("grants", format);
            args["what"]["query"]["filter"] = filter.clone();
            let exported: Exported = app.get("inventory_export", args.clone());
            assert_eq!((exported.rows as usize, exported.complete), (rows.len(), true));
            let text = std::fs::read_to_string(&exported.path).expect("the file");
            assert_eq!(exported.bytes as usize, text.len());
            let copied: Copied = app.get("inventory_copy", args);
            assert_eq!((&copied.text, copied.rows, copied.left_out), (&text, exported.rows, 0));
            let found: BTreeSet<(String, String)> = if format == "csv" {
                let rows = cells(&text);
                let width = rows[0].len();
                assert!(rows.iter().all(|row| row.len() == width), "every line has the columns of the first");
                rows[1..].iter().map(|row| (row[0].clone(), row[3].clone())).collect()
            } else {
                let file: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!((&file["complete"], &file["missing"]), (&json!(true), &json!([])));
                let id = |row: &Value, key: &str| row[key].as_str().expect("an id").to_owned();
                let rows = file["rows"].as_array().expect("rows");
                rows.iter().map(|row| (id(row, "connected_app_id"), id(row, "member_id"))).collect()
            };
            assert_eq!(found, expected, "{format} {filter}");
        }
    }
    assert_eq!(grant_rows(&app, json!({})).len(), truth(&ground).len());
}

#[test]
fn no_cell_of_a_csv_is_a_formula() {
    let (_ground, app) = scene(24, 16, "admin");
    read(&app);
    for noun in ["apps", "members", "grants"] {
        let copied: Copied = app.get("inventory_copy", what(noun, "csv"));
        let rows = cells(&copied.text);
        assert_eq!(rows.len(), copied.rows as usize + 1, "{noun}");
        for cell in rows.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{noun}: {cell:?}");
        }
    }
}

#[test]
fn a_file_is_new_private_and_where_it_was_said_to_be() {
    let (_ground, app) = scene(8, 4, "admin");
    read(&app);
    let paths: Vec<String> = (0..3)
        .map(|_| app.get::<Exported>("inventory_export", what("apps", "csv")).path)
        .inspect(|path| assert!(std::path::Path::new(path).starts_with(app.state_dir()), "{path}"))
        .collect();
    assert_eq!(paths.iter().collect::<BTreeSet<_>>().len(), 3, "none is written over");
    #[cfg(unix)]
    for path in &paths {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} is nobody else's to read");
    }
    std::fs::remove_dir_all(app.state_dir().join("downloads")).expect("taken away");
    let refusal = app.refusal("inventory_export", what("apps", "csv"));
    assert!(matches!(&refusal, Refusal::Export { fault, folder: Some(_) } if fault == "no_folder"), "{refusal:?}");
}

#[test]
fn a_selection_is_a_rule_that_counts_the_same_wherever_it_is_used() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    let all = truth(&ground);
    let count =
        |selection: Value| -> SelectionCount { app.get("inventory_selection", json!({"selection": selection})) };
    let everything = count(json!({"noun": "grants", "all": true, "ids": []}));
    assert_eq!((everything.rows as usize, everything.grants as usize, everything.lost), (all.len(), all.len(), 0));
    let (member, id) = all.keys().next().expect("a grant");
    let one = format!("{member}\n{id}");
    let rest = json!({"noun": "grants", "all": true, "ids": [one]});
    assert_eq!(count(rest.clone()).grants as usize, all.len() - 1);
    let only = json!({"noun": "grants", "all": false, "ids": [one]});
    assert_eq!(count(only), SelectionCount { rows: 1, apps: 1, members: 1, grants: 1, lost: 0 });
    let of_app = count(json!({"noun": "apps", "all": false, "ids": [id]}));
    assert_eq!(of_app.grants as usize, all.keys().filter(|(_, app)| app == id).count());
    let of_member = count(json!({"noun": "members", "all": false, "ids": [member]}));
    assert_eq!(of_member.grants as usize, all.keys().filter(|(other, _)| other == member).count());
    for noun in ["apps", "members"] {
        let lost = count(json!({"noun": noun, "all": false, "ids": ["nobody", "group:none", "", "."]}));
        assert_eq!((lost.rows, lost.grants, lost.lost), (0, 0, 4), "{noun}: what is not there is counted as lost");
    }
    let mut args = what("grants", "json");
    args["what"]["selection"] = rest;
    assert_eq!(app.get::<Copied>("inventory_copy", args).rows as usize, all.len() - 1);
    // The rule holds after another reading; what is gone from it is told.
    ground.revoke_from_elsewhere(&promises::ipc::Pair { member_id: member.clone(), connected_app_id: id.clone() });
    read(&app);
    let lost = count(only_of(&one));
    assert_eq!((lost.grants, lost.lost), (0, 1));
}

fn only_of(id: &str) -> Value {
    json!({"noun": "grants", "all": false, "ids": [id]})
}

#[test]
fn windows_facets_and_the_map_count_what_the_ledger_has() {
    let (ground, app) = scene(24, 10, "admin");
    read(&app);
    let all = truth(&ground);
    let apps: AppRows = app.get("inventory_apps", json!({"query": {"count": 3, "offset": 2}}));
    assert_eq!(
        (apps.rows.len(), apps.total as usize, apps.grants as usize),
        (3, picture(&app).apps as usize, all.len())
    );
    let members: MemberRows =
        app.get("inventory_members", json!({"query": {"count": 5, "sort": "grants", "descending": true}}));
    assert_eq!((members.rows.len(), members.total), (5, 24));
    assert!(members.rows.windows(2).all(|two| two[0].grants >= two[1].grants));
    let facets: Facets = app.get("inventory_facets", json!({}));
    let of_types: u32 = facets.client_types.iter().map(|facet| facet.grants).sum();
    assert_eq!(of_types as usize, all.len());
    for facet in &facets.scopes {
        let with = all.values().filter(|scopes| scopes.contains(&facet.value)).count();
        assert_eq!(facet.grants as usize, with, "{}", facet.value);
    }
    for (down, across) in [(1, 1), (3, 4), (100, 100)] {
        let map: MapPicture = app.get("inventory_map", json!({"query": {"cells_down": down, "cells_across": across}}));
        assert!(map.down.len() <= down && map.across.len() <= across);
        assert_eq!(map.cells.iter().map(|cell| cell.grants as usize).sum::<usize>(), all.len());
        assert!(map.cells.iter().all(|cell| cell.grants <= cell.room));
    }
    let row = &app_rows(&app)[0];
    let hits: Vec<PaletteHit> = app.get("inventory_find", json!({"text": row.app.name, "count": 50}));
    assert!(hits.iter().any(|hit| matches!(hit, PaletteHit::App { app, grants }
        if app.connected_app_id == row.app.connected_app_id && *grants == row.grants)));
    // What is nobody's name and can only be a client id can be blocked all the same.
    let hits = |text: &str| app.get::<Vec<PaletteHit>>("inventory_find", json!({"text": text, "count": 5}));
    for (typed, id) in [(" Connected-App-Live-1 ", "connected-app-live-1"), ("Abcdefgh-12345678", "Abcdefgh-12345678")]
    {
        let hits = hits(typed);
        assert!(
            matches!(&hits[..], [PaletteHit::ClientId { connected_app_id }] if connected_app_id == id),
            "{typed}: {hits:?}"
        );
    }
    for text in ["zzzz qqqq", "zzzzqqqqzzzzqqqqzzzz"] {
        assert!(hits(text).is_empty(), "{text}: {:?}", hits(text));
    }
}

#[test]
fn questions_that_cannot_be_answered_are_refused_by_name_and_the_others_have_limits() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    read(&app);
    let calls = ground.calls();
    let bad = |command: &str, args: Value, field: Field, fault: Fault| {
        let shown: String = args.to_string().chars().take(120).collect();
        let refusal = app.refusal(command, args);
        assert!(
            matches!(&refusal, Refusal::BadInput { field: f, fault: w } if (*f, *w) == (field, fault)),
            "{command} {shown}: {refusal:?}"
        );
    };
    let long = "x".repeat(5_000);
    let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    for (filter, fault) in [
        (json!({"text": long}), Fault::TooLong),
        (json!({"apps": many}), Fault::TooLong),
        (json!({"members": many}), Fault::TooLong),
        (json!({"scopes": many}), Fault::TooLong),
        (json!({"roles": many}), Fault::TooLong),
        (json!({"levels": [9]}), Fault::Unknown),
        (json!({"levels": [0, 1, 2, 3, 4]}), Fault::Unknown),
    ] {
        let query = json!({"filter": filter, "count": 5});
        for command in ["inventory_apps", "inventory_members", "inventory_grants"] {
            bad(command, json!({ "query": query }), Field::Query, fault);
        }
        bad(
            "inventory_map",
            json!({"query": {"filter": filter, "cells_down": 5, "cells_across": 5}}),
            Field::Query,
            fault,
        );
        let mut args = what("apps", "csv");
        args["what"]["query"] = query.clone();
        bad("inventory_copy", args.clone(), Field::Query, fault);
        bad("inventory_export", args, Field::Query, fault);
        bad(
            "inventory_selection",
            json!({"selection": {"noun": "apps", "all": true, "filter": filter, "ids": []}}),
            Field::Query,
            fault,
        );
        let differ = json!({"from": 1, "to": 2, "query": query, "kinds": [], "format": "csv"});
        bad("snapshot_changes", differ.clone(), Field::Query, fault);
        bad("snapshot_changes_export", differ, Field::Query, fault);
    }
    bad("inventory_find", json!({"text": long, "count": 5}), Field::Query, Fault::TooLong);
    for id in ["no line feed", "", "group:1"] {
        let selection = json!({"noun": "grants", "all": false, "ids": [id]});
        bad("inventory_selection", json!({ "selection": selection }), Field::Query, Fault::Malformed);
        let mut args = what("grants", "json");
        args["what"]["selection"] = selection;
        bad("inventory_copy", args.clone(), Field::Query, Fault::Malformed);
        bad("inventory_export", args, Field::Query, Fault::Malformed);
    }
    for (from, to) in [(2, 1), (1, 1), (0, 1), (1, 3), (0, 0), (u32::MAX, u32::MAX), (1, u32::MAX)] {
        let differ = json!({"from": from, "to": to, "query": {"count": 5}, "kinds": [], "format": "json"});
        bad("snapshot_changes", differ.clone(), Field::Snapshot, Fault::Unknown);
        bad("snapshot_changes_export", differ, Field::Snapshot, Fault::Unknown);
    }
    // Shapes that are no questions are turned away before anything looks at them.
    for (command, args) in [
        ("inventory_apps", json!({})),
        ("inventory_apps", json!({"query": {"count": -1}})),
        ("inventory_apps", json!({"query": {"count": 5, "sort": "colour"}})),
        ("inventory_grants", json!({"query": {"count": 5, "filter": {"changes": ["stolen"]}}})),
        ("inventory_grants", json!({"query": {"count": 5, "filter": {"levels": [256]}}})),
        ("inventory_members", json!({"query": 7})),
        ("inventory_find", json!({"text": ["a"], "count": 5})),
        ("inventory_map", json!({"query": {}})),
        ("inventory_selection", json!({"selection": {"noun": "people", "all": false, "ids": []}})),
        ("inventory_export", json!({"what": {"noun": "apps", "query": {"count": 0}, "format": "exe"}})),
        ("snapshot_changes", json!({"from": "1", "to": 2, "query": {"count": 5}, "kinds": []})),
        ("width_rules_set", json!({"rules": {"rules": "all"}})),
    ] {
        assert!(matches!(app.ask(command, args.clone()), Err(Value::String(_))), "{command} {args}");
    }
    // What is out of range is answered with as much as there is.
    let far = json!({"count": u32::MAX, "offset": u32::MAX});
    assert!(app.get::<AppRows>("inventory_apps", json!({"query": far})).rows.is_empty());
    assert!(app.get::<MemberRows>("inventory_members", json!({"query": far})).rows.is_empty());
    assert!(app.get::<GrantRows>("inventory_grants", json!({"query": far})).rows.is_empty());
    let args = json!({"from": 1, "to": 2, "query": far, "kinds": ["new", "gone"]});
    assert_eq!(app.get::<Value>("snapshot_changes", args)["rows"], json!([]));
    let wide: GrantRows = app.get("inventory_grants", json!({"query": {"count": u32::MAX}}));
    assert_eq!(wide.rows.len(), truth(&ground).len());
    let strange = json!({"apps": ["nobody", ""], "members": ["\n"], "scopes": [long], "group": "none", "first_seen_after": u32::MAX});
    let none: GrantRows = app.get("inventory_grants", json!({"query": {"filter": strange, "count": 5}}));
    assert_eq!((none.rows.len(), none.matching), (0, 0));
    let most = u32::MAX;
    for query in [
        json!({"cells_down": 0, "cells_across": 0}),
        json!({"cells_down": most, "cells_across": most, "rows": most, "columns": most}),
        json!({"cells_down": 9, "cells_across": 9, "row": most, "column": most, "rows": most, "columns": most}),
        json!({"cells_down": 9, "cells_across": 9, "row": 2, "column": 3, "rows": most, "columns": most}),
        json!({"cells_down": 1, "cells_across": 1, "row": 1, "rows": 1, "column": 1, "columns": 1, "filter": strange}),
    ] {
        let map: MapPicture = app.get("inventory_map", json!({ "query": query }));
        assert!(map.down.len() <= 2_000 && map.across.len() <= 2_000, "{query}");
        assert!(map.row + map.rows <= map.total_rows.max(map.row), "{query}: {} {}", map.row, map.rows);
    }
    assert!(app.get::<Vec<PaletteHit>>("inventory_find", json!({"text": "a", "count": u32::MAX})).len() <= 100);
    assert!(app.get::<Vec<PaletteHit>>("inventory_find", json!({"text": "a", "count": 0})).is_empty());
    assert_eq!(ground.calls(), calls, "no question of all these asked the server anything");
}

#[test]
fn before_anything_was_read_every_question_says_so() {
    let (_ground, app) = scene(8, 4, "admin");
    for (command, args) in [
        ("inventory_apps", json!({"query": {"count": 5}})),
        ("inventory_members", json!({"query": {"count": 5}})),
        ("inventory_grants", json!({"query": {"count": 5}})),
        ("inventory_facets", json!({})),
        ("inventory_selection", json!({"selection": {"noun": "apps", "all": true, "ids": []}})),
        ("inventory_find", json!({"text": "a", "count": 5})),
        ("inventory_map", json!({"query": {"cells_down": 5, "cells_across": 5}})),
        ("inventory_copy", what("apps", "csv")),
        ("inventory_export", what("apps", "csv")),
        ("inventory_looked", json!({})),
    ] {
        assert_eq!(app.refusal_kind(command, args), "nothing_read", "{command}");
    }
    app.get::<Value>("inventory_cancel", json!({}));
    let app = App::open();
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");
    assert_eq!(app.refusal_kind("inventory_apps", json!({"query": {"count": 5}})), "nothing_read");
}

#[test]
fn rules_of_width_can_be_changed_refused_and_brought_back_and_outlast_the_app() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    let standard: WidthRules = app.get("width_rules", json!({}));
    assert!(standard.standard && !standard.rules.is_empty());
    let levels = |app: &App| -> Vec<(String, u8)> {
        app_rows(app).into_iter().map(|row| (row.app.connected_app_id, row.width.level)).collect()
    };
    let before = levels(&app);
    assert!(before.iter().map(|(_, level)| level).collect::<BTreeSet<_>>().len() > 1, "{before:?}");
    let calls = ground.calls();
    let narrow = json!({"rules": [{"label": "All of it", "patterns": ["*"], "level": 1}]});
    let set: WidthRules = app.get("width_rules_set", json!({ "rules": narrow }));
    assert!(!set.standard && set.rules.len() == 1);
    let check = |app: &App| {
        for row in app_rows(app) {
            assert_eq!((row.width.level, row.width.rule.as_str()), (1, "All of it"), "{}", row.app.name);
        }
        assert!(member_rows(app).iter().all(|row| row.width.level <= 1));
        assert!(grant_rows(app, json!({"levels": [2, 3]})).is_empty());
        assert_eq!(grant_rows(app, json!({"levels": [1]})).len(), truth(&ground).len());
    };
    check(&app);
    let rule = |label: &str, patterns: Value, level: u8| json!({"rules": [{"label": label, "patterns": patterns, "level": level}]});
    for (rules, fault) in [
        (rule("", json!(["*"]), 1), Fault::Empty),
        (rule("x", json!([]), 1), Fault::Empty),
        (rule("x", json!([""]), 1), Fault::Empty),
        (rule(&"x".repeat(25), json!(["*"]), 1), Fault::TooLong),
        (rule("x", json!(["x".repeat(5_000)]), 1), Fault::TooLong),
        (rule("x", json!(["a\\"]), 1), Fault::Malformed),
        (rule("x\u{202E}y", json!(["*"]), 1), Fault::Malformed),
        (rule("x", json!(["*"]), 0), Fault::Unknown),
        (rule("x", json!(["*"]), 4), Fault::Unknown),
    ] {
        let refusal = app.refusal("width_rules_set", json!({ "rules": rules }));
        assert!(
            matches!(&refusal, Refusal::BadInput { field: Field::WidthRules, fault: f } if *f == fault),
            "{rules}: {refusal:?}"
        );
        check(&app);
    }
    let app = app.reopen();
    check(&app);
    let back: WidthRules = app.get("width_rules_set", json!({"rules": null}));
    assert_eq!(back, standard);
    assert_eq!(levels(&app), before);
    assert!(app.reopen().get::<WidthRules>("width_rules", json!({})).standard);
    assert_eq!(ground.calls(), calls, "rating asks nobody");
}

#[test]
fn a_copy_takes_five_thousand_rows_and_says_how_many_it_left_out() {
    let ground = Ground::with(sandbox::Options { members: 2_000, apps: 30, ..sandbox::Options::default() });
    let app = App::open();
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let all = read(&app).grants;
    assert!(all > 5_000, "{all}");
    let copied: Copied = app.get("inventory_copy", what("grants", "csv"));
    assert_eq!((copied.rows, copied.left_out), (5_000, all - 5_000));
    assert_eq!(cells(&copied.text).len(), 5_001);
    let exported: Exported = app.get("inventory_export", what("grants", "csv"));
    assert_eq!(exported.rows, all, "a file takes all of them");
    let window: GrantRows = app.get("inventory_grants", json!({"query": {"count": u32::MAX}}));
    assert_eq!((window.rows.len(), window.matching), (1_000, all), "a page is never handed the set");
}

//! The inventory without an answer from anybody: at the next start, without a network, after signing out, and for another
//! member or organization at the same place.

use contract::inventory::{
    AppRows, ChangeRows, Copied, Exported, InventoryStatus, MapPicture, PaletteHit, PictureSource, SnapshotRow,
};
use contract::revoke::Outcome;
use contract::session::SessionStatus;
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

use super::inventory::{grant_rows, member_rows, picture, read, scene, shows, status, truth};

#[test]
fn the_next_start_shows_the_last_inventory_before_anybody_is_asked() {
    let (ground, app) = scene(12, 6, "admin");
    let whole = read(&app);
    let app = app.reopen();
    let calls = ground.calls();
    let kept = picture(&app);
    assert_eq!((kept.source, kept.read_only), (PictureSource::Kept, true), "nobody is signed in yet");
    assert_eq!((kept.snapshot, &kept.read_at, kept.grants), (whole.snapshot, &whole.read_at, whole.grants));
    assert_eq!(kept.read_by.as_deref(), Some(ground.person("admin").email.as_str()));
    shows(&app, &truth(&ground), "kept");
    assert!(member_rows(&app).iter().all(|row| row.face.name.is_some()), "with names: this member read them");
    assert_eq!(ground.calls(), calls, "nobody was asked");
    assert!(matches!(app.get("session_restore", json!({})), SessionStatus::SignedIn(_)));
    let restored = picture(&app);
    assert_eq!((restored.source, restored.read_only), (PictureSource::Kept, false));
    ground.switch().consent(&ground.pair());
    let facts = read(&app);
    assert_eq!((facts.source, facts.snapshot), (PictureSource::Read, Some(2)));
    assert_eq!(facts.changes.narrowed + facts.changes.altered, 1, "compared with what was kept: {:?}", facts.changes);
}

#[test]
fn a_grant_revoked_after_the_last_reading_is_not_shown_at_the_next_start() {
    let (ground, app) = scene(12, 6, "admin");
    let whole = read(&app);
    assert_eq!(app.revoke(&ground.pair()).outcome, Outcome::Revoked);
    let app = app.reopen();
    let kept = picture(&app);
    assert_eq!((kept.source, kept.snapshot), (PictureSource::Kept, whole.snapshot));
    shows(&app, &truth(&ground), "kept, without what was revoked since");
}

#[test]
fn a_partial_inventory_is_as_partial_at_the_next_start() {
    let (ground, app) = scene(12, 6, "admin");
    ground.fault(json!({"sdk_endpoint_off": true, "on": "/members/search"}));
    let partial = read(&app);
    let app = app.reopen();
    let kept = picture(&app);
    assert!(!kept.complete);
    assert_eq!(kept.missing.len(), 1);
    let facts = |missing: &contract::inventory::Missing| {
        (missing.what.clone(), missing.cause.clone(), missing.problem.status, missing.problem.request_id.clone())
    };
    assert_eq!(facts(&kept.missing[0]), facts(&partial.missing[0]));
    let copied: Copied =
        app.get("inventory_copy", json!({"what": {"noun": "apps", "query": {"count": 0}, "format": "csv"}}));
    assert!(copied.text.contains("INCOMPLETE,"));
}

#[test]
fn without_a_network_it_can_be_looked_at_in_every_way_and_not_read() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    let (all, name) = (truth(&ground), member_rows(&app)[0].face.name.clone().expect("a name"));
    ground.revoke_from_elsewhere(&ground.pair());
    read(&app);
    ground.stop();
    let app = app.reopen();
    let now = picture(&app);
    assert_eq!((now.source, now.read_only, now.changes.gone), (PictureSource::Kept, true, 1));
    assert!(matches!(app.get("session_restore", json!({})), SessionStatus::SignedOut { .. }));
    assert_eq!(grant_rows(&app, json!({})).len(), all.len() - 1);
    let narrow: AppRows = app.get("inventory_apps", json!({"query": {"filter": {"levels": [3]}, "count": 10}}));
    assert!(narrow.matching < narrow.total && narrow.matching > 0);
    let hits: Vec<PaletteHit> = app.get("inventory_find", json!({"text": name, "count": 5}));
    assert!(
        hits.iter().any(|hit| matches!(hit, PaletteHit::Member { member, .. } if member.name.as_ref() == Some(&name)))
    );
    let map: MapPicture = app.get("inventory_map", json!({"query": {"cells_down": 40, "cells_across": 40}}));
    assert_eq!(map.cells.iter().map(|cell| cell.grants as usize).sum::<usize>(), all.len() - 1);
    let exported: Exported =
        app.get("inventory_export", json!({"what": {"noun": "grants", "query": {"count": 0}, "format": "json"}}));
    assert_eq!((exported.rows as usize, exported.complete), (all.len() - 1, true));
    let told: ChangeRows =
        app.get("snapshot_changes", json!({"from": 1, "to": 2, "query": {"count": 10}, "kinds": ["gone"]}));
    assert_eq!((told.rows.len(), told.counts.gone), (1, 1));
    assert!(told.rows[0].member.name.is_some());
    app.get::<Value>("inventory_looked", json!({}));
    assert_eq!(picture(&app).changes.gone, 0);
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "signed_out");
    assert_eq!(picture(&app).snapshot, Some(2), "and it is still there");
}

#[test]
fn a_network_that_goes_while_signed_in_leaves_the_picture_and_is_told() {
    let (ground, app) = scene(8, 4, "admin");
    let whole = read(&app);
    ground.stop();
    assert_eq!(app.refusal_kind("inventory_read", json!({})), "offline");
    let now = picture(&app);
    assert_eq!((now.snapshot, now.grants, now.complete), (whole.snapshot, whole.grants, true));
}

#[test]
fn after_signing_out_nothing_is_shown_to_whoever_comes_next() {
    let (ground, app) = scene(8, 4, "admin");
    read(&app);
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    let nothing = |app: &App| {
        let now = status(app);
        assert!(now.picture.is_none() && now.snapshots == 0, "{now:?}");
        for (command, args) in [
            ("inventory_apps", json!({"query": {"count": 5}})),
            ("inventory_grants", json!({"query": {"count": 5}})),
            ("inventory_find", json!({"text": "a", "count": 5})),
            ("inventory_map", json!({"query": {"cells_down": 5, "cells_across": 5}})),
            ("inventory_export", json!({"what": {"noun": "apps", "query": {"count": 0}, "format": "csv"}})),
            ("snapshot_changes", json!({"from": 1, "to": 2, "query": {"count": 5}, "kinds": []})),
        ] {
            assert_eq!(app.refusal_kind(command, args), "nothing_read", "{command}");
        }
        assert_eq!(app.get::<Vec<SnapshotRow>>("snapshot_list", json!({})).len(), 0);
    };
    nothing(&app);
    let app = app.reopen();
    nothing(&app);
    // Whoever read it finds it again.
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let kept = picture(&app);
    assert_eq!((kept.source, kept.snapshot, kept.read_only), (PictureSource::Kept, Some(1), false));
}

/// Checks that the plain member who is signed in now is told nobody's name or address but their own and the reader's.
#[track_caller]
fn sees_no_names(app: &App, ground: &Ground, names: &[(String, String)]) {
    let said = app.said().len();
    assert!(status(app).picture.is_none_or(|facts| facts.names == contract::inventory::NamesReading::Denied));
    let own = read(app);
    assert_eq!(own.names, contract::inventory::NamesReading::Denied);
    shows(app, &truth(ground), "every grant, by id");
    let (_, _) = (member_rows(app), picture(app));
    let marks: Vec<SnapshotRow> = app.get("snapshot_list", json!({}));
    let (first, last) = (marks[0].snapshot, marks.last().expect("several").snapshot);
    let between: ChangeRows =
        app.get("snapshot_changes", json!({"from": first, "to": last, "query": {"count": 100}, "kinds": []}));
    assert!(between.counts.gone > 0, "somebody's grant is gone, and its row has no name");
    let earlier: ChangeRows =
        app.get("snapshot_changes", json!({"from": first, "to": first + 1, "query": {"count": 100}, "kinds": []}));
    assert!(earlier.counts.gone > 0);
    app.get::<Value>("inventory_looked", json!({}));
    assert!(!app.get::<Vec<SnapshotRow>>("snapshot_list", json!({})).is_empty());
    for noun in ["apps", "members", "grants"] {
        app.get::<Value>("inventory_copy", json!({"what": {"noun": noun, "query": {"count": 0}, "format": "csv"}}));
    }
    for (name, email) in names {
        let hits: Vec<PaletteHit> = app.get("inventory_find", json!({"text": email, "count": 5}));
        assert!(hits.is_empty(), "{email} can be found");
        for (command, text) in &app.said()[said..] {
            assert!(!text.contains(email.as_str()), "{command} tells {email}");
            assert!(name.is_empty() || !text.contains(&json!(name).to_string()), "{command} tells {name}");
        }
    }
}

#[test]
fn a_plain_member_at_the_same_place_is_told_no_names_that_an_admin_read() {
    for how in ["signed out", "still signed in", "session over"] {
        let (ground, app) = scene(12, 6, "admin");
        read(&app);
        ground.revoke_from_elsewhere(&ground.pair());
        read(&app);
        let tellable = [ground.person("member").member_id.clone()];
        let names: Vec<(String, String)> = member_rows(&app)
            .into_iter()
            .filter(|row| !tellable.contains(&row.face.member_id))
            .map(|row| (row.face.name.unwrap_or_default(), row.face.email.expect("an address")))
            .collect();
        assert!(names.len() >= 8, "{how}");
        match how {
            "signed out" => drop(app.get::<Value>("sign_out", json!({"even_if_unreachable": false}))),
            "session over" => {
                ground.fault(json!({"session_dies_after": 0}));
                app.refusal("inventory_read", json!({}));
                ground.fault(json!({"session_dies_after": null}));
            }
            _ => {}
        }
        let connection = app.connect(&ground);
        app.sign_in(&ground, &connection, "member");
        sees_no_names(&app, &ground, &names);
        let app = app.reopen();
        assert!(member_rows(&app).iter().all(|row| row.face.name.is_none()), "{how}: nor at the next start");
    }
}

#[test]
fn another_organization_is_shown_nothing_of_the_first() {
    let (ground, app) = scene(12, 6, "admin");
    read(&app);
    read(&app);
    let trials = app.connect_at(&ground, &ground.card().url, Some("acme-field-trials"));
    let email = ground.person("admin").email.clone();
    app.get::<Value>("sign_in_send_code", json!({"connection_id": trials.id, "email": email}));
    app.get::<Value>("sign_in_check_code", json!({"code": ground.newest_code(&email)}));
    let now: InventoryStatus = app.get("inventory_status", json!({}));
    assert!(now.picture.is_none() && now.snapshots == 0, "{now:?}");
    assert_eq!(app.get::<Vec<SnapshotRow>>("snapshot_list", json!({})).len(), 0);
    let between = |from: u32, to: u32| json!({"from": from, "to": to, "query": {"count": 5}, "kinds": []});
    assert_eq!(app.refusal_kind("snapshot_changes", between(1, 2)), "bad_input");
    let here = read(&app);
    assert_ne!(here.organization_id, ground.card().organization_id);
    assert!(here.since.is_none(), "its first reading is compared with nothing");
    assert_eq!((here.snapshot, status(&app).snapshots), (Some(3), 1));
    assert_eq!(app.refusal_kind("snapshot_changes", between(2, 3)), "bad_input");
    assert!(
        grant_rows(&app, json!({}))
            .iter()
            .all(|row| !truth(&ground).contains_key(&(row.member.member_id.clone(), row.app.connected_app_id.clone())))
    );
    let first = app.connect(&ground);
    app.sign_in(&ground, &first, "admin");
    assert_eq!(status(&app).snapshots, 2);
    assert_eq!(picture(&app).organization_id, ground.card().organization_id);
    shows(&app, &truth(&ground), "the first one's");
}

#[test]
fn a_connection_that_is_removed_takes_its_inventories_with_it() {
    for how in ["signed out", "session over"] {
        let (ground, app) = scene(12, 6, "admin");
        read(&app);
        read(&app);
        let own = ground.person("admin").email.clone();
        let emails: Vec<String> =
            member_rows(&app).into_iter().filter_map(|row| row.face.email).filter(|email| *email != own).collect();
        assert!(emails.len() >= 8);
        let held = |app: &App, email: &str| {
            let files = app.files();
            files.into_iter().find(|(_, bytes)| bytes.windows(email.len()).any(|part| part == email.as_bytes()))
        };
        assert!(held(&app, &emails[0]).is_some(), "the names are kept while the connection is");
        if how == "signed out" {
            app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
        } else {
            ground.fault(json!({"session_dies_after": 0}));
            app.refusal("inventory_read", json!({}));
            ground.fault(json!({"session_dies_after": null}));
            assert!(status(&app).picture.is_some(), "a session that ended leaves the picture to look at");
        }
        let connection = app.connect(&ground);
        app.get::<Value>("connection_remove", json!({"connection_id": connection.id}));
        assert!(status(&app).picture.is_none(), "{how}");
        for email in &emails {
            assert!(
                held(&app, email).is_none(),
                "{how}: {email} lies in {:?}",
                held(&app, email).map(|(name, _)| name)
            );
        }
        let connection = app.connect(&ground);
        app.sign_in(&ground, &connection, "admin");
        let now = status(&app);
        assert!(now.picture.is_none() && now.snapshots == 0, "{how}: {now:?}");
    }
}

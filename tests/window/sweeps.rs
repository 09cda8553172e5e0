//! An app cut off for everyone in the real window, by keyboard alone; and a sweep that a power cut left in the middle.

use std::time::Duration;

use promises::stage::{App, Key, Played, Scene, Setting, hook};
use promises::stories;
use serde_json::json;

fn setting() -> Setting {
    Setting { sandbox: sandbox::Options { members: 60, ..sandbox::Options::default() }, ..Setting::default() }
}

/// Waits until the ledger has at least so many revokes.
async fn sent(scene: &Scene, at_least: usize) -> Played<usize> {
    for _ in 0..2400 {
        let sent = scene.ledger().await?.revocations.len();
        if sent >= at_least {
            return Ok(sent);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no {at_least} revokes came to the ledger")
}

/// Opens the plan for everyone of the first app by keys, types what it asks for, and sends it. Answers how many grants it has.
async fn begin(scene: &Scene, app: &App) -> Played<usize> {
    stories::sign_in(scene, app, "admin").await?;
    app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;
    // Into the list, the first row open, and from its detail back to the one button above its rows.
    app.focused("filter").await?;
    app.press(Key::Down).await?;
    app.press(Key::Enter).await?;
    app.see(&hook("revoke-all")).await?;
    app.holds("the keyboard is in the detail", "return document.activeElement.closest('.detail') !== null;", vec![])
        .await?;
    for _ in 0..12 {
        if app.focus().await? == "revoke-all" {
            break;
        }
        app.chord(Key::Shift, Key::Tab).await?;
    }
    app.focused("revoke-all").await?;
    app.press(Key::Enter).await?;
    app.see(&format!("dialog[data-stage=\"plan\"] {}", hook("plan-typed"))).await?;
    app.focused("plan-typed").await?;
    let to_type = app.text("[data-fact=\"to_type\"]").await?;
    let grants: usize = to_type.split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    assert!(to_type.ends_with(" Acme Robotics"), "{to_type}");
    let confirm = format!("dialog {}", hook("confirm"));
    assert_eq!(app.text(&confirm).await?, format!("Revoke {grants} grants in Acme Robotics"));
    app.keys("1 Acme Robotics").await?;
    app.press(Key::Enter).await?;
    app.see(&hook("wrong-typed")).await?;
    assert!(scene.ledger().await?.revocations.is_empty(), "nothing is sent for another number");
    app.chord(Key::Control, 'a').await?;
    app.keys(&to_type).await?;
    app.press(Key::Enter).await?;
    app.see(&hook("sweep")).await?;
    Ok(grants)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_cut_off_for_everyone_by_keyboard_watched_paused_and_gone_on_with() -> Played {
    let scene = Scene::set(setting()).await?;
    let app = scene.open().await?;
    // Slow enough that there is a middle, however slowly keys are pressed.
    scene.faults(json!({"latency_ms": 1500, "on": "/revoke"})).await?;
    let grants = begin(&scene, &app).await?;
    sent(&scene, 4).await?;
    // The keyboard stands on the title; the first act after it is Pause.
    for _ in 0..8 {
        if app.focus().await? == "sweep-pause" {
            break;
        }
        app.press(Key::Tab).await?;
    }
    app.focused("sweep-pause").await?;
    app.press(Key::Enter).await?;
    app.see(&format!("{}[data-state=\"paused\"]", hook("sweep"))).await?;
    let paused = scene.ledger().await?.revocations.len();
    assert!(paused < grants, "it was paused in the middle: {paused} of {grants}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(scene.ledger().await?.revocations.len(), paused, "a paused sweep sends nothing");
    app.focused("sweep-resume").await?;
    scene.faults(json!({"latency_ms": null, "on": "/revoke"})).await?;
    app.press(Key::Enter).await?;
    app.see(&format!("{}[data-state=\"done\"]", hook("sweep"))).await?;
    app.reads(&hook("sweep-now"), &format!("{grants} gone at")).await?;
    let ledger = scene.ledger().await?;
    assert_eq!(ledger.revocations.len(), grants, "each grant was sent once");
    scene.close(app).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_a_power_cut_left_is_the_first_thing_the_next_start_shows_and_goes_on_from_there() -> Played {
    let scene = Scene::set(setting()).await?;
    let app = scene.open().await?;
    // Slow enough that a busy machine has time to kill it in the middle.
    scene.faults(json!({"latency_ms": 1000, "on": "/revoke"})).await?;
    let grants = begin(&scene, &app).await?;
    sent(&scene, 5).await?;
    app.kill().await?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let left = scene.ledger().await?.revocations.len();
    assert!(left < grants, "it was killed in the middle: {left} of {grants}");
    scene.faults(json!({"latency_ms": null, "on": "/revoke"})).await?;
    let app = scene.open().await?;
    app.see(&hook("banner-sweep-open")).await?;
    app.click(&hook("sweep-open-resume")).await?;
    app.see(&format!("{}[data-state=\"done\"]", hook("sweep"))).await?;
    app.reads(&hook("sweep-now"), &grants.to_string()).await?;
    let ledger = scene.ledger().await?;
    let mut removed: Vec<_> = ledger.revocations.iter().filter(|one| one.effect == "removed").collect();
    removed.sort_by_key(|one| &one.member_id);
    removed.dedup_by_key(|one| &one.member_id);
    assert_eq!(removed.len(), grants, "every grant is gone");
    assert!(
        ledger.revocations.len() <= grants + 4,
        "no more is repeated than was under way: {}",
        ledger.revocations.len()
    );
    scene.close(app).await
}

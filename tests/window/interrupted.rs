//! A power cut between any two steps of a revoke: at the next start the window shows what is open, and settles it by reading.

use promises::stage::{App, Played, Scene, Setting, hook};
use promises::stories::{self, grant, one_line, row};
use serde_json::json;

/// Confirms the revoke of one grant and answers the pair, with the request on its way.
async fn confirm(scene: &Scene, app: &App) -> Played<(String, String)> {
    stories::sign_in(scene, app, "admin").await?;
    let member = scene.person("reader").clone();
    stories::find_member(app, &member.email, &member.member_id).await?;
    app.click(&row(&member.member_id)).await?;
    let id = stories::app_in_detail(app, stories::APP).await?;
    app.click(&grant(&id, "revoke")).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    Ok((member.member_id, id))
}

/// Waits until a revoke request is on the wire, and in the ledger if it should be.
async fn on_the_wire(scene: &Scene, handled: bool) -> Played {
    for _ in 0..2400 {
        let sent = stories::revokes_sent(scene);
        let known = !scene.ledger().await?.revocations.is_empty();
        if !sent.is_empty() && (known || !handled) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the revoke never came to the wire")
}

/// Opens the app again and waits until the one revoke in Activity has this outcome.
async fn settled(scene: &Scene, outcome: &str) -> Played {
    let app = scene.open().await?;
    app.see(&hook("shell")).await?;
    // It is shown before anybody looks for it: as open, or as settled since.
    app.see(&format!("{}, {}", hook("banner-unsettled"), hook("banner-settled"))).await?;
    app.click(&hook("nav-activity")).await?;
    let row = format!("{} {}", hook("screen-activity"), hook("row"));
    app.see(&row).await?;
    for _ in 0..2400 {
        if app.attribute(&row, "data-outcome").await?.as_deref() == Some(outcome) {
            return Ok(());
        }
        app.click(&format!("{} {}", hook("screen-activity"), hook("read-again"))).await?;
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it is not {outcome}, but: {}", one_line(&app.text(&row).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_answer_is_on_its_way_the_next_start_finds_the_grant_gone_and_sends_nothing_again() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let pair = confirm(&scene, &app).await?;
    scene.wire.hold(Some("/revoke"));
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    on_the_wire(&scene, true).await?;
    assert_eq!(
        app.attribute("dialog", "data-stage").await?.as_deref(),
        Some("running"),
        "no answer came, and it is told"
    );
    app.kill().await?;
    scene.wire.hold(None);
    assert!(!scene.ledger().await?.grants.contains(&pair), "the server did carry it out");

    // Not "revoked": our request was never answered, so who removed the grant is unknown.
    settled(&scene, "already_gone").await?;
    assert_eq!(stories::revokes_sent(&scene).len(), 1, "it was sent again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_answer_and_before_the_reading_the_next_start_reads_and_calls_it_revoked() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    confirm(&scene, &app).await?;
    // Every read after the revoke takes longer than the app will live.
    scene.wire.hold(Some("GET "));
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    on_the_wire(&scene, true).await?;
    app.see("dialog [data-step=\"reading_again\"][data-at=\"now\"]").await?;
    app.kill().await?;
    scene.wire.hold(None);
    settled(&scene, "revoked").await?;
    assert_eq!(stories::revokes_sent(&scene).len(), 1, "it was sent again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_server_did_anything_the_next_start_shows_it_unsettled_and_can_send_it_again() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let pair = confirm(&scene, &app).await?;
    scene.faults(json!({"silence_s": 600, "on": "/revoke"})).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    on_the_wire(&scene, false).await?;
    app.kill().await?;
    scene.faults(json!({"silence_s": null, "on": "/revoke"})).await?;

    let app = scene.open().await?;
    app.see(&hook("shell")).await?;
    let banner = app.text(&hook("banner-unsettled")).await?;
    assert!(banner.contains("1 revoke"), "{banner}");
    assert!(scene.ledger().await?.grants.contains(&pair), "nobody revoked it");
    app.click(&hook("unsettled-show")).await?;
    let row = format!("{} {}", hook("screen-activity"), hook("row"));
    assert_eq!(app.attribute(&row, "data-outcome").await?.as_deref(), Some("unknown"));
    app.click(&row).await?;
    app.see("dialog[data-outcome=\"unknown\"]").await?;
    assert_eq!(stories::revokes_sent(&scene).len(), 1, "it was sent again without being asked");
    // What may send again asks first, and that sentence stands on its button.
    app.click(&format!("dialog {}", hook("send-again"))).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    let button = app.text(&format!("dialog {}", hook("confirm"))).await?;
    assert!(button.contains("If still listed") && button.contains(stories::ORGANIZATION), "{button}");
    assert_eq!(stories::revokes_sent(&scene).len(), 1, "it was sent again without being confirmed");
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-outcome=\"revoked\"]").await?;
    assert!(!scene.ledger().await?.grants.contains(&pair));
    assert_eq!(stories::revokes_sent(&scene).len(), 2);
    Ok(())
}

//! Story 16, as far as the window goes: each trouble has its own dialog, and after it the work goes on.

use promises::stage::{App, Played, Scene, Setting, hook};
use promises::stories::{self, grant, one_line, row};
use serde_json::json;

/// Signed in as the admin, with the reader's apps open; answers the client id of the app that the stories revoke.
async fn before_a_revoke(scene: &Scene) -> Played<(App, String)> {
    let app = scene.open().await?;
    stories::sign_in(scene, &app, "admin").await?;
    let member = scene.person("reader").clone();
    stories::find_member(&app, &member.email, &member.member_id).await?;
    app.click(&row(&member.member_id)).await?;
    let id = stories::app_in_detail(&app, stories::APP).await?;
    Ok((app, id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_does_not_admit_the_app_is_told_with_the_exact_identifier_to_add() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    scene.faults(json!({"bundle_id_refused": true})).await?;
    let app = scene.open().await?;
    app.fill(&hook("email"), &scene.person("admin").email).await?;
    app.click(&hook("send-code")).await?;
    app.see("dialog[data-refusal=\"bundle_id_not_registered\"]").await?;
    assert_eq!(app.fact("identifier").await?, "dev.cutoff.desktop");
    assert!(app.shows(&format!("dialog {}", hook("copy-owner"))).await?, "nothing to send to the project's owner");

    // Once the owner has added it, the same button goes on.
    scene.faults(json!({"bundle_id_refused": false})).await?;
    app.click(&format!("dialog {}", hook("retry"))).await?;
    app.see(&hook("code")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_cable_is_said_nothing_is_called_revoked_and_afterwards_the_work_goes_on() -> Played {
    let mut scene = Scene::set(Setting::default()).await?;
    let (app, id) = before_a_revoke(&scene).await?;
    app.click(&grant(&id, "revoke")).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    scene.wire.cut().await;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    let told = app.text("dialog").await?;
    let outcome = app.attribute("dialog", "data-outcome").await?;
    let refusal = app.attribute("dialog", "data-refusal").await?;
    assert!(
        matches!(outcome.as_deref(), Some("unknown" | "failed")) || refusal.as_deref() == Some("offline"),
        "{outcome:?} {refusal:?}: {}",
        one_line(&told)
    );
    app.click(&format!("dialog {}", hook("close"))).await?;
    app.gone("dialog").await?;
    // The member's apps are read again by themselves, in vain: they stay, and say how old they are.
    app.see(".detail [data-refusal=\"offline\"]").await?;
    app.click(&hook("nav-apps")).await?;
    app.click(&format!("{} {}", hook("screen-apps"), hook("read-again"))).await?;
    app.see(&format!("{} [data-refusal=\"offline\"]", hook("screen-apps"))).await?;
    assert!(scene.ledger().await?.revocations.is_empty(), "a revoke went through a wire that was cut");

    scene.wire.mend().await?;
    app.click(&format!("{} {}", hook("screen-apps"), hook("read-again"))).await?;
    app.gone(&format!("{} [data-refusal=\"offline\"]", hook("screen-apps"))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_asks_to_sign_in_again_and_goes_on_with_the_same_revoke() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let (app, id) = before_a_revoke(&scene).await?;
    let member = scene.person("reader").clone();
    scene.faults(json!({"session_dies_after": 0})).await?;
    app.click(&grant(&id, "revoke")).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-refusal=\"signed_out\"]").await?;
    let handled = scene.ledger().await?.revocations;
    assert!(handled.iter().all(|one| one.effect == "refused"), "a dead session revoked something: {handled:?}");
    let sent = stories::revokes_sent(&scene).len();
    scene.faults(json!({"session_dies_after": null})).await?;
    app.click(&format!("dialog {}", hook("sign-in-again"))).await?;
    let banner = app.text(&hook("banner-resume")).await?;
    assert!(banner.contains(stories::APP), "{banner}");
    stories::sign_in(&scene, &app, "admin").await?;
    // The confirmation is there again by itself; nothing is sent without it.
    app.see("dialog[data-stage=\"confirm\"]").await?;
    assert_eq!(app.fact("connected_app_id").await?, id);
    assert_eq!(stories::revokes_sent(&scene).len(), sent, "it was sent again without being confirmed");
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-outcome=\"revoked\"]").await?;
    assert!(!scene.ledger().await?.grants.contains(&(member.member_id, id)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_told_with_the_time_until_when_to_wait() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let (app, _) = before_a_revoke(&scene).await?;
    scene.faults(json!({"rate_limit_after": 0, "retry_after_s": 30, "rate_window_s": 3600})).await?;
    app.click(&hook("nav-apps")).await?;
    app.click(&format!("{} {}", hook("screen-apps"), hook("read-again"))).await?;
    app.see(&format!("{} [data-refusal=\"rate_limited\"]", hook("screen-apps"))).await?;
    app.click(&format!("{} {}", hook("screen-apps"), hook("stale-details"))).await?;
    app.see("dialog[data-refusal=\"rate_limited\"]").await?;
    let until = app.time("until").await?;
    let wait = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((1..=31).contains(&wait), "it says to wait {wait} s");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_an_answer_can_be_wrong_has_its_own_sentence_and_the_rows_stay() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let (app, _) = before_a_revoke(&scene).await?;
    app.click(&hook("nav-apps")).await?;
    let screen = hook("screen-apps");
    app.see(&format!("{screen} {}", hook("row"))).await?;
    let mut sentences = Vec::new();
    for (fault, refusal) in [
        (json!({"body": "html"}), "garbled"),
        (json!({"body": "truncated"}), "garbled"),
        (json!({"body": "wrong_envelope"}), "garbled"),
        (json!({"body": null, "redirect_to": "https://elsewhere.example/"}), "redirected"),
        (json!({"redirect_to": null, "server_error_share": 1.0}), "server_error"),
        (json!({"server_error_share": null, "reset_before_commit_share": 1.0}), "offline"),
    ] {
        scene.faults(fault.clone()).await?;
        app.click(&format!("{screen} {}", hook("read-again"))).await?;
        let strip = format!("{screen} [data-refusal=\"{refusal}\"]");
        let said = app.text(&strip).await.map_err(|mishap| mishap.during(&fault))?;
        // A row may just be drawn anew, with what the last good reading brought.
        app.see(&format!("{screen} {}", hook("row"))).await.map_err(|mishap| mishap.during("the rows stay"))?;
        assert!(app.shows(&strip).await?, "{fault} was told and then taken back");
        // Back to order in between, so that the next sentence is that of the next fault.
        let none =
            json!({"body": null, "redirect_to": null, "server_error_share": null, "reset_before_commit_share": null});
        scene.faults(none).await?;
        app.click(&format!("{screen} {}", hook("read-again"))).await?;
        app.gone(&strip).await?;
        // To its end: a reading that the next fault meets on its way would be another one's story.
        app.gone(&format!("{screen} {}", hook("progress"))).await?;
        sentences.push(said);
    }
    sentences.sort();
    sentences.dedup_by(|a, b| a.split('.').next() == b.split('.').next());
    assert!(sentences.len() >= 4, "they share their sentences: {sentences:#?}");
    Ok(())
}

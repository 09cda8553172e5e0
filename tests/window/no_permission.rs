//! Story 2: a refusal teaches. It is said before anything is sent, and told in full when Stytch says it.

use promises::stage::{Played, Scene, Setting, hook};
use promises::stories::{self, Record, grant, row};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_role_does_not_allow_is_said_before_anything_is_sent_and_a_403_is_told_with_its_facts() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    stories::no_permission(&scene, &app, &mut Record::strict()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_the_session_lost_on_the_way_is_told_as_a_denial_and_nothing_is_called_revoked() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    let member = scene.person("reader").clone();
    stories::find_member(&app, &member.email, &member.member_id).await?;
    app.click(&row(&member.member_id)).await?;
    let id = stories::app_in_detail(&app, stories::APP).await?;
    app.click(&grant(&id, "revoke")).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    scene.faults(json!({"role_lost_after": 0})).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    assert_eq!(
        app.attribute("dialog", "data-outcome").await?.as_deref(),
        Some("denied"),
        "{}",
        app.text("dialog").await?
    );
    assert_eq!(app.fact("missing").await?, "revoke.connected-app on stytch.member");
    let ledger = scene.ledger().await?;
    assert!(ledger.grants.contains(&(member.member_id, id)));
    assert!(ledger.revocations.iter().all(|one| one.effect == "refused"), "{:?}", ledger.revocations);
    Ok(())
}

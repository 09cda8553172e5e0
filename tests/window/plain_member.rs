//! Story 14: the plain member sees and revokes only their own apps, and is told why the rest is empty.

use promises::stage::{Played, Scene, Setting, hook};
use promises::stories::{self, grant, one_line};

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_member_revokes_an_app_of_their_own_and_is_told_why_others_are_not_listed() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let member = scene.person("member").clone();
    stories::sign_in(&scene, &app, "member").await?;

    app.click(&hook("nav-members")).await?;
    let refused = app.text(&format!("{} .pane {}", hook("screen-members"), hook("refused"))).await?;
    assert!(refused.contains("search") && refused.contains("stytch.member"), "{}", one_line(&refused));

    let id = stories::app_in_detail(&app, stories::APP).await?;
    app.click(&grant(&id, "revoke")).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    assert_eq!(
        app.attribute("dialog", "data-outcome").await?.as_deref(),
        Some("revoked"),
        "{}",
        app.text("dialog").await?
    );
    let sent = stories::revokes_sent(&scene);
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0].line().contains("/organizations/members/connected_apps/"),
        "oneself goes by the self endpoint: {}",
        sent[0].line()
    );
    assert_eq!(Some(app.fact("request_id").await?), sent[0].answered("request_id"));
    assert!(!scene.ledger().await?.grants.contains(&(member.member_id, id)));
    Ok(())
}

//! Trying the app without a vendor: the built-in sandbox, its people and its inbox.

use promises::stage::{Keyring, Played, Scene, Setting, hook};

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_sandbox_is_three_clicks_from_the_first_start_and_stores_no_session() -> Played {
    let scene = Scene::set(Setting { keyring: Keyring::Missing, ..Setting::default() }).await?;
    let app = scene.open_with(&[]).await?;
    app.click(&hook("try-sandbox")).await?;
    app.click(&format!("{}[data-role=\"admin\"]", hook("sandbox-person"))).await?;
    app.click(&hook("inbox-use")).await?;
    app.click(&format!("{}:first-child", hook("organization"))).await?;
    app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;
    assert_eq!(app.text(&hook("environment")).await?, "SANDBOX");
    // A sandbox ends with the app, so its session is in memory by intent: nothing to warn of.
    assert!(!app.shows(&hook("banner-keeping")).await?);
    assert!(scene.wire.exchanges().is_empty(), "another server was asked");

    scene.close(app).await?;
    let app = scene.open_with(&[]).await?;
    app.see(&hook("try-sandbox")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_stytchs_is_named_and_confirmed_before_anything_goes_there() -> Played {
    let scene = Scene::set(Setting { keyring: Keyring::Missing, ..Setting::default() }).await?;
    let app = scene.open_with(&[]).await?;
    app.fill(&hook("public-token"), "public-token-test-00000000-0000-4000-8000-000000000000").await?;
    app.click(&format!("{} summary", hook("advanced"))).await?;
    app.fill(&hook("base-url"), "https://login.example.com").await?;
    app.click(&hook("save-connection")).await?;
    assert_eq!(app.text(&hook("unknown-host-url")).await?, "https://login.example.com");
    app.click(&hook("unknown-host-change")).await?;
    app.gone(&hook("unknown-host")).await?;
    app.see(&hook("step-connection")).await?;
    Ok(())
}

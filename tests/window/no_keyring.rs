//! Story 13: without a keyring that can be used the session is kept in memory only. The window says so, and no file holds it.

use promises::stage::{Keyring, Played, Scene, Setting, hook};
use promises::stories;

/// Signs in and looks everywhere; `why` is in the banner.
async fn kept_in_memory(keyring: Keyring, why: &str) -> Played {
    let scene = Scene::set(Setting { keyring, log_level: "trace", ..Setting::default() }).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    let banner = app.text(&hook("banner-keeping")).await?;
    assert!(banner.contains("Kept in memory only") && banner.contains(why), "{banner}");
    let secrets = scene.wire.secrets();
    assert!(secrets.len() >= 3, "too few secrets went over the wire for a search to show anything");
    let (found, looked) = scene.hunt(Some(&app), &secrets).await?;
    assert!(looked.files > 5, "{looked:?}");
    assert!(found.is_empty(), "{found:?} of {looked:?}");

    // Trying again changes nothing by itself, and is not taken for a success.
    app.click(&hook("keyring-again")).await?;
    app.see(&format!("{}:not([disabled])", hook("keyring-again"))).await?;
    assert!(app.text(&hook("banner-keeping")).await?.contains(why));

    scene.close(app).await?;
    let (found, _) = scene.hunt(None, &secrets).await?;
    assert!(found.is_empty(), "after closing: {found:?}");
    // What was read is kept and can be looked at; nobody is signed in.
    let app = scene.open().await?;
    app.see(&format!("{}[data-why=\"signed_out\"]", hook("banner-read-only"))).await?;
    app.click(&format!("{} {}", hook("banner-read-only"), hook("sign-in-again"))).await?;
    app.see(&hook("email")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_sign_in_works_says_kept_in_memory_only_writes_no_token_and_ends_with_the_window() -> Played {
    kept_in_memory(Keyring::Missing, "no keyring service").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_is_called_locked_and_the_session_ends_with_the_window() -> Played {
    kept_in_memory(Keyring::Locked, "the keyring is locked").await
}

//! The session never reaches the page, a log, a file, an argument, an environment or a title.

use promises::stage::{Played, Scene, Setting, hook};
use promises::stories::{self, Record};

#[tokio::test(flavor = "multi_thread")]
async fn no_file_log_process_title_or_page_holds_the_session_at_any_moment_of_a_revoke() -> Played {
    let scene = Scene::set(Setting { log_level: "trace", ..Setting::default() }).await?;
    let app = scene.open().await?;
    stories::one_member_one_app(&scene, &app, &mut Record::strict()).await?;
    let secrets = scene.wire.secrets();
    assert!(secrets.len() >= 3, "too few secrets went over the wire for a search to show anything");
    let said = std::fs::read_to_string(scene.log_file())?;
    assert!(said.contains("TRACE") || said.contains("DEBUG"), "the app said nothing at its loudest:\n{said}");

    let (found, looked) = scene.hunt(Some(&app), &secrets).await?;
    assert!(found.is_empty(), "{found:?} of {looked:?}");
    assert!(
        looked.files > 5 && looked.processes >= 3 && looked.properties > 20,
        "too little was looked at: {looked:?}"
    );
    assert!(looked.titles.iter().any(|title| title.contains("Cutoff")), "no window has our title: {:?}", looked.titles);
    assert!(scene.state_dir().read_dir()?.count() > 0, "the journal lies elsewhere");

    // The hunt finds what is there: the same search with a canary in each kind of place.
    let canary = vec!["canary-in-a-file-0123456789".to_owned()];
    std::fs::write(scene.state_dir().join("planted"), format!("xx{}xx", canary[0]))?;
    app.script(&format!("document.body.dataset.planted = {:?}", canary[0]), vec![]).await?;
    let (found, _) = scene.hunt(Some(&app), &canary).await?;
    assert!(
        found.iter().any(|one| one.place.ends_with("planted")) && found.iter().any(|one| one.place == "the page"),
        "{found:?}"
    );
    std::fs::remove_file(scene.state_dir().join("planted"))?;

    // Once more after a restart from the keyring, and after signing out.
    scene.close(app).await?;
    let app = scene.open().await?;
    app.see(&hook("shell")).await?;
    let secrets = scene.wire.secrets();
    let (found, _) = scene.hunt(Some(&app), &secrets).await?;
    assert!(found.is_empty(), "after a restart: {found:?}");
    app.click(&hook("account-menu")).await?;
    app.click(&hook("sign-out")).await?;
    app.see(&hook("sign-in")).await?;
    let (found, _) = scene.hunt(Some(&app), &secrets).await?;
    assert!(found.is_empty(), "after signing out: {found:?}");
    Ok(())
}

//! Story 1: sign in by e-mail code, find the member, revoke the app, read the truth in a dialog.

use promises::stage::{Key, Played, Scene, Setting, hook};
use promises::stories::{self, Record, grant};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_revokes_one_app_of_one_member_by_mouse_and_is_still_signed_in_after_a_restart() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let mut record = Record::strict();
    stories::one_member_one_app(&scene, &app, &mut record).await?;
    let codes = scene.codes(&scene.person("admin").email);
    scene.close(app).await?;
    let app = scene.open().await?;
    stories::remembers(&scene, &app, &mut record, codes).await?;
    assert!(
        !app.shows(&hook("banner-keeping")).await?,
        "the session came from the keyring, and a banner says otherwise"
    );

    // Signed out here is signed out at the server too, and at the next start somebody has to sign in.
    app.click(&hook("account-menu")).await?;
    app.click(&hook("sign-out")).await?;
    app.see(&hook("sign-in")).await?;
    assert_eq!(scene.wire.exchanges_with(&["POST", "/sessions/revoke"]).len(), 1);
    scene.close(app).await?;
    let app = scene.open().await?;
    app.see(&hook("email")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_needs_no_mouse_and_at_most_six_keys_from_the_list_to_the_confirmation() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let admin = scene.person("admin").email.clone();
    let member = scene.person("reader").clone();

    // Signing in: the keyboard starts in the address, Enter sends, and the code's field is where it goes next.
    app.focused("email").await?;
    app.keys(&admin).await?;
    app.press(Key::Enter).await?;
    let code = scene.code(&admin, 0).await?;
    app.focused("code").await?;
    app.keys(&code).await?;
    app.press(Key::Enter).await?;
    app.focused("organization").await?;
    let organization = scene.sandbox.card().organization_id.clone();
    let chosen = "return document.activeElement.dataset.id";
    for _ in 0..5 {
        if app.script(chosen, vec![]).await? == organization {
            break;
        }
        app.press(Key::Tab).await?;
    }
    assert_eq!(app.script(chosen, vec![]).await?, organization, "Tab leads to every organization");
    app.press(Key::Enter).await?;
    app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;

    // To the members: back with Shift+Tab from the filter, as far as it takes.
    app.focused("filter").await?;
    let mut steps = 0;
    while app.focus().await? != "nav-members" {
        steps += 1;
        assert!(steps <= 6, "Shift+Tab did not lead to the navigation, but to {:?}", app.focus().await?);
        app.chord(Key::Shift, Key::Tab).await?;
    }
    app.press(Key::Enter).await?;
    app.see(&format!("{} {}", hook("screen-members"), hook("row"))).await?;
    app.focused("filter").await?;
    app.keys(&member.email).await?;

    // From here on every key counts.
    let mut keys = 0;
    app.press(Key::Enter).await?;
    keys += 1;
    let connected_app_id = stories::app_in_detail(&app, stories::APP).await?;
    app.focused("revoke").await?;
    let on = "return document.activeElement.closest('[data-test=row]')?.dataset.id ?? ''";
    while app.script(on, vec![]).await? != connected_app_id.as_str() {
        keys += 1;
        assert!(keys < 6, "{} is more than six keys away", stories::APP);
        app.press(Key::Down).await?;
    }
    app.press(Key::Enter).await?;
    keys += 1;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    assert!(keys <= 6, "it took {keys} keys from the list to the confirmation");
    assert!(stories::revokes_sent(&scene).is_empty(), "nothing is sent before it is confirmed");

    // The keyboard waits on Cancel: a third Enter in a row does no harm.
    app.focused("cancel").await?;
    app.press(Key::Enter).await?;
    app.gone("dialog").await?;
    assert!(stories::revokes_sent(&scene).is_empty(), "Enter, Enter, Enter revoked something");
    app.focused("revoke").await?;
    app.press(Key::Enter).await?;
    app.focused("cancel").await?;
    app.press(Key::Tab).await?;
    app.focused("confirm").await?;

    let before = jiff::Timestamp::now();
    app.press(Key::Enter).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    let mut record = Record::strict();
    stories::told_revoked(&scene, &app, &mut record, &member.member_id, &connected_app_id, before).await?;
    app.focused("close").await?;
    app.press(Key::Enter).await?;
    app.gone("dialog").await?;
    app.gone(&grant(&connected_app_id, "revoke")).await?;
    let at = app.focus().await?;
    assert_ne!(at, "body", "the keyboard is left nowhere after the dialog");
    Ok(())
}

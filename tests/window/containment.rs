//! Containment in the real window: by keyboard alone, with its evidence and its lifting; without the right to change the policy;
//! from a grant that came back while the window was open; from the indicators of an advisory.

use std::time::Duration;

use promises::stage::{App, Key, Played, Scene, Setting, hook, until};
use promises::stories::{self, Record, palette};
use serde_json::{Value, json};

/// The apps that the policy's list has.
fn listed(policy: &Value) -> Vec<&str> {
    let ids = policy["allowed_third_party_connected_apps"].as_array().map(Vec::as_slice).unwrap_or_default();
    ids.iter().filter_map(Value::as_str).collect()
}

/// Goes on by Tab until the keyboard is there.
async fn tab_to(app: &App, name: &str) -> Played {
    for _ in 0..40 {
        if app.focus().await? == name {
            return Ok(());
        }
        app.press(Key::Tab).await?;
    }
    app.focused(name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_two_look_alikes_is_contained_by_keyboard_proven_and_its_block_lifted() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let before = scene.grants().await?;
    let done = stories::containment(&scene, &app, &mut Record::strict()).await?;
    let kind = "third_party_connected_apps_allowed_type";
    assert_eq!(done.before[kind], "ALL_ALLOWED");

    let ledger = scene.ledger().await?;
    let [change] = &ledger.policy_changes[..] else { panic!("one change: {:?}", ledger.policy_changes) };
    let blocked = [done.connected_app_id.as_str(), done.also.as_str()];
    let ours = &ledger.revocations[1..];
    assert!(ours.iter().all(|one| one.at >= change.at), "the block came first");
    assert!(ours.iter().all(|one| one.effect == "removed" && blocked.contains(&one.connected_app_id.as_str())));
    let now = scene.policy(json!({})).await?;
    assert_eq!(now[kind], "RESTRICTED");
    let mut kept: Vec<&str> = before.iter().map(|one| one.connected_app_id.as_str()).collect();
    kept.sort_unstable();
    kept.dedup();
    kept.retain(|id| !blocked.contains(id));
    let allowed = listed(&now);
    assert!(blocked.iter().all(|id| !allowed.contains(id)), "neither may be consented to again");
    assert!(allowed.iter().all(|id| kept.contains(id)), "nothing is allowed that was not installed");
    // The vendor's own are under the other part of the policy, which nobody touched.
    assert_eq!(now["first_party_connected_apps_allowed_type"], done.before["first_party_connected_apps_allowed_type"]);
    for id in &kept {
        let of = |grants: &[(String, String)]| grants.iter().filter(|(_, app)| app == id).count();
        let was = before.iter().filter(|one| one.connected_app_id == *id).count();
        assert_eq!(of(&ledger.grants), was, "the grants of {id} are as they were");
    }

    // A pack with one byte changed is one that the other program refuses, so that its word is worth something.
    let mut bytes = std::fs::read(&done.pack)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let spoilt = scene.home().at("spoilt.zip");
    std::fs::write(&spoilt, bytes)?;
    assert_eq!(stories::verify(&spoilt, &done.head).await?["verdict"], "broken");

    tab_to(&app, "sweep-lift").await?;
    app.press(Key::Enter).await?;
    app.see("dialog[data-lift=\"exact\"]").await?;
    app.focused("cancel").await?;
    tab_to(&app, "lift-go").await?;
    app.press(Key::Enter).await?;
    app.see("dialog[data-outcome=\"lifted\"]").await?;
    let after = scene.policy(json!({})).await?;
    for part in [kind, "first_party_connected_apps_allowed_type"] {
        assert_eq!(after[part], done.before[part], "{part} is as it was before the block");
    }
    assert_eq!(scene.ledger().await?.policy_changes.len(), 2);
    app.press(Key::Escape).await?;
    app.see(&format!("{} [data-policy=\"lifted\"]", hook("sweep"))).await?;
    assert!(!app.shows(&hook("sweep-lift")).await?, "what is lifted is not lifted again");
    scene.close(app).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_the_policy_revokes_all_the_same_and_reads_that_members_can_consent_again() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    scene.roles(&scene.person("admin").member_id, &["security_responder"]).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    app.reads(&format!("{} .pane {}", hook("screen-apps"), hook("summary")), "grants · read").await?;
    let truth = scene.grants().await?;
    let id = stories::most_granted(&truth);
    let grants = truth.iter().filter(|one| one.connected_app_id == id).count();
    let policy = scene.policy(json!({})).await?;
    palette(&app, stories::APP, &format!("app {id}")).await?;
    palette(&app, "contain", "act-contain").await?;
    app.see("dialog[data-stage=\"contain\"] [data-fact=\"block_denied\"]").await?;
    app.click(&hook("contain-keep-rest")).await?;
    let to_type = app.text("dialog [data-fact=\"to_type\"]").await?;
    app.focused("contain-typed").await?;
    app.keys(&to_type).await?;
    app.press(Key::Enter).await?;
    app.see(&format!("{}[data-state=\"done\"]", hook("sweep"))).await?;
    app.reads(&hook("sweep-now"), &format!("{grants} gone at")).await?;
    app.see(&format!("{} [data-policy=\"denied\"]", hook("sweep"))).await?;
    let said = app.text(&format!("{} [data-fact=policy]", hook("sweep"))).await?;
    assert!(said.contains("can consent") && said.contains("again"), "{said}");
    assert!(!app.shows(&hook("sweep-lift")).await?, "there is no block to lift");
    let ledger = scene.ledger().await?;
    assert!(ledger.policy_changes.is_empty());
    assert_eq!(scene.policy(json!({})).await?, policy);
    assert_eq!(ledger.grants.iter().filter(|(_, app)| *app == id).count(), 0);
    scene.close(app).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_comes_back_while_the_window_is_open_is_told_once_and_can_be_blocked_or_revoked_again() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    let member = scene.person("member").clone();
    stories::find_member(&app, &member.email, &member.member_id).await?;
    app.click(&stories::row(&member.member_id)).await?;
    let id = stories::app_in_detail(&app, stories::APP).await?;
    app.click(&stories::grant(&id, "revoke")).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-outcome=\"revoked\"]").await?;
    app.press(Key::Escape).await?;
    app.gone("dialog").await?;
    let banner = hook("banner-come-back");
    assert!(!app.shows(&banner).await?);

    scene.consent(&member.member_id, &id, &["openid"]).await?;
    let read = format!("{} {}", hook("screen-members"), hook("read-again"));
    app.click(&read).await?;
    app.see(&banner).await?;
    let said = app.text(&banner).await?;
    assert!(said.contains(stories::APP), "{said}");
    for act in ["come-back-block", "come-back-again"] {
        app.see(&format!("{banner} {}", hook(act))).await?;
    }
    // Revoke again makes a plan of exactly that grant, and sends nothing by itself.
    app.click(&format!("{banner} {}", hook("come-back-again"))).await?;
    app.see("dialog[data-stage=\"plan\"]").await?;
    assert_eq!(app.text("dialog [data-fact=\"to_type\"]").await?, format!("1 {}", stories::ORGANIZATION));
    app.press(Key::Escape).await?;
    app.gone("dialog").await?;
    assert_eq!(scene.ledger().await?.revocations.len(), 1);
    // Block leads to the containment of that app.
    app.click(&format!("{banner} {}", hook("come-back-block"))).await?;
    app.see("dialog[data-stage=\"contain\"]").await?;
    app.press(Key::Escape).await?;
    app.gone("dialog").await?;
    // Revoked again and gone, it is not said to have come back any more.
    app.click(&stories::row(&member.member_id)).await?;
    app.click(&stories::grant(&id, "revoke")).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-outcome=\"revoked\"]").await?;
    app.press(Key::Escape).await?;
    app.gone("dialog").await?;
    app.gone(&banner).await?;
    scene.consent(&member.member_id, &id, &["openid"]).await?;
    app.click(&read).await?;
    app.see(&banner).await?;
    // Dismissed, it is not told again by the next reading of the same.
    app.click(&format!("{banner} {}", hook("come-back-dismiss"))).await?;
    app.gone(&banner).await?;
    let list = ["GET", "/organizations/connected_apps "];
    let lists = scene.wire.exchanges_with(&list).len();
    app.click(&read).await?;
    until("the list was read once more", || scene.wire.exchanges_with(&list).len() > lists).await?;
    app.gone(&format!("{} {}", hook("screen-members"), hook("read-cancel"))).await?;
    // What a reading raises is told at its end.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!app.shows(&banner).await?, "told once");
    assert!(scene.ledger().await?.grants.contains(&(member.member_id, id)), "and it is still there");
    // Activity does not call revoked what is listed again.
    app.click(&hook("nav-activity")).await?;
    let row = format!("{} [data-again=\"true\"]", hook("screen-activity"));
    app.reads(&row, "Listed again").await?;
    scene.close(app).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_s_indicators_are_looked_for_and_what_is_found_is_contained() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    app.reads(&format!("{} .pane {}", hook("screen-apps"), hook("summary")), "grants · read").await?;
    let truth = scene.grants().await?;
    let id = stories::most_granted(&truth);
    let grants = truth.iter().filter(|one| one.connected_app_id == id).count();
    let file = scene.home().at("home/advisory.txt");
    std::fs::write(&file, format!("{id}\nconnected-app-test-nobody\nNobody Knows It\n"))?;
    palette(&app, "indicators", "act-indicators").await?;
    scene.choose(&file).await?;
    let dialog = "dialog[data-stage=\"indicators\"]";
    app.see(dialog).await?;
    app.reads(&format!("{dialog} [data-fact=coverage]"), "12 of 12 apps read").await?;
    app.reads(&format!("{dialog} h2"), "1 of 3").await?;
    app.reads(&hook("finding-rows"), &format!("{grants} grants")).await?;
    tab_to(&app, "indicators-contain").await?;
    app.press(Key::Enter).await?;
    app.see("dialog[data-stage=\"contain\"]").await?;
    app.click(&hook("contain-keep-rest")).await?;
    let to_type = app.text("dialog [data-fact=\"to_type\"]").await?;
    assert_eq!(to_type, format!("{grants} {}", stories::ORGANIZATION));
    app.focused("contain-typed").await?;
    app.keys(&to_type).await?;
    app.press(Key::Enter).await?;
    app.see(&format!("{}[data-state=\"done\"]", hook("sweep"))).await?;
    let ledger = scene.ledger().await?;
    assert_eq!(ledger.policy_changes.len(), 1);
    assert!(ledger.revocations.iter().all(|one| one.connected_app_id == id));
    assert_eq!(ledger.grants.len(), truth.len() - grants, "what was found is gone, and nothing else");
    scene.close(app).await
}

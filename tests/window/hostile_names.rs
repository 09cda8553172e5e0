//! Story 15: names that strangers wrote are shown as text. Nothing in them runs, and everything stays readable.

use promises::stage::{Played, Scene, Setting, hook};
use promises::stories::{self, row};

/// More apps than the default, so that every hostile name of the sandbox is among them.
fn everybody() -> Setting {
    let mut setting = Setting::default();
    setting.sandbox.apps = 20;
    setting
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_shown_as_text_and_nothing_in_them_runs() -> Played {
    let scene = Scene::set(everybody()).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;
    // What would run would call these.
    app.script("window.__ran = []; window.alert = (said) => window.__ran.push(String(said))", vec![]).await?;
    let inside =
        "return [...document.querySelectorAll('.pane [data-test=row]')].map((row) => row.textContent).join('\\n')";
    let images =
        "return document.querySelectorAll('#app img, #app script, #app iframe, #app b b, #app [onerror]').length";

    for (filter, shown) in [
        ("onerror", "<img src=x onerror=alert(1)>"),
        ("fdp", "⟨U+202E⟩"),
        ("Keeps your CRM", "⟨U+200B⟩"),
        ("Everlasting", "EverlastingEverlasting"),
        ("HYPERLINK", "=HYPERLINK("),
    ] {
        app.fill(&format!("{} {}", hook("screen-apps"), hook("filter")), filter).await?;
        // What matched need not stand in the row: it may be in a description that a flag has taken the place of.
        let filtered = "const rows = [...document.querySelectorAll('.pane [data-test=row]')]; \
            return rows.length > 0 && rows.length <= 2 && rows.at(-1).textContent.includes(arguments[0])";
        app.holds("the filter leaves what matches", filtered, vec![shown.into()]).await?;
        let app_row = format!("{} .pane {}", hook("screen-apps"), hook("row"));
        app.reads(&format!("{} .pane {}", hook("screen-apps"), hook("rows")), shown).await?;
        // Of two rows that match, the look-alike is the later one.
        let last =
            "return [...document.querySelectorAll('.pane [data-test=row]')].map((row) => row.dataset.index).at(-1)";
        let last = app.script(last, vec![]).await?;
        app.click(&format!("{app_row}[data-index={last}]")).await?;
        app.reads(&hook("detail-app"), shown).await?;
        assert_eq!(
            app.script(images, vec![]).await?,
            0,
            "an element came out of a name: {}",
            app.script(inside, vec![]).await?
        );
    }
    // A member whose name is a piece of HTML, and its details.
    app.click(&hook("nav-members")).await?;
    app.see(&format!("{} {}", hook("screen-members"), hook("row"))).await?;
    app.fill(&format!("{} {}", hook("screen-members"), hook("filter")), "robert.tables").await?;
    let one = format!("{} .pane {}", hook("screen-members"), hook("row"));
    app.reads(&one, "<b>Robert</b>'); DROP TABLE members;--").await?;
    let id = app.attribute(&one, "data-id").await?.unwrap_or_default();
    app.click(&row(&id)).await?;
    app.reads(&hook("detail-member"), "<b>Robert</b>'); DROP TABLE members;--").await?;

    assert_eq!(app.script("return window.__ran", vec![]).await?, serde_json::json!([]), "a name ran");
    let wide = app.script("return document.documentElement.scrollWidth - innerWidth", vec![]).await?;
    assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "a long name makes the window scroll sideways by {wide}");
    Ok(())
}

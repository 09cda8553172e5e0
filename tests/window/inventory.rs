//! The inventory in the real window, at 10,000 members and 100 apps: by mouse, and by keyboard alone. What the window says is
//! compared with the sandbox's own ledger, and the ways in which the inventory is incomplete, old or late are each told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use promises::stage::{App, Granted, Key, Played, Scene, Setting, hook};
use promises::stories::{self, row};
use serde_json::{Value, json};

/// The sizes that the big scenes have.
const MEMBERS: usize = 10_000;
const APPS: usize = 100;
/// A word to filter by, which occurs in scopes and nowhere else, and a scope to choose beside it.
const WORD: &str = "calendar.read";
const SCOPE: &str = "offline_access";

fn large() -> Setting {
    let mut setting = Setting::default();
    setting.sandbox.members = MEMBERS;
    setting.sandbox.apps = APPS;
    setting
}

/// A number as the window writes it.
fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Something on a screen, in its pane.
fn on(screen: &str, name: &str) -> String {
    format!("{} .pane {}", hook(&format!("screen-{screen}")), hook(name))
}

/// Waits until the first reading is over: the head tells how many grants of how many apps there are.
async fn read(app: &App, screen: &str, grants: usize) -> Played {
    app.reads(&on(screen, "summary"), &format!("{} grants · read", number(grants))).await
}

/// Ids and one cell of every row that is drawn.
async fn rows(app: &App, slot: &str) -> Played<BTreeMap<String, String>> {
    let script = "return [...document.querySelectorAll('.pane [data-test=row]')]\
        .map((row) => [row.dataset.id, row.querySelector(`[data-slot=${arguments[0]}]`).textContent])";
    Ok(serde_json::from_value::<Vec<(String, String)>>(app.script(script, vec![json!(slot)]).await?)?
        .into_iter()
        .collect())
}

/// Whether that row of a list is where a person sees it. Asked of the page: the driver takes what has been scrolled to for hidden.
const SEEN: &str = "const row = document.querySelector(arguments[0]); if (!row || row.dataset.blank !== undefined) return false; \
    const { left, top, width, height } = row.getBoundingClientRect(); \
    return row.contains(document.elementFromPoint(left + width / 2, top + height / 2))";

fn at(screen: &str, index: usize) -> Value {
    json!(format!("{} .pane [data-test=rows] [data-index=\"{index}\"]", hook(&format!("screen-{screen}"))))
}

/// Turns the wheel over a list until its last row is in sight, and answers the id of that row.
async fn to_the_end(app: &App, screen: &str, rows: usize) -> Played<String> {
    let row = at(screen, rows - 1);
    for _ in 0..10 {
        // The engine scrolls beside the page, and for a moment after the page has moved a list it may hold it to be elsewhere.
        app.wheel(&on(screen, "rows"), -1_000).await?;
        app.wheel(&on(screen, "rows"), 10_000_000).await?;
        let looked = Instant::now();
        while looked.elapsed() < Duration::from_secs(2) {
            if app.script(SEEN, vec![row.clone()]).await? == true {
                let id = app.script("return document.querySelector(arguments[0]).dataset.id", vec![row]).await?;
                return Ok(id.as_str().unwrap_or_default().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    let list = "const list = document.querySelector(arguments[0]); return [list.scrollTop, list.scrollHeight]";
    let stands = app.script(list, vec![json!(on(screen, "rows"))]).await?;
    panic!("row {} of {screen} never came into sight; the list stands at {stands}", rows - 1)
}

/// What is on the canvas of the map: how many colours, and a number that differs when the picture does.
async fn painted(app: &App) -> Played<(u64, u64)> {
    let script = "const canvas = document.querySelector('[data-test=map]'); \
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
        const colours = new Set(); let sum = 7; \
        for (let at = 0; at < data.length; at += 4) { \
            const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2]; \
            colours.add(colour); sum = (sum * 31 + colour) % 2147483647; } \
        return [colours.size, sum]";
    Ok(serde_json::from_value(app.script(script, vec![]).await?)?)
}

/// Waits until the map has been asked for again and drawn, and answers what is on it. A canvas of one colour is still empty.
async fn drawn_anew(app: &App, before: (u64, u64)) -> Played<(u64, u64)> {
    for _ in 0..2400 {
        let now = painted(app).await?;
        if now != before && now.0 > 1 {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the picture of the map never changed")
}

/// The grants that the filter of the big scenes lets through.
fn filtered(truth: &[Granted]) -> Vec<&Granted> {
    let wide = |grant: &&Granted| {
        grant.scopes.iter().any(|scope| scope.contains(WORD)) && grant.scopes.iter().any(|scope| scope == SCOPE)
    };
    truth.iter().filter(wide).collect()
}

fn members_of<'g>(grants: impl IntoIterator<Item = &'g Granted>) -> BTreeSet<&'g str> {
    grants.into_iter().map(|grant| grant.member_id.as_str()).collect()
}

/// A folder for downloads, as the desktop's settings name one.
fn downloads(scene: &Scene) -> Played<PathBuf> {
    let folder = scene.home().at("home/Saved");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(scene.home().at("config/user-dirs.dirs"), "XDG_DOWNLOAD_DIR=\"$HOME/Saved\"\n")?;
    Ok(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_members_are_filtered_selected_exported_and_mapped_by_mouse_as_the_ledger_has_them() -> Played {
    let scene = Scene::set(large()).await?;
    let saved = downloads(&scene)?;
    let truth = scene.grants().await?;
    // Slow enough that a first reading can be seen to be under way.
    scene.faults(json!({"latency_ms": 1000})).await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    app.see(&on("apps", "progress")).await?;
    // Asked of the page: WebKit's driver does not count a text as displayed whose element could cut it off.
    app.holds(
        "the head tells how far the first reading is",
        "return document.querySelector('[data-test=summary]').textContent.includes(arguments[0])",
        vec![json!(format!("of {} calls", 1 + APPS + MEMBERS / 1000))],
    )
    .await?;
    scene.faults(json!({"latency_ms": null})).await?;
    read(&app, "apps", truth.len()).await?;
    app.gone(&on("apps", "progress")).await?;
    let calls = scene.wire.exchanges_with(&["/connected_apps"]).len() + scene.wire.exchanges_with(&["/search"]).len();
    assert_eq!(calls, 1 + APPS + MEMBERS / 1000, "the first reading took other calls than it may");

    // The list of apps: how many members each has, as far as it is in sight; what stands in a group is counted together.
    let mut of_app: BTreeMap<&str, usize> = BTreeMap::new();
    for grant in &truth {
        *of_app.entry(&grant.connected_app_id).or_default() += 1;
    }
    let shown = rows(&app, "members").await?;
    let single = shown.iter().filter(|(id, _)| !id.starts_with("group:"));
    let wrong: Vec<_> = single
        .clone()
        .filter(|(id, said)| **said != number(of_app.get(id.as_str()).copied().unwrap_or_default()))
        .collect();
    assert!(wrong.is_empty() && single.count() >= 5, "{wrong:?} of {shown:?}");

    // Filtered by a word and by a scope, one on top of the other.
    app.click(&hook("nav-members")).await?;
    app.fill(&on("members", "filter"), WORD).await?;
    let with_word: Vec<_> =
        truth.iter().filter(|grant| grant.scopes.iter().any(|scope| scope.contains(WORD))).collect();
    let said = |grants: &[&Granted]| {
        format!(
            "{} of {} members · {} of {} grants",
            number(members_of(grants.iter().copied()).len()),
            number(MEMBERS),
            number(grants.len()),
            number(truth.len())
        )
    };
    app.reads(&on("members", "matching"), &said(&with_word)).await?;
    app.click(&on("members", "filter-menu")).await?;
    app.click(&format!("{} [data-value=\"{SCOPE}\"]", hook("filters"))).await?;
    let matching = filtered(&truth);
    assert!(matching.len() < with_word.len() && matching.len() > 100, "the scope narrows nothing");
    app.reads(&on("members", "matching"), &said(&matching)).await?;
    app.press(Key::Escape).await?;
    app.gone(&hook("filters")).await?;
    assert_eq!(app.attribute(&on("members", "chip"), "data-value").await?.as_deref(), Some(SCOPE));

    // All that match but two are selected, and stay so.
    app.click(&on("members", "select-all")).await?;
    let mut left_out = Vec::new();
    for index in [0, 2] {
        let at = format!("{} .pane [data-index=\"{index}\"]", hook("screen-members"));
        left_out.push(app.attribute(&at, "data-id").await?.unwrap_or_default());
        app.click(&format!("{at} {}", hook("row-check"))).await?;
    }
    let selected: Vec<_> = matching.iter().copied().filter(|grant| !left_out.contains(&grant.member_id)).collect();
    let chosen = members_of(selected.iter().copied());
    let count = format!("{} members · {} grants selected", number(chosen.len()), number(selected.len()));
    app.reads(&on("members", "selection-count"), &count).await?;
    let lowest = to_the_end(&app, "members", members_of(matching.iter().copied()).len()).await?;
    let picked = "return document.querySelector(`.pane [data-id='${arguments[0]}']`).ariaSelected";
    assert_eq!(app.script(picked, vec![json!(lowest)]).await?, "true", "the last of all that match is not selected");
    app.reads(&on("members", "selection-count"), &count).await?;
    app.point(&on("members", "sort-name")).await?;
    app.holds(
        "the list begins at the end of the alphabet, and the two that were left out are still not selected",
        "return document.querySelector('.pane [data-index=\"0\"]')?.dataset.id !== arguments[0] \
            && document.querySelector('.pane [role=columnheader][aria-sort=descending]') !== null",
        vec![json!(left_out[0])],
    )
    .await?;
    app.reads(&on("members", "selection-count"), &count).await?;

    // Behind the window's back somebody consents, and somebody else to more; neither is among what is filtered.
    let pairs: BTreeSet<_> = truth.iter().map(|grant| (&*grant.member_id, &*grant.connected_app_id)).collect();
    let newcomer = truth
        .iter()
        .map(|grant| (grant.member_id.as_str(), truth[0].connected_app_id.as_str()))
        .find(|pair| !pairs.contains(pair))
        .expect("somebody has not let the first app act");
    scene.consent(newcomer.0, newcomer.1, &["openid"]).await?;
    let widened = truth
        .iter()
        .find(|grant| grant.scopes == ["openid", "profile", "email"] && grant.member_id != newcomer.0)
        .expect("somebody gave little");
    scene
        .consent(&widened.member_id, &widened.connected_app_id, &["openid", "profile", "email", "admin.users"])
        .await?;
    app.click(&on("members", "read-again")).await?;
    let changes = on("members", "changes");
    app.reads(&changes, "1 new, 1 widened").await?;
    app.reads(&on("members", "selection-count"), &count).await?;

    // The export of the selection: exactly those members.
    app.click(&on("members", "selection-export")).await?;
    app.click(&format!("{}:popover-open {}", ".pop", hook("export-csv"))).await?;
    let path = PathBuf::from(app.text(&format!("{} [data-fact=path]", on("members", "said"))).await?);
    assert_eq!(path.parent(), Some(saved.as_path()), "it lies elsewhere than in the folder for downloads");
    let file = std::fs::read_to_string(&path)?;
    let written: BTreeSet<_> =
        file.lines().skip(1).filter_map(|line| line.split(',').next()).map(|id| id.trim_matches('"')).collect();
    assert_eq!(written, chosen, "the file holds other members than were selected");
    assert_eq!(file.lines().count(), 1 + chosen.len(), "a member stands in the file twice");

    // What is new, in one click.
    app.click(&format!("{changes} {}", hook("changes-show"))).await?;
    let people = BTreeSet::from([newcomer.0, &*widened.member_id]);
    app.reads(&on("members", "matching"), &format!("{} of {} members · 2 of", people.len(), number(MEMBERS))).await?;
    let seen = rows(&app, "grants").await?;
    assert_eq!(seen.keys().map(String::as_str).collect::<BTreeSet<_>>(), people);
    app.click(&on("members", "history")).await?;
    app.see("dialog[data-stage=\"history\"]").await?;
    let new = format!("dialog {}[data-kind=\"new\"]", hook("kind"));
    app.reads(&new, "1").await?;
    app.click(&new).await?;
    app.holds(
        "the history shows the one new grant",
        "const rows = [...document.querySelectorAll('dialog [data-test=row]')]; \
            return rows.length === 1 && rows[0].dataset.id === arguments[0]",
        vec![json!(format!("{}\n{}", newcomer.0, newcomer.1))],
    )
    .await?;
    app.click(&format!("dialog {}", hook("close"))).await?;
    app.click(&on("members", "filter-clear-all")).await?;
    app.gone(&on("members", "chips")).await?;

    // The last of all rows, when the fewest come first: whoever let the most apps act.
    app.point(&on("members", "sort-grants")).await?;
    app.point(&on("members", "sort-grants")).await?;
    app.holds(
        "the fewest come first",
        "return document.querySelector('.pane [aria-sort=ascending] [data-test=sort-grants]') !== null \
            && document.querySelector('.pane [data-index=\"0\"] [data-slot=grants]')?.textContent === '0'",
        vec![],
    )
    .await?;
    let id = to_the_end(&app, "members", MEMBERS).await?;
    let now = scene.grants().await?;
    let mut of_member: BTreeMap<&str, usize> = BTreeMap::new();
    for grant in &now {
        *of_member.entry(&grant.member_id).or_default() += 1;
    }
    let most = of_member.values().copied().max().unwrap_or_default();
    assert_eq!(of_member.get(id.as_str()), Some(&most), "the last row is not the member with the most apps");
    assert_eq!(rows(&app, "grants").await?.get(&id), Some(&number(most)));

    // The map: it is painted, it comes nearer, and its table has the same rows.
    app.click(&hook("nav-map")).await?;
    app.see(&on("map", "map")).await?;
    let label = format!("{} grants", number(now.len()));
    app.holds(
        "the map tells how many grants are in sight",
        "return document.querySelector('[data-test=map]').getAttribute('aria-label').endsWith(arguments[0])",
        vec![json!(label)],
    )
    .await?;
    let whole = drawn_anew(&app, (1, 0)).await?;
    assert!(whole.0 > 4, "the map has {} colours", whole.0);
    app.holds(
        "the map tells whom it reaches over",
        "return document.querySelector('[data-test=map-extent]').textContent.endsWith(arguments[0])",
        vec![json!(format!("× {} members", number(members_of(&now).len())))],
    )
    .await?;
    let extent = app.text(&on("map", "map-extent")).await?;
    app.click(&on("map", "map-in")).await?;
    app.click(&on("map", "map-in")).await?;
    app.holds(
        "the map tells that a part is in sight",
        "return document.querySelector('[data-test=map-extent]').textContent !== arguments[0]",
        vec![json!(extent)],
    )
    .await?;
    drawn_anew(&app, whole).await?;
    app.click(&format!("{} label:has({})", hook("screen-map"), hook("map-as-table"))).await?;
    app.holds(
        "the table has a row for each grant",
        "return document.querySelector('[data-test=screen-map] [data-test=rows]').ariaRowCount === arguments[0]",
        vec![json!((now.len() + 1).to_string())],
    )
    .await?;
    let id = to_the_end(&app, "map", now.len()).await?;
    let there = now.iter().any(|grant| id == format!("{}\n{}", grant.member_id, grant.connected_app_id));
    assert!(there, "the last row of the table is no grant: {id:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inventory_needs_no_mouse() -> Played {
    let scene = Scene::set(large()).await?;
    let truth = scene.grants().await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    read(&app, "apps", truth.len()).await?;

    // Any app by a few letters.
    let palette = |what: &'static str| {
        let app = &app;
        async move {
            app.chord(Key::Control, 'k').await?;
            app.focused("palette").await?;
            app.keys(what).await?;
            let found = "return document.querySelector('[data-test=found][aria-selected=true]')?.textContent ?? ''";
            let fits = format!("{found}.toLowerCase().includes(arguments[0])").replace("return ", "return (");
            let fits = fits.replacen("?? ''.", "?? '').", 1);
            app.holds("the palette has found it", &fits, vec![json!(what)]).await?;
            app.press(Key::Enter).await?;
            app.gone("dialog").await
        }
    };
    palette("quarterly").await?;
    let id = app.attribute(&hook("detail-app"), "data-id").await?.unwrap_or_default();
    app.reads(&hook("detail-app"), "Quarterly Deck Builder").await?;
    let members = truth.iter().filter(|grant| grant.connected_app_id == id).count();
    app.reads(&format!("{} [data-fact=granted_by]", hook("detail-app")), &number(members)).await?;
    app.press(Key::Escape).await?;
    app.gone(&hook("detail-app")).await?;

    // Members by filter; two of them selected, one after the other.
    palette("go to members").await?;
    app.focused("filter").await?;
    app.keys(WORD).await?;
    let with_word =
        members_of(truth.iter().filter(|grant| grant.scopes.iter().any(|scope| scope.contains(WORD)))).len();
    app.reads(&on("members", "matching"), &format!("{} of {}", number(with_word), number(MEMBERS))).await?;
    app.press(Key::Down).await?;
    app.focused("rows").await?;
    app.keys(" ").await?;
    app.press(Key::Down).await?;
    app.keys(" ").await?;
    app.reads(&on("members", "selection-count"), "2 members").await?;
    let script = "return [...document.querySelectorAll('.pane [data-test=row][aria-selected=true]')]\
        .map((row) => Number(row.dataset.index)).sort()";
    assert_eq!(app.script(script, vec![]).await?, json!([0, 1]));
    app.press(Key::End).await?;
    app.holds("End leads to the last row", SEEN, vec![at("members", with_word - 1)]).await?;
    app.keys("/").await?;
    app.focused("filter").await?;
    app.press(Key::Escape).await?;
    app.gone(&format!("{}:not(:empty)", on("members", "matching"))).await?;

    // The map, from the whole organization to one cell.
    palette("go to map").await?;
    app.focused("filter").await?;
    app.press(Key::Down).await?;
    app.focused("map").await?;
    app.holds(
        "the map tells what stands under the keyboard",
        "return document.querySelector('[data-test=map-told]').textContent !== ''",
        vec![],
    )
    .await?;
    app.press(Key::Right).await?;
    app.press(Key::Right).await?;
    let member = hook("detail-member");
    for step in 0.. {
        if app.shows(&member).await? {
            break;
        }
        let told = app.script("return document.querySelector('[data-test=map-told]').textContent", vec![]).await?;
        assert!(step < 20, "Enter never came to one cell: {told}");
        app.press(Key::Enter).await?;
        // Either it comes nearer, and tells another cell, or it opens.
        app.holds(
            "Enter does something",
            "return document.querySelector('[data-test=detail-member]') !== null \
                || document.querySelector('[data-test=map-told]').textContent !== arguments[0]",
            vec![told],
        )
        .await?;
    }
    let id = app.attribute(&member, "data-id").await?.unwrap_or_default();
    assert!(truth.iter().any(|grant| grant.member_id == id), "the cell opened nobody: {id:?}");
    Ok(())
}

/// Signs in, reads, closes; answers the grants and when all that was.
async fn read_once(scene: &Scene) -> Played<(Vec<Granted>, Timestamp)> {
    let truth = scene.grants().await?;
    let app = scene.open().await?;
    stories::sign_in(scene, &app, "admin").await?;
    read(&app, "apps", truth.len()).await?;
    scene.close(app).await?;
    Ok((truth, Timestamp::now()))
}

/// Everything that is shown was kept, and nothing can be done with it.
async fn nothing_but_looking(scene: &Scene, app: &App, why: &str, truth: &[Granted]) -> Played {
    app.see(&format!("{}[data-why=\"{why}\"]", hook("banner-read-only"))).await?;
    app.reads(&on("apps", "summary"), &format!("{} grants · kept", number(truth.len()))).await?;
    assert!(app.see(&format!("{} time", on("apps", "summary"))).await.is_ok(), "it does not say how old it is");
    app.see(&on("apps", "row")).await?;
    app.see(&format!("{}:disabled", on("apps", "read-again"))).await?;
    let member = scene.person("reader").clone();
    stories::find_member(app, &member.email, &member.member_id).await?;
    app.click(&row(&member.member_id)).await?;
    app.see(&format!("{} {}", hook("detail-member"), hook("row"))).await?;
    let acts: Vec<bool> = serde_json::from_value(
        app.script(
            "return [...document.querySelectorAll('.detail [data-test=revoke]')].map((act) => act.disabled)",
            vec![],
        )
        .await?,
    )?;
    let granted = truth.iter().filter(|grant| grant.member_id == member.member_id).count();
    assert_eq!(acts, vec![true; granted], "each of {granted} grants has an act that is disabled");
    app.click(&on("members", "filter")).await?;
    app.press(Key::Escape).await?;
    app.gone(&format!("{}:not(:empty)", on("members", "matching"))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_network_the_last_reading_is_there_at_once_with_its_age_and_cannot_be_acted_on() -> Played {
    let mut scene = Scene::set(Setting::default()).await?;
    let (truth, closed) = read_once(&scene).await?;
    scene.wire.cut().await;
    let app = scene.open().await?;
    nothing_but_looking(&scene, &app, "offline", &truth).await?;
    let said = app.text(&hook("banner-read-only")).await?;
    assert!(said.contains("cannot be reached"), "{said}");
    let read_at = app.attribute(&format!("{} time", hook("banner-read-only")), "datetime").await?.unwrap_or_default();
    let read_at: Timestamp = read_at.parse()?;
    let age = closed.duration_since(read_at);
    assert!((SignedDuration::ZERO..SignedDuration::from_mins(5)).contains(&age), "read {age:?} before it was closed");

    // With the network back the same window goes on, without anybody signing in.
    scene.wire.mend().await?;
    app.click(&hook("session-restore")).await?;
    app.gone(&hook("banner-read-only")).await?;
    app.see(&format!(".detail {}:not(:disabled)", hook("revoke"))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_session_has_ended_the_last_reading_can_be_looked_at_and_nothing_more() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let (truth, _) = read_once(&scene).await?;
    scene.faults(json!({"session_dies_after": 0})).await?;
    let app = scene.open().await?;
    nothing_but_looking(&scene, &app, "signed_out", &truth).await?;
    let sent = stories::revokes_sent(&scene);
    assert!(sent.is_empty(), "something was revoked: {sent:?}");
    app.click(&format!("{} {}", hook("banner-read-only"), hook("sign-in-again"))).await?;
    app.see(&hook("sign-in")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_told_to_slow_down_says_until_when_and_finishes_by_itself() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let truth = scene.grants().await?;
    let app = scene.open().await?;
    stories::sign_in(&scene, &app, "admin").await?;
    read(&app, "apps", truth.len()).await?;
    let first = app.attribute(&format!("{} time", on("apps", "summary")), "datetime").await?;
    let before = scene.wire.exchanges().len();

    scene.faults(json!({"rate_limit_after": 9, "rate_window_s": 3, "retry_after_s": 3})).await?;
    app.click(&on("apps", "read-again")).await?;
    let until = app.attribute(&format!("{} time", on("apps", "waiting")), "datetime").await?.unwrap_or_default();
    let until: Timestamp = until.parse()?;
    let wait = until.duration_since(Timestamp::now());
    assert!(wait < SignedDuration::from_secs(4), "it waits {wait:?} for three seconds");
    app.gone(&on("apps", "waiting")).await?;
    app.holds(
        "the reading is over, whole, and newer",
        "const at = document.querySelector('[data-test=screen-apps] [data-test=summary] time')?.dateTime; \
            return at !== undefined && at !== arguments[0]",
        vec![first.map_or(Value::Null, Value::from)],
    )
    .await?;
    read(&app, "apps", truth.len()).await?;
    assert!(!app.shows(&on("apps", "partial")).await?, "what had to wait is missing");

    // While the server had asked to wait, nothing was sent.
    let refused = scene.wire.exchanges()[before..]
        .iter()
        .filter(|one| String::from_utf8_lossy(&one.answer).starts_with("HTTP/1.1 429"))
        .count();
    assert!((1..=8).contains(&refused), "{refused} calls were refused while it should have waited");
    Ok(())
}

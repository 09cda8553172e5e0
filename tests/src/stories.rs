//! The stories that the tests and the demo both play in the real window, step by step: what was expected, what was seen. The
//! tests stop at the first step that is not as expected; the demo goes on and leaves a picture of each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::stage::{App, Granted, Key, Mishap, Played, Scene, hook};

/// The organization that the stories play in.
pub const ORGANIZATION: &str = "Acme Robotics";
/// The app that they revoke.
pub const APP: &str = "DataSync";

/// One step of a story.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What was done.
    pub step: String,
    /// What should be seen then.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Whether that is it.
    pub ok: bool,
}

/// What is kept of a story while it is played.
pub struct Record {
    part: String,
    steps: Vec<Step>,
    pictures: Option<PathBuf>,
}

impl Record {
    /// A record that stops at the first step that is not as expected.
    #[must_use]
    pub fn strict() -> Self {
        Self { part: String::new(), steps: Vec::new(), pictures: None }
    }

    /// A record that goes on whatever is seen, and leaves a picture of the window after each step.
    #[must_use]
    pub fn with_pictures(dir: &Path) -> Self {
        Self { part: String::new(), steps: Vec::new(), pictures: Some(dir.to_owned()) }
    }

    /// The steps so far.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Goes on in another part, whose name stands before its steps.
    pub fn part(&mut self, name: &str) {
        self.part = format!("{name}: ");
    }

    /// Notes a step that the story could not go on from.
    pub fn broke(&mut self, mishap: &Mishap) {
        let (step, expected) = (format!("{}go on", self.part), "the window plays along".to_owned());
        self.steps.push(Step { step, expected, seen: mishap.to_string(), ok: false });
    }

    /// Notes a step.
    ///
    /// # Errors
    /// For a strict record, when it is not as expected; for one with pictures, when none can be taken.
    pub async fn step(&mut self, app: &App, step: &str, expected: &str, seen: impl Into<String>, ok: bool) -> Played {
        let noted = Step { step: format!("{}{step}", self.part), expected: expected.into(), seen: seen.into(), ok };
        if let Some(dir) = &self.pictures {
            let name: String =
                step.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
            app.painted().await?;
            let name = name.split('-').filter(|part| !part.is_empty()).take(8).collect::<Vec<_>>().join("-");
            std::fs::write(dir.join(format!("{:02}-{name}.png", self.steps.len() + 1)), app.picture().await?)?;
        } else if !ok {
            return Err(Mishap::new(format!("{step}: expected {expected}; seen: {}", noted.seen)));
        }
        self.steps.push(noted);
        Ok(())
    }
}

/// Signs in by e-mail code, with the mouse: address, code, and the organization where there are several.
///
/// # Errors
/// When the window does not play along.
pub async fn sign_in(scene: &Scene, app: &App, role: &str) -> Played {
    let email = &scene.person(role).email;
    let known = scene.codes(email);
    app.fill(&hook("email"), email).await?;
    app.click(&hook("send-code")).await?;
    let code = scene.code(email, known).await?;
    app.fill(&hook("code"), &code).await?;
    app.click(&hook("check-code")).await?;
    app.see(&format!("{}, {}", hook("step-organization"), hook("shell"))).await?;
    if app.shows(&hook("step-organization")).await? {
        let organization = &scene.sandbox.card().organization_id;
        app.click(&format!("{}[data-id=\"{organization}\"]", hook("organization"))).await?;
    }
    app.see(&hook("shell")).await?;
    Ok(())
}

/// The selector of the row of that id in the list on the left.
#[must_use]
pub fn row(id: &str) -> String {
    format!(".pane {}[data-id=\"{id}\"]", hook("row"))
}

/// The selector of a hook in the row of that id in the detail.
#[must_use]
pub fn grant(id: &str, name: &str) -> String {
    format!(".detail {}[data-id=\"{id}\"] {}", hook("row"), hook(name))
}

/// Finds the app's client id in the detail that is open.
///
/// # Errors
/// When it is not there.
pub async fn app_in_detail(app: &App, name: &str) -> Played<String> {
    app.see(&format!(".detail {}", hook("row"))).await?;
    let script = "return [...document.querySelectorAll('.detail [data-test=row]')]\
        .find((row) => row.querySelector('[data-slot=name] bdi')?.textContent === arguments[0])?.dataset.id ?? null";
    let id = app.script(script, vec![json!(name)]).await?;
    id.as_str().map(str::to_owned).ok_or_else(|| Mishap::new(format!("the detail lists no {name}")))
}

/// Opens the members, filters by address, and opens the one that is left.
///
/// # Errors
/// When the window does not play along.
pub async fn find_member(app: &App, email: &str, member_id: &str) -> Played {
    app.click(&hook("nav-members")).await?;
    app.see(&format!("{} {}", hook("screen-members"), hook("row"))).await?;
    app.fill(&format!("{} {}", hook("screen-members"), hook("filter")), email).await?;
    // The row is there before the filter is, elsewhere: a click would go to where it was.
    let alone = "const rows = [...document.querySelectorAll('.pane [data-test=row]')]; \
        return rows.length === 1 && rows[0].dataset.id === arguments[0]";
    app.holds("the filter leaves that one member", alone, vec![json!(member_id)]).await?;
    app.see(&row(member_id)).await?;
    Ok(())
}

/// The revoke requests that left the window so far.
#[must_use]
pub fn revokes_sent(scene: &Scene) -> Vec<crate::stage::Exchange> {
    scene
        .wire
        .exchanges_with(&["POST", "/revoke"])
        .into_iter()
        .filter(|one| one.line().contains("connected_apps"))
        .collect()
}

/// What story 1 revoked.
pub struct Revoked {
    /// Whose grant.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
}

/// Story 1: one member, one app, by mouse. Leaves the window on the member's apps.
///
/// # Errors
/// When the window does not play along.
pub async fn one_member_one_app(scene: &Scene, app: &App, record: &mut Record) -> Played<Revoked> {
    let admin = scene.person("admin").email.clone();
    let member = scene.person("reader");
    let (member_id, address) = (member.member_id.clone(), member.email.clone());

    let card = app.text(&hook("sign-in")).await?;
    let host = scene.wire.url().trim_start_matches("http://").to_owned();
    record
        .step(
            app,
            "Open the window",
            &format!("nobody is signed in, and it says that it contacts {host}"),
            one_line(&card),
            card.contains(&host) && card.contains("E-mail address"),
        )
        .await?;

    let known = scene.codes(&admin);
    app.fill(&hook("email"), &admin).await?;
    app.click(&hook("send-code")).await?;
    let code = scene.code(&admin, known).await?;
    let sent = app.text(&hook("code-sent")).await?;
    record
        .step(
            app,
            "Ask for a code by e-mail",
            &format!("a code was sent to {admin}"),
            sent.clone(),
            sent.contains(&admin),
        )
        .await?;

    app.fill(&hook("code"), &code).await?;
    app.click(&hook("check-code")).await?;
    let choices = app.text(&hook("step-organization")).await?;
    record
        .step(
            app,
            "Enter the code",
            &format!("the address leads to several organizations, {ORGANIZATION} among them"),
            one_line(&choices),
            choices.contains(ORGANIZATION),
        )
        .await?;

    let organization = scene.sandbox.card().organization_id.clone();
    app.click(&format!("{}[data-id=\"{organization}\"]", hook("organization"))).await?;
    let name = app.text(&hook("organization-name")).await?;
    app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;
    let apps = app.text(&format!("{} {}", hook("screen-apps"), hook("summary"))).await?;
    record
        .step(
            app,
            "Choose the organization",
            &format!("signed in to {ORGANIZATION}, with its connected apps"),
            format!("{name}: {apps}"),
            name == ORGANIZATION && apps.contains("apps"),
        )
        .await?;

    find_member(app, &address, &member_id).await?;
    let found = app.text(&row(&member_id)).await?;
    record
        .step(app, "Find the member", &format!("one row, {address}"), one_line(&found), found.contains(&address))
        .await?;

    app.click(&row(&member_id)).await?;
    let connected_app_id = app_in_detail(app, APP).await?;
    let listed = app.text(&hook("detail-member")).await?;
    record
        .step(
            app,
            "Open the member (1st click from the list)",
            &format!("{APP} with its scopes, as the ledger has it"),
            one_line(&listed),
            listed.contains(APP)
                && listed.contains("openid")
                && scene.ledger().await?.grants.contains(&(member_id.clone(), connected_app_id.clone())),
        )
        .await?;

    app.click(&grant(&connected_app_id, "revoke")).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    let asked = app.text("dialog").await?;
    let button = app.text(&format!("dialog {}", hook("confirm"))).await?;
    let (who, what) = (app.fact("member").await?, app.fact("app").await?);
    let id = app.fact("connected_app_id").await?;
    record
        .step(
            app,
            "Revoke (2nd click)",
            &format!("a confirmation that names {address}, {APP}, its client id and {ORGANIZATION}; nothing sent yet"),
            format!("{}; {} revoke requests so far", one_line(&asked), revokes_sent(scene).len()),
            who.contains(&address)
                && what == APP
                && id == connected_app_id
                && button == format!("Revoke 1 grant in {ORGANIZATION}")
                && revokes_sent(scene).is_empty(),
        )
        .await?;

    let before = Timestamp::now();
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    told_revoked(scene, app, record, &member_id, &connected_app_id, before).await?;

    app.click(&format!("dialog {}", hook("close"))).await?;
    app.gone(&grant(&connected_app_id, "revoke")).await?;
    let listed = app.text(&hook("detail-member")).await?;
    record
        .step(
            app,
            "Close the dialog",
            &format!("{APP} is no longer among the member's apps"),
            one_line(&listed),
            !listed.contains(APP),
        )
        .await?;
    Ok(Revoked { member_id, connected_app_id })
}

/// Reads the dialog of a revoke that worked, and compares it with the wire and with the sandbox's ledger.
///
/// # Errors
/// When the window does not play along.
pub async fn told_revoked(
    scene: &Scene,
    app: &App,
    record: &mut Record,
    member_id: &str,
    connected_app_id: &str,
    before: Timestamp,
) -> Played {
    let told = app.text("dialog").await?;
    let outcome = app.attribute("dialog", "data-outcome").await?.unwrap_or_default();
    let sent = revokes_sent(scene);
    let request = sent.first().and_then(|one| one.answered("request_id")).unwrap_or_default();
    let shown = app.fact("request_id").await?;
    record
        .step(
            app,
            "Confirm",
            &format!("revoked, with the member, {APP}, and the request id of the wire, {request}"),
            one_line(&told),
            outcome == "revoked" && told.contains(APP) && !request.is_empty() && shown == request,
        )
        .await?;

    let (gone, tokens, now) = (app.time("gone_at").await?, app.time("tokens_until").await?, Timestamp::now());
    let hour = gone + SignedDuration::from_hours(1);
    record
        .step(
            app,
            "Read when it was gone",
            "gone since the confirmation; tokens issued before until about an hour after",
            format!("gone at {gone}, tokens until {tokens}"),
            // The server's clock has whole seconds in its answers; ours are compared with a little room.
            gone >= before - SignedDuration::from_secs(1)
                && gone <= now
                && (tokens.as_second() - hour.as_second()).abs() <= 60,
        )
        .await?;

    let ledger = scene.ledger().await?;
    let of_it: Vec<_> = ledger
        .revocations
        .iter()
        .filter(|one| one.member_id.as_deref() == Some(member_id) && one.connected_app_id == connected_app_id)
        .collect();
    let left = ledger.grants.contains(&(member_id.to_owned(), connected_app_id.to_owned()));
    record
        .step(
            app,
            "Ask the sandbox's ledger",
            "exactly one revoke request, answered, and the grant removed",
            format!("{} requests on the wire, {of_it:?}, grant still there: {left}", sent.len()),
            sent.len() == 1 && of_it.len() == 1 && of_it[0].effect == "removed" && of_it[0].answered && !left,
        )
        .await
}

/// The end of story 1: the app was closed and opened again. It is signed in without asking, and remembers.
///
/// # Errors
/// When the window does not play along.
pub async fn remembers(scene: &Scene, app: &App, record: &mut Record, codes_before: usize) -> Played {
    let name = app.text(&hook("organization-name")).await?;
    let asked = scene.codes(&scene.person("admin").email) - codes_before;
    record
        .step(
            app,
            "Close the app and open it again",
            &format!("still signed in to {ORGANIZATION} from the keyring, without another code"),
            format!("{name}, {asked} more codes"),
            name == ORGANIZATION && asked == 0,
        )
        .await?;
    app.click(&hook("nav-activity")).await?;
    app.see(&format!("{} {}", hook("screen-activity"), hook("row"))).await?;
    let rows = app.text(&format!("{} {}", hook("screen-activity"), hook("rows"))).await?;
    record
        .step(
            app,
            "Look at Activity",
            &format!("the revoke of {APP}, as revoked"),
            one_line(&rows),
            rows.contains(APP) && rows.contains("Revoked"),
        )
        .await
}

/// Story 2: no permission, said before anything is sent; then a role that is lost after sign-in, told by Stytch.
/// Begins with nobody signed in.
///
/// # Errors
/// When the window does not play along.
pub async fn no_permission(scene: &Scene, app: &App, record: &mut Record) -> Played {
    let (reader, other) = (scene.person("reader").clone(), scene.person("member").clone());
    sign_in(scene, app, "reader").await?;
    find_member(app, &other.email, &other.member_id).await?;
    app.click(&row(&other.member_id)).await?;
    let connected_app_id = app_in_detail(app, APP).await?;
    let reason = app.text(&hook("denied-reason")).await?;
    app.see(&grant(&connected_app_id, "revoke")).await?;
    let enabled = !app.shows(&format!("{}:disabled", grant(&connected_app_id, "revoke"))).await?;
    record
        .step(
            app,
            "Sign in as a reader and open a member",
            "the action is there and disabled, with the missing permission and the roles that hold it beside it",
            format!("{reason} (enabled: {enabled})"),
            !enabled && reason.contains("revoke.connected-app") && reason.contains("stytch.member"),
        )
        .await?;

    app.click(&grant(&connected_app_id, "why-not")).await?;
    app.see("dialog[data-stage=\"told\"]").await?;
    let told = app.text("dialog").await?;
    let asked = app.attribute("dialog", "data-asked").await?.unwrap_or_default();
    record
        .step(
            app,
            "Ask why",
            "missing action and resource, own roles, roles that hold it, when the policy was read; nothing was sent",
            format!("{}; {} revoke requests", one_line(&told), revokes_sent(scene).len()),
            asked == "false"
                && app.fact("missing").await? == "revoke.connected-app on stytch.member"
                && !app.fact("your_roles").await?.is_empty()
                && app.fact("roles_that_hold_it").await?.contains("admin")
                && app.time("policy_read_at").await.is_ok()
                && revokes_sent(scene).is_empty()
                && scene.ledger().await?.revocations.is_empty(),
        )
        .await?;

    let read = scene.wire.exchanges_with(&["/sdk/v1/b2b/sessions/authenticate"]).len();
    app.click(&format!("dialog {}", hook("policy-again"))).await?;
    let note = app.fact("policy_note").await?;
    let again = scene.wire.exchanges_with(&["/sdk/v1/b2b/sessions/authenticate"]).len() - read;
    record
        .step(
            app,
            "Read the policy again",
            "asked Stytch anew, and it still does not allow it",
            format!("{note} ({again} more reads)"),
            again >= 1 && !note.is_empty() && revokes_sent(scene).is_empty(),
        )
        .await?;

    app.click(&format!("dialog {}", hook("ask-anyway"))).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    let confirm = app.text("dialog").await?;
    record
        .step(
            app,
            "Ask Stytch anyway",
            "a confirmation that says that the roles do not allow it and Stytch decides",
            one_line(&confirm),
            confirm.contains("Stytch decides") && revokes_sent(scene).is_empty(),
        )
        .await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    told_denied(scene, app, record, "Confirm that Stytch is asked", &other.member_id, &connected_app_id).await?;

    // The role is given, noticed, and taken away behind the window's back.
    scene.roles(&reader.member_id, &["stytch_admin"]).await?;
    app.click(&format!("dialog {}", hook("policy-again"))).await?;
    app.see("dialog[data-stage=\"confirm\"]").await?;
    let note = app.fact("policy_note").await?;
    record
        .step(
            app,
            "Be given the admin role, and read the policy again",
            "it says that it is allowed now, and asks for a confirmation; still nothing more was sent",
            format!("{note}; {} revoke requests", revokes_sent(scene).len()),
            !note.is_empty() && revokes_sent(scene).len() == 1,
        )
        .await?;

    scene.roles(&reader.member_id, &["app_reader"]).await?;
    app.click(&format!("dialog {}", hook("confirm"))).await?;
    told_denied(scene, app, record, "Revoke after the role was lost unnoticed", &other.member_id, &connected_app_id)
        .await?;
    Ok(())
}

/// Reads the dialog of a denial that came from the server, and compares it with the wire and the ledger.
async fn told_denied(
    scene: &Scene,
    app: &App,
    record: &mut Record,
    step: &str,
    member_id: &str,
    app_id: &str,
) -> Played {
    app.see("dialog[data-outcome]").await?;
    let told = app.text("dialog").await?;
    let outcome = app.attribute("dialog", "data-outcome").await?.unwrap_or_default();
    let asked = app.attribute("dialog", "data-asked").await?.unwrap_or_default();
    let sent = revokes_sent(scene);
    let request = sent.last().and_then(|one| one.answered("request_id")).unwrap_or_default();
    let ledger = scene.ledger().await?;
    let kept = ledger.grants.contains(&(member_id.to_owned(), app_id.to_owned()));
    let refused = ledger.revocations.iter().all(|one| one.effect == "refused");
    record
        .step(
            app,
            step,
            &format!("denied by Stytch with its request id, {request}, the missing permission and who holds it; the grant is as it was"),
            format!("{outcome}: {}; grant there: {kept}", one_line(&told)),
            outcome == "denied"
                && asked == "true"
                && !request.is_empty()
                && app.fact("request_id").await? == request
                && app.fact("missing").await? == "revoke.connected-app on stytch.member"
                && app.fact("roles_that_hold_it").await?.contains("admin")
                && app.shows(&format!("dialog {}", hook("copy-request"))).await?
                && kept
                && refused,
        )
        .await
}

/// The text on one line.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | ")
}

/// The inventory: it is read, filtered by width, looked at as a map, and searched by a few letters; each is compared with the
/// ledger. Begins with nobody signed in, in a sandbox of at least some hundred members.
///
/// # Errors
/// When the window does not play along.
pub async fn inventory(scene: &Scene, app: &App, record: &mut Record) -> Played {
    let truth = scene.grants().await?;
    sign_in(scene, app, "admin").await?;
    let screen = hook("screen-apps");
    let in_apps = |name: &str| format!("{screen} .pane {}", hook(name));
    app.reads(&in_apps("summary"), "grants · read").await?;
    let summary = app.text(&in_apps("summary")).await?;
    let calls = scene.wire.exchanges_with(&["/connected_apps"]).len() + scene.wire.exchanges_with(&["/search"]).len();
    let listed = app.text(&hook("nav-apps")).await?;
    let apps: usize = listed.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default();
    let people = app.text(&hook("nav-members")).await?;
    let members: usize = people.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default();
    let allowed = 1 + apps + members.div_ceil(1000);
    record
        .step(
            app,
            "Sign in, and the inventory is read",
            &format!("all {} grants of the ledger, in 1 + {apps} + {} calls", truth.len(), members.div_ceil(1000)),
            format!("{summary}; {calls} calls"),
            digits(&summary).starts_with(&truth.len().to_string()) && calls == allowed,
        )
        .await?;

    // By the rules that come with the app: what writes, administers, or is all there is.
    let wide = |scope: &String| scope.contains("write") || scope.contains("admin") || scope == "full_access";
    let matching = truth.iter().filter(|grant| grant.scopes.iter().any(wide)).count();
    app.click(&in_apps("filter-menu")).await?;
    app.click(&format!("{} [data-test=facet-levels][data-value=\"3\"]", hook("filters"))).await?;
    app.reads(&in_apps("matching"), "grants").await?;
    app.press(crate::stage::Key::Escape).await?;
    app.gone(&hook("filters")).await?;
    let said = app.text(&in_apps("matching")).await?;
    let grants = said.split('·').nth(1).map(digits).unwrap_or_default();
    record
        .step(
            app,
            "Filter by width: wide",
            &format!("{matching} of the ledger's {} grants", truth.len()),
            said,
            grants == format!("{matching}{}", truth.len()),
        )
        .await?;

    app.click(&hook("nav-map")).await?;
    let told = "const map = document.querySelector('[data-test=map]'); \
        const found = map?.getAttribute('aria-label')?.match(/([0-9,]+) grants?$/); if (!found) return null; \
        const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height); \
        const colours = new Set(); \
        for (let at = 0; at < data.length; at += 4) colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]); \
        return colours.size > 2 ? found[1] : null";
    app.holds("the map is painted", &format!("return (() => {{ {told} }})() !== null"), vec![]).await?;
    let seen = app.script(told, vec![]).await?;
    let seen = seen.as_str().unwrap_or_default();
    record
        .step(
            app,
            "Look at the map of what is wide",
            &format!("a picture of {matching} grants, as the filter has them"),
            format!("a picture of {seen} grants"),
            digits(seen) == matching.to_string(),
        )
        .await?;

    app.chord(crate::stage::Key::Control, 'k').await?;
    app.focused("palette").await?;
    app.keys("quarterly").await?;
    app.holds(
        "the palette has found the app",
        "return document.querySelector('[data-test=found][aria-selected=true]')?.textContent.includes('Quarterly') === true",
        vec![],
    )
    .await?;
    app.press(crate::stage::Key::Enter).await?;
    let id = app.attribute(&hook("detail-app"), "data-id").await?.unwrap_or_default();
    let holds = truth.iter().filter(|grant| grant.connected_app_id == id).count();
    app.reads(&format!("{} [data-fact=granted_by]", hook("detail-app")), "member").await?;
    let granted = app.text(&format!("{} [data-fact=granted_by]", hook("detail-app"))).await?;
    record
        .step(
            app,
            "Find an app by a few letters with the palette",
            &format!("its detail, with the {holds} members that let it act"),
            granted.clone(),
            holds > 0 && granted.starts_with(&format!("{holds} member")),
        )
        .await
}

/// What story 3 left behind.
pub struct Contained {
    /// The app that was contained.
    pub connected_app_id: String,
    /// Its look-alike that had come since the last look, and was blocked too.
    pub also: String,
    /// The policy as it was.
    pub before: Value,
    /// The pack of evidence.
    pub pack: PathBuf,
    /// The head that vouches for it.
    pub head: String,
}

/// Story 3, by keyboard alone: an app that has two look-alikes, one of them new since the last look, is contained; its evidence is
/// exported and verified by a program that shares nothing with ours. Begins with nobody signed in, and ends in the sweep's view.
///
/// # Errors
/// When the window does not play along.
pub async fn containment(scene: &Scene, app: &App, record: &mut Record) -> Played<Contained> {
    sign_in(scene, app, "admin").await?;
    let screen = hook("screen-apps");
    let summary = format!("{screen} .pane {}", hook("summary"));
    app.reads(&summary, "grants · read").await?;
    let before = scene.grants().await?;
    let of = |truth: &[Granted], id: &str| truth.iter().filter(|one| one.connected_app_id == id).count();
    let apps: BTreeSet<&str> = before.iter().map(|one| one.connected_app_id.as_str()).collect();
    let id = most_granted(&before);
    let people: Vec<&str> = scene.sandbox.card().people.iter().map(|one| one.member_id.as_str()).collect();
    let who = before
        .iter()
        .find(|one| one.connected_app_id == id && !people.contains(&one.member_id.as_str()))
        .ok_or_else(|| Mishap::new("nobody else has granted it"))?;
    // Somebody loses the app elsewhere, and consents to its double under another client id.
    scene.faults(json!({"reconsent_after_ms": 0, "reconsent_new_client_id": true, "on": id})).await?;
    scene.revoke_from_elsewhere(&who.member_id, &id).await?;
    let truth = scene.grants().await?;
    scene.faults(json!({"reconsent_after_ms": null, "reconsent_new_client_id": false, "on": id})).await?;
    let also = truth.iter().find(|one| !apps.contains(one.connected_app_id.as_str()));
    let also = also.ok_or_else(|| Mishap::new("no double came"))?.connected_app_id.clone();
    let policy = scene.policy(json!({})).await?;
    palette(app, "read", "act-read").await?;
    app.see(&format!("{screen} .pane {}", hook("changes"))).await?;

    palette(app, APP, &format!("app {id}")).await?;
    app.see(&format!("{}[data-id=\"{id}\"]", hook("detail-app"))).await?;
    palette(app, "contain", "act-contain").await?;
    app.see("dialog[data-stage=\"contain\"]").await?;
    let open = "return [...document.querySelectorAll('[data-test=decision]')].map((one) => one.dataset.id)";
    let asked: Vec<String> = serde_json::from_value(app.script(open, vec![]).await?)?;
    let dead = app.attribute(&format!("dialog {}", hook("confirm")), "disabled").await?.is_some();
    let mute = app.attribute(&hook("contain-typed"), "disabled").await?.is_some();
    let decide = app.text("dialog [data-slot=decide-title]").await?;
    record
        .step(
            app,
            "Contain an app that has two look-alikes, one of them new",
            "its look-alikes and what is new need a decision each, and until then nothing can be typed or pressed",
            format!("{decide}; the button is {}", if dead && mute { "dead" } else { "alive" }),
            dead && mute && asked.len() >= 2 && asked.contains(&also) && decide.starts_with(&asked.len().to_string()),
        )
        .await?;

    for _ in 0..asked.len() {
        let here = "return document.activeElement.closest('[data-test=decision]')?.dataset.id ?? null";
        let row = app.script(here, vec![]).await?;
        let Some(row) = row.as_str().map(str::to_owned) else {
            return Err(Mishap::new("the keyboard is on no decision"));
        };
        app.keys(" ").await?;
        if row == also {
            app.press(Key::Right).await?;
        }
        let decided = "return document.querySelector(`[data-test=decision][data-id=\"${arguments[0]}\"]`).dataset.decided \
            === arguments[1]";
        let choice = if row == also { "block" } else { "keep" };
        app.holds("that is decided", decided, vec![json!(row), json!(choice)]).await?;
        for _ in 0..4 {
            app.press(Key::Tab).await?;
            if app.script(here, vec![]).await?.as_str() != Some(&row) {
                break;
            }
        }
    }
    app.see("dialog [data-fact=\"to_type\"]").await?;
    let grants = of(&truth, &id) + of(&truth, &also);
    let to_type = app.text("dialog [data-fact=\"to_type\"]").await?;
    let button = app.text(&format!("dialog {}", hook("confirm"))).await?;
    let lead = app.text("dialog [data-fact=\"lead\"]").await?;
    let sent = scene.ledger().await?;
    record
        .step(
            app,
            "Decide: block the new one too, and keep the others",
            &format!(
                "{grants} grants of two apps are counted, {grants} {ORGANIZATION} is to be typed, nothing was sent"
            ),
            format!("{button}; type {to_type}; {}", one_line(&lead)),
            to_type == format!("{grants} {ORGANIZATION}")
                && button == format!("Block 2 apps and revoke {grants} grants in {ORGANIZATION}")
                && sent.policy_changes.is_empty()
                && sent.revocations.len() == 1,
        )
        .await?;

    for _ in 0..40 {
        if app.focus().await? == "contain-typed" {
            break;
        }
        app.press(Key::Tab).await?;
    }
    app.focused("contain-typed").await?;
    app.keys(&to_type).await?;
    app.press(Key::Enter).await?;
    app.see(&format!("{}[data-state=\"done\"]", hook("sweep"))).await?;
    let now = app.text(&hook("sweep-now")).await?;
    let blocked = app.text(&format!("{} [data-fact=policy]", hook("sweep"))).await?;
    let ledger = scene.ledger().await?;
    let left = ledger.grants.iter().filter(|(_, of)| *of == id || *of == also).count();
    record
        .step(
            app,
            "Type it and press Enter",
            &format!("one change of the policy, then {grants} revokes, and {grants} gone by a later read"),
            format!("{now} | {blocked} | the ledger has {left} left, after {} revokes", ledger.revocations.len() - 1),
            now.starts_with(&format!("{grants} gone at"))
                && blocked.contains("2 apps")
                && (left, ledger.policy_changes.len(), ledger.revocations.len()) == (0, 1, grants + 1),
        )
        .await?;

    for _ in 0..12 {
        if app.focus().await? == "sweep-export" {
            break;
        }
        app.press(Key::Tab).await?;
    }
    app.focused("sweep-export").await?;
    app.press(Key::Enter).await?;
    app.see("dialog[data-outcome=\"exported\"]").await?;
    let pack = PathBuf::from(app.fact("path").await?);
    let head = app.fact("head").await?;
    let verified = verify(&pack, &head).await?;
    record
        .step(
            app,
            "Export the evidence, and let another program verify it",
            "a pack in the folder for downloads that holds together, unchanged since the head that the window shows",
            format!("{}: {}, {} rows", pack.display(), verified["verdict"], verified["rows"]),
            verified["verdict"] == "unchanged" && verified["head"] == json!(head),
        )
        .await?;
    app.press(Key::Escape).await?;
    app.gone("dialog").await?;
    Ok(Contained { connected_app_id: id, also, before: policy, pack, head })
}

/// The app with the most grants, which in every sandbox is the one that the stories are about.
#[must_use]
pub fn most_granted(truth: &[Granted]) -> String {
    let of = |id: &str| truth.iter().filter(|one| one.connected_app_id == id).count();
    truth.iter().map(|one| one.connected_app_id.clone()).max_by_key(|id| of(id)).unwrap_or_default()
}

/// What the independent verifier says of a pack.
///
/// # Errors
/// When it cannot be run, or answers no JSON.
pub async fn verify(pack: &Path, head: &str) -> Played<Value> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/verify_pack.py");
    let ran = tokio::process::Command::new("python3").arg(program).arg(pack).args(["--head", head]).output().await?;
    Ok(serde_json::from_slice(&ran.stdout)?)
}

/// Opens the palette by key, types, goes to that entry, and takes it.
///
/// # Errors
/// When it has no such entry.
pub async fn palette(app: &App, text: &str, entry: &str) -> Played {
    app.chord(Key::Control, 'k').await?;
    app.focused("palette").await?;
    app.keys(text).await?;
    app.see(&format!("{}[data-key=\"{entry}\"]", hook("found"))).await?;
    for _ in 0..40 {
        if app.shows(&format!("{}[data-key=\"{entry}\"][aria-selected=\"true\"]", hook("found"))).await? {
            return app.press(Key::Enter).await;
        }
        app.press(Key::Down).await?;
    }
    Err(Mishap::new(format!("the palette never came to {entry}")))
}

/// The digits of a text, without what stands between them.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

//! `report.html`: the sweep for somebody who was not there, to be read and printed. One file, no script, nothing fetched; what
//! others wrote stands in it as text, isolated and made visible. Derived; the rows are the record.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use journal::{Environment, Failure, PersonKind, Read, Route, Utc, View};

use super::record::{Line, Record, harmless};
use super::{events, finding};
use crate::sweep::verdict::{Outcome, RULES_VERSION, Why};
use crate::sweeps::{BlockStand, PolicyReport};
use crate::watch::Kind;

/// Longest names, texts and ids that are printed whole, in characters.
const NAME: usize = 120;
const TEXT: usize = 2000;
const ID: usize = 160;
/// As many apps are named on the first page.
const APPS: usize = 5;
/// The scope by which an app can act as the member in everything, and make sessions.
const FULL_ACCESS: &str = "full_access";

/// A page.
pub(crate) fn write(sweep: &Record<'_>) -> String {
    let mut page = Page { out: String::with_capacity(20_000 + 1_200 * sweep.lines.len()) };
    page.open(sweep);
    page.facts(sweep);
    if sweep.is_finding() {
        page.finding(sweep);
        page.details(sweep);
        page.proof(sweep);
        page.out.push_str("</main>\n</body>\n</html>\n");
        return page.out;
    }
    page.summary(sweep);
    page.details(sweep);
    page.population(sweep);
    page.decisions(sweep);
    page.seen_again(sweep);
    page.doubts(sweep);
    if !sweep.lines.is_empty() {
        page.grants(sweep);
        page.reads(sweep);
    }
    page.proof(sweep);
    page.out.push_str("</main>\n</body>\n</html>\n");
    page.out
}

struct Page {
    out: String,
}

impl Page {
    /// Adds what is already HTML.
    fn html(&mut self, html: impl Display) {
        let _ = writeln!(self.out, "{html}");
    }

    fn fact(&mut self, name: &str, value: impl Display) {
        self.html(format_args!("<dt>{name}</dt><dd>{value}</dd>"));
    }

    fn open(&mut self, sweep: &Record<'_>) {
        let place = &sweep.opening.connection;
        let title = title(sweep);
        self.html("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
        self.html(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        );
        self.html("<meta name=\"viewport\" content=\"width=device-width\">");
        self.html(format_args!(
            "<title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>",
            include_str!("report.css")
        ));
        self.html(if sweep.is_finding() {
            "<header>\n<p class=\"kind\">Record of a search for connected apps</p>"
        } else {
            "<header>\n<p class=\"kind\">Record of a sweep of connected apps</p>"
        });
        self.html(format_args!("<h1>{title}</h1>"));
        let organization = match sweep.organization_name {
            Some(name) => format!("{} ({})", text(name, NAME), id(&place.organization_id)),
            None => id(&place.organization_id),
        };
        self.html(format_args!(
            "<p class=\"where\">{organization} <span class=\"world\">{}</span></p>",
            world(place.environment)
        ));
        self.html(format_args!(
            "<p class=\"where\">{} to {} (UTC)</p>\n</header>\n<main>",
            time(sweep.opened.utc),
            time(sweep.last.utc)
        ));
    }

    fn summary(&mut self, sweep: &Record<'_>) {
        if !sweep.closed {
            self.html(
                "<p class=\"warn\"><b>Unfinished.</b> The rows have no closing row: the sweep was stopped or is still being carried \
                 out. What stands here is what had been seen by the last row.</p>",
            );
        }
        if sweep.opening.connection.environment == Environment::Sandbox {
            self.html("<p class=\"warn\"><b>A drill.</b> This was done in a sandbox. No real grant was touched.</p>");
        }
        if sweep.lines.is_empty() {
            self.html("<h2>Outcome</h2>");
            self.block(sweep);
            self.html(format_args!(
                "<p><b>No grant was planned, and no revoke was sent.</b> This sweep was to change the \
                 organization’s policy and nothing else. It says of no grant that it is gone.</p>"
            ));
            return;
        }
        self.html("<h2>Outcome</h2>\n<table class=\"counts\">\n<thead><tr><th class=\"n\">Grants</th><th>Outcome</th><th>That is</th></tr></thead>\n<tbody>");
        for (outcome, n) in &sweep.outcomes {
            self.html(format_args!(
                "<tr><td class=\"n\">{n}</td><td class=\"out\">{}</td><td>{}</td></tr>",
                word(*outcome),
                meaning(*outcome)
            ));
        }
        let spared = sweep.lines.iter().filter(|line| line.finding.never_sent()).count();
        if spared > 0 {
            self.html(format_args!(
                "<tr><td class=\"n\">{spared}</td><td class=\"out\">not attempted</td><td>No request was sent, so the grant is as it \
                 was, as far as this sweep goes.</td></tr>"
            ));
        }
        self.html(format_args!(
            "<tr><td class=\"n\">{}</td><td>planned</td><td>Every grant of the plan is counted once.</td></tr>\n</tbody>\n</table>",
            sweep.lines.len()
        ));
        let maybe = sweep.maybe_sent();
        if maybe > 0 {
            self.html(format_args!(
                "<p><b>Sent, or not.</b> For {} a request was about to be sent, and nothing more is recorded of it, since the run ended \
                 there: it may have left this computer, or not.</p>",
                count(maybe, "grant", "grants")
            ));
        }
        self.block(sweep);
        if !sweep.seen_again.is_empty() {
            self.html(
                "<p class=\"warn\"><b>Something came back.</b> The outcomes say how it was as of the reads of this sweep. Later readings list \
                 again what is named below, under “Seen again after it was gone”.</p>",
            );
        }
        self.html(format_args!(
            "<p>Outcomes are derived from what was observed, by rules of version {RULES_VERSION}. “Gone” means: a complete read that \
             began after the request was answered no longer listed the grant. An answer alone is never taken for it.</p>"
        ));
    }

    /// What became of the block, as far as the rows tell, and apart from that what is known by a later reading.
    fn block(&mut self, sweep: &Record<'_>) {
        let Some(policy) = &sweep.policy else { return };
        let read = match policy.seen() {
            Some(seen) => format!("the last read of the policy in them began {} (UTC)", time(seen.began.utc)),
            None => "no read of the policy is in them".to_owned(),
        };
        self.html(format_args!(
            "<p><b>The block.</b> {} So far the rows of this sweep tell: {read}.</p>",
            block_meaning(policy)
        ));
        if let Some((later, at)) = &sweep.policy_later {
            self.html(format_args!(
                "<p class=\"warn\"><b>Read otherwise since.</b> When this pack was made, a later reading of the policy was known, of {} (UTC). \
                 By that: {} That reading is in no row of this sweep, and no head of the rows vouches for it.</p>",
                time(*at),
                block_meaning(later)
            ));
        }
    }

    fn finding(&mut self, sweep: &Record<'_>) {
        if sweep.opening.connection.environment == Environment::Sandbox {
            self.html("<p class=\"warn\"><b>A drill.</b> This was looked for in a sandbox.</p>");
        }
        self.html(finding::section(sweep));
    }

    fn facts(&mut self, sweep: &Record<'_>) {
        let opening = sweep.opening;
        let (place, actor) = (&opening.connection, &opening.actor);
        // What a reader has to find on the first page, the longest last.
        self.html("<h2>What, where and by whom</h2>\n<dl>");
        let apps = sweep.apps();
        if !apps.is_empty() {
            let mut told: Vec<String> =
                apps.iter().take(APPS).map(|(app, grants)| app_line(sweep, app, *grants)).collect();
            if apps.len() > APPS {
                told.push(format!("and {} more, which are named below", count(apps.len() - APPS, "app", "apps")));
            }
            self.fact(if apps.len() == 1 { "App" } else { "Apps" }, told.join("<br>"));
        }
        let name = sweep.organization_name.map(|name| format!("{}, ", text(name, NAME))).unwrap_or_default();
        self.fact("Organization", format_args!("{name}{}", id(&place.organization_id)));
        let who = sweep.person(&actor.member_id).map(|person| named(&person)).unwrap_or_default();
        self.fact("Carried out as", format_args!("{who}{}", id(&actor.member_id)));
        self.fact("Head of the rows", id(&sweep.head.to_string()));
        match (sweep.text(PersonKind::Reason), &opening.reason) {
            (Some(reason), _) => self.fact("Reason or ticket", text(reason, TEXT)),
            (None, Some(_)) => self.fact("Reason or ticket", "was given, and has been erased"),
            (None, None) => self.fact("Reason or ticket", "none was given"),
        }
        self.html("</dl>");
    }

    fn details(&mut self, sweep: &Record<'_>) {
        let opening = sweep.opening;
        let (place, actor) = (&opening.connection, &opening.actor);
        self.html("<h2>Session and program</h2>\n<dl>");
        self.fact("Environment", world(place.environment));
        self.fact(
            "API",
            format_args!("<code>{}://{}:{}</code>", bare(&place.scheme, ID), bare(&place.host, ID), place.port),
        );
        self.fact("Member session", id(&actor.member_session_id));
        self.fact("Roles of the session", list(&actor.roles));
        self.fact("Signed in with", list(&actor.factors));
        match (sweep.text(PersonKind::Impersonator), &actor.impersonator) {
            (Some(who), _) => self.fact("Impersonated by", text(who, NAME)),
            (None, Some(_)) => self.fact("Impersonated by", "somebody whose address has been erased"),
            (None, None) => self.fact("Impersonated by", "nobody"),
        }
        let tool = &opening.tool;
        self.fact(
            "Program",
            format_args!(
                "{} {} (commit {})",
                bare(&tool.name, NAME),
                bare(&tool.version, NAME),
                bare(&tool.commit, NAME)
            ),
        );
        self.fact("Sweep", id(&opening.sweep_id.to_string()));
        self.fact("Plan", format_args!("{} (its hash)", id(&opening.plan.hash.to_string())));
        self.html("</dl>");
    }

    fn population(&mut self, sweep: &Record<'_>) {
        let members: BTreeSet<&str> = sweep.lines.iter().map(|line| line.grant.member_id.as_str()).collect();
        let apps: BTreeSet<&str> = sweep.lines.iter().map(|line| line.grant.connected_app_id.as_str()).collect();
        self.html("<h2>Population</h2>");
        if sweep.lines.is_empty() {
            self.html(
                "<p>No grant was planned: the lists named none of these apps’ grants, or not the apps themselves. That proves of no \
                 member that they never granted one.</p>",
            );
        } else {
            self.html(format_args!(
                "<p>{} planned: {} with {}.</p>",
                count(sweep.lines.len(), "grant was", "grants were"),
                count(members.len(), "member", "members"),
                count(apps.len(), "connected app", "connected apps")
            ));
        }
        let Some((_, note)) = sweep.notes.iter().find(|(_, note)| note.what == "inventory") else {
            self.html(
                "<p>No inventory of the organization had been read here before the sweep began, or the rows do not say which.</p>",
            );
            return;
        };
        let detail =
            |key: &str| note.detail.get(key).map_or_else(|| "not recorded".to_owned(), |value| bare(value, NAME));
        self.html("<p>The last inventory of the organization that was read here before the sweep began:</p>\n<dl>");
        // Known and not listed: the policy hides them, or they were listed once and not this time.
        let more = match note.detail.get("apps_known") {
            Some(known) if note.detail.get("apps_listed") != Some(known) => format!(" of {} known", bare(known, NAME)),
            _ => String::new(),
        };
        self.fact("Read", format_args!("{} to {} (UTC)", detail("began_at"), detail("read_at")));
        self.fact(
            "Apps",
            format_args!("{} listed{more}, the members of {} of them read", detail("apps_listed"), detail("apps_read")),
        );
        self.fact("Members", detail("members"));
        let gone = note.detail.get("found_gone").and_then(|n| n.parse().ok()).unwrap_or(0);
        self.fact("Grants", detail("grants") + &finding::without(gone));
        self.fact("Members’ names", detail("names"));
        if let Some(number) = note.detail.get("snapshot") {
            self.fact("Kept as", format_args!("snapshot {} of the journal", bare(number, NAME)));
        }
        self.html("</dl>");
        match note.detail.get("missing").map(String::as_str) {
            Some("0") => self.html("<p>Nothing was missing from that reading.</p>"),
            _ => self.html(format_args!(
                "<p class=\"warn\">{} of that reading could not be read. Grants that were not seen may exist beside those planned.</p>",
                detail("missing")
            )),
        }
        if let Some(untold) = note.detail.get("not_borne_out") {
            self.html(format_args!(
                "<p class=\"warn\">Grants that an earlier reading had, that were in no list of that one, and of which nothing bore out that \
                 they were gone: {}. They are counted here and not named. A later reading asks after others of their members.</p>",
                bare(untold, NAME)
            ));
        }
    }

    fn decisions(&mut self, sweep: &Record<'_>) {
        self.html("<h2>Decisions and events</h2>");
        self.html(events::section(sweep));
        let theirs = sweep.lines.iter().filter(|line| line.grant.first_party).count();
        if theirs > 0 {
            self.html(format_args!(
                "<p>{} of an app of the vendor’s own: revoking these was asked for expressly.</p>",
                count(theirs, "grant is", "grants are")
            ));
        }
        if sweep.unknown > 0 {
            self.html(format_args!(
                "<p class=\"warn\">{} of a kind that the program which made this report does not know. A later version can tell \
                 what they say; they are hashed like all others.</p>",
                count(sweep.unknown, "row is", "rows are")
            ));
        }
    }

    fn seen_again(&mut self, sweep: &Record<'_>) {
        if sweep.seen_again.is_empty() {
            return;
        }
        self.html(
            "<h2>Seen again after it was gone</h2>\n<p>This is not part of the chained rows, and no head of them vouches for it. It comes from \
             later readings of the organization’s inventory, which the journal keeps beside the chain, and says what the last of them showed \
             when this pack was made. A grant that is listed again was not removed, or was consented to again: Stytch gives no way to tell \
             which. A look-alike is another app with a name like the lost one’s, first seen with the member after the loss.</p>",
        );
        self.html(
            "<table class=\"events\">\n<thead><tr><th class=\"n\">No.</th><th>Member</th><th>Gone (UTC)</th><th>Listed \
             again</th><th>By</th></tr></thead>\n<tbody>",
        );
        for again in &sweep.seen_again {
            let line = sweep.line_of(&again.grant);
            let n = line.map(|line| line.grant.n.to_string()).unwrap_or_default();
            let member = line.map(|line| named(&line.person)).unwrap_or_default();
            let what = match again.kind {
                Kind::SeenAgain => "the same app",
                Kind::LookAlike => "a look-alike",
            };
            self.html(format_args!(
                "<tr><td class=\"n\">{n}</td><td>{member}{}</td><td class=\"time\">{}</td><td class=\"time\">first {}<br>last \
                 {}</td><td>{what}, {}<br>{}<span class=\"sub\">in the app’s own list of active members</span></td></tr>",
                id(again.grant.member_id.as_str()),
                time(Utc::new(again.gone_at)),
                time(Utc::new(again.first_seen_at)),
                time(Utc::new(again.seen_at)),
                text(&again.app_name, NAME),
                id(again.connected_app_id.as_str()),
            ));
        }
        self.html("</tbody>\n</table>");
    }

    fn doubts(&mut self, sweep: &Record<'_>) {
        self.html("<h2>What could not be proven</h2>\n<ul>");
        for outcome in sweep.outcomes.keys().filter(|outcome| !outcome.is_gone()) {
            let of = |line: &&Line<'_>| line.finding.outcome == *outcome && !line.finding.never_sent();
            let of_these: Vec<&Line<'_>> = sweep.lines.iter().filter(of).collect();
            let reason_of = |line: &Line<'_>| line.finding.why.map_or_else(|| doubt(line), why);
            let reasons: BTreeSet<&str> = of_these.iter().map(|line| reason_of(line)).collect();
            for reason in reasons {
                let n = of_these.iter().filter(|line| reason_of(line) == reason).count();
                self.html(format_args!(
                    "<li><b>{}, {}:</b> {reason}</li>",
                    word(*outcome),
                    count(n, "grant", "grants")
                ));
            }
        }
        let spared = sweep.lines.iter().filter(|line| line.finding.never_sent()).count();
        if spared > 0 {
            self.html(format_args!(
                "<li><b>Not attempted, {}:</b> no request was sent, so nothing is proven of it either way.</li>",
                count(spared, "grant", "grants")
            ));
        }
        let unconfirmed = sweep.lines.iter().filter(|line| line.gone() && line.finding.confirmed.is_none()).count();
        if unconfirmed > 0 {
            self.html(format_args!(
                "<li><b>Gone and not yet confirmed, {}:</b> no second clean read at least ten minutes later stands in the rows. A first \
                 one can come from a cache of the server, and an authorization code that was not yet redeemed can still become a grant.</li>",
                count(unconfirmed, "grant", "grants")
            ));
        }
        if let Some(until) = sweep.lines.iter().filter_map(|line| line.finding.tokens_until()).max() {
            self.html(format_args!(
                "<li><b>Tokens issued before.</b> Access tokens that the apps already held may be accepted until about {} UTC, if the \
                 vendor kept Stytch’s 60-minute default. Lifetimes are set for each app and cannot be seen by an organization’s \
                 administrator.</li>",
                time(until)
            ));
        }
        let full = sweep.lines.iter().filter(|line| line.grant.scopes.iter().any(|scope| scope == FULL_ACCESS)).count();
        if full > 0 {
            self.html(format_args!(
                "<li><b>{} had the scope full_access.</b> Such an app may have opened sessions that a revoke is not documented to \
                 end.</li>",
                count(full, "grant", "grants")
            ));
        }
        self.html(
            "<li><b>Consent can be given again.</b> Unless the organization’s policy forbids an app, its members may connect it again at any \
             time after the last read.</li>\n<li><b>What nobody listed.</b> Only grants that the API lists can be planned and read again.</li>\n</ul>",
        );
    }

    fn grants(&mut self, sweep: &Record<'_>) {
        self.html("<section class=\"wide\">\n<h2>Every grant</h2>");
        self.html("<p>Member, roles and scopes are those from before. All times are UTC, by the clock of the computer that ran the program.</p>");
        self.html(
            "<table class=\"grants\">\n<colgroup><col style=\"width:4%\"><col style=\"width:25%\"><col style=\"width:26%\"><col \
             style=\"width:8%\"><col style=\"width:22%\"><col style=\"width:15%\"></colgroup>\n<thead><tr><th \
             class=\"n\">No.</th><th>Member</th><th>App and scopes</th><th>Outcome</th><th>Request</th><th>Read again</th></tr></thead>\n<tbody>",
        );
        for line in &sweep.lines {
            let row = row(line);
            self.html(row);
        }
        self.html("</tbody>\n</table>\n</section>");
    }

    fn reads(&mut self, sweep: &Record<'_>) {
        self.html("<section class=\"wide\">\n<h2>Every read</h2>");
        if sweep.reads.is_empty() {
            self.html("<p>None stands in the rows.</p>\n</section>");
            return;
        }
        self.html(
            "<table class=\"reads\">\n<colgroup><col style=\"width:4%\"><col style=\"width:31%\"><col style=\"width:19%\"><col \
             style=\"width:17%\"><col style=\"width:29%\"></colgroup>\n<thead><tr><th class=\"n\">No.</th><th>View</th><th>When</th><th>Answer</th><th>Grants of this \
             sweep in it</th></tr></thead>\n<tbody>",
        );
        for read in &sweep.reads {
            self.html(read_row(read));
        }
        self.html("</tbody>\n</table>\n</section>");
    }

    fn proof(&mut self, sweep: &Record<'_>) {
        self.html("<section>\n<h2>How to check this record</h2>");
        self.html(format_args!(
            "<p>This report is derived from the rows in <code>rows.jsonl</code>, beside it in the same pack: {} in one chain of hashes, whose \
             last has this head:</p>\n<code class=\"head\">{}</code>",
            count(sweep.rows.all().len(), "row", "rows"),
            sweep.head
        ));
        self.html(
            "<p>The pack is checked without network and without the program’s own data by</p>\n<code class=\"head\">cutoff verify PACK --head \
             HEAD</code>\n<p>HEAD is the head that was noted when the pack was made (the SHA-256 of its <code>manifest.json</code>, which covers \
             this report too) or the one above (which covers the rows). A second verifier, written independently in Python, comes with the \
             program’s source as <code>tests/verify_pack.py</code>; the format is described there in <code>EVIDENCE.md</code>.</p>",
        );
        self.html(
            "<p><b>What that proves.</b> That the rows are those, in that order, of which the head was noted.</p>\n<p><b>What it does not \
             prove.</b> Who wrote them, that they are true, or that nothing was left out before. Without a head that was noted somewhere else \
             it proves only that the pack is consistent: a chain can be computed anew after an edit. Names and addresses can be erased from \
             the pack without touching the chain.</p>",
        );
        if sweep.sent() > 0 {
            self.html(
                "<p>The request ids can be compared with the vendor’s own logs, for which <code>letter.txt</code> is a ready letter.</p>",
            );
        }
        self.html("</section>");
        self.html(format_args!(
            "<footer>Sweep {}. Head {}.</footer>",
            id(&sweep.opening.sweep_id.to_string()),
            id(&sweep.head.to_string())
        ));
    }
}

/// An app, and how much of it the sweep is about.
fn app_line(sweep: &Record<'_>, app: &str, grants: usize) -> String {
    let name = sweep.app_name(app).map(|name| format!("{}, ", text(name, NAME))).unwrap_or_default();
    let of = match grants {
        0 if sweep.lines.is_empty() => String::new(),
        0 => ": to be blocked, no grant planned".to_owned(),
        n => format!(": {}", count(n, "grant", "grants")),
    };
    format!("{name}{}{of}", id(app))
}

fn row(line: &Line<'_>) -> String {
    let (grant, finding) = (line.grant, &line.finding);
    let mut out = format!("<tr><td class=\"n\">{}</td><td>{}{}", grant.n, named(&line.person), id(&grant.member_id));
    if grant.route == Route::Oneself {
        out.push_str("<span class=\"sub\">the actor’s own grant</span>");
    }
    match &grant.member_roles {
        Some(roles) => {
            let _ = write!(out, "<span class=\"sub\">roles: {}</span>", list(roles));
        }
        None => out.push_str("<span class=\"sub\">roles: not known</span>"),
    }
    let app = line.app_name.map(|name| format!("{}<br>", text(name, NAME))).unwrap_or_default();
    let kind = grant.client_type.as_deref().map(|kind| format!(" ({})", bare(kind, NAME))).unwrap_or_default();
    let _ = write!(
        out,
        "</td><td>{app}{}{kind}<span class=\"sub\">scopes: {}</span></td>",
        id(&grant.connected_app_id),
        list(&grant.scopes)
    );
    let class = if line.gone() { "out" } else { "out open" };
    let said = if finding.never_sent() { "not attempted" } else { word(finding.outcome) };
    let _ = write!(out, "<td><span class=\"{class}\">{said}</span>");
    if let Some(reason) = finding.why {
        let _ = write!(out, "<span class=\"sub\">{}</span>", short_why(reason));
    }
    out.push_str("</td><td>");
    match (&finding.answer, &finding.sent) {
        (Some((answer, _)), None) if answer.failure == Some(Failure::NotSent) => {
            out.push_str("not attempted<span class=\"sub\">the request did not leave this computer</span>");
        }
        (_, None) if line.gone() => out.push_str("none was needed"),
        (None, None) => out.push_str("not attempted"),
        (answer, sent) => {
            if let Some(sent) = sent {
                let what = if finding.maybe_sent() { "about to be sent" } else { "sent" };
                let _ = write!(out, "<span class=\"time\">{what} {}</span><br>", time(sent.utc));
            }
            match answer {
                Some((answer, at)) if answer.answered => {
                    let _ = write!(out, "<span class=\"time\">answered {}</span>", time(at.utc));
                    if let Some(status) = answer.status {
                        let _ = write!(out, ", HTTP {status}");
                    }
                    if let Some(error) = &answer.error_type {
                        let _ = write!(out, " {}", text(error, NAME));
                    }
                    out.push_str("<br>");
                    if let Some(request) = &answer.request_id {
                        out.push_str(&id(request));
                    }
                }
                Some((answer, _)) if answer.failure == Some(Failure::NotSent) => {
                    out.push_str("no answer<span class=\"sub\">the last request did not leave this computer</span>");
                }
                Some(_) => out.push_str("no answer"),
                None => out.push_str("no answer was recorded: it may have left, or not"),
            }
            if finding.attempts > 1 {
                let _ = write!(out, "<span class=\"sub\">{} attempts</span>", finding.attempts);
            }
        }
    }
    out.push_str("</td><td>");
    let mut said = false;
    for (name, clock) in [("gone", &finding.gone), ("confirmed", &finding.confirmed), ("still listed", &finding.listed)]
    {
        if let Some(clock) = clock {
            said = true;
            let _ = write!(out, "<span class=\"time\">{name} {}</span><br>", time(clock.utc));
        }
    }
    if !said {
        match &finding.last_read {
            Some(read) => {
                let _ = write!(out, "<span class=\"time\">last read {}</span>", time(read.began.utc));
            }
            None => out.push_str("not read again"),
        }
    }
    out.push_str("</td></tr>");
    out
}

fn read_row(read: &Read) -> String {
    let view = match read.view {
        View::App => "the app’s active members",
        View::Member => "the member’s connected apps",
        View::Oneself => "one’s own connected apps",
        View::Organization => "the organization’s connected apps",
        View::Unknown => "a list that this version does not know",
    };
    let subject = read.subject.as_deref().map(|subject| format!("<br>{}", id(subject))).unwrap_or_default();
    let status = read.status.map_or_else(|| "no answer".to_owned(), |status| format!("HTTP {status}"));
    let error = read.error_type.as_deref().map(|error| format!(" {}", text(error, NAME))).unwrap_or_default();
    let whole = if read.complete { "complete" } else { "not complete" };
    let unreadable = if read.unreadable > 0 {
        format!(", {} unreadable", count(read.unreadable as usize, "row", "rows"))
    } else {
        String::new()
    };
    let request = read.request_id.as_deref().map(|request| format!("<br>{}", id(request))).unwrap_or_default();
    let hidden = match read.policy.as_ref().and_then(|policy| policy.app_forbidden) {
        Some(true) => "<br>the policy forbade the app at that time",
        _ => "",
    };
    format!(
        "<tr><td class=\"n\">{}</td><td>{view}{subject}</td><td class=\"time\">{}<br>to {}</td><td>{status}{error}, \
         {whole}{unreadable}{request}</td><td>listed: {}<br>not listed: {}{hidden}</td></tr>",
        read.read,
        time(read.began.utc),
        time(read.ended.utc),
        numbers(&read.present),
        numbers(&read.absent)
    )
}

/// Numbers of grants, runs of them drawn together.
fn numbers(numbers: &[u32]) -> String {
    if numbers.is_empty() {
        return "none".to_owned();
    }
    let sorted: BTreeSet<u32> = numbers.iter().copied().collect();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for n in &sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*n) => *last = *n,
            _ => runs.push((*n, *n)),
        }
    }
    let told: Vec<String> = runs
        .iter()
        .take(12)
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") })
        .collect();
    let more = if runs.len() > 12 { ", …" } else { "" };
    format!("{} (no. {}{more})", sorted.len(), told.join(", "))
}

/// What was done, without claiming more than the reads show.
fn title(sweep: &Record<'_>) -> String {
    if sweep.is_finding() {
        return finding::title(sweep);
    }
    if sweep.lines.is_empty() {
        return block_title(sweep);
    }
    let planned = count(sweep.lines.len(), "grant", "grants");
    let gone: usize = sweep.outcomes.iter().filter(|(outcome, _)| outcome.is_gone()).map(|(_, n)| n).sum();
    let never_sent = sweep.lines.iter().filter(|line| line.finding.never_sent()).count();
    let unproven = sweep.lines.len() - gone - never_sent;
    let all = if gone == sweep.lines.len() { String::new() } else { format!("{gone} ") };
    let mut title = format!("Revocation of {planned} of connected apps: {all}gone by a later read");
    for (n, what) in [(unproven, "not proven"), (never_sent, "never sent")] {
        if n > 0 {
            let _ = write!(title, ", {n} {what}");
        }
    }
    if let Some(policy) = &sweep.policy {
        let _ = write!(title, "; block {}", block_words(policy, sweep));
    }
    // Later than the rows, and yet no title may say less than is known.
    let (again, alike) = sweep.came_back();
    for (n, what) in [(again, "seen again since"), (alike, "followed by a look-alike")] {
        if n > 0 {
            let _ = write!(title, "; {n} {what}");
        }
    }
    title
}

/// What a sweep without grants came to, by the last read of the policy.
fn block_title(sweep: &Record<'_>) -> String {
    let Some(policy) = &sweep.policy else { return "A sweep without grants".to_owned() };
    let of = format!("Block of {}", count(policy.forbids.len(), "connected app", "connected apps"));
    format!("{of}: {}", block_words(policy, sweep))
}

/// The same, with what a later reading tells otherwise.
fn block_words(policy: &PolicyReport, sweep: &Record<'_>) -> String {
    let word = block_word(policy);
    match &sweep.policy_later {
        Some((later, at)) => {
            format!("{word}; by a later reading, of {} UTC and in no row: {}", time(*at), block_word(later))
        }
        None => word.to_owned(),
    }
}

/// What became of a block, in a few words.
fn block_word(policy: &PolicyReport) -> &'static str {
    match policy.stand() {
        BlockStand::Overtaken => "not made, the policy had been changed before",
        BlockStand::Theirs => "no longer this sweep’s, the policy forbids the apps by another change",
        BlockStand::ForbiddenBefore => "forbidden by the policy before, and nothing was changed",
        BlockStand::InForce => "in force by a later read of the policy",
        BlockStand::Lifted => "lifted since",
        BlockStand::Denied => "refused",
        BlockStand::Unread => "sent, and not read to be in force",
        BlockStand::NotInForce => "not in force",
    }
}

/// The same in a sentence or two, of then and not of now.
fn block_meaning(policy: &PolicyReport) -> &'static str {
    match policy.stand() {
        BlockStand::Overtaken if policy.in_force => {
            "The policy was no longer as the plan showed it, so nothing was changed. As it was read, it forbade every app of the block."
        }
        BlockStand::Overtaken => {
            "The policy was no longer as the plan showed it, so nothing was changed: members may have been able to consent."
        }
        BlockStand::Theirs if policy.lifted => {
            "The block was lifted again. As it was read after that, the policy forbade every app of it all the same, by another change."
        }
        BlockStand::Theirs => {
            "Nothing of this sweep’s change was left in the policy when it was last read. It forbade every app of the block all the same, by another change."
        }
        BlockStand::ForbiddenBefore => {
            "The policy forbade every app of the block already, so nothing was changed: none of them could be consented to when it was last read."
        }
        BlockStand::InForce => {
            "The policy was read after the change and forbade every app of the block: none of them could be consented to then."
        }
        BlockStand::Lifted => "The block was lifted again: members could consent then.",
        BlockStand::Denied => "Stytch refused the change of the policy: members could consent then.",
        BlockStand::Unread => {
            "The change of the policy was sent, or was about to be, and the policy was not read again: whether members could consent is not known."
        }
        BlockStand::NotInForce => {
            "The last read of the policy did not show every app of the block forbidden: members could consent then to what it did not forbid."
        }
    }
}

fn world(environment: Environment) -> &'static str {
    match environment {
        Environment::Test => "TEST",
        Environment::Live => "LIVE",
        Environment::Sandbox => "SANDBOX",
        Environment::Unknown => "UNKNOWN",
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Revoked => "revoked",
        Outcome::Accepted => "accepted, not proven",
        Outcome::StillThere => "still there",
        Outcome::AlreadyGone => "already gone",
        Outcome::Hidden => "hidden",
        Outcome::MemberGone => "member gone",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}

fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Revoked => "The revoke was answered, and a complete later read no longer listed the grant.",
        Outcome::Accepted => "The revoke was answered, and no complete later read could show that the grant is gone.",
        Outcome::StillThere => {
            "The revoke was answered, and the last read, late enough after it, still listed the grant."
        }
        Outcome::AlreadyGone => {
            "A complete read did not list it, and no revoke of this sweep was answered with success."
        }
        Outcome::Hidden => {
            "No revoke of this sweep was answered with success, and the organization’s policy forbids the app: what no list shows then may \
             be there all the same."
        }
        Outcome::MemberGone => "The member is gone, and the app’s own list of members lacks them.",
        Outcome::Denied => "Refused: the member was not permitted to revoke it.",
        Outcome::Failed => "Not carried out, for a certain reason.",
        Outcome::Unknown => "Not known: no answer and no read has settled it.",
    }
}

/// What is in doubt about an outcome that names no reason of its own.
fn doubt(line: &Line<'_>) -> &'static str {
    match line.finding.outcome {
        Outcome::StillThere => {
            "listed in the last read: not removed, or consented to again. Stytch gives no way to tell which."
        }
        Outcome::Hidden => {
            "the policy forbids the app, so that its absence proves nothing: most lists leave out what is forbidden, and a server may cut \
             the app’s own short."
        }
        Outcome::Denied => "Stytch refused: nothing was changed by these requests.",
        Outcome::Failed => "Stytch refused, or the request did not leave this computer.",
        Outcome::Unknown => "whether Stytch carried it out is not known. It is neither counted as done nor as failed.",
        _ => "no complete later read shows it.",
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::NoReadAllowed => "the member who carried it out may read no list that would show it.",
        Why::HiddenByPolicy => {
            "the organization’s policy forbids the app, which hides its grants: absence from the lists proves nothing."
        }
        Why::NotReadYet => "it was not read since.",
        Why::ReadFailed => "the reads after it were not answered.",
        Why::ReadIncomplete => "the reads after it were incomplete, or did not say whether the policy hides the app.",
        Why::SessionEnded => "the session ended before it could be read again.",
        Why::ListedYet => {
            "listed in the last read, which began too soon after the answer to call it still there: lists may trail behind."
        }
    }
}

fn short_why(why: Why) -> &'static str {
    match why {
        Why::NoReadAllowed => "no read is permitted",
        Why::HiddenByPolicy => "hidden by the policy",
        Why::NotReadYet => "not read yet",
        Why::ReadFailed => "reads failed",
        Why::ReadIncomplete => "reads incomplete",
        Why::SessionEnded => "session ended",
        Why::ListedYet => "listed, and read too soon to tell",
    }
}

fn named(person: &journal::Person) -> String {
    let parts: Vec<String> = [&person.name, &person.email]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(|part| format!("{}<br>", text(part, NAME)))
        .collect();
    parts.concat()
}

fn list(words: &[String]) -> String {
    const MOST: usize = 40;
    if words.is_empty() {
        return "none".to_owned();
    }
    let told: Vec<String> = words.iter().take(MOST).map(|word| text(word, NAME)).collect();
    let more = if words.len() > MOST { format!(" and {} more", words.len() - MOST) } else { String::new() };
    told.join(", ") + &more
}

/// A text of somebody else's, isolated: what stands around it keeps its direction.
pub(super) fn text(text: &str, most: usize) -> String {
    format!("<bdi>{}</bdi>", bare(text, most))
}

/// An id as it was received.
pub(super) fn id(text: &str) -> String {
    format!("<bdi class=\"id\">{}</bdi>", bare(text, ID))
}

pub(super) fn bare(text: &str, most: usize) -> String {
    harmless(text, most)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

pub(super) fn time(at: Utc) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A number with its noun.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_shown_and_can_do_nothing() {
        assert_eq!(text("<script>alert(1)</script>", NAME), "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>");
        assert_eq!(text("\"' onload=x &amp;", NAME), "<bdi>&quot;&#39; onload=x &amp;amp;</bdi>");
        assert_eq!(text("Acme\u{202e}tpircS", NAME), "<bdi>Acme&lt;U+202E&gt;tpircS</bdi>");
        assert_eq!(
            text("Data\u{200b}Sync\u{0}\n", NAME),
            "<bdi>Data&lt;U+200B&gt;Sync&lt;U+0000&gt;&lt;U+000A&gt;</bdi>"
        );
        let long = text(&"x".repeat(10_000), NAME);
        assert!(long.ends_with("… (10000 characters)</bdi>") && long.len() < 200, "{long}");
        assert_eq!(text("Ünïcode 日本語 🎉", NAME), "<bdi>Ünïcode 日本語 🎉</bdi>");
    }

    #[test]
    fn runs_of_grants_are_drawn_together() {
        assert_eq!(numbers(&[]), "none");
        assert_eq!(numbers(&[3, 1, 2, 7]), "4 (no. 1–3, 7)");
        assert_eq!(numbers(&[u32::MAX]), "1 (no. 4294967295)");
    }
}

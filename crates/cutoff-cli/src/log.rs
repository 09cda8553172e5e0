//! `cutoff log`: the sweeps in the journal, what each did, and what became of each grant of one. It asks nobody, unless it is told to
//! settle first what is due.

use std::collections::{BTreeMap, HashMap};

use cutoff::activity::{Digest, Resume, Sought, Stand, Wanted};
use cutoff::clock::rfc3339;
use cutoff::indicators::KnownBefore;
use cutoff::plan_file::Pair;
use cutoff::report::Report;
use cutoff::seen_again::SeenAgain;
use cutoff::sweeps::{BlockStand, PolicyReport};
use cutoff::watch::Kind;
use journal::{SweepId, Verdict};
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{DONE, Ending};
use crate::flags::Log;
use crate::next::command;
use crate::seat::Seat;
use crate::text::{Set, Table, cut, safe};
use crate::told::{Printer, count, utc, utc_of};
use crate::{Done, apply, say};

/// Apps that are named one by one; after that many, a number stands for the others.
const MOST: usize = 20;

/// One sweep on a line.
#[derive(Serialize)]
struct Line<'a> {
    sweep_id: String,
    /// `contain`, `revoke` or `finding`.
    kind: &'static str,
    /// `closed`, `running`, `unfinished` or `cancelled`.
    state: &'static str,
    began_at: String,
    organization_id: &'a str,
    member_id: &'a str,
    reason: Option<&'a str>,
    grants: usize,
    members: u32,
    apps: Vec<App>,
    /// Without those that nothing was sent for.
    outcomes: BTreeMap<&'static str, u32>,
    /// How many nothing was sent for, though they are not known to be gone.
    not_attempted: u32,
    /// How many of those that were gone a later reading listed again.
    seen_again: usize,
    block: Option<BlockLine<'a>>,
    /// Of a finding alone.
    finding: Option<FindingLine>,
    gone_at: Option<String>,
    confirmed_at: Option<String>,
    confirm_due_at: Option<String>,
    closed: bool,
    head: &'a str,
}

/// One app of a sweep.
#[derive(Serialize)]
struct App {
    connected_app_id: String,
    app_name: Option<String>,
    grants: usize,
}

/// What a sweep did to the organization's policy.
#[derive(Serialize)]
struct BlockLine<'a> {
    /// `in_force`, `lifted`, `denied`, `overtaken`, `unread`, `forbidden_by_others`, or `not_in_force` for what the last read of the policy
    /// shows so.
    state: &'static str,
    apps: usize,
    at: Option<&'a str>,
    request_id: Option<&'a str>,
    returned: usize,
}

/// One indicator of a finding on a line.
#[derive(Serialize)]
struct SoughtLine<'a> {
    indicator: Option<&'a str>,
    matched_by: &'a str,
    connected_app_ids: &'a [String],
    look_alike_app_ids: &'a [String],
    grants: u32,
    /// Apps of it that an earlier reading had and no list had then.
    known_before: &'a [KnownBefore],
    /// Whether everything was read that the finding looked in: if not, what was not found may be there all the same.
    complete: bool,
}

/// What a finding came to.
#[derive(Serialize)]
struct FindingLine {
    indicators: usize,
    found: usize,
    /// Whether everything was read that was looked in.
    complete: bool,
    /// Whether nothing was found because nothing is there.
    nil: bool,
}

impl FindingLine {
    fn of(sought: &[Sought], complete: bool) -> Self {
        let found = sought.iter().filter(|indicator| indicator.matched_by != "none").count();
        Self { indicators: sought.len(), found, complete, nil: found == 0 && complete }
    }

    fn told(&self) -> String {
        let of = count(self.indicators, "indicator", "indicators");
        match (self.found, self.complete) {
            (0, true) => format!("Nil finding: none of {of} found, everything read"),
            (0, false) => format!("None of {of} found, not everything read: no nil finding"),
            (found, true) => format!("{found} of {of} found"),
            (found, false) => format!("{found} of {of} found, not everything read"),
        }
    }
}

/// One grant on a line: as it is told when a plan is carried out, and once it is, when it was confirmed.
#[derive(Serialize)]
struct GrantLine<'a> {
    #[serde(flatten)]
    told: apply::Told<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<&'a str>,
    /// When a later reading listed it first again.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_again_at: Option<String>,
}

/// Lists sweeps, or the grants of one.
///
/// # Errors
/// When the journal cannot be read, or has no such sweep.
pub async fn run(seat: &Seat, flags: &Log) -> Done {
    if flags.verify {
        return verify(seat).await;
    }
    let one = flags.sweep.as_deref().map(sweep_id).transpose()?;
    if flags.settle {
        seat.sit().await?;
        seat.desk.tend(seat.now()).await?;
    }
    match one {
        Some(id) => of_one(seat, id).await,
        None => all(seat).await,
    }
}

/// A sweep's id as it was typed.
///
/// # Errors
/// When it is none.
pub fn sweep_id(text: &str) -> Result<SweepId, Ending> {
    text.parse().map_err(|_| Ending::usage(format!("That is not a sweep's id. See: {}", command(&["log"]))))
}

/// What is said of a sweep that the journal does not have, and of everything else that may stand in the way.
pub fn no_such_sweep(error: cutoff::Error) -> Ending {
    match error {
        cutoff::Error::Journal(journal::Error::NoSuchSweep(_)) => {
            Ending::usage(format!("The journal has no such sweep. See: {}", command(&["log"])))
        }
        other => other.into(),
    }
}

/// A sweep, what it did to the policy, and each of its grants.
async fn of_one(seat: &Seat, id: SweepId) -> Done {
    let digest = seat.desk.digest(id).await.map_err(no_such_sweep)?;
    let report = seat.desk.sweep_report(id).await?;
    let (grants, ..) = seat.desk.sweep_grants(id, &Wanted::default(), 0, u32::MAX).await?;
    // The outcomes are as of the reads of the sweep; what a reading listed later stands beside them.
    let back = seat.desk.seen_again(id).await?;
    let (sought, complete) = seat.desk.sought(id).await?;
    let names = Names::of(seat, &digest, &grants, &back).await?;
    let mut printer = Printer::new(seat.json);
    if seat.json {
        for indicator in &sought {
            printer.line(&SoughtLine {
                indicator: indicator.text.as_deref(),
                matched_by: &indicator.matched_by,
                connected_app_ids: &indicator.apps,
                look_alike_app_ids: &indicator.look_alikes,
                grants: indicator.grants,
                known_before: &indicator.known_before,
                complete,
            })?;
        }
        for (line, grant) in report.lines.iter().zip(&grants) {
            let (member_id, connected_app_id) = line.pair();
            let pair = Pair { member_id, connected_app_id };
            let of = |again: &&SeenAgain| again.kind == Kind::SeenAgain && again.grant == pair;
            printer.line(&GrantLine {
                told: apply::Told::of(line),
                confirmed_at: grant.confirmed_at.as_deref(),
                seen_again_at: back.iter().find(of).map(|again| rfc3339(again.first_seen_at)),
            })?;
        }
        printer.done()?;
        seen_again(&back, &names);
        what_next(seat, &digest).await?;
        return Ok(DONE);
    }
    for line in heading(&digest, &apps(&grants, &digest, &names), state(seat, &digest).await, &back) {
        printer.text(&line)?;
    }
    if !sought.is_empty() {
        printer.text(&format!("{}.", FindingLine::of(&sought, complete).told()))?;
        if !complete {
            printer.text("Not everything could be read: what was not found may be there all the same.")?;
        }
        let heads = [("INDICATOR", Set::Left), ("FOUND", Set::Left), ("APPS", Set::Left), ("GRANTS", Set::Right)];
        let mut table = Table::new(&heads);
        for indicator in &sought {
            let alike = indicator.look_alikes.iter().map(|app| format!("{app} (look-alike)"));
            let by = match indicator.matched_by.as_str() {
                "id" => "by its id",
                "name" => "by its name",
                "look_alike" => "only by the look of its name",
                "none" => "no",
                other => other,
            };
            table.row([
                indicator.text.as_deref().unwrap_or("(erased)"),
                by,
                &indicator.apps.iter().cloned().chain(alike).collect::<Vec<_>>().join(", "),
                &indicator.grants.to_string(),
            ]);
        }
        printer.table(&table)?;
        for known in sought.iter().flat_map(|indicator| &indicator.known_before) {
            let (app, at) = (safe(known.connected_app_id.as_str()), utc_of(&known.read_at));
            printer.text(&format!("{app} is known from the reading of {at}, and was not listed then."))?;
        }
    }
    let mut table = Table::new(&[
        ("OUTCOME", Set::Left),
        ("REASON", Set::Left),
        ("MEMBER", Set::Left),
        ("APP", Set::Left),
        ("REQUEST", Set::Left),
        ("READ AGAIN", Set::Left),
        ("CONFIRMED", Set::Left),
    ]);
    for (line, grant) in report.lines.iter().zip(&grants) {
        table.row([
            if line.never_sent { "not attempted" } else { line.outcome.name() },
            &apply::reason(line),
            &line.member_id,
            &line.connected_app_id,
            line.request_id.as_deref().unwrap_or_default(),
            &line.read_again_at.as_deref().map(utc_of).unwrap_or_default(),
            &grant.confirmed_at.as_deref().map(utc_of).unwrap_or_default(),
        ]);
    }
    if !report.lines.is_empty() {
        printer.table(&table)?;
    }
    printer.text(&format!("Head {}", report.head))?;
    printer.done()?;
    let looked = digest.collateral.is_some() || !digest.unseen.is_empty();
    if digest.policy.is_some() && (looked || digest.stand == Stand::Closed) {
        crate::contain::beside_plan(digest.collateral.as_deref(), &digest.unseen);
    }
    if report.tokens_until.is_some_and(|until| until > seat.now()) {
        apply::tokens(&report);
    }
    seen_again(&back, &names);
    what_next(seat, &digest).await?;
    if let (None, Some(at)) = (digest.confirmed_at, digest.look_again_at) {
        let next = command(&["log", &id.to_string(), "--settle"]);
        let at = utc(at.timestamp());
        say(&match digest.gone_at {
            Some(_) => format!("Not yet confirmed. From {at} a second read can: {next}"),
            // A second read confirms what a first one found gone.
            None => format!("From {at} another read may tell more: {next}"),
        });
    }
    apply::unproven(&report);
    Ok(DONE)
}

/// Says how an unfinished sweep is gone on with, or that it cannot be, and how a new plan is made of what is left of one that is over.
async fn what_next(seat: &Seat, digest: &Digest) -> Result<(), Ending> {
    let id = digest.id.to_string();
    if !matches!(digest.stand, Stand::Closed | Stand::Cancelled) {
        if let Ok(Resume::Held { pid }) = seat.desk.may_go_on(digest).await {
            let process = pid.map_or_else(String::new, |pid| format!(", in process {pid}"));
            say(&format!("It runs{process}."));
            return Ok(());
        }
        let until = digest.resumable_until().timestamp();
        if seat.now() > until {
            say(
                "It is unfinished and cannot be gone on with: nothing was done for it for a day, and what is left may have been consented \
                 to again since, rightly.",
            );
        } else if seat.desk.plan_of(digest.id).await.is_ok() {
            let next = match digest.policy {
                Some(_) => command(&["contain", "--resume", &id, "--yes"]),
                None => command(&["apply", &id, "--resume", "--yes"]),
            };
            say(&format!(
                "It is unfinished. {}, who began it, and nobody else, can go on with it until {}: {next}",
                safe(&digest.actor),
                utc(until)
            ));
            return Ok(());
        }
    }
    if let Some(rest) = apply::plan_of_rest(seat, digest.id).await? {
        say(&format!("A new plan of what is left, or came back, is made with: {}", rest.command));
    }
    Ok(())
}

/// The names of apps: as a sweep kept them, else as readings had them.
struct Names(HashMap<String, String>);

impl Names {
    async fn of(seat: &Seat, digest: &Digest, grants: &[Report], back: &[SeenAgain]) -> Result<Self, Ending> {
        let named = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.is_empty());
        let block_alone = digest.policy.is_some() && grants.is_empty();
        let mut names = HashMap::new();
        // Every reading is looked through for it.
        if block_alone || !back.is_empty() || !grants.iter().all(|grant| named(&grant.app_name)) {
            names = seat.desk.names_of_apps(digest.id).await?;
        }
        let kept = grants.iter().filter(|grant| named(&grant.app_name));
        names.extend(
            kept.map(|grant| (grant.grant.connected_app_id.clone(), grant.app_name.clone().unwrap_or_default())),
        );
        names.retain(|_, name| !name.is_empty());
        Ok(Self(names))
    }

    /// An app by name, if it is known, and id.
    fn called(&self, id: &str) -> String {
        match self.0.get(id) {
            Some(name) => format!("{} ({})", cut(&safe(name), 60), safe(id)),
            None => safe(id),
        }
    }
}

/// Names what later readings listed.
fn seen_again(back: &[SeenAgain], names: &Names) {
    for again in back {
        let (app, member) = (names.called(again.connected_app_id.as_str()), safe(again.grant.member_id.as_str()));
        let (gone, first, last) = (utc(again.gone_at), utc(again.first_seen_at), utc(again.seen_at));
        say(&match again.kind {
            Kind::SeenAgain => format!(
                "Seen again: {app} of {member}, gone at {gone}, was listed at {first}, last at {last}: not removed, or consented to again. \
                 Stytch gives no way to tell."
            ),
            Kind::LookAlike => format!(
                "A look-alike: {app} of {member}, who lost {} at {gone}, was listed at {first}, last at {last}.",
                names.called(again.grant.connected_app_id.as_str()),
            ),
        });
    }
}

/// What a sweep was, in a few lines.
fn heading(digest: &Digest, apps: &[App], state: &str, back: &[SeenAgain]) -> Vec<String> {
    let mut told = vec![format!(
        "{}, begun {} by {}, {state}.",
        match kind(digest) {
            "contain" if digest.grants == 0 => "Block alone, no revoke was planned",
            "contain" => "Block and revoke",
            "finding" => "A finding: what was looked for, and what was found; nothing was sent for it",
            _ => "Revoke",
        },
        utc(digest.began.timestamp()),
        safe(&digest.actor),
    )];
    told.extend(digest.reason.as_ref().map(|reason| format!("Reason: {}", safe(reason))));
    for app in apps.iter().take(MOST) {
        let name = app.app_name.as_deref().map(safe).unwrap_or_default();
        let grants = count(app.grants, "grant", "grants");
        let id = safe(&app.connected_app_id);
        told.push(match cut(&name, 60) {
            name if name.is_empty() => format!("App {id}: {grants}."),
            name => format!("App {name} ({id}): {grants}."),
        });
    }
    if apps.len() > MOST {
        told.push(format!("And {} more.", count(apps.len() - MOST, "app", "apps")));
    }
    if let Some(policy) = &digest.policy {
        let at = policy.at.as_ref().map_or_else(String::new, |at| format!(" at {}", utc_of(at)));
        let request = policy.request_id.as_ref().map_or_else(String::new, |id| format!(" (request id {})", safe(id)));
        let of = count(policy.forbids.len(), "app", "apps");
        told.push(match policy.stand() {
            BlockStand::Overtaken => {
                let now = if policy.in_force { "it forbids the apps all the same" } else { "members can consent" };
                format!("The block of {of} was not made, since the policy had been changed before: {now}.")
            }
            BlockStand::Theirs => {
                let ours = match (policy.lifted, policy.denied) {
                    (true, _) => format!("The block of {of} was lifted{at}{request}"),
                    (_, true) => format!("The block of {of} was refused{at}{request}"),
                    _ => format!("Of the block of {of} nothing is left in the policy"),
                };
                let read = policy.read_at.as_deref().map_or_else(String::new, |at| format!(", as read at {}", utc_of(at)));
                let forbids = if policy.forbids.len() == 1 { "it" } else { "them" };
                format!("{ours}. The policy forbids {forbids} all the same{read}, by another change than this sweep's.")
            }
            // Nothing was changed for it, so nothing can be taken back.
            BlockStand::ForbiddenBefore => {
                format!("The policy forbids the {of} of the block, and did before it.")
            }
            BlockStand::InForce => {
                let lift = command(&["lift", &digest.id.to_string(), "--yes"]);
                format!("The block of {of} is in force{at}{request}. Lift it with: {lift}")
            }
            BlockStand::Lifted => format!("The block of {of} was lifted{at}{request}: members can consent again."),
            BlockStand::Unread => format!(
                "The block of {of} was sent{}, and the policy was not read since: whether members can consent is not known.",
                if policy.at.is_some() { format!(" and answered{at}{request}") } else { String::new() }
            ),
            BlockStand::Denied => format!("The block of {of} was refused{at}{request}: members can consent again."),
            BlockStand::NotInForce => {
                let read = policy.read_at.as_deref().map_or_else(String::new, |at| format!(", as read at {}", utc_of(at)));
                match policy.forbids.len() {
                    1 => format!("The block of {of} is not in force{read}: members can consent again."),
                    _ => format!(
                        "The block of {of} is not in force, or not of all of them{read}: members can consent again to what the policy does \
                         not forbid."
                    ),
                }
            }
        });
    }
    if !digest.returned.is_empty() {
        told.push(format!("{} came back when the block was lifted.", count(digest.returned.len(), "grant", "grants")));
    }
    if let Some(at) = digest.confirmed_at {
        told.push(format!("Gone, and confirmed by a second read at {}.", utc(at.timestamp())));
    } else if let Some(at) = digest.gone_at {
        told.push(format!("Gone by a read at {}.", utc(at.timestamp())));
    }
    let of = |kind| back.iter().filter(|again| again.kind == kind).count();
    let again = match (of(Kind::SeenAgain), of(Kind::LookAlike)) {
        (0, 0) => return told,
        (again, 0) => format!("{} seen again", count(again, "grant was", "grants were")),
        (0, alike) => {
            format!("{} connected to a member who lost one", count(alike, "look-alike was", "look-alikes were"))
        }
        (again, alike) => {
            format!(
                "{} seen again, and {}",
                count(again, "grant was", "grants were"),
                count(alike, "look-alike", "look-alikes")
            )
        }
    };
    told.push(format!("But {again} since, by later readings."));
    told
}

fn kind(digest: &Digest) -> &'static str {
    match (&digest.policy, digest.grants) {
        (Some(_), _) => "contain",
        (None, 0) => "finding",
        (None, _) => "revoke",
    }
}

fn block_state(policy: &PolicyReport) -> &'static str {
    match policy.stand() {
        BlockStand::Overtaken => "overtaken",
        BlockStand::Theirs => "forbidden_by_others",
        BlockStand::ForbiddenBefore | BlockStand::InForce => "in_force",
        BlockStand::Lifted => "lifted",
        BlockStand::Denied => "denied",
        BlockStand::Unread => "unread",
        BlockStand::NotInForce => "not_in_force",
    }
}

/// Where a sweep stands. One that another process carries out is not unfinished.
async fn state(seat: &Seat, digest: &Digest) -> &'static str {
    match digest.stand {
        Stand::Closed => "closed",
        Stand::Cancelled => "cancelled",
        _ if matches!(seat.desk.may_go_on(digest).await, Ok(Resume::Held { .. })) => "running",
        _ => "unfinished",
    }
}

/// The apps of some grants, in their order; of a sweep without grants those that it is to forbid.
fn apps(grants: &[Report], digest: &Digest, names: &Names) -> Vec<App> {
    if let (Some(policy), true) = (&digest.policy, grants.is_empty()) {
        let app = |id: &ConnectedAppId| App {
            connected_app_id: id.to_string(),
            app_name: names.0.get(id.as_str()).cloned(),
            grants: 0,
        };
        return policy.forbids.iter().map(app).collect();
    }
    let mut found: Vec<App> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for grant in grants {
        let id = grant.grant.connected_app_id.as_str();
        let place = *at.entry(id).or_insert_with(|| {
            let app = App { connected_app_id: id.to_owned(), app_name: names.0.get(id).cloned(), grants: 0 };
            found.push(app);
            found.len() - 1
        });
        found[place].grants += 1;
    }
    found
}

async fn all(seat: &Seat) -> Done {
    if let Some(noted) = seat.desk.rolled_back().await? {
        say(&format!(
            "This journal is an older copy of itself: the keyring remembers {} rows and head {} of {}, which are not in it. What it \
             calls unfinished is not resumed.",
            noted.rows,
            noted.head,
            utc(noted.at.timestamp())
        ));
    }
    let sweeps = seat.desk.sweeps().await?;
    if sweeps.is_empty() {
        say("Nothing was revoked from here yet.");
    }
    let mut printer = Printer::new(seat.json);
    let mut table = Table::new(&[
        ("BEGAN", Set::Left),
        ("WHAT", Set::Left),
        ("GRANTS", Set::Right),
        ("APPS", Set::Left),
        ("OUTCOMES", Set::Left),
        ("STATE", Set::Left),
        ("REASON", Set::Left),
        ("SWEEP", Set::Left),
    ]);
    for sweep in sweeps {
        let digest = seat.desk.digest(sweep.id).await?;
        let report = seat.desk.sweep_report(sweep.id).await?;
        let (grants, ..) = seat.desk.sweep_grants(sweep.id, &Wanted::default(), 0, u32::MAX).await?;
        let apps = apps(&grants, &digest, &Names::of(seat, &digest, &grants, &[]).await?);
        let state = state(seat, &digest).await;
        let outcomes: BTreeMap<_, _> = digest.outcomes.iter().map(|(outcome, n)| (outcome.name(), *n)).collect();
        let block = digest.policy.as_ref().map(|policy| BlockLine {
            state: block_state(policy),
            apps: policy.forbids.len(),
            at: policy.at.as_deref(),
            request_id: policy.request_id.as_deref(),
            returned: digest.returned.len(),
        });
        let kind = kind(&digest);
        let finding = match kind {
            "finding" => {
                let (sought, complete) = seat.desk.sought(sweep.id).await?;
                Some(FindingLine::of(&sought, complete))
            }
            _ => None,
        };
        let back = seat.desk.seen_again(sweep.id).await?;
        let again = back.iter().filter(|back| back.kind == Kind::SeenAgain).count();
        if seat.json {
            printer.line(&Line {
                sweep_id: sweep.id.to_string(),
                kind,
                state,
                began_at: sweep.opened.utc.to_string(),
                organization_id: &sweep.opening.connection.organization_id,
                member_id: &digest.actor,
                reason: digest.reason.as_deref(),
                grants: report.lines.len(),
                members: digest.members,
                apps,
                outcomes,
                not_attempted: apply::not_attempted(&report),
                seen_again: again,
                block,
                finding,
                gone_at: digest.gone_at.map(|at| at.to_string()),
                confirmed_at: digest.confirmed_at.map(|at| at.to_string()),
                confirm_due_at: digest.look_again_at.filter(|_| digest.confirmed_at.is_none()).map(|at| at.to_string()),
                closed: report.closed,
                head: &report.head,
            })?;
            continue;
        }
        let counts = apply::counts(&report);
        // What a list says of a sweep is as of its own reads; what later ones listed stands beside it.
        let seen = (again > 0).then(|| format!("but {again} seen again"));
        let finding = finding.map(|finding| finding.told());
        let counts = counts.iter().map(|(n, name)| format!("{n} {name}"));
        let told: Vec<String> = counts.chain(seen).chain(finding).collect();
        let confirmed = if digest.confirmed_at.is_some() { ", confirmed" } else { "" };
        let named = |app: &App| {
            app.app_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| app.connected_app_id.clone())
        };
        let mut names: Vec<String> = apps.iter().take(2).map(named).collect();
        if apps.len() > names.len() {
            names.push(format!("{} more", apps.len() - names.len()));
        }
        table.row([
            utc(sweep.opened.utc.timestamp()),
            match block {
                None => kind.to_owned(),
                Some(block) => format!("{kind} ({})", block.state.replace('_', " ")),
            },
            report.lines.len().to_string(),
            names.join(", "),
            told.join(", ") + confirmed,
            state.to_owned(),
            digest.reason.clone().unwrap_or_default(),
            sweep.id.to_string(),
        ]);
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    Ok(DONE)
}

/// Walks every chain.
async fn verify(seat: &Seat) -> Done {
    let mut printer = Printer::new(seat.json);
    let mut table =
        Table::new(&[("CHAIN", Set::Left), ("ROWS", Set::Right), ("SWEEP", Set::Left), ("HEAD", Set::Left)]);
    let mut broken = 0;
    for sweep in seat.desk.sweeps().await? {
        let (state, rows) = match seat.desk.verify_sweep(sweep.id).await? {
            Verdict::Sound(walked) => ("sound".to_owned(), walked.rows),
            Verdict::Broken(found) => {
                broken += 1;
                (format!("broken at row {}: {}", found.seq, found.why), found.seq)
            }
        };
        if seat.json {
            let id = sweep.id.to_string();
            printer.line(&serde_json::json!({ "sweep_id": id, "chain": state, "rows": rows, "head": sweep.head }))?;
        } else {
            table.row([state, rows.to_string(), sweep.id.to_string(), sweep.head.to_string()]);
        }
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    if broken > 0 {
        return Err(Ending::usage(format!(
            "{} of the journal is not what it was. Do not rely on it; packs that were exported before can still be checked.",
            crate::told::count(broken, "sweep", "sweeps")
        )));
    }
    Ok(DONE)
}

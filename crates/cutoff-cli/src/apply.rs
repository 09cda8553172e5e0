//! `cutoff apply`: carries a plan out, with progress on standard error, and prints what became of each grant once it is known and
//! on the disk. The word "revoked" is the mind's, by a later read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::path::Path;

use cutoff::Error;
use cutoff::activity::{Resume, Wanted};
use cutoff::plan_file::{self, LARGEST, Pair, PlanFile, Unusable};
use cutoff::policy::Refused;
use cutoff::sweep::Wish;
use cutoff::sweep::engine::{Ended, Progress};
use cutoff::sweep::verdict::{Outcome, Why};
use cutoff::sweeps::{BlockStand, Line, SweepReport, all_gone};
use cutoff::watch::Kind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use journal::{Failure, Hash, SweepId};
use serde::Serialize;
use tokio::sync::watch;

use crate::ending::{DENIED, DONE, Ending, PARTIAL, SESSION, not_gone_on_with, plan, refusal, takes_no_more};
use crate::export::{Place, pack_of};
use crate::flags::Apply;
use crate::interrupts::Interrupts;
use crate::next::{another_session, command, new_plan};
use crate::seat::Seat;
use crate::text::safe;
use crate::told::{Printer, are, count, time_of_day, utc};
use crate::{Done, preview, say};

/// What a grant is called that nothing was sent for and that is not known to be gone, whatever the rules call it.
const NOT_ATTEMPTED: &str = "not_attempted";

/// One grant on a line.
#[derive(Serialize)]
pub struct Told<'a> {
    member_id: &'a str,
    connected_app_id: &'a str,
    /// The rules' name of it, or [`NOT_ATTEMPTED`].
    outcome: &'static str,
    request_id: Option<&'a str>,
    read_again_at: Option<&'a str>,
    /// Of the answer that counts, or why there was none.
    status: Option<u16>,
    error_type: Option<&'a str>,
    failure: Option<&'static str>,
    /// Why an answered revoke is only `accepted`.
    why: Option<&'static str>,
    /// Nothing was sent for it, and it is not known to be gone.
    never_sent: bool,
}

impl<'a> Told<'a> {
    /// The line of a grant.
    #[must_use]
    pub fn of(line: &'a Line) -> Self {
        Self {
            member_id: &line.member_id,
            connected_app_id: &line.connected_app_id,
            outcome: if line.never_sent { NOT_ATTEMPTED } else { line.outcome.name() },
            request_id: line.request_id.as_deref(),
            read_again_at: line.read_again_at.as_deref(),
            status: line.status,
            error_type: line.error_type.as_deref(),
            failure: line.failure.map(Failure::name),
            why: line.why.map(Why::name),
            never_sent: line.never_sent,
        }
    }
}

/// Why a grant is not gone, in few words: that nothing was sent, why no read proves it, or what the server answered.
#[must_use]
pub fn reason(line: &Line) -> String {
    if line.outcome.is_gone() {
        return String::new();
    }
    let answer = || {
        let status = line.status.map(|status| status.to_string());
        let failure = line.failure.map(|failure| failure.name().replace('_', " "));
        let said: Vec<String> = [status, line.error_type.as_deref().map(safe), failure].into_iter().flatten().collect();
        if said.is_empty() && line.outcome == Outcome::Unknown { "no answer yet".to_owned() } else { said.join(" ") }
    };
    match (line.never_sent, line.why) {
        (true, _) => "not sent".to_owned(),
        (_, Some(why)) => why.name().replace('_', " "),
        _ => answer(),
    }
}

/// Carries the plan out.
///
/// # Errors
/// Why nothing was sent, or why it is not known what became of it.
pub async fn run(seat: &Seat, flags: &Apply) -> Done {
    let file = match begun(flags) {
        Some(id) => kept(seat, id).await?,
        None => read(&flags.plan)?,
    };
    let hash = file.hash().to_string();
    if flags.expect_hash.as_ref().is_some_and(|expected| !hash.starts_with(expected)) {
        return Err(Ending::usage(format!(
            "This is not the plan that was expected: its hash is {hash}. Nothing was sent; ask whoever made it, or make it \
             anew."
        )));
    }
    let plan = flags.plan.display().to_string();
    let mut rest = how_again(flags.canary, flags.concurrency, flags.evidence.as_deref());
    rest.extend(flags.block_last.then(|| "--block-last".to_owned()));
    let words = ["apply", &plan, "--resume", "--yes"].into_iter().chain(rest.iter().map(String::as_str));
    let again = command(&words.collect::<Vec<_>>());
    if !flags.yes {
        return Err(preview::show(seat, &file, &again).await?);
    }
    say(&format!("Plan {hash}."));
    // Before anything is sent: evidence that cannot be written is no reason to find out afterwards.
    let place = flags.evidence.as_deref().map(Place::take).transpose()?;
    seat.sit().await?;
    let how = cutoff::sweeps::Apply {
        resume: flags.resume,
        canary: flags.canary,
        ask_anyway: false,
        concurrency: flags.concurrency.map(usize::from),
        block_last: flags.block_last,
    };
    let before = sweeps_of(seat, &file).await?;
    let report = match carry_out(seat, &file, &how, &|_| again.clone()).await {
        Ok(report) => report,
        Err(ending) => return Err(refused(seat, &file, &before, place, ending).await),
    };
    finish(seat, &report, place).await?;
    let gone: Vec<Pair> = report
        .lines
        .iter()
        .filter(|line| line.outcome == Outcome::AlreadyGone && line.request_id.is_none())
        .map(|line| Pair {
            member_id: line.member_id.as_str().into(),
            connected_app_id: line.connected_app_id.as_str().into(),
        })
        .collect();
    crate::plan::never_seen(&seat.desk.never_listed(&file.organization_id, &gone).await?);
    end(seat, &report, &again).await
}

/// The sweep that is gone on with, where it is named instead of its plan's file.
fn begun(flags: &Apply) -> Option<SweepId> {
    let id = flags.plan.to_str().filter(|_| flags.resume && !flags.plan.exists())?;
    id.parse().ok()
}

/// The plan of a sweep that was begun here.
///
/// # Errors
/// When there is no such sweep, or its plan is not kept any more.
pub async fn kept(seat: &Seat, id: SweepId) -> Result<PlanFile, Ending> {
    seat.desk.plan_of(id).await.map_err(|error| match error {
        Error::Plan(Unusable::NotAPlan) => Ending::usage(format!(
            "The plan of that sweep is not kept here any more: it was carried out. See: {}",
            command(&["log", &id.to_string()])
        )),
        other => crate::log::no_such_sweep(other),
    })
}

/// The flags with which a sweep is gone on with as it was begun.
pub fn how_again(canary: bool, concurrency: Option<u16>, evidence: Option<&Path>) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(canary.then(|| "--canary".to_owned()));
    words.extend(concurrency.into_iter().flat_map(|n| ["--concurrency".to_owned(), n.to_string()]));
    words.extend(evidence.into_iter().flat_map(|pack| ["--evidence".to_owned(), pack.display().to_string()]));
    words
}

/// The beginning of a plan's hash, as a flag gives it.
///
/// # Errors
/// What is wrong with it.
pub fn beginning(text: &str) -> Result<String, String> {
    let text = text.to_ascii_lowercase();
    if (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err("a plan's hash is 8 to 64 hexadecimal digits".to_owned())
    }
}

/// Says what a fresh read lists otherwise than the plan, which is carried out as it is. Answers which grants of its apps are not in it.
async fn beside(seat: &Seat, file: &PlanFile, resume: bool) -> HashSet<Pair> {
    // What stands in the way of reading is told by the sweep, which reads first.
    let Ok(beside) = seat.desk.beside_plan(file).await else { return HashSet::new() };
    if beside.unread > 0 {
        say(&format!(
            "{} could not be read just now, so whether the plan lacks any of its grants is not known.",
            are(beside.unread, "app of the plan", "apps of the plan")
        ));
    }
    // What an earlier run of the sweep has revoked did not vanish.
    let vanished = if resume { &[][..] } else { &beside.vanished };
    preview::differ(vanished, &beside.appeared, beside.others.len().saturating_sub(beside.appeared.len()));
    beside.others
}

/// Names the grants of a plan's apps that only the re-reads listed: a list that was cut short shows the next once others are gone.
/// `told`: those that were listed beside the plan before anything was sent.
fn beside_since(file: &PlanFile, report: &SweepReport, told: &HashSet<Pair>) {
    let found: Vec<&Pair> = report.listed_beside.iter().filter(|pair| !told.contains(pair)).collect();
    if found.is_empty() {
        return;
    }
    say(&format!(
        "{} not in the plan: nothing was sent for what only later reads listed. Consented to since, or left out by a list that was cut \
         short:",
        count(found.len(), "grant of its apps is", "grants of its apps are")
    ));
    preview::name_pairs(found.iter().copied());
    let out = new_plan("plan", 0);
    let apps: BTreeSet<&str> = found.iter().map(|pair| pair.connected_app_id.as_str()).collect();
    let apps = apps.into_iter().take(preview::MOST).flat_map(|app| ["--app", app]);
    if file.block.is_some() {
        let words: Vec<&str> = ["contain"].into_iter().chain(apps).collect();
        say(&format!("This tells what revoking those too would do, and sends nothing yet: {}", command(&words)));
        return;
    }
    let words: Vec<&str> = ["plan"].into_iter().chain(apps).chain(["--max-age", "0", "--out", &out]).collect();
    say(&format!("Plan those with: {}", command(&words)));
    say(&format!("and then: {}", command(&["apply", &out, "--yes"])));
}

/// Carries a plan out, with progress on standard error; says before what is listed otherwise than in it, and at the end what stays.
/// `again`: how to go on with it later, by its sweep if it has one.
///
/// # Errors
/// Why nothing was sent, or why it is not known what became of it.
pub async fn carry_out(
    seat: &Seat,
    file: &PlanFile,
    how: &cutoff::sweeps::Apply,
    again: &(dyn Fn(Option<SweepId>) -> String + Sync),
) -> Result<SweepReport, Ending> {
    if how.resume
        && let Some(id) = seat.desk.sweep_of_plan(&file.hash()).await?
    {
        crate::contain::may_go_on(seat, id).await?;
    }
    let others = beside(seat, file, how.resume).await;
    let (wish, wishes) = watch::channel(Wish::Run);
    let (progress, drawn) = watch::channel(Progress::default());
    let sweep = seat.desk.apply(file, how, wishes, progress, None);
    let done = watched(sweep, file.grants.len(), wish, drawn).await;
    match done {
        Err(cutoff::Error::Plan(Unusable::Unfinished)) => Err(unfinished(seat, &file.hash(), again).await),
        Err(cutoff::Error::Plan(Unusable::CarriedOut)) => Err(match seat.desk.sweep_of_plan(&file.hash()).await? {
            Some(id) => preview::carried_out(seat, id).await?,
            // An edited copy of one.
            None => cutoff::Error::Plan(Unusable::CarriedOut).into(),
        }),
        Err(cutoff::Error::Block(Refused::IncompleteList)) => {
            let apps = file.block.iter().flat_map(|block| &block.apps);
            Err(crate::contain::without_block(&seat.desk.shown().await?.picture, apps))
        }
        Err(cutoff::Error::Plan(why @ (Unusable::TooOld | Unusable::OtherMember))) => {
            Err(match seat.desk.sweep_of_plan(&file.hash()).await? {
                Some(id) => left_behind(seat, id, why == Unusable::TooOld).await?,
                None => cutoff::Error::Plan(why).into(),
            })
        }
        // A journal that takes nothing more for now: the sweep goes on once it does. Finding its command only reads.
        Err(cutoff::Error::JournalAfterSending(error)) if takes_no_more(&error) => {
            let id = seat.desk.sweep_of_plan(&file.hash()).await.ok().flatten();
            let next = match id {
                Some(id) if crate::contain::is_over(seat, id).await.unwrap_or(false) => {
                    format!("The sweep was carried out. See what became of it: {}", command(&["log", &id.to_string()]))
                }
                id => format!("The sweep is unfinished; go on with it then: {}", again(id)),
            };
            let Ending { code, sentence } = cutoff::Error::JournalAfterSending(error).into();
            Err(Ending::new(code, format!("{sentence}\n{next}")))
        }
        other => {
            let report = other?;
            beside_since(file, &report, &others);
            Ok(report)
        }
    }
}

/// Why a plan is not begun a second time: its sweep runs elsewhere, or was broken off and can be gone on with.
async fn unfinished(seat: &Seat, plan: &Hash, again: &(dyn Fn(Option<SweepId>) -> String + Sync)) -> Ending {
    let sweeps = seat.desk.sweeps().await.unwrap_or_default();
    let id = sweeps.iter().find(|sweep| sweep.opening.plan.hash == *plan).map(|sweep| sweep.id);
    if let Some(id) = id
        && let Ok(digest) = seat.desk.digest(id).await
        && let Ok(Resume::Held { pid }) = seat.desk.may_go_on(&digest).await
    {
        return cutoff::Error::Busy { pid }.into();
    }
    Ending::usage(goes_on(&again(id)))
}

/// Why a sweep that was begun before is not gone on with, and how what is left of it is planned.
///
/// # Errors
/// When the journal cannot be read.
pub async fn left_behind(seat: &Seat, id: SweepId, too_old: bool) -> Result<Ending, Ending> {
    let rest = plan_of_rest(seat, id).await?;
    Ok(not_gone_on_with(too_old, &id.to_string(), rest.as_ref().map(|rest| rest.command.as_str())))
}

/// How what is left of a sweep is planned.
pub struct Rest {
    /// The command.
    pub command: String,
    /// The file that it writes.
    pub file: String,
    /// How many grants.
    pub grants: usize,
}

/// How what is left of a sweep, or came back, is planned; `None` where that would plan nothing.
///
/// # Errors
/// When the journal cannot be read.
pub async fn plan_of_rest(seat: &Seat, id: SweepId) -> Result<Option<Rest>, Ending> {
    // Elsewhere its ids would mean others.
    let digest = seat.desk.digest(id).await?;
    if seat.desk.session().is_ok() && !seat.desk.is_here(&digest) {
        return Ok(None);
    }
    let lines = seat.desk.sweep_report(id).await?.lines;
    let (grants, ..) = seat.desk.sweep_grants(id, &Wanted::default(), 0, u32::MAX).await?;
    let back = seat.desk.seen_again(id).await?;
    let back = |line: &Line| {
        let (member_id, connected_app_id) = line.pair();
        let pair = Pair { member_id, connected_app_id };
        back.iter().any(|again| again.kind == Kind::SeenAgain && again.grant == pair)
    };
    let left = lines.iter().zip(&grants).filter(|(line, _)| line.may_be_sent_again() || back(line));
    let left: Vec<_> = left.map(|(_, report)| report.grant.first_party).collect();
    if left.is_empty() {
        return Ok(None);
    }
    let (id, file) = (id.to_string(), new_plan("again", 0));
    let mut words = vec!["plan", "--failed-of", &id];
    // They were taken in once, and are left out unasked.
    words.extend(left.contains(&true).then_some("--first-party"));
    words.extend(["--out", &file]);
    Ok(Some(Rest { command: command(&words), grants: left.len(), file }))
}

/// What is said of a plan with an unfinished sweep.
pub fn goes_on(again: &str) -> String {
    format!("A sweep of this plan is unfinished. Nothing was sent; go on with it: {again}")
}

/// Waits for a sweep, draws how far it is, and stops it when somebody asks for it.
pub async fn watched<T>(
    sweep: impl Future<Output = T>,
    grants: usize,
    wish: watch::Sender<Wish>,
    mut drawn: watch::Receiver<Progress>,
) -> T {
    let bar = ProgressBar::with_draw_target(Some(grants as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    tokio::pin!(sweep);
    let mut interrupts = Interrupts::listen();
    let mut told_wait = None;
    let done = loop {
        tokio::select! {
            done = &mut sweep => break done,
            Ok(()) = drawn.changed() => tell(&bar, &drawn.borrow_and_update(), &mut told_wait),
            () = interrupts.next() => {
                say("Stopping: what is under way is waited for. How to go on is told then.");
                wish.send_replace(Wish::Pause);
            }
        }
    };
    bar.finish_and_clear();
    done
}

/// Prints what became of each grant, or how many had which end.
///
/// # Errors
/// When the output takes no more.
pub fn print(seat: &Seat, report: &SweepReport) -> Result<(), Ending> {
    match printed(seat, report) {
        // Who closed the pipe has read enough. What the sweep came to is still to be said, and to be the exit code.
        Err(ending) if ending.code == DONE => Ok(()),
        other => other,
    }
}

fn printed(seat: &Seat, report: &SweepReport) -> Result<(), Ending> {
    let mut printer = Printer::new(seat.json);
    if seat.json {
        lines(&mut printer, report)?;
    } else {
        for (n, what) in counts(report) {
            printer.text(&format!("{n:>7}  {what}"))?;
        }
        printer.text(&format!("Sweep {}, head {}.", report.id, report.head))?;
    }
    printer.done()
}

/// Writes the evidence of the sweep, all its runs, if it is to be, and prints what became of it.
///
/// # Errors
/// When the evidence could not be written, once everything else was told; or the output takes no more.
pub async fn finish(seat: &Seat, report: &SweepReport, place: Option<Place>) -> Result<(), Ending> {
    let written = match place {
        Some(place) => Some(evidence(seat, report.id, place).await),
        None => None,
    };
    print(seat, report)?;
    if let Some(head) = written.transpose()? {
        say(&format!("Evidence written. Its head, to be noted somewhere else: {head}"));
    }
    Ok(())
}

async fn evidence(seat: &Seat, id: SweepId, place: Place) -> Result<Hash, Ending> {
    let pack = pack_of(seat, id).await?;
    place.put(&pack.bytes, Some(id))?;
    Ok(pack.head)
}

/// The sweeps of a plan, each with its head.
///
/// # Errors
/// When the journal cannot be read.
pub async fn sweeps_of(seat: &Seat, file: &PlanFile) -> Result<Vec<(SweepId, Hash)>, Ending> {
    let (hash, sweeps) = (file.hash(), seat.desk.sweeps().await?);
    Ok(sweeps.into_iter().filter(|sweep| sweep.opening.plan.hash == hash).map(|sweep| (sweep.id, sweep.head)).collect())
}

/// Writes the evidence of a sweep that was refused after it was opened, or says that none was. `before`: what the journal had of the
/// plan's sweeps when this run began.
pub async fn refused(
    seat: &Seat,
    file: &PlanFile,
    before: &[(SweepId, Hash)],
    place: Option<Place>,
    ending: Ending,
) -> Ending {
    let Some(place) = place else { return ending };
    let now = sweeps_of(seat, file).await.unwrap_or_default();
    let told = match now.iter().find(|sweep| !before.contains(sweep)) {
        None => "No evidence was written: it was refused before a sweep was opened, so there is none.".to_owned(),
        Some((id, _)) => match evidence(seat, *id, place).await {
            Ok(head) => format!(
                "Evidence of how far it went was written, of sweep {id}. Its head, to be noted somewhere else: {head}"
            ),
            Err(failed) => failed.sentence,
        },
    };
    say(&told);
    ending
}

/// Grants by outcome; those that nothing was sent for apart from the others, whatever the rules call them.
pub fn counts(report: &SweepReport) -> Vec<(u32, &'static str)> {
    let mut counts: BTreeMap<Outcome, u32> = BTreeMap::new();
    for line in report.lines.iter().filter(|line| !line.never_sent) {
        *counts.entry(line.outcome).or_default() += 1;
    }
    let mut told: Vec<_> = counts.into_iter().map(|(outcome, n)| (n, outcome.name())).collect();
    told.extend(Some(not_attempted(report)).filter(|n| *n > 0).map(|n| (n, "not attempted")));
    told
}

/// How many grants nothing was sent for, though they are not known to be gone.
pub fn not_attempted(report: &SweepReport) -> u32 {
    u32::try_from(report.lines.iter().filter(|line| line.never_sent).count()).unwrap_or(u32::MAX)
}

/// Prints every grant on a line.
///
/// # Errors
/// When the output takes no more.
pub fn lines(printer: &mut Printer, report: &SweepReport) -> Result<(), Ending> {
    for line in &report.lines {
        printer.line(&Told::of(line))?;
    }
    Ok(())
}

/// The code for what it came to; what stopped it is said, what was done to the policy, what is not gone and the next step.
///
/// # Errors
/// When the journal cannot be read.
pub async fn end(seat: &Seat, report: &SweepReport, again: &str) -> Done {
    if report.policy.is_some() {
        crate::contain::tell(report);
    }
    left(report);
    tokens(report);
    let id = report.id;
    match &report.ended {
        Some(Ended::SessionEnded(_)) => {
            say(&format!("Your session has ended. {}", another_session(true)));
            say(&format!("Then go on with: {again}"));
            return Ok(SESSION);
        }
        Some(Ended::Halted(error)) => {
            let told = refusal(seat.desk.session().ok().as_deref(), error);
            let unblocked = report.policy.as_ref().is_some_and(|policy| policy.at.is_none() && !policy.in_force);
            if unblocked {
                say(&match report.lines.iter().filter(|line| line.attempts > 0).count() {
                    0 => format!("Stopped before the block, and nothing was sent. {}", told.sentence),
                    n => format!(
                        "Stopped before the block: for {} a revoke was sent, and members can consent again. {}",
                        count(n, "grant", "grants"),
                        told.sentence
                    ),
                });
                say(&format!("Once that is mended, go on with: {again}"));
                if let Some(rest) = plan_of_rest(seat, id).await? {
                    say(&format!(
                        "To revoke without the block, so that members can consent again, plan it with: {}",
                        rest.command
                    ));
                    say(&format!("and then: {}", command(&["apply", &rest.file, "--yes"])));
                }
                return Ok(told.code);
            }
            say(&format!("Stopped, since every other grant would meet the same refusal. {}", told.sentence));
            say(&format!("Once that is mended, go on with: {again}"));
            return Ok(told.code);
        }
        Some(Ended::CanaryDied { failed, of }) => {
            let stage = if *of <= 1 { "first" } else { "second" };
            let spared = match not_attempted(report) {
                0 => String::new(),
                n => format!(" {} not sent.", are(n, "other grant was", "other grants were")),
            };
            say(&format!(
                "Stopped after the first {of}, at the {stage} stage of the canary (one, then up to five in all, then the rest): {failed} of \
                 {of} failed, and more than one in five stops it.{spared}"
            ));
            say(&format!(
                "Once what failed is mended, go on with the following, which tries the failed again first and stops likewise: {again}"
            ));
            say(&format!("Or send the rest without stopping: {}", again.replacen(" --canary", "", 1)));
        }
        // Where it was closed before it could be stopped, nothing is left to go on with.
        Some(Ended::Paused) if !report.closed => say(&format!("Stopped. Go on with: {again}")),
        // Whatever is sent again is sent by a plan of its own, once nothing more can be learnt of this one.
        _ if report.lines.iter().any(|line| !line.outcome.is_gone()) => what_helps(seat, report).await?,
        _ => {}
    }
    if report.lines.is_empty()
        && let Some(policy) = &report.policy
    {
        // Nothing was planned to be revoked: what it came to is what became of the policy.
        return Ok(match policy {
            policy if policy.in_force => DONE,
            policy if policy.denied => DENIED,
            _ => PARTIAL,
        });
    }
    if all_gone(report) {
        if let Some(at) = seat.desk.digest(id).await?.look_again_at {
            let at = at.timestamp();
            say(&format!(
                "Gone by one read, which may have been a cached one. From {} a second read confirms it, which cutoff watch makes while \
                 it runs, or: {}",
                utc(at),
                command(&["log", &id.to_string(), "--settle"])
            ));
        }
        // Gone, and free to come back, is not all that a block was asked for.
        // So are grants to what was blocked that the plan lacks.
        let whole = report.policy.as_ref().is_none_or(|policy| policy.in_force && report.listed_beside.is_empty());
        return Ok(if whole { DONE } else { PARTIAL });
    }
    if !report.lines.is_empty() && report.lines.iter().all(|line| line.outcome == Outcome::Denied) {
        return Ok(DENIED);
    }
    Ok(PARTIAL)
}

/// Says until when tokens may be accepted that were issued before: by the last of the sweep's grants.
pub fn tokens(report: &SweepReport) {
    if let Some(until) = report.tokens_until {
        say(&format!(
            "Tokens issued before may be accepted until about {}, if the vendor kept Stytch's lifetime of 60 minutes.",
            utc(until)
        ));
    }
}

/// Says what may still be done about grants that are not gone: another read where one may tell more, another request where one may
/// help.
async fn what_helps(seat: &Seat, report: &SweepReport) -> Result<(), Ending> {
    let id = report.id.to_string();
    let digest = seat.desk.digest(report.id).await?;
    let settle = command(&["log", &id, "--settle"]);
    match digest.look_again_at {
        Some(at) => say(&format!("From {} another read may tell more: {settle}", utc(at.timestamp()))),
        None if digest.unsettled => say(&format!("Another read may tell more: {settle}")),
        None => {}
    }
    unproven(report);
    if let Some(rest) = plan_of_rest(seat, report.id).await? {
        say(&format!(
            "{} still be revoked by another request. Plan it with: {}",
            count(rest.grants, "grant may", "grants may"),
            rest.command
        ));
        say(&format!("and then: {}", command(&["apply", &rest.file, "--yes"])));
    }
    Ok(())
}

/// Says that a containment is unproven where the policy hides its apps, and what has to be done for a read to tell.
pub fn unproven(report: &SweepReport) {
    let hidden =
        |line: &&Line| !line.never_sent && (line.why == Some(Why::HiddenByPolicy) || line.outcome == Outcome::Hidden);
    let (n, Some(policy)) = (report.lines.iter().filter(hidden).count(), &report.policy) else { return };
    if n == 0 {
        return;
    }
    let of = count(n, "grant that it is gone", "grants that they are gone");
    let told = format!("The containment is unproven: no read shows of {of}");
    let id = report.id.to_string();
    match policy.stand() {
        BlockStand::InForce => say(&format!(
            "{told}, as long as the policy forbids the app. Lifting the block reads again, and lets members consent again. Look at what it \
             would do with: {}",
            command(&["lift", &id])
        )),
        BlockStand::ForbiddenBefore | BlockStand::Theirs => say(&format!(
            "{told}, as long as the policy forbids the app, and that is not this sweep's to lift. Once the app is allowed again, what is \
             still listed shows with: {}",
            command(&["inventory"])
        )),
        _ => {}
    }
}

/// Says how many are not gone, and what is known of them: those that nothing was sent for apart from the others, whatever the rules
/// call them.
fn left(report: &SweepReport) {
    let number = |of: &dyn Fn(&Line) -> bool| {
        u32::try_from(report.lines.iter().filter(|line| of(line)).count()).unwrap_or(u32::MAX)
    };
    let apart = |line: &Line| matches!(line.why, Some(Why::ListedYet | Why::NotReadYet | Why::HiddenByPolicy));
    for outcome in report.outcomes.keys() {
        let (one, many) = match outcome {
            Outcome::Revoked | Outcome::AlreadyGone | Outcome::MemberGone => continue,
            Outcome::StillThere => (
                "is still listed after its revoke was answered: not removed, or consented to again; Stytch gives no way to tell",
                "are still listed after their revokes were answered: not removed, or consented to again; Stytch gives no way to tell",
            ),
            Outcome::Accepted => (
                "was answered, and no later read could show that it is gone",
                "were answered, and no later read could show that they are gone",
            ),
            Outcome::Hidden => (
                "had no success, and the policy forbids the app: what no list shows then may be there, and come back when it is allowed again",
                "had no success, and the policy forbids the app: what no list shows then may be there, and come back when it is allowed again",
            ),
            Outcome::Denied => ("was refused for want of a permission", "were refused for want of a permission"),
            Outcome::Failed => ("failed: it was refused, or never left", "failed: they were refused, or never left"),
            Outcome::Unknown => ("is not yet known", "are not yet known"),
        };
        let n = number(&|line| line.outcome == *outcome && !line.never_sent && !apart(line));
        if n > 0 {
            let refused = matches!(outcome, Outcome::Denied | Outcome::Failed | Outcome::Unknown);
            let of = |line: &&Line| refused && line.outcome == *outcome && !line.never_sent;
            say(&format!("{}{}.", are(n, one, many), answers(report.lines.iter().filter(of))));
        }
    }
    for (why, one, many) in [
        (
            Why::HiddenByPolicy,
            "was answered; the policy hides the app, so no read can show that it is gone",
            "were answered; the policy hides the app, so no read can show that they are gone",
        ),
        (
            Why::NotReadYet,
            "was answered, and not read since: whether it is gone is not known yet",
            "were answered, and not read since: whether they are gone is not known yet",
        ),
        (
            Why::ListedYet,
            "was answered and is still listed, by a read too soon after to call that still there: lists may trail behind",
            "were answered and are still listed, by a read too soon after to call that still there: lists may trail behind",
        ),
    ] {
        let n = number(&|line| line.why == Some(why));
        if n > 0 {
            say(&format!("{}.", are(n, one, many)));
        }
    }
    let n = not_attempted(report);
    if n > 0 {
        let never = are(n, "was never sent: nothing was done about it", "were never sent: nothing was done about them");
        say(&format!("{never}."));
    }
}

/// What was answered to some grants, and to how many of them which, the most frequent first.
fn answers<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    /// So many are told one by one.
    const MOST: usize = 4;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(reason(line)).or_default() += 1;
    }
    counts.remove("");
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let more = counts.len().saturating_sub(MOST);
    let mut told: Vec<String> = match &counts[..] {
        [(only, _)] => vec![only.clone()],
        _ => counts.iter().take(MOST).map(|(reason, n)| format!("{n} × {reason}")).collect(),
    };
    if more > 0 {
        told.push(format!("{more} more"));
    }
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

fn tell(bar: &ProgressBar, progress: &Progress, told_wait: &mut Option<i64>) {
    let at = |ms: i64| Timestamp::from_millisecond(ms).map(time_of_day).unwrap_or_default();
    let sentence = match (progress.limited_until_ms, progress.offline_until_ms) {
        (Some(until), _) => Some((until, format!("waiting until {}: Stytch limits the rate", at(until)))),
        (_, Some(until)) => Some((until, format!("no answer; trying again at {}", at(until)))),
        _ => None,
    };
    bar.set_position(u64::from(progress.answered));
    match sentence {
        Some((until, sentence)) => {
            // Without a bar to draw in, each wait is told once.
            if bar.is_hidden() && *told_wait != Some(until) {
                *told_wait = Some(until);
                say(&sentence);
            }
            bar.set_message(sentence);
        }
        None if progress.reading => bar.set_message("reading again"),
        None => bar.set_message(""),
    }
}

fn read(path: &Path) -> Result<PlanFile, Ending> {
    let refused = |error: std::io::Error| {
        Ending::usage(format!("The plan cannot be read: {error}. Name its file. Nothing was sent."))
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(refused)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(refused)?;
    PlanFile::read(&bytes).map_err(|unusable| {
        let differs = if unusable == Unusable::Block { plan_file::block_differs(&bytes) } else { Vec::new() };
        if differs.is_empty() {
            Ending::usage(plan(unusable))
        } else {
            Error::Block(Refused::NotAsDecided(differs)).into()
        }
    })
}

//! `cutoff apply`: carries a plan out, with progress on standard error, and prints what became of each grant once it is known and
//! on the disk. The word "revoked" is the mind's, by a later read.

use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::path::Path;

use cutoff::plan_file::{LARGEST, PlanFile};
use cutoff::sweep::Wish;
use cutoff::sweep::engine::{Ended, Progress};
use cutoff::sweep::verdict::Outcome;
use cutoff::sweeps::{SweepReport, all_gone};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use journal::Hash;
use serde::Serialize;
use tokio::sync::watch;

use crate::ending::{DENIED, DONE, Ending, PARTIAL, SESSION, api, plan};
use crate::export::{Place, pack_of};
use crate::flags::Apply;
use crate::interrupts::Interrupts;
use crate::seat::Seat;
use crate::told::{Printer, count, time_of_day};
use crate::{Done, say};

/// One grant on a line.
#[derive(Serialize)]
pub struct Line<'a> {
    member_id: &'a str,
    connected_app_id: &'a str,
    outcome: &'static str,
    request_id: Option<&'a str>,
    read_again_at: Option<&'a str>,
}

/// Carries the plan out.
///
/// # Errors
/// Why nothing was sent, or why it is not known what became of it.
pub async fn run(seat: &Seat, flags: &Apply) -> Done {
    let file = read(&flags.plan)?;
    if !flags.yes {
        return Err(Ending::usage(format!(
            "This would revoke {} in the organization {}. Nothing was sent. If that is meant, add --yes.",
            count(file.grants.len(), "grant", "grants"),
            crate::text::safe(&file.organization_id),
        )));
    }
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
    let report = carry_out(seat, &file, &how, "cutoff apply --resume").await?;
    finish(seat, &report, place).await?;
    Ok(end(&report, "cutoff apply --resume"))
}

/// Carries a plan out, with progress on standard error. `again`: how to go on with it later.
///
/// # Errors
/// Why nothing was sent, or why it is not known what became of it.
pub async fn carry_out(
    seat: &Seat,
    file: &PlanFile,
    how: &cutoff::sweeps::Apply,
    again: &str,
) -> Result<SweepReport, Ending> {
    let (wish, wishes) = watch::channel(Wish::Run);
    let (progress, drawn) = watch::channel(Progress::default());
    let sweep = seat.desk.apply(file, how, wishes, progress, None);
    Ok(watched(sweep, file.grants.len(), wish, drawn, again).await?)
}

/// Waits for a sweep, draws how far it is, and stops it when somebody asks for it.
pub async fn watched<T>(
    sweep: impl Future<Output = T>,
    grants: usize,
    wish: watch::Sender<Wish>,
    mut drawn: watch::Receiver<Progress>,
    again: &str,
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
                say(&format!("Stopping: what is under way is waited for. Go on later with: {again}"));
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
    let mut printer = Printer::new(seat.json);
    if seat.json {
        lines(&mut printer, report)?;
    } else {
        for (outcome, n) in &report.outcomes {
            printer.text(&format!("{:>7}  {}", n, outcome.name()))?;
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
        Some(place) => Some(evidence(seat, report, place).await),
        None => None,
    };
    print(seat, report)?;
    if let Some(head) = written.transpose()? {
        say(&format!("Evidence written. Its head, to be noted somewhere else: {head}"));
    }
    Ok(())
}

async fn evidence(seat: &Seat, report: &SweepReport, place: Place) -> Result<Hash, Ending> {
    let pack = pack_of(seat, report.id).await?;
    place.put(&pack.bytes)?;
    Ok(pack.head)
}

/// Prints every grant on a line.
///
/// # Errors
/// When the output takes no more.
pub fn lines(printer: &mut Printer, report: &SweepReport) -> Result<(), Ending> {
    for line in &report.lines {
        printer.line(&Line {
            member_id: &line.member_id,
            connected_app_id: &line.connected_app_id,
            outcome: line.outcome.name(),
            request_id: line.request_id.as_deref(),
            read_again_at: line.read_again_at.as_deref(),
        })?;
    }
    Ok(())
}

/// The code for what it came to; what stopped it is said, and what was done to the policy.
pub fn end(report: &SweepReport, again: &str) -> u8 {
    if report.policy.is_some() {
        crate::contain::tell(report);
    }
    let left = report.lines.iter().filter(|line| line.outcome == Outcome::Unknown).count();
    match &report.ended {
        Some(Ended::SessionEnded(_)) => {
            say(&format!(
                "Your session has ended. {} not yet known. Sign in as the same member and go on with: {again}",
                count(left, "grant is", "grants are")
            ));
            return SESSION;
        }
        Some(Ended::Halted(error)) => {
            let told = api(error);
            say(&format!("Stopped, since every other grant would meet the same refusal. {}", told.sentence));
            return told.code;
        }
        Some(Ended::CanaryDied { failed, of }) => {
            say(&format!("Stopped after the first {of}: {failed} of them failed. Go on with: {again}"));
        }
        Some(Ended::Paused) => {
            say(&format!("Stopped. {} not yet known.", count(left, "grant is", "grants are")));
        }
        _ => {}
    }
    if all_gone(report) {
        // Gone, and free to come back, is not all that a block was asked for.
        return if report.can_consent_again { PARTIAL } else { DONE };
    }
    if !report.lines.is_empty() && report.lines.iter().all(|line| line.outcome == Outcome::Denied) {
        return DENIED;
    }
    PARTIAL
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
    PlanFile::read(&bytes).map_err(|unusable| Ending::usage(plan(unusable)))
}

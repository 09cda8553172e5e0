//! `cutoff lift`: takes the block of a sweep back and says what came back with it. What is restored is the mind's to decide.

use cutoff::policy::Undo;
use cutoff::sweep::Wish;
use cutoff::sweep::engine::{Ended, Progress};
use cutoff::sweeps::all_gone;
use tokio::sync::watch;

use crate::apply::{print, watched};
use crate::ending::{DONE, Ending, PARTIAL, SESSION, differing, refusal};
use crate::flags::Lift;
use crate::next::{another_session, command, this_run_with};
use crate::seat::Seat;
use crate::text::safe;
use crate::told::{count, utc_of};
use crate::{Done, say};

/// Lifts a block.
///
/// # Errors
/// Why nothing was changed, or why it is not known what became of it.
pub async fn run(seat: &Seat, flags: &Lift) -> Done {
    let id = crate::log::sweep_id(&flags.sweep)?;
    seat.sit().await?;
    let digest = seat.desk.digest(id).await.map_err(crate::log::no_such_sweep)?;
    let block = digest.policy.as_ref();
    let when = block.map(|block| {
        let at = block.at.as_deref().map_or_else(String::new, |at| format!(" at {}", utc_of(at)));
        at + &block.request_id.as_ref().map_or_else(String::new, |id| format!(" (request id {})", safe(id)))
    });
    let when = when.unwrap_or_default();
    let lifted_before = block.is_some_and(|block| block.lifted);
    // Nothing was ever done that could be taken back; what the policy has become since is not this sweep's.
    if let Some(block) = block.filter(|block| (!block.in_force || block.theirs) && !block.lifted) {
        if block.denied {
            return Err(Ending::usage(format!(
                "The block of that sweep was refused{when}: the policy was never changed for it, so there is nothing to lift."
            )));
        }
        if block.overtaken {
            return Err(Ending::usage(
                "The block of that sweep was never asked for, since somebody else had changed the policy before: there is nothing \
                 to lift.",
            ));
        }
    }
    let view = seat.desk.look_at_lift(id).await.map_err(crate::log::no_such_sweep)?;
    if view.hidden > 0 {
        say(&format!(
            "{} had no answer of success: the policy hides them, and they may come back with the app. They are sent again, if you began the \
             sweep, within a day.",
            count(view.hidden as usize, "revoke", "revokes")
        ));
    }
    if view.not_attempted > 0 {
        say(&format!(
            "{} never sent, and lifting sends none: those grants come back with the app.",
            count(view.not_attempted as usize, "revoke was", "revokes were")
        ));
    }
    for other in &view.beside {
        say(&format!(
            "Sweep {other} blocked an app of it too, and its block of that goes as well. Look at it with: {}",
            command(&["log", &other.to_string()])
        ));
    }
    // What was lifted is not lifted again over anybody's changes: nothing is sent to the policy.
    let nothing_left = lifted_before && matches!(&view.undo, Undo::Changed { merged, .. } if *merged == view.now);
    let over = match &view.undo {
        Undo::Exact(_) => "The former policy would be restored exactly".to_owned(),
        Undo::Nothing if lifted_before => {
            format!("The block was lifted already{when}; the grants would be read again")
        }
        Undo::Nothing if view.before == view.after => {
            "The block changed nothing, since the policy forbade its apps before; the grants would be read again"
                .to_owned()
        }
        Undo::Nothing => {
            "The policy is again as it was before the block, and not by this sweep; the grants would be read again"
                .to_owned()
        }
        Undo::Changed { .. } if nothing_left => format!(
            "The block was lifted already{when}, and the policy was changed in other ways since; the grants would be read again"
        ),
        Undo::Changed { differs, merged } => {
            let told = differing(differs);
            if !flags.over_changes {
                let before = if lifted_before { format!("The block was lifted once{when}. ") } else { String::new() };
                return Err(Ending::usage(format!(
                    "{before}The policy was changed since it was blocked, by another administrator or another sweep: {told}. Nothing was \
                     changed now. To take back only what the block did, add --over-changes: {}",
                    this_run_with(&["--over-changes"])
                )));
            }
            if *merged == view.now {
                format!("The policy was changed since ({told}), and nothing of the block is left in it")
            } else {
                format!("The policy was changed since ({told}); only what the block did would be taken back")
            }
        }
    };
    if !flags.yes {
        let next = this_run_with(&["--yes"]);
        return Err(Ending::usage(format!("{over}. Nothing was changed. If that is meant, add --yes: {next}")));
    }
    let (wish, wishes) = watch::channel(Wish::Run);
    let (progress, drawn) = watch::channel(Progress::default());
    let how = cutoff::contain::Lift { over_changes: flags.over_changes || nothing_left };
    let lift = seat.desk.lift(id, &how, wishes, progress, None);
    let sweep = id.to_string();
    let look = command(&["lift", &sweep]);
    let mut words = vec!["lift", sweep.as_str(), "--yes"];
    words.extend(flags.over_changes.then_some("--over-changes"));
    let again = command(&words);
    let began = seat.now();
    let lifted = watched(lift, view.hidden as usize, wish, drawn).await;
    let lifted = lifted.map_err(|error| match error {
        cutoff::Error::PolicyChanged(differs) => Ending::usage(format!(
            "The policy was changed between two looks: {}. Nothing was changed. Look again with: {look}",
            differing(&differs)
        )),
        other => other.into(),
    })?;
    let report = &lifted.report;
    print(seat, report)?;
    if lifted.not_lifted {
        say(&format!("The policy is not as it was before the block, or nobody can tell. Look again with: {look}"));
    } else if lifted.nothing_to_lift {
        say(&match lifted_before {
            true => format!("The block was lifted already{when}."),
            false if report.policy.as_ref().is_some_and(|policy| policy.in_force) => {
                "Nothing of the block was left in the policy, which forbids its apps all the same, by another change than this sweep's."
                    .to_owned()
            }
            false => "Nothing of the block was left in the policy.".to_owned(),
        });
    } else if report.policy.as_ref().is_some_and(|policy| policy.in_force) {
        say("The block is lifted. The policy forbids its apps all the same, by another change than this sweep's.");
    } else {
        say("The block is lifted: members can consent again.");
    }
    if report.returned.is_empty() {
        let read = report.lines.iter().filter(|line| line.told_at.is_some_and(|at| at >= began)).count();
        let of = count(report.lines.len(), "grant", "grants");
        match read {
            _ if report.lines.is_empty() => {}
            0 => {
                say(&format!("None of the {of} of the sweep could be read again: whether any came back is not known."))
            }
            n if n == report.lines.len() => {
                say(&format!("All {of} of the sweep were looked for again: none is listed."))
            }
            n => say(&format!("{n} of the {of} of the sweep were looked for again: none of those is listed.")),
        }
    } else {
        say(&format!("{} came back:", count(report.returned.len(), "grant", "grants")));
        for pair in &report.returned {
            let line =
                report.lines.iter().find(|line| line.pair() == (pair.member_id.clone(), pair.connected_app_id.clone()));
            // What had no answer is sent again as soon as it shows.
            let since =
                if line.is_some_and(|line| line.outcome.is_gone()) { ", revoked again since, and gone" } else { "" };
            say(&format!("  {} of {}{since}", safe(pair.connected_app_id.as_str()), safe(pair.member_id.as_str())));
        }
    }
    match &report.ended {
        Some(Ended::SessionEnded(_)) => {
            say(&format!("Your session has ended. {}", another_session(false)));
            say(&format!("Then repeat it: {again}"));
            return Ok(SESSION);
        }
        Some(Ended::Halted(error)) => {
            let told = refusal(seat.desk.session().ok().as_deref(), error);
            say(&format!("Stopped. {}", told.sentence));
            return Ok(told.code);
        }
        _ => {}
    }
    Ok(if !lifted.not_lifted && all_gone(report) { DONE } else { PARTIAL })
}

//! `letter.txt`: a ready letter that asks the vendor to match the request ids with their own logs while these still exist. It
//! holds ids and times and no person's name, so that erasing somebody leaves it as it is. Where nothing was sent there is none.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use journal::{Body, Failure, View};

use super::record::{Record, harmless};
use super::report::count;
use crate::clock::later;
use crate::sweep::change::Changes;

/// For how long Stytch shows a project's owner what was requested.
const LOGS: Duration = Duration::from_secs(30 * 24 * 3600);
const LONG: usize = 200;

/// Lines of plain UTF-8.
pub(crate) fn write(sweep: &Record<'_>) -> String {
    let opening = sweep.opening;
    let place = &opening.connection;
    let id = |text: &str| harmless(text, LONG);
    let name = sweep.organization_name.map(|name| format!("{} ", harmless(name, 120))).unwrap_or_default();
    // Asked for is what left, or may have; a grant that no request was sent for is no business of the vendor's logs.
    let asked = sweep.lines.iter().filter(|line| line.finding.attempts > 0).count();
    let mut out = String::new();
    let mut say = |line: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{line}");
    };
    say(format_args!("Please compare these requests with your logs before {}", day(sweep)));
    say(format_args!(""));
    say(format_args!("To whom it may concern,"));
    say(format_args!(""));
    let changes = Changes::of(sweep.rows.all());
    // What a run was about to send when it was killed is asked for as well, and not told as sent.
    let (maybe, maybe_changed) = (sweep.maybe_sent(), changes.unrecorded() == changes.sent());
    let verb = if asked == maybe && maybe_changed { "was about to ask" } else { "asked" };
    say(format_args!(
        "an administrator of our organization {name}({}) {verb} Stytch, through your project at",
        id(&place.organization_id)
    ));
    let up_to = if maybe > 0 { "up to " } else { "" };
    let perhaps = if maybe_changed { "perhaps " } else { "" };
    let what = match asked {
        0 => "change the organization's policy on connected apps".to_owned(),
        _ if changes.sent() == 0 => format!("revoke {up_to}{} of connected apps", count(asked, "grant", "grants")),
        _ => format!(
            "revoke {up_to}{} of connected apps and {perhaps}change the organization's policy on them",
            count(asked, "grant", "grants")
        ),
    };
    say(format_args!(
        "{}://{}:{}, to {what} between {} and {} UTC.",
        id(&place.scheme),
        id(&place.host),
        place.port,
        sweep.opened.utc,
        sweep.last.utc
    ));
    let unrecorded =
        changes.unrecorded() + sweep.lines.iter().map(|line| line.finding.unrecorded as usize).sum::<usize>();
    if unrecorded > 0 {
        say(format_args!(
            "Of {} our record says only that {} about to be sent: your logs may have {}, or not.",
            count(unrecorded, "of these requests", "of these requests"),
            if unrecorded == 1 { "it was" } else { "they were" },
            if unrecorded == 1 { "it" } else { "them" }
        ));
    }
    say(format_args!(""));
    say(format_args!(
        "Answers of Stytch carry a request id. The owner of a project can look these up in the project's logs,"
    ));
    say(format_args!("which reach back 30 days: the first of these requests leaves them on {}.", day(sweep)));
    say(format_args!(""));
    say(format_args!("We ask you to:"));
    say(format_args!(
        "  1. find each request id below, and tell us of any that your logs do not have, or have with another time,"
    ));
    say(format_args!("     member, app or result;"));
    say(format_args!("  2. keep these log entries beyond the 30 days until we tell you that we need them no longer;"));
    say(format_args!(
        "  3. tell us how long access tokens of these apps live in your project, and whether any of their tokens or"
    ));
    say(format_args!("     sessions were accepted after the times below."));
    say(format_args!(""));
    // Whoever takes a sweep up again, or lifts its block, may be another than who began it.
    let mut hands = vec![(opening.actor.member_id.as_str(), opening.actor.member_session_id.as_str())];
    for (_, note) in &sweep.notes {
        let detail = |key: &str| note.detail.get(key).map(String::as_str);
        let hand = detail("member_id").zip(detail("member_session_id"));
        hands.extend(hand.filter(|hand| !hands.contains(hand)));
    }
    for (at, (member, session)) in hands.into_iter().enumerate() {
        let begin = if at == 0 { "The requests were made by" } else { "and later by" };
        say(format_args!("{begin} the member {},", id(member)));
        say(format_args!("in the member session {}.", id(session)));
    }
    say(format_args!("Our record of them: sweep {}, head {}.", opening.sweep_id, sweep.head));
    say(format_args!(""));
    say(format_args!("Revokes, and changes of the policy"));
    let mut kept = 0_usize;
    let answers: HashSet<(bool, u32)> = sweep
        .rows
        .all()
        .iter()
        .filter_map(|row| match &row.body {
            Body::Answer(answer) => Some((false, answer.attempt)),
            Body::PolicyAnswer(answer) => Some((true, answer.attempt)),
            _ => None,
        })
        .collect();
    for row in sweep.rows.all() {
        let (request, sent, answered, status, n) = match &row.body {
            Body::Answer(answer) if answer.failure == Some(Failure::NotSent) => {
                kept += 1;
                continue;
            }
            Body::PolicyAnswer(answer) if answer.failure == Some(Failure::NotSent) => {
                kept += 1;
                continue;
            }
            Body::Answer(answer) => {
                (answer.request_id.as_deref(), Some(&answer.sent), answer.answered, answer.status, Some(answer.n))
            }
            Body::PolicyAnswer(answer) => {
                (answer.request_id.as_deref(), Some(&answer.sent), answer.answered, answer.status, None)
            }
            Body::Intent(intent) if !answers.contains(&(false, intent.attempt)) => {
                (None, None, false, None, Some(intent.n))
            }
            Body::PolicyIntent(intent) if !answers.contains(&(true, intent.attempt)) => (None, None, false, None, None),
            _ => continue,
        };
        match sent {
            Some(sent) => {
                say(format_args!("  request id   {}", request.map_or_else(|| "none came".to_owned(), id)));
                say(format_args!("    sent       {}", sent.utc));
                let status = status.map_or_else(|| "no usable answer".to_owned(), |status| format!("HTTP {status}"));
                let at = if answered { row.clock.utc.to_string() } else { "never".to_owned() };
                say(format_args!("    answered   {at}, {status}"));
            }
            None => {
                say(format_args!("  request id   none was recorded"));
                say(format_args!("    sent       {} or soon after, or not at all", row.clock.utc));
                say(format_args!("    answered   no answer was recorded"));
            }
        }
        match n.and_then(|n| sweep.line(n)) {
            Some(line) => {
                say(format_args!("    member     {}", id(&line.grant.member_id)));
                say(format_args!("    app        {}", id(&line.grant.connected_app_id)));
            }
            None => say(format_args!("    change     of the organization's policy on connected apps")),
        }
    }
    if kept > 0 {
        say(format_args!(
            "  ({} did not leave our computer and cannot be in your logs.)",
            count(kept, "request", "requests")
        ));
    }
    say(format_args!(""));
    say(format_args!("Reads before and after, by which we saw what was gone"));
    let mut any = !sweep.reads.is_empty();
    for row in sweep.rows.all() {
        let Body::PolicyRead(read) = &row.body else { continue };
        any = true;
        say(format_args!("  request id   {}", read.request_id.as_deref().map_or_else(|| "none came".to_owned(), id)));
        say(format_args!("    read       the organization's policy"));
        let status = read.status.map_or_else(|| "no usable answer".to_owned(), |status| format!("HTTP {status}"));
        say(format_args!("    from       {} to {}, {status}", read.began.utc, read.ended.utc));
    }
    for read in &sweep.reads {
        say(format_args!("  request id   {}", read.request_id.as_deref().map_or_else(|| "none came".to_owned(), id)));
        let view = match read.view {
            View::App => "the app's active members",
            View::Member => "the member's connected apps",
            View::Oneself => "one's own connected apps",
            View::Organization => "the organization's connected apps",
            View::Unknown => "another list",
        };
        let subject = read.subject.as_deref().map(|subject| format!(": {}", id(subject))).unwrap_or_default();
        say(format_args!("    read       {view}{subject}"));
        let status = read.status.map_or_else(|| "no usable answer".to_owned(), |status| format!("HTTP {status}"));
        say(format_args!("    from       {} to {}, {status}", read.began.utc, read.ended.utc));
    }
    if !any {
        say(format_args!("  none"));
    }
    say(format_args!(""));
    say(format_args!("Yours sincerely,"));
    say(format_args!(""));
    out
}

/// The last day on which everything can be found.
fn day(sweep: &Record<'_>) -> String {
    later(sweep.opened, LOGS).timestamp().strftime("%Y-%m-%d").to_string()
}

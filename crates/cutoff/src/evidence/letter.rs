//! `letter.txt`: a ready letter that asks the vendor to match the request ids with their own logs while these still exist. It
//! holds ids and times and no person's name, so that erasing somebody leaves it as it is.

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
    say(format_args!(
        "as an administrator of our organization {name}({}), a member of it asked Stytch, through your project at",
        id(&place.organization_id)
    ));
    let changes = Changes::of(sweep.rows.all());
    let what = match sweep.lines.len() {
        0 if changes.intents.is_empty() => "read the organization's policy on connected apps".to_owned(),
        0 => "change the organization's policy on connected apps".to_owned(),
        _ => format!("revoke {} of connected apps", count(asked, "grant", "grants")),
    };
    say(format_args!(
        "{}://{}:{}, to {what} between {} and {} UTC.",
        id(&place.scheme),
        id(&place.host),
        place.port,
        sweep.opened.utc,
        sweep.last.utc
    ));
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
    say(format_args!("The requests were made by the member {},", id(&opening.actor.member_id)));
    say(format_args!("in the member session {}.", id(&opening.actor.member_session_id)));
    say(format_args!("Our record of them: sweep {}, head {}.", opening.sweep_id, sweep.head));
    say(format_args!(""));
    say(format_args!("Revokes, and changes of the policy"));
    let mut any = false;
    let mut kept = 0_usize;
    let answers: HashSet<u32> = sweep
        .rows
        .all()
        .iter()
        .filter_map(|row| match &row.body {
            Body::Answer(answer) => Some(answer.attempt),
            _ => None,
        })
        .collect();
    for row in sweep.rows.all() {
        let answer = match &row.body {
            Body::Answer(answer) if answer.failure == Some(Failure::NotSent) => {
                kept += 1;
                continue;
            }
            Body::Answer(answer) => answer,
            Body::Intent(intent) if !answers.contains(&intent.attempt) => {
                let Some(line) = sweep.line(intent.n) else { continue };
                any = true;
                say(format_args!("  request id   none was recorded"));
                say(format_args!("    sent       {} or soon after, or not at all", row.clock.utc));
                say(format_args!("    answered   no answer was recorded"));
                say(format_args!("    member     {}", id(&line.grant.member_id)));
                say(format_args!("    app        {}", id(&line.grant.connected_app_id)));
                continue;
            }
            _ => continue,
        };
        let Some(line) = sweep.line(answer.n) else { continue };
        any = true;
        say(format_args!("  request id   {}", answer.request_id.as_deref().map_or_else(|| "none came".to_owned(), id)));
        say(format_args!("    sent       {}", answer.sent.utc));
        let status = answer.status.map_or_else(|| "no usable answer".to_owned(), |status| format!("HTTP {status}"));
        say(format_args!(
            "    answered   {}, {status}",
            if answer.answered { row.clock.utc.to_string() } else { "never".to_owned() }
        ));
        say(format_args!("    member     {}", id(&line.grant.member_id)));
        say(format_args!("    app        {}", id(&line.grant.connected_app_id)));
    }
    if !any {
        say(format_args!("  {}", if sweep.lines.is_empty() { "no revoke was sent" } else { "none was sent" }));
    }
    if kept > 0 {
        say(format_args!(
            "  ({} did not leave our computer and cannot be in your logs.)",
            count(kept, "request", "requests")
        ));
    }
    for event in &sweep.events {
        let Some((_, request)) = event.details.iter().find(|(key, _)| key == "request_id") else { continue };
        say(format_args!("  request id   {}", id(request)));
        say(format_args!("    recorded   {}, {}", event.row.clock.utc, id(&event.kind)));
    }
    say(format_args!(""));
    say(format_args!("Reads before and after, by which we saw what was gone"));
    let mut any = false;
    for read in &sweep.reads {
        any = true;
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

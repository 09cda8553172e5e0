//! `cutoff watch`: reads the inventory again and again and says what came back. What came back is the mind's to say; here stands
//! how long to wait, and what to type next.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use cutoff::clock::rfc3339;
use cutoff::inventory::picture::Cause;
use cutoff::inventory::reading::Progress;
use cutoff::watch::{BlockUndone, ComeBack, Kind};
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{DONE, Ending, PARTIAL, UNREACHABLE};
use crate::flags::Watch;
use crate::interrupts::Interrupts;
use crate::next::{command, new_plan};
use crate::seat::Seat;
use crate::text::{cut, safe};
use crate::told::{Printer, missing, time_of_day, utc};
use crate::{Done, say};

/// Grants named one by one in a command to type; with more, the app is.
const MOST_NAMED: usize = 5;

/// One come-back on a line.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    member_id: &'a str,
    connected_app_id: &'a str,
    lost_connected_app_id: &'a str,
    gone_at: String,
    seen_at: String,
    sweep_id: String,
}

/// Watches until it is stopped, or with `--once` reads once.
///
/// # Errors
/// When the session is over, or something stands in the way that waiting does not help.
pub async fn run(seat: &Seat, flags: &Watch) -> Done {
    let every = flags.every_seconds.map_or(Duration::from_secs(60 * u64::from(flags.every)), Duration::from_secs);
    let mut interrupts = Interrupts::listen();
    let mut code = DONE;
    let mut missing_before = None;
    loop {
        let read = tokio::select! {
            read = read(seat) => read,
            () = interrupts.next() => return Ok(code),
        };
        let tended = match read {
            Ok(found) => {
                // It was raised and is raised no more, so it is told before anything else can fail or be stopped.
                tell(seat, &found)?;
                if !found.is_empty() {
                    code = PARTIAL;
                }
                tokio::select! {
                    tended = tend(seat) => tended,
                    () = interrupts.next() => return Ok(code),
                }
            }
            Err(ending) => Err(ending),
        };
        match tended {
            Ok(undone) => {
                tell_undone(seat, &undone)?;
                if !undone.is_empty() {
                    code = PARTIAL;
                }
                let shown = seat.desk.shown().await?;
                let facts = &shown.picture.facts;
                // Of a gap that stays, each reading would say the same.
                if missing_before.as_ref() != Some(&facts.missing) {
                    missing_before = Some(facts.missing.clone());
                    let incomplete = missing(seat, &shown.picture);
                    // What the policy forbids nobody can consent to: that it is hidden is no gap in what a watch is for.
                    if flags.once && facts.missing.iter().any(|missing| missing.cause != Cause::Hidden) {
                        code = code.max(incomplete);
                    }
                }
            }
            Err(ending) if !flags.once && ending.code == UNREACHABLE => {
                say(&format!("{} Trying again in {}.", ending.sentence, span(every)));
            }
            Err(ending) => return Err(ending),
        }
        if flags.once {
            return Ok(code);
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = interrupts.next() => return Ok(code),
        }
    }
}

async fn read(seat: &Seat) -> Result<Vec<ComeBack>, Ending> {
    seat.sit().await?;
    let waits = std::sync::Mutex::new(None);
    let told = |progress: &Progress| {
        // Held for a look and a swap. Several calls run into one limit: that is one wait.
        let mut told = waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(until) = progress.waiting_until
            && told.is_none_or(|told| until > told)
        {
            *told = Some(until);
            say(&format!("waiting until {}: Stytch limits the rate", time_of_day(until)));
        }
    };
    Ok(seat.desk.watch_once(&told).await?)
}

/// Confirms what was found gone and settles what was left open, as the window does it, and looks whether the blocks are in force.
async fn tend(seat: &Seat) -> Result<Vec<BlockUndone>, Ending> {
    seat.desk.tend(seat.now()).await?;
    Ok(seat.desk.blocks_undone().await.unwrap_or_else(|error| {
        say(&format!("Whether the blocks are in force could not be read. {}", Ending::from(error).sentence));
        Vec::new()
    }))
}

/// A block that somebody undid, on a line.
#[derive(Serialize)]
struct UndoneLine<'a> {
    kind: &'static str,
    connected_app_ids: &'a [ConnectedAppId],
    sweep_id: String,
}

fn tell_undone(seat: &Seat, undone: &[BlockUndone]) -> Result<(), Ending> {
    let mut printer = Printer::new(seat.json);
    for block in undone {
        let sweep_id = block.sweep_id.to_string();
        let apps: Vec<String> = block.apps.iter().map(|app| safe(app.as_str())).collect();
        if seat.json {
            printer.line(&UndoneLine { kind: "block_undone", connected_app_ids: &block.apps, sweep_id })?;
        } else {
            printer.text(&format!(
                "The block that sweep {sweep_id} made is not in the policy any more: members can consent again to {}.",
                apps.join(", ")
            ))?;
        }
    }
    printer.done()?;
    for block in undone {
        let mut again = vec!["contain"];
        again.extend(block.apps.iter().flat_map(|app| ["--app", app.as_str()]));
        again.push("--yes");
        say(&format!("Block it again; without --yes that tells what it would do: {}", command(&again)));
    }
    Ok(())
}

/// Prints one line for each and says what to do next.
fn tell(seat: &Seat, found: &[ComeBack]) -> Result<(), Ending> {
    let mut printer = Printer::new(seat.json);
    for back in found {
        if seat.json {
            printer.line(&Line {
                kind: back.kind.word(),
                member_id: back.member_id.as_str(),
                connected_app_id: back.connected_app_id.as_str(),
                lost_connected_app_id: back.lost_connected_app_id.as_str(),
                gone_at: rfc3339(back.gone_at),
                seen_at: rfc3339(back.seen_at),
                sweep_id: back.sweep_id.to_string(),
            })?;
        } else {
            printer.text(&sentence(back))?;
        }
    }
    printer.done()?;
    if !found.is_empty() {
        if std::io::stderr().is_terminal() {
            let _ = std::io::stderr().write_all(b"\x07");
        }
        next(found);
    }
    Ok(())
}

/// Says what a command's own reading raised on the way: each come-back is raised once, so whoever reads must pass it on.
pub fn pass_on(found: &[ComeBack]) {
    for back in found {
        say(&sentence(back));
    }
    next(found);
}

fn sentence(back: &ComeBack) -> String {
    let name = |name: &str, id: &str| match cut(&safe(name), 60) {
        shown if shown.trim().is_empty() => safe(id),
        shown => format!("{shown} ({})", safe(id)),
    };
    let known = back.known.as_ref();
    let member = known.map(|known| safe(&known.email)).filter(|email| !email.is_empty());
    let member = member.unwrap_or_else(|| safe(back.member_id.as_str()));
    let app = name(&back.app_name, back.connected_app_id.as_str());
    match back.kind {
        Kind::SeenAgain => format!(
            "{}: the grant of {member} to {app} is seen again. It was gone at {}: not removed by the server, or consented to \
             again; Stytch gives no way to tell.",
            utc(back.seen_at),
            utc(back.gone_at)
        ),
        Kind::LookAlike => format!(
            "{}: {member} has connected {app}, which looks like {}, whose grant was gone at {}.",
            utc(back.seen_at),
            name(back.lost_app_name.as_deref().unwrap_or_default(), back.lost_connected_app_id.as_str()),
            utc(back.gone_at)
        ),
    }
}

/// What to type next, for each app.
fn next(found: &[ComeBack]) {
    let mut apps: BTreeMap<&str, Vec<&ComeBack>> = BTreeMap::new();
    for back in found {
        apps.entry(back.connected_app_id.as_str()).or_default().push(back);
    }
    for (nth, (app, backs)) in apps.into_iter().enumerate() {
        let file = new_plan("again", nth);
        let grants: Vec<String> = backs.iter().map(|back| format!("{}:{app}", back.member_id)).collect();
        let mut plan = vec!["plan"];
        if grants.len() > MOST_NAMED {
            plan.extend(["--app", app]);
        } else {
            plan.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        }
        plan.extend(["--out", &file]);
        say(&format!("Revoke it again: {}", command(&plan)));
        say(&format!("and then: {}", command(&["apply", &file, "--yes"])));
        say(&format!(
            "Or block the app first, so that nobody can consent again. This tells what that would do and what has to be decided for it, and \
             sends nothing yet: {}",
            command(&["contain", "--app", app])
        ));
    }
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

//! `cutoff plan --indicators`: which clients of an advisory are connected here, and how much of the inventory that is said of.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cutoff::indicators::{By, Findings, Indicators, Kind, KnownBefore, LARGEST, MOST, MOST_ASKED, Match, Unreadable};
use cutoff::inventory::picture::{Cause, Picture, What as Lacks};
use cutoff::sweeps::What;
use journal::{Hash, SweepId};
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{DONE, Ending, PARTIAL};
use crate::export::{Place, pack_of};
use crate::flags::Plan;
use crate::interrupts::Interrupts;
use crate::lists::fresh_enough;
use crate::next::command;
use crate::seat::Seat;
use crate::text::{cut, safe};
use crate::told::{Printer, count, missing, utc_of};
use crate::{Done, plan, say};

/// What is named one by one; after that many, a number stands for the others.
const MOST_NAMED: usize = 20;

/// One indicator on a line.
#[derive(Serialize)]
struct Line<'a> {
    indicator: &'a str,
    /// Where it stands in the file, and how.
    line: Option<u64>,
    written: &'a str,
    kind: Kind,
    found: bool,
    /// Nothing was found, and nothing could be: the policy hides it.
    hidden: bool,
    matched_by: Option<By>,
    connected_app_ids: &'a [ConnectedAppId],
    look_alike_app_ids: &'a [ConnectedAppId],
    grants: u32,
    /// Apps of it that an earlier reading had and no list has now.
    known_before: &'a [KnownBefore],
}

/// The last line: what all of that is said of.
#[derive(Serialize)]
struct Coverage {
    indicators: usize,
    found: usize,
    apps_read: u32,
    apps_listed: u32,
    /// Ids in no list that were asked for one by one, and that were not.
    ids_asked: u32,
    ids_unasked: u32,
    lines_not_understood: u32,
    complete: bool,
    read_at: String,
    /// Grants that were read then and are not counted: sweeps have found them gone since.
    found_gone: u32,
    /// The chain that holds the finding, and the head of its pack, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
}

/// Looks for the indicators, tells of each, and plans what was found.
///
/// # Errors
/// When the file or the inventory cannot be read, or the plan cannot be made.
pub async fn run(seat: &Seat, flags: &Plan, file: &Path) -> Done {
    let indicators = read(file)?;
    let place = flags.evidence.as_deref().map(Place::take).transpose()?;
    seat.sit().await?;
    let shown = fresh_enough(seat, flags.max_age).await?;
    let mut interrupts = Interrupts::listen();
    let findings = tokio::select! {
        found = seat.desk.match_indicators(&indicators, &shown) => found?,
        // It only reads, and a wait for a limit may be long.
        () = interrupts.next() => return Err(cutoff::Error::Cancelled.into()),
    };
    let mut pack = None;
    if let Some(place) = place {
        let id = seat.desk.record_finding(&indicators, &findings, &shown.picture, flags.reason.clone()).await?;
        let made = pack_of(seat, id).await?;
        place.put(&made.bytes, Some(id))?;
        pack = Some((id, made.head));
    }
    tell(seat, &indicators, &findings, &shown.picture, pack)?;
    let pairs = findings.pairs(&shown.picture, flags.look_alikes, flags.first_party);
    let code = if !pairs.is_empty() {
        if flags.out.is_none() {
            say("To plan the revoking of their grants, name the plan's file with --out.");
        }
        plan::make(seat, flags, &What::Pairs(pairs)).await?
    } else {
        if flags.out.is_some() {
            say("Nothing was found that a plan could revoke, so none was written.");
        }
        DONE
    };
    if findings.complete {
        return Ok(code);
    }
    missing(seat, &shown.picture);
    lacking(&findings, &shown.picture);
    Ok(if code == DONE { PARTIAL } else { code })
}

/// Says what of the ids and names that no list has could not be told.
fn lacking(findings: &Findings, picture: &Picture) {
    let views: Vec<_> = findings
        .missing
        .iter()
        .filter_map(|missing| match &missing.what {
            // What is missing from the inventory itself was said with it.
            Lacks::App(id) if !picture.facts.missing.contains(missing) => Some((id, missing.cause)),
            _ => None,
        })
        .collect();
    for (id, cause) in views.iter().take(MOST_NAMED) {
        let why = match cause {
            Cause::Hidden => "the policy hides it, so whether it has grants cannot be seen",
            Cause::Denied => "your role may not read it",
            Cause::CutShort => "an earlier reading had it, it is not listed now, and nothing bears out that it is gone",
            _ => "its own view could not be read",
        };
        say(&format!("{} is unknown: {why}.", safe(id.as_str())));
    }
    if views.len() > MOST_NAMED {
        say(&format!("And {} more.", views.len() - MOST_NAMED));
    }
    if findings.unasked > 0 {
        say(&format!(
            "{} in no list: more than {MOST_ASKED} are not asked for one by one. Split the file.",
            count(findings.unasked as usize, "more id is", "more ids are")
        ));
    }
    if findings.missing.iter().any(|missing| missing.cause == Cause::Hidden) {
        say(&format!(
            "What the policy hides nobody can look for: what was revoked when it was blocked is told by: {}",
            command(&["log"])
        ));
    }
    if findings.names_may_hide {
        say(
            "The policy forbids apps, and those are in no list: a name that was not found may be one of theirs. Look for their ids \
             instead.",
        );
    }
}

fn tell(
    seat: &Seat,
    indicators: &Indicators,
    findings: &Findings,
    picture: &Picture,
    pack: Option<(SweepId, Hash)>,
) -> Result<(), Ending> {
    let mut printer = Printer::new(seat.json);
    let found = findings.found();
    for (each, written) in findings.each.iter().zip(&indicators.written) {
        if seat.json {
            printer.line(&Line {
                indicator: &each.indicator.text,
                line: written.line,
                written: &written.text,
                kind: each.indicator.kind,
                found: each.by.is_some(),
                hidden: each.by.is_none() && hidden(each, findings),
                matched_by: each.by,
                connected_app_ids: &each.apps,
                look_alike_app_ids: &each.look_alikes,
                grants: each.grants,
                known_before: &each.known_before,
            })?;
        } else {
            let read = match (written.line, written.text == each.indicator.text) {
                (_, true) => String::new(),
                (None, false) => format!(" (written {})", cut(&safe(&written.text), 80)),
                (Some(line), false) => format!(" (line {line}: {})", cut(&safe(&written.text), 80)),
            };
            printer.text(&(sentence(each, findings, picture) + &read))?;
        }
    }
    if seat.json {
        printer.line(&Coverage {
            indicators: findings.each.len(),
            found,
            apps_read: findings.apps_read,
            apps_listed: findings.apps_listed,
            ids_asked: findings.asked,
            ids_unasked: findings.unasked,
            lines_not_understood: findings.not_understood,
            complete: findings.complete,
            read_at: cutoff::clock::rfc3339(findings.read_at),
            found_gone: findings.found_gone,
            sweep_id: pack.as_ref().map(|(id, _)| id.to_string()),
            head: pack.as_ref().map(|(_, head)| head.to_string()),
        })?;
    }
    printer.done()?;
    for place in indicators.not_understood.iter().take(MOST_NAMED) {
        let line = place.line.map_or_else(String::new, |line| format!("Line {line} "));
        say(&format!("{line}was not understood, so nothing was looked for by it: {}", cut(&safe(&place.text), 80)));
    }
    if indicators.not_understood.len() > MOST_NAMED {
        say(&format!("And {} more lines.", indicators.not_understood.len() - MOST_NAMED));
    }
    if let Some((_, head)) = pack {
        say(&format!("The pack is written. Note its head somewhere else: {head}"));
    }
    let mut coverage =
        format!("{} read of {} listed", count(findings.apps_read as usize, "app", "apps"), findings.apps_listed);
    if findings.asked > 0 {
        coverage
            .push_str(&format!(", {} asked for by itself", count(findings.asked as usize, "other id", "other ids")));
    }
    let of = count(findings.each.len(), "indicator", "indicators");
    say(&match (found, findings.complete) {
        (0, true) => format!("Nil finding: none of {of} was found, {coverage}."),
        (0, false) => format!("None of {of} was found, {coverage}: no nil finding, since not everything was read."),
        _ => format!("{found} of {of} found, {coverage}."),
    });
    let alike = findings.each.iter().filter(|each| each.by == Some(By::LookAlike) || !each.look_alikes.is_empty());
    let alike = alike.count();
    if alike > 0 {
        say(&format!(
            "{} that only look like a name; they are left out of a plan until --look-alikes.",
            count(alike, "indicator has apps", "indicators have apps")
        ));
    }
    Ok(())
}

/// Whether an indicator is the id of an app of which nothing can be seen because the policy hides it.
fn hidden(found: &Match, findings: &Findings) -> bool {
    findings.missing.iter().any(|missing| {
        matches!(&missing.what, Lacks::App(id) if missing.cause == Cause::Hidden
            && id.as_str().eq_ignore_ascii_case(&found.indicator.text))
    })
}

fn sentence(found: &Match, findings: &Findings, picture: &Picture) -> String {
    let indicator = cut(&safe(&found.indicator.text), 80);
    let named = |ids: &[ConnectedAppId]| {
        let names: Vec<String> = ids
            .iter()
            .take(5)
            .map(|id| {
                let listed = picture.app(id).map(|at| &picture.apps[at as usize].name);
                let beyond = findings.beyond.iter().find(|beyond| beyond.id == *id);
                let name = listed.or(beyond.map(|beyond| &beyond.name)).map(|name| safe(name)).unwrap_or_default();
                let hidden = if listed.is_none() { ", in no list: by its own view" } else { "" };
                format!("{} ({}{hidden})", cut(&name, 40), safe(id.as_str()))
            })
            .collect();
        let more = ids.len().saturating_sub(names.len());
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let known: String = found
        .known_before
        .iter()
        .take(5)
        .map(|known| {
            let (app, at) = (safe(known.connected_app_id.as_str()), utc_of(&known.read_at));
            format!("; {app} is known from the reading of {at}, not listed now")
        })
        .collect();
    let by = match found.by {
        None if hidden(found, findings) => return format!("unknown    {indicator}: the policy hides it{known}"),
        None => return format!("not found  {indicator}{known}"),
        Some(By::Id) => "by its id",
        Some(By::Name) => "by its name",
        Some(By::LookAlike) => "only by the look of its name",
    };
    let alike = match found.look_alikes.as_slice() {
        [] => String::new(),
        alike => format!("; look-alikes: {}", named(alike)),
    };
    format!(
        "found      {indicator}: {by}, {}, {}{alike}{known}",
        named(&found.apps),
        count(found.grants as usize, "grant", "grants")
    )
}

fn read(path: &Path) -> Result<Indicators, Ending> {
    let refused =
        |error: std::io::Error| Ending::usage(format!("The indicators cannot be read: {error}. Name their file."));
    let mut bytes = Vec::new();
    File::open(path).map_err(refused)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(refused)?;
    Indicators::read(&bytes).map_err(|unreadable| {
        let (why, next) = match unreadable {
            Unreadable::TooLarge => ("it is larger than 32 MiB".to_owned(), "Split it".to_owned()),
            Unreadable::TooMany => (format!("it has more than {MOST} indicators"), "Split it".to_owned()),
            Unreadable::NotText => ("it is not text in UTF-8".to_owned(), "Save it as UTF-8".to_owned()),
            Unreadable::NotAList { line, entry } => {
                let place = match (line, entry) {
                    (Some(line), _) => format!("line {line} is"),
                    (None, Some(entry)) => format!("number {entry} of its list is"),
                    (None, None) => "as JSON it is".to_owned(),
                };
                (format!("{place} no text, nor an object with client_id, id or name"), shapes())
            }
            Unreadable::NoColumn { line } => (
                format!("it looks like a table, and line {line} has nothing under client_id, id or name"),
                format!("Name the column in its first line. {}", shapes()),
            ),
            Unreadable::Quotes { line } => (format!("a quote on line {line} is not closed"), "Close it".to_owned()),
            Unreadable::Empty => ("it has none".to_owned(), shapes()),
        };
        Ending::usage(format!("The file of indicators cannot be used: {why}. {next}; nothing was looked for."))
    })
}

/// What a file of indicators may look like.
fn shapes() -> String {
    "Read are: one id or name a line; CSV with a column client_id, id or name; a JSON array of texts or of objects with those, bare or \
     under \"indicators\"; the same as JSON Lines; a STIX bundle whose objects have a name or a pattern"
        .to_owned()
}

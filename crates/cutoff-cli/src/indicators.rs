//! `cutoff plan --indicators`: which clients of an advisory are connected here, and how much of the inventory that is said of.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cutoff::indicators::{By, Findings, Indicators, Kind, LARGEST, MOST, Match, Unreadable};
use cutoff::inventory::filter::Filter;
use cutoff::inventory::picture::Picture;
use cutoff::inventory::selection::{Noun, RowId, Selection};
use cutoff::sweeps::What;
use journal::{Hash, SweepId};
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{DONE, Ending, PARTIAL};
use crate::export::{Place, pack_of};
use crate::flags::Plan;
use crate::lists::fresh_enough;
use crate::seat::Seat;
use crate::text::{cut, safe};
use crate::told::{Printer, count, missing};
use crate::{Done, plan, say};

/// One indicator on a line.
#[derive(Serialize)]
struct Line<'a> {
    indicator: &'a str,
    kind: Kind,
    found: bool,
    matched_by: Option<By>,
    connected_app_ids: &'a [ConnectedAppId],
    look_alike_app_ids: &'a [ConnectedAppId],
    grants: u32,
}

/// The last line: what all of that is said of.
#[derive(Serialize)]
struct Coverage {
    indicators: usize,
    found: usize,
    apps_read: u32,
    apps_listed: u32,
    complete: bool,
    read_at: String,
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
    let findings = seat.desk.match_indicators(&indicators).await?;
    let mut pack = None;
    if let Some(place) = place {
        let id = seat.desk.record_finding(&indicators, &findings, &shown.picture, flags.reason.clone()).await?;
        let made = pack_of(seat, id).await?;
        place.put(&made.bytes)?;
        pack = Some((id, made.head));
    }
    tell(seat, &findings, &shown.picture, pack)?;
    let apps = findings.apps(flags.look_alikes);
    let granted =
        |app: &ConnectedAppId| shown.picture.app(app).is_some_and(|app| !shown.picture.grants_of_app(app).is_empty());
    let code = if apps.iter().any(granted) {
        if flags.out.is_none() {
            say("To plan the revoking of their grants, name the plan's file with --out.");
        }
        let ids: HashSet<RowId> = apps.into_iter().map(RowId::App).collect();
        let selection = Selection { noun: Noun::Apps, fold: false, all: false, filter: Filter::default(), ids };
        plan::make(seat, flags, &What::Selected(selection)).await?
    } else {
        if flags.out.is_some() {
            say("Nothing was found that a plan could revoke, so none was written.");
        }
        DONE
    };
    if findings.complete {
        return Ok(code);
    }
    missing(&shown.picture);
    Ok(if code == DONE { PARTIAL } else { code })
}

fn tell(seat: &Seat, findings: &Findings, picture: &Picture, pack: Option<(SweepId, Hash)>) -> Result<(), Ending> {
    let mut printer = Printer::new(seat.json);
    let found = findings.found();
    for each in &findings.each {
        if seat.json {
            printer.line(&Line {
                indicator: &each.indicator.text,
                kind: each.indicator.kind,
                found: each.by.is_some(),
                matched_by: each.by,
                connected_app_ids: &each.apps,
                look_alike_app_ids: &each.look_alikes,
                grants: each.grants,
            })?;
        } else {
            printer.text(&sentence(each, picture))?;
        }
    }
    if seat.json {
        printer.line(&Coverage {
            indicators: findings.each.len(),
            found,
            apps_read: findings.apps_read,
            apps_listed: findings.apps_listed,
            complete: findings.complete,
            read_at: cutoff::clock::rfc3339(findings.read_at),
            sweep_id: pack.as_ref().map(|(id, _)| id.to_string()),
            head: pack.as_ref().map(|(_, head)| head.to_string()),
        })?;
    }
    printer.done()?;
    if let Some((_, head)) = pack {
        say(&format!("The pack is written. Note its head somewhere else: {head}"));
    }
    let coverage =
        format!("{} read of {} listed", count(findings.apps_read as usize, "app", "apps"), findings.apps_listed);
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

fn sentence(found: &Match, picture: &Picture) -> String {
    let indicator = cut(&safe(&found.indicator.text), 80);
    let named = |ids: &[ConnectedAppId]| {
        let names: Vec<String> = ids
            .iter()
            .take(5)
            .map(|id| {
                let name = picture.app(id).map(|at| safe(&picture.apps[at as usize].name)).unwrap_or_default();
                format!("{} ({})", cut(&name, 40), safe(id.as_str()))
            })
            .collect();
        let more = ids.len().saturating_sub(names.len());
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    let by = match found.by {
        None => return format!("not found  {indicator}"),
        Some(By::Id) => "by its id",
        Some(By::Name) => "by its name",
        Some(By::LookAlike) => "only by the look of its name",
    };
    let alike = match found.look_alikes.as_slice() {
        [] => String::new(),
        alike => format!("; look-alikes: {}", named(alike)),
    };
    format!(
        "found      {indicator}: {by}, {}, {}{alike}",
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
            Unreadable::TooLarge => ("it is larger than 32 MiB".to_owned(), "Split it"),
            Unreadable::TooMany => (format!("it has more than {MOST} indicators"), "Split it"),
            Unreadable::NotText => ("it is not text in UTF-8".to_owned(), "Save it as UTF-8"),
            Unreadable::NotAList => (
                "as JSON it is no array of texts, or of objects with client_id, id or name".to_owned(),
                "Make one of it",
            ),
            Unreadable::NoColumn => (
                "it looks like a table, and not every row has something under client_id, id or name".to_owned(),
                "Name the column in its first line",
            ),
            Unreadable::Quotes => ("a quote in it is not closed".to_owned(), "Close it"),
            Unreadable::Empty => ("it has none".to_owned(), "Write one a line"),
        };
        Ending::usage(format!("The file of indicators cannot be used: {why}. {next}; nothing was looked for."))
    })
}

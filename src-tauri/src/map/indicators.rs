//! Indicators between the mind's words and the wire's. It moves facts and decides nothing.

use contract::indicators as wire;
use contract::refusal::Refusal;
use cutoff::clock::rfc3339;
use cutoff::indicators::{By, Findings, Indicators, Kind, Match, Unreadable};
use cutoff::inventory::picture::{Missing, What};
use cutoff::inventory::shown::Shown as Inventory;
use journal::SweepId;
use stytch_b2b::{ClientType, ConnectedAppId};

use super::{contain, inventory, number};

/// Apps that one row names.
const MOST_NAMED: usize = 20;
/// Apps that the page may name at once.
const MOST_BLOCKED: usize = 200;
/// Nobody sees more rows than this at once.
const MOST_ROWS: u32 = 1_000;
/// Nor reads a longer one.
const LONGEST_TEXT: usize = 1_000;

/// What a file of indicators came to.
pub(crate) struct Found {
    /// The file's name.
    pub(crate) file: String,
    /// The indicators.
    pub(crate) indicators: Indicators,
    /// What was found of each.
    pub(crate) findings: Findings,
    /// In which inventory.
    pub(crate) inventory: std::sync::Arc<Inventory>,
    /// The chain that holds it, once it was recorded. Held while it is, so that two clicks make one.
    pub(crate) recorded: tokio::sync::Mutex<Option<SweepId>>,
}

pub(crate) fn unreadable(unreadable: Unreadable) -> Refusal {
    let (fault, line, entry) = match unreadable {
        Unreadable::TooLarge => ("too_large", None, None),
        Unreadable::TooMany => ("too_many", None, None),
        Unreadable::NotText => ("not_text", None, None),
        Unreadable::NotAList { line, entry } => ("not_a_list", line, entry),
        Unreadable::NoColumn { line } => ("no_column", Some(line), None),
        Unreadable::Quotes { line } => ("quotes", Some(line), None),
        Unreadable::Empty => ("empty", None, None),
    };
    // A file has no more lines than bytes, and fewer of those than the number has room for.
    let place = |at: Option<u64>| at.and_then(|at| u32::try_from(at).ok());
    Refusal::ChosenFile { fault: fault.to_owned(), line: place(line), entry: place(entry) }
}

pub(crate) fn finding(name: String, found: &Found) -> wire::Finding {
    let (findings, picture) = (&found.findings, &found.inventory.picture);
    let grants = |look_alikes| number(findings.pairs(picture, look_alikes, true).len());
    let (sure, all) = (findings.apps(false), findings.apps(true));
    // Sentences about the list say nothing of what is in no list.
    let (unknown, missing): (Vec<&Missing>, Vec<&Missing>) = findings
        .missing
        .iter()
        .partition(|missing| matches!(&missing.what, What::App(id) if picture.app(id).is_none()));
    let lines = &found.indicators.not_understood;
    let ids_not_found = findings.ids_not_found();
    wire::Finding {
        finding: name,
        file: found.file.clone(),
        indicators: number(findings.each.len()),
        found: number(findings.found()),
        by_look_only: number(findings.each.iter().filter(|each| each.by == Some(By::LookAlike)).count()),
        apps: number(sure.len()),
        grants: grants(false),
        apps_with_look_alikes: number(all.len()),
        grants_with_look_alikes: grants(true),
        apps_listed: findings.apps_listed,
        apps_read: findings.apps_read,
        complete: findings.complete,
        missing: missing.into_iter().map(|missing| inventory::missing(missing, picture)).collect(),
        ids_not_found_total: number(ids_not_found.len()),
        ids_not_found: ids_not_found.into_iter().take(MOST_BLOCKED).map(|id| id.to_string()).collect(),
        asked: findings.asked,
        unknown: number(unknown.len()),
        unasked: findings.unasked,
        names_may_hide: findings.names_may_hide,
        not_understood: lines
            .iter()
            .take(MOST_NAMED)
            .map(|line| line.text.chars().take(LONGEST_TEXT).collect())
            .collect(),
        not_understood_total: number(lines.len()),
        read_at: rfc3339(findings.read_at),
        found_gone: findings.found_gone,
    }
}

pub(crate) fn rows(found: &Found, part: wire::FindingPart, offset: u32, count: u32) -> wire::FindingRows {
    let wanted = |each: &&Match| match part {
        wire::FindingPart::All => true,
        wire::FindingPart::Found => each.by.is_some(),
        wire::FindingPart::NotFound => each.by.is_none(),
    };
    let matching: Vec<&Match> = found.findings.each.iter().filter(wanted).collect();
    let window = matching.iter().skip(offset as usize).take(count.min(MOST_ROWS) as usize);
    wire::FindingRows { rows: window.map(|each| row(each, found)).collect(), total: number(matching.len()) }
}

fn row(each: &Match, found: &Found) -> wire::FindingRow {
    let face = |id: &ConnectedAppId| match found.findings.beyond.iter().find(|beyond| beyond.id == *id) {
        Some(beyond) => super::app_face(id.as_str(), &beyond.name, "", &ClientType::Other(String::new())),
        None => contain::app_by_id(Some(&found.inventory.picture), id),
    };
    let named = |ids: &[ConnectedAppId]| ids.iter().take(MOST_NAMED).map(face).collect();
    wire::FindingRow {
        text: each.indicator.text.chars().take(LONGEST_TEXT).collect(),
        kind: match each.indicator.kind {
            Kind::Id => wire::IndicatorKind::Id,
            Kind::Name => wire::IndicatorKind::Name,
            Kind::Any => wire::IndicatorKind::Any,
        },
        by: each.by.map(|by| match by {
            By::Id => wire::MatchedBy::Id,
            By::Name => wire::MatchedBy::Name,
            By::LookAlike => wire::MatchedBy::LookAlike,
        }),
        apps: named(&each.apps),
        apps_total: number(each.apps.len()),
        look_alikes: named(&each.look_alikes),
        look_alikes_total: number(each.look_alikes.len()),
        grants: each.grants,
    }
}

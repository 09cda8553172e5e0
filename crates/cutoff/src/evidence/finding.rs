//! The part of a report that tells of a search for indicators: each with what was found of it, and how much of the inventory that is
//! said of. It tells what stands in the rows and judges nothing.

use std::fmt::Write as _;

use journal::{INDICATOR, Note};

use super::record::Record;
use super::report::{bare, count, id, text};
use crate::indicators::KnownBefore;

/// The note that says what was looked for and in how much.
pub(crate) const INDICATORS: &str = "indicators";

const LONG: usize = 200;

/// The title: what was found, and no more.
pub(super) fn title(sweep: &Record<'_>) -> String {
    let of = count(number(sweep, "entries"), "indicator", "indicators");
    match (number(sweep, "found"), complete(sweep)) {
        (0, true) => format!("Nil finding: none of {of} was found"),
        (0, false) => format!("None of {of} was found, and not everything was read"),
        (found, _) => format!("{found} of {of} found"),
    }
}

/// What was found.
pub(super) fn section(sweep: &Record<'_>) -> String {
    let fact = |key: &str| fact(sweep, key).map_or_else(|| "not recorded".to_owned(), |value| bare(value, LONG));
    let mut out = String::from("<h2>What was looked at</h2>\n<dl>\n");
    for (name, value) in [
        ("File of indicators", format!("SHA-256 <code>{}</code>", fact("file_sha256"))),
        ("Inventory read", format!("{} (UTC){}", fact("read_at"), without(number(sweep, "found_gone")))),
        ("Apps", format!("{} read of {} listed", fact("apps_read"), fact("apps_listed"))),
    ] {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
    }
    out.push_str("</dl>\n");
    if !complete(sweep) {
        out.push_str(
            "<p class=\"warn\"><b>Incomplete.</b> Not everything could be read: what was not found may be there all the same.</p>\n",
        );
    }
    out.push_str(
        "<p>An id was compared to the letter, else but for case; one that no list has was asked for by itself. A name was compared but for \
         case, and, told apart here, by its look; under a name, what nobody listed could not be found: a policy can hide an app that \
         still has grants.</p>\n<section class=\"wide\">\n<h2>Every indicator</h2>\n<table>\n\
         <thead><tr><th class=\"n\">No.</th><th>Indicator</th><th>Found</th><th>Apps</th><th class=\"n\">Grants</th></tr></thead>\n<tbody>\n",
    );
    for (_, note) in sweep.notes.iter().filter(|(_, note)| note.what == INDICATOR) {
        let _ = writeln!(out, "{}", row(sweep, note));
    }
    out.push_str("</tbody>\n</table>\n</section>");
    out
}

/// What is left out of what a reading had; nothing where it is as it was read.
pub(super) fn without(found_gone: usize) -> String {
    match found_gone {
        0 => String::new(),
        n => format!(", without {} that sweeps found gone since", count(n, "grant", "grants")),
    }
}

fn row(sweep: &Record<'_>, note: &Note) -> String {
    let detail = |key: &str| note.detail.get(key).map(String::as_str).unwrap_or_default();
    let n = detail("n");
    let indicator = sweep.indicator(n).map_or_else(|| "(erased)".to_owned(), |found| text(found, LONG));
    let by = match detail("matched_by") {
        "id" => "by its id",
        "name" => "by its name",
        "look_alike" => "only by the look of its name",
        "none" => "no",
        other => return format!("<tr><td colspan=\"5\">{}</td></tr>", bare(other, LONG)),
    };
    let ids = |key: &str| serde_json::from_str::<Vec<String>>(detail(key)).unwrap_or_default();
    let mut apps: Vec<String> = ids("connected_app_ids").iter().map(|app| id(app)).collect();
    apps.extend(ids("look_alike_app_ids").iter().map(|app| format!("{} (look-alike)", id(app))));
    let known: Vec<KnownBefore> = serde_json::from_str(detail("known_before")).unwrap_or_default();
    apps.extend(known.iter().map(|known| {
        let (app, at) = (id(known.connected_app_id.as_str()), bare(&known.read_at, LONG));
        format!("{app} (known from the reading of {at}, not listed now)")
    }));
    format!(
        "<tr><td class=\"n\">{}</td><td>{indicator}</td><td>{by}</td><td>{}</td><td class=\"n\">{}</td></tr>",
        bare(n, LONG),
        apps.join("<br>"),
        bare(detail("grants"), LONG)
    )
}

fn fact<'a>(sweep: &Record<'a>, key: &str) -> Option<&'a str> {
    let (_, note) = sweep.notes.iter().find(|(_, note)| note.what == INDICATORS)?;
    note.detail.get(key).map(String::as_str)
}

fn number(sweep: &Record<'_>, key: &str) -> usize {
    fact(sweep, key).and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn complete(sweep: &Record<'_>) -> bool {
    fact(sweep, "complete") == Some("true")
}

//! `cutoff diff`: what is different between two snapshots that the journal keeps. It reads nothing anew.

use cutoff::inventory::changes::{self, Row};
use cutoff::inventory::export::{FirstSeenLine, WidthLine, change_word};
use cutoff::inventory::list::Query;
use cutoff::inventory::picture::{Change, FirstSeen, Known};
use cutoff::inventory::shown::{Mark, Shown};
use cutoff::inventory::width::Width;
use serde::Serialize;

use crate::ending::{DONE, Ending, PARTIAL};
use crate::flags::Diff;
use crate::next::command;
use crate::seat::Seat;
use crate::text::{Set, Table, safe};
use crate::told::{Printer, count, first_seen_line, utc, width, width_line};
use crate::{Done, say};

#[derive(Serialize)]
struct Line<'a> {
    change: &'static str,
    from: u32,
    to: u32,
    connected_app_id: &'a str,
    app_name: &'a str,
    client_type: &'a str,
    member_id: &'a str,
    member_email: Option<&'a str>,
    scopes: &'a [String],
    scopes_before: &'a [String],
    first_seen: FirstSeenLine,
    width: WidthLine<'a>,
}

#[derive(Serialize)]
struct SnapshotLine<'a> {
    snapshot: u32,
    began: String,
    ended: String,
    read_by: &'a str,
    apps: u32,
    apps_read: u32,
    grants: u32,
    complete: bool,
}

/// One grant that differs, whether it is still there or not.
struct Changed<'a> {
    change: Change,
    app_id: &'a str,
    app_name: &'a str,
    client_type: &'a str,
    member_id: &'a str,
    known: Option<&'a Known>,
    before: &'a [String],
    after: &'a [String],
    first_seen: FirstSeen,
    width: &'a Width,
}

/// Prints the differences, or with `--list` the snapshots.
///
/// # Errors
/// When there are no two snapshots to compare.
pub async fn run(seat: &Seat, flags: &Diff) -> Done {
    if seat.handed_over() || seat.kept().await?.is_none() {
        seat.sit().await?;
    }
    let code = compare(seat, flags).await?;
    if flags.looked {
        seat.desk.mark_looked().await?;
    }
    Ok(code)
}

async fn compare(seat: &Seat, flags: &Diff) -> Done {
    let marks = seat.desk.snapshots().await?;
    if flags.list {
        return list(seat, &marks);
    }
    let Some(latest) = marks.last().map(|mark| mark.number) else {
        return Err(cutoff::Error::NothingRead.into());
    };
    let from = match flags.from {
        Some(from) => from,
        None => {
            let looked = seat.kept().await?.and_then(|shown| shown.picture.facts.since).map(|(number, _)| number);
            looked.or_else(|| marks.first().map(|mark| mark.number)).unwrap_or(latest)
        }
    };
    let to = flags.to.unwrap_or(latest);
    if flags.from.is_none() && from >= to {
        say(&format!(
            "There is one reading only, snapshot {to}: nothing to compare it with. See: {}",
            command(&["diff", "--list"])
        ));
        return Ok(DONE);
    }
    let (shown, not_compared) = seat.desk.changes(from, to).await?;
    print(seat, &shown, &marks, from, to)?;
    if not_compared.is_empty() {
        return Ok(DONE);
    }
    let names: Vec<String> = not_compared
        .iter()
        .take(10)
        .map(|id| {
            let app =
                shown.picture.app(id).map(|at| crate::text::cut(&safe(&shown.picture.apps[at as usize].name), 60));
            app.filter(|name| !name.is_empty()).unwrap_or_else(|| safe(id.as_str()))
        })
        .collect();
    let more = not_compared.len().saturating_sub(names.len());
    say(&format!(
        "{} cannot be compared, since one of the two did not read all of it, so what came or went there in between is not told: {}{}.",
        count(not_compared.len(), "app", "apps"),
        names.join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() }
    ));
    Ok(PARTIAL)
}

fn changed(shown: &Shown) -> Vec<Changed<'_>> {
    let picture = &shown.picture;
    let rows = changes::rows(shown, &Query::default(), &[]);
    rows.into_iter()
        .filter_map(|row| match row {
            Row::There(grant) => {
                let app = &picture.apps[grant.app as usize];
                let person = &picture.members[grant.member as usize];
                let set = picture.scopes(grant);
                let before = grant.scopes_before.map(|set| picture.scope_sets[set as usize].scopes.as_slice());
                Some(Changed {
                    change: grant.change?,
                    app_id: app.id.as_str(),
                    app_name: &app.name,
                    client_type: &app.client_type,
                    member_id: person.id.as_str(),
                    known: person.known.as_ref(),
                    before: before.unwrap_or_default(),
                    after: &set.scopes,
                    first_seen: grant.first_seen,
                    width: &set.width,
                })
            }
            Row::Gone(gone) => Some(Changed {
                change: Change::Gone,
                app_id: gone.app.as_str(),
                app_name: &gone.app_name,
                client_type: &gone.client_type,
                member_id: gone.member.as_str(),
                known: gone.known.as_ref(),
                before: &gone.scopes.scopes,
                after: &[],
                first_seen: gone.first_seen,
                width: &gone.scopes.width,
            }),
        })
        .collect()
}

fn print(seat: &Seat, shown: &Shown, marks: &[Mark], from: u32, to: u32) -> Result<(), Ending> {
    let rows = changed(shown);
    let mut printer = Printer::new(seat.json);
    if seat.json {
        for row in &rows {
            printer.line(&Line {
                change: change_word(row.change),
                from,
                to,
                connected_app_id: row.app_id,
                app_name: row.app_name,
                client_type: row.client_type,
                member_id: row.member_id,
                member_email: row.known.map(|known| known.email.as_str()),
                scopes: row.after,
                scopes_before: row.before,
                first_seen: first_seen_line(row.first_seen),
                width: width_line(row.width),
            })?;
        }
        return printer.done();
    }
    let at = |number| marks.iter().find(|mark| mark.number == number).map_or_else(String::new, |mark| utc(mark.ended));
    let of = |change| rows.iter().filter(|row| row.change == change).count();
    printer.text(&format!(
        "From snapshot {from} ({}) to snapshot {to} ({}): {} new, {} widened, {} narrowed, {} altered, {} gone.",
        at(from),
        at(to),
        of(Change::New),
        of(Change::Widened),
        of(Change::Narrowed),
        of(Change::Altered),
        of(Change::Gone)
    ))?;
    if !rows.is_empty() {
        let mut table = Table::new(&[
            ("CHANGE", Set::Left),
            ("APP", Set::Left),
            ("MEMBER", Set::Left),
            ("WIDTH", Set::Left),
            ("SCOPES", Set::Left),
        ]);
        for row in &rows {
            table.row([
                change_word(row.change),
                if row.app_name.trim().is_empty() { row.app_id } else { row.app_name },
                row.known.map_or(row.member_id, |known| known.email.as_str()),
                &width(row.width),
                &scopes(row),
            ]);
        }
        printer.text("")?;
        printer.table(&table)?;
    }
    printer.done()
}

/// What came and what went, by scope.
fn scopes(row: &Changed<'_>) -> String {
    let missing_from = |other: &[String], sign: &str, of: &[String]| -> Vec<String> {
        of.iter().filter(|scope| !other.contains(scope)).map(|scope| format!("{sign}{scope}")).collect()
    };
    let mut told = missing_from(row.before, "+", row.after);
    told.extend(missing_from(row.after, "-", row.before));
    told.join(" ")
}

fn list(seat: &Seat, marks: &[Mark]) -> Done {
    let mut printer = Printer::new(seat.json);
    let mut table = Table::new(&[
        ("SNAPSHOT", Set::Right),
        ("READ", Set::Left),
        ("BY", Set::Left),
        ("APPS", Set::Right),
        ("GRANTS", Set::Right),
        ("", Set::Left),
    ]);
    for mark in marks {
        if seat.json {
            printer.line(&SnapshotLine {
                snapshot: mark.number,
                began: cutoff::clock::rfc3339(mark.began),
                ended: cutoff::clock::rfc3339(mark.ended),
                read_by: &mark.read_by,
                apps: mark.apps,
                apps_read: mark.apps_read,
                grants: mark.grants,
                complete: mark.complete,
            })?;
        } else {
            table.row([
                mark.number.to_string(),
                utc(mark.ended),
                mark.read_by.clone(),
                if mark.apps_read == mark.apps {
                    mark.apps.to_string()
                } else {
                    format!("{} of {}", mark.apps_read, mark.apps)
                },
                mark.grants.to_string(),
                if mark.complete { String::new() } else { "incomplete".to_owned() },
            ]);
        }
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    Ok(DONE)
}

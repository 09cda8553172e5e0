//! `cutoff apps` and `cutoff members`: lists of what was read last, or anew when that is too old.

use std::sync::Arc;

use cutoff::inventory::export::{FirstSeenLine, WidthLine};
use cutoff::inventory::filter::{Filter, LookAlike, folded};
use cutoff::inventory::list::{ChangeCounts, Query, SortKey};
use cutoff::inventory::picture::{App, Change, Picture, Reading};
use cutoff::inventory::shown::Shown;
use serde::Serialize;

use crate::ending::Ending;
use crate::flags::{Filters, List};
use crate::inventory::kept;
use crate::next::command;
use crate::seat::Seat;
use crate::text::{Set, Table, safe};
use crate::told::{Printer, count, first_seen, first_seen_line, heading, missing, width, width_line};
use crate::{Done, reading, say};

/// Every row: what a terminal scrolls over.
const ALL: u32 = u32::MAX;

#[derive(Serialize)]
struct AppLine<'a> {
    connected_app_id: &'a str,
    app_name: &'a str,
    client_type: &'a str,
    group_id: Option<&'a str>,
    odd: Vec<OddLine<'a>>,
    read: &'static str,
    grants: u32,
    grants_matching: u32,
    scopes: &'a [String],
    scope_count: u32,
    first_seen: FirstSeenLine,
    width: WidthLine<'a>,
    changes: ChangesLine,
}

#[derive(Serialize)]
struct OddLine<'a> {
    kind: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct MemberLine<'a> {
    member_id: &'a str,
    member_name: Option<&'a str>,
    member_email: Option<&'a str>,
    status: Option<&'a str>,
    roles: &'a [String],
    grants: u32,
    grants_matching: u32,
    width: WidthLine<'a>,
    changes: ChangesLine,
}

#[derive(Serialize)]
struct ChangesLine {
    new: u32,
    widened: u32,
    narrowed: u32,
    altered: u32,
    gone: u32,
}

impl From<ChangeCounts> for ChangesLine {
    fn from(counts: ChangeCounts) -> Self {
        let ChangeCounts { new, widened, narrowed, altered, gone } = counts;
        Self { new, widened, narrowed, altered, gone }
    }
}

/// `cutoff apps`.
///
/// # Errors
/// Why there is nothing to print.
pub async fn apps(seat: &Seat, flags: &List) -> Done {
    let shown = take(seat, flags).await?;
    // Scripts get each app; people get one row for several that look alike.
    let fold = !seat.json && !flags.each;
    let query = Query {
        filter: filter(seat, &flags.filter, &shown)?,
        sort: SortKey::Grants,
        descending: true,
        fold,
        ..Query::default()
    };
    let picture = &shown.picture;
    let mut printer = Printer::new(seat.json);
    if seat.json {
        for line in shown.sorted_apps(&query).window(picture, &shown.index, 0, ALL).rows {
            let app = &picture.apps[line.app as usize];
            printer.line(&AppLine {
                connected_app_id: app.id.as_str(),
                app_name: &app.name,
                client_type: &app.client_type,
                group_id: app.group.map(|group| picture.groups[group as usize].id.as_str()),
                odd: app.odd.iter().map(|odd| OddLine { kind: odd.kind.word(), detail: &odd.detail }).collect(),
                read: match app.reading {
                    Reading::Complete => "complete",
                    Reading::Partial => "partial",
                    Reading::Not(_) => "not",
                },
                grants: line.grants,
                grants_matching: line.grants_matching,
                scopes: &line.scopes,
                scope_count: line.scope_count,
                first_seen: first_seen_line(line.first_seen),
                width: width_line(&line.width),
                changes: line.changes.into(),
            })?;
        }
    } else {
        printer.table(&app_table(&shown, &query))?;
    }
    printer.done()?;
    if !seat.json {
        let window = shown.sorted_apps(&query).window(picture, &shown.index, 0, 0);
        say(&format!(
            "{} of {} shown, {} of {}.",
            window.matching,
            window.total,
            window.grants_matching,
            count(window.grants as usize, "grant", "grants")
        ));
    }
    Ok(missing(seat, picture))
}

/// `cutoff members`.
///
/// # Errors
/// Why there is nothing to print.
pub async fn members(seat: &Seat, flags: &List) -> Done {
    let shown = take(seat, flags).await?;
    let query = Query {
        filter: filter(seat, &flags.filter, &shown)?,
        sort: SortKey::Grants,
        descending: true,
        ..Query::default()
    };
    let picture = &shown.picture;
    let window = shown.sorted_members(&query).window(picture, &shown.index, 0, ALL);
    let mut printer = Printer::new(seat.json);
    let mut table = Table::new(&[
        ("NAME", Set::Left),
        ("E-MAIL", Set::Left),
        ("STATUS", Set::Left),
        ("ROLES", Set::Left),
        ("APPS", Set::Right),
        ("WIDTH", Set::Left),
        ("CHANGES", Set::Left),
    ]);
    for line in &window.rows {
        let person = &picture.members[line.member as usize];
        let known = person.known.as_ref();
        if seat.json {
            printer.line(&MemberLine {
                member_id: person.id.as_str(),
                member_name: known.map(|known| known.name.as_str()),
                member_email: known.map(|known| known.email.as_str()),
                status: known.map(|known| known.status.as_str()),
                roles: known.map_or(&[], |known| known.roles.as_slice()),
                grants: line.grants,
                grants_matching: line.grants_matching,
                width: width_line(&line.width),
                changes: line.changes.into(),
            })?;
            continue;
        }
        table.row([
            known.map(|known| known.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(crate::text::NOTHING),
            known.map_or(person.id.as_str(), |known| known.email.as_str()),
            known.map_or("unknown", |known| known.status.as_str()),
            &known.map_or_else(|| crate::text::NOTHING.to_owned(), |known| known.roles.join(" ")),
            &part(line.grants_matching, line.grants),
            &width(&line.width),
            &changes(&line.changes),
        ]);
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    if !seat.json {
        say(&format!("{} of {} shown.", window.matching, count(window.total as usize, "member", "members")));
    }
    Ok(missing(seat, picture))
}

/// What lists are made of: the last snapshot if it is young enough, else what is read now.
async fn take(seat: &Seat, flags: &List) -> Result<Arc<Shown>, Ending> {
    if flags.offline { aged(seat, kept(seat).await?) } else { fresh_enough(seat, flags.max_age).await }
}

fn aged(seat: &Seat, shown: Arc<Shown>) -> Result<Arc<Shown>, Ending> {
    say(&heading(&shown.picture.facts, seat.now()));
    Ok(shown)
}

/// The last snapshot if it is no older than so many minutes, else what is read now.
///
/// # Errors
/// When there is no session, or nothing could be read.
pub async fn fresh_enough(seat: &Seat, max_age: u32) -> Result<Arc<Shown>, Ending> {
    let young = |shown: &Arc<Shown>| {
        let age = seat.now().as_second() - shown.picture.facts.ended.as_second();
        // A snapshot from a time that has not come yet says nothing of its age.
        (0..i64::from(max_age) * 60).contains(&age) && shown.picture.facts.snapshot.is_some()
    };
    let mut found = None;
    if !seat.handed_over() {
        found = seat.kept().await?.filter(&young);
    }
    if found.is_none() {
        // Whose snapshot may be used is known only once somebody sits here.
        seat.sit().await?;
        found = seat.kept().await?.filter(&young);
    }
    let shown = match found {
        Some(shown) => shown,
        None => {
            reading::read(seat).await?;
            seat.desk.shown().await?
        }
    };
    aged(seat, shown)
}

/// The apps that match, as a table.
#[must_use]
pub fn app_table(shown: &Shown, query: &Query) -> Table {
    let picture = &shown.picture;
    let mut heads = vec![
        ("NAME", Set::Left),
        ("TYPE", Set::Left),
        ("MEMBERS", Set::Right),
        ("WIDTH", Set::Left),
        ("FIRST SEEN", Set::Left),
        ("CHANGES", Set::Left),
        ("ODD", Set::Left),
        ("SCOPES", Set::Left),
    ];
    // Names do not tell clients apart; a row that stands for several has no one id.
    if !query.fold {
        heads.push(("ID", Set::Left));
    }
    let mut table = Table::new(&heads);
    for line in shown.sorted_apps(query).window(picture, &shown.index, 0, ALL).rows {
        let app = &picture.apps[line.app as usize];
        let name = match (app.name.trim(), line.folded) {
            ("", _) => app.id.as_str().to_owned(),
            (name, true) => format!("{name} (×{})", line.clients),
            (name, false) => name.to_owned(),
        };
        let members = match app.reading {
            Reading::Not(_) if !line.folded => "not read".to_owned(),
            _ => part(line.grants_matching, line.grants),
        };
        let mut cells = vec![
            name,
            app.client_type.replace('_', "-"),
            members,
            width(&line.width),
            first_seen(line.first_seen),
            changes(&line.changes),
            odd(app),
            scopes(&line.scopes, line.scope_count),
        ];
        if !query.fold {
            cells.push(app.id.to_string());
        }
        table.row(cells);
    }
    table
}

/// So many of so many, or one number when that is all of them.
fn part(matching: u32, all: u32) -> String {
    if matching == all { all.to_string() } else { format!("{matching} of {all}") }
}

fn scopes(first: &[String], all: u32) -> String {
    let more = (all as usize).saturating_sub(first.len());
    let told = first.join(" ");
    if more > 0 { format!("{told} +{more}") } else { told }
}

fn changes(counts: &ChangeCounts) -> String {
    let told: Vec<String> = [
        (counts.new, "new"),
        (counts.widened, "widened"),
        (counts.narrowed, "narrowed"),
        (counts.altered, "altered"),
        (counts.gone, "gone"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    if told.is_empty() { crate::text::NOTHING.to_owned() } else { told.join(", ") }
}

fn odd(app: &App) -> String {
    if app.odd.is_empty() {
        return crate::text::NOTHING.to_owned();
    }
    app.odd.iter().map(|odd| format!("{}: {}", odd.kind.word(), odd.detail)).collect::<Vec<_>>().join("; ")
}

/// The flags as the mind's filter.
///
/// # Errors
/// For an app or a member that this picture does not have: a slip of the finger must not look like an empty list.
pub fn filter(seat: &Seat, flags: &Filters, shown: &Shown) -> Result<Filter, Ending> {
    let picture = &shown.picture;
    let mut filter = Filter {
        text: flags.filter.join(" "),
        client_types: flags.client_type.iter().map(|name| name.replace('-', "_")).collect(),
        roles: flags.role.clone(),
        statuses: flags.status.clone(),
        scopes: flags.scope.clone(),
        levels: flags.width.clone(),
        ..Filter::default()
    };
    for wanted in &flags.app {
        let found = apps_called(picture, wanted);
        if found.is_empty() {
            return Err(unknown(seat, picture, "connected app", "apps", wanted));
        }
        filter.apps.extend(found.into_iter().map(|app| app.id.clone()));
    }
    for wanted in &flags.member {
        let same = |text: &str| !text.is_empty() && folded(text) == folded(wanted);
        let found = picture.members.iter().filter(|person| {
            let known = person.known.as_ref();
            person.id.as_str() == wanted || known.is_some_and(|known| same(&known.email) || same(&known.name))
        });
        let before = filter.members.len();
        filter.members.extend(found.map(|person| person.id.clone()));
        if filter.members.len() == before {
            // Who may not read names is still known to themselves: by the session.
            let own = seat.desk.session().ok().map(|session| session.state().member);
            filter.members.extend(own.filter(|own| same(&own.email_address)).map(|own| own.member_id));
        }
        if filter.members.len() == before {
            return Err(unknown(seat, picture, "member", "members", wanted));
        }
    }
    if flags.new {
        filter.changes.push(Change::New);
    }
    if flags.look_alikes {
        filter.look_alikes.extend([LookAlike::Grouped, LookAlike::Odd]);
    }
    Ok(filter)
}

/// The apps of that id or name.
pub fn apps_called<'a>(picture: &'a Picture, wanted: &str) -> Vec<&'a App> {
    let same = |app: &&App| app.id.as_str() == wanted || (!app.name.is_empty() && folded(&app.name) == folded(wanted));
    picture.apps.iter().filter(same).collect()
}

/// Why nothing was found, and the list to look in; what that list lacks is said before.
fn unknown(seat: &Seat, picture: &Picture, what: &str, list: &str, wanted: &str) -> Ending {
    missing(seat, picture);
    Ending::usage(format!(
        "No {what} in this inventory is called {}. Give its id or its whole name, or look for a part of it with: {}",
        safe(wanted),
        command(&[list, "--filter", wanted])
    ))
}

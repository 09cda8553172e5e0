//! How results are printed: lines of JSON or tables on standard output, and on standard error what is missing from them.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use cutoff::clock::rfc3339;
use cutoff::inventory::MOST_ASKED;
use cutoff::inventory::export::{FirstSeenLine, WidthLine};
use cutoff::inventory::picture::{Cause, Facts, FirstSeen, Missing, Names, Picture, What};
use cutoff::inventory::width::Width;
use cutoff::permission;
use jiff::Timestamp;
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{DONE, Ending, PARTIAL};
use crate::next::command;
use crate::say;
use crate::seat::Seat;
use crate::text::{Table, safe};

/// Sentences on what is missing; after that many, one counts the rest.
const MOST_MISSING: usize = 20;

/// Standard output.
pub struct Printer {
    out: BufWriter<Stdout>,
    columns: Option<usize>,
}

impl Printer {
    /// Takes the output.
    pub fn new(json: bool) -> Self {
        let out = io::stdout();
        let columns = if json || !out.is_terminal() { None } else { console::Term::stdout().size_checked() };
        Self { out: BufWriter::new(out), columns: columns.map(|(_, columns)| usize::from(columns)) }
    }

    /// Prints one object on a line.
    ///
    /// # Errors
    /// When the output takes no more.
    pub fn line(&mut self, line: &impl Serialize) -> Result<(), Ending> {
        serde_json::to_writer(&mut self.out, line).map_err(io::Error::from).map_err(|error| Ending::output(&error))?;
        self.out.write_all(b"\n").map_err(|error| Ending::output(&error))
    }

    /// Prints a line of text that is already harmless.
    ///
    /// # Errors
    /// When the output takes no more.
    pub fn text(&mut self, text: &str) -> Result<(), Ending> {
        writeln!(self.out, "{text}").map_err(|error| Ending::output(&error))
    }

    /// Prints a table.
    ///
    /// # Errors
    /// When the output takes no more.
    pub fn table(&mut self, table: &Table) -> Result<(), Ending> {
        table.write(&mut self.out, self.columns).map_err(|error| Ending::output(&error))
    }

    /// Hands everything over.
    ///
    /// # Errors
    /// When the output takes no more.
    pub fn done(mut self) -> Result<(), Ending> {
        self.out.flush().map_err(|error| Ending::output(&error))
    }
}

/// A moment in UTC, as evidence and logs of servers have it: what two people in two places compare must be one time.
#[must_use]
pub fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The same of a moment that is kept as a text.
#[must_use]
pub fn utc_of(at: &str) -> String {
    at.parse().map_or_else(|_| safe(at), utc)
}

/// The time of day of a moment, in UTC.
#[must_use]
pub fn time_of_day(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// How long ago something was.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    let count = |n: i64, what: &str| format!("{n} {what}{} ago", if n == 1 { "" } else { "s" });
    match seconds {
        ..0 => "by a clock that is ahead of this one".to_owned(),
        0..60 => "just now".to_owned(),
        60..3_600 => count(seconds / 60, "minute"),
        3_600..86_400 => count(seconds / 3_600, "hour"),
        _ => count(seconds / 86_400, "day"),
    }
}

/// A number with its noun.
#[must_use]
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A number with the words that follow it, which differ for one and for several.
#[must_use]
pub fn are(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// When something was first seen, in few words.
#[must_use]
pub fn first_seen(seen: FirstSeen) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    match seen.after {
        // It was there from the first reading, and nobody knows for how long.
        None => format!("before {}", day(seen.by)),
        Some(_) => day(seen.by),
    }
}

/// How wide, in a word and by which rule.
#[must_use]
pub fn width(width: &Width) -> String {
    match width.level {
        0 => crate::text::NOTHING.to_owned(),
        level => format!("{level} {}", width.rule),
    }
}

/// The same as scripts get it.
#[must_use]
pub fn width_line(width: &Width) -> WidthLine<'_> {
    WidthLine { level: width.level, rule: &width.rule, scope: &width.scope }
}

/// When something was first seen, as scripts get it.
#[must_use]
pub fn first_seen_line(seen: FirstSeen) -> FirstSeenLine {
    FirstSeenLine { after: seen.after.map(rfc3339), by: rfc3339(seen.by) }
}

/// What a picture leaves out of what was read; nothing where it is as it was read.
fn without(found_gone: u32) -> String {
    match found_gone {
        0 => String::new(),
        n => format!(", without {} that sweeps found gone since", count(n as usize, "grant", "grants")),
    }
}

/// Where a picture comes from, in one line.
#[must_use]
pub fn heading(facts: &Facts, now: Timestamp) -> String {
    let world = if facts.sandbox {
        "SANDBOX"
    } else if facts.live {
        "LIVE"
    } else {
        "TEST"
    };
    let number = facts.snapshot.map_or_else(String::new, |number| format!(", snapshot {number}"));
    // Whose address was erased is a reader without one.
    let by = if facts.read_by.is_empty() { String::new() } else { format!(" by {}", safe(&facts.read_by)) };
    format!(
        "{} {world} at {}: read {} ({}){by}{number}{}",
        safe(&facts.organization_name),
        safe(&facts.base_url),
        utc(facts.ended),
        ago(facts.ended, now),
        without(facts.found_gone),
    )
}

/// Says on standard error what is missing from a picture, and answers the code to end with.
pub fn missing(seat: &Seat, picture: &Picture) -> u8 {
    missing_of(seat, picture, &|_| false)
}

/// The same, with what is missing of the apps in question before all else.
pub fn missing_of(seat: &Seat, picture: &Picture, first: &dyn Fn(&ConnectedAppId) -> bool) -> u8 {
    let facts = &picture.facts;
    if facts.complete() {
        return DONE;
    }
    let not_read = picture.apps_unread();
    if not_read > 0 {
        say(&format!("{not_read} of {} could not be read.", count(picture.apps_known(), "app", "apps")));
    }
    let (of_them, others): (Vec<&Missing>, Vec<&Missing>) =
        facts.missing.iter().partition(|missing| missing.what.app().is_some_and(first));
    for missing in of_them.into_iter().chain(others).take(MOST_MISSING) {
        say(&sentence(picture, missing));
    }
    if facts.missing.len() > MOST_MISSING {
        say(&format!("And {} more.", facts.missing.len() - MOST_MISSING));
    }
    let untold = |missing: &Missing| match missing.what {
        What::App(_) => missing.cause == Cause::CutShort,
        What::AppRows(_) => missing.cause == Cause::CutShort && missing.rows > 0,
        _ => false,
    };
    if facts.missing.iter().any(untold) {
        say(&not_borne_out(seat));
    }
    say("Incomplete: what is missing is no proof that it is not there.");
    PARTIAL
}

/// What would tell of grants that are counted only, since a list lacks them and nothing bears out that they are gone.
fn not_borne_out(seat: &Seat) -> String {
    let needs = permission::read_member_apps();
    match seat.desk.session() {
        Ok(session) if session.may(needs.clone()).allowed == Some(false) => format!(
            "Whether those are gone the members' own lists would tell, which your role may not read: it needs {} on {}. A reading by \
             somebody who holds it tells.",
            safe(&needs.action),
            safe(&needs.resource)
        ),
        _ => format!(
            "Whether those are gone the members' own lists tell, of which one reading asks for {MOST_ASKED} at the most, and the next for \
             others. Read again with: {}",
            command(&["inventory"])
        ),
    }
}

/// What could not be read, and why.
pub fn sentence(picture: &Picture, missing: &Missing) -> String {
    let app = |id| {
        let name = picture.app(id).map(|at| safe(&picture.apps[at as usize].name)).unwrap_or_default();
        let name = crate::text::cut(&name, 60);
        if name.is_empty() { safe(id.as_str()) } else { format!("{name} ({})", safe(id.as_str())) }
    };
    let rows = |where_: &str| format!("{} of {where_} could not be read", count(missing.rows as usize, "row", "rows"));
    let told = match &missing.what {
        What::Names if picture.facts.names == Names::Denied || missing.cause == Cause::Denied => {
            "Members are shown by id: your role may not read their names. It needs search on stytch.member".to_owned()
        }
        What::Names => format!("Members' names are missing, or some of them: {}", why(missing.cause)),
        What::App(id) => format!("The members of {} are missing: {}", app(id), why(missing.cause)),
        What::AppRows(id) if missing.cause == Cause::CutShort => match missing.rows {
            0 => format!(
                "The list of the members of {} does not have all of them: some are shown by their own lists",
                app(id)
            ),
            n => format!(
                "{} to {} that an earlier reading had {} not in its list now, and nothing bears out that they are gone: they \
                 are neither shown nor called gone",
                count(n as usize, "grant", "grants"),
                app(id),
                if n == 1 { "is" } else { "are" }
            ),
        },
        What::ListRows if missing.cause == Cause::CutShort => {
            let apps = count(missing.rows as usize, "app", "apps");
            format!(
                "The list of apps does not have all of them: {apps} with members by their own views {} not in it",
                if missing.rows == 1 { "is" } else { "are" }
            )
        }
        What::AppRows(id) => rows(&format!("the members of {}", app(id))),
        What::MemberRows => rows("the search for members"),
        What::ListRows => rows("the list of apps"),
    };
    let facts: Vec<String> = [
        missing.status.map(|status| format!("status {status}")),
        missing.error_type.as_ref().map(|word| safe(word)),
        missing.request_id.as_ref().map(|id| format!("request id {}", safe(id))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if facts.is_empty() { format!("{told}.") } else { format!("{told} ({}).", facts.join(", ")) }
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Denied => "your role may not read them",
        Cause::Offline => "no answer came",
        Cause::ServerError => "Stytch had a fault of its own",
        Cause::Garbled => "the answer could not be read",
        Cause::AppGone => "it was gone when it was asked for",
        Cause::UnreadableRows => "single rows could not be read",
        Cause::Refused => "Stytch refused for a reason of its own",
        Cause::Cancelled => "the reading ended before their turn came",
        Cause::Hidden => "the organization's policy hides it, so its grants are neither shown nor called gone",
        Cause::CutShort => "they are not listed now, and nothing bears out that they are gone",
    }
}

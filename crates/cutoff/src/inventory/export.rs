//! The inventory as files for other programs: CSV for spreadsheets, JSON for scripts. It writes what it is given, row by row,
//! and says in the file itself what is missing; which rows, and where to, is the caller's to decide.
//!
//! Names in these files were chosen by strangers. A spreadsheet would run a cell that begins like a formula, so such cells
//! get an apostrophe in front; nothing else of the text is changed but control characters, which no reader can show.

use std::collections::HashSet;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use stytch_b2b::{ConnectedAppId, MemberId};

use super::look_alike::unseen;
use super::picture::{App, Cause, Change, Facts, FirstSeen, Grant, Known, Missing, Names, Picture, What};
use super::width::Width;
use crate::clock::rfc3339;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 4180: commas, CRLF, UTF-8 without a byte order mark, one header line.
    Csv,
    /// One object: facts first, then `rows`.
    Json,
}

/// Rows of a CSV that say what is missing; after that many, one counts the rest.
pub const MOST_MISSING: usize = 100;

/// The name of a change in files and on the command line.
#[must_use]
pub fn change_word(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Widened => "widened",
        Change::Narrowed => "narrowed",
        Change::Altered => "altered",
        Change::Gone => "gone",
    }
}

/// An interval: after the one time, by the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstSeenLine {
    /// RFC 3339: the last complete reading that lacked it; null when it was there from the first.
    pub after: Option<String>,
    /// RFC 3339: the first reading that had it.
    pub by: String,
}

impl FirstSeenLine {
    fn new(seen: FirstSeen) -> Self {
        Self { after: seen.after.map(rfc3339), by: rfc3339(seen.by) }
    }
}

/// A rating, as files have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WidthLine<'a> {
    /// 0 to 3.
    pub level: u8,
    /// The rule that gave it.
    pub rule: &'a str,
    /// The scope that the rule matched.
    pub scope: &'a str,
}

impl<'a> WidthLine<'a> {
    fn new(width: &'a Width) -> Self {
        Self { level: width.level, rule: &width.rule, scope: &width.scope }
    }
}

/// One grant, as a JSON export and the command line print it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantLine<'a> {
    /// The app's client id.
    pub connected_app_id: &'a str,
    /// The app's name, as its author wrote it.
    pub app_name: &'a str,
    /// The app's client type, as received.
    pub client_type: &'a str,
    /// The member's id.
    pub member_id: &'a str,
    /// The member's address; null when search did not return them.
    pub member_email: Option<&'a str>,
    /// The scopes, sorted, each once.
    pub scopes: &'a [String],
    /// When it was first seen.
    pub first_seen: FirstSeenLine,
    /// How wide it is.
    pub width: WidthLine<'a>,
    /// The member's name; null when search did not return them.
    pub member_name: Option<&'a str>,
    /// How it differs from the snapshot that the picture is compared with; null when it does not.
    pub change: Option<&'static str>,
}

impl<'a> GrantLine<'a> {
    /// The line of one of the picture's grants.
    #[must_use]
    pub fn new(picture: &'a Picture, grant: &Grant) -> Self {
        let app = &picture.apps[grant.app as usize];
        let person = &picture.members[grant.member as usize];
        let set = &picture.scope_sets[grant.scopes as usize];
        Self {
            connected_app_id: app.id.as_str(),
            app_name: &app.name,
            client_type: &app.client_type,
            member_id: person.id.as_str(),
            member_email: person.known.as_ref().map(|known| known.email.as_str()),
            scopes: &set.scopes,
            first_seen: FirstSeenLine::new(grant.first_seen),
            width: WidthLine::new(&set.width),
            member_name: person.known.as_ref().map(|known| known.name.as_str()),
            change: grant.change.map(change_word),
        }
    }
}

/// One row of the apps: an app, or a group of look-alikes with those of its apps that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppRow {
    /// Index of the group; `None` for a single app.
    pub group: Option<u32>,
    /// Indices of its apps, at least one. The first gives the row its name and type.
    pub apps: Vec<u32>,
    /// How many grants.
    pub grants: usize,
    /// How many members, each counted once.
    pub members: usize,
    /// The widest of its apps.
    pub width: Width,
    /// When the first of its apps was first seen.
    pub first_seen: FirstSeen,
}

impl AppRow {
    /// One app. `None`: the picture has no such app.
    #[must_use]
    pub fn app(picture: &Picture, app: u32) -> Option<Self> {
        Self::of(picture, None, vec![app])
    }

    /// A whole group. `None`: the picture has no such group.
    #[must_use]
    pub fn group(picture: &Picture, group: u32) -> Option<Self> {
        let apps = picture.groups.get(group as usize)?.apps.clone();
        Self::of(picture, Some(group), apps)
    }

    /// Some apps as one row, counted. `None`: no apps, or one that the picture does not have.
    #[must_use]
    pub fn of(picture: &Picture, group: Option<u32>, apps: Vec<u32>) -> Option<Self> {
        let all: Vec<&App> = apps.iter().map(|&app| picture.apps.get(app as usize)).collect::<Option<_>>()?;
        let grants = || apps.iter().flat_map(|&app| picture.grants_of_app(app));
        let members: HashSet<u32> = grants().map(|grant| grant.member).collect();
        let (first, rest) = all.split_first()?;
        let mut widest = &first.width;
        for app in rest {
            if app.width.level > widest.level {
                widest = &app.width;
            }
        }
        let first_seen = all.iter().map(|app| app.first_seen).min()?;
        let (width, grants, members) = (widest.clone(), grants().count(), members.len());
        Some(Self { group, apps, grants, members, width, first_seen })
    }
}

/// One row of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Index of the member.
    pub member: u32,
    /// How many apps may act for them: one grant each.
    pub apps: usize,
    /// The widest of their grants.
    pub width: Width,
    /// When the first of their grants was first seen; `None`: they have none.
    pub first_seen: Option<FirstSeen>,
}

impl MemberRow {
    /// One member, counted. `None`: the picture has no such member.
    #[must_use]
    pub fn new(picture: &Picture, member: u32) -> Option<Self> {
        picture.members.get(member as usize)?;
        let grants = || picture.grants_of_member(member).iter().map(|&at| &picture.grants[at as usize]);
        let mut width = &Width::default();
        for grant in grants() {
            let other = &picture.scopes(grant).width;
            if other.level > width.level {
                width = other;
            }
        }
        Some(Self {
            member,
            apps: grants().count(),
            width: width.clone(),
            first_seen: grants().map(|grant| grant.first_seen).min(),
        })
    }
}

/// One difference between two readings.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRow<'a> {
    /// What kind.
    pub change: Change,
    /// Whose grant.
    pub member: &'a MemberId,
    /// What is known of them.
    pub known: Option<&'a Known>,
    /// To which app.
    pub app: &'a ConnectedAppId,
    /// Its name.
    pub app_name: &'a str,
    /// Its client type, as received.
    pub client_type: &'a str,
    /// The scopes in the earlier reading; empty for a new grant.
    pub before: &'a [String],
    /// The scopes in the later reading; empty for one that is gone.
    pub after: &'a [String],
    /// When the grant was first seen.
    pub first_seen: FirstSeen,
}

/// Writes grants, and how many.
///
/// # Errors
/// What `out` answers. The file is then cut short and must not be shown as whole.
pub fn write_grants<'a>(
    out: &mut dyn Write,
    picture: &Picture,
    grants: impl Iterator<Item = &'a Grant>,
    format: Format,
    filtered: &str,
) -> io::Result<u64> {
    let columns = [
        "connected_app_id",
        "app_name",
        "client_type",
        "member_id",
        "member_name",
        "member_email",
        "member_status",
        "scopes",
        "width_level",
        "width_rule",
        "width_scope",
        "first_seen_after",
        "first_seen_by",
        "change",
    ];
    let mut sheet = Sheet::open(out, picture, format, filtered, &columns)?;
    for grant in grants {
        let line = GrantLine::new(picture, grant);
        match format {
            Format::Json => sheet.object(&line)?,
            Format::Csv => {
                let known = picture.members[grant.member as usize].known.as_ref();
                sheet.cells(&[
                    line.connected_app_id,
                    line.app_name,
                    line.client_type,
                    line.member_id,
                    line.member_name.unwrap_or_default(),
                    line.member_email.unwrap_or_default(),
                    known.map_or("", |known| &known.status),
                    &line.scopes.join(" "),
                    &line.width.level.to_string(),
                    line.width.rule,
                    line.width.scope,
                    line.first_seen.after.as_deref().unwrap_or_default(),
                    &line.first_seen.by,
                    line.change.unwrap_or_default(),
                ])?;
            }
        }
    }
    sheet.close()
}

/// Writes apps and groups of look-alikes, and how many rows.
///
/// # Errors
/// What `out` answers. The file is then cut short and must not be shown as whole.
pub fn write_apps(
    out: &mut dyn Write,
    picture: &Picture,
    rows: impl Iterator<Item = AppRow>,
    format: Format,
    filtered: &str,
) -> io::Result<u64> {
    #[derive(Serialize)]
    struct Line<'a> {
        connected_app_id: &'a str,
        app_name: &'a str,
        client_type: &'a str,
        group_id: Option<&'a str>,
        clients: usize,
        client_ids: Vec<&'a str>,
        grants: usize,
        members: usize,
        width: WidthLine<'a>,
        first_seen: FirstSeenLine,
        odd: Vec<OddLine<'a>>,
    }
    #[derive(Serialize)]
    struct OddLine<'a> {
        kind: &'static str,
        detail: &'a str,
        beside: Option<&'a str>,
    }

    let columns = [
        "connected_app_id",
        "app_name",
        "client_type",
        "group_id",
        "clients",
        "grants",
        "members",
        "width_level",
        "width_rule",
        "width_scope",
        "first_seen_after",
        "first_seen_by",
        "odd",
        "client_ids",
    ];
    let mut sheet = Sheet::open(out, picture, format, filtered, &columns)?;
    let group_id = |group: u32| picture.groups.get(group as usize).map(|group| group.id.as_str());
    for row in rows {
        let apps: Vec<&App> = row.apps.iter().filter_map(|&app| picture.apps.get(app as usize)).collect();
        let Some(first) = apps.first() else { continue };
        let line = Line {
            connected_app_id: first.id.as_str(),
            app_name: &first.name,
            client_type: &first.client_type,
            group_id: row.group.and_then(group_id),
            clients: apps.len(),
            client_ids: apps.iter().map(|app| app.id.as_str()).collect(),
            grants: row.grants,
            members: row.members,
            width: WidthLine::new(&row.width),
            first_seen: FirstSeenLine::new(row.first_seen),
            odd: apps
                .iter()
                .flat_map(|app| &app.odd)
                .map(|odd| OddLine {
                    kind: odd.kind.word(),
                    detail: &odd.detail,
                    beside: odd.beside.and_then(group_id),
                })
                .collect(),
        };
        match format {
            Format::Json => sheet.object(&line)?,
            Format::Csv => {
                let odd: Vec<String> = line.odd.iter().map(|odd| format!("{}: {}", odd.kind, odd.detail)).collect();
                sheet.cells(&[
                    line.connected_app_id,
                    line.app_name,
                    line.client_type,
                    line.group_id.unwrap_or_default(),
                    &line.clients.to_string(),
                    &line.grants.to_string(),
                    &line.members.to_string(),
                    &line.width.level.to_string(),
                    line.width.rule,
                    line.width.scope,
                    line.first_seen.after.as_deref().unwrap_or_default(),
                    &line.first_seen.by,
                    &odd.join(" / "),
                    &line.client_ids.join(" "),
                ])?;
            }
        }
    }
    sheet.close()
}

/// Writes members, and how many.
///
/// # Errors
/// What `out` answers. The file is then cut short and must not be shown as whole.
pub fn write_members(
    out: &mut dyn Write,
    picture: &Picture,
    rows: impl Iterator<Item = MemberRow>,
    format: Format,
    filtered: &str,
) -> io::Result<u64> {
    #[derive(Serialize)]
    struct Line<'a> {
        member_id: &'a str,
        member_name: Option<&'a str>,
        member_email: Option<&'a str>,
        member_status: Option<&'a str>,
        roles: Option<&'a [String]>,
        apps: usize,
        width: WidthLine<'a>,
        first_seen: Option<FirstSeenLine>,
    }

    let columns = [
        "member_id",
        "member_name",
        "member_email",
        "member_status",
        "roles",
        "apps",
        "width_level",
        "width_rule",
        "width_scope",
        "first_seen_after",
        "first_seen_by",
    ];
    let mut sheet = Sheet::open(out, picture, format, filtered, &columns)?;
    for row in rows {
        let Some(person) = picture.members.get(row.member as usize) else { continue };
        let known = person.known.as_ref();
        let line = Line {
            member_id: person.id.as_str(),
            member_name: known.map(|known| known.name.as_str()),
            member_email: known.map(|known| known.email.as_str()),
            member_status: known.map(|known| known.status.as_str()),
            roles: known.map(|known| known.roles.as_slice()),
            apps: row.apps,
            width: WidthLine::new(&row.width),
            first_seen: row.first_seen.map(FirstSeenLine::new),
        };
        match format {
            Format::Json => sheet.object(&line)?,
            Format::Csv => {
                let seen = line.first_seen.as_ref();
                sheet.cells(&[
                    line.member_id,
                    line.member_name.unwrap_or_default(),
                    line.member_email.unwrap_or_default(),
                    line.member_status.unwrap_or_default(),
                    &line.roles.unwrap_or_default().join(" "),
                    &line.apps.to_string(),
                    &line.width.level.to_string(),
                    line.width.rule,
                    line.width.scope,
                    seen.and_then(|seen| seen.after.as_deref()).unwrap_or_default(),
                    seen.map_or("", |seen| &seen.by),
                ])?;
            }
        }
    }
    sheet.close()
}

/// Writes differences between two readings, and how many. The facts of the file are those of `picture`, the later one, and the
/// apps that could not be compared are named in it: no difference of theirs is among the rows.
///
/// # Errors
/// What `out` answers. The file is then cut short and must not be shown as whole.
pub fn write_changes<'a>(
    out: &mut dyn Write,
    picture: &Picture,
    rows: impl Iterator<Item = ChangeRow<'a>>,
    not_compared: &[ConnectedAppId],
    format: Format,
    filtered: &str,
) -> io::Result<u64> {
    #[derive(Serialize)]
    struct Line<'a> {
        change: &'static str,
        connected_app_id: &'a str,
        app_name: &'a str,
        client_type: &'a str,
        member_id: &'a str,
        member_name: Option<&'a str>,
        member_email: Option<&'a str>,
        scopes_before: &'a [String],
        scopes_after: &'a [String],
        first_seen: FirstSeenLine,
    }

    // The id stays in the first column, where the rows that tell what is missing are looked for.
    let columns = [
        "connected_app_id",
        "app_name",
        "client_type",
        "member_id",
        "member_name",
        "member_email",
        "member_status",
        "change",
        "scopes_before",
        "scopes_after",
        "first_seen_after",
        "first_seen_by",
    ];
    let head = Head { not_compared: Some(NotCompared::of(picture, not_compared)), ..Head::new(picture, filtered) };
    let mut sheet = Sheet::begin(out, picture, format, &head, &columns)?;
    for row in rows {
        let line = Line {
            change: change_word(row.change),
            connected_app_id: row.app.as_str(),
            app_name: row.app_name,
            client_type: row.client_type,
            member_id: row.member.as_str(),
            member_name: row.known.map(|known| known.name.as_str()),
            member_email: row.known.map(|known| known.email.as_str()),
            scopes_before: row.before,
            scopes_after: row.after,
            first_seen: FirstSeenLine::new(row.first_seen),
        };
        match format {
            Format::Json => sheet.object(&line)?,
            Format::Csv => sheet.cells(&[
                line.connected_app_id,
                line.app_name,
                line.client_type,
                line.member_id,
                line.member_name.unwrap_or_default(),
                line.member_email.unwrap_or_default(),
                row.known.map_or("", |known| &known.status),
                line.change,
                &row.before.join(" "),
                &row.after.join(" "),
                line.first_seen.after.as_deref().unwrap_or_default(),
                &line.first_seen.by,
            ])?,
        }
    }
    if format == Format::Csv {
        let told = not_compared.len().min(MOST_MISSING);
        for id in &not_compared[..told] {
            let name = name_of(picture, id).unwrap_or_default();
            sheet.notice("NOT_COMPARED", &format!("{} ({}) was not read whole in both", short(name), id.as_str()))?;
        }
        if not_compared.len() > told {
            sheet.notice("NOT_COMPARED", &format!("and {} more apps", not_compared.len() - told))?;
        }
    }
    sheet.close()
}

/// A file under way.
struct Sheet<'w, 'p> {
    out: &'w mut dyn Write,
    picture: &'p Picture,
    format: Format,
    columns: usize,
    rows: u64,
}

impl<'w, 'p> Sheet<'w, 'p> {
    fn open(
        out: &'w mut dyn Write,
        picture: &'p Picture,
        format: Format,
        filtered: &str,
        columns: &[&str],
    ) -> io::Result<Self> {
        Self::begin(out, picture, format, &Head::new(picture, filtered), columns)
    }

    fn begin(
        out: &'w mut dyn Write,
        picture: &'p Picture,
        format: Format,
        head: &Head<'_>,
        columns: &[&str],
    ) -> io::Result<Self> {
        let mut sheet = Self { out, picture, format, columns: columns.len(), rows: 0 };
        match format {
            Format::Csv => sheet.record(columns)?,
            Format::Json => {
                let mut head = serde_json::to_string(head)?;
                // The object stays open for the rows, which are written one by one.
                head.pop();
                sheet.out.write_all(head.as_bytes())?;
                sheet.out.write_all(b",\"rows\":[")?;
            }
        }
        Ok(sheet)
    }

    /// One row of a JSON file.
    fn object(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, row)?;
        self.rows += 1;
        Ok(())
    }

    /// One row of a CSV file.
    fn cells(&mut self, cells: &[&str]) -> io::Result<()> {
        self.record(cells)?;
        self.rows += 1;
        Ok(())
    }

    fn record(&mut self, cells: &[&str]) -> io::Result<()> {
        record(&mut self.out, cells)
    }

    /// A row that is not one of the rows: a word where an id would be, and a sentence.
    fn notice(&mut self, word: &str, sentence: &str) -> io::Result<()> {
        let mut cells = vec![""; self.columns];
        cells[0] = word;
        cells[1] = sentence;
        self.record(&cells)
    }

    fn close(mut self) -> io::Result<u64> {
        match self.format {
            Format::Json => self.out.write_all(b"\n]}\n")?,
            Format::Csv => {
                let sentences = missing_sentences(self.picture);
                let shown = if sentences.len() > MOST_MISSING { MOST_MISSING } else { sentences.len() };
                for sentence in &sentences[..shown] {
                    self.notice("INCOMPLETE", sentence)?;
                }
                if sentences.len() > shown {
                    self.notice("INCOMPLETE", &format!("and {} more could not be read", sentences.len() - shown))?;
                }
                if self.picture.facts.under_way {
                    let began = rfc3339(self.picture.facts.began);
                    self.notice(
                        "UNDER_WAY",
                        &format!(
                            "The reading that began at {began} was not finished when this was written: rows are missing"
                        ),
                    )?;
                }
            }
        }
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// One line of a CSV, its cells made harmless.
pub(crate) fn record(out: &mut dyn Write, cells: &[&str]) -> io::Result<()> {
    for (at, text) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        let cell = harmless(text);
        if cell.contains(['"', ',', '\r', '\n']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

/// What a JSON file begins with.
#[derive(Serialize)]
struct Head<'a> {
    format: &'static str,
    version: u32,
    organization_id: &'a str,
    organization_name: &'a str,
    base_url: &'a str,
    environment: &'static str,
    read_at: String,
    began_at: String,
    read_by: &'a str,
    snapshot: Option<u32>,
    complete: bool,
    under_way: bool,
    names: &'static str,
    missing: Vec<MissingLine<'a>>,
    compared_with: Option<ComparedWith>,
    filter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_compared: Option<Vec<NotCompared<'a>>>,
}

/// An app that one of two readings did not see whole.
#[derive(Serialize)]
struct NotCompared<'a> {
    connected_app_id: &'a str,
    app_name: Option<&'a str>,
}

impl<'a> NotCompared<'a> {
    fn of(picture: &'a Picture, ids: &'a [ConnectedAppId]) -> Vec<Self> {
        ids.iter().map(|id| Self { connected_app_id: id.as_str(), app_name: name_of(picture, id) }).collect()
    }
}

#[derive(Serialize)]
struct ComparedWith {
    snapshot: u32,
    read_at: String,
}

#[derive(Serialize)]
struct MissingLine<'a> {
    what: &'static str,
    connected_app_id: Option<&'a str>,
    app_name: Option<&'a str>,
    cause: &'static str,
    rows: u32,
    status: Option<u16>,
    error_type: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> Head<'a> {
    fn new(picture: &'a Picture, filtered: &'a str) -> Self {
        let facts: &'a Facts = &picture.facts;
        let at = |time: Timestamp| rfc3339(time);
        Self {
            format: "cutoff-inventory",
            version: 1,
            organization_id: &facts.organization_id,
            organization_name: &facts.organization_name,
            base_url: &facts.base_url,
            environment: match (facts.sandbox, facts.live) {
                (true, _) => "sandbox",
                (false, true) => "live",
                (false, false) => "test",
            },
            read_at: at(facts.ended),
            began_at: at(facts.began),
            read_by: &facts.read_by,
            snapshot: facts.snapshot,
            complete: facts.missing.is_empty() && !facts.under_way,
            under_way: facts.under_way,
            names: match facts.names {
                Names::Read => "read",
                Names::Denied => "denied",
                Names::Incomplete => "incomplete",
            },
            missing: facts.missing.iter().map(|missing| MissingLine::new(picture, missing)).collect(),
            compared_with: facts.since.map(|(snapshot, read)| ComparedWith { snapshot, read_at: at(read) }),
            filter: (!filtered.is_empty()).then_some(filtered),
            not_compared: None,
        }
    }
}

impl<'a> MissingLine<'a> {
    fn new(picture: &'a Picture, missing: &'a Missing) -> Self {
        let app = missing.what.app();
        Self {
            what: missing.what.word(),
            connected_app_id: app.map(ConnectedAppId::as_str),
            app_name: app.and_then(|id| name_of(picture, id)),
            cause: missing.cause.word(),
            rows: missing.rows,
            status: missing.status,
            error_type: missing.error_type.as_deref(),
            request_id: missing.request_id.as_deref(),
        }
    }
}

fn name_of<'a>(picture: &'a Picture, id: &ConnectedAppId) -> Option<&'a str> {
    picture.app(id).map(|app| picture.apps[app as usize].name.as_str())
}

/// What is missing, a sentence each: people open a CSV without the program that wrote it.
fn missing_sentences(picture: &Picture) -> Vec<String> {
    let facts = &picture.facts;
    let mut sentences = Vec::with_capacity(facts.missing.len() + 1);
    let (apps, all) = (picture.apps_unread(), picture.apps_known());
    if apps > 0 {
        sentences.push(format!("{apps} of {all} apps could not be read: their grants are not in this file"));
    }
    for missing in &facts.missing {
        let app = |id: &ConnectedAppId| match name_of(picture, id) {
            Some(name) => format!("the app {} ({})", short(name), id.as_str()),
            None => format!("the app {}", id.as_str()),
        };
        let rows = if missing.rows == 1 { "1 row".to_owned() } else { format!("{} rows", missing.rows) };
        let what = match &missing.what {
            What::Names => "Names of members could not be read".to_owned(),
            What::App(id) => format!("Members of {} could not be read", app(id)),
            What::AppRows(id) if missing.cause == Cause::CutShort && missing.rows == 0 => {
                format!(
                    "The list of the members of {} lacks some whose own lists still have it; they are in this file",
                    app(id)
                )
            }
            What::AppRows(id) if missing.cause == Cause::CutShort => format!(
                "Grants to {} that an earlier reading had and its list lacks are not in this file, {} in number",
                app(id),
                missing.rows
            ),
            What::ListRows if missing.cause == Cause::CutShort => {
                format!(
                    "The list of apps lacks {} with members by their own views; they are in this file",
                    missing.rows
                )
            }
            What::AppRows(id) => format!("Of the members of {}, {rows} could not be read", app(id)),
            What::MemberRows => format!("Of the list of members, {rows} could not be read"),
            What::ListRows => format!("Of the list of apps, {rows} could not be read"),
        };
        let cause = match missing.cause {
            Cause::Denied => "the permission is missing",
            Cause::Offline => "there was no answer",
            Cause::ServerError => "the server had a fault",
            Cause::Garbled => "the answer could not be understood",
            Cause::AppGone => "it was listed, and gone when it was asked for",
            Cause::UnreadableRows => "they do not have the form that Stytch documents",
            Cause::Refused => "the server refused",
            Cause::Cancelled => "the reading was stopped before",
            Cause::Hidden => "the organization's policy hides it",
            Cause::CutShort => "a list may be cut short, and nothing bears out that what it lacks is gone",
        };
        let mut facts: Vec<String> = Vec::new();
        facts.extend(missing.status.map(|status| format!("HTTP {status}")));
        facts.extend(missing.error_type.clone());
        facts.extend(missing.request_id.clone());
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        sentences.push(format!("{what}: {cause}{facts}"));
    }
    sentences
}

/// A name within a sentence: an author's ten thousand characters would bury the rest.
fn short(name: &str) -> String {
    match name.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Whether a spreadsheet takes a cell that begins with this for a formula.
fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// A cell that no spreadsheet will run: an apostrophe before anything that reads as a formula, also where white space,
/// quotes or invisible characters that importers drop come first. In countries whose comma is decimal, spreadsheets cut CSV
/// at semicolons whatever its quotes say, so what follows a semicolon, a tab or a line's end may become a cell too. Control
/// characters other than those become U+FFFD.
fn harmless(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 1);
    let mut start = Some(0);
    for (at, c) in text.chars().enumerate() {
        match c {
            '\t' | '\r' | '\n' | ';' => {
                if at == 0 && c != ';' {
                    cell.push('\'');
                }
                cell.push(c);
                start = Some(cell.len());
                continue;
            }
            _ if begins_formula(c) => {
                if let Some(start) = start.take() {
                    cell.insert(start, '\'');
                }
            }
            _ if c.is_whitespace() || c == '"' || unseen(c) => {}
            _ => start = None,
        }
        cell.push(if c.is_control() { '\u{FFFD}' } else { c });
    }
    cell
}

//! Indicators of an advisory: client ids and names in a file, and which apps of an inventory they name. It finds and counts; what is
//! done about a find is a plan like any other.
//!
//! An id is found to the letter, else in any case, and never by likeness; one that no list has is asked for by its own view, since a
//! policy may hide an app that still has grants. A name is found when it is the app's but for case, or looks like it; which of the two
//! is told. What stands around an id or a name in an advisory (bullets, numbers, quotes, `[.]`) is taken off, and every line is told
//! as it stood.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use journal::{Body, Closing, Hash, IndicatorDraft, Note, RowDraft, SweepId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stytch_b2b::{ConnectedAppId, Error as ApiError, MemberId};

use crate::clock::rfc3339;
use crate::desk::Desk;
use crate::error::Error;
use crate::evidence::INDICATORS;
use crate::inventory::filter::folded;
use crate::inventory::look_alike::Likenesses;
use crate::inventory::picture::{Cause, Missing, Picture, Reading, What, u32_of};
use crate::inventory::shown::Shown;
use crate::plan_file::Pair;
use crate::policy::{Listed, State, Unlisted, forbids, state_of};
use crate::revoke;
use crate::session::Session;
use crate::sweep::engine::blocking;
use crate::sweep::verdict::RULES_VERSION;
use crate::sweeps::inventory_note;

mod json;

/// Larger files are refused.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// More indicators are refused.
pub const MOST: usize = 100_000;

/// Apps in no list are asked for one by one; more than so many are not.
pub const MOST_ASKED: usize = 200;
/// A longer line is a paragraph and no name.
const LONGEST_LINE: usize = 300;

/// What an indicator may name an app by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Its client id.
    Id,
    /// Its name.
    Name,
    /// Either: the file does not say which.
    Any,
}

/// One indicator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Indicator {
    /// What it may name an app by.
    pub kind: Kind,
    /// The id or the name, without what stood around it.
    pub text: String,
}

/// A place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The line, from 1; `None` in JSON.
    pub line: Option<u64>,
    /// As it stands there.
    pub text: String,
}

/// The indicators of one file, each once, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicators {
    /// SHA-256 of the file.
    pub file_sha256: Hash,
    /// The indicators; never none.
    pub entries: Vec<Indicator>,
    /// Where each of them stood first.
    pub written: Vec<Written>,
    /// Lines that are neither an id nor a name: nothing can be said of what they may have meant.
    pub not_understood: Vec<Written>,
}

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Larger than [`LARGEST`].
    #[error("it is larger than a file of indicators can be")]
    TooLarge,
    /// More than [`MOST`].
    #[error("it has more indicators than can be looked for")]
    TooMany,
    /// Not UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
    /// JSON, and no list of texts or of objects that name a client.
    #[error("it is not a list of texts or of objects that name a client")]
    NotAList {
        /// The line where it is neither, from 1, as far as that can be told.
        line: Option<u64>,
        /// Which of the list it is, from 1.
        entry: Option<u64>,
    },
    /// A table, and no column says that it holds ids or names, or a row has nothing in those.
    #[error("line {line} has nothing under client_id, id or name")]
    NoColumn {
        /// The line, from 1.
        line: u64,
    },
    /// A quote that opens a cell is not closed: what follows it would be one cell.
    #[error("a quote on line {line} is not closed")]
    Quotes {
        /// The line, from 1.
        line: u64,
    },
    /// No indicator in it.
    #[error("it has no indicators")]
    Empty,
}

impl Indicators {
    /// Reads a file: JSON (an array of texts, or of objects with `client_id`, `connected_app_id` or `id`, and `name`; bare, under
    /// `indicators` or another word for it, or one text or object a line; an object's `value` by its `type`, and the `objects` of a
    /// STIX bundle by `name` and `pattern`); CSV with columns of those names, separated by commas, semicolons or tabs; or one
    /// indicator a line, with or without a bullet, a number or quotes, or with an id and a name side by side. Of a link the client
    /// ids in it count. Lines that begin with `#` are passed over, except in JSON.
    ///
    /// The rule for JSON and CSV: a text that looks like a client id is an indicator wherever it stands, under whatever word. Of JSON
    /// also a list of texts or objects under a word that is not known is told as not understood, unless an id was found in each.
    ///
    /// # Errors
    /// [`Unreadable`]. Nothing of a file is passed over in silence: an advisory that was read in part would make a nil finding false.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() as u64 > LARGEST {
            return Err(Unreadable::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut not_understood = Vec::new();
        let found = match json_begins(text) {
            true => json::read(text, &mut not_understood)?,
            false => table_or_lines(text, &mut not_understood)?,
        };
        let mut seen = std::collections::HashSet::new();
        let (mut entries, mut written) = (Vec::new(), Vec::new());
        for (kind, text, place) in found {
            let text = text.trim().to_owned();
            let known = kind == Kind::Id && is_id(&text) && seen.contains(&(Kind::Any, text.clone()));
            if !text.is_empty() && !known && seen.insert((kind, text.clone())) {
                entries.push(Indicator { kind, text });
                written.push(place);
            }
        }
        match entries.len() {
            0 => Err(Unreadable::Empty),
            n if n > MOST => Err(Unreadable::TooMany),
            _ => Ok(Self { file_sha256: Hash(Sha256::digest(bytes).into()), entries, written, not_understood }),
        }
    }
}

type Raw = Vec<(Kind, String, Written)>;

/// Whether a file is JSON by its first characters. A line of a checklist begins with a bracket too.
fn json_begins(text: &str) -> bool {
    let text = text.trim_start();
    let checked = ["[ ]", "[x]", "[X]"].iter().any(|mark| text.starts_with(mark) && text[3..].starts_with([' ', '\t']));
    let one_a_line = || {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        text.starts_with('"') && lines.all(|line| serde_json::from_str::<String>(line).is_ok())
    };
    text.starts_with(['[', '{']) && !checked || one_a_line()
}

/// The client id that a text is, if it can be nothing else.
#[must_use]
pub fn client_id(text: &str) -> Option<ConnectedAppId> {
    let text = text.trim();
    let plain = if is_stytchs(text) { text.to_ascii_lowercase() } else { text.to_owned() };
    is_id(text).then(|| ConnectedAppId::from(plain))
}

/// Whether a text can only be a client id: Stytch's begin with `connected-app-`, and any other is long, of one piece and has a digit.
fn is_id(text: &str) -> bool {
    let of_one_piece = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let long = text.len() >= 16 && text.contains(|c: char| c.is_ascii_digit());
    of_one_piece && text.len() <= 200 && (long || is_stytchs(text))
}

fn is_stytchs(id: &str) -> bool {
    let front = "connected-app-";
    id.len() > front.len() && id.get(..front.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(front))
}

/// A text without quotes or emphasis around it, and with dots that were made harmless made plain. An id also loses what cannot be
/// seen in it; a name may be hostile in just that way, and keeps it.
fn plain(text: &str) -> String {
    const AROUND: [(&str, &str); 9] = [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("**", "**"),
        ("__", "__"),
        ("\u{201c}", "\u{201d}"),
        ("\u{2018}", "\u{2019}"),
        ("\u{ab}", "\u{bb}"),
        ("<", ">"),
    ];
    let mut text = text.trim();
    while let Some(inside) = AROUND.iter().find_map(|(open, close)| {
        let inside = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inside.trim().is_empty() && !inside.contains(['<', '>'])).then_some(inside)
    }) {
        text = inside.trim();
    }
    let mut text = text.replace("\"\"", "\"");
    for (harmless, meant) in [("[.]", "."), ("(.)", "."), ("{.}", "."), ("[dot]", "."), ("(dot)", "."), ("[-]", "-")] {
        text = text.replace(harmless, meant);
    }
    let seen: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'))
        .map(|c| if matches!(c, '\u{2010}'..='\u{2013}' | '\u{2212}') { '-' } else { c })
        .collect();
    if is_id(seen.trim()) { seen.trim().to_owned() } else { text }
}

/// A line without the bullet, number, box or quotation mark that it stands behind.
fn unmarked(line: &str) -> &str {
    let mut rest = line.trim();
    loop {
        let numbered = rest.trim_start_matches('(').trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = rest.len() - numbered.len();
        let after = [
            "- ",
            "* ",
            "+ ",
            "> ",
            "\u{2022} ",
            "\u{2023} ",
            "\u{25e6} ",
            "\u{25aa} ",
            "\u{b7} ",
            "\u{2013} ",
            "\u{2014} ",
            "[ ] ",
            "[x] ",
            "[X] ",
            "-\t",
            "*\t",
            "\u{2022}\t",
        ]
        .iter()
        .find_map(|mark| rest.strip_prefix(mark))
        .or_else(|| {
            let after = numbered.strip_prefix(['.', ')']).filter(|_| (1..=5).contains(&digits))?;
            after.strip_prefix([' ', '\t'])
        });
        match after {
            Some(after) => rest = after.trim_start(),
            None => return rest,
        }
    }
}

/// A line up to a remark: `#` or `//` between blanks.
fn unremarked(line: &str) -> &str {
    let remark = [" #", "\t#", " //", "\t//"].iter().filter_map(|mark| line.find(mark)).min();
    remark.map_or(line, |at| line[..at].trim_end())
}

/// The indicators of a line; none: it is not understood.
fn of_line(line: &str) -> Vec<(Kind, String)> {
    let line = unmarked(line);
    let whole = plain(line);
    if is_id(&whole) {
        return vec![(Kind::Any, whole)];
    }
    let line = unremarked(line);
    let whole = plain(line);
    let opened = line.starts_with('"') && line.matches('"').count() % 2 == 1;
    if opened || whole.is_empty() {
        return Vec::new();
    }
    if is_id(&whole) {
        return vec![(Kind::Any, whole)];
    }
    let has_id = |word: &str| ids_of(word).is_some_and(|ids| !ids.is_empty());
    let with_id = line.split([' ', '\t', ',', ';', '|']).any(has_id);
    if !with_id && let Some(ids) = linked(&whole) {
        return ids.into_iter().map(|id| (Kind::Id, id)).collect();
    }
    if line.chars().count() > LONGEST_LINE {
        // A link may be long, a name is not.
        return linked(&whole).into_iter().flatten().map(|id| (Kind::Id, id)).collect();
    }
    if let Some((label, value)) = whole.split_once([':', '='])
        && let Some(kind) = labelled(label)
        && !value.trim().is_empty()
    {
        return of_text(kind, value);
    }
    if with_id { beside_ids(line) } else { vec![(Kind::Any, whole)] }
}

/// The ids of a text, and what stands beside them: each of those may be the app's name.
fn beside_ids(text: &str) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for cell in cells(text) {
        let mut words = Vec::new();
        for word in cell.split_whitespace() {
            match ids_of(word) {
                Some(ids) => found.extend(ids.into_iter().map(|id| (Kind::Id, id))),
                None => words.push(word),
            }
        }
        let words = words.join(" ");
        let name = plain(words.trim_matches(|c: char| c.is_whitespace() || "-\u{2013}\u{2014}:()[]|=".contains(c)));
        if name.contains(char::is_alphanumeric) && labelled(&name).is_none() {
            found.push((Kind::Name, name));
        }
    }
    // An id that is all words may be a part of the name.
    if found.len() > 1 && !found.iter().any(|(kind, text)| *kind == Kind::Id && text.contains(digit)) {
        found.push((Kind::Name, plain(text)));
    }
    found
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The ids that a word is or has in it; `None`: it is neither an id nor a link.
fn ids_of(word: &str) -> Option<Vec<String>> {
    linked(&plain(word)).or_else(|| Some(vec![id_in(word)?]))
}

/// The client ids in a link, or wherever else one of Stytch's stands within a text; `None`: it is no link and has none.
fn linked(text: &str) -> Option<Vec<String>> {
    let lower = text.to_ascii_lowercase();
    let until = |from: usize, stop: &dyn Fn(char) -> bool| {
        let rest = &text[from..];
        rest[..rest.find(stop).unwrap_or(rest.len())].to_owned()
    };
    let of_an_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let stytchs = lower.match_indices("connected-app-").map(|(at, _)| until(at, &|c| !of_an_id(c)));
    let stytchs = stytchs.map(|id| id.trim_end_matches(['-', '_']).to_owned()).filter(|id| is_stytchs(id));
    let named = ["client_id=", "client_id%3d"].into_iter().flat_map(|name| {
        let ends = |c: char| c.is_whitespace() || "&#\"'<>)%,;".contains(c);
        lower.match_indices(name).map(move |(at, name)| until(at + name.len(), &ends)).collect::<Vec<_>>()
    });
    let mut ids: Vec<String> = stytchs.chain(named.filter(|id| !id.is_empty())).collect();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    (!ids.is_empty() || lower.contains("://") || lower.starts_with("www.")).then_some(ids)
}

/// The indicators of a text that stands where an id or a name belongs; none: it is a link without a client id. A name stays whole,
/// and an id within it is one too.
fn of_text(kind: Kind, text: &str) -> Vec<(Kind, String)> {
    let text = plain(text);
    if is_id(&text) {
        // Whatever the place says of it: an id under the wrong word is still to be found.
        return vec![(if kind == Kind::Name { Kind::Any } else { kind }, text)];
    }
    let all_ids = |ids: Vec<String>| ids.into_iter().map(|id| (Kind::Id, id)).collect();
    let (linked, within, of_one_piece) = (linked(&text), ids_within(&text), !text.contains(char::is_whitespace));
    match (kind, linked) {
        (Kind::Name, linked) if !of_one_piece || linked.is_none() => {
            let ids = within.into_iter().filter(|id| id.contains(digit)).map(|id| (Kind::Id, id));
            std::iter::once((Kind::Name, text.clone())).chain(ids).collect()
        }
        (Kind::Any, Some(ids)) if ids.is_empty() => Vec::new(),
        (Kind::Any, _) if !of_one_piece && !within.is_empty() => beside_ids(&text),
        (_, Some(ids)) => all_ids(ids),
        (_, None) if !within.is_empty() => all_ids(within),
        (kind, None) => vec![(kind, text)],
    }
}

/// Every client id in a text of any kind: of a link those that it names, of other words each part that is of one piece.
fn ids_within(text: &str) -> Vec<String> {
    let of_an_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split(|c: char| c.is_whitespace() || ",;|".contains(c)).map(plain);
    let ids = words.flat_map(|word| {
        let parts = || word.split(|c| !of_an_id(c)).filter(|part| is_id(part)).map(str::to_owned).collect();
        linked(&word).unwrap_or_else(parts)
    });
    ids.collect()
}

/// The id that a word is, but for the signs around it.
fn id_in(word: &str) -> Option<String> {
    // The shortest that is one; most words are none, and a file may have many.
    if word.len() < 14 {
        return None;
    }
    let word = plain(word.trim_matches(|c: char| "()[],.:;".contains(c)));
    let word = word.rsplit(['=', ':']).next().map(plain)?;
    is_id(&word).then_some(word)
}

fn cells(line: &str) -> Vec<String> {
    [b',', b';', b'\t', b'|']
        .into_iter()
        .filter(|delimiter| line.as_bytes().contains(delimiter))
        .filter_map(|delimiter| {
            let mut reader = csv::ReaderBuilder::new();
            let reader = reader.has_headers(false).flexible(true).delimiter(delimiter).trim(csv::Trim::All);
            let row = reader.from_reader(line.as_bytes()).records().next()?.ok()?;
            (row.len() > 1).then(|| row.iter().map(str::to_owned).collect())
        })
        .next()
        .unwrap_or_else(|| vec![line.to_owned()])
}

fn labelled(label: &str) -> Option<Kind> {
    let label = label.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    if IDS.contains(&label.as_str()) {
        Some(Kind::Id)
    } else if NAMES.contains(&label.as_str()) {
        Some(Kind::Name)
    } else {
        None
    }
}

/// What ids are called.
const IDS: [&str; 6] = ["client_id", "connected_app_id", "clientid", "app_id", "application_id", "id"];
/// What names are called.
const NAMES: [&str; 4] = ["name", "app_name", "client_name", "application_name"];

/// Takes what an entry names; what is a link without a client id is not understood.
fn take(entry: Vec<(Kind, String)>, line: Option<u64>, found: &mut Raw, not_understood: &mut Vec<Written>) {
    for (kind, text) in entry {
        let place = || Written { line, text: text.clone() };
        let read = of_text(kind, &text);
        if read.is_empty() {
            not_understood.push(place());
        }
        found.extend(read.into_iter().map(|(kind, text)| (kind, text, place())));
    }
}

fn table_or_lines(text: &str, not_understood: &mut Vec<Written>) -> Result<Raw, Unreadable> {
    let mut looks_like_a_table = false;
    let first_line = || text.lines().zip(1..).find(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    for delimiter in [b',', b';', b'\t'] {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        // Text in UTF-8 that is read from memory has no other faults.
        let Some(Ok(head)) = records.next() else { continue };
        let mut columns: Vec<Option<Kind>> = head.iter().map(labelled).collect();
        let rows = records.map_while(Result::ok).filter(|row| row.iter().any(|cell| !cell.is_empty()));
        if columns.iter().all(Option::is_none) {
            let mut rows = rows.peekable();
            looks_like_a_table |= head.len() > 1 && rows.peek().is_some() && rows.all(|row| row.len() == head.len());
            continue;
        }
        // Beside another column of ids, `id` is that of the row.
        if columns.iter().filter(|kind| **kind == Some(Kind::Id)).count() > 1 {
            let of_rows = |(at, name): (usize, &str)| name.eq_ignore_ascii_case("id").then_some(at);
            head.iter().enumerate().filter_map(of_rows).for_each(|at| columns[at] = None);
        }
        let mut found = Vec::new();
        for row in rows {
            let line = row.position().map_or(1, csv::Position::line);
            let before = (found.len(), not_understood.len());
            for (cell, at) in row.iter().zip(0..).filter(|(cell, _)| !cell.is_empty()) {
                let column = columns.get(at);
                if let Some(Some(kind)) = column {
                    if cell.contains('\n') {
                        return Err(Unreadable::Quotes { line });
                    }
                    take(vec![(*kind, cell.to_owned())], Some(line), &mut found, not_understood);
                    continue;
                }
                // What looks like an id counts in every column, and what stands beyond the last may be the rest of a name.
                let place = || Written { line: Some(line), text: cell.to_owned() };
                let ids = ids_within(cell);
                if ids.is_empty() && column.is_none() {
                    not_understood.push(place());
                }
                found.extend(ids.into_iter().map(|id| (Kind::Id, id, place())));
            }
            if before == (found.len(), not_understood.len()) {
                return Err(Unreadable::NoColumn { line });
            }
        }
        return Ok(found);
    }
    let lines = || text.lines().zip(1..).map(|(line, n)| (line.trim(), n)).filter(|(line, _)| !line.starts_with('#'));
    let has_id = |line: &str| of_line(line).iter().any(|(_, text)| is_id(text));
    if looks_like_a_table && !lines().any(|(line, _)| has_id(line)) {
        return Err(Unreadable::NoColumn { line: first_line().map_or(1, |(_, line)| line) });
    }
    let mut found = Vec::new();
    for (line, n) in lines() {
        // Rules and fences of a text that is set with plain signs name nothing.
        if line.chars().all(|c| "-*_=`~|:+> ".contains(c)) {
            continue;
        }
        let place = || Written { line: Some(n), text: line.to_owned() };
        let of_line = of_line(line);
        if of_line.is_empty() {
            not_understood.push(place());
        }
        found.extend(of_line.into_iter().map(|(kind, text)| (kind, text, place())));
    }
    Ok(found)
}

/// How an app was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Its client id is the indicator.
    Id,
    /// Its name is the indicator, but for case.
    Name,
    /// Its name only looks like the indicator.
    LookAlike,
}

impl By {
    /// The word for it in files and on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::LookAlike => "look_alike",
        }
    }
}

/// What was found of one indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The indicator.
    pub indicator: Indicator,
    /// In the surest way that anything was found; `None`: nothing was.
    pub by: Option<By>,
    /// The apps found in that way.
    pub apps: Vec<ConnectedAppId>,
    /// Apps whose names look like it, beside those that have the very name.
    pub look_alikes: Vec<ConnectedAppId>,
    /// Grants to `apps`.
    pub grants: u32,
    /// Apps that it names, that an earlier reading had and no list has now. What became of them no reading tells.
    pub known_before: Vec<KnownBefore>,
}

/// An app that an earlier reading had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBefore {
    /// Its id.
    pub connected_app_id: ConnectedAppId,
    /// The end of the last kept reading that listed it, RFC 3339.
    pub read_at: String,
}

/// What was found in an inventory, and how much of it could be read.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Of each indicator, in the order of the file.
    pub each: Vec<Match>,
    /// Apps listed.
    pub apps_listed: u32,
    /// Apps whose members were read to the end.
    pub apps_read: u32,
    /// What could not be read of the list and of the apps. Names of members have no part in this.
    pub missing: Vec<Missing>,
    /// Whether nothing was found because nothing is there: everything was read, and the list was not empty, which would prove nothing.
    pub complete: bool,
    /// When the inventory was read.
    pub read_at: Timestamp,
    /// Grants that it had then and that are not counted: sweeps have found them gone since.
    pub found_gone: u32,
    /// Apps in no list whose own view names members all the same.
    pub beyond: Vec<Beyond>,
    /// Ids in no list that were asked for by their own view.
    pub asked: u32,
    /// Ids in no list that were not: beyond [`MOST_ASKED`].
    pub unasked: u32,
    /// Names were not found that an app may bear which the policy hides: nobody can ask for an app by its name.
    pub names_may_hide: bool,
    /// Lines of the file that were not understood.
    pub not_understood: u32,
}

/// An app in no list that has grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// Its id.
    pub id: ConnectedAppId,
    /// Its name.
    pub name: String,
    /// Whether it is the vendor's own.
    pub first_party: bool,
    /// Who has granted it something.
    pub members: Vec<MemberId>,
}

impl Findings {
    /// Indicators of which something was found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.each.iter().filter(|found| found.by.is_some()).count()
    }

    /// Every grant of the apps that were found, as [`Findings::apps`] has them, those of apps in no list among them; the vendor's own
    /// of these if they are asked for.
    #[must_use]
    pub fn pairs(&self, picture: &Picture, with_look_alikes: bool, first_party: bool) -> Vec<Pair> {
        let mut found = Vec::new();
        for app in self.apps(with_look_alikes) {
            if let Some(at) = picture.app(&app) {
                found.extend(picture.grants_of_app(at).iter().map(|grant| Pair {
                    member_id: picture.members[grant.member as usize].id.clone(),
                    connected_app_id: app.clone(),
                }));
            }
            for beyond in self.beyond.iter().filter(|beyond| beyond.id == app && (first_party || !beyond.first_party)) {
                let pair = |member: &MemberId| Pair { member_id: member.clone(), connected_app_id: app.clone() };
                found.extend(beyond.members.iter().map(pair));
            }
        }
        found
    }

    /// The client ids of which nothing was found, each once: what can be blocked before anybody has connected it.
    #[must_use]
    pub fn ids_not_found(&self) -> Vec<ConnectedAppId> {
        let mut seen = HashSet::new();
        let ids = self.each.iter().filter(|found| found.by.is_none() && found.indicator.kind != Kind::Name);
        ids.filter_map(|found| client_id(&found.indicator.text)).filter(|id| seen.insert(id.clone())).collect()
    }

    /// The apps that were found, each once; those that only look like a name if they are asked for.
    #[must_use]
    pub fn apps(&self, with_look_alikes: bool) -> Vec<ConnectedAppId> {
        let mut seen = std::collections::HashSet::new();
        let sure = self.each.iter().filter(|found| found.by != Some(By::LookAlike)).flat_map(|found| &found.apps);
        let alike = self.each.iter().filter(|_| with_look_alikes);
        let alike = alike.flat_map(|found| found.apps.iter().chain(&found.look_alikes));
        sure.chain(alike).filter(|app| seen.insert(*app)).cloned().collect()
    }
}

/// Looks for indicators in a picture alone; what no list has is not asked for, as [`Desk::match_indicators`] does.
#[must_use]
pub fn find(indicators: &Indicators, picture: &Picture) -> Findings {
    let mut likenesses = Likenesses::default();
    let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
    let mut by_look: HashMap<(usize, String), Vec<u32>> = HashMap::new();
    let mut by_id: HashMap<String, Vec<u32>> = HashMap::new();
    for (app, at) in picture.apps.iter().zip(0..) {
        by_id.entry(app.id.as_str().to_ascii_lowercase()).or_default().push(at);
        by_name.entry(folded(app.name.trim())).or_default().push(at);
        for key in likenesses.keys(&app.name).into_iter().flatten().enumerate() {
            by_look.entry(key).or_default().push(at);
        }
    }
    let ids = |apps: &[u32]| apps.iter().map(|&app| picture.apps[app as usize].id.clone()).collect::<Vec<_>>();
    let each = indicators.entries.iter().map(|indicator| {
        let text = &indicator.text;
        let mut id: Vec<u32> = picture.app(&ConnectedAppId::from(text.as_str())).into_iter().collect();
        if id.is_empty() {
            id.extend(by_id.get(&text.to_ascii_lowercase()).into_iter().flatten());
        }
        id.retain(|_| indicator.kind != Kind::Name);
        let (mut same, mut alike) = (Vec::new(), Vec::new());
        if id.is_empty() && indicator.kind != Kind::Id {
            same = by_name.get(&folded(text)).cloned().unwrap_or_default();
            for key in likenesses.keys(text).into_iter().flatten().enumerate() {
                alike.extend(by_look.get(&key).into_iter().flatten().filter(|app| !same.contains(app)));
            }
            alike.sort_unstable();
            alike.dedup();
        }
        let (by, apps, look_alikes) = match id {
            id if !id.is_empty() => (Some(By::Id), id, Vec::new()),
            _ if !same.is_empty() => (Some(By::Name), same, alike),
            _ if !alike.is_empty() => (Some(By::LookAlike), alike, Vec::new()),
            _ => (None, Vec::new(), Vec::new()),
        };
        let grants = apps.iter().map(|&app| u32_of(picture.grants_of_app(app).len())).sum();
        Match {
            indicator: indicator.clone(),
            by,
            apps: ids(&apps),
            look_alikes: ids(&look_alikes),
            grants,
            known_before: Vec::new(),
        }
    });
    let each = each.collect();
    let of_apps = |missing: &&Missing| matches!(missing.what, What::App(_) | What::AppRows(_) | What::ListRows);
    let missing: Vec<Missing> = picture.facts.missing.iter().filter(of_apps).cloned().collect();
    let read = picture.apps.iter().filter(|app| app.reading == Reading::Complete).count();
    Findings {
        each,
        apps_listed: u32_of(picture.apps.len()),
        apps_read: u32_of(read),
        complete: missing.is_empty()
            && read == picture.apps.len()
            && read > 0
            && !picture.facts.under_way
            && indicators.not_understood.is_empty(),
        missing,
        read_at: picture.facts.ended,
        found_gone: picture.facts.found_gone,
        beyond: Vec::new(),
        asked: 0,
        unasked: 0,
        names_may_hide: false,
        not_understood: u32_of(indicators.not_understood.len()),
    }
}

impl Desk {
    /// Looks for indicators in an inventory that is shown, and asks for each id that no list has by its own view, with at most
    /// [`MOST_ASKED`] calls and one for the policy. What those cannot tell makes the findings incomplete, and so does that nobody is
    /// signed in to ask.
    ///
    /// # Errors
    /// [`Error::SignedOut`] for a session that ends meanwhile; [`Error::Journal`].
    pub async fn match_indicators(&self, indicators: &Indicators, shown: &Arc<Shown>) -> Result<Findings, Error> {
        let session = self.seated().ok().map(|(session, _)| session);
        let (wanted, shown) = (indicators.clone(), shown.clone());
        let picture = shown.picture.clone();
        let mut findings = blocking(move || Ok(find(&wanted, &shown.picture))).await?;
        if session.is_some() {
            known_before(&mut findings, &self.not_listed_now(&picture).await?);
        }
        let unlisted = |found: &Match| found.by != Some(By::Id) && found.indicator.kind != Kind::Name;
        let mut seen = HashSet::new();
        let mut ids: Vec<ConnectedAppId> =
            findings.each.iter().filter(|found| unlisted(found)).filter_map(asked_as).collect();
        ids.retain(|id| seen.insert(id.clone()));
        let most = if session.is_some() { MOST_ASKED } else { 0 };
        findings.unasked = u32_of(ids.len().saturating_sub(most));
        ids.truncate(most);
        findings.asked = u32_of(ids.len());
        let unnamed = |found: &Match| {
            !matches!(found.by, Some(By::Id | By::Name))
                && found.indicator.kind != Kind::Id
                && !is_id(&found.indicator.text)
        };
        let names = findings.each.iter().any(unnamed);
        let policy = match &session {
            Some(session) if !ids.is_empty() || names => {
                match self.ask(session, |client, token| async move { client.connected_app_policy(&token).await }).await
                {
                    Ok(read) => Some(state_of(&read)),
                    Err(error @ ApiError::SignedOut(_)) => return Err(self.judge(session, error).await),
                    Err(_) => None,
                }
            }
            _ => None,
        };
        findings.names_may_hide = names && !policy.as_ref().is_some_and(allows_all);
        let Some(session) = session else {
            findings.complete &= findings.unasked == 0 && !findings.names_may_hide && findings.not_understood == 0;
            return Ok(findings);
        };
        let answers: Vec<_> = stream::iter(ids)
            .map(|id| {
                let session = &session;
                async move {
                    let call = |client: stytch_b2b::Client, token| {
                        let id = id.clone();
                        async move { client.connected_app(&token, &id).await }
                    };
                    (id.clone(), self.ask(session, call).await)
                }
            })
            .buffered(self.reading.concurrency.max(1))
            .collect()
            .await;
        for (id, answer) in answers {
            let lacks = |cause, what: What, rows, error: Option<&ApiError>| Missing {
                what,
                cause,
                rows,
                status: error.and_then(|error| error.facts().status),
                error_type: error.and_then(|error| error.facts().error_type.clone()),
                request_id: error.and_then(|error| error.facts().request_id.as_ref().map(ToString::to_string)),
            };
            match answer {
                Ok(view) => {
                    // Its own view tells what the lists could not.
                    findings.missing.retain(|missing| missing.what != What::App(id.clone()));
                    let (rows, unreadable) = (view.active_members.rows, view.active_members.unreadable);
                    if !unreadable.is_empty() {
                        let rows = u32_of(unreadable.len());
                        findings.missing.push(lacks(Cause::UnreadableRows, What::AppRows(id.clone()), rows, None));
                    }
                    if rows.is_empty() {
                        continue;
                    }
                    for found in findings
                        .each
                        .iter_mut()
                        .filter(|found| asked_as(found).as_ref() == Some(&id) && unlisted(found))
                    {
                        (found.by, found.apps, found.look_alikes) = (Some(By::Id), vec![id.clone()], Vec::new());
                        found.grants = u32_of(rows.len());
                    }
                    findings.beyond.push(Beyond {
                        id,
                        name: view.name,
                        first_party: view.client_type.as_str().starts_with("first_party"),
                        members: rows.into_iter().map(|row| row.member_id).collect(),
                    });
                }
                Err(error @ ApiError::SignedOut(_)) => return Err(self.judge(&session, error).await),
                // Not there, unless the policy hides it: then a view that does not know it proves nothing.
                Err(ref error @ ApiError::ConnectedAppNotFound(_)) => {
                    if policy.as_ref().and_then(|policy| forbids(policy, &id, None)) != Some(false) {
                        findings.missing.retain(|missing| missing.what != What::App(id.clone()));
                        findings.missing.push(lacks(Cause::Hidden, What::App(id), 0, Some(error)));
                    }
                }
                // Not of the form of an id, so no app has it.
                Err(ApiError::BadRequest { .. } | ApiError::InvalidInput { .. }) => {}
                Err(error) => {
                    let cause = match &error {
                        ApiError::NotAllowed { .. } => Cause::Denied,
                        ApiError::Unreachable { .. } | ApiError::RateLimited { .. } => Cause::Offline,
                        ApiError::ServerError(_) => Cause::ServerError,
                        ApiError::Garbled { .. } => Cause::Garbled,
                        _ => Cause::Refused,
                    };
                    findings.missing.push(lacks(cause, What::App(id), 0, Some(&error)));
                }
            }
        }
        // What the own views have told may have filled the only gap, and what they could not tell is one.
        let whole =
            findings.apps_read == findings.apps_listed && findings.apps_read > 0 && findings.not_understood == 0;
        findings.complete = findings.missing.is_empty() && findings.unasked == 0 && !findings.names_may_hide && whole;
        Ok(findings)
    }

    /// One read, repeated for as long as it only asks to slow down: until it says, else until the next of the minutes that limits
    /// are counted by.
    pub(crate) async fn ask<T, F, Fut>(&self, session: &Session, call: F) -> Result<T, ApiError>
    where
        F: Fn(stytch_b2b::Client, stytch_b2b::SessionToken) -> Fut,
        Fut: Future<Output = Result<stytch_b2b::Reply<T>, ApiError>>,
    {
        /// So many waits, and something other than a limit is in the way.
        const WAITS: u32 = 5;
        let mut waits = 0;
        loop {
            match session.read(&call).await {
                Err(ApiError::RateLimited { retry_after, .. }) if waits < WAITS => {
                    waits += 1;
                    tokio::time::sleep(retry_after.unwrap_or(self.reading.window) + self.reading.jitter).await;
                }
                other => return other.map(|reply| reply.data),
            }
        }
    }

    /// Records what was found in a picture as a chain of its own, so that a nil finding has evidence too; [`Desk::pack`] exports it.
    /// Nothing is sent for it.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Journal`].
    pub async fn record_finding(
        &self,
        indicators: &Indicators,
        findings: &Findings,
        picture: &Picture,
        reason: Option<String>,
    ) -> Result<SweepId, Error> {
        let (session, _) = self.seated()?;
        let (id, clock) = (SweepId::random(), self.clock.now().stamp());
        // No plan has this hash, and no two findings share one.
        let hash = Sha256::new().chain_update(b"cutoff-finding-v1\0").chain_update(indicators.file_sha256.0);
        let hash = Hash(hash.chain_update(id.0.as_bytes()).finalize().into());
        let mut opening = revoke::opening(&session, hash, id, clock.clone())?;
        opening.reason = reason;
        let drafts: Vec<IndicatorDraft> = findings.each.iter().map(draft).collect();
        let facts = [
            ("file_sha256", indicators.file_sha256.to_string()),
            ("entries", findings.each.len().to_string()),
            ("found", findings.found().to_string()),
            ("apps_listed", findings.apps_listed.to_string()),
            ("apps_read", findings.apps_read.to_string()),
            ("ids_asked", findings.asked.to_string()),
            ("ids_unasked", findings.unasked.to_string()),
            ("lines_not_understood", findings.not_understood.to_string()),
            ("complete", findings.complete.to_string()),
            ("read_at", rfc3339(findings.read_at)),
            ("found_gone", findings.found_gone.to_string()),
        ];
        let note = Note { what: INDICATORS.to_owned(), detail: detail(facts) };
        let closing = Closing { counts: BTreeMap::new(), rules_version: RULES_VERSION, rows: 0 };
        let then: Vec<RowDraft> = [Body::Note(note), inventory_note(&picture.facts, picture), Body::Closing(closing)]
            .into_iter()
            .map(|body| RowDraft { clock: clock.clone(), body })
            .collect();
        let journal = self.journal.clone();
        blocking(move || journal.open_finding(&opening, &drafts, &then)).await?;
        self.note_head(&session).await;
        Ok(id)
    }
}

/// Notes with each indicator the apps of earlier readings that it names by their id or their very name.
fn known_before(findings: &mut Findings, once: &[Listed]) {
    let mut by: HashMap<String, Vec<KnownBefore>> = HashMap::new();
    for app in once {
        let Some(Unlisted { name, known_at: Some(at), .. }) = &app.unlisted else { continue };
        let known = KnownBefore { connected_app_id: app.id.clone(), read_at: rfc3339(*at) };
        let (id, name) = (app.id.as_str().to_ascii_lowercase(), folded(name.trim()));
        // The first byte keeps what is looked for by its id from what is by its name.
        by.entry(format!("i{id}")).or_default().push(known.clone());
        if !name.is_empty() {
            by.entry(format!("n{name}")).or_default().push(known);
        }
    }
    for found in &mut findings.each {
        let Indicator { text, kind, .. } = &found.indicator;
        let id = (*kind != Kind::Name).then(|| format!("i{}", text.to_ascii_lowercase()));
        let name = (*kind != Kind::Id).then(|| format!("n{}", folded(text.trim())));
        let of = |key: Option<String>| key.and_then(|key| by.get(&key)).cloned().unwrap_or_default();
        found.known_before = match of(id) {
            by_id if by_id.is_empty() => of(name),
            by_id => by_id,
        };
    }
}

/// The id that an indicator is asked for by, if it can be one. Stytch's own are in lower case.
fn asked_as(found: &Match) -> Option<ConnectedAppId> {
    let text = &found.indicator.text;
    let one_piece = !text.is_empty() && text.len() <= 200 && text.chars().all(|c| c.is_ascii_graphic());
    let can_be = is_id(text) || found.indicator.kind == Kind::Id && one_piece;
    let text = if is_stytchs(text) { text.to_ascii_lowercase() } else { text.clone() };
    can_be.then(|| ConnectedAppId::from(text.as_str()))
}

/// Whether a policy forbids no app, whatever its kind.
fn allows_all(policy: &State) -> bool {
    // An id that no list can have.
    forbids(policy, &ConnectedAppId::from(""), None) == Some(false)
}

fn draft(found: &Match) -> IndicatorDraft {
    // A list of texts always has a JSON form.
    let ids = |ids: &[ConnectedAppId]| serde_json::to_string(ids).unwrap_or_default();
    let kind = match found.indicator.kind {
        Kind::Id => "id",
        Kind::Name => "name",
        Kind::Any => "any",
    };
    let detail = detail([
        ("kind", kind.to_owned()),
        ("matched_by", found.by.map_or("none", By::word).to_owned()),
        ("connected_app_ids", ids(&found.apps)),
        ("look_alike_app_ids", ids(&found.look_alikes)),
        ("grants", found.grants.to_string()),
    ]);
    let known = Some(&found.known_before).filter(|known| !known.is_empty());
    let known = known.map(|known| ("known_before".to_owned(), serde_json::to_string(known).unwrap_or_default()));
    let detail = detail.into_iter().chain(known).collect();
    IndicatorDraft { text: found.indicator.text.clone(), detail }
}

fn detail<const N: usize>(facts: [(&str, String); N]) -> BTreeMap<String, String> {
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(Kind, String)>, Unreadable> {
        let read = Indicators::read(text.as_bytes())?;
        assert_eq!(read.file_sha256, Hash::of(text.as_bytes()));
        Ok(read.entries.into_iter().map(|entry| (entry.kind, entry.text)).collect())
    }

    fn any(texts: &[&str]) -> Result<Vec<(Kind, String)>, Unreadable> {
        Ok(texts.iter().map(|text| (Kind::Any, (*text).to_owned())).collect())
    }

    fn pairs(pairs: &[(Kind, &str)]) -> Result<Vec<(Kind, String)>, Unreadable> {
        Ok(pairs.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect())
    }

    #[test]
    fn lines_are_taken_as_they_stand_and_comments_are_not() {
        let text = "\u{feff}# advisory 7\r\nconnected-app-1\r\n\r\n  Foo, Inc.  \r\n\"Bar, \"\"Baz\"\"\"\nevil[.]com\nconnected-app-1\n";
        assert_eq!(read(text), any(&["connected-app-1", "Foo, Inc.", "Bar, \"Baz\"", "evil.com"]));
    }

    #[test]
    fn a_client_id_in_a_link_is_taken_out_of_it_and_a_link_without_one_is_not_understood() {
        let id = "connected-app-live-7f3a0000-0000-4000-8000-000000000001";
        for line in [
            "https://evil.example/authorize?client_id=ID",
            "https://evil.example/authorize?client_id=ID&state=abcdef0123456789abcd&scope=x%20y",
            "- hxxps[://]evil[.]example/a?state=abcdef0123456789abcd&client_id=ID#top",
            "<https://evil.example/apps/ID/consent>",
            "/v1/oauth2/authorize?client_id%3DID%26scope",
            "(https://evil.example/?CLIENT_ID=ID).",
            "apps/ID/consent",
            "\"https://evil.example/?client_id=ID\"",
        ] {
            let line = line.replace("ID", id);
            assert_eq!(read(&format!("{line}\n")), pairs(&[(Kind::Id, id)]), "{line}");
            assert_eq!(read(&serde_json::json!([line]).to_string()), pairs(&[(Kind::Id, id)]), "{line}");
            if !line.contains('"') {
                assert_eq!(read(&format!("client_id\n{line}\n")), pairs(&[(Kind::Id, id)]), "{line}");
            }
        }
        let long = format!("https://evil.example/?{}&client_id={id}", "x".repeat(400));
        assert_eq!(read(&long), pairs(&[(Kind::Id, id)]));
        let beside = format!("Foo Bar, {id}, https://evil.example/?client_id={id}2");
        assert_eq!(read(&beside), pairs(&[(Kind::Name, "Foo Bar"), (Kind::Id, id), (Kind::Id, &format!("{id}2"))]));
        for text in [
            "Foo\nhttps://evil.example/authorize?state=abcdef0123456789abcd\n",
            "name\nFoo\nwww.evil.example\n",
            "[\"Foo\", \"https://evil.example/\"]",
            "{\"name\": \"Foo\"}\n{\"name\": \"https://evil.example/\"}\n",
        ] {
            let read = Indicators::read(text.as_bytes()).expect("it has one");
            assert_eq!((read.entries.len(), read.not_understood.len()), (1, 1), "{text}");
        }
    }

    #[test]
    fn the_shapes_that_advisories_have_in_json_are_read_and_the_line_is_told() {
        let two = pairs(&[(Kind::Id, "connected-app-1"), (Kind::Name, "Foo, Inc.")]);
        for text in [
            "{\"client_id\": \"connected-app-1\", \"name\": null}\n\n{\"app_name\": \"Foo, Inc.\"}\r\n",
            "{\"name\": \"Advisory 7\", \"indicators\": [{\"id\": \"connected-app-1\"}, {\"name\": \"Foo, Inc.\"}]}",
            "{\"clients\": [{\"id\": 7, \"client_id\": \"connected-app-1\", \"client_name\": \"Foo, Inc.\"}]}",
            "[{\"name\": \"Foo, Inc.\", \"client_ids\": [\"connected-app-1\"]}]",
            "{\"iocs\": [{\"type\": \"client-id\", \"value\": \"connected-app-1\"}, {\"type\": \"name\", \"value\": \"Foo, Inc.\"}]}",
            "{\"client_id\": \"connected-app-1\", \"name\": \"Foo, Inc.\"}",
        ] {
            let sorted = |read: Result<Vec<(Kind, String)>, Unreadable>| {
                let mut read = read.expect(text);
                read.sort_by(|a, b| a.1.cmp(&b.1).reverse());
                read
            };
            assert_eq!(sorted(read(text)), sorted(two.clone()), "{text}");
        }
        let texts = "\"connected-app-1\"\n\"Caf\\u00e9\"\n";
        assert_eq!(read(texts), any(&["connected-app-1", "Café"]));
        let read = Indicators::read(b"{\"name\": \"Foo\"}\n{\"name\": \"Bar\"}\n").expect("two");
        assert_eq!(read.written.iter().map(|written| written.line).collect::<Vec<_>>(), [Some(1), Some(2)]);
    }

    #[test]
    fn an_id_is_found_in_whatever_an_advisory_sets_around_it() {
        let id = "connected-app-test-7f3a";
        for line in [
            "- ID",
            "* ID",
            "1. ID",
            "(2) ID",
            "3) ID",
            "\u{2022} ID",
            "- [ ] ID",
            "[x] ID",
            "> ID",
            "`ID`",
            "\"ID\"",
            "'ID'",
            "\u{201c}ID\u{201d}",
            "**ID**",
            "ID # seen in May",
            "ID  // seen",
            "  ID\r",
            "connected[-]app-test-7f3a",
            "I\u{200b}D",
            "\u{feff}ID",
            "client_id: ID",
            "client_id=ID",
            "Client ID: ID",
            "<ID>",
        ] {
            let line = line.replace("I\u{200b}D", "connected-app-\u{200b}test-7f3a").replace("ID", id);
            let line = line.replace(&format!("Client {id}"), "Client ID");
            let found = read(&format!("{line}\n")).expect("an indicator");
            assert!(matches!(found.as_slice(), [(Kind::Id | Kind::Any, text)] if text == id), "{line}: {found:?}");
        }
        let both = pairs(&[(Kind::Id, id), (Kind::Name, "Data Sync")]);
        for line in [
            format!("{id}, Data Sync"),
            format!("{id};Data Sync"),
            format!("- {id} \u{2013} Data Sync"),
            format!("{id} (Data Sync)"),
        ] {
            assert_eq!(read(&line), both, "{line}");
        }
        let turned = pairs(&[(Kind::Name, "Data Sync"), (Kind::Id, id)]);
        assert_eq!(read(&format!("\"Data Sync\",{id},\n")), turned);
        // A name stays whole where nothing says that it is more than one.
        assert_eq!(read("- Foo, Inc.\n2. C# Tools\n"), any(&["Foo, Inc.", "C# Tools"]));
        assert_eq!(read(&format!("[ ] {id}\n---\n[ ] Foo\n")), any(&[id, "Foo"]));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named_with_its_number() {
        let long = "word ".repeat(80);
        let read = Indicators::read(format!("Foo\n\"Bar\n---\n{long}\n").as_bytes()).expect("an indicator");
        let lines: Vec<_> = read.not_understood.iter().map(|place| place.line).collect();
        assert_eq!((read.entries.len(), lines), (1, vec![Some(2), Some(4)]));
        assert_eq!(read.written, [Written { line: Some(1), text: "Foo".to_owned() }]);
    }

    #[test]
    fn a_column_says_whether_it_holds_ids_or_names() {
        let both = pairs(&[(Kind::Id, "a-1"), (Kind::Name, "Foo, Inc."), (Kind::Name, "Bar")]);
        assert_eq!(read("seen,Client_ID,Name\n1,a-1,\"Foo, Inc.\"\n2,,Bar\n"), both);
        assert_eq!(
            read("# x\nname;client_id\nFoo, Inc.;a-1\nBar;\n").map(|read| read.len()),
            both.map(|both| both.len())
        );
        assert_eq!(read("id\tnote\na-1\tx\n"), pairs(&[(Kind::Id, "a-1")]));
        assert_eq!(read("client_id\na-1\na-2\n"), pairs(&[(Kind::Id, "a-1"), (Kind::Id, "a-2")]));
    }

    #[test]
    fn json_is_a_list_of_texts_or_of_clients() {
        assert_eq!(read(" [\"a-1\", \"Foo\"]"), any(&["a-1", "Foo"]));
        let listed = "[{\"client_id\": \"a-1\", \"name\": \"Foo\", \"score\": 7}, {\"name\": \"Bar\"}, \"x\"]";
        assert_eq!(
            read(listed),
            pairs(&[(Kind::Id, "a-1"), (Kind::Name, "Foo"), (Kind::Name, "Bar"), (Kind::Any, "x")])
        );
    }

    const D: &str = "connected-app-live-7f3a0000-0000-4000-8000-000000000001";
    const OTHER: &str = "connected-app-live-7f3a0000-0000-4000-8000-000000000002";

    /// The file with the ids put in, as it was read.
    fn with_ids(text: &str) -> Indicators {
        let text = text.replace("OTHER", OTHER).replace("'D'", &format!("'{D}'")).replace("\"D\"", &format!("\"{D}\""));
        let text =
            text.replace("=D", &format!("={D}")).replace(" D ", &format!(" {D} ")).replace(",D", &format!(",{D}"));
        Indicators::read(text.as_bytes()).unwrap_or_else(|why| panic!("{text}: {why:?}"))
    }

    fn ids(read: &Indicators) -> Vec<&str> {
        let ids = read.entries.iter().filter(|entry| entry.kind != Kind::Name && is_id(&entry.text));
        ids.map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn a_client_id_is_looked_for_wherever_it_stands_in_a_file() {
        for (text, expected, told) in [
            (r#"[{"name":"Evil Notes","type":"client_id","value":"D"}]"#, &[D][..], 0),
            (r#"{"name":"Advisory 7","malicious_clients":[{"client_id":"D"}]}"#, &[D], 0),
            (r#"{"name":"Advisory 7","bad_ones":[{"client_id":"D"}]}"#, &[D], 0),
            (r#"{"indicators":["OTHER"],"oauth_clients":["D"]}"#, &[OTHER, D], 0),
            (r#"{"indicators":["OTHER"],"whatever":["D"]}"#, &[OTHER, D], 0),
            (r#"{"Indicators":["D"],"name":"Advisory 7"}"#, &[D], 0),
            (r#"[{"client_id":"OTHER","connected_app_id":"D"}]"#, &[OTHER, D], 0),
            (r#"[{"client_id":"OTHER","client_id":"D"}]"#, &[OTHER, D], 0),
            (r#"{"client_id":"D","apps":["Nope"]}"#, &[D], 0),
            (r#"[{"id":"IOC-1","value":"D"}]"#, &[D], 0),
            (r#"[{"id":"D","value":"OTHER"}]"#, &[OTHER, D], 0),
            (r#"[{"name":"D"}]"#, &[D], 0),
            (r#"[{"clientId":["OTHER","D"]}]"#, &[OTHER, D], 0),
            (r#"[{"client_id":{"live":{"value":"D"}}}]"#, &[D], 0),
            (r#"[{"name":"Evil Notes","description":"It is D by the log","score":7}]"#, &[D], 0),
            (r#"[["D"],["OTHER"]]"#, &[D, OTHER], 0),
            (r#"{"clients":{"D":{"severity":"high"}}}"#, &[D], 0),
            (r#"{"a":{"b":[{"c":{"d":"D"}}]}}"#, &[D], 0),
            (r#"{"tags":["oauth","D"],"references":["https://evil.example/?client_id=D"],"name":"Evil"}"#, &[D], 0),
            ("[{\"client_id\":\"OTHER\"},\n[\"D\"]]", &[OTHER, D], 0),
            ("{\"name\":\"Foo\"}\n{\"rows\":[\"D\"]}\n", &[D], 0),
            ("id,client_id\n1,D\n", &[D], 0),
            ("client_id,connected_app_id\nOTHER,D\n", &[OTHER, D], 0),
            ("name,value\nEvil Notes,D\n", &[D], 0),
            ("name\nEvil,D\n", &[D], 0),
            ("name: D \n", &[D], 0),
            ("client_id: OTHER, D \n", &[OTHER, D], 0),
            // Of what may be a name, or may be the author's, nobody can say what it is.
            (r#"{"indicators":["D"],"banned":["Evil Notes", {"title":"Worse"}]}"#, &[D], 2),
            (r#"{"indicators":["D"],"author":{"name":"Jane"}}"#, &[D], 1),
            ("name\nEvil, Inc.\nFoo,D\n", &[D], 1),
        ] {
            let read = with_ids(text);
            assert_eq!((ids(&read), read.not_understood.len()), (expected.to_vec(), told), "{text}: {read:?}");
        }
    }

    #[test]
    fn beside_an_id_names_are_read_and_the_advisorys_own_is_not() {
        let names = |text| {
            let read = with_ids(text);
            read.entries.into_iter().filter(|entry| !is_id(&entry.text)).map(|entry| entry.text).collect::<Vec<_>>()
        };
        for (text, expected) in [
            (r#"[{"name":"Evil Notes","type":"client_id","value":"D"}]"#, &["Evil Notes"][..]),
            (r#"{"name":"Advisory 7","malicious_clients":[{"client_id":"D"}]}"#, &[]),
            (r#"{"client_id":"D","apps":["Nope"],"name":"Evil Notes"}"#, &["Nope", "Evil Notes"]),
            (r#"{"indicators":["D"],"rows":[{"name":"Evil Notes","client_id":"OTHER"}]}"#, &["Evil Notes"]),
            (r#"[{"id":"IOC-1","value":"D"}]"#, &[]),
            (r#"[{"id":"short-1","name":"Evil Notes"}]"#, &["short-1", "Evil Notes"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn a_stix_bundle_is_read_by_its_objects() {
        let uuid = "00000000-0000-4000-8000-000000000009";
        let bundle = |objects: &str| format!(r#"{{"type":"bundle","id":"bundle--{uuid}","objects":[{objects}]}}"#);
        let indicator = |rest: &str| {
            format!(r#"{{"type":"indicator","id":"indicator--{uuid}","created_by_ref":"identity--{uuid}",{rest}}}"#)
        };
        let about = format!(r#"{{"type":"identity","id":"identity--{uuid}","name":"DataSync CERT"}}"#);
        let both = r#""name":"Evil Notes","labels":["malicious"],"pattern":"[x-oauth:client_id = 'D' OR x:name = 'It\\'s D ']""#;
        let read = with_ids(&bundle(&format!("{about},{}", indicator(both))));
        assert_eq!((ids(&read), read.not_understood.len()), (vec![D], 0), "{read:?}");
        let names: Vec<_> =
            read.entries.iter().filter(|entry| entry.kind == Kind::Name).map(|entry| &entry.text).collect();
        assert_eq!(names, ["It's", "Evil Notes"], "{read:?}");
        let read = with_ids(&bundle(&indicator(r#""name":"Evil Notes","pattern":"rule evil""#)));
        assert_eq!((read.entries.len(), read.not_understood.len()), (1, 1), "{read:?}");
        let none = bundle(&format!(r#"{about},{{"type":"malware","id":"malware--{uuid}","score":7}}"#));
        assert_eq!(Indicators::read(none.as_bytes()), Err(Unreadable::NotAList { line: None, entry: Some(2) }));
        assert_eq!(Indicators::read(bundle(&about).as_bytes()), Err(Unreadable::Empty));
    }

    #[test]
    fn a_name_stays_a_name() {
        let name = "My connected-app-store";
        for text in [format!("name\n{name}\n"), format!("name: {name}\n"), format!("[{{\"name\":\"{name}\"}}]")] {
            assert_eq!(read(&text), pairs(&[(Kind::Name, name)]), "{text}");
        }
        for text in [format!("{name}\n"), format!("[\"{name}\"]")] {
            let found = read(&text).expect("an indicator");
            assert!(found.contains(&(Kind::Name, name.to_owned())), "{text}: {found:?}");
        }
        let beside = format!("Evil Notes ({D})");
        assert_eq!(read(&format!("name\n{beside}\n")), pairs(&[(Kind::Name, &beside), (Kind::Id, D)]));
    }

    #[test]
    fn what_cannot_be_read_whole_is_refused_whole() {
        for (text, why) in [
            ("", Unreadable::Empty),
            ("# nothing\n\n", Unreadable::Empty),
            ("client_id\n", Unreadable::Empty),
            ("[]", Unreadable::Empty),
            ("{\"indicators\": []}", Unreadable::Empty),
            ("[\"a\", {\"domain\": \"x\"}]", Unreadable::NotAList { line: None, entry: Some(2) }),
            ("{\"id\": 7, \"name\": \"Foo\"}", Unreadable::NotAList { line: None, entry: None }),
            ("{\"client_id\": \"a\"}\n\n{\"domain\": \"x\"}\n", Unreadable::NotAList { line: Some(3), entry: None }),
            ("{\"client_id\": \"a\"}\n{\"client_id\n", Unreadable::NotAList { line: Some(2), entry: None }),
            ("[1]", Unreadable::NotAList { line: None, entry: Some(1) }),
            ("[\"a\"", Unreadable::NotAList { line: Some(1), entry: None }),
            ("date,app\n2026-01-01,Foo\n2026-01-02,Bar\n", Unreadable::NoColumn { line: 1 }),
            ("client_id,note\n,only a note\n", Unreadable::NoColumn { line: 2 }),
            ("name\n\"Foo\nBar\nBaz\n", Unreadable::Quotes { line: 2 }),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert_eq!(Indicators::read(b"\xff\xfe"), Err(Unreadable::NotText));
        let many: String = (0..=MOST).map(|n| format!("app-{n}\n")).collect();
        assert_eq!(Indicators::read(many.as_bytes()).map(|_| ()), Err(Unreadable::TooMany));
        let large = vec![b'a'; usize::try_from(LARGEST).expect("a size") + 1];
        assert_eq!(Indicators::read(&large).map(|_| ()), Err(Unreadable::TooLarge));
    }
}

//! Indicators of an advisory: client ids and names in a file, and which apps of an inventory they name. It finds and counts; what is
//! done about a find is a plan like any other.
//!
//! An id is compared as it was written and is never found by likeness. A name is found when it is the app's but for case, or looks like
//! it; which of the two is told. Text that was made harmless (`evil[.]com`) is left as it is.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use journal::{Body, Closing, Hash, IndicatorDraft, Note, RowDraft, SweepId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stytch_b2b::ConnectedAppId;

use crate::clock::rfc3339;
use crate::desk::Desk;
use crate::error::Error;
use crate::evidence::INDICATORS;
use crate::inventory::filter::folded;
use crate::inventory::look_alike::Likenesses;
use crate::inventory::picture::{Missing, Picture, Reading, What, u32_of};
use crate::revoke;
use crate::sweep::engine::blocking;
use crate::sweep::verdict::RULES_VERSION;
use crate::sweeps::inventory_note;

/// Larger files are refused.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// More indicators are refused.
pub const MOST: usize = 100_000;

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
    /// As written, without white space around it.
    pub text: String,
}

/// The indicators of one file, each once, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicators {
    /// SHA-256 of the file.
    pub file_sha256: Hash,
    /// The indicators; never none.
    pub entries: Vec<Indicator>,
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
    /// JSON, and no array of texts or of objects with a `client_id`, `id` or `name`.
    #[error("it is not a list of texts or of objects that name a client")]
    NotAList,
    /// A table, and no column says that it holds ids or names.
    #[error("none of its columns is called client_id, id or name")]
    NoColumn,
    /// A quote that opens a cell is not closed: what follows it would be one cell.
    #[error("a quote in it is not closed")]
    Quotes,
    /// No indicator in it.
    #[error("it has no indicators")]
    Empty,
}

impl Indicators {
    /// Reads a file: JSON (an array of texts, or of objects with `client_id`, `connected_app_id` or `id`, and `name`); CSV with
    /// columns of those names, separated by commas, semicolons or tabs; or one indicator a line. Lines that begin with `#` are
    /// passed over, except in JSON.
    ///
    /// # Errors
    /// [`Unreadable`]. Nothing of a file is passed over in silence: an advisory that was read in part would make a nil finding false.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() as u64 > LARGEST {
            return Err(Unreadable::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let found = if text.trim_start().starts_with(['[', '{']) { json(text)? } else { table_or_lines(text)? };
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::new();
        for (kind, text) in found {
            let text = text.trim().to_owned();
            if !text.is_empty() && seen.insert((kind, text.clone())) {
                entries.push(Indicator { kind, text });
            }
        }
        match entries.len() {
            0 => Err(Unreadable::Empty),
            n if n > MOST => Err(Unreadable::TooMany),
            _ => Ok(Self { file_sha256: Hash(Sha256::digest(bytes).into()), entries }),
        }
    }
}

type Raw = Vec<(Kind, String)>;

fn json(text: &str) -> Result<Raw, Unreadable> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Text(String),
        Object { client_id: Option<String>, connected_app_id: Option<String>, id: Option<String>, name: Option<String> },
    }
    let entries: Vec<Entry> = serde_json::from_str(text).map_err(|_| Unreadable::NotAList)?;
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Entry::Text(text) => found.push((Kind::Any, text)),
            Entry::Object { client_id, connected_app_id, id, name } => {
                let id = client_id.or(connected_app_id).or(id);
                if id.is_none() && name.is_none() {
                    return Err(Unreadable::NotAList);
                }
                found.extend(id.map(|id| (Kind::Id, id)));
                found.extend(name.map(|name| (Kind::Name, name)));
            }
        }
    }
    Ok(found)
}

fn table_or_lines(text: &str) -> Result<Raw, Unreadable> {
    let mut looks_like_a_table = false;
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
        let column =
            |names: &[&str]| names.iter().find_map(|name| head.iter().position(|cell| cell.eq_ignore_ascii_case(name)));
        let id = column(&["client_id", "connected_app_id", "id"]);
        let name = column(&["name", "app_name", "client_name"]);
        let rows = records.map_while(Result::ok).filter(|row| row.iter().any(|cell| !cell.is_empty()));
        if id.is_none() && name.is_none() {
            let mut rows = rows.peekable();
            looks_like_a_table |= head.len() > 1 && rows.peek().is_some() && rows.all(|row| row.len() == head.len());
            continue;
        }
        let mut found = Vec::new();
        for row in rows {
            let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).filter(|cell| !cell.is_empty());
            let (id, name) = (cell(id), cell(name));
            if id.into_iter().chain(name).any(|cell| cell.contains('\n')) {
                return Err(Unreadable::Quotes);
            }
            if id.is_none() && name.is_none() {
                return Err(Unreadable::NoColumn);
            }
            found.extend(id.map(|id| (Kind::Id, id.to_owned())));
            found.extend(name.map(|name| (Kind::Name, name.to_owned())));
        }
        return Ok(found);
    }
    if looks_like_a_table {
        return Err(Unreadable::NoColumn);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    Ok(lines.map(|line| (Kind::Any, unquoted(line))).collect())
}

/// A line that a spreadsheet wrote in quotes, without them.
fn unquoted(line: &str) -> String {
    let inside = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
    inside.map_or_else(|| line.to_owned(), |inside| inside.replace("\"\"", "\""))
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
}

impl Findings {
    /// Indicators of which something was found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.each.iter().filter(|found| found.by.is_some()).count()
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

/// Looks for indicators in a picture.
#[must_use]
pub fn find(indicators: &Indicators, picture: &Picture) -> Findings {
    let mut likenesses = Likenesses::default();
    let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
    let mut by_look: HashMap<(usize, String), Vec<u32>> = HashMap::new();
    for (app, at) in picture.apps.iter().zip(0..) {
        by_name.entry(folded(app.name.trim())).or_default().push(at);
        for key in likenesses.keys(&app.name).into_iter().flatten().enumerate() {
            by_look.entry(key).or_default().push(at);
        }
    }
    let ids = |apps: &[u32]| apps.iter().map(|&app| picture.apps[app as usize].id.clone()).collect::<Vec<_>>();
    let each = indicators.entries.iter().map(|indicator| {
        let text = &indicator.text;
        let id = picture.app(&ConnectedAppId::from(text.as_str())).filter(|_| indicator.kind != Kind::Name);
        let (mut same, mut alike) = (Vec::new(), Vec::new());
        if id.is_none() && indicator.kind != Kind::Id {
            same = by_name.get(&folded(text)).cloned().unwrap_or_default();
            for key in likenesses.keys(text).into_iter().flatten().enumerate() {
                alike.extend(by_look.get(&key).into_iter().flatten().filter(|app| !same.contains(app)));
            }
            alike.sort_unstable();
            alike.dedup();
        }
        let (by, apps, look_alikes) = match id {
            Some(app) => (Some(By::Id), vec![app], Vec::new()),
            None if !same.is_empty() => (Some(By::Name), same, alike),
            None if !alike.is_empty() => (Some(By::LookAlike), alike, Vec::new()),
            None => (None, Vec::new(), Vec::new()),
        };
        let grants = apps.iter().map(|&app| u32_of(picture.grants_of_app(app).len())).sum();
        Match { indicator: indicator.clone(), by, apps: ids(&apps), look_alikes: ids(&look_alikes), grants }
    });
    let each = each.collect();
    let of_apps = |missing: &&Missing| matches!(missing.what, What::App(_) | What::AppRows(_) | What::ListRows);
    let missing: Vec<Missing> = picture.facts.missing.iter().filter(of_apps).cloned().collect();
    let read = picture.apps.iter().filter(|app| app.reading == Reading::Complete).count();
    Findings {
        each,
        apps_listed: u32_of(picture.apps.len()),
        apps_read: u32_of(read),
        complete: missing.is_empty() && read == picture.apps.len() && read > 0 && !picture.facts.under_way,
        missing,
        read_at: picture.facts.ended,
    }
}

impl Desk {
    /// Looks for indicators in the inventory that is shown.
    ///
    /// # Errors
    /// [`Error::NothingRead`], [`Error::Journal`].
    pub async fn match_indicators(&self, indicators: &Indicators) -> Result<Findings, Error> {
        let shown = self.shown().await?;
        let indicators = indicators.clone();
        blocking(move || Ok(find(&indicators, &shown.picture))).await
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
            ("complete", findings.complete.to_string()),
            ("read_at", rfc3339(findings.read_at)),
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
        assert_eq!(read(text), any(&["connected-app-1", "Foo, Inc.", "Bar, \"Baz\"", "evil[.]com"]));
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

    #[test]
    fn what_cannot_be_read_whole_is_refused_whole() {
        for (text, why) in [
            ("", Unreadable::Empty),
            ("# nothing\n\n", Unreadable::Empty),
            ("client_id\n", Unreadable::Empty),
            ("[]", Unreadable::Empty),
            ("{\"indicators\": []}", Unreadable::NotAList),
            ("[{\"domain\": \"x\"}]", Unreadable::NotAList),
            ("[1]", Unreadable::NotAList),
            ("[\"a\"", Unreadable::NotAList),
            ("date,app\n2026-01-01,Foo\n2026-01-02,Bar\n", Unreadable::NoColumn),
            ("client_id,note\n,only a note\n", Unreadable::NoColumn),
            ("name\n\"Foo\nBar\nBaz\n", Unreadable::Quotes),
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

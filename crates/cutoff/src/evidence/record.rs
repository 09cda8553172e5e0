//! A sweep as table, letter and report tell it: its rows with what they came to and the names that were kept. It decides nothing;
//! outcomes are [`verdict`]'s.

use std::collections::{BTreeMap, HashMap};

use journal::{Body, Clock, Grant, Hash, INDICATOR, Note, Opening, Person, PersonKind, Read, Row};
use serde_json::Value;

use super::manifest::People;
use crate::plan_file::Pair;
use crate::seen_again::SeenAgain;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Finding, Outcome, Rules};
use crate::watch::Kind;

/// One sweep.
pub(crate) struct Record<'a> {
    pub opening: &'a Opening,
    pub opened: &'a Clock,
    /// The clock of the last row.
    pub last: &'a Clock,
    pub rows: &'a Rows,
    pub head: Hash,
    pub closed: bool,
    pub lines: Vec<Line<'a>>,
    pub outcomes: BTreeMap<Outcome, usize>,
    pub notes: Vec<(&'a Row, &'a Note)>,
    /// Rows that are neither about a grant nor a read nor a note: changes of the policy, collateral.
    pub events: Vec<Event<'a>>,
    pub reads: Vec<&'a Read>,
    /// Rows of kinds that this version does not know.
    pub unknown: usize,
    pub organization_name: Option<&'a str>,
    /// What later readings showed, which is in no row.
    pub seen_again: Vec<SeenAgain>,
    texts: HashMap<(u8, &'a str), &'a str>,
}

/// A row of another kind, told by the names it has in its line.
pub(crate) struct Event<'a> {
    pub row: &'a Row,
    pub kind: String,
    /// Paths and values.
    pub details: Vec<(String, String)>,
}

impl<'a> Event<'a> {
    fn new(row: &'a Row) -> Self {
        let value = serde_json::to_value(&row.body).unwrap_or_default();
        let kind = value["kind"].as_str().unwrap_or_default().to_owned();
        let mut details = Vec::new();
        flatten("", &value, &mut details);
        details.retain(|(key, _)| key != "kind");
        Self { row, kind, details }
    }
}

/// Every value with its path. Of a clock only the moment is told; lists of texts stand on one line.
fn flatten(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => {}
        Value::Object(fields) if fields.contains_key("mono_ms") => out.push((path.to_owned(), told(&fields["utc"]))),
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, out);
            }
        }
        Value::Array(values) if values.iter().all(|value| !value.is_object()) => {
            let list: Vec<String> = values.iter().map(told).collect();
            out.push((path.to_owned(), if list.is_empty() { "none".to_owned() } else { list.join(", ") }));
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                flatten(&format!("{path} {}", at + 1), value, out);
            }
        }
        other => out.push((path.to_owned(), told(other))),
    }
}

/// One grant.
pub(crate) struct Line<'a> {
    pub grant: &'a Grant,
    pub finding: Finding,
    pub person: Person,
    pub app_name: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// `None`: the rows do not begin with an opening.
    pub fn new(
        rows: &'a Rows,
        people: &'a People,
        head: Hash,
        rules: &Rules,
        seen_again: Vec<SeenAgain>,
    ) -> Option<Self> {
        let (first, last) = (rows.all().first()?, rows.all().last()?);
        let Body::Opening(opening) = &first.body else { return None };
        let texts: HashMap<(u8, &str), &str> = people
            .people
            .iter()
            .map(|entry| ((entry.kind as u8, entry.subject.as_str()), entry.text.as_str()))
            .collect();
        let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
        let lines: Vec<Line<'a>> = verdict::findings(rows, rules)
            .into_values()
            .zip(rows.grants())
            .map(|(finding, grant)| {
                *outcomes.entry(finding.outcome).or_default() += 1;
                let person = texts.get(&(PersonKind::Member as u8, grant.member_id.as_str()));
                Line {
                    person: person.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
                    app_name: texts.get(&(PersonKind::App as u8, grant.connected_app_id.as_str())).copied(),
                    grant,
                    finding,
                }
            })
            .collect();
        let (mut notes, mut events, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unknown, mut closed) = (0, false);
        for row in rows.all() {
            match &row.body {
                Body::Note(note) => notes.push((row, note)),
                Body::Read(read) => reads.push(read),
                Body::Closing(_) => closed = true,
                Body::Unknown => unknown += 1,
                Body::Opening(_) | Body::Grant(_) | Body::Intent(_) | Body::Answer(_) => {}
                // Every other kind, also one that is added later, is told.
                _ => events.push(Event::new(row)),
            }
        }
        Some(Self {
            opening,
            opened: &first.clock,
            last: &last.clock,
            rows,
            head,
            closed,
            lines,
            outcomes,
            notes,
            events,
            reads,
            unknown,
            organization_name: texts
                .get(&(PersonKind::Organization as u8, opening.connection.organization_id.as_str()))
                .copied(),
            seen_again,
            texts,
        })
    }

    /// A text that the opening commits to, if it was kept.
    pub fn text(&self, kind: PersonKind) -> Option<&'a str> {
        self.texts.get(&(kind as u8, self.opening.actor.member_id.as_str())).copied()
    }

    /// The text of an indicator, by its number, if it was kept.
    pub fn indicator(&self, n: &str) -> Option<&'a str> {
        self.texts.get(&(PersonKind::Indicator as u8, n)).copied()
    }

    /// Whether it is a finding: a search for indicators, for which nothing was sent.
    pub fn is_finding(&self) -> bool {
        is_finding(self.rows.all())
    }

    /// The actor's name and address, if they were kept.
    pub fn actor(&self) -> Option<Person> {
        let text = self.texts.get(&(PersonKind::Member as u8, self.opening.actor.member_id.as_str()))?;
        serde_json::from_str(text).ok()
    }

    /// What the last reading shows of a grant of the sweep: that it is listed again.
    pub fn back(&self, line: &Line<'_>) -> Option<&SeenAgain> {
        self.seen_again.iter().find(|again| again.kind == Kind::SeenAgain && line.is_of(&again.grant))
    }

    /// How many of the grants that are called gone were seen again, and for how many others only a look-alike was.
    pub fn came_back(&self) -> (usize, usize) {
        let of = |line: &Line<'_>, kind| {
            line.gone() && self.seen_again.iter().any(|again| again.kind == kind && line.is_of(&again.grant))
        };
        let again = self.lines.iter().filter(|line| of(line, Kind::SeenAgain)).count();
        let alike = self.lines.iter().filter(|line| of(line, Kind::LookAlike) && !of(line, Kind::SeenAgain)).count();
        (again, alike)
    }

    /// A grant by its member and its app.
    pub fn line_of(&self, pair: &Pair) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.is_of(pair))
    }

    /// A grant by its number.
    pub fn line(&self, n: u32) -> Option<&Line<'a>> {
        self.lines.get((n as usize).checked_sub(1)?)
    }
}

impl Line<'_> {
    /// Whether it is the grant of this member and this app.
    fn is_of(&self, pair: &Pair) -> bool {
        *pair.member_id.as_str() == *self.grant.member_id
            && *pair.connected_app_id.as_str() == *self.grant.connected_app_id
    }

    /// Whether a complete later read showed that it is gone.
    pub fn gone(&self) -> bool {
        self.finding.outcome.is_gone()
    }
}

/// Whether rows are a finding's: indicators stand right behind its opening row, and nothing was ever about to be sent. A sweep that
/// only blocks has no grants either.
pub(crate) fn is_finding(rows: &[Row]) -> bool {
    matches!(rows.get(1).map(|row| &row.body), Some(Body::Note(note)) if note.what == INDICATOR)
        && !rows.iter().any(|row| matches!(row.body, Body::PolicyIntent(_)))
}

/// A text that others wrote, harmless in plain text and in HTML after escaping: what reorders text or is drawn as nothing is
/// written out as `<U+202E>`, and what is longer than `most` characters is cut, with its length told.
pub(crate) fn harmless(text: &str, most: usize) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len().min(most * 4));
    for (at, c) in text.chars().enumerate() {
        if at == most {
            let _ = write!(out, "… ({} characters)", text.chars().count());
            break;
        }
        if c.is_control() || crate::inventory::look_alike::unseen(c) || matches!(u32::from(c), 0x2028 | 0x2029) {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

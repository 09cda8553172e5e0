//! A sweep as table, letter and report tell it: its rows with what they came to and the names that were kept. It decides nothing;
//! outcomes are [`verdict`]'s.

use std::collections::{BTreeMap, HashMap};

use journal::{Body, Clock, Grant, Hash, Note, Opening, Person, PersonKind, Read};

use super::manifest::People;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Finding, Outcome, Rules, Why};

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
    pub notes: Vec<(&'a Clock, &'a Note)>,
    pub reads: Vec<&'a Read>,
    /// Rows of kinds that this version does not know.
    pub unknown: usize,
    pub organization_name: Option<&'a str>,
    texts: HashMap<(u8, &'a str), &'a str>,
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
    pub fn new(rows: &'a Rows, people: &'a People, head: Hash) -> Option<Self> {
        let (first, last) = (rows.all().first()?, rows.all().last()?);
        let Body::Opening(opening) = &first.body else { return None };
        let texts: HashMap<(u8, &str), &str> = people
            .people
            .iter()
            .map(|entry| ((entry.kind as u8, entry.subject.as_str()), entry.text.as_str()))
            .collect();
        let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
        let lines: Vec<Line<'a>> = verdict::findings(rows, &Rules::default())
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
        let (mut notes, mut reads, mut unknown, mut closed) = (Vec::new(), Vec::new(), 0, false);
        for row in rows.all() {
            match &row.body {
                Body::Note(note) => notes.push((&row.clock, note)),
                Body::Read(read) => reads.push(read),
                Body::Closing(_) => closed = true,
                Body::Unknown => unknown += 1,
                _ => {}
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
            reads,
            unknown,
            organization_name: texts
                .get(&(PersonKind::Organization as u8, opening.connection.organization_id.as_str()))
                .copied(),
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
        self.opening.plan.count == 0
    }

    /// The actor's name and address, if they were kept.
    pub fn actor(&self) -> Option<Person> {
        let text = self.texts.get(&(PersonKind::Member as u8, self.opening.actor.member_id.as_str()))?;
        serde_json::from_str(text).ok()
    }

    /// A grant by its number.
    pub fn line(&self, n: u32) -> Option<&Line<'a>> {
        self.lines.get((n as usize).checked_sub(1)?)
    }
}

impl Line<'_> {
    /// Whether a complete later read showed that it is gone.
    pub fn gone(&self) -> bool {
        is_gone(self.finding.outcome)
    }
}

/// Whether an outcome says that a complete later read no longer has the grant.
pub(crate) fn is_gone(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Revoked | Outcome::AlreadyGone | Outcome::MemberGone)
}

/// The name of a reason in table and report.
pub(crate) fn why_word(why: Why) -> &'static str {
    match why {
        Why::NoReadAllowed => "no_read_allowed",
        Why::HiddenByPolicy => "hidden_by_policy",
        Why::ReadFailed => "read_failed",
        Why::ReadIncomplete => "read_incomplete",
        Why::SessionEnded => "session_ended",
    }
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

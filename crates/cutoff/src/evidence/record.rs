//! A sweep as table, letter and report tell it: its rows with what they came to and the names that were kept. It decides nothing;
//! outcomes are [`verdict`]'s.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use journal::{Body, Clock, Grant, Hash, INDICATOR, Note, Opening, Person, PersonKind, Read, Row, Utc};

use super::manifest::People;
use crate::plan_file::Pair;
use crate::seen_again::SeenAgain;
use crate::sweep::change::{Blocking, Changes};
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Finding, Outcome, Rules};
use crate::sweeps::{PolicyReport, Since, policy_report};
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
    pub reads: Vec<&'a Read>,
    /// Rows of kinds that this version does not know.
    pub unknown: usize,
    pub organization_name: Option<&'a str>,
    /// What later readings showed, which is in no row.
    pub seen_again: Vec<SeenAgain>,
    /// What the rows tell of the organization's policy; `None` for a sweep that blocks nothing.
    pub policy: Option<PolicyReport>,
    /// The same by a later reading of the policy, which is in no row, and when that began: only where it tells otherwise.
    pub policy_later: Option<(PolicyReport, Utc)>,
    texts: HashMap<(u8, &'a str), &'a str>,
}

/// What the journal knows beside a sweep's rows, since the last of them.
pub(crate) struct Later {
    pub seen_again: Vec<SeenAgain>,
    pub policy_since: Option<Since>,
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
    pub fn new(rows: &'a Rows, people: &'a People, head: Hash, rules: &Rules, later: Later) -> Option<Self> {
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
                if !finding.never_sent() {
                    *outcomes.entry(finding.outcome).or_default() += 1;
                }
                let person = texts.get(&(PersonKind::Member as u8, grant.member_id.as_str()));
                Line {
                    person: person.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
                    app_name: texts.get(&(PersonKind::App as u8, grant.connected_app_id.as_str())).copied(),
                    grant,
                    finding,
                }
            })
            .collect();
        let (mut notes, mut reads) = (Vec::new(), Vec::new());
        let (mut unknown, mut closed) = (0, false);
        for row in rows.all() {
            match &row.body {
                Body::Note(note) => notes.push((row, note)),
                Body::Read(read) => reads.push(read),
                Body::Closing(_) => closed = true,
                Body::Unknown => unknown += 1,
                _ => {}
            }
        }
        let policy = policy_report(rows);
        let policy_later = policy.as_ref().zip(later.policy_since).and_then(|(own, since)| {
            let is_later = own.seen().is_none_or(|seen| since.seen.is_later_than(seen));
            let now = own.clone().told_by(&since);
            let differs = is_later && (now.stand(), now.in_force) != (own.stand(), own.in_force);
            differs.then_some((now, since.seen.began.utc))
        });
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
            seen_again: later.seen_again,
            policy,
            policy_later,
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

    /// A member's name and address, if they were kept.
    pub fn person(&self, member_id: &str) -> Option<Person> {
        serde_json::from_str(self.texts.get(&(PersonKind::Member as u8, member_id))?).ok()
    }

    /// An app's name, if it was kept.
    pub fn app_name(&self, app: &str) -> Option<&'a str> {
        self.texts.get(&(PersonKind::App as u8, app)).copied()
    }

    /// The apps that the sweep is about, each with how many of its grants were planned: the most first, then those that were only to
    /// be blocked.
    pub fn apps(&self) -> Vec<(String, usize)> {
        let mut apps: BTreeMap<String, usize> = BTreeMap::new();
        for line in &self.lines {
            *apps.entry(line.grant.connected_app_id.clone()).or_default() += 1;
        }
        if let Some(blocking) = Blocking::of(self.rows) {
            for app in blocking.forbids().into_iter().filter(|app| !blocking.left_out.contains(app)) {
                apps.entry(app.to_string()).or_default();
            }
        }
        let mut apps: Vec<_> = apps.into_iter().collect();
        apps.sort_by_key(|(_, grants)| Reverse(*grants));
        apps
    }

    /// How many requests that change something left this computer, or may have.
    pub fn sent(&self) -> usize {
        let revokes: u32 = self.lines.iter().map(|line| line.finding.attempts).sum();
        revokes as usize + Changes::of(self.rows.all()).sent()
    }

    /// For how many grants a request may have left, and of none it is on record that it did.
    pub fn maybe_sent(&self) -> usize {
        self.lines.iter().filter(|line| line.finding.maybe_sent()).count()
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

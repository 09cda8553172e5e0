//! Checks a pack from its bytes alone: no network, no keyring, no journal. It says whether the pack is consistent and whether it
//! is unchanged since a head; it cannot say who wrote it, whether it is true, or whether anything was left out before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use journal::{Body, Closing, Commitment, Hash, INDICATOR, Links, Note, Opening, PersonKind, Row, SweepId};
use serde_json::Value;
use uuid::Uuid;

use super::archive::{self, LARGEST};
use super::finding::INDICATORS;
use super::manifest::{self, FILES, MANIFEST, Manifest, PEOPLE, People, ROWS};
use super::record::is_finding;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Outcome, RULES_VERSION, Rules};

/// What a pack that holds together says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The journal that the sweep was recorded in.
    pub journal_id: Uuid,
    /// The sweep.
    pub sweep_id: SweepId,
    /// SHA-256 of the manifest: the head of the pack.
    pub head: Hash,
    /// The hash of the last row.
    pub chain_head: Hash,
    /// How many rows.
    pub rows: u64,
    /// How many grants were planned; every one has an outcome.
    pub grants: u64,
    /// Grants for which a request left.
    pub sent: u64,
    /// Other grants for which one may have left, or not: a run that was killed was about to send it.
    pub maybe_sent: u64,
    /// It is a finding: nothing was sent for it. A sweep that only changed the policy has no grants either.
    pub finding: Option<Sought>,
    /// Grants by outcome, derived from the rows by this version's rules, less those that nothing was sent for.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Grants that nothing was sent for, though they are not known to be gone.
    pub not_attempted: u64,
    /// Whether the sweep has a closing row; without one it is unfinished.
    pub closed: bool,
    /// Whether the counts of the last closing row were compared with those derived here; rules of another version count otherwise.
    pub counts_compared: bool,
    /// The files of the pack that are not there, as they may.
    pub absent: Vec<&'static str>,
    /// Texts that the rows commit to and that are not there.
    pub erased: u64,
    /// What the head that was given vouches for.
    pub since: Since,
}

/// What a finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// How many indicators were looked for.
    pub indicators: u64,
    /// Of how many something was found.
    pub found: u64,
    /// Whether everything was read that was looked in. If not, what was not found may be there all the same.
    pub complete: bool,
}

impl Sought {
    fn of(rows: &[Row]) -> Option<Self> {
        if !is_finding(rows) {
            return None;
        }
        let notes = || {
            rows.iter().filter_map(|row| match &row.body {
                Body::Note(note) => Some(note),
                _ => None,
            })
        };
        let each = || notes().filter(|note| note.what == INDICATOR);
        let none = |note: &&Note| note.detail.get("matched_by").is_none_or(|by| by == "none");
        let (indicators, unfound) = (each().count() as u64, each().filter(none).count() as u64);
        let whole = notes().find(|note| note.what == INDICATORS).and_then(|note| note.detail.get("complete"));
        let complete = whole.is_some_and(|complete| complete == "true");
        Some(Self { indicators, found: indicators - unfound, complete })
    }

    /// Whether nothing was found because nothing is there: not so where something could not be read.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.found == 0 && self.complete
    }
}

/// What a head vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// No head was given: the pack is consistent, which proves neither author, nor truth, nor completeness.
    Nothing,
    /// It is the pack's: everything is unchanged, derived files too.
    Pack,
    /// It is one of the chain's: so many rows from the first on are unchanged. The rows after them, and the files derived from the rows, are
    /// only consistent.
    Rows(u64),
}

/// Why a pack does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not a pack, or not in the one form that a pack has: something was added, taken out, packed anew or cut off.
    #[error("it is not a pack in its one form: {0}")]
    Form(&'static str),
    /// Larger than a pack can be; nothing of it was looked at.
    #[error("it is larger than a pack can be")]
    TooLarge,
    /// Written by a later version: use that.
    #[error("it was written by a later version")]
    Newer,
    /// A file is not what it was.
    #[error("{file} is not what it was: {why}")]
    File {
        /// Which.
        file: &'static str,
        /// What is wrong, quoting nothing of it.
        why: String,
    },
    /// A row is not what it was.
    #[error("row {seq} is not what it was: {why}")]
    Row {
        /// Its place in the sweep, from 0.
        seq: u64,
        /// What is wrong, quoting nothing of it.
        why: String,
    },
    /// It holds together, and is not what the head was noted of.
    #[error("it holds together, but it is not what that head was noted of")]
    OtherHead {
        /// The head it has.
        head: Hash,
        /// The head of its rows.
        chain_head: Hash,
    },
}

/// Checks a pack, and with a head whether it is unchanged since that was noted: the pack's own, or that of its rows at any time.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn verify(bytes: &[u8], head: Option<Hash>) -> Result<Verified, Broken> {
    verify_by(bytes, head, &Rules::default())
}

/// [`verify`], where the sweep was judged with other pauses than those that ship.
///
/// # Errors
/// As [`verify`].
pub fn verify_by(bytes: &[u8], head: Option<Hash>, rules: &Rules) -> Result<Verified, Broken> {
    let open = Open::read(bytes)?;
    let chain = Chain::walk(open.file(ROWS).unwrap_or_default())?;
    open.fits(&chain)?;
    let erased = chain.check_people(open.people.as_ref())?;
    let counts_compared = chain.check_counts(rules)?;

    let of_pack = Hash::of(open.file(MANIFEST).unwrap_or_default());
    let since = match head {
        None => Since::Nothing,
        Some(head) if head == of_pack => Since::Pack,
        Some(head) => match (1..).zip(&chain.hashes).find(|(_, hash)| **hash == head) {
            Some((rows, _)) => Since::Rows(rows),
            None => return Err(Broken::OtherHead { head: of_pack, chain_head: chain.head() }),
        },
    };
    let (chain_head, rows, closed) = (chain.head(), chain.hashes.len() as u64, chain.closing().is_some());
    let finding = Sought::of(&chain.rows);
    let (journal_id, sweep_id, grants) = (chain.opening.journal_id, chain.opening.sweep_id, chain.opening.plan.count);
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    let (mut sent, mut maybe_sent, mut not_attempted) = (0, 0, 0);
    for finding in verdict::findings(&Rows::new(chain.rows), rules).into_values() {
        sent += u64::from(finding.attempts > finding.unrecorded);
        maybe_sent += u64::from(finding.maybe_sent());
        match finding.never_sent() {
            true => not_attempted += 1,
            false => *outcomes.entry(finding.outcome).or_default() += 1,
        }
    }
    Ok(Verified {
        journal_id,
        sweep_id,
        head: of_pack,
        chain_head,
        rows,
        grants,
        sent,
        maybe_sent,
        finding,
        outcomes,
        not_attempted,
        closed,
        counts_compared,
        absent: FILES.into_iter().filter(|name| open.file(name).is_none() && open.is_due(name)).collect(),
        erased,
        since,
    })
}

/// A pack whose files are what its manifest says.
pub(crate) struct Open<'a> {
    entries: Vec<(&'a str, &'a [u8])>,
    manifest: Manifest,
    pub people: Option<People>,
}

impl<'a> Open<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, Broken> {
        if bytes.len() as u64 > LARGEST {
            return Err(Broken::TooLarge);
        }
        let entries = archive::read(bytes).ok_or(Broken::Form("the archive"))?;
        let mut names = FILES.into_iter();
        if !entries.iter().all(|(name, _)| names.any(|known| known == *name)) {
            return Err(Broken::Form("its files, or their order"));
        }
        let file = |wanted: &str| entries.iter().find(|(name, _)| *name == wanted).map(|(_, data)| *data);
        let (Some(manifest), Some(_)) = (file(MANIFEST), file(ROWS)) else {
            return Err(Broken::Form("a file is missing"));
        };
        if manifest::is_newer(manifest) {
            return Err(Broken::Newer);
        }
        let wrong = |file, why: &str| Broken::File { file, why: why.to_owned() };
        let manifest: Manifest =
            manifest::from_bytes(manifest).ok_or_else(|| wrong(MANIFEST, "it is not a manifest in its one form"))?;
        let listed: Vec<&str> = manifest.files.iter().map(|listed| listed.name.as_str()).collect();
        let mut known = FILES.into_iter().filter(|name| ![MANIFEST, PEOPLE].contains(name));
        if manifest.format != manifest::FORMAT
            || manifest.version != manifest::VERSION
            || manifest.hash_alg != "sha-256"
            || listed.first() != Some(&ROWS)
            || !listed.iter().all(|name| known.any(|known| known == *name))
        {
            return Err(wrong(MANIFEST, "it names what a pack does not have"));
        }
        for name in FILES {
            let Some(data) = file(name) else { continue };
            let listed = manifest.files.iter().find(|listed| listed.name == name);
            match listed {
                _ if [MANIFEST, PEOPLE].contains(&name) => {}
                None => return Err(Broken::Form("a file that the manifest does not name")),
                Some(listed) if listed.size != data.len() as u64 => return Err(wrong(name, "its size")),
                Some(listed) if listed.sha256 != Hash::of(data) => return Err(wrong(name, "its hash")),
                Some(_) => {}
            }
        }
        let people = match file(PEOPLE) {
            Some(data) => Some(
                manifest::from_bytes::<People>(data)
                    .filter(People::is_ordered)
                    .ok_or_else(|| wrong(PEOPLE, "it is not in its one form"))?,
            ),
            None => None,
        };
        Ok(Self { entries, manifest, people })
    }

    /// Whether the pack was made with that file: a finding has no table of grants and no letter.
    fn is_due(&self, name: &str) -> bool {
        [MANIFEST, PEOPLE].contains(&name) || self.manifest.files.iter().any(|listed| listed.name == name)
    }

    pub fn file(&self, wanted: &str) -> Option<&'a [u8]> {
        self.entries.iter().find(|(name, _)| *name == wanted).map(|(_, data)| *data)
    }

    fn fits(&self, chain: &Chain) -> Result<(), Broken> {
        let Manifest { journal_id, sweep_id, chain_head, rows, .. } = &self.manifest;
        let opening = &chain.opening;
        let same = (*journal_id, *sweep_id, *chain_head, *rows)
            == (opening.journal_id, opening.sweep_id, chain.head(), chain.hashes.len() as u64);
        // An id has more than one spelling, and both files are to have the same.
        let first = self.file(ROWS).and_then(|rows| rows.split(|byte| *byte == b'\n').next()).unwrap_or_default();
        let first: Value = serde_json::from_slice(first).unwrap_or_default();
        let same = same && first["journal_id"] == journal_id.to_string() && first["sweep_id"] == sweep_id.to_string();
        if same { Ok(()) } else { Err(Broken::File { file: MANIFEST, why: "it is of other rows".to_owned() }) }
    }
}

/// The rows of a pack, walked.
pub(crate) struct Chain {
    opening: Opening,
    pub rows: Vec<Row>,
    pub hashes: Vec<Hash>,
}

impl Chain {
    pub fn walk(file: &[u8]) -> Result<Self, Broken> {
        let Some(lines) = file.strip_suffix(b"\n") else {
            return Err(Broken::File { file: ROWS, why: "it does not end with the end of a line".to_owned() });
        };
        let told = |found: journal::Break| Broken::Row { seq: found.seq, why: found.why };
        let mut links = Links::new();
        let (mut rows, mut hashes) = (Vec::new(), Vec::new());
        for line in lines.split(|byte| *byte == b'\n') {
            let (row, _, hash) = links.next(line).map_err(told)?;
            rows.push(row);
            hashes.push(hash);
        }
        links.end().map_err(told)?;
        match rows.first().map(|row| &row.body) {
            Some(Body::Opening(opening)) => Ok(Self { opening: (**opening).clone(), rows, hashes }),
            // The walk lets nothing else begin a chain.
            _ => Err(Broken::Row { seq: 0, why: "it is not an opening row".to_owned() }),
        }
    }

    pub fn head(&self) -> Hash {
        self.hashes.last().copied().unwrap_or(Hash([0; 32]))
    }

    /// The last closing row, and where it stands.
    fn closing(&self) -> Option<(usize, &Closing)> {
        self.rows.iter().enumerate().rev().find_map(|(at, row)| match &row.body {
            Body::Closing(closing) => Some((at, closing)),
            _ => None,
        })
    }

    /// Whether the texts are those that the rows commit to, each where it belongs; answers how many are not there.
    fn check_people(&self, people: Option<&People>) -> Result<u64, Broken> {
        let committed = commitments(&self.rows);
        let given = people.map(|people| people.people.as_slice()).unwrap_or_default();
        for entry in given {
            let belongs = committed
                .get(&entry.commitment)
                .is_some_and(|places| places.contains(&(entry.kind as u8, entry.subject.as_str())));
            if !belongs || !entry.is_true() {
                return Err(Broken::File {
                    file: PEOPLE,
                    why: "a text is not the one that the rows commit to".to_owned(),
                });
            }
        }
        Ok((committed.len() - given.len()) as u64)
    }

    /// Whether the last closing row counts what its rows show; answers whether its rules are ours.
    fn check_counts(&self, rules: &Rules) -> Result<bool, Broken> {
        let Some((at, closing)) = self.closing() else { return Ok(false) };
        let broken = |why: &str| Broken::Row { seq: at as u64, why: why.to_owned() };
        if closing.counts.values().try_fold(0u64, |sum, n| sum.checked_add(*n)) != Some(self.opening.plan.count) {
            return Err(broken("it does not count every grant once"));
        }
        if closing.rules_version != RULES_VERSION {
            return Ok(false);
        }
        let before = Rows::new(self.rows[..at].iter().cloned());
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for finding in verdict::findings(&before, rules).into_values() {
            *counts.entry(finding.outcome.name().to_owned()).or_default() += 1;
        }
        if counts == closing.counts { Ok(true) } else { Err(broken("its counts are not those of the rows before it")) }
    }
}

/// Every commitment of some rows, and whose text of which kind it stands for.
pub(crate) fn commitments(rows: &[Row]) -> HashMap<Commitment, BTreeSet<(u8, &str)>> {
    let mut found: HashMap<Commitment, BTreeSet<(u8, &str)>> = HashMap::new();
    let mut note = |commitment: &Option<Commitment>, kind: PersonKind, subject| {
        if let Some(commitment) = commitment {
            found.entry(*commitment).or_default().insert((kind as u8, subject));
        }
    };
    for row in rows {
        match &row.body {
            Body::Opening(opening) => {
                let actor = &opening.actor;
                note(&opening.reason, PersonKind::Reason, actor.member_id.as_str());
                note(&actor.impersonator, PersonKind::Impersonator, &actor.member_id);
                note(&actor.person, PersonKind::Member, &actor.member_id);
                note(&opening.organization_name, PersonKind::Organization, &opening.connection.organization_id);
            }
            Body::Grant(grant) => {
                note(&grant.person, PersonKind::Member, &grant.member_id);
                note(&grant.app_name, PersonKind::App, &grant.connected_app_id);
            }
            Body::Note(Note { what, detail }) if what == INDICATOR => {
                let text = detail.get("text").and_then(|text| text.parse().ok()).map(Commitment);
                note(&text, PersonKind::Indicator, detail.get("n").map_or("", String::as_str));
            }
            _ => {}
        }
    }
    found
}

//! Making a pack: of a sweep in the journal, or of another pack with one person's texts taken out. The same rows,
//! texts and later readings make the same bytes, whenever it is done.

use std::collections::BTreeSet;
use std::sync::Arc;

use journal::{Hash, Journal, Person, PersonKind, SweepId, Tool};

use super::archive;
use super::manifest::{self, GRANTS, LETTER, Listed, MANIFEST, Manifest, PEOPLE, People, PersonEntry, REPORT, ROWS};
use super::record::{Later, Record};
use super::verify::{Broken, Chain, Open, commitments, verify};
use super::{letter, report, table};
use crate::desk::Desk;
use crate::erase::names;
use crate::error::Error;
use crate::seen_again::seen_again;
use crate::sweep::engine::blocking;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::Rules;
use crate::sweeps::Since;

/// The evidence of one sweep.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA-256 of its manifest: what to note down, outside of the file.
    pub head: Hash,
    /// The hash of its last row.
    pub chain_head: Hash,
    /// How many rows it has.
    pub rows: u64,
    /// What the file may be called: no path, and nothing that anybody chose.
    pub name: String,
}

impl Desk {
    /// The evidence of a sweep as it stands now. It asks nobody, and an unfinished sweep has evidence too.
    ///
    /// # Errors
    /// [`Error::Journal`], also when the sweep's chain is broken.
    pub async fn pack(&self, id: SweepId) -> Result<Pack, Error> {
        let since = self.policy_known(id).await;
        let (journal, rules) = (self.journal.clone(), self.rules);
        blocking(move || of_sweep(&journal, id, &rules, since)).await
    }

    /// Walks a sweep's chain in the journal again.
    ///
    /// # Errors
    /// [`Error::Journal`]; a break is an answer and none of these.
    pub async fn verify_sweep(&self, id: SweepId) -> Result<journal::Verdict, Error> {
        let journal = self.journal.clone();
        blocking(move || journal.verify(id)).await
    }
}

fn of_sweep(
    journal: &Arc<Journal>,
    id: SweepId,
    rules: &Rules,
    policy_since: Option<Since>,
) -> Result<Pack, journal::Error> {
    let damaged = |why: String| journal::Error::Corrupt(format!("sweep {id}: {why}"));
    let stored = journal.rows(id)?;
    let mut lines = Vec::with_capacity(stored.iter().map(|row| row.line.len() + 1).sum());
    for row in &stored {
        lines.extend(row.line.as_bytes());
        lines.push(b'\n');
    }
    // Walked from the bytes that go out, as a reader will: a broken chain must not leave as evidence.
    let chain = Chain::walk(&lines).map_err(|broken| damaged(broken.to_string()))?;
    if let Some((row, _)) = stored.iter().zip(&chain.hashes).find(|(row, hash)| row.hash != **hash) {
        return Err(damaged(format!("row {} does not have the hash that was noted of it", row.seq)));
    }
    let committed = commitments(&chain.rows);
    let people: Vec<PersonEntry> = journal
        .people(id)?
        .into_iter()
        .filter(|record| record.is_true() && committed.contains_key(&record.commitment))
        .map(PersonEntry::new)
        .collect();
    let people = People::new(people);
    let (chain_head, rows) = (chain.head(), chain.rows.len() as u64);
    drop(committed);
    let all = Rows::new(chain.rows);
    let later = Later { seen_again: seen_again(journal, id, rules)?, policy_since };
    let record = Record::new(&all, &people, chain_head, rules, later)
        .ok_or_else(|| damaged("it has no opening row".to_owned()))?;
    let mut derived = vec![(REPORT, report::write(&record).into_bytes())];
    if !record.is_finding() {
        derived.insert(0, (GRANTS, table::write(&record)));
    }
    // Where nothing left this computer, as for a finding, the vendor has nothing to compare.
    if record.sent() > 0 {
        derived.insert(1, (LETTER, letter::write(&record).into_bytes()));
    }
    let mut listed = vec![Listed::of(ROWS, &lines)];
    listed.extend(derived.iter().map(|(name, data)| Listed::of(name, data)));
    let opening = record.opening;
    let manifest = manifest::to_bytes(&Manifest {
        format: manifest::FORMAT.to_owned(),
        version: manifest::VERSION,
        critical: Vec::new(),
        hash_alg: "sha-256".to_owned(),
        tool: tool(),
        journal_id: opening.journal_id,
        sweep_id: id,
        chain_head,
        rows,
        files: listed,
    });
    let people = manifest::to_bytes(&people);
    let entries: Vec<(&str, &[u8])> = [(MANIFEST, manifest.as_slice()), (ROWS, &lines), (PEOPLE, &people)]
        .into_iter()
        .chain(derived.iter().map(|(name, data)| (*name, data.as_slice())))
        .collect();
    let bytes =
        archive::write(&entries).ok_or_else(|| damaged("its evidence is larger than a pack can be".to_owned()))?;
    let day = record.opened.utc.timestamp().strftime("%Y-%m-%d").to_string();
    let short: String = id.to_string().chars().take(8).collect();
    Ok(Pack { bytes, head: Hash::of(&manifest), chain_head, rows, name: format!("cutoff-evidence-{day}-{short}.zip") })
}

impl Pack {
    /// A request for a timestamp of the pack's head, for whichever authority somebody wants to send it to: DER of RFC 3161's
    /// `TimeStampReq`, with SHA-256 of the manifest, the authority's certificate asked for, no policy and no nonce. It is written and
    /// never sent.
    #[must_use]
    pub fn timestamp_request(&self) -> Vec<u8> {
        // SEQUENCE { INTEGER 1, SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.1, NULL }, OCTET STRING (32) …}, BOOLEAN TRUE }
        const BEFORE: [u8; 24] = [
            0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
            0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
        ];
        const AFTER: [u8; 3] = [0x01, 0x01, 0xff];
        [&BEFORE[..], &self.head.0, &AFTER].concat()
    }
}

/// This program.
pub(crate) fn tool() -> Tool {
    Tool { name: "cutoff".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), commit: crate::COMMIT.to_owned() }
}

/// A pack without one person's texts. Its head and its rows are what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many texts were taken out.
    pub texts: usize,
    /// The derived files that were taken out with them, since they may hold the same texts.
    pub dropped: Vec<&'static str>,
    /// The reason is still there, somebody else's words, and seems to name the member.
    pub named_in_reason: bool,
}

/// Takes a member's texts out of a pack: name and e-mail, the reason they gave, who impersonated them; with `reason` also one that
/// somebody else gave. The derived files that may hold names go too.
///
/// # Errors
/// [`Broken`]: only a pack that is consistent is worth a second one.
pub fn redact(bytes: &[u8], member_id: &str, reason: bool) -> Result<Redacted, Broken> {
    verify(bytes, None)?;
    let open = Open::read(bytes)?;
    let mut people = open.people.clone().unwrap_or_else(|| People::new(Vec::new()));
    let before = people.people.len();
    let known: BTreeSet<String> = people
        .people
        .iter()
        .filter(|entry| entry.kind == PersonKind::Member && entry.subject == member_id)
        .filter_map(|entry| serde_json::from_str::<Person>(&entry.text).ok())
        .flat_map(|person| [person.name, person.email])
        .flatten()
        .collect();
    people.people.retain(|entry| match entry.kind {
        PersonKind::App | PersonKind::Organization => true,
        PersonKind::Reason if reason => false,
        _ => entry.subject != member_id,
    });
    let named_in_reason =
        people.people.iter().any(|entry| entry.kind == PersonKind::Reason && names(&entry.text, &known));
    let texts = before - people.people.len();
    let kept = manifest::to_bytes(&people);
    let mut dropped = Vec::new();
    let mut entries: Vec<(&str, &[u8])> = Vec::new();
    for name in manifest::FILES {
        match open.file(name) {
            Some(_) if name == PEOPLE => entries.push((name, &kept)),
            Some(_) if [GRANTS, REPORT].contains(&name) => dropped.push(name),
            Some(data) => entries.push((name, data)),
            None => {}
        }
    }
    let bytes = archive::write(&entries).ok_or(Broken::TooLarge)?;
    Ok(Redacted { bytes, texts, dropped, named_in_reason })
}

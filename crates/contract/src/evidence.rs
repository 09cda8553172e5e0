//! Evidence: packs made of what the journal holds, packs checked, and people taken out of the journal.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::revoke::Outcome;

/// A pack that was written.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidencePack {
    /// The file's name, without its folder.
    pub file: String,
    /// Where it lies.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u32,
    /// The head to keep somewhere else, hexadecimal: SHA-256 of the pack's manifest.
    pub head: String,
    /// The head of its rows.
    pub chain_head: String,
    /// Rows in it.
    pub rows: u32,
}

/// What a check of a pack came to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceCheck {
    /// The file's name, without its folder.
    pub file: String,
    /// What was found.
    pub verdict: EvidenceVerdict,
}

/// What was found of a pack.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum EvidenceVerdict {
    /// It holds together.
    Good(Box<EvidenceFacts>),
    /// It does not count.
    Broken(EvidenceBreak),
}

/// What a head that was given vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceSince {
    /// No head was given: the pack is consistent, which proves neither author, nor truth, nor completeness.
    Nothing,
    /// It is the pack's: everything is unchanged.
    Pack,
    /// It is a head of its rows: `rows_vouched` of them are unchanged; what is derived from them is not covered.
    Rows,
}

/// Facts of a pack that holds together.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceFacts {
    /// What the head vouches for.
    pub since: EvidenceSince,
    /// Rows from the first on that the head vouches for.
    pub rows_vouched: u32,
    /// The sweep.
    pub sweep_id: String,
    /// SHA-256 of its manifest.
    pub head: String,
    /// The hash of its last row.
    pub chain_head: String,
    /// Rows in it.
    pub rows: u32,
    /// Grants that were planned; 0 also for a sweep that only changed the policy.
    pub grants: u32,
    /// It is a finding: nothing was sent for it.
    pub finding: bool,
    /// Of a finding: whether everything was read that was looked in. If not, what was not found may be there all the same.
    pub complete: Option<bool>,
    /// Grants by outcome, derived from the rows by this version's rules, less those that nothing was sent for.
    pub outcomes: Vec<EvidenceOutcome>,
    /// Grants that nothing was sent for, though they are not known to be gone.
    pub unsent: u32,
    /// Without a closing row the sweep is unfinished.
    pub closed: bool,
    /// Whether the counts of its closing row were compared with those derived here.
    pub counts_compared: bool,
    /// Files that are not there, as they may.
    pub absent: Vec<String>,
    /// Texts that the rows commit to and that are not there.
    pub erased: u32,
}

/// Grants of one outcome in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceOutcome {
    /// The outcome.
    pub outcome: Outcome,
    /// How many.
    pub grants: u32,
}

/// Why a pack does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum EvidenceBreak {
    /// Not a pack, or not in the one form that a pack has.
    Form {
        /// What of it.
        what: String,
    },
    /// Larger than a pack can be; nothing of it was looked at.
    TooLarge,
    /// Written by a later version.
    Newer,
    /// A file is not what it was.
    File {
        /// Which.
        name: String,
        /// What is wrong, quoting nothing of it.
        why: String,
    },
    /// A row is not what it was.
    Row {
        /// Its place in the sweep, from 0.
        seq: u32,
        /// What is wrong, quoting nothing of it.
        why: String,
    },
    /// It holds together, and is not what the head was noted of.
    OtherHead {
        /// The head it has.
        head: String,
        /// The head of its rows.
        chain_head: String,
    },
}

/// What became of a person's texts in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Erased {
    /// Texts that went.
    pub texts: u32,
    /// Sweeps and findings whose reason, somebody else's words, stays and seems to name the person.
    pub reasons: Vec<String>,
    /// Unfinished sweeps whose plan is kept with a reason that should have gone.
    pub plans: Vec<String>,
}

/// Whether the journal is the one that it was.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct JournalStatus {
    /// The keyring has noted more than the journal holds: it was restored from an earlier copy, and sweeps that it calls unfinished
    /// are not gone on with. `null`: not known to be.
    pub rolled_back: Option<RolledBack>,
}

/// What the keyring noted of a journal that is older than that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RolledBack {
    /// When it was noted.
    pub noted_at: Utc,
    /// Rows the journal had then.
    pub rows: u32,
    /// The head it had then, hexadecimal.
    pub head: String,
}

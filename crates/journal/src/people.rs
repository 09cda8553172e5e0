//! The people table: the plain names, e-mails and texts that the rows only commit to. It is outside the chain on purpose, so
//! that a person can be erased and every chain still verifies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use rusqlite::{Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chain::Hash;
use crate::row::SweepId;
use crate::{Error, Journal, snapshots};

const TAG: &[u8] = b"cutoff-commitment-v1\0";

/// Stands in a row for a text: `SHA-256("cutoff-commitment-v1\0" ‖ salt, 16 bytes ‖ length, u64 big-endian ‖ the text's UTF-8)`,
/// written as 64 hexadecimal digits. Without the salt nobody can find the text by trying names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(pub Hash);

impl Commitment {
    /// Commits to a text.
    pub fn to(salt: &[u8; 16], text: &str) -> Self {
        let mut sha = Sha256::new();
        sha.update(TAG);
        sha.update(salt);
        sha.update((text.len() as u64).to_be_bytes());
        sha.update(text);
        Commitment(Hash(sha.finalize().into()))
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known of a member, to be committed to. The committed text is this as JSON: `{"name":…,"email":…}`, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// The name, if it was readable.
    pub name: Option<String>,
    /// The e-mail, if it was readable.
    pub email: Option<String>,
}

/// Names for the grants of a sweep that is being opened. What is missing here is `null` in the rows.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// By member id.
    pub members: BTreeMap<String, Person>,
    /// App names by connected app id.
    pub apps: BTreeMap<String, String>,
}

/// What a text in the people table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// A member's name and e-mail ([`Person`] as JSON); the subject is the member id.
    Member,
    /// An app's name; the subject is the connected app id.
    App,
    /// Who impersonated the actor; the subject is the actor's member id.
    Impersonator,
    /// The organization's name; the subject is the organization's id.
    Organization,
    /// The reason that was given; the subject is the actor's member id, whose words it is.
    Reason,
    /// An indicator of an advisory, as it stood in its file; the subject is its number in the finding.
    Indicator,
}

impl PersonKind {
    fn code(self) -> &'static str {
        match self {
            PersonKind::Member => "member",
            PersonKind::App => "app",
            PersonKind::Impersonator => "impersonator",
            PersonKind::Organization => "organization",
            PersonKind::Reason => "reason",
            PersonKind::Indicator => "indicator",
        }
    }
}

impl FromStr for PersonKind {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        use PersonKind::{App, Impersonator, Indicator, Member, Organization, Reason};
        [Member, App, Impersonator, Organization, Reason, Indicator]
            .into_iter()
            .find(|kind| kind.code() == code)
            .ok_or_else(|| "not a kind of text the people table has".to_owned())
    }
}

/// One text that a sweep's rows commit to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// As it stands in the rows.
    pub commitment: Commitment,
    /// What it is.
    pub kind: PersonKind,
    /// Whose or what's it is.
    pub subject: String,
    /// The salt of the commitment.
    pub salt: [u8; 16],
    /// The plain text.
    pub text: String,
}

impl PersonRecord {
    /// Whether the text is the one that was committed to: false when somebody edited the table.
    pub fn is_true(&self) -> bool {
        Commitment::to(&self.salt, &self.text) == self.commitment
    }
}

/// Commits to a text and stores it, inside the transaction that writes the row.
pub(crate) fn commit(
    tx: &Transaction<'_>,
    sweep: SweepId,
    kind: PersonKind,
    subject: &str,
    text: &str,
) -> Result<Commitment, Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::Disk(format!("the operating system gave no random bytes: {error}")))?;
    let commitment = Commitment::to(&salt, text);
    tx.prepare_cached(
        "INSERT INTO people (commitment, sweep_id, kind, subject, salt, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![commitment.0, sweep.0.to_string(), kind.code(), subject, salt, text])?;
    Ok(commitment)
}

impl Journal {
    /// The texts that a sweep's rows commit to, as far as they were not erased.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn people(&self, sweep: SweepId) -> Result<Vec<PersonRecord>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT commitment, kind, subject, salt, text FROM people WHERE sweep_id = ?1 ORDER BY rowid",
        )?;
        let records = query.query_map([sweep.0.to_string()], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        records
            .map(|record| {
                let (commitment, kind, subject, salt, text) = record?;
                Ok(PersonRecord {
                    commitment: Commitment(commitment),
                    kind: kind.parse().map_err(Error::Corrupt)?,
                    subject,
                    salt,
                    text,
                })
            })
            .collect()
    }

    /// What the journal still knows a member by, in all sweeps and snapshots: names and addresses, each once.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn known_as(&self, member_id: &str) -> Result<BTreeSet<String>, Error> {
        let db = self.db();
        let mut known = snapshots::known_as(&db, member_id)?;
        let mut query = db.prepare_cached("SELECT text FROM people WHERE subject = ?1 AND kind = 'member'")?;
        for text in query.query_map([member_id], |row| row.get::<_, String>(0))? {
            let person: Person = serde_json::from_str(&text?).unwrap_or_default();
            known.extend([person.name, person.email].into_iter().flatten());
        }
        known.retain(|text| !text.is_empty());
        Ok(known)
    }

    /// Every reason that is kept, with its sweep.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn reasons(&self) -> Result<Vec<(SweepId, String)>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT sweep_id, text FROM people WHERE kind = 'reason' ORDER BY rowid")?;
        let reasons = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        reasons
            .map(|reason| {
                let (id, text) = reason?;
                Ok((id.parse().map_err(|_| Error::Corrupt("a reason of no sweep".to_owned()))?, text))
            })
            .collect()
    }

    /// Erases everything the journal holds of a member beside the id, in all sweeps and snapshots, and from the file itself:
    /// name, e-mail, the reasons the member gave, who impersonated the member, the address under which the member read an
    /// inventory. The chains still verify; a snapshot shows empty texts instead. Answers how many texts went.
    ///
    /// A later inventory that still has the member brings the name back. What others wrote of the member in a reason is theirs, and
    /// stays, unless its sweep is among `reasons_of`: of those the reason goes too, whoever gave it.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`. `Busy` can also mean that the texts are gone from the
    /// tables but another process kept an older copy of the page in use; calling again finishes the work.
    pub fn erase_person(&self, member_id: &str, reasons_of: &[SweepId]) -> Result<usize, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let of_sweeps = tx.execute("DELETE FROM people WHERE subject = ?1 AND kind != 'app'", [member_id])?;
        let mut erased = of_sweeps + snapshots::erase(&tx, member_id)?;
        for sweep in reasons_of {
            let of_sweep = "DELETE FROM people WHERE sweep_id = ?1 AND kind = 'reason'";
            erased += tx.execute(of_sweep, [sweep.0.to_string()])?;
        }
        tx.commit()?;
        // `secure_delete` overwrites the page; the copy in the write-ahead log goes when the log is cut.
        let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(Error::Busy);
        }
        Ok(erased)
    }
}

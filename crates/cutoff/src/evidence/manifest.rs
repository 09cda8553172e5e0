//! The two JSON files of a pack: what it holds, and the texts that can be erased from it. It reads and writes them in their one
//! form; whether they are true is [`super::verify`]'s to say.

use journal::{Commitment, Hash, PersonKind, PersonRecord, SweepId, Tool, check_strict};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What stands under `format` in the manifest.
pub const FORMAT: &str = "cutoff-evidence";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
const PEOPLE_FORMAT: &str = "cutoff-people";

/// The manifest; its SHA-256 is the head of the pack.
pub const MANIFEST: &str = "manifest.json";
/// The rows, as they were hashed, one a line.
pub const ROWS: &str = "rows.jsonl";
/// Names, addresses and the reason: outside the manifest, so that any of them can be erased.
pub const PEOPLE: &str = "people.json";
/// The grants as a table, derived.
pub const GRANTS: &str = "grants.csv";
/// A letter to the vendor, derived.
pub const LETTER: &str = "letter.txt";
/// The report, derived.
pub const REPORT: &str = "report.html";
/// Every file that a pack may have, in the order in which it has them.
pub const FILES: [&str; 6] = [MANIFEST, ROWS, PEOPLE, GRANTS, LETTER, REPORT];

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub format: String,
    pub version: u32,
    /// Names that a reader must understand or refuse the file.
    pub critical: Vec<String>,
    pub hash_alg: String,
    /// The program that made the pack; the one that wrote the rows stands in their opening.
    pub tool: Tool,
    pub journal_id: Uuid,
    pub sweep_id: SweepId,
    /// The hash of the last row.
    pub chain_head: Hash,
    /// How many rows.
    pub rows: u64,
    /// Every other file but the people, in the order in which they lie in the pack.
    pub files: Vec<Listed>,
}

/// One file of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub name: String,
    pub size: u64,
    pub sha256: Hash,
}

impl Listed {
    pub(crate) fn of(name: &str, data: &[u8]) -> Self {
        Self { name: name.to_owned(), size: data.len() as u64, sha256: Hash::of(data) }
    }
}

/// The texts that the rows commit to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    pub format: String,
    pub version: u32,
    /// Sorted by commitment, each once.
    pub people: Vec<PersonEntry>,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonEntry {
    pub commitment: Commitment,
    pub kind: PersonKind,
    pub subject: String,
    /// 32 lower-case hexadecimal digits.
    pub salt: String,
    pub text: String,
}

impl PersonEntry {
    pub(crate) fn new(record: PersonRecord) -> Self {
        Self {
            commitment: record.commitment,
            kind: record.kind,
            subject: record.subject,
            salt: crate::plan::hex(&record.salt),
            text: record.text,
        }
    }

    /// Whether the text is the one that was committed to.
    pub(crate) fn is_true(&self) -> bool {
        self.salt().is_some_and(|salt| Commitment::to(&salt, &self.text) == self.commitment)
    }

    fn salt(&self) -> Option<[u8; 16]> {
        let digits = self.salt.as_bytes();
        if digits.len() != 32 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut salt = [0; 16];
        for (byte, pair) in salt.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(salt)
    }
}

impl People {
    pub(crate) fn new(mut people: Vec<PersonEntry>) -> Self {
        people.sort_by_key(|entry| entry.commitment);
        Self { format: PEOPLE_FORMAT.to_owned(), version: VERSION, people }
    }

    /// Whether it is what it says: the format, the order, each commitment once.
    pub(crate) fn is_ordered(&self) -> bool {
        self.format == PEOPLE_FORMAT
            && self.version == VERSION
            && self.people.windows(2).all(|pair| pair[0].commitment < pair[1].commitment)
    }
}

/// The one form: compact JSON, keys in the order of the fields.
pub(crate) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    // A struct of texts and numbers always has a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}

/// Reads one of the two, in its one form only.
pub(crate) fn from_bytes<T: Serialize + for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    check_strict(bytes).ok()?;
    let value: T = serde_json::from_slice(bytes).ok()?;
    (to_bytes(&value) == bytes).then_some(value)
}

/// Whether a manifest, of whatever version, asks for a reader that understands more than this one.
pub(crate) fn is_newer(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        format: String,
        version: u32,
        critical: Vec<String>,
    }
    if check_strict(bytes).is_err() {
        return false;
    }
    let head: Result<Head, _> = serde_json::from_slice(bytes);
    head.is_ok_and(|head| head.format == FORMAT && (head.version > VERSION || !head.critical.is_empty()))
}

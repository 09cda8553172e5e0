//! The hash chain: how a line is hashed, where a chain starts, and how a chain is walked again from nothing but its lines.
//! It knows no database, so that an evidence pack can be checked with the same code.
//!
//! `hash(row) = SHA-256("cutoff-row-v1\0" ‖ previous hash ‖ length of the line, u64 big-endian ‖ the line's bytes)`, without a
//! newline. The previous hash of a sweep's first row is
//! `SHA-256("cutoff-chain-v1\0" ‖ journal id, 16 bytes ‖ sweep id, 16 bytes)`: both ids stand in that first row, so anybody who
//! holds the lines can compute it, and no two sweeps start from the same hash, so "a previous hash occurs once" is true of the
//! whole journal and not only of one sweep.
//!
//! A chain proves that its rows are in the order and state they were in when its head was noted. It proves neither who wrote
//! them nor that they are true, and without a head noted elsewhere not even that: a chain can be recomputed after an edit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::row::{Answer, Body, FORMAT, FORMAT_VERSION, HASH_ALG, Intent, Row, SweepId};
use crate::strict;

const ROW_TAG: &[u8] = b"cutoff-row-v1\0";
const CHAIN_TAG: &[u8] = b"cutoff-chain-v1\0";

/// A SHA-256 value, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// SHA-256 of the bytes, nothing added: for the fingerprint of a public token or the hash of a plan.
    pub fn of(bytes: &[u8]) -> Self {
        Hash(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every row has several: the formatter is too slow for a digit at a time.
        let mut digits = [0; 64];
        for (byte, pair) in self.0.iter().zip(digits.chunks_exact_mut(2)) {
            pair.copy_from_slice(&[
                b"0123456789abcdef"[usize::from(byte >> 4)],
                b"0123456789abcdef"[usize::from(byte & 15)],
            ]);
        }
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.as_bytes();
        // Lower case only: one hash has one spelling, else two files that say the same could differ.
        if digits.len() != 64 || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("a hash is 64 lower-case hexadecimal digits".into());
        }
        let nibble = |d: u8| if d <= b'9' { d - b'0' } else { d - b'a' + 10 };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        Ok(Hash(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl rusqlite::ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.0.as_slice().into())
    }
}

impl rusqlite::types::FromSql for Hash {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Hash)
    }
}

/// The hash that stands before the first row of a sweep.
pub fn start(journal_id: Uuid, sweep_id: SweepId) -> Hash {
    let mut sha = Sha256::new();
    sha.update(CHAIN_TAG);
    sha.update(journal_id.as_bytes());
    sha.update(sweep_id.0.as_bytes());
    Hash(sha.finalize().into())
}

/// The hash of one line, given the hash before it.
pub fn link(previous: Hash, line: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(ROW_TAG);
    sha.update(previous.0);
    sha.update((line.len() as u64).to_be_bytes());
    sha.update(line);
    Hash(sha.finalize().into())
}

/// Where a chain is broken first, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The sequence number of the first row that is not as it was written (a missing row counts by the number it would have).
    pub seq: u64,
    /// What is wrong with it, in English, for a log or a support engineer. It quotes nothing of the row.
    pub why: String,
}

/// One sweep's rows, walked from first to last and found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// How many rows.
    pub rows: u64,
    /// The hash of the last row.
    pub head: Hash,
    /// Whether the sweep has a closing row; without one it is unfinished.
    pub closed: bool,
}

/// Holds the state of a walk along a chain. Feed it lines in order; it says the hash of each, or what is wrong.
///
/// It enforces everything version 1 promises: the strict form of a line, consecutive `seq` from 0, one opening row at the front,
/// then exactly the planned number of grants numbered from 1, then observations; after a closing row no `intent` and no `answer`:
/// reads, notes, a change of the policy and further `closing` rows may stand there. Rows of a kind that this version does not know are hashed and passed over, since a later version may
/// add kinds that a reader need not understand (those it must understand it names in the opening's `critical`).
#[derive(Debug, Clone)]
pub struct Links {
    seq: u64,
    head: Option<Hash>,
    planned: u64,
    grants: u64,
    closed: bool,
}

impl Default for Links {
    fn default() -> Self {
        Self::new()
    }
}

impl Links {
    /// At the front of a chain, before its opening row.
    pub fn new() -> Self {
        Links { seq: 0, head: None, planned: 0, grants: 0, closed: false }
    }

    /// Takes the next line of the chain and answers the row, its previous hash and its hash.
    ///
    /// # Errors
    /// The break, when the line cannot be the next row of a version 1 chain. The walk must not go on after one.
    pub fn next(&mut self, line: &[u8]) -> Result<(Row, Hash, Hash), Break> {
        let seq = self.seq;
        let broken = |why: String| Break { seq, why };
        let row = parse(line).map_err(broken)?;
        let in_form = serde_json::from_slice(line)
            .and_then(|line: Value| Ok(is_in_form(&line, &serde_json::to_value(&row)?)))
            .unwrap_or(false);
        if !in_form {
            return Err(broken("a value is not in its one form".into()));
        }
        self.fits(&row).map_err(broken)?;
        let previous = match (&self.head, &row.body) {
            (Some(head), _) => *head,
            (None, Body::Opening(opening)) => start(opening.journal_id, opening.sweep_id),
            (None, _) => unreachable!("`fits` lets nothing but an opening row begin a chain"),
        };
        let hash = link(previous, line);
        self.take(&row, hash);
        Ok((row, previous, hash))
    }

    /// Whether this row may stand next; on `Err`, why not.
    fn fits(&self, row: &Row) -> Result<(), String> {
        if row.seq != self.seq {
            return Err(format!("the row says it is number {}", row.seq));
        }
        match (&row.body, self.seq) {
            (Body::Opening(opening), 0) => return opens(opening),
            (Body::Opening(_), _) => return Err("a second opening row".into()),
            (_, 0) => return Err("the first row is not an opening row".into()),
            _ => {}
        }
        if let Body::Grant(grant) = &row.body {
            if self.seq != self.grants + 1 || self.grants >= self.planned {
                return Err("a grant row after the planned grants".into());
            }
            if u64::from(grant.n) != self.grants + 1 {
                return Err(format!("grant {} where {} was due", grant.n, self.grants + 1));
            }
            return Ok(());
        }
        if self.grants < self.planned {
            return Err(format!("{} grants are planned and {} are listed", self.planned, self.grants));
        }
        match &row.body {
            Body::Closing(closing) if closing.rows != self.seq => {
                Err(format!("the closing row counts {} rows before it", closing.rows))
            }
            Body::Intent(Intent { n, .. }) | Body::Answer(Answer { n, .. })
                if u64::from(*n) == 0 || u64::from(*n) > self.planned =>
            {
                Err(format!("grant {n} is not in the plan"))
            }
            Body::Intent(_) | Body::Answer(_) if self.closed => Err("a request after the sweep was closed".into()),
            _ => Ok(()),
        }
    }

    fn take(&mut self, row: &Row, hash: Hash) {
        match &row.body {
            Body::Opening(opening) => self.planned = opening.plan.count,
            Body::Grant(_) => self.grants += 1,
            Body::Closing(_) => self.closed = true,
            _ => {}
        }
        self.seq += 1;
        self.head = Some(hash);
    }

    /// What was walked so far.
    ///
    /// # Errors
    /// A break at the next row, when the chain may not end here: it has no opening row, or fewer grants than it says.
    pub fn end(&self) -> Result<Walked, Break> {
        let broken = |why: &str| Break { seq: self.seq, why: why.into() };
        let head = self.head.ok_or_else(|| broken("the chain has no rows"))?;
        if self.grants < self.planned {
            return Err(broken("the chain ends before all planned grants are listed"));
        }
        Ok(Walked { rows: self.seq, head, closed: self.closed })
    }
}

/// Whether this version can read what the opening row announces.
fn opens(opening: &crate::row::Opening) -> Result<(), String> {
    if opening.format != FORMAT || opening.version != FORMAT_VERSION {
        return Err("the chain is of another format or version".into());
    }
    if opening.hash_alg != HASH_ALG {
        return Err("the chain is hashed in another way".into());
    }
    // Version 1 knows no critical names at all, so any name is one that must be understood and is not.
    if !opening.critical.is_empty() {
        return Err("the chain needs a reader that understands more than this one".into());
    }
    Ok(())
}

/// Reads one line by the strict rules and as a row.
pub(crate) fn parse(line: &[u8]) -> Result<Row, String> {
    strict::check(line).map_err(|unfit| unfit.to_string())?;
    // serde_json's message can quote a value of the row, and a value may be anybody's name: its place is enough.
    serde_json::from_slice(line).map_err(|error| format!("not a row of version 1 (at byte {})", error.column()))
}

/// Whether what was read of a line stands there in the form it is written in: an object as an object, a word as a text. A parser may also
/// take a list for an object, by the order of its fields, and for a word an object with one key, or a number, by its place.
fn is_in_form(line: &Value, read: &Value) -> bool {
    match (line, read) {
        (Value::Object(line), Value::Object(read)) => {
            read.iter().all(|(key, read)| line.get(key).map_or(read.is_null(), |line| is_in_form(line, read)))
        }
        (Value::Array(line), Value::Array(read)) => line.iter().zip(read).all(|(line, read)| is_in_form(line, read)),
        _ => std::mem::discriminant(line) == std::mem::discriminant(read),
    }
}

/// Walks a whole chain from its lines alone, as a reader of an exported file would.
///
/// # Errors
/// The first break.
pub fn walk<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Walked, Break> {
    let mut links = Links::new();
    for line in lines {
        links.next(line)?;
    }
    links.end()
}

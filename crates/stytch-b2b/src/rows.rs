//! Lists whose rows are read one by one, so that a row nobody can read is shown as such and never sinks the others.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// The rows of a list, and a note for each that could not be read.
///
/// A list with unreadable rows is not a complete one: what they held is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    /// The rows that could be read, in the order of the answer.
    pub rows: Vec<T>,
    /// The rows that could not.
    pub unreadable: Vec<UnreadableRow>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Its place in the answer's list, from 0.
    pub index: usize,
    /// What was wrong with it, without its contents.
    pub reason: String,
}

impl<T> Rows<T> {
    /// Whether every row could be read.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        let mut list = Rows { rows: Vec::with_capacity(raw.len()), unreadable: Vec::new() };
        for (index, row) in raw.iter().enumerate() {
            match serde_json::from_str(row.get()) {
                Ok(row) => list.rows.push(row),
                Err(why) => list.unreadable.push(UnreadableRow { index, reason: reason(&why) }),
            }
        }
        Ok(list)
    }
}

/// What was wrong with a piece of JSON, without repeating any value of it.
///
/// `serde_json` quotes the offending value in its message. That value may be a secret, or a name chosen by an attacker.
pub(crate) fn reason(why: &serde_json::Error) -> String {
    let text = why.to_string();
    let at = format!("at line {} column {}", why.line(), why.column());
    match why.classify() {
        Category::Data => {
            if let Some(rest) = text.strip_prefix("missing field ") {
                format!("missing field {rest}")
            } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
                format!("expected {expected}")
            } else {
                format!("unexpected contents {at}")
            }
        }
        Category::Syntax | Category::Eof => text,
        Category::Io => format!("unreadable {at}"),
    }
}

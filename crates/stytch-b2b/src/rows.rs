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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        id: String,
    }

    #[test]
    fn an_unreadable_row_is_told_and_the_others_stay() {
        let text = r#"[{"id":"a"}, {"id":"\ud800"}, {"id":5}, {}, null, {"id":"b","new":[1.5e300]}]"#;
        let list: Rows<Row> = serde_json::from_str(text).unwrap();
        assert_eq!(list.rows, [Row { id: "a".to_owned() }, Row { id: "b".to_owned() }]);
        let told: Vec<_> = list.unreadable.iter().map(|row| (row.index, row.reason.as_str())).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(told.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(told[0].1.contains("surrogate") || told[0].1.contains("hex escape"), "{told:?}");
        assert!(told[1].1.starts_with("expected a string"), "{told:?}");
        assert!(told[2].1.starts_with("missing field `id`"), "{told:?}");
        assert!(!list.is_complete());
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_list() {
        for text in ["null", "{}", "\"\"", "[1"] {
            assert!(serde_json::from_str::<Rows<Row>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reason_never_repeats_a_value() {
        let list: Rows<u8> = serde_json::from_str(r#"["canary, expected canary", {"canary": 1}]"#).unwrap();
        for row in &list.unreadable {
            assert!(!row.reason.contains("canary"), "{}", row.reason);
        }
    }
}

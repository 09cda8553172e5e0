//! The format against its test vectors, which Python's hashlib made (`vectors/make.py`). It is the witness that the hashes are
//! what the documentation says, and not only what the code does twice alike.

use journal::{Commitment, Hash, Links, SweepId, chain};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/v1.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("the vector has no text {key}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value[key].as_array().unwrap();
    assert!(!list.is_empty(), "the vectors have no {key}");
    list
}

#[test]
fn another_language_computes_the_same_chain() {
    for vector in list(&vectors(), "chains") {
        let name = text(vector, "name");
        let start = chain::start(
            text(vector, "journal_id").parse().unwrap(),
            text(vector, "sweep_id").parse::<SweepId>().unwrap(),
        );
        assert_eq!(start.to_string(), text(vector, "start"), "{name}");
        let mut links = Links::new();
        let mut before = start;
        for row in list(vector, "rows") {
            let (_, previous, hash) =
                links.next(text(row, "line").as_bytes()).unwrap_or_else(|found| panic!("{name}: {found:?}"));
            assert_eq!(previous, before, "{name}");
            assert_eq!(hash.to_string(), text(row, "hash"), "{name}");
            before = hash;
        }
        let walked = links.end().unwrap();
        assert_eq!((walked.head, walked.rows), (before, list(vector, "rows").len() as u64), "{name}");
        assert_eq!(walked.closed, vector["closed"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn a_chain_that_breaks_a_rule_is_refused_at_the_row_that_breaks_it() {
    for vector in list(&vectors(), "refused") {
        let why = text(vector, "why");
        let lines: Vec<_> = list(vector, "lines").iter().map(|line| line.as_str().unwrap().as_bytes()).collect();
        let found = chain::walk(lines.iter().copied()).expect_err(why);
        assert_eq!(found.seq, vector["at"].as_u64().unwrap(), "{why}: {found:?}");
    }
}

#[test]
fn a_chain_without_rows_is_refused() {
    assert!(chain::walk([]).is_err());
}

#[test]
fn another_language_computes_the_same_commitments() {
    for vector in list(&vectors(), "commitments") {
        let hex = text(vector, "salt");
        let salt: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let made = Commitment::to(&salt.try_into().unwrap(), text(vector, "text"));
        assert_eq!(made.to_string(), text(vector, "commitment"));
    }
}

#[test]
fn a_hash_has_one_spelling() {
    let hash = Hash::of(b"abc");
    assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    assert!(hash.to_string().to_uppercase().parse::<Hash>().is_err());
    assert!(hash.to_string()[1..].parse::<Hash>().is_err());
}

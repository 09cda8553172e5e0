//! The strict form of a line: the subset of JSON that any reader in any language reads alike. It is not a JSON parser (it
//! yields no values); it says whether a line may be hashed, and the same check runs when a row is written and when it is read.
//!
//! One object, in UTF-8, on one line without white space between tokens; no key twice in an object (compared after escapes are
//! undone); integers only, between -(2^53 - 1) and 2^53 - 1, so that a reader with doubles reads them exactly; no lone
//! surrogates; at most 32 levels deep and [`MAX_LINE`] bytes long.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The longest line, in bytes. A `read` row lists the numbers of the grants it saw, so this allows about a million of them.
pub const MAX_LINE: usize = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a line may not be hashed. It quotes nothing of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The byte at which it was noticed.
    pub at: usize,
    /// What is wrong.
    pub why: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.why, self.at)
    }
}

/// Whether the line has the strict form.
///
/// # Errors
/// The first place where it does not.
pub fn check(line: &[u8]) -> Result<(), Unfit> {
    if line.len() > MAX_LINE {
        return Err(Unfit { at: MAX_LINE, why: "the line is too long" });
    }
    let text = std::str::from_utf8(line).map_err(|error| Unfit { at: error.valid_up_to(), why: "not UTF-8" })?;
    let mut scan = Scan { text, bytes: line, at: 0 };
    if scan.peek() != Some(b'{') {
        return Err(scan.unfit("a row is one JSON object"));
    }
    scan.value(0)?;
    if scan.at != line.len() {
        return Err(scan.unfit("something follows the object"));
    }
    Ok(())
}

/// The keys of an object so far. Every row is checked before it is written, and rows have few keys: those are compared one by one,
/// and only an object that somebody made large is looked up.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// False: it is there already.
    fn insert(&mut self, key: Cow<'a, str>) -> bool {
        const FEW: usize = 24;
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn unfit(&self, why: &'static str) -> Unfit {
        Unfit { at: self.at, why }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<(), Unfit> {
        if depth > MAX_DEPTH {
            return Err(self.unfit("nested too deep"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ => {
                for word in ["true", "false", "null"] {
                    if self.bytes[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(());
                    }
                }
                Err(self.unfit("not a JSON value, or white space between tokens"))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Unfit> {
        self.at += 1;
        let mut keys = Keys::default();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            let began = self.at;
            if !keys.insert(self.string()?) {
                return Err(Unfit { at: began, why: "a key occurs twice" });
            }
            if !self.eat(b':') {
                return Err(self.unfit("no colon after a key"));
            }
            self.value(depth + 1)?;
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unfit("an object goes on without a comma"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Unfit> {
        self.at += 1;
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.unfit("an array goes on without a comma"));
            }
        }
    }

    fn integer(&mut self) -> Result<(), Unfit> {
        let began = self.at;
        let negative = self.eat(b'-');
        let first = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(self.unfit("a number that is not an integer"));
        }
        let digits = &self.text[first..self.at];
        if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) || (negative && digits == "0") {
            return Err(Unfit { at: began, why: "a number in a form JSON does not have" });
        }
        match digits.parse::<u64>() {
            Ok(number) if number <= MAX_INTEGER => Ok(()),
            _ => Err(Unfit { at: began, why: "an integer beyond 2^53" }),
        }
    }

    /// Reads a string and answers it with its escapes undone, so that `"a"` and `"\u0061"` are one key.
    fn string(&mut self) -> Result<Cow<'a, str>, Unfit> {
        if !self.eat(b'"') {
            return Err(self.unfit("no string where one is due"));
        }
        let mut text = Cow::Borrowed("");
        loop {
            let began = self.at;
            let rest = &self.bytes[began..];
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            // A string without escapes, as nearly all are, is its own text.
            text += &self.text[began..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    let unescaped = self.escape()?;
                    text.to_mut().push(unescaped);
                }
                Some(_) => return Err(self.unfit("a raw control character in a string")),
                None => return Err(self.unfit("a string does not end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Unfit> {
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(plain @ (b'"' | b'\\' | b'/')) => plain.into(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => {
                self.at -= 1;
                return Err(self.unfit("an escape JSON does not have"));
            }
        })
    }

    fn code_point(&mut self) -> Result<char, Unfit> {
        let high = self.four_digits()?;
        let code = match high {
            0xd800..=0xdbff => {
                if !(self.eat(b'\\') && self.eat(b'u')) {
                    return Err(self.unfit("a lone surrogate"));
                }
                match self.four_digits()? {
                    low @ 0xdc00..=0xdfff => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    _ => return Err(self.unfit("a lone surrogate")),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| self.unfit("a lone surrogate"))
    }

    fn four_digits(&mut self) -> Result<u32, Unfit> {
        let digits = self.bytes.get(self.at..self.at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else {
            return Err(self.unfit("an escape JSON does not have"));
        };
        self.at += 4;
        Ok(digits.iter().fold(0, |code, digit| code << 4 | char::from(*digit).to_digit(16).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_that_readers_could_read_differently_are_refused() {
        for (line, why) in [
            (r#"{"a":1,"a":2}"#, "a key occurs twice"),
            (r#"{"a":1,"\u0061":2}"#, "a key occurs twice"),
            (r#"{"a":1.0}"#, "a number that is not an integer"),
            (r#"{"a":1e3}"#, "a number that is not an integer"),
            (r#"{"a":9007199254740992}"#, "an integer beyond 2^53"),
            (r#"{"a":-9007199254740992}"#, "an integer beyond 2^53"),
            (r#"{"a":99999999999999999999999}"#, "an integer beyond 2^53"),
            (r#"{"a":-0}"#, "a number in a form JSON does not have"),
            (r#"{"a":01}"#, "a number in a form JSON does not have"),
            (r#"{"a":"\ud800"}"#, "a lone surrogate"),
            (r#"{"a":"\udc00"}"#, "a lone surrogate"),
            (r#"{"a":"\ud800\u0041"}"#, "a lone surrogate"),
            (r#"{"a":"\x"}"#, "an escape JSON does not have"),
            (r#"{"a": 1}"#, "not a JSON value, or white space between tokens"),
            (r#"{"a":1,}"#, "no string where one is due"),
            (r#"{"a":1} "#, "something follows the object"),
            (r#"[1]"#, "a row is one JSON object"),
            ("{\"a\":\"\n\"}", "a raw control character in a string"),
            (r#"{"a":"#, "not a JSON value, or white space between tokens"),
            (r#"{"a":"x"#, "a string does not end"),
            ("", "a row is one JSON object"),
        ] {
            assert_eq!(check(line.as_bytes()).map_err(|unfit| unfit.why), Err(why), "{line}");
        }
        assert_eq!(check(b"{\"a\":\"\xff\"}").map_err(|unfit| unfit.why), Err("not UTF-8"));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert_eq!(check(deep.as_bytes()).map_err(|unfit| unfit.why), Err("nested too deep"));
    }

    #[test]
    fn a_key_that_occurs_twice_among_many_is_found_wherever_it_is() {
        let line = |keys: &[usize]| {
            let fields: Vec<String> = keys.iter().map(|key| format!("\"k{key}\":0")).collect();
            format!("{{{}}}", fields.join(","))
        };
        let keys: Vec<usize> = (0..60).collect();
        assert_eq!(check(line(&keys).as_bytes()), Ok(()));
        for again in &keys {
            let twice: Vec<usize> = keys.iter().chain([again]).copied().collect();
            let why = check(line(&twice).as_bytes()).map_err(|unfit| unfit.why);
            assert_eq!(why, Err("a key occurs twice"), "k{again}");
        }
    }

    #[test]
    fn lines_of_the_strict_form_are_taken() {
        for line in [
            r#"{}"#,
            r#"{"a":9007199254740991,"b":-9007199254740991,"c":0,"d":[],"e":{},"f":[true,false,null]}"#,
            r#"{"a":"\ud83d\ude00 😀 \u0000 \/ \" \\ \b\f\n\r\t"}"#,
            r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#,
        ] {
            assert_eq!(check(line.as_bytes()), Ok(()), "{line}");
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            (-9007199254740991i64..=9007199254740991).prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|m| m.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_writer_writes_passes_the_check(value in any_json()) {
            let line = serde_json::to_vec(&serde_json::json!({ "v": value })).unwrap();
            prop_assert_eq!(check(&line), Ok(()));
        }

        #[test]
        fn whatever_passes_the_check_a_json_parser_reads(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\u0ad19-.e tn"[..]), 0..24)) {
            if check(&bytes).is_ok() {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
            }
        }
    }
}

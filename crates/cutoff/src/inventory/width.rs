//! How wide scopes are, by plain rules that the user can read and change. It rates; it never decides.
//!
//! A rule is a label, a level and a few patterns. For one scope the first rule with a pattern that matches counts; a set of
//! scopes is as wide as the widest of them. There is no score beyond that: whoever asks why an app is wide is shown one rule
//! and one scope.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::look_alike::unseen;

/// A rating: how wide, and by which rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Width {
    /// 0: no scopes; 1: narrow; 2: wider; 3: wide.
    pub level: u8,
    /// The label of the rule that gave it; empty without scopes.
    pub rule: String,
    /// The scope that the rule matched; empty without scopes.
    pub scope: String,
}

/// The label of a rating that no rule gave.
pub const OTHER: &str = "other";

/// Longest list of rules.
pub const MOST_RULES: usize = 50;
/// Most patterns of one rule.
pub const MOST_PATTERNS: usize = 100;
/// Longest label, in characters.
pub const LONGEST_LABEL: usize = 24;
/// Longest pattern, in characters.
pub const LONGEST_PATTERN: usize = 200;

/// The rules, in the order in which they are asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The first that matches a scope counts for it.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is called wherever a rating is shown.
    pub label: String,
    /// Patterns of whole scopes: `*` is any run of characters, also none; `\*` a star; `\\` a backslash. Case is ignored.
    pub patterns: Vec<String>,
    /// 1, 2 or 3.
    pub level: u8,
}

/// Why rules cannot be used. `rule` is the index of the rule, `pattern` that of the pattern in it, so that a form can mark
/// the very field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More than [`MOST_RULES`].
    #[error("more than {MOST_RULES} rules")]
    TooManyRules,
    /// No label, or only white space.
    #[error("rule {} has no label", rule + 1)]
    EmptyLabel {
        /// Which rule.
        rule: usize,
    },
    /// A label over [`LONGEST_LABEL`] characters.
    #[error("the label of rule {} is longer than {LONGEST_LABEL} characters", rule + 1)]
    LongLabel {
        /// Which rule.
        rule: usize,
    },
    /// A label with control, bidi or invisible characters: it stands beside every rating, and must read as it is.
    #[error("the label of rule {} has characters that cannot be seen", rule + 1)]
    UnseenInLabel {
        /// Which rule.
        rule: usize,
    },
    /// A level that is not 1, 2 or 3.
    #[error("the level of rule {} is not 1, 2 or 3", rule + 1)]
    Level {
        /// Which rule.
        rule: usize,
    },
    /// A rule that can never match.
    #[error("rule {} has no patterns", rule + 1)]
    NoPatterns {
        /// Which rule.
        rule: usize,
    },
    /// More than [`MOST_PATTERNS`] in one rule.
    #[error("rule {} has more than {MOST_PATTERNS} patterns", rule + 1)]
    TooManyPatterns {
        /// Which rule.
        rule: usize,
    },
    /// A pattern without a character.
    #[error("pattern {} of rule {} is empty", pattern + 1, rule + 1)]
    EmptyPattern {
        /// Which rule.
        rule: usize,
        /// Which of its patterns.
        pattern: usize,
    },
    /// A pattern over [`LONGEST_PATTERN`] characters.
    #[error("pattern {} of rule {} is longer than {LONGEST_PATTERN} characters", pattern + 1, rule + 1)]
    LongPattern {
        /// Which rule.
        rule: usize,
        /// Which of its patterns.
        pattern: usize,
    },
    /// A backslash before anything but a star or a backslash, or at the end: what was meant cannot be known.
    #[error("pattern {} of rule {} has a backslash before neither * nor \\", pattern + 1, rule + 1)]
    Backslash {
        /// Which rule.
        rule: usize,
        /// Which of its patterns.
        pattern: usize,
    },
}

impl Rules {
    /// The rules that hold until the user changes them.
    #[must_use]
    pub fn standard() -> Self {
        let rule = |label: &str, level: u8, patterns: &[&str]| Rule {
            label: label.to_owned(),
            patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            level,
        };
        Self {
            rules: vec![
                rule("wildcard", 3, &[r"*\**"]),
                rule(
                    "admin",
                    3,
                    &[
                        "admin",
                        "administrator",
                        "full_access",
                        "manage",
                        "management",
                        "owner",
                        "all",
                        "root",
                        "superuser",
                    ],
                ),
                rule(
                    "write",
                    3,
                    &[
                        "write",
                        "readwrite",
                        "create",
                        "insert",
                        "update",
                        "delete",
                        "remove",
                        "purge",
                        "edit",
                        "modify",
                        "send",
                        "post",
                        "publish",
                        "upload",
                        "approve",
                        "revoke",
                        "impersonate",
                    ],
                ),
                rule("offline", 2, &["offline_access", "offline"]),
                // Whole scopes only: they are narrow, and something else that holds such a word need not be.
                rule("identity", 1, &[r#""openid""#, r#""profile""#, r#""email""#, r#""phone""#, r#""address""#]),
                rule("read", 1, &["read", "readonly", "view", "list", "get", "search"]),
                rule("custom", 2, &["*"]),
            ],
        }
    }

    /// Whether every rule can be used as it stands.
    ///
    /// # Errors
    /// The first fault, in the order of the rules.
    pub fn check(&self) -> Result<(), Fault> {
        if self.rules.len() > MOST_RULES {
            return Err(Fault::TooManyRules);
        }
        for (at, rule) in self.rules.iter().enumerate() {
            rule.check(at)?;
        }
        Ok(())
    }

    /// The same, ready to rate many sets. Rules that do not pass [`Rules::check`] are taken as written: a stray backslash
    /// is a backslash, an empty pattern matches the empty scope.
    #[must_use]
    pub fn compile(&self) -> Compiled {
        Compiled {
            rules: self
                .rules
                .iter()
                .map(|rule| CompiledRule {
                    label: rule.label.clone(),
                    level: rule.level,
                    patterns: rule.patterns.iter().map(|pattern| Pattern::new(pattern)).collect(),
                })
                .collect(),
        }
    }
}

impl Rule {
    fn check(&self, rule: usize) -> Result<(), Fault> {
        if self.label.trim().is_empty() {
            return Err(Fault::EmptyLabel { rule });
        }
        if self.label.chars().count() > LONGEST_LABEL {
            return Err(Fault::LongLabel { rule });
        }
        if self.label.chars().any(|c| c.is_control() || unseen(c)) {
            return Err(Fault::UnseenInLabel { rule });
        }
        if !(1..=3).contains(&self.level) {
            return Err(Fault::Level { rule });
        }
        if self.patterns.is_empty() {
            return Err(Fault::NoPatterns { rule });
        }
        if self.patterns.len() > MOST_PATTERNS {
            return Err(Fault::TooManyPatterns { rule });
        }
        for (pattern, text) in self.patterns.iter().enumerate() {
            if text.is_empty() {
                return Err(Fault::EmptyPattern { rule, pattern });
            }
            if text.chars().count() > LONGEST_PATTERN {
                return Err(Fault::LongPattern { rule, pattern });
            }
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                if c == '\\' && !matches!(chars.next(), Some('*' | '\\')) {
                    return Err(Fault::Backslash { rule, pattern });
                }
            }
        }
        Ok(())
    }
}

/// Rules made ready.
#[derive(Clone, Debug)]
pub struct Compiled {
    rules: Vec<CompiledRule>,
}

#[derive(Clone, Debug)]
struct CompiledRule {
    label: String,
    level: u8,
    patterns: Vec<Pattern>,
}

impl Compiled {
    /// How wide a set of scopes is. Of two scopes that are equally wide, the one whose rule stands earlier is named, then
    /// the one that stands first. A scope that no rule matches is of level 1, by the rule [`OTHER`].
    #[must_use]
    pub fn rate(&self, scopes: &[String]) -> Width {
        let mut widest: Option<(u8, usize, &str)> = None;
        for scope in scopes {
            let (level, rule) = self.rule_for(scope);
            // "Other" has the place after the last rule, so the comparison needs no case of its own for it.
            if widest.is_none_or(|(l, r, _)| level > l || (level == l && rule < r)) {
                widest = Some((level, rule, scope));
            }
        }
        widest.map_or_else(Width::default, |(level, rule, scope)| Width {
            level,
            rule: self.rules.get(rule).map_or(OTHER, |rule| &rule.label).to_owned(),
            scope: scope.to_owned(),
        })
    }

    fn rule_for(&self, scope: &str) -> (u8, usize) {
        let folded = fold(scope);
        self.rules
            .iter()
            .position(|rule| rule.patterns.iter().any(|pattern| pattern.matches(&folded)))
            .map_or((1, self.rules.len()), |at| (self.rules[at].level, at))
    }
}

/// A pattern made ready. Without a star it stands for whole words wherever they are, so that `read` finds `files.read` and not
/// `spreadsheets`; between quotes, for the whole scope. With stars it is cut at them: matching takes the first place for each piece in turn and never goes back: for stars alone
/// that finds a match whenever there is one, in time linear in the scope, whatever the pattern's author had in mind.
#[derive(Clone, Debug)]
enum Pattern {
    /// Between quotes.
    Whole(String),
    /// No star.
    Words(String),
    /// What it begins with, what comes between in this order, and what it ends with.
    Pieces { head: String, middle: Vec<String>, tail: String },
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        if let Some(whole) = pattern.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            return Self::Whole(fold(whole).into_owned());
        }
        let mut pieces = vec![String::new()];
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            let literal = match c {
                '*' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => chars.next_if(|next| matches!(next, '*' | '\\')).unwrap_or('\\'),
                c => c,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        let mut pieces: Vec<String> = pieces.iter().map(|piece| fold(piece).into_owned()).collect();
        let tail = pieces.pop().unwrap_or_default();
        if pieces.is_empty() {
            return Self::Words(tail);
        }
        let head = pieces.remove(0);
        pieces.retain(|piece| !piece.is_empty());
        Self::Pieces { head, middle: pieces, tail }
    }

    /// `scope` has been through [`fold`].
    fn matches(&self, scope: &str) -> bool {
        match self {
            Self::Whole(whole) => scope == whole,
            Self::Words(words) => has_words(scope, words),
            Self::Pieces { head, middle, tail } => {
                let Some(rest) = scope.strip_prefix(head.as_str()) else { return false };
                let Some(mut rest) = rest.strip_suffix(tail.as_str()) else { return false };
                for piece in middle {
                    let Some(at) = rest.find(piece.as_str()) else { return false };
                    rest = &rest[at + piece.len()..];
                }
                true
            }
        }
    }
}

/// Whether `words` stand somewhere in `scope` with nothing that belongs to a word right before or after them.
fn has_words(scope: &str, words: &str) -> bool {
    let mut from = 0;
    while let Some(at) = scope[from..].find(words).map(|at| at + from) {
        let (before, after) = (&scope[..at], &scope[at + words.len()..]);
        let apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        if apart(before.chars().next_back()) && apart(after.chars().next()) {
            return true;
        }
        let Some(next) = scope[at..].chars().next() else { return false };
        from = at + next.len_utf8();
    }
    false
}

/// Case taken away, character by character, so that pieces of a pattern fold as they do within a scope. Upper case first:
/// that brings the two Greek small sigmas and the long s together, as case folding should.
fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn rated(scopes: &str) -> (u8, String, String) {
        let scopes: Vec<String> = scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let width = Rules::standard().compile().rate(&scopes);
        (width.level, width.rule, width.scope)
    }

    fn is(level: u8, rule: &str, scope: &str) -> (u8, String, String) {
        (level, rule.to_owned(), scope.to_owned())
    }

    #[test]
    fn everyday_scopes_come_out_as_a_person_would_say() {
        assert_eq!(rated(""), is(0, "", ""));
        assert_eq!(rated("openid profile email"), is(1, "identity", "openid"));
        assert_eq!(rated("openid reports.read"), is(1, "identity", "openid"), "of two narrow ones the earlier rule");
        assert_eq!(rated("reports.read"), is(1, "read", "reports.read"));
        assert_eq!(rated("openid profile email offline_access contacts.read"), is(2, "offline", "offline_access"));
        assert_eq!(rated("openid offline_access contacts.read contacts.write"), is(3, "write", "contacts.write"));
        assert_eq!(
            rated("openid contacts.write admin.users"),
            is(3, "admin", "admin.users"),
            "of two wide ones the earlier rule, although its scope stands later"
        );
        assert_eq!(rated("openid full_access offline_access"), is(3, "admin", "full_access"));
        assert_eq!(rated("openid profile <b>email</b>"), is(2, "custom", "<b>email</b>"));
        assert_eq!(rated("billing"), is(2, "custom", "billing"));
        assert_eq!(rated("contacts.*"), is(3, "wildcard", "contacts.*"));
        assert_eq!(rated("*"), is(3, "wildcard", "*"));
        assert_eq!(rated("Contacts.WRITE"), is(3, "write", "Contacts.WRITE"));
        assert_eq!(rated("a.write b.write"), is(3, "write", "a.write"), "of two by one rule the first");
        assert_eq!(rated("repo:all"), is(3, "admin", "repo:all"));
        for scope in ["spreadsheets", "threads.copy", "budget.sum", "review.keep", "playlist.keep", "credits.sum"] {
            assert_eq!(rated(scope), is(2, "custom", scope), "a word inside another says nothing");
        }
        assert_eq!(rated("credit.read"), is(1, "read", "credit.read"));
        assert_eq!(rated("budget.approve"), is(3, "write", "budget.approve"));
        assert_eq!(
            rated("https://api.test/auth/files.readonly"),
            is(1, "read", "https://api.test/auth/files.readonly")
        );
        assert_eq!(rated("email.forward"), is(2, "custom", "email.forward"), "narrow only as a whole");
    }

    #[test]
    fn the_standard_rules_pass_their_own_check_and_survive_being_stored() {
        let rules = Rules::standard();
        assert_eq!(rules.check(), Ok(()));
        let stored = serde_json::to_string(&rules).expect("rules are plain data");
        assert_eq!(serde_json::from_str::<Rules>(&stored).expect("what was stored reads back"), rules);
    }

    #[test]
    fn a_scope_that_no_rule_names_is_narrow_and_says_so() {
        let rules =
            Rules { rules: vec![Rule { label: "mine".into(), patterns: vec!["x".into()], level: 1 }] }.compile();
        let other = rules.rate(&["y".into()]);
        assert_eq!((other.level, other.rule.as_str(), other.scope.as_str()), (1, OTHER, "y"));
        assert_eq!(rules.rate(&["y".into(), "x".into()]).rule, "mine", "a rule of the user's goes before none");
    }

    #[test]
    fn stars_and_backslashes_can_be_meant_literally() {
        let matches = |pattern: &str, scope: &str| Pattern::new(pattern).matches(&fold(scope));
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(matches(r"a\\*", r"a\x") && !matches(r"a\\*", "ax"));
        assert!(matches("a.a", "ba.a.a") && !matches("a.a", "ba.a"), "the second place counts too");
        assert!(matches(r#""a.b""#, "A.b") && !matches(r#""a.b""#, "a.b.c"), "between quotes the whole scope");
        assert!(matches("*", "") && matches("**", "") && !matches("*a*", ""));
        assert!(!matches("ab*ba", "aba"), "head and tail do not share characters");
        assert!(matches("ab*ba", "abba"));
        assert!(matches("*ΣΊΣΥΦΟΣ", "ο.σίσυφος"), "also a final sigma");
        assert!(matches("ÉCRIRE.*", "écrire.tout"));
    }

    #[test]
    fn every_fault_names_its_rule() {
        let good = || Rule { label: "fine".into(), patterns: vec!["*x*".into()], level: 2 };
        let check = |rule: Rule| Rules { rules: vec![good(), rule] }.check();
        assert_eq!(check(good()), Ok(()));
        let label = |text: &str| Rule { label: text.into(), ..good() };
        assert_eq!(check(label(" \u{3000}")), Err(Fault::EmptyLabel { rule: 1 }));
        assert_eq!(check(label(&"é".repeat(24))), Ok(()), "characters are counted, not bytes");
        assert_eq!(check(label(&"é".repeat(25))), Err(Fault::LongLabel { rule: 1 }));
        for hidden in ["a\u{202E}b", "a\u{200B}", "a\nb", "a\u{2066}b", "\u{E0041}a", "a\u{AD}b"] {
            assert_eq!(check(label(hidden)), Err(Fault::UnseenInLabel { rule: 1 }), "{hidden:?}");
        }
        for level in [0, 4, 255] {
            assert_eq!(check(Rule { level, ..good() }), Err(Fault::Level { rule: 1 }));
        }
        let patterns = |patterns: Vec<String>| Rule { patterns, ..good() };
        assert_eq!(check(patterns(vec![])), Err(Fault::NoPatterns { rule: 1 }));
        assert_eq!(check(patterns(vec!["a".into(); 100])), Ok(()));
        assert_eq!(check(patterns(vec!["a".into(); 101])), Err(Fault::TooManyPatterns { rule: 1 }));
        let second = |text: String| check(patterns(vec!["a".into(), text]));
        assert_eq!(second(String::new()), Err(Fault::EmptyPattern { rule: 1, pattern: 1 }));
        assert_eq!(second("ü".repeat(200)), Ok(()));
        assert_eq!(second("ü".repeat(201)), Err(Fault::LongPattern { rule: 1, pattern: 1 }));
        assert_eq!(second(r"a\".into()), Err(Fault::Backslash { rule: 1, pattern: 1 }));
        assert_eq!(second(r"a\b".into()), Err(Fault::Backslash { rule: 1, pattern: 1 }));
        assert_eq!(second(r"a\\".into()), Ok(()));
        assert_eq!(Rules { rules: vec![good(); 50] }.check(), Ok(()));
        assert_eq!(Rules { rules: vec![good(); 51] }.check(), Err(Fault::TooManyRules));
        assert_eq!(Rules { rules: vec![] }.check(), Ok(()), "no rules at all is a choice: everything is other");
    }

    #[test]
    fn a_hostile_pattern_and_a_huge_scope_do_not_stop_the_clock() {
        let scope = "a".repeat(16 * 1024);
        let rules = Rules {
            rules: vec![Rule {
                label: "hostile".into(),
                patterns: (0..100).map(|n| format!("{}b{n}", "a*".repeat(98))).collect(),
                level: 3,
            }],
        };
        assert_eq!(rules.check(), Ok(()));
        let rules = rules.compile();
        let began = Instant::now();
        assert_eq!(rules.rate(std::slice::from_ref(&scope)).rule, OTHER);
        let whole = format!("{scope}b7");
        assert_eq!(rules.rate(std::slice::from_ref(&whole)).rule, "hostile");
        assert!(began.elapsed() < Duration::from_secs(2), "took {:?}", began.elapsed());
    }
}

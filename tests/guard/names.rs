//! How things are named, what every source opens with, and what no source that ships may say.

use crate::source;

/// Type names that say nothing of what the thing is.
fn empty_names(code: &str) -> Vec<String> {
    let all: Vec<(usize, &str)> = source::words(code).collect();
    all.windows(2)
        .filter(|pair| ["struct", "enum", "trait", "type", "class", "union"].contains(&pair[0].1))
        .filter(|pair| {
            ["Manager", "Service", "Helper", "Helpers", "Util", "Utils"].iter().any(|end| pair[1].1.ends_with(end))
        })
        .map(|pair| format!("line {}: {}", source::line(code, pair[1].0), pair[1].1))
        .collect()
}

fn empty_file_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    // `service` is left out: the Secret Service is somebody's name.
    ["manager", "helper", "helpers", "util", "utils", "misc"]
        .iter()
        .any(|end| stem == *end || stem.ends_with(&format!("_{end}")))
}

#[test]
fn no_type_and_no_file_is_called_manager_service_helper_or_util() {
    let mut wrong = Vec::new();
    for (path, text) in source::files("", &[".rs", ".js"]) {
        let code = if path.ends_with(".rs") { source::rust_code(&text) } else { source::js_code(&text) };
        wrong.extend(empty_names(&code).into_iter().map(|found| format!("{path}, {found}")));
        if empty_file_name(&path) {
            wrong.push(path);
        }
    }
    source::none("names that say nothing", &wrong);
    assert_eq!(empty_names("struct SessionManager; enum Ok {} class HttpUtils {}").len(), 2);
    assert!(empty_file_name("a/string_utils.rs") && empty_file_name("a/helper.js") && !empty_file_name("a/utilize.rs"));
}

fn opens_with_a_sentence(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.trim_start().strip_prefix("//!").is_some_and(|sentence| sentence.trim().len() >= 10)
}

#[test]
fn every_source_opens_with_what_it_is() {
    let silent: Vec<String> = source::files("", &[".rs"])
        .into_iter()
        .filter(|(_, text)| !opens_with_a_sentence(text))
        .map(|(path, _)| path)
        .collect();
    source::none("sources that do not open with `//!` and a sentence", &silent);
    assert!(
        !opens_with_a_sentence("use std::fmt;\n//! late")
            && !opens_with_a_sentence("//! x\n")
            && opens_with_a_sentence("//! What it is.\n")
    );
}

/// Every place that ends the program instead of telling, with how many of them are known to be unreachable and why.
const KNOWN: &[(&str, usize, &str)] = &[
    ("crates/journal/src/chain.rs", 1, "an order that was checked a line before"),
    ("crates/stytch-b2b/src/base.rs", 1, "a constant that is a URL"),
    (
        "crates/stytch-b2b/src/client.rs",
        3,
        "base64 is a header's text; a path's names are those of the table, walked by a test",
    ),
    ("crates/stytch-b2b/src/endpoints.rs", 1, "a name of the table, walked by a test"),
    ("src-tauri/src/map.rs", 1, "a single revoke plans one grant"),
];

fn endings(code: &str) -> usize {
    [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!(", ".unwrap_unchecked("]
        .iter()
        .map(|ending| code.matches(ending).count())
        .sum()
}

#[test]
fn what_ships_tells_of_its_troubles_instead_of_ending() {
    let mut wrong = Vec::new();
    for (path, code) in source::shipped() {
        let (found, known) =
            (endings(&code), KNOWN.iter().find(|(known, ..)| *known == path).map_or(0, |known| known.1));
        if found > known {
            wrong.push(format!("{path}: {found} places that end the program, {known} of them accounted for"));
        } else if found < known {
            wrong.push(format!("{path}: {known} accounted for, {found} found: take the rest off the list"));
        }
    }
    source::none("unwrap, expect and panic where it ships", &wrong);
    let code = source::without_tests(&source::rust_code(
        "fn a() { b.unwrap(); c.expect(\"d\"); }\n#[cfg(test)]\nmod tests { fn t() { e.unwrap() } }",
    ));
    assert_eq!(endings(&code), 2);
}

/// What no file of ours may say: places of one machine, and marks of things left undone. Put together here, so that this
/// file does not say them either.
fn forbidden() -> Vec<(String, &'static str)> {
    let word = |parts: &[&str]| parts.concat();
    vec![
        (word(&["/wo", "rk/"]), "a path of one machine"),
        (word(&["/tmp/", "spec"]), "a path of one machine"),
        (word(&["/tmp/", "target"]), "a path of one machine"),
        (word(&["/ro", "ot/"]), "a path of one machine"),
        (word(&["/ho", "me/"]), "a path of one machine"),
        (word(&["sha", "red/design"]), "a path beside the repository"),
        (word(&["sha", "red/contract"]), "a path beside the repository"),
        (word(&["registry.", "npmjs.org"]), "a registry's host"),
        (word(&["index.", "crates.io"]), "a registry's host"),
        (word(&["static.", "crates.io"]), "a registry's host"),
        (word(&["artifact", "ory"]), "a registry's host"),
        (word(&["FIX", "ME"]), "something left undone"),
        (word(&["TO", "DO"]), "something left undone"),
        (word(&["XX", "X:"]), "something left undone"),
        (word(&["dbg", "!("]), "something left over"),
    ]
}

fn said(text: &str) -> Vec<String> {
    forbidden()
        .into_iter()
        .flat_map(|(word, why)| {
            text.match_indices(word.as_str())
                .map(|(at, _)| format!("line {}: {word} ({why})", source::line(text, at)))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn no_file_speaks_of_one_machine_or_of_things_left_undone() {
    let text = [
        ".rs",
        ".js",
        ".ts",
        ".css",
        ".html",
        ".json",
        ".toml",
        ".yml",
        ".yaml",
        ".md",
        ".py",
        ".sh",
        ".xml",
        ".lock",
        ".npmrc",
        ".ci/run",
        ".gitignore",
    ];
    let mut wrong = Vec::new();
    for (path, text) in source::files("", &text) {
        wrong.extend(said(&text).into_iter().map(|found| format!("{path}, {found}")));
    }
    source::none("words that do not belong here", &wrong);
    let bad: String = forbidden().into_iter().map(|(word, _)| word + "\n").collect();
    assert_eq!(said(&bad).len(), forbidden().len());
}

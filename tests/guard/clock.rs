//! `now` is an argument wherever a decision depends on it. Where the machine's clock is read, it is read for a reason.

use crate::source;

/// Files that may read a clock, and why. Any other file gets the time as an argument.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/cutoff/src/clock.rs", "the clock itself"),
    (
        "crates/cutoff/src/desk.rs",
        "the edge: hands the time in to what decides, and writes down when something was noticed",
    ),
    ("crates/cutoff/src/revoke.rs", "the edge: hands the time in to the policy's freshness"),
    ("crates/cutoff/src/directory.rs", "writes down when a list was asked for; decides nothing by it"),
    ("crates/cutoff/src/session.rs", "writes down when the policy was read; its age is judged with a time handed in"),
    ("crates/cutoff/src/inventory/borne_out.rs", "writes down when each own view was asked for; decides nothing by it"),
    (
        "crates/cutoff/src/inventory/reading.rs",
        "writes down when each call was made, and waits as long as the server asks; how long that is, is decided with a time handed in",
    ),
    (
        "crates/cutoff/src/inventory/shown.rs",
        "writes down when a reading began, and how old what was last drawn of it is",
    ),
    ("src-tauri/src/commands/inventory.rs", "how long ago the page was last told how far a reading is"),
    ("crates/stytch-b2b/src/client.rs", "how long a call took, for the log"),
    ("crates/journal/src/open.rs", "how long to wait for a busy file"),
    ("crates/vault/src/vault.rs", "how long to wait for a keyring"),
    ("src-tauri/src/desktop/closing.rs", "how long ago somebody last asked to close the window"),
    ("src-tauri/src/desktop/mod.rs", "the edge: the tick that hands the time in"),
    ("src-tauri/src/map.rs", "turns the server's `Retry-After` into a moment to show"),
];

/// A server of its own: its clock is that of the world it stands in for.
const A_WORLD_OF_ITS_OWN: &str = "crates/sandbox/";

const CLOCKS: &[&str] = &["Timestamp::now", "SystemTime::now", "Instant::now", "Zoned::now", "Utc::now", "Local::now"];

fn readings(code: &str) -> Vec<String> {
    CLOCKS
        .iter()
        .flat_map(|clock| code.match_indices(clock).map(move |(at, _)| (at, *clock)))
        .map(|(at, clock)| format!("line {}: {clock}", source::line(code, at)))
        .collect()
}

#[test]
fn the_clock_is_read_at_the_edges_only() {
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    for (path, code) in source::shipped() {
        let read = readings(&code);
        if read.is_empty() || path.starts_with(A_WORLD_OF_ITS_OWN) {
            continue;
        }
        if ALLOWED.iter().any(|(allowed, _)| *allowed == path) {
            seen.push(path);
        } else {
            wrong.extend(read.into_iter().map(|found| format!("{path}, {found}")));
        }
    }
    source::none("hidden clocks", &wrong);
    let stale: Vec<String> = ALLOWED
        .iter()
        .filter(|(path, _)| !seen.iter().any(|seen| seen == path))
        .map(|(path, why)| format!("{path} ({why})"))
        .collect();
    source::none("files that are allowed a clock and read none: take them off the list", &stale);
}

#[test]
fn what_decides_is_given_the_time() {
    for path in ["sweep/next.rs", "sweep/verdict.rs", "permission.rs", "plan.rs", "report.rs"] {
        let text = source::file(&format!("crates/cutoff/src/{path}"));
        source::none(path, &readings(&source::without_tests(&source::rust_code(&text))));
    }
    let bad = source::rust_code(
        "fn due() -> bool { jiff::Timestamp::now() > at } // Instant::now()\nlet s = \"SystemTime::now\";",
    );
    assert_eq!(readings(&bad), ["line 1: Timestamp::now"]);
}

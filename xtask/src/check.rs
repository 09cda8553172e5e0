//! `cargo xtask check`: what can be judged without running the app. All of it runs, so that one round shows everything.

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, succeeds};
use crate::{contract, test};

/// Format, lints, page types, generated files.
pub fn run() -> Done {
    provide(&[Purpose::Build, Purpose::Node])?;
    let mut wrong = Vec::new();
    if !succeeds(&mut cargo(["fmt", "--all", "--check"]))? {
        wrong.push("format (cargo fmt --all)".to_owned());
    }
    if !succeeds(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))? {
        wrong.push("lints".to_owned());
    }
    for (name, result) in [("contract", contract::run(true)), ("page types", test::page_types())] {
        if let Err(stop) = result {
            wrong.push(format!("{name}: {stop}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Stop::new(format!("not in order: {}", wrong.join(" · ")))) }
}

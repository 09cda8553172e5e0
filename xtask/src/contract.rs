//! `cargo xtask contract`: ui/contract.d.ts, written from the Rust types of crates/contract and from nothing else.

use crate::run::{Done, Stop, cargo, doing, output, say};
use crate::tree;

/// Writes the file, or with `check` only says whether it is what would be written.
pub fn run(check: bool) -> Done {
    let wanted = output(&mut cargo(["run", "--quiet", "--package", "contract", "--example", "dts"]))?;
    let path = tree::root().join("ui/contract.d.ts");
    let present = std::fs::read_to_string(&path).unwrap_or_default();
    match first_difference(&present, &wanted) {
        None => say("ui/contract.d.ts is up to date"),
        Some(difference) if check => {
            return Err(Stop::new(format!(
                "ui/contract.d.ts is out of date ({difference}); run `cargo xtask contract` and commit it"
            )));
        }
        Some(_) => {
            doing(std::fs::write(&path, wanted), "writing ui/contract.d.ts")?;
            say("ui/contract.d.ts written anew");
        }
    }
    Ok(())
}

/// Where two texts part, in words; line endings do not count, since git may translate them.
fn first_difference(present: &str, wanted: &str) -> Option<String> {
    let (mut here, mut there) = (present.lines(), wanted.lines());
    for number in 1.. {
        match (here.next(), there.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                return Some(format!(
                    "line {number}: has `{}`, should have `{}`",
                    a.unwrap_or("(end)"),
                    b.unwrap_or("(end)")
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn a_stale_contract_is_seen_and_its_line_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\r\nb\r\n", "a\nb\n"), None);
        assert!(first_difference("a\nb\n", "a\nc\n").is_some_and(|words| words.contains("line 2")));
        assert!(first_difference("", "a\n").is_some(), "a file that is not there is out of date");
        assert!(first_difference("a\nb\n", "a\n").is_some(), "a type that went away makes the file stale");
    }
}

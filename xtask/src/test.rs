//! `cargo xtask test`: installs what the tests need, builds, runs them all, and names what it had to skip. Holds no test itself but
//! those of its own words.

use std::path::Path;
use std::time::Instant;

use crate::packages::{Purpose, lacking, provide};
use crate::run::{Done, Stop, cargo, doing, each_line, run as run_command, succeeds};
use crate::{demo, node, soak, tree};

/// The filter that stands for the checks of ui/.
const PAGE: &str = "page";
/// The filter that stands for the soak.
const SOAK: &str = "soak";

/// Runs everything, or what the filter names. Stops with a summary if anything failed, or if the filter names nothing.
pub fn run(filter: Option<&str>) -> Done {
    let begun = Instant::now();
    let mut tally = Tally::default();
    provide(&[Purpose::Build, Purpose::Window, Purpose::Node, Purpose::Browser])?;

    let without_node = lacking(Purpose::Node);
    if without_node.is_empty() {
        // Before the Rust tests: those that look at the page in the real window load axe-core from here.
        node::install(&page_folder())?;
    }
    if filter != Some(PAGE) {
        demo::build_programs()?;
        rust_tests(filter, &mut tally)?;
    }
    if filter.is_none_or(|filter| filter == SOAK) {
        let (runs, seed) = soak::OF_A_TEST;
        tally.record(&format!("soak, {runs} runs from seed {seed}"), soak::well(runs, seed)?);
    }
    if filter.is_none_or(|filter| filter == PAGE) {
        if without_node.is_empty() {
            tally.record("page types", page_types().is_ok());
            page_states(&mut tally, filter == Some(PAGE))?;
        } else {
            tally.skipped.push(format!("page types, page states: without {}", without_node.join(" and ")));
        }
    }
    let seconds = begun.elapsed().as_secs();
    tally.tell(&format!("{} min {:02} s", seconds / 60, seconds % 60))
}

/// Checks ui/ as JavaScript with types, against contract.d.ts. Stops if the checker finds anything.
pub fn page_types() -> Done {
    let folder = page_folder();
    node::install(&folder)?;
    run_command(
        node::node(&folder.join("node_modules/typescript/bin/tsc")).arg("--project").arg(folder.join("tsconfig.json")),
    )
}

/// Shows every state of the page outside the app and looks at it: accessibility, and what else the gallery checks.
fn page_states(tally: &mut Tally, pictures: bool) -> Done {
    let gallery = page_folder().join("gallery/run.js");
    let without = lacking(Purpose::Browser);
    if !without.is_empty() {
        tally.skipped.push(format!("page states: without {}", without.join(" and ")));
    } else if !gallery.is_file() {
        tally.skipped.push("page states: there is no gallery to look at".to_owned());
    } else {
        // Pictures are for people to look at; `cargo xtask test page` makes them.
        let mut run = node::node(&gallery);
        if !pictures {
            run.arg("--no-pictures");
        }
        tally.record("page states", succeeds(&mut run)?);
    }
    Ok(())
}

/// Where the page's checks have their Node packages. Not ui/ itself: that is built into the app whole.
fn page_folder() -> std::path::PathBuf {
    tree::root().join("tests/ui")
}

fn rust_tests(filter: Option<&str>, tally: &mut Tally) -> Done {
    let notes = tree::target()?.join("xtask/skipped.txt");
    doing(
        std::fs::create_dir_all(notes.parent().unwrap_or(Path::new("."))),
        "making a folder in the target directory",
    )?;
    doing(std::fs::write(&notes, ""), format_args!("writing {}", notes.display()))?;

    let mut command = cargo(["test", "--workspace", "--no-fail-fast"]);
    // A test that cannot run where it is (no virtual display, no secret service) says so in this file: a passing test's own output is
    // swallowed, and a skip that nobody sees is a lie.
    command.env("RUST_BACKTRACE", "1").env("CUTOFF_SKIPPED", &notes);
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    let well = each_line(&mut command, |line| {
        println!("{line}");
        tally.read(line);
    })?;
    let notes = doing(std::fs::read_to_string(&notes), format_args!("reading {}", notes.display()))?;
    tally.skipped.extend(notes.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    // A crate whose tests do not compile prints no result line.
    if !well && tally.failed == 0 {
        tally.record("cargo test (something did not compile, or ended without a result)", false);
    }
    Ok(())
}

/// What became of the tests.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
    skipped: Vec<String>,
}

impl Tally {
    /// Takes in one line of a Rust test program.
    fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            for part in counts.split(['.', ';']) {
                match part.split_whitespace().collect::<Vec<_>>()[..] {
                    [count, "passed"] => self.passed += count.parse::<usize>().unwrap_or(0),
                    [count, "failed"] => self.failed += count.parse::<usize>().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some((name, end)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            if end == "FAILED" {
                self.failures.push(name.to_owned());
            } else if let Some(why) = end.strip_prefix("ignored") {
                self.skipped.push(format!("{name}{}", why.replacen(", ", ": ", 1)));
            }
        }
    }

    fn record(&mut self, name: &str, well: bool) {
        if well {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.failures.push(name.to_owned());
        }
    }

    /// Says it all in a few lines; the last is the one to read.
    fn tell(&self, time: &str) -> Done {
        println!();
        for name in &self.skipped {
            println!("skipped: {name}");
        }
        for name in &self.failures {
            println!("failed: {name}");
        }
        println!("{} passed, {} failed, {} skipped, in {time}", self.passed, self.failed, self.skipped.len());
        if self.failed > 0 {
            Err(Stop::new("some tests failed"))
        } else if self.passed == 0 {
            Err(Stop::new("no test ran"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(lines: &str) -> Tally {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn a_failed_test_fails_the_whole_and_is_named() {
        let tally = tally(
            "test a::holds ... ok\ntest b::breaks ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s",
        );
        assert_eq!((tally.passed, tally.failed), (4, 1));
        assert_eq!(tally.failures, ["b::breaks"]);
        assert!(tally.tell("").is_err());
    }

    #[test]
    fn a_skipped_test_is_named_with_its_reason() {
        let tally = tally(
            "test soak::all_night ... ignored, takes hours\ntest x ... ignored\ntest result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.0s",
        );
        assert_eq!(tally.skipped, ["soak::all_night: takes hours", "x"]);
        assert!(tally.tell("").is_ok());
    }

    #[test]
    fn a_filter_that_names_nothing_is_not_a_success() {
        assert!(
            tally("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 70 filtered out; finished in 0.00s")
                .tell("")
                .is_err()
        );
    }
}

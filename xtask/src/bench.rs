//! `cargo xtask bench`: builds and runs the program `bench` of the package `promises` and hands its JSON through. Measures nothing.

use std::io::Write;

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, doing, output, run as run_command, say};
use crate::tree;

/// Prints the measurements as JSON on standard output. `quick` takes fewer rounds.
pub fn run(quick: bool) -> Done {
    provide(&[Purpose::Build, Purpose::Window])?;
    // Optimised, as it ships: numbers of a debug build would say something about the compiler.
    // Only the app and what measures it: thin LTO makes every further program cost a minute.
    run_command(&mut cargo(["build", "--release", "--package", "cutoff-desktop", "--package", "promises", "--bins"]))?;
    say(if quick { "measuring, few rounds" } else { "measuring; leave the machine alone for some minutes" });
    let json = output(&mut command(tree::program("release", "bench")?, quick.then_some("--quick")))?;
    serde_json::from_str::<serde_json::Value>(&json)
        .map_err(|error| Stop::new(format!("the measurements are not JSON: {error}")))?;
    doing(std::io::stdout().write_all(json.as_bytes()), "writing the measurements")
}

//! `cargo xtask bench`: builds what is measured and runs the program `bench` of the package `promises`, whose JSON it hands
//! through. Measures nothing.

use std::io::Write;

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, doing, output, run as run_command, say};
use crate::tree;

/// Prints the measurements as JSON on standard output. `quick` takes fewer rounds.
pub fn run(quick: bool) -> Done {
    provide(&[Purpose::Build, Purpose::Window])?;
    // Optimised, as it ships: numbers of a debug build would say something about the compiler. One call of cargo, so that the app
    // and the empty window get the same libraries; only these programs, since thin LTO makes every further one cost a minute.
    run_command(&mut cargo([
        "build",
        "--release",
        "--package",
        "cutoff-desktop",
        "--package",
        "promises",
        "--package",
        "empty-window",
        "--bin",
        "cutoff-desktop",
        "--bin",
        "bench",
        "--bin",
        "empty-window",
    ]))?;
    say(if quick { "measuring, few rounds" } else { "measuring; leave the machine alone for some minutes" });
    let json = output(&mut command(tree::program("release", "bench")?, quick.then_some("--quick")))?;
    serde_json::from_str::<serde_json::Value>(&json)
        .map_err(|error| Stop::new(format!("the measurements are not JSON: {error}")))?;
    doing(std::io::stdout().write_all(json.as_bytes()), "writing the measurements")
}

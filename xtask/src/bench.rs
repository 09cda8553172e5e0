//! `cargo xtask bench`: builds what is measured and runs the program `bench` of the package `promises`, whose JSON it hands
//! through. Measures nothing.

use std::io::Write;

use clap::ValueEnum;

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, doing, output, run as run_command, say};
use crate::tree;

/// What can be measured by itself. The program has the same words; they are repeated so that a slip is refused before a build of
/// some minutes and not after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Thing {
    /// The single revoke
    Revoke,
    /// Sweeps of many: their rate, a containment, a limit, what a grant costs
    Sweep,
    /// The inventory: its reading, its filters, its history
    Inventory,
    /// The inventory in the real window: first rows, scrolling, memory
    InventoryWindow,
    /// Start to interactive
    Start,
}

impl Thing {
    /// Whether it is measured in the real window.
    fn needs_window(self) -> bool {
        matches!(self, Self::InventoryWindow | Self::Start)
    }
}

/// Prints the measurements as JSON on standard output: all, or one thing's. `quick` takes fewer rounds.
pub fn run(quick: bool, only: Option<Thing>) -> Done {
    let window = only.is_none_or(Thing::needs_window);
    provide(if window { &[Purpose::Build, Purpose::Window] } else { &[Purpose::Build] })?;
    // Optimised, as it ships: numbers of a debug build would say something about the compiler. One call of cargo, so that the app
    // and the empty window get the same libraries; only these programs, since thin LTO makes every further one cost a minute.
    let mut build = cargo(["build", "--release", "--package", "promises", "--bin", "bench"]);
    if window {
        for (package, program) in [("cutoff-desktop", "cutoff-desktop"), ("empty-window", "empty-window")] {
            build.args(["--package", package, "--bin", program]);
        }
    }
    run_command(&mut build)?;
    say(if quick { "measuring, few rounds" } else { "measuring; leave the machine alone for some minutes" });
    let mut measure = command(tree::program("release", "bench")?, quick.then_some("--quick"));
    if let Some(word) = only.as_ref().and_then(ValueEnum::to_possible_value) {
        measure.arg("--only").arg(word.get_name());
    }
    let json = output(&mut measure)?;
    serde_json::from_str::<serde_json::Value>(&json)
        .map_err(|error| Stop::new(format!("the measurements are not JSON: {error}")))?;
    doing(std::io::stdout().write_all(json.as_bytes()), "writing the measurements")
}

//! `cargo xtask`: everything this repository does by itself, one file for each command. It holds no test and no
//! measurement of its own: those live in the package `promises`, and this runs them.

mod bench;
mod bundle;
mod check;
mod contract;
mod demo;
mod icons;
mod node;
mod packages;
mod run;
mod setup;
mod soak;
mod test;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, shows, tests and packs Cutoff")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs the system packages that are missing, and does nothing else
    Setup,
    /// Installs what is missing, builds, and shows the main job on the built-in sandbox
    Demo {
        /// Drive the real window under a virtual display, even where there is a real one
        #[arg(long)]
        headless: bool,
        /// Where the headless demo leaves transcript.json and its screenshots [default: demo/ in the target directory]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Installs what the tests need, builds, and runs them all; with a filter, those whose name contains it
    Test {
        /// Part of a test's name; `page` stands for the checks of ui/, `soak` for the soak
        filter: Option<String>,
    },
    /// Sweeps drawn from seeds, cut short in every way and judged by the sandbox's ledger
    Soak {
        /// How many
        #[arg(long, default_value_t = soak::OF_A_TEST.0)]
        runs: u64,
        /// The seed of the first; each further one has the next
        #[arg(long, default_value_t = soak::OF_A_TEST.1)]
        seed: u64,
    },
    /// Format, lints, page types, and whether the generated files are up to date
    Check,
    /// Writes ui/contract.d.ts anew from crates/contract
    Contract {
        /// Only say whether it is up to date
        #[arg(long)]
        check: bool,
    },
    /// Measures the app against bare references; JSON on standard output, everything else on standard error
    Bench {
        /// Fewer rounds: a first impression, not a number to quote
        #[arg(long)]
        quick: bool,
        /// Measure one thing alone, and build only what that takes
        #[arg(long, value_name = "THING")]
        only: Option<bench::Thing>,
    },
    /// Makes the installers of this platform, with both programs in them: the window and the command line
    Bundle {
        /// Kinds to make, separated by commas [default: deb,rpm · dmg · nsis,msi]
        #[arg(long, value_name = "KINDS", value_delimiter = ',')]
        bundles: Vec<String>,
    },
    /// Makes every image in icons/ anew from icons/cutoff.svg
    Icons,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup => setup::run(),
        Task::Demo { headless, out } => demo::run(headless, out),
        Task::Test { filter } => test::run(filter.as_deref()),
        Task::Soak { runs, seed } => soak::run(runs, seed),
        Task::Check => check::run(),
        Task::Contract { check } => contract::run(check),
        Task::Bench { quick, only } => bench::run(quick, only),
        Task::Bundle { bundles } => bundle::run(&bundles),
        Task::Icons => icons::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("\nxtask: {stop}");
            ExitCode::FAILURE
        }
    }
}

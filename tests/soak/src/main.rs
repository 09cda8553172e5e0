//! The soak: sweeps, containments and liftings by the hundred, each drawn from a seed, under faults, with others at work, killed
//! and taken up again, and judged by the sandbox's own ledger. `cargo xtask soak` runs it. It measures nothing.
//!
//! What it holds every run to: nothing planned is lost; nothing is called gone that lived at that moment; nothing that was
//! answered is sent again; nothing leaves without its intent on disk, and nothing outside of the plan; the policy is changed and
//! put back as intended, and no oftener; the chain and the evidence verify, and say nothing that the ledger denies.
//!
//! A run that fails is named by its seed, from which it is drawn again. How the machine's scheduler interleaves the processes is
//! not drawn, so a rare failure may take the same seed more than once.

mod ground;
mod judge;
mod run;
mod story;
mod turn;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use futures::StreamExt as _;

/// Carries out runs drawn from seeds and judges them.
#[derive(Parser)]
struct Arguments {
    /// How many runs.
    #[arg(long, default_value_t = 300)]
    runs: u64,
    /// The seed of the first; each further one has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    at_once: usize,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Subcommand)]
enum Other {
    /// One start of the program that is tried, with its orders on standard input.
    #[command(hide = true)]
    Turn,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if matches!(arguments.other, Some(Other::Turn)) {
        return match turn::process() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("turn: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(soak(&arguments)),
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let seeds = (0..arguments.runs).map(|number| arguments.seed.wrapping_add(number));
    let runs = futures::stream::iter(seeds).map(async |seed| (seed, tokio::spawn(run::one(seed)).await));
    let mut runs = std::pin::pin!(runs.buffer_unordered(arguments.at_once.max(1)));
    let (mut failed, mut all) = (0, run::Told::default());
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    while let Some((seed, run)) = runs.next().await {
        match run.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(told) => {
                all.turns += told.turns;
                all.aborts += told.aborts;
                all.grants += told.grants;
                all.requests += told.requests;
                all.lifted += told.lifted;
                all.called_off += told.called_off;
                told.outcomes.into_iter().for_each(|(name, count)| *outcomes.entry(name).or_default() += count);
            }
            Err(why) => {
                failed += 1;
                println!("seed {seed}: {why}\n  again: cargo xtask soak --runs 1 --seed {seed}");
            }
        }
    }
    println!(
        "{} runs, {failed} failed; {} starts, {} killed, {} called off, {} blocks lifted; {} grants, {} requests; {}; {:.1} s",
        arguments.runs,
        all.turns,
        all.aborts,
        all.called_off,
        all.lifted,
        all.grants,
        all.requests,
        outcomes.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", "),
        begun.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

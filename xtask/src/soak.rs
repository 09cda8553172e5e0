//! `cargo xtask soak`: builds the program `soak` and lets it run. What it draws and how it judges is the program's own affair.

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, run as run_command, succeeds};
use crate::tree;

/// So many runs are part of every test, always the same ones.
pub const OF_A_TEST: (u64, u64) = (300, 1);

/// Carries out so many runs, the first drawn from this seed. Stops if one of them failed.
pub fn run(runs: u64, seed: u64) -> Done {
    provide(&[Purpose::Build])?;
    run_command(&mut cargo(["build", "--package", "soak", "--bin", "soak"]))?;
    if well(runs, seed)? {
        Ok(())
    } else {
        Err(Stop::new("some runs failed; each is named with the command that repeats it"))
    }
}

/// The same with the program as it was built before.
pub fn well(runs: u64, seed: u64) -> Done<bool> {
    let program = tree::program("debug", "soak")?;
    succeeds(&mut command(program, ["--runs", &runs.to_string(), "--seed", &seed.to_string()]))
}

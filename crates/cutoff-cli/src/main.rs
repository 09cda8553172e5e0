//! The command line of Cutoff. It reads flags, asks the mind and prints; what may be said of an inventory is decided there.

mod apply;
mod connections;
mod contain;
mod diff;
mod ending;
mod export;
mod flags;
mod indicators;
mod interrupts;
mod inventory;
mod lift;
mod lists;
mod log;
mod manual;
mod next;
mod plan;
mod preview;
mod reading;
mod seat;
mod sign_in;
mod text;
mod told;
mod verify;
mod watch;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::ending::{BROKEN, Ending};
use crate::flags::{Command, CommandLine};
use crate::seat::Seat;

/// What a command that did what it could ends with: [`ending::DONE`] or [`ending::PARTIAL`].
type Done = Result<u8, Ending>;

fn main() -> ExitCode {
    // A panic is told by its hook; what is left to do is to end with the code that means a mistake of ours.
    let code = std::panic::catch_unwind(run).unwrap_or(BROKEN);
    ExitCode::from(code)
}

fn run() -> u8 {
    let line = match CommandLine::read() {
        Ok(line) => line,
        Err(code) => return code,
    };
    next::remember(&line);
    log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("Cutoff cannot start: {error}"));
            return BROKEN;
        }
    };
    let done = runtime.block_on(carry_out(&line));
    // A keyring that hangs at a prompt must not hold the end up.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(ending) => {
            say(&ending.sentence);
            ending.code
        }
    }
}

async fn carry_out(line: &CommandLine) -> Done {
    // A pack is checked from its bytes alone, and what is told of the program itself is in it: for these no journal is opened, or
    // even made.
    match &line.command {
        Command::Verify(flags) => return verify::run(flags, line.common.json),
        Command::Redact(flags) => return verify::redact(flags, line.common.json),
        Command::Completions(flags) => return manual::completions(flags),
        Command::Man(flags) => return manual::man(flags),
        _ => {}
    }
    let seat = Seat::take(&line.common)?;
    let mut alerts = seat.desk.alerts();
    let done = with(&seat, &line.command).await;
    if !matches!(line.command, Command::Watch(_)) {
        watch::pass_on(&cutoff::watch::waiting(&mut alerts));
    }
    done
}

async fn with(seat: &Seat, command: &Command) -> Done {
    match command {
        Command::SignIn(flags) => sign_in::sign_in(seat, flags).await,
        Command::SignOut(flags) => sign_in::sign_out(seat, flags).await,
        Command::Connections => connections::list(seat).await,
        Command::Inventory(flags) => inventory::run(seat, flags).await,
        Command::Apps(flags) => lists::apps(seat, flags).await,
        Command::Members(flags) => lists::members(seat, flags).await,
        Command::Plan(flags) => plan::run(seat, flags).await,
        Command::Apply(flags) => apply::run(seat, flags).await,
        Command::Contain(flags) => contain::run(seat, flags).await,
        Command::Lift(flags) => lift::run(seat, flags).await,
        Command::Log(flags) => log::run(seat, flags).await,
        Command::Export(flags) => export::run(seat, flags).await,
        Command::Erase(flags) => export::erase(seat, flags).await,
        Command::Verify(flags) => verify::run(flags, seat.json),
        Command::Redact(flags) => verify::redact(flags, seat.json),
        Command::Watch(flags) => watch::run(seat, flags).await,
        Command::Diff(flags) => diff::run(seat, flags).await,
        Command::Completions(flags) => manual::completions(flags),
        Command::Man(flags) => manual::man(flags),
    }
}

/// Says something to whoever runs the program. Nobody may be listening, and that is no reason to stop.
fn say(sentence: &str) {
    if !sentence.is_empty() {
        let _ = writeln!(std::io::stderr(), "{sentence}");
    }
}

/// Logs to standard error what our own crates say, as loudly as `CUTOFF_LOG` asks (`warn`, `info`, `debug`, `trace`); unasked only
/// errors, since every end has a sentence of its own. Other crates stay at errors whatever it says: at their loudest some print
/// what goes over the wire.
fn log() {
    let ours = std::env::var("CUTOFF_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::ERROR);
    let targets = ["cutoff", "stytch_b2b", "journal", "vault"]
        .into_iter()
        .fold(Targets::new().with_default(LevelFilter::ERROR), |targets, name| targets.with_target(name, ours));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(targets);
    tracing_subscriber::registry().with(lines).init();
}

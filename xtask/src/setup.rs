//! `cargo xtask setup`: the system packages for everything the other tasks do, and nothing else.

use crate::packages::{Purpose, provide};
use crate::run::{Done, say};

/// Installs what is missing for every purpose.
pub fn run() -> Done {
    provide(&[Purpose::Build, Purpose::Window, Purpose::Node, Purpose::Browser, Purpose::Bundle])?;
    say("everything this system can give is there");
    Ok(())
}

//! The commands: one file for each noun. Each parses, calls the mind once, and maps what comes back.

pub mod come_backs;
pub mod connections;
pub mod contain;
pub mod evidence;
pub mod indicators;
pub mod inventory;
pub mod members;
pub mod plans;
pub mod revoke;
pub mod sandbox;
pub mod session;
pub mod sign_in;
pub mod sweeps;
pub mod window;

use contract::refusal::Refusal;

/// What every command answers.
pub type Reply<T> = Result<T, Refusal>;

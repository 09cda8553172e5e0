//! The words that pass between the page and the shell: requests, replies and refusals. It decides nothing and knows
//! neither the API nor the journal.
//!
//! Times are RFC 3339 in UTC. No type here can hold a session token: the one secret that may cross is a code that
//! the *sandbox* wrote into its own inbox ([`connections::Letter`]).

pub mod come_backs;
pub mod commands;
pub mod connected_apps;
pub mod connections;
pub mod contain;
pub mod evidence;
pub mod indicators;
pub mod inventory;
pub mod members;
pub mod plans;
pub mod refusal;
pub mod revoke;
pub mod session;
pub mod sweeps;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A moment, RFC 3339 in UTC with milliseconds: `2026-11-23T10:42:09.120Z`.
pub type Utc = String;

/// One row of an answer that could not be read. It is shown in its place and never sinks the list around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UnreadableRow {
    /// The row's place in the answer, from 0.
    pub index: u32,
    /// What was wrong with it, in the parser's words, with nothing of the row itself.
    pub reason: String,
}

//! The mind of Cutoff: signing in, reading who is connected to what, planning a revoke, carrying it out, and deriving
//! from what was observed what became of it. It knows no window and no wire to a page; every face of the product stands
//! on it.

pub mod activity;
pub mod clock;
pub mod connections;
pub mod contain;
pub mod desk;
pub mod directory;
pub mod erase;
pub mod error;
pub mod evidence;
pub mod indicators;
pub mod inventory;
pub mod kept_plan;
pub mod members;
pub mod permission;
pub mod plan;
pub mod plan_file;
pub mod policy;
pub mod report;
pub mod revoke;
pub mod seen_again;
pub mod session;
pub mod sign_in;
pub mod sweep;
pub mod sweeps;
pub mod watch;

/// The commit that this was built from, or `unknown`.
pub const COMMIT: &str = match option_env!("CUTOFF_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

pub use desk::{Desk, Options, Status};
pub use error::{Error, Fault, Field};

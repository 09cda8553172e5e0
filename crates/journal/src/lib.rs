//! What must survive: sweeps and their hash-chained rows, people behind commitments, snapshots of the inventory, settings and
//! saved connections, in one SQLite file that is private to the user. It is not a judge (outcomes and changes are derived
//! elsewhere, from its observations) and it never sees a session token: nothing in its public types has a place for one.
//!
//! All methods block, and all are short except for snapshots, which take a good part of a second at 100,000 grants: call them
//! from a blocking thread (`tokio::task::spawn_blocking`) when that matters.
//! The promise of every writing method is the same: when it returns `Ok`, what it wrote outlives a power cut, as far as the
//! disk tells the truth; when it returns `Err`, nothing of it was written.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let journal = journal::Journal::open(dir.path())?;
//! journal.set("theme", &serde_json::json!("dark"))?;
//! assert_eq!(journal.get("theme")?, Some(serde_json::json!("dark")));
//! assert_eq!(journal.head()?, None, "no sweep was ever opened here");
//! # Ok(()) }
//! ```

pub mod chain;
mod connections;
mod error;
mod lock;
mod open;
mod people;
mod readings;
mod row;
mod settings;
mod snapshots;
mod strict;
mod sweeps;

pub use chain::{Break, Hash, Links, Walked};
pub use connections::SavedConnection;
pub use error::Error;
pub use lock::RunningLock;
pub use open::{FILE_NAME, Journal, SCHEMA_VERSION};
pub use people::{Commitment, People, Person, PersonKind, PersonRecord};
pub use row::{
    Actor, Answer, Body, ClientType, Clock, Closing, Collateral, Connection, Environment, Failure, Grant, GrantId,
    Intent, Note, Opening, Plan, Policy, PolicyAnswer, PolicyIntent, PolicyRead, PolicyState, Purpose, Read, Route,
    Row, RowDraft, SweepId, Tool, Utc, View,
};
pub use snapshots::{
    AppReading, AppSeen, GrantSeen, OnceListed, Origin, PersonSeen, Place, Snapshot, SnapshotDraft, SnapshotSummary,
    StoredApp, StoredGrant,
};
pub use strict::{MAX_LINE, Unfit, check as check_strict};
pub use sweeps::{
    ActorDraft, BLOCK, GrantDraft, INDICATOR, IndicatorDraft, OpeningDraft, StoredRow, Sweep, SweepSummary, Verdict,
};

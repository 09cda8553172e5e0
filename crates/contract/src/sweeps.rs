//! Sweeps: plans being carried out, and those that were. Rust carries them out whether a window looks or not; the page asks how
//! far they are.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::connections::Environment;
use crate::contain::SweepPolicy;
use crate::members::MemberFace;
use crate::refusal::Refusal;
use crate::revoke::{Outcome, RevokeReport};

/// Grants of one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OutcomeCount {
    /// The outcome.
    pub outcome: Outcome,
    /// How many.
    pub grants: u32,
}

/// Where a sweep stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SweepState {
    /// It runs in this app.
    Running,
    /// Another process is at it.
    Elsewhere {
        /// Its process id, if known.
        pid: Option<u32>,
    },
    /// Its run was broken off: nothing says why.
    Interrupted,
    /// Paused.
    Paused,
    /// The session ended.
    SessionEnded,
    /// Stopped by a refusal that would have met every other grant.
    Halted {
        /// Stytch's `error_type`, or `redirected`.
        error_type: String,
    },
    /// Stopped because too many of the first few failed.
    CanaryDied {
        /// How many failed.
        failed: u32,
        /// Of how many.
        of: u32,
    },
    /// Cancelled: what was not sent never will be.
    Cancelled,
    /// Nothing more is sent.
    Done,
}

/// Whether whoever is signed in may go on with a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepResume {
    /// Yes.
    Yes,
    /// It is done, runs, or another process is at it.
    NotNow,
    /// Nobody is signed in, or elsewhere than where it was begun.
    Elsewhere,
    /// Another member began it: only the same one may go on.
    OtherMember,
    /// Nothing was done for it for a day: make a new plan of the rest.
    TooOld,
}

/// A sweep.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Sweep {
    /// Which.
    pub sweep_id: String,
    /// When it began.
    pub began_at: Utc,
    /// When something of it was last written.
    pub last_at: Utc,
    /// In which organization.
    pub organization_name: String,
    /// Which kind of place.
    pub environment: Environment,
    /// Whether that is where one is signed in.
    pub here: bool,
    /// Who began it.
    pub by: MemberFace,
    /// The reason or ticket.
    pub reason: Option<String>,
    /// Its grants.
    pub grants: u32,
    /// Different apps in them.
    pub apps: u32,
    /// Different members in them.
    pub members: u32,
    /// The app, when all are of one.
    pub app: Option<AppFace>,
    /// The member, when all are of one.
    pub member: Option<MemberFace>,
    /// Grants by outcome, without those that nothing was sent for yet.
    pub outcomes: Vec<OutcomeCount>,
    /// Grants that nothing was sent for, and that are not known to be gone.
    pub unsent: u32,
    /// Grants of which a revoke was answered, whatever the answer said.
    pub answered: u32,
    /// Where it stands.
    pub stand: SweepState,
    /// Something about it may still be told by another read, or another request.
    pub unsettled: bool,
    /// This run of the app found it open.
    pub left_behind: bool,
    /// Whether whoever is signed in may go on with it.
    pub resume: SweepResume,
    /// When the last of its grants was found gone. `null` until all are.
    pub gone_at: Option<Utc>,
    /// When the second read of the last of those that something was sent for began. `null` until all of them are confirmed, and
    /// where nothing was sent.
    pub confirmed_at: Option<Utc>,
    /// When such a read is due that may tell more of all of them.
    pub look_again_at: Option<Utc>,
    /// Until about when tokens issued earlier may still be accepted, if the vendor kept Stytch's 60-minute default.
    pub tokens_until: Option<Utc>,
    /// Why its last run in this app was refused on the way. `null`: it was not.
    pub refused: Option<Refusal>,
    /// What it did to the organization's policy. `null`: it was to change nothing there.
    pub policy: Option<SweepPolicy>,
    /// Grants in no plan that vanished meanwhile. `null`: nobody looked.
    pub collateral: Option<u32>,
    /// Apps of which it could not be seen whether grants in no plan vanished.
    pub unseen: u32,
    /// Grants of the plan that were listed again after the block was lifted.
    pub returned: u32,
    /// Grants of its apps in no plan that its last run in this window still saw listed: nothing was sent for them.
    pub beside: u32,
    /// Grants of it that were found gone, and that the inventory that is shown lists again.
    pub listed_again: u32,
    /// SHA-256 of the chain so far: the head to keep.
    pub head: String,
}

/// How far a running sweep is. Whole, at most ten a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SweepProgress {
    /// Grants of the plan.
    pub grants: u32,
    /// Requests answered in this run.
    pub answered: u32,
    /// Requests still to be sent, as far as is known.
    pub to_send: u32,
    /// The server limits the rate: nothing is sent before then.
    pub limited_until: Option<Utc>,
    /// How many calls a minute it admits, once that is known.
    pub quota: Option<u32>,
    /// No answer can be had: it is looked for again then.
    pub offline_until: Option<Utc>,
    /// Grants are being read again.
    pub reading: bool,
    /// Requests a minute, as measured; 0: not yet.
    pub per_minute: u32,
    /// Milliseconds until the last request has left, by this pace. `null`: too early to tell.
    pub left_ms: Option<u32>,
    /// Asked to stop: what is under way is waited for.
    pub stopping: bool,
}

/// What is asked of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepWish {
    /// Wait for what is under way, then stop; it can be gone on with.
    Pause,
    /// The same, and what was not sent is never sent.
    Cancel,
}

/// Which grants of a sweep are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct SweepQuery {
    /// Only these outcomes, of grants that something was sent for or that are gone.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// Those that nothing was sent for. With neither this nor an outcome, all.
    #[serde(default)]
    pub unsent: bool,
    /// Words that must all occur in a name, an address, an id or a request id.
    #[serde(default)]
    pub text: String,
    /// First row, from 0.
    pub offset: u32,
    /// At most this many rows, 1000 at the most.
    pub count: u32,
}

/// A window of a sweep's grants, in the order of its plan.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SweepGrants {
    /// The rows from `offset` on.
    pub rows: Vec<RevokeReport>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
}

/// What the shell says to the page without being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WindowNotice {
    /// The window was to be closed, and a sweep would stop with it: ask.
    Closing,
    /// Something came back, in one batch: ask `come_back_list`.
    ComeBacks {
        /// The ids of those that were not told before.
        ids: Vec<String>,
    },
    /// The policy does not forbid any more what a sweep from here had blocked, and nobody lifted that from here. Told once.
    BlockUndone {
        /// The sweep.
        sweep_id: String,
        /// The apps that can be consented to again.
        connected_app_ids: Vec<String>,
    },
    /// The watch has looked, or tried to: what is shown may be newer.
    Looked,
}

/// What the icon in the tray says, in the page's language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TrayWords {
    /// What it is, when the pointer rests on it.
    pub title: String,
    /// Shows the window again.
    pub show: String,
    /// Pauses the sweep and ends the app.
    pub stop: String,
}

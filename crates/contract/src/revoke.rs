//! The revoke: what will be done, and what became of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::connections::Environment;
use crate::members::MemberFace;
use crate::refusal::{Denial, Problem};

/// What the confirmation shows, and the hash that binds the act to it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct RevokePlan {
    /// Binds place, organization and pair; sent back with the act.
    pub plan_hash: String,
    /// Whose grant.
    pub member: MemberFace,
    /// To which app.
    pub app: AppFace,
    /// With which scopes. `null`: the grant could not be read just now.
    pub scopes: Option<Vec<String>>,
    /// In which organization.
    pub organization_name: String,
    /// Which kind of place.
    pub environment: Environment,
    /// Whether the organization's policy lets the member connect the app again. `null`: could not be read.
    pub may_reconnect: Option<bool>,
    /// The grant has `full_access`: it may have opened sessions that a revoke is not documented to end. `null`: not known.
    pub full_access: Option<bool>,
    /// Denied in advance by policy and roles: the act is disabled for this reason.
    pub denied: Option<Denial>,
}

/// A step of the revoke as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RevokeStep {
    /// The intent is on disk.
    Recorded,
    /// The request has left.
    Sent,
    /// The server answered.
    Answered,
    /// The grant is being read again.
    ReadingAgain,
    /// It is still listed: waiting before the next read.
    Waiting,
}

/// What became of one grant. The rules that decide are the mind's; see `ARCHITECTURE.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Answered, and gone in a complete later read.
    Revoked,
    /// Answered, and no read can prove it: `why` says which.
    Accepted,
    /// Answered, and still listed after every re-read.
    StillThere,
    /// Was not there in our last complete read before sending, or 404 plus a re-read.
    AlreadyGone,
    /// The policy hides it, and no answer to our own revoke was seen.
    Hidden,
    /// The member is gone, and the app's view lacks them.
    MemberGone,
    /// Stytch refused: not permitted.
    Denied,
    /// Not carried out, for a reason that is certain.
    Failed,
    /// Sent, no answer, not yet settled.
    Unknown,
}

/// Why an answered revoke cannot be called `revoked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No view of this grant may be read with your role.
    NoReadAllowed,
    /// The organization's policy forbids the app, so its absence proves nothing.
    HiddenByPolicy,
    /// It was not read since.
    NotReadYet,
    /// The reads that would prove it failed.
    ReadFailed,
    /// The read had rows that could not be read.
    ReadIncomplete,
    /// The session ended before it could be read again.
    SessionEnded,
    /// It was still listed by a read that began too soon after the answer to be called still there.
    ListedYet,
}

/// All that is known of one revoke. Facts only: the sentences are the page's.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct RevokeReport {
    /// The sweep (of one) that did it.
    pub sweep_id: String,
    /// When it began.
    pub began_at: Utc,
    /// The outcome, derived from what was observed.
    pub outcome: Outcome,
    /// Whose grant.
    pub member: MemberFace,
    /// To which app.
    pub app: AppFace,
    /// With which scopes, as last read before.
    pub scopes: Vec<String>,
    /// In which organization.
    pub organization_name: String,
    /// Which kind of place.
    pub environment: Environment,
    /// Whether that is the place and organization that is signed in to now. Elsewhere nothing can be done about it from here.
    pub here: bool,
    /// Stytch's id of the last revoke request that was answered; of the read that settled it otherwise.
    pub request_id: Option<String>,
    /// How many times the revoke was sent.
    pub attempts: u32,
    /// When the last revoke was sent.
    pub sent_at: Option<Utc>,
    /// When it was answered.
    pub answered_at: Option<Utc>,
    /// When the grant was last read again.
    pub read_at: Option<Utc>,
    /// The first clean read.
    pub gone_at: Option<Utc>,
    /// It was found gone, and the inventory that is shown lists it again: when the call was made that does. `null`: it is not listed,
    /// or nothing newer was read.
    pub listed_again_at: Option<Utc>,
    /// When the second read is due.
    pub confirm_due_at: Option<Utc>,
    /// The second clean read.
    pub confirmed_at: Option<Utc>,
    /// Until about when tokens issued earlier may still be accepted, if the vendor kept Stytch's 60-minute default.
    pub tokens_until: Option<Utc>,
    /// Whether the member may connect the app again at once. `null`: the policy could not be read.
    pub may_reconnect: Option<bool>,
    /// The grant had `full_access`.
    pub full_access: bool,
    /// For `accepted`: why it is not `revoked`.
    pub why: Option<Why>,
    /// For `denied`.
    pub denial: Option<Denial>,
    /// For `failed`, `unknown` and reads that failed: what went wrong.
    pub problem: Option<Problem>,
    /// It is not settled: an earlier run was interrupted, or the reads that would settle it failed. `revoke_settle`
    /// reads again, and with `send_again` repeats a request that was never answered if the grant is still listed.
    pub unsettled: bool,
    /// This run of the app found it open: an earlier one was interrupted. It stays true when it has been settled since.
    pub left_behind: bool,
    /// Its sweep has no other grant. Only then may `revoke_settle` be offered beside it, which asks for all grants of a sweep.
    pub alone: bool,
    /// SHA-256 of the chain so far, hexadecimal: the head to keep.
    pub head: String,
}

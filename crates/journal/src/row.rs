//! The rows of a sweep, version 1: what was planned, sent, answered and read, with the clocks of each moment. They are
//! observations; no row says what became of a grant, except the counts of a closing row, which name the rules they were
//! derived by.
//!
//! What is free text or a person's (names, e-mails, a reason) never stands in a row: a [`Commitment`] does, and the plain value
//! lies in the people table, from which it can be erased without breaking the chain. Ids stand as they were received.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chain::Hash;
use crate::people::Commitment;

/// The name of the format, in every opening row.
pub(crate) const FORMAT: &str = "cutoff-sweep";
/// The version of the format, in every opening row.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// How rows are hashed, in every opening row.
pub(crate) const HASH_ALG: &str = "sha-256";

/// The random id of one sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SweepId(pub Uuid);

impl SweepId {
    /// A new random id.
    pub fn random() -> Self {
        SweepId(Uuid::new_v4())
    }
}

impl fmt::Display for SweepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SweepId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(SweepId)
    }
}

/// A moment of the wall clock in UTC, to the millisecond, written in exactly one way: `2026-03-01T10:42:07.123Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utc(Timestamp);

impl Utc {
    /// The moment, cut to the millisecond.
    pub fn new(moment: Timestamp) -> Self {
        // Cutting a moment that exists to its millisecond yields one that exists; the fallback is never taken.
        Utc(Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment))
    }

    /// The moment as `jiff` has it.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl From<Timestamp> for Utc {
    fn from(moment: Timestamp) -> Self {
        Utc::new(moment)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Utc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a moment is written like 2026-03-01T10:42:07.123Z".to_owned();
        let utc = Utc::new(text.parse().map_err(|_| wrong())?);
        // Round trip: every other spelling of the same moment (another offset, more digits, a space) is refused, and a year that no
        // clock shows.
        let shown =
            text.len() == "2026-03-01T10:42:07.123Z".len() && !text.starts_with("0000") && !text.starts_with("9999");
        if shown && utc.to_string() == text { Ok(utc) } else { Err(wrong()) }
    }
}

impl Serialize for Utc {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Utc {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One moment on the clocks of the machine that saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The wall clock, which a user or the network may have set wrong.
    pub utc: Utc,
    /// Milliseconds on a clock that never goes back. Comparable only with others of the same `boot_id`.
    pub mono_ms: u64,
    /// Names the run of the monotonic clock: another value after a restart of the machine (or of the process, where a
    /// platform has no clock that outlives it).
    ///
    /// Shared, since every moment of a run carries it.
    pub boot_id: Arc<str>,
}

/// One row as it stands in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The place in the sweep, from 0.
    pub seq: u64,
    /// When the row was made.
    pub clock: Clock,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
}

/// A row to be appended; the journal gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDraft {
    /// When the row was made, by the caller's clocks.
    pub clock: Clock,
    /// What it says. Opening and grant rows are written by [`crate::Journal::open_sweep`] only.
    pub body: Body,
}

/// What a row says. In a line the variant's name stands under `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The first row of a sweep.
    Opening(Box<Opening>),
    /// One grant of the plan; all of them follow the opening row.
    Grant(Grant),
    /// A revoke is about to be sent. On disk before the request leaves.
    Intent(Intent),
    /// What came back of a revoke, or that nothing did.
    Answer(Answer),
    /// What a read showed of the sweep's grants.
    Read(Read),
    /// Something that happened to the sweep itself.
    Note(Note),
    /// The organization's connected-app policy is about to be changed. On disk before the request leaves. May follow a closing
    /// row: a block is lifted long after its sweep is over.
    PolicyIntent(PolicyIntent),
    /// What came back of a change of the policy, or that nothing did.
    PolicyAnswer(PolicyAnswer),
    /// What a read of the organization showed of its policy.
    PolicyRead(PolicyRead),
    /// Grants that are in no plan and vanished while the sweep was carried out.
    Collateral(Collateral),
    /// The sweep revokes nothing more. Confirming reads may follow, and then another closing row with the counts as they are by
    /// then; the last closing row is the one that counts. Intents, answers and grants may never follow one.
    Closing(Closing),
    /// A kind of row that this version does not know. Its line is kept and hashed like any other; it cannot be appended.
    #[serde(other)]
    Unknown,
}

/// The first row: what is about to be done, where, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Always `cutoff-sweep`.
    pub format: String,
    /// Always 1 for this version of the rows.
    pub version: u32,
    /// Names that a reader must understand or refuse the file. Version 1 has none.
    pub critical: Vec<String>,
    /// Always `sha-256`.
    pub hash_alg: String,
    /// The program that wrote the sweep.
    pub tool: Tool,
    /// The random id of the journal.
    pub journal_id: Uuid,
    /// The random id of the sweep.
    pub sweep_id: SweepId,
    /// The head that the sweep before this one had when this one was opened; `null` for the first sweep of a journal.
    pub previous_head: Option<Hash>,
    /// What is carried out.
    pub plan: Plan,
    /// Where it is carried out.
    pub connection: Connection,
    /// As whom it is carried out.
    pub actor: Actor,
    /// Commits to the organization's name at that time; `None` (and absent from the line) in rows written before there was
    /// this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<Commitment>,
    /// Commits to the reason that was given, if one was.
    pub reason: Option<Commitment>,
}

/// The program that wrote a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, or `unknown`.
    pub commit: String,
}

/// The plan that a sweep carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The hash of the plan as it was shown and confirmed.
    pub hash: Hash,
    /// How many grants it has: so many grant rows follow.
    pub count: u64,
}

/// The fingerprint of a connection: enough to tell two apart, not enough to use one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// `https`, or `http` to a loopback address.
    pub scheme: String,
    /// The API host.
    pub host: String,
    /// The port that was used, also where it is the scheme's default.
    pub port: u16,
    /// SHA-256 of the public token.
    pub public_token_sha256: Hash,
    /// The organization whose grants are revoked.
    pub organization_id: String,
    /// Test, live, or the local sandbox.
    pub environment: Environment,
}

/// What kind of project a connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A test project of the vendor.
    Test,
    /// A live project of the vendor.
    Live,
    /// The local stand-in.
    Sandbox,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

/// The member as whom a sweep was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The member.
    pub member_id: String,
    /// The member session's id. It is a name for the session, not the token that proves it.
    pub member_session_id: String,
    /// The roles the session had.
    pub roles: Vec<String>,
    /// The types of the factors the session was made with.
    pub factors: Vec<String>,
    /// Commits to the member's name and e-mail; `None` (and absent from the line) in rows written before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Commitment>,
    /// Commits to who impersonated the member, if somebody did.
    pub impersonator: Option<Commitment>,
}

/// One grant of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its number in the sweep, from 1. Every later row speaks of it by this number.
    pub n: u32,
    /// The member who gave it.
    pub member_id: String,
    /// The app that has it.
    pub connected_app_id: String,
    /// The app's client type as received, where the view it came from has one.
    pub client_type: ClientType,
    /// The scopes as received, where the view it came from has them.
    pub scopes: Vec<String>,
    /// Whether the app is the vendor's own.
    pub first_party: bool,
    /// Which endpoint revokes it.
    pub route: Route,
    /// The member's roles as last read before the plan was carried out; `None` (and absent from the line) where they were not
    /// known, and in every row written before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_roles: Option<Vec<String>>,
    /// Commits to the member's name and e-mail, if they were known.
    pub person: Option<Commitment>,
    /// Commits to the app's name, if it was known.
    pub app_name: Option<Commitment>,
}

/// The app's client type as received (`first_party_public`, …), or nothing where it was not known.
pub type ClientType = Option<String>;

/// Which endpoint revokes a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The one for another member.
    Member,
    /// The one for oneself.
    #[serde(rename = "self")]
    Oneself,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

/// A revoke is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The number of the attempt in the sweep, from 1, never used twice. The answer carries it too.
    pub attempt: u32,
    /// Which grant.
    pub n: u32,
}

/// What came back of a revoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The attempt of the intent.
    pub attempt: u32,
    /// Which grant.
    pub n: u32,
    /// When the request was given to the network.
    pub sent: Clock,
    /// Whether a whole answer came back. The row's own clock says when.
    pub answered: bool,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The API's `error_type`, if one came.
    pub error_type: Option<String>,
    /// The API's `request_id`, if one came.
    pub request_id: Option<String>,
    /// The server's `Date` header as received, if one came.
    pub server_date: Option<String>,
    /// Why no usable answer came, if none did.
    pub failure: Option<Failure>,
}

/// Why no usable answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The request certainly never reached the server: no connection was made, or it was refused here.
    NotSent,
    /// No answer within the time allowed.
    TimedOut,
    /// The connection ended before the whole answer was there.
    Reset,
    /// An answer that is not what the API is documented to say.
    Garbled,
    /// A redirect, which is never followed.
    Redirected,
    /// The wait was given up here, because the sweep was stopped.
    Interrupted,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

impl Failure {
    /// Its name, as in the row.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::TimedOut => "timed_out",
            Self::Reset => "reset",
            Self::Garbled => "garbled",
            Self::Redirected => "redirected",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}

/// What one read showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// The number of the read in the sweep, from 1.
    pub read: u32,
    /// Which view was read.
    pub view: View,
    /// The app's or the member's id, for the views that have one.
    pub subject: Option<String>,
    /// When the read began. It can only prove something about what was answered before.
    pub began: Clock,
    /// When it ended.
    pub ended: Clock,
    /// Whether a whole answer came back.
    pub answered: bool,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The API's `error_type`, if one came.
    pub error_type: Option<String>,
    /// The API's `request_id`, if one came.
    pub request_id: Option<String>,
    /// The server's `Date` header as received, if one came.
    pub server_date: Option<String>,
    /// Whether the view was read to its end, with every required part of the answer there.
    pub complete: bool,
    /// How many entries of the answer could not be read.
    pub unreadable: u32,
    /// The grants of the sweep that were listed.
    pub present: Vec<u32>,
    /// The grants of the sweep that this view would have listed and did not.
    pub absent: Vec<u32>,
    /// What the organization's policy said of the app at the time, if it was read.
    pub policy: Option<Policy>,
    /// In the organization's view: how many other apps known before are listed.
    pub others_listed: Option<u32>,
}

/// Which view was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// One app with its active members.
    App,
    /// One member's apps.
    Member,
    /// One's own apps.
    #[serde(rename = "self")]
    Oneself,
    /// The organization's apps.
    Organization,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

/// What the organization's policy allowed, as received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `first_party_connected_apps_allowed_type`.
    pub first_party: Option<String>,
    /// `third_party_connected_apps_allowed_type`.
    pub third_party: Option<String>,
    /// Whether that forbids the app in question; `null` where it could not be told.
    pub app_forbidden: Option<bool>,
}

/// An organization's connected-app policy: the four fields as they were received, or are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyState {
    /// `first_party_connected_apps_allowed_type`.
    pub first_party: String,
    /// `allowed_first_party_connected_apps`, which counts only while the word beside it is `RESTRICTED`.
    pub allowed_first_party: Vec<String>,
    /// `third_party_connected_apps_allowed_type`.
    pub third_party: String,
    /// `allowed_third_party_connected_apps`, which counts only while the word beside it is `RESTRICTED`.
    pub allowed_third_party: Vec<String>,
}

/// What a change of the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To forbid apps before, or after, their grants are revoked.
    Block,
    /// To take such a change back.
    Lift,
    /// Written by a later version.
    #[serde(other)]
    Unknown,
}

/// The policy is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyIntent {
    /// The number of the attempt among the sweep's changes of the policy, from 1. The answer carries it too.
    pub attempt: u32,
    /// What for.
    pub purpose: Purpose,
    /// The policy as it was read last before.
    pub before: PolicyState,
    /// The policy as it is to be. Only what differs is sent.
    pub after: PolicyState,
}

/// What came back of a change of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyAnswer {
    /// The attempt of the intent.
    pub attempt: u32,
    /// When the request was given to the network.
    pub sent: Clock,
    /// Whether a whole answer came back. The row's own clock says when.
    pub answered: bool,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The API's `error_type`, if one came.
    pub error_type: Option<String>,
    /// The API's `request_id`, if one came.
    pub request_id: Option<String>,
    /// The server's `Date` header as received, if one came.
    pub server_date: Option<String>,
    /// Why no usable answer came, if none did.
    pub failure: Option<Failure>,
}

/// What a read of the organization showed of its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRead {
    /// When the read began.
    pub began: Clock,
    /// When it ended.
    pub ended: Clock,
    /// Whether a whole answer came back.
    pub answered: bool,
    /// The HTTP status, if one came.
    pub status: Option<u16>,
    /// The API's `error_type`, if one came.
    pub error_type: Option<String>,
    /// The API's `request_id`, if one came.
    pub request_id: Option<String>,
    /// The server's `Date` header as received, if one came.
    pub server_date: Option<String>,
    /// The policy, if all four fields came.
    pub state: Option<PolicyState>,
}

/// Grants that are in no plan and vanished while the sweep was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collateral {
    /// Each by its member and its app.
    pub grants: Vec<GrantId>,
}

/// A grant that has no number in the sweep.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantId {
    /// The member.
    pub member_id: String,
    /// The app.
    pub connected_app_id: String,
}

/// Something that happened to the sweep itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// A code in lower case and underscores: `resumed`, `paused`, `denied_in_advance`, `signed_in_again`, …
    pub what: String,
    /// Codes, ids and numbers that belong to it. Never a name, an e-mail or free text: those cannot be erased from a chain.
    pub detail: BTreeMap<String, String>,
}

/// The sweep revokes nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// How many grants had which outcome, by the rules of `rules_version`, from the rows before this one.
    pub counts: BTreeMap<String, u64>,
    /// Which rules derived the counts.
    pub rules_version: u32,
    /// How many rows stand before this one. The journal fills it in; what a draft says is ignored.
    pub rows: u64,
}

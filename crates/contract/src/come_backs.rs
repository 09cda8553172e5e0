//! Come-backs: grants that a sweep found gone and that are listed again, or clients that look like one that was lost. Whether the
//! server never removed a grant or its member consented once more, nobody can tell.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::members::MemberFace;
use crate::refusal::Refusal;

/// In which way something came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ComeBackKind {
    /// The grant is listed again.
    SeenAgain,
    /// Its member has connected another client that looks like it.
    LookAlike,
}

/// Something that came back.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ComeBack {
    /// Names this come-back and no later one of the same grant.
    pub id: String,
    /// In which way.
    pub kind: ComeBackKind,
    /// Whose.
    pub member: MemberFace,
    /// The app that is listed now.
    pub app: AppFace,
    /// The app that was lost; the same one when the grant itself is back.
    pub lost_app: AppFace,
    /// When the first clean read of the lost grant began.
    pub gone_at: Utc,
    /// When the call was made that lists it now.
    pub seen_at: Utc,
    /// The sweep that found it gone.
    pub sweep_id: String,
}

/// A window of what has come back by the inventory that is shown, is still listed and was not dismissed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ComeBacks {
    /// The rows from `offset` on.
    pub rows: Vec<ComeBack>,
    /// Rows there are.
    pub total: u32,
    /// How the app looks for more.
    pub watch: Watch,
}

/// How the app looks for what comes back.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Watch {
    /// Somebody is signed in, an inventory was read here, and nothing runs: it looks.
    pub watching: bool,
    /// Seconds between two looks.
    pub every_s: u32,
    /// When the inventory that is shown was read. `null`: none was.
    pub looked_at: Option<Utc>,
    /// When it looks next. `null` while it does not watch.
    pub next_at: Option<Utc>,
    /// The last look failed. `null`: it did not.
    pub problem: Option<Refusal>,
}

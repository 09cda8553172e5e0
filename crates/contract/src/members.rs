//! The organization's members, and one member's connected apps.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::connected_apps::AppFace;
use crate::{UnreadableRow, Utc};

/// As much of a member as can be shown. With names denied only the id is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemberFace {
    /// Their id.
    pub member_id: String,
    /// Their name. `null`: not known here; empty: they have none.
    pub name: Option<String>,
    /// Their address. `null`: not known here.
    pub email: Option<String>,
    /// Whether this is the signed-in member.
    pub yourself: bool,
}

/// A row of the member list.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberRow {
    /// Who.
    pub face: MemberFace,
    /// `active`, `invited`, `pending`, as Stytch names it.
    pub status: String,
    /// Their explicit and implicit roles.
    pub roles: Vec<String>,
}

/// A window of the members that match.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberPage {
    /// The rows from `offset` on.
    pub rows: Vec<MemberRow>,
    /// How many match the filter.
    pub matching: u32,
    /// How many there are.
    pub total: u32,
    /// Rows that could not be read: the list is incomplete by these.
    pub unreadable: Vec<UnreadableRow>,
    /// When the list was read.
    pub read_at: Utc,
}

/// One member's connected apps.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberApps {
    /// Who.
    pub member: MemberFace,
    /// Their grants.
    pub grants: Vec<MemberGrant>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When they were read.
    pub read_at: Utc,
}

/// One grant, seen from the member.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MemberGrant {
    /// To which app.
    pub app: AppFace,
    /// With which scopes.
    pub scopes: Vec<String>,
}

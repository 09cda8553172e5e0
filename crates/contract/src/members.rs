//! A member as every list, plan and report shows them, and one member's connected apps.

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

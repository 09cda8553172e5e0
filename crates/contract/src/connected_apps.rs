//! The organization's connected apps, and one app's members.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::members::MemberFace;
use crate::{UnreadableRow, Utc};

/// As much of an app as the lists tell. Names and descriptions are whatever the app's author wrote: show as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppFace {
    /// Its client id.
    pub connected_app_id: String,
    /// Its name.
    pub name: String,
    /// Its description, often empty.
    pub description: String,
    /// `first_party`, `first_party_public`, `third_party`, `third_party_public`, or what Stytch may add.
    pub client_type: String,
    /// Whether it is the vendor's own.
    pub first_party: bool,
}

/// A window of the apps that match.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppPage {
    /// The rows from `offset` on.
    pub rows: Vec<AppFace>,
    /// How many match the filter.
    pub matching: u32,
    /// How many there are.
    pub total: u32,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When the list was read.
    pub read_at: Utc,
}

/// One app's members.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppMembers {
    /// The app.
    pub app: AppFace,
    /// Its grants: the rows from `offset` on that match.
    pub rows: Vec<AppGrant>,
    /// How many match the filter.
    pub matching: u32,
    /// How many grants there are.
    pub total: u32,
    /// Whether names could be read. `false`: members are shown by id, since `search` on `stytch.member` is denied or failed.
    pub names_known: bool,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When it was read.
    pub read_at: Utc,
}

/// One grant, seen from the app.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct AppGrant {
    /// By whom.
    pub member: MemberFace,
    /// With which scopes.
    pub scopes: Vec<String>,
}

//! Plans: the exact grants that an act would revoke, counted and shown before anything is sent. A plan lives in Rust under its hash;
//! the page names the hash and a window, and never holds the set.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::connections::Environment;
use crate::contain::PlanBlock;
use crate::inventory::{GrantRow, Missing, Selection};
use crate::members::MemberFace;
use crate::refusal::Denial;

/// What a plan is made of.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanWhat {
    /// A rule over one of the lists.
    Selection {
        /// The rule.
        selection: Selection,
    },
    /// One app for everyone.
    App {
        /// Which.
        connected_app_id: String,
    },
    /// A group of look-alikes for everyone.
    Group {
        /// Its id.
        group: String,
    },
    /// Everything of one member.
    Member {
        /// Whose.
        member_id: String,
    },
    /// Everything of the apps that indicators named.
    Found {
        /// The finding's id.
        finding: String,
        /// Those too that only look like a name.
        look_alikes: bool,
    },
    /// Exact grants, whether the inventory has them or not.
    Pairs {
        /// The grants.
        pairs: Vec<PlanPair>,
    },
}

/// One grant by its ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanPair {
    /// Whose.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
}

/// A plan, as a confirmation shows it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Plan {
    /// What it is called everywhere: SHA-256 of the plan, hexadecimal.
    pub hash: String,
    /// In which organization.
    pub organization_name: String,
    /// Which kind of place.
    pub environment: Environment,
    /// What must be typed before it is carried out: the count and the organization.
    pub to_type: String,
    /// Grants in it.
    pub grants: u32,
    /// Different apps in them.
    pub apps: u32,
    /// Different members in them.
    pub members: u32,
    /// Grants of the vendor's own apps that are in it.
    pub first_party: u32,
    /// Grants of the vendor's own apps that were left out.
    pub first_party_left_out: u32,
    /// Your own grants in it.
    pub own: u32,
    /// Grants of administrators in it: they go first.
    pub privileged: u32,
    /// Grants with `full_access` in it.
    pub full_access: u32,
    /// Grants in it to apps that the organization's policy lets members connect again.
    pub may_reconnect: u32,
    /// Ids of the selection that the inventory does not have any more.
    pub lost: u32,
    /// What is missing from the inventory it was made of, and with it perhaps from the plan.
    pub missing: Vec<Missing>,
    /// When the inventory was read.
    pub read_at: Utc,
    /// Milliseconds it would take at the pace at which the inventory was read. `null`: not known.
    pub estimate_ms: Option<u32>,
    /// Until when it may be carried out.
    pub expires_at: Utc,
    /// The reason or ticket.
    pub reason: Option<String>,
    /// Denied in advance by policy and roles.
    pub denied: Option<Denial>,
    /// The change of the organization's policy that goes with it. `null`: none.
    pub block: Option<PlanBlock>,
    /// For a plan from a file.
    pub opened: Option<OpenedPlan>,
}

/// What there is to say of a plan from a file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct OpenedPlan {
    /// The file's name, without its folder.
    pub file: String,
    /// Who made it, as the file claims: anybody can write that.
    pub author: MemberFace,
    /// When, as the file claims.
    pub created_at: Utc,
    /// Its grants that are not there any more.
    pub vanished: u32,
    /// Grants of its apps that are new since, and not in it.
    pub appeared: u32,
    /// Grants of its apps that are not in it, the new ones included.
    pub beside: u32,
    /// The sweep of it that is unfinished in this journal.
    pub unfinished: Option<String>,
    /// The sweep that carried it out already, from this journal.
    pub carried_out: Option<String>,
    /// The organization's policy is not the one that its block was made of: it will be refused.
    pub policy_changed: bool,
    /// The organization's policy cannot be read, so its block cannot be made.
    pub policy_unread: bool,
}

/// Which grants of a plan are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PlanPart {
    /// Those that it would revoke.
    #[default]
    Planned,
    /// Of a plan from a file: those that are not there any more.
    Vanished,
    /// Of a plan from a file: those that are new since, and not in it.
    Appeared,
}

/// A window of a plan's grants, in the order in which they are sent.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct PlanGrants {
    /// The rows from `offset` on.
    pub rows: Vec<GrantRow>,
    /// Rows there are.
    pub total: u32,
}

/// What a plan takes from one app or one member.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct PlanShare {
    /// The app, on the list of apps.
    pub app: Option<AppFace>,
    /// The member, on the list of members.
    pub member: Option<MemberFace>,
    /// Grants of it in the plan.
    pub grants: u32,
    /// Grants it has, by the inventory.
    pub of: u32,
}

/// Which shares are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PlanNoun {
    /// By app.
    Apps,
    /// By member.
    Members,
}

/// A window of those, the largest first.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct PlanShares {
    /// The rows from `offset` on.
    pub rows: Vec<PlanShare>,
    /// Rows there are.
    pub total: u32,
}

//! Who is signed in, until when, with which permissions, and where the session is kept. Never the session itself.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connections::Connection;
use crate::refusal::Problem;

/// Whether somebody is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionStatus {
    /// Nobody is. `ended` tells of a session that ended by itself since the last look.
    SignedOut {
        /// The session that was here ended by itself.
        ended: Option<SessionEnd>,
        /// A session is kept in the keyring but could not be checked: what went wrong. Try `session_restore` again.
        kept: Option<Problem>,
        /// Where the next session would be kept.
        keeping: Keeping,
    },
    /// Somebody is.
    SignedIn(Box<Session>),
}

/// How a session ended without being asked to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SessionEnd {
    /// When that was noticed.
    pub at: Utc,
    /// The organization it was for.
    pub organization_name: String,
    /// Stytch's request id of the answer that said so, if there was one.
    pub request_id: Option<String>,
}

/// Where the session token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Keeping {
    /// In the operating system's keyring.
    Keyring,
    /// In memory: this machine has no keyring service.
    MemoryNoKeyring,
    /// In memory: the keyring is locked.
    MemoryLocked,
    /// In memory: the keyring refused to store it.
    MemoryRefused,
    /// In memory: the keyring did not answer in time.
    MemoryTimedOut,
    /// In memory by intent: a sandbox ends with the app, so its sessions are not kept.
    MemorySandbox,
}

/// A signed-in member.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Session {
    /// Where.
    pub connection: Connection,
    /// The organization's name, which stands on every destructive button.
    pub organization_name: String,
    /// The organization's id.
    pub organization_id: String,
    /// Who.
    pub member_id: String,
    /// Their name, empty when they have none.
    pub member_name: String,
    /// Their address.
    pub member_email: String,
    /// The roles of the *session*, which is what Stytch checks.
    pub roles: Vec<String>,
    /// When the session ends, unless it is extended.
    pub expires_at: Utc,
    /// The address of the Stytch employee or project owner who impersonates this member, if one does.
    pub impersonator: Option<String>,
    /// Where the session token is kept.
    pub keeping: Keeping,
    /// When the project's policy was read. `null`: it could not be read, so nothing is known in advance.
    pub policy_read_at: Option<Utc>,
    /// What this member may do, as far as policy and roles tell.
    pub may: Permissions,
}

/// What the signed-in member may do here, each with the reason when not.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Permissions {
    /// `search` on `stytch.member`.
    pub search_members: Allowance,
    /// `get.connected-apps` on `stytch.member`.
    pub read_member_apps: Allowance,
    /// `revoke.connected-app` on `stytch.member`.
    pub revoke_member_app: Allowance,
    /// `get.connected-apps` on `stytch.self`.
    pub read_own_apps: Allowance,
    /// `revoke.connected-app` on `stytch.self`.
    pub revoke_own_app: Allowance,
}

/// One permission, judged in advance.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Allowance {
    /// What the policy says. `null`: no policy could be read; ask and see.
    pub allowed: Option<bool>,
    /// The resource, such as `stytch.member`.
    pub resource: String,
    /// The action, such as `revoke.connected-app`.
    pub action: String,
    /// The roles that hold it, by the policy.
    pub roles_that_hold_it: Vec<String>,
}

/// Where a sign-in stands after a step.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SignInStep {
    /// A code is on its way.
    CodeSent {
        /// To this address.
        email: String,
        /// And stays valid until about then.
        valid_until: Utc,
    },
    /// Several organizations, or one not yet joined: choose.
    ChooseOrganization {
        /// Those that the address leads to.
        organizations: Vec<OrganizationChoice>,
    },
    /// Signed in.
    SignedIn(Box<Session>),
    /// The organization asks for a factor that this version cannot give.
    MoreNeeded {
        /// `mfa` or `primary`.
        what: String,
        /// The methods that would do, by the names Stytch uses.
        methods: Vec<String>,
    },
}

/// One organization that the address leads to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct OrganizationChoice {
    /// Its id.
    pub organization_id: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// `active_member`, `pending_member`, `invited_member`, `eligible_to_join_by_email_domain`, … as Stytch names it.
    pub membership: String,
}

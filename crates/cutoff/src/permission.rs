//! What the signed-in member may do, judged from the project's policy and the roles of the session. It is a forecast:
//! the server decides, and the policy it uses may be newer.

use stytch_b2b::{Permission, Policy, Role};

/// One permission, judged in advance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What the policy says; `None` when no policy could be read.
    pub allowed: Option<bool>,
    /// What is asked for.
    pub needs: Permission,
    /// The roles that hold it.
    pub roles_that_hold_it: Vec<String>,
}

/// A permission that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// What is missing; `None` where Stytch documents no permission for the call.
    pub needs: Option<Permission>,
    /// The roles of the session.
    pub your_roles: Vec<String>,
    /// The roles that hold what is missing.
    pub roles_that_hold_it: Vec<String>,
    /// When the policy was read, RFC 3339.
    pub policy_read_at: Option<String>,
    /// The request id of the server's refusal; `None` when nothing was sent.
    pub request_id: Option<String>,
    /// Whether the server itself refused.
    pub asked: bool,
}

/// `search` on `stytch.member`.
#[must_use]
pub fn search_members() -> Permission {
    permission("stytch.member", "search")
}

/// `get.connected-apps` on `stytch.member`.
#[must_use]
pub fn read_member_apps() -> Permission {
    permission("stytch.member", "get.connected-apps")
}

/// `revoke.connected-app` on `stytch.member`.
#[must_use]
pub fn revoke_member_app() -> Permission {
    permission("stytch.member", "revoke.connected-app")
}

/// `get.connected-apps` on `stytch.self`.
#[must_use]
pub fn read_own_apps() -> Permission {
    permission("stytch.self", "get.connected-apps")
}

/// `revoke.connected-app` on `stytch.self`.
#[must_use]
pub fn revoke_own_app() -> Permission {
    permission("stytch.self", "revoke.connected-app")
}

/// Every action on `stytch.organization`. For a change of the connected-app policy Stytch documents no action; whoever holds all of
/// them has it.
#[must_use]
pub fn change_organization() -> Permission {
    permission("stytch.organization", "*")
}

fn permission(resource: &str, action: &str) -> Permission {
    Permission { resource: resource.into(), action: action.into() }
}

/// Judges one permission.
#[must_use]
pub fn judge(policy: Option<&Policy>, roles: &[String], custom_roles: &[Role], needs: Permission) -> Allowance {
    let Some(policy) = policy else {
        return Allowance { allowed: None, needs, roles_that_hold_it: Vec::new() };
    };
    let allowed = policy.allows(roles, custom_roles, &needs.resource, &needs.action);
    let roles_that_hold_it = policy.roles_holding(&needs.resource, &needs.action);
    Allowance { allowed: Some(allowed), needs, roles_that_hold_it }
}

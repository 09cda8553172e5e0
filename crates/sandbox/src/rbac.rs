//! The project's RBAC policy and the one question asked of it. Not a place where sessions or members are looked up.

use serde_json::{Value, json};

/// Every member has this role and it cannot be taken away.
pub const MEMBER: &str = "stytch_member";
pub const ADMIN: &str = "stytch_admin";
pub const READER: &str = "app_reader";
pub const RESPONDER: &str = "security_responder";

struct Role {
    id: &'static str,
    description: &'static str,
    permissions: &'static [(&'static str, &'static [&'static str])],
}

const ROLES: &[Role] = &[
    Role {
        id: MEMBER,
        description: "Granted to every member of an organization.",
        permissions: &[("stytch.self", &["*"])],
    },
    Role {
        id: ADMIN,
        description: "Granted to members who administer the organization.",
        permissions: &[
            ("stytch.organization", &["*"]),
            ("stytch.member", &["*"]),
            ("stytch.sso", &["*"]),
            ("stytch.scim", &["*"]),
            ("stytch.self", &["*"]),
        ],
    },
    Role {
        id: READER,
        description: "Sees which connected apps act for which members, and changes nothing.",
        permissions: &[("stytch.member", &["search", "get.connected-apps"])],
    },
    Role {
        id: RESPONDER,
        description: "Cuts connected apps off when an incident calls for it.",
        permissions: &[("stytch.member", &["search", "get.connected-apps", "revoke.connected-app", "revoke-sessions"])],
    },
];

/// Resources and actions in the hyphenated spelling of the official web SDK.
const RESOURCES: &[(&str, &str, &[&str])] = &[
    (
        "stytch.organization",
        "The organization and its settings.",
        &[
            "update.info.name",
            "update.info.slug",
            "update.info.logo-url",
            "update.settings.allowed-auth-methods",
            "update.settings.allowed-mfa-methods",
            "update.settings.email-jit-provisioning",
            "update.settings.email-invites",
            "update.settings.allowed-domains",
            "update.settings.default-sso-connection",
            "update.settings.sso-jit-provisioning",
            "update.settings.mfa-policy",
            "update.settings.implicit-roles",
            "update.settings.oauth-tenant-jit-provisioning",
            "update.settings.allowed-oauth-tenants",
            "delete",
        ],
    ),
    (
        "stytch.member",
        "The members of the organization.",
        &[
            "create",
            "search",
            "delete",
            "update.info.name",
            "update.info.email",
            "update.info.untrusted-metadata",
            "update.info.mfa-phone",
            "update.info.delete.mfa-phone",
            "update.info.delete.mfa-totp",
            "update.info.delete.password",
            "update.info.unlink.retired-email",
            "update.settings.is-breakglass",
            "update.settings.mfa-enrolled",
            "update.settings.default-mfa-method",
            "update.settings.roles",
            "revoke-sessions",
            "get.connected-apps",
            "revoke.connected-app",
        ],
    ),
    (
        "stytch.self",
        "The member who is signed in.",
        &[
            "delete",
            "update.info.name",
            "update.info.email",
            "update.info.untrusted-metadata",
            "update.info.mfa-phone",
            "update.info.delete.mfa-phone",
            "update.info.delete.mfa-totp",
            "update.info.delete.password",
            "update.info.unlink.retired-email",
            "update.settings.mfa-enrolled",
            "update.settings.default-mfa-method",
            "revoke-sessions",
            "get.connected-apps",
            "revoke.connected-app",
        ],
    ),
    ("stytch.sso", "The single sign-on connections.", &["create", "get", "update", "delete"]),
    ("stytch.scim", "The SCIM connection.", &["create", "get", "update", "delete"]),
];

/// Does the policy know this role?
pub fn is_role(id: &str) -> bool {
    ROLES.iter().any(|role| role.id == id)
}

/// May somebody with these roles do this? An unknown role gives nothing; `*` stands for all actions of one resource.
pub fn allowed<'a>(roles: impl IntoIterator<Item = &'a str>, resource: &str, action: &str) -> bool {
    roles.into_iter().any(|id| {
        ROLES.iter().filter(|role| role.id == id).any(|role| {
            role.permissions
                .iter()
                .any(|(on, actions)| *on == resource && actions.iter().any(|a| *a == action || *a == "*"))
        })
    })
}

/// The policy as bootstrap sends it.
pub fn policy() -> Value {
    json!({
        "roles": ROLES.iter().map(|role| json!({
            "role_id": role.id,
            "description": role.description,
            "permissions": role.permissions.iter()
                .map(|(resource, actions)| json!({"resource_id": resource, "actions": actions}))
                .collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "resources": RESOURCES.iter().map(|(id, description, actions)| json!({
            "resource_id": id, "description": description, "actions": actions,
        })).collect::<Vec<_>>(),
        "scopes": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_apps_and_cannot_cut_them_off() {
        let roles = [MEMBER, READER];
        assert!(allowed(roles, "stytch.member", "get.connected-apps"));
        assert!(allowed(roles, "stytch.member", "search"));
        assert!(!allowed(roles, "stytch.member", "revoke.connected-app"));
        assert!(allowed(roles, "stytch.self", "revoke.connected-app"), "one's own apps stay one's own");
    }

    #[test]
    fn an_unknown_role_and_a_wildcard_resource_give_nothing() {
        assert!(!allowed(["owner_of_everything"], "stytch.member", "search"));
        assert!(!allowed([ADMIN], "*", "search"));
    }
}

//! The project's policy: which role may do what. It judges nothing but what the policy says; the server decides.

use serde::Deserialize;

use crate::lenient;

/// The roles, resources and actions of a project, as bootstrap tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Policy {
    /// The roles of the project. An organization may add its own.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub roles: Vec<Role>,
    /// What there is to do.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub resources: Vec<Resource>,
}

/// A role and what it holds. Also the form of an organization's custom role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// Such as `stytch_admin`.
    pub role_id: String,
    /// The owner's words.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// What it holds.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub permissions: Vec<RolePermission>,
}

/// Actions on one resource that a role holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RolePermission {
    /// Such as `stytch.member`.
    pub resource_id: String,
    /// The actions; `*` stands for all of the resource's.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub actions: Vec<String>,
}

/// Something that can be acted on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// Such as `stytch.member`.
    pub resource_id: String,
    /// The owner's words.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// What can be done to it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub actions: Vec<String>,
}

impl Role {
    /// Whether the role holds the action. `*` counts as every action, but never as every resource.
    pub fn allows(&self, resource: &str, action: &str) -> bool {
        self.permissions.iter().any(|permission| {
            permission.resource_id == resource && permission.actions.iter().any(|held| held == action || held == "*")
        })
    }
}

impl Policy {
    /// Whether any of `roles` holds the action. Take the roles of the member *session*, not of the member.
    ///
    /// Roles unknown to the policy count for nothing. A custom role of the organization stands before a project role of
    /// the same id, and of two with one id the later counts: so it is in the official web SDK.
    pub fn allows(&self, roles: &[String], custom_roles: &[Role], resource: &str, action: &str) -> bool {
        roles.iter().any(|id| {
            let mut known = self.roles.iter().chain(custom_roles).rev();
            known.find(|role| role.role_id == *id).is_some_and(|role| role.allows(resource, action))
        })
    }

    /// The project's roles that hold the action, in the policy's order: whom to ask for it.
    pub fn roles_holding(&self, resource: &str, action: &str) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for role in &self.roles {
            if !ids.contains(&role.role_id) && self.allows(std::slice::from_ref(&role.role_id), &[], resource, action) {
                ids.push(role.role_id.clone());
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: &str, resource: &str, actions: &[&str]) -> Role {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        let permissions = vec![RolePermission { resource_id: resource.to_owned(), actions }];
        Role { role_id: id.to_owned(), description: String::new(), permissions }
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_role_is_judged_as_the_official_sdk_judges_it() {
        let policy = Policy {
            roles: vec![
                role("stytch_admin", "stytch.member", &["*"]),
                role("reader", "stytch.member", &["search", "get.connected-apps"]),
                role("everything", "*", &["*"]),
            ],
            resources: Vec::new(),
        };
        let may =
            |roles: &[&str], custom: &[Role], action: &str| policy.allows(&ids(roles), custom, "stytch.member", action);
        assert!(may(&["stytch_admin"], &[], "revoke.connected-app"), "a star holds every action");
        assert!(may(&["reader"], &[], "search") && !may(&["reader"], &[], "revoke.connected-app"));
        assert!(!may(&["everything"], &[], "search"), "a star is no resource");
        assert!(!may(&["nobody_knows"], &[], "search") && !may(&[], &[], "search"));
        let custom = [role("reader", "stytch.member", &["revoke.connected-app"])];
        assert!(may(&["reader"], &custom, "revoke.connected-app"), "the organization's own role counts");
        assert!(!may(&["reader"], &custom, "search"), "and stands in place of the project's");
        assert_eq!(policy.roles_holding("stytch.member", "search"), ids(&["stytch_admin", "reader"]));
        assert_eq!(policy.roles_holding("stytch.scim", "get"), ids(&[]));
    }
}

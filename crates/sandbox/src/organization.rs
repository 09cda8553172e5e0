//! Organizations: one's own, and the look-up by slug of a sign-in page.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::caller::{Caller, Fields, Signed};
use crate::reply::{Refusal, data, object};
use crate::world::{Organization, State, rfc3339};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/organizations/me", get(own))
        .route("/sdk/v1/b2b/organizations/search", post(by_slug))
}

async fn own(Held(state): Held<State>, signed: Signed) -> Response {
    let world = state.world();
    data(object(json!({"organization": json_of(&world.organizations[signed.organization])})))
}

async fn by_slug(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let slug = fields.text("organization_slug")?;
    let world = state.world();
    let found = world.organizations.iter().find(|organization| organization.slug == slug).map(|organization| {
        json!({
            "organization_id": organization.id,
            "organization_name": organization.name,
            "organization_slug": organization.slug,
            "organization_logo_url": "",
            "sso_active_connections": [],
            "sso_default_connection_id": null,
            "email_jit_provisioning": "NOT_ALLOWED",
            "email_allowed_domains": [],
            "email_invites": "ALL_ALLOWED",
            "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
            "allowed_oauth_tenants": {},
            "auth_methods": "ALL_ALLOWED",
            "allowed_auth_methods": [],
            "mfa_policy": "OPTIONAL",
        })
    });
    Ok(data(object(json!({ "organization": found }))))
}

/// The whole organization object.
pub fn json_of(organization: &Organization) -> Value {
    json!({
        "organization_id": organization.id,
        "organization_name": organization.name,
        "organization_slug": organization.slug,
        "organization_logo_url": "",
        "organization_external_id": null,
        "trusted_metadata": {},
        "custom_roles": [],
        "created_at": rfc3339(organization.created_at),
        "updated_at": rfc3339(organization.updated_at),
        "sso_default_connection_id": null,
        "sso_active_connections": [],
        "scim_active_connection": null,
        "sso_jit_provisioning": "NOT_ALLOWED",
        "sso_jit_provisioning_allowed_connections": [],
        "email_allowed_domains": [],
        "claimed_email_domains": [],
        "email_jit_provisioning": "NOT_ALLOWED",
        "email_invites": "ALL_ALLOWED",
        "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
        "allowed_oauth_tenants": {},
        "auth_methods": "ALL_ALLOWED",
        "allowed_auth_methods": [],
        "mfa_policy": "OPTIONAL",
        "mfa_methods": "ALL_ALLOWED",
        "allowed_mfa_methods": [],
        "rbac_email_implicit_role_assignments": [],
        "first_party_connected_apps_allowed_type": organization.first_party.allowed_type,
        "allowed_first_party_connected_apps": organization.first_party.allowed,
        "third_party_connected_apps_allowed_type": organization.third_party.allowed_type,
        "allowed_third_party_connected_apps": organization.third_party.allowed,
    })
}

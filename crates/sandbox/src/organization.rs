//! Organizations: one's own, its change, and the look-up by slug of a sign-in page.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::caller::{Caller, Fields, Signed};
use crate::policy::{AllowanceChange, WORDS};
use crate::reply::{Refusal, data, object};
use crate::world::{Organization, State, World, rfc3339};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/organizations/me", get(own).put(change))
        .route("/sdk/v1/b2b/organizations/search", post(by_slug))
}

async fn own(Held(state): Held<State>, signed: Signed) -> Response {
    let world = state.world();
    data(object(json!({"organization": json_of(&world.organizations[signed.organization])})))
}

/// The fields that can be changed, and the action that each is checked for. For the policy and the external id Stytch
/// documents none: the sandbox asks for all of them.
const CHANGEABLE: &[(&str, &str)] = &[
    ("organization_name", "update.info.name"),
    ("organization_slug", "update.info.slug"),
    ("organization_logo_url", "update.info.logo-url"),
    ("organization_external_id", "*"),
    ("first_party_connected_apps_allowed_type", "*"),
    ("allowed_first_party_connected_apps", "*"),
    ("third_party_connected_apps_allowed_type", "*"),
    ("allowed_third_party_connected_apps", "*"),
];

/// Takes all of a change or nothing of it. What is not sent stays.
async fn change(Held(state): Held<State>, signed: Signed, fields: Fields) -> Result<Response, Refusal> {
    if fields.names().any(|name| name == "trusted_metadata") {
        return Err(Refusal::api(
            401,
            "cannot_update_trusted_metadata",
            "Trusted metadata cannot be updated from a frontend SDK.",
        ));
    }
    let mut actions = Vec::new();
    for name in fields.names() {
        let Some((_, action)) = CHANGEABLE.iter().find(|(changeable, _)| *changeable == name) else {
            return Err(Refusal::schema(
                "additionalProperties",
                "",
                json!({"additionalProperty": name}),
                "should NOT have additional properties",
            ));
        };
        actions.push(*action);
    }
    let name = filled(&fields, "organization_name")?;
    let slug = filled(&fields, "organization_slug")?;
    let logo_url = fields.optional_text("organization_logo_url")?;
    let external_id = fields.optional_text("organization_external_id")?;
    let first_party = AllowanceChange {
        allowed_type: word(&fields, "first_party_connected_apps_allowed_type")?,
        allowed: fields.optional_texts("allowed_first_party_connected_apps")?,
    };
    let third_party = AllowanceChange {
        allowed_type: word(&fields, "third_party_connected_apps_allowed_type")?,
        allowed: fields.optional_texts("allowed_third_party_connected_apps")?,
    };
    if signed.in_force.faults.sdk_endpoint_off {
        return Err(Refusal::endpoint_off());
    }
    for action in actions {
        signed.may("stytch.organization", action)?;
    }

    let mut world = state.world();
    let now_ms = state.now_ms();
    let number = signed.organization;
    if let Some(slug) = slug
        && (world.organizations.iter().enumerate()).any(|(other, entry)| other != number && entry.slug == slug)
    {
        return Err(Refusal::api(400, "organization_slug_already_used", "The organization slug is already in use."));
    }
    let entry = &mut world.organizations[number];
    let touched = [name, slug, logo_url, external_id].iter().any(Option::is_some);
    if let Some(name) = name {
        entry.name = name.to_owned();
    }
    if let Some(slug) = slug {
        entry.slug = slug.to_owned();
    }
    if let Some(logo_url) = logo_url {
        entry.logo_url = logo_url.to_owned();
    }
    if let Some(external_id) = external_id {
        entry.external_id = Some(external_id.to_owned());
    }
    if touched {
        entry.updated_at = Timestamp::now();
    }
    let names_policy = fields.names().any(|name| name.contains("connected_apps"));
    let row = names_policy.then(|| {
        let policy = world.organizations[number].policies.now().with(first_party, third_party);
        let after = policy.fields();
        let before = world.change_policy(number, policy, now_ms, signed.in_force.faults.policy_revokes);
        let World { ledger, members, .. } = &mut *world;
        ledger.policy_changed(&members[signed.member as usize].id, before.fields(), after)
    });
    let mut response = data(object(json!({"organization": json_of(&world.organizations[number])})));
    if let Some(row) = row {
        response.extensions_mut().insert(row);
    }
    Ok(response)
}

/// A text that must not be empty when it is sent.
fn filled<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a str>, Refusal> {
    match fields.optional_text(name)? {
        Some("") => Err(Refusal::schema(
            "minLength",
            &format!(".{name}"),
            json!({"limit": 1}),
            "should NOT be shorter than 1 characters",
        )),
        given => Ok(given),
    }
}

/// One of the words of an allowed type.
fn word(fields: &Fields, name: &str) -> Result<Option<String>, Refusal> {
    match fields.optional_text(name)? {
        Some(word) if !WORDS.contains(&word) => Err(Refusal::schema(
            "enum",
            &format!(".{name}"),
            json!({"allowedValues": WORDS}),
            "should be equal to one of the allowed values",
        )),
        given => Ok(given.map(str::to_owned)),
    }
}

async fn by_slug(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let slug = fields.text("organization_slug")?;
    let world = state.world();
    let found = world.organizations.iter().find(|organization| organization.slug == slug).map(|organization| {
        json!({
            "organization_id": organization.id,
            "organization_name": organization.name,
            "organization_slug": organization.slug,
            "organization_logo_url": organization.logo_url,
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
    let mut fields = object(json!({
        "organization_id": organization.id,
        "organization_name": organization.name,
        "organization_slug": organization.slug,
        "organization_logo_url": organization.logo_url,
        "organization_external_id": organization.external_id,
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
    }));
    fields.append(&mut organization.policies.now().fields());
    Value::Object(fields)
}

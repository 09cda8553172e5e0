//! The first call of every client: the project's settings and its RBAC policy.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::caller::{Caller, Segments};
use crate::rbac;
use crate::reply::{Refusal, data, object};
use crate::world::State;

pub fn routes() -> Router<State> {
    Router::new().route("/sdk/v1/projects/bootstrap/{public_token}", get(bootstrap))
}

async fn bootstrap(
    Held(state): Held<State>,
    _: Caller,
    Segments(public_token): Segments<String>,
) -> Result<Response, Refusal> {
    if public_token != state.facts().public_token {
        return Err(Refusal::api(404, "public_token_not_found", "The public token could not be found."));
    }
    Ok(data(object(json!({
        "project_name": state.facts().project_name,
        "vertical": "B2B",
        "disable_sdk_watermark": false,
        "cname_domain": null,
        "email_domains": ["stytch.com"],
        "captcha_settings": {"enabled": false},
        "pkce_required_for_email_magic_links": false,
        "pkce_required_for_password_resets": false,
        "pkce_required_for_oauth": false,
        "pkce_required_for_sso": false,
        "slug_pattern": null,
        "create_organization_enabled": false,
        "password_config": null,
        "dfp_protected_auth_enabled": false,
        "dfp_protected_auth_mode": null,
        "rbac_policy": rbac::policy(),
        "siwe_required_for_crypto_wallets": false,
    }))))
}

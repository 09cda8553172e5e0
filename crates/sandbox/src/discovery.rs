//! Discovery: which organizations an address belongs to, and the exchange of an intermediate session for a full one.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::caller::{Caller, Fields};
use crate::reply::{Refusal, data, object};
use crate::world::{State, Status, World};
use crate::{members, organization, sessions};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/discovery/organizations", post(list))
        .route("/sdk/v1/b2b/discovery/intermediate_sessions/exchange", post(exchange))
}

/// By an intermediate session in the body or a session in the header; exactly one of them.
async fn list(Held(state): Held<State>, caller: Caller, fields: Fields) -> Result<Response, Refusal> {
    let email = match fields.optional_text("intermediate_session_token")? {
        Some(_) if caller.has_session() => {
            return Err(Refusal::api(
                400,
                "too_many_session_arguments",
                "Only one of an intermediate session and a session may be given.",
            ));
        }
        Some(token) => email_behind(&state.world(), token)?,
        None => {
            let signed = caller.signed(&state)?;
            state.world().members[signed.member as usize].email.clone()
        }
    };
    let found = found(&state.world(), &email);
    Ok(data(object(json!({
        "email_address": email,
        "discovered_organizations": found,
        "organization_id_hint": null,
    }))))
}

async fn exchange(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let token = fields.text("intermediate_session_token")?;
    let organization_id = fields.text("organization_id")?;
    let minutes = sessions::duration(&state, fields.whole("session_duration_minutes")?)?;
    let mut world = state.world();
    let email = email_behind(&world, token)?;
    let organization = world.organization_by_id(organization_id).ok_or_else(Refusal::organization_not_found)?;
    let member = *world.member_by_email.get(&(organization, email.to_lowercase())).ok_or_else(|| {
        Refusal::api(
            400,
            "invalid_intermediate_session_token_for_organization",
            "The intermediate session cannot be used to join this organization.",
        )
    })?;
    world.intermediate.remove(token);
    Ok(data(sessions::sign_in(&mut world, &state, member, minutes)))
}

fn email_behind(world: &World, token: &str) -> Result<String, Refusal> {
    world
        .intermediate
        .get(token)
        .filter(|held| held.expires_at > Timestamp::now())
        .map(|held| held.email.clone())
        .ok_or_else(|| {
            Refusal::api(404, "intermediate_session_not_found", "The intermediate session could not be found.")
        })
}

/// Every organization with a member of this address.
pub fn found(world: &World, email: &str) -> Vec<Value> {
    let email = email.to_lowercase();
    world
        .organizations
        .iter()
        .enumerate()
        .filter_map(|(number, entry)| {
            let member = *world.member_by_email.get(&(number, email.clone()))?;
            let member = &world.members[member as usize];
            let roles: Vec<String> = member.role_ids().map(str::to_owned).collect();
            let kind = match member.status {
                Status::Pending => "pending_member",
                Status::Invited => "invited_member",
                Status::Active => "active_member",
                Status::Deleted => return None,
            };
            Some(json!({
                "organization": organization::json_of(entry),
                "membership": {"type": kind, "details": null, "member": members::json_of(member, &roles)},
                "member_authenticated": true,
                "primary_required": null,
                "mfa_required": null,
            }))
        })
        .collect()
}

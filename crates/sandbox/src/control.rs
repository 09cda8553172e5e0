//! The control side, below an unguessable path: inbox, faults, ledger, and what happens outside the API (a member consents
//! again, is deleted, gets other roles; the organization's policy changes). No part of Stytch's API, no fault, no ledger row.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State as Held};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::grants::{Glass, MemberNo};
use crate::ledger::{Call, Revocation};
use crate::rbac;
use crate::reply::respond;
use crate::world::{Allowance, State, Status, World};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/inbox", get(inbox))
        .route("/faults", get(present_faults).post(set_faults))
        .route("/ledger", get(ledger))
        .route("/consent", post(consent))
        .route("/delete_member", post(delete_member))
        .route("/roles", post(roles))
        .route("/policy", post(policy))
}

/// A control request that makes no sense, with the sentence that says why.
struct Nonsense(String);

impl IntoResponse for Nonsense {
    fn into_response(self) -> Response {
        respond(400, &json!({"error": self.0}))
    }
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Nonsense> {
    serde_json::from_slice(bytes).map_err(|error| Nonsense(error.to_string()))
}

async fn inbox(Held(state): Held<State>) -> Response {
    respond(200, &json!(state.world().inbox))
}

async fn present_faults(Held(state): Held<State>) -> Response {
    respond(200, &state.world().settings.present())
}

async fn set_faults(Held(state): Held<State>, bytes: Bytes) -> Result<Response, Nonsense> {
    let patch: Map<String, Value> = read(&bytes)?;
    let mut world = state.world();
    world.settings.change(&patch).map_err(Nonsense)?;
    Ok(respond(200, &world.settings.present()))
}

#[derive(Deserialize)]
struct LedgerOf {
    organization_id: Option<String>,
}

async fn ledger(Held(state): Held<State>, Query(of): Query<LedgerOf>) -> Result<Response, Nonsense> {
    let now_ms = state.now_ms();
    let world = state.world();
    let organization = organization(&state, &world, of.organization_id.as_deref())?;
    Ok(respond(200, &truth(&world, organization, now_ms)))
}

/// The whole ledger: the grants of one organization that live now, all calls, all revokes. Borrowed, since a large
/// sandbox has tens of thousands of grants.
#[derive(Serialize)]
struct Truth<'a> {
    grants: Vec<Grant<'a>>,
    calls: &'a [Call],
    revocations: &'a [Revocation],
}

#[derive(Serialize)]
struct Grant<'a> {
    member_id: &'a str,
    connected_app_id: &'a str,
    scopes: &'a [String],
}

fn truth(world: &World, organization: usize, now_ms: i64) -> Truth<'_> {
    let mut grants = Vec::new();
    for (number, member) in world.members.iter().enumerate() {
        if member.organization != organization {
            continue;
        }
        for (app, scopes) in world.grants.of_member(number as MemberNo, Glass::truth(now_ms)) {
            grants.push(Grant {
                member_id: &member.id,
                connected_app_id: &world.apps[app as usize].id,
                scopes: scopes.as_slice(),
            });
        }
    }
    Truth { grants, calls: &world.ledger.calls, revocations: &world.ledger.revocations }
}

fn organization(state: &State, world: &World, id: Option<&str>) -> Result<usize, Nonsense> {
    match id {
        None => Ok(state.facts().organization),
        Some(id) => world.organization_by_id(id).ok_or_else(|| Nonsense("there is no such organization".into())),
    }
}

fn member(world: &World, id: &str) -> Result<MemberNo, Nonsense> {
    let number = world.member_by_id.get(id).copied();
    number
        .filter(|number| world.members[*number as usize].status != Status::Deleted)
        .ok_or_else(|| Nonsense("there is no such member, or no longer".into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    member_id: String,
    connected_app_id: String,
    scopes: Vec<String>,
}

async fn consent(Held(state): Held<State>, bytes: Bytes) -> Result<Response, Nonsense> {
    let asked: Consent = read(&bytes)?;
    let now_ms = state.now_ms();
    let mut world = state.world();
    let member = member(&world, &asked.member_id)?;
    let app = *world
        .app_by_id
        .get(&asked.connected_app_id)
        .ok_or_else(|| Nonsense("there is no such connected app".into()))?;
    if !world.admits(world.members[member as usize].organization, app) {
        return Err(Nonsense("the organization's policy forbids this app, so nobody can consent to it".into()));
    }
    let answer = json!({
        "member_id": asked.member_id, "connected_app_id": asked.connected_app_id, "scopes": asked.scopes,
    });
    world.grants.give(app, member, Arc::new(asked.scopes), now_ms);
    Ok(respond(200, &answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deleted {
    member_id: String,
}

async fn delete_member(Held(state): Held<State>, bytes: Bytes) -> Result<Response, Nonsense> {
    let asked: Deleted = read(&bytes)?;
    let now_ms = state.now_ms();
    let mut world = state.world();
    let member = member(&world, &asked.member_id)?;
    world.delete_member(member, now_ms);
    Ok(respond(200, &json!({"member_id": asked.member_id, "status": "deleted"})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    member_id: String,
    roles: Vec<String>,
}

async fn roles(Held(state): Held<State>, bytes: Bytes) -> Result<Response, Nonsense> {
    let asked: Roles = read(&bytes)?;
    if let Some(unknown) = asked.roles.iter().find(|role| !rbac::is_role(role)) {
        return Err(Nonsense(format!("the policy has no role {unknown:?}")));
    }
    let mut world = state.world();
    let member = member(&world, &asked.member_id)?;
    let entry = &mut world.members[member as usize];
    entry.roles = asked.roles.into_iter().filter(|role| role != rbac::MEMBER).collect();
    entry.updated_at = Timestamp::now();
    let now: Vec<&str> = entry.role_ids().collect();
    Ok(respond(200, &json!({"member_id": entry.id, "roles": now})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    organization_id: Option<String>,
    first_party_connected_apps_allowed_type: Option<String>,
    allowed_first_party_connected_apps: Option<Vec<String>>,
    third_party_connected_apps_allowed_type: Option<String>,
    allowed_third_party_connected_apps: Option<Vec<String>>,
}

async fn policy(Held(state): Held<State>, bytes: Bytes) -> Result<Response, Nonsense> {
    let asked: Policy = read(&bytes)?;
    for word in [&asked.first_party_connected_apps_allowed_type, &asked.third_party_connected_apps_allowed_type]
        .into_iter()
        .flatten()
    {
        if !["ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"].contains(&word.as_str()) {
            return Err(Nonsense(format!("{word:?} is no allowed type")));
        }
    }
    let mut world = state.world();
    let organization = organization(&state, &world, asked.organization_id.as_deref())?;
    let entry = &mut world.organizations[organization];
    change(
        &mut entry.first_party,
        asked.first_party_connected_apps_allowed_type,
        asked.allowed_first_party_connected_apps,
    );
    change(
        &mut entry.third_party,
        asked.third_party_connected_apps_allowed_type,
        asked.allowed_third_party_connected_apps,
    );
    entry.updated_at = Timestamp::now();
    Ok(respond(
        200,
        &json!({
            "organization_id": entry.id,
            "first_party_connected_apps_allowed_type": entry.first_party.allowed_type,
            "allowed_first_party_connected_apps": entry.first_party.allowed,
            "third_party_connected_apps_allowed_type": entry.third_party.allowed_type,
            "allowed_third_party_connected_apps": entry.third_party.allowed,
        }),
    ))
}

fn change(allowance: &mut Allowance, allowed_type: Option<String>, allowed: Option<Vec<String>>) {
    if let Some(allowed_type) = allowed_type {
        allowance.allowed_type = allowed_type;
    }
    if let Some(allowed) = allowed {
        allowance.allowed = allowed;
    }
}

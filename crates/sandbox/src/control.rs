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

use crate::come_backs::CONSENT_PATH;
use crate::grants::{Glass, MemberNo};
use crate::ledger::{Call, PolicyChange, Revocation};
use crate::policy::{AllowanceChange, WORDS};
use crate::rbac;
use crate::reply::{object, respond};
use crate::world::{State, Status, World};

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
    if patch.get("reconsent_after_ms").is_some_and(Value::is_null) {
        world.come_backs.clear();
    }
    Ok(respond(200, &world.settings.present()))
}

#[derive(Deserialize)]
struct LedgerOf {
    organization_id: Option<String>,
}

async fn ledger(Held(state): Held<State>, Query(of): Query<LedgerOf>) -> Result<Response, Nonsense> {
    let world = state.world();
    let now_ms = state.now_ms();
    let organization = organization(&state, &world, of.organization_id.as_deref())?;
    Ok(respond(200, &truth(&world, organization, now_ms)))
}

/// The whole ledger: the grants of one organization that live now, all calls, all
/// revokes, all changes of a policy through the API. Borrowed, since a large
/// sandbox has tens of thousands of grants.
#[derive(Serialize)]
struct Truth<'a> {
    grants: Vec<Grant<'a>>,
    calls: &'a [Call],
    revocations: &'a [Revocation],
    policy_changes: &'a [PolicyChange],
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
    let ledger = &world.ledger;
    Truth { grants, calls: &ledger.calls, revocations: &ledger.revocations, policy_changes: &ledger.policy_changes }
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
    let mut world = state.world();
    let now_ms = state.now_ms();
    let member = member(&world, &asked.member_id)?;
    let app = *world
        .app_by_id
        .get(&asked.connected_app_id)
        .ok_or_else(|| Nonsense("there is no such connected app".into()))?;
    let known_at = world.settings.for_path(CONSENT_PATH).faults.policy_at(now_ms);
    if !world.admits(world.members[member as usize].organization, app, known_at) {
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
        if !WORDS.contains(&word.as_str()) {
            return Err(Nonsense(format!("{word:?} is no allowed type")));
        }
    }
    let mut world = state.world();
    let now_ms = state.now_ms();
    let organization = organization(&state, &world, asked.organization_id.as_deref())?;
    let policy = world.organizations[organization].policies.now().with(
        AllowanceChange {
            allowed_type: asked.first_party_connected_apps_allowed_type,
            allowed: asked.allowed_first_party_connected_apps,
        },
        AllowanceChange {
            allowed_type: asked.third_party_connected_apps_allowed_type,
            allowed: asked.allowed_third_party_connected_apps,
        },
    );
    let mut answer = object(json!({"organization_id": world.organizations[organization].id}));
    answer.append(&mut policy.fields());
    let revokes = world.settings.for_path("/policy").faults.policy_revokes;
    world.change_policy(organization, policy, now_ms, revokes);
    Ok(respond(200, &answer))
}

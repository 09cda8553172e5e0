//! Connected apps: the organization's list, one app with its members, a member's and one's own, and the two revokes.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use crate::caller::{Fields, Segments, Signed};
use crate::come_backs::ComeBack;
use crate::grants::{AppNo, MemberNo, Side};
use crate::ledger::Effect;
use crate::reply::{Refusal, data, done, object};
use crate::world::{App, Logo, State, World};

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/organizations/connected_apps", get(of_organization))
        .route("/sdk/v1/b2b/organizations/connected_apps/{connected_app_id}", get(one))
        .route("/sdk/v1/b2b/organizations/members/connected_apps", get(own))
        .route("/sdk/v1/b2b/organizations/members/{member_id}/connected_apps", get(of_member))
        .route("/sdk/v1/b2b/organizations/members/connected_apps/{connected_app_id}/revoke", post(revoke_own))
        .route("/sdk/v1/b2b/organizations/members/{member_id}/connected_apps/{connected_app_id}/revoke", post(revoke))
}

/// Any member may read this; Stytch documents no permission for it.
async fn of_organization(Held(state): Held<State>, signed: Signed) -> Response {
    let faults = &signed.in_force.faults;
    let world = state.world();
    let (glass, now_ms) = (state.glass(Side::App, faults), state.now_ms());
    let rows: Vec<Value> = (0..world.apps.len() as AppNo)
        .filter(|app| world.lists(signed.organization, *app, faults, now_ms))
        .filter(|app| {
            world
                .grants
                .of_app(*app, glass)
                .any(|(member, _)| world.members[member as usize].organization == signed.organization)
        })
        .take(faults.cap())
        .map(|app| Value::Object(row(&world.apps[app as usize])))
        .collect();
    data(object(json!({ "connected_apps": rows })))
}

async fn one(
    Held(state): Held<State>,
    signed: Signed,
    Segments(app_id): Segments<String>,
) -> Result<Response, Refusal> {
    let faults = &signed.in_force.faults;
    let world = state.world();
    let (glass, now_ms) = (state.glass(Side::App, faults), state.now_ms());
    let app = world.app(&app_id)?;
    // Documented is that a forbidden app leaves the list of installed ones; of its own view nothing is said, so that is a setting.
    if faults.hides_view() && !world.lists(signed.organization, app, faults, now_ms) {
        return Err(Refusal::app_not_found());
    }
    let active: Vec<Value> = world
        .grants
        .of_app(app, glass)
        .filter_map(|(number, scopes)| {
            let member = &world.members[number as usize];
            (member.organization == signed.organization)
                .then(|| json!({"member_id": member.id, "granted_scopes": scopes.as_slice()}))
        })
        .take(faults.cap())
        .collect();
    if active.is_empty() && faults.app_404_when_empty {
        return Err(Refusal::app_not_found());
    }
    let mut fields = row(&world.apps[app as usize]);
    fields.insert("active_members".into(), Value::Array(active));
    Ok(data(fields))
}

async fn own(Held(state): Held<State>, signed: Signed) -> Result<Response, Refusal> {
    signed.may("stytch.self", "get.connected-apps")?;
    Ok(list(&state, &signed, &state.world(), signed.member))
}

async fn of_member(
    Held(state): Held<State>,
    signed: Signed,
    Segments(member_id): Segments<String>,
) -> Result<Response, Refusal> {
    signed.may("stytch.member", "get.connected-apps")?;
    let world = state.world();
    let member = world.member_in(signed.organization, &member_id)?;
    Ok(list(&state, &signed, &world, member))
}

fn list(state: &State, signed: &Signed, world: &World, member: MemberNo) -> Response {
    let faults = &signed.in_force.faults;
    let (glass, now_ms) = (state.glass(Side::Member, faults), state.now_ms());
    let rows: Vec<Value> = world
        .grants
        .of_member(member, glass)
        .filter(|(app, _)| world.lists(signed.organization, *app, faults, now_ms))
        .map(|(app, scopes)| {
            let mut fields = row(&world.apps[app as usize]);
            // One text here, a list in the app's view: both are what the API documents.
            fields.insert("scopes_granted".into(), json!(scopes.join(" ")));
            Value::Object(fields)
        })
        .collect();
    data(object(json!({ "connected_apps": rows })))
}

async fn revoke_own(
    Held(state): Held<State>,
    signed: Signed,
    Segments(app_id): Segments<String>,
    _: Fields,
) -> Result<Response, Refusal> {
    signed.may("stytch.self", "revoke.connected-app")?;
    let member = signed.member;
    cut_off(&state, &signed, |_| Ok(member), &app_id)
}

async fn revoke(
    Held(state): Held<State>,
    signed: Signed,
    Segments((member_id, app_id)): Segments<(String, String)>,
    _: Fields,
) -> Result<Response, Refusal> {
    signed.may("stytch.member", "revoke.connected-app")?;
    let organization = signed.organization;
    cut_off(&state, &signed, |world| world.member_in(organization, &member_id), &app_id)
}

/// Ends the grant and writes the ledger's row under one lock, so that no reader sees the one without the other.
/// A policy that forbids the app does not keep its grants from being revoked.
fn cut_off(
    state: &State,
    signed: &Signed,
    whose: impl FnOnce(&World) -> Result<MemberNo, Refusal>,
    app_id: &str,
) -> Result<Response, Refusal> {
    let faults = &signed.in_force.faults;
    let mut world = state.world();
    let now_ms = state.now_ms();
    let member = whose(&world)?;
    let app = world.app(app_id)?;
    let scopes = world.grants.revoke(app, member, now_ms);
    let removed = scopes.is_some();
    if let (Some(scopes), Some(after_ms)) = (scopes, faults.reconsent_after_ms) {
        let due_ms = now_ms.saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
        let new_client_id = faults.reconsent_new_client_id;
        world.come_backs.add(ComeBack { due_ms, app, member, scopes, new_client_id });
    }
    let effect = if removed { Effect::Removed } else { Effect::Nothing };
    let World { ledger, members, .. } = &mut *world;
    let row = ledger.revoke_handled(Some(&members[member as usize].id), app_id, effect);
    let mut response = match removed || !faults.second_revoke_404 {
        true => done(),
        false => axum::response::IntoResponse::into_response(Refusal::app_not_found()),
    };
    response.extensions_mut().insert(row);
    Ok(response)
}

fn row(app: &App) -> Map<String, Value> {
    let mut fields = object(json!({
        "connected_app_id": app.id,
        "name": app.name,
        "description": app.description,
        "client_type": app.client_type,
    }));
    match &app.logo {
        Logo::Absent => {}
        Logo::Null => {
            fields.insert("logo_url".into(), Value::Null);
        }
        Logo::Url(url) => {
            fields.insert("logo_url".into(), json!(url));
        }
    }
    fields
}

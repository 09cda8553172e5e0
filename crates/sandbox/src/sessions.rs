//! Sessions: authenticate, revoke (one's own, a member's), exchange for another organization, and the answer every sign-in ends with.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::caller::{Caller, Fields, Segments, Signed};
use crate::grants::MemberNo;
use crate::reply::{Refusal, data, done, object};
use crate::world::{Session, State, Status, World, rfc3339, secret};
use crate::{members, organization};

/// The shortest session the API opens, in minutes.
const SHORTEST_MINUTES: i64 = 5;
/// A session JWT lives this long whatever the session does.
const JWT_MINUTES: i64 = 5;

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/sessions/authenticate", post(authenticate))
        .route("/sdk/v1/b2b/sessions/revoke", post(revoke))
        .route("/sdk/v1/b2b/sessions/revoke/{member_id}", post(revoke_for_member))
        .route("/sdk/v1/b2b/sessions/exchange", post(exchange))
}

/// On the session's own endpoints a dead session is `session_not_found`; everywhere else it is `unauthorized_credentials`.
fn live(caller: Caller, state: &State) -> Result<Signed, Refusal> {
    let had_token = caller.has_session();
    caller.signed(state).map_err(|refusal| match had_token {
        true => Refusal::session_not_found(),
        false => refusal,
    })
}

async fn authenticate(Held(state): Held<State>, caller: Caller, fields: Fields) -> Result<Response, Refusal> {
    let signed = live(caller, &state)?;
    let minutes = match fields.optional_whole("session_duration_minutes")? {
        Some(minutes) => Some(duration(&state, minutes)?),
        None => None,
    };
    let mut world = state.world();
    let session = world.sessions.get_mut(&signed.token).ok_or_else(Refusal::session_not_found)?;
    let now = Timestamp::now();
    session.last_accessed_at = now;
    if let Some(minutes) = minutes {
        session.expires_at = now + SignedDuration::from_mins(minutes);
    }
    let session = session.clone();
    let mut answer = answer(&world, &state, &signed.token, &session, &signed.roles);
    // The refresh is no sign-in: these belong to sign-ins only.
    for field in [
        "member_id",
        "organization_id",
        "member_authenticated",
        "intermediate_session_token",
        "mfa_required",
        "primary_required",
    ] {
        answer.remove(field);
    }
    Ok(data(answer))
}

async fn revoke(Held(state): Held<State>, caller: Caller, _: Fields) -> Result<Response, Refusal> {
    let signed = live(caller, &state)?;
    state.world().sessions.remove(&signed.token);
    Ok(done())
}

async fn revoke_for_member(
    Held(state): Held<State>,
    signed: Signed,
    Segments(member_id): Segments<String>,
    _: Fields,
) -> Result<Response, Refusal> {
    signed.may("stytch.member", "revoke-sessions")?;
    let mut world = state.world();
    let member = world.member_in(signed.organization, &member_id)?;
    world.close_sessions(member);
    Ok(done())
}

async fn exchange(Held(state): Held<State>, signed: Signed, fields: Fields) -> Result<Response, Refusal> {
    let organization_id = fields.text("organization_id")?;
    let minutes = duration(&state, fields.whole("session_duration_minutes")?)?;
    let mut world = state.world();
    let organization = world.organization_by_id(organization_id).ok_or_else(Refusal::organization_not_found)?;
    let email = world.members[signed.member as usize].email.to_lowercase();
    let member = *world.member_by_email.get(&(organization, email)).ok_or_else(Refusal::member_not_found)?;
    world.sessions.remove(&signed.token);
    Ok(data(sign_in(&mut world, &state, member, minutes)))
}

/// Refuses a duration the project does not allow.
pub fn duration(state: &State, minutes: i64) -> Result<i64, Refusal> {
    match (SHORTEST_MINUTES..=state.facts().max_session_minutes).contains(&minutes) {
        true => Ok(minutes),
        false => Err(Refusal::api(
            400,
            "invalid_session_duration_minutes",
            format!(
                "session_duration_minutes must lie between {SHORTEST_MINUTES} and {}.",
                state.facts().max_session_minutes
            ),
        )),
    }
}

/// Opens a session for a member who has proved the address, and gives the fields of the authenticated answer.
pub fn sign_in(world: &mut World, state: &State, member: MemberNo, minutes: i64) -> Map<String, Value> {
    let entry = &mut world.members[member as usize];
    if entry.status != Status::Deleted {
        entry.status = Status::Active;
    }
    let (token, session) = world.open_session(member, minutes);
    let roles: Vec<String> = world.members[member as usize].role_ids().map(str::to_owned).collect();
    answer(world, state, &token, &session, &roles)
}

fn answer(world: &World, state: &State, token: &str, session: &Session, roles: &[String]) -> Map<String, Value> {
    let member = &world.members[session.member as usize];
    let organization = &world.organizations[member.organization];
    object(json!({
        "member_id": member.id,
        "organization_id": organization.id,
        "member": members::json_of(member, roles),
        "organization": organization::json_of(organization),
        "member_session": {
            "member_session_id": session.id,
            "member_id": member.id,
            "organization_id": organization.id,
            "organization_slug": organization.slug,
            "started_at": rfc3339(session.started_at),
            "last_accessed_at": rfc3339(session.last_accessed_at),
            "expires_at": rfc3339(session.expires_at),
            "roles": roles,
            "authentication_factors": [{
                "type": "email_otp",
                "delivery_method": "email",
                "last_authenticated_at": rfc3339(session.started_at),
                "created_at": rfc3339(session.started_at),
                "updated_at": rfc3339(session.started_at),
                "email_factor": {
                    "email_id": member.id.replace("member-test-", "member-email-test-"),
                    "email_address": member.email,
                },
                "sequence_order": "PRIMARY",
            }],
            "custom_claims": {},
        },
        "session_token": token,
        "session_jwt": jwt(state, session, &member.id, &organization.id, roles),
        "member_authenticated": true,
        "intermediate_session_token": "",
        "mfa_required": null,
        "primary_required": null,
    }))
}

/// A text of a JWT's shape. Its signature is noise: nothing in this API takes a JWT for proof.
fn jwt(state: &State, session: &Session, member_id: &str, organization_id: &str, roles: &[String]) -> String {
    let now = Timestamp::now().as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(json!({"alg": "RS256", "typ": "JWT", "kid": "jwk-test-sandbox"})),
        part(json!({
            "iss": "stytch.com/sandbox",
            "aud": [state.facts().project_name],
            "sub": member_id,
            "iat": now,
            "nbf": now,
            "exp": now + JWT_MINUTES * 60,
            "https://stytch.com/organization": {"organization_id": organization_id},
            "https://stytch.com/session": {"id": session.id, "roles": roles, "expires_at": rfc3339(session.expires_at)},
        })),
        secret(),
    )
}

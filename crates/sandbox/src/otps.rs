//! One-time codes by e-mail: sent to the inbox, taken back once, for a known organization and for discovery.

use axum::Router;
use axum::extract::State as Held;
use axum::response::Response;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use serde::Serialize;
use serde_json::json;

use crate::caller::{Caller, Fields};
use crate::reply::{Refusal, data, done, object};
use crate::world::{IntermediateSession, State, World, rfc3339_ms, secret};
use crate::{discovery, sessions};

/// An intermediate session lives this long.
const INTERMEDIATE_MINUTES: i64 = 10;

/// The newest code of an address.
pub struct Code {
    digits: String,
    expires_at: Timestamp,
}

/// A message as the inbox shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The address it was sent to.
    pub to: String,
    /// Six digits.
    pub code: String,
    /// Null for a code; a link's address once links are sent.
    pub link: Option<String>,
    /// When it was sent: RFC 3339 UTC with milliseconds.
    pub at: String,
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/sdk/v1/b2b/otps/email/login_or_signup", post(login_or_signup))
        .route("/sdk/v1/b2b/otps/email/authenticate", post(authenticate))
        .route("/sdk/v1/b2b/otps/email/discovery/send", post(discovery_send))
        .route("/sdk/v1/b2b/otps/email/discovery/authenticate", post(discovery_authenticate))
}

async fn login_or_signup(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let email = address(fields.text("email_address")?)?;
    let organization_id = fields.text("organization_id")?;
    let minutes = fields.code_minutes("login_expiration_minutes")?;
    fields.code_minutes("signup_expiration_minutes")?;
    let mut world = state.world();
    let organization = world.organization_by_id(organization_id).ok_or_else(Refusal::organization_not_found)?;
    // Nobody joins by signing up: both organizations of the sandbox have provisioning off.
    if !world.member_by_email.contains_key(&(organization, email.to_lowercase())) {
        return Err(Refusal::api(404, "email_not_found", "The email could not be found in this organization."));
    }
    send(&mut world, Some(organization), &email, minutes);
    Ok(done())
}

async fn authenticate(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let email = address(fields.text("email_address")?)?;
    let organization_id = fields.text("organization_id")?;
    let code = fields.text("code")?;
    let minutes = sessions::duration(&state, fields.whole("session_duration_minutes")?)?;
    let mut world = state.world();
    let organization = world.organization_by_id(organization_id).ok_or_else(Refusal::organization_not_found)?;
    take(&mut world, Some(organization), &email, code)?;
    let member =
        *world.member_by_email.get(&(organization, email.to_lowercase())).ok_or_else(Refusal::member_not_found)?;
    let mut answer = sessions::sign_in(&mut world, &state, member, minutes);
    answer.insert(
        "method_id".into(),
        json!(world.members[member as usize].id.replace("member-test-", "member-email-test-")),
    );
    answer.insert("member_device".into(), json!(null));
    Ok(data(answer))
}

async fn discovery_send(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let email = address(fields.text("email_address")?)?;
    let minutes = fields.code_minutes("discovery_expiration_minutes")?;
    // Sent to any address: whether it belongs to a member is not to be learnt here.
    send(&mut state.world(), None, &email, minutes);
    Ok(done())
}

async fn discovery_authenticate(Held(state): Held<State>, _: Caller, fields: Fields) -> Result<Response, Refusal> {
    let email = address(fields.text("email_address")?)?;
    let code = fields.text("code")?;
    let mut world = state.world();
    take(&mut world, None, &email, code)?;
    let token = secret();
    world.intermediate.insert(
        token.clone(),
        IntermediateSession {
            email: email.clone(),
            expires_at: Timestamp::now() + SignedDuration::from_mins(INTERMEDIATE_MINUTES),
        },
    );
    let found = discovery::found(&world, &email);
    Ok(data(object(json!({
        "intermediate_session_token": token,
        "email_address": email,
        "discovered_organizations": found,
    }))))
}

/// Puts a new code in the inbox; the one before is dead from here on.
fn send(world: &mut World, organization: Option<usize>, email: &str, minutes: i64) {
    let digits = format!("{:06}", rand::rng().random_range(0..1_000_000));
    world.codes.insert(
        (organization, email.to_lowercase()),
        Code { digits: digits.clone(), expires_at: Timestamp::now() + SignedDuration::from_mins(minutes) },
    );
    world.inbox.push(Mail { to: email.to_owned(), code: digits, link: None, at: rfc3339_ms() });
}

/// Uses a code up. A wrong one leaves the right one standing.
fn take(world: &mut World, organization: Option<usize>, email: &str, code: &str) -> Result<(), Refusal> {
    let key = (organization, email.to_lowercase());
    let not_found = || Refusal::api(404, "otp_code_not_found", "The OTP code could not be found.");
    let known = world.codes.get(&key).ok_or_else(not_found)?;
    if known.expires_at <= Timestamp::now() {
        world.codes.remove(&key);
        return Err(not_found());
    }
    if known.digits != code {
        return Err(Refusal::api(401, "unable_to_auth_otp_code", "The OTP code could not be authenticated."));
    }
    world.codes.remove(&key);
    Ok(())
}

fn address(text: &str) -> Result<String, Refusal> {
    let ok = text.len() <= 254
        && !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    match ok {
        true => Ok(text.to_owned()),
        false => Err(Refusal::api(400, "invalid_email", "The email address format is invalid.")),
    }
}

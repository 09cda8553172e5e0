//! Who is calling, and whether they may: the caller's app or web page, the Basic credentials, the session, the body's fields. No endpoint of its own.

use std::borrow::Cow;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::faults::InForce;
use crate::grants::MemberNo;
use crate::rbac;
use crate::reply::Refusal;
use crate::world::{State, World};

/// A caller let in with the project's public token; a session may or may not be behind it.
#[derive(Clone)]
pub struct Caller {
    pub in_force: InForce,
    /// What stood after the colon when it was not the public token again. No `Debug`, so that it cannot be printed.
    token: Option<String>,
}

/// A caller with a live session.
pub struct Signed {
    pub in_force: InForce,
    pub token: String,
    pub member: MemberNo,
    pub organization: usize,
    /// The session's roles at this call.
    pub roles: Vec<String>,
}

impl Signed {
    /// Refuses unless a role of the session allows the action; a project that switched member actions off refuses everybody.
    pub fn may(&self, resource: &str, action: &str) -> Result<(), Refusal> {
        if self.in_force.faults.sdk_endpoint_off {
            return Err(Refusal::endpoint_off());
        }
        match rbac::allowed(self.roles.iter().map(String::as_str), resource, action) {
            true => Ok(()),
            false => Err(Refusal::not_authorized()),
        }
    }
}

impl FromRequestParts<State> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let in_force = Extension::<InForce>::from_request_parts(parts, state)
            .await
            .map(|Extension(in_force)| in_force)
            .unwrap_or_default();
        if in_force.endpoint_off_here {
            return Err(Refusal::endpoint_off());
        }
        // The API's body parser takes this header literally: a charset parameter is refused.
        if matches!(parts.method, Method::POST | Method::PUT)
            && parts.headers.get(header::CONTENT_TYPE).map(|v| v.as_bytes()) != Some(b"application/json")
        {
            return Err(Refusal::api(
                400,
                "invalid_content_type",
                "The Content-Type header must be exactly application/json.",
            ));
        }
        let (public_token, second) = credentials(&parts.headers).ok_or_else(Refusal::unauthorized_credentials)?;
        if public_token != state.facts().public_token {
            return Err(Refusal::api(404, "public_token_not_found", "The public token could not be found."));
        }
        if is_web(&parts.headers) {
            if !web_is_admitted(&parts.headers) {
                return Err(Refusal::bad_domain());
            }
        } else if in_force.faults.bundle_id_refused
            || app_identifier(&parts.headers).as_deref() != Some(&state.facts().bundle_id)
        {
            return Err(Refusal::bad_bundle());
        }
        let token = (second != public_token && !second.is_empty()).then_some(second);
        Ok(Self { in_force, token })
    }
}

impl Caller {
    /// The live session behind this caller, counted under the settings that count a session's calls.
    pub fn signed(self, state: &State) -> Result<Signed, Refusal> {
        let token = self
            .token
            .ok_or_else(|| Refusal::api(401, "user_unauthenticated", "A session is needed to call this endpoint."))?;
        let mut world = state.world();
        let World { settings, sessions, members, .. } = &mut *world;
        let faults = &self.in_force.faults;
        let now = Timestamp::now();
        let alive = sessions.get_mut(&token).is_some_and(|session| {
            if session.expires_at <= now {
                return false;
            }
            if faults.session_dies_after.is_some() {
                session.dies.count(settings.dies_epoch);
            }
            if faults.role_lost_after.is_some() {
                session.role.count(settings.role_epoch);
            }
            faults.session_dies_after.is_none_or(|most| session.dies.calls <= most)
        });
        if !alive {
            sessions.remove(&token);
            return Err(Refusal::unauthorized_credentials());
        }
        let session = &sessions[&token];
        let member = &members[session.member as usize];
        let lost = faults.role_lost_after.is_some_and(|most| session.role.calls > most);
        let roles = member.role_ids().take(if lost { 1 } else { usize::MAX });
        Ok(Signed {
            roles: roles.map(str::to_owned).collect(),
            member: session.member,
            organization: member.organization,
            token,
            in_force: self.in_force,
        })
    }

    pub fn has_session(&self) -> bool {
        self.token.is_some()
    }
}

impl FromRequestParts<State> for Signed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        Caller::from_request_parts(parts, state).await?.signed(state)
    }
}

/// Whose request a revoke is, without counting a call; for the ledger's refused rows.
pub fn member_of(headers: &HeaderMap, world: &World) -> Option<String> {
    let (_, token) = credentials(headers)?;
    let session = world.sessions.get(&token)?;
    Some(world.members[session.member as usize].id.clone())
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (public_token, second) = text.split_once(':')?;
    Some((public_token.to_owned(), second.to_owned()))
}

fn is_web(headers: &HeaderMap) -> bool {
    headers.contains_key("x-sdk-parent-host") || headers.contains_key(header::ORIGIN)
}

/// Both headers, where both are sent, must be of a page on this machine: a page cannot forge its Origin.
fn web_is_admitted(headers: &HeaderMap) -> bool {
    ["x-sdk-parent-host", "origin"]
        .iter()
        .all(|name| headers.get(*name).is_none_or(|value| value.to_str().is_ok_and(is_local_origin)))
}

/// `http://localhost:3000`, `https://127.0.0.1`, `localhost:3000` and the like.
pub fn is_local_origin(origin: &str) -> bool {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

fn app_identifier(headers: &HeaderMap) -> Option<String> {
    let encoded = headers.get("x-sdk-client")?;
    let told: Value = serde_json::from_slice(&STANDARD.decode(encoded.as_bytes()).ok()?).ok()?;
    Some(told.get("app")?.get("identifier")?.as_str()?.to_owned())
}

/// The object a POST or PUT carries; an empty body is an empty object, since the official web SDK sends none where nothing is to say.
pub struct Fields(Map<String, Value>);

impl FromRequest<State> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        let unreadable = || Refusal::api(400, "invalid_json", "The request body is not valid JSON.");
        let bytes = Bytes::from_request(request, state).await.map_err(|_| unreadable())?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(&bytes).map_err(|_| unreadable())? {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(Refusal::schema("type", "", json!({"type": "object"}), "should be object")),
        }
    }
}

impl Fields {
    pub fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.optional_text(name)?.ok_or_else(|| required(name))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "string")),
        }
    }

    /// A list of texts.
    pub fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let list = value.as_array().ok_or_else(|| wrong_type(name, "array"))?;
        let texts = list.iter().enumerate().map(|(number, text)| match text {
            Value::String(text) => Ok(text.clone()),
            _ => Err(wrong_type(&format!("{name}[{number}]"), "string")),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// The names of what was sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn whole(&self, name: &str) -> Result<i64, Refusal> {
        self.optional_whole(name)?.ok_or_else(|| required(name))
    }

    pub fn optional_whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong_type(name, "integer")),
            },
        }
    }

    pub fn optional_object(&self, name: &str) -> Result<Option<&Map<String, Value>>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(wrong_type(name, "object")),
        }
    }

    /// Lifetime of a code in minutes, 2 to 15 and 10 when not asked for.
    pub fn code_minutes(&self, name: &str) -> Result<i64, Refusal> {
        let minutes = self.optional_whole(name)?.unwrap_or(10);
        match minutes {
            2..=15 => Ok(minutes),
            ..2 => Err(out_of_range(name, "minimum", ">=", 2)),
            _ => Err(out_of_range(name, "maximum", "<=", 15)),
        }
    }
}

pub fn required(name: &str) -> Refusal {
    Refusal::schema(
        "required",
        "",
        json!({"missingProperty": name}),
        &format!("should have required property '{name}'"),
    )
}

pub fn wrong_type(path: &str, wanted: &str) -> Refusal {
    Refusal::schema("type", &format!(".{path}"), json!({"type": wanted}), &format!("should be {wanted}"))
}

pub fn out_of_range(path: &str, keyword: &str, sign: &str, limit: i64) -> Refusal {
    Refusal::schema(
        keyword,
        &format!(".{path}"),
        json!({"comparison": sign, "limit": limit, "exclusive": false}),
        &format!("should be {sign} {limit}"),
    )
}

/// The variable segments of the path, percent-decoded one by one: an encoded slash stays inside its segment.
pub struct Segments<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send> FromRequestParts<State> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(Refusal::api(400, "invalid_id", "An id in the path is not valid UTF-8.")),
        }
    }
}

/// A raw path segment, decoded as far as it can be; for the ledger only.
pub fn decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let raw = segment.as_bytes();
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let hex = (raw[at] == b'%')
            .then(|| raw.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(raw[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_let_in() {
        for good in
            ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080", "localhost", "tauri://localhost"]
        {
            assert!(is_local_origin(good), "{good}");
        }
        for bad in [
            "https://localhost.evil.example",
            "https://evil.example",
            "null",
            "",
            "https://evil.example/localhost",
            "http://localhost@evil.example",
        ] {
            assert!(!is_local_origin(bad), "{bad}");
        }
    }

    #[test]
    fn an_encoded_slash_stays_inside_its_segment() {
        assert_eq!(decoded("a%2Fb%20c"), "a/b c");
        assert_eq!(decoded("50%"), "50%");
    }
}

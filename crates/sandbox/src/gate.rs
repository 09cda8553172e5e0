//! What stands before every API call: the ledger's count, the faults in force, and the cross-origin headers. Carries out no call itself.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Held};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::caller::{decoded, is_local_origin, member_of};
use crate::faults::{BadRow, Body as SpoiltBody, Faults, Share};
use crate::ledger::{Effect, RowNo};
use crate::reply::Refusal;
use crate::wire::{Link, told_when_sent};
use crate::world::{State, rfc3339_ms};

/// What has been decided about a call when it arrived; carried out after its latency.
struct Arrival {
    number: usize,
    faults: Faults,
    over_quota: bool,
    server_error: bool,
    reset_before: bool,
    reset_after: bool,
    revoke: Option<RevokeTarget>,
}

/// The pair a revoke names, as far as it is known before the call is carried out.
struct RevokeTarget {
    member_id: Option<String>,
    connected_app_id: String,
}

/// How a call ends for the caller.
enum Ending {
    Answer(Response),
    /// The connection is reset in place of an answer.
    Reset,
    /// The connection is closed without an answer.
    HangUp,
}

/// Counts the call, lets the faults have it, and carries it out.
pub async fn gate(Held(state): Held<State>, mut request: Request, next: Next) -> Response {
    let link = request.extensions().get::<ConnectInfo<Link>>().map(|ConnectInfo(link)| link.clone());
    let arrival = arrive(&state, &mut request);
    let number = arrival.number;

    // On a task of its own: a caller who hangs up during the latency does not undo what they asked for, as with any real server.
    let held = state.clone();
    let its_link = link.clone();
    let ending = tokio::spawn(async move { carry_out(&held, its_link, arrival, request, next).await })
        .await
        .unwrap_or_else(|_| Ending::Answer(Refusal::internal().into_response()));
    match (ending, link) {
        (Ending::Answer(response), _) => {
            state.world().ledger.call_answered(number, response.status().as_u16());
            response
        }
        (Ending::Reset, Some(link)) => {
            link.reset();
            broken()
        }
        (Ending::HangUp, Some(link)) => {
            link.hang_up();
            broken()
        }
        (Ending::Reset | Ending::HangUp, None) => broken(),
    }
}

fn arrive(state: &State, request: &mut Request) -> Arrival {
    let path = request.uri().path().to_owned();
    let mut world = state.world();
    let number = world.ledger.call_arrived(request.method().as_str(), &path);
    let in_force = world.settings.for_path(&path);
    let faults = in_force.faults.clone();
    request.extensions_mut().insert(in_force);
    let revoke = revoke_target(request.method(), &path).map(|(member_id, connected_app_id)| RevokeTarget {
        member_id: member_id.or_else(|| member_of(request.headers(), &world)),
        connected_app_id,
    });
    let settings = &mut world.settings;
    let over_quota = settings.over_quota(&faults, Timestamp::now().as_second());
    let drawn_before = settings.draw(faults.reset_before_commit_share, Share::ResetBefore);
    // A late commit needs a dead connection; when nothing else says which ones die, all revokes do.
    let dies_for_late_commit = faults.late_commit_ms.is_some()
        && faults.reset_before_commit_share.is_none()
        && faults.silence_s.is_none()
        && revoke.is_some();
    Arrival {
        number,
        over_quota,
        server_error: settings.draw(faults.server_error_share, Share::ServerError),
        reset_before: drawn_before || dies_for_late_commit,
        reset_after: settings.draw(faults.reset_after_commit_share, Share::ResetAfter),
        faults,
        revoke,
    }
}

async fn carry_out(state: &State, link: Option<Link>, arrival: Arrival, request: Request, next: Next) -> Ending {
    let faults = &arrival.faults;
    if let Some(ms) = faults.latency_ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let note = |effect| {
        if let Some(target) = &arrival.revoke {
            state.world().ledger.revoke_handled(target.member_id.as_deref(), &target.connected_app_id, effect);
        }
    };
    if let Some(to) = &faults.redirect_to {
        note(Effect::Refused);
        let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
        if let Ok(to) = HeaderValue::from_str(to) {
            response.headers_mut().insert(header::LOCATION, to);
        }
        return Ending::Answer(response);
    }
    if arrival.over_quota {
        note(Effect::Refused);
        let mut response = told(Refusal::too_many_requests().into_response(), faults);
        if let Some(seconds) = faults.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        return Ending::Answer(response);
    }
    if faults.silence_s.is_some() || arrival.reset_before {
        match (faults.late_commit_ms, &arrival.revoke) {
            (Some(ms), Some(_)) => {
                tokio::spawn(async move {
                    if let Some(link) = link {
                        link.gone().await;
                    }
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    next.run(request).await;
                });
            }
            _ => note(Effect::Nothing),
        }
        let Some(seconds) = faults.silence_s else {
            return Ending::Reset;
        };
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        return Ending::HangUp;
    }
    if arrival.server_error {
        note(Effect::Refused);
        return Ending::Answer(told(Refusal::internal().into_response(), faults));
    }

    let response = next.run(request).await;
    let row = response.extensions().get::<RowNo>().copied();
    if row.is_none() {
        note(Effect::Refused);
    }
    if arrival.reset_after {
        return Ending::Reset;
    }
    if !response.status().is_success() {
        return Ending::Answer(told(response, faults));
    }
    let response = match faults.bad_row {
        Some(kind) => spoil_row(response, kind).await,
        None => response,
    };
    if let Some(kind) = faults.body {
        return Ending::Answer(spoil_body(response, kind).await);
    }
    match (row, link) {
        (Some(row), Some(link)) => {
            let (parts, body) = response.into_parts();
            let bytes = whole(body).await;
            Ending::Answer(Response::from_parts(parts, told_when_sent(bytes, link, row)))
        }
        _ => Ending::Answer(response),
    }
}

/// The pair in a revoke's path, the member left open for oneself; nothing for any other call.
fn revoke_target(method: &Method, path: &str) -> Option<(Option<String>, String)> {
    if method != Method::POST {
        return None;
    }
    let rest = path.strip_prefix("/sdk/v1/b2b/organizations/members/")?;
    let segments: Vec<&str> = rest.split('/').collect();
    match segments.as_slice() {
        ["connected_apps", app, "revoke"] => Some((None, decoded(app).into_owned())),
        [member, "connected_apps", app, "revoke"] => {
            Some((Some(decoded(member).into_owned()), decoded(app).into_owned()))
        }
        _ => None,
    }
}

/// An error under the content type it is to have.
fn told(mut response: Response, faults: &Faults) -> Response {
    if faults.errors_as_text && response.status().as_u16() >= 400 {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

async fn whole(body: Body) -> Bytes {
    // Every body here was made in this process and lies in memory.
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}

async fn spoil_body(response: Response, kind: SpoiltBody) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let bytes = whole(body).await;
    let spoilt = match kind {
        SpoiltBody::Truncated => bytes.slice(..bytes.len() / 2),
        SpoiltBody::Html => {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            Bytes::from_static(
                b"<!doctype html><html><head><title>Guest Wi-Fi</title></head><body><h1>Welcome. Please accept the terms to go online.</h1></body></html>",
            )
        }
        SpoiltBody::WrongEnvelope => {
            let inner = serde_json::from_slice::<Value>(&bytes)
                .ok()
                .and_then(|mut value| value.get_mut("data").map(Value::take));
            Bytes::from(json!({"result": inner, "ok": true}).to_string())
        }
    };
    Response::from_parts(parts, Body::from(spoilt))
}

/// Stands in the JSON where the lone surrogate goes: a text of this program cannot hold one.
const SURROGATE_GOES_HERE: &str = "@lone-surrogate-goes-here@";

async fn spoil_row(response: Response, kind: BadRow) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = whole(body).await;
    let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    for list in ["connected_apps", "active_members", "members"] {
        let Some(rows) = answer.pointer_mut(&format!("/data/{list}")).and_then(Value::as_array_mut) else {
            continue;
        };
        let middle = rows.len() / 2;
        let Some(row) = rows.get_mut(middle) else { continue };
        match (kind, list) {
            (BadRow::LoneSurrogate, "active_members") => {
                if let Some(scopes) = row["granted_scopes"].as_array_mut() {
                    scopes.push(json!(SURROGATE_GOES_HERE));
                }
            }
            (BadRow::LoneSurrogate, _) => {
                let name = row["name"].as_str().unwrap_or_default();
                row["name"] = json!(format!("{name}{SURROGATE_GOES_HERE}"));
            }
            (BadRow::WrongType, "active_members") => row["granted_scopes"] = json!("openid profile"),
            (BadRow::WrongType, _) => row["name"] = json!(42),
        }
    }
    let text = answer.to_string().replace(SURROGATE_GOES_HERE, "\\ud800");
    Response::from_parts(parts, Body::from(text))
}

/// An answer that fails while being written; the connection dies of it.
fn broken() -> Response {
    struct Broken;
    impl HttpBody for Broken {
        type Data = Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
        }
    }
    Response::new(Body::new(Broken))
}

/// Lets pages of this machine read the answers; a preflight is answered here and counts as no call.
pub async fn cross_origin(request: Request, next: Next) -> Response {
    let origin =
        request.headers().get(header::ORIGIN).filter(|origin| origin.to_str().is_ok_and(is_local_origin)).cloned();
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let Some(origin) = origin else { return response };
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if let Some(asked) = asked_headers {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
    }
    response
}

/// The analytics sink of the official web SDK: swallows everything, asks for nothing.
pub async fn events() -> Response {
    crate::reply::respond(200, &json!({"data": {"status_code": 200, "received_at": rfc3339_ms()}}))
}

//! From the bytes of an answer to its data or to an error. Pure: no network, no clock.
//!
//! The header's content type is not believed: Stytch sends JSON errors as `text/plain`. The content decides.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::endpoints::{Auth, Endpoint};
use crate::error::{Error, Facts, Permission};
use crate::id::RequestId;
use crate::rows::reason;
use crate::token::REDACTED;

/// The longest text taken over from an answer into an error, in characters.
const EXCERPT: usize = 300;

/// The head of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) date: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) location: Option<String>,
}

/// What the reader must know about the request in order to judge the answer.
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'static Endpoint,
    /// Whether a session token was sent.
    pub(crate) with_session: bool,
    /// The permission to name in a denial.
    pub(crate) needs: Option<Permission>,
    /// The identifier to name when the project does not know the app.
    pub(crate) app_identifier: &'a str,
    /// What must not show, even if the server echoes it.
    pub(crate) secrets: &'a Secrets,
    /// The whole URL of the request, for resolving a redirect.
    pub(crate) url: &'a Url,
}

/// Texts of a request that must never show in an error, and the cleaning of what a server says.
#[derive(Default)]
pub(crate) struct Secrets(Vec<zeroize::Zeroizing<String>>);

impl Secrets {
    pub(crate) fn add(&mut self, secret: &str) {
        // A very short one would blot out innocent text, and a six-digit code is the shortest that is one.
        if secret.len() >= 4 {
            self.0.push(zeroize::Zeroizing::new(secret.to_owned()));
            // The longest first, so that a secret that contains another is hidden whole.
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Hides the secrets, drops control and direction characters, folds blanks, and cuts to [`EXCERPT`] characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        let mut clean = String::new();
        let mut length = 0;
        for word in text.split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c)) {
            if word.is_empty() {
                continue;
            }
            if !clean.is_empty() {
                clean.push(' ');
                length += 1;
            }
            for c in word.chars() {
                if length >= EXCERPT {
                    clean.push('…');
                    return clean;
                }
                clean.push(c);
                length += 1;
            }
        }
        clean
    }

    fn clean_option(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.clean(&text)).filter(|text| !text.is_empty())
    }
}

/// Characters that reorder or hide text: in a log or a dialog they make an answer say something else.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

/// An answer's data, still as text, and what came with it.
#[derive(Debug)]
pub(crate) struct Good {
    pub(crate) data: Box<RawValue>,
    pub(crate) facts: Facts,
}

/// A JSON object as the API's envelope and its errors use it. Everything is optional, since anything may arrive.
#[derive(Deserialize)]
struct Outer {
    data: Option<Box<RawValue>>,
    error_type: Option<Value>,
    error_message: Option<Value>,
    request_id: Option<Value>,
    body: Option<Value>,
    params: Option<Value>,
    query: Option<Value>,
}

#[derive(Deserialize)]
struct DataHead {
    request_id: Option<Value>,
}

/// Invalid UTF-8 becomes a lone surrogate escape: it spoils exactly the JSON string that it stands in, and with it one row.
fn text_of(body: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => text.into(),
        Err(_) => {
            let mut text = String::with_capacity(body.len() + 16);
            for chunk in body.utf8_chunks() {
                text.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    text.push_str("\\ud800");
                }
            }
            text.into()
        }
    }
}

fn string(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Reads a whole answer.
///
/// # Errors
/// Whatever the answer says, or [`Error::Garbled`] when a 2xx lacks the envelope `{"data": {…}}`.
pub(crate) fn read(asked: &Asked<'_>, head: &Head, body: &[u8]) -> Result<Good, Error> {
    let text = text_of(body);
    let outer: Result<Outer, _> = serde_json::from_str(&text);
    let mut facts = Facts { status: Some(head.status), server_date: head.date.clone(), ..Facts::default() };
    match outer {
        Ok(outer) => {
            let schema = schema_fields(&[outer.body, outer.params, outer.query]);
            facts.error_type = asked.secrets.clean_option(string(outer.error_type));
            facts.message = asked.secrets.clean_option(string(outer.error_message));
            facts.request_id = asked.secrets.clean_option(string(outer.request_id)).map(RequestId::from);
            if !(200..300).contains(&head.status) {
                return Err(refusal(asked, head, facts, schema, &text));
            }
            let Some(data) = outer.data else {
                return Err(garbled(facts, "it has no `data`"));
            };
            if !data.get().starts_with('{') {
                return Err(garbled(facts, "its `data` is not an object"));
            }
            if let Ok(DataHead { request_id }) = serde_json::from_str(data.get())
                && let Some(id) = asked.secrets.clean_option(string(request_id))
            {
                facts.request_id = Some(RequestId::from(id));
            }
            Ok(Good { data, facts })
        }
        Err(why) => {
            if (200..300).contains(&head.status) {
                let why = if looks_like_markup(&text) {
                    "it is a web page, not JSON".to_owned()
                } else {
                    format!("it is not a JSON object: {}", reason(&why))
                };
                return Err(Error::Garbled { facts, why });
            }
            facts.message = asked.secrets.clean_option(Some(text.to_string()));
            Err(refusal(asked, head, facts, None, &text))
        }
    }
}

fn looks_like_markup(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']).starts_with('<')
}

pub(crate) fn garbled(facts: Facts, why: &str) -> Error {
    Error::Garbled { facts, why: why.to_owned() }
}

impl Good {
    /// Reads the data as the type that the method answers with.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.data.get())
            .map_err(|why| Error::Garbled { facts: self.facts.clone(), why: reason(&why) })
    }
}

/// The fields named by a schema error, if the answer is one: lists under `body`, `params` or `query`.
fn schema_fields(parts: &[Option<Value>; 3]) -> Option<Vec<String>> {
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let mut fields: Vec<String> = Vec::new();
    for complaint in parts.iter().flatten().filter_map(Value::as_array).flatten() {
        let at = complaint.get("dataPath").or_else(|| complaint.get("instancePath")).and_then(Value::as_str);
        let missing = complaint.get("params").and_then(|params| params.get("missingProperty")).and_then(Value::as_str);
        let at = at.unwrap_or_default().trim_start_matches(['.', '/']);
        let field = match missing {
            Some(missing) if at.is_empty() => missing.to_owned(),
            Some(missing) => format!("{at}.{missing}"),
            None => at.to_owned(),
        };
        if !field.is_empty() && !fields.contains(&field) {
            fields.push(field);
        }
    }
    Some(fields)
}

const DEAD_SESSION: [&str; 4] =
    ["unauthorized_credentials", "user_unauthenticated", "invalid_secret_authentication", "session_not_found"];

/// Refusals of a one-time code by their own name.
const REJECTED_CODE: [&str; 6] = [
    "otp_code_not_found",
    "unable_to_auth_otp_code",
    "unable_to_authenticate_totp",
    "unable_to_authenticate_recovery_code",
    "invalid_code",
    "otp_code_expired",
];

/// Names that other methods use for other things, and that mean a wrong code where a code was sent.
const REJECTED_CODE_WHERE_ONE_WAS_SENT: [&str; 2] = ["unauthorized_credentials", "email_not_found"];

/// Judges an answer that is not a 2xx.
fn refusal(asked: &Asked<'_>, head: &Head, mut facts: Facts, schema: Option<Vec<String>>, text: &str) -> Error {
    let status = head.status;
    if (300..400).contains(&status) || status < 200 {
        let to_host = head.location.as_deref().and_then(|location| target_host(asked, location));
        // The body of a redirect repeats its target, which may carry anything.
        facts.message = None;
        return Error::Redirected { facts, to_host };
    }
    if status >= 500 {
        return Error::ServerError(facts);
    }
    let name = facts.error_type.clone().unwrap_or_default();
    let name = name.as_str();
    let takes_code = asked.endpoint.required.iter().any(|field| matches!(*field, "code" | "recovery_code"));
    match name {
        "captcha_required" | "captcha_failed" => return Error::CaptchaRequired(facts),
        "cname_required_for_http_only_cookies" | "cname_invalid_for_http_only_cookies" => {
            return Error::CookiesOnly(facts);
        }
        "bad_app_bundle_for_stytch_sdk" => {
            return Error::BundleIdNotRegistered { facts, identifier: asked.app_identifier.to_owned() };
        }
        "bad_domain_for_stytch_sdk" => return Error::DomainRefused(facts),
        "endpoint_not_authorized_for_sdk" => return Error::SdkEndpointOff(facts),
        "session_authorization_tenancy_error" => return Error::WrongOrganization(facts),
        "organization_suspended" => return Error::OrganizationSuspended(facts),
        "session_authorization_error" | "unauthorized_action" => {
            return Error::NotAllowed { facts, needs: asked.needs.clone() };
        }
        "member_not_found" => return Error::MemberNotFound(facts),
        "connected_app_not_found" => return Error::ConnectedAppNotFound(facts),
        _ => {}
    }
    if REJECTED_CODE.contains(&name) || (takes_code && REJECTED_CODE_WHERE_ONE_WAS_SENT.contains(&name)) {
        return Error::CodeRejected(facts);
    }
    if asked.with_session && !takes_code && asked.endpoint.auth != Auth::Public && DEAD_SESSION.contains(&name) {
        return Error::SignedOut(facts);
    }
    if name.is_empty() && text.contains("Captcha required") {
        return Error::CaptchaRequired(facts);
    }
    if status == 429 {
        let retry_after = head.retry_after.as_deref().and_then(|text| retry_after(text, head.date.as_deref()));
        return Error::RateLimited { facts, retry_after };
    }
    if let (400..=422, true, Some(fields)) = (status, name.is_empty(), schema) {
        let fields = fields.iter().map(|field| asked.secrets.clean(field)).collect();
        return Error::BadRequest { facts, fields };
    }
    if status == 404 { Error::NotFound(facts) } else { Error::Refused(facts) }
}

fn target_host(asked: &Asked<'_>, location: &str) -> Option<String> {
    let target = asked.url.join(location).ok()?;
    let host = target.host_str()?;
    let host = match target.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Some(asked.secrets.clean(&host))
}

/// Reads `Retry-After`: seconds, or a date, which is measured against the answer's own `Date` and not against our clock.
fn retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(text)?;
    let now = http_date(date?.trim())?;
    let seconds = until.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

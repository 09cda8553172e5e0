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
        // As nearly all that a server says is: the ids and the date of every answer come through here.
        if text.len() <= EXCERPT
            && text.split(' ').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic()))
        {
            return text;
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

    /// Whether a secret shows in the text, also when upper and lower case were lost, as they are in host names.
    fn show_in(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.0.iter().any(|secret| text.contains(&secret.to_ascii_lowercase()))
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

/// Any data at all, for calls without a type of their own. There is no row here to set apart, so half a surrogate pair,
/// which JSON can write and text cannot hold, reads as U+FFFD instead of spoiling the whole.
pub(crate) struct Anything(pub(crate) Value);

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(raw.get()).or_else(|_| serde_json::from_str(&mend(raw.get())));
        // The message could quote the answer; the place is all there is to tell.
        read.map(Anything).map_err(|why| serde::de::Error::custom(reason(&why)))
    }
}

/// Replaces the escapes of lone surrogates in valid JSON text. A backslash stands only inside strings there.
fn mend(text: &str) -> String {
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 6)?.strip_prefix("\\u")?, 16).ok();
    let mut mended = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(offset) = text[at..].find('\\') {
        mended.push_str(&text[at..at + offset]);
        at += offset;
        let (taken, whole) = match unit(at) {
            Some(0xd800..=0xdbff) => match unit(at + 6) {
                Some(0xdc00..=0xdfff) => (12, true),
                _ => (6, false),
            },
            Some(0xdc00..=0xdfff) => (6, false),
            Some(_) => (6, true),
            None => (2, true),
        };
        mended.push_str(if whole { text.get(at..at + taken).unwrap_or_default() } else { "\\ufffd" });
        at = (at + taken).min(text.len());
    }
    mended.push_str(&text[at..]);
    mended
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
const REJECTED_CODE: [&str; 4] = [
    "otp_code_not_found",
    "unable_to_auth_otp_code",
    "unable_to_authenticate_totp",
    "unable_to_authenticate_recovery_code",
];

/// A name that other methods use for an ended session, and that means a wrong code where a code was sent.
const REJECTED_CODE_WHERE_ONE_WAS_SENT: &str = "unauthorized_credentials";

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
    if REJECTED_CODE.contains(&name) || (takes_code && name == REJECTED_CODE_WHERE_ONE_WAS_SENT) {
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
    // A gateway's own page, or one that gave up waiting (408): it says nothing of what the API did with the request.
    if name.is_empty() || status == 408 {
        return Error::Garbled { facts, why: format!("a {status} that is not in the API's form") };
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
    Some(if asked.secrets.show_in(&host) { REDACTED.to_owned() } else { asked.secrets.clean(&host) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::known;

    const TOKEN: &str = "Canary-session-token-7f3a";

    fn judge(name: &'static str, with_session: bool, head: &Head, body: &[u8]) -> Result<Good, Error> {
        let mut secrets = Secrets::default();
        secrets.add(TOKEN);
        let endpoint = known(name);
        let asked = Asked {
            endpoint,
            with_session,
            needs: endpoint.needs(&serde_json::Map::new()),
            app_identifier: "com.example.app",
            secrets: &secrets,
            url: &Url::parse("https://test.stytch.com/sdk/v1/x").unwrap(),
        };
        read(&asked, head, body)
    }

    fn head(status: u16) -> Head {
        Head { status, ..Head::default() }
    }

    fn refused(name: &'static str, status: u16, error_type: &str) -> Error {
        let body = serde_json::json!({
            "status_code": status, "request_id": "request-id-test-1", "error_type": error_type, "error_message": "No.",
        });
        judge(name, true, &head(status), body.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn every_refusal_is_named_for_what_one_does_about_it() {
        let revoke = "organization.members.revokeConnectedApp";
        let cases = [
            (revoke, 401, "unauthorized_credentials", "signed_out"),
            (revoke, 401, "user_unauthenticated", "signed_out"),
            (revoke, 401, "invalid_secret_authentication", "signed_out"),
            ("session.authenticate", 404, "session_not_found", "signed_out"),
            (revoke, 403, "session_authorization_error", "not_allowed"),
            (revoke, 403, "unauthorized_action", "not_allowed"),
            (revoke, 403, "session_authorization_tenancy_error", "wrong_organization"),
            (revoke, 403, "organization_suspended", "organization_suspended"),
            (revoke, 404, "member_not_found", "member_not_found"),
            (revoke, 404, "connected_app_not_found", "connected_app_not_found"),
            (revoke, 404, "route_not_found", "not_found"),
            (revoke, 429, "too_many_requests", "rate_limited"),
            (revoke, 429, "something_new", "rate_limited"),
            (revoke, 400, "bad_app_bundle_for_stytch_sdk", "bundle_id_not_registered"),
            (revoke, 400, "bad_domain_for_stytch_sdk", "domain_refused"),
            (revoke, 401, "endpoint_not_authorized_for_sdk", "sdk_endpoint_off"),
            (revoke, 401, "cname_required_for_http_only_cookies", "cookies_only"),
            (revoke, 400, "invalid_id", "refused"),
            (revoke, 500, "internal_server_error", "server_error"),
            // A status of the server's failing is believed before a name that would be a clear refusal.
            (revoke, 503, "connected_app_not_found", "server_error"),
            ("otps.email.authenticate", 403, "captcha_required", "captcha_required"),
            ("otps.email.authenticate", 429, "captcha_failed", "captcha_required"),
            ("otps.email.authenticate", 400, "unable_to_auth_otp_code", "code_rejected"),
            ("otps.email.authenticate", 404, "otp_code_not_found", "code_rejected"),
            // The same name is a wrong code here and an ended session above.
            ("otps.email.authenticate", 401, "unauthorized_credentials", "code_rejected"),
            // A public method proves nothing about a session that was sent along.
            ("organization.getBySlug", 401, "unauthorized_credentials", "refused"),
        ];
        for (name, status, error_type, kind) in cases {
            let error = refused(name, status, error_type);
            assert_eq!(error.kind(), kind, "{error_type} with {status} on {name}");
            let facts = error.facts();
            assert_eq!(facts.status, Some(status));
            assert_eq!(facts.error_type.as_deref(), Some(error_type));
            assert_eq!(facts.request_id, Some("request-id-test-1".into()));
            assert_eq!(error.maybe_carried_out(), status >= 500, "{error_type}");
        }
    }

    #[test]
    fn a_denial_names_the_action_that_the_answer_keeps_to_itself() {
        let Error::NotAllowed { needs, .. } = refused("self.revokeConnectedApp", 403, "session_authorization_error")
        else {
            panic!("not a denial");
        };
        assert_eq!(needs, Some(Permission::new("stytch.self", "revoke.connected-app")));
    }

    #[test]
    fn an_unknown_app_is_told_the_identifier_that_must_be_registered() {
        let Error::BundleIdNotRegistered { identifier, .. } =
            refused("session.authenticate", 400, "bad_app_bundle_for_stytch_sdk")
        else {
            panic!("not a bundle id error");
        };
        assert_eq!(identifier, "com.example.app");
    }

    #[test]
    fn a_success_without_its_envelope_is_garbled_and_never_empty() {
        let bodies: [&[u8]; 9] = [
            b"",
            b"null",
            b"{}",
            b"[]",
            br#"{"connected_apps": []}"#,
            br#"{"data": null}"#,
            br#"{"data": []}"#,
            br#"{"data": {"connected_apps": ["#,
            b"<!DOCTYPE html><title>Sign in to the hotel</title>",
        ];
        for body in bodies {
            let error = judge("organization.getConnectedApps", true, &head(200), body).unwrap_err();
            assert_eq!(error.kind(), "garbled", "{}", String::from_utf8_lossy(body));
            assert!(error.maybe_carried_out(), "the call may have had its effect");
        }
    }

    #[test]
    fn a_schema_error_names_the_fields() {
        let body = br#"{"body":[{"keyword":"type","dataPath":".session_duration_minutes","schemaPath":"x","params":{"type":"number"},
            "message":"should be number"},{"keyword":"required","dataPath":"","params":{"missingProperty":"code"}}]}"#;
        let Error::BadRequest { fields, facts } =
            judge("otps.email.authenticate", false, &head(400), body).unwrap_err()
        else {
            panic!("not a schema error");
        };
        assert_eq!(fields, ["session_duration_minutes", "code"]);
        assert_eq!((facts.status, facts.error_type), (Some(400), None));
    }

    #[test]
    fn a_captcha_refusal_in_plain_text_is_understood() {
        let error = judge("otps.email.authenticate", false, &head(403), b"Captcha required").unwrap_err();
        assert_eq!(error.kind(), "captcha_required");
    }

    #[test]
    fn the_wait_is_read_as_seconds_or_as_a_date_of_the_servers_clock() {
        let wait = |text: &str, date: Option<&str>| {
            let head =
                Head { status: 429, date: date.map(str::to_owned), retry_after: Some(text.to_owned()), location: None };
            match judge("self.get", true, &head, b"slow down") {
                Err(Error::RateLimited { retry_after, .. }) => retry_after.map(|wait| wait.as_secs()),
                other => panic!("{other:?}"),
            }
        };
        let now = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(wait("7", None), Some(7));
        assert_eq!(wait("Wed, 21 Oct 2015 07:29:30 GMT", now), Some(90));
        assert_eq!(wait("Wed, 21 Oct 2015 07:00:00 GMT", now), Some(0), "a moment that has passed");
        assert_eq!(wait("Wed, 21 Oct 2015 07:29:30 GMT", None), None, "nothing to measure it by");
        assert_eq!(wait("soon", now), None);
        assert_eq!(wait("-3", now), None);
    }

    #[test]
    fn a_redirect_tells_the_host_and_nothing_else() {
        let to = |location: &str| {
            let head = Head { status: 302, location: Some(location.to_owned()), ..Head::default() };
            match judge("self.get", true, &head, b"moved to https://evil.example/?t=1") {
                Err(Error::Redirected { to_host, facts }) => {
                    assert_eq!(facts.message, None);
                    to_host
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(to("https://evil.example:8443/?token=1").as_deref(), Some("evil.example:8443"));
        assert_eq!(to("/elsewhere").as_deref(), Some("test.stytch.com"));
        assert_eq!(to("http://[bad"), None);
        assert_eq!(to(&format!("https://{TOKEN}.evil.example/")).as_deref(), Some(REDACTED));
    }

    #[test]
    fn a_server_that_echoes_the_session_token_does_not_get_it_shown() {
        let bodies = [
            format!(r#"{{"error_type":"x {TOKEN}","error_message":"bad {TOKEN}","request_id":"{TOKEN}"}}"#),
            format!("<html>{TOKEN}</html>"),
            format!("{}{TOKEN}", "x".repeat(EXCERPT - 5)),
        ];
        for body in bodies {
            let error = judge("self.get", true, &head(418), body.as_bytes()).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.to_lowercase().contains("canary"), "{shown}");
        }
        let body = format!(r#"{{"data":{{"member":"{TOKEN}"}}}}"#);
        let good = judge("self.get", true, &head(200), body.as_bytes()).unwrap();
        #[derive(Debug, Deserialize)]
        struct One {
            #[allow(dead_code)]
            member: u8,
        }
        let error = good.data::<One>().unwrap_err();
        assert!(!format!("{error} {error:?}").to_lowercase().contains("canary"), "{error:?}");
        assert!(error.to_string().contains("expected u8"), "{error}");
    }

    #[test]
    fn an_error_is_short_and_has_no_tricks_in_it() {
        let body = serde_json::json!({
            "error_type": "x", "error_message": format!("a\u{1b}[31m\r\nb \u{202e}evil\u{200b} {}", "y".repeat(5_000)),
        });
        let error = judge("self.get", true, &head(400), body.to_string().as_bytes()).unwrap_err();
        let message = error.facts().message.clone().unwrap();
        assert!(message.starts_with("a [31m b evil yyy"), "{message}");
        assert!(message.chars().count() <= EXCERPT + 1, "{}", message.chars().count());
    }

    #[test]
    fn half_a_surrogate_pair_spoils_no_answer_without_a_type() {
        let body =
            br#"{"data":{"a":"\ud800","b":["\udc00x","\ud83d\ude00","\\ud800","\ud800\ud83d\ude00"],"\udfff":1}}"#;
        let good = judge("self.get", true, &head(200), body).unwrap();
        let Anything(data) = good.data().unwrap();
        let expected = serde_json::json!({
            "a": "\u{fffd}", "b": ["\u{fffd}x", "\u{1f600}", "\\ud800", "\u{fffd}\u{1f600}"], "\u{fffd}": 1,
        });
        assert_eq!(data, expected);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_one_row_and_not_the_list() {
        #[derive(Deserialize)]
        struct List {
            rows: crate::rows::Rows<String>,
        }
        let good = judge("self.get", true, &head(200), b"{\"data\":{\"rows\":[\"a\",\"\xff\xfe\",\"c\"]}}").unwrap();
        let list = good.data::<List>().unwrap().rows;
        assert_eq!(list.rows, ["a", "c"]);
        assert_eq!(list.unreadable.len(), 1);
        assert_eq!(list.unreadable[0].index, 1);
    }
}

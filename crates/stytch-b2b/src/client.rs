//! The transport: one request out, one answer in. It follows no redirect, keeps no cookie and repeats nothing.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::answer::{self, Anything, Asked, Good, Head, Secrets};
use crate::base::{ApiBase, PublicToken};
use crate::endpoints::{Auth, Endpoint, Verb, known};
use crate::error::{Cause, Error, Facts, Phase};
use crate::id::RequestId;
use crate::token::{SessionToken, is_secret_name};

/// The largest answer that is read, in bytes. A list of 100,000 grants is about a quarter of it.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The longest URL that is sent, in bytes; the HTTP library's own limit is a little higher.
const LONGEST_URL: usize = 60_000;

/// Everything but RFC 3986's unreserved characters: `/`, `%`, `?`, `#` and blanks inside an id stay inside its segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name and version of an app or an SDK, as told to the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// For an app, the bundle id that the project's owner has to register. For an SDK, its name.
    pub identifier: String,
    /// Its version.
    pub version: String,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection: name, TCP and TLS.
    pub connect: Duration,
    /// For the whole call, the answer's last byte included.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 s and 30 s: Stytch documents up to 9 s for a member search.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30) }
    }
}

/// What a client is made of. It holds no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to speak to.
    pub base: ApiBase,
    /// The project.
    pub public_token: PublicToken,
    /// This app. The project admits it by `identifier`.
    pub app: Identity,
    /// What the app speaks through.
    pub sdk: Identity,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// What came back.
    pub data: T,
    /// The HTTP status, 200 to 299.
    pub status: u16,
    /// What Stytch's support asks for.
    pub request_id: Option<RequestId>,
    /// The `Date` header as it stood in the answer.
    pub server_date: Option<String>,
}

impl<T> Reply<T> {
    /// The same answer with other data.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        let Self { data, status, request_id, server_date } = self;
        Reply { data: change(data), status, request_id, server_date }
    }
}

/// A client of one project at one host. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    http: reqwest::Client,
    lasting_facts: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

/// One request that is about to be made.
pub(crate) struct Call<'a> {
    endpoint: &'static Endpoint,
    token: Option<&'a SessionToken>,
    segments: Vec<(&'static str, String)>,
    fields: Map<String, Value>,
}

impl<'a> Call<'a> {
    /// A call of a method in the table, with the public token only.
    pub(crate) fn public(name: &'static str) -> Self {
        Self { endpoint: known(name), token: None, segments: Vec::new(), fields: Map::new() }
    }

    /// A call of a method in the table with a session.
    pub(crate) fn session(name: &'static str, token: &'a SessionToken) -> Self {
        Self { token: Some(token), ..Self::public(name) }
    }

    /// Fills an open segment of the path.
    pub(crate) fn segment(mut self, name: &'static str, value: &str) -> Self {
        self.segments.push((name, value.to_owned()));
        self
    }

    /// Adds a field to the body.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds several fields to the body.
    pub(crate) fn fields(mut self, fields: Map<String, Value>) -> Self {
        self.fields.extend(fields);
        self
    }
}

impl Client {
    /// Prepares a client. Nothing is sent.
    ///
    /// A proxy named in the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) is used for `https`, where it carries an
    /// encrypted tunnel and sees the host's name only. A base on this machine is always spoken to directly.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when an identity cannot be sent, or when the system's certificates cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        for (what, identity) in [("app.identifier", &settings.app), ("sdk.identifier", &settings.sdk)] {
            let text = &identity.identifier;
            if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
                return Err(Error::InvalidInput { what });
            }
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(user_agent(&settings.sdk))
            .connect_timeout(settings.timeouts.connect)
            .timeout(settings.timeouts.total)
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .https_only(settings.base.scheme() == "https");
        if settings.base.is_loopback() {
            // A proxy would carry the plain-text call off this machine, and so would a `localhost` that is renamed.
            let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            builder =
                builder.no_proxy().resolve_to_addrs("localhost", &here.map(|address| SocketAddr::new(address, 0)));
        }
        let http = builder.build().map_err(|_| Error::InvalidInput { what: "http_client" })?;
        let lasting_facts = lasting_facts(&settings);
        Ok(Self { inner: Arc::new(Inner { settings, http, lasting_facts }) })
    }

    /// Where it speaks to.
    pub fn base(&self) -> &ApiBase {
        &self.inner.settings.base
    }

    /// The project it speaks for.
    pub fn public_token(&self) -> &PublicToken {
        &self.inner.settings.public_token
    }

    /// What it was made of.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Calls any method of the table: exactly one request, whatever it answers.
    ///
    /// `arguments` fill the path; the rest passes through unchecked, as the JSON body or, for `GET` and `DELETE`, as the
    /// query. A session token that is given is always used, also for public methods. The answer may hold secrets:
    /// see [`crate::redact`]. Text that no string can hold reads as U+FFFD.
    ///
    /// # Errors
    /// As the typed methods; [`Error::InvalidInput`] when a segment of the path is missing or a session is needed and absent.
    pub async fn call(
        &self,
        endpoint: &'static Endpoint,
        mut arguments: Map<String, Value>,
        token: Option<&SessionToken>,
    ) -> Result<Reply<Value>, Error> {
        if token.is_none() && endpoint.auth == Auth::Session {
            return Err(Error::InvalidInput { what: "session_token" });
        }
        let mut segments = Vec::new();
        for name in endpoint.segments() {
            let value = match arguments.remove(name) {
                Some(Value::String(text)) => text,
                None if name == "public_token" => self.public_token().as_str().to_owned(),
                _ => return Err(Error::InvalidInput { what: name }),
            };
            segments.push((name, value));
        }
        let call = Call { endpoint, token, segments, fields: arguments };
        Ok(self.ask::<Anything>(call).await?.map(|Anything(data)| data))
    }

    /// Makes the request and reads its data as `T`.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Reply<T>, Error> {
        self.ask_and(call, |data, _| Ok(data)).await
    }

    /// Makes the request, reads its data as `T`, and lets `make` turn that into what is promised.
    pub(crate) async fn ask_and<T: DeserializeOwned, U>(
        &self,
        call: Call<'_>,
        make: impl FnOnce(T, &Facts) -> Result<U, Error>,
    ) -> Result<Reply<U>, Error> {
        let endpoint = call.endpoint;
        let started = Instant::now();
        let result = match self.exchange(call).await {
            Ok(good) => good.data::<T>().and_then(|data| {
                let data = make(data, &good.facts)?;
                let Facts { status, request_id, server_date, .. } = good.facts;
                Ok(Reply { data, status: status.unwrap_or(200), request_id, server_date })
            }),
            Err(error) => Err(error),
        };
        let ms = started.elapsed().as_millis();
        let method = endpoint.verb.as_str();
        let path = endpoint.path;
        match &result {
            Ok(reply) => {
                let request_id = reply.request_id.as_ref().map(RequestId::as_str);
                tracing::debug!(method, path, status = reply.status, request_id, ms, "answered");
            }
            Err(error) => {
                let facts = error.facts();
                let request_id = facts.request_id.as_ref().map(RequestId::as_str);
                tracing::debug!(method, path, status = facts.status, request_id, ms, kind = error.kind(), "failed");
            }
        }
        result
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Good, Error> {
        let Call { endpoint, token, segments, fields } = call;
        let settings = &self.inner.settings;
        if token.is_some_and(SessionToken::is_empty) {
            return Err(Error::InvalidInput { what: "session_token" });
        }
        let mut url = url_of(&settings.base, endpoint, &segments)?;
        let needs = endpoint.needs(&fields);
        let mut secrets = Secrets::default();
        collect_secrets(&fields, &mut secrets);

        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization(token, &mut secrets));
        headers.insert(HeaderName::from_static("x-sdk-client"), self.sdk_client());

        let mut body = None;
        if endpoint.verb.has_body() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            body = Some(Value::Object(fields).to_string());
        } else if !fields.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &fields {
                match value {
                    Value::String(text) => query.append_pair(name, text),
                    other => query.append_pair(name, &other.to_string()),
                };
            }
        }
        if url.as_str().len() > LONGEST_URL {
            return Err(Error::InvalidInput { what: "url" });
        }
        let asked = Asked {
            endpoint,
            with_session: token.is_some(),
            needs,
            app_identifier: &settings.app.identifier,
            secrets: &secrets,
            url: &url,
        };

        let method = match endpoint.verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
            Verb::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.inner.http.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|why| lost(&why, Facts::default()))?;

        let text = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let head = Head {
            status: response.status().as_u16(),
            date: text(DATE).map(|date| secrets.clean(&date)),
            retry_after: text(RETRY_AFTER),
            location: text(LOCATION),
        };
        let facts = || Facts { status: Some(head.status), server_date: head.date.clone(), ..Facts::default() };
        let mut body = Zeroizing::new(Vec::new());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_ANSWER => {
                    return Err(answer::garbled(facts(), "it is larger than 64 MiB"));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(why) => return Err(lost(&why, facts())),
            }
        }
        answer::read(&asked, &head, &body)
    }

    /// Basic credentials: the public token, and behind it the session token or the public token again.
    fn authorization(&self, token: Option<&SessionToken>, secrets: &mut Secrets) -> HeaderValue {
        let public = self.public_token().as_str();
        let pair = Zeroizing::new(format!("{public}:{}", token.map_or(public, SessionToken::expose)));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        if let Some(token) = token {
            secrets.add(token.expose());
            secrets.add(&encoded);
        }
        let text = Zeroizing::new(format!("Basic {}", *encoded));
        let mut value = HeaderValue::from_str(&text).expect("base64 is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// `X-SDK-Client`: what the official multiplatform SDK tells about itself, with nothing that could track a person.
    ///
    /// `os` and `device` have to be there for a native caller, their contents are free. The system's version is not told,
    /// because nobody needs it; a client without a window has no screen, and `(0x0)` keeps the form the field has. The
    /// persistent id is a new one each time, as in the official SDKs.
    fn sdk_client(&self) -> HeaderValue {
        let (event, persistent, lasting) = (Uuid::new_v4(), Uuid::new_v4(), &self.inner.lasting_facts);
        let facts =
            format!(r#"{{"event_id":"event-id-{event}","persistent_id":"persistent-id-{persistent}",{lasting}"#);
        HeaderValue::from_str(&STANDARD.encode(facts)).expect("base64 is visible ASCII")
    }
}

/// What `X-SDK-Client` says that is the same in every call of a client: the object without its opening brace.
fn lasting_facts(settings: &Settings) -> String {
    let timezone = jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let facts = json!({
        // One for the life of the client, as the official mobile SDK has one for each process.
        "app_session_id": format!("app-session-id-{}", Uuid::new_v4()),
        "timezone": timezone,
        "app": { "identifier": settings.app.identifier, "version": settings.app.version },
        "os": { "identifier": operating_system(), "version": "unknown" },
        "device": { "model": "desktop", "screen_size": "(0x0)" },
        "sdk": { "identifier": settings.sdk.identifier, "version": settings.sdk.version },
    });
    facts.to_string().split_off(1)
}

/// The URL of a call, each value as one whole segment of the path.
fn url_of(base: &ApiBase, endpoint: &Endpoint, segments: &[(&'static str, String)]) -> Result<Url, Error> {
    let mut path = String::with_capacity(endpoint.path.len() + 128);
    for part in endpoint.path.split('/').skip(1) {
        path.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => path.push_str(part),
            Some(name) => {
                let (what, value) = segments
                    .iter()
                    .find(|(filled, _)| *filled == name)
                    .unwrap_or_else(|| panic!("{} is called without {name}", endpoint.name));
                path.push_str(&segment(value).ok_or(Error::InvalidInput { what })?);
            }
        }
    }
    if path.len() > LONGEST_URL {
        return Err(Error::InvalidInput { what: "url" });
    }
    let mut url = base.url().clone();
    url.set_path(&path);
    Ok(url)
}

/// A value as one segment of a path, or `None` when a URL parser would not leave it one.
pub(crate) fn segment(value: &str) -> Option<String> {
    let folded = value.to_ascii_lowercase().replace("%2e", ".");
    if folded.is_empty() || folded == "." || folded == ".." {
        return None;
    }
    Some(utf8_percent_encode(value, SEGMENT).to_string())
}

/// Notes the secrets among the fields of a request, so that no error repeats them.
fn collect_secrets(fields: &Map<String, Value>, secrets: &mut Secrets) {
    for (name, value) in fields {
        match value {
            Value::String(text) if is_secret_name(name) => secrets.add(text),
            Value::Object(inner) => collect_secrets(inner, secrets),
            _ => {}
        }
    }
}

fn operating_system() -> &'static str {
    match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}

fn user_agent(sdk: &Identity) -> String {
    let token = |text: &str| -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        text.chars().map(plain).collect()
    };
    format!("{}/{}", token(&sdk.identifier), token(&sdk.version))
}

/// Judges a request that found no answer, or not all of one.
fn lost(why: &reqwest::Error, facts: Facts) -> Error {
    let protocol = causes(why).filter_map(|inner| inner.downcast_ref::<hyper::Error>()).last();
    // What came back is not HTTP: something answered, and it was not this API.
    if !why.is_connect() && protocol.is_some_and(hyper::Error::is_parse) {
        return answer::garbled(facts, "it is not an HTTP answer");
    }
    let broken = protocol.is_some_and(|why| why.is_incomplete_message() || why.is_closed() || why.is_canceled());
    let phase = if why.is_connect() { Phase::NotSent } else { Phase::MaybeCarriedOut };
    let cause = match cause_of(why) {
        Cause::Other if broken => Cause::Reset,
        cause => cause,
    };
    Error::Unreachable { facts, phase, cause }
}

fn cause_of(why: &reqwest::Error) -> Cause {
    if why.is_timeout() {
        return Cause::TimedOut;
    }
    for inner in causes(why) {
        // The connector's own error type is private; its words are the only sign that the name was the trouble.
        if why.is_connect() && inner.to_string() == "dns error" {
            return Cause::Dns;
        }
        let Some(inner) = inner.downcast_ref::<io::Error>() else { continue };
        match inner.kind() {
            io::ErrorKind::ConnectionRefused => return Cause::Refused,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => return Cause::Reset,
            io::ErrorKind::TimedOut => return Cause::TimedOut,
            // The TLS layer reports its refusals, bad certificates among them, as invalid data.
            io::ErrorKind::InvalidData if why.is_connect() => return Cause::Tls,
            _ => {}
        }
    }
    Cause::Other
}

/// The errors behind an error, outermost first. An `io::Error` hides the one it wraps from `source`, so it is opened.
fn causes(why: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = why.source();
    std::iter::from_fn(move || {
        let inner: &(dyn StdError + 'static) = next?;
        next = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
        Some(inner)
    })
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::base::Environment;

    fn client(base: &str) -> Client {
        let public_token: PublicToken = "public-token-test-11111111-1111-4111-8111-111111111111".parse().unwrap();
        Client::new(Settings {
            base: ApiBase::parse(base, &public_token).unwrap(),
            public_token,
            app: Identity { identifier: "com.example.app".to_owned(), version: "1".to_owned() },
            sdk: Identity { identifier: "an sdk / odd".to_owned(), version: "2".to_owned() },
            timeouts: Timeouts::default(),
        })
        .unwrap()
    }

    fn revoke(member: &str, app: &str) -> Result<Url, Error> {
        let segments = [("member_id", member.to_owned()), ("connected_app_id", app.to_owned())];
        let base = ApiBase::for_environment(Environment::Test);
        url_of(&base, known("organization.members.revokeConnectedApp"), &segments)
    }

    proptest! {
        #[test]
        fn no_id_can_leave_its_place_in_the_path(member in id(), app in id()) {
            match revoke(&member, &app) {
                Ok(url) => {
                    let parts: Vec<_> = url.path().split('/').skip(1).collect();
                    prop_assert_eq!(parts.len(), 9, "{}", url);
                    prop_assert_eq!(percent_decode_str(parts[5]).decode_utf8().unwrap(), member);
                    prop_assert_eq!(percent_decode_str(parts[7]).decode_utf8().unwrap(), app);
                    prop_assert_eq!(parts[8], "revoke");
                    prop_assert_eq!((url.query(), url.fragment()), (None, None));
                    prop_assert_eq!(Url::parse(url.as_str()).unwrap(), url, "a second reader reads another path");
                }
                Err(error) => {
                    let folds = |id: &str| {
                        let plain = percent_decode_str(id).decode_utf8_lossy().into_owned();
                        plain.is_empty() || plain == "." || plain == ".."
                    };
                    prop_assert!(folds(&member) || folds(&app), "{error} for {member:?} and {app:?}");
                }
            }
        }
    }

    /// Ids that try to be more than an id, and any text at all.
    fn id() -> impl Strategy<Value = String> {
        let nasty = proptest::sample::select(vec![
            ".", "..", "/", "\\", "%", "%2e", "%2F", "?", "#", ";", " ", "\0", "\n", "ü", "a", "",
        ]);
        prop_oneof![any::<String>(), proptest::collection::vec(nasty, 0..6).prop_map(|parts| parts.concat())]
    }

    #[test]
    fn dot_segments_are_refused_in_every_spelling() {
        for id in ["", ".", "..", "%2e", "%2E%2e", ".%2e", "%2E."] {
            assert_eq!(revoke(id, "app"), Err(Error::InvalidInput { what: "member_id" }), "{id:?}");
            assert_eq!(revoke("member", id), Err(Error::InvalidInput { what: "connected_app_id" }), "{id:?}");
        }
        assert!(revoke("...", ".a").is_ok(), "dots are fine when they do not stand alone");
    }

    #[test]
    fn an_id_of_ten_thousand_characters_is_sent_and_an_endless_one_is_refused() {
        assert!(revoke(&"x".repeat(10_000), "app").is_ok());
        assert_eq!(revoke(&"ü".repeat(10_000), "app"), Err(Error::InvalidInput { what: "url" }));
    }

    #[test]
    fn the_credentials_are_marked_for_every_library_below() {
        let token = SessionToken::new("canary".to_owned());
        let value = client("https://api.example.com").authorization(Some(&token), &mut Secrets::default());
        assert_eq!(format!("{value:?}"), "Sensitive", "a library that logs headers would show them");
    }

    #[test]
    fn the_user_agent_is_a_valid_one_whatever_the_sdk_is_called() {
        let sdk = Identity { identifier: "an sdk / odd ü".to_owned(), version: "2\r\nX: y".to_owned() };
        assert_eq!(user_agent(&sdk), "an-sdk---odd--/2--X--y");
    }

    #[test]
    fn an_identity_that_cannot_be_sent_is_refused() {
        for identifier in ["", "  ", "a\nb", &"x".repeat(201)] {
            let mut settings = client("https://api.example.com").settings().clone();
            settings.app.identifier = identifier.to_owned();
            assert_eq!(Client::new(settings).err(), Some(Error::InvalidInput { what: "app.identifier" }));
        }
    }
}

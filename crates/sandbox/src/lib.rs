//! A server on loopback that behaves as Stytch's B2B frontend API does, for trying the app, for drills and for tests.
//! It is not a mock of any client: it has its own types, and Stytch's official web SDK works against it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let sandbox = sandbox::Sandbox::start(sandbox::Options::default()).await?;
//! println!("{}", sandbox.card().url);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! ## Callers
//! A caller with `X-SDK-Parent-Host` or `Origin` is a web page and is let in from `localhost` and `127.0.0.1`; any other
//! is native and needs the registered bundle id in `X-SDK-Client`. Preflights from local pages are answered.
//!
//! ## The control side
//! Below [`Sandbox::control_url`], a path nobody can guess. Its calls suffer no fault and are in no ledger.
//!
//! | call | what it does |
//! |---|---|
//! | GET `inbox` | `[{"to", "code", "link", "at"}]`: the codes sent, oldest first |
//! | GET, POST `faults` | the settings of [`Faults`]; a field left out keeps its value, `null` clears one, `on` scopes the ones beside it. Answers all settings, with their scopes under `on` |
//! | GET `ledger` | `{"grants", "calls", "revocations", "policy_changes"}`: the truth. The grants are those of the card's organization; `?organization_id=` asks for another's |
//! | POST `consent` | `{"member_id", "connected_app_id", "scopes": […]}`: the member lets the app act (again). Refused while the policy forbids the app |
//! | POST `delete_member` | `{"member_id"}` |
//! | POST `roles` | `{"member_id", "roles": […]}`: the roles beside `stytch_member`; sessions have them from the next call on. `security_responder` may revoke and may not change the policy |
//! | POST `policy` | `{"organization_id"?, "first_party_connected_apps_allowed_type"?, "allowed_first_party_connected_apps"?, "third_party_connected_apps_allowed_type"?, "allowed_third_party_connected_apps"?}`; another admin's hand, as it were: in no list of the ledger |
//!
//! ## Changing the policy
//! `PUT /sdk/v1/b2b/organizations/me` takes the four fields of the connected-app policy, which need `*` on
//! `stytch.organization`, and the organization's name, slug, logo and external id. It takes all of a change or nothing of
//! it; what is not sent stays. An unknown field, type or word is refused with 400 in the validator's shape, `trusted_metadata`
//! with 401. Each change of the policy that was carried out is a row of the ledger's `policy_changes`: `{"at", "by", "before",
//! "after", "answered"}`, `by` a member id, `before` and `after` the four fields, `answered` as for revocations: a 2xx was
//! written whole.
//!
//! What Stytch leaves open about a change can be set, each by a fault of that name:
//!
//! | fault | default | what it decides |
//! |---|---|---|
//! | `policy_hides` | none | none: a forbidden app leaves the lists, and its own view still tells whose grants live; `true`: its view answers 404 too; `false`: it stays in all of them while its grants live |
//! | `policy_revokes` | `false` | a change that forbids an app revokes its grants too; in no row of `revocations`, since nobody asked for it |
//! | `policy_stale_s` | 0 | reads of grants, and consents, go by the policy of so many seconds ago; the organization itself is answered as it is |
//! | `list_cap` | none | the organization's app list and each app's `active_members` silently hold at most so many rows |
//! | `reconsent_after_ms` | none | every grant revoked through the API comes back by itself after so long, with its scopes, unless the policy forbids the app then; `on` with an app's id: that app's alone. `null` also stops those on their way |
//! | `reconsent_new_client_id` | `false` | beside it: they come back under a new client id. The app that looks the same is made when first needed, one for each app, and judged by the policy under its own id |
//!
//! Consents, and the policy's change on the control side, are calls of `/consent` and `/policy` where a fault has a scope.
//!
//! ## Where Stytch documents nothing, the sandbox picks
//! Any member may read the organization's connected apps. An app that the policy forbids leaves the lists and
//! keeps its own view (`policy_hides` changes either); its grants stay, can be revoked, and are back when it is allowed again. An allowlist is kept as given, also one that
//! names unknown apps, and whatever the word beside it. A revoke of what is not granted answers
//! 200. Without a session: 401 `user_unauthenticated`. A dead session: 404 `session_not_found` on `sessions/authenticate`
//! and `sessions/revoke`, elsewhere 401 `unauthorized_credentials`. A wrong code: 401 `unable_to_auth_otp_code`; a used,
//! replaced or expired one: 404 `otp_code_not_found`, unless a newer code stands, which a guess then fails to match. A wrong verb: 405 `method_not_allowed`.

mod bootstrap;
mod caller;
mod come_backs;
mod connected_apps;
mod control;
mod discovery;
mod faults;
mod gate;
mod grants;
mod ledger;
mod members;
mod organization;
mod otps;
mod policy;
mod rbac;
mod reply;
mod seed;
mod sessions;
mod wire;
mod world;

use std::fmt;
use std::io;

use axum::Router;
use axum::routing::post;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use faults::{BadRow, Body, Faults};
pub use otps::Mail;
pub use world::State;

use wire::{Door, Link};

/// How large a sandbox is and how it behaves from the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides every id, name and grant. The same seed and sizes give the same world; tokens and codes are never seeded.
    pub seed: u64,
    /// Members of the organization that are not deleted; at least 3, the people of the card.
    pub members: usize,
    /// Connected apps of the project.
    pub apps: usize,
    /// Port on 127.0.0.1; `None` lets the system choose.
    pub port: Option<u16>,
    /// The app identifier that native callers must send.
    pub bundle_id: String,
    /// Faults in force from the first call on.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            members: 40,
            apps: 12,
            port: None,
            bundle_id: "dev.cutoff.desktop".into(),
            faults: Faults::default(),
        }
    }
}

/// Where a sandbox answers and who can sign in: the line that `--json` prints.
#[derive(Clone, Serialize, Debug)]
pub struct Card {
    /// Base URL of the API: `http://127.0.0.1:<port>`, no slash at the end.
    pub url: String,
    /// Public token of the project, `public-token-test-<uuid>`.
    pub public_token: String,
    /// The app identifier that native callers must send.
    pub bundle_id: String,
    /// The organization the people belong to.
    pub organization_id: String,
    /// An admin, a reader and a plain member, each with a live session of 12 hours.
    pub people: Vec<Person>,
    /// GET: the codes sent.
    pub inbox_url: String,
    /// GET and POST: the faults.
    pub faults_url: String,
    /// GET: the truth.
    pub ledger_url: String,
}

/// Somebody who can sign in, with a session at hand.
#[derive(Clone, Serialize)]
pub struct Person {
    /// `admin`, `reader` or `member`.
    pub role: &'static str,
    /// The address codes are sent to.
    pub email: String,
    /// Id in the card's organization.
    pub member_id: String,
    /// A live session's opaque token.
    pub session_token: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("role", &self.role)
            .field("email", &self.email)
            .field("member_id", &self.member_id)
            .field("session_token", &"(hidden)")
            .finish()
    }
}

type People = [(&'static str, grants::MemberNo, String); 3];

/// A running sandbox. Dropping it stops the server and ends its connections.
pub struct Sandbox {
    card: Card,
    state: State,
    closing: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Binds 127.0.0.1 and serves; ready when it returns. Must be called on a Tokio runtime.
    ///
    /// # Errors
    /// The bind's error, or `InvalidInput` when a fault is out of range.
    pub async fn start(options: Options) -> io::Result<Self> {
        let settings = faults::Settings::new(options.faults.clone())
            .map_err(|sentence| io::Error::new(io::ErrorKind::InvalidInput, sentence))?;
        let (facts, world, people) = seed::world(&options, settings, seed::control_path());
        let state = State::new(facts, world);

        let listener = TcpListener::bind(("127.0.0.1", options.port.unwrap_or(0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let control = format!("{url}{}", state.facts().control_path);
        let card = {
            let world = state.world();
            Card {
                public_token: state.facts().public_token.clone(),
                bundle_id: state.facts().bundle_id.clone(),
                organization_id: world.organizations[state.facts().organization].id.clone(),
                people: people
                    .into_iter()
                    .map(|(role, number, session_token)| Person {
                        role,
                        email: world.members[number as usize].email.clone(),
                        member_id: world.members[number as usize].id.clone(),
                        session_token,
                    })
                    .collect(),
                inbox_url: format!("{control}/inbox"),
                faults_url: format!("{control}/faults"),
                ledger_url: format!("{control}/ledger"),
                url,
            }
        };

        let (closing, closed) = watch::channel(false);
        let door = Door { listener, state: state.clone(), closing: closed };
        let service = app(state.clone()).into_make_service_with_connect_info::<Link>();
        let server = tokio::spawn(async move {
            // Serving ends only by being aborted: the door never gives up.
            let _ = axum::serve(door, service).await;
        });
        Ok(Self { card, state, closing, server })
    }

    /// Addresses, tokens and people.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Base of the control side, no slash at the end: append `/consent`, `/delete_member`, `/roles`, `/policy`,
    /// `/inbox`, `/faults` or `/ledger` (see the crate's front page).
    pub fn control_url(&self) -> String {
        format!("{}{}", self.card.url, self.state.facts().control_path)
    }

    /// Every message sent so far, oldest first.
    pub fn inbox(&self) -> Vec<Mail> {
        self.state.world().inbox.clone()
    }

    /// The newest code sent to this address, for whoever embeds the sandbox; `None` when none was sent.
    pub fn newest_code(&self, email: &str) -> Option<String> {
        let world = self.state.world();
        let mail = world.inbox.iter().rev().find(|mail| mail.to.eq_ignore_ascii_case(email))?;
        Some(mail.code.clone())
    }

    /// Milliseconds since the start, on the clock of [`Sandbox::lives`].
    pub fn now_ms(&self) -> i64 {
        self.state.now_ms()
    }

    /// From when to when each consent of a member to an app lived, oldest first, in milliseconds since the start: `i64::MIN` for
    /// one that was there before, no end for one that lives. The ledger tells of now alone; whether what was said at some moment
    /// was true then, is told by this.
    pub fn lives(&self, member_id: &str, connected_app_id: &str) -> Vec<(i64, Option<i64>)> {
        let world = self.state.world();
        match (world.member_by_id.get(member_id), world.app_by_id.get(connected_app_id)) {
            (Some(member), Some(app)) => world.grants.lives(*app, *member),
            _ => Vec::new(),
        }
    }

    /// Stops serving, ends open connections and waits until the port is free.
    pub async fn stop(mut self) {
        self.closing.send_replace(true);
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        self.server.abort();
    }
}

/// The whole server over a state: the API with its faults and ledger, and the control side.
///
/// Resets, hang-ups and the ledger's `answered` need the connection that [`Sandbox::start`] hands along; served
/// otherwise, a reset is a response that breaks off and nothing counts as answered.
pub fn app(state: State) -> Router {
    let api = Router::new()
        .merge(bootstrap::routes())
        .merge(organization::routes())
        .merge(members::routes())
        .merge(connected_apps::routes())
        .merge(sessions::routes())
        .merge(otps::routes())
        .merge(discovery::routes())
        .route("/sdk/v1/events", post(gate::events))
        .method_not_allowed_fallback(async || reply::Refusal::method_not_allowed())
        .fallback(async || reply::Refusal::route_not_found())
        .layer(axum::middleware::from_fn_with_state(state.clone(), gate::gate))
        .with_state(state.clone());
    Router::new()
        .nest(&state.facts().control_path.clone(), control::routes())
        .with_state(state)
        .fallback_service(api)
        .layer(axum::middleware::from_fn(gate::cross_origin))
}

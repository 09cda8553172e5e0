//! Where one may sign in: saved connections and the built-in sandbox.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;

/// What a person fills in to add a connection. Everything but the public token may be left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct ConnectionDraft {
    /// `public-token-test-…` or `public-token-live-…`. Not a secret.
    pub public_token: String,
    /// Scheme, host and port where the API answers; Stytch's own host for the token's environment when left out.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub base_url: Option<String>,
    /// The organization's slug, when sign-in should go to one organization straight away.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub organization_slug: Option<String>,
    /// What the project's owner has registered as an allowed bundle id; `dev.cutoff.desktop` when left out.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub app_identifier: Option<String>,
    /// The name sent as `sdk.identifier`; ours when left out.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub sdk_identifier: Option<String>,
    /// The person has read that the host is not one of Stytch's and goes on.
    #[serde(default)]
    pub host_confirmed: bool,
}

/// A place to sign in to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Connection {
    /// A UUID of ours; the account of the keyring item.
    pub id: String,
    /// The Stytch project's name, or the host before it is known.
    pub name: String,
    /// Scheme, host and port: `https://test.stytch.com`.
    pub base_url: String,
    /// The public token, whole. Not a secret.
    pub public_token: String,
    /// Which of the three kinds of place it is.
    pub environment: Environment,
    /// False for any host that is not `api.stytch.com` or `test.stytch.com`: said in words at sign-in.
    pub stytch_host: bool,
    /// What is sent as `app.identifier`: what the project's owner must have registered.
    pub app_identifier: String,
    /// Slug of the organization that sign-in goes to straight away, if one was given.
    pub organization_slug: Option<String>,
    /// The e-mail address last used here.
    pub email: Option<String>,
}

/// Which kind of place a connection leads to. Always told in words on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A Stytch test project.
    Test,
    /// A Stytch live project: real members, real apps.
    Live,
    /// The stand-in that runs inside this app.
    Sandbox,
}

/// What a sandbox offers to the person who tries it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SandboxOffer {
    /// The connection that leads to it. It lives as long as the app runs.
    pub connection: Connection,
    /// Who may sign in there, one for each role.
    pub people: Vec<SandboxPerson>,
}

/// Somebody who exists in the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SandboxPerson {
    /// `admin`, `reader` or `member`.
    pub role: String,
    /// The address to sign in with.
    pub email: String,
}

/// A mail that the sandbox "sent". Only the sandbox's own codes ever cross to the page.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Letter {
    /// Whom it was sent to.
    pub to: String,
    /// The one-time code in it.
    pub code: String,
    /// When.
    pub at: Utc,
}

//! A typed client of Stytch's B2B frontend API: the words of the API and nothing of any app that uses it.
//!
//! One file per noun. It sends what it is told, once, and says exactly what came back or how far the request got. It
//! keeps no session, retries nothing, and judges no outcome: that belongs to its caller. A secret has a type that does
//! not print, an id has a type of its own, and every error that a caller would act on differently is its own variant.
//!
//! The facts about the API come from Stytch's public documentation and from its official web and mobile SDKs.

// An error carries its facts in itself, so that callers match on one level. It is made once per failed network call,
// where a hundred bytes more cost nothing.
#![allow(clippy::result_large_err)]

mod answer;
mod base;
mod bootstrap;
mod client;
mod connected_apps;
mod discovery;
mod endpoints;
mod error;
mod id;
mod lenient;
mod members;
mod organization;
mod otps;
mod rbac;
mod rows;
mod sessions;
mod token;

pub use base::{ApiBase, BadApiBase, BadPublicToken, Environment, PublicToken};
pub use bootstrap::{Bootstrap, CaptchaSettings, PasswordConfig};
pub use client::{Client, Identity, Reply, Settings, Timeouts};
pub use connected_apps::{ActiveMember, ClientType, ConnectedApp, ConnectedAppDetail, MemberConnectedApp};
pub use discovery::{DiscoveredOrganization, DiscoveredOrganizations, Discovery, Membership};
pub use endpoints::{Auth, ENDPOINTS, Endpoint, Verb};
pub use error::{Cause, Error, Facts, Permission, Phase};
pub use id::{ConnectedAppId, MemberId, MemberSessionId, OrganizationId, RequestId};
pub use members::{Member, MemberOperand, MemberPage, MemberRole, MemberSearch, RoleSource};
pub use organization::{ConnectedAppPolicy, Organization, OrganizationMatch, OrganizationUpdate};
pub use rbac::{Policy, Resource, Role, RolePermission};
pub use rows::{Rows, UnreadableRow};
pub use sessions::{
    Authenticated, AuthenticationFactor, ImpersonatedFactor, LiveSession, MemberOptions, MemberSession, MfaRequired,
    PrimaryRequired, SignInOutcome,
};
pub use token::{IntermediateSessionToken, REDACTED, SessionToken, redact};

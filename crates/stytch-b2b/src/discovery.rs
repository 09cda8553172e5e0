//! Discovery: from a proven e-mail address to the organizations it belongs to, and into one of them.

use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::error::{Error, Facts};
use crate::id::OrganizationId;
use crate::lenient;
use crate::members::Member;
use crate::organization::Organization;
use crate::rows::Rows;
use crate::sessions::{Authenticated, AuthenticatedWire, MfaRequired, PrimaryRequired};
use crate::token::IntermediateSessionToken;

/// A proven address and its organizations.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// Opens one of the organizations within ten minutes.
    pub intermediate_session_token: IntermediateSessionToken,
    /// The address.
    pub email_address: String,
    /// The organizations.
    pub discovered_organizations: Rows<DiscoveredOrganization>,
}

/// The organizations of a proven address, read again.
#[derive(Clone, Debug, Deserialize)]
pub struct DiscoveredOrganizations {
    /// The address.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub email_address: String,
    /// The organizations.
    pub discovered_organizations: Rows<DiscoveredOrganization>,
    /// The organization that the sign-in began with, if any.
    pub organization_id_hint: Option<OrganizationId>,
}

/// An organization that a proven address belongs to or may join.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DiscoveredOrganization {
    /// The organization.
    pub organization: Organization,
    /// How the address belongs to it.
    pub membership: Membership,
    /// Whether entering it needs nothing more.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub member_authenticated: bool,
    /// Another first factor is needed.
    pub primary_required: Option<PrimaryRequired>,
    /// A second factor is needed.
    pub mfa_required: Option<MfaRequired>,
}

/// How an address belongs to an organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Membership {
    /// `active_member`, `pending_member`, `invited_member`, `eligible_to_join_by_email_domain` or
    /// `eligible_to_join_by_oauth_tenant`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The member, where there is one already.
    pub member: Option<Member>,
}

#[derive(Deserialize)]
pub(crate) struct DiscoveryWire {
    intermediate_session_token: IntermediateSessionToken,
    #[serde(default, deserialize_with = "lenient::or_default")]
    email_address: String,
    discovered_organizations: Rows<DiscoveredOrganization>,
}

impl DiscoveryWire {
    /// An empty token means that it went into a cookie, which this client does not keep.
    pub(crate) fn read(self, facts: &Facts) -> Result<Discovery, Error> {
        let Self { intermediate_session_token, email_address, discovered_organizations } = self;
        if intermediate_session_token.is_empty() {
            return Err(Error::CookiesOnly(facts.clone()));
        }
        Ok(Discovery { intermediate_session_token, email_address, discovered_organizations })
    }
}

impl Client {
    /// Reads the organizations of a proven address again. Does not use the token up.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty token, or any of [`Error`] that a call without a session can meet.
    pub async fn discovered_organizations(
        &self,
        token: &IntermediateSessionToken,
    ) -> Result<Reply<DiscoveredOrganizations>, Error> {
        let call = Call::public("discovery.organizations.list").field("intermediate_session_token", given(token)?);
        self.ask(call).await
    }

    /// Enters one of the organizations: a full session, or what is still missing.
    ///
    /// The length of the session is in minutes, 5 or more; the project's own limit is the server's to enforce.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty token or id, [`Error::CookiesOnly`] when the tokens come empty, or any of [`Error`]
    /// that a call without a session can meet.
    pub async fn exchange_intermediate_session(
        &self,
        token: &IntermediateSessionToken,
        organization: &OrganizationId,
        session_duration_minutes: u32,
    ) -> Result<Reply<Authenticated>, Error> {
        if organization.as_str().trim().is_empty() {
            return Err(Error::InvalidInput { what: "organization_id" });
        }
        let call = Call::public("discovery.intermediateSessions.exchange")
            .field("intermediate_session_token", given(token)?)
            .field("organization_id", organization.as_str())
            .field("session_duration_minutes", session_duration_minutes);
        self.ask_and(call, AuthenticatedWire::read).await
    }
}

fn given(token: &IntermediateSessionToken) -> Result<&str, Error> {
    if token.is_empty() {
        return Err(Error::InvalidInput { what: "intermediate_session_token" });
    }
    Ok(token.expose())
}

//! Sessions: what a sign-in gives, the check that a session lives, and its end.

use serde::Deserialize;

use crate::answer::garbled;
use crate::client::{Call, Client, Reply};
use crate::error::{Error, Facts};
use crate::id::{MemberId, MemberSessionId, OrganizationId};
use crate::lenient;
use crate::members::Member;
use crate::organization::Organization;
use crate::token::{IntermediateSessionToken, SessionToken};

/// A member's session. Knowing it opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MemberSession {
    /// Its id.
    pub member_session_id: MemberSessionId,
    /// Whose.
    pub member_id: MemberId,
    /// Where.
    pub organization_id: OrganizationId,
    /// The organization's name in URLs.
    pub organization_slug: Option<String>,
    /// RFC 3339, UTC.
    pub started_at: Option<String>,
    /// RFC 3339, UTC.
    pub last_accessed_at: Option<String>,
    /// RFC 3339, UTC: when it ends unless it is extended.
    pub expires_at: Option<String>,
    /// The roles that permissions follow.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub roles: Vec<String>,
    /// How the member proved who they are.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub authentication_factors: Vec<AuthenticationFactor>,
}

/// One proof of who a member is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuthenticationFactor {
    /// Such as `email_otp`, `sso` or `impersonated`.
    #[serde(rename = "type", default, deserialize_with = "lenient::or_default")]
    pub kind: String,
    /// Such as `email` or `sso_saml`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub delivery_method: String,
    /// RFC 3339, UTC.
    pub last_authenticated_at: Option<String>,
    /// Who really sits there when the session is impersonated.
    pub impersonated_factor: Option<ImpersonatedFactor>,
}

/// Who impersonates the member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ImpersonatedFactor {
    /// Their id in the vendor's Stytch workspace.
    pub impersonator_id: Option<String>,
    /// Their e-mail address.
    pub impersonator_email_address: Option<String>,
}

/// A second factor is needed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MfaRequired {
    /// What the member has set up.
    pub member_options: Option<MemberOptions>,
    /// `sms_otp` when a code is on its way already.
    pub secondary_auth_initiated: Option<String>,
}

/// The second factors that a member has set up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MemberOptions {
    /// A phone number, or empty.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub mfa_phone_number: String,
    /// The id of an authenticator app, or empty.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub totp_registration_id: String,
}

/// Another first factor is needed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PrimaryRequired {
    /// The ways that the organization allows.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub allowed_auth_methods: Vec<String>,
}

/// The answer to a sign-in.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who.
    pub member: Member,
    /// Where.
    pub organization: Organization,
    /// A session, or what is still missing.
    pub outcome: SignInOutcome,
}

/// What a sign-in led to.
#[derive(Clone, Debug)]
pub enum SignInOutcome {
    /// A full session.
    SignedIn {
        /// Opens it.
        session_token: SessionToken,
        /// Describes it.
        member_session: MemberSession,
    },
    /// Another factor is needed first.
    MoreNeeded {
        /// Takes the next factor, within ten minutes.
        intermediate_session_token: IntermediateSessionToken,
        /// A second factor is needed.
        mfa_required: Option<MfaRequired>,
        /// Another first factor is needed.
        primary_required: Option<PrimaryRequired>,
    },
}

/// A session that was found alive.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// Who.
    pub member: Member,
    /// Where.
    pub organization: Organization,
    /// The session as it now is.
    pub session: MemberSession,
    /// The token to use from now on; usually the same.
    pub session_token: SessionToken,
}

#[derive(Deserialize)]
pub(crate) struct AuthenticatedWire {
    member: Member,
    organization: Organization,
    member_session: Option<MemberSession>,
    session_token: Option<SessionToken>,
    intermediate_session_token: Option<IntermediateSessionToken>,
    member_authenticated: Option<bool>,
    mfa_required: Option<MfaRequired>,
    primary_required: Option<PrimaryRequired>,
}

impl AuthenticatedWire {
    /// Decides between a session and what is missing. Empty tokens mean that they went into cookies.
    pub(crate) fn read(self, facts: &Facts) -> Result<Authenticated, Error> {
        let session_token = self.session_token.filter(|token| !token.is_empty());
        let intermediate = self.intermediate_session_token.filter(|token| !token.is_empty());
        // The exchange of an access token leaves the flag out.
        let done = self.member_authenticated.unwrap_or(self.member_session.is_some());
        let outcome = match (done, session_token, self.member_session, intermediate) {
            (true, Some(session_token), Some(member_session), _) => {
                SignInOutcome::SignedIn { session_token, member_session }
            }
            (true, Some(_), None, _) => return Err(garbled(facts.clone(), "it has a token but no `member_session`")),
            (false, _, _, Some(intermediate_session_token)) => SignInOutcome::MoreNeeded {
                intermediate_session_token,
                mfa_required: self.mfa_required,
                primary_required: self.primary_required,
            },
            (true, None, _, _) | (false, _, _, None) => return Err(Error::CookiesOnly(facts.clone())),
        };
        Ok(Authenticated { member: self.member, organization: self.organization, outcome })
    }
}

#[derive(Deserialize)]
struct LiveSessionWire {
    member: Member,
    organization: Organization,
    member_session: MemberSession,
    session_token: SessionToken,
}

#[derive(Deserialize)]
struct Nothing {}

impl Client {
    /// Asks whether the session lives, and extends it only when a length in minutes is given.
    ///
    /// # Errors
    /// [`Error::SignedOut`] is final here. [`Error::CookiesOnly`] when the token comes back empty, or any of [`Error`].
    pub async fn authenticate_session(
        &self,
        token: &SessionToken,
        session_duration_minutes: Option<u32>,
    ) -> Result<Reply<LiveSession>, Error> {
        let mut call = Call::session("session.authenticate", token);
        if let Some(minutes) = session_duration_minutes {
            call = call.field("session_duration_minutes", minutes);
        }
        self.ask_and(call, |wire: LiveSessionWire, facts| {
            let LiveSessionWire { member, organization, member_session: session, session_token } = wire;
            if session_token.is_empty() {
                return Err(Error::CookiesOnly(facts.clone()));
            }
            Ok(LiveSession { member, organization, session, session_token })
        })
        .await
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`Error::SignedOut`] means that it had ended already. Otherwise any of [`Error`].
    pub async fn revoke_session(&self, token: &SessionToken) -> Result<Reply<()>, Error> {
        Ok(self.ask::<Nothing>(Call::session("session.revoke", token)).await?.map(|Nothing {}| ()))
    }
}

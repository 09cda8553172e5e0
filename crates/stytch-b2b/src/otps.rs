//! Sign-in by a code sent to an e-mail address: to find one's organizations, or straight into one.

use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::discovery::{Discovery, DiscoveryWire};
use crate::error::Error;
use crate::id::OrganizationId;
use crate::sessions::{Authenticated, AuthenticatedWire};

#[derive(Deserialize)]
struct Nothing {}

/// An address that could be one: nobody but the mail system knows more.
fn email(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    let good = text.rsplit_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if good { Ok(text) } else { Err(Error::InvalidInput { what: "email_address" }) }
}

fn code(text: &str) -> Result<&str, Error> {
    let text = text.trim();
    if text.is_empty() { Err(Error::InvalidInput { what: "code" }) } else { Ok(text) }
}

fn organization_id(id: &OrganizationId) -> Result<&str, Error> {
    if id.as_str().trim().is_empty() {
        return Err(Error::InvalidInput { what: "organization_id" });
    }
    Ok(id.as_str())
}

impl Client {
    /// Mails a code that proves the address, in order to find its organizations. The code lives 10 minutes.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for what is no address; [`Error::CaptchaRequired`] where the project guards sign-in, or any of
    /// [`Error`] that a call without a session can meet.
    pub async fn send_discovery_code(&self, email_address: &str) -> Result<Reply<()>, Error> {
        let call = Call::public("otps.email.discovery.send").field("email_address", email(email_address)?);
        Ok(self.ask::<Nothing>(call).await?.map(|Nothing {}| ()))
    }

    /// Proves the address by its code, and tells its organizations. Only the newest code counts, once.
    ///
    /// # Errors
    /// [`Error::CodeRejected`], [`Error::InvalidInput`] for an empty code, or any of [`Error`] that a call without a session can meet.
    pub async fn authenticate_discovery_code(
        &self,
        email_address: &str,
        one_time_code: &str,
    ) -> Result<Reply<Discovery>, Error> {
        let call = Call::public("otps.email.discovery.authenticate")
            .field("email_address", email(email_address)?)
            .field("code", code(one_time_code)?);
        self.ask_and(call, DiscoveryWire::read).await
    }

    /// Mails a code for signing in to a known organization. The code lives 10 minutes.
    ///
    /// # Errors
    /// As [`Client::send_discovery_code`].
    pub async fn send_login_code(
        &self,
        organization: &OrganizationId,
        email_address: &str,
    ) -> Result<Reply<()>, Error> {
        let call = Call::public("otps.email.loginOrSignup")
            .field("organization_id", organization_id(organization)?)
            .field("email_address", email(email_address)?);
        Ok(self.ask::<Nothing>(call).await?.map(|Nothing {}| ()))
    }

    /// Signs in to a known organization by the code.
    ///
    /// The length of the session is in minutes, 5 or more; the project's own limit is the server's to enforce.
    ///
    /// # Errors
    /// [`Error::CodeRejected`], [`Error::CookiesOnly`] when the tokens come empty, or any of [`Error`] that a call without a
    /// session can meet.
    pub async fn authenticate_login_code(
        &self,
        organization: &OrganizationId,
        email_address: &str,
        one_time_code: &str,
        session_duration_minutes: u32,
    ) -> Result<Reply<Authenticated>, Error> {
        let call = Call::public("otps.email.authenticate")
            .field("organization_id", organization_id(organization)?)
            .field("email_address", email(email_address)?)
            .field("code", code(one_time_code)?)
            .field("session_duration_minutes", session_duration_minutes);
        self.ask_and(call, AuthenticatedWire::read).await
    }
}

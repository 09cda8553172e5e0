//! Places to sign in to: what may be saved as one, and how a saved one becomes a client. It sends nothing.

use std::str::FromStr;

use journal::SavedConnection;
use stytch_b2b::{ApiBase, BadApiBase, Client, Identity, PublicToken, Settings, Timeouts};
use uuid::Uuid;

use crate::error::{Error, Fault, Field};

/// Our own identifier: what a project's owner registers, the keyring's service and the state directory's name.
pub const IDENTIFIER: &str = "dev.cutoff.desktop";

/// What somebody typed in.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// `public-token-test-…` or `public-token-live-…`.
    pub public_token: String,
    /// Scheme, host and port; Stytch's own for the token when left out.
    pub base_url: Option<String>,
    /// The organization to sign in to straight away.
    pub organization_slug: Option<String>,
    /// Sent as `app.identifier`.
    pub app_identifier: Option<String>,
    /// Sent as `sdk.identifier`.
    pub sdk_identifier: Option<String>,
    /// A host that is not Stytch's has been confirmed.
    pub host_confirmed: bool,
}

/// A draft that can be used.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The parsed token.
    pub public_token: PublicToken,
    /// The parsed base.
    pub base: ApiBase,
    /// The slug, if any.
    pub organization_slug: Option<String>,
    /// `app.identifier`.
    pub app_identifier: String,
    /// `sdk.identifier`.
    pub sdk_identifier: String,
}

/// Says what is wrong with a draft, without storing or sending anything.
///
/// # Errors
/// [`Error::BadInput`] for the first field that cannot be used, [`Error::UnknownHost`] for a host that is neither
/// Stytch's nor loopback and was not confirmed.
pub fn check(draft: &Draft) -> Result<Checked, Error> {
    let token = draft.public_token.trim();
    if token.is_empty() {
        return Err(Error::bad(Field::PublicToken, Fault::Empty));
    }
    if token.starts_with("secret-") || token.starts_with("project-") {
        return Err(Error::bad(Field::PublicToken, Fault::Secret));
    }
    let public_token = PublicToken::from_str(token).map_err(|_| Error::bad(Field::PublicToken, Fault::Malformed))?;
    let base = match given(draft.base_url.as_deref()) {
        None => ApiBase::for_environment(public_token.environment()),
        Some(url) => ApiBase::parse(url, &public_token).map_err(|bad| {
            Error::bad(
                Field::BaseUrl,
                match bad {
                    BadApiBase::PlainHttp => Fault::PlainHttp,
                    BadApiBase::HasExtras => Fault::Extras,
                    _ => Fault::Malformed,
                },
            )
        })?,
    };
    let organization_slug = match given(draft.organization_slug.as_deref()) {
        None => None,
        // Stytch's slugs are 2 to 128 characters of letters, digits and `-._~`.
        Some(slug) if slug.len() > 128 => return Err(Error::bad(Field::OrganizationSlug, Fault::TooLong)),
        Some(slug) if slug.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) => Some(slug.to_owned()),
        Some(_) => return Err(Error::bad(Field::OrganizationSlug, Fault::Malformed)),
    };
    let app_identifier = identifier(draft.app_identifier.as_deref(), Field::AppIdentifier)?;
    let sdk_identifier = identifier(draft.sdk_identifier.as_deref(), Field::SdkIdentifier)?;
    if !base.is_stytch() && !base.is_loopback() && !draft.host_confirmed {
        return Err(Error::UnknownHost { base_url: base.to_string() });
    }
    Ok(Checked { public_token, base, organization_slug, app_identifier, sdk_identifier })
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn identifier(text: Option<&str>, field: Field) -> Result<String, Error> {
    let Some(text) = given(text) else { return Ok(IDENTIFIER.to_owned()) };
    // As long as the client takes; real ones are package names.
    if text.len() > 200 {
        return Err(Error::bad(field, Fault::TooLong));
    }
    if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Err(Error::bad(field, Fault::Malformed));
    }
    Ok(text.to_owned())
}

impl Checked {
    /// The connection's id. It is *computed* from all that a session is bound to, so that a journal edited behind our
    /// back cannot send a kept session to another host: the id would no longer be the keyring item's name.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let bound = format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}",
            self.base.scheme(),
            self.base.host(),
            self.base.port(),
            self.public_token.as_str(),
            self.organization_slug.as_deref().unwrap_or(""),
            self.app_identifier,
            self.sdk_identifier,
        );
        Uuid::new_v5(&Uuid::NAMESPACE_URL, bound.as_bytes())
    }

    /// A client for this place.
    ///
    /// # Errors
    /// When the TLS backend cannot be set up.
    pub fn client(&self, timeouts: Timeouts) -> Result<Client, Error> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Client::new(Settings {
            base: self.base.clone(),
            public_token: self.public_token.clone(),
            app: Identity { identifier: self.app_identifier.clone(), version: version.clone() },
            sdk: Identity { identifier: self.sdk_identifier.clone(), version },
            timeouts,
        })?)
    }
}

/// A saved connection, checked anew: what lies on disk is not trusted more than what is typed.
///
/// # Errors
/// [`Error::BadInput`] when it cannot be used or is not the one it was saved as.
pub fn reopen(saved: &SavedConnection) -> Result<Checked, Error> {
    let checked = check(&Draft {
        public_token: saved.public_token.clone(),
        base_url: Some(saved.base_url.clone()),
        organization_slug: saved.organization_slug.clone(),
        app_identifier: Some(saved.app_identifier.clone()),
        sdk_identifier: Some(saved.sdk_identifier.clone()),
        // It was confirmed when it was added, or could not have been saved.
        host_confirmed: true,
    })?;
    if checked.id() != saved.id {
        return Err(Error::bad(Field::ConnectionId, Fault::Unknown));
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST_TOKEN: &str = "public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11";
    const LIVE_TOKEN: &str = "public-token-live-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11";

    fn draft(token: &str, base: Option<&str>) -> Draft {
        Draft { public_token: token.into(), base_url: base.map(Into::into), ..Draft::default() }
    }

    fn fault(draft: &Draft) -> (Field, Fault) {
        match check(draft) {
            Err(Error::BadInput { field, fault }) => (field, fault),
            other => panic!("expected a refused input, got {other:?}"),
        }
    }

    #[test]
    fn bad_input_is_refused_at_the_edge() {
        assert_eq!(fault(&draft("", None)), (Field::PublicToken, Fault::Empty));
        assert_eq!(fault(&draft("public-token-test-xyz", None)), (Field::PublicToken, Fault::Malformed));
        assert_eq!(fault(&draft("secret-test-abc", None)), (Field::PublicToken, Fault::Secret));
        assert_eq!(fault(&draft(TEST_TOKEN, Some("http://example.com"))), (Field::BaseUrl, Fault::PlainHttp));
        assert_eq!(fault(&draft(LIVE_TOKEN, Some("http://127.0.0.1:4000"))), (Field::BaseUrl, Fault::PlainHttp));
        assert_eq!(fault(&draft(TEST_TOKEN, Some("https://example.com/path"))), (Field::BaseUrl, Fault::Extras));
    }

    #[test]
    fn a_host_that_is_not_stytchs_is_called_so_until_confirmed() {
        let mut unknown = draft(TEST_TOKEN, Some("https://login.example.com"));
        assert!(
            matches!(check(&unknown), Err(Error::UnknownHost { base_url }) if base_url == "https://login.example.com")
        );
        unknown.host_confirmed = true;
        assert!(check(&unknown).is_ok());
        assert!(check(&draft(TEST_TOKEN, None)).is_ok());
        assert!(check(&draft(TEST_TOKEN, Some("http://127.0.0.1:4000"))).is_ok());
    }

    #[test]
    fn a_connection_edited_on_disk_no_longer_opens() {
        let checked = check(&draft(TEST_TOKEN, Some("http://127.0.0.1:4000"))).expect("usable");
        let mut saved = crate::desk::saved(&checked, false, "2026-11-23T10:00:00.000Z");
        assert!(reopen(&saved).is_ok());
        saved.base_url = "https://elsewhere.example.com".into();
        assert!(matches!(reopen(&saved), Err(Error::BadInput { field: Field::ConnectionId, .. })));
    }
}

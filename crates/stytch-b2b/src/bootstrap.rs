//! Bootstrap: what a project tells every app before anybody signs in.

use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::error::Error;
use crate::lenient;
use crate::rbac::Policy;

/// A project's settings for apps. Every field may be absent; the defaults are those of the official web SDK.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Bootstrap {
    /// The project's name.
    pub project_name: Option<String>,
    /// `B2B` or `CONSUMER`. A consumer project does not answer B2B calls.
    pub vertical: Option<String>,
    /// Whether the vendor hides Stytch's mark.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub disable_sdk_watermark: bool,
    /// The vendor's own domain for pages that open in the browser.
    pub cname_domain: Option<String>,
    /// Domains of the project's e-mails.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub email_domains: Vec<String>,
    /// Whether a captcha is asked for. Worth a warning before sign-in: this client cannot solve one.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub captcha_settings: CaptchaSettings,
    /// Whether magic links demand PKCE.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub pkce_required_for_email_magic_links: bool,
    /// Whether password resets demand PKCE.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub pkce_required_for_password_resets: bool,
    /// Whether OAuth demands PKCE.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub pkce_required_for_oauth: bool,
    /// Whether SSO demands PKCE.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub pkce_required_for_sso: bool,
    /// The pattern of organization slugs in the vendor's URLs.
    pub slug_pattern: Option<String>,
    /// Whether a person may create an organization.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub create_organization_enabled: bool,
    /// The rules for passwords; absent means that they are judged by zxcvbn.
    pub password_config: Option<PasswordConfig>,
    /// Whether sign-in is guarded by device fingerprinting.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub dfp_protected_auth_enabled: bool,
    /// `OBSERVATION` or `DECISIONING`; the latter may refuse an app that sends no fingerprint.
    pub dfp_protected_auth_mode: Option<String>,
    /// Which role may do what. Without it, nothing may be taken as allowed.
    pub rbac_policy: Option<Policy>,
    /// Whether crypto wallets must use Sign-In with Ethereum.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub siwe_required_for_crypto_wallets: bool,
}

/// Whether a captcha is asked for, and whose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CaptchaSettings {
    /// Whether one is asked for.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub enabled: bool,
    /// The public key of the captcha.
    #[serde(rename = "siteKey")]
    pub site_key: Option<String>,
}

/// The rules for passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct PasswordConfig {
    /// How many kinds of characters: lower, upper, digits, symbols.
    pub luds_complexity: i64,
    /// How many characters.
    pub luds_minimum_count: i64,
}

impl Client {
    /// Reads the project's settings. Needs no session.
    ///
    /// # Errors
    /// Any of [`Error`] that a call without a session can meet.
    pub async fn bootstrap(&self) -> Result<Reply<Bootstrap>, Error> {
        let public_token = self.public_token().as_str();
        self.ask(Call::public("projects.bootstrap").segment("public_token", public_token)).await
    }
}

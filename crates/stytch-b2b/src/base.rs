//! Where to speak to: the public token, the environment it names, and the base URL. Not how to speak.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// Which half of a Stytch project a public token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Test data; the default host is `https://test.stytch.com`.
    Test,
    /// Real data; the default host is `https://api.stytch.com`.
    Live,
}

/// The public name of a Stytch project. Not a secret: every sign-in page of the vendor shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicToken {
    text: String,
    environment: Environment,
}

/// Why a text is not a public token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPublicToken {
    /// It does not have the form that Stytch's mobile SDK demands.
    #[error("A public token reads `public-token-test-` or `public-token-live-`, followed by a UUID in lower case.")]
    Malformed,
    /// It is a project secret. Apart from [`BadPublicToken::Malformed`] because whoever pasted it must be warned.
    #[error("This is a project secret, not a public token. No app needs it: keep it to your servers.")]
    ProjectSecret,
}

impl PublicToken {
    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The environment that the token names; it alone decides.
    pub fn environment(&self) -> Environment {
        self.environment
    }
}

impl FromStr for PublicToken {
    type Err = BadPublicToken;

    /// Accepts `^public-token-(test|live)-<lower-case UUID>$`, as the official mobile SDK does, with surrounding blanks dropped.
    fn from_str(text: &str) -> Result<Self, BadPublicToken> {
        let text = text.trim();
        if text.starts_with("secret-") {
            return Err(BadPublicToken::ProjectSecret);
        }
        let (environment, id) = if let Some(id) = text.strip_prefix("public-token-test-") {
            (Environment::Test, id)
        } else if let Some(id) = text.strip_prefix("public-token-live-") {
            (Environment::Live, id)
        } else {
            return Err(BadPublicToken::Malformed);
        };
        let is_uuid = id.len() == 36
            && id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if is_uuid { Ok(Self { text: text.to_owned(), environment }) } else { Err(BadPublicToken::Malformed) }
    }
}

impl fmt::Display for PublicToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The scheme, host and port that calls go to; nothing else.
///
/// Holding one is the proof that a session token may be sent there: `https`, or `http` to this machine with a test token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiBase {
    url: Url,
}

/// Why a text is not a base URL to send a session to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadApiBase {
    /// It cannot be read as a URL.
    #[error("The API base is a whole URL such as `https://api.stytch.com`.")]
    NotAUrl,
    /// It is a URL of another kind, such as `ftp:` or `file:`.
    #[error("The API base starts with `https://`.")]
    OtherScheme,
    /// It names no host.
    #[error("The API base names a host, such as `https://api.stytch.com`.")]
    NoHost,
    /// It is `http` to another machine, or `http` with a live token: the session could be read on the way.
    #[error("Plain `http` is only for a sandbox on this machine with a test token; use `https`.")]
    PlainHttp,
    /// It carries a user name, a password, a path, a query or a fragment.
    #[error("The API base is only a scheme, a host and perhaps a port: no user name, path, query or fragment.")]
    HasExtras,
}

impl ApiBase {
    /// Stytch's own host for an environment.
    pub fn for_environment(environment: Environment) -> Self {
        let text = match environment {
            Environment::Test => "https://test.stytch.com",
            Environment::Live => "https://api.stytch.com",
        };
        Self { url: Url::parse(text).expect("a constant that is a URL") }
    }

    /// Reads a base URL that somebody typed: a custom domain of the vendor, or a sandbox.
    ///
    /// # Errors
    /// [`BadApiBase`] when it is not a bare `https` origin, or a bare `http` origin of this machine together with a test token.
    pub fn parse(text: &str, token: &PublicToken) -> Result<Self, BadApiBase> {
        let text = text.trim();
        // URL parsers quietly drop tabs and line breaks and accept `https:host`; what is shown must be what is meant.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(BadApiBase::NotAUrl);
        }
        let url = Url::parse(text).map_err(|why| match why {
            url::ParseError::EmptyHost => BadApiBase::NoHost,
            _ => BadApiBase::NotAUrl,
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            // `api.stytch.com:443` reads as the scheme `api.stytch.com`.
            return Err(if text.contains("://") { BadApiBase::OtherScheme } else { BadApiBase::NotAUrl });
        }
        if !text.contains("://") {
            return Err(BadApiBase::NotAUrl);
        }
        if url.host().is_none() {
            return Err(BadApiBase::NoHost);
        }
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && !text.contains('@');
        if !bare {
            return Err(BadApiBase::HasExtras);
        }
        let base = Self { url };
        if base.scheme() == "http" && !(base.is_loopback() && token.environment() == Environment::Test) {
            return Err(BadApiBase::PlainHttp);
        }
        Ok(base)
    }

    /// `https`, or `http` for a sandbox.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// The host, lower-case, international names in their ASCII form, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, also when it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `::1`.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => false,
        }
    }

    /// Whether the host is one of Stytch's two API hosts. Any other host must be called by its name at sign-in.
    pub fn is_stytch(&self) -> bool {
        self.scheme() == "https" && self.port() == 443 && matches!(self.host(), "api.stytch.com" | "test.stytch.com")
    }

    /// The base as a URL with the path `/`.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for ApiBase {
    /// Without a trailing slash: `https://test.stytch.com`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "11111111-1111-4111-8111-1111111111ab";

    fn token(environment: &str) -> PublicToken {
        format!("public-token-{environment}-{UUID}").parse().unwrap()
    }

    #[test]
    fn only_a_well_formed_public_token_is_taken() {
        assert_eq!(token("test").environment(), Environment::Test);
        assert_eq!(token("live").environment(), Environment::Live);
        let upper = format!("public-token-test-{}", UUID.to_uppercase());
        let odd = [
            "",
            "public-token-test-",
            "public-token-dev-x",
            &upper,
            UUID,
            "public-token-test-11111111111111111111111111111111abcd",
        ];
        for text in odd {
            assert_eq!(text.parse::<PublicToken>(), Err(BadPublicToken::Malformed), "{text:?}");
        }
        let spaced: PublicToken = format!("  public-token-test-{UUID}\n").parse().unwrap();
        assert_eq!(spaced, token("test"), "a pasted blank is no reason to refuse");
    }

    #[test]
    fn a_project_secret_is_told_apart() {
        assert_eq!("secret-live-abc".parse::<PublicToken>(), Err(BadPublicToken::ProjectSecret));
    }

    #[test]
    fn a_session_can_only_go_to_https_or_to_this_machine() {
        let test = token("test");
        for text in [
            "https://api.stytch.com",
            "https://login.acme.example:8443/",
            "http://127.0.0.1:3000",
            "http://localhost:1",
            "http://[::1]:80",
        ] {
            assert!(ApiBase::parse(text, &test).is_ok(), "{text}");
        }
        let cases = [
            ("", BadApiBase::NotAUrl),
            ("api.stytch.com", BadApiBase::NotAUrl),
            ("api.stytch.com:443", BadApiBase::NotAUrl),
            ("https:api.stytch.com", BadApiBase::NotAUrl),
            ("https://api.stytch\n.com", BadApiBase::NotAUrl),
            ("https://api stytch.com", BadApiBase::NotAUrl),
            ("https://", BadApiBase::NoHost),
            ("ftp://api.stytch.com", BadApiBase::OtherScheme),
            ("file:///etc/passwd", BadApiBase::OtherScheme),
            ("http://api.stytch.com", BadApiBase::PlainHttp),
            ("http://192.168.0.1", BadApiBase::PlainHttp),
            ("http://localhost.evil.example", BadApiBase::PlainHttp),
            ("http://127.0.0.1.evil.example", BadApiBase::PlainHttp),
            ("http://[::ffff:127.0.0.1]", BadApiBase::PlainHttp),
            ("https://user@api.stytch.com", BadApiBase::HasExtras),
            ("https://@api.stytch.com", BadApiBase::HasExtras),
            ("https://api.stytch.com/sdk", BadApiBase::HasExtras),
            ("https://api.stytch.com?", BadApiBase::HasExtras),
            ("https://api.stytch.com#x", BadApiBase::HasExtras),
            ("https://api.stytch.com\\@evil.example", BadApiBase::HasExtras),
        ];
        for (text, why) in cases {
            assert_eq!(ApiBase::parse(text, &test), Err(why), "{text:?}");
        }
        let live = ApiBase::parse("http://127.0.0.1:3000", &token("live"));
        assert_eq!(live, Err(BadApiBase::PlainHttp), "a live session never travels in plain text");
    }

    #[test]
    fn a_host_that_is_not_stytchs_is_known_as_such() {
        let is_stytch = |text: &str| ApiBase::parse(text, &token("test")).unwrap().is_stytch();
        assert!(is_stytch("https://api.stytch.com") && is_stytch("https://TEST.stytch.com:443"));
        assert!(!is_stytch("https://api.stytch.com.evil.example") && !is_stytch("https://xn--stych-1rd.com"));
        assert!(!is_stytch("https://api.stytch.com:8443") && !is_stytch("http://127.0.0.1"));
    }

    #[test]
    fn a_base_shows_as_it_was_meant() {
        let base = ApiBase::for_environment(Environment::Test);
        assert_eq!(base.to_string(), "https://test.stytch.com");
        assert_eq!((base.scheme(), base.host(), base.port()), ("https", "test.stytch.com", 443));
        let base = ApiBase::parse("http://[::1]:3000/", &token("test")).unwrap();
        assert_eq!(base.to_string(), "http://[::1]:3000");
        assert_eq!((base.host(), base.port(), base.is_loopback()), ("[::1]", 3000, true));
    }
}

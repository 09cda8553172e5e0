//! The secrets of the API and how they are kept from showing; not where they are stored.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// It has no `Display` and no `Serialize`, its `Debug` hides the value, and the memory is wiped when it is dropped.
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes a secret that came from the API or from the operating system's keyring.
            pub fn new(secret: String) -> Self {
                Self(Zeroizing::new(secret))
            }

            /// The secret itself. Called where it is sent or put into the keyring, and nowhere else.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// True for the empty text that the API sends in place of a token when tokens travel in HttpOnly cookies.
            pub(crate) fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        // Two secrets are compared when a refresh may have brought a new one. Not constant in time: both are ours.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                *self.0 == *other.0
            }
        }

        impl Eq for $name {}

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

secret!(
    /// The opaque token of a full session: the password half of the `Authorization` header.
    SessionToken
);
secret!(
    /// The bag of factors between a proven e-mail address and a full session. Lives ten minutes, travels only in bodies.
    IntermediateSessionToken
);

/// What stands in place of a redacted secret.
pub const REDACTED: &str = "[redacted]";

/// Replaces every secret in an answer by [`REDACTED`]: tokens, codes, passwords, keys, and URLs that carry a token.
///
/// It goes by the names of the fields, at any depth. Empty strings and nulls stay, because that a token is absent is worth seeing.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if is_secret_name(name) {
                    hide(inner);
                } else {
                    redact(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a field of this name holds a secret in a request or an answer.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // `stytch_token_type` and `bearer_token_last_four` do not end so and stay; the public token is no secret.
    const ENDINGS: [&str; 8] =
        ["_token", "_jwt", "_secret", "password", "recovery_code", "recovery_codes", "private_key", "code_verifier"];
    const WHOLE: [&str; 6] = ["token", "jwt", "secret", "code", "qr_code", "redirect_url"];
    name != "public_token" && (WHOLE.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

fn hide(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => fields.values_mut().for_each(hide),
        Value::String(_) | Value::Number(_) => *value = Value::String(REDACTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_does_not_print() {
        let token = SessionToken::new("canary".to_owned());
        assert_eq!(format!("{token:?}"), "SessionToken(…)");
        assert_eq!(token.expose(), "canary");
        let token = IntermediateSessionToken::new("canary".to_owned());
        assert_eq!(format!("{:?}", Some(&token)), "Some(IntermediateSessionToken(…))");
    }

    #[test]
    fn redaction_finds_secrets_at_any_depth_and_leaves_the_rest() {
        let mut answer = json!({
            "session_token": "canary", "session_jwt": "canary", "intermediate_session_token": "", "public_token": "p",
            "connection": { "bearer_token": "canary", "bearer_token_last_four": "1234", "next_bearer_token": null },
            "recovery_codes": ["canary", "canary"], "recovery_codes_remaining": 3, "status_code": 200,
            "list": [{ "signing_private_key": "canary", "encryption_private_keys": [{ "private_key": "canary", "id": "k" }] }],
            "secret": "canary", "qr_code": "canary", "redirect_url": "https://x/?token=canary", "breached_password": true,
            "member_password_id": "m",
        });
        redact(&mut answer);
        let text = answer.to_string();
        assert!(!text.contains("canary"), "{text}");
        for kept in ["1234", "\"p\"", "200", "true", "\"k\"", "\"m\"", "\"recovery_codes_remaining\":3"] {
            assert!(text.contains(kept), "{kept} is gone from {text}");
        }
        assert_eq!(answer["intermediate_session_token"], "", "that a token is empty is worth seeing");
    }
}

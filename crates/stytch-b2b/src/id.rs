//! The ids of the API, one type per noun, so that a member can never be passed where an app is meant.
//!
//! Stytch's samples look like `<kind>-<test|live>-<uuid>`, but nothing promises that form, so every id is opaque text
//! here: it is neither checked nor normalised, only percent-encoded when it becomes part of a path.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id exactly as the API wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// A member of one organization. The same person in two organizations is two members.
    MemberId
);
id!(
    /// A connected app: an OAuth client of the vendor's Stytch project.
    ConnectedAppId
);
id!(
    /// An organization of the vendor's Stytch project.
    OrganizationId
);
id!(
    /// A member's session. It names the session and opens nothing: the token is what opens it.
    MemberSessionId
);
id!(
    /// What Stytch's support asks for when a call went wrong. Errors may come without one.
    RequestId
);

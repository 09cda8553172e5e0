//! The exact grants that an act would revoke, and the hash that binds what was shown to what is done.

use journal::SavedConnection;
use serde_json::json;
use sha2::{Digest, Sha256};
use stytch_b2b::{ClientType, ConnectedAppId, MemberId};

/// One grant of a plan, with what was known of it when the plan was made.
#[derive(Clone, Debug)]
pub struct Item {
    /// Whose.
    pub member_id: MemberId,
    /// To which app.
    pub connected_app_id: ConnectedAppId,
    /// The app's type, as last read; `None` if the app was never read.
    pub client_type: Option<ClientType>,
    /// The scopes, as last read; `None` if no read tells of the grant.
    pub scopes: Option<Vec<String>>,
    /// Whether the grant is the signed-in member's own.
    pub own: bool,
    /// The member's name, as last read.
    pub member_name: Option<String>,
    /// The member's address, as last read.
    pub member_email: Option<String>,
    /// The member's roles, as last read.
    pub member_roles: Option<Vec<String>>,
    /// The app's name, as last read.
    pub app_name: Option<String>,
    /// The app's description, as last read.
    pub app_description: Option<String>,
}

/// Grants to revoke, in one organization of one place.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The grants, each pair once.
    pub items: Vec<Item>,
    hash: String,
}

impl Plan {
    /// Binds `items` to the place and the organization.
    #[must_use]
    pub fn new(connection: &SavedConnection, organization_id: &str, items: Vec<Item>) -> Self {
        let pairs: Vec<_> = items.iter().map(|item| json!([item.member_id, item.connected_app_id])).collect();
        // `serde_json` sorts the keys of a map, so equal plans have equal bytes.
        let bound = json!({
            "format": "cutoff-plan",
            "version": 1,
            "base_url": connection.base_url,
            "public_token": connection.public_token,
            "organization_id": organization_id,
            "grants": pairs,
        });
        let hash = hex(&Sha256::digest(bound.to_string().as_bytes()));
        Self { items, hash }
    }

    /// SHA-256 of place, organization and pairs, hexadecimal. It proves sameness, not who made the plan.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

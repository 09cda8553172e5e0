//! The organization: one's own, and the look-up by slug before sign-in.

use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::error::Error;
use crate::id::{ConnectedAppId, OrganizationId};
use crate::lenient;
use crate::rbac::Role;
use crate::token::SessionToken;

/// An organization as its members may see it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Organization {
    /// Its id.
    pub organization_id: OrganizationId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub organization_name: String,
    /// Its name in URLs.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub organization_slug: String,
    /// A picture, never fetched here.
    pub organization_logo_url: Option<String>,
    /// The vendor's own id for it.
    pub organization_external_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: Option<String>,
    /// RFC 3339, UTC.
    pub updated_at: Option<String>,
    /// `ALL_ALLOWED` or `RESTRICTED`, for ways to sign in.
    pub auth_methods: Option<String>,
    /// The ways to sign in when they are restricted.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub allowed_auth_methods: Vec<String>,
    /// `OPTIONAL` or `REQUIRED_FOR_ALL`.
    pub mfa_policy: Option<String>,
    /// Which first-party apps members may connect: `ALL_ALLOWED`, `RESTRICTED` or `NOT_ALLOWED`.
    pub first_party_connected_apps_allowed_type: Option<String>,
    /// The first-party apps that are allowed when restricted.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub allowed_first_party_connected_apps: Vec<ConnectedAppId>,
    /// Which third-party apps members may connect: `ALL_ALLOWED`, `RESTRICTED` or `NOT_ALLOWED`.
    pub third_party_connected_apps_allowed_type: Option<String>,
    /// The third-party apps that are allowed when restricted.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub allowed_third_party_connected_apps: Vec<ConnectedAppId>,
    /// Roles of this organization beside those of the project.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub custom_roles: Vec<Role>,
}

/// What anybody may learn about an organization by its slug. The official SDKs list slightly different subsets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrganizationMatch {
    /// Its id.
    pub organization_id: OrganizationId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub organization_name: String,
    /// Its name in URLs.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub organization_slug: String,
    /// A picture, never fetched here.
    pub organization_logo_url: Option<String>,
    /// `ALL_ALLOWED` or `RESTRICTED`, for ways to sign in.
    pub auth_methods: Option<String>,
    /// The ways to sign in when they are restricted.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub allowed_auth_methods: Vec<String>,
    /// `OPTIONAL` or `REQUIRED_FOR_ALL`.
    pub mfa_policy: Option<String>,
}

#[derive(Deserialize)]
struct One {
    organization: Organization,
}

#[derive(Deserialize)]
struct Match {
    organization: Option<OrganizationMatch>,
}

impl Client {
    /// The session's own organization. No permission is documented for it.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn organization(&self, token: &SessionToken) -> Result<Reply<Organization>, Error> {
        Ok(self.ask::<One>(Call::session("organization.get", token)).await?.map(|one| one.organization))
    }

    /// The organization with that slug, or `None`. Needs no session.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty slug, or any of [`Error`] that a call without a session can meet.
    pub async fn organization_by_slug(&self, slug: &str) -> Result<Reply<Option<OrganizationMatch>>, Error> {
        let slug = slug.trim();
        if slug.is_empty() {
            return Err(Error::InvalidInput { what: "organization_slug" });
        }
        let call = Call::public("organization.getBySlug").field("organization_slug", slug);
        Ok(self.ask::<Match>(call).await?.map(|found| found.organization))
    }
}

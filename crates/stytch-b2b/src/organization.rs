//! The organization: one's own with its connected-app policy, the change of that policy, and the look-up by slug before sign-in.

use serde::Deserialize;
use serde_json::{Map, Value, json};

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

/// Which connected apps the organization lets its members connect, read strictly: what is missing in the answer is an
/// error here, and never an empty list that somebody then writes back.
///
/// The words are `ALL_ALLOWED`, `RESTRICTED` and `NOT_ALLOWED`; a list counts only while its word is `RESTRICTED`. Whether
/// it is kept while another word stands is not documented.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConnectedAppPolicy {
    /// Whose policy it is.
    pub organization_id: OrganizationId,
    /// Which first-party apps members may connect.
    pub first_party_connected_apps_allowed_type: String,
    /// The first-party apps that are allowed when restricted.
    #[serde(deserialize_with = "lenient::or_default")]
    pub allowed_first_party_connected_apps: Vec<ConnectedAppId>,
    /// Which third-party apps members may connect.
    pub third_party_connected_apps_allowed_type: String,
    /// The third-party apps that are allowed when restricted.
    #[serde(deserialize_with = "lenient::or_default")]
    pub allowed_third_party_connected_apps: Vec<ConnectedAppId>,
    /// RFC 3339, UTC: when anything about the organization was last changed.
    pub updated_at: Option<String>,
}

/// A change of the connected-app policy. Only what is `Some` is sent, and the rest stays as it is: the API checks each
/// field it is sent, so an unrelated one could cause a refusal.
///
/// Two admins who change the policy at the same time overwrite each other: the API documents no version to name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationUpdate {
    /// `ALL_ALLOWED`, `RESTRICTED` or `NOT_ALLOWED`, for first-party apps.
    pub first_party_connected_apps_allowed_type: Option<String>,
    /// The whole new list of first-party apps; `Some` of an empty one allows none while restricted.
    pub allowed_first_party_connected_apps: Option<Vec<ConnectedAppId>>,
    /// `ALL_ALLOWED`, `RESTRICTED` or `NOT_ALLOWED`, for third-party apps.
    pub third_party_connected_apps_allowed_type: Option<String>,
    /// The whole new list of third-party apps; `Some` of an empty one allows none while restricted.
    pub allowed_third_party_connected_apps: Option<Vec<ConnectedAppId>>,
}

impl OrganizationUpdate {
    /// Whether nothing is given to be changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The fields as they are sent.
    fn fields(&self) -> Map<String, Value> {
        let Self {
            first_party_connected_apps_allowed_type,
            allowed_first_party_connected_apps,
            third_party_connected_apps_allowed_type,
            allowed_third_party_connected_apps,
        } = self;
        let word = |given: &Option<String>| given.as_ref().map(|word| json!(word));
        let list = |given: &Option<Vec<ConnectedAppId>>| given.as_ref().map(|list| json!(list));
        [
            ("first_party_connected_apps_allowed_type", word(first_party_connected_apps_allowed_type)),
            ("allowed_first_party_connected_apps", list(allowed_first_party_connected_apps)),
            ("third_party_connected_apps_allowed_type", word(third_party_connected_apps_allowed_type)),
            ("allowed_third_party_connected_apps", list(allowed_third_party_connected_apps)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
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
struct OnePolicy {
    organization: ConnectedAppPolicy,
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

    /// The connected-app policy of the session's own organization, as it stands now. No permission is documented for it.
    ///
    /// Meant for the moment before a change, where a field that is missing must stop the change.
    ///
    /// # Errors
    /// [`Error::Garbled`] also when any of the four fields of the policy is missing, or any of [`Error`].
    pub async fn connected_app_policy(&self, token: &SessionToken) -> Result<Reply<ConnectedAppPolicy>, Error> {
        Ok(self.ask::<OnePolicy>(Call::session("organization.get", token)).await?.map(|one| one.organization))
    }

    /// Changes the connected-app policy of the session's own organization, and answers the organization as it then is.
    ///
    /// Stytch's docs say that a change may uninstall apps and revoke their grants. Which action the member needs for it
    /// is not documented, so a denial names none. It is not repeated here; a read tells what became of a change that
    /// had no answer.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when nothing is given to be changed, or any of [`Error`]; see
    /// [`Error::maybe_carried_out`].
    pub async fn update_organization(
        &self,
        token: &SessionToken,
        update: &OrganizationUpdate,
    ) -> Result<Reply<Organization>, Error> {
        if update.is_empty() {
            return Err(Error::InvalidInput { what: "organization_update" });
        }
        let call = Call::session("organization.update", token).fields(update.fields());
        Ok(self.ask::<One>(call).await?.map(|one| one.organization))
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

//! Connected apps: the organization's, one with its members, a member's, one's own, and the revoke of a grant.

use serde::Deserialize;

use crate::client::{Call, Client, Reply};
use crate::error::Error;
use crate::id::{ConnectedAppId, MemberId};
use crate::lenient;
use crate::rows::Rows;
use crate::token::SessionToken;

/// What kind of OAuth client an app is. The kinds without `Public` are confidential clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub enum ClientType {
    /// The vendor's own, confidential.
    FirstParty,
    /// The vendor's own, public.
    FirstPartyPublic,
    /// Somebody else's, confidential.
    ThirdParty,
    /// Somebody else's, public.
    ThirdPartyPublic,
    /// A kind that Stytch has added since; the word as it came.
    Other(String),
}

impl ClientType {
    /// The API's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::FirstParty => "first_party",
            Self::FirstPartyPublic => "first_party_public",
            Self::ThirdParty => "third_party",
            Self::ThirdPartyPublic => "third_party_public",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for ClientType {
    fn from(word: String) -> Self {
        match word.as_str() {
            "first_party" => Self::FirstParty,
            "first_party_public" => Self::FirstPartyPublic,
            "third_party" => Self::ThirdParty,
            "third_party_public" => Self::ThirdPartyPublic,
            _ => Self::Other(word),
        }
    }
}

/// An app that at least one member of the organization has connected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConnectedApp {
    /// Its id: the only thing about it that its author did not choose.
    pub connected_app_id: ConnectedAppId,
    /// Its name, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Its description, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// Its kind.
    pub client_type: ClientType,
    /// A picture, never fetched here.
    pub logo_url: Option<String>,
}

/// An app and the members who have connected it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ConnectedAppDetail {
    /// Its id.
    pub connected_app_id: ConnectedAppId,
    /// Its name, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Its description, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// Its kind.
    pub client_type: ClientType,
    /// A picture, never fetched here.
    pub logo_url: Option<String>,
    /// The members with a live grant. Names are not told: a member search by id finds them.
    pub active_members: Rows<ActiveMember>,
}

/// A member with a live grant to an app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ActiveMember {
    /// Who.
    pub member_id: MemberId,
    /// What they granted when they last consented.
    pub granted_scopes: Vec<String>,
}

/// An app in the list of one member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MemberConnectedApp {
    /// Its id.
    pub connected_app_id: ConnectedAppId,
    /// Its name, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// Its description, as its author wrote it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// Its kind.
    pub client_type: ClientType,
    /// A picture, never fetched here.
    pub logo_url: Option<String>,
    /// What the member granted when they last consented: one text with blanks between, unlike in the app's view.
    pub scopes_granted: String,
}

impl MemberConnectedApp {
    /// The granted scopes one by one.
    pub fn scopes(&self) -> Vec<String> {
        self.scopes_granted.split_ascii_whitespace().map(str::to_owned).collect()
    }
}

#[derive(Deserialize)]
struct List<T: serde::de::DeserializeOwned> {
    #[serde(bound = "")]
    connected_apps: Rows<T>,
}

#[derive(Deserialize)]
struct Nothing {}

impl Client {
    /// The apps that are installed in the organization. No permission and no paging is documented for it.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn connected_apps(&self, token: &SessionToken) -> Result<Reply<Rows<ConnectedApp>>, Error> {
        let call = Call::session("organization.getConnectedApps", token);
        Ok(self.ask::<List<ConnectedApp>>(call).await?.map(|list| list.connected_apps))
    }

    /// One app and its members.
    ///
    /// # Errors
    /// [`Error::ConnectedAppNotFound`] also for an app that nobody has connected any more, or any of [`Error`].
    pub async fn connected_app(
        &self,
        token: &SessionToken,
        app: &ConnectedAppId,
    ) -> Result<Reply<ConnectedAppDetail>, Error> {
        let call = Call::session("organization.getConnectedApp", token).segment("connected_app_id", app.as_str());
        self.ask(call).await
    }

    /// The apps that a member has connected. Needs `get.connected-apps` on `stytch.member`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn member_connected_apps(
        &self,
        token: &SessionToken,
        member: &MemberId,
    ) -> Result<Reply<Rows<MemberConnectedApp>>, Error> {
        let call = Call::session("organization.members.getConnectedApps", token).segment("member_id", member.as_str());
        Ok(self.ask::<List<MemberConnectedApp>>(call).await?.map(|list| list.connected_apps))
    }

    /// The apps that the caller has connected. Needs `get.connected-apps` on `stytch.self`.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn own_connected_apps(&self, token: &SessionToken) -> Result<Reply<Rows<MemberConnectedApp>>, Error> {
        let call = Call::session("self.getConnectedApps", token);
        Ok(self.ask::<List<MemberConnectedApp>>(call).await?.map(|list| list.connected_apps))
    }

    /// Ends one app's access for one member. Needs `revoke.connected-app` on `stytch.member`.
    ///
    /// Safe to send again. What it answers for a grant that is gone already is not documented.
    ///
    /// # Errors
    /// Any of [`Error`]; see [`Error::maybe_carried_out`].
    pub async fn revoke_member_connected_app(
        &self,
        token: &SessionToken,
        member: &MemberId,
        app: &ConnectedAppId,
    ) -> Result<Reply<()>, Error> {
        let call = Call::session("organization.members.revokeConnectedApp", token)
            .segment("member_id", member.as_str())
            .segment("connected_app_id", app.as_str());
        Ok(self.ask::<Nothing>(call).await?.map(|Nothing {}| ()))
    }

    /// Ends one app's access for the caller. Needs `revoke.connected-app` on `stytch.self`.
    ///
    /// # Errors
    /// Any of [`Error`]; see [`Error::maybe_carried_out`].
    pub async fn revoke_own_connected_app(
        &self,
        token: &SessionToken,
        app: &ConnectedAppId,
    ) -> Result<Reply<()>, Error> {
        let call = Call::session("self.revokeConnectedApp", token).segment("connected_app_id", app.as_str());
        Ok(self.ask::<Nothing>(call).await?.map(|Nothing {}| ()))
    }
}

//! One signed-in member: the token, what came back with it, and the policy it is judged by. It never leaves Rust, and
//! it is bound for its whole life to the client it was born with.

use std::future::Future;
use std::sync::RwLock;
use std::time::Duration;

use jiff::Timestamp;
use journal::SavedConnection;
use stytch_b2b::{
    Client, ConnectedAppId, Error as ApiError, Member, MemberId, MemberSession, Organization, Permission, Policy,
    Reply, SessionToken,
};
use vault::Keeping;

use crate::clock::rfc3339;
use crate::error::Error;
use crate::permission::{self, Allowance, Denial};

/// How long a policy is believed before it is read again while in use. Stytch's backend clients keep one as long.
pub const POLICY_AGE: Duration = Duration::from_secs(300);

/// A signed-in member.
pub struct Session {
    /// Where.
    pub connection: SavedConnection,
    /// Speaks to exactly that place.
    pub client: Client,
    /// Held for the length of a copy, by whoever reads or renews; never across a call.
    state: RwLock<State>,
}

/// What changes while a session lives.
#[derive(Clone)]
pub struct State {
    token: SessionToken,
    /// The organization, as last answered.
    pub organization: Organization,
    /// The member, as last answered.
    pub member: Member,
    /// The session's own facts.
    pub member_session: MemberSession,
    /// The policy and when it was read.
    pub policy: Option<(Policy, Timestamp)>,
    /// Where the token is kept.
    pub keeping: Keeping,
}

impl Session {
    pub(crate) fn new(
        connection: SavedConnection,
        client: Client,
        token: SessionToken,
        organization: Organization,
        member: Member,
        member_session: MemberSession,
        keeping: Keeping,
    ) -> Self {
        let state = State { token, organization, member, member_session, policy: None, keeping };
        Self { connection, client, state: RwLock::new(state) }
    }

    /// A copy of what is known now, without the token being reachable from it.
    #[must_use]
    pub fn state(&self) -> State {
        self.look().clone()
    }

    fn look(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn token(&self) -> SessionToken {
        self.look().token.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    pub(crate) fn renew(
        &self,
        token: SessionToken,
        organization: Organization,
        member: Member,
        session: MemberSession,
    ) {
        self.change(|state| {
            state.token = token;
            state.organization = organization;
            state.member = member;
            state.member_session = session;
        });
    }

    /// Judges a permission by the policy as last read and the roles of the session.
    #[must_use]
    pub fn may(&self, needs: Permission) -> Allowance {
        let state = self.look();
        let policy = state.policy.as_ref().map(|(policy, _)| policy);
        permission::judge(policy, &state.member_session.roles, &state.organization.custom_roles, needs)
    }

    /// The denial of `needs`, with all that is needed to ask for it. `request_id` is `None` for one said in advance.
    #[must_use]
    pub fn denial(&self, needs: Option<Permission>, request_id: Option<String>, asked: bool) -> Denial {
        let state = self.state();
        let roles_that_hold_it = needs.clone().map(|needs| self.may(needs).roles_that_hold_it).unwrap_or_default();
        Denial {
            needs,
            your_roles: state.member_session.roles,
            roles_that_hold_it,
            policy_read_at: state.policy.map(|(_, at)| rfc3339(at)),
            request_id,
            asked,
        }
    }

    /// Whether `member` is the signed-in member, who is served by the `self` calls.
    #[must_use]
    pub fn is_self(&self, member: &MemberId) -> bool {
        self.look().member.member_id == *member
    }

    /// Makes one read with the session: repeated briefly where that is harmless and likely to help, never on 429.
    pub(crate) async fn read<T, F, Fut>(&self, call: F) -> Result<Reply<T>, ApiError>
    where
        F: Fn(Client, SessionToken) -> Fut,
        Fut: Future<Output = Result<Reply<T>, ApiError>>,
    {
        let mut pause = Duration::from_millis(200);
        for _ in 0..2 {
            match call(self.client.clone(), self.token()).await {
                Err(ApiError::ServerError(_) | ApiError::Unreachable { .. }) => tokio::time::sleep(pause).await,
                other => return other,
            }
            pause *= 2;
        }
        call(self.client.clone(), self.token()).await
    }

    /// Reads the policy again and keeps it.
    ///
    /// # Errors
    /// What the bootstrap call answered.
    pub async fn read_policy(&self) -> Result<(), Error> {
        let bootstrap = self.client.bootstrap().await?.data;
        let read_at = Timestamp::now();
        self.change(|state| state.policy = bootstrap.rbac_policy.map(|policy| (policy, read_at)));
        Ok(())
    }

    /// Reads the policy again if it is older than [`POLICY_AGE`] or missing. A failure leaves the old one standing: the
    /// server judges anyway.
    pub(crate) async fn freshen_policy(&self, now: Timestamp) {
        let fresh = self.state().policy.is_some_and(|(_, at)| now.duration_since(at).unsigned_abs() < POLICY_AGE);
        if !fresh && let Err(error) = self.read_policy().await {
            tracing::warn!(%error, "the policy could not be read");
        }
    }
}

/// Whether the organization's policy forbids an app, by the app's type as received. `None`: the policy's fields did not
/// come, or the type is not known and the policy treats the two kinds differently.
#[must_use]
pub fn app_forbidden(organization: &Organization, app: &str, client_type: Option<&str>) -> Option<bool> {
    let first = forbids(
        organization.first_party_connected_apps_allowed_type.as_deref(),
        &organization.allowed_first_party_connected_apps,
        app,
    );
    let third = forbids(
        organization.third_party_connected_apps_allowed_type.as_deref(),
        &organization.allowed_third_party_connected_apps,
        app,
    );
    match client_type {
        Some("first_party" | "first_party_public") => first,
        Some("third_party" | "third_party_public") => third,
        _ if first == third => first,
        _ => None,
    }
}

fn forbids(allowed_type: Option<&str>, list: &[ConnectedAppId], app: &str) -> Option<bool> {
    match allowed_type? {
        "ALL_ALLOWED" => Some(false),
        "NOT_ALLOWED" => Some(true),
        "RESTRICTED" => Some(!list.iter().any(|allowed| allowed.as_str() == app)),
        _ => None,
    }
}

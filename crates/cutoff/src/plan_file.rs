//! A plan as a file: exact pairs, bound to one place, organization, author and hour, to be looked at, handed on and carried out
//! once. Its hash proves sameness, not authorship. It reads and writes bytes; it asks nobody and revokes nothing.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use journal::Hash;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stytch_b2b::{ConnectedAppId, Environment, MemberId};
use uuid::Uuid;

use crate::clock::rfc3339;
use crate::connections;
use crate::error::Error;
use crate::policy::{Block, Difference};
use crate::session::Session;

/// What stands under `format`.
pub const FORMAT: &str = "cutoff-plan";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// How long a plan may be carried out.
pub const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How far the clock of whoever made a plan may be ahead of this one.
const CLOCKS_DIFFER: Duration = Duration::from_secs(10 * 60);
/// Larger files are refused before they are read.
pub const LARGEST: u64 = 32 * 1024 * 1024;

/// A plan, as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    format: String,
    version: u32,
    /// Names that a reader must understand or refuse the file.
    critical: Vec<String>,
    /// `http` or `https`.
    pub scheme: String,
    /// The API's host.
    pub host: String,
    /// The API's port.
    pub port: u16,
    /// SHA-256 of the project's public token, hexadecimal.
    pub public_token_sha256: String,
    /// `test`, `live` or `sandbox`.
    pub environment: String,
    /// The organization.
    pub organization_id: String,
    /// The member who made it, as the file claims.
    pub author_member_id: String,
    /// When, RFC 3339.
    pub created_at: String,
    /// Until when it may be carried out, RFC 3339.
    pub expires_at: String,
    /// Usable once in one journal.
    pub run_id: Uuid,
    /// The reason or ticket it was made for, in the author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The change of the organization's policy that goes with it. Then `critical` says `block`: a reader that knows of none
    /// would revoke and leave the way back open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Block>,
    /// The grants, each once, in the order in which they are revoked.
    pub grants: Vec<Pair>,
}

/// The word in `critical` for a plan with a block.
const BLOCK: &str = "block";

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Whose.
    pub member_id: MemberId,
    /// To which app.
    pub connected_app_id: ConnectedAppId,
}

/// Why a file is not a plan that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not JSON, or not a plan: also one that says to be made later than now, or to live longer than any is made for.
    #[error("it is not a plan")]
    NotAPlan,
    /// Larger than [`LARGEST`].
    #[error("it is larger than a plan can be")]
    TooLarge,
    /// A later version, or something critical that this one does not know.
    #[error("it was written by a later version")]
    Newer,
    /// No grant and no change of the policy, a grant twice, or an id that no URL can carry.
    #[error("its grants cannot be used")]
    Grants,
    /// Its block would allow something, or is not what its apps and decisions make.
    #[error("its block cannot be used")]
    Block,
    /// Its hour is over.
    #[error("it has expired")]
    Expired,
    /// Another host, project, environment or organization.
    #[error("it is for another organization or place")]
    Elsewhere,
    /// It was carried out in this journal already, or another was that has its run id.
    #[error("it was carried out already")]
    CarriedOut,
    /// A sweep of it is unfinished, and nobody said to resume.
    #[error("a sweep of it is unfinished")]
    Unfinished,
    /// Its unfinished sweep was begun by another member, who alone may go on with it.
    #[error("another member began its sweep")]
    OtherMember,
    /// Nothing was done for its unfinished sweep for a day.
    #[error("its sweep is too old to go on with")]
    TooOld,
}

impl PlanFile {
    /// A plan for the session's organization.
    ///
    /// # Errors
    /// [`Error::BadInput`] when the connection cannot be read; [`Error::Plan`] without grants.
    pub fn new(session: &Session, grants: Vec<Pair>, reason: Option<String>, now: Timestamp) -> Result<Self, Error> {
        Self::with_block(session, grants, None, reason, now)
    }

    /// The same with a block. One that changes the policy is worth a plan without any grant.
    ///
    /// # Errors
    /// As [`PlanFile::new`], and [`Error::Plan`] for a block that does not hold together.
    pub fn with_block(
        session: &Session,
        grants: Vec<Pair>,
        block: Option<Block>,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let checked = connections::reopen(&session.connection)?;
        let mut seen = HashSet::new();
        let grants: Vec<Pair> = grants.into_iter().filter(|pair| seen.insert(pair.clone())).collect();
        let plan = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            critical: block.iter().map(|_| BLOCK.to_owned()).collect(),
            scheme: checked.base.scheme().to_owned(),
            host: checked.base.host().to_owned(),
            port: checked.base.port(),
            public_token_sha256: Hash(Sha256::digest(checked.public_token.as_str()).into()).to_string(),
            environment: environment(session, checked.public_token.environment()).to_owned(),
            organization_id: session.state().organization.organization_id.to_string(),
            author_member_id: session.state().member.member_id.to_string(),
            created_at: rfc3339(now),
            expires_at: rfc3339(now.checked_add(LIFE).unwrap_or(now)),
            run_id: Uuid::new_v4(),
            reason,
            block,
            grants,
        };
        plan.check().map_err(Error::Plan)?;
        Ok(plan)
    }

    /// Reads a plan from the bytes of its file.
    ///
    /// # Errors
    /// [`Unusable`]; whether it fits the session and the hour is [`PlanFile::fits`].
    pub fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        /// As much as every version has.
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
            #[serde(default)]
            critical: Vec<String>,
        }
        if bytes.len() as u64 > LARGEST {
            return Err(Unusable::TooLarge);
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|_| Unusable::NotAPlan)?;
        if head.format != FORMAT {
            return Err(Unusable::NotAPlan);
        }
        if head.version > VERSION || head.critical.iter().any(|name| name != BLOCK) {
            return Err(Unusable::Newer);
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(|_| Unusable::NotAPlan)?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), Unusable> {
        let mut seen = HashSet::new();
        let usable = |id: &str, field| crate::directory::check_id(id, field).is_ok();
        let fit = self.grants.iter().all(|pair| {
            usable(pair.member_id.as_str(), crate::error::Field::MemberId)
                && usable(pair.connected_app_id.as_str(), crate::error::Field::ConnectedAppId)
                && seen.insert(pair)
        });
        let changes = self.block.as_ref().is_some_and(|block| block.before != block.after);
        if !fit || self.grants.is_empty() && !changes {
            return Err(Unusable::Grants);
        }
        let critical = self.critical.iter().any(|name| name == BLOCK);
        match &self.block {
            None if critical => Err(Unusable::Block),
            Some(block) if !critical || !block.holds_together() => Err(Unusable::Block),
            _ => Ok(()),
        }
    }

    /// The bytes of its file: the same for the same plan.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // A struct of texts and numbers always has a JSON form.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// SHA-256 over `cutoff-plan-v1`, a zero byte and the plan's compact JSON, so that the same plan has the same hash however
    /// its file is laid out.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(b"cutoff-plan-v1\0");
        hash.update(serde_json::to_vec(self).unwrap_or_default());
        Hash(hash.finalize().into())
    }

    /// Whether it may be carried out by this session now.
    ///
    /// # Errors
    /// [`Unusable::Elsewhere`], [`Unusable::Expired`]; [`Unusable::NotAPlan`] where its hours are none that a plan is made with.
    pub fn fits(&self, session: &Session, now: Timestamp) -> Result<(), Unusable> {
        let checked = connections::reopen(&session.connection).map_err(|_| Unusable::Elsewhere)?;
        let token = Hash(Sha256::digest(checked.public_token.as_str()).into()).to_string();
        let here = self.scheme == checked.base.scheme()
            && self.host == checked.base.host()
            && self.port == checked.base.port()
            && self.public_token_sha256 == token
            && self.environment == environment(session, checked.public_token.environment())
            && self.organization_id == session.state().organization.organization_id.as_str();
        if !here {
            return Err(Unusable::Elsewhere);
        }
        let time = |text: &str| text.parse::<Timestamp>().map_err(|_| Unusable::NotAPlan);
        let (created, expires) = (time(&self.created_at)?, time(&self.expires_at)?);
        if expires < now {
            return Err(Unusable::Expired);
        }
        // A file can be edited, and what it says of its own hours would let it live on for years.
        let after = |at: Timestamp, span| at.checked_add(span).unwrap_or(Timestamp::MAX);
        let believable = expires <= after(created, LIFE) && created <= after(now, CLOCKS_DIFFER);
        if believable { Ok(()) } else { Err(Unusable::NotAPlan) }
    }
}

/// How the change of the policy in a file differs from what its apps and decisions make, for one that is refused for its block.
#[must_use]
pub fn block_differs(bytes: &[u8]) -> Vec<Difference> {
    let plan = serde_json::from_slice::<PlanFile>(bytes).ok();
    plan.and_then(|plan| plan.block).map(|block| block.differs()).unwrap_or_default()
}

fn environment(session: &Session, of_token: Environment) -> &'static str {
    match (session.connection.sandbox, of_token) {
        (true, _) => "sandbox",
        (false, Environment::Test) => "test",
        (false, Environment::Live) => "live",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(pairs: &[(u8, u8)], reason: Option<String>) -> PlanFile {
        let mut seen = HashSet::new();
        PlanFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            critical: Vec::new(),
            scheme: "https".to_owned(),
            host: "test.stytch.com".to_owned(),
            port: 443,
            public_token_sha256: Hash::of(b"token").to_string(),
            environment: "test".to_owned(),
            organization_id: "organization-test-1".to_owned(),
            author_member_id: "member-test-0".to_owned(),
            created_at: "2026-11-23T09:00:00Z".to_owned(),
            expires_at: "2026-11-24T09:00:00Z".to_owned(),
            run_id: Uuid::from_u128(7),
            reason,
            block: None,
            grants: pairs
                .iter()
                .map(|(member, app)| Pair {
                    member_id: MemberId::from(format!("member-test-{member}").as_str()),
                    connected_app_id: ConnectedAppId::from(format!("connected-app-test-{app}").as_str()),
                })
                .filter(|pair| seen.insert(pair.clone()))
                .collect(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_any_other_byte_is_another_plan_or_none(
            pairs in prop::collection::vec(any::<(u8, u8)>(), 1..20), reason: Option<String>,
            at: prop::sample::Index, byte: u8,
        ) {
            let plan = plan(&pairs, reason);
            let mut bytes = plan.bytes();
            prop_assert_eq!(PlanFile::read(&bytes), Ok(plan.clone()));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // A blank for a line's end lays the file out otherwise and says the same; nothing else keeps the hash.
            if let Ok(read) = PlanFile::read(&bytes) {
                prop_assert_eq!(read.hash() == plan.hash(), read == plan);
            }
        }

        #[test]
        fn a_grant_is_planned_once_and_the_order_is_part_of_the_plan(
            pairs in prop::collection::vec(any::<(u8, u8)>(), 2..20),
        ) {
            let plan = plan(&pairs, None);
            let mut twice = plan.clone();
            twice.grants.push(plan.grants[0].clone());
            prop_assert_eq!(PlanFile::read(&twice.bytes()), Err(Unusable::Grants));
            let mut turned = plan.clone();
            turned.grants.reverse();
            prop_assert_eq!(turned.hash() == plan.hash(), plan.grants.len() == 1);
        }
    }
}

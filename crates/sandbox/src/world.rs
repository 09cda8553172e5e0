//! The Stytch project that the sandbox plays: organizations, members, apps, grants, sessions and codes, behind one lock. Knows no HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rand::RngCore;
use uuid::Uuid;

use crate::come_backs::ComeBacks;
use crate::faults::{Faults, Settings};
use crate::grants::{AppNo, Glass, Grants, MemberNo, Side};
use crate::ledger::Ledger;
use crate::otps::{Code, Mail};
use crate::policy::{Policies, Policy};
use crate::rbac;
use crate::reply::Refusal;

/// Handle on one sandbox's state; clones are the same sandbox.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    facts: Facts,
    /// Everything that changes. Held by a request for the time of a look-up or a change, never across an await.
    world: Mutex<World>,
    started: Instant,
}

/// What never changes while a sandbox runs.
pub struct Facts {
    pub public_token: String,
    pub bundle_id: String,
    pub project_name: String,
    /// Path below which the control side answers; a part of it is drawn from the system's randomness.
    pub control_path: String,
    /// The organization that the card names.
    pub organization: usize,
    pub max_session_minutes: i64,
}

pub struct World {
    pub organizations: Vec<Organization>,
    pub members: Vec<Member>,
    pub member_by_id: HashMap<String, MemberNo>,
    /// By organization and lower-case e-mail address; deleted members are not in it.
    pub member_by_email: HashMap<(usize, String), MemberNo>,
    pub apps: Vec<App>,
    pub app_by_id: HashMap<String, AppNo>,
    pub grants: Grants,
    pub sessions: HashMap<String, Session>,
    pub intermediate: HashMap<String, IntermediateSession>,
    /// The newest code of each address; under `None` those of discovery.
    pub codes: HashMap<(Option<usize>, String), Code>,
    pub inbox: Vec<Mail>,
    pub ledger: Ledger,
    pub settings: Settings,
    pub come_backs: ComeBacks,
}

pub struct Organization {
    pub id: String,
    pub name: String,
    pub slug: String,
    pub logo_url: String,
    pub external_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Which connected apps it admits.
    pub policies: Policies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Pending,
    Invited,
    Active,
    Deleted,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }
}

pub struct Member {
    pub id: String,
    pub organization: usize,
    /// The same organization's id, kept here so that a member can be written without the world at hand.
    pub organization_id: String,
    pub email: String,
    pub name: String,
    pub status: Status,
    /// Roles beside `stytch_member`, which everybody has.
    pub roles: Vec<String>,
    pub is_breakglass: bool,
    pub mfa_phone_number: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Member {
    pub fn role_ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(rbac::MEMBER).chain(self.roles.iter().map(String::as_str))
    }
}

pub struct App {
    pub id: String,
    pub name: String,
    pub description: String,
    pub client_type: &'static str,
    pub logo: Logo,
}

/// `logo_url` is seen in three forms; the sandbox sends all of them.
#[derive(Clone)]
pub enum Logo {
    Absent,
    Null,
    Url(String),
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    pub member: MemberNo,
    pub started_at: Timestamp,
    pub last_accessed_at: Timestamp,
    pub expires_at: Timestamp,
    pub dies: Counter,
    pub role: Counter,
}

/// Calls of a session since the setting that counts them was last set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter {
    epoch: u64,
    pub calls: u64,
}

impl Counter {
    pub fn count(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self { epoch, calls: 0 };
        }
        self.calls += 1;
    }
}

pub struct IntermediateSession {
    pub email: String,
    pub expires_at: Timestamp,
}

impl State {
    pub(crate) fn new(facts: Facts, world: World) -> Self {
        Self(Arc::new(Inner { facts, world: Mutex::new(world), started: Instant::now() }))
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic while holding the lock fails its own request; the others go on.
        let mut world = self.0.world.lock().unwrap_or_else(|e| e.into_inner());
        // Here and nowhere else, so that nobody can see or change a world in which something due has not happened yet.
        world.let_come_back(self.now_ms());
        world
    }

    /// Milliseconds since the start, from a clock that never steps back.
    pub(crate) fn now_ms(&self) -> i64 {
        i64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// How a read of grants looks under the faults that hold for it.
    pub(crate) fn glass(&self, side: Side, faults: &Faults) -> Glass {
        let lag = i64::try_from(faults.read_lag_ms.unwrap_or(0)).unwrap_or(i64::MAX);
        Glass {
            at_ms: self.now_ms().saturating_sub(lag),
            side,
            views_disagree: faults.views_disagree,
            deleted_member_listed: faults.deleted_member_listed,
        }
    }
}

impl World {
    pub fn organization_by_id(&self, id: &str) -> Option<usize> {
        self.organizations.iter().position(|organization| organization.id == id)
    }

    pub fn app(&self, id: &str) -> Result<AppNo, Refusal> {
        self.app_by_id.get(id).copied().ok_or_else(Refusal::app_not_found)
    }

    /// A member who is not deleted, of this organization.
    pub fn member_in(&self, organization: usize, id: &str) -> Result<MemberNo, Refusal> {
        let number = *self.member_by_id.get(id).ok_or_else(Refusal::member_not_found)?;
        let member = &self.members[number as usize];
        if member.organization != organization {
            return Err(Refusal::other_tenant());
        }
        if member.status == Status::Deleted {
            return Err(Refusal::member_not_found());
        }
        Ok(number)
    }

    /// Did the organization's policy let this app be installed at that moment?
    pub fn admits(&self, organization: usize, app: AppNo, at_ms: i64) -> bool {
        let app = &self.apps[app as usize];
        self.organizations[organization].policies.at(at_ms).admits(&app.id, app.client_type)
    }

    /// Does a read under these faults list this app, as far as the policy is concerned?
    pub fn lists(&self, organization: usize, app: AppNo, faults: &Faults, now_ms: i64) -> bool {
        !faults.hides() || self.admits(organization, app, faults.policy_at(now_ms))
    }

    /// Puts a policy in force and hands back the one before. With `revokes`, every grant of an app that this forbids ends.
    pub fn change_policy(&mut self, organization: usize, policy: Policy, now_ms: i64, revokes: bool) -> Policy {
        let entry = &mut self.organizations[organization];
        entry.updated_at = Timestamp::now();
        let before = entry.policies.set(policy, now_ms);
        let after = self.organizations[organization].policies.now();
        if revokes {
            for (number, app) in (0..).zip(&self.apps) {
                if !before.admits(&app.id, app.client_type) || after.admits(&app.id, app.client_type) {
                    continue;
                }
                let theirs: Vec<MemberNo> = self
                    .grants
                    .live_members(number)
                    .filter(|member| self.members[*member as usize].organization == organization)
                    .collect();
                for member in theirs {
                    self.grants.revoke(number, member, now_ms);
                }
            }
        }
        before
    }

    /// Opens a session that lasts `minutes`. The token is drawn from the system's randomness, whatever the seed.
    pub fn open_session(&mut self, member: MemberNo, minutes: i64) -> (String, Session) {
        let now = Timestamp::now();
        let session = Session {
            id: format!("member-session-test-{}", Uuid::new_v4()),
            member,
            started_at: now,
            last_accessed_at: now,
            expires_at: now + SignedDuration::from_mins(minutes),
            dies: Counter::default(),
            role: Counter::default(),
        };
        let token = secret();
        self.sessions.insert(token.clone(), session.clone());
        (token, session)
    }

    /// Ends all sessions of a member; true when there was one.
    pub fn close_sessions(&mut self, member: MemberNo) -> bool {
        let before = self.sessions.len();
        self.sessions.retain(|_, session| session.member != member);
        self.sessions.len() != before
    }

    /// Deletes a member: grants, sessions and the address go; the row stays for those who ask for deleted members.
    pub fn delete_member(&mut self, number: MemberNo, now_ms: i64) {
        let member = &mut self.members[number as usize];
        member.status = Status::Deleted;
        member.updated_at = Timestamp::now();
        let key = (member.organization, member.email.to_lowercase());
        self.member_by_email.remove(&key);
        self.grants.delete_member(number, now_ms);
        self.close_sessions(number);
    }
}

/// An opaque token nobody can guess.
pub fn secret() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A moment as the API writes it: RFC 3339 UTC in whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// This moment for the ledger and the inbox: RFC 3339 UTC with milliseconds.
pub fn rfc3339_ms() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

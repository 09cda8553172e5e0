//! Grants that come back by themselves a while after a revoke, as when a member or their agent simply consents again.
//! Nothing runs in the background: what is due is carried out before anybody next looks at the world.

use std::collections::{BTreeMap, HashMap};

use crate::grants::{AppNo, MemberNo, Scopes};
use crate::seed::successor_id;
use crate::world::{App, Status, World};

/// A consent that a member gives again. The path by which consents are judged when a fault has a scope.
pub const CONSENT_PATH: &str = "/consent";

/// One that is to come.
#[derive(Debug)]
pub struct ComeBack {
    pub due_ms: i64,
    pub app: AppNo,
    pub member: MemberNo,
    pub scopes: Scopes,
    /// It comes back under the app's successor, not under the app.
    pub new_client_id: bool,
}

/// Those that are to come, in the order they are due.
#[derive(Debug, Default)]
pub struct ComeBacks {
    due: BTreeMap<(i64, u64), ComeBack>,
    /// Of two that are due in the same millisecond the one that was revoked first comes first.
    number: u64,
    /// The app made in place of each app whose grants came back under a new client id.
    successors: HashMap<AppNo, AppNo>,
}

impl ComeBacks {
    pub fn add(&mut self, back: ComeBack) {
        self.number += 1;
        self.due.insert((back.due_ms, self.number), back);
    }

    /// Nobody consents again after all.
    pub fn clear(&mut self) {
        self.due.clear();
    }

    fn next_due(&mut self, now_ms: i64) -> Option<ComeBack> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now_ms).then(|| first.remove())
    }
}

impl World {
    /// Carries out every come-back that is due, each as of its own moment.
    pub fn let_come_back(&mut self, now_ms: i64) {
        while let Some(back) = self.come_backs.next_due(now_ms) {
            self.come_back(back);
        }
    }

    fn come_back(&mut self, back: ComeBack) {
        let member = &self.members[back.member as usize];
        if member.status == Status::Deleted {
            return;
        }
        // A consent goes by the policy as the service knows it at that moment, which may be a stale one.
        let known_at = self.settings.for_path(CONSENT_PATH).faults.policy_at(back.due_ms);
        let policy = self.organizations[member.organization].policies.at(known_at);
        let app = &self.apps[back.app as usize];
        let id = match back.new_client_id {
            true => successor_id(&app.id),
            false => app.id.clone(),
        };
        if !policy.admits(&id, app.client_type) {
            return;
        }
        let number = match back.new_client_id {
            true => self.successor(back.app, id),
            false => back.app,
        };
        // Somebody may have consented in the meantime; that consent stands.
        if !self.grants.is_live(number, back.member) {
            self.grants.give(number, back.member, back.scopes, back.due_ms);
        }
    }

    /// The app that looks just like this one and has another client id, made when it is first needed.
    fn successor(&mut self, of: AppNo, id: String) -> AppNo {
        if let Some(made) = self.come_backs.successors.get(&of) {
            return *made;
        }
        let app = &self.apps[of as usize];
        let successor = App {
            id: id.clone(),
            name: app.name.clone(),
            description: app.description.clone(),
            client_type: app.client_type,
            logo: app.logo.clone(),
        };
        let number = self.grants.add_app();
        self.apps.push(successor);
        self.app_by_id.insert(id, number);
        self.come_backs.successors.insert(of, number);
        number
    }
}

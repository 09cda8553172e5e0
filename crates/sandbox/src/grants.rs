//! Who lets which app act: one history of consents per member and app, indexed both ways. Knows nothing of HTTP or permissions.
//!
//! A history instead of a flag, because some faults answer with the past: a lagging read, two views that disagree,
//! a deleted member who is still listed.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Position of a member in the world's list; never reused.
pub type MemberNo = u32;
/// Position of an app in the world's list; never reused.
pub type AppNo = u32;
/// The scopes of one consent. Shared, since thousands of seeded grants have the same few sets.
pub type Scopes = Arc<Vec<String>>;

/// Before the sandbox was started: nothing asks about an earlier moment.
pub const ALWAYS: i64 = i64::MIN;

#[derive(Debug)]
struct Consent {
    from_ms: i64,
    end: Option<End>,
    scopes: Scopes,
}

#[derive(Debug)]
struct End {
    at_ms: i64,
    by_deletion: bool,
    /// The how-manieth revocation of this sandbox: decides which view is wrong about it when views disagree.
    number: u64,
}

/// Which of the API's two views is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    App,
    Member,
}

/// How a read looks at the histories.
#[derive(Debug, Clone, Copy)]
pub struct Glass {
    /// Milliseconds on the sandbox's clock.
    pub at_ms: i64,
    pub side: Side,
    pub views_disagree: bool,
    pub deleted_member_listed: bool,
}

impl Glass {
    /// The truth at a moment.
    pub fn truth(at_ms: i64) -> Self {
        Self { at_ms, side: Side::App, views_disagree: false, deleted_member_listed: false }
    }

    fn shows(&self, consent: &Consent) -> bool {
        if consent.from_ms > self.at_ms {
            return false;
        }
        let Some(end) = &consent.end else { return true };
        if end.at_ms > self.at_ms {
            return true;
        }
        if end.by_deletion {
            return self.deleted_member_listed && self.side == Side::App;
        }
        let wrong_side = if end.number.is_multiple_of(2) { Side::Member } else { Side::App };
        self.views_disagree && self.side == wrong_side
    }
}

/// All histories.
#[derive(Debug, Default)]
pub struct Grants {
    by_app: Vec<BTreeMap<MemberNo, Vec<Consent>>>,
    by_member: Vec<Vec<AppNo>>,
    revocations: u64,
}

impl Grants {
    pub fn sized(members: usize, apps: usize) -> Self {
        Self {
            by_app: (0..apps).map(|_| BTreeMap::new()).collect(),
            by_member: (0..members).map(|_| Vec::new()).collect(),
            revocations: 0,
        }
    }

    /// A member consents. Of a consent that is still alive the scopes are replaced, as a new authorization does; it lives on from when
    /// it began, so that a list that lags does not lack what lived all the time.
    pub fn give(&mut self, app: AppNo, member: MemberNo, scopes: Scopes, at_ms: i64) {
        let history = self.by_app[app as usize].entry(member).or_insert_with(|| {
            self.by_member[member as usize].push(app);
            Vec::new()
        });
        match history.last_mut().filter(|last| last.end.is_none()) {
            Some(alive) => alive.scopes = scopes,
            None => history.push(Consent { from_ms: at_ms, end: None, scopes }),
        }
    }

    /// Room for one more app; its number.
    pub fn add_app(&mut self) -> AppNo {
        self.by_app.push(BTreeMap::new());
        (self.by_app.len() - 1) as AppNo
    }

    /// Ends a live consent and hands back its scopes; `None` when there was none.
    pub fn revoke(&mut self, app: AppNo, member: MemberNo, at_ms: i64) -> Option<Scopes> {
        let number = self.revocations;
        let ended = self.end(app, member, at_ms, false, number);
        if ended.is_some() {
            self.revocations += 1;
        }
        ended
    }

    /// Has the member a live consent to the app?
    pub fn is_live(&self, app: AppNo, member: MemberNo) -> bool {
        self.by_app[app as usize].get(&member).is_some_and(|history| ends_open(history))
    }

    /// The members with a live consent to the app.
    pub fn live_members(&self, app: AppNo) -> impl Iterator<Item = MemberNo> {
        self.by_app[app as usize].iter().filter(|(_, history)| ends_open(history)).map(|(member, _)| *member)
    }

    /// From when to when each consent lived.
    pub fn lives(&self, app: AppNo, member: MemberNo) -> Vec<(i64, Option<i64>)> {
        let history = self.by_app[app as usize].get(&member).into_iter().flatten();
        history.map(|consent| (consent.from_ms, consent.end.as_ref().map(|end| end.at_ms))).collect()
    }

    /// Ends all of a member's consents because the member was deleted.
    pub fn delete_member(&mut self, member: MemberNo, at_ms: i64) {
        for app in self.by_member[member as usize].clone() {
            self.end(app, member, at_ms, true, 0);
        }
    }

    fn end(&mut self, app: AppNo, member: MemberNo, at_ms: i64, by_deletion: bool, number: u64) -> Option<Scopes> {
        let live = self.by_app[app as usize]
            .get_mut(&member)
            .and_then(|history| history.last_mut())
            .filter(|consent| consent.end.is_none());
        live.map(|consent| {
            consent.end = Some(End { at_ms, by_deletion, number });
            consent.scopes.clone()
        })
    }

    /// The members of one app, in the order they joined.
    pub fn of_app(&self, app: AppNo, glass: Glass) -> impl Iterator<Item = (MemberNo, &Scopes)> {
        self.by_app[app as usize]
            .iter()
            .filter_map(move |(member, history)| seen(history, glass).map(|scopes| (*member, scopes)))
    }

    /// The apps of one member.
    pub fn of_member(&self, member: MemberNo, glass: Glass) -> impl Iterator<Item = (AppNo, &Scopes)> {
        self.by_member[member as usize].iter().filter_map(move |app| {
            let history = self.by_app[*app as usize].get(&member)?;
            seen(history, glass).map(|scopes| (*app, scopes))
        })
    }
}

fn ends_open(history: &[Consent]) -> bool {
    history.last().is_some_and(|consent| consent.end.is_none())
}

fn seen(history: &[Consent], glass: Glass) -> Option<&Scopes> {
    history.iter().rev().find(|consent| glass.shows(consent)).map(|consent| &consent.scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_grant() -> Grants {
        let mut grants = Grants::sized(2, 2);
        grants.give(1, 0, Arc::new(vec!["openid".into()]), ALWAYS);
        grants
    }

    #[test]
    fn a_revoked_grant_is_gone_now_and_still_there_in_the_past() {
        let mut grants = one_grant();
        assert!(grants.revoke(1, 0, 100).is_some());
        assert!(grants.revoke(1, 0, 101).is_none(), "a second revoke ends nothing");
        assert_eq!(grants.of_app(1, Glass::truth(100)).count(), 0);
        assert_eq!(grants.of_app(1, Glass::truth(99)).count(), 1);
        assert_eq!(grants.lives(1, 0), [(ALWAYS, Some(100))]);
    }

    #[test]
    fn a_member_can_consent_again_after_a_revoke() {
        let mut grants = one_grant();
        grants.revoke(1, 0, 100);
        grants.give(1, 0, Arc::new(vec!["email".into()]), 200);
        let now: Vec<_> = grants.of_member(0, Glass::truth(200)).collect();
        assert_eq!(now.len(), 1, "listed once, not once per consent");
        assert_eq!(now[0].1.as_slice(), ["email"]);
    }

    #[test]
    fn disagreeing_views_differ_about_revoked_grants_only() {
        let mut grants = one_grant();
        grants.give(0, 0, Arc::new(vec![]), ALWAYS);
        let disagreeing = |side| Glass { side, views_disagree: true, ..Glass::truth(500) };
        assert_eq!(grants.of_app(1, disagreeing(Side::App)).count(), 1);
        grants.revoke(1, 0, 100);
        assert_eq!(grants.of_app(1, disagreeing(Side::App)).count(), 0);
        assert_eq!(grants.of_member(0, disagreeing(Side::Member)).count(), 2);
        grants.revoke(0, 0, 200);
        assert_eq!(grants.of_app(0, disagreeing(Side::App)).count(), 1, "the second one is wrong the other way");
        assert_eq!(grants.of_member(0, disagreeing(Side::Member)).count(), 1);
    }
}

//! Which connected apps an organization admits, now and at every earlier moment. Knows no HTTP, no member and no grant.

use serde_json::{Map, Value, json};

use crate::reply::object;

/// The three words of an allowed type.
pub const WORDS: [&str; 3] = ["ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"];

/// Which connected apps of one kind an organization admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// One of [`WORDS`].
    pub allowed_type: String,
    /// The admitted ids when restricted; kept as given while another word stands.
    pub allowed: Vec<String>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { allowed_type: "ALL_ALLOWED".into(), allowed: Vec::new() }
    }
}

impl Allowance {
    fn admits(&self, app_id: &str) -> bool {
        match self.allowed_type.as_str() {
            "NOT_ALLOWED" => false,
            "RESTRICTED" => self.allowed.iter().any(|id| id == app_id),
            _ => true,
        }
    }

    fn take(&mut self, change: AllowanceChange) {
        if let Some(allowed_type) = change.allowed_type {
            self.allowed_type = allowed_type;
        }
        if let Some(allowed) = change.allowed {
            self.allowed = allowed;
        }
    }
}

/// What is to be different about one kind; what is `None` stays.
#[derive(Debug, Default)]
pub struct AllowanceChange {
    pub allowed_type: Option<String>,
    pub allowed: Option<Vec<String>>,
}

/// The whole policy of an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub first_party: Allowance,
    pub third_party: Allowance,
}

impl Policy {
    pub fn admits(&self, app_id: &str, client_type: &str) -> bool {
        match client_type.starts_with("first_party") {
            true => self.first_party.admits(app_id),
            false => self.third_party.admits(app_id),
        }
    }

    /// The policy after a change.
    pub fn with(&self, first_party: AllowanceChange, third_party: AllowanceChange) -> Self {
        let mut changed = self.clone();
        changed.first_party.take(first_party);
        changed.third_party.take(third_party);
        changed
    }

    /// The four fields under the API's names.
    pub fn fields(&self) -> Map<String, Value> {
        object(json!({
            "first_party_connected_apps_allowed_type": self.first_party.allowed_type,
            "allowed_first_party_connected_apps": self.first_party.allowed,
            "third_party_connected_apps_allowed_type": self.third_party.allowed_type,
            "allowed_third_party_connected_apps": self.third_party.allowed,
        }))
    }
}

/// A policy and the ones before it, since a stale reader goes by one of those.
#[derive(Debug, Default)]
pub struct Policies {
    now: Policy,
    /// With the moment until which each held, oldest first.
    former: Vec<(i64, Policy)>,
}

impl Policies {
    pub fn now(&self) -> &Policy {
        &self.now
    }

    /// The policy of a moment on the sandbox's clock.
    pub fn at(&self, at_ms: i64) -> &Policy {
        let first_that_still_held = self.former.partition_point(|(until_ms, _)| *until_ms <= at_ms);
        self.former.get(first_that_still_held).map_or(&self.now, |(_, policy)| policy)
    }

    /// Puts another policy in force and hands back the one before.
    pub fn set(&mut self, policy: Policy, at_ms: i64) -> Policy {
        let before = std::mem::replace(&mut self.now, policy);
        self.former.push((at_ms, before.clone()));
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(app: &str) -> Policy {
        let change = AllowanceChange { allowed_type: Some("RESTRICTED".into()), allowed: Some(vec![app.into()]) };
        Policy::default().with(AllowanceChange::default(), change)
    }

    #[test]
    fn an_earlier_moment_has_the_policy_of_its_time() {
        let mut policies = Policies::default();
        policies.set(only("a"), 100);
        policies.set(only("b"), 200);
        let admitted =
            |at_ms: i64| ["a", "b", "c"].map(|app| policies.at(at_ms).admits(app, "third_party_public")).to_vec();
        assert_eq!(admitted(i64::MIN), [true, true, true]);
        assert_eq!(admitted(99), [true, true, true]);
        assert_eq!(admitted(100), [true, false, false]);
        assert_eq!(admitted(199), [true, false, false]);
        assert_eq!(admitted(200), [false, true, false]);
        assert!(policies.now().admits("c", "first_party"), "each kind has its own allowance");
    }

    #[test]
    fn a_change_of_the_word_leaves_the_list_and_the_other_kind_alone() {
        let word = AllowanceChange { allowed_type: Some("NOT_ALLOWED".into()), allowed: None };
        let blocked = only("a").with(AllowanceChange::default(), word);
        assert_eq!(blocked.third_party.allowed, ["a"]);
        assert!(!blocked.admits("a", "third_party"));
        assert_eq!(blocked.first_party, Allowance::default());
    }
}

//! The faults a sandbox can be told to have: their settings, their scopes and their draws. What each does to a call lies in `gate.rs`.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::seed::mix;

/// Faults to set, by the same names on the command line and over the wire. The default is a sandbox without any.
///
/// Shares lie between 0 and 1 and are drawn from `fault_seed`. A body mangled by `body`, a reset and a silence leave
/// the ledger's `answered` false, whatever the status line said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Args)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Milliseconds every call waits before anything is committed.
    #[arg(long = "latency_ms", alias = "latency-ms")]
    pub latency_ms: Option<u64>,
    /// Calls let through in each window; further ones are answered 429.
    #[arg(long = "rate_limit_after", alias = "rate-limit-after")]
    pub rate_limit_after: Option<u64>,
    /// Seconds for the `Retry-After` header of a 429; without it the header is left out.
    #[arg(long = "retry_after_s", alias = "retry-after-s")]
    pub retry_after_s: Option<u64>,
    /// Seconds of one rate window, aligned to the Unix epoch; 60 when not set.
    #[arg(long = "rate_window_s", alias = "rate-window-s")]
    pub rate_window_s: Option<u64>,
    /// Share of calls answered 500 before anything is committed.
    #[arg(long = "server_error_share", alias = "server-error-share")]
    pub server_error_share: Option<f64>,
    /// Share of calls whose connection is reset before anything is committed.
    #[arg(long = "reset_before_commit_share", alias = "reset-before-commit-share")]
    pub reset_before_commit_share: Option<f64>,
    /// Share of calls whose connection is reset after the commit, in place of the answer.
    #[arg(long = "reset_after_commit_share", alias = "reset-after-commit-share")]
    pub reset_after_commit_share: Option<f64>,
    /// Seed of the three shares' draws; setting it starts them over.
    #[arg(long = "fault_seed", alias = "fault-seed")]
    pub fault_seed: Option<u64>,
    /// What successful answers look like instead of what they should.
    #[arg(long)]
    pub body: Option<Body>,
    /// Error bodies say `text/plain` while being JSON, as Stytch's own mobile SDK reports of the real API.
    #[arg(long = "errors_as_text", alias = "errors-as-text", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub errors_as_text: bool,
    /// Every call is answered 307 with exactly this `Location`.
    #[arg(long = "redirect_to", alias = "redirect-to")]
    pub redirect_to: Option<String>,
    /// Calls a session answers after this was set (or after it began); then it is dead.
    #[arg(long = "session_dies_after", alias = "session-dies-after")]
    pub session_dies_after: Option<u64>,
    /// Calls a session makes with its roles after this was set (or after it began); then only `stytch_member` is left.
    #[arg(long = "role_lost_after", alias = "role-lost-after")]
    pub role_lost_after: Option<u64>,
    /// Native callers are refused as if their bundle id were not registered.
    #[arg(long = "bundle_id_refused", alias = "bundle-id-refused", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub bundle_id_refused: bool,
    /// The project's switch for member actions is off: every method that checks a permission is refused; with `on`, every call in scope.
    #[arg(long = "sdk_endpoint_off", alias = "sdk-endpoint-off", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub sdk_endpoint_off: bool,
    /// Revoking what is not granted answers 404 `connected_app_not_found` instead of 200.
    #[arg(long = "second_revoke_404", alias = "second-revoke-404", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub second_revoke_404: bool,
    /// Seconds of saying nothing before the connection is closed; the call is not carried out (but see `late_commit_ms`).
    #[arg(long = "silence_s", alias = "silence-s")]
    pub silence_s: Option<f64>,
    /// Reads of grants answer the state of that many milliseconds ago.
    #[arg(long = "read_lag_ms", alias = "read-lag-ms")]
    pub read_lag_ms: Option<u64>,
    /// A revoke whose connection dies is carried out that many milliseconds later. Which ones die is decided by
    /// `reset_before_commit_share` and `silence_s`; with neither set, all of them.
    #[arg(long = "late_commit_ms", alias = "late-commit-ms")]
    pub late_commit_ms: Option<u64>,
    /// An app whose last grant is gone answers 404 instead of 200 with no members.
    #[arg(long = "app_404_when_empty", alias = "app-404-when-empty", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub app_404_when_empty: bool,
    /// An app goes on listing members who have been deleted.
    #[arg(long = "deleted_member_listed", alias = "deleted-member-listed", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub deleted_member_listed: bool,
    /// The app's view and the member's view differ about revoked grants: by turns one and then the other still lists them.
    #[arg(long = "views_disagree", alias = "views-disagree", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub views_disagree: bool,
    /// The middle row of every list is unreadable.
    #[arg(long = "bad_row", alias = "bad-row", num_args = 0..=1, require_equals = true, default_missing_value = "lone_surrogate")]
    #[serde(deserialize_with = "bad_row")]
    pub bad_row: Option<BadRow>,
    /// A connected app that the organization's policy forbids leaves the lists, and its own view answers 404. When not set it
    /// leaves the lists only, and its own view goes on telling whose grants live. `false`: the policy hides nothing.
    #[arg(long = "policy_hides", alias = "policy-hides", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub policy_hides: Option<bool>,
    /// A change of the policy that forbids an app also revokes its grants; these are in no row of the ledger's revocations.
    #[arg(long = "policy_revokes", alias = "policy-revokes", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub policy_revokes: bool,
    /// Reads of grants, and consents, go by the policy of that many seconds ago. The organization itself is answered as it is.
    #[arg(long = "policy_stale_s", alias = "policy-stale-s")]
    pub policy_stale_s: Option<f64>,
    /// Rows that the organization's app list, and the members of each app, hold at most; what is over is silently left out.
    #[arg(long = "list_cap", alias = "list-cap")]
    pub list_cap: Option<u64>,
    /// Milliseconds after which a grant revoked through the API comes back by itself, unless the policy then forbids the app.
    /// `on` with an app's id: only that app's. `null` also lets those not come that are on their way.
    #[arg(long = "reconsent_after_ms", alias = "reconsent-after-ms")]
    pub reconsent_after_ms: Option<u64>,
    /// What comes back does so under a new client id: another app of the same name and type, made at the first time.
    #[arg(long = "reconsent_new_client_id", alias = "reconsent-new-client-id", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub reconsent_new_client_id: bool,
    /// Only calls whose raw path contains this are affected; with a `$` at its end, those whose path ends so.
    #[arg(long)]
    pub on: Option<String>,
}

/// Ways to spoil a successful answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Body {
    /// The JSON is cut in half.
    Truncated,
    /// A captive portal's page.
    Html,
    /// Good JSON under another key than `data`.
    WrongEnvelope,
}

/// Ways to spoil one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum BadRow {
    /// A `\ud800` escape without its other half in a text of the row.
    #[serde(alias = "surrogate")]
    #[value(alias = "surrogate")]
    LoneSurrogate,
    /// A number where a text belongs, or a text where a list belongs.
    #[serde(alias = "type")]
    #[value(alias = "type")]
    WrongType,
}

/// `true` is the lone surrogate and `false` is none, so that the setting can be thrown like the other switches.
fn bad_row<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BadRow>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Switch(bool),
        Kind(BadRow),
    }
    Ok(match Option::<Given>::deserialize(from)? {
        None | Some(Given::Switch(false)) => None,
        Some(Given::Switch(true)) => Some(BadRow::LoneSurrogate),
        Some(Given::Kind(kind)) => Some(kind),
    })
}

impl Faults {
    /// Do forbidden apps leave the lists?
    pub(crate) fn hides(&self) -> bool {
        self.policy_hides.unwrap_or(true)
    }

    /// Do they leave their own view too?
    pub(crate) fn hides_view(&self) -> bool {
        self.policy_hides == Some(true)
    }

    /// The moment whose policy a read or a consent goes by.
    pub(crate) fn policy_at(&self, now_ms: i64) -> i64 {
        // At most a day in milliseconds, by the check below.
        now_ms.saturating_sub((self.policy_stale_s.unwrap_or(0.0) * 1000.0) as i64)
    }

    /// How many rows a list may hold.
    pub(crate) fn cap(&self) -> usize {
        self.list_cap.map_or(usize::MAX, |cap| usize::try_from(cap).unwrap_or(usize::MAX))
    }

    /// What is out of range, in words for whoever set it.
    fn check(&self) -> Result<(), String> {
        for (name, share) in [
            ("server_error_share", self.server_error_share),
            ("reset_before_commit_share", self.reset_before_commit_share),
            ("reset_after_commit_share", self.reset_after_commit_share),
        ] {
            if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                return Err(format!("{name} is a share: it lies between 0 and 1"));
            }
        }
        if self.rate_window_s == Some(0) {
            return Err("rate_window_s is at least 1".into());
        }
        for (name, seconds) in [("silence_s", self.silence_s), ("policy_stale_s", self.policy_stale_s)] {
            if seconds.is_some_and(|s| !(0.0..=86_400.0).contains(&s)) {
                return Err(format!("{name} lies between 0 and 86400"));
            }
        }
        if self.redirect_to.as_ref().is_some_and(|to| axum::http::HeaderValue::from_str(to).is_err()) {
            return Err("redirect_to cannot be sent in a header".into());
        }
        Ok(())
    }
}

/// The three shares; each has its own row of draws, so that one does not shift another.
#[derive(Debug, Clone, Copy)]
pub enum Share {
    ServerError,
    ResetBefore,
    ResetAfter,
}

/// What holds for one call.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    pub faults: Faults,
    /// `sdk_endpoint_off` was aimed at this path by `on`: it then covers calls that check no permission too.
    pub endpoint_off_here: bool,
}

/// The present settings, with what has been counted and drawn under them.
#[derive(Debug, Default)]
pub struct Settings {
    faults: Faults,
    scopes: BTreeMap<String, String>,
    draws: [u64; 3],
    window: (i64, u64),
    /// Raised when a setting that counts a session's calls is set anew: sessions then count from nought.
    pub dies_epoch: u64,
    pub role_epoch: u64,
}

impl Settings {
    /// Settings given at the start. An error says in words what is out of range.
    pub fn new(faults: Faults) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut patch = fields(&faults);
        patch.retain(|name, value| is_set(name, value));
        if let Some(on) = &faults.on {
            patch.insert("on".into(), json!(on));
        }
        settings.change(&patch)?;
        Ok(settings)
    }

    /// Takes a POST: a field left out keeps its value, `null` clears it, `on` scopes the fields beside it (all that are set, when it stands alone).
    pub fn change(&mut self, patch: &Map<String, Value>) -> Result<(), String> {
        let mut merged = fields(&self.faults);
        let scope = match patch.get("on") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(Value::String(on)) if !on.is_empty() => Some(Some(on.clone())),
            Some(_) => return Err("on is a part of a path, or null".into()),
        };
        for (name, value) in patch.iter().filter(|(name, _)| *name != "on") {
            if !merged.contains_key(name) {
                return Err(format!("there is no fault named {name}"));
            }
            if value.is_null() {
                merged.remove(name);
            } else {
                merged.insert(name.clone(), value.clone());
            }
        }
        let faults: Faults = serde_json::from_value(Value::Object(merged)).map_err(|error| error.to_string())?;
        faults.check()?;

        self.faults = faults;
        let now = fields(&self.faults);
        let named: Vec<String> = match patch.keys().filter(|name| *name != "on").count() {
            0 => now.keys().cloned().collect(),
            _ => patch.keys().filter(|name| *name != "on").cloned().collect(),
        };
        for name in named {
            let set = now.get(&name).is_some_and(|value| is_set(&name, value));
            match &scope {
                _ if !set => {
                    self.scopes.remove(&name);
                }
                Some(Some(on)) => {
                    self.scopes.insert(name, on.clone());
                }
                Some(None) => {
                    self.scopes.remove(&name);
                }
                None => {}
            }
        }
        if patch.contains_key("fault_seed") {
            self.draws = [0; 3];
        }
        if patch.contains_key("rate_limit_after") || patch.contains_key("rate_window_s") {
            self.window = (0, 0);
        }
        if patch.contains_key("session_dies_after") {
            self.dies_epoch += 1;
        }
        if patch.contains_key("role_lost_after") {
            self.role_epoch += 1;
        }
        Ok(())
    }

    /// All settings, unset ones as null, and under `on` the scope of each scoped one.
    pub fn present(&self) -> Value {
        let mut present = fields(&self.faults);
        present.insert("on".into(), json!(self.scopes));
        Value::Object(present)
    }

    /// What holds for a call with this raw path.
    pub fn for_path(&self, path: &str) -> InForce {
        if self.scopes.is_empty() {
            return InForce { faults: self.faults.clone(), endpoint_off_here: false };
        }
        let mut held = fields(&self.faults);
        held.retain(|name, _| {
            self.scopes.get(name).is_none_or(|on| match on.strip_suffix('$') {
                Some(end) => path.ends_with(end),
                None => path.contains(on.as_str()),
            })
        });
        let faults: Faults = serde_json::from_value(Value::Object(held)).unwrap_or_default();
        let endpoint_off_here = faults.sdk_endpoint_off && self.scopes.contains_key("sdk_endpoint_off");
        InForce { faults, endpoint_off_here }
    }

    /// Does this call exceed its window's quota? Counts the call. `now_s` is Unix time in seconds.
    pub fn over_quota(&mut self, faults: &Faults, now_s: i64) -> bool {
        let Some(quota) = faults.rate_limit_after else {
            return false;
        };
        let length = i64::try_from(faults.rate_window_s.unwrap_or(60)).unwrap_or(i64::MAX).max(1);
        let window = now_s.div_euclid(length);
        if self.window.0 != window {
            self.window = (window, 0);
        }
        self.window.1 += 1;
        self.window.1 > quota
    }

    /// The next draw of a share: true with that probability, the same row of answers for the same `fault_seed`.
    pub fn draw(&mut self, share: Option<f64>, which: Share) -> bool {
        let Some(share) = share else { return false };
        let row = which as usize;
        let number = self.draws[row];
        self.draws[row] += 1;
        let bits = mix(self.faults.fault_seed.unwrap_or(1) ^ mix(0xFA17 + row as u64) ^ mix(number));
        // 53 bits are what a double holds exactly, so that 1.0 always hits and 0.0 never does.
        ((bits >> 11) as f64 / (1u64 << 53) as f64) < share
    }
}

/// Does this value make a difference? Switches are off when not set, but for the one that is on.
fn is_set(name: &str, value: &Value) -> bool {
    !value.is_null() && (name == "policy_hides" || *value != json!(false))
}

fn fields(faults: &Faults) -> Map<String, Value> {
    let mut all = crate::reply::object(serde_json::to_value(faults).unwrap_or_default());
    all.remove("on");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(value: Value) -> Map<String, Value> {
        crate::reply::object(value)
    }

    #[test]
    fn a_field_left_out_keeps_its_value_and_null_clears_one() {
        let mut settings = Settings::default();
        settings.change(&patch(json!({"latency_ms": 5, "views_disagree": true, "bad_row": "wrong_type"}))).unwrap();
        settings.change(&patch(json!({"latency_ms": 9}))).unwrap();
        assert_eq!(settings.present()["latency_ms"], 9);
        assert_eq!(settings.present()["bad_row"], "wrong_type");
        settings.change(&patch(json!({"views_disagree": null, "bad_row": null}))).unwrap();
        assert_eq!(settings.present()["views_disagree"], false);
        assert!(settings.present()["bad_row"].is_null());
        assert_eq!(settings.present()["latency_ms"], 9);
    }

    #[test]
    fn a_misspelt_fault_and_an_impossible_share_are_refused_and_change_nothing() {
        let mut settings = Settings::default();
        assert!(settings.change(&patch(json!({"latency_ms": 5, "latencyms": 5}))).is_err());
        assert!(settings.change(&patch(json!({"server_error_share": 1.5}))).is_err());
        assert!(settings.present()["latency_ms"].is_null());
    }

    #[test]
    fn on_scopes_only_the_settings_beside_it() {
        let mut settings = Settings::default();
        settings.change(&patch(json!({"server_error_share": 1, "on": "/revoke"}))).unwrap();
        settings.change(&patch(json!({"latency_ms": 5}))).unwrap();
        let revoke = settings.for_path("/a/revoke").faults;
        assert_eq!((revoke.server_error_share, revoke.latency_ms), (Some(1.0), Some(5)));
        let other = settings.for_path("/a").faults;
        assert_eq!((other.server_error_share, other.latency_ms), (None, Some(5)));
        settings.change(&patch(json!({"on": null}))).unwrap();
        assert_eq!(settings.for_path("/a").faults.server_error_share, Some(1.0));
    }

    #[test]
    fn the_same_fault_seed_draws_the_same_row_at_the_asked_share() {
        let row = |seed: u64| {
            let mut settings = Settings::default();
            settings.change(&patch(json!({"fault_seed": seed}))).unwrap();
            (0..2000).map(|_| settings.draw(Some(0.25), Share::ResetBefore)).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        let hits = row(7).iter().filter(|hit| **hit).count();
        assert!((420..580).contains(&hits), "a quarter of 2000, drawn {hits} times");
    }

    #[test]
    fn a_quota_fills_again_with_the_next_window_of_the_epoch() {
        let mut settings = Settings::default();
        settings.change(&patch(json!({"rate_limit_after": 2, "rate_window_s": 10}))).unwrap();
        let faults = settings.for_path("/").faults;
        let over: Vec<bool> =
            [1000, 1001, 1009, 1010, 1011, 1012].map(|now| settings.over_quota(&faults, now)).to_vec();
        assert_eq!(over, [false, false, true, false, false, true]);
    }
}

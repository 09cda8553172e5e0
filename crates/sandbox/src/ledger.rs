//! The truth that tests compare with: every call as it arrived, every revoke as it was handled, every change of a policy. Not seen by API callers.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::world::rfc3339_ms;

/// What a revoke request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A live grant ended.
    Removed,
    /// There was no live grant, or the request was lost before the commit.
    Nothing,
    /// The request was refused: not authorized, rate-limited, a server error, an unknown member or app.
    Refused,
}

#[derive(Debug, Clone, Serialize)]
pub struct Call {
    pub method: String,
    pub path: String,
    /// Null while under way, and for ever when the connection died unanswered.
    pub status: Option<u16>,
    pub at: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Revocation {
    /// Null when a request for oneself came without a session.
    pub member_id: Option<String>,
    pub connected_app_id: String,
    pub at: String,
    pub effect: Effect,
    /// A 2xx was written whole.
    pub answered: bool,
}

/// A change of an organization's connected-app policy that a caller of the API has made.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyChange {
    pub at: String,
    /// Member id of the caller.
    pub by: String,
    /// The four fields of the policy, under the API's names.
    pub before: Map<String, Value>,
    pub after: Map<String, Value>,
    /// A 2xx was written whole.
    pub answered: bool,
}

/// A row that waits for its answer to be written whole; rows are never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNo {
    Revocation(usize),
    PolicyChange(usize),
}

#[derive(Debug, Default)]
pub struct Ledger {
    pub calls: Vec<Call>,
    pub revocations: Vec<Revocation>,
    pub policy_changes: Vec<PolicyChange>,
}

impl Ledger {
    pub fn call_arrived(&mut self, method: &str, path: &str) -> usize {
        self.calls.push(Call { method: method.to_owned(), path: path.to_owned(), status: None, at: rfc3339_ms() });
        self.calls.len() - 1
    }

    pub fn call_answered(&mut self, number: usize, status: u16) {
        if let Some(call) = self.calls.get_mut(number) {
            call.status = Some(status);
        }
    }

    pub fn revoke_handled(&mut self, member_id: Option<&str>, connected_app_id: &str, effect: Effect) -> RowNo {
        self.revocations.push(Revocation {
            member_id: member_id.map(str::to_owned),
            connected_app_id: connected_app_id.to_owned(),
            at: rfc3339_ms(),
            effect,
            answered: false,
        });
        RowNo::Revocation(self.revocations.len() - 1)
    }

    pub fn policy_changed(&mut self, by: &str, before: Map<String, Value>, after: Map<String, Value>) -> RowNo {
        self.policy_changes.push(PolicyChange { at: rfc3339_ms(), by: by.to_owned(), before, after, answered: false });
        RowNo::PolicyChange(self.policy_changes.len() - 1)
    }

    pub fn answered(&mut self, row: RowNo) {
        let answered = match row {
            RowNo::Revocation(number) => self.revocations.get_mut(number).map(|row| &mut row.answered),
            RowNo::PolicyChange(number) => self.policy_changes.get_mut(number).map(|row| &mut row.answered),
        };
        if let Some(answered) = answered {
            *answered = true;
        }
    }
}

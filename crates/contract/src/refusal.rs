//! Why a command did not do what was asked. A variant exists because the page offers a different next step for it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::contain::PolicyDifference;
use crate::session::Keeping;

/// The error reply of every command.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// Something typed in cannot be used. Nothing was stored, nothing was sent.
    BadInput {
        /// Which field.
        field: Field,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The host is not one of Stytch's: say so and ask, then send the draft again with `host_confirmed`.
    UnknownHost {
        /// Scheme, host and port.
        base_url: String,
    },
    /// Nobody is signed in, or the session has ended.
    SignedOut {
        /// Stytch's request id of the answer that said so.
        request_id: Option<String>,
        /// The sign-in must be of the same member and organization to go on.
        resume_as: Option<String>,
    },
    /// Not permitted.
    NotAllowed(Denial),
    /// Too many calls.
    RateLimited {
        /// When to ask again. `null`: Stytch did not say; about a minute.
        until: Option<Utc>,
        /// Facts of the answer.
        problem: Problem,
    },
    /// The project's owner must register this app's identifier.
    BundleIdNotRegistered {
        /// Exactly what to add to the allowed bundle ids.
        identifier: String,
        /// Facts of the answer.
        problem: Problem,
    },
    /// The project's owner must switch an SDK product or the member-permissions toggle on.
    SdkEndpointOff {
        /// The method that was refused, by Stytch's name for it.
        method: Option<String>,
        /// Facts of the answer.
        problem: Problem,
    },
    /// The project's bot protection blocks apps like this one.
    CaptchaRequired(Problem),
    /// The project hands sessions out in cookies only.
    CookiesOnly(Problem),
    /// The code is wrong, used, or too old.
    CodeRejected(Problem),
    /// No organization has this slug, or this address leads to none.
    NoOrganization,
    /// The organization is suspended, or the session belongs to another.
    OrganizationRefused(Problem),
    /// The member does not exist any more.
    MemberGone(Problem),
    /// The app is not (or no longer) connected in this organization.
    AppGone(Problem),
    /// No answer could be had. `maybe_carried_out` is told by the report of a revoke, never here.
    Offline(Problem),
    /// An answer came that cannot be read.
    Garbled(Problem),
    /// The server answered with a redirect, which is not followed.
    Redirected {
        /// The host it pointed to.
        to_host: Option<String>,
        /// Facts of the answer.
        problem: Problem,
    },
    /// Stytch had a fault of its own.
    ServerError(Problem),
    /// Stytch refused for another reason.
    Refused(Problem),
    /// The journal cannot be used: nothing is sent without it.
    Journal {
        /// `full`, `denied`, `corrupt`, `not_ours`, `newer`, `busy`, `rolled_back`, `other`.
        fault: String,
        /// It failed after a request had left: what became of it is settled by reading, at the next start.
        sent: bool,
    },
    /// The keyring cannot be used.
    Keyring {
        /// What is wrong with it.
        keeping: Keeping,
    },
    /// What the confirmation showed is no longer what would be done. Look again.
    PlanChanged,
    /// An export could not be written.
    Export {
        /// `full`, `denied`, `no_folder`, `other`.
        fault: String,
        /// The folder it was meant for, when one is known.
        folder: Option<String>,
    },
    /// There is no inventory yet: read one first.
    NothingRead,
    /// It was asked to stop, and stopped.
    Cancelled,
    /// A sweep broke off by a mistake in the app. What was sent is in the journal, and the sweep can be gone on with.
    Broken,
    /// A plan cannot be used.
    Plan {
        /// `not_a_plan`, `too_large`, `newer`, `grants`, `block`, `expired`, `elsewhere`, `carried_out`, `unfinished`,
        /// `other_member` (only who began its sweep may go on with it), `too_old` (nothing was done for its sweep for a day),
        /// `not_kept` (the app does not have the plan any more), `unreadable` (the file cannot be read).
        fault: String,
    },
    /// No change of the organization's policy can be made of this. Nothing was sent.
    Block {
        /// `incomplete_list` (one made of it would forbid what it lacks: read it again), `undecided` (decide about `app_ids`),
        /// `not_listed` (`app_ids` are not in the list any more), `unknown_kind` (an app of a type that is in neither part of the
        /// policy), `unknown_word` (the policy has a word that Stytch has not documented), `already_forbidden` (the policy forbids
        /// these apps and no grant of theirs is listed: there is nothing to do; `app_ids` are the vendor's own, left out),
        /// `already_forbidden_unread` (the same, but the own views of `app_ids` could not be read: they may have grants),
        /// `nothing_blocked` (the sweep has no block), `not_kept` (the app does not have that look any more: look again).
        fault: String,
        /// Which apps, 100 at the most.
        app_ids: Vec<String>,
    },
    /// Somebody has changed the organization's policy since: look again. Nothing was sent.
    PolicyChanged {
        /// What they changed.
        differs: Vec<PolicyDifference>,
    },
    /// The file that was chosen cannot be used: choose another.
    ChosenFile {
        /// `unreadable`; of indicators also `too_large`, `too_many`, `not_text`, `not_a_list`, `no_column`, `quotes`, `empty`.
        fault: String,
        /// The line of it that is at fault, from 1, where one can be told.
        line: Option<u32>,
        /// Else which of its list, from 1.
        entry: Option<u32>,
    },
    /// Another sweep is running, here or in another process.
    Busy {
        /// Its process id, when known.
        pid: Option<u32>,
    },
    /// A sweep of many runs in this app: pause it, or wait until it is done.
    SweepRunning {
        /// Which.
        sweep_id: Option<String>,
    },
    /// A step was asked for out of order.
    OutOfOrder,
    /// Sign-out could not reach the server. The session is still valid there.
    NotSignedOutAtServer(Problem),
}

/// Which field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The public token.
    PublicToken,
    /// The API base URL.
    BaseUrl,
    /// The e-mail address.
    Email,
    /// The organization's slug.
    OrganizationSlug,
    /// The one-time code.
    Code,
    /// A member's id.
    MemberId,
    /// A connected app's id.
    ConnectedAppId,
    /// An organization's id.
    OrganizationId,
    /// The app identifier.
    AppIdentifier,
    /// The SDK identifier.
    SdkIdentifier,
    /// The connection's id.
    ConnectionId,
    /// A rule of width.
    WidthRules,
    /// A filter or another part of a question to the inventory.
    Query,
    /// The number of a snapshot.
    Snapshot,
    /// What must be typed before a plan is carried out.
    Typed,
    /// The reason or ticket of a plan.
    Reason,
    /// A sweep's id.
    SweepId,
    /// The head of a pack or of its rows.
    Head,
    /// A come-back's id.
    ComeBackId,
    /// The words of a notification.
    Words,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is empty.
    Empty,
    /// It has the wrong shape.
    Malformed,
    /// Plain http to a host that is not loopback, or with a live token.
    PlainHttp,
    /// It carries a path, a query, a fragment or credentials.
    Extras,
    /// A secret was given where the public token belongs.
    Secret,
    /// It is `.` or `..`, which URLs fold away.
    Dots,
    /// It is too long.
    TooLong,
    /// There is no such thing.
    Unknown,
}

/// Facts of an answer, or of its absence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// HTTP status.
    pub status: Option<u16>,
    /// Stytch's `error_type`.
    pub error_type: Option<String>,
    /// Stytch's request id.
    pub request_id: Option<String>,
    /// The server's own words, trimmed; or what the network said.
    pub message: Option<String>,
    /// For an absent answer: `dns`, `refused`, `tls`, `timed_out`, `reset`, `other`.
    pub cause: Option<String>,
}

/// A permission that is missing, with what is needed to ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Denial {
    /// The missing action. `null`: Stytch documents none for this call.
    pub action: Option<String>,
    /// The resource it is missing on.
    pub resource: Option<String>,
    /// The roles of your session.
    pub your_roles: Vec<String>,
    /// The roles that hold the permission, by the policy.
    pub roles_that_hold_it: Vec<String>,
    /// When the policy was read.
    pub policy_read_at: Option<Utc>,
    /// Stytch's request id. `null`: said in advance, nothing was sent.
    pub request_id: Option<String>,
    /// Whether Stytch itself refused, or the app said so in advance.
    pub asked: bool,
}

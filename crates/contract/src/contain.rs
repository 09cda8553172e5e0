//! Containment: what blocking apps would change in the organization's policy, app by app, and how a block is lifted. A look lives in
//! Rust under its id; the page names the id and a window. Carrying it out is a plan and a sweep like any other.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Utc;
use crate::connected_apps::AppFace;
use crate::connections::Environment;
use crate::inventory::Missing;
use crate::members::MemberFace;
use crate::refusal::Denial;
use crate::sweeps::Sweep;

/// What is to be contained.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContainWhat {
    /// Apps by their ids, 200 at the most.
    Apps {
        /// Which.
        connected_app_ids: Vec<String>,
    },
    /// A group of look-alikes, those without any grant included.
    Group {
        /// Its id.
        group: String,
    },
    /// The apps that indicators named.
    Found {
        /// The finding's id.
        finding: String,
        /// Those too that only look like a name.
        look_alikes: bool,
    },
}

/// Whose apps a part of the policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// The vendor's own.
    FirstParty,
    /// All others.
    ThirdParty,
}

/// One part of the organization's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PolicyPart {
    /// Whose apps.
    pub kind: AppKind,
    /// `ALL_ALLOWED`, `RESTRICTED`, `NOT_ALLOWED`, or a word that Stytch has not documented.
    pub word: String,
    /// Apps in its list. The list counts only under `RESTRICTED`.
    pub listed: u32,
}

/// How one part of the policy differs from what it was expected to be, or is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PolicyDifference {
    /// Which part.
    pub kind: AppKind,
    /// The expected word, if it is another.
    pub word_from: Option<String>,
    /// The word that stands, if it is another.
    pub word_to: Option<String>,
    /// Apps that are in its list and were not expected there, 100 at the most.
    pub added: Vec<AppFace>,
    /// How many those are.
    pub added_total: u32,
    /// Apps that were expected in its list and are not there, 100 at the most.
    pub removed: Vec<AppFace>,
    /// How many those are.
    pub removed_total: u32,
}

/// What a containment means for one app of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ContainFate {
    /// It is blocked and its grants are revoked.
    Blocked,
    /// It stays allowed.
    Kept,
    /// It was forbidden before and stays so.
    Forbidden,
    /// It looks like another or like one to be blocked, is new, or was listed by an earlier reading and is not now, and somebody has to
    /// decide.
    Undecided,
}

/// Apps of one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FateCount {
    /// The fate.
    pub fate: ContainFate,
    /// How many.
    pub apps: u32,
}

/// What a containment would be, by the inventory that is shown and the policy as it was just read. Nothing was changed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ContainLook {
    /// What it is called by `contain_rows` and `contain_make`.
    pub look: String,
    /// In which organization.
    pub organization_name: String,
    /// Which kind of place.
    pub environment: Environment,
    /// The policy now: the vendor's own apps, then all others.
    pub before: Vec<PolicyPart>,
    /// What it would be, with every undecided app kept.
    pub after: Vec<PolicyPart>,
    /// Nothing has to be changed: the apps are forbidden already.
    pub unchanged: bool,
    /// Kinds of which apps that nobody has connected yet could no longer be connected.
    pub closes: Vec<AppKind>,
    /// Apps by what it means for them.
    pub fates: Vec<FateCount>,
    /// Apps that would be blocked.
    pub apps: u32,
    /// Grants that would be revoked.
    pub grants: u32,
    /// Members who would lose them.
    pub members: u32,
    /// Those of the apps to be blocked that the organization's list lacks.
    pub unlisted: Vec<ContainUnlisted>,
    /// Apps of the vendor's own that were asked for and left out.
    pub first_party_left_out: u32,
    /// Your own grants among those that would be revoked.
    pub own: u32,
    /// Grants of administrators among them: they go first.
    pub privileged: u32,
    /// What is missing from the inventory, and with it perhaps from the plan.
    pub missing: Vec<Missing>,
    /// When the inventory was read.
    pub read_at: Utc,
    /// The revokes are denied in advance.
    pub denied: Option<Denial>,
    /// The change of the policy is probably denied: Stytch documents no action for it, and no role of yours holds all of them. The
    /// grants can be revoked without it; members can consent again then.
    pub block_denied: Option<Denial>,
}

/// An app to be blocked that the organization's list lacks: the policy hides it, or nobody has connected it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ContainUnlisted {
    /// The app; without a name where nobody tells it.
    pub app: AppFace,
    /// When the last reading that listed it was finished. `null`: none did, and the block forbids this very id.
    pub known_at: Option<Utc>,
    /// In which part of the policy it is forbidden. `null`: in both.
    pub kind: Option<AppKind>,
    /// Whether anybody tells that it is of that kind. If not, it was taken to be.
    pub kind_told: bool,
}

/// Which apps of a look are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct ContainQuery {
    /// Only these fates; none: all.
    #[serde(default)]
    pub fates: Vec<ContainFate>,
    /// Words that must all occur in a name or an id.
    #[serde(default)]
    pub text: String,
    /// First row, from 0.
    pub offset: u32,
    /// At most this many rows, 1000 at the most.
    pub count: u32,
}

/// One app of the list.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ContainRow {
    /// The app.
    pub app: AppFace,
    /// What becomes of it.
    pub fate: ContainFate,
    /// It is flagged beside others that it looks like.
    pub odd: bool,
    /// It is new since the reading that new ones are told by.
    pub new: bool,
    /// It has the name of one to be blocked, or one that looks like it.
    pub like: bool,
    /// The list lacks it now.
    pub unlisted: bool,
    /// When the last reading that listed it was finished, where the list lacks it now. `null`: the list has it, or none ever had.
    pub known_at: Option<Utc>,
    /// Grants it has. They are revoked only if it is blocked.
    pub grants: u32,
}

/// A window of a look's apps, in the order of the organization's list; those that it lacks come last.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ContainRows {
    /// The rows from `offset` on.
    pub rows: Vec<ContainRow>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
}

/// What somebody decided about an app that looks like another, is new, or is not listed now.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ContainDecision {
    /// Which app.
    pub connected_app_id: String,
    /// What is to become of it.
    pub choice: ContainChoice,
}

/// What is to become of such an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ContainChoice {
    /// It stays allowed.
    Keep,
    /// It is blocked too, and its grants are revoked.
    Block,
    /// It is forbidden too, and the grants it has are left alone.
    LeaveOut,
}

/// The block of a plan.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct PlanBlock {
    /// Apps that are blocked, 100 at the most.
    pub apps: Vec<AppFace>,
    /// How many.
    pub apps_total: u32,
    /// Apps that were kept by a decision.
    pub kept: u32,
    /// Apps that were left out of the list by a decision: forbidden, with the grants they have left alone.
    pub left_out: u32,
    /// The policy it was made for: any other stops it.
    pub before: Vec<PolicyPart>,
    /// What the policy is to be.
    pub after: Vec<PolicyPart>,
    /// Nothing has to be changed: the apps are forbidden already.
    pub unchanged: bool,
    /// The change of the policy is probably denied.
    pub block_denied: Option<Denial>,
}

/// What a sweep did to the organization's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SweepPolicy {
    /// The last read shows every app of the block forbidden: the last of this sweep, or of any other there.
    pub in_force: bool,
    /// They are forbidden, and not by this sweep: its own change was lifted or refused, or nothing of it is left.
    pub theirs: bool,
    /// The change was refused.
    pub denied: bool,
    /// The block was lifted since.
    pub lifted: bool,
    /// The change was sent, or was about to be, and nobody has read the policy since.
    pub unread: bool,
    /// Members can consent again, as far as the last read tells; false where nobody has read it.
    pub can_consent_again: bool,
    /// Somebody else had changed the policy before anything was sent, so nothing was: look again.
    pub overtaken: bool,
    /// There is something that `lift_look` can look at.
    pub liftable: bool,
    /// Apps that it forbids.
    pub apps: u32,
    /// Stytch's id of the last change that was answered.
    pub request_id: Option<String>,
    /// When that was answered.
    pub at: Option<Utc>,
    /// When the read that it is told by began.
    pub read_at: Option<Utc>,
    /// The policy before; empty when it was never to be changed.
    pub before: Vec<PolicyPart>,
    /// What it was to be.
    pub after: Vec<PolicyPart>,
}

/// Which grants beside a sweep's outcomes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SweepPart {
    /// Those in no plan that vanished meanwhile.
    Collateral,
    /// Those of the plan that were listed again after the block was lifted.
    Returned,
    /// Those of its apps in no plan that its last run in this window still saw listed: nothing was sent for them.
    Beside,
}

/// A grant by who and what.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct FacePair {
    /// Whose.
    pub member: MemberFace,
    /// To which app.
    pub app: AppFace,
}

/// A window of those.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct FacePairs {
    /// The rows from `offset` on.
    pub rows: Vec<FacePair>,
    /// Rows there are.
    pub total: u32,
}

/// How a block can be lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LiftWay {
    /// The policy stands as the block left it: the former one is restored exactly.
    Exact,
    /// Somebody has changed it since: only what the block did can be taken back.
    Changed,
    /// Nothing of the block is left in it: the grants are only read again.
    Nothing,
}

/// What lifting a block would be, by the policy as it was just read. Nothing was changed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LiftLook {
    /// The sweep that blocked.
    pub sweep_id: String,
    /// In which organization.
    pub organization_name: String,
    /// How.
    pub way: LiftWay,
    /// The policy before the block.
    pub before: Vec<PolicyPart>,
    /// The policy that the block made.
    pub after: Vec<PolicyPart>,
    /// The policy as it stands.
    pub now: Vec<PolicyPart>,
    /// What the policy would be.
    pub to: Vec<PolicyPart>,
    /// What somebody has changed since the block.
    pub differs: Vec<PolicyDifference>,
    /// What the lifting would change: apps in `added` could be consented to again.
    pub changes: Vec<PolicyDifference>,
    /// Grants of which nobody can tell, and that no revoke was answered for: they may come back.
    pub hidden: u32,
    /// Grants that no revoke was ever sent for: they are as they were.
    pub not_attempted: u32,
    /// Grants whose revoke was answered and whose end no read could show: they should not come back.
    pub accepted: u32,
    /// Other sweeps whose blocks would be gone with it, as far as they are of the same apps.
    pub beside: Vec<String>,
    /// The change is probably denied.
    pub block_denied: Option<Denial>,
}

/// What a lifting came to.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Lifted {
    /// The sweep as it now is; the grants that returned are counted in it.
    pub sweep: Sweep,
    /// What somebody else had changed; it was left as it is.
    pub differs: Vec<PolicyDifference>,
    /// The change of the policy was refused, or what it came to is not known.
    pub not_lifted: bool,
    /// Nothing of the block was left in the policy.
    pub nothing_to_lift: bool,
}

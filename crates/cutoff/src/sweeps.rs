//! Sweeps of many: a plan made of what is selected, its carrying out, and what came of each grant. The engine is the one that
//! carries out a single revoke; here stands what a plan of many needs around it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use journal::{Body, Clock, Connection, Failure, Hash, Note, Purpose, RowDraft, StoredRow, SweepId};
use serde::{Deserialize, Serialize};
use stytch_b2b::{ClientType, ConnectedAppId, MemberId};
use tokio::sync::watch;
use uuid::Uuid;

use crate::activity::{Resume, Stand};
use crate::clock::{millis_between, rfc3339};
use crate::desk::Desk;
use crate::directory::Directory;
use crate::error::Error;
use crate::inventory::picture::{Cause, Facts, Missing, Names, Picture, What as Lacks, u32_of};
use crate::inventory::selection::Selection;
use crate::inventory::shown::{Shown, place_of};
use crate::permission::Denial;
use crate::plan::Item;
use crate::plan_file::{Pair, PlanFile, Unusable};
use crate::policy::{Block, Kind, Refused, State, Undo, differences, forbids, in_force, undo};
use crate::revoke::{self, allowance, known_apps};
use crate::session::Session;
use crate::sweep::beside::{self, Unseen};
use crate::sweep::change::{Blocking, Changes, LIFTING, Turned};
use crate::sweep::engine::{Ended, Engine, Held, PATIENT, Progress, Watched, blocking};
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Outcome, Rules, Why, refused};
use crate::sweep::{Manner, Observer, Step, Wish};

/// The role that every project has for administrators.
const ADMIN: &str = "stytch_admin";

/// What a plan is made of.
#[derive(Clone, Debug)]
pub enum What {
    /// A rule over one of the lists.
    Selected(Selection),
    /// Exact pairs, whether the picture has them or not.
    Pairs(Vec<Pair>),
}

/// A plan before it is carried out: what it would do, and to whom.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The plan.
    pub file: PlanFile,
    /// Apps in it.
    pub apps: u32,
    /// Members in it.
    pub members: u32,
    /// Grants of the vendor's own apps that were left out: revoking them may break its command line or mobile app.
    pub first_party_left_out: u32,
    /// Grants of the vendor's own apps that are in it.
    pub first_party: u32,
    /// Your own grants in it.
    pub own: u32,
    /// Grants of administrators in it, which go first.
    pub privileged: u32,
    /// How many administrators those are.
    pub privileged_members: u32,
    /// Ids of the selection that the picture does not have.
    pub lost: u32,
    /// Grants in it that the picture does not have, nor any reading of this journal had.
    pub never_seen: Vec<Pair>,
    /// Grants in it that are listed now, by the picture or by the own view of their app. The others are sent their revoke all the same,
    /// unless a read before shows them gone.
    pub listed: u32,
    /// What the picture it was made of lacks. Never empty when grants may be missing from the plan.
    pub missing: Vec<Missing>,
    /// When the picture was read.
    pub read_at: Timestamp,
    /// Denied in advance.
    pub denied: Option<Denial>,
}

/// What carrying out a plan is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Apply {
    /// Goes on with an unfinished sweep of the plan.
    pub resume: bool,
    /// Sends one, then five, then the rest.
    pub canary: bool,
    /// Sends although the policy, as last read, says no.
    pub ask_anyway: bool,
    /// Requests at once; the desk's own when left out.
    pub concurrency: Option<usize>,
    /// Revokes and reads first and blocks then: for a plan with a block where proof matters more than the minute between.
    pub block_last: bool,
}

/// One grant of a sweep, as a line tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// For [`Outcome::Accepted`].
    pub why: Option<Why>,
    /// How many requests left for it, or may have.
    pub attempts: u32,
    /// Nothing was sent for it, and it is not known to be gone.
    pub never_sent: bool,
    /// The request id of the answer that counts.
    pub request_id: Option<String>,
    /// The HTTP status of that answer.
    pub status: Option<u16>,
    /// Its `error_type`.
    pub error_type: Option<String>,
    /// Why no usable answer came.
    pub failure: Option<Failure>,
    /// The last read that looked for it, RFC 3339.
    pub read_again_at: Option<String>,
    /// When the last read that told whether it is listed began.
    pub told_at: Option<Timestamp>,
    /// When the first of the complete reads that lack it began, if the last of them lacks it.
    pub gone_at: Option<Timestamp>,
}

impl Line {
    /// Whose, and to which app.
    #[must_use]
    pub fn pair(&self) -> (MemberId, ConnectedAppId) {
        (MemberId::from(self.member_id.as_str()), ConnectedAppId::from(self.connected_app_id.as_str()))
    }

    /// Whether another request may still help. Not of what a read showed to be gone, nor of what was answered and cannot be proven: of
    /// that only reads can tell more.
    #[must_use]
    pub fn may_be_sent_again(&self) -> bool {
        use Outcome::{Denied, Failed, Hidden, StillThere, Unknown};
        matches!(self.outcome, Denied | Failed | StillThere | Hidden | Unknown)
    }
}

/// A sweep as a whole.
#[derive(Debug)]
pub struct SweepReport {
    /// Which.
    pub id: SweepId,
    /// Its head, hexadecimal.
    pub head: String,
    /// How the run ended; `None` for one that is only looked at.
    pub ended: Option<Ended>,
    /// Grants by outcome.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Every grant, in the order of the plan.
    pub lines: Vec<Line>,
    /// Whether it has a closing row.
    pub closed: bool,
    /// What was done to the organization's policy; `None` for a plan without a block.
    pub policy: Option<PolicyReport>,
    /// Grants in no plan that vanished meanwhile; `None`: nobody looked, or of some it could not be seen and of no other it was.
    pub collateral: Option<Vec<Pair>>,
    /// Apps of which it could not be seen whether grants in no plan vanished.
    pub unseen: Vec<Unseen>,
    /// Grants of the plan that were listed again after the block was lifted.
    pub returned: Vec<Pair>,
    /// Grants in no plan that the last re-reads of a run listed to its apps: nothing was sent for them. Of a sweep that is only looked
    /// at nobody tells.
    pub listed_beside: Vec<Pair>,
    /// Until about when tokens issued before may be accepted, if the vendor kept Stytch's lifetime.
    pub tokens_until: Option<Timestamp>,
}

/// What a sweep did to the organization's policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReport {
    /// The last read shows every app of the block forbidden: the last of this sweep, or of any other of this journal there.
    pub in_force: bool,
    /// They are forbidden, and not by this sweep: its own change was lifted or refused, or nothing of it is left in the policy.
    pub theirs: bool,
    /// The change was refused.
    pub denied: bool,
    /// The change was sent, or was about to be, and nobody has read the policy since.
    pub unread: bool,
    /// The block was lifted since.
    pub lifted: bool,
    /// Somebody else had changed the policy before anything was sent, so nothing was.
    pub overtaken: bool,
    /// The apps it is to forbid.
    pub forbids: Vec<ConnectedAppId>,
    /// The policy before.
    pub before: Option<State>,
    /// What it was to be.
    pub after: Option<State>,
    /// The request id of the last answer to the block, or of the one by which it was lifted.
    pub request_id: Option<String>,
    /// When that was answered, RFC 3339.
    pub at: Option<String>,
    /// When the read that it is told by began, RFC 3339.
    pub read_at: Option<String>,
    own: Own,
}

/// What a sweep's own rows tell of the policy, for what other sweeps read later to be laid over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    apps: Vec<(ConnectedAppId, Kind)>,
    /// Its last read.
    read: Option<Seen>,
    /// When it last read or changed the policy; `None`: never.
    last: Option<Clock>,
    /// When it was about to block, for the last time.
    made: Option<Clock>,
    /// Since when what is in force may be its own: since then, or where nothing was changed, since it first read the policy.
    since: Option<Clock>,
    /// Its last read showed every app forbidden.
    in_force: bool,
}

/// The policy as it was read, and when that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) began: Clock,
    pub(crate) state: State,
}

/// What was read of a place's policy last, by whichever sweep or watch, as it bears on one sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) seen: Seen,
    /// Another sweep has blocked since, over a policy in which nothing of this sweep's block was left.
    pub(crate) retaken: bool,
}

/// What became of a block: one rule for everything that words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockStand {
    /// The policy had been changed before anything was sent, so nothing was.
    Overtaken,
    /// It was lifted or refused, or others have changed the policy over it, and the policy forbids every app of it all the same.
    Theirs,
    /// The policy forbids every app of the block, and did before it: nothing was changed.
    ForbiddenBefore,
    /// It is in force by a later read of the policy.
    InForce,
    /// It was lifted.
    Lifted,
    /// Its change of the policy was refused.
    Denied,
    /// It was sent, or was about to be, and nobody has read the policy since.
    Unread,
    /// It is not in force.
    NotInForce,
}

impl Seen {
    /// Where the last read of a place's policy that no sweep made is kept in the journal.
    pub(crate) fn key(connection: &Connection) -> String {
        let Connection { scheme, host, port, organization_id, .. } = connection;
        format!("policy_seen:{scheme}://{host}:{port}:{organization_id}")
    }

    /// Whether it began after the other.
    pub(crate) fn is_later_than(&self, other: &Self) -> bool {
        millis_between(&other.began, &self.began) > 0
    }
}

impl PolicyReport {
    /// What became of the block.
    #[must_use]
    pub fn stand(&self) -> BlockStand {
        match self {
            Self { overtaken: true, .. } => BlockStand::Overtaken,
            Self { theirs: true, .. } => BlockStand::Theirs,
            Self { in_force: true, before: None, .. } => BlockStand::ForbiddenBefore,
            Self { in_force: true, .. } => BlockStand::InForce,
            Self { lifted: true, .. } => BlockStand::Lifted,
            Self { denied: true, .. } => BlockStand::Denied,
            Self { unread: true, .. } => BlockStand::Unread,
            _ => BlockStand::NotInForce,
        }
    }

    /// Whether members can consent again: the last read of the policy does not show it in force, and is of after all that was done.
    #[must_use]
    pub fn can_consent_again(&self) -> bool {
        !self.in_force && !self.unread
    }

    /// Since when what is in force may be this sweep's.
    pub(crate) fn since(&self) -> Option<&Clock> {
        self.own.since.as_ref()
    }

    /// The last read of the policy in this sweep's own rows.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.own.read.as_ref()
    }

    /// Whether this sweep blocked after another one had, over a policy in which nothing of the other's block was left: what is in force
    /// since is not the other's, however alike the two are.
    pub(crate) fn retook(&self, other: &Self) -> bool {
        let (Some(made), Some(found), Some(since)) = (&self.own.made, &self.before, &other.own.since) else {
            return false;
        };
        let is_forbidden =
            |state: &State, (app, kind): &(ConnectedAppId, Kind)| forbids(state, app, Some(*kind)) == Some(true);
        let before = other.before.as_ref();
        let mut forbade =
            other.own.apps.iter().filter(|app| !before.is_some_and(|before| is_forbidden(before, app))).peekable();
        millis_between(since, made) > 0 && forbade.peek().is_some() && !forbade.any(|app| is_forbidden(found, app))
    }

    /// The same by what another sweep read, if that was later than everything that this one read or did.
    #[must_use]
    pub(crate) fn told_by(self, since: &Since) -> Self {
        let seen = &since.seen;
        let is_later = self.own.last.as_ref().is_some_and(|last| millis_between(last, &seen.began) > 0);
        if !is_later {
            return Self { theirs: self.theirs || self.in_force && since.retaken, ..self };
        }
        let in_force = in_force(&seen.state, &self.own.apps);
        let theirs = in_force && (since.retaken || self.is_theirs(&seen.state));
        Self { in_force, theirs, unread: false, read_at: Some(seen.began.utc.to_string()), ..self }
    }

    /// Whether a policy that forbids the apps does so without this sweep.
    fn is_theirs(&self, state: &State) -> bool {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                self.lifted || self.denied || nothing_left(before, after, &self.own.apps, state)
            }
            // Nothing was changed for it: they were forbidden before, or have been since.
            _ => !self.own.in_force,
        }
    }
}

/// Whether a policy has nothing in it that taking a change back would take out.
fn nothing_left(before: &State, after: &State, apps: &[(ConnectedAppId, Kind)], state: &State) -> bool {
    match undo(before, after, apps, state) {
        Undo::Exact(_) => false,
        Undo::Nothing => true,
        Undo::Changed { merged, .. } => differences(&merged, state).is_empty(),
    }
}

impl Proposal {
    /// A plan with what the picture that is shown tells of it.
    pub(crate) fn of(file: PlanFile, session: &Session, shown: &Shown) -> Self {
        let picture = &shown.picture;
        let count = |test: &dyn Fn(&Pair) -> bool| u32_of(file.grants.iter().filter(|pair| test(pair)).count());
        Self {
            apps: u32_of(file.grants.iter().map(|pair| &pair.connected_app_id).collect::<HashSet<_>>().len()),
            members: u32_of(file.grants.iter().map(|pair| &pair.member_id).collect::<HashSet<_>>().len()),
            first_party_left_out: 0,
            first_party: count(&|pair| is_first_party(picture, pair)),
            own: count(&|pair| session.is_self(&pair.member_id)),
            privileged: count(&|pair| is_privileged(picture, pair)),
            privileged_members: u32_of(
                file.grants
                    .iter()
                    .filter(|pair| is_privileged(picture, pair))
                    .map(|pair| &pair.member_id)
                    .collect::<HashSet<_>>()
                    .len(),
            ),
            lost: 0,
            never_seen: Vec::new(),
            listed: count(&|pair| picture.grant(&pair.member_id, &pair.connected_app_id).is_some()),
            missing: picture.facts.missing.clone(),
            read_at: picture.facts.ended,
            denied: denial(session, &file.grants),
            file,
        }
    }
}

fn is_first_party(picture: &Picture, pair: &Pair) -> bool {
    picture.app(&pair.connected_app_id).is_some_and(|app| picture.apps[app as usize].first_party())
}

fn is_privileged(picture: &Picture, pair: &Pair) -> bool {
    let known = picture.member(&pair.member_id).and_then(|at| picture.members[at as usize].known.as_ref());
    known.is_some_and(|known| known.roles.iter().any(|role| role == ADMIN))
}

impl Desk {
    /// What revoking a selection would be, by the picture that is shown. Administrators' grants come first, then the widest.
    ///
    /// # Errors
    /// [`Error::NothingRead`], [`Error::SignedOut`]; [`Error::Plan`] when nothing is left to revoke.
    pub async fn propose(
        &self,
        what: &What,
        first_party: bool,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Proposal, Error> {
        let shown = self.shown().await?;
        let (found, lost) = pairs(what, &shown);
        let proposal = self.propose_pairs(&shown, found, first_party, None, reason, now).await?;
        Ok(Proposal { lost, ..proposal })
    }

    /// What revoking some grants, and blocking what `block` says, would be.
    pub(crate) async fn propose_pairs(
        &self,
        shown: &Shown,
        mut found: Vec<Pair>,
        first_party: bool,
        block: Option<Block>,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Proposal, Error> {
        let (session, _) = self.seated()?;
        let picture = &shown.picture;
        let before = found.len();
        if !first_party {
            found.retain(|pair| !is_first_party(picture, pair));
        }
        let first_party_left_out = u32_of(before - found.len());
        let level = |pair: &Pair| {
            picture.grant(&pair.member_id, &pair.connected_app_id).map_or(0, |grant| picture.scopes(grant).width.level)
        };
        // A stable sort: within each kind the order of the picture stays.
        found.sort_by_key(|pair| (!is_privileged(picture, pair), std::cmp::Reverse(level(pair))));
        let file = PlanFile::with_block(&session, found, block, reason, now)?;
        let never_seen = self.never_seen(&file, picture).await?;
        Ok(Proposal { first_party_left_out, never_seen, ..Proposal::of(file, &session, shown) })
    }

    /// Grants of a plan that neither the picture has nor any reading of this journal had.
    pub(crate) async fn never_seen(&self, file: &PlanFile, picture: &Picture) -> Result<Vec<Pair>, Error> {
        let unlisted: Vec<Pair> = file
            .grants
            .iter()
            .filter(|pair| picture.grant(&pair.member_id, &pair.connected_app_id).is_none())
            .cloned()
            .collect();
        self.never_listed(&file.organization_id, &unlisted).await
    }

    /// Those of some grants that no reading of this journal had. That such a grant is not listed now says nothing of whether it
    /// ever was there: its ids may be wrong.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn never_listed(&self, organization_id: &str, pairs: &[Pair]) -> Result<Vec<Pair>, Error> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let ids = pairs.iter().map(|pair| (pair.member_id.to_string(), pair.connected_app_id.to_string()));
        let (journal, organization_id, ids) =
            (self.journal.clone(), organization_id.to_owned(), ids.collect::<Vec<_>>());
        let never = blocking(move || journal.never_listed(&organization_id, &ids)).await?;
        let pair = |(member, app): (String, String)| Pair {
            member_id: MemberId::from(member.as_str()),
            connected_app_id: ConnectedAppId::from(app.as_str()),
        };
        Ok(never.into_iter().map(pair).collect())
    }

    /// Carries a plan out: reads its apps again, revokes what is still there, reads again until each outcome is known. Returns
    /// when everything is at rest, or when it was stopped; then it can be resumed.
    ///
    /// # Errors
    /// Before anything is sent: [`Error::Plan`], [`Error::SignedOut`], [`Error::NotAllowed`], [`Error::Busy`],
    /// [`Error::Journal`]. After: [`Error::JournalAfterSending`].
    pub async fn apply(
        &self,
        plan: &PlanFile,
        how: &Apply,
        wish: watch::Receiver<Wish>,
        progress: watch::Sender<Progress>,
        observer: Option<&Observer>,
    ) -> Result<SweepReport, Error> {
        let _one_at_a_time = self.sweeping.lock().await;
        let (session, directory) = self.seated()?;
        let now = self.clock.now().utc;
        session.freshen_policy(now).await;
        plan.fits(&session, now).map_err(Error::Plan)?;
        if let Some(denied) = denial(&session, &plan.grants)
            && !how.ask_anyway
        {
            return Err(Error::NotAllowed(Box::new(denied)));
        }
        let observer = observer.unwrap_or(&self.observer);
        let hash = plan.hash();
        let manner = Manner { patient: true, canary: how.canary, again_only: false };
        let watched = Watched { wish, progress };
        let pace = match how.concurrency {
            Some(concurrency) => crate::sweep::Pace { concurrency: concurrency.max(1), ..self.pace.clone() },
            None => self.pace.clone(),
        };
        // Two processes that are handed one plan, or an edited copy of it, must not both find that nobody has begun it.
        let run = SweepId(Uuid::new_v5(&Uuid::NAMESPACE_OID, plan.run_id.as_bytes()));
        let _one_of_a_run = self.lock(run).await?;
        self.is_first_of_its_run(plan).await?;
        let (id, lock, fresh) = match self.sweep_of(&hash).await? {
            Some((_, true)) => return Err(Error::Plan(Unusable::CarriedOut)),
            Some((_, false)) if !how.resume => return Err(Error::Plan(Unusable::Unfinished)),
            Some((id, false)) => {
                let digest = self.digest(id).await?;
                self.must_be_current(id).await?;
                match self.may_resume(&digest, &session) {
                    Resume::Yes => {}
                    Resume::OtherMember => return Err(Error::Plan(Unusable::OtherMember)),
                    _ => return Err(Error::Plan(Unusable::TooOld)),
                }
                (id, self.lock(id).await?, false)
            }
            None => {
                let id = SweepId::random();
                (id, self.lock(id).await?, true)
            }
        };
        // What is in no plan and vanishes with the block can only be told by what was there before.
        let before = match &plan.block {
            Some(_) => self.shown().await.ok().and_then(|shown| shown.picture.facts.snapshot),
            None => None,
        };
        let mut held = Held::unread(id, lock);
        if fresh {
            // Kept before anything of it is done, so that it can be gone on with after a crash, without its file.
            self.keep_plan(plan).await?;
            self.use_run(plan).await?;
            held.rows = self.open_many(&session, &directory, plan, id, hash, how.block_last).await?;
            observer(Step::Opened);
        }
        let mut engine = self.engine_with(&session, &directory, observer, held, &pace, manner, watched).await?;
        if !fresh {
            engine.note("resumed", &revoke::who(&session)).await?;
        }
        let ended = self.carry_out(&mut engine, plan, before).await;
        let (sent, listed_beside) = (engine.has_sent(), engine.listed_beside());
        let rows = engine.into_rows();
        self.note_head(&session).await;
        let after = |error| if sent { after_sending(error) } else { error };
        let over = match &ended {
            Err(Error::PolicyChanged(_)) => true,
            Err(Error::Block(refused)) => *refused != Refused::IncompleteList,
            _ => false,
        };
        if over {
            self.forget_plan(&hash).await?;
            // A copy that somebody spoilt must not keep the plan itself from being carried out.
            if !rows.all().iter().any(|row| matches!(row.body, Body::Intent(_) | Body::PolicyIntent(_))) {
                self.free_run(plan).await?;
            }
        }
        let ended = ended.map_err(after)?;
        if let Ended::SessionEnded(error) = &ended {
            // Whether it really is over is asked once; the sweep can be taken up after signing in again.
            let _ = self.judge(&session, error.clone()).await;
        }
        let report = self.report_of(id, rows).await.map_err(after)?;
        if report.closed {
            self.forget_plan(&hash).await.map_err(after)?;
        }
        self.forget_gone(&session, &directory, &report.lines);
        Ok(SweepReport { ended: Some(ended), listed_beside, ..report })
    }

    /// Reads, blocks and sweeps, in the order that the sweep was begun with.
    async fn carry_out(&self, engine: &mut Engine<'_>, plan: &PlanFile, before: Option<u32>) -> Result<Ended, Error> {
        // What another admin or an earlier run has done since is read before anything is sent.
        let read = engine.read_once().await?;
        if !matches!(read, Ended::AtRest) {
            return Ok(read);
        }
        let Some(block) = &plan.block else { return engine.run(true).await };
        if let Some(ended) = engine.check_block(block).await? {
            return Ok(ended);
        }
        let last = engine.blocking().is_some_and(|blocking| blocking.last);
        if !last && let Some(ended) = self.block(engine, block).await? {
            return Ok(ended);
        }
        let ended = engine.run(true).await?;
        if !matches!(ended, Ended::AtRest) {
            return Ok(ended);
        }
        if last && let Some(ended) = self.block(engine, block).await? {
            return Ok(ended);
        }
        // Whether members can consent again is told by the policy as it is once everything is done.
        engine.read_policy().await?;
        self.look_beside(engine, plan, before).await?;
        engine.close().await?;
        Ok(Ended::AtRest)
    }

    /// Blocks; answers why the sweep does not go on, if it does not.
    async fn block(&self, engine: &mut Engine<'_>, block: &Block) -> Result<Option<Ended>, Error> {
        match engine.block(block).await? {
            Some(Turned::Changed(differs)) => Err(Error::PolicyChanged(differs)),
            Some(Turned::Ended(ended)) => Ok(Some(ended)),
            // Denied or not in force: the grants are revoked all the same, and the report says what that is worth.
            Some(Turned::Settled(_)) | None => Ok(None),
        }
    }

    /// Reads the inventory again and writes down what vanished and is in no plan.
    async fn look_beside(&self, engine: &mut Engine<'_>, plan: &PlanFile, before: Option<u32>) -> Result<(), Error> {
        // Whoever takes a sweep up again compares with what was there when it began, and not with what its block has left.
        let Some(before) = engine.first_snapshot().or(before) else { return Ok(()) };
        if let Err(error) = self.read_inventory(&|_| ()).await {
            tracing::warn!(%error, "what else vanished was not looked for");
            return Ok(());
        }
        let Some(after) = self.shown().await?.picture.facts.snapshot else { return Ok(()) };
        if after <= before {
            return Ok(());
        }
        let (shown, _) = match self.changes(before, after).await {
            Ok(changes) => changes,
            // Somebody has it forgotten meanwhile, perhaps. That is no reason to leave a sweep open whose grants are settled.
            Err(error) => {
                tracing::warn!(%error, "what else vanished was not looked for");
                return Ok(());
            }
        };
        let planned: HashSet<&Pair> = plan.grants.iter().collect();
        let vanished: Vec<Pair> = shown
            .picture
            .gone
            .iter()
            .map(|gone| Pair { member_id: gone.member.clone(), connected_app_id: gone.app.clone() })
            .filter(|pair| !planned.contains(pair))
            .collect();
        // What could not be read is not said to be as it was: the policy may hide it now.
        let mut untold: Vec<ConnectedAppId> = Vec::new();
        for app in shown.picture.facts.missing.iter().filter_map(|missing| missing.what.app()) {
            let is_planned = plan.grants.iter().any(|pair| pair.connected_app_id == *app);
            if !is_planned && !untold.contains(app) {
                untold.push(app.clone());
            }
        }
        let journal = self.journal.clone();
        let before = blocking(move || journal.snapshot(before)).await?;
        engine.look_beside(vanished, &untold, &before).await
    }

    /// The sweep that carries a plan out, and whether it is over: closed, or called off, which sends nothing more although it may
    /// have no closing row.
    pub(crate) async fn sweep_of(&self, hash: &Hash) -> Result<Option<(SweepId, bool)>, Error> {
        let (journal, hash) = (self.journal.clone(), *hash);
        let Some(id) = blocking(move || Ok(journal.sweeps_of_plan(&hash)?.pop())).await? else { return Ok(None) };
        Ok(Some((id, matches!(self.digest(id).await?.stand, Stand::Closed | Stand::Cancelled))))
    }

    async fn open_many(
        &self,
        session: &Session,
        directory: &Directory,
        plan: &PlanFile,
        id: SweepId,
        hash: Hash,
        block_last: bool,
    ) -> Result<Vec<StoredRow>, Error> {
        let shown = self.shown().await.ok();
        let mut items: Vec<Item> =
            plan.grants.iter().map(|pair| item(pair, session, directory, shown.as_deref())).collect();
        // Whether the policy forbids an app can only be told by its kind, and a hidden one is in no list.
        if items.iter().any(|item| item.client_type.is_none()) {
            let (journal, place) = (self.journal.clone(), place_of(session));
            let once = blocking(move || journal.once_listed(&place, &HashSet::new())).await?;
            for item in items.iter_mut().filter(|item| item.client_type.is_none()) {
                if let Some(app) = once.iter().find(|app| app.connected_app_id == item.connected_app_id.as_str()) {
                    item.client_type = Some(ClientType::from(app.client_type.clone()));
                    item.app_name.get_or_insert_with(|| app.name.clone());
                }
            }
        }
        let clock = self.clock.now().stamp();
        let mut opening = revoke::opening(session, hash, id, clock.clone())?;
        opening.reason.clone_from(&plan.reason);
        let (grants, people) = revoke::drafts(&items);
        let apps: HashSet<&ConnectedAppId> = plan.grants.iter().map(|pair| &pair.connected_app_id).collect();
        let note = |what: &str| Body::Note(Note { what: what.to_owned(), detail: BTreeMap::new() });
        let known = shown.iter().flat_map(|shown| &shown.picture.apps).map(|app| app.id.clone());
        let first: Vec<RowDraft> = known_apps(directory, known, &apps)
            .into_iter()
            .chain(shown.as_deref().map(|shown| inventory_note(&shown.picture.facts, &shown.picture)))
            .chain([note(PATIENT), note("look_first")])
            .chain(plan.block.as_ref().map(|block| {
                let named = || block.apps.iter().chain(&block.kept).chain(&block.left_out);
                let lacks = |picture: &Picture| named().filter(|id| picture.app(id).is_none()).cloned().collect();
                let unlisted: Vec<ConnectedAppId> =
                    shown.as_deref().map_or_else(Vec::new, |shown| lacks(&shown.picture));
                Body::Note(Blocking::note(block, block_last, &unlisted))
            }))
            .map(|body| RowDraft { clock: clock.clone(), body })
            .collect();
        let journal = self.journal.clone();
        let opened = blocking(move || journal.open_sweep_with(&opening, &grants, &people, &first)).await?;
        self.mark_begun(id);
        Ok(opened.stored)
    }

    /// A sweep as its rows tell it.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn sweep_report(&self, id: SweepId) -> Result<SweepReport, Error> {
        self.report_of(id, Rows::default()).await
    }

    /// The same, by rows that are known already; the journal is read again if it has others by now.
    async fn report_of(&self, id: SweepId, known: Rows) -> Result<SweepReport, Error> {
        let (journal, rules) = (self.journal.clone(), self.rules);
        let report = blocking(move || {
            let summary = journal.summary(id)?;
            if known.all().len() as u64 == summary.rows {
                return Ok(report(id, summary.head, &known, &rules));
            }
            // Rows may have come since the summary: the head is that of the rows that are judged.
            let stored = journal.rows(id)?;
            let head = stored.last().map_or(summary.head, |row| row.hash);
            Ok(report(id, head, &Rows::new(stored.into_iter().map(|stored| stored.row)), &rules))
        })
        .await?;
        let policy = match report.policy {
            Some(policy) => Some(self.by_the_last_read(id, policy).await?),
            None => None,
        };
        Ok(SweepReport { policy, ..report })
    }

    /// Takes what a sweep found gone out of the picture and the lists.
    pub(crate) fn forget_gone(&self, session: &Session, directory: &Directory, lines: &[Line]) {
        let mut gone = Vec::new();
        for line in lines {
            let (member, app) = line.pair();
            directory.outlived(&member, &app, line.gone_at.is_some());
            gone.extend(line.gone_at.map(|at| (member, app, at)));
        }
        self.grants_are_gone(session, gone);
    }
}

fn report(id: SweepId, head: Hash, rows: &Rows, rules: &Rules) -> SweepReport {
    let mut outcomes: BTreeMap<Outcome, u32> = BTreeMap::new();
    let mut lines = Vec::with_capacity(rows.grants().len());
    let mut tokens_until = None;
    for (finding, grant) in verdict::findings(rows, rules).into_values().zip(rows.grants()) {
        *outcomes.entry(finding.outcome).or_default() += 1;
        tokens_until = tokens_until.max(finding.tokens_until().map(|at| at.timestamp()));
        let answer = finding.answer.as_ref().map(|(answer, _)| answer);
        lines.push(Line {
            member_id: grant.member_id.clone(),
            connected_app_id: grant.connected_app_id.clone(),
            outcome: finding.outcome,
            why: finding.why,
            attempts: finding.attempts,
            never_sent: finding.never_sent(),
            request_id: answer.and_then(|answer| answer.request_id.clone()),
            status: answer.and_then(|answer| answer.status),
            error_type: answer.and_then(|answer| answer.error_type.clone()),
            failure: answer.and_then(|answer| answer.failure),
            read_again_at: finding.last_read.as_ref().map(|read| read.began.utc.to_string()),
            told_at: finding.last_told.as_ref().map(|at| at.utc.timestamp()),
            gone_at: finding.gone.as_ref().map(|at| at.utc.timestamp()),
        });
    }
    let policy = policy_report(rows);
    SweepReport {
        id,
        head: head.to_string(),
        ended: None,
        outcomes,
        lines,
        closed: rows.all().iter().any(|row| matches!(row.body, Body::Closing(_))),
        policy,
        collateral: beside::collateral(rows),
        unseen: beside::unseen(rows),
        returned: returned(rows),
        listed_beside: Vec::new(),
        tokens_until,
    }
}

/// What the rows tell of the policy; `None` for a sweep that blocks nothing.
pub(crate) fn policy_report(rows: &Rows) -> Option<PolicyReport> {
    let blocking = Blocking::of(rows)?;
    let changes = Changes::of(rows.all());
    let blocks = || changes.intents.iter().map(|(intent, _)| *intent).filter(|intent| intent.purpose == Purpose::Block);
    let made = changes.intents.iter().rfind(|(intent, _)| intent.purpose == Purpose::Block);
    let made = made.map(|(_, row)| row.clock.clone());
    let since = made.clone().or_else(|| changes.reads.first().map(|(_, read, _)| read.began.clone()));
    let block = blocks().next();
    let answered =
        changes.answers.iter().rev().find(|(answer, _)| blocks().any(|block| block.attempt == answer.attempt));
    let lifts = || changes.intents.iter().filter(|(intent, _)| intent.purpose == Purpose::Lift);
    // A read that is older than a lifting which may have been carried out says nothing of now.
    let outdated = |read: u64| {
        lifts().filter(|(_, row)| row.seq > read).any(|(intent, _)| {
            let answer = changes.answers.iter().find(|(answer, _)| answer.attempt == intent.attempt);
            !answer.is_some_and(|(answer, _)| refused(answer.answered, answer.status, answer.failure))
        })
    };
    let read = changes.reads.last();
    let own_in_force = read.is_some_and(|(state, _, row)| in_force(state, &blocking.apps) && !outdated(row.seq));
    let lifted = changes.answers.iter().rev().find(|(answer, _)| {
        lifts().any(|(lift, _)| lift.attempt == answer.attempt)
            && verdict::succeeded(answer.answered, answer.status, answer.failure)
    });
    // One that no read has borne out since was not carried out, whatever was answered.
    let lifted = lifted.filter(|(_, lifted)| {
        let mut since = changes.reads.iter().filter(|(.., row)| row.seq > lifted.seq).peekable();
        since.peek().is_none()
            || since.any(|(state, ..)| {
                !in_force(state, &blocking.apps)
                    || block.is_some_and(|block| nothing_left(&block.before, &block.after, &blocking.apps, state))
            })
    });
    // A lifting that was refused says nothing of when the block was made.
    let last = lifted.or(answered);
    let denied = !own_in_force
        && answered
            .is_some_and(|(answer, _)| answer.answered && refused(answer.answered, answer.status, answer.failure))
        && !changes.is_uncertain(Purpose::Block);
    let acts = || changes.intents.iter().map(|(_, row)| *row).chain(changes.answers.iter().map(|(_, row)| *row));
    let done = acts().map(|row| row.seq).max();
    let seen = read.map(|(state, read, _)| Seen { began: read.began.clone(), state: (*state).clone() });
    let own_last = acts().map(|row| &row.clock).chain(seen.as_ref().map(|seen| &seen.began));
    let own_last = own_last.reduce(|last, at| if millis_between(last, at) > 0 { at } else { last }).cloned();
    let report = PolicyReport {
        in_force: own_in_force,
        theirs: false,
        denied,
        unread: !own_in_force && !denied && lifted.is_none() && done > read.map(|(.., row)| row.seq),
        lifted: lifted.is_some(),
        overtaken: rows.all().iter().any(|row| {
            matches!(&row.body, Body::Note(note) if note.what == "cancelled"
                && note.detail.get("why").is_some_and(|why| why == "policy_changed"))
        }),
        forbids: blocking.forbids(),
        before: block.map(|intent| intent.before.clone()),
        after: block.map(|intent| intent.after.clone()),
        request_id: last.and_then(|(answer, _)| answer.request_id.clone()),
        at: last.map(|(_, row)| row.clock.utc.to_string()),
        read_at: seen.as_ref().map(|seen| seen.began.utc.to_string()),
        own: Own { apps: blocking.apps, read: seen, last: own_last, made, since, in_force: own_in_force },
    };
    let theirs = own_in_force && read.is_some_and(|(state, ..)| report.is_theirs(state));
    Some(PolicyReport { theirs, ..report })
}

/// The grants of the plan that a read listed after the block was lifted, also those that were sent again then and are gone: a lifting
/// that was refused lets nothing back.
pub(crate) fn returned(rows: &Rows) -> Vec<Pair> {
    let Some(blocking) = Blocking::of(rows) else { return Vec::new() };
    let (mut lifting, mut lifted, mut lifts) = (false, false, HashSet::new());
    let mut listed: BTreeSet<u32> = BTreeSet::new();
    for row in rows.all() {
        match &row.body {
            Body::Note(note) if note.what == LIFTING => lifting = true,
            Body::PolicyIntent(intent) if intent.purpose == Purpose::Lift => _ = lifts.insert(intent.attempt),
            Body::PolicyAnswer(answer) if lifts.contains(&answer.attempt) => {
                lifted |= verdict::succeeded(answer.answered, answer.status, answer.failure);
            }
            // Also where no answer to the lifting came, or somebody else had lifted it before.
            Body::PolicyRead(read) => {
                lifted |= lifting && read.state.as_ref().is_some_and(|state| !in_force(state, &blocking.apps));
            }
            Body::Read(read) if lifted => listed.extend(&read.present),
            _ => {}
        }
    }
    let grants = listed.into_iter().filter_map(|n| rows.grant(n));
    grants
        .map(|grant| Pair {
            member_id: MemberId::from(grant.member_id.as_str()),
            connected_app_id: ConnectedAppId::from(grant.connected_app_id.as_str()),
        })
        .collect()
}

/// How long so many requests would take, by how long the reading of the picture took for each of its calls. `None`: it cannot be said.
#[must_use]
pub fn estimate(grants: usize, picture: &Picture) -> Option<Duration> {
    /// Members that one answer of the search holds.
    const SEARCHED_AT_ONCE: usize = 1_000;
    let took = Duration::try_from(picture.facts.ended.duration_since(picture.facts.began)).ok()?;
    let calls = u32::try_from(picture.apps.len() + 1 + picture.members.len().div_ceil(SEARCHED_AT_ONCE)).ok()?;
    Some(took / calls.max(1) * u32::try_from(grants).ok()?)
}

/// The same error, once a request has left.
pub(crate) fn after_sending(error: Error) -> Error {
    match error {
        Error::Journal(error) => Error::JournalAfterSending(error),
        other => other,
    }
}

/// The pairs of a plan, each once, and how many ids of the selection there are no more.
fn pairs(what: &What, shown: &Shown) -> (Vec<Pair>, u32) {
    let picture = &shown.picture;
    match what {
        What::Pairs(pairs) => (pairs.clone(), 0),
        What::Selected(selection) => {
            let resolved = selection.resolve(picture, &shown.index);
            let pairs = resolved.grants.iter().map(|&at| {
                let grant = &picture.grants[at as usize];
                Pair {
                    member_id: picture.members[grant.member as usize].id.clone(),
                    connected_app_id: picture.apps[grant.app as usize].id.clone(),
                }
            });
            (pairs.collect(), resolved.lost)
        }
    }
}

/// What is missing to revoke these grants, if the policy says that something is.
fn denial(session: &Session, grants: &[Pair]) -> Option<Denial> {
    let own = |pair: &Pair| session.is_self(&pair.member_id);
    let needed = [grants.iter().any(|pair| !own(pair)).then_some(false), grants.iter().any(own).then_some(true)];
    needed.into_iter().flatten().map(|own| allowance(session, own)).find_map(|allowance| {
        (allowance.allowed == Some(false)).then(|| session.denial(Some(allowance.needs), None, false))
    })
}

/// How the inventory was read that was shown when the sweep began: counts and times only, since a note can never be erased.
pub(crate) fn inventory_note(facts: &Facts, picture: &Picture) -> Body {
    let names = match facts.names {
        Names::Read => "read",
        Names::Denied => "denied",
        Names::Incomplete => "incomplete",
    };
    let untold = facts
        .missing
        .iter()
        .filter(|missing| matches!(missing.what, Lacks::AppRows(_)) && missing.cause == Cause::CutShort);
    let untold: u32 = untold.map(|missing| missing.rows).sum();
    let detail = [
        ("began_at", rfc3339(facts.began)),
        ("read_at", rfc3339(facts.ended)),
        ("apps_listed", picture.apps.len().to_string()),
        ("apps_known", picture.apps_known().to_string()),
        ("apps_read", (picture.apps_known() - picture.apps_unread()).to_string()),
        ("members", picture.members.len().to_string()),
        ("grants", picture.grants.len().to_string()),
        ("found_gone", facts.found_gone.to_string()),
        ("missing", facts.missing.len().to_string()),
        ("names", names.to_owned()),
        ("under_way", facts.under_way.to_string()),
    ]
    .into_iter()
    .chain(facts.snapshot.map(|number| ("snapshot", number.to_string())))
    .chain((untold > 0).then(|| ("not_borne_out", untold.to_string())));
    let detail = detail.map(|(key, value)| (key.to_owned(), value)).collect();
    Body::Note(Note { what: INVENTORY.to_owned(), detail })
}

/// The note of how the inventory was read that a sweep was planned by.
const INVENTORY: &str = "inventory";

/// The snapshot of the inventory that was shown when a sweep began.
pub(crate) fn planned_by(rows: &Rows) -> Option<u32> {
    rows.all().iter().find_map(|row| match &row.body {
        Body::Note(note) if note.what == INVENTORY => note.detail.get("snapshot")?.parse().ok(),
        _ => None,
    })
}

fn item(pair: &Pair, session: &Session, directory: &Directory, shown: Option<&Shown>) -> Item {
    let picture = shown.map(|shown| &shown.picture);
    let app = picture.and_then(|picture| Some(&picture.apps[picture.app(&pair.connected_app_id)? as usize]));
    let known = picture.and_then(|picture| picture.members[picture.member(&pair.member_id)? as usize].known.as_ref());
    let face = directory.known_app(&pair.connected_app_id);
    let scopes = picture.and_then(|picture| {
        picture.grant(&pair.member_id, &pair.connected_app_id).map(|grant| picture.scopes(grant).scopes.clone())
    });
    Item {
        own: session.is_self(&pair.member_id),
        client_type: app
            .map(|app| ClientType::from(app.client_type.clone()))
            .or_else(|| face.as_ref().map(|face| face.client_type.clone())),
        scopes,
        member_name: known.map(|known| known.name.clone()),
        member_email: known.map(|known| known.email.clone()),
        member_roles: known.map(|known| known.roles.clone()),
        app_name: app.map(|app| app.name.clone()).or_else(|| face.as_ref().map(|face| face.name.clone())),
        app_description: app.map(|app| app.description.clone()),
        member_id: pair.member_id.clone(),
        connected_app_id: pair.connected_app_id.clone(),
    }
}

/// Whether everything in a report is gone by a later read. Of a sweep without grants that says nothing: it only changed the policy.
#[must_use]
pub fn all_gone(report: &SweepReport) -> bool {
    report.lines.iter().all(|line| line.outcome.is_gone())
}

#[cfg(test)]
mod tests {
    use journal::PolicyAnswer;
    use journal::{Grant, PolicyIntent, PolicyRead, PolicyState, Read, Route, Row, Utc, View};

    use super::*;

    fn clock(ms: u64) -> Clock {
        let at = Timestamp::UNIX_EPOCH.checked_add(Duration::from_millis(ms)).expect("in range");
        Clock { utc: Utc::new(at), mono_ms: ms, boot_id: "boot".into() }
    }

    fn policy(word: &str) -> PolicyState {
        PolicyState {
            first_party: "ALL_ALLOWED".into(),
            allowed_first_party: Vec::new(),
            third_party: word.into(),
            allowed_third_party: Vec::new(),
        }
    }

    fn change(attempt: u32, purpose: Purpose, status: u16, ms: u64) -> [Body; 2] {
        let (before, after) = (policy("ALL_ALLOWED"), policy("NOT_ALLOWED"));
        let answer = PolicyAnswer {
            attempt,
            sent: clock(ms),
            answered: true,
            status: Some(status),
            error_type: None,
            request_id: Some(format!("request-id-{attempt}")),
            server_date: None,
            failure: None,
        };
        [Body::PolicyIntent(PolicyIntent { attempt, purpose, before, after }), Body::PolicyAnswer(answer)]
    }

    fn policy_read(word: &str, ms: u64) -> Body {
        Body::PolicyRead(PolicyRead {
            began: clock(ms),
            ended: clock(ms),
            answered: true,
            status: Some(200),
            error_type: None,
            request_id: None,
            server_date: None,
            state: Some(policy(word)),
        })
    }

    /// A block that is in force, and then a lifting that was answered so, after which the grant is listed.
    fn lifting(status: u16, then: &str) -> Rows {
        let note = |what: &str, detail: &[(&str, &str)]| {
            let detail = detail.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Body::Note(Note { what: what.to_owned(), detail })
        };
        let grant = Body::Grant(Grant {
            n: 1,
            member_id: "member".into(),
            connected_app_id: "app".into(),
            client_type: None,
            scopes: Vec::new(),
            first_party: false,
            route: Route::Member,
            member_roles: None,
            person: None,
            app_name: None,
        });
        let listed = Body::Read(Read {
            read: 1,
            view: View::App,
            subject: Some("app".into()),
            began: clock(9_000),
            ended: clock(9_000),
            answered: true,
            status: Some(200),
            error_type: None,
            request_id: None,
            server_date: None,
            complete: true,
            unreadable: 0,
            present: vec![1],
            absent: Vec::new(),
            policy: None,
            others_listed: None,
        });
        let bodies = [grant, note("block", &[("order", "first"), ("third_party_00000", "app")])]
            .into_iter()
            .chain(change(1, Purpose::Block, 200, 2_000))
            .chain([policy_read("NOT_ALLOWED", 4_000), note(LIFTING, &[])])
            .chain(change(2, Purpose::Lift, status, 6_000))
            .chain([policy_read(then, 8_000), listed]);
        Rows::new(bodies.zip(0..).map(|(body, seq)| Row { seq, clock: clock(seq * 1_000), body }))
    }

    #[test]
    fn a_refused_lifting_leaves_the_block_its_own_answer_and_nothing_came_back_by_it() {
        let rows = lifting(403, "NOT_ALLOWED");
        let told = policy_report(&rows).expect("a block");
        assert!(told.in_force && !told.lifted && !told.denied, "{told:?}");
        assert_eq!(told.request_id.as_deref(), Some("request-id-1"));
        assert_eq!(told.at, Some(clock(3_000).utc.to_string()));
        assert_eq!(returned(&rows), Vec::new());
    }

    /// A block of which these rows tell.
    fn block(rows: impl IntoIterator<Item = Body>) -> PolicyReport {
        let detail = [("order", "first"), ("third_party_00000", "app")];
        let detail = detail.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let bodies = [Body::Note(Note { what: "block".into(), detail })].into_iter().chain(rows);
        let rows = Rows::new(bodies.zip(0..).map(|(body, seq)| Row { seq, clock: clock(seq * 1_000), body }));
        policy_report(&rows).expect("a block")
    }

    #[test]
    fn an_answered_block_is_unread_until_the_policy_is_read_after_the_answer() {
        let sent = || change(1, Purpose::Block, 200, 2_000);
        assert_eq!(block(sent()).stand(), BlockStand::Unread);
        // One from before says nothing of it.
        let before = [policy_read("ALL_ALLOWED", 1_000)].into_iter().chain(sent());
        let told = block(before);
        assert_eq!((told.stand(), told.can_consent_again()), (BlockStand::Unread, false));
        let after = |word| block(sent().into_iter().chain([policy_read(word, 4_000)]));
        assert_eq!(after("NOT_ALLOWED").stand(), BlockStand::InForce);
        let told = after("ALL_ALLOWED");
        assert_eq!((told.stand(), told.can_consent_again()), (BlockStand::NotInForce, true));
    }

    #[test]
    fn a_refused_block_is_denied_unless_an_earlier_try_may_have_been_carried_out() {
        let refused = |attempt| change(attempt, Purpose::Block, 403, 5_000);
        assert_eq!(block(refused(1)).stand(), BlockStand::Denied);
        let [unanswered, _] = change(1, Purpose::Block, 200, 2_000);
        let told =
            |then: &[Body]| block([unanswered.clone()].into_iter().chain(refused(2)).chain(then.iter().cloned()));
        assert_eq!(told(&[]).stand(), BlockStand::Unread);
        assert_eq!(told(&[policy_read("ALL_ALLOWED", 7_000)]).stand(), BlockStand::NotInForce);
        assert_eq!(told(&[policy_read("NOT_ALLOWED", 7_000)]).stand(), BlockStand::InForce);
    }

    #[test]
    fn a_policy_that_forbade_the_apps_already_is_told_as_that() {
        let told = block([policy_read("NOT_ALLOWED", 1_000)]);
        assert_eq!((told.stand(), told.can_consent_again()), (BlockStand::ForbiddenBefore, false));
    }

    #[test]
    fn a_lifting_that_was_carried_out_is_told_by_its_own_answer_and_names_what_came_back() {
        let rows = lifting(200, "ALL_ALLOWED");
        let told = policy_report(&rows).expect("a block");
        assert!(told.lifted && !told.in_force, "{told:?}");
        assert_eq!(told.request_id.as_deref(), Some("request-id-2"));
        assert_eq!(returned(&rows).len(), 1);
    }
}

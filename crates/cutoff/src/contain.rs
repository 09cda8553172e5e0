//! Containment: the policy changed so that nobody can consent to some apps again, together with the revoke of every grant they
//! have; and the lifting of such a block. What to change is decided in [`crate::policy`]; here it is read, shown and asked for.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use journal::{Purpose, SweepId};
use stytch_b2b::{ConnectedAppId, Error as ApiError};
use tokio::sync::watch;

use crate::activity::Resume;
use crate::desk::Desk;
use crate::error::Error;
use crate::inventory::filter::Filter;
use crate::inventory::picture::{Cause, Picture, What as Lacks};
use crate::inventory::selection::{Noun, RowId, Selection};
use crate::policy::{Block, Change, Decisions, Difference, Kind, Listed, Refused, State, Undo, block, state_of, undo};
use crate::revoke::{same_ground, who};
use crate::session::Session;
use crate::sweep::change::{Blocking, Changes, LIFTING, Settled, Turned, Wanted};
use crate::sweep::engine::{Ended, Progress, Watched, blocking};
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{Outcome, findings};
use crate::sweep::{Manner, Observer, Wish};
use crate::sweeps::{Proposal, SweepReport, What, after_sending};

/// A containment before it is carried out.
#[derive(Clone, Debug)]
pub struct Containment {
    /// The plan: every grant of the apps, and the block.
    pub proposal: Proposal,
    /// The change of the policy, app by app.
    pub change: Change,
}

/// What lifting a block would be, by the policy as it is now.
#[derive(Clone, Debug)]
pub struct LiftView {
    /// The policy before the block.
    pub before: State,
    /// The policy that the block made.
    pub after: State,
    /// The policy as it stands.
    pub now: State,
    /// How it would be taken back.
    pub undo: Undo,
    /// Grants whose revoke was sent, or may have been, and not answered, and of which no read can tell: they may come back.
    pub hidden: u32,
    /// Grants that no revoke was sent for and no read has shown gone: they come back with the app.
    pub not_attempted: u32,
    /// Grants whose revoke was answered and whose end no read could show: they should not come back.
    pub accepted: u32,
}

/// What a lifting is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Lift {
    /// Takes back only what the block did where somebody has changed the policy since.
    pub over_changes: bool,
}

/// What a lifting came to.
#[derive(Debug)]
pub struct Lifted {
    /// The sweep as it now is: what returned stands in it.
    pub report: SweepReport,
    /// What somebody else had changed; it was left as it is.
    pub differs: Vec<Difference>,
    /// The change of the policy was refused, or what it came to is not known.
    pub not_lifted: bool,
    /// The policy did not have to be changed: nothing of the block was left in it.
    pub nothing_to_lift: bool,
}

impl Desk {
    /// What containing some apps would be, by the picture that is shown and the policy as it is read now. The plan has every
    /// grant of the apps, whoever's they are.
    ///
    /// # Errors
    /// [`Error::Block`] when no change can be made, or somebody has to decide about single apps first; else as [`Desk::propose`],
    /// and [`Error::Api`] when the policy cannot be read. [`Error::Plan`] also for apps without any grant.
    pub async fn propose_containment(
        &self,
        apps: &[ConnectedAppId],
        decisions: &Decisions,
        first_party: bool,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Containment, Error> {
        let (session, _) = self.seated()?;
        let shown = self.shown().await?;
        let picture = &shown.picture;
        let vendors = |id: &&ConnectedAppId| picture.app(id).is_some_and(|at| picture.apps[at as usize].first_party());
        let apps: BTreeSet<ConnectedAppId> = apps.iter().filter(|id| first_party || !vendors(id)).cloned().collect();
        let selection = Selection {
            noun: Noun::Apps,
            fold: false,
            all: false,
            filter: Filter::default(),
            ids: apps.iter().cloned().map(RowId::App).collect::<HashSet<_>>(),
        };
        let state = self.read_state(&session).await?;
        let change = block(&state, &apps, &listed(picture), list_is_whole(picture), decisions).map_err(Error::Block)?;
        let proposal = self.propose(&What::Selected(selection), first_party, reason, now).await?;
        let block = Block::new(&apps, decisions, &change);
        let file = proposal.file.with_block(block).map_err(Error::Plan)?;
        Ok(Containment { proposal: Proposal { file, ..proposal }, change })
    }

    /// The policy as it is now, read strictly.
    async fn read_state(&self, session: &std::sync::Arc<Session>) -> Result<State, Error> {
        match session.read(|client, token| async move { client.connected_app_policy(&token).await }).await {
            Ok(reply) => Ok(state_of(&reply.data)),
            Err(error @ ApiError::SignedOut(_)) => Err(self.judge(session, error).await),
            Err(error) => Err(error.into()),
        }
    }

    /// What lifting the block of a sweep would be. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Block`] for a sweep that has no block; [`Error::PlanChanged`] when it belongs to another organization or place;
    /// [`Error::SignedOut`], [`Error::Api`], [`Error::Journal`].
    pub async fn look_at_lift(&self, id: SweepId) -> Result<LiftView, Error> {
        let (session, _) = self.seated()?;
        let journal = self.journal.clone();
        let (summary, rows) = blocking(move || Ok((journal.summary(id)?, journal.rows(id)?))).await?;
        if !same_ground(&summary, &session) {
            return Err(Error::PlanChanged);
        }
        let rows = Rows::new(rows.into_iter().map(|stored| stored.row));
        let apps = Blocking::of(&rows).ok_or(Error::Block(Refused::NothingBlocked))?.apps;
        let changes = Changes::of(rows.all());
        let intent = changes.intents.iter().find(|(intent, _)| intent.purpose == Purpose::Block);
        let (before, after) = match intent {
            Some((intent, _)) => (intent.before.clone(), intent.after.clone()),
            None => return Err(Error::Block(Refused::NothingBlocked)),
        };
        let (mut hidden, mut not_attempted, mut accepted) = (0, 0, 0);
        for finding in findings(&rows, &self.rules).values() {
            match finding.outcome {
                Outcome::Hidden | Outcome::Unknown | Outcome::Failed if finding.attempts == 0 => not_attempted += 1,
                Outcome::Hidden | Outcome::Unknown => hidden += 1,
                Outcome::Accepted => accepted += 1,
                _ => {}
            }
        }
        let now = self.read_state(&session).await?;
        let undo = undo(&before, &after, &apps, &now);
        Ok(LiftView { before, after, now, undo, hidden, not_attempted, accepted })
    }

    /// Lifts the block of a sweep, reads its grants again, and sends again what was never answered, if the one who lifts may go
    /// on with the sweep.
    ///
    /// # Errors
    /// As [`Desk::look_at_lift`]; [`Error::PolicyChanged`] when somebody has changed the policy since and it was not said to
    /// lift over that, or it changed between two looks: then nothing was sent. [`Error::Busy`]; [`Error::JournalAfterSending`].
    pub async fn lift(
        &self,
        id: SweepId,
        how: &Lift,
        wish: watch::Receiver<Wish>,
        progress: watch::Sender<Progress>,
        observer: Option<&Observer>,
    ) -> Result<Lifted, Error> {
        let _one_at_a_time = self.sweeping.lock().await;
        let (session, directory) = self.seated()?;
        let view = self.look_at_lift(id).await?;
        let (to, differs) = match view.undo {
            Undo::Exact(state) => (state, Vec::new()),
            Undo::Nothing => (view.now.clone(), Vec::new()),
            Undo::Changed { differs, .. } if !how.over_changes => return Err(Error::PolicyChanged(differs)),
            Undo::Changed { differs, merged } => (merged, differs),
        };
        let journal = self.journal.clone();
        let summary = blocking(move || journal.summary(id)).await?;
        // Whoever may change the policy may lift; only who may go on with the sweep sends for it.
        let may_send = summary.closing.is_none()
            && self.may_resume(&*self.digest(id).await?, &session) == Resume::Yes
            && self.must_be_current(id).await.is_ok();
        let lock = self.lock(id).await?;
        let observer = observer.unwrap_or(&self.observer);
        let manner = Manner { patient: true, canary: false };
        let watched = Watched { wish, progress };
        let mut engine =
            self.engine_with(&session, &directory, observer, id, lock, &self.pace, manner, watched).await?;
        engine.note(LIFTING, &who(&session)).await?;
        let nothing_to_lift = to == view.now;
        let mut ended = Ended::AtRest;
        let mut not_lifted = false;
        if nothing_to_lift {
            engine.read_policy().await?;
        } else {
            let reached = |state: &State| crate::policy::differences(&to, state).is_empty();
            let wanted = Wanted { purpose: Purpose::Lift, before: &view.now, after: &to, reached: &reached };
            let turned = engine.change_policy(&wanted).await;
            let sent = engine.has_sent();
            match turned.map_err(|error| if sent { after_sending(error) } else { error })? {
                Turned::Settled(Settled::InForce) => {}
                Turned::Settled(Settled::Denied(error)) => {
                    drop(engine);
                    self.note_head(&session).await;
                    return Err(self.judge(&session, error).await);
                }
                Turned::Settled(Settled::Not) => not_lifted = true,
                Turned::Changed(differs) => {
                    drop(engine);
                    self.note_head(&session).await;
                    return Err(Error::PolicyChanged(differs));
                }
                Turned::Ended(stopped) => {
                    not_lifted = true;
                    ended = stopped;
                }
            }
        }
        if !not_lifted {
            if may_send {
                engine.note("resumed", &who(&session)).await?;
            }
            ended = engine.read_once().await.map_err(after_sending)?;
            if matches!(ended, Ended::AtRest) {
                ended = engine.run(may_send).await.map_err(after_sending)?;
            }
        }
        drop(engine);
        self.note_head(&session).await;
        if let Ended::SessionEnded(error) = &ended {
            let _ = self.judge(&session, error.clone()).await;
        }
        let report = self.sweep_report(id).await?;
        self.forget_gone(&session, &directory, &report.lines);
        Ok(Lifted { report: SweepReport { ended: Some(ended), ..report }, differs, not_lifted, nothing_to_lift })
    }
}

/// The apps of a picture, as a change of the policy looks at them.
#[must_use]
pub fn listed(picture: &Picture) -> Vec<Listed> {
    let since = picture.facts.since.map(|(_, at)| at);
    picture
        .apps
        .iter()
        .map(|app| Listed {
            id: app.id.clone(),
            kind: Kind::of(&app.client_type),
            odd: !app.odd.is_empty(),
            // In a first reading nothing is new.
            new: app.first_seen.after.is_some() && since.is_some_and(|since| app.first_seen.by > since),
        })
        .collect()
}

/// Whether the picture has every app that is installed: every row could be read, and none is hidden.
#[must_use]
pub fn list_is_whole(picture: &Picture) -> bool {
    let facts = &picture.facts;
    !facts.under_way
        && facts.missing.iter().all(|missing| missing.what != Lacks::ListRows && missing.cause != Cause::Hidden)
}

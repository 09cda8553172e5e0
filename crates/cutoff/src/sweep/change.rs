//! The change of the organization's policy that belongs to a sweep: the block before it, or after it, and its lifting. Like a
//! revoke, it is intended on disk before it leaves, and what it came to is what a later read shows. It decides nothing about
//! what to change: that is [`crate::policy`].

use std::collections::{BTreeMap, HashSet};

use journal::{
    BLOCK, Body, Failure, Note, PolicyAnswer, PolicyIntent, PolicyRead, PolicyState, Purpose, Row, RowDraft,
};
use stytch_b2b::{ConnectedAppId, Error as ApiError};

use super::Step;
use super::engine::{CameBack, Ended, Engine, jitter};
use super::next::refused_for_the_session;
use super::rows::Rows;
use super::verdict::{refused, succeeded};
use crate::error::Error;
use crate::policy::{Block, Difference, Kind, Listed, Refused, differences, in_force, state_of, update};
use crate::sweeps::policy_report;

/// The note that says that the block is in force.
pub(crate) const BLOCKED: &str = "blocked";
/// The note that says that the policy stayed as it was, or that nobody knows: members can consent again.
pub(crate) const NOT_BLOCKED: &str = "not_blocked";
/// The note that somebody lifts the block.
pub(crate) const LIFTING: &str = "lifting";

const FIRST: &str = "first_party_";
const THIRD: &str = "third_party_";
const KEPT: &str = "kept_";
const LEFT_OUT: &str = "left_out_";
const UNLISTED: &str = "unlisted_";

/// What a change came to.
#[derive(Debug)]
pub(crate) enum Settled {
    /// A read shows it in force.
    InForce,
    /// It was refused.
    Denied(ApiError),
    /// It is not in force, or nobody knows.
    Not,
}

/// How the turn to change the policy ended.
#[derive(Debug)]
pub(crate) enum Turned {
    /// It is settled.
    Settled(Settled),
    /// The policy is not the one that the change was made for. Nothing was sent.
    Changed(Vec<Difference>),
    /// Somebody or something stopped the sweep.
    Ended(Ended),
}

/// A change that is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) before: &'a PolicyState,
    pub(crate) after: &'a PolicyState,
    /// Whether a policy is as it is to be.
    pub(crate) reached: &'a (dyn Fn(&PolicyState) -> bool + Sync),
}

/// The block of a sweep, as its rows tell it.
#[derive(Clone, Debug)]
pub(crate) struct Blocking {
    /// The apps it is to forbid.
    pub(crate) apps: Vec<(ConnectedAppId, Kind)>,
    /// Those of them whose grants are left alone, as decided.
    pub(crate) left_out: HashSet<ConnectedAppId>,
    /// Revoke first, then block.
    pub(crate) last: bool,
    /// It was tried, and what it came to is known as well as it will be.
    pub(crate) settled: bool,
}

impl Blocking {
    /// `None` for a sweep that blocks nothing.
    pub(crate) fn of(rows: &Rows) -> Option<Self> {
        let notes = || {
            rows.all().iter().filter_map(|row| match &row.body {
                Body::Note(note) => Some(note),
                _ => None,
            })
        };
        let note = notes().find(|note| note.what == BLOCK)?;
        let apps = note.detail.iter().filter_map(|(key, id)| {
            let kind = match key {
                key if key.starts_with(FIRST) => Kind::FirstParty,
                key if key.starts_with(THIRD) => Kind::ThirdParty,
                _ => return None,
            };
            Some((ConnectedAppId::from(id.as_str()), kind))
        });
        let left_out = note.detail.iter().filter(|(key, _)| key.starts_with(LEFT_OUT));
        Some(Self {
            apps: apps.collect(),
            left_out: left_out.map(|(_, id)| ConnectedAppId::from(id.as_str())).collect(),
            last: note.detail.get("order").is_some_and(|order| order == "last"),
            settled: notes().any(|note| [BLOCKED, NOT_BLOCKED, "cancelled"].contains(&note.what.as_str())),
        })
    }

    /// The apps it is to forbid, each once: one whose kind nobody told stands in `apps` with both.
    pub(crate) fn forbids(&self) -> Vec<ConnectedAppId> {
        let mut seen = HashSet::new();
        self.apps.iter().map(|(app, _)| app).filter(|app| seen.insert(*app)).cloned().collect()
    }

    /// The note that says it: which apps, and whether first or last. `unlisted`: those that the last reading of the inventory before
    /// the sweep does not have.
    pub(crate) fn note(block: &Block, last: bool, unlisted: &[ConnectedAppId]) -> Note {
        let order = [("order".to_owned(), if last { "last" } else { "first" }.to_owned())];
        let apps = block.forbidden().into_iter().enumerate().map(|(at, (app, kind))| {
            let prefix = if kind == Kind::FirstParty { FIRST } else { THIRD };
            (format!("{prefix}{at:05}"), app.to_string())
        });
        // Whoever reads the rows later is to know what was decided, and not only what came of it.
        let numbered = |prefix: &'static str, apps: &[ConnectedAppId]| -> Vec<(String, String)> {
            apps.iter().enumerate().map(|(at, app)| (format!("{prefix}{at:05}"), app.to_string())).collect()
        };
        let decided = numbered(KEPT, &block.kept).into_iter().chain(numbered(LEFT_OUT, &block.left_out));
        let decided = decided.chain(numbered(UNLISTED, unlisted));
        let detail = order.into_iter().chain(apps).chain(decided).collect::<BTreeMap<_, _>>();
        Note { what: BLOCK.to_owned(), detail }
    }
}

/// The changes of the policy in a sweep's rows.
#[derive(Default)]
pub(crate) struct Changes<'a> {
    /// Every intent.
    pub(crate) intents: Vec<(&'a PolicyIntent, &'a Row)>,
    /// Every answer.
    pub(crate) answers: Vec<(&'a PolicyAnswer, &'a Row)>,
    /// Every read that brought a policy.
    pub(crate) reads: Vec<(&'a PolicyState, &'a PolicyRead, &'a Row)>,
}

impl<'a> Changes<'a> {
    pub(crate) fn of(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut made = Self::default();
        for row in rows {
            match &row.body {
                Body::PolicyIntent(intent) => made.intents.push((intent, row)),
                Body::PolicyAnswer(answer) => made.answers.push((answer, row)),
                Body::PolicyRead(read) => made.reads.extend(read.state.as_ref().map(|state| (state, read, row))),
                _ => {}
            }
        }
        made
    }

    /// How many requests left this computer, or may have: a kill leaves an intent without an answer.
    pub(crate) fn sent(&self) -> usize {
        let stayed = |attempt| {
            let mut answers = self.answers.iter().filter(|(answer, _)| answer.attempt == attempt);
            answers.any(|(answer, _)| answer.failure == Some(Failure::NotSent))
        };
        self.intents.iter().filter(|(intent, _)| !stayed(intent.attempt)).count()
    }

    /// How many of those have no answer and no failure on record, so that they may not have left.
    pub(crate) fn unrecorded(&self) -> usize {
        let answered = |attempt| self.answers.iter().any(|(answer, _)| answer.attempt == attempt);
        self.intents.iter().filter(|(intent, _)| !answered(intent.attempt)).count()
    }

    /// Whether some request of a purpose, or what a kill left of one, has neither a success nor a certain refusal.
    pub(crate) fn is_uncertain(&self, purpose: Purpose) -> bool {
        self.intents.iter().filter(|(intent, _)| intent.purpose == purpose).any(|(intent, _)| {
            let answer = self.answers.iter().find(|(answer, _)| answer.attempt == intent.attempt);
            !answer.is_some_and(|(answer, _)| {
                succeeded(answer.answered, answer.status, answer.failure)
                    || refused(answer.answered, answer.status, answer.failure)
            })
        })
    }

    /// The last intent of a purpose, how often it was sent or may have been, and its answer.
    fn last(&self, purpose: Purpose) -> Option<(&'a Row, u32, Option<&'a PolicyAnswer>)> {
        let of: Vec<_> = self.intents.iter().filter(|(intent, _)| intent.purpose == purpose).collect();
        let answer =
            |attempt| self.answers.iter().find(|(answer, _)| answer.attempt == attempt).map(|(answer, _)| *answer);
        let sent = of.iter().filter(|(intent, _)| !answer(intent.attempt).is_some_and(put_off)).count();
        let (intent, row) = of.last()?;
        Some((row, u32::try_from(sent).unwrap_or(u32::MAX), answer(intent.attempt)))
    }
}

/// Refused for its rate or for a session that died: nothing speaks against another try.
fn put_off(answer: &PolicyAnswer) -> bool {
    answer.answered && answer.status == Some(429) || refused_for_the_session(answer.error_type.as_deref())
}

/// What to do next about a change.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Read the policy.
    Look,
    /// Record the intent and send it.
    Send,
    /// It is in force.
    InForce,
    /// It was refused.
    Denied,
    /// It is not in force and will not be sent again.
    Not,
    /// The policy is not the one it was made for.
    Changed(Vec<Difference>),
}

/// Decides. `fresh`: the first row of this run; a policy that was read before it is too old to send by.
fn turn<'a>(rows: impl IntoIterator<Item = &'a Row>, wanted: &Wanted<'_>, attempts: u32, fresh: u64) -> Turn {
    let changes = Changes::of(rows);
    let read = changes.reads.last();
    let young = |since: u64| read.filter(|(.., row)| row.seq >= since).map(|(state, ..)| *state);
    let Some((intent, sent, answer)) = changes.last(wanted.purpose) else {
        return match young(fresh) {
            None => Turn::Look,
            Some(state) => match differences(wanted.before, state) {
                differs if !differs.is_empty() => Turn::Changed(differs),
                _ if (wanted.reached)(state) => Turn::InForce,
                _ => Turn::Send,
            },
        };
    };
    let success = answer.is_some_and(|answer| succeeded(answer.answered, answer.status, answer.failure));
    let denied = answer.is_some_and(|answer| {
        answer.answered && refused(answer.answered, answer.status, answer.failure) && !put_off(answer)
    });
    // What a read shows counts if it is later than the last answer, or where there is none than the intent.
    let told = changes.answers.last().map_or(intent.seq, |(_, row)| row.seq.max(intent.seq));
    match young(told) {
        Some(state) if (wanted.reached)(state) => Turn::InForce,
        // An earlier one that nobody answered may have been carried out meanwhile, whatever was answered to this.
        None if !denied || changes.is_uncertain(wanted.purpose) => Turn::Look,
        _ if denied => Turn::Denied,
        None => Turn::Look,
        // Answered, and the read does not bear it out; or others have changed it since; or it was tried often enough.
        Some(state) if success || sent >= attempts || !differences(wanted.before, state).is_empty() => Turn::Not,
        Some(_) if young(fresh).is_none() => Turn::Look,
        Some(_) => Turn::Send,
    }
}

impl Engine<'_> {
    /// Blocks, if the sweep is to and has not yet. Answers what it came to; `None`: there was nothing to do.
    pub(crate) async fn block(&mut self, block: &Block) -> Result<Option<Turned>, Error> {
        let Some(Blocking { settled: false, apps, .. }) = Blocking::of(&self.rows) else { return Ok(None) };
        let wanted = Wanted {
            purpose: Purpose::Block,
            before: &block.before,
            after: &block.after,
            reached: &|state| in_force(state, &apps),
        };
        let turned = self.change_policy(&wanted).await?;
        match &turned {
            Turned::Settled(Settled::InForce) => self.note(BLOCKED, &[]).await?,
            Turned::Settled(Settled::Denied(error)) => {
                let why = error.facts().error_type.clone().unwrap_or_else(|| error.kind().to_owned());
                self.note(NOT_BLOCKED, &[("why", "denied".to_owned()), ("error_type", why)]).await?;
            }
            Turned::Settled(Settled::Not) => self.note(NOT_BLOCKED, &[("why", "not_in_force".to_owned())]).await?,
            Turned::Changed(_) => {
                // What was planned does not hold any more: this sweep sends nothing, now or later.
                self.note("cancelled", &[("why", "policy_changed".to_owned())]).await?;
                self.close().await?;
            }
            Turned::Ended(_) => {}
        }
        Ok(Some(turned))
    }

    /// Makes the block anew of what is installed now, before anything is sent, and stops where the plan's is another. Answers why
    /// the sweep does not go on, if it does not.
    ///
    /// # Errors
    /// [`Error::Block`]: nothing was sent. Nothing of this plan will be, unless it is for [`Refused::IncompleteList`], which a later
    /// look may mend.
    pub(crate) async fn check_block(&mut self, block: &Block) -> Result<Option<Ended>, Error> {
        let sent = |row: &Row| matches!(row.body, Body::Intent(_) | Body::PolicyIntent(_));
        if self.rows.all().iter().any(sent) {
            // What is installed is no longer what it was before this sweep.
            return Ok(None);
        }
        let mut failed = 0;
        let list = loop {
            if let Some(ended) = self.wished() {
                return Ok(Some(self.stop(ended).await?));
            }
            match self.ask(|client, token| async move { client.connected_apps(&token).await }).await {
                Ok(reply) => break reply.data,
                Err(error @ ApiError::SignedOut(_)) => {
                    return Ok(Some(self.stop(Ended::SessionEnded(error)).await?));
                }
                Err(error) => {
                    failed += 1;
                    if failed >= self.pace.attempts {
                        return Ok(Some(self.stop(Ended::Halted(error)).await?));
                    }
                    self.wait(self.pace.between_attempts * failed).await;
                }
            }
        };
        let installed: Vec<Listed> = list
            .rows
            .iter()
            .map(|app| Listed {
                id: app.connected_app_id.clone(),
                kind: Kind::of(app.client_type.as_str()),
                odd: false,
                new: false,
                like: false,
                unlisted: None,
            })
            .collect();
        let refused = match block.differs_where(&installed, list.unreadable.is_empty()) {
            Ok(differs) if differs.is_empty() => return Ok(None),
            Ok(differs) => Refused::NotAsDecided(differs),
            Err(refused @ Refused::IncompleteList) => return Err(Error::Block(refused)),
            Err(refused) => refused,
        };
        // Where the policy itself is another by now, that is what is told, and the list may lack apps because of it.
        self.read_policy().await?;
        let changes = Changes::of(self.rows.all());
        if changes.reads.last().is_some_and(|(state, ..)| !differences(&block.before, state).is_empty()) {
            return Ok(None);
        }
        self.note("cancelled", &[("why", "not_as_decided".to_owned())]).await?;
        self.close().await?;
        Err(Error::Block(refused))
    }

    /// Reads the policy where a change of it was sent and nobody has read it since.
    pub(crate) async fn read_unread_policy(&mut self) -> Result<(), Error> {
        if policy_report(&self.rows).is_some_and(|policy| policy.unread) {
            self.read_policy().await?;
        }
        Ok(())
    }

    /// What the sweep is to block, if anything.
    pub(crate) fn blocking(&self) -> Option<Blocking> {
        Blocking::of(&self.rows)
    }

    /// Brings a change about, or finds out that it cannot.
    pub(crate) async fn change_policy(&mut self, wanted: &Wanted<'_>) -> Result<Turned, Error> {
        let fresh = self.rows.all().len() as u64;
        // Each lifting is decided anew; a block is one block, however often it was begun.
        let from = if wanted.purpose == Purpose::Block { 0 } else { self.rows.all().len() };
        let (mut failed, mut refusal) = (0, None::<ApiError>);
        loop {
            if let Some(ended) = self.wished() {
                return Ok(Turned::Ended(self.stop(ended).await?));
            }
            let settled = match turn(&self.rows.all()[from..], wanted, self.pace.attempts, fresh) {
                Turn::InForce => Settled::InForce,
                Turn::Not => Settled::Not,
                Turn::Denied => refusal.take().map_or(Settled::Not, Settled::Denied),
                Turn::Changed(differs) => return Ok(Turned::Changed(differs)),
                Turn::Send => {
                    match self.send_change(wanted).await? {
                        Some(error @ ApiError::SignedOut(_)) => {
                            return Ok(Turned::Ended(self.stop(Ended::SessionEnded(error)).await?));
                        }
                        Some(ApiError::Unreachable { .. }) if self.manner.patient => {
                            if let Some(ended) = self.find_network().await? {
                                return Ok(Turned::Ended(self.stop(ended).await?));
                            }
                        }
                        error => {
                            if matches!(error, Some(ApiError::ServerError(_))) {
                                self.wait(self.pace.between_attempts).await;
                            }
                            refusal = error;
                        }
                    }
                    continue;
                }
                Turn::Look => {
                    let Some(error) = self.read_policy().await? else { continue };
                    if matches!(error, ApiError::SignedOut(_)) {
                        return Ok(Turned::Ended(self.stop(Ended::SessionEnded(error)).await?));
                    }
                    failed += 1;
                    if failed < self.pace.attempts {
                        self.wait(self.pace.between_attempts * failed).await;
                        continue;
                    }
                    if Changes::of(&self.rows.all()[from..]).last(wanted.purpose).is_none() {
                        // Nothing is changed that could not be read.
                        return Ok(Turned::Ended(self.stop(Ended::Halted(error)).await?));
                    }
                    Settled::Not
                }
            };
            return Ok(Turned::Settled(settled));
        }
    }

    /// The one request, with its rows.
    async fn send_change(&mut self, wanted: &Wanted<'_>) -> Result<Option<ApiError>, Error> {
        let attempt =
            Changes::of(self.rows.all()).intents.iter().map(|(intent, _)| intent.attempt).max().unwrap_or(0) + 1;
        let intent = PolicyIntent {
            attempt,
            purpose: wanted.purpose,
            before: wanted.before.clone(),
            after: wanted.after.clone(),
        };
        let clock = self.clock.now().stamp();
        self.write(vec![RowDraft { clock, body: Body::PolicyIntent(intent) }]).await?;
        self.tell(Step::PolicyIntentRecorded);
        let fields = update(wanted.before, wanted.after);
        let token = self.session.token();
        self.tell(Step::PolicySending);
        self.set_sent();
        let sent = self.clock.now().stamp();
        let answer = self.session.client.update_organization(&token, &fields).await;
        let clock = self.clock.now().stamp();
        self.tell(Step::PolicyAnswered);
        let CameBack { answered, status, error_type, request_id, server_date, failure } = CameBack::of(&answer);
        let row = PolicyAnswer { attempt, sent, answered, status, error_type, request_id, server_date, failure };
        let error = match answer {
            Ok(reply) => {
                self.session.change(|state| state.organization = reply.data);
                None
            }
            Err(error) => Some(error),
        };
        self.write(vec![RowDraft { clock, body: Body::PolicyAnswer(row) }]).await?;
        self.tell(Step::PolicyAnswerRecorded);
        if let Some(ApiError::RateLimited { retry_after, .. }) = &error {
            // The next call waits for the limit, and that is a read.
            let now = self.now_ms();
            self.tempo.refused(now, *retry_after, jitter(self.pace.jitter));
        }
        Ok(error)
    }

    /// Reads the policy and writes down what it says; answers the error, if it could not be read.
    pub(crate) async fn read_policy(&mut self) -> Result<Option<ApiError>, Error> {
        let began = self.clock.now().stamp();
        let answer = self.ask(|client, token| async move { client.connected_app_policy(&token).await }).await;
        let ended = self.clock.now().stamp();
        let CameBack { answered, status, error_type, request_id, server_date, .. } = CameBack::of(&answer);
        let state = answer.as_ref().ok().map(|reply| state_of(&reply.data));
        let row =
            PolicyRead { began, ended: ended.clone(), answered, status, error_type, request_id, server_date, state };
        let error = answer.err();
        self.write(vec![RowDraft { clock: ended, body: Body::PolicyRead(row) }]).await?;
        self.tell(Step::PolicyRead);
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{Clock, Utc};

    fn state(of: &str) -> PolicyState {
        PolicyState {
            first_party: "ALL_ALLOWED".into(),
            allowed_first_party: Vec::new(),
            third_party: of.into(),
            allowed_third_party: Vec::new(),
        }
    }

    fn rows(bodies: impl IntoIterator<Item = Body>) -> Vec<Row> {
        let clock =
            Clock { utc: Utc::new("2026-11-23T10:00:00Z".parse().expect("a time")), mono_ms: 0, boot_id: "b".into() };
        (0..).zip(bodies).map(|(seq, body)| Row { seq, clock: clock.clone(), body }).collect()
    }

    fn intent(attempt: u32) -> Body {
        let (before, after) = (state("ALL_ALLOWED"), state("RESTRICTED"));
        Body::PolicyIntent(PolicyIntent { attempt, purpose: Purpose::Block, before, after })
    }

    fn refused(attempt: u32) -> Body {
        let row = rows([intent(attempt)]).remove(0);
        Body::PolicyAnswer(PolicyAnswer {
            attempt,
            sent: row.clock,
            answered: true,
            status: Some(403),
            error_type: Some("session_authorization_error".into()),
            request_id: None,
            server_date: None,
            failure: None,
        })
    }

    #[test]
    fn a_change_that_nobody_answered_is_looked_for_before_a_later_refusal_is_believed() {
        let (before, after) = (state("ALL_ALLOWED"), state("RESTRICTED"));
        let reached = |state: &PolicyState| state.third_party == "RESTRICTED";
        let wanted = Wanted { purpose: Purpose::Block, before: &before, after: &after, reached: &reached };
        assert_eq!(turn(&rows([intent(1), refused(1)]), &wanted, 3, 0), Turn::Denied);
        assert_eq!(turn(&rows([intent(1), intent(2), refused(2)]), &wanted, 3, 0), Turn::Look);
        let read = |of| Body::PolicyRead(policy_read(of));
        assert_eq!(turn(&rows([intent(1), intent(2), refused(2), read("RESTRICTED")]), &wanted, 3, 0), Turn::InForce);
        assert_eq!(turn(&rows([intent(1), intent(2), refused(2), read("ALL_ALLOWED")]), &wanted, 3, 0), Turn::Denied);
    }

    fn policy_read(of: &str) -> PolicyRead {
        let at = rows([intent(1)]).remove(0).clock;
        PolicyRead {
            began: at.clone(),
            ended: at,
            answered: true,
            status: Some(200),
            error_type: None,
            request_id: None,
            server_date: None,
            state: Some(state(of)),
        }
    }
}

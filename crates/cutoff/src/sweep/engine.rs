//! The loop around the decisions: asks [`next`] what to do for each grant, does it, writes it down, and asks again. It
//! sends nothing whose intent is not on disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use journal::{
    Answer, Body, Closing, Failure, Grant, Intent, Journal, Note, Route, Row, RowDraft, RunningLock, SweepId,
};
use stytch_b2b::{Cause, ConnectedAppId, Error as ApiError, MemberId, Phase};

use super::next::{Move, next};
use super::verdict::{self, Finding, Outcome, RULES_VERSION, Rules};
use super::{Observer, Pace, Step};
use crate::clock::Clock;
use crate::directory::Directory;
use crate::error::Error;
use crate::session::Session;

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Every grant is at rest.
    AtRest,
    /// The API said that the session is over; what is open stays open.
    SessionEnded(ApiError),
}

/// One sweep being carried out, or settled. Whoever holds it holds the sweep's running lock.
pub struct Engine<'a> {
    pub(super) journal: Arc<Journal>,
    pub(super) session: &'a Session,
    pub(super) directory: &'a Directory,
    pub(super) clock: &'a Clock,
    pub(super) reads: u32,
    /// The last refusal of the revoke itself: what a sweep of one answers its caller with.
    pub(super) refusal: Option<ApiError>,
    id: SweepId,
    rows: Vec<Row>,
    attempts: u32,
    sent: bool,
    /// Intents that are on disk and whose requests have not left.
    ready: Vec<(u32, Grant)>,
    pace: &'a Pace,
    rules: &'a Rules,
    observer: &'a Observer,
    _lock: RunningLock,
}

impl<'a> Engine<'a> {
    /// Takes a sweep up where its rows leave it.
    #[allow(clippy::too_many_arguments, reason = "the ground a sweep stands on, named once")]
    pub(crate) async fn take_up(
        journal: Arc<Journal>,
        session: &'a Session,
        directory: &'a Directory,
        clock: &'a Clock,
        pace: &'a Pace,
        rules: &'a Rules,
        observer: &'a Observer,
        id: SweepId,
        lock: RunningLock,
    ) -> Result<Self, Error> {
        let mut engine = Self {
            journal,
            session,
            directory,
            clock,
            reads: 0,
            refusal: None,
            id,
            rows: Vec::new(),
            attempts: 0,
            sent: false,
            ready: Vec::new(),
            pace,
            rules,
            observer,
            _lock: lock,
        };
        engine.follow().await?;
        Ok(engine)
    }

    /// Makes the intents of every grant that the opening recorded without sending: the first batch.
    pub(crate) fn make_ready(&mut self) {
        let grants = self.grants();
        self.ready = self
            .rows
            .iter()
            .filter_map(|row| match &row.body {
                Body::Intent(intent) => {
                    let grant = grants.iter().find(|grant| grant.n == intent.n)?;
                    Some((intent.attempt, grant.clone()))
                }
                _ => None,
            })
            .collect();
    }

    /// All rows so far.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Which sweep this is.
    pub(crate) fn id(&self) -> SweepId {
        self.id
    }

    /// Whether this run let a request leave.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent
    }

    /// The last refusal of the revoke itself.
    pub(crate) fn refusal(&self) -> Option<&ApiError> {
        self.refusal.as_ref()
    }

    /// Carries the sweep on until every grant is at rest or the session ends. With `may_send` false it only reads.
    pub(crate) async fn run(&mut self, may_send: bool) -> Result<Ended, Error> {
        if !self.ready.is_empty() {
            self.tell(Step::IntentRecorded);
            let batch = std::mem::take(&mut self.ready);
            if let Some(error) = self.send_recorded(batch).await? {
                self.note("session_ended", &[]).await?;
                return Ok(Ended::SessionEnded(error));
            }
        }
        loop {
            let now = self.clock.now().stamp();
            let (mut send, mut read, mut pause) = (Vec::new(), Vec::new(), None::<Duration>);
            for grant in self.grants() {
                match next(grant.n, &self.rows, self.pace, self.rules, may_send, &now) {
                    Move::Send => send.push(grant),
                    Move::Read => read.push(grant),
                    Move::Wait(left) => pause = Some(pause.map_or(left, |pause| pause.min(left))),
                    Move::Rest => {}
                }
            }
            let ended = if !send.is_empty() {
                self.send(send).await?
            } else if !read.is_empty() {
                self.read(read, may_send).await?
            } else if let Some(pause) = pause {
                self.tell(Step::Waiting);
                tokio::time::sleep(pause).await;
                None
            } else {
                self.close().await?;
                return Ok(Ended::AtRest);
            };
            if let Some(error) = ended {
                self.note("session_ended", &[]).await?;
                return Ok(Ended::SessionEnded(error));
            }
        }
    }

    /// Reads once, whatever the grants are at rest or not: the second, confirming read, and the look at a restart.
    pub(crate) async fn read_once(&mut self) -> Result<Ended, Error> {
        let grants = self.grants();
        match self.read(grants, false).await? {
            None => {
                self.close().await?;
                Ok(Ended::AtRest)
            }
            Some(error) => Ok(Ended::SessionEnded(error)),
        }
    }

    /// Writes a note.
    pub(crate) async fn note(&mut self, what: &str, detail: &[(&str, String)]) -> Result<(), Error> {
        let detail = detail.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let note = Note { what: what.to_owned(), detail };
        let row = RowDraft { clock: self.clock.now().stamp(), body: Body::Note(note) };
        self.write(vec![row]).await
    }

    async fn send(&mut self, grants: Vec<Grant>) -> Result<Option<ApiError>, Error> {
        let mut batch = Vec::with_capacity(grants.len());
        for grant in grants {
            self.attempts += 1;
            batch.push((self.attempts, grant));
        }
        let clock = self.clock.now().stamp();
        let intents = batch
            .iter()
            .map(|(attempt, grant)| RowDraft {
                clock: clock.clone(),
                body: Body::Intent(Intent { attempt: *attempt, n: grant.n }),
            })
            .collect();
        self.write(intents).await?;
        self.tell(Step::IntentRecorded);
        self.send_recorded(batch).await
    }

    /// Sends what is on disk as intended, and writes down what came back.
    async fn send_recorded(&mut self, batch: Vec<(u32, Grant)>) -> Result<Option<ApiError>, Error> {
        self.tell(Step::Sending);
        self.sent = true;
        let (session, clock) = (self.session, self.clock);
        let answers: Vec<(RowDraft, Option<ApiError>)> = futures::stream::iter(batch)
            .map(|(attempt, grant)| one_revoke(session, clock, attempt, grant))
            .buffer_unordered(self.pace.concurrency.max(1))
            .collect()
            .await;
        self.tell(Step::Answered);

        let mut ended = None;
        let mut rows = Vec::with_capacity(answers.len());
        for (row, error) in answers {
            rows.push(row);
            if let Some(error) = error {
                if matches!(error, ApiError::SignedOut(_)) {
                    ended = Some(error.clone());
                }
                self.refusal = Some(error);
            }
        }
        self.write(rows).await?;
        self.tell(Step::AnswerRecorded);
        Ok(ended)
    }

    async fn read(&mut self, grants: Vec<Grant>, may_send: bool) -> Result<Option<ApiError>, Error> {
        self.tell(Step::Reading);
        let rows = match self.read_round(&grants).await {
            Ok(rows) => rows,
            Err(error) => return Ok(Some(error)),
        };
        self.tell(Step::Read);
        // A read that brings every grant to rest goes to disk together with the closing row.
        let after = self.with(&rows);
        let now = self.clock.now().stamp();
        let at_rest =
            grants_of(&after).all(|grant| next(grant.n, &after, self.pace, self.rules, may_send, &now) == Move::Rest);
        let closing = if at_rest { self.closing(&after) } else { None };
        let closes = closing.is_some();
        self.write(rows.into_iter().chain(closing).collect()).await?;
        self.tell(Step::ReadRecorded);
        if closes {
            self.tell(Step::Closed);
        }
        Ok(None)
    }

    /// What the rows would be with `drafts` appended: for judging before writing, so that what follows from a read goes
    /// to disk with it.
    fn with(&self, drafts: &[RowDraft]) -> Vec<Row> {
        let next = drafts.iter().zip(self.rows.len() as u64..);
        let drafts = next.map(|(draft, seq)| Row { seq, clock: draft.clock.clone(), body: draft.body.clone() });
        self.rows.iter().cloned().chain(drafts).collect()
    }

    /// Closes the sweep if nothing can be sent for it any more, counting the outcomes as they now are.
    async fn close(&mut self) -> Result<(), Error> {
        let Some(row) = self.closing(&self.rows) else { return Ok(()) };
        self.write(vec![row]).await?;
        self.tell(Step::Closed);
        Ok(())
    }

    /// The closing row that `rows` call for; `None` while something may still be sent, or when one says the same already.
    fn closing(&self, rows: &[Row]) -> Option<RowDraft> {
        let findings = verdict::findings(rows, self.rules);
        if findings.values().any(may_be_sent_again) {
            return None;
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for finding in findings.values() {
            *counts.entry(finding.outcome.name().to_owned()).or_default() += 1;
        }
        let last = rows.iter().rev().find_map(|row| match &row.body {
            Body::Closing(closing) => Some(&closing.counts),
            _ => None,
        });
        if last == Some(&counts) {
            return None;
        }
        let closing = Closing { counts, rules_version: RULES_VERSION, rows: 0 };
        Some(RowDraft { clock: self.clock.now().stamp(), body: Body::Closing(closing) })
    }

    fn grants(&self) -> Vec<Grant> {
        grants_of(&self.rows).cloned().collect()
    }

    fn tell(&self, step: Step) {
        (self.observer)(step);
    }

    /// Puts rows on disk, then takes up what the journal made of them.
    async fn write(&mut self, rows: Vec<RowDraft>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let (journal, id) = (self.journal.clone(), self.id);
        blocking(move || journal.append(id, &rows)).await?;
        self.follow().await
    }

    /// Reads the rows that are new since the last look.
    async fn follow(&mut self) -> Result<(), Error> {
        let (journal, id, from) = (self.journal.clone(), self.id, self.rows.len() as u64);
        let new = blocking(move || journal.rows_from(id, from)).await?;
        for stored in new {
            match &stored.row.body {
                Body::Intent(intent) => self.attempts = self.attempts.max(intent.attempt),
                Body::Read(read) => self.reads = self.reads.max(read.read),
                _ => {}
            }
            self.rows.push(stored.row);
        }
        Ok(())
    }
}

fn grants_of(rows: &[Row]) -> impl Iterator<Item = &Grant> {
    rows.iter().filter_map(|row| match &row.body {
        Body::Grant(grant) => Some(grant),
        _ => None,
    })
}

/// A closed sweep sends nothing more, so one stays open while an unanswered request may have to be repeated.
fn may_be_sent_again(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Unknown | Outcome::Hidden)
}

/// Runs a short blocking piece of work of the journal's off the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, journal::Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
        // The runtime is shutting down: the work was never begun.
        Err(_) => Err(Error::Journal(journal::Error::Busy)),
    }
}

/// One request, whatever comes of it, as a row.
async fn one_revoke(session: &Session, clock: &Clock, attempt: u32, grant: Grant) -> (RowDraft, Option<ApiError>) {
    let app = ConnectedAppId::from(grant.connected_app_id.as_str());
    let token = session.token();
    let sent = clock.now().stamp();
    let answer = match grant.route {
        Route::Oneself => session.client.revoke_own_connected_app(&token, &app).await,
        _ => {
            let member = MemberId::from(grant.member_id.as_str());
            session.client.revoke_member_connected_app(&token, &member, &app).await
        }
    };
    let clock = clock.now().stamp();
    let (body, error) = match answer {
        Ok(reply) => (
            Answer {
                attempt,
                n: grant.n,
                sent,
                answered: true,
                status: Some(reply.status),
                error_type: None,
                request_id: reply.request_id.map(|id| id.to_string()),
                server_date: reply.server_date,
                failure: None,
            },
            None,
        ),
        Err(error) => {
            let facts = error.facts();
            let failure = failure(&error);
            (
                Answer {
                    attempt,
                    n: grant.n,
                    sent,
                    answered: failure.is_none(),
                    status: facts.status,
                    error_type: facts.error_type.clone(),
                    request_id: facts.request_id.as_ref().map(ToString::to_string),
                    server_date: facts.server_date.clone(),
                    failure,
                },
                Some(error),
            )
        }
    };
    (RowDraft { clock, body: Body::Answer(body) }, error)
}

/// Why an error is no answer; `None` when it is one.
pub(super) fn failure(error: &ApiError) -> Option<Failure> {
    match error {
        ApiError::Unreachable { phase: Phase::NotSent, .. } | ApiError::InvalidInput { .. } => Some(Failure::NotSent),
        ApiError::Unreachable { cause: Cause::TimedOut, .. } => Some(Failure::TimedOut),
        ApiError::Unreachable { .. } => Some(Failure::Reset),
        ApiError::Garbled { .. } => Some(Failure::Garbled),
        ApiError::Redirected { .. } => Some(Failure::Redirected),
        _ => None,
    }
}

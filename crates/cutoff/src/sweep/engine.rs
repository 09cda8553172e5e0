//! The loop around the decisions: asks [`next`] what to do for each grant, does it, writes it down, and asks again. It
//! sends nothing whose intent is not on disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, future};
use journal::{
    Answer, Body, Closing, Failure, Grant, Intent, Journal, Note, Route, Row, RowDraft, RunningLock, StoredRow, SweepId,
};
use stytch_b2b::{Cause, Client, ConnectedAppId, Error as ApiError, MemberId, Phase, Reply, SessionToken};
use tokio::sync::watch;

use super::change::Blocking;
use super::next::{Move, Terms, next};
use super::rows::Rows;
use super::tempo::{May, Tempo};
use super::verdict::{self, Finding, Outcome, RULES_VERSION, Rules, Why};
use super::{Manner, Observer, Pace, Step, Wish};
use crate::clock::{Clock, steady_ms};
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
    /// Somebody asked for it.
    Paused,
    /// Somebody asked for it, and what was not sent is never sent.
    Cancelled,
    /// A refusal that would meet every other grant alike.
    Halted(ApiError),
    /// Too many of the first few failed.
    CanaryDied {
        /// How many of those failed.
        failed: u32,
        /// How many they were.
        of: u32,
    },
}

/// How far a running sweep is: what a picture of it is drawn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Grants of the plan.
    pub grants: u32,
    /// Requests answered in this run, those that were refused for their rate not counted.
    pub answered: u32,
    /// Requests that are still to be sent, as far as is known.
    pub to_send: u32,
    /// Grants by outcome, as last judged.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Nothing leaves before this, milliseconds since the epoch: the server limits the rate.
    pub limited_until_ms: Option<i64>,
    /// How many calls a window of the server's admits, once that is known.
    pub quota: Option<u32>,
    /// No answer can be had; it is looked for again at this, milliseconds since the epoch.
    pub offline_until_ms: Option<i64>,
    /// Re-reads are under way.
    pub reading: bool,
    /// Requests a second, as far as measured; 0: not yet.
    pub rate_milli: u32,
}

/// Intents that lie ready on disk at the most, for each request that may be under way: few, since a crash leaves each of them to
/// be settled by reading.
const READY: usize = 2;
/// And at the most in all, where the server is so fast, or the disk so slow, that more would leave before the next are there.
const MOST_READY: usize = 512;
/// Between the beginnings of two writes, while requests can leave without another: a server that answers thousands a second must
/// not have the disk written for each few of them.
const BETWEEN_WRITES: Duration = Duration::from_millis(20);
/// Requests in a row that nobody answered, and the network is looked for before the next is sent.
const SILENT: u32 = 3;
/// How many are sent before the next part of a canary sweep.
const CANARY: [u32; 2] = [1, 5];

/// One sweep being carried out, or settled. Whoever holds it holds the sweep's running lock.
pub struct Engine<'a> {
    pub(super) journal: Arc<Journal>,
    pub(super) session: &'a Session,
    pub(super) directory: &'a Directory,
    pub(super) clock: &'a Clock,
    /// When this run took the sweep up: what its times are counted from.
    began: journal::Clock,
    pub(super) reads: u32,
    /// By app, the members in no grant of the sweep whom its own view listed when it last told.
    pub(super) beside: BTreeMap<String, BTreeSet<String>>,
    /// The last refusal of the revoke itself: what a sweep of one answers its caller with.
    pub(super) refusal: Option<ApiError>,
    id: SweepId,
    pub(super) rows: Rows,
    /// The last findings, and of how many rows they are.
    judged: Mutex<(usize, Arc<BTreeMap<u32, Finding>>)>,
    attempts: u32,
    sent: bool,
    /// Intents that are on disk and whose requests have not left.
    ready: VecDeque<(u32, Grant)>,
    pub(super) manner: Manner,
    pub(super) tempo: Tempo,
    wish: watch::Receiver<Wish>,
    progress: watch::Sender<Progress>,
    /// Requests in a row that nobody answered.
    silent: u32,
    pub(super) pace: &'a Pace,
    rules: &'a Rules,
    observer: &'a Observer,
    _lock: RunningLock,
}

/// What carries a sweep beside its rows.
pub(crate) struct Ground<'a> {
    pub(crate) journal: Arc<Journal>,
    pub(crate) session: &'a Session,
    pub(crate) directory: &'a Directory,
    pub(crate) clock: &'a Clock,
    pub(crate) pace: &'a Pace,
    pub(crate) rules: &'a Rules,
    pub(crate) observer: &'a Observer,
}

/// A sweep whose running lock is held.
pub(crate) struct Held {
    pub(crate) id: SweepId,
    pub(crate) lock: RunningLock,
    /// Its first rows, as far as they are known: the others are read.
    pub(crate) rows: Vec<StoredRow>,
}

impl Held {
    /// None of its rows is known.
    pub(crate) fn unread(id: SweepId, lock: RunningLock) -> Self {
        Self { id, lock, rows: Vec::new() }
    }
}

/// Who watches a sweep of many, and what they wish.
pub(crate) struct Watched {
    pub(crate) wish: watch::Receiver<Wish>,
    pub(crate) progress: watch::Sender<Progress>,
}

impl Watched {
    /// Nobody watches.
    pub(crate) fn not() -> Self {
        Self { wish: watch::channel(Wish::Run).1, progress: watch::Sender::new(Progress::default()) }
    }
}

impl<'a> Engine<'a> {
    /// Takes a sweep up where its rows leave it.
    pub(crate) async fn take_up(
        ground: Ground<'a>,
        held: Held,
        manner: Manner,
        watched: Watched,
    ) -> Result<Self, Error> {
        let Held { id, lock, rows } = held;
        let Ground { journal, session, directory, clock, pace, rules, observer } = ground;
        let mut engine = Self {
            journal,
            session,
            directory,
            clock,
            began: clock.now().stamp(),
            reads: 0,
            beside: BTreeMap::new(),
            refusal: None,
            id,
            rows: Rows::default(),
            judged: Mutex::default(),
            attempts: 0,
            sent: false,
            ready: VecDeque::new(),
            manner,
            tempo: Tempo::new(pace.concurrency, pace.window),
            wish: watched.wish,
            progress: watched.progress,
            silent: 0,
            pace,
            rules,
            observer,
            _lock: lock,
        };
        engine.take_in(rows);
        engine.follow().await?;
        // What was begun with patience is gone on with in patience, whoever takes it up: only so does it stay open.
        engine.manner.patient |= engine.rows.all().iter().any(is_patient);
        let grants = u32::try_from(engine.rows.grants().len()).unwrap_or(u32::MAX);
        engine.progress.send_modify(|progress| progress.grants = grants);
        Ok(engine)
    }

    /// Makes the intents ready that the opening recorded without sending.
    pub(crate) fn make_ready(&mut self) {
        let intents = self.rows.all().iter().filter_map(|row| match &row.body {
            Body::Intent(intent) => Some((intent.attempt, self.rows.grant(intent.n)?.clone())),
            _ => None,
        });
        self.ready = intents.collect();
    }

    /// All rows so far.
    pub(super) fn rows(&self) -> &[Row] {
        self.rows.all()
    }

    /// All rows, for whoever goes on with them once the sweep's lock is given back.
    pub(crate) fn into_rows(self) -> Rows {
        self.rows
    }

    /// Which sweep this is.
    pub(crate) fn id(&self) -> SweepId {
        self.id
    }

    /// Whether this run let a request leave.
    pub(crate) fn has_sent(&self) -> bool {
        self.sent
    }

    /// A request is about to leave.
    pub(super) fn set_sent(&mut self) {
        self.sent = true;
    }

    /// The last refusal of the revoke itself.
    pub(crate) fn refusal(&self) -> Option<&ApiError> {
        self.refusal.as_ref()
    }

    /// What the rows so far come to, for each grant.
    pub(super) fn findings(&self) -> Arc<BTreeMap<u32, Finding>> {
        let rows = self.rows.all().len();
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if judged.0 != rows {
            *judged = (rows, Arc::new(verdict::findings(&self.rows, self.rules)));
        }
        judged.1.clone()
    }

    fn next(&self, finding: &Finding, n: u32, may_send: bool, now: &journal::Clock) -> Move {
        let terms = Terms { pace: self.pace, rules: self.rules, patient: self.manner.patient, may_send, now };
        next(n, self.rows.of(n), finding, terms)
    }

    /// Carries the sweep on until every grant is at rest, the session ends, or something stops it. With `may_send` false it
    /// only reads.
    pub(crate) async fn run(&mut self, may_send: bool) -> Result<Ended, Error> {
        if !self.ready.is_empty() {
            self.tell(Step::IntentRecorded);
            if let Some(ended) = self.send(VecDeque::new()).await? {
                return self.stop(ended).await;
            }
        }
        let mut part = 0;
        loop {
            if let Some(ended) = self.wished() {
                return self.stop(ended).await;
            }
            let now = self.clock.now().stamp();
            let (mut send, mut read, mut pause) = (VecDeque::new(), Vec::new(), None::<Duration>);
            for (finding, grant) in self.findings().values().zip(self.rows.grants()) {
                match self.next(finding, grant.n, may_send && self.may_begin(finding), &now) {
                    Move::Send => send.push_back(grant.clone()),
                    Move::Read => read.push(grant.clone()),
                    Move::Wait(left) => pause = Some(pause.map_or(left, |pause| pause.min(left))),
                    Move::Rest => {}
                }
            }
            if self.manner.canary
                && let Some(end) = CANARY.get(part)
            {
                // What was sent before may be sent again; of the others only as many as this part has room for.
                let mut room = end.saturating_sub(self.sent_grants());
                send.retain(|grant| {
                    self.was_sent(grant.n) || {
                        let fits = room > 0;
                        room = room.saturating_sub(1);
                        fits
                    }
                });
                if send.is_empty() && read.is_empty() && pause.is_none() {
                    if let Some(died) = self.canary_died() {
                        return self.stop(died).await;
                    }
                    part += 1;
                    continue;
                }
            }
            let ended = if !send.is_empty() {
                self.send(send).await?
            } else if !read.is_empty() {
                self.read(read, may_send).await?
            } else if let Some(pause) = pause {
                self.tell(Step::Waiting);
                self.wait(pause).await;
                None
            } else {
                self.close().await?;
                self.draw();
                return Ok(Ended::AtRest);
            };
            if let Some(ended) = ended {
                return self.stop(ended).await;
            }
        }
    }

    /// Writes down why a run ends before everything is at rest.
    pub(super) async fn stop(&mut self, ended: Ended) -> Result<Ended, Error> {
        let (what, detail) = match &ended {
            Ended::AtRest => return Ok(ended),
            Ended::SessionEnded(_) => ("session_ended", Vec::new()),
            Ended::Paused => ("paused", Vec::new()),
            Ended::Cancelled => ("cancelled", Vec::new()),
            Ended::Halted(error) => ("halted", vec![("error_type", error_word(error))]),
            Ended::CanaryDied { failed, of } => {
                ("canary_died", vec![("failed", failed.to_string()), ("of", of.to_string())])
            }
        };
        self.note(what, &detail).await?;
        if matches!(ended, Ended::Cancelled) {
            // What was sent is known or not as it is; what was not never will be, so the sweep can be closed.
            self.close().await?;
        }
        self.draw();
        Ok(ended)
    }

    pub(super) fn wished(&self) -> Option<Ended> {
        match *self.wish.borrow() {
            Wish::Run => None,
            Wish::Pause => Some(Ended::Paused),
            Wish::Cancel => Some(Ended::Cancelled),
        }
    }

    /// Waits, or less long if somebody wishes something else.
    pub(super) async fn wait(&mut self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            Ok(_) = self.wish.wait_for(|wish| *wish != Wish::Run) => {}
        }
    }

    /// Whether a request may leave for a grant although none has yet.
    fn may_begin(&self, finding: &Finding) -> bool {
        !self.manner.again_only || finding.attempts > 0
    }

    fn sent_grants(&self) -> u32 {
        let sent = self.rows.grants().iter().filter(|grant| self.was_sent(grant.n));
        u32::try_from(sent.count()).unwrap_or(u32::MAX)
    }

    fn was_sent(&self, n: u32) -> bool {
        self.rows.of(n).iter().any(|row| matches!(&row.body, Body::Intent(intent) if intent.n == n))
    }

    /// Whether more of the first few failed than one in five.
    fn canary_died(&self) -> Option<Ended> {
        let (mut failed, mut of) = (0, 0);
        for finding in self.findings().values() {
            if finding.attempts > 0 {
                of += 1;
                // Hidden is a revoke without an answer, too.
                let bad = matches!(
                    finding.outcome,
                    Outcome::Failed | Outcome::Denied | Outcome::Unknown | Outcome::StillThere | Outcome::Hidden
                ) || finding.why == Some(Why::ListedYet);
                failed += u32::from(bad);
            }
        }
        (failed * 5 > of).then_some(Ended::CanaryDied { failed, of })
    }

    /// Draws the picture of how far it is anew.
    fn draw(&self) {
        let mut outcomes: BTreeMap<Outcome, u32> = BTreeMap::new();
        for finding in self.findings().values() {
            *outcomes.entry(finding.outcome).or_default() += 1;
        }
        self.progress.send_modify(|progress| progress.outcomes = outcomes);
    }

    /// Reads once, whatever the grants are at rest or not: the second, confirming read, and the look at a restart.
    pub(crate) async fn read_once(&mut self) -> Result<Ended, Error> {
        let grants = self.rows.grants().to_vec();
        match self.read(grants, false).await? {
            None => {
                self.close().await?;
                Ok(Ended::AtRest)
            }
            Some(ended) => Ok(ended),
        }
    }

    /// Writes a note.
    pub(crate) async fn note(&mut self, what: &str, detail: &[(&str, String)]) -> Result<(), Error> {
        let detail = detail.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let note = Note { what: what.to_owned(), detail };
        let row = RowDraft { clock: self.clock.now().stamp(), body: Body::Note(note) };
        self.write(vec![row]).await
    }

    /// Records intents and sends: one write at a time takes all answers that came while the one before was under way, and the
    /// intents of what may leave next. Nothing leaves whose intent is not on disk, and no answer waits for another.
    async fn send(&mut self, mut waiting: VecDeque<Grant>) -> Result<Option<Ended>, Error> {
        let (session, clock, journal, id) = (self.session, self.clock, self.journal.clone(), self.id);
        let mut under_way = FuturesUnordered::new();
        let mut answers: Vec<RowDraft> = Vec::new();
        let mut writing: Option<Writing> = None;
        let few = READY * self.pace.concurrency;
        // Requests that left since the last write began, and when the next one is due at the earliest.
        let mut left = 0;
        let mut due = pin!(tokio::time::sleep(Duration::ZERO));
        let mut over: Option<Ended> = None;
        let began = self.now_ms();
        let (before, mut answered) = (self.progress.borrow().answered, 0_u32);
        loop {
            if over.is_none() {
                over = self.wished();
            }
            // What is on disk and may leave, leaves.
            let now = self.now_ms();
            let may = self.tempo.may(now);
            if over.is_none()
                && let May::Go(at_once) = may
                && self.silent < SILENT
            {
                while under_way.len() < at_once
                    && let Some((attempt, grant)) = self.ready.pop_front()
                {
                    if !self.sent {
                        self.tell(Step::Sending);
                    }
                    self.sent = true;
                    left += 1;
                    under_way.push(one_revoke(session, clock, attempt, grant));
                }
            }
            let pressing = under_way.is_empty() || self.ready.is_empty() && !waiting.is_empty();
            // Asked once a turn: what is not written for it must be woken by it.
            let elapsed = due.is_elapsed();
            if writing.is_none() && (pressing || elapsed) {
                // As many as left since the last write will be wanted before the next one is done, and as many again; a write is
                // due when half of them are gone.
                let most_ready = (left * 4).clamp(few, MOST_READY.max(few));
                let room = if over.is_none() { most_ready.saturating_sub(self.ready.len()) } else { 0 };
                // Only where no answer waits, a write is put off until it is worth it.
                let worth = room > most_ready / 2 && !waiting.is_empty();
                if worth || !answers.is_empty() {
                    let stamp = clock.now().stamp();
                    let mut rows = std::mem::take(&mut answers);
                    let mut intents = Vec::new();
                    if room > 0 {
                        for grant in waiting.drain(..waiting.len().min(room)) {
                            self.attempts += 1;
                            let intent = Intent { attempt: self.attempts, n: grant.n };
                            rows.push(RowDraft { clock: stamp.clone(), body: Body::Intent(intent) });
                            intents.push((self.attempts, grant));
                        }
                    }
                    let (journal, has_answers) = (journal.clone(), rows.len() > intents.len());
                    let from = self.rows.all().len() as u64;
                    let task = tokio::task::spawn_blocking(move || append(&journal, id, from, &rows));
                    writing = Some(Writing { task, intents, has_answers });
                    left = 0;
                    due.set(tokio::time::sleep(BETWEEN_WRITES));
                }
            }
            let idle = under_way.is_empty() && writing.is_none();
            if idle {
                let shut = match may {
                    May::NotBefore(at) => Some(at),
                    May::Go(_) => None,
                };
                if over.is_some() || self.ready.is_empty() && waiting.is_empty() {
                    break;
                }
                if self.silent >= SILENT {
                    over = self.find_network().await?;
                    continue;
                }
                if let Some(at) = shut {
                    self.tell_limit(Some(at));
                    self.tell(Step::Waiting);
                    self.wait(millis(at - now)).await;
                    self.tell_limit(None);
                }
                continue;
            }
            tokio::select! {
                Some((row, error)) = under_way.next(), if !under_way.is_empty() => {
                    let now = self.now_ms();
                    if let Body::Answer(answer) = &row.body {
                        let sent = self.at_ms(&answer.sent);
                        match &error {
                            Some(ApiError::RateLimited { retry_after, .. }) => {
                                self.tempo.refused(now, *retry_after, jitter(self.pace.jitter));
                            }
                            _ => {
                                self.tempo.admitted(sent, now);
                                answered += u32::from(answer.answered);
                            }
                        }
                    }
                    answers.push(row);
                    self.silent = if matches!(error, Some(ApiError::Unreachable { .. })) { self.silent + 1 } else { 0 };
                    if !self.manner.patient {
                        self.silent = 0;
                    }
                    if let Some(error) = error {
                        if matches!(error, ApiError::SignedOut(_)) {
                            over = Some(Ended::SessionEnded(error.clone()));
                        } else if self.manner.patient && over.is_none() && stops_all(&error) {
                            over = Some(Ended::Halted(error.clone()));
                        }
                        self.refusal = Some(error);
                    }
                    let to_send = u32::try_from(self.ready.len() + waiting.len() + under_way.len()).unwrap_or(u32::MAX);
                    let (quota, took) = (self.tempo.quota(), (now - began).max(1));
                    self.progress.send_modify(|progress| {
                        progress.answered = before + answered;
                        progress.to_send = to_send;
                        progress.quota = quota;
                        progress.rate_milli =
                            u32::try_from(i64::from(answered) * 1_000_000 / took).unwrap_or(u32::MAX);
                    });
                    if under_way.is_empty() && self.ready.is_empty() && waiting.is_empty() {
                        self.tell(Step::Answered);
                    }
                }
                written = async {
                    match &mut writing {
                        Some(writing) => (&mut writing.task).await,
                        None => future::pending().await,
                    }
                } => {
                    let done = writing.take();
                    let new = match written {
                        Ok(written) => written?,
                        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
                        Err(_) => return Err(Error::Journal(journal::Error::Busy)),
                    };
                    self.take_in(new);
                    if let Some(Writing { intents, has_answers, .. }) = done {
                        if has_answers {
                            self.tell(Step::AnswerRecorded);
                        }
                        if !intents.is_empty() {
                            self.ready.extend(intents);
                            self.tell(Step::IntentRecorded);
                        }
                    }
                }
                // Only for as long as something may wait for it to be written.
                () = &mut due, if writing.is_none() && !elapsed => {}
                Ok(_) = self.wish.changed(), if over.is_none() => {}
            }
        }
        // What is on disk as intended and will not leave now is written down as that, so that nobody has to wonder.
        let now = clock.now().stamp();
        let kept = self.ready.drain(..).map(|(attempt, grant)| RowDraft {
            clock: now.clone(),
            body: Body::Answer(Answer {
                attempt,
                n: grant.n,
                sent: now.clone(),
                answered: false,
                status: None,
                error_type: None,
                request_id: None,
                server_date: None,
                failure: Some(Failure::NotSent),
            }),
        });
        let kept = kept.collect();
        self.write(kept).await?;
        Ok(over)
    }

    /// One read. A sweep of many waits a limit out, and asks again.
    pub(super) async fn ask<T, F, Fut>(&mut self, call: F) -> Result<Reply<T>, ApiError>
    where
        F: Fn(Client, SessionToken) -> Fut,
        Fut: Future<Output = Result<Reply<T>, ApiError>>,
    {
        loop {
            let now = self.now_ms();
            if self.manner.patient
                && let May::NotBefore(at) = self.tempo.may(now)
                && self.wished().is_none()
            {
                self.tell_limit(Some(at));
                self.wait(millis(at - now)).await;
                self.tell_limit(None);
                continue;
            }
            match call(self.session.client.clone(), self.session.token()).await {
                Err(ApiError::RateLimited { retry_after, .. }) if self.manner.patient && self.wished().is_none() => {
                    self.tempo.refused(self.now_ms(), retry_after, jitter(self.pace.jitter));
                }
                other => {
                    self.tempo.admitted(now, self.now_ms());
                    return other;
                }
            }
        }
    }

    /// Looks for the network until somebody answers, whatever they answer.
    pub(super) async fn find_network(&mut self) -> Result<Option<Ended>, Error> {
        for turn in 0.. {
            if let Some(wished) = self.wished() {
                return Ok(Some(wished));
            }
            let pause = self.pace.network.get(turn).or(self.pace.network.last()).copied().unwrap_or_default();
            let at = self.now_ms().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            let shown = self.by_the_wall(at);
            self.progress.send_modify(|progress| progress.offline_until_ms = Some(shown));
            self.tell(Step::Waiting);
            self.wait(pause).await;
            let token = self.session.token();
            match self.session.client.organization(&token).await {
                Err(ApiError::Unreachable { .. }) => {}
                Err(error @ ApiError::SignedOut(_)) => return Ok(Some(Ended::SessionEnded(error))),
                _ => break,
            }
        }
        self.silent = 0;
        self.progress.send_modify(|progress| progress.offline_until_ms = None);
        Ok(None)
    }

    fn tell_limit(&self, until: Option<i64>) {
        let until = until.map(|at| self.by_the_wall(at));
        self.progress.send_modify(|progress| progress.limited_until_ms = until);
    }

    /// What the pace goes by.
    pub(super) fn at_ms(&self, stamp: &journal::Clock) -> i64 {
        steady_ms(&self.began, stamp)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.at_ms(&self.clock.now().stamp())
    }

    /// Such a time as the wall clock tells it now, for somebody who looks at one.
    fn by_the_wall(&self, at_ms: i64) -> i64 {
        let now = self.clock.now();
        at_ms.saturating_sub(self.at_ms(&now.stamp())).saturating_add(now.utc.as_millisecond())
    }

    async fn read(&mut self, grants: Vec<Grant>, may_send: bool) -> Result<Option<Ended>, Error> {
        self.tell(Step::Reading);
        self.progress.send_modify(|progress| progress.reading = true);
        let round = self.read_round(&grants).await;
        self.progress.send_modify(|progress| progress.reading = false);
        let rows = match round {
            Ok(rows) => rows,
            Err(error) => return Ok(Some(Ended::SessionEnded(error))),
        };
        self.tell(Step::Read);
        // A read that brings every grant to rest goes to disk together with the closing row: what follows from it is judged
        // before it is written.
        let known = self.rows.all().len();
        for (draft, seq) in rows.iter().zip(known as u64..) {
            self.rows.push(Row { seq, clock: draft.clock.clone(), body: draft.body.clone() });
        }
        let now = self.clock.now().stamp();
        let rests = |(finding, grant): (&Finding, &Grant)| self.next(finding, grant.n, may_send, &now) == Move::Rest;
        let rest = self.findings().values().zip(self.rows.grants()).all(rests);
        let closing = if rest { self.closing() } else { None };
        self.rows.truncate(known);
        // Other rows may take the place of these.
        self.judged = Mutex::default();
        let closes = closing.is_some();
        self.write(rows.into_iter().chain(closing).collect()).await?;
        self.tell(Step::ReadRecorded);
        self.draw();
        if closes {
            self.tell(Step::Closed);
        }
        Ok(None)
    }

    /// Closes the sweep if nothing can be sent for it any more, counting the outcomes as they now are.
    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        let Some(row) = self.closing() else { return Ok(()) };
        self.write(vec![row]).await?;
        self.tell(Step::Closed);
        Ok(())
    }

    /// The closing row that the rows call for; `None` while something may still be sent, or when one says the same already.
    fn closing(&self) -> Option<RowDraft> {
        let rows = &self.rows;
        let findings = self.findings();
        let now = self.clock.now().stamp();
        // Closed, it could not be taken up again to block what it was to block.
        if Blocking::of(rows).is_some_and(|blocking| !blocking.settled) {
            return None;
        }
        // A sweep of many stays open while somebody may still take it up and send.
        let waits = |(finding, grant): (&Finding, &Grant)| self.next(finding, grant.n, true, &now) != Move::Rest;
        if findings.values().any(may_be_sent_again)
            || self.manner.patient && findings.values().zip(rows.grants()).any(waits)
        {
            return None;
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for finding in findings.values() {
            *counts.entry(finding.outcome.name().to_owned()).or_default() += 1;
        }
        let last = rows.all().iter().rev().find_map(|row| match &row.body {
            Body::Closing(closing) => Some(&closing.counts),
            _ => None,
        });
        if last == Some(&counts) {
            return None;
        }
        let closing = Closing { counts, rules_version: RULES_VERSION, rows: 0 };
        Some(RowDraft { clock: self.clock.now().stamp(), body: Body::Closing(closing) })
    }

    pub(super) fn tell(&self, step: Step) {
        (self.observer)(step);
    }

    /// Puts rows on disk, then takes up what the journal made of them.
    pub(super) async fn write(&mut self, rows: Vec<RowDraft>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let (journal, id, from) = (self.journal.clone(), self.id, self.rows.all().len() as u64);
        let new = blocking(move || append(&journal, id, from, &rows));
        self.take_in(new.await?);
        Ok(())
    }

    /// Reads the rows that are new since the last look.
    async fn follow(&mut self) -> Result<(), Error> {
        let (journal, id, from) = (self.journal.clone(), self.id, self.rows.all().len() as u64);
        self.take_in(blocking(move || journal.rows_from(id, from)).await?);
        Ok(())
    }

    fn take_in(&mut self, new: Vec<StoredRow>) {
        for stored in new {
            match &stored.row.body {
                Body::Intent(intent) => self.attempts = self.attempts.max(intent.attempt),
                Body::Read(read) => self.reads = self.reads.max(read.read),
                _ => {}
            }
            self.rows.push(stored.row);
        }
    }
}

/// The note of a sweep that was begun with patience.
pub(crate) const PATIENT: &str = "patient";

fn is_patient(row: &Row) -> bool {
    matches!(&row.body, Body::Note(note) if note.what == PATIENT)
}

/// A write that is under way, and what may leave when it is done.
struct Writing {
    task: tokio::task::JoinHandle<Result<Vec<StoredRow>, journal::Error>>,
    intents: Vec<(u32, Grant)>,
    has_answers: bool,
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Some share of `most`, another each time.
pub(super) fn jitter(most: Duration) -> Duration {
    most.mul_f64(f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 256.0)
}

/// A refusal that has nothing to do with the one grant: every other would meet it too.
fn stops_all(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::NotAllowed { .. }
            | ApiError::BundleIdNotRegistered { .. }
            | ApiError::DomainRefused(_)
            | ApiError::SdkEndpointOff(_)
            | ApiError::CaptchaRequired(_)
            | ApiError::CookiesOnly(_)
            | ApiError::OrganizationSuspended(_)
            | ApiError::WrongOrganization(_)
            | ApiError::Redirected { .. }
    )
}

fn error_word(error: &ApiError) -> String {
    error.facts().error_type.clone().unwrap_or_else(|| "redirected".to_owned())
}

/// A closed sweep sends nothing more, so one stays open while an unanswered request may have to be repeated.
fn may_be_sent_again(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Unknown | Outcome::Hidden)
}

/// Puts rows on disk, and answers all that are new since row `from`: also somebody else's that came in between.
fn append(journal: &Journal, id: SweepId, from: u64, rows: &[RowDraft]) -> Result<Vec<StoredRow>, journal::Error> {
    let stored = journal.append(id, rows)?;
    if stored.first().is_some_and(|first| first.seq > from) { journal.rows_from(id, from) } else { Ok(stored) }
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
    let CameBack { answered, status, error_type, request_id, server_date, failure } = CameBack::of(&answer);
    let n = grant.n;
    let body = Answer { attempt, n, sent, answered, status, error_type, request_id, server_date, failure };
    (RowDraft { clock, body: Body::Answer(body) }, answer.err())
}

/// What came back of a call, in the fields that every row of one has.
pub(super) struct CameBack {
    pub(super) answered: bool,
    pub(super) status: Option<u16>,
    pub(super) error_type: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) server_date: Option<String>,
    pub(super) failure: Option<Failure>,
}

impl CameBack {
    pub(super) fn of<T>(answer: &Result<Reply<T>, ApiError>) -> Self {
        match answer {
            Ok(reply) => Self {
                answered: true,
                status: Some(reply.status),
                error_type: None,
                request_id: reply.request_id.as_ref().map(ToString::to_string),
                server_date: reply.server_date.clone(),
                failure: None,
            },
            Err(error) => {
                let (facts, failure) = (error.facts(), failure(error));
                Self {
                    answered: failure.is_none(),
                    status: facts.status,
                    error_type: facts.error_type.clone(),
                    request_id: facts.request_id.as_ref().map(ToString::to_string),
                    server_date: facts.server_date.clone(),
                    failure,
                }
            }
        }
    }
}

/// Why an error is no answer; `None` when it is one.
fn failure(error: &ApiError) -> Option<Failure> {
    match error {
        ApiError::Unreachable { phase: Phase::NotSent, .. } | ApiError::InvalidInput { .. } => Some(Failure::NotSent),
        ApiError::Unreachable { cause: Cause::TimedOut, .. } => Some(Failure::TimedOut),
        ApiError::Unreachable { .. } => Some(Failure::Reset),
        ApiError::Garbled { .. } => Some(Failure::Garbled),
        ApiError::Redirected { .. } => Some(Failure::Redirected),
        _ => None,
    }
}

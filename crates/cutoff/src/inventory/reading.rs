//! The reading of an inventory: one call for the list of apps, one for each app's members, and as many searches as the
//! members fill pages. It asks; what the answers mean is for [`super::history`] to say.

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{TryStreamExt as _, future, stream};
use jiff::Timestamp;
use stytch_b2b::{
    Client, ConnectedApp, ConnectedAppId, Error as ApiError, Facts, Member, MemberId, MemberSearch, Reply, Rows,
    SessionToken, UnreadableRow,
};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::picture::{Cause, Missing, What, u32_of};
use crate::directory::{AppGrants, Directory};
use crate::permission;
use crate::session::Session;

/// Most members that one search may return, by Stytch's reference.
const SEARCH_LIMIT: u32 = 1000;
/// So many calls in a row without any answer, and the network is taken to be gone.
const GIVE_UP_AFTER: u32 = 3;

/// How an inventory is read. Every pause is here, so that a test need not wait for real ones.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// The length of the server's windows, aligned to the epoch: a 429 that does not say when to come back is waited out until
    /// the next one begins. Stytch's limits are for fixed windows of a minute.
    pub window: Duration,
    /// Up to so much is added to such a wait, so that not everybody comes back at once.
    pub jitter: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { concurrency: 4, window: Duration::from_secs(60), jitter: Duration::from_millis(1500) }
    }
}

/// How far a reading is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// When it began.
    pub began: Timestamp,
    /// Calls answered.
    pub calls: u32,
    /// Calls it will take in all, as far as is known; `None` until the list of apps is there.
    pub calls_expected: Option<u32>,
    /// Apps in the list; `None` until it is there.
    pub apps: Option<u32>,
    /// Apps read, refused ones included.
    pub apps_done: u32,
    /// Members named so far.
    pub members: u32,
    /// Grants so far.
    pub grants: u32,
    /// How long it will take from here, by the pace so far; `None`: too early to tell.
    pub left: Option<Duration>,
    /// The server limits the rate: nothing is sent before then.
    pub waiting_until: Option<Timestamp>,
}

impl Progress {
    pub(super) fn new(began: Timestamp) -> Self {
        Self {
            began,
            calls: 0,
            calls_expected: None,
            apps: None,
            apps_done: 0,
            members: 0,
            grants: 0,
            left: None,
            waiting_until: None,
        }
    }
}

/// How one app's members were read.
#[derive(Clone, Debug)]
pub(super) enum AppAnswer {
    /// Shared with the directory, which knows it too when the reading is over.
    Read(Arc<AppGrants>),
    Not(Missing),
}

/// What has been answered so far.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub began: Timestamp,
    pub ended: Timestamp,
    /// The list of apps, each id once.
    pub apps: Vec<ConnectedApp>,
    pub unreadable_apps: Vec<UnreadableRow>,
    pub listed: bool,
    /// By the index in `apps`: when it was asked for, and what came.
    pub by_app: Vec<Option<(Timestamp, AppAnswer)>>,
    /// The first refusal of an app's view, that the app is gone aside.
    pub refused: Option<ApiError>,
    /// Each member once.
    pub members: Vec<Member>,
    pub unreadable_members: Vec<UnreadableRow>,
    /// Whether the search came to its end; what stopped it otherwise.
    pub names: Result<bool, Missing>,
    /// So many of `apps` the list lacked: their own views have them.
    pub beyond_list: usize,
    /// Apps that the list lacks, and nothing tells whether they are gone.
    pub not_borne_out: Vec<ConnectedAppId>,
    /// Grants, as connected app and member id, that these answers lack and that something else bears out to be gone.
    pub gone: Vec<(String, String)>,
}

impl Answers {
    pub(super) fn new(began: Timestamp) -> Self {
        Self {
            began,
            ended: began,
            apps: Vec::new(),
            unreadable_apps: Vec::new(),
            listed: false,
            by_app: Vec::new(),
            refused: None,
            members: Vec::new(),
            unreadable_members: Vec::new(),
            names: Ok(false),
            beyond_list: 0,
            not_borne_out: Vec::new(),
            gone: Vec::new(),
        }
    }
}

impl Answers {
    /// Why it has no app's grants at all, though apps are listed; `None`: it has those of one, or each app is gone.
    pub(super) fn without_grants(&self) -> Option<ApiError> {
        let read = self.by_app.iter().any(|answer| matches!(answer, Some((_, AppAnswer::Read(_)))));
        self.refused.clone().filter(|_| !read)
    }

    /// Tells the directory what was read, so that a plan made next knows it too.
    pub(super) fn tell(&self, directory: &Directory) {
        let by_app = self.by_app.iter().filter_map(|answer| match answer {
            Some((_, AppAnswer::Read(grants))) => Some(grants.clone()),
            _ => None,
        });
        let members = (self.names == Ok(true)).then(|| self.members.clone());
        directory.keep_reading(self.apps.clone(), by_app, members);
    }
}

/// Why a reading did not come to its end.
#[derive(Clone, Debug)]
pub(super) enum Stopped {
    /// Somebody asked it to.
    Cancelled,
    /// Nothing more can be had: the session is over, the network is gone, or the list of apps itself was refused.
    By(ApiError),
}

/// Where answers are gathered while others look on. Held for the length of a copy or an addition, never across a call.
pub(super) type Gathered = Mutex<Answers>;

pub(super) fn look<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads it all. What single refusals leave out stands in `gathered`; the reading goes on without it.
pub(super) async fn read(
    session: &Session,
    pace: &Pace,
    gathered: &Gathered,
    progress: &watch::Sender<Progress>,
    mut cancelled: watch::Receiver<bool>,
) -> Result<(), Stopped> {
    let reader = Reader {
        session,
        pace,
        gathered,
        progress,
        seats: Semaphore::new(pace.concurrency.max(1)),
        shut_until: Mutex::new(None),
        waited: Mutex::new(Duration::ZERO),
        began: Instant::now(),
        silent: AtomicU32::new(0),
        pages: AtomicU32::new(1),
    };
    tokio::select! {
        _ = cancelled.wait_for(|cancelled| *cancelled) => Err(Stopped::Cancelled),
        done = future::try_join(reader.apps(), reader.members()) => {
            look(gathered).ended = Timestamp::now();
            done.map(|_| ()).map_err(Stopped::By)
        }
    }
}

struct Reader<'a> {
    session: &'a Session,
    pace: &'a Pace,
    gathered: &'a Gathered,
    progress: &'a watch::Sender<Progress>,
    /// One for each call that may be under way.
    seats: Semaphore,
    /// Set by whoever is told to slow down, for all: nothing leaves before then. Held for a look or a swap.
    shut_until: Mutex<Option<Instant>>,
    /// How long everybody has waited so far, which tells nothing of the pace. Held for a look or an addition.
    waited: Mutex<Duration>,
    began: Instant,
    /// Calls in a row that nobody answered.
    silent: AtomicU32,
    /// Pages the search is expected to have.
    pages: AtomicU32,
}

impl Reader<'_> {
    async fn apps(&self) -> Result<(), ApiError> {
        let list = self.ask(|client, token| async move { client.connected_apps(&token).await }).await?.data;
        let apps: Vec<_> = {
            let mut answers = look(self.gathered);
            let mut seen = HashSet::new();
            answers.apps = list.rows.into_iter().filter(|app| seen.insert(app.connected_app_id.clone())).collect();
            answers.unreadable_apps = list.unreadable;
            answers.listed = true;
            answers.by_app = vec![None; answers.apps.len()];
            answers.apps.iter().cloned().enumerate().collect()
        };
        self.tell(|progress| progress.apps = Some(u32_of(apps.len())));
        stream::iter(apps.into_iter().map(Ok))
            .try_for_each_concurrent(self.pace.concurrency.max(1), |(at, app)| async move {
                let asked = Timestamp::now();
                let answer = self
                    .ask(|client, token| {
                        let id = app.connected_app_id.clone();
                        async move { client.connected_app(&token, &id).await }
                    })
                    .await;
                let answer = match answer {
                    Ok(reply) => {
                        let Rows { rows, unreadable } = reply.data.active_members;
                        AppAnswer::Read(Arc::new(AppGrants { app, rows, unreadable, short: None, read_at: asked }))
                    }
                    Err(error) => {
                        let error = self.bearable(error)?;
                        if !matches!(error, ApiError::ConnectedAppNotFound(_)) {
                            look(self.gathered).refused.get_or_insert_with(|| error.clone());
                        }
                        AppAnswer::Not(missing(What::App(app.connected_app_id), error))
                    }
                };
                let grants = if let AppAnswer::Read(rows) = &answer { u32_of(rows.rows.len()) } else { 0 };
                look(self.gathered).by_app[at] = Some((asked, answer));
                self.tell(|progress| {
                    progress.apps_done += 1;
                    progress.grants += grants;
                });
                Ok(())
            })
            .await
    }

    async fn members(&self) -> Result<(), ApiError> {
        let needs = permission::search_members();
        if self.session.may(needs).allowed == Some(false) {
            self.pages.store(0, Ordering::Relaxed);
            look(self.gathered).names = Err(Missing {
                what: What::Names,
                cause: Cause::Denied,
                rows: 0,
                status: None,
                error_type: None,
                request_id: None,
            });
            return Ok(());
        }
        let mut seen: HashSet<MemberId> = HashSet::new();
        let mut cursor: Option<String> = None;
        let mut cursors: HashSet<String> = HashSet::new();
        let mut place = 0;
        loop {
            let search = MemberSearch { cursor: cursor.clone(), limit: Some(SEARCH_LIMIT), ..MemberSearch::default() };
            let page = self
                .ask(|client, token| {
                    let search = search.clone();
                    async move { client.search_members(&token, &search).await }
                })
                .await;
            let page = match page {
                Ok(reply) => reply.data,
                Err(error) => {
                    let missing = missing(What::Names, self.bearable(error)?);
                    look(self.gathered).names = Err(missing);
                    return Ok(());
                }
            };
            if let Some(total) = page.total.and_then(|total| u32::try_from(total).ok()) {
                self.pages.store(total.div_ceil(SEARCH_LIMIT).max(1), Ordering::Relaxed);
            }
            let rows = page.members.rows.len() + page.members.unreadable.len();
            let members = {
                let mut answers = look(self.gathered);
                let unreadable = page.members.unreadable.into_iter();
                answers
                    .unreadable_members
                    .extend(unreadable.map(|row| UnreadableRow { index: row.index + place, ..row }));
                // Somebody who was added meanwhile pushes others on to the next page: they come twice.
                answers
                    .members
                    .extend(page.members.rows.into_iter().filter(|member| seen.insert(member.member_id.clone())));
                u32_of(answers.members.len())
            };
            place += rows;
            self.tell(|progress| progress.members = members);
            match page.next_cursor.filter(|next| !next.is_empty()) {
                Some(next) if cursors.insert(next.clone()) => cursor = Some(next),
                // A cursor that was there before would lead round in a circle for ever; what lies beyond it is not known.
                Some(_) => {
                    look(self.gathered).names = Err(Missing {
                        what: What::Names,
                        cause: Cause::Garbled,
                        rows: 0,
                        status: None,
                        error_type: None,
                        request_id: None,
                    });
                    return Ok(());
                }
                None => break,
            }
        }
        look(self.gathered).names = Ok(true);
        Ok(())
    }

    /// One call, when a seat is free and the server lets us: repeated for as long as it only asks us to slow down.
    async fn ask<T, F, Fut>(&self, call: F) -> Result<Reply<T>, ApiError>
    where
        F: Fn(Client, SessionToken) -> Fut,
        Fut: Future<Output = Result<Reply<T>, ApiError>>,
    {
        loop {
            // The seats are never closed, so this always is one.
            let seat = self.seats.acquire().await.ok();
            let shut = *look(&self.shut_until);
            if let Some(until) = shut
                && until > Instant::now()
            {
                drop(seat);
                tokio::time::sleep_until(until).await;
                continue;
            }
            let answer = self.session.read(&call).await;
            match answer {
                Err(ApiError::RateLimited { retry_after, .. }) => self.shut(retry_after),
                Err(error @ ApiError::Unreachable { .. }) => {
                    self.silent.fetch_add(1, Ordering::Relaxed);
                    return Err(error);
                }
                other => {
                    self.silent.store(0, Ordering::Relaxed);
                    self.tell(|progress| {
                        progress.calls += 1;
                        // What was under way when the limit was met is answered while all the others still wait.
                        if look(&self.shut_until).is_none_or(|until| until <= Instant::now()) {
                            progress.waiting_until = None;
                        }
                    });
                    return other;
                }
            }
        }
    }

    /// Nothing leaves before the server lets us in again.
    fn shut(&self, retry_after: Option<Duration>) {
        let now = Timestamp::now();
        let wait = pause(retry_after, now, self.pace, &uuid::Uuid::new_v4());
        let until = Instant::now() + wait;
        let mut shut = look(&self.shut_until);
        let longer = match *shut {
            Some(other) if other >= until => return,
            Some(other) => until.saturating_duration_since(other.max(Instant::now())),
            None => wait,
        };
        *shut = Some(until);
        drop(shut);
        *look(&self.waited) += longer;
        let at = now.checked_add(wait).unwrap_or(now);
        self.tell(|progress| progress.waiting_until = Some(at));
    }

    /// A refusal that the reading can go on without. The others end it: the session is over, or nobody answers any more.
    fn bearable(&self, error: ApiError) -> Result<ApiError, ApiError> {
        match error {
            ApiError::SignedOut(_) => Err(error),
            ApiError::Unreachable { .. } if self.silent.load(Ordering::Relaxed) >= GIVE_UP_AFTER => Err(error),
            other => {
                if matches!(other, ApiError::Unreachable { .. }) {
                    self.tell(|progress| progress.calls += 1);
                }
                Ok(other)
            }
        }
    }

    fn tell(&self, change: impl FnOnce(&mut Progress)) {
        // What is still to be waited for was not worked through, and comes on top of what is still to be done.
        let wait =
            look(&self.shut_until).map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        let waited = look(&self.waited).saturating_sub(wait);
        let worked = self.began.elapsed().saturating_sub(waited);
        let pages = self.pages.load(Ordering::Relaxed);
        self.progress.send_modify(|progress| {
            change(progress);
            progress.calls_expected = progress.apps.map(|apps| (1 + apps + pages).max(progress.calls));
            progress.left = progress.calls_expected.filter(|_| progress.calls > 1).map(|expected| {
                worked.mul_f64(f64::from(expected - progress.calls) / f64::from(progress.calls)) + wait
            });
        });
    }
}

/// How long nothing is sent after a 429: as long as it says; otherwise until the next window begins, and a little longer.
fn pause(retry_after: Option<Duration>, now: Timestamp, pace: &Pace, dice: &uuid::Uuid) -> Duration {
    if let Some(said) = retry_after {
        return said;
    }
    let window = pace.window.as_millis().max(1);
    let into = u128::try_from(now.as_millisecond()).unwrap_or(0) % window;
    let share = f64::from(dice.as_bytes()[0]) / 256.0;
    Duration::from_millis(u64::try_from(window - into).unwrap_or(u64::MAX)) + pace.jitter.mul_f64(share)
}

/// Something that an error has left unread.
pub(crate) fn missing(what: What, error: ApiError) -> Missing {
    let cause = match &error {
        ApiError::NotAllowed { .. } => Cause::Denied,
        ApiError::Unreachable { .. } => Cause::Offline,
        ApiError::ServerError(_) => Cause::ServerError,
        ApiError::Garbled { .. } => Cause::Garbled,
        ApiError::ConnectedAppNotFound(_) => Cause::AppGone,
        _ => Cause::Refused,
    };
    let Facts { status, error_type, request_id, .. } = error.facts().clone();
    let request_id = request_id.map(|id| id.to_string());
    Missing { what, cause, rows: 0, status, error_type, request_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_429_that_says_nothing_is_waited_out_until_the_next_window_and_a_little_longer() {
        let pace = Pace::default();
        let now: Timestamp = "2026-11-23T10:42:40Z".parse().expect("a time");
        for dice in [uuid::Uuid::nil(), uuid::Uuid::max()] {
            let wait = pause(None, now, &pace, &dice);
            assert!(wait >= Duration::from_secs(20), "{wait:?} ends inside the window that refused");
            assert!(wait <= Duration::from_secs(20) + pace.jitter, "{wait:?} is longer than it need be");
        }
        assert_eq!(pause(Some(Duration::from_secs(7)), now, &pace, &uuid::Uuid::nil()), Duration::from_secs(7));
    }
}

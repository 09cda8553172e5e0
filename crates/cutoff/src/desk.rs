//! One running Cutoff: its journal, its vault, the connection in use and the session on it. Every face of the product
//! (window, command line, tests) sits at one of these.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use journal::{Journal, SavedConnection, SweepId, Utc};
use stytch_b2b::{Authenticated, Error as ApiError, OrganizationId, SessionToken, SignInOutcome, Timeouts};
use uuid::Uuid;
use vault::{Keeping, Trouble, Vault};

use crate::clock::{Clock, rfc3339};
use crate::connections::{self, Checked, Draft};
use crate::directory::Directory;
use crate::error::{Error, Fault, Field};
use crate::inventory::shown::Held;
use crate::session::Session;
use crate::sign_in::{Attempt, Step as SignInStep};
use crate::sweep::engine::blocking;
use crate::sweep::verdict::Rules;
use crate::sweep::{Observer, Pace};

/// How often a live session is asked whether it still is one. The official web SDK asks as often.
pub const REFRESH_EVERY: Duration = Duration::from_secs(180);

/// What a desk is opened with.
pub struct Options {
    /// Where secrets are kept.
    pub vault: Vault,
    /// The client's timeouts.
    pub timeouts: Timeouts,
    /// How patient sweeps are.
    pub pace: Pace,
    /// How an inventory is read.
    pub reading: crate::inventory::reading::Pace,
    /// The rules outcomes are derived by.
    pub rules: Rules,
    /// Told of each step of each sweep.
    pub observer: Observer,
}

impl Options {
    /// The usual options around a vault.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self {
            vault,
            timeouts: Timeouts::default(),
            pace: Pace::default(),
            reading: crate::inventory::reading::Pace::default(),
            rules: Rules::default(),
            observer: Arc::new(|_| {}),
        }
    }
}

/// A session that ended without being asked to.
#[derive(Clone, Debug)]
pub struct SessionEnd {
    /// When that was noticed, RFC 3339.
    pub at: String,
    /// The organization's name.
    pub organization_name: String,
    /// The member's address.
    pub email: String,
    /// The request id of the answer that said so.
    pub request_id: Option<String>,
}

/// Whether somebody is signed in.
pub enum Status {
    /// Nobody is.
    SignedOut {
        /// The session that was here ended by itself.
        ended: Option<SessionEnd>,
        /// A session is kept but could not be checked.
        kept: Option<ApiError>,
        /// Where the next one would be kept.
        keeping: Keeping,
    },
    /// Somebody is.
    SignedIn(Arc<Session>),
}

/// One running Cutoff.
pub struct Desk {
    pub(crate) journal: Arc<Journal>,
    pub(crate) clock: Clock,
    pub(crate) pace: Pace,
    pub(crate) reading: crate::inventory::reading::Pace,
    pub(crate) rules: Rules,
    pub(crate) observer: Observer,
    pub(crate) vault: Vault,
    timeouts: Timeouts,
    /// Connections that live as long as the app, such as the sandbox's. Held for a look.
    passing: Mutex<Vec<SavedConnection>>,
    /// Held for a look or a swap, never across a call.
    seat: Mutex<Seat>,
    /// The sign-in under way; held for the length of one of its steps, so that two clicks make one.
    attempt: tokio::sync::Mutex<Option<Attempt>>,
    /// How often a sign-in was given up.
    cancels: AtomicU64,
    /// Held while a sweep runs in this process: one at a time, in the order they were asked for.
    pub(crate) sweeping: tokio::sync::Mutex<()>,
    /// Set once the kept session was looked for.
    restored: tokio::sync::OnceCell<()>,
    /// For each sweep that was looked at in this run: how many rows it had, and when it is worth another look (`None`:
    /// never, unless rows are added). Held for a look or a swap.
    looked: Mutex<HashMap<SweepId, (u64, Option<Timestamp>)>>,
    /// The sweeps that this run began, and those it found open although it did not. Held for a look or an insertion.
    begun: Mutex<HashSet<SweepId>>,
    left_behind: Mutex<HashSet<SweepId>>,
    pub(crate) held: Held,
    pub(crate) watched: crate::watch::Watched,
    /// What lists of sweeps were told last, so that a look costs what is new.
    pub(crate) digested: crate::activity::Digested,
    /// Held while the session is being checked, so that many failing calls make one check.
    checking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seat {
    session: Option<(Arc<Session>, Arc<Directory>)>,
    ended: Option<SessionEnd>,
    kept: Option<ApiError>,
    checked_at: Option<Timestamp>,
    /// Counts who sat down or stood up: what was begun before the last change must not undo it.
    generation: u64,
}

impl Desk {
    /// Sits down at a journal.
    #[must_use]
    pub fn new(journal: Arc<Journal>, options: Options) -> Self {
        Self {
            journal,
            clock: Clock::default(),
            pace: options.pace,
            reading: options.reading,
            held: Held::default(),
            watched: crate::watch::Watched::default(),
            digested: crate::activity::Digested::default(),
            rules: options.rules,
            observer: options.observer,
            vault: options.vault,
            timeouts: options.timeouts,
            passing: Mutex::default(),
            seat: Mutex::default(),
            attempt: tokio::sync::Mutex::default(),
            cancels: AtomicU64::new(0),
            sweeping: tokio::sync::Mutex::default(),
            restored: tokio::sync::OnceCell::new(),
            looked: Mutex::default(),
            begun: Mutex::default(),
            left_behind: Mutex::default(),
            checking: tokio::sync::Mutex::default(),
        }
    }

    fn seat(&self) -> std::sync::MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, HashMap<SweepId, (u64, Option<Timestamp>)>> {
        self.looked.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn mark_begun(&self, id: SweepId) {
        self.begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id);
    }

    /// Notes that a sweep was found open, unless it is this run's own.
    pub(crate) fn mark_left_behind(&self, id: SweepId) {
        if !self.begun.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&id) {
            self.left_behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id);
        }
    }

    /// Whether a sweep was found open although this run did not begin it.
    #[must_use]
    pub fn was_left_behind(&self, id: SweepId) -> bool {
        self.left_behind.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&id)
    }

    pub(crate) fn seen_this_run(&self, id: SweepId) -> bool {
        self.looked().contains_key(&id)
    }

    /// Whether a sweep of so many rows was found not to be worth a look before some later time.
    pub(crate) fn nothing_due(&self, id: SweepId, rows: u64, now: Timestamp) -> bool {
        self.looked().get(&id).is_some_and(|(known, next)| *known == rows && next.is_none_or(|next| next > now))
    }

    pub(crate) fn look_not_before(&self, id: SweepId, rows: u64, next: Option<Timestamp>) {
        self.looked().insert(id, (rows, next));
    }

    // ---- connections -------------------------------------------------------------------------------------------

    /// Every connection: those of this run first, then the saved ones.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn connections(&self) -> Result<Vec<SavedConnection>, Error> {
        let journal = self.journal.clone();
        let saved = blocking(move || journal.connections()).await?;
        let mut all = self.passing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        all.extend(saved);
        Ok(all)
    }

    /// Checks a draft and saves it as a connection. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::BadInput`], [`Error::UnknownHost`], [`Error::Journal`].
    pub async fn add_connection(&self, draft: &Draft) -> Result<SavedConnection, Error> {
        let checked = connections::check(draft)?;
        let id = checked.id();
        if let Some(known) = self.connections().await?.into_iter().find(|known| known.id == id) {
            return Ok(known);
        }
        let connection = saved(&checked, false, &rfc3339(Timestamp::now()));
        let (journal, row) = (self.journal.clone(), connection.clone());
        blocking(move || journal.save_connection(&row)).await?;
        Ok(connection)
    }

    /// Adds a connection that lives as long as the app, such as the built-in sandbox's. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::BadInput`].
    pub fn add_passing_connection(&self, draft: &Draft, name: &str) -> Result<SavedConnection, Error> {
        let mut connection = saved(&connections::check(draft)?, true, &rfc3339(Timestamp::now()));
        name.clone_into(&mut connection.name);
        let mut passing = self.passing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        passing.retain(|known| known.id != connection.id);
        passing.push(connection.clone());
        drop(passing);
        self.forget_passing_history(connection.id)?;
        Ok(connection)
    }

    /// Forgets a saved connection, the session kept for it and the inventories that were read there. A session in use must be signed out first.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`] while it is in use, [`Error::BadInput`] when there is none, [`Error::Journal`].
    pub async fn remove_connection(&self, id: Uuid) -> Result<(), Error> {
        if self.seat().session.as_ref().is_some_and(|(session, _)| session.connection.id == id) {
            return Err(Error::OutOfOrder);
        }
        self.forget_secret(id).await?;
        let journal = self.journal.clone();
        // What was read there goes with it; the sweeps stay, since they are evidence.
        let forget = move || {
            // For one that is not there nothing is touched.
            if journal.connections()?.iter().any(|known| known.id == id) {
                journal.forget_snapshots(&id)?;
            }
            journal.forget_connection(&id)
        };
        if blocking(forget).await? {
            self.put_away(id);
            Ok(())
        } else {
            Err(Error::bad(Field::ConnectionId, Fault::Unknown))
        }
    }

    async fn find(&self, id: Uuid) -> Result<(SavedConnection, Checked), Error> {
        let found = self.connections().await?.into_iter().find(|known| known.id == id);
        let connection = found.ok_or(Error::bad(Field::ConnectionId, Fault::Unknown))?;
        let checked = connections::reopen(&connection)?;
        Ok((connection, checked))
    }

    // ---- sign-in -----------------------------------------------------------------------------------------------

    /// Sends a code to an address.
    ///
    /// # Errors
    /// [`Error::BadInput`] before anything is sent; [`Error::NoOrganization`] for a slug that names none; [`Error::Api`].
    pub async fn send_code(&self, connection_id: Uuid, email: &str) -> Result<SignInStep, Error> {
        crate::sign_in::check_email(email)?;
        let (connection, checked) = self.find(connection_id).await?;
        let mut under_way = self.attempt.lock().await;
        let client = checked.client(self.timeouts)?;
        let (attempt, step) = Attempt::begin(connection, &checked, client, email, Timestamp::now()).await?;
        *under_way = Some(attempt);
        Ok(step)
    }

    /// Gives the code.
    ///
    /// # Errors
    /// [`Error::BadInput`], [`Error::OutOfOrder`], [`Error::NoOrganization`], [`Error::Api`].
    pub async fn check_code(&self, code: &str) -> Result<SignInStep, Error> {
        let mut under_way = self.attempt.lock().await;
        let cancels = self.cancels.load(Ordering::SeqCst);
        let attempt = under_way.as_mut().ok_or(Error::OutOfOrder)?;
        let step = attempt.code(code).await?;
        self.finish(&mut under_way, step, cancels).await
    }

    /// Chooses an organization.
    ///
    /// # Errors
    /// [`Error::BadInput`], [`Error::OutOfOrder`], [`Error::Api`].
    pub async fn choose_organization(&self, organization: &str) -> Result<SignInStep, Error> {
        let mut under_way = self.attempt.lock().await;
        let cancels = self.cancels.load(Ordering::SeqCst);
        let attempt = under_way.as_mut().ok_or(Error::OutOfOrder)?;
        let step = attempt.choose(&OrganizationId::from(organization)).await?;
        self.finish(&mut under_way, step, cancels).await
    }

    /// Sits down with a session that was handed over, checked with one call. It is used as long as this desk stands and kept
    /// nowhere.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a connection that is not there; [`Error::SignedOut`] for a session that is dead;
    /// [`Error::Api`].
    pub async fn sit_with(&self, connection_id: Uuid, token: SessionToken) -> Result<(), Error> {
        let (mut connection, checked) = self.find(connection_id).await?;
        let client = checked.client(self.timeouts)?;
        let live = match client.authenticate_session(&token, None).await {
            Ok(reply) => reply.data,
            Err(ApiError::SignedOut(facts)) => {
                let request_id = facts.request_id.as_ref().map(ToString::to_string);
                return Err(Error::SignedOut { request_id, email: None });
            }
            Err(error) => return Err(error.into()),
        };
        connection.organization_id = Some(live.organization.organization_id.to_string());
        connection.organization_name = Some(live.organization.organization_name.clone());
        let session = Session::new(
            connection,
            client,
            live.session_token,
            live.organization,
            live.member,
            live.session,
            Keeping::Memory(Trouble::Missing),
        );
        self.begin(session, None).await;
        Ok(())
    }

    /// Gives a sign-in up.
    pub async fn cancel_sign_in(&self) {
        // Counted before the lock is waited for, so that a step under way finds it when its answer comes.
        self.cancels.fetch_add(1, Ordering::SeqCst);
        *self.attempt.lock().await = None;
    }

    async fn finish(
        &self,
        under_way: &mut Option<Attempt>,
        step: SignInStep,
        cancels: u64,
    ) -> Result<SignInStep, Error> {
        let SignInStep::Answered(answer) = step else { return Ok(step) };
        let Some(attempt) = under_way.take() else { return Err(Error::OutOfOrder) };
        if self.cancels.load(Ordering::SeqCst) != cancels {
            // Given up while the last answer was on its way: the session it brought must not outlive that.
            if let SignInOutcome::SignedIn { session_token, .. } = &answer.outcome
                && let Err(error) = attempt.client.revoke_session(session_token).await
            {
                tracing::warn!(%error, "the session of a sign-in that was given up lives on until it expires");
            }
            return Err(Error::OutOfOrder);
        }
        let email = attempt.email().to_owned();
        self.sit_down(attempt.connection, attempt.client, *answer, &email).await?;
        Ok(SignInStep::SignedIn)
    }

    async fn sit_down(
        &self,
        mut connection: SavedConnection,
        client: stytch_b2b::Client,
        answer: Authenticated,
        email: &str,
    ) -> Result<(), Error> {
        let SignInOutcome::SignedIn { session_token, member_session } = answer.outcome else {
            return Err(Error::OutOfOrder);
        };
        connection.email = Some(email.to_owned());
        connection.organization_id = Some(answer.organization.organization_id.to_string());
        connection.organization_name = Some(answer.organization.organization_name.clone());
        connection.last_used_utc = Some(Utc::new(Timestamp::now()));
        let keeping = self.keep(&connection, &session_token).await;
        let session = Session::new(
            connection.clone(),
            client,
            session_token,
            answer.organization,
            answer.member,
            member_session,
            keeping,
        );
        self.remember_seat(&session).await;
        self.begin(session, None).await;
        self.remember(connection).await
    }

    async fn remember(&self, connection: SavedConnection) -> Result<(), Error> {
        if connection.sandbox {
            let mut passing = self.passing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(known) = passing.iter_mut().find(|known| known.id == connection.id) {
                *known = connection;
            }
            return Ok(());
        }
        let journal = self.journal.clone();
        blocking(move || journal.save_connection(&connection)).await
    }

    /// Seats a session; with `only_at`, only if nobody sat down or stood up since that generation.
    async fn begin(&self, session: Session, only_at: Option<u64>) {
        if let Err(error) = session.read_policy().await {
            tracing::warn!(%error, "the policy could not be read at sign-in");
        }
        let mut seat = self.seat();
        if only_at.is_some_and(|generation| generation != seat.generation) {
            return;
        }
        *seat = Seat {
            session: Some((Arc::new(session), Arc::default())),
            checked_at: Some(Timestamp::now()),
            generation: seat.generation + 1,
            ..Seat::default()
        };
    }

    pub(crate) fn is_seated(&self, session: &Arc<Session>) -> bool {
        self.seat().session.as_ref().is_some_and(|(seated, _)| Arc::ptr_eq(seated, session))
    }

    // ---- the session -------------------------------------------------------------------------------------------

    /// Whether somebody is signed in. Asks nobody but the keyring, and that only once.
    pub async fn status(&self) -> Status {
        {
            let seat = self.seat();
            if let Some((session, _)) = &seat.session {
                return Status::SignedIn(session.clone());
            }
        }
        let vault = self.vault.clone();
        let keeping =
            tokio::task::spawn_blocking(move || vault.keeping()).await.unwrap_or(Keeping::Memory(Trouble::Refused));
        let seat = self.seat();
        Status::SignedOut { ended: seat.ended.clone(), kept: seat.kept.clone(), keeping }
    }

    /// The session in use.
    ///
    /// # Errors
    /// [`Error::SignedOut`].
    pub fn session(&self) -> Result<Arc<Session>, Error> {
        self.seated().map(|(session, _)| session)
    }

    pub(crate) fn seated(&self) -> Result<(Arc<Session>, Arc<Directory>), Error> {
        let seat = self.seat();
        seat.session.clone().ok_or_else(|| Error::SignedOut {
            request_id: seat.ended.as_ref().and_then(|ended| ended.request_id.clone()),
            email: seat.ended.as_ref().map(|ended| ended.email.clone()),
        })
    }

    /// Restores, the first time it is asked; whoever asks meanwhile waits for that.
    ///
    /// # Errors
    /// As [`Desk::restore`]; then the next call tries again.
    pub async fn restore_once(&self) -> Result<(), Error> {
        self.restored.get_or_try_init(|| self.restore()).await.map(|_| ())
    }

    /// Takes the session that the keyring holds for the connection used last, if it holds one and it still lives.
    ///
    /// # Errors
    /// [`Error::Journal`]. A session that cannot be checked, or a keyring that cannot be read, is told by [`Desk::status`].
    pub async fn restore(&self) -> Result<(), Error> {
        self.restore_at(None).await
    }

    /// [`Desk::restore`] for one connection, whichever was used last.
    ///
    /// # Errors
    /// As [`Desk::restore`].
    pub async fn restore_at(&self, connection: Option<Uuid>) -> Result<(), Error> {
        let generation = {
            let seat = self.seat();
            if seat.session.is_some() {
                return Ok(());
            }
            seat.generation
        };
        let journal = self.journal.clone();
        let saved = blocking(move || journal.connections()).await?;
        let wanted = |saved: &SavedConnection| match connection {
            Some(id) => saved.id == id,
            None => saved.last_used_utc.is_some(),
        };
        let Some(connection) = saved.into_iter().find(wanted) else { return Ok(()) };
        let Ok(checked) = connections::reopen(&connection) else { return Ok(()) };
        let Some(token) = self.kept_secret(connection.id).await else { return Ok(()) };
        let client = checked.client(self.timeouts)?;
        match client.authenticate_session(&token, None).await {
            Ok(reply) => {
                let live = reply.data;
                let keeping = if live.session_token.expose() == token.expose() {
                    self.vault_keeping().await
                } else {
                    self.keep(&connection, &live.session_token).await
                };
                let session = Session::new(
                    connection,
                    client,
                    live.session_token,
                    live.organization,
                    live.member,
                    live.session,
                    keeping,
                );
                self.remember_seat(&session).await;
                self.begin(session, Some(generation)).await;
            }
            Err(error @ ApiError::SignedOut(_)) => {
                self.forget_if(connection.id, &token).await?;
                let mut seat = self.seat();
                if seat.generation != generation {
                    return Ok(());
                }
                seat.kept = None;
                seat.ended = Some(SessionEnd {
                    at: rfc3339(Timestamp::now()),
                    organization_name: connection.organization_name.unwrap_or_default(),
                    email: connection.email.unwrap_or_default(),
                    request_id: error.facts().request_id.as_ref().map(ToString::to_string),
                });
            }
            Err(error) => self.seat().kept = Some(error),
        }
        Ok(())
    }

    /// Renews what is known of the session when that is due: every three minutes, and at its end. Extends nothing.
    ///
    /// # Errors
    /// [`Error::SignedOut`] when the session turned out to be over, else what the call answered.
    pub async fn refresh_if_due(&self, now: Timestamp) -> Result<(), Error> {
        let due = {
            let seat = self.seat();
            let Some((session, _)) = &seat.session else { return Ok(()) };
            let stale = seat.checked_at.is_none_or(|at| now.duration_since(at).unsigned_abs() >= REFRESH_EVERY);
            let over = session.state().member_session.expires_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
            // Once at its end, and not again and again where this machine's clock is ahead of the server's.
            stale || over.is_some_and(|over| over <= now && seat.checked_at.is_none_or(|at| at < over))
        };
        if due { self.check_session(None).await } else { Ok(()) }
    }

    /// Asks whether the session lives, and with `extend` makes it last so many minutes from now.
    ///
    /// # Errors
    /// [`Error::SignedOut`] when it does not, else what the call answered; then the session stays as it was.
    pub async fn check_session(&self, extend: Option<u32>) -> Result<(), Error> {
        let session = self.session()?;
        self.check(&session, extend).await
    }

    async fn check(&self, session: &Arc<Session>, extend: Option<u32>) -> Result<(), Error> {
        let _one_at_a_time = self.checking.lock().await;
        if !self.is_seated(session) {
            // Whoever waited for the check before this one may have been told there that the session is over.
            return Err(self.seated().err().unwrap_or(Error::SignedOut { request_id: None, email: None }));
        }
        let token = session.token();
        match session.client.authenticate_session(&token, extend).await {
            Ok(reply) => {
                self.adopt(session, &token, reply.data).await;
                Ok(())
            }
            Err(error @ ApiError::SignedOut(_)) => {
                // Another process may have renewed the token and kept the new one. It may as well have signed somebody
                // else in: then this session is over, and the kept one is theirs.
                if let Some(kept) = self.kept_secret(session.connection.id).await
                    && kept.expose() != token.expose()
                {
                    match session.client.authenticate_session(&kept, extend).await {
                        Ok(reply) if same_person(session, &reply.data) => {
                            self.adopt(session, &kept, reply.data).await;
                            return Ok(());
                        }
                        Ok(_) | Err(ApiError::SignedOut(_)) => {}
                        // Whether that one lives is not known, so nobody is declared signed out.
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(self.end(session, &error).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn adopt(&self, session: &Arc<Session>, asked_with: &SessionToken, live: stytch_b2b::LiveSession) {
        if !self.is_seated(session) {
            return;
        }
        let changed = live.session_token.expose() != asked_with.expose();
        let token = live.session_token.clone();
        session.renew(live.session_token, live.organization, live.member, live.session);
        if changed {
            let keeping = self.keep(&session.connection, &token).await;
            session.change(|state| state.keeping = keeping);
        }
        let mut seat = self.seat();
        if seat.session.as_ref().is_some_and(|(seated, _)| Arc::ptr_eq(seated, session)) {
            seat.checked_at = Some(Timestamp::now());
        }
    }

    /// The session is over: said by the server, and true for everybody.
    async fn end(&self, session: &Arc<Session>, error: &ApiError) -> Error {
        let state = session.state();
        let ended = SessionEnd {
            at: rfc3339(Timestamp::now()),
            organization_name: state.organization.organization_name,
            email: state.member.email_address,
            request_id: error.facts().request_id.as_ref().map(ToString::to_string),
        };
        {
            let mut seat = self.seat();
            if seat.session.as_ref().is_some_and(|(seated, _)| Arc::ptr_eq(seated, session)) {
                *seat = Seat { ended: Some(ended.clone()), generation: seat.generation + 1, ..Seat::default() };
            }
        }
        if let Err(error) = self.forget_if(session.connection.id, &session.token()).await {
            tracing::warn!(%error, "a dead session could not be taken out of the keyring");
        }
        Error::SignedOut { request_id: ended.request_id, email: Some(ended.email) }
    }

    /// What an error of any call means for the session: one that says "signed out" is believed only when the session
    /// itself, asked once, says so too.
    pub(crate) async fn judge(&self, session: &Arc<Session>, error: ApiError) -> Error {
        match error {
            ApiError::SignedOut(_) => match self.check(session, None).await {
                Err(over @ Error::SignedOut { .. }) => over,
                _ => error.into(),
            },
            ApiError::NotAllowed { ref facts, ref needs } => {
                let request_id = facts.request_id.as_ref().map(ToString::to_string);
                // The policy that refused may be newer than ours.
                if let Err(error) = session.read_policy().await {
                    tracing::warn!(%error, "the policy could not be read after a refusal");
                }
                Error::NotAllowed(Box::new(session.denial(needs.clone(), request_id, true)))
            }
            other => other.into(),
        }
    }

    /// Ends the session at the server and forgets it here. With `even_if_unreachable`, here at least.
    ///
    /// # Errors
    /// [`Error::NotSignedOutAtServer`]: nothing was forgotten, so that it can be tried again.
    pub async fn sign_out(&self, even_if_unreachable: bool) -> Result<(), Error> {
        let session = self.session()?;
        match session.client.revoke_session(&session.token()).await {
            Ok(_) | Err(ApiError::SignedOut(_)) => {}
            Err(error) if even_if_unreachable => tracing::warn!(%error, "signed out here, but not at the server"),
            Err(error) => return Err(Error::NotSignedOutAtServer(error)),
        }
        {
            let mut seat = self.seat();
            if seat.session.as_ref().is_some_and(|(seated, _)| Arc::ptr_eq(seated, &session)) {
                *seat = Seat { generation: seat.generation + 1, ..Seat::default() };
            }
        }
        self.cancel_reading();
        self.forget_seat().await?;
        self.forget_if(session.connection.id, &session.token()).await
    }

    /// Asks the keyring again, and if it works now moves the session there.
    pub async fn try_keyring_again(&self) -> Keeping {
        let vault = self.vault.clone();
        let probed = tokio::task::spawn_blocking(move || vault.probe(vault::PATIENCE)).await;
        let mut keeping = probed.unwrap_or(Keeping::Memory(Trouble::Refused));
        if let Ok(session) = self.session() {
            keeping = self.keep(&session.connection, &session.token()).await;
            session.change(|state| state.keeping = keeping);
        }
        keeping
    }

    // ---- the vault, off the runtime's threads ------------------------------------------------------------------

    /// Keeps a token. A sandbox's session dies with the app, so the keyring is not troubled with it.
    async fn keep(&self, connection: &SavedConnection, token: &SessionToken) -> Keeping {
        if connection.sandbox {
            return Keeping::Memory(Trouble::Missing);
        }
        let (vault, id, token) = (self.vault.clone(), connection.id, token.clone());
        let kept = tokio::task::spawn_blocking(move || vault.save(&id, token.expose())).await;
        match kept {
            Ok(Ok(keeping)) => keeping,
            Ok(Err(trouble)) => Keeping::Memory(trouble),
            Err(_) => Keeping::Memory(Trouble::Refused),
        }
    }

    async fn vault_keeping(&self) -> Keeping {
        let vault = self.vault.clone();
        tokio::task::spawn_blocking(move || vault.keeping()).await.unwrap_or(Keeping::Memory(Trouble::Refused))
    }

    async fn kept_secret(&self, id: Uuid) -> Option<SessionToken> {
        let vault = self.vault.clone();
        let loaded = tokio::task::spawn_blocking(move || vault.load(&id)).await.ok()?;
        match loaded {
            Ok(secret) => secret.map(|secret| SessionToken::new(secret.to_string())),
            Err(trouble) => {
                tracing::info!(%trouble, "the keyring could not be read");
                None
            }
        }
    }

    /// Takes a token out of the keyring if it is still the one that is kept: another process may have put its own there.
    async fn forget_if(&self, id: Uuid, token: &SessionToken) -> Result<(), Error> {
        match self.kept_secret(id).await {
            Some(kept) if kept.expose() != token.expose() => Ok(()),
            _ => self.forget_secret(id).await,
        }
    }

    async fn forget_secret(&self, id: Uuid) -> Result<(), Error> {
        let vault = self.vault.clone();
        match tokio::task::spawn_blocking(move || vault.forget(&id)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(trouble)) => Err(Error::Keyring(trouble)),
            Err(_) => Err(Error::Keyring(Trouble::Refused)),
        }
    }
}

/// Whether a session that was found in the keyring is the same member's in the same organization.
fn same_person(session: &Session, live: &stytch_b2b::LiveSession) -> bool {
    session.is_self(&live.member.member_id)
        && session.state().organization.organization_id == live.organization.organization_id
}

/// A checked draft as it is saved.
pub(crate) fn saved(checked: &Checked, sandbox: bool, now: &str) -> SavedConnection {
    SavedConnection {
        id: checked.id(),
        name: checked.base.to_string().split_once("://").map_or_else(String::new, |(_, host)| host.to_owned()),
        base_url: checked.base.to_string(),
        public_token: checked.public_token.as_str().to_owned(),
        organization_id: None,
        organization_name: None,
        organization_slug: checked.organization_slug.clone(),
        email: None,
        app_identifier: checked.app_identifier.clone(),
        sdk_identifier: checked.sdk_identifier.clone(),
        sandbox,
        created_utc: now.parse().unwrap_or_else(|_| Utc::new(Timestamp::now())),
        last_used_utc: None,
    }
}

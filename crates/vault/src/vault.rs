//! The vault itself: when to believe the keyring, what to do while it cannot be used, and how long to wait for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use keyring_core::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::trouble::read;
use crate::{Keeping, Trouble, store};

/// The longest secret, in bytes. The Windows Credential Manager holds 2,560 bytes of UTF-16, and a session token is far shorter.
pub const LONGEST: usize = 1024;
/// How long `save`, `load` and `forget` wait for the keyring.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to ask, after time is up, whether the keyring is locked.
const ASIDE: Duration = Duration::from_millis(500);

/// Under which name something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account(String);

impl Account {
    /// Of a journal: the head that was last noted of it. No secret, and kept where a restored disk image does not reach it.
    #[must_use]
    pub fn journal(id: &Uuid) -> Self {
        Self(format!("journal-{id}"))
    }
}

impl From<&Uuid> for Account {
    /// Of a connection: its session.
    fn from(connection: &Uuid) -> Self {
        Self(connection.to_string())
    }
}

/// Keeps one secret per account. Clones share everything.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

struct Shared {
    /// The keyring's service name; `None` for a vault that must not use the keyring at all.
    service: Option<String>,
    /// Held for a look or a change, never while the keyring is asked.
    state: Mutex<State>,
    /// Held by the one thread that changes the keyring, until the keyring has answered it, however long that takes: a change
    /// that was given up on may still happen, and must not happen after a later one. Freed by that thread.
    lane: Lane,
}

struct State {
    /// What the last word of the keyring was; `None` before the first.
    keeping: Option<Keeping>,
    /// What is not in the keyring, or not yet. Wiped when it is dropped or replaced.
    memory: HashMap<Account, Zeroizing<String>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the accounts: a debug line should not say for which connections a session exists.
        f.debug_struct("Vault")
            .field("service", &self.shared.service)
            .field("keeping", &self.state().keeping)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault on the operating system's keyring, under that service name. Asks nothing yet; [`Vault::probe`] does.
    pub fn system(service: &str) -> Self {
        Self::new(Some(service.to_owned()), None)
    }

    /// A vault that keeps everything in this process's memory and never touches the keyring, and the reason it gives for that.
    pub fn memory(why: Trouble) -> Self {
        Self::new(None, Some(Keeping::Memory(why)))
    }

    fn new(service: Option<String>, keeping: Option<Keeping>) -> Self {
        let state = Mutex::new(State { keeping, memory: HashMap::new() });
        Vault { shared: Arc::new(Shared { service, state, lane: Lane::default() }) }
    }

    /// Finds out whether the keyring can be used, by using it: an item of its own is set, read back and deleted. May be called
    /// again at any time ("Try the keyring again"); when it works then, what was kept in memory moves into the keyring.
    ///
    /// Waits at most `timeout`, and half a second more to learn whether a keyring that does not answer is locked.
    pub fn probe(&self, timeout: Duration) -> Keeping {
        let Some(service) = &self.shared.service else { return self.keeping() };
        let service = service.clone();
        // A probe works beside the lane, on an item that no other probe touches: one that hangs at a prompt must not keep the
        // next from finding the keyring in order.
        let found = detached(timeout, move || try_out(&service));
        let keeping = match found {
            Ok(()) => Keeping::Keyring,
            Err(trouble) => Keeping::Memory(trouble),
        };
        self.set(keeping);
        if keeping == Keeping::Keyring {
            let waiting: Vec<_> =
                self.state().memory.iter().map(|(account, secret)| (account.clone(), secret.clone())).collect();
            for (account, secret) in waiting {
                // A failure leaves the secret in memory and says so through `keeping`.
                self.move_in(account, secret, timeout);
            }
        }
        self.keeping()
    }

    /// Where secrets are kept, as far as is known: the last word of the keyring. Asks it now, once, if nobody has yet.
    pub fn keeping(&self) -> Keeping {
        let known = self.state().keeping;
        known.unwrap_or_else(|| self.probe(PATIENCE))
    }

    /// Keeps a secret for an account, in place of the one before: in the keyring, or else in memory, and says which.
    ///
    /// # Errors
    /// `TooLong` for a secret of more than [`LONGEST`] bytes; then nothing is kept and nothing is changed.
    pub fn save(&self, account: impl Into<Account>, secret: &str) -> Result<Keeping, Trouble> {
        let account = account.into();
        if secret.len() > LONGEST {
            return Err(Trouble::TooLong);
        }
        let secret = Zeroizing::new(secret.to_owned());
        // Into memory first: from here on `load` answers this one, whatever becomes of the keyring.
        self.state().memory.insert(account.clone(), secret.clone());
        match self.keeping() {
            Keeping::Keyring => Ok(self.move_in(account, secret, PATIENCE)),
            memory => Ok(memory),
        }
    }

    /// The secret of an account: the one in memory if there is one, else what the keyring holds at this moment (another process
    /// may have changed it since the last call).
    ///
    /// # Errors
    /// The keyring's trouble, when it could not be asked: whether there is a secret is not known then.
    pub fn load(&self, account: impl Into<Account>) -> Result<Option<Zeroizing<String>>, Trouble> {
        let account = account.into();
        let Some(service) = self.shared.service.clone() else { return Ok(self.state().memory.get(&account).cloned()) };
        if let Some(secret) = self.state().memory.get(&account) {
            return Ok(Some(secret.clone()));
        }
        if let Keeping::Memory(trouble) = self.keeping() {
            return Err(trouble);
        }
        let name = account.0;
        let found = detached(PATIENCE, move || match store::entry(&service, &name)?.get_password() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            // Two items of the same name: somebody put one beside ours, and which is which cannot be told. As good
            // as none; the next `save` or `forget` clears both away.
            Err(Error::NoEntry | Error::Ambiguous(_)) => Ok(None),
            Err(error) => Err(told(error)),
        });
        self.note(&found);
        found
    }

    /// Forgets the secret of an account, in memory and in the keyring. There being none is no error.
    ///
    /// # Errors
    /// The keyring's trouble, when it has to be feared that the keyring still holds one. Where there is no keyring at all there
    /// is nothing to fear.
    pub fn forget(&self, account: impl Into<Account>) -> Result<(), Trouble> {
        let account = account.into();
        self.state().memory.remove(&account);
        let Some(service) = self.shared.service.clone() else { return Ok(()) };
        let name = account.0;
        // A deletion that happens late is still what was asked for.
        let done = self.in_lane(PATIENCE, move || clear(&service, &name), || Ok(()));
        if done != Err(Trouble::Missing) {
            self.note(&done);
            return done;
        }
        Ok(())
    }

    /// Puts a secret that is in memory into the keyring, and out of memory when that worked. One that was replaced or forgotten
    /// meanwhile stays out of the keyring: whether it is still wanted is asked when its turn has come.
    fn move_in(&self, account: Account, secret: Zeroizing<String>, timeout: Duration) -> Keeping {
        let Some(service) = self.shared.service.clone() else { return self.keeping() };
        let (name, vault, moved) = (account.0.clone(), self.clone(), account.clone());
        let (late_service, late_name, sent) = (service.clone(), name.clone(), secret.clone());
        let change = move || {
            if vault.state().memory.get(&moved) != Some(&sent) {
                return Ok(());
            }
            let entry = store::entry(&service, &name)?;
            let mut done = entry.set_password(&sent);
            if let Err(Error::Ambiguous(_)) = done {
                // Somebody put a second item of the same name beside ours. Neither can be trusted to be the newer.
                clear(&service, &name)?;
                done = entry.set_password(&sent);
            }
            done.map_err(told)
        };
        // The caller was told that the secret is not in the keyring, and may have signed out since. So it must not be.
        let done = self.in_lane(timeout, change, move || clear(&late_service, &late_name));
        match done {
            Ok(()) => {
                let mut state = self.state();
                // Only this one: a newer one that was saved meanwhile waits for its own turn.
                if state.memory.get(&account) == Some(&secret) {
                    state.memory.remove(&account);
                }
                drop(state);
                self.set(Keeping::Keyring);
            }
            Err(trouble) => self.set(Keeping::Memory(trouble)),
        }
        self.keeping()
    }

    /// Runs a change of the keyring after all changes before it have been answered. `undo` takes it back when it was answered
    /// only after the caller had been told that it failed.
    fn in_lane(
        &self,
        timeout: Duration,
        change: impl FnOnce() -> Result<(), Trouble> + Send + 'static,
        undo: impl FnOnce() -> Result<(), Trouble> + Send + 'static,
    ) -> Result<(), Trouble> {
        let until = Instant::now() + timeout;
        if !self.shared.lane.enter(until) {
            return Err(Trouble::TimedOut);
        }
        let leave = Leave(Arc::clone(&self.shared));
        // Set once, by whoever comes first: the thread that has the keyring's answer, or the caller whose patience has ended.
        let fate = Arc::new(OnceLock::new());
        let seen = Arc::clone(&fate);
        let answer = on_a_thread(until.saturating_duration_since(Instant::now()), move || {
            let _leave = leave;
            let done = change();
            if seen.set(done).is_err() && done.is_ok() {
                // A failure to undo it is nobody's to hear any more; the next save or forget of the account settles it.
                let _ = undo();
            }
        });
        match answer {
            Some(()) => {}
            None if fate.set(Err(Trouble::TimedOut)).is_err() => {}
            None => return Err(silence()),
        }
        fate.get().copied().unwrap_or(Err(Trouble::TimedOut))
    }

    /// Remembers what a call taught about the keyring.
    fn note<T>(&self, found: &Result<T, Trouble>) {
        match found {
            Ok(_) => {}
            Err(trouble) => self.set(Keeping::Memory(*trouble)),
        }
    }

    fn set(&self, keeping: Keeping) {
        if self.state().keeping.replace(keeping) != Some(keeping) {
            match keeping {
                Keeping::Keyring => tracing::info!("secrets are kept in the keyring"),
                Keeping::Memory(trouble) => tracing::warn!("secrets are kept in memory only: {trouble}"),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One at a time, in which the one who enters and the one who leaves are different threads.
#[derive(Default)]
struct Lane {
    taken: Mutex<bool>,
    left: Condvar,
}

impl Lane {
    fn enter(&self, until: Instant) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            taken = self.left.wait_timeout(taken, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        true
    }
}

/// Leaves the lane when dropped, also by a panic.
struct Leave(Arc<Shared>);

impl Drop for Leave {
    fn drop(&mut self) {
        *self.0.lane.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.lane.left.notify_one();
    }
}

/// Runs something on a thread of its own and waits for it at most that long. The thread is left behind if it takes longer.
fn detached<T: Send + 'static>(
    timeout: Duration,
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    match on_a_thread(timeout, work) {
        Some(done) => done,
        None => Err(silence()),
    }
}

/// Why the keyring does not answer: a locked one waits for its owner.
fn silence() -> Trouble {
    if on_a_thread(ASIDE, store::says_locked) == Some(true) { Trouble::Locked } else { Trouble::TimedOut }
}

/// `None` when time was up.
fn on_a_thread<T: Send + 'static>(timeout: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("keyring".into()).spawn(move || {
        let _ = tell.send(work());
    });
    if thread.is_err() {
        return None;
    }
    // Disconnected, which is what a panic in the store looks like from here, is no answer either.
    told.recv_timeout(timeout).ok()
}

/// Sets, reads and deletes an item of its own.
fn try_out(service: &str) -> Result<(), Trouble> {
    let account = format!("probe-{}", Uuid::new_v4());
    let entry = store::entry(service, &account)?;
    let word = Uuid::new_v4().to_string();
    entry.set_password(&word).map_err(told)?;
    let read = entry.get_password();
    let cleared = entry.delete_credential();
    match (read, cleared) {
        // What was set and is not there was lost: a keyring like that must not be given a session.
        (Ok(read), Ok(())) if read == word => Ok(()),
        (Ok(_), Ok(())) => Err(Trouble::Refused),
        (Err(error), _) | (_, Err(error)) => Err(told(error)),
    }
}

/// Deletes every item of that name.
fn clear(service: &str, account: &str) -> Result<(), Trouble> {
    match store::entry(service, account)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(Error::Ambiguous(entries)) => entries.iter().try_for_each(|entry| match entry.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(told(error)),
        }),
        Err(error) => Err(told(error)),
    }
}

/// What an error comes down to, and the error's own bytes wiped: two of its variants carry the secret that could not be read.
fn told(error: Error) -> Trouble {
    let trouble = read(&error);
    if let Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) = error {
        drop(Zeroizing::new(bytes));
    }
    trouble
}

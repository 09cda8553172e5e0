//! The watch for what comes back: every few minutes, while somebody is signed in and nothing runs, the inventory is read again. What
//! that raises, and whether it was told before, is the mind's to say.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::come_backs::Watch;
use contract::refusal::Refusal;
use contract::sweeps::WindowNotice;
use cutoff::clock::rfc3339;
use cutoff::inventory::shown::Source;
use cutoff::watch::waiting;
use jiff::Timestamp;
use tauri::{AppHandle, Manager as _, Runtime};

use crate::{Shell, map};

/// The watch of an app.
pub(crate) struct Watching {
    every: Duration,
    /// Held for a look or a swap.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When it last looked or, before it ever did, began to watch.
    last: Option<Timestamp>,
    problem: Option<Refusal>,
    /// Somebody passes alerts on to the page.
    passes_on: bool,
}

impl Watching {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands.
    ///
    /// # Errors
    /// [`Refusal::Journal`].
    pub(crate) async fn status(&self, shell: &Shell) -> Result<Watch, Refusal> {
        let read_at = read_at(shell).await?;
        let idle = idle(shell).await?;
        let state = self.state();
        let next = state.last.max(read_at).filter(|_| idle && read_at.is_some());
        Ok(Watch {
            watching: idle && read_at.is_some(),
            every_s: u32::try_from(self.every.as_secs()).unwrap_or(u32::MAX),
            looked_at: read_at.map(rfc3339),
            next_at: next.and_then(|at| at.checked_add(self.every).ok()).map(rfc3339),
            problem: state.problem.clone(),
        })
    }
}

/// When the picture that is shown was read; `None` without one, or while the first one is being read.
async fn read_at(shell: &Shell) -> Result<Option<Timestamp>, Refusal> {
    let standing = shell.desk()?.inventory().await.map_err(map::refusal)?;
    let whole = standing.shown.filter(|shown| shown.source != Source::UnderWay);
    Ok(whole.map(|shown| shown.picture.facts.ended))
}

/// Whether somebody is signed in and nothing runs.
async fn idle(shell: &Shell) -> Result<bool, Refusal> {
    let desk = shell.desk()?;
    let reading = desk.inventory().await.map_err(map::refusal)?.reading.is_some();
    Ok(desk.session().is_ok() && !shell.sweeping.is_running() && !reading)
}

impl Shell {
    /// Looks for what came back, if that is due; answers whether it looked. The page is told afterwards.
    pub async fn watch_if_due(&self, now: Timestamp) -> bool {
        let Ok(desk) = self.desk() else { return false };
        if desk.session().is_err() {
            let mut state = self.watching.state();
            (state.last, state.problem) = (None, None);
            return false;
        }
        let (Ok(read_at), Ok(true)) = (read_at(self).await, idle(self).await) else { return false };
        // Without a first reading, which is somebody's own to ask for, there is nothing to compare with.
        let Some(read_at) = read_at else { return false };
        {
            let mut state = self.watching.state();
            let last = (*state.last.get_or_insert(now)).max(read_at);
            // A clock that was set back must not stop the watch.
            if now.duration_since(last).unsigned_abs() < self.watching.every {
                return false;
            }
            state.last = Some(now);
        }
        let looked = desk.watch_once(&|_| {}).await;
        if let Err(error) = &looked {
            tracing::info!(%error, "the watch could not look");
        }
        if looked.is_ok() {
            // One that cannot be read is read with the next look.
            for block in desk.blocks_undone().await.unwrap_or_default() {
                let connected_app_ids = block.apps.iter().map(ToString::to_string).collect();
                self.tell(WindowNotice::BlockUndone { sweep_id: block.sweep_id.to_string(), connected_app_ids });
            }
        }
        self.watching.state().problem = looked.err().map(map::refusal);
        self.tell(WindowNotice::Looked);
        true
    }

    /// Passes on to the page whatever any reading raises, from now on and once.
    pub(crate) fn pass_alerts_on<R: Runtime>(&self, app: AppHandle<R>) -> Result<(), Refusal> {
        let mut alerts = self.desk()?.alerts();
        if std::mem::replace(&mut self.watching.state().passes_on, true) {
            return Ok(());
        }
        // Ends with the desk, which sends.
        tauri::async_runtime::spawn(async move {
            loop {
                let mut ids: Vec<String> = match alerts.recv().await {
                    Ok(alert) => alert.iter().map(|back| back.id.clone()).collect(),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => Vec::new(),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                };
                ids.extend(waiting(&mut alerts).into_iter().map(|back| back.id));
                if !ids.is_empty() {
                    app.state::<Shell>().tell(WindowNotice::ComeBacks { ids });
                }
            }
        });
        Ok(())
    }
}

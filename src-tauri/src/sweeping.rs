//! The sweep that runs in this app, and the plans that were shown. A sweep belongs to the shell and not to a window: one that closes or
//! loads again only stops looking. It sends nothing itself; the mind does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::refusal::Refusal;
use cutoff::Desk;
use cutoff::contain::{Lift, Lifted};
use cutoff::kept_plan::{Compared, PolicyNow};
use cutoff::plan_file::{Pair, PlanFile, Unusable};
use cutoff::sweep::engine::Progress;
use cutoff::sweep::{Observer, Step, Wish};
use cutoff::sweeps::{Apply, Proposal};
use journal::SweepId;
use tokio::sync::{oneshot, watch};

use crate::map;
use crate::shelf::Shelf;

/// Plans that are kept for a confirmation, the newest last.
const PLANS_KEPT: usize = 16;

/// A plan that was shown.
pub(crate) struct Shown {
    /// The plan, and what the inventory tells of it.
    pub(crate) proposal: Proposal,
    /// For one from a file: how it differs from what is there.
    pub(crate) opened: Option<Opened>,
}

/// How a plan from a file differs from what is there.
pub(crate) struct Opened {
    /// The file's name.
    pub(crate) file: String,
    /// Its grants that are not there any more.
    pub(crate) vanished: Vec<Pair>,
    /// Grants of its apps that are new since.
    pub(crate) appeared: Vec<Pair>,
    /// Grants of its apps that are not in it.
    pub(crate) beside: u32,
    /// Its sweep here, and whether it is closed.
    pub(crate) sweep: Option<(SweepId, bool)>,
    /// The organization's policy now, for a plan with a block.
    pub(crate) policy: Option<PolicyNow>,
}

impl Shown {
    /// One that was compared with what is there.
    pub(crate) fn compared(file: String, compared: Compared) -> Self {
        let Compared { proposal, vanished, appeared, beside, sweep, policy } = compared;
        Self { proposal, opened: Some(Opened { file, vanished, appeared, beside, sweep, policy }) }
    }
}

/// The running sweep and the plans.
#[derive(Default)]
pub(crate) struct Sweeping {
    /// The sweep that runs. Held for a look or a swap.
    running: Mutex<Option<Running>>,
    /// Plans that were shown, by hash.
    plans: Shelf<Shown, PLANS_KEPT>,
    /// Why the last run of a sweep was refused on the way. Held for a look or a swap.
    refused: Mutex<HashMap<SweepId, Refusal>>,
    /// Grants in no plan that the last run of a sweep still saw listed to its apps. Held for a look or a swap.
    beside: Mutex<HashMap<SweepId, Vec<Pair>>>,
}

struct Running {
    /// `None` until its opening row is on disk.
    id: Option<SweepId>,
    wish: watch::Sender<Wish>,
    progress: watch::Receiver<Progress>,
}

/// How far a running sweep is, for whoever looks.
pub(crate) struct Look {
    /// The pictures.
    pub(crate) progress: watch::Receiver<Progress>,
    /// What was asked of it.
    pub(crate) wish: watch::Receiver<Wish>,
}

/// Lies with a run, and says when it goes that nothing runs any more: also of a run that broke.
struct Ends(Arc<Sweeping>);

impl Drop for Ends {
    fn drop(&mut self) {
        let mut running = held(&self.0.running);
        // Noted before whoever looks hears that it ended.
        if std::thread::panicking()
            && let Some(id) = running.as_ref().and_then(|running| running.id)
        {
            held(&self.0.refused).insert(id, Refusal::Broken);
        }
        *running = None;
    }
}

impl Running {
    fn look(&self) -> Look {
        Look { progress: self.progress.clone(), wish: self.wish.subscribe() }
    }
}

impl Look {
    /// Waits until nothing runs any more. The pictures end a little before: a refusal is noted in between.
    pub(crate) async fn ended(mut self) {
        // The sender of wishes lies with what runs, and goes with it.
        while self.wish.changed().await.is_ok() {}
    }
}

impl Sweeping {
    /// Keeps a plan and answers its hash.
    pub(crate) fn keep(&self, shown: Shown) -> (String, Arc<Shown>) {
        let hash = shown.proposal.file.hash().to_string();
        let shown = self.plans.keep(hash.clone(), shown);
        (hash, shown)
    }

    /// A plan that was shown.
    ///
    /// # Errors
    /// [`Refusal::Plan`] for one that is not kept any more.
    pub(crate) fn plan(&self, hash: &str) -> Result<Arc<Shown>, Refusal> {
        self.plans.get(hash).ok_or_else(|| Refusal::Plan { fault: "not_kept".to_owned() })
    }

    /// Refuses what must not wait for minutes behind a running sweep.
    ///
    /// # Errors
    /// [`Refusal::SweepRunning`].
    pub(crate) fn free(&self) -> Result<(), Refusal> {
        match &*held(&self.running) {
            Some(running) => Err(Refusal::SweepRunning { sweep_id: running.id.map(|id| id.to_string()) }),
            None => Ok(()),
        }
    }

    /// Whether a sweep runs.
    pub(crate) fn is_running(&self) -> bool {
        held(&self.running).is_some()
    }

    /// Which sweep runs, if one does.
    pub(crate) fn running(&self) -> Option<SweepId> {
        held(&self.running).as_ref().and_then(|running| running.id)
    }

    /// A look at a sweep, if it is the one that runs.
    pub(crate) fn look(&self, id: SweepId) -> Option<Look> {
        let running = held(&self.running);
        let running = running.as_ref().filter(|running| running.id == Some(id))?;
        Some(running.look())
    }

    /// Asks the running sweep for something; `false` when that sweep does not run.
    pub(crate) fn wish(&self, id: Option<SweepId>, wish: Wish) -> bool {
        let running = held(&self.running);
        let found = running.as_ref().filter(|running| id.is_none() || running.id == id);
        found.is_some_and(|running| running.wish.send(wish).is_ok())
    }

    /// Asks the running sweep to pause and waits until it rests.
    pub(crate) async fn rest(&self) {
        let look = match &*held(&self.running) {
            Some(running) => {
                running.wish.send_replace(Wish::Pause);
                Some(running.look())
            }
            None => None,
        };
        if let Some(look) = look {
            look.ended().await;
        }
    }

    /// Why the last run of a sweep was refused on the way, if it was.
    pub(crate) fn refused(&self, id: SweepId) -> Option<Refusal> {
        held(&self.refused).get(&id).cloned()
    }

    /// Grants in no plan that the last run of a sweep still saw listed to its apps; none of a sweep that did not run here.
    pub(crate) fn beside(&self, id: SweepId) -> Vec<Pair> {
        held(&self.beside).get(&id).cloned().unwrap_or_default()
    }

    /// Says that something runs for a sweep, until what it answers last is dropped.
    fn begin(
        self: &Arc<Self>,
        id: Option<SweepId>,
        wish: Wish,
    ) -> Result<(watch::Receiver<Wish>, watch::Sender<Progress>, Ends), Refusal> {
        let (wish, wishes) = watch::channel(wish);
        let (progress, looked) = watch::channel(Progress::default());
        let mut running = held(&self.running);
        if let Some(running) = &*running {
            return Err(Refusal::SweepRunning { sweep_id: running.id.map(|id| id.to_string()) });
        }
        if let Some(id) = id {
            held(&self.refused).remove(&id);
        }
        *running = Some(Running { id, wish, progress: looked });
        Ok((wishes, progress, Ends(self.clone())))
    }

    /// Lifts the block of a sweep. Whoever looks sees it run.
    ///
    /// # Errors
    /// [`Refusal::SweepRunning`]; else as the mind says.
    pub(crate) async fn lift(self: &Arc<Self>, desk: Arc<Desk>, id: SweepId, how: Lift) -> Result<Lifted, Refusal> {
        let (wishes, progress, ends) = self.begin(Some(id), Wish::Run)?;
        let shown = desk.shown().await.ok();
        // In a task of its own: it goes on when nobody waits for it any more.
        let run = tauri::async_runtime::spawn(async move {
            let _ends = ends;
            desk.lift(id, &how, wishes, progress, None).await
        });
        match run.await {
            Ok(lifted) => lifted.map_err(|error| map::contain::refusal(error, shown.as_deref())),
            Err(_) => Err(Refusal::Broken),
        }
    }

    /// Carries a plan out in a task of its own, and answers as soon as its sweep is on disk and nothing refused it.
    ///
    /// # Errors
    /// Why nothing was sent.
    pub(crate) async fn start(
        self: &Arc<Self>,
        desk: Arc<Desk>,
        plan: PlanFile,
        how: Apply,
        known: Option<SweepId>,
        wish: Wish,
    ) -> Result<SweepId, Refusal> {
        let (wishes, progress, ends) = self.begin(known, wish)?;
        let (begun, mut begins) = oneshot::channel();
        let (own, begun) = (desk.observer(), Mutex::new(Some(begun)));
        let went = Arc::new(AtomicBool::new(false));
        let goes = went.clone();
        let observer: Observer = Arc::new(move |step| {
            // A new sweep is opened first; one that is taken up is read first, once nothing refused it.
            if matches!(step, Step::Opened | Step::Reading)
                && let Some(begun) = held(&begun).take()
            {
                goes.store(true, Ordering::Relaxed);
                let _ = begun.send(());
            }
            own(step);
        });
        let hash = plan.hash();
        let (this, its_desk) = (self.clone(), desk.clone());
        let mut run = tauri::async_runtime::spawn(async move {
            // The first to be there and the last to go: a refusal is noted before.
            let _ends = ends;
            let ended = its_desk.apply(&plan, &how, wishes, progress, Some(&observer)).await;
            match ended {
                Ok(report) => {
                    held(&this.beside).insert(report.id, report.listed_beside);
                    Ok(report.id)
                }
                Err(error) => {
                    tracing::info!(%error, "a sweep did not go on");
                    let shown = its_desk.shown().await.ok();
                    let refusal = map::contain::refusal(error, shown.as_deref());
                    // What was refused at once is answered, and is no news of the sweep.
                    if went.load(Ordering::Relaxed)
                        && let Ok(Some(id)) = its_desk.sweep_of_plan(&hash).await
                    {
                        held(&this.refused).insert(id, refusal.clone());
                    }
                    Err(refusal)
                }
            }
        });
        let early = tokio::select! {
            Ok(()) = &mut begins => None,
            ended = &mut run => Some(ended),
        };
        let id = match early {
            Some(Ok(ended)) => ended?,
            Some(Err(_)) => return Err(Refusal::Broken),
            None => desk
                .sweep_of_plan(&hash)
                .await
                .map_err(map::refusal)?
                .ok_or_else(|| Refusal::Plan { fault: "not_kept".to_owned() })?,
        };
        if let Some(running) = &mut *held(&self.running) {
            running.id = Some(id);
        }
        Ok(id)
    }
}

/// Whether a refusal says that a sweep's plan is not kept any more.
pub(crate) fn not_kept(error: cutoff::Error) -> Refusal {
    match error {
        cutoff::Error::Plan(Unusable::NotAPlan) => Refusal::Plan { fault: "not_kept".to_owned() },
        other => map::refusal(other),
    }
}

/// A poisoned lock holds what was there before.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_breaks_is_over_and_says_so_and_the_next_can_begin() {
        let sweeping: Arc<Sweeping> = Arc::default();
        let id = SweepId::random();
        let (_wishes, _progress, ends) = sweeping.begin(Some(id), Wish::Run).expect("nothing runs");
        assert!(sweeping.is_running() && sweeping.free().is_err());
        let broke = tauri::async_runtime::block_on(tauri::async_runtime::spawn(async move {
            let _ends = ends;
            panic!("a mistake in a sweep");
        }));
        assert!(broke.is_err());
        assert!(!sweeping.is_running() && sweeping.free().is_ok());
        assert!(matches!(sweeping.refused(id), Some(Refusal::Broken)));
        let next = sweeping.begin(Some(id), Wish::Run).map(|_| ());
        assert!(next.is_ok() && !sweeping.is_running(), "what ends by itself leaves nothing behind");
        assert!(sweeping.refused(id).is_none(), "and is no news of the next run");
    }
}

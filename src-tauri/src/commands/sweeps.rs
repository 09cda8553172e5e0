//! Sweeps: begun with the hash of a plan that was shown, watched, paused, gone on with, and looked at afterwards.

use std::sync::Arc;
use std::time::Duration;

use contract::contain::{FacePairs, SweepPart};
use contract::plans::Plan;
use contract::refusal::{Fault, Field, Refusal};
use contract::sweeps::{Sweep, SweepGrants, SweepProgress, SweepQuery, SweepWish};
use cutoff::activity::{Digest, Wanted};
use cutoff::sweep::Wish;
use cutoff::sweeps::{Apply, What};
use cutoff::watch::ListedAgain;
use journal::SweepId;
use tauri::ipc::{Channel, JavaScriptChannelId};
use tauri::{Runtime, State, Webview};

use super::{Reply, plans, revoke};
use crate::map::refusal;
use crate::map::sweeps as map;
use crate::sweeping::not_kept;
use crate::{Shell, map as wire};

/// Pictures of progress are sent no oftener than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Nobody sees more rows than this at once.
const MOST_ROWS: u32 = 1_000;
/// Nor types a longer text to find one.
const LONGEST_TEXT: usize = 4_096;

pub(super) fn id_of(sweep_id: &str) -> Reply<SweepId> {
    sweep_id.parse().map_err(|_| Refusal::BadInput { field: Field::SweepId, fault: Fault::Malformed })
}

pub(super) async fn digest(shell: &Shell, id: SweepId) -> Reply<Arc<Digest>> {
    shell.desk()?.digest(id).await.map_err(|error| match error {
        cutoff::Error::Journal(journal::Error::NoSuchSweep(_)) => {
            Refusal::BadInput { field: Field::SweepId, fault: Fault::Unknown }
        }
        other => refusal(other),
    })
}

pub(super) async fn sweep(shell: &Shell, id: SweepId) -> Reply<Sweep> {
    let digest = digest(shell, id).await?;
    told(shell, &digest, &again(shell).await?).await
}

/// What is listed again, as the inventory that is shown tells it.
pub(super) async fn again(shell: &Shell) -> Reply<ListedAgain> {
    shell.desk()?.listed_again_by_sweep(shell.sweeping.running()).await.map_err(refusal)
}

async fn told(shell: &Shell, digest: &Digest, again: &ListedAgain) -> Reply<Sweep> {
    let desk = shell.desk()?;
    let running = shell.sweeping.look(digest.id).is_some();
    let resume = desk.may_go_on(digest).await.map_err(refusal)?;
    let organization = desk.organization_name(&digest.connection.organization_id).await;
    let session = desk.session().ok();
    let left_behind = desk.was_left_behind(digest.id);
    let here = desk.is_here(digest);
    let refused = shell.sweeping.refused(digest.id);
    let beside = shell.sweeping.beside(digest.id).len();
    Ok(map::sweep(digest, running, resume, here, left_behind, refused, organization, session.as_deref(), again, beside))
}

/// Carries a plan out. `typed` must be what the confirmation asked for: the count and the organization. `block_last`, for a plan with
/// a block: revoke and read first, then block.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_start(
    shell: State<'_, Shell>,
    hash: String,
    typed: String,
    canary: bool,
    ask_anyway: bool,
    block_last: Option<bool>,
) -> Reply<Sweep> {
    let desk = shell.desk()?;
    let shown = shell.sweeping.plan(&hash)?;
    let session = desk.session().map_err(refusal)?;
    let file = &shown.proposal.file;
    file.fits(&session, desk.now()).map_err(|unusable| refusal(cutoff::Error::Plan(unusable)))?;
    if !wire::plans::is_typed(&typed, file, &session) {
        return Err(Refusal::BadInput { field: Field::Typed, fault: Fault::Malformed });
    }
    let how = Apply { canary, ask_anyway, block_last: block_last.unwrap_or(false), ..Apply::default() };
    let id = shell.sweeping.start(desk.clone(), file.clone(), how, None, Wish::Run).await?;
    sweep(&shell, id).await
}

/// Goes on with a sweep that stopped.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_resume(shell: State<'_, Shell>, sweep_id: String) -> Reply<Sweep> {
    let id = id_of(&sweep_id)?;
    go_on(&shell, id, Wish::Run).await?;
    sweep(&shell, id).await
}

async fn go_on(shell: &Shell, id: SweepId, wish: Wish) -> Reply<()> {
    let desk = shell.desk()?;
    digest(shell, id).await?;
    let plan = desk.plan_of(id).await.map_err(not_kept)?;
    let how = Apply { resume: true, ..Apply::default() };
    shell.sweeping.start(desk.clone(), plan, how, Some(id), wish).await?;
    Ok(())
}

/// Asks a sweep to pause, or to stop for good. One that rests can only be stopped for good.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_wish(shell: State<'_, Shell>, sweep_id: String, wish: SweepWish) -> Reply<()> {
    let id = id_of(&sweep_id)?;
    let wanted = match wish {
        SweepWish::Pause => Wish::Pause,
        SweepWish::Cancel => Wish::Cancel,
    };
    if shell.sweeping.wish(Some(id), wanted) {
        return Ok(());
    }
    digest(&shell, id).await?;
    match wish {
        // It rests already.
        SweepWish::Pause => Ok(()),
        SweepWish::Cancel => go_on(&shell, id, Wish::Cancel).await,
    }
}

/// A new plan of what a sweep did not bring about and another request may. Sends nothing.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_retry(shell: State<'_, Shell>, sweep_id: String) -> Reply<Plan> {
    let id = id_of(&sweep_id)?;
    let found = digest(&shell, id).await?;
    let rest = shell.desk()?.rest_of(id).await.map_err(refusal)?;
    // What was taken in once was decided then.
    plans::make(&shell, &What::Pairs(rest), true, found.reason.clone()).await
}

/// Every sweep of many or with a block, the newest first. Others of one are revokes.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_list(shell: State<'_, Shell>) -> Reply<Vec<Sweep>> {
    let (mut all, again) = (Vec::new(), again(&shell).await?);
    for digest in shell.desk()?.digests().await.map_err(refusal)? {
        if digest.grants < 2 && digest.policy.is_none() {
            continue;
        }
        all.push(told(&shell, &digest, &again).await?);
    }
    Ok(all)
}

/// Tells how far a sweep is until it rests, and answers how it stands then. At once for one that does not run here.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_watch<R: Runtime>(
    webview: Webview<R>,
    shell: State<'_, Shell>,
    sweep_id: String,
    progress: Option<JavaScriptChannelId>,
) -> Reply<Sweep> {
    let id = id_of(&sweep_id)?;
    let channel: Option<Channel<SweepProgress>> = progress.map(|id| id.channel_on(webview));
    if let Some(mut look) = shell.sweeping.look(id) {
        loop {
            if let Some(channel) = &channel {
                let picture = map::progress(&look.progress.borrow_and_update(), *look.wish.borrow());
                // A page that is gone needs no progress.
                if channel.send(picture).is_err() {
                    break;
                }
            }
            tokio::time::sleep(PROGRESS_EVERY).await;
            let over = tokio::select! {
                changed = look.progress.changed() => changed.is_err(),
                changed = look.wish.changed() => changed.is_err(),
            };
            if over {
                look.ended().await;
                break;
            }
        }
    }
    sweep(&shell, id).await
}

/// A window of a sweep's grants.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_grants(shell: State<'_, Shell>, sweep_id: String, query: SweepQuery) -> Reply<SweepGrants> {
    let id = id_of(&sweep_id)?;
    if query.text.len() > LONGEST_TEXT || query.outcomes.len() > 64 {
        return Err(Refusal::BadInput { field: Field::Query, fault: Fault::TooLong });
    }
    digest(&shell, id).await?;
    let wanted = Wanted {
        outcomes: query.outcomes.iter().copied().map(map::outcome_of).collect(),
        unsent: query.unsent,
        text: query.text,
    };
    let found = shell.desk()?.sweep_grants(id, &wanted, query.offset, query.count.min(MOST_ROWS)).await;
    let (reports, matching, total) = found.map_err(refusal)?;
    let (mut rows, again) = (Vec::with_capacity(reports.len()), again(&shell).await?);
    for report in &reports {
        rows.push(revoke::told_with(&shell, report, &again).await?);
    }
    Ok(SweepGrants { rows, matching, total })
}

/// A window of the grants beside a sweep's outcomes: what vanished in no plan, or what returned when the block was lifted.
#[tauri::command(rename_all = "snake_case")]
pub async fn sweep_pairs(
    shell: State<'_, Shell>,
    sweep_id: String,
    part: SweepPart,
    offset: u32,
    count: u32,
) -> Reply<FacePairs> {
    let id = id_of(&sweep_id)?;
    let digest = digest(&shell, id).await?;
    let desk = shell.desk()?;
    let inventory = desk.shown().await.ok();
    let beside = shell.sweeping.beside(id);
    Ok(wire::contain::pairs(
        &digest,
        &beside,
        part,
        offset,
        count,
        inventory.as_deref(),
        desk.session().ok().as_deref(),
    ))
}

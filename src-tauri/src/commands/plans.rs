//! Plans: made of what is selected, looked at in windows, saved to a file and opened from one.

use contract::inventory::Exported;
use contract::plans::{Plan, PlanGrants, PlanNoun, PlanPart, PlanShares, PlanWhat};
use contract::refusal::{Fault, Field, Refusal};
use cutoff::plan_file::{LARGEST, PlanFile};
use cutoff::sweeps::What;
use tauri::{AppHandle, Runtime, State};

use super::{Reply, indicators};
use crate::map::plans as map;
use crate::map::refusal;
use crate::sweeping::Shown;
use crate::{Shell, chosen, export};

/// Longer reasons are refused: a ticket and a sentence fit.
const LONGEST_REASON: usize = 500;

/// Counts what revoking something would be. Sends nothing.
#[tauri::command(rename_all = "snake_case")]
pub async fn plan_make(
    shell: State<'_, Shell>,
    what: PlanWhat,
    first_party: bool,
    reason: Option<String>,
) -> Reply<Plan> {
    let reason = checked(reason)?;
    let what = match what {
        PlanWhat::Found { finding, look_alikes } => indicators::what(&shell, &finding, look_alikes, first_party)?,
        what => map::what(what)?,
    };
    make(&shell, &what, first_party, reason).await
}

/// A reason as it is kept: none rather than an empty one.
pub(super) fn checked(reason: Option<String>) -> Reply<Option<String>> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(Refusal::BadInput { field: Field::Reason, fault: Fault::TooLong });
    }
    Ok(reason)
}

pub(super) async fn make(shell: &Shell, what: &What, first_party: bool, reason: Option<String>) -> Reply<Plan> {
    let desk = shell.desk()?;
    let proposal = desk.propose(what, first_party, reason, desk.now()).await.map_err(refusal)?;
    show(shell, Shown { proposal, opened: None }).await
}

pub(super) async fn show(shell: &Shell, shown: Shown) -> Reply<Plan> {
    let desk = shell.desk()?;
    let session = desk.session().map_err(refusal)?;
    let picture = desk.shown().await.map_err(refusal)?;
    let (hash, shown) = shell.sweeping.keep(shown);
    Ok(map::plan(hash, &shown, &session, &picture))
}

/// A window of a plan's grants.
#[tauri::command(rename_all = "snake_case")]
pub async fn plan_grants(
    shell: State<'_, Shell>,
    hash: String,
    part: PlanPart,
    offset: u32,
    count: u32,
) -> Reply<PlanGrants> {
    let desk = shell.desk()?;
    let shown = shell.sweeping.plan(&hash)?;
    let picture = desk.shown().await.map_err(refusal)?;
    Ok(map::grants(&shown, part, offset, count, &picture, desk.session().ok().as_deref()))
}

/// A window of what a plan takes from each app, or from each member.
#[tauri::command(rename_all = "snake_case")]
pub async fn plan_shares(
    shell: State<'_, Shell>,
    hash: String,
    noun: PlanNoun,
    offset: u32,
    count: u32,
) -> Reply<PlanShares> {
    let desk = shell.desk()?;
    let shown = shell.sweeping.plan(&hash)?;
    let picture = desk.shown().await.map_err(refusal)?;
    Ok(map::shares(&shown, noun, offset, count, &picture, desk.session().ok().as_deref()))
}

/// Writes a plan to a new file in the user's folder for downloads.
#[tauri::command(rename_all = "snake_case")]
pub async fn plan_save(shell: State<'_, Shell>, hash: String) -> Reply<Exported> {
    let desk = shell.desk()?;
    let shown = shell.sweeping.plan(&hash)?;
    let organization = desk.session().map_err(refusal)?.state().organization.organization_name;
    let folder = shell.export_dir();
    tauri::async_runtime::spawn_blocking(move || export::write_plan(&shown.proposal.file, &organization, folder))
        .await
        .unwrap_or_else(|_| Err(Refusal::Export { fault: "other".to_owned(), folder: None }))
}

/// Lets the user choose a plan's file, reads the inventory anew and answers the plan beside it; nothing when none was chosen.
#[tauri::command(rename_all = "snake_case")]
pub async fn plan_open<R: Runtime>(app: AppHandle<R>, shell: State<'_, Shell>) -> Reply<Option<Plan>> {
    let desk = shell.desk()?;
    let session = desk.session().map_err(refusal)?;
    let Some(path) = shell.choose_file(&app, Some("json")).await? else { return Ok(None) };
    let bytes = chosen::read(&path, LARGEST).ok_or_else(|| Refusal::Plan { fault: "unreadable".to_owned() })?;
    let file = PlanFile::read(&bytes).map_err(|unusable| refusal(cutoff::Error::Plan(unusable)))?;
    // One that cannot be used here is refused before anything is read for it.
    file.fits(&session, desk.now()).map_err(|unusable| refusal(cutoff::Error::Plan(unusable)))?;
    desk.read_inventory(&|_| {}).await.map_err(refusal)?;
    let compared = desk.compare_plan(file, desk.now()).await.map_err(refusal)?;
    if compared.sweep.is_some_and(|(_, closed)| closed) {
        return Err(Refusal::Plan { fault: "carried_out".to_owned() });
    }
    show(&shell, Shown::compared(chosen::name(&path), compared)).await.map(Some)
}

//! Indicators of an advisory: looked for in the inventory that is shown, told in windows, and recorded as evidence.

use std::sync::Arc;

use contract::evidence::EvidencePack;
use contract::indicators::{Finding, FindingPart, FindingRows};
use contract::refusal::Refusal;
use cutoff::indicators::{Indicators, LARGEST};
use cutoff::sweeps::What;
use tauri::{AppHandle, Runtime, State};
use uuid::Uuid;

use super::{Reply, evidence, plans};
use crate::map::indicators::{self as map, Found};
use crate::map::refusal;
use crate::{Shell, chosen};

/// A finding that was shown.
pub(super) fn found(shell: &Shell, finding: &str) -> Reply<Arc<Found>> {
    shell.findings.get(finding).ok_or_else(|| Refusal::Plan { fault: "not_kept".to_owned() })
}

/// Every grant of the apps of a finding, those in no list among them.
pub(super) fn what(shell: &Shell, finding: &str, look_alikes: bool, first_party: bool) -> Reply<What> {
    let found = found(shell, finding)?;
    Ok(What::Pairs(found.findings.pairs(&found.inventory.picture, look_alikes, first_party)))
}

/// Lets the user choose a file of indicators and looks for them in the inventory that is shown, and for ids in no list by their
/// own view; nothing when none was chosen.
#[tauri::command(rename_all = "snake_case")]
pub async fn indicators_check<R: Runtime>(app: AppHandle<R>, shell: State<'_, Shell>) -> Reply<Option<Finding>> {
    let desk = shell.desk()?;
    // Where nothing was read yet, nobody has to choose a file to learn it.
    desk.shown().await.map_err(refusal)?;
    let Some(path) = shell.choose_file(&app, None).await? else { return Ok(None) };
    let bytes = chosen::read(&path, LARGEST).ok_or_else(chosen::unreadable)?;
    let indicators = Indicators::read(&bytes).map_err(map::unreadable)?;
    let inventory = desk.shown().await.map_err(refusal)?;
    let findings = desk.match_indicators(&indicators, &inventory).await.map_err(refusal)?;
    let found =
        Found { file: chosen::name(&path), indicators, findings, inventory, recorded: tokio::sync::Mutex::default() };
    let name = Uuid::new_v4().to_string();
    let found = shell.findings.keep(name.clone(), found);
    Ok(Some(map::finding(name, &found)))
}

/// A window of a finding's indicators.
#[tauri::command(rename_all = "snake_case")]
pub async fn indicators_rows(
    shell: State<'_, Shell>,
    finding: String,
    part: FindingPart,
    offset: u32,
    count: u32,
) -> Reply<FindingRows> {
    Ok(map::rows(&*found(&shell, &finding)?, part, offset, count))
}

/// Records a finding, once, and writes its evidence to a new file in the user's folder for downloads.
#[tauri::command(rename_all = "snake_case")]
pub async fn indicators_export(
    shell: State<'_, Shell>,
    finding: String,
    reason: Option<String>,
) -> Reply<EvidencePack> {
    let reason = plans::checked(reason)?;
    let found = found(&shell, &finding)?;
    let desk = shell.desk()?;
    // Evidence says who looked and where: it must be of the place that is signed in to.
    desk.session().map_err(refusal)?;
    if desk.shown().await.map_err(refusal)?.place != found.inventory.place {
        return Err(Refusal::Plan { fault: "elsewhere".to_owned() });
    }
    let mut recorded = found.recorded.lock().await;
    let id = match *recorded {
        Some(id) => id,
        None => {
            let picture = &found.inventory.picture;
            desk.record_finding(&found.indicators, &found.findings, picture, reason).await.map_err(refusal)?
        }
    };
    *recorded = Some(id);
    drop(recorded);
    evidence::write(&shell, id).await
}

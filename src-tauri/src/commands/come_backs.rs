//! Come-backs: what is listed again although a sweep found it gone, and how the app looks for it.

use contract::come_backs::ComeBacks;
use contract::refusal::{Fault, Field, Refusal};
use tauri::State;

use super::Reply;
use crate::Shell;
use crate::map::come_backs as map;
use crate::map::refusal;

/// Nobody sees more rows than this at once.
const MOST_ROWS: u32 = 1_000;

/// A window of what came back, is still listed and was not dismissed. Asks nobody but the journal.
#[tauri::command(rename_all = "snake_case")]
pub async fn come_back_list(shell: State<'_, Shell>, offset: u32, count: u32) -> Reply<ComeBacks> {
    let desk = shell.desk()?;
    let watch = shell.watching.status(&shell).await?;
    let (found, shown) = match desk.come_backs().await {
        Ok(found) => (found, desk.shown().await.map_err(refusal)?),
        // Where nothing was read nothing can have come back.
        Err(cutoff::Error::NothingRead) => return Ok(ComeBacks { rows: Vec::new(), total: 0, watch }),
        Err(error) => return Err(refusal(error)),
    };
    let session = desk.session().ok();
    let window = found.iter().skip(offset as usize).take(count.min(MOST_ROWS) as usize);
    Ok(ComeBacks {
        rows: window.map(|back| map::come_back(back, &shown.picture, session.as_deref())).collect(),
        total: u32::try_from(found.len()).unwrap_or(u32::MAX),
        watch,
    })
}

/// Lists a come-back no more. The same grant is told again once it was lost again.
#[tauri::command(rename_all = "snake_case")]
pub async fn come_back_dismiss(shell: State<'_, Shell>, id: String) -> Reply<()> {
    let desk = shell.desk()?;
    let listed = desk.come_backs().await.map_err(refusal)?;
    if !listed.iter().any(|back| back.id == id) {
        return Err(Refusal::BadInput { field: Field::ComeBackId, fault: Fault::Unknown });
    }
    desk.dismiss(&id).await.map_err(refusal)
}

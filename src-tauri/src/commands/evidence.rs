//! Evidence: a sweep's pack written, a pack checked, the journal looked at, and a person taken out of it.

use contract::evidence::{Erased, EvidenceCheck, EvidencePack, JournalStatus};
use contract::refusal::{Fault, Field, Refusal};
use cutoff::evidence::{self, Broken, LARGEST};
use journal::{Hash, SweepId};
use tauri::{AppHandle, Runtime, State};

use super::{Reply, sweeps};
use crate::map::evidence as map;
use crate::map::refusal;
use crate::{Shell, chosen, export};

/// Writes the evidence of a sweep, as it stands now, to a new file in the user's folder for downloads.
#[tauri::command(rename_all = "snake_case")]
pub async fn evidence_export(shell: State<'_, Shell>, sweep_id: String) -> Reply<EvidencePack> {
    let id = sweeps::id_of(&sweep_id)?;
    sweeps::digest(&shell, id).await?;
    write(&shell, id).await
}

pub(super) async fn write(shell: &Shell, id: SweepId) -> Reply<EvidencePack> {
    let pack = shell.desk()?.pack(id).await.map_err(refusal)?;
    let folder = shell.export_dir();
    tauri::async_runtime::spawn_blocking(move || export::write_pack(&pack, folder))
        .await
        .unwrap_or_else(|_| Err(Refusal::Export { fault: "other".to_owned(), folder: None }))
}

/// Lets the user choose a pack and checks it from its bytes alone, with a head that was noted or without; nothing when none was
/// chosen. Nobody is asked, and nobody need be signed in.
#[tauri::command(rename_all = "snake_case")]
pub async fn evidence_check<R: Runtime>(
    app: AppHandle<R>,
    shell: State<'_, Shell>,
    head: Option<String>,
) -> Reply<Option<EvidenceCheck>> {
    let head = head.as_deref().map(str::trim).filter(|head| !head.is_empty());
    let head: Option<Hash> = head
        .map(str::parse)
        .transpose()
        .map_err(|_| Refusal::BadInput { field: Field::Head, fault: Fault::Malformed })?;
    let Some(path) = shell.choose_file(&app, Some("zip")).await? else { return Ok(None) };
    let bytes = chosen::read(&path, LARGEST).ok_or_else(chosen::unreadable)?;
    let checked = tauri::async_runtime::spawn_blocking(move || match bytes.len() as u64 > LARGEST {
        true => Err(Broken::TooLarge),
        false => evidence::verify(&bytes, head),
    });
    let verdict = checked.await.map_err(|_| Refusal::Cancelled)?;
    Ok(Some(EvidenceCheck { file: chosen::name(&path), verdict: map::verdict(verdict) }))
}

/// Whether the journal is older than what the keyring has noted of it.
#[tauri::command(rename_all = "snake_case")]
pub async fn journal_status(shell: State<'_, Shell>) -> Reply<JournalStatus> {
    let noted = shell.desk()?.rolled_back().await.map_err(refusal)?;
    Ok(JournalStatus { rolled_back: noted.as_ref().map(map::rolled_back) })
}

/// Erases what the journal holds of a member beside the id, for good, and answers how many texts that were, and where others' words
/// may name them. Packs that were written before still have them.
#[tauri::command(rename_all = "snake_case")]
pub async fn erase_person(shell: State<'_, Shell>, member_id: String) -> Reply<Erased> {
    cutoff::directory::check_id(&member_id, cutoff::Field::MemberId).map_err(refusal)?;
    let erased = shell.desk()?.erase_person(&member_id, &[]).await.map_err(refusal)?;
    Ok(map::erased(&erased))
}

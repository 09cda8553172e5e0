//! The inventory: its reading, the windows of its lists, its map, its history, and copies and exports of what a filter shows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::inventory as wire;
use contract::refusal::Refusal;
use cutoff::Desk;
use cutoff::inventory::shown::Shown;
use cutoff::inventory::take::TakeChanges;
use cutoff::inventory::{changes, find, list};
use cutoff::session::Session;
use stytch_b2b::ConnectedAppId;
use tauri::ipc::{Channel, JavaScriptChannelId};
use tauri::{Runtime, State, Webview};

use super::Reply;
use crate::map::inventory as map;
use crate::map::refusal;
use crate::{Shell, export};

/// Pictures of progress are sent no oftener than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Rows that a copy takes at the most.
const MOST_COPIED: usize = 5_000;
/// Hits that the palette shows at the most.
const MOST_FOUND: u32 = 100;

async fn shown(desk: &Desk) -> Result<(Arc<Shown>, Option<Arc<Session>>), Refusal> {
    let shown = desk.shown().await.map_err(refusal)?;
    Ok((shown, desk.session().ok()))
}

async fn standing(desk: &Desk) -> Reply<wire::InventoryStatus> {
    Ok(map::status(&desk.inventory().await.map_err(refusal)?))
}

/// Where the inventory stands. Asks nobody but the journal, and is there before anybody is signed in.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_status(shell: State<'_, Shell>) -> Reply<wire::InventoryStatus> {
    standing(shell.desk()?).await
}

/// Reads the inventory, or joins a reading that is under way. `progress` is a channel for how far it is.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_read<R: Runtime>(
    webview: Webview<R>,
    shell: State<'_, Shell>,
    progress: Option<JavaScriptChannelId>,
) -> Reply<wire::InventoryStatus> {
    let desk = shell.desk()?;
    let channel: Option<Channel<wire::ReadingProgress>> = progress.map(|id| id.channel_on(webview));
    let sent = std::sync::Mutex::new(None::<Instant>);
    let tell = |progress: &cutoff::inventory::reading::Progress| {
        let Some(channel) = &channel else { return };
        // A poisoned lock holds a moment, which is as good as before.
        let mut sent = sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = sent.is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
        if due || progress.waiting_until.is_some() {
            *sent = Some(Instant::now());
            // A page that is gone needs no progress.
            let _ = channel.send(map::progress(progress));
        }
    };
    desk.read_inventory(&tell).await.map_err(refusal)?;
    standing(desk).await
}

/// Asks the reading that is under way to stop.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_cancel(shell: State<'_, Shell>) -> Reply<()> {
    shell.desk()?.cancel_reading();
    Ok(())
}

/// Says that what is shown has been looked at.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_looked(shell: State<'_, Shell>) -> Reply<wire::InventoryStatus> {
    let desk = shell.desk()?;
    desk.mark_looked().await.map_err(refusal)?;
    standing(desk).await
}

/// A window of the apps that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_apps(shell: State<'_, Shell>, query: wire::InventoryQuery) -> Reply<wire::AppRows> {
    let query = map::query(query)?;
    let (shown, session) = shown(shell.desk()?).await?;
    let sorted = shown.sorted_apps(&query);
    let window = sorted.window(&shown.picture, &shown.index, query.offset, query.count);
    Ok(map::app_rows(&window, &shown, session.as_deref()))
}

/// A window of the members that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_members(shell: State<'_, Shell>, query: wire::InventoryQuery) -> Reply<wire::MemberRows> {
    let query = map::query(query)?;
    let (shown, session) = shown(shell.desk()?).await?;
    let sorted = shown.sorted_members(&query);
    let window = sorted.window(&shown.picture, &shown.index, query.offset, query.count);
    Ok(map::member_rows(&window, &shown, session.as_deref()))
}

/// A window of the grants that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_grants(shell: State<'_, Shell>, query: wire::InventoryQuery) -> Reply<wire::GrantRows> {
    let query = map::query(query)?;
    let (shown, session) = shown(shell.desk()?).await?;
    let sorted = shown.sorted_grants(&query);
    let window = sorted.window(&shown.picture, query.offset, query.count);
    let only: Option<&ConnectedAppId> = match query.filter.apps.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    Ok(map::grant_rows(&window, &shown, only, session.as_deref()))
}

/// What can be chosen in filters.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_facets(shell: State<'_, Shell>) -> Reply<wire::Facets> {
    let (shown, _) = shown(shell.desk()?).await?;
    Ok(map::facets(list::facets(&shown.picture, &shown.index)))
}

/// What a selection comes to.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_selection(shell: State<'_, Shell>, selection: wire::Selection) -> Reply<wire::SelectionCount> {
    let selection = map::selection(selection)?;
    let (shown, _) = shown(shell.desk()?).await?;
    Ok(map::selection_count(&selection.resolve(&shown.picture, &shown.index)))
}

/// Apps and members by a few letters; where there is none and the letters can only be a client id, that id.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_find(shell: State<'_, Shell>, text: String, count: u32) -> Reply<Vec<wire::PaletteHit>> {
    let text = map::filter(wire::Filter { text, ..wire::Filter::default() })?.text;
    let (shown, session) = shown(shell.desk()?).await?;
    let hits = find::find(&shown.picture, &shown.index, &text, count.min(MOST_FOUND) as usize);
    match cutoff::indicators::client_id(&text) {
        Some(id) if hits.is_empty() && count > 0 => Ok(vec![map::client_id(&id)]),
        _ => Ok(map::hits(&hits, &shown.picture, session.as_deref())),
    }
}

/// A part of the map.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_map(shell: State<'_, Shell>, query: wire::MapQuery) -> Reply<wire::MapPicture> {
    let view = map::view(&query);
    let filter = map::filter(query.filter)?;
    let (shown, session) = shown(shell.desk()?).await?;
    Ok(map::map(&shown.map(&filter, &view), &shown, session.as_deref()))
}

/// Rows as text, for the clipboard.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_copy(shell: State<'_, Shell>, what: wire::ExportWhat) -> Reply<wire::Copied> {
    let take = map::take(what)?;
    let (shown, _) = shown(shell.desk()?).await?;
    let mut text = Vec::new();
    let taken = take
        .write(&shown, &mut text, Some(MOST_COPIED))
        .map_err(|_| Refusal::Export { fault: "other".to_owned(), folder: None })?;
    Ok(wire::Copied {
        text: String::from_utf8_lossy(&text).into_owned(),
        rows: u32::try_from(taken.rows).unwrap_or(u32::MAX),
        left_out: u32::try_from(taken.left_out).unwrap_or(u32::MAX),
    })
}

/// Writes rows to a new file in the user's folder for downloads.
#[tauri::command(rename_all = "snake_case")]
pub async fn inventory_export(shell: State<'_, Shell>, what: wire::ExportWhat) -> Reply<wire::Exported> {
    let take = map::take(what)?;
    let (shown, _) = shown(shell.desk()?).await?;
    let folder = shell.export_dir();
    tauri::async_runtime::spawn_blocking(move || export::write(&shown, &take, folder))
        .await
        .unwrap_or_else(|_| Err(Refusal::Export { fault: "other".to_owned(), folder: None }))
}

/// The snapshots of this organization, oldest first.
#[tauri::command(rename_all = "snake_case")]
pub async fn snapshot_list(shell: State<'_, Shell>) -> Reply<Vec<wire::SnapshotRow>> {
    let marks = shell.desk()?.snapshots().await.map_err(refusal)?;
    Ok(marks.into_iter().map(map::snapshot).collect())
}

/// A window of the grants that differ between two snapshots.
#[tauri::command(rename_all = "snake_case")]
pub async fn snapshot_changes(
    shell: State<'_, Shell>,
    from: u32,
    to: u32,
    query: wire::InventoryQuery,
    kinds: Vec<wire::GrantChange>,
) -> Reply<wire::ChangeRows> {
    let (query, kinds) = (map::query(query)?, map::kinds(kinds));
    let desk = shell.desk()?;
    let (shown, not_compared) = desk.changes(from, to).await.map_err(refusal)?;
    let session = desk.session().ok();
    let rows = changes::rows(&shown, &query, &kinds);
    Ok(map::changes(&shown, &not_compared, &rows, &query, session.as_deref()))
}

/// Writes the grants that differ between two snapshots to a new file in the user's folder for downloads.
#[tauri::command(rename_all = "snake_case")]
pub async fn snapshot_changes_export(
    shell: State<'_, Shell>,
    from: u32,
    to: u32,
    query: wire::InventoryQuery,
    kinds: Vec<wire::GrantChange>,
    format: wire::ExportFormat,
) -> Reply<wire::Exported> {
    let take = TakeChanges { query: map::query(query)?, kinds: map::kinds(kinds), format: map::format(format) };
    let (shown, not_compared) = shell.desk()?.changes(from, to).await.map_err(refusal)?;
    let folder = shell.export_dir();
    tauri::async_runtime::spawn_blocking(move || export::write_changes(&shown, &not_compared, &take, folder))
        .await
        .unwrap_or_else(|_| Err(Refusal::Export { fault: "other".to_owned(), folder: None }))
}

/// The rules that scopes are rated by.
#[tauri::command(rename_all = "snake_case")]
pub async fn width_rules(shell: State<'_, Shell>) -> Reply<wire::WidthRules> {
    Ok(map::rules(shell.desk()?.width_rules().await.map_err(refusal)?))
}

/// Changes them; `null` brings the ones back that came with the app.
#[tauri::command(rename_all = "snake_case")]
pub async fn width_rules_set(shell: State<'_, Shell>, rules: Option<wire::WidthRules>) -> Reply<wire::WidthRules> {
    let desk = shell.desk()?;
    desk.set_width_rules(rules.map(map::rules_of)).await.map_err(refusal)?;
    Ok(map::rules(desk.width_rules().await.map_err(refusal)?))
}

//! Connected apps, and one app's members.

use contract::commands::Window;
use contract::connected_apps::{AppMembers, AppPage};
use tauri::State;

use super::Reply;
use crate::{Shell, map};

/// A window of the organization's apps that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn connected_app_list(shell: State<'_, Shell>, window: Window) -> Reply<AppPage> {
    let page = shell.desk()?.connected_app_list(&map::window(window)).await.map_err(map::refusal)?;
    Ok(map::app_page(&page))
}

/// A window of one app's members that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn connected_app_members(
    shell: State<'_, Shell>,
    connected_app_id: String,
    window: Window,
) -> Reply<AppMembers> {
    let desk = shell.desk()?;
    let page = desk.connected_app_members(&connected_app_id, &map::window(window)).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    Ok(map::app_members(&page, &session))
}

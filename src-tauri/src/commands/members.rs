//! Members, and one member's connected apps.

use contract::commands::Window;
use contract::members::{MemberApps, MemberPage};
use tauri::State;

use super::Reply;
use crate::{Shell, map};

/// A window of the members that match.
#[tauri::command(rename_all = "snake_case")]
pub async fn member_list(shell: State<'_, Shell>, window: Window) -> Reply<MemberPage> {
    let desk = shell.desk()?;
    let page = desk.member_list(&map::window(window)).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    Ok(map::member_page(&page, &session))
}

/// One member's connected apps, read now.
#[tauri::command(rename_all = "snake_case")]
pub async fn member_connected_apps(shell: State<'_, Shell>, member_id: String) -> Reply<MemberApps> {
    let desk = shell.desk()?;
    let (grants, member) = desk.member_grants(&member_id).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    Ok(map::member_apps(&member_id, member.as_ref(), &grants, &session))
}

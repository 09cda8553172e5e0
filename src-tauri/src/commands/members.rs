//! One member's connected apps. Lists of members are windows of the inventory.

use contract::members::MemberApps;
use tauri::State;

use super::Reply;
use crate::{Shell, map};

/// One member's connected apps, read now.
#[tauri::command(rename_all = "snake_case")]
pub async fn member_connected_apps(shell: State<'_, Shell>, member_id: String) -> Reply<MemberApps> {
    let desk = shell.desk()?;
    let (grants, member) = desk.member_grants(&member_id).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    Ok(map::member_apps(&member_id, member.as_ref(), &grants, &session))
}

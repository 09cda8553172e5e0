//! Saved connections.

use contract::connections::{Connection, ConnectionDraft};
use contract::refusal::{Fault, Field, Refusal};
use tauri::State;
use uuid::Uuid;

use super::Reply;
use crate::{Shell, map};

/// Every connection, the one that the command line named first, then those of this run, then the one used last.
#[tauri::command(rename_all = "snake_case")]
pub async fn connection_list(shell: State<'_, Shell>) -> Reply<Vec<Connection>> {
    let mut connections = shell.desk()?.connections().await.map_err(map::refusal)?;
    let first = shell.first();
    connections.sort_by_key(|connection| Some(connection.id) != first);
    Ok(connections.iter().map(map::connection).collect())
}

/// Adds a connection. Nothing is sent.
#[tauri::command(rename_all = "snake_case")]
pub async fn connection_add(shell: State<'_, Shell>, draft: ConnectionDraft) -> Reply<Connection> {
    let added = shell.desk()?.add_connection(&map::draft(draft)).await.map_err(map::refusal)?;
    Ok(map::connection(&added))
}

/// Forgets a connection and the session kept for it.
#[tauri::command(rename_all = "snake_case")]
pub async fn connection_remove(shell: State<'_, Shell>, connection_id: String) -> Reply<()> {
    shell.desk()?.remove_connection(connection(&connection_id)?).await.map_err(map::refusal)
}

pub(super) fn connection(id: &str) -> Reply<Uuid> {
    id.parse().map_err(|_| Refusal::BadInput { field: Field::ConnectionId, fault: Fault::Malformed })
}

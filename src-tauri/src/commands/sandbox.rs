//! The sandbox that runs inside the app.

use contract::connections::{Letter, SandboxOffer};
use tauri::State;

use super::Reply;
use crate::Shell;

/// Starts the sandbox, once, and says how to sign in there.
#[tauri::command(rename_all = "snake_case")]
pub async fn sandbox_start(shell: State<'_, Shell>) -> Reply<SandboxOffer> {
    shell.sandbox().await
}

/// The codes that the sandbox has "mailed". No other server's codes can come this way.
#[tauri::command(rename_all = "snake_case")]
pub async fn sandbox_inbox(shell: State<'_, Shell>) -> Reply<Vec<Letter>> {
    Ok(shell.letters().await)
}

//! The session: who is signed in, until when, with which permissions. Never the session itself.

use contract::session::{Keeping, Session, SessionStatus};
use cutoff::Status;
use tauri::State;

use super::Reply;
use crate::{Shell, map};

/// Whether somebody is signed in. The first call of a run takes the kept session up, if there is one; the others ask no
/// server.
#[tauri::command(rename_all = "snake_case")]
pub async fn session_status(shell: State<'_, Shell>) -> Reply<SessionStatus> {
    shell.desk()?.restore_once().await.map_err(map::refusal)?;
    status(&shell).await
}

/// Takes the kept session up again, if there is one and it still lives.
#[tauri::command(rename_all = "snake_case")]
pub async fn session_restore(shell: State<'_, Shell>) -> Reply<SessionStatus> {
    shell.desk()?.restore().await.map_err(map::refusal)?;
    status(&shell).await
}

/// Makes the session last so many minutes from now.
#[tauri::command(rename_all = "snake_case")]
pub async fn session_extend(shell: State<'_, Shell>, minutes: u32) -> Reply<Session> {
    let desk = shell.desk()?;
    desk.check_session(Some(minutes)).await.map_err(map::refusal)?;
    Ok(map::session(&*desk.session().map_err(map::refusal)?))
}

/// Reads the project's policy and the session's roles again.
#[tauri::command(rename_all = "snake_case")]
pub async fn policy_read_again(shell: State<'_, Shell>) -> Reply<Session> {
    let desk = shell.desk()?;
    // The roles are the session's, so both are asked for anew.
    desk.check_session(None).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    session.read_policy().await.map_err(map::refusal)?;
    Ok(map::session(&session))
}

/// Ends the session, at the server too.
#[tauri::command(rename_all = "snake_case")]
pub async fn sign_out(shell: State<'_, Shell>, even_if_unreachable: bool) -> Reply<()> {
    // A sweep that runs would lose its session in the middle: it is paused first, by whoever signs out.
    shell.sweeping.free()?;
    shell.desk()?.sign_out(even_if_unreachable).await.map_err(map::refusal)
}

/// Asks the keyring again.
#[tauri::command(rename_all = "snake_case")]
pub async fn keyring_try_again(shell: State<'_, Shell>) -> Reply<Keeping> {
    let desk = shell.desk()?;
    let keeping = map::keeping(desk.try_keyring_again().await);
    // A sandbox's session is kept in memory by intent, whatever the keyring says.
    Ok(desk.session().map_or(keeping, |session| map::session(&session).keeping))
}

async fn status(shell: &Shell) -> Reply<SessionStatus> {
    Ok(match shell.desk()?.status().await {
        Status::SignedIn(session) => SessionStatus::SignedIn(Box::new(map::session(&session))),
        Status::SignedOut { ended, kept, keeping } => SessionStatus::SignedOut {
            ended: ended.map(map::session_end),
            kept: kept.map(|error| map::problem(&error)),
            keeping: map::keeping(keeping),
        },
    })
}

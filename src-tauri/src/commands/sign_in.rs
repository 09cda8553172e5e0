//! Signing in, step by step.

use contract::session::SignInStep;
use cutoff::sign_in::Step;
use tauri::State;

use super::Reply;
use super::connections::connection;
use crate::{Shell, map};

/// Sends a code.
#[tauri::command(rename_all = "snake_case")]
pub async fn sign_in_send_code(shell: State<'_, Shell>, connection_id: String, email: String) -> Reply<SignInStep> {
    let step = shell.desk()?.send_code(connection(&connection_id)?, &email).await.map_err(map::refusal)?;
    told(&shell, step).await
}

/// Gives the code.
#[tauri::command(rename_all = "snake_case")]
pub async fn sign_in_check_code(shell: State<'_, Shell>, code: String) -> Reply<SignInStep> {
    let step = shell.desk()?.check_code(&code).await.map_err(map::refusal)?;
    told(&shell, step).await
}

/// Chooses an organization.
#[tauri::command(rename_all = "snake_case")]
pub async fn sign_in_choose_organization(shell: State<'_, Shell>, organization_id: String) -> Reply<SignInStep> {
    let step = shell.desk()?.choose_organization(&organization_id).await.map_err(map::refusal)?;
    told(&shell, step).await
}

/// Gives the sign-in up.
#[tauri::command(rename_all = "snake_case")]
pub async fn sign_in_cancel(shell: State<'_, Shell>) -> Reply<()> {
    shell.desk()?.cancel_sign_in().await;
    Ok(())
}

async fn told(shell: &Shell, step: Step) -> Reply<SignInStep> {
    Ok(match step {
        Step::CodeSent { email, valid_until } => SignInStep::CodeSent { email, valid_until },
        Step::ChooseOrganization(found) => {
            SignInStep::ChooseOrganization { organizations: found.iter().map(map::organization_choice).collect() }
        }
        Step::MoreNeeded { what, methods } => SignInStep::MoreNeeded { what: what.to_owned(), methods },
        Step::Answered(_) | Step::SignedIn => {
            let session = shell.desk()?.session().map_err(map::refusal)?;
            SignInStep::SignedIn(Box::new(map::session(&session)))
        }
    })
}

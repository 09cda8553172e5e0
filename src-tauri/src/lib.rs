//! The shell: a window around the mind, and the wire between it and the page. It parses, calls and maps; it decides
//! nothing.

mod chosen;
pub mod commands;
pub mod desktop;
mod export;
mod map;
mod shelf;
mod shell;
mod sweeping;
mod watching;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutoff::sweep::verdict::Rules;
use cutoff::sweep::{Observer, Pace};
use stytch_b2b::Timeouts;
use tauri::{App, Builder, Runtime};
use vault::Vault;

pub use shell::{Shell, Tell};

/// Answers the file that the user chose.
pub type ChooseFile = Arc<dyn Fn() -> Option<PathBuf> + Send + Sync>;

/// What the app is made with.
pub struct Options {
    /// Where the journal lies.
    pub state_dir: PathBuf,
    /// Where secrets are kept.
    pub vault: Vault,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// How patient sweeps are.
    pub pace: Pace,
    /// How an inventory is read.
    pub reading: cutoff::inventory::reading::Pace,
    /// Where exports are written; the user's folder for downloads when left out.
    pub export_dir: Option<PathBuf>,
    /// Asks the user for a file to open, and answers its path; `None` when they chose none. Without it the system's own dialog asks.
    pub choose_file: Option<ChooseFile>,
    /// How often the app looks for what comes back.
    pub watch_every: Duration,
    /// The rules that outcomes are derived by.
    pub rules: Rules,
    /// Told of every step of every sweep; `None` for nobody.
    pub observer: Option<Observer>,
}

impl Options {
    /// The usual options for a state directory and a vault.
    #[must_use]
    pub fn new(state_dir: PathBuf, vault: Vault) -> Self {
        Self {
            state_dir,
            vault,
            timeouts: Timeouts::default(),
            pace: Pace::default(),
            reading: cutoff::inventory::reading::Pace::default(),
            export_dir: None,
            choose_file: None,
            watch_every: Duration::from_secs(5 * 60),
            rules: Rules::default(),
            observer: None,
        }
    }
}

/// Makes the app on any runtime, without a window and without starting anything: [`desktop::open`] does that for the
/// real one, tests make their own.
///
/// A journal that cannot be opened does not stop the app: every command then says so.
///
/// # Errors
/// What Tauri says when its context cannot be built.
pub fn create<R: Runtime>(builder: Builder<R>, options: Options) -> tauri::Result<App<R>> {
    builder
        .manage(Shell::open(options))
        .invoke_handler(tauri::generate_handler![
            commands::connections::connection_list,
            commands::connections::connection_add,
            commands::connections::connection_remove,
            commands::sandbox::sandbox_start,
            commands::sandbox::sandbox_inbox,
            commands::sign_in::sign_in_send_code,
            commands::sign_in::sign_in_check_code,
            commands::sign_in::sign_in_choose_organization,
            commands::sign_in::sign_in_cancel,
            commands::session::session_status,
            commands::session::session_restore,
            commands::session::session_extend,
            commands::session::policy_read_again,
            commands::session::sign_out,
            commands::session::keyring_try_again,
            commands::members::member_connected_apps,
            commands::inventory::inventory_status,
            commands::inventory::inventory_read,
            commands::inventory::inventory_cancel,
            commands::inventory::inventory_looked,
            commands::inventory::inventory_apps,
            commands::inventory::inventory_members,
            commands::inventory::inventory_grants,
            commands::inventory::inventory_facets,
            commands::inventory::inventory_selection,
            commands::inventory::inventory_find,
            commands::inventory::inventory_map,
            commands::inventory::inventory_copy,
            commands::inventory::inventory_export,
            commands::inventory::snapshot_list,
            commands::inventory::snapshot_changes,
            commands::inventory::snapshot_changes_export,
            commands::inventory::width_rules,
            commands::inventory::width_rules_set,
            commands::revoke::revoke_plan,
            commands::revoke::revoke_connected_app,
            commands::revoke::revoke_list,
            commands::revoke::revoke_settle,
            commands::plans::plan_make,
            commands::plans::plan_grants,
            commands::plans::plan_shares,
            commands::plans::plan_save,
            commands::plans::plan_open,
            commands::sweeps::sweep_start,
            commands::sweeps::sweep_resume,
            commands::sweeps::sweep_wish,
            commands::sweeps::sweep_retry,
            commands::sweeps::sweep_list,
            commands::sweeps::sweep_watch,
            commands::sweeps::sweep_grants,
            commands::sweeps::sweep_pairs,
            commands::contain::contain_look,
            commands::contain::contain_rows,
            commands::contain::contain_make,
            commands::contain::lift_look,
            commands::contain::lift,
            commands::evidence::evidence_export,
            commands::evidence::evidence_check,
            commands::evidence::journal_status,
            commands::evidence::erase_person,
            commands::come_backs::come_back_list,
            commands::come_backs::come_back_dismiss,
            commands::indicators::indicators_check,
            commands::indicators::indicators_rows,
            commands::indicators::indicators_export,
            commands::window::window_notify,
            commands::window::window_notices,
            commands::window::window_close,
        ])
        .build(tauri::generate_context!())
}

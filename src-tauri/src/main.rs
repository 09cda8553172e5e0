//! Starts the app: reads the command line, opens the state directory and the window.

// A release build for Windows has no console behind its window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cutoff::connections::{Draft, IDENTIFIER};
use cutoff_desktop::{Options, Shell, create, desktop};
use tauri::Manager as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use vault::Vault;

/// See every connected app that may act for your members, and cut it off with proof.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the journal lies; the platform's data directory when left out.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Scheme, host and port of the API to sign in to.
    #[arg(long, value_name = "URL", requires = "public_token")]
    base_url: Option<String>,
    /// The public token of the project to sign in to. Not a secret.
    #[arg(long, value_name = "TOKEN")]
    public_token: Option<String>,
    /// Start the built-in sandbox.
    #[arg(long, conflicts_with = "public_token")]
    sandbox: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log();
    let Some(state_dir) = arguments.state_dir.clone().or_else(state_dir) else {
        eprintln!("There is no data directory for this user. Name one with --state-dir DIR.");
        return ExitCode::FAILURE;
    };
    let app = match create(tauri::Builder::default(), Options::new(state_dir, Vault::system(IDENTIFIER))) {
        Ok(app) => app,
        Err(error) => {
            eprintln!("Cutoff cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(code) = tauri::async_runtime::block_on(prepare(&app.state::<Shell>(), &arguments)) {
        return code;
    }
    if let Err(error) = desktop::open(&app) {
        eprintln!("The window cannot be opened: {error}");
        return ExitCode::FAILURE;
    }
    app.run(|_, _| {});
    ExitCode::SUCCESS
}

/// Does what the command line asks for before the window is there.
async fn prepare(shell: &Shell, arguments: &Arguments) -> Result<(), ExitCode> {
    if arguments.sandbox {
        let offer = shell.sandbox().await.map_err(|refusal| {
            eprintln!("The sandbox cannot be started: {refusal:?}");
            ExitCode::FAILURE
        })?;
        if let Ok(id) = offer.connection.id.parse() {
            shell.put_first(id);
        }
    }
    if let (Some(public_token), Ok(desk)) = (&arguments.public_token, shell.desk()) {
        let draft =
            Draft { public_token: public_token.clone(), base_url: arguments.base_url.clone(), ..Draft::default() };
        match desk.add_connection(&draft).await {
            Ok(connection) => shell.put_first(connection.id),
            Err(error) => {
                // A host that is not Stytch's is confirmed in the window, where it can be read, and not by a flag that a
                // link or a desktop file could carry.
                eprintln!("This connection cannot be used: {error}. Add it in the window instead.");
                return Err(ExitCode::from(2));
            }
        }
    }
    Ok(())
}

fn state_dir() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join(IDENTIFIER))
}

/// Logs to standard error what our own crates say, as loudly as `CUTOFF_LOG` asks (`info`, `debug`, `trace`). Other
/// crates stay at warnings whatever it says: at their loudest some print what goes over the wire.
fn log() {
    let ours = std::env::var("CUTOFF_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::WARN);
    let targets = ["cutoff", "cutoff_desktop", "stytch_b2b", "journal", "vault"]
        .into_iter()
        .fold(Targets::new().with_default(LevelFilter::WARN), |targets, name| targets.with_target(name, ours));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(targets);
    tracing_subscriber::registry().with(lines).init();
}

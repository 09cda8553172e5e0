//! Starts the app: reads the command line, opens the state directory and the window.

// A release build for Windows has no console behind its window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cutoff::connections::{Draft, IDENTIFIER};
use cutoff::{Error, Fault, Field};
use cutoff_desktop::{Options, Shell, create, desktop};
use tauri::Manager as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;
use vault::Vault;

/// See which connected apps may act for your members. Revoke one for a member, and read again until it is gone.
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
    if cfg!(target_os = "linux") && ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none()) {
        eprintln!("There is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set.");
        return ExitCode::FAILURE;
    }
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
        // Without a journal there is no sandbox; the window says so, and what to do about it.
        if let Ok(offer) = shell.sandbox().await
            && let Ok(id) = offer.connection.id.parse()
        {
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
                eprintln!("{}", sentence(&error));
                return Err(ExitCode::from(2));
            }
        }
    }
    Ok(())
}

/// What is wrong with a connection given by flags, and what would be right.
fn sentence(error: &Error) -> String {
    match error {
        Error::BadInput { field: Field::PublicToken, fault: Fault::Secret } => {
            "That is a project secret. No app needs it: keep it to your servers, and give the public token.".to_owned()
        }
        Error::BadInput { field: Field::PublicToken, .. } => {
            "A public token reads public-token-test- or public-token-live-, followed by a UUID in lower case."
                .to_owned()
        }
        Error::BadInput { fault: Fault::PlainHttp, .. } => {
            "Plain http is for this computer only (127.0.0.1, localhost), with a test token. Give an https URL."
                .to_owned()
        }
        Error::BadInput { fault: Fault::Extras, .. } => {
            "Give scheme, host and port of the API only: no path, query, fragment or credentials.".to_owned()
        }
        Error::BadInput { .. } => "The base URL reads https://host or https://host:port.".to_owned(),
        Error::UnknownHost { base_url } => {
            format!(
                "{base_url} is not a host of Stytch's. Add it in the window, where it can be looked at and confirmed."
            )
        }
        other => format!("The connection cannot be saved: {other}."),
    }
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
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(targets);
    tracing_subscriber::registry().with(lines).init();
}

//! What `cargo xtask bench` runs: the app beside bare references, both in one run and by turns, so that whatever else the machine
//! does meets both. JSON on standard output, everything else on standard error. It judges nothing: no time makes it fail.

mod bare;
mod inventory;
#[cfg(target_os = "linux")]
mod inventory_window;
mod machine;
mod numbers;
mod revoke;
mod server;
#[cfg(target_os = "linux")]
mod start;
mod sweep;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Map, json};

/// Measures the app against bare references.
#[derive(Parser)]
struct Arguments {
    /// Few samples: a first impression, not a number to quote.
    #[arg(long)]
    quick: bool,
    /// Measure one thing alone.
    #[arg(long, value_name = "THING")]
    only: Option<Thing>,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Thing {
    /// The single revoke.
    Revoke,
    /// Sweeps of many: their rate, a containment, a limit, what a grant costs.
    Sweep,
    /// The inventory: its reading, its filters, its history.
    Inventory,
    /// The inventory in the real window: first rows, scrolling, memory.
    InventoryWindow,
    /// Start to interactive.
    Start,
}

#[derive(Subcommand)]
enum Other {
    /// The sandbox's side, as a process of its own: the program starts itself a second time, so that nothing more is built.
    #[command(hide = true)]
    Sandbox {
        #[arg(long)]
        members: usize,
        #[arg(long)]
        apps: usize,
    },
}

/// What stopped the measurements, in a sentence. Nothing branches on it.
type Done<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.other {
        Some(Other::Sandbox { members, apps }) => server::serve(members, apps),
        None => measure(arguments.quick, arguments.only),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(quick: bool, only: Option<Thing>) -> Done {
    let mut found = Map::new();
    found.insert("format".to_owned(), json!("cutoff-bench-1"));
    found.insert("quick".to_owned(), json!(quick));
    let place = machine::place()?;
    found.insert("machine".to_owned(), machine::facts(place.path()));
    let wanted = |thing| only.is_none_or(|only| only == thing);
    if wanted(Thing::Revoke) {
        found.insert("single_revoke".to_owned(), revoke::measure(place.path(), if quick { 30 } else { 300 })?);
    }
    if wanted(Thing::Sweep) {
        found.insert("sweep".to_owned(), sweep::measure(place.path(), quick)?);
    }
    if wanted(Thing::Inventory) {
        found.insert("inventory".to_owned(), inventory::measure(place.path(), if quick { 2 } else { 7 })?);
    }
    if wanted(Thing::InventoryWindow) {
        #[cfg(target_os = "linux")]
        found
            .insert("inventory_window".to_owned(), inventory_window::measure(place.path(), if quick { 2 } else { 7 })?);
        #[cfg(not(target_os = "linux"))]
        eprintln!("· the inventory's window is left out: it is driven by WebKitGTK's WebDriver, which is Linux's");
    }
    if wanted(Thing::Start) {
        #[cfg(target_os = "linux")]
        found.insert("start_to_interactive".to_owned(), start::measure(if quick { 3 } else { 15 })?);
        #[cfg(not(target_os = "linux"))]
        eprintln!("· start to interactive is left out: it is measured with WebKitGTK's WebDriver, which is Linux's");
    }
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}

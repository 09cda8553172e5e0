//! The wire between page and shell, kept by asking every command as the page does: the real commands and capability file
//! on Tauri's mock runtime, against a live sandbox whose ledger knows what is true.

mod bad_input;
mod bound;
mod come_backs;
mod contain;
mod doors;
mod evidence;
mod exports;
mod faults;
mod indicators;
mod inventory;
mod offline;
mod plans;
mod secrecy;
mod sign_in;
mod snapshots;
mod sweeps;

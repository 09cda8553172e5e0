//! Secrets at rest: one short secret per connection in the operating system's keyring, or in this process's memory when the
//! keyring cannot be used. Never in a file. It is not a session: it knows neither what a secret means nor whether it is valid.
//!
//! Linux and the BSDs speak to the Secret Service over D-Bus, macOS to the login keychain, Windows to the Credential Manager.
//! Only the first is exercised by this crate's tests; the other two are compiled on their platforms and rest on the same
//! `keyring` stores.
//!
//! All calls block, each at most for the time it is allowed: a keyring that wants its owner's password shows a prompt and
//! answers nothing until somebody reacts. So every call works on a thread of its own that is left behind when time is up. Call
//! from async code through `spawn_blocking`. The D-Bus connection runs on its own executor and needs no tokio runtime.

mod store;
mod trouble;
mod vault;

pub use trouble::{Keeping, Trouble};
pub use vault::{Account, LONGEST, PATIENCE, Vault};

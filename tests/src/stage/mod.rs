//! The stage on which the real window runs where nobody looks: a display, a message bus, a keyring and a home of its own, a
//! WebDriver, and a wire to the sandbox that keeps what went over it. It knows nothing of what the stories expect.
//!
//! Everything here is Linux's: the window is driven by `WebKitWebDriver` under `Xvfb`. What a stage starts it also ends, by
//! process id and when it is dropped.

mod app;
mod bus;
mod display;
mod home;
mod hunt;
mod process;
mod scene;
mod startup;
mod wire;

use std::fmt;

pub use app::{App, hook};
pub use fantoccini::key::Key;
pub use home::Home;
pub use hunt::{Finding, needles};
pub use process::until;
pub use scene::{Granted, Keyring, Ledger, Looked, PolicyChange, Revocation, Scene, Setting};
pub use startup::{Running, Started, Startup};
pub use wire::{Exchange, Wire};

/// What went wrong on the stage, in a sentence for whoever reads a failed test. Nobody decides by it.
pub struct Mishap(String);

/// What playing a part comes to.
pub type Played<T = ()> = Result<T, Mishap>;

impl Mishap {
    /// A mishap in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The same mishap, after what was being done.
    #[must_use]
    pub fn during(self, what: impl fmt::Display) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

// A test that returns an error prints it with Debug: the sentence is what should be read.
impl fmt::Debug for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mishap {}

macro_rules! mishap_from {
    ($($what:literal: $error:ty),* $(,)?) => {
        $(impl From<$error> for Mishap {
            fn from(error: $error) -> Self {
                Self(format!(concat!($what, ": {}"), error))
            }
        })*
    };
}

mishap_from! {
    "the system": std::io::Error,
    "the WebDriver": fantoccini::error::CmdError,
    "a WebDriver session": fantoccini::error::NewSessionError,
    "the sandbox's control side": reqwest::Error,
    "JSON": serde_json::Error,
    "a time": jiff::Error,
}

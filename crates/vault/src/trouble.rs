//! Why a secret is not in the keyring, in the words a caller decides by. No variant carries a message of the platform: some of
//! the errors behind them hold the secret's bytes.

use std::fmt;

use keyring_core::Error;

/// Why the keyring could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// There is no keyring: no session bus, nothing on it that offers one, or no default collection to put a secret in.
    Missing,
    /// There is one, and it is locked. Its owner can unlock it and try again.
    Locked,
    /// It answered and would not do it, or it lost what it was given.
    Refused,
    /// It did not answer within the time allowed, and did not say that it is locked.
    TimedOut,
    /// The secret is longer than what every platform's keyring can hold. Another try will not help.
    TooLong,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::Missing => "this system offers no keyring; start or install one, then try the keyring again",
            Trouble::Locked => "the keyring is locked; unlock it, then try the keyring again",
            Trouble::Refused => {
                "the keyring refused; look at it with the system's own keyring tool, then try the keyring again"
            }
            Trouble::TimedOut => {
                "the keyring did not answer in time; answer its prompt if there is one, then try the keyring again"
            }
            Trouble::TooLong => "the secret is longer than 1,024 bytes and is not kept",
        })
    }
}

impl std::error::Error for Trouble {}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// In the operating system's keyring: they outlive the process.
    Keyring,
    /// In this process's memory only, and why.
    Memory(Trouble),
}

/// What an error of the keyring comes down to. `NoEntry` is not trouble and must be handled before.
pub(crate) fn read(error: &Error) -> Trouble {
    match error {
        Error::NoStorageAccess(platform) | Error::PlatformFailure(platform) => {
            crate::store::platform(platform.as_ref(), matches!(error, Error::NoStorageAccess(_)))
        }
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => Trouble::Missing,
        Error::TooLong(..) => Trouble::TooLong,
        _ => Trouble::Refused,
    }
}

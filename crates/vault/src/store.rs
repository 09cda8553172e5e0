//! The platform's store, reached anew for each call. A store that was built once remembers its connection, and a process-wide
//! default remembers even that it failed; a keyring that is started or unlocked later must be found without a restart.

use keyring::Entry;
use keyring_core::CredentialStore;
use std::sync::Arc;

use crate::Trouble;
use crate::trouble::read;

#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// The item of that service and account, which may or may not exist yet.
pub(crate) fn entry(service: &str, account: &str) -> Result<Entry, Trouble> {
    let inner = store().and_then(|store| store.build(service, account, None)).map_err(|error| read(&error))?;
    Ok(Entry { inner })
}

/// What an error of the Secret Service comes down to.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn platform(error: &(dyn std::error::Error + Send + Sync + 'static), _no_access: bool) -> Trouble {
    use secret_service::Error as Said;
    match error.downcast_ref::<Said>() {
        // A prompt that is dismissed, or cannot be shown at all because there is no display, is how a locked collection refuses.
        Some(Said::Locked | Said::Prompt | Said::PromptDisconnected) => Trouble::Locked,
        // `NoResult`: the service runs and has no default collection.
        Some(Said::Unavailable | Said::NoResult) => Trouble::Missing,
        Some(Said::Zbus(error)) => bus(error),
        Some(Said::ZbusFdo(error)) => fdo(error),
        _ => Trouble::Refused,
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn bus(error: &zbus::Error) -> Trouble {
    match error {
        zbus::Error::Address(_)
        | zbus::Error::Connection(..)
        | zbus::Error::InterfaceNotFound
        | zbus::Error::InputOutput(_)
        | zbus::Error::Handshake(_) => Trouble::Missing,
        zbus::Error::FDO(error) => fdo(error),
        zbus::Error::MethodError(name, ..) => match name.as_str() {
            "org.freedesktop.DBus.Error.ServiceUnknown"
            | "org.freedesktop.DBus.Error.NameHasNoOwner"
            | "org.freedesktop.DBus.Error.Disconnected"
            | "org.freedesktop.DBus.Error.Spawn.ServiceNotFound"
            | "org.freedesktop.DBus.Error.Spawn.ExecFailed"
            | "org.freedesktop.DBus.Error.Spawn.ChildExited" => Trouble::Missing,
            "org.freedesktop.Secret.Error.IsLocked" => Trouble::Locked,
            "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.TimedOut" => Trouble::TimedOut,
            _ => Trouble::Refused,
        },
        _ => Trouble::Refused,
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn fdo(error: &zbus::fdo::Error) -> Trouble {
    use zbus::fdo::Error as Said;
    match error {
        Said::ServiceUnknown(_)
        | Said::NameHasNoOwner(_)
        | Said::NoServer(_)
        | Said::Disconnected(_)
        | Said::SpawnServiceNotFound(_)
        | Said::SpawnExecFailed(_)
        | Said::SpawnChildExited(_) => Trouble::Missing,
        Said::NoReply(_) | Said::Timeout(_) | Said::TimedOut(_) => Trouble::TimedOut,
        Said::ZBus(error) => bus(error),
        _ => Trouble::Refused,
    }
}

/// What an error of the keychain or the Credential Manager comes down to. Their stores say "no access" for a keychain that is
/// read-only or not there, and for a logon session that has no credentials.
#[cfg(any(target_os = "macos", target_os = "windows"))]
pub(crate) fn platform(_error: &(dyn std::error::Error + Send + Sync + 'static), no_access: bool) -> Trouble {
    if no_access { Trouble::Missing } else { Trouble::Refused }
}

/// Whether the default collection says that it is locked. Asks without prompting anybody; false where that cannot be asked.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn says_locked() -> bool {
    use secret_service::{EncryptionType, blocking::SecretService};
    // `Plain`: nothing secret goes over this connection, it only reads a property.
    SecretService::connect(EncryptionType::Plain)
        .and_then(|service| service.get_default_collection()?.is_locked())
        .unwrap_or(false)
}

/// A keychain asks its owner by itself, and the Credential Manager is never locked while its owner is logged on.
#[cfg(any(target_os = "macos", target_os = "windows"))]
pub(crate) fn says_locked() -> bool {
    false
}

//! A place in the file system that stands for a user's home. Whatever a program on the stage writes, it writes below it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Played;

/// A throwaway home; gone when dropped.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// An empty one.
    ///
    /// # Errors
    /// When the system's directory for temporary files takes nothing.
    pub fn new() -> Played<Self> {
        let dir = tempfile::Builder::new().prefix("cutoff-").tempdir()?;
        for name in ["home", "data", "config", "cache", "run", "tmp"] {
            std::fs::create_dir(dir.path().join(name))?;
        }
        // The bus and the keyring refuse a runtime directory that others can enter.
        std::fs::set_permissions(dir.path().join("run"), std::fs::Permissions::from_mode(0o700))?;
        Ok(Self { dir })
    }

    /// The directory that holds everything.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Something in it.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a program live here.
    pub(crate) fn dress(&self, command: &mut Command) {
        command
            .env("HOME", self.at("home"))
            .env("XDG_DATA_HOME", self.at("data"))
            .env("XDG_CONFIG_HOME", self.at("config"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env("XDG_RUNTIME_DIR", self.at("run"))
            .env("TMPDIR", self.at("tmp"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(self.at("home"));
    }
}

//! Settings: small JSON values by key, for what the user chose. Not for secrets (the file is private, not encrypted) and not
//! for anything that must be proven.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use crate::{Error, Journal};

impl Journal {
    /// The value of a setting, or `None` if it was never set.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn get(&self, key: &str) -> Result<Option<Value>, Error> {
        let text: Option<String> =
            self.db().query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0)).optional()?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|_| Error::Corrupt(format!("the setting {key:?} is not JSON")))
        })
        .transpose()
    }

    /// Sets a setting. `null` is a value like any other.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn set(&self, key: &str, value: &Value) -> Result<(), Error> {
        self.db().execute(
            "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![key, value.to_string()],
        )?;
        Ok(())
    }
}

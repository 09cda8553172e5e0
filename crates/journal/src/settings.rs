//! Settings: small JSON values by key, for what the user chose. Not for secrets (the file is private, not encrypted) and not
//! for anything that must be proven.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::Value;

use crate::{Error, Journal};

impl Journal {
    /// The value of a setting, or `None` if it was never set.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn get(&self, key: &str) -> Result<Option<Value>, Error> {
        get(&self.db(), key)
    }

    /// Sets a setting. `null` is a value like any other.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn set(&self, key: &str, value: &Value) -> Result<(), Error> {
        set(&self.db(), key, value)
    }

    /// Changes a setting by what it is, with no other process in between: `change` is handed the value and answers the new one, or
    /// `None` to leave it, and something for the caller.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn change<T>(&self, key: &str, change: impl FnOnce(Option<Value>) -> (Option<Value>, T)) -> Result<T, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (value, answer) = change(get(&tx, key)?);
        if let Some(value) = value {
            set(&tx, key, &value)?;
        }
        tx.commit()?;
        Ok(answer)
    }
}

fn get(db: &Connection, key: &str) -> Result<Option<Value>, Error> {
    let text: Option<String> =
        db.query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| Error::Corrupt(format!("the setting {key:?} is not JSON"))))
        .transpose()
}

fn set(db: &Connection, key: &str, value: &Value) -> Result<(), Error> {
    db.execute(
        "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![key, value.to_string()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_programs_that_change_a_setting_neither_undoes_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let add = || {
            let journal = Journal::open(dir.path()).unwrap();
            for _ in 0..50 {
                let added =
                    |value: Option<Value>| (Some(Value::from(value.and_then(|n| n.as_u64()).unwrap_or(0) + 1)), ());
                journal.change("n", added).unwrap();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(add);
            scope.spawn(add);
        });
        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.get("n").unwrap(), Some(Value::from(100)));
        assert_eq!(journal.change("n", |_| (None, "left")).unwrap(), "left");
        assert_eq!(journal.get("n").unwrap(), Some(Value::from(100)));
    }
}

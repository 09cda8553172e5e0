//! Saved connections: where to sign in, and as whom the last time. There is no secret in one: the session token lies in the
//! operating system's keyring under the connection's id, and the public token is public by its name and by Stytch's docs.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row::Utc;
use crate::{Error, Journal};

/// One saved place to sign in to. It has no field for a secret and must never get one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedConnection {
    /// The id; also the account name of the keyring item.
    pub id: Uuid,
    /// What the user calls it.
    pub name: String,
    /// The API's base URL.
    pub base_url: String,
    /// The project's public token.
    pub public_token: String,
    /// The organization, once it is known.
    pub organization_id: Option<String>,
    /// The organization's name, once it is known.
    pub organization_name: Option<String>,
    /// The slug of the one organization that sign-in goes to, if it was given.
    pub organization_slug: Option<String>,
    /// The e-mail last signed in with, to fill in the field.
    pub email: Option<String>,
    /// The application identifier sent to the API, which the vendor's project must have registered.
    pub app_identifier: String,
    /// The SDK identifier sent to the API.
    pub sdk_identifier: String,
    /// Whether it leads to the local stand-in.
    pub sandbox: bool,
    /// When it was saved first.
    pub created_utc: Utc,
    /// When it was signed in to last, if ever.
    pub last_used_utc: Option<Utc>,
}

const COLUMNS: &str = "id, name, base_url, public_token, organization_id, organization_name, email, app_identifier, sdk_identifier, \
                       sandbox, created_utc, last_used_utc, organization_slug";

/// A column holding text that has a type of its own.
fn parsed<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| rusqlite::Error::InvalidColumnType(column, "text".into(), rusqlite::types::Type::Text))
}

fn read(row: &Row<'_>) -> rusqlite::Result<SavedConnection> {
    Ok(SavedConnection {
        id: parsed(row, 0)?,
        name: row.get(1)?,
        base_url: row.get(2)?,
        public_token: row.get(3)?,
        organization_id: row.get(4)?,
        organization_name: row.get(5)?,
        email: row.get(6)?,
        app_identifier: row.get(7)?,
        sdk_identifier: row.get(8)?,
        sandbox: row.get(9)?,
        created_utc: parsed(row, 10)?,
        organization_slug: row.get(12)?,
        last_used_utc: if row.get_ref(11)? == rusqlite::types::ValueRef::Null { None } else { Some(parsed(row, 11)?) },
    })
}

impl Journal {
    /// Saves a connection, replacing the one of the same id.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn save_connection(&self, connection: &SavedConnection) -> Result<(), Error> {
        let c = connection;
        self.db().execute(
            &format!("INSERT OR REPLACE INTO connections ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
            params![
                c.id.to_string(),
                c.name,
                c.base_url,
                c.public_token,
                c.organization_id,
                c.organization_name,
                c.email,
                c.app_identifier,
                c.sdk_identifier,
                c.sandbox,
                c.created_utc.to_string(),
                c.last_used_utc.map(|utc| utc.to_string()),
                c.organization_slug,
            ],
        )?;
        Ok(())
    }

    /// All saved connections, the one used last first, then by name.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn connections(&self) -> Result<Vec<SavedConnection>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM connections ORDER BY last_used_utc DESC NULLS LAST, name, id"
        ))?;
        let found = query.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
        Ok(found)
    }

    /// The connection of that id.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn connection(&self, id: &Uuid) -> Result<Option<SavedConnection>, Error> {
        let query = format!("SELECT {COLUMNS} FROM connections WHERE id = ?1");
        Ok(self.db().query_row(&query, [id.to_string()], read).optional()?)
    }

    /// Forgets a connection; answers whether there was one. What was done through it stays in the sweeps.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn forget_connection(&self, id: &Uuid) -> Result<bool, Error> {
        Ok(self.db().execute("DELETE FROM connections WHERE id = ?1", [id.to_string()])? > 0)
    }
}

//! Opening the journal: the file and its permissions, the settings SQLite must obey before anything is trusted to it, and the
//! schema. It decides whether a file is ours before it changes a byte of it.

use std::fmt;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use uuid::Uuid;

use crate::snapshots::SCHEMA_2;
use crate::{Error, Hash};

/// The journal's name in the state directory.
pub const FILE_NAME: &str = "journal.sqlite3";
/// The schema this version writes. A file with a higher number is refused, one with a lower is brought up to it.
pub const SCHEMA_VERSION: i64 = 3;

/// `COFF`, so that a file of another program is never taken for a journal.
const APPLICATION_ID: i64 = 0x434f_4646;
/// How long a call waits for another process that is writing. Writes take milliseconds; a disk that is busy takes longer.
const BUSY: Duration = Duration::from_secs(5);

/// Schema 1. Lines are blobs: what was hashed is what is stored, and SQLite never looks into them.
const SCHEMA_1: &str = "
CREATE TABLE journal (id TEXT NOT NULL) STRICT;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE connections (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, base_url TEXT NOT NULL, public_token TEXT NOT NULL,
    organization_id TEXT, organization_name TEXT, organization_slug TEXT, email TEXT,
    app_identifier TEXT NOT NULL, sdk_identifier TEXT NOT NULL, sandbox INTEGER NOT NULL,
    created_utc TEXT NOT NULL, last_used_utc TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE sweeps (
    number INTEGER PRIMARY KEY AUTOINCREMENT, sweep_id TEXT NOT NULL UNIQUE, plan_hash BLOB NOT NULL,
    rows INTEGER NOT NULL, head BLOB NOT NULL, closed_seq INTEGER
) STRICT;
CREATE INDEX sweeps_by_plan ON sweeps (plan_hash);
CREATE TABLE rows (
    sweep_id TEXT NOT NULL REFERENCES sweeps (sweep_id), seq INTEGER NOT NULL,
    line BLOB NOT NULL, prev_hash BLOB NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,
    PRIMARY KEY (sweep_id, seq)
) STRICT;
CREATE TABLE people (
    commitment BLOB NOT NULL UNIQUE, sweep_id TEXT NOT NULL REFERENCES sweeps (sweep_id),
    kind TEXT NOT NULL, subject TEXT NOT NULL, salt BLOB NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX people_by_subject ON people (subject);
CREATE INDEX people_by_sweep ON people (sweep_id);
CREATE TABLE running (sweep_id TEXT PRIMARY KEY, pid INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Changed by schema 3: hashes are not indexed any more. They are random, so that every row written touched pages all over the
/// file, which cost a sweep more than all else the journal does. What the index of `prev_hash` was for is now said outright, and
/// more of it: a row comes right behind the one whose hash it continues, or begins its sweep. So a previous hash still occurs once,
/// and even a bug that lets two writers in cannot make a chain fork.
const SCHEMA_3: &str = "
CREATE TABLE rows_3 (
    sweep_id TEXT NOT NULL REFERENCES sweeps (sweep_id), seq INTEGER NOT NULL,
    line BLOB NOT NULL, prev_hash BLOB NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (sweep_id, seq)
) STRICT;
INSERT INTO rows_3 SELECT sweep_id, seq, line, prev_hash, hash FROM rows ORDER BY rowid;
DROP TABLE rows;
ALTER TABLE rows_3 RENAME TO rows;
CREATE TRIGGER rows_do_not_fork BEFORE INSERT ON rows
WHEN new.seq != 0 AND new.prev_hash IS NOT (SELECT hash FROM rows WHERE sweep_id = new.sweep_id AND seq = new.seq - 1)
BEGIN SELECT RAISE (ABORT, 'a row that does not continue its chain'); END;
CREATE TABLE people_3 (
    commitment BLOB NOT NULL, sweep_id TEXT NOT NULL REFERENCES sweeps (sweep_id),
    kind TEXT NOT NULL, subject TEXT NOT NULL, salt BLOB NOT NULL, text TEXT NOT NULL
) STRICT;
INSERT INTO people_3 SELECT commitment, sweep_id, kind, subject, salt, text FROM people ORDER BY rowid;
DROP TABLE people;
ALTER TABLE people_3 RENAME TO people;
CREATE INDEX people_by_subject ON people (subject);
CREATE INDEX people_by_sweep ON people (sweep_id);
";

/// The open journal. Shared by reference; every method may be called from any thread.
pub struct Journal {
    /// Held by one method for the length of one short statement or transaction, never across a call out of this crate, and
    /// never twice by one thread. SQLite closes the file when the journal is dropped.
    db: Mutex<Connection>,
    id: Uuid,
    pub(crate) state_dir: PathBuf,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("id", &self.id).field("state_dir", &self.state_dir).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal of a state directory, and makes both if they are not there.
    ///
    /// A directory made here is private to the user (0700); one that was there keeps its permissions, since it may be the
    /// user's home. The journal itself is always made private (0600), and SQLite gives its companions the same. On Windows the
    /// user's own data directory is private by inheritance, and nothing is changed.
    ///
    /// # Errors
    /// `Newer` and `NotAJournal` leave the file untouched. `Denied`, `Full`, `Corrupt`, `Busy` and `Disk` as their docs say.
    pub fn open(state_dir: &Path) -> Result<Journal, Error> {
        make_private_dir(state_dir)?;
        let path = state_dir.join(FILE_NAME);
        make_file(&path)?;
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut db = Connection::open_with_flags(&path, flags)?;
        db.busy_timeout(BUSY)?;
        recognise(&db)?;
        make_private(&path)?;
        obey(&db)?;
        let id = migrate(&mut db)?;
        Ok(Journal { db: Mutex::new(db), id, state_dir: state_dir.to_owned() })
    }

    /// The random id that this journal was born with.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The head of the journal: the last row's hash of the sweep that was opened last, or `None` before the first sweep.
    ///
    /// An earlier sweep may get further rows after a later one was opened (a confirming read), and those do not move this
    /// head; [`Journal::row_count`] grows with every row. Keep both elsewhere, and [`Journal::holds`] tells a journal that was
    /// rolled back.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn head(&self) -> Result<Option<Hash>, Error> {
        use rusqlite::OptionalExtension;
        Ok(self
            .db()
            .query_row("SELECT head FROM sweeps ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
            .optional()?)
    }

    /// How many rows all sweeps have together.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn row_count(&self) -> Result<u64, Error> {
        let count: i64 = self.db().query_row("SELECT count(*) FROM rows", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Whether some row of this journal has that hash: false for a head that was noted later than the state this file is in.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn holds(&self, head: &Hash) -> Result<bool, Error> {
        // From the newest row back, where a head that was noted lately is: all are looked at only if it is not there.
        let found = self
            .db()
            .prepare_cached("SELECT 1 FROM rows WHERE hash = ?1 ORDER BY rowid DESC LIMIT 1")?
            .exists([head])?;
        Ok(found)
    }

    /// Takes the connection for one statement or transaction. A panic while it was held left no transaction open (rusqlite
    /// rolls back when it is dropped), so a poisoned lock is safe to use.
    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a directory private to the user, and its parents if they are missing.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(dir)?)
}

/// Makes an empty file that is private to the user, unless there is one of that name.
fn make_file(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    // Reading is asked for too: a file that cannot be read is `Denied` here rather than something odd later.
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let new = !path.exists();
    options.open(path)?;
    if cfg!(unix)
        && new
        && let Some(dir) = path.parent()
    {
        // The name of a new file is on disk only once its directory is.
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Takes the journal away from everybody but the user, in case it was copied here with other permissions. SQLite gives its
/// companions (`-wal`, `-shm`) the permissions of the journal.
fn make_private(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::metadata(&name) {
                Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                    std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600))?;
                }
                _ => {}
            }
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Refuses what is not a journal, or one from the future, before anything is written.
fn recognise(db: &Connection) -> Result<(), Error> {
    // In one look: between two, somebody who opens it at the same moment may have made it.
    let _one_look = if db.is_autocommit() { Some(db.unchecked_transaction()?) } else { None };
    let number = |pragma: &str| db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => Ok(()),
        (APPLICATION_ID, version) if version > SCHEMA_VERSION => {
            Err(Error::Newer { found: version, known: SCHEMA_VERSION })
        }
        (APPLICATION_ID, _) => Ok(()),
        _ => Err(Error::NotAJournal),
    }
}

/// Pages (4 KiB each) of the write-ahead log after which SQLite moves them into the journal by itself: so many that the work does
/// not fall into the middle of a sweep of thousands.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Sets what durability rests on, and reads it back: SQLite ignores a setting it does not know or cannot follow.
fn obey(db: &Connection) -> Result<(), Error> {
    let began = Instant::now();
    // Going over to WAL needs the file alone for a moment, and SQLite does not always call its busy handler for that.
    let mode: String = loop {
        match db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(Error::from) {
            Err(Error::Busy) if began.elapsed() < BUSY => std::thread::sleep(Duration::from_millis(10)),
            other => break other?,
        }
    };
    if mode != "wal" {
        return Err(Error::Disk(format!(
            "SQLite keeps its journal mode at {mode}: the directory is not on a local disk"
        )));
    }
    for (pragma, value) in [
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("trusted_schema", 0),
        ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ] {
        db.execute_batch(&format!("PRAGMA {pragma} = {value}"))?;
        let kept: i64 = db.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        if kept != value {
            return Err(Error::Disk(format!("SQLite keeps {pragma} at {kept} where {value} is needed")));
        }
    }
    Ok(())
}

/// Brings the schema up to this version's, one transaction for all steps, and answers the journal's id.
fn migrate(db: &mut Connection) -> Result<Uuid, Error> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Inside the transaction: another process may have been here since `recognise`.
    recognise(&tx)?;
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version < 1 {
        tx.execute_batch(SCHEMA_1)?;
        tx.execute("INSERT INTO journal (id) VALUES (?1)", [Uuid::new_v4().to_string()])?;
        tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1"))?;
    }
    if version < 2 {
        tx.execute_batch(SCHEMA_2)?;
        tx.execute_batch("PRAGMA user_version = 2")?;
    }
    if version < 3 {
        tx.execute_batch(SCHEMA_3)?;
        tx.execute_batch("PRAGMA user_version = 3")?;
    }
    let id: String = tx.query_row("SELECT id FROM journal", [], |row| row.get(0))?;
    let id = id.parse().map_err(|_| Error::Corrupt("the journal's id is not an id".into()))?;
    tx.commit()?;
    Ok(id)
}

//! The running lock: which process is carrying out a sweep. It is a lock of the operating system on a file of its own, so that
//! `kill -9` frees it; it does not guard the journal's rows (SQLite's own locks do), and it does not say what the sweep is doing.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::open::make_private_dir;
use crate::row::SweepId;
use crate::{Error, Journal};

/// Holds the right to carry out one sweep until it is dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub struct RunningLock {
    sweep: SweepId,
    path: PathBuf,
    // Dropped last: closing the file is what frees the lock.
    _file: File,
}

impl RunningLock {
    /// The sweep that may be carried out.
    pub fn sweep(&self) -> SweepId {
        self.sweep
    }
}

impl Drop for RunningLock {
    fn drop(&mut self) {
        // Still locked, so nobody else can be between locking this file and looking at its name. A file that cannot be removed
        // stays and does no harm. On Windows an open file keeps its name for a while, so there it always stays.
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Journal {
    /// Takes the right to carry out a sweep. Take it before [`Journal::open_sweep`] (the caller chooses the sweep's id), or
    /// before resuming, and keep it until the sweep is closed or given up.
    ///
    /// One lock per sweep: a single revoke need not wait for a long sweep that another window carries out.
    ///
    /// # Errors
    /// `HeldBy` while another process, or another part of this one, holds it. `Denied`, `Full`, `Disk` when the lock file
    /// cannot be made; `Busy` when the holder's name cannot be written or read.
    pub fn take_running_lock(&self, sweep: SweepId) -> Result<RunningLock, Error> {
        let dir = self.state_dir.join("running");
        make_private_dir(&dir)?;
        let path = dir.join(format!("{sweep}.lock"));
        let Some(file) = lock(&path)? else {
            return Err(Error::HeldBy { pid: self.said_pid(sweep)? });
        };
        let held = RunningLock { sweep, path, _file: file };
        // The pid goes into the database, not into the lock file: on Windows a locked file cannot be read by others.
        self.db().execute(
            "INSERT OR REPLACE INTO running (sweep_id, pid) VALUES (?1, ?2)",
            params![sweep.0.to_string(), std::process::id()],
        )?;
        Ok(held)
    }

    /// Which process carries out the sweep at this moment, if one does: `Some(None)` when it has not said its id yet.
    ///
    /// # Errors
    /// As [`Journal::take_running_lock`], without `HeldBy`.
    pub fn running(&self, sweep: SweepId) -> Result<Option<Option<u32>>, Error> {
        let path = self.state_dir.join("running").join(format!("{sweep}.lock"));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Shared, so that two onlookers do not take each other for the holder.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(self.said_pid(sweep)?)),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn said_pid(&self, sweep: SweepId) -> Result<Option<u32>, Error> {
        let query = "SELECT pid FROM running WHERE sweep_id = ?1";
        Ok(self.db().query_row(query, [sweep.0.to_string()], |row| row.get(0)).optional()?)
    }
}

/// Locks the file of that name, making it if need be; `None` when somebody else has it.
fn lock(path: &Path) -> Result<Option<File>, Error> {
    // A look by `running` holds the file for a moment too; only a holder holds it for longer than this.
    let mut looks = 5;
    loop {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if looks > 0 => {
                looks -= 1;
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Between opening and locking, the holder before may have removed the name: then this lock is on a file that nobody
        // else will find, and the next comer would lock another.
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let ours = file.metadata()?;
            match std::fs::metadata(path) {
                Ok(named) if named.dev() == ours.dev() && named.ino() == ours.ino() => {}
                _ => continue,
            }
        }
        return Ok(Some(file));
    }
}

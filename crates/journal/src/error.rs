//! What can go wrong with the journal, one variant for each thing a caller would do differently. It is not the place for
//! sentences to people, and no variant carries a value that was being written.

use crate::row::SweepId;

/// Why the journal did not do what was asked. Whatever the variant, nothing of the failed call was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A newer version of this program wrote the file. Do not touch it: ask the user to start the newer version.
    #[error("the journal has schema {found}, and this version knows schemas up to {known}")]
    Newer {
        /// The schema number in the file.
        found: i64,
        /// The highest schema number this version knows.
        known: i64,
    },
    /// The file of that name is something else, or damaged beyond recognition. Do not touch it: ask for another state directory.
    #[error("the file is not a journal of this program")]
    NotAJournal,
    /// The disk (or the quota) is full. Send nothing more: intents could not be recorded. Retry when there is room.
    #[error("the disk is full")]
    Full,
    /// The state directory cannot be created, read or written by this user. Ask for another, or for its permissions.
    #[error("the journal may not be read or written: {0}")]
    Denied(String),
    /// The file is damaged, or was changed behind the program's back. Offer to set it aside; never repair it silently.
    #[error("the journal is damaged: {0}")]
    Corrupt(String),
    /// Another process kept the journal locked for longer than the busy timeout. Try again.
    #[error("the journal is busy")]
    Busy,
    /// The operating system failed to read or write the file for a reason that is none of the above. Stop sending.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// No sweep of that id is in this journal.
    #[error("there is no sweep {0} in this journal")]
    NoSuchSweep(SweepId),
    /// No snapshot of that number is in this journal: it was forgotten with its connection, or never made. Show another.
    #[error("there is no snapshot {0} in this journal")]
    NoSuchSnapshot(u32),
    /// A sweep of that id is already in this journal: its plan was carried out, or is being carried out.
    #[error("sweep {0} is already in this journal")]
    AlreadyOpened(SweepId),
    /// The sweep is closed: it takes confirming reads, notes and further closings, and nothing that could have sent a request.
    #[error("sweep {0} is closed and takes no more of that kind of row")]
    Closed(SweepId),
    /// The journal is an older copy of itself: what was last noted of it elsewhere is not in it. What it calls unfinished may have
    /// been finished since, so nothing of it is resumed. Read, and begin anew.
    #[error("the journal is an older copy of itself")]
    RolledBack,
    /// A row that the format forbids, which is a bug of the caller: what is wrong with it.
    #[error("the row does not fit the format: {0}")]
    Unfit(String),
    /// Another process is carrying out this sweep right now. Read only, and say who.
    #[error("the sweep is being carried out by another process{}", .pid.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    HeldBy {
        /// The process id of the holder, unless it took the lock so recently that it has not said yet.
        pid: Option<u32>,
    },
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                Code::DiskFull => Error::Full,
                // The index beside the write-ahead log could not be made as large as it must be: said when the disk is full.
                _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Error::Full,
                Code::ReadOnly | Code::PermissionDenied | Code::CannotOpen | Code::AuthorizationForStatementDenied => {
                    Error::Denied(failure.to_string())
                }
                Code::DatabaseCorrupt => Error::Corrupt(failure.to_string()),
                Code::NotADatabase => Error::NotAJournal,
                Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed => Error::Busy,
                // A constraint that fires here is one that a sound journal cannot break: the previous hash is unique, a row
                // belongs to a sweep. The extended code names it; the message is left out, since it may quote a column.
                Code::ConstraintViolation => Error::Corrupt(failure.to_string()),
                _ => Error::Disk(failure.to_string()),
            },
            // A column of an unexpected type, an unparsable id: the file does not hold what this program writes.
            other => Error::Corrupt(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Error::Full,
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::AlreadyExists
            | Kind::NotFound => Error::Denied(error.to_string()),
            _ => Error::Disk(error.to_string()),
        }
    }
}

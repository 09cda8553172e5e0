//! Why the mind did not do what was asked. A variant exists because a caller does something different on it; the
//! sentences are the caller's.

use stytch_b2b::Error as ApiError;
use vault::Trouble;

use crate::permission::Denial;

/// What can stand in the way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something typed in cannot be used. Nothing was stored, nothing was sent.
    #[error("{field:?} cannot be used: {fault:?}")]
    BadInput {
        /// Which field.
        field: Field,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The host is not one of Stytch's and nobody has confirmed it.
    #[error("{base_url} is not a host of Stytch's")]
    UnknownHost {
        /// Scheme, host and port.
        base_url: String,
    },
    /// Nobody is signed in, or the session turned out to be dead.
    #[error("signed out")]
    SignedOut {
        /// The request id of the answer that said so.
        request_id: Option<String>,
        /// Address of the member whose session it was.
        email: Option<String>,
    },
    /// Denied in advance, or by the server.
    #[error("not permitted")]
    NotAllowed(Box<Denial>),
    /// The API said something else, or nothing.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The journal cannot be used; nothing destructive happens without it.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The journal failed after a request had left. Its intent is on disk, so the next start settles it by reading.
    #[error("after sending: {0}")]
    JournalAfterSending(journal::Error),
    /// The keyring cannot be used.
    #[error("keyring: {0}")]
    Keyring(Trouble),
    /// The slug names no organization, or the address leads to none.
    #[error("no organization")]
    NoOrganization,
    /// A plan's file cannot be used.
    #[error("the plan cannot be used: {0}")]
    Plan(crate::plan_file::Unusable),
    /// No change of the organization's policy can be made of this.
    #[error("no block: {0:?}")]
    Block(crate::policy::Refused),
    /// The organization's policy is not the one that a change was made for: somebody else has changed it.
    #[error("the organization's policy has changed: {0:?}")]
    PolicyChanged(Vec<crate::policy::Difference>),
    /// What was shown is not what would be done now.
    #[error("the plan has changed")]
    PlanChanged,
    /// No inventory was ever read here.
    #[error("nothing was read yet")]
    NothingRead,
    /// Somebody asked for it to stop.
    #[error("cancelled")]
    Cancelled,
    /// The rules of width cannot be used.
    #[error("the rules of width cannot be used: {0:?}")]
    WidthRules(crate::inventory::width::Fault),
    /// Another process runs a sweep on this journal.
    #[error("another sweep is running")]
    Busy {
        /// Its process id, when it could be read.
        pid: Option<u32>,
    },
    /// A step was asked for out of order.
    #[error("asked for out of order")]
    OutOfOrder,
    /// Sign-out did not reach the server: the session is still valid there.
    #[error("the session could not be ended at the server: {0}")]
    NotSignedOutAtServer(ApiError),
}

/// Which input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the field of that name")]
pub enum Field {
    PublicToken,
    BaseUrl,
    Email,
    OrganizationSlug,
    Code,
    MemberId,
    ConnectedAppId,
    OrganizationId,
    AppIdentifier,
    SdkIdentifier,
    ConnectionId,
    Snapshot,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was given.
    Empty,
    /// The wrong shape.
    Malformed,
    /// Plain http to a host that is not loopback, or with a live token.
    PlainHttp,
    /// A path, query, fragment or credentials where none belong.
    Extras,
    /// A project secret where the public token belongs.
    Secret,
    /// `.` or `..`, which URLs fold away.
    Dots,
    /// Longer than anything real.
    TooLong,
    /// There is no such thing.
    Unknown,
}

impl Error {
    /// Shorthand for a refused input.
    #[must_use]
    pub fn bad(field: Field, fault: Fault) -> Self {
        Self::BadInput { field, fault }
    }
}

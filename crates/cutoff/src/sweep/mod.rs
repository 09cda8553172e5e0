//! The carrying out of a plan: intent on disk, request, answer on disk, read again, outcome. A single revoke is a sweep
//! of one. What to do next is decided purely, in [`next`]; what it came to is derived purely, in [`verdict`]; the loop
//! that does it is short, in [`engine`].

pub mod engine;
pub mod next;
mod read_again;
pub mod verdict;

use std::sync::Arc;
use std::time::Duration;

/// The note that holds some of the apps that were listed when a sweep was opened.
pub(crate) const KNOWN_APPS: &str = "known_apps";

/// A step of a sweep, told as it happens. Pictures of progress are drawn from it, and a test that wants to kill the
/// process between two steps does so here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The opening row and the grants are on disk.
    Opened,
    /// The intent is on disk. Nothing has left yet.
    IntentRecorded,
    /// The request is about to leave.
    Sending,
    /// The request was answered, or was not.
    Answered,
    /// What came back is on disk.
    AnswerRecorded,
    /// A re-read begins.
    Reading,
    /// A re-read ended.
    Read,
    /// What was read is on disk.
    ReadRecorded,
    /// Nothing to do until a pause is over.
    Waiting,
    /// The closing row is on disk.
    Closed,
}

/// Who is told of the steps.
pub type Observer = Arc<dyn Fn(Step) + Send + Sync>;

/// How patient a sweep is. Every pause is here, so that a test need not wait for real ones.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Pauses before the re-reads of a grant that is still listed, or that a read could not tell of.
    pub rereads: Vec<Duration>,
    /// How often an unanswered revoke is sent at the most.
    pub attempts: u32,
    /// Pause before it is sent again; doubled each time.
    pub between_attempts: Duration,
    /// How many requests may be under way at once.
    pub concurrency: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rereads: [1, 2, 4, 8].map(Duration::from_secs).to_vec(),
            attempts: 3,
            between_attempts: Duration::from_secs(1),
            concurrency: 4,
        }
    }
}

//! The carrying out of a plan: intent on disk, request, answer on disk, read again, outcome. A single revoke is a sweep
//! of one. What to do next is decided purely, in [`next`]; what it came to is derived purely, in [`verdict`]; the loop
//! that does it is short, in [`engine`].

pub mod beside;
pub mod change;
pub mod engine;
pub mod next;
mod read_again;
pub mod rows;
pub mod tempo;
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
    /// The organization's policy was read, and what it said is on disk.
    PolicyRead,
    /// The intent to change the policy is on disk.
    PolicyIntentRecorded,
    /// The change of the policy is about to leave.
    PolicySending,
    /// The change of the policy was answered, or was not.
    PolicyAnswered,
    /// What came back of it is on disk.
    PolicyAnswerRecorded,
    /// Nothing to do until a pause is over.
    Waiting,
    /// The closing row is on disk.
    Closed,
}

/// How a sweep of many is carried out. A sweep of one is not: whoever asked for it waits for its answer, and is told of a limit
/// or a dead network instead of waiting it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Waits limits and dead networks out, and stops where a refusal would meet every grant alike.
    pub patient: bool,
    /// Sends one, then five, then the rest, and stops between them when too many of those failed.
    pub canary: bool,
    /// Sends again what was sent and got no answer, and begins nothing: whoever lifts a block does not mean to revoke.
    pub again_only: bool,
}

/// What whoever watches a running sweep asks of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Go on.
    #[default]
    Run,
    /// Let what is under way be answered, then stop; it can be taken up again.
    Pause,
    /// The same, and what was not sent is never sent.
    Cancel,
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
    /// The length of the server's rate windows, which begin at multiples of it.
    pub window: Duration,
    /// Up to so much is added to the wait for a window where the server does not say when to come back.
    pub jitter: Duration,
    /// Pauses between looks for a network that is gone; the last one is repeated.
    pub network: Vec<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rereads: [1, 2, 4, 8].map(Duration::from_secs).to_vec(),
            attempts: 3,
            between_attempts: Duration::from_secs(1),
            concurrency: 4,
            window: Duration::from_secs(60),
            jitter: Duration::from_millis(1500),
            network: [1, 2, 5, 10, 30].map(Duration::from_secs).to_vec(),
        }
    }
}

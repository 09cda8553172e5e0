//! Ctrl-C as a stream that loses none. Awaiting `tokio::signal::ctrl_c()` anew in each turn of a loop does lose the one that comes
//! between two turns, and by then the process no longer ends of it by itself.

use std::future::pending;

#[cfg(unix)]
type Stream = tokio::signal::unix::Signal;
#[cfg(windows)]
type Stream = tokio::signal::windows::CtrlC;

/// The interrupts since this was made.
pub struct Interrupts(Option<Stream>);

impl Interrupts {
    /// Listens from now on. Where the system refuses that, no interrupt is ever seen here, and the process ends of the first one.
    pub fn listen() -> Self {
        #[cfg(unix)]
        let stream = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
        #[cfg(windows)]
        let stream = tokio::signal::windows::ctrl_c();
        Self(stream.ok())
    }

    /// Waits for the next one; several that came before count as one. Dropping the wait loses none.
    pub async fn next(&mut self) {
        let came = match &mut self.0 {
            Some(stream) => stream.recv().await,
            None => None,
        };
        if came.is_none() {
            pending().await
        }
    }
}

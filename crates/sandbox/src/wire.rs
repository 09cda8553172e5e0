//! The sandbox's side of a TCP connection: one that can be reset, hung up, and asked whether an answer left whole. Knows no HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::ledger::RowNo;
use crate::world::State;

const OPEN: u8 = 0;
const HANG_UP: u8 = 1;
const RESET: u8 = 2;

/// The handle a request has on the connection it came by.
#[derive(Clone)]
pub struct Link(Arc<LinkInner>);

struct LinkInner {
    ending: AtomicU8,
    /// The ledger's row whose answer has been handed over but not yet written whole. Put in by the answer's body, taken by
    /// the write or flush after it; all run on the connection's own task, so the lock is never waited for.
    due: Mutex<Option<RowNo>>,
    /// True once the connection is gone; the sender lives here so that it can be asked at any time.
    gone: watch::Sender<bool>,
    state: State,
}

impl Link {
    /// The connection dies with a TCP reset as soon as something is written.
    pub fn reset(&self) {
        self.0.ending.store(RESET, Ordering::SeqCst);
    }

    /// The connection is closed as soon as something is written; nothing of it leaves.
    pub fn hang_up(&self) {
        self.0.ending.store(HANG_UP, Ordering::SeqCst);
    }

    /// Waits until the connection is gone, whoever ended it.
    pub async fn gone(&self) {
        // The sender lives as long as this link, so the wait cannot fail.
        let _ = self.0.gone.subscribe().wait_for(|gone| *gone).await;
    }

    fn ended(&self) -> Option<io::Error> {
        (self.0.ending.load(Ordering::SeqCst) != OPEN).then(|| io::ErrorKind::ConnectionAborted.into())
    }

    fn due(&self) -> MutexGuard<'_, Option<RowNo>> {
        self.0.due.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn flushed(&self) {
        if let Some(row) = self.due().take() {
            self.0.state.world().ledger.answered(row);
        }
    }

    /// Writes; when that takes the last of an answer that is due, the row is marked before anybody can read the ledger
    /// again. Without the lock around both, a quick caller could have the answer and still find it unanswered.
    fn write(&self, length: usize, write: impl FnOnce() -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Some(error) = self.ended() {
            return Poll::Ready(Err(error));
        }
        let mut due = self.due();
        let Some(row) = *due else { return write() };
        let mut world = self.0.state.world();
        let written = write();
        if matches!(written, Poll::Ready(Ok(count)) if count == length) {
            world.ledger.answered(row);
            *due = None;
        }
        written
    }
}

impl Connected<IncomingStream<'_, Door>> for Link {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().link.clone()
    }
}

/// The listening socket.
pub struct Door {
    pub listener: TcpListener,
    pub state: State,
    /// True when the sandbox stops: open connections end then too.
    pub closing: watch::Receiver<bool>,
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for the peer's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let mut closing = self.closing.clone();
                    return (
                        Wire {
                            stream,
                            link: Link(Arc::new(LinkInner {
                                ending: AtomicU8::new(OPEN),
                                due: Mutex::new(None),
                                gone: watch::Sender::new(false),
                                state: self.state.clone(),
                            })),
                            closing: Box::pin(async move {
                                let _ = closing.wait_for(|closing| *closing).await;
                            }),
                        },
                        address,
                    );
                }
                // Out of file descriptors, or a peer that left while being accepted: neither is the end of the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One accepted connection.
pub struct Wire {
    stream: TcpStream,
    link: Link,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.link.0.ending.load(Ordering::SeqCst) == RESET {
            // A linger of nought makes the close a reset.
            let _ = self.stream.set_zero_linger();
        }
        self.link.0.gone.send_replace(true);
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.link.ended() {
            return Poll::Ready(Err(error));
        }
        if self.closing.as_mut().poll(cx).is_ready() {
            self.link.hang_up();
            // The finished wait must not be polled again.
            self.closing = Box::pin(std::future::pending());
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, link, .. } = self.get_mut();
        link.write(buf.len(), || Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, link, .. } = self.get_mut();
        let length = bufs.iter().map(|buf| buf.len()).sum();
        link.write(length, || Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // HTTP is flushed only once its buffer is empty: an answer that is due has left whole by now.
        if matches!(flushed, Poll::Ready(Ok(()))) && self.link.ended().is_none() {
            self.link.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.link.ended() {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A body that tells the link when its last byte has been taken, so that the next flush can mark the row answered.
pub fn told_when_sent(bytes: Bytes, link: Link, row: RowNo) -> Body {
    Body::new(Told { bytes: Some(bytes), link, row })
}

struct Told {
    bytes: Option<Bytes>,
    link: Link,
    row: RowNo,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        *self.link.due() = Some(self.row);
        Poll::Ready(Some(Ok(http_body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

//! The wire between the window and the sandbox: a relay on loopback that keeps what goes over it, and that can be cut, mended,
//! and told to hold an answer back. It understands just enough HTTP to tell one exchange from the next.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Mishap, Played};

/// One request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When its first byte came.
    pub at: Timestamp,
    /// The request as sent.
    pub request: Vec<u8>,
    /// The answer as it was passed on or held back; empty when none came.
    pub answer: Vec<u8>,
}

impl Exchange {
    /// The request line: `POST /path HTTP/1.1`.
    #[must_use]
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.request).lines().next().unwrap_or_default().to_owned()
    }

    /// A text of that name in the answer's JSON, the first there is.
    #[must_use]
    pub fn answered(&self, name: &str) -> Option<String> {
        texts(&self.answer, name).into_iter().next()
    }
}

struct Shared {
    exchanges: Vec<Exchange>,
    /// Answers to requests whose line contains this are kept and not passed on.
    hold: Option<String>,
}

/// A relay with a port of its own.
pub struct Wire {
    url: String,
    at: SocketAddr,
    to: String,
    /// Held for a look or a change, by the connections and by whoever asks.
    shared: Arc<Mutex<Shared>>,
    /// The listener, and through its channel every connection; gone while the wire is cut.
    open: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

impl Wire {
    /// A relay to a base URL such as `http://127.0.0.1:4000`.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn to(base_url: &str) -> Played<Self> {
        let to = base_url
            .strip_prefix("http://")
            .ok_or_else(|| Mishap::new(format!("{base_url} is not plain http, and a relay cannot look into it")))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let at = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared { exchanges: Vec::new(), hold: None }));
        let mut wire = Self { url: format!("http://{at}"), at, to: to.to_owned(), shared, open: None };
        wire.serve(listener);
        Ok(wire)
    }

    /// The base URL of this end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every connection and refuses new ones, as if the cable were pulled.
    pub async fn cut(&mut self) {
        if let Some((listener, connections)) = self.open.take() {
            connections.send_replace(true);
            listener.abort();
            let _ = listener.await;
        }
    }

    /// Puts the cable back.
    ///
    /// # Errors
    /// When the port was taken meanwhile.
    pub async fn mend(&mut self) -> Played {
        if self.open.is_none() {
            let listener = TcpListener::bind(self.at).await?;
            self.serve(listener);
        }
        Ok(())
    }

    /// Keeps back the answers to requests whose line contains this, until told otherwise; what was kept back stays so.
    pub fn hold(&self, part: Option<&str>) {
        self.shared().hold = part.map(str::to_owned);
    }

    /// Everything that went over the wire so far, in the order in which the requests began.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared().exchanges.clone()
    }

    /// The exchanges whose request line contains all of these.
    #[must_use]
    pub fn exchanges_with(&self, parts: &[&str]) -> Vec<Exchange> {
        let mut found = self.exchanges();
        found.retain(|exchange| {
            let line = exchange.line();
            parts.iter().all(|part| line.contains(part))
        });
        found
    }

    /// Every secret that went over the wire, also inside of headers: session tokens, session JWTs, intermediate session
    /// tokens, and the credentials made of them.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        for exchange in self.exchanges() {
            for name in ["session_token", "session_jwt", "intermediate_session_token"] {
                found.extend(texts(&exchange.answer, name));
                found.extend(texts(&exchange.request, name));
            }
            for line in String::from_utf8_lossy(&exchange.request).lines() {
                let Some((name, value)) = line.split_once(':') else { continue };
                let Some(basic) = value.trim().strip_prefix("Basic ") else { continue };
                let words = base64::engine::general_purpose::STANDARD.decode(basic).unwrap_or_default();
                let words = String::from_utf8_lossy(&words).into_owned();
                // Before there is a session the public token stands in its place, which is no secret.
                if let Some((public, secret)) = words.split_once(':')
                    && name.eq_ignore_ascii_case("authorization")
                    && public != secret
                {
                    found.extend([basic.to_owned(), secret.to_owned()]);
                }
            }
        }
        found.retain(|secret| !secret.is_empty());
        found.sort();
        found.dedup();
        found
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&mut self, listener: TcpListener) {
        let (cut, seen) = watch::channel(false);
        let (to, shared) = (self.to.clone(), self.shared.clone());
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (to, shared, mut seen) = (to.clone(), shared.clone(), seen.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = seen.wait_for(|cut| *cut) => {}
                        _ = relay(near, &to, &shared) => {}
                    }
                });
            }
        });
        self.open = Some((task, cut));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some((listener, connections)) = self.open.take() {
            connections.send_replace(true);
            listener.abort();
        }
    }
}

async fn relay(mut near: TcpStream, to: &str, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let mut far = TcpStream::connect(to).await?;
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    // The exchange that this connection is in: requests of one connection come one after the other.
    let mut current: Option<usize> = None;
    loop {
        tokio::select! {
            read = near.read(&mut up) => {
                let read = read?;
                if read == 0 { return Ok(()); }
                {
                    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    let begun = current.filter(|at| shared.exchanges[*at].answer.is_empty());
                    let at = begun.unwrap_or(shared.exchanges.len());
                    if begun.is_none() {
                        shared.exchanges.push(Exchange { at: Timestamp::now(), request: Vec::new(), answer: Vec::new() });
                    }
                    shared.exchanges[at].request.extend_from_slice(&up[..read]);
                    current = Some(at);
                }
                far.write_all(&up[..read]).await?;
            }
            read = far.read(&mut down) => {
                let read = read?;
                if read == 0 { return Ok(()); }
                let held = {
                    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    let hold = shared.hold.clone();
                    current.is_some_and(|at| {
                        let exchange = &mut shared.exchanges[at];
                        exchange.answer.extend_from_slice(&down[..read]);
                        hold.is_some_and(|part| exchange.line().contains(&part))
                    })
                };
                if !held {
                    near.write_all(&down[..read]).await?;
                }
            }
        }
    }
}

/// The texts of that name in something that has JSON in it.
fn texts(bytes: &[u8], name: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for (at, matched) in text.match_indices(&format!("\"{name}\"")) {
        let rest = text[at + matched.len()..].trim_start();
        let Some(value) = rest.strip_prefix(':').and_then(|rest| rest.trim_start().strip_prefix('"')) else { continue };
        if let Some((value, _)) = value.split_once('"') {
            found.push(value.to_owned());
        }
    }
    found
}

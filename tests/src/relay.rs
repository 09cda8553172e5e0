//! A relay on loopback between the app and a sandbox: it counts what is under way, and answers some calls itself with what
//! the sandbox never says. It knows requests by their path and nothing else of them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

/// What the relay answers by itself.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Part of the path.
    pub on: String,
    /// So many such calls are let through first.
    pub skip: usize,
    /// The status; 0 closes the connection instead.
    pub status: u16,
    /// The body, as JSON.
    pub body: String,
}

impl Rule {
    /// An error as the API words it: the object with `error_type`, not wrapped, with a request id of its own.
    #[must_use]
    pub fn refuse(on: &str, skip: usize, status: u16, error_type: &str) -> Self {
        let body = json!({
            "status_code": status, "request_id": RULED, "error_type": error_type,
            "error_message": "Said by the relay.", "error_url": "https://stytch.com/docs",
        });
        Self { on: on.to_owned(), skip, status, body: body.to_string() }
    }
}

/// The request id of what the relay answers itself.
pub const RULED: &str = "request-id-test-6c0c1d3e-5e6e-4f0f-9b0e-7d1b0c0f5a11";

/// A relay.
pub struct Relay {
    /// Where it answers.
    pub url: String,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Relay {
    /// Stands before a sandbox. Its threads end with their sockets, the first one with the process.
    #[must_use]
    pub fn before(target: &str) -> Self {
        let target = target.strip_prefix("http://").expect("loopback http").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let relay = Self { url, under_way: Arc::default(), most: Arc::default(), rules: Arc::default() };
        let (under_way, most, rules) = (relay.under_way.clone(), relay.most.clone(), relay.rules.clone());
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let (target, under_way, most, rules) = (target.clone(), under_way.clone(), most.clone(), rules.clone());
                std::thread::spawn(move || {
                    let Some((head, body)) = request(&mut client) else { return };
                    most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let answer = ruled(&rules, &head).unwrap_or_else(|| passed_on(&target, &head, &body));
                    // Counted down before the answer leaves: whoever has it may ask again at once.
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    let _ = client.write_all(&answer);
                });
            }
        });
        relay
    }

    /// From now on these rules hold, and no others.
    pub fn rule(&self, rules: Vec<Rule>) {
        *self.rules.lock().expect("the rules") = rules;
    }

    /// The most calls that ever were under way at once.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Head and body of the one request of a connection.
fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 8 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..end + 4 + length].to_vec()));
            }
        }
        match client.read(&mut part) {
            Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

/// What a rule answers; nothing when none is for this path.
fn ruled(rules: &Mutex<Vec<Rule>>, head: &str) -> Option<Vec<u8>> {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let mut rules = rules.lock().expect("the rules");
    let rule = rules.iter_mut().find(|rule| path.contains(&rule.on))?;
    if rule.skip > 0 {
        rule.skip -= 1;
        return None;
    }
    if rule.status == 0 {
        return Some(Vec::new());
    }
    let (status, body) = (rule.status, &rule.body);
    Some(
        format!(
            "HTTP/1.1 {status} Ruled\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// What the sandbox answers, whole. One request a connection, so that the end of the answer is the end of the stream.
fn passed_on(target: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let Ok(mut server) = TcpStream::connect(target) else { return Vec::new() };
    let mut lines: Vec<&str> = head
        .lines()
        .filter(|line| !line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("connection")))
        .collect();
    lines.push("Connection: close");
    let mut bytes = format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes();
    bytes.extend_from_slice(body);
    let mut answer = Vec::new();
    if server.write_all(&bytes).is_ok() {
        let _ = server.read_to_end(&mut answer);
    }
    answer
}

//! A server that reads requests whole, keeps their bytes, and answers each with the next step of its script. It knows no API.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does once it has read a request.
#[derive(Clone)]
pub enum Step {
    /// Sends these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Sends these bytes and ends the connection in good order.
    AnswerAndClose(Vec<u8>),
    /// Sends these bytes and then says nothing more.
    AnswerAndHang(Vec<u8>),
    /// Breaks the connection with a TCP reset.
    Reset,
}

/// A running server. It lives until the test process ends, for its thread only waits.
pub struct Server {
    address: SocketAddr,
    requests: Receiver<Request>,
    connections: Arc<Mutex<usize>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The values of a header, by its name in lower case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} stands {} times in {:?}", all.len(), self.headers);
        all[0]
    }
}

/// `200 OK` with a JSON body.
pub fn ok(body: &str) -> Step {
    answer(200, "application/json", body)
}

pub fn answer(status: u16, content_type: &str, body: &str) -> Step {
    let text = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Step::Answer(text.into_bytes())
}

pub fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

impl Server {
    /// Starts one on a free port of 127.0.0.1. After the script's last step it repeats that step.
    pub fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        let connections = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&connections);
        // The script is shared by all connections in turn: the lock is held only to take the next step.
        let script = Arc::new(Mutex::new((0, script)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *counter.lock().unwrap() += 1;
                let (sender, script) = (sender.clone(), Arc::clone(&script));
                thread::spawn(move || serve(stream, &sender, &script));
            }
        });
        Self { address, requests, connections }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next request that arrived.
    pub fn request(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(5)).expect("no request arrived")
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

fn serve(mut stream: TcpStream, sender: &Sender<Request>, script: &Mutex<(usize, Vec<Step>)>) {
    while let Some(request) = read(&mut stream) {
        let step = {
            let mut script = script.lock().unwrap();
            let at = script.0.min(script.1.len() - 1);
            script.0 += 1;
            script.1[at].clone()
        };
        let _ = sender.send(request);
        match step {
            Step::Answer(bytes) => {
                let _ = stream.write_all(&bytes);
            }
            Step::AnswerAndClose(bytes) => {
                let _ = stream.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
            Step::AnswerAndHang(bytes) => {
                let _ = stream.write_all(&bytes);
                // Until the client gives up and closes.
                let mut rest = [0; 64];
                while matches!(stream.read(&mut rest), Ok(1..)) {}
                return;
            }
            Step::Reset => {
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap().to_owned();
            let headers: Vec<(String, String)> = lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
                return Some(Request { line, headers, body });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

//! The client against real HTTP servers on loopback: what it sends, byte by byte, and what it makes of every answer.

mod answers;
mod call;
mod requests;
mod secrecy;
mod server;

use std::time::Duration;

use stytch_b2b::{ApiBase, Client, Identity, PublicToken, SessionToken, Settings, Timeouts};

pub(crate) const PUBLIC_TOKEN: &str = "public-token-test-11111111-1111-4111-8111-111111111111";
pub(crate) const TOKEN: &str = "canary-session-token-0123456789";

pub(crate) fn client_with(base: &str, timeouts: Timeouts) -> Client {
    let public_token: PublicToken = PUBLIC_TOKEN.parse().unwrap();
    Client::new(Settings {
        base: ApiBase::parse(base, &public_token).unwrap(),
        public_token,
        app: Identity { identifier: "com.example.app".to_owned(), version: "1.2.3".to_owned() },
        sdk: Identity { identifier: "example-sdk".to_owned(), version: "4.5".to_owned() },
        timeouts,
    })
    .unwrap()
}

pub(crate) fn client(base: &str) -> Client {
    client_with(base, Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(10) })
}

pub(crate) fn token() -> SessionToken {
    SessionToken::new(TOKEN.to_owned())
}

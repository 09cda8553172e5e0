//! A desk at a live sandbox: the mind without a window, for the tests of the sweep.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cutoff::connections::Draft;
use cutoff::sign_in::Step;
use cutoff::{Desk, Options};
use journal::Journal;
use sandbox::Sandbox;
use serde_json::{Value, json};
use vault::{Trouble, Vault};

/// Pauses short enough for a test, in the proportions of the real ones.
#[must_use]
pub fn quick() -> Options {
    let mut options = Options::new(Vault::memory(Trouble::Missing));
    options.pace.rereads = [20, 40, 80, 160].map(Duration::from_millis).to_vec();
    options.rules.still_there_after = options.pace.rereads.iter().sum();
    options.pace.between_attempts = Duration::from_millis(20);
    options.timeouts.connect = Duration::from_secs(2);
    options.timeouts.total = Duration::from_secs(2);
    options
}

/// A desk on the journal in `dir`, nobody signed in.
#[must_use]
pub fn desk(dir: &Path, options: Options) -> Desk {
    Desk::new(Arc::new(Journal::open(dir).expect("a journal opens in a fresh directory")), options)
}

/// What a desk needs to know of a sandbox, in this process or another.
#[derive(Clone)]
pub struct Place {
    /// Where it answers.
    pub url: String,
    /// The project's public token.
    pub public_token: String,
    /// The organization of the people.
    pub organization_id: String,
    /// Base of the control calls.
    pub control: String,
}

impl Place {
    /// Of a sandbox in this process.
    #[must_use]
    pub fn of(sandbox: &Sandbox) -> Self {
        let card = sandbox.card();
        Self {
            url: card.url.clone(),
            public_token: card.public_token.clone(),
            organization_id: card.organization_id.clone(),
            control: sandbox.control_url(),
        }
    }

    /// Makes a control call with a body, or reads with `Value::Null`.
    pub async fn control(&self, what: &str, body: Value) -> Value {
        let http = reqwest::Client::new();
        let url = format!("{}/{what}", self.control);
        let request = if body.is_null() {
            http.get(&url)
        } else {
            http.post(&url).header("Content-Type", "application/json").body(body.to_string())
        };
        let answer = request.send().await.expect("the control side answers");
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
        serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null)
    }

    /// Sets faults.
    pub async fn faults(&self, faults: Value) {
        self.control("faults", faults).await;
    }

    /// The truth: whether the grant is there.
    pub async fn has(&self, member: &str, app: &str) -> bool {
        self.ledger().await["grants"]
            .as_array()
            .expect("grants")
            .iter()
            .any(|grant| grant["member_id"] == json!(member) && grant["connected_app_id"] == json!(app))
    }

    /// The truth, whole.
    pub async fn ledger(&self) -> Value {
        self.control("ledger", Value::Null).await
    }

    /// How many revoke requests reached the server.
    pub async fn revokes(&self) -> usize {
        let ledger = self.ledger().await;
        let calls = ledger["calls"].as_array().expect("calls");
        calls
            .iter()
            .filter(|call| {
                call["path"].as_str().is_some_and(|path| path.ends_with("/revoke") && path.contains("connected_apps"))
            })
            .count()
    }

    /// A grant of somebody who is none of the people of the card.
    pub async fn some_grant(&self, sandbox: &Sandbox) -> (String, String) {
        let ledger = self.ledger().await;
        let people = &sandbox.card().people;
        let grant = ledger["grants"]
            .as_array()
            .expect("grants")
            .iter()
            .find(|grant| people.iter().all(|person| grant["member_id"] != json!(person.member_id)));
        let grant = grant.expect("the sandbox has grants");
        let text = |key: &str| grant[key].as_str().expect("an id").to_owned();
        (text("member_id"), text("connected_app_id"))
    }

    /// Signs `email` in at `desk`, reading the code from the inbox as a person would.
    pub async fn sign_in(&self, desk: &Desk, email: &str) {
        let draft =
            Draft { public_token: self.public_token.clone(), base_url: Some(self.url.clone()), ..Draft::default() };
        let connection = desk.add_connection(&draft).await.expect("the sandbox's address is usable");
        desk.send_code(connection.id, email).await.expect("a code is sent");
        let inbox = self.control("inbox", Value::Null).await;
        let letters = inbox.as_array().expect("letters");
        let letter = letters.iter().rev().find(|letter| letter["to"] == json!(email)).expect("the letter arrived");
        let step = desk.check_code(letter["code"].as_str().expect("a code")).await.expect("the code is right");
        if let Step::ChooseOrganization(_) = step {
            let step = desk.choose_organization(&self.organization_id).await.expect("the organization is offered");
            assert!(matches!(step, Step::SignedIn), "the organization wants nothing more");
        }
    }
}

/// The address of the person with this role.
#[must_use]
pub fn email(sandbox: &Sandbox, role: &str) -> String {
    person(sandbox, role).email.clone()
}

/// The member id of the person with this role.
#[must_use]
pub fn member_id(sandbox: &Sandbox, role: &str) -> String {
    person(sandbox, role).member_id.clone()
}

fn person<'s>(sandbox: &'s Sandbox, role: &str) -> &'s sandbox::Person {
    sandbox.card().people.iter().find(|person| person.role == role).expect("the sandbox has one for each role")
}

//! The sandbox in a process of its own, so that client and server share no runtime: both ends of that, and nothing measured.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use sandbox::{Options, Sandbox};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Done;

/// The other process: starts a sandbox, prints its card, and serves until its standard input ends, which it also does when
/// whoever started it is gone.
pub fn serve(members: usize, apps: usize) -> Done {
    let runtime = tokio::runtime::Runtime::new()?;
    let sandbox = runtime.block_on(Sandbox::start(Options { members, apps, ..Options::default() }))?;
    println!("{}", serde_json::to_string(sandbox.card())?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A running one.
pub struct Server {
    pub card: Card,
    child: Child,
}

/// What it says of itself.
#[derive(Deserialize)]
pub struct Card {
    pub url: String,
    pub public_token: String,
    pub bundle_id: String,
    pub organization_id: String,
    pub people: Vec<Person>,
    inbox_url: String,
    ledger_url: String,
}

/// Somebody in it.
#[derive(Deserialize)]
pub struct Person {
    pub role: String,
    pub email: String,
    pub member_id: String,
    pub session_token: String,
}

/// A grant to take and to give back.
#[derive(Clone, Deserialize)]
pub struct Grant {
    pub member_id: String,
    pub connected_app_id: String,
    pub scopes: Vec<String>,
}

impl Server {
    /// Starts one of that size.
    pub fn start(members: usize, apps: usize) -> Done<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["sandbox", "--members", &members.to_string(), "--apps", &apps.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        match serde_json::from_str(&line) {
            Ok(card) => Ok(Self { card, child }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("the sandbox did not say where it is: {error}").into())
            }
        }
    }

    /// The one who may revoke.
    pub fn admin(&self) -> Done<&Person> {
        Ok(self.card.people.iter().find(|person| person.role == "admin").ok_or("the sandbox has no admin")?)
    }

    /// Every grant that lives.
    pub async fn grants(&self, http: &reqwest::Client) -> Done<Vec<Grant>> {
        let ledger: Value = serde_json::from_slice(&http.get(&self.card.ledger_url).send().await?.bytes().await?)?;
        Ok(serde_json::from_value(ledger["grants"].clone())?)
    }

    /// The newest code that was sent to an address.
    pub async fn code(&self, http: &reqwest::Client, email: &str) -> Done<String> {
        let inbox: Value = serde_json::from_slice(&http.get(&self.card.inbox_url).send().await?.bytes().await?)?;
        let mut letters: Vec<&Value> =
            inbox.as_array().into_iter().flatten().filter(|letter| letter["to"] == email).collect();
        letters.sort_by_key(|letter| letter["at"].to_string());
        Ok(letters.last().and_then(|letter| letter["code"].as_str()).ok_or("no code was sent")?.to_owned())
    }

    /// Every call so far, as the ledger has it.
    pub async fn calls(&self, http: &reqwest::Client) -> Done<Vec<Value>> {
        let ledger: Value = serde_json::from_slice(&http.get(&self.card.ledger_url).send().await?.bytes().await?)?;
        Ok(ledger["calls"].as_array().cloned().unwrap_or_default())
    }

    /// Makes a call of the control side.
    pub async fn control(&self, http: &reqwest::Client, what: &str, body: &Value) -> Done {
        let url = self.card.ledger_url.replace("/ledger", &format!("/{what}"));
        http.post(url).body(body.to_string()).send().await?.error_for_status()?;
        Ok(())
    }

    /// Sets faults, such as latency.
    pub async fn faults(&self, http: &reqwest::Client, settings: &Value) -> Done {
        self.control(http, "faults", settings).await
    }

    /// Lets a member consent again, so that every sample meets a world of the same size.
    pub async fn give_back(&self, http: &reqwest::Client, grant: &Grant) -> Done {
        let body = json!({
            "member_id": grant.member_id, "connected_app_id": grant.connected_app_id, "scopes": grant.scopes,
        });
        self.control(http, "consent", &body).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

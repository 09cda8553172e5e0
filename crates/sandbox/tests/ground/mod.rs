//! The ground the tests stand on: a running sandbox and a plain HTTP caller. Nothing of the sandbox's inside.
#![allow(dead_code, missing_docs)]

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::{Faults, Options, Person, Sandbox};
use serde_json::{Value, json};

pub struct Ground {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text))
    }

    pub fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].clone()
    }

    pub fn error_type(&self) -> String {
        self.json()["error_type"].as_str().unwrap_or_default().to_owned()
    }

    pub fn refused(&self) -> (u16, String) {
        (self.status, self.error_type())
    }
}

pub async fn ground() -> Ground {
    ground_with(Options::default()).await
}

pub async fn faulty(faults: Faults) -> Ground {
    ground_with(Options { faults, ..Options::default() }).await
}

pub async fn ground_with(options: Options) -> Ground {
    Ground {
        sandbox: Sandbox::start(options).await.expect("a sandbox starts"),
        http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client"),
    }
}

pub fn basic(public_token: &str, second: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{public_token}:{second}")))
}

pub fn sdk_client(bundle_id: &str) -> String {
    STANDARD
        .encode(json!({"app": {"identifier": bundle_id}, "sdk": {"identifier": "test", "version": "1"}}).to_string())
}

impl Ground {
    pub fn person(&self, role: &str) -> &Person {
        let people = &self.sandbox.card().people;
        people.iter().find(|person| person.role == role).expect("the card has this role")
    }

    pub fn token(&self, role: &str) -> String {
        self.person(role).session_token.clone()
    }

    pub fn public(&self) -> String {
        self.sandbox.card().public_token.clone()
    }

    /// A request as a native caller sends it; `second` is a session token or the public token again.
    pub fn request(&self, method: &str, path: &str, second: &str) -> reqwest::RequestBuilder {
        let card = self.sandbox.card();
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.http
            .request(method, format!("{}{path}", card.url))
            .header("authorization", basic(&card.public_token, second))
            .header("x-sdk-client", sdk_client(&card.bundle_id))
    }

    pub async fn try_call(
        &self,
        method: &str,
        path: &str,
        second: &str,
        body: Option<Value>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.request(method, path, second);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        read(request).await
    }

    pub async fn get(&self, path: &str, second: &str) -> Answer {
        self.try_call("GET", path, second, None).await.expect("an answer")
    }

    pub async fn post(&self, path: &str, second: &str, body: Value) -> Answer {
        self.try_call("POST", path, second, Some(body)).await.expect("an answer")
    }

    pub async fn control(&self, what: &str, body: Value) -> Answer {
        let url = format!("{}/{what}", self.sandbox.control_url());
        read(self.http.post(url).body(body.to_string())).await.expect("an answer")
    }

    pub async fn faults(&self, body: Value) -> Value {
        let answer = self.control("faults", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub async fn ledger(&self) -> Value {
        read(self.http.get(&self.sandbox.card().ledger_url)).await.expect("the ledger").json()
    }

    pub async fn inbox(&self) -> Vec<Value> {
        let answer = read(self.http.get(&self.sandbox.card().inbox_url)).await.expect("the inbox");
        answer.json().as_array().expect("a list").clone()
    }

    pub async fn newest_code(&self) -> String {
        self.inbox().await.last().expect("a mail")["code"].as_str().expect("a code").to_owned()
    }

    /// The first app of the list, its id and name.
    pub async fn app(&self) -> String {
        let list = self.get(APPS, &self.token("admin")).await.data();
        list["connected_apps"][0]["connected_app_id"].as_str().expect("an app").to_owned()
    }

    /// Ids in the app's view.
    pub async fn members_of(&self, app: &str) -> BTreeSet<String> {
        let view = self.get(&format!("{APPS}/{app}"), &self.token("admin")).await.data();
        ids(&view["active_members"], "member_id")
    }

    /// Ids in the member's view.
    pub async fn apps_of(&self, member: &str) -> BTreeSet<String> {
        let view = self.get(&apps_path(member), &self.token("admin")).await.data();
        ids(&view["connected_apps"], "connected_app_id")
    }

    /// Somebody of the app who is none of the card's people.
    pub async fn somebody_of(&self, app: &str) -> String {
        let people: BTreeSet<String> = self.sandbox.card().people.iter().map(|p| p.member_id.clone()).collect();
        let members = self.members_of(app).await;
        members.difference(&people).next().expect("more members than the card's").clone()
    }

    /// Is the pair in the ledger's truth?
    pub async fn granted(&self, member: &str, app: &str) -> bool {
        let ledger = self.ledger().await;
        ledger["grants"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|grant| grant["member_id"] == member && grant["connected_app_id"] == app)
    }

    pub async fn revoke(&self, member: &str, app: &str, second: &str) -> reqwest::Result<Answer> {
        self.try_call("POST", &revoke_path(member, app), second, Some(json!({}))).await
    }

    pub async fn last_revocation(&self) -> Value {
        self.ledger().await["revocations"].as_array().expect("a list").last().cloned().unwrap_or_default()
    }
}

pub async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text: response.text().await? })
}

pub const ME: &str = "/sdk/v1/b2b/organizations/members/me";
pub const APPS: &str = "/sdk/v1/b2b/organizations/connected_apps";
pub const OWN_APPS: &str = "/sdk/v1/b2b/organizations/members/connected_apps";
pub const SEARCH: &str = "/sdk/v1/b2b/organizations/me/members/search";
pub const AUTHENTICATE: &str = "/sdk/v1/b2b/sessions/authenticate";

pub fn apps_path(member: &str) -> String {
    format!("/sdk/v1/b2b/organizations/members/{member}/connected_apps")
}

pub fn revoke_path(member: &str, app: &str) -> String {
    format!("/sdk/v1/b2b/organizations/members/{member}/connected_apps/{app}/revoke")
}

pub fn ids(list: &Value, key: &str) -> BTreeSet<String> {
    list.as_array().expect("a list").iter().map(|row| row[key].as_str().expect("an id").to_owned()).collect()
}

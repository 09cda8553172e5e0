//! The world of one run and everybody in it but the program that is tried: the sandbox, its control side, and others at work. It
//! judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use sandbox::{Options, Person, Sandbox};
use serde_json::{Value, json};

use crate::story::{Act, Story};
use crate::turn::Place;

/// A member and an app.
pub type Pair = (String, String);

/// The faults of a turn: what a new one begins without. Those that are in the nature of a run stay.
const PASSING: [&str; 18] = [
    "latency_ms",
    "rate_limit_after",
    "retry_after_s",
    "rate_window_s",
    "server_error_share",
    "reset_before_commit_share",
    "reset_after_commit_share",
    "body",
    "redirect_to",
    "session_dies_after",
    "role_lost_after",
    "silence_s",
    "read_lag_ms",
    "late_commit_ms",
    "views_disagree",
    "deleted_member_listed",
    "sdk_endpoint_off",
    "bad_row",
];

/// One world.
pub struct Ground {
    pub sandbox: Sandbox,
    http: reqwest::Client,
    /// Every grant there was in the beginning.
    pub grants: Vec<Pair>,
    /// Every app that had one.
    pub apps: Vec<String>,
    pub planned: Vec<Pair>,
    /// Requests of the other admin, for each pair: what the ledger has beyond them is ours.
    pub theirs: BTreeMap<Pair, usize>,
    /// Somebody else has changed the policy.
    pub policy_touched: bool,
}

impl Ground {
    pub async fn new(seed: u64, story: &Story) -> Result<Self, String> {
        let options = Options { seed, members: story.members, apps: story.apps, ..Options::default() };
        let sandbox = Sandbox::start(options).await.map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let http = http.map_err(|error| error.to_string())?;
        let mut ground = Self {
            sandbox,
            http,
            grants: Vec::new(),
            apps: Vec::new(),
            planned: Vec::new(),
            theirs: BTreeMap::new(),
            policy_touched: false,
        };
        let other = ground.person("reader")?.member_id.clone();
        ground.control("roles", &json!({"member_id": other, "roles": ["stytch_admin"]})).await?;
        let ledger = ground.ledger().await?;
        let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let grants = ledger["grants"].as_array().cloned().unwrap_or_default();
        ground.grants = grants.iter().map(|row| (text(row, "member_id"), text(row, "connected_app_id"))).collect();
        ground.apps = ground.grants.iter().map(|(_, app)| app.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        Ok(ground)
    }

    /// One of the people of the card.
    pub fn person(&self, role: &str) -> Result<&Person, String> {
        let mut people = self.sandbox.card().people.iter();
        people.find(|person| person.role == role).ok_or_else(|| format!("nobody is {role}"))
    }

    /// Where somebody is to sign in.
    pub fn place(&self, role: &str, state: &Path, confirm_ms: Option<u64>) -> Result<Place, String> {
        let card = self.sandbox.card();
        Ok(Place {
            url: card.url.clone(),
            control: self.sandbox.control_url(),
            public_token: card.public_token.clone(),
            organization_id: card.organization_id.clone(),
            email: self.person(role)?.email.clone(),
            state: state.to_owned(),
            confirm_ms,
        })
    }

    /// A control call; what it refuses as nonsense (a consent the policy forbids) is no error.
    pub async fn control(&self, what: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}/{what}", self.sandbox.control_url());
        let answer = self.http.post(url).body(body.to_string()).send().await.map_err(|error| error.to_string())?;
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }

    /// The truth.
    pub async fn ledger(&self) -> Result<Value, String> {
        let answer = self.http.get(&self.sandbox.card().ledger_url).send().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer.bytes().await.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())
    }

    /// Sets faults, each with its scope.
    pub async fn faults(&self, faults: &[Value]) -> Result<(), String> {
        for fault in faults {
            let set = self.control("faults", fault).await?;
            if let Some(error) = set.get("error") {
                return Err(format!("{fault}: {error}"));
            }
        }
        Ok(())
    }

    /// Ends every passing fault, and gives the admin back what they may.
    pub async fn heal(&self) -> Result<(), String> {
        let none = PASSING.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        self.faults(&[Value::Object(none)]).await?;
        let admin = &self.person("admin")?.member_id;
        self.control("roles", &json!({"member_id": admin, "roles": ["stytch_admin"]})).await?;
        Ok(())
    }

    /// What somebody else does.
    pub async fn act(&mut self, act: Act) -> Result<(), String> {
        let pick = |of: &[Pair], at: usize| of.get(at % of.len().max(1)).cloned();
        match act {
            Act::RevokePlanned(at) => self.revoke(pick(&self.planned, at)).await,
            Act::RevokeAny(at) => self.revoke(pick(&self.grants, at)).await,
            Act::Delete(at) => {
                let people: Vec<&String> = self.sandbox.card().people.iter().map(|person| &person.member_id).collect();
                if let Some((member, _)) = pick(&self.grants, at).filter(|(member, _)| !people.contains(&member)) {
                    self.control("delete_member", &json!({"member_id": member})).await?;
                }
            }
            Act::Consent(at) => {
                if let Some((member, app)) = pick(&self.planned, at) {
                    let body = json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]});
                    self.control("consent", &body).await?;
                }
            }
            Act::Forbid(at) => {
                self.policy_touched = true;
                let now = self.control("policy", &json!({})).await?;
                let all: Vec<&str> = match now["third_party_connected_apps_allowed_type"].as_str() {
                    Some("RESTRICTED") => {
                        let list = now["allowed_third_party_connected_apps"].as_array();
                        list.into_iter().flatten().filter_map(Value::as_str).collect()
                    }
                    _ => self.apps.iter().map(String::as_str).collect(),
                };
                let gone = &self.apps[at % self.apps.len()];
                let left: Vec<&str> = all.into_iter().filter(|app| app != gone).collect();
                let body = json!({
                    "third_party_connected_apps_allowed_type": "RESTRICTED", "allowed_third_party_connected_apps": left,
                });
                self.control("policy", &body).await?;
            }
            Act::AllowAll => {
                self.policy_touched = true;
                self.control("policy", &json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"})).await?;
            }
            Act::Demote => {
                let admin = &self.person("admin")?.member_id;
                self.control("roles", &json!({"member_id": admin, "roles": []})).await?;
            }
        }
        Ok(())
    }

    /// The other admin revokes, through the same API and its faults; what comes of it is not looked at.
    async fn revoke(&mut self, pair: Option<Pair>) {
        let Some((member, app)) = pair else { return };
        // Counted before it leaves, and also if it never arrives: then we are accused of one request too few, not too many.
        *self.theirs.entry((member.clone(), app.clone())).or_default() += 1;
        let card = self.sandbox.card();
        let Ok(other) = self.person("reader") else { return };
        let base64 = base64::engine::general_purpose::STANDARD;
        let url = format!("{}/sdk/v1/b2b/organizations/members/{member}/connected_apps/{app}/revoke", card.url);
        let client = json!({"app": {"identifier": card.bundle_id}}).to_string();
        let request = self
            .http
            .post(url)
            .timeout(Duration::from_millis(250))
            .basic_auth(&card.public_token, Some(&other.session_token))
            .header("X-SDK-Client", base64.encode(client))
            .header("Content-Type", "application/json")
            .body("{}");
        let _ = request.send().await;
    }
}

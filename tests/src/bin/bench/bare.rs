//! The bare reference: a client that is kept alive, the headers the API wants, and nothing else.

use base64::Engine as _;
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::Done;
use crate::server::Server;

/// The calls of the API, made bare.
pub struct Bare {
    pub http: reqwest::Client,
    pub url: String,
}

impl Bare {
    /// A client for the admin's session.
    pub fn new(server: &Server) -> Done<Self> {
        let card = &server.card;
        let base64 = base64::engine::general_purpose::STANDARD;
        let pair = format!("{}:{}", card.public_token, server.admin()?.session_token);
        let mut basic = HeaderValue::from_str(&format!("Basic {}", base64.encode(pair)))?;
        basic.set_sensitive(true);
        let client = json!({
            "event_id": format!("event-id-{}", uuid::Uuid::new_v4()),
            "app_session_id": format!("app-session-id-{}", uuid::Uuid::new_v4()),
            "persistent_id": format!("persistent-id-{}", uuid::Uuid::new_v4()),
            "timezone": "UTC",
            "app": { "identifier": card.bundle_id, "version": env!("CARGO_PKG_VERSION") },
            "os": { "identifier": "Linux", "version": "unknown" },
            "device": { "model": "desktop", "screen_size": "(0x0)" },
            "sdk": { "identifier": "bench", "version": env!("CARGO_PKG_VERSION") },
        });
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, basic);
        headers.insert("x-sdk-client", HeaderValue::from_str(&base64.encode(client.to_string()))?);
        let http = reqwest::Client::builder().no_proxy().default_headers(headers).user_agent("bench/1").build()?;
        Ok(Self { http, url: format!("{}/sdk/v1/b2b/organizations", card.url) })
    }

    /// The calls of an inventory: the list, each app, and each page of the search, so many at once. Every answer is read to its
    /// last byte; of those that the next call depends on, no more is parsed than it needs.
    pub async fn inventory(&self, at_once: usize) -> Done<usize> {
        let seats = Semaphore::new(at_once);
        let get = async |path: String| -> Done<Vec<u8>> {
            let _seat = seats.acquire().await?;
            let answer = self.http.get(format!("{}/{path}", self.url)).send().await?.error_for_status()?;
            Ok(answer.bytes().await?.to_vec())
        };
        let apps = async {
            let list: Value = serde_json::from_slice(&get("connected_apps".to_owned()).await?)?;
            let ids = list["data"]["connected_apps"].as_array().cloned().unwrap_or_default();
            let ids = ids.iter().map(|app| app["connected_app_id"].as_str().unwrap_or_default().to_owned());
            let bytes: usize = stream::iter(ids.collect::<Vec<_>>())
                .map(|id| get(format!("connected_apps/{id}")))
                .buffer_unordered(at_once)
                .try_fold(0, async |sum, answer| Ok(sum + answer.len()))
                .await?;
            Done::Ok(bytes)
        };
        let members = async {
            let (mut bytes, mut cursor) = (0, Value::Null);
            loop {
                let mut body = json!({ "limit": 1000 });
                if !cursor.is_null() {
                    body["cursor"] = cursor;
                }
                let _seat = seats.acquire().await?;
                let post = self.http.post(format!("{}/me/members/search", self.url));
                let post = post.header(CONTENT_TYPE, "application/json").body(body.to_string());
                let answer = post.send().await?.error_for_status()?.bytes().await?;
                bytes += answer.len();
                let page: Value = serde_json::from_slice(&answer)?;
                cursor = page["data"]["results_metadata"]["next_cursor"].clone();
                if cursor.as_str().is_none_or(str::is_empty) {
                    return Done::Ok(bytes);
                }
            }
        };
        let (apps, members) = future::try_join(apps, members).await?;
        Ok(apps + members)
    }
}

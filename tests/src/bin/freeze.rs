//! Freezes a journal of this version: real sweeps at a live sandbox, with what they came to written beside it. Run once
//! for each released version; the frozen file must open, verify and mean the same for ever.
//!
//! `cargo run -p promises --bin freeze -- tests/frozen/0.1.0`

use std::path::PathBuf;

use clap::Parser;
use cutoff::revoke::Ask;
use promises::frozen;
use promises::ground::{self, Place};
use sandbox::{Options as SandboxOptions, Sandbox};
use serde_json::json;

/// Freezes a journal of this version.
#[derive(Parser)]
struct Arguments {
    /// The folder to make.
    out: PathBuf,
}

#[tokio::main]
async fn main() {
    let out = Arguments::parse().out;
    let dir = tempfile::tempdir().expect("a directory");
    let sandbox = Sandbox::start(SandboxOptions::default()).await.expect("the sandbox starts");
    let place = Place::of(&sandbox);
    let desk = ground::desk(dir.path(), ground::quick());
    place.sign_in(&desk, &ground::email(&sandbox, "admin")).await;
    desk.read_inventory(&|_| {}).await.expect("an inventory");

    let ledger = place.ledger().await;
    let admin = ground::member_id(&sandbox, "admin");
    let mut grants =
        ledger["grants"].as_array().expect("grants").iter().filter(|grant| grant["member_id"] != json!(admin));
    // One sweep for each kind of ending that a journal of this version can hold.
    let endings = [
        json!({}),
        json!({"reset_after_commit_share": 1.0, "on": "/revoke"}),
        json!({"reset_before_commit_share": 1.0, "on": "/revoke"}),
        json!({"read_lag_ms": 600_000}),
        json!({"body": "truncated", "on": "/connected_apps"}),
        json!({"sdk_endpoint_off": true, "on": "/revoke"}),
    ];
    for faults in endings {
        let grant = grants.next().expect("the sandbox has grants enough");
        let text = |key: &str| grant[key].as_str().expect("an id").to_owned();
        let ask = Ask { member_id: text("member_id"), connected_app_id: text("connected_app_id"), ..Ask::default() };
        place.faults(faults.clone()).await;
        // A refusal is an ending too: its rows are what is frozen.
        let _ = desk.revoke(&ask, None).await;
        let cleared: serde_json::Map<String, serde_json::Value> =
            faults.as_object().expect("an object").keys().map(|key| (key.clone(), serde_json::Value::Null)).collect();
        place.faults(cleared.into()).await;
    }
    let own = ledger["grants"].as_array().expect("grants").iter().find(|grant| grant["member_id"] == json!(admin));
    if let Some(own) = own {
        let app = own["connected_app_id"].as_str().expect("an id").to_owned();
        let _ = desk.revoke(&Ask { member_id: admin, connected_app_id: app, ..Ask::default() }, None).await;
    }
    drop(desk);

    std::fs::create_dir_all(&out).expect("the folder can be made");
    std::fs::copy(dir.path().join(journal::FILE_NAME), out.join(journal::FILE_NAME))
        .expect("the journal can be copied");
    let meant = frozen::meaning(&out);
    std::fs::write(out.join("meaning.json"), format!("{meant:#}\n")).expect("the meaning can be written");
    println!("{meant:#}");
}

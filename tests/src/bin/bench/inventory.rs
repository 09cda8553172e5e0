//! The inventory at three sizes, so that growth is visible: its reading beside the same calls made bare, a key stroke in its
//! filter beside a plain look through all texts, and what a second snapshot costs beside the first.

use std::path::Path;
use std::time::{Duration, Instant};

use journal::Journal;
use promises::ipc::App;
use serde_json::{Value, json};
use stytch_b2b::Timeouts;

use crate::Done;
use crate::bare::Bare;
use crate::numbers::{median, micros, millis, percentile, ratio};
use crate::revoke::sign_in;
use crate::server::{Grant, Server};

/// Apps of each size.
const APPS: usize = 100;
/// Members of each size: about a thousand, ten thousand and a hundred thousand grants.
const MEMBERS: [usize; 3] = [152, 1_520, 15_200];
/// Calls at once, as many as the app makes.
const AT_ONCE: usize = 4;
/// Milliseconds of the second measurement: about what a server not too far away takes.
const LATENCY: u64 = 20;

/// Reads each size so many times each way.
pub fn measure(place: &Path, rounds: usize) -> Done<Value> {
    let mut sizes = Vec::new();
    for members in MEMBERS {
        sizes.push(one_size(&place.join(format!("inventory-{members}")), members, rounds)?);
    }
    Ok(json!({ "rounds": rounds, "calls_at_once": AT_ONCE, "sizes": sizes }))
}

fn one_size(place: &Path, members: usize, rounds: usize) -> Done<Value> {
    let server = Server::start(members, APPS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let control = reqwest::Client::builder().no_proxy().build()?;
    let bare = Bare::new(&server)?;
    let state = place.join("state");
    let app = App::open_with(|options| {
        options.state_dir.clone_from(&state);
        options.timeouts = Timeouts::default();
    });
    sign_in(&app, &server, |email| runtime.block_on(server.code(&control, email)))?;
    let journal = Journal::open(&state)?;
    let empty = journal.size_bytes()?;

    let at_once = reading(&app, &bare, &runtime, rounds)?;
    let first = journal.size_bytes()? - empty;
    let grants = runtime.block_on(server.grants(&control))?;
    eprintln!("· inventory of {} grants: read", grants.len());
    runtime.block_on(server.faults(&control, &json!({ "latency_ms": LATENCY })))?;
    let with_latency = reading(&app, &bare, &runtime, rounds.min(3))?;
    runtime.block_on(server.faults(&control, &json!({ "latency_ms": null })))?;

    let strokes = keystrokes(&app, &grants);
    eprintln!("· inventory of {} grants: filtered", grants.len());

    let changed = grants.len().div_ceil(100);
    let before = journal.size_bytes()?;
    for grant in grants.iter().step_by(100) {
        let wider = Grant { scopes: [&grant.scopes[..], &["bench.write".to_owned()]].concat(), ..grant.clone() };
        runtime.block_on(server.give_back(&control, &wider))?;
    }
    app.get::<Value>("inventory_read", json!({}));
    let second = journal.size_bytes()? - before;
    Ok(json!({
        "grants": grants.len(),
        "members": members,
        "apps": APPS,
        "reading": at_once,
        "reading_with_latency": { "latency_ms": LATENCY, "times": with_latency },
        "keystroke": strokes,
        "snapshot": {
            "first_bytes": first,
            "changed_grants": changed,
            "second_bytes": second,
            "ratio": (second as f64 / first as f64 * 1e4).round() / 1e4,
        },
    }))
}

/// The reading through the page's door until its lists can be cut from it and the journal has it, beside the bare calls.
fn reading(app: &App, bare: &Bare, runtime: &tokio::runtime::Runtime, rounds: usize) -> Done<Value> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let one = || -> Done<Duration> {
            let began = Instant::now();
            let status: Value = app.ask("inventory_read", json!({})).map_err(|refusal| refusal.to_string())?;
            let took = began.elapsed();
            if status["picture"]["complete"] == true { Ok(took) } else { Err(format!("not complete: {status}").into()) }
        };
        let other = || -> Done<Duration> {
            let began = Instant::now();
            runtime.block_on(bare.inventory(AT_ONCE))?;
            Ok(began.elapsed())
        };
        // Whoever is first finds the caches as the other left them: the order alternates.
        let (a, b) = if round % 2 == 0 {
            (one()?, other()?)
        } else {
            let b = other()?;
            (one()?, b)
        };
        // The first of each opens connections and pages code in, and is not counted.
        if round > 0 {
            ours.push(a);
            theirs.push(b);
        }
    }
    Ok(json!({
        "inventory_ms": millis(median(&ours)),
        "bare_ms": millis(median(&theirs)),
        "ratio": ratio(median(&ours), median(&theirs)),
    }))
}

/// Words typed letter by letter, lists sorted by each of their columns, and choices combined: each question anew.
fn keystrokes(app: &App, grants: &[Grant]) -> Value {
    let mut questions: Vec<(&str, Value)> = Vec::new();
    for word in ["datasync", "maya lind", "contacts.write okafor", "stytch_admin ro", "claude third-party", "zzzz"] {
        for end in 1..=word.len() {
            for list in ["inventory_apps", "inventory_members", "inventory_grants"] {
                questions.push((list, json!({ "filter": { "text": &word[..end] }, "fold": true, "count": 100 })));
            }
        }
    }
    for (turn, key) in ["name", "member", "type", "grants", "width", "first_seen", "status"].into_iter().enumerate() {
        for (more, filter) in [
            json!({}),
            json!({ "scopes": ["openid"] }),
            json!({ "roles": ["stytch_member"], "levels": [2, 3] }),
            json!({ "text": "a", "statuses": ["active"], "client_types": ["third_party"] }),
        ]
        .into_iter()
        .enumerate()
        {
            let descending = (turn + more) % 2 == 0;
            for list in ["inventory_apps", "inventory_members", "inventory_grants"] {
                questions
                    .push((list, json!({ "filter": filter, "sort": key, "descending": descending, "count": 100 })));
            }
        }
    }
    let mut ours = Vec::new();
    for (list, query) in &questions {
        let began = Instant::now();
        app.get::<Value>(list, json!({ "query": query }));
        ours.push(began.elapsed());
    }
    // The reference: one text for each grant, made beforehand, looked through from the first to the last.
    let texts: Vec<String> = grants
        .iter()
        .map(|grant| {
            format!("{} {} {}", grant.member_id, grant.connected_app_id, grant.scopes.join(" ")).to_lowercase()
        })
        .collect();
    let mut theirs = Vec::new();
    for end in 1..=15 {
        let word = &"contacts.write okafor"[..end];
        let began = Instant::now();
        std::hint::black_box(texts.iter().filter(|text| text.contains(word)).count());
        theirs.push(began.elapsed());
    }
    json!({
        "questions": ours.len(),
        "p50_us": micros(median(&ours)),
        "p99_us": micros(percentile(&ours, 0.99)),
        "slowest_us": micros(percentile(&ours, 1.0)),
        "one_look_through_all_texts_us": micros(median(&theirs)),
        "ratio": ratio(percentile(&ours, 0.99), median(&theirs)),
    })
}

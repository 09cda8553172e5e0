//! The single revoke: through the page's door on the mock runtime, with the journal on disk, beside the two calls that it cannot do
//! without, made bare on a connection that is kept alive.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutoff::sweep::{Pace, Step};
use promises::ipc::App;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use stytch_b2b::Timeouts;

use crate::Done;
use crate::bare::Bare;
use crate::machine::Disk;
use crate::numbers::{median, micros, percentile, ratio, short};
use crate::server::{Grant, Server};

/// A sandbox whose apps have about as many members as a small organization's, and enough grants that none is used twice.
const MEMBERS: usize = 160;
const APPS: usize = 48;
/// Pairs before the first that counts: connections are opened, the policy is read, code is paged in.
const WARM_UP: usize = 10;

/// Revokes so many grants each way, by turns.
pub fn measure(place: &Path, samples: usize) -> Done<Value> {
    let server = Server::start(MEMBERS, APPS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let control = reqwest::Client::builder().no_proxy().build()?;
    let bare = Bare::new(&server)?;
    let steps = Steps::default();
    let app = app(place, &steps);
    sign_in(&app, &server, |email| runtime.block_on(server.code(&control, email)))?;

    let pairs = pairs(&server, runtime.block_on(server.grants(&control))?);
    let wanted = samples + WARM_UP;
    if pairs.len() < wanted {
        return Err(format!("the sandbox has {} pairs of grants and {wanted} are needed", pairs.len()).into());
    }
    read_lists(&app, &pairs[..wanted]);

    let mut disk = Disk::at(place)?;
    let (mut through_ipc, mut bare_calls) = (Vec::new(), Vec::new());
    let (mut idle_commands, mut syncs) = (Vec::new(), Vec::new());
    let mut by_step: Vec<(String, Vec<Duration>)> = Vec::new();
    for (number, (ours, theirs)) in pairs.into_iter().take(wanted).enumerate() {
        if number % 50 == 0 {
            eprintln!("· single revoke {number}/{wanted}");
        }
        // Whoever is first finds the caches as the other left them: the order alternates.
        let (ipc, alone) = if number % 2 == 0 {
            let ipc = one_through_ipc(&app, &ours, &steps)?;
            (ipc, runtime.block_on(revoke_bare(&bare, &theirs))?)
        } else {
            let alone = runtime.block_on(revoke_bare(&bare, &theirs))?;
            (one_through_ipc(&app, &ours, &steps)?, alone)
        };
        let began = Instant::now();
        app.get::<Value>("session_status", json!({}));
        let idle = began.elapsed();
        let sync = disk.sync()?;
        for grant in [&ours, &theirs] {
            runtime.block_on(server.give_back(&control, grant))?;
        }
        if number < WARM_UP {
            continue;
        }
        through_ipc.push(ipc.whole);
        bare_calls.push(alone);
        idle_commands.push(idle);
        syncs.push(sync);
        for (until, took) in ipc.parts {
            match by_step.iter_mut().find(|(name, _)| *name == until) {
                Some((_, all)) => all.push(took),
                None => by_step.push((until, vec![took])),
            }
        }
    }
    let by_step: Vec<Value> = by_step
        .iter()
        .map(|(until, all)| json!({"until": until, "p50_us": micros(median(all)), "p95_us": micros(percentile(all, 0.95)), "times": all.len()}))
        .collect();
    Ok(json!({
        "samples": samples,
        "ipc": short(&through_ipc),
        "bare": short(&bare_calls),
        "ratio": ratio(median(&through_ipc), median(&bare_calls)),
        "p95": { "ratio": ratio(percentile(&through_ipc, 0.95), percentile(&bare_calls, 0.95)) },
        "steps": by_step,
        // What it is made of, measured between the samples: nothing with these in it can be faster than they are.
        "floors": {
            "a_command_that_does_nothing": short(&idle_commands),
            "writing_4_kib_to_disk": short(&syncs),
        },
    }))
}

/// The app as it ships but for the window: its own patience and its own pace.
fn app(place: &Path, steps: &Steps) -> App {
    let steps = steps.clone();
    App::open_with(|options| {
        options.state_dir = place.join("state");
        options.timeouts = Timeouts::default();
        options.pace = Pace::default();
        options.observer = Some(Arc::new(move |step| steps.note(step)));
    })
}

pub fn sign_in(app: &App, server: &Server, code: impl FnOnce(&str) -> Done<String>) -> Done {
    let card = &server.card;
    let draft = json!({
        "public_token": card.public_token, "base_url": card.url, "app_identifier": card.bundle_id,
        "organization_slug": null, "host_confirmed": false,
    });
    let connection: Value = app.get("connection_add", json!({ "draft": draft }));
    let email = &server.admin()?.email;
    app.get::<Value>("sign_in_send_code", json!({"connection_id": connection["id"], "email": email}));
    let code = code(email)?;
    let mut step: Value = app.get("sign_in_check_code", json!({ "code": code }));
    if step["step"] != "signed_in" {
        step = app.get("sign_in_choose_organization", json!({"organization_id": card.organization_id}));
    }
    if step["step"] == "signed_in" { Ok(()) } else { Err("the admin could not be signed in".into()) }
}

/// Grants of two members to one app, so that both ways read a view of the same size. No grant comes twice, and none is of the
/// people who are signed in.
fn pairs(server: &Server, mut grants: Vec<Grant>) -> Vec<(Grant, Grant)> {
    grants.retain(|grant| server.card.people.iter().all(|person| person.member_id != grant.member_id));
    grants.sort_by(|a, b| (&a.connected_app_id, &a.member_id).cmp(&(&b.connected_app_id, &b.member_id)));
    let of_one_app = grants.chunk_by(|a, b| a.connected_app_id == b.connected_app_id);
    let mut pairs: Vec<(Grant, Grant)> =
        of_one_app.flat_map(|grants| grants.chunks_exact(2).map(|two| (two[0].clone(), two[1].clone()))).collect();
    // In the order of the members, so that the apps come mixed: the sizes of their views must not follow the clock.
    pairs.sort_by(|(a, _), (b, _)| a.member_id.cmp(&b.member_id));
    pairs
}

/// Looks at what somebody looks at before they revoke.
fn read_lists(app: &App, pairs: &[(Grant, Grant)]) {
    app.get::<Value>("inventory_read", json!({}));
    app.get::<Value>("inventory_members", json!({"query": {"count": 50}}));
    app.get::<Value>("inventory_apps", json!({"query": {"count": 50}}));
    let mut apps: Vec<&str> = pairs.iter().map(|(grant, _)| grant.connected_app_id.as_str()).collect();
    apps.sort_unstable();
    apps.dedup();
    for id in apps {
        app.get::<Value>("inventory_grants", json!({"query": {"filter": {"apps": [id]}, "count": 50}}));
    }
}

/// One revoke as the page asks for it.
struct Ipc {
    whole: Duration,
    parts: Vec<(String, Duration)>,
}

fn one_through_ipc(app: &App, grant: &Grant, steps: &Steps) -> Done<Ipc> {
    // The confirmation that a person reads, before the clock runs.
    let pair = json!({"member_id": grant.member_id, "connected_app_id": grant.connected_app_id});
    let plan: Value = app.get("revoke_plan", pair);
    let args = json!({
        "member_id": grant.member_id, "connected_app_id": grant.connected_app_id,
        "plan_hash": plan["plan_hash"], "ask_anyway": false, "progress": "__CHANNEL__:7",
    });
    steps.clear();
    let began = Instant::now();
    let reply = app.ask("revoke_connected_app", args);
    let whole = began.elapsed();
    let report = reply.map_err(|refusal| format!("the revoke was refused: {refusal}"))?;
    if report["outcome"] != "revoked" {
        return Err(format!("the revoke did not come to what it should: {report}").into());
    }
    Ok(Ipc { whole, parts: steps.parts(began, began + whole) })
}

/// When which step of the sweep was reached. Held for a push or a look.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<(Step, Instant)>>>);

impl Steps {
    fn note(&self, step: Step) {
        let now = Instant::now();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((step, now));
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How long each step took to come, and how long after the last one the page had its answer.
    fn parts(&self, mut last: Instant, end: Instant) -> Vec<(String, Duration)> {
        let mut parts = Vec::new();
        for (step, at) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            parts.push((format!("{step:?}"), *at - last));
            last = *at;
        }
        parts.push(("Told".to_owned(), end.saturating_duration_since(last)));
        parts
    }
}

/// POST and GET, both read to their last byte. What they say is looked at after the clock has stopped.
async fn revoke_bare(bare: &Bare, grant: &Grant) -> Done<Duration> {
    let Grant { member_id, connected_app_id, .. } = grant;
    let post = format!("{}/members/{member_id}/connected_apps/{connected_app_id}/revoke", bare.url);
    let get = format!("{}/connected_apps/{connected_app_id}", bare.url);

    let began = Instant::now();
    let answer = bare.http.post(post).header(CONTENT_TYPE, "application/json").body("{}").send().await?;
    let revoked = answer.status();
    answer.bytes().await?;
    let answer = bare.http.get(get).send().await?;
    let read = answer.status();
    let view = answer.bytes().await?;
    let took = began.elapsed();

    let view: Value = serde_json::from_slice(&view)?;
    let members = view["data"]["active_members"].as_array();
    let gone = members.is_some_and(|members| members.iter().all(|member| member["member_id"] != member_id.as_str()));
    if revoked.is_success() && (gone || read.as_u16() == 404) {
        Ok(took)
    } else {
        Err(format!("the bare calls answered {revoked} and {read}, and the grant is not gone").into())
    }
}

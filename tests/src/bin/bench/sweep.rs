//! Sweeps of many: against a bare loop of the same requests, under latency and under a limit, and what one grant costs as they
//! become more. The mind with a real journal on disk, without a window; the sandbox in a process of its own.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cutoff::connections::Draft;
use cutoff::plan_file::{Pair, PlanFile};
use cutoff::policy::Decisions;
use cutoff::sign_in::Step;
use cutoff::sweep::engine::Progress;
use cutoff::sweep::verdict::Outcome;
use cutoff::sweep::{self, Observer, Wish};
use cutoff::sweeps::{Apply, SweepReport, What};
use cutoff::{Desk, Options};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use journal::Journal;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use stytch_b2b::{ConnectedAppId, MemberId};
use tokio::sync::watch;
use vault::{Trouble, Vault};

use crate::Done;
use crate::bare::Bare;
use crate::numbers::{median, millis, ratio};
use crate::server::{Grant, Server};

/// All four measurements; fewer rounds and a scaled limit when it is to be quick.
pub fn measure(place: &Path, quick: bool) -> Done<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        Ok(json!({
            "full_speed": full_speed(place, if quick { 3 } else { 7 }).await?,
            "contained_at_200_ms": contained(place).await?,
            "limited": limited(place, if quick { 6 } else { 60 }).await?,
            "cost_of_a_grant": cost(place, if quick { &[100, 1_000] } else { &[100, 1_000, 10_000] }).await?,
        }))
    })
}

/// 2,000 grants without latency beside the revokes alone made bare: the sending, every intent and answer of it on disk, and the whole
/// of the sweep, which besides opens it, reads every grant before and after, and judges.
async fn full_speed(place: &Path, rounds: usize) -> Done<Value> {
    const GRANTS: usize = 2_000;
    let ground = Ground::start(1_000, 12)?;
    let grants = ground.some(GRANTS).await?;
    let (mut ours, mut sent, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        eprintln!("· sweep of {GRANTS}, round {round}/{rounds}");
        let mut turn = [true, false];
        // Whoever is first finds the caches as the other left them: the order alternates.
        turn.rotate_left(round % 2);
        for with_us in turn {
            // The first round warms up.
            let counts = round > 0;
            if with_us {
                let desk = ground.desk(place, &format!("full-{round}"), |_| {}).await?;
                let plan = plan(&desk, &grants).await?;
                let steps = Steps::default();
                let (report, took) = apply_told(&desk, &plan, Some(&steps.observer())).await?;
                all_revoked(&report)?;
                ours.extend(counts.then_some(took));
                sent.extend(steps.sending().filter(|_| counts));
            } else {
                bare.extend(Some(ground.revoke_bare(&grants).await?).filter(|_| counts));
            }
            ground.give_back(&grants).await?;
        }
    }
    let bare = median(&bare);
    // Rate by rate: below 1 the sweep is slower than the bare loop.
    let told = |took: Duration| {
        let rate = (GRANTS as f64 / took.as_secs_f64()).round();
        json!({ "p50_ms": millis(took), "grants_a_second": rate, "ratio": ratio(bare, took) })
    };
    Ok(json!({
        "grants": GRANTS, "rounds": rounds, "at_once": at_once(),
        "sending": told(median(&sent)), "whole": told(median(&ours)), "bare": told(bare),
    }))
}

/// 137 grants of one app and 21 of another contained: the policy changed first, every grant revoked and read to be gone. The
/// sandbox lists forbidden apps here, since what it hides cannot be read to be gone.
async fn contained(place: &Path) -> Done<Value> {
    const SIZES: [usize; 2] = [137, 21];
    let ground = Ground::start(500, 40)?;
    ground.server.faults(&ground.http, &json!({"policy_hides": false})).await?;
    let apps = ground.apps_of(&SIZES).await?;
    let grants = ground.grants_of(&apps).await?;
    let desk = ground.desk(place, "contained", |_| {}).await?;
    let listed = ground.server.grants(&ground.http).await?;
    let others = listed.iter().map(|grant| ConnectedAppId::from(grant.connected_app_id.as_str()));
    let ids: Vec<ConnectedAppId> = apps.iter().map(|app| ConnectedAppId::from(app.as_str())).collect();
    let decisions = Decisions { keep: others.filter(|app| !ids.contains(app)).collect(), leave_out: BTreeSet::new() };
    let now = jiff::Timestamp::now();
    let containment = desk.propose_containment(&ids, &decisions, true, None, now).await?;
    eprintln!("· {} grants contained at 200 ms", containment.proposal.file.grants.len());
    ground.server.faults(&ground.http, &json!({"latency_ms": 200})).await?;
    let (report, ours) = apply(&desk, &containment.proposal.file).await?;
    ground.server.faults(&ground.http, &json!({"latency_ms": null})).await?;
    all_revoked(&report)?;
    if report.lines.len() != SIZES.iter().sum::<usize>() || !report.policy.is_some_and(|policy| policy.in_force) {
        return Err("not every grant was in the plan, or the block is not in force".into());
    }
    ground.control("policy", &json!({"third_party_connected_apps_allowed_type": "ALL_ALLOWED"})).await?;
    ground.control("policy", &json!({"first_party_connected_apps_allowed_type": "ALL_ALLOWED"})).await?;
    ground.give_back(&grants).await?;
    ground.server.faults(&ground.http, &json!({"latency_ms": 200})).await?;
    let bare = ground.revoke_bare(&grants).await?;
    Ok(json!({
        "grants": grants.len(), "at_once": at_once(), "seconds": seconds(ours), "bare_seconds": seconds(bare),
        "ratio": ratio(ours, bare),
    }))
}

/// A limit of 100 calls a window. The shorter window of a quick run is the real one scaled down, its jitter too.
async fn limited(place: &Path, window_s: u64) -> Done<Value> {
    const QUOTA: u64 = 100;
    const GRANTS: usize = 250;
    let ground = Ground::start(300, 12)?;
    let grants = ground.some(GRANTS).await?;
    let window = Duration::from_secs(window_s);
    let desk = ground
        .desk(place, "limited", |options| {
            options.pace.jitter = options.pace.jitter * u32::try_from(window_s).unwrap_or(60) / 60;
            options.pace.window = window;
        })
        .await?;
    let plan = plan(&desk, &grants).await?;
    let before = ground.calls().await?.len();
    eprintln!("· {GRANTS} grants at {QUOTA} calls in {window_s} s");
    // From the top of a window, so that what could be had at best is known.
    let into = u64::try_from(jiff::Timestamp::now().as_millisecond())? % (window_s * 1000);
    tokio::time::sleep(Duration::from_millis(window_s * 1000 - into + 20)).await;
    ground.server.faults(&ground.http, &json!({"rate_limit_after": QUOTA, "rate_window_s": window_s})).await?;
    let (report, took) = apply(&desk, &plan).await?;
    all_revoked(&report)?;
    let calls = ground.calls().await?.split_off(before);
    let refused: Vec<i64> = calls.iter().filter(|(_, status)| *status == 429).map(|(at, _)| *at).collect();
    let admitted = u64::try_from(calls.len() - refused.len())?;
    // The last window is as long as its calls take; what is told of it is next to nothing beside the others.
    let least = window * u32::try_from(admitted.div_ceil(QUOTA) - 1)?;
    let mut later: BTreeMap<i64, u32> = BTreeMap::new();
    // What left before the first refusal had arrived is told apart by the time that an answer takes at the most here.
    for at in refused.iter().filter(|at| **at > refused[0] + 20) {
        *later.entry(at.div_euclid(i64::try_from(window_s * 1000)?)).or_default() += 1;
    }
    Ok(json!({
        "quota": QUOTA, "window_s": window_s, "scaled": window_s != 60, "grants": GRANTS, "calls": admitted,
        "refused": refused.len(), "further_refused_a_window_at_most": later.values().max().copied().unwrap_or(0),
        "seconds": seconds(took), "least_seconds": seconds(least), "ratio": ratio(took, least),
    }))
}

/// What one grant costs in sweeps of several sizes.
async fn cost(place: &Path, sizes: &[usize]) -> Done<Value> {
    let most = sizes.iter().copied().max().unwrap_or(0);
    let ground = Ground::start(most.div_ceil(3).max(300), 12)?;
    let mut told = Vec::new();
    let mut smallest: Option<[f64; 3]> = None;
    for &size in sizes {
        eprintln!("· what a grant of {size} costs");
        let grants = ground.some(size).await?;
        let name = format!("cost-{size}");
        let desk = ground.desk(place, &name, |_| {}).await?;
        let plan = plan(&desk, &grants).await?;
        let state = place.join(&name);
        let (journal_before, memory_before) = (bytes_below(&state)?, resident());
        let most_memory = Arc::new(AtomicU64::new(0));
        let watcher = tokio::spawn({
            let most = most_memory.clone();
            async move {
                loop {
                    most.fetch_max(resident(), Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        let (report, took) = apply(&desk, &plan).await?;
        watcher.abort();
        all_revoked(&report)?;
        let each = |whole: u64| whole as f64 / size as f64;
        let memory = most_memory.load(Ordering::Relaxed).saturating_sub(memory_before);
        let journal = bytes_below(&state)?.saturating_sub(journal_before);
        let costs = [took.as_secs_f64() * 1e6 / size as f64, each(memory), each(journal)];
        let first = *smallest.get_or_insert(costs);
        let times = |at: usize| (first[at] > 0.0).then(|| (costs[at] / first[at] * 1e3).round() / 1e3);
        told.push(json!({
            "grants": size,
            "microseconds": { "each": costs[0].round(), "ratio": times(0) },
            "bytes_of_memory": { "each": costs[1].round(), "ratio": times(1) },
            "bytes_of_journal": { "each": costs[2].round(), "ratio": times(2) },
        }));
        drop(desk);
        ground.give_back(&grants).await?;
    }
    Ok(Value::Array(told))
}

/// A sandbox and the two ways to its calls.
struct Ground {
    server: Server,
    http: reqwest::Client,
    bare: Bare,
}

impl Ground {
    fn start(members: usize, apps: usize) -> Done<Self> {
        let server = Server::start(members, apps)?;
        let bare = Bare::new(&server)?;
        Ok(Self { server, http: reqwest::Client::builder().no_proxy().build()?, bare })
    }

    /// The mind on a journal of its own, signed in, with the inventory read: as it ships, but for what `change` sets.
    async fn desk(&self, place: &Path, name: &str, change: impl FnOnce(&mut Options)) -> Done<Desk> {
        let mut options = Options::new(Vault::memory(Trouble::Missing));
        change(&mut options);
        let desk = Desk::new(Arc::new(Journal::open(&place.join(name))?), options);
        let card = &self.server.card;
        let draft =
            Draft { public_token: card.public_token.clone(), base_url: Some(card.url.clone()), ..Draft::default() };
        let connection = desk.add_connection(&draft).await?;
        let email = &self.server.admin()?.email;
        desk.send_code(connection.id, email).await?;
        let step = desk.check_code(&self.server.code(&self.http, email).await?).await?;
        if let Step::ChooseOrganization(_) = step {
            desk.choose_organization(&card.organization_id).await?;
        }
        desk.read_inventory(&|_| {}).await?;
        Ok(desk)
    }

    /// So many grants of other members than those of the card.
    async fn some(&self, count: usize) -> Done<Vec<Grant>> {
        let mut grants = self.server.grants(&self.http).await?;
        grants.retain(|grant| self.server.card.people.iter().all(|person| person.member_id != grant.member_id));
        if grants.len() < count {
            return Err(format!("the sandbox has {} grants and {count} are needed", grants.len()).into());
        }
        grants.truncate(count);
        Ok(grants)
    }

    /// Apps with exactly so many grants each: those that have nearly as many are given the rest.
    async fn apps_of(&self, sizes: &[usize]) -> Done<Vec<String>> {
        let grants = self.server.grants(&self.http).await?;
        let members: BTreeSet<&str> = grants.iter().map(|grant| grant.member_id.as_str()).collect();
        let mut of: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for grant in &grants {
            of.entry(&grant.connected_app_id).or_default().insert(&grant.member_id);
        }
        let mut apps = Vec::new();
        for &size in sizes {
            let fits = of.iter().filter(|(app, has)| has.len() <= size && !apps.contains(&(**app).to_owned()));
            let (app, has) = fits.max_by_key(|(_, has)| has.len()).ok_or("no app is small enough")?;
            for member in members.iter().filter(|member| !has.contains(**member)).take(size - has.len()) {
                self.control("consent", &json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]}))
                    .await?;
            }
            apps.push((*app).to_owned());
        }
        Ok(apps)
    }

    async fn grants_of(&self, apps: &[String]) -> Done<Vec<Grant>> {
        let mut grants = self.server.grants(&self.http).await?;
        grants.retain(|grant| apps.contains(&grant.connected_app_id));
        Ok(grants)
    }

    async fn control(&self, what: &str, body: &Value) -> Done {
        self.server.control(&self.http, what, body).await
    }

    async fn give_back(&self, grants: &[Grant]) -> Done {
        stream::iter(grants).map(Ok).try_for_each_concurrent(8, |grant| self.server.give_back(&self.http, grant)).await
    }

    /// When each call arrived, milliseconds since the epoch, and what it was answered.
    async fn calls(&self) -> Done<Vec<(i64, u64)>> {
        let calls = self.server.calls(&self.http).await?;
        calls
            .iter()
            .map(|call| {
                let at: jiff::Timestamp = call["at"].as_str().unwrap_or_default().parse()?;
                Ok((at.as_millisecond(), call["status"].as_u64().unwrap_or(0)))
            })
            .collect()
    }

    /// The same revokes, on connections that are kept alive, as many at once, each answer read to its end.
    async fn revoke_bare(&self, grants: &[Grant]) -> Done<Duration> {
        let began = Instant::now();
        let mut answers = stream::iter(grants)
            .map(async |grant| -> Done<bool> {
                let Grant { member_id, connected_app_id, .. } = grant;
                let url = format!("{}/members/{member_id}/connected_apps/{connected_app_id}/revoke", self.bare.url);
                let answer =
                    self.bare.http.post(url).header(CONTENT_TYPE, "application/json").body("{}").send().await?;
                let well = answer.status().is_success();
                answer.bytes().await?;
                Ok(well)
            })
            .buffer_unordered(at_once());
        while let Some(answer) = answers.next().await {
            if !answer? {
                return Err("a bare revoke was refused".into());
            }
        }
        Ok(began.elapsed())
    }
}

fn at_once() -> usize {
    cutoff::sweep::Pace::default().concurrency
}

async fn plan(desk: &Desk, grants: &[Grant]) -> Done<PlanFile> {
    let pairs = grants.iter().map(|grant| Pair {
        member_id: MemberId::from(grant.member_id.as_str()),
        connected_app_id: ConnectedAppId::from(grant.connected_app_id.as_str()),
    });
    let pairs = What::Pairs(pairs.collect());
    Ok(desk.propose(&pairs, true, None, jiff::Timestamp::now()).await?.file)
}

async fn apply(desk: &Desk, plan: &PlanFile) -> Done<(SweepReport, Duration)> {
    apply_told(desk, plan, None).await
}

async fn apply_told(desk: &Desk, plan: &PlanFile, observer: Option<&Observer>) -> Done<(SweepReport, Duration)> {
    let (_wish, wished) = watch::channel(Wish::Run);
    let began = Instant::now();
    let progress = watch::Sender::new(Progress::default());
    let report = desk.apply(plan, &Apply::default(), wished, progress, observer).await?;
    Ok((report, began.elapsed()))
}

/// When the first request left, and when the last answer was on disk.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<(Option<Instant>, Option<Instant>)>>);

impl Steps {
    fn observer(&self) -> Observer {
        let Self(steps) = self.clone();
        Arc::new(move |step| {
            let mut steps = steps.lock().unwrap_or_else(PoisonError::into_inner);
            match step {
                sweep::Step::Sending => _ = steps.0.get_or_insert_with(Instant::now),
                sweep::Step::AnswerRecorded => steps.1 = Some(Instant::now()),
                _ => {}
            }
        })
    }

    fn sending(&self) -> Option<Duration> {
        let (first, last) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(last?.duration_since(first?))
    }
}

fn all_revoked(report: &SweepReport) -> Done {
    let revoked = report.lines.iter().filter(|line| line.outcome == Outcome::Revoked).count();
    if report.closed && revoked == report.lines.len() {
        return Ok(());
    }
    Err(format!("the sweep did not come to what it should: {:?}", report.outcomes).into())
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e2).round() / 1e2
}

/// Bytes of all files below a directory.
fn bytes_below(place: &PathBuf) -> Done<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(place)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { bytes_below(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}

/// Bytes of memory this process has; 0 where that cannot be read.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

//! One run: the story of a seed is carried out, and everything is judged after every stop.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cutoff::Desk;
use cutoff::inventory::filter::Filter;
use cutoff::inventory::selection::{Noun, RowId, Selection};
use cutoff::plan_file::{Pair as PlanPair, PlanFile};
use cutoff::policy::Decisions;
use cutoff::sweep::verdict::Outcome;
use cutoff::sweeps::What;
use journal::Journal;
use serde_json::{Value, json};
use stytch_b2b::{ConnectedAppId, MemberId};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::ground::Ground;
use crate::judge::{Judge, Stand, answered};
use crate::story::{Order, Plan, Story, Turn};
use crate::turn::{End, Orders, Place, Work, options, sign_in};

/// Turns without a fault after the drawn ones: a sweep that is still open then is lost.
const PATIENCE: usize = 3;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Told {
    pub turns: usize,
    pub aborts: usize,
    pub grants: usize,
    pub requests: usize,
    pub outcomes: HashMap<&'static str, usize>,
    pub lifted: usize,
    pub called_off: usize,
}

/// Carries out what a seed means. The error is the sentence that says what was false or lost.
pub async fn one(seed: u64) -> Result<Told, String> {
    let story = Story::draw(seed);
    match tokio::time::timeout(Duration::from_secs(60), tell(seed, &story)).await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(error)) => Err(format!("{error}\n{story:?}")),
        Err(_) => Err(format!("it does not end\n{story:?}")),
    }
}

async fn tell(seed: u64, story: &Story) -> Result<Told, String> {
    let mut ground = Ground::new(seed, story).await?;
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let state = dir.path().join("state");
    let place = ground.place("admin", &state, story.confirm_ms)?;
    let plan = plan(&ground, story, &place).await?;
    ground.planned =
        plan.grants.iter().map(|pair| (pair.member_id.to_string(), pair.connected_app_id.to_string())).collect();
    let file = dir.path().join("plan.json");
    std::fs::write(&file, plan.bytes()).map_err(|error| error.to_string())?;
    let former = ground.control("policy", &json!({})).await?;
    ground.faults(&story.nature).await?;

    let mut run = Run { judge: Judge::new(&ground, story.confirm_ms), ground, place, told: Told::default() };
    run.told.grants = plan.grants.len();
    let apply = |canary: bool| Work::Apply {
        plan: file.clone(),
        canary,
        at_once: story.at_once,
        block_last: story.block == Some(Order::Last),
    };
    let clean = Turn::default();
    let mut stand = None;
    let turns = story.turns.iter().chain(std::iter::repeat_n(&clean, PATIENCE));
    for (number, turn) in turns.enumerate() {
        let end;
        // Where members consent again at once, the first few never go well.
        (end, stand) = run.turn(turn, apply(story.canary && number < story.turns.len()), &state).await?;
        let closed = stand.as_ref().is_some_and(|stand| stand.closed);
        match end {
            // At rest and open: something is not known, and may be sent again by the next.
            End::AtRest | End::PolicyChanged | End::Cancelled | End::Stopped(_) | End::Died => {}
            End::CarriedOut if closed || stand.as_ref().is_some_and(|stand| stand.cancelled) => {}
            other => return Err(format!("turn {number} ended as {other:?}, and the sweep stands as {stand:?}")),
        }
        if closed {
            break;
        }
        if number == 0 && story.intruder && stand.is_some() {
            run.intrude(apply(false), &state, story).await?;
        }
    }
    let stand = stand.ok_or("no sweep was begun")?;
    let open = |outcome: &Outcome| *outcome == Outcome::Unknown;
    if !stand.closed
        && !stand.cancelled
        && (stand.lines.iter().any(|(_, outcome, _)| open(outcome)) || !stand.outcomes.contains_key(&Outcome::Hidden))
    {
        return Err(format!("it does not close: {stand:?}"));
    }
    run.nothing_lost(&stand).await?;

    if let Some(turns) = &story.lift
        && stand.blocked
    {
        run.lift(turns, &state, &former).await?;
    }
    if let Some(ms) = story.confirm_ms {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        run.turn(&clean, Work::Tend, &state).await?;
    }
    for (outcome, count) in &stand.outcomes {
        *run.told.outcomes.entry(outcome.name()).or_default() += *count as usize;
    }
    run.told.called_off += usize::from(stand.cancelled);
    run.told.requests = run.ground.ledger().await?["revocations"].as_array().map_or(0, Vec::len);
    run.ground.sandbox.stop().await;
    Ok(run.told)
}

/// The plan of the story, made by the desk as somebody would.
async fn plan(ground: &Ground, story: &Story, place: &Place) -> Result<PlanFile, String> {
    let journal = Journal::open(&place.state).map_err(|error| error.to_string())?;
    let mut options = options(None);
    options.timeouts.total = Duration::from_secs(10);
    let desk = Desk::new(Arc::new(journal), options);
    sign_in(&desk, place).await?;
    desk.read_inventory(&|_| {}).await.map_err(|error| format!("the inventory: {error:?}"))?;
    let now = jiff::Timestamp::now();
    let mut refused = String::new();
    // What is drawn may be the vendor's own alone; a plan of nothing cannot be made.
    for first_party in [story.first_party, true] {
        let made = match &story.plan {
            Plan::Apps(picks) => {
                let pick = |at: &usize| ConnectedAppId::from(ground.apps[at % ground.apps.len()].as_str());
                let apps: BTreeSet<ConnectedAppId> = picks.iter().map(pick).collect();
                if story.block.is_some() {
                    let keep = ground.apps.iter().map(|app| ConnectedAppId::from(app.as_str()));
                    let keep = keep.filter(|app| !apps.contains(app)).collect();
                    let decisions = Decisions { keep, leave_out: BTreeSet::new() };
                    let apps: Vec<ConnectedAppId> = apps.into_iter().collect();
                    let made = desk.propose_containment(&apps, &decisions, first_party, None, now).await;
                    made.map(|containment| containment.proposal.file)
                } else {
                    let selection = Selection {
                        noun: Noun::Apps,
                        fold: false,
                        all: false,
                        filter: Filter::default(),
                        ids: apps.into_iter().map(RowId::App).collect::<HashSet<_>>(),
                    };
                    let made = desk.propose(&What::Selected(selection), first_party, None, now).await;
                    made.map(|proposal| proposal.file)
                }
            }
            Plan::Pairs(picks) => {
                let pair = |at: &usize| {
                    let (member, app) = &ground.grants[at % ground.grants.len()];
                    PlanPair {
                        member_id: MemberId::from(member.as_str()),
                        connected_app_id: ConnectedAppId::from(app.as_str()),
                    }
                };
                let pairs = What::Pairs(picks.iter().map(pair).collect());
                desk.propose(&pairs, first_party, None, now).await.map(|proposal| proposal.file)
            }
        };
        match made {
            Ok(file) => return Ok(file),
            Err(error) => refused = format!("no plan: {error:?}"),
        }
    }
    Err(refused)
}

struct Run {
    judge: Judge,
    ground: Ground,
    place: Place,
    told: Told,
}

impl Run {
    /// One start of the program under its faults, with others at work; then the judgement.
    async fn turn(&mut self, turn: &Turn, work: Work, state: &Path) -> Result<(End, Option<Stand>), String> {
        self.ground.heal().await?;
        let orders = Orders {
            place: self.place.clone(),
            work,
            looks: turn.looks,
            abort_at: turn.abort_at,
            wish_at: turn.wish_at,
        };
        let mut child = Child::start(&orders).await?;
        self.ground.faults(&turn.faults).await?;
        child.go().await?;
        let end = {
            let ground = &mut self.ground;
            let others = async {
                let begun = tokio::time::Instant::now();
                let mut acts = turn.others.clone();
                acts.sort_by_key(|(at, _)| *at);
                let mut healed = false;
                for (at, act) in acts {
                    if !healed && at >= turn.until_ms {
                        tokio::time::sleep_until(begun + Duration::from_millis(turn.until_ms)).await;
                        ground.faults(&[passing_faults_end()]).await?;
                        healed = true;
                    }
                    tokio::time::sleep_until(begun + Duration::from_millis(at)).await;
                    ground.act(act).await?;
                }
                if !healed {
                    tokio::time::sleep_until(begun + Duration::from_millis(turn.until_ms)).await;
                    ground.faults(&[passing_faults_end()]).await?;
                }
                std::future::pending::<Result<(), String>>().await
            };
            tokio::select! {
                end = child.end() => end?,
                Err(error) = others => return Err(error),
            }
        };
        self.told.turns += 1;
        self.told.aborts += usize::from(end == End::Died);
        if end == End::Died && turn.abort_at.is_none() {
            return Err("the process died, and nobody asked it to".to_owned());
        }
        let lags = turn.faults.iter().filter_map(|fault| fault["read_lag_ms"].as_i64());
        let stand = self.judge.look(&self.ground, state, lags.max().unwrap_or(0)).await?;
        Ok((end, stand))
    }

    /// Another admin tries to go on with the sweep, and is refused.
    async fn intrude(&mut self, apply: Work, state: &Path, story: &Story) -> Result<(), String> {
        let mine = std::mem::replace(&mut self.place, self.ground.place("reader", state, story.confirm_ms)?);
        // By when they arrived: what an earlier turn sent may be carried out late, in this one.
        let arrived = |ledger: &Value| {
            let calls = ledger["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
            calls.iter().filter(|call| call["path"].as_str().is_some_and(|path| path.ends_with("/revoke"))).count()
        };
        let before = arrived(&self.ground.ledger().await?);
        let (end, _) = self.turn(&Turn::default(), apply, state).await?;
        self.place = mine;
        let after = arrived(&self.ground.ledger().await?);
        match end {
            End::NotYours | End::CarriedOut if before == after => Ok(()),
            end => Err(format!("another member went on with the sweep: {end:?}, {} requests", after - before)),
        }
    }

    /// Nothing that was planned is lost: it ended, or the sweep says that and why it did not.
    async fn nothing_lost(&self, stand: &Stand) -> Result<(), String> {
        let answered = answered(&self.ground, &self.ground.ledger().await?)?;
        if stand.lines.len() != self.ground.planned.len() {
            return Err(format!("{} outcomes for {} grants", stand.lines.len(), self.ground.planned.len()));
        }
        for (pair, outcome, attempts) in &stand.lines {
            let lives = self.ground.sandbox.lives(&pair.0, &pair.1);
            let ended = lives.first().is_some_and(|(_, end)| end.is_some());
            let fits = match outcome {
                Outcome::Revoked | Outcome::Accepted | Outcome::StillThere => ended && answered.contains(pair),
                Outcome::AlreadyGone | Outcome::MemberGone => ended,
                // Said to have been refused, or called off before its turn.
                Outcome::Denied => *attempts > 0,
                Outcome::Failed => *attempts > 0 || stand.cancelled,
                // A second request was answered that there is no such grant, and so it would be for any that the policy hides:
                // nobody can tell until the block is lifted. Where the sweep was called off meanwhile, nobody sends again either, and
                // it may live unseen: that is what the word says.
                Outcome::Hidden => *attempts > 0 && (ended || stand.cancelled),
                Outcome::Unknown => stand.cancelled,
            };
            if !fits {
                return Err(format!(
                    "{pair:?} is {outcome:?} after {attempts} attempts in the end, and lived {lives:?}"
                ));
            }
        }
        Ok(())
    }

    /// Lifts the block, through faults and then without, and looks whether the policy is what it was.
    async fn lift(&mut self, turns: &[Turn], state: &Path, former: &Value) -> Result<(), String> {
        let clean = Turn::default();
        let mut last = End::Died;
        for (number, turn) in turns.iter().chain(std::iter::repeat_n(&clean, PATIENCE)).enumerate() {
            let over_changes = self.ground.policy_touched;
            (last, _) = self.turn(turn, Work::Lift { over_changes }, state).await?;
            match last {
                End::Lifted if number >= turns.len() => break,
                End::Lifted | End::Died | End::Stopped(_) | End::Cancelled => {}
                // Somebody changed it while it was being lifted.
                End::PolicyChanged if self.ground.policy_touched => {}
                other => return Err(format!("the lifting ended as {other:?}")),
            }
        }
        if last != End::Lifted {
            return Err(format!("the block cannot be lifted: {last:?}"));
        }
        let now = self.ground.control("policy", &json!({})).await?;
        if !self.ground.policy_touched && now != *former {
            return Err(format!("the policy was {former} and is {now} after the block was lifted"));
        }
        self.told.lifted += 1;
        Ok(())
    }
}

/// Ends what a turn began with. What makes a session die or lose its role stays: a dead session does not come back.
fn passing_faults_end() -> Value {
    json!({
        "latency_ms": null, "rate_limit_after": null, "server_error_share": null, "reset_before_commit_share": null,
        "reset_after_commit_share": null, "body": null, "redirect_to": null, "silence_s": null, "read_lag_ms": null,
        "late_commit_ms": null, "views_disagree": null, "deleted_member_listed": null, "sdk_endpoint_off": null,
        "bad_row": null,
    })
}

/// The program in a process of its own.
struct Child {
    process: tokio::process::Child,
    orders: tokio::process::ChildStdin,
    says: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Child {
    async fn start(orders: &Orders) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let program = std::env::current_exe().map_err(text)?;
        let mut process = tokio::process::Command::new(program)
            .arg("turn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(text)?;
        let mut stdin = process.stdin.take().ok_or("no standard input")?;
        let says = BufReader::new(process.stdout.take().ok_or("no standard output")?).lines();
        let orders = serde_json::to_string(orders).map_err(|error| error.to_string())?;
        stdin.write_all(format!("{orders}\n").as_bytes()).await.map_err(text)?;
        let mut child = Self { process, orders: stdin, says };
        match child.says.next_line().await.map_err(text)?.as_deref() {
            Some("ready") => Ok(child),
            other => Err(format!("the process did not get ready: {other:?}")),
        }
    }

    async fn go(&mut self) -> Result<(), String> {
        self.orders.write_all(b"go\n").await.map_err(|error| error.to_string())
    }

    async fn end(&mut self) -> Result<End, String> {
        let said = self.says.next_line().await.map_err(|error| error.to_string())?;
        let status = self.process.wait().await.map_err(|error| error.to_string())?;
        match said {
            Some(said) => serde_json::from_str(&said).map_err(|error| format!("{said}: {error}")),
            // An abort is no exit: only a signal has no code.
            None if status.code().is_none() => Ok(End::Died),
            None => Err(format!("the process ended with {status} and said nothing")),
        }
    }
}

//! One start of the program, in a process of its own, so that it can really die: it signs in, waits for the word to go, does its
//! work and says what came of it. Orders come on standard input, since a process's arguments are seen by everybody.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cutoff::connections::Draft;
use cutoff::contain::Lift;
use cutoff::plan_file::{PlanFile, Unusable};
use cutoff::policy::Refused;
use cutoff::sign_in::Step as SignInStep;
use cutoff::sweep::engine::{Ended, Progress};
use cutoff::sweep::{Observer, Wish};
use cutoff::sweeps::{Apply, SweepReport};
use cutoff::{Desk, Error, Options};
use journal::Journal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use vault::{Trouble, Vault};

use crate::story;

/// Where the sandbox is, who is to sign in, and where the state lies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub url: String,
    pub control: String,
    pub public_token: String,
    pub organization_id: String,
    pub email: String,
    pub state: PathBuf,
    pub confirm_ms: Option<u64>,
}

/// What one start is to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Orders {
    pub place: Place,
    pub work: Work,
    /// The inventory is read before, as the window and `cutoff contain` do: only so is it known which apps were listed.
    pub looks: bool,
    pub abort_at: Option<u32>,
    pub wish_at: Option<(u32, story::Wish)>,
}

/// The work of a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// Carries the plan in this file out, or on.
    Apply { plan: PathBuf, canary: bool, at_once: usize, block_last: bool },
    /// Lifts the block of the one sweep there is.
    Lift { over_changes: bool },
    /// Does what time has made due.
    Tend,
}

/// How a turn ended, in a word that the judge knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Everything is at rest.
    AtRest,
    /// Stopped for a reason that a later turn may lift: `halted`, `session_ended`, `paused`, `canary_died`, `signed_out`, `not_allowed`.
    Stopped(String),
    /// Somebody called it off.
    Cancelled,
    /// The policy was not the one planned with: nothing is sent, now or later.
    PolicyChanged,
    /// It was carried out before.
    CarriedOut,
    /// Only who began it may go on.
    NotYours,
    /// The block is taken back, or nothing of it was left.
    Lifted,
    /// The process died of its own hand.
    Died,
    /// Anything else is a fault of ours.
    Wrong(String),
}

/// The options of every desk here: pauses short, the rest as it ships.
pub fn options(confirm_ms: Option<u64>) -> Options {
    let ms = Duration::from_millis;
    let mut options = Options::new(Vault::memory(Trouble::Missing));
    options.pace.rereads = [8, 16, 32, 64].map(ms).to_vec();
    options.rules.still_there_after = options.pace.rereads.iter().sum();
    options.pace.between_attempts = ms(8);
    options.pace.window = ms(1000);
    options.pace.jitter = ms(20);
    options.pace.network = [5, 10, 20, 40].map(ms).to_vec();
    options.reading.window = ms(1000);
    options.reading.jitter = ms(20);
    options.timeouts.connect = ms(1000);
    options.timeouts.total = ms(350);
    if let Some(confirm) = confirm_ms {
        options.rules.confirm_after = ms(confirm);
    }
    options
}

/// Signs in, more than once where the machine is so busy that an answer comes too late: this is not what is tried here.
pub async fn sign_in(desk: &Desk, place: &Place) -> Result<(), String> {
    let mut last = Ok(());
    for _ in 0..10 {
        last = sign_in_once(desk, place).await;
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Signs in with the code from the inbox, as a person would.
async fn sign_in_once(desk: &Desk, place: &Place) -> Result<(), String> {
    let told = |what: &str, error: Error| format!("{what}: {error:?}");
    let draft =
        Draft { public_token: place.public_token.clone(), base_url: Some(place.url.clone()), ..Draft::default() };
    let connection = desk.add_connection(&draft).await.map_err(|error| told("the connection", error))?;
    desk.send_code(connection.id, &place.email).await.map_err(|error| told("sending a code", error))?;
    let inbox = reqwest::get(format!("{}/inbox", place.control)).await.map_err(|error| error.to_string())?;
    let inbox: Value = serde_json::from_slice(&inbox.bytes().await.map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    let letters = inbox.as_array().ok_or("no inbox")?;
    let letter = letters.iter().rev().find(|letter| letter["to"] == *place.email).ok_or("no letter")?;
    let code = letter["code"].as_str().ok_or("no code")?;
    let step = desk.check_code(code).await.map_err(|error| told("the code", error))?;
    if let SignInStep::ChooseOrganization(_) = step {
        desk.choose_organization(&place.organization_id).await.map_err(|error| told("the organization", error))?;
    }
    Ok(())
}

/// The process of a turn.
pub fn process() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = std::io::stdin().lock().lines();
    let orders: Orders = serde_json::from_str(&lines.next().ok_or("no orders")??)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let say = |what: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{what}").and_then(|()| out.flush())
    };
    let desk = Desk::new(Arc::new(Journal::open(&orders.place.state)?), options(orders.place.confirm_ms));
    runtime.block_on(sign_in(&desk, &orders.place))?;
    if orders.looks {
        // Read or not: what the sweep makes of it is its own affair.
        let _ = runtime.block_on(desk.read_inventory(&|_| {}));
    }
    say("ready")?;
    lines.next().ok_or("no word to go")??;
    let end = runtime.block_on(work(&desk, &orders));
    say(&serde_json::to_string(&end)?)?;
    Ok(())
}

async fn work(desk: &Desk, orders: &Orders) -> End {
    let (wish, wished) = watch::channel(Wish::Run);
    let steps = AtomicU32::new(0);
    let (abort_at, wish_at) = (orders.abort_at, orders.wish_at);
    let observer: Observer = Arc::new(move |_| {
        let step = steps.fetch_add(1, Ordering::SeqCst) + 1;
        if abort_at == Some(step) {
            // Not a dropped future: nothing is tidied up, and nothing more is written.
            std::process::abort();
        }
        match wish_at {
            Some((at, story::Wish::Pause)) if at == step => wish.send_replace(Wish::Pause),
            Some((at, story::Wish::Cancel)) if at == step => wish.send_replace(Wish::Cancel),
            _ => Wish::Run,
        };
    });
    let progress = watch::Sender::new(Progress::default());
    match &orders.work {
        Work::Apply { plan, canary, at_once, block_last } => {
            let plan = std::fs::read(plan).map_err(|error| error.to_string());
            let plan = match plan.and_then(|bytes| PlanFile::read(&bytes).map_err(|error| error.to_string())) {
                Ok(plan) => plan,
                Err(error) => return End::Wrong(error),
            };
            let how = Apply {
                resume: true,
                canary: *canary,
                concurrency: Some(*at_once),
                block_last: *block_last,
                ..Apply::default()
            };
            end_of(desk.apply(&plan, &how, wished, progress, Some(&observer)).await)
        }
        Work::Lift { over_changes } => {
            let id = match desk.sweeps().await {
                Ok(sweeps) if sweeps.len() == 1 => sweeps[0].id,
                other => return End::Wrong(format!("the sweeps: {other:?}")),
            };
            match desk.lift(id, &Lift { over_changes: *over_changes }, wished, progress, Some(&observer)).await {
                Ok(lifted) if lifted.not_lifted => End::Stopped("not_lifted".to_owned()),
                Ok(_) => End::Lifted,
                Err(error) => end_of(Err(error)),
            }
        }
        Work::Tend => match desk.tend(jiff::Timestamp::now()).await {
            Ok(()) => End::AtRest,
            Err(error) => End::Wrong(format!("{error:?}")),
        },
    }
}

fn end_of(done: Result<SweepReport, Error>) -> End {
    let stopped = |word: &str| End::Stopped(word.to_owned());
    match done {
        Ok(report) => match report.ended {
            Some(Ended::AtRest) => End::AtRest,
            Some(Ended::SessionEnded(_)) => stopped("session_ended"),
            Some(Ended::Paused) => stopped("paused"),
            Some(Ended::Cancelled) => End::Cancelled,
            Some(Ended::Halted(_)) => stopped("halted"),
            Some(Ended::CanaryDied { .. }) => stopped("canary_died"),
            None => End::Wrong("a run without an end".to_owned()),
        },
        Err(Error::Plan(Unusable::CarriedOut)) => End::CarriedOut,
        Err(Error::PolicyChanged(_)) => End::PolicyChanged,
        Err(Error::Plan(Unusable::OtherMember)) => End::NotYours,
        // The list of apps had a row that nobody can read: nothing is made of a part of it.
        Err(Error::Block(Refused::IncompleteList)) => stopped("incomplete_list"),
        // Apps were connected since the plan was made.
        Err(Error::Block(Refused::NotAsDecided(_))) => End::PolicyChanged,
        Err(Error::SignedOut { .. }) => stopped("signed_out"),
        Err(Error::NotAllowed(_)) => stopped("not_allowed"),
        // Before anything was sent: what a lifting reads first could not be read.
        Err(Error::Api(_)) => stopped("api"),
        Err(error) => End::Wrong(format!("{error:?}")),
    }
}

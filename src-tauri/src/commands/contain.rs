//! Containment: looked at app by app, decided, made into a plan with a block; and the lifting of such a block.

use std::collections::BTreeSet;

use contract::contain as wire;
use contract::contain::{ContainLook, ContainRows, LiftLook, Lifted};
use contract::plans::Plan;
use contract::refusal::{Fault, Field, Refusal};
use cutoff::Desk;
use cutoff::contain::{Containment, Lift};
use cutoff::policy::{Decisions, Fate, Refused, differences};
use stytch_b2b::ConnectedAppId;
use tauri::State;
use uuid::Uuid;

use super::{Reply, indicators, plans, sweeps};
use crate::Shell;
use crate::map::contain::{self as map, Look};
use crate::map::refusal;
use crate::sweeping::Shown;

/// Apps that the page may name.
const MOST_APPS: usize = 200;
/// Nobody types a longer text to find one.
const LONGEST_TEXT: usize = 4_096;

async fn apps(shell: &Shell, what: wire::ContainWhat) -> Reply<BTreeSet<ConnectedAppId>> {
    let apps: BTreeSet<ConnectedAppId> = match what {
        wire::ContainWhat::Apps { connected_app_ids } if connected_app_ids.len() > MOST_APPS => {
            return Err(Refusal::BadInput { field: Field::Query, fault: Fault::TooLong });
        }
        wire::ContainWhat::Apps { connected_app_ids } => {
            connected_app_ids.iter().map(|id| ConnectedAppId::from(id.as_str())).collect()
        }
        wire::ContainWhat::Group { group } => {
            let shown = shell.desk()?.shown().await.map_err(refusal)?;
            let picture = &shown.picture;
            let found = picture.groups.iter().find(|known| known.id == group);
            let apps = found.into_iter().flat_map(|group| &group.apps);
            apps.map(|&at| picture.apps[at as usize].id.clone()).collect()
        }
        wire::ContainWhat::Found { finding, look_alikes } => {
            indicators::found(shell, &finding)?.findings.apps(look_alikes).into_iter().collect()
        }
    };
    if apps.is_empty() {
        return Err(Refusal::BadInput { field: Field::ConnectedAppId, fault: Fault::Unknown });
    }
    Ok(apps)
}

async fn propose(
    desk: &Desk,
    apps: &BTreeSet<ConnectedAppId>,
    decisions: &Decisions,
    first_party: bool,
    reason: Option<String>,
) -> Result<Containment, cutoff::Error> {
    let apps: Vec<ConnectedAppId> = apps.iter().cloned().collect();
    desk.propose_containment(&apps, decisions, first_party, reason, desk.now()).await
}

/// What a containment would be. Reads the policy and changes nothing.
#[tauri::command(rename_all = "snake_case")]
pub async fn contain_look(shell: State<'_, Shell>, what: wire::ContainWhat, first_party: bool) -> Reply<ContainLook> {
    let desk = shell.desk()?;
    let session = desk.session().map_err(refusal)?;
    let apps = apps(&shell, what).await?;
    let inventory = desk.shown().await.map_err(refusal)?;
    let mut undecided = BTreeSet::new();
    let made = match propose(desk, &apps, &Decisions::default(), first_party, None).await {
        Err(cutoff::Error::Block(Refused::Undecided(rows))) => {
            let open = rows.into_iter().filter(|row| row.fate == Fate::Undecided);
            undecided.extend(open.map(|row| row.app.id));
            // Shown as if they all stayed allowed; what becomes of each is decided before anything is planned.
            let kept = Decisions { keep: undecided.clone(), ..Decisions::default() };
            propose(desk, &apps, &kept, first_party, None).await
        }
        made => made,
    }
    .map_err(refusal)?;
    let look = Look { apps, first_party, change: made.change.clone(), undecided, inventory };
    let name = Uuid::new_v4().to_string();
    let look = shell.looks.keep(name.clone(), look);
    Ok(map::look(name, &look, &made, &session))
}

/// A window of the apps of a look.
#[tauri::command(rename_all = "snake_case")]
pub async fn contain_rows(shell: State<'_, Shell>, look: String, query: wire::ContainQuery) -> Reply<ContainRows> {
    if query.text.len() > LONGEST_TEXT || query.fates.len() > 64 {
        return Err(Refusal::BadInput { field: Field::Query, fault: Fault::TooLong });
    }
    let look = shell.looks.get(&look).ok_or_else(map::not_kept)?;
    Ok(map::rows(&look, &query))
}

/// The plan of a containment that was looked at, with a decision for each app that needs one. Sends nothing; `sweep_start` carries
/// it out.
#[tauri::command(rename_all = "snake_case")]
pub async fn contain_make(
    shell: State<'_, Shell>,
    look: String,
    decisions: Vec<wire::ContainDecision>,
    reason: Option<String>,
) -> Reply<Plan> {
    let desk = shell.desk()?;
    let reason = plans::checked(reason)?;
    let look = shell.looks.get(&look).ok_or_else(map::not_kept)?;
    let (mut apps, mut decided) = (look.apps.clone(), Decisions::default());
    for decision in decisions {
        let id = ConnectedAppId::from(decision.connected_app_id.as_str());
        if !look.undecided.contains(&id) {
            return Err(Refusal::BadInput { field: Field::ConnectedAppId, fault: Fault::Unknown });
        }
        match decision.choice {
            wire::ContainChoice::Keep => decided.keep.insert(id),
            wire::ContainChoice::Block => apps.insert(id),
            wire::ContainChoice::LeaveOut => decided.leave_out.insert(id),
        };
    }
    let made = propose(desk, &apps, &decided, look.first_party, reason).await;
    let made = made.map_err(|error| map::refusal(error, Some(&look.inventory)))?;
    let differs = differences(&look.change.before, &made.change.before);
    if !differs.is_empty() {
        return Err(map::refusal(cutoff::Error::PolicyChanged(differs), Some(&look.inventory)));
    }
    plans::show(&shell, Shown { proposal: made.proposal, opened: None }).await
}

/// What lifting the block of a sweep would be. Reads the policy and changes nothing.
#[tauri::command(rename_all = "snake_case")]
pub async fn lift_look(shell: State<'_, Shell>, sweep_id: String) -> Reply<LiftLook> {
    let id = sweeps::id_of(&sweep_id)?;
    sweeps::digest(&shell, id).await?;
    let desk = shell.desk()?;
    let session = desk.session().map_err(refusal)?;
    let view = desk.look_at_lift(id).await.map_err(elsewhere)?;
    let inventory = desk.shown().await.ok();
    let look = map::lift(id.to_string(), &view, inventory.as_deref(), &session);
    shell.lifts.keep(id.to_string(), view.now);
    Ok(look)
}

/// Lifts the block of a sweep, reads its grants again, and answers how it then stands. `lift_look` must have shown the policy as it
/// still is; `over_changes` takes back only what the block did where somebody has changed the policy since the block.
#[tauri::command(rename_all = "snake_case")]
pub async fn lift(shell: State<'_, Shell>, sweep_id: String, over_changes: bool) -> Reply<Lifted> {
    let id = sweeps::id_of(&sweep_id)?;
    sweeps::digest(&shell, id).await?;
    let desk = shell.desk()?;
    shell.sweeping.free()?;
    let seen = shell.lifts.get(&id.to_string()).ok_or_else(map::not_kept)?;
    let view = desk.look_at_lift(id).await.map_err(elsewhere)?;
    let inventory = desk.shown().await.ok();
    let differs = differences(&seen, &view.now);
    if !differs.is_empty() {
        return Err(map::refusal(cutoff::Error::PolicyChanged(differs), inventory.as_deref()));
    }
    let lifted = shell.sweeping.lift(desk.clone(), id, Lift { over_changes }).await?;
    let picture = inventory.as_ref().map(|inventory| &*inventory.picture);
    Ok(Lifted {
        sweep: sweeps::sweep(&shell, id).await?,
        differs: map::differences(&lifted.differs, picture),
        not_lifted: lifted.not_lifted,
        nothing_to_lift: lifted.nothing_to_lift,
    })
}

fn elsewhere(error: cutoff::Error) -> Refusal {
    match error {
        cutoff::Error::PlanChanged => Refusal::Plan { fault: "elsewhere".to_owned() },
        other => refusal(other),
    }
}

//! What carrying a plan out would do, told before anybody says yes: from its file, and where there is a session beside what is there
//! now. It sends nothing but reads.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use cutoff::activity::{Resume, Stand};
use cutoff::inventory::picture::Picture;
use cutoff::kept_plan::{Compared, PolicyNow};
use cutoff::plan_file::{Pair, PlanFile};
use cutoff::policy::{Block, Kind, State};
use journal::SweepId;
use serde::Serialize;
use stytch_b2b::ConnectedAppId;

use crate::ending::{Ending, api, differing};
use crate::next::command;
use crate::plan::risks;
use crate::seat::Seat;
use crate::text::{cut, safe};
use crate::told::{Printer, count, utc_of};
use crate::{reading, say};

/// Apps and grants that are named one by one; after that many, a number stands for the others.
pub const MOST: usize = 20;

/// A plan on a line.
#[derive(Serialize)]
struct Line<'a> {
    plan_hash: String,
    organization_id: &'a str,
    environment: &'a str,
    author_member_id: &'a str,
    created_at: &'a str,
    expires_at: &'a str,
    reason: Option<&'a str>,
    grants: usize,
    /// How many of them a fresh read lists, and how many it does not; `None` where nothing was read, or a sweep of it was begun.
    listed_now: Option<usize>,
    not_listed_now: Option<usize>,
    members: usize,
    /// `None` where nobody is signed in there.
    organization_name: Option<&'a str>,
    /// The sweep that it was begun with.
    sweep_id: Option<String>,
    carried_out: bool,
    apps: Vec<App<'a>>,
    policy: Option<Policy<'a>>,
    /// By how long the reading took; `None` where nothing was read.
    estimate_ms: Option<u64>,
    compared: Option<Beside<'a>>,
}

#[derive(Serialize)]
struct App<'a> {
    connected_app_id: &'a str,
    name: Option<&'a str>,
    grants: usize,
}

#[derive(Serialize)]
struct Policy<'a> {
    from: &'a State,
    to: &'a State,
    forbids: Vec<ConnectedAppId>,
    kept: usize,
}

/// The plan beside what is there now.
#[derive(Serialize)]
struct Beside<'a> {
    vanished: &'a [Pair],
    appeared: &'a [Pair],
    beside: u32,
    never_seen: &'a [Pair],
    own: u32,
    privileged: u32,
    first_party: u32,
}

/// Shows a plan, and answers how looking at it ends: what keeps whoever looks from carrying it out, or how they say yes. `again`: how
/// an unfinished sweep of it is gone on with.
///
/// # Errors
/// When the output takes no more, or the journal cannot be read.
pub async fn show(seat: &Seat, file: &PlanFile, again: &str) -> Result<Ending, Ending> {
    let compared = match compare(seat, file).await {
        Ok(compared) => Some(compared),
        Err(ending) => {
            say(&format!("Not compared with what is there now. {}", ending.sentence));
            None
        }
    };
    let begun = match seat.desk.sweep_of_plan(&file.hash()).await? {
        Some(id) => Some(seat.desk.digest(id).await?),
        None => None,
    };
    let over = begun.as_ref().is_some_and(|sweep| matches!(sweep.stand, Stand::Closed | Stand::Cancelled));
    if let Some(compared) = compared.as_ref().filter(|_| begun.is_none()) {
        // Those that are new since are among those that are not in it.
        let older = (compared.beside as usize).saturating_sub(compared.appeared.len());
        differ(&compared.vanished, &compared.appeared, older);
        crate::plan::never_seen(&compared.proposal.never_seen);
        match &compared.policy {
            None => {}
            Some(PolicyNow::Read(differs)) if differs.is_empty() => {}
            Some(PolicyNow::Read(differs)) => say(&format!(
                "The policy is not what the plan was made for, and carrying it out would stop there: {}.",
                differing(differs)
            )),
            Some(PolicyNow::Unread(error)) => say(&format!(
                "The organization's policy cannot be read, so the block cannot be made, and carrying the plan out would stop there. {}",
                api(error).sentence
            )),
        }
        risks(&compared.proposal);
    }
    let denied = compared.as_ref().and_then(|compared| compared.proposal.denied.clone());
    let listed = compared.as_ref().filter(|_| begun.is_none()).map(|compared| compared.proposal.listed as usize);
    let ending = match (&begun, denied) {
        (Some(sweep), _) if over => carried_out(seat, sweep.id).await?,
        (_, Some(denied)) => cutoff::Error::NotAllowed(Box::new(denied)).into(),
        (Some(sweep), None) => match seat.desk.may_go_on(sweep).await {
            Ok(held @ (Resume::OtherMember | Resume::TooOld)) => {
                crate::apply::left_behind(seat, sweep.id, held == Resume::TooOld).await?
            }
            _ => Ending::usage(crate::apply::goes_on(again)),
        },
        (None, None) => Ending::usage(crate::contain::would(seat, file, listed)),
    };
    let shown = seat.desk.shown().await.ok().filter(|_| compared.is_some());
    let picture = shown.as_deref().map(|shown| &*shown.picture);
    let mut apps: BTreeMap<&ConnectedAppId, usize> = BTreeMap::new();
    for pair in &file.grants {
        *apps.entry(&pair.connected_app_id).or_default() += 1;
    }
    let estimate = picture.and_then(|picture| cutoff::sweeps::estimate(file.grants.len(), picture));
    let members = file.grants.iter().map(|pair| &pair.member_id).collect::<HashSet<_>>().len();
    let organization = organization_name(seat, file);
    let mut printer = Printer::new(seat.json);
    if seat.json {
        let apps = apps.iter().map(|(id, grants)| App {
            connected_app_id: id.as_str(),
            name: name(picture, id),
            grants: *grants,
        });
        printer.line(&Line {
            plan_hash: file.hash().to_string(),
            organization_id: &file.organization_id,
            environment: &file.environment,
            author_member_id: &file.author_member_id,
            created_at: &file.created_at,
            expires_at: &file.expires_at,
            reason: file.reason.as_deref(),
            grants: file.grants.len(),
            listed_now: listed,
            not_listed_now: listed.map(|listed| file.grants.len() - listed),
            apps: apps.collect(),
            members,
            organization_name: organization.as_deref(),
            sweep_id: begun.as_ref().map(|sweep| sweep.id.to_string()),
            carried_out: over,
            policy: file.block.as_ref().map(|block| Policy {
                from: &block.before,
                to: &block.after,
                forbids: block.forbidden_apps().into_iter().map(|(id, _)| id).collect(),
                kept: kept(block),
            }),
            estimate_ms: estimate.map(|estimate| u64::try_from(estimate.as_millis()).unwrap_or(u64::MAX)),
            compared: compared.as_ref().map(|compared| Beside {
                vanished: &compared.vanished,
                appeared: &compared.appeared,
                beside: compared.beside,
                never_seen: &compared.proposal.never_seen,
                own: compared.proposal.own,
                privileged: compared.proposal.privileged,
                first_party: compared.proposal.first_party,
            }),
        })?;
        printer.done()?;
        return Ok(ending);
    }
    printer.text(&format!("Plan {}", file.hash()))?;
    printer.text(&format!(
        "  for the organization {} ({}) at {}",
        organization_called(seat, file),
        safe(&file.environment).to_uppercase(),
        safe(&file.host)
    ))?;
    let (created, expires) = (utc_of(&file.created_at), utc_of(&file.expires_at));
    printer.text(&format!("  made {created}, as it says by {}; good until {expires}", safe(&file.author_member_id)))?;
    printer.text(&format!("  reason: {}", file.reason.as_deref().map_or_else(|| "none was given".to_owned(), safe)))?;
    let called = |id: &ConnectedAppId| match name(picture, id) {
        Some(name) => format!("{} ({})", cut(&safe(name), 60), safe(id.as_str())),
        None => safe(id.as_str()),
    };
    if let Some(block) = &file.block {
        // From the policy as it was: what is told as a difference is what the plan would change.
        let differs = cutoff::policy::differences(&block.before, &block.after);
        if differs.is_empty() {
            printer.text("The policy forbids its apps already and stays as it is.")?;
        } else {
            printer.text(&format!("The policy would be changed: {}.", differing(&differs)))?;
        }
        let forbidden = block.forbidden_apps();
        for (id, kind) in forbidden.iter().take(MOST) {
            let whose = match kind {
                Some(Kind::FirstParty) => " (the vendor's own)",
                Some(Kind::ThirdParty) => "",
                None => " (whose it is was not known: in both parts of the policy)",
            };
            let listed = match picture {
                Some(picture) if picture.app(id).is_none() => ", in no list of this organization",
                _ => "",
            };
            printer.text(&format!("  forbidden: {}{whose}{listed}", called(id)))?;
        }
        if forbidden.len() > MOST {
            printer.text(&format!("  forbidden: {} more", forbidden.len() - MOST))?;
        }
        printer.text(&format!("  {} by name", count(kept(block), "app stays allowed", "apps stay allowed")))?;
    }
    match file.grants.len() {
        _ if begun.is_some() => {}
        0 => printer.text("Nothing would be revoked: the plan has no grants.")?,
        grants => {
            let seen = crate::contain::seen_now(grants, listed).map_or_else(String::new, |seen| format!(", {seen}"));
            printer.text(&format!(
                "{} of {} would be revoked{seen}:",
                count(grants, "grant", "grants"),
                count(members, "member", "members")
            ))?;
        }
    }
    if let Some(sweep) = &begun {
        let gone: u32 = sweep.outcomes.iter().filter(|(outcome, _)| outcome.is_gone()).map(|(_, n)| n).sum();
        printer.text(&format!(
            "{}: {gone} of its {} gone by a later read.",
            if over { "It was carried out" } else { "Its sweep is unfinished" },
            count(file.grants.len(), "grant is", "grants are")
        ))?;
    }
    for (id, grants) in apps.iter().take(MOST) {
        printer.text(&format!("{grants:>7}  {}", called(id)))?;
    }
    if apps.len() > MOST {
        printer.text(&format!("         and those of {}", count(apps.len() - MOST, "more app", "more apps")))?;
    }
    if let Some(estimate) = estimate.filter(|_| !file.grants.is_empty() && begun.is_none()) {
        printer.text(&pace(estimate))?;
    }
    printer.done()?;
    Ok(ending)
}

/// How long a sweep would take.
pub fn pace(estimate: Duration) -> String {
    format!("By the pace of the reading that takes about {} s.", estimate.as_secs().max(1))
}

/// The name of a plan's organization, if one is signed in there.
fn organization_name(seat: &Seat, file: &PlanFile) -> Option<String> {
    let known = seat.desk.session().ok()?.state().organization;
    (known.organization_id.as_str() == file.organization_id).then_some(known.organization_name)
}

/// An organization by name, if it is known, and id.
pub fn organization_called(seat: &Seat, file: &PlanFile) -> String {
    let id = safe(&file.organization_id);
    match organization_name(seat, file).map(|name| cut(&safe(&name), 60)).filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} ({id})"),
        None => id,
    }
}

/// What is said of a plan that a sweep was begun with and that is over.
///
/// # Errors
/// When the journal cannot be read.
pub async fn carried_out(seat: &Seat, id: SweepId) -> Result<Ending, Ending> {
    let rest = crate::apply::plan_of_rest(seat, id).await?;
    let rest =
        rest.map_or_else(String::new, |rest| format!("\nMake a new plan of what is left of it with: {}", rest.command));
    let id = id.to_string();
    let look = command(&["log", &id]);
    Ok(Ending::usage(format!(
        "This plan was carried out already, by the sweep {id}. Nothing was sent. See what became of it: {look}{rest}"
    )))
}

/// Says what a fresh read lists otherwise than the plan, and names it. `older`: grants of its apps that are not in it and not new.
pub fn differ(vanished: &[Pair], appeared: &[Pair], older: usize) {
    for (pairs, one, many) in [
        (vanished, "of its grants is not in its app's list now", "of its grants are not in their apps' lists now"),
        (
            appeared,
            "grant of its apps is new since it was made, and not in it",
            "grants of its apps are new since it was made, and not in it",
        ),
    ] {
        if pairs.is_empty() {
            continue;
        }
        say(&format!("{}:", count(pairs.len(), one, many)));
        name_pairs(pairs.iter());
    }
    if older > 0 {
        say(&format!(
            "{}.",
            count(older, "other grant of its apps is not in it", "other grants of its apps are not in it")
        ));
    }
}

/// Names grants one by one, as far as that goes.
pub fn name_pairs<'a>(pairs: impl ExactSizeIterator<Item = &'a Pair>) {
    let more = pairs.len().saturating_sub(MOST);
    for pair in pairs.take(MOST) {
        say(&format!("  {} of {}", safe(pair.connected_app_id.as_str()), safe(pair.member_id.as_str())));
    }
    if more > 0 {
        say(&format!("  and {more} more."));
    }
}

async fn compare(seat: &Seat, file: &PlanFile) -> Result<Compared, Ending> {
    seat.sit().await?;
    reading::read(seat).await?;
    Ok(seat.desk.compare_plan(file.clone(), seat.now()).await?)
}

/// Apps that the policy allows by name once the block is in force.
fn kept(block: &Block) -> usize {
    let of = |word: &str, list: &[String]| if word == "RESTRICTED" { list.len() } else { 0 };
    let after = &block.after;
    of(&after.first_party, &after.allowed_first_party) + of(&after.third_party, &after.allowed_third_party)
}

fn name<'a>(picture: Option<&'a Picture>, id: &ConnectedAppId) -> Option<&'a str> {
    let picture = picture?;
    Some(picture.apps[picture.app(id)? as usize].name.as_str()).filter(|name| !name.is_empty())
}

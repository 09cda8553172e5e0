//! `cutoff plan`: what would be revoked, counted and written to a file. It reads, and revokes nothing.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use cutoff::activity::Stand;
use cutoff::inventory::filter::Filter;
use cutoff::inventory::picture::{Cause, Picture};
use cutoff::inventory::selection::{Noun, Selection};
use cutoff::permission::Denial;
use cutoff::plan_file::{Pair, PlanFile, Unusable};
use cutoff::sweeps::{Proposal, What};
use serde::Serialize;
use stytch_b2b::{ConnectedAppId, MemberId};

use crate::ending::{DENIED, DONE, Ending, PARTIAL};
use crate::flags::{Filters, Plan};
use crate::lists::{filter, fresh_enough};
use crate::next::command;
use crate::seat::Seat;
use crate::text::safe;
use crate::told::{Printer, are, count, missing_of, utc_of};
use crate::{Done, indicators, say};

/// Grants that are named one by one; after that many, a number stands for the others.
const MOST: usize = 20;

/// Makes a plan and writes its file.
///
/// # Errors
/// Why there is none; then no file was made.
pub async fn run(seat: &Seat, flags: &Plan) -> Done {
    if flags.out.as_ref().is_some_and(|out| out.exists()) {
        return Err(Ending::usage(
            "The file named by --out is there already. Name another: a plan is never written over.",
        ));
    }
    if let Some(file) = &flags.indicators {
        return indicators::run(seat, flags, file).await;
    }
    flags.failed_of.as_deref().map(crate::log::sweep_id).transpose()?;
    seat.sit().await?;
    let shown = fresh_enough(seat, flags.max_age).await?;
    let what = if let Some(sweep) = &flags.failed_of {
        What::Pairs(rest_of(seat, sweep).await?)
    } else if flags.grant.is_empty() {
        for wanted in &flags.app {
            if let Some(hidden) = crate::contain::hidden_now(seat, &shown.picture, wanted).await? {
                return Err(hidden);
            }
        }
        let filters = Filters {
            app: flags.app.clone(),
            member: flags.member.clone(),
            filter: flags.matching.clone(),
            ..Filters::default()
        };
        let filter = filter(seat, &filters, &shown)?;
        What::Selected(Selection { noun: Noun::Grants, fold: false, all: true, filter, ids: HashSet::new() })
    } else {
        What::Pairs(flags.grant.iter().map(|text| pair(text)).collect::<Result<_, _>>()?)
    };
    if let What::Selected(Selection { filter, .. }) = &what
        && *filter == Filter::default()
    {
        return Err(Ending::usage(
            "That would be every grant of the organization. Say which: --app, --member, --grant or --match.",
        ));
    }
    let chosen = |app: &ConnectedAppId| match &what {
        What::Pairs(pairs) => pairs.iter().any(|pair| pair.connected_app_id == *app),
        What::Selected(Selection { filter, .. }) => filter.apps.contains(app),
    };
    let made = make(seat, flags, &what).await;
    let unlisted = match &what {
        What::Pairs(pairs) if made.is_ok() => unlisted(&shown.picture, pairs),
        _ => DONE,
    };
    // Also where nothing was left to plan: what a list lacks is no proof that there is nothing.
    let incomplete = missing_of(seat, &shown.picture, &chosen);
    let code = made?;
    Ok([code, unlisted, incomplete].into_iter().find(|code| *code != DONE).unwrap_or(DONE))
}

/// The grants of a sweep that another request may still help.
async fn rest_of(seat: &Seat, sweep: &str) -> Result<Vec<Pair>, Ending> {
    let id = crate::log::sweep_id(sweep)?;
    let left = seat.desk.rest_of(id).await.map_err(|error| match error {
        cutoff::Error::Plan(Unusable::Elsewhere) => {
            Ending::usage("That sweep was in another organization, project or host than the one signed in to.")
        }
        other => crate::log::no_such_sweep(other),
    })?;
    if left.is_empty() {
        return Err(Ending::usage(
            "Every grant of that sweep is gone by a later read, or its revoke was answered and only a read can tell more: nothing is \
             left to plan.",
        ));
    }
    if !matches!(seat.desk.digest(id).await?.stand, Stand::Closed | Stand::Cancelled) {
        say(&format!(
            "That sweep is unfinished. Where it can be gone on with, that is the better way. See: {}",
            command(&["log", sweep])
        ));
    }
    Ok(left)
}

/// Says which of the grants that were named the inventory does not list, and answers the code to end with.
fn unlisted(picture: &Picture, pairs: &[Pair]) -> u8 {
    let listed = |pair: &&Pair| picture.grant(&pair.member_id, &pair.connected_app_id).is_some();
    let others: Vec<&Pair> = pairs.iter().filter(|pair| !listed(pair)).collect();
    if others.is_empty() {
        return DONE;
    }
    say(&format!(
        "The inventory does not list {} of {}:",
        others.len(),
        count(pairs.len(), "grant that was named", "grants that were named")
    ));
    for pair in others.iter().take(MOST) {
        let why = match (picture.member(&pair.member_id), picture.app(&pair.connected_app_id)) {
            (None, None) => "neither the member nor the app is listed",
            (None, Some(_)) => "the member is not listed",
            (Some(_), None) => "the app is not listed",
            (Some(_), Some(_)) => "the member has no grant to the app",
        };
        say(&format!("  {}:{}, {why}", safe(pair.member_id.as_str()), safe(pair.connected_app_id.as_str())));
    }
    if others.len() > MOST {
        say(&format!("  and {} more.", others.len() - MOST));
    }
    say(
        "They are in the plan all the same. Look at how they are written; carrying it out reads again before anything is sent.",
    );
    PARTIAL
}

/// Makes the plan of what is meant, writes its file and tells of it. The code says what the plan itself lacks.
///
/// # Errors
/// Why there is none; then no file was made.
pub async fn make(seat: &Seat, flags: &Plan, what: &What) -> Done {
    let Some(out) = &flags.out else { return Ok(DONE) };
    let proposal = seat.desk.propose(what, flags.first_party, flags.reason.clone(), seat.now()).await.map_err(|error| {
        match error {
            cutoff::Error::Plan(cutoff::plan_file::Unusable::Grants) => Ending::usage(
                "Nothing is left to revoke: no grant matches, or all of them are of the vendor's own apps (take those in with \
                 --first-party). No plan was written.",
            ),
            other => other.into(),
        }
    })?;
    write(out, &proposal.file).map_err(|error| {
        Ending::usage(format!(
            "The plan could not be written: {error}. Nothing was sent; name another file with --out."
        ))
    })?;
    tell(seat, &proposal, out)?;
    if let Some(denied) = &proposal.denied {
        say(&not_yours(denied));
        return Ok(DENIED);
    }
    let plan = out.display().to_string();
    say(&format!("Look at it with: {}", command(&["apply", &plan])));
    say(&format!("Carry it out with: {}", command(&["apply", &plan, "--yes"])));
    Ok(if proposal.lost > 0 { PARTIAL } else { DONE })
}

/// What is said of a plan to somebody who may not carry it out.
pub fn not_yours(denied: &Denial) -> String {
    let told = Ending::from(cutoff::Error::NotAllowed(Box::new(denied.clone())));
    format!("Carrying the plan out takes somebody who may. {}", told.sentence)
}

/// Says which grants of a plan need a second thought: those of the vendor's own apps, one's own, and those of administrators.
pub fn risks(proposal: &Proposal) {
    for (n, one, many) in [
        (
            proposal.first_party,
            "of them is to one of the vendor's own apps: its command line or mobile app may stop working",
            "of them are to the vendor's own apps: its command line or mobile app may stop working",
        ),
        (proposal.own, "of them is your own", "of them are your own"),
    ] {
        if n > 0 {
            say(&format!("{}.", are(n, one, many)));
        }
    }
    privileged(proposal);
}

/// Says how many grants of a plan are those of administrators, and of how many.
fn privileged(proposal: &Proposal) {
    let of = count(proposal.privileged_members as usize, "administrator", "administrators");
    match proposal.privileged {
        0 => {}
        1 => say("1 of them is an administrator's, and goes first."),
        n => say(&format!("{n} of them are those of {of}, and go first.")),
    }
}

/// A plan's facts on a line.
#[derive(Serialize)]
struct Line<'a> {
    plan_hash: String,
    out: String,
    grants: usize,
    apps: u32,
    members: u32,
    first_party: u32,
    first_party_left_out: u32,
    own: u32,
    privileged: u32,
    never_seen: usize,
    /// Grants to its apps that an earlier reading had, that are in no list now, and of which nothing bears out that they are gone.
    not_borne_out: u32,
    organization_id: &'a str,
    expires_at: &'a str,
}

/// How many grants to the apps of a plan a list that was cut short may have kept out of it, as far as earlier readings tell.
fn not_borne_out(proposal: &Proposal) -> u32 {
    let apps: HashSet<&ConnectedAppId> = proposal.file.grants.iter().map(|pair| &pair.connected_app_id).collect();
    let cut = proposal.missing.iter().filter(|missing| missing.cause == Cause::CutShort);
    cut.filter(|missing| missing.what.app().is_some_and(|app| apps.contains(app))).map(|missing| missing.rows).sum()
}

fn tell(seat: &Seat, proposal: &Proposal, out: &Path) -> Result<(), Ending> {
    let file = &proposal.file;
    let mut printer = Printer::new(seat.json);
    if seat.json {
        printer.line(&Line {
            plan_hash: file.hash().to_string(),
            out: out.display().to_string(),
            grants: file.grants.len(),
            apps: proposal.apps,
            members: proposal.members,
            first_party: proposal.first_party,
            first_party_left_out: proposal.first_party_left_out,
            own: proposal.own,
            privileged: proposal.privileged,
            never_seen: proposal.never_seen.len(),
            not_borne_out: not_borne_out(proposal),
            organization_id: &file.organization_id,
            expires_at: &file.expires_at,
        })?;
    } else {
        printer.text(&format!(
            "{} of {} to {}.",
            count(file.grants.len(), "grant", "grants"),
            count(proposal.members as usize, "member", "members"),
            count(proposal.apps as usize, "app", "apps"),
        ))?;
        printer.text(&format!("Plan {}, good until {}.", file.hash(), utc_of(&file.expires_at)))?;
    }
    printer.done()?;
    for (n, one, many) in [
        (
            proposal.first_party_left_out,
            "grant of the vendor's own apps was left out, since its command line or mobile app may need it; take it in with \
             --first-party",
            "grants of the vendor's own apps were left out, since its command line or mobile app may need them; take them in with \
             --first-party",
        ),
        (
            proposal.lost,
            "of what was named is not in the inventory any more",
            "of what was named are not in the inventory any more",
        ),
    ] {
        if n > 0 {
            say(&format!("{}.", are(n, one, many)));
        }
    }
    risks(proposal);
    Ok(())
}

/// Names grants that no reading here ever had: that such a one is gone would say nothing.
pub fn never_seen(pairs: &[Pair]) {
    if pairs.is_empty() {
        return;
    }
    say(&format!(
        "{} unknown: never seen here, by no reading of this journal. Whether there ever was such a grant is not known; are the ids \
         right?",
        count(pairs.len(), "grant is", "grants are")
    ));
    crate::preview::name_pairs(pairs.iter());
}

fn pair(text: &str) -> Result<Pair, Ending> {
    match text.split_once(':') {
        Some((member, app)) if !member.is_empty() && !app.is_empty() => {
            Ok(Pair { member_id: MemberId::from(member), connected_app_id: ConnectedAppId::from(app) })
        }
        _ => Err(Ending::usage("--grant takes the member's id and the app's, with a colon between: MEMBER:APP")),
    }
}

/// A new file that is nobody else's to read: it names members.
///
/// # Errors
/// When there is one of that name already, or it cannot be written.
pub fn write(path: &Path, plan: &PlanFile) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(&plan.bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

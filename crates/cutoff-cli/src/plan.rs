//! `cutoff plan`: what would be revoked, counted and written to a file. It reads, and revokes nothing.

use std::io::Write as _;
use std::path::Path;

use cutoff::inventory::filter::Filter;
use cutoff::inventory::selection::{Noun, Selection};
use cutoff::plan_file::{Pair, PlanFile};
use cutoff::sweeps::{Proposal, What};
use serde::Serialize;
use stytch_b2b::{ConnectedAppId, MemberId};

use crate::ending::{DENIED, DONE, Ending, PARTIAL};
use crate::flags::{Filters, Plan};
use crate::lists::{filter, fresh_enough};
use crate::seat::Seat;
use crate::told::{Printer, count, missing};
use crate::{Done, indicators, say};

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
    seat.sit().await?;
    let shown = fresh_enough(seat, flags.max_age).await?;
    let what = if flags.grant.is_empty() {
        let filters = Filters {
            app: flags.app.clone(),
            member: flags.member.clone(),
            filter: flags.matching.clone(),
            ..Filters::default()
        };
        let filter = filter(&filters, &shown)?;
        What::Selected(Selection {
            noun: Noun::Grants,
            fold: false,
            all: true,
            filter,
            ids: std::collections::HashSet::new(),
        })
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
    let code = make(seat, flags, &what).await?;
    let incomplete = missing(&shown.picture);
    Ok(if code == DONE { incomplete } else { code })
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
        let told = Ending::from(cutoff::Error::NotAllowed(Box::new(denied.clone())));
        say(&format!("The plan was written, and you cannot carry it out yourself. {}", told.sentence));
        return Ok(DENIED);
    }
    Ok(if proposal.lost > 0 { PARTIAL } else { DONE })
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
    organization_id: &'a str,
    expires_at: &'a str,
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
        printer.text(&format!("Plan {}, good until {}.", file.hash(), file.expires_at))?;
    }
    printer.done()?;
    let notes = [
        (
            proposal.first_party_left_out,
            "of the vendor's own apps were left out, since its command line or mobile app may need them; take them in with --first-party",
        ),
        (proposal.first_party, "are of the vendor's own apps: its command line or mobile app may stop working"),
        (proposal.own, "are your own"),
        (proposal.privileged, "are of administrators, and go first"),
        (proposal.lost, "of what was named are not in the inventory any more"),
    ];
    for (n, words) in notes {
        if n > 0 {
            say(&format!("{n} {words}."));
        }
    }
    Ok(())
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

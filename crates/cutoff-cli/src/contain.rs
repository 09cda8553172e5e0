//! `cutoff contain`: blocks apps in the organization's policy and revokes every grant they have, as one plan. What is changed and
//! in which order is the mind's.

use std::collections::BTreeSet;

use cutoff::activity::Stand;
use cutoff::contain::Containment;
use cutoff::indicators::client_id;
use cutoff::inventory::filter::{Filter, folded};
use cutoff::inventory::picture::{Cause, Missing, Picture};
use cutoff::inventory::selection::{Noun, Selection};
use cutoff::permission::change_organization;
use cutoff::plan_file::{Pair, PlanFile, Unusable};
use cutoff::policy::{Change, Decisions, Fate, Kind, Listed, Refused, Row, Unlisted};
use cutoff::sweep::beside::{Unseen, WhyUnseen};
use cutoff::sweeps::{Apply, BlockStand, Proposal, SweepReport, What};
use journal::SweepId;
use stytch_b2b::ConnectedAppId;

use crate::apply::{carry_out, end, finish, how_again, kept, refused, sweeps_of};
use crate::ending::{DENIED, DONE, Ending, PARTIAL, api};
use crate::export::Place;
use crate::flags::{Choice, Contain};
use crate::lists::apps_called;
use crate::next::{command, new_plan, this_run_with};
use crate::plan::{not_yours, risks};
use crate::seat::Seat;
use crate::text::safe;
use crate::told::{are, count, sentence, utc, utc_of};
use crate::{Done, reading, say};

/// Why the vendor's own apps are not blocked unasked.
const VENDORS: &str = "Those are the vendor's own apps: its command line or mobile app may need them. Nothing was sent. If that is meant, add \
                       --first-party:";
/// Ids and apps that are named one by one; after that many, a number stands for the others.
const MOST: usize = 20;

/// Blocks and revokes.
///
/// # Errors
/// Why nothing was sent, or why it is not known what became of it.
pub async fn run(seat: &Seat, flags: &Contain) -> Done {
    seat.sit().await?;
    let how = Apply {
        resume: flags.resume.is_some(),
        canary: flags.canary,
        ask_anyway: false,
        concurrency: flags.concurrency.map(usize::from),
        block_last: flags.block_last,
    };
    let (mut unseen, mut listed) = (false, None);
    let file = match &flags.resume {
        Some(sweep) => {
            let id = crate::log::sweep_id(sweep)?;
            let file = kept(seat, id).await?;
            if !flags.yes {
                may_go_on(seat, id).await?;
            }
            file
        }
        None => {
            // An allowlist is made of what is there now.
            reading::read(seat).await?;
            let (proposal, change) = propose(seat, flags).await?;
            let picture = &seat.desk.shown().await?.picture;
            show(picture, &proposal, change.as_ref());
            listed = Some(proposal.listed as usize);
            unseen = proposal
                .missing
                .iter()
                .any(|missing| beside(picture, missing) || unseen_of(picture, &proposal, missing));
            match (&proposal.denied, &change) {
                // Whoever may not revoke does nothing here, so nothing is to be foretold.
                (Some(denied), _) if flags.out.is_none() => {
                    return Err(cutoff::Error::NotAllowed(Box::new(denied.clone())).into());
                }
                (None, Some(change)) if !change.is_empty() => foretell(seat, !proposal.file.grants.is_empty())?,
                _ => {}
            }
            if let Some(out) = &flags.out {
                crate::plan::write(out, &proposal.file).map_err(|error| {
                    Ending::usage(format!(
                        "The plan could not be written: {error}. Nothing was sent; name another file with --out."
                    ))
                })?;
                say(&format!("The plan is written. Its hash is {}.", proposal.file.hash()));
                let plan = out.display().to_string();
                say(&format!("Look at it with: {}", command(&["apply", &plan])));
                if let Some(denied) = &proposal.denied {
                    say(&not_yours(denied));
                    return Ok(DENIED);
                }
                say(&format!("Carry it out with: {}", command(&["apply", &plan, "--yes"])));
                // A plan without a block, or of what could not all be seen, is not all that was asked for.
                return Ok(if change.is_none() || unseen { PARTIAL } else { DONE });
            }
            proposal.file
        }
    };
    if !flags.yes {
        return Err(Ending::usage(would(seat, &file, listed)));
    }
    // Before anything is sent: evidence that cannot be written is no reason to find out afterwards.
    let place = flags.evidence.as_deref().map(Place::take).transpose()?;
    let before = sweeps_of(seat, &file).await?;
    // A plan that was made just now has no sweep until it is begun.
    let go_on = |id: Option<SweepId>| id.map_or_else(|| command(&["log"]), |id| again(flags, &id.to_string()));
    let report = match carry_out(seat, &file, &how, &go_on).await {
        Ok(report) => report,
        Err(ending) => return Err(refused(seat, &file, &before, place, ending).await),
    };
    finish(seat, &report, place).await?;
    let code = end(seat, &report, &again(flags, &report.id.to_string())).await?;
    if file.block.is_none() {
        say("Nothing was blocked: members can consent again.");
        // Gone, and free to come back, is not all that was asked for.
        return Ok(if code == DONE { PARTIAL } else { code });
    }
    Ok(if code == DONE && unseen { PARTIAL } else { code })
}

/// Whether something is missing beside what the inventory itself lacks: of the own view of an app that no list has.
fn beside(picture: &Picture, missing: &Missing) -> bool {
    !picture.facts.missing.contains(missing)
}

/// Whether an app that is blocked may have grants that are neither listed nor in the plan.
fn unseen_of(picture: &Picture, proposal: &Proposal, missing: &Missing) -> bool {
    let of = |app: &ConnectedAppId| blocked(proposal, app) && picture.app(app).is_some();
    // Of a list that was cut short and whose every grant is borne out, nothing is unseen.
    missing.what.app().is_some_and(of) && (missing.cause != Cause::CutShort || missing.rows > 0)
}

fn blocked(proposal: &Proposal, app: &ConnectedAppId) -> bool {
    proposal.file.block.as_ref().is_some_and(|block| block.apps.contains(app))
}

/// How to go on with it.
fn again(flags: &Contain, sweep: &str) -> String {
    let how = how_again(flags.canary, flags.concurrency, flags.evidence.as_deref());
    let words = ["contain", "--resume", sweep, "--yes"].into_iter().chain(how.iter().map(String::as_str));
    command(&words.collect::<Vec<_>>())
}

/// Whether a sweep sends nothing more: it was carried out, or called off.
///
/// # Errors
/// When the journal cannot be read.
pub async fn is_over(seat: &Seat, id: SweepId) -> Result<bool, Ending> {
    Ok(matches!(seat.desk.digest(id).await?.stand, Stand::Closed | Stand::Cancelled))
}

/// Says, before a sweep is gone on with, that its block does not stand any more, where it was made once: nobody makes it anew by going
/// on.
///
/// # Errors
/// When the sweep is over: nothing is left to go on with. When the journal cannot be read.
pub async fn may_go_on(seat: &Seat, id: SweepId) -> Result<(), Ending> {
    if is_over(seat, id).await? {
        return Err(crate::preview::carried_out(seat, id).await?);
    }
    let digest = seat.desk.digest(id).await?;
    let Some(policy) = digest.policy.as_ref().filter(|policy| policy.at.is_some()) else { return Ok(()) };
    let at = policy.at.as_deref().map_or_else(String::new, |at| format!(" at {}", utc_of(at)));
    let became = match policy.stand() {
        BlockStand::Lifted => format!("was lifted{at}, and members can consent again"),
        BlockStand::Theirs if policy.lifted => {
            format!("was lifted{at}; the policy forbids its apps by another change than this sweep's")
        }
        BlockStand::NotInForce => "is not in force any more by the last read of the policy".to_owned(),
        _ => return Ok(()),
    };
    say(&format!("The block of this sweep {became}. Going on with it revokes what is left and does not block again."));
    Ok(())
}

/// How many of the grants of a plan are listed now, if not all are.
pub fn seen_now(grants: usize, listed: Option<usize>) -> Option<String> {
    let listed = listed.filter(|listed| *listed < grants)?;
    Some(match listed {
        0 if grants == 1 => "which is not listed now".to_owned(),
        0 => "none of which is listed now".to_owned(),
        _ => format!("of which {} now and {} not", count(listed, "is listed", "are listed"), grants - listed),
    })
}

/// What carrying a plan out would do, in one sentence, and how to say yes to it. `listed`: how many of its grants are listed now, where
/// somebody looked.
pub fn would(seat: &Seat, file: &PlanFile, listed: Option<usize>) -> String {
    let seen = seen_now(file.grants.len(), listed).map_or_else(String::new, |seen| format!(" ({seen})"));
    let grants = count(file.grants.len(), "grant", "grants") + &seen;
    let does = match &file.block {
        Some(_) if file.grants.is_empty() => "change the policy and revoke nothing".to_owned(),
        Some(block) if block.before != block.after => format!("change the policy and revoke {grants}"),
        _ => format!("revoke {grants}"),
    };
    format!(
        "This would {does} in the organization {}. Nothing was sent. If that is meant, add --yes: {}",
        crate::preview::organization_called(seat, file),
        this_run_with(&["--yes"])
    )
}

/// The plan, and its change of the policy; without one where the policy cannot even be read: the grants are revoked all the same.
async fn propose(seat: &Seat, flags: &Contain) -> Result<(Proposal, Option<Change>), Ending> {
    let shown = seat.desk.shown().await?;
    let picture = &shown.picture;
    let gone = seat.desk.not_listed_now(picture).await?;
    let mut apps = BTreeSet::new();
    for wanted in &flags.app {
        apps.extend(named(picture, &gone, wanted)?);
    }
    for wanted in &flags.look_alikes_of {
        for id in named(picture, &gone, wanted)? {
            let group = picture.app(&id).and_then(|at| picture.apps[at as usize].group);
            apps.insert(id);
            let group = group.and_then(|group| picture.groups.get(group as usize));
            let alike = group.iter().flat_map(|group| &group.apps);
            apps.extend(alike.map(|&at| picture.apps[at as usize].id.clone()));
        }
    }
    let ids = |ids: &[String]| ids.iter().map(|id| ConnectedAppId::from(id.as_str())).collect();
    let mut decisions = Decisions { keep: ids(&flags.keep), leave_out: ids(&flags.leave_out) };
    if let Some(both) = apps.iter().find(|app| decisions.keep.contains(app) || decisions.leave_out.contains(app)) {
        return Err(Ending::usage(format!(
            "{} cannot be blocked and kept, or left out, at once. Nothing was sent.",
            safe(both.as_str())
        )));
    }
    let apps: Vec<ConnectedAppId> = apps.into_iter().collect();
    let propose = async |decisions: &Decisions| {
        seat.desk.propose_containment(&apps, decisions, flags.first_party, flags.reason.clone(), seat.now()).await
    };
    let mut proposed = propose(&decisions).await;
    if let (Err(cutoff::Error::Block(Refused::Undecided(rows))), Some(choice)) = (&proposed, flags.unlisted) {
        let ids = rows.iter().filter(|row| row.fate == Fate::Undecided && row.app.unlisted.is_some());
        match choice {
            Choice::Keep => &mut decisions.keep,
            Choice::LeaveOut => &mut decisions.leave_out,
        }
        .extend(ids.map(|row| row.app.id.clone()));
        proposed = propose(&decisions).await;
    }
    if let Err(cutoff::Error::Api(refused)) = &proposed
        && api(refused).code == DENIED
    {
        say(&format!(
            "The organization's policy cannot be read, so nothing can be blocked, and members can consent again at once. {}",
            api(refused).sentence
        ));
        let swept = seat.desk.propose(&grants_of(&apps), flags.first_party, flags.reason.clone(), seat.now()).await;
        return match swept {
            Ok(proposal) => Ok((proposal, None)),
            Err(cutoff::Error::Plan(Unusable::Grants)) => {
                Err(Ending::new(DENIED, "No grant of those apps is listed either: nothing was sent."))
            }
            Err(other) => Err(other.into()),
        };
    }
    if let Err(cutoff::Error::Block(Refused::Undecided(_))) = &proposed {
        may_it_be(seat, flags, &apps).await?;
    }
    let proposed = proposed.map(|Containment { proposal, change, first_party_left_out }| {
        left_out(&first_party_left_out);
        (proposal, Some(change))
    });
    proposed.map_err(|error| match error {
        // Only the vendor's own are left out, and they are all that was asked for.
        cutoff::Error::Plan(Unusable::Grants) => {
            Ending::usage(format!("{VENDORS} {}", this_run_with(&["--first-party"])))
        }
        cutoff::Error::Block(Refused::AlreadyForbidden { missing, first_party_left_out }) => {
            left_out(&first_party_left_out);
            for missing in &missing {
                say(&sentence(picture, missing));
            }
            // Where everything was seen, nothing is wrong, and nothing is left to do.
            let code = if missing.is_empty() { DONE } else { PARTIAL };
            Ending { code, ..cutoff::Error::Block(Refused::AlreadyForbidden { missing, first_party_left_out }).into() }
        }
        cutoff::Error::Block(Refused::Undecided(rows)) => {
            let open: Vec<&Row> = rows.iter().filter(|row| row.fate == Fate::Undecided).collect();
            for row in &open {
                say(&undecided(picture, row));
            }
            let (unlisted, listed): (Vec<&Row>, Vec<&Row>) = open.iter().partition(|row| row.app.unlisted.is_some());
            let mut words: Vec<&str> = listed.iter().flat_map(|row| ["--DECIDE", row.app.id.as_str()]).collect();
            words.extend((!unlisted.is_empty()).then_some(["--unlisted", "DECIDE"]).into_iter().flatten());
            let unlisted = match unlisted.is_empty() {
                true => "",
                false => ", and the DECIDE of --unlisted to keep or leave-out",
            };
            Ending::usage(format!(
                "Each of those would stay allowed, or silently become forbidden if it is not listed now. Decide for each with --keep ID \
                 (it stays allowed) or --leave-out ID (it is forbidden too, and its grants are left alone), or for all that are not \
                 listed now with --unlisted; or block it as well with --app ID. Nothing was sent.\nIn the following change each \
                 --DECIDE to --keep, --leave-out or --app{unlisted}; as it stands it is refused: {}",
                this_run_with(&words)
            ))
        }
        cutoff::Error::Block(Refused::IncompleteList) => without_block(picture, &apps),
        other => other.into(),
    })
}

/// Why a list of allowed apps is not written, and how the grants of some apps are revoked all the same.
pub fn without_block<'a>(picture: &Picture, apps: impl IntoIterator<Item = &'a ConnectedAppId>) -> Ending {
    let why = Ending::from(cutoff::Error::Block(Refused::IncompleteList)).sentence;
    let listed: Vec<&str> =
        apps.into_iter().filter(|app| picture.app(app).is_some()).map(ConnectedAppId::as_str).collect();
    if listed.is_empty() {
        return Ending::usage(why);
    }
    let file = new_plan("plan", 0);
    let words: Vec<&str> = std::iter::once("plan")
        .chain(listed.into_iter().flat_map(|app| ["--app", app]))
        .chain(["--out", &file])
        .collect();
    Ending::usage(format!(
        "{why}\nIf it stays so, the grants can be revoked without a block, and members can consent again at once. Plan that with: {}\nand \
         then: {}",
        command(&words),
        command(&["apply", &file, "--yes"])
    ))
}

/// Says what keeps somebody from blocking and revoking, before many decisions are asked of them.
///
/// # Errors
/// [`cutoff::Error::NotAllowed`] where nothing would be done.
async fn may_it_be(seat: &Seat, flags: &Contain, apps: &[ConnectedAppId]) -> Result<(), Ending> {
    let swept = seat.desk.propose(&grants_of(apps), flags.first_party, flags.reason.clone(), seat.now()).await;
    let grants = match swept {
        Ok(Proposal { denied: Some(denied), .. }) if flags.out.is_none() => {
            return Err(cutoff::Error::NotAllowed(Box::new(denied)).into());
        }
        Ok(Proposal { denied: Some(denied), .. }) => {
            say(&not_yours(&denied));
            return Ok(());
        }
        swept => swept.is_ok(),
    };
    foretell(seat, grants)
}

/// Every grant of some apps.
fn grants_of(apps: &[ConnectedAppId]) -> What {
    What::Selected(Selection {
        noun: Noun::Grants,
        fold: false,
        all: true,
        filter: Filter { apps: apps.to_vec(), ..Filter::default() },
        ids: std::collections::HashSet::new(),
    })
}

/// Names the vendor's own apps that were asked for and left out.
fn left_out(apps: &BTreeSet<ConnectedAppId>) {
    for app in apps {
        say(&format!("{} is the vendor's own and is left out; take it in with --first-party.", safe(app.as_str())));
    }
}

/// One app that somebody has to decide about: what it is called, and why it is asked.
fn undecided(picture: &Picture, row: &Row) -> String {
    let alike = row.app.like.then_some("looks like one to be blocked");
    if row.app.unlisted.is_some() {
        let why = alike.map_or_else(String::new, |why| format!(", {why}"));
        return format!("{}{why}.", called(picture, &row.app));
    }
    let at = picture.app(&row.app.id);
    let app = at.map(|at| &picture.apps[at as usize]);
    let name = app.map(|app| safe(&app.name)).unwrap_or_default();
    let odd = app.iter().flat_map(|app| &app.odd).map(|odd| odd.kind.word());
    let why: Vec<&str> = alike.into_iter().chain(odd).chain(row.app.new.then_some("new")).collect();
    let grants = picture.grants.iter().filter(|grant| Some(grant.app) == at).count();
    let grants = count(grants, "grant", "grants");
    format!("{} {} ({}, {grants}).", safe(row.app.id.as_str()), crate::text::cut(&name, 60), why.join(", "))
}

/// The apps that are meant: those of the list that are called so, else those that an earlier reading knew so, else the very id.
fn named(picture: &Picture, gone: &[Listed], wanted: &str) -> Result<Vec<ConnectedAppId>, Ending> {
    let found = apps_called(picture, wanted);
    if !found.is_empty() {
        return Ok(found.into_iter().map(|app| app.id.clone()).collect());
    }
    let found: Vec<ConnectedAppId> = known_once(gone, wanted).map(|app| app.id.clone()).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    match client_id(wanted) {
        Some(id) => Ok(vec![id]),
        None => Err(Ending::usage(format!(
            "No connected app in this inventory is called {}, nor was one in an earlier reading, and it is not a client id. Give its \
             whole name, or its id, which can be blocked before anybody has connected it. Nothing was sent.",
            safe(wanted)
        ))),
    }
}

/// Those apps of earlier readings that are called so.
fn known_once<'a>(gone: &'a [Listed], wanted: &'a str) -> impl Iterator<Item = &'a Listed> {
    let name = |app: &Listed| app.unlisted.as_ref().map(|unlisted| folded(&unlisted.name)).unwrap_or_default();
    gone.iter().filter(move |app| app.id.as_str() == wanted || !name(app).is_empty() && name(app) == folded(wanted))
}

/// Why an app of an earlier reading cannot be planned by what is listed now, and what revokes its grants; `None` for one that the policy
/// does not hide.
///
/// # Errors
/// When the journal cannot be read.
pub async fn hidden_now(seat: &Seat, picture: &Picture, wanted: &str) -> Result<Option<Ending>, Ending> {
    if !apps_called(picture, wanted).is_empty() {
        return Ok(None);
    }
    let hidden = |id: &ConnectedAppId| {
        let mut missing = picture.facts.missing.iter();
        missing.any(|missing| missing.cause == Cause::Hidden && missing.what.app() == Some(id))
    };
    let gone = seat.desk.not_listed_now(picture).await?;
    let Some(app) = known_once(&gone, wanted).find(|app| hidden(&app.id)) else { return Ok(None) };
    Ok(Some(Ending::usage(format!(
        "{}: the organization's policy hides it, so there is no list to plan by. Nothing was written. What that reading had is revoked \
         with: {}",
        called(picture, app),
        command(&["contain", "--app", app.id.as_str()])
    ))))
}

/// An app by name and id; of one that the list lacks also what is known of it.
fn called(picture: &Picture, app: &Listed) -> String {
    let listed = picture.app(&app.id).map(|at| picture.apps[at as usize].name.as_str());
    let name = listed.or(app.unlisted.as_ref().map(|unlisted| unlisted.name.as_str())).unwrap_or_default();
    let (name, id) = (crate::text::cut(&safe(name), 60), safe(app.id.as_str()));
    let both = if name.is_empty() { id } else { format!("{name} ({id})") };
    match &app.unlisted {
        None => both,
        Some(Unlisted { known_at: Some(at), .. }) => {
            format!("{both}, known from the reading of {}, not listed now", utc(*at))
        }
        Some(_) => format!("{both}, in no list of this organization's apps"),
    }
}

/// Says what blocking an app means that no list names.
fn beyond(app: &Listed) {
    let Some(unlisted) = &app.unlisted else { return };
    let id = safe(app.id.as_str());
    if unlisted.known_at.is_none() {
        say(&format!("No list of this organization names {id}; the block will forbid this very id."));
        if unlisted.name.is_empty() {
            say(
                "Stytch does not tell of such an app either: a mistyped id would forbid nothing, so compare it with where you have it from.",
            );
        }
    }
    if !unlisted.kind_told {
        say(&match app.kind {
            Some(_) => format!(
                "Nobody tells whether {id} is the vendor's own or a third party's app. It is taken for a third party's; if it is the vendor's \
                 own, this does not forbid it. To forbid it in both parts of the policy, add --first-party: the vendor's own apps are \
                 allowed by list from then on."
            ),
            None => format!(
                "Nobody tells whether {id} is the vendor's own or a third party's app: it is forbidden in both parts of the policy."
            ),
        });
    }
}

/// Says before anything is done that the change of the policy is likely to be refused. It is a guess, and stops nothing: the grants
/// are revoked all the same.
fn foretell(seat: &Seat, grants: bool) -> Result<(), Ending> {
    let needs = change_organization();
    let allowance = seat.desk.session()?.may(needs.clone());
    if allowance.allowed != Some(false) {
        return Ok(());
    }
    let holders: Vec<String> = allowance.roles_that_hold_it.iter().map(|role| safe(role)).collect();
    say(&format!(
        "The block is likely to be refused: your roles do not hold every action on {}, and Stytch names no single one for it. {} Roles that \
         hold it: {}.",
        safe(&needs.resource),
        if grants {
            "The grants are revoked all the same, and members can consent again."
        } else {
            "Then nothing is done."
        },
        if holders.is_empty() { "none".to_owned() } else { holders.join(", ") }
    ));
    Ok(())
}

/// Says what would be done.
fn show(picture: &Picture, proposal: &Proposal, change: Option<&Change>) {
    if proposal.file.grants.is_empty() {
        say("No grant is listed, so nothing would be revoked: only the policy would be changed.");
    } else {
        let grants = proposal.file.grants.len();
        let seen =
            seen_now(grants, Some(proposal.listed as usize)).map_or_else(String::new, |seen| format!(", {seen}"));
        say(&format!(
            "{} of {} to {} would be revoked{seen}.",
            count(grants, "grant", "grants"),
            count(proposal.members as usize, "member", "members"),
            count(proposal.apps as usize, "app", "apps"),
        ));
    }
    if let Some(change) = change {
        for row in change.rows.iter().filter(|row| row.fate == Fate::Blocked) {
            beyond(&row.app);
        }
        if change.is_empty() {
            say("The policy forbids them already, so it stays as it is.");
        }
        policy(picture, change);
    }
    if proposal.first_party_left_out > 0 {
        let (one, many) = (
            "grant of the vendor's own apps was left out; take it in with --first-party",
            "grants of the vendor's own apps were left out; take them in with --first-party",
        );
        say(&format!("{}.", are(proposal.first_party_left_out, one, many)));
    }
    let (views, inventory): (Vec<&Missing>, Vec<&Missing>) =
        proposal.missing.iter().partition(|missing| beside(picture, missing));
    let planned = |app: &ConnectedAppId| {
        blocked(proposal, app) || proposal.file.grants.iter().any(|pair| pair.connected_app_id == *app)
    };
    let of_plan = inventory.iter().filter(|missing| missing.what.app().is_some_and(planned));
    for missing in views.iter().chain(of_plan) {
        say(&sentence(picture, missing));
    }
    if !inventory.is_empty() {
        say(&format!(
            "The inventory is not complete, so grants may be missing from the plan. See: {}",
            command(&["inventory"])
        ));
    }
    risks(proposal);
    let grants = proposal.file.grants.len();
    if let Some(estimate) = cutoff::sweeps::estimate(grants, picture).filter(|_| grants > 0) {
        say(&crate::preview::pace(estimate));
    }
}

fn policy(picture: &Picture, change: &Change) {
    for (fate, words) in [
        (Fate::Blocked, "To be blocked"),
        (Fate::LeftOut, "To be forbidden too, with the grants it has left alone"),
        (Fate::Kept, "Stays allowed"),
    ] {
        // Where no list is written, everything else stays as it is and need not be named.
        let written = |row: &&Row| fate != Fate::Kept || change.writes(row.app.kind);
        let rows: Vec<_> = change.rows.iter().filter(|row| row.fate == fate).filter(written).collect();
        // Each of them: a list that nobody could see whole is one that nobody decided about.
        for row in rows {
            say(&format!("{words}: {}.", called(picture, &row.app)));
        }
    }
    for kind in &change.closes {
        say(&format!(
            "{} are allowed by list from then on: one that nobody has connected yet, or whose grants were all revoked from here, can no longer be connected.",
            match kind {
                Kind::FirstParty => "The vendor's own apps",
                Kind::ThirdParty => "Third-party apps",
            }
        ));
    }
}

/// Says what was done to the policy, and what vanished beyond the plan.
pub fn tell(report: &SweepReport) {
    let Some(policy) = &report.policy else { return };
    let request = policy.request_id.as_ref().map_or_else(String::new, |id| format!(" (request id {})", safe(id)));
    say(&match policy.stand() {
        BlockStand::Theirs => format!(
            "The policy forbids all of it{request}, by another change than this sweep's: nothing of this block is left in it."
        ),
        BlockStand::ForbiddenBefore => {
            "The policy forbids all of it, and did before: nothing was changed, and nothing can be lifted by this sweep.".to_owned()
        }
        BlockStand::InForce => {
            let lift = command(&["lift", &report.id.to_string(), "--yes"]);
            format!("The block is in force{request}. Lift it with: {lift}")
        }
        BlockStand::Lifted => format!("The block is lifted{request}: members can consent again."),
        BlockStand::Unread => format!(
            "The block was sent{request}, and the policy was not read since: whether members can consent is not known. Look at it with: {}",
            command(&["lift", &report.id.to_string()])
        ),
        BlockStand::Denied => format!(
            "The change of the policy was refused{request}: members can consent again. Ask somebody whose role may change the \
             organization's settings."
        ),
        BlockStand::Overtaken => "The block was not made, since the policy had been changed before.".to_owned(),
        BlockStand::NotInForce => format!(
            "The block is not in force{request}: members can consent again. Look at it with: {}",
            command(&["lift", &report.id.to_string()])
        ),
    });
    beside_plan(report.collateral.as_deref(), &report.unseen);
}

/// Says what vanished and is in no plan, and of which apps that could not be seen.
pub fn beside_plan(collateral: Option<&[Pair]>, unseen: &[Unseen]) {
    match collateral {
        Some([]) => {}
        None if unseen.is_empty() => {
            say("Whether grants beside the plan vanished meanwhile was not looked for, or could not be.")
        }
        None => {}
        Some(vanished) => {
            say(&format!("{} vanished meanwhile and in no plan:", count(vanished.len(), "grant", "grants")));
            crate::preview::name_pairs(vanished.iter());
        }
    }
    if unseen.is_empty() {
        return;
    }
    say(&format!("Of {} it could not be seen whether grants in no plan vanished:", count(unseen.len(), "app", "apps")));
    for Unseen { app, why } in unseen.iter().take(MOST) {
        say(&format!(
            "  {}{}",
            safe(app.as_str()),
            match why {
                Some(WhyUnseen::UnknownBefore) => ": the reading before had no grant of it either",
                Some(WhyUnseen::Hidden) => {
                    ": the policy hides it from the lists, and its own view answers that there is no such app"
                }
                Some(WhyUnseen::Unreadable) => ": its own view could not be read, or not whole",
                Some(WhyUnseen::NotBorneOut) => {
                    ": its own view lacks some, and no other list that can be believed bears out that they are gone"
                }
                None => "",
            }
        ));
    }
    if unseen.len() > MOST {
        say(&format!("  and {} more.", unseen.len() - MOST));
    }
}

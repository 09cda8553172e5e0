//! Containment and lifting between the mind's words and the wire's. It moves facts and decides nothing.

use std::collections::BTreeSet;

use contract::connected_apps::AppFace;
use contract::contain as wire;
use contract::refusal::Refusal;
use cutoff::Error;
use cutoff::activity::Digest;
use cutoff::contain::{Containment, LiftView};
use cutoff::inventory::picture::{Picture, What as Lacks};
use cutoff::inventory::shown::Shown as Inventory;
use cutoff::permission::change_organization;
use cutoff::plan_file::Pair;
use cutoff::policy::{self, Block, Change, Difference, Fate, Kind, Listed, Refused, State, Undo, Unlisted};
use cutoff::session::Session;
use cutoff::sweeps::PolicyReport;
use stytch_b2b::{ClientType, ConnectedAppId};

use super::{inventory, number};

/// Apps that are named where nobody pages through them.
const MOST_NAMED: usize = 100;
/// Nobody sees more rows than this at once.
const MOST_ROWS: u32 = 1_000;

/// A containment that was looked at.
pub(crate) struct Look {
    /// The apps that were asked for.
    pub(crate) apps: BTreeSet<ConnectedAppId>,
    /// Whether the vendor's own are among them.
    pub(crate) first_party: bool,
    /// The change, with every undecided app kept.
    pub(crate) change: Change,
    /// The apps that somebody has to decide about.
    pub(crate) undecided: BTreeSet<ConnectedAppId>,
    /// The inventory it was made by.
    pub(crate) inventory: std::sync::Arc<Inventory>,
}

impl Look {
    fn fate(&self, row: &policy::Row) -> wire::ContainFate {
        match row.fate {
            _ if self.undecided.contains(&row.app.id) => wire::ContainFate::Undecided,
            Fate::Blocked => wire::ContainFate::Blocked,
            // Nothing was left out yet: that is decided afterwards.
            Fate::Forbidden | Fate::LeftOut => wire::ContainFate::Forbidden,
            Fate::Kept | Fate::Undecided => wire::ContainFate::Kept,
        }
    }
}

fn kind(kind: Kind) -> wire::AppKind {
    match kind {
        Kind::FirstParty => wire::AppKind::FirstParty,
        Kind::ThirdParty => wire::AppKind::ThirdParty,
    }
}

pub(crate) fn parts(state: &State) -> Vec<wire::PolicyPart> {
    let part = |kind, word: &str, list: &[String]| wire::PolicyPart {
        kind,
        word: word.to_owned(),
        listed: number(list.len()),
    };
    vec![
        part(wire::AppKind::FirstParty, &state.first_party, &state.allowed_first_party),
        part(wire::AppKind::ThirdParty, &state.third_party, &state.allowed_third_party),
    ]
}

/// An app as the inventory has it; one that it does not have, by its id.
pub(crate) fn app_by_id(picture: Option<&Picture>, id: &ConnectedAppId) -> AppFace {
    match picture.and_then(|picture| Some(&picture.apps[picture.app(id)? as usize])) {
        Some(app) => inventory::app_face(app),
        None => super::app_face(id.as_str(), "", "", &ClientType::Other(String::new())),
    }
}

fn named<'a>(picture: Option<&Picture>, ids: impl IntoIterator<Item = &'a ConnectedAppId>) -> Vec<AppFace> {
    ids.into_iter().take(MOST_NAMED).map(|id| app_by_id(picture, id)).collect()
}

pub(crate) fn differences(differs: &[Difference], picture: Option<&Picture>) -> Vec<wire::PolicyDifference> {
    let difference = |differs: &Difference| wire::PolicyDifference {
        kind: kind(differs.kind),
        word_from: differs.word.as_ref().map(|(from, _)| from.clone()),
        word_to: differs.word.as_ref().map(|(_, to)| to.clone()),
        added: named(picture, &differs.added),
        added_total: number(differs.added.len()),
        removed: named(picture, &differs.removed),
        removed_total: number(differs.removed.len()),
    };
    differs.iter().map(difference).collect()
}

/// A refusal, with the names of apps where an inventory is at hand.
pub(crate) fn refusal(error: Error, inventory: Option<&Inventory>) -> Refusal {
    match error {
        Error::PolicyChanged(differs) => {
            let picture = inventory.map(|inventory| &*inventory.picture);
            Refusal::PolicyChanged { differs: differences(&differs, picture) }
        }
        other => super::refusal(other),
    }
}

/// Why no change of the policy can be made.
pub(super) fn refused(refused: Refused) -> Refusal {
    if matches!(refused, Refused::NotAsDecided(_)) {
        return super::refusal(Error::Plan(cutoff::plan_file::Unusable::Block));
    }
    let (fault, ids): (_, Vec<ConnectedAppId>) = match refused {
        Refused::IncompleteList => ("incomplete_list", Vec::new()),
        Refused::Undecided(rows) => {
            let open = rows.into_iter().filter(|row| row.fate == Fate::Undecided);
            ("undecided", open.map(|row| row.app.id).collect())
        }
        Refused::NotListed(ids) => ("not_listed", ids),
        Refused::AlreadyForbidden { missing, first_party_left_out } if missing.is_empty() => {
            ("already_forbidden", first_party_left_out.into_iter().collect())
        }
        Refused::AlreadyForbidden { missing, .. } => {
            let views = missing.into_iter().filter_map(|missing| match missing.what {
                Lacks::App(id) | Lacks::AppRows(id) => Some(id),
                Lacks::Names | Lacks::MemberRows | Lacks::ListRows => None,
            });
            ("already_forbidden_unread", views.collect())
        }
        Refused::NothingBlocked | Refused::NotAsDecided(_) => ("nothing_blocked", Vec::new()),
        Refused::UnknownKind(id) => ("unknown_kind", vec![id]),
        Refused::UnknownWord(_) => ("unknown_word", Vec::new()),
    };
    let app_ids = ids.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    Refusal::Block { fault: fault.to_owned(), app_ids }
}

/// A look that is not kept any more.
pub(crate) fn not_kept() -> Refusal {
    Refusal::Block { fault: "not_kept".to_owned(), app_ids: Vec::new() }
}

fn block_denied(session: &Session, unchanged: bool) -> Option<contract::refusal::Denial> {
    let needs = change_organization();
    let denied = !unchanged && session.may(needs.clone()).allowed == Some(false);
    denied.then(|| super::denial(session.denial(Some(needs), None, false)))
}

pub(crate) fn look(name: String, look: &Look, made: &Containment, session: &Session) -> wire::ContainLook {
    let (proposal, change) = (&made.proposal, &look.change);
    let picture = &look.inventory.picture;
    let unchanged = change.is_empty();
    let count = |fate| number(change.rows.iter().filter(|row| look.fate(row) == fate).count());
    use wire::ContainFate::{Blocked, Forbidden, Kept, Undecided};
    wire::ContainLook {
        look: name,
        organization_name: session.state().organization.organization_name,
        environment: super::connection(&session.connection).environment,
        before: parts(&change.before),
        after: parts(&change.after),
        unchanged,
        closes: change.closes.iter().copied().map(kind).collect(),
        fates: [Blocked, Undecided, Kept, Forbidden].map(|fate| wire::FateCount { fate, apps: count(fate) }).to_vec(),
        apps: count(Blocked),
        grants: number(proposal.file.grants.len()),
        members: proposal.members,
        unlisted: change
            .rows
            .iter()
            .filter(|row| row.fate == Fate::Blocked)
            .filter_map(|row| unlisted(&row.app))
            .collect(),
        first_party_left_out: number(made.first_party_left_out.len()),
        own: proposal.own,
        privileged: proposal.privileged,
        missing: proposal.missing.iter().map(|missing| inventory::missing(missing, picture)).collect(),
        read_at: cutoff::clock::rfc3339(proposal.read_at),
        denied: proposal.denied.clone().map(super::denial),
        block_denied: block_denied(session, unchanged),
    }
}

/// An app that the list lacks.
fn face(id: &ConnectedAppId, known: &Unlisted) -> AppFace {
    super::app_face(id.as_str(), &known.name, "", &ClientType::Other(String::new()))
}

fn unlisted(app: &Listed) -> Option<wire::ContainUnlisted> {
    let known = app.unlisted.as_ref()?;
    Some(wire::ContainUnlisted {
        app: face(&app.id, known),
        known_at: known.known_at.map(cutoff::clock::rfc3339),
        kind: app.kind.map(kind),
        kind_told: known.kind_told,
    })
}

pub(crate) fn rows(look: &Look, query: &wire::ContainQuery) -> wire::ContainRows {
    let picture = &look.inventory.picture;
    let words: Vec<String> = query.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let grants = |id: &ConnectedAppId| picture.app(id).map_or(0, |at| number(picture.grants_of_app(at).len()));
    let row = |row: &policy::Row| wire::ContainRow {
        app: row
            .app
            .unlisted
            .as_ref()
            .map_or_else(|| app_by_id(Some(picture), &row.app.id), |known| face(&row.app.id, known)),
        known_at: row.app.unlisted.as_ref().and_then(|known| known.known_at).map(cutoff::clock::rfc3339),
        fate: look.fate(row),
        odd: row.app.odd,
        new: row.app.new,
        like: row.app.like,
        unlisted: row.app.unlisted.is_some(),
        grants: grants(&row.app.id),
    };
    let fits = |row: &wire::ContainRow| {
        let text = format!("{}\n{}", row.app.name, row.app.connected_app_id).to_lowercase();
        (query.fates.is_empty() || query.fates.contains(&row.fate)) && words.iter().all(|word| text.contains(word))
    };
    let matching: Vec<wire::ContainRow> = look.change.rows.iter().map(row).filter(fits).collect();
    wire::ContainRows {
        matching: number(matching.len()),
        total: number(look.change.rows.len()),
        rows: matching.into_iter().skip(query.offset as usize).take(query.count.min(MOST_ROWS) as usize).collect(),
    }
}

pub(crate) fn plan_block(block: &Block, picture: &Picture, session: &Session) -> wire::PlanBlock {
    let unchanged = block.before == block.after;
    wire::PlanBlock {
        apps: named(Some(picture), &block.apps),
        apps_total: number(block.apps.len()),
        kept: number(block.kept.len()),
        left_out: number(block.left_out.len()),
        before: parts(&block.before),
        after: parts(&block.after),
        unchanged,
        block_denied: block_denied(session, unchanged),
    }
}

pub(crate) fn sweep_policy(report: &PolicyReport) -> wire::SweepPolicy {
    wire::SweepPolicy {
        in_force: report.in_force,
        theirs: report.theirs,
        denied: report.denied,
        lifted: report.lifted,
        unread: report.unread,
        can_consent_again: report.can_consent_again(),
        overtaken: report.overtaken,
        // What was never to be changed, or was refused, left nothing that could be taken back.
        liftable: report.before.is_some() && !report.lifted && !report.denied && !report.theirs,
        apps: number(report.forbids.len()),
        request_id: report.request_id.clone(),
        at: report.at.clone(),
        read_at: report.read_at.clone(),
        before: report.before.as_ref().map(parts).unwrap_or_default(),
        after: report.after.as_ref().map(parts).unwrap_or_default(),
    }
}

pub(crate) fn pairs(
    digest: &Digest,
    beside: &[Pair],
    part: wire::SweepPart,
    offset: u32,
    count: u32,
    inventory: Option<&Inventory>,
    viewer: Option<&Session>,
) -> wire::FacePairs {
    let pairs: &[Pair] = match part {
        wire::SweepPart::Collateral => digest.collateral.as_deref().unwrap_or_default(),
        wire::SweepPart::Returned => &digest.returned,
        wire::SweepPart::Beside => beside,
    };
    let picture = inventory.map(|inventory| &*inventory.picture);
    let member = |pair: &Pair| match picture {
        Some(picture) => inventory::member_by_id(picture, &pair.member_id, viewer),
        None => contract::members::MemberFace {
            member_id: pair.member_id.to_string(),
            name: None,
            email: None,
            yourself: viewer.is_some_and(|session| session.is_self(&pair.member_id)),
        },
    };
    let window = pairs.iter().skip(offset as usize).take(count.min(MOST_ROWS) as usize);
    wire::FacePairs {
        rows: window
            .map(|pair| wire::FacePair { member: member(pair), app: app_by_id(picture, &pair.connected_app_id) })
            .collect(),
        total: number(pairs.len()),
    }
}

pub(crate) fn lift(
    sweep_id: String,
    view: &LiftView,
    inventory: Option<&Inventory>,
    session: &Session,
) -> wire::LiftLook {
    let picture = inventory.map(|inventory| &*inventory.picture);
    let (way, to, differs) = match &view.undo {
        Undo::Exact(state) => (wire::LiftWay::Exact, state, &[][..]),
        Undo::Changed { differs, merged } => (wire::LiftWay::Changed, merged, &differs[..]),
        Undo::Nothing => (wire::LiftWay::Nothing, &view.now, &[][..]),
    };
    let changes = policy::differences(&view.now, to);
    wire::LiftLook {
        sweep_id,
        organization_name: session.state().organization.organization_name,
        way,
        before: parts(&view.before),
        after: parts(&view.after),
        now: parts(&view.now),
        to: parts(to),
        differs: differences(differs, picture),
        block_denied: block_denied(session, changes.is_empty()),
        changes: differences(&changes, picture),
        hidden: view.hidden,
        not_attempted: view.not_attempted,
        accepted: view.accepted,
        beside: view.beside.iter().map(ToString::to_string).collect(),
    }
}

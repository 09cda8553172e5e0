//! The inventory between the mind's words and the wire's. It moves facts and decides nothing.

use std::collections::HashSet;

use contract::connected_apps::AppFace;
use contract::connections::Environment;
use contract::inventory as wire;
use contract::members::MemberFace;
use contract::refusal::{Fault, Field, Problem, Refusal};
use cutoff::clock::rfc3339;
use cutoff::inventory::changes::Row;
use cutoff::inventory::export::Format;
use cutoff::inventory::filter::{Filter, LookAlike};
use cutoff::inventory::find::Hit;
use cutoff::inventory::list::{AppWindow, ChangeCounts, Facets, GrantWindow, MemberWindow, Query, SortKey};
use cutoff::inventory::look_alike::Oddity;
use cutoff::inventory::map::{Map, View};
use cutoff::inventory::picture::{
    App, Change, FirstSeen, GoneGrant, Grant, Known, Missing, Names, Person, Picture, Reading,
};
use cutoff::inventory::reading::Progress;
use cutoff::inventory::selection::{Noun, Resolved, RowId, Selection};
use cutoff::inventory::shown::{Mark, Shown, Source, Standing};
use cutoff::inventory::take::Take;
use cutoff::inventory::width::{Rule, Rules, Width};
use cutoff::session::{Session, app_forbidden};
use stytch_b2b::{ConnectedAppId, MemberId};

use super::{number, unreadable};

/// No filter that a person makes is longer.
const MOST_ENTRIES: usize = 10_000;
/// Nor is any text in one.
const LONGEST_TEXT: usize = 4_096;
/// Nobody sees more rows than this at once, and a page that asks for all of them would hold them.
const MOST_ROWS: u32 = 1_000;
/// Nor a map with more cells along one side.
const MOST_CELLS: u32 = 2_000;

/// Who looks, as far as that is known.
pub(crate) type Viewer<'a> = Option<&'a Session>;

fn bad(fault: Fault) -> Refusal {
    Refusal::BadInput { field: Field::Query, fault }
}

// ---- questions -------------------------------------------------------------------------------------------------------

pub(crate) fn filter(filter: wire::Filter) -> Result<Filter, Refusal> {
    let lists = [&filter.apps, &filter.client_types, &filter.members, &filter.roles, &filter.statuses, &filter.scopes];
    if filter.text.len() > LONGEST_TEXT
        || filter.levels.len() > MOST_ENTRIES
        || lists.iter().any(|list| list.len() > MOST_ENTRIES)
    {
        return Err(bad(Fault::TooLong));
    }
    if filter.levels.iter().any(|level| *level > 3) {
        return Err(bad(Fault::Unknown));
    }
    Ok(Filter {
        text: filter.text,
        apps: filter.apps.iter().map(|id| ConnectedAppId::from(id.as_str())).collect(),
        client_types: filter.client_types,
        members: filter.members.iter().map(|id| MemberId::from(id.as_str())).collect(),
        roles: filter.roles,
        statuses: filter.statuses,
        scopes: filter.scopes,
        levels: filter.levels,
        changes: filter.changes.into_iter().map(change_of).collect(),
        first_seen_after: filter.first_seen_after,
        look_alikes: filter
            .look_alikes
            .into_iter()
            .map(|kind| match kind {
                wire::LookAlikeKind::Grouped => LookAlike::Grouped,
                wire::LookAlikeKind::Odd => LookAlike::Odd,
            })
            .collect(),
        group: filter.group,
    })
}

pub(crate) fn query(query: wire::InventoryQuery) -> Result<Query, Refusal> {
    Ok(Query {
        filter: filter(query.filter)?,
        sort: match query.sort {
            wire::SortKey::Name => SortKey::Name,
            wire::SortKey::Member => SortKey::Member,
            wire::SortKey::Type => SortKey::Type,
            wire::SortKey::Grants => SortKey::Grants,
            wire::SortKey::Width => SortKey::Width,
            wire::SortKey::FirstSeen => SortKey::FirstSeen,
            wire::SortKey::Status => SortKey::Status,
        },
        descending: query.descending,
        fold: query.fold,
        offset: query.offset,
        count: query.count.min(MOST_ROWS),
    })
}

pub(crate) fn noun(noun: wire::Noun) -> Noun {
    match noun {
        wire::Noun::Apps => Noun::Apps,
        wire::Noun::Members => Noun::Members,
        wire::Noun::Grants => Noun::Grants,
    }
}

pub(crate) fn selection(selection: wire::Selection) -> Result<Selection, Refusal> {
    let row = |id: String| match selection.noun {
        wire::Noun::Apps => Ok(match id.strip_prefix("group:") {
            Some(group) => RowId::Group(group.to_owned()),
            None => RowId::App(ConnectedAppId::from(id.as_str())),
        }),
        wire::Noun::Members => Ok(RowId::Member(MemberId::from(id.as_str()))),
        wire::Noun::Grants => match id.split_once('\n') {
            Some((member, app)) => Ok(RowId::Grant(MemberId::from(member), ConnectedAppId::from(app))),
            None => Err(bad(Fault::Malformed)),
        },
    };
    Ok(Selection {
        noun: noun(selection.noun),
        fold: selection.fold,
        all: selection.all,
        filter: filter(selection.filter)?,
        ids: selection.ids.into_iter().map(row).collect::<Result<HashSet<RowId>, Refusal>>()?,
    })
}

pub(crate) fn take(what: wire::ExportWhat) -> Result<Take, Refusal> {
    Ok(Take {
        noun: noun(what.noun),
        query: query(what.query)?,
        selection: what.selection.map(selection).transpose()?,
        format: format(what.format),
    })
}

pub(crate) fn format(format: wire::ExportFormat) -> Format {
    match format {
        wire::ExportFormat::Csv => Format::Csv,
        wire::ExportFormat::Json => Format::Json,
    }
}

pub(crate) fn view(query: &wire::MapQuery) -> View {
    View {
        row: query.row,
        rows: query.rows,
        column: query.column,
        columns: query.columns,
        cells_down: query.cells_down.clamp(1, MOST_CELLS),
        cells_across: query.cells_across.clamp(1, MOST_CELLS),
    }
}

fn change_of(change: wire::GrantChange) -> Change {
    match change {
        wire::GrantChange::New => Change::New,
        wire::GrantChange::Widened => Change::Widened,
        wire::GrantChange::Narrowed => Change::Narrowed,
        wire::GrantChange::Altered => Change::Altered,
        wire::GrantChange::Gone => Change::Gone,
    }
}

pub(crate) fn kinds(kinds: Vec<wire::GrantChange>) -> Vec<Change> {
    kinds.into_iter().map(change_of).collect()
}

pub(crate) fn rules_of(rules: wire::WidthRules) -> Rules {
    Rules {
        rules: rules
            .rules
            .into_iter()
            .map(|rule| Rule { label: rule.label, patterns: rule.patterns, level: rule.level })
            .collect(),
    }
}

/// What is wrong with rules of width. Which rule, and in which of its fields, the form sees for itself.
pub(crate) fn width_fault(fault: cutoff::inventory::width::Fault) -> Fault {
    use cutoff::inventory::width::Fault as Width;
    match fault {
        Width::EmptyLabel { .. } | Width::NoPatterns { .. } | Width::EmptyPattern { .. } => Fault::Empty,
        Width::TooManyRules | Width::LongLabel { .. } | Width::TooManyPatterns { .. } | Width::LongPattern { .. } => {
            Fault::TooLong
        }
        Width::UnseenInLabel { .. } | Width::Backslash { .. } => Fault::Malformed,
        Width::Level { .. } => Fault::Unknown,
    }
}

// ---- answers ---------------------------------------------------------------------------------------------------------

pub(crate) fn rules(rules: Rules) -> wire::WidthRules {
    wire::WidthRules {
        standard: rules == Rules::standard(),
        rules: rules
            .rules
            .into_iter()
            .map(|rule| wire::WidthRule { label: rule.label, patterns: rule.patterns, level: rule.level })
            .collect(),
    }
}

pub(crate) fn progress(progress: &Progress) -> wire::ReadingProgress {
    wire::ReadingProgress {
        began_at: rfc3339(progress.began),
        calls: progress.calls,
        calls_expected: progress.calls_expected,
        apps: progress.apps,
        apps_done: progress.apps_done,
        members: progress.members,
        grants: progress.grants,
        left_ms: progress.left.map(|left| u32::try_from(left.as_millis()).unwrap_or(u32::MAX)),
        waiting_until: progress.waiting_until.map(rfc3339),
    }
}

pub(crate) fn status(standing: &Standing) -> wire::InventoryStatus {
    wire::InventoryStatus {
        picture: standing.shown.as_deref().map(|shown| facts(shown, standing.read_only)),
        reading: standing.reading.as_ref().map(progress),
        snapshots: standing.snapshots,
    }
}

fn facts(shown: &Shown, read_only: bool) -> wire::PictureFacts {
    let picture = &shown.picture;
    let facts = &picture.facts;
    let mut changes = ChangeCounts::default();
    for grant in &picture.grants {
        grant.change.into_iter().for_each(|change| changes.add(change));
    }
    changes.gone = number(picture.gone.len());
    wire::PictureFacts {
        source: match shown.source {
            Source::Read => wire::PictureSource::Read,
            Source::Kept => wire::PictureSource::Kept,
            Source::UnderWay => wire::PictureSource::UnderWay,
        },
        organization_id: facts.organization_id.clone(),
        organization_name: facts.organization_name.clone(),
        base_url: facts.base_url.clone(),
        environment: match (facts.sandbox, facts.live) {
            (true, _) => Environment::Sandbox,
            (false, true) => Environment::Live,
            (false, false) => Environment::Test,
        },
        read_by: Some(facts.read_by.clone()).filter(|email| !email.is_empty()),
        snapshot: facts.snapshot,
        began_at: rfc3339(facts.began),
        read_at: rfc3339(facts.ended),
        complete: facts.complete(),
        missing: facts.missing.iter().map(|missing| self::missing(missing, picture)).collect(),
        apps: number(picture.apps.len()),
        apps_read: number(picture.apps.iter().filter(|app| app.reading == Reading::Complete).count()),
        members: number(picture.members.len()),
        names: match facts.names {
            Names::Read => wire::NamesReading::Read,
            Names::Denied => wire::NamesReading::Denied,
            Names::Incomplete => wire::NamesReading::Incomplete,
        },
        grants: number(picture.grants.len()),
        changes: change_counts(&changes),
        since: facts.since.map(|(snapshot, at)| wire::SnapshotMark { snapshot, read_at: rfc3339(at) }),
        read_only,
    }
}

pub(super) fn missing(missing: &Missing, picture: &Picture) -> wire::Missing {
    let app = missing.what.app().map(|id| match picture.app(id) {
        Some(at) => app_face(&picture.apps[at as usize]),
        None => face_of(id, "", "", ""),
    });
    wire::Missing {
        what: missing.what.word().to_owned(),
        app,
        cause: missing.cause.word().to_owned(),
        problem: Problem {
            status: missing.status,
            error_type: missing.error_type.clone(),
            request_id: missing.request_id.clone(),
            message: None,
            cause: None,
        },
        rows: missing.rows,
    }
}

fn change_counts(counts: &ChangeCounts) -> wire::ChangeCounts {
    wire::ChangeCounts {
        new: counts.new,
        widened: counts.widened,
        narrowed: counts.narrowed,
        altered: counts.altered,
        gone: counts.gone,
    }
}

fn change(change: Change) -> wire::GrantChange {
    match change {
        Change::New => wire::GrantChange::New,
        Change::Widened => wire::GrantChange::Widened,
        Change::Narrowed => wire::GrantChange::Narrowed,
        Change::Altered => wire::GrantChange::Altered,
        Change::Gone => wire::GrantChange::Gone,
    }
}

fn face_of(id: &ConnectedAppId, name: &str, description: &str, client_type: &str) -> AppFace {
    AppFace {
        connected_app_id: id.to_string(),
        name: name.to_owned(),
        description: description.to_owned(),
        client_type: client_type.to_owned(),
        first_party: client_type.starts_with("first_party"),
    }
}

pub(super) fn app_face(app: &App) -> AppFace {
    face_of(&app.id, &app.name, &app.description, &app.client_type)
}

fn known_face(id: &MemberId, known: Option<&Known>, viewer: Viewer<'_>) -> MemberFace {
    MemberFace {
        member_id: id.to_string(),
        name: known.map(|known| known.name.clone()),
        email: known.map(|known| known.email.clone()),
        yourself: viewer.is_some_and(|session| session.is_self(id)),
    }
}

fn member_face(person: &Person, viewer: Viewer<'_>) -> MemberFace {
    match (&person.known, viewer) {
        // Whoever may not search knows at least themselves.
        (None, Some(session)) if session.is_self(&person.id) => {
            let member = session.state().member;
            MemberFace {
                member_id: person.id.to_string(),
                name: Some(member.name),
                email: Some(member.email_address),
                yourself: true,
            }
        }
        (known, viewer) => known_face(&person.id, known.as_ref(), viewer),
    }
}

/// A member, as far as the picture knows them.
pub(super) fn member_by_id(picture: &Picture, id: &MemberId, viewer: Viewer<'_>) -> MemberFace {
    match picture.member(id) {
        Some(at) => member_face(&picture.members[at as usize], viewer),
        None => known_face(id, None, viewer),
    }
}

fn width(width: &Width) -> wire::Width {
    wire::Width { level: width.level, rule: width.rule.clone(), scope: width.scope.clone() }
}

fn first_seen(seen: &FirstSeen) -> wire::FirstSeen {
    wire::FirstSeen { after: seen.after.map(rfc3339), by: rfc3339(seen.by) }
}

fn oddity(odd: &Oddity, picture: &Picture) -> wire::Oddity {
    wire::Oddity {
        kind: odd.kind.word().to_owned(),
        detail: odd.detail.clone(),
        beside: odd.beside.and_then(|group| picture.groups.get(group as usize)).map(|group| group.id.clone()),
    }
}

fn group_id(picture: &Picture, group: Option<u32>) -> Option<String> {
    picture.groups.get(group? as usize).map(|group| group.id.clone())
}

pub(crate) fn app_rows(window: &AppWindow, shown: &Shown, viewer: Viewer<'_>) -> wire::AppRows {
    let picture = &shown.picture;
    let organization = viewer.map(|session| session.state().organization);
    let rows = window.rows.iter().map(|line| {
        let app = &picture.apps[line.app as usize];
        let forbidden = organization
            .as_ref()
            .and_then(|organization| app_forbidden(organization, app.id.as_str(), Some(&app.client_type)));
        wire::AppRow {
            app: app_face(app),
            group: group_id(picture, line.group),
            clients: line.clients,
            grants: line.grants,
            members: line.members,
            grants_matching: line.grants_matching,
            scopes: line.scopes.clone(),
            scope_count: line.scope_count,
            scope_sets: line.scope_sets,
            width: width(&line.width),
            first_seen: first_seen(&line.first_seen),
            changes: change_counts(&line.changes),
            odd: app.odd.iter().map(|odd| oddity(odd, picture)).collect(),
            may_reconnect: forbidden.map(|forbidden| !forbidden),
            reading: match app.reading {
                Reading::Complete => "complete",
                Reading::Partial => "partial",
                Reading::Not(cause) => cause.word(),
            }
            .to_owned(),
        }
    });
    wire::AppRows {
        rows: rows.collect(),
        matching: window.matching,
        total: window.total,
        grants_matching: window.grants_matching,
        grants: window.grants,
        unreadable: unreadable(&picture.facts.unreadable_apps),
        read_at: rfc3339(picture.facts.ended),
    }
}

pub(crate) fn member_rows(window: &MemberWindow, shown: &Shown, viewer: Viewer<'_>) -> wire::MemberRows {
    let picture = &shown.picture;
    let rows = window.rows.iter().map(|line| {
        let person = &picture.members[line.member as usize];
        wire::MemberInventoryRow {
            face: member_face(person, viewer),
            status: person.known.as_ref().map(|known| known.status.clone()),
            roles: person.known.as_ref().map(|known| known.roles.clone()).unwrap_or_default(),
            grants: line.grants,
            grants_matching: line.grants_matching,
            width: width(&line.width),
            changes: change_counts(&line.changes),
        }
    });
    wire::MemberRows {
        rows: rows.collect(),
        matching: window.matching,
        total: window.total,
        grants_matching: window.grants_matching,
        grants: window.grants,
        unreadable: unreadable(&picture.facts.unreadable_members),
        read_at: rfc3339(picture.facts.ended),
    }
}

pub(super) fn grant_row(picture: &Picture, grant: &Grant, viewer: Viewer<'_>) -> wire::GrantRow {
    let set = picture.scopes(grant);
    wire::GrantRow {
        member: member_face(&picture.members[grant.member as usize], viewer),
        app: app_face(&picture.apps[grant.app as usize]),
        scopes: set.scopes.clone(),
        width: width(&set.width),
        first_seen: first_seen(&grant.first_seen),
        change: grant.change.map(change),
        scopes_before: grant.scopes_before.map(|set| picture.scope_sets[set as usize].scopes.clone()),
    }
}

fn gone_row(gone: &GoneGrant, viewer: Viewer<'_>) -> wire::GrantRow {
    wire::GrantRow {
        member: known_face(&gone.member, gone.known.as_ref(), viewer),
        app: face_of(&gone.app, &gone.app_name, "", &gone.client_type),
        scopes: gone.scopes.scopes.clone(),
        width: width(&gone.scopes.width),
        first_seen: first_seen(&gone.first_seen),
        change: Some(wire::GrantChange::Gone),
        scopes_before: None,
    }
}

pub(crate) fn grant_rows(
    window: &GrantWindow,
    shown: &Shown,
    only_app: Option<&ConnectedAppId>,
    viewer: Viewer<'_>,
) -> wire::GrantRows {
    let picture = &shown.picture;
    let broken = only_app.and_then(|id| picture.app(id)).map(|at| unreadable(&picture.apps[at as usize].unreadable));
    wire::GrantRows {
        rows: window.rows.iter().map(|&at| grant_row(picture, &picture.grants[at as usize], viewer)).collect(),
        matching: window.matching,
        total: window.total,
        unreadable: broken.unwrap_or_default(),
        read_at: rfc3339(picture.facts.ended),
    }
}

pub(crate) fn facets(facets: Facets) -> wire::Facets {
    let list = |facets: Vec<cutoff::inventory::list::Facet>| {
        facets.into_iter().map(|facet| wire::Facet { value: facet.value, grants: facet.grants }).collect()
    };
    wire::Facets {
        client_types: list(facets.client_types),
        roles: list(facets.roles),
        statuses: list(facets.statuses),
        scopes: list(facets.scopes),
        levels: list(facets.levels),
    }
}

pub(crate) fn selection_count(resolved: &Resolved) -> wire::SelectionCount {
    wire::SelectionCount {
        rows: resolved.rows,
        apps: number(resolved.apps.len()),
        members: number(resolved.members.len()),
        grants: number(resolved.grants.len()),
        lost: resolved.lost,
    }
}

pub(crate) fn hits(hits: &[Hit], picture: &Picture, viewer: Viewer<'_>) -> Vec<wire::PaletteHit> {
    hits.iter()
        .map(|hit| match *hit {
            Hit::App(at) => wire::PaletteHit::App {
                app: app_face(&picture.apps[at as usize]),
                grants: number(picture.grants_of_app(at).len()),
            },
            Hit::Member(at) => wire::PaletteHit::Member {
                member: member_face(&picture.members[at as usize], viewer),
                grants: number(picture.grants_of_member(at).len()),
            },
        })
        .collect()
}

pub(crate) fn client_id(id: &ConnectedAppId) -> wire::PaletteHit {
    wire::PaletteHit::ClientId { connected_app_id: id.to_string() }
}

pub(crate) fn map(map: &Map, shown: &Shown, viewer: Viewer<'_>) -> wire::MapPicture {
    let picture = &shown.picture;
    let down = map.down.iter().map(|band| wire::MapBand {
        first: band.first,
        count: band.count,
        grants: band.grants,
        app: band.app.map(|at| app_face(&picture.apps[at as usize])),
        group: group_id(picture, band.group),
        clients: band.clients,
        odd: band.odd,
        member: None,
    });
    let across = map.across.iter().map(|band| wire::MapBand {
        first: band.first,
        count: band.count,
        grants: band.grants,
        app: None,
        group: None,
        clients: 0,
        odd: false,
        member: band.member.map(|at| member_face(&picture.members[at as usize], viewer)),
    });
    wire::MapPicture {
        total_rows: map.total_rows,
        total_columns: map.total_columns,
        row: map.row,
        rows: map.rows,
        column: map.column,
        columns: map.columns,
        down: down.collect(),
        across: across.collect(),
        cells: map
            .cells
            .iter()
            .map(|cell| wire::MapCell {
                y: cell.y,
                x: cell.x,
                grants: cell.grants,
                room: cell.room,
                level: cell.level,
                fresh: cell.fresh,
            })
            .collect(),
        read_at: rfc3339(picture.facts.ended),
    }
}

pub(crate) fn snapshot(mark: Mark) -> wire::SnapshotRow {
    wire::SnapshotRow {
        snapshot: mark.number,
        began_at: rfc3339(mark.began),
        read_at: rfc3339(mark.ended),
        read_by: Some(mark.read_by).filter(|email| !email.is_empty()),
        apps: mark.apps,
        apps_read: mark.apps_read,
        grants: mark.grants,
        complete: mark.complete,
    }
}

pub(crate) fn changes(
    shown: &Shown,
    not_compared: &[ConnectedAppId],
    rows: &[Row<'_>],
    query: &Query,
    viewer: Viewer<'_>,
) -> wire::ChangeRows {
    let picture = &shown.picture;
    let facts = facts(shown, viewer.is_none());
    let to = wire::SnapshotMark { snapshot: facts.snapshot.unwrap_or_default(), read_at: facts.read_at };
    let counts = facts.changes;
    let window = rows.iter().skip(query.offset as usize).take(query.count as usize);
    wire::ChangeRows {
        from: facts.since.unwrap_or_else(|| to.clone()),
        to,
        total: counts.new + counts.widened + counts.narrowed + counts.altered + counts.gone,
        counts,
        rows: window
            .map(|row| match row {
                Row::There(grant) => grant_row(picture, grant, viewer),
                Row::Gone(gone) => gone_row(gone, viewer),
            })
            .collect(),
        matching: number(rows.len()),
        not_compared: not_compared
            .iter()
            .map(|id| {
                picture.app(id).map_or_else(|| face_of(id, "", "", ""), |at| app_face(&picture.apps[at as usize]))
            })
            .collect(),
    }
}

//! Lists of apps, members and grants: what matches a filter, in one order, cut into windows. It copies names only for the rows of
//! a window; faces, ids and everything else that a page shows are looked up by whoever draws it.
//!
//! An order is made once ([`SortedApps`], [`SortedMembers`], [`SortedGrants`]) and then cut as often as somebody scrolls. It is
//! total: ties of what is sorted by are broken by name, then by id, always upwards, whichever way the rest goes. So windows of
//! one order neither overlap nor skip a row.

use std::cmp::Reverse;
use std::ops::Range;

use super::filter::{Bits, Filter, Index, Matches, Postings, in_buckets};
use super::picture::{Change, FirstSeen, Picture, u32_of};
use super::width::Width;

/// Scopes that a row of the list of apps names at the most.
const SCOPES_SHOWN: usize = 12;

/// Scopes that are offered to choose from at the most.
const SCOPES_OFFERED: usize = 500;

/// What to sort by. What a list does not have is its name there: members have no type, apps no status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The app's name, or the member's on the list of members. Without a name the address, without one the id.
    #[default]
    Name,
    /// The member's name, on a list of grants.
    Member,
    /// The app's client type.
    Type,
    /// How many grants there are, matching or not; on a list of grants those of its app.
    Grants,
    /// How wide.
    Width,
    /// When first seen; of a member the newest of their grants, members without any before all others.
    FirstSeen,
    /// The member's status, members whom search did not return as `unknown`.
    Status,
}

/// Which part of which list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// What rows must be like.
    pub filter: Filter,
    /// What to sort by.
    pub sort: SortKey,
    /// Largest, widest, newest or last in the alphabet first.
    pub descending: bool,
    /// On the list of apps: one row for each group of look-alikes instead of one for each of its apps.
    pub fold: bool,
    /// First row, from 0.
    pub offset: u32,
    /// At most this many rows.
    pub count: u32,
}

impl Query {
    /// The same query without its window: two that are equal so far have one order in common.
    #[must_use]
    pub fn order(&self) -> Self {
        Self { offset: 0, count: 0, ..self.clone() }
    }
}

/// A row of the list of apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppRow {
    /// One app, by index.
    App(u32),
    /// A group of look-alikes, by index.
    Group(u32),
}

/// A row of the list of apps, with what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppLine {
    /// The app; of a folded group the one with the most grants.
    pub app: u32,
    /// The group of look-alikes it is in, by index.
    pub group: Option<u32>,
    /// Whether the row stands for the whole group.
    pub folded: bool,
    /// How many clients the row stands for.
    pub clients: u32,
    /// Grants.
    pub grants: u32,
    /// How many members gave them: fewer than grants where somebody connected several clients of a group.
    pub members: u32,
    /// How many of them match the filter.
    pub grants_matching: u32,
    /// Scopes that occur, the widest first, then the most frequent, then by the alphabet; 12 at the most.
    pub scopes: Vec<String>,
    /// How many different scopes occur.
    pub scope_count: u32,
    /// How many different sets of scopes its grants have; one with another order of the same scopes is the same.
    pub scope_sets: u32,
    /// The widest of its apps.
    pub width: Width,
    /// When the first of its apps was first seen.
    pub first_seen: FirstSeen,
    /// What changed in it, grants that are gone included.
    pub changes: ChangeCounts,
}

/// A row of the list of members, with what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberLine {
    /// Who, by index.
    pub member: u32,
    /// Grants.
    pub grants: u32,
    /// How many of them match the filter.
    pub grants_matching: u32,
    /// The widest of their grants.
    pub width: Width,
    /// What changed for them, grants that are gone included.
    pub changes: ChangeCounts,
}

/// How many grants changed in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Not there before.
    pub new: u32,
    /// More scopes than before.
    pub widened: u32,
    /// Fewer scopes than before.
    pub narrowed: u32,
    /// Other scopes, neither more nor fewer.
    pub altered: u32,
    /// There before, and not in a complete reading since.
    pub gone: u32,
}

impl ChangeCounts {
    /// Counts one more.
    pub fn add(&mut self, change: Change) {
        match change {
            Change::New => self.new += 1,
            Change::Widened => self.widened += 1,
            Change::Narrowed => self.narrowed += 1,
            Change::Altered => self.altered += 1,
            Change::Gone => self.gone += 1,
        }
    }

    fn add_all(&mut self, other: &Self) {
        self.new += other.new;
        self.widened += other.widened;
        self.narrowed += other.narrowed;
        self.altered += other.altered;
        self.gone += other.gone;
    }
}

/// A window of the apps that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppWindow {
    /// The rows of the window.
    pub rows: Vec<AppLine>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Grants that match.
    pub grants_matching: u32,
    /// Grants there are.
    pub grants: u32,
}

/// A window of the members that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberWindow {
    /// The rows of the window.
    pub rows: Vec<MemberLine>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
    /// Grants that match.
    pub grants_matching: u32,
    /// Grants there are.
    pub grants: u32,
}

/// A window of the grants that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantWindow {
    /// The rows of the window: indices of grants.
    pub rows: Vec<u32>,
    /// Rows that match.
    pub matching: u32,
    /// Rows there are.
    pub total: u32,
}

/// A window of the apps, or of apps and groups, that match.
#[must_use]
pub fn apps(picture: &Picture, index: &Index, query: &Query) -> AppWindow {
    SortedApps::new(picture, index, query).window(picture, index, query.offset, query.count)
}

/// A window of the members that match.
#[must_use]
pub fn members(picture: &Picture, index: &Index, query: &Query) -> MemberWindow {
    SortedMembers::new(picture, index, query).window(picture, index, query.offset, query.count)
}

/// A window of the grants that match.
#[must_use]
pub fn grants(picture: &Picture, index: &Index, query: &Query) -> GrantWindow {
    SortedGrants::new(picture, index, query).window(picture, query.offset, query.count)
}

/// The apps that match, in order.
#[derive(Clone, Debug)]
pub struct SortedApps {
    /// Apps, or when folded numbers of folded rows.
    order: Vec<u32>,
    fold: bool,
    matches: Matches,
}

impl SortedApps {
    /// Filters and sorts. The query's window is not looked at.
    #[must_use]
    pub fn new(picture: &Picture, index: &Index, query: &Query) -> Self {
        let matches = query.filter.matches(picture, index);
        let order = if query.fold {
            folded_order(picture, index, query, &matches)
        } else {
            app_order(picture, index, query, &matches)
        };
        Self { order, fold: query.fold, matches }
    }

    /// What matches.
    #[must_use]
    pub fn matches(&self) -> &Matches {
        &self.matches
    }

    /// All rows that match, in order.
    pub fn rows<'a>(&'a self, index: &'a Index) -> impl ExactSizeIterator<Item = AppRow> + 'a {
        self.order.iter().map(|&row| match self.fold.then(|| &index.folded[row as usize]) {
            Some(folded) => folded.group.map_or(AppRow::App(folded.face), AppRow::Group),
            None => AppRow::App(row),
        })
    }

    /// The rows from `offset` on, at most `count`.
    #[must_use]
    pub fn window(&self, picture: &Picture, index: &Index, offset: u32, count: u32) -> AppWindow {
        let mut tallies = Tallies {
            sets: Tally::new(index.same_set.len()),
            scopes: Tally::new(index.scopes.values.len()),
            members: Tally::new(picture.members.len()),
        };
        let line = |&row: &u32| {
            let tallies = &mut tallies;
            if self.fold {
                let folded = &index.folded[row as usize];
                let width = &picture.apps[folded.widest as usize].width;
                self.line(
                    picture,
                    index,
                    tallies,
                    folded.face,
                    folded.group.is_some(),
                    &folded.apps,
                    width,
                    folded.first_seen,
                )
            } else {
                let app = &picture.apps[row as usize];
                self.line(picture, index, tallies, row, false, &[row], &app.width, app.first_seen)
            }
        };
        AppWindow {
            rows: self.order[range(self.order.len(), offset, count)].iter().map(line).collect(),
            matching: u32_of(self.order.len()),
            total: u32_of(if self.fold { index.folded.len() } else { picture.apps.len() }),
            grants_matching: self.matches.count(),
            grants: u32_of(picture.grants.len()),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a row of one app and a row of a group differ in")]
    fn line(
        &self,
        picture: &Picture,
        index: &Index,
        tallies: &mut Tallies,
        face: u32,
        folded: bool,
        apps: &[u32],
        width: &Width,
        first_seen: FirstSeen,
    ) -> AppLine {
        let mut changes = ChangeCounts::default();
        let (mut grants, mut grants_matching) = (0, 0);
        for &app in apps {
            changes.add_all(&index.app_changes[app as usize]);
            grants_matching += self.matches.of_app(app);
            for grant in picture.grants_of_app(app) {
                grants += 1;
                tallies.sets.add(index.same_set[grant.scopes as usize], 1);
                tallies.members.add(grant.member, 1);
            }
        }
        let sets = tallies.sets.take();
        for &(set, grants) in &sets {
            for &scope in &index.scopes_of_set[set as usize] {
                tallies.scopes.add(scope, grants);
            }
        }
        let mut scopes = tallies.scopes.take();
        let text = |scope: u32| &index.scopes.values[scope as usize];
        scopes.sort_unstable_by_key(|&(scope, grants)| {
            (Reverse(index.scope_levels[scope as usize]), Reverse(grants), text(scope))
        });
        AppLine {
            app: face,
            group: picture.apps[face as usize].group,
            folded,
            clients: u32_of(apps.len()),
            grants,
            members: u32_of(tallies.members.take().len()),
            grants_matching,
            scope_count: u32_of(scopes.len()),
            scope_sets: u32_of(sets.len()),
            scopes: scopes.into_iter().take(SCOPES_SHOWN).map(|(scope, _)| text(scope).clone()).collect(),
            width: width.clone(),
            first_seen,
            changes,
        }
    }
}

/// Counts by small numbers, kept from one row of a window to the next: a row counts few of them, and hashing all its grants would
/// take longer than everything else that a key stroke needs.
struct Tallies {
    sets: Tally,
    scopes: Tally,
    members: Tally,
}

struct Tally {
    counts: Vec<u32>,
    counted: Vec<u32>,
}

impl Tally {
    fn new(numbers: usize) -> Self {
        Self { counts: vec![0; numbers], counted: Vec::new() }
    }

    fn add(&mut self, number: u32, times: u32) {
        let count = &mut self.counts[number as usize];
        if *count == 0 {
            self.counted.push(number);
        }
        *count += times;
    }

    /// Each number that was counted and how often; after that nothing is counted any more.
    fn take(&mut self) -> Vec<(u32, u32)> {
        self.counted.drain(..).map(|number| (number, std::mem::take(&mut self.counts[number as usize]))).collect()
    }
}

fn app_order(picture: &Picture, index: &Index, query: &Query, matches: &Matches) -> Vec<u32> {
    let rows = index.apps_by_name.iter().copied().filter(|&app| matches.app(app)).collect();
    let grants = |app: u32| u32_of(picture.grants_of_app(app).len());
    match query.sort {
        SortKey::Name | SortKey::Member | SortKey::Status => by_place(rows, query.descending),
        SortKey::Type => sorted(rows, query.descending, |app| index.type_rank[app as usize]),
        SortKey::Grants => sorted(rows, query.descending, grants),
        SortKey::Width => sorted(rows, query.descending, |app| picture.apps[app as usize].width.level.into()),
        SortKey::FirstSeen => sorted(rows, query.descending, |app| index.app_seen_rank[app as usize]),
    }
}

fn folded_order(picture: &Picture, index: &Index, query: &Query, matches: &Matches) -> Vec<u32> {
    let mut matching = Bits::none(index.folded.len());
    let mut rows = Vec::new();
    for &app in &index.apps_by_name {
        let row = index.folded_row[app as usize];
        if matches.app(app) && !matching.get(row as usize) {
            matching.set(row as usize);
        }
        // Put in the place of its face: that is the name that is read there, whichever of the group's apps match.
        if index.folded[row as usize].face == app {
            rows.push(row);
        }
    }
    rows.retain(|&row| matching.get(row as usize));
    let row = |row: u32| &index.folded[row as usize];
    match query.sort {
        SortKey::Name | SortKey::Member | SortKey::Status => by_place(rows, query.descending),
        SortKey::Type => sorted(rows, query.descending, |at| index.type_rank[row(at).face as usize]),
        SortKey::Grants => sorted(rows, query.descending, |at| row(at).grants),
        SortKey::Width => sorted(rows, query.descending, |at| picture.apps[row(at).widest as usize].width.level.into()),
        SortKey::FirstSeen => {
            let first = |at: u32| row(at).apps.iter().map(|&app| index.app_seen_rank[app as usize]).min();
            sorted(rows, query.descending, |at| first(at).unwrap_or_default())
        }
    }
}

/// The members that match, in order.
#[derive(Clone, Debug)]
pub struct SortedMembers {
    order: Vec<u32>,
    matches: Matches,
}

impl SortedMembers {
    /// Filters and sorts. The query's window is not looked at.
    #[must_use]
    pub fn new(picture: &Picture, index: &Index, query: &Query) -> Self {
        let matches = query.filter.matches(picture, index);
        let rows = index.members_by_name.iter().copied().filter(|&member| matches.member(member)).collect();
        let width = |member: u32| {
            let set = index.widest_set[member as usize];
            set.map_or(0, |set| picture.scope_sets[set as usize].width.level.into())
        };
        let down = query.descending;
        let order = match query.sort {
            SortKey::Name | SortKey::Member | SortKey::Type => by_place(rows, down),
            SortKey::Grants => sorted(rows, down, |member| u32_of(picture.grants_of_member(member).len())),
            SortKey::Width => sorted(rows, down, width),
            SortKey::FirstSeen => sorted(rows, down, |member| index.member_seen_rank[member as usize]),
            SortKey::Status => sorted(rows, down, |member| index.status_rank[member as usize]),
        };
        Self { order, matches }
    }

    /// What matches.
    #[must_use]
    pub fn matches(&self) -> &Matches {
        &self.matches
    }

    /// Indices of all members that match, in order.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.order
    }

    /// The rows from `offset` on, at most `count`.
    #[must_use]
    pub fn window(&self, picture: &Picture, index: &Index, offset: u32, count: u32) -> MemberWindow {
        let line = |&member: &u32| MemberLine {
            member,
            grants: u32_of(picture.grants_of_member(member).len()),
            grants_matching: self.matches.of_member(member),
            width: index.member_width(picture, member),
            changes: index.member_changes[member as usize],
        };
        MemberWindow {
            rows: self.order[range(self.order.len(), offset, count)].iter().map(line).collect(),
            matching: u32_of(self.order.len()),
            total: u32_of(picture.members.len()),
            grants_matching: self.matches.count(),
            grants: u32_of(picture.grants.len()),
        }
    }
}

/// The grants that match, in order.
#[derive(Clone, Debug)]
pub struct SortedGrants {
    order: Vec<u32>,
}

impl SortedGrants {
    /// Filters and sorts. The query's window is not looked at.
    #[must_use]
    pub fn new(picture: &Picture, index: &Index, query: &Query) -> Self {
        let matches = query.filter.matches(picture, index);
        let rows = index.grants_by_name.iter().copied().filter(|&grant| matches.grant(grant)).collect();
        let grant = |at: u32| &picture.grants[at as usize];
        let app = |at: u32| grant(at).app as usize;
        let member = |at: u32| grant(at).member as usize;
        let down = query.descending;
        let order = match query.sort {
            SortKey::Name if down => sorted(rows, down, |at| index.app_rank[app(at)]),
            SortKey::Name => rows,
            SortKey::Member => sorted(rows, down, |at| index.member_rank[member(at)]),
            SortKey::Type => sorted(rows, down, |at| index.type_rank[app(at)]),
            SortKey::Grants => sorted(rows, down, |at| u32_of(picture.grants_of_app(grant(at).app).len())),
            SortKey::Width => sorted(rows, down, |at| picture.scopes(grant(at)).width.level.into()),
            SortKey::FirstSeen => sorted(rows, down, |at| index.seen_rank[at as usize]),
            SortKey::Status => sorted(rows, down, |at| index.status_rank[member(at)]),
        };
        Self { order }
    }

    /// Indices of all grants that match, in order.
    #[must_use]
    pub fn rows(&self) -> &[u32] {
        &self.order
    }

    /// The rows from `offset` on, at most `count`.
    #[must_use]
    pub fn window(&self, picture: &Picture, offset: u32, count: u32) -> GrantWindow {
        GrantWindow {
            rows: self.order[range(self.order.len(), offset, count)].to_vec(),
            matching: u32_of(self.order.len()),
            total: u32_of(picture.grants.len()),
        }
    }
}

/// Rows that stand in the order of their own names, and those names are all different.
fn by_place(mut rows: Vec<u32>, descending: bool) -> Vec<u32> {
    if descending {
        rows.reverse();
    }
    rows
}

fn sorted(rows: Vec<u32>, descending: bool, number: impl Fn(u32) -> u32) -> Vec<u32> {
    let top = rows.iter().map(|&row| number(row)).max().unwrap_or_default();
    in_buckets(rows, top as usize + 1, |row| if descending { top - number(row) } else { number(row) })
}

fn range(len: usize, offset: u32, count: u32) -> Range<usize> {
    let begin = (offset as usize).min(len);
    begin..begin.saturating_add(count as usize).min(len)
}

/// What can be chosen in filters, with how many grants of the whole picture each has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// Client types.
    pub client_types: Vec<Facet>,
    /// Roles.
    pub roles: Vec<Facet>,
    /// Statuses, [`UNKNOWN`](super::filter::UNKNOWN) among them when it occurs.
    pub statuses: Vec<Facet>,
    /// Scopes, 500 at the most.
    pub scopes: Vec<Facet>,
    /// Levels of width as text, from 0.
    pub levels: Vec<Facet>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// Its value, as a filter takes it.
    pub value: String,
    /// Grants that have it.
    pub grants: u32,
}

/// What can be chosen: everything that occurs, that included which no grant has (a role of members who are connected to nothing).
/// The most common first, ties by the alphabet; levels upwards.
#[must_use]
pub fn facets(picture: &Picture, index: &Index) -> Facets {
    let mut of_set = vec![0_u32; picture.scope_sets.len()];
    for grant in &picture.grants {
        of_set[grant.scopes as usize] += 1;
    }
    let of_app = |app: u32| u32_of(picture.grants_of_app(app).len());
    let of_member = |member: u32| u32_of(picture.grants_of_member(member).len());
    let mut levels: Vec<(u8, u32)> = Vec::new();
    for (set, &grants) in picture.scope_sets.iter().zip(&of_set) {
        match levels.iter_mut().find(|(level, _)| *level == set.width.level) {
            Some((_, sum)) => *sum += grants,
            None => levels.push((set.width.level, grants)),
        }
    }
    levels.sort_unstable();
    let mut scopes = count(&index.scopes, |set| of_set[set as usize]);
    scopes.truncate(SCOPES_OFFERED);
    Facets {
        client_types: count(&index.client_types, of_app),
        roles: count(&index.roles, of_member),
        statuses: count(&index.statuses, of_member),
        scopes,
        levels: levels.into_iter().map(|(level, grants)| Facet { value: level.to_string(), grants }).collect(),
    }
}

fn count(values: &Postings, grants: impl Fn(u32) -> u32) -> Vec<Facet> {
    let mut facets: Vec<Facet> = values
        .values
        .iter()
        .zip(&values.rows)
        .map(|(value, rows)| Facet { value: value.clone(), grants: rows.iter().map(|&row| grants(row)).sum() })
        .collect();
    facets.sort_unstable_by(|a, b| (Reverse(a.grants), &a.value).cmp(&(Reverse(b.grants), &b.value)));
    facets
}

//! What rows must be like, and which are: a filter is matched against a whole picture at once, so that lists, map, counts
//! and selections all speak of the same grants. It orders nothing and cuts no windows.
//!
//! # What a filter means
//! A *grant* matches when everything that is given holds; within one list of a filter any one entry suffices.
//! - Text: it is cut into words at white space. Each word must occur in the app's text (name, description, id, client type, the
//!   type also with `-` for `_`), in the member's text (name, address, id, status, roles), or in one of the grant's scopes; one
//!   word may be found in one of the three and the next in another. Never across the border of two of those texts.
//!   Letters are compared as [`folded`].
//! - `apps`, `client_types`, `look_alikes`, `group` speak of the app; `members`, `roles`, `statuses` of the member; `scopes` and
//!   `levels` of the grant's set of scopes; `changes` and `first_seen_after` of the grant itself.
//!
//! An *app* matches when one of its grants does. An app that has no grants at all matches when it passes everything that is
//! said of apps, finds every word in its own text, and nothing is asked of members, scopes or grants. *Members* likewise.

use std::cmp::Reverse;
use std::collections::HashMap;

use memchr::memmem::Finder;
use stytch_b2b::{ConnectedAppId, MemberId};

use super::list::ChangeCounts;
use super::picture::{App, Change, FirstSeen, Grant, Person, Picture, u32_of};
use super::width::Width;

/// The status that a filter names for members whom search did not return.
pub const UNKNOWN: &str = "unknown";

/// What a row must be like; the module's text says what that means. The default asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Words, all of which must occur.
    pub text: String,
    /// Any of these apps.
    pub apps: Vec<ConnectedAppId>,
    /// Any of these client types, as Stytch names them.
    pub client_types: Vec<String>,
    /// Any of these members.
    pub members: Vec<MemberId>,
    /// Members with any of these roles.
    pub roles: Vec<String>,
    /// Members with any of these statuses. [`UNKNOWN`]: search did not return the member.
    pub statuses: Vec<String>,
    /// Grants with any of these scopes, each compared whole and in its own case.
    pub scopes: Vec<String>,
    /// Grants of any of these widths, 0 (no scopes) to 3.
    pub levels: Vec<u8>,
    /// Grants that differ in any of these ways from the snapshot that the picture is compared with.
    pub changes: Vec<Change>,
    /// Grants first seen in a reading after the one with this number in the journal. A reading that has no number yet is after
    /// every one that has.
    pub first_seen_after: Option<u32>,
    /// Apps that look like others in any of these ways.
    pub look_alikes: Vec<LookAlike>,
    /// Apps in the group of look-alikes with this id.
    pub group: Option<String>,
}

/// Kinds of look-alikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LookAlike {
    /// In a group of several.
    Grouped,
    /// Flagged beside others.
    Odd,
}

impl Filter {
    /// The words of the text, folded, each once.
    fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = self.text.split_whitespace().map(folded).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Whether something is asked that an app without grants cannot answer.
    fn asks_beyond_apps(&self) -> bool {
        self.asks_of_members() || self.asks_of_grants()
    }

    /// Whether something is asked that a member without grants cannot answer.
    fn asks_beyond_members(&self) -> bool {
        self.asks_of_apps() || self.asks_of_grants()
    }

    fn asks_of_apps(&self) -> bool {
        !self.apps.is_empty() || !self.client_types.is_empty() || !self.look_alikes.is_empty() || self.group.is_some()
    }

    fn asks_of_members(&self) -> bool {
        !self.members.is_empty() || !self.roles.is_empty() || !self.statuses.is_empty()
    }

    fn asks_of_grants(&self) -> bool {
        !self.scopes.is_empty()
            || !self.levels.is_empty()
            || !self.changes.is_empty()
            || self.first_seen_after.is_some()
    }

    /// Everything in the picture that matches. `index` must be the picture's own.
    #[must_use]
    pub fn matches(&self, picture: &Picture, index: &Index) -> Matches {
        let apps = self.apps_that_pass(picture, index);
        let members = self.members_that_pass(picture, index);
        let sets = self.sets_that_pass(picture, index);
        let changes = self.changes.iter().fold(0_u8, |bits, &change| bits | change_bit(change));
        let after = self.first_seen_after;
        let words = Words::find(&self.words(), index);

        let mut found = Matches {
            grants: Bits::none(picture.grants.len()),
            count: 0,
            of_app: vec![0; picture.apps.len()],
            of_member: vec![0; picture.members.len()],
            apps: Bits::none(picture.apps.len()),
            members: Bits::none(picture.members.len()),
        };
        for (app, range) in picture.of_app.iter().enumerate() {
            if !apps.get(app) {
                continue;
            }
            let mut of_app = 0;
            for (at, grant) in range.clone().zip(&picture.grants[range.clone()]) {
                let (member, set) = (grant.member as usize, grant.scopes as usize);
                let passes = members.get(member)
                    && sets.get(set)
                    && (changes == 0 || grant.change.is_some_and(|change| changes & change_bit(change) != 0))
                    && after.is_none_or(|after| grant.seen_by == 0 || grant.seen_by > after)
                    && words.all_in(app, member, set);
                if passes {
                    found.grants.set(at);
                    found.of_member[member] += 1;
                    of_app += 1;
                }
            }
            found.of_app[app] = of_app;
            found.count += of_app;
        }
        let (bare_apps, bare_members) = (!self.asks_beyond_apps(), !self.asks_beyond_members());
        for (app, &matching) in found.of_app.iter().enumerate() {
            let bare = bare_apps && picture.of_app[app].is_empty() && apps.get(app) && words.all_in_app(app);
            if matching > 0 || bare {
                found.apps.set(app);
            }
        }
        for (member, &matching) in found.of_member.iter().enumerate() {
            let bare = bare_members
                && picture.grants_of_member(u32_of(member)).is_empty()
                && members.get(member)
                && words.all_in_member(member);
            if matching > 0 || bare {
                found.members.set(member);
            }
        }
        found
    }

    fn apps_that_pass(&self, picture: &Picture, index: &Index) -> Bits {
        let mut pass = Bits::all(picture.apps.len());
        if !self.apps.is_empty() {
            pass.keep(self.apps.iter().filter_map(|id| picture.app(id)));
        }
        if !self.client_types.is_empty() {
            pass.keep(index.client_types.rows_of(&self.client_types));
        }
        if !self.look_alikes.is_empty() {
            let (grouped, odd) =
                (self.look_alikes.contains(&LookAlike::Grouped), self.look_alikes.contains(&LookAlike::Odd));
            let alike = |app: &App| (grouped && app.group.is_some()) || (odd && !app.odd.is_empty());
            let alike = picture.apps.iter().enumerate().filter(|(_, app)| alike(app)).map(|(at, _)| u32_of(at));
            pass.keep(alike);
        }
        if let Some(group) = &self.group {
            let inside = picture.apps.iter().enumerate().filter_map(|(at, app)| {
                let id = app.group.and_then(|group| picture.groups.get(group as usize)).map(|group| &group.id);
                (id == Some(group)).then(|| u32_of(at))
            });
            pass.keep(inside);
        }
        pass
    }

    fn members_that_pass(&self, picture: &Picture, index: &Index) -> Bits {
        let mut pass = Bits::all(picture.members.len());
        if !self.members.is_empty() {
            pass.keep(self.members.iter().filter_map(|id| picture.member(id)));
        }
        if !self.roles.is_empty() {
            pass.keep(index.roles.rows_of(&self.roles));
        }
        if !self.statuses.is_empty() {
            pass.keep(index.statuses.rows_of(&self.statuses));
        }
        pass
    }

    fn sets_that_pass(&self, picture: &Picture, index: &Index) -> Bits {
        let mut pass = Bits::all(picture.scope_sets.len());
        if !self.scopes.is_empty() {
            pass.keep(index.scopes.rows_of(&self.scopes));
        }
        if !self.levels.is_empty() {
            let sets = picture.scope_sets.iter().enumerate();
            pass.keep(sets.filter(|(_, set)| self.levels.contains(&set.width.level)).map(|(at, _)| u32_of(at)));
        }
        pass
    }
}

fn change_bit(change: Change) -> u8 {
    match change {
        Change::New => 1,
        Change::Widened => 2,
        Change::Narrowed => 4,
        Change::Altered => 8,
        Change::Gone => 16,
    }
}

/// A text as it is compared: every letter in lower case, by Unicode and letter by letter. Greek has two small sigmas, of which
/// one stands at the end of words only; they count as one, or a word would not be found before its last letter is typed.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

/// What matches a filter in one picture.
#[derive(Clone, Debug)]
pub struct Matches {
    grants: Bits,
    count: u32,
    of_app: Vec<u32>,
    of_member: Vec<u32>,
    apps: Bits,
    members: Bits,
}

impl Matches {
    /// Whether the grant with this index matches.
    #[must_use]
    pub fn grant(&self, grant: u32) -> bool {
        self.grants.get(grant as usize)
    }

    /// Whether an app matches: one of its grants does, or it has none and does so itself.
    #[must_use]
    pub fn app(&self, app: u32) -> bool {
        self.apps.get(app as usize)
    }

    /// Whether a member matches: one of their grants does, or they have none and do so themselves.
    #[must_use]
    pub fn member(&self, member: u32) -> bool {
        self.members.get(member as usize)
    }

    /// How many grants match.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many grants of an app match.
    #[must_use]
    pub fn of_app(&self, app: u32) -> u32 {
        self.of_app[app as usize]
    }

    /// How many grants of a member match.
    #[must_use]
    pub fn of_member(&self, member: u32) -> u32 {
        self.of_member[member as usize]
    }

    /// Indices of the grants that match, in the picture's order.
    pub fn grants(&self) -> impl Iterator<Item = u32> {
        self.grants.iter()
    }
}

/// For every app, member and set of scopes, which words of a text it has.
struct Words {
    /// One table for every 64 words, since a table notes a word in one bit.
    tables: Vec<Table>,
}

struct Table {
    wanted: u64,
    apps: Vec<u64>,
    members: Vec<u64>,
    sets: Vec<u64>,
}

impl Words {
    fn find(words: &[String], index: &Index) -> Self {
        let table = |words: &[String]| {
            let mut table = Table {
                wanted: u64::MAX >> (64 - words.len()),
                apps: vec![0; index.app_texts.len()],
                members: vec![0; index.member_texts.len()],
                sets: vec![0; index.set_texts.len()],
            };
            for (at, word) in words.iter().enumerate() {
                let finder = Finder::new(word.as_bytes());
                index.app_texts.each_with(&finder, |row| table.apps[row] |= 1 << at);
                index.member_texts.each_with(&finder, |row| table.members[row] |= 1 << at);
                index.set_texts.each_with(&finder, |row| table.sets[row] |= 1 << at);
            }
            table
        };
        Self { tables: words.chunks(64).map(table).collect() }
    }

    fn all_in(&self, app: usize, member: usize, set: usize) -> bool {
        self.tables.iter().all(|table| table.apps[app] | table.members[member] | table.sets[set] == table.wanted)
    }

    fn all_in_app(&self, app: usize) -> bool {
        self.tables.iter().all(|table| table.apps[app] == table.wanted)
    }

    fn all_in_member(&self, member: usize) -> bool {
        self.tables.iter().all(|table| table.members[member] == table.wanted)
    }
}

/// What every filter, list and search of one picture needs and none should make anew: folded texts, ranks by name, sums per row.
/// Made once for a picture and meaningless for any other.
#[derive(Clone, Debug)]
pub struct Index {
    pub(super) app_texts: Texts,
    pub(super) member_texts: Texts,
    set_texts: Texts,
    /// What the palette looks into: names and addresses here, ids apart, apps first and members after them.
    pub(super) names: Texts,
    pub(super) ids: Texts,

    pub(super) client_types: Postings,
    pub(super) roles: Postings,
    pub(super) statuses: Postings,
    /// Of every scope the sets that have it.
    pub(super) scopes: Postings,
    /// How wide each of `scopes` is, as far as the widths of sets tell.
    pub(super) scope_levels: Vec<u8>,
    /// For each set its scopes by their number in `scopes`, each once, ascending.
    pub(super) scopes_of_set: Vec<Vec<u32>>,
    /// For each set the first that has the same scopes, in whatever order: the two are one set.
    pub(super) same_set: Vec<u32>,

    /// Apps and members by name; for each its place in that order.
    pub(super) apps_by_name: Vec<u32>,
    pub(super) app_rank: Vec<u32>,
    pub(super) members_by_name: Vec<u32>,
    pub(super) member_rank: Vec<u32>,
    /// The place among all names, apps' and members' in one.
    pub(super) common_rank: Vec<u32>,
    /// Grants by the app's place, then the member's.
    pub(super) grants_by_name: Vec<u32>,
    /// Numbers for the other orders; equal where the thing itself is equal.
    pub(super) type_rank: Vec<u32>,
    pub(super) status_rank: Vec<u32>,
    pub(super) seen_rank: Vec<u32>,
    pub(super) app_seen_rank: Vec<u32>,
    /// One more than the rank of the newest of a member's grants; 0 without grants.
    pub(super) member_seen_rank: Vec<u32>,
    /// The set that a member's width comes from.
    pub(super) widest_set: Vec<Option<u32>>,

    /// Rows of the list of apps when groups are one row each, and the row that each app is in.
    pub(super) folded: Vec<FoldedRow>,
    pub(super) folded_row: Vec<u32>,

    pub(super) app_changes: Vec<ChangeCounts>,
    pub(super) member_changes: Vec<ChangeCounts>,
}

/// A row that stands for one app or for a group of look-alikes.
#[derive(Clone, Debug)]
pub(super) struct FoldedRow {
    /// The app whose name it bears: of a group the one with the most grants.
    pub face: u32,
    pub group: Option<u32>,
    pub apps: Vec<u32>,
    pub grants: u32,
    /// The app that its width comes from.
    pub widest: u32,
    pub first_seen: FirstSeen,
}

impl Index {
    /// Reads a picture once through: about 0.1 s for 100,000 grants.
    #[must_use]
    pub fn new(picture: &Picture) -> Self {
        let (apps, members, sets) = (&picture.apps, &picture.members, &picture.scope_sets);
        let mut app_texts = Texts::default();
        let mut member_texts = Texts::default();
        let mut set_texts = Texts::default();
        let mut names = Texts::default();
        let mut ids = Texts::default();
        let mut client_types = Postings::default();
        let mut roles = Postings::default();
        let mut statuses = Postings::default();
        let mut scopes = Postings::default();
        for (at, app) in apps.iter().enumerate() {
            let hyphens = app.client_type.replace('_', "-");
            app_texts.push([&*app.name, &app.description, app.id.as_str(), &app.client_type, &hyphens]);
            names.push([&*app.name]);
            ids.push([app.id.as_str()]);
            client_types.add(&app.client_type, at);
        }
        for (at, person) in members.iter().enumerate() {
            ids.push([person.id.as_str()]);
            match &person.known {
                Some(known) => {
                    let own = [&*known.name, &known.email, person.id.as_str(), &known.status];
                    member_texts.push(own.into_iter().chain(known.roles.iter().map(String::as_str)));
                    names.push([&*known.name, &known.email]);
                    statuses.add(&known.status, at);
                    known.roles.iter().for_each(|role| roles.add(role, at));
                }
                None => {
                    member_texts.push([person.id.as_str()]);
                    names.push([]);
                    statuses.add(UNKNOWN, at);
                }
            }
        }
        let mut scopes_of_set = Vec::with_capacity(sets.len());
        for (at, set) in sets.iter().enumerate() {
            set_texts.push(set.scopes.iter().map(String::as_str));
            let mut numbers: Vec<u32> = set
                .scopes
                .iter()
                .map(|scope| {
                    scopes.add(scope, at);
                    scopes.at[scope]
                })
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            scopes_of_set.push(numbers);
        }
        let mut first: HashMap<&[u32], u32> = HashMap::new();
        let same_set =
            scopes_of_set.iter().enumerate().map(|(at, set)| *first.entry(set).or_insert(u32_of(at))).collect();
        let scope_levels = scope_levels(picture, &scopes);

        let app_keys: Vec<_> = apps
            .iter()
            .map(|app| name_key(if app.name.trim().is_empty() { app.id.as_str() } else { &app.name }))
            .collect();
        let member_keys: Vec<_> = members.iter().map(|person| name_key(member_label(person))).collect();
        let mut apps_by_name: Vec<u32> = (0..u32_of(apps.len())).collect();
        apps_by_name.sort_by_key(|&at| (&app_keys[at as usize], &apps[at as usize].id));
        let mut members_by_name: Vec<u32> = (0..u32_of(members.len())).collect();
        members_by_name.sort_by_key(|&at| (&member_keys[at as usize], &members[at as usize].id));
        let (app_rank, member_rank) = (places(&apps_by_name), places(&members_by_name));
        let mut common: Vec<u32> = apps_by_name.clone();
        common.extend(members_by_name.iter().map(|&at| at + u32_of(apps.len())));
        let key = |at: u32| app_keys.get(at as usize).unwrap_or_else(|| &member_keys[at as usize - apps.len()]);
        // Stable, so that equal names stay as they were put: apps first, each kind by id.
        common.sort_by_key(|&at| key(at));

        let all: Vec<u32> = (0..u32_of(picture.grants.len())).collect();
        let by_member = in_buckets(all, members.len(), |at| member_rank[picture.grants[at as usize].member as usize]);
        let grants_by_name = in_buckets(by_member, apps.len(), |at| app_rank[picture.grants[at as usize].app as usize]);

        let seen_rank = ranks(picture.grants.iter().map(|grant| grant.first_seen));
        let mut member_seen_rank = vec![0; members.len()];
        let mut widest_set: Vec<Option<u32>> = vec![None; members.len()];
        let mut app_changes = vec![ChangeCounts::default(); apps.len()];
        let mut member_changes = vec![ChangeCounts::default(); members.len()];
        for (at, grant) in picture.grants.iter().enumerate() {
            let Grant { app, member, scopes, change, .. } = *grant;
            let newest: &mut u32 = &mut member_seen_rank[member as usize];
            *newest = (*newest).max(seen_rank[at] + 1);
            let widest = &mut widest_set[member as usize];
            if widest.is_none_or(|set| sets[set as usize].width.level < sets[scopes as usize].width.level) {
                *widest = Some(scopes);
            }
            if let Some(change) = change {
                app_changes[app as usize].add(change);
                member_changes[member as usize].add(change);
            }
        }
        for gone in &picture.gone {
            if let Some(app) = picture.app(&gone.app) {
                app_changes[app as usize].add(Change::Gone);
            }
            if let Some(member) = picture.member(&gone.member) {
                member_changes[member as usize].add(Change::Gone);
            }
        }

        let (folded, folded_row) = folded_rows(picture, &app_rank);
        Self {
            type_rank: ranks(apps.iter().map(|app| &app.client_type)),
            status_rank: ranks(
                members.iter().map(|person| person.known.as_ref().map_or(UNKNOWN, |known| &known.status)),
            ),
            app_seen_rank: ranks(apps.iter().map(|app| app.first_seen)),
            common_rank: places(&common),
            app_texts,
            member_texts,
            set_texts,
            names,
            ids,
            client_types,
            roles,
            statuses,
            scopes,
            scope_levels,
            scopes_of_set,
            same_set,
            apps_by_name,
            app_rank,
            members_by_name,
            member_rank,
            grants_by_name,
            seen_rank,
            member_seen_rank,
            widest_set,
            folded,
            folded_row,
            app_changes,
            member_changes,
        }
    }

    /// A member's width: of the widest of their grants.
    pub(super) fn member_width(&self, picture: &Picture, member: u32) -> Width {
        self.widest_set[member as usize]
            .map_or_else(Width::default, |set| picture.scope_sets[set as usize].width.clone())
    }
}

/// What a member goes by: their name, else their address, else their id.
fn member_label(person: &Person) -> &str {
    let known = person.known.iter().flat_map(|known| [&*known.name, &*known.email]);
    known.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_else(|| person.id.as_str())
}

/// Names are put in order as they are read: without regard to case, and only then by case.
fn name_key(label: &str) -> (String, String) {
    (folded(label), label.to_owned())
}

/// How wide each scope is. A set is as wide as its widest scope, so a scope is no wider than the narrowest set it is in; and the
/// scope that a set's rating names is exactly as wide as the set. Between the two this may rate a scope too high that never occurs
/// without a wider one: good enough for what it is for, which is to show the widest first.
fn scope_levels(picture: &Picture, scopes: &Postings) -> Vec<u8> {
    let level = |set: &u32| picture.scope_sets[*set as usize].width.level;
    let rate = |(scope, sets): (&String, &Vec<u32>)| {
        let named = sets.iter().find(|set| picture.scope_sets[**set as usize].width.scope == **scope);
        named.map(level).or_else(|| sets.iter().map(level).min()).unwrap_or_default()
    };
    scopes.values.iter().zip(&scopes.rows).map(rate).collect()
}

fn folded_rows(picture: &Picture, app_rank: &[u32]) -> (Vec<FoldedRow>, Vec<u32>) {
    let mut rows: Vec<FoldedRow> = Vec::new();
    let mut row_of = vec![0; picture.apps.len()];
    let mut row_of_group: HashMap<u32, usize> = HashMap::new();
    let grants = |app: u32| u32_of(picture.of_app[app as usize].len());
    for (at, app) in picture.apps.iter().enumerate() {
        let number = u32_of(at);
        let known = app.group.and_then(|group| row_of_group.get(&group).copied());
        let row = known.unwrap_or_else(|| {
            rows.push(FoldedRow {
                face: number,
                group: app.group,
                apps: Vec::new(),
                grants: 0,
                widest: number,
                first_seen: app.first_seen,
            });
            rows.len() - 1
        });
        if let Some(group) = app.group {
            row_of_group.insert(group, row);
        }
        row_of[at] = u32_of(row);
        let row = &mut rows[row];
        let size = |app: u32| (grants(app), Reverse(app_rank[app as usize]));
        if size(number) > size(row.face) {
            row.face = number;
        }
        if app.width.level > picture.apps[row.widest as usize].width.level {
            row.widest = number;
        }
        row.first_seen = row.first_seen.min(app.first_seen);
        row.grants += grants(number);
        row.apps.push(number);
    }
    (rows, row_of)
}

/// For each value its place among the different values in order.
fn ranks<T: Ord + Clone>(values: impl Iterator<Item = T> + Clone) -> Vec<u32> {
    let mut different: Vec<T> = values.clone().collect();
    different.sort_unstable();
    different.dedup();
    values.map(|value| u32_of(different.partition_point(|other| *other < value))).collect()
}

/// For each row number its place in an order.
fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, &row) in order.iter().enumerate() {
        places[row as usize] = u32_of(place);
    }
    places
}

/// Rows put in order by a small number, those with the same one left in the order they came in. One pass to count and one to
/// place, however many rows: comparing would be the slowest part of a key stroke.
pub(super) fn in_buckets(rows: Vec<u32>, numbers: usize, number: impl Fn(u32) -> u32) -> Vec<u32> {
    let mut begin = vec![0_u32; numbers + 1];
    for &row in &rows {
        begin[number(row) as usize + 1] += 1;
    }
    for at in 0..numbers {
        begin[at + 1] += begin[at];
    }
    let mut placed = vec![0; rows.len()];
    for row in rows {
        let place = &mut begin[number(row) as usize];
        placed[*place as usize] = row;
        *place += 1;
    }
    placed
}

/// A set of row numbers.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    fn all(len: usize) -> Self {
        Self { words: vec![u64::MAX; len.div_ceil(64)] }
    }

    pub fn get(&self, at: usize) -> bool {
        self.words[at / 64] & (1 << (at % 64)) != 0
    }

    pub fn set(&mut self, at: usize) {
        self.words[at / 64] |= 1 << (at % 64);
    }

    /// Drops everything that is not among `rows`.
    fn keep(&mut self, rows: impl Iterator<Item = u32>) {
        let mut kept = Self { words: vec![0; self.words.len()] };
        rows.for_each(|row| kept.set(row as usize));
        self.words.iter_mut().zip(kept.words).for_each(|(word, kept)| *word &= kept);
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(u32_of(at * 64) + bit)
            })
        })
    }
}

/// The folded texts of many rows in one piece, so that one search runs over all of them. Each text of a row, and each row, ends
/// with a line feed, which no word contains: nothing is found across a border.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    fn push<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        for text in texts {
            self.text.push_str(&folded(text));
            self.text.push('\n');
        }
        self.ends.push(u32_of(self.text.len()));
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// One row's texts.
    pub fn row(&self, row: usize) -> &str {
        let begin = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[begin..self.ends[row] as usize]
    }

    /// Every row in which something is found, once and ascending.
    fn each_with(&self, finder: &Finder<'_>, mut found: impl FnMut(usize)) {
        let (mut at, mut row) = (0, 0);
        while let Some(hit) = finder.find(&self.text.as_bytes()[at..]) {
            let hit = at + hit;
            row += self.ends[row..].partition_point(|&end| end as usize <= hit);
            found(row);
            at = self.ends[row] as usize;
            row += 1;
        }
    }
}

/// Of every value that occurs, the rows that have it, each once and ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct Postings {
    pub values: Vec<String>,
    pub at: HashMap<String, u32>,
    pub rows: Vec<Vec<u32>>,
}

impl Postings {
    /// Notes a row that has the value. Rows come in ascending order.
    fn add(&mut self, value: &str, row: usize) {
        let at = match self.at.get(value) {
            Some(&at) => at as usize,
            None => {
                let at = self.values.len();
                self.values.push(value.to_owned());
                self.at.insert(value.to_owned(), u32_of(at));
                self.rows.push(Vec::new());
                at
            }
        };
        let row = u32_of(row);
        if self.rows[at].last() != Some(&row) {
            self.rows[at].push(row);
        }
    }

    /// Rows that have any of the values; some of them several times.
    fn rows_of(&self, values: &[String]) -> impl Iterator<Item = u32> {
        values.iter().filter_map(|value| self.at.get(value)).flat_map(|&at| self.rows[at as usize].iter().copied())
    }
}

//! What is asked of an inventory, tried on pictures that no organization would have: filters, lists, selections, the palette and
//! the map against the plainest program that does the same. Nothing here is fast; all of it can be read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use cutoff::inventory::filter::{Filter, Index, LookAlike, Matches};
use cutoff::inventory::find::{Hit, find};
use cutoff::inventory::list::{
    self, AppRow, ChangeCounts, Facet, Query, SortKey, SortedApps, SortedGrants, SortedMembers,
};
use cutoff::inventory::look_alike::{Group, OddKind, Oddity};
use cutoff::inventory::map::{self, View};
use cutoff::inventory::picture::{
    App, Change, Facts, FirstSeen, GoneGrant, Grant, Known, Names, Person, Picture, Reading, ScopeSet,
};
use cutoff::inventory::selection::{Noun, Resolved, RowId, Selection};
use cutoff::inventory::width::Width;
use jiff::Timestamp;
use proptest::collection::{hash_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index as Pick, select};
use stytch_b2b::{ConnectedAppId, MemberId};

// ---- pictures -----------------------------------------------------------------------------------------------------

const NAMES: [&str; 20] = [
    "",
    "  ",
    "DataSync",
    "datasync",
    "Data Sync",
    "Claude",
    "Сlaude",
    "ΟΔΟΣ",
    "οδος",
    "İstanbul ﬁle",
    "Straße STRASSE",
    "a\nb",
    "\u{202e}evil",
    "z\u{200b}w",
    "=1+1",
    "\"<b>",
    "🦀 crab",
    "éé",
    "aaab",
    "Zed",
];
const WORDS: [&str; 26] = [
    "d",
    "DATA",
    "sync",
    "claude",
    "С",
    "οδος",
    "ΟΔΟ",
    "σ",
    "i̇",
    "İ",
    "ß",
    "ss",
    "ﬁ",
    "b",
    "\u{202e}",
    "\u{200b}w",
    "🦀",
    "é",
    "aab",
    "third-party",
    "third_party",
    "admin",
    "@x.test",
    "read",
    "unknown",
    "zz",
];
const TYPES: [&str; 3] = ["third_party_public", "third_party_confidential", "first_party"];
const ROLES: [&str; 3] = ["stytch_admin", "reader", "Ä-Rolle"];
const STATUSES: [&str; 4] = ["active", "invited", "", "unknown"];
const SCOPES: [&str; 6] = ["openid", "full_access", "contacts.read", "contacts.write", "admin:*", "Read It"];
const CHANGES: [Change; 5] = [Change::New, Change::Widened, Change::Narrowed, Change::Altered, Change::Gone];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn facts() -> Facts {
    Facts {
        organization_id: "organization".into(),
        organization_name: "Acme".into(),
        base_url: "http://127.0.0.1:1".into(),
        sandbox: true,
        live: false,
        read_by: "admin@acme.test".into(),
        reader: "member-0".into(),
        snapshot: Some(9),
        began: at(0),
        ended: at(1),
        missing: Vec::new(),
        found_gone: 0,
        names: Names::Read,
        since: None,
        under_way: false,
        unreadable_apps: Vec::new(),
        unreadable_members: Vec::new(),
    }
}

fn app_id(n: usize) -> ConnectedAppId {
    format!("app-{n}").into()
}

fn member_id(n: usize) -> MemberId {
    format!("member-{n}").into()
}

fn first_seen() -> impl Strategy<Value = FirstSeen> + Clone {
    (0..4_i64, any::<bool>())
        .prop_map(|(by, first)| FirstSeen { by: at(by * 10), after: (!first).then(|| at(by * 10 - 5)) })
}

/// What the set's rating would be by a rule that calls a scope as wide as its place among `SCOPES` says.
fn width_of(scopes: &[String]) -> Width {
    let level = |scope: &String| match SCOPES.iter().position(|known| known == scope) {
        Some(0 | 2 | 5) => 1,
        Some(3) => 2,
        _ => 3,
    };
    // The first of the widest gives its name, as the rules do it.
    let widest = scopes.iter().rev().max_by_key(|scope| level(scope));
    widest.map_or_else(Width::default, |scope| Width { level: level(scope), rule: "rule".into(), scope: scope.clone() })
}

/// The pictures of one organization share ids: any of the first ten of each kind may be there or not.
fn picture() -> impl Strategy<Value = Picture> {
    let app = (
        (select(&NAMES[..]), select(&NAMES[..]), select(&TYPES[..])),
        first_seen(),
        prop_oneof![2 => Just(None), 3 => (0..3_u32).prop_map(Some)],
        prop::bool::weighted(0.3),
    );
    let known = (select(&NAMES[..]), select(&NAMES[..]), select(&STATUSES[..]), vec(select(&ROLES[..]), 0..3));
    let sets = vec(vec(select(&SCOPES[..]), 0..4), 1..5);
    let grant = (
        any::<bool>(),
        any::<Pick>(),
        0..5_u32,
        first_seen(),
        prop_oneof![2 => Just(None), 1 => select(&CHANGES[..]).prop_map(Some)],
    );
    let gone = vec((0..12_usize, 0..12_usize), 0..4);
    (
        hash_set(0..10_usize, 0..8).prop_flat_map(move |ids| (Just(ids.clone()), vec(app.clone(), ids.len()))),
        hash_set(0..10_usize, 0..8)
            .prop_flat_map(move |ids| (Just(ids.clone()), vec(prop::option::weighted(0.8, known.clone()), ids.len()))),
        sets,
        vec(grant, 64),
        gone,
    )
        .prop_map(|((app_ids, apps), (member_ids, members), sets, cells, gone)| {
            let scope_sets: Vec<ScopeSet> = sets
                .into_iter()
                .map(|scopes| {
                    let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
                    ScopeSet { width: width_of(&scopes), scopes }
                })
                .collect();
            let mut grants = Vec::new();
            let mut cells = cells.into_iter();
            for app in 0..apps.len() {
                for member in 0..members.len() {
                    let (there, set, seen_by, first_seen, change) = cells.next().expect("64 cells");
                    // The first app and the first member have no grants, so that such rows are always tried.
                    if there && app > 0 && member > 0 {
                        grants.push(Grant {
                            app: app as u32,
                            member: member as u32,
                            scopes: set.index(scope_sets.len()) as u32,
                            seen_by,
                            first_seen,
                            change,
                            scopes_before: None,
                        });
                    }
                }
            }
            let apps: Vec<App> = app_ids
                .into_iter()
                .zip(apps)
                .enumerate()
                .map(|(place, (id, ((name, description, client_type), first_seen, group, odd)))| {
                    let own = grants.iter().filter(|grant| grant.app as usize == place);
                    let width =
                        own.map(|grant| scope_sets[grant.scopes as usize].width.clone()).max_by_key(|w| w.level);
                    App {
                        id: app_id(id),
                        name: name.into(),
                        description: description.into(),
                        client_type: client_type.into(),
                        reading: Reading::Complete,
                        first_seen,
                        group,
                        odd: odd
                            .then(|| Oddity { kind: OddKind::Confusable, detail: "U+0421".into(), beside: None })
                            .into_iter()
                            .collect(),
                        width: width.unwrap_or_default(),
                        unreadable: Vec::new(),
                    }
                })
                .collect();
            let members = member_ids
                .into_iter()
                .zip(members)
                .map(|(id, known)| Person {
                    id: member_id(id),
                    known: known.map(|(name, email, status, roles)| Known {
                        name: name.into(),
                        email: format!("{}@x.test", email.trim()),
                        status: status.into(),
                        roles: roles.into_iter().map(str::to_owned).collect(),
                    }),
                })
                .collect();
            let mut picture = Picture::new(facts(), apps, members, scope_sets, grants);
            let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (place, app) in picture.apps.iter().enumerate() {
                if let Some(group) = app.group {
                    groups.entry(group).or_default().push(place as u32);
                }
            }
            for app in &mut picture.apps {
                app.group = None;
            }
            for (name, apps) in groups.into_iter().filter(|(_, apps)| apps.len() > 1) {
                for &app in &apps {
                    picture.apps[app as usize].group = Some(picture.groups.len() as u32);
                }
                picture.groups.push(Group { id: format!("look-{name}"), apps });
            }
            picture.gone = gone
                .into_iter()
                .map(|(app, member)| GoneGrant {
                    app: app_id(app),
                    app_name: "gone".into(),
                    client_type: TYPES[0].into(),
                    member: member_id(member),
                    known: None,
                    scopes: ScopeSet { scopes: Vec::new(), width: Width::default() },
                    first_seen: FirstSeen { by: at(0), after: None },
                })
                .collect();
            picture
        })
}

/// Each criterion given in a third of the cases, so that some of their combinations match something.
fn filter() -> impl Strategy<Value = Filter> {
    fn some<T: std::fmt::Debug + Clone + 'static>(
        one: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Vec<T>> {
        prop_oneof![5 => Just(Vec::new()), 1 => vec(one, 1..3)]
    }
    let strings = |from: &'static [&'static str]| some(select(from).prop_map(str::to_owned));
    (
        (prop_oneof![1 => Just(Vec::new()), 1 => vec(select(&WORDS[..]), 0..4)], any::<bool>()),
        some((0..12_usize).prop_map(app_id)),
        strings(&TYPES),
        some((0..12_usize).prop_map(member_id)),
        strings(&ROLES),
        strings(&STATUSES),
        strings(&SCOPES),
        some(0..4_u8),
        some(select(&CHANGES[..])),
        prop_oneof![5 => Just(None), 1 => (0..5_u32).prop_map(Some)],
        some(select(vec![LookAlike::Grouped, LookAlike::Odd])),
        prop_oneof![5 => Just(None), 1 => (0..4_u32).prop_map(|group| Some(format!("look-{group}")))],
    )
        .prop_map(
            |(
                (words, wide),
                apps,
                client_types,
                members,
                roles,
                statuses,
                scopes,
                levels,
                changes,
                after,
                looks,
                group,
            )| {
                Filter {
                    text: words.join(if wide { "\u{3000}\t" } else { " " }),
                    apps,
                    client_types,
                    members,
                    roles,
                    statuses,
                    scopes,
                    levels,
                    changes,
                    first_seen_after: after,
                    look_alikes: looks,
                    group,
                }
            },
        )
}

fn query() -> impl Strategy<Value = Query> {
    let sorts = vec![
        SortKey::Name,
        SortKey::Member,
        SortKey::Type,
        SortKey::Grants,
        SortKey::Width,
        SortKey::FirstSeen,
        SortKey::Status,
    ];
    (
        prop_oneof![1 => Just(Filter::default()), 2 => filter()],
        select(sorts),
        any::<bool>(),
        any::<bool>(),
        0..9_u32,
        0..9_u32,
    )
        .prop_map(|(filter, sort, descending, fold, offset, count)| Query {
            filter,
            sort,
            descending,
            fold,
            offset,
            count,
        })
}

// ---- the plain program --------------------------------------------------------------------------------------------

fn lower(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

fn holds<T: PartialEq>(given: &[T], any: impl Fn(&T) -> bool) -> bool {
    given.is_empty() || given.iter().any(any)
}

fn app_passes(picture: &Picture, filter: &Filter, app: &App) -> bool {
    let group = app.group.map(|group| &picture.groups[group as usize].id);
    holds(&filter.apps, |id| *id == app.id)
        && holds(&filter.client_types, |kind| *kind == app.client_type)
        && holds(&filter.look_alikes, |look| match look {
            LookAlike::Grouped => group.is_some(),
            LookAlike::Odd => !app.odd.is_empty(),
        })
        && (filter.group.is_none() || filter.group.as_ref() == group)
}

fn member_passes(filter: &Filter, person: &Person) -> bool {
    holds(&filter.members, |id| *id == person.id)
        && holds(&filter.roles, |role| person.known.as_ref().is_some_and(|known| known.roles.contains(role)))
        && holds(&filter.statuses, |status| match &person.known {
            Some(known) => known.status == *status,
            None => status == "unknown",
        })
}

fn app_has(app: &App, word: &str) -> bool {
    let hyphens = app.client_type.replace('_', "-");
    [&*app.name, &app.description, app.id.as_str(), &app.client_type, &hyphens]
        .iter()
        .any(|text| lower(text).contains(word))
}

fn member_has(person: &Person, word: &str) -> bool {
    let known = person.known.clone().unwrap_or_default();
    let mut texts = vec![person.id.to_string(), known.name, known.email, known.status];
    texts.extend(known.roles);
    texts.iter().any(|text| lower(text).contains(word))
}

fn words(filter: &Filter) -> Vec<String> {
    filter.text.split_whitespace().map(lower).collect()
}

fn grant_matches(picture: &Picture, filter: &Filter, grant: &Grant) -> bool {
    let (app, person) = (&picture.apps[grant.app as usize], &picture.members[grant.member as usize]);
    let set = picture.scopes(grant);
    app_passes(picture, filter, app)
        && member_passes(filter, person)
        && holds(&filter.scopes, |scope| set.scopes.contains(scope))
        && holds(&filter.levels, |level| *level == set.width.level)
        && holds(&filter.changes, |change| Some(*change) == grant.change)
        && filter.first_seen_after.is_none_or(|after| grant.seen_by == 0 || grant.seen_by > after)
        && words(filter).iter().all(|word| {
            app_has(app, word) || member_has(person, word) || set.scopes.iter().any(|scope| lower(scope).contains(word))
        })
}

fn matching(picture: &Picture, filter: &Filter) -> Vec<u32> {
    (0..picture.grants.len() as u32)
        .filter(|&at| grant_matches(picture, filter, &picture.grants[at as usize]))
        .collect()
}

fn of_grants(filter: &Filter) -> bool {
    !(filter.scopes.is_empty()
        && filter.levels.is_empty()
        && filter.changes.is_empty()
        && filter.first_seen_after.is_none())
}

fn app_matches(picture: &Picture, filter: &Filter, app: u32) -> bool {
    let own: Vec<_> = picture.grants.iter().filter(|grant| grant.app == app).collect();
    let face = &picture.apps[app as usize];
    let asks_more =
        of_grants(filter) || !(filter.members.is_empty() && filter.roles.is_empty() && filter.statuses.is_empty());
    if own.is_empty() {
        !asks_more && app_passes(picture, filter, face) && words(filter).iter().all(|word| app_has(face, word))
    } else {
        own.into_iter().any(|grant| grant_matches(picture, filter, grant))
    }
}

fn member_matches(picture: &Picture, filter: &Filter, member: u32) -> bool {
    let own: Vec<_> = picture.grants.iter().filter(|grant| grant.member == member).collect();
    let face = &picture.members[member as usize];
    let asks_more = of_grants(filter)
        || !(filter.apps.is_empty()
            && filter.client_types.is_empty()
            && filter.look_alikes.is_empty()
            && filter.group.is_none());
    if own.is_empty() {
        !asks_more && member_passes(filter, face) && words(filter).iter().all(|word| member_has(face, word))
    } else {
        own.into_iter().any(|grant| grant_matches(picture, filter, grant))
    }
}

type Label = (String, String, String);

fn app_label(picture: &Picture, app: u32) -> Label {
    let app = &picture.apps[app as usize];
    let label = if app.name.trim().is_empty() { app.id.to_string() } else { app.name.clone() };
    (lower(&label), label, app.id.to_string())
}

fn member_label(picture: &Picture, member: u32) -> Label {
    let person = &picture.members[member as usize];
    let known = person.known.clone().unwrap_or_default();
    let texts = [known.name, known.email, person.id.to_string()];
    let label = texts.into_iter().find(|text| !text.trim().is_empty()).expect("an id");
    (lower(&label), label, person.id.to_string())
}

fn status(picture: &Picture, member: u32) -> String {
    picture.members[member as usize].known.as_ref().map_or("unknown".into(), |known| known.status.clone())
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Primary {
    Label(Label),
    Text(String),
    Number(usize),
    Seen(Option<FirstSeen>),
}

/// What comes first, and how ties are broken.
fn put_in_order<T: Copy>(
    rows: &mut [T],
    descending: bool,
    primary: impl Fn(T) -> Primary,
    tie: impl Fn(T) -> (Label, Label),
) {
    rows.sort_by(|&a, &b| {
        let order = primary(a).cmp(&primary(b));
        (if descending { order.reverse() } else { order }).then_with(|| tie(a).cmp(&tie(b)))
    });
}

/// Rows of the list of apps: the row, its face, its apps.
fn app_rows(picture: &Picture, fold: bool) -> Vec<(AppRow, u32, Vec<u32>)> {
    let mut rows = Vec::new();
    for app in 0..picture.apps.len() as u32 {
        match picture.apps[app as usize].group.filter(|_| fold) {
            None => rows.push((AppRow::App(app), app, vec![app])),
            Some(group) => {
                let apps = picture.groups[group as usize].apps.clone();
                let size = |app: u32| picture.grants.iter().filter(|grant| grant.app == app).count();
                let face = *apps
                    .iter()
                    .min_by_key(|&&app| (Reverse(size(app)), app_label(picture, app)))
                    .expect("a group has apps");
                if apps[0] == app {
                    rows.push((AppRow::Group(group), face, apps));
                }
            }
        }
    }
    rows
}

fn plain_apps(picture: &Picture, query: &Query) -> Vec<(AppRow, u32, Vec<u32>)> {
    let rows = app_rows(picture, query.fold);
    let mut order: Vec<usize> = (0..rows.len())
        .filter(|&row| rows[row].2.iter().any(|&app| app_matches(picture, &query.filter, app)))
        .collect();
    let label = |row: usize| app_label(picture, rows[row].1);
    let primary = |row: usize| {
        let (_, face, apps) = &rows[row];
        let all = || apps.iter().map(|&app| &picture.apps[app as usize]);
        match query.sort {
            SortKey::Name | SortKey::Member | SortKey::Status => Primary::Label(label(row)),
            SortKey::Type => Primary::Text(picture.apps[*face as usize].client_type.clone()),
            SortKey::Grants => Primary::Number(picture.grants.iter().filter(|grant| apps.contains(&grant.app)).count()),
            SortKey::Width => Primary::Number(all().map(|app| app.width.level).max().expect("an app").into()),
            SortKey::FirstSeen => Primary::Seen(all().map(|app| app.first_seen).min()),
        }
    };
    put_in_order(&mut order, query.descending, primary, |row| (label(row), label(row)));
    order.into_iter().map(|row| rows[row].clone()).collect()
}

fn plain_members(picture: &Picture, query: &Query) -> Vec<u32> {
    let mut order: Vec<u32> =
        (0..picture.members.len() as u32).filter(|&member| member_matches(picture, &query.filter, member)).collect();
    let label = |member: u32| member_label(picture, member);
    let primary = |member: u32| {
        let own = || picture.grants.iter().filter(|grant| grant.member == member);
        match query.sort {
            SortKey::Name | SortKey::Member | SortKey::Type => Primary::Label(label(member)),
            SortKey::Grants => Primary::Number(own().count()),
            SortKey::Width => {
                Primary::Number(own().map(|grant| picture.scopes(grant).width.level).max().unwrap_or_default().into())
            }
            SortKey::FirstSeen => Primary::Seen(own().map(|grant| grant.first_seen).max()),
            SortKey::Status => Primary::Text(status(picture, member)),
        }
    };
    put_in_order(&mut order, query.descending, primary, |member| (label(member), label(member)));
    order
}

fn plain_grants(picture: &Picture, query: &Query) -> Vec<u32> {
    let mut order = matching(picture, &query.filter);
    let grant = |at: u32| &picture.grants[at as usize];
    let primary = |at: u32| match query.sort {
        SortKey::Name => Primary::Label(app_label(picture, grant(at).app)),
        SortKey::Member => Primary::Label(member_label(picture, grant(at).member)),
        SortKey::Type => Primary::Text(picture.apps[grant(at).app as usize].client_type.clone()),
        SortKey::Grants => Primary::Number(picture.grants.iter().filter(|other| other.app == grant(at).app).count()),
        SortKey::Width => Primary::Number(picture.scopes(grant(at)).width.level.into()),
        SortKey::FirstSeen => Primary::Seen(Some(grant(at).first_seen)),
        SortKey::Status => Primary::Text(status(picture, grant(at).member)),
    };
    let tie = |at: u32| (app_label(picture, grant(at).app), member_label(picture, grant(at).member));
    put_in_order(&mut order, query.descending, primary, tie);
    order
}

fn counts<'a>(
    picture: &Picture,
    grants: impl Iterator<Item = &'a Grant>,
    gone: impl Fn(&GoneGrant) -> bool,
) -> ChangeCounts {
    let mut counts = ChangeCounts::default();
    grants.filter_map(|grant| grant.change).for_each(|change| match change {
        Change::New => counts.new += 1,
        Change::Widened => counts.widened += 1,
        Change::Narrowed => counts.narrowed += 1,
        Change::Altered => counts.altered += 1,
        Change::Gone => counts.gone += 1,
    });
    counts.gone += picture.gone.iter().filter(|grant| gone(grant)).count() as u32;
    counts
}

fn window<T: Clone>(rows: &[T], offset: u32, count: u32) -> Vec<T> {
    rows.iter().skip(offset as usize).take(count as usize).cloned().collect()
}

// ---- filters ------------------------------------------------------------------------------------------------------

proptest! {
    #[test]
    fn a_filter_shows_what_it_says(picture in picture(), filter in filter()) {
        let index = Index::new(&picture);
        let matches = filter.matches(&picture, &index);
        let plain = matching(&picture, &filter);
        prop_assert_eq!(matches.grants().collect::<Vec<_>>(), plain.clone());
        prop_assert_eq!(matches.count() as usize, plain.len());
        for grant in 0..picture.grants.len() as u32 {
            prop_assert_eq!(matches.grant(grant), plain.contains(&grant));
        }
        for app in 0..picture.apps.len() as u32 {
            let own = plain.iter().filter(|&&at| picture.grants[at as usize].app == app).count();
            prop_assert_eq!(matches.of_app(app) as usize, own);
            prop_assert_eq!(matches.app(app), app_matches(&picture, &filter, app), "app {}", app);
        }
        for member in 0..picture.members.len() as u32 {
            let own = plain.iter().filter(|&&at| picture.grants[at as usize].member == member).count();
            prop_assert_eq!(matches.of_member(member) as usize, own);
            prop_assert_eq!(matches.member(member), member_matches(&picture, &filter, member), "member {}", member);
        }
    }
}

/// A small picture to read: two apps and a lonely one, two members and a lonely one.
fn small() -> Picture {
    let app = |n: usize, name: &str, kind: &str| App {
        id: app_id(n),
        name: name.into(),
        description: String::new(),
        client_type: kind.into(),
        reading: Reading::Complete,
        first_seen: FirstSeen { by: at(0), after: None },
        group: None,
        odd: Vec::new(),
        width: Width::default(),
        unreadable: Vec::new(),
    };
    let person = |n: usize, name: &str, roles: &[&str]| Person {
        id: member_id(n),
        known: Some(Known {
            name: name.into(),
            email: format!("{}@acme.test", name.to_lowercase().replace(' ', ".")),
            status: "active".into(),
            roles: roles.iter().map(|&role| role.into()).collect(),
        }),
    };
    let set = |scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.into()).collect();
        ScopeSet { width: width_of(&scopes), scopes }
    };
    let grant = |app, member, scopes| Grant {
        app,
        member,
        scopes,
        seen_by: 1,
        first_seen: FirstSeen { by: at(0), after: None },
        change: None,
        scopes_before: None,
    };
    Picture::new(
        facts(),
        vec![
            app(0, "DataSync", "third_party_confidential"),
            app(1, "ΟΔΟΣ maps", "third_party_public"),
            app(2, "Lonely", "first_party"),
        ],
        vec![person(0, "Ada Moreau", &["stytch_admin"]), person(1, "Bo", &[]), person(2, "Nobody", &["reader"])],
        vec![set(&["openid", "contacts.write"]), set(&["openid"])],
        vec![grant(0, 0, 0), grant(0, 1, 1), grant(1, 0, 1)],
    )
}

fn text(text: &str) -> Filter {
    Filter { text: text.into(), ..Filter::default() }
}

#[test]
fn each_word_may_be_found_in_another_place() {
    let picture = small();
    let index = Index::new(&picture);
    let found = |words: &str| text(words).matches(&picture, &index).count();
    assert_eq!(found("datasync moreau contacts"), 1, "app, member and scope together");
    assert_eq!(found("third-party"), 3, "the type as it is read");
    assert_eq!(found("THIRD_PARTY_PUBLIC"), 1, "the type as Stytch writes it");
    assert_eq!(found("οδο"), 1, "on the way to the last letter");
    assert_eq!(found("οδος"), 1, "with the sigma that ends words");
    assert_eq!(found("datasync οδος"), 0, "no grant is of two apps");
    assert_eq!(found("moreauada"), 0, "nothing is found across two texts");
    let kind = "third-party-confidential";
    let many: HashSet<&str> = (0..kind.len() - 6).flat_map(|at| (1..6).map(move |len| &kind[at..at + len])).collect();
    let many: Vec<&str> = many.into_iter().collect();
    assert!(many.len() > 64, "more words than a table has bits");
    assert_eq!(found(&many.join(" ")), 2, "very many words, all of them there");
    assert_eq!(found(&(many.join(" ") + " zz")), 0, "very many words, the last of which is not there");
}

#[test]
fn an_app_that_nobody_uses_is_found_by_what_it_is_and_by_nothing_else() {
    let picture = small();
    let index = Index::new(&picture);
    let shown = |filter: Filter| filter.matches(&picture, &index).app(2);
    assert!(shown(Filter::default()));
    assert!(shown(text("lonely")));
    assert!(!shown(text("lonely moreau")));
    assert!(!shown(Filter { scopes: vec!["openid".into()], ..Filter::default() }));
    assert!(!shown(Filter { levels: vec![0], ..Filter::default() }), "no grants are not a grant without scopes");
    assert!(!shown(Filter { statuses: vec!["active".into()], ..Filter::default() }));
}

// ---- lists --------------------------------------------------------------------------------------------------------

/// How wide a scope is as far as sets tell, the slow way.
fn scope_level(picture: &Picture, scope: &str) -> u8 {
    let sets = || picture.scope_sets.iter().filter(|set| set.scopes.iter().any(|other| other == scope));
    let named = sets().find(|set| set.width.scope == scope);
    named.map_or_else(|| sets().map(|set| set.width.level).min().expect("it occurs"), |set| set.width.level)
}

proptest! {
    #[test]
    fn a_list_of_apps_is_in_order_and_each_row_counts_what_it_stands_for(picture in picture(), query in query()) {
        let index = Index::new(&picture);
        let plain = plain_apps(&picture, &query);
        let sorted = SortedApps::new(&picture, &index, &query);
        prop_assert_eq!(sorted.rows(&index).collect::<Vec<_>>(), plain.iter().map(|row| row.0).collect::<Vec<_>>());

        let shown = list::apps(&picture, &index, &query);
        let grants = matching(&picture, &query.filter);
        prop_assert_eq!(shown.matching as usize, plain.len());
        prop_assert_eq!(shown.total as usize, app_rows(&picture, query.fold).len());
        prop_assert_eq!(shown.grants_matching as usize, grants.len());
        prop_assert_eq!(shown.grants as usize, picture.grants.len());
        let expected = window(&plain, query.offset, query.count);
        prop_assert_eq!(shown.rows.len(), expected.len());
        for (line, (row, face, apps)) in shown.rows.iter().zip(&expected) {
            let own: Vec<&Grant> = picture.grants.iter().filter(|grant| apps.contains(&grant.app)).collect();
            prop_assert_eq!(line.app, *face);
            prop_assert_eq!(line.group, picture.apps[*face as usize].group);
            prop_assert_eq!(line.folded, matches!(row, AppRow::Group(_)));
            prop_assert_eq!(line.clients as usize, apps.len());
            prop_assert_eq!(line.grants as usize, own.len());
            prop_assert_eq!(line.members as usize, own.iter().map(|grant| grant.member).collect::<BTreeSet<_>>().len());
            let those = grants.iter().filter(|&&at| apps.contains(&picture.grants[at as usize].app)).count();
            prop_assert_eq!(line.grants_matching as usize, those);
            let sets: BTreeSet<BTreeSet<&String>> =
                own.iter().map(|grant| picture.scopes(grant).scopes.iter().collect()).collect();
            prop_assert_eq!(line.scope_sets as usize, sets.len());
            let mut scopes: Vec<&String> = sets.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(line.scope_count as usize, scopes.len());
            let how_often = |scope: &String| own.iter().filter(|grant| picture.scopes(grant).scopes.contains(scope)).count();
            scopes.sort_by_key(|&scope| (Reverse(scope_level(&picture, scope)), Reverse(how_often(scope)), scope.clone()));
            prop_assert_eq!(line.scopes.iter().collect::<Vec<_>>(), scopes);
            let widest = apps.iter().map(|&app| picture.apps[app as usize].width.level).max();
            prop_assert_eq!(Some(line.width.level), widest);
            let first = apps.iter().map(|&app| picture.apps[app as usize].first_seen).min();
            prop_assert_eq!(Some(line.first_seen), first);
            let ids: Vec<_> = apps.iter().map(|&app| &picture.apps[app as usize].id).collect();
            prop_assert_eq!(line.changes, counts(&picture, own.iter().copied(), |gone| ids.contains(&&gone.app)));
        }
    }

    #[test]
    fn a_list_of_members_is_in_order_and_each_row_counts_what_it_stands_for(picture in picture(), query in query()) {
        let index = Index::new(&picture);
        let plain = plain_members(&picture, &query);
        let sorted = SortedMembers::new(&picture, &index, &query);
        prop_assert_eq!(sorted.rows(), &plain[..]);
        let shown = list::members(&picture, &index, &query);
        let grants = matching(&picture, &query.filter);
        prop_assert_eq!(shown.matching as usize, plain.len());
        prop_assert_eq!(shown.total as usize, picture.members.len());
        prop_assert_eq!(shown.grants_matching as usize, grants.len());
        prop_assert_eq!(shown.grants as usize, picture.grants.len());
        let expected = window(&plain, query.offset, query.count);
        prop_assert_eq!(shown.rows.iter().map(|line| line.member).collect::<Vec<_>>(), expected);
        for line in &shown.rows {
            let own: Vec<&Grant> = picture.grants.iter().filter(|grant| grant.member == line.member).collect();
            prop_assert_eq!(line.grants as usize, own.len());
            let those = grants.iter().filter(|&&at| picture.grants[at as usize].member == line.member).count();
            prop_assert_eq!(line.grants_matching as usize, those);
            let widest = own.iter().map(|grant| picture.scopes(grant).width.level).max();
            prop_assert_eq!(line.width.level, widest.unwrap_or_default());
            let id = &picture.members[line.member as usize].id;
            prop_assert_eq!(line.changes, counts(&picture, own.iter().copied(), |gone| gone.member == *id));
        }
    }

    #[test]
    fn a_list_of_grants_is_in_order(picture in picture(), query in query()) {
        let index = Index::new(&picture);
        let plain = plain_grants(&picture, &query);
        let sorted = SortedGrants::new(&picture, &index, &query);
        prop_assert_eq!(sorted.rows(), &plain[..]);
        let shown = list::grants(&picture, &index, &query);
        prop_assert_eq!(shown.rows, window(&plain, query.offset, query.count));
        prop_assert_eq!(shown.matching as usize, plain.len());
        prop_assert_eq!(shown.total as usize, picture.grants.len());
    }

    #[test]
    fn scrolling_shows_every_row_once(picture in picture(), query in query(), page in 1..5_u32) {
        let index = Index::new(&picture);
        let page_of = |offset: u32| Query { offset, count: page, ..query.clone() };
        let (mut apps, mut members, mut grants) = (Vec::new(), Vec::new(), Vec::new());
        for offset in (0..80).step_by(page as usize) {
            apps.extend(list::apps(&picture, &index, &page_of(offset)).rows.iter().map(|line| line.app));
            members.extend(list::members(&picture, &index, &page_of(offset)).rows.iter().map(|line| line.member));
            grants.extend(list::grants(&picture, &index, &page_of(offset)).rows);
        }
        prop_assert_eq!(apps, plain_apps(&picture, &query).iter().map(|row| row.1).collect::<Vec<_>>());
        prop_assert_eq!(members, plain_members(&picture, &query));
        prop_assert_eq!(grants, plain_grants(&picture, &query));
    }

    #[test]
    fn the_number_beside_a_choice_is_what_choosing_it_shows(picture in picture()) {
        let index = Index::new(&picture);
        let facets = list::facets(&picture, &index);
        let check = |shown: &[Facet], there: BTreeSet<String>, filter: &dyn Fn(&str) -> Filter| {
            let mut plain: Vec<(Reverse<u32>, String)> = there
                .into_iter()
                .map(|value| (Reverse(matching(&picture, &filter(&value)).len() as u32), value))
                .collect();
            plain.sort();
            let shown: Vec<_> = shown.iter().map(|facet| (Reverse(facet.grants), facet.value.clone())).collect();
            prop_assert_eq!(shown, plain);
            Ok(())
        };
        let types = picture.apps.iter().map(|app| app.client_type.clone()).collect();
        check(&facets.client_types, types, &|kind| Filter { client_types: vec![kind.into()], ..Filter::default() })?;
        let roles = picture.members.iter().filter_map(|person| person.known.clone()).flat_map(|known| known.roles).collect();
        check(&facets.roles, roles, &|role| Filter { roles: vec![role.into()], ..Filter::default() })?;
        let statuses = (0..picture.members.len() as u32).map(|member| status(&picture, member)).collect();
        check(&facets.statuses, statuses, &|status| Filter { statuses: vec![status.into()], ..Filter::default() })?;
        let scopes = picture.scope_sets.iter().flat_map(|set| set.scopes.clone()).collect();
        check(&facets.scopes, scopes, &|scope| Filter { scopes: vec![scope.into()], ..Filter::default() })?;
        let levels: BTreeSet<u8> = picture.scope_sets.iter().map(|set| set.width.level).collect();
        prop_assert_eq!(facets.levels.len(), levels.len());
        for (facet, level) in facets.levels.iter().zip(levels) {
            prop_assert_eq!(&facet.value, &level.to_string());
            let filter = Filter { levels: vec![level], ..Filter::default() };
            prop_assert_eq!(facet.grants as usize, matching(&picture, &filter).len());
        }
    }
}

/// One app with one grant to one member, with very many scopes.
fn with_scopes(n: usize) -> Picture {
    let mut scopes: Vec<String> = (0..n).map(|at| format!("scope.{at:04}")).collect();
    scopes.push("full_access".into());
    let width = Width { level: 3, rule: "Full".into(), scope: "full_access".into() };
    let grant = |member, scopes| Grant {
        app: 0,
        member,
        scopes,
        seen_by: 1,
        first_seen: FirstSeen { by: at(0), after: None },
        change: None,
        scopes_before: None,
    };
    let narrow = Width { level: 1, rule: "Other".into(), scope: "scope.0007".into() };
    let mut apps = small().apps;
    apps.truncate(1);
    let mut members = small().members;
    members.truncate(2);
    Picture::new(
        facts(),
        apps,
        members,
        vec![ScopeSet { scopes, width }, ScopeSet { scopes: vec!["scope.0007".into()], width: narrow }],
        vec![grant(0, 0), grant(1, 1)],
    )
}

#[test]
fn a_row_names_twelve_scopes_and_the_widest_is_among_them() {
    let picture = with_scopes(700);
    let index = Index::new(&picture);
    let shown = list::apps(&picture, &index, &Query { count: 1, ..Query::default() });
    let line = &shown.rows[0];
    assert_eq!((line.scopes.len(), line.scope_count, line.scope_sets), (12, 701, 2));
    assert_eq!(line.scopes[0], "full_access");
    let facets = list::facets(&picture, &index);
    assert_eq!(facets.scopes.len(), 500, "as many are offered as a menu can hold");
    assert_eq!(facets.scopes[0], Facet { value: "scope.0007".into(), grants: 2 }, "the most common first");
}

// ---- selections ---------------------------------------------------------------------------------------------------

fn row_id() -> impl Strategy<Value = RowId> {
    prop_oneof![
        3 => (0..12_usize).prop_map(|n| RowId::App(app_id(n))),
        2 => (0..4_u32).prop_map(|n| RowId::Group(format!("look-{n}"))),
        3 => (0..12_usize).prop_map(|n| RowId::Member(member_id(n))),
        3 => (0..12_usize, 0..12_usize).prop_map(|(member, app)| RowId::Grant(member_id(member), app_id(app))),
    ]
}

fn selection() -> impl Strategy<Value = Selection> {
    let noun = select(vec![Noun::Apps, Noun::Members, Noun::Grants]);
    (
        noun,
        any::<bool>(),
        any::<bool>(),
        prop_oneof![1 => Just(Filter::default()), 1 => filter()],
        hash_set(row_id(), 0..5),
    )
        .prop_map(|(noun, fold, all, filter, ids)| {
            let own = |id: &RowId| match noun {
                Noun::Apps => matches!(id, RowId::App(_) | RowId::Group(_)),
                Noun::Members => matches!(id, RowId::Member(_)),
                Noun::Grants => matches!(id, RowId::Grant(..)),
            };
            Selection { noun, fold, all, filter, ids: ids.into_iter().filter(own).collect() }
        })
}

/// Apps, members and grants that an id names, or `None` when the picture does not have it.
fn named(picture: &Picture, id: &RowId) -> Option<(BTreeSet<u32>, BTreeSet<u32>, BTreeSet<u32>)> {
    let app_at = |id: &ConnectedAppId| picture.apps.iter().position(|app| app.id == *id).map(|at| at as u32);
    let member_at = |id: &MemberId| picture.members.iter().position(|person| person.id == *id).map(|at| at as u32);
    let grants = |those: &dyn Fn(&Grant) -> bool| {
        (0..picture.grants.len() as u32).filter(|&at| those(&picture.grants[at as usize])).collect::<BTreeSet<_>>()
    };
    let none = BTreeSet::new;
    match id {
        RowId::App(id) => app_at(id).map(|app| ([app].into(), none(), grants(&|grant| grant.app == app))),
        RowId::Group(id) => picture.groups.iter().find(|group| group.id == *id).map(|group| {
            (group.apps.iter().copied().collect(), none(), grants(&|grant| group.apps.contains(&grant.app)))
        }),
        RowId::Member(id) => {
            member_at(id).map(|member| (none(), [member].into(), grants(&|grant| grant.member == member)))
        }
        RowId::Grant(member, app) => {
            let (member, app) = (member_at(member)?, app_at(app)?);
            let one = grants(&|grant| grant.app == app && grant.member == member);
            (!one.is_empty()).then(|| (none(), none(), one))
        }
    }
}

fn plain_resolved(picture: &Picture, selection: &Selection) -> Resolved {
    let (mut apps, mut members, mut grants) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut lost = 0;
    for id in &selection.ids {
        match named(picture, id) {
            Some((of_apps, of_members, of_grants)) => {
                apps.extend(of_apps);
                members.extend(of_members);
                grants.extend(of_grants);
            }
            None => lost += 1,
        }
    }
    let mut rows = selection.ids.len() as u32 - lost;
    if selection.all {
        let filter = &selection.filter;
        grants = matching(picture, filter).into_iter().filter(|at| !grants.contains(at)).collect();
        let (without_apps, without_members) = (std::mem::take(&mut apps), std::mem::take(&mut members));
        match selection.noun {
            Noun::Apps => {
                let left = |app: &u32| app_matches(picture, filter, *app) && !without_apps.contains(app);
                apps = (0..picture.apps.len() as u32).filter(left).collect();
                let shown = app_rows(picture, selection.fold);
                rows = shown.iter().filter(|(.., own)| own.iter().any(|app| apps.contains(app))).count() as u32;
            }
            Noun::Members => {
                let left = |member: &u32| member_matches(picture, filter, *member) && !without_members.contains(member);
                members = (0..picture.members.len() as u32).filter(left).collect();
                rows = members.len() as u32;
            }
            Noun::Grants => rows = grants.len() as u32,
        }
    }
    for &at in &grants {
        apps.insert(picture.grants[at as usize].app);
        members.insert(picture.grants[at as usize].member);
    }
    let list = |set: BTreeSet<u32>| set.into_iter().collect::<Vec<_>>();
    Resolved { grants: list(grants), apps: list(apps), members: list(members), rows, lost }
}

proptest! {
    #[test]
    fn a_selection_is_a_rule_and_outlives_the_reading_it_was_made_in(
        before in picture(), after in picture(), selection in selection()
    ) {
        for picture in [&before, &after] {
            prop_assert_eq!(selection.resolve(picture, &Index::new(picture)), plain_resolved(picture, &selection));
        }
    }

    #[test]
    fn selecting_all_takes_what_the_list_counts(picture in picture(), query in query()) {
        let index = Index::new(&picture);
        let all = |noun| Selection { noun, fold: query.fold, all: true, filter: query.filter.clone(), ids: HashSet::new() };
        let apps = all(Noun::Apps).resolve(&picture, &index);
        let listed = list::apps(&picture, &index, &query);
        prop_assert_eq!((apps.rows, apps.grants.len() as u32), (listed.matching, listed.grants_matching));
        let members = all(Noun::Members).resolve(&picture, &index);
        let listed = list::members(&picture, &index, &query);
        prop_assert_eq!((members.rows, members.grants.len() as u32), (listed.matching, listed.grants_matching));
        let grants = all(Noun::Grants).resolve(&picture, &index);
        prop_assert_eq!(grants.rows, list::grants(&picture, &index, &query).matching);
    }
}

#[test]
fn an_app_that_was_picked_stays_one_app_after_it_has_come_to_look_like_others() {
    let mut picture = small();
    let picked = Selection {
        noun: Noun::Apps,
        fold: true,
        all: false,
        filter: text("nothing at all"),
        ids: [RowId::App(app_id(1))].into(),
    };
    let before = picked.resolve(&picture, &Index::new(&picture));
    assert_eq!((before.grants.len(), before.rows, before.lost), (1, 1, 0), "what was picked, whatever the filter");
    picture.groups.push(Group { id: "look-0".into(), apps: vec![0, 1] });
    picture.apps[0].group = Some(0);
    picture.apps[1].group = Some(0);
    assert_eq!(picked.resolve(&picture, &Index::new(&picture)), before);
    let group = Selection { ids: [RowId::Group("look-0".into())].into(), ..picked };
    assert_eq!(group.resolve(&picture, &Index::new(&picture)).grants.len(), 3, "the group is all of its apps");
}

// ---- the palette --------------------------------------------------------------------------------------------------

/// 0 at the beginning of a word, 1 inside, 2 in the id, 3 letters in order.
fn plain_fit(texts: &[String], id: &str, word: &str) -> Option<u8> {
    let mut best = None::<u8>;
    let mut note = |fit: u8| best = Some(best.map_or(fit, |best| best.min(fit)));
    for text in texts {
        let text: Vec<char> = lower(text).chars().collect();
        let word: Vec<char> = word.chars().collect();
        for begin in 0..text.len() {
            if text[begin..].starts_with(&word) {
                note(if begin == 0 || !text[begin - 1].is_alphanumeric() { 0 } else { 1 });
            }
        }
        // A name may hold line feeds of its own; letters are looked for in one line of it.
        for line in text.split(|&letter| letter == '\n') {
            let mut left = &word[..];
            for letter in line {
                if left.first() == Some(letter) {
                    left = &left[1..];
                }
            }
            if left.is_empty() {
                note(3);
            }
        }
    }
    if lower(id).contains(word) {
        note(2);
    }
    best
}

fn plain_find(picture: &Picture, text: &str) -> Vec<Hit> {
    let words: Vec<String> = text.split_whitespace().map(lower).collect();
    let worst = |texts: &[String], id: &str| {
        words.iter().map(|word| plain_fit(texts, id, word)).try_fold(0, |worst: u8, fit| Some(worst.max(fit?)))
    };
    let mut found = Vec::new();
    for app in 0..picture.apps.len() as u32 {
        let own = &picture.apps[app as usize];
        let grants = picture.grants.iter().filter(|grant| grant.app == app).count();
        if let Some(fit) = worst(std::slice::from_ref(&own.name), own.id.as_str()) {
            let (folded, label, id) = app_label(picture, app);
            found.push(((fit, Reverse(grants), folded, label, 0, id), Hit::App(app)));
        }
    }
    for member in 0..picture.members.len() as u32 {
        let own = &picture.members[member as usize];
        let texts = own.known.iter().flat_map(|known| [known.name.clone(), known.email.clone()]).collect::<Vec<_>>();
        let grants = picture.grants.iter().filter(|grant| grant.member == member).count();
        if let Some(fit) = worst(&texts, own.id.as_str()).filter(|_| !words.is_empty()) {
            let (folded, label, id) = member_label(picture, member);
            found.push(((fit, Reverse(grants), folded, label, 1, id), Hit::Member(member)));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().map(|(_, hit)| hit).collect()
}

proptest! {
    #[test]
    fn the_palette_finds_the_best_first(
        picture in picture(),
        words in vec(prop_oneof![select(&WORDS[..]).prop_map(str::to_owned), "[a-eA-E]{1,3}", "(app|member)?-[0-9]"], 0..3),
        count in 0..12_usize,
    ) {
        let text = words.join(" ");
        let plain: Vec<Hit> = plain_find(&picture, &text).into_iter().take(count).collect();
        prop_assert_eq!(find(&picture, &Index::new(&picture), &text, count), plain);
    }
}

#[test]
fn a_few_letters_find_a_member() {
    let picture = small();
    let index = Index::new(&picture);
    assert_eq!(find(&picture, &index, "mor", 9), [Hit::Member(0)], "the beginning of a later word");
    assert_eq!(find(&picture, &index, "ada mor", 9), [Hit::Member(0)]);
    assert_eq!(find(&picture, &index, "dsnc", 9), [Hit::App(0)], "letters in order");
    assert_eq!(find(&picture, &index, "member-1", 9), [Hit::Member(1)], "an id");
    assert_eq!(find(&picture, &index, "   ", 2), [Hit::App(0), Hit::App(1)], "nothing typed: what is most connected");
}

#[test]
fn the_beginning_of_a_word_counts_where_it_overlaps_what_was_found_before_it() {
    let mut picture = small();
    picture.apps[0].name = "ya-a".into();
    picture.apps[1].name = "xa-a-a".into();
    assert_eq!(find(&picture, &Index::new(&picture), "a-a", 9), [Hit::App(1), Hit::App(0)]);
}

// ---- the map ------------------------------------------------------------------------------------------------------

fn view() -> impl Strategy<Value = View> {
    (0..6_u32, 0..6_u32, 0..8_u32, 0..8_u32, 0..6_u32, 0..8_u32).prop_map(
        |(row, rows, column, columns, cells_down, cells_across)| View {
            row,
            rows,
            column,
            columns,
            cells_down,
            cells_across,
        },
    )
}

const WHOLE: View = View { row: 0, rows: 0, column: 0, columns: 0, cells_down: u32::MAX, cells_across: u32::MAX };

/// The apps that a row stands for.
fn inside(picture: &Picture, row: AppRow) -> Vec<u32> {
    match row {
        AppRow::App(app) => vec![app],
        AppRow::Group(group) => picture.groups[group as usize].apps.clone(),
    }
}

fn ordered(picture: &Picture, filter: &Filter) -> (Index, Matches, map::Order) {
    let index = Index::new(picture);
    let matches = filter.matches(picture, &index);
    let order = map::order(picture, &index, &matches);
    (index, matches, order)
}

proptest! {
    #[test]
    fn on_the_map_the_most_connected_is_on_top_and_those_with_the_same_apps_stand_together(
        picture in picture(), filter in prop_oneof![Just(Filter::default()), filter()]
    ) {
        let (_, _, order) = ordered(&picture, &filter);
        let grants: Vec<&Grant> = matching(&picture, &filter).into_iter().map(|at| &picture.grants[at as usize]).collect();
        let mut rows = app_rows(&picture, true);
        let size = |apps: &[u32]| grants.iter().filter(|grant| apps.contains(&grant.app)).count();
        rows.retain(|(.., apps)| size(apps) > 0);
        rows.sort_by_key(|(_, face, apps)| (Reverse(size(apps)), app_label(&picture, *face)));
        prop_assert_eq!(&order.rows, &rows.iter().map(|row| row.0).collect::<Vec<_>>());

        let mut columns: Vec<u32> =
            (0..picture.members.len() as u32).filter(|&member| grants.iter().any(|grant| grant.member == member)).collect();
        columns.sort_by_key(|&member| {
            let own = || grants.iter().filter(move |grant| grant.member == member);
            let digits: Vec<bool> = rows.iter().map(|(.., apps)| own().any(|grant| apps.contains(&grant.app))).collect();
            let widest = own().map(|grant| picture.scopes(grant).width.level).max();
            (Reverse(digits), Reverse(widest), member_label(&picture, member))
        });
        prop_assert_eq!(&order.columns, &columns);
    }

    #[test]
    fn on_the_map_every_grant_lies_in_one_cell(
        picture in picture(), filter in prop_oneof![Just(Filter::default()), filter()], view in view()
    ) {
        let (index, matches, order) = ordered(&picture, &filter);
        let map = map::draw(&picture, &index, &order, &matches, &view);
        prop_assert_eq!(map.total_rows as usize, order.rows.len());
        prop_assert_eq!(map.total_columns as usize, order.columns.len());

        // The bands tile the part that was asked for, evenly, and there are no more of them than cells.
        let tiles = |first: u32, count: u32, cells: u32, bands: &[(u32, u32)]| {
            let mut next = first;
            for &(first, count) in bands {
                prop_assert_eq!(first, next);
                prop_assert!(count > 0);
                next += count;
            }
            prop_assert_eq!(next, first + count);
            prop_assert_eq!(bands.len() as u32, cells.max(1).min(count));
            let sizes = bands.iter().map(|band| band.1);
            prop_assert!(sizes.clone().max().unwrap_or(0) - sizes.min().unwrap_or(0) <= 1);
            Ok(())
        };
        let part = |len: u32, first: u32, count: u32| {
            let left = len.saturating_sub(first);
            (first.min(len), if count == 0 { left } else { left.min(count) })
        };
        prop_assert_eq!((map.row, map.rows), part(map.total_rows, view.row, view.rows));
        prop_assert_eq!((map.column, map.columns), part(map.total_columns, view.column, view.columns));
        let down: Vec<_> = map.down.iter().map(|band| (band.first, band.count)).collect();
        let across: Vec<_> = map.across.iter().map(|band| (band.first, band.count)).collect();
        tiles(map.row, map.rows, view.cells_down, &down)?;
        tiles(map.column, map.columns, view.cells_across, &across)?;

        let grants: Vec<&Grant> = matching(&picture, &filter).into_iter().map(|at| &picture.grants[at as usize]).collect();
        let mut expected = Vec::new();
        for (y, band) in map.down.iter().enumerate() {
            let rows = &order.rows[band.first as usize..(band.first + band.count) as usize];
            let apps: Vec<u32> = rows.iter().flat_map(|&row| inside(&picture, row)).collect();
            prop_assert_eq!(band.clients as usize, apps.len());
            prop_assert_eq!(band.odd, apps.iter().any(|&app| !picture.apps[app as usize].odd.is_empty()));
            let single = (band.count == 1).then(|| rows[0]);
            prop_assert_eq!(band.group, single.and_then(|row| match row { AppRow::Group(group) => Some(group), AppRow::App(_) => None }));
            prop_assert_eq!(band.app.is_some(), band.count == 1);
            if let Some(face) = band.app {
                prop_assert!(apps.contains(&face));
            }
            let mut in_line = 0;
            for (x, column) in map.across.iter().enumerate() {
                let members = &order.columns[column.first as usize..(column.first + column.count) as usize];
                prop_assert_eq!(column.member, (column.count == 1).then(|| members[0]));
                let inside: Vec<_> =
                    grants.iter().filter(|grant| apps.contains(&grant.app) && members.contains(&grant.member)).collect();
                in_line += inside.len();
                if let Some(level) = inside.iter().map(|grant| picture.scopes(grant).width.level).max() {
                    let fresh = inside.iter().filter(|grant| matches!(grant.change, Some(Change::New | Change::Widened))).count();
                    let room = (apps.len() * members.len()) as u32;
                    let cell = map::Cell {
                        y: y as u32, x: x as u32, grants: inside.len() as u32, room, level, fresh: fresh as u32
                    };
                    prop_assert!(cell.grants <= cell.room);
                    expected.push(cell);
                }
            }
            prop_assert_eq!(band.grants as usize, in_line);
        }
        prop_assert_eq!(&map.cells, &expected);
        for (x, column) in map.across.iter().enumerate() {
            let sum: u32 = map.cells.iter().filter(|cell| cell.x as usize == x).map(|cell| cell.grants).sum();
            prop_assert_eq!(column.grants, sum);
        }
        let whole = map::draw(&picture, &index, &order, &matches, &View { cells_down: view.cells_down, ..WHOLE });
        prop_assert_eq!(whole.cells.iter().map(|cell| cell.grants as usize).sum::<usize>(), grants.len());
    }

    #[test]
    fn zooming_in_on_a_cell_ends_at_one_app_and_one_member(picture in picture(), pick in any::<Pick>()) {
        let (index, matches, order) = ordered(&picture, &Filter::default());
        let mut view = View { cells_down: 2, cells_across: 2, ..WHOLE };
        for _ in 0..8 {
            let map = map::draw(&picture, &index, &order, &matches, &view);
            prop_assert_eq!(map.cells.is_empty(), picture.grants.is_empty());
            if map.cells.is_empty() {
                return Ok(());
            }
            let cell = map.cells[pick.index(map.cells.len())];
            let (down, across) = (map.down[cell.y as usize], map.across[cell.x as usize]);
            view = View { row: down.first, rows: down.count, column: across.first, columns: across.count, ..view };
        }
        let map = map::draw(&picture, &index, &order, &matches, &view);
        prop_assert_eq!((map.down.len(), map.across.len(), map.cells.len()), (1, 1, 1));
        let (face, member) = (map.down[0].app.expect("one row"), map.across[0].member.expect("one member"));
        let apps = inside(&picture, order.rows[map.row as usize]);
        prop_assert!(apps.contains(&face));
        let there = picture.grants.iter().filter(|grant| apps.contains(&grant.app) && grant.member == member).count();
        prop_assert_eq!(map.cells[0].grants as usize, there);
        prop_assert_eq!(map.cells[0].room as usize, apps.len());
    }
}

#[test]
fn an_order_is_named_without_its_window() {
    let query = Query { filter: text("a"), sort: SortKey::Width, descending: true, fold: true, offset: 40, count: 20 };
    let scrolled = Query { offset: 60, ..query.clone() };
    assert_ne!(query, scrolled);
    assert_eq!(query.order(), scrolled.order());
    let order = query.order();
    assert_eq!((order.filter, order.sort, order.descending, order.fold), (query.filter, SortKey::Width, true, true));
}

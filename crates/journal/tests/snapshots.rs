//! What snapshots promise: each is read back as it was recorded, whatever was recorded before and after; since when something is
//! known is neither earlier nor later than the readings prove; and history costs what changes. The reference here keeps every
//! draft whole and looks through all of them each time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use journal::*;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn utc(ms: i64) -> Utc {
    jiff::Timestamp::from_millisecond(1_772_361_727_000 + ms).unwrap().into()
}

fn acme() -> Place {
    Place { connection_id: Uuid::from_u128(1), organization_id: "organization-test-1".into() }
}

/// A reading in which nothing was found, and everything was read.
fn nothing(place: &Place) -> SnapshotDraft {
    SnapshotDraft {
        place: place.clone(),
        began: utc(0),
        ended: utc(900),
        reader: "member-test-admin".into(),
        facts: json!({"read_by": "admin@acme.test", "missing": []}),
        list_complete: true,
        not_proven: Vec::new(),
        apps: Vec::new(),
        gone: Vec::new(),
        people_read: true,
        people: Vec::new(),
    }
}

fn app(id: &str, reading: AppReading, grants: &[(&str, &[&str])]) -> AppSeen {
    let grant = |(member, scopes): &(&str, &[&str])| GrantSeen {
        member_id: (*member).into(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
    };
    AppSeen {
        connected_app_id: id.into(),
        name: format!("App {id}"),
        description: String::new(),
        client_type: "third_party_public".into(),
        at: utc(100),
        reading,
        grants: grants.iter().map(grant).collect(),
    }
}

fn person(n: usize) -> PersonSeen {
    PersonSeen {
        member_id: format!("member-test-{n}"),
        name: format!("Grace Hopper {n}."),
        email: format!("grace-{n}@acme.test"),
        status: "active".into(),
        roles: vec!["stytch_member".into()],
    }
}

// ------------------------------------------------------------------------------------------------------- the reference

type Pair = (String, String);

/// A draft without what is said twice.
struct Plain {
    number: u32,
    draft: SnapshotDraft,
    /// By id; the grants by member.
    apps: BTreeMap<String, (AppSeen, BTreeMap<String, BTreeSet<String>>)>,
    order: Vec<String>,
    people: BTreeMap<String, PersonSeen>,
}

impl Plain {
    fn of(number: u32, draft: &SnapshotDraft) -> Self {
        let mut apps = BTreeMap::new();
        let mut order = Vec::new();
        for app in &draft.apps {
            if !apps.contains_key(&app.connected_app_id) {
                let mut grants = BTreeMap::new();
                for grant in app.grants.iter().filter(|_| app.reading != AppReading::NotRead) {
                    grants.insert(grant.member_id.clone(), grant.scopes.iter().cloned().collect());
                }
                order.push(app.connected_app_id.clone());
                apps.insert(app.connected_app_id.clone(), (app.clone(), grants));
            }
        }
        let people = draft.people.iter().map(|person| (person.member_id.clone(), person.clone())).collect();
        Plain { number, draft: draft.clone(), apps, order, people }
    }

    fn has_pair(&self, (app, member): &Pair) -> bool {
        self.apps.get(app).is_some_and(|(_, grants)| grants.contains_key(member))
    }

    fn lacks_app(&self, app: &str) -> bool {
        self.draft.list_complete && !self.apps.contains_key(app) && !self.draft.not_proven.iter().any(|id| id == app)
    }

    fn lacks_pair(&self, pair: &Pair) -> bool {
        match self.apps.get(&pair.0) {
            Some((app, grants)) => app.reading == AppReading::Complete && !grants.contains_key(&pair.1),
            None => self.lacks_app(&pair.0),
        }
    }
}

/// Looks through all readings up to the last of these.
fn origin(
    history: &[Plain],
    there: impl Fn(&Plain) -> bool,
    absent: impl Fn(&Plain) -> bool,
    gone: impl Fn(&Plain) -> bool,
) -> Origin {
    let mut first: Option<Origin> = None;
    let mut last_absent = None;
    for reading in history {
        if there(reading) {
            first = first.or(Some(Origin { by: reading.number, after: last_absent }));
        } else if absent(reading) || first.is_some() && gone(reading) {
            first = None;
            last_absent = Some(reading.number);
        }
    }
    first.expect("the last reading has it")
}

/// Compares what the journal says of each reading with the readings themselves.
fn agrees(journal: &Journal, place: &Place, history: &[Plain]) {
    let summaries = journal.snapshots(place).unwrap();
    assert_eq!(summaries.len(), history.len());
    assert_eq!(journal.latest_snapshot(place).unwrap(), history.last().map(|reading| reading.number));
    for (at, reading) in history.iter().enumerate() {
        let (so_far, draft) = (&history[..=at], &reading.draft);
        let found = journal.snapshot(reading.number).unwrap();
        let number = reading.number;

        assert_eq!(found.summary, summaries[at]);
        assert_eq!(found.place, *place);
        assert_eq!((found.list_complete, found.people_read), (draft.list_complete, draft.people_read));
        let expected = SnapshotSummary {
            number,
            began: draft.began,
            ended: draft.ended,
            reader: draft.reader.clone(),
            facts: draft.facts.clone(),
            apps: reading.apps.len() as u32,
            apps_read: reading.apps.values().filter(|(app, _)| app.reading == AppReading::Complete).count() as u32,
            grants: reading.apps.values().map(|(_, grants)| grants.len() as u32).sum(),
            people: reading.people.len() as u32,
        };
        assert_eq!(found.summary, expected);

        let apps: Vec<StoredApp> = reading
            .order
            .iter()
            .map(|id| {
                let app = &reading.apps[id].0;
                StoredApp {
                    connected_app_id: id.clone(),
                    name: app.name.clone(),
                    description: app.description.clone(),
                    client_type: app.client_type.clone(),
                    at: app.at,
                    reading: app.reading,
                    first: origin(so_far, |past| past.apps.contains_key(id), |past| past.lacks_app(id), |_| false),
                }
            })
            .collect();
        assert_eq!(found.apps, apps, "the apps of snapshot {number}");

        assert_eq!(found.people.len(), reading.people.len(), "a person stands twice in snapshot {number}");
        let people: BTreeMap<_, _> =
            found.people.iter().map(|person| (person.member_id.clone(), person.clone())).collect();
        assert_eq!(people, reading.people, "the people of snapshot {number}");

        let mut expected = BTreeMap::new();
        for (id, (_, grants)) in &reading.apps {
            for (member, scopes) in grants {
                let pair = (id.clone(), member.clone());
                let gone = |past: &Plain| past.draft.gone.contains(&pair);
                let first = origin(so_far, |past| past.has_pair(&pair), |past| past.lacks_pair(&pair), gone);
                expected.insert(pair, (scopes.clone(), first));
            }
        }
        let mut grants = BTreeMap::new();
        for grant in &found.grants {
            let id = &found.apps[grant.app as usize].connected_app_id;
            let pair = (id.clone(), found.members[grant.member as usize].clone());
            let scopes = &found.scope_sets[grant.scopes as usize];
            assert!(scopes.is_sorted_by(|a, b| a < b), "{scopes:?} is not a sorted set");
            let scopes: BTreeSet<String> = scopes.iter().cloned().collect();
            assert_eq!(grants.insert(pair, (scopes, grant.first)), None, "a grant stands twice in snapshot {number}");
        }
        assert_eq!(grants, expected, "the grants of snapshot {number}");
        assert!(found.grants.is_sorted_by_key(|grant| (grant.app, grant.member)));

        let used: BTreeSet<u32> = found.grants.iter().map(|grant| grant.member).collect();
        assert!(used.into_iter().eq(0..found.members.len() as u32), "a member without a grant, or out of order");
        assert_eq!(found.members.iter().collect::<BTreeSet<_>>().len(), found.members.len());
        let used: BTreeSet<u32> = found.grants.iter().map(|grant| grant.scopes).collect();
        assert!(used.into_iter().eq(0..found.scope_sets.len() as u32), "a set of scopes that no grant has");
        assert_eq!(found.scope_sets.iter().collect::<BTreeSet<_>>().len(), found.scope_sets.len());
    }
}

/// Records readings and compares all of them with the reference.
fn recorded(journal: &Journal, drafts: &[SnapshotDraft]) -> Vec<Plain> {
    let history: Vec<Plain> =
        drafts.iter().map(|draft| Plain::of(journal.record_snapshot(draft).unwrap(), draft)).collect();
    agrees(journal, &drafts[0].place, &history);
    history
}

/// Of a snapshot: since when a member has an app.
fn since(journal: &Journal, number: u32, app: &str, member: &str) -> Option<Origin> {
    let found = journal.snapshot(number).unwrap();
    let app = found.apps.iter().position(|seen| seen.connected_app_id == app)? as u32;
    let member = found.members.iter().position(|seen| seen == member)? as u32;
    found.grants.iter().find(|grant| (grant.app, grant.member) == (app, member)).map(|grant| grant.first)
}

// ------------------------------------------------------------------------------------------------------ random histories

/// Few ids, so that they meet; an app's id can be a member's, and texts look like what the journal makes of lists.
fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "[]", "[\"read\"]", "a\u{0}b"]).prop_map(Into::into)
}

fn scopes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(vec!["read", "write", "'; --"]).prop_map(Into::into), 0..3)
}

fn app_seen() -> impl Strategy<Value = AppSeen> {
    let reading = prop_oneof![
        3 => Just(AppReading::Complete),
        2 => Just(AppReading::Partial),
        1 => Just(AppReading::NotRead)
    ];
    let grant = (id(), scopes()).prop_map(|(member_id, scopes)| GrantSeen { member_id, scopes });
    (id(), any::<bool>(), 0..5_i64, reading, prop::collection::vec(grant, 0..5)).prop_map(
        |(connected_app_id, renamed, at, reading, grants)| AppSeen {
            name: if renamed { "DataSync \u{202e}".into() } else { String::new() },
            description: String::new(),
            client_type: "third_party_public".into(),
            at: utc(at * 7_000_000 - 9_000),
            connected_app_id,
            reading,
            grants,
        },
    )
}

fn person_seen() -> impl Strategy<Value = PersonSeen> {
    (id(), id(), id(), prop::collection::vec(id(), 0..2)).prop_map(|(member_id, name, status, roles)| PersonSeen {
        member_id,
        email: format!("{name}@acme.test"),
        name,
        status,
        roles,
    })
}

fn reading() -> impl Strategy<Value = SnapshotDraft> {
    let people = prop_oneof![2 => prop::collection::vec(person_seen(), 0..5), 1 => Just(Vec::new())];
    (
        (any::<bool>(), 0..1_000_i64, id()),
        (prop::bool::weighted(0.7), prop::collection::vec(id(), 0..3), prop::collection::vec(app_seen(), 0..6)),
        (any::<bool>(), people, prop::collection::vec((id(), id()), 0..4)),
    )
        .prop_map(
            |((elsewhere, began, reader), (list_complete, not_proven, apps), (people_read, people, gone))| {
                let mut place = acme();
                if elsewhere {
                    place.organization_id = "organization-test-2".into();
                }
                SnapshotDraft {
                    place,
                    began: utc(began),
                    ended: utc(began + 800),
                    facts: json!({"read_by": reader, "took": began}),
                    reader,
                    list_complete,
                    not_proven,
                    apps,
                    gone,
                    people_read,
                    people,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_snapshot_is_what_was_read_whatever_came_before_and_after(
        drafts in prop::collection::vec(reading(), 1..14), reopen in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut histories: BTreeMap<String, (Place, Vec<Plain>)> = BTreeMap::new();
        let mut last = 0;
        for draft in &drafts {
            let number = journal.record_snapshot(draft).unwrap();
            prop_assert!(number > last, "numbers do not ascend");
            last = number;
            let (_, history) = histories
                .entry(draft.place.organization_id.clone())
                .or_insert_with(|| (draft.place.clone(), Vec::new()));
            history.push(Plain::of(number, draft));
        }
        if reopen {
            drop(journal);
            journal = Journal::open(dir.path()).unwrap();
        }
        for (place, history) in histories.values() {
            agrees(&journal, place, history);
        }
    }
}

// ------------------------------------------------------------------------------------------------- the rules, one by one

use AppReading::{Complete, NotRead, Partial};

#[test]
fn nothing_in_the_first_reading_is_new_and_what_comes_later_is_dated_between_two_readings() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let first = SnapshotDraft { apps: vec![app("a", Complete, &[("m1", &["read"])])], ..nothing(&acme()) };
    let second = SnapshotDraft { apps: vec![app("a", Complete, &[("m1", &["read"]), ("m2", &[])])], ..first.clone() };
    recorded(&journal, &[first, second]);
    assert_eq!(since(&journal, 1, "a", "m1"), Some(Origin { by: 1, after: None }));
    assert_eq!(since(&journal, 2, "a", "m1"), Some(Origin { by: 1, after: None }));
    assert_eq!(since(&journal, 2, "a", "m2"), Some(Origin { by: 2, after: Some(1) }));
}

#[test]
fn a_grant_that_an_incomplete_reading_missed_is_neither_gone_nor_new_again() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let draft = |apps: Vec<AppSeen>| SnapshotDraft { apps, ..nothing(&acme()) };
    let whole = draft(vec![app("a", Complete, &[("m1", &[]), ("m2", &[])])]);
    let history = [
        whole.clone(),
        draft(vec![app("a", Partial, &[("m2", &[])])]),
        draft(vec![app("a", NotRead, &[])]),
        SnapshotDraft { list_complete: false, ..draft(Vec::new()) },
        SnapshotDraft { not_proven: vec!["a".into()], ..draft(Vec::new()) },
        whole,
    ];
    recorded(&journal, &history);
    for number in 2..=5 {
        assert_eq!(since(&journal, number, "a", "m1"), None, "snapshot {number} shows what it did not see");
    }
    assert_eq!(since(&journal, 6, "a", "m1"), Some(Origin { by: 1, after: None }));
}

#[test]
fn a_grant_that_was_proven_gone_is_new_when_it_comes_back() {
    let draft = |apps: Vec<AppSeen>| SnapshotDraft { apps, ..nothing(&acme()) };
    let whole = draft(vec![app("a", Complete, &[("m", &["read"])])]);
    for proof in [draft(vec![app("a", Complete, &[])]), draft(Vec::new())] {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        recorded(&journal, &[whole.clone(), proof, whole.clone()]);
        assert_eq!(since(&journal, 3, "a", "m"), Some(Origin { by: 3, after: Some(2) }));
    }
}

#[test]
fn a_grant_that_is_proven_gone_by_itself_goes_alone_although_its_app_was_not_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let draft = |apps: Vec<AppSeen>| SnapshotDraft { apps, ..nothing(&acme()) };
    let whole = draft(vec![app("a", Complete, &[("m1", &[]), ("m2", &[]), ("m3", &[])])]);
    let gone = ["m1", "m3"].map(|member| ("a".to_owned(), member.to_owned())).to_vec();
    let part = SnapshotDraft { gone, ..draft(vec![app("a", Partial, &[("m3", &[])])]) };
    recorded(&journal, &[whole.clone(), part]);
    let mut lasting = journal.lasting(&acme(), |_, _| true).unwrap();
    lasting.sort();
    assert_eq!(
        lasting,
        ["m2", "m3"].map(|member| ("a".to_owned(), member.to_owned())),
        "what is among the grants is there"
    );
    journal.record_snapshot(&whole).unwrap();
    assert_eq!(since(&journal, 3, "a", "m1"), Some(Origin { by: 3, after: Some(2) }));
    assert_eq!(since(&journal, 3, "a", "m2"), Some(Origin { by: 1, after: None }));
}

#[test]
fn other_scopes_keep_the_first_date_and_the_same_scopes_in_another_order_are_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let draft =
        |scopes: &[&str]| SnapshotDraft { apps: vec![app("a", Complete, &[("m", scopes)])], ..nothing(&acme()) };
    recorded(&journal, &[draft(&["read", "write"]), draft(&["write", "read", "read"]), draft(&["read"])]);
    assert_eq!(since(&journal, 3, "a", "m"), Some(Origin { by: 1, after: None }));
    let sets: Vec<_> = (1..=3).map(|number| journal.snapshot(number).unwrap().scope_sets).collect();
    assert_eq!(sets, [vec![vec!["read", "write"]], vec![vec!["read", "write"]], vec![vec!["read"]]]);
}

#[test]
fn whatever_ids_a_server_sends_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let long = "é".repeat(8 * 1024);
    for id in [&*long, "", "..", "a/b?c", "\u{0}", "\u{202e}\u{200b}", "'; DROP TABLE snapshots; --"] {
        let place = Place { connection_id: Uuid::from_u128(1), organization_id: id.into() };
        let seen = PersonSeen { member_id: id.into(), name: id.into(), roles: vec![id.into()], ..person(1) };
        let draft = SnapshotDraft {
            apps: vec![app(id, Complete, &[(id, &[id, "read"])])],
            people: vec![seen],
            reader: id.into(),
            ..nothing(&place)
        };
        recorded(&journal, &[draft.clone(), draft]);
    }
}

// ------------------------------------------------------------------------------------------------------------- its price

/// 100 apps × 1,000 members: 5,000 grants; those of `changed` differ.
fn large(changed: impl Fn(usize) -> bool) -> SnapshotDraft {
    let grant = |app: usize, nth: usize| {
        let (number, member) = (app * 50 + nth, (app * 37 + nth * 20) % 1_000);
        let mut scopes = vec!["openid".to_owned(), format!("vendor.contacts.{}", number % 7)];
        if changed(number) {
            scopes.push("offline_access".into());
        }
        GrantSeen { member_id: format!("member-test-{member:08}-4a5b-8c6d-1234567890ab"), scopes }
    };
    let apps = (0..100).map(|n| AppSeen {
        at: utc(n as i64 * 73),
        grants: (0..50).map(|nth| grant(n, nth)).collect(),
        ..app(&format!("connected-app-test-{n:08}-4a5b-8c6d-1234567890ab"), Complete, &[])
    });
    SnapshotDraft { apps: apps.collect(), people: (0..1_000).map(person).collect(), ..nothing(&acme()) }
}

#[test]
fn history_costs_what_changes() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let empty = journal.size_bytes().unwrap();
    journal.record_snapshot(&large(|_| false)).unwrap();
    let first = journal.size_bytes().unwrap() - empty;
    assert!((200_000..500_000).contains(&first), "5,000 grants take {first} bytes");

    let before = journal.size_bytes().unwrap();
    journal.record_snapshot(&large(|number| number % 100 == 0)).unwrap();
    let second = journal.size_bytes().unwrap() - before;
    assert!(second * 20 <= first, "1 % changed took {second} bytes, the first snapshot {first}");

    let before = journal.size_bytes().unwrap();
    for _ in 0..100 {
        journal.record_snapshot(&large(|number| number % 100 == 0)).unwrap();
    }
    let hundred = journal.size_bytes().unwrap() - before;
    assert!(hundred <= 100 * 1_024, "a hundred unchanged snapshots of 100 apps took {hundred} bytes");
    // None of that is bought with what the first snapshot says.
    agrees_at_a_glance(&journal, 1, 0);
    agrees_at_a_glance(&journal, 102, 50);
}

fn agrees_at_a_glance(journal: &Journal, number: u32, wide: usize) {
    let found = journal.snapshot(number).unwrap();
    assert_eq!((found.apps.len(), found.members.len(), found.grants.len()), (100, 1_000, 5_000));
    let is_wide = |grant: &&StoredGrant| found.scope_sets[grant.scopes as usize].contains(&"offline_access".to_owned());
    assert_eq!(found.grants.iter().filter(is_wide).count(), wide);
    assert!(found.grants.iter().all(|grant| grant.first == Origin { by: 1, after: None }));
}

#[test]
fn readings_in_which_names_were_denied_or_rows_unreadable_cost_little_too() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    journal.record_snapshot(&large(|_| false)).unwrap();
    let mut poor = SnapshotDraft { people: Vec::new(), people_read: false, ..large(|_| false) };
    for app in &mut poor.apps {
        app.reading = Partial;
        app.grants.truncate(3);
    }
    let before = journal.size_bytes().unwrap();
    for _ in 0..20 {
        journal.record_snapshot(&poor).unwrap();
    }
    let twenty = journal.size_bytes().unwrap() - before;
    assert!(twenty <= 20 * 2_048, "twenty poor readings of 100 apps took {twenty} bytes");
    let found = journal.snapshot(21).unwrap();
    assert_eq!((found.people.len(), found.grants.len(), found.summary.grants), (0, 300, 300));
    agrees_at_a_glance(&journal, 1, 0);
    // What was not looked at is not written again when it is seen again.
    let before = journal.size_bytes().unwrap();
    journal.record_snapshot(&large(|_| false)).unwrap();
    let again = journal.size_bytes().unwrap() - before;
    assert!(again <= 8_192, "the first whole reading after poor ones took {again} bytes");
}

#[test]
fn people_who_left_take_no_room_in_later_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let draft = |count: usize| SnapshotDraft { people: (0..count).map(person).collect(), ..nothing(&acme()) };
    journal.record_snapshot(&draft(1_000)).unwrap();
    let before = journal.size_bytes().unwrap();
    for _ in 0..100 {
        journal.record_snapshot(&draft(600)).unwrap();
    }
    let hundred = journal.size_bytes().unwrap() - before;
    assert!(hundred <= 100 * 300, "a hundred snapshots after 400 people left took {hundred} bytes");
    let people = |number| journal.snapshot(number).unwrap().people.len();
    assert_eq!((people(1), people(2), people(101)), (1_000, 600, 600));
}

// ------------------------------------------------------------------------------------------------- erasing and forgetting

/// Whether any file of the journal holds that text.
fn in_files(dir: &Path, needle: &str) -> bool {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .any(|path| std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes()))
}

#[test]
fn an_erased_person_is_gone_from_every_snapshot_and_from_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let elsewhere = Place { connection_id: Uuid::from_u128(2), ..acme() };
    for (round, place) in [acme(), elsewhere, acme()].into_iter().enumerate() {
        let mut draft = SnapshotDraft {
            people: (0..600).map(person).collect(),
            apps: vec![app("a", Complete, &[("member-test-7", &[])])],
            reader: "member-test-7".into(),
            facts: json!({"read_by": "grace-7@acme.test", "took": round}),
            ..nothing(&place)
        };
        // Another name once, so that a closed row has to be blanked too.
        draft.people[7].name = format!("Grace Hopper 7. {round}");
        journal.record_snapshot(&draft).unwrap();
    }
    journal.record_snapshot(&nothing(&acme())).unwrap();
    assert!(in_files(dir.path(), "grace-7@acme.test") && in_files(dir.path(), "Grace Hopper 7."), "nothing to erase");
    assert_eq!(
        journal.erase_person("member-test-7", &[]).unwrap(),
        3 + 3,
        "three rows with a name, three facts with an address"
    );
    assert!(!in_files(dir.path(), "grace-7@acme.test") && !in_files(dir.path(), "Grace Hopper 7."));
    for number in 1..=3 {
        let found = journal.snapshot(number).unwrap();
        let erased = found.people.iter().find(|person| person.member_id == "member-test-7").unwrap();
        assert_eq!((&*erased.name, &*erased.email, &*erased.status), ("", "", "active"));
        assert_eq!(found.summary.facts, json!({"read_by": "", "took": number - 1}));
        assert_eq!((&*found.summary.reader, &*found.members[0]), ("member-test-7", "member-test-7"), "ids stay");
        assert_eq!(found.people.iter().filter(|person| person.name.is_empty()).count(), 1, "somebody else was erased");
    }
    assert_eq!(journal.snapshot(4).unwrap().summary.facts["read_by"], "admin@acme.test", "somebody else read that one");
    assert_eq!(journal.erase_person("member-test-7", &[]).unwrap(), 0);

    // However many are erased and in whatever order, none of them stays behind in a corner of the file.
    for n in (0..600).rev().filter(|n| n % 3 != 0).chain((0..600).step_by(3).filter(|n| *n != 300)) {
        journal.erase_person(&format!("member-test-{n}"), &[]).unwrap();
    }
    for n in (0..600).filter(|n| *n != 300) {
        assert!(!in_files(dir.path(), &format!("grace-{n}@acme.test")), "member {n} is still in the files");
    }
    assert!(in_files(dir.path(), "grace-300@acme.test"));
}

#[test]
fn a_removed_connection_takes_its_history_with_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let second = Place { organization_id: "organization-test-2".into(), ..acme() };
    let other = Place { connection_id: Uuid::from_u128(2), ..acme() };
    let draft = |place: &Place, n: usize| SnapshotDraft {
        apps: vec![app("a", Complete, &[("m", &["read"])])],
        people: (n..n + 200).map(person).collect(),
        ..nothing(place)
    };
    let kept = recorded(&journal, &[draft(&other, 1_000), draft(&other, 1_000)]);
    let size = journal.size_bytes().unwrap();
    recorded(&journal, &[draft(&acme(), 2_000), draft(&acme(), 2_000)]);
    recorded(&journal, &[draft(&second, 3_000)]);

    assert_eq!(journal.forget_snapshots(&acme().connection_id).unwrap(), 3);
    assert!(matches!(journal.snapshot(3), Err(Error::NoSuchSnapshot(3))));
    assert!(!in_files(dir.path(), "grace-2000@acme.test") && !in_files(dir.path(), "grace-3000@acme.test"));
    assert!(journal.size_bytes().unwrap() <= size, "what was forgotten still takes room");
    for place in [acme(), second] {
        assert_eq!((journal.snapshots(&place).unwrap(), journal.latest_snapshot(&place).unwrap()), (Vec::new(), None));
    }
    agrees(&journal, &other, &kept);
    assert_eq!(journal.forget_snapshots(&acme().connection_id).unwrap(), 0);

    // A number is never given twice, and the forgotten history dates nothing.
    let history = recorded(&journal, &[draft(&acme(), 0)]);
    assert_eq!(history[0].number, 6);
    assert_eq!(since(&journal, 6, "a", "m"), Some(Origin { by: 6, after: None }));
}

#[test]
fn a_snapshot_that_never_was_is_told_apart_from_a_damaged_one() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    assert!(matches!(journal.snapshot(1), Err(Error::NoSuchSnapshot(1))));
    let number = journal.record_snapshot(&large(|_| false)).unwrap();
    let behind = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    behind.execute("DELETE FROM snapshot_texts WHERE id = 50", []).unwrap();
    assert!(matches!(journal.snapshot(number), Err(Error::Corrupt(_))));
    behind.execute("UPDATE snapshots SET readings = x'ff'", []).unwrap();
    assert!(matches!(journal.snapshot(number), Err(Error::Corrupt(_))));
    assert!(matches!(journal.snapshot(u32::MAX), Err(Error::NoSuchSnapshot(u32::MAX))));
}

// ------------------------------------------------------------------------------------------------- many at once, versions

#[test]
fn two_processes_that_record_at_once_make_one_history() {
    let dir = tempfile::tempdir().unwrap();
    Journal::open(dir.path()).unwrap();
    let mut history: Vec<Plain> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3_usize)
            .map(|thread| {
                let dir = dir.path();
                scope.spawn(move || {
                    // A handle of its own, as another process has.
                    let journal = Journal::open(dir).unwrap();
                    (0..25_usize)
                        .map(|round| {
                            let members = ["m1", "m2", "m3", "m4"];
                            let grants: Vec<(&str, &[&str])> = members
                                .iter()
                                .enumerate()
                                .filter(|(n, _)| (round * 7 + thread * 3 + n) % 3 != 0)
                                .map(|(_, member)| (*member, if round % 2 == 0 { &["read"][..] } else { &[][..] }))
                                .collect();
                            let draft = SnapshotDraft {
                                apps: vec![app(if (round + thread) % 4 == 0 { "b" } else { "a" }, Complete, &grants)],
                                people: vec![person(thread), person(round % 5)],
                                ..nothing(&acme())
                            };
                            Plain::of(journal.record_snapshot(&draft).unwrap(), &draft)
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    history.sort_by_key(|reading| reading.number);
    assert!(history.iter().map(|reading| reading.number).eq(1..=75), "a number is missing or given twice");
    agrees(&Journal::open(dir.path()).unwrap(), &acme(), &history);
}

/// A frozen journal in a directory of its own.
fn frozen(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen").join(name);
    std::fs::copy(frozen, dir.path().join(FILE_NAME)).unwrap();
    dir
}

/// The journal of version 0.1.0, which has schema 1.
fn of_the_first_version() -> tempfile::TempDir {
    frozen("journal-0.1.0.sqlite3")
}

fn version(dir: &Path) -> i64 {
    let behind = rusqlite::Connection::open(dir.join(FILE_NAME)).unwrap();
    behind.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// Every row of every table that schema 1 has, as text.
fn rows_of_schema_1(dir: &Path) -> Vec<String> {
    let behind = rusqlite::Connection::open(dir.join(FILE_NAME)).unwrap();
    let mut all = Vec::new();
    for table in ["journal", "settings", "connections", "sweeps", "rows", "people", "running"] {
        let mut query = behind.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at).unwrap()).collect();
            all.push(format!("{table}: {values:?}"));
        }
    }
    all
}

#[test]
fn a_journal_of_the_first_version_keeps_its_rows_and_takes_snapshots() {
    let dir = of_the_first_version();
    assert_eq!(version(dir.path()), 1, "the frozen journal was written again");
    let before = rows_of_schema_1(dir.path());
    assert!(before.len() > 30, "{} rows", before.len());
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(version(dir.path()), SCHEMA_VERSION);
    assert_eq!(rows_of_schema_1(dir.path()), before);
    assert_eq!(journal.snapshots(&acme()).unwrap(), []);
    let draft = SnapshotDraft { apps: vec![app("a", Complete, &[("m", &["read"])])], ..nothing(&acme()) };
    recorded(&journal, &[draft.clone(), draft]);
    for sweep in journal.sweeps().unwrap() {
        assert!(matches!(journal.verify(sweep.id).unwrap(), Verdict::Sound(_)));
    }
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.latest_snapshot(&acme()).unwrap(), Some(2), "it was brought up to date twice");
    assert_eq!(rows_of_schema_1(dir.path()), before);
}

#[test]
fn a_journal_of_schema_2_keeps_its_rows_and_its_chains_go_on() {
    let dir = frozen("journal-schema-2.sqlite3");
    assert_eq!(version(dir.path()), 2, "the frozen journal was written again");
    let before = rows_of_schema_1(dir.path());
    assert!(before.len() > 30, "{} rows", before.len());
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(version(dir.path()), SCHEMA_VERSION);
    assert_eq!(rows_of_schema_1(dir.path()), before);
    let note = Body::Note(Note { what: "later".into(), detail: Default::default() });
    for sweep in journal.sweeps().unwrap() {
        let stored = journal.append(sweep.id, &[RowDraft { clock: sweep.last, body: note.clone() }]).unwrap();
        assert_eq!(stored[0].seq, sweep.rows);
        assert!(matches!(journal.verify(sweep.id).unwrap(), Verdict::Sound(walked) if walked.head == stored[0].hash));
    }
}

#[test]
fn a_migration_that_fails_leaves_the_journal_as_it_was() {
    let dir = of_the_first_version();
    let behind = rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap();
    // In the way of the last table that the migration makes.
    behind.execute_batch("CREATE TABLE people_3 (mine TEXT)").unwrap();
    let schema = |db: &rusqlite::Connection| -> Vec<String> {
        let mut query = db.prepare("SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let before = (schema(&behind), rows_of_schema_1(dir.path()));
    assert!(Journal::open(dir.path()).is_err());
    assert_eq!((schema(&behind), rows_of_schema_1(dir.path())), before);
    assert_eq!(version(dir.path()), 1);
    behind.execute_batch("DROP TABLE people_3").unwrap();
    Journal::open(dir.path()).unwrap();
    assert_eq!(version(dir.path()), SCHEMA_VERSION, "once nothing is in the way, it is brought up to date");
}

#[test]
fn a_journal_of_the_next_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    drop(Journal::open(dir.path()).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1))
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(
        matches!(Journal::open(dir.path()), Err(Error::Newer { found, known: SCHEMA_VERSION }) if found == SCHEMA_VERSION + 1)
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

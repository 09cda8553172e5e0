//! What is told of grants that come back, against the plainest program that does the same, on small worlds that are crowded with
//! losses and look-alikes.

use std::collections::BTreeSet;

use cutoff::inventory::picture::{App, Facts, FirstSeen, Grant, Names, Person, Picture, Reading, ScopeSet};
use cutoff::inventory::width::Width;
use cutoff::watch::{Kind, Lost, come_backs};
use jiff::Timestamp;
use journal::SweepId;
use proptest::collection::vec;
use proptest::prelude::*;
use stytch_b2b::{ConnectedAppId, MemberId};

/// Names, each with the number of what it looks like.
const NAMES: [(&str, u32); 8] = [
    ("Claude", 1),
    ("Cla ude", 1),
    // A Cyrillic С, and a capital i in place of the l.
    ("Сlaude", 1),
    ("CIaude", 1),
    ("DataSync", 2),
    ("Data Sync", 2),
    ("", 0),
    ("\u{200b}", 0),
];

/// The snapshot that is shown.
const SHOWN: u32 = 2;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn app_id(app: u32) -> ConnectedAppId {
    ConnectedAppId::from(format!("connected-app-{app}").as_str())
}

fn member_id(member: u32) -> MemberId {
    MemberId::from(format!("member-{member}").as_str())
}

#[derive(Clone, Debug)]
struct World {
    /// By app: its name and when it was asked for, if it was.
    apps: Vec<(usize, Option<i64>)>,
    /// App, member, first seen by and after.
    grants: Vec<(u32, u32, i64, Option<i64>)>,
    /// Member, app (also some that are not listed), gone at, the name that was kept, and the snapshot of the plan.
    lost: Vec<Loss>,
}

type Loss = (u32, u32, i64, Option<usize>, Option<u32>);

fn world() -> impl Strategy<Value = World> {
    let apps = vec((0..NAMES.len(), proptest::option::weighted(0.9, 0..20_i64)), 1..6);
    let grants = vec((0..6_u32, 0..4_u32, 0..20_i64, proptest::option::of(0..20_i64)), 0..16);
    let lost = vec(
        (
            0..5_u32,
            0..8_u32,
            0..20_i64,
            proptest::option::weighted(0.8, 0..NAMES.len()),
            proptest::option::weighted(0.8, 0..4_u32),
        ),
        0..6,
    );
    (apps, grants, lost).prop_map(|(apps, grants, lost)| {
        let mut seen = BTreeSet::new();
        let known = |grant: &(u32, u32, i64, Option<i64>)| (grant.0 as usize) < apps.len();
        let grants = grants.into_iter().filter(known).filter(|grant| seen.insert((grant.0, grant.1))).collect();
        World { apps, grants, lost }
    })
}

impl World {
    fn picture(&self) -> Picture {
        let now = at(30);
        let first_seen = FirstSeen { by: now, after: None };
        let apps = self.apps.iter().zip(0..).map(|((name, _), app)| App {
            id: app_id(app),
            name: NAMES[*name].0.to_owned(),
            description: String::new(),
            client_type: "third_party_public".to_owned(),
            reading: Reading::Complete,
            first_seen,
            group: None,
            odd: Vec::new(),
            width: Width::default(),
            unreadable: Vec::new(),
        });
        let grants = self.grants.iter().map(|(app, member, by, after)| Grant {
            app: *app,
            member: *member,
            scopes: 0,
            seen_by: 1,
            first_seen: FirstSeen { by: at(*by), after: after.map(at) },
            change: None,
            scopes_before: None,
        });
        let facts = Facts {
            organization_id: "organization".to_owned(),
            organization_name: String::new(),
            base_url: String::new(),
            sandbox: true,
            live: false,
            read_by: String::new(),
            reader: member_id(0),
            snapshot: Some(SHOWN),
            began: now,
            ended: now,
            missing: Vec::new(),
            found_gone: 0,
            names: Names::Read,
            since: None,
            under_way: false,
            unreadable_apps: Vec::new(),
            unreadable_members: Vec::new(),
        };
        let members = (0..4).map(|member| Person { id: member_id(member), known: None }).collect();
        let scopes = vec![ScopeSet { scopes: Vec::new(), width: Width::default() }];
        Picture::new(facts, apps.collect(), members, scopes, grants.collect())
    }

    /// Member, app, in which way, and when what it stands for was lost.
    fn expected(&self) -> Vec<(u32, u32, Kind, i64)> {
        let mut out = Vec::new();
        for member in 0..4 {
            for app in 0..6 {
                let Some((_, _, by, after)) = self.grants.iter().find(|grant| (grant.0, grant.1) == (app, member))
                else {
                    continue;
                };
                let (name, Some(asked)) = self.apps[app as usize] else { continue };
                let own = self.lost.iter().filter(|lost| (lost.0, lost.1) == (member, app)).max_by_key(|lost| lost.2);
                if let Some((_, _, gone, _, planned_by)) = own {
                    if asked > *gone && planned_by.is_none_or(|by| by < SHOWN) {
                        out.push((member, app, Kind::SeenAgain, *gone));
                    }
                    continue;
                }
                let mut latest: Option<i64> = None;
                for lost in self.lost.iter().filter(|lost| lost.0 == member) {
                    // Only the last loss of a grant counts, with the name that was kept then.
                    let same = |other: &&Loss| (other.0, other.1) == (lost.0, lost.1);
                    let last = self.lost.iter().filter(same).max_by_key(|other| other.2);
                    if last.is_none_or(|last| !std::ptr::eq(last, lost)) {
                        continue;
                    }
                    let now = self.apps.get(lost.1 as usize).map(|(name, _)| *name);
                    let alike = [lost.3, now]
                        .into_iter()
                        .flatten()
                        .any(|other| NAMES[name].1 != 0 && NAMES[other].1 == NAMES[name].1);
                    if alike && lost.4.is_none_or(|by| by < SHOWN) && after.is_some() && *by > lost.2 && asked > lost.2
                    {
                        latest = latest.max(Some(lost.2));
                    }
                }
                out.extend(latest.map(|gone| (member, app, Kind::LookAlike, gone)));
            }
        }
        out
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn what_came_back_is_told_and_nothing_else(world in world()) {
        let sweep_id = SweepId::random();
        let lost: Vec<Lost> = world.lost.iter().map(|(member, app, gone, name, planned_by)| Lost {
            sweep_id,
            member_id: member_id(*member),
            connected_app_id: app_id(*app),
            gone_at: at(*gone),
            app_name: name.map(|name| NAMES[name].0.to_owned()),
            planned_by: *planned_by,
        }).collect();
        let asked = |app: &ConnectedAppId| {
            let at = (0..).zip(&world.apps).find(|(at, _)| app_id(*at) == *app).and_then(|(_, (_, asked))| *asked);
            at.map(self::at)
        };
        let found = come_backs(&lost, &world.picture(), &asked);
        let told: Vec<_> = found
            .iter()
            .map(|back| (back.member_id.clone(), back.connected_app_id.clone(), back.kind, back.gone_at))
            .collect();
        let expected: Vec<_> = world
            .expected()
            .into_iter()
            .map(|(member, app, kind, gone)| (member_id(member), app_id(app), kind, at(gone)))
            .collect();
        prop_assert_eq!(told, expected);
        let ids: BTreeSet<_> = found.iter().map(|back| &back.id).collect();
        prop_assert_eq!(ids.len(), found.len());
    }
}

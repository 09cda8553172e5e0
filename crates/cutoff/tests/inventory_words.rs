//! What the inventory says of apps and scopes, and the files it writes: how wide, which look alike, what a spreadsheet gets.
//! Pictures are built by hand here; nothing is read from a server.

use std::collections::BTreeSet;

use cutoff::inventory::export::{
    AppRow, ChangeRow, Format, GrantLine, MemberRow, write_apps, write_changes, write_grants, write_members,
};
use cutoff::inventory::look_alike::{OddKind, apply, groups};
use cutoff::inventory::picture::{
    App, Cause, Change, Facts, FirstSeen, Grant, Known, Missing, Names, Person, Picture, Reading, ScopeSet, What,
};
use cutoff::inventory::width::{OTHER, Rule, Rules, Width};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(time: &str) -> Timestamp {
    time.parse().expect("the tests write times well")
}

fn facts() -> Facts {
    Facts {
        organization_id: "organization-test-1".into(),
        organization_name: "Acme Robotics".into(),
        base_url: "https://test.stytch.com".into(),
        sandbox: false,
        live: false,
        read_by: "maya@acme.test".into(),
        reader: "member-test-0".into(),
        snapshot: Some(7),
        began: at("2026-11-23T10:42:00Z"),
        ended: at("2026-11-23T10:42:07.5Z"),
        missing: Vec::new(),
        found_gone: 0,
        names: Names::Read,
        since: None,
        under_way: false,
        unreadable_apps: Vec::new(),
        unreadable_members: Vec::new(),
    }
}

/// An app as the tests write it: name, client type, and the scopes of each of its grants.
#[derive(Clone, Debug)]
struct Made {
    id: String,
    name: String,
    client_type: String,
    grants: Vec<String>,
}

fn made(name: &str, client_type: &str, grants: &[&str]) -> Made {
    let grants = grants.iter().map(|scopes| (*scopes).to_owned()).collect();
    Made { id: String::new(), name: name.into(), client_type: client_type.into(), grants }
}

fn picture(apps: &[Made]) -> Picture {
    let rules = Rules::standard().compile();
    let seen = FirstSeen { by: at("2026-10-03T08:00:00Z"), after: None };
    let (mut sets, mut grants): (Vec<ScopeSet>, Vec<Grant>) = (Vec::new(), Vec::new());
    let most = apps.iter().map(|app| app.grants.len()).max().unwrap_or(0);
    let mut all = Vec::new();
    for (number, app) in apps.iter().enumerate() {
        let mut widest = Width::default();
        for (member, scopes) in app.grants.iter().enumerate() {
            let scopes: Vec<String> = scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
            let width = rules.rate(&scopes);
            if width.level > widest.level {
                widest = width.clone();
            }
            let set = sets.iter().position(|set| set.scopes == scopes).unwrap_or_else(|| {
                sets.push(ScopeSet { scopes, width });
                sets.len() - 1
            });
            grants.push(Grant {
                app: number as u32,
                member: member as u32,
                scopes: set as u32,
                seen_by: 1,
                first_seen: seen,
                change: None,
                scopes_before: None,
            });
        }
        let id = if app.id.is_empty() { format!("connected-app-test-{number}") } else { app.id.clone() };
        all.push(App {
            id: id.into(),
            name: app.name.clone(),
            description: String::new(),
            client_type: app.client_type.clone(),
            reading: Reading::Complete,
            first_seen: seen,
            group: None,
            odd: Vec::new(),
            width: widest,
            unreadable: Vec::new(),
        });
    }
    let person = |number: usize| Person {
        id: format!("member-test-{number}").into(),
        known: Some(Known {
            name: format!("Member {number}"),
            email: format!("member{number}@acme.test"),
            status: "active".into(),
            roles: vec!["stytch_member".into()],
        }),
    };
    Picture::new(facts(), all, (0..most).map(person).collect(), sets, grants)
}

fn sorted_out(apps: &[Made]) -> Picture {
    let mut picture = picture(apps);
    apply(&mut picture);
    picture
}

fn kinds(picture: &Picture, app: usize) -> Vec<OddKind> {
    picture.apps[app].odd.iter().map(|odd| odd.kind).collect()
}

/// Groups by name and size, and flags by app.
type Told = (Vec<(String, usize)>, Vec<(String, OddKind, String)>);

/// Names and sizes of groups, and the oddities of each app: small enough to stand in an assertion.
fn told(picture: &Picture) -> Told {
    let groups =
        picture.groups.iter().map(|group| (picture.apps[group.apps[0] as usize].name.clone(), group.apps.len()));
    let odd = picture.apps.iter().flat_map(|app| {
        app.odd.iter().map(|odd| (app.id.as_str().replace("connected-app-test-", ""), odd.kind, odd.detail.clone()))
    });
    (groups.collect(), odd.collect())
}

// ---------------------------------------------------------------------------------------------------------- look-alikes

const PUBLIC: &str = "third_party_public";
const NARROW: &str = "openid profile email offline_access reports.read";

#[test]
fn forty_two_clients_of_one_name_are_one_group_and_the_imitation_and_the_wider_one_stay_out() {
    let mut apps: Vec<Made> = (0..42).map(|_| made("Claude", PUBLIC, &[NARROW])).collect();
    apps.insert(10, made("Cl\u{430}ude", PUBLIC, &[NARROW, NARROW, NARROW]));
    apps.insert(20, made("Claude", PUBLIC, &["openid offline_access reports.read admin.users"]));
    let picture = sorted_out(&apps);
    assert_eq!(picture.groups.len(), 1);
    assert_eq!(picture.groups[0].apps.len(), 42, "those that are one name, one type and no wider than the others");
    assert_eq!(kinds(&picture, 10), [OddKind::Confusable]);
    assert_eq!(picture.apps[10].odd[0].detail, "U+0430 CYRILLIC SMALL LETTER A");
    assert_eq!(picture.apps[10].odd[0].beside, Some(0));
    assert_eq!(kinds(&picture, 20), [OddKind::WiderScopes]);
    assert_eq!(picture.apps[20].odd[0].detail, "admin.users");
    assert_eq!(picture.apps[20].odd[0].beside, Some(0));
    assert_eq!(picture.apps.iter().filter(|app| !app.odd.is_empty()).count(), 2);
    assert_eq!(picture.apps.iter().filter(|app| app.group == Some(0)).count(), 42);
    assert_eq!((picture.apps[10].group, picture.apps[20].group), (None, None));
}

#[test]
fn case_and_spacing_make_no_difference() {
    let picture = sorted_out(&[
        made("Data Sync", "third_party", &[]),
        made("datasync", "third_party", &[]),
        made("  DATA\u{a0}SYNC\u{3000}", "third_party", &[]),
        made("Data Sink", "third_party", &[]),
    ]);
    assert_eq!(told(&picture), (vec![("Data Sync".into(), 3)], vec![]));
}

#[test]
fn another_client_type_is_flagged_beside_the_group_and_not_in_it() {
    let picture = sorted_out(&[
        made("Claude", "third_party", &[NARROW; 5]),
        made("Claude", PUBLIC, &[NARROW]),
        made("Claude", PUBLIC, &[NARROW]),
    ]);
    assert_eq!(picture.groups[0].apps, [1, 2]);
    assert_eq!(told(&picture).1, [("0".into(), OddKind::OtherType, "third_party".into())]);
    assert_eq!(picture.apps[0].odd[0].beside, Some(0));

    let alone = sorted_out(&[made("Claude", "third_party", &[NARROW]), made("Claude", PUBLIC, &[NARROW])]);
    assert_eq!(told(&alone), (vec![], vec![]), "one of each type: neither is the other one");
}

#[test]
fn of_two_single_clients_the_imitation_is_flagged_and_never_the_plain_one() {
    for (imitation, detail) in [
        ("Cl\u{430}ude", "U+0430 CYRILLIC SMALL LETTER A"),
        ("\u{421}laude", "U+0421 CYRILLIC CAPITAL LETTER ES"),
        ("C1aude", "U+0031 DIGIT ONE"),
        ("CIaude", "U+0049 LATIN CAPITAL LETTER I"),
        ("Ｃlaude", "U+FF23 FULLWIDTH LATIN CAPITAL LETTER C"),
        (
            "Сӏаudе",
            "U+0421 CYRILLIC CAPITAL LETTER ES, U+04CF CYRILLIC SMALL LETTER PALOCHKA, U+0430 CYRILLIC SMALL LETTER A, U+0435 CYRILLIC SMALL LETTER IE",
        ),
    ] {
        for grants in [1, 2, 9] {
            let many = vec![NARROW; grants];
            let apps = [made("Claude", PUBLIC, &[NARROW, NARROW]), made(imitation, PUBLIC, &many)];
            let picture = sorted_out(&apps);
            assert_eq!(told(&picture), (vec![], vec![("1".into(), OddKind::Confusable, detail.into())]), "{imitation}");
            assert_eq!(picture.apps[1].odd[0].beside, None, "there is no group to be beside");
        }
    }
}

#[test]
fn letters_that_only_look_alike_as_capitals_are_seen_too() {
    let picture = sorted_out(&[
        made("HubSpot", PUBLIC, &[]),
        made("HubSpot", PUBLIC, &[]),
        made("\u{41d}ubspot", PUBLIC, &[]),
        made("OpenAI", PUBLIC, &[]),
        made("OpenAI", PUBLIC, &[]),
        made("OpenAl", PUBLIC, &[]),
    ]);
    let (groups, odd) = told(&picture);
    assert_eq!(groups, [("HubSpot".into(), 2), ("OpenAI".into(), 2)]);
    assert_eq!(
        odd,
        [
            ("2".into(), OddKind::Confusable, "U+041D CYRILLIC CAPITAL LETTER EN".into()),
            ("5".into(), OddKind::Confusable, "U+006C LATIN SMALL LETTER L".into()),
        ]
    );
    assert_eq!((picture.apps[2].odd[0].beside, picture.apps[5].odd[0].beside), (Some(0), Some(1)));
}

#[test]
fn names_that_no_reader_would_mix_up_are_left_alone() {
    let names = [
        "Mail",
        "MAIL",
        "Mall",
        "AI Notes",
        "Slack",
        "Zoom",
        "Zoom Rooms",
        "Новости",
        "Résumé",
        "Resume",
        "会議メモ",
        "مساعد الاجتماعات",
        "Notes 2",
        "Notes 3",
    ];
    let apps: Vec<Made> = names.iter().map(|name| made(name, PUBLIC, &[NARROW])).collect();
    let picture = sorted_out(&apps);
    assert_eq!(told(&picture), (vec![("Mail".into(), 2)], vec![]), "only Mail and MAIL are one name");
}

#[test]
fn characters_that_cannot_be_seen_are_flagged_on_any_app_and_keep_it_out_of_the_group() {
    let hidden = [
        ("Data\u{200b}Sync", "U+200B ZERO WIDTH SPACE"),
        ("Data\u{ad}Sync", "U+00AD SOFT HYPHEN"),
        ("Data\u{200d}Sync", "U+200D ZERO WIDTH JOINER"),
        ("\u{feff}DataSync", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("DataSync\u{e0041}", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("Data\u{fe0f}Sync", "U+FE0F VARIATION SELECTOR-16"),
        ("Data\u{7}Sync", "U+0007 control character"),
        ("DataSync\u{3164}", "U+3164 HANGUL FILLER"),
    ];
    for (name, detail) in hidden {
        let picture =
            sorted_out(&[made(name, PUBLIC, &[]), made("DataSync", PUBLIC, &[]), made("DataSync", PUBLIC, &[])]);
        assert_eq!(told(&picture).0, [("DataSync".into(), 2)], "{name:?}");
        assert_eq!(told(&picture).1, [("0".into(), OddKind::Invisible, detail.into())], "{name:?}");
        assert_eq!(picture.apps[0].odd[0].beside, Some(0));
        let alone = sorted_out(&[made(name, PUBLIC, &[])]);
        assert_eq!(kinds(&alone, 0), [OddKind::Invisible], "{name:?} alone");
    }
    let nothing = sorted_out(&[
        made("\u{200b}", PUBLIC, &[]),
        made("\u{200b}\u{200b}", PUBLIC, &[]),
        made("", PUBLIC, &[]),
        made(" ", PUBLIC, &[]),
    ]);
    assert_eq!(nothing.groups, [], "a name of which nothing is seen is like no other");
    assert_eq!((kinds(&nothing, 0), kinds(&nothing, 2)), (vec![OddKind::Invisible], vec![]));
}

#[test]
fn text_that_turns_round_is_flagged() {
    for name in ["Payroll \u{202e}fdp.exe", "Pay\u{2066}roll\u{2069}", "\u{202b}Payroll", "Payroll\u{200f}"] {
        let picture = sorted_out(&[made(name, PUBLIC, &[])]);
        assert_eq!(kinds(&picture, 0), [OddKind::Bidi], "{name:?}");
    }
    let both = sorted_out(&[made("Pay\u{202e}\u{200b}roll", PUBLIC, &[])]);
    assert_eq!(kinds(&both, 0), [OddKind::Bidi, OddKind::Invisible]);
    let hebrew = sorted_out(&[made("שלום\u{202e}", PUBLIC, &[])]);
    assert_eq!(kinds(&hebrew, 0), [OddKind::Bidi], "an override has no business in a right-to-left name either");
}

#[test]
fn joiners_and_selectors_that_do_honest_work_are_left_alone() {
    for name in [
        "Family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "Pride \u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
        "Dev \u{1f469}\u{1f3fd}\u{200d}\u{1f4bb}",
        "Love \u{2764}\u{fe0f}",
        "Call 1\u{fe0f}\u{20e3}",
        "Scots \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "(שלום)\u{200e} App",
        "葛\u{e0100}飾",
    ] {
        let picture = sorted_out(&[made(name, PUBLIC, &[])]);
        assert_eq!(told(&picture), (vec![], vec![]), "{name:?}");
    }
    let sneaked = sorted_out(&[made("می\u{200c}Claude", PUBLIC, &[])]);
    assert_eq!(kinds(&sneaked, 0), [OddKind::Invisible], "before a Latin letter it joins nothing");
}

#[test]
fn an_honest_joiner_that_the_others_lack_still_keeps_a_client_out_of_their_group() {
    let picture =
        sorted_out(&[made("میخواهم", PUBLIC, &[]), made("میخواهم", PUBLIC, &[]), made("می\u{200c}خواهم", PUBLIC, &[])]);
    assert_eq!(picture.groups[0].apps, [0, 1]);
    assert_eq!(told(&picture).1, [("2".into(), OddKind::Invisible, "U+200C ZERO WIDTH NON-JOINER".into())]);
}

#[test]
fn wider_scopes_are_odd_only_where_the_others_have_neither_the_scope_nor_the_width() {
    let wide = "openid contacts.write";
    let same =
        sorted_out(&[made("Sync", PUBLIC, &[wide]), made("Sync", PUBLIC, &[wide]), made("Sync", PUBLIC, &[wide])]);
    assert_eq!(told(&same), (vec![("Sync".into(), 3)], vec![]));
    let no_wider = sorted_out(&[
        made("Sync", PUBLIC, &["openid a.read"]),
        made("Sync", PUBLIC, &["openid b.read"]),
        made("Sync", PUBLIC, &["openid c.read"]),
    ]);
    assert_eq!(told(&no_wider).1, [], "other scopes, as narrow");
    let two_wide = sorted_out(&[
        made("Sync", PUBLIC, &["openid a.read"]),
        made("Sync", PUBLIC, &["openid a.read", wide]),
        made("Sync", PUBLIC, &["openid a.read"]),
        made("Sync", PUBLIC, &["openid a.read"]),
        made("Sync", PUBLIC, &[wide]),
    ]);
    assert_eq!(two_wide.groups[0].apps, [0, 2, 3], "two that are wide in the same way do not vouch for each other");
    assert_eq!((kinds(&two_wide, 1), kinds(&two_wide, 4)), (vec![OddKind::WiderScopes], vec![OddKind::WiderScopes]));
    let pair = sorted_out(&[made("Sync", PUBLIC, &["openid"]), made("Sync", PUBLIC, &["openid", wide])]);
    assert_eq!(told(&pair), (vec![], vec![("1".into(), OddKind::WiderScopes, "contacts.write".into())]));
    let unread = sorted_out(&[made("Sync", PUBLIC, &[]), made("Sync", PUBLIC, &[wide])]);
    assert_eq!(
        told(&unread),
        (vec![("Sync".into(), 2)], vec![]),
        "of a client without grants nothing is known to compare"
    );
}

#[test]
fn a_group_keeps_its_id_when_its_clients_come_and_go() {
    let two = sorted_out(&[made("Claude", PUBLIC, &[]), made("claude", PUBLIC, &[])]);
    let three = sorted_out(&[
        made("Other", PUBLIC, &[]),
        made("Cl aude", PUBLIC, &[]),
        made("Claude", PUBLIC, &[]),
        made("CLAUDE", PUBLIC, &[]),
    ]);
    let other_type = sorted_out(&[made("Claude", "third_party", &[]), made("Claude", "third_party", &[])]);
    assert_eq!(two.groups[0].id, three.groups[0].id);
    assert_ne!(two.groups[0].id, other_type.groups[0].id);
    assert_eq!(two.groups[0].id.len(), 16);
}

#[test]
fn ten_thousand_apps_and_a_name_without_an_end_are_sorted_in_no_time() {
    let names = ["Claude", "Atlas Notes", "Cl\u{430}ude", "Ember Billing", "مساعد الاجتماعات", "Data\u{200b}Sync"];
    let mut apps: Vec<Made> = (0..9_999)
        .map(|n| {
            let name = names[n % names.len()];
            let name = if n % 3 == 0 { name.to_owned() } else { format!("{name} {n}") };
            made(&name, PUBLIC, &[NARROW])
        })
        .collect();
    apps.push(made(&"Cl\u{430}ude \u{202e}".repeat(1_250), PUBLIC, &[NARROW]));
    let picture = picture(&apps);
    // The best of a few: what is measured is the work, and not what else the machine is doing.
    let mut best = std::time::Duration::MAX;
    for _ in 0..10 {
        let began = std::time::Instant::now();
        let (groups, odd) = groups(&picture);
        best = best.min(began.elapsed());
        assert!(!groups.is_empty() && odd.len() == 10_000);
    }
    println!("10,000 apps: {best:?}");
    // An unoptimized build is given room.
    let limit = if cfg!(debug_assertions) { 1_500 } else { 50 };
    assert!(best.as_millis() <= limit, "took {best:?}");
}

fn name() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Claude",
        "Cl\u{430}ude",
        "CIaude",
        "C1aude",
        "claude",
        "Cla ude",
        "Data",
        "D\u{430}ta",
        "Sync",
        "\u{200b}",
        "\u{202e}",
        "m",
        "rn",
        " ",
        "\u{41d}",
        "H",
        "می\u{200c}خ",
        "O",
        "0",
    ]);
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

fn app() -> impl Strategy<Value = Made> {
    let client_type = prop::sample::select(vec![PUBLIC, "third_party"]);
    let scopes = prop::sample::select(vec!["", "openid", NARROW, "contacts.write", "openid admin.users"]);
    (name(), client_type, prop::collection::vec(scopes, 0..3))
        .prop_map(|(name, client_type, grants)| made(&name, client_type, &grants))
}

/// A few apps, some of them several times over, as look-alikes are.
fn apps() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec((app(), 1..4_usize), 1..6).prop_map(|apps| {
        let apps = apps.into_iter().flat_map(|(app, times)| std::iter::repeat_n(app, times));
        apps.enumerate().map(|(n, app)| Made { id: format!("app-{n}"), ..app }).collect()
    })
}

/// Groups and flags without the order of the apps.
type Sorted = (BTreeSet<(String, BTreeSet<String>)>, BTreeSet<(String, String, String, Option<String>)>);

fn without_order(picture: &Picture) -> Sorted {
    let id = |app: u32| picture.apps[app as usize].id.as_str().to_owned();
    let groups = picture.groups.iter().map(|g| (g.id.clone(), g.apps.iter().map(|&app| id(app)).collect()));
    let odd = picture.apps.iter().flat_map(|app| {
        app.odd.iter().map(|odd| {
            let beside = odd.beside.map(|group| picture.groups[group as usize].id.clone());
            (app.id.as_str().to_owned(), format!("{:?}", odd.kind), odd.detail.clone(), beside)
        })
    });
    (groups.collect(), odd.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_list_changes_neither_groups_nor_flags(
        (apps, shuffled) in apps().prop_flat_map(|apps| (Just(apps.clone()), Just(apps).prop_shuffle())),
    ) {
        let (one, other) = (sorted_out(&apps), sorted_out(&shuffled));
        prop_assert_eq!(without_order(&one), without_order(&other));
    }

    #[test]
    fn a_flagged_app_is_in_no_group_and_a_group_is_one_name_and_one_type(apps in apps()) {
        let picture = sorted_out(&apps);
        for (n, app) in picture.apps.iter().enumerate() {
            prop_assert!(app.odd.is_empty() || app.group.is_none(), "{:?}", app);
            let holds = |g: &u32| picture.groups[*g as usize].apps.contains(&(n as u32));
            prop_assert!(app.group.as_ref().is_none_or(holds));
        }
        let mut ids = BTreeSet::new();
        for group in &picture.groups {
            prop_assert!(group.apps.len() > 1);
            prop_assert!(ids.insert(&group.id), "two groups of one id");
            let squeezed = |app: &u32| {
                let app = &picture.apps[*app as usize];
                (app.name.to_lowercase().replace(' ', ""), app.client_type.clone())
            };
            let kinds: BTreeSet<_> = group.apps.iter().map(squeezed).collect();
            prop_assert_eq!(kinds.len(), 1, "{:?}", kinds);
        }
    }

    #[test]
    fn an_invisible_character_never_brings_an_app_into_a_group(
        apps in apps(), which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(),
        hidden in prop::sample::select(vec!['\u{200b}', '\u{ad}', '\u{2060}', '\u{feff}', '\u{202e}', '\u{2067}', '\u{e0020}']),
    ) {
        let mut apps = apps;
        let app = which.index(apps.len());
        let mut name: Vec<char> = apps[app].name.chars().collect();
        name.insert(place.index(name.len() + 1), hidden);
        apps[app].name = name.into_iter().collect();
        let picture = sorted_out(&apps);
        prop_assert_eq!(picture.apps[app].group, None);
        prop_assert!(!picture.apps[app].odd.is_empty());
    }
}

// ---------------------------------------------------------------------------------------------------------------- width

#[derive(Clone, Debug)]
enum Token {
    Star,
    Char(char),
}

fn token() -> impl Strategy<Value = Token> {
    prop_oneof![
        2 => Just(Token::Star),
        5 => prop::sample::select(vec!['a', 'b', 'A', 'é', 'É', '*', '\\', 'σ', 'ς']).prop_map(Token::Char),
    ]
}

fn written(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Star => "*".to_owned(),
            Token::Char(c @ ('*' | '\\')) => format!("\\{c}"),
            Token::Char(c) => c.to_string(),
        })
        .collect()
}

/// Without a star: some run of characters with no letter or number right before or after it.
fn words(tokens: &[Token], scope: &[char]) -> bool {
    (0..=scope.len()).any(|from| {
        (from..=scope.len()).any(|to| {
            let apart = |c: Option<&char>| !c.is_some_and(|c| c.is_alphanumeric());
            apart(scope[..from].last()) && apart(scope.get(to)) && matches(tokens, &scope[from..to])
        })
    })
}

/// The plainest way to say what a pattern matches: try everything.
fn matches(tokens: &[Token], scope: &[char]) -> bool {
    let same = |a: char, b: char| {
        let fold = |c: char| c.to_uppercase().collect::<String>();
        fold(a) == fold(b)
    };
    match tokens.split_first() {
        None => scope.is_empty(),
        Some((Token::Star, rest)) => (0..=scope.len()).any(|n| matches(rest, &scope[n..])),
        Some((Token::Char(c), rest)) => {
            scope.split_first().is_some_and(|(s, tail)| same(*c, *s) && matches(rest, tail))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_rating_is_what_reading_the_rules_from_top_to_bottom_gives(
        rules in prop::collection::vec((prop::collection::vec(prop::collection::vec(token(), 1..7), 1..3), 1..=3_u8), 0..4),
        scopes in prop::collection::vec("[abA*\\\\éÉσ]{0,6}", 0..4),
    ) {
        let made = Rules {
            rules: rules.iter().enumerate().map(|(n, (patterns, level))| Rule {
                label: format!("rule {n}"), patterns: patterns.iter().map(|tokens| written(tokens)).collect(), level: *level,
            }).collect(),
        };
        prop_assert_eq!(made.check(), Ok(()));
        let mut expected = Width::default();
        let mut best: Option<(u8, usize)> = None;
        for scope in &scopes {
            let chars: Vec<char> = scope.chars().collect();
            let rule = rules.iter().position(|(patterns, _)| patterns.iter().any(|tokens| {
                if tokens.iter().any(|token| matches!(token, Token::Star)) { matches(tokens, &chars) } else { words(tokens, &chars) }
            }));
            let (level, place) = rule.map_or((1, usize::MAX), |at| (rules[at].1, at));
            if best.is_none_or(|(l, p)| level > l || (level == l && place < p)) {
                best = Some((level, place));
                let rule = rule.map_or(OTHER.to_owned(), |at| format!("rule {at}"));
                expected = Width { level, rule, scope: scope.clone() };
            }
        }
        prop_assert_eq!(made.compile().rate(&scopes), expected);
    }
}

// --------------------------------------------------------------------------------------------------------------- export

/// A reader of RFC 4180 that knows nothing of the writer: records end with CRLF, and quotes are where they may be.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cell;
        if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            loop {
                let end = quoted.find('"').expect("a quote that opens also closes");
                text.push_str(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix('"') {
                    Some(more) => {
                        text.push('"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            (cell, rest) = (text, quoted);
        } else {
            let end = rest.find([',', '\r', '\n', '"']).expect("a record ends");
            cell = rest[..end].to_owned();
            rest = &rest[end..];
        }
        record.push(cell);
        if let Some(more) = rest.strip_prefix(',') {
            rest = more;
        } else if let Some(more) = rest.strip_prefix("\r\n") {
            records.push(std::mem::take(&mut record));
            rest = more;
        } else {
            panic!("neither the next cell nor the next record: {:?}", rest.chars().take(20).collect::<String>());
        }
    }
    assert!(record.is_empty(), "the last record ends too");
    records
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<u64>) -> (u64, String) {
    let mut out = Vec::new();
    let rows = write(&mut out).expect("memory takes everything");
    (rows, String::from_utf8(out).expect("files are UTF-8"))
}

fn csv_of(picture: &Picture) -> (u64, Vec<Vec<String>>) {
    let (rows, csv) = text(|out| write_grants(out, picture, picture.grants.iter(), Format::Csv, ""));
    (rows, parse_csv(&csv))
}

fn json_of(picture: &Picture, filtered: &str) -> (u64, serde_json::Value) {
    let (rows, json) = text(|out| write_grants(out, picture, picture.grants.iter(), Format::Json, filtered));
    (rows, serde_json::from_str(&json).expect("one object"))
}

#[test]
fn a_csv_has_a_header_and_a_row_for_each_grant() {
    let mut picture = sorted_out(&[made("Data \"Sync\", Inc", "third_party", &["openid contacts.write", "openid"])]);
    picture.grants[0].change = Some(Change::Widened);
    picture.grants[0].first_seen.after = Some(at("2026-10-01T08:00:00Z"));
    picture.members[1].known = None;
    let (rows, csv) = csv_of(&picture);
    assert_eq!(rows, 2);
    assert_eq!(
        csv[0].join(","),
        "connected_app_id,app_name,client_type,member_id,member_name,member_email,member_status,scopes,width_level,\
         width_rule,width_scope,first_seen_after,first_seen_by,change"
    );
    assert_eq!(
        csv[1],
        [
            "connected-app-test-0",
            "Data \"Sync\", Inc",
            "third_party",
            "member-test-0",
            "Member 0",
            "member0@acme.test",
            "active",
            "openid contacts.write",
            "3",
            "write",
            "contacts.write",
            "2026-10-01T08:00:00.000Z",
            "2026-10-03T08:00:00.000Z",
            "widened"
        ]
    );
    assert_eq!(csv[2][4..7], ["", "", ""], "a member known by id only");
    assert_eq!(csv[2][11..], ["", "2026-10-03T08:00:00.000Z", ""]);
    assert_eq!(csv.len(), 3, "a complete picture has no more to say");
}

#[test]
fn no_cell_runs_as_a_formula() {
    for (name, cell) in [
        ("=HYPERLINK(\"https://example.test/?\"&A1)", "'=HYPERLINK(\"https://example.test/?\"&A1)"),
        ("+1-800", "'+1-800"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1+1", "'＝1+1"),
        ("＠x", "'＠x"),
        ("  =1", "'  =1"),
        ("\"=1", "'\"=1"),
        ("\u{200b}=1", "'\u{200b}=1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("Data-Sync = fine + plain @ home; really", "Data-Sync = fine + plain @ home; really"),
        ("a\u{0}b\u{1b}c", "a\u{fffd}b\u{fffd}c"),
        ("Payroll \u{202e}fdp.exe", "Payroll \u{202e}fdp.exe"),
    ] {
        let (_, csv) = csv_of(&sorted_out(&[made(name, PUBLIC, &["openid"])]));
        assert_eq!(csv[1][1], cell, "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_names_a_csv_parses_back_and_no_cell_is_a_formula(
        name in "[=+@\"',;\\-\t\r\n a\u{0}\u{7f}\u{200b}＝＠é]{0,8}", scope in "[=+@\"',;\\-\ta]{1,5}", who in "\\PC{0,6}",
    ) {
        let mut picture = sorted_out(&[made(&name, PUBLIC, &[&scope, "openid"])]);
        picture.members[0].known = Some(Known { name: who.clone(), ..Known::default() });
        let (rows, csv) = csv_of(&picture);
        prop_assert_eq!(rows, 2);
        prop_assert_eq!(csv.len(), 3);
        for record in &csv {
            prop_assert_eq!(record.len(), 14);
            for cell in record {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{:?}", cell);
                // As an importer sees it that trims, that drops quotes, or that cuts at semicolons and tabs.
                for part in cell.split([';', '\t', '\r', '\n']) {
                    let seen = part.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{200b}');
                    prop_assert!(!seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", cell);
                }
                prop_assert!(!cell.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n')));
            }
        }
        // Faithful: without the apostrophes that were put in, and with control characters as they are shown, it is the name.
        let shown = |text: &str| -> String {
            text.chars().filter(|&c| c != '\'').map(|c| if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { '\u{fffd}' } else { c }).collect()
        };
        prop_assert_eq!(shown(&csv[1][1]), shown(&name));
        prop_assert_eq!(shown(&csv[1][4]), shown(&who));
        let (_, json) = json_of(&picture, "");
        prop_assert_eq!(json["rows"][0]["app_name"].as_str(), Some(name.as_str()), "JSON keeps every character");
    }
}

fn missing(what: What, cause: Cause) -> Missing {
    Missing {
        what,
        cause,
        rows: 0,
        status: Some(403),
        error_type: Some("session_authorization_error".into()),
        request_id: Some("request-id-test-1".into()),
    }
}

#[test]
fn an_incomplete_file_says_so_in_words_that_a_spreadsheet_shows() {
    let apps: Vec<Made> = (0..40).map(|n| made(&format!("App {n}"), PUBLIC, &["openid"])).collect();
    let mut picture = sorted_out(&apps);
    for n in 0..3 {
        picture
            .facts
            .missing
            .push(missing(What::App(format!("connected-app-test-{n}").as_str().into()), Cause::Denied));
    }
    picture.facts.missing.push(Missing {
        rows: 1,
        status: None,
        error_type: None,
        request_id: None,
        ..missing(What::MemberRows, Cause::UnreadableRows)
    });
    picture.facts.under_way = true;
    let (rows, csv) = csv_of(&picture);
    assert_eq!(rows, 40, "what is said about the file is not counted as rows of it");
    let said: Vec<(&str, &str)> = csv[41..].iter().map(|record| (record[0].as_str(), record[1].as_str())).collect();
    assert_eq!(said[0], ("INCOMPLETE", "3 of 40 apps could not be read: their grants are not in this file"));
    assert_eq!(
        said[1],
        (
            "INCOMPLETE",
            "Members of the app App 0 (connected-app-test-0) could not be read: the permission is missing \
             (HTTP 403, session_authorization_error, request-id-test-1)"
        )
    );
    assert_eq!(
        said[4].1,
        "Of the list of members, 1 row could not be read: they do not have the form that Stytch documents"
    );
    assert_eq!(said[5].0, "UNDER_WAY");
    assert_eq!(said.len(), 6);
    assert!(csv.iter().all(|record| record.len() == 14));

    for n in 3..300 {
        picture.facts.missing.push(missing(What::App(format!("gone-{n}").as_str().into()), Cause::Offline));
    }
    let (_, csv) = csv_of(&picture);
    let said: Vec<&str> = csv.iter().filter(|r| r[0] == "INCOMPLETE").map(|r| r[1].as_str()).collect();
    assert_eq!(said.len(), 101);
    assert_eq!(said[100], "and 202 more could not be read");

    let (_, json) = json_of(&picture, "");
    assert_eq!((json["complete"].as_bool(), json["under_way"].as_bool()), (Some(false), Some(true)));
    assert_eq!(json["missing"].as_array().map(Vec::len), Some(301), "JSON lists them all");
    assert_eq!(json["missing"][0]["cause"], "denied");
    assert_eq!(json["missing"][0]["app_name"], "App 0");
}

#[test]
fn a_json_file_tells_where_it_comes_from_and_has_the_lines_of_the_command_line() {
    let picture = sorted_out(&[made("Claude", PUBLIC, &[NARROW, "openid"])]);
    let (rows, json) = json_of(&picture, "scope offline_access");
    assert_eq!(rows, 2);
    assert_eq!(json["format"], "cutoff-inventory");
    assert_eq!(json["version"], 1);
    assert_eq!(json["organization_name"], "Acme Robotics");
    assert_eq!(json["read_at"], "2026-11-23T10:42:07.500Z");
    assert_eq!(json["began_at"], "2026-11-23T10:42:00.000Z");
    assert_eq!(json["read_by"], "maya@acme.test");
    assert_eq!((json["snapshot"].as_u64(), json["complete"].as_bool()), (Some(7), Some(true)));
    assert_eq!(json["filter"], "scope offline_access");
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
    let line = serde_json::to_string(&GrantLine::new(&picture, &picture.grants[0])).expect("a line");
    assert_eq!(
        line,
        "{\"connected_app_id\":\"connected-app-test-0\",\"app_name\":\"Claude\",\"client_type\":\"third_party_public\",\
         \"member_id\":\"member-test-0\",\"member_email\":\"member0@acme.test\",\"scopes\":[\"openid\",\"profile\",\
         \"email\",\"offline_access\",\"reports.read\"],\"first_seen\":{\"after\":null,\"by\":\"2026-10-03T08:00:00.000Z\"},\
         \"width\":{\"level\":2,\"rule\":\"offline\",\"scope\":\"offline_access\"},\"member_name\":\"Member 0\",\"change\":null}"
    );
    assert_eq!(json["rows"][0], serde_json::from_str::<serde_json::Value>(&line).expect("a line"));
    let nothing = text(|out| write_grants(out, &picture, [].iter(), Format::Json, ""));
    let parsed: serde_json::Value = serde_json::from_str(&nothing.1).expect("one object");
    assert_eq!(
        (nothing.0, parsed["rows"].as_array().map(Vec::len), &parsed["filter"]),
        (0, Some(0), &serde_json::Value::Null)
    );
}

#[test]
fn groups_members_and_changes_can_be_taken_along_too() {
    let apps = [
        made("Claude", PUBLIC, &[NARROW, NARROW]),
        made("Other", PUBLIC, &["openid"]),
        made("Claude", PUBLIC, &["openid", "openid", NARROW]),
        made("Cl\u{430}ude", PUBLIC, &["openid"]),
    ];
    let picture = sorted_out(&apps);
    let rows =
        || [AppRow::group(&picture, 0), AppRow::app(&picture, 1), AppRow::app(&picture, 3)].into_iter().flatten();
    let (count, csv) = text(|out| write_apps(out, &picture, rows(), Format::Csv, ""));
    let csv = parse_csv(&csv);
    assert_eq!((count, csv.len()), (3, 4));
    let cell = |row: usize, column: &str| {
        csv[row][csv[0].iter().position(|name| name == column).expect("a column of the file")].as_str()
    };
    assert_eq!((cell(1, "app_name"), cell(1, "clients"), cell(1, "grants")), ("Claude", "2", "5"));
    assert_eq!(cell(1, "members"), "3", "a member of two of its clients is counted once");
    assert_eq!(cell(1, "group_id"), picture.groups[0].id);
    assert_eq!(cell(1, "client_ids"), "connected-app-test-0 connected-app-test-2");
    assert_eq!((cell(2, "group_id"), cell(2, "width_level")), ("", "1"));
    assert_eq!(cell(3, "odd"), "confusable: U+0430 CYRILLIC SMALL LETTER A");
    assert_eq!(AppRow::app(&picture, 99), None);
    let (_, json) = text(|out| write_apps(out, &picture, rows(), Format::Json, ""));
    let json: serde_json::Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(json["rows"][2]["odd"][0]["beside"], picture.groups[0].id.as_str());

    let people = || (0..3).filter_map(|member| MemberRow::new(&picture, member));
    let (count, csv) = text(|out| write_members(out, &picture, people(), Format::Csv, ""));
    let csv = parse_csv(&csv);
    assert_eq!(count, 3);
    assert_eq!(csv[1][..6], ["member-test-0", "Member 0", "member0@acme.test", "active", "stytch_member", "4"]);
    assert_eq!(csv[3][5..9], ["1", "2", "offline", "offline_access"]);

    let (app, member) = ("connected-app-test-9".into(), "member-test-9".into());
    let (before, after) = (["openid".to_owned()], ["openid".to_owned(), "=x".to_owned()]);
    let row = ChangeRow {
        change: Change::Widened,
        member: &member,
        known: None,
        app: &app,
        app_name: "=1+1",
        client_type: PUBLIC,
        before: &before,
        after: &after,
        first_seen: FirstSeen { by: at("2026-10-03T08:00:00Z"), after: Some(at("2026-10-02T08:00:00Z")) },
    };
    let (count, csv) = text(|out| write_changes(out, &picture, [row].into_iter(), &[], Format::Csv, ""));
    let csv = parse_csv(&csv);
    assert_eq!(count, 1);
    assert_eq!(csv[1][1..4], ["'=1+1", PUBLIC, "member-test-9"]);
    assert_eq!(csv[1][7..], ["widened", "openid", "openid =x", "2026-10-02T08:00:00.000Z", "2026-10-03T08:00:00.000Z"]);
    let (_, json) = text(|out| write_changes(out, &picture, [row].into_iter(), &[], Format::Json, ""));
    let json: serde_json::Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(json["rows"][0]["scopes_after"][1], "=x");
}

#[test]
fn a_full_disk_is_an_error_and_not_a_short_file() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let picture = sorted_out(&[made("Claude", PUBLIC, &[NARROW, "openid"])]);
    for format in [Format::Csv, Format::Json] {
        let (_, whole) = text(|out| write_grants(out, &picture, picture.grants.iter(), format, ""));
        for room in [0, 1, whole.len() / 2, whole.len() - 1] {
            let told = write_grants(&mut Full(room), &picture, picture.grants.iter(), format, "");
            assert_eq!(told.map_err(|e| e.kind()), Err(std::io::ErrorKind::StorageFull), "room for {room} bytes");
        }
        assert!(write_grants(&mut Full(whole.len()), &picture, picture.grants.iter(), format, "").is_ok());
    }
}

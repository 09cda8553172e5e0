//! The people, apps and grants a sandbox starts with: the same for the same seed and sizes, for ever. Draws nothing secret.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Builder;

use crate::come_backs::ComeBacks;
use crate::faults::Settings;
use crate::grants::{ALWAYS, AppNo, Grants, MemberNo, Scopes};
use crate::ledger::Ledger;
use crate::policy::Policies;
use crate::rbac;
use crate::world::{App, Facts, Logo, Member, Organization, Status, World, secret};
use crate::{Options, People};

/// SplitMix64's finalizer: turns a counter into well-spread bits. Our own, since a library's generator may change between versions.
pub fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn hits(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64 / (1u64 << 53) as f64) < share
    }

    fn id(&mut self, kind: &str) -> String {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        let uuid = Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        format!("{kind}-test-{uuid}")
    }
}

/// The id of the app that stands in for this one under a new client id. Told by the id alone, so that a run that is
/// repeated meets the same ids in whatever order its calls land.
pub fn successor_id(id: &str) -> String {
    let bits = id.bytes().fold(mix(0x5CCE_5503), |bits, byte| mix(bits ^ u64::from(byte)));
    Dice(bits).id("connected-app")
}

const FIRST_NAMES: &[(&str, &str)] = &[
    ("Amara", "amara"),
    ("Björn", "bjorn"),
    ("Chiara", "chiara"),
    ("Dmitri", "dmitri"),
    ("Élodie", "elodie"),
    ("Farid", "farid"),
    ("Grace", "grace"),
    ("Hiroshi", "hiroshi"),
    ("Ingrid", "ingrid"),
    ("João", "joao"),
    ("Katarzyna", "katarzyna"),
    ("Liam", "liam"),
    ("Mei", "mei"),
    ("Nadia", "nadia"),
    ("Oluwaseun", "oluwaseun"),
    ("Priya", "priya"),
    ("Quentin", "quentin"),
    ("Rosa", "rosa"),
    ("Samir", "samir"),
    ("Tove", "tove"),
    ("Ulrike", "ulrike"),
    ("Viktor", "viktor"),
    ("Wanjiru", "wanjiru"),
    ("Ximena", "ximena"),
    ("Yusuf", "yusuf"),
    ("Zoë", "zoe"),
    ("Anders", "anders"),
    ("Beatriz", "beatriz"),
    ("Caleb", "caleb"),
    ("Dalia", "dalia"),
];

const LAST_NAMES: &[(&str, &str)] = &[
    ("Okafor", "okafor"),
    ("Lindgren", "lindgren"),
    ("Rossi", "rossi"),
    ("Volkov", "volkov"),
    ("Dubois", "dubois"),
    ("Haddad", "haddad"),
    ("Hopper", "hopper"),
    ("Tanaka", "tanaka"),
    ("Sørensen", "sorensen"),
    ("Carvalho", "carvalho"),
    ("Nowak", "nowak"),
    ("O'Connor", "oconnor"),
    ("Zhang", "zhang"),
    ("Petrova", "petrova"),
    ("Adeyemi", "adeyemi"),
    ("Raman", "raman"),
    ("Lefèvre", "lefevre"),
    ("Delgado", "delgado"),
    ("Mansour", "mansour"),
    ("Nilsson", "nilsson"),
    ("Vogel", "vogel"),
    ("Horváth", "horvath"),
    ("Kamau", "kamau"),
    ("Ibarra", "ibarra"),
    ("Demir", "demir"),
    ("Novák", "novak"),
    ("Brandt", "brandt"),
    ("Souza", "souza"),
    ("Whitaker", "whitaker"),
    ("Levi", "levi"),
];

/// How many members let an app act for them.
#[derive(Clone, Copy)]
enum Reach {
    Share(f64),
    /// A handful, for the hostile and the look-alike.
    Few(usize),
}

struct Template {
    name: &'static str,
    description: &'static str,
    client_type: &'static str,
    reach: Reach,
    /// Sets of scopes seen in the wild; each grant has one of them.
    scopes: &'static [&'static str],
}

const LONG_NAME: &str = "(ten thousand characters)";

/// In this order, so that a small sandbox has the telling ones.
const TEMPLATES: &[Template] = &[
    Template {
        name: "DataSync",
        description: "Keeps your CRM and your contacts the same on both sides.",
        client_type: "third_party",
        reach: Reach::Share(0.78),
        scopes: &[
            "openid profile email offline_access contacts.read contacts.write",
            "openid profile email offline_access contacts.read",
            "openid profile email",
        ],
    },
    Template {
        name: "Claude",
        description: "AI assistant by Anthropic, connected over MCP.",
        client_type: "third_party_public",
        reach: Reach::Share(0.66),
        scopes: &[
            "openid profile email offline_access reports.read",
            "openid profile email offline_access reports.read contacts.read",
            "openid profile",
        ],
    },
    Template {
        name: "Acme CLI",
        description: "The command line of Acme Robotics.",
        client_type: "first_party_public",
        reach: Reach::Share(0.42),
        scopes: &["openid profile email offline_access full_access", "openid profile email"],
    },
    Template {
        name: "Quarterly Deck Builder",
        description: "Turns reports into slides.",
        client_type: "third_party",
        reach: Reach::Share(0.35),
        scopes: &["openid email reports.read", "openid email offline_access reports.read reports.write"],
    },
    Template {
        // The second letter is Cyrillic.
        name: "Cl\u{0430}ude",
        description: "AI assistant",
        client_type: "third_party_public",
        reach: Reach::Few(2),
        scopes: &[
            "openid profile email offline_access contacts.read contacts.write reports.read reports.write admin.users",
        ],
    },
    Template {
        name: "Acme Mobile",
        description: "Acme Robotics on your phone.",
        client_type: "first_party",
        reach: Reach::Share(0.7),
        scopes: &["openid profile email offline_access full_access"],
    },
    Template {
        name: "مساعد الاجتماعات",
        description: "يلخّص اجتماعاتك ويرسل الملاحظات.",
        client_type: "third_party",
        reach: Reach::Share(0.2),
        scopes: &["openid profile email calendar.read", "openid profile calendar.read offline_access"],
    },
    Template {
        name: "<img src=x onerror=alert(1)>",
        description: "<script>alert(document.domain)</script><b>Harmless & useful</b>",
        client_type: "third_party_public",
        reach: Reach::Few(2),
        scopes: &["openid profile <b>email</b>"],
    },
    Template {
        // Shown by a careless renderer as "Payroll exe.pdf" and the like.
        name: "Payroll \u{202E}fdp.exe",
        description: "\u{202E}.ereht si gnihton\u{202C} Reads reports.",
        client_type: "third_party",
        reach: Reach::Few(2),
        scopes: &["openid reports.read"],
    },
    Template {
        name: "Data\u{200B}Sync",
        description: "Keeps your CRM and your contacts the same on both sides.",
        client_type: "third_party",
        reach: Reach::Few(3),
        scopes: &["openid profile email offline_access contacts.read contacts.write admin.users"],
    },
    Template {
        name: LONG_NAME,
        description: "A name without an end.",
        client_type: "third_party",
        reach: Reach::Few(1),
        scopes: &["openid"],
    },
    Template {
        name: "Claude",
        description: "AI assistant by Anthropic, connected over MCP.",
        client_type: "third_party_public",
        reach: Reach::Share(0.15),
        scopes: &["openid profile email offline_access reports.read"],
    },
    Template {
        name: "Claude Desktop",
        description: "AI assistant by Anthropic, on the desktop.",
        client_type: "third_party_public",
        reach: Reach::Share(0.12),
        scopes: &["openid profile email offline_access reports.read", "openid profile"],
    },
    Template {
        // The first letter is Cyrillic.
        name: "\u{0421}laude",
        description: "AI assistant by Anthropic, connected over MCP.",
        client_type: "third_party_public",
        reach: Reach::Few(2),
        scopes: &["openid profile email offline_access full_access"],
    },
    Template {
        name: "Meeting Scribe",
        description: "Listens, writes down, sends round.",
        client_type: "third_party",
        reach: Reach::Share(0.18),
        scopes: &["openid profile email calendar.read offline_access"],
    },
    Template {
        name: "=HYPERLINK(\"https://example.test/?\"&A1,\"Open\")",
        description: "+1-800, @everyone, and a tab:\tdone",
        client_type: "third_party",
        reach: Reach::Few(2),
        scopes: &["openid email"],
    },
    Template {
        name: "C1aude",
        description: "AI assistant",
        client_type: "third_party_public",
        reach: Reach::Few(3),
        scopes: &["openid profile email offline_access contacts.read"],
    },
];

const APP_FIRST: &[&str] = &[
    "Atlas",
    "Beacon",
    "Cobalt",
    "Drift",
    "Ember",
    "Fathom",
    "Gantry",
    "Harbor",
    "Inkwell",
    "Juniper",
    "Keystone",
    "Lantern",
    "Meridian",
    "Northstar",
    "Orchard",
    "Pylon",
    "Quarry",
    "Relay",
    "Summit",
    "Tandem",
];
const APP_LAST: &[&str] = &["Notes", "Agent", "Analytics", "Tickets", "Calendar", "Billing", "Forms", "Recruiting"];
const APP_SCOPES: &[&[&str]] = &[
    &["openid profile email", "openid profile email offline_access"],
    &["openid email reports.read", "openid email reports.read reports.write"],
    &["openid profile email contacts.read offline_access"],
    &["openid profile calendar.read calendar.write"],
];
const APP_TYPES: &[&str] = &["third_party", "third_party", "third_party_public", "third_party", "first_party"];

/// Members of the second organization.
const SECOND_SIZE: usize = 6;

/// Everything a sandbox starts with, and the three people the card names.
pub fn world(options: &Options, settings: Settings, control_path: String) -> (Facts, World, People) {
    let mut dice = Dice(mix(options.seed));
    let size = options.members.max(3);
    let epoch = Timestamp::from_second(1_735_808_400).unwrap_or(Timestamp::UNIX_EPOCH);

    let facts = Facts {
        public_token: dice.id("public-token"),
        bundle_id: options.bundle_id.clone(),
        project_name: "Acme Cloud".into(),
        control_path,
        organization: 0,
        max_session_minutes: 43_200,
    };
    let organizations = vec![
        organization(dice.id("organization"), "Acme Robotics", "acme-robotics", epoch),
        organization(dice.id("organization"), "Acme Field Trials", "acme-field-trials", epoch),
    ];

    // Deleted members come on top of the asked-for size: a search without `statuses` counts exactly that.
    let deleted = if size >= 8 { 1 + size / 100 } else { 0 };
    let mut members: Vec<Member> = Vec::with_capacity(size + deleted + SECOND_SIZE);
    let mut taken: HashMap<String, usize> = HashMap::new();
    let step = SignedDuration::from_hours(24 * 280) / i32::try_from(size + deleted).unwrap_or(i32::MAX);
    let mut joined = epoch + SignedDuration::from_hours(1);
    for number in 0..size + deleted {
        joined += step;
        let (name, mailbox) = match number {
            0 => ("Maya Lindqvist".to_owned(), "maya.lindqvist".to_owned()),
            1 => ("Tomás Herrera".to_owned(), "tomas.herrera".to_owned()),
            2 => ("Aiko Watanabe".to_owned(), "aiko.watanabe".to_owned()),
            7 => ("<b>Robert</b>'); DROP TABLE members;--".to_owned(), "robert.tables".to_owned()),
            9 => ("Nora \u{202E}nimda\u{202C} \u{200B}Quist".to_owned(), "nora.quist".to_owned()),
            _ => {
                let (first, first_plain) = FIRST_NAMES[dice.below(FIRST_NAMES.len())];
                let (last, last_plain) = LAST_NAMES[dice.below(LAST_NAMES.len())];
                let plain = format!("{first_plain}.{last_plain}");
                let seen = taken.entry(plain.clone()).or_insert(0);
                *seen += 1;
                let mailbox = if *seen == 1 { plain } else { format!("{plain}{seen}") };
                (format!("{first} {last}"), mailbox)
            }
        };
        let status = match number {
            _ if number >= size => Status::Deleted,
            _ if number > 10 && number % 27 == 13 => Status::Pending,
            _ if number > 10 && number % 31 == 19 => Status::Invited,
            _ => Status::Active,
        };
        let roles: &[&str] = match number {
            0 => &[rbac::ADMIN],
            1 => &[rbac::READER],
            2 => &[],
            4 => &[rbac::RESPONDER],
            _ if number % 60 == 50 => &[rbac::ADMIN],
            _ if number % 25 == 20 => &[rbac::READER],
            _ => &[],
        };
        members.push(Member {
            id: dice.id("member"),
            organization: 0,
            organization_id: organizations[0].id.clone(),
            email: format!("{mailbox}@acme.test"),
            name,
            status,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            is_breakglass: number == 0,
            mfa_phone_number: match number % 9 {
                3 => format!("+1555{:07}", number % 10_000_000),
                _ => String::new(),
            },
            created_at: joined,
            updated_at: joined,
        });
    }
    for number in 0..SECOND_SIZE {
        let name = match number {
            0 => members[0].name.clone(),
            _ => format!("{} {}", FIRST_NAMES[number * 4].0, LAST_NAMES[number * 3].0),
        };
        let email = match number {
            0 => members[0].email.clone(),
            _ => format!("{}.{}@fieldtrials.test", FIRST_NAMES[number * 4].1, LAST_NAMES[number * 3].1),
        };
        members.push(Member {
            id: dice.id("member"),
            organization: 1,
            organization_id: organizations[1].id.clone(),
            email,
            name,
            status: Status::Active,
            roles: if number == 0 { vec![rbac::ADMIN.to_owned()] } else { Vec::new() },
            is_breakglass: false,
            mfa_phone_number: String::new(),
            created_at: joined,
            updated_at: joined,
        });
    }

    let (apps, reaches) = apps(options.apps, &mut dice);
    let grants = grants(&members, size + deleted, &apps, &reaches, &mut dice);

    let mut world = World {
        member_by_id: (0..).zip(&members).map(|(number, member)| (member.id.clone(), number)).collect(),
        member_by_email: (0..)
            .zip(&members)
            .filter(|(_, member)| member.status != Status::Deleted)
            .map(|(number, member)| ((member.organization, member.email.to_lowercase()), number))
            .collect(),
        app_by_id: (0..).zip(&apps).map(|(number, app)| (app.id.clone(), number)).collect(),
        organizations,
        members,
        apps,
        grants,
        sessions: HashMap::new(),
        intermediate: HashMap::new(),
        codes: HashMap::new(),
        inbox: Vec::new(),
        ledger: Ledger::default(),
        settings,
        come_backs: ComeBacks::default(),
    };
    let people = [("admin", 0), ("reader", 1), ("member", 2)].map(|(role, number)| {
        let (token, _) = world.open_session(number, 12 * 60);
        (role, number, token)
    });
    (facts, world, people)
}

fn organization(id: String, name: &str, slug: &str, created_at: Timestamp) -> Organization {
    Organization {
        id,
        name: name.into(),
        slug: slug.into(),
        logo_url: String::new(),
        external_id: None,
        created_at,
        updated_at: created_at,
        policies: Policies::default(),
    }
}

type Reached = (Reach, Vec<Scopes>);

fn apps(count: usize, dice: &mut Dice) -> (Vec<App>, Vec<Reached>) {
    (0..count)
        .map(|number| {
            let made_up;
            let template = match TEMPLATES.get(number) {
                Some(template) => template,
                None => {
                    let rank = number - TEMPLATES.len();
                    made_up = Template {
                        name: "",
                        description: "",
                        client_type: APP_TYPES[dice.below(APP_TYPES.len())],
                        reach: Reach::Share(0.16 / (1.0 + rank as f64 / 8.0)),
                        scopes: APP_SCOPES[dice.below(APP_SCOPES.len())],
                    };
                    &made_up
                }
            };
            let (name, description) = match (template.name, number.checked_sub(TEMPLATES.len())) {
                (LONG_NAME, _) => (long_name(), template.description.to_owned()),
                ("", Some(rank)) => {
                    let round = rank / (APP_FIRST.len() * APP_LAST.len());
                    let first = APP_FIRST[rank % APP_FIRST.len()];
                    let last = APP_LAST[(rank / APP_FIRST.len() + rank) % APP_LAST.len()];
                    let name = match round {
                        0 => format!("{first} {last}"),
                        _ => format!("{first} {last} {}", round + 1),
                    };
                    let description = format!("{last} for teams, by {first}.");
                    (name, description)
                }
                (name, _) => (name.to_owned(), template.description.to_owned()),
            };
            let app = App {
                id: dice.id("connected-app"),
                logo: match number % 3 {
                    0 => Logo::Null,
                    1 => Logo::Url(format!("https://logos.example.test/{number}.png")),
                    _ => Logo::Absent,
                },
                name,
                description,
                client_type: template.client_type,
            };
            let scopes =
                template.scopes.iter().map(|set| Arc::new(set.split(' ').map(str::to_owned).collect())).collect();
            (app, (template.reach, scopes))
        })
        .unzip()
}

/// 10,000 characters, none of them a place to break the line.
fn long_name() -> String {
    "Everlasting".chars().cycle().take(10_000).collect()
}

fn grants(members: &[Member], first: usize, apps: &[App], reaches: &[Reached], dice: &mut Dice) -> Grants {
    let mut grants = Grants::sized(members.len(), apps.len());
    // A pending or invited member has never signed in, and so has consented to nothing.
    let consents = |number: usize| matches!(members[number].status, Status::Active | Status::Deleted);
    // The three people of the card have something to see and to revoke, whatever the draws say.
    let certain = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 3)];
    for (app, (reach, sets)) in reaches.iter().enumerate() {
        let mut give = |member: usize, dice: &mut Dice| {
            // Most grants have the first set; narrower and wider ones are the rest.
            let set = if dice.hits(0.7) { 0 } else { dice.below(sets.len()) };
            grants.give(app as AppNo, member as MemberNo, sets[set].clone(), ALWAYS);
        };
        match reach {
            Reach::Share(share) => {
                for member in 0..members.len() {
                    let drawn = dice.hits(*share);
                    let of_the_card = certain.contains(&(member, app));
                    // The first deleted member had the first app, so that there is always one for `deleted_member_listed`.
                    let late_lamented = app == 0 && member + 1 == first;
                    if consents(member) && (drawn || of_the_card || late_lamented) {
                        give(member, dice);
                    }
                }
            }
            Reach::Few(few) => {
                // Not the people of the card: what they see stays good-looking and the same in every size.
                let others: Vec<usize> =
                    (3..first).filter(|member| members[*member].status == Status::Active).collect();
                for _ in 0..*few {
                    give(others.get(dice.below(others.len())).copied().unwrap_or(0), dice);
                }
            }
        }
    }
    for (number, member) in members.iter().enumerate() {
        if member.status == Status::Deleted {
            grants.delete_member(number as MemberNo, ALWAYS);
        }
    }
    grants
}

/// The part of the control side's address that nobody can guess.
pub fn control_path() -> String {
    format!("/_sandbox/{}", secret())
}

//! From answers to a snapshot, from a snapshot to a picture, and what is different between two of them. It decides by what
//! was read and how completely; it neither asks nor stores.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use journal::{
    AppReading, AppSeen, GrantSeen, Origin, PersonSeen, Place, Snapshot, SnapshotDraft, SnapshotSummary, StoredApp,
    StoredGrant, Utc,
};
use serde::{Deserialize, Serialize};
use stytch_b2b::{ConnectedAppId, Environment, MemberId, Organization};

use super::look_alike;
use super::picture::{
    App, Cause, Change, Facts, FirstSeen, GoneGrant, Grant, Known, Missing, Names, Person, Picture, Reading, ScopeSet,
    What, u32_of,
};
use super::reading::{Answers, AppAnswer};
use super::width::Compiled;
use crate::connections;
use crate::error::Error;
use crate::session::{Session, app_forbidden};

/// Facts of a snapshot that only the mind looks into, as the journal keeps them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptFacts {
    organization_name: String,
    base_url: String,
    sandbox: bool,
    live: bool,
    read_by: String,
    names: String,
    missing: Vec<KeptMissing>,
    /// Known apps whose absence from the list proves nothing, each with its type: the policy hides them, or the list was not
    /// read whole.
    hidden: Vec<(String, String)>,
    /// Apps of earlier snapshots that were proven to be gone, each with its type: somebody may have connected them again, where
    /// the policy hides it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<(String, String)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptMissing {
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    cause: String,
    #[serde(default)]
    rows: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl What {
    /// The word for it in files and on the wire.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::App(_) => "app",
            Self::AppRows(_) => "app_rows",
            Self::MemberRows => "member_rows",
            Self::ListRows => "list_rows",
        }
    }

    /// Which app it speaks of.
    #[must_use]
    pub fn app(&self) -> Option<&ConnectedAppId> {
        match self {
            Self::App(app) | Self::AppRows(app) => Some(app),
            _ => None,
        }
    }
}

/// The words for causes in files and on the wire.
const CAUSES: [(Cause, &str); 10] = [
    (Cause::Denied, "denied"),
    (Cause::Offline, "offline"),
    (Cause::ServerError, "server_error"),
    (Cause::Garbled, "garbled"),
    (Cause::AppGone, "app_gone"),
    (Cause::UnreadableRows, "unreadable_rows"),
    (Cause::Refused, "refused"),
    (Cause::Cancelled, "cancelled"),
    (Cause::Hidden, "hidden"),
    (Cause::CutShort, "cut_short"),
];

impl Cause {
    /// The word for it in files and on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        CAUSES.iter().find(|(cause, _)| *cause == self).map_or("refused", |(_, word)| word)
    }

    fn of(word: &str) -> Self {
        CAUSES.iter().find(|(_, known)| *known == word).map_or(Self::Refused, |(cause, _)| *cause)
    }
}

impl From<&Missing> for KeptMissing {
    fn from(missing: &Missing) -> Self {
        Self {
            what: missing.what.word().to_owned(),
            app: missing.what.app().map(ToString::to_string),
            cause: missing.cause.word().to_owned(),
            rows: missing.rows,
            status: missing.status,
            error_type: missing.error_type.clone(),
            request_id: missing.request_id.clone(),
        }
    }
}

impl From<KeptMissing> for Missing {
    fn from(kept: KeptMissing) -> Self {
        let app = || ConnectedAppId::from(kept.app.clone().unwrap_or_default().as_str());
        let what = match kept.what.as_str() {
            "app" => What::App(app()),
            "app_rows" => What::AppRows(app()),
            "member_rows" => What::MemberRows,
            "list_rows" => What::ListRows,
            _ => What::Names,
        };
        Self {
            what,
            cause: Cause::of(&kept.cause),
            rows: kept.rows,
            status: kept.status,
            error_type: kept.error_type,
            request_id: kept.request_id,
        }
    }
}

/// Everything that could not be read, of answers as far as they have come. With `cut_short`, what had not had its turn is
/// missing too.
fn missing(answers: &Answers, cut_short: bool) -> Vec<Missing> {
    let mut out = Vec::new();
    let rows = |what, rows: usize| Missing {
        what,
        cause: Cause::UnreadableRows,
        rows: u32_of(rows),
        status: None,
        error_type: None,
        request_id: None,
    };
    if !answers.unreadable_apps.is_empty() {
        out.push(rows(What::ListRows, answers.unreadable_apps.len()));
    }
    if answers.beyond_list > 0 {
        out.push(Missing { cause: Cause::CutShort, ..rows(What::ListRows, answers.beyond_list) });
    }
    for (app, answer) in answers.apps.iter().zip(&answers.by_app) {
        let id = app.connected_app_id.clone();
        match answer {
            Some((_, AppAnswer::Not(missing))) => out.push(missing.clone()),
            Some((_, AppAnswer::Read(members))) => {
                if !members.unreadable.is_empty() {
                    out.push(rows(What::AppRows(id.clone()), members.unreadable.len()));
                }
                if let Some(left) = members.short {
                    out.push(Missing { cause: Cause::CutShort, rows: left, ..rows(What::AppRows(id), 0) });
                }
            }
            None if cut_short => {
                out.push(Missing { cause: Cause::Cancelled, ..rows(What::App(id), 0) });
            }
            _ => {}
        }
    }
    match &answers.names {
        Err(missing) => out.push(missing.clone()),
        Ok(false) if cut_short => out.push(Missing { cause: Cause::Cancelled, ..rows(What::Names, 0) }),
        Ok(_) => {}
    }
    if !answers.unreadable_members.is_empty() {
        out.push(rows(What::MemberRows, answers.unreadable_members.len()));
    }
    out
}

/// The apps that a place is known to have had, each with its type.
#[derive(Default)]
pub(super) struct KnownApps {
    apps: Vec<(String, String)>,
    /// So many of them, the first ones, have not been proven to be gone.
    lasting: usize,
}

/// Those of its latest snapshot, those that it could not prove to be gone, and those that are gone.
pub(super) fn known_apps(latest: &Snapshot) -> KnownApps {
    let KeptFacts { hidden, former, .. } = facts_of(&latest.summary);
    let listed = latest.apps.iter().map(|app| (app.connected_app_id.clone(), app.client_type.clone()));
    let mut apps: Vec<_> = listed.chain(hidden).collect();
    let lasting = apps.len();
    apps.extend(former);
    KnownApps { apps, lasting }
}

impl KnownApps {
    /// The apps that have lasted until now and that, by that word of the policy, would be taken for gone. An empty list takes none for
    /// gone by itself, but leaves them all out: each is asked for.
    pub(super) fn would_be_gone(&self, answers: &Answers, organization: Option<&Organization>) -> HashSet<&str> {
        if !answers.listed || !answers.unreadable_apps.is_empty() {
            return HashSet::new();
        }
        let listed: HashSet<&str> = answers.apps.iter().map(|app| app.connected_app_id.as_str()).collect();
        let lasting = self.apps[..self.lasting].iter().filter(|(id, _)| !listed.contains(id.as_str()));
        lasting
            .filter(|(id, kind)| forbidden(organization, id, kind) == Some(false))
            .map(|(id, _)| id.as_str())
            .collect()
    }
}

/// An empty list proves nothing by itself: nothing tells it from one that was not filled in.
fn list_complete(answers: &Answers) -> bool {
    answers.listed && answers.unreadable_apps.is_empty() && !answers.apps.is_empty() && answers.beyond_list == 0
}

fn forbidden(organization: Option<&Organization>, app: &str, client_type: &str) -> Option<bool> {
    organization.and_then(|organization| app_forbidden(organization, app, Some(client_type)))
}

/// The answers as the journal keeps them. `known` are the apps of earlier snapshots, of which those that the policy now hides
/// are told apart from those that are gone: by the organization, as far as that is known.
pub(super) fn draft(
    answers: &Answers,
    session: &Session,
    place: Place,
    known: &KnownApps,
    organization: Option<&Organization>,
    cut_short: bool,
) -> Result<SnapshotDraft, Error> {
    let state = session.state();
    let checked = connections::reopen(&session.connection)?;
    let listed: HashSet<&str> = answers.apps.iter().map(|app| app.connected_app_id.as_str()).collect();
    let list_complete = list_complete(answers);
    // And only a policy that is known to allow an app lets its absence prove anything.
    let (former, hidden): (Vec<_>, Vec<_>) =
        known.apps.iter().filter(|(id, _)| !listed.contains(id.as_str())).cloned().partition(|(id, client_type)| {
            let borne_out = !answers.not_borne_out.iter().any(|app| app.as_str() == id);
            list_complete && borne_out && forbidden(organization, id, client_type) == Some(false)
        });
    let mut missing = missing(answers, cut_short);
    // Only what the policy is not known to allow is hidden; what an unreadable row of the list may have been is told as that row.
    let list_whole = answers.listed && answers.unreadable_apps.is_empty();
    let not_allowed = |id: &str, client_type: &str| forbidden(organization, id, client_type) != Some(false);
    let unseen = hidden.iter().filter(|(id, kind)| list_whole && not_allowed(id, kind));
    let unseen = unseen.map(|(id, _)| (ConnectedAppId::from(id.as_str()), Cause::Hidden));
    let unseen = unseen.chain(answers.not_borne_out.iter().map(|id| (id.clone(), Cause::CutShort)));
    missing.extend(unseen.map(|(id, cause)| Missing {
        what: What::App(id),
        cause,
        rows: 0,
        status: None,
        error_type: None,
        request_id: None,
    }));
    let names = match &answers.names {
        Ok(true) if answers.unreadable_members.is_empty() => "read",
        Err(Missing { cause: Cause::Denied, .. }) => "denied",
        _ => "incomplete",
    };
    let facts = KeptFacts {
        organization_name: state.organization.organization_name.clone(),
        base_url: session.connection.base_url.clone(),
        sandbox: session.connection.sandbox,
        live: checked.public_token.environment() == Environment::Live,
        read_by: state.member.email_address.clone(),
        names: names.to_owned(),
        missing: missing.iter().map(KeptMissing::from).collect(),
        hidden: hidden.clone(),
        former,
    };
    let apps = answers.apps.iter().zip(&answers.by_app).map(|(app, answer)| {
        let (at, reading, grants) = match answer {
            Some((at, AppAnswer::Read(members))) => {
                let reading = if members.complete() { AppReading::Complete } else { AppReading::Partial };
                (*at, reading, members.rows.as_slice())
            }
            Some((at, AppAnswer::Not(_))) => (*at, AppReading::NotRead, [].as_slice()),
            None => (answers.ended, AppReading::NotRead, [].as_slice()),
        };
        AppSeen {
            connected_app_id: app.connected_app_id.to_string(),
            name: app.name.clone(),
            description: app.description.clone(),
            client_type: app.client_type.as_str().to_owned(),
            at: Utc::new(at),
            reading,
            grants: grants
                .iter()
                .map(|row| GrantSeen { member_id: row.member_id.to_string(), scopes: row.granted_scopes.clone() })
                .collect(),
        }
    });
    let people = answers.members.iter().map(|member| PersonSeen {
        member_id: member.member_id.to_string(),
        name: member.name.clone(),
        email: member.email_address.clone(),
        status: member.status.clone(),
        roles: roles(member),
    });
    Ok(SnapshotDraft {
        place,
        began: Utc::new(answers.began),
        ended: Utc::new(answers.ended),
        reader: state.member.member_id.to_string(),
        facts: serde_json::to_value(facts).unwrap_or_default(),
        list_complete,
        not_proven: hidden.into_iter().map(|(id, _)| id).collect(),
        apps: apps.collect(),
        gone: answers.gone.clone(),
        people_read: names == "read",
        people: people.collect(),
    })
}

pub(crate) fn roles(member: &stytch_b2b::Member) -> Vec<String> {
    let mut seen = HashSet::new();
    member.roles.iter().map(|role| role.role_id.clone()).filter(|role| seen.insert(role.clone())).collect()
}

/// A draft in the shape of a snapshot that was stored: what is shown while there is none, or when it could not be stored.
pub(super) fn unstored(draft: &SnapshotDraft) -> Snapshot {
    let mut members: Vec<String> = Vec::new();
    let mut member_at: HashMap<&str, u32> = HashMap::new();
    let mut scope_sets: Vec<Vec<String>> = Vec::new();
    let mut set_at: HashMap<&[String], u32> = HashMap::new();
    let mut grants = Vec::new();
    let first = Origin { by: 0, after: None };
    let mut apps = Vec::new();
    for app in &draft.apps {
        let at = u32_of(apps.len());
        let mut seen = HashSet::new();
        for grant in &app.grants {
            let member = *member_at.entry(&grant.member_id).or_insert_with(|| {
                members.push(grant.member_id.clone());
                u32_of(members.len() - 1)
            });
            let scopes = *set_at.entry(&grant.scopes).or_insert_with(|| {
                scope_sets.push(grant.scopes.clone());
                u32_of(scope_sets.len() - 1)
            });
            if seen.insert(member) {
                grants.push(StoredGrant { app: at, member, scopes, first });
            }
        }
        apps.push(StoredApp {
            connected_app_id: app.connected_app_id.clone(),
            name: app.name.clone(),
            description: app.description.clone(),
            client_type: app.client_type.clone(),
            at: app.at,
            reading: app.reading,
            first,
        });
    }
    Snapshot {
        summary: SnapshotSummary {
            number: 0,
            began: draft.began,
            ended: draft.ended,
            reader: draft.reader.clone(),
            facts: draft.facts.clone(),
            apps: u32_of(apps.len()),
            apps_read: u32_of(apps.iter().filter(|app| app.reading == AppReading::Complete).count()),
            grants: u32_of(grants.len()),
            people: u32_of(draft.people.len()),
        },
        place: draft.place.clone(),
        list_complete: draft.list_complete,
        apps,
        people: draft.people.clone(),
        people_read: draft.people_read,
        members,
        scope_sets,
        grants,
    }
}

/// When each snapshot of a place was read: its number, its first call and its last answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(HashMap<u32, (Timestamp, Timestamp)>);

impl Times {
    pub(super) fn new(marks: &[SnapshotSummary]) -> Self {
        Self(marks.iter().map(|mark| (mark.number, (mark.began.timestamp(), mark.ended.timestamp()))).collect())
    }

    /// An origin as an interval of time: it was lacking at some moment after `after`'s first call, and there by `by`'s last.
    fn first_seen(&self, origin: Origin, summary: &SnapshotSummary) -> FirstSeen {
        let by = self.0.get(&origin.by).map_or_else(|| summary.ended.timestamp(), |(_, ended)| *ended);
        let after = origin.after.and_then(|after| self.0.get(&after)).map(|(began, _)| *began);
        FirstSeen { by, after }
    }
}

/// What the facts of a snapshot say. A snapshot of a later version may have others: what cannot be read is left empty.
pub(super) fn facts_of(summary: &SnapshotSummary) -> KeptFacts {
    serde_json::from_value(summary.facts.clone()).unwrap_or_else(|_| KeptFacts {
        organization_name: String::new(),
        base_url: String::new(),
        sandbox: false,
        live: false,
        read_by: String::new(),
        names: "incomplete".to_owned(),
        missing: Vec::new(),
        hidden: Vec::new(),
        former: Vec::new(),
    })
}

impl KeptFacts {
    /// Who read it, by address; empty when that is not known any more.
    pub(super) fn read_by(&self) -> &str {
        &self.read_by
    }

    /// Whether nothing was missing.
    pub(super) fn complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A snapshot as a picture, compared with none and rated by no rules. `marks`: the snapshots of its place.
pub(crate) fn plain_picture(snapshot: &Snapshot, marks: &[SnapshotSummary]) -> Picture {
    let none = super::width::Rules { rules: Vec::new() }.compile();
    picture(snapshot, None, &Times::new(marks), &none)
}

/// A snapshot as a picture, compared with `since`.
pub(super) fn picture(snapshot: &Snapshot, since: Option<&Snapshot>, times: &Times, rules: &Compiled) -> Picture {
    let summary = &snapshot.summary;
    let kept = facts_of(summary);
    let not_read: HashMap<&str, Cause> = kept
        .missing
        .iter()
        .filter(|missing| missing.what == "app")
        .filter_map(|missing| Some((missing.app.as_deref()?, Cause::of(&missing.cause))))
        .collect();
    let scope_sets: Vec<ScopeSet> = snapshot
        .scope_sets
        .iter()
        .map(|scopes| ScopeSet { scopes: scopes.clone(), width: rules.rate(scopes) })
        .collect();
    let mut apps: Vec<App> = snapshot
        .apps
        .iter()
        .map(|app| App {
            id: ConnectedAppId::from(app.connected_app_id.as_str()),
            name: app.name.clone(),
            description: app.description.clone(),
            client_type: app.client_type.clone(),
            reading: match app.reading {
                AppReading::Complete => Reading::Complete,
                AppReading::Partial => Reading::Partial,
                AppReading::NotRead => {
                    Reading::Not(not_read.get(app.connected_app_id.as_str()).copied().unwrap_or(Cause::Refused))
                }
            },
            first_seen: times.first_seen(app.first, summary),
            group: None,
            odd: Vec::new(),
            width: super::width::Width::default(),
            unreadable: Vec::new(),
        })
        .collect();
    let mut members: Vec<Person> = Vec::with_capacity(snapshot.people.len());
    let mut member_at: HashMap<&str, u32> = HashMap::with_capacity(snapshot.people.len());
    for person in &snapshot.people {
        member_at.insert(&person.member_id, u32_of(members.len()));
        members.push(Person { id: MemberId::from(person.member_id.as_str()), known: Some(known(person)) });
    }
    let translate: Vec<u32> = snapshot
        .members
        .iter()
        .map(|id| {
            *member_at.entry(id).or_insert_with(|| {
                members.push(Person { id: MemberId::from(id.as_str()), known: None });
                u32_of(members.len() - 1)
            })
        })
        .collect();
    let differences = since.map(|since| (since, compare(since, snapshot)));
    let mut changes: HashMap<usize, (Change, Option<u32>)> = HashMap::new();
    if let Some((_, differences)) = &differences {
        for row in &differences.rows {
            if let Some(at) = row.after {
                changes.insert(at, (row.change, row.before.map(|before| before.1)));
            }
        }
    }
    // Scopes of before that no grant has any more are added to the sets.
    let mut scope_sets = scope_sets;
    let mut sets_before: HashMap<u32, u32> = HashMap::new();
    let mut grants = Vec::with_capacity(snapshot.grants.len());
    for (at, grant) in snapshot.grants.iter().enumerate() {
        let width = &scope_sets[grant.scopes as usize].width;
        let app = &mut apps[grant.app as usize];
        if width.level > app.width.level {
            app.width = width.clone();
        }
        let change = changes.get(&at);
        let scopes_before = match (change, since) {
            (Some((_, Some(before))), Some(since)) => Some(*sets_before.entry(*before).or_insert_with(|| {
                let scopes = since.scope_sets[*before as usize].clone();
                let width = rules.rate(&scopes);
                scope_sets.push(ScopeSet { scopes, width });
                u32_of(scope_sets.len() - 1)
            })),
            _ => None,
        };
        grants.push(Grant {
            app: grant.app,
            member: translate[grant.member as usize],
            scopes: grant.scopes,
            seen_by: grant.first.by,
            first_seen: times.first_seen(grant.first, summary),
            change: change.map(|(change, _)| *change),
            scopes_before,
        });
    }
    let gone = match (&differences, since) {
        (Some((_, differences)), Some(since)) => {
            let named = named(snapshot, since);
            gone_grants(since, &differences.rows, times, rules, |id| named.get(id).map(|person| known(person)))
        }
        _ => Vec::new(),
    };
    let facts = Facts {
        organization_id: snapshot.place.organization_id.clone(),
        organization_name: kept.organization_name,
        base_url: kept.base_url,
        sandbox: kept.sandbox,
        live: kept.live,
        read_by: kept.read_by,
        reader: MemberId::from(summary.reader.as_str()),
        snapshot: (summary.number > 0).then_some(summary.number),
        began: summary.began.timestamp(),
        ended: summary.ended.timestamp(),
        missing: kept.missing.into_iter().map(Missing::from).collect(),
        found_gone: 0,
        names: match kept.names.as_str() {
            "read" => Names::Read,
            "denied" => Names::Denied,
            _ => Names::Incomplete,
        },
        since: since.map(|since| (since.summary.number, since.summary.ended.timestamp())),
        under_way: false,
        unreadable_apps: Vec::new(),
        unreadable_members: Vec::new(),
    };
    let mut picture = Picture::new(facts, apps, members, scope_sets, grants);
    picture.gone = gone;
    look_alike::apply(&mut picture);
    picture
}

fn known(person: &PersonSeen) -> Known {
    Known {
        name: person.name.clone(),
        email: person.email.clone(),
        status: person.status.clone(),
        roles: person.roles.clone(),
    }
}

/// Names by either of two snapshots, the later one first; none if the later one may name nobody.
fn named<'a>(snapshot: &'a Snapshot, since: &'a Snapshot) -> HashMap<&'a str, &'a PersonSeen> {
    if snapshot.people.is_empty() {
        return HashMap::new();
    }
    since.people.iter().chain(&snapshot.people).map(|person| (person.member_id.as_str(), person)).collect()
}

fn gone_grants(
    since: &Snapshot,
    rows: &[Difference],
    times: &Times,
    rules: &Compiled,
    named: impl Fn(&str) -> Option<Known>,
) -> Vec<GoneGrant> {
    rows.iter()
        .filter(|row| row.change == Change::Gone)
        .filter_map(|row| {
            let grant = &since.grants[row.before?.0];
            let app = &since.apps[grant.app as usize];
            let member = &since.members[grant.member as usize];
            let scopes = since.scope_sets[grant.scopes as usize].clone();
            Some(GoneGrant {
                app: ConnectedAppId::from(app.connected_app_id.as_str()),
                app_name: app.name.clone(),
                client_type: app.client_type.clone(),
                member: MemberId::from(member.as_str()),
                known: named(member),
                scopes: ScopeSet { width: rules.rate(&scopes), scopes },
                first_seen: times.first_seen(grant.first, &since.summary),
            })
        })
        .collect()
}

/// What is different between two snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The grants that differ, by the order of the later snapshot, then those that are gone by that of the earlier.
    pub rows: Vec<Difference>,
    /// Apps that cannot be compared, since one of the two did not read them completely.
    pub not_compared: Vec<String>,
}

/// One grant that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub change: Change,
    /// Index of the grant in the earlier snapshot, and of its set of scopes there.
    pub before: Option<(usize, u32)>,
    /// Index of the grant in the later snapshot.
    pub after: Option<usize>,
}

/// Whether a snapshot proves that a pair it does not have was not there: the app was read whole, or a whole list lacked it.
struct Proof<'a> {
    readings: HashMap<&'a str, AppReading>,
    list_complete: bool,
    hidden: HashSet<String>,
}

impl<'a> Proof<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            readings: snapshot.apps.iter().map(|app| (app.connected_app_id.as_str(), app.reading)).collect(),
            list_complete: snapshot.list_complete,
            hidden: facts_of(&snapshot.summary).hidden.into_iter().map(|(id, _)| id).collect(),
        }
    }

    fn of_absence(&self, app: &str) -> bool {
        match self.readings.get(app) {
            Some(reading) => *reading == AppReading::Complete,
            None => self.list_complete && !self.hidden.contains(app),
        }
    }
}

/// Compares two snapshots of one place. A grant is new only if the earlier one proves that it was not there, and gone only if
/// the later one does.
#[must_use]
pub fn compare(earlier: &Snapshot, later: &Snapshot) -> Differences {
    let (before, after) = (Proof::of(earlier), Proof::of(later));
    // Ids are looked up once for each app, member and set, not once for each grant.
    let apps: HashMap<&str, u32> =
        earlier.apps.iter().zip(0..).map(|(app, at)| (app.connected_app_id.as_str(), at)).collect();
    let members: HashMap<&str, u32> = earlier.members.iter().zip(0..).map(|(id, at)| (id.as_str(), at)).collect();
    let app_then: Vec<Option<u32>> =
        later.apps.iter().map(|app| apps.get(app.connected_app_id.as_str()).copied()).collect();
    let member_then: Vec<Option<u32>> = later.members.iter().map(|id| members.get(id.as_str()).copied()).collect();
    let mut then: HashMap<(u32, u32), usize> = HashMap::with_capacity(earlier.grants.len());
    for (at, grant) in earlier.grants.iter().enumerate() {
        then.insert((grant.app, grant.member), at);
    }
    let absent_before: Vec<bool> = later.apps.iter().map(|app| before.of_absence(&app.connected_app_id)).collect();
    let mut sets: HashMap<(u32, u32), Option<Change>> = HashMap::new();
    let mut rows = Vec::new();
    for (at, grant) in later.grants.iter().enumerate() {
        let pair = app_then[grant.app as usize].zip(member_then[grant.member as usize]);
        match pair.and_then(|pair| then.remove(&pair)) {
            Some(was) => {
                let scopes = earlier.grants[was].scopes;
                let change = *sets.entry((scopes, grant.scopes)).or_insert_with(|| {
                    scope_change(&earlier.scope_sets[scopes as usize], &later.scope_sets[grant.scopes as usize])
                });
                if let Some(change) = change {
                    rows.push(Difference { change, before: Some((was, scopes)), after: Some(at) });
                }
            }
            None if absent_before[grant.app as usize] => {
                rows.push(Difference { change: Change::New, before: None, after: Some(at) });
            }
            None => {}
        }
    }
    let mut left: Vec<usize> = then.into_values().collect();
    left.sort_unstable();
    for was in left {
        let grant = &earlier.grants[was];
        if after.of_absence(&earlier.apps[grant.app as usize].connected_app_id) {
            rows.push(Difference { change: Change::Gone, before: Some((was, grant.scopes)), after: None });
        }
    }
    let mut not_compared: Vec<String> = earlier
        .apps
        .iter()
        .chain(&later.apps)
        .map(|app| app.connected_app_id.as_str())
        .filter(|app| !before.of_absence(app) || !after.of_absence(app))
        .map(str::to_owned)
        .collect();
    not_compared.sort_unstable();
    not_compared.dedup();
    Differences { rows, not_compared }
}

/// How one set of scopes differs from another; their order does not matter, nor does a scope that is named twice.
fn scope_change(before: &[String], after: &[String]) -> Option<Change> {
    let (before, after): (HashSet<&String>, HashSet<&String>) = (before.iter().collect(), after.iter().collect());
    match (after.is_superset(&before), before.is_superset(&after)) {
        (true, true) => None,
        (true, false) => Some(Change::Widened),
        (false, true) => Some(Change::Narrowed),
        (false, false) => Some(Change::Altered),
    }
}

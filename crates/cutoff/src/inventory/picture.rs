//! One picture of the organization: who is connected to what, held small (every text once, everything else by number), and
//! never changed once it is made. It is what lists, map, exports and comparisons are cut from; it reads nothing itself.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use stytch_b2b::{ConnectedAppId, MemberId};

use super::look_alike::{Group, Oddity};
use super::width::Width;

/// One picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Where it comes from and what is missing from it.
    pub facts: Facts,
    /// The apps, in the order of the organization's list.
    pub apps: Vec<App>,
    /// The members: those that search returned, in its order, then those who are known by id only.
    pub members: Vec<Person>,
    /// Every set of scopes that occurs.
    pub scope_sets: Vec<ScopeSet>,
    /// The grants, by app and within an app by member.
    pub grants: Vec<Grant>,
    /// The groups of look-alikes.
    pub groups: Vec<Group>,
    /// Grants of the snapshot that this is compared with that are gone by a complete reading since.
    pub gone: Vec<GoneGrant>,
    /// For each app, where its grants lie in `grants`.
    pub(super) of_app: Vec<Range<usize>>,
    /// Indices into `grants`, by member; where each member's begin, and one more entry for the end.
    pub(super) by_member: Vec<u32>,
    pub(super) of_member: Vec<u32>,
    pub(super) app_at: HashMap<ConnectedAppId, u32>,
    pub(super) member_at: HashMap<MemberId, u32>,
}

/// Facts of a picture.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The organization's id.
    pub organization_id: String,
    /// The organization's name.
    pub organization_name: String,
    /// Scheme, host and port.
    pub base_url: String,
    /// Whether that is the sandbox that runs inside the app.
    pub sandbox: bool,
    /// Whether the public token is a live project's.
    pub live: bool,
    /// The address of the member who read it.
    pub read_by: String,
    /// Who that is.
    pub reader: MemberId,
    /// Its number in the journal; `None` while it is not stored.
    pub snapshot: Option<u32>,
    /// When its first call was made.
    pub began: Timestamp,
    /// When its last answer came.
    pub ended: Timestamp,
    /// What could not be read.
    pub missing: Vec<Missing>,
    /// Grants that the reading had and this picture is without, since a later read has lacked each of them.
    pub found_gone: u32,
    /// Whether search returned names.
    pub names: Names,
    /// The snapshot it is compared with, and when that was read. `None`: it is the first reading, in which nothing is new.
    pub since: Option<(u32, Timestamp)>,
    /// It is not finished: what a first reading has brought so far.
    pub under_way: bool,
    /// Rows of the list of apps that could not be read. Known only in the run that read them.
    pub unreadable_apps: Vec<stytch_b2b::UnreadableRow>,
    /// Rows of the search that could not be read. Known only in the run that read them.
    pub unreadable_members: Vec<stytch_b2b::UnreadableRow>,
}

impl Facts {
    /// Whether everything could be read.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.missing.is_empty() && !self.under_way
    }
}

/// Whether members' names could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// All that search returned.
    Read,
    /// `search` on `stytch.member` is missing.
    Denied,
    /// Not, or not all, for another reason.
    Incomplete,
}

/// One thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: What,
    /// Why.
    pub cause: Cause,
    /// How many rows, where single rows could not be read.
    pub rows: u32,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// Stytch's `error_type`.
    pub error_type: Option<String>,
    /// Stytch's request id.
    pub request_id: Option<String>,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Members' names.
    Names,
    /// One app's members.
    App(ConnectedAppId),
    /// Some rows of one app's members.
    AppRows(ConnectedAppId),
    /// Some rows of the search.
    MemberRows,
    /// Some rows of the list of apps.
    ListRows,
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The permission is missing.
    Denied,
    /// No answer could be had.
    Offline,
    /// Stytch had a fault of its own.
    ServerError,
    /// The answer could not be read.
    Garbled,
    /// It was in the list and gone when it was asked for.
    AppGone,
    /// Single rows could not be read.
    UnreadableRows,
    /// The server refused for another reason.
    Refused,
    /// The reading was cancelled, or the session ended, before its turn came.
    Cancelled,
    /// The organization's policy hides it: it was known before, and whether it still has grants cannot be seen.
    Hidden,
    /// A list lacks what an earlier reading had, and nothing bears out that it is gone: a server may cut a list short without a
    /// word.
    CutShort,
}

/// An app.
#[derive(Clone, Debug)]
pub struct App {
    /// Its client id.
    pub id: ConnectedAppId,
    /// Its name, as its author wrote it.
    pub name: String,
    /// Its description, as its author wrote it.
    pub description: String,
    /// Its client type, as received.
    pub client_type: String,
    /// How its members were read.
    pub reading: Reading,
    /// When it was first seen.
    pub first_seen: FirstSeen,
    /// The group of look-alikes it is in, by index.
    pub group: Option<u32>,
    /// Why it is flagged; empty when it is not.
    pub odd: Vec<Oddity>,
    /// The widest of its grants.
    pub width: Width,
    /// Rows of it that could not be read, with their places in the answer. Known only in the run that read them.
    pub unreadable: Vec<stytch_b2b::UnreadableRow>,
}

impl App {
    /// Whether it is the vendor's own.
    #[must_use]
    pub fn first_party(&self) -> bool {
        self.client_type.starts_with("first_party")
    }
}

/// How an app's members were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of them.
    Complete,
    /// All but some rows.
    Partial,
    /// Not at all.
    Not(Cause),
}

/// A member.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: MemberId,
    /// Name, address, status and roles; `None` when search did not return them.
    pub known: Option<Known>,
}

/// What search tells of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Their name, often empty.
    pub name: String,
    /// Their address.
    pub email: String,
    /// `active`, `invited`, `pending`, as Stytch names it.
    pub status: String,
    /// The ids of their roles.
    pub roles: Vec<String>,
}

/// A set of scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeSet {
    /// The scopes, as received, in the order received.
    pub scopes: Vec<String>,
    /// How wide they are.
    pub width: Width,
}

/// A grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Index into the apps.
    pub app: u32,
    /// Index into the members.
    pub member: u32,
    /// Index into the sets of scopes.
    pub scopes: u32,
    /// The first reading that had it, by its number in the journal; 0 while it is not stored.
    pub seen_by: u32,
    /// When that was.
    pub first_seen: FirstSeen,
    /// How it differs from the snapshot the picture is compared with.
    pub change: Option<Change>,
    /// The scopes it had there, when they were others.
    pub scopes_before: Option<u32>,
}

/// When something was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstSeen {
    /// The first reading that had it.
    pub by: Timestamp,
    /// The last complete reading that lacked it; `None`: it was there from the first.
    pub after: Option<Timestamp>,
}

/// How a grant differs from another snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Not there before.
    New,
    /// More scopes than before.
    Widened,
    /// Fewer scopes than before.
    Narrowed,
    /// Other scopes, neither more nor fewer.
    Altered,
    /// There before, and not in a complete reading since.
    Gone,
}

/// A grant that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneGrant {
    /// To which app.
    pub app: ConnectedAppId,
    /// The app's name when it was last seen.
    pub app_name: String,
    /// The app's type when it was last seen.
    pub client_type: String,
    /// Whose.
    pub member: MemberId,
    /// Name, address, status and roles when they were last seen.
    pub known: Option<Known>,
    /// The scopes it had.
    pub scopes: ScopeSet,
    /// When it was first seen.
    pub first_seen: FirstSeen,
}

impl Picture {
    /// Puts grants in order and notes where each app's and each member's lie. The numbers in `grants` must be indices into
    /// the other three.
    #[must_use]
    pub fn new(
        facts: Facts,
        apps: Vec<App>,
        members: Vec<Person>,
        scope_sets: Vec<ScopeSet>,
        mut grants: Vec<Grant>,
    ) -> Self {
        grants.sort_unstable_by_key(|grant| (grant.app, grant.member));
        let mut of_app = Vec::with_capacity(apps.len());
        let mut at = 0;
        for app in 0..u32_of(apps.len()) {
            let begin = at;
            while at < grants.len() && grants[at].app == app {
                at += 1;
            }
            of_app.push(begin..at);
        }
        let mut of_member = vec![0_u32; members.len() + 1];
        for grant in &grants {
            of_member[grant.member as usize + 1] += 1;
        }
        for member in 0..members.len() {
            of_member[member + 1] += of_member[member];
        }
        let mut next = of_member.clone();
        let mut by_member = vec![0_u32; grants.len()];
        for (at, grant) in grants.iter().enumerate() {
            let place = &mut next[grant.member as usize];
            by_member[*place as usize] = u32_of(at);
            *place += 1;
        }
        let app_at = apps.iter().enumerate().map(|(at, app)| (app.id.clone(), u32_of(at))).collect();
        let member_at = members.iter().enumerate().map(|(at, person)| (person.id.clone(), u32_of(at))).collect();
        Self {
            facts,
            apps,
            members,
            scope_sets,
            grants,
            groups: Vec::new(),
            gone: Vec::new(),
            of_app,
            by_member,
            of_member,
            app_at,
            member_at,
        }
    }

    /// Apps whose members could not be read, each once: also those that are not in the list, as where the policy hides them.
    #[must_use]
    pub fn apps_unread(&self) -> usize {
        self.unread().count()
    }

    /// Apps that are known: those of the list, and those that are only named as missing.
    #[must_use]
    pub fn apps_known(&self) -> usize {
        self.apps.len() + self.unread().filter(|id| self.app(id).is_none()).count()
    }

    fn unread(&self) -> impl Iterator<Item = &ConnectedAppId> {
        let ids: HashSet<&ConnectedAppId> = self
            .facts
            .missing
            .iter()
            .filter_map(|missing| match &missing.what {
                What::App(id) => Some(id),
                _ => None,
            })
            .collect();
        ids.into_iter()
    }

    /// An app's index.
    #[must_use]
    pub fn app(&self, id: &ConnectedAppId) -> Option<u32> {
        self.app_at.get(id).copied()
    }

    /// A member's index.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> Option<u32> {
        self.member_at.get(id).copied()
    }

    /// An app's grants, by member.
    #[must_use]
    pub fn grants_of_app(&self, app: u32) -> &[Grant] {
        self.of_app.get(app as usize).map_or(&[], |range| &self.grants[range.clone()])
    }

    /// Indices of a member's grants, by app.
    #[must_use]
    pub fn grants_of_member(&self, member: u32) -> &[u32] {
        let member = member as usize;
        match (self.of_member.get(member), self.of_member.get(member + 1)) {
            (Some(&begin), Some(&end)) => &self.by_member[begin as usize..end as usize],
            _ => &[],
        }
    }

    /// One grant.
    #[must_use]
    pub fn grant(&self, member: &MemberId, app: &ConnectedAppId) -> Option<&Grant> {
        let (member, app) = (self.member(member)?, self.app(app)?);
        let grants = self.grants_of_app(app);
        grants.binary_search_by_key(&member, |grant| grant.member).ok().map(|at| &grants[at])
    }

    /// The same picture without some grants: a complete read has lacked each of them since.
    #[must_use]
    pub fn without(&self, gone: &[(MemberId, ConnectedAppId)]) -> Self {
        let pairs: HashSet<(u32, u32)> =
            gone.iter().filter_map(|(member, app)| Some((self.member(member)?, self.app(app)?))).collect();
        let grants = self.grants.iter().filter(|grant| !pairs.contains(&(grant.member, grant.app)));
        let mut picture = Self::new(
            self.facts.clone(),
            self.apps.clone(),
            self.members.clone(),
            self.scope_sets.clone(),
            grants.copied().collect(),
        );
        picture.facts.found_gone += u32_of(self.grants.len() - picture.grants.len());
        picture.groups.clone_from(&self.groups);
        picture.gone.clone_from(&self.gone);
        picture
    }

    /// A grant's scopes and their width.
    #[must_use]
    pub fn scopes(&self, grant: &Grant) -> &ScopeSet {
        &self.scope_sets[grant.scopes as usize]
    }
}

/// A picture holds fewer than 2^32 of anything: a list that long would not have fitted into memory on its way here.
pub(crate) fn u32_of(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

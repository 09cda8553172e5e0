//! The change of an organization's connected-app policy that blocks apps, and how it is taken back. Pure: what was read goes in,
//! the one change, or why there is none, comes out. It sends nothing and knows no grant.
//!
//! Stytch's policy has two kinds of apps, the vendor's own and all others, each with a word (`ALL_ALLOWED`, `RESTRICTED`,
//! `NOT_ALLOWED`) and a list that counts only under `RESTRICTED`. It knows no list of forbidden apps: to forbid one where all
//! are allowed, every other one has to be named. So that list is made of what is installed now, and never of a part of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
pub use journal::PolicyState as State;
use serde::{Deserialize, Serialize};
use stytch_b2b::{ConnectedAppId, ConnectedAppPolicy, MemberId, OrganizationUpdate};

use crate::inventory::picture::Missing;

/// Every app is allowed.
const ALL: &str = "ALL_ALLOWED";
/// Those of the list are.
pub(crate) const RESTRICTED: &str = "RESTRICTED";
/// None is.
const NONE: &str = "NOT_ALLOWED";

/// Whose apps a part of the policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The vendor's own.
    FirstParty,
    /// All others.
    ThirdParty,
}

impl Kind {
    const BOTH: [Self; 2] = [Self::FirstParty, Self::ThirdParty];

    /// By an app's client type as received; `None` for a type that is in neither.
    #[must_use]
    pub fn of(client_type: &str) -> Option<Self> {
        match client_type {
            "first_party" | "first_party_public" => Some(Self::FirstParty),
            "third_party" | "third_party_public" => Some(Self::ThirdParty),
            _ => None,
        }
    }
}

/// An app that a change is made for: one of the organization's list, or one that the list lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ConnectedAppId,
    /// Its kind. `None`: of one in the list, a type that Stytch has not documented; of one that the list lacks, that nobody tells it,
    /// and then it is forbidden in both parts of the policy.
    pub kind: Option<Kind>,
    /// It is flagged beside others that it looks like.
    pub odd: bool,
    /// It was not there at the reading that new ones are told by.
    pub new: bool,
    /// It has the name of one to be blocked, or one that looks like it: whoever is behind the one may be behind the other.
    pub like: bool,
    /// The list lacks it, and what is known of it all the same. `None`: the list has it.
    pub unlisted: Option<Unlisted>,
}

impl Listed {
    /// An earlier reading had it, the list lacks it now, and nothing that was done from here tells why.
    fn is_missed(&self) -> bool {
        self.unlisted.as_ref().is_some_and(|unlisted| unlisted.known_at.is_some() && !unlisted.revoked_here)
    }
}

/// An app that the organization's list lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unlisted {
    /// Its name, by its own view or an earlier reading; empty where neither tells it.
    pub name: String,
    /// The end of the last kept reading that listed it. `None`: none did, and all that is known of it is the id somebody gave.
    pub known_at: Option<Timestamp>,
    /// It left the list since every grant that reading had was revoked from here: nobody has to wonder why it is not there.
    pub revoked_here: bool,
    /// Members whose grants that reading had and no sweep from here has found gone since.
    pub members: Vec<MemberId>,
    /// Its own view or an earlier reading told its kind. If not, it was taken to be a third party's, or to be of either kind.
    pub kind_told: bool,
}

/// What somebody decided about single apps that are not blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// They stay allowed.
    pub keep: BTreeSet<ConnectedAppId>,
    /// They are forbidden too, and their grants are left alone.
    pub leave_out: BTreeSet<ConnectedAppId>,
}

/// What a change means for one app of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is blocked, as asked for.
    Blocked,
    /// It is forbidden too, as decided.
    LeftOut,
    /// It stays allowed.
    Kept,
    /// It was forbidden before and stays so.
    Forbidden,
    /// Somebody has to decide whether it stays allowed.
    Undecided,
}

/// One app, as the change is shown before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The app.
    pub app: Listed,
    /// What becomes of it.
    pub fate: Fate,
}

/// A change of the policy, app by app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The policy it was made for.
    pub before: State,
    /// What it is to be.
    pub after: State,
    /// Apps it forbids that were allowed.
    pub forbids: BTreeSet<ConnectedAppId>,
    /// Every app of the list, in its order; then those that the list lacks and something is to become of, or that the policy goes on
    /// to allow by name.
    pub rows: Vec<Row>,
    /// Kinds of which apps that nobody has connected yet, or any more, can no longer be connected, although they could be before.
    pub closes: Vec<Kind>,
}

impl Change {
    /// Whether there is nothing to change: what is to be blocked is forbidden already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }

    /// Whether the part of the policy is changed that apps of a kind are in; of an unknown kind, whether either is.
    #[must_use]
    pub fn writes(&self, kind: Option<Kind>) -> bool {
        let of = |kind: Kind| part(&self.before, kind) != part(&self.after, kind);
        kind.map_or_else(|| Kind::BOTH.into_iter().any(of), of)
    }
}

/// Why there is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The list of apps is not whole, and one made of it would forbid what it lacks.
    IncompleteList,
    /// Apps that look like others or like those to be blocked, are new, or were listed by an earlier reading and are not now, and nobody
    /// has decided about. All rows, those among them.
    Undecided(Vec<Row>),
    /// Apps that are not in the list, and that no earlier reading had.
    NotListed(Vec<ConnectedAppId>),
    /// The policy forbids what is to be blocked already, and no grant of it is known: there is nothing to do.
    AlreadyForbidden {
        /// What could not be read of the apps' own views. If there is any, they may have grants all the same.
        missing: Vec<Missing>,
        /// The vendor's own apps that were asked for and not looked at, since those were not meant.
        first_party_left_out: BTreeSet<ConnectedAppId>,
    },
    /// The change that a plan names is not the one that its apps and decisions make: how it differs.
    NotAsDecided(Vec<Difference>),
    /// The sweep has no block that could be lifted.
    NothingBlocked,
    /// An app to be blocked is of a type that is in neither part of the policy.
    UnknownKind(ConnectedAppId),
    /// The policy has a word that Stytch has not documented.
    UnknownWord(String),
}

/// How one part of the policy differs from what it was expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part.
    pub kind: Kind,
    /// The expected word and the one that stands, if they differ.
    pub word: Option<(String, String)>,
    /// Apps in its list that were not expected there.
    pub added: Vec<ConnectedAppId>,
    /// Apps that were expected in its list.
    pub removed: Vec<ConnectedAppId>,
}

/// How a change is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The policy stands as the change left it: the former one is restored.
    Exact(State),
    /// Somebody has changed it since. `merged` takes back only what the change did and leaves theirs.
    Changed {
        /// What they changed.
        differs: Vec<Difference>,
        /// What the policy would be then; the present one where nothing of the change is left in it.
        merged: State,
    },
    /// The former policy stands already.
    Nothing,
}

/// The policy as the API told it.
#[must_use]
pub fn state_of(read: &ConnectedAppPolicy) -> State {
    let ids = |list: &[ConnectedAppId]| list.iter().map(ToString::to_string).collect();
    State {
        first_party: read.first_party_connected_apps_allowed_type.clone(),
        allowed_first_party: ids(&read.allowed_first_party_connected_apps),
        third_party: read.third_party_connected_apps_allowed_type.clone(),
        allowed_third_party: ids(&read.allowed_third_party_connected_apps),
    }
}

/// Whether a policy forbids an app. `None` for an unknown kind that the two parts treat differently, and for an unknown word.
#[must_use]
pub fn forbids(state: &State, app: &ConnectedAppId, kind: Option<Kind>) -> Option<bool> {
    let part = |kind| {
        let (word, list) = part(state, kind);
        match word.as_str() {
            ALL => Some(false),
            NONE => Some(true),
            RESTRICTED => Some(!list.iter().any(|id| id == app.as_str())),
            _ => None,
        }
    };
    match kind {
        Some(kind) => part(kind),
        None => part(Kind::FirstParty).filter(|first| part(Kind::ThirdParty) == Some(*first)),
    }
}

/// Whether apps of a kind that are not named in a list are forbidden.
#[must_use]
pub(crate) fn closed(state: &State, kind: Kind) -> bool {
    part(state, kind).0 != ALL
}

/// The change that blocks some apps. `listed` are those of the organization's list, and such as it lacks: those to be blocked, and those
/// that an earlier reading had. `complete`: the list is whole.
///
/// # Errors
/// [`Refused`]; then nothing may be changed.
pub fn block(
    state: &State,
    apps: &BTreeSet<ConnectedAppId>,
    listed: &[Listed],
    complete: bool,
    decisions: &Decisions,
) -> Result<Change, Refused> {
    let Decisions { keep, leave_out } = decisions;
    let there = |id: &&ConnectedAppId| listed.iter().any(|app| app.id == **id);
    let lost: Vec<_> = apps.iter().chain(keep).chain(leave_out).filter(|id| !there(id)).cloned().collect();
    if !lost.is_empty() {
        return Err(Refused::NotListed(lost));
    }
    let goes = |id: &ConnectedAppId| apps.contains(id) || leave_out.contains(id) && !keep.contains(id);
    // Of an app that the list lacks, one of the two kinds it has is only not told; a type that nobody documented may be in neither.
    if let Some(app) = listed.iter().find(|app| goes(&app.id) && app.kind.is_none() && app.unlisted.is_none()) {
        return Err(Refused::UnknownKind(app.id.clone()));
    }
    let goes_of = |app: &Listed, kind| goes(&app.id) && app.kind.is_none_or(|of| of == kind);
    let mut after = state.clone();
    let mut closes = Vec::new();
    for kind in Kind::BOTH {
        if !listed.iter().any(|app| goes_of(app, kind)) {
            continue;
        }
        let (word, list) = part_mut(&mut after, kind);
        match word.as_str() {
            NONE => {}
            RESTRICTED => {
                list.retain(|id| !listed.iter().any(|app| app.id.as_str() == id && goes_of(app, kind)));
            }
            ALL => {
                if !complete {
                    return Err(Refused::IncompleteList);
                }
                RESTRICTED.clone_into(word);
                // An app of a kind that is not known may be of this one, and nobody asked for it to be forbidden.
                *list = listed
                    .iter()
                    .filter(|app| app.kind.is_none_or(|of| of == kind) && !goes(&app.id))
                    .filter(|app| app.unlisted.is_none() || keep.contains(&app.id))
                    .map(|app| app.id.to_string())
                    .collect();
                closes.push(kind);
            }
            other => return Err(Refused::UnknownWord(other.to_owned())),
        }
    }
    let written: Vec<Kind> = Kind::BOTH.into_iter().filter(|kind| part(state, *kind) != part(&after, *kind)).collect();
    let mut undecided = false;
    let mut forbidden = BTreeSet::new();
    let rows = listed
        .iter()
        .filter_map(|app| {
            let before = forbids(state, &app.id, app.kind) == Some(true);
            if !before && forbids(&after, &app.id, app.kind) == Some(true) {
                forbidden.insert(app.id.clone());
            }
            let among = |kinds: &[Kind]| kinds.iter().any(|kind| app.kind.is_none_or(|of| of == *kind));
            // Only a list that is written anew admits an app that nobody has looked at, or drops one that is not there just now.
            let asks =
                (app.odd || app.new || app.is_missed()) && among(&closes) || app.like && !before && among(&written);
            let decided = apps.contains(&app.id) || keep.contains(&app.id) || leave_out.contains(&app.id);
            let named = Kind::BOTH.into_iter().any(|kind| {
                let (word, list) = part(&after, kind);
                app.kind.is_none_or(|of| of == kind)
                    && word == RESTRICTED
                    && list.iter().any(|id| id == app.id.as_str())
            });
            if app.unlisted.is_some() && !decided && !asks && !named {
                return None;
            }
            let fate = if apps.contains(&app.id) {
                Fate::Blocked
            } else if before {
                Fate::Forbidden
            } else if goes(&app.id) {
                Fate::LeftOut
            } else if asks && !keep.contains(&app.id) {
                undecided = true;
                Fate::Undecided
            } else {
                Fate::Kept
            };
            Some(Row { app: app.clone(), fate })
        })
        .collect();
    if undecided {
        return Err(Refused::Undecided(rows));
    }
    Ok(Change { before: state.clone(), after, forbids: forbidden, rows, closes })
}

/// How a change is taken back, given the policy as it stands now. `apps`: those that it was made to forbid, with their kinds.
#[must_use]
pub fn undo(before: &State, after: &State, apps: &[(ConnectedAppId, Kind)], now: &State) -> Undo {
    let differs = differences(after, now);
    if differs.is_empty() {
        return if before == after { Undo::Nothing } else { Undo::Exact(before.clone()) };
    }
    if differences(before, now).is_empty() {
        return Undo::Nothing;
    }
    let mut merged = now.clone();
    for (app, kind) in apps.iter().filter(|(app, kind)| forbids(before, app, Some(*kind)) == Some(false)) {
        let (word, list) = part_mut(&mut merged, *kind);
        if word == RESTRICTED && !list.iter().any(|id| id == app.as_str()) {
            list.push(app.to_string());
        }
    }
    Undo::Changed { differs, merged }
}

/// What differs between an expected policy and the one that stands, the order of lists and lists that do not count aside.
#[must_use]
pub fn differences(expected: &State, found: &State) -> Vec<Difference> {
    Kind::BOTH
        .into_iter()
        .filter_map(|kind| {
            let (expected, found) = (part(expected, kind), part(found, kind));
            let counts = |(word, list): (&String, &'_ Vec<String>)| -> BTreeSet<ConnectedAppId> {
                list.iter().filter(|_| word == RESTRICTED).map(|id| ConnectedAppId::from(id.as_str())).collect()
            };
            let (was, is) = (counts(expected), counts(found));
            let difference = Difference {
                kind,
                word: (expected.0 != found.0).then(|| (expected.0.clone(), found.0.clone())),
                added: is.difference(&was).cloned().collect(),
                removed: was.difference(&is).cloned().collect(),
            };
            let same = difference.word.is_none() && was == is;
            (!same).then_some(difference)
        })
        .collect()
}

/// The fields that have to be sent to make one policy of another: each needs a permission of its own, so no others are.
#[must_use]
pub fn update(from: &State, to: &State) -> OrganizationUpdate {
    let fields = |kind| {
        let ((word, list), (to_word, to_list)) = (part(from, kind), part(to, kind));
        let other_word = word != to_word;
        // Whether a list is kept while another word stands is not documented, so one that begins to count is always sent.
        let other_list = list != to_list || other_word && to_word == RESTRICTED;
        let ids = || to_list.iter().map(|id| ConnectedAppId::from(id.as_str())).collect::<Vec<_>>();
        (other_word.then(|| to_word.clone()), other_list.then(ids))
    };
    let (first_word, first_list) = fields(Kind::FirstParty);
    let (third_word, third_list) = fields(Kind::ThirdParty);
    OrganizationUpdate {
        first_party_connected_apps_allowed_type: first_word,
        allowed_first_party_connected_apps: first_list,
        third_party_connected_apps_allowed_type: third_word,
        allowed_third_party_connected_apps: third_list,
    }
}

/// A block as a plan's file and its hash hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The apps to be blocked.
    pub apps: Vec<ConnectedAppId>,
    /// Apps that were kept by a decision.
    pub kept: Vec<ConnectedAppId>,
    /// Apps that were left out of the list by a decision.
    pub left_out: Vec<ConnectedAppId>,
    /// First-party apps that are forbidden once it is in force, those that were before among them.
    pub first_party: Vec<ConnectedAppId>,
    /// Third-party apps of that kind.
    pub third_party: Vec<ConnectedAppId>,
    /// The policy it was made for: any other stops it.
    pub before: State,
    /// What the policy is to be.
    pub after: State,
}

impl Block {
    /// What of a change belongs into a plan.
    #[must_use]
    pub fn new(apps: &BTreeSet<ConnectedAppId>, decisions: &Decisions, change: &Change) -> Self {
        let of = |kind: Kind| {
            let goes = |row: &&Row| {
                row.app.kind.is_none_or(|of| of == kind)
                    && (apps.contains(&row.app.id) || change.forbids.contains(&row.app.id))
            };
            change.rows.iter().filter(goes).map(|row| row.app.id.clone()).collect()
        };
        Self {
            apps: apps.iter().cloned().collect(),
            kept: decisions.keep.iter().cloned().collect(),
            left_out: decisions.leave_out.iter().cloned().collect(),
            first_party: of(Kind::FirstParty),
            third_party: of(Kind::ThirdParty),
            before: change.before.clone(),
            after: change.after.clone(),
        }
    }

    /// The apps that are forbidden once it is in force, with their kinds; one whose kind nobody told stands there with both.
    #[must_use]
    pub fn forbidden(&self) -> Vec<(ConnectedAppId, Kind)> {
        let of = |ids: &[ConnectedAppId], kind| ids.iter().map(|id| (id.clone(), kind)).collect::<Vec<_>>();
        [of(&self.first_party, Kind::FirstParty), of(&self.third_party, Kind::ThirdParty)].concat()
    }

    /// The same, each app once; `None`: nobody told its kind.
    #[must_use]
    pub fn forbidden_apps(&self) -> Vec<(ConnectedAppId, Option<Kind>)> {
        let both = |id: &ConnectedAppId| self.first_party.contains(id) && self.third_party.contains(id);
        let first = self.first_party.iter().map(|id| (id.clone(), Some(Kind::FirstParty).filter(|_| !both(id))));
        let third = self.third_party.iter().filter(|id| !both(id)).map(|id| (id.clone(), Some(Kind::ThirdParty)));
        first.chain(third).collect()
    }

    /// Whether somebody asked for an app to be forbidden.
    fn goes(&self, id: &ConnectedAppId) -> bool {
        self.apps.contains(id) || self.left_out.contains(id) && !self.kept.contains(id)
    }

    /// How the change differs from what its apps and decisions make of the policy before, as far as the block alone tells: which
    /// other apps a new list has to name, only what is installed does, and that is [`Block::differs_where`]'s.
    #[must_use]
    pub fn differs(&self) -> Vec<Difference> {
        let forbidden = self.forbidden();
        let mut derived = self.before.clone();
        for kind in Kind::BOTH {
            let goes = |id: &String| {
                let id = ConnectedAppId::from(id.as_str());
                self.goes(&id) && forbidden.contains(&(id, kind))
            };
            let (to, to_list) = part(&self.after, kind);
            let any = forbidden.iter().any(|(id, of)| *of == kind && self.goes(id));
            let (word, list) = part_mut(&mut derived, kind);
            match word.as_str() {
                RESTRICTED => list.retain(|id| !goes(id)),
                ALL if any => {
                    RESTRICTED.clone_into(word);
                    let others = to_list.iter().filter(|_| to == RESTRICTED);
                    *list = others.filter(|id| !self.goes(&ConnectedAppId::from(id.as_str()))).cloned().collect();
                }
                _ => {}
            }
        }
        differences(&derived, &self.after)
    }

    /// How the change differs from the one that its apps and decisions make of the policy before, where these apps are installed.
    /// `complete`: the list is whole.
    ///
    /// # Errors
    /// [`Refused`] where no change could be made of it at all.
    pub fn differs_where(&self, installed: &[Listed], complete: bool) -> Result<Vec<Difference>, Refused> {
        let forbidden = self.forbidden();
        // What was flagged was decided about when the plan was made.
        let mut listed: Vec<Listed> =
            installed.iter().map(|app| Listed { odd: false, new: false, like: false, ..app.clone() }).collect();
        // A decision holds for an app that is gone meanwhile, too: it may be back tomorrow.
        for id in self.apps.iter().chain(&self.left_out).chain(&self.kept) {
            if !listed.iter().any(|app| app.id == *id) {
                let named = |kind: &Kind| part(&self.after, *kind).1.iter().any(|of| of == id.as_str());
                let of = |kind: &Kind| forbidden.iter().any(|(app, of)| app == id && of == kind);
                let parts = |test: &dyn Fn(&Kind) -> bool| Kind::BOTH.into_iter().filter(test).collect::<Vec<_>>();
                let kinds = Some(parts(&of)).filter(|kinds| !kinds.is_empty()).unwrap_or_else(|| parts(&named));
                let kind = match kinds[..] {
                    [] => continue,
                    [kind] => Some(kind),
                    // Nobody told which, when the plan was made.
                    _ => None,
                };
                let unlisted = Some(Unlisted { kind_told: kind.is_some(), ..Unlisted::default() });
                listed.push(Listed { id: id.clone(), kind, odd: false, new: false, like: false, unlisted });
            }
        }
        let there = |id: &&ConnectedAppId| listed.iter().any(|app| app.id == **id);
        let decisions = Decisions {
            keep: self.kept.iter().filter(there).cloned().collect(),
            leave_out: self.left_out.iter().filter(there).cloned().collect(),
        };
        let apps = self.apps.iter().cloned().collect();
        let change = block(&self.before, &apps, &listed, complete, &decisions)?;
        let differs = differences(&change.after, &self.after);
        if !differs.is_empty() {
            return Ok(differs);
        }
        // The same policy, and yet other apps are named as forbidden by it.
        let derived = Self::new(&apps, &decisions, &change).forbidden();
        let apart = |kind: Kind| {
            let of = |apps: &[(ConnectedAppId, Kind)]| -> BTreeSet<ConnectedAppId> {
                apps.iter().filter(|(_, of)| *of == kind).map(|(id, _)| id.clone()).collect()
            };
            let (ours, theirs) = (of(&derived), of(&forbidden));
            let [added, removed] =
                [ours.difference(&theirs), theirs.difference(&ours)].map(|ids| ids.cloned().collect());
            Difference { kind, word: None, added, removed }
        };
        let apart = Kind::BOTH.into_iter().map(apart);
        Ok(apart.filter(|of| !of.added.is_empty() || !of.removed.is_empty()).collect())
    }

    /// Whether it only ever forbids, and forbids what somebody asked for and nothing else, as far as the block alone tells: a file
    /// may say anything.
    #[must_use]
    pub fn holds_together(&self) -> bool {
        let forbidden = self.forbidden();
        let asked = forbidden.iter().all(|(id, _)| self.goes(id));
        // What was left out and is not among the forbidden was forbidden before.
        let left_out = self.left_out.iter().filter(|id| self.goes(id)).all(|id| {
            forbidden.iter().any(|(app, _)| app == id)
                || Kind::BOTH.into_iter().any(|kind| forbids(&self.before, id, Some(kind)) == Some(true))
        });
        let tightens = Kind::BOTH.into_iter().all(|kind| {
            let ((from, list), (to, to_list)) = (part(&self.before, kind), part(&self.after, kind));
            match (from.as_str(), to.as_str()) {
                (ALL, RESTRICTED) => true,
                (RESTRICTED, RESTRICTED) => to_list.iter().all(|id| list.contains(id)),
                (from, to) => from == to && list == to_list,
            }
        });
        tightens
            && asked
            && left_out
            && self.differs().is_empty()
            && self.apps.iter().all(|id| forbidden.iter().any(|(app, _)| app == id))
            && in_force(&self.after, &forbidden)
    }
}

/// Whether a policy forbids all of these apps, whatever else it says.
#[must_use]
pub fn in_force(state: &State, apps: &[(ConnectedAppId, Kind)]) -> bool {
    apps.iter().all(|(app, kind)| forbids(state, app, Some(*kind)) == Some(true))
}

fn part(state: &State, kind: Kind) -> (&String, &Vec<String>) {
    match kind {
        Kind::FirstParty => (&state.first_party, &state.allowed_first_party),
        Kind::ThirdParty => (&state.third_party, &state.allowed_third_party),
    }
}

fn part_mut(state: &mut State, kind: Kind) -> (&mut String, &mut Vec<String>) {
    match kind {
        Kind::FirstParty => (&mut state.first_party, &mut state.allowed_first_party),
        Kind::ThirdParty => (&mut state.third_party, &mut state.allowed_third_party),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> ConnectedAppId {
        ConnectedAppId::from(format!("app-{n}"))
    }

    fn states() -> impl Strategy<Value = State> {
        let word = || prop::sample::select(vec![ALL, RESTRICTED, NONE]);
        let list = || prop::collection::btree_set(0..12_u8, 0..8);
        (word(), list(), word(), list()).prop_map(|(first, firsts, third, thirds)| {
            let ids = |set: BTreeSet<u8>| set.into_iter().map(|n| id(n).to_string()).collect();
            State {
                first_party: first.to_owned(),
                allowed_first_party: ids(firsts),
                third_party: third.to_owned(),
                allowed_third_party: ids(thirds),
            }
        })
    }

    /// Eight apps of mixed kinds and looks.
    fn lists() -> impl Strategy<Value = Vec<Listed>> {
        prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 8).prop_map(|apps| {
            (0..)
                .zip(apps)
                .map(|(n, (first, odd, new, like))| {
                    let kind = Some(if first { Kind::FirstParty } else { Kind::ThirdParty });
                    Listed { id: id(n), kind, odd, new, like, unlisted: None }
                })
                .collect()
        })
    }

    fn some() -> impl Strategy<Value = BTreeSet<ConnectedAppId>> {
        prop::collection::btree_set((0..8_u8).prop_map(id), 1..4)
    }

    /// All that ask for a decision are kept.
    fn keep_all(listed: &[Listed]) -> Decisions {
        Decisions { keep: listed.iter().map(|app| app.id.clone()).collect(), ..Decisions::default() }
    }

    fn kinds(change: &Change) -> Vec<(ConnectedAppId, Kind)> {
        let forbidden = change.rows.iter().filter(|row| change.forbids.contains(&row.app.id));
        forbidden.filter_map(|row| Some((row.app.id.clone(), row.app.kind?))).collect()
    }

    proptest! {
        #[test]
        fn a_block_forbids_what_it_names_and_nothing_else_that_is_installed(
            state in states(), listed in lists(), apps in some(),
        ) {
            let change = block(&state, &apps, &listed, true, &keep_all(&listed)).expect("a change");
            for app in &listed {
                let (before, after) = (forbids(&state, &app.id, app.kind), forbids(&change.after, &app.id, app.kind));
                prop_assert_eq!(after, if apps.contains(&app.id) { Some(true) } else { before }, "{:?}", app);
            }
            prop_assert_eq!(change.is_empty(), apps.iter().all(|app| {
                let kind = listed.iter().find(|listed| listed.id == *app).and_then(|app| app.kind);
                forbids(&state, app, kind) == Some(true)
            }), "a change exactly where something has to change");
            prop_assert_eq!(change.is_empty(), update(&change.before, &change.after).is_empty());
            let made = Block::new(&apps, &keep_all(&listed), &change);
            prop_assert!(made.holds_together(), "{:?}", made);
            let unmade = Block { after: state.clone(), ..made };
            prop_assert!(!unmade.holds_together() || change.is_empty(), "{:?}", unmade);
        }

        #[test]
        fn a_change_that_its_apps_and_decisions_do_not_make_is_found_out(
            state in states(), listed in lists(), apps in some(), left_out in some(), forged in states(), which in 0..5_u8, who in 0..12_u8,
        ) {
            let keep = listed.iter().map(|app| app.id.clone()).filter(|id| !left_out.contains(id)).collect();
            let decisions = Decisions { keep, leave_out: left_out };
            let change = block(&state, &apps, &listed, true, &decisions).expect("a change");
            let made = Block::new(&apps, &decisions, &change);
            prop_assert!(made.holds_together(), "{:?}", made);
            prop_assert_eq!(made.differs(), Vec::new());
            prop_assert_eq!(made.differs_where(&listed, true), Ok(Vec::new()));

            let mut edited = made.clone();
            let who = id(who);
            match which {
                0 => edited.after = forged,
                1 => edited.after.third_party = forged.third_party,
                // One more is allowed, or one less.
                2 | 3 => {
                    let (_, list) = part_mut(&mut edited.after, if which == 2 { Kind::ThirdParty } else { Kind::FirstParty });
                    match list.iter().position(|of| of == who.as_str()) {
                        Some(at) => drop(list.remove(at)),
                        None => list.push(who.to_string()),
                    }
                }
                // One more is named as forbidden, and the policy made to fit.
                _ => {
                    if !edited.third_party.contains(&who) {
                        edited.third_party.push(who.clone());
                    }
                    edited.after.allowed_third_party.retain(|of| of != who.as_str());
                }
            }
            let same = differences(&made.after, &edited.after).is_empty() && made.forbidden() == edited.forbidden();
            let told = edited.differs_where(&listed, true);
            prop_assert!(same || !edited.holds_together() || told != Ok(Vec::new()), "{:?}\nbecame {:?}", made, edited);
            prop_assert!(!same || told == Ok(Vec::new()), "{:?}", told);
        }

        #[test]
        fn a_block_that_is_lifted_leaves_the_policy_exactly_as_it_was(
            state in states(), listed in lists(), apps in some(),
        ) {
            let change = block(&state, &apps, &listed, true, &keep_all(&listed)).expect("a change");
            match undo(&state, &change.after, &kinds(&change), &change.after) {
                Undo::Exact(restored) => prop_assert_eq!(restored, state),
                Undo::Nothing => prop_assert!(change.is_empty()),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        #[test]
        fn what_somebody_else_has_changed_is_never_undone_unsaid(
            state in states(), listed in lists(), apps in some(), now in states(),
        ) {
            let change = block(&state, &apps, &listed, true, &keep_all(&listed)).expect("a change");
            match undo(&state, &change.after, &kinds(&change), &now) {
                Undo::Exact(_) => prop_assert!(differences(&change.after, &now).is_empty(), "{:?}", now),
                Undo::Nothing => {
                    let there = differences(&state, &now).is_empty();
                    prop_assert!(there || change.is_empty() && differences(&change.after, &now).is_empty());
                }
                Undo::Changed { differs, merged } => {
                    prop_assert!(!differs.is_empty());
                    for app in &listed {
                        let (is, would) = (forbids(&now, &app.id, app.kind), forbids(&merged, &app.id, app.kind));
                        // Only what the change itself forbade may be allowed by it, and nothing becomes forbidden.
                        let ours = change.forbids.contains(&app.id) && is == Some(true);
                        prop_assert!(is == would || ours && would == Some(false), "{:?}", app);
                    }
                    prop_assert_eq!(&merged.third_party, &now.third_party);
                    prop_assert_eq!(&merged.first_party, &now.first_party);
                }
            }
        }

        #[test]
        fn look_alikes_and_new_apps_are_admitted_by_a_decision_only(
            state in states(), listed in lists(), apps in some(), leave_out in any::<bool>(),
        ) {
            let blocks = |app: &Listed| apps.contains(&app.id);
            let asks = |app: &&Listed| {
                !blocks(app) && app.kind.is_some_and(|kind| {
                    let anew = part(&state, kind).0 == ALL && listed.iter().any(|of| of.kind == Some(kind) && blocks(of));
                    let changed = listed.iter().any(|of| {
                        of.kind == Some(kind) && blocks(of) && forbids(&state, &of.id, of.kind) == Some(false)
                    });
                    (app.odd || app.new) && anew || app.like && changed && forbids(&state, &app.id, app.kind) == Some(false)
                })
            };
            let ids: BTreeSet<ConnectedAppId> = listed.iter().filter(asks).map(|app| app.id.clone()).collect();
            match block(&state, &apps, &listed, true, &Decisions::default()) {
                Ok(_) => prop_assert!(ids.is_empty(), "{:?} got in unasked", ids),
                Err(Refused::Undecided(rows)) => {
                    let open = rows.iter().filter(|row| row.fate == Fate::Undecided).map(|row| row.app.id.clone());
                    prop_assert_eq!(open.collect::<BTreeSet<_>>(), ids.clone());
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
            let decided = if leave_out {
                Decisions { leave_out: ids.clone(), ..Decisions::default() }
            } else {
                Decisions { keep: ids.clone(), ..Decisions::default() }
            };
            let change = block(&state, &apps, &listed, true, &decided).expect("decided");
            for app in listed.iter().filter(|app| ids.contains(&app.id)) {
                prop_assert_eq!(forbids(&change.after, &app.id, app.kind), Some(leave_out));
            }
        }
    }

    /// Apps that the list lacks, of the same ids as some that it has not: known from an earlier reading, or named by id alone.
    fn unlisted() -> impl Strategy<Value = Vec<Listed>> {
        prop::collection::vec((0..3_u8, any::<bool>(), any::<bool>()), 3).prop_map(|apps| {
            (8..)
                .zip(apps)
                .map(|(n, (kind, known, revoked_here))| {
                    let kind = [None, Some(Kind::FirstParty), Some(Kind::ThirdParty)][usize::from(kind)];
                    let known_at = known.then_some(Timestamp::UNIX_EPOCH);
                    let unlisted =
                        Unlisted { known_at, revoked_here, kind_told: kind.is_some(), ..Unlisted::default() };
                    Listed { id: id(n), kind, odd: false, new: false, like: false, unlisted: Some(unlisted) }
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_no_list_names_is_forbidden_in_every_part_that_may_be_its_own_and_the_plan_says_so(
            state in states(), listed in lists(), beyond in unlisted(), which in 0..3_usize,
        ) {
            let all: Vec<Listed> = listed.iter().chain(&beyond).cloned().collect();
            let app = &beyond[which];
            let apps = BTreeSet::from([app.id.clone()]);
            let decided = keep_all(&all);
            let decided = Decisions { keep: decided.keep.into_iter().filter(|id| *id != app.id).collect(), ..decided };
            let change = block(&state, &apps, &all, true, &decided).expect("a change");
            prop_assert_eq!(forbids(&change.after, &app.id, app.kind), Some(true));
            if app.kind.is_none() {
                for kind in Kind::BOTH {
                    prop_assert_eq!(forbids(&change.after, &app.id, Some(kind)), Some(true), "{:?}", kind);
                }
            }
            // Nobody else that is installed loses anything.
            for other in &listed {
                prop_assert_eq!(forbids(&change.after, &other.id, other.kind), forbids(&state, &other.id, other.kind));
            }
            let made = Block::new(&apps, &decided, &change);
            prop_assert!(made.holds_together(), "{:?}", made);
            prop_assert_eq!(made.differs_where(&listed, true), Ok(Vec::new()));
            prop_assert!(made.forbidden_apps().iter().any(|(id, kind)| *id == app.id && *kind == app.kind), "{:?}", made);
            match undo(&state, &change.after, &made.forbidden(), &change.after) {
                Undo::Exact(restored) => prop_assert_eq!(restored, state),
                Undo::Nothing => prop_assert!(change.is_empty()),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        #[test]
        fn an_app_that_is_only_missing_just_now_falls_off_no_list_unasked(
            state in states(), listed in lists(), beyond in unlisted(), apps in some(), keep in any::<bool>(),
        ) {
            let all: Vec<Listed> = listed.iter().chain(&beyond).cloned().collect();
            let decided = keep_all(&listed);
            let missed: BTreeSet<ConnectedAppId> =
                beyond.iter().filter(|app| app.is_missed()).map(|app| app.id.clone()).collect();
            let mut decided = decided;
            let mut asked = BTreeSet::new();
            // To leave one out may write another list anew, and that asks about others.
            let change = loop {
                match block(&state, &apps, &all, true, &decided) {
                    Err(Refused::Undecided(rows)) => {
                        let open = rows.into_iter().filter(|row| row.fate == Fate::Undecided);
                        let open: BTreeSet<_> = open.map(|row| row.app.id).collect();
                        prop_assert!(!open.is_empty() && open.is_disjoint(&asked), "{:?} is asked about twice", open);
                        if keep { &mut decided.keep } else { &mut decided.leave_out }.extend(open.iter().cloned());
                        asked.extend(open);
                    }
                    Ok(change) => break change,
                    Err(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
                }
            };
            prop_assert!(asked.is_subset(&missed), "{:?}", asked);
            for app in beyond.iter().filter(|app| app.is_missed()) {
                let (before, after) = (forbids(&state, &app.id, app.kind), forbids(&change.after, &app.id, app.kind));
                prop_assert!(before == after || asked.contains(&app.id), "{:?} fell off unasked", app);
                if asked.contains(&app.id) {
                    prop_assert!(!keep || after != Some(true) || before == Some(true), "{:?} was kept", app);
                }
            }
            let made = Block::new(&apps, &decided, &change);
            prop_assert!(made.holds_together(), "{:?}", made);
            prop_assert_eq!(made.differs_where(&listed, true), Ok(Vec::new()));
        }
    }

    fn open() -> State {
        State {
            first_party: ALL.to_owned(),
            allowed_first_party: Vec::new(),
            third_party: ALL.to_owned(),
            allowed_third_party: Vec::new(),
        }
    }

    fn plain(n: u8) -> Listed {
        Listed { id: id(n), kind: Some(Kind::ThirdParty), odd: false, new: false, like: false, unlisted: None }
    }

    #[test]
    fn no_list_is_made_of_a_part_of_the_apps() {
        let listed = [plain(1), plain(2)];
        let apps = BTreeSet::from([id(1)]);
        let refused = block(&open(), &apps, &listed, false, &Decisions::default());
        assert_eq!(refused, Err(Refused::IncompleteList));
        // Taking one out of a list that stands needs no knowledge of the others.
        let restricted = State {
            third_party: RESTRICTED.to_owned(),
            allowed_third_party: ["app-1", "app-2", "app-9"].map(str::to_owned).to_vec(),
            ..open()
        };
        let change = block(&restricted, &apps, &listed, false, &Decisions::default()).expect("a removal");
        assert_eq!(change.after.allowed_third_party, ["app-2", "app-9"]);
        assert!(change.closes.is_empty(), "nothing else becomes forbidden");
    }

    #[test]
    fn what_cannot_be_judged_is_refused_and_not_guessed() {
        let of_no_kind = Listed { kind: None, ..plain(1) };
        let apps = BTreeSet::from([id(1)]);
        let none = Decisions::default();
        assert_eq!(
            block(&open(), &apps, std::slice::from_ref(&of_no_kind), true, &none),
            Err(Refused::UnknownKind(id(1)))
        );
        assert_eq!(block(&open(), &apps, &[plain(2)], true, &none), Err(Refused::NotListed(vec![id(1)])));
        let odd_word = State { third_party: "SOMETIMES".to_owned(), ..open() };
        let refused = block(&odd_word, &apps, &[plain(1)], true, &none);
        assert_eq!(refused, Err(Refused::UnknownWord("SOMETIMES".to_owned())));
        // One that is only not known, and not to be blocked, stays allowed.
        let change = block(&open(), &BTreeSet::from([id(2)]), &[of_no_kind, plain(2)], true, &none).expect("a change");
        assert_eq!(change.after.allowed_third_party, ["app-1"]);
        assert_eq!(change.closes, [Kind::ThirdParty]);
    }

    #[test]
    fn only_what_differs_is_sent() {
        let apps = BTreeSet::from([id(1)]);
        let change = block(&open(), &apps, &[plain(1)], true, &Decisions::default()).expect("a change");
        let sent = update(&change.before, &change.after);
        assert_eq!(sent.third_party_connected_apps_allowed_type.as_deref(), Some(RESTRICTED));
        assert_eq!(sent.first_party_connected_apps_allowed_type, None);
        assert_eq!(sent.allowed_first_party_connected_apps, None);
        // The list was empty and stays so, and from now on it counts.
        assert_eq!(sent.allowed_third_party_connected_apps, Some(Vec::new()));
    }
}

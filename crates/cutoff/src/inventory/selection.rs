//! What is selected, as a rule, and what that comes to in a picture. It holds rows that were never on a screen and is worth the
//! same before and after a new reading; it does nothing to any of them.
//!
//! Picking a row means everything that the row stands for: an app's row all its grants, a group's all grants of all its apps, a
//! member's all theirs, whatever filter was on while it was picked. `all` means what the filter shows: exactly the grants that
//! match, in the rows that match. An id left out of `all` takes everything out that picking it would have brought in.
//!
//! An id always means what it was the id of. An app that was picked by itself stays one app after it has come to look like
//! others: the group is not taken in with it.

use std::collections::{HashMap, HashSet};

use stytch_b2b::{ConnectedAppId, MemberId};

use super::filter::{Bits, Filter, Index};
use super::picture::{Picture, u32_of};

/// Which list something is selected in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// Apps, or groups of look-alikes.
    Apps,
    /// Members.
    Members,
    /// Grants.
    Grants,
}

/// The id of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowId {
    /// An app's.
    App(ConnectedAppId),
    /// A group of look-alikes'.
    Group(String),
    /// A member's.
    Member(MemberId),
    /// A grant's.
    Grant(MemberId, ConnectedAppId),
}

/// What is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of which list.
    pub noun: Noun,
    /// Whether groups of look-alikes count as one row.
    pub fold: bool,
    /// All rows that match `filter`, except `ids`; or exactly `ids`, whatever the filter.
    pub all: bool,
    /// The filter that `all` means.
    pub filter: Filter,
    /// Ids of rows.
    pub ids: HashSet<RowId>,
}

/// What a selection comes to. Indices are ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Grants.
    pub grants: Vec<u32>,
    /// Apps of those grants, and on the list of apps the selected ones that have none.
    pub apps: Vec<u32>,
    /// Members of those grants, and on the list of members the selected ones that have none.
    pub members: Vec<u32>,
    /// Rows of the list.
    pub rows: u32,
    /// Ids of the rule that the picture does not have any more. Of a rule that leaves rows out they count as much: a group left
    /// out that has fallen apart leaves nothing out, and whoever acts on the rest must say so first.
    pub lost: u32,
}

/// Everything that some ids name.
struct Named {
    apps: Bits,
    members: Bits,
    grants: Bits,
    /// How many of the ids were found.
    found: u32,
}

impl Selection {
    /// What it comes to in a picture. `index` must be the picture's own.
    #[must_use]
    pub fn resolve(&self, picture: &Picture, index: &Index) -> Resolved {
        let named = self.named(picture, index);
        let mut grants = named.grants.clone();
        let (mut apps, mut members) = (Bits::none(picture.apps.len()), Bits::none(picture.members.len()));
        let mut rows = named.found;
        if self.all {
            let matches = self.filter.matches(picture, index);
            grants = Bits::none(picture.grants.len());
            matches
                .grants()
                .filter(|&grant| !named.grants.get(grant as usize))
                .for_each(|grant| grants.set(grant as usize));
            let mut folded = HashSet::new();
            rows = 0;
            match self.noun {
                Noun::Apps => {
                    for app in
                        (0..u32_of(picture.apps.len())).filter(|&app| matches.app(app) && !named.apps.get(app as usize))
                    {
                        apps.set(app as usize);
                        // Of a group the first of its apps counts the row.
                        rows += u32::from(!self.fold || folded.insert(index.folded_row[app as usize]));
                    }
                }
                Noun::Members => {
                    let left = |member: &u32| matches.member(*member) && !named.members.get(*member as usize);
                    for member in (0..u32_of(picture.members.len())).filter(left) {
                        members.set(member as usize);
                        rows += 1;
                    }
                }
                Noun::Grants => rows = u32_of(grants.iter().count()),
            }
        } else {
            named.apps.iter().for_each(|app| apps.set(app as usize));
            named.members.iter().for_each(|member| members.set(member as usize));
        }
        for grant in grants.iter().map(|grant| &picture.grants[grant as usize]) {
            apps.set(grant.app as usize);
            members.set(grant.member as usize);
        }
        Resolved {
            grants: grants.iter().collect(),
            apps: apps.iter().collect(),
            members: members.iter().collect(),
            rows,
            lost: u32_of(self.ids.len()) - named.found,
        }
    }

    fn named(&self, picture: &Picture, index: &Index) -> Named {
        let mut named = Named {
            apps: Bits::none(picture.apps.len()),
            members: Bits::none(picture.members.len()),
            grants: Bits::none(picture.grants.len()),
            found: 0,
        };
        let group_id = |group: u32| picture.groups.get(group as usize).map(|group| group.id.as_str());
        let groups: HashMap<&str, &[u32]> =
            index.folded.iter().filter_map(|row| Some((row.group.and_then(group_id)?, &*row.apps))).collect();
        for id in &self.ids {
            let found = match id {
                RowId::App(app) => picture.app(app).map(|app| named.app(picture, app)),
                RowId::Group(id) => {
                    groups.get(id.as_str()).map(|apps| apps.iter().for_each(|&app| named.app(picture, app)))
                }
                RowId::Member(member) => picture.member(member).map(|member| named.member(picture, member)),
                RowId::Grant(member, app) => grant_at(picture, member, app).map(|grant| named.grants.set(grant)),
            };
            let found = found.is_some();
            named.found += u32::from(found);
        }
        named
    }
}

impl Named {
    fn app(&mut self, picture: &Picture, app: u32) {
        self.apps.set(app as usize);
        picture.of_app[app as usize].clone().for_each(|grant| self.grants.set(grant));
    }

    fn member(&mut self, picture: &Picture, member: u32) {
        self.members.set(member as usize);
        picture.grants_of_member(member).iter().for_each(|&grant| self.grants.set(grant as usize));
    }
}

fn grant_at(picture: &Picture, member: &MemberId, app: &ConnectedAppId) -> Option<usize> {
    let (member, app) = (picture.member(member)?, picture.app(app)?);
    let begin = picture.of_app[app as usize].start;
    picture.grants_of_app(app).binary_search_by_key(&member, |grant| grant.member).ok().map(|at| begin + at)
}

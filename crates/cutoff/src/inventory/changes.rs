//! The grants that differ between two snapshots, filtered and cut into windows: those that are there, and those that are gone.

use std::collections::HashSet;

use super::export::ChangeRow;
use super::filter::{Filter, UNKNOWN, folded};
use super::list::{Query, SortedGrants};
use super::picture::{Change, GoneGrant, Grant, Picture};
use super::shown::Shown;

/// One grant that differs.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// It is there, in another way or anew.
    There(&'a Grant),
    /// It is gone.
    Gone(&'a GoneGrant),
}

impl<'a> Row<'a> {
    /// The row as a file tells it; `None`: it is as it was.
    #[must_use]
    pub fn line(&self, picture: &'a Picture) -> Option<ChangeRow<'a>> {
        match *self {
            Self::There(grant) => {
                let (member, app) = (&picture.members[grant.member as usize], &picture.apps[grant.app as usize]);
                Some(ChangeRow {
                    change: grant.change?,
                    member: &member.id,
                    known: member.known.as_ref(),
                    app: &app.id,
                    app_name: &app.name,
                    client_type: &app.client_type,
                    before: grant.scopes_before.map_or(&[], |set| &picture.scope_sets[set as usize].scopes),
                    after: &picture.scopes(grant).scopes,
                    first_seen: grant.first_seen,
                })
            }
            Self::Gone(gone) => Some(ChangeRow {
                change: Change::Gone,
                member: &gone.member,
                known: gone.known.as_ref(),
                app: &gone.app,
                app_name: &gone.app_name,
                client_type: &gone.client_type,
                before: &gone.scopes.scopes,
                after: &[],
                first_seen: gone.first_seen,
            }),
        }
    }
}

/// The differing grants of some kinds (all of them when none is given) that match, in order, those that are gone last.
#[must_use]
pub fn rows<'a>(shown: &'a Shown, query: &Query, kinds: &[Change]) -> Vec<Row<'a>> {
    let wanted = |change: Change| kinds.is_empty() || kinds.contains(&change);
    let changes: Vec<Change> = [Change::New, Change::Widened, Change::Narrowed, Change::Altered]
        .into_iter()
        .filter(|change| wanted(*change))
        .filter(|change| query.filter.changes.is_empty() || query.filter.changes.contains(change))
        .collect();
    let mut rows = Vec::new();
    // A filter without kinds of changes would take grants in that are as they were.
    if !changes.is_empty() {
        let filter = Filter { changes, ..query.filter.clone() };
        let sorted = SortedGrants::new(&shown.picture, &shown.index, &Query { filter, ..query.clone() });
        rows.extend(sorted.rows().iter().map(|&at| Row::There(&shown.picture.grants[at as usize])));
    }
    if wanted(Change::Gone) {
        rows.extend(shown.picture.gone.iter().filter(|gone| matches(&query.filter, gone)).map(Row::Gone));
    }
    rows
}

/// A grant that is gone is judged by what it was. What only a grant that is there can have, it has not.
fn matches(filter: &Filter, gone: &GoneGrant) -> bool {
    let any = |list: &[String], found: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|one| found(one));
    let known = gone.known.as_ref();
    let member = known.map_or_else(String::new, |known| {
        format!("{}\n{}\n{}\n{}", known.name, known.email, known.status, known.roles.join("\n"))
    });
    let texts: HashSet<String> = [
        format!("{}\n{}\n{}\n{}", gone.app_name, gone.app, gone.client_type, gone.client_type.replace('_', "-")),
        format!("{member}\n{}", gone.member),
        gone.scopes.scopes.join("\n"),
    ]
    .iter()
    .map(|text| folded(text))
    .collect();
    filter.text.split_whitespace().map(folded).all(|word| texts.iter().any(|text| text.contains(&word)))
        && (filter.apps.is_empty() || filter.apps.contains(&gone.app))
        && (filter.members.is_empty() || filter.members.contains(&gone.member))
        && any(&filter.client_types, &|one| one == gone.client_type)
        && any(&filter.roles, &|one| known.is_some_and(|known| known.roles.iter().any(|role| role == one)))
        && any(&filter.statuses, &|one| known.map_or(one == UNKNOWN, |known| known.status == one))
        && any(&filter.scopes, &|one| gone.scopes.scopes.iter().any(|scope| scope == one))
        && (filter.levels.is_empty() || filter.levels.contains(&gone.scopes.width.level))
        && (filter.changes.is_empty() || filter.changes.contains(&Change::Gone))
        && filter.first_seen_after.is_none()
        && filter.look_alikes.is_empty()
        && filter.group.is_none()
}

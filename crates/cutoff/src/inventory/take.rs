//! What a copy or an export takes: a list in its order, or what is selected in it, written as a file would be. Where the file
//! lies is the caller's.

use std::collections::HashSet;
use std::io::{self, Write};

use stytch_b2b::ConnectedAppId;

use super::changes;
use super::export::{self, AppRow, Format, MemberRow};
use super::filter::Filter;
use super::list::{self, Query};
use super::picture::Change;
use super::selection::{Noun, RowId, Selection};
use super::shown::Shown;

/// What is taken.
#[derive(Clone, Debug)]
pub struct Take {
    /// Of which list.
    pub noun: Noun,
    /// Its filter and order; the window is not looked at.
    pub query: Query,
    /// Only these rows of it.
    pub selection: Option<Selection>,
    /// As what.
    pub format: Format,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Rows written.
    pub rows: u64,
    /// Rows that a limit left out.
    pub left_out: u64,
}

impl Take {
    /// Writes it, `most` rows at the most.
    ///
    /// # Errors
    /// What `out` answers.
    pub fn write(&self, shown: &Shown, out: &mut dyn Write, most: Option<usize>) -> io::Result<Taken> {
        let most = most.unwrap_or(usize::MAX);
        let picture = &shown.picture;
        let words = self.filter_in_words();
        let cut = |len: usize| len.saturating_sub(most) as u64;
        let (rows, left_out) = match self.noun {
            Noun::Apps => {
                let sorted = shown.sorted_apps(&self.query);
                let rows: Vec<list::AppRow> =
                    sorted.rows(&shown.index).filter(|row| self.takes_app(shown, *row)).collect();
                let lines = rows.iter().take(most).filter_map(|row| match *row {
                    list::AppRow::App(app) => AppRow::app(picture, app),
                    list::AppRow::Group(group) => AppRow::group(picture, group),
                });
                (export::write_apps(out, picture, lines, self.format, &words)?, cut(rows.len()))
            }
            Noun::Members => {
                let sorted = shown.sorted_members(&self.query);
                let takes = |member: u32| self.takes(&RowId::Member(picture.members[member as usize].id.clone()));
                let rows: Vec<u32> = sorted.rows().iter().copied().filter(|&member| takes(member)).collect();
                let lines = rows.iter().take(most).filter_map(|&member| MemberRow::new(picture, member));
                (export::write_members(out, picture, lines, self.format, &words)?, cut(rows.len()))
            }
            Noun::Grants => {
                // Grants may be selected as rows of their own, or through their app or member.
                let chosen: Option<HashSet<u32>> = self
                    .selection
                    .as_ref()
                    .map(|selection| selection.resolve(picture, &shown.index).grants.into_iter().collect());
                let sorted = shown.sorted_grants(&self.query);
                let takes = |at: &u32| chosen.as_ref().is_none_or(|chosen| chosen.contains(at));
                let rows: Vec<u32> = sorted.rows().iter().copied().filter(takes).collect();
                let lines = rows.iter().take(most).map(|&at| &picture.grants[at as usize]);
                (export::write_grants(out, picture, lines, self.format, &words)?, cut(rows.len()))
            }
        };
        Ok(Taken { rows, left_out })
    }

    fn takes(&self, id: &RowId) -> bool {
        // A selection in another list says nothing of these rows.
        let selection = self.selection.as_ref().filter(|selection| selection.noun == self.noun);
        selection.is_none_or(|selection| selection.ids.contains(id) != selection.all)
    }

    fn takes_app(&self, shown: &Shown, row: list::AppRow) -> bool {
        self.takes(&match row {
            list::AppRow::App(app) => RowId::App(shown.picture.apps[app as usize].id.clone()),
            list::AppRow::Group(group) => RowId::Group(shown.picture.groups[group as usize].id.clone()),
        })
    }

    /// Whether it is less than the whole list.
    #[must_use]
    pub fn filtered(&self) -> bool {
        !self.filter_in_words().is_empty()
    }

    fn filter_in_words(&self) -> String {
        let mut words = filter_in_words(&self.query.filter);
        if self.selection.is_some() {
            words.push("selected rows only".to_owned());
        }
        words.join("; ")
    }
}

/// What is taken of the differences between two snapshots.
#[derive(Clone, Debug)]
pub struct TakeChanges {
    /// Filter and order; the window is not looked at.
    pub query: Query,
    /// Of these kinds; empty: of all.
    pub kinds: Vec<Change>,
    /// As what.
    pub format: Format,
}

impl TakeChanges {
    /// Writes the differences that `shown` has, and how many. `not_compared` are the apps that the comparison says nothing of.
    ///
    /// # Errors
    /// What `out` answers.
    pub fn write(&self, shown: &Shown, not_compared: &[ConnectedAppId], out: &mut dyn Write) -> io::Result<u64> {
        let rows = changes::rows(shown, &self.query, &self.kinds);
        let lines = rows.iter().filter_map(|row| row.line(&shown.picture));
        export::write_changes(out, &shown.picture, lines, not_compared, self.format, &self.filter_in_words())
    }

    /// Whether it is less than all the differences.
    #[must_use]
    pub fn filtered(&self) -> bool {
        !self.filter_in_words().is_empty()
    }

    fn filter_in_words(&self) -> String {
        let mut words = filter_in_words(&self.query.filter);
        if !self.kinds.is_empty() {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| export::change_word(*kind)).collect();
            words.push(format!("only: {}", kinds.join(", ")));
        }
        words.join("; ")
    }
}

/// The filter in words, for whoever opens the file later.
fn filter_in_words(filter: &Filter) -> Vec<String> {
    let mut out = Vec::new();
    let mut list = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            out.push(format!("{name}: {}", values.join(", ")));
        }
    };
    list("text", Some(filter.text.trim().to_owned()).filter(|text| !text.is_empty()).into_iter().collect());
    list("app", filter.apps.iter().map(ToString::to_string).collect());
    list("type", filter.client_types.clone());
    list("member", filter.members.iter().map(ToString::to_string).collect());
    list("role", filter.roles.clone());
    list("status", filter.statuses.clone());
    list("scope", filter.scopes.clone());
    list("width", filter.levels.iter().map(ToString::to_string).collect());
    list("change", filter.changes.iter().map(|change| export::change_word(*change).to_owned()).collect());
    list("first seen after snapshot", filter.first_seen_after.iter().map(ToString::to_string).collect());
    list("look-alikes", filter.look_alikes.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect());
    list("group", filter.group.iter().cloned().collect());
    out
}

//! The rows of one sweep, found by grant: what is judged for one grant reads the rows that speak of it, and not those of the ten
//! thousand others. It keeps order and judges nothing.

use std::collections::HashMap;

use journal::{Body, Grant, Row, View};

/// All rows of a sweep, in order.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    all: Vec<Row>,
    /// The grants, by number from 1.
    grants: Vec<Grant>,
    /// For each grant its own rows.
    of_grant: Vec<Vec<u32>>,
    /// Reads of an app's view, by app.
    of_app: HashMap<String, Vec<u32>>,
    /// Reads of a member's view, by member.
    of_member: HashMap<String, Vec<u32>>,
    /// Rows that may speak of any grant: notes, reads of oneself and of the organization, and what was done to its policy.
    of_all: Vec<u32>,
}

impl Rows {
    /// Rows in order.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut made = Self::default();
        rows.into_iter().for_each(|row| made.push(row));
        made
    }

    /// Adds the next row.
    pub fn push(&mut self, row: Row) {
        let at = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let own = |of_grant: &mut Vec<Vec<u32>>, n: u32| {
            if let Some(rows) = (n as usize).checked_sub(1).and_then(|n| of_grant.get_mut(n)) {
                rows.push(at);
            }
        };
        match &row.body {
            Body::Grant(grant) => {
                self.grants.push(grant.clone());
                self.of_grant.push(vec![at]);
            }
            Body::Intent(intent) => own(&mut self.of_grant, intent.n),
            Body::Answer(answer) => own(&mut self.of_grant, answer.n),
            Body::Read(read) => match (read.view, &read.subject) {
                (View::App, Some(app)) => self.of_app.entry(app.clone()).or_default().push(at),
                (View::Member, Some(member)) => self.of_member.entry(member.clone()).or_default().push(at),
                _ => self.of_all.push(at),
            },
            Body::Note(_) | Body::PolicyIntent(_) | Body::PolicyAnswer(_) | Body::PolicyRead(_) => self.of_all.push(at),
            _ => {}
        }
        self.all.push(row);
    }

    /// Takes back all but the first `len` rows, which must not be fewer than the opening's: no grant is taken back.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.all.truncate(len);
        let keeps = |at: &u32| (*at as usize) < len;
        let of_views = self.of_app.values_mut().chain(self.of_member.values_mut());
        for rows in self.of_grant.iter_mut().chain(of_views).chain([&mut self.of_all]) {
            // They are in order.
            rows.truncate(rows.partition_point(keeps));
        }
    }

    /// Every row.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.all
    }

    /// The grants, by number from 1.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// One grant.
    #[must_use]
    pub fn grant(&self, n: u32) -> Option<&Grant> {
        self.grants.get((n as usize).checked_sub(1)?)
    }

    /// The rows that speak of one grant, in order: what is judged by them is what would be judged by all.
    #[must_use]
    pub fn of(&self, n: u32) -> Vec<&Row> {
        let Some(grant) = self.grant(n) else { return Vec::new() };
        let none = Vec::new();
        let mut at: Vec<u32> = [
            self.of_grant.get((n - 1) as usize).unwrap_or(&none),
            self.of_app.get(&grant.connected_app_id).unwrap_or(&none),
            self.of_member.get(&grant.member_id).unwrap_or(&none),
            &self.of_all,
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect();
        at.sort_unstable();
        at.into_iter().map(|at| &self.all[at as usize]).collect()
    }
}

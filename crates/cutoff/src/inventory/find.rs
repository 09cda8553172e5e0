//! Finding an app or a member by a few letters, for the palette. It does not filter lists: what it finds may be far from what was
//! typed, and comes last then.
//!
//! The text is cut into words at white space, and each must be found. How well one is found: at the beginning of a word of the
//! name or address; inside of one; in the id; or only as letters in this order within the name or within the address. Ids come
//! after names because all of them begin alike, and their letters in order would match nearly anything, so that is not tried.
//! A hit is as good as its worst word. Among equals the one with more grants comes first, then by name.

use std::cmp::Reverse;

use memchr::memmem::Finder;

use super::filter::{Index, folded};
use super::picture::{Picture, u32_of};

/// Something that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hit {
    /// An app, by index.
    App(u32),
    /// A member, by index.
    Member(u32),
}

/// How well a word was found, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Beginning,
    Inside,
    Id,
    Letters,
}

/// The best `count` apps and members for some letters. Nothing typed: the apps with the most grants.
#[must_use]
pub fn find(picture: &Picture, index: &Index, text: &str, count: usize) -> Vec<Hit> {
    let mut words: Vec<String> = text.split_whitespace().map(folded).collect();
    words.sort_unstable();
    words.dedup();
    let finders: Vec<(&str, Finder<'_>)> = words.iter().map(|word| (word.as_str(), Finder::new(word))).collect();
    let apps = picture.apps.len();
    let rows = if words.is_empty() { apps } else { apps + picture.members.len() };
    let mut found: Vec<(Fit, Reverse<u32>, u32, usize)> = (0..rows)
        .filter_map(|row| {
            let (names, id) = (index.names.row(row), index.ids.row(row));
            let mut worst = Fit::Beginning;
            for (word, finder) in &finders {
                worst = worst.max(fit(names, id, word, finder)?);
            }
            let grants = match row.checked_sub(apps) {
                Some(member) => picture.grants_of_member(u32_of(member)).len(),
                None => picture.grants_of_app(u32_of(row)).len(),
            };
            Some((worst, Reverse(u32_of(grants)), index.common_rank[row], row))
        })
        .collect();
    // Only the best are put in order: one letter is found in nearly all of them.
    if count < found.len() {
        found.select_nth_unstable(count);
        found.truncate(count);
    }
    found.sort_unstable();
    let hit = |(.., row): (Fit, Reverse<u32>, u32, usize)| match row.checked_sub(apps) {
        Some(member) => Hit::Member(u32_of(member)),
        None => Hit::App(u32_of(row)),
    };
    found.into_iter().map(hit).collect()
}

fn fit(names: &str, id: &str, word: &str, finder: &Finder<'_>) -> Option<Fit> {
    let mut inside = None;
    let mut from = 0;
    while let Some(at) = finder.find(&names.as_bytes()[from..]) {
        let at = from + at;
        if names[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric()) {
            return Some(Fit::Beginning);
        }
        inside = Some(Fit::Inside);
        // The next may overlap this one; a letter's other bytes are never the beginning of a match.
        from = at + 1;
    }
    inside
        .or_else(|| finder.find(id.as_bytes()).map(|_| Fit::Id))
        .or_else(|| names.lines().any(|name| in_order(name, word)).then_some(Fit::Letters))
}

/// Whether a text has these letters in this order.
fn in_order(text: &str, letters: &str) -> bool {
    let mut text = text.chars();
    letters.chars().all(|letter| text.any(|other| other == letter))
}

//! Things that were shown and may be named again: bounded, the oldest goes first. It is no cache: what is not here any more is
//! refused and looked at anew.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At most so many things by their names.
pub(crate) struct Shelf<T, const MOST: usize> {
    /// The newest last. Held for a look or a swap.
    kept: Mutex<VecDeque<(String, Arc<T>)>>,
}

impl<T, const MOST: usize> Default for Shelf<T, MOST> {
    fn default() -> Self {
        Self { kept: Mutex::default() }
    }
}

impl<T, const MOST: usize> Shelf<T, MOST> {
    /// Keeps something under a name, in place of what had it.
    pub(crate) fn keep(&self, name: String, thing: T) -> Arc<T> {
        let thing = Arc::new(thing);
        let mut kept = self.held();
        kept.retain(|(known, _)| *known != name);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back((name, thing.clone()));
        thing
    }

    /// What has that name, if it is still kept.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        self.held().iter().find(|(known, _)| known == name).map(|(_, thing)| thing.clone())
    }

    /// A poisoned lock holds what was there before.
    fn held(&self) -> MutexGuard<'_, VecDeque<(String, Arc<T>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first_and_a_name_has_one_thing() {
        let shelf = Shelf::<u8, 2>::default();
        for (name, thing) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            shelf.keep(name.to_owned(), thing);
        }
        assert_eq!(["a", "b", "c"].map(|name| shelf.get(name).map(|thing| *thing)), [Some(3), None, Some(4)]);
    }
}

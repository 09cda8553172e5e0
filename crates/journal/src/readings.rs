//! What one snapshot looked at, in few bytes: each app with when and how completely it was read, the apps whose absence proves
//! nothing, and which of the rows that were open then are not part of it. It is a way of writing lists of numbers down, and
//! does not know what the numbers stand for.

use crate::snapshots::AppReading;

/// What is stored beside the intervals for each snapshot. A hundred snapshots in which nothing changed cost a hundred of these,
/// so an app takes about three bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readings {
    /// The apps by their text's number, in the order of the list, each with milliseconds since 1970 and how it was read.
    pub(crate) apps: Vec<(u32, i64, AppReading)>,
    /// Apps that a complete list may lack although they have grants; ascending.
    pub(crate) not_proven: Vec<u32>,
    /// Which open grants of the partly read apps were seen.
    pub(crate) grants: Part,
    /// Which open people were seen, where the search was not read whole.
    pub(crate) people: Part,
}

/// A part of some rows, written as the shorter of what is in it and what is not. Row numbers ascend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    AllBut(Vec<i64>),
    Only(Vec<i64>),
}

impl Part {
    pub(crate) fn of(mut seen: Vec<i64>, mut unseen: Vec<i64>) -> Part {
        if unseen.len() <= seen.len() {
            unseen.sort_unstable();
            Part::AllBut(unseen)
        } else {
            seen.sort_unstable();
            Part::Only(seen)
        }
    }

    pub(crate) fn holds(&self, row: i64) -> bool {
        match self {
            Part::AllBut(rows) => rows.binary_search(&row).is_err(),
            Part::Only(rows) => rows.binary_search(&row).is_ok(),
        }
    }
}

impl Readings {
    /// Writes it down. `began` is the snapshot's own moment, from which the apps' moments are counted.
    pub(crate) fn pack(&self, began: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + 3 * self.apps.len());
        put(&mut bytes, self.apps.len() as u64);
        let (mut expected, mut last) = (0, began);
        for &(app, at, reading) in &self.apps {
            // Apps are numbered in the order of the first list, so the next number is nearly always the one before plus one.
            put(&mut bytes, (zigzag(i64::from(app) - expected) << 2) | code(reading));
            put(&mut bytes, zigzag(at.wrapping_sub(last)));
            (expected, last) = (i64::from(app) + 1, at);
        }
        put_ascending(&mut bytes, self.not_proven.iter().map(|app| i64::from(*app)));
        for part in [&self.grants, &self.people] {
            let (mark, rows) = match part {
                Part::AllBut(rows) => (0, rows),
                Part::Only(rows) => (1, rows),
            };
            put(&mut bytes, mark);
            put_ascending(&mut bytes, rows.iter().copied());
        }
        bytes
    }

    /// Reads what [`Readings::pack`] wrote; `None` for anything else.
    pub(crate) fn unpack(bytes: &[u8], began: i64) -> Option<Readings> {
        let mut rest = bytes;
        let rest = &mut rest;
        let mut apps = Vec::new();
        let (mut expected, mut last) = (0_i64, began);
        for _ in 0..take(rest)? {
            let word = take(rest)?;
            let app = u32::try_from(expected.checked_add(unzigzag(word >> 2))?).ok()?;
            let at = last.wrapping_add(unzigzag(take(rest)?));
            apps.push((app, at, reading(word & 3)?));
            (expected, last) = (i64::from(app) + 1, at);
        }
        let not_proven =
            take_ascending(rest)?.into_iter().map(|app| u32::try_from(app).ok()).collect::<Option<Vec<_>>>()?;
        let grants = take_part(rest)?;
        let people = take_part(rest)?;
        rest.is_empty().then_some(Readings { apps, not_proven, grants, people })
    }
}

fn code(reading: AppReading) -> u64 {
    match reading {
        AppReading::Complete => 0,
        AppReading::Partial => 1,
        AppReading::NotRead => 2,
    }
}

fn reading(code: u64) -> Option<AppReading> {
    [AppReading::Complete, AppReading::Partial, AppReading::NotRead]
        .into_iter()
        .find(|reading| self::code(*reading) == code)
}

fn take_part(rest: &mut &[u8]) -> Option<Part> {
    match take(rest)? {
        0 => Some(Part::AllBut(take_ascending(rest)?)),
        1 => Some(Part::Only(take_ascending(rest)?)),
        _ => None,
    }
}

fn put_ascending(bytes: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = i64>) {
    put(bytes, numbers.len() as u64);
    let mut last = 0_i64;
    for number in numbers {
        put(bytes, zigzag(number.wrapping_sub(last)));
        last = number;
    }
}

fn take_ascending(rest: &mut &[u8]) -> Option<Vec<i64>> {
    let mut numbers = Vec::new();
    let mut last = 0_i64;
    for _ in 0..take(rest)? {
        last = last.wrapping_add(unzigzag(take(rest)?));
        numbers.push(last);
    }
    Some(numbers)
}

/// Seven bits a byte, the lowest first, the high bit set on all but the last.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number as u8) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Small numbers of either sign become small numbers.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = Part> {
        (prop::collection::btree_set(0..=i64::MAX, 0..5), any::<bool>()).prop_map(|(rows, only)| {
            let rows = rows.into_iter().collect();
            if only { Part::Only(rows) } else { Part::AllBut(rows) }
        })
    }

    fn any_reading() -> impl Strategy<Value = AppReading> {
        prop_oneof![Just(AppReading::Complete), Just(AppReading::Partial), Just(AppReading::NotRead)]
    }

    proptest! {
        #[test]
        fn what_was_looked_at_is_read_back_as_it_was(
            apps in prop::collection::vec((any::<u32>(), any::<i64>(), any_reading()), 0..6),
            not_proven in prop::collection::btree_set(any::<u32>(), 0..4),
            grants in part(), people in part(), began in any::<i64>(),
        ) {
            let readings = Readings { apps, not_proven: not_proven.into_iter().collect(), grants, people };
            let packed = readings.pack(began);
            prop_assert_eq!(Readings::unpack(&packed, began), Some(readings));
            for cut in 0..packed.len() {
                prop_assert_eq!(Readings::unpack(&packed[..cut], began), None);
            }
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_and_never_crash(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Readings::unpack(&bytes, 0);
        }

        #[test]
        fn a_part_holds_what_was_seen_and_nothing_else(rows in prop::collection::hash_map(any::<i64>(), any::<bool>(), 0..20)) {
            let of = |wanted: bool| rows.iter().filter(|(_, seen)| **seen == wanted).map(|(row, _)| *row).collect();
            let part = Part::of(of(true), of(false));
            for (row, seen) in &rows {
                prop_assert_eq!(part.holds(*row), *seen);
            }
        }
    }

    #[test]
    fn a_thousand_apps_read_one_after_the_other_take_three_bytes_each() {
        let apps = (1..=1_000).map(|app| (app, i64::from(app) * 70, AppReading::Complete)).collect();
        let readings = Readings {
            apps,
            not_proven: Vec::new(),
            grants: Part::AllBut(Vec::new()),
            people: Part::AllBut(Vec::new()),
        };
        let packed = readings.pack(0).len();
        assert!(packed <= 3_010, "{packed} bytes");
    }
}

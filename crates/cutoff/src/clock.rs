//! What time it is, told three ways: wall clock, a clock that never jumps, and the boot it counts from. Decisions take
//! a [`Moment`] as an argument; only the edges ask the clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use journal::{Clock as Stamp, Utc};

/// One moment, as both clocks tell it.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Wall clock, UTC.
    pub utc: Timestamp,
    /// Milliseconds on a clock that does not jump, counted from the boot named by `boot_id`.
    pub mono_ms: u64,
    /// Which boot `mono_ms` counts from; on systems without a boot id, which process.
    pub boot_id: Arc<str>,
}

impl Moment {
    /// The form that stands in journal rows.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { utc: Utc::new(self.utc), mono_ms: self.mono_ms, boot_id: self.boot_id.clone() }
    }
}

/// RFC 3339 in UTC with milliseconds, the one form that journal, page and files use.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Milliseconds from `earlier` to `later`: by the steady clock within one boot, by the wall clock across boots.
/// Negative when `later` is in fact the earlier one.
#[must_use]
pub fn millis_between(earlier: &Stamp, later: &Stamp) -> i64 {
    if earlier.boot_id == later.boot_id {
        return i64::try_from(later.mono_ms).unwrap_or(i64::MAX) - i64::try_from(earlier.mono_ms).unwrap_or(i64::MAX);
    }
    later.utc.timestamp().as_millisecond() - earlier.utc.timestamp().as_millisecond()
}

/// `at` in milliseconds since the epoch, by the wall clock of `from` and counted steadily since: what waits until a time would wait for
/// hours more where somebody sets the clock back meanwhile.
#[must_use]
pub fn steady_ms(from: &Stamp, at: &Stamp) -> i64 {
    from.utc.timestamp().as_millisecond().saturating_add(millis_between(from, at))
}

/// The moment `span` after `stamp`, by the wall clock.
#[must_use]
pub fn later(stamp: &Stamp, span: Duration) -> Utc {
    let at = stamp.utc.timestamp();
    Utc::new(at.checked_add(span).unwrap_or(at))
}

/// Asks the machine.
#[derive(Clone, Debug)]
pub struct Clock {
    boot_id: Arc<str>,
    #[cfg(not(target_os = "linux"))]
    started: std::time::Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            boot_id: boot_id().into(),
            #[cfg(not(target_os = "linux"))]
            started: std::time::Instant::now(),
        }
    }
}

impl Clock {
    /// This moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment { utc: Timestamp::now(), mono_ms: self.mono_ms(), boot_id: self.boot_id.clone() }
    }

    /// Counts through sleep, so that a lid closed between a revoke and its re-read does not shorten the wait.
    #[cfg(target_os = "linux")]
    fn mono_ms(&self) -> u64 {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let millis = i128::from(now.tv_sec) * 1000 + i128::from(now.tv_nsec) / 1_000_000;
        u64::try_from(millis).unwrap_or(0)
    }

    #[cfg(not(target_os = "linux"))]
    fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(target_os = "linux")]
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_else(|_| uuid::Uuid::new_v4().to_string())
}

/// Elsewhere the steady clock counts from the start of the process, so the process stands for the boot.
#[cfg(not(target_os = "linux"))]
fn boot_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_wall_clock_does_not_reorder_one_boot() {
        let first =
            Stamp { utc: "2026-11-23T10:00:00.000Z".parse().expect("a time"), mono_ms: 5_000, boot_id: "a".into() };
        let second =
            Stamp { utc: "2026-11-23T09:00:00.000Z".parse().expect("a time"), mono_ms: 6_500, boot_id: "a".into() };
        assert_eq!(millis_between(&first, &second), 1_500);
        assert_eq!(steady_ms(&first, &second), first.utc.timestamp().as_millisecond() + 1_500);
        let other_boot = Stamp { boot_id: "b".into(), ..second };
        assert_eq!(millis_between(&first, &other_boot), -3_600_000);
    }

    #[test]
    fn times_have_milliseconds_and_a_z() {
        let at: Timestamp = "2026-11-23T10:42:09.1Z".parse().expect("a time");
        assert_eq!(rfc3339(at), "2026-11-23T10:42:09.100Z");
        let stamp = Stamp { utc: Utc::new(at), mono_ms: 0, boot_id: "a".into() };
        assert_eq!(later(&stamp, Duration::from_secs(3600)).to_string(), "2026-11-23T11:42:09.100Z");
    }
}

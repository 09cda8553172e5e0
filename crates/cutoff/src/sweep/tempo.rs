//! How fast a sweep may go: at full concurrency until the server first says "too many", from then on as fast as its windows
//! allow. Pure: what happened and the time in, whether the next call may leave out.
//!
//! Stytch's windows are fixed and begin anew at the top of each, and nothing tells how many calls one admits. So the first 429 is
//! run into; after it nothing leaves until the server's `Retry-After` or the next window. In each window after that as many calls
//! leave at full concurrency as the last one admitted, less a margin; the rest leave one at a time, until the next 429 ends the
//! window. So each window is used to its last call, and no more than one call of it is refused. Windows that end without a 429
//! lift the limit again.

use std::time::Duration;

/// Windows without a 429 after which it is gone.
const HEALED_AFTER: u32 = 3;

/// How fast a sweep may go.
#[derive(Clone, Debug)]
pub struct Tempo {
    /// Calls at once at the most.
    ceiling: usize,
    /// Length of the server's windows, milliseconds.
    window_ms: i64,
    /// Which window it is, counted from the epoch.
    window: i64,
    /// Calls of this window that were not refused.
    admitted: u32,
    /// Whether this window has refused one.
    refused: bool,
    /// What the last full window admitted. `None`: no limit is known.
    quota: Option<u32>,
    /// Windows since the last 429.
    clean: u32,
    /// Nothing leaves before this, milliseconds since the epoch.
    shut_until_ms: i64,
}

/// Whether a call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// So many may be under way at once.
    Go(usize),
    /// Not before this, milliseconds since the epoch.
    NotBefore(i64),
}

impl Tempo {
    /// No limit is known yet.
    #[must_use]
    pub fn new(ceiling: usize, window: Duration) -> Self {
        Self {
            ceiling: ceiling.max(1),
            window_ms: i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1),
            window: i64::MIN,
            admitted: 0,
            refused: false,
            quota: None,
            clean: 0,
            shut_until_ms: i64::MIN,
        }
    }

    /// Whether another call may leave.
    pub fn may(&mut self, now_ms: i64) -> May {
        self.roll(now_ms);
        if self.shut_until_ms > now_ms {
            return May::NotBefore(self.shut_until_ms);
        }
        let Some(quota) = self.quota else { return May::Go(self.ceiling) };
        // The margin keeps room for what is under way when the last call is admitted, and for calls of others.
        let margin = (quota / 10).max(u32::try_from(self.ceiling).unwrap_or(u32::MAX));
        if self.admitted < quota.saturating_sub(margin) { May::Go(self.ceiling) } else { May::Go(1) }
    }

    /// A call that left at `sent_ms` was answered, and not with a 429.
    pub fn admitted(&mut self, sent_ms: i64, now_ms: i64) {
        self.roll(now_ms);
        if sent_ms.div_euclid(self.window_ms) == self.window {
            self.admitted += 1;
        }
    }

    /// A call was answered with a 429. `jitter` is added where the server does not say when to come back.
    pub fn refused(&mut self, now_ms: i64, retry_after: Option<Duration>, jitter: Duration) {
        self.roll(now_ms);
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let until = match retry_after {
            Some(after) => now_ms.saturating_add(millis(after)),
            None => self.window.saturating_add(1).saturating_mul(self.window_ms).saturating_add(millis(jitter)),
        };
        self.shut_until_ms = self.shut_until_ms.max(until);
        self.refused = true;
        self.clean = 0;
        // What is under way may still be admitted: when the window is over, its whole count takes the place of this.
        self.quota = Some(self.quota.map_or(self.admitted, |quota| quota.min(self.admitted.max(1))).max(1));
    }

    /// Until when nothing may leave, if that is later than now.
    #[must_use]
    pub fn shut_until(&self, now_ms: i64) -> Option<i64> {
        Some(self.shut_until_ms).filter(|until| *until > now_ms)
    }

    /// How many calls a window admits, as far as is known.
    #[must_use]
    pub fn quota(&self) -> Option<u32> {
        self.quota
    }

    fn roll(&mut self, now_ms: i64) {
        let window = now_ms.div_euclid(self.window_ms);
        if window == self.window {
            return;
        }
        let first = self.window == i64::MIN;
        if let Some(quota) = self.quota
            && !first
        {
            if self.refused {
                self.quota = Some(self.admitted.max(1));
            } else {
                self.clean += 1;
                self.quota = (self.clean < HEALED_AFTER).then_some(quota.max(self.admitted));
            }
        }
        self.window = window;
        self.admitted = 0;
        self.refused = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A server with windows of a minute that admits so many calls in each.
    struct Server {
        quota: u32,
        window: i64,
        seen: u32,
        refused: Vec<i64>,
    }

    impl Server {
        fn call(&mut self, now_ms: i64) -> bool {
            let window = now_ms.div_euclid(60_000);
            if window != self.window {
                (self.window, self.seen) = (window, 0);
            }
            self.seen += 1;
            let admits = self.seen <= self.quota;
            if !admits {
                self.refused.push(now_ms);
            }
            admits
        }
    }

    /// Sends `work` calls of `latency_ms` each; answers when the last one was admitted, and the server.
    fn play(quota: u32, work: u32, ceiling: usize, latency_ms: i64, start_ms: i64, retry_after: bool) -> (i64, Server) {
        let mut server = Server { quota, window: i64::MIN, seen: 0, refused: Vec::new() };
        let mut tempo = Tempo::new(ceiling, MINUTE);
        let (mut now, mut left) = (start_ms, work);
        let mut under_way: Vec<(i64, i64, bool)> = Vec::new();
        let mut last = start_ms;
        while left > 0 || !under_way.is_empty() {
            let may = tempo.may(now);
            if let May::Go(at_once) = may
                && under_way.len() < at_once
                && u32::try_from(under_way.len()).expect("few") < left
            {
                under_way.push((now + latency_ms, now, server.call(now)));
                continue;
            }
            let next = under_way.iter().map(|(at, ..)| *at).min();
            let shut = match may {
                May::NotBefore(at) if under_way.is_empty() => Some(at),
                _ => None,
            };
            now = next.or(shut).unwrap_or(now).max(now);
            let mut answered: Vec<(i64, i64, bool)> = Vec::new();
            under_way.retain(|call| {
                if call.0 <= now {
                    answered.push(*call);
                }
                call.0 > now
            });
            for (_, sent, admitted) in answered {
                if admitted {
                    tempo.admitted(sent, now);
                    left -= 1;
                    last = now;
                } else {
                    let window_ends = (now.div_euclid(60_000) + 1) * 60_000;
                    let after = Duration::from_millis(u64::try_from(window_ends - now).expect("later"));
                    tempo.refused(now, retry_after.then_some(after), Duration::from_millis(800));
                }
            }
        }
        (last, server)
    }

    #[test]
    fn a_limited_sweep_takes_hardly_longer_than_the_limit_makes_it() {
        for retry_after in [true, false] {
            for (quota, work) in [(30, 137), (100, 158), (100, 1_000), (7, 50)] {
                for into in [0, 20_000, 55_000] {
                    let start = 1_000 * 60_000 + into;
                    let (end, _) = play(quota, work, 4, 50, start, retry_after);
                    // The fewest windows that admit the work, each entered as early as can be.
                    let windows = i64::from(work.div_ceil(quota)) - 1;
                    let least = if windows == 0 { 0 } else { (windows * 60_000) - into };
                    let last_window = i64::from(work - u32::try_from(windows).expect("few") * quota) * 50 / 4;
                    let limit = (least + last_window.max(1)) * 11 / 10 + 2_000;
                    assert!(
                        end - start <= limit,
                        "{work} calls at {quota} a minute from {into} ms into one took {} ms, and {limit} were enough",
                        end - start
                    );
                }
            }
        }
    }

    #[test]
    fn after_the_first_429_no_window_refuses_more_than_one_call() {
        for retry_after in [true, false] {
            for quota in [5, 30, 100] {
                let (_, server) = play(quota, quota * 6, 4, 40, 61_000, retry_after);
                let first = server.refused[0];
                let mut later: Vec<i64> =
                    server.refused.iter().filter(|at| **at > first + 40).map(|at| at.div_euclid(60_000)).collect();
                let all = later.len();
                later.dedup();
                assert_eq!(later.len(), all, "a window at {quota} a minute refused twice: {:?}", server.refused);
            }
        }
    }

    #[test]
    fn a_limit_that_is_gone_is_forgotten() {
        let mut tempo = Tempo::new(4, MINUTE);
        tempo.may(0);
        tempo.admitted(0, 10);
        tempo.refused(20, None, Duration::ZERO);
        assert_eq!(tempo.may(30), May::NotBefore(60_000));
        for window in 1..=3_i64 {
            assert_ne!(tempo.may(window * 60_000), May::Go(4), "window {window} is not yet proof enough");
            tempo.admitted(window * 60_000, window * 60_000 + 5);
        }
        assert_eq!(tempo.may(4 * 60_000), May::Go(4));
    }

    proptest! {
        #[test]
        fn whatever_the_limit_everything_is_admitted_and_no_later_window_refuses_twice(
            quota in 1_u32..200, work in 1_u32..600, ceiling in 1_usize..9, latency_ms in 1_i64..500,
            into in 0_i64..60_000, retry_after: bool,
        ) {
            let start = 1_000 * 60_000 + into;
            let (end, server) = play(quota, work, ceiling, latency_ms, start, retry_after);
            prop_assert!(end > start);
            // What was under way at the first refusal may be refused with it.
            let first = server.refused.first().copied().unwrap_or(end);
            let mut later: Vec<i64> =
                server.refused.iter().filter(|at| **at > first + latency_ms).map(|at| at.div_euclid(60_000)).collect();
            let all = later.len();
            later.dedup();
            prop_assert_eq!(later.len(), all, "a window refused twice: {:?}", server.refused);
        }

        #[test]
        fn nothing_leaves_before_the_time_that_the_server_named(
            seconds in 0_u64..600, at in 0_i64..600_000, later in 0_i64..600_000,
        ) {
            let mut tempo = Tempo::new(4, MINUTE);
            tempo.may(at);
            tempo.refused(at, Some(Duration::from_secs(seconds)), Duration::ZERO);
            let until = at + i64::try_from(seconds).expect("few") * 1_000;
            match tempo.may(at + later) {
                May::NotBefore(when) => prop_assert!(when == until && at + later < until),
                May::Go(_) => prop_assert!(at + later >= until),
            }
        }
    }
}

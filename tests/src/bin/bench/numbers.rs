//! What is made of many measured times: percentiles, ratios, and the JSON they are told in. Measures nothing.

use std::time::Duration;

use serde_json::{Value, json};

/// The time below which `share` of the samples lie (nearest rank; `share` above 0 and up to 1).
///
/// # Panics
/// Without samples.
pub fn percentile(samples: &[Duration], share: f64) -> Duration {
    assert!(!samples.is_empty(), "nothing was measured");
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The middle one.
pub fn median(samples: &[Duration]) -> Duration {
    percentile(samples, 0.5)
}

/// How many times as long as the reference, to three places.
pub fn ratio(time: Duration, reference: Duration) -> f64 {
    (time.as_secs_f64() / reference.as_secs_f64() * 1e3).round() / 1e3
}

/// Microseconds, whole.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds to one place.
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

/// p50 and p95 in microseconds.
pub fn short(samples: &[Duration]) -> Value {
    json!({ "p50_us": micros(median(samples)), "p95_us": micros(percentile(samples, 0.95)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(times: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        times.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = ms((1..=100).rev());
        assert_eq!(median(&times), Duration::from_millis(50));
        assert_eq!(percentile(&times, 0.95), Duration::from_millis(95));
        assert_eq!(percentile(&times, 1.0), Duration::from_millis(100));
        assert_eq!(median(&ms([7])), Duration::from_millis(7));
        assert_eq!(median(&ms([9, 1, 5])), Duration::from_millis(5));
    }

    #[test]
    fn a_ratio_says_how_many_times_as_long() {
        assert_eq!(ratio(Duration::from_millis(10), Duration::from_millis(4)), 2.5);
        assert_eq!(ratio(Duration::from_millis(1), Duration::from_millis(3)), 0.333);
        assert_eq!((micros(Duration::from_millis(2)), millis(Duration::from_micros(1_260))), (2_000, 1.3));
    }
}

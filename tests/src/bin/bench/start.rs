//! Start to interactive: the app's sign-in beside an empty window's one field, from the process's start until somebody could type.

use std::path::PathBuf;
use std::time::Duration;

use promises::stage::{Started, Startup};
use serde_json::{Value, json};

use crate::Done;
use crate::numbers::{median, millis, percentile, ratio};

/// What both pages have, and what makes a person able to begin.
pub const FIELD: &str = "input[type=email]";

/// Starts each so many times, by turns.
pub fn measure(rounds: usize) -> Done<Value> {
    let (cutoff, empty) = (program("cutoff-desktop")?, program("empty-window")?);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stage = Startup::set().await?;
        // Somebody who has been here before: one saved connection, an open keyring, nobody signed in. Nothing is sent.
        let arguments = [
            "--state-dir",
            &stage.home().at("data/state").display().to_string(),
            "--base-url",
            "http://127.0.0.1:9",
            "--public-token",
            "public-token-test-1d1b0b4c-2b7c-4b55-9e0d-0a5f2c6f7a11",
        ]
        .map(str::to_owned);
        let (mut app, mut reference) = (Vec::new(), Vec::new());
        // The first round brings both into the machine's caches and is not counted.
        for round in 0..=rounds {
            let ours = stage.time(&cutoff, &arguments, FIELD).await?;
            let theirs = stage.time(&empty, &[], FIELD).await?;
            let counted = if round == 0 { " (not counted)" } else { "" };
            eprintln!(
                "· start {round}/{rounds}{counted}: {} ms, empty window {} ms",
                millis(ours.took),
                millis(theirs.took)
            );
            if round > 0 {
                app.push(ours);
                reference.push(theirs);
            }
        }
        Ok(json!({
            "samples": rounds,
            "until": "the e-mail field of the sign-in, or the empty window's field, is shown and enabled",
            "cutoff": told(&app),
            "empty_window": told(&reference),
            "ratio": ratio(median(&times(&app)), median(&times(&reference))),
        }))
    })
}

/// What so many starts came to.
pub fn told(of: &[Started]) -> Value {
    let times = times(of);
    json!({
        "median_ms": millis(median(&times)),
        "fastest_ms": millis(percentile(&times, f64::MIN_POSITIVE)),
        "slowest_ms": millis(percentile(&times, 1.0)),
        // It was there when first looked for, so that the time may be some milliseconds too long.
        "seen_late": of.iter().filter(|one| one.late).count(),
    })
}

/// The times alone.
pub fn times(of: &[Started]) -> Vec<Duration> {
    of.iter().map(|one| one.took).collect()
}

/// A program that was built together with this one.
pub fn program(name: &str) -> Done<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is not there: run `cargo xtask bench`", path.display()).into())
    }
}

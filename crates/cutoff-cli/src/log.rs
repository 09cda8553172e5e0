//! `cutoff log`: the sweeps in the journal, and what became of each grant of one. It asks nobody.

use journal::{SweepId, Verdict};
use serde::Serialize;

use crate::apply::lines;
use crate::ending::{DONE, Ending};
use crate::flags::Log;
use crate::seat::Seat;
use crate::text::{Set, Table};
use crate::told::{Printer, local};
use crate::{Done, say};

/// One sweep on a line.
#[derive(Serialize)]
struct Line {
    sweep_id: String,
    began_at: String,
    organization_id: String,
    grants: usize,
    outcomes: std::collections::BTreeMap<&'static str, u32>,
    closed: bool,
    head: String,
}

/// Lists sweeps, or the grants of one.
///
/// # Errors
/// When the journal cannot be read, or has no such sweep.
pub async fn run(seat: &Seat, flags: &Log) -> Done {
    if flags.verify {
        return verify(seat).await;
    }
    let mut printer = Printer::new(seat.json);
    if let Some(text) = &flags.sweep {
        let id: SweepId = text.parse().map_err(|_| Ending::usage("That is not a sweep's id. See: cutoff log"))?;
        let report = seat.desk.sweep_report(id).await.map_err(|error| match error {
            cutoff::Error::Journal(journal::Error::NoSuchSweep(_)) => {
                Ending::usage("The journal has no such sweep. See: cutoff log")
            }
            other => other.into(),
        })?;
        if seat.json {
            lines(&mut printer, &report)?;
        } else {
            let mut table = Table::new(&[
                ("OUTCOME", Set::Left),
                ("MEMBER", Set::Left),
                ("APP", Set::Left),
                ("REQUEST", Set::Left),
                ("READ AGAIN", Set::Left),
            ]);
            for line in &report.lines {
                table.row([
                    line.outcome.name(),
                    &line.member_id,
                    &line.connected_app_id,
                    line.request_id.as_deref().unwrap_or_default(),
                    line.read_again_at.as_deref().unwrap_or_default(),
                ]);
            }
            printer.table(&table)?;
            printer.text(&format!("Head {}", report.head))?;
        }
        printer.done()?;
        return Ok(DONE);
    }
    if let Some(noted) = seat.desk.rolled_back().await? {
        say(&format!(
            "This journal is an older copy of itself: the keyring remembers {} rows and head {} of {}, which are not in it. What it \
             calls unfinished is not resumed.",
            noted.rows, noted.head, noted.at
        ));
    }
    let sweeps = seat.desk.sweeps().await?;
    if sweeps.is_empty() {
        say("Nothing was revoked from here yet.");
    }
    let mut table = Table::new(&[
        ("BEGAN", Set::Left),
        ("GRANTS", Set::Right),
        ("OUTCOMES", Set::Left),
        ("STATE", Set::Left),
        ("SWEEP", Set::Left),
    ]);
    for sweep in sweeps {
        let report = seat.desk.sweep_report(sweep.id).await?;
        let outcomes = report.outcomes.iter().map(|(outcome, n)| (outcome.name(), *n)).collect();
        if seat.json {
            printer.line(&Line {
                sweep_id: sweep.id.to_string(),
                began_at: sweep.opened.utc.to_string(),
                organization_id: sweep.opening.connection.organization_id.clone(),
                grants: report.lines.len(),
                outcomes,
                closed: report.closed,
                head: report.head,
            })?;
            continue;
        }
        let told: Vec<String> = outcomes.iter().map(|(name, n)| format!("{n} {name}")).collect();
        table.row([
            local(sweep.opened.utc.timestamp()),
            report.lines.len().to_string(),
            // Nothing was planned and nothing sent.
            if report.lines.is_empty() { "a finding".to_owned() } else { told.join(", ") },
            if report.closed { "closed" } else { "unfinished" }.to_owned(),
            sweep.id.to_string(),
        ]);
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    Ok(DONE)
}

/// Walks every chain.
async fn verify(seat: &Seat) -> Done {
    let mut printer = Printer::new(seat.json);
    let mut table =
        Table::new(&[("CHAIN", Set::Left), ("ROWS", Set::Right), ("SWEEP", Set::Left), ("HEAD", Set::Left)]);
    let mut broken = 0;
    for sweep in seat.desk.sweeps().await? {
        let (state, rows) = match seat.desk.verify_sweep(sweep.id).await? {
            Verdict::Sound(walked) => ("sound".to_owned(), walked.rows),
            Verdict::Broken(found) => {
                broken += 1;
                (format!("broken at row {}: {}", found.seq, found.why), found.seq)
            }
        };
        if seat.json {
            let id = sweep.id.to_string();
            printer.line(&serde_json::json!({ "sweep_id": id, "chain": state, "rows": rows, "head": sweep.head }))?;
        } else {
            table.row([state, rows.to_string(), sweep.id.to_string(), sweep.head.to_string()]);
        }
    }
    if !seat.json {
        printer.table(&table)?;
    }
    printer.done()?;
    if broken > 0 {
        return Err(Ending::usage(format!(
            "{} of the journal is not what it was. Do not rely on it; packs that were exported before can still be checked.",
            crate::told::count(broken, "sweep", "sweeps")
        )));
    }
    Ok(DONE)
}

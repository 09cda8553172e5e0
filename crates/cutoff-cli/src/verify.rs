//! `cutoff verify` and `cutoff redact`: a pack checked, or one person's texts taken out of it, from its bytes alone. No network,
//! no keyring, no journal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use cutoff::evidence::{self, Broken, LARGEST, PEOPLE, Since, Sought, Verified};
use journal::Hash;
use serde::Serialize;

use crate::ending::{DONE, Ending, PARTIAL, USAGE};
use crate::export::Place;
use crate::flags::{Redact, Verify};
use crate::next::command;
use crate::told::{Printer, count};
use crate::{Done, say};

/// The verdict on a line.
#[derive(Serialize)]
struct Line<'a> {
    /// `unchanged` since the head that was given, `consistent` where none was, or `broken`.
    verdict: &'static str,
    /// `pack` or `rows`: whose head the one that was given is.
    head_of: Option<&'static str>,
    /// How many rows the head vouches for.
    rows_vouched: Option<u64>,
    why: Option<String>,
    head: Option<String>,
    chain_head: Option<String>,
    sweep_id: Option<String>,
    rows: Option<u64>,
    grants: Option<u64>,
    /// How many of them a request left for.
    sent: Option<u64>,
    /// For how many others one may have left, or not: nothing is recorded but that it was about to.
    maybe_sent: Option<u64>,
    /// Without those that nothing was sent for.
    outcomes: Option<BTreeMap<&'static str, u64>>,
    not_attempted: Option<u64>,
    /// Of a finding alone.
    finding: Option<FindingLine>,
    closed: Option<bool>,
    counts_compared: Option<bool>,
    erased: Option<u64>,
    absent: Option<&'a [&'static str]>,
}

/// What a finding says.
#[derive(Serialize)]
struct FindingLine {
    indicators: u64,
    found: u64,
    /// Whether everything was read that was looked in.
    complete: bool,
    /// Whether nothing was found because nothing is there.
    nil: bool,
}

/// Checks a pack.
///
/// # Errors
/// When it cannot be read, is broken, or is not what the head was noted of.
pub fn run(flags: &Verify, json: bool) -> Done {
    let head = flags.head.as_deref().map(head).transpose()?;
    let verdict = match read(&flags.pack)? {
        Some(bytes) => evidence::verify(&bytes, head),
        None => Err(Broken::TooLarge),
    };
    let mut printer = Printer::new(json);
    match verdict {
        Ok(verified) => {
            if json {
                printer.line(&line(&verified))?;
            } else {
                tell(&mut printer, &verified, head, &flags.pack.display().to_string())?;
            }
            printer.done()?;
            if !verified.closed {
                say("Unfinished: the sweep has no closing row. It was stopped, or is still being carried out.");
            }
            Ok(if verified.closed { DONE } else { PARTIAL })
        }
        Err(broken) => {
            if json {
                printer.line(&broken_line(&broken))?;
            }
            printer.done()?;
            Err(refused(&broken))
        }
    }
}

/// A head as somebody noted it: in capitals, in groups, with the end of its line.
fn head(noted: &str) -> Result<Hash, Ending> {
    let digits: String = noted.chars().filter(|c| !c.is_whitespace()).collect();
    digits
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| Ending::usage("A head is 64 hexadecimal digits, as export and log print it. Nothing was checked."))
}

/// Takes a member's texts out of a pack.
///
/// # Errors
/// When it is broken, or cannot be read or written.
pub fn redact(flags: &Redact, json: bool) -> Done {
    let place = Place::take(&flags.out)?;
    let bytes = read(&flags.pack)?.ok_or_else(|| refused(&Broken::TooLarge))?;
    let redacted = evidence::redact(&bytes, &flags.member, flags.reason).map_err(|broken| refused(&broken))?;
    if redacted.texts == 0 {
        return Err(Ending::usage(
            "The pack holds no text of that member's: they were taken out before, or the id is another's. Nothing was written. See \
             people.json in the pack.",
        ));
    }
    let verified = evidence::verify(&redacted.bytes, None).map_err(|broken| refused(&broken))?;
    place.put(&redacted.bytes, None)?;
    let mut printer = Printer::new(json);
    if json {
        printer.line(&line(&verified))?;
    } else {
        printer.text(&format!(
            "{} taken out. Head {}, as before.",
            count(redacted.texts, "text was", "texts were"),
            verified.head
        ))?;
    }
    printer.done()?;
    if !redacted.dropped.is_empty() {
        say(&format!("Taken out as well, since they may hold the same texts: {}.", redacted.dropped.join(", ")));
    }
    say("Rows and letter keep the member's id. Copies of the pack that were handed on are as they were.");
    if redacted.named_in_reason {
        let (pack, out) = (flags.pack.display().to_string(), flags.out.display().to_string());
        let next = command(&["redact", &pack, "--member", &flags.member, "--reason", "--out", &out]);
        say(&format!(
            "The reason, which somebody else gave, seems to name the member and is still in it. Without it: {next}"
        ));
    }
    Ok(DONE)
}

fn line(verified: &Verified) -> Line<'_> {
    let (verdict, head_of, rows_vouched) = match verified.since {
        Since::Nothing => ("consistent", None, None),
        Since::Pack => ("unchanged", Some("pack"), Some(verified.rows)),
        Since::Rows(rows) => ("unchanged", Some("rows"), Some(rows)),
    };
    Line {
        verdict,
        head_of,
        rows_vouched,
        why: None,
        head: Some(verified.head.to_string()),
        chain_head: Some(verified.chain_head.to_string()),
        sweep_id: Some(verified.sweep_id.to_string()),
        rows: Some(verified.rows),
        grants: Some(verified.grants),
        sent: Some(verified.sent),
        maybe_sent: Some(verified.maybe_sent),
        outcomes: Some(verified.outcomes.iter().map(|(outcome, n)| (outcome.name(), *n)).collect()),
        not_attempted: Some(verified.not_attempted),
        finding: verified.finding.map(|found| FindingLine {
            indicators: found.indicators,
            found: found.found,
            complete: found.complete,
            nil: found.is_nil(),
        }),
        closed: Some(verified.closed),
        counts_compared: Some(verified.counts_compared),
        erased: Some(verified.erased),
        absent: Some(&verified.absent),
    }
}

fn broken_line(broken: &Broken) -> Line<'static> {
    let heads = match broken {
        Broken::OtherHead { head, chain_head } => Some((head.to_string(), chain_head.to_string())),
        _ => None,
    };
    let (head, chain_head) = heads.unzip();
    Line {
        verdict: "broken",
        head_of: None,
        rows_vouched: None,
        why: Some(broken.to_string()),
        head,
        chain_head,
        sweep_id: None,
        rows: None,
        grants: None,
        sent: None,
        maybe_sent: None,
        outcomes: None,
        not_attempted: None,
        finding: None,
        closed: None,
        counts_compared: None,
        erased: None,
        absent: None,
    }
}

fn tell(printer: &mut Printer, verified: &Verified, head: Option<Hash>, pack: &str) -> Result<(), Ending> {
    let given = head.map(|head| head.to_string()).unwrap_or_default();
    match verified.since {
        Since::Nothing => {
            printer.text("Consistent; this proves neither author, nor truth, nor completeness.")?;
            let next = command(&["verify", pack, "--head", "HEAD"]);
            printer.text(&format!("With the head that was noted when the pack was made: {next}"))?;
        }
        Since::Pack => printer.text(&format!("Unchanged since head {given}."))?,
        Since::Rows(rows) => {
            let later = match verified.rows - rows {
                0 => "all rows".to_owned(),
                later => format!(
                    "its first {}; {} appended after it",
                    count(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows"),
                    count(usize::try_from(later).unwrap_or(usize::MAX), "was", "were")
                ),
            };
            printer.text(&format!("Unchanged since head {given}: {later}."))?;
            printer.text(
                "It is a head of the rows: table, letter and report are derived from them and not covered by it.",
            )?;
        }
    }
    let spared = Some(verified.not_attempted).filter(|n| *n > 0).map(|n| format!("{n} not attempted"));
    let counted = verified.outcomes.iter().map(|(outcome, n)| format!("{n} {}", outcome.name()));
    let outcomes: Vec<String> = counted.chain(spared).collect();
    let (id, rows) = (verified.sweep_id, verified.rows);
    printer.text(&match (verified.grants, &verified.finding) {
        (0, Some(found)) => {
            format!("Finding {id}: {rows} rows. {} Nothing was sent for it.", said(found))
        }
        (0, None) => format!("Sweep {id}: {rows} rows, no grants: it only changed the policy, or was to."),
        (grants, _) => format!("Sweep {id}: {rows} rows, {grants} grants: {}.", outcomes.join(", ")),
    })?;
    if verified.maybe_sent > 0 {
        printer.text(&format!(
            "A request was sent for {}, and may have been sent for {} more, or not: nothing is recorded of it but that it was about to be.",
            of_grants(verified.sent),
            verified.maybe_sent
        ))?;
    }
    printer.text(&format!("Head of the pack {}", verified.head))?;
    printer.text(&format!("Head of the rows {}", verified.chain_head))?;
    if !verified.absent.is_empty() {
        printer.text(&format!("Not in the pack, as may be: {}.", verified.absent.join(", ")))?;
    }
    if verified.erased > 0 && !verified.absent.contains(&PEOPLE) {
        printer.text(&format!(
            "{} erased.",
            count(usize::try_from(verified.erased).unwrap_or(usize::MAX), "text was", "texts were")
        ))?;
    }
    if verified.closed && !verified.counts_compared {
        printer.text("The closing row counts by rules of another version; its counts were not compared.")?;
    }
    Ok(())
}

fn of_grants(n: u64) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), "grant", "grants")
}

/// What a finding came to: one that is nil is told from one of which not everything could be read.
fn said(found: &Sought) -> String {
    let of = count(usize::try_from(found.indicators).unwrap_or(usize::MAX), "indicator", "indicators");
    match (found.found, found.complete) {
        (0, true) => format!("Nil finding: none of {of} was found, and everything was read."),
        (0, false) => {
            format!("None of {of} was found: no nil finding, since not everything was read.")
        }
        (n, true) => format!("{n} of {of} found, and everything was read."),
        (n, false) => {
            format!("{n} of {of} found; not everything was read, so what was not found may be there all the same.")
        }
    }
}

fn refused(broken: &Broken) -> Ending {
    let next = match broken {
        Broken::OtherHead { head, chain_head } => {
            format!(
                "The pack has head {head}, its rows have {chain_head}. It is another pack, or one that was made anew after a change."
            )
        }
        Broken::Newer => "Check it with that version.".to_owned(),
        Broken::TooLarge => "Nothing of it was looked at.".to_owned(),
        _ => "Do not rely on it: ask for another copy, and compare its head with the one that was noted.".to_owned(),
    };
    Ending::new(USAGE, format!("Broken: {broken}. {next}"))
}

/// The bytes of a file; `None`: more than a pack can have.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Ending> {
    let refused =
        |error: std::io::Error| Ending::usage(format!("The pack cannot be read: {error}. Nothing was checked."));
    let mut bytes = Vec::new();
    File::open(path).map_err(refused)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(refused)?;
    Ok((bytes.len() as u64 <= LARGEST).then_some(bytes))
}

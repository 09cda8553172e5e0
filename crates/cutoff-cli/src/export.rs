//! `cutoff export` and `cutoff erase`: the evidence of a sweep as one file, and a person taken out of the journal. They ask nobody.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use cutoff::evidence::{MANIFEST, Pack};
use journal::SweepId;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::ending::{BROKEN, DONE, Ending};
use crate::flags::{Erase, Export};
use crate::next::{command, this_run_with};
use crate::seat::Seat;
use crate::told::{Printer, count};
use crate::{Done, say};

/// A pack on a line.
#[derive(Serialize)]
struct Line<'a> {
    sweep_id: String,
    out: String,
    head: String,
    chain_head: String,
    rows: u64,
    timestamp_request: Option<&'a Path>,
}

/// Writes the evidence of a sweep.
///
/// # Errors
/// When there is no such sweep, or the file cannot be written.
pub async fn run(seat: &Seat, flags: &Export) -> Done {
    let id = crate::log::sweep_id(&flags.sweep)?;
    if flags.timestamp_request.as_deref() == Some(flags.out.as_path()) {
        return Err(Ending::usage("The pack and the timestamp request cannot be the same file. Nothing was exported."));
    }
    let place = Place::take(&flags.out)?;
    let pack = pack_of(seat, id).await?;
    // First, since it is the one that may be refused for being there.
    if let Some(path) = &flags.timestamp_request {
        std::fs::File::create_new(path).and_then(|mut file| file.write_all(&pack.timestamp_request())).map_err(
            |error| {
                Ending::usage(format!("The timestamp request could not be written: {error}. Nothing was exported."))
            },
        )?;
    }
    place.put(&pack.bytes, Some(id))?;
    let mut printer = Printer::new(seat.json);
    if seat.json {
        printer.line(&Line {
            sweep_id: id.to_string(),
            out: flags.out.display().to_string(),
            head: pack.head.to_string(),
            chain_head: pack.chain_head.to_string(),
            rows: pack.rows,
            timestamp_request: flags.timestamp_request.as_deref(),
        })?;
    } else {
        printer.text(&format!("Head {}", pack.head))?;
        let (out, head) = (flags.out.display().to_string(), pack.head.to_string());
        let next = command(&["verify", &out, "--head", &head]);
        printer.text(&format!("Note it somewhere else, and check the pack with: {next}"))?;
    }
    printer.done()?;
    Ok(DONE)
}

/// The evidence of a sweep.
///
/// # Errors
/// When there is no such sweep, or its rows are not what they were.
pub async fn pack_of(seat: &Seat, id: SweepId) -> Result<Pack, Ending> {
    seat.desk.pack(id).await.map_err(crate::log::no_such_sweep)
}

/// Erases what the journal holds of a member beside the id.
///
/// # Errors
/// When it is not asked for with --yes, or the journal cannot be written.
pub async fn erase(seat: &Seat, flags: &Erase) -> Done {
    let reasons_of = flags.reason_of.iter().map(|id| crate::log::sweep_id(id)).collect::<Result<Vec<_>, _>>()?;
    if !flags.yes {
        let mut named = seat.desk.reasons_naming(&flags.member).await?;
        named.retain(|id| !reasons_of.contains(id));
        return Err(Ending::usage(format!(
            "This would erase the name, the address and the reasons of that member from every sweep and snapshot here, for good. \
             Nothing was erased. {COME_BACK} If that is meant, add --yes: {}{}",
            this_run_with(&["--yes"]),
            told_elsewhere(&flags.member, &reasons_of, &named)
        )));
    }
    let erased = seat.desk.erase_person(&flags.member, &reasons_of).await?;
    if erased.texts == 0 && erased.plans.is_empty() {
        return Err(Ending::usage(format!(
            "The journal holds no text of that member's: they were erased before, or the id is another's. Nothing was erased. See: {}",
            command(&["members"])
        )));
    }
    let mut printer = Printer::new(seat.json);
    if seat.json {
        let ids = |ids: &[SweepId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (reasons, plans) = (ids(&erased.reasons), ids(&erased.plans));
        printer.line(&serde_json::json!({
            "member_id": flags.member, "erased": erased.texts, "named_in_reason_of": reasons, "kept_in_plan_of": plans,
        }))?;
    } else {
        printer.text(&format!("{} erased. The sweeps still verify.", count(erased.texts, "text was", "texts were")))?;
    }
    printer.done()?;
    say(COME_BACK);
    let left = told_elsewhere(&flags.member, &reasons_of, &erased.reasons);
    if !left.is_empty() {
        say(left.trim_start());
    }
    for id in &erased.plans {
        say(&format!(
            "Sweep {id} is unfinished, and its plan is kept with its reason until it is closed: {}. If nothing is done for it for a day, erase \
             again, and the plan goes.",
            command(&["log", &id.to_string()])
        ));
    }
    let reason = (!reasons_of.is_empty()).then_some("--reason");
    let words = ["redact", "PACK", "--member", &flags.member].into_iter().chain(reason).chain(["--out", "PACK2"]);
    say(&format!(
        "Packs and plan files that were written before still have them: {}",
        command(&words.collect::<Vec<_>>())
    ));
    Ok(DONE)
}

/// What is true of every erasing: a reading takes names as it finds them.
const COME_BACK: &str = "As long as the member is in the organization, the next reading, which lists and plans make too, brings the name and \
                         the address back. To keep them out, remove the member from the organization first, or erase again after \
                         the last reading.";

/// Which reasons of others seem to name the member, and how these go too, with those `asked` for; nothing if none does.
fn told_elsewhere(member: &str, asked: &[SweepId], named: &[SweepId]) -> String {
    if named.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = named.iter().map(ToString::to_string).collect();
    let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
    let flags = asked.iter().chain(&ids).flat_map(|id| ["--reason-of", id.as_str()]);
    let words: Vec<&str> = ["erase", member].into_iter().chain(flags).chain(["--yes"]).collect();
    format!(
        "\n{} that somebody else gave {} to name the member, and stays: of {}. To erase that too: {}",
        count(named.len(), "reason", "reasons"),
        if named.len() == 1 { "seems" } else { "seem" },
        ids.join(", "),
        command(&words)
    )
}

/// Where a pack will lie. It is taken before anything is done, so that what cannot be written is refused before.
pub struct Place {
    path: PathBuf,
    file: NamedTempFile,
}

impl Place {
    /// Makes a private file beside the one that is meant.
    ///
    /// # Errors
    /// When no file can be made there, or something is there that is not a pack.
    pub fn take(path: &Path) -> Result<Self, Ending> {
        if path.symlink_metadata().is_ok() && !is_pack(path) {
            return Err(Ending::usage(format!(
                "{} is there already and is not a pack. Name another file: only a pack is replaced. Nothing was done.",
                crate::text::safe(&path.display().to_string())
            )));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Such a file is its owner's alone from the moment it exists, and goes by itself if nothing comes of it.
        let file = NamedTempFile::new_in(folder).map_err(|error| {
            Ending::usage(format!("No file can be written there: {error}. Name another place. Nothing was done."))
        })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the pack in place of whatever pack was there: all of it or none. `sweep`: the one whose evidence it is, if the journal
    /// can write it once more.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn put(mut self, bytes: &[u8], sweep: Option<SweepId>) -> Result<(), Ending> {
        let shown = self.path.display().to_string();
        let failed = |error: &std::io::Error| {
            let next = match sweep {
                Some(id) => format!(
                    "The journal holds what it says; make room and write it with: {}",
                    command(&["export", &id.to_string(), "--out", &shown])
                ),
                None => "Make room and try again.".to_owned(),
            };
            Ending::new(BROKEN, format!("The pack could not be written: {error}. {next}"))
        };
        self.file.write_all(bytes).and_then(|()| self.file.as_file().sync_all()).map_err(|error| failed(&error))?;
        let path = self.path;
        self.file.persist(&path).map_err(|error| failed(&error.error))?;
        // The name is on the disk only once its folder is.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(&error))?;
        }
        Ok(())
    }
}

/// Whether a file begins as a pack does.
fn is_pack(path: &Path) -> bool {
    let mut front = [0; 30 + MANIFEST.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut front));
    read.is_ok() && front.starts_with(b"PK\x03\x04") && front.ends_with(MANIFEST.as_bytes())
}

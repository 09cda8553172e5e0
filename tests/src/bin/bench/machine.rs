//! On what it was measured: a number without its machine cannot be compared with anything.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Done;

/// A directory for the app's state beside this program, gone when dropped. The system's directory for temporary files is often
/// memory, where putting something on disk costs nothing.
pub fn place() -> Done<tempfile::TempDir> {
    let program = std::env::current_exe()?;
    let beside = program.parent().ok_or("this program lies nowhere")?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?)
}

/// Cores, profile, disk, and how busy the machine was before anything was measured.
pub fn facts(place: &Path) -> Value {
    json!({
        "os": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": processor(),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
        "file_system": file_system(place),
        "load_average": load_average(),
    })
}

/// A file beside the journal, for the price of having something on disk.
pub struct Disk(File);

impl Disk {
    /// A new file there.
    pub fn at(place: &Path) -> Done<Self> {
        Ok(Self(File::create(place.join("disk"))?))
    }

    /// How long it takes now to append 4 KiB and have them on disk, as one entry of a journal does.
    pub fn sync(&mut self) -> Done<Duration> {
        let began = Instant::now();
        self.0.write_all(&[7; 4096])?;
        self.0.sync_all()?;
        Ok(began.elapsed())
    }
}

fn processor() -> Option<String> {
    let all = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = all.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// One minute's average of processes that want to run.
fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The kind of file system that holds a directory: the mount whose path is the longest beginning of it.
fn file_system(place: &Path) -> Option<String> {
    let place = place.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let of = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
        place.starts_with(&at).then_some((at.len(), kind))
    };
    // The last of two mounts on one place covers the first.
    mounts.lines().filter_map(of).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

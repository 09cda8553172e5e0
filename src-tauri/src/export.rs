//! Exports as files in the user's folder for downloads: a new file each time, private to the user, whole or not at all. The
//! page names no path; it is told the one that was made.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use contract::evidence::EvidencePack;
use contract::inventory::Exported;
use contract::refusal::Refusal;
use cutoff::evidence::Pack;
use cutoff::inventory::export::Format;
use cutoff::inventory::selection::Noun;
use cutoff::inventory::shown::Shown;
use cutoff::inventory::take::{Take, TakeChanges};
use cutoff::plan_file::PlanFile;
use stytch_b2b::ConnectedAppId;

use crate::chosen;

/// Files of one name in one second, before it is given up.
const MOST_OF_ONE_NAME: u32 = 100;

/// How a file's name tells when its rows were read, in UTC.
const WHEN: &str = "%Y%m%dT%H%M%SZ";

/// Why a file could not be written there.
fn refused(error: &io::Error, folder: &Path) -> Refusal {
    Refusal::Export {
        fault: match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "full",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "denied",
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "no_folder",
            _ => "other",
        }
        .to_owned(),
        folder: Some(folder.display().to_string()),
    }
}

fn no_folder() -> Refusal {
    Refusal::Export { fault: "no_folder".to_owned(), folder: None }
}

/// Writes a plan to a new file and answers where it lies.
pub(crate) fn write_plan(plan: &PlanFile, organization: &str, folder: Option<PathBuf>) -> Result<Exported, Refusal> {
    let folder = folder.ok_or_else(no_folder)?;
    let bytes = plan.bytes();
    let made = plan.created_at.replace(['-', ':'], "");
    let made = made.split('.').next().unwrap_or_default().trim_end_matches('Z');
    let stem = named(organization, &format!("plan-{made}Z"));
    let path = put(&folder, &stem, "json", &bytes).map_err(|error| refused(&error, &folder))?;
    Ok(Exported {
        path: path.display().to_string(),
        rows: u32::try_from(plan.grants.len()).unwrap_or(u32::MAX),
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        complete: true,
    })
}

/// Writes a pack to a new file and answers where it lies.
pub(crate) fn write_pack(pack: &Pack, folder: Option<PathBuf>) -> Result<EvidencePack, Refusal> {
    let folder = folder.ok_or_else(no_folder)?;
    let stem = pack.name.strip_suffix(".zip").unwrap_or(&pack.name);
    let path = put(&folder, stem, "zip", &pack.bytes).map_err(|error| refused(&error, &folder))?;
    Ok(EvidencePack {
        file: chosen::name(&path),
        path: path.display().to_string(),
        bytes: u32::try_from(pack.bytes.len()).unwrap_or(u32::MAX),
        head: pack.head.to_string(),
        chain_head: pack.chain_head.to_string(),
        rows: u32::try_from(pack.rows).unwrap_or(u32::MAX),
    })
}

/// Writes a new file and answers where it lies.
pub(crate) fn write(shown: &Shown, take: &Take, folder: Option<PathBuf>) -> Result<Exported, Refusal> {
    let folder = folder.ok_or_else(no_folder)?;
    let mut bytes = Vec::new();
    let taken = take.write(shown, &mut bytes, None).map_err(|error| refused(&error, &folder))?;
    let path =
        put(&folder, &stem(shown, take), extension(take.format), &bytes).map_err(|error| refused(&error, &folder))?;
    Ok(Exported {
        path: path.display().to_string(),
        rows: u32::try_from(taken.rows).unwrap_or(u32::MAX),
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        complete: shown.picture.facts.complete(),
    })
}

/// Writes the differences between two snapshots to a new file and answers where it lies.
pub(crate) fn write_changes(
    shown: &Shown,
    not_compared: &[ConnectedAppId],
    take: &TakeChanges,
    folder: Option<PathBuf>,
) -> Result<Exported, Refusal> {
    let folder = folder.ok_or_else(no_folder)?;
    let facts = &shown.picture.facts;
    let mut bytes = Vec::new();
    let rows = take.write(shown, not_compared, &mut bytes).map_err(|error| refused(&error, &folder))?;
    let from = facts.since.map_or(0, |(snapshot, _)| snapshot);
    let what = format!("changes-{from}-to-{}{}", facts.snapshot.unwrap_or_default(), part(take.filtered()));
    let stem = named(&facts.organization_name, &format!("{what}-{}", facts.ended.strftime(WHEN)));
    let path = put(&folder, &stem, extension(take.format), &bytes).map_err(|error| refused(&error, &folder))?;
    Ok(Exported {
        path: path.display().to_string(),
        rows: u32::try_from(rows).unwrap_or(u32::MAX),
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        complete: facts.complete() && not_compared.is_empty(),
    })
}

/// What a name says of a file that has less than all of it.
fn part(filtered: bool) -> &'static str {
    if filtered { "-filtered" } else { "" }
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Json => "json",
    }
}

/// `cutoff-acme-robotics-apps-20261123T104207Z`: of the organization's name only what every file system can hold.
fn stem(shown: &Shown, take: &Take) -> String {
    let facts = &shown.picture.facts;
    let noun = match take.noun {
        Noun::Apps => "apps",
        Noun::Members => "members",
        Noun::Grants => "grants",
    };
    let part = part(take.filtered());
    named(&facts.organization_name, &format!("{noun}{part}-{}", facts.ended.strftime(WHEN)))
}

/// A name for a file of an organization's.
fn named(organization: &str, what: &str) -> String {
    let mut name = String::new();
    for letter in organization.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => name.push(letter),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
        if name.len() >= 40 {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { format!("cutoff-{what}") } else { format!("cutoff-{name}-{what}") }
}

/// Writes the bytes to a file that was not there. What could not be written whole is taken away again.
fn put(folder: &Path, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    for again in 1..=MOST_OF_ONE_NAME {
        let suffix = if again == 1 { String::new() } else { format!("-{again}") };
        let path = folder.join(format!("{stem}{suffix}.{extension}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        return Ok(path);
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let folder = std::env::temp_dir().join(format!("cutoff-export-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        let first = put(&folder, "cutoff-apps", "csv", b"one").expect("the first");
        let second = put(&folder, "cutoff-apps", "csv", b"two").expect("the second");
        assert_ne!(first, second);
        assert_eq!(std::fs::read(&first).expect("the first again"), b"one");
        assert_eq!(std::fs::read(&second).expect("the second again"), b"two");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&first).expect("its mode").permissions().mode();
            assert_eq!(mode & 0o077, 0, "an export is nobody else's to read");
        }
        std::fs::remove_dir_all(&folder).expect("cleared away");
        assert!(put(&folder, "cutoff-apps", "csv", b"three").is_err(), "a folder that is not there is not made");
    }
}

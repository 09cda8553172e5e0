//! A file that the user chose in the system's own dialog. The page names none.

use std::io::Read as _;
use std::path::Path;

use contract::refusal::Refusal;

/// Its bytes, one more than `most` at the most, so that a larger one shows; `None` when it cannot be read.
pub(crate) fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    // A folder, a pipe or a device is nothing to be read, and might never end.
    if !std::fs::metadata(path).is_ok_and(|file| file.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).ok()?;
    Some(bytes)
}

/// Its name, without its folder.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(crate) fn unreadable() -> Refusal {
    Refusal::ChosenFile { fault: "unreadable".to_owned(), line: None, entry: None }
}

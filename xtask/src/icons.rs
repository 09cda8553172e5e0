//! `cargo xtask icons`: every image in icons/ from the one drawn source, icons/cutoff.svg.

use std::path::Path;

use crate::packages::{Purpose, provide};
use crate::run::{Done, doing, run as run_command, say};
use crate::{node, tree};

/// Sizes beyond those that Tauri makes by itself, in pixels: what Linux menus ask for, and one for stores and papers.
const MORE: &str = "16,24,48,256,1024";

/// Draws them all and puts them into icons/.
pub fn run() -> Done {
    provide(&[Purpose::Node])?;
    let source = tree::root().join("icons/cutoff.svg");
    let drawn = tree::target()?.join("xtask/icons");
    // Left-overs of an earlier run would be copied along.
    if drawn.exists() {
        doing(std::fs::remove_dir_all(&drawn), format_args!("emptying {}", drawn.display()))?;
    }
    run_command(node::tauri()?.arg("icon").arg(&source).arg("--output").arg(&drawn))?;
    run_command(node::tauri()?.arg("icon").arg(&source).arg("--output").arg(&drawn).args(["--png", MORE]))?;
    let count = take(&drawn, &tree::root().join("icons"))?;
    say(format_args!("{count} images in icons/; look at the small ones before you commit them"));
    Ok(())
}

/// Copies the images themselves and leaves the folders, which are for telephones.
fn take(from: &Path, to: &Path) -> Done<usize> {
    let mut count = 0;
    for entry in doing(std::fs::read_dir(from), format_args!("reading {}", from.display()))? {
        let path = doing(entry, "reading a folder")?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            doing(std::fs::copy(&path, to.join(name)), format_args!("copying {}", path.display()))?;
            count += 1;
        }
    }
    Ok(count)
}

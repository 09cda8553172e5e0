//! Node packages from a committed lock, installed once for each lock. Knows nothing of what they are for.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Done, Stop, command, doing, output, run, tool};
use crate::tree;

/// The oldest Node that our packages run on.
const OLDEST: u32 = 18;

/// Node with a script and its arguments.
pub fn node(script: &Path) -> Command {
    command("node", [script])
}

/// Installs the packages of the lock in `folder` there, unless exactly these are there already.
pub fn install(folder: &Path) -> Done {
    let lock =
        doing(std::fs::read(folder.join("package-lock.json")), format_args!("{}/package-lock.json", folder.display()))?;
    // The mark is a copy of the lock: a lock that differs by a byte installs anew.
    let mark = folder.join("node_modules/.installed-from.json");
    if std::fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    new_enough(&output(&mut command("node", ["--version"]))?)?;
    // On Windows npm is a command file, which is found only under its full name.
    let npm = tool("npm").ok_or_else(|| Stop::new("npm is not on the search path"))?;
    run(command(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder))?;
    doing(std::fs::write(&mark, lock), format_args!("writing {}", mark.display()))
}

fn new_enough(version: &str) -> Done {
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(Stop::new(format!("node says it is {}, and our packages need {OLDEST} or newer", version.trim()))),
    }
}

/// Tauri's command line, which makes the installers and the icons. It is installed below the target directory: it is large, and
/// nothing in the tree refers to it.
pub fn tauri() -> Done<Command> {
    let ours = tree::root().join("xtask/bundler");
    let folder: PathBuf = tree::target()?.join("xtask/bundler");
    doing(std::fs::create_dir_all(&folder), format_args!("making {}", folder.display()))?;
    for file in ["package.json", "package-lock.json"] {
        doing(std::fs::copy(ours.join(file), folder.join(file)), format_args!("copying xtask/bundler/{file}"))?;
    }
    install(&folder)?;
    Ok(node(&folder.join("node_modules/@tauri-apps/cli/tauri.js")))
}

#[cfg(test)]
mod tests {
    use super::new_enough;

    #[test]
    fn an_old_node_is_refused_with_its_version() {
        assert!(new_enough("v18.19.0\n").is_ok());
        assert!(new_enough("v18.0.0").is_ok());
        let refused = new_enough("v12.22.9\n").expect_err("12 is too old").to_string();
        assert!(refused.contains("v12.22.9"), "{refused}");
        assert!(new_enough("garbled").is_err());
    }
}

//! Names the commit that the program is built from. It asks git, and where there is none, as in an unpacked archive, it is left
//! out: nothing depends on it but what the program says of itself.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CUTOFF_COMMIT");
    // Whoever builds without git may say it.
    if std::env::var_os("CUTOFF_COMMIT").is_some() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ask = |arguments: &[&str]| {
        let told = Command::new("git").arg("-C").arg(&root).arg("rev-parse").args(arguments).output().ok()?;
        let text = String::from_utf8(told.stdout).ok().filter(|_| told.status.success())?;
        Some(text.trim().to_owned())
    };
    // An archive that was unpacked inside another repository is not of that one's commit.
    let top = ask(&["--show-toplevel"]).and_then(|top| PathBuf::from(top).canonicalize().ok());
    if top.is_none() || top != root.canonicalize().ok() {
        return;
    }
    // The log of HEAD grows whenever it moves; a path that is not there would make every build run this again.
    for name in ["logs/HEAD", "HEAD"] {
        let path = ask(&["--git-path", name]).map(|path| root.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    if let Some(commit) = ask(&["HEAD"]) {
        println!("cargo::rustc-env=CUTOFF_COMMIT={commit}");
    }
}

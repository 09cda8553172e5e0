//! Where things lie: the repository and the target directory. Reads nothing but paths.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::run::{Done, Stop, cargo, output};

/// The repository's root.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // `cargo run` says where this package lies now. What was compiled in is second choice: two clones that share a target
        // directory share this program too, and one would work in the other's tree.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let package = PathBuf::from(package);
        package.parent().map_or(package.clone(), Path::to_path_buf)
    })
}

/// The directory that cargo builds into, asked of cargo itself, since variables and configuration files may move it.
pub fn target() -> Done<&'static Path> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target);
    }
    let metadata = output(&mut cargo(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| Stop::new(format!("cargo metadata is not JSON: {error}")))?;
    let target =
        metadata["target_directory"].as_str().ok_or_else(|| Stop::new("cargo metadata names no target directory"))?;
    Ok(TARGET.get_or_init(|| PathBuf::from(target)))
}

/// A program of ours as `cargo build` leaves it (`profile` is `debug` or `release`).
pub fn program(profile: &str, name: &str) -> Done<PathBuf> {
    Ok(target()?.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

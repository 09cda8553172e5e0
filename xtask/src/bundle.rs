//! `cargo xtask bundle`: the installers of this platform by Tauri's packager, and a look into what came out. Both programs go in:
//! the window, which the packager builds, and the command line, which is built here and handed to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, doing, output, run as run_command, say, tool};
use crate::{node, tree};

/// What is made where nobody asks for something else. An AppImage, and an installer for Windows, need downloads that the packager
/// makes by itself; the first is left to the release workflow.
const KINDS: &[&str] = if cfg!(target_os = "macos") {
    &["dmg"]
} else if cfg!(windows) {
    &["nsis", "msi"]
} else {
    &["deb", "rpm"]
};

/// Makes the installers of these kinds, or the platform's own, looks into them, and prints their paths on standard output.
pub fn run(kinds: &[String]) -> Done {
    let kinds: Vec<&str> = if kinds.is_empty() { KINDS.to_vec() } else { kinds.iter().map(String::as_str).collect() };
    provide(&[Purpose::Build, Purpose::Node, Purpose::Bundle])?;
    let begun = SystemTime::now();
    let mut packager = node::tauri()?;
    let beside = command_line()?;
    // Other packagers ask questions; in a pipe nobody answers.
    run_command(packager.arg("build").arg("--ci").arg("--config").arg(beside).arg("--bundles").arg(kinds.join(",")))?;

    let folder = tree::target()?.join("release/bundle");
    for kind in kinds {
        let made = newest(&folder.join(kind), ending(kind), begun)?;
        inspect(kind, &made)?;
        println!("{}", made.display());
    }
    Ok(())
}

/// Builds the command line and answers the file that tells the packager to put it beside the window's program. It is not in
/// `tauri.conf.json`, where every build of the window, a debug one too, would ask for it.
fn command_line() -> Done<PathBuf> {
    run_command(&mut cargo(["build", "--release", "--package", "cutoff-cli", "--bin", "cutoff"]))?;
    let folder = tree::target()?.join("xtask/beside");
    doing(std::fs::create_dir_all(&folder), format_args!("making {}", folder.display()))?;
    // The packager wants the platform in the name of the file it is given, and takes it off again. It is given a copy, since it
    // also writes to where cargo has the original.
    let system = host()?;
    let program = folder.join(format!("cutoff-{system}{}", std::env::consts::EXE_SUFFIX));
    doing(
        std::fs::copy(tree::program("release", "cutoff")?, &program),
        format_args!("copying the command line to {}", program.display()),
    )?;
    // The path is compiled into the window's program. Where it can, it says nothing of whose computer that was.
    let named = match folder.strip_prefix(tree::root()) {
        Ok(inside) => Path::new("..").join(inside).join("cutoff"),
        Err(_) => folder.join("cutoff"),
    };
    let config = folder.join("tauri.conf.json");
    let files = manual(&program, &folder)?;
    let linux = serde_json::json!({ "deb": { "files": files }, "rpm": { "files": files } });
    let text = serde_json::json!({ "bundle": { "externalBin": [named], "linux": linux } }).to_string();
    doing(std::fs::write(&config, text), format_args!("writing {}", config.display()))?;
    Ok(config)
}

/// Where shells look for a program's completions, by the name of the shell.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "/usr/share/bash-completion/completions/cutoff"),
    ("zsh", "/usr/share/zsh/site-functions/_cutoff"),
    ("fish", "/usr/share/fish/vendor_completions.d/cutoff.fish"),
];

/// Has the command line write its manual pages and completions, and answers where each belongs in a Linux package.
fn manual(program: &Path, folder: &Path) -> Done<serde_json::Map<String, serde_json::Value>> {
    let pages = folder.join("man");
    if pages.exists() {
        doing(std::fs::remove_dir_all(&pages), format_args!("emptying {}", pages.display()))?;
    }
    run_command(command(program, ["man", "--out-dir"]).arg(&pages))?;
    let mut files = serde_json::Map::new();
    let mut put = |inside: String, file: &Path| files.insert(inside, file.display().to_string().into());
    for page in doing(std::fs::read_dir(&pages), format_args!("reading {}", pages.display()))? {
        let page = doing(page, format_args!("reading {}", pages.display()))?;
        put(format!("/usr/share/man/man1/{}", page.file_name().to_string_lossy()), &page.path());
    }
    for (shell, inside) in COMPLETIONS {
        let script = folder.join(format!("completions.{shell}"));
        let text = output(&mut command(program, ["completions", shell]))?;
        doing(std::fs::write(&script, text), format_args!("writing {}", script.display()))?;
        put((*inside).to_owned(), &script);
    }
    Ok(files)
}

/// The platform that cargo builds for when it is told none, as the compiler names it.
fn host() -> Done<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    output(&mut command(compiler, ["-vV"]))?
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Stop::new("the compiler does not say what it builds for"))
}

/// The end of the file's name for a kind of installer.
fn ending(kind: &str) -> &str {
    match kind {
        "appimage" => "AppImage",
        "nsis" => "exe",
        other => other,
    }
}

/// The file with this ending that was written since `begun`: an installer left over from an earlier version is not what was made now.
fn newest(folder: &Path, ending: &str, begun: SystemTime) -> Done<PathBuf> {
    let entries = doing(std::fs::read_dir(folder), format_args!("the packager left no {}", folder.display()))?;
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|found| found == ending))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        // Some file systems keep whole seconds only.
        .filter(|(written, _)| *written + std::time::Duration::from_secs(2) >= begun)
        .max()
        .map(|(_, path)| path)
        .ok_or_else(|| Stop::new(format!("the packager made no .{ending} in {}", folder.display())))
}

/// What must lie in a Linux package; a package without it installs and then shows nothing.
const INSIDE: &[&str] = &[
    "usr/bin/cutoff",
    "usr/bin/cutoff-desktop",
    "usr/share/applications/Cutoff.desktop",
    "usr/share/icons/hicolor/128x128/apps/cutoff-desktop.png",
    "usr/share/icons/hicolor/scalable/apps/cutoff-desktop.svg",
    "usr/share/metainfo/dev.cutoff.desktop.metainfo.xml",
    "usr/share/doc/cutoff/copyright",
    "usr/share/man/man1/cutoff.1",
    "usr/share/bash-completion/completions/cutoff",
];

/// Looks into a Linux package with the system's own tool, where it is there.
fn inspect(kind: &str, package: &Path) -> Done {
    let (program, about, list) = match kind {
        "deb" => ("dpkg-deb", "--info", "--contents"),
        "rpm" => ("rpm", "-qip", "-qlp"),
        _ => return Ok(()),
    };
    if tool(program).is_none() {
        say(format_args!("not looked into, since {program} is not here: {}", package.display()));
        return Ok(());
    }
    for line in output(command(program, [about]).arg(package))?.lines() {
        say(line);
    }
    let contents = output(command(program, [list]).arg(package))?;
    let lacking = lacking(&contents);
    if !lacking.is_empty() {
        return Err(Stop::new(format!("{} lacks {}", package.display(), lacking.join(", "))));
    }
    if kind == "deb" { starts(package) } else { Ok(()) }
}

/// Takes a Debian package apart, away from the system, and asks the command line in it for its version.
fn starts(package: &Path) -> Done {
    let folder = tree::target()?.join("xtask/unpacked");
    if folder.exists() {
        doing(std::fs::remove_dir_all(&folder), format_args!("emptying {}", folder.display()))?;
    }
    run_command(command("dpkg-deb", ["--extract"]).arg(package).arg(&folder))?;
    let said = output(Command::new(folder.join("usr/bin/cutoff")).arg("--version"))?;
    let expected = concat!("cutoff ", env!("CARGO_PKG_VERSION"));
    if said.trim() != expected {
        return Err(Stop::new(format!("the packed command line calls itself {:?}, not {expected:?}", said.trim())));
    }
    say(format_args!("the packed command line starts: {expected}"));
    doing(std::fs::remove_dir_all(&folder), format_args!("emptying {}", folder.display()))
}

fn lacking(contents: &str) -> Vec<&'static str> {
    // dpkg-deb lists as `ls -l` does, with or without a leading `./`; rpm lists absolute paths.
    let present: Vec<&str> = contents
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(|path| path.trim_start_matches('.').trim_start_matches('/'))
        .collect();
    INSIDE.iter().copied().filter(|path| !present.contains(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::{INSIDE, lacking};

    #[test]
    fn a_package_without_one_of_its_programs_is_refused() {
        let deb: String = INSIDE.iter().map(|path| format!("-rw-r--r-- 0/0  1 2026-01-01 00:00 {path}\n")).collect();
        let rpm: String = INSIDE.iter().map(|path| format!("/{path}\n")).collect();
        assert!(lacking(&deb).is_empty());
        assert!(lacking(&rpm).is_empty());
        for program in ["usr/bin/cutoff", "usr/bin/cutoff-desktop"] {
            let renamed = rpm.replacen(&format!("/{program}\n"), &format!("/{program}.old\n"), 1);
            assert_eq!(lacking(&renamed), [program]);
        }
    }
}

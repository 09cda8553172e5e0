//! Running other programs: says what it runs, and turns what went wrong into a sentence. Not a shell.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Why a task ended early, as a sentence for the person at the terminal. Nothing branches on it: every stop means exit code 1.
#[derive(Debug)]
pub struct Stop(String);

impl Stop {
    /// A stop with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every task returns.
pub type Done<T = ()> = Result<T, Stop>;

/// Adds to an I/O error what was being done.
pub fn doing<T>(result: std::io::Result<T>, what: impl fmt::Display) -> Done<T> {
    result.map_err(|error| Stop::new(format!("{what}: {error}")))
}

/// A line about progress. Standard error, so that a task's standard output stays what the task is for.
pub fn say(line: impl fmt::Display) {
    eprintln!("· {line}");
}

/// A command in `root`, with this program and these arguments.
pub fn command<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(crate::tree::root());
    command
}

/// The cargo that started us, so that a chosen toolchain stays chosen.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = command(cargo, arguments);
    // What `cargo run` set for us describes this package; a build script must not take it for its own.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    command
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    std::iter::once(name)
        .chain(command.get_args().map(|argument| argument.to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs it with our own streams, its standard output sent to standard error; anything but success is a [`Stop`].
pub fn run(command: &mut Command) -> Done {
    if succeeds(command)? {
        Ok(())
    } else {
        Err(Stop::new(format!("`{}` failed; its own words are above", shown(command))))
    }
}

/// As [`run`], for callers that go on after a failure: whether it exited with success. A program that cannot be started stops.
pub fn succeeds(command: &mut Command) -> Done<bool> {
    say(shown(command));
    let status = command.stdout(std::io::stderr()).status();
    Ok(doing(status, format_args!("`{}` could not be started", shown(command)))?.success())
}

/// Runs it quietly and returns what it wrote on standard output; standard error stays visible.
pub fn output(command: &mut Command) -> Done<String> {
    let output =
        doing(command.stderr(Stdio::inherit()).output(), format_args!("`{}` could not be started", shown(command)))?;
    if !output.status.success() {
        return Err(Stop::new(format!("`{}` failed; its own words are above", shown(command))));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Stop::new(format!("`{}` wrote something that is not UTF-8", shown(command))))
}

/// Runs it, hands each line of its standard output to `line` as it arrives, and says whether it succeeded.
pub fn each_line(command: &mut Command, mut line: impl FnMut(&str)) -> Done<bool> {
    say(shown(command));
    let mut child =
        doing(command.stdout(Stdio::piped()).spawn(), format_args!("`{}` could not be started", shown(command)))?;
    if let Some(stdout) = child.stdout.take() {
        for bytes in BufReader::new(stdout).split(b'\n') {
            let bytes = doing(bytes, "reading a test's output")?;
            line(String::from_utf8_lossy(&bytes).trim_end_matches('\r'));
        }
    }
    Ok(doing(child.wait(), "waiting for a program")?.success())
}

/// Where this tool lies on the search path, if it does.
pub fn tool(name: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    std::env::split_paths(&std::env::var_os("PATH")?)
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{name}{ending}"))))
        .find(|file| file.is_file())
}

/// Whether it runs and exits with success, without a word.
pub fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

//! A program that a stage started, and everything that program starts: one process group, which ends with the stage. Nothing
//! is ever ended by name.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{Mishap, Played};

/// How long anything on a stage may take to come up. Generous: two cores may be busy with other tests.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);
/// How often something is looked at again that is waited for.
pub(crate) const AGAIN: Duration = Duration::from_millis(25);

/// A running program in a process group of its own.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts it. `package` is the Debian package that has the program.
    pub(crate) fn start(command: &mut Command, package: &str) -> Played<Self> {
        use std::os::unix::process::CommandExt as _;
        let name = command.get_program().to_string_lossy().into_owned();
        match command.process_group(0).spawn() {
            Ok(child) => Ok(Self { child }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Mishap::new(format!(
                "{name} is not on the search path: the tests of the window need the Debian package {package}"
            ))),
            Err(error) => Err(Mishap::new(format!("{name} does not start: {error}"))),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it is given to read.
    pub(crate) fn tell(&mut self, words: &[u8]) -> Played {
        use std::io::Write as _;
        // Dropped at the end of the block: some programs read until there is no more.
        if let Some(mut stdin) = self.child.stdin.take() {
            stdin.write_all(words)?;
        }
        Ok(())
    }

    /// The first line it prints, which is how some programs say that they are ready.
    pub(crate) fn first_line(&mut self, what: &str) -> Played<String> {
        let Some(stdout) = self.child.stdout.take() else {
            return Err(Mishap::new(format!("{what} was started without anybody listening")));
        };
        let (tell, told) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            let read = reader.read_line(&mut line);
            let _ = tell.send(read.map(|_| line));
            // A closed pipe would end programs that print more.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
        });
        match told.recv_timeout(AMPLE) {
            Ok(Ok(line)) if !line.trim().is_empty() => Ok(line.trim().to_owned()),
            Ok(Ok(_)) => Err(Mishap::new(format!("{what} ended before it was ready"))),
            Ok(Err(error)) => Err(Mishap::new(format!("{what}: {error}"))),
            Err(_) => Err(Mishap::new(format!("{what} said nothing for {} s", AMPLE.as_secs()))),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command with nothing in its environment but where programs are.
pub(crate) fn bare(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Ends a process at once, as a power cut would.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Whether the process is there and not only waiting to be buried.
pub(crate) fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(_, state)| state != 'Z')
}

/// The process's children and theirs.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?.0)))
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found.remove(0);
    found
}

/// Its parent and its state.
fn stat(pid: u32) -> Option<(u32, char)> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The program's name stands in brackets and may hold anything, brackets and spaces too.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let state = rest.next()?.chars().next()?;
    Some((rest.next()?.parse().ok()?, state))
}

/// Waits until it is so.
///
/// # Errors
/// When it is not after a minute: with what was waited for.
pub async fn until(what: &str, mut so: impl FnMut() -> bool) -> Played {
    let began = Instant::now();
    while !so() {
        if began.elapsed() > AMPLE {
            return Err(Mishap::new(format!("it did not come about in {} s that {what}", AMPLE.as_secs())));
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

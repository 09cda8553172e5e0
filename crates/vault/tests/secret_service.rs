//! The vault against a real Secret Service (gnome-keyring), a locked one, a silent one, and none. Each test starts a message bus
//! of its own with `dbus-run-session` and runs its inner half there, in a process with a home of its own; nothing of the
//! user's session is touched. It needs the Debian packages `dbus` and `gnome-keyring`, and fails where they are missing.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use uuid::Uuid;
use vault::{Keeping, PATIENCE, Trouble, Vault};

const SERVICE: &str = "dev.cutoff.desktop.test";
const CANARY: &str = "canary-Zm9yIHlvdXIgZXllcyBvbmx5";
const ACCOUNT: Uuid = Uuid::from_u128(0xc0ffee);
/// How long a probe may take in a test that expects an answer.
const AMPLE: Duration = Duration::from_secs(20);
/// How long a probe waits in a test that expects none.
const SHORT: Duration = Duration::from_secs(1);

/// What the bus of a test can start by itself.
enum Bus {
    /// What is installed, so also the keyring daemon.
    Installed,
    /// Nothing.
    Bare,
}

/// A place in the file system that stands for a user's home.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Home(tempfile::tempdir().expect("a temporary directory"));
        for dir in ["run", "data"] {
            std::fs::create_dir(home.0.path().join(dir)).expect("a directory in it");
        }
        // D-Bus and the keyring refuse a runtime directory that others can enter.
        std::fs::set_permissions(home.0.path().join("run"), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        home
    }

    /// The command with nothing of the real session in its environment.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for inherited in [
            "DBUS_SESSION_BUS_ADDRESS",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "GNOME_KEYRING_CONTROL",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
        ] {
            command.env_remove(inherited);
        }
        command
            .env("HOME", self.0.path())
            .env("XDG_RUNTIME_DIR", self.0.path().join("run"))
            .env("XDG_DATA_HOME", self.0.path().join("data"));
        command
    }

    /// Runs one of the inner tests on a bus of its own, and fails if it fails or if there is none of that name.
    fn session(&self, bus: Bus, inner: &str) {
        let mut command = self.command("dbus-run-session");
        if let Bus::Bare = bus {
            let config = self.0.path().join("bus.conf");
            std::fs::write(&config, BARE).unwrap();
            command.arg("--config-file").arg(config);
        }
        command.arg("--").arg(std::env::current_exe().unwrap());
        self.run(command, inner);
    }

    fn run(&self, mut command: Command, inner: &str) {
        let output = command
            .args(["--exact", &format!("inside::{inner}"), "--ignored", "--nocapture", "--test-threads=1"])
            .output()
            .unwrap_or_else(|error| {
                panic!("{:?} does not start ({error}): are dbus and gnome-keyring installed?", command.get_program())
            });
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains("1 passed"), "{inner}:\n{said}\n{complained}");
    }
}

/// A bus that knows no service files.
const BARE: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

/// The keyring daemon, unlocked with a password; it is killed when this is dropped.
struct Daemon(Child);

impl Daemon {
    fn unlocked(password: &str) -> Self {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--foreground", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts: is gnome-keyring installed?");
        // A line of its own for the password; an empty one makes an open keyring.
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        let daemon = Daemon(child);
        let began = Instant::now();
        while !on_the_bus("org.freedesktop.secrets") {
            assert!(began.elapsed() < AMPLE, "the keyring daemon never came to the bus");
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    /// Stops it from answering, or lets it go on.
    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.0.id().to_string()]).status().expect("kill");
        assert!(done.success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn on_the_bus(name: &str) -> bool {
    let bus = zbus::blocking::Connection::session().expect("the bus of this test");
    let bus = zbus::blocking::fdo::DBusProxy::new(&bus).unwrap();
    bus.name_has_owner(name.try_into().unwrap()).unwrap()
}

/// Whether any file below holds the text.
fn written_below(dir: &Path, text: &str) -> bool {
    std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => written_below(&path, text),
            Ok(kind) if kind.is_file() => std::fs::read(&path)
                .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())),
            _ => false,
        }
    })
}

fn loaded(vault: &Vault) -> Result<Option<String>, Trouble> {
    vault.load(&ACCOUNT).map(|found| found.map(|secret| secret.to_string()))
}

/// Waits until it is so, since a daemon takes its time.
fn until(what: &str, so: impl Fn() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < AMPLE, "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_secret_in_the_keyring_is_found_by_another_process_until_it_is_forgotten() {
    Home::new().session(Bus::Installed, "saves_loads_and_forgets");
}

#[test]
fn a_locked_keyring_is_called_locked_and_nothing_hangs() {
    let home = Home::new();
    home.session(Bus::Installed, "makes_a_keyring_with_a_password");
    home.session(Bus::Installed, "finds_it_locked");
}

#[test]
fn a_locked_keyring_that_waits_at_its_prompt_is_called_locked_in_time() {
    let home = Home::new();
    home.session(Bus::Installed, "makes_a_keyring_with_a_password");
    home.session(Bus::Installed, "waits_at_a_prompt_that_nobody_answers");
}

#[test]
fn a_bus_without_a_keyring_is_called_missing() {
    Home::new().session(Bus::Bare, "finds_none");
}

#[test]
fn a_system_without_a_bus_is_called_missing() {
    let home = Home::new();
    // No address in the environment, and no socket where one is looked for without.
    home.run(home.command(std::env::current_exe().unwrap()), "finds_none");
    let mut command = home.command(std::env::current_exe().unwrap());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    home.run(command, "finds_none");
}

#[test]
fn a_keyring_that_was_never_set_up_is_called_missing() {
    Home::new().session(Bus::Installed, "finds_no_default_collection");
}

#[test]
fn a_keyring_that_falls_silent_costs_only_the_time_allowed_and_gets_nothing_late() {
    Home::new().session(Bus::Installed, "falls_silent");
}

#[test]
fn a_keyring_that_answers_with_errors_is_called_refusing() {
    Home::new().session(Bus::Bare, "is_refused");
}

#[test]
fn a_second_item_of_the_same_name_is_not_taken_for_the_secret_and_goes_with_the_next_change() {
    Home::new().session(Bus::Installed, "finds_two");
}

#[test]
fn what_was_kept_in_memory_moves_into_the_keyring_once_there_is_one() {
    Home::new().session(Bus::Bare, "is_started_later");
}

#[test]
fn the_keyring_can_be_used_from_async_code() {
    Home::new().session(Bus::Installed, "is_used_from_tokio");
}

#[test]
fn no_log_at_any_level_holds_the_secret() {
    Home::new().session(Bus::Installed, "logs_everything");
}

#[test]
fn a_vault_of_memory_keeps_what_it_is_given_and_says_why_it_is_one() {
    let vault = Vault::memory(Trouble::Refused);
    let memory = Keeping::Memory(Trouble::Refused);
    assert_eq!((vault.keeping(), vault.probe(SHORT)), (memory, memory));
    assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(memory));
    assert_eq!(loaded(&vault.clone()), Ok(Some(CANARY.into())), "a clone shares what is kept");
    assert_eq!(vault.load(&Uuid::from_u128(1)).map(|found| found.is_some()), Ok(false));
    assert!(!format!("{vault:?}").contains(CANARY));
    assert_eq!(vault.save(&ACCOUNT, "another"), Ok(memory));
    assert_eq!(loaded(&vault), Ok(Some("another".into())));
    assert_eq!(vault.forget(&ACCOUNT), Ok(()));
    assert_eq!(vault.forget(&ACCOUNT), Ok(()));
    assert_eq!(loaded(&vault), Ok(None));
}

#[test]
fn a_secret_that_some_keyring_could_not_hold_is_refused_everywhere() {
    let vault = Vault::memory(Trouble::Missing);
    assert!(vault.save(&ACCOUNT, &"x".repeat(vault::LONGEST)).is_ok());
    assert_eq!(vault.save(&ACCOUNT, &"x".repeat(vault::LONGEST + 1)), Err(Trouble::TooLong));
    assert_eq!(loaded(&vault).unwrap().unwrap().len(), vault::LONGEST, "a refused save changed what was kept");
}

/// The inner halves. Each runs in a process that one of the tests above started on a bus of its own.
mod inside {
    use super::*;

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn saves_loads_and_forgets() {
        let _daemon = Daemon::unlocked("\n");
        let vault = Vault::system(SERVICE);
        assert_eq!(vault.probe(AMPLE), Keeping::Keyring);
        assert_eq!(loaded(&vault), Ok(None));
        assert_eq!(vault.save(&ACCOUNT, "an older one"), Ok(Keeping::Keyring));
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(Keeping::Keyring));
        another_process("reads_it");
        assert_eq!(
            vault.load(&Uuid::from_u128(1)).map(|found| found.is_some()),
            Ok(false),
            "another account has another secret"
        );
        let longest = "é".repeat(vault::LONGEST / 2);
        assert_eq!(vault.save(&Uuid::from_u128(2), &longest), Ok(Keeping::Keyring));
        assert_eq!(vault.load(&Uuid::from_u128(2)).unwrap().unwrap().as_str(), longest);
        assert_eq!(vault.forget(&ACCOUNT), Ok(()));
        assert_eq!(vault.forget(&ACCOUNT), Ok(()), "forgetting twice is no error");
        another_process("finds_it_forgotten");
    }

    fn another_process(inner: &str) {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("inside::{inner}"), "--ignored"])
            .status()
            .unwrap();
        assert!(status.success(), "{inner}");
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn reads_it() {
        let vault = Vault::system(SERVICE);
        assert_eq!(loaded(&vault), Ok(Some(CANARY.into())));
        assert_eq!(vault.keeping(), Keeping::Keyring);
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn finds_it_forgotten() {
        assert_eq!(loaded(&Vault::system(SERVICE)), Ok(None));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn makes_a_keyring_with_a_password() {
        let _daemon = Daemon::unlocked("correct horse");
        let vault = Vault::system(SERVICE);
        assert_eq!(vault.probe(AMPLE), Keeping::Keyring);
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(Keeping::Keyring));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn finds_it_locked() {
        // The bus starts the daemon by itself, and nobody unlocks it.
        let vault = Vault::system(SERVICE);
        let began = Instant::now();
        let locked = Keeping::Memory(Trouble::Locked);
        assert_eq!(vault.probe(AMPLE), locked);
        assert_eq!(loaded(&vault), Err(Trouble::Locked), "whether there is a secret is not known");
        assert_eq!(vault.save(&ACCOUNT, "a newer one"), Ok(locked));
        assert_eq!(loaded(&vault), Ok(Some("a newer one".into())));
        assert_eq!(vault.forget(&ACCOUNT), Err(Trouble::Locked), "the keyring still holds the older one");
        assert_eq!(loaded(&vault), Err(Trouble::Locked), "the one in memory is forgotten all the same");
        assert!(began.elapsed() < AMPLE, "it hung");
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn waits_at_a_prompt_that_nobody_answers() {
        // Owns the name of the desktop's prompter and never answers: what a prompt looks like while nobody is at the desk.
        let prompter = zbus::blocking::Connection::session().unwrap();
        prompter.request_name("org.gnome.keyring.SystemPrompter").unwrap();
        let vault = Vault::system(SERVICE);
        for _ in 0..2 {
            let began = Instant::now();
            assert_eq!(vault.probe(SHORT), Keeping::Memory(Trouble::Locked));
            assert!(began.elapsed() >= SHORT, "it did not wait: the prompt was not shown, and the test shows nothing");
            assert!(began.elapsed() < SHORT * 3, "it took {:?}", began.elapsed());
        }
        assert_eq!(vault.save(&ACCOUNT, "a newer one"), Ok(Keeping::Memory(Trouble::Locked)));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn finds_none() {
        let vault = Vault::system(SERVICE);
        let missing = Keeping::Memory(Trouble::Missing);
        assert_eq!(vault.probe(AMPLE), missing);
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(missing));
        assert_eq!(loaded(&vault), Ok(Some(CANARY.into())));
        let home = std::env::var_os("HOME").unwrap();
        assert!(!written_below(Path::new(&home), CANARY), "the secret is in a file");
        assert_eq!(vault.forget(&ACCOUNT), Ok(()), "there is no keyring that could still hold it");
        assert_eq!(loaded(&vault), Err(Trouble::Missing));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn finds_no_default_collection() {
        // The bus starts the daemon, which has no collection but the session's.
        assert_eq!(Vault::system(SERVICE).probe(AMPLE), Keeping::Memory(Trouble::Missing));
        assert!(on_the_bus("org.freedesktop.secrets"), "no daemon was started, so this shows nothing");
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn is_refused() {
        // Has the keyring's name and knows none of its objects.
        let impostor = zbus::blocking::connection::Builder::session().unwrap();
        let impostor = impostor.serve_at("/elsewhere", zbus::fdo::ObjectManager).unwrap();
        let _impostor = impostor.name("org.freedesktop.secrets").unwrap().build().unwrap();
        assert_eq!(Vault::system(SERVICE).probe(AMPLE), Keeping::Memory(Trouble::Refused));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn finds_two() {
        use secret_service::{EncryptionType, blocking::SecretService};
        let _daemon = Daemon::unlocked("\n");
        let put_beside = |vault: &Vault| {
            assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(Keeping::Keyring));
            let account = ACCOUNT.to_string();
            let attributes = [("service", SERVICE), ("username", &account), ("made-by", "another program")].into();
            let service = SecretService::connect(EncryptionType::Plain).unwrap();
            let collection = service.get_default_collection().unwrap();
            collection.create_item("beside", attributes, b"somebody's", false, "text/plain").unwrap();
            let both = service.search_items([("service", SERVICE), ("username", account.as_str())].into()).unwrap();
            assert_eq!(both.unlocked.len(), 2, "there is no second item, so this shows nothing");
        };
        let vault = Vault::system(SERVICE);
        put_beside(&vault);
        assert_eq!(loaded(&vault), Ok(None), "which of the two is ours cannot be told");
        assert_eq!(vault.save(&ACCOUNT, "the next"), Ok(Keeping::Keyring));
        assert_eq!(loaded(&vault), Ok(Some("the next".into())));
        put_beside(&vault);
        assert_eq!(vault.forget(&ACCOUNT), Ok(()));
        assert_eq!(loaded(&vault), Ok(None));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn falls_silent() {
        let daemon = Daemon::unlocked("\n");
        let vault = Vault::system(SERVICE);
        assert_eq!(vault.probe(AMPLE), Keeping::Keyring);
        daemon.signal("-STOP");
        let began = Instant::now();
        let silent = Keeping::Memory(Trouble::TimedOut);
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(silent));
        assert!(began.elapsed() < PATIENCE * 2, "it took {:?}", began.elapsed());
        assert_eq!(loaded(&vault), Ok(Some(CANARY.into())), "it is in memory");
        assert_eq!(vault.probe(SHORT), silent);

        daemon.signal("-CONT");
        // The save that was given up on happens now, and is taken back: its caller was told that it failed.
        let other = Vault::system(SERVICE);
        std::thread::sleep(Duration::from_secs(2));
        until("the late save is taken back", || loaded(&other) == Ok(None));
        assert_eq!(vault.probe(AMPLE), Keeping::Keyring);
        assert_eq!(loaded(&other), Ok(Some(CANARY.into())), "what was in memory has moved into the keyring");
        assert_eq!(vault.forget(&ACCOUNT), Ok(()));
        assert_eq!(loaded(&other), Ok(None));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn is_started_later() {
        let vault = Vault::system(SERVICE);
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(Keeping::Memory(Trouble::Missing)));
        let _daemon = Daemon::unlocked("\n");
        assert_eq!(vault.keeping(), Keeping::Memory(Trouble::Missing), "nobody asked again yet");
        assert_eq!(vault.probe(AMPLE), Keeping::Keyring, "a failure was remembered for the life of the process");
        assert_eq!(loaded(&Vault::system(SERVICE)), Ok(Some(CANARY.into())));
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn is_used_from_tokio() {
        let _daemon = Daemon::unlocked("\n");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let vault = Vault::system(SERVICE);
            // Bad manners, since it blocks the worker, but it must not panic.
            assert_eq!(vault.probe(AMPLE), Keeping::Keyring);
            let blocking = vault.clone();
            let saved = tokio::task::spawn_blocking(move || blocking.save(&ACCOUNT, CANARY)).await.unwrap();
            assert_eq!(saved, Ok(Keeping::Keyring));
            assert_eq!(tokio::spawn(async move { loaded(&vault) }).await.unwrap(), Ok(Some(CANARY.into())));
        });
    }

    #[test]
    #[ignore = "runs on a bus that another test makes"]
    fn logs_everything() {
        use std::sync::{Arc, Mutex};
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();

        let daemon = Daemon::unlocked("\n");
        let vault = Vault::system(SERVICE);
        assert_eq!(vault.save(&ACCOUNT, CANARY), Ok(Keeping::Keyring));
        assert_eq!(loaded(&vault), Ok(Some(CANARY.into())));
        drop(daemon);
        let trouble = vault.load(&ACCOUNT).expect_err("the daemon is gone");
        let kept = String::from_utf8_lossy(&kept.0.lock().unwrap()).into_owned();
        assert!(kept.contains("keyring_core") && kept.contains("zbus"), "nothing was logged, so this shows nothing");
        for (what, text) in [("the log", kept), ("a debug line", format!("{vault:?} {trouble:?} {trouble}"))] {
            assert!(!text.contains(CANARY), "{what} holds the secret");
            let bytes = format!("{:?}", CANARY.as_bytes());
            assert!(!text.contains(&bytes[1..bytes.len() - 1]), "{what} holds the secret's bytes");
        }
    }
}

//! A message bus of its own that starts nothing by itself, and the keyring on it: open, locked, or not there.

use std::process::Stdio;

use super::process::{Group, bare, until};
use super::{Home, Keyring, Played};

/// A bus that knows no service files: what is on it was put there.
const BARE: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

/// The keyring's password. Not empty, so that the keyring's file on disk is encrypted, as a real one is.
const PASSWORD: &[u8] = b"correct horse battery staple\n";

/// The keyring's name on the bus.
const NAME: &str = "org.freedesktop.secrets";

/// A running bus, and the keyring daemon if there is one.
pub(crate) struct Bus {
    // Fields are dropped in this order: the keyring before the bus it is on.
    keyring: Option<Group>,
    address: String,
    _daemon: Group,
}

impl Bus {
    pub(crate) async fn start(home: &Home, keyring: Keyring) -> Played<Self> {
        let mut command = bare("dbus-daemon");
        home.dress(&mut command);
        let config = home.at("bus.conf");
        std::fs::write(&config, BARE)?;
        command.arg("--config-file").arg(&config).args(["--nofork", "--nopidfile", "--print-address=1"]);
        let mut daemon = Group::start(command.stdout(Stdio::piped()), "dbus")?;
        let address = daemon.first_line("dbus-daemon")?;
        let mut bus = Self { keyring: None, address, _daemon: daemon };
        bus.keyring = match keyring {
            Keyring::Missing => None,
            Keyring::Open => Some(bus.open_keyring(home).await?),
            Keyring::Locked => {
                // Made and unlocked once, so that there is something to be locked; nobody unlocks the next one.
                let made = bus.open_keyring(home).await?;
                until("the keyring is on disk", || home.at("data/keyrings/login.keyring").is_file()).await?;
                drop(made);
                until("the first keyring daemon has left the bus", || !bus.has(NAME)).await?;
                let mut command = bus.keyring_daemon(home);
                let daemon = Group::start(&mut command, "gnome-keyring")?;
                until("the locked keyring is on the bus", || bus.has(NAME)).await?;
                Some(daemon)
            }
        };
        Ok(bus)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    async fn open_keyring(&self, home: &Home) -> Played<Group> {
        let mut command = self.keyring_daemon(home);
        let mut daemon = Group::start(command.arg("--unlock").stdin(Stdio::piped()), "gnome-keyring")?;
        daemon.tell(PASSWORD)?;
        until("the open keyring is on the bus", || self.has(NAME)).await?;
        Ok(daemon)
    }

    fn keyring_daemon(&self, home: &Home) -> std::process::Command {
        let mut command = bare("gnome-keyring-daemon");
        home.dress(&mut command);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).args(["--foreground", "--components=secrets"]);
        command
    }

    /// Whether somebody has that name on the bus.
    fn has(&self, name: &str) -> bool {
        let asked = bare("dbus-send")
            .arg(format!("--bus={}", self.address))
            .args(["--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
            .args(["org.freedesktop.DBus.NameHasOwner", &format!("string:{name}")])
            .stdout(Stdio::piped())
            .output();
        asked.is_ok_and(|asked| String::from_utf8_lossy(&asked.stdout).contains("true"))
    }
}

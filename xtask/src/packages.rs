//! What has to come from the operating system, in one table, and how it gets there: installed on Debian and its children, named
//! elsewhere. Nothing that is already there, by whatever way it came, is installed a second time.

use std::collections::BTreeSet;
use std::process::Command;

use crate::run::{Done, Stop, command, quietly, run, say, succeeds, tool};

/// What a package is needed for. A task names the purposes it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Compiling the app.
    Build,
    /// Driving the real window where nobody looks: the headless demo, the tests, the measurements.
    Window,
    /// The type check and the accessibility check of ui/, and the packager, which comes as a Node package.
    Node,
    /// Looking at every state of the page, outside the app.
    Browser,
    /// Looking into the packages that were made.
    Bundle,
}

/// How one sees that something is there.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// A program of this name is on the search path.
    Tool(&'static str),
    /// One of these programs is; they do the same.
    OneOf(&'static [&'static str]),
    /// pkg-config knows this library.
    Library(&'static str),
}

/// One thing we need, and what the systems call it. `None`: that system has it built in, or has nothing like it.
#[derive(Debug)]
struct Need {
    what: &'static str,
    purpose: Purpose,
    seen: Seen,
    debian: &'static str,
    fedora: Option<&'static str>,
    arch: Option<&'static str>,
    macos: Option<&'static str>,
    windows: Option<&'static str>,
}

/// The names a Chromium goes by, first choice first.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler and linker",
        purpose: Purpose::Build,
        seen: Seen::Tool(if cfg!(windows) { "cargo" } else { "cc" }),
        debian: "build-essential",
        fedora: Some("gcc"),
        arch: Some("base-devel"),
        macos: Some("Xcode Command Line Tools (xcode-select --install)"),
        windows: None,
    },
    Need {
        what: "pkg-config",
        purpose: Purpose::Build,
        seen: Seen::Tool("pkg-config"),
        debian: "pkg-config",
        fedora: Some("pkgconf-pkg-config"),
        arch: Some("pkgconf"),
        macos: None,
        windows: None,
    },
    Need {
        what: "the WebKitGTK headers",
        purpose: Purpose::Build,
        seen: Seen::Library("webkit2gtk-4.1"),
        debian: "libwebkit2gtk-4.1-dev",
        fedora: Some("webkit2gtk4.1-devel"),
        arch: Some("webkit2gtk-4.1"),
        macos: None,
        windows: None,
    },
    Need {
        // The GTK headers bring it along on Debian; it is named because the window library links it itself.
        what: "the D-Bus headers",
        purpose: Purpose::Build,
        seen: Seen::Library("dbus-1"),
        debian: "libdbus-1-dev",
        fedora: Some("dbus-devel"),
        arch: Some("dbus"),
        macos: None,
        windows: None,
    },
    Need {
        what: "the WebDriver of WebKitGTK",
        purpose: Purpose::Window,
        seen: Seen::Tool("WebKitWebDriver"),
        debian: "webkit2gtk-driver",
        fedora: Some("webkit2gtk-driver"),
        arch: Some("webkit2gtk-4.1"),
        macos: None,
        windows: None,
    },
    Need {
        what: "a virtual display",
        purpose: Purpose::Window,
        seen: Seen::Tool("Xvfb"),
        debian: "xvfb",
        fedora: Some("xorg-x11-server-Xvfb"),
        arch: Some("xorg-server-xvfb"),
        macos: None,
        windows: None,
    },
    Need {
        what: "a session bus of its own",
        purpose: Purpose::Window,
        seen: Seen::Tool("dbus-run-session"),
        // Its place moved from dbus to dbus-daemon over the releases; dbus brings the other along in all of them.
        debian: "dbus",
        fedora: Some("dbus-daemon"),
        arch: Some("dbus"),
        macos: None,
        windows: None,
    },
    Need {
        what: "a secret service",
        purpose: Purpose::Window,
        seen: Seen::Tool("gnome-keyring-daemon"),
        debian: "gnome-keyring",
        fedora: Some("gnome-keyring"),
        arch: Some("gnome-keyring"),
        macos: None,
        windows: None,
    },
    Need {
        // Tests interrupt programs as Ctrl-C does. The shell's own `kill` cannot be started, and small images have no other.
        what: "kill as a program",
        purpose: Purpose::Window,
        seen: Seen::Tool("kill"),
        debian: "procps",
        fedora: Some("util-linux"),
        arch: Some("util-linux"),
        macos: None,
        windows: None,
    },
    Need {
        // The second verifier of evidence is written in it.
        what: "Python",
        purpose: Purpose::Window,
        seen: Seen::Tool("python3"),
        debian: "python3",
        fedora: Some("python3"),
        arch: Some("python"),
        macos: Some("python3 (brew install python)"),
        windows: Some("Python (winget install Python.Python.3.13)"),
    },
    Need {
        what: "Node",
        purpose: Purpose::Node,
        seen: Seen::Tool("node"),
        debian: "nodejs",
        fedora: Some("nodejs"),
        arch: Some("nodejs"),
        macos: Some("node (brew install node)"),
        windows: Some("Node.js (winget install OpenJS.NodeJS.LTS)"),
    },
    Need {
        what: "npm",
        purpose: Purpose::Node,
        seen: Seen::Tool("npm"),
        debian: "npm",
        fedora: Some("nodejs-npm"),
        arch: Some("npm"),
        macos: Some("node (brew install node)"),
        windows: Some("Node.js (winget install OpenJS.NodeJS.LTS)"),
    },
    Need {
        what: "Chromium",
        purpose: Purpose::Browser,
        seen: Seen::OneOf(BROWSERS),
        debian: "chromium",
        fedora: Some("chromium"),
        arch: Some("chromium"),
        macos: Some("Chromium (brew install --cask chromium)"),
        windows: None,
    },
    Need {
        what: "rpm, to look into the .rpm",
        purpose: Purpose::Bundle,
        seen: Seen::Tool("rpm"),
        debian: "rpm",
        fedora: Some("rpm"),
        arch: None,
        macos: None,
        windows: None,
    },
];

/// The systems whose package names we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Debian,
    /// As Debian, but for what it ships as snaps only, which do not run in containers.
    Ubuntu,
    Fedora,
    Arch,
    MacOs,
    Windows,
    Other,
}

impl System {
    fn here() -> Self {
        if cfg!(target_os = "macos") {
            Self::MacOs
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::from_os_release(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
        }
    }

    /// Reads the lines `ID` and `ID_LIKE` of os-release(5); a child counts as its parent.
    fn from_os_release(text: &str) -> Self {
        let words: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
            .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
            .collect();
        let is = |names: &[&str]| words.iter().any(|word| names.contains(word));
        if is(&["ubuntu"]) {
            Self::Ubuntu
        } else if is(&["debian"]) {
            Self::Debian
        } else if is(&["fedora", "rhel"]) {
            Self::Fedora
        } else if is(&["arch"]) {
            Self::Arch
        } else {
            Self::Other
        }
    }

    fn name_of(self, need: &Need) -> Option<&'static str> {
        match self {
            Self::Debian | Self::Other => Some(need.debian),
            Self::Ubuntu => (need.purpose != Purpose::Browser).then_some(need.debian),
            Self::Fedora => need.fedora,
            Self::Arch => need.arch,
            Self::MacOs => need.macos,
            Self::Windows => need.windows,
        }
    }
}

/// Makes sure that what these purposes need is there: installs it on Debian and Ubuntu, names it elsewhere and goes on, since the
/// build that follows will say precisely what it cannot find. Stops when an installation fails or is not ours to do.
pub fn provide(purposes: &[Purpose]) -> Done {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| purposes.contains(&need.purpose) && !is_there(need)).collect();
    let system = System::here();
    let names: BTreeSet<&str> = missing.iter().filter_map(|need| system.name_of(need)).collect();
    if names.is_empty() {
        return Ok(());
    }
    for need in &missing {
        if let Some(name) = system.name_of(need) {
            say(format_args!("missing: {} ({name})", need.what));
        }
    }
    if matches!(system, System::Debian | System::Ubuntu) {
        install(&names)
    } else {
        let whose = if system == System::Other { ", as Debian calls it" } else { "" };
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        say(format_args!("please install{whose}: {names}. Going on without; what then cannot run is named."));
        Ok(())
    }
}

/// The tools of this purpose that are not there, in words; empty when all is well.
pub fn lacking(purpose: Purpose) -> Vec<&'static str> {
    NEEDS.iter().filter(|need| need.purpose == purpose && !is_there(need)).map(|need| need.what).collect()
}

fn is_there(need: &Need) -> bool {
    match need.seen {
        Seen::Tool(name) => tool(name).is_some(),
        Seen::OneOf(names) => names.iter().any(|name| tool(name).is_some()),
        Seen::Library(name) => quietly(&mut command("pkg-config", ["--exists", name])),
    }
}

fn install(names: &BTreeSet<&str>) -> Done {
    let lacking: Vec<&str> = names.iter().copied().filter(|name| !dpkg_has(name)).collect();
    if lacking.is_empty() {
        return Err(Stop::new(format!(
            "the system says that {} is installed, and yet its programs are not on the search path",
            names.iter().copied().collect::<Vec<_>>().join(", ")
        )));
    }
    let by_hand = format!("apt-get update && apt-get install -y --no-install-recommends {}", lacking.join(" "));
    let Some(mut update) = apt(&["update"]) else {
        return Err(Stop::new(format!(
            "these packages are missing, and only an administrator may install them. Run this as root, then start again:\n  {by_hand}"
        )));
    };
    say(format_args!("installing {}", lacking.join(", ")));
    // A list that cannot be refreshed may still be good enough; the installation tells.
    if !succeeds(&mut update)? {
        say("the package lists could not be refreshed; trying with those that are here");
    }
    let arguments: Vec<&str> =
        ["install", "-y", "--no-install-recommends"].into_iter().chain(lacking.iter().copied()).collect();
    match apt(&arguments) {
        Some(mut install) => run(&mut install),
        None => Err(Stop::new(format!("sudo is gone; run this as root:\n  {by_hand}"))),
    }
}

/// apt-get with these arguments, by way of sudo where we are not root; nothing where neither is possible.
fn apt(arguments: &[&str]) -> Option<Command> {
    let settings = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let everything = settings.into_iter().chain(arguments.iter().copied());
    if is_root() {
        Some(command("env", everything))
    } else if tool("sudo").is_some() {
        Some(command("sudo", std::iter::once("env").chain(everything)))
    } else {
        None
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn dpkg_has(name: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", name])
        .output()
        .is_ok_and(|output| output.stdout.ends_with(b" installed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_debian_are_treated_as_debian() {
        assert_eq!(System::from_os_release("NAME=\"Debian GNU/Linux\"\nID=debian\n"), System::Debian);
        assert_eq!(System::from_os_release("ID=ubuntu\nID_LIKE=debian\n"), System::Ubuntu);
        assert_eq!(System::from_os_release("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), System::Ubuntu);
    }

    #[test]
    fn ubuntu_is_not_asked_for_a_browser_that_it_ships_as_a_snap() {
        let browser = NEEDS.iter().find(|need| need.purpose == Purpose::Browser).expect("the table has a browser");
        assert_eq!(System::Ubuntu.name_of(browser), None);
        assert_eq!(System::Debian.name_of(browser), Some("chromium"));
    }

    #[test]
    fn a_system_we_do_not_know_is_never_installed_to() {
        assert_eq!(System::from_os_release("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"), System::Fedora);
        assert_eq!(System::from_os_release("ID=arch\n"), System::Arch);
        assert_eq!(System::from_os_release("ID=nixos\nNAME=\"not debian\"\n"), System::Other);
        assert_eq!(System::from_os_release(""), System::Other);
    }

    #[test]
    fn a_program_that_is_nowhere_counts_as_missing() {
        let need = |seen| Need {
            what: "",
            purpose: Purpose::Build,
            seen,
            debian: "x",
            fedora: Some("x"),
            arch: Some("x"),
            macos: Some("x"),
            windows: Some("x"),
        };
        assert!(!is_there(&need(Seen::Tool("no-program-has-this-name"))));
        assert!(is_there(&need(Seen::Tool("cargo"))), "cargo runs this test, so it is on the search path");
        assert!(!dpkg_has("no-package-has-this-name"));
    }
}

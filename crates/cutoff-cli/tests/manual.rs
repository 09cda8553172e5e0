//! What the program says of itself: completions and manual pages, without journal and without network.

mod ground;

use std::io::Write as _;
use std::process::{Command, Stdio};

use ground::{Ended, run};

/// Every command, as the help lists them.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).expect(0).out;
    let listed =
        help.split("Commands:").nth(1).expect("commands").split("Options:").next().expect("options").to_owned();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    let names: Vec<String> = names.into_iter().filter(|name| name != "help").collect();
    assert!(names.len() > 12, "{names:?}");
    names
}

#[test]
fn every_shell_gets_a_script_that_names_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).expect(0).out;
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
        assert!(script.contains("indicators"), "{shell} does not know the flags");
    }
    run(&["completions", "cmd"]).expect(5);
    let bash = run(&["completions", "bash"]).expect(0).out;
    let asked = "\ncomplete -p cutoff >/dev/null && COMP_WORDS=(cutoff wat) COMP_CWORD=1 && \
                 _cutoff cutoff wat cutoff && printf '%s\\n' \"${COMPREPLY[@]}\"";
    let told = Command::new("bash").args(["--norc", "-c", &(bash + asked)]).output();
    if let Ok(told) = told {
        assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "watch", "{}", String::from_utf8_lossy(&told.stderr));
    }
}

#[test]
fn every_command_has_a_manual_page_that_a_typesetter_takes() {
    let dir = tempfile::tempdir().expect("a folder");
    let Ended { out: whole, .. } = run(&["man"]).expect(0);
    run(&["man", "--out-dir", &dir.path().display().to_string()]).expect(0);
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("a page");
    assert_eq!(read("cutoff.1"), whole);
    assert!(whole.contains("Exit codes"));
    let mut pages = vec![whole.clone()];
    for command in commands() {
        // In roff a hyphen that is to be typed is written with a backslash.
        assert!(whole.contains(&format!("cutoff\\-{}(1)", command.replace('-', "\\-"))), "{command}: {whole}");
        let page = run(&["man", &command]).expect(0).out;
        assert_eq!(read(&format!("cutoff-{command}.1")), page);
        assert!(page.contains("\\-\\-state\\-dir"), "{command}");
        pages.push(page);
    }
    run(&["man", "frobnicate"]).expect(5).says(&["frobnicate"]);
    for page in pages {
        // Where there is no typesetter the pages are merely made.
        let Ok(mut groff) = piped(Command::new("groff").args(["-ww", "-man", "-Tascii"])) else { return };
        groff.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("written");
        let told = groff.wait_with_output().expect("it ends");
        assert!(told.status.success() && told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

fn piped(command: &mut Command) -> std::io::Result<std::process::Child> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

//! `cargo xtask demo`: the main job on the built-in sandbox, in a window where there is a display and headless where there is none.
//! What the headless demo does, step by step, is the program `demo` of the package `promises`.

use std::path::PathBuf;

use crate::packages::{Purpose, provide};
use crate::run::{Done, Stop, cargo, command, doing, run as run_command, say, succeeds};
use crate::tree;

/// Runs the demo. `out` is used only without a window.
pub fn run(headless: bool, out: Option<PathBuf>) -> Done {
    if headless || !has_display() { without_a_window(out) } else { in_a_window() }
}

fn in_a_window() -> Done {
    provide(&[Purpose::Build])?;
    run_command(&mut cargo(["build", "--package", "cutoff-desktop"]))?;
    // A state directory of its own: a demo must not touch what somebody works with.
    // Only the folder above is made here: the app makes its own private to the user.
    let demo = tree::target()?.join("demo");
    doing(std::fs::create_dir_all(&demo), format_args!("making {}", demo.display()))?;
    let state = demo.join("state");
    say("opening Cutoff on its sandbox; close the window to end the demo");
    let app = tree::program("debug", "cutoff-desktop")?;
    run_command(command(app, ["--sandbox", "--state-dir"]).arg(state))
}

fn without_a_window(out: Option<PathBuf>) -> Done {
    provide(&[Purpose::Build, Purpose::Window])?;
    let out = match out {
        // Our commands run in the repository's root, while the path was typed where the person stands.
        Some(out) => doing(std::path::absolute(&out), format_args!("{}", out.display()))?,
        None => tree::target()?.join("demo/out"),
    };
    doing(std::fs::create_dir_all(&out), format_args!("making {}", out.display()))?;
    build_programs()?;
    let all_well = succeeds(command(tree::program("debug", "demo")?, ["--out"]).arg(&out))?;
    let transcript = out.join("transcript.json");
    let steps = std::fs::read_to_string(&transcript)
        .map_err(|error| Stop::new(format!("the demo left no {}: {error}", transcript.display())))?;
    let verdict = verdict(&steps);
    say(format_args!("transcript and screenshots: {}", out.display()));
    let count = verdict.map_err(Stop::new)?;
    if !all_well {
        return Err(Stop::new("every step is ok in the transcript, and yet the demo did not end well"));
    }
    say(format_args!("all {count} steps as expected"));
    Ok(())
}

/// The app and the programs that drive it, built together, so that the tests find the same builds and nothing is built twice.
/// This package stays out: Windows does not let a running program be replaced.
pub fn build_programs() -> Done {
    run_command(&mut cargo(["build", "--workspace", "--exclude", "xtask", "--bins"]))
}

/// The number of steps if all are ok, or a sentence that names those that are not.
fn verdict(transcript: &str) -> Result<usize, String> {
    let steps: serde_json::Value =
        serde_json::from_str(transcript).map_err(|error| format!("the transcript is not JSON: {error}"))?;
    let steps = steps.as_array().filter(|steps| !steps.is_empty()).ok_or("the transcript has no steps")?;
    let wrong: Vec<String> = steps
        .iter()
        .filter(|step| step["ok"] != true)
        .map(|step| format!("\n  {}: expected {}, saw {}", step["step"], step["expected"], step["seen"]))
        .collect();
    if wrong.is_empty() {
        Ok(steps.len())
    } else {
        Err(format!("{} of {} steps went wrong:{}", wrong.len(), steps.len(), wrong.concat()))
    }
}

fn has_display() -> bool {
    // Windows and macOS always have one for whoever sits there.
    cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn a_demo_with_one_wrong_step_fails_and_names_it() {
        assert_eq!(verdict(r#"[{"step":"sign in","expected":"a","seen":"a","ok":true}]"#), Ok(1));
        let words =
            verdict(r#"[{"step":"a","ok":true},{"step":"revoke","expected":"gone","seen":"listed","ok":false}]"#)
                .expect_err("one is wrong");
        assert!(words.contains("1 of 2") && words.contains("revoke") && words.contains("listed"), "{words}");
        assert!(verdict(r#"[{"step":"a"}]"#).is_err(), "a step that does not say ok is not ok");
        assert!(verdict("[]").is_err(), "no steps prove nothing");
        assert!(verdict("").is_err());
    }
}

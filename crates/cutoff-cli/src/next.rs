//! The next command to type, as a shell takes it, at the place that this run was pointed at. It runs nothing.

use std::sync::OnceLock;

use crate::flags::Common;
use crate::text::typed;

/// The flags of this run that a next command needs to mean the same place. A fact of the process, as its arguments are: sentences are
/// made in many places, and one of them without these flags would send somebody to another journal. Set once, before the first.
static RUN: OnceLock<Place> = OnceLock::new();

/// Where a run was pointed at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Flags that name the connection.
    connection: Vec<String>,
    /// Flags that name the journal.
    state: Vec<String>,
    /// Whether the session came on standard input.
    handed_over: bool,
    /// Whether JSON was asked for.
    json: bool,
}

impl Place {
    fn of(common: &Common) -> Self {
        let flag = |name: &str, value: Option<&String>| value.map(|value| [name.to_owned(), value.clone()]);
        let connection = [
            flag("--connection", common.connection.as_ref()),
            flag("--base-url", common.base_url.as_ref()),
            flag("--public-token", common.public_token.as_ref()),
            flag("--app-identifier", common.app_identifier.as_ref()),
        ];
        let dir = common.state_dir.as_ref().map(|dir| dir.display().to_string());
        Self {
            connection: connection.into_iter().flatten().flatten().collect(),
            state: flag("--state-dir", dir.as_ref()).into_iter().flatten().collect(),
            handed_over: common.session_token_stdin,
            json: common.json,
        }
    }

    fn command(&self, words: &[&str]) -> String {
        let mut told = vec!["cutoff".to_owned()];
        told.extend(words.iter().map(|word| typed(word)));
        let has = |flag: &str| words.contains(&flag);
        let named = has("--connection") || has("--public-token");
        // What each command takes: `flags.rs` refuses the rest.
        let (connection, state, session) = match words.first() {
            Some(&("verify" | "redact" | "completions" | "man")) => (false, false, false),
            Some(&"connections") => (false, true, false),
            Some(&("sign-in" | "sign-out" | "export" | "erase")) => (!named, true, false),
            Some(&"log") => (!named, true, has("--settle")),
            _ => (!named, true, !has("--offline")),
        };
        let flags = [(connection, &self.connection), (state, &self.state)];
        told.extend(flags.into_iter().filter(|(takes, _)| *takes).flat_map(|(_, flags)| flags).map(|word| typed(word)));
        if session && self.handed_over {
            told.push("--session-token-stdin".to_owned());
        }
        if self.json {
            told.push("--json".to_owned());
        }
        told.join(" ")
    }
}

/// Notes the flags of this run.
pub fn remember(common: &Common) {
    // A second run in one process there is none.
    let _ = RUN.set(Place::of(common));
}

/// A command of this program with its own words, each as a shell takes it, and the flags of this run that it needs to mean the same
/// place. A sentence ends with it: a full stop after it would be typed too.
#[must_use]
pub fn command(words: &[&str]) -> String {
    match RUN.get() {
        Some(place) => place.command(words),
        None => Place::default().command(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_command_means_the_place_of_this_run_and_is_one_that_the_program_takes() {
        use clap::Parser as _;
        let place = Place {
            connection: ["--connection", "Acme's own"].map(str::to_owned).to_vec(),
            state: ["--state-dir", "/tmp/two words"].map(str::to_owned).to_vec(),
            handed_over: true,
            json: false,
        };
        assert_eq!(
            place.command(&["log", "ID", "--settle"]),
            "cutoff log ID --settle --connection 'Acme'\\''s own' --state-dir '/tmp/two words' --session-token-stdin"
        );
        assert_eq!(place.command(&["verify", "a b.zip", "--head", "00"]), "cutoff verify 'a b.zip' --head 00");
        assert_eq!(
            place.command(&["sign-in", "--connection", "other"]),
            "cutoff sign-in --connection other --state-dir '/tmp/two words'"
        );
        let plain = Place { connection: ["--connection", "acme"].map(str::to_owned).to_vec(), state: vec![], ..place };
        for words in [
            &["sign-in"][..],
            &["sign-out"],
            &["connections"],
            &["inventory"],
            &["log"],
            &["log", "ID", "--settle"],
            &["plan", "--failed-of", "ID", "--out", "again.json"],
            &["apply", "plan.json", "--resume", "--yes"],
            &["contain", "--app", "ID", "--yes"],
            &["lift", "ID", "--yes"],
            &["export", "ID", "--out", "PACK"],
            &["verify", "PACK"],
            &["redact", "PACK", "--member", "ID", "--out", "PACK2"],
            &["diff", "--list"],
        ] {
            let told = plain.command(words);
            let line = crate::flags::CommandLine::try_parse_from(told.split(' ')).expect(&told);
            assert!(line.check().is_ok(), "{told}");
        }
    }
}

//! The next command to type, as a shell takes it, at the place that this run was pointed at. It runs nothing.

use std::path::Path;
use std::sync::OnceLock;

use clap::ValueEnum as _;

use crate::flags::{Command, CommandLine, Common, Contain};
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
    /// The words by which this run asks for a containment: which apps, and what was decided. Empty in any other.
    containment: Vec<String>,
    /// All words of this run, but the program's name.
    words: Vec<String>,
}

impl Place {
    fn of(line: &CommandLine) -> Self {
        let containment = match &line.command {
            Command::Contain(flags) if flags.resume.is_none() => containment(flags),
            _ => Vec::new(),
        };
        Self { containment, ..Self::at(&line.common) }
    }

    fn at(common: &Common) -> Self {
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
            containment: Vec::new(),
            words: Vec::new(),
        }
    }

    fn containment(&self) -> Option<String> {
        let words = std::iter::once("contain").chain(self.containment.iter().map(String::as_str));
        (!self.containment.is_empty()).then(|| self.command(&words.collect::<Vec<_>>()))
    }

    fn with(&self, more: &[&str]) -> String {
        // What stands behind a bare -- is no flag.
        let end = self.words.iter().position(|word| word == "--").unwrap_or(self.words.len());
        let (flags, rest) = self.words.split_at(end);
        let flags = flags.iter().map(String::as_str).chain(more.iter().copied());
        let told = flags.chain(rest.iter().map(String::as_str)).map(typed);
        std::iter::once("cutoff".to_owned()).chain(told).collect::<Vec<_>>().join(" ")
    }

    fn another_session(&self, same_member: bool) -> String {
        if self.handed_over {
            // Who signs in here makes a session that this run's command does not use.
            let of = if same_member { " of the same member" } else { "" };
            return format!("Take another{of} from where it came, and hand that over with --session-token-stdin.");
        }
        let who = if same_member { " as the same member" } else { "" };
        format!("Sign in again{who} with: {}", self.command(&["sign-in"]))
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

/// What a containment was asked for with, as flags. Neither `--yes`, since it is to be looked at anew, nor `--out`, since that file may
/// be there by now.
fn containment(flags: &Contain) -> Vec<String> {
    let mut words = Vec::new();
    let lists = [
        ("--app", &flags.app),
        ("--look-alikes-of", &flags.look_alikes_of),
        ("--keep", &flags.keep),
        ("--leave-out", &flags.leave_out),
    ];
    for (flag, values) in lists {
        words.extend(values.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    let unlisted = flags.unlisted.and_then(|choice| choice.to_possible_value());
    let concurrency = flags.concurrency.map(|most| most.to_string());
    let evidence = flags.evidence.as_ref().map(|pack| pack.display().to_string());
    let values = [
        ("--unlisted", unlisted.map(|choice| choice.get_name().to_owned())),
        ("--reason", flags.reason.clone()),
        ("--concurrency", concurrency),
        ("--evidence", evidence),
    ];
    words.extend(values.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten());
    let switches =
        [("--first-party", flags.first_party), ("--block-last", flags.block_last), ("--canary", flags.canary)];
    words.extend(switches.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.to_owned()));
    words
}

/// Notes the flags of this run.
pub fn remember(line: &CommandLine) {
    // A second run in one process there is none.
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let _ = RUN.set(Place { words, ..Place::of(line) });
}

/// The containment that this run asked for, to be looked at anew. `None` where it asked for none, or went on with one: then what was
/// chosen stands in a plan, and no command can be told.
#[must_use]
pub fn containment_anew() -> Option<String> {
    RUN.get().and_then(Place::containment)
}

/// This run's own command with more flags: all that was asked for, and what was missing. A word in capitals among those is to be
/// decided by whoever types it, and is refused as it stands.
#[must_use]
pub fn this_run_with(more: &[&str]) -> String {
    RUN.get().map_or_else(|| Place::default().with(more), |place| place.with(more))
}

/// How somebody whose session is over comes by another: by signing in, or, where it was handed over, from where that one came.
#[must_use]
pub fn another_session(same_member: bool) -> String {
    RUN.get().unwrap_or(&Place::default()).another_session(same_member)
}

/// The name of a new plan's file that nothing has in this folder, so that the command that is told works as it stands; the `nth`
/// such name from 0, where several are told at once.
#[must_use]
pub fn new_plan(stem: &str, nth: usize) -> String {
    let name = |n: usize| if n == 1 { format!("{stem}.json") } else { format!("{stem}-{n}.json") };
    (1..).map(name).filter(|name| Path::new(name).symlink_metadata().is_err()).nth(nth).unwrap_or_default()
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
    fn what_a_containment_was_asked_for_with_is_in_the_command_that_looks_at_it_anew() {
        use clap::Parser as _;
        let read = |words: &[&str]| CommandLine::try_parse_from(words).expect("a command line");
        let run = read(&[
            "cutoff",
            "contain",
            "--app",
            "Data Sync",
            "--app",
            "B",
            "--look-alikes-of",
            "C",
            "--keep",
            "D",
            "--leave-out",
            "E",
            "--unlisted",
            "leave-out",
            "--first-party",
            "--reason",
            "T 1",
            "--block-last",
            "--concurrency",
            "3",
            "--canary",
            "--evidence",
            "a b.zip",
            "--yes",
            "--state-dir",
            "/s",
        ]);
        let told = Place::of(&run).containment().expect("a command");
        assert!(!told.contains("--yes"), "{told}");
        // As it is typed, less the quotes: the same apps and the same decisions.
        let words = told.replace("'Data Sync'", "Data+Sync").replace("'T 1'", "T+1").replace("'a b.zip'", "a+b.zip");
        let words: Vec<String> = words.split(' ').map(|word| word.replace('+', " ")).collect();
        let again = CommandLine::try_parse_from(&words).expect(&told);
        assert!(again.check().is_ok(), "{told}");
        assert_eq!(Place::of(&again), Place::of(&run), "{told}");
        let (Command::Contain(mut asked), Command::Contain(told)) = (run.command, again.command) else {
            panic!("another command")
        };
        asked.yes = false;
        assert_eq!(format!("{asked:?}"), format!("{told:?}"));
        // A file that is there by now is not written again, and what is gone on with was chosen elsewhere.
        let out = Place::of(&read(&["cutoff", "contain", "--app", "B", "--out", "plan.json"]));
        assert_eq!(out.containment().as_deref(), Some("cutoff contain --app B"));
        for other in [&["cutoff", "contain", "--resume", "ID"][..], &["cutoff", "apply", "plan.json"]] {
            assert_eq!(Place::of(&read(other)).containment(), None);
        }
    }

    /// Each command that a sentence ends with is one that the program takes, and no sentence offers one without its choice.
    #[test]
    fn no_sentence_tells_a_command_that_lacks_its_choice() {
        use clap::Parser as _;
        use cutoff::Error;
        use cutoff::plan_file::Unusable;
        use cutoff::policy::Refused;
        for error in [
            Error::PolicyChanged(Vec::new()),
            Error::Block(Refused::NotAsDecided(Vec::new())),
            Error::Block(Refused::UnknownWord("WORD".to_owned())),
            Error::Block(Refused::UnknownKind("ID".into())),
            Error::Block(Refused::IncompleteList),
            Error::Block(Refused::NothingBlocked),
            Error::Journal(journal::Error::RolledBack),
            Error::Plan(Unusable::NotAPlan),
            Error::Plan(Unusable::Block),
            Error::Plan(Unusable::Expired),
            Error::Plan(Unusable::CarriedOut),
            Error::Plan(Unusable::Unfinished),
            Error::Plan(Unusable::OtherMember),
            Error::Plan(Unusable::TooOld),
            Error::Plan(Unusable::Grants),
        ] {
            let told = crate::ending::Ending::from(error).sentence;
            for line in told.lines() {
                let Some((_, command)) = line.split_once("cutoff ") else { continue };
                let words = std::iter::once("cutoff").chain(command.split(' '));
                assert!(CommandLine::try_parse_from(words).is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn a_run_that_lacks_a_flag_is_told_whole_with_it() {
        let words = ["contain", "--app", "Data Sync", "--reason", "it's", "--", "x"].map(str::to_owned).to_vec();
        let place = Place { words, ..Place::default() };
        assert_eq!(
            place.with(&["--keep", "ID", "--yes"]),
            "cutoff contain --app 'Data Sync' --reason 'it'\\''s' --keep ID --yes -- x"
        );
    }

    #[test]
    fn whoever_handed_a_session_over_is_not_told_to_sign_in() {
        let place = Place::default();
        assert_eq!(place.another_session(true), "Sign in again as the same member with: cutoff sign-in");
        let told = Place { handed_over: true, ..place }.another_session(true);
        assert!(told.contains("of the same member") && !told.contains("cutoff sign-in"), "{told}");
    }

    #[test]
    fn a_next_command_means_the_place_of_this_run_and_is_one_that_the_program_takes() {
        use clap::Parser as _;
        let place = Place {
            connection: ["--connection", "Acme's own"].map(str::to_owned).to_vec(),
            state: ["--state-dir", "/tmp/two words"].map(str::to_owned).to_vec(),
            handed_over: true,
            json: false,
            containment: vec![],
            words: vec![],
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

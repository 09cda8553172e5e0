//! What may be typed. It reads the command line and refuses what does not fit together; it does nothing yet.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::ending::Ending;

/// The version, and the commit that it was built from.
static VERSION: LazyLock<&'static str> =
    LazyLock::new(|| Box::leak(format!("{} ({})", env!("CARGO_PKG_VERSION"), cutoff::COMMIT).into_boxed_str()));

/// See which connected apps may act for the members of your organization.
#[derive(Debug, Parser)]
#[command(
    name = "cutoff",
    version = *VERSION,
    after_help = "Exit codes: 0 done, 1 a mistake in Cutoff, 2 partial (what is missing is told), 3 denied, 4 no session, \
                  5 usage or refused before anything was sent, 6 not reachable."
)]
pub struct CommandLine {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "What every command takes")]
pub struct Common {
    /// The saved connection to use, by its name or its id; the one used last when left out.
    #[arg(long, global = true, value_name = "NAME|UUID")]
    pub connection: Option<String>,
    /// Scheme, host and port of the API; Stytch's own for the public token when left out.
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// The public token of the project. Not a secret.
    #[arg(long, global = true, value_name = "TOKEN")]
    pub public_token: Option<String>,
    /// The application identifier that the vendor's project admits; Cutoff's own when left out.
    #[arg(long, global = true, value_name = "ID")]
    pub app_identifier: Option<String>,
    /// Where the journal lies; the platform's data directory when left out.
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Use the session whose token is the first line of standard input, for this command only. It is stored nowhere.
    #[arg(long, global = true)]
    pub session_token_stdin: bool,
    /// Print JSON Lines.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in with a code sent by e-mail, and keep the session in this computer's keyring.
    SignIn(SignIn),
    /// End the session at Stytch and take it out of the keyring.
    SignOut(SignOut),
    /// List the saved connections.
    Connections,
    /// Read every grant of the organization and keep it as a snapshot; with --json one grant a line.
    Inventory(Inventory),
    /// List the connected apps.
    Apps(List),
    /// List the members and how many apps each has connected.
    Members(List),
    /// Make a plan: the exact grants to revoke, as a file. Nothing is sent but reads.
    Plan(Plan),
    /// Carry a plan out: read again, revoke what is still there, read until each outcome is known.
    ///
    /// With --json one grant a line. Its outcome is not_attempted, and never_sent is true, where nothing was sent and it is not known to
    /// be gone.
    Apply(Apply),
    /// Block apps and revoke every grant they have: nobody can consent to them again.
    ///
    /// Ends with 0 when all are gone and the block is in force, with 2 when they are gone and members can consent again.
    /// With --json one grant a line, as apply prints it.
    Contain(Contain),
    /// Take the block of a sweep back: the former policy, exactly. Says which grants returned.
    Lift(Lift),
    /// List the sweeps in the journal, or what one did and what became of each of its grants.
    ///
    /// It asks nobody, unless with --settle.
    Log(Log),
    /// Write the evidence of a sweep as one file, and print its head. It asks nobody.
    Export(Export),
    /// Check a pack without network, keyring or journal.
    ///
    /// Exit codes: 0 it holds together (and is unchanged, with --head), 2 it does, and its sweep is unfinished, 5 it is broken or
    /// not what the head was noted of.
    Verify(Verify),
    /// Take a member's texts out of a pack.
    ///
    /// Its head stays what it was; table and report go, since they may hold the same texts.
    Redact(Redact),
    /// Erase a member's name, address and reasons from every sweep and snapshot in the journal. The sweeps still verify.
    Erase(Erase),
    /// Read the inventory again and again and say which grants came back.
    ///
    /// That is a revoked grant that is seen again, or a look-alike that a member connects who lost one. Each is told once, also
    /// across restarts and the window. On the way it does what is due for earlier sweeps: settles what is not known, and confirms what
    /// is gone by a second read, ten minutes later. Ends when it is interrupted, with 2 if something came back and 0 if nothing did, and with 4
    /// when the session is over.
    Watch(Watch),
    /// What is different between two snapshots; by default between the one last looked at, or the first, and the latest.
    Diff(Diff),
    /// Print the completions for a shell.
    Completions(Completions),
    /// Print the manual page, or that of one command.
    Man(Man),
}

/// Flags of `sign-in`.
#[derive(Debug, Args)]
pub struct SignIn {
    /// The address to send the code to; asked for when left out.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// The organization to sign in to, by its id or its slug; asked for when left out and there are several.
    #[arg(long, value_name = "ID|SLUG")]
    pub organization: Option<String>,
    /// Ask nothing: refuse where something would have to be asked.
    #[arg(long)]
    pub no_input: bool,
}

/// Flags of `sign-out`.
#[derive(Debug, Args)]
pub struct SignOut {
    /// Forget the session here also when the server cannot be told; it stays valid there until it ends by itself.
    #[arg(long)]
    pub even_if_unreachable: bool,
}

/// Flags of `inventory`.
#[derive(Debug, Args)]
pub struct Inventory {
    /// Ask nobody: print the last snapshot, with its age on standard error.
    #[arg(long)]
    pub offline: bool,
    /// Which grants.
    #[command(flatten)]
    pub filter: Filters,
}

/// Flags of `apps` and `members`.
#[derive(Debug, Args)]
pub struct List {
    /// Ask nobody: use the last snapshot, however old it is.
    #[arg(long)]
    pub offline: bool,
    /// Use the last snapshot if it is no older than so many minutes, else read anew.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    pub max_age: u32,
    /// One row for each client, also where several look alike.
    #[arg(long)]
    pub each: bool,
    /// Which grants.
    #[command(flatten)]
    pub filter: Filters,
}

/// What rows must be like. All that is given must hold; of a flag given several times any one suffices.
#[derive(Debug, Default, Args)]
pub struct Filters {
    /// Words that must occur in the app's or the member's texts or in a scope.
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// An app, by its id or its exact name.
    #[arg(long, value_name = "ID|NAME")]
    pub app: Vec<String>,
    /// A member, by id, e-mail address or exact name.
    #[arg(long, value_name = "ID|ADDRESS|NAME")]
    pub member: Vec<String>,
    /// Members with this role.
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,
    /// Members with this status, such as active or invited; unknown for those whom search does not return.
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,
    /// Grants with this scope.
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// Apps of this client type, such as third_party.
    #[arg(long = "type", value_name = "TYPE")]
    pub client_type: Vec<String>,
    /// Grants of this width: 0 no scopes, 1 narrow, 2 wider, 3 wide.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=3))]
    pub width: Vec<u8>,
    /// Grants that were not there when the inventory was last looked at.
    #[arg(long)]
    pub new: bool,
    /// Apps that look like others, and those that are odd beside them.
    #[arg(long)]
    pub look_alikes: bool,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["app", "member", "grant", "matching", "indicators", "failed_of"])))]
pub struct Plan {
    /// Every grant of an app, by its id or its exact name.
    #[arg(long, value_name = "ID|NAME")]
    pub app: Vec<String>,
    /// Every grant of a member, by id, e-mail address or exact name.
    #[arg(long, value_name = "ID|ADDRESS|NAME")]
    pub member: Vec<String>,
    /// One grant, by the member's id and the app's. One that the inventory does not list is named, stays in the plan, and makes it
    /// end with 2.
    #[arg(long, value_name = "MEMBER:APP")]
    pub grant: Vec<String>,
    /// Every grant in which these words occur, as with --filter.
    #[arg(long = "match", id = "matching", value_name = "FILTER")]
    pub matching: Vec<String>,
    /// Every grant of an earlier sweep that another request may still help: refused, failed, still listed, hidden or not known.
    #[arg(long, value_name = "SWEEP")]
    pub failed_of: Option<String>,
    /// Look for the client ids and names of an advisory and plan every grant of the apps that are found: JSON (an array,
    /// a list under `indicators`, or JSON Lines), a CSV with columns client_id, id or name, or one a line; of a link the client ids in
    /// it count. Nothing found and everything read ends with 0, anything unread with 2.
    #[arg(long, value_name = "FILE")]
    pub indicators: Option<PathBuf>,
    /// Write what was found, also that nothing was, as evidence to this file; a pack that is there is replaced.
    #[arg(long, value_name = "PACK", requires = "indicators")]
    pub evidence: Option<PathBuf>,
    /// Take in apps whose names only look like an indicator.
    #[arg(long, requires = "indicators")]
    pub look_alikes: bool,
    /// Takes the vendor's own apps in: revoking them may break its command line or mobile app.
    #[arg(long)]
    pub first_party: bool,
    /// The reason or ticket; it stands in the evidence.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The file to write; it must not be there yet. With --indicators it may be left out.
    #[arg(long, value_name = "FILE", required_unless_present = "indicators")]
    pub out: Option<PathBuf>,
    /// Use the last snapshot if it is no older than so many minutes, else read anew.
    #[arg(long, value_name = "MINUTES", default_value_t = 10)]
    pub max_age: u32,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The plan's file. With --resume also the id of a sweep that was begun on this computer.
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Only the plan with this hash, or with one that begins so (8 digits at least): `cutoff plan` and `contain --out` print it. A
    /// plan of which a grant, the expiry or anything else was edited has another hash, so note it where the file is not.
    #[arg(long, value_name = "HASH", value_parser = crate::apply::beginning)]
    pub expect_hash: Option<String>,
    /// Go on with an unfinished sweep of this plan, or begin one.
    #[arg(long)]
    pub resume: bool,
    /// Requests at once at the most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: Option<u16>,
    /// Revoke one, then five, then the rest, and stop between them when too many of those failed.
    #[arg(long)]
    pub canary: bool,
    /// Write the evidence of the whole sweep, all its runs, to this file, also when it ends early; a pack that is there is replaced.
    #[arg(long, value_name = "PACK")]
    pub evidence: Option<PathBuf>,
    /// For a plan with a block: revoke and read first, then block. Proves more, and leaves a minute to consent again.
    #[arg(long)]
    pub block_last: bool,
    /// Yes, revoke them. Without it the plan is shown and nothing is sent.
    #[arg(long)]
    pub yes: bool,
}

/// Flags of `contain`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true).args(["app", "look_alikes_of", "resume"])))]
pub struct Contain {
    /// An app to block, by its id or its exact name. By its id also one that has no grants, or that no list names.
    #[arg(long, value_name = "ID|NAME")]
    pub app: Vec<String>,
    /// An app to block together with those that are of one name and type with it. What only looks like them is not among
    /// those, and is named.
    #[arg(long, value_name = "ID|NAME")]
    pub look_alikes_of: Vec<String>,
    /// An app that stays allowed although it looks like others, is new, or is not listed now.
    #[arg(long, value_name = "ID")]
    pub keep: Vec<String>,
    /// An app that is forbidden too, and keeps the grants it has.
    #[arg(long, value_name = "ID")]
    pub leave_out: Vec<String>,
    /// What becomes of apps that an earlier reading knew and the list lacks now, where a new list has to name who stays allowed.
    #[arg(long, value_name = "CHOICE")]
    pub unlisted: Option<Choice>,
    /// Takes the vendor's own apps in: blocking them may break its command line or mobile app.
    #[arg(long)]
    pub first_party: bool,
    /// The reason or ticket; it stands in the evidence.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Revoke and read first, then block. Proves more, and leaves a minute to consent again.
    #[arg(long)]
    pub block_last: bool,
    /// Requests at once at the most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: Option<u16>,
    /// Revoke one, then five, then the rest, and stop between them when too many of those failed.
    #[arg(long)]
    pub canary: bool,
    /// Write the evidence of the whole sweep, all its runs, to this file, also when it ends early; a pack that is there is replaced.
    #[arg(long, value_name = "PACK", conflicts_with = "out")]
    pub evidence: Option<PathBuf>,
    /// Only make the plan, as a file for `cutoff apply`; it must not be there yet.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["yes", "resume"])]
    pub out: Option<PathBuf>,
    /// Go on with a containment that was begun on this computer.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["app", "look_alikes_of", "keep", "leave_out", "unlisted", "first_party", "reason", "block_last"])]
    pub resume: Option<String>,
    /// Yes, block and revoke them. Without it what would be done is told and nothing is sent.
    #[arg(long)]
    pub yes: bool,
}

/// What becomes of an app that is not to be blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// It stays allowed.
    Keep,
    /// It is forbidden too, and keeps the grants it may have.
    LeaveOut,
}

/// Flags of `lift`.
#[derive(Debug, Args)]
pub struct Lift {
    /// The sweep whose block is lifted.
    #[arg(value_name = "SWEEP")]
    pub sweep: String,
    /// Take back only what the block did where somebody has changed the policy since.
    #[arg(long)]
    pub over_changes: bool,
    /// Yes, lift it. Without it what would be done is told and nothing is changed.
    #[arg(long)]
    pub yes: bool,
}

/// Flags of `log`.
#[derive(Debug, Args)]
pub struct Log {
    /// The sweep whose grants are listed.
    #[arg(value_name = "SWEEP")]
    pub sweep: Option<String>,
    /// Walk the chain of each sweep in the journal instead and say whether it is sound; ends with 5 if one is not.
    #[arg(long, conflicts_with_all = ["sweep", "settle"])]
    pub verify: bool,
    /// First read again what is due, which needs a session: what is not yet known is settled, and what was found gone at least ten
    /// minutes ago is confirmed. It never revokes anything.
    #[arg(long)]
    pub settle: bool,
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The sweep's id, as log prints it.
    #[arg(value_name = "SWEEP")]
    pub sweep: String,
    /// The file to write; a pack that is there already is replaced.
    #[arg(long, value_name = "PACK")]
    pub out: PathBuf,
    /// Also write a request for a timestamp of the pack's head (RFC 3161), to be sent to an authority of your own choice. It must
    /// not be there yet, and is sent nowhere.
    #[arg(long, value_name = "FILE")]
    pub timestamp_request: Option<PathBuf>,
}

/// Flags of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The pack.
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,
    /// The head that was noted, of the pack or of its rows. Without it a pack that was made anew after a change is not found out.
    #[arg(long, value_name = "HEAD")]
    pub head: Option<String>,
}

/// Flags of `redact`.
#[derive(Debug, Args)]
pub struct Redact {
    /// The pack.
    #[arg(value_name = "PACK")]
    pub pack: PathBuf,
    /// The member's id.
    #[arg(long, value_name = "ID")]
    pub member: String,
    /// The reason as well, whoever gave it: it may name the member.
    #[arg(long)]
    pub reason: bool,
    /// The file to write; a pack that is there already is replaced.
    #[arg(long, value_name = "PACK")]
    pub out: PathBuf,
}

/// Flags of `erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// The member's id.
    #[arg(value_name = "MEMBER")]
    pub member: String,
    /// The reason of this sweep as well, whoever gave it: it may name the member. May be given several times.
    #[arg(long, value_name = "SWEEP")]
    pub reason_of: Vec<String>,
    /// Yes, erase it for good.
    #[arg(long)]
    pub yes: bool,
}

/// Flags of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Minutes between two readings.
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub every: u32,
    /// The same in seconds.
    #[arg(long, hide = true, conflicts_with = "every")]
    pub every_seconds: Option<u64>,
    /// Read once. Ends with 0 if nothing came back, and with 2 if something did, a block was undone, or something could not be read.
    /// Apps that the policy hides do not count as that: nobody can consent to them.
    #[arg(long, conflicts_with_all = ["every", "every_seconds"])]
    pub once: bool,
}

/// Flags of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier snapshot's number.
    #[arg(value_name = "FROM")]
    pub from: Option<u32>,
    /// The later snapshot's number; the latest when left out.
    #[arg(value_name = "TO")]
    pub to: Option<u32>,
    /// List the snapshots instead.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub list: bool,
    /// Once it is printed, note that the latest was looked at, as the window does: from then on new means new since that one.
    #[arg(long, conflicts_with_all = ["from", "to", "list"])]
    pub looked: bool,
}

/// Flags of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Flags of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The command.
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
    /// Write every page into this folder instead, as cutoff.1, cutoff-plan.1 and so on.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out_dir: Option<PathBuf>,
}

impl CommandLine {
    /// Reads the command line. Help and version are printed, and are no error.
    ///
    /// # Errors
    /// The code to end with, once everything has been said.
    pub fn read() -> Result<Self, u8> {
        let read = Self::try_parse().map_err(|refused| {
            let asked_for = !refused.use_stderr();
            if asked_for {
                // Whoever asked for help and closed the pipe has had enough of it.
                let _ = refused.print();
                return crate::ending::DONE;
            }
            crate::say(without_secrets(&refused.render().to_string(), std::env::args()).trim_end());
            crate::ending::USAGE
        })?;
        read.check().map_err(|ending| {
            crate::say(&ending.sentence);
            ending.code
        })?;
        Ok(read)
    }

    /// What clap cannot tell of flags that may stand before or after the command's name.
    pub fn check(&self) -> Result<(), Ending> {
        let common = &self.common;
        if common.public_token.is_none() {
            for (given, flag) in
                [(common.base_url.is_some(), "--base-url"), (common.app_identifier.is_some(), "--app-identifier")]
            {
                if given {
                    return Err(Ending::usage(format!(
                        "{flag} says where to sign in only together with --public-token."
                    )));
                }
            }
        } else if common.connection.is_some() {
            return Err(Ending::usage(
                "--connection names a saved connection and --public-token another place. Give one of them.",
            ));
        }
        if common.session_token_stdin {
            match &self.command {
                Command::SignIn(_) => {
                    return Err(Ending::usage(
                        "sign-in makes a session of its own: it takes no --session-token-stdin.",
                    ));
                }
                Command::SignOut(_) => {
                    return Err(Ending::usage(
                        "sign-out ends the session that the keyring keeps: it takes no --session-token-stdin.",
                    ));
                }
                Command::Connections | Command::Completions(_) | Command::Man(_) => {
                    return Err(Ending::usage("That needs no session: it takes no --session-token-stdin."));
                }
                Command::Inventory(Inventory { offline: true, .. })
                | Command::Apps(List { offline: true, .. })
                | Command::Members(List { offline: true, .. }) => {
                    return Err(Ending::usage(
                        "--offline asks nobody, so no session is used: it does not go with --session-token-stdin.",
                    ));
                }
                Command::Log(Log { settle: false, .. })
                | Command::Export(_)
                | Command::Verify(_)
                | Command::Redact(_)
                | Command::Erase(_) => {
                    return Err(Ending::usage("That asks nobody: it takes no --session-token-stdin."));
                }
                Command::Inventory(_)
                | Command::Apps(_)
                | Command::Members(_)
                | Command::Plan(_)
                | Command::Apply(_)
                | Command::Log(_)
                | Command::Watch(_)
                | Command::Contain(_)
                | Command::Lift(_)
                | Command::Diff(_) => {}
            }
        }
        Ok(())
    }
}

/// A refusal without the words of the command line that could be a secret: somebody who puts a session token where none belongs
/// should not find it in a log as well.
fn without_secrets(refusal: &str, words: impl Iterator<Item = String>) -> String {
    const KNOWN: [&str; 5] = ["public-token-", "member-", "connected-app-", "organization-", "--"];
    let secret = |part: &str| {
        part.len() >= 32
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+/=".contains(c))
            && !KNOWN.iter().any(|known| part.starts_with(known))
    };
    let mut told = refusal.to_owned();
    for word in words {
        let value =
            word.split_once('=').filter(|(flag, _)| flag.starts_with('-')).map_or(word.as_str(), |(_, value)| value);
        for part in [word.as_str(), value] {
            if secret(part) {
                told = told.replace(part, "(hidden)");
            }
        }
    }
    crate::text::lines(&told)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_token_put_in_the_wrong_place_is_not_repeated() {
        let token = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY";
        let words = |given: String| ["cutoff".to_owned(), given].into_iter();
        for given in [token.to_owned(), format!("--session-token-stdin={token}")] {
            let told = without_secrets(&format!("error: unexpected argument '{token}' found"), words(given));
            assert!(!told.contains(token) && told.contains("(hidden)"), "{told}");
        }
        let flag = "--a-flag-of-a-length-that-no-real-one-has";
        assert!(without_secrets(&format!("unexpected argument '{flag}'"), words(flag.to_owned())).contains(flag));
    }
}

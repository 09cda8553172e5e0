//! How the program ends: a code for scripts, and a sentence with the next step for people. It prints nothing itself.

use cutoff::permission::Denial;
use cutoff::plan_file::Unusable;
use cutoff::policy::{Difference, Kind, Refused};
use cutoff::session::Session;
use cutoff::{Error, Fault, Field};
use stytch_b2b::{Cause, Error as ApiError};
use vault::Trouble;

use crate::next::{another_session, command, containment_anew, new_plan};
use crate::text::{lines, safe};

/// Everything was done.
pub const DONE: u8 = 0;
/// A mistake of ours, or of the machine we run on after something was sent.
pub const BROKEN: u8 = 1;
/// Something is missing from what was done, and it was told what.
pub const PARTIAL: u8 = 2;
/// The server, the project or the policy does not allow it.
pub const DENIED: u8 = 3;
/// There is no session, or none could be had or kept.
pub const SESSION: u8 = 4;
/// The command line, or refused before anything was sent.
pub const USAGE: u8 = 5;
/// No answer that could be used.
pub const UNREACHABLE: u8 = 6;

/// An end before everything was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The exit code.
    pub code: u8,
    /// What happened and what to do next. Empty: nobody is left to be told.
    pub sentence: String,
}

impl Ending {
    /// An end with a code and a sentence.
    pub fn new(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// An end before anything was sent, for a reason that lies in what was asked.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::new(USAGE, sentence)
    }

    /// An end because the output takes no more. One that was closed by its reader has had enough, which is no failure.
    pub fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::new(DONE, "")
        } else {
            Self::new(BROKEN, format!("The output cannot be written: {error}."))
        }
    }

    /// The end for a journal that could not be opened: nothing was sent.
    pub fn journal_not_opened(error: &journal::Error) -> Self {
        Self::new(USAGE, format!("The journal cannot be opened. {}", journal_sentence(error)))
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        match error {
            Error::BadInput { field, fault } => Self::usage(bad_input(field, fault)),
            Error::UnknownHost { base_url } => Self::usage(format!(
                "{} is not a host of Stytch's. Add it in the window, where it can be looked at and confirmed.",
                safe(&base_url)
            )),
            Error::SignedOut { request_id, .. } => Self::new(
                SESSION,
                format!(
                    "Your session has ended: Stytch no longer accepts it{}. {}",
                    request(request_id.as_deref()),
                    another_session(false)
                ),
            ),
            Error::NotAllowed(denial) => Self::new(DENIED, denied(&denial)),
            Error::Api(error) => api(&error),
            Error::Journal(error @ journal::Error::RolledBack) => Self::usage(journal_sentence(&error)),
            Error::Journal(error) => Self::new(
                // A disk without room, or that fails, is no mistake of ours, and nothing was sent.
                if takes_no_more(&error) { USAGE } else { BROKEN },
                format!(
                    "The journal could not be used after it was opened. {} No revoke and no change of the policy was sent.",
                    journal_sentence(&error)
                ),
            ),
            Error::JournalAfterSending(error) => Self::new(
                BROKEN,
                format!(
                    "The journal failed after a request had left; the next start settles it by reading. {}",
                    journal_sentence(&error)
                ),
            ),
            Error::Keyring(trouble) => Self::new(SESSION, keyring(trouble)),
            Error::NoOrganization => Self::new(
                SESSION,
                "No organization was found: this address or slug leads to none. Check the spelling, or ask the organization's \
                 administrator for an invitation.",
            ),
            Error::NothingRead => {
                Self::usage(format!("Nothing was read yet. Read it with: {}", command(&["inventory"])))
            }
            Error::Cancelled => Self::new(
                PARTIAL,
                format!("Stopped. Nothing of this reading was kept; start it again with: {}", command(&["inventory"])),
            ),
            Error::WidthRules(fault) => Self::usage(format!("The rules of width cannot be used: {fault:?}.")),
            Error::Busy { pid } => Self::usage(match pid {
                Some(pid) => {
                    format!("Another revoke is running, in process {pid}. Wait until it has finished, then try again.")
                }
                None => "Another revoke is running. Wait until it has finished, then try again.".to_owned(),
            }),
            Error::Plan(unusable) => Self::usage(plan(unusable)),
            Error::Block(refused) => Self::usage(not_blocked(&refused)),
            Error::PolicyChanged(differs) => Self::usage(format!(
                "The organization's policy is not what the plan was made for, so nothing was sent: {}. Another administrator has changed \
                 it, or another sweep. See: {}\n{}",
                differing(&differs),
                command(&["log"]),
                block_anew()
            )),
            Error::PlanChanged => {
                Self::usage("Something changed since it was looked at, so nothing was sent. Look again.")
            }
            Error::OutOfOrder => {
                let next = command(&["sign-in"]);
                Self::new(SESSION, format!("The sign-in has moved on or has expired. Start it again with: {next}"))
            }
            Error::NotSignedOutAtServer(error) => {
                let Ending { code, sentence } = api(&error);
                Self::new(
                    code,
                    format!(
                        "Still signed in at Stytch: the server could not be told. Try again when it can be reached, or forget the session \
                         here only with --even-if-unreachable. {sentence}"
                    ),
                )
            }
        }
    }
}

/// Whether it is the disk, or whoever else uses the file, that keeps the journal from being written, and not the journal itself.
#[must_use]
pub fn takes_no_more(error: &journal::Error) -> bool {
    matches!(error, journal::Error::Full | journal::Error::Denied(_) | journal::Error::Busy | journal::Error::Disk(_))
}

fn bad_input(field: Field, fault: Fault) -> String {
    match (field, fault) {
        (Field::PublicToken, Fault::Secret) => {
            "That is a project secret. No app needs it: keep it to your servers, and give the public token."
        }
        (Field::PublicToken, _) => {
            "A public token reads public-token-test- or public-token-live-, followed by a UUID in lower case."
        }
        (Field::BaseUrl, Fault::PlainHttp) => {
            "Plain http is for this computer only (127.0.0.1, localhost), with a test token. Give an https URL."
        }
        (Field::BaseUrl, Fault::Extras) => {
            "Give scheme, host and port of the API only: no path, query, fragment or credentials."
        }
        (Field::BaseUrl, _) => "The base URL reads https://host or https://host:port.",
        (Field::Email, _) => "An e-mail address has a name, an @ and a domain, without blanks. Nothing was sent.",
        (Field::Code, _) => "The code is the six digits of the e-mail. Nothing was sent.",
        (Field::OrganizationId, _) => {
            "This address does not belong to that organization. Give one of those it belongs to."
        }
        (Field::OrganizationSlug, _) => "An organization's slug has 2 to 128 letters, digits, or the signs - . _ ~.",
        (Field::AppIdentifier | Field::SdkIdentifier, _) => {
            "An identifier is visible text of at most 200 characters, such as com.example.app."
        }
        (Field::ConnectionId, _) => {
            return format!(
                "There is no such connection, or it was changed since it was saved. See: {}",
                command(&["connections"])
            );
        }
        (Field::Snapshot, _) => {
            return format!(
                "There are no two such snapshots of this organization, the earlier first. See: {}",
                command(&["diff", "--list"])
            );
        }
        (Field::MemberId, _) => "There is no such member.",
        (Field::ConnectedAppId, _) => "There is no such connected app.",
    }
    .to_owned()
}

fn request(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" (request id {})", safe(id)))
}

fn denied(denial: &Denial) -> String {
    let mut told = if denial.asked {
        "Your role does not allow this: Stytch refused, and that request changed nothing.".to_owned()
    } else {
        "By the policy, your roles do not allow this. Nothing was sent.".to_owned()
    };
    if let Some(needs) = &denial.needs {
        told.push_str(&format!(" It needs {} on {}.", safe(&needs.action), safe(&needs.resource)));
    }
    told.push_str(&format!(" Your roles: {}.", listed(&denial.your_roles)));
    if denial.needs.is_some() {
        told.push_str(&format!(
            " Roles that hold it: {}. Ask an administrator of the organization for one of them.",
            listed(&denial.roles_that_hold_it)
        ));
    } else {
        told.push_str(" Ask an administrator of the organization for another role.");
    }
    // What was known when one signed in is not what the server goes by.
    if denial.asked && denial.your_roles.iter().any(|role| denial.roles_that_hold_it.contains(role)) {
        told.push_str(" As last read, one of yours holds it: it was taken away, or the policy was changed since.");
    }
    told + &request(denial.request_id.as_deref())
}

fn listed(words: &[String]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.iter().map(|word| safe(word)).collect::<Vec<_>>().join(", ")
    }
}

/// Why the keyring does not do, and what helps.
#[must_use]
pub fn keyring(trouble: Trouble) -> String {
    let (why, next) = match trouble {
        Trouble::Missing => ("this computer has no keyring service", "Start one"),
        Trouble::Locked => ("it is locked", "Unlock it"),
        Trouble::Refused => ("it refused", "Look at it with the system's own tool"),
        Trouble::TimedOut => ("it did not answer in time", "Answer its prompt if there is one"),
        Trouble::TooLong => ("the session is longer than a keyring can hold", "Ask the vendor for shorter sessions"),
    };
    format!("The keyring cannot be used: {why}. {next} and try again, or give a session with --session-token-stdin.")
}

/// What a refusal means that came after something was asked for: where a permission is missing, with what is known of who holds it.
#[must_use]
pub fn refusal(session: Option<&Session>, error: &ApiError) -> Ending {
    match (session, error) {
        (Some(session), ApiError::NotAllowed { needs, facts }) => {
            let request = facts.request_id.as_ref().map(ToString::to_string);
            Error::NotAllowed(Box::new(session.denial(needs.clone(), request, true))).into()
        }
        _ => api(error),
    }
}

/// What an answer, or the lack of one, means for whoever asked.
#[must_use]
pub fn api(error: &ApiError) -> Ending {
    let facts = error.facts();
    let (code, told) = match error {
        ApiError::SignedOut(_) => {
            (SESSION, "Your session has ended: Stytch no longer accepts it.".to_owned())
        }
        ApiError::CodeRejected(_) => (
            SESSION,
            "The code was not accepted. It is wrong, used, or too old; only the newest code works.".to_owned(),
        ),
        ApiError::NotAllowed { needs: Some(needs), .. } => (
            DENIED,
            format!(
                "Your role does not allow this: it needs {} on {}. Ask an administrator of the organization for a role that \
                 holds it.",
                safe(&needs.action),
                safe(&needs.resource)
            ),
        ),
        ApiError::NotAllowed { needs: None, .. } => (
            DENIED,
            "Your role does not allow this. Ask an administrator of the organization for another role.".to_owned(),
        ),
        ApiError::WrongOrganization(_) | ApiError::OrganizationSuspended(_) => (
            DENIED,
            "The organization was refused: it is suspended, or the session belongs to another one. Ask your vendor whether it \
             is suspended, or sign in to the right one."
                .to_owned(),
        ),
        ApiError::BundleIdNotRegistered { identifier, .. } => (
            DENIED,
            format!(
                "The vendor's project does not admit Cutoff yet. Whoever owns the Stytch project adds {} to the allowed bundle \
                 ids in the dashboard's SDK configuration.",
                safe(identifier)
            ),
        ),
        ApiError::DomainRefused(_) => (
            DENIED,
            "The vendor's project took Cutoff for a web page of a domain that it does not know. Give the request id to your \
             vendor."
                .to_owned(),
        ),
        ApiError::SdkEndpointOff(_) => (
            DENIED,
            "A switch of the project is off. Whoever owns the Stytch project switches member actions and organization \
             modifications on, in the dashboard's SDK configuration."
                .to_owned(),
        ),
        ApiError::CaptchaRequired(_) => (
            DENIED,
            "Bot protection blocks Cutoff: the project asks for a captcha, which only a web page can show. The project's owner \
             can take e-mail codes for desktop apps out of it; trying again will not help."
                .to_owned(),
        ),
        ApiError::CookiesOnly(_) => (
            DENIED,
            "The project gives sessions to browsers only. The project's owner can change the cookie setting from enforced to \
             enabled in the SDK configuration."
                .to_owned(),
        ),
        ApiError::MemberNotFound(_) => (DENIED, "Stytch knows no such member.".to_owned()),
        ApiError::ConnectedAppNotFound(_) => {
            (DENIED, "The app is not connected any more.".to_owned())
        }
        ApiError::NotFound(_) | ApiError::Refused(_) | ApiError::BadRequest { .. } => (
            DENIED,
            "Stytch refused, and nothing was changed. Give the request id to your vendor if the reason does not help.".to_owned(),
        ),
        ApiError::InvalidInput { .. } => (USAGE, error.to_string()),
        ApiError::RateLimited { retry_after, .. } => (
            UNREACHABLE,
            match retry_after {
                Some(wait) => format!("Too many calls just now: Stytch asks to wait {} s. Then try again.", wait.as_secs()),
                None => "Too many calls just now. Stytch did not say how long to wait; limits are mostly counted by the minute, so try \
                         again in about one, which is a guess."
                    .to_owned(),
            },
        ),
        ApiError::ServerError(_) => {
            (UNREACHABLE, "Stytch has a fault of its own. Wait a little, then try again.".to_owned())
        }
        ApiError::Redirected { to_host, .. } => (
            UNREACHABLE,
            format!(
                "The answer points elsewhere{}, and that was not followed. Check the base URL, and whether this network asks to \
                 sign in.",
                to_host.as_ref().map_or_else(String::new, |host| format!(", to {}", safe(host)))
            ),
        ),
        ApiError::Garbled { .. } => (
            UNREACHABLE,
            "The answer could not be read: something answered, but not the way Stytch does. Often a network that asks to sign \
             in first; open a browser and look."
                .to_owned(),
        ),
        ApiError::Unreachable { cause, .. } => (
            UNREACHABLE,
            format!(
                "The server cannot be reached: {}. Check the network, a VPN, or a firewall that asks to sign in.",
                match cause {
                    Cause::Dns => "the host's name could not be found",
                    Cause::Refused => "the host refused the connection",
                    Cause::Tls => "no secure connection could be made",
                    Cause::TimedOut => "no answer came in time",
                    Cause::Reset => "the connection broke off",
                    Cause::Other => "the network did not carry it",
                }
            ),
        ),
    };
    let known: Vec<String> = [
        facts.status.map(|status| format!("status {status}")),
        facts.error_type.as_ref().map(|word| safe(word)),
        facts.request_id.as_ref().map(|id| format!("request id {}", safe(id.as_ref()))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    // Last, and with nothing after it that would be typed too.
    let next = match error {
        ApiError::SignedOut(_) => format!(" {}", another_session(false)),
        ApiError::CodeRejected(_) => format!(" Start again with: {}", command(&["sign-in"])),
        ApiError::MemberNotFound(_) | ApiError::ConnectedAppNotFound(_) => {
            format!(" Read again with: {}", command(&["inventory"]))
        }
        _ => String::new(),
    };
    Ending::new(code, told + &known + &next)
}

fn journal_sentence(error: &journal::Error) -> String {
    use journal::Error as E;
    match error {
        E::Newer { .. } => "It was written by a newer version of Cutoff. Use that version, or a newer one.".to_owned(),
        E::NotAJournal => {
            "The file in its place is not a journal of Cutoff. Move that file away, or give another folder with \
                           --state-dir."
                .to_owned()
        }
        E::Full => "The disk is full. Free some space, then try again.".to_owned(),
        E::Denied(_) => {
            "This user may not write to its folder. Give this user the right to, or give another folder with \
                         --state-dir."
                .to_owned()
        }
        E::Corrupt(_) => {
            "The file is damaged. Keep it for whoever looks into it, and give another folder with --state-dir."
                .to_owned()
        }
        E::Busy => "Another program holds it. Close the other program, then try again.".to_owned(),
        E::RolledBack => format!(
            "This journal is an older copy of itself: the keyring remembers rows that are not in it. What it calls unfinished may have \
             been done since, and rightly consented to again, so it is not resumed and nothing was sent. Make a new plan of what is still \
             listed: {CHOOSE}"
        ),
        E::NoSuchSnapshot(number) => {
            format!("There is no snapshot {number} in it any more. See: {}", command(&["diff", "--list"]))
        }
        other => lines(&format!("It says: {other}. Try again; if it stays, give another folder with --state-dir.")),
    }
}

/// What is different about a policy, in a few words.
#[must_use]
pub fn differing(differs: &[Difference]) -> String {
    let told = differs.iter().map(|part| {
        let whose = match part.kind {
            Kind::FirstParty => "first-party apps",
            Kind::ThirdParty => "third-party apps",
        };
        let mut words = Vec::new();
        if let Some((was, is)) = &part.word {
            words.push(format!("{} instead of {}", safe(is), safe(was)));
        }
        for (ids, what) in [(&part.added, "also"), (&part.removed, "no longer")] {
            if !ids.is_empty() {
                let shown: Vec<String> = ids.iter().take(5).map(|id| safe(id.as_str())).collect();
                let more = if ids.len() > 5 { format!(" and {} more", ids.len() - 5) } else { String::new() };
                words.push(format!("{what} allowed: {}{more}", shown.join(", ")));
            }
        }
        format!("{whose}: {}", words.join("; "))
    });
    told.collect::<Vec<_>>().join(". ")
}

/// Why an app cannot be blocked, and what to do.
fn not_blocked(refused: &Refused) -> String {
    match refused {
        Refused::IncompleteList => {
            format!(
                "The list of apps is not whole, and one made of a part would forbid the others. Nothing was sent; read it again \
                 with: {}",
                command(&["inventory"])
            )
        }
        Refused::AlreadyForbidden { missing, .. } if !missing.is_empty() => {
            "The policy forbids that already, so nothing was changed; but not everything could be read, so whether there are grants is \
             not known. Nothing was sent. Try again."
                .to_owned()
        }
        Refused::AlreadyForbidden { .. } => {
            format!(
                "The policy forbids that already and no grant is listed: already forbidden, nothing to change. Nothing was sent. While the \
                 policy forbids an app, no list would show what grants it may still have. A block that was made from here is lifted with \
                 its own sweep; see: {}",
                command(&["log"])
            )
        }
        Refused::Undecided(_) => {
            "Some apps look like others, are new, or are not listed now, and nobody has decided whether they stay allowed. Nothing was sent."
                .to_owned()
        }
        Refused::NotListed(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| safe(id.as_str())).collect();
            format!("Not among the connected apps: {}. Nothing was sent; see: {}", ids.join(", "), command(&["apps"]))
        }
        Refused::NotAsDecided(differs) => format!(
            "The plan's change of the policy is not the one that its apps and decisions make of what is installed ({}). Nothing was \
             sent: either the plan was edited, or apps were connected since. {}",
            differing(differs),
            block_anew()
        ),
        Refused::NothingBlocked => {
            format!(
                "That sweep changed nothing about the policy, so there is nothing to lift. See: {}",
                command(&["log"])
            )
        }
        Refused::UnknownKind(id) => format!(
            "{} is of a type that this version does not know, so it cannot be told which part of the policy is its. Nothing was \
             sent; revoke its grants with: {}",
            safe(id.as_str()),
            command(&["plan", "--app", id.as_str(), "--out", &new_plan("plan", 0)])
        ),
        Refused::UnknownWord(word) => format!(
            "The organization's policy says {}, which this version does not know. Nothing was sent; a plan without a block \
             revokes the grants: {CHOOSE}",
            safe(word)
        ),
    }
}

/// How a plan is made where nobody can tell of what: words, since a command without a choice could not be typed.
const CHOOSE: &str =
    "the command plan takes a choice of grants, such as --app or --member, and the new file's name with --out.";

/// How a block is made anew: by this run's own command, if it was chosen there.
fn block_anew() -> String {
    containment_anew().map_or_else(
        || {
            "Make the plan anew: the command contain takes the apps with --app, and the new file's name with --out."
                .to_owned()
        },
        |again| format!("Look at it anew with: {again}"),
    )
}

/// Why a plan cannot be used, and what to do.
pub fn plan(unusable: Unusable) -> String {
    let find = || {
        format!("Nothing was sent. Find the sweep, and how what is left of it is planned, with: {}", command(&["log"]))
    };
    match unusable {
        Unusable::NotAPlan => format!("That is not a plan. Make one: {CHOOSE}"),
        Unusable::TooLarge => "That is larger than a plan can be (32 MiB). Nothing was read.".to_owned(),
        Unusable::Newer => {
            "That plan was written by a later version. Use that version, or make the plan anew.".to_owned()
        }
        Unusable::Grants => {
            "The plan has no grants, names one twice, or has an id that cannot be used. Nothing was sent; make it anew."
                .to_owned()
        }
        Unusable::Block => format!(
            "The plan's change of the policy would allow something, or is not the one that its apps and decisions make. Nothing was \
             sent. {}",
            block_anew()
        ),
        Unusable::Expired => {
            format!("The plan has expired: what it names may have changed since. Make it anew: {CHOOSE}")
        }
        Unusable::Elsewhere => {
            "The plan is for another organization, project or host than the one signed in to. Nothing was sent."
                .to_owned()
        }
        Unusable::CarriedOut => format!("This plan was carried out already. Make a new one: {CHOOSE}"),
        Unusable::Unfinished => {
            format!("A sweep of this plan is unfinished. See how it is gone on with: {}", command(&["log"]))
        }
        Unusable::OtherMember => format!("{OTHER_MEMBER} {}", find()),
        Unusable::TooOld => format!("{TOO_OLD} {}", find()),
    }
}

const OTHER_MEMBER: &str =
    "Another member began the sweep of this plan, and only they may go on with it, within a day.";
const TOO_OLD: &str = "Nothing was done for the sweep of this plan for a day: what is left may have been consented to again since, rightly.";

/// Why a sweep that is known is not gone on with, and how what is left of it is planned, if anything is.
pub fn not_gone_on_with(too_old: bool, sweep: &str, rest: Option<&str>) -> Ending {
    let why = if too_old { TOO_OLD } else { OTHER_MEMBER };
    let rest = rest.map_or_else(String::new, |rest| format!("\nMake a new plan of what is left with: {rest}"));
    let look = command(&["log", sweep]);
    Ending::usage(format!("{why} Nothing was sent. See what became of it: {look}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_a_missing_permission_says_who_can_grant_it() {
        let told = Ending::from(Error::NotAllowed(Box::new(Denial {
            needs: Some(cutoff::permission::search_members()),
            your_roles: vec!["stytch_member".into()],
            roles_that_hold_it: vec!["reader".into(), "stytch_admin".into()],
            policy_read_at: None,
            request_id: Some("request-id-test-1".into()),
            asked: true,
        })));
        assert_eq!(told.code, DENIED);
        for word in ["search on stytch.member", "stytch_member", "reader, stytch_admin", "request-id-test-1"] {
            assert!(told.sentence.contains(word), "{word}: {}", told.sentence);
        }
    }

    #[test]
    fn a_reader_that_closed_the_pipe_is_no_failure() {
        assert_eq!(Ending::output(&std::io::ErrorKind::BrokenPipe.into()), Ending::new(DONE, ""));
        assert_eq!(Ending::output(&std::io::ErrorKind::StorageFull.into()).code, BROKEN);
    }
}

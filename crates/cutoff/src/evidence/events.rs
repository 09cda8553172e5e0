//! The part of a report that tells what was decided and what happened beside the grants and the reads of lists, a sentence for each
//! row. It names members and apps where their names were kept, and their ids always; it judges nothing.

use std::fmt::Write as _;

use journal::{Body, Failure, Note, PolicyAnswer, PolicyIntent, PolicyState, Purpose, Row};

use super::record::Record;
use super::report::{bare, count, id, text, time};
use crate::policy::{Kind, differences};
use crate::sweep::beside::{APP, LOOKED, UNSEEN, WhyUnseen, unseen_of};
use crate::sweep::change::{BLOCKED, LIFTING, NOT_BLOCKED};

/// Notes that speak of how the program works, and one that has a section of its own.
const QUIET: [&str; 4] = ["inventory", "known_apps", "look_first", "patient"];
const LONG: usize = 200;
/// As many ids of one list are written out.
const MOST: usize = 200;

/// What a row is told with: the sweep it stands in, and the change of the policy that was tried last before it.
struct Told<'a> {
    sweep: &'a Record<'a>,
    asked: Option<&'a PolicyIntent>,
}

/// The section, without its heading.
pub(super) fn section(sweep: &Record<'_>) -> String {
    let mut told = Told { sweep, asked: None };
    let mut rows = String::new();
    for row in sweep.rows.all() {
        if let Some(what) = told.row(row) {
            let at = time(row.clock.utc);
            let _ = writeln!(rows, "<tr><td class=\"time\">{at}</td><td>{what}</td></tr>");
        }
    }
    if rows.is_empty() {
        return "<p>None but the requests and reads below.</p>".to_owned();
    }
    format!(
        "<table class=\"events\">\n<thead><tr><th>When (UTC)</th><th>What</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"
    )
}

impl<'a> Told<'a> {
    fn row(&mut self, row: &'a Row) -> Option<String> {
        Some(match &row.body {
            Body::Note(note) if QUIET.contains(&note.what.as_str()) => return None,
            Body::Note(note) => self.note(note),
            Body::PolicyIntent(intent) => {
                self.asked = Some(intent);
                self.intent(intent)
            }
            Body::PolicyAnswer(answer) => {
                let (attempt, sent) = (answer.attempt, time(answer.sent.utc));
                format!(
                    "Change of the policy no. {attempt}, sent {sent}. {}{}",
                    came(answer),
                    request(answer.request_id.as_deref())
                )
            }
            Body::PolicyRead(read) => {
                let shown = match (&read.state, read.status) {
                    (Some(state), _) => self.state(state),
                    (None, Some(status)) => format!(
                        "The policy could not be read: HTTP {status}{}.",
                        in_brackets(read.error_type.as_deref())
                    ),
                    (None, None) => "The policy could not be read: no answer came.".to_owned(),
                };
                format!("{shown}{}", request(read.request_id.as_deref()))
            }
            Body::Collateral(beside) if beside.grants.is_empty() => {
                "Looked for grants that are in no plan and vanished meanwhile: there was none.".to_owned()
            }
            Body::Collateral(beside) => {
                let each = beside
                    .grants
                    .iter()
                    .map(|grant| format!("{}: {}", self.member(&grant.member_id), self.app(&grant.connected_app_id)));
                let n = count(beside.grants.len(), "grant", "grants");
                format!(
                    "<b>{n} in no plan vanished meanwhile.</b> No request of this sweep was for them:{}",
                    list(each)
                )
            }
            Body::Opening(_)
            | Body::Grant(_)
            | Body::Intent(_)
            | Body::Answer(_)
            | Body::Read(_)
            | Body::Closing(_)
            | Body::Unknown => {
                return None;
            }
        })
    }

    fn note(&self, note: &Note) -> String {
        let detail = |key: &str| note.detail.get(key).map(|value| bare(value, LONG));
        let why = note.detail.get("why").map(String::as_str);
        let code = in_brackets(note.detail.get("error_type").map(String::as_str));
        match (note.what.as_str(), why) {
            (journal::BLOCK, _) => self.decided(note),
            ("resumed", _) => format!("The sweep was taken up again{}", self.by(note)),
            (LIFTING, _) => format!("The lifting of the block was begun{}", self.by(note)),
            (LOOKED, _) => {
                let apps = note.detail.iter().filter(|(key, _)| key.starts_with(APP)).map(|(_, app)| self.app(app));
                format!(
                    "The inventory did not tell of the grants to these apps. Their own views were read for those that are in no plan:{}",
                    list(apps.collect::<Vec<_>>().into_iter())
                )
            }
            (UNSEEN, _) => {
                let apps: Vec<String> = unseen_of(note)
                    .map(|unseen| format!("{}{}", self.app(unseen.app.as_str()), unseen_why(unseen.why)))
                    .collect();
                format!(
                    "Whether grants to these apps that are in no plan vanished could not be seen of all of them:{}",
                    list(apps.into_iter())
                )
            }
            ("paused", _) => "The sweep was paused.".to_owned(),
            ("session_ended", _) => "The session ended, and the sweep stopped there.".to_owned(),
            ("halted", _) => format!("Stopped, since every other request would have met the same trouble{code}."),
            ("canary_died", _) => format!(
                "Stopped: {} of the first {} failed.",
                detail("failed").unwrap_or_default(),
                detail("of").unwrap_or_default()
            ),
            ("cancelled", None) => "The sweep was called off. Nothing more is sent for it.".to_owned(),
            ("cancelled", Some("policy_changed")) => {
                "Called off: the policy was no longer as the plan showed it, so it was not changed, and nothing more is sent.".to_owned()
            }
            ("cancelled", Some("not_as_decided")) => {
                "Called off before anything was sent: the plan’s decisions did not fit the organization’s list of apps any more.".to_owned()
            }
            (BLOCKED, _) => "A read of the policy showed the block in force.".to_owned(),
            (NOT_BLOCKED, Some("denied")) => format!("The block was not made: the change was refused{code}."),
            (NOT_BLOCKED, Some("not_in_force")) => "The block was not read to be in force.".to_owned(),
            // A later version may write what this one does not know.
            (what, _) => {
                let details = note.detail.iter().map(|(key, value)| format!("{}: {}", bare(key, LONG), text(value, LONG)));
                format!("{}{}", bare(what, LONG), list(details))
            }
        }
    }

    /// Which apps the policy is to forbid, and what was decided of others. Of a list each entry has its number in the key.
    fn decided(&self, note: &Note) -> String {
        let of = |prefix: &'static str| {
            let numbered = move |key: &str| {
                key.strip_prefix(prefix).is_some_and(|n| n.bytes().all(|digit| digit.is_ascii_digit()))
            };
            note.detail.iter().filter(move |(key, _)| numbered(key)).map(|(_, app)| app.as_str())
        };
        let left_out: Vec<&str> = of("left_out_").collect();
        let theirs: Vec<&str> = of("first_party_").filter(|app| !left_out.contains(app)).collect();
        let others: Vec<&str> = of("third_party_").filter(|app| !left_out.contains(app)).collect();
        let (either, third): (Vec<&str>, Vec<&str>) = others.into_iter().partition(|app| theirs.contains(app));
        let first: Vec<&str> = theirs.into_iter().filter(|app| !either.contains(app)).collect();
        let order = match note.detail.get("order").map(String::as_str) {
            Some("last") => "after the grants are revoked",
            _ => "before any grant is revoked",
        };
        let mut out = format!("<b>Decided:</b> the organization’s policy is to forbid apps, {order}.");
        for (what, apps) in [
            ("To be forbidden", third),
            ("To be forbidden, the vendor’s own", first),
            ("To be forbidden in both parts of the policy, since nobody tells whose it is", either),
            ("Left off the list of allowed apps as well, its grants left alone, as decided", left_out),
            ("Kept allowed, as decided", of("kept_").collect()),
            (
                "Of all these in no list of the organization, by the last reading before the sweep",
                of("unlisted_").collect(),
            ),
        ] {
            if !apps.is_empty() {
                let _ =
                    write!(out, "<span class=\"of\">{what}:</span>{}", list(apps.into_iter().map(|app| self.app(app))));
            }
        }
        out
    }

    fn intent(&self, intent: &PolicyIntent) -> String {
        let what = match intent.purpose {
            Purpose::Block => "to block",
            Purpose::Lift => "to take the block back",
            Purpose::Unknown => "for what this version does not know",
        };
        let mut out = format!("<b>About to change the policy, {what}</b> (no. {}).", intent.attempt);
        for differs in differences(&intent.before, &intent.after) {
            let (word, listed) = part(&intent.after, differs.kind);
            let kind = apps_of(differs.kind);
            let _ = match &differs.word {
                Some((before, _)) => write!(out, " {kind}: from {} to {}.", allowed(before), allowed(word)),
                None => write!(out, " {kind}: {}, as before.", allowed(word)),
            };
            // A list counts only beside the one word that speaks of it.
            if word == "RESTRICTED" {
                if differs.word.is_none() {
                    for (what, apps) in [("Taken off the list", &differs.removed), ("Put on the list", &differs.added)]
                    {
                        if !apps.is_empty() {
                            let apps = apps.iter().map(|app| self.app(app.as_str()));
                            let _ = write!(out, "<span class=\"of\">{what}:</span>{}", list(apps));
                        }
                    }
                }
                let n = count(listed.len(), "app", "apps");
                let apps = listed.iter().map(|app| self.app(app));
                let _ = write!(out, "<span class=\"of\">The list of allowed ones is then, {n}:</span>{}", list(apps));
            }
        }
        out
    }

    /// A policy as it was read. Where it is one that a change names, the lists stand there.
    fn state(&self, state: &PolicyState) -> String {
        let mut out = "The policy was read.".to_owned();
        let same = |named: &PolicyState| differences(named, state).is_empty();
        let known = self.asked.and_then(|asked| match (same(&asked.after), same(&asked.before)) {
            (true, _) => Some("what the change was to make of it"),
            (_, true) => Some("what it was before the change"),
            _ => None,
        });
        for kind in [Kind::FirstParty, Kind::ThirdParty] {
            let (word, listed) = part(state, kind);
            let _ = write!(out, " {}: {}.", apps_of(kind), allowed(word));
            if word == "RESTRICTED" && known.is_none() {
                let apps = listed.iter().map(|app| self.app(app));
                let n = count(listed.len(), "app", "apps");
                let _ = write!(out, "<span class=\"of\">Its list, {n}:</span>{}", list(apps));
            }
        }
        if let Some(known) = known {
            let _ = write!(out, " That is {known}, lists included.");
        }
        out
    }

    fn by(&self, note: &Note) -> String {
        let detail = |key: &str| note.detail.get(key).map(String::as_str).unwrap_or_default();
        format!(
            " by {}, in the member session {}, roles: {}; program version {}.",
            self.member(detail("member_id")),
            id(detail("member_session_id")),
            bare(detail("roles"), LONG),
            bare(detail("tool_version"), LONG)
        )
    }

    fn app(&self, app: &str) -> String {
        match self.sweep.app_name(app) {
            Some(name) => format!("{} ({})", text(name, LONG), id(app)),
            None => id(app),
        }
    }

    fn member(&self, member: &str) -> String {
        let known = self.sweep.person(member).unwrap_or_default();
        match known.name.or(known.email).filter(|name| !name.is_empty()) {
            Some(name) => format!("{} ({})", text(&name, LONG), id(member)),
            None => id(member),
        }
    }
}

/// Why it could not be seen whether grants to an app vanished.
fn unseen_why(why: Option<WhyUnseen>) -> &'static str {
    match why {
        Some(WhyUnseen::UnknownBefore) => {
            ": the reading before the sweep had no grant of it either, and the inventory does not tell of it now"
        }
        Some(WhyUnseen::Hidden) => {
            ": the policy hides it from the lists, and its own view answered that there is no such app"
        }
        Some(WhyUnseen::Unreadable) => ": its own view could not be read, or not whole",
        Some(WhyUnseen::NotBorneOut) => {
            ": its own view lacks some that were there before, and no other list that can be believed bears out that they are gone"
        }
        None => "",
    }
}

/// What came back of a change, and so much as that tells of it: a status alone is no answer that anybody could read.
fn came(answer: &PolicyAnswer) -> String {
    match (answer.failure, answer.status) {
        (Some(Failure::NotSent), _) => "It did not leave this computer.".to_owned(),
        (Some(_), Some(status)) => {
            format!("No usable answer came (HTTP {status}): it may have been carried out, or not.")
        }
        (None, Some(status)) => format!("Answered with HTTP {status}{}.", in_brackets(answer.error_type.as_deref())),
        (_, None) => "No answer came: it may have been carried out, or not.".to_owned(),
    }
}

fn part(state: &PolicyState, kind: Kind) -> (&str, &[String]) {
    match kind {
        Kind::FirstParty => (&state.first_party, &state.allowed_first_party),
        Kind::ThirdParty => (&state.third_party, &state.allowed_third_party),
    }
}

fn apps_of(kind: Kind) -> &'static str {
    match kind {
        Kind::FirstParty => "The vendor’s own apps",
        Kind::ThirdParty => "Apps of others",
    }
}

/// A word of the policy, and itself, for whoever compares it.
fn allowed(word: &str) -> String {
    let told = match word {
        "ALL_ALLOWED" => "all allowed",
        "RESTRICTED" => "only those of a list allowed",
        "NOT_ALLOWED" => "none allowed",
        _ => "a word that this version does not know",
    };
    format!("{told} ({})", bare(word, LONG))
}

fn in_brackets(code: Option<&str>) -> String {
    code.map(|code| format!(" ({})", bare(code, LONG))).unwrap_or_default()
}

fn request(request_id: Option<&str>) -> String {
    request_id.map(|request| format!(" Request id {}.", id(request))).unwrap_or_default()
}

fn list(entries: impl ExactSizeIterator<Item = String>) -> String {
    let all = entries.len();
    let mut out = "<ul>".to_owned();
    for entry in entries.take(MOST) {
        let _ = write!(out, "<li>{entry}</li>");
    }
    if all > MOST {
        let _ = write!(out, "<li>and {} more, in <code>rows.jsonl</code></li>", all - MOST);
    }
    if all == 0 {
        out.push_str("<li>none</li>");
    }
    out.push_str("</ul>");
    out
}

#[cfg(test)]
mod tests {
    use journal::{Clock, Utc};

    use super::*;

    #[test]
    fn an_answer_that_nobody_could_read_is_not_told_as_an_answer() {
        let utc = Utc::new("2026-03-01T10:42:07Z".parse().expect("a time"));
        let told = |failure: Option<Failure>, status: Option<u16>| {
            came(&PolicyAnswer {
                attempt: 1,
                sent: Clock { utc, mono_ms: 0, boot_id: "b".into() },
                answered: failure.is_none(),
                status,
                error_type: None,
                request_id: None,
                server_date: None,
                failure,
            })
        };
        for (failure, status) in [(Failure::Garbled, 200), (Failure::Reset, 200), (Failure::Redirected, 302)] {
            assert_eq!(
                told(Some(failure), Some(status)),
                format!("No usable answer came (HTTP {status}): it may have been carried out, or not.")
            );
        }
        assert_eq!(told(Some(Failure::TimedOut), None), "No answer came: it may have been carried out, or not.");
        assert_eq!(told(Some(Failure::NotSent), None), "It did not leave this computer.");
        assert_eq!(told(None, Some(200)), "Answered with HTTP 200.");
    }
}

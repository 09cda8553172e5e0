//! What to do next about one grant. Pure: its history and the time in, one move out.

use std::time::Duration;

use journal::{Answer, Body, Clock, Failure, Grant, Purpose, Read, Route, Row, View};

use super::Pace;
use super::verdict::{Finding, Outcome, Rules, Why, is_absence, is_certain_refusal, is_success};
use crate::clock::millis_between;

/// One move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Record an intent and send the revoke.
    Send,
    /// Read it again.
    Read,
    /// Nothing yet: ask again after this long.
    Wait(Duration),
    /// Nothing more.
    Rest,
}

/// What a decision goes by beside the rows of its grant.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// How long to wait, and how often to try.
    pub pace: &'a Pace,
    /// The rules by which its finding was judged.
    pub rules: &'a Rules,
    /// A request that was refused for its rate, or never left, is sent again, however often.
    pub patient: bool,
    /// False where only reading is allowed: at a start that settles what an earlier run left, and for a member who is not the one
    /// who began.
    pub may_send: bool,
    /// The time.
    pub now: &'a Clock,
}

/// Decides for grant `n`, whose rows come to `finding`.
#[must_use]
pub fn next<'a>(
    n: u32,
    rows: impl IntoIterator<Item = &'a Row, IntoIter: Clone>,
    finding: &Finding,
    terms: Terms<'_>,
) -> Move {
    let Terms { pace, rules, patient, may_send, now } = terms;
    let rows = rows.into_iter();
    let story = Story::of(n, rows.clone(), patient);
    let may_send = may_send && !story.cancelled;
    // Once the policy was changed, a list may lack a grant that lives: only what was read before that spares a send, unless it
    // was listed again since.
    let gone = || match story.blocked_at {
        None => finding.gone.is_some(),
        Some(at) => {
            let before = rows.clone().take_while(|row| row.seq < at);
            finding.listed.is_none() && Finding::of(n, before, rules).gone.is_some()
        }
    };
    if story.sent == 0 {
        if story.cancelled || story.read_before && gone() {
            return Move::Rest;
        }
        // Its app's list, read after it is known that nobody is left whose own list could tell.
        if story.member_missing {
            return Move::Read;
        }
        // A grant that our last read lacked is looked for before anything is sent (`look_first`); whatever that look
        // could not rule out is sent. Once the policy was changed no look can spare it a request.
        let look = story.look_first && !story.read_before && story.blocked_at.is_none();
        return match (look, may_send) {
            (true, _) => Move::Read,
            (false, true) => Move::Send,
            (false, false) if story.reads.is_empty() => Move::Read,
            (false, false) => Move::Rest,
        };
    }
    match story.last_answer {
        Some(answer) if patient && may_send && was_put_off(answer) => Move::Send,
        Some(answer) if is_success(answer) => reread(finding, &story, pace, now),
        Some(answer) if is_certain_refusal(answer) => match answer.status {
            // Both name something that is not there, which only a read can bear out.
            _ if is_absence(answer) => reread(finding, &story, pace, now),
            _ => Move::Rest,
        },
        // Sent, and not answered: read, and if it is still listed send it again.
        _ => match reread(finding, &story, pace, now) {
            Move::Rest if finding.outcome == Outcome::AlreadyGone && gone() => Move::Rest,
            Move::Rest => resend(&story, pace, may_send, now),
            // Listed once is enough to send again: waiting for the list to change would only lose time.
            Move::Wait(_) if finding.listed.is_some() => resend(&story, pace, may_send, now),
            other => other,
        },
    }
}

/// Refused for its rate, or never left: nothing was done, and nothing speaks against another try.
fn was_put_off(answer: &Answer) -> bool {
    answer.failure == Some(Failure::NotSent) || (answer.answered && answer.status == Some(429))
}

/// The `error_type`s by which a dead session is refused, as the official SDKs agree on them.
pub(super) fn refused_for_the_session(error_type: Option<&str>) -> bool {
    const DEAD: [&str; 4] =
        ["unauthorized_credentials", "user_unauthenticated", "invalid_secret_authentication", "session_not_found"];
    error_type.is_some_and(|error_type| DEAD.contains(&error_type))
}

fn refused_for_the_role(answer: &Answer) -> bool {
    answer.status == Some(403)
        && matches!(answer.error_type.as_deref(), Some("session_authorization_error" | "unauthorized_action"))
}

fn resend(story: &Story<'_>, pace: &Pace, may_send: bool, now: &Clock) -> Move {
    if !may_send || story.sent_this_run >= pace.attempts {
        return Move::Rest;
    }
    let Some(last) = story.last_sent else { return Move::Send };
    // A run that comes back after a crash has waited long enough.
    let pause = pace.between_attempts * 2_u32.saturating_pow(story.sent_this_run.saturating_sub(1));
    due(last, pause, now).map_or(Move::Send, Move::Wait)
}

fn reread(finding: &Finding, story: &Story<'_>, pace: &Pace, now: &Clock) -> Move {
    let settled = match finding.outcome {
        gone if gone.is_gone() => true,
        Outcome::Accepted => matches!(finding.why, Some(Why::NoReadAllowed | Why::HiddenByPolicy | Why::SessionEnded)),
        Outcome::Hidden => true,
        _ => false,
    };
    if settled {
        return Move::Rest;
    }
    let Some(last) = story.reads.last() else { return Move::Read };
    // `reads` holds the rounds since the last answer of this run; the first is made at once.
    let rounds = story.reads.len();
    let pause = match pace.rereads.get(rounds - 1) {
        // A round that failed, or that was another grant's of the same app, may leave it listed too early to be called still
        // there. Then it is read on at the last pause, not for ever: what that does not settle a late look does.
        None if finding.why == Some(Why::ListedYet) && rounds <= 2 * pace.rereads.len() => pace.rereads.last(),
        other => other,
    };
    pause.map_or(Move::Rest, |pause| due(last, *pause, now).map_or(Move::Read, Move::Wait))
}

/// How long until `pause` after `since` has passed; `None` when it has.
fn due(since: &Clock, pause: Duration, now: &Clock) -> Option<Duration> {
    let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    let left = pause_ms.saturating_sub(millis_between(since, now));
    // A clock that went backwards across boots must not make us wait longer than the pause itself.
    u64::try_from(left.min(pause_ms)).ok().filter(|left| *left > 0).map(Duration::from_millis)
}

/// What the rows of one grant tell about where it stands.
struct Story<'a> {
    look_first: bool,
    /// Somebody has called the sweep off: what was not sent never is.
    cancelled: bool,
    /// It was read before anything was sent, and before the policy was changed.
    read_before: bool,
    /// Its member was not found, for the first time, and its app's list was not read since.
    member_missing: bool,
    /// The row that intends to block the apps of the sweep.
    blocked_at: Option<u64>,
    sent: u32,
    /// Sent since the sweep was last opened or resumed: a resume starts its count anew.
    sent_this_run: u32,
    last_sent: Option<&'a Clock>,
    /// The answer to the last intent, if there is one.
    last_answer: Option<&'a Answer>,
    /// When each round of reads since the last answer (or resume) was recorded. The several views of one round count once.
    reads: Vec<&'a Clock>,
}

impl<'a> Story<'a> {
    fn of(n: u32, rows: impl Iterator<Item = &'a Row> + Clone, patient: bool) -> Self {
        let mut story = Self {
            look_first: false,
            cancelled: false,
            read_before: false,
            member_missing: false,
            blocked_at: None,
            sent: 0,
            sent_this_run: 0,
            last_sent: None,
            last_answer: None,
            reads: Vec::new(),
        };
        let grant = rows.clone().find_map(|row| match &row.body {
            Body::Grant(grant) if grant.n == n => Some(grant),
            _ => None,
        });
        let Some(grant) = grant else { return story };
        let mut was_missing = false;
        for row in rows {
            match &row.body {
                Body::Note(note) if note.what == "look_first" => story.look_first = true,
                Body::Note(note) if note.what == "cancelled" => story.cancelled = true,
                Body::Note(note) if note.what == "resumed" => {
                    story.sent_this_run = 0;
                    story.reads.clear();
                    // What was refused for the session that died, and only for that, may be asked with the next one.
                    // So may what was refused for a role, which may have been given back since: it is what stopped the sweep.
                    let again = |answer: &&Answer| {
                        refused_for_the_session(answer.error_type.as_deref()) || patient && refused_for_the_role(answer)
                    };
                    story.last_answer = story.last_answer.filter(|answer| !again(answer));
                }
                // Every round begins with the same view, so that view counts the rounds.
                Body::Read(read) if read.view == View::Member => {
                    // Once: where the app's list cannot tell either, asking it again and again would not end.
                    let missing = read.error_type.as_deref() == Some("member_not_found");
                    story.member_missing = missing && !was_missing;
                    was_missing |= missing;
                }
                Body::Read(read) if begins_round(read, grant) => {
                    story.member_missing = false;
                    story.reads.push(&row.clock);
                    story.read_before |= story.sent == 0 && story.blocked_at.is_none();
                }
                Body::PolicyIntent(intent) if intent.purpose == Purpose::Block => {
                    story.blocked_at.get_or_insert(row.seq);
                }
                Body::Intent(intent) if intent.n == n => {
                    story.sent += 1;
                    story.sent_this_run += 1;
                    story.last_sent = Some(&row.clock);
                    story.last_answer = None;
                    story.reads.clear();
                }
                Body::Answer(answer) if answer.n == n => story.last_answer = Some(answer),
                _ => {}
            }
        }
        story
    }
}

/// The app's view comes first, since one answer settles every grant of the app; one's own list does for oneself.
fn begins_round(read: &Read, grant: &Grant) -> bool {
    match grant.route {
        Route::Oneself => read.view == View::Oneself,
        _ => read.view == View::App && read.subject.as_deref() == Some(grant.connected_app_id.as_str()),
    }
}

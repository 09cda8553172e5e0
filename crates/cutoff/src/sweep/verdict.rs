//! What became of each grant, derived from the journal's rows and from nothing else. Pure: the same rows give the same
//! outcome today and in ten years; [`RULES_VERSION`] names the rules.
//!
//! A grant is *gone* only by a complete read that began after the revoke was answered. Everything else is named for
//! what it is: accepted, unknown, hidden. The rules, in the order they are asked, stand in [`Finding::of`].

use std::collections::BTreeMap;
use std::time::Duration;

use journal::{Answer, Body, Clock, Failure, Read, Route, Row, Utc, View};
use stytch_b2b::ConnectedAppId;

use super::Pace;
use super::change::LIFTING;
use super::rows::Rows;
use crate::clock::{later, millis_between};
use crate::policy::{Kind, forbids};

/// How long Stytch lets access tokens live when the vendor has changed nothing.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// The version of these rules, written into each closing row.
pub const RULES_VERSION: u32 = 5;

/// What became of one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Answered, and gone in a complete later read.
    Revoked,
    /// Answered, and no read proves it: [`Finding::why`] says which is missing.
    Accepted,
    /// Answered, and still listed by a read that began late enough after: [`Rules::still_there_after`].
    StillThere,
    /// Absent in a complete read although no revoke of ours was answered with success.
    AlreadyGone,
    /// The policy forbids the app, which may hide it, and no revoke of ours was answered with success.
    Hidden,
    /// The member is gone, and the app's view lacks them.
    MemberGone,
    /// Refused: not permitted.
    Denied,
    /// Not carried out, for a certain reason.
    Failed,
    /// Sent (or about to be), not answered, not settled.
    Unknown,
}

impl Outcome {
    /// The name in rows, exports and exit lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Accepted => "accepted",
            Self::StillThere => "still_there",
            Self::AlreadyGone => "already_gone",
            Self::Hidden => "hidden",
            Self::MemberGone => "member_gone",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it says that the grant is gone: what every count, exit code and report goes by.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Revoked | Self::AlreadyGone | Self::MemberGone)
    }
}

/// Why an answered revoke is only `accepted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No view of the grant may be read.
    NoReadAllowed,
    /// The policy forbids the app: absence proves nothing.
    HiddenByPolicy,
    /// It was not read since: whoever carried it out stopped, or has not come to it.
    NotReadYet,
    /// The reads failed.
    ReadFailed,
    /// A read had rows that could not be read, or did not say whether the policy forbids the app.
    ReadIncomplete,
    /// The session ended first.
    SessionEnded,
    /// It was still listed, by a read that began too soon after the answer to say more: lists may trail behind.
    ListedYet,
}

impl Why {
    /// The name in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoReadAllowed => "no_read_allowed",
            Self::HiddenByPolicy => "hidden_by_policy",
            Self::NotReadYet => "not_read_yet",
            Self::ReadFailed => "read_failed",
            Self::ReadIncomplete => "read_incomplete",
            Self::SessionEnded => "session_ended",
            Self::ListedYet => "listed_yet",
        }
    }
}

/// How long what is seen may still be of before.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long after the last revoke, at least, a second clean read confirms the first: long enough for token caches, codes not
    /// yet redeemed and policy caches to have run out.
    pub confirm_after: Duration,
    /// How long after the answer, at least, a read must begin for what it lists to be called still there. It is as long as the
    /// re-reads of [`Pace`] take, so that whoever looks in between, or comes after a run that was broken off there, says no more
    /// than a run that was not.
    pub still_there_after: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { confirm_after: Duration::from_secs(600), still_there_after: Pace::default().rereads.iter().sum() }
    }
}

/// A read as the findings of its grants tell of it: one read may look for thousands, and its lists are not theirs to carry.
#[derive(Clone, Debug)]
pub struct LastRead {
    /// When it began.
    pub began: Clock,
    /// The API's `request_id`, if one came.
    pub request_id: Option<String>,
}

impl LastRead {
    fn of(read: &Read) -> Self {
        Self { began: read.began.clone(), request_id: read.request_id.clone() }
    }
}

/// All that the rows tell of one grant.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The outcome.
    pub outcome: Outcome,
    /// For [`Outcome::Accepted`].
    pub why: Option<Why>,
    /// How many requests left, or may have: intents, less those whose request certainly did not.
    pub attempts: u32,
    /// How many of these have no answer and no failure on record: a run that was killed leaves such an intent, and its request may
    /// have left, or not.
    pub unrecorded: u32,
    /// When the last of them was given to the network; of one that nothing more is known of, when it was about to be.
    pub sent: Option<Clock>,
    /// The answer that counts, and when it came: the last success, else the last of any kind, else the failure to get one.
    pub answer: Option<(Answer, Clock)>,
    /// The last read that looked for this grant and was answered.
    pub last_read: Option<LastRead>,
    /// When the last read that told whether it is listed began: one that lists it, or a whole one that does not.
    pub last_told: Option<Clock>,
    /// When a read last looked for it, answered or not.
    pub last_try: Option<Clock>,
    /// When the first clean read after the last sign of it began.
    pub gone: Option<Clock>,
    /// The last that was done about it, which a confirming read must be late enough after: the revoke, or a later change of the
    /// policy. `None`: nothing was.
    pub settles_from: Option<Clock>,
    /// When the second, late enough, began.
    pub confirmed: Option<Clock>,
    /// For [`Outcome::StillThere`] and [`Why::ListedYet`]: when it was seen.
    pub listed: Option<Clock>,
}

impl Finding {
    /// Whether what became of it is known as well as it can be; `false` while another read, or another request, may tell.
    #[must_use]
    pub fn settled(&self) -> bool {
        match self.outcome {
            Outcome::Unknown | Outcome::Hidden => false,
            Outcome::Accepted => self.why == Some(Why::NoReadAllowed) || self.why == Some(Why::HiddenByPolicy),
            _ => true,
        }
    }

    /// Whether certainly nothing was sent for it, and no read has shown it gone, which would spare a request.
    #[must_use]
    pub fn never_sent(&self) -> bool {
        self.attempts == 0 && !self.outcome.is_gone()
    }

    /// Whether a request may have left for it, and of none it is on record that it did.
    #[must_use]
    pub fn maybe_sent(&self) -> bool {
        self.attempts > 0 && self.attempts == self.unrecorded
    }

    /// Until about when tokens issued before may still be accepted, if the vendor kept Stytch's lifetime. They are counted from our
    /// own success; where somebody else may have done it, from the read that found it gone, which is the latest that it can have
    /// been. `None` where nothing says that no more are issued.
    #[must_use]
    pub fn tokens_until(&self) -> Option<Utc> {
        let ends = self.outcome.is_gone() || self.outcome == Outcome::Accepted && self.why != Some(Why::ListedYet);
        let succeeded = self.answer.as_ref().filter(|(answer, _)| is_success(answer)).map(|(_, at)| at);
        succeeded.or(self.gone.as_ref()).filter(|_| ends).map(|at| later(at, TOKEN_LIFE))
    }

    /// Judges one grant by `rows`: its sweep's, in order; those that do not speak of it may be left out.
    #[must_use]
    pub fn of<'a>(n: u32, rows: impl IntoIterator<Item = &'a Row, IntoIter: Clone>, rules: &Rules) -> Self {
        let history = History::of(n, rows, rules);
        let last_sent = history.intents.last().map(|(_, clock)| clock.clone());
        let left: Vec<Clock> =
            history.intents.iter().filter_map(|(attempt, clock)| history.left(*attempt, clock)).collect();
        let success = history.answers.iter().rev().find(|(answer, _)| is_success(answer)).copied();
        let latest = history.answers.last().copied();
        let answer = success.or(latest);

        // Reads count from the moment our last success was answered; where there was none, from the last intent, since
        // a read that began before it says nothing about what it did.
        let since = match (success, latest) {
            (Some((_, at)), _) => Some(at.clone()),
            (None, Some((latest, at))) if latest.answered => Some(at.clone()),
            _ => None,
        }
        .or_else(|| last_sent.clone());
        let proofs = history.proofs_after(since.as_ref());

        // The latest proof wins: a grant that was absent and is listed again is there.
        let listed = match proofs.last() {
            Some((Proof::Present, clock)) => Some(clock.clone()),
            _ => None,
        };
        let clean: Vec<&Clock> = proofs
            .iter()
            .rev()
            .take_while(|(proof, _)| *proof == Proof::Absent)
            .map(|(_, clock)| clock)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let gone = clean.first().map(|clock| (*clock).clone());
        // What the policy said may be cached as long as a token may: a change of it counts like a revoke.
        let settles_from = since.clone().map(|since| match &history.changed {
            Some(changed) if millis_between(&since, changed) > 0 => changed.clone(),
            _ => since,
        });
        let confirmed = settles_from.as_ref().and_then(|from| {
            let second = clean.iter().skip(1).find(|clock| !in_doubt(from, clock, rules));
            second.map(|clock| (*clock).clone())
        });

        let (outcome, why) = judge(
            &history,
            since.as_ref(),
            success.is_some(),
            latest.map(|(answer, _)| answer),
            gone.is_some(),
            listed.as_ref(),
            rules,
        );
        Self {
            outcome,
            why,
            attempts: u32::try_from(left.len()).unwrap_or(u32::MAX),
            unrecorded: u32::try_from(history.unrecorded()).unwrap_or(u32::MAX),
            sent: left.last().cloned(),
            answer: answer.map(|(answer, at)| (answer.clone(), at.clone())),
            last_read: history.reads.iter().rev().find(|(read, _)| read.answered).map(|(read, _)| LastRead::of(read)),
            last_told: history.reads.iter().rev().find(|(read, _)| tells(read, n)).map(|(read, _)| read.began.clone()),
            last_try: history.reads.last().map(|(read, _)| read.ended.clone()),
            gone,
            settles_from,
            confirmed,
            listed,
        }
    }
}

/// Whether caches of tokens and of the policy may still tell of what was before `changed`.
fn in_doubt(changed: &Clock, at: &Clock, rules: &Rules) -> bool {
    is_within(rules.confirm_after, changed, at)
}

/// Whether less than `span` lies between two moments.
fn is_within(span: Duration, from: &Clock, at: &Clock) -> bool {
    millis_between(from, at) < i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Judges every grant of a sweep.
#[must_use]
pub fn findings(rows: &Rows, rules: &Rules) -> BTreeMap<u32, Finding> {
    rows.grants().iter().map(|grant| (grant.n, Finding::of(grant.n, rows.of(grant.n), rules))).collect()
}

fn judge(
    history: &History<'_>,
    since: Option<&Clock>,
    success: bool,
    latest: Option<&Answer>,
    gone: bool,
    listed: Option<&Clock>,
    rules: &Rules,
) -> (Outcome, Option<Why>) {
    if success {
        let late = |(since, listed)| !is_within(rules.still_there_after, since, listed);
        return match since.zip(listed) {
            _ if gone => (Outcome::Revoked, None),
            Some(read) if late(read) => (Outcome::StillThere, None),
            _ => (Outcome::Accepted, Some(history.why_unproven(since, listed))),
        };
    }
    let listed = listed.is_some();
    // A request that got no whole answer may have been carried out, whatever was answered to the others.
    let uncertain = history.has_uncertain_attempt();
    if uncertain && gone {
        return (Outcome::AlreadyGone, None);
    }
    if uncertain && !listed {
        return (history.hidden_or(since, Outcome::Unknown), None);
    }
    if let Some(refused) = latest.filter(|answer| is_certain_refusal(answer)) {
        let error_type = refused.error_type.as_deref().unwrap_or("");
        return match (refused.status.unwrap_or(0), error_type) {
            // Only the app's own view can tell a deleted member from one that merely cannot be found.
            (404, "member_not_found") if gone && history.absent_in_app_view(since) => (Outcome::MemberGone, None),
            (404, "connected_app_not_found") if gone => (Outcome::AlreadyGone, None),
            (404, "connected_app_not_found") if !listed => (history.hidden_or(since, Outcome::Unknown), None),
            (403, "session_authorization_error" | "unauthorized_action") => (Outcome::Denied, None),
            _ => (Outcome::Failed, None),
        };
    }
    if gone {
        return (Outcome::AlreadyGone, None);
    }
    if history.cancelled && history.intents.is_empty() {
        // Called off before its turn: nothing was sent for it, and nothing will be.
        return (Outcome::Failed, None);
    }
    if listed {
        // Whatever the policy said before: what is listed is not hidden.
        return (Outcome::Unknown, None);
    }
    (history.hidden_or(since, Outcome::Unknown), None)
}

/// A success: a whole answer with a 2xx. Anything less may or may not have been carried out.
#[must_use]
pub fn is_success(answer: &Answer) -> bool {
    succeeded(answer.answered, answer.status, answer.failure)
}

/// [`is_success`], of an answer to any request.
#[must_use]
pub fn succeeded(answered: bool, status: Option<u16>, failure: Option<Failure>) -> bool {
    answered && failure.is_none() && status.is_some_and(|status| (200..300).contains(&status))
}

/// A refusal that is certain: a readable 4xx, or a request that never left.
#[must_use]
pub fn is_certain_refusal(answer: &Answer) -> bool {
    refused(answer.answered, answer.status, answer.failure)
}

/// [`is_certain_refusal`], of an answer to any request.
#[must_use]
pub fn refused(answered: bool, status: Option<u16>, failure: Option<Failure>) -> bool {
    failure == Some(Failure::NotSent) || answered && failure.is_none() && matches!(status, Some(400..=499))
}

/// A certain refusal that names something that is not there.
pub(super) fn is_absence(answer: &Answer) -> bool {
    answer.status == Some(404)
        && is_certain_refusal(answer)
        && matches!(answer.error_type.as_deref(), Some("connected_app_not_found" | "member_not_found"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    Present,
    Absent,
}

/// The rows of one grant.
struct History<'a> {
    intents: Vec<(u32, Clock)>,
    /// The row's own clock says when the answer came.
    answers: Vec<(&'a Answer, &'a Clock)>,
    /// Every read that was meant to look for this grant, with what it proves of it.
    reads: Vec<(&'a Read, Option<Proof>)>,
    /// What was seen of the policy, and when: whether it forbids the app, or did until so lately that lists may not know.
    policies: Vec<(Clock, bool)>,
    /// When the policy was last changed, or may have been, for this sweep.
    changed: Option<Clock>,
    session_ended: bool,
    /// Somebody called the sweep off.
    cancelled: bool,
}

impl<'a> History<'a> {
    fn of(n: u32, rows: impl IntoIterator<Item = &'a Row, IntoIter: Clone>, rules: &Rules) -> Self {
        let mut rows = rows.into_iter();
        let mut history = Self {
            policies: Vec::new(),
            changed: None,
            intents: Vec::new(),
            answers: Vec::new(),
            reads: Vec::new(),
            session_ended: false,
            cancelled: false,
        };
        let grant = rows.clone().find_map(|row| match &row.body {
            Body::Grant(grant) if grant.n == n => Some(grant),
            _ => None,
        });
        let Some(grant) = grant else { return history };
        let mut app_view_404 = false;
        let mut lifted: Option<Clock> = None;
        for row in rows.by_ref() {
            match &row.body {
                Body::Intent(intent) if intent.n == n => history.intents.push((intent.attempt, row.clock.clone())),
                Body::Answer(answer) if answer.n == n => history.answers.push((answer, &row.clock)),
                Body::Read(read) => {
                    let about = match read.view {
                        View::App => read.subject.as_deref() == Some(grant.connected_app_id.as_str()),
                        View::Member => read.subject.as_deref() == Some(grant.member_id.as_str()),
                        View::Oneself => grant.route == Route::Oneself,
                        View::Organization => read.present.contains(&n) || read.absent.contains(&n),
                        View::Unknown => false,
                    };
                    if !about {
                        continue;
                    }
                    if read.view == View::App && read.answered {
                        app_view_404 =
                            read.status == Some(404) && read.error_type.as_deref() == Some("connected_app_not_found");
                    }
                    // Just after a block was lifted, a list may leave out by the policy of before what it lists later.
                    let doubt = lifted.as_ref().is_some_and(|lifted| in_doubt(lifted, &read.began, rules));
                    if let Some(forbidden) = read.policy.as_ref().and_then(|policy| policy.app_forbidden) {
                        history.policies.push((read.began.clone(), forbidden || doubt));
                    }
                    history.reads.push((read, proof(read, n, app_view_404, doubt)));
                }
                Body::PolicyIntent(_) => history.changed = Some(row.clock.clone()),
                // It was made at the latest when it was answered.
                Body::PolicyAnswer(answer) if succeeded(answer.answered, answer.status, answer.failure) => {
                    history.changed = Some(row.clock.clone());
                    lifted = lifted.map(|_| row.clock.clone());
                }
                Body::PolicyRead(read) => {
                    let app = ConnectedAppId::from(grant.connected_app_id.as_str());
                    let kind = grant.client_type.as_deref().and_then(Kind::of);
                    if let Some(forbidden) = read.state.as_ref().and_then(|state| forbids(state, &app, kind)) {
                        let doubt = lifted.as_ref().is_some_and(|lifted| in_doubt(lifted, &read.began, rules));
                        history.policies.push((read.began.clone(), forbidden || doubt));
                    }
                }
                // Also where somebody else has taken the block back before: when, is not known.
                Body::Note(note) if note.what == LIFTING => {
                    history.changed = Some(row.clock.clone());
                    lifted = Some(row.clock.clone());
                }
                Body::Note(note) if note.what == "cancelled" => history.cancelled = true,
                Body::Note(note) if note.what == "session_ended" => history.session_ended = true,
                // A sweep is resumed with a live session only: from there on, a missing read has other reasons.
                Body::Note(note) if note.what == "resumed" => history.session_ended = false,
                _ => {}
            }
        }
        history
    }

    fn proofs_after(&self, since: Option<&Clock>) -> Vec<(Proof, Clock)> {
        self.reads_after(since).filter_map(|(read, proof)| proof.map(|proof| (proof, read.began.clone()))).collect()
    }

    /// Whether the last that the app's own view told of it after `since` is that it lacks it.
    fn absent_in_app_view(&self, since: Option<&Clock>) -> bool {
        let told =
            self.reads_after(since).rev().filter(|(read, _)| read.view == View::App).find_map(|(_, proof)| *proof);
        told == Some(Proof::Absent)
    }

    /// When the request of an attempt left, or may have: `None` when it certainly did not.
    fn left(&self, attempt: u32, intended: &Clock) -> Option<Clock> {
        match self.answers.iter().find(|(answer, _)| answer.attempt == attempt) {
            Some((answer, _)) if answer.failure == Some(Failure::NotSent) => None,
            Some((answer, _)) => Some(answer.sent.clone()),
            None => Some(intended.clone()),
        }
    }

    /// How many requests were recorded as about to leave of which nothing more is.
    fn unrecorded(&self) -> usize {
        let answered = |attempt| self.answers.iter().any(|(answer, _)| answer.attempt == attempt);
        self.intents.iter().filter(|(attempt, _)| !answered(*attempt)).count()
    }

    /// Whether some request was recorded as about to leave and has neither a success nor a certain refusal.
    fn has_uncertain_attempt(&self) -> bool {
        self.intents.iter().any(|(attempt, _)| {
            let answer = self.answers.iter().find(|(answer, _)| answer.attempt == *attempt);
            !answer.is_some_and(|(answer, _)| is_success(answer) || is_certain_refusal(answer))
        })
    }

    /// The reads that began after a moment: those before it say nothing of what was done then.
    fn reads_after(&self, since: Option<&Clock>) -> impl DoubleEndedIterator<Item = &(&'a Read, Option<Proof>)> {
        self.reads.iter().filter(move |(read, _)| since.is_none_or(|since| millis_between(since, &read.began) >= 0))
    }

    fn policy_hides(&self, since: Option<&Clock>) -> bool {
        let after = |at: &Clock| since.is_none_or(|since| millis_between(since, at) >= 0);
        self.policies.iter().rev().find(|(at, _)| after(at)).is_some_and(|(_, hides)| *hides)
    }

    fn hidden_or(&self, since: Option<&Clock>, otherwise: Outcome) -> Outcome {
        if self.policy_hides(since) { Outcome::Hidden } else { otherwise }
    }

    fn why_unproven(&self, since: Option<&Clock>, listed: Option<&Clock>) -> Why {
        if let Some(listed) = listed {
            // What is listed is not hidden, unless the policy came to forbid it since.
            let hidden = self.policies.last().is_some_and(|(at, hides)| *hides && millis_between(listed, at) > 0);
            return if hidden { Why::HiddenByPolicy } else { Why::ListedYet };
        }
        if self.policy_hides(since) {
            return Why::HiddenByPolicy;
        }
        if self.session_ended {
            return Why::SessionEnded;
        }
        match self.reads_after(since).next_back().map(|(read, _)| *read) {
            None => Why::NotReadYet,
            Some(read) if read.answered && read.status == Some(403) => Why::NoReadAllowed,
            Some(read) if read.answered && read.status == Some(200) => Why::ReadIncomplete,
            Some(_) => Why::ReadFailed,
        }
    }
}

/// Whether a read tells if grant `n` is listed, whatever that proves.
fn tells(read: &Read, n: u32) -> bool {
    let whole = || read.complete && read.absent.contains(&n);
    read.answered && read.status == Some(200) && (read.present.contains(&n) || whole())
}

/// What one read proves of grant `n`. `doubt`: what the policy says now may not be what the lists go by yet.
fn proof(read: &Read, n: u32, app_view_404: bool, doubt: bool) -> Option<Proof> {
    if !tells(read, n) {
        return None;
    }
    if read.present.contains(&n) {
        // Seen is seen, however incomplete the rest of the list was.
        return Some(Proof::Present);
    }
    let forbidden = read.policy.as_ref().and_then(|policy| policy.app_forbidden);
    let counts = match read.view {
        // The app's own view is proof whatever the policy says: it answered, and without the member.
        View::App => true,
        // The lists hide what the policy forbids, so they prove only while the policy is known to allow it.
        View::Member | View::Oneself => !doubt && forbidden == Some(false),
        View::Organization => !doubt && app_view_404 && forbidden == Some(false) && read.others_listed.unwrap_or(0) > 0,
        View::Unknown => false,
    };
    counts.then_some(Proof::Absent)
}

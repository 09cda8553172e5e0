//! All that is known of one revoke, put together from its rows, the names that were kept beside them and the rules. Facts
//! only; no sentences.

use journal::{Body, Clock, Connection, Grant, Person, PersonKind, PersonRecord, SweepId, Utc};
use stytch_b2b::Permission;

use crate::clock::later;
use crate::permission;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{Finding, Outcome, Rules, Why};

/// The report of one grant of a sweep.
#[derive(Clone, Debug)]
pub struct Report {
    /// The sweep.
    pub sweep_id: SweepId,
    /// When it began, RFC 3339.
    pub began_at: String,
    /// The outcome.
    pub outcome: Outcome,
    /// For [`Outcome::Accepted`].
    pub why: Option<Why>,
    /// The grant as it stood in the plan.
    pub grant: Grant,
    /// The member's name and address, as far as kept.
    pub person: Option<Person>,
    /// The app's name, as far as kept.
    pub app_name: Option<String>,
    /// The place and the organization it was done in.
    pub connection: Connection,
    /// Whether that is where one is signed in now: elsewhere nothing can be done about it from here.
    pub here: bool,
    /// Whether the grant was the actor's own.
    pub own: bool,
    /// The roles the actor's session had.
    pub roles: Vec<String>,
    /// Of the answer that counts, else of the last read.
    pub request_id: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was last sent.
    pub sent_at: Option<String>,
    /// When it was answered.
    pub answered_at: Option<String>,
    /// When it was last read.
    pub read_at: Option<String>,
    /// The first clean read, or for [`Outcome::StillThere`] nothing.
    pub gone_at: Option<String>,
    /// When the second is due.
    pub confirm_due_at: Option<String>,
    /// The second clean read.
    pub confirmed_at: Option<String>,
    /// Until about when tokens issued before may still be accepted.
    pub tokens_until: Option<String>,
    /// HTTP status of what went wrong.
    pub status: Option<u16>,
    /// `error_type` of what went wrong.
    pub error_type: Option<String>,
    /// Why no usable answer came, by the row's word for it.
    pub failure: Option<String>,
    /// What was missing, for [`Outcome::Denied`].
    pub needs: Option<Permission>,
    /// It can still be settled.
    pub unsettled: bool,
    /// This run of the program found it open: an earlier one was interrupted.
    pub left_behind: bool,
    /// Its sweep has no other grant. What is asked of a sweep (another look, sending again) is asked of all its grants, so only
    /// for one of these may a single grant's report offer it.
    pub alone: bool,
    /// When a later read may tell more than is known now: the second read of what is gone, another look at what was
    /// listed or could not be told. `None` once there is nothing more to learn.
    pub look_again_at: Option<String>,
    /// The chain's head, hexadecimal.
    pub head: String,
}

impl Report {
    /// Reports grant `n`. `here` is the place and organization that is signed in to, if one is.
    #[must_use]
    pub fn of(
        n: u32,
        rows: &Rows,
        people: &[PersonRecord],
        head: String,
        rules: &Rules,
        here: Option<&Connection>,
    ) -> Option<Self> {
        let grant = rows.grant(n)?.clone();
        let (opening, began) = rows.all().iter().find_map(|row| match &row.body {
            Body::Opening(opening) => Some((opening.as_ref(), &row.clock)),
            _ => None,
        })?;
        let finding = Finding::of(n, rows.of(n), rules);
        let text = |kind: PersonKind, subject: &str| {
            people.iter().find(|record| record.kind == kind && record.subject == subject && record.is_true())
        };
        let person =
            text(PersonKind::Member, &grant.member_id).and_then(|record| serde_json::from_str(&record.text).ok());
        let app_name = text(PersonKind::App, &grant.connected_app_id).map(|record| record.text.clone());

        let answer = finding.answer.as_ref();
        let answered_at = answer.filter(|(answer, _)| answer.answered).map(|(_, at)| at);
        let since = answered_at.or(finding.sent.as_ref()).or(finding.gone.as_ref());
        let own = grant.route == journal::Route::Oneself;
        let unsettled = !finding.settled();
        let look_again_at = look_again(&finding, since, rules);
        Some(Self {
            sweep_id: opening.sweep_id,
            began_at: began.utc.to_string(),
            outcome: finding.outcome,
            why: finding.why,
            person,
            app_name,
            connection: opening.connection.clone(),
            here: here == Some(&opening.connection),
            own,
            roles: opening.actor.roles.clone(),
            request_id: answer
                .and_then(|(answer, _)| answer.request_id.clone())
                // Where nothing was sent, it is the read that showed it which can be asked about.
                .or_else(|| finding.last_read.as_ref().filter(|_| finding.attempts == 0)?.request_id.clone()),
            attempts: finding.attempts,
            sent_at: finding.sent.as_ref().map(|at| at.utc.to_string()),
            answered_at: answered_at.map(|at| at.utc.to_string()),
            read_at: finding.last_read.as_ref().map(|read| read.began.utc.to_string()),
            gone_at: finding.gone.as_ref().map(|at| at.utc.to_string()),
            confirm_due_at: look_again_at.filter(|_| finding.gone.is_some()).map(|at| at.to_string()),
            confirmed_at: finding.confirmed.as_ref().map(|at| at.utc.to_string()),
            tokens_until: finding.tokens_until().map(|at| at.to_string()),
            status: answer.and_then(|(answer, _)| answer.status),
            error_type: answer.and_then(|(answer, _)| answer.error_type.clone()),
            failure: answer.and_then(|(answer, _)| answer.failure).map(|failure| failure.name().to_owned()),
            needs: (finding.outcome == Outcome::Denied)
                .then(|| if own { permission::revoke_own_app() } else { permission::revoke_member_app() }),
            unsettled,
            left_behind: false,
            alone: rows.grants().len() == 1,
            look_again_at: look_again_at.map(|at| at.to_string()),
            head,
            grant,
        })
    }
}

/// When a read may next tell more than is known. What is gone is looked at until a late enough read confirms it; what
/// was listed, or could not be told, until one late read was answered. A look that brought nothing is not repeated at once.
pub(crate) fn look_again(finding: &Finding, since: Option<&Clock>, rules: &Rules) -> Option<Utc> {
    if finding.attempts == 0 || finding.confirmed.is_some() {
        return None;
    }
    let doubt_ends = later(finding.settles_from.as_ref().or(since)?, rules.confirm_after);
    let looked_late = finding.last_read.as_ref().is_some_and(|read| read.began.utc >= doubt_ends);
    let wanted = match finding.outcome {
        Outcome::Revoked | Outcome::AlreadyGone => true,
        Outcome::StillThere | Outcome::Accepted => !looked_late,
        _ => false,
    };
    let rested = finding.last_try.as_ref().map(|at| later(at, rules.confirm_after / 10));
    wanted.then(|| rested.map_or(doubt_ends, |rested| rested.max(doubt_ends)))
}

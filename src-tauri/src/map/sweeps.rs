//! Sweeps between the mind's words and the wire's. It moves facts and decides nothing.

use std::collections::BTreeMap;

use contract::members::MemberFace;
use contract::refusal::Refusal;
use contract::revoke::Outcome as WireOutcome;
use contract::sweeps as wire;
use cutoff::activity::{Digest, Resume, Stand};
use cutoff::clock::rfc3339;
use cutoff::session::Session;
use cutoff::sweep::Wish;
use cutoff::sweep::engine::Progress;
use cutoff::sweep::verdict::Outcome;
use cutoff::watch::ListedAgain;
use jiff::Timestamp;
use stytch_b2b::{ClientType, MemberId};

fn counts(outcomes: &BTreeMap<Outcome, u32>) -> Vec<wire::OutcomeCount> {
    outcomes
        .iter()
        .map(|(outcome, grants)| wire::OutcomeCount { outcome: super::outcome(*outcome), grants: *grants })
        .collect()
}

#[allow(clippy::too_many_arguments, reason = "what the shell knows of a sweep beside its rows, named once")]
pub(crate) fn sweep(
    digest: &Digest,
    running: bool,
    resume: Resume,
    here: bool,
    left_behind: bool,
    refused: Option<Refusal>,
    organization_name: Option<String>,
    session: Option<&Session>,
    again: &ListedAgain,
    beside: usize,
) -> wire::Sweep {
    let face = |id: &str, name: Option<String>, email: Option<String>| MemberFace {
        member_id: id.to_owned(),
        name,
        email,
        yourself: session.is_some_and(|session| session.is_self(&MemberId::from(id))),
    };
    let by = match session.filter(|session| session.is_self(&MemberId::from(digest.actor.as_str()))) {
        Some(session) => {
            let member = session.state().member;
            face(&digest.actor, Some(member.name), Some(member.email_address))
        }
        None => {
            let known = digest.actor_person.clone().unwrap_or_default();
            face(&digest.actor, known.name, known.email)
        }
    };
    wire::Sweep {
        sweep_id: digest.id.to_string(),
        began_at: digest.began.to_string(),
        last_at: digest.last.to_string(),
        organization_name: organization_name.unwrap_or_else(|| digest.connection.organization_id.clone()),
        environment: super::environment(digest.connection.environment),
        here,
        by,
        reason: digest.reason.clone(),
        grants: digest.grants,
        apps: digest.apps,
        members: digest.members,
        app: digest.only_app.as_ref().map(|(id, name, client_type)| {
            let client_type = ClientType::from(client_type.clone().unwrap_or_default());
            super::app_face(id, name.as_deref().unwrap_or_default(), "", &client_type)
        }),
        member: digest.only_member.as_ref().map(|(id, person)| {
            let (name, email) = person.clone().map_or((None, None), |person| (person.name, person.email));
            face(id, name, email)
        }),
        outcomes: counts(&digest.outcomes),
        unsent: digest.unsent,
        answered: digest.answered,
        stand: stand(&digest.stand, running, resume),
        unsettled: digest.unsettled,
        left_behind,
        resume: match resume {
            Resume::Yes if !running => wire::SweepResume::Yes,
            Resume::Yes | Resume::Closed | Resume::Held { .. } => wire::SweepResume::NotNow,
            Resume::Elsewhere => wire::SweepResume::Elsewhere,
            Resume::OtherMember => wire::SweepResume::OtherMember,
            Resume::TooOld => wire::SweepResume::TooOld,
        },
        gone_at: digest.gone_at.map(|at| at.to_string()),
        confirmed_at: digest.confirmed_at.map(|at| at.to_string()),
        look_again_at: digest.look_again_at.map(|at| at.to_string()),
        tokens_until: digest.tokens_until.map(|at| at.to_string()),
        refused,
        policy: digest.policy.as_ref().map(super::contain::sweep_policy),
        collateral: digest.collateral.as_ref().map(|pairs| super::number(pairs.len())),
        unseen: super::number(digest.unseen.len()),
        returned: super::number(digest.returned.len()),
        beside: super::number(beside),
        listed_again: super::number(again.of_sweep(digest.id)),
        head: digest.head.clone(),
    }
}

fn stand(stand: &Stand, running: bool, resume: Resume) -> wire::SweepState {
    if running {
        return wire::SweepState::Running;
    }
    if let Resume::Held { pid } = resume {
        return wire::SweepState::Elsewhere { pid };
    }
    match stand {
        Stand::Open => wire::SweepState::Interrupted,
        Stand::Paused => wire::SweepState::Paused,
        Stand::SessionEnded => wire::SweepState::SessionEnded,
        Stand::Halted { error_type } => wire::SweepState::Halted { error_type: error_type.clone() },
        Stand::CanaryDied { failed, of } => wire::SweepState::CanaryDied { failed: *failed, of: *of },
        Stand::Cancelled => wire::SweepState::Cancelled,
        Stand::Closed => wire::SweepState::Done,
    }
}

pub(crate) fn progress(progress: &Progress, wish: Wish) -> wire::SweepProgress {
    let at = |ms: Option<i64>| Timestamp::from_millisecond(ms?).ok().map(rfc3339);
    let by_quota = progress.quota.filter(|quota| *quota > 0).map(|quota| progress.to_send / quota * 60_000);
    let by_rate = match u64::from(progress.rate_milli) {
        0 => None,
        rate => u32::try_from(u64::from(progress.to_send) * 1_000_000 / rate).ok(),
    };
    wire::SweepProgress {
        grants: progress.grants,
        answered: progress.answered,
        to_send: progress.to_send,
        limited_until: at(progress.limited_until_ms),
        quota: progress.quota,
        offline_until: at(progress.offline_until_ms),
        reading: progress.reading,
        per_minute: u32::try_from(u64::from(progress.rate_milli) * 60 / 1000).unwrap_or(u32::MAX),
        // Where the server admits so many a minute, the slower of the two holds.
        left_ms: by_rate.map(|by_rate| by_quota.map_or(by_rate, |by_quota| by_quota.max(by_rate))),
        stopping: wish != Wish::Run,
    }
}

pub(crate) fn outcome_of(outcome: WireOutcome) -> Outcome {
    match outcome {
        WireOutcome::Revoked => Outcome::Revoked,
        WireOutcome::Accepted => Outcome::Accepted,
        WireOutcome::StillThere => Outcome::StillThere,
        WireOutcome::AlreadyGone => Outcome::AlreadyGone,
        WireOutcome::Hidden => Outcome::Hidden,
        WireOutcome::MemberGone => Outcome::MemberGone,
        WireOutcome::Denied => Outcome::Denied,
        WireOutcome::Failed => Outcome::Failed,
        WireOutcome::Unknown => Outcome::Unknown,
    }
}

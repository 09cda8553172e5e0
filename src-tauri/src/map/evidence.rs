//! Evidence between the mind's words and the wire's. It moves facts and decides nothing.

use contract::evidence as wire;
use cutoff::erase::Erased;
use cutoff::evidence::{Broken, Noted, Since, Verified};

fn rows(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(crate) fn verdict(verdict: Result<Verified, Broken>) -> wire::EvidenceVerdict {
    match verdict {
        Ok(verified) => wire::EvidenceVerdict::Good(Box::new(facts(&verified))),
        Err(broken) => wire::EvidenceVerdict::Broken(self::broken(broken)),
    }
}

fn facts(verified: &Verified) -> wire::EvidenceFacts {
    let (since, rows_vouched) = match verified.since {
        Since::Nothing => (wire::EvidenceSince::Nothing, 0),
        Since::Pack => (wire::EvidenceSince::Pack, verified.rows),
        Since::Rows(rows) => (wire::EvidenceSince::Rows, rows),
    };
    let outcome = |(outcome, grants): (&_, &u64)| wire::EvidenceOutcome {
        outcome: super::outcome(*outcome),
        grants: rows(*grants),
    };
    wire::EvidenceFacts {
        since,
        rows_vouched: rows(rows_vouched),
        sweep_id: verified.sweep_id.to_string(),
        head: verified.head.to_string(),
        chain_head: verified.chain_head.to_string(),
        rows: rows(verified.rows),
        grants: rows(verified.grants),
        finding: verified.finding.is_some(),
        complete: verified.finding.map(|finding| finding.complete),
        outcomes: verified.outcomes.iter().map(outcome).collect(),
        unsent: rows(verified.not_attempted),
        closed: verified.closed,
        counts_compared: verified.counts_compared,
        absent: verified.absent.iter().map(|name| (*name).to_owned()).collect(),
        erased: rows(verified.erased),
    }
}

fn broken(broken: Broken) -> wire::EvidenceBreak {
    match broken {
        Broken::Form(what) => wire::EvidenceBreak::Form { what: what.to_owned() },
        Broken::TooLarge => wire::EvidenceBreak::TooLarge,
        Broken::Newer => wire::EvidenceBreak::Newer,
        Broken::File { file, why } => wire::EvidenceBreak::File { name: file.to_owned(), why },
        Broken::Row { seq, why } => wire::EvidenceBreak::Row { seq: rows(seq), why },
        Broken::OtherHead { head, chain_head } => {
            wire::EvidenceBreak::OtherHead { head: head.to_string(), chain_head: chain_head.to_string() }
        }
    }
}

pub(crate) fn rolled_back(noted: &Noted) -> wire::RolledBack {
    wire::RolledBack { noted_at: noted.at.to_string(), rows: rows(noted.rows), head: noted.head.to_string() }
}

pub(crate) fn erased(erased: &Erased) -> wire::Erased {
    let ids = |ids: &[journal::SweepId]| ids.iter().map(ToString::to_string).collect();
    wire::Erased { texts: rows(erased.texts as u64), reasons: ids(&erased.reasons), plans: ids(&erased.plans) }
}

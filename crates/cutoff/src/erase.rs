//! A person taken out of the journal: what it holds of a member beside the id. What others wrote about the person is theirs; where it
//! may stand is told, and it goes when that is asked for. It knows nothing of packs that were handed on.

use std::collections::BTreeSet;
use std::time::Duration;

use journal::SweepId;

use crate::clock::millis_between;
use crate::desk::Desk;
use crate::error::Error;
use crate::revoke::RESUME_WITHIN;
use crate::sweep::engine::blocking;

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many texts went.
    pub texts: usize,
    /// Sweeps and findings whose reason, somebody else's words, stays and seems to name the person.
    pub reasons: Vec<SweepId>,
    /// Unfinished sweeps whose plan is kept with a reason that should have gone: without it nobody could go on with them. It goes with
    /// the sweep's end, or when this is done again once the sweep is too old to be gone on with.
    pub plans: Vec<SweepId>,
}

impl Desk {
    /// Erases what the journal holds of a member beside the id; of the sweeps `reasons_of` also the reason, whoever gave it.
    ///
    /// # Errors
    /// [`Error::Journal`]; when that is busy, calling again finishes the work.
    pub async fn erase_person(&self, member_id: &str, reasons_of: &[SweepId]) -> Result<Erased, Error> {
        let mut reasons = self.reasons_naming(member_id).await?;
        reasons.retain(|id| !reasons_of.contains(id));
        let (mut texts, mut plans) = (0, Vec::new());
        for summary in self.sweeps().await? {
            // As long as the sweep may have to be taken up, its plan is kept.
            let Ok(plan) = self.plan_of(summary.id).await else { continue };
            let actor = &summary.opening.actor.member_id;
            let theirs = actor == member_id || plan.author_member_id == member_id;
            if plan.reason.is_none() || !theirs && !reasons_of.contains(&summary.id) {
                continue;
            }
            let idle = millis_between(&self.digest(summary.id).await?.acted, &self.clock.now().stamp());
            let idle = Duration::from_millis(u64::try_from(idle).unwrap_or(0));
            if summary.closing.is_none() && idle <= RESUME_WITHIN {
                plans.push(summary.id);
            } else {
                self.forget_plan(&plan.hash()).await?;
                texts += 1;
            }
        }
        let (journal, member_id, reasons_of) = (self.journal.clone(), member_id.to_owned(), reasons_of.to_vec());
        texts += blocking(move || journal.erase_person(&member_id, &reasons_of)).await?;
        Ok(Erased { texts, reasons, plans })
    }

    /// The sweeps and findings with a reason of somebody else's that seems to name a member. Once the member is erased there is nothing
    /// left to tell it by.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn reasons_naming(&self, member_id: &str) -> Result<Vec<SweepId>, Error> {
        let (journal, member_id) = (self.journal.clone(), member_id.to_owned());
        blocking(move || {
            let known = journal.known_as(&member_id)?;
            let mut found = Vec::new();
            for (id, reason) in journal.reasons()? {
                if names(&reason, &known) && journal.summary(id)?.opening.actor.member_id != member_id {
                    found.push(id);
                }
            }
            Ok(found)
        })
        .await
    }
}

/// Whether a text seems to name somebody: by a whole name or address, by a part of the name, or by what stands before the @. Too often
/// rather than too seldom: whoever reads it decides.
pub(crate) fn names(text: &str, known: &BTreeSet<String>) -> bool {
    let text = text.to_lowercase();
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let stands = |part: &str| {
        text.match_indices(part)
            .any(|(at, _)| !letter(text[..at].chars().next_back()) && !letter(text[at + part.len()..].chars().next()))
    };
    known.iter().filter(|name| !name.is_empty()).any(|name| {
        let name = name.to_lowercase();
        let before = name.split('@').next().unwrap_or_default();
        let parts = before.split(|c: char| c.is_whitespace() || ".+_".contains(c)).chain([before]);
        // Shorter parts are words of a sentence too often to tell anything.
        parts.filter(|part| part.chars().count() > 2).chain([name.as_str()]).any(stands)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_names_somebody_is_found_and_one_that_does_not_is_not() {
        let known = BTreeSet::from(["Dana Ö. Whitfield".to_owned(), "dana.whitfield@acme.test".to_owned()]);
        for reason in [
            "reported by Dana",
            "WHITFIELD left",
            "see DANA.WHITFIELD@ACME.TEST",
            "account dana.whitfield, old",
            "(dana)",
            "dana ö. whitfield",
        ] {
            assert!(names(reason, &known), "{reason}");
        }
        for reason in ["", "SEC-2114", "Danaher and Jordana", "acme.test is the domain", "an ö. alone"] {
            assert!(!names(reason, &known), "{reason}");
        }
        assert!(!names("anything", &BTreeSet::new()));
        assert!(!names("it is so", &BTreeSet::from(["it@acme.test".to_owned()])));
        assert!(names("ask it@acme.test", &BTreeSet::from(["it@acme.test".to_owned()])));
        assert!(names("İstanbul: dana", &known), "letters whose small form is longer");
    }
}

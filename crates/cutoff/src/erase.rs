//! A person taken out of the journal: what it holds of a member beside the id. What others wrote about the person is theirs; where it
//! may stand is told, and it goes when that is asked for. It knows nothing of packs that were handed on.

use std::collections::BTreeSet;

use journal::SweepId;

use crate::desk::Desk;
use crate::error::Error;
use crate::plan_file::Unusable;
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
    /// [`Error::Journal`]; when that is busy, calling again finishes the work. [`Error::Plan`] for a kept plan of a later version, whose
    /// reason this one cannot judge.
    pub async fn erase_person(&self, member_id: &str, reasons_of: &[SweepId]) -> Result<Erased, Error> {
        let mut reasons = self.reasons_naming(member_id).await?;
        reasons.retain(|id| !reasons_of.contains(id));
        let (mut texts, mut plans) = (0, Vec::new());
        for summary in self.sweeps().await? {
            // As long as the sweep may have to be taken up, its plan is kept.
            let plan = match self.plan_of(summary.id).await {
                Err(Error::Plan(Unusable::NotAPlan)) => continue,
                kept => kept?,
            };
            let actor = &summary.opening.actor.member_id;
            let theirs = actor == member_id || plan.author_member_id == member_id;
            if plan.reason.is_none() || !theirs && !reasons_of.contains(&summary.id) {
                continue;
            }
            if self.is_open(&*self.digest(summary.id).await?) {
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
        let parts = before.split(|c: char| !c.is_alphanumeric()).chain([before]);
        // Shorter parts are words of a sentence too often to tell anything.
        parts.filter(|part| part.chars().count() > 2).chain([name.as_str()]).any(stands)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use journal::{Body, Clock, Environment, Hash, Journal, Note, RowDraft};

    use super::*;
    use crate::clock::later;
    use crate::desk::Options;
    use crate::plan_file::PlanFile;

    fn plan() -> PlanFile {
        let plan = serde_json::json!({
            "format": "cutoff-plan", "version": 1, "critical": [], "scheme": "https", "host": "api.example", "port": 443,
            "public_token_sha256": Hash([7; 32]).to_string(), "environment": "test", "organization_id": "organization-1",
            "author_member_id": "member-1", "created_at": "2026-11-23T09:00:00Z", "expires_at": "2026-11-24T09:00:00Z",
            "run_id": uuid::Uuid::from_u128(7), "reason": "SEC-2114",
            "grants": [{"member_id": "member-2", "connected_app_id": "app-1"}],
        });
        PlanFile::read(plan.to_string().as_bytes()).expect("a plan")
    }

    fn begin(journal: &Journal, clock: &Clock, plan: &PlanFile) -> SweepId {
        let draft = journal::OpeningDraft {
            clock: clock.clone(),
            sweep_id: SweepId::random(),
            tool: journal::Tool { name: "cutoff".into(), version: "0".into(), commit: "none".into() },
            plan_hash: plan.hash(),
            connection: journal::Connection {
                scheme: "https".into(),
                host: "api.example".into(),
                port: 443,
                public_token_sha256: Hash([7; 32]),
                organization_id: "organization-1".into(),
                environment: Environment::Test,
            },
            actor: journal::ActorDraft {
                member_id: "member-1".into(),
                member_session_id: "session-1".into(),
                roles: Vec::new(),
                factors: Vec::new(),
                person: None,
                impersonator: None,
            },
            organization_name: None,
            reason: None,
        };
        let grant = journal::GrantDraft {
            member_id: "member-2".into(),
            connected_app_id: "app-1".into(),
            client_type: None,
            scopes: Vec::new(),
            first_party: false,
            route: journal::Route::Member,
            member_roles: None,
        };
        journal.open_sweep(&draft, &[grant], &journal::People::default()).expect("opened").id
    }

    #[tokio::test]
    async fn a_reason_is_kept_with_its_plan_only_while_somebody_may_go_on_and_trouble_is_told() {
        for (ahead, called_off, is_kept) in [(0, false, true), (0, true, false), (3_600, false, false)] {
            let dir = tempfile::tempdir().expect("a directory");
            let journal = Arc::new(Journal::open(dir.path()).expect("a journal"));
            let desk = Desk::new(journal.clone(), Options::new(vault::Vault::memory(vault::Trouble::Missing)));
            let mut clock = desk.clock.now().stamp();
            clock.utc = later(&clock, Duration::from_secs(ahead));
            clock.mono_ms += ahead * 1_000;
            let id = begin(&journal, &clock, &plan());
            desk.keep_plan(&plan()).await.expect("kept");
            if called_off {
                let note = Note { what: "cancelled".into(), detail: std::collections::BTreeMap::new() };
                journal.append(id, &[RowDraft { clock, body: Body::Note(note) }]).expect("appended");
            }
            let erased = desk.erase_person("member-1", &[]).await.expect("erased");
            assert_eq!(erased.plans == [id], is_kept, "{ahead} s ahead, called off: {called_off}");
            assert_eq!(desk.plan_of(id).await.is_ok(), is_kept, "{ahead} s ahead, called off: {called_off}");

            // What is kept and cannot be read may hold the reason as well.
            let key = format!("plan {}", plan().hash());
            journal.set(&key, &serde_json::json!({"format": "cutoff-plan", "reason": "SEC-2114"})).expect("set");
            let told = desk.erase_person("member-1", &[]).await;
            assert!(matches!(told, Err(Error::Journal(journal::Error::Corrupt(_)))), "{told:?}");
        }
    }

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
        for known in ["Whitfield, Dana", "d-whitfield@acme.test"] {
            assert!(names("told by whitfield", &BTreeSet::from([known.to_owned()])), "{known}");
        }
        assert!(!names("anything", &BTreeSet::new()));
        assert!(!names("it is so", &BTreeSet::from(["it@acme.test".to_owned()])));
        assert!(names("ask it@acme.test", &BTreeSet::from(["it@acme.test".to_owned()])));
        assert!(names("İstanbul: dana", &known), "letters whose small form is longer");
    }
}

//! The journal's head, noted in the keyring: what a restored disk image does not take back with it. A journal that lacks what was
//! noted is an older copy of itself, and nothing is resumed from it. It judges the journal, not the sweeps in it.

use std::collections::BTreeSet;

use journal::{Hash, SweepId, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vault::Account;

use crate::desk::Desk;
use crate::error::Error;
use crate::session::Session;
use crate::sweep::engine::blocking;

/// The setting that names the sweeps that were open when the journal was found rolled back. It outlives the note in the keyring,
/// which later sweeps write anew.
const SETTING: &str = "rolled_back";

/// What is noted of a journal elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The head of its newest sweep.
    pub head: Hash,
    /// How many rows it had.
    pub rows: u64,
    /// When that was noted.
    pub at: Utc,
}

impl Desk {
    /// What was noted of this journal, if the journal is older than that: it was restored from an earlier copy. `None` when it is
    /// not, when nothing was noted, or when the keyring cannot be asked: only what can be told for sure is told.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn rolled_back(&self) -> Result<Option<Noted>, Error> {
        // The note before the journal: what another process writes in between only makes the journal longer.
        let Some(noted) = self.noted().await else { return Ok(None) };
        let journal = self.journal.clone();
        blocking(move || {
            if journal.holds(&noted.head)? && journal.row_count()? >= noted.rows {
                return Ok(None);
            }
            let mut open = stale(journal.get(SETTING)?);
            let before = open.len();
            open.extend(journal.unfinished()?.iter().map(ToString::to_string));
            if open.len() > before {
                journal.set(SETTING, &Value::from(open.into_iter().collect::<Vec<_>>()))?;
            }
            Ok(Some(noted))
        })
        .await
    }

    /// Refuses to resume a sweep that a rolled back journal calls unfinished.
    ///
    /// # Errors
    /// [`journal::Error::RolledBack`]; otherwise as every read.
    pub(crate) async fn must_be_current(&self, id: SweepId) -> Result<(), Error> {
        self.rolled_back().await?;
        let journal = self.journal.clone();
        if blocking(move || Ok(stale(journal.get(SETTING)?).contains(&id.to_string()))).await? {
            return Err(journal::Error::RolledBack.into());
        }
        Ok(())
    }

    /// Notes how far the journal reaches, once a sweep added something to it. What cannot be noted is no reason to fail what was
    /// done, and a drill in the sandbox is none to trouble the keyring.
    pub(crate) async fn note_head(&self, session: &Session) {
        if session.connection.sandbox {
            return;
        }
        let noted = async {
            // Before the note is written anew: what an older copy calls unfinished must stay known.
            self.rolled_back().await?;
            let journal = self.journal.clone();
            let at = self.clock.now().stamp().utc;
            blocking(move || Ok(journal.head()?.zip(Some(journal.row_count()?))))
                .await
                .map(|end| end.map(|(head, rows)| Noted { head, rows, at }))
        };
        match noted.await {
            Ok(Some(noted)) => self.keep_noted(&noted).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the journal's head could not be noted"),
        }
    }

    async fn noted(&self) -> Option<Noted> {
        let (vault, account) = (self.vault.clone(), Account::journal(&self.journal.id()));
        let kept = tokio::task::spawn_blocking(move || vault.load(account)).await.ok()?;
        match kept {
            Ok(kept) => serde_json::from_str(&kept?).ok(),
            Err(trouble) => {
                tracing::info!(%trouble, "the journal's head could not be looked up in the keyring");
                None
            }
        }
    }

    async fn keep_noted(&self, noted: &Noted) {
        let (vault, account) = (self.vault.clone(), Account::journal(&self.journal.id()));
        // Two texts and a number always have a JSON form.
        let text = serde_json::to_string(noted).unwrap_or_default();
        let kept = tokio::task::spawn_blocking(move || vault.save(account, &text)).await;
        if let Ok(Err(trouble)) = kept {
            tracing::warn!(%trouble, "the journal's head could not be kept in the keyring");
        }
    }
}

/// The sweeps of the setting.
fn stale(setting: Option<Value>) -> BTreeSet<String> {
    setting.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

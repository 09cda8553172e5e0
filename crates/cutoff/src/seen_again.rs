//! Later observations of what a sweep found gone: that an outcome says how it was as of a read, and the last reading of the
//! inventory lists the grant again. It asks nobody, judges nothing anew and changes no outcome; raising alerts is [`crate::watch`]'s.

use std::collections::HashMap;

use jiff::Timestamp;
use journal::{AppReading, Journal, Place, SweepId};
use stytch_b2b::{ConnectedAppId, MemberId};

use crate::connections;
use crate::desk::Desk;
use crate::error::Error;
use crate::plan_file::Pair;
use crate::sweep::engine::blocking;
use crate::sweep::verdict::Rules;
use crate::watch::lost_in;

/// A grant that a sweep found gone and that is listed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAgain {
    /// Which.
    pub grant: Pair,
    /// When the first clean read of it began.
    pub gone_at: Timestamp,
    /// When the call was made that listed it last. Not removed then, or consented to again: Stytch gives no way to tell.
    pub seen_at: Timestamp,
}

impl Desk {
    /// What a sweep found gone and the last reading of its organization, whoever of this journal made it, lists again.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn seen_again(&self, id: SweepId) -> Result<Vec<SeenAgain>, Error> {
        let (journal, rules) = (self.journal.clone(), self.rules);
        blocking(move || seen_again(&journal, id, &rules)).await
    }
}

fn seen_again(journal: &Journal, id: SweepId, rules: &Rules) -> Result<Vec<SeenAgain>, journal::Error> {
    let here = journal.summary(id)?.opening.connection;
    let mut seen: HashMap<(String, String), Timestamp> = HashMap::new();
    for saved in journal.connections()? {
        let same = connections::reopen(&saved).is_ok_and(|checked| {
            checked.base.scheme() == here.scheme && checked.base.host() == here.host && checked.base.port() == here.port
        });
        let place = Place { connection_id: saved.id, organization_id: here.organization_id.clone() };
        let Some(last) = (if same { journal.latest_snapshot(&place)? } else { None }) else { continue };
        let snapshot = journal.snapshot(last)?;
        for grant in &snapshot.grants {
            let app = &snapshot.apps[grant.app as usize];
            // Of an app that was not read to the end, the journal keeps what it knew before.
            if app.reading != AppReading::Complete {
                continue;
            }
            let key = (snapshot.members[grant.member as usize].clone(), app.connected_app_id.clone());
            let at = seen.entry(key).or_insert(Timestamp::MIN);
            *at = (*at).max(app.at.timestamp());
        }
    }
    let again = lost_in(journal, id, rules)?.into_iter().filter_map(|lost| {
        let key = (lost.member_id.to_string(), lost.connected_app_id.to_string());
        let seen_at = *seen.get(&key)?;
        let grant =
            Pair { member_id: MemberId::from(key.0.as_str()), connected_app_id: ConnectedAppId::from(key.1.as_str()) };
        (seen_at > lost.gone_at).then_some(SeenAgain { grant, gone_at: lost.gone_at, seen_at })
    });
    Ok(again.collect())
}

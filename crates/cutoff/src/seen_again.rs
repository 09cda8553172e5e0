//! Later observations of what a sweep found gone: that an outcome says how it was as of a read, and the last reading of the
//! inventory lists the grant again, or one of its member's to a client that looks like it. It asks nobody, judges nothing anew and
//! changes no outcome; raising alerts is [`crate::watch`]'s.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use journal::{AppReading, Connection, Journal, Place, Snapshot, SnapshotSummary, SweepId};
use stytch_b2b::{ConnectedAppId, MemberId};

use crate::connections;
use crate::desk::Desk;
use crate::error::Error;
use crate::inventory::history;
use crate::plan_file::Pair;
use crate::sweep::engine::blocking;
use crate::sweep::verdict::Rules;
use crate::watch::{Kind, come_backs, lost_in};

/// A grant that a sweep found gone, and what is listed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAgain {
    /// The grant itself, or one to a look-alike.
    pub kind: Kind,
    /// The grant that was gone.
    pub grant: Pair,
    /// The app that is listed now; the same one when the grant itself is.
    pub connected_app_id: ConnectedAppId,
    /// Its name.
    pub app_name: String,
    /// When the first clean read of the grant that was gone began.
    pub gone_at: Timestamp,
    /// When the call was made that listed it first since.
    pub first_seen_at: Timestamp,
    /// When the call was made that listed it last. Not removed then, or consented to again: Stytch gives no way to tell.
    pub seen_at: Timestamp,
}

impl Desk {
    /// What a sweep found gone and the last reading of its organization, whoever of this journal made it, lists again, or lists
    /// under a client that looks like it. By member, then by app.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn seen_again(&self, id: SweepId) -> Result<Vec<SeenAgain>, Error> {
        let (journal, rules) = (self.journal.clone(), self.rules);
        blocking(move || seen_again(&journal, id, &rules)).await
    }

    /// The names of the apps that readings of a sweep's organization listed, also of those that none lists any more; each as the last
    /// that lists it has it.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn names_of_apps(&self, id: SweepId) -> Result<HashMap<String, String>, Error> {
        let journal = self.journal.clone();
        blocking(move || {
            let mut names = HashMap::new();
            for place in places(&journal, &journal.summary(id)?.opening.connection)? {
                let apps = journal.once_listed(&place, &HashSet::new())?;
                names.extend(apps.into_iter().map(|app| (app.connected_app_id, app.name)));
            }
            Ok(names)
        })
        .await
    }
}

pub(crate) fn seen_again(journal: &Journal, id: SweepId, rules: &Rules) -> Result<Vec<SeenAgain>, journal::Error> {
    let lost = lost_in(journal, id, rules)?;
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: BTreeMap<(MemberId, ConnectedAppId), SeenAgain> = BTreeMap::new();
    for place in places(journal, &journal.summary(id)?.opening.connection)? {
        let Some(last) = journal.latest_snapshot(&place)? else { continue };
        let mut past = Past { journal, marks: journal.snapshots(&place)?, read: HashMap::new() };
        let picture = history::plain_picture(&journal.snapshot(last)?, &past.marks);
        let asked = asked(past.snapshot(last)?);
        for back in come_backs(&lost, &picture, &|app| asked.get(app).copied()) {
            let seen_by = picture.member(&back.member_id).zip(picture.app(&back.connected_app_id));
            let seen_by = seen_by.and_then(|(member, app)| {
                let of_member = picture.grants_of_member(member).iter().map(|at| &picture.grants[*at as usize]);
                of_member.into_iter().find(|grant| grant.app == app).map(|grant| grant.seen_by)
            });
            let first = past.first_listed(&back.member_id, &back.connected_app_id, seen_by, back.gone_at)?;
            let again = SeenAgain {
                kind: back.kind,
                grant: Pair { member_id: back.member_id.clone(), connected_app_id: back.lost_connected_app_id },
                connected_app_id: back.connected_app_id.clone(),
                app_name: back.app_name,
                gone_at: back.gone_at,
                first_seen_at: first.unwrap_or(back.seen_at),
                seen_at: back.seen_at,
            };
            // The same organization may be read over several connections.
            let known = found.entry((back.member_id, back.connected_app_id)).or_insert_with(|| again.clone());
            known.first_seen_at = known.first_seen_at.min(again.first_seen_at);
            known.seen_at = known.seen_at.max(again.seen_at);
        }
    }
    Ok(found.into_values().collect())
}

/// Where the organization of a sweep was read, over whichever connection.
fn places(journal: &Journal, here: &Connection) -> Result<Vec<Place>, journal::Error> {
    let saved = journal.connections()?.into_iter().filter(|saved| {
        connections::reopen(saved).is_ok_and(|checked| {
            checked.base.scheme() == here.scheme && checked.base.host() == here.host && checked.base.port() == here.port
        })
    });
    Ok(saved.map(|saved| Place { connection_id: saved.id, organization_id: here.organization_id.clone() }).collect())
}

/// When each app's members were asked for. Of an app that was not read to the end, the journal keeps what it knew before.
fn asked(snapshot: &Snapshot) -> HashMap<ConnectedAppId, Timestamp> {
    let complete = snapshot.apps.iter().filter(|app| app.reading == AppReading::Complete);
    complete.map(|app| (ConnectedAppId::from(app.connected_app_id.as_str()), app.at.timestamp())).collect()
}

/// The snapshots of a place, each read once.
struct Past<'a> {
    journal: &'a Journal,
    marks: Vec<SnapshotSummary>,
    read: HashMap<u32, Snapshot>,
}

impl Past<'_> {
    fn snapshot(&mut self, number: u32) -> Result<&Snapshot, journal::Error> {
        Ok(match self.read.entry(number) {
            std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => free.insert(self.journal.snapshot(number)?),
        })
    }

    /// When the first call after `gone_at` was made that listed a grant which is there without a break since snapshot `seen_by`.
    fn first_listed(
        &mut self,
        member: &MemberId,
        app: &ConnectedAppId,
        seen_by: Option<u32>,
        gone_at: Timestamp,
    ) -> Result<Option<Timestamp>, journal::Error> {
        let from = seen_by.unwrap_or(0);
        let after = self.marks.iter().filter(|mark| mark.number >= from && mark.ended.timestamp() > gone_at);
        for number in after.map(|mark| mark.number).collect::<Vec<_>>() {
            let snapshot = self.snapshot(number)?;
            let at = snapshot.apps.iter().position(|known| known.connected_app_id == app.as_str());
            let Some(at) = at.filter(|at| snapshot.apps[*at].reading == AppReading::Complete) else { continue };
            let asked = snapshot.apps[at].at.timestamp();
            let lists = snapshot
                .grants
                .iter()
                .any(|grant| grant.app as usize == at && snapshot.members[grant.member as usize] == member.as_str());
            if asked > gone_at && lists {
                return Ok(Some(asked));
            }
        }
        Ok(None)
    }
}

//! Grants in no plan that a block may have taken with it. Where the inventory does not tell of an app's, its own view is asked for those it
//! had, and the members whom that lacks are asked for theirs. It writes down what is proven gone, and of which apps nothing could be
//! proven and why; it sends nothing but reads.

use std::collections::{BTreeMap, HashMap, HashSet};

use journal::{Body, Collateral, GrantId, Note, RowDraft, Snapshot};
use stytch_b2b::{ConnectedAppId, Error as ApiError, MemberId};

use super::change::Changes;
use super::engine::Engine;
use super::rows::Rows;
use crate::error::Error;
use crate::plan_file::Pair;
use crate::policy::{Kind, forbids};
use crate::sweeps::planned_by;

/// The note of apps of which it was not seen whether grants in no plan vanished.
pub(crate) const UNSEEN: &str = "beside_unseen";
/// The note of apps of whose grants the inventory did not tell, and whose own views did.
pub(crate) const LOOKED: &str = "beside_looked";
/// An app in such a note; its number follows, the same in each key.
pub(crate) const APP: &str = "app_";
const WHY: &str = "why_";

/// So many members are asked for their own lists at the most.
const MOST_ASKED: usize = 200;

/// An app of which it was not seen whether grants in no plan vanished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The app.
    pub app: ConnectedAppId,
    /// Why not; `None` where the rows do not say.
    pub why: Option<WhyUnseen>,
}

/// Why it was not seen whether grants to an app vanished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnseen {
    /// The reading before the sweep had no grant of it either, so there is nothing to compare with.
    UnknownBefore,
    /// The policy forbids it, and its own view answers that there is no such app.
    Hidden,
    /// Its own view could not be read, or not whole.
    Unreadable,
    /// Its own view lacks grants, and nothing bears out that they are gone: a server may cut a list short without a word, and while
    /// the policy forbids an app, its members' lists leave it out.
    NotBorneOut,
}

impl WhyUnseen {
    const ALL: [Self; 4] = [Self::UnknownBefore, Self::Hidden, Self::Unreadable, Self::NotBorneOut];

    /// The name in rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownBefore => "unknown_before",
            Self::Hidden => "hidden",
            Self::Unreadable => "unreadable",
            Self::NotBorneOut => "not_borne_out",
        }
    }
}

/// What the looking came to.
#[derive(Default)]
struct Found {
    gone: Vec<Pair>,
    looked: Vec<ConnectedAppId>,
    unseen: Vec<(ConnectedAppId, WhyUnseen)>,
}

/// What the reading before the sweep had of an app.
struct Had {
    client_type: String,
    members: Vec<MemberId>,
}

impl Engine<'_> {
    /// The snapshot of the inventory that was shown when the sweep began.
    pub(crate) fn first_snapshot(&self) -> Option<u32> {
        planned_by(&self.rows)
    }

    /// Writes down which grants in no plan vanished: `gone` are those of which the lists tell it, `untold` the apps of which they do
    /// not tell, and `before` what was there.
    pub(crate) async fn look_beside(
        &mut self,
        gone: Vec<Pair>,
        untold: &[ConnectedAppId],
        before: &Snapshot,
    ) -> Result<(), Error> {
        let mut found = Found { gone, ..Found::default() };
        let had = had(before);
        for app in untold {
            match had.get(app.as_str()) {
                Some(had) => self.look_at(app, had, &mut found).await,
                None => found.unseen.push((app.clone(), WhyUnseen::UnknownBefore)),
            }
        }
        if !found.looked.is_empty() {
            self.write_note(LOOKED, found.looked.iter().map(|app| (app, None))).await?;
        }
        if !found.unseen.is_empty() {
            self.write_note(UNSEEN, found.unseen.iter().map(|(app, why)| (app, Some(*why)))).await?;
            // Of what nobody saw it is not said that nothing vanished.
            if found.gone.is_empty() {
                return Ok(());
            }
        }
        let grants = found.gone.iter().map(|pair| GrantId {
            member_id: pair.member_id.to_string(),
            connected_app_id: pair.connected_app_id.to_string(),
        });
        // An empty row says that somebody looked.
        let body = Body::Collateral(Collateral { grants: grants.collect() });
        self.write(vec![RowDraft { clock: self.clock.now().stamp(), body }]).await
    }

    async fn look_at(&mut self, app: &ConnectedAppId, had: &Had, found: &mut Found) {
        let answer = self.ask(|client, token| async move { client.connected_app(&token, app).await }).await;
        let view = match answer {
            Ok(reply) if reply.data.active_members.unreadable.is_empty() => reply.data.active_members.rows,
            Err(ApiError::ConnectedAppNotFound(_)) if self.is_forbidden(app, had) != Some(false) => {
                return found.unseen.push((app.clone(), WhyUnseen::Hidden));
            }
            _ => return found.unseen.push((app.clone(), WhyUnseen::Unreadable)),
        };
        let there: HashSet<&MemberId> = view.iter().map(|row| &row.member_id).collect();
        let lacked: Vec<&MemberId> = had.members.iter().filter(|member| !there.contains(member)).collect();
        let mut untold = 0;
        for (at, member) in lacked.into_iter().enumerate() {
            // A list that was cut short has rows, as many as it may.
            let gone = match view.is_empty() {
                true => Some(true),
                false if at < MOST_ASKED => self.is_gone(app, had, member).await,
                false => None,
            };
            match gone {
                Some(true) => {
                    found.gone.push(Pair { member_id: member.clone(), connected_app_id: app.clone() });
                }
                Some(false) => {}
                None => untold += 1,
            }
        }
        match untold {
            0 => found.looked.push(app.clone()),
            _ => found.unseen.push((app.clone(), WhyUnseen::NotBorneOut)),
        }
    }

    /// Whether a grant that its app's own view lacks is gone, by its member's list; `None`: that does not tell.
    async fn is_gone(&mut self, app: &ConnectedAppId, had: &Had, member: &MemberId) -> Option<bool> {
        let own = self.session.is_self(member);
        let answer = self
            .ask(|client, token| async move {
                match own {
                    true => client.own_connected_apps(&token).await,
                    false => client.member_connected_apps(&token, member).await,
                }
            })
            .await;
        match answer {
            Ok(reply) if reply.data.rows.iter().any(|row| row.connected_app_id == *app) => Some(false),
            // The lists hide what the policy forbids.
            Ok(reply) => {
                (reply.data.unreadable.is_empty() && self.is_forbidden(app, had) == Some(false)).then_some(true)
            }
            Err(ApiError::MemberNotFound(_)) => Some(true),
            Err(_) => None,
        }
    }

    /// Whether the policy as it was last read for this sweep forbids an app; `None`: that is not known.
    fn is_forbidden(&self, app: &ConnectedAppId, had: &Had) -> Option<bool> {
        let changes = Changes::of(self.rows.all());
        let (state, ..) = changes.reads.last()?;
        forbids(state, app, Kind::of(&had.client_type))
    }

    async fn write_note<'n>(
        &mut self,
        what: &str,
        apps: impl Iterator<Item = (&'n ConnectedAppId, Option<WhyUnseen>)>,
    ) -> Result<(), Error> {
        let mut detail = BTreeMap::new();
        for (at, (app, why)) in apps.enumerate() {
            detail.insert(format!("{APP}{at:05}"), app.to_string());
            detail.extend(why.map(|why| (format!("{WHY}{at:05}"), why.name().to_owned())));
        }
        let body = Body::Note(Note { what: what.to_owned(), detail });
        self.write(vec![RowDraft { clock: self.clock.now().stamp(), body }]).await
    }
}

/// The grants of a snapshot by app.
fn had(before: &Snapshot) -> HashMap<&str, Had> {
    let mut found: HashMap<&str, Had> = HashMap::new();
    for grant in &before.grants {
        let app = &before.apps[grant.app as usize];
        let had = found
            .entry(&app.connected_app_id)
            .or_insert_with(|| Had { client_type: app.client_type.clone(), members: Vec::new() });
        had.members.push(MemberId::from(before.members[grant.member as usize].as_str()));
    }
    found
}

/// Grants in no plan that vanished meanwhile; `None`: nobody looked, or nobody could see of all that none did.
pub(crate) fn collateral(rows: &Rows) -> Option<Vec<Pair>> {
    let mut found: Option<Vec<Pair>> = None;
    for row in rows.all() {
        if let Body::Collateral(collateral) = &row.body {
            found.get_or_insert_default().extend(collateral.grants.iter().map(|grant| Pair {
                member_id: MemberId::from(grant.member_id.as_str()),
                connected_app_id: ConnectedAppId::from(grant.connected_app_id.as_str()),
            }));
        }
    }
    found
}

/// The apps of which it was not seen whether grants in no plan vanished.
pub(crate) fn unseen(rows: &Rows) -> Vec<Unseen> {
    let notes = rows.all().iter().filter_map(|row| match &row.body {
        Body::Note(note) if note.what == UNSEEN => Some(note),
        _ => None,
    });
    notes.flat_map(unseen_of).collect()
}

/// The apps of one such note.
pub(crate) fn unseen_of(note: &Note) -> impl Iterator<Item = Unseen> + '_ {
    note.detail.iter().filter_map(|(key, app)| {
        let why = note.detail.get(&format!("{WHY}{}", key.strip_prefix(APP)?));
        let why = why.and_then(|name| WhyUnseen::ALL.into_iter().find(|why| why.name() == name));
        Some(Unseen { app: ConnectedAppId::from(app.as_str()), why })
    })
}

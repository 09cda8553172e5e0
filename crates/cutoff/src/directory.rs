//! What was last read of members, apps and grants. It belongs to one session and dies with it; every entry says when it
//! was read and whether all of it could be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use stytch_b2b::{
    ActiveMember, ConnectedApp, ConnectedAppDetail, ConnectedAppId, Error as ApiError, Member, MemberConnectedApp,
    MemberId, UnreadableRow,
};

use crate::error::Error;
use crate::session::Session;

/// One app's grants.
#[derive(Clone, Debug)]
pub struct AppGrants {
    /// The app.
    pub app: ConnectedApp,
    /// Its grants.
    pub rows: Vec<ActiveMember>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// The app's list lacked grants of an earlier reading without being borne out: those that their members' own lists still have
    /// are among `rows`, and of so many more nothing tells.
    pub short: Option<u32>,
    /// When they were asked for.
    pub read_at: Timestamp,
}

impl AppGrants {
    /// Whether a grant that is not among them is not there.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.unreadable.is_empty() && self.short.is_none()
    }
}

/// One member's grants.
#[derive(Debug)]
pub struct MemberGrants {
    /// The grants.
    pub rows: Vec<MemberConnectedApp>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When they were asked for.
    pub read_at: Timestamp,
}

/// What was last read, by noun.
#[derive(Default)]
pub struct Directory {
    /// Each lock is held for the length of a look-up or a swap, never across a call.
    members: Mutex<HashMap<MemberId, Member>>,
    /// The organization's list, in the order of the answer.
    apps: Mutex<Vec<ConnectedApp>>,
    by_app: Mutex<HashMap<ConnectedAppId, Arc<AppGrants>>>,
    by_member: Mutex<HashMap<MemberId, Arc<MemberGrants>>>,
    /// Grants that the re-read of a revoke found gone, and when.
    gone: Mutex<HashMap<(MemberId, ConnectedAppId), Timestamp>>,
}

fn look<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Directory {
    /// A member as last read; `None` when search did not return them.
    pub fn known_member(&self, id: &MemberId) -> Option<Member> {
        look(&self.members).get(id).cloned()
    }

    /// An app's face as last read in any list.
    pub fn known_app(&self, id: &ConnectedAppId) -> Option<ConnectedApp> {
        if let Some(grants) = look(&self.by_app).get(id) {
            return Some(grants.app.clone());
        }
        let listed = look(&self.apps).iter().find(|app| app.connected_app_id == *id).cloned();
        listed.or_else(|| {
            look(&self.by_member).values().find_map(|grants| {
                grants.rows.iter().find(|grant| grant.connected_app_id == *id).map(|grant| ConnectedApp {
                    connected_app_id: grant.connected_app_id.clone(),
                    name: grant.name.clone(),
                    description: grant.description.clone(),
                    client_type: grant.client_type.clone(),
                    logo_url: grant.logo_url.clone(),
                })
            })
        })
    }

    /// The apps other than `id` that were listed when the organization's list was last read.
    pub fn known_other_apps(&self, id: &ConnectedAppId) -> Vec<ConnectedAppId> {
        look(&self.apps).iter().map(|app| app.connected_app_id.clone()).filter(|other| other != id).collect()
    }

    /// The apps that were listed when the organization's list was last read.
    pub fn known_apps(&self) -> Vec<ConnectedAppId> {
        look(&self.apps).iter().map(|app| app.connected_app_id.clone()).collect()
    }

    /// The scopes of a grant as last read, and whether a complete read lacked the grant altogether.
    pub fn known_grant(&self, member: &MemberId, app: &ConnectedAppId) -> KnownGrant {
        let from_app = look(&self.by_app).get(app).cloned();
        let from_member = look(&self.by_member).get(member).cloned();
        let mut latest: Option<(Timestamp, KnownGrant)> = None;
        if let Some(read) = from_app {
            let row = read.rows.iter().find(|row| row.member_id == *member);
            let known = match row {
                Some(row) => KnownGrant::Listed(row.granted_scopes.clone()),
                None if read.complete() => KnownGrant::Absent,
                None => KnownGrant::NotRead,
            };
            latest = Some((read.read_at, known));
        }
        if let Some(read) = from_member {
            let row = read.rows.iter().find(|row| row.connected_app_id == *app);
            let known = match row {
                Some(row) => KnownGrant::Listed(row.scopes()),
                None if read.unreadable.is_empty() => KnownGrant::Absent,
                None => KnownGrant::NotRead,
            };
            if latest.as_ref().is_none_or(|(at, _)| read.read_at > *at) {
                latest = Some((read.read_at, known));
            }
        }
        let gone = look(&self.gone).get(&(member.clone(), app.clone())).copied();
        match (latest, gone) {
            (Some((at, known)), Some(gone)) if at > gone => known,
            (_, Some(_)) => KnownGrant::Absent,
            (Some((_, known)), None) => known,
            (None, None) => KnownGrant::NotRead,
        }
    }

    /// One app's grants, read now.
    pub(crate) async fn read_app(&self, session: &Session, id: &ConnectedAppId) -> Result<Arc<AppGrants>, ApiError> {
        let read_at = Timestamp::now();
        let answer = session.read(|client, token| async move { client.connected_app(&token, id).await }).await?.data;
        Ok(self.keep_app(answer, read_at))
    }

    /// Keeps what an inventory has read. Members who could not be read leave those that were.
    pub(crate) fn keep_reading(
        &self,
        apps: Vec<ConnectedApp>,
        by_app: impl Iterator<Item = Arc<AppGrants>>,
        members: Option<Vec<Member>>,
    ) {
        *look(&self.apps) = apps;
        let mut kept = look(&self.by_app);
        for grants in by_app {
            kept.insert(grants.app.connected_app_id.clone(), grants);
        }
        drop(kept);
        if let Some(members) = members {
            *look(&self.members) = members.into_iter().map(|member| (member.member_id.clone(), member)).collect();
        }
    }

    fn keep_app(&self, detail: ConnectedAppDetail, read_at: Timestamp) -> Arc<AppGrants> {
        let app = ConnectedApp {
            connected_app_id: detail.connected_app_id,
            name: detail.name,
            description: detail.description,
            client_type: detail.client_type,
            logo_url: detail.logo_url,
        };
        let grants = Arc::new(AppGrants {
            app,
            rows: detail.active_members.rows,
            unreadable: detail.active_members.unreadable,
            short: None,
            read_at,
        });
        look(&self.by_app).insert(grants.app.connected_app_id.clone(), grants.clone());
        grants
    }

    /// One member's grants, read now: a member's page is opened to see what is so.
    pub(crate) async fn member_grants(&self, session: &Session, id: &MemberId) -> Result<Arc<MemberGrants>, ApiError> {
        let read_at = Timestamp::now();
        let own = session.is_self(id);
        let answer = session
            .read(|client, token| async move {
                if own {
                    client.own_connected_apps(&token).await
                } else {
                    client.member_connected_apps(&token, id).await
                }
            })
            .await?
            .data;
        let grants = Arc::new(MemberGrants { rows: answer.rows, unreadable: answer.unreadable, read_at });
        look(&self.by_member).insert(id.clone(), grants.clone());
        Ok(grants)
    }

    /// Forgets the lists that a revoke has outlived; with `gone`, remembers that a complete read lacked the grant.
    pub(crate) fn outlived(&self, member: &MemberId, app: &ConnectedAppId, gone: bool) {
        look(&self.by_app).remove(app);
        look(&self.by_member).remove(member);
        let pair = (member.clone(), app.clone());
        if gone {
            look(&self.gone).insert(pair, Timestamp::now());
        } else {
            look(&self.gone).remove(&pair);
        }
    }
}

/// What the last complete read says of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownGrant {
    /// Listed, with these scopes.
    Listed(Vec<String>),
    /// A complete read lacked it.
    Absent,
    /// No read tells.
    NotRead,
}

/// Refuses ids that no URL can carry, before anything is built from them.
///
/// # Errors
/// [`Error::BadInput`].
pub fn check_id(id: &str, field: crate::error::Field) -> Result<(), Error> {
    use crate::error::Fault;
    if id.is_empty() {
        return Err(Error::bad(field, Fault::Empty));
    }
    let decoded = id.to_ascii_lowercase().replace("%2e", ".");
    if decoded == "." || decoded == ".." {
        return Err(Error::bad(field, Fault::Dots));
    }
    // Percent-encoded it may grow threefold, and servers take request lines of 64 KiB at the most.
    if id.len() > 16 * 1024 {
        return Err(Error::bad(field, Fault::TooLong));
    }
    Ok(())
}

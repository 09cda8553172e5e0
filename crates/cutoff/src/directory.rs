//! What was last read of members, apps and grants. It belongs to one session and dies with it; every entry says when it
//! was read and whether all of it could be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use stytch_b2b::{
    ActiveMember, ConnectedApp, ConnectedAppDetail, ConnectedAppId, Error as ApiError, Member, MemberConnectedApp,
    MemberId, MemberSearch, UnreadableRow,
};

use crate::error::Error;
use crate::session::Session;

/// Most members that one search may return, by Stytch's reference.
const SEARCH_LIMIT: u32 = 1000;

/// Every member that search returned.
#[derive(Debug)]
pub struct Members {
    /// In the order of the answer.
    pub rows: Vec<Member>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When the first page was asked for.
    pub read_at: Timestamp,
    by_id: HashMap<MemberId, usize>,
}

impl Members {
    /// Members as read, each once.
    #[must_use]
    pub fn new(rows: Vec<Member>, unreadable: Vec<UnreadableRow>, read_at: Timestamp) -> Self {
        let by_id = rows.iter().enumerate().map(|(at, member)| (member.member_id.clone(), at)).collect();
        Self { rows, unreadable, read_at, by_id }
    }

    /// A member by id; `None` when search did not return them.
    #[must_use]
    pub fn get(&self, id: &MemberId) -> Option<&Member> {
        self.by_id.get(id).map(|&at| &self.rows[at])
    }
}

/// The apps that are connected in the organization.
#[derive(Debug)]
pub struct Apps {
    /// In the order of the answer.
    pub rows: Vec<ConnectedApp>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When they were asked for.
    pub read_at: Timestamp,
}

/// One app's grants.
#[derive(Debug)]
pub struct AppGrants {
    /// The app.
    pub app: ConnectedApp,
    /// Its grants.
    pub rows: Vec<ActiveMember>,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When they were asked for.
    pub read_at: Timestamp,
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
    members: Mutex<Option<Arc<Members>>>,
    apps: Mutex<Option<Arc<Apps>>>,
    by_app: Mutex<HashMap<ConnectedAppId, Arc<AppGrants>>>,
    by_member: Mutex<HashMap<MemberId, Arc<MemberGrants>>>,
    /// Grants that the re-read of a revoke found gone, and when.
    gone: Mutex<HashMap<(MemberId, ConnectedAppId), Timestamp>>,
}

fn look<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Directory {
    /// The members as last read, if they were.
    pub fn known_members(&self) -> Option<Arc<Members>> {
        look(&self.members).clone()
    }

    /// An app's face as last read in any list.
    pub fn known_app(&self, id: &ConnectedAppId) -> Option<ConnectedApp> {
        if let Some(grants) = look(&self.by_app).get(id) {
            return Some(grants.app.clone());
        }
        let listed = look(&self.apps)
            .as_ref()
            .and_then(|apps| apps.rows.iter().find(|app| app.connected_app_id == *id).cloned());
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
        look(&self.apps).as_ref().map_or_else(Vec::new, |apps| {
            apps.rows.iter().map(|app| app.connected_app_id.clone()).filter(|other| other != id).collect()
        })
    }

    /// The apps that were listed when the organization's list was last read.
    pub fn known_apps(&self) -> Vec<ConnectedAppId> {
        let apps = look(&self.apps);
        apps.as_ref().map_or_else(Vec::new, |apps| apps.rows.iter().map(|app| app.connected_app_id.clone()).collect())
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
                None if read.unreadable.is_empty() => KnownGrant::Absent,
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

    /// All members, from memory unless `reread`.
    pub(crate) async fn members(&self, session: &Session, reread: bool) -> Result<Arc<Members>, ApiError> {
        if !reread && let Some(members) = self.known_members() {
            return Ok(members);
        }
        let read_at = Timestamp::now();
        let mut rows: Vec<Member> = Vec::new();
        let mut unreadable = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let search = MemberSearch { cursor: cursor.clone(), limit: Some(SEARCH_LIMIT), ..MemberSearch::default() };
            let page = session
                .read(|client, token| {
                    let search = search.clone();
                    async move { client.search_members(&token, &search).await }
                })
                .await?
                .data;
            let base = rows.len() + unreadable.len();
            unreadable.extend(
                page.members.unreadable.into_iter().map(|row| UnreadableRow { index: row.index + base, ..row }),
            );
            rows.extend(page.members.rows);
            // A server that hands the same cursor out again would keep us here for ever.
            match page.next_cursor.filter(|next| !next.is_empty()) {
                Some(next) if Some(&next) != cursor.as_ref() => cursor = Some(next),
                _ => break,
            }
        }
        let members = Arc::new(Members::new(rows, unreadable, read_at));
        *look(&self.members) = Some(members.clone());
        Ok(members)
    }

    /// The organization's apps, from memory unless `reread`.
    pub(crate) async fn apps(&self, session: &Session, reread: bool) -> Result<Arc<Apps>, ApiError> {
        if !reread && let Some(apps) = look(&self.apps).clone() {
            return Ok(apps);
        }
        let read_at = Timestamp::now();
        let answer = session.read(|client, token| async move { client.connected_apps(&token).await }).await?.data;
        let apps = Arc::new(Apps { rows: answer.rows, unreadable: answer.unreadable, read_at });
        *look(&self.apps) = Some(apps.clone());
        Ok(apps)
    }

    /// One app's grants, from memory unless `reread`.
    pub(crate) async fn app_grants(
        &self,
        session: &Session,
        id: &ConnectedAppId,
        reread: bool,
    ) -> Result<Arc<AppGrants>, ApiError> {
        if !reread && let Some(grants) = look(&self.by_app).get(id).cloned() {
            return Ok(grants);
        }
        let read_at = Timestamp::now();
        let answer = session.read(|client, token| async move { client.connected_app(&token, id).await }).await?.data;
        Ok(self.keep_app(answer, read_at))
    }

    /// Keeps what an inventory has read. Members who could not be read leave those that were.
    pub(crate) fn keep_reading(&self, apps: Apps, by_app: impl Iterator<Item = AppGrants>, members: Option<Members>) {
        *look(&self.apps) = Some(Arc::new(apps));
        let mut kept = look(&self.by_app);
        for grants in by_app {
            kept.insert(grants.app.connected_app_id.clone(), Arc::new(grants));
        }
        drop(kept);
        if let Some(members) = members {
            *look(&self.members) = Some(Arc::new(members));
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

//! The lists that screens show: a window of what matches, cut from what was last read. The filter is plain: every word
//! must occur, in any case.

use std::sync::Arc;

use jiff::Timestamp;
use stytch_b2b::{ConnectedAppId, Member, MemberId, UnreadableRow};

use crate::desk::Desk;
use crate::directory::{AppGrants, Apps, MemberGrants, Members, check_id};
use crate::error::{Error, Field};

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Words that must all occur; empty for all rows.
    pub filter: String,
    /// First row, from 0.
    pub offset: usize,
    /// At most this many.
    pub count: usize,
    /// Ask the server again.
    pub reread: bool,
}

/// A window of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows of the window.
    pub rows: Vec<T>,
    /// How many match.
    pub matching: usize,
    /// How many there are.
    pub total: usize,
    /// Rows that could not be read.
    pub unreadable: Vec<UnreadableRow>,
    /// When the list was read.
    pub read_at: Timestamp,
}

/// One app's grants with the members' names, as far as they may be known.
#[derive(Clone, Debug)]
pub struct AppPage {
    /// What was read of the app.
    pub grants: Arc<AppGrants>,
    /// The grants of the window: member, scopes, and the member's row if search returned it.
    pub page: Page<(MemberId, Vec<String>, Option<Member>)>,
    /// Whether members' names could be read.
    pub names_known: bool,
}

impl Window {
    fn cut<T>(&self, all: impl Iterator<Item = T>, text: impl Fn(&T) -> String) -> (Vec<T>, usize) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut matching = 0;
        let mut rows = Vec::new();
        for row in all {
            if !words.is_empty() {
                let text = text(&row).to_lowercase();
                if !words.iter().all(|word| text.contains(word)) {
                    continue;
                }
            }
            if matching >= self.offset && rows.len() < self.count {
                rows.push(row);
            }
            matching += 1;
        }
        (rows, matching)
    }
}

fn member_text(member: &Member) -> String {
    let roles: Vec<&str> = member.roles.iter().map(|role| role.role_id.as_str()).collect();
    format!("{}\n{}\n{}\n{}\n{}", member.name, member.email_address, member.member_id, member.status, roles.join(" "))
}

fn app_text(app: &stytch_b2b::ConnectedApp) -> String {
    format!(
        "{}\n{}\n{}\n{}",
        app.name,
        app.description,
        app.connected_app_id,
        app.client_type.as_str().replace('_', "-")
    )
}

impl Desk {
    /// The organization's members.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] without `search` on `stytch.member`; otherwise as every read.
    pub async fn member_list(&self, window: &Window) -> Result<Page<Member>, Error> {
        let members = self.members(window.reread).await?;
        let (rows, matching) = window.cut(members.rows.iter(), |member| member_text(member));
        Ok(Page {
            rows: rows.into_iter().cloned().collect(),
            matching,
            total: members.rows.len(),
            unreadable: members.unreadable.clone(),
            read_at: members.read_at,
        })
    }

    /// All members that search returns.
    ///
    /// # Errors
    /// As [`Desk::member_list`].
    pub async fn members(&self, reread: bool) -> Result<Arc<Members>, Error> {
        let (session, directory) = self.seated()?;
        match directory.members(&session, reread).await {
            Ok(members) => Ok(members),
            Err(error) => Err(self.judge(&session, error).await),
        }
    }

    /// One member's grants and, as far as known, who they are.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] without `get.connected-apps`; otherwise as every read.
    pub async fn member_grants(&self, member: &str) -> Result<(Arc<MemberGrants>, Option<Member>), Error> {
        check_id(member, Field::MemberId)?;
        let (session, directory) = self.seated()?;
        let id = MemberId::from(member);
        let grants = match directory.member_grants(&session, &id).await {
            Ok(grants) => grants,
            Err(error) => return Err(self.judge(&session, error).await),
        };
        let known = self.known_member(&id)?;
        Ok((grants, known))
    }

    /// A member as last read, oneself included.
    ///
    /// # Errors
    /// [`Error::SignedOut`].
    pub fn known_member(&self, id: &MemberId) -> Result<Option<Member>, Error> {
        let (session, directory) = self.seated()?;
        let own = session.state().member;
        if own.member_id == *id {
            return Ok(Some(own));
        }
        Ok(directory.known_members().and_then(|members| members.get(id).cloned()))
    }

    /// The organization's connected apps.
    ///
    /// # Errors
    /// As every read.
    pub async fn connected_app_list(&self, window: &Window) -> Result<Page<stytch_b2b::ConnectedApp>, Error> {
        let apps = self.apps(window.reread).await?;
        let (rows, matching) = window.cut(apps.rows.iter(), |app| app_text(app));
        Ok(Page {
            rows: rows.into_iter().cloned().collect(),
            matching,
            total: apps.rows.len(),
            unreadable: apps.unreadable.clone(),
            read_at: apps.read_at,
        })
    }

    /// All connected apps.
    ///
    /// # Errors
    /// As every read.
    pub async fn apps(&self, reread: bool) -> Result<Arc<Apps>, Error> {
        let (session, directory) = self.seated()?;
        match directory.apps(&session, reread).await {
            Ok(apps) => Ok(apps),
            Err(error) => Err(self.judge(&session, error).await),
        }
    }

    /// One app's grants. Names that may not be read leave the ids.
    ///
    /// # Errors
    /// As every read; a denial of names is no error here.
    pub async fn connected_app_members(&self, app: &str, window: &Window) -> Result<AppPage, Error> {
        check_id(app, Field::ConnectedAppId)?;
        let (session, directory) = self.seated()?;
        let id = ConnectedAppId::from(app);
        let grants = match directory.app_grants(&session, &id, window.reread).await {
            Ok(grants) => grants,
            Err(error) => return Err(self.judge(&session, error).await),
        };
        let may_search = session.may(crate::permission::search_members()).allowed != Some(false);
        let members = if may_search { directory.members(&session, false).await.ok() } else { None };
        let own = session.state().member;
        let named = grants.rows.iter().map(|grant| {
            let known = if grant.member_id == own.member_id {
                Some(own.clone())
            } else {
                members.as_ref().and_then(|members| members.get(&grant.member_id).cloned())
            };
            (grant.member_id.clone(), grant.granted_scopes.clone(), known)
        });
        let (rows, matching) = window.cut(named, |(id, scopes, member)| {
            let who = member.as_ref().map_or_else(|| id.to_string(), member_text);
            format!("{who}\n{}", scopes.join(" "))
        });
        let page = Page {
            rows,
            matching,
            total: grants.rows.len(),
            unreadable: grants.unreadable.clone(),
            read_at: grants.read_at,
        };
        Ok(AppPage { names_known: members.is_some(), grants, page })
    }
}

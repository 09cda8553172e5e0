//! Whether what the lists of a reading lack is gone. A server may cut a list short without a word, so a grant that an earlier
//! reading had is taken for gone only where something bears that out: a sweep of ours found it gone, the member is in no complete
//! search any more, or their own list lacks it too. It asks, and puts among the answers what it finds alive; what the answers then
//! mean is for [`super::history`] to say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use journal::{AppReading, Place, Snapshot};
use stytch_b2b::{ActiveMember, ConnectedApp, ConnectedAppId, Error as ApiError, MemberConnectedApp, MemberId};

use super::reading::{Answers, AppAnswer};
use crate::desk::Desk;
use crate::directory::AppGrants;
use crate::error::Error;
use crate::permission;
use crate::session::Session;
use crate::sweep::engine::blocking;

/// So many members, and as many apps, are asked for at the most in one reading. Of the others nothing tells.
pub const MOST_ASKED: usize = 200;

/// The members whose grants a list lacks, by app.
type Lacking = BTreeMap<String, Vec<String>>;

impl Desk {
    /// Asks about the grants that `latest` or a reading before it had and these answers lack. `unlisted` are the apps that would be
    /// taken for gone.
    pub(super) async fn bear_out(
        &self,
        session: &Arc<Session>,
        place: &Place,
        latest: &Snapshot,
        unlisted: &HashSet<&str>,
        answers: &mut Answers,
    ) -> Result<(), Error> {
        let mut lacking = self.lacking(place, unlisted, answers).await?;
        if lacking.is_empty() {
            return Ok(());
        }
        let began = latest.summary.began.timestamp();
        let ours = self.revoked_since(session, began).await?;
        // What was found gone before it was listed has come back since. Members' own lists, which are asked last, may have listed it.
        let listed: HashMap<&str, Timestamp> = latest
            .apps
            .iter()
            .map(|app| {
                let at = if app.reading == AppReading::Partial { latest.summary.ended } else { app.at };
                (app.connected_app_id.as_str(), at.timestamp())
            })
            .collect();
        let named = answers.names == Ok(true) && answers.unreadable_members.is_empty();
        let members: HashSet<&str> = answers.members.iter().map(|member| member.member_id.as_str()).collect();
        lacking.retain(|app, left| {
            let listed = listed.get(app.as_str()).copied().unwrap_or(began);
            left.retain(|member| {
                let asked = (!named || members.contains(member.as_str()))
                    && ours
                        .get(&(MemberId::from(member.as_str()), ConnectedAppId::from(app.as_str())))
                        .is_none_or(|gone| *gone < listed);
                if !asked {
                    answers.gone.push((app.clone(), member.clone()));
                }
                asked
            });
            !left.is_empty()
        });
        let views = self.own_views(session, &mut lacking, answers).await?;
        let lists = self.own_lists(session, &lacking, latest.summary.number).await?;
        self.add(&lacking, views, &lists, answers);
        Ok(())
    }

    /// What no reading has proven to be gone, and this one would.
    async fn lacking(&self, place: &Place, unlisted: &HashSet<&str>, answers: &Answers) -> Result<Lacking, Error> {
        let whole: HashMap<String, Arc<AppGrants>> = answers
            .by_app
            .iter()
            .filter_map(|answer| match answer {
                Some((_, AppAnswer::Read(grants))) if grants.complete() => {
                    Some((grants.app.connected_app_id.to_string(), grants.clone()))
                }
                _ => None,
            })
            .collect();
        let unlisted: HashSet<String> = unlisted.iter().map(|app| (*app).to_owned()).collect();
        let (journal, place) = (self.journal.clone(), place.clone());
        let pairs = blocking(move || {
            let members = |grants: &Arc<AppGrants>| -> HashSet<String> {
                grants.rows.iter().map(|row| row.member_id.to_string()).collect()
            };
            let there: HashMap<&str, HashSet<String>> =
                whole.iter().map(|(app, grants)| (app.as_str(), members(grants))).collect();
            journal.lasting(&place, |app, member| match there.get(app) {
                Some(members) => !members.contains(member),
                None => unlisted.contains(app),
            })
        })
        .await?;
        let mut lacking = Lacking::new();
        for (app, member) in pairs {
            lacking.entry(app).or_default().push(member);
        }
        Ok(lacking)
    }

    /// The own views of the apps that the list lacks. What such a view has is not lacking; an app that nobody knows is gone, and one
    /// whose view cannot be had is not borne out.
    async fn own_views(
        &self,
        session: &Arc<Session>,
        lacking: &mut Lacking,
        answers: &mut Answers,
    ) -> Result<HashMap<String, AppGrants>, Error> {
        let listed: HashSet<&str> = answers.apps.iter().map(|app| app.connected_app_id.as_str()).collect();
        let unlisted: Vec<String> = lacking.keys().filter(|app| !listed.contains(app.as_str())).cloned().collect();
        let asked = unlisted.iter().take(MOST_ASKED).cloned();
        let told: Vec<(String, Timestamp, Result<_, ApiError>)> = stream::iter(asked)
            .map(|app| async move {
                let (id, at) = (ConnectedAppId::from(app.as_str()), Timestamp::now());
                let call = |client: stytch_b2b::Client, token| {
                    let id = id.clone();
                    async move { client.connected_app(&token, &id).await }
                };
                (app, at, self.ask(session, call).await)
            })
            .buffered(self.reading.concurrency.max(1))
            .collect()
            .await;
        let mut views = HashMap::new();
        let mut gone = HashSet::new();
        for (app, read_at, answer) in told {
            match answer {
                Ok(view) => {
                    let face = ConnectedApp {
                        connected_app_id: view.connected_app_id,
                        name: view.name,
                        description: view.description,
                        client_type: view.client_type,
                        logo_url: view.logo_url,
                    };
                    let (rows, unreadable) = (view.active_members.rows, view.active_members.unreadable);
                    let there: HashSet<&str> = rows.iter().map(|row| row.member_id.as_str()).collect();
                    if let Some(left) = lacking.get_mut(&app) {
                        left.retain(|member| !there.contains(member.as_str()));
                    }
                    views.insert(app, AppGrants { app: face, rows, unreadable, short: None, read_at });
                }
                Err(ApiError::ConnectedAppNotFound(_)) => {
                    gone.insert(app);
                }
                Err(error @ ApiError::SignedOut(_)) => return Err(self.judge(session, error).await),
                Err(_) => {}
            }
        }
        for app in unlisted {
            if !views.contains_key(&app) {
                lacking.remove(&app);
                if !gone.contains(&app) {
                    answers.not_borne_out.push(ConnectedAppId::from(app));
                }
            }
        }
        Ok(views)
    }

    /// The own lists of members, as far as they could be read whole; one who does not exist any more has an empty one. Each app's in
    /// its turn, so that one with very many leaves some for the others; and with each snapshot others come first, so that those who
    /// cannot be read keep nobody from being asked for ever.
    async fn own_lists(
        &self,
        session: &Arc<Session>,
        lacking: &Lacking,
        latest: u32,
    ) -> Result<HashMap<String, Vec<MemberConnectedApp>>, Error> {
        let denied = session.may(permission::read_member_apps()).allowed == Some(false);
        let mut turns: Vec<(usize, &String)> =
            lacking.values().flat_map(|members| members.iter().enumerate()).collect();
        turns.sort_by_key(|(turn, _)| *turn);
        let mut seen = HashSet::new();
        let ids = turns.into_iter().map(|(_, member)| member).filter(|member| seen.insert(*member));
        let ids = ids.map(|member| MemberId::from(member.as_str())).filter(|id| !denied || session.is_self(id));
        let mut ids: Vec<MemberId> = ids.collect();
        if ids.len() > MOST_ASKED {
            let first = latest as usize * MOST_ASKED % ids.len();
            ids.rotate_left(first);
            ids.truncate(MOST_ASKED);
        }
        stream::iter(ids)
            .map(|id| async move {
                let own = session.is_self(&id);
                let call = |client: stytch_b2b::Client, token| {
                    let id = id.clone();
                    async move {
                        match own {
                            true => client.own_connected_apps(&token).await,
                            false => client.member_connected_apps(&token, &id).await,
                        }
                    }
                };
                match self.ask(session, call).await {
                    Ok(list) if list.unreadable.is_empty() => Ok(Some((id.to_string(), list.rows))),
                    Err(ApiError::MemberNotFound(_)) => Ok(Some((id.to_string(), Vec::new()))),
                    Err(error @ ApiError::SignedOut(_)) => Err(self.judge(session, error).await),
                    Ok(_) | Err(_) => Ok(None),
                }
            })
            .buffered(self.reading.concurrency.max(1))
            .try_filter_map(|told| async move { Ok(told) })
            .try_collect()
            .await
    }

    /// Puts what is alive among the answers, and marks what is not borne out.
    fn add(
        &self,
        lacking: &Lacking,
        mut views: HashMap<String, AppGrants>,
        lists: &HashMap<String, Vec<MemberConnectedApp>>,
        answers: &mut Answers,
    ) {
        for (app, members) in lacking {
            let mut alive = Vec::new();
            let mut untold = 0;
            for member in members {
                let Some(list) = lists.get(member) else {
                    untold += 1;
                    continue;
                };
                match list.iter().find(|row| row.connected_app_id.as_str() == app) {
                    Some(row) => alive.push(ActiveMember {
                        member_id: MemberId::from(member.as_str()),
                        granted_scopes: row.scopes(),
                    }),
                    None => answers.gone.push((app.clone(), member.clone())),
                }
            }
            if alive.is_empty() && untold == 0 {
                continue;
            }
            if let Some(view) = views.get_mut(app) {
                view.rows.extend(alive);
                view.short = Some(untold);
                continue;
            }
            let at = answers.apps.iter().position(|listed| listed.connected_app_id.as_str() == app);
            if let Some(Some((_, AppAnswer::Read(grants)))) = at.map(|at| &mut answers.by_app[at]) {
                let grants = Arc::make_mut(grants);
                grants.rows.extend(alive);
                grants.short = Some(untold);
            }
        }
        for view in views.into_values() {
            if !view.rows.is_empty() || !view.unreadable.is_empty() {
                answers.beyond_list += 1;
                answers.apps.push(view.app.clone());
                answers.by_app.push(Some((view.read_at, AppAnswer::Read(Arc::new(view)))));
            } else if view.short.is_some() {
                answers.not_borne_out.push(view.app.connected_app_id);
            }
        }
    }
}

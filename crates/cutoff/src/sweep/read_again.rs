//! Reading a grant again: which views are asked, in which order, and what each one shows of the grants in question. It
//! records what it saw and judges nothing.
//!
//! The app's view proves a whole batch in one call, so it is asked first; one's own list is first for oneself. Only when
//! that view cannot tell (denied, absent, incomplete) are others asked, and with them the organization, since a list
//! proves nothing while its policy hides the app. Where it lacks a grant that no revoke of ours is known to have ended, the
//! member's own view is asked as well: a server may cut lists short without a word.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;

use futures::future;
use journal::{Body, Clock, Grant, Policy, Read, RowDraft, View};
use stytch_b2b::{Client, ConnectedAppId, Error as ApiError, MemberId, Organization, Reply, SessionToken};

use super::KNOWN_APPS;
use super::change::LIFTING;
use super::engine::{CameBack, Engine, jitter};
use super::tempo::May;
use super::verdict::{is_absence, is_success};
use crate::clock::{self as time, millis_between};
use crate::plan_file::Pair;
use crate::session::{Session, app_forbidden};

/// What one view showed.
#[derive(Clone)]
struct Shown {
    began: Clock,
    ended: Clock,
    status: Option<u16>,
    error_type: Option<String>,
    request_id: Option<String>,
    server_date: Option<String>,
    answered: bool,
    /// The ids that were listed (members in an app's view, apps in every other), and how many rows could not be read.
    listed: Option<(BTreeSet<String>, u32)>,
}

/// The organization as it was read in this round.
struct Told {
    began: Clock,
    /// `None`: it could not be read.
    organization: Option<Organization>,
}

impl Engine<'_> {
    /// One round over `grants`. Answers the rows to record, or the error that ends the session.
    pub(super) async fn read_round(&mut self, grants: &[Grant]) -> Result<Vec<RowDraft>, ApiError> {
        let mut rows = Vec::new();
        let mut organization: Option<Told> = None;
        let (own, others): (Vec<&Grant>, Vec<&Grant>) = grants.iter().partition(|grant| self.is_own(grant));

        let mut unproven: Vec<&Grant> = others;
        if !own.is_empty() {
            let left = self.own_view(&own, &mut organization, &mut rows).await?;
            unproven.extend(left);
        }
        let mut by_app: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
        for grant in unproven {
            by_app.entry(grant.connected_app_id.as_str()).or_default().push(grant);
        }
        let mut lists = self.lists(View::App, by_app.keys().copied().collect()).await?;
        for (app, grants) in by_app {
            // What is not read now is read when the sweep is gone on with: nobody who stops it waits for hundreds of lists.
            let Some(list) = self.list(View::App, app, &mut lists).await? else { continue };
            self.app_views(app, list, &grants, &mut organization, &mut rows).await?;
        }
        self.bear_out(organization, &mut rows).await?;
        Ok(rows)
    }

    /// Grants in no plan to the apps of the sweep, as their own views listed them when this run last asked. Nothing is sent for them.
    pub(crate) fn listed_beside(&self) -> Vec<Pair> {
        let pair = |app: &str, member: &str| Pair { member_id: member.into(), connected_app_id: app.into() };
        self.beside.iter().flat_map(|(app, members)| members.iter().map(|member| pair(app, member))).collect()
    }

    /// Whether one's own list tells of a grant: it does for whoever began the sweep as themselves, and for nobody who
    /// settles it in their place.
    fn is_own(&self, grant: &Grant) -> bool {
        grant.route == journal::Route::Oneself && self.session.is_self(&MemberId::from(grant.member_id.as_str()))
    }

    /// One's own list; answers the grants it could not tell of.
    async fn own_view<'g>(
        &mut self,
        grants: &[&'g Grant],
        organization: &mut Option<Told>,
        rows: &mut Vec<RowDraft>,
    ) -> Result<Vec<&'g Grant>, ApiError> {
        let began = self.clock.now().stamp();
        let answer = self.ask(|client, token| async move { client.own_connected_apps(&token).await }).await;
        let shown = Shown::of(
            began,
            self.clock.now().stamp(),
            answer.map(|reply| reply.map(|list| ids(&list, |app| &app.connected_app_id))),
        )?;
        let grants: Vec<(&Grant, String)> = grants.iter().map(|g| (*g, g.connected_app_id.clone())).collect();
        self.record_list(View::Oneself, None, &grants, shown, organization, rows).await
    }

    /// The views of one app's grants, from the cheapest proof to the dearest.
    async fn app_views(
        &mut self,
        app: &str,
        shown: Shown,
        grants: &[&Grant],
        organization: &mut Option<Told>,
        rows: &mut Vec<RowDraft>,
    ) -> Result<(), ApiError> {
        let id = ConnectedAppId::from(app);
        let app_is_unknown = shown.error_type.as_deref() == Some("connected_app_not_found");
        let app_listed = shown.listed.clone();
        if let Some((listed, _)) = &app_listed {
            let planned = self.rows.grants().iter().filter(|grant| grant.connected_app_id == app);
            let planned: BTreeSet<&str> = planned.map(|grant| grant.member_id.as_str()).collect();
            let others = listed.iter().filter(|member| !planned.contains(member.as_str())).cloned().collect();
            self.beside.insert(app.to_owned(), others);
        }
        // What was found gone is not asked for again, but where the list that is at hand has it once more, that is told.
        let again = self.gone_and_listed(app, app_listed.as_ref());
        let asked = |n: u32| grants.iter().any(|grant| grant.n == n);
        let again = again.iter().filter(|grant| !asked(grant.n));
        let keys: Vec<(&Grant, String)> =
            grants.iter().copied().chain(again).map(|grant| (grant, grant.member_id.clone())).collect();
        let mut left = self.record(View::App, Some(app), &keys, shown, None, None, rows);
        let app_row = rows.len() - 1;
        // A list that was cut short lacks what lives. Where no answer of ours says that it went, its member's own view is asked
        // too, and it alone says so: also when, since the grant may have gone between the two. Of a member who was not found in an
        // earlier round, nobody is left to ask, and the app's list is believed.
        let lacked: Vec<&Grant> = match &app_listed {
            Some((listed, 0)) => grants
                .iter()
                .filter(|g| !listed.contains(&g.member_id) && !self.answered_gone(g.n) && !self.member_is_missing(g.n))
                .copied()
                .collect(),
            _ => Vec::new(),
        };
        let lacked_alone: BTreeSet<u32> = lacked.iter().map(|grant| grant.n).collect();
        left.extend(lacked);
        if left.is_empty() {
            return Ok(());
        }
        if app_is_unknown && app_listed.is_none() {
            left = self.organization_view(&id, &left, organization, rows).await?;
            // Of an app that the policy forbids, a member's list says nothing that could be believed: it is not asked for each of
            // hundreds.
            let client_type = left.first().and_then(|grant| grant.client_type.as_deref());
            let policy = policy_of(organization.as_ref().and_then(|told| told.organization.as_ref()), app, client_type);
            let told = matches!(rows.last().map(|row| &row.body), Some(Body::Read(read)) if !read.absent.is_empty());
            if told && policy.and_then(|policy| policy.app_forbidden) == Some(true) {
                return Ok(());
            }
        }
        let mut by_member: BTreeMap<&str, Vec<&Grant>> = BTreeMap::new();
        for grant in left {
            by_member.entry(grant.member_id.as_str()).or_default().push(grant);
        }
        let mut lists = self.lists(View::Member, by_member.keys().copied().collect()).await?;
        for (member, grants) in by_member {
            let Some(shown) = self.list(View::Member, member, &mut lists).await? else { continue };
            let keys: Vec<(&Grant, String)> = grants.iter().map(|g| (*g, g.connected_app_id.clone())).collect();
            self.record_list(View::Member, Some(member), &keys, shown, organization, rows).await?;
        }
        if let Some(Body::Read(read)) = rows.get_mut(app_row).map(|row| &mut row.body) {
            read.absent.retain(|n| !lacked_alone.contains(n));
        }
        Ok(())
    }

    /// Lists of one kind, asked for as many at once as may be under way. What the server did not answer for its rate is left out, and
    /// so is everything where nobody waits limits out: [`Engine::list`] asks for it.
    async fn lists<'g>(&mut self, view: View, mut ids: VecDeque<&'g str>) -> Result<HashMap<&'g str, Shown>, ApiError> {
        let mut lists = HashMap::new();
        while self.manner.patient
            && self.wished().is_none()
            && !ids.is_empty()
            && let now = self.now_ms()
            && let May::Go(at_once) = self.tempo.may(now)
        {
            let mut calls = Vec::new();
            for id in ids.drain(..ids.len().min(at_once)) {
                calls.push(one_list(self.session, self.clock, view, id));
            }
            for (id, began, ended, answer) in future::join_all(calls).await {
                let (sent, now) = (self.at_ms(&began), self.at_ms(&ended));
                match answer {
                    Err(ApiError::RateLimited { retry_after, .. }) => {
                        self.tempo.refused(now, retry_after, jitter(self.pace.jitter));
                    }
                    answer => {
                        self.tempo.admitted(sent, now);
                        lists.insert(id, Shown::of(began, ended, answer)?);
                    }
                }
            }
        }
        Ok(lists)
    }

    /// One of `lists`, or else asked for now; `None` where somebody has stopped the sweep before.
    async fn list(
        &mut self,
        view: View,
        id: &str,
        lists: &mut HashMap<&str, Shown>,
    ) -> Result<Option<Shown>, ApiError> {
        if let Some(list) = lists.remove(id) {
            return Ok(Some(list));
        }
        if self.wished().is_some() {
            return Ok(None);
        }
        let began = self.clock.now().stamp();
        let answer = self.ask(|client, token| async move { list_of(&client, &token, view, id).await }).await;
        Shown::of(began, self.clock.now().stamp(), answer).map(Some)
    }

    /// The organization's list, which together with a 404 for the app proves that the app has no grant left.
    async fn organization_view<'g>(
        &mut self,
        app: &ConnectedAppId,
        grants: &[&'g Grant],
        organization: &mut Option<Told>,
        rows: &mut Vec<RowDraft>,
    ) -> Result<Vec<&'g Grant>, ApiError> {
        self.read_organization(organization).await?;
        let began = self.clock.now().stamp();
        let answer = self.ask(|client, token| async move { client.connected_apps(&token).await }).await;
        let shown = Shown::of(
            began,
            self.clock.now().stamp(),
            answer.map(|reply| reply.map(|list| ids(&list, |app| &app.connected_app_id))),
        )?;
        let known = self.apps_known_before(app);
        let others = shown.listed.as_ref().map(|(listed, _)| {
            u32::try_from(known.iter().filter(|other| listed.contains(*other)).count()).unwrap_or(u32::MAX)
        });
        let client_type = grants.first().and_then(|grant| grant.client_type.as_deref());
        let policy =
            policy_of(organization.as_ref().and_then(|told| told.organization.as_ref()), app.as_str(), client_type);
        let proves =
            policy.as_ref().is_some_and(|policy| policy.app_forbidden == Some(false)) && others.unwrap_or(0) > 0;
        // An app that is still listed says nothing of one member's grant, so it is never counted as present.
        let app_is_listed = shown.listed.as_ref().is_some_and(|(listed, _)| listed.contains(app.as_str()));
        let shown = if app_is_listed { Shown { listed: None, ..shown } } else { shown };
        let keys: Vec<(&Grant, String)> = grants.iter().map(|g| (*g, g.connected_app_id.clone())).collect();
        let left = self.record(View::Organization, None, &keys, shown, policy, others, rows);
        Ok(if proves { left } else { grants.to_vec() })
    }

    /// Those of an app's grants that were found gone and that its members' list has.
    fn gone_and_listed(&self, app: &str, listed: Option<&(BTreeSet<String>, u32)>) -> Vec<Grant> {
        let Some((listed, _)) = listed else { return Vec::new() };
        let findings = self.findings();
        let of_app = findings.values().zip(self.rows.grants()).filter(|(_, grant)| grant.connected_app_id == app);
        of_app
            .filter(|(finding, grant)| finding.gone.is_some() && listed.contains(&grant.member_id))
            .map(|(_, grant)| grant.clone())
            .collect()
    }

    /// Whether a revoke of this grant was answered: that it was carried out, or that there is nothing to revoke.
    fn answered_gone(&self, n: u32) -> bool {
        self.rows.of(n).iter().any(|row| match &row.body {
            Body::Answer(answer) => answer.n == n && (is_success(answer) || is_absence(answer)),
            _ => false,
        })
    }

    /// Whether an earlier round was told that its member is not there.
    fn member_is_missing(&self, n: u32) -> bool {
        self.rows.of(n).iter().any(|row| match &row.body {
            Body::Read(read) => read.view == View::Member && read.error_type.as_deref() == Some("member_not_found"),
            _ => false,
        })
    }

    /// Apps other than `app` that were listed before this read: in this run, or when the sweep was opened.
    fn apps_known_before(&self, app: &ConnectedAppId) -> BTreeSet<String> {
        let noted = self.rows().iter().filter_map(|row| match &row.body {
            Body::Note(note) if note.what == KNOWN_APPS => Some(note.detail.values().cloned()),
            _ => None,
        });
        let listed = self.directory.known_other_apps(app).into_iter().map(|id| id.to_string());
        noted.flatten().chain(listed).filter(|id| id != app.as_str()).collect()
    }

    /// Whether its block was lifted: then a list may go by the policy of before, and the app's own view is asked too.
    fn lifted(&self) -> bool {
        self.rows().iter().any(|row| matches!(&row.body, Body::Note(note) if note.what == LIFTING))
    }

    /// Records a list that the policy may hide from, reading the policy too where the list lacks a grant.
    async fn record_list<'g>(
        &mut self,
        view: View,
        subject: Option<&str>,
        grants: &[(&'g Grant, String)],
        shown: Shown,
        organization: &mut Option<Told>,
        rows: &mut Vec<RowDraft>,
    ) -> Result<Vec<&'g Grant>, ApiError> {
        let lacks =
            shown.listed.as_ref().is_some_and(|(listed, _)| grants.iter().any(|(_, key)| !listed.contains(key)));
        if lacks {
            self.read_organization(organization).await?;
        }
        let mut left = Vec::new();
        // A policy is told per app, so a row is written per app: what is forbidden for one may be allowed for the next.
        for (grant, key) in grants {
            let policy = if lacks {
                policy_of(
                    organization.as_ref().and_then(|told| told.organization.as_ref()),
                    &grant.connected_app_id,
                    grant.client_type.as_deref(),
                )
            } else {
                None
            };
            let forbidden = policy.as_ref().and_then(|policy| policy.app_forbidden);
            let open = self.record(view, subject, &[(*grant, key.clone())], shown.clone(), policy, None, rows);
            let absent_but_unproven = open.is_empty()
                && shown.listed.as_ref().is_some_and(|(listed, _)| !listed.contains(key))
                && (forbidden != Some(false) || self.lifted());
            if absent_but_unproven {
                left.push(*grant);
            } else {
                left.extend(open);
            }
        }
        Ok(left)
    }

    /// Writes one read row; answers the grants it could not tell of.
    #[allow(clippy::too_many_arguments, reason = "the fields of one row, each from another place")]
    fn record<'g>(
        &mut self,
        view: View,
        subject: Option<&str>,
        grants: &[(&'g Grant, String)],
        shown: Shown,
        policy: Option<Policy>,
        others_listed: Option<u32>,
        rows: &mut Vec<RowDraft>,
    ) -> Vec<&'g Grant> {
        let (mut present, mut absent, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let unreadable = shown.listed.as_ref().map_or(0, |(_, unreadable)| *unreadable);
        for (grant, key) in grants {
            match &shown.listed {
                Some((listed, _)) if listed.contains(key) => present.push(grant.n),
                // A row that could not be read may have been this one.
                Some((_, 0)) => absent.push(grant.n),
                _ => left.push(*grant),
            }
        }
        self.reads += 1;
        let clock = shown.ended.clone();
        rows.push(RowDraft {
            clock,
            body: Body::Read(Read {
                read: self.reads,
                view,
                subject: subject.map(str::to_owned),
                began: shown.began,
                ended: shown.ended,
                answered: shown.answered,
                status: shown.status,
                error_type: shown.error_type,
                request_id: shown.request_id,
                server_date: shown.server_date,
                complete: shown.listed.is_some() && unreadable == 0,
                unreadable,
                present,
                absent,
                policy,
                others_listed,
            }),
        });
        left
    }

    /// What a list lacks says something only if the policy allowed the app while it was read. Somebody may have changed the policy
    /// since this round read it, so lists that were read later are borne out by another look at it, one for all of them.
    async fn bear_out(&mut self, told: Option<Told>, rows: &mut [RowDraft]) -> Result<(), ApiError> {
        let Some(told) = told else { return Ok(()) };
        let lacking = |row: &RowDraft| match &row.body {
            Body::Read(read) if read.policy.as_ref().and_then(|policy| policy.app_forbidden) == Some(false) => {
                read.absent.first().copied().filter(|_| millis_between(&told.began, &read.ended) > 0)
            }
            _ => None,
        };
        let lacking: Vec<(usize, u32)> =
            rows.iter().enumerate().filter_map(|(at, row)| Some((at, lacking(row)?))).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let mut now = None;
        self.read_organization(&mut now).await?;
        let now = now.and_then(|told| told.organization);
        for (at, n) in lacking {
            let policy = self
                .rows
                .grant(n)
                .and_then(|grant| policy_of(now.as_ref(), &grant.connected_app_id, grant.client_type.as_deref()));
            if let Body::Read(read) = &mut rows[at].body {
                read.policy = policy;
            }
        }
        Ok(())
    }

    async fn read_organization(&mut self, organization: &mut Option<Told>) -> Result<(), ApiError> {
        if organization.is_some() {
            return Ok(());
        }
        let began = self.clock.now().stamp();
        let read = self.ask(|client, token| async move { client.organization(&token).await }).await;
        let read = match read {
            Ok(reply) => {
                let read = reply.data.clone();
                self.session.change(|state| state.organization = read);
                Some(reply.data)
            }
            Err(error @ ApiError::SignedOut(_)) => return Err(error),
            // Without it no list proves anything: the outcome says so.
            Err(error) => {
                tracing::warn!(%error, "the organization's policy could not be read");
                None
            }
        };
        *organization = Some(Told { began, organization: read });
        Ok(())
    }
}

impl Shown {
    /// What an answer shows, or the error that ends the session.
    fn of(began: Clock, ended: Clock, answer: Result<Reply<Listed>, ApiError>) -> Result<Self, ApiError> {
        let CameBack { answered, status, error_type, request_id, server_date, .. } = CameBack::of(&answer);
        let listed = match answer {
            Err(error @ ApiError::SignedOut(_)) => return Err(error),
            Err(_) => None,
            Ok(reply) => {
                let (listed, unreadable) = reply.data;
                Some((listed, u32::try_from(unreadable).unwrap_or(u32::MAX)))
            }
        };
        Ok(Self { began, ended, status, error_type, request_id, server_date, answered, listed })
    }
}

/// The ids that a list has, and how many of its rows could not be read.
type Listed = (BTreeSet<String>, usize);

fn ids<T, I: fmt::Display>(list: &stytch_b2b::Rows<T>, id: impl Fn(&T) -> &I) -> Listed {
    (list.rows.iter().map(|row| id(row).to_string()).collect(), list.unreadable.len())
}

/// The members of an app, or the apps of a member.
async fn list_of(client: &Client, token: &SessionToken, view: View, id: &str) -> Result<Reply<Listed>, ApiError> {
    if view == View::App {
        let reply = client.connected_app(token, &ConnectedAppId::from(id)).await?;
        return Ok(reply.map(|data| ids(&data.active_members, |member| &member.member_id)));
    }
    let reply = client.member_connected_apps(token, &MemberId::from(id)).await?;
    Ok(reply.map(|list| ids(&list, |app| &app.connected_app_id)))
}

/// The same, with when it was asked for and answered.
async fn one_list<'g>(
    session: &Session,
    clock: &time::Clock,
    view: View,
    id: &'g str,
) -> (&'g str, Clock, Clock, Result<Reply<Listed>, ApiError>) {
    let (began, token) = (clock.now().stamp(), session.token());
    let answer = list_of(&session.client, &token, view, id).await;
    (id, began, clock.now().stamp(), answer)
}

fn policy_of(organization: Option<&Organization>, app: &str, client_type: Option<&str>) -> Option<Policy> {
    organization.map(|organization| Policy {
        first_party: organization.first_party_connected_apps_allowed_type.clone(),
        third_party: organization.third_party_connected_apps_allowed_type.clone(),
        app_forbidden: app_forbidden(organization, app, client_type),
    })
}

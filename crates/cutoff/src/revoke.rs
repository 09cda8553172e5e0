//! The one revoke path: plan, permission, sweep, report; and the settling of what an earlier run left open. A single
//! revoke is a sweep of one.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use journal::{
    ActorDraft, Body, Connection, Environment, GrantDraft, Hash, Intent, Journal, Note, OpeningDraft, People, Person,
    Route, RowDraft, RunningLock, SweepId, SweepSummary, Tool,
};
use sha2::{Digest, Sha256};
use stytch_b2b::{ClientType, ConnectedAppId, Error as ApiError, MemberId};

use crate::activity::Resume;
use crate::connections;
use crate::desk::Desk;
use crate::directory::{Directory, KnownGrant, check_id};
use crate::error::{Error, Field};
use crate::inventory::history;
use crate::permission::{self, Allowance, Denial};
use crate::plan::{Item, Plan};
use crate::plan_file::Unusable;
use crate::report::Report;
use crate::session::{Session, app_forbidden};
use crate::sweep::engine::{Ended, Engine, Ground, Held, Watched, blocking};
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{self, Outcome};
use crate::sweep::{KNOWN_APPS, Manner, Observer, Pace, Step};

/// A sweep idle for longer is not resumed: what it would revoke may have been consented to since, rightly.
pub const RESUME_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// What a confirmation shows.
pub struct Confirmation {
    /// The plan; its hash comes back with the act.
    pub plan: Plan,
    /// Whether the organization lets members connect the app again. `None`: not told.
    pub may_reconnect: Option<bool>,
    /// Denied in advance.
    pub denied: Option<Denial>,
}

/// What a revoke is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Whose grant.
    pub member_id: String,
    /// To which app.
    pub connected_app_id: String,
    /// The hash of the plan that was shown, if one was.
    pub plan_hash: Option<String>,
    /// Send it although the policy, as last read, says no.
    pub ask_anyway: bool,
}

impl Desk {
    /// What revoking this grant would be. What no earlier read tells of it is read now, so that the confirmation shows what
    /// is so; what cannot be read is told as not known.
    ///
    /// # Errors
    /// [`Error::BadInput`], [`Error::SignedOut`].
    pub async fn plan_revoke(&self, member_id: &str, connected_app_id: &str) -> Result<Confirmation, Error> {
        check_id(member_id, Field::MemberId)?;
        check_id(connected_app_id, Field::ConnectedAppId)?;
        let (session, directory) = self.seated()?;
        self.read_for_plan(&session, &directory, member_id, connected_app_id).await?;
        let plan = self.plan_one(&session, &directory, member_id, connected_app_id)?;
        let item = &plan.items[0];
        let state = session.state();
        let client_type = item.client_type.as_ref().map(ClientType::as_str);
        let may_reconnect =
            app_forbidden(&state.organization, connected_app_id, client_type).map(|forbidden| !forbidden);
        let allowance = allowance(&session, item.own);
        let denied = (allowance.allowed == Some(false)).then(|| session.denial(Some(allowance.needs), None, false));
        Ok(Confirmation { plan, may_reconnect, denied })
    }

    async fn read_for_plan(
        &self,
        session: &Arc<Session>,
        directory: &Directory,
        member: &str,
        app: &str,
    ) -> Result<(), Error> {
        let (member_id, app_id) = (MemberId::from(member), ConnectedAppId::from(app));
        let known = |directory: &Directory| {
            directory.known_app(&app_id).is_some() && directory.known_grant(&member_id, &app_id) != KnownGrant::NotRead
        };
        if known(directory) {
            return Ok(());
        }
        // One's own list needs no permission over others; for others the app's view needs the least.
        let read = if session.is_self(&member_id) {
            directory.member_grants(session, &member_id).await.map(|_| ())
        } else {
            directory.read_app(session, &app_id).await.map(|_| ())
        };
        let read = match read {
            Err(ApiError::SignedOut(facts)) => Err(ApiError::SignedOut(facts)),
            Err(_) if !known(directory) => directory.member_grants(session, &member_id).await.map(|_| ()),
            other => other,
        };
        match read {
            Err(error @ ApiError::SignedOut(_)) => Err(self.judge(session, error).await),
            Err(error) => {
                tracing::info!(%error, "a grant could not be read for its confirmation");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn plan_one(&self, session: &Session, directory: &Directory, member: &str, app: &str) -> Result<Plan, Error> {
        let (member_id, app_id) = (MemberId::from(member), ConnectedAppId::from(app));
        let known_app = directory.known_app(&app_id);
        let known_member = self.known_member(&member_id)?;
        let scopes = match directory.known_grant(&member_id, &app_id) {
            KnownGrant::Listed(scopes) => Some(scopes),
            KnownGrant::Absent => Some(Vec::new()),
            KnownGrant::NotRead => None,
        };
        let item = Item {
            own: session.is_self(&member_id),
            client_type: known_app.as_ref().map(|app| app.client_type.clone()),
            scopes,
            member_name: known_member.as_ref().map(|member| member.name.clone()),
            member_email: known_member.as_ref().map(|member| member.email_address.clone()),
            member_roles: known_member.as_ref().map(history::roles),
            app_name: known_app.as_ref().map(|app| app.name.clone()),
            app_description: known_app.as_ref().map(|app| app.description.clone()),
            member_id,
            connected_app_id: app_id,
        };
        let organization = session.state().organization.organization_id;
        Ok(Plan::new(&session.connection, organization.as_str(), vec![item]))
    }

    /// Revokes one grant and tells what became of it.
    ///
    /// # Errors
    /// Before anything is sent: [`Error::BadInput`], [`Error::SignedOut`], [`Error::NotAllowed`] (said in advance, unless
    /// asked anyway), [`Error::PlanChanged`], [`Error::Busy`], [`Error::Journal`]. After: [`Error::SignedOut`] and the
    /// refusals that have a next step of their own, as [`Error::Api`]; the sweep holds them too.
    pub async fn revoke(&self, ask: &Ask, observer: Option<&Observer>) -> Result<Report, Error> {
        check_id(&ask.member_id, Field::MemberId)?;
        check_id(&ask.connected_app_id, Field::ConnectedAppId)?;
        let _one_at_a_time = self.sweeping.lock().await;
        let (session, directory) = self.seated()?;
        session.freshen_policy(Timestamp::now()).await;

        let plan = self.plan_one(&session, &directory, &ask.member_id, &ask.connected_app_id)?;
        if ask.plan_hash.as_deref().is_some_and(|shown| shown != plan.hash()) {
            return Err(Error::PlanChanged);
        }
        let item = &plan.items[0];
        let allowance = allowance(&session, item.own);
        if allowance.allowed == Some(false) && !ask.ask_anyway {
            return Err(Error::NotAllowed(Box::new(session.denial(Some(allowance.needs), None, false))));
        }

        let observer = observer.unwrap_or(&self.observer);
        let mut engine = match self.open_like(&session, &plan).await? {
            Some((id, lock)) => {
                // What an earlier run left open for this very grant is carried on, not begun twice.
                let mut engine = self.engine(&session, &directory, observer, Held::unread(id, lock)).await?;
                engine.note("resumed", &who(&session)).await?;
                engine
            }
            None => self.open(&session, &directory, observer, &plan).await?,
        };
        let ended = engine.run(true).await;
        self.tell(&session, &directory, engine, ended).await
    }

    /// What a run came to, told as truly as the rows allow: once a request has left, neither a session that ended nor a
    /// journal that failed may hide what it did.
    async fn tell(
        &self,
        session: &Arc<Session>,
        directory: &Directory,
        engine: Engine<'_>,
        ended: Result<Ended, Error>,
    ) -> Result<Report, Error> {
        let (id, sent, refusal) = (engine.id(), engine.has_sent(), engine.refusal().cloned());
        drop(engine);
        self.note_head(session).await;
        let after_sending = |error| match error {
            Error::Journal(error) if sent => Error::JournalAfterSending(error),
            other => other,
        };
        let over = match ended.map_err(after_sending)? {
            Ended::SessionEnded(error) => Some(self.judge(session, error).await),
            // A sweep of one is neither paused nor patient: whatever else ended it stands in its rows.
            _ => None,
        };
        let lines = self.sweep_report(id).await.map_err(after_sending)?.lines;
        self.forget_gone(session, directory, &lines);
        let report = self.report(id).await.map_err(after_sending)?;
        match (over, refusal) {
            (Some(over), _) if !sent || report.outcome == Outcome::Failed => Err(over),
            (None, Some(error)) if report.outcome == Outcome::Failed && has_its_own_next_step(&error) => {
                Err(error.into())
            }
            (None, Some(error)) if report.outcome == Outcome::Denied => {
                // The policy that refused may be newer than ours: read it, so that the denial names what is so now.
                let _ = self.judge(session, error).await;
                Ok(report)
            }
            _ => Ok(report),
        }
    }

    /// Every revoke in the journal, what is open first, then the newest.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn reports(&self) -> Result<Vec<Report>, Error> {
        let mut reports = Vec::new();
        for sweep in self.sweeps().await? {
            reports.extend(self.reports_of(sweep.id).await?);
        }
        reports.sort_by_key(|report| !report.unsettled);
        Ok(reports)
    }

    /// Every sweep in the journal, the newest first.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn sweeps(&self) -> Result<Vec<SweepSummary>, Error> {
        let journal = self.journal.clone();
        blocking(move || journal.sweeps()).await
    }

    /// The name of an organization that was signed in to before, by its id.
    #[must_use]
    pub async fn organization_name(&self, id: &str) -> Option<String> {
        if let Ok(session) = self.session() {
            let organization = session.state().organization;
            if organization.organization_id.as_str() == id {
                return Some(organization.organization_name);
            }
        }
        let known = self.connections().await.ok()?;
        known.into_iter().find(|saved| saved.organization_id.as_deref() == Some(id))?.organization_name
    }

    /// Who is told of every step.
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// The report of a sweep of one; of a larger one that of its first grant.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn report(&self, id: SweepId) -> Result<Report, Error> {
        let first = self.reports_of(id).await?.into_iter().next();
        first.ok_or(Error::Journal(journal::Error::NoSuchSweep(id)))
    }

    /// The reports of every grant of a sweep, in the order of its plan.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn reports_of(&self, id: SweepId) -> Result<Vec<Report>, Error> {
        let journal = self.journal.clone();
        let rules = self.rules;
        let here = self.here();
        let reports = blocking(move || reports(&journal, id, &rules, here.as_ref())).await?;
        let left_behind = self.was_left_behind(id);
        Ok(reports.into_iter().map(|report| Report { left_behind, ..report }).collect())
    }

    /// Reads again what an earlier run left open; with `send_again` also repeats a request that was never answered and
    /// whose grant is still listed.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Busy`], [`Error::Journal`]; [`Error::PlanChanged`] when it belongs to another
    /// organization or place than the session, or, with `send_again`, to another member or a day long past. [`Error::Plan`]
    /// for a sweep of many, or of none: whoever asks stands before one grant, and would act on all of them. [`Desk::apply`] resumes those.
    pub async fn settle(&self, id: SweepId, send_again: bool) -> Result<Report, Error> {
        let _one_at_a_time = self.sweeping.lock().await;
        self.seated()?;
        if self.reports_of(id).await?.len() != 1 {
            return Err(Error::Plan(Unusable::Unfinished));
        }
        self.settle_alone(id, send_again).await
    }

    /// [`Desk::settle`] for whoever holds `sweeping`.
    async fn settle_alone(&self, id: SweepId, send_again: bool) -> Result<Report, Error> {
        let (session, directory) = self.seated()?;
        let journal = self.journal.clone();
        let sweep = blocking(move || journal.summary(id)).await?;
        if !same_ground(&sweep, &session)
            || (send_again && self.may_resume(&*self.digest(id).await?, &session) != Resume::Yes)
        {
            return Err(Error::PlanChanged);
        }
        if send_again {
            self.must_be_current(id).await?;
            session.freshen_policy(Timestamp::now()).await;
            let own = session.is_self(&MemberId::from(self.report(id).await?.grant.member_id.as_str()));
            let allowance = allowance(&session, own);
            if allowance.allowed == Some(false) {
                return Err(Error::NotAllowed(Box::new(session.denial(Some(allowance.needs), None, false))));
            }
        }
        let lock = self.lock(id).await?;
        let mut engine = self.engine(&session, &directory, &self.observer, Held::unread(id, lock)).await?;
        engine.note("resumed", &who(&session)).await?;
        // A resume reads before it does anything else.
        let mut ended = engine.read_once().await;
        if send_again && matches!(ended, Ok(Ended::AtRest)) {
            ended = engine.run(true).await;
        }
        if matches!(ended, Ok(Ended::AtRest))
            && let Err(error) = engine.read_unread_policy().await
        {
            ended = Err(error);
        }
        self.tell(&session, &directory, engine, ended).await
    }

    /// Does what time has made due: settles by reading what an earlier run left open, and reads a second time what is
    /// gone but not yet confirmed. Never sends a revoke.
    ///
    /// # Errors
    /// [`Error::Journal`]; the troubles of single sweeps are left for the next time.
    pub async fn tend(&self, now: Timestamp) -> Result<(), Error> {
        let Ok((session, _)) = self.seated() else { return Ok(()) };
        for sweep in self.sweeps().await? {
            // A week is longer than any doubt about a token: after it nothing is read by itself any more.
            let recent = now.duration_since(sweep.opened.utc.timestamp()).unsigned_abs() < RESUME_WITHIN * 7;
            if !recent || !same_ground(&sweep, &session) {
                continue;
            }
            if sweep.opening.plan.count == 0 {
                // Without grants there is nothing that a read could settle: only whoever began it can go on with its block.
                if sweep.closing.is_none() {
                    self.mark_left_behind(sweep.id);
                }
                continue;
            }
            if self.nothing_due(sweep.id, sweep.rows, now) {
                continue;
            }
            let unread = self.digest(sweep.id).await?.policy.as_ref().is_some_and(|policy| policy.unread);
            let reports = self.reports_of(sweep.id).await?;
            let looks = reports.iter().filter_map(|report| report.look_again_at.as_deref()?.parse::<Timestamp>().ok());
            let due = looks.min();
            let open = reports.iter().any(|report| report.unsettled) || sweep.closing.is_none();
            // What stays open is looked at ever more seldom: after a tenth of its age, a minute at the least and an hour at
            // the most. The first look of a run is made at once.
            let age = now.duration_since(sweep.opened.utc.timestamp()).unsigned_abs();
            let pause = (age / 10).clamp(Duration::from_secs(60), Duration::from_secs(3600));
            let rested = sweep.last.utc.timestamp() + pause;
            if open {
                self.mark_left_behind(sweep.id);
            }
            let look_at = match (open || unread, self.seen_this_run(sweep.id)) {
                (true, false) => Some(now),
                (true, true) => Some(due.map_or(rested, |due| due.min(rested))),
                (false, _) => due,
            };
            if look_at.is_none_or(|at| at > now) {
                self.look_not_before(sweep.id, sweep.rows, look_at);
                continue;
            }
            // A revoke that somebody asked for goes first: what is due can wait for the next time.
            let Ok(_one_at_a_time) = self.sweeping.try_lock() else { return Ok(()) };
            match self.settle_alone(sweep.id, false).await {
                Ok(_) => {}
                Err(Error::Journal(error)) => return Err(error.into()),
                Err(error) => tracing::info!(%error, sweep = %sweep.id, "left for later"),
            }
            self.look_not_before(sweep.id, 0, None);
        }
        Ok(())
    }

    /// A sweep for the same plan that is still open, with its lock.
    async fn open_like(&self, session: &Session, plan: &Plan) -> Result<Option<(SweepId, RunningLock)>, Error> {
        let hash: Hash = plan.hash().parse().map_err(|_| Error::PlanChanged)?;
        let journal = self.journal.clone();
        let open = blocking(move || {
            let unfinished = journal.unfinished()?;
            let same = journal.sweeps_of_plan(&hash)?;
            same.into_iter()
                .rev()
                .filter(|id| unfinished.contains(id))
                .map(|id| journal.summary(id))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
        for sweep in open {
            // A sweep of a journal that was rolled back is not carried on: the plan is carried out anew, and looked at first.
            if same_ground(&sweep, session)
                && self.may_resume(&*self.digest(sweep.id).await?, session) == Resume::Yes
                && self.must_be_current(sweep.id).await.is_ok()
            {
                return Ok(Some((sweep.id, self.lock(sweep.id).await?)));
            }
        }
        Ok(None)
    }

    pub(crate) async fn lock(&self, id: SweepId) -> Result<RunningLock, Error> {
        let journal = self.journal.clone();
        match blocking(move || journal.take_running_lock(id)).await {
            Err(Error::Journal(journal::Error::HeldBy { pid })) => Err(Error::Busy { pid }),
            other => other,
        }
    }

    async fn engine<'a>(
        &'a self,
        session: &'a Session,
        directory: &'a Directory,
        observer: &'a Observer,
        held: Held,
    ) -> Result<Engine<'a>, Error> {
        self.engine_with(session, directory, observer, held, &self.pace, Manner::default(), Watched::not()).await
    }

    #[allow(clippy::too_many_arguments, reason = "the ground a sweep stands on, named once")]
    pub(crate) async fn engine_with<'a>(
        &'a self,
        session: &'a Session,
        directory: &'a Directory,
        observer: &'a Observer,
        held: Held,
        pace: &'a Pace,
        manner: Manner,
        watched: Watched,
    ) -> Result<Engine<'a>, Error> {
        let ground = Ground {
            journal: self.journal.clone(),
            session,
            directory,
            clock: &self.clock,
            pace,
            rules: &self.rules,
            observer,
        };
        Engine::take_up(ground, held, manner, watched).await
    }

    async fn open<'a>(
        &'a self,
        session: &'a Session,
        directory: &'a Directory,
        observer: &'a Observer,
        plan: &Plan,
    ) -> Result<Engine<'a>, Error> {
        let id = SweepId::random();
        let lock = self.lock(id).await?;
        let clock = self.clock.now().stamp();
        let opening = opening(session, plan.hash().parse().map_err(|_| Error::PlanChanged)?, id, clock.clone())?;
        let (grants, people) = drafts(&plan.items);
        let look_first = plan
            .items
            .iter()
            .any(|item| directory.known_grant(&item.member_id, &item.connected_app_id) == KnownGrant::Absent);
        // The first intents go to disk with the plan. Where our last complete read lacked a grant, it is looked for
        // before anything is sent, since then nothing may need to be.
        let first: Vec<Body> = if look_first {
            vec![Body::Note(Note { what: "look_first".to_owned(), detail: BTreeMap::new() })]
        } else {
            (1..).zip(&grants).map(|(n, _)| Body::Intent(Intent { attempt: n, n })).collect()
        };
        let known = known_apps(directory, [], &plan.items.iter().map(|item| &item.connected_app_id).collect());
        let first: Vec<RowDraft> =
            known.into_iter().chain(first).map(|body| RowDraft { clock: clock.clone(), body }).collect();
        let journal = self.journal.clone();
        let opened = blocking(move || journal.open_sweep_with(&opening, &grants, &people, &first)).await?;
        self.mark_begun(id);
        observer(Step::Opened);
        let mut engine = self.engine(session, directory, observer, Held { id, lock, rows: opened.stored }).await?;
        engine.make_ready();
        Ok(engine)
    }
}

/// Some apps that were listed beside those of the plan: when the organization's list was last read, or in `earlier` readings. A
/// later read in which they too are missing proves nothing, and after a restart this row is all that remembers them.
pub(crate) fn known_apps(
    directory: &Directory,
    earlier: impl IntoIterator<Item = ConnectedAppId>,
    planned: &HashSet<&ConnectedAppId>,
) -> Option<Body> {
    let mut named = HashSet::new();
    let known = directory.known_apps().into_iter().chain(earlier);
    let others = known.filter(|id| !planned.contains(id) && named.insert(id.clone()));
    let detail: BTreeMap<String, String> =
        others.take(16).enumerate().map(|(at, id)| (format!("{at:02}"), id.to_string())).collect();
    (!detail.is_empty()).then(|| Body::Note(Note { what: KNOWN_APPS.to_owned(), detail }))
}

pub(crate) fn allowance(session: &Session, own: bool) -> Allowance {
    session.may(if own { permission::revoke_own_app() } else { permission::revoke_member_app() })
}

/// Whether the caller has something to do about this refusal that a plain "failed" would not tell.
fn has_its_own_next_step(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::RateLimited { .. }
            | ApiError::BundleIdNotRegistered { .. }
            | ApiError::SdkEndpointOff(_)
            | ApiError::CaptchaRequired(_)
            | ApiError::CookiesOnly(_)
            | ApiError::OrganizationSuspended(_)
            | ApiError::WrongOrganization(_)
            | ApiError::Unreachable { .. }
    )
}

pub(crate) fn is_first_party(client_type: &ClientType) -> bool {
    matches!(client_type, ClientType::FirstParty | ClientType::FirstPartyPublic)
}

/// Whether a sweep belongs to the place and organization of the session.
pub(crate) fn same_ground(sweep: &SweepSummary, session: &Session) -> bool {
    let organization = session.state().organization.organization_id;
    connection_of(session, organization.as_str()).is_ok_and(|here| here == sweep.opening.connection)
}

/// Who goes on with a sweep, for the note that says so: the opening row names only who began it.
pub(crate) fn who(session: &Session) -> [(&'static str, String); 4] {
    let state = session.state();
    [
        ("member_id", state.member.member_id.to_string()),
        ("member_session_id", state.member_session.member_session_id.to_string()),
        ("roles", state.member_session.roles.join(" ")),
        ("tool_version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

pub(crate) fn connection_of(session: &Session, organization_id: &str) -> Result<Connection, Error> {
    let checked = connections::reopen(&session.connection)?;
    let environment = match (session.connection.sandbox, checked.public_token.environment()) {
        (true, _) => Environment::Sandbox,
        (false, stytch_b2b::Environment::Test) => Environment::Test,
        (false, stytch_b2b::Environment::Live) => Environment::Live,
    };
    Ok(Connection {
        scheme: checked.base.scheme().to_owned(),
        host: checked.base.host().to_owned(),
        port: checked.base.port(),
        public_token_sha256: Hash(Sha256::digest(checked.public_token.as_str()).into()),
        organization_id: organization_id.to_owned(),
        environment,
    })
}

pub(crate) fn opening(
    session: &Session,
    plan_hash: Hash,
    id: SweepId,
    clock: journal::Clock,
) -> Result<OpeningDraft, Error> {
    let state = session.state();
    let factors = &state.member_session.authentication_factors;
    Ok(OpeningDraft {
        clock,
        sweep_id: id,
        tool: Tool {
            name: "cutoff".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: crate::COMMIT.to_owned(),
        },
        plan_hash,
        connection: connection_of(session, state.organization.organization_id.as_str())?,
        actor: ActorDraft {
            member_id: state.member.member_id.to_string(),
            member_session_id: state.member_session.member_session_id.to_string(),
            roles: state.member_session.roles.clone(),
            factors: factors.iter().map(|factor| factor.kind.clone()).collect(),
            person: Some(Person {
                name: Some(state.member.name.clone()),
                email: Some(state.member.email_address.clone()),
            }),
            impersonator: impersonator(&state.member_session),
        },
        organization_name: Some(state.organization.organization_name.clone()),
        reason: None,
    })
}

/// The address of whoever impersonates the member, if somebody does.
#[must_use]
pub fn impersonator(session: &stytch_b2b::MemberSession) -> Option<String> {
    session
        .authentication_factors
        .iter()
        .find_map(|factor| factor.impersonated_factor.as_ref())
        .map(|factor| factor.impersonator_email_address.clone().unwrap_or_default())
}

pub(crate) fn drafts(items: &[Item]) -> (Vec<GrantDraft>, People) {
    let mut people = People::default();
    let grants = items
        .iter()
        .map(|item| {
            if item.member_name.is_some() || item.member_email.is_some() {
                let person = Person { name: item.member_name.clone(), email: item.member_email.clone() };
                people.members.insert(item.member_id.to_string(), person);
            }
            if let Some(name) = &item.app_name {
                people.apps.insert(item.connected_app_id.to_string(), name.clone());
            }
            GrantDraft {
                member_id: item.member_id.to_string(),
                connected_app_id: item.connected_app_id.to_string(),
                client_type: item.client_type.as_ref().map(|kind| kind.as_str().to_owned()),
                scopes: item.scopes.clone().unwrap_or_default(),
                first_party: item.client_type.as_ref().is_some_and(is_first_party),
                route: if item.own { Route::Oneself } else { Route::Member },
                member_roles: item.member_roles.clone(),
            }
        })
        .collect();
    (grants, people)
}

fn reports(
    journal: &Arc<Journal>,
    id: SweepId,
    rules: &verdict::Rules,
    here: Option<&Connection>,
) -> Result<Vec<Report>, journal::Error> {
    let stored = journal.rows(id)?;
    let people = journal.people(id)?;
    let head = stored.last().map(|row| row.hash.to_string()).unwrap_or_default();
    let rows = Rows::new(stored.into_iter().map(|stored| stored.row));
    let grants = rows.grants().iter();
    Ok(grants.filter_map(|grant| Report::of(grant.n, &rows, &people, head.clone(), rules, here)).collect())
}

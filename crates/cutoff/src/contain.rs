//! Containment: the policy changed so that nobody can consent to some apps again, together with the revoke of every grant they
//! have; and the lifting of such a block. What to change is decided in [`crate::policy`]; here it is read, shown and asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use journal::{OnceListed, Purpose, SweepId};
use stytch_b2b::{ConnectedAppId, Error as ApiError, MemberId};
use tokio::sync::watch;

use crate::activity::Resume;
use crate::desk::Desk;
use crate::directory::check_id;
use crate::error::{Error, Field};
use crate::indicators::client_id;
use crate::inventory::filter::folded;
use crate::inventory::look_alike::Likenesses;
use crate::inventory::picture::{Cause, Missing, Picture, What as Lacks, u32_of};
use crate::inventory::reading;
use crate::inventory::shown::place_of;
use crate::plan_file::{Pair, Unusable};
use crate::policy::{
    self, Block, Change, Decisions, Difference, Kind, Listed, Refused, State, Undo, Unlisted, block, state_of, undo,
};
use crate::revoke::{same_ground, who};
use crate::session::Session;
use crate::sweep::change::{Blocking, Changes, LIFTING, Settled, Turned, Wanted};
use crate::sweep::engine::{Ended, Held, Progress, Watched, blocking};
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{Outcome, findings};
use crate::sweep::{Manner, Observer, Wish};
use crate::sweeps::{Proposal, SweepReport, after_sending};

/// A containment before it is carried out.
#[derive(Clone, Debug)]
pub struct Containment {
    /// The plan: every grant of the apps, and the block.
    pub proposal: Proposal,
    /// The change of the policy, app by app.
    pub change: Change,
    /// The vendor's own apps that were asked for and are in neither, since those were not meant.
    pub first_party_left_out: BTreeSet<ConnectedAppId>,
}

/// What lifting a block would be, by the policy as it is now.
#[derive(Clone, Debug)]
pub struct LiftView {
    /// The policy before the block.
    pub before: State,
    /// The policy that the block made.
    pub after: State,
    /// The policy as it stands.
    pub now: State,
    /// How it would be taken back.
    pub undo: Undo,
    /// Grants whose revoke was sent, or may have been, and not answered, and of which no read can tell: they may come back.
    pub hidden: u32,
    /// Grants that no revoke was sent for and no read has shown gone: they come back with the app.
    pub not_attempted: u32,
    /// Grants whose revoke was answered and whose end no read could show: they should not come back.
    pub accepted: u32,
    /// Other sweeps whose blocks would be gone with it, as far as they are of the same apps.
    pub beside: Vec<SweepId>,
}

/// What a lifting is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Lift {
    /// Takes back only what the block did where somebody has changed the policy since.
    pub over_changes: bool,
}

/// What a lifting came to.
#[derive(Debug)]
pub struct Lifted {
    /// The sweep as it now is: what returned stands in it.
    pub report: SweepReport,
    /// What somebody else had changed; it was left as it is.
    pub differs: Vec<Difference>,
    /// The change of the policy was refused, or what it came to is not known.
    pub not_lifted: bool,
    /// The policy did not have to be changed: nothing of the block was left in it.
    pub nothing_to_lift: bool,
}

/// What the own view of an app tells.
#[derive(Default)]
struct Beyond {
    /// Its name and client type.
    face: Option<(String, String)>,
    grants: Vec<Pair>,
    /// What the view did not tell.
    missing: Option<Missing>,
}

impl Desk {
    /// What containing some apps would be, by the picture that is shown and the policy as it is read now. The plan has every
    /// grant of the apps, whoever's they are, and may have none: an app can be blocked before anybody has granted it. One that the
    /// picture lacks is asked for by its own view.
    ///
    /// # Errors
    /// [`Error::Block`] when no change can be made, somebody has to decide about single apps first, or there is nothing to do; else as
    /// [`Desk::propose`], and [`Error::Api`] when the policy cannot be read. [`Error::Plan`] for the vendor's own apps alone, if they
    /// were not asked for. [`Error::BadInput`] for an id that no request can carry.
    pub async fn propose_containment(
        &self,
        apps: &[ConnectedAppId],
        decisions: &Decisions,
        first_party: bool,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Containment, Error> {
        let (session, _) = self.seated()?;
        let shown = self.shown().await?;
        let picture = &shown.picture;
        let mut listed = listed(picture);
        listed.extend(self.not_listed_now(picture).await?);
        let (mut beside, mut missing) = (Vec::new(), Vec::new());
        for id in apps.iter().filter(|id| picture.app(id).is_none()) {
            let found = self.look_beyond(&session, id).await?;
            let known = found.face.is_some() || listed.iter().any(|app| app.id == *id);
            if !known && client_id(id.as_str()).is_none() {
                // A name, or a part of an id: nothing would be forbidden by it.
                return Err(Error::Block(Refused::NotListed(vec![id.clone()])));
            }
            beside.extend(found.grants);
            missing.extend(found.missing);
            let at = listed.iter().position(|app| app.id == *id).unwrap_or_else(|| {
                let unlisted = Some(Unlisted::default());
                listed.push(Listed { id: id.clone(), kind: None, odd: false, new: false, like: false, unlisted });
                listed.len() - 1
            });
            let app = &mut listed[at];
            let unlisted = app.unlisted.get_or_insert_default();
            if let Some((name, client_type)) = found.face {
                unlisted.name = name;
                app.kind = Some(Kind::of(&client_type).ok_or(Error::Block(Refused::UnknownKind(id.clone())))?);
            }
            unlisted.kind_told = app.kind.is_some();
        }
        let vendors =
            |id: &ConnectedAppId| listed.iter().any(|app| app.id == *id && app.kind == Some(Kind::FirstParty));
        let (first_party_left_out, apps): (BTreeSet<ConnectedAppId>, BTreeSet<ConnectedAppId>) =
            apps.iter().cloned().partition(|id| !first_party && vendors(id));
        if apps.is_empty() {
            return Err(Error::Plan(Unusable::Grants));
        }
        let of_them = |what: &Lacks| match what {
            Lacks::App(id) | Lacks::AppRows(id) => apps.contains(id),
            Lacks::Names | Lacks::MemberRows | Lacks::ListRows => false,
        };
        missing.retain(|missing: &Missing| of_them(&missing.what));
        let state = self.read_state(&session).await?;
        listed.extend(allowed_by_name(&state, &listed));
        mark_alike(&mut listed, &apps, picture);
        // Of some nobody tells whose they are. Where that would forbid the vendor's own apps to be connected anew, it is for whoever
        // asks to say that those are meant too.
        if !first_party && !policy::closed(&state, Kind::FirstParty) {
            let untold = listed.iter_mut().filter(|app| app.kind.is_none() && app.unlisted.is_some());
            for app in untold.filter(|app| apps.contains(&app.id)) {
                app.kind = Some(Kind::ThirdParty);
            }
        }
        // What the policy hides no list tells: of such an app, everybody is sent a revoke whom the last reading that had it lists.
        let hidden = listed.iter().filter(|app| {
            apps.contains(&app.id)
                && !beside.iter().any(|pair: &Pair| pair.connected_app_id == app.id)
                && policy::forbids(&state, &app.id, app.kind) == Some(true)
        });
        let known = hidden.flat_map(|app| {
            let members = app.unlisted.iter().flat_map(|unlisted| &unlisted.members);
            members.map(|member| Pair { member_id: member.clone(), connected_app_id: app.id.clone() })
        });
        let known: Vec<Pair> = known.collect();
        let change = block(&state, &apps, &listed, list_is_whole(picture), decisions).map_err(Error::Block)?;
        let of_lists = picture.grants.iter().map(|grant| Pair {
            member_id: picture.members[grant.member as usize].id.clone(),
            connected_app_id: picture.apps[grant.app as usize].id.clone(),
        });
        let by_own_view: HashSet<Pair> = beside.iter().cloned().collect();
        let pairs: Vec<Pair> =
            of_lists.chain(beside).chain(known).filter(|pair| apps.contains(&pair.connected_app_id)).collect();
        if pairs.is_empty() && change.is_empty() {
            // That the policy hides an app is no failure to read it: it is forbidden, and nobody can see more.
            let unread =
                |missing: &&Missing| of_them(&missing.what) && !matches!(missing.cause, Cause::Hidden | Cause::AppGone);
            missing.extend(picture.facts.missing.iter().filter(unread).cloned());
            return Err(Error::Block(Refused::AlreadyForbidden { missing, first_party_left_out }));
        }
        let block = Block::new(&apps, decisions, &change);
        let mut proposal = self.propose_pairs(&shown, pairs, first_party, Some(block), reason, now).await?;
        proposal.missing.extend(missing);
        proposal.listed += u32_of(proposal.file.grants.iter().filter(|pair| by_own_view.contains(pair)).count());
        Ok(Containment { proposal, change, first_party_left_out })
    }

    /// The apps that an earlier reading of this organization had and the picture lacks.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Journal`].
    pub async fn not_listed_now(&self, picture: &Picture) -> Result<Vec<Listed>, Error> {
        let (session, _) = self.seated()?;
        let (journal, place) = (self.journal.clone(), place_of(&session));
        let listed: HashSet<String> = picture.apps.iter().map(|app| app.id.to_string()).collect();
        let once = blocking(move || journal.once_listed(&place, &listed)).await?;
        let revoked = match once.iter().map(|app| app.at.timestamp()).min() {
            Some(since) => self.revoked_since(&session, since).await?,
            None => HashMap::new(),
        };
        let app = |app: OnceListed| {
            let kind = Kind::of(&app.client_type);
            let at = app.at.timestamp();
            let id = ConnectedAppId::from(app.connected_app_id);
            let ours = |member: &MemberId| {
                revoked.get(&(member.clone(), id.clone())).is_some_and(|gone: &Timestamp| *gone >= at)
            };
            let had_any = !app.members.is_empty();
            let members = app.members.into_iter().map(MemberId::from).filter(|member| !ours(member));
            let members: Vec<MemberId> = members.collect();
            let unlisted = Unlisted {
                name: app.name,
                known_at: Some(at),
                revoked_here: had_any && members.is_empty(),
                members,
                kind_told: kind.is_some(),
            };
            Listed { id, kind, odd: false, new: false, like: false, unlisted: Some(unlisted) }
        };
        Ok(once.into_iter().map(app).collect())
    }

    /// The grants that sweeps of this journal found gone since a moment, here, and when each was last found so.
    pub(crate) async fn revoked_since(
        &self,
        session: &Session,
        since: Timestamp,
    ) -> Result<HashMap<(MemberId, ConnectedAppId), Timestamp>, Error> {
        let mut found = HashMap::new();
        for sweep in self.sweeps().await? {
            if sweep.last.utc.timestamp() < since || !same_ground(&sweep, session) {
                continue;
            }
            for line in self.sweep_report(sweep.id).await?.lines {
                let Some(at) = line.gone_at else { continue };
                found.entry(line.pair()).and_modify(|last: &mut Timestamp| *last = at.max(*last)).or_insert(at);
            }
        }
        Ok(found)
    }

    /// What the own view of an app tells that no list has.
    async fn look_beyond(&self, session: &Arc<Session>, id: &ConnectedAppId) -> Result<Beyond, Error> {
        check_id(id.as_str(), Field::ConnectedAppId)?;
        let asked = |client: stytch_b2b::Client, token| {
            let id = id.clone();
            async move { client.connected_app(&token, &id).await }
        };
        let view = match self.ask(session, asked).await {
            Ok(view) => view,
            // The vendor's project does not have it, or it is hidden: nobody tells which.
            Err(ApiError::ConnectedAppNotFound(_)) => return Ok(Beyond::default()),
            Err(error @ ApiError::SignedOut(_)) => return Err(self.judge(session, error).await),
            Err(error) => {
                let missing = reading::missing(Lacks::App(id.clone()), error);
                return Ok(Beyond { missing: Some(missing), ..Beyond::default() });
            }
        };
        let unreadable = view.active_members.unreadable.len();
        let missing = (unreadable > 0).then(|| Missing {
            what: Lacks::AppRows(id.clone()),
            cause: Cause::UnreadableRows,
            rows: u32_of(unreadable),
            status: None,
            error_type: None,
            request_id: None,
        });
        let grants = view.active_members.rows.into_iter();
        let grants = grants.map(|row| Pair { member_id: row.member_id, connected_app_id: id.clone() }).collect();
        Ok(Beyond { face: Some((view.name, view.client_type.as_str().to_owned())), grants, missing })
    }

    /// The policy as it is now, read strictly.
    pub(crate) async fn read_state(&self, session: &Arc<Session>) -> Result<State, Error> {
        match session.read(|client, token| async move { client.connected_app_policy(&token).await }).await {
            Ok(reply) => Ok(state_of(&reply.data)),
            Err(error @ ApiError::SignedOut(_)) => Err(self.judge(session, error).await),
            Err(error) => Err(error.into()),
        }
    }

    /// What lifting the block of a sweep would be. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Block`] for a sweep that has no block; [`Error::PlanChanged`] when it belongs to another organization or place;
    /// [`Error::SignedOut`], [`Error::Api`], [`Error::Journal`].
    pub async fn look_at_lift(&self, id: SweepId) -> Result<LiftView, Error> {
        let (session, _) = self.seated()?;
        let journal = self.journal.clone();
        let (summary, rows) = blocking(move || Ok((journal.summary(id)?, journal.rows(id)?))).await?;
        if !same_ground(&summary, &session) {
            return Err(Error::PlanChanged);
        }
        let rows = Rows::new(rows.into_iter().map(|stored| stored.row));
        let apps = Blocking::of(&rows).ok_or(Error::Block(Refused::NothingBlocked))?.apps;
        let changes = Changes::of(rows.all());
        let intent = changes.intents.iter().find(|(intent, _)| intent.purpose == Purpose::Block);
        let (before, after) = match intent {
            Some((intent, _)) => (intent.before.clone(), intent.after.clone()),
            None => return Err(Error::Block(Refused::NothingBlocked)),
        };
        let (mut hidden, mut not_attempted, mut accepted) = (0, 0, 0);
        for finding in findings(&rows, &self.rules).values() {
            match finding.outcome {
                Outcome::Hidden | Outcome::Unknown | Outcome::Failed if finding.attempts == 0 => not_attempted += 1,
                Outcome::Hidden | Outcome::Unknown => hidden += 1,
                Outcome::Accepted => accepted += 1,
                _ => {}
            }
        }
        let now = self.read_state(&session).await?;
        let undo = undo(&before, &after, &apps, &now);
        let beside = self.blocked_beside(&session, id, &now, &undo).await?;
        Ok(LiftView { before, after, now, undo, hidden, not_attempted, accepted, beside })
    }

    /// The other sweeps that blocked an app which the policy forbids now and would not forbid after an undo.
    async fn blocked_beside(
        &self,
        session: &Session,
        id: SweepId,
        now: &State,
        undo: &Undo,
    ) -> Result<Vec<SweepId>, Error> {
        let (Undo::Exact(to) | Undo::Changed { merged: to, .. }) = undo else { return Ok(Vec::new()) };
        let mut beside = Vec::new();
        for sweep in self.sweeps().await? {
            if sweep.id == id || !same_ground(&sweep, session) {
                continue;
            }
            let opens = |(app, kind): &(ConnectedAppId, policy::Kind)| {
                let forbids = |state| policy::forbids(state, app, Some(*kind));
                forbids(now) == Some(true) && forbids(to) == Some(false)
            };
            if self.standing_block(sweep.id, sweep.rows).await?.iter().any(opens) {
                beside.push(sweep.id);
            }
        }
        Ok(beside)
    }

    /// Lifts the block of a sweep, reads its grants again, and sends again what was never answered, if the one who lifts may go
    /// on with the sweep.
    ///
    /// # Errors
    /// As [`Desk::look_at_lift`]; [`Error::PolicyChanged`] when somebody has changed the policy since and it was not said to
    /// lift over that, or it changed between two looks: then nothing was sent. [`Error::Busy`]; [`Error::JournalAfterSending`].
    pub async fn lift(
        &self,
        id: SweepId,
        how: &Lift,
        wish: watch::Receiver<Wish>,
        progress: watch::Sender<Progress>,
        observer: Option<&Observer>,
    ) -> Result<Lifted, Error> {
        let _one_at_a_time = self.sweeping.lock().await;
        let (session, directory) = self.seated()?;
        let view = self.look_at_lift(id).await?;
        let (to, differs) = match view.undo {
            Undo::Exact(state) => (state, Vec::new()),
            Undo::Nothing => (view.now.clone(), Vec::new()),
            Undo::Changed { differs, .. } if !how.over_changes => return Err(Error::PolicyChanged(differs)),
            Undo::Changed { differs, merged } => (merged, differs),
        };
        let journal = self.journal.clone();
        let summary = blocking(move || journal.summary(id)).await?;
        // Whoever may change the policy may lift; only who may go on with the sweep sends for it.
        let may_send = summary.closing.is_none()
            && self.may_resume(&*self.digest(id).await?, &session) == Resume::Yes
            && self.must_be_current(id).await.is_ok();
        let lock = self.lock(id).await?;
        let observer = observer.unwrap_or(&self.observer);
        let manner = Manner { patient: true, canary: false, again_only: true };
        let watched = Watched { wish, progress };
        let mut engine = self
            .engine_with(&session, &directory, observer, Held::unread(id, lock), &self.pace, manner, watched)
            .await?;
        engine.note(LIFTING, &who(&session)).await?;
        let nothing_to_lift = to == view.now;
        let mut ended = Ended::AtRest;
        let mut not_lifted = false;
        if nothing_to_lift {
            engine.read_policy().await?;
        } else {
            let reached = |state: &State| crate::policy::differences(&to, state).is_empty();
            let wanted = Wanted { purpose: Purpose::Lift, before: &view.now, after: &to, reached: &reached };
            let turned = engine.change_policy(&wanted).await;
            let sent = engine.has_sent();
            match turned.map_err(|error| if sent { after_sending(error) } else { error })? {
                Turned::Settled(Settled::InForce) => {}
                Turned::Settled(Settled::Denied(error)) => {
                    drop(engine);
                    self.note_head(&session).await;
                    return Err(self.judge(&session, error).await);
                }
                Turned::Settled(Settled::Not) => not_lifted = true,
                Turned::Changed(differs) => {
                    drop(engine);
                    self.note_head(&session).await;
                    return Err(Error::PolicyChanged(differs));
                }
                Turned::Ended(stopped) => {
                    not_lifted = true;
                    ended = stopped;
                }
            }
        }
        if !not_lifted {
            if may_send {
                engine.note("resumed", &who(&session)).await?;
            }
            ended = engine.read_once().await.map_err(after_sending)?;
            if matches!(ended, Ended::AtRest) {
                ended = engine.run(may_send).await.map_err(after_sending)?;
            }
        }
        drop(engine);
        self.note_head(&session).await;
        if let Ended::SessionEnded(error) = &ended {
            let _ = self.judge(&session, error.clone()).await;
        }
        let report = self.sweep_report(id).await?;
        self.forget_gone(&session, &directory, &report.lines);
        Ok(Lifted { report: SweepReport { ended: Some(ended), ..report }, differs, not_lifted, nothing_to_lift })
    }
}

/// The apps of a picture, as a change of the policy looks at them.
#[must_use]
pub fn listed(picture: &Picture) -> Vec<Listed> {
    let since = picture.facts.since.map(|(_, at)| at);
    picture
        .apps
        .iter()
        .map(|app| Listed {
            id: app.id.clone(),
            kind: Kind::of(&app.client_type),
            odd: !app.odd.is_empty(),
            // In a first reading nothing is new.
            new: app.first_seen.after.is_some() && since.is_some_and(|since| app.first_seen.by > since),
            like: false,
            unlisted: None,
        })
        .collect()
}

/// The apps that the policy allows by name, and that are not among these: nobody has connected them, or somebody has cut them off.
fn allowed_by_name(state: &State, listed: &[Listed]) -> Vec<Listed> {
    let [first, third] = [
        (&state.first_party, &state.allowed_first_party, Kind::FirstParty),
        (&state.third_party, &state.allowed_third_party, Kind::ThirdParty),
    ]
    .map(|(word, ids, kind)| (if word == policy::RESTRICTED { ids.as_slice() } else { &[] }, kind));
    let known: HashSet<&str> = listed.iter().map(|app| app.id.as_str()).collect();
    let of = |(ids, kind): (&[String], Kind)| {
        let ids: BTreeSet<&String> = ids.iter().filter(|id| !known.contains(id.as_str())).collect();
        ids.into_iter().map(|id| (id.clone(), kind)).collect::<Vec<_>>()
    };
    let mut kinds: BTreeMap<String, Option<Kind>> = BTreeMap::new();
    for (id, kind) in of(first).into_iter().chain(of(third)) {
        // On both lists: neither tells its kind.
        kinds.entry(id).and_modify(|kind| *kind = None).or_insert(Some(kind));
    }
    let app = |(id, kind): (String, Option<Kind>)| {
        let unlisted = Some(Unlisted { kind_told: kind.is_some(), ..Unlisted::default() });
        Listed { id: ConnectedAppId::from(id), kind, odd: false, new: false, like: false, unlisted }
    };
    kinds.into_iter().map(app).collect()
}

/// Marks the apps that have the name of one to be blocked, or one that looks like it. Which of two is the imitation a list tells: one
/// that is listed, and beside which a blocked one is flagged, is not suspected for that.
fn mark_alike(listed: &mut [Listed], apps: &BTreeSet<ConnectedAppId>, picture: &Picture) {
    let name = |app: &Listed| match (&app.unlisted, picture.app(&app.id)) {
        (Some(unlisted), _) => unlisted.name.clone(),
        (None, at) => at.map(|at| picture.apps[at as usize].name.clone()).unwrap_or_default(),
    };
    let mut likenesses = Likenesses::default();
    let of_blocked: Vec<String> = listed.iter().filter(|app| apps.contains(&app.id)).map(name).collect();
    let names: HashSet<String> =
        of_blocked.iter().map(|name| folded(name.trim())).filter(|name| !name.is_empty()).collect();
    // By place, as `Likenesses::alike` compares them.
    let mut looks = |name: &str| likenesses.keys(name).into_iter().flatten().enumerate().collect::<Vec<_>>();
    let blocked: HashSet<(usize, String)> = of_blocked.iter().flat_map(|name| looks(name)).collect();
    for app in listed {
        let name = name(app);
        let suspect = app.odd || app.unlisted.is_some();
        app.like = !apps.contains(&app.id)
            && (names.contains(&folded(name.trim()))
                || suspect && looks(&name).iter().any(|look| blocked.contains(look)));
    }
}

/// Whether the picture has every app that is installed: every row could be read, none is hidden, and the list lacks none that an
/// earlier reading had without something that bears it out.
#[must_use]
pub fn list_is_whole(picture: &Picture) -> bool {
    let facts = &picture.facts;
    !facts.under_way
        && facts.missing.iter().all(|missing| match &missing.what {
            Lacks::ListRows => false,
            Lacks::App(_) => !matches!(missing.cause, Cause::Hidden | Cause::CutShort),
            _ => true,
        })
}

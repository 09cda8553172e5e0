//! Grants that come back: one that a sweep found gone is listed again, or a member who lost one has connected a client that
//! looks like it. It compares each reading and remembers what was told; it revokes nothing.
//!
//! That a grant is listed again is all that can be seen. Whether the server never removed it or the member consented once more,
//! Stytch gives no way to tell.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use journal::{Body, Journal, PersonKind, SweepId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use stytch_b2b::{ConnectedAppId, MemberId};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;

use crate::desk::Desk;
use crate::error::Error;
use crate::inventory::look_alike::Likenesses;
use crate::inventory::picture::{Known, Picture};
use crate::inventory::reading::Progress;
use crate::inventory::shown::place_of;
use crate::inventory::shown::{Shown, Source};
use crate::policy;
use crate::revoke::{connection_of, same_ground};
use crate::session::Session;
use crate::sweep::change::Blocking;
use crate::sweep::engine::blocking;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{Finding, Rules};
use crate::sweeps::{BlockStand, PolicyReport, Seen, planned_by, policy_report};

/// So many come-backs that were told are remembered beside those that are listed now.
const REMEMBERED: usize = 10_000;

/// So many alerts may wait for somebody who does not look.
const WAITING: usize = 16;

/// A grant that a sweep found gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which sweep.
    pub sweep_id: SweepId,
    /// Whose.
    pub member_id: MemberId,
    /// To which app.
    pub connected_app_id: ConnectedAppId,
    /// When the first clean read of it began.
    pub gone_at: Timestamp,
    /// The app's name, as far as it was kept.
    pub app_name: Option<String>,
    /// The snapshot that its sweep was planned by; `None`: none was noted.
    pub planned_by: Option<u32>,
}

/// In which way something came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The grant is listed again.
    SeenAgain,
    /// Its member has a grant to another client that looks like it, first seen after the loss.
    LookAlike,
}

impl Kind {
    /// The word for it in files and on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SeenAgain => "seen_again",
            Self::LookAlike => "look_alike",
        }
    }
}

/// Something that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComeBack {
    /// Names this come-back and no later one of the same grant.
    pub id: String,
    /// In which way.
    pub kind: Kind,
    /// Whose.
    pub member_id: MemberId,
    /// What is known of them.
    pub known: Option<Known>,
    /// The app that is listed now.
    pub connected_app_id: ConnectedAppId,
    /// Its name.
    pub app_name: String,
    /// The app that was lost; the same one when the grant itself is back.
    pub lost_connected_app_id: ConnectedAppId,
    /// Its name when it was lost, as far as known.
    pub lost_app_name: Option<String>,
    /// When the first clean read of the lost grant began.
    pub gone_at: Timestamp,
    /// When the call was made that lists it now.
    pub seen_at: Timestamp,
    /// The sweep that found it gone.
    pub sweep_id: SweepId,
}

/// What came back, by one picture, in the order of members and apps. `asked` says when an app's members were asked for: a call
/// that was made before the grant was gone says nothing of what came after.
///
/// A look-alike counts when its grant was not there in an earlier complete reading and is by one since the loss. What was there
/// from the very first reading may have been there before the loss, and is not told. Nor is anything by the snapshot that the sweep
/// was planned by, or an earlier one: times alone would say otherwise where the clock was set back since.
#[must_use]
pub fn come_backs(
    lost: &[Lost],
    picture: &Picture,
    asked: &dyn Fn(&ConnectedAppId) -> Option<Timestamp>,
) -> Vec<ComeBack> {
    let was_known = |lost: &Lost| lost.planned_by.zip(picture.facts.snapshot).is_some_and(|(by, shown)| shown <= by);
    // Of a grant that was lost more than once the last time counts.
    let mut last: HashMap<(u32, &ConnectedAppId), &Lost> = HashMap::new();
    for lost in lost {
        let Some(member) = picture.member(&lost.member_id) else { continue };
        let known = last.entry((member, &lost.connected_app_id)).or_insert(lost);
        if lost.gone_at >= known.gone_at {
            *known = lost;
        }
    }
    let mut of_member: HashMap<u32, Vec<&Lost>> = HashMap::new();
    for ((member, _), lost) in &last {
        of_member.entry(*member).or_default().push(*lost);
    }
    let mut likenesses = Likenesses::default();
    let mut found = Vec::new();
    for (member, lost) in &mut of_member {
        // The latest first; of two at one moment always the same one.
        lost.sort_by(|a, b| b.gone_at.cmp(&a.gone_at).then_with(|| a.connected_app_id.cmp(&b.connected_app_id)));
        for &at in picture.grants_of_member(*member) {
            let grant = &picture.grants[at as usize];
            let app = &picture.apps[grant.app as usize];
            let Some(seen_at) = asked(&app.id) else { continue };
            let (kind, lost) = if let Some(lost) = last.get(&(*member, &app.id)) {
                if seen_at <= lost.gone_at || was_known(lost) {
                    continue;
                }
                (Kind::SeenAgain, *lost)
            } else {
                let after = |lost: &&&Lost| {
                    !was_known(lost)
                        && grant.first_seen.after.is_some()
                        && grant.first_seen.by > lost.gone_at
                        && seen_at > lost.gone_at
                };
                // Under the name it had when it was lost, or the one it has now.
                let mut alike = |lost: &&&Lost| {
                    let named = picture.app(&lost.connected_app_id).map(|at| picture.apps[at as usize].name.as_str());
                    let names = [lost.app_name.as_deref(), named];
                    names.into_iter().flatten().any(|name| likenesses.alike(name, &app.name))
                };
                let Some(lost) = lost.iter().filter(after).find(|lost| alike(lost)) else { continue };
                (Kind::LookAlike, *lost)
            };
            found.push((
                (*member, grant.app),
                ComeBack {
                    id: id(kind, lost, &app.id, grant.seen_by),
                    kind,
                    member_id: lost.member_id.clone(),
                    known: picture.members[*member as usize].known.clone(),
                    connected_app_id: app.id.clone(),
                    app_name: app.name.clone(),
                    lost_connected_app_id: lost.connected_app_id.clone(),
                    lost_app_name: lost.app_name.clone(),
                    gone_at: lost.gone_at,
                    seen_at,
                    sweep_id: lost.sweep_id,
                },
            ));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, back)| back).collect()
}

/// A grant that is lost again has another time, and one that went by itself and came once more another reading that first had it.
fn id(kind: Kind, lost: &Lost, app: &ConnectedAppId, seen_by: u32) -> String {
    let gone_at = (kind == Kind::SeenAgain).then(|| lost.gone_at.as_millisecond());
    let named = json!([kind, lost.member_id, app, gone_at, seen_by]).to_string();
    Sha256::digest(named)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a sweep found gone, also what it saw again itself later on.
pub(crate) fn lost_in(journal: &Journal, sweep_id: SweepId, rules: &Rules) -> Result<Vec<Lost>, journal::Error> {
    let people = journal.people(sweep_id)?;
    let names: HashMap<&str, &str> = people
        .iter()
        .filter(|record| record.kind == PersonKind::App && record.is_true())
        .map(|record| (record.subject.as_str(), record.text.as_str()))
        .collect();
    let rows = Rows::new(journal.rows(sweep_id)?.into_iter().map(|stored| stored.row));
    let planned_by = planned_by(&rows);
    let lost = rows.grants().iter().filter_map(|grant| {
        let of = rows.of(grant.n);
        let gone = |upto: usize| {
            let finding = Finding::of(grant.n, of[..upto].iter().copied(), rules);
            finding.gone.filter(|_| finding.outcome.is_gone())
        };
        let lists = |at: &usize| matches!(&of[*at].body, Body::Read(read) if read.present.contains(&grant.n));
        let gone = gone(of.len()).or_else(|| (0..of.len()).rev().filter(lists).find_map(gone))?;
        Some(Lost {
            sweep_id,
            member_id: MemberId::from(grant.member_id.as_str()),
            connected_app_id: ConnectedAppId::from(grant.connected_app_id.as_str()),
            gone_at: gone.utc.timestamp(),
            app_name: names.get(grant.connected_app_id.as_str()).map(|name| (*name).to_owned()),
            planned_by,
        })
    });
    Ok(lost.collect())
}

/// Grants that sweeps found gone and that are listed again, by sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedAgain(HashMap<SweepId, HashMap<(MemberId, ConnectedAppId), Timestamp>>);

impl ListedAgain {
    /// How many of a sweep's grants.
    #[must_use]
    pub fn of_sweep(&self, id: SweepId) -> usize {
        self.0.get(&id).map_or(0, HashMap::len)
    }

    /// When the call was made that lists a sweep's grant again.
    #[must_use]
    pub fn of_grant(&self, id: SweepId, member: &MemberId, app: &ConnectedAppId) -> Option<Timestamp> {
        self.0.get(&id)?.get(&(member.clone(), app.clone())).copied()
    }
}

/// A block that a sweep of this journal made, and that the policy no longer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockUndone {
    /// The sweep that made it.
    pub sweep_id: SweepId,
    /// Those of its apps that the policy no longer forbids.
    pub apps: Vec<ConnectedAppId>,
}

/// What a sweep did to the policy, by its rows.
#[derive(Clone)]
struct Blocked {
    stand: BlockStand,
    /// When it was made, or lifted; where nothing was sent, when the sweep began.
    at: Option<Timestamp>,
    /// Of a block that was lifted, only what its lifting allowed: what was forbidden before it stayed so.
    apps: Vec<(ConnectedAppId, policy::Kind)>,
}

impl Blocked {
    fn of(rows: &Rows, report: &PolicyReport, mut apps: Vec<(ConnectedAppId, policy::Kind)>) -> Self {
        let stand = match report.stand() {
            // Its own part is over: what forbids the apps now is not its to be told undone.
            BlockStand::Theirs => BlockStand::Lifted,
            stand => stand,
        };
        if let (BlockStand::Lifted, Some(before)) = (stand, &report.before) {
            apps.retain(|(app, kind)| policy::forbids(before, app, Some(*kind)) != Some(true));
        }
        let answered = report.at.as_deref().and_then(|at| at.parse().ok());
        let at = answered.or_else(|| rows.all().first().map(|row| row.clock.utc.timestamp()));
        Self { stand, at, apps }
    }
}

/// What one reading raised.
pub type Alert = Arc<Vec<ComeBack>>;

/// How many rows a sweep had, and what it had found gone by them.
type LostBy = (u64, Arc<Vec<Lost>>);

/// What a desk holds for its watch.
pub(crate) struct Watched {
    /// By sweep. Held for a look or an insertion.
    lost: Mutex<HashMap<SweepId, LostBy>>,
    /// By sweep, with how many rows it had. Held for a look or an insertion.
    blocks: Mutex<HashMap<SweepId, (u64, Option<Blocked>)>>,
    /// A broadcast, so that a second alert does not take the first one's place before it was looked at. The desk sends, whoever
    /// shows alerts subscribes, and it closes with the desk.
    alerts: broadcast::Sender<Alert>,
}

impl Default for Watched {
    fn default() -> Self {
        Self { lost: Mutex::default(), blocks: Mutex::default(), alerts: broadcast::Sender::new(WAITING) }
    }
}

/// What the journal remembers of a place: ids of come-backs, the oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    #[serde(default)]
    told: Vec<String>,
    #[serde(default)]
    dismissed: Vec<String>,
}

impl Remembered {
    fn of(value: Option<serde_json::Value>) -> Self {
        value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    /// Forgets the oldest beyond the bound, and none that is listed now: it would be told anew.
    fn keep_bounded(&mut self, listed: &HashSet<&str>) {
        for ids in [&mut self.told, &mut self.dismissed] {
            let mut spare = ids.len().saturating_sub(REMEMBERED);
            ids.retain(|id| {
                let keep = spare == 0 || listed.contains(id.as_str());
                spare -= usize::from(!keep);
                keep
            });
        }
    }
}

impl Desk {
    /// Hears of what comes back: each reading of the inventory, whoever asked for it, sends what it raised, once. What another
    /// process of the same journal has told already is not sent again.
    #[must_use]
    pub fn alerts(&self) -> broadcast::Receiver<Alert> {
        self.watched.alerts.subscribe()
    }

    /// Reads the inventory as [`Desk::read_inventory`] does, after a sweep that runs here has ended, and answers what that raised.
    ///
    /// # Errors
    /// As [`Desk::read_inventory`].
    pub async fn watch_once(&self, told: &(dyn Fn(&Progress) + Send + Sync)) -> Result<Vec<ComeBack>, Error> {
        // Waited for and let go: a revoke that is asked for meanwhile does not wait for a reading.
        drop(self.sweeping.lock().await);
        let mut alerts = self.alerts();
        self.read_inventory(told).await?;
        Ok(waiting(&mut alerts))
    }

    /// What has come back by the inventory that is shown, is still listed, and was not dismissed.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::NothingRead`], [`Error::Journal`].
    pub async fn come_backs(&self) -> Result<Vec<ComeBack>, Error> {
        let session = self.session()?;
        let shown = self.shown().await?;
        let mut found = self.listed_again(&session, &shown, None).await?;
        let (journal, key) = (self.journal.clone(), key(&shown));
        let remembered = Remembered::of(blocking(move || journal.get(&key)).await?);
        let dismissed: HashSet<&str> = remembered.dismissed.iter().map(String::as_str).collect();
        found.retain(|back| !dismissed.contains(back.id.as_str()));
        Ok(found)
    }

    /// Lists a come-back no more, by its id. The same grant is told again once it was lost again.
    ///
    /// # Errors
    /// [`Error::NothingRead`], [`Error::Journal`].
    pub async fn dismiss(&self, id: &str) -> Result<(), Error> {
        let shown = self.shown().await?;
        let (journal, key, id) = (self.journal.clone(), key(&shown), id.to_owned());
        blocking(move || {
            journal.change(&key, |value| {
                let mut remembered = Remembered::of(value);
                if !remembered.dismissed.contains(&id) {
                    remembered.dismissed.push(id);
                }
                remembered.keep_bounded(&HashSet::new());
                (Some(json!(remembered)), ())
            })
        })
        .await
    }

    /// Raises what has come back by a reading that was just stored, each come-back once in the life of the journal.
    pub(crate) async fn raise_come_backs(&self, session: &Session, shown: &Shown) -> Result<(), Error> {
        let mut found = self.listed_again(session, shown, None).await?;
        if found.is_empty() {
            return Ok(());
        }
        let (journal, key) = (self.journal.clone(), key(shown));
        let raised = blocking(move || {
            journal.change(&key, |value| {
                let mut remembered = Remembered::of(value);
                let told: HashSet<&str> = remembered.told.iter().map(String::as_str).collect();
                let listed: HashSet<String> = found.iter().map(|back| back.id.clone()).collect();
                found.retain(|back| !told.contains(back.id.as_str()));
                if found.is_empty() {
                    return (None, found);
                }
                remembered.told.extend(found.iter().map(|back| back.id.clone()));
                remembered.keep_bounded(&listed.iter().map(String::as_str).collect());
                (Some(json!(remembered)), found)
            })
        })
        .await?;
        if !raised.is_empty() {
            // Where nobody listens, the list of come-backs still has them.
            let _ = self.watched.alerts.send(Arc::new(raised));
        }
        Ok(())
    }

    /// The blocks of this journal that somebody has undone since, by the policy as it is read now; each once, until it is in force
    /// again. One that was lifted from here is not undone. Without such a block nothing is asked.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Api`] when the policy cannot be read, [`Error::Journal`].
    pub async fn blocks_undone(&self) -> Result<Vec<BlockUndone>, Error> {
        let session = self.session()?;
        let mut sweeps = self.sweeps().await?;
        sweeps.retain(|sweep| same_ground(sweep, &session));
        let mut blocks = Vec::new();
        for sweep in sweeps {
            blocks.extend(self.block_of(sweep.id, sweep.rows).await?.map(|block| (sweep.id, block)));
        }
        // By when it was made or lifted: a later read or a settling moves nothing.
        blocks.sort_by_key(|(_, block)| std::cmp::Reverse(block.at));
        // Of an app that was blocked more than once the last time counts.
        let mut seen = HashSet::new();
        let mut standing = Vec::new();
        for (sweep_id, Blocked { stand, mut apps, .. }) in blocks {
            if !matches!(stand, BlockStand::InForce | BlockStand::ForbiddenBefore | BlockStand::Lifted) {
                continue;
            }
            let known = seen.clone();
            seen.extend(apps.iter().map(|(app, _)| app.clone()));
            apps.retain(|(app, _)| stand != BlockStand::Lifted && !known.contains(app));
            if !apps.is_empty() {
                standing.push((sweep_id, apps));
            }
        }
        if standing.is_empty() {
            return Ok(Vec::new());
        }
        let began = self.clock.now().stamp();
        let state =
            match self.ask(&session, |client, token| async move { client.connected_app_policy(&token).await }).await {
                Ok(read) => policy::state_of(&read),
                Err(error) => return Err(self.judge(&session, error).await),
            };
        // What is told once here is what every later look at those sweeps must tell.
        let key = Seen::key(&connection_of(&session, &place_of(&session).organization_id)?);
        let (journal, seen) = (self.journal.clone(), json!(Seen { began, state: state.clone() }));
        blocking(move || journal.set(&key, &seen)).await?;
        let mut undone = Vec::new();
        for (sweep_id, apps) in standing {
            // One whose kind nobody told stands there with both. A word of the policy that is not known says nothing.
            let mut named = HashSet::new();
            let open: Vec<ConnectedAppId> = apps
                .into_iter()
                .filter(|(app, kind)| policy::forbids(&state, app, Some(*kind)) == Some(false))
                .map(|(app, _)| app)
                .filter(|app| named.insert(app.clone()))
                .collect();
            if !open.is_empty() {
                undone.push(BlockUndone { sweep_id, apps: open });
            }
        }
        let place = place_of(&session);
        let key = format!("blocks_undone:{}:{}", place.connection_id, place.organization_id);
        let journal = self.journal.clone();
        blocking(move || {
            journal.change(&key, |value| {
                let told: Vec<String> = value.and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default();
                let name = |undone: &BlockUndone| format!("{}:{}", undone.sweep_id, json!(undone.apps));
                let now: Vec<String> = undone.iter().map(name).collect();
                undone.retain(|undone| !told.contains(&name(undone)));
                ((now != told).then(|| json!(now)), undone)
            })
        })
        .await
    }

    /// The apps that a sweep blocked, if its own rows show its block in force.
    pub(crate) async fn standing_block(
        &self,
        id: SweepId,
        rows: u64,
    ) -> Result<Vec<(ConnectedAppId, policy::Kind)>, Error> {
        let block = self.block_of(id, rows).await?;
        let stands = |block: &Blocked| matches!(block.stand, BlockStand::InForce | BlockStand::ForbiddenBefore);
        Ok(block.filter(stands).map_or_else(Vec::new, |block| block.apps))
    }

    async fn block_of(&self, id: SweepId, rows: u64) -> Result<Option<Blocked>, Error> {
        let held = || self.watched.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, block)) = held().get(&id).filter(|(known, _)| *known == rows) {
            return Ok(block.clone());
        }
        let journal = self.journal.clone();
        let block = blocking(move || {
            let rows = Rows::new(journal.rows(id)?.into_iter().map(|stored| stored.row));
            Ok(policy_report(&rows).zip(Blocking::of(&rows)).map(|(report, of)| Blocked::of(&rows, &report, of.apps)))
        })
        .await?;
        held().insert(id, (rows, block.clone()));
        Ok(block)
    }

    async fn listed_again(
        &self,
        session: &Session,
        shown: &Shown,
        except: Option<SweepId>,
    ) -> Result<Vec<ComeBack>, Error> {
        // Only a picture that is stored says since when a grant is listed.
        if shown.source == Source::UnderWay || shown.picture.facts.snapshot.is_none() {
            return Ok(Vec::new());
        }
        let here = connection_of(session, &shown.place.organization_id)?;
        let mut lost: Vec<Lost> = Vec::new();
        for sweep in self.sweeps().await? {
            if sweep.opening.connection == here && Some(sweep.id) != except {
                lost.extend(self.lost_of(sweep.id, sweep.rows).await?.iter().cloned());
            }
        }
        Ok(come_backs(&lost, &shown.picture, &|app| shown.asked_at(app)))
    }

    /// What sweeps of this journal found gone, in the organization that is signed in to, and the inventory that is shown lists again:
    /// for each such sweep its grants, with when the call was made that lists them. Also what was dismissed: that says that somebody
    /// knows, not that it is gone. Nothing where nobody is signed in, or nothing was read. Of `running`, whose rows come while one
    /// looks, nothing is told until it rests.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn listed_again_by_sweep(&self, running: Option<SweepId>) -> Result<ListedAgain, Error> {
        let Ok(session) = self.session() else { return Ok(ListedAgain::default()) };
        let shown = match self.shown().await {
            Ok(shown) => shown,
            Err(Error::NothingRead | Error::SignedOut { .. }) => return Ok(ListedAgain::default()),
            Err(error) => return Err(error),
        };
        let found = self.listed_again(&session, &shown, running).await?;
        let again: HashMap<(MemberId, ConnectedAppId), Timestamp> = found
            .into_iter()
            .filter(|back| back.kind == Kind::SeenAgain)
            .map(|back| ((back.member_id, back.connected_app_id), back.seen_at))
            .collect();
        let mut by_sweep = ListedAgain::default();
        if again.is_empty() {
            return Ok(by_sweep);
        }
        let here = connection_of(&session, &shown.place.organization_id)?;
        for sweep in self.sweeps().await? {
            if sweep.opening.connection != here || Some(sweep.id) == running {
                continue;
            }
            for lost in self.lost_of(sweep.id, sweep.rows).await?.iter() {
                let pair = (lost.member_id.clone(), lost.connected_app_id.clone());
                if let Some(seen_at) = again.get(&pair).filter(|seen_at| **seen_at > lost.gone_at) {
                    by_sweep.0.entry(sweep.id).or_default().insert(pair, *seen_at);
                }
            }
        }
        Ok(by_sweep)
    }

    async fn lost_of(&self, id: SweepId, rows: u64) -> Result<Arc<Vec<Lost>>, Error> {
        let held = || self.watched.lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, lost)) = held().get(&id).filter(|(known, _)| *known == rows) {
            return Ok(lost.clone());
        }
        let (journal, rules) = (self.journal.clone(), self.rules);
        let lost = Arc::new(blocking(move || lost_in(&journal, id, &rules)).await?);
        held().insert(id, (rows, lost.clone()));
        Ok(lost)
    }
}

/// What has been raised and not yet looked at.
pub fn waiting(alerts: &mut broadcast::Receiver<Alert>) -> Vec<ComeBack> {
    let mut found = Vec::new();
    loop {
        match alerts.try_recv() {
            Ok(alert) => found.extend(alert.iter().cloned()),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return found,
        }
    }
}

fn key(shown: &Shown) -> String {
    format!("come_backs:{}:{}", shown.place.connection_id, shown.place.organization_id)
}

//! What a desk shows of the inventory: which picture, how it comes to be, and what is looked up in it. It holds one picture
//! at a time, and the reading that may be under way for the next.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use journal::{Place, Snapshot, SnapshotSummary};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stytch_b2b::{ConnectedAppId, MemberId};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::filter::{Filter, Index, Matches};
use super::history::{self, Times};
use super::list::{Query, SortedApps, SortedGrants, SortedMembers};
use super::map;
use super::picture::{Picture, Reading};
use super::reading::{self, Answers, Gathered, Progress, Stopped, look};
use super::selection::Noun;
use super::width::Rules;
use crate::desk::Desk;
use crate::directory::Directory;
use crate::error::{Error, Fault, Field};
use crate::permission;
use crate::session::Session;
use crate::sweep::engine::blocking;

/// The setting that holds the rules of width, if they were changed.
const RULES: &str = "width_rules";
/// The setting that holds whose inventory may be looked at without a session.
const LAST_SEAT: &str = "last_seat";
/// The setting that holds the passing connection whose snapshots nobody will ask for again.
const PASSING: &str = "passing_history";
/// How often what a reading has brought so far is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(900);

/// How many orders are kept for a picture: those of the screens that somebody goes back and forth between.
const ORDERS_KEPT: usize = 8;

/// The one that was read last, the one before it, and the one they are compared with.
const SNAPSHOTS_HELD: usize = 3;

/// A picture and what lists need beside it.
pub struct Shown {
    /// Whose.
    pub place: Place,
    /// The picture.
    pub picture: Arc<Picture>,
    /// Its texts and ranks, for filters and order.
    pub index: Arc<Index>,
    /// Where it comes from.
    pub source: Source,
    /// For whom it was drawn, by member id: another member at the same place may not see as much.
    member_id: String,
    /// When each app's members were asked for.
    asked: Arc<HashMap<ConnectedAppId, Timestamp>>,
    /// Orders made lately, the newest last, so that scrolling filters nothing anew. Held for a look or a swap.
    orders: Mutex<Vec<(Noun, Query, Order)>>,
    /// The same for the map, of which only one part is looked at. Held for a look or a swap.
    map: Mutex<Option<(Filter, Arc<MapOrder>)>>,
}

/// The order of a map, and the grants in it.
type MapOrder = (Matches, map::Order);

/// A filtered order of one list.
#[derive(Clone)]
enum Order {
    Apps(Arc<SortedApps>),
    Members(Arc<SortedMembers>),
    Grants(Arc<SortedGrants>),
}

impl Shown {
    fn new(viewer: &Viewer, picture: Picture, asked: Arc<HashMap<ConnectedAppId, Timestamp>>, source: Source) -> Self {
        let index = Index::new(&picture);
        Self {
            place: viewer.place.clone(),
            picture: Arc::new(picture),
            index: Arc::new(index),
            source,
            member_id: viewer.member_id.clone(),
            asked,
            orders: Mutex::default(),
            map: Mutex::default(),
        }
    }

    /// When an app's members were asked for.
    pub(crate) fn asked_at(&self, app: &ConnectedAppId) -> Option<Timestamp> {
        self.asked.get(app).copied()
    }

    fn is_for(&self, viewer: &Viewer) -> bool {
        self.place == viewer.place && self.member_id == viewer.member_id
    }

    fn order(&self, noun: Noun, query: &Query) -> Order {
        let wanted = query.order();
        let kept = |orders: &[(Noun, Query, Order)]| {
            orders.iter().find(|(of, query, _)| *of == noun && *query == wanted).map(|(_, _, order)| order.clone())
        };
        if let Some(order) = kept(&look(&self.orders)) {
            return order;
        }
        let (picture, index) = (&self.picture, &self.index);
        let order = match noun {
            Noun::Apps => Order::Apps(Arc::new(SortedApps::new(picture, index, query))),
            Noun::Members => Order::Members(Arc::new(SortedMembers::new(picture, index, query))),
            Noun::Grants => Order::Grants(Arc::new(SortedGrants::new(picture, index, query))),
        };
        let mut orders = look(&self.orders);
        if orders.len() >= ORDERS_KEPT {
            orders.remove(0);
        }
        orders.push((noun, wanted, order.clone()));
        order
    }

    /// The part of the map that somebody looks at.
    #[must_use]
    pub fn map(&self, filter: &Filter, view: &map::View) -> map::Map {
        let kept = look(&self.map).as_ref().filter(|(of, _)| of == filter).map(|(_, order)| order.clone());
        let order = kept.unwrap_or_else(|| {
            let matches = filter.matches(&self.picture, &self.index);
            let order = map::order(&self.picture, &self.index, &matches);
            let made = Arc::new((matches, order));
            *look(&self.map) = Some((filter.clone(), made.clone()));
            made
        });
        map::draw(&self.picture, &self.index, &order.1, &order.0, view)
    }

    /// The list of apps in the query's order.
    #[must_use]
    pub fn sorted_apps(&self, query: &Query) -> Arc<SortedApps> {
        match self.order(Noun::Apps, query) {
            Order::Apps(order) => order,
            _ => Arc::new(SortedApps::new(&self.picture, &self.index, query)),
        }
    }

    /// The list of members in the query's order.
    #[must_use]
    pub fn sorted_members(&self, query: &Query) -> Arc<SortedMembers> {
        match self.order(Noun::Members, query) {
            Order::Members(order) => order,
            _ => Arc::new(SortedMembers::new(&self.picture, &self.index, query)),
        }
    }

    /// The list of grants in the query's order.
    #[must_use]
    pub fn sorted_grants(&self, query: &Query) -> Arc<SortedGrants> {
        match self.order(Noun::Grants, query) {
            Order::Grants(order) => order,
            _ => Arc::new(SortedGrants::new(&self.picture, &self.index, query)),
        }
    }
}

/// Where a picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Read in this run.
    Read,
    /// The last snapshot of an earlier run.
    Kept,
    /// What a first reading has brought so far.
    UnderWay,
}

/// What a desk holds for its inventory.
#[derive(Default)]
pub(crate) struct Held {
    /// Held for a look or a swap, never across a call or a read of the journal.
    shown: Mutex<Option<Arc<Shown>>>,
    /// Held for a look or a swap.
    under_way: Mutex<Option<Arc<UnderWay>>>,
    /// Grants that the re-read of a revoke found gone in this run, and when: readings of before still have them. Held for a
    /// look or an insertion.
    gone: Mutex<Vec<Gone>>,
    /// Some of them came after what is shown was drawn.
    stale: AtomicBool,
    recent: Arc<Recent>,
    /// Held while the kept picture is drawn, so that two who ask for it at a start wait for one.
    drawing: tokio::sync::Mutex<()>,
}

/// The snapshots that pictures were drawn of lately, the newest last: the next reading is compared with one of them. A snapshot
/// never changes, so a copy is as good as the journal's. Held for a look or a swap, never across a read of the journal.
#[derive(Default)]
struct Recent(Mutex<Vec<Arc<Snapshot>>>);

impl Recent {
    fn snapshot(&self, journal: &journal::Journal, number: u32) -> Result<Arc<Snapshot>, journal::Error> {
        {
            let mut known = look(&self.0);
            if let Some(at) = known.iter().position(|known| known.summary.number == number) {
                let found = known.remove(at);
                known.push(found.clone());
                return Ok(found);
            }
        }
        let read = Arc::new(journal.snapshot(number)?);
        let mut known = look(&self.0);
        if known.len() >= SNAPSHOTS_HELD {
            known.remove(0);
        }
        known.push(read.clone());
        Ok(read)
    }
}

struct Gone {
    place: Place,
    member: MemberId,
    app: ConnectedAppId,
    at: Timestamp,
}

/// A reading that is under way.
struct UnderWay {
    /// By whose session: another one neither sees it nor joins it.
    session: Arc<Session>,
    gathered: Gathered,
    progress: watch::Sender<Progress>,
    cancel: watch::Sender<bool>,
    /// What was last drawn of it, and when. Held for a look or a swap.
    drawn: Mutex<Option<(Instant, Arc<Shown>)>>,
    /// Why it did not come to its end: those who joined it are told too. Set before the progress is over.
    stopped: Arc<OnceLock<Stopped>>,
}

/// Whose inventory may be looked at before a session is there, and after it has ended by itself. Signing out forgets it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastSeat {
    connection_id: Uuid,
    organization_id: String,
    member_id: String,
}

/// For whom something is drawn. One member's reading is not shown to another who may not read as much.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Viewer {
    place: Place,
    member_id: String,
    /// May name members by the policy, as far as it is known.
    may_name: bool,
}

impl Viewer {
    fn of(session: &Session) -> Self {
        Self {
            place: place_of(session),
            member_id: session.state().member.member_id.to_string(),
            may_name: session.may(permission::search_members()).allowed == Some(true),
        }
    }

    /// A snapshot as this viewer may see it: what another member read comes without names, unless the viewer may read them.
    fn may_see(&self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        if snapshot.summary.reader == self.member_id || self.may_name {
            return snapshot;
        }
        let mut snapshot = Arc::unwrap_or_clone(snapshot);
        snapshot.people.clear();
        snapshot.people_read = false;
        if let Some(reader) = snapshot.summary.facts.get_mut("read_by") {
            *reader = "".into();
        }
        Arc::new(snapshot)
    }
}

/// Where the inventory stands.
pub struct Standing {
    /// What is shown, if anything was ever read.
    pub shown: Option<Arc<Shown>>,
    /// How far the reading is that is under way.
    pub reading: Option<Progress>,
    /// Snapshots kept of this organization.
    pub snapshots: u32,
    /// Nobody is signed in: it can be looked at and nothing more.
    pub read_only: bool,
}

/// One snapshot, as a list of them shows it.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Its number.
    pub number: u32,
    /// When its first call was made.
    pub began: Timestamp,
    /// When its last answer came.
    pub ended: Timestamp,
    /// The address of the member who read it; empty when that is not known any more.
    pub read_by: String,
    /// Apps listed.
    pub apps: u32,
    /// Apps read completely.
    pub apps_read: u32,
    /// Grants.
    pub grants: u32,
    /// Whether nothing was missing.
    pub complete: bool,
}

/// Takes a reading off the desk whichever way it ends, unless another one has come in its place.
struct Off<'a>(&'a Mutex<Option<Arc<UnderWay>>>, &'a Arc<UnderWay>);

impl Drop for Off<'_> {
    fn drop(&mut self) {
        look(self.0).take_if(|under_way| Arc::ptr_eq(under_way, self.1));
    }
}

impl Desk {
    /// Where the inventory stands. Asks nobody but the journal.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn inventory(&self) -> Result<Standing, Error> {
        let read_only = self.session().is_err();
        let Some(Viewer { place, .. }) = self.viewer().await? else {
            return Ok(Standing { shown: None, reading: None, snapshots: 0, read_only });
        };
        let (journal, of) = (self.journal.clone(), place.clone());
        let snapshots = blocking(move || journal.snapshots(&of)).await?.len();
        let reading = self.own_reading().map(|under_way| under_way.progress.borrow().clone());
        let shown = match self.shown().await {
            Ok(shown) => Some(shown),
            Err(Error::NothingRead) => None,
            Err(error) => return Err(error),
        };
        Ok(Standing { shown, reading, snapshots: super::picture::u32_of(snapshots), read_only })
    }

    /// The picture that lists are cut from.
    ///
    /// # Errors
    /// [`Error::NothingRead`] before anything was; [`Error::Journal`].
    pub async fn shown(&self) -> Result<Arc<Shown>, Error> {
        let viewer = self.viewer().await?.ok_or(Error::NothingRead)?;
        if let Some(shown) = self.kept(&viewer).await? {
            return Ok(shown);
        }
        let under_way = self.own_reading();
        let Some(under_way) = under_way else { return Err(Error::NothingRead) };
        if let Some((at, drawn)) = look(&under_way.drawn).as_ref()
            && at.elapsed() < DRAW_EVERY
        {
            return Ok(drawn.clone());
        }
        let session = self.session()?;
        let answers = look(&under_way.gathered).clone();
        if !answers.listed {
            return Err(Error::NothingRead);
        }
        let organization = session.state().organization;
        let none = history::KnownApps::default();
        let draft = history::draft(&answers, &session, viewer.place.clone(), &none, Some(&organization), false)?;
        let mut drawn =
            self.draw(viewer, Drawn::Loose(Box::new(history::unstored(&draft)), answers), Source::UnderWay).await?;
        if let Some(shown) = Arc::get_mut(&mut drawn)
            && let Some(picture) = Arc::get_mut(&mut shown.picture)
        {
            picture.facts.under_way = true;
        }
        *look(&under_way.drawn) = Some((Instant::now(), drawn.clone()));
        Ok(drawn)
    }

    /// What is on show for somebody already, or the last snapshot that this very member read.
    async fn kept(&self, viewer: &Viewer) -> Result<Option<Arc<Shown>>, Error> {
        if let Some(shown) = self.held.current().filter(|shown| shown.is_for(viewer)) {
            return Ok(Some(shown));
        }
        let _drawn_once = self.held.drawing.lock().await;
        if let Some(shown) = self.held.current().filter(|shown| shown.is_for(viewer)) {
            return Ok(Some(shown));
        }
        let (journal, of) = (self.journal.clone(), viewer.place.clone());
        let marks = blocking(move || journal.snapshots(&of)).await?;
        let Some(mark) = marks.into_iter().rfind(|mark| mark.reader == viewer.member_id) else { return Ok(None) };
        self.remember_revoked(&viewer.place, mark.began.timestamp()).await?;
        let drawn = self.draw(viewer.clone(), Drawn::Stored(mark.number), Source::Kept).await?;
        let mut held = look(&self.held.shown);
        // A reading that ended while this was drawn has put its own picture there, which knows more than the journal does.
        if let Some(shown) = held.as_ref().filter(|shown| shown.is_for(viewer)) {
            return Ok(Some(shown.clone()));
        }
        *held = Some(drawn.clone());
        Ok(Some(drawn))
    }

    /// Takes up from the journal which grants earlier runs found gone after a reading: it still has them.
    async fn remember_revoked(&self, place: &Place, since: Timestamp) -> Result<(), Error> {
        for sweep in self.sweeps().await? {
            let here = sweep.opening.connection.organization_id == place.organization_id;
            if !here || sweep.last.utc.timestamp() < since {
                continue;
            }
            for line in self.sweep_report(sweep.id).await?.lines {
                let Some(at) = line.gone_at else { continue };
                let (member, app) = line.pair();
                look(&self.held.gone).push(Gone { place: place.clone(), member, app, at });
            }
        }
        Ok(())
    }

    /// The reading that is under way by the session in use.
    fn own_reading(&self) -> Option<Arc<UnderWay>> {
        look(&self.held.under_way).clone().filter(|under_way| self.is_seated(&under_way.session))
    }

    /// Puts a picture on show.
    fn show(&self, drawn: Arc<Shown>) -> Arc<Shown> {
        *look(&self.held.shown) = Some(drawn.clone());
        drawn
    }

    /// Whose inventory is shown, and to whom: by the session, or without one by the last, unless it was signed out.
    async fn viewer(&self) -> Result<Option<Viewer>, Error> {
        if let Ok(session) = self.session() {
            return Ok(Some(Viewer::of(&session)));
        }
        let journal = self.journal.clone();
        let last = blocking(move || journal.get(LAST_SEAT)).await?;
        Ok(last.and_then(|last| serde_json::from_value::<LastSeat>(last).ok()).map(|last| Viewer {
            place: Place { connection_id: last.connection_id, organization_id: last.organization_id },
            member_id: last.member_id,
            may_name: false,
        }))
    }

    /// Remembers who sits here, so that the next start can show their last inventory before anybody has answered. Without
    /// that the next start has less to show, and nothing else is lost.
    pub(crate) async fn remember_seat(&self, session: &Session) {
        if session.connection.sandbox {
            return;
        }
        let Viewer { place, member_id, .. } = Viewer::of(session);
        let seat = LastSeat { connection_id: place.connection_id, organization_id: place.organization_id, member_id };
        let journal = self.journal.clone();
        if let Err(error) = blocking(move || journal.set(LAST_SEAT, &json!(seat))).await {
            tracing::warn!(%error, "the next start will not show the last inventory at once");
        }
    }

    /// Forgets who sat here: after signing out nothing is shown to whoever comes next.
    pub(crate) async fn forget_seat(&self) -> Result<(), Error> {
        *look(&self.held.shown) = None;
        let journal = self.journal.clone();
        blocking(move || journal.set(LAST_SEAT, &serde_json::Value::Null)).await
    }

    /// Shows nothing of a connection any more.
    pub(crate) fn put_away(&self, connection_id: Uuid) {
        look(&self.held.shown).take_if(|shown| shown.place.connection_id == connection_id);
    }

    /// A passing connection's history ends with it: of those before this one nobody can ask again.
    pub(crate) fn forget_passing_history(&self, id: Uuid) -> Result<(), Error> {
        let before = self.journal.get(PASSING)?.and_then(|id| id.as_str().and_then(|id| id.parse::<Uuid>().ok()));
        if let Some(before) = before.filter(|before| *before != id) {
            self.journal.forget_snapshots(&before)?;
        }
        self.journal.set(PASSING, &json!(id))?;
        Ok(())
    }

    /// Reads the inventory: one call for the list of apps, one for each app, and one for each thousand members. What is
    /// refused is left out and named; the rest is read. A reading that is under way already is joined.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::NotAllowed`] when the list of apps itself is refused, [`Error::Cancelled`];
    /// [`Error::Api`] when nobody answers any more: then the picture of before stays. [`Error::Journal`]: it was read and is
    /// shown, and could not be kept.
    pub async fn read_inventory(&self, told: &(dyn Fn(&Progress) + Send + Sync)) -> Result<(), Error> {
        let (session, directory) = self.seated()?;
        let place = place_of(&session);
        let began = Timestamp::now();
        let mine = {
            let mut under_way = look(&self.held.under_way);
            match under_way.as_ref() {
                Some(other) if Arc::ptr_eq(&other.session, &session) => {
                    Err((other.progress.subscribe(), other.stopped.clone()))
                }
                other => {
                    // Nobody waits any more for what was begun by another session.
                    if let Some(other) = other {
                        other.cancel.send_replace(true);
                    }
                    let mine = Arc::new(UnderWay {
                        session: session.clone(),
                        gathered: Mutex::new(Answers::new(began)),
                        progress: watch::Sender::new(Progress::new(began)),
                        cancel: watch::Sender::new(false),
                        drawn: Mutex::default(),
                        stopped: Arc::default(),
                    });
                    *under_way = Some(mine.clone());
                    Ok(mine)
                }
            }
        };
        let mine = match mine {
            Ok(mine) => mine,
            Err((mut progress, stopped)) => {
                while progress.changed().await.is_ok() {
                    told(&progress.borrow_and_update().clone());
                }
                return match stopped.get() {
                    Some(stopped) => Err(self.told_of(&session, stopped.clone()).await),
                    None => Ok(()),
                };
            }
        };
        let _off = Off(&self.held.under_way, &mine);
        let mut progress = mine.progress.subscribe();
        let read = reading::read(&session, &self.reading, &mine.gathered, &mine.progress, mine.cancel.subscribe());
        tokio::pin!(read);
        let done = loop {
            tokio::select! {
                done = &mut read => break done,
                Ok(()) = progress.changed() => told(&progress.borrow_and_update().clone()),
            }
        };
        let answers = std::mem::replace(&mut *look(&mine.gathered), Answers::new(began));
        // Apps without anybody's grants say less than the picture of before, whose place they would take.
        let done = match (done, answers.without_grants()) {
            (Ok(()), Some(error)) if self.has_grants(&session).await? => Err(Stopped::By(error)),
            (done, _) => done,
        };
        if let Err(stopped) = &done {
            // Nobody else sets it, and it is set once.
            let _ = mine.stopped.set(stopped.clone());
        }
        match done {
            Ok(()) => {
                let cancelled = mine.cancel.subscribe();
                let kept = self.keep_inventory(&session, &directory, place, answers, cancelled).await;
                if matches!(kept, Err(Error::Cancelled)) {
                    let _ = mine.stopped.set(Stopped::Cancelled);
                }
                kept
            }
            Err(stopped) => {
                // With nothing better to show, what has come so far is shown, and says what is missing from it.
                let viewer = Viewer::of(&session);
                if answers.listed && self.is_seated(&session) && self.kept(&viewer).await?.is_none() {
                    let organization = session.state().organization;
                    let none = history::KnownApps::default();
                    let draft = history::draft(&answers, &session, place.clone(), &none, Some(&organization), true)?;
                    let loose = Drawn::Loose(Box::new(history::unstored(&draft)), answers);
                    let drawn = self.draw(viewer, loose, Source::Read).await?;
                    if self.is_seated(&session) {
                        self.show(drawn);
                    }
                }
                Err(self.told_of(&session, stopped).await)
            }
        }
    }

    /// Whether what is kept for this member has any app's grants.
    async fn has_grants(&self, session: &Session) -> Result<bool, Error> {
        let kept = self.kept(&Viewer::of(session)).await?;
        Ok(kept.is_some_and(|shown| shown.picture.apps.iter().any(|app| !matches!(app.reading, Reading::Not(_)))))
    }

    async fn told_of(&self, session: &Arc<Session>, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Cancelled => Error::Cancelled,
            Stopped::By(error) => self.judge(session, error).await,
        }
    }

    /// Stores what was read and puts it on show.
    async fn keep_inventory(
        &self,
        session: &Arc<Session>,
        directory: &Directory,
        place: Place,
        mut answers: Answers,
        mut cancelled: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let journal = self.journal.clone();
        let latest = self.latest(&place).await?;
        let known = latest.as_deref().map_or_else(history::KnownApps::default, history::known_apps);
        let mut organization = Some(session.state().organization);
        if !known.would_be_gone(&answers, organization.as_ref()).is_empty() {
            // The policy may be newer than our word of it, and hide what would else be taken for gone. Without an answer
            // nothing is.
            organization = session
                .read(|client, token| async move { client.organization(&token).await })
                .await
                .inspect_err(|error| tracing::warn!(%error, "the policy on apps could not be read"))
                .ok()
                .map(|reply| reply.data);
            if let Some(organization) = &organization {
                session.change(|state| state.organization = organization.clone());
            }
        }
        if let Some(latest) = &latest {
            let unlisted = known.would_be_gone(&answers, organization.as_ref());
            tokio::select! {
                _ = cancelled.wait_for(|cancelled| *cancelled) => return Err(Error::Cancelled),
                borne_out = self.bear_out(session, &place, latest, &unlisted, &mut answers) => borne_out?,
            }
        }
        answers.tell(directory);
        let draft = history::draft(&answers, session, place, &known, organization.as_ref(), false)?;
        let viewer = Viewer::of(session);
        let (stored, draft) = {
            let stored = tokio::task::spawn_blocking(move || (journal.record_snapshot(&draft), draft)).await;
            stored.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
        };
        let (drawn, failed) = match stored {
            Ok(number) => (self.draw(viewer, Drawn::Read(number, answers), Source::Read).await?, None),
            Err(error) => {
                let loose = Drawn::Loose(Box::new(history::unstored(&draft)), answers);
                (self.draw(viewer, loose, Source::Read).await?, Some(error))
            }
        };
        // Whoever signed out meanwhile is not shown what they no longer may see.
        if self.is_seated(session) {
            let shown = self.show(drawn);
            if let Err(error) = self.raise_come_backs(session, &shown).await {
                // The reading is kept; the next one raises what this one could not.
                tracing::warn!(%error, "what came back could not be told");
            }
        }
        failed.map_or(Ok(()), |error| Err(Error::Journal(error)))
    }

    async fn latest(&self, place: &Place) -> Result<Option<Arc<Snapshot>>, Error> {
        let (journal, of, recent) = (self.journal.clone(), place.clone(), self.held.recent.clone());
        blocking(move || match journal.latest_snapshot(&of)? {
            Some(number) => recent.snapshot(&journal, number).map(Some),
            None => Ok(None),
        })
        .await
    }

    /// Asks a reading that is under way to stop.
    pub fn cancel_reading(&self) {
        if let Some(under_way) = look(&self.held.under_way).as_ref() {
            under_way.cancel.send_replace(true);
        }
    }

    /// Draws a picture, off the runtime's threads.
    async fn draw(&self, viewer: Viewer, what: Drawn, source: Source) -> Result<Arc<Shown>, Error> {
        let (journal, recent) = (self.journal.clone(), self.held.recent.clone());
        blocking(move || {
            let place = viewer.place.clone();
            let marks = journal.snapshots(&place)?;
            let rules = rules(&journal)?.compile();
            let (snapshot, answers) = match what {
                Drawn::Stored(number) => (recent.snapshot(&journal, number)?, None),
                Drawn::Read(number, answers) => (recent.snapshot(&journal, number)?, Some(answers)),
                Drawn::Loose(snapshot, answers) => (Arc::new(*snapshot), Some(answers)),
            };
            let since = baseline(&journal, &place, &marks, snapshot.summary.number)?;
            let since = since.map(|number| recent.snapshot(&journal, number)).transpose()?;
            let since = since.map(|since| viewer.may_see(since));
            let snapshot = viewer.may_see(snapshot);
            let mut picture = history::picture(&snapshot, since.as_deref(), &Times::new(&marks), &rules);
            if let Some(answers) = answers {
                note_unreadable(&mut picture, &answers);
            }
            Ok((viewer, picture, asked(&snapshot)))
        })
        .await
        .map(|(viewer, mut picture, asked)| {
            let held = look(&self.held.gone);
            let since = held.iter().filter(|gone| gone.place == viewer.place && gone.after(&asked)).map(Gone::pair);
            let pairs: Vec<_> = since.filter(|(member, app)| picture.grant(member, app).is_some()).collect();
            drop(held);
            if !pairs.is_empty() {
                picture = picture.without(&pairs);
            }
            Arc::new(Shown::new(&viewer, picture, asked, source))
        })
    }

    /// Draws anew what is shown, after something it is drawn by has changed.
    async fn redraw(&self) -> Result<(), Error> {
        let Ok(shown) = self.shown().await else { return Ok(()) };
        let Some(number) = shown.picture.facts.snapshot else { return Ok(()) };
        let Some(viewer) = self.viewer().await?.filter(|viewer| shown.is_for(viewer)) else { return Ok(()) };
        let drawn = self.draw(viewer, Drawn::Stored(number), shown.source).await?;
        self.show(drawn);
        Ok(())
    }

    /// Says that what is shown has been looked at: from now on "new" means new since this.
    ///
    /// # Errors
    /// [`Error::NothingRead`] when there is nothing stored to look at; [`Error::Journal`].
    pub async fn mark_looked(&self) -> Result<(), Error> {
        let shown = self.shown().await?;
        let number = shown.picture.facts.snapshot.ok_or(Error::NothingRead)?;
        let (journal, key) = (self.journal.clone(), looked_key(&shown.place));
        blocking(move || journal.set(&key, &json!(number))).await?;
        self.redraw().await
    }

    /// The snapshots of this organization, oldest first.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn snapshots(&self) -> Result<Vec<Mark>, Error> {
        let Some(Viewer { place, member_id, may_name }) = self.viewer().await? else { return Ok(Vec::new()) };
        let journal = self.journal.clone();
        let marks = blocking(move || journal.snapshots(&place)).await?;
        Ok(marks
            .into_iter()
            .map(|mark| {
                let facts = history::facts_of(&mark);
                Mark {
                    number: mark.number,
                    began: mark.began.timestamp(),
                    ended: mark.ended.timestamp(),
                    // A reader's address is a name like any other.
                    read_by: if may_name || mark.reader == member_id {
                        facts.read_by().to_owned()
                    } else {
                        String::new()
                    },
                    apps: mark.apps,
                    apps_read: mark.apps_read,
                    grants: mark.grants,
                    complete: facts.complete(),
                }
            })
            .collect())
    }

    /// One snapshot as a picture, compared with an earlier one: what is new, widened, narrowed and gone stands in it. Also
    /// answers the apps that cannot be compared.
    ///
    /// # Errors
    /// [`Error::BadInput`] for numbers that are not two of this organization's, the earlier first; [`Error::Journal`].
    pub async fn changes(&self, from: u32, to: u32) -> Result<(Arc<Shown>, Vec<ConnectedAppId>), Error> {
        let viewer = self.viewer().await?.ok_or(Error::NothingRead)?;
        let journal = self.journal.clone();
        let drawn = blocking(move || {
            let of = viewer.place.clone();
            let marks = journal.snapshots(&of)?;
            let ours = |number| marks.iter().any(|mark: &SnapshotSummary| mark.number == number);
            if from >= to || !ours(from) || !ours(to) {
                return Ok(None);
            }
            let rules = rules(&journal)?.compile();
            let (earlier, later) =
                (viewer.may_see(Arc::new(journal.snapshot(from)?)), viewer.may_see(Arc::new(journal.snapshot(to)?)));
            let picture = history::picture(&later, Some(&earlier), &Times::new(&marks), &rules);
            let not_compared = history::compare(&earlier, &later).not_compared;
            Ok(Some((Shown::new(&viewer, picture, asked(&later), Source::Kept), not_compared)))
        })
        .await?;
        let (shown, not_compared) = drawn.ok_or(Error::bad(Field::Snapshot, Fault::Unknown))?;
        let not_compared = not_compared.iter().map(|app| ConnectedAppId::from(app.as_str())).collect();
        Ok((Arc::new(shown), not_compared))
    }

    /// The rules of width in force.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn width_rules(&self) -> Result<Rules, Error> {
        let journal = self.journal.clone();
        blocking(move || rules(&journal)).await
    }

    /// Changes the rules of width; `None` brings the ones back that came with the app.
    ///
    /// # Errors
    /// [`Error::WidthRules`] for rules that cannot be used; [`Error::Journal`].
    pub async fn set_width_rules(&self, rules: Option<Rules>) -> Result<(), Error> {
        if let Some(rules) = &rules {
            rules.check().map_err(Error::WidthRules)?;
        }
        let journal = self.journal.clone();
        blocking(move || journal.set(RULES, &json!(rules))).await?;
        self.redraw().await
    }

    /// Takes grants out of what is shown, each with the time of a complete read that lacked it: out of everything that was read
    /// before. The picture is drawn anew when it is next looked at, so that whoever revoked need not wait for it.
    pub(crate) fn grants_are_gone(&self, session: &Session, found: Vec<(MemberId, ConnectedAppId, Timestamp)>) {
        let place = place_of(session);
        let found = found.into_iter().map(|(member, app, at)| Gone { place: place.clone(), member, app, at });
        // In this order: whoever looks next finds them.
        look(&self.held.gone).extend(found);
        self.held.stale.store(true, Ordering::SeqCst);
    }
}

impl Held {
    /// What is on show, without the grants that were found gone since it was drawn.
    fn current(&self) -> Option<Arc<Shown>> {
        let mut held = look(&self.shown);
        if self.stale.swap(false, Ordering::SeqCst)
            && let Some(shown) = held.as_ref()
        {
            let gone = look(&self.gone);
            let since = gone.iter().filter(|gone| gone.place == shown.place && gone.after(&shown.asked));
            let pairs: Vec<_> =
                since.map(Gone::pair).filter(|(member, app)| shown.picture.grant(member, app).is_some()).collect();
            drop(gone);
            if !pairs.is_empty() {
                let (picture, asked) = (shown.picture.without(&pairs), shown.asked.clone());
                let viewer = Viewer { place: shown.place.clone(), member_id: shown.member_id.clone(), may_name: false };
                *held = Some(Arc::new(Shown::new(&viewer, picture, asked, shown.source)));
            }
        }
        held.clone()
    }
}

impl Gone {
    fn pair(&self) -> (MemberId, ConnectedAppId) {
        (self.member.clone(), self.app.clone())
    }

    /// Whether its app was asked for before.
    fn after(&self, asked: &HashMap<ConnectedAppId, Timestamp>) -> bool {
        asked.get(&self.app).is_some_and(|asked| *asked < self.at)
    }
}

fn asked(snapshot: &Snapshot) -> Arc<HashMap<ConnectedAppId, Timestamp>> {
    let asked = |app: &journal::StoredApp| (ConnectedAppId::from(app.connected_app_id.as_str()), app.at.timestamp());
    Arc::new(snapshot.apps.iter().map(asked).collect())
}

/// What is drawn.
enum Drawn {
    /// A snapshot of the journal's.
    Stored(u32),
    /// The same, read just now.
    Read(u32, Answers),
    /// One that is not in the journal.
    Loose(Box<Snapshot>, Answers),
}

/// Whose history the session's readings belong to.
pub(crate) fn place_of(session: &Session) -> Place {
    Place {
        connection_id: session.connection.id,
        organization_id: session.state().organization.organization_id.to_string(),
    }
}

fn looked_key(place: &Place) -> String {
    format!("looked:{}:{}", place.connection_id, place.organization_id)
}

/// The snapshot that one is compared with: the one last looked at, otherwise the first of all. None for the first itself.
fn baseline(
    journal: &journal::Journal,
    place: &Place,
    marks: &[SnapshotSummary],
    number: u32,
) -> Result<Option<u32>, journal::Error> {
    let looked = journal.get(&looked_key(place))?.and_then(|looked| looked.as_u64()?.try_into().ok());
    let known = |wanted: &u32| marks.iter().any(|mark| mark.number == *wanted);
    let since = looked.filter(known).or_else(|| marks.first().map(|mark| mark.number));
    let first = marks.first().is_none_or(|mark| mark.number == number);
    Ok(since.filter(|since| !first && (number == 0 || *since <= number)))
}

fn rules(journal: &journal::Journal) -> Result<Rules, journal::Error> {
    let kept = journal.get(RULES)?.and_then(|rules| serde_json::from_value::<Rules>(rules).ok());
    // Rules that a later version wrote and this one cannot follow are as good as none.
    Ok(kept.filter(|rules| rules.check().is_ok()).unwrap_or_else(Rules::standard))
}

fn note_unreadable(picture: &mut Picture, answers: &Answers) {
    picture.facts.unreadable_apps.clone_from(&answers.unreadable_apps);
    picture.facts.unreadable_members.clone_from(&answers.unreadable_members);
    let mut by_app: HashMap<&ConnectedAppId, _> = answers
        .apps
        .iter()
        .zip(&answers.by_app)
        .filter_map(|(app, answer)| Some((&app.connected_app_id, answer.as_ref()?)))
        .collect();
    for app in &mut picture.apps {
        if let Some((_, reading::AppAnswer::Read(rows))) = by_app.remove(&app.id) {
            app.unreadable.clone_from(&rows.unreadable);
        }
    }
}

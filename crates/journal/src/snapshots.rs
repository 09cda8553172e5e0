//! Snapshots: what each reading of the inventory saw, kept so that a hundred of them cost little more than the changes between
//! them. They are observations like a sweep's rows, but outside every chain: they prove nothing to a third party. What is new,
//! widened or gone between two of them is for their readers to say; only since when something is known is decided here, at the
//! moment it is recorded.
//!
//! A grant is an interval, from the snapshot that saw it first to the one that proved it gone, and its row is not touched in
//! between. So are an app's words and a member's. What a reading did not look at changes nothing: its absence there is no proof.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::Value;
use uuid::Uuid;

use crate::readings::{Part, Readings};
use crate::row::Utc;
use crate::{Error, Journal};

/// Added by schema 2. Each text stands once for its place, everything else refers to it by number; rows are only ever appended,
/// so a table's pages stay full. The tables carry no index of their own: what is asked of them is always nearly all of a place.
///
/// `to_snapshot` of what lasts is a number greater than any snapshot's rather than `NULL`: a row that is closed must not grow,
/// or a full page would be split in two for each grant that goes.
pub(crate) const SCHEMA_2: &str = "
CREATE TABLE snapshot_places (
    place INTEGER PRIMARY KEY, connection_id TEXT NOT NULL, organization_id TEXT NOT NULL,
    UNIQUE (connection_id, organization_id)
) STRICT;
CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY AUTOINCREMENT, place INTEGER NOT NULL REFERENCES snapshot_places (place),
    began_utc TEXT NOT NULL, ended_utc TEXT NOT NULL, reader TEXT NOT NULL, facts TEXT NOT NULL,
    list_complete INTEGER NOT NULL, people_read INTEGER NOT NULL,
    apps INTEGER NOT NULL, apps_read INTEGER NOT NULL, grants INTEGER NOT NULL, people INTEGER NOT NULL,
    readings BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_by_place ON snapshots (place);
CREATE TABLE snapshot_texts (id INTEGER PRIMARY KEY, place INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE TABLE snapshot_apps (
    id INTEGER PRIMARY KEY, place INTEGER NOT NULL, app INTEGER NOT NULL,
    from_snapshot INTEGER NOT NULL, to_snapshot INTEGER NOT NULL, first_by INTEGER NOT NULL, first_after INTEGER,
    name TEXT NOT NULL, description TEXT NOT NULL, client_type TEXT NOT NULL
) STRICT;
CREATE TABLE snapshot_grants (
    id INTEGER PRIMARY KEY, place INTEGER NOT NULL, app INTEGER NOT NULL, member INTEGER NOT NULL, scopes INTEGER NOT NULL,
    from_snapshot INTEGER NOT NULL, to_snapshot INTEGER NOT NULL, first_by INTEGER NOT NULL, first_after INTEGER
) STRICT;
CREATE TABLE snapshot_people (
    id INTEGER PRIMARY KEY, place INTEGER NOT NULL, member INTEGER NOT NULL,
    from_snapshot INTEGER NOT NULL, to_snapshot INTEGER NOT NULL,
    name TEXT NOT NULL, email TEXT NOT NULL, status INTEGER NOT NULL, roles INTEGER NOT NULL
) STRICT;
";

/// `to_snapshot` of a row that lasts.
const OPEN: u32 = i32::MAX as u32;

/// Whose history: one organization at one saved connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The saved connection it was read through.
    pub connection_id: Uuid,
    /// The organization that was read.
    pub organization_id: String,
}

/// A reading to be kept.
///
/// What a server sent twice is kept once: of an app the first row, of a member (of an app, or of the organization) the last.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotDraft {
    /// Whose history it continues.
    pub place: Place,
    /// When its first call was made.
    pub began: Utc,
    /// When its last answer came.
    pub ended: Utc,
    /// The member who read it, by id.
    pub reader: String,
    /// Whatever else the caller wants to find again. The journal does not look into it, except that it blanks a field `read_by`
    /// when the reader is erased; no other personal text may stand in it.
    pub facts: Value,
    /// The list of apps was read whole: an app that is not in it has no grant, and is gone if it had one before …
    pub list_complete: bool,
    /// … except these, by connected app id, whose absence proves nothing (the policy hides them).
    pub not_proven: Vec<String>,
    /// The apps of the list, in its order.
    pub apps: Vec<AppSeen>,
    /// Grants, as connected app and member id, that are proven gone by themselves, also where their app was not read whole. One that
    /// is among an app's grants is there; of one that was gone before it says nothing.
    pub gone: Vec<(String, String)>,
    /// The search for members was read whole; otherwise `people` says nothing of those who are not in it.
    pub people_read: bool,
    /// The members that the search returned.
    pub people: Vec<PersonSeen>,
}

/// One app of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSeen {
    /// Its id as received: any text.
    pub connected_app_id: String,
    /// Its name as received.
    pub name: String,
    /// Its description as received.
    pub description: String,
    /// Its client type as received.
    pub client_type: String,
    /// When its grants were read, or when that was tried.
    pub at: Utc,
    /// How completely they were read.
    pub reading: AppReading,
    /// Its grants, as far as they were read. Ignored where nothing was.
    pub grants: Vec<GrantSeen>,
}

/// How completely the grants of one app were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppReading {
    /// Whole: a member who is not among its grants has none.
    Complete,
    /// Some rows could not be read: what was seen is there, and absence proves nothing.
    Partial,
    /// Not at all.
    NotRead,
}

/// One grant of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSeen {
    /// The member who gave it, by id as received.
    pub member_id: String,
    /// Its scopes as received. They are a set: in another order, or said twice, they are the same.
    pub scopes: Vec<String>,
}

/// One member as the search returned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSeen {
    /// The member's id as received.
    pub member_id: String,
    /// The name; empty once the person was erased.
    pub name: String,
    /// The e-mail address; empty once the person was erased.
    pub email: String,
    /// The status as received.
    pub status: String,
    /// The roles as received.
    pub roles: Vec<String>,
}

/// What a list of snapshots shows.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotSummary {
    /// Its number. Numbers ascend over all places of a journal, and none is ever used again.
    pub number: u32,
    /// When its first call was made.
    pub began: Utc,
    /// When its last answer came.
    pub ended: Utc,
    /// The member who read it, by id.
    pub reader: String,
    /// As the draft had them.
    pub facts: Value,
    /// How many apps were listed.
    pub apps: u32,
    /// How many of them were read completely.
    pub apps_read: u32,
    /// How many grants were seen.
    pub grants: u32,
    /// How many members the search returned.
    pub people: u32,
}

/// One snapshot, whole: exactly what its draft had, every text once.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// As a list shows it.
    pub summary: SnapshotSummary,
    /// Whose it is.
    pub place: Place,
    /// Whether the list of apps was read whole.
    pub list_complete: bool,
    /// The apps in the order of the list.
    pub apps: Vec<StoredApp>,
    /// The members that the search returned, in the order in which this journal learnt of them.
    pub people: Vec<PersonSeen>,
    /// Whether the search was read whole.
    pub people_read: bool,
    /// The id of every member whom a grant refers to, in the order in which this journal learnt of them.
    pub members: Vec<String>,
    /// Every set of scopes that a grant refers to, each sorted and without repetition.
    pub scope_sets: Vec<Vec<String>>,
    /// The grants, by app and then by member.
    pub grants: Vec<StoredGrant>,
}

/// One app of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApp {
    /// Its id.
    pub connected_app_id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its client type.
    pub client_type: String,
    /// When its grants were read, or when that was tried.
    pub at: Utc,
    /// How completely they were read.
    pub reading: AppReading,
    /// Since when it is in the list of apps.
    pub first: Origin,
}

/// One grant of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredGrant {
    /// Index into the snapshot's `apps`.
    pub app: u32,
    /// Index into the snapshot's `members`.
    pub member: u32,
    /// Index into the snapshot's `scope_sets`.
    pub scopes: u32,
    /// Since when it is there, whatever its scopes were.
    pub first: Origin,
}

/// Since when something is there: it came after snapshot `after` and not later than snapshot `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The snapshot that saw it first, since it was last proven to be absent.
    pub by: u32,
    /// The last snapshot before that which proves that it was not there. `None`: no snapshot before could tell.
    pub after: Option<u32>,
}

/// An app that some snapshot lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceListed {
    /// Its id.
    pub connected_app_id: String,
    /// Its name, as it was last.
    pub name: String,
    /// Its client type, as it was last.
    pub client_type: String,
    /// When the last snapshot that lists it was finished.
    pub at: Utc,
    /// The members who had granted it something by that snapshot, as far as it read them.
    pub members: Vec<String>,
}

impl Journal {
    /// Keeps a reading, and answers its number. It waits for other processes that record at the same time; what is then
    /// compared with is what they left. At 100,000 grants it takes a good part of a second, in which this journal takes no
    /// other row.
    ///
    /// # Errors
    /// `Unfit` for more of anything than a `u32` counts. Otherwise as every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn record_snapshot(&self, draft: &SnapshotDraft) -> Result<u32, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number = next_number(&tx)?;
        let place = match place(&tx, &draft.place)? {
            Some(place) => place,
            None => {
                tx.execute(
                    "INSERT INTO snapshot_places (connection_id, organization_id) VALUES (?1, ?2)",
                    params![draft.place.connection_id.to_string(), draft.place.organization_id],
                )?;
                tx.last_insert_rowid()
            }
        };
        let mut recording = Recording {
            tx: &tx,
            place,
            number,
            draft,
            texts: Texts::of(&tx, place)?,
            past: Past { db: &tx, place, before: number, known: Vec::new() },
        };
        recording.record()?;
        tx.commit()?;
        Ok(number)
    }

    /// The snapshots of a place, the oldest first.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn snapshots(&self, place: &Place) -> Result<Vec<SnapshotSummary>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT number, began_utc, ended_utc, reader, facts, apps, apps_read, grants, people FROM snapshots
             WHERE place = (SELECT place FROM snapshot_places WHERE connection_id = ?1 AND organization_id = ?2)
             ORDER BY number",
        )?;
        let mut rows = query.query(params![place.connection_id.to_string(), place.organization_id])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(summary(row)?);
        }
        Ok(all)
    }

    /// The number of the last snapshot of a place, if there is one.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn latest_snapshot(&self, place: &Place) -> Result<Option<u32>, Error> {
        Ok(self.db().query_row(
            "SELECT max(number) FROM snapshots
             WHERE place = (SELECT place FROM snapshot_places WHERE connection_id = ?1 AND organization_id = ?2)",
            params![place.connection_id.to_string(), place.organization_id],
            |row| row.get(0),
        )?)
    }

    /// Those of some grants, as member and connected app id, that no snapshot of an organization has, whoever read it.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn never_listed(
        &self,
        organization_id: &str,
        grants: &[(String, String)],
    ) -> Result<Vec<(String, String)>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT members.text, apps.text FROM snapshot_grants AS grants
             JOIN snapshot_places AS places ON places.place = grants.place
             JOIN snapshot_texts AS members ON members.id = grants.member
             JOIN snapshot_texts AS apps ON apps.id = grants.app
             WHERE places.organization_id = ?1",
        )?;
        let mut rows = query.query([organization_id])?;
        let mut left: HashSet<(String, String)> = grants.iter().cloned().collect();
        while !left.is_empty()
            && let Some(row) = rows.next()?
        {
            left.remove(&(row.get(0)?, row.get(1)?));
        }
        Ok(grants.iter().filter(|grant| left.contains(*grant)).cloned().collect())
    }

    /// The grants of a place that no snapshot has proven to be gone since one had them, as connected app and member id, as far as
    /// `wanted` takes them.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn lasting(&self, place: &Place, wanted: impl Fn(&str, &str) -> bool) -> Result<Vec<(String, String)>, Error> {
        let mut db = self.db();
        let tx = db.transaction()?;
        let Some(of) = self::place(&tx, place)? else { return Ok(Vec::new()) };
        let texts = texts(&tx, of, |number, text| (number, text))?;
        let text = |number: u32| texts.get(&number).ok_or_else(|| Error::Corrupt("a text is missing".into()));
        let mut query =
            tx.prepare_cached("SELECT app, member FROM snapshot_grants WHERE place = ?1 AND to_snapshot = ?2")?;
        let mut rows = query.query(params![of, OPEN])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (app, member) = (text(row.get(0)?)?, text(row.get(1)?)?);
            if wanted(app, member) {
                found.push((app.clone(), member.clone()));
            }
        }
        Ok(found)
    }

    /// The apps that some snapshot of a place lists, without those of `listed`; each as the last that lists it has it.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn once_listed(&self, place: &Place, listed: &HashSet<String>) -> Result<Vec<OnceListed>, Error> {
        let mut db = self.db();
        // One transaction, so that a snapshot that another process adds or forgets meanwhile is seen wholly or not at all.
        let tx = db.transaction()?;
        let Some(of) = self::place(&tx, place)? else { return Ok(Vec::new()) };
        let mut text = tx.prepare_cached("SELECT text FROM snapshot_texts WHERE id = ?1")?;
        let mut text = |number: u32| text.query_row([number], |row| row.get::<_, String>(0));
        let mut query = tx.prepare_cached(
            "SELECT app, name, client_type FROM snapshot_apps WHERE place = ?1 ORDER BY from_snapshot",
        )?;
        let mut rows = query.query([of])?;
        let mut apps: HashMap<u32, (String, String, String)> = HashMap::new();
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            let id = text(number)?;
            if !listed.contains(&id) {
                apps.insert(number, (id, row.get(1)?, row.get(2)?));
            }
        }
        let mut query = tx.prepare_cached(
            "SELECT number, began_utc, ended_utc, readings FROM snapshots WHERE place = ?1 ORDER BY number DESC",
        )?;
        let mut rows = query.query([of])?;
        let mut found: HashMap<u32, (u32, OnceListed)> = HashMap::new();
        while !apps.is_empty()
            && let Some(row) = rows.next()?
        {
            let (began, at) = (utc(&row.get::<_, String>(1)?)?, utc(&row.get::<_, String>(2)?)?);
            let number = row.get(0)?;
            for (app, ..) in unpack(number, &row.get::<_, Vec<u8>>(3)?, began)?.apps {
                let Some((connected_app_id, name, client_type)) = apps.remove(&app) else { continue };
                let members = Vec::new();
                found.insert(app, (number, OnceListed { connected_app_id, name, client_type, at, members }));
            }
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut query =
            tx.prepare_cached("SELECT app, member, from_snapshot, to_snapshot FROM snapshot_grants WHERE place = ?1")?;
        let mut rows = query.query([of])?;
        while let Some(row) = rows.next()? {
            if let Some((number, app)) = found.get_mut(&row.get(0)?)
                && (row.get(2)?..row.get(3)?).contains(&*number)
            {
                app.members.push(text(row.get(1)?)?);
            }
        }
        let mut found: Vec<OnceListed> = found.into_values().map(|(_, app)| app).collect();
        found.sort_by(|one, other| one.connected_app_id.cmp(&other.connected_app_id));
        Ok(found)
    }

    /// One snapshot, whole.
    ///
    /// # Errors
    /// `NoSuchSnapshot`, also for one that was forgotten. Otherwise as every read: `Busy`, `Corrupt`, `Disk`.
    pub fn snapshot(&self, number: u32) -> Result<Snapshot, Error> {
        let mut db = self.db();
        // One transaction, so that a snapshot that another process forgets meanwhile is read wholly or not at all.
        let tx = db.transaction()?;
        let mut query = tx.prepare_cached(
            "SELECT number, began_utc, ended_utc, reader, facts, apps, apps_read, grants, people,
                    list_complete, people_read, readings, place, connection_id, organization_id
             FROM snapshots JOIN snapshot_places USING (place) WHERE number = ?1",
        )?;
        let mut rows = query.query([number])?;
        let row = rows.next()?.ok_or(Error::NoSuchSnapshot(number))?;
        let summary = summary(row)?;
        let (list_complete, people_read) = (row.get(9)?, row.get(10)?);
        let readings = unpack(number, &row.get::<_, Vec<u8>>(11)?, summary.began)?;
        let place = row.get(12)?;
        let connection_id = row.get::<_, String>(13)?.parse();
        let connection_id = connection_id.map_err(|_| Error::Corrupt("a place's connection is not an id".into()))?;
        let organization_id = row.get(14)?;
        let span = Span { tx: &tx, place, number, texts: texts(&tx, place, |number, text| (number, text))? };
        let apps = span.apps(&readings)?;
        let people = span.people(&readings)?;
        let (members, scope_sets, grants) = span.grants(&readings)?;
        Ok(Snapshot {
            summary,
            place: Place { connection_id, organization_id },
            list_complete,
            apps,
            people,
            people_read,
            members,
            scope_sets,
            grants,
        })
    }

    /// Forgets the snapshots of all organizations of a connection, with the names and addresses in them, and answers how many
    /// there were. Sweeps stay.
    ///
    /// # Errors
    /// As every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn forget_snapshots(&self, connection_id: &Uuid) -> Result<u64, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let connection_id = connection_id.to_string();
        for table in ["snapshot_grants", "snapshot_people", "snapshot_apps", "snapshot_texts"] {
            tx.execute(&format!("DELETE FROM {table} WHERE place IN {OF_CONNECTION}"), [&connection_id])?;
        }
        let count = tx.execute(&format!("DELETE FROM snapshots WHERE place IN {OF_CONNECTION}"), [&connection_id])?;
        tx.execute("DELETE FROM snapshot_places WHERE connection_id = ?1", [&connection_id])?;
        tx.commit()?;
        // The pages are overwritten (`secure_delete`); older copies leave with the log. Where another process is reading right
        // now, they leave when it is cut the next time: the history is forgotten either way, so that is no failure.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(count as u64)
    }

    /// How many bytes the journal's content takes: the pages in use, without those that are free to be written again, and
    /// without the log.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn size_bytes(&self) -> Result<u64, Error> {
        let bytes: i64 = self.db().query_row(
            "SELECT (page_count - freelist_count) * page_size
             FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?;
        Ok(bytes.unsigned_abs())
    }
}

const OF_CONNECTION: &str = "(SELECT place FROM snapshot_places WHERE connection_id = ?1)";

/// Blanks what all snapshots hold of a member: name and e-mail address, and the address under which the member read. Answers how
/// many texts went. Part of [`Journal::erase_person`].
pub(crate) fn erase(tx: &Transaction<'_>, member_id: &str) -> Result<usize, Error> {
    let mut erased = tx.execute(
        "UPDATE snapshot_people SET name = '', email = ''
         WHERE (name != '' OR email != '') AND member IN (SELECT id FROM snapshot_texts WHERE text = ?1)",
        [member_id],
    )?;
    let read: Vec<(i64, String)> = tx
        .prepare_cached("SELECT number, facts FROM snapshots WHERE reader = ?1")?
        .query_map([member_id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, facts) in read {
        let mut facts = facts_of(&facts)?;
        if let Some(read_by) = facts.get_mut("read_by").filter(|text| !matches!(text, Value::Null))
            && read_by.as_str() != Some("")
        {
            *read_by = Value::String(String::new());
            tx.execute("UPDATE snapshots SET facts = ?2 WHERE number = ?1", params![number, facts.to_string()])?;
            erased += 1;
        }
    }
    Ok(erased)
}

/// Names and addresses that snapshots hold of a member. Part of [`Journal::known_as`].
pub(crate) fn known_as(db: &Connection, member_id: &str) -> Result<BTreeSet<String>, Error> {
    let mut known = BTreeSet::new();
    let mut query = db.prepare_cached(
        "SELECT name, email FROM snapshot_people WHERE member IN (SELECT id FROM snapshot_texts WHERE text = ?1)",
    )?;
    for person in query.query_map([member_id], |row| Ok([row.get::<_, String>(0)?, row.get(1)?]))? {
        known.extend(person?);
    }
    let mut query = db.prepare_cached("SELECT facts FROM snapshots WHERE reader = ?1")?;
    for facts in query.query_map([member_id], |row| row.get::<_, String>(0))? {
        known.extend(facts_of(&facts?)?.get("read_by").and_then(Value::as_str).map(str::to_owned));
    }
    Ok(known)
}

const CLOSE_APPS: &str = "UPDATE snapshot_apps SET to_snapshot = ?2 WHERE id = ?1";
const CLOSE_GRANTS: &str = "UPDATE snapshot_grants SET to_snapshot = ?2 WHERE id = ?1";
const CLOSE_PEOPLE: &str = "UPDATE snapshot_people SET to_snapshot = ?2 WHERE id = ?1";

/// One reading on its way into the journal, inside the transaction that began before anything was compared.
struct Recording<'a> {
    tx: &'a Transaction<'a>,
    place: i64,
    number: u32,
    draft: &'a SnapshotDraft,
    texts: Texts<'a>,
    past: Past<'a>,
}

impl Recording<'_> {
    fn record(&mut self) -> Result<(), Error> {
        let draft = self.draft;
        // Apps first, so that their numbers follow each other; then people, so that they keep the order of the search.
        let mut listed = HashMap::new();
        let mut apps = Vec::new();
        for app in &draft.apps {
            let number = self.texts.number(&app.connected_app_id)?;
            if let Entry::Vacant(unseen) = listed.entry(number) {
                unseen.insert(app.reading);
                apps.push((number, app));
            }
        }
        let mut not_proven = Vec::new();
        if draft.list_complete {
            for id in &draft.not_proven {
                not_proven.push(self.texts.number(id)?);
            }
            not_proven.sort_unstable();
            not_proven.dedup();
        }
        let look = Look { number: self.number, list_complete: draft.list_complete, apps: listed, not_proven };

        self.apps(&apps, &look)?;
        let (people, people_seen) = self.people()?;
        let (grants, grants_seen) = self.grants(&apps, &look)?;

        let counted = |count: usize| u32::try_from(count).map_err(|_| Error::Unfit("more than can be counted".into()));
        let apps_read = counted(apps.iter().filter(|(_, app)| app.reading == AppReading::Complete).count())?;
        let readings = Readings {
            apps: apps.iter().map(|(number, app)| (*number, milliseconds(app.at), app.reading)).collect(),
            not_proven: look.not_proven,
            grants: grants_seen,
            people: people_seen,
        };
        self.tx.execute(
            "INSERT INTO snapshots (number, place, began_utc, ended_utc, reader, facts, list_complete, people_read,
                                    apps, apps_read, grants, people, readings)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                self.number,
                self.place,
                draft.began.to_string(),
                draft.ended.to_string(),
                draft.reader,
                draft.facts.to_string(),
                draft.list_complete,
                draft.people_read,
                counted(apps.len())?,
                apps_read,
                counted(grants)?,
                counted(people)?,
                readings.pack(milliseconds(draft.began)),
            ],
        )?;
        Ok(())
    }

    /// Ends a row at this snapshot.
    fn close(&self, statement: &str, row: i64) -> Result<(), Error> {
        self.tx.prepare_cached(statement)?.execute(params![row, self.number])?;
        Ok(())
    }

    fn apps(&mut self, apps: &[(u32, &AppSeen)], look: &Look) -> Result<(), Error> {
        struct Was {
            row: i64,
            words: [String; 3],
            first: Origin,
        }
        let mut open = HashMap::new();
        let mut query = self.tx.prepare_cached(
            "SELECT app, id, name, description, client_type, first_by, first_after FROM snapshot_apps
             WHERE place = ?1 AND to_snapshot = ?2",
        )?;
        let mut rows = query.query(params![self.place, OPEN])?;
        while let Some(row) = rows.next()? {
            let words = [row.get(2)?, row.get(3)?, row.get(4)?];
            let first = Origin { by: row.get(5)?, after: row.get(6)? };
            open.insert(row.get::<_, u32>(0)?, Was { row: row.get(1)?, words, first });
        }
        for &(number, app) in apps {
            let first = match open.remove(&number) {
                Some(was) if was.words == [&*app.name, &*app.description, &*app.client_type] => continue,
                Some(was) => {
                    self.close(CLOSE_APPS, was.row)?;
                    was.first
                }
                None => Origin { by: self.number, after: self.past.last(|look| look.lacks_app(number))? },
            };
            self.tx
                .prepare_cached(
                    "INSERT INTO snapshot_apps (place, app, from_snapshot, to_snapshot, first_by, first_after,
                                                name, description, client_type)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    self.place,
                    number,
                    self.number,
                    OPEN,
                    first.by,
                    first.after,
                    app.name,
                    app.description,
                    app.client_type
                ])?;
        }
        for (number, was) in open {
            if look.lacks_app(number) {
                self.close(CLOSE_APPS, was.row)?;
            }
        }
        Ok(())
    }

    /// Answers how many there are, and which of the open rows they are.
    fn people(&mut self) -> Result<(usize, Part), Error> {
        struct Was {
            row: i64,
            name: String,
            email: String,
            status: u32,
            roles: u32,
        }
        let mut open = HashMap::new();
        let mut query = self.tx.prepare_cached(
            "SELECT member, id, name, email, status, roles FROM snapshot_people WHERE place = ?1 AND to_snapshot = ?2",
        )?;
        let mut rows = query.query(params![self.place, OPEN])?;
        while let Some(row) = rows.next()? {
            let was = Was {
                row: row.get(1)?,
                name: row.get(2)?,
                email: row.get(3)?,
                status: row.get(4)?,
                roles: row.get(5)?,
            };
            open.insert(row.get::<_, u32>(0)?, was);
        }
        let mut people = Once::new();
        for person in &self.draft.people {
            people.put(self.texts.number(&person.member_id)?, person);
        }
        let mut seen = Vec::with_capacity(people.items.len());
        for &(member, person) in &people.items {
            let (status, roles) = (self.texts.number(&person.status)?, self.texts.list(&person.roles)?);
            if let Some(was) = open.remove(&member) {
                if (&was.name, &was.email, was.status, was.roles) == (&person.name, &person.email, status, roles) {
                    seen.push(was.row);
                    continue;
                }
                self.close(CLOSE_PEOPLE, was.row)?;
            }
            self.tx
                .prepare_cached(
                    "INSERT INTO snapshot_people (place, member, from_snapshot, to_snapshot, name, email, status, roles)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    self.place,
                    member,
                    self.number,
                    OPEN,
                    person.name,
                    person.email,
                    status,
                    roles
                ])?;
            seen.push(self.tx.last_insert_rowid());
        }
        let mut unseen = Vec::new();
        for was in open.into_values() {
            if self.draft.people_read {
                self.close(CLOSE_PEOPLE, was.row)?;
            } else {
                unseen.push(was.row);
            }
        }
        Ok((people.items.len(), Part::of(seen, unseen)))
    }

    /// Answers how many there are, and which of the open rows of partly read apps they are.
    fn grants(&mut self, apps: &[(u32, &AppSeen)], look: &Look) -> Result<(usize, Part), Error> {
        struct Was {
            row: i64,
            scopes: u32,
            first: Origin,
        }
        let mut open = HashMap::new();
        let mut query = self.tx.prepare_cached(
            "SELECT app, member, id, scopes, first_by, first_after FROM snapshot_grants
             WHERE place = ?1 AND to_snapshot = ?2",
        )?;
        let mut rows = query.query(params![self.place, OPEN])?;
        while let Some(row) = rows.next()? {
            let first = Origin { by: row.get(4)?, after: row.get(5)? };
            let pair = (row.get::<_, u32>(0)?, row.get::<_, u32>(1)?);
            open.insert(pair, Was { row: row.get(2)?, scopes: row.get(3)?, first });
        }
        let mut insert = self.tx.prepare_cached(
            "INSERT INTO snapshot_grants (place, app, member, scopes, from_snapshot, to_snapshot, first_by, first_after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let mut sets = HashMap::new();
        let mut count = 0;
        let (mut seen, mut unseen) = (Vec::new(), Vec::new());
        let mut closed = None;
        for &(number, app) in apps {
            if app.reading == AppReading::NotRead {
                continue;
            }
            let mut grants = Once::new();
            for grant in &app.grants {
                let scopes = match sets.get(&*grant.scopes) {
                    Some(scopes) => *scopes,
                    None => {
                        let mut set = grant.scopes.clone();
                        set.sort_unstable();
                        set.dedup();
                        let scopes = self.texts.list(&set)?;
                        sets.insert(&*grant.scopes, scopes);
                        scopes
                    }
                };
                grants.put(self.texts.number(&grant.member_id)?, scopes);
            }
            count += grants.items.len();
            // A pair without an open row was absent whenever its app was read completely: had it been seen since, its row would
            // be open. So when it was absent last is one question for the whole app, asked when the first new pair turns up.
            // Except one that was proven gone by itself, when its row was closed.
            let mut absent = None;
            for (member, scopes) in grants.items {
                let first = match open.remove(&(number, member)) {
                    Some(was) if was.scopes == scopes => {
                        if app.reading == AppReading::Partial {
                            seen.push(was.row);
                        }
                        continue;
                    }
                    Some(was) => {
                        self.close(CLOSE_GRANTS, was.row)?;
                        was.first
                    }
                    None => {
                        let after = match absent {
                            Some(after) => after,
                            None => self.past.last(|look| look.tells_of_grants(number))?,
                        };
                        absent = Some(after);
                        if closed.is_none() {
                            closed = Some(self.closed()?);
                        }
                        let closed = closed.as_ref().and_then(|closed| closed.get(&(number, member)).copied());
                        Origin { by: self.number, after: after.max(closed) }
                    }
                };
                insert.execute(params![
                    self.place,
                    number,
                    member,
                    scopes,
                    self.number,
                    OPEN,
                    first.by,
                    first.after
                ])?;
                if app.reading == AppReading::Partial {
                    seen.push(self.tx.last_insert_rowid());
                }
            }
        }
        let mut gone = HashSet::new();
        for (app, member) in &self.draft.gone {
            gone.insert((self.texts.number(app)?, self.texts.number(member)?));
        }
        for (pair @ (app, _), was) in open {
            if look.tells_of_grants(app) || gone.contains(&pair) {
                self.close(CLOSE_GRANTS, was.row)?;
            } else if look.apps.get(&app) == Some(&AppReading::Partial) {
                unseen.push(was.row);
            }
        }
        Ok((count, Part::of(seen, unseen)))
    }

    /// Of each grant that ever ended, by app and member, the last snapshot that closed a row of it.
    fn closed(&self) -> Result<HashMap<(u32, u32), u32>, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT app, member, max(to_snapshot) FROM snapshot_grants WHERE place = ?1 AND to_snapshot != ?2
             GROUP BY app, member",
        )?;
        let rows = query.query_map(params![self.place, OPEN], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What one reading looked at, and so what absence from it proves.
struct Look {
    number: u32,
    list_complete: bool,
    apps: HashMap<u32, AppReading>,
    /// Ascending.
    not_proven: Vec<u32>,
}

impl Look {
    /// The app was not in the list, and would have been if it had a grant.
    fn lacks_app(&self, app: u32) -> bool {
        self.list_complete && !self.apps.contains_key(&app) && self.not_proven.binary_search(&app).is_err()
    }

    /// A grant of this app that was not seen was not there.
    fn tells_of_grants(&self, app: u32) -> bool {
        self.apps.get(&app) == Some(&AppReading::Complete) || self.lacks_app(app)
    }
}

/// The earlier readings of the place, the last one first, taken from the file only as far back as somebody asks.
struct Past<'a> {
    db: &'a Connection,
    place: i64,
    before: u32,
    known: Vec<Look>,
}

impl Past<'_> {
    /// The last earlier snapshot of which that holds.
    fn last(&mut self, holds: impl Fn(&Look) -> bool) -> Result<Option<u32>, Error> {
        let mut at = 0;
        while at < self.known.len() || self.learn()? {
            if holds(&self.known[at]) {
                return Ok(Some(self.known[at].number));
            }
            at += 1;
        }
        Ok(None)
    }

    /// Takes one more from the file; false when there is none.
    fn learn(&mut self) -> Result<bool, Error> {
        let found = self
            .db
            .prepare_cached(
                "SELECT number, list_complete, began_utc, readings FROM snapshots
                 WHERE place = ?1 AND number < ?2 ORDER BY number DESC LIMIT 1",
            )?
            .query_row(params![self.place, self.before], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?))
            })
            .optional()?;
        let Some((number, list_complete, began, packed)) = found else { return Ok(false) };
        let readings = unpack(number, &packed, utc(&began)?)?;
        let apps = readings.apps.into_iter().map(|(app, _, reading)| (app, reading)).collect();
        self.known.push(Look { number, list_complete, apps, not_proven: readings.not_proven });
        self.before = number;
        Ok(true)
    }
}

/// The texts of a place and their numbers: ids, statuses, and lists of texts as JSON. Two meanings of one text share its number.
struct Texts<'a> {
    tx: &'a Transaction<'a>,
    place: i64,
    numbers: HashMap<String, u32>,
}

impl<'a> Texts<'a> {
    /// All of them, since nearly all are asked for.
    fn of(tx: &'a Transaction<'a>, place: i64) -> Result<Self, Error> {
        let numbers = texts(tx, place, |number, text| (text, number))?;
        Ok(Texts { tx, place, numbers })
    }

    fn number(&mut self, text: &str) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        self.tx
            .prepare_cached("INSERT INTO snapshot_texts (place, text) VALUES (?1, ?2)")?
            .execute(params![self.place, text])?;
        let number = u32::try_from(self.tx.last_insert_rowid())
            .map_err(|_| Error::Unfit("more texts than can be numbered".into()))?;
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }

    fn list(&mut self, list: &[String]) -> Result<u32, Error> {
        let text = serde_json::to_string(list).map_err(|error| Error::Unfit(error.to_string()))?;
        self.number(&text)
    }
}

fn texts<K, V>(db: &Connection, place: i64, entry: impl Fn(u32, String) -> (K, V)) -> Result<HashMap<K, V>, Error>
where
    K: Eq + std::hash::Hash,
{
    let mut query = db.prepare_cached("SELECT id, text FROM snapshot_texts WHERE place = ?1")?;
    let mut rows = query.query([place])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        let (key, value) = entry(row.get(0)?, row.get(1)?);
        all.insert(key, value);
    }
    Ok(all)
}

/// Items by number, each number once: the last item said for it, at the place of the first.
struct Once<T> {
    items: Vec<(u32, T)>,
    at: HashMap<u32, usize>,
}

impl<T> Once<T> {
    fn new() -> Self {
        Once { items: Vec::new(), at: HashMap::new() }
    }

    fn put(&mut self, number: u32, item: T) {
        let at = *self.at.entry(number).or_insert(self.items.len());
        match self.items.get_mut(at) {
            Some(there) => there.1 = item,
            None => self.items.push((number, item)),
        }
    }
}

/// One snapshot on its way out: the rows whose intervals hold its number, as far as it looked at them.
struct Span<'a> {
    tx: &'a Transaction<'a>,
    place: i64,
    number: u32,
    texts: HashMap<u32, String>,
}

impl Span<'_> {
    fn text(&self, number: u32) -> Result<&String, Error> {
        self.texts.get(&number).ok_or_else(|| self.corrupt("a text is missing"))
    }

    fn list(&self, number: u32) -> Result<Vec<String>, Error> {
        serde_json::from_str(self.text(number)?).map_err(|_| self.corrupt("a list of texts cannot be read"))
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::Corrupt(format!("snapshot {}: {what}", self.number))
    }

    fn apps(&self, readings: &Readings) -> Result<Vec<StoredApp>, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT app, name, description, client_type, first_by, first_after FROM snapshot_apps
             WHERE place = ?1 AND from_snapshot <= ?2 AND to_snapshot > ?2",
        )?;
        let mut rows = query.query(params![self.place, self.number])?;
        let mut words = HashMap::new();
        while let Some(row) = rows.next()? {
            let first = Origin { by: row.get(4)?, after: row.get(5)? };
            words.insert(row.get::<_, u32>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, first));
        }
        readings
            .apps
            .iter()
            .map(|&(app, at, reading)| {
                let (name, description, client_type, first) =
                    words.remove(&app).ok_or_else(|| self.corrupt("an app is missing"))?;
                let at = Timestamp::from_millisecond(at).map_err(|_| self.corrupt("a moment that does not exist"))?;
                let connected_app_id = self.text(app)?.clone();
                Ok(StoredApp { connected_app_id, name, description, client_type, at: at.into(), reading, first })
            })
            .collect()
    }

    fn people(&self, readings: &Readings) -> Result<Vec<PersonSeen>, Error> {
        let mut query = self.tx.prepare_cached(
            "SELECT id, member, name, email, status, roles FROM snapshot_people
             WHERE place = ?1 AND from_snapshot <= ?2 AND to_snapshot > ?2",
        )?;
        let mut rows = query.query(params![self.place, self.number])?;
        let mut lists = HashMap::new();
        let mut people = Vec::new();
        while let Some(row) = rows.next()? {
            if !readings.people.holds(row.get(0)?) {
                continue;
            }
            let roles = row.get(5)?;
            let roles = match lists.entry(roles) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.list(roles)?),
            };
            let member = row.get(1)?;
            let person = PersonSeen {
                member_id: self.text(member)?.clone(),
                name: row.get(2)?,
                email: row.get(3)?,
                status: self.text(row.get(4)?)?.clone(),
                roles: roles.clone(),
            };
            people.push((member, person));
        }
        people.sort_unstable_by_key(|(member, _)| *member);
        Ok(people.into_iter().map(|(_, person)| person).collect())
    }

    #[expect(clippy::type_complexity, reason = "three fields of the snapshot, which are only right together")]
    fn grants(&self, readings: &Readings) -> Result<(Vec<String>, Vec<Vec<String>>, Vec<StoredGrant>), Error> {
        let apps: HashMap<u32, (u32, AppReading)> =
            (0..).zip(&readings.apps).map(|(at, &(app, _, reading))| (app, (at, reading))).collect();
        let mut query = self.tx.prepare_cached(
            "SELECT id, app, member, scopes, first_by, first_after FROM snapshot_grants
             WHERE place = ?1 AND from_snapshot <= ?2 AND to_snapshot > ?2",
        )?;
        let mut rows = query.query(params![self.place, self.number])?;
        let mut grants = Vec::new();
        while let Some(row) = rows.next()? {
            // An app that was not read, or not listed, keeps its rows open; they are no part of this snapshot.
            let app = match apps.get(&row.get(1)?) {
                Some((at, AppReading::Complete)) => *at,
                Some((at, AppReading::Partial)) if readings.grants.holds(row.get(0)?) => *at,
                _ => continue,
            };
            let first = Origin { by: row.get(4)?, after: row.get(5)? };
            grants.push(StoredGrant { app, member: row.get(2)?, scopes: row.get(3)?, first });
        }
        grants.sort_unstable_by_key(|grant| (grant.app, grant.member));
        // The numbers of the texts become indices into the texts that are in use.
        let members = Index::of(grants.iter().map(|grant| grant.member));
        let sets = Index::of(grants.iter().map(|grant| grant.scopes));
        for grant in &mut grants {
            grant.member = members.at[&grant.member];
            grant.scopes = sets.at[&grant.scopes];
        }
        let members = members.numbers.into_iter().map(|member| self.text(member).cloned()).collect::<Result<_, _>>()?;
        let sets = sets.numbers.into_iter().map(|set| self.list(set)).collect::<Result<_, _>>()?;
        Ok((members, sets, grants))
    }
}

/// The numbers in use, ascending, and where each stands.
struct Index {
    numbers: Vec<u32>,
    at: HashMap<u32, u32>,
}

impl Index {
    fn of(numbers: impl Iterator<Item = u32>) -> Self {
        let mut numbers: Vec<u32> = numbers.collect::<HashSet<_>>().into_iter().collect();
        numbers.sort_unstable();
        let at = numbers.iter().copied().zip(0..).collect();
        Index { numbers, at }
    }
}

fn place(db: &Connection, place: &Place) -> Result<Option<i64>, Error> {
    let number = db
        .prepare_cached("SELECT place FROM snapshot_places WHERE connection_id = ?1 AND organization_id = ?2")?
        .query_row(params![place.connection_id.to_string(), place.organization_id], |row| row.get(0))
        .optional()?;
    Ok(number)
}

/// The next number, which no snapshot ever had, also none that was forgotten.
fn next_number(tx: &Transaction<'_>) -> Result<u32, Error> {
    let last: Option<i64> =
        tx.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'", [], |row| row.get(0)).optional()?;
    let next = last.unwrap_or(0).checked_add(1).and_then(|next| u32::try_from(next).ok());
    next.filter(|next| *next < OPEN).ok_or_else(|| Error::Corrupt("the numbers of snapshots are used up".into()))
}

/// The first nine columns of a query on snapshots.
fn summary(row: &Row<'_>) -> Result<SnapshotSummary, Error> {
    let text = |column| row.get::<_, String>(column);
    Ok(SnapshotSummary {
        number: row.get(0)?,
        began: utc(&text(1)?)?,
        ended: utc(&text(2)?)?,
        reader: text(3)?,
        facts: facts_of(&text(4)?)?,
        apps: row.get(5)?,
        apps_read: row.get(6)?,
        grants: row.get(7)?,
        people: row.get(8)?,
    })
}

fn utc(text: &str) -> Result<Utc, Error> {
    text.parse().map_err(|why| Error::Corrupt(format!("a snapshot's moment: {why}")))
}

fn facts_of(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|_| Error::Corrupt("a snapshot's facts are not JSON".into()))
}

fn unpack(number: u32, packed: &[u8], began: Utc) -> Result<Readings, Error> {
    Readings::unpack(packed, milliseconds(began))
        .ok_or_else(|| Error::Corrupt(format!("snapshot {number} does not say what it looked at")))
}

fn milliseconds(utc: Utc) -> i64 {
    utc.timestamp().as_millisecond()
}

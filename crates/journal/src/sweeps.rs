//! Sweeps: opening one, appending to it, reading and verifying it. The engine that carries a sweep out lives elsewhere; what is
//! written here is on disk before the method returns, and every writer goes through one immediate transaction.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use crate::chain::{self, Break, Hash, Links, Walked};
use crate::people::{self, Commitment, People, Person, PersonKind};
use crate::row::{
    Actor, Body, ClientType, Clock, Closing, Connection, FORMAT, FORMAT_VERSION, Grant, HASH_ALG, Note, Opening, Plan,
    Route, Row, RowDraft, SweepId, Tool,
};
use crate::{Error, Journal, strict};

/// The note that stands for one indicator of a finding: `n`, its number, `text`, which commits to it, and what was found.
pub const INDICATOR: &str = "indicator";
/// The note of a sweep that changes the organization's policy: which apps it is to forbid. Such a sweep may have no grants.
pub const BLOCK: &str = "block";

/// What a sweep is opened with. The journal adds its own id, the head of the sweep before and the commitments.
#[derive(Debug, Clone)]
pub struct OpeningDraft {
    /// When.
    pub clock: Clock,
    /// A new id, [`SweepId::random`]; its running lock should be held already.
    pub sweep_id: SweepId,
    /// The program.
    pub tool: Tool,
    /// The hash of the plan as it was confirmed.
    pub plan_hash: Hash,
    /// Where.
    pub connection: Connection,
    /// As whom.
    pub actor: ActorDraft,
    /// The organization's name; goes to the people table.
    pub organization_name: Option<String>,
    /// The reason given, in the user's words; goes to the people table.
    pub reason: Option<String>,
}

/// The member as whom a sweep is carried out, before the commitments are made.
#[derive(Debug, Clone)]
pub struct ActorDraft {
    /// The member.
    pub member_id: String,
    /// The member session's id (not its token).
    pub member_session_id: String,
    /// The roles of the session.
    pub roles: Vec<String>,
    /// The types of its factors.
    pub factors: Vec<String>,
    /// The member's name and e-mail; goes to the people table.
    pub person: Option<Person>,
    /// Who impersonates the member, if somebody does; goes to the people table.
    pub impersonator: Option<String>,
}

/// One grant of the plan; the journal numbers them from 1 in the order given.
#[derive(Debug, Clone)]
pub struct GrantDraft {
    /// The member who gave it.
    pub member_id: String,
    /// The app that has it.
    pub connected_app_id: String,
    /// The app's client type as received.
    pub client_type: ClientType,
    /// The scopes as received.
    pub scopes: Vec<String>,
    /// Whether the app is the vendor's own.
    pub first_party: bool,
    /// Which endpoint revokes it.
    pub route: Route,
    /// The member's roles as last read, where they were.
    pub member_roles: Option<Vec<String>>,
}

/// What is recorded of one indicator of a finding.
#[derive(Debug, Clone)]
pub struct IndicatorDraft {
    /// As it stood in its file; goes to the people table.
    pub text: String,
    /// What was found: codes, ids and numbers. The journal adds the number, from 1, under `n` and the commitment under `text`.
    pub detail: BTreeMap<String, String>,
}

/// A sweep that was just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Its id.
    pub id: SweepId,
    /// Its head: the hash of its last row.
    pub head: Hash,
    /// How many rows it has.
    pub rows: u64,
    /// The head of the sweep before, as the opening row carries it.
    pub previous_head: Option<Hash>,
    /// Its rows as they were stored: whoever goes on with it need not read them again.
    pub stored: Vec<StoredRow>,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its place in the sweep, from 0.
    pub seq: u64,
    /// The line exactly as it was hashed.
    pub line: String,
    /// Its hash as stored; [`Journal::verify`] says whether it is the right one.
    pub hash: Hash,
    /// The line, read.
    pub row: Row,
}

/// What a list of sweeps shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSummary {
    /// The sweep.
    pub id: SweepId,
    /// How many rows it has.
    pub rows: u64,
    /// Its head.
    pub head: Hash,
    /// When its first row was made.
    pub opened: Clock,
    /// When its last row was made: a sweep that was idle for long is not resumed.
    pub last: Clock,
    /// Its opening row.
    pub opening: Opening,
    /// Its last closing row, if it is closed.
    pub closing: Option<Closing>,
    /// It is a finding: nothing was planned and nothing sent. A sweep that only changes the policy has no grants either, and is none.
    pub finding: bool,
}

/// What verifying a sweep found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every row is as it was written, as far as the head is right.
    Sound(Walked),
    /// The first row that is not.
    Broken(Break),
}

impl Journal {
    /// Opens a sweep: writes its opening row and one row for each grant, and the texts they commit to, in one transaction.
    ///
    /// # Errors
    /// `AlreadyOpened` when the id was used before, in this or another process. `Unfit` for a plan without grants that blocks nothing
    /// either. Otherwise as
    /// every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn open_sweep(&self, draft: &OpeningDraft, grants: &[GrantDraft], people: &People) -> Result<Sweep, Error> {
        self.open_sweep_with(draft, grants, people, &[])
    }

    /// Opens a sweep as [`Journal::open_sweep`] does and appends its first rows in the same transaction: the first intents
    /// become durable with the plan, for the price of one sync of the disk.
    ///
    /// # Errors
    /// As [`Journal::open_sweep`] and [`Journal::append`]; nothing at all was written then.
    pub fn open_sweep_with(
        &self,
        draft: &OpeningDraft,
        grants: &[GrantDraft],
        people: &People,
        first: &[RowDraft],
    ) -> Result<Sweep, Error> {
        let blocks = |row: &RowDraft| matches!(&row.body, Body::Note(note) if note.what == BLOCK);
        if grants.is_empty() && !first.iter().any(blocks) {
            return Err(Error::Unfit("a sweep without grants that blocks nothing".into()));
        }
        self.begin(draft, grants, people, &[], first)
    }

    /// Records a finding: a chain like a sweep's, without grants, with a note `indicator` for each indicator and the rows of
    /// `then`, of which the last should close it: nothing is ever sent for a finding. All of it in one transaction.
    ///
    /// # Errors
    /// As [`Journal::open_sweep_with`]; `Unfit` for one without indicators.
    pub fn open_finding(
        &self,
        draft: &OpeningDraft,
        indicators: &[IndicatorDraft],
        then: &[RowDraft],
    ) -> Result<Sweep, Error> {
        if indicators.is_empty() {
            return Err(Error::Unfit("a finding without indicators".into()));
        }
        self.begin(draft, &[], &People::default(), indicators, then)
    }

    fn begin(
        &self,
        draft: &OpeningDraft,
        grants: &[GrantDraft],
        people: &People,
        indicators: &[IndicatorDraft],
        first: &[RowDraft],
    ) -> Result<Sweep, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = draft.sweep_id;
        if find(&tx, id)?.is_some() {
            return Err(Error::AlreadyOpened(id));
        }
        let previous_head: Option<Hash> =
            tx.query_row("SELECT head FROM sweeps ORDER BY number DESC LIMIT 1", [], |row| row.get(0)).optional()?;
        tx.execute(
            "INSERT INTO sweeps (sweep_id, plan_hash, rows, head) VALUES (?1, ?2, 0, ?3)",
            params![id.0.to_string(), draft.plan_hash, chain::start(self.id(), id)],
        )?;

        let mut texts = Texts { tx: &tx, sweep: id, people, made: BTreeMap::new() };
        let actor = &draft.actor;
        let opening = Opening {
            format: FORMAT.into(),
            version: FORMAT_VERSION,
            critical: Vec::new(),
            hash_alg: HASH_ALG.into(),
            tool: draft.tool.clone(),
            journal_id: self.id(),
            sweep_id: id,
            previous_head,
            plan: Plan { hash: draft.plan_hash, count: grants.len() as u64 },
            connection: draft.connection.clone(),
            actor: Actor {
                member_id: actor.member_id.clone(),
                member_session_id: actor.member_session_id.clone(),
                roles: actor.roles.clone(),
                factors: actor.factors.clone(),
                person: texts.person(&actor.member_id, actor.person.as_ref())?,
                impersonator: texts.commit(
                    PersonKind::Impersonator,
                    &actor.member_id,
                    actor.impersonator.as_deref(),
                )?,
            },
            organization_name: texts.commit(
                PersonKind::Organization,
                &draft.connection.organization_id,
                draft.organization_name.as_deref(),
            )?,
            reason: texts.commit(PersonKind::Reason, &actor.member_id, draft.reason.as_deref())?,
        };
        let mut bodies = vec![Body::Opening(Box::new(opening))];
        for (index, grant) in grants.iter().enumerate() {
            bodies.push(Body::Grant(Grant {
                n: u32::try_from(index + 1).map_err(|_| Error::Unfit("more grants than can be numbered".into()))?,
                member_id: grant.member_id.clone(),
                connected_app_id: grant.connected_app_id.clone(),
                client_type: grant.client_type.clone(),
                scopes: grant.scopes.clone(),
                first_party: grant.first_party,
                route: grant.route,
                member_roles: grant.member_roles.clone(),
                person: texts.member(&grant.member_id)?,
                app_name: texts.app(&grant.connected_app_id)?,
            }));
        }
        for (indicator, n) in indicators.iter().zip(1_u32..) {
            let mut detail = indicator.detail.clone();
            let n = n.to_string();
            let text = people::commit(&tx, id, PersonKind::Indicator, &n, &indicator.text)?;
            detail.insert("n".to_owned(), n);
            detail.insert("text".to_owned(), text.to_string());
            bodies.push(Body::Note(Note { what: INDICATOR.to_owned(), detail }));
        }
        let mut end = End { rows: 0, head: chain::start(self.id(), id), closed_seq: None };
        let mut stored = Vec::with_capacity(bodies.len() + first.len());
        for body in bodies {
            stored.push(end.write(&tx, id, Row { seq: end.rows, clock: draft.clock.clone(), body })?);
        }
        for row in first {
            stored.push(end.admit(&tx, id, grants.len() as u64, row)?);
        }
        end.note(&tx, id)?;
        tx.commit()?;
        Ok(Sweep { id, head: end.head, rows: end.rows, previous_head, stored })
    }

    /// Appends rows to a sweep, all or none, in one transaction with one sync of the disk; when it returns they are durable.
    /// Answers them as they were stored.
    ///
    /// Who may append is for the callers to settle (the running lock); two that do so at once still make one linear chain.
    ///
    /// # Errors
    /// `NoSuchSweep`; `Closed` for an intent or answer after a closing row; `Unfit` for a row that the format forbids, among
    /// them opening, grant and unknown rows. Otherwise as every write: `Busy`, `Full`, `Denied`, `Corrupt`, `Disk`.
    pub fn append(&self, sweep: SweepId, drafts: &[RowDraft]) -> Result<Vec<StoredRow>, Error> {
        let mut db = self.db();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut end = End::of(&tx, sweep)?;
        let planned = opening(&tx, sweep)?.1.plan.count;
        let stored = drafts.iter().map(|draft| end.admit(&tx, sweep, planned, draft)).collect::<Result<_, _>>()?;
        end.note(&tx, sweep)?;
        tx.commit()?;
        Ok(stored)
    }

    /// All rows of a sweep in order. It does not verify them.
    ///
    /// # Errors
    /// `NoSuchSweep`; `Corrupt` when a line cannot be read as a row. Otherwise as every read: `Busy`, `Disk`.
    pub fn rows(&self, sweep: SweepId) -> Result<Vec<StoredRow>, Error> {
        self.rows_from(sweep, 0)
    }

    /// The rows of a sweep whose `seq` is at least `from`, in order: how a follower learns what is new.
    ///
    /// # Errors
    /// As [`Journal::rows`].
    pub fn rows_from(&self, sweep: SweepId, from: u64) -> Result<Vec<StoredRow>, Error> {
        let db = self.db();
        if find(&db, sweep)?.is_none() {
            return Err(Error::NoSuchSweep(sweep));
        }
        let mut query =
            db.prepare_cached("SELECT seq, line, hash FROM rows WHERE sweep_id = ?1 AND seq >= ?2 ORDER BY seq")?;
        let rows = query.query_map(params![sweep.0.to_string(), signed(from)?], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
        })?;
        rows.map(|found| {
            let (seq, line, hash) = found?;
            let row =
                chain::parse(&line).map_err(|why| Error::Corrupt(format!("row {seq} of sweep {sweep}: {why}")))?;
            let line = String::from_utf8(line)
                .map_err(|_| Error::Corrupt(format!("row {seq} of sweep {sweep}: not UTF-8")))?;
            Ok(StoredRow { seq: seq.unsigned_abs(), line, hash, row })
        })
        .collect()
    }

    /// The sweeps without a closing row, the oldest first.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn unfinished(&self) -> Result<Vec<SweepId>, Error> {
        self.ids("SELECT sweep_id FROM sweeps WHERE closed_seq IS NULL ORDER BY number", [])
    }

    /// The sweeps that carried out, or are carrying out, the plan of that hash, the oldest first.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn sweeps_of_plan(&self, plan_hash: &Hash) -> Result<Vec<SweepId>, Error> {
        self.ids("SELECT sweep_id FROM sweeps WHERE plan_hash = ?1 ORDER BY number", [plan_hash])
    }

    /// All sweeps, the newest first.
    ///
    /// # Errors
    /// As every read: `Busy`, `Corrupt`, `Disk`.
    pub fn sweeps(&self) -> Result<Vec<SweepSummary>, Error> {
        self.ids("SELECT sweep_id FROM sweeps ORDER BY number DESC", [])?
            .into_iter()
            .map(|id| self.summary(id))
            .collect()
    }

    /// One sweep as a list shows it.
    ///
    /// # Errors
    /// `NoSuchSweep`. Otherwise as every read: `Busy`, `Corrupt`, `Disk`.
    pub fn summary(&self, sweep: SweepId) -> Result<SweepSummary, Error> {
        let mut db = self.db();
        // One transaction: another process may append between a look at the end and a look at the last row.
        let db = db.transaction()?;
        let end = End::of(&db, sweep)?;
        let (opened, opening) = opening(&db, sweep)?;
        let last = row_at(&db, sweep, end.rows.saturating_sub(1))?.clock;
        let closing = match end.closed_seq.map(|seq| row_at(&db, sweep, seq)).transpose()?.map(|row| row.body) {
            Some(Body::Closing(closing)) => Some(closing),
            Some(_) => {
                return Err(Error::Corrupt(format!("sweep {sweep} is marked closed at a row that does not close it")));
            }
            None => None,
        };
        // Indicators stand right behind the opening row, where a sweep has its grants.
        let finding = opening.plan.count == 0
            && end.rows > 1
            && matches!(row_at(&db, sweep, 1)?.body, Body::Note(note) if note.what == INDICATOR);
        Ok(SweepSummary { id: sweep, rows: end.rows, head: end.head, opened, last, opening, closing, finding })
    }

    /// Walks a sweep's chain again from the stored bytes alone, and compares it with every stored hash and with what the
    /// journal says of the sweep. A break is an answer, not an error.
    ///
    /// # Errors
    /// `NoSuchSweep`. Otherwise as every read: `Busy`, `Corrupt`, `Disk`.
    pub fn verify(&self, sweep: SweepId) -> Result<Verdict, Error> {
        let mut db = self.db();
        // One transaction, so that a row appended meanwhile by another process is seen wholly or not at all.
        let tx = db.transaction()?;
        let Some(end) = find(&tx, sweep)? else { return Err(Error::NoSuchSweep(sweep)) };
        let mut links = Links::new();
        let mut count = 0;
        let mut query =
            tx.prepare_cached("SELECT seq, line, prev_hash, hash FROM rows WHERE sweep_id = ?1 ORDER BY seq")?;
        let mut rows = query.query([sweep.0.to_string()])?;
        while let Some(row) = rows.next()? {
            let broken = |why: &str| Ok(Verdict::Broken(Break { seq: count, why: why.into() }));
            if row.get::<_, i64>(0)? != signed(count)? {
                return broken("a row is missing");
            }
            let (body, previous, hash) = match links.next(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?) {
                Ok((row, previous, hash)) => (row.body, previous, hash),
                Err(found) => return Ok(Verdict::Broken(found)),
            };
            // A stored hash of the wrong length or type is a changed one, not a failure to verify.
            if row.get::<_, Hash>(2).ok() != Some(previous) {
                return broken("the stored previous hash is not the hash of the row before");
            }
            if row.get::<_, Hash>(3).ok() != Some(hash) {
                return broken("the row's bytes do not have the stored hash");
            }
            if let Body::Opening(opening) = body {
                if opening.journal_id != self.id() || opening.sweep_id != sweep {
                    return broken("the opening row belongs to another journal or sweep");
                }
                // The sweep before is the one that was opened last when this one was; it may have got rows since.
                if let Some(before) = opening.previous_head
                    && !tx.query_row(
                        "SELECT EXISTS (SELECT 1 FROM rows WHERE hash = ?1 AND sweep_id = (
                             SELECT sweep_id FROM sweeps
                             WHERE number < (SELECT number FROM sweeps WHERE sweep_id = ?2) ORDER BY number DESC LIMIT 1
                         ))",
                        params![before, sweep.0.to_string()],
                        |row| row.get(0),
                    )?
                {
                    return broken("the head of the sweep before is not in this journal");
                }
            }
            count += 1;
        }
        Ok(match links.end() {
            Ok(walked) if walked.rows != end.rows || walked.head != end.head => Verdict::Broken(Break {
                seq: walked.rows.min(end.rows),
                why: "the chain does not end where the journal says".into(),
            }),
            Ok(walked) if walked.closed != end.closed_seq.is_some() => Verdict::Broken(Break {
                seq: walked.rows,
                why: "the journal says otherwise of whether the sweep is closed".into(),
            }),
            Ok(walked) => Verdict::Sound(walked),
            Err(found) => Verdict::Broken(found),
        })
    }

    fn ids(&self, query: &str, params: impl rusqlite::Params) -> Result<Vec<SweepId>, Error> {
        let db = self.db();
        let mut query = db.prepare_cached(query)?;
        let ids = query.query_map(params, |row| row.get::<_, String>(0))?;
        ids.map(|id| id?.parse().map_err(|_| Error::Corrupt("a sweep's id is not an id".into()))).collect()
    }
}

/// The texts of a sweep that is being opened: each is committed to once, however many grants it belongs to.
struct Texts<'a> {
    tx: &'a Transaction<'a>,
    sweep: SweepId,
    people: &'a People,
    made: BTreeMap<(bool, String), Commitment>,
}

impl Texts<'_> {
    fn commit(&self, kind: PersonKind, subject: &str, text: Option<&str>) -> Result<Option<Commitment>, Error> {
        text.map(|text| people::commit(self.tx, self.sweep, kind, subject, text)).transpose()
    }

    fn once(&mut self, kind: PersonKind, subject: &str, text: Option<String>) -> Result<Option<Commitment>, Error> {
        let key = (kind == PersonKind::App, subject.to_owned());
        if let Some(made) = self.made.get(&key) {
            return Ok(Some(*made));
        }
        let commitment = self.commit(kind, subject, text.as_deref())?;
        if let Some(commitment) = commitment {
            self.made.insert(key, commitment);
        }
        Ok(commitment)
    }

    fn member(&mut self, member_id: &str) -> Result<Option<Commitment>, Error> {
        self.person(member_id, self.people.members.get(member_id))
    }

    fn person(&mut self, member_id: &str, person: Option<&Person>) -> Result<Option<Commitment>, Error> {
        let text = person.map(serde_json::to_string).transpose();
        let text = text.map_err(|error| Error::Unfit(error.to_string()))?;
        self.once(PersonKind::Member, member_id, text)
    }

    fn app(&mut self, connected_app_id: &str) -> Result<Option<Commitment>, Error> {
        self.once(PersonKind::App, connected_app_id, self.people.apps.get(connected_app_id).cloned())
    }
}

/// The end of a sweep's chain, where the next row goes.
struct End {
    rows: u64,
    head: Hash,
    closed_seq: Option<u64>,
}

impl End {
    /// The end of a sweep, checked against the last row itself.
    fn of(db: &rusqlite::Connection, sweep: SweepId) -> Result<Self, Error> {
        let end = find(db, sweep)?.ok_or(Error::NoSuchSweep(sweep))?;
        let last: (i64, Hash) = db
            .prepare_cached("SELECT seq, hash FROM rows WHERE sweep_id = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([sweep.0.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if last != (signed(end.rows)? - 1, end.head) {
            return Err(Error::Corrupt(format!("sweep {sweep} does not end where the journal says")));
        }
        Ok(end)
    }

    /// Writes a caller's row, if it is of a kind that may stand here.
    fn admit(
        &mut self,
        tx: &Transaction<'_>,
        sweep: SweepId,
        planned: u64,
        draft: &RowDraft,
    ) -> Result<StoredRow, Error> {
        let mut body = draft.body.clone();
        match &mut body {
            Body::Opening(_) | Body::Grant(_) => {
                return Err(Error::Unfit("opening and grant rows are written when a sweep is opened".into()));
            }
            Body::Unknown => return Err(Error::Unfit("a row of a kind this version does not know".into())),
            Body::Intent(_) | Body::Answer(_) if self.closed_seq.is_some() => return Err(Error::Closed(sweep)),
            Body::Intent(crate::Intent { n, .. }) | Body::Answer(crate::Answer { n, .. })
                if *n == 0 || u64::from(*n) > planned =>
            {
                return Err(Error::Unfit(format!("grant {n} is not in the plan")));
            }
            Body::Closing(closing) => closing.rows = self.rows,
            _ => {}
        }
        self.write(tx, sweep, Row { seq: self.rows, clock: draft.clock.clone(), body })
    }

    /// Writes the next row and moves on.
    fn write(&mut self, tx: &Transaction<'_>, sweep: SweepId, row: Row) -> Result<StoredRow, Error> {
        let line = serde_json::to_string(&row).map_err(|error| Error::Unfit(error.to_string()))?;
        strict::check(line.as_bytes()).map_err(|unfit| Error::Unfit(unfit.to_string()))?;
        // Whoever goes on with the row as it was given must know the same as whoever reads it again.
        debug_assert_eq!(chain::parse(line.as_bytes()).as_ref(), Ok(&row), "a row is not what its line says");
        let hash = chain::link(self.head, line.as_bytes());
        tx.prepare_cached("INSERT INTO rows (sweep_id, seq, line, prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![sweep.0.to_string(), signed(row.seq)?, line.as_bytes(), self.head, hash])?;
        if matches!(row.body, Body::Closing(_)) {
            self.closed_seq = Some(row.seq);
        }
        self.rows += 1;
        self.head = hash;
        Ok(StoredRow { seq: row.seq, line, hash, row })
    }

    /// Says in the sweep's own entry where its chain ends now.
    fn note(&self, tx: &Transaction<'_>, sweep: SweepId) -> Result<(), Error> {
        tx.prepare_cached("UPDATE sweeps SET rows = ?2, head = ?3, closed_seq = ?4 WHERE sweep_id = ?1")?.execute(
            params![sweep.0.to_string(), signed(self.rows)?, self.head, self.closed_seq.map(signed).transpose()?],
        )?;
        Ok(())
    }
}

fn find(db: &rusqlite::Connection, sweep: SweepId) -> Result<Option<End>, Error> {
    let end = db
        .prepare_cached("SELECT rows, head, closed_seq FROM sweeps WHERE sweep_id = ?1")?
        .query_row([sweep.0.to_string()], |row| {
            Ok(End {
                rows: row.get::<_, i64>(0)?.unsigned_abs(),
                head: row.get(1)?,
                closed_seq: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
            })
        })
        .optional()?;
    Ok(end)
}

fn row_at(db: &rusqlite::Connection, sweep: SweepId, seq: u64) -> Result<Row, Error> {
    let line: Vec<u8> = db
        .prepare_cached("SELECT line FROM rows WHERE sweep_id = ?1 AND seq = ?2")?
        .query_row(params![sweep.0.to_string(), signed(seq)?], |row| row.get(0))?;
    chain::parse(&line).map_err(|why| Error::Corrupt(format!("row {seq} of sweep {sweep}: {why}")))
}

fn opening(db: &rusqlite::Connection, sweep: SweepId) -> Result<(Clock, Opening), Error> {
    let row = row_at(db, sweep, 0)?;
    match row.body {
        Body::Opening(opening) => Ok((row.clock, *opening)),
        _ => Err(Error::Corrupt(format!("sweep {sweep} does not begin with an opening row"))),
    }
}

/// SQLite's integers are signed; a count that does not fit is one that no journal can have.
fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| Error::Unfit("a number too large for the journal".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Environment, Intent};

    fn draft(sweep_id: SweepId) -> OpeningDraft {
        let clock = Clock { utc: "2026-03-01T10:42:07.123Z".parse().unwrap(), mono_ms: 1, boot_id: "boot".into() };
        let connection = Connection {
            scheme: "https".into(),
            host: "test.stytch.com".into(),
            port: 443,
            public_token_sha256: Hash::of(b"t"),
            organization_id: "organization-test-1".into(),
            environment: Environment::Test,
        };
        let actor = ActorDraft {
            member_id: "m".into(),
            member_session_id: "s".into(),
            roles: Vec::new(),
            factors: Vec::new(),
            person: None,
            impersonator: None,
        };
        let tool = Tool { name: "cutoff".into(), version: "0".into(), commit: "unknown".into() };
        OpeningDraft {
            clock,
            sweep_id,
            tool,
            plan_hash: Hash::of(b"p"),
            connection,
            actor,
            organization_name: None,
            reason: None,
        }
    }

    #[test]
    fn a_full_disk_is_called_full_and_what_was_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let draft = draft(SweepId::random());
        let grant = GrantDraft {
            member_id: "member".into(),
            connected_app_id: "app".into(),
            client_type: None,
            scopes: Vec::new(),
            first_party: true,
            route: Route::Oneself,
            member_roles: None,
        };
        let id = journal.open_sweep(&draft, &[grant], &People::default()).unwrap().id;
        // SQLite answers for a file that may not grow as it does for a disk that is full.
        let cap = |pages: i64| {
            journal.db().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        cap(1);
        let intent = |attempt| RowDraft { clock: draft.clock.clone(), body: Body::Intent(Intent { attempt, n: 1 }) };
        let mut written = 0;
        let error = loop {
            match journal.append(id, &[intent(written + 1)]) {
                Ok(_) => written += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Full), "{error:?}");
        let sound = |rows| matches!(journal.verify(id).unwrap(), Verdict::Sound(walked) if walked.rows == rows);
        assert!(sound(2 + u64::from(written)), "a row was torn");
        cap(1_000_000);
        journal.append(id, &[intent(written + 1)]).unwrap();
        assert!(sound(3 + u64::from(written)), "the journal does not go on once there is room");
    }
}

//! Sweeps as lists and pictures tell them: counts, where each stands, a window of its grants. What was told is kept, so that a look
//! reads the rows that are new and not those of every sweep again. It decides nothing and sends nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{
    Body, Clock, Connection, INDICATOR, Journal, Note, Person, PersonKind, PersonRecord, Row, SweepId, SweepSummary,
    Utc,
};
use stytch_b2b::MemberId;

use crate::clock::{later, millis_between};
use crate::desk::Desk;
use crate::error::Error;
use crate::evidence::INDICATORS;
use crate::indicators::KnownBefore;
use crate::inventory::picture::u32_of;
use crate::plan_file::{Pair, Unusable};
use crate::report::{Report, look_again};
use crate::revoke::{RESUME_WITHIN, connection_of};
use crate::session::Session;
use crate::sweep::beside::{self, Unseen};
use crate::sweep::engine::blocking;
use crate::sweep::rows::Rows;
use crate::sweep::verdict::{Finding, Outcome, Rules};
use crate::sweeps::{PolicyReport, Seen, Since, policy_report, returned};
use crate::watch::Kind;

/// Where a sweep stands, as its rows tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It has no closing row, and nothing says why: it runs, or its run was broken off.
    Open,
    /// Somebody paused it.
    Paused,
    /// The session ended.
    SessionEnded,
    /// A refusal that would have met every other grant.
    Halted {
        /// Stytch's `error_type`, or `redirected`.
        error_type: String,
    },
    /// Too many of the first few failed.
    CanaryDied {
        /// How many of those failed.
        failed: u32,
        /// How many they were.
        of: u32,
    },
    /// Somebody cancelled it: what was not sent never will be.
    Cancelled,
    /// Nothing more is sent.
    Closed,
}

/// Why a sweep cannot be gone on with, where it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// It can.
    Yes,
    /// Nothing is left to go on with.
    Closed,
    /// Nobody is signed in, or at another place or organization.
    Elsewhere,
    /// Another member began it.
    OtherMember,
    /// Nothing was done for it for a day.
    TooOld,
    /// Another process is at it.
    Held {
        /// Its process id, if it has said so.
        pid: Option<u32>,
    },
}

/// A sweep as a list shows it.
#[derive(Clone, Debug)]
pub struct Digest {
    /// Which.
    pub id: SweepId,
    /// When it began.
    pub began: Utc,
    /// When its last row was made.
    pub last: Utc,
    /// Where.
    pub connection: Connection,
    /// Who began it.
    pub actor: String,
    /// What is kept of them.
    pub actor_person: Option<Person>,
    /// The reason or ticket, as far as kept.
    pub reason: Option<String>,
    /// Its grants.
    pub grants: u32,
    /// Different apps in them.
    pub apps: u32,
    /// Different members in them.
    pub members: u32,
    /// The app and its name and type, when all grants are of one; of a sweep without grants the one it blocks, if it is one.
    pub only_app: Option<(String, Option<String>, Option<String>)>,
    /// The member and what is kept of them, when all grants are of one.
    pub only_member: Option<(String, Option<Person>)>,
    /// Grants by outcome, without those that nothing was sent for yet.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Grants that nothing was sent for, and that are not known to be gone.
    pub unsent: u32,
    /// Grants of which a revoke was answered, whatever the answer said.
    pub answered: u32,
    /// Where it stands.
    pub stand: Stand,
    /// Something about it may still be told by another read, or another request.
    pub unsettled: bool,
    /// When the last of its grants was found gone; `None` until all are.
    pub gone_at: Option<Utc>,
    /// When the second, late read of the last of those that something was sent for began; `None` until all of them are confirmed
    /// and the others found gone, and where nothing was sent: what was gone before is not confirmed by looking twice.
    pub confirmed_at: Option<Utc>,
    /// When such a read is due that may tell more of all of them.
    pub look_again_at: Option<Utc>,
    /// Until about when tokens issued before may still be accepted.
    pub tokens_until: Option<Utc>,
    /// When something was last done for it; reads do not count.
    pub acted: Clock,
    /// What was done to the organization's policy; `None` for a plan without a block.
    pub policy: Option<PolicyReport>,
    /// Grants in no plan that vanished meanwhile; `None`: nobody looked, or of some it could not be seen and of no other it was.
    pub collateral: Option<Vec<Pair>>,
    /// Apps of which it could not be seen whether grants in no plan vanished.
    pub unseen: Vec<Unseen>,
    /// Grants of the plan that were listed again after the block was lifted.
    pub returned: Vec<Pair>,
    /// Its head, hexadecimal.
    pub head: String,
    /// The report, for a sweep of one that leaves the policy alone.
    pub single: Option<Report>,
}

/// Which grants of a sweep are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only these outcomes, of grants that something was sent for or that are gone.
    pub outcomes: Vec<Outcome>,
    /// Those that nothing was sent for. With neither this nor an outcome, all.
    pub unsent: bool,
    /// Words that must all occur in a name, an address, an id or a request id, in any case.
    pub text: String,
}

/// What was told last.
#[derive(Default)]
pub struct Digested {
    /// By sweep: how many rows it had, and what they told. Held for a look or a swap.
    digests: Mutex<HashMap<SweepId, (u64, Arc<Digest>)>>,
    /// The sweep whose grants were looked at last, whole. Held while its new rows are read, on a thread that may wait.
    open: Arc<Mutex<Option<Told>>>,
}

/// A sweep's rows with what follows from them.
struct Told {
    id: SweepId,
    rows: Rows,
    head: String,
    people: Vec<PersonRecord>,
    findings: Vec<Finding>,
    /// For each grant, everything a text may be found in, in lower case.
    haystacks: Vec<String>,
}

impl Told {
    fn read(journal: &Journal, id: SweepId) -> Result<Self, journal::Error> {
        let people = journal.people(id)?;
        let told = Self {
            id,
            rows: Rows::default(),
            head: String::new(),
            people,
            findings: Vec::new(),
            haystacks: Vec::new(),
        };
        Ok(told)
    }

    /// Reads the rows that are new.
    fn follow(&mut self, journal: &Journal, rules: &Rules) -> Result<(), journal::Error> {
        let new = journal.rows_from(self.id, self.rows.all().len() as u64)?;
        if new.is_empty() {
            return Ok(());
        }
        for stored in new {
            self.head = stored.hash.to_string();
            self.rows.push(stored.row);
        }
        self.findings =
            self.rows.grants().iter().map(|grant| Finding::of(grant.n, self.rows.of(grant.n), rules)).collect();
        let names: HashMap<(bool, &str), &str> = self
            .people
            .iter()
            .filter(|record| matches!(record.kind, PersonKind::Member | PersonKind::App))
            .map(|record| ((record.kind == PersonKind::App, record.subject.as_str()), record.text.as_str()))
            .collect();
        self.haystacks = self
            .rows
            .grants()
            .iter()
            .zip(&self.findings)
            .map(|(grant, finding)| {
                let request = finding.answer.as_ref().and_then(|(answer, _)| answer.request_id.as_deref());
                let parts = [
                    names.get(&(false, grant.member_id.as_str())).copied(),
                    names.get(&(true, grant.connected_app_id.as_str())).copied(),
                    Some(grant.member_id.as_str()),
                    Some(grant.connected_app_id.as_str()),
                    request,
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase()
            })
            .collect();
        Ok(())
    }

    fn text(&self, kind: PersonKind, subject: &str) -> Option<&str> {
        let mut found = self.people.iter().filter(|record| record.kind == kind && record.subject == subject);
        found.find(|record| record.is_true()).map(|record| record.text.as_str())
    }

    fn person(&self, member_id: &str) -> Option<Person> {
        serde_json::from_str(self.text(PersonKind::Member, member_id)?).ok()
    }

    fn digest(&self, summary: &SweepSummary, rules: &Rules) -> Digest {
        let grants = self.rows.grants();
        let mut outcomes: BTreeMap<Outcome, u32> = BTreeMap::new();
        for finding in self.findings.iter().filter(|finding| !finding.never_sent()) {
            *outcomes.entry(finding.outcome).or_default() += 1;
        }
        let gone: Option<Vec<Utc>> = self.findings.iter().map(|finding| Some(finding.gone.as_ref()?.utc)).collect();
        let sent = self.findings.iter().filter(|finding| finding.attempts > 0);
        let confirmed: Option<Vec<Utc>> = sent.map(|finding| Some(finding.confirmed.as_ref()?.utc)).collect();
        // A grant that nothing was sent for has no revoke that a second read could confirm: that it is gone is enough.
        let confirmed = confirmed.filter(|_| gone.is_some());
        let tokens = self.findings.iter().filter_map(Finding::tokens_until);
        let looks = self.findings.iter().filter_map(|finding| {
            let answered = finding.answer.as_ref().filter(|(answer, _)| answer.answered).map(|(_, at)| at);
            look_again(finding, answered.or(finding.sent.as_ref()).or(finding.gone.as_ref()), rules)
        });
        let apps: HashSet<&str> = grants.iter().map(|grant| grant.connected_app_id.as_str()).collect();
        let members: HashSet<&str> = grants.iter().map(|grant| grant.member_id.as_str()).collect();
        let first = grants.first();
        let only_app = first.filter(|_| apps.len() == 1).map(|grant| {
            let id = &grant.connected_app_id;
            (id.clone(), self.text(PersonKind::App, id).map(str::to_owned), grant.client_type.clone())
        });
        let only_member =
            first.filter(|_| members.len() == 1).map(|grant| (grant.member_id.clone(), self.person(&grant.member_id)));
        let policy = policy_report(&self.rows);
        let only_app = only_app.or_else(|| match policy.as_ref().map(|policy| &policy.forbids[..]) {
            Some([id]) if grants.is_empty() => Some((id.to_string(), None, None)),
            _ => None,
        });
        let acted = self.rows.all().iter().rev().find(|row| acts(row)).map_or(&summary.opened, |row| &row.clock);
        // By the rows that are judged: the summary is older or younger by the rows that came between the two reads.
        let closed = self.rows.all().iter().rev().any(|row| matches!(row.body, Body::Closing(_)));
        let last = self.rows.all().last().map_or(&summary.last, |row| &row.clock);
        Digest {
            id: self.id,
            began: summary.opened.utc,
            last: last.utc,
            connection: summary.opening.connection.clone(),
            actor: summary.opening.actor.member_id.clone(),
            actor_person: self.person(&summary.opening.actor.member_id),
            reason: self.text(PersonKind::Reason, &summary.opening.actor.member_id).map(str::to_owned),
            grants: u32_of(grants.len()),
            apps: u32_of(apps.len()),
            members: u32_of(members.len()),
            only_app,
            only_member,
            unsent: u32_of(self.findings.iter().filter(|finding| finding.never_sent()).count()),
            answered: u32_of(self.findings.iter().filter(|finding| answered(finding)).count()),
            outcomes,
            stand: stand(self.rows.all(), closed),
            unsettled: !closed || self.findings.iter().any(|finding| !finding.settled()),
            gone_at: gone.and_then(|moments| moments.into_iter().max()),
            confirmed_at: confirmed.and_then(|moments| moments.into_iter().max()),
            look_again_at: looks.max(),
            tokens_until: tokens.max(),
            acted: acted.clone(),
            collateral: beside::collateral(&self.rows),
            unseen: beside::unseen(&self.rows),
            returned: returned(&self.rows),
            head: self.head.clone(),
            single: (grants.len() == 1 && policy.is_none()).then(|| self.report(0, rules, None)).flatten(),
            policy,
        }
    }

    fn report(&self, at: usize, rules: &Rules, here: Option<&Connection>) -> Option<Report> {
        let n = self.rows.grants().get(at)?.n;
        Report::of(n, &self.rows, &self.people, self.head.clone(), rules, here)
    }
}

/// Whether a revoke of it was answered.
fn answered(finding: &Finding) -> bool {
    finding.answer.as_ref().is_some_and(|(answer, _)| answer.answered)
}

/// Whether a row is something that was done, and no look.
fn acts(row: &Row) -> bool {
    matches!(row.body, Body::Opening(_) | Body::Grant(_) | Body::Intent(_) | Body::Answer(_))
}

/// The last word on why a run ended, unless something was sent after it. Nothing is sent after a cancel: looks may follow.
fn stand(rows: &[Row], closed: bool) -> Stand {
    let mut found = Stand::Open;
    for row in rows {
        match &row.body {
            _ if found == Stand::Cancelled => break,
            Body::Note(note) => found = said(note).unwrap_or(found),
            Body::Intent(_) => found = Stand::Open,
            _ => {}
        }
    }
    if closed && found != Stand::Cancelled { Stand::Closed } else { found }
}

fn said(note: &Note) -> Option<Stand> {
    let detail = |key: &str| note.detail.get(key).cloned().unwrap_or_default();
    let number = |key: &str| detail(key).parse().unwrap_or(0);
    Some(match note.what.as_str() {
        "paused" => Stand::Paused,
        "cancelled" => Stand::Cancelled,
        "session_ended" => Stand::SessionEnded,
        "halted" => Stand::Halted { error_type: detail("error_type") },
        "canary_died" => Stand::CanaryDied { failed: number("failed"), of: number("of") },
        _ => return None,
    })
}

/// An indicator of a finding, and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Its text, if it was not erased.
    pub text: Option<String>,
    /// `id`, `name`, `look_alike` or `none`.
    pub matched_by: String,
    /// The apps that are it.
    pub apps: Vec<String>,
    /// Those whose names only look like it.
    pub look_alikes: Vec<String>,
    /// Grants of the former.
    pub grants: u32,
    /// Apps that it names, that an earlier reading had and no list had then.
    pub known_before: Vec<KnownBefore>,
}

impl Digest {
    /// Until when whoever began it may go on with it, if it is unfinished.
    #[must_use]
    pub fn resumable_until(&self) -> Utc {
        later(&self.acted, RESUME_WITHIN)
    }
}

impl Desk {
    /// Every sweep in the journal, the newest first. Findings are none.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn digests(&self) -> Result<Vec<Arc<Digest>>, Error> {
        let mut told = Vec::new();
        for summary in self.sweeps().await? {
            if summary.finding {
                continue;
            }
            told.push(self.digest_of(summary).await?);
        }
        let own = told.clone();
        for digest in told.iter_mut().filter(|digest| digest.policy.is_some()) {
            if let Some(since) = self.since(digest, &own).await? {
                *digest = told_by(digest.clone(), &since);
            }
        }
        Ok(told)
    }

    /// One sweep.
    ///
    /// # Errors
    /// [`Error::Journal`], also for one that is not there.
    pub async fn digest(&self, id: SweepId) -> Result<Arc<Digest>, Error> {
        let journal = self.journal.clone();
        let summary = blocking(move || journal.summary(id)).await?;
        let digest = self.digest_of(summary).await?;
        Ok(match self.policy_since(&digest).await? {
            Some(since) => told_by(digest, &since),
            None => digest,
        })
    }

    /// What a sweep did to the policy, told by the last read of the policy that any sweep has in its rows.
    pub(crate) async fn by_the_last_read(&self, id: SweepId, policy: PolicyReport) -> Result<PolicyReport, Error> {
        let journal = self.journal.clone();
        let summary = blocking(move || journal.summary(id)).await?;
        Ok(match self.policy_since(&*self.digest_of(summary).await?).await? {
            Some(since) => policy.told_by(&since),
            None => policy,
        })
    }

    /// The policy as it was last read there, as far as the journal can be read; for evidence, which must not fail for what other sweeps
    /// have in their rows.
    pub(crate) async fn policy_known(&self, id: SweepId) -> Option<Since> {
        let journal = self.journal.clone();
        let summary = blocking(move || journal.summary(id)).await.ok()?;
        self.policy_since(&*self.digest_of(summary).await.ok()?).await.ok()?
    }

    /// The policy as it was last read there, by a sweep that had rows since one blocked; `None` for one that blocks nothing.
    async fn policy_since(&self, digest: &Digest) -> Result<Option<Since>, Error> {
        let Some(policy) = &digest.policy else { return Ok(None) };
        let since = policy.since().map_or(digest.began, |since| since.utc);
        let mut others = Vec::new();
        for summary in self.sweeps().await? {
            if summary.id != digest.id
                && !summary.finding
                && summary.opening.connection == digest.connection
                && summary.last.utc >= since
            {
                others.push(self.digest_of(summary).await?);
            }
        }
        self.since(digest, &others).await
    }

    /// The policy of a sweep's place as it was read last: by one of these sweeps, or by a watch.
    async fn since(&self, of: &Digest, digests: &[Arc<Digest>]) -> Result<Option<Since>, Error> {
        let connection = &of.connection;
        let (journal, key) = (self.journal.clone(), Seen::key(connection));
        let noted = blocking(move || journal.get(&key)).await?;
        let noted: Option<Seen> = noted.and_then(|noted| serde_json::from_value(noted).ok());
        let there = digests.iter().filter(|digest| digest.connection == *connection);
        let policies: Vec<&PolicyReport> = there.filter_map(|digest| digest.policy.as_ref()).collect();
        let seen = policies.iter().filter_map(|policy| policy.seen().cloned()).chain(noted);
        let last = seen.reduce(|last, seen| if seen.is_later_than(&last) { seen } else { last });
        let retaken = of.policy.as_ref().is_some_and(|own| policies.iter().any(|policy| policy.retook(own)));
        Ok(last.map(|seen| Since { seen, retaken }))
    }

    async fn digest_of(&self, summary: SweepSummary) -> Result<Arc<Digest>, Error> {
        let id = summary.id;
        if let Some((rows, told)) = look(&self.digested.digests).get(&id)
            && *rows == summary.rows
        {
            return Ok(told.clone());
        }
        let (journal, rules, open) = (self.journal.clone(), self.rules, self.digested.open.clone());
        let (rows, digest) = blocking(move || {
            let mut open = look(&open);
            // A row may have come since the summary: what is told belongs to the rows that were read, and is kept as theirs.
            let tell = |told: &mut Told| {
                told.follow(&journal, &rules)?;
                Ok((told.rows.all().len() as u64, told.digest(&summary, &rules)))
            };
            match open.as_mut().filter(|told| told.id == id) {
                Some(told) => tell(told),
                None => tell(&mut Told::read(&journal, id)?),
            }
        })
        .await?;
        let digest = Arc::new(digest);
        look(&self.digested.digests).insert(id, (rows, digest.clone()));
        Ok(digest)
    }

    /// The indicators of a finding, in the order of their file, and whether everything could be read that was looked in; none of a
    /// sweep.
    ///
    /// # Errors
    /// [`Error::Journal`], also for one that is not there.
    pub async fn sought(&self, id: SweepId) -> Result<(Vec<Sought>, bool), Error> {
        let journal = self.journal.clone();
        blocking(move || {
            let (rows, people) = (journal.rows(id)?, journal.people(id)?);
            let texts: HashMap<&str, &str> = people
                .iter()
                .filter(|record| record.kind == PersonKind::Indicator && record.is_true())
                .map(|record| (record.subject.as_str(), record.text.as_str()))
                .collect();
            let mut complete = true;
            let mut found = Vec::new();
            for row in &rows {
                let Body::Note(note) = &row.row.body else { continue };
                let detail = |key: &str| note.detail.get(key).map(String::as_str).unwrap_or_default();
                let ids = |key: &str| serde_json::from_str(detail(key)).unwrap_or_default();
                if note.what == INDICATOR {
                    found.push(Sought {
                        text: texts.get(detail("n")).map(|text| (*text).to_owned()),
                        matched_by: detail("matched_by").to_owned(),
                        apps: ids("connected_app_ids"),
                        look_alikes: ids("look_alike_app_ids"),
                        grants: detail("grants").parse().unwrap_or(0),
                        known_before: serde_json::from_str(detail("known_before")).unwrap_or_default(),
                    });
                } else if note.what == INDICATORS {
                    complete = detail("complete") == "true";
                }
            }
            Ok((found, complete))
        })
        .await
    }

    /// A window of a sweep's grants in the order of its plan, how many match, and how many there are.
    ///
    /// # Errors
    /// [`Error::Journal`], also for a sweep that is not there.
    pub async fn sweep_grants(
        &self,
        id: SweepId,
        wanted: &Wanted,
        offset: u32,
        count: u32,
    ) -> Result<(Vec<Report>, u32, u32), Error> {
        let (journal, rules, open) = (self.journal.clone(), self.rules, self.digested.open.clone());
        let here = self.here();
        let wanted_outcomes = (wanted.outcomes.clone(), wanted.unsent);
        let words: Vec<String> = wanted.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let found = blocking(move || {
            let mut open = look(&open);
            if open.as_ref().is_none_or(|told| told.id != id) {
                *open = Some(Told::read(&journal, id)?);
            }
            let Some(told) = open.as_mut() else { return Err(journal::Error::NoSuchSweep(id)) };
            told.follow(&journal, &rules)?;
            let (outcomes, unsent) = &wanted_outcomes;
            let fits = |at: &usize| {
                let finding = &told.findings[*at];
                let of_outcome = match finding.never_sent() {
                    true => *unsent,
                    false => outcomes.contains(&finding.outcome),
                };
                (outcomes.is_empty() && !unsent || of_outcome)
                    && words.iter().all(|word| told.haystacks[*at].contains(word))
            };
            let matching: Vec<usize> = (0..told.findings.len()).filter(fits).collect();
            let window = matching.iter().skip(offset as usize).take(count as usize);
            let rows = window.filter_map(|&at| told.report(at, &rules, here.as_ref())).collect();
            Ok((rows, u32_of(matching.len()), u32_of(told.findings.len())))
        })
        .await?;
        let left_behind = self.was_left_behind(id);
        let (rows, matching, total) = found;
        let rows: Vec<Report> = rows;
        Ok((rows.into_iter().map(|report| Report { left_behind, ..report }).collect(), matching, total))
    }

    /// The report of a sweep of one, as it is for whoever is signed in.
    #[must_use]
    pub fn single(&self, digest: &Digest) -> Option<Report> {
        let here = self.here().is_some_and(|here| here == digest.connection);
        digest.single.clone().map(|report| Report { here, left_behind: self.was_left_behind(digest.id), ..report })
    }

    /// Whether a sweep belongs to the place and organization that is signed in to.
    #[must_use]
    pub fn is_here(&self, digest: &Digest) -> bool {
        self.here().is_some_and(|here| here == digest.connection)
    }

    /// The grants of a sweep that another request may still help: what a new plan of its rest is made of. Also those that it found
    /// gone and the last reading lists again.
    ///
    /// # Errors
    /// [`Error::Plan`] for a sweep of another place or organization than the session's: the ids would mean others here.
    /// [`Error::SignedOut`]; [`Error::Journal`], also for a sweep that is not there.
    pub async fn rest_of(&self, id: SweepId) -> Result<Vec<Pair>, Error> {
        self.seated()?;
        let digest = self.digest(id).await?;
        if !self.is_here(&digest) {
            return Err(Error::Plan(Unusable::Elsewhere));
        }
        let back = self.seen_again(id).await?;
        let back: HashSet<Pair> =
            back.into_iter().filter(|again| again.kind == Kind::SeenAgain).map(|again| again.grant).collect();
        let lines = self.sweep_report(id).await?.lines;
        let pairs = lines.iter().map(|line| {
            let (member_id, connected_app_id) = line.pair();
            (line, Pair { member_id, connected_app_id })
        });
        Ok(pairs.filter(|(line, pair)| line.may_be_sent_again() || back.contains(pair)).map(|(_, pair)| pair).collect())
    }

    /// Whether whoever is signed in may go on with it.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn may_go_on(&self, digest: &Digest) -> Result<Resume, Error> {
        if is_over(digest) {
            return Ok(Resume::Closed);
        }
        let (journal, id) = (self.journal.clone(), digest.id);
        if let Some(pid) = blocking(move || journal.running(id)).await? {
            return Ok(Resume::Held { pid });
        }
        if !self.is_here(digest) {
            return Ok(Resume::Elsewhere);
        }
        let (session, _) = self.seated()?;
        Ok(self.may_resume(digest, &session))
    }

    /// Whether a member may carry on what a sweep has open: the one who began it, within a day of the last thing that was done for
    /// it. Reads do not count: looking at an old sweep does not make it young. One that was last acted on in the future is as
    /// doubtful as an old one.
    pub(crate) fn may_resume(&self, digest: &Digest, session: &Session) -> Resume {
        if !session.is_self(&MemberId::from(digest.actor.as_str())) {
            return Resume::OtherMember;
        }
        if self.is_young(digest) { Resume::Yes } else { Resume::TooOld }
    }

    fn is_young(&self, digest: &Digest) -> bool {
        let idle = u64::try_from(millis_between(&digest.acted, &self.clock.now().stamp()));
        idle.is_ok_and(|idle| Duration::from_millis(idle) <= RESUME_WITHIN)
    }

    /// Whether somebody may go on with it, whoever that is.
    pub(crate) fn is_open(&self, digest: &Digest) -> bool {
        !is_over(digest) && self.is_young(digest)
    }

    /// The place and organization that is signed in to.
    pub(crate) fn here(&self) -> Option<Connection> {
        let session = self.session().ok()?;
        let organization = session.state().organization.organization_id;
        connection_of(&session, organization.as_str()).ok()
    }
}

/// A sweep with its block told by what was read of the policy, if that is later than its own reads.
fn told_by(digest: Arc<Digest>, since: &Since) -> Arc<Digest> {
    let Some(policy) = &digest.policy else { return digest };
    let now = policy.clone().told_by(since);
    if now == *policy {
        return digest;
    }
    Arc::new(Digest { policy: Some(now), ..(*digest).clone() })
}

fn is_over(digest: &Digest) -> bool {
    matches!(digest.stand, Stand::Closed | Stand::Cancelled)
}

/// A poisoned lock holds what was told before, which is as good as none.
fn look<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Options;

    #[tokio::test]
    async fn a_sweep_that_ends_between_two_looks_at_it_is_told_as_ended() {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = Arc::new(Journal::open(dir.path()).expect("a journal"));
        let desk = Desk::new(journal.clone(), Options::new(vault::Vault::memory(vault::Trouble::Missing)));
        let clock = desk.clock.now().stamp();
        let hash = journal::Hash([7; 32]);
        let draft = journal::OpeningDraft {
            clock: clock.clone(),
            sweep_id: SweepId::random(),
            tool: journal::Tool { name: "cutoff".into(), version: "0".into(), commit: "none".into() },
            plan_hash: hash,
            connection: Connection {
                scheme: "https".into(),
                host: "api.example".into(),
                port: 443,
                public_token_sha256: hash,
                organization_id: "organization-1".into(),
                environment: journal::Environment::Test,
            },
            actor: journal::ActorDraft {
                member_id: "member-1".into(),
                member_session_id: "session-1".into(),
                roles: Vec::new(),
                factors: Vec::new(),
                person: None,
                impersonator: None,
            },
            organization_name: None,
            reason: None,
        };
        let grant = journal::GrantDraft {
            member_id: "member-2".into(),
            connected_app_id: "app-1".into(),
            client_type: None,
            scopes: Vec::new(),
            first_party: false,
            route: journal::Route::Member,
            member_roles: None,
        };
        let id = journal.open_sweep(&draft, &[grant], &journal::People::default()).expect("opened").id;
        let before = journal.summary(id).expect("a summary");
        let closing = journal::Closing { counts: BTreeMap::new(), rules_version: 1, rows: 0 };
        let mut ended = clock;
        ended.mono_ms += 5_000;
        ended.utc = later(&ended, Duration::from_secs(5));
        let row = journal::RowDraft { clock: ended.clone(), body: Body::Closing(closing) };
        journal.append(id, &[row]).expect("appended");

        for digest in [desk.digest_of(before).await.expect("a digest"), desk.digest(id).await.expect("a digest")] {
            assert_eq!((&digest.stand, digest.last), (&Stand::Closed, ended.utc));
        }
    }
}

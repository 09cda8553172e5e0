//! Holds everything that was written down or said against what the sandbox knows to have happened, each time the program has
//! stopped, and for every moment in between. It reads the journal's rows and the files that are made of them; it does nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use cutoff::Desk;
use cutoff::clock::Clock;
use cutoff::evidence::{Since, verify_by};
use cutoff::plan_file::Pair as PlanPair;
use cutoff::sweep::rows::Rows;
use cutoff::sweep::verdict::{Finding, Outcome, Rules, findings, is_success};
use cutoff::sweeps::SweepReport;
use journal::{Body, Failure, Journal, Purpose, Row, SweepId, Verdict};
use serde_json::Value;

use crate::ground::{Ground, Pair};
use crate::turn::options;

/// What two clocks that count whole milliseconds may differ by, and what lies between a moment and its being noted.
const SLACK_MS: i64 = 6;

/// What is known of the one sweep of a run.
pub struct Judge {
    /// The journal's steady clock when the sandbox's was at nought.
    offset_ms: i64,
    confirm_ms: Option<u64>,
    /// Rows that were judged already, and what was said then.
    rows: usize,
    said: HashSet<(u32, u64)>,
    /// The most that reads were behind in any turn: the table also has what was read in earlier ones.
    most_lag_ms: i64,
}

/// How the sweep stands.
#[derive(Clone, Debug)]
pub struct Stand {
    pub closed: bool,
    pub cancelled: bool,
    pub blocked: bool,
    pub outcomes: BTreeMap<Outcome, u32>,
    pub lines: Vec<(Pair, Outcome, u32)>,
}

impl Judge {
    pub fn new(ground: &Ground, confirm_ms: Option<u64>) -> Self {
        let mono = i64::try_from(Clock::default().now().mono_ms).unwrap_or(i64::MAX);
        Self { offset_ms: mono - ground.sandbox.now_ms(), confirm_ms, rows: 0, said: HashSet::new(), most_lag_ms: 0 }
    }

    /// Judges what lies on disk now. `None`: no sweep was begun. `lag_ms`: how old the reads may have been.
    pub async fn look(&mut self, ground: &Ground, state: &Path, lag_ms: i64) -> Result<Option<Stand>, String> {
        let text = |error: journal::Error| error.to_string();
        let journal = Arc::new(Journal::open(state).map_err(text)?);
        let sweeps = journal.sweeps().map_err(text)?;
        let ledger = ground.ledger().await?;
        let Some(sweep) = sweeps.first() else {
            let ours = ours(ground, &ledger)?;
            return if ours.is_empty() { Ok(None) } else { Err(format!("sent without a sweep: {ours:?}")) };
        };
        if sweeps.len() > 1 {
            return Err("one plan, and more than one sweep".to_owned());
        }
        match journal.verify(sweep.id).map_err(text)? {
            Verdict::Sound(_) => {}
            Verdict::Broken(found) => return Err(format!("the chain is broken: {found:?}")),
        }
        let rows: Vec<Row> = journal.rows(sweep.id).map_err(text)?.into_iter().map(|stored| stored.row).collect();
        self.claims(ground, &rows, lag_ms)?;
        self.most_lag_ms = self.most_lag_ms.max(lag_ms);
        let all = Rows::new(rows);
        self.requests(ground, &all, &ledger)?;
        policy(ground, &all, &ledger)?;
        let desk = Desk::new(journal, options(self.confirm_ms));
        let report = desk.sweep_report(sweep.id).await.map_err(|error| error.to_string())?;
        if !ground.policy_touched && report.policy.as_ref().is_some_and(|policy| policy.in_force) {
            let block = report.policy.as_ref().and_then(|policy| policy.after.as_ref());
            let now = ground.control("policy", &serde_json::json!({})).await?;
            if let Some(after) = block
                && now["allowed_third_party_connected_apps"] != serde_json::json!(after.allowed_third_party)
            {
                return Err(format!("the block is said to be in force, and the policy is {now}"));
            }
        }
        let planned = |pair: &PlanPair| {
            ground
                .planned
                .iter()
                .any(|(member, app)| *member == *pair.member_id.as_str() && *app == *pair.connected_app_id.as_str())
        };
        if let Some(pair) = report.collateral.iter().flatten().find(|pair| planned(pair)) {
            return Err(format!("{pair:?} is in the plan, and is said to have vanished beside it"));
        }
        self.evidence(ground, &desk, sweep.id, &report).await?;
        let note = |what: &str| all.all().iter().any(|row| matches!(&row.body, Body::Note(note) if note.what == what));
        let attempts: BTreeMap<u32, u32> =
            findings(&all, &self.rules()).into_iter().map(|(n, finding)| (n, finding.attempts)).collect();
        let lines = (1..).zip(&report.lines).map(|(n, line)| {
            let pair = (line.member_id.clone(), line.connected_app_id.clone());
            (pair, line.outcome, attempts.get(&n).copied().unwrap_or(0))
        });
        Ok(Some(Stand {
            closed: report.closed,
            cancelled: note("cancelled"),
            blocked: note("blocked"),
            lines: lines.collect(),
            outcomes: report.outcomes,
        }))
    }

    fn rules(&self) -> Rules {
        options(self.confirm_ms).rules
    }

    /// Whatever could have been said at any moment since the last look: after each read, by each grant.
    fn claims(&mut self, ground: &Ground, rows: &[Row], lag_ms: i64) -> Result<(), String> {
        let mut so_far = Rows::default();
        for (at, row) in rows.iter().enumerate() {
            so_far.push(row.clone());
            let read = |row: Option<&Row>| row.is_some_and(|row| matches!(row.body, Body::Read(_)));
            let last = at + 1 == rows.len();
            if at < self.rows || !(last || read(Some(row)) && !read(rows.get(at + 1))) {
                continue;
            }
            for (n, finding) in findings(&so_far, &self.rules()) {
                self.claim(ground, &so_far, n, &finding, lag_ms)?;
            }
        }
        self.rows = rows.len();
        Ok(())
    }

    fn claim(&mut self, ground: &Ground, rows: &Rows, n: u32, finding: &Finding, lag_ms: i64) -> Result<(), String> {
        let gone = [Outcome::Revoked, Outcome::AlreadyGone, Outcome::MemberGone].contains(&finding.outcome);
        let Some(grant) = rows.grant(n) else { return Err(format!("no grant {n}")) };
        let said = [finding.gone.as_ref().filter(|_| gone), finding.confirmed.as_ref()];
        if gone && finding.gone.is_none() && finding.outcome != Outcome::MemberGone {
            return Err(format!("grant {n} is {:?} without a read", finding.outcome));
        }
        for clock in said.into_iter().flatten() {
            if !self.said.insert((n, clock.mono_ms)) {
                continue;
            }
            let ended = rows.all().iter().filter_map(|row| match &row.body {
                Body::Read(read) if read.began == *clock => Some(read.ended.mono_ms),
                _ => None,
            });
            let ms = |mono: u64| i64::try_from(mono).unwrap_or(i64::MAX) - self.offset_ms;
            let until = ended.max().unwrap_or(clock.mono_ms);
            let (from, until) = (ms(clock.mono_ms) - lag_ms - SLACK_MS, ms(until) + SLACK_MS);
            let lives = ground.sandbox.lives(&grant.member_id, &grant.connected_app_id);
            if lives_throughout(&lives, from, until) {
                return Err(format!(
                    "grant {n} ({} to {}) is {:?}, gone at {clock:?}, and lived from {from} to {until}: {lives:?}",
                    grant.member_id, grant.connected_app_id, finding.outcome
                ));
            }
        }
        Ok(())
    }

    /// What left, against what was intended.
    fn requests(&self, ground: &Ground, rows: &Rows, ledger: &Value) -> Result<(), String> {
        let (mut intents, mut confirmed): (BTreeMap<Pair, usize>, HashSet<u32>) = Default::default();
        let pair = |n: u32| {
            let grant = rows.grant(n).ok_or_else(|| format!("no grant {n}"))?;
            Ok::<Pair, String>((grant.member_id.clone(), grant.connected_app_id.clone()))
        };
        for row in rows.all() {
            match &row.body {
                Body::Intent(intent) => {
                    if confirmed.contains(&intent.n) {
                        return Err(format!("grant {} was sent again after it was answered", intent.n));
                    }
                    *intents.entry(pair(intent.n)?).or_default() += 1;
                }
                Body::Answer(answer) if is_success(answer) => {
                    confirmed.insert(answer.n);
                }
                // It certainly never left, so it accounts for no request.
                Body::Answer(answer) if answer.failure == Some(Failure::NotSent) => {
                    if let Some(count) = intents.get_mut(&pair(answer.n)?) {
                        *count -= 1;
                    }
                }
                _ => {}
            }
        }
        let planned: BTreeSet<&Pair> = ground.planned.iter().collect();
        for (pair, sent) in ours(ground, ledger)? {
            if !planned.contains(&pair) {
                return Err(format!("{pair:?} is in no plan and was sent"));
            }
            let intended = intents.get(&pair).copied().unwrap_or(0);
            if sent > intended {
                return Err(format!("{pair:?} was sent {sent} times and intended {intended} times"));
            }
        }
        Ok(())
    }

    /// The pack and what it says.
    async fn evidence(&self, ground: &Ground, desk: &Desk, id: SweepId, report: &SweepReport) -> Result<(), String> {
        let pack = desk.pack(id).await.map_err(|error| error.to_string())?;
        let verified =
            verify_by(&pack.bytes, Some(pack.head), &self.rules()).map_err(|error| format!("the pack: {error}"))?;
        let rows = verify_by(&pack.bytes, Some(pack.chain_head), &self.rules())
            .map_err(|error| format!("the pack's rows: {error}"))?;
        if verified.since != Since::Pack
            || rows.since != Since::Rows(pack.rows)
            || report.head != pack.chain_head.to_string()
        {
            return Err(format!("the pack has another head: {verified:?}"));
        }
        let table = entry(&pack.bytes, b"grants.csv").ok_or("the pack has no table")?;
        let mut reader = csv::Reader::from_reader(table);
        let columns = reader.headers().map_err(|error| error.to_string())?.clone();
        let column = |name: &str| columns.iter().position(|column| column == name).ok_or("a column is missing");
        let (outcome, gone_at) = (column("outcome")?, column("gone_at")?);
        let (member, app) = (column("member_id")?, column("connected_app_id")?);
        let mut lines = 0;
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            lines += 1;
            if !["revoked", "already_gone"].contains(&&record[outcome]) {
                continue;
            }
            let at: jiff::Timestamp = record[gone_at].parse().map_err(|_| "gone, and no moment of it".to_owned())?;
            let behind = jiff::Timestamp::now().as_millisecond() - at.as_millisecond();
            let at = ground.sandbox.now_ms() - behind;
            let lives = ground.sandbox.lives(&record[member], &record[app]);
            // The wall clock of a line has no end of its read: some tens of milliseconds are given for that.
            if lives_throughout(&lives, at - self.most_lag_ms - SLACK_MS, at + 300) {
                return Err(format!("the table says {} of a grant that lived: {record:?}", &record[outcome]));
            }
        }
        if lines != report.lines.len() {
            return Err(format!("the table has {lines} lines for {} grants", report.lines.len()));
        }
        Ok(())
    }
}

/// Whether a grant lived during a whole span.
fn lives_throughout(lives: &[(i64, Option<i64>)], from: i64, until: i64) -> bool {
    lives.iter().any(|(began, ended)| *began <= from && ended.is_none_or(|ended| ended > until))
}

/// Our revoke requests, by pair, as they reached the server.
fn ours(ground: &Ground, ledger: &Value) -> Result<BTreeMap<Pair, usize>, String> {
    let own = &ground.person("admin")?.member_id;
    let mut sent: BTreeMap<Pair, usize> = BTreeMap::new();
    for call in ledger["calls"].as_array().into_iter().flatten() {
        if let Some(pair) = revoked(call["path"].as_str().unwrap_or_default(), own) {
            *sent.entry(pair).or_default() += 1;
        }
    }
    for (pair, count) in &ground.theirs {
        if let Some(sent) = sent.get_mut(pair) {
            *sent = sent.saturating_sub(*count);
        }
    }
    sent.retain(|_, count| *count > 0);
    Ok(sent)
}

/// The pair that a path revokes.
fn revoked(path: &str, own: &str) -> Option<Pair> {
    let rest = path.strip_prefix("/sdk/v1/b2b/organizations/members/")?.strip_suffix("/revoke")?;
    match rest.split('/').collect::<Vec<_>>()[..] {
        ["connected_apps", app] => Some((own.to_owned(), app.to_owned())),
        [member, "connected_apps", app] => Some((member.to_owned(), app.to_owned())),
        _ => None,
    }
}

/// Pairs for which one of our requests, or the other admin's, was answered with a success.
pub fn answered(ground: &Ground, ledger: &Value) -> Result<HashSet<Pair>, String> {
    let own = &ground.person("admin")?.member_id;
    let calls = ledger["calls"].as_array().into_iter().flatten();
    let well = calls.filter(|call| matches!(call["status"].as_u64(), Some(200..=299)));
    Ok(well.filter_map(|call| revoked(call["path"].as_str()?, own)).collect())
}

/// The policy was changed as was intended, and no oftener.
fn policy(ground: &Ground, rows: &Rows, ledger: &Value) -> Result<(), String> {
    let (mut intended, mut again) = (Vec::new(), 0);
    let (mut block, mut lift) = (0, 0);
    for row in rows.all() {
        match &row.body {
            Body::PolicyIntent(intent) => {
                *(if intent.purpose == Purpose::Block { &mut block } else { &mut lift }) = 1;
                intended.push(&intent.after);
            }
            // Nobody can tell one that is still under way from one that was lost.
            Body::PolicyAnswer(answer) if answer.failure == Some(Failure::TimedOut) => again += 1,
            _ => {}
        }
    }
    let made = ledger["policy_changes"].as_array().cloned().unwrap_or_default();
    for change in &made {
        let of = |key: &str| &change["after"][key];
        let meant = intended.iter().any(|after| {
            *of("third_party_connected_apps_allowed_type") == after.third_party
                && *of("first_party_connected_apps_allowed_type") == after.first_party
                && *of("allowed_third_party_connected_apps") == serde_json::json!(after.allowed_third_party)
                && *of("allowed_first_party_connected_apps") == serde_json::json!(after.allowed_first_party)
        });
        if !meant {
            return Err(format!("the policy was changed as nobody intended: {change}"));
        }
    }
    if !ground.policy_touched && made.len() > block + lift + again {
        return Err(format!("the policy was changed {} times for {} purposes: {made:?}", made.len(), block + lift));
    }
    Ok(())
}

/// An entry of a pack: stored, one behind the other.
fn entry<'p>(mut pack: &'p [u8], wanted: &[u8]) -> Option<&'p [u8]> {
    loop {
        let (header, rest) = pack.split_at_checked(30)?;
        if header[..4] != *b"PK\x03\x04" {
            return None;
        }
        let size = u32::from_le_bytes(header[18..22].try_into().ok()?) as usize;
        let name = usize::from(u16::from_le_bytes(header[26..28].try_into().ok()?));
        let (name, rest) = rest.split_at_checked(name)?;
        let (data, rest) = rest.split_at_checked(size)?;
        if name == wanted {
            return Some(data);
        }
        pack = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::{entry, lives_throughout, revoked};

    #[test]
    fn a_grant_that_was_gone_for_a_moment_was_not_falsely_called_gone() {
        let lives = [(i64::MIN, Some(100)), (150, None)];
        assert!(lives_throughout(&lives, 20, 90));
        assert!(!lives_throughout(&lives, 90, 120));
        assert!(!lives_throughout(&lives, 120, 160));
        assert!(lives_throughout(&lives, 150, 160));
        assert!(!lives_throughout(&[], 0, 1));
    }

    #[test]
    fn the_pair_of_a_request_stands_in_its_path() {
        let base = "/sdk/v1/b2b/organizations/members";
        let of = |path: &str| revoked(&format!("{base}{path}"), "me");
        assert_eq!(of("/m/connected_apps/a/revoke"), Some(("m".into(), "a".into())));
        assert_eq!(of("/connected_apps/a/revoke"), Some(("me".into(), "a".into())));
        assert_eq!(of("/m/connected_apps"), None);
        assert_eq!(entry(b"PK", b"grants.csv"), None);
    }
}

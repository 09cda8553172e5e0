//! Plans that were begun, kept in the journal for whoever takes their sweep up again without the file; and a plan that comes
//! from a file, compared with what is there now. It carries nothing out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use journal::{Hash, SweepId};
use stytch_b2b::{ConnectedAppId, Error as ApiError, MemberId};

use crate::desk::Desk;
use crate::error::Error;
use crate::inventory::picture::{Picture, Reading, u32_of};
use crate::plan_file::{Pair, PlanFile, Unusable};
use crate::policy::{Difference, differences as differences_of_policy};
use crate::sweep::engine::blocking;
use crate::sweeps::Proposal;

/// A plan from a file, beside what is there now.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The plan, and what the picture tells of it.
    pub proposal: Proposal,
    /// Its grants that the picture does not have, though it has read their app.
    pub vanished: Vec<Pair>,
    /// Grants of its apps that are not in it, and were first seen after it was made.
    pub appeared: Vec<Pair>,
    /// Grants of its apps that are not in it, whenever they were first seen.
    pub beside: u32,
    /// The sweep that carried it out, or is unfinished, in this journal; and whether it is closed.
    pub sweep: Option<(SweepId, bool)>,
    /// For a plan with a block.
    pub policy: Option<PolicyNow>,
}

/// The organization's policy now, beside the one that a plan's block was made of.
#[derive(Clone, Debug)]
pub enum PolicyNow {
    /// How it differs; empty: it does not.
    Read(Vec<Difference>),
    /// It cannot be read, so the block cannot be made.
    Unread(ApiError),
}

/// A plan that is about to be carried out, beside what the own views of its apps list now.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Its grants that are not listed.
    pub vanished: Vec<Pair>,
    /// Listed grants of its apps that are not in it, and that the last reading of the inventory before lacked, or that were first
    /// seen after it was made.
    pub appeared: Vec<Pair>,
    /// Listed grants of its apps that are not in it, whenever they were first seen: they stay.
    pub others: HashSet<Pair>,
    /// Its apps of which nothing is known, since no whole list of theirs could be read.
    pub unread: u32,
}

impl Desk {
    /// Reads each app of a plan and compares: what a whole reading of the inventory would take longer for than can be waited before
    /// a sweep. An app that cannot be read is counted; the sweep itself reads it again.
    ///
    /// # Errors
    /// [`Error::Plan`] when it is not for here and now, or was carried out already; [`Error::SignedOut`], [`Error::Journal`].
    pub async fn beside_plan(&self, file: &PlanFile) -> Result<Beside, Error> {
        let (session, directory) = self.seated()?;
        file.fits(&session, self.clock.now().utc).map_err(Error::Plan)?;
        if let Some((_, true)) = self.sweep_of(&file.hash()).await? {
            return Err(Error::Plan(Unusable::CarriedOut));
        }
        let made: Timestamp = file.created_at.parse().map_err(|_| Error::Plan(Unusable::NotAPlan))?;
        let shown = self.shown().await.ok();
        let picture = shown.as_deref().map(|shown| &shown.picture);
        let apps: BTreeSet<&ConnectedAppId> = file.grants.iter().map(|pair| &pair.connected_app_id).collect();
        // Whatever meets one of them meets the others: a limit that is run into here is one that the sweep would have to wait for.
        let stop = AtomicBool::new(false);
        let read = |app| {
            let (session, directory, stop) = (&session, &directory, &stop);
            async move {
                if stop.load(Ordering::Relaxed) {
                    return (app, None);
                }
                let listed = match directory.read_app(session, app).await {
                    Ok(grants) if grants.unreadable.is_empty() => {
                        Some(grants.rows.iter().map(|row| row.member_id.clone()).collect())
                    }
                    Ok(_) => None,
                    Err(ApiError::ConnectedAppNotFound(_)) => Some(HashSet::new()),
                    Err(error) => {
                        tracing::warn!(%error, "a plan was not compared with what is listed now");
                        stop.store(true, Ordering::Relaxed);
                        None
                    }
                };
                (app, listed)
            }
        };
        let at_once = self.pace.concurrency.max(1);
        let read: Vec<(&ConnectedAppId, Option<HashSet<MemberId>>)> =
            stream::iter(apps).map(read).buffer_unordered(at_once).collect().await;
        let mut found = Beside {
            unread: u32_of(read.iter().filter(|(_, members)| members.is_none()).count()),
            ..Beside::default()
        };
        let mut planned: HashMap<&ConnectedAppId, HashSet<&MemberId>> = HashMap::new();
        for pair in &file.grants {
            planned.entry(&pair.connected_app_id).or_default().insert(&pair.member_id);
        }
        let known_before = |pair: &Pair| {
            let Some((picture, app)) =
                picture.and_then(|picture| Some((picture, picture.app(&pair.connected_app_id)?)))
            else {
                return true;
            };
            match picture.grant(&pair.member_id, &pair.connected_app_id) {
                Some(grant) => grant.first_seen.after.is_none() || grant.first_seen.by <= made,
                None => picture.apps[app as usize].reading != Reading::Complete,
            }
        };
        for (app, members) in read {
            let (Some(members), Some(planned)) = (members, planned.get(app)) else { continue };
            let pair = |member: &MemberId| Pair { member_id: member.clone(), connected_app_id: app.clone() };
            found
                .vanished
                .extend(planned.iter().filter(|member| !members.contains(**member)).map(|member| pair(member)));
            let others: Vec<Pair> = members.iter().filter(|member| !planned.contains(member)).map(pair).collect();
            found.appeared.extend(others.iter().filter(|pair| !known_before(pair)).cloned());
            found.others.extend(others);
        }
        for pairs in [&mut found.vanished, &mut found.appeared] {
            pairs.sort_by(|a, b| (&a.connected_app_id, &a.member_id).cmp(&(&b.connected_app_id, &b.member_id)));
        }
        Ok(found)
    }

    /// Compares a plan with the picture that is shown. Whoever wants it compared with what is so now reads the inventory first.
    ///
    /// # Errors
    /// [`Error::Plan`] when it is not for here and now, or is another one's of the same run; [`Error::NothingRead`], [`Error::SignedOut`], [`Error::Journal`].
    pub async fn compare_plan(&self, file: PlanFile, now: Timestamp) -> Result<Compared, Error> {
        let (session, _) = self.seated()?;
        file.fits(&session, now).map_err(Error::Plan)?;
        self.is_first_of_its_run(&file).await?;
        let sweep = self.sweep_of(&file.hash()).await?;
        let shown = self.shown().await?;
        let made: Timestamp = file.created_at.parse().map_err(|_| Error::Plan(Unusable::NotAPlan))?;
        let (vanished, appeared, beside) = differences(&file, &shown.picture, made);
        let never_seen = self.never_seen(&file, &shown.picture).await?;
        let proposal = Proposal { never_seen, ..Proposal::of(file, &session, &shown) };
        let policy = match &proposal.file.block {
            None => None,
            Some(block) => Some(match self.read_state(&session).await {
                Ok(now) => PolicyNow::Read(differences_of_policy(&block.before, &now)),
                Err(Error::Api(error)) => PolicyNow::Unread(error),
                Err(other) => return Err(other),
            }),
        };
        Ok(Compared { proposal, vanished, appeared, beside, sweep, policy })
    }

    /// The newest sweep of a plan, if there is one.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub async fn sweep_of_plan(&self, hash: &Hash) -> Result<Option<SweepId>, Error> {
        Ok(self.sweep_of(hash).await?.map(|(id, _)| id))
    }

    /// The time, for whoever judges a plan from outside.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now().utc
    }

    /// Refuses a plan whose run id another one was begun with: it is a plan that was carried out, edited.
    ///
    /// # Errors
    /// [`Error::Plan`] with [`Unusable::CarriedOut`]; [`Error::Journal`].
    pub(crate) async fn is_first_of_its_run(&self, plan: &PlanFile) -> Result<(), Error> {
        let (journal, key) = (self.journal.clone(), run_key(plan));
        let used = blocking(move || journal.get(&key)).await?;
        let hash = plan.hash().to_string();
        match used.as_ref().and_then(serde_json::Value::as_str) {
            Some(used) if used != hash => Err(Error::Plan(Unusable::CarriedOut)),
            _ => Ok(()),
        }
    }

    /// Uses a plan's run id up, for as long as there is this journal.
    pub(crate) async fn use_run(&self, plan: &PlanFile) -> Result<(), Error> {
        let (journal, key, value) = (self.journal.clone(), run_key(plan), plan.hash().to_string().into());
        blocking(move || journal.set(&key, &value)).await
    }

    /// Gives a plan's run id back: it was refused, and nothing of it was ever sent.
    pub(crate) async fn free_run(&self, plan: &PlanFile) -> Result<(), Error> {
        let (journal, key) = (self.journal.clone(), run_key(plan));
        blocking(move || journal.set(&key, &serde_json::Value::Null)).await
    }

    /// Keeps a plan for as long as its sweep may have to be taken up.
    pub(crate) async fn keep_plan(&self, plan: &PlanFile) -> Result<(), Error> {
        let (journal, key) = (self.journal.clone(), key(&plan.hash()));
        let value = serde_json::to_value(plan).unwrap_or_default();
        blocking(move || journal.set(&key, &value)).await
    }

    /// Forgets a plan that is carried out: its sweep's rows are the record.
    pub(crate) async fn forget_plan(&self, hash: &Hash) -> Result<(), Error> {
        let (journal, key) = (self.journal.clone(), key(hash));
        blocking(move || journal.set(&key, &serde_json::Value::Null)).await
    }

    /// The plan of a sweep that was begun from this journal.
    ///
    /// # Errors
    /// [`Error::Plan`] with [`Unusable::NotAPlan`] for one that is not kept, and [`Unusable::Newer`]; [`Error::Journal`], also where
    /// what is kept is not that plan.
    pub async fn plan_of(&self, id: SweepId) -> Result<PlanFile, Error> {
        let journal = self.journal.clone();
        let (hash, kept) = blocking(move || {
            let hash = journal.summary(id)?.opening.plan.hash;
            Ok((hash, journal.get(&key(&hash))?))
        })
        .await?;
        let kept = kept.filter(|kept| !kept.is_null()).ok_or(Error::Plan(Unusable::NotAPlan))?;
        match PlanFile::read(kept.to_string().as_bytes()) {
            Ok(plan) if plan.hash() == hash => Ok(plan),
            Err(Unusable::Newer) => Err(Error::Plan(Unusable::Newer)),
            _ => Err(Error::Journal(journal::Error::Corrupt("a kept plan is not the sweep's".to_owned()))),
        }
    }
}

fn run_key(plan: &PlanFile) -> String {
    format!("run {}", plan.run_id)
}

fn key(hash: &Hash) -> String {
    format!("plan {hash}")
}

fn differences(file: &PlanFile, picture: &Picture, made: Timestamp) -> (Vec<Pair>, Vec<Pair>, u32) {
    // Where an app could not be read, whether a grant is still there is not known; an app that a whole list lacks is gone.
    let told = |pair: &Pair| match picture.app(&pair.connected_app_id) {
        Some(app) => picture.apps[app as usize].reading == Reading::Complete,
        None => picture.facts.complete(),
    };
    let there = |pair: &Pair| picture.grant(&pair.member_id, &pair.connected_app_id).is_some();
    let vanished = file.grants.iter().filter(|pair| told(pair) && !there(pair)).cloned().collect();
    let planned: HashSet<&Pair> = file.grants.iter().collect();
    let apps: HashSet<_> = file.grants.iter().map(|pair| &pair.connected_app_id).collect();
    let (mut appeared, mut beside) = (Vec::new(), 0);
    for id in apps {
        let Some(app) = picture.app(id) else { continue };
        for grant in picture.grants_of_app(app) {
            let member_id = picture.members[grant.member as usize].id.clone();
            let pair = Pair { member_id, connected_app_id: id.clone() };
            if planned.contains(&pair) {
                continue;
            }
            beside += 1;
            // First seen after the plan, by a reading that followed one without it.
            if grant.first_seen.after.is_some() && grant.first_seen.by > made {
                appeared.push(pair);
            }
        }
    }
    appeared.sort_by(|a, b| (&a.connected_app_id, &a.member_id).cmp(&(&b.connected_app_id, &b.member_id)));
    (vanished, appeared, beside)
}

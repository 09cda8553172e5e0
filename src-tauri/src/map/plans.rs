//! Plans between the mind's words and the wire's. It moves facts and decides nothing.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use contract::inventory::{FirstSeen, GrantRow, Width};
use contract::plans as wire;
use contract::refusal::{Fault, Field, Refusal};
use cutoff::clock::rfc3339;
use cutoff::inventory::picture::Picture;
use cutoff::inventory::selection::{Noun, RowId, Selection};
use cutoff::inventory::shown::Shown as Inventory;
use cutoff::kept_plan::PolicyNow;
use cutoff::plan_file::{Pair, PlanFile};
use cutoff::session::{Session, app_forbidden};
use cutoff::sweeps::What;
use stytch_b2b::{ConnectedAppId, MemberId};

use super::contain::app_by_id;
use super::{inventory, number};
use crate::sweeping::Shown;

/// Nobody sees more rows than this at once.
const MOST_ROWS: u32 = 1_000;
/// Exact grants that a page may name: more are a selection.
const MOST_PAIRS: usize = 10_000;

pub(crate) fn what(what: wire::PlanWhat) -> Result<What, Refusal> {
    let of = |noun, id| {
        let ids = HashSet::from([id]);
        Ok(What::Selected(Selection { noun, fold: true, all: false, filter: Default::default(), ids }))
    };
    match what {
        wire::PlanWhat::Selection { selection } => Ok(What::Selected(inventory::selection(selection)?)),
        wire::PlanWhat::App { connected_app_id } => {
            of(Noun::Apps, RowId::App(ConnectedAppId::from(connected_app_id.as_str())))
        }
        wire::PlanWhat::Group { group } => of(Noun::Apps, RowId::Group(group)),
        wire::PlanWhat::Member { member_id } => of(Noun::Members, RowId::Member(MemberId::from(member_id.as_str()))),
        wire::PlanWhat::Found { .. } => Err(Refusal::Plan { fault: "not_kept".to_owned() }),
        wire::PlanWhat::Pairs { pairs } if pairs.len() > MOST_PAIRS => {
            Err(Refusal::BadInput { field: Field::Query, fault: Fault::TooLong })
        }
        wire::PlanWhat::Pairs { pairs } => Ok(What::Pairs(
            pairs
                .iter()
                .map(|pair| Pair {
                    member_id: MemberId::from(pair.member_id.as_str()),
                    connected_app_id: ConnectedAppId::from(pair.connected_app_id.as_str()),
                })
                .collect(),
        )),
    }
}

/// What must be typed: the count, where anything is revoked, and the organization, as far as its name can be typed.
fn to_type(plan: &PlanFile, session: &Session) -> String {
    let organization = session.state().organization;
    let name = typable(&organization.organization_name);
    let name = if name.is_empty() { organization.organization_id.to_string() } else { name };
    if plan.grants.is_empty() { name } else { format!("{} {name}", plan.grants.len()) }
}

/// Whether it was typed, in whatever case.
pub(crate) fn is_typed(typed: &str, plan: &PlanFile, session: &Session) -> bool {
    typable(typed).to_lowercase() == to_type(plan, session).to_lowercase()
}

/// A text without what no keyboard has: controls and characters that show nothing. One space between words.
fn typable(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    };
    let kept: String = text.chars().filter(|letter| !hidden(*letter) || letter.is_whitespace()).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn plan(hash: String, shown: &Shown, session: &Session, inventory: &Inventory) -> wire::Plan {
    let proposal = &shown.proposal;
    let file = &proposal.file;
    let picture = &inventory.picture;
    let organization = session.state().organization;
    let count = |test: &dyn Fn(&Pair) -> bool| number(file.grants.iter().filter(|pair| test(pair)).count());
    let full_access = |pair: &Pair| {
        let grant = picture.grant(&pair.member_id, &pair.connected_app_id);
        grant.is_some_and(|grant| super::full_access(&picture.scopes(grant).scopes))
    };
    let may_reconnect = |pair: &Pair| {
        let app = picture.app(&pair.connected_app_id).map(|at| picture.apps[at as usize].client_type.as_str());
        app_forbidden(&organization, pair.connected_app_id.as_str(), app) == Some(false)
    };
    wire::Plan {
        hash,
        environment: super::connection(&session.connection).environment,
        to_type: to_type(file, session),
        grants: number(file.grants.len()),
        apps: proposal.apps,
        members: proposal.members,
        first_party: proposal.first_party,
        first_party_left_out: proposal.first_party_left_out,
        own: proposal.own,
        privileged: proposal.privileged,
        full_access: count(&full_access),
        may_reconnect: count(&may_reconnect),
        lost: proposal.lost,
        missing: proposal.missing.iter().map(|missing| inventory::missing(missing, picture)).collect(),
        read_at: rfc3339(proposal.read_at),
        estimate_ms: estimate(file.grants.len(), picture),
        expires_at: file.expires_at.clone(),
        reason: file.reason.clone(),
        denied: proposal.denied.clone().map(super::denial),
        block: file.block.as_ref().map(|block| super::contain::plan_block(block, picture, session)),
        opened: shown.opened.as_ref().map(|opened| wire::OpenedPlan {
            file: opened.file.clone(),
            author: inventory::member_by_id(picture, &MemberId::from(file.author_member_id.as_str()), Some(session)),
            created_at: file.created_at.clone(),
            vanished: number(opened.vanished.len()),
            appeared: number(opened.appeared.len()),
            beside: opened.beside,
            unfinished: opened.sweep.filter(|(_, closed)| !closed).map(|(id, _)| id.to_string()),
            carried_out: opened.sweep.filter(|(_, closed)| *closed).map(|(id, _)| id.to_string()),
            // What a sweep of the plan has changed itself, or was to, is no news.
            policy_changed: opened.sweep.is_none()
                && matches!(&opened.policy, Some(PolicyNow::Read(differs)) if !differs.is_empty()),
            policy_unread: opened.sweep.is_none() && matches!(opened.policy, Some(PolicyNow::Unread(_))),
        }),
        organization_name: organization.organization_name,
    }
}

/// How long so many requests would take, by how long the last reading took for each of its calls. A sweep has as many under way at
/// once as a reading.
fn estimate(grants: usize, picture: &Picture) -> Option<u32> {
    /// Members that one answer of the search holds.
    const SEARCHED_AT_ONCE: usize = 1_000;
    let took = picture.facts.ended.duration_since(picture.facts.began).as_millis();
    let calls = i128::try_from(picture.apps.len() + 1 + picture.members.len().div_ceil(SEARCHED_AT_ONCE)).ok()?;
    u32::try_from(took * i128::try_from(grants).ok()? / calls.max(1)).ok()
}

pub(crate) fn grants(
    shown: &Shown,
    part: wire::PlanPart,
    offset: u32,
    count: u32,
    inventory: &Inventory,
    viewer: Option<&Session>,
) -> wire::PlanGrants {
    let opened = shown.opened.as_ref();
    let pairs = match part {
        wire::PlanPart::Planned => shown.proposal.file.grants.as_slice(),
        wire::PlanPart::Vanished => opened.map_or(&[][..], |opened| &opened.vanished),
        wire::PlanPart::Appeared => opened.map_or(&[][..], |opened| &opened.appeared),
    };
    let window = pairs.iter().skip(offset as usize).take(count.min(MOST_ROWS) as usize);
    wire::PlanGrants {
        rows: window.map(|pair| row(pair, &inventory.picture, viewer)).collect(),
        total: number(pairs.len()),
    }
}

/// A grant as the inventory has it; one that it does not have, by its ids.
fn row(pair: &Pair, picture: &Picture, viewer: Option<&Session>) -> GrantRow {
    match picture.grant(&pair.member_id, &pair.connected_app_id) {
        Some(grant) => inventory::grant_row(picture, grant, viewer),
        None => GrantRow {
            member: inventory::member_by_id(picture, &pair.member_id, viewer),
            app: app_by_id(Some(picture), &pair.connected_app_id),
            scopes: Vec::new(),
            width: Width { level: 0, rule: String::new(), scope: String::new() },
            first_seen: FirstSeen { after: None, by: rfc3339(picture.facts.ended) },
            change: None,
            scopes_before: None,
        },
    }
}

pub(crate) fn shares(
    shown: &Shown,
    noun: wire::PlanNoun,
    offset: u32,
    count: u32,
    inventory: &Inventory,
    viewer: Option<&Session>,
) -> wire::PlanShares {
    let (picture, pairs) = (&inventory.picture, &shown.proposal.file.grants);
    match noun {
        wire::PlanNoun::Apps => {
            let tally = tally(pairs.iter().map(|pair| &pair.connected_app_id));
            let rows = window(&tally, offset, count).map(|(id, grants)| wire::PlanShare {
                app: Some(app_by_id(Some(picture), id)),
                member: None,
                grants: *grants,
                of: picture.app(id).map_or(*grants, |at| number(picture.grants_of_app(at).len())),
            });
            wire::PlanShares { rows: rows.collect(), total: number(tally.len()) }
        }
        wire::PlanNoun::Members => {
            let tally = tally(pairs.iter().map(|pair| &pair.member_id));
            let rows = window(&tally, offset, count).map(|(id, grants)| wire::PlanShare {
                app: None,
                member: Some(inventory::member_by_id(picture, id, viewer)),
                grants: *grants,
                of: picture.member(id).map_or(*grants, |at| number(picture.grants_of_member(at).len())),
            });
            wire::PlanShares { rows: rows.collect(), total: number(tally.len()) }
        }
    }
}

/// How often each occurs, the most frequent first, those of one number in the order of the plan.
fn tally<'a, T: Eq + Hash>(ids: impl Iterator<Item = &'a T>) -> Vec<(&'a T, u32)> {
    let mut at: HashMap<&T, usize> = HashMap::new();
    let mut counted: Vec<(&T, u32)> = Vec::new();
    for id in ids {
        let place = *at.entry(id).or_insert_with(|| {
            counted.push((id, 0));
            counted.len() - 1
        });
        counted[place].1 += 1;
    }
    counted.sort_by_key(|(_, grants)| std::cmp::Reverse(*grants));
    counted
}

fn window<T>(rows: &[T], offset: u32, count: u32) -> impl Iterator<Item = &T> {
    rows.iter().skip(offset as usize).take(count.min(MOST_ROWS) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_keyboard_has_need_not_be_typed() {
        assert_eq!(typable("Acme\u{200b} \u{202e}Robotics\t 7"), "Acme Robotics 7");
        assert_eq!(typable("\u{2066}\u{feff}"), "");
    }
}

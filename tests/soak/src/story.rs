//! What one seed means: the world, the plan, the faults, the cuts and the others at work, all drawn before anything begins. It
//! carries nothing out.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Everything that is drawn for one run. Whom and what a pick means is told by the world: it is taken modulo what there is.
#[derive(Debug)]
pub struct Story {
    /// Members of the world.
    pub members: usize,
    /// Apps of the world.
    pub apps: usize,
    /// What is planned.
    pub plan: Plan,
    /// Whether the vendor's own apps are in it.
    pub first_party: bool,
    /// Whether the policy is changed with it, and whether last.
    pub block: Option<Order>,
    /// One, then five, then the rest.
    pub canary: bool,
    /// Requests at once.
    pub at_once: usize,
    /// What holds for the whole run: how the server takes a policy, who consents again.
    pub nature: Vec<Value>,
    /// One start of the program after the other, the last of them without a fault.
    pub turns: Vec<Turn>,
    /// Another member tries to go on with the sweep.
    pub intruder: bool,
    /// The block is lifted in the end, by these turns and then by one without a fault.
    pub lift: Option<Vec<Turn>>,
    /// How late a confirming read is, milliseconds; `None`: as late as it ships.
    pub confirm_ms: Option<u64>,
}

/// What is planned.
#[derive(Debug)]
pub enum Plan {
    /// All grants of these apps.
    Apps(Vec<usize>),
    /// These grants.
    Pairs(Vec<usize>),
}

/// When the policy is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    First,
    Last,
}

/// One start of the program.
#[derive(Debug, Default)]
pub struct Turn {
    /// Faults from the start on, each with its scope.
    pub faults: Vec<Value>,
    /// When they end, milliseconds.
    pub until_ms: u64,
    /// Whether the inventory is read first.
    pub looks: bool,
    /// The step at which the process dies.
    pub abort_at: Option<u32>,
    /// The step at which somebody wishes it to stop.
    pub wish_at: Option<(u32, Wish)>,
    /// What others do meanwhile, and after how many milliseconds.
    pub others: Vec<(u64, Act)>,
}

/// What somebody wishes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Wish {
    Pause,
    Cancel,
}

/// What somebody else does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Another admin revokes a grant of the plan.
    RevokePlanned(usize),
    /// Another admin revokes any grant.
    RevokeAny(usize),
    /// A member is deleted.
    Delete(usize),
    /// A member consents again.
    Consent(usize),
    /// The policy forbids an app.
    Forbid(usize),
    /// The policy allows everything.
    AllowAll,
    /// The admin is none any more, until the next start.
    Demote,
}

impl Story {
    /// What the seed means.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let dice = &mut dice;
        let stale = chance(dice, 15).then(|| dice.u64(20..250));
        let block = chance(dice, 45).then(|| if dice.bool() { Order::First } else { Order::Last });
        let plan = if block.is_some() || chance(dice, 60) {
            Plan::Apps(picks(dice, 1..4))
        } else {
            Plan::Pairs(picks(dice, 1..25))
        };
        let mut nature = Vec::new();
        if let Some(stale) = stale {
            nature.push(json!({"policy_stale_s": stale as f64 / 1000.0}));
        }
        for (percent, fault) in [
            (25, json!({"policy_hides": false})),
            (10, json!({"policy_revokes": true})),
            (20, json!({"second_revoke_404": true})),
            (25, json!({"app_404_when_empty": true})),
            (15, json!({"errors_as_text": true})),
        ] {
            if chance(dice, percent) {
                nature.push(fault);
            }
        }
        if chance(dice, 20) {
            nature.push(json!({"reconsent_after_ms": dice.u64(3..200), "reconsent_new_client_id": chance(dice, 30)}));
        }
        // A policy that was lifted and of which nobody here saw anything, behind a stale cache, cannot be told from one that never
        // forbade: no reader of the API could.
        let policy_moves = stale.is_none();
        let turns = dice.usize(1..4);
        let mut turns: Vec<Turn> = (0..turns).map(|_| turn(dice, policy_moves)).chain([Turn::default()]).collect();
        let mut lift: Option<Vec<Turn>> = (block.is_some() && chance(dice, 60)).then(|| {
            let hard = usize::from(chance(dice, 60));
            (0..hard).map(|_| turn(dice, policy_moves)).collect()
        });
        // After a revoke that was answered with success one view is enough, so a list that is cut short hides who consented again.
        let consents = |turn: &Turn| turn.others.iter().any(|(_, act)| matches!(act, Act::Consent(_)));
        let mut every: Vec<&mut Turn> = turns.iter_mut().chain(lift.iter_mut().flatten()).collect();
        let again = nature.iter().any(|fault| fault.get("reconsent_after_ms").is_some());
        if again || every.iter().any(|turn| consents(turn)) {
            every.iter_mut().for_each(|turn| turn.faults.retain(|fault| fault.get("list_cap").is_none()));
        }
        Self {
            members: dice.usize(10..41),
            apps: dice.usize(3..9),
            plan,
            first_party: chance(dice, 30),
            block,
            canary: chance(dice, 20),
            at_once: dice.usize(1..7),
            nature,
            turns,
            intruder: chance(dice, 15),
            // The evidence is judged by the rules as they ship, so a lifting is too.
            confirm_ms: (lift.is_none() && chance(dice, 40)).then_some(260),
            lift,
        }
    }
}

fn chance(dice: &mut Rng, percent: u32) -> bool {
    dice.u32(0..100) < percent
}

fn picks(dice: &mut Rng, how_many: std::ops::Range<usize>) -> Vec<usize> {
    let how_many = dice.usize(how_many);
    (0..how_many).map(|_| dice.usize(0..10_000)).collect()
}

fn turn(dice: &mut Rng, policy_moves: bool) -> Turn {
    let faults = dice.usize(0..4);
    let faults = (0..faults).flat_map(|_| fault(dice)).collect();
    let others = dice.usize(0..4);
    let others = (0..others).map(|_| (dice.u64(0..250), act(dice, policy_moves))).collect();
    let abort_at = chance(dice, 55).then(|| dice.u32(1..45));
    let wish = |dice: &mut Rng| (dice.u32(1..40), if chance(dice, 25) { Wish::Cancel } else { Wish::Pause });
    Turn {
        faults,
        until_ms: dice.u64(40..350),
        looks: chance(dice, 60),
        abort_at,
        wish_at: (abort_at.is_none() && chance(dice, 25)).then(|| wish(dice)),
        others,
    }
}

fn act(dice: &mut Rng, policy_moves: bool) -> Act {
    let pick = dice.usize(0..10_000);
    match dice.u32(0..100) {
        0..30 => Act::RevokePlanned(pick),
        30..45 => Act::RevokeAny(pick),
        45..58 => Act::Delete(pick),
        58..75 => Act::Consent(pick),
        75..84 if policy_moves => Act::Forbid(pick),
        84..92 if policy_moves => Act::AllowAll,
        92.. => Act::Demote,
        _ => Act::RevokePlanned(pick),
    }
}

/// One fault, or two that belong together.
fn fault(dice: &mut Rng) -> Vec<Value> {
    let share = |dice: &mut Rng| dice.u32(1..8) as f64 / 10.0;
    let on = *dice.choice(["/revoke", "/connected_apps", "/organizations"].iter()).unwrap_or(&"/revoke");
    let seed = dice.u64(0..1_000_000);
    let fault = match dice.u32(0..18) {
        0 | 1 => json!({"latency_ms": dice.u64(1..20)}),
        2 | 3 => json!({"reset_before_commit_share": share(dice), "fault_seed": seed, "on": on}),
        4 | 5 => json!({"reset_after_commit_share": share(dice), "fault_seed": seed, "on": on}),
        6 => json!({"server_error_share": share(dice), "fault_seed": seed, "on": on}),
        7 => {
            let body = *dice.choice(["truncated", "html", "wrong_envelope"].iter()).unwrap_or(&"html");
            json!({"body": body, "on": on})
        }
        8 => json!({"redirect_to": "http://127.0.0.1:9/", "on": "/revoke"}),
        9 => json!({"silence_s": 0.5, "on": on}),
        10 => {
            let after = chance(dice, 50).then_some(1);
            json!({"rate_limit_after": dice.u64(5..40), "rate_window_s": 1, "retry_after_s": after})
        }
        11 => json!({"session_dies_after": dice.u64(3..50)}),
        12 => json!({"role_lost_after": dice.u64(3..50)}),
        13 => json!({"read_lag_ms": dice.u64(5..120)}),
        14 => json!({"late_commit_ms": dice.u64(5..150), "on": "/revoke"}),
        15 => {
            let kind = if dice.bool() { "lone_surrogate" } else { "wrong_type" };
            json!({"bad_row": kind})
        }
        16 => json!({"list_cap": dice.u64(0..8)}),
        _ => {
            let name = *dice
                .choice(["views_disagree", "deleted_member_listed", "sdk_endpoint_off"].iter())
                .unwrap_or(&"views_disagree");
            json!({ name: true })
        }
    };
    vec![fault]
}

#[cfg(test)]
mod tests {
    use super::Story;

    #[test]
    fn a_seed_draws_the_same_story_each_time_and_another_one_another() {
        let told = |seed| format!("{:?}", Story::draw(seed));
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }

    #[test]
    fn the_last_turn_is_without_a_fault() {
        for seed in 0..200 {
            let story = Story::draw(seed);
            let last = story.turns.last().expect("a turn");
            assert!(last.faults.is_empty() && last.abort_at.is_none() && last.others.is_empty(), "{seed}");
        }
    }
}

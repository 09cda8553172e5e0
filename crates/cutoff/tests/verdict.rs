//! The rules of "gone", tried on histories that no person would write: whatever the rows, `revoked` needs a success and a
//! complete later read without the grant.

use cutoff::clock::millis_between;
use cutoff::sweep::Pace;
use cutoff::sweep::next::{Move, Terms, next};
use cutoff::sweep::verdict::{Finding, Outcome, Rules, Why, is_success};
use journal::{
    Answer, Body, Clock, Failure, Grant, Intent, Note, Policy, PolicyAnswer, PolicyIntent, PolicyRead, PolicyState,
    Purpose, Read, Route, Row, Utc, View,
};
use proptest::prelude::*;

/// What is next for the one grant of these rows.
fn ask(rows: &[Row], pace: &Pace, patient: bool, may_send: bool, now: &Clock) -> Move {
    let rules = Rules::default();
    next(1, rows, &Finding::of(1, rows, &rules), Terms { pace, rules: &rules, patient, may_send, now })
}

fn clock(ms: u64) -> Clock {
    let start: jiff::Timestamp = "2026-11-23T10:00:00Z".parse().expect("a time");
    let utc = start.checked_add(std::time::Duration::from_millis(ms)).expect("in range");
    Clock { utc: Utc::new(utc), mono_ms: ms, boot_id: "boot".into() }
}

#[derive(Clone, Debug)]
enum Event {
    Intent,
    Answer {
        status: Option<u16>,
        error_type: Option<&'static str>,
        failure: Option<Failure>,
    },
    Read {
        view: View,
        status: u16,
        listed: Option<bool>,
        complete: bool,
        forbidden: Option<bool>,
        others: u32,
    },
    Resumed,
    Note(&'static str),
    Block,
    Lift,
    PolicyAnswer {
        status: Option<u16>,
        failure: Option<Failure>,
    },
    /// What a read of the policy said of third-party apps; `None`: nothing that could be understood.
    Policy(Option<&'static str>),
}

fn event() -> impl Strategy<Value = Event> {
    let answer = prop_oneof![
        Just((Some(200), None, None)),
        Just((Some(403), Some("session_authorization_error"), None)),
        Just((Some(404), Some("connected_app_not_found"), None)),
        Just((Some(404), Some("member_not_found"), None)),
        Just((Some(429), Some("too_many_requests"), None)),
        Just((Some(500), Some("internal_server_error"), None)),
        Just((None, None, Some(Failure::TimedOut))),
        Just((None, None, Some(Failure::Reset))),
        Just((None, None, Some(Failure::NotSent))),
        Just((Some(200), None, Some(Failure::Garbled))),
    ];
    let view = prop_oneof![Just(View::App), Just(View::Member), Just(View::Organization), Just(View::Oneself)];
    let status = prop_oneof![4 => Just(200_u16), 1 => Just(404), 1 => Just(403), 1 => Just(500)];
    prop_oneof![
        2 => Just(Event::Intent),
        3 => answer.prop_map(|(status, error_type, failure)| Event::Answer { status, error_type, failure }),
        5 => (view, status, any::<Option<bool>>(), any::<bool>(), any::<Option<bool>>(), 0..2_u32).prop_map(
            |(view, status, listed, complete, forbidden, others)| Event::Read { view, status, listed, complete, forbidden, others }
        ),
        1 => Just(Event::Resumed),
        2 => done_to_all(),
    ]
}

/// What is done to the sweep as a whole, or to the policy.
fn done_to_all() -> impl Strategy<Value = Event> {
    let said = prop_oneof![Just(None), Just(Some("ALL_ALLOWED")), Just(Some("NOT_ALLOWED"))];
    let changed = prop_oneof![
        Just((Some(200), None)),
        Just((Some(403), None)),
        Just((None, Some(Failure::TimedOut))),
        Just((None, Some(Failure::NotSent))),
    ];
    let note = prop_oneof![Just("cancelled"), Just("session_ended"), Just("look_first"), Just("lifting")];
    prop_oneof![
        2 => note.prop_map(Event::Note),
        1 => Just(Event::Block),
        1 => Just(Event::Lift),
        1 => changed.prop_map(|(status, failure)| Event::PolicyAnswer { status, failure }),
        2 => said.prop_map(Event::Policy),
    ]
}

/// Events, and how far apart they are: seconds, as long as a re-read waits, or minutes. Some are what comes after an answered
/// revoke, which is where most is said.
fn history() -> impl Strategy<Value = (Vec<Event>, u64)> {
    let gap = prop_oneof![Just(1_000_u64), Just(6_000), Just(200_000)];
    let answered = Event::Answer { status: Some(200), error_type: None, failure: None };
    let later = prop_oneof![4 => Just(read(false)), 1 => any::<bool>().prop_map(of_member), 1 => Just(read(true)), 2 => done_to_all()];
    let after = prop::collection::vec(later, 0..12)
        .prop_map(move |later| [vec![Event::Intent, answered.clone()], later].concat());
    (prop_oneof![2 => prop::collection::vec(event(), 0..14), 1 => after], gap)
}

fn policy(word: &str) -> PolicyState {
    PolicyState {
        first_party: "ALL_ALLOWED".into(),
        allowed_first_party: Vec::new(),
        third_party: word.into(),
        allowed_third_party: Vec::new(),
    }
}

/// Rows as the engine could have written them: an answer belongs to the intent before it.
fn rows(events: &[Event], route: Route) -> Vec<Row> {
    spaced(events, route, 1_000)
}

/// The same, so many milliseconds apart.
fn spaced(events: &[Event], route: Route, gap: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut attempt, mut reads, mut answered) = (0, 0, true);
    let mut push = |body: Body| {
        let seq = rows.len() as u64;
        rows.push(Row { seq, clock: clock(seq * gap), body });
    };
    push(Body::Grant(Grant {
        n: 1,
        member_id: "member".into(),
        connected_app_id: "app".into(),
        client_type: Some("third_party".into()),
        scopes: Vec::new(),
        first_party: false,
        route,
        member_roles: None,
        person: None,
        app_name: None,
    }));
    for (at, event) in events.iter().enumerate() {
        let now = clock((at as u64 + 1) * gap);
        match event {
            Event::Intent => {
                attempt += 1;
                answered = false;
                push(Body::Intent(Intent { attempt, n: 1 }));
            }
            Event::Answer { status, error_type, failure } if !answered => {
                answered = true;
                push(Body::Answer(Answer {
                    attempt,
                    n: 1,
                    sent: now.clone(),
                    answered: failure.is_none(),
                    status: *status,
                    error_type: error_type.map(Into::into),
                    request_id: None,
                    server_date: None,
                    failure: *failure,
                }));
            }
            Event::Answer { .. } => push(Body::Note(Note { what: "nothing".into(), detail: Default::default() })),
            Event::Read { view, status, listed, complete, forbidden, others } => {
                reads += 1;
                push(Body::Read(Read {
                    read: reads,
                    view: *view,
                    subject: match view {
                        View::App => Some("app".into()),
                        View::Member => Some("member".into()),
                        _ => None,
                    },
                    began: now.clone(),
                    ended: now,
                    answered: true,
                    status: Some(*status),
                    error_type: (*status == 404).then(|| "connected_app_not_found".into()),
                    request_id: None,
                    server_date: None,
                    complete: *complete,
                    unreadable: u32::from(!*complete),
                    present: if *listed == Some(true) { vec![1] } else { Vec::new() },
                    absent: if *listed == Some(false) { vec![1] } else { Vec::new() },
                    policy: Some(Policy { first_party: None, third_party: None, app_forbidden: *forbidden }),
                    others_listed: Some(*others),
                }));
            }
            Event::Resumed => push(Body::Note(Note { what: "resumed".into(), detail: Default::default() })),
            Event::Note(what) => push(Body::Note(Note { what: (*what).into(), detail: Default::default() })),
            Event::Block | Event::Lift => {
                let [before, after] = ["ALL_ALLOWED", "NOT_ALLOWED"].map(policy);
                push(Body::PolicyIntent(match event {
                    Event::Block => PolicyIntent { attempt: 1, purpose: Purpose::Block, before, after },
                    _ => PolicyIntent { attempt: 2, purpose: Purpose::Lift, before: after, after: before },
                }));
            }
            Event::PolicyAnswer { status, failure } => push(Body::PolicyAnswer(PolicyAnswer {
                attempt: 1,
                sent: now,
                answered: failure.is_none(),
                status: *status,
                error_type: None,
                request_id: None,
                server_date: None,
                failure: *failure,
            })),
            Event::Policy(said) => push(Body::PolicyRead(PolicyRead {
                began: now.clone(),
                ended: now,
                answered: true,
                status: Some(200),
                error_type: None,
                request_id: None,
                server_date: None,
                state: said.map(policy),
            })),
        }
    }
    rows
}

/// When a block was last taken back, or may have been, by the rows before `at`.
fn lifted_before(rows: &[Row], at: usize) -> Option<Clock> {
    let mut lifted = None;
    for row in &rows[..at] {
        match &row.body {
            Body::Note(note) if note.what == "lifting" => lifted = Some(row.clock.clone()),
            Body::PolicyAnswer(answer) if answer.status == Some(200) && lifted.is_some() => {
                lifted = Some(row.clock.clone());
            }
            _ => {}
        }
    }
    lifted
}

/// The plainest reading of the rule, written apart from the code under test: a complete 200 without the grant, from a view
/// that may prove it, that began at or after `since`. For ten minutes after a block was lifted no list may.
fn clean_reads_after(rows: &[Row], since: &Clock) -> Vec<Clock> {
    let mut app_404 = false;
    let clean = rows.iter().enumerate().filter_map(|(at, row)| {
        let Body::Read(read) = &row.body else { return None };
        if read.view == View::App {
            app_404 = read.status == Some(404);
        }
        let doubted = lifted_before(rows, at).is_some_and(|lifted| millis_between(&lifted, &read.began) < 600_000);
        let allowed = !doubted && read.policy.as_ref().and_then(|policy| policy.app_forbidden) == Some(false);
        let may_prove = match read.view {
            View::App => true,
            View::Member => allowed,
            View::Oneself => {
                allowed
                    && rows.iter().any(|row| matches!(&row.body, Body::Grant(grant) if grant.route == Route::Oneself))
            }
            View::Organization => allowed && app_404 && read.others_listed > Some(0),
            View::Unknown => false,
        };
        let clean = may_prove
            && read.status == Some(200)
            && read.complete
            && read.absent == [1]
            && read.present.is_empty()
            && millis_between(since, &read.began) >= 0;
        clean.then(|| read.began.clone())
    });
    clean.collect()
}

/// When a read last listed the grant of another than oneself.
fn last_listed(rows: &[Row]) -> Option<Clock> {
    rows.iter().rev().find_map(|row| match &row.body {
        Body::Read(read) if read.view == View::Oneself => None,
        Body::Read(read) if read.status == Some(200) && read.present == [1] => Some(read.began.clone()),
        _ => None,
    })
}

/// Whether what was seen of the policy last, at or after `since`, is that it forbids the app, or did until ten minutes before.
fn forbidden_since(rows: &[Row], since: &Clock) -> bool {
    let seen = rows.iter().enumerate().rev().find_map(|(at, row)| {
        let (began, forbidden) = match &row.body {
            // Asked for another grant, or of somebody else.
            Body::Read(read)
                if read.view == View::Organization && read.present.is_empty() && read.absent.is_empty() =>
            {
                return None;
            }
            Body::Read(read) if read.view == View::Oneself => return None,
            Body::Read(read) => (&read.began, read.policy.as_ref()?.app_forbidden?),
            Body::PolicyRead(read) => (&read.began, read.state.as_ref()?.third_party == "NOT_ALLOWED"),
            _ => return None,
        };
        let doubted = lifted_before(rows, at).is_some_and(|lifted| millis_between(&lifted, began) < 600_000);
        (millis_between(since, began) >= 0).then_some(forbidden || doubted)
    });
    seen == Some(true)
}

fn noted(rows: &[Row], what: &str) -> Option<u64> {
    rows.iter().rev().find(|row| matches!(&row.body, Body::Note(note) if note.what == what)).map(|row| row.seq)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn revoked_needs_a_success_and_a_clean_later_read((events, gap) in history(), own in any::<bool>()) {
        let rows = spaced(&events, if own { Route::Oneself } else { Route::Member }, gap);
        let finding = Finding::of(1, &rows, &Rules::default());
        let success = rows.iter().rev().find_map(|row| match &row.body {
            Body::Answer(answer) if is_success(answer) => Some(row.clock.clone()),
            _ => None,
        });
        if finding.outcome == Outcome::Revoked {
            let since = success.clone();
            prop_assert!(since.is_some(), "revoked without a success");
            prop_assert!(!clean_reads_after(&rows, &since.unwrap()).is_empty(), "revoked without a clean read after it");
        }
        if matches!(finding.outcome, Outcome::Accepted | Outcome::StillThere) {
            prop_assert!(success.is_some(), "{:?} without a success", finding.outcome);
        }
        if finding.outcome == Outcome::AlreadyGone {
            prop_assert!(success.is_none());
            prop_assert!(!clean_reads_after(&rows, &clock(0)).is_empty(), "already gone without any clean read");
        }
        if finding.confirmed.is_some() {
            prop_assert!(matches!(finding.outcome, Outcome::Revoked | Outcome::AlreadyGone | Outcome::MemberGone));
        }
    }

    #[test]
    fn still_there_is_said_of_what_is_listed_fifteen_seconds_after_the_answer_and_never_earlier(
        (events, gap) in history(),
    ) {
        let rows = spaced(&events, Route::Member, gap);
        let finding = Finding::of(1, &rows, &Rules::default());
        let success = rows.iter().rev().find_map(|row| match &row.body {
            Body::Answer(answer) if is_success(answer) => Some(row.clock.clone()),
            _ => None,
        });
        let listed_after = success.as_ref().and_then(|since| Some(millis_between(since, &last_listed(&rows)?)));
        if finding.outcome == Outcome::StillThere {
            prop_assert!(listed_after >= Some(15_000), "listed {listed_after:?} ms after the answer");
        }
        if finding.why == Some(Why::ListedYet) {
            prop_assert!(matches!(listed_after, Some(0..15_000)), "listed {listed_after:?} ms after the answer");
            prop_assert!(!finding.settled(), "a later read tells more");
        }
    }

    #[test]
    fn what_was_done_to_the_policy_and_to_the_sweep_is_told_as_it_was((events, gap) in history()) {
        let rows = spaced(&events, Route::Member, gap);
        let finding = Finding::of(1, &rows, &Rules::default());
        let answers = || rows.iter().filter_map(|row| match &row.body {
            Body::Answer(answer) => Some((answer, row.clock.clone())),
            _ => None,
        });
        let intents = rows.iter().filter(|row| matches!(row.body, Body::Intent(_))).count();
        let last_sent = rows.iter().rev().find(|row| matches!(row.body, Body::Intent(_))).map(|row| row.clock.clone());
        let success = answers().rfind(|(answer, _)| is_success(answer)).map(|(_, at)| at);
        let answered = answers().next_back().filter(|(answer, _)| answer.answered).map(|(_, at)| at);
        let since = success.or(answered).or(last_sent).unwrap_or_else(|| clock(0));

        if finding.outcome == Outcome::Hidden || finding.why == Some(Why::HiddenByPolicy) {
            prop_assert!(forbidden_since(&rows, &since), "{finding:?}, and the policy was last seen to allow it");
        }
        if finding.outcome == Outcome::Failed && intents == 0 {
            prop_assert!(noted(&rows, "cancelled").is_some(), "never sent, and nobody called it off");
        }
        if finding.why == Some(Why::SessionEnded) {
            prop_assert!(noted(&rows, "session_ended") > noted(&rows, "resumed"), "the session lives again");
        }
        if let Some(confirmed) = &finding.confirmed {
            let changed = rows.iter().rev().find(|row| match &row.body {
                Body::PolicyIntent(_) => true,
                Body::PolicyAnswer(answer) => answer.status == Some(200),
                Body::Note(note) => note.what == "lifting",
                _ => false,
            });
            let from = changed.map_or(&since, |row| if millis_between(&since, &row.clock) > 0 { &row.clock } else { &since });
            prop_assert!(millis_between(from, confirmed) >= 600_000, "confirmed before what was done could show");
            let clean = clean_reads_after(&rows, &since);
            prop_assert!(clean.contains(confirmed) && clean[0] != *confirmed, "confirmed by no second clean read");
        }
    }

    #[test]
    fn a_request_without_an_answer_is_never_failed_or_denied_unless_it_is_still_listed((events, gap) in history()) {
        let rows = spaced(&events, Route::Member, gap);
        let finding = Finding::of(1, &rows, &Rules::default());
        let unanswered = rows.iter().any(|row| match &row.body {
            Body::Intent(intent) => !rows.iter().any(|other| matches!(&other.body, Body::Answer(answer) if answer.attempt == intent.attempt)),
            _ => false,
        });
        if unanswered && finding.listed.is_none() {
            prop_assert!(!matches!(finding.outcome, Outcome::Failed | Outcome::Denied), "{:?}", finding.outcome);
        }
    }

    #[test]
    fn an_answered_revoke_is_never_sent_again_and_reading_never_sends((events, gap) in history()) {
        let rows = spaced(&events, Route::Member, gap);
        let now = clock(10_000_000);
        let last_intent = rows.iter().rev().find_map(|row| match &row.body {
            Body::Intent(intent) => Some(intent.attempt),
            _ => None,
        });
        let answered = rows.iter().any(|row| matches!(&row.body, Body::Answer(answer) if Some(answer.attempt) == last_intent && is_success(answer)));
        let pace = Pace::default();
        let asked = ask(&rows, &pace, false, true, &now);
        if answered {
            prop_assert!(asked != Move::Send, "an answered revoke would be repeated");
        }
        prop_assert!(ask(&rows, &pace, false, false, &now) != Move::Send);
    }

    #[test]
    fn every_history_comes_to_rest((events, gap) in history(), own in any::<bool>(), listed in any::<bool>(), stands in any::<bool>()) {
        // Whatever came before: give every move its dullest answer, or list it each time, and it must end, also where no more
        // time passes than is waited for.
        let route = if own { Route::Oneself } else { Route::Member };
        let mut rows = spaced(&events, route, gap);
        let pace = Pace::default();
        let mut time = 10_000_000;
        let present = if listed { vec![1] } else { Vec::new() };
        for _ in 0..60 {
            time += if stands { 0 } else { 60_000 };
            let attempt = rows.iter().filter(|row| matches!(row.body, Body::Intent(_))).count() as u32 + 1;
            let body = match ask(&rows, &pace, false, true, &clock(time)) {
                Move::Rest => return Ok(()),
                Move::Wait(left) => {
                    time += u64::try_from(left.as_millis()).expect("a pause");
                    continue;
                }
                Move::Send => Body::Intent(Intent { attempt, n: 1 }),
                Move::Read => Body::Read(Read {
                    read: 0,
                    view: if own { View::Oneself } else { View::App },
                    subject: (!own).then(|| "app".into()),
                    began: clock(time),
                    ended: clock(time),
                    answered: listed,
                    status: listed.then_some(200),
                    error_type: None,
                    request_id: None,
                    server_date: None,
                    complete: listed,
                    unreadable: 0,
                    present: present.clone(),
                    absent: Vec::new(),
                    policy: None,
                    others_listed: None,
                }),
            };
            let seq = rows.len() as u64;
            rows.push(Row { seq, clock: clock(time), body });
        }
        prop_assert!(false, "it never came to rest");
    }
}

fn read(listed: bool) -> Event {
    Event::Read {
        view: View::App,
        status: 200,
        listed: Some(listed),
        complete: true,
        forbidden: Some(false),
        others: 1,
    }
}

/// A look at its member's own view.
fn of_member(listed: bool) -> Event {
    match read(listed) {
        Event::Read { status, listed, complete, forbidden, others, .. } => {
            Event::Read { view: View::Member, status, listed, complete, forbidden, others }
        }
        other => other,
    }
}

fn next_of(events: &[Event]) -> Move {
    let rows = rows(events, Route::Member);
    ask(&rows, &Pace::default(), true, true, &clock(60_000))
}

#[test]
fn what_somebody_called_off_is_not_sent_by_whoever_takes_the_sweep_up() {
    let not_sent = Event::Answer { status: None, error_type: None, failure: Some(Failure::NotSent) };
    let limited = Event::Answer { status: Some(429), error_type: Some("too_many_requests"), failure: None };
    for answer in [not_sent, limited] {
        let begun = [Event::Note("look_first"), read(true), Event::Intent, answer];
        assert_eq!(next_of(&begun), Move::Send, "put off, and sent again");
        let off = [&begun[..], &[Event::Note("cancelled"), Event::Resumed]].concat();
        assert_eq!(next_of(&off), Move::Rest, "called off in between");
    }
}

#[test]
fn a_grant_that_is_listed_again_is_sent_although_it_was_gone_before_the_block() {
    let gone = [Event::Note("look_first"), read(false), of_member(false), Event::Block];
    assert_eq!(next_of(&gone), Move::Rest);
    assert_eq!(next_of(&[&gone[..], &[Event::Resumed, read(true)]].concat()), Move::Send);
}

#[test]
fn what_a_read_showed_gone_before_a_block_that_came_last_is_not_sent_again() {
    let lost = Event::Answer { status: None, error_type: None, failure: Some(Failure::Reset) };
    let gone = [Event::Note("look_first"), read(true), Event::Intent, lost, read(false), of_member(false)];
    assert_eq!(next_of(&gone), Move::Rest);
    assert_eq!(next_of(&[&gone[..], &[Event::Block]].concat()), Move::Rest);
}

#[test]
fn what_its_members_own_view_lists_is_there_and_is_sent_whatever_the_apps_view_lacks() {
    let look = [Event::Note("look_first"), read(false), of_member(true)];
    assert_eq!(next_of(&look), Move::Send, "the app's list may have been cut short");
    let finding = Finding::of(1, &rows(&look, Route::Member), &Rules::default());
    assert_eq!((finding.outcome, finding.gone), (Outcome::Unknown, None));
}

#[test]
fn a_member_is_called_gone_only_by_the_apps_own_view_after_the_answer() {
    let refused = || Event::Answer { status: Some(404), error_type: Some("member_not_found"), failure: None };
    let outcome = |events: &[Event]| Finding::of(1, &rows(events, Route::Member), &Rules::default()).outcome;
    assert_eq!(outcome(&[Event::Intent, refused(), read(false)]), Outcome::MemberGone);
    assert_ne!(outcome(&[read(false), Event::Intent, refused()]), Outcome::MemberGone, "read before the answer");
    assert_ne!(outcome(&[Event::Intent, refused(), read(false), read(true)]), Outcome::MemberGone, "listed since");
    let (of_app, of_organization) = (404, View::Organization);
    let unknown =
        Event::Read { view: View::App, status: of_app, listed: None, complete: false, forbidden: None, others: 0 };
    let lacks = Event::Read {
        view: of_organization,
        status: 200,
        listed: Some(false),
        complete: true,
        forbidden: Some(false),
        others: 1,
    };
    assert_ne!(
        outcome(&[Event::Intent, refused(), unknown, lacks]),
        Outcome::MemberGone,
        "another view than the app's"
    );
}

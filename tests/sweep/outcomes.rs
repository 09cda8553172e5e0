//! One outcome after another, each provoked at the sandbox and compared with its ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cutoff::activity::Resume;
use cutoff::plan_file::{Pair, PlanFile, Unusable};
use cutoff::revoke::Ask;
use cutoff::sweep::verdict::{Outcome, Why};
use cutoff::sweep::{Observer, Step, Wish};
use cutoff::sweeps::Apply;
use cutoff::{Desk, Error};
use promises::ground::{self, Place};
use sandbox::{Options as SandboxOptions, Sandbox};
use serde_json::json;
use tempfile::TempDir;

struct Ground {
    sandbox: Sandbox,
    place: Place,
    desk: Desk,
    dir: TempDir,
    member: String,
    app: String,
}

impl Ground {
    async fn with(options: cutoff::Options) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.expect("the sandbox starts");
        let place = Place::of(&sandbox);
        let dir = tempfile::tempdir().expect("a directory");
        let desk = ground::desk(dir.path(), options);
        place.sign_in(&desk, &ground::email(&sandbox, "admin")).await;
        let (member, app) = place.some_grant(&sandbox).await;
        desk.read_inventory(&|_| {}).await.expect("the apps can be read");
        Self { sandbox, place, desk, dir, member, app }
    }

    async fn new() -> Self {
        Self::with(ground::quick()).await
    }

    fn ask(&self) -> Ask {
        Ask { member_id: self.member.clone(), connected_app_id: self.app.clone(), ..Ask::default() }
    }

    async fn revoke(&self) -> cutoff::report::Report {
        self.desk.revoke(&self.ask(), None).await.expect("a report")
    }

    async fn there(&self) -> bool {
        self.place.has(&self.member, &self.app).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_is_called_revoked_only_after_a_later_read() {
    let ground = Ground::new().await;
    let before = ground.place.ledger().await["calls"].as_array().map_or(0, Vec::len);
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Revoked);
    assert!(!ground.there().await, "the ledger must lack the grant");
    let ledger = ground.place.ledger().await;
    let calls = &ledger["calls"].as_array().expect("calls")[before..];
    let methods: Vec<_> = calls.iter().map(|call| call["method"].as_str().unwrap_or_default()).collect();
    assert_eq!(methods, ["POST", "GET"], "one revoke and one read again, nothing else: {calls:?}");
    assert!(report.gone_at >= report.answered_at, "the read began after the answer");
    assert!(report.request_id.as_deref().is_some_and(|id| id.starts_with("request-id-")));
    assert!(report.confirmed_at.is_none() && report.confirm_due_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_clean_read_confirms_and_sends_nothing() {
    let mut options = ground::quick();
    options.rules.confirm_after = Duration::from_millis(300);
    let ground = Ground::with(options).await;
    let report = ground.revoke().await;
    assert!(report.confirmed_at.is_none());
    tokio::time::sleep(Duration::from_millis(400)).await;
    ground.desk.tend(jiff::Timestamp::now()).await.expect("tended");
    let report = ground.desk.report(report.sweep_id).await.expect("a report");
    assert_eq!(report.outcome, Outcome::Revoked);
    assert!(report.confirmed_at.is_some(), "{report:?}");
    assert_eq!(ground.place.revokes().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_before_the_commit_is_sent_again_and_one_after_it_is_not() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"reset_after_commit_share": 1.0, "on": "/revoke"})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::AlreadyGone, "gone, but no answer of ours says who did it: {report:?}");
    assert!(report.answered_at.is_none());
    assert_eq!(report.attempts, 1, "absent in a later read, so it is not sent again");
    assert!(!ground.there().await);

    let ground = Ground::new().await;
    ground.place.faults(json!({"reset_before_commit_share": 1.0, "on": "/revoke"})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Unknown, "{report:?}");
    assert_eq!(report.attempts, 3, "listed and unanswered is sent again, three times in all");
    assert!(report.unsettled && ground.there().await);
    ground.place.faults(json!({"reset_before_commit_share": null})).await;
    let settled = ground.desk.settle(report.sweep_id, true).await.expect("it can be settled");
    assert_eq!(settled.outcome, Outcome::Revoked, "{settled:?}");
    assert!(!ground.there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_lands_after_the_connection_died_is_never_called_either_way_too_early() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"late_commit_ms": 700, "on": "/revoke"})).await;
    let report = ground.revoke().await;
    let there = ground.there().await;
    match report.outcome {
        Outcome::Unknown => {}
        Outcome::AlreadyGone | Outcome::Revoked => assert!(!there, "{report:?}"),
        other => panic!("{other:?}: {report:?}"),
    }
    ground.place.faults(json!({"late_commit_ms": null})).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    let settled = ground.desk.settle(report.sweep_id, false).await.expect("it can be settled");
    assert_eq!(settled.outcome, Outcome::AlreadyGone, "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_garbled_success_is_not_a_success() {
    for body in ["truncated", "html", "wrong_envelope"] {
        let ground = Ground::new().await;
        ground.place.faults(json!({"body": body, "on": "/revoke"})).await;
        let report = ground.revoke().await;
        assert_eq!(report.outcome, Outcome::AlreadyGone, "{body}: {report:?}");
        assert!(report.failure.is_some(), "{body}: the report says that no usable answer came");
        assert!(!ground.there().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_lag_are_waited_for_before_anything_is_called_still_there() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"read_lag_ms": 150})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Revoked, "{report:?}");

    let ground = Ground::new().await;
    ground.place.faults(json!({"read_lag_ms": 60_000})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::StillThere, "{report:?}");
    assert_eq!(report.attempts, 1, "an answered revoke is not repeated");
    ground.place.faults(json!({"read_lag_ms": null})).await;
    let settled = ground.desk.settle(report.sweep_id, false).await.expect("read again");
    assert_eq!(settled.outcome, Outcome::Revoked, "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_app_s_view_cannot_be_read_the_member_s_tells_and_where_none_can_nothing_is_claimed() {
    let ground = Ground::new().await;
    let app_read = format!("/organizations/connected_apps/{}", ground.app);
    ground.place.faults(json!({"body": "truncated", "on": app_read})).await;
    let report = ground.revoke().await;
    // The member's own list still tells.
    assert_eq!(report.outcome, Outcome::Revoked, "{report:?}");

    let ground = Ground::new().await;
    ground.place.faults(json!({"body": "wrong_envelope", "on": "/connected_apps"})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Unknown, "neither the answer nor any read could be understood: {report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_row_never_proves_absence() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"bad_row": "surrogate"})).await;
    let report = ground.revoke().await;
    match report.outcome {
        Outcome::Revoked => assert!(!ground.there().await),
        Outcome::Accepted => assert!(matches!(report.why, Some(Why::ReadIncomplete | Why::ReadFailed)), "{report:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_hides_the_app_makes_it_accepted_or_hidden_never_gone() {
    let ground = Ground::new().await;
    let forbid = json!({
        "organization_id": ground.place.organization_id,
        "third_party_connected_apps_allowed_type": "NOT_ALLOWED",
        "first_party_connected_apps_allowed_type": "NOT_ALLOWED",
    });
    ground.place.faults(json!({"policy_hides": true})).await;
    ground.place.control("policy", forbid.clone()).await;
    let report = ground.revoke().await;
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::HiddenByPolicy)), "{report:?}");

    let ground = Ground::new().await;
    ground.place.faults(json!({"policy_hides": true})).await;
    ground.place.control("policy", forbid).await;
    ground.place.faults(json!({"reset_before_commit_share": 1.0, "on": "/revoke"})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Hidden, "{report:?}");
    assert!(ground.there().await, "hidden is not gone, and the ledger knows it");
    let allow = json!({
        "organization_id": ground.place.organization_id,
        "third_party_connected_apps_allowed_type": "ALL_ALLOWED",
        "first_party_connected_apps_allowed_type": "ALL_ALLOWED",
    });
    ground.place.control("policy", allow).await;
    ground.place.faults(json!({"reset_before_commit_share": null})).await;
    let settled = ground.desk.settle(report.sweep_id, true).await.expect("settled");
    assert_eq!(settled.outcome, Outcome::Revoked, "{settled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_member_is_member_gone() {
    let ground = Ground::new().await;
    ground.place.control("delete_member", json!({"member_id": ground.member})).await;
    let report = ground.revoke().await;
    assert!(matches!(report.outcome, Outcome::MemberGone | Outcome::AlreadyGone), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_admin_finds_it_already_gone() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"second_revoke_404": true})).await;
    let other_dir = tempfile::tempdir().expect("a directory");
    let other = ground::desk(other_dir.path(), ground::quick());
    ground.place.sign_in(&other, &ground::email(&ground.sandbox, "admin")).await;
    assert_eq!(other.revoke(&ground.ask(), None).await.expect("a report").outcome, Outcome::Revoked);
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::AlreadyGone, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_grant_of_an_app_is_gone_although_the_app_left_every_list() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"app_404_when_empty": true})).await;
    let ledger = ground.place.ledger().await;
    let grants = ledger["grants"].as_array().expect("grants");
    let only = grants.iter().find(|grant| {
        grants.iter().filter(|other| other["connected_app_id"] == grant["connected_app_id"]).count() == 1
    });
    let only = only.expect("an app with a single grant");
    let ask = Ask {
        member_id: only["member_id"].as_str().expect("an id").to_owned(),
        connected_app_id: only["connected_app_id"].as_str().expect("an id").to_owned(),
        ..Ask::default()
    };
    let report = ground.desk.revoke(&ask, None).await.expect("a report");
    assert_eq!(report.outcome, Outcome::Revoked, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_proves_absence_by_the_apps_of_a_reading_that_an_earlier_start_made() {
    let ground = Ground::new().await;
    let ledger = ground.place.ledger().await;
    let grants = ledger["grants"].as_array().expect("grants");
    let alone = |grant: &serde_json::Value| {
        grants.iter().filter(|other| other["connected_app_id"] == grant["connected_app_id"]).count() == 1
    };
    let only = grants.iter().find(|grant| alone(grant)).expect("an app with a single grant");
    let id = |key: &str| only[key].as_str().expect("an id");
    ground.place.faults(json!({"app_404_when_empty": true})).await;
    ground.place.control("delete_member", json!({"member_id": only["member_id"]})).await;
    // This start reads no inventory: neither the app nor the member is left to be asked, only the organization's list.
    let later = ground::desk(ground.dir.path(), ground::quick());
    ground.place.sign_in(&later, &ground::email(&ground.sandbox, "admin")).await;
    let session = later.session().expect("signed in");
    let pair = Pair { member_id: id("member_id").into(), connected_app_id: id("connected_app_id").into() };
    let plan = PlanFile::new(&session, vec![pair], None, jiff::Timestamp::now()).expect("a plan");
    let (_wish, wishes) = tokio::sync::watch::channel(Wish::Run);
    let progress = tokio::sync::watch::Sender::default();
    let report = later.apply(&plan, &Apply::default(), wishes, progress, None).await.expect("a report");
    assert!(report.closed, "{report:?}");
    assert_eq!(report.lines[0].outcome, Outcome::AlreadyGone, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_list_of_the_same_sweep_has_again_is_not_called_revoked() {
    let ground = Ground::new().await;
    let grants = ground.place.ledger().await["grants"].as_array().expect("grants").clone();
    let own = ground::member_id(&ground.sandbox, "admin");
    let of_app = grants
        .iter()
        .filter(|grant| grant["connected_app_id"] == json!(ground.app) && grant["member_id"] != json!(own.to_string()));
    let pairs: Vec<Pair> = of_app
        .take(2)
        .map(|grant| Pair {
            member_id: grant["member_id"].as_str().expect("an id").into(),
            connected_app_id: ground.app.as_str().into(),
        })
        .collect();
    let session = ground.desk.session().expect("signed in");
    let plan = PlanFile::new(&session, pairs.clone(), None, jiff::Timestamp::now()).expect("a plan");
    // One consents again before the first read after the answers, so that there is a second; the other between the two.
    let (place, app, members) = (
        ground.place.clone(),
        ground.app.clone(),
        pairs.iter().map(|pair| pair.member_id.to_string()).collect::<Vec<_>>(),
    );
    let turn = Arc::new(AtomicU8::new(0));
    let told = turn.clone();
    let observer: Observer = Arc::new(move |step| {
        let member = match (step, turn.load(Ordering::SeqCst)) {
            (Step::AnswerRecorded, 0) => return turn.store(1, Ordering::SeqCst),
            (Step::Reading, 1) => &members[0],
            (Step::ReadRecorded, 2) => &members[1],
            _ => return,
        };
        turn.fetch_add(1, Ordering::SeqCst);
        let consent = json!({"member_id": member, "connected_app_id": app, "scopes": ["openid"]});
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(place.control("consent", consent)));
    });
    let (_wish, wishes) = tokio::sync::watch::channel(Wish::Run);
    let progress = tokio::sync::watch::Sender::default();
    let report = ground.desk.apply(&plan, &Apply::default(), wishes, progress, Some(&observer)).await;
    assert_eq!(told.load(Ordering::SeqCst), 3, "both consented again");
    let outcomes: Vec<_> = report.expect("a report").lines.iter().map(|line| line.outcome).collect();
    assert_eq!(outcomes, [Outcome::StillThere, Outcome::StillThere], "both are in the last list");
    assert_eq!(ground.place.revokes().await, 2, "and nothing was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_in_advance_sends_nothing_and_asked_anyway_teaches() {
    let ground = Ground::new().await;
    let reader = ground::desk(ground.dir.path().join("reader").as_path(), ground::quick());
    ground.place.sign_in(&reader, &ground::email(&ground.sandbox, "reader")).await;
    let before = ground.place.revokes().await;
    match reader.revoke(&ground.ask(), None).await {
        Err(Error::NotAllowed(denial)) => {
            assert!(!denial.asked && denial.request_id.is_none());
            assert!(denial.roles_that_hold_it.contains(&"stytch_admin".to_owned()), "{denial:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ground.place.revokes().await, before, "said in advance: nothing was sent");
    let report = reader.revoke(&Ask { ask_anyway: true, ..ground.ask() }, None).await.expect("a report");
    assert_eq!(report.outcome, Outcome::Denied, "{report:?}");
    assert!(report.request_id.is_some() && report.needs.is_some());
    assert!(ground.there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_between_revoke_and_read_is_accepted_then_settled_after_signing_in_again() {
    let ground = Ground::new().await;
    // The revoke is this session's next call; the read after it finds the session dead.
    ground.place.faults(json!({"session_dies_after": 1})).await;
    let report = ground.revoke().await;
    assert_eq!((report.outcome, report.why), (Outcome::Accepted, Some(Why::SessionEnded)), "{report:?}");
    assert!(report.unsettled);
    assert!(matches!(ground.desk.session().map(|_| ()), Err(Error::SignedOut { .. })));
    ground.place.faults(json!({"session_dies_after": null})).await;
    ground.place.sign_in(&ground.desk, &ground::email(&ground.sandbox, "admin")).await;
    ground.desk.tend(jiff::Timestamp::now()).await.expect("tended");
    for report in ground.desk.reports().await.expect("reports") {
        let called_revoked = report.outcome == Outcome::Revoked;
        assert!(!(called_revoked && ground.there().await), "{report:?}");
        assert!(!report.unsettled, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_app_goes_by_the_self_endpoint() {
    let ground = Ground::new().await;
    let me = ground::member_id(&ground.sandbox, "member");
    let own = ground::desk(ground.dir.path().join("own").as_path(), ground::quick());
    ground.place.sign_in(&own, &ground::email(&ground.sandbox, "member")).await;
    let ledger = ground.place.ledger().await;
    let grant =
        ledger["grants"].as_array().expect("grants").iter().find(|grant| grant["member_id"] == json!(me)).cloned();
    let grant = grant.expect("the plain member has an app");
    let app = grant["connected_app_id"].as_str().expect("an id").to_owned();
    let report =
        own.revoke(&Ask { member_id: me.clone(), connected_app_id: app.clone(), ..Ask::default() }, None).await;
    let report = report.expect("a report");
    assert_eq!(report.outcome, Outcome::Revoked, "{report:?}");
    assert!(report.own && !ground.place.has(&me, &app).await);
    let ledger = ground.place.ledger().await;
    let path = ledger["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .rev()
        .find_map(|call| call["path"].as_str().filter(|path| path.ends_with("/revoke")).map(str::to_owned));
    assert_eq!(
        path.as_deref(),
        Some(format!("/sdk/v1/b2b/organizations/members/connected_apps/{app}/revoke").as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_own_list_proves_nothing_of_what_a_colleague_left_open() {
    let ground = Ground::new().await;
    let me = ground::member_id(&ground.sandbox, "member");
    let ledger = ground.place.ledger().await;
    let grant =
        ledger["grants"].as_array().expect("grants").iter().find(|grant| grant["member_id"] == json!(me)).cloned();
    let app = grant.expect("the plain member has an app")["connected_app_id"].as_str().expect("an id").to_owned();
    let dir = ground.dir.path().join("shared");
    let left = {
        let desk = ground::desk(&dir, ground::quick());
        ground.place.sign_in(&desk, &ground::email(&ground.sandbox, "member")).await;
        ground.place.faults(json!({"reset_before_commit_share": 1.0, "on": "/revoke"})).await;
        let ask = Ask { member_id: me.clone(), connected_app_id: app.clone(), ..Ask::default() };
        desk.revoke(&ask, None).await.expect("a report")
    };
    assert_eq!(left.outcome, Outcome::Unknown, "{left:?}");
    ground.place.faults(json!({"reset_before_commit_share": null})).await;

    // The next to sign in at this computer is the admin, whose own list lacks the member's app.
    let desk = ground::desk(&dir, ground::quick());
    ground.place.sign_in(&desk, &ground::email(&ground.sandbox, "admin")).await;
    desk.tend(jiff::Timestamp::now()).await.expect("tended");
    let report = desk.report(left.sweep_id).await.expect("a report");
    assert!(ground.place.has(&me, &app).await);
    assert_eq!(report.outcome, Outcome::Unknown, "it is still there, and only the member may go on: {report:?}");
    assert!(
        matches!(desk.settle(left.sweep_id, true).await, Err(Error::PlanChanged)),
        "nobody sends in another's name"
    );
    // The chain says who looked.
    let rows = desk_rows(&dir, left.sweep_id);
    let admin = ground::member_id(&ground.sandbox, "admin");
    assert!(rows.iter().any(|line| line.contains("resumed") && line.contains(&admin)), "{rows:#?}");
}

fn desk_rows(dir: &std::path::Path, id: journal::SweepId) -> Vec<String> {
    let journal = journal::Journal::open(dir).expect("the journal opens beside the desk");
    journal.rows(id).expect("rows").into_iter().map(|stored| stored.line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_left_is_told_as_unknown_even_when_the_session_ends_before_it_is_read_again() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"reset_after_commit_share": 1.0, "on": "/revoke"})).await;
    ground.place.faults(json!({"session_dies_after": 1})).await;
    let report = ground.revoke().await;
    assert_eq!(report.outcome, Outcome::Unknown, "nobody knows yet, and nobody says otherwise: {report:?}");
    assert!(report.unsettled);
    ground.place.faults(json!({"session_dies_after": null, "reset_after_commit_share": null})).await;
    ground.place.sign_in(&ground.desk, &ground::email(&ground.sandbox, "admin")).await;
    ground.desk.tend(jiff::Timestamp::now()).await.expect("tended");
    let report = ground.desk.report(report.sweep_id).await.expect("a report");
    assert_eq!(report.outcome, Outcome::AlreadyGone, "{report:?}");
    assert!(!ground.there().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_left_open_for_more_than_a_day_is_not_sent_again_however_lately_it_was_looked_at() {
    let ago = Duration::from_secs(3 * 24 * 3600);
    is_left_alone(|now| now - ago).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_that_a_clock_set_back_shows_in_the_future_is_neither_offered_nor_sent_again() {
    let ahead = Duration::from_secs(2 * 3600);
    is_left_alone(|now| now + ahead).await;
}

/// A revoke that was left open at another time is not gone on with.
async fn is_left_alone(then: impl Fn(jiff::Timestamp) -> jiff::Timestamp) {
    let ground = Ground::new().await;
    let report = ground.revoke().await;
    // The same sweep as it would lie in a journal of then, with an intent and no answer.
    let journal = journal::Journal::open(ground.dir.path()).expect("the journal opens beside the desk");
    let opening = journal.summary(report.sweep_id).expect("a summary").opening;
    let then = then(report.began_at.parse().expect("a time"));
    let clock = journal::Clock { utc: journal::Utc::new(then), mono_ms: 1, boot_id: "an earlier boot".into() };
    let draft = journal::OpeningDraft {
        clock: clock.clone(),
        sweep_id: journal::SweepId::random(),
        tool: opening.tool,
        plan_hash: opening.plan.hash,
        connection: opening.connection,
        actor: journal::ActorDraft {
            member_id: opening.actor.member_id,
            member_session_id: opening.actor.member_session_id,
            roles: opening.actor.roles,
            factors: opening.actor.factors,
            person: None,
            impersonator: None,
        },
        organization_name: None,
        reason: None,
    };
    let grant = journal::GrantDraft {
        member_id: ground.member.clone(),
        connected_app_id: ground.app.clone(),
        client_type: report.grant.client_type.clone(),
        scopes: Vec::new(),
        first_party: false,
        route: journal::Route::Member,
        member_roles: None,
    };
    let intent = journal::RowDraft { clock, body: journal::Body::Intent(journal::Intent { attempt: 1, n: 1 }) };
    let id = journal.open_sweep_with(&draft, &[grant], &journal::People::default(), &[intent]).expect("opened").id;
    // Meanwhile the member has, rightly, let the app act again.
    let consent = json!({"member_id": ground.member, "connected_app_id": ground.app, "scopes": ["openid"]});
    ground.place.control("consent", consent).await;
    ground.desk.tend(jiff::Timestamp::now()).await.expect("tended");
    let digest = ground.desk.digest(id).await.expect("a digest");
    assert_eq!(ground.desk.may_go_on(&digest).await.expect("an answer"), Resume::TooOld, "and it is not offered");
    assert!(matches!(ground.desk.settle(id, true).await, Err(Error::PlanChanged)), "too old to go on with");
    assert!(ground.there().await, "what was consented to since is left alone");
    assert_eq!(ground.place.revokes().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_does_not_take_the_next_persons_out_of_the_keyring() {
    let ground = Ground::new().await;
    let vault = vault::Vault::memory(vault::Trouble::Missing);
    let desk = |name: &str| {
        let mut options = ground::quick();
        options.vault = vault.clone();
        ground::desk(&ground.dir.path().join(name), options)
    };
    let (first, second) = (desk("shared"), desk("shared"));
    ground.place.sign_in(&first, &ground::email(&ground.sandbox, "admin")).await;
    second.restore().await.expect("the kept session is taken up by a second window");
    second.sign_out(false).await.expect("and ended there");
    ground.place.sign_in(&second, &ground::email(&ground.sandbox, "member")).await;
    // The first window learns that its session is over. It must neither become the member nor end the member's session.
    assert!(matches!(first.check_session(None).await, Err(Error::SignedOut { .. })));
    let third = desk("shared");
    third.restore().await.expect("the member's session is still kept");
    let kept = third.session().expect("and lives").state().member.member_id;
    assert_eq!(kept.as_str(), ground::member_id(&ground.sandbox, "member"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_is_confirmed_when_what_it_revoked_is_and_never_for_what_was_gone_before() {
    let mut options = ground::quick();
    options.rules.confirm_after = Duration::from_millis(300);
    let ground = Ground::with(options).await;
    let shown = ground.desk.shown().await.expect("an inventory");
    let picture = &shown.picture;
    let pair = |grant: &cutoff::inventory::picture::Grant| Pair {
        member_id: picture.members[grant.member as usize].id.clone(),
        connected_app_id: picture.apps[grant.app as usize].id.clone(),
    };
    let others = picture.grants.iter().map(pair).filter(|pair| pair.member_id.as_str() != ground.member);
    let mut pairs: Vec<Pair> = others.take(2).collect();
    pairs.push(Pair { member_id: ground.member.as_str().into(), connected_app_id: ground.app.as_str().into() });
    ground.revoke().await;
    let sweep = async || {
        let session = ground.desk.session().expect("signed in");
        let plan = PlanFile::new(&session, pairs.clone(), None, jiff::Timestamp::now()).expect("a plan");
        let (_wish, wishes) = tokio::sync::watch::channel(Wish::Run);
        let progress = tokio::sync::watch::Sender::default();
        let report = ground.desk.apply(&plan, &Apply::default(), wishes, progress, None).await.expect("a report");
        tokio::time::sleep(Duration::from_millis(400)).await;
        ground.desk.tend(jiff::Timestamp::now()).await.expect("tended");
        ground.desk.digest(report.id).await.expect("a digest")
    };
    let digest = sweep().await;
    assert_eq!(digest.outcomes, [(Outcome::Revoked, 2), (Outcome::AlreadyGone, 1)].into(), "one was gone before");
    assert!(digest.confirmed_at.is_some() && digest.confirmed_at > digest.gone_at, "{digest:?}");
    let digest = sweep().await;
    assert_eq!(digest.outcomes, [(Outcome::AlreadyGone, 3)].into(), "all were gone before");
    assert!(digest.gone_at.is_some() && digest.confirmed_at.is_none(), "nothing was revoked: {digest:?}");
    assert_eq!(ground.place.revokes().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_sweep_is_planned_again_only_where_it_was() {
    let ground = Ground::new().await;
    ground.place.faults(json!({"reset_before_commit_share": 1.0, "on": "/revoke"})).await;
    let report = ground.revoke().await;
    ground.place.faults(json!({"reset_before_commit_share": null})).await;
    assert_eq!(report.outcome, Outcome::Unknown, "{report:?}");
    let rest = ground.desk.rest_of(report.sweep_id).await.expect("what is left");
    let whose: Vec<_> = rest.iter().map(|pair| (pair.member_id.as_str(), pair.connected_app_id.as_str())).collect();
    assert_eq!(whose, [(ground.member.as_str(), ground.app.as_str())]);
    let other = Sandbox::start(SandboxOptions::default()).await.expect("another sandbox starts");
    Place::of(&other).sign_in(&ground.desk, &ground::email(&other, "admin")).await;
    let refused = ground.desk.rest_of(report.sweep_id).await.expect_err("it was elsewhere");
    assert!(matches!(refused, Error::Plan(Unusable::Elsewhere)), "{refused:?}");
}

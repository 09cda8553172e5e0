//! A real `kill -9` between each two steps of the revoke. The victim is this test's own binary, started again with the
//! step to die at; no crash hook ships.

use std::process::Command;
use std::sync::Arc;

use cutoff::revoke::Ask;
use cutoff::sweep::Step;
use cutoff::sweep::verdict::Outcome;
use promises::ground::{self, Place};
use sandbox::{Options as SandboxOptions, Sandbox};
use serde_json::json;

const VICTIM: &str = "CUTOFF_TEST_VICTIM";

const STEPS: [(&str, Step); 10] = [
    ("opened", Step::Opened),
    ("intent_recorded", Step::IntentRecorded),
    ("sending", Step::Sending),
    ("answered", Step::Answered),
    ("answer_recorded", Step::AnswerRecorded),
    ("reading", Step::Reading),
    ("read", Step::Read),
    ("read_recorded", Step::ReadRecorded),
    ("waiting", Step::Waiting),
    ("closed", Step::Closed),
];

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Ok(orders) = std::env::var(VICTIM) else { return };
    let orders: serde_json::Value = serde_json::from_str(&orders).expect("orders");
    let text = |key: &str| orders[key].as_str().expect("an order").to_owned();
    let step = STEPS.iter().find(|(name, _)| *name == text("step")).expect("a known step").1;
    let place = Place {
        url: text("url"),
        public_token: text("public_token"),
        organization_id: text("organization_id"),
        control: text("control"),
    };
    let mut options = ground::quick();
    options.observer = Arc::new(move |now| {
        if now == step {
            let killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            assert!(killed.is_ok_and(|status| status.success()), "kill is part of every Debian");
            loop {
                std::thread::park();
            }
        }
    });
    let desk = ground::desk(std::path::Path::new(&text("dir")), options);
    place.sign_in(&desk, &text("email")).await;
    let ask = Ask { member_id: text("member"), connected_app_id: text("app"), ..Ask::default() };
    let _ = desk.revoke(&ask, None).await;
    panic!("the step {} never came", text("step"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_any_two_steps_loses_nothing_and_claims_nothing() {
    for (name, step) in STEPS {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.expect("the sandbox starts");
        let place = Place::of(&sandbox);
        let email = ground::email(&sandbox, "admin");
        let (member, app) = place.some_grant(&sandbox).await;
        let dir = tempfile::tempdir().expect("a directory");
        if step == Step::Waiting {
            // Only a grant that is still listed makes the sweep wait.
            place.faults(json!({"read_lag_ms": 120_000})).await;
        }
        let orders = json!({
            "step": name, "url": place.url, "public_token": place.public_token, "organization_id": place.organization_id,
            "control": place.control, "dir": dir.path(), "email": email, "member": member, "app": app,
        });
        let exe = std::env::current_exe().expect("this binary");
        let died = tokio::process::Command::new(exe)
            .args(["killed::victim", "--exact", "--nocapture"])
            .env(VICTIM, orders.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .await
            .expect("the victim starts");
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&died),
            Some(9),
            "{name}: it died of the kill: {died:?}"
        );
        place.faults(json!({"read_lag_ms": null})).await;

        // The next start, in this process: sign in, and let time's work be done.
        let desk = ground::desk(dir.path(), ground::quick());
        place.sign_in(&desk, &email).await;
        desk.tend(jiff::Timestamp::now()).await.expect("tended");
        let reports = desk.reports().await.expect("reports");
        assert_eq!(reports.len(), 1, "{name}: the one sweep is there");
        let report = &reports[0];
        let there = place.has(&member, &app).await;
        match step {
            // Plan and first intent are one write, so neither is there without the other.
            Step::Opened | Step::IntentRecorded => {
                assert!(there, "{name}: nothing had left");
                assert_eq!(report.outcome, Outcome::Unknown, "{name}: {report:?}");
            }
            // It died as the request was about to leave: it may have, or not.
            Step::Sending => assert_eq!(there, report.outcome == Outcome::Unknown, "{name}: {report:?}"),
            Step::Answered => {
                assert_eq!(report.outcome, Outcome::AlreadyGone, "{name}: no answer was recorded: {report:?}")
            }
            _ => assert_eq!(report.outcome, Outcome::Revoked, "{name}: {report:?}"),
        }
        let sent = place.revokes().await;
        assert!(sent <= 1, "{name}: settling by reading sends nothing");

        // And going on from there ends it, without repeating an answered revoke.
        let ask = Ask { member_id: member.clone(), connected_app_id: app.clone(), ..Ask::default() };
        if report.unsettled {
            let settled = desk.settle(report.sweep_id, true).await.expect("it goes on");
            assert!(matches!(settled.outcome, Outcome::Revoked | Outcome::AlreadyGone), "{name}: {settled:?}");
            assert!(!place.has(&member, &app).await, "{name}");
            assert_eq!(place.revokes().await, 1, "{name}: it was sent once in all");
        } else {
            assert!(!place.has(&ask.member_id, &ask.connected_app_id).await, "{name}");
        }
    }
}

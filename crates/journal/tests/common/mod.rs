//! Drafts for the tests: one organization, one administrator, plain values. It holds no assertions.
#![allow(dead_code, reason = "each test file uses another part of it")]

use std::path::Path;
use std::process::{Child, Command, Stdio};

use journal::*;
use uuid::Uuid;

/// A clock `ms` milliseconds after a fixed moment.
pub fn clock(ms: u64) -> Clock {
    let utc = jiff::Timestamp::from_millisecond(1_772_361_727_000 + ms as i64).unwrap();
    Clock { utc: utc.into(), mono_ms: 5_000 + ms, boot_id: "boot-1".into() }
}

pub fn opening(sweep_id: SweepId) -> OpeningDraft {
    OpeningDraft {
        clock: clock(0),
        sweep_id,
        tool: Tool { name: "cutoff".into(), version: "0.1.0".into(), commit: "unknown".into() },
        plan_hash: Hash::of(sweep_id.0.as_bytes()),
        connection: Connection {
            scheme: "https".into(),
            host: "test.stytch.com".into(),
            port: 443,
            public_token_sha256: Hash::of(b"public-token-test-1"),
            organization_id: "organization-test-1".into(),
            environment: Environment::Test,
        },
        actor: ActorDraft {
            member_id: "member-test-admin".into(),
            member_session_id: "member-session-test-1".into(),
            roles: vec!["stytch_admin".into()],
            factors: vec!["email_otp".into()],
            person: None,
            impersonator: Some("support@vendor.test".into()),
        },
        organization_name: None,
        reason: Some("advisory of this morning".into()),
    }
}

pub fn grants(count: usize) -> Vec<GrantDraft> {
    (1..=count)
        .map(|n| GrantDraft {
            member_id: format!("member-test-{n}"),
            connected_app_id: "connected-app-test-1".into(),
            client_type: Some("third_party_public".into()),
            scopes: vec!["openid".into(), "contacts.write".into()],
            first_party: false,
            route: Route::Member,
            member_roles: None,
        })
        .collect()
}

pub fn people(count: usize) -> People {
    People {
        members: (1..=count)
            .map(|n| {
                (
                    format!("member-test-{n}"),
                    Person { name: Some(format!("Grace {n}")), email: Some(format!("grace{n}@acme.test")) },
                )
            })
            .collect(),
        apps: [("connected-app-test-1".to_owned(), "DataSync".to_owned())].into(),
    }
}

/// Opens a sweep of that many grants with a random id.
pub fn sweep(journal: &Journal, count: usize) -> Sweep {
    journal.open_sweep(&opening(SweepId::random()), &grants(count), &people(count)).unwrap()
}

pub fn row(ms: u64, body: Body) -> RowDraft {
    RowDraft { clock: clock(ms), body }
}

pub fn intent(attempt: u32, n: u32) -> RowDraft {
    row(u64::from(attempt), Body::Intent(Intent { attempt, n }))
}

pub fn answer(attempt: u32, n: u32) -> RowDraft {
    let answer = Answer {
        attempt,
        n,
        sent: clock(u64::from(attempt)),
        answered: true,
        status: Some(200),
        error_type: None,
        request_id: Some("request-id-test-1".into()),
        server_date: Some("Sun, 01 Mar 2026 10:42:07 GMT".into()),
        failure: None,
    };
    row(u64::from(attempt) + 1, Body::Answer(answer))
}

pub fn read(number: u32, present: Vec<u32>, absent: Vec<u32>) -> RowDraft {
    let read = Read {
        read: number,
        view: View::App,
        subject: Some("connected-app-test-1".into()),
        began: clock(100),
        ended: clock(120),
        answered: true,
        status: Some(200),
        error_type: None,
        request_id: Some("request-id-test-2".into()),
        server_date: None,
        complete: true,
        unreadable: 0,
        present,
        absent,
        policy: Some(Policy { first_party: None, third_party: Some("ALL_ALLOWED".into()), app_forbidden: Some(false) }),
        others_listed: None,
    };
    row(120, Body::Read(read))
}

pub fn note(what: &str) -> RowDraft {
    row(130, Body::Note(Note { what: what.into(), detail: [("run".to_owned(), "2".to_owned())].into() }))
}

pub fn closing(outcome: &str, count: u64) -> RowDraft {
    row(140, Body::Closing(Closing { counts: [(outcome.to_owned(), count)].into(), rules_version: 1, rows: 0 }))
}

/// The walked chain, or a panic that says where it is broken.
pub fn sound(journal: &Journal, sweep: SweepId) -> Walked {
    match journal.verify(sweep).unwrap() {
        Verdict::Sound(walked) => walked,
        Verdict::Broken(found) => panic!("sweep {sweep} is broken: {found:?}"),
    }
}

/// Runs an ignored test of this same test program in a process of its own, with the state directory and sweep in its
/// environment. The caller reaps it.
pub fn process(test: &str, dir: &Path, sweep: SweepId) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("JOURNAL_DIR", dir)
        .env("JOURNAL_SWEEP", sweep.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What [`process`] was given, seen from inside the other process.
pub fn given() -> (Journal, SweepId) {
    let dir = std::env::var_os("JOURNAL_DIR").expect("run by another test, with JOURNAL_DIR and JOURNAL_SWEEP set");
    let sweep = SweepId(std::env::var("JOURNAL_SWEEP").unwrap().parse::<Uuid>().unwrap());
    (Journal::open(Path::new(&dir)).unwrap(), sweep)
}

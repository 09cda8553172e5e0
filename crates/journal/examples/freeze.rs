//! Writes a small representative journal to freeze: `cargo run -p journal --example freeze -- DIR` leaves
//! `DIR/journal-<version>.sqlite3`. Later versions must open it for ever (`tests/frozen.rs`). Ids and clocks are fixed; the
//! journal's id and the salts are random, as in life.

use std::path::PathBuf;

use journal::*;
use uuid::Uuid;

fn clock(ms: i64) -> Clock {
    let utc = jiff::Timestamp::from_millisecond(1_772_361_727_000 + ms).expect("a moment that exists");
    Clock {
        utc: utc.into(),
        mono_ms: 90_000 + ms.unsigned_abs(),
        boot_id: "5f0c4b0a-3f5e-4d0e-9d1b-1f6f3f7c2a10".into(),
    }
}

fn opening(number: u128, environment: Environment, reason: Option<&str>) -> OpeningDraft {
    let sandbox = environment == Environment::Sandbox;
    OpeningDraft {
        clock: clock(0),
        sweep_id: SweepId(Uuid::from_u128(number)),
        tool: Tool { name: "cutoff".into(), version: env!("CARGO_PKG_VERSION").into(), commit: "unknown".into() },
        plan_hash: Hash::of(&number.to_be_bytes()),
        connection: Connection {
            scheme: if sandbox { "http" } else { "https" }.into(),
            host: if sandbox { "127.0.0.1" } else { "test.stytch.com" }.into(),
            port: if sandbox { 8080 } else { 443 },
            public_token_sha256: Hash::of(b"public-token-test-00000000-0000-4000-8000-000000000000"),
            organization_id: "organization-test-1".into(),
            environment,
        },
        actor: ActorDraft {
            member_id: "member-test-admin".into(),
            member_session_id: "member-session-test-1".into(),
            roles: vec!["stytch_member".into(), "stytch_admin".into()],
            factors: vec!["email_otp".into()],
            person: None,
            impersonator: None,
        },
        organization_name: None,
        reason: reason.map(Into::into),
    }
}

fn grant(member: &str, app: &str, route: Route) -> GrantDraft {
    GrantDraft {
        member_id: member.into(),
        connected_app_id: app.into(),
        client_type: Some("third_party_confidential".into()),
        scopes: vec!["openid".into(), "contacts.write".into()],
        first_party: false,
        route,
        member_roles: None,
    }
}

fn intent(ms: i64, attempt: u32, n: u32) -> RowDraft {
    RowDraft { clock: clock(ms), body: Body::Intent(Intent { attempt, n }) }
}

fn answer(
    ms: i64,
    attempt: u32,
    n: u32,
    status: Option<u16>,
    error_type: Option<&str>,
    failure: Option<Failure>,
) -> RowDraft {
    let answer = Answer {
        attempt,
        n,
        sent: clock(ms - 40),
        answered: status.is_some(),
        status,
        error_type: error_type.map(Into::into),
        request_id: status.map(|_| format!("request-id-test-{attempt}")),
        server_date: status.map(|_| "Sun, 01 Mar 2026 10:42:07 GMT".into()),
        failure,
    };
    RowDraft { clock: clock(ms), body: Body::Answer(answer) }
}

fn read(ms: i64, number: u32, view: View, present: &[u32], absent: &[u32]) -> RowDraft {
    let read = Read {
        read: number,
        view,
        subject: (view == View::App).then(|| "connected-app-test-1".into()),
        began: clock(ms - 30),
        ended: clock(ms),
        answered: true,
        status: Some(200),
        error_type: None,
        request_id: Some(format!("request-id-test-read-{number}")),
        server_date: None,
        complete: true,
        unreadable: 0,
        present: present.to_vec(),
        absent: absent.to_vec(),
        policy: Some(Policy {
            first_party: Some("ALL_ALLOWED".into()),
            third_party: Some("RESTRICTED".into()),
            app_forbidden: (view == View::App).then_some(false),
        }),
        others_listed: (view == View::Organization).then_some(3),
    };
    RowDraft { clock: clock(ms), body: Body::Read(read) }
}

fn closing(ms: i64, counts: &[(&str, u64)]) -> RowDraft {
    let counts = counts.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect();
    RowDraft { clock: clock(ms), body: Body::Closing(Closing { counts, rules_version: 1, rows: 0 }) }
}

fn note(ms: i64, what: &str) -> RowDraft {
    RowDraft {
        clock: clock(ms),
        body: Body::Note(Note { what: what.into(), detail: [("run".to_owned(), "2".to_owned())].into() }),
    }
}

fn write(journal: &Journal) -> Result<(), Error> {
    journal.set("theme", &serde_json::json!("system"))?;
    journal.save_connection(&SavedConnection {
        id: Uuid::from_u128(0x70),
        name: "Acme Robotics".into(),
        base_url: "https://test.stytch.com".into(),
        public_token: "public-token-test-00000000-0000-4000-8000-000000000000".into(),
        organization_id: Some("organization-test-1".into()),
        organization_name: Some("Acme Robotics".into()),
        organization_slug: Some("acme".into()),
        email: Some("admin@acme.test".into()),
        app_identifier: "dev.cutoff.desktop".into(),
        sdk_identifier: "dev.cutoff.desktop".into(),
        sandbox: false,
        created_utc: clock(-5_000).utc,
        last_used_utc: Some(clock(-1_000).utc),
    })?;
    let person = |name: &str, email: &str| Person { name: Some(name.into()), email: Some(email.into()) };
    let people = People {
        members: [
            ("member-test-1".to_owned(), person("Grace Hopper", "grace@acme.test")),
            ("member-test-é/../2".to_owned(), person("Robert'); DROP TABLE rows;--", "bobby@acme.test")),
        ]
        .into(),
        apps: [("connected-app-test-1".to_owned(), "DataSync \u{202e}cnyS".to_owned())].into(),
    };

    // A sweep of three: revoked, unanswered and sent again, gone by itself; closed, confirmed, closed again.
    let plan = [
        grant("member-test-1", "connected-app-test-1", Route::Member),
        grant("member-test-é/../2", "connected-app-test-1", Route::Member),
        grant("member-test-3", "connected-app-test-1", Route::Member),
    ];
    let first = journal.open_sweep(&opening(1, Environment::Test, Some("advisory of 1 March")), &plan, &people)?.id;
    journal.append(first, &[intent(100, 1, 1), intent(101, 2, 2), intent(102, 3, 3)])?;
    journal.append(
        first,
        &[
            answer(180, 1, 1, Some(200), None, None),
            answer(190, 2, 2, None, None, Some(Failure::TimedOut)),
            answer(195, 3, 3, Some(404), Some("connected_app_not_found"), None),
            note(5_000, "resumed"),
            read(6_000, 1, View::App, &[2], &[1, 3]),
            intent(6_100, 4, 2),
            answer(6_200, 4, 2, Some(200), None, None),
            read(7_000, 2, View::App, &[], &[1, 2, 3]),
            closing(7_010, &[("revoked", 3)]),
            read(700_000, 3, View::App, &[], &[1, 2, 3]),
            closing(700_010, &[("revoked", 3)]),
        ],
    )?;
    // A single revoke of one's own app in the sandbox, which the process did not live to settle.
    let own = [grant("member-test-admin", "connected-app-test-2", Route::Oneself)];
    let second = journal.open_sweep(&opening(2, Environment::Sandbox, None), &own, &People::default())?.id;
    journal.append(second, &[intent(100, 1, 1)])?;
    // One that was answered with a refusal.
    let third = journal.open_sweep(&opening(3, Environment::Live, None), &plan[..1], &people)?.id;
    journal.append(
        third,
        &[
            intent(100, 1, 1),
            answer(150, 1, 1, Some(403), Some("session_authorization_error"), None),
            read(200, 1, View::Organization, &[1], &[]),
            closing(210, &[("denied", 1)]),
        ],
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: freeze DIR")?);
    let target = dir.join(format!("journal-{}.sqlite3", env!("CARGO_PKG_VERSION")));
    if target.exists() {
        return Err(format!("{} exists; a frozen journal is never written again", target.display()).into());
    }
    let work = tempfile::tempdir_in(&dir)?;
    let journal = Journal::open(work.path())?;
    write(&journal)?;
    // The last connection to close carries the log over into the file, so the file alone is the journal.
    drop(journal);
    if work.path().join(format!("{FILE_NAME}-wal")).exists() {
        return Err("the write-ahead log is still there: something else has the journal open".into());
    }
    std::fs::rename(work.path().join(FILE_NAME), &target)?;
    println!("{}", target.display());
    Ok(())
}

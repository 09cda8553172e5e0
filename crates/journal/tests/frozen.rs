//! Every journal a shipped version wrote lies in `tests/frozen` and must open, verify and say the same for ever. A file there is
//! added once per version, and per schema that was worked with (`examples/freeze.rs`), and never changed.

use std::path::PathBuf;

use journal::*;
use uuid::Uuid;

/// Opens a copy: a newer version may bring the schema of what it opens up to date.
fn thawed() -> Vec<(String, tempfile::TempDir, Journal)> {
    let frozen = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/frozen");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(frozen).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sqlite3") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let dir = tempfile::tempdir().unwrap();
            std::fs::copy(&path, dir.path().join(FILE_NAME)).unwrap();
            let journal = Journal::open(dir.path()).unwrap_or_else(|error| panic!("{name} does not open: {error}"));
            all.push((name, dir, journal));
        }
    }
    for must in ["journal-0.1.0.sqlite3", "journal-schema-2.sqlite3"] {
        assert!(all.iter().any(|(name, ..)| name == must), "{must} is missing");
    }
    all
}

fn bodies(journal: &Journal, sweep: SweepId) -> Vec<Body> {
    journal.rows(sweep).unwrap().into_iter().map(|stored| stored.row.body).collect()
}

#[test]
fn every_frozen_journal_verifies() {
    for (name, _dir, journal) in thawed() {
        let sweeps = journal.sweeps().unwrap();
        assert!(!sweeps.is_empty(), "{name} is empty");
        let mut rows = 0;
        for summary in sweeps {
            match journal.verify(summary.id).unwrap() {
                Verdict::Sound(walked) => {
                    assert_eq!((walked.rows, walked.head), (summary.rows, summary.head), "{name}")
                }
                Verdict::Broken(found) => panic!("{name}, sweep {}: {found:?}", summary.id),
            }
            rows += summary.rows;
            for text in journal.people(summary.id).unwrap() {
                assert!(text.is_true(), "{name}: the text for {} is not the one committed to", text.subject);
            }
            // Read and written again, every row is the bytes it was: nothing of it was lost in reading.
            for stored in journal.rows(summary.id).unwrap() {
                assert_eq!(serde_json::to_string(&stored.row).unwrap(), stored.line, "{name}");
            }
        }
        assert_eq!(journal.row_count().unwrap(), rows, "{name}");
    }
}

#[test]
fn the_first_journal_still_says_what_was_observed() {
    let all = thawed();
    let (.., journal) = all.iter().find(|(name, ..)| name == "journal-0.1.0.sqlite3").unwrap();
    let [first, second, third] = [1, 2, 3].map(|n| SweepId(Uuid::from_u128(n)));
    assert_eq!(journal.sweeps().unwrap().iter().map(|s| s.id).collect::<Vec<_>>(), [third, second, first]);
    assert_eq!(journal.unfinished().unwrap(), [second]);

    let summary = journal.summary(first).unwrap();
    assert_eq!(summary.opening.connection.environment, Environment::Test);
    assert_eq!(summary.opening.plan.count, 3);
    assert_eq!(summary.opening.actor.roles, ["stytch_member", "stytch_admin"]);
    assert_eq!(summary.opened.utc.to_string(), "2026-03-01T10:42:07.000Z");
    assert_eq!(summary.closing.unwrap().counts, [("revoked".to_owned(), 3)].into());

    let rows = bodies(journal, first);
    let answers: Vec<_> = rows
        .iter()
        .filter_map(|body| if let Body::Answer(a) = body { Some((a.n, a.answered, a.status, a.failure)) } else { None })
        .collect();
    assert_eq!(
        answers,
        [
            (1, true, Some(200), None),
            (2, false, None, Some(Failure::TimedOut)),
            (3, true, Some(404), None),
            (2, true, Some(200), None)
        ]
    );
    let reads: Vec<_> = rows.iter().filter_map(|body| if let Body::Read(r) = body { Some(r) } else { None }).collect();
    assert_eq!(
        reads.iter().map(|r| (r.view, r.complete, r.present.clone(), r.absent.clone())).collect::<Vec<_>>(),
        [
            (View::App, true, vec![2], vec![1, 3]),
            (View::App, true, vec![], vec![1, 2, 3]),
            (View::App, true, vec![], vec![1, 2, 3]),
        ]
    );
    assert!(reads.iter().all(|r| r.policy.as_ref().is_some_and(|policy| policy.app_forbidden == Some(false))));
    // The confirming read began at least ten minutes after the last answer.
    let confirmed = reads[2].began.mono_ms
        - rows.iter().filter_map(|b| if let Body::Answer(a) = b { Some(a.sent.mono_ms) } else { None }).max().unwrap();
    assert!(confirmed >= 600_000);
    assert!(rows.iter().any(|body| matches!(body, Body::Grant(g) if g.n == 2 && g.member_id == "member-test-é/../2" && g.route == Route::Member)));
    assert!(rows.iter().any(|body| matches!(body, Body::Note(note) if note.what == "resumed")));
    let texts = journal.people(first).unwrap();
    assert!(texts.iter().any(|text| text.kind == PersonKind::Reason && text.text == "advisory of 1 March"));
    assert!(texts.iter().any(|text| text.kind == PersonKind::App && text.text == "DataSync \u{202e}cnyS"));

    assert!(
        matches!(bodies(journal, second).as_slice(), [Body::Opening(_), Body::Grant(g), Body::Intent(i)] if g.route == Route::Oneself && i.attempt == 1)
    );
    assert!(bodies(journal, third).iter().any(
        |body| matches!(body, Body::Answer(a) if a.status == Some(403) && a.error_type.as_deref() == Some("session_authorization_error"))
    ));
    assert!(
        bodies(journal, third)
            .iter()
            .any(|body| matches!(body, Body::Read(r) if r.view == View::Organization && r.others_listed == Some(3)))
    );

    assert_eq!(journal.get("theme").unwrap(), Some(serde_json::json!("system")));
    assert_eq!(journal.connections().unwrap()[0].name, "Acme Robotics");
}

#[test]
fn an_unfinished_sweep_of_an_older_version_can_be_finished() {
    for (name, _dir, journal) in thawed() {
        for sweep in journal.unfinished().unwrap() {
            let clock = journal.summary(sweep).unwrap().last;
            let closing =
                Body::Closing(Closing { counts: [("unknown".to_owned(), 1)].into(), rules_version: 1, rows: 0 });
            journal.append(sweep, &[RowDraft { clock, body: closing }]).unwrap();
            assert!(matches!(journal.verify(sweep).unwrap(), Verdict::Sound(walked) if walked.closed), "{name}");
        }
        assert_eq!(journal.unfinished().unwrap(), [], "{name}");
    }
}

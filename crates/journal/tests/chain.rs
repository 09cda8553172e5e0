//! What a sweep's chain promises, through the journal's own methods and with a second hand in the file.

mod common;

use common::*;
use journal::*;
use proptest::prelude::*;
use rusqlite::params;

/// The file opened behind the journal's back.
fn behind(dir: &tempfile::TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.path().join(FILE_NAME)).unwrap()
}

fn full_sweep(journal: &Journal) -> SweepId {
    let id = sweep(journal, 2).id;
    journal.append(id, &[intent(1, 1), intent(2, 2)]).unwrap();
    journal
        .append(id, &[answer(1, 1), answer(2, 2), read(1, vec![], vec![1, 2]), note("resumed"), closing("revoked", 2)])
        .unwrap();
    id
}

#[test]
fn what_was_appended_is_read_back_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let opened = sweep(&journal, 2);
    assert_eq!((opened.rows, opened.previous_head), (3, None));
    assert_eq!(sound(&journal, opened.id), Walked { rows: 3, head: opened.head, closed: false });
    let appended = journal.append(opened.id, &[intent(1, 1), answer(1, 1), read(1, vec![2], vec![1])]).unwrap();
    assert_eq!(journal.rows_from(opened.id, 3).unwrap(), appended, "what is answered is what is stored");
    assert_eq!(journal.head().unwrap(), Some(appended[2].hash));
    assert_eq!(journal.row_count().unwrap(), 6);

    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    let rows = journal.rows(opened.id).unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(rows[3].row.body, intent(1, 1).body);
    assert_eq!(rows[4].row.body, answer(1, 1).body);
    assert_eq!(rows[5].row.body, read(1, vec![2], vec![1]).body);
    assert_eq!(rows[4].row.clock, answer(1, 1).clock);
    let Body::Opening(opening) = &rows[0].row.body else { panic!("the first row is not an opening row") };
    assert_eq!((opening.journal_id, opening.sweep_id, opening.plan.count), (journal.id(), opened.id, 2));
    assert_eq!(journal.rows_from(opened.id, 4).unwrap(), rows[4..]);
    // The exported lines alone give the same head.
    assert_eq!(chain::walk(rows.iter().map(|row| row.line.as_bytes())).unwrap().head, appended[2].hash);
}

#[test]
fn each_sweep_carries_the_head_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.head().unwrap(), None);
    let first = full_sweep(&journal);
    let head = journal.head().unwrap();
    let second = sweep(&journal, 1);
    assert_eq!(second.previous_head, head);
    assert_eq!(journal.head().unwrap(), Some(second.head));
    // A confirming read of the first sweep does not disturb the second.
    journal.append(first, &[read(2, vec![], vec![1, 2]), closing("revoked", 2)]).unwrap();
    sound(&journal, first);
    sound(&journal, second.id);
}

#[test]
fn a_journal_that_was_rolled_back_lacks_the_head_that_was_noted() {
    let dir = tempfile::tempdir().unwrap();
    let old = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    drop(journal);
    std::fs::copy(dir.path().join(FILE_NAME), old.path().join(FILE_NAME)).unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let later = journal.append(id, &[note("looked_again")]).unwrap().remove(0).hash;
    assert!(journal.holds(&later).unwrap());
    let restored = Journal::open(old.path()).unwrap();
    sound(&restored, id);
    assert!(!restored.holds(&later).unwrap(), "the older copy verifies by itself; only the noted head tells");
    assert!(restored.row_count().unwrap() < journal.row_count().unwrap());
}

#[test]
fn a_closed_sweep_takes_a_confirming_read_and_never_another_request() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    let rows = journal.row_count().unwrap();
    for request in [intent(3, 1), answer(3, 1)] {
        assert!(matches!(journal.append(id, &[note("resumed"), request]), Err(Error::Closed(_))));
    }
    assert_eq!(journal.row_count().unwrap(), rows, "a refused append wrote part of itself");
    journal.append(id, &[read(2, vec![], vec![1, 2])]).unwrap();
    journal.append(id, &[closing("confirmed", 2)]).unwrap();
    assert!(sound(&journal, id).closed);
    let summary = journal.summary(id).unwrap();
    let last = summary.closing.expect("the sweep is closed");
    assert_eq!(last.counts.keys().collect::<Vec<_>>(), ["confirmed"], "the last closing row is the one that counts");
    assert_eq!(last.rows, summary.rows - 1, "the journal counts the rows before a closing row itself");
}

#[test]
fn a_block_may_be_lifted_after_its_sweep_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    let open = PolicyState {
        first_party: "ALL_ALLOWED".into(),
        allowed_first_party: Vec::new(),
        third_party: "ALL_ALLOWED".into(),
        allowed_third_party: Vec::new(),
    };
    let blocked = PolicyState {
        third_party: "RESTRICTED".into(),
        allowed_third_party: vec!["connected-app-test-2".into()],
        ..open.clone()
    };
    let intent = PolicyIntent { attempt: 1, purpose: Purpose::Lift, before: blocked, after: open.clone() };
    let answer = PolicyAnswer {
        attempt: 1,
        sent: clock(200),
        answered: true,
        status: Some(200),
        error_type: None,
        request_id: Some("request-id-test-3".into()),
        server_date: None,
        failure: None,
    };
    let read = PolicyRead {
        began: clock(220),
        ended: clock(230),
        answered: true,
        status: Some(200),
        error_type: None,
        request_id: None,
        server_date: None,
        state: Some(open),
    };
    let vanished = GrantId { member_id: "member-test-9".into(), connected_app_id: "connected-app-test-2".into() };
    let bodies = [
        Body::PolicyIntent(intent),
        Body::PolicyAnswer(answer),
        Body::PolicyRead(read),
        Body::Collateral(Collateral { grants: vec![vanished] }),
    ];
    let drafts: Vec<RowDraft> = bodies.iter().map(|body| row(240, body.clone())).collect();
    journal.append(id, &drafts).unwrap();
    assert!(sound(&journal, id).closed);
    let rows = journal.rows(id).unwrap();
    let kept: Vec<&Body> = rows[rows.len() - 4..].iter().map(|row| &row.row.body).collect();
    assert_eq!(kept, bodies.iter().collect::<Vec<_>>(), "what was written is what is read back");
}

#[test]
fn unfinished_sweeps_are_listed_until_they_are_closed() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let (a, b) = (sweep(&journal, 1).id, sweep(&journal, 1).id);
    assert_eq!(journal.unfinished().unwrap(), [a, b]);
    journal.append(a, &[closing("unknown", 1)]).unwrap();
    assert_eq!(journal.unfinished().unwrap(), [b]);
    let summaries = journal.sweeps().unwrap();
    assert_eq!(summaries.iter().map(|s| (s.id, s.closing.is_some())).collect::<Vec<_>>(), [(b, false), (a, true)]);
    assert_eq!(summaries[1].last, closing("unknown", 1).clock);
    assert_eq!(journal.sweeps_of_plan(&summaries[0].opening.plan.hash).unwrap(), [b]);
    assert_eq!(journal.sweeps_of_plan(&Hash::of(b"another plan")).unwrap(), []);
}

#[test]
fn rows_that_the_format_forbids_are_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = sweep(&journal, 1).id;
    let opening_row = journal.rows(id).unwrap()[0].row.body.clone();
    let mut late = intent(1, 1);
    late.clock.mono_ms = 1 << 53;
    for bad in [row(0, opening_row), row(0, Body::Unknown), intent(1, 2), intent(1, 0), late] {
        assert!(matches!(journal.append(id, &[intent(1, 1), bad.clone()]), Err(Error::Unfit(_))), "{bad:?}");
    }
    assert!(matches!(journal.append(SweepId::random(), &[intent(1, 1)]), Err(Error::NoSuchSweep(_))));
    assert!(matches!(journal.open_sweep(&opening(id), &grants(1), &People::default()), Err(Error::AlreadyOpened(_))));
    assert!(matches!(journal.open_sweep(&opening(SweepId::random()), &[], &People::default()), Err(Error::Unfit(_))));
    assert_eq!(journal.row_count().unwrap(), 2);
    sound(&journal, id);
}

#[test]
fn a_chain_recomputed_after_an_edit_verifies_but_has_another_head() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    let noted = journal.head().unwrap().unwrap();
    let rows = journal.rows(id).unwrap();
    let forged: Vec<String> = rows.iter().map(|row| row.line.replace("\"status\":200", "\"status\":404")).collect();
    let walked = chain::walk(forged.iter().map(|line| line.as_bytes())).unwrap();
    assert_ne!(walked.head, noted);
    assert_eq!(chain::walk(rows.iter().map(|row| row.line.as_bytes())).unwrap().head, noted);
}

#[test]
fn a_row_whose_kind_is_a_number_or_whose_object_is_a_list_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    let rows = journal.rows(id).unwrap();
    // By its place a number would be the name of a kind, and by their order the values of a list would be fields.
    for (is, instead) in [("\"kind\":\"intent\"", "\"kind\":2"), ("\"view\":\"app\"", "\"view\":{\"app\":null}")] {
        let forged: Vec<String> = rows.iter().map(|row| row.line.replacen(is, instead, 1)).collect();
        let at = forged.iter().zip(&rows).position(|(forged, row)| *forged != row.line).expect(is) as u64;
        let found = chain::walk(forged.iter().map(|line| line.as_bytes())).unwrap_err();
        assert_eq!((found.seq, found.why.as_str()), (at, "a value is not in its one form"));
    }
}

#[test]
fn a_missing_moved_or_foreign_row_is_found() {
    let edits: [(&str, &str, u64); 7] = [
        ("the last row is cut off", "DELETE FROM rows WHERE seq = 9", 9),
        ("a middle row is gone", "DELETE FROM rows WHERE seq = 4", 4),
        ("the first row is gone", "DELETE FROM rows WHERE seq = 0", 0),
        ("all rows are gone", "DELETE FROM rows", 0),
        ("a row's number was changed", "UPDATE rows SET seq = 40 WHERE seq = 5", 5),
        ("the journal was told another end", "UPDATE sweeps SET rows = 8", 8),
        ("the journal was told that it is open", "UPDATE sweeps SET closed_seq = NULL", 10),
    ];
    for (what, edit, at) in edits {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let id = full_sweep(&journal);
        assert_eq!(sound(&journal, id).rows, 10);
        behind(&dir).execute(edit, []).unwrap();
        match journal.verify(id).unwrap() {
            Verdict::Broken(found) => assert_eq!(found.seq, at, "{what}: {found:?}"),
            Verdict::Sound(_) => panic!("{what}, and it verifies"),
        }
    }
}

#[test]
fn two_writers_at_once_make_one_linear_chain() {
    let dir = tempfile::tempdir().unwrap();
    let id = sweep(&Journal::open(dir.path()).unwrap(), 50).id;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let journal = Journal::open(dir.path()).unwrap();
                for n in 1..=50 {
                    journal.append(id, &[intent(n, n), note("paused")]).unwrap();
                }
            });
        }
    });
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(sound(&journal, id).rows, 51 + 4 * 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_ids_and_texts_survive_the_round_trip(
        member in any::<String>(), app in any::<String>(), scopes in prop::collection::vec(any::<String>(), 0..4),
        name in any::<String>(), reason in any::<String>(), request_id in any::<String>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        let draft = OpeningDraft { reason: Some(reason.clone()), ..opening(SweepId::random()) };
        let grant = GrantDraft { member_id: member.clone(), connected_app_id: app.clone(), scopes: scopes.clone(), ..grants(1).remove(0) };
        let person = Person { name: Some(name.clone()), email: None };
        let people = People { members: [(member.clone(), person)].into(), apps: [(app.clone(), name.clone())].into() };
        let id = journal.open_sweep(&draft, &[grant], &people).unwrap().id;
        let mut answered = answer(1, 1);
        let Body::Answer(answer) = &mut answered.body else { unreachable!() };
        answer.request_id = Some(request_id);
        journal.append(id, std::slice::from_ref(&answered)).unwrap();
        prop_assert_eq!(sound(&journal, id).rows, 3);
        let rows = journal.rows(id).unwrap();
        prop_assert_eq!(&rows[2].row.body, &answered.body);
        let Body::Grant(grant) = &rows[1].row.body else { panic!("not a grant row") };
        prop_assert_eq!((&grant.member_id, &grant.connected_app_id, &grant.scopes), (&member, &app, &scopes));
        let texts = journal.people(id).unwrap();
        prop_assert!(texts.iter().all(PersonRecord::is_true));
        prop_assert!(texts.iter().any(|text| text.kind == PersonKind::Reason && text.text == reason));
        prop_assert!(texts.iter().any(|text| Some(text.commitment) == grant.app_name && text.text == name));
    }
}

#[test]
fn no_row_is_taken_that_would_fork_a_chain() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal).0.to_string();
    let file = behind(&dir);
    let rows: i64 = file.query_row("SELECT count(*) FROM rows", [], |row| row.get(0)).unwrap();
    let insert = |seq: i64, previous: i64| {
        file.execute(
            "INSERT INTO rows SELECT sweep_id, ?2, line, hash, randomblob(32) FROM rows WHERE sweep_id = ?1 AND seq = ?3",
            params![id, seq, previous],
        )
    };
    for seq in 0..rows + 2 {
        for previous in 0..rows {
            // At the end and behind the last row, or not at all.
            if (seq, previous) != (rows, rows - 1) {
                insert(seq, previous).expect_err("a chain was forked");
            }
        }
    }
    assert_eq!(insert(rows, rows - 1).unwrap(), 1, "nor is one that goes on refused");
}

#[test]
fn any_single_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = full_sweep(&journal);
    let file = behind(&dir);
    let mut tried = 0;
    for seq in 0..10_i64 {
        for column in ["line", "prev_hash", "hash"] {
            let read = format!("SELECT {column} FROM rows WHERE seq = ?1");
            let write = format!("UPDATE rows SET {column} = ?2 WHERE seq = ?1");
            let bytes: Vec<u8> = file.query_row(&read, [seq], |row| row.get(0)).unwrap();
            // Every byte of the hashes and every seventh of a line, each with two different changes.
            for at in (0..bytes.len()).step_by(if column == "line" { 7 } else { 1 }) {
                for change in [0x01, 0x80] {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    file.execute(&write, params![seq, changed]).unwrap();
                    match journal.verify(id).unwrap() {
                        Verdict::Broken(found) => {
                            assert!(found.seq <= seq as u64 + 1, "{found:?} for a change at {seq}")
                        }
                        Verdict::Sound(_) => panic!("a changed byte {at} of {column} in row {seq} verifies"),
                    }
                    tried += 1;
                }
            }
            file.execute(&write, params![seq, bytes]).unwrap();
        }
    }
    assert!(tried > 1000, "only {tried} changes were tried");
    sound(&journal, id);
}

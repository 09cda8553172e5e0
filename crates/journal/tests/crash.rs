//! What survives a process that ends badly, and what another process sees of it.

mod common;

use std::io::{BufRead, BufReader};

use common::*;
use journal::*;

#[test]
#[ignore = "the other process of the tests below"]
fn writer() {
    let (journal, sweep) = given();
    let _lock = journal.take_running_lock(sweep).unwrap();
    for attempt in 1.. {
        let rows = journal.append(sweep, &[intent(attempt, 1), answer(attempt, 1)]).unwrap();
        println!("durable {}", rows[1].hash);
    }
}

#[test]
#[ignore = "the other process of the tests below"]
fn appender() {
    let (journal, sweep) = given();
    for attempt in 1..=60 {
        journal.append(sweep, &[intent(attempt, 1)]).unwrap();
    }
}

#[test]
fn a_journal_whose_writer_was_killed_opens_and_holds_every_row_that_was_durable() {
    for rows_before_the_kill in [1, 7, 40] {
        let dir = tempfile::tempdir().unwrap();
        let id = sweep(&Journal::open(dir.path()).unwrap(), 1).id;
        let mut child = process("writer", dir.path(), id);
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut durable = Vec::new();
        while durable.len() < rows_before_the_kill {
            let line = said.next().expect("the writer ended by itself").unwrap();
            if let Some((_, hash)) = line.split_once("durable ") {
                durable.push(hash.parse::<Hash>().unwrap());
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let journal = Journal::open(dir.path()).unwrap();
        let walked = sound(&journal, id);
        assert!(walked.rows >= 2 + 2 * durable.len() as u64);
        assert_eq!(walked.rows % 2, 0, "a batch of two rows was torn");
        for hash in durable {
            assert!(journal.holds(&hash).unwrap(), "a row that was called durable is gone");
        }
        assert_eq!(journal.unfinished().unwrap(), [id]);
        journal.append(id, &[note("resumed")]).unwrap();
        sound(&journal, id);
    }
}

#[test]
fn two_processes_make_one_linear_chain() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = sweep(&journal, 1).id;
    let children: Vec<_> = (0..2).map(|_| process("appender", dir.path(), id)).collect();
    for attempt in 100..=160 {
        journal.append(id, &[intent(attempt, 1)]).unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(sound(&journal, id).rows, 2 + 61 + 2 * 60);
}

#[test]
fn the_running_lock_names_its_holder_and_is_freed_by_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = sweep(&journal, 1).id;
    assert_eq!(journal.running(id).unwrap(), None);
    let mut child = process("writer", dir.path(), id);
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    while !said.next().expect("the writer ended by itself").unwrap().contains("durable ") {}

    let pid = child.id();
    assert!(matches!(journal.take_running_lock(id), Err(Error::HeldBy { pid: Some(held) }) if held == pid));
    assert_eq!(journal.running(id).unwrap(), Some(Some(pid)));
    let another = sweep(&journal, 1).id;
    drop(journal.take_running_lock(another).expect("another sweep is not held"));

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(journal.running(id).unwrap(), None);
    let lock = journal.take_running_lock(id).unwrap();
    assert_eq!(lock.sweep(), id);
    assert!(
        matches!(journal.take_running_lock(id), Err(Error::HeldBy { .. })),
        "one part of a process excludes another"
    );
    drop(lock);
    assert!(journal.take_running_lock(id).is_ok());
}

#[test]
fn only_one_of_many_takes_the_running_lock() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = SweepId::random();
    let holders = std::sync::atomic::AtomicUsize::new(0);
    let taken = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..400 {
                    if let Ok(lock) = journal.take_running_lock(id) {
                        assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0, "two hold the lock");
                        taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        std::thread::yield_now();
                        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                }
            });
        }
    });
    assert!(taken.into_inner() > 0, "nobody ever took it");
}

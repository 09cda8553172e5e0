//! What opening promises: a private file, one journal for ever, and no touch of a file that is not ours.

mod common;

use common::*;
use journal::*;
use serde_json::json;

#[cfg(unix)]
#[test]
fn the_journal_is_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("new/state");
    let journal = Journal::open(&state).unwrap();
    let id = sweep(&journal, 1).id;
    let lock = journal.take_running_lock(id).unwrap();
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("running")), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&state).unwrap().chain(std::fs::read_dir(state.join("running")).unwrap()) {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 4, "the journal, its log, its index and the lock; seen: {files}");
    drop(lock);
    drop(journal);
    // A journal restored from a backup with wide permissions is taken back.
    std::fs::set_permissions(state.join(FILE_NAME), std::fs::Permissions::from_mode(0o644)).unwrap();
    Journal::open(&state).unwrap();
    assert_eq!(mode(&state.join(FILE_NAME)), 0o600);
}

#[test]
fn the_journal_keeps_its_id() {
    let dir = tempfile::tempdir().unwrap();
    let id = Journal::open(dir.path()).unwrap().id();
    assert_eq!(Journal::open(dir.path()).unwrap().id(), id);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(Journal::open(other.path()).unwrap().id(), id);
}

#[test]
fn many_who_open_a_new_journal_at_once_get_the_same_one() {
    for _ in 0..8 {
        let dir = tempfile::tempdir().unwrap();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..6).map(|_| scope.spawn(|| Journal::open(dir.path()).map(|journal| journal.id()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
}

#[test]
fn a_journal_of_a_newer_version_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    drop(Journal::open(dir.path()).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(Error::Newer { found: 7, known: SCHEMA_VERSION })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE moz_places (url TEXT)").unwrap();
    let database = std::fs::read(&path).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(Error::NotAJournal)));
    assert_eq!(std::fs::read(&path).unwrap(), database);

    let text = "not a database at all, but long enough to look at. ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(Error::NotAJournal)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_place_that_cannot_hold_a_journal_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(Journal::open(&file.join("state")), Err(Error::Denied(_))), "below a file");
    assert!(matches!(Journal::open(&file), Err(Error::Denied(_))), "a file");
    std::fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    assert!(matches!(Journal::open(dir.path()), Err(Error::Denied(_))), "a directory of the journal's name");
}

#[test]
fn a_damaged_journal_is_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    let journal = Journal::open(dir.path()).unwrap();
    sweep(&journal, 200);
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xa5);
    }
    std::fs::write(&path, bytes).unwrap();
    let seen = Journal::open(dir.path()).and_then(|journal| journal.sweeps());
    assert!(matches!(seen, Err(Error::Corrupt(_))), "{seen:?}");
}

#[test]
fn settings_are_kept_as_they_were_set() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.get("language").unwrap(), None);
    journal.set("language", &json!("de")).unwrap();
    journal.set("language", &json!({"ui": "de", "é\u{0}": [1.5, null]})).unwrap();
    journal.set("empty", &json!(null)).unwrap();
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.get("language").unwrap(), Some(json!({"ui": "de", "é\u{0}": [1.5, null]})));
    assert_eq!(journal.get("empty").unwrap(), Some(json!(null)));
}

#[test]
fn connections_are_listed_by_last_use_and_forgotten_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let connection = |n: u128, used: Option<u64>| SavedConnection {
        id: uuid::Uuid::from_u128(n),
        name: format!("Acme {n}"),
        base_url: "https://test.stytch.com".into(),
        public_token: "public-token-test-1".into(),
        organization_id: None,
        organization_slug: (n == 3).then(|| "acme".into()),
        organization_name: Some("Acme \"Robotics\" \u{202e}".into()),
        email: Some("admin@acme.test".into()),
        app_identifier: "dev.cutoff.desktop".into(),
        sdk_identifier: "dev.cutoff.desktop".into(),
        sandbox: n == 2,
        created_utc: clock(0).utc,
        last_used_utc: used.map(|ms| clock(ms).utc),
    };
    let (never, old, new) = (connection(1, None), connection(2, Some(5)), connection(3, Some(9)));
    for saved in [&never, &old, &new] {
        journal.save_connection(saved).unwrap();
    }
    assert_eq!(journal.connections().unwrap(), [new.clone(), old.clone(), never.clone()]);
    let renamed = SavedConnection { name: "Acme renamed".into(), ..old.clone() };
    journal.save_connection(&renamed).unwrap();
    assert_eq!(journal.connection(&old.id).unwrap(), Some(renamed));
    assert!(journal.forget_connection(&old.id).unwrap());
    assert!(!journal.forget_connection(&old.id).unwrap());
    assert_eq!(journal.connection(&old.id).unwrap(), None);
    assert_eq!(journal.connections().unwrap().len(), 2);
}

#[test]
fn an_erased_person_is_gone_from_the_files_and_the_chain_still_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = sweep(&journal, 3).id;
    let found =
        |needle: &str| {
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).any(
                |path| std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle.as_bytes()),
            )
        };
    assert!(found("grace2@acme.test"), "the test looks in the wrong place");
    let before = journal.people(id).unwrap();
    assert_eq!(before.len(), 6, "three people, one app, an impersonator and a reason");
    assert!(before.iter().all(PersonRecord::is_true));
    assert_eq!(journal.erase_person("member-test-2", &[]).unwrap(), 1);
    assert!(!found("grace2@acme.test"));
    assert!(found("grace1@acme.test"));
    assert_eq!(journal.people(id).unwrap().len(), 5);
    sound(&journal, id);
    assert_eq!(
        journal.erase_person("member-test-admin", &[]).unwrap(),
        2,
        "the reason and the impersonator belong to the actor"
    );
    assert!(!found("advisory of this morning") && !found("support@vendor.test"));
    // An app's name is nobody's; an app whose id is a member's is not erased with the member.
    assert_eq!(journal.erase_person("connected-app-test-1", &[]).unwrap(), 0);
    sound(&journal, id);
}

#[test]
fn rows_never_hold_a_name_an_email_or_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    let id = sweep(&journal, 3).id;
    for row in journal.rows(id).unwrap() {
        for private in ["Grace", "acme.test", "DataSync", "advisory", "vendor.test"] {
            assert!(!row.line.contains(private), "{}", row.line);
        }
    }
}

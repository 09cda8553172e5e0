//! Evidence through the wire: a pack for every sweep, checked from its bytes, with the head and without; a journal that was rolled
//! back; a person who is erased.

use std::path::{Path, PathBuf};

use contract::evidence::{
    Erased, EvidenceBreak, EvidenceCheck, EvidencePack, EvidenceSince, EvidenceVerdict, JournalStatus,
};
use contract::refusal::{Fault, Field, Refusal};
use contract::revoke::Outcome;
use contract::sweeps::Sweep;
use promises::ipc::{App, Ground};
use serde_json::{Value, json};

use super::inventory::read;
use super::plans::{plan_of, with_choice};
use super::sweeps::{start, watch};

/// A sweep of everybody's grants to one app, at rest.
#[track_caller]
fn swept(ground: &Ground, app: &App) -> Sweep {
    read(app);
    let plan = plan_of(app, json!({"kind": "app", "connected_app_id": ground.pair().connected_app_id}));
    let sweep: Sweep = app.get("sweep_start", start(&plan));
    watch(app, &sweep.sweep_id)
}

#[track_caller]
fn check(app: &App, head: Option<&str>) -> EvidenceVerdict {
    app.get::<Option<EvidenceCheck>>("evidence_check", json!({ "head": head })).expect("a file was chosen").verdict
}

#[test]
fn a_pack_is_written_and_checks_with_its_heads_and_not_after_a_change() {
    let ground = Ground::default();
    let (app, chosen) = with_choice(&ground);
    assert!(app.get::<Option<EvidenceCheck>>("evidence_check", json!({"head": null})).is_none(), "none was chosen");
    let done = swept(&ground, &app);
    let calls = ground.calls();
    let pack: EvidencePack = app.get("evidence_export", json!({"sweep_id": done.sweep_id}));
    assert_eq!(pack.chain_head, done.head, "the head that the sweep shows is that of its rows");
    let path = PathBuf::from(&pack.path);
    assert!(path.starts_with(app.state_dir()) && path.ends_with(&pack.file), "in the folder for downloads: {path:?}");
    let bytes = std::fs::read(&path).expect("the pack");
    assert_eq!(bytes.len(), pack.bytes as usize);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "a pack names members: it is nobody else's to read");
    }

    *chosen.lock().expect("a choice") = Some(path);
    let EvidenceVerdict::Good(facts) = check(&app, None) else { panic!("it holds together") };
    assert_eq!((facts.since, facts.rows_vouched), (EvidenceSince::Nothing, 0), "without a head nothing is vouched for");
    assert_eq!((&facts.sweep_id, &facts.head, facts.rows), (&done.sweep_id, &pack.head, pack.rows));
    assert_eq!((facts.outcomes[0].outcome, facts.outcomes[0].grants), (Outcome::Revoked, done.grants));
    assert!(facts.closed && facts.counts_compared);
    assert_eq!((facts.finding, facts.complete, facts.unsent), (false, None, 0));
    for (head, since) in [(&pack.head, EvidenceSince::Pack), (&pack.chain_head, EvidenceSince::Rows)] {
        let EvidenceVerdict::Good(facts) = check(&app, Some(&format!(" {head}\n"))) else { panic!("unchanged") };
        assert_eq!((facts.since, facts.rows_vouched), (since, pack.rows));
    }
    let other = "0".repeat(64);
    let EvidenceVerdict::Broken(broken) = check(&app, Some(&other)) else { panic!("another head") };
    let chain_head = pack.chain_head.clone();
    assert_eq!(broken, EvidenceBreak::OtherHead { head: pack.head.clone(), chain_head });

    let tampered = app.state_dir().join("tampered.zip");
    *chosen.lock().expect("a choice") = Some(tampered.clone());
    for at in [10, bytes.len() / 2, bytes.len() - 5] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        std::fs::write(&tampered, bytes).expect("a file");
        assert!(matches!(check(&app, None), EvidenceVerdict::Broken(_)), "a changed byte at {at}");
    }
    assert_eq!(ground.calls(), calls, "nobody is asked");
    app.get::<Value>("sign_out", json!({"even_if_unreachable": false}));
    std::fs::write(&tampered, &bytes).expect("a file");
    assert!(matches!(check(&app, None), EvidenceVerdict::Good(_)), "nobody need be signed in");
}

#[test]
fn a_head_that_is_none_and_a_file_that_cannot_be_read_are_refused() {
    let ground = Ground::default();
    let (app, chosen) = with_choice(&ground);
    for head in ["x".to_owned(), "A".repeat(64), "0".repeat(63), "0".repeat(100_000)] {
        let refused = app.refusal("evidence_check", json!({ "head": head }));
        assert!(matches!(refused, Refusal::BadInput { field: Field::Head, fault: Fault::Malformed }), "{refused:?}");
    }
    for path in [app.state_dir().to_owned(), app.state_dir().join("not-there.zip")] {
        *chosen.lock().expect("a choice") = Some(path);
        let refused = app.refusal("evidence_check", json!({"head": null}));
        assert!(matches!(&refused, Refusal::ChosenFile { fault, .. } if fault == "unreadable"), "{refused:?}");
    }
}

#[test]
fn an_erased_person_is_in_no_later_pack_and_the_pack_still_checks() {
    let ground = Ground::default();
    let (app, chosen) = with_choice(&ground);
    let done = swept(&ground, &app);
    let page: contract::sweeps::SweepGrants =
        app.get("sweep_grants", json!({"sweep_id": done.sweep_id, "query": {"offset": 0, "count": 1}}));
    let member = &page.rows[0].member;
    let email = member.email.clone().expect("an address");
    let holds = |pack: &EvidencePack| {
        let bytes = std::fs::read(&pack.path).expect("the pack");
        bytes.windows(email.len()).any(|part| part == email.as_bytes())
    };
    let before: EvidencePack = app.get("evidence_export", json!({"sweep_id": done.sweep_id}));
    assert!(holds(&before), "the pack names members");
    let erased: Erased = app.get("erase_person", json!({"member_id": member.member_id}));
    assert!(erased.texts > 0 && erased.reasons.is_empty() && erased.plans.is_empty(), "{erased:?}");
    let after: EvidencePack = app.get("evidence_export", json!({"sweep_id": done.sweep_id}));
    assert!(!holds(&after) && after.chain_head == before.chain_head, "the rows are what they were");
    *chosen.lock().expect("a choice") = Some(PathBuf::from(&after.path));
    let EvidenceVerdict::Good(facts) = check(&app, Some(&before.chain_head)) else { panic!("it still checks") };
    assert!(facts.erased > 0);
    let again: Erased = app.get("erase_person", json!({"member_id": member.member_id}));
    assert_eq!(again.texts, 0, "nothing is left to erase");
    for (id, fault) in [("", Fault::Empty), ("..", Fault::Dots)] {
        let refused = app.refusal("erase_person", json!({"member_id": id}));
        assert!(
            matches!(&refused, Refusal::BadInput { field: Field::MemberId, fault: f } if *f == fault),
            "{refused:?}"
        );
    }
}

/// Copies the files of the journal.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a directory").flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
        }
    }
}

#[test]
fn a_journal_that_was_rolled_back_is_said_and_one_that_was_not_is_not() {
    let ground = Ground::default();
    let (app, _) = with_choice(&ground);
    let old = tempfile::tempdir().expect("a directory");
    swept(&ground, &app);
    assert!(app.get::<JournalStatus>("journal_status", json!({})).rolled_back.is_none());
    let app = app.reopen_after(|dir| copy(dir, old.path()));
    assert!(
        app.get::<JournalStatus>("journal_status", json!({})).rolled_back.is_none(),
        "a later start is no rollback"
    );
    let connection = app.connect(&ground);
    app.sign_in(&ground, &connection, "admin");
    let head = swept(&ground, &app).head;
    let app = app.reopen_after(|dir| {
        for entry in std::fs::read_dir(dir).expect("a directory").flatten().filter(|entry| entry.path().is_file()) {
            std::fs::remove_file(entry.path()).expect("removed");
        }
        copy(old.path(), dir);
    });
    let status: JournalStatus = app.get("journal_status", json!({}));
    let noted = status.rolled_back.expect("the keyring knows more than the journal");
    assert_eq!(noted.head, head);
    assert!(noted.rows > 0 && !noted.noted_at.is_empty());
}

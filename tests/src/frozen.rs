//! What a frozen journal means: every sweep's outcome and head, as this version derives them from the rows.

use std::path::Path;

use cutoff::report::Report;
use cutoff::sweep::rows::Rows as SweepRows;
use journal::{Journal, Verdict};
use serde_json::{Value, json};

/// Opens a copy of the journal in `folder`, so that the frozen bytes stay as they are, and says what it means.
#[must_use]
pub fn meaning(folder: &Path) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::copy(folder.join(journal::FILE_NAME), dir.path().join(journal::FILE_NAME)).expect("the journal is there");
    // They were carried out at the pauses of the tests.
    let rules = crate::ground::quick().rules;
    let journal = Journal::open(dir.path()).expect("a frozen journal opens");
    let sweeps: Vec<Value> = journal
        .sweeps()
        .expect("its sweeps can be listed")
        .into_iter()
        .map(|sweep| {
            let verdict = journal.verify(sweep.id).expect("its chain can be walked");
            assert!(matches!(verdict, Verdict::Sound(_)), "sweep {}: {verdict:?}", sweep.id);
            let stored = journal.rows(sweep.id).expect("its rows can be read");
            let head = stored.last().expect("a sweep has rows").hash.to_string();
            let rows = SweepRows::new(stored.into_iter().map(|stored| stored.row));
            let people = journal.people(sweep.id).expect("its people can be read");
            let report = Report::of(1, &rows, &people, head, &rules, None).expect("it has a grant");
            json!({
                "sweep_id": sweep.id.to_string(),
                "rows": rows.all().len(),
                "head": report.head,
                "outcome": report.outcome.name(),
                "attempts": report.attempts,
                "member_id": report.grant.member_id,
                "member_name": report.person.and_then(|person| person.name),
                "connected_app_id": report.grant.connected_app_id,
                "app_name": report.app_name,
                "request_id": report.request_id,
                "gone_at": report.gone_at,
                "closed": sweep.closing.is_some(),
            })
        })
        .collect();
    json!({ "journal_id": journal.id().to_string(), "sweeps": sweeps })
}

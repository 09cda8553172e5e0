//! `grants.csv`: one grant a line, for spreadsheets. Derived; the rows are the record.

use journal::Failure;

use super::record::Record;
use crate::clock::rfc3339;
use crate::inventory::export::record;
use crate::sweep::verdict::Why;

/// RFC 4180: commas, CRLF, UTF-8 without a byte order mark, one header line. Cells that a spreadsheet would run are made harmless.
pub(crate) fn write(sweep: &Record<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut line = |cells: &[&str]| {
        // A vector takes everything.
        let _ = record(&mut out, cells);
    };
    line(&[
        "n",
        "outcome",
        "why",
        "member_id",
        "member_name",
        "member_email",
        "member_roles",
        "connected_app_id",
        "app_name",
        "client_type",
        "first_party",
        "scopes",
        "attempts",
        "sent_at",
        "answered_at",
        "status",
        "error_type",
        "request_id",
        "gone_at",
        "confirmed_at",
        "listed_at",
        "last_read_at",
        "failure",
        "seen_again_at",
    ]);
    for row in &sweep.lines {
        let (grant, finding) = (row.grant, &row.finding);
        let answer = finding.answer.as_ref();
        let at = |clock: &Option<journal::Clock>| clock.as_ref().map(|clock| clock.utc.to_string()).unwrap_or_default();
        line(&[
            &grant.n.to_string(),
            // The rows' own names have none for it, and whoever counts a column must not take it for a refusal.
            if finding.never_sent() { "not_attempted" } else { finding.outcome.name() },
            finding.why.map(Why::name).unwrap_or_default(),
            &grant.member_id,
            row.person.name.as_deref().unwrap_or_default(),
            row.person.email.as_deref().unwrap_or_default(),
            &grant.member_roles.as_deref().unwrap_or_default().join(" "),
            &grant.connected_app_id,
            row.app_name.unwrap_or_default(),
            grant.client_type.as_deref().unwrap_or_default(),
            if grant.first_party { "yes" } else { "no" },
            &grant.scopes.join(" "),
            &finding.attempts.to_string(),
            // Of what was only about to be sent no moment of sending is known.
            &if finding.maybe_sent() { String::new() } else { at(&finding.sent) },
            &answer.filter(|(answer, _)| answer.answered).map(|(_, at)| at.utc.to_string()).unwrap_or_default(),
            &answer.and_then(|(answer, _)| answer.status).map(|status| status.to_string()).unwrap_or_default(),
            answer.and_then(|(answer, _)| answer.error_type.as_deref()).unwrap_or_default(),
            answer.and_then(|(answer, _)| answer.request_id.as_deref()).unwrap_or_default(),
            &at(&finding.gone),
            &at(&finding.confirmed),
            &at(&finding.listed),
            &finding.last_read.as_ref().map(|read| read.began.utc.to_string()).unwrap_or_default(),
            answer.and_then(|(answer, _)| answer.failure).map(Failure::name).unwrap_or_default(),
            &sweep.back(row).map(|again| rfc3339(again.first_seen_at)).unwrap_or_default(),
        ]);
    }
    out
}

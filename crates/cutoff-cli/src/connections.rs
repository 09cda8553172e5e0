//! `cutoff connections`: the places that were saved. It asks nobody, and no keyring.

use serde::Serialize;

use crate::Done;
use crate::ending::DONE;
use crate::next::command;
use crate::seat::Seat;
use crate::text::{Set, Table};
use crate::told::{Printer, utc};

#[derive(Serialize)]
struct Line<'a> {
    connection_id: String,
    name: &'a str,
    base_url: &'a str,
    public_token: &'a str,
    organization_id: Option<&'a str>,
    organization_name: Option<&'a str>,
    email: Option<&'a str>,
    app_identifier: &'a str,
    sdk_identifier: &'a str,
    last_used: Option<String>,
}

/// Prints them, the one used last first.
///
/// # Errors
/// When the journal cannot be read or the output not be written.
pub async fn list(seat: &Seat) -> Done {
    let all = seat.desk.connections().await?;
    let mut printer = Printer::new(seat.json);
    if seat.json {
        for saved in &all {
            printer.line(&Line {
                connection_id: saved.id.to_string(),
                name: &saved.name,
                base_url: &saved.base_url,
                public_token: &saved.public_token,
                organization_id: saved.organization_id.as_deref(),
                organization_name: saved.organization_name.as_deref(),
                email: saved.email.as_deref(),
                app_identifier: &saved.app_identifier,
                sdk_identifier: &saved.sdk_identifier,
                last_used: saved.last_used_utc.map(|at| at.to_string()),
            })?;
        }
    } else if all.is_empty() {
        let next = command(&["sign-in", "--public-token", "TOKEN"]);
        printer.text(&format!("No connection is saved yet. Sign in with: {next}"))?;
    } else {
        let mut table = Table::new(&[
            ("NAME", Set::Left),
            ("ORGANIZATION", Set::Left),
            ("E-MAIL", Set::Left),
            ("LAST USED", Set::Left),
            ("ID", Set::Left),
        ]);
        for saved in &all {
            table.row([
                saved.name.as_str(),
                saved.organization_name.as_deref().unwrap_or(crate::text::NOTHING),
                saved.email.as_deref().unwrap_or(crate::text::NOTHING),
                &saved.last_used_utc.map_or_else(|| "never".to_owned(), |at| utc(at.timestamp())),
                &saved.id.to_string(),
            ]);
        }
        printer.table(&table)?;
    }
    printer.done()?;
    Ok(DONE)
}

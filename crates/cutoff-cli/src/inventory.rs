//! `cutoff inventory`: read everything, keep it, print it. Nothing is printed before it is on the disk.

use std::sync::Arc;

use cutoff::inventory::export::GrantLine;
use cutoff::inventory::filter::Filter;
use cutoff::inventory::list::{Query, SortKey};
use cutoff::inventory::shown::Shown;

use crate::ending::{Ending, SESSION};
use crate::flags::Inventory;
use crate::lists::{app_table, filter};
use crate::next::command;
use crate::seat::Seat;
use crate::told::{Printer, count, heading, missing};
use crate::{Done, reading, say};

/// Reads, or with `--offline` takes the last snapshot, and prints it.
///
/// # Errors
/// Why there is nothing to print.
pub async fn run(seat: &Seat, flags: &Inventory) -> Done {
    let shown = if flags.offline {
        kept(seat).await?
    } else {
        reading::read(seat).await?;
        seat.desk.shown().await?
    };
    let query = Query {
        filter: filter(seat, &flags.filter, &shown)?,
        sort: SortKey::Grants,
        descending: true,
        fold: true,
        ..Query::default()
    };
    let picture = &shown.picture;
    if flags.offline {
        say(&heading(&picture.facts, seat.now()));
    }
    let mut printer = Printer::new(seat.json);
    if seat.json {
        // In the picture's order, by app and member, so that two outputs can be compared line by line.
        let matches = query.filter.matches(picture, &shown.index);
        for at in matches.grants() {
            printer.line(&GrantLine::new(picture, &picture.grants[at as usize]))?;
        }
    } else {
        if !flags.offline {
            printer.text(&heading(&picture.facts, seat.now()))?;
        }
        printer.text(&summary(&shown))?;
        printer.text("")?;
        printer.table(&app_table(&shown, &query))?;
    }
    printer.done()?;
    if query.filter != Filter::default() {
        let matching = query.filter.matches(picture, &shown.index).count();
        say(&format!("{matching} of {} match.", count(picture.grants.len(), "grant", "grants")));
    }
    Ok(missing(seat, picture))
}

/// The last snapshot, for whoever may look at it without a session.
///
/// # Errors
/// When there is none.
pub async fn kept(seat: &Seat) -> Result<Arc<Shown>, Ending> {
    seat.kept().await?.ok_or_else(|| {
        Ending::new(
            SESSION,
            format!(
                "Nothing that may be shown offline was read here: that takes a session that was signed in to on this computer. \
                 Sign in with: {}",
                command(&["sign-in"])
            ),
        )
    })
}

fn summary(shown: &Shown) -> String {
    let picture = &shown.picture;
    let granted = picture.members.iter().zip(0..).filter(|(_, at)| !picture.grants_of_member(*at).is_empty()).count();
    let new =
        picture.grants.iter().filter(|grant| grant.change == Some(cutoff::inventory::picture::Change::New)).count();
    let mut told = format!(
        "{} of {} to {}",
        count(picture.grants.len(), "grant", "grants"),
        count(granted, "member", "members"),
        count(picture.apps.len(), "app", "apps")
    );
    if let Some((number, _)) = picture.facts.since {
        told.push_str(&format!("; {new} new and {} gone since snapshot {number}", picture.gone.len()));
    }
    told + "."
}

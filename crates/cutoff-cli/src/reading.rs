//! Reading anew, with progress on standard error, and stopping when somebody asks for it. What is read is the mind's to say.

use std::sync::Mutex;
use std::time::Duration;

use cutoff::Error;
use cutoff::inventory::reading::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use crate::ending::Ending;
use crate::interrupts::Interrupts;
use crate::say;
use crate::seat::Seat;
use crate::told::{count, time_of_day, utc};

/// Reads the inventory; when it returns it is on the disk.
///
/// # Errors
/// Why there is nothing to show, or nothing that was kept.
pub async fn read(seat: &Seat) -> Result<(), Ending> {
    seat.sit().await?;
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
        bar.set_style(style);
    }
    // Which wait was told of. Held for a look and a swap.
    let waiting = Mutex::new(None);
    let told = |progress: &Progress| tell(&bar, progress, &waiting);
    let reading = seat.desk.read_inventory(&told);
    tokio::pin!(reading);
    let mut interrupts = Interrupts::listen();
    let mut asked_to_stop = false;
    let done = loop {
        tokio::select! {
            done = &mut reading => break done,
            () = interrupts.next() => {
                if asked_to_stop {
                    break Err(Error::Cancelled);
                }
                asked_to_stop = true;
                seat.desk.cancel_reading();
            }
        }
    };
    bar.finish_and_clear();
    match done {
        Ok(()) => Ok(()),
        Err(Error::Journal(error)) => {
            let Ending { code, sentence } = Error::Journal(error).into();
            Err(Ending::new(
                code,
                format!("The inventory was read and could not be kept, so nothing is printed. {sentence}"),
            ))
        }
        Err(error) => {
            if let Ok(shown) = seat.desk.shown().await {
                let facts = &shown.picture.facts;
                if !facts.under_way && facts.snapshot.is_some() {
                    say(&format!(
                        "This reading was not kept: the inventory of {} stays the last one.",
                        utc(facts.ended)
                    ));
                }
            }
            Err(error.into())
        }
    }
}

fn tell(bar: &ProgressBar, progress: &Progress, waiting: &Mutex<Option<Timestamp>>) {
    if let Some(until) = progress.waiting_until {
        let sentence = format!("waiting until {}: Stytch limits the rate", time_of_day(until));
        if bar.is_hidden() {
            let mut known = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Several calls run into one limit: that is one wait.
            if known.is_none_or(|known| until > known) {
                *known = Some(until);
                drop(known);
                say(&sentence);
            }
        }
        bar.set_message(sentence);
        return;
    }
    if let Some(expected) = progress.calls_expected {
        bar.set_length(u64::from(expected));
    }
    bar.set_position(u64::from(progress.calls));
    let apps = match progress.apps {
        Some(apps) => format!("{} of {}", progress.apps_done, count(apps as usize, "app", "apps")),
        None => "the list of apps".to_owned(),
    };
    let left = progress.left.map_or_else(String::new, |left| format!(", {} left", span(left)));
    bar.set_message(format!("{apps}, {}{left}", count(progress.grants as usize, "grant", "grants")));
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

//! The inventory in the real window, from a stored snapshot and without a server: how long from the start to the first rows,
//! what scrolling its longest table costs, and how much memory it holds; all beside the empty window in the same run, at three
//! sizes, so that growth is visible. Numbers come from inside the page and from `/proc`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use promises::ipc::App;
use promises::stage::{Running, Startup};
use serde::Deserialize;
use serde_json::{Value, json};
use stytch_b2b::Timeouts;

use crate::Done;
use crate::numbers::{median, millis, percentile, ratio};
use crate::revoke::sign_in;
use crate::server::Server;
use crate::start::{FIELD, program, times, told};

/// Apps of each size.
const APPS: usize = 100;
/// Members of each size: about a thousand, ten thousand and a hundred thousand grants.
const MEMBERS: [usize; 3] = [152, 1_520, 15_200];
/// The first row of the screen that comes first.
const ROW: &str = ".pane [data-test=row]";
/// Milliseconds of scrolling at each speed.
const SCROLLING: u64 = 5_000;
/// A frame that takes longer can be seen to.
const LONG: Duration = Duration::from_millis(50);

/// Opens the map's table, and answers when its rows are there, with how many there are.
const TABLE: &str = r#"
const tell = arguments[arguments.length - 1];
document.querySelector("[data-test=nav-map]").click();
document.querySelector("[data-test=map-as-table]").click();
const look = () => {
  const list = document.querySelector("[data-test=screen-map] [data-test=rows]");
  if (list && !list.hidden && list.querySelector("[data-test=row]")) tell(Number(list.ariaRowCount) - 1);
  else setTimeout(look, 20);
};
look();
"#;

/// A plain list of a thousand rows, all of them there at once.
const PLAIN: &str = r#"
const tell = arguments[arguments.length - 1];
const list = document.createElement("div");
list.dataset.test = "rows";
list.style.cssText = "position: fixed; inset: 0; overflow: hidden auto";
for (let n = 0; n < 1000; n += 1) {
  const row = document.createElement("div");
  row.style.cssText = "height: 36px";
  row.textContent = `Row ${n}`;
  list.append(row);
}
document.body.append(list);
requestAnimationFrame(() => tell(1000));
"#;

/// Scrolls down by so many pixels each frame, from the end back again, and answers how long each frame was and how many rows
/// have passed.
const SCROLL: &str = r#"
const [step, ms, tell] = arguments;
const list = document.querySelector("[data-test=screen-map] [data-test=rows], body > [data-test=rows]");
list.scrollTop = 0;
const frames = [];
let last = 0, began = 0, down = step, moved = 0, blank = 0;
const frame = (now) => {
  if (last === 0) began = now;
  else frames.push(now - last);
  last = now;
  if (now - began >= ms) { tell({ frames, rows: Math.round(moved / 36), blank }); return; }
  const before = list.scrollTop;
  list.scrollTop = before + down;
  if (list.scrollTop === before) down = -down;
  moved += Math.abs(list.scrollTop - before);
  if (list.querySelector("[data-blank]")) blank += 1;
  requestAnimationFrame(frame);
};
setTimeout(() => requestAnimationFrame(frame), 500);
"#;

/// Starts each size so many times.
pub fn measure(place: &Path, rounds: usize) -> Done<Value> {
    let (cutoff, empty) = (program("cutoff-desktop")?, program("empty-window")?);
    let mut stored = Vec::new();
    for members in MEMBERS {
        let state = place.join(format!("window-{members}"));
        let grants = store(&state, members)?;
        eprintln!("· inventory of {grants} grants: stored");
        stored.push((state, members, grants));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stage = Startup::set().await?;
        let mut sizes = Vec::new();
        let mut held = Vec::new();
        for (state, members, grants) in &stored {
            let arguments = ["--state-dir".to_owned(), state.display().to_string()];
            let starts = starts(&stage, (&cutoff, &arguments), &empty, rounds).await?;

            let window = stage.open(&cutoff, &arguments, ROW, true).await?;
            let fresh = window.resident()?;
            let rows = window.script_async(TABLE, vec![]).await?;
            if rows != json!(grants) {
                return Err(format!("the table has {rows} rows and {grants} grants were stored").into());
            }
            let reference = stage.open(&empty, &[], FIELD, true).await?;
            reference.script_async(PLAIN, vec![]).await?;
            let mut scrolling = serde_json::Map::new();
            // As fast as one can read along, and as fast as a hand flings: there every frame shows rows that were not there before.
            for (speed, step) in [("steady", 120), ("fling", 6_000)] {
                scrolling.insert(speed.to_owned(), scroll(&window, &reference, step).await?);
            }
            let scrolled = window.resident()?;
            let bare = reference.resident()?;
            window.end().await?;
            reference.end().await?;
            eprintln!("· window with {grants} grants: scrolled");
            held.push(scrolled);
            sizes.push(json!({
                "grants": grants,
                "members": members,
                "apps": APPS,
                "start_to_first_rows": starts,
                "scrolling": scrolling,
                "memory": {
                    "rust_mib": mib(scrolled.0), "page_mib": mib(scrolled.1),
                    "before_scrolling": { "rust_mib": mib(fresh.0), "page_mib": mib(fresh.1) },
                    "empty_window": { "rust_mib": mib(bare.0), "page_mib": mib(bare.1) },
                },
            }));
        }
        let grown = |of: fn(&(u64, u64)) -> u64| {
            let (first, last) = (held.first().map_or(1, of), held.last().map_or(1, of));
            (last as f64 / first as f64 * 1e3).round() / 1e3
        };
        Ok(json!({
            "starts": rounds,
            "sizes": sizes,
            "page_memory_of_the_largest_to_the_smallest": { "ratio": grown(|held| held.1) },
            "rust_memory_of_the_largest_to_the_smallest": { "ratio": grown(|held| held.0) },
        }))
    })
}

/// Reads an inventory of that size once and leaves it in a state directory; answers how many grants it has. The server is gone then.
fn store(state: &Path, members: usize) -> Done<usize> {
    let server = Server::start(members, APPS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let control = reqwest::Client::builder().no_proxy().build()?;
    let app = App::open_with(|options| {
        options.state_dir = state.to_owned();
        options.timeouts = Timeouts::default();
    });
    sign_in(&app, &server, |email| runtime.block_on(server.code(&control, email)))?;
    let status: Value = app.ask("inventory_read", json!({})).map_err(|refusal| refusal.to_string())?;
    let grants = status["picture"]["grants"].as_u64().ok_or_else(|| format!("nothing was read: {status}"))?;
    Ok(usize::try_from(grants)?)
}

/// Starts both by turns, each so many times.
async fn starts(stage: &Startup, ours: (&PathBuf, &[String]), empty: &Path, rounds: usize) -> Done<Value> {
    let (mut app, mut reference) = (Vec::new(), Vec::new());
    // The first round brings both into the machine's caches and is not counted.
    for round in 0..=rounds {
        let one = stage.open(ours.0, ours.1, ROW, true).await?;
        let took = one.started;
        one.end().await?;
        let other = stage.time(empty, &[], FIELD).await?;
        if round > 0 {
            app.push(took);
            reference.push(other);
        }
    }
    Ok(json!({
        "until": "the frame with the first rows is painted, or the empty window's field is there",
        "cutoff": told(&app),
        "empty_window": told(&reference),
        "ratio": ratio(median(&times(&app)), median(&times(&reference))),
    }))
}

#[derive(Deserialize)]
struct Scrolled {
    /// Milliseconds from each frame to the next.
    frames: Vec<f64>,
    rows: u64,
    /// Frames in which some row in sight had not come yet.
    blank: usize,
}

/// Scrolls both, one after the other: two at once would slow each other down.
async fn scroll(window: &Running, reference: &Running, step: u64) -> Done<Value> {
    let arguments = || vec![json!(step), json!(SCROLLING)];
    let ours: Scrolled = serde_json::from_value(window.script_async(SCROLL, arguments()).await?)?;
    let theirs: Scrolled = serde_json::from_value(reference.script_async(SCROLL, arguments()).await?)?;
    let frames = |of: &Scrolled| -> Vec<Duration> {
        of.frames.iter().map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1e3)).collect()
    };
    let (ours_took, theirs_took) = (frames(&ours), frames(&theirs));
    let told = |of: &[Duration]| {
        json!({
            "frames": of.len(),
            "p50_ms": millis(median(of)),
            "p99_ms": millis(percentile(of, 0.99)),
            "longest_ms": millis(percentile(of, 1.0)),
            "over_50_ms": of.iter().filter(|took| **took > LONG).count(),
        })
    };
    Ok(json!({
        "pixels_each_frame": step,
        "rows_passed": ours.rows,
        "frames_with_a_row_still_to_come": ours.blank,
        "cutoff": told(&ours_took),
        "plain_list_of_1000_rows": told(&theirs_took),
        "ratio": ratio(percentile(&ours_took, 0.99), percentile(&theirs_took, 0.99)),
    }))
}

/// Mebibytes to one place.
fn mib(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0 * 10.0).round() / 10.0
}

//! `latchkey import`

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, print, start};
use crate::app::App;
use crate::config::Config;
use crate::hotels;
use crate::import::{self, Counts, Options, Summary};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The hotel to import into; it must exist
    hotel_slug: String,
    /// CSV file, plain or gzip; `-` reads from standard input
    file: PathBuf,
    /// Which hotel of the file, by its name in the column `hotel`, when it holds several
    #[arg(long, value_name = "NAME")]
    hotel: Option<String>,
    /// Move all dates by this many weeks; negative moves them back
    #[arg(long, value_name = "WEEKS", default_value_t = 0, allow_negative_numbers = true)]
    shift_weeks: i32,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    // Before anything is started, so that a wrong path is told at once.
    let input: Box<dyn Read> = if args.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let cannot = |error| Failure::Other(format!("cannot read {}: {error}", args.file.display()));
        Box::new(File::open(&args.file).map_err(cannot)?)
    };
    let options = Options { hotel: args.hotel, shift_weeks: args.shift_weeks, ..Options::default() };
    let started = start(config).await?;
    let outcome = execute(&started.app, &args.hotel_slug, input, &options).await;
    started.stop().await;
    let summary = outcome?;

    for line in &summary.bad_lines {
        eprintln!("line {}: {}", line.number, line.reason);
    }
    print(&table(&summary))?;
    match summary.bad_lines.len() {
        0 => Ok(()),
        1 => Err(Failure::Other("1 line was left out; the others are imported".into())),
        lines => Err(Failure::Other(format!("{lines} lines were left out; the others are imported"))),
    }
}

async fn execute(app: &App, slug: &str, input: Box<dyn Read>, options: &Options) -> Result<Summary, Failure> {
    let hotel = {
        let mut conn = app.worker_pool.acquire().await?;
        hotels::store::find_by_slug(&mut conn, slug).await?
    };
    let hotel = hotel.ok_or_else(|| {
        Failure::Other(format!(
            "there is no hotel {slug:?}: `latchkey hotel list` shows them, `latchkey hotel create` makes one"
        ))
    })?;
    // Draws nothing unless standard error is a terminal.
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records, {elapsed}").expect("a valid template"),
    );
    let summary = import::import(app, &hotel, input, options, &|progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    })
    .await;
    bar.finish_and_clear();
    Ok(summary?)
}

fn table(summary: &Summary) -> String {
    let row = |name: &str, cells: [String; 3]| format!("{name:<14}{:>9}{:>9}{:>11}\n", cells[0], cells[1], cells[2]);
    let counts = |name, Counts { created, changed, unchanged }| {
        row(name, [created, changed, unchanged].map(|count| count.to_string()))
    };
    let single = |name, count: String| row(name, [count, String::new(), String::new()]);
    let mut rows = vec![
        row("", ["created", "changed", "unchanged"].map(str::to_owned)),
        counts("room stays", summary.room_stays),
        counts("reservations", summary.reservations),
        counts("clients", summary.clients),
        single("rooms", summary.rooms_created.to_string()),
        single("lines skipped", summary.bad_lines.len().to_string()),
    ];
    if summary.double_booked > 0 {
        rows.push(single("double-booked", summary.double_booked.to_string()));
    }
    rows.concat()
}

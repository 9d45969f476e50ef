//! `latchkey import`

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, explain, print, start, start_read_only};
use crate::app::App;
use crate::config::Config;
use crate::import::{self, Counts, DateOrder, Format, Options, Summary};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The hotel to import into; it must exist
    hotel_slug: String,
    /// CSV file, plain or gzip; `-` reads from standard input
    file: PathBuf,
    /// Write nothing, and tell what would be written and which lines are bad
    #[arg(long)]
    dry_run: bool,
    /// Make the rooms and categories that the hotel lacks
    #[arg(long)]
    create_rooms: bool,
    /// What the file calls a column, such as code="Booking No"; once for each column that is not found by itself
    #[arg(long = "column", value_name = "COLUMN=HEADER", value_parser = column)]
    columns: Vec<(String, String)>,
    /// The order of day and month, when the file does not tell
    #[arg(long, ignore_case = true)]
    dates: Option<DateOrder>,
    /// What the file holds; its header row tells by itself
    #[arg(long)]
    format: Option<Format>,
    /// Public booking data: which hotel of the file, by its name in the column `hotel`
    #[arg(long, value_name = "NAME")]
    hotel: Option<String>,
    /// Public booking data: move all dates by this many weeks; negative moves them back
    #[arg(long, value_name = "WEEKS", default_value_t = 0, allow_negative_numbers = true)]
    shift_weeks: i32,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Own, Self::HotelBookings]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Own => PossibleValue::new("own").help("A hotel's own bookings"),
            Self::HotelBookings => PossibleValue::new("hotel-bookings").help("Those of the public hotel booking data"),
        })
    }
}

impl ValueEnum for DateOrder {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::DayFirst, Self::MonthFirst, Self::YearFirst]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::DayFirst => PossibleValue::new("DD/MM/YYYY").aliases(["DD.MM.YYYY", "DD-MM-YYYY"]).help("31/12/2026"),
            Self::MonthFirst => PossibleValue::new("MM/DD/YYYY").alias("MM-DD-YYYY").help("12/31/2026"),
            Self::YearFirst => PossibleValue::new("YYYY-MM-DD").help("2026-12-31, and no other"),
        })
    }
}

fn column(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(column, header)| (column.trim().to_owned(), header.trim().to_owned()));
    pair.ok_or_else(|| "expected a column and its header, such as code=\"Booking No\"".to_owned())
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    // Before anything is started, so that a wrong path fails at once.
    let input: Box<dyn Read> = if args.file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let cannot = |error| Failure::Other(format!("cannot read {}: {error}", args.file.display()));
        Box::new(File::open(&args.file).map_err(cannot)?)
    };
    let options = Options {
        format: args.format,
        columns: args.columns,
        dates: args.dates,
        create_rooms: args.create_rooms,
        dry_run: args.dry_run,
        hotel: args.hotel,
        shift_weeks: args.shift_weeks,
        ..Options::default()
    };
    let started = if options.dry_run { start_read_only(config).await? } else { start(config).await? };
    let outcome = execute(&started.app, &args.hotel_slug, input, &options).await;
    started.stop().await;
    let summary = outcome?;

    for line in &summary.bad_lines {
        eprintln!("line {}: {}", line.number, line.reason);
    }
    print(&report(&summary, options.dry_run))?;
    let left_out = match summary.bad_lines.len() {
        0 => return Ok(()),
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    Err(Failure::Other(match (options.dry_run, summary.is_empty()) {
        (true, _) => format!("{left_out} would be left out"),
        (false, true) => format!("{left_out} left out, and there was no other: nothing was imported"),
        (false, false) => format!("{left_out} left out; the others are imported"),
    }))
}

async fn execute(app: &App, slug: &str, input: Box<dyn Read>, options: &Options) -> Result<Summary, Failure> {
    let hotel = explain::hotel(app, slug).await?;
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

fn report(summary: &Summary, dry_run: bool) -> String {
    let row = |name: &str, cells: [String; 3]| format!("{name:<15}{:>11}{:>11}{:>11}\n", cells[0], cells[1], cells[2]);
    let counts = |name, Counts { created, changed, unchanged }| {
        row(name, [created, changed, unchanged].map(|count| count.to_string()))
    };
    let single = |name, count: String| row(name, [count, String::new(), String::new()]);
    let titles = if dry_run { ["to create", "to change", "unchanged"] } else { ["created", "changed", "unchanged"] };
    let mut rows: Vec<String> = summary.remarks.iter().map(|remark| format!("{remark}\n")).collect();
    rows.extend([
        row("", titles.map(str::to_owned)),
        counts("room stays", summary.room_stays),
        counts("reservations", summary.reservations),
        counts("clients", summary.clients),
        single("rooms", summary.rooms_created.to_string()),
        single("categories", summary.categories_created.to_string()),
        single("lines left out", summary.bad_lines.len().to_string()),
    ]);
    if summary.double_booked > 0 {
        rows.push(single("double-booked", summary.double_booked.to_string()));
    }
    if summary.cancelled_rooms > 0 {
        let rooms = summary.cancelled_rooms;
        rows.push(format!("Not imported: cancelled rooms of reservations that are not cancelled, {rooms}.\n"));
    }
    if dry_run {
        rows.push("Nothing was written: this was a dry run.\n".to_owned());
    }
    rows.concat()
}

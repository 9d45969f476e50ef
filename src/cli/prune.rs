//! `latchkey prune`

use std::fmt::Write as _;

use chrono::SecondsFormat;

use super::start::require_fitting_clock;
use super::{Failure, print, start, start_read_only};
use crate::app::App;
use crate::config::Config;
use crate::pruner::{self, Due};

#[derive(clap::Args)]
pub(super) struct Args {
    /// List what would go (hotel, key, stay, since when), and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let started = if args.dry_run { start_read_only(config).await? } else { start(config).await? };
    let outcome = execute(&args, config, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(args: &Args, config: &Config, app: &App) -> Result<String, Failure> {
    if args.dry_run {
        return Ok(pruner::list_due(app).await?.iter().fold(String::new(), line));
    }
    require_fitting_clock(config, app).await?;
    let done = pruner::prune_due(app).await?;
    Ok(format!("revoked {}\tdeleted {}\n", done.revoked, done.deleted))
}

fn line(mut lines: String, due: &Due) -> String {
    let stay = due.stay.map_or_else(|| "-".to_owned(), |stay| stay.to_string());
    let since = due.due_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    writeln!(lines, "{}\t{}\t{stay}\t{since}", due.hotel, due.key).expect("a string takes everything");
    lines
}

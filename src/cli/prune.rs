//! `latchkey prune`

use chrono::SecondsFormat;
use serde_json::json;

use super::start::require_fitting_clock;
use super::table::{Output, Table};
use super::{Failure, print, start, start_read_only};
use crate::app::App;
use crate::config::Config;
use crate::pruner::{self, Due};

#[derive(clap::Args)]
pub(super) struct Args {
    /// List what would go (hotel, key, stay, since when), and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let started = if args.dry_run { start_read_only(config).await? } else { start(config).await? };
    let outcome = execute(&args, config, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(args: &Args, config: &Config, app: &App) -> Result<String, Failure> {
    if args.dry_run {
        return Ok(table(&pruner::list_due(app).await?).print(&args.output));
    }
    require_fitting_clock(config, app).await?;
    let done = pruner::prune_due(app).await?;
    let table = Table::new(&["revoked", "deleted"]).row([json!(done.revoked), json!(done.deleted)]);
    Ok(table.print_first(&args.output))
}

fn table(due: &[Due]) -> Table {
    due.iter().fold(Table::new(&["hotel", "roomAccessKey", "roomStay", "dueSince"]), |table, due| {
        let since = due.due_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        table.row([json!(due.hotel), json!(due.key), json!(due.stay), json!(since)])
    })
}

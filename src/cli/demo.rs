//! `latchkey demo`

use super::{Failure, print};
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{self, DemoFile};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print demo.json as it is, with all API keys
    #[arg(long)]
    json: bool,
    /// Print a curl line that asks the first hotel for its stays of the coming week
    #[arg(long, conflicts_with = "json")]
    curl: bool,
}

#[expect(clippy::unused_async, reason = "every command is")]
pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let absent = || Failure::Other("there is no demo yet: `latchkey serve` loads it into an empty database".into());
    let file = DemoFile::read(&config.data_dir)?.ok_or_else(absent)?;
    if args.json {
        return print(&file.to_json());
    }
    if args.curl {
        let clock = config.clock.map_or_else(Clock::system, Clock::starting_at);
        return print(&demo::curl(&file, clock.now()).ok_or_else(absent)?);
    }
    print(&demo::overview(&file))
}

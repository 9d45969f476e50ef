//! `latchkey migrate`

use super::{Failure, start};
use crate::config::Config;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only make the roles that a dump of the database refers to, before it is restored in another cluster
    #[arg(long)]
    prepare_cluster: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> Result<(), Failure> {
    if args.prepare_cluster {
        return start::prepare_cluster(config).await;
    }
    start(config).await?.stop().await;
    Ok(())
}

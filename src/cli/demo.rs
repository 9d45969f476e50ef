//! `latchkey demo`

use super::Failure;
use crate::config::Config;

#[derive(clap::Args)]
pub struct Args {}

#[expect(clippy::unused_async, reason = "every command is")]
pub async fn run(_args: Args, _config: &Config) -> Result<(), Failure> {
    Err(Failure::Other("not part of this build".into()))
}

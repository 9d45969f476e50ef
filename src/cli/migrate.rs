//! `latchkey migrate`

use super::{Failure, start};
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    start(config).await?.stop().await;
    Ok(())
}

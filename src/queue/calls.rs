//! Calls for help between the workers of processes, by NOTIFY: at most one per turn of a worker, and never within a request.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use super::store;
use super::worker::{PATIENCE, POLL};
use crate::db::{Pool, answered_within};
use crate::error::Result;

/// How long the connection that calls are heard on may be silent before it is asked whether it still is one.
const SILENCE: Duration = Duration::from_secs(15);

/// Calls the workers that listen on a channel.
pub async fn call(pool: &Pool, channel: &str) -> Result<()> {
    let mut conn = pool.acquire().await?;
    store::notify(&mut conn, channel).await
}

/// Calls `heard` whenever a worker calls on the channel, until it is dropped. Without the connection, the poll remains.
pub async fn listen(pool: Pool, channel: &'static str, heard: impl Fn()) {
    loop {
        if let Err(error) = hear(&pool, channel, &heard).await {
            tracing::debug!(cause = %error, channel, "the workers of other processes cannot be heard");
        }
        sleep(POLL).await;
    }
}

async fn hear(pool: &Pool, channel: &str, heard: &impl Fn()) -> sqlx::Result<()> {
    // Its own connection: the pool's are for work.
    let options = pool.connect_options().clone();
    let own = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let mut listener = PgListener::connect_with(&own).await?;
    listener.listen(channel).await?;
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(notification) => match notification? {
                Some(_) => heard(),
                None => return Ok(()),
            },
            // Nothing is asked: any answer shows that it still is one.
            Err(_) => {
                answered_within(PATIENCE, listener.execute("")).await?;
            }
        }
    }
}

//! What keeps the replicas in step: every second each adds what it let in, and learns what all have.

use std::time::Duration;

use super::{Throttle, store};
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::periodic;
use crate::telemetry::warn_of_retry;

/// How often. Between two times, a key that uses several replicas at once can take more than there is.
const EVERY: Duration = Duration::from_secs(1);

/// One exchange, in one statement for all keys that were used since the last one; none when there were none. A replica that
/// cannot reach the database goes on by what it knows, and tells later.
///
/// # Errors
/// `UNAVAILABLE`
pub async fn exchange(context: &Context, throttle: &Throttle) -> Result<()> {
    let as_of = context.clock.monotonic();
    let told = throttle.keys.tell(&throttle.settings, as_of);
    if told.is_empty() {
        return Ok(());
    }
    let learnt = match context.worker_pool.acquire().await {
        Ok(mut conn) => {
            let exchanging = store::exchange(&mut conn, &throttle.settings, &told, context.clock.now());
            answered_within(WORKER_PATIENCE, exchanging).await
        }
        Err(error) => Err(error.into()),
    };
    match learnt {
        Ok(all) => throttle.keys.learn(&throttle.settings, &all, as_of, context.clock.monotonic()),
        Err(error) => {
            throttle.keys.were_not_told(&throttle.settings, &told);
            return Err(error);
        }
    }
    Ok(())
}

/// Exchanges every second until `shutdown` ends, and then once more.
pub async fn run_exchange(context: &Context, throttle: &Throttle, shutdown: impl Future<Output = ()>) {
    let exchange = || async {
        if let Err(error) = exchange(context, throttle).await {
            warn_of_retry(&error, "limits of API keys were not exchanged");
        }
    };
    periodic::repeat_to_the_end(EVERY, shutdown, exchange).await;
}

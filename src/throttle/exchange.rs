//! The exchange between replicas, which keeps their limits in step: every second each reports what it has admitted,
//! and merges what all have.

use std::time::Duration;

use super::{Throttle, store};
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::periodic;
use crate::telemetry::warn_of_retry;

/// How often. Between two times, a principal that uses several replicas at once can take more than there is.
const EVERY: Duration = Duration::from_secs(1);

/// One exchange, in one statement for all principals that sent requests since the last one; none when there were none. A
/// replica that cannot reach the database goes on by what it knows, and reports later.
///
/// # Errors
/// `UNAVAILABLE`
pub async fn exchange(context: &Context, throttle: &Throttle) -> Result<()> {
    let as_of = context.clock.monotonic();
    let reported = throttle.principals.report(&throttle.settings, as_of);
    if reported.is_empty() {
        return Ok(());
    }
    let exchanged = match context.worker_pool.acquire().await {
        Ok(mut conn) => {
            let exchanging = store::exchange(&mut conn, &throttle.settings, &reported, context.clock.now());
            answered_within(WORKER_PATIENCE, exchanging).await
        }
        Err(error) => Err(error.into()),
    };
    match exchanged {
        Ok(all) => throttle.principals.merge(&throttle.settings, &all, as_of, context.clock.monotonic()),
        Err(error) => {
            throttle.principals.take_back(&throttle.settings, &reported);
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

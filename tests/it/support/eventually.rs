//! Waiting for what another task or process does.

use std::time::{Duration, Instant};

/// Longest that a machine that runs other tests may take for what usually takes a moment.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until something is so. The limit only ends a broken test, which then says `what` it waited for.
pub async fn eventually(limit: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

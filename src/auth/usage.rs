//! How much each API key is used: counted in memory by every replica, added to the database every few seconds.
//!
//! Sums are right across replicas, because each adds what it counted. A replica that is killed loses its last seconds; one
//! that is asked to stop writes them first. Where the connection is lost while the database commits, those few seconds
//! may count twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store::{self, Used};
use crate::actor::Actor;
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::periodic;
use crate::telemetry::warn_of_retry;

/// How often counts are written.
const EVERY: Duration = Duration::from_secs(5);

/// Authenticated requests that are not written yet, by pair of keys.
#[derive(Default)]
pub struct Usage(Mutex<HashMap<Uuid, Used>>);

impl Usage {
    /// Counts an authenticated request, if it was made with an API key.
    pub fn note(&self, actor: &Actor, now: DateTime<Utc>) {
        if let Some(api_key) = actor.principal.api_key_id() {
            self.add(Used { hotel: actor.hotel.id, api_key, requests: 1, last_used_at: now });
        }
    }

    fn add(&self, more: Used) {
        // A map of sums is whole whatever a thread panicked at.
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.get_mut(&more.api_key) {
            Some(used) => {
                used.requests += more.requests;
                used.last_used_at = used.last_used_at.max(more.last_used_at);
            }
            None => {
                counted.insert(more.api_key, more);
            }
        }
    }

    fn take(&self) -> Vec<Used> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counted).into_values().collect()
    }
}

/// Writes what was counted since the last time. What cannot be written is kept for the next time.
///
/// # Errors
/// `UNAVAILABLE`
pub async fn write_usage(context: &Context, usage: &Usage) -> Result<()> {
    let used = usage.take();
    if used.is_empty() {
        return Ok(());
    }
    let written = match context.worker_pool.acquire().await {
        Ok(mut conn) => answered_within(WORKER_PATIENCE, store::add_usage(&mut conn, &used)).await,
        Err(error) => Err(error.into()),
    };
    if written.is_err() {
        for used in used {
            usage.add(used);
        }
    }
    written
}

/// Writes every few seconds until `shutdown` ends, and then once more.
pub async fn run_usage(context: &Context, usage: &Usage, shutdown: impl Future<Output = ()>) {
    let write = || async {
        if let Err(error) = write_usage(context, usage).await {
            warn_of_retry(&error, "use of API keys was not written");
        }
    };
    periodic::repeat_to_the_end(EVERY, shutdown, write).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_add_up_and_the_latest_instant_stays() {
        let usage = Usage::default();
        let at = |second| DateTime::from_timestamp(second, 0).expect("an instant");
        let used =
            |requests, second| Used { hotel: Uuid::nil(), api_key: Uuid::nil(), requests, last_used_at: at(second) };
        usage.add(used(2, 20));
        usage.add(used(3, 10));
        assert_eq!(usage.take(), [used(5, 20)]);
        assert_eq!(usage.take(), []);
    }
}

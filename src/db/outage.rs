//! Outages: the times in which the database cannot be reached.
//!
//! The first to find that out begins an outage. While it lasts one task tries to connect, and all others are refused at once: a
//! server that is coming back is not stormed, and nobody waits for what is not there. Only at its beginning is it waited for,
//! since PostgreSQL is often back within a moment.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::silence::{SIGN_OF_LIFE, answered_within};
use crate::error::is_away_in_connecting;

/// How long an outage is waited out.
const BRIDGED: Duration = Duration::from_secs(1);
/// How often it is looked whether the database is back.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Whether a database can be reached. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Outage(Arc<Known>);

struct Known {
    options: PgConnectOptions,
    /// When the outage began that lasts.
    since: watch::Sender<Option<Instant>>,
    /// Connections that were not heard since then are not to be trusted.
    silence: Mutex<Instant>,
}

impl Outage {
    /// A database that was not found to be away yet.
    pub fn new(options: PgConnectOptions) -> Self {
        let options = options.application_name("latchkey outage");
        let (since, _) = watch::channel(None);
        Self(Arc::new(Known { options, since, silence: Mutex::new(Instant::now()) }))
    }

    /// Whether the database is known to be away.
    pub fn is_on(&self) -> bool {
        self.0.since.borrow().is_some()
    }

    /// Waits for the end of an outage that has just begun.
    ///
    /// # Errors
    /// When it lasts.
    pub(super) async fn over(&self) -> sqlx::Result<()> {
        let mut since = self.0.since.subscribe();
        let Some(began) = *since.borrow_and_update() else { return Ok(()) };
        match timeout_at(began + BRIDGED, since.wait_for(Option::is_none)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::new(io::ErrorKind::NotConnected, "the database is away").into()),
        }
    }

    /// Notes that the database cannot be reached.
    pub(super) fn begin(&self, cause: &sqlx::Error) {
        let begins = self.0.since.send_if_modified(|since| {
            let begins = since.is_none();
            since.get_or_insert_with(Instant::now);
            begins
        });
        if begins {
            tracing::warn!(cause = %cause, "the database cannot be reached");
            tokio::spawn(Known::wait_for_return(Arc::downgrade(&self.0)));
        }
    }

    /// Notes that a connection does not answer that did at `heard`.
    pub(super) fn note_silence(&self, heard: Instant) {
        let mut silence = self.0.silence.lock().unwrap_or_else(PoisonError::into_inner);
        *silence = heard.max(*silence);
    }

    /// The latest instant at which a connection answered that does not any more.
    pub(super) fn last_silence(&self) -> Instant {
        *self.0.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    async fn wait_for_return(known: Weak<Self>) {
        let began = Instant::now();
        loop {
            sleep(LOOK_EVERY).await;
            // Nobody is interested any more.
            let Some(options) = known.upgrade().map(|known| known.options.clone()) else { return };
            match answered_within(SIGN_OF_LIFE, options.connect()).await {
                Err(error) if is_away_in_connecting(&error) => continue,
                Ok(conn) => drop(conn.close().await),
                // It answers, if only to say no.
                Err(_) => {}
            }
            let Some(known) = known.upgrade() else { return };
            known.since.send_replace(None);
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(duration_ms, "the database can be reached again");
            return;
        }
    }
}

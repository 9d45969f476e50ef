//! Liveness of processes, so that what a dead one had leased is taken over at once, and what a slow one has is left to it.
//!
//! A process that works holds a shared advisory lock on a number of its own, on a connection that is for nothing else. PostgreSQL
//! lets go of it when the connection ends, however the process died: at once when the process was killed, and after some two
//! seconds without an answer when its host has vanished. Every process looks several times a second which numbers are held.
//! One that was held in none of the last [`LOOKS`] looks is dead.
//!
//! A living process whose connection is cut has until then to take its lock again, which it does without a pause. Meanwhile it begins
//! nothing in its own name ([`Liveness::holder`]). A process that is stopped (`SIGSTOP`) keeps its connection and so lives: what it
//! has leased is its own until the lease runs out.
//!
//! Nothing rests on this for being right: who takes over is never harmed by a holder that lives after all, since what is recorded
//! counts only for the last holder of a lease.

mod store;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::db::{Pool, answered_within};
use crate::error::Result;
use crate::id::IdSource;
use crate::telemetry::warn_of_retry;

/// How often a process looks which others live.
pub const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Looks in a row in which a process is missed before it counts as dead: what a living one has to connect again.
pub const LOOKS: usize = 4;
/// Longest wait for PostgreSQL before the connection is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long PostgreSQL waits for a host that does not answer before it ends the connection, in its own settings. They mean
/// nothing to a socket of the same machine.
const KEEPALIVE: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "1"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "1"),
    ("tcp_user_timeout", "2000"),
];

/// What this process knows of itself and the others.
pub struct Liveness {
    /// The number of this process.
    own: i32,
    seen: Mutex<Seen>,
}

/// The last looks of the present connection, oldest first; none without a connection.
#[derive(Default)]
struct Seen(VecDeque<Vec<i32>>);

impl Seen {
    fn note(&mut self, held: Vec<i32>) {
        if self.0.len() == LOOKS {
            self.0.pop_front();
        }
        self.0.push_back(held);
    }

    /// `None` before there were enough looks.
    fn living(&self) -> Option<Vec<i32>> {
        (self.0.len() == LOOKS).then(|| {
            let mut living: Vec<i32> = self.0.iter().flatten().copied().collect();
            living.sort_unstable();
            living.dedup();
            living
        })
    }
}

impl Liveness {
    /// Of a process that begins.
    pub fn new(ids: &IdSource) -> Self {
        let mut number = [0; 4];
        ids.fill(&mut number);
        Self { own: i32::from_be_bytes(number), seen: Mutex::default() }
    }

    /// In whose name this process may lease something: its number, while the others can see that it lives. `None`: nobody can
    /// tell, and a lease has to run out by itself.
    pub fn holder(&self) -> Option<i32> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (!seen.0.is_empty()).then_some(self.own)
    }

    /// Everybody who lives, this process included. `None` while that is not known.
    pub fn living(&self) -> Option<Vec<i32>> {
        let mut living = self.seen.lock().unwrap_or_else(PoisonError::into_inner).living()?;
        // It may have missed itself: it lives.
        living.push(self.own);
        Some(living)
    }

    /// Answers whether somebody has died since the look before.
    fn note(&self, held: Vec<i32>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.living();
        seen.note(held);
        let after = seen.living();
        // Those that died before this process began to look are found out when it knows enough for the first time.
        after.is_some_and(|after| before.is_none_or(|before| before.iter().any(|one| !after.contains(one))))
    }

    fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0.clear();
    }
}

/// Shows that this process lives, and looks who else does, until it is dropped. `on_death` is notified when somebody has died.
pub async fn run(liveness: &Liveness, pool: &Pool, on_death: &Notify) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let Err(error) = live(liveness, pool, on_death).await;
        if liveness.holder().is_some() {
            warn_of_retry(&error, "the connection that shows that this process lives was lost");
        } else {
            tracing::debug!(cause = ?error.source, "the connection that shows that this process lives is not back yet");
        }
        liveness.forget();
    }
}

/// Lives by one connection until that is lost.
async fn live(liveness: &Liveness, pool: &Pool, on_death: &Notify) -> Result<std::convert::Infallible> {
    let options = pool.connect_options().clone().application_name("latchkey liveness");
    let mut conn = answered_within(PATIENCE, options.options(KEEPALIVE).connect()).await?;
    answered_within(PATIENCE, store::lock(&mut conn, liveness.own)).await?;
    let lost = loop {
        match answered_within(PATIENCE, store::locked(&mut conn)).await {
            Ok(held) => {
                if liveness.note(held) {
                    on_death.notify_one();
                }
            }
            Err(error) => break error,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    abandon(conn).await;
    Err(lost)
}

/// Ends a connection that may not be one any more.
async fn abandon(conn: PgConnection) {
    let _ = timeout(PATIENCE, conn.close_hard()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liveness() -> Liveness {
        Liveness { own: 7, seen: Mutex::default() }
    }

    #[test]
    fn a_process_is_dead_when_it_was_missed_often_enough_in_a_row() {
        let liveness = liveness();
        assert_eq!((liveness.holder(), liveness.living()), (None, None));
        for look in 1..=LOOKS {
            assert_eq!(liveness.note(vec![7, 8]), look == LOOKS, "nothing is known before");
            assert_eq!(liveness.holder(), Some(7));
        }
        assert_eq!(liveness.living(), Some(vec![7, 8, 7]));
        for _ in 1..LOOKS {
            assert!(!liveness.note(vec![7]));
        }
        assert!(!liveness.note(vec![7, 8]), "it was back in time");
        for _ in 1..LOOKS {
            assert!(!liveness.note(vec![7]));
        }
        assert!(liveness.note(vec![7]));
        assert_eq!(liveness.living(), Some(vec![7, 7]));
    }

    #[test]
    fn who_has_just_connected_knows_untenanted_that_is_dead() {
        let liveness = liveness();
        for _ in 0..LOOKS {
            liveness.note(vec![7, 8]);
        }
        liveness.forget();
        assert_eq!((liveness.holder(), liveness.living()), (None, None));
        liveness.note(vec![7]);
        assert_eq!((liveness.holder(), liveness.living()), (Some(7), None));
    }
}

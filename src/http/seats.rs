//! Seats for connections: how many may be open, and which makes room when there are that many and one more waits.
//!
//! Most connections are idle most of the time, so the one that has been idle longest goes first: until the whole head of a request has
//! come, a connection is idle. If nobody has been idle for long, the next one that is answered goes, told so in its answer.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long a connection is idle before it is closed for another one: a request may be on its way.
pub const IDLE: Duration = Duration::from_secs(1);
/// How often a connection is closed for one that waits. Often enough that nobody waits for long, and seldom enough that
/// connecting is not most of what is done.
const ROOM_EVERY: Duration = Duration::from_millis(5);

/// The connections of a listener.
pub(super) struct Seats {
    most: usize,
    free: Arc<Semaphore>,
    shared: Arc<Shared>,
    /// When room was made last.
    made: Instant,
}

struct Shared {
    idle: Mutex<Idle>,
    /// The next connection that is answered is to make room.
    wanted: AtomicBool,
    closing: watch::Sender<bool>,
}

#[derive(Default)]
struct Idle {
    /// Ever growing: who has the smallest number has been idle longest.
    number: u64,
    connections: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

/// An open connection.
pub(super) struct Seat {
    shared: Arc<Shared>,
    leave: Arc<Notify>,
    /// Its number while it is idle.
    idle: Mutex<Option<u64>>,
    /// Something has come since it was idle.
    heard: AtomicBool,
    _place: OwnedSemaphorePermit,
}

impl Seats {
    /// For so many connections.
    pub(super) fn new(most: usize) -> Self {
        let shared =
            Shared { idle: Mutex::default(), wanted: AtomicBool::new(false), closing: watch::Sender::new(false) };
        Self { most, free: Arc::new(Semaphore::new(most)), shared: Arc::new(shared), made: Instant::now() }
    }

    /// Takes a place for a connection, as soon as there is one.
    pub(super) async fn take(&mut self) -> Arc<Seat> {
        let place = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => self.make_room().await,
        };
        let (shared, leave) = (Arc::clone(&self.shared), Arc::default());
        let seat = Seat { shared, leave, idle: Mutex::default(), heard: AtomicBool::new(false), _place: place };
        seat.rest();
        Arc::new(seat)
    }

    async fn make_room(&mut self) -> OwnedSemaphorePermit {
        sleep_until(self.made + ROOM_EVERY).await;
        loop {
            let somebody_leaves = self.shared.idle().dismiss();
            self.shared.wanted.store(!somebody_leaves, Ordering::Relaxed);
            let freed = timeout(IDLE / 10, Arc::clone(&self.free).acquire_owned()).await;
            if let Ok(place) = freed {
                self.shared.wanted.store(false, Ordering::Relaxed);
                self.made = Instant::now();
                return place.expect("the semaphore is never closed");
            }
        }
    }

    /// Asks all connections to leave, and waits until they have.
    pub(super) async fn close(self) {
        self.shared.closing.send_replace(true);
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let _ = self.free.acquire_many(all).await;
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    /// Asks who has been idle longest to leave, if it is for long enough.
    fn dismiss(&mut self) -> bool {
        let Some(longest) = self.connections.first_entry().filter(|entry| entry.get().0.elapsed() >= IDLE) else {
            return false;
        };
        longest.remove().1.notify_one();
        true
    }
}

impl Seat {
    /// A request has come.
    pub(super) fn work(&self) {
        let number = self.number().take();
        if let Some(number) = number {
            self.shared.idle().connections.remove(&number);
        }
    }

    /// A request is about to be answered. Tells whether the connection is to be closed with the answer.
    pub(super) fn answer(&self) -> bool {
        self.rest();
        self.shared.wanted.load(Ordering::Relaxed) && self.shared.wanted.swap(false, Ordering::Relaxed)
    }

    fn rest(&self) {
        let mut idle = self.shared.idle();
        idle.number += 1;
        let number = idle.number;
        self.heard.store(false, Ordering::Relaxed);
        idle.connections.insert(number, (Instant::now(), Arc::clone(&self.leave)));
        *self.number() = Some(number);
    }

    /// Resolves when the connection is to be closed as soon as it is idle.
    pub(super) async fn asked_to_leave(&self) {
        let mut closing = self.shared.closing.subscribe();
        tokio::select! {
            () = self.leave.notified() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// Something has come.
    pub(super) fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// Resolves when a connection that was asked to leave has sent a part of a head and does not send the rest. Who takes an
    /// answer slowly has sent nothing since.
    pub(super) async fn half_asked(&self) {
        sleep(IDLE).await;
        if self.number().is_none() || !self.heard.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.work();
    }
}

//! Overload: how many requests run at a time, and how long others wait for one to end.
//!
//! A request that needs the database takes a place before anything is done for it. There are as many places as connections,
//! so what waits waits here, where it has cost nothing yet, and not in the middle of its work. The queue is bounded in length
//! and in time. A burst may wait for [`LONGEST_WAIT`]; a queue that has been standing for so long is no burst, and who joins
//! it waits no longer than [`STANDING_WAIT`]: so the latency of what is accepted stays low however much is refused (the
//! rule is that of controlled delay in its simplest form).
//!
//! A refusal that comes at once is answered by the next request at once: a thousand clients that do so would have most of the
//! processors write refusals. So it is held back for a while ([`REFUSAL_AFTER`]), which costs nothing but the memory of an
//! idle connection; and until it is written, nothing of the request but its head is looked at.
//!
//! A body that is still on its way holds no place: it is given back while nothing arrives, and taken again in the end.

use std::error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::refused_unread;
use crate::app::App;
use crate::error::{Error, ErrorCode};
use crate::telemetry::metrics;

/// Longest wait for a place. Also how long the queue has to have been standing to count as one that will not go away.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait of who joins a standing queue.
const STANDING_WAIT: Duration = Duration::from_millis(100);
/// How long a request has been there at least when it is refused.
const REFUSAL_AFTER: Duration = Duration::from_millis(500);
/// Most requests that wait, for each place.
const QUEUE_PER_PLACE: usize = 16;

/// The right to run; given back when it is dropped.
type Place = OwnedSemaphorePermit;
/// The place of a request whose body may be on its way.
type Held = Arc<Mutex<Option<Place>>>;

/// No place became free in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no place became free in time")]
pub(super) struct NoPlace {
    /// Why: who runs waits for a database that is away, or there are too many.
    pub(super) code: ErrorCode,
}

impl NoPlace {
    /// The one that an error is or was caused by.
    pub(super) fn behind(error: &(dyn error::Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(<dyn error::Error>::downcast_ref).copied()
    }
}

/// Admits requests, as many at a time as there are places. Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate(Arc<Entrance>);

struct Entrance {
    all: usize,
    places: Arc<Semaphore>,
    longest_queue: usize,
    queue: Mutex<Queue>,
    is_away: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Who waits.
struct Queue {
    waiting: usize,
    /// When it last ceased to be empty.
    since: Instant,
}

/// A place in the queue.
struct Waiting<'a>(&'a Entrance);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.queue().waiting -= 1;
    }
}

impl Entrance {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_place(&self) -> NoPlace {
        NoPlace { code: if (self.is_away)() { ErrorCode::Unavailable } else { ErrorCode::Overloaded } }
    }

    /// Joins the queue, and tells how long to stay in it.
    fn wait(&self) -> Result<(Waiting<'_>, Duration), NoPlace> {
        let now = Instant::now();
        let mut queue = self.queue();
        if queue.waiting == self.longest_queue {
            return Err(self.no_place());
        }
        if queue.waiting == 0 {
            queue.since = now;
        }
        queue.waiting += 1;
        let standing = now - queue.since >= LONGEST_WAIT;
        Ok((Waiting(self), if standing { STANDING_WAIT } else { LONGEST_WAIT }))
    }
}

impl Gate {
    /// Lets so many requests run at a time. `is_away` tells whether the database is, and the others wait for that.
    pub(super) fn new(places: usize, is_away: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let queue = Mutex::new(Queue { waiting: 0, since: Instant::now() });
        let longest_queue = places.saturating_mul(QUEUE_PER_PLACE);
        let (all, is_away) = (places, Box::new(is_away));
        Self(Arc::new(Entrance { all, places: Arc::new(Semaphore::new(places)), longest_queue, queue, is_away }))
    }

    /// How many run, and how many wait.
    pub(super) fn state(&self) -> metrics::Admission {
        let Entrance { all, places, .. } = &*self.0;
        let taken = all.saturating_sub(places.available_permits());
        metrics::Admission { places: *all, taken, waiting: self.0.queue().waiting }
    }

    /// Takes a place, in the order of arrival.
    async fn enter(&self) -> Result<Place, NoPlace> {
        // Fails also while others wait: a place that becomes free is the first one's at once.
        if let Ok(place) = self.0.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let (_waiting, patience) = self.0.wait()?;
        match timeout(patience, self.0.places.clone().acquire_owned()).await {
            Ok(place) => Ok(place.expect("the semaphore is never closed")),
            Err(_) => Err(self.0.no_place()),
        }
    }
}

/// Runs a request once there is a place for it.
pub(super) async fn run(State((app, gate)): State<(App, Gate)>, request: Request, next: Next) -> Response {
    let arrived = Instant::now();
    let place = match gate.enter().await {
        Ok(place) => place,
        Err(NoPlace { code }) => {
            app.metrics.admission_refused();
            sleep_until(arrived + REFUSAL_AFTER).await;
            return refused_unread(request, Error::of(code)).await;
        }
    };
    let held = Held::new(Mutex::new(Some(place)));
    let request = request.map(|body| Body::new(Arriving { body, gate, held: Arc::clone(&held), entering: None }));
    let response = next.run(request).await;
    drop(held);
    response
}

/// A body, and the place of its request.
struct Arriving {
    body: Body,
    gate: Gate,
    held: Held,
    /// All is there, and a place is waited for.
    entering: Option<BoxFuture<'static, Result<Place, NoPlace>>>,
}

impl Arriving {
    fn held(&self) -> MutexGuard<'_, Option<Place>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let entering = match &mut this.entering {
            Some(entering) => entering,
            None => match this.body.frame().poll_unpin(context) {
                Poll::Pending => {
                    *this.held() = None;
                    return Poll::Pending;
                }
                Poll::Ready(None) if this.held().is_none() => {
                    let gate = this.gate.clone();
                    this.entering.insert(async move { gate.enter().await }.boxed())
                }
                frame @ Poll::Ready(_) => return frame,
            },
        };
        let entered = ready!(entering.poll_unpin(context));
        this.entering = None;
        match entered {
            Ok(place) => {
                *this.held() = Some(place);
                Poll::Ready(None)
            }
            Err(no_place) => Poll::Ready(Some(Err(axum::Error::new(no_place)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.entering.is_none() && self.held().is_some() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt as _, stream};
    use tokio::sync::mpsc;
    use tokio::time::{advance, sleep};

    use super::*;

    /// How long somebody who finds no place waits to be refused.
    async fn refused_after(gate: &Gate) -> Duration {
        let began = Instant::now();
        assert!(gate.enter().await.is_err());
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_waits_for_a_second_and_in_a_standing_queue_nobody_waits_for_long() {
        let gate = Gate::new(1, || false);
        let place = gate.enter().await.expect("a place");
        // The clock of a paused runtime ticks in milliseconds.
        let (tick, waiting) = (Duration::from_millis(2), gate.clone());
        let first = tokio::spawn(async move { refused_after(&waiting).await });
        sleep(LONGEST_WAIT / 2).await;
        let waiting = gate.clone();
        let second = tokio::spawn(async move { refused_after(&waiting).await });
        assert!(first.await.expect("no panic") < LONGEST_WAIT + tick);
        // Somebody has been waiting for a second now.
        assert!(refused_after(&gate).await < STANDING_WAIT + tick);
        let second = second.await.expect("no panic");
        assert!((LONGEST_WAIT..LONGEST_WAIT + tick).contains(&second), "{second:?}");
        // Nobody is waiting any more: what comes now is a new burst.
        let again = refused_after(&gate).await;
        assert!((LONGEST_WAIT..LONGEST_WAIT + tick).contains(&again), "{again:?}");
        drop(place);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_the_queue_full_is_refused_at_once_and_the_others_enter_in_turn() {
        let gate = Gate::new(2, || false);
        let mut places = vec![gate.enter().await.expect("a place"), gate.enter().await.expect("a place")];
        let (sender, mut entered) = mpsc::unbounded_channel();
        for number in 0..2 * QUEUE_PER_PLACE {
            let (gate, sender) = (gate.clone(), sender.clone());
            tokio::spawn(async move {
                let place = gate.enter().await;
                sender.send((number, place)).expect("it is received");
            });
            tokio::task::yield_now().await;
        }
        assert_eq!(refused_after(&gate).await, Duration::ZERO);
        let metrics::Admission { places: all, taken, waiting } = gate.state();
        assert_eq!((all, taken, waiting), (2, 2, 2 * QUEUE_PER_PLACE));
        for expected in 0..2 * QUEUE_PER_PLACE {
            places.pop();
            let (number, place) = entered.recv().await.expect("one enters");
            assert_eq!(number, expected);
            places.push(place.expect("a place"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_because_the_database_is_away_is_told_so() {
        let gate = Gate::new(1, || true);
        let _place = gate.enter().await.expect("a place");
        let code = gate.enter().await.map(drop).map_err(|no_place| no_place.code);
        assert_eq!(code, Err(ErrorCode::Unavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_on_its_way_holds_no_place_and_takes_one_in_the_end() {
        let gate = Gate::new(1, || false);
        let arriving = |chunks: mpsc::UnboundedReceiver<&'static str>, place: Place| {
            let chunks = stream::unfold(chunks, async |mut chunks| {
                let chunk = chunks.recv().await?;
                Some((Ok::<_, Infallible>(chunk), chunks))
            });
            let held = Held::new(Mutex::new(Some(place)));
            Arriving { body: Body::from_stream(chunks.boxed()), gate: gate.clone(), held, entering: None }
        };
        let (sender, chunks) = mpsc::unbounded_channel();
        sender.send("all of it").expect("it is received");
        let mut body = arriving(chunks, gate.enter().await.expect("a place"));
        assert!(body.frame().await.is_some());
        assert!(gate.0.places.clone().try_acquire_owned().is_err(), "what arrives at once keeps its place");
        assert!(body.frame().now_or_never().is_none());
        let other = gate.0.places.clone().try_acquire_owned().expect("a place is free");

        sender.send("more").expect("it is received");
        assert!(body.frame().await.expect("a chunk").is_ok());
        drop(sender);
        assert!(body.frame().now_or_never().is_none(), "the end waits for a place");
        drop(other);
        assert!(body.frame().await.is_none());
        assert!(gate.0.places.clone().try_acquire_owned().is_err(), "it holds one");

        drop(body);
        let (sender, chunks) = mpsc::unbounded_channel();
        let mut body = arriving(chunks, gate.enter().await.expect("a place"));
        assert!(body.frame().now_or_never().is_none());
        drop(sender);
        let other = gate.enter().await;
        assert!(other.is_ok());
        advance(LONGEST_WAIT).await;
        let refused = body.frame().await.expect("an error").expect_err("an error");
        assert_eq!(NoPlace::behind(&refused).map(|no_place| no_place.code), Some(ErrorCode::Overloaded));
    }
}

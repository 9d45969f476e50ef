//! Reading a request's body: bounded in size and in time, and all bodies together in memory.
//!
//! The first [`FREE`] bytes of a body are anybody's: what integrations usually send is never refused. What is larger takes
//! from a budget that all bodies share that are on their way, and is refused as overload when that is used up. A body that has
//! arrived takes nothing of it: there are as many as requests that run ([`super::admission`]).

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::admission::NoPlace;
use crate::error::{Error, ErrorCode, Message, Result};

/// Largest body, in bytes: a batch of 100 documents of their usual size fits several times.
const MAX_BYTES: usize = 1024 * 1024;
/// Bytes of each body that take nothing from the budget.
const FREE: usize = 16 * KIB;
/// What the bodies that are on their way to this process may take beyond that, in KiB.
static BUDGET: Semaphore = Semaphore::const_new(64 * 1024);
const KIB: usize = 1024;
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(15);
/// How long a body that nobody reads is waited for.
const DISCARD: Duration = Duration::from_secs(2);

/// The whole body.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, `BAD_REQUEST` when the connection breaks, `OVERLOADED` when the bodies that are on
/// their way take too much memory; that or `UNAVAILABLE` when there is no place any more once it has arrived.
pub(super) async fn read(body: Body) -> Result<Bytes> {
    read_within(body, &BUDGET).await
}

async fn read_within(body: Body, budget: &Semaphore) -> Result<Bytes> {
    if body.size_hint().lower() > MAX_BYTES as u64 {
        discard(body).await;
        return Err(Error::of(ErrorCode::PayloadTooLarge));
    }
    let mut gathered = Gathered { bytes: Vec::new(), budget, taken: None };
    match timeout(ARRIVAL, gathered.fill(body)).await {
        Ok(filled) => filled.map(|()| gathered.bytes.into()),
        Err(_) => Err(Error::of(ErrorCode::RequestTimeout)),
    }
}

/// The part of a body that is there. One piece: a client may send it byte by byte.
struct Gathered<'a> {
    bytes: Vec<u8>,
    budget: &'a Semaphore,
    taken: Option<SemaphorePermit<'a>>,
}

impl Gathered<'_> {
    async fn fill(&mut self, mut body: Body) -> Result<()> {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match NoPlace::behind(&error) {
                Some(NoPlace { code }) => Error::of(code),
                None => Error::new(Message::BodyIncomplete),
            })?;
            if let Err(refusal) = self.add(&frame.into_data().unwrap_or_default()) {
                if refusal.code == ErrorCode::Overloaded {
                    (self.bytes, self.taken) = (Vec::new(), None);
                    discard(body).await;
                }
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn add(&mut self, more: &[u8]) -> Result<()> {
        let length = self.bytes.len() + more.len();
        if length > MAX_BYTES {
            return Err(Error::of(ErrorCode::PayloadTooLarge));
        }
        if length > self.bytes.capacity() {
            self.grow(length.next_power_of_two())?;
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Takes from the budget what the memory grows by.
    fn grow(&mut self, capacity: usize) -> Result<()> {
        let before = self.bytes.capacity().max(FREE);
        let kib = u32::try_from(capacity.saturating_sub(before) / KIB).unwrap_or(u32::MAX);
        let taken = self.budget.try_acquire_many(kib).map_err(|_| Error::of(ErrorCode::Overloaded))?;
        match &mut self.taken {
            Some(all) => all.merge(taken),
            None => self.taken = Some(taken),
        }
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }
}

/// Like [`read`], but drops what is held, which others wait for, while the body is on its way.
pub(super) async fn read_holding<T>(body: Body, held: &mut Option<T>) -> Result<Bytes> {
    let mut reading = pin!(read(body));
    if let Poll::Ready(body) = futures_util::poll!(reading.as_mut()) {
        return body;
    }
    *held = None;
    reading.await
}

/// Lets a body pass that nobody wants to read. A client that is still sending when the connection closes loses the
/// answer that tells it why.
pub(super) async fn discard(body: Body) {
    let passing = Limited::new(body, MAX_BYTES).into_data_stream().try_for_each(|_| std::future::ready(Ok(())));
    // Whether it arrived does not matter.
    let _ = timeout(DISCARD, passing).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt as _, stream};

    use super::*;

    async fn code(body: Body) -> Option<ErrorCode> {
        read(body).await.err().map(|error| error.code)
    }

    fn chunks(number: usize) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
        stream::iter((0..number).map(|_| Ok(Bytes::from_static(&[b' '; 1024]))))
    }

    #[tokio::test]
    async fn a_mebibyte_passes_and_more_does_not() {
        assert_eq!(code(Body::from(vec![b' '; MAX_BYTES])).await, None);
        assert_eq!(code(Body::from(vec![b' '; MAX_BYTES + 1])).await, Some(ErrorCode::PayloadTooLarge));
        assert_eq!(code(Body::from_stream(chunks(1024))).await, None);
        assert_eq!(code(Body::from_stream(chunks(1025))).await, Some(ErrorCode::PayloadTooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_within_15_seconds_is_given_up() {
        let start = tokio::time::Instant::now();
        let endless = Body::from_stream(chunks(1).chain(stream::pending()));
        assert_eq!(code(endless).await, Some(ErrorCode::RequestTimeout));
        assert_eq!(start.elapsed().as_secs(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unwanted_body_is_not_waited_for_longer_than_2_seconds() {
        let start = tokio::time::Instant::now();
        discard(Body::from_stream(chunks(1).chain(stream::pending()))).await;
        assert_eq!(start.elapsed().as_secs(), 2);
    }

    /// A body of which so many KiB are there, and the rest never comes.
    fn begun(kib: usize) -> Body {
        Body::from_stream(chunks(kib).chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_bodies_on_their_way_take_together_is_bounded() {
        let budget = Semaphore::new(112);
        let read = async |body| read_within(body, &budget).await.map(|bytes| bytes.len()).map_err(|error| error.code);
        let mut arriving = Box::pin(read_within(begun(100), &budget));
        assert!(futures_util::poll!(arriving.as_mut()).is_pending());
        assert_eq!(budget.available_permits(), 0, "128 KiB are held, 16 of them for nothing");
        assert_eq!(read(Body::from_stream(chunks(17))).await, Err(ErrorCode::Overloaded));
        assert_eq!(read(Body::from_stream(chunks(16))).await, Ok(16 * KIB), "what is usual always passes");
        drop(arriving);
        assert_eq!(read(Body::from_stream(chunks(17))).await, Ok(17 * KIB));
        assert_eq!(budget.available_permits(), 112, "what has arrived is given back");
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_is_one_piece() {
        let bytes =
            Body::from_stream(stream::iter((0..100_000_u32).map(|n| Ok::<_, Infallible>(vec![(n % 251) as u8]))));
        let whole: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        let as_much_as_its_bytes = Semaphore::new(128 - 16);
        assert_eq!(read_within(bytes, &as_much_as_its_bytes).await.ok().as_deref(), Some(&whole[..]));
    }

    #[tokio::test]
    async fn a_broken_body_is_a_bad_request() {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
        assert_eq!(code(Body::from_stream(broken)).await, Some(ErrorCode::BadRequest));
    }
}

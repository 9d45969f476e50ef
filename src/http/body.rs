//! Reading a request's body: bounded in size and in time.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::admission::Overloaded;
use crate::error::{Error, ErrorCode, Result};

/// Largest body, in bytes: a batch of 100 documents of their usual size fits several times.
const MAX_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(15);
/// How long a body that nobody reads is waited for.
const DISCARD: Duration = Duration::from_secs(2);

/// The whole body.
///
/// # Errors
/// `PAYLOAD_TOO_LARGE`, `REQUEST_TIMEOUT`, `BAD_REQUEST` when the connection breaks, `OVERLOADED` when there is no place any
/// more once it has arrived.
pub(super) async fn read(body: Body) -> Result<Bytes> {
    if body.size_hint().lower() > MAX_BYTES as u64 {
        discard(body).await;
        return Err(Error::of(ErrorCode::PayloadTooLarge));
    }
    match timeout(ARRIVAL, Limited::new(body, MAX_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::of(ErrorCode::PayloadTooLarge)),
        Ok(Err(error)) if Overloaded::is_behind(&*error) => Err(Error::of(ErrorCode::Overloaded)),
        Ok(Err(_)) => Err(Error::new(ErrorCode::BadRequest, "The request body is incomplete")),
        Err(_) => Err(Error::of(ErrorCode::RequestTimeout)),
    }
}

/// The same for who holds something meanwhile that others wait for: it is let go of, unless the body is already there.
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

    #[tokio::test]
    async fn a_broken_body_is_a_bad_request() {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
        assert_eq!(code(Body::from_stream(broken)).await, Some(ErrorCode::BadRequest));
    }
}

//! Batches that are refused as a whole: a batch client expects an array, of one answer per operation.
//!
//! Most refusals come before the body is read. So that nothing has to be kept or parsed for a client that is not
//! authenticated, the operations are counted while the bytes of the body pass, whether they are read or discarded.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::operations::MAX_BATCH;

/// The body of an answer that refuses a whole request, in JSON. It rides in the response's extensions.
#[derive(Clone)]
pub(super) struct Refusal(pub(super) Bytes);

/// Runs a request. Its refusal is repeated for each operation of a batch; it stands alone where their number is not known,
/// because not all of the body came, or is none that a batch may have.
pub(super) async fn run(request: Request, next: Next) -> Response {
    let counter = Arc::new(Mutex::new(Counter::default()));
    let counting = Arc::clone(&counter);
    let request = request.map(|body| Body::new(Counted { body, counter: counting }));
    let mut response = next.run(request).await;
    let refusal = response.extensions_mut().remove();
    if let (Some(Refusal(refusal)), Some(times)) = (refusal, lock(&counter).refusals()) {
        let refusals = vec![&refusal[..]; times].join(&b',');
        *response.body_mut() = [b"[", &refusals[..], b"]"].concat().into();
    }
    response
}

fn lock(counter: &Mutex<Counter>) -> MutexGuard<'_, Counter> {
    counter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body whose bytes pass a counter.
struct Counted {
    body: Body,
    counter: Arc<Mutex<Counter>>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(bytes) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            lock(&self.counter).pass(bytes);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Counts the items of a JSON array while its bytes pass. Of anything else it looks at the first byte alone.
#[derive(Default)]
enum Counter {
    #[default]
    Start,
    /// Not an array.
    Other,
    Array(Items),
}

/// What has passed of an array.
#[derive(Default)]
struct Items {
    at: At,
    /// Brackets that are open within it.
    depth: usize,
    is_begun: bool,
    separators: usize,
}

/// Where in an array the next byte stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Outside,
    Text,
    /// Behind a backslash in a text.
    Escape,
    /// Behind the whole array.
    End,
}

impl Counter {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self {
                Self::Start if byte.is_ascii_whitespace() => {}
                Self::Start if *byte == b'[' => *self = Self::Array(Items::default()),
                Self::Start | Self::Other => {
                    *self = Self::Other;
                    return;
                }
                Self::Array(items) => items.pass(*byte),
            }
        }
    }

    /// How often a refusal is written in an array; `None` for a body that is none.
    fn refusals(&self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.number().filter(|number| (1..=MAX_BATCH).contains(number)).unwrap_or(1)),
            Self::Start | Self::Other => None,
        }
    }
}

impl Items {
    fn pass(&mut self, byte: u8) {
        self.at = match (self.at, byte) {
            (At::Outside, b'"') | (At::Escape, _) => At::Text,
            (At::Text, b'\\') => At::Escape,
            (At::Text, b'"') => At::Outside,
            (At::Outside, b']') if self.depth == 0 => At::End,
            (at, _) => at,
        };
        self.is_begun |= self.at != At::End && !byte.is_ascii_whitespace();
        if self.at == At::Outside {
            match byte {
                b',' if self.depth == 0 => self.separators += 1,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// How many there are, once all have passed.
    fn number(&self) -> Option<usize> {
        (self.at == At::End).then_some(if self.is_begun { self.separators + 1 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(body: &str, piece: usize) -> Option<usize> {
        let mut counter = Counter::default();
        for bytes in body.as_bytes().chunks(piece) {
            counter.pass(bytes);
        }
        counter.refusals()
    }

    #[test]
    fn operations_are_counted_as_they_pass_in_pieces_of_any_size() {
        let hundred = format!("[{}]", ["{}"; 100].join(","));
        let more = format!("[{}]", ["{}"; 101].join(","));
        for (body, expected) in [
            ("", None),
            (" \n", None),
            (r#"{"query": "[1,2]"}"#, None),
            ("x[{},{}]", None),
            ("\t [{}, {}]\n", Some(2)),
            (r#"[{"query": "{ a(b: [1, 2]) }", "variables": {"a": [[], {"x": 1}]}}]"#, Some(1)),
            (r#"[{"query": "],{\"[\\\\\\\", "}, "\\\\", 1]"#, Some(3)),
            (hundred.as_str(), Some(100)),
            // Refused as too many or as none, or as no JSON: once.
            (more.as_str(), Some(1)),
            ("[]", Some(1)),
            ("[ ]", Some(1)),
            ("[{}, {}, {\"query\": \"", Some(1)),
            ("[{},", Some(1)),
        ] {
            for piece in [1, 3, 1_000] {
                assert_eq!(refusals(body, piece), expected, "{body}");
            }
        }
    }
}

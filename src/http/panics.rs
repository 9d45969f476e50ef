//! Panics of requests: caught, and known by their place alone, since a panic's message can repeat what a guest sent.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;

thread_local! {
    /// Whether this thread is polling a request.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where the last request on this thread panicked.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the messages of requests' panics out of standard error; other panics are reported as before.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if CATCHING.get() {
                PLACE.set(panic.location().map(ToString::to_string));
            } else {
                report(panic);
            }
        }));
    });
}

/// Runs a request to its end, or to its panic: then the error says where, if the hook is installed.
pub(super) async fn caught<F: Future>(request: F) -> Result<F::Output, String> {
    let mut request = pin!(request);
    poll_fn(|context| {
        CATCHING.set(true);
        // A request owns what it works on; nothing of it is looked at after a panic.
        let polled = panic::catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(context)));
        CATCHING.set(false);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(match PLACE.take() {
                Some(place) => format!("panic at {place}"),
                None => "panic".to_owned(),
            })),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_known_by_its_place_and_not_by_its_words() {
        install_hook();
        let place = caught(async {
            tokio::task::yield_now().await;
            panic!("Doe, room 301")
        })
        .await;
        let place = place.map(|(): ()| ()).expect_err("it panicked");
        assert!(place.starts_with("panic at src/http/panics.rs:"), "{place}");
        assert!(!place.contains("Doe"));
        assert_eq!(caught(async { 1 }).await, Ok(1));
    }
}

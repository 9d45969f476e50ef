//! The listener: who is slow is cut off, who is being served when the process ends is served to the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_io_timeout::TimeoutStream;

use super::entry::Peer;
use super::requests::Edge;
use super::{panics, routes, starting_routes};
use crate::app::App;
use crate::id::IdSource;

/// How long a request's head may take to arrive, from the moment that the connection waits for one: a connection that
/// is kept alive may be idle for as long.
const HEAD_ARRIVAL: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(20);
/// How long the requests that are running may take when the process ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Most bytes that are buffered of a connection, so the largest head.
const MAX_BUFFER: usize = 64 * 1024;
/// How often a connection is closed for one that waits, while as many are open as may be. Often enough that nobody waits for
/// long, and seldom enough that connecting is not most of what is done.
const ROOM_EVERY: Duration = Duration::from_millis(5);
/// Pause after a connection could not be taken, for want of open files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends, then finishes what is running, within 10 seconds. Connections beyond
/// the most that may be open wait in the listener's queue until one ends, or one that has just been answered makes room.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    panics::install_hook();
    let edge = Edge::new(app.ids.clone(), Some(app.clone()));
    let connections = app.throttle.settings.connections;
    let serving = accept_until(shutdown, &listener, connections, routes(app, edge.clone())).await;
    drop(listener);
    let drained = timeout(DRAIN, async {
        serving.shutdown().await;
        edge.in_flight.ended().await;
    });
    if drained.await.is_err() {
        tracing::warn!(
            duration_ms = u64::try_from(DRAIN.as_millis()).unwrap_or(u64::MAX),
            "requests cut off by shutdown"
        );
    }
    edge.refusals.write();
    Ok(())
}

/// Tells on `listener` that the service is starting, until `started` ends.
pub async fn serve_starting(
    listener: &TcpListener,
    ids: IdSource,
    connections: usize,
    started: impl Future<Output = ()>,
) {
    let edge = Edge::new(ids, None);
    let serving = accept_until(started, listener, connections, starting_routes(edge.clone())).await;
    // Who is slow to ask, or to read, does not delay the start.
    tokio::spawn(serving.shutdown());
    edge.refusals.write();
}

/// Accepts connections and serves them; those that are open at the end are still served.
async fn accept_until(
    end: impl Future<Output = ()>,
    listener: &TcpListener,
    most: usize,
    routes: Router,
) -> GracefulShutdown {
    let mut slots = Slots { permits: Arc::new(Semaphore::new(most)), wanted: Arc::default(), made: Instant::now() };
    let service = TowerToHyperService::new(routes);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVAL).max_buf_size(MAX_BUFFER);

    let connections = GracefulShutdown::new();
    let mut end = pin!(end);
    loop {
        let accepted = async {
            let (stream, peer) = accept(listener).await;
            (stream, peer, slots.take().await)
        };
        let (stream, peer, permit) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut end => return connections,
        };
        let wanted = Arc::clone(&slots.wanted);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_STALL));
        let routes = service.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let (answering, wanted) = (routes.call(request), Arc::clone(&wanted));
            async move {
                let mut answer = answering.await?;
                if wanted.load(Ordering::Relaxed) && wanted.swap(false, Ordering::Relaxed) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            // A broken or slow connection is the client's affair; what was asked on it has its own log line.
            let _ = connection.await;
            drop(permit);
        });
    }
}

/// How many connections may be open.
struct Slots {
    permits: Arc<Semaphore>,
    /// The next connection that is answered is to make room.
    wanted: Arc<AtomicBool>,
    /// When room was made last.
    made: Instant,
}

impl Slots {
    async fn take(&mut self) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return permit;
        }
        sleep_until(self.made + ROOM_EVERY).await;
        self.wanted.store(true, Ordering::Relaxed);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        self.wanted.store(false, Ordering::Relaxed);
        self.made = Instant::now();
        permit
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is written at once and whole: waiting for more to send with it only delays it.
                let _ = stream.set_nodelay(true);
                return (stream, Peer(peer.ip()));
            }
            Err(error) => {
                tracing::warn!(error.causes = %error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

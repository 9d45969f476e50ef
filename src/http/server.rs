//! The listener: who is slow is cut off, who is being served when the process ends is served to the end.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Uri;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::entry::Peer;
use super::requests::InFlight;
use super::{metrics, panics, routes};
use crate::app::App;

/// How long a request's head may take to arrive, from the moment that the connection waits for one: a connection that
/// is kept alive may be idle for as long.
const HEAD_ARRIVAL: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(20);
/// How long the requests that are running may take when the process ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Most bytes that are buffered of a connection, so the largest head.
const MAX_BUFFER: usize = 64 * 1024;
/// Most connections of those who read the metrics.
const METRICS_CONNECTIONS: usize = 16;
/// Pause after a connection could not be taken, for want of open files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends, then finishes what is running, within 10 seconds. Connections beyond
/// the most that may be open wait in the listener's queue until one ends.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    panics::install_hook();
    let in_flight = InFlight::default();
    let (most, open) = (app.throttle.settings.connections, app.metrics.connections().clone());
    let connections = take_connections(listener, routes(app, in_flight.clone()), most, open, shutdown).await;
    let drained = timeout(DRAIN, async {
        connections.shutdown().await;
        in_flight.ended().await;
    });
    if drained.await.is_err() {
        tracing::warn!(
            duration_ms = u64::try_from(DRAIN.as_millis()).unwrap_or(u64::MAX),
            "requests cut off by shutdown"
        );
    }
    Ok(())
}

/// Serves the metrics of `app` on `listener` until `shutdown` ends.
pub async fn serve_metrics(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    take_connections(listener, metrics::routes(app), METRICS_CONNECTIONS, Gauge::default(), shutdown).await;
}

/// Takes connections until `shutdown` ends; `open` counts them.
async fn take_connections(
    listener: TcpListener,
    router: Router,
    most: usize,
    open: Gauge,
    shutdown: impl Future<Output = ()>,
) -> GracefulShutdown {
    let permits = Arc::new(Semaphore::new(most));
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVAL).max_buf_size(MAX_BUFFER);

    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer, permit) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = &mut shutdown => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_STALL));
        let served = service.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            if let Some(uri) = without_trailing_slash(request.uri()) {
                *request.uri_mut() = uri;
            }
            served.call(request)
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        open.inc();
        let open = open.clone();
        tokio::spawn(async move {
            // A broken or slow connection is the client's affair; what was asked on it has its own log line.
            let _ = connection.await;
            open.dec();
            drop(permit);
        });
    }
    connections
}

/// The same address without the slash at the end of its path, where there is one: people type it and base URLs bring it
/// along, and it means nothing else.
fn without_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    parts.path_and_query = Some(format!("{path}{query}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> (TcpStream, Peer, OwnedSemaphorePermit) {
    let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is written at once and whole: waiting for more to send with it only delays it.
                let _ = stream.set_nodelay(true);
                return (stream, Peer(peer.ip()), permit);
            }
            Err(error) => {
                tracing::warn!(error.causes = %error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_one_slash_at_its_end_and_nothing_else() {
        for (given, expected) in [
            ("/graphql/", Some("/graphql")),
            ("/graphql/?a=/", Some("/graphql?a=/")),
            ("http://localhost:8080/graphql/ide/", Some("http://localhost:8080/graphql/ide")),
            ("/graphql//", Some("/graphql/")),
            ("/", None),
            ("/graphql", None),
            ("/graphql?a=/", None),
            ("*", None),
        ] {
            let uri: Uri = given.parse().expect("an address");
            assert_eq!(without_trailing_slash(&uri).map(|uri| uri.to_string()).as_deref(), expected, "{given}");
        }
    }
}

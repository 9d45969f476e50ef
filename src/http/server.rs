//! The listener: slow clients are cut off, those that are being served when the process ends are served to the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::io::InspectReader;

use super::entry::Peer;
use super::requests::Edge;
use super::seats::Seats;
use super::{metrics, panics, routes, starting_routes};
use crate::app::App;
use crate::id::IdSource;

/// How long a request's head may take to arrive, from the moment that the connection waits for one: a connection that
/// is kept alive may be idle for as long.
const HEAD_ARRIVAL: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
pub const WRITE_STALL: Duration = Duration::from_secs(20);
/// How long the requests that are running may take when the process ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Most bytes that are buffered of a connection, so the largest head.
const MAX_BUFFER: usize = 64 * 1024;
/// Most connections of those who read the metrics.
const METRICS_CONNECTIONS: usize = 16;
/// Pause after a connection could not be taken, for want of open files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends, then finishes what is running, within 10 seconds. Connections beyond
/// the most that may be open wait in the listener's queue until one ends or makes room.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    panics::install_hook();
    let edge = Edge::new(app.ids.clone(), Some(app.clone()));
    let (most, open) = (app.throttle.settings.connections, app.metrics.connections().clone());
    let seats = accept_until(shutdown, &listener, most, open, routes(app, edge.clone())).await;
    drop(listener);
    let drained = timeout(DRAIN, async {
        seats.close().await;
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

/// Serves the metrics of `app` on `listener` until `shutdown` ends.
pub async fn serve_metrics(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    accept_until(shutdown, &listener, METRICS_CONNECTIONS, Gauge::default(), metrics::routes(app)).await;
}

/// Tells on `listener` that the service is starting, until `started` ends.
pub async fn serve_starting(
    listener: &TcpListener,
    ids: IdSource,
    connections: usize,
    started: impl Future<Output = ()>,
) {
    let edge = Edge::new(ids, None);
    let seats = accept_until(started, listener, connections, Gauge::default(), starting_routes(edge.clone())).await;
    // Who is slow to ask, or to read, does not delay the start.
    tokio::spawn(seats.close());
    edge.refusals.write();
}

/// Serves on `listener` what there is of metrics while the service is starting, until `started` ends.
pub async fn serve_starting_metrics(listener: &TcpListener, started: impl Future<Output = ()>) {
    let routes = metrics::starting_routes();
    let seats = accept_until(started, listener, METRICS_CONNECTIONS, Gauge::default(), routes).await;
    tokio::spawn(seats.close());
}

/// Accepts connections and serves them; those that are open at the end are still served. `open` counts them.
async fn accept_until(
    end: impl Future<Output = ()>,
    listener: &TcpListener,
    most: usize,
    open: Gauge,
    routes: Router,
) -> Seats {
    let mut seats = Seats::new(most);
    let service = TowerToHyperService::new(routes);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVAL).max_buf_size(MAX_BUFFER);

    let mut end = pin!(end);
    loop {
        let accepted = async {
            let (stream, peer) = accept(listener).await;
            (stream, peer, seats.take().await)
        };
        let (stream, peer, seat) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut end => return seats,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_STALL));
        let (routes, working, hearing) = (service.clone(), Arc::clone(&seat), Arc::clone(&seat));
        let stream = InspectReader::new(Box::pin(stream), move |_: &[u8]| hearing.hear());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            if let Some(uri) = without_trailing_slash(request.uri()) {
                *request.uri_mut() = uri;
            }
            working.work();
            let (answering, seat) = (routes.call(request), Arc::clone(&working));
            async move {
                let mut answer = answering.await?;
                if seat.answer() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        open.inc();
        let open = open.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // A broken or slow connection is the client's affair; what was asked on it has its own log line.
            let _ = tokio::select! {
                ended = connection.as_mut() => ended,
                () = seat.asked_to_leave() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection => ended,
                        () = seat.half_asked() => Ok(()),
                    }
                }
            };
            open.dec();
        });
    }
}

/// An address without the slash at the end of its path, where there is one: people type it and base URLs bring it along,
/// and it means nothing else.
fn without_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    parts.path_and_query = Some(format!("{path}{query}").parse().ok()?);
    Uri::from_parts(parts).ok()
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

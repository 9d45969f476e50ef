//! The listener: who is slow is cut off, who is being served when the process ends is served to the end.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::requests::InFlight;
use super::{panics, routes};
use crate::app::App;

/// How long a request's head may take to arrive, from the moment that the connection waits for one: a connection that
/// is kept alive may be idle for as long.
const HEAD_ARRIVAL: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_STALL: Duration = Duration::from_secs(20);
/// How long the requests that are running may take when the process ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Most connections at once; more wait in the listener's queue. Below 1,024 open files, the usual limit of a process.
const MAX_CONNECTIONS: usize = 900;
/// Most bytes that are buffered of a connection, so the largest head.
const MAX_BUFFER: usize = 64 * 1024;
/// Pause after a connection could not be taken, for want of open files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` on `listener` until `shutdown` ends, then finishes what is running, within 10 seconds.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    serve_some(listener, app, shutdown, MAX_CONNECTIONS).await
}

async fn serve_some(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
    max_connections: usize,
) -> io::Result<()> {
    panics::install_hook();
    let in_flight = InFlight::default();
    let service = TowerToHyperService::new(routes(app, in_flight.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_ARRIVAL).max_buf_size(MAX_BUFFER);

    let connections = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(max_connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, permit) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = &mut shutdown => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_STALL));
        let connection = connections.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service.clone()));
        tokio::spawn(async move {
            // A broken or slow connection is the client's affair; what was asked on it has its own log line.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
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

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // An answer is written at once and whole: waiting for more to send with it only delays it.
                let _ = stream.set_nodelay(true);
                return (stream, permit);
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
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_too_many_waits_for_another_to_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve_some(listener, App::without_database(), std::future::pending(), 1));
        let first = TcpStream::connect(address).await.expect("connected");
        let mut second = TcpStream::connect(address).await.expect("queued by the system");
        second.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        let mut answer = [0_u8; 15];
        assert!(timeout(Duration::from_secs(5), second.read(&mut answer)).await.is_err());
        drop(first);
        second.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
}

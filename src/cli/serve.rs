//! `latchkey serve`

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Started, start};
use crate::app::App;
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    // First, so that an occupied port is told before anything is started.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Failure::Other(format!("cannot listen on {}: {error}", config.listen)))?;
    let address = listener.local_addr()?;
    let started = start(config).await?;
    let shutdown = shutdown()?;
    tracing::info!(url = url_of(address), "serving");
    serve(listener, started.app.clone(), shutdown).await?;
    tracing::info!("stopped");
    Started::stop(started).await;
    Ok(())
}

async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    use axum::{Router, routing::get};
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(|| async { "ok" }))
        .with_state(app);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

/// Where a client on this machine finds the server.
fn url_of(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    format!("http://{address}")
}

/// Resolves when the process is asked to end.
fn shutdown() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_found_on_the_loopback_one() {
        assert_eq!(url_of("0.0.0.0:8080".parse().expect("an address")), "http://127.0.0.1:8080");
        assert_eq!(url_of("[::]:8080".parse().expect("an address")), "http://[::1]:8080");
        assert_eq!(url_of("192.0.2.1:80".parse().expect("an address")), "http://192.0.2.1:80");
    }
}

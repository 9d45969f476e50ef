//! `latchkey serve`

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::start::require_fitting_clock;
use super::{Failure, Started, start};
use crate::config::{Config, Setting};
use crate::workers::Workers;
use crate::{demo, http};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    // First, so that a signal during the start is heard, also as process 1 of a container.
    let mut shutdown = Box::pin(shutdown()?);
    // Second, so that an occupied port is told before anything is started.
    let listener = listen(config.listen, Setting::LISTEN).await?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(listen(address, Setting::METRICS_LISTEN).await?),
        None => None,
    };
    let url = url_of(listener.local_addr()?);
    let started = tokio::select! {
        started = start_by_clock(config) => started?,
        () = &mut shutdown => return Ok(()),
    };
    // Ends with the process, so that its end can be watched, too.
    let _metrics = metrics.map(|listener| serve_metrics(listener, &started)).transpose()?;
    let mut serving = Box::pin(http::serve(listener, started.app.clone(), shutdown));
    tokio::select! {
        served = &mut serving => served?,
        ready = get_ready(&started, config, &url) => {
            ready?;
            let mut workers = Workers::start(&started.app);
            let served = tokio::select! {
                served = serving => served.map_err(Failure::from),
                // Better started anew than serving without them.
                () = workers.failed() => Err(Failure::Other("a worker ended by a fault".into())),
            };
            workers.stop().await;
            served?;
        }
    }
    tracing::info!("stopped");
    started.stop().await;
    Ok(())
}

async fn listen(address: SocketAddr, setting: Setting) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = format!("choose another address or port with {setting}");
        Failure::Other(format!("cannot listen on {address}: {error}; {advice}"))
    })
}

fn serve_metrics(listener: TcpListener, started: &Started) -> Result<JoinSet<()>, Failure> {
    tracing::info!(metrics.url = format!("{}/metrics", url_of(listener.local_addr()?)), "metrics");
    let mut serving = JoinSet::new();
    serving.spawn(http::serve_metrics(listener, started.app.clone(), pending()));
    Ok(serving)
}

async fn start_by_clock(config: &Config) -> Result<Started, Failure> {
    let started = start(config).await?;
    require_fitting_clock(config, &started.app).await?;
    Ok(started)
}

/// What is still to be done while `/readyz` already answers that it is not.
async fn get_ready(started: &Started, config: &Config, url: &str) -> Result<(), Failure> {
    if started.embedded.is_some() {
        demo::ensure(&started.app, &config.data_dir, url).await?;
    } else {
        demo::renew_url(&started.app, &config.data_dir, url).await?;
    }
    tell_age_of_demo(started).await?;
    started.app.ready.store(true, Ordering::Release);
    tracing::info!(url, "ready");
    Ok(())
}

/// The demo's guests arrive and depart around the day on which it was loaded, and stay behind with it.
async fn tell_age_of_demo(started: &Started) -> Result<(), Failure> {
    let Some(loaded_at) = demo::loaded_at(&started.app).await? else { return Ok(()) };
    let days = (started.app.clock.now() - loaded_at).num_days();
    if days == 0 {
        tracing::info!(%loaded_at, "the demo was loaded within a day");
    } else {
        tracing::warn!(%loaded_at, days, "the demo is old: `latchkey demo --reset` starts it over");
    }
    Ok(())
}

/// Where a client on this machine finds the server.
pub(super) fn url_of(address: SocketAddr) -> String {
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

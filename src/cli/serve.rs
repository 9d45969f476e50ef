//! `latchkey serve`

use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::start::{require_fitting_clock, start_within};
use super::{Failure, Started};
use crate::config::{Config, Setting};
use crate::id::IdSource;
use crate::workers::Workers;
use crate::{demo, http};

/// Longest that a server goes on once it is asked to end, whatever the database does: requests 10 s, workers 12 s, connections
/// 4 s. With what may follow, the last export of traces, less than the 30 s after which those who run services usually lose
/// their patience.
const GRACE: Duration = Duration::from_secs(26);

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    // First, so that a signal during the start is heard, also as process 1 of a container.
    let asked = shutdown()?;
    let (ask, mut ending) = watch::channel(false);
    let shutdown = async move {
        // An error means that nobody can ask any more.
        let _ = ending.wait_for(|asked| *asked).await;
    };
    let grace_is_over = async move {
        asked.await;
        ask.send_replace(true);
        sleep(GRACE).await;
    };
    tokio::select! {
        served = serve(config, shutdown) => served,
        () = grace_is_over => Err(Failure::Other(format!("stopped after {} s, with work undone", GRACE.as_secs()))),
    }
}

async fn serve(config: &Config, shutdown: impl Future<Output = ()>) -> Result<(), Failure> {
    let mut shutdown = Box::pin(shutdown);
    // Second, so that an occupied port is found before anything is started.
    let listener = listen(config.listen, Setting::LISTEN).await?;
    let metrics = match config.metrics_listen {
        Some(address) => Some(listen_for_metrics(address).await?),
        None => None,
    };
    let url = url_of(listener.local_addr()?);
    let (done, is_done) = watch::channel(());
    let is_done = || {
        let mut is_done = is_done.clone();
        async move {
            // An error means that the sender is gone, which is the end of the start.
            let _ = is_done.changed().await;
        }
    };
    let starting = async {
        let started = start_by_clock(config).await;
        drop(done);
        started
    };
    let ids = IdSource::operating_system();
    let telling = http::serve_starting(&listener, ids, config.limits.connections, is_done());
    let measuring = async {
        if let Some(listener) = &metrics {
            http::serve_starting_metrics(listener, is_done()).await;
        }
    };
    let started = tokio::select! {
        (started, (), ()) = future::join3(starting, telling, measuring) => started?,
        () = &mut shutdown => return Ok(()),
    };
    // Ends with the process, so that its end can be watched, too.
    let mut measuring = JoinSet::new();
    if let Some(listener) = metrics {
        measuring.spawn(http::serve_metrics(listener, started.app.clone(), pending()));
    }
    let keeping_up = async {
        match &started.embedded {
            Some(embedded) => embedded.keep_up().await,
            None => pending().await,
        }
    };
    let served = tokio::select! {
        served = serve_started(&started, config, listener, &url, shutdown) => served,
        () = keeping_up => unreachable!("it goes on until it is dropped"),
    };
    served?;
    tracing::info!("stopped");
    started.stop().await;
    Ok(())
}

async fn serve_started(
    started: &Started,
    config: &Config,
    listener: TcpListener,
    url: &str,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut serving = Box::pin(http::serve(listener, started.app.clone(), shutdown));
    tokio::select! {
        served = &mut serving => served?,
        ready = get_ready(started, config, url) => {
            ready?;
            let mut workers = Workers::start(&started.app);
            let served = tokio::select! {
                served = serving => served.map_err(Failure::from),
                // Better restarted than serving without them.
                () = workers.failed() => Err(Failure::Other("a worker ended by a fault".into())),
            };
            workers.stop().await;
            served?;
        }
    }
    Ok(())
}

async fn listen(address: SocketAddr, setting: Setting) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = format!("choose another address or port with {setting}");
        Failure::Other(format!("cannot listen on {address}: {error}; {advice}"))
    })
}

async fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = listen(address, Setting::METRICS_LISTEN).await?;
    tracing::info!(metrics.url = format!("{}/metrics", url_of(listener.local_addr()?)), "metrics");
    Ok(listener)
}

async fn start_by_clock(config: &Config) -> Result<Started, Failure> {
    let started = start_within(config, config.start_timeout).await?;
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

//! Connections, and who is slow on them.

use std::time::Duration;

use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::throttle::ThrottleSettings;
use latchkey::webhooks::WebhookSettings;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use crate::support::TestServer;

/// An application whose database cannot be reached, with so many connections.
fn with_connections(connections: usize) -> App {
    let nowhere = PgConnectOptions::new_without_pgpass().host("/nonexistent").username("nobody");
    let ids = IdSource::operating_system();
    let keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
    let limits = ThrottleSettings { connections, ..ThrottleSettings::unlimited() };
    App::with_limits(nowhere, 1, Clock::system(), ids, keys, WebhookSettings::default(), limits)
}

// The time stands still until nothing else can happen, then it jumps to the next time-out.
#[tokio::test(start_paused = true)]
async fn a_connection_too_many_waits_for_another_to_end() {
    let server = TestServer::start(&with_connections(2)).await;
    let (_first, second) = (server.connect().await, server.connect().await);
    let mut third = server.connect().await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
    let mut answer = [0_u8; 15];
    assert!(timeout(Duration::from_secs(5), third.read(&mut answer)).await.is_err());
    drop(second);
    third.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test(start_paused = true)]
async fn idle_connections_make_room_within_10_seconds() {
    let server = TestServer::start(&with_connections(2)).await;
    let _idle = (server.connect().await, server.connect().await);
    let start = Instant::now();
    let answer = server.raw(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}

//! Connections, and who is slow on them.

use std::time::Duration;

use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::http::SEAT_IDLE;
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
async fn a_connection_too_many_is_served_when_another_one_ends_or_has_been_idle_for_a_second() {
    let server = TestServer::start(&with_connections(2)).await;
    let (mut first, second) = (server.connect().await, server.connect().await);
    let mut others = Vec::new();
    for mut ends in [Some(second), None] {
        let mut another = server.connect().await;
        another.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        let mut answer = [0_u8; 15];
        let soon = timeout(SEAT_IDLE / 2, another.read_exact(&mut answer)).await;
        assert!(soon.is_err(), "the others may be about to ask");
        ends.take();
        let start = Instant::now();
        another.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        others.push(another);
    }
    let mut end = Vec::new();
    first.read_to_end(&mut end).await.expect("closed in order");
    assert!(end.is_empty(), "who has been idle longest made room");
}

#[tokio::test(start_paused = true)]
async fn who_has_sent_half_a_head_and_falls_silent_makes_room() {
    let server = TestServer::start(&with_connections(2)).await;
    let mut half = Vec::new();
    for begun in ["GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /heal"] {
        let mut connection = server.connect().await;
        connection.write_all(begun.as_bytes()).await.expect("sent");
        half.push(connection);
    }
    tokio::time::sleep(SEAT_IDLE).await;
    for _ in 0..2 {
        let mut another = server.connect().await;
        another.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        let (start, mut answer) = (Instant::now(), [0_u8; 15]);
        another.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        half.push(another);
    }
}

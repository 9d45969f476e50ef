//! Connections: which address of a host is taken, and how the ways to fail are told apart.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use latchkey::webhooks::address::AllowedNetworks;
use latchkey::webhooks::client::{Answer, Outgoing, Resolve, TimeLimits};
use latchkey::webhooks::{Failure, Sender};
use rustix::process::Signal;
use tokio::net::TcpListener;

use super::{IMPATIENT, PATIENT};
use crate::support::{DataDir, Receiver, Reply, TestDb};

/// Always finds these addresses.
struct Addresses(Vec<IpAddr>);

impl Resolve for Addresses {
    fn resolve(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let addresses = self.0.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

/// Sends something to a host with those addresses.
async fn send(url: String, addresses: &[&str]) -> Answer {
    send_within(PATIENT, url, addresses).await
}

async fn send_within(limits: TimeLimits, url: String, addresses: &[&str]) -> Answer {
    let addresses = addresses.iter().map(|address| address.parse().expect("an address")).collect();
    let sender = Sender::new(limits, Arc::new(Addresses(addresses)), &[]);
    let outgoing = Outgoing { url, headers: Vec::new(), body: Bytes::from_static(b"{}"), failing: false };
    sender.send(outgoing, &AllowedNetworks::parse("127.0.0.0/8").expect("networks")).await
}

#[tokio::test]
async fn the_next_address_is_tried_where_one_takes_no_connection() {
    let receiver = Receiver::new(Reply::Status(200)).await;
    let url = format!("http://hooks.test:{}/a?b=c%20d", receiver.address.port());
    let answer = send(url.clone(), &["127.0.0.2", "127.0.0.1"]).await;
    assert_eq!((answer.failure, answer.status), (None, Some(200)));
    assert_eq!(receiver.received()[0].request_line, "POST /a?b=c%20d HTTP/1.1");
    // Behind the fourth, none is.
    let answer = send(url, &["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"]).await;
    assert_eq!(answer.failure, Some(Failure::ConnectionFailed));
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn whoever_is_reached_and_speaks_no_tls_is_told_apart_from_whoever_is_not_reached() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = deaf.local_addr().expect("an address").port();
    let closing = tokio::spawn(async move {
        // Says nothing, and nothing that is TLS.
        drop(deaf.accept().await.expect("a connection"));
        let (mut stream, _) = deaf.accept().await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2p1\r\n").await.expect("sent");
    });
    let url = format!("https://hooks.test:{port}/");
    for _ in 0..2 {
        assert_eq!(send(url.clone(), &["127.0.0.1"]).await.failure, Some(Failure::TlsFailed));
    }
    closing.await.expect("no panic");
    assert_eq!(send(url, &["127.0.0.1"]).await.failure, Some(Failure::ConnectionFailed));
}

/// A receiver on a thread of its own that answers as fast as it can, and never for good.
fn interim_answers() -> u16 {
    let listener = StdListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let answers = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(2_600);
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            stream.read_exact(&mut [0]).expect("a request");
            while stream.write_all(&answers).is_ok() {}
        }
    });
    port
}

#[tokio::test]
async fn whoever_sends_interim_answers_without_end_is_given_up_in_time_and_delays_nobody() {
    let endless = format!("http://hooks.test:{}/", interim_answers());
    let began = Instant::now();
    assert_eq!(send_within(IMPATIENT, endless, &["127.0.0.1"]).await.failure, Some(Failure::TimedOut));
    assert!(began.elapsed() < IMPATIENT.total * 5, "{:?}", began.elapsed());
    let working = Receiver::new(Reply::Raw(
        b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 -\r\ncontent-length: 0\r\n\r\n".to_vec(),
    ));
    let answer = send(working.await.url(), &["127.0.0.1"]).await;
    assert_eq!((answer.failure, answer.status), (None, Some(200)), "a few are as they should be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_certificate_authorities_serves_and_says_so() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let serving = data.serve_in(&[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nonexistent")], &[]);
    let (status, log) = serving.end(Signal::TERM);
    assert!(status.success(), "{log}");
    assert!(log.contains("no certificate authorities of the operating system"), "{log}");
}

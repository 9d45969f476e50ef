//! Addresses that webhooks are and are not sent to.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::future::{BoxFuture, join_all};
use latchkey::webhooks::address::AllowedNetworks;
use latchkey::webhooks::client::{Outgoing, Resolve, TimeLimits};
use latchkey::webhooks::{Failure, Sender};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{CREATE, Hooks, PATIENT, UPDATE};
use crate::support::{Receiver, Reply, text};

/// Answers each question with the next of its answers.
#[derive(Clone, Default)]
struct Lies(Arc<Mutex<VecDeque<Vec<IpAddr>>>>);

impl Lies {
    fn new(answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().expect("an address")).collect();
        Self(Arc::new(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Lies {
    fn resolve(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let answer = self.0.lock().expect("no panic").pop_front();
        Box::pin(async move { answer.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// An authority of our own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A receiver with a certificate for that name.
async fn tls_receiver(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Receiver {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let chain = vec![certificate.der().clone()];
    Receiver::tls(Reply::Status(200), chain, PrivateKeyDer::try_from(key.serialize_der()).expect("a key")).await
}

fn trust(authority: &CertifiedIssuer<'static, KeyPair>, resolver: Lies) -> Arc<Sender> {
    let authority: CertificateDer<'static> = authority.der().clone();
    Arc::new(Sender::new(PATIENT, Arc::new(resolver), &[authority]))
}

async fn failure(hooks: &Hooks, id: &str, attempt: usize) -> String {
    text(&hooks.log(id).await[0]["attempts"][attempt]["failure"])
}

#[tokio::test]
async fn urls_that_webhooks_are_not_sent_to_are_refused_with_their_place() {
    let hooks = Hooks::with("").await;
    let good = json!({"url": "https://example.com/hooks", "status": "DISABLED", "events": ["room_stay.created"]});
    let made = hooks.house.locks.data(CREATE, json!({"input": good})).await;
    let id = text(&made["createWebhookEndpoint"]["webhookEndpoint"]["id"]);
    for url in [
        "http://example.com/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.8]/",
        "https://[64:ff9b::a00:8]/",
        "https://[2002:a00:8::]/",
        "https://[fd00::1]/",
        "https://2130706433/",
        "https://user:password@example.com/",
        "https://example.com/#a",
        "gopher://example.com/",
        "example.com",
        "",
    ] {
        let input = json!({"url": url, "status": "ENABLED", "events": ["room_stay.created"]});
        for (mutation, input) in [(CREATE, input), (UPDATE, json!({"id": id, "url": url}))] {
            let error = hooks.house.locks.error(mutation, json!({"input": input})).await;
            assert_eq!(error["extensions"]["code"], "INVALID_ARGUMENT", "{url}");
            assert_eq!(error["extensions"]["argumentPath"], json!(["input", "url"]), "{url}");
        }
    }
    assert_eq!(hooks.read(&id).await["url"], "https://example.com/hooks");
}

#[tokio::test]
async fn a_name_that_turns_to_a_private_address_is_refused_at_that_attempt() {
    let mut hooks = Hooks::with("127.0.0.0/8").await;
    let authority = authority();
    let receiver = tls_receiver(&authority, "hooks.test").await;
    hooks.sender = trust(&authority, Lies::new(&[&["127.0.0.1"], &["10.0.0.8"], &["127.0.0.1", "169.254.169.254"]]));
    let url = format!("https://hooks.test:{}/", receiver.address.port());
    let (id, _) = hooks.endpoint(&url, &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(failure(&hooks, &id, 0).await, "ADDRESS_REFUSED");
    // One bad address among good ones is enough.
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(12)).await, 1);
    assert_eq!(failure(&hooks, &id, 1).await, "ADDRESS_REFUSED");
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(70)).await, 1);
    assert_eq!(failure(&hooks, &id, 2).await, "NAME_NOT_FOUND");
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_name_is_resolved_once_per_attempt_and_what_was_checked_is_what_is_connected_to() {
    // A second question would be answered with an address that nobody listens on.
    let mut hooks = Hooks::with("127.0.0.0/8").await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let lies = Lies::new(&[&["127.0.0.1"], &["192.0.2.1"]]);
    hooks.sender = Arc::new(Sender::new(PATIENT, Arc::new(lies.clone()), &[]));
    let (id, _) =
        hooks.endpoint(&format!("http://hooks.test:{}/", receiver.address.port()), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
    assert_eq!(lies.0.lock().expect("no panic").len(), 1);
    assert_eq!(receiver.received()[0].header("host"), Some(format!("hooks.test:{}", receiver.address.port()).as_str()));
}

/// Never answers for `silent.test`, and counts how often it was asked.
#[derive(Clone, Default)]
struct Silence(Arc<AtomicUsize>);

impl Resolve for Silence {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        if name == "silent.test" {
            self.0.fetch_add(1, Ordering::Relaxed);
            return Box::pin(pending());
        }
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

#[tokio::test]
async fn names_that_nobody_answers_for_take_a_bounded_number_of_look_ups_even_after_the_attempts_have_ended() {
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (silence, allowed) = (Silence::default(), AllowedNetworks::parse("127.0.0.0/8").expect("networks"));
    let brief = TimeLimits { total: Duration::from_millis(200), connect: Duration::from_millis(200) };
    let sender = Sender::new(brief, Arc::new(silence.clone()), &[]);
    let outgoing = |host: &str, failing| Outgoing {
        url: format!("http://{host}:{}/", receiver.address.port()),
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        failing,
    };
    for _ in 0..2 {
        let answers = join_all((0..100).map(|_| sender.send(outgoing("silent.test", true), &allowed))).await;
        assert!(answers.iter().all(|answer| answer.failure == Some(Failure::TimedOut)));
    }
    assert_eq!(silence.0.load(Ordering::Relaxed), 64);
    // Endpoints that work have look-ups of their own.
    let answer = sender.send(outgoing("hooks.test", false), &allowed).await;
    assert_eq!((answer.failure, answer.status), (None, Some(200)));
    let answers = join_all((0..300).map(|_| sender.send(outgoing("silent.test", false), &allowed))).await;
    assert_eq!((answers.len(), silence.0.load(Ordering::Relaxed)), (300, 64 + 256));
}

#[tokio::test]
async fn without_tls_only_allowed_networks_are_reached() {
    let mut hooks = Hooks::with("10.0.0.0/8").await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    hooks.sender = Arc::new(Sender::new(PATIENT, Arc::new(Lies::new(&[&["127.0.0.1"], &["93.184.215.14"]])), &[]));
    let (id, _) =
        hooks.endpoint(&format!("http://hooks.test:{}/", receiver.address.port()), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    hooks.deliver_after(TimeDelta::seconds(12)).await;
    assert_eq!(failure(&hooks, &id, 0).await, "ADDRESS_REFUSED");
    assert_eq!(failure(&hooks, &id, 1).await, "ADDRESS_REFUSED");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_network_that_is_no_longer_allowed_is_no_longer_reached() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let parts = &hooks.house.test.app;
    let (database, clock, keys) = (hooks.house.test.db.options(), parts.clock.clone(), parts.secret_keys.clone());
    let strict = latchkey::app::App::new(database, 1, clock, parts.ids.clone(), keys, super::settings(""));
    latchkey::webhooks::deliver_due(&strict, &strict.webhooks, &hooks.sender).await.expect("the database is there");
    assert_eq!(failure(&hooks, &id, 0).await, "ADDRESS_REFUSED");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_certificate_has_to_be_valid_for_the_name_and_from_a_trusted_authority() {
    let (trusted, unknown) = (authority(), authority());
    for (issuer, name, accepted) in
        [(&trusted, "hooks.test", true), (&trusted, "other.test", false), (&unknown, "hooks.test", false)]
    {
        let mut hooks = Hooks::new().await;
        let receiver = tls_receiver(issuer, name).await;
        hooks.sender = trust(&trusted, Lies::new(&[&["127.0.0.1"]]));
        let url = format!("https://hooks.test:{}/", receiver.address.port());
        let (id, _) = hooks.endpoint(&url, &["room_stay.created"]).await;
        hooks.house.stay("R1").await;
        hooks.deliver().await;
        if accepted {
            assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
        } else {
            assert_eq!(failure(&hooks, &id, 0).await, "TLS_FAILED");
            assert!(receiver.received().is_empty());
        }
    }
}

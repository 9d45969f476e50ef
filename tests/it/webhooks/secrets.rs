//! Signatures, as a receiver verifies them, and the secrets behind them.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey::clock::Clock;
use serde_json::json;
use sha2::Sha256;

use super::{Hooks, TEST, settings};
use crate::support::{Received, Receiver, Reply, TestApp, text};

const ROTATE: &str = "mutation($id: ID!) { rotateWebhookSecret(input: {id: $id}) { webhookEndpoint { id } secret } }";

/// The recipe of docs/EVENTS.md, written as a receiver would: take `t`, compute, compare with each signature, and refuse
/// what is older than five minutes.
pub fn verify_3rpms(arrived: &Received, secret: &str, now: DateTime<Utc>) -> bool {
    let header = arrived.header("3rpms-signature").expect("signed");
    let values = |name: &str| -> Vec<String> {
        let pairs = header.split(',').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).collect()
    };
    let [t] = &values("t")[..] else { return false };
    let age = now.timestamp() - t.parse::<i64>().expect("seconds");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(t.as_bytes());
    mac.update(b".");
    mac.update(&arrived.body);
    let computed = mac.finalize().into_bytes();
    let computed = computed.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    age.abs() <= 300 && values("signature").contains(&computed)
}

/// Whether one of the signatures is the one that a Standard Webhooks library makes.
fn verify_standard(arrived: &Received, secret: &str) -> bool {
    let header = |name| arrived.header(name).expect("signed");
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
    let timestamp = header("webhook-timestamp").parse().expect("seconds");
    let signature = webhook.sign(header("webhook-id"), timestamp, &arrived.body).expect("signed");
    header("webhook-signature").split(' ').any(|one| one == signature)
}

/// Both ways to verify.
pub fn verify(arrived: &Received, secret: &str, now: DateTime<Utc>) -> bool {
    let both = (verify_3rpms(arrived, secret, now), verify_standard(arrived, secret));
    assert_eq!(both.0, both.1, "the schemes agree");
    both.0
}

#[tokio::test]
async fn both_signatures_verify_and_only_with_the_endpoints_own_secret() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (_, secret) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let (_, other) = hooks.endpoint(&receiver.url(), &["client.updated"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    let mut arrived = receiver.received().remove(0);
    let now = hooks.house.test.clock.now();
    assert!(verify(&arrived, &secret, now) && !verify(&arrived, &other, now));
    arrived.body.push(b' ');
    assert!(!verify(&arrived, &secret, now));
}

/// The library judges the age by the machine's clock.
#[tokio::test]
async fn a_standard_webhooks_library_accepts_what_was_just_sent() {
    let test = TestApp::with(Clock::system().now(), settings("127.0.0.0/8")).await;
    let hooks = Hooks::on(test).await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, secret) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.locks.data(TEST, json!({"id": id})).await;
    hooks.deliver().await;
    let arrived = receiver.received().remove(0);
    let mut headers = hyper::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, arrived.header(name).expect("signed").parse().expect("a value"));
    }
    let webhook = standardwebhooks::Webhook::new(&secret).expect("a secret");
    assert!(webhook.verify(&arrived.body, &headers).is_ok());
    assert!(webhook.verify(b"{}", &headers).is_err());
}

#[tokio::test]
async fn each_attempt_is_signed_at_its_own_time() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (_, secret) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    receiver.next([Reply::Status(500)]);
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    hooks.deliver_after(TimeDelta::hours(1)).await;
    let (arrived, now) = (receiver.received(), hooks.house.test.clock.now());
    assert!(verify_3rpms(&arrived[1], &secret, now) && !verify_3rpms(&arrived[0], &secret, now));
    assert_eq!(arrived[1].header("webhook-timestamp"), Some(now.timestamp().to_string().as_str()));
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, old) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let data = hooks.house.locks.data(ROTATE, json!({"id": id})).await;
    let new = text(&data["rotateWebhookSecret"]["secret"]);
    assert_ne!(old, new);
    for (code, wait, old_signs) in
        [("R1", TimeDelta::zero(), true), ("R2", TimeDelta::hours(23), true), ("R3", TimeDelta::hours(1), false)]
    {
        hooks.house.test.advance(wait);
        hooks.house.stay(code).await;
        assert_eq!(hooks.deliver().await, 1);
        let (arrived, now) = (receiver.received().pop().expect("one"), hooks.house.test.clock.now());
        assert!(verify(&arrived, &new, now), "{code}");
        assert_eq!(verify(&arrived, &old, now), old_signs, "{code}");
    }
}

#[tokio::test]
async fn secrets_are_sealed_and_bound_to_their_endpoint() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (_, secret) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let encoded = secret.strip_prefix("whsec_").expect("the prefix");
    assert_eq!(encoded.len(), 44);
    let pool = &hooks.house.test.db.pool;
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT secret FROM webhook_endpoints").fetch_one(pool).await.expect("one");
    assert!(!stored.windows(encoded.len()).any(|window| window == encoded.as_bytes()));
    // Moved to another endpoint it does not open, and nothing unsigned is sent.
    hooks.endpoint(&receiver.url(), &["client.updated"]).await;
    sqlx::query(
        "UPDATE webhook_endpoints SET secret = (SELECT secret FROM webhook_endpoints WHERE 'client.updated' = ANY (events))
         WHERE 'room_stay.created' = ANY (events)",
    )
    .execute(pool)
    .await
    .expect("moved");
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1, "an attempt that fails");
    assert!(receiver.received().is_empty());
}

//! Webhooks, with a real receiver. The clock stands still until a test moves it, and the worker is run by hand.

mod addresses;
mod answers;
mod backlog;
mod conformance;
mod connecting;
mod disabling;
mod endpoints;
mod isolation;
mod log;
mod seam;
pub mod secrets;
mod subscribing;
mod through_seam;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::webhooks::address::AllowedNetworks;
use latchkey::webhooks::client::TimeLimits;
use latchkey::webhooks::schedule::Schedule;
use latchkey::webhooks::{self, Sender, WebhookSettings};
use serde_json::{Value, json};

use crate::support::{Client, House, TestApp, text};

pub const CREATE: &str = "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { \
     webhookEndpoint { id } secret } }";
pub const UPDATE: &str = "mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { \
     webhookEndpoint { id status } } }";
pub const DELETE: &str = "mutation($id: ID!) { deleteWebhookEndpoint(input: {id: $id}) { deleted } }";
pub const TEST: &str = "mutation($id: ID!) { sendTestWebhook(input: {id: $id}) { webhookEndpoint { id } } }";
const ENDPOINT: &str = "query($id: ID!) { webhookEndpoints(filter: {id: {eq: $id}}) { edges { node { \
     id url status events disabledReason disabledAt lastSuccessAt createdAt updatedAt } } } }";
const DELIVERIES: &str = "query($id: ID!) { webhookDeliveries(endpointId: $id, first: 100) { totalCount edges { node { \
     id eventId eventType objectId createdAt status nextAttemptAt finishedAt \
     attempts { number createdAt durationMs statusCode failure answer } } } } }";

/// Longer than any answer of a test takes, however busy the machine is.
const PATIENT: TimeLimits = TimeLimits { total: Duration::from_mins(10), connect: Duration::from_mins(10) };
/// Short enough to wait for answers that never come.
const IMPATIENT: TimeLimits = TimeLimits { total: Duration::from_secs(1), connect: Duration::from_secs(1) };

/// A hotel whose integrations have webhooks. Four attempts: at once, after 10 seconds, a minute and ten minutes.
pub struct Hooks {
    pub house: House,
    pub sender: Arc<Sender>,
}

impl Hooks {
    pub async fn new() -> Self {
        Self::with("127.0.0.0/8").await
    }

    /// With other networks that are allowed; none = an empty text.
    pub async fn with(networks: &str) -> Self {
        Self::on(TestApp::with_webhooks(settings(networks)).await).await
    }

    /// On an application.
    pub async fn on(test: TestApp) -> Self {
        let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
        Self { house, sender: Arc::new(Sender::with_limits(PATIENT)) }
    }

    /// For receivers that never answer.
    pub fn impatient(self) -> Self {
        Self { sender: Arc::new(Sender::with_limits(IMPATIENT)), ..self }
    }

    /// An enabled endpoint of the lock vendor; answers with its id and its secret.
    pub async fn endpoint(&self, url: &str, events: &[&str]) -> (String, String) {
        endpoint(&self.house.locks, url, events).await
    }

    /// Sends what is due; answers how many attempts that took.
    pub async fn deliver(&self) -> usize {
        deliver(&self.house.test, &self.sender).await
    }

    /// Moves the clock and sends what is due then.
    pub async fn deliver_after(&self, time: TimeDelta) -> usize {
        self.house.test.advance(time);
        self.deliver().await
    }

    /// What the lock vendor reads about one of its endpoints; null when there is none.
    pub async fn read(&self, id: &str) -> Value {
        let data = self.house.locks.data(ENDPOINT, json!({"id": id})).await;
        data.pointer("/webhookEndpoints/edges/0/node").cloned().unwrap_or_default()
    }

    /// What the lock vendor reads in the delivery log of one of its endpoints, newest event first.
    pub async fn log(&self, id: &str) -> Vec<Value> {
        log(&self.house.locks, id).await
    }

    /// Statuses in the delivery log, oldest event first.
    pub async fn statuses(&self, id: &str) -> Vec<String> {
        self.log(id).await.iter().rev().map(|delivery| text(&delivery["status"])).collect()
    }

    pub async fn enable(&self, id: &str) {
        self.house.locks.data(UPDATE, json!({"input": {"id": id, "status": "ENABLED"}})).await;
    }

    pub async fn disable(&self, id: &str) {
        self.house.locks.data(UPDATE, json!({"input": {"id": id, "status": "DISABLED"}})).await;
    }
}

pub fn settings(networks: &str) -> WebhookSettings {
    let allowed_networks = if networks.is_empty() {
        AllowedNetworks::default()
    } else {
        AllowedNetworks::parse(networks).expect("networks")
    };
    WebhookSettings { schedule: Schedule::parse("10s,1m,10m").expect("a schedule"), allowed_networks }
}

/// Sends what is due; answers how many attempts that took.
async fn deliver(test: &TestApp, sender: &Arc<Sender>) -> usize {
    webhooks::deliver_due(test, &test.webhooks, sender).await.expect("the database is there")
}

/// An enabled endpoint; answers with its id and its secret.
pub async fn endpoint(client: &Client, url: &str, events: &[&str]) -> (String, String) {
    made(client, json!({"url": url, "status": "ENABLED", "events": events})).await
}

async fn made(client: &Client, input: Value) -> (String, String) {
    let data = client.data(CREATE, json!({"input": input})).await;
    let made = &data["createWebhookEndpoint"];
    (text(&made["webhookEndpoint"]["id"]), text(&made["secret"]))
}

/// The delivery log of an endpoint, newest event first.
pub async fn log(client: &Client, id: &str) -> Vec<Value> {
    let data = client.data(DELIVERIES, json!({"id": id})).await;
    let edges = data["webhookDeliveries"]["edges"].as_array().expect("edges");
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

//! How much is let in: requests and cost by API key, failures by address, connections.

mod addresses;
mod connections;
mod cost;
mod replicas;
mod requests;

use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::throttle::{Limit, ThrottleSettings};
use latchkey::webhooks::WebhookSettings;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{House, TestServer, header};

/// Limits a minute; 0 for none.
fn limits(requests: u64, cost: u64, auth_failures: u64) -> ThrottleSettings {
    ThrottleSettings {
        requests: Limit::new(requests),
        cost: Limit::new(cost),
        auth_failures: Limit::new(auth_failures),
        ..ThrottleSettings::unlimited()
    }
}

/// The limits that are kept unless told otherwise.
pub fn default_limits() -> ThrottleSettings {
    let limit = |text: &str| text.parse().expect("a number");
    limits(
        limit(ThrottleSettings::DEFAULT_REQUESTS),
        limit(ThrottleSettings::DEFAULT_COST),
        limit(ThrottleSettings::DEFAULT_AUTH_FAILURES),
    )
}

/// A process with limits on the database of a house, whose own application has none.
fn limited(house: &House, clock: Clock, limits: ThrottleSettings) -> App {
    let parts = &house.test;
    let (ids, keys) = (parts.ids.clone(), parts.secret_keys.clone());
    App::with_limits(parts.db.options(), 5, clock, ids, keys, WebhookSettings::default(), limits)
}

/// A hotel, and a server with limits.
pub struct Gate {
    pub house: House,
    app: App,
    pub server: TestServer,
}

impl Gate {
    pub async fn with(limits: ThrottleSettings) -> Self {
        let house = House::new().await;
        let app = limited(&house, house.test.clock.clone(), limits);
        let server = TestServer::start(&app).await;
        Self { house, app, server }
    }

    /// Sends a GraphQL request.
    async fn post(&self, key: &str, body: &Value) -> Response {
        self.server.post(key, body).send().await.expect("an answer")
    }

    /// Sends the cheapest one.
    async fn ask(&self, key: &str) -> Response {
        self.post(key, &json!({"query": "{ __typename }"})).await
    }

    /// How many of so many requests are let in.
    async fn let_in(&self, key: &str, requests: usize) -> usize {
        let mut count = 0;
        for _ in 0..requests {
            let status = self.ask(key).await.status().as_u16();
            assert!(status == 200 || status == 429, "{status}");
            count += usize::from(status == 200);
        }
        count
    }
}

/// Status, `Retry-After` and body.
async fn read(response: Response) -> (u16, String, Value) {
    let (status, retry_after) = (response.status().as_u16(), header(&response, "retry-after").to_owned());
    (status, retry_after, response.json().await.expect("JSON"))
}

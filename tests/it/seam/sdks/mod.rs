//! Seam's official clients against the facade `/seam`, and its answers against Seam's OpenAPI document.

mod contract;
mod coverage;
mod errors;
mod lists;
mod samples;
mod sdk;
mod story;
mod webhooks;
mod wire;

use crate::support::{DataDir, Serving};
use latchkey::demo::DemoFile;
use serde_json::{Value, json};

/// The day before the first stay of the printed examples.
const NOW: &str = "2025-05-09T12:00:00Z";

/// A server with the demo, on that day.
struct Stage {
    server: Serving,
    demo: DemoFile,
    _data: DataDir,
}

impl Stage {
    fn new() -> Self {
        let data = DataDir::new();
        let environment = [("LATCHKEY_CLOCK", NOW), ("LATCHKEY_WEBHOOK_ALLOW_NETWORKS", "127.0.0.0/8")];
        let server = data.serve_in(&environment, &[]);
        let demo = DemoFile::read(data.path()).expect("readable").expect("written");
        Self { server, demo, _data: data }
    }

    /// The live key of the first integration of a hotel with that permission.
    fn key(&self, hotel: &str, permission: &str) -> &str {
        let hotel = self.demo.hotels.iter().find(|one| one.slug == hotel).expect("a hotel");
        &hotel.integrations.iter().find(|one| one.permission == permission).expect("an integration").live_key
    }

    /// One client of each generation that can be run here, as the lock vendor of the Grand Hotel.
    async fn clients(&self) -> Vec<sdk::Sdk> {
        sdk::all(&self.server.url, self.key("grand-hotel", "WRITE")).await
    }

    /// Runs an operation over GraphQL, which has to succeed.
    async fn graphql(&self, key: &str, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.server.url)).bearer_auth(key);
        let response = request.json(&json!({"query": query, "variables": variables})).send().await.expect("an answer");
        let mut answer: Value = response.json().await.expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }
}

//! REST for the hotel's own system.

mod access;
mod guests;
mod openapi;
mod sync;
mod tenancy;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, TestServer};

/// A hotel, its server and its own system.
struct Desk {
    house: House,
    server: TestServer,
    /// Live key of the hotel's own system.
    live: String,
    /// Its test key.
    test: String,
}

impl Desk {
    async fn new() -> Self {
        let house = House::new().await;
        let server = TestServer::start(&house.test).await;
        let (live, test) = (house.keys.live.clone(), house.keys.test.clone());
        Self { house, server, live, test }
    }

    /// Sends a POST with that API key and that idempotency key.
    async fn send(&self, api_key: &str, key: &str, name: &str, body: &Value) -> Response {
        let request = self.server.request("POST", &format!("/api/pms/v1/grand-hotel/guests/{name}"));
        request.bearer_auth(api_key).header("idempotency-key", key).json(body).send().await.expect("an answer")
    }

    /// Sends a POST that has to succeed.
    async fn post(&self, name: &str, body: Value) -> Value {
        let response = self.send(&self.live, &fresh_key(), name, &body).await;
        let status = response.status();
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["status"], "success");
        answer
    }

    /// Sends a POST that has to be refused; answers with status, code and field.
    async fn refused(&self, name: &str, body: Value) -> (u16, String, Value) {
        let response = self.send(&self.live, &fresh_key(), name, &body).await;
        let status = response.status().as_u16();
        let mut answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer["status"], "error", "{answer}");
        (status, answer["code"].as_str().expect("a code").to_owned(), answer["field"].take())
    }

    /// Who is in the house.
    async fn in_house(&self, query: &str) -> Value {
        let request = self.server.request("GET", &format!("/api/pms/v1/grand-hotel/guests{query}"));
        request.bearer_auth(&self.live).send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Types of the hotel's events and the fields that changed, from the `skip`th on.
    async fn events(&self, skip: usize) -> Vec<Value> {
        let query = "{ events(first: 100) { edges { node { type updatedFields } } } }";
        let data = self.house.locks.data(query, json!({})).await;
        crate::support::nodes(&data["events"]).into_iter().skip(skip).collect()
    }
}

/// An idempotency key that no request has used.
fn fresh_key() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("key-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Guest Doe in room 301.
fn doe(id: &str) -> Value {
    json!({"pmsGuestId": id, "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"})
}

/// Room names of guests.
fn rooms(guests: &Value) -> Vec<&str> {
    let guests = guests.as_array().expect("guests");
    guests.iter().map(|guest| guest["roomNumber"].as_str().expect("a room")).collect()
}

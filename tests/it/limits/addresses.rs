//! Requests without a valid API key, by the address that they come from.

use chrono::TimeDelta;
use latchkey::auth::ApiKeyChange;
use latchkey::throttle::{ThrottleSettings, TrustedProxies};
use reqwest::Response;
use serde_json::json;

use super::{Gate, limits, read};
use crate::support::{LogLines, header};

const WRONG: &str = "pms_live_00000000000000000000000000000000";

impl Gate {
    /// Asks with a key, as if forwarded for an address.
    async fn ask_from(&self, address: &str, key: &str) -> Response {
        let request = self.server.post(key, &json!({"query": "{ __typename }"}));
        request.header("x-forwarded-for", address).send().await.expect("an answer")
    }

    async fn statuses(&self, address: &str, keys: &[&str]) -> Vec<u16> {
        let mut statuses = Vec::new();
        for key in keys {
            statuses.push(self.ask_from(address, key).await.status().as_u16());
        }
        statuses
    }
}

/// Three failures a minute, and the tests' own address is that of a proxy.
fn behind_a_proxy() -> ThrottleSettings {
    ThrottleSettings { trusted_proxies: TrustedProxies::parse("127.0.0.0/8").expect("a network"), ..limits(0, 0, 3) }
}

#[tokio::test]
async fn who_fails_too_often_is_told_to_wait_before_anything_is_looked_up() {
    let gate = Gate::with(limits(0, 0, 3)).await;
    for key in [WRONG, "", "nonsense"] {
        assert_eq!(gate.ask(key).await.status(), 401);
    }
    let error = json!({"message": "Too many requests without a valid API key came from this address; try again in 20 seconds",
        "extensions": {"code": "RATE_LIMITED"}});
    let refused = (429, "20".to_owned(), json!({"errors": [error]}));
    assert_eq!(read(gate.ask(WRONG).await).await, refused);
    assert_eq!(read(gate.ask(&gate.house.keys.live).await).await, refused, "it is not looked at");
    // Refused, they have taken nothing.
    gate.house.test.advance(TimeDelta::seconds(20));
    assert_eq!(gate.ask(&gate.house.keys.live).await.status(), 200);
    assert_eq!(gate.ask(WRONG).await.status(), 401);
    gate.app.pool.close().await;
    assert_eq!(gate.ask(WRONG).await.status(), 429, "without the database");
    assert_eq!(gate.ask(&gate.house.keys.live).await.status(), 503, "a key that was let in is looked up");
}

#[tokio::test]
async fn a_neighbour_who_fails_locks_nobody_out_who_was_let_in_before() {
    let gate = Gate::with(limits(0, 0, 3)).await;
    let known = &gate.house.keys.live;
    let reader = gate.house.test.integration(&gate.house.hotel, "Reader", latchkey::actor::Permission::ReadOnly).await;
    for key in [known, &reader.live] {
        assert_eq!(gate.ask(key).await.status(), 200);
    }
    for _ in 0..5 {
        gate.ask(WRONG).await;
    }
    for _ in 0..5 {
        assert_eq!(gate.ask(known).await.status(), 200);
    }
    // It is looked up every time: a key that is revoked fails, and is a stranger from then on.
    gate.house.test.change_api_key(reader.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    assert_eq!(gate.ask(&reader.live).await.status(), 401);
    assert_eq!(gate.ask(&reader.live).await.status(), 429);
}

#[tokio::test]
async fn a_wrong_slug_is_a_failure_like_any_other() {
    let gate = Gate::with(limits(0, 0, 3)).await;
    for expected in [401, 401, 401, 429] {
        let request = gate.server.request("GET", "/api/pms/v1/next-door/guests").bearer_auth(&gate.house.keys.live);
        let response = request.send().await.expect("an answer");
        let id = header(&response, "x-request-id").to_owned();
        let (status, _, body) = read(response).await;
        assert_eq!((status, &body["status"], &body["requestId"]), (expected, &json!("error"), &json!(id)));
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_failures() {
    let gate = Gate::with(behind_a_proxy()).await;
    let live = &gate.house.keys.live;
    assert_eq!(gate.statuses("192.0.2.1", &[WRONG, WRONG, WRONG, WRONG, live]).await, [401, 401, 401, 429, 429]);
    // What a client writes in front of its own address changes nothing.
    assert_eq!(gate.statuses("198.51.100.9, 192.0.2.1", &[WRONG]).await, [429]);
    assert_eq!(gate.statuses("192.0.2.1, 198.51.100.9", &[WRONG, live]).await, [401, 200]);
    // Of IPv6 a network is one client.
    for last in 1..=3 {
        assert_eq!(gate.statuses(&format!("2001:db8:0:1::{last}"), &[WRONG]).await, [401]);
    }
    assert_eq!(gate.statuses("2001:db8:0:1:ffff::1", &[WRONG]).await, [429]);
    assert_eq!(gate.statuses("2001:db8:0:2::1", &[WRONG]).await, [401]);
}

#[tokio::test]
async fn the_log_names_the_address_of_who_was_not_let_in_and_of_nobody_else() {
    let log = LogLines::capture();
    let gate = Gate::with(behind_a_proxy()).await;
    let logged = |code: &str| {
        let line = log.requests().pop().expect("a line");
        assert_eq!(line["error.codes"].as_str().unwrap_or("none"), code);
        line["client.address"].as_str().map(str::to_owned)
    };
    for code in ["UNAUTHORIZED", "UNAUTHORIZED", "UNAUTHORIZED", "RATE_LIMITED"] {
        gate.ask_from("192.0.2.1", WRONG).await;
        assert_eq!(logged(code).as_deref(), Some("192.0.2.1"));
    }
    gate.ask_from("192.0.2.2", &gate.house.keys.live).await;
    assert_eq!(logged("none"), None);
}

#[tokio::test]
async fn who_is_no_trusted_proxy_is_not_believed() {
    let gate = Gate::with(limits(0, 0, 3)).await;
    for (address, expected) in [("192.0.2.1", 401), ("192.0.2.2", 401), ("192.0.2.3", 401), ("192.0.2.4", 429)] {
        assert_eq!(gate.statuses(address, &[WRONG]).await, [expected]);
    }
}

#[tokio::test]
async fn without_a_limit_failures_are_looked_up_for_ever() {
    let gate = Gate::with(limits(200, 1_000, 0)).await;
    for _ in 0..100 {
        assert_eq!(gate.ask(WRONG).await.status(), 401);
    }
}

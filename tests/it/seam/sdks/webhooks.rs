//! Webhooks of the facade, verified by the clients.

use latchkey::clock::Clock;
use serde_json::{Value, json};

use super::contract;
use super::sdk;
use crate::support::{Receiver, Reply, TestApp, TestServer};
use crate::webhooks::{Hooks, settings};

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_verified_by_the_clients_own_code() {
    // The clients compare with the clock of the machine.
    let hooks = Hooks::on(TestApp::with(Clock::system().now(), settings("127.0.0.0/8")).await).await;
    let server = TestServer::start(&hooks.house.test).await;
    let mut exchanges = Vec::new();
    for mut sdk in sdk::all(&server.url, &hooks.house.keys.live).await {
        let generation = sdk.generation;
        let receiver = Receiver::new(Reply::Status(200)).await;
        let door = format!("{generation:?}");
        hooks.house.entrance(&door).await;
        let new = json!({"url": receiver.url(), "event_types": ["access_grant.created"]});
        let webhook = sdk.get("webhooks.create", new).await;
        let secret = webhook["secret"].as_str().expect("a secret");
        let grant = json!({"user_identity": {"full_name": "Anna"}, "acs_entrance_ids": [door], "reservation_key": door,
            "requested_access_methods": [{"mode": "card"}]});
        let grant = sdk.get("access_grants.create", grant).await;
        hooks.deliver().await;

        let arrived = receiver.received();
        let [arrived] = &arrived[..] else { panic!("{generation:?}: {arrived:?}") };
        let body = String::from_utf8(arrived.body.clone()).expect("text");
        let headers: Value = arrived.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let event = sdk.verify(secret, &body, &headers).await.expect("verified");
        assert_eq!(event["event_type"], "access_grant.created");
        assert_eq!(event["access_grant_id"], grant["access_grant_id"]);
        let found = sdk.get("events.get", json!({"event_id": event["event_id"]})).await;
        assert_eq!(found, event, "{generation:?}");

        let changed = body.replacen("created", "deleted", 1);
        let thrown = sdk.verify(secret, &changed, &headers).await.expect_err("changed on its way");
        assert_eq!(thrown.class, "WebhookVerificationError", "{generation:?}");
        sdk.get("webhooks.delete", json!({"webhook_id": webhook["webhook_id"]})).await;
        exchanges.extend(sdk.wire.exchanges());
    }
    contract::hold(&exchanges);
}

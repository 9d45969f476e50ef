//! A key that was revoked at one server is refused by the next request at any.

use serde_json::{Value, json};
use sqlx::Executor as _;

use super::{Act, Answer, Site, code};
use crate::support::client::CREATE_KEY;
use crate::support::{Serving, text, until_somebody_waits};

/// The pairs of the front desk and the integration that they are of.
const PAIRS: &str = "{ apiKeys(first: 100) { edges { node { id integration { id name } } } } }";

impl Site {
    /// Runs an operation of the administrator that has to succeed; answers with its data.
    async fn administrate(&self, server: &Serving, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let mut answer: Value = self.graphql(server, &self.admin, &body).await.json().await.expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].take()
    }

    /// A new pair of the front desk: id, live key, test key.
    async fn pair(&self, server: &Serving) -> (String, [String; 2]) {
        let pairs = self.administrate(server, PAIRS, json!({})).await;
        let edges = pairs["apiKeys"]["edges"].as_array().expect("edges");
        let desk = edges.iter().map(|edge| &edge["node"]["integration"]).find(|found| found["name"] == "Front desk");
        let query = "mutation($id: ID!) { createApiKey(input: {integrationId: $id, name: \"New\", permission: WRITE}) { \
            apiKey { id } liveKey testKey } }";
        let made = self.administrate(server, query, json!({"id": desk.expect("the desk")["id"]})).await;
        let made = &made["createApiKey"];
        (text(&made["apiKey"]["id"]), [text(&made["liveKey"]), text(&made["testKey"])])
    }

    /// What the next request with a key is answered, at both facades.
    async fn next(&self, server: &Serving, api_key: &str) -> [(u16, String); 2] {
        let graphql = code(self.graphql(server, api_key, &json!({"query": "{ __typename }"})).await).await;
        let rest = self.http.get(format!("{}/api/pms/v1/grand-hotel/guests", server.url)).bearer_auth(api_key);
        let rest = rest.send().await.expect("an answer");
        let status = rest.status().as_u16();
        let body: Value = rest.json().await.expect("JSON");
        [graphql, (status, body["code"].as_str().unwrap_or("none").to_owned())]
    }
}

fn both(status: u16, code: &str) -> [(u16, String); 2] {
    [(status, code.to_owned()), (status, code.to_owned())]
}

#[tokio::test]
async fn what_one_server_does_to_a_pair_the_next_request_at_the_other_meets() {
    let site = Site::new().await;
    let (here, there) = (site.serve().await, site.serve().await);
    let (id, keys) = site.pair(&here).await;
    for (act, status, expected) in [
        ("disableApiKey", 401, "UNAUTHORIZED"),
        ("enableApiKey", 200, "none"),
        ("disableApiKey", 401, "UNAUTHORIZED"),
        ("revokeApiKey", 401, "KEY_REVOKED"),
    ] {
        let query = format!("mutation($id: ID!) {{ {act}(input: {{id: $id}}) {{ apiKey {{ id }} }} }}");
        site.administrate(&here, &query, json!({ "id": id })).await;
        for key in &keys {
            assert_eq!(site.next(&there, key).await, both(status, expected), "{act}");
        }
    }

    let (id, old) = site.pair(&there).await;
    let query = "mutation($id: ID!) { regenerateApiKey(input: {id: $id}) { liveKey testKey } }";
    let made = site.administrate(&there, query, json!({ "id": id })).await;
    for key in &old {
        assert_eq!(site.next(&here, key).await, both(401, "KEY_REVOKED"));
    }
    for name in ["liveKey", "testKey"] {
        assert_eq!(site.next(&here, &text(&made["regenerateApiKey"][name])).await, both(200, "none"));
    }
}

#[tokio::test]
async fn a_long_batch_that_was_let_in_runs_to_its_end_and_the_next_request_is_refused() {
    let site = Site::new().await;
    let (here, there) = (site.serve().await, site.serve().await);
    let arrived = site.until_answered(&here, Act::CheckIn, "k").await;
    let arrived: Value = serde_json::from_str(&arrived.body).expect("JSON");
    let stay = text(&arrived["guest"]["roomStayId"]);
    let (id, [live, test]) = site.pair(&here).await;

    let create = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}});
    let mut batch = vec![create; 50];
    let update = format!(
        "mutation {{ updateRoomStay(input: {{id: \"{stay}\", check_in: \"2026-01-30T10:00:00Z\"}}) {{ roomStay {{ id }} }} }}"
    );
    batch[10] = json!({ "query": update });
    let mut holding = site.db.pool.begin().await.expect("a connection");
    holding.execute("SELECT FROM room_stays FOR UPDATE").await.expect("held");
    let long = site.post(&there, "/graphql", &live).header("idempotency-key", "long").json(&batch);
    let long = tokio::spawn(long.send());
    until_somebody_waits(&site.db.pool).await;

    let revoke = "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }";
    site.administrate(&here, revoke, json!({ "id": id })).await;
    for key in [&live, &test] {
        for server in [&here, &there] {
            assert_eq!(site.next(server, key).await, both(401, "KEY_REVOKED"));
        }
    }
    assert_eq!(site.effects(Act::Create).await, 0, "the batch has not ended");
    holding.rollback().await.expect("let go");
    let done = Answer::of(long.await.expect("no panic").expect("an answer")).await;
    assert_eq!(done.status, 200);
    assert!(!done.body.contains("\"errors\""), "{}", done.body);
    assert_eq!(site.effects(Act::Create).await, 49);
    // Whose key was revoked is told nothing any more, not even what it was told before.
    let again = site.post(&there, "/graphql", &live).header("idempotency-key", "long").json(&batch);
    assert_eq!(code(again.send().await.expect("an answer")).await, (401, "KEY_REVOKED".to_owned()));
}

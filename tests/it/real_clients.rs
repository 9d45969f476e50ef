//! Clients that people use, against a running server: `tests/node/clients`.

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::support::{House, Node, TestServer, error_code, header};

/// What the clients came to.
async fn asked(server: &TestServer, key: &str) -> Option<Value> {
    let node = Node::find()?;
    let (url, key) = (format!("{}/graphql", server.url), key.to_owned());
    let output = spawn_blocking(move || node.spawn("clients/main.js", &[&url, &key]).wait_with_output());
    let output = output.await.expect("no panic").expect("it ends");
    assert!(output.status.success(), "the clients failed");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn g22_clients_that_send_a_hash_are_told_to_send_the_document() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let hash = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}});
    let refused = server.run_body(&house.keys.live, &hash).await;
    assert_eq!(error_code(&refused), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert_eq!(refused["errors"][0]["message"], "PersistedQueryNotSupported");
    assert!(refused.get("data").is_none());
    let strict = server.request("POST", "/graphql").header("accept", "application/graphql-response+json");
    let strict = strict.bearer_auth(&house.keys.live).json(&hash).send().await.expect("an answer");
    assert_eq!(strict.status(), 400);
    // A batch with one hash among documents: nothing of it is run.
    let batch = json!([{"query": "{ __typename }"}, hash]);
    let refused = server.run_body(&house.keys.live, &batch).await;
    let codes: Vec<&str> = refused.as_array().expect("an array").iter().map(error_code).collect();
    assert_eq!(codes, ["PERSISTED_QUERY_NOT_SUPPORTED"; 2]);
    let beside = json!({"query": "{ __typename }", "extensions": hash["extensions"]});
    assert_eq!(server.run_body(&house.keys.live, &beside).await["data"]["__typename"], "Query");

    let Some(clients) = asked(&server, &house.keys.live).await else { return };
    for client in ["apollo", "apollo in batches", "urql"] {
        let client = &clients[client];
        let data = client["answers"][0]["data"].to_string();
        assert!(data.contains(r#""roomAccessKeysEnabled":true"#), "{client:#}");
        let requests = client["requests"].as_array().expect("requests");
        assert!(requests.iter().all(|request| request["method"] == "POST"), "{client:#}");
        assert_eq!(requests[0]["documents"][0], false, "a hash first: {client:#}");
        assert_eq!(requests.last().expect("a request")["documents"][0], true, "then the document: {client:#}");
    }
    assert_eq!(clients["apollo in batches"]["answers"][1]["data"]["room_stays"]["totalCount"], 0);
    let refused = clients["apollo in batches with a wrong key"]["answers"].to_string();
    assert_eq!(refused.matches("Invalid credentials").count() % 2, 0, "{refused}");
    assert!(refused.contains("Invalid credentials"), "{refused}");
}

#[tokio::test]
async fn g23_get_is_refused_and_the_settings_of_clients_are_documented() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let response = server.request("GET", "/graphql?query=%7B__typename%7D").bearer_auth(&house.keys.live).send().await;
    let response = response.expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "POST"));
    // What is documented is what the test of the real clients sets.
    let (text, program) = (include_str!("../../docs/API.md"), include_str!("../node/clients/main.js"));
    let row = |client: &str| text.lines().find(|line| line.starts_with(&format!("| {client} | "))).expect(client);
    let urql: Vec<&str> = row("urql 6").split('`').skip(1).step_by(2).collect();
    assert_eq!(urql, ["preferGetMethod: false", "preferGetForPersistedQueries: false"]);
    assert!(urql.iter().all(|setting| program.contains(setting)));
    for setting in ["useGETForQueries", "useGETForHashedQueries"] {
        assert!(row("Apollo Client 4").contains(setting) && !program.contains(setting));
    }
}

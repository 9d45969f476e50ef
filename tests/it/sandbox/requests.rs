//! Requests of a test key over HTTP: every route, every mutation with an idempotency key, chains of mutations. Nothing of
//! them is kept.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::Round;
use crate::support::{TestServer, fingerprint, header};

impl Round {
    /// Sends a POST with the test key under that idempotency key. It has to succeed, and to run.
    async fn run(&self, server: &TestServer, key: &str, path: &str, body: &Value) -> Value {
        let request = server.request("POST", path).bearer_auth(&self.keys.test).header("idempotency-key", key);
        let response: Response = request.json(body).send().await.expect("an answer");
        let (status, replayed) = (response.status(), header(&response, "idempotent-replayed").to_owned());
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!((status, replayed.as_str()), (StatusCode::OK, ""), "{body} {answer}");
        answer
    }

    async fn unchanged(&self, before: &str, what: &str) {
        assert_eq!(fingerprint(&self.house.test.db.pool).await, before, "{what}");
    }
}

#[tokio::test]
async fn every_route_of_the_hotels_own_system() {
    let round = Round::new().await;
    let server = TestServer::start(&round.house.test).await;
    let path = |name: &str| format!("/api/pms/v1/grand-hotel/guests/{name}");
    let guest = |id: &str, room: &str| json!({"pmsGuestId": id, "lastName": "Doe", "roomNumber": room, "checkOutDate": "2026-02-03"});
    // Somebody is in the house.
    let arrival = server.request("POST", &path("checkin")).bearer_auth(&round.keys.live).header("idempotency-key", "k");
    assert_eq!(arrival.json(&guest("R-101", "101")).send().await.expect("an answer").status(), 200);

    let before = fingerprint(&round.house.test.db.pool).await;
    // The same key each time, which a live key has used: it is looked at and neither found nor kept.
    for (name, body) in [
        ("checkin", guest("NEW", "102")),
        ("checkin", guest("R-101", "201")),
        (
            "update",
            json!({"pmsGuestId": "R-101", "lastName": "Dow", "roomNumber": "102", "checkOutDate": "2026-02-09", "phone": "1"}),
        ),
        ("checkout", json!({"pmsGuestId": "R-101"})),
        ("sync", json!({"guests": [guest("NEW", "101"), guest("R-102", "102")]})),
        ("sync", json!({"guests": []})),
    ] {
        for _ in 0..2 {
            let answer = round.run(&server, "k", &path(name), &body).await;
            assert_eq!((&answer["status"], &answer["_sandbox"]), (&json!("success"), &json!(true)), "{answer}");
            round.unchanged(&before, name).await;
        }
    }
    for key in [None, Some("x".repeat(256))] {
        let request = server.request("POST", &path("checkin")).bearer_auth(&round.keys.test).json(&guest("NEW", "102"));
        let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        assert_eq!(request.send().await.expect("an answer").status(), 400);
    }
    let page = server.request("GET", "/api/pms/v1/grand-hotel/guests").bearer_auth(&round.keys.test);
    let page: Value = page.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&page["_sandbox"], page["guests"].as_array().map(Vec::len)), (&json!(true), Some(1)), "{page}");
    round.unchanged(&before, "all").await;
}

#[tokio::test]
async fn every_mutation_with_an_idempotency_key() {
    let round = Round::new().await;
    let server = TestServer::start(&round.house.test).await;
    let before = fingerprint(&round.house.test.db.pool).await;
    let body = |(name, input, selection): &(&str, Value, &str)| {
        let (first, rest) = name.split_at(1);
        let document = format!(
            "mutation($input: {}{rest}Input!) {{ {name}(input: $input) {{ {selection} }} }}",
            first.to_uppercase()
        );
        json!({"query": document, "variables": {"input": input}})
    };
    for mutation in &round.mutations {
        let answer = round.run(&server, "k", "/graphql", &body(mutation)).await;
        assert!(answer.get("errors").is_none(), "{} {answer}", mutation.0);
        assert_eq!(answer["extensions"]["sandbox"], true, "{}", mutation.0);
    }
    round.unchanged(&before, "all").await;
    let request = server.post(&round.keys.test, &body(&round.mutations[0])).header("idempotency-key", "x".repeat(256));
    assert_eq!(request.send().await.expect("an answer").status(), 400);
    // With a live key it is kept.
    let live = server.post(&round.keys.live, &body(&round.mutations[0])).header("idempotency-key", "k");
    assert_eq!(live.send().await.expect("an answer").status(), 200);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM idempotent_answers")
        .fetch_one(&round.house.test.db.pool)
        .await
        .expect("a count");
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn chains_of_mutations() {
    let round = Round::new().await;
    let server = TestServer::start(&round.house.test).await;
    let house = &round.house;
    let (stay, before) = (house.stay("R6").await, fingerprint(&house.test.db.pool).await);
    let (category, vendor) = (&house.category, house.keys.integration_id);
    let nights =
        format!("{{categoryId: \"{category}\", reservation_from: \"2026-02-01\", reservation_to: \"2026-02-04\"}}");
    let chains = [
        // A key from its making to its removal.
        vec![
            "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"7\"}}) { roomAccessKey { id @chain(variable: \"id\") } } }".to_owned(),
            format!("mutation($id: ID!) {{ addRoomAccessKey(input: {{roomStayId: \"{stay}\", roomAccessKeyId: $id}}) {{ roomStay {{ roomAccessKey {{ id @chain(variable: \"id\") }} }} }} }}"),
            format!("mutation($id: ID!) {{ removeRoomAccessKey(input: {{roomStayId: \"{stay}\", roomAccessKeyId: $id}}) {{ roomStay {{ id }} }} }}"),
        ],
        // A category, its first room, and who is in it.
        vec![
            "mutation { createCategory(input: {name: \"Suite\"}) { category { id @chain(variable: \"id\") } } }".to_owned(),
            "mutation($id: ID!) { createRoomSetup(input: {name: \"501\", categoryId: $id}) { roomSetup { id @chain(variable: \"id\") } } }".to_owned(),
            format!("mutation($id: ID!) {{ moveRoomStay(input: {{roomStayId: \"{stay}\", roomSetupId: $id}}) {{ roomStay {{ id }} }} }}"),
        ],
        // A guest, the reservation, one more room of it, which then goes.
        vec![
            "mutation { createClient(input: {person: {lastname: \"Loe\"}}) { client { id @chain(variable: \"id\") } } }".to_owned(),
            format!("mutation($id: ID!) {{ createReservation(input: {{client: {{id: $id}}, roomStays: [{nights}]}}) {{ reservation {{ id @chain(variable: \"id\") }} }} }}"),
            format!("mutation($id: ID!) {{ addRoomStay(input: {{reservationId: $id, {}) {{ roomStay {{ id @chain(variable: \"id\") }} }} }}", &nights[1..]),
            "mutation($id: ID!) { deleteRoomStay(input: {roomStayId: $id}) { deleted } }".to_owned(),
        ],
        // An endpoint.
        vec![
            "mutation { createWebhookEndpoint(input: {url: \"https://example.com/\", status: ENABLED, events: [\"room_stay.created\"]}) { webhookEndpoint { id @chain(variable: \"id\") } } }".to_owned(),
            "mutation($id: ID!) { sendTestWebhook(input: {id: $id}) { webhookEndpoint { id @chain(variable: \"id\") } } }".to_owned(),
            "mutation($id: ID!) { deleteWebhookEndpoint(input: {id: $id}) { deleted } }".to_owned(),
        ],
        // A pair of API keys.
        vec![
            format!("mutation {{ createApiKey(input: {{integrationId: \"{vendor}\", name: \"New\", permission: WRITE}}) {{ apiKey {{ id @chain(variable: \"id\") }} }} }}"),
            "mutation($id: ID!) { regenerateApiKey(input: {id: $id}) { apiKey { id @chain(variable: \"id\") } } }".to_owned(),
            "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }".to_owned(),
        ],
    ];
    for chain in &chains {
        let batch: Vec<Value> = chain.iter().map(|document| json!({ "query": document })).collect();
        let answers = round.run(&server, "k", "/graphql", &json!(batch)).await;
        for answer in answers.as_array().expect("a batch") {
            assert!(answer.get("errors").is_none(), "{answer}");
            assert_eq!(answer["extensions"]["sandbox"], true);
        }
        round.unchanged(&before, &chain[0]).await;
    }
    // All of them in one request.
    let batch: Vec<Value> = chains.concat().iter().map(|document| json!({ "query": document })).collect();
    let answers = round.run(&server, "k", "/graphql", &json!(batch)).await;
    assert!(answers.as_array().expect("a batch").iter().all(|answer| answer.get("errors").is_none()), "{answers}");
    round.unchanged(&before, "all").await;
}

//! U+0000, which PostgreSQL holds in no text: wherever a text can be given, it is refused as any other wrong value is,
//! by the name of its place.

use serde_json::json;

use super::inputs::Inputs;
use crate::sandbox::Round;
use crate::support::{House, code, fingerprint, nodes};

#[tokio::test]
async fn in_every_text_of_every_mutation() {
    let round = Round::new().await;
    let inputs = Inputs::read(&round.tester).await;
    let before = fingerprint(&round.house.test.db.pool).await;
    let mut tried = 0;
    for (name, input, selection) in &round.mutations {
        let input_type = Inputs::of(name);
        for (place, _) in inputs.places(&input_type).into_iter().filter(|(_, leaf)| leaf == "String") {
            let sent = inputs.with(&input_type, input, &place, &json!("1\0"));
            let answer = round.tester.act(name, sent, selection).await;
            let path = &answer["errors"][0]["extensions"]["argumentPath"];
            assert_eq!((code(&answer), &path[0]), ("INVALID_ARGUMENT", &json!("input")), "{name} {place:?} {answer}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(fingerprint(&round.house.test.db.pool).await, before);
}

#[tokio::test]
async fn in_every_text_and_id_of_queries() {
    let house = House::new().await;
    let admin = house.admin().await;
    let nul = json!({"text": "1\0", "texts": ["1\0"]});
    let (nothing, cursor) = ("no error", "INVALID_CURSOR");
    for (expected, query) in [
        (nothing, "query($text: String!) { reservations(filter: {code: {eq: $text}}) { edges { node { id } } } }"),
        (
            nothing,
            "query($texts: [String!]!) { reservations(filter: {bookingChannelCode: {in: $texts}}) { edges { node { id } } } }",
        ),
        (nothing, "query($text: ID!) { room_stays(filter: {id: {eq: $text}}) { edges { node { id } } } }"),
        (nothing, "query($texts: [ID!]!) { clients(filter: {id: {in: $texts}}) { edges { node { id } } } }"),
        (nothing, "query($text: ID!) { webhookEndpoints(filter: {id: {eq: $text}}) { edges { node { id } } } }"),
        (nothing, "query($text: ID!) { entrances(spaceId: $text) { edges { node { id } } } }"),
        (nothing, "query($text: String!) { spaces(filter: {spaceKey: {eq: $text}}) { edges { node { id } } } }"),
        ("INVALID_ARGUMENT", "query($texts: [String!]!) { events(types: $texts) { edges { node { id } } } }"),
        (nothing, "query($text: ID!) { webhookDeliveries(endpointId: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { room_stays(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { reservations(before: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { events(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { apiKeys(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { integrations(before: $text) { edges { node { id } } } }"),
    ] {
        let answer = admin.run(query, nul.clone()).await;
        assert_eq!(code(&answer), expected, "{query} {answer}");
        if expected == nothing {
            let data = answer["data"].as_object().expect("data");
            assert!(data.values().all(|connection| nodes(connection).is_empty()), "{query} {answer}");
        }
    }
}

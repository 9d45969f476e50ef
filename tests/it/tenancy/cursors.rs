//! Another hotel's cursor is refused like one that nobody was given, at every connection of the schema.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Ids;
use crate::access_grants;
use crate::support::{Client, House, code, text};

/// Every place for a cursor, and a document with `PAGE` in place of the page's arguments. A query of deliveries takes the
/// endpoint's id, one of rooms the reservation's.
const CONNECTIONS: [(&str, &str); 23] = [
    ("Query.room_stays", "{ room_stays(PAGE) { edges { cursor node { id } } } }"),
    ("Query.reservations", "{ reservations(PAGE) { edges { cursor node { id } } } }"),
    ("Query.clients", "{ clients(PAGE) { edges { cursor node { id } } } }"),
    ("Query.roomAccessKeys", "{ roomAccessKeys(PAGE) { edges { cursor node { id } } } }"),
    ("Query.entrances", "{ entrances(PAGE) { edges { cursor node { id } } } }"),
    ("Query.spaces", "{ spaces(PAGE) { edges { cursor node { id } } } }"),
    ("Query.encoders", "{ encoders(PAGE) { edges { cursor node { id } } } }"),
    ("Query.webhookEndpoints", "{ webhookEndpoints(PAGE) { edges { cursor node { id } } } }"),
    (
        "Query.webhookDeliveries",
        "{ webhookDeliveries(endpointId: \"ENDPOINT\", PAGE) { edges { cursor node { id } } } }",
    ),
    ("Query.apiKeys", "{ apiKeys(PAGE) { edges { cursor node { id } } } }"),
    ("Query.integrations", "{ integrations(PAGE) { edges { cursor node { id } } } }"),
    ("Query.events", "{ events(PAGE) { edges { cursor node { id } } } }"),
    (
        "Reservation.rooms",
        "{ reservations(filter: {id: {eq: \"RESERVATION\"}}) { edges { node { rooms(PAGE) { edges { cursor node { id } } } } } } }",
    ),
    ("Query.actionAttempts", "{ actionAttempts(PAGE) { edges { cursor node { id } } } }"),
    ("Query.auditEntries", "{ auditEntries(PAGE) { edges { cursor node { id } } } }"),
    ("RoomStay.auditTrail", "{ room_stays { edges { node { auditTrail(PAGE) { edges { cursor node { id } } } } } } }"),
    (
        "RoomAccessKey.auditTrail",
        "{ roomAccessKeys { edges { node { auditTrail(PAGE) { edges { cursor node { id } } } } } } }",
    ),
    (
        "RoomAccessPin.auditTrail",
        "{ roomAccessKeys { edges { node { ... on RoomAccessPin { auditTrail(PAGE) { edges { cursor node { id } } } } } } } }",
    ),
    (
        "RoomAccessQR.auditTrail",
        "{ roomAccessKeys { edges { node { ... on RoomAccessQR { auditTrail(PAGE) { edges { cursor node { id } } } } } } } }",
    ),
    (
        "RoomAccessKeyStorage.auditTrail",
        "{ roomAccessKeys { edges { node { ... on RoomAccessKeyStorage { auditTrail(PAGE) { edges { cursor node { id } } } } } } } }",
    ),
    ("Query.userIdentities", "{ userIdentities(PAGE) { edges { cursor node { id } } } }"),
    ("Query.accessGrants", "{ accessGrants(PAGE) { edges { cursor node { id } } } }"),
    ("Query.accessMethods", "{ accessMethods(PAGE) { edges { cursor node { id } } } }"),
];

/// Somebody of a hotel who may read everything, and records of that hotel.
struct Reader {
    client: Client,
    ids: Ids,
}

impl Reader {
    async fn of(house: &House) -> Self {
        let ids = Ids::of(house).await;
        for secret in [
            json!({"roomAccessQR": {"qrData": "1"}}),
            json!({"roomAccessKeyStorage": {"compartment": "1", "pin": "1"}}),
        ] {
            house.desk.done("createRoomAccessKey", secret, "roomAccessKey { id }").await;
        }
        access_grants::mutations(&house.desk, &house.desk).await;
        // The records are those of the front desk's integration.
        let keys = house.test.integration(&house.hotel, "Front desk", latchkey::actor::Permission::Admin).await;
        Self { client: Client::new(&house.test, &keys.live).await, ids }
    }

    async fn read(&self, document: &str, page: &str) -> Value {
        let document = document.replace("ENDPOINT", &self.ids.endpoint).replace("RESERVATION", &self.ids.reservation);
        self.client.run(&document.replace("PAGE", page), json!({})).await
    }
}

/// The first cursor in an answer.
fn first_cursor(answer: &Value) -> Option<String> {
    match answer {
        Value::Object(object) => match object.get("cursor") {
            Some(cursor) => Some(text(cursor)),
            None => object.values().find_map(first_cursor),
        },
        Value::Array(list) => list.iter().find_map(first_cursor),
        _ => None,
    }
}

#[tokio::test]
async fn a_cursor_of_another_hotel_is_refused_as_one_that_nobody_has() {
    let house = House::new().await;
    let (own, foreign) = (Reader::of(&house).await, Reader::of(&house.next_door().await).await);
    for (place, document) in CONNECTIONS {
        let arguments: &[&str] = if place == "Query.events" { &["after"] } else { &["after", "before"] };
        for argument in arguments {
            let with = |cursor: &str| format!("{argument}: \"{cursor}\"");
            let cursor = |answer: Value| first_cursor(&answer).unwrap_or_else(|| panic!("{place}: {answer}"));
            let mine = cursor(own.read(document, "first: 1").await);
            let theirs = cursor(foreign.read(document, "first: 1").await);
            assert_eq!(code(&own.read(document, &with(&mine)).await), "no error", "{place}");
            let answer = own.read(document, &with(&theirs)).await;
            assert_eq!(code(&answer), "INVALID_CURSOR", "{place}: {answer}");
            let path = &answer["errors"][0]["extensions"]["argumentPath"];
            assert_eq!(*path, json!([argument]), "{place}: {answer}");
            let nobodys = format!("{}AA", "A".repeat(theirs.len() - 2));
            assert_ne!(nobodys, theirs);
            assert_eq!(answer, own.read(document, &with(&nobodys)).await, "{place}");
        }
    }
    // The feed's cursors are also given by pages of room stays.
    let query = "{ room_stays(first: 1) { eventCursor } }";
    let theirs = foreign.client.data(query, json!({})).await;
    let page = format!("after: \"{}\"", text(&theirs["room_stays"]["eventCursor"]));
    assert_eq!(code(&own.read(CONNECTIONS[11].1, &page).await), "INVALID_CURSOR");
}

#[tokio::test]
async fn every_place_for_a_cursor_is_tried() {
    let house = House::new().await;
    let query = "{ __schema { types { name fields { name args { name } } } } }";
    let data = house.messaging.data(query, json!({})).await;
    let mut in_schema = BTreeSet::new();
    for found in data["__schema"]["types"].as_array().expect("types") {
        for field in found["fields"].as_array().into_iter().flatten() {
            let mut arguments = field["args"].as_array().into_iter().flatten();
            if arguments.any(|argument| argument["name"] == "after" || argument["name"] == "before") {
                in_schema.insert(format!("{}.{}", text(&found["name"]), text(&field["name"])));
            }
        }
    }
    let tried: BTreeSet<String> = CONNECTIONS.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(in_schema, tried);
}

//! A record of another hotel is answered for exactly like one that does not exist, wherever an id can be given.

mod cursors;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use latchkey::actor::Permission;
use uuid::Uuid;

use crate::support::{Client, House, fingerprint, nodes, text};

/// Ids of one hotel's records.
struct Ids {
    reservation: String,
    stay: String,
    other_stay: String,
    client: String,
    room: String,
    category: String,
    key: String,
    endpoint: String,
    delivery: String,
    entrance: String,
    space: String,
    encoder: String,
    /// Key of the entrance, of the space and of the encoder.
    named: &'static str,
    command: String,
}

impl Ids {
    async fn of(house: &House) -> Self {
        Self::with_keys(house, "own").await
    }

    /// The entrance, the space and the encoder get that key.
    async fn with_keys(house: &House, named: &'static str) -> Self {
        let entrance = house.entrance(named).await;
        let space = json!({"spaceKey": named, "name": "Spa", "entranceIds": [entrance]});
        let space = text(&house.desk.done("createSpace", space, "space { id }").await["space"]["id"]);
        let room = house.room("101").await;
        let endpoint = json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.created"]});
        let endpoint = house.desk.done("createWebhookEndpoint", endpoint, "webhookEndpoint { id }").await;
        let endpoint = text(&endpoint["webhookEndpoint"]["id"]);
        let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
        let client = house.desk.read_stay(&stays[0], "reservation { client { id } }").await;
        let key = house
            .desk
            .done("createRoomAccessKey", json!({"roomAccessPin": {"pin": "1"}}), "roomAccessKey { id }")
            .await;
        let query = "query($id: ID!) { webhookDeliveries(endpointId: $id) { edges { node { id } } } }";
        let deliveries = house.desk.data(query, json!({"id": endpoint})).await;
        let encoder = house.encoder(named, Some(&house.desk)).await;
        Self {
            command: house.tell(&house.desk, encoder, Uuid::from_u128(1)).await.to_string(),
            delivery: text(&nodes(&deliveries["webhookDeliveries"])[0]["id"]),
            endpoint,
            reservation,
            stay: stays[0].clone(),
            other_stay: stays[1].clone(),
            client: text(&client["reservation"]["client"]["id"]),
            room,
            category: house.category.clone(),
            key: text(&key["roomAccessKey"]["id"]),
            entrance,
            space,
            encoder: encoder.to_string(),
            named,
        }
    }

    /// No record has any of these.
    fn of_nobody() -> Self {
        let id = |number: u8| format!("01990000-0000-7000-8000-0000000000{number:02}");
        Self {
            reservation: id(1),
            stay: id(2),
            other_stay: id(3),
            client: id(4),
            room: id(5),
            category: id(6),
            key: id(7),
            endpoint: id(8),
            delivery: format!("{:032}-1", 8),
            entrance: id(9),
            space: id(10),
            encoder: id(11),
            named: "nobody",
            command: id(12),
        }
    }
}

/// Every place in a mutation's input where an id stands: input type and field, mutation, the input with ids of `own`
/// but for that one, which is of `other`, and what to select.
#[expect(clippy::too_many_lines, reason = "a table")]
fn places(own: &Ids, other: &Ids) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let stay = |field: &str, value: Value| {
        let mut stay =
            json!({"categoryId": own.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"});
        stay[field] = value;
        stay
    };
    let reservation = |field: &str, value: Value| {
        let mut new = json!({"client": {"id": own.client}, "roomStays": [stay("rateCode", json!(null))]});
        new[field] = value;
        new
    };
    let added = |field: &str, value: Value| {
        let mut new = stay("reservationId", json!(own.reservation));
        new[field] = value;
        new
    };
    let (one_stay, one_room, one_reservation) = ("roomStay { id }", "roomSetup { id }", "reservation { id }");
    let key = |stay: &str, key: &str| json!({"roomStayId": stay, "roomAccessKeyId": key});
    let guest = |stay: &str, client: &str| json!({"roomStayId": stay, "clientId": client});
    let doors = |space: &str, entrance: &str| json!({"spaceId": space, "entranceIds": [own.entrance, entrance]});
    let one_space = "space { id }";
    vec![
        ("UpdateEntranceInput.id", "updateEntrance", json!({"id": other.entrance, "name": "x"}), "entrance { id }"),
        ("UpdateEntranceInput.id", "updateEntrance", json!({"id": other.named, "name": "x"}), "entrance { id }"),
        ("DeleteEntranceInput.id", "deleteEntrance", json!({"id": other.entrance}), "deleted"),
        ("DeleteEntranceInput.id", "deleteEntrance", json!({"id": other.named}), "deleted"),
        (
            "CreateSpaceInput.entranceIds",
            "createSpace",
            json!({"name": "x", "entranceIds": [other.entrance]}),
            one_space,
        ),
        ("CreateSpaceInput.entranceIds", "createSpace", json!({"name": "x", "entranceIds": [other.named]}), one_space),
        ("UpdateSpaceInput.id", "updateSpace", json!({"id": other.space, "name": "x"}), one_space),
        ("UpdateSpaceInput.id", "updateSpace", json!({"id": other.named, "name": "x"}), one_space),
        ("UpdateSpaceInput.id", "updateSpace", json!({"id": other.room, "spaceKey": "x"}), one_space),
        ("DeleteSpaceInput.id", "deleteSpace", json!({"id": other.space}), "deleted"),
        ("DeleteSpaceInput.id", "deleteSpace", json!({"id": other.named}), "deleted"),
        ("AddSpaceEntrancesInput.spaceId", "addSpaceEntrances", doors(&other.space, &own.entrance), one_space),
        ("AddSpaceEntrancesInput.spaceId", "addSpaceEntrances", doors(other.named, &own.entrance), one_space),
        ("AddSpaceEntrancesInput.entranceIds", "addSpaceEntrances", doors(&own.space, &other.entrance), one_space),
        ("AddSpaceEntrancesInput.entranceIds", "addSpaceEntrances", doors(&own.space, other.named), one_space),
        ("RemoveSpaceEntrancesInput.spaceId", "removeSpaceEntrances", doors(&other.space, &own.entrance), one_space),
        (
            "RemoveSpaceEntrancesInput.entranceIds",
            "removeSpaceEntrances",
            doors(&own.space, &other.entrance),
            one_space,
        ),
        ("UpdateEncoderInput.id", "updateEncoder", json!({"id": other.encoder, "name": "x"}), "encoder { id }"),
        ("UpdateEncoderInput.id", "updateEncoder", json!({"id": other.named, "name": "x"}), "encoder { id }"),
        ("DeleteEncoderInput.id", "deleteEncoder", json!({"id": other.encoder}), "deleted"),
        ("DeleteEncoderInput.id", "deleteEncoder", json!({"id": other.named}), "deleted"),
        ("AddRoomAccessKeyInput.roomStayId", "addRoomAccessKey", key(&other.stay, &own.key), one_stay),
        ("AddRoomAccessKeyInput.roomAccessKeyId", "addRoomAccessKey", key(&own.stay, &other.key), one_stay),
        ("RemoveRoomAccessKeyInput.roomStayId", "removeRoomAccessKey", key(&other.stay, &own.key), one_stay),
        ("RemoveRoomAccessKeyInput.roomAccessKeyId", "removeRoomAccessKey", key(&own.stay, &other.key), one_stay),
        (
            "DeleteRoomAccessKeyInput.roomAccessKeyId",
            "deleteRoomAccessKey",
            json!({"roomAccessKeyId": other.key}),
            "deleted",
        ),
        ("UpdateRoomStayInput.id", "updateRoomStay", json!({"id": other.stay}), one_stay),
        ("UpdateCategoryInput.id", "updateCategory", json!({"id": other.category, "name": "X"}), "category { id }"),
        (
            "CreateRoomSetupInput.categoryId",
            "createRoomSetup",
            json!({"name": "X", "categoryId": other.category}),
            one_room,
        ),
        ("UpdateRoomSetupInput.id", "updateRoomSetup", json!({"id": other.room, "cleaningStatus": "DIRTY"}), one_room),
        (
            "UpdateRoomSetupInput.categoryId",
            "updateRoomSetup",
            json!({"id": own.room, "categoryId": other.category}),
            one_room,
        ),
        (
            "ReservationClientInput.id",
            "createReservation",
            reservation("client", json!({"id": other.client})),
            one_reservation,
        ),
        (
            "CreateReservationInput.contactId",
            "createReservation",
            reservation("contactId", json!(other.client)),
            one_reservation,
        ),
        (
            "ReservationRoomStayInput.categoryId",
            "createReservation",
            reservation("roomStays", json!([stay("categoryId", json!(other.category))])),
            one_reservation,
        ),
        (
            "ReservationRoomStayInput.roomSetupId",
            "createReservation",
            reservation("roomStays", json!([stay("roomSetupId", json!(other.room))])),
            one_reservation,
        ),
        (
            "ReservationRoomStayInput.guestIds",
            "createReservation",
            reservation("roomStays", json!([stay("guestIds", json!([own.client, other.client]))])),
            one_reservation,
        ),
        (
            "UpdateReservationInput.id",
            "updateReservation",
            json!({"id": other.reservation, "notes": "x"}),
            one_reservation,
        ),
        (
            "UpdateReservationInput.clientId",
            "updateReservation",
            json!({"id": own.reservation, "clientId": other.client}),
            one_reservation,
        ),
        (
            "UpdateReservationInput.contactId",
            "updateReservation",
            json!({"id": own.reservation, "contactId": other.client}),
            one_reservation,
        ),
        ("CancelReservationInput.id", "cancelReservation", json!({"id": other.reservation}), one_reservation),
        ("ReactivateReservationInput.id", "reactivateReservation", json!({"id": other.reservation}), one_reservation),
        ("AddRoomStayInput.reservationId", "addRoomStay", added("reservationId", json!(other.reservation)), one_stay),
        ("AddRoomStayInput.categoryId", "addRoomStay", added("categoryId", json!(other.category)), one_stay),
        ("AddRoomStayInput.roomSetupId", "addRoomStay", added("roomSetupId", json!(other.room)), one_stay),
        ("AddRoomStayInput.guestIds", "addRoomStay", added("guestIds", json!([other.client])), one_stay),
        (
            "MoveRoomStayInput.roomStayId",
            "moveRoomStay",
            json!({"roomStayId": other.stay, "roomSetupId": own.room}),
            one_stay,
        ),
        (
            "MoveRoomStayInput.roomSetupId",
            "moveRoomStay",
            json!({"roomStayId": own.stay, "roomSetupId": other.room}),
            one_stay,
        ),
        (
            "SwapRoomStaysInput.firstRoomStayId",
            "swapRoomStays",
            json!({"firstRoomStayId": other.stay, "secondRoomStayId": own.stay}),
            "roomStays { id }",
        ),
        (
            "SwapRoomStaysInput.secondRoomStayId",
            "swapRoomStays",
            json!({"firstRoomStayId": own.other_stay, "secondRoomStayId": other.stay}),
            "roomStays { id }",
        ),
        (
            "ChangeRoomStayDatesInput.roomStayId",
            "changeRoomStayDates",
            json!({"roomStayId": other.stay, "reservation_to": "2026-02-05"}),
            one_stay,
        ),
        (
            "SplitRoomStayInput.roomStayId",
            "splitRoomStay",
            json!({"roomStayId": other.stay, "date": "2026-01-31"}),
            one_stay,
        ),
        (
            "SplitRoomStayInput.roomSetupId",
            "splitRoomStay",
            json!({"roomStayId": own.stay, "date": "2026-01-31", "roomSetupId": other.room}),
            one_stay,
        ),
        (
            "SetRoomStayDepartureTimeInput.roomStayId",
            "setRoomStayDepartureTime",
            json!({"roomStayId": other.stay, "departureTime": "14:00"}),
            one_stay,
        ),
        ("DeleteRoomStayInput.roomStayId", "deleteRoomStay", json!({"roomStayId": other.stay}), "deleted"),
        (
            "UpdateWebhookEndpointInput.id",
            "updateWebhookEndpoint",
            json!({"id": other.endpoint, "status": "DISABLED"}),
            "webhookEndpoint { id }",
        ),
        ("DeleteWebhookEndpointInput.id", "deleteWebhookEndpoint", json!({"id": other.endpoint}), "deleted"),
        ("RotateWebhookSecretInput.id", "rotateWebhookSecret", json!({"id": other.endpoint}), "secret"),
        ("SendTestWebhookInput.id", "sendTestWebhook", json!({"id": other.endpoint}), "__typename"),
        ("ResendWebhookInput.deliveryId", "resendWebhook", json!({"deliveryId": other.delivery}), "__typename"),
        (
            "CompleteLockCommandInput.id",
            "completeLockCommand",
            json!({"id": other.command, "claimId": other.command}),
            "status",
        ),
        (
            "SimulateNextEncodingInput.encoderId",
            "simulateNextEncoding",
            json!({"encoderId": other.encoder}),
            "encoderId",
        ),
        ("UpdateClientInput.id", "updateClient", json!({"id": other.client, "lastname": "X"}), "client { id }"),
        ("AddRoomStayGuestInput.roomStayId", "addRoomStayGuest", guest(&other.stay, &own.client), one_stay),
        ("AddRoomStayGuestInput.clientId", "addRoomStayGuest", guest(&own.stay, &other.client), one_stay),
        ("RemoveRoomStayGuestInput.roomStayId", "removeRoomStayGuest", guest(&other.stay, &own.client), one_stay),
        ("RemoveRoomStayGuestInput.clientId", "removeRoomStayGuest", guest(&own.stay, &other.client), one_stay),
    ]
}

/// The places of an administrator's mutations, likewise, with the ids of a pair of API keys and of an integration.
fn administrators_places(pair: &str, integration: &str) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let new = json!({"integrationId": integration, "name": "New", "permission": "WRITE"});
    vec![
        ("CreateApiKeyInput.integrationId", "createApiKey", new, "liveKey"),
        ("RevokeApiKeyInput.id", "revokeApiKey", json!({"id": pair}), "apiKey { id }"),
        ("RegenerateApiKeyInput.id", "regenerateApiKey", json!({"id": pair}), "liveKey"),
        ("DisableApiKeyInput.id", "disableApiKey", json!({"id": pair}), "apiKey { id }"),
        ("EnableApiKeyInput.id", "enableApiKey", json!({"id": pair}), "apiKey { id }"),
        ("DisconnectIntegrationInput.id", "disconnectIntegration", json!({"id": integration}), "apiKeysRevoked"),
        (
            "CreateEncoderInput.integrationId",
            "createEncoder",
            json!({"name": "x", "provider": "VOSTIO", "integrationId": integration}),
            "encoder { id }",
        ),
        (
            "UpdateEncoderInput.integrationId",
            "updateEncoder",
            json!({"id": "encoder", "integrationId": integration}),
            "encoder { id }",
        ),
    ]
}

#[tokio::test]
async fn an_administrator_is_answered_for_a_foreign_record_as_for_none() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let admin = house.admin().await;
    let tester = house.test.integration(&house.hotel, "Back office", Permission::Admin).await.test;
    let tester = Client::new(&house.test, &tester).await;
    let encoder = json!({"encoderKey": "encoder", "name": "Desk", "provider": "VOSTIO"});
    admin.done("createEncoder", encoder, "__typename").await;
    let before = fingerprint(&house.test.db.pool).await;
    let (pair, integration) = (neighbour.keys.api_key_id.to_string(), neighbour.keys.integration_id.to_string());
    let nobody = Ids::of_nobody();
    let of_nobody = administrators_places(&nobody.key, &nobody.key);
    for (of_neighbour, of_nobody) in administrators_places(&pair, &integration).into_iter().zip(of_nobody) {
        let (place, name, input, selection) = of_neighbour;
        for client in [&admin, &tester] {
            let answer = client.act(name, input.clone(), selection).await;
            assert_eq!(answer, client.act(name, of_nobody.2.clone(), selection).await, "{place}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{place}: {answer}");
        }
    }
    for query in [
        "{ apiKeys(first: 100) { edges { node { id integration { id } } } } }",
        "{ integrations(first: 100) { edges { node { id } } } }",
    ] {
        let listed = admin.data(query, json!({})).await.to_string();
        assert!(!listed.contains(&pair) && !listed.contains(&integration), "{listed}");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn mutations_answer_for_a_foreign_record_as_for_none() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let (own, foreign) = (Ids::of(&house).await, Ids::with_keys(&neighbour, "foreign").await);
    let tester = house.test.integration(&house.hotel, "Front desk", Permission::FrontDesk).await.test;
    let tester = Client::new(&house.test, &tester).await;
    let before = fingerprint(&house.test.db.pool).await;
    for (of_neighbour, of_nobody) in places(&own, &foreign).into_iter().zip(places(&own, &Ids::of_nobody())) {
        let (place, name, input, selection) = of_neighbour;
        for client in [&house.desk, &tester] {
            let answer = client.act(name, input.clone(), selection).await;
            assert_eq!(answer, client.act(name, of_nobody.2.clone(), selection).await, "{place}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{place}: {answer}");
            let last = place.rsplit('.').next().expect("a field");
            let path = answer["errors"][0]["extensions"]["argumentPath"].as_array().expect("a path");
            // Of a list, the place in it follows.
            let name = path.iter().rfind(|segment| segment.is_string());
            assert_eq!(name, Some(&json!(last)), "{place}");
        }
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn keys_of_another_integration_of_the_hotel_are_answered_for_as_none() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let foreign = house.other_locks.pin("1").await;
    let assigned = house.stay("R2").await;
    house.other_locks.add(&assigned, &foreign).await;
    let nobody = Ids::of_nobody().key;
    for (stay, key) in [(&stay, &foreign), (&assigned, &foreign)] {
        assert_eq!(house.locks.add(stay, key).await, house.locks.add(stay, &nobody).await);
        assert_eq!(house.locks.remove(stay, key).await, house.locks.remove(stay, &nobody).await);
    }
    assert_eq!(house.locks.delete(&foreign).await, house.locks.delete(&nobody).await);
}

#[tokio::test]
async fn every_place_for_an_id_is_tried() {
    let house = House::new().await;
    let query = "{ __schema { types { name inputFields { ...V } fields { name args { ...V } } } } } \
        fragment V on __InputValue { name type { name ofType { name ofType { name ofType { name } } } } }";
    let data = house.messaging.data(query, json!({})).await;
    let mut places_in_schema = BTreeSet::new();
    for input in data["__schema"]["types"].as_array().expect("types") {
        for field in input["inputFields"].as_array().into_iter().flatten() {
            if field["type"].to_string().contains("\"ID\"") {
                places_in_schema.insert(format!("{}.{}", text(&input["name"]), text(&field["name"])));
            }
        }
        for field in input["fields"].as_array().into_iter().flatten() {
            for argument in field["args"].as_array().into_iter().flatten() {
                if argument["type"].to_string().contains("\"ID\"") {
                    places_in_schema.insert(format!("{}.{}", text(&field["name"]), text(&argument["name"])));
                }
            }
        }
    }
    let nobody = Ids::of_nobody();
    let mut tried: BTreeSet<String> = places(&nobody, &nobody).into_iter().map(|place| place.0.to_owned()).collect();
    tried.extend(administrators_places("", "").into_iter().map(|place| place.0.to_owned()));
    tried.extend(
        [
            "IdFilter.eq",
            "IdFilter.in",
            "webhookDeliveries.endpointId",
            "auditEntries.objectId",
            "entrances.spaceId",
            // No record: it shows who has claimed the command.
            "CompleteLockCommandInput.claimId",
        ]
        .map(str::to_owned),
    );
    tried.extend(crate::access_grants::tenancy::PLACES.map(str::to_owned));
    assert_eq!(places_in_schema, tried);
}

#[tokio::test]
async fn queries_answer_with_records_of_their_own_hotel_alone() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let (own, foreign) = (Ids::of(&house).await, Ids::with_keys(&neighbour, "foreign").await);
    for (root, mine, theirs) in [
        ("room_stays", &own.stay, &foreign.stay),
        ("reservations", &own.reservation, &foreign.reservation),
        ("clients", &own.client, &foreign.client),
        ("entrances", &own.entrance, &foreign.entrance),
        ("spaces", &own.space, &foreign.space),
        ("encoders", &own.encoder, &foreign.encoder),
    ] {
        for filter in [
            json!({"id": {"eq": theirs}}),
            json!({"id": {"in": [theirs]}}),
            json!({"or": [{"id": {"eq": theirs}}]}),
            json!({"not": {"id": {"eq": mine}}, "id": {"in": [theirs, mine]}}),
        ] {
            assert_eq!(found(&house.messaging, root, &filter).await, Vec::<String>::new(), "{root} {filter}");
        }
        let all = found(&house.messaging, root, &json!({})).await;
        assert!(all.contains(mine) && !all.contains(theirs), "{root}");
    }
    let doors = "query($space: ID!) { entrances(spaceId: $space) { totalCount edges { node { id } } } }";
    for (space, nobodys) in [(foreign.space.as_str(), Ids::of_nobody().space), ("foreign", "nothing".into())] {
        let answer = house.messaging.data(doors, json!({ "space": space })).await;
        assert_eq!(answer, house.messaging.data(doors, json!({ "space": nobodys })).await);
        assert_eq!(answer["entrances"]["totalCount"], 0);
    }
    let settings = house.messaging.data("{ settings { categories { id } roomSetups { id } } }", json!({})).await;
    assert_eq!(settings["settings"], json!({"categories": [{"id": own.category}], "roomSetups": [{"id": own.room}]}));
    let deliveries = "query($id: ID!) { webhookDeliveries(endpointId: $id) { edges { node { id } } } }";
    let answer = house.desk.run(deliveries, json!({"id": foreign.endpoint})).await;
    assert!(nodes(&answer["data"]["webhookDeliveries"]).is_empty(), "{answer}");
    assert_eq!(answer, house.desk.run(deliveries, json!({"id": Ids::of_nobody().endpoint})).await);
    let endpoints =
        "query($id: ID!) { webhookEndpoints(filter: {id: {eq: $id}}) { totalCount edges { node { id } } } }";
    let data = house.desk.data(endpoints, json!({"id": foreign.endpoint})).await;
    assert_eq!(data, house.desk.data(endpoints, json!({"id": Ids::of_nobody().endpoint})).await);
    assert_eq!(data["webhookEndpoints"]["totalCount"], 0);
    let events = house.desk.data("{ events(first: 100) { edges { node { object { id } } } } }", json!({})).await;
    assert!(events.to_string().contains(&own.stay) && !events.to_string().contains(&foreign.stay), "{events}");
    let trail = "query($id: ID!) { auditEntries(objectId: $id) { edges { node { id } } } }";
    for foreign in [&foreign.stay, &foreign.key, &foreign.endpoint] {
        let answer = house.desk.run(trail, json!({"id": foreign})).await;
        assert_eq!(answer, house.desk.run(trail, json!({"id": Ids::of_nobody().stay})).await);
        assert!(nodes(&answer["data"]["auditEntries"]).is_empty(), "{answer}");
    }
    let attempts = "query($id: ID!) { actionAttempts(filter: {id: {in: [$id]}}) { totalCount edges { node { id } } } }";
    let data = house.desk.data(attempts, json!({"id": foreign.command})).await;
    assert_eq!(data, house.desk.data(attempts, json!({"id": Ids::of_nobody().command})).await);
    assert_eq!(data["actionAttempts"]["totalCount"], 0);
    let keys = "{ roomAccessKeys { edges { node { id } } } }";
    let data = house.desk.data(keys, json!({})).await;
    assert_eq!(nodes(&data["roomAccessKeys"]), [json!({"id": own.key})]);
}

async fn found(client: &Client, root: &str, filter: &Value) -> Vec<String> {
    let type_name = match root {
        "room_stays" => "RoomStayFilter",
        "reservations" => "ReservationFilter",
        "entrances" => "EntranceFilter",
        "spaces" => "SpaceFilter",
        "encoders" => "EncoderFilter",
        _ => "ClientFilter",
    };
    let query = format!("query($filter: {type_name}) {{ {root}(filter: $filter) {{ edges {{ node {{ id }} }} }} }}");
    let data = client.data(&query, json!({ "filter": filter })).await;
    nodes(&data[root]).iter().map(|node| text(&node["id"])).collect()
}

#[tokio::test]
async fn pins_and_qr_data_are_not_readable_in_the_database() {
    let house = House::new().await;
    house.key(json!({"roomAccessPin": {"pin": "0123456789"}})).await;
    house.key(json!({"roomAccessQR": {"qrData": "0123456789"}})).await;
    let rows: Vec<String> = sqlx::query_scalar("SELECT encode(secret, 'escape') || k::text FROM room_access_keys k")
        .fetch_all(&house.test.db.pool)
        .await
        .expect("the keys");
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(!row.contains("0123456789") && !row.contains("30313233343536373839"), "{row}");
    }
}

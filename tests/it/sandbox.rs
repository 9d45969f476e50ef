//! Test keys: the whole request against live data, and nothing of it is kept.

mod requests;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use latchkey::actor::Permission;
use latchkey::auth;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::access_grants;
use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{Client, House, TestIntegration, code, fingerprint, nodes, text};

/// A busy house, and every mutation of the schema with an input that it succeeds with there.
pub struct Round {
    pub house: House,
    /// The lock vendor's integration with a test key that may do everything.
    pub tester: Client,
    /// That integration with the live key.
    pub live: Client,
    /// That pair of keys.
    pub keys: TestIntegration,
    /// Name, input, what to select of the payload.
    pub mutations: Vec<(&'static str, Value, &'static str)>,
}

impl Round {
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub async fn new() -> Self {
        let house = House::new().await;
        let keys = house.test.integration(&house.hotel, "Locks", Permission::Admin).await;
        let (live, tester) = (Client::new(&house.test, &keys.live).await, Client::new(&house.test, &keys.test).await);
        let endpoint = json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.created"]});
        let endpoint = live.done("createWebhookEndpoint", endpoint, "webhookEndpoint { id }").await;
        let endpoint = endpoint["webhookEndpoint"]["id"].clone();
        let (stay, other_stay) = (house.stay_in("101").await, house.stay_in("102").await);
        let (bare, room) = (house.stay("R3").await, house.room("201").await);
        let (assigned, free) = (house.locks.pin("1").await, house.locks.pin("2").await);
        house.locks.add(&stay, &assigned).await;
        house.other_locks.pin("3").await;
        let (active, _) = house.reservation("R4", &[("2026-02-01", "2026-02-03")]).await;
        let (cancelled, _) = house.reservation("R5", &[("2026-02-01", "2026-02-03")]).await;
        house.desk.done("cancelReservation", json!({"id": cancelled}), "reservation { id }").await;
        let deliveries = "query($id: ID!) { webhookDeliveries(endpointId: $id) { edges { node { id } } } }";
        let delivery =
            nodes(&live.data(deliveries, json!({"id": endpoint})).await["webhookDeliveries"])[0]["id"].clone();
        let client = live.done("createClient", json!({"person": {"lastname": "Poe"}}), "client { id }").await;
        let (client, guest) = (&client["client"]["id"], json!({"person": {"lastname": "Coe"}}));
        let guest = live.done("createClient", guest, "client { id }").await["client"]["id"].clone();
        let listed = |client: &Value| json!({"roomStayId": stay, "clientId": client});
        live.done("addRoomStayGuest", listed(&guest), "roomStay { id }").await;
        let (simulated, claimed) = encoders(&house, &live).await;
        let pair = house.keys.api_key_id;
        let (category, vendor) = (&house.category, house.keys.integration_id);
        let booked = json!({"categoryId": category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"});
        let mut added = booked.clone();
        added["reservationId"] = json!(active);
        let both = |stay: &str, key: &str| json!({"roomStayId": stay, "roomAccessKeyId": key});
        let door = house.entrance("door").await;
        let (gate, encoder) =
            (house.entrance("gate").await, json!({"encoderKey": "encoder", "name": "Desk", "provider": "VOSTIO"}));
        let encoder = live.done("createEncoder", encoder, "encoder { id }").await["encoder"]["id"].take();
        let space = json!({"spaceKey": "house", "name": "House", "entranceIds": [door]});
        let space = live.done("createSpace", space, "space { id }").await["space"]["id"].take();
        let lock = json!({"name": "Gym", "provider": "VISIONLINE", "canBelongToReservation": false, "modes": ["CARD"]});
        let mut mutations = vec![
            ("createEntrance", lock, "entrance { id }"),
            ("updateEntrance", json!({"id": door, "name": "Front door"}), "entrance { id }"),
            ("createSpace", json!({"name": "Spa", "entranceIds": [door]}), "space { id }"),
            ("updateSpace", json!({"id": space, "name": "Whole house"}), "space { id }"),
            ("addSpaceEntrances", json!({"spaceId": "house", "entranceIds": [gate]}), "space { id }"),
            ("removeSpaceEntrances", json!({"spaceId": "house", "entranceIds": ["door"]}), "space { id }"),
            ("deleteSpace", json!({"id": "house"}), "deleted"),
            ("deleteEntrance", json!({"id": "door"}), "deleted"),
            ("createEncoder", json!({"name": "Bar", "provider": "VOSTIO", "simulated": true}), "encoder { id }"),
            ("updateEncoder", json!({"id": encoder, "name": "Front desk"}), "encoder { id }"),
            ("deleteEncoder", json!({"id": "encoder"}), "deleted"),
            ("createRoomAccessKey", json!({"roomAccessPin": {"pin": "4"}}), "roomAccessKey { id }"),
            ("addRoomAccessKey", both(&bare, &free), "roomStay { id }"),
            ("removeRoomAccessKey", both(&stay, &assigned), "roomStay { id }"),
            ("deleteRoomAccessKey", json!({"roomAccessKeyId": free}), "deleted"),
            ("updateRoomStay", json!({"id": stay, "check_in": "2026-01-30T09:00:00Z"}), "roomStay { id }"),
            ("createCategory", json!({"name": "Suite"}), "category { id }"),
            ("updateCategory", json!({"id": category, "name": "Twin"}), "category { id }"),
            ("createRoomSetup", json!({"name": "301", "categoryId": category}), "roomSetup { id }"),
            ("updateRoomSetup", json!({"id": room, "cleaningStatus": "DIRTY", "name": "202"}), "roomSetup { id }"),
            (
                "createReservation",
                json!({"code": "R9", "client": {"person": {"lastname": "Roe"}}, "roomStays": [booked.clone()]}),
                "reservation { id }",
            ),
            (
                "importReservation",
                json!({"externalId": "X1", "client": {"person": {"lastname": "Roe"}}, "roomStays": [booked]}),
                "reservation { id }",
            ),
            ("createClient", json!({"company": {"company": "Acme"}}), "client { id }"),
            ("updateClient", json!({"id": client, "lastname": "Doe"}), "client { id }"),
            ("addRoomStayGuest", listed(client), "roomStay { id }"),
            ("removeRoomStayGuest", listed(&guest), "roomStay { id }"),
            ("updateReservation", json!({"id": active, "notes": "late"}), "reservation { id }"),
            ("cancelReservation", json!({"id": active}), "reservation { id }"),
            ("reactivateReservation", json!({"id": cancelled}), "reservation { id }"),
            ("addRoomStay", added, "roomStay { id }"),
            ("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room}), "roomStay { id }"),
            ("swapRoomStays", json!({"firstRoomStayId": stay, "secondRoomStayId": other_stay}), "roomStays { id }"),
            ("changeRoomStayDates", json!({"roomStayId": stay, "reservation_to": "2026-02-05"}), "roomStay { id }"),
            ("splitRoomStay", json!({"roomStayId": stay, "date": "2026-01-31"}), "__typename"),
            ("setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "14:00"}), "roomStay { id }"),
            ("deleteRoomStay", json!({"roomStayId": stay}), "deleted"),
            (
                "createWebhookEndpoint",
                json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.created"]}),
                "secret",
            ),
            ("updateWebhookEndpoint", json!({"id": endpoint, "status": "DISABLED"}), "webhookEndpoint { id }"),
            ("deleteWebhookEndpoint", json!({"id": endpoint}), "deleted"),
            ("rotateWebhookSecret", json!({"id": endpoint}), "secret"),
            ("sendTestWebhook", json!({"id": endpoint}), "webhookEndpoint { id }"),
            ("resendWebhook", json!({"deliveryId": delivery}), "webhookDelivery { id }"),
            ("createApiKey", json!({"integrationId": vendor, "name": "New", "permission": "ADMIN"}), "liveKey"),
            ("revokeApiKey", json!({"id": pair}), "apiKey { id }"),
            ("regenerateApiKey", json!({"id": pair}), "liveKey"),
            ("disableApiKey", json!({"id": pair}), "apiKey { id }"),
            ("enableApiKey", json!({"id": pair}), "apiKey { id }"),
            ("connectIntegration", json!({"name": "New"}), "integration { id }"),
            (
                "disconnectIntegration",
                json!({"id": house.other_locks.actor.principal.integration_id()}),
                "roomAccessKeysDeleted",
            ),
            ("setRoomAccessKeysEnabled", json!({"enabled": false}), "roomAccessKeysEnabled"),
            ("claimLockCommands", json!({"first": 1}), "commands { id }"),
            ("completeLockCommand", json!({"id": claimed["id"], "claimId": claimed["claimId"]}), "status"),
            (
                "simulateNextEncoding",
                json!({"encoderId": simulated, "failsWith": "NO_CREDENTIAL_ON_ENCODER"}),
                "encoderId",
            ),
        ];
        mutations.extend(access_grants::mutations(&house.desk, &live).await);
        Self { house, tester, live, keys, mutations }
    }
}

/// A simulated encoder, and a command that a bridge has claimed, beside another one that it may claim.
async fn encoders(house: &House, bridge: &Client) -> (Uuid, Value) {
    let encoder = house.encoder("one", Some(bridge)).await;
    house.tell(bridge, encoder, Uuid::from_u128(1)).await;
    let claimed = bridge.claim_one().await;
    let other = house.encoder("two", Some(bridge)).await;
    house.tell(bridge, other, Uuid::from_u128(1)).await;
    (house.encoder("simulated", None).await, claimed)
}

/// The input type of each mutation of the schema.
pub async fn mutations_of_the_schema(client: &Client) -> Vec<(String, String)> {
    let query = "{ __type(name: \"Mutation\") { fields { name args { type { ofType { name } } } } } }";
    let data = client.data(query, json!({})).await;
    let fields = data["__type"]["fields"].as_array().expect("fields").clone();
    let named = |field: &Value| (text(&field["name"]), text(&field["args"][0]["type"]["ofType"]["name"]));
    fields.iter().map(named).collect()
}

#[tokio::test]
async fn every_mutation_succeeds_with_a_test_key_and_writes_nothing_but_the_use_of_the_key() {
    let round = Round::new().await;
    let pool = &round.house.test.db.pool;
    let schema = mutations_of_the_schema(&round.tester).await;
    let in_schema: BTreeSet<&str> = schema.iter().map(|(name, _)| name.as_str()).collect();
    let tried: BTreeSet<&str> = round.mutations.iter().map(|mutation| mutation.0).collect();
    assert_eq!(tried, in_schema, "every mutation of the schema is tried");

    auth::write_usage(&round.house.test, &round.house.test.key_usage).await.expect("written");
    let (before, used) = (fingerprint(pool).await, usage(pool).await);
    for (name, input, selection) in &round.mutations {
        let (_, input_type) = schema.iter().find(|mutation| mutation.0 == *name).expect("in the schema");
        let query = format!("mutation($input: {input_type}!) {{ {name}(input: $input) {{ {selection} }} }}");
        let response = round.tester.run(&query, json!({ "input": input })).await;
        assert!(response.get("errors").is_none(), "{name}: {response:#}");
        assert_eq!(response["extensions"]["sandbox"], true, "{name}");
        assert!(!response["data"][name].is_null(), "{name}");
        assert_eq!(fingerprint(pool).await, before, "{name}");
    }

    // Whoever asks is let in by the same look-up as over HTTP, which counts.
    Client::new(&round.house.test, &round.house.keys.test).await;
    auth::write_usage(&round.house.test, &round.house.test.key_usage).await.expect("written");
    let differing: Vec<_> = usage(pool).await.into_iter().filter(|row| !used.contains(row)).collect();
    assert_eq!(differing, [(round.house.keys.api_key_id.to_string(), 2)], "the pair was let in by its live key once");
    let without_usage = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("api_key_usage ")).map(str::to_owned).collect()
    };
    assert_eq!(without_usage(&fingerprint(pool).await), without_usage(&before));
}

/// Requests by pair.
async fn usage(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT api_key_id::text, request_count FROM api_key_usage ORDER BY 1")
        .fetch_all(pool)
        .await
        .expect("the counts")
}

#[tokio::test]
async fn the_same_mutations_are_kept_with_a_live_key() {
    // Were it not so, the round would prove nothing. One house each: they get in each other's way.
    for index in [1, 9, 27, 32, 39, 40, 41] {
        let round = Round::new().await;
        let (name, input, selection) = &round.mutations[index];
        let keys = round.house.test.integration(&round.house.hotel, "Locks", Permission::Admin).await;
        let live = Client::new(&round.house.test, &keys.live).await;
        let before = fingerprint(&round.house.test.db.pool).await;
        live.done(name, input.clone(), selection).await;
        assert_ne!(fingerprint(&round.house.test.db.pool).await, before, "{name}");
    }
}

#[tokio::test]
async fn ids_of_a_test_request_are_good_within_it_and_nowhere_else() {
    let house = House::new().await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    let stay = house.stay("R1").await;
    let create = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { \
        roomAccessKey { id @chain(variable: \"key\") } } }";
    let add = "mutation($stay: ID!, $key: ID!) { addRoomAccessKey(input: {roomStayId: $stay, roomAccessKeyId: $key}) { \
        roomStay { roomAccessKey { id } } } }";
    let answers = tester.batch(&[(create, json!({})), (add, json!({ "stay": stay }))]).await;
    let key = text(&answers[0]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
    assert_eq!(answers[1]["data"]["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"], key);
    assert!(answers.iter().all(|answer| answer["extensions"]["sandbox"] == true));
    for client in [&tester, &house.locks] {
        assert_eq!(code(&client.add(&stay, &key).await), "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_test_key_is_refused_what_its_live_key_is_refused_and_reads_live_data() {
    let house = House::new().await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    house.locks.add(&stay, &key).await;
    assert_eq!(tester.key_of(&stay).await, Some(key.clone()));
    assert_eq!(code(&tester.delete(&key).await), "KEY_STILL_ASSIGNED");
    assert_eq!(code(&tester.act("createCategory", json!({"name": "Suite"}), "category { id }").await), "FORBIDDEN");
    let wrong = tester.run(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "12345678901"}}})).await;
    assert_eq!(code(&wrong), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn a_test_key_does_not_wait_for_what_is_real() {
    let house = House::new().await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    sqlx::query("SELECT FROM room_stays WHERE id = $1::uuid FOR UPDATE")
        .bind(&stay)
        .execute(&mut *holding)
        .await
        .expect("held");
    let began = Instant::now();
    let response = tester.run(ADD_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})).await;
    assert_eq!(code(&response), "UNAVAILABLE");
    assert!(began.elapsed() < Duration::from_secs(2), "a live key waits for 3 s: {:?}", began.elapsed());
    holding.rollback().await.expect("rolled back");
    // The connection goes back to the pool as it was.
    let mut conn = house.test.pool.of_hotel(house.hotel.id).await.expect("a connection");
    let timeout: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&mut *conn).await.expect("a setting");
    assert_eq!(timeout, "3s");
}

//! The error codes that the description of each mutation lists: each can be provoked, and no other is answered.
//!
//! That no other is answered is checked by every test that sends mutations through [`Client`].

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::access_grants;
use crate::locks::{give_command, give_grants};
use crate::support::{Client, House, codes, text};

/// An id that no record has.
const NOBODY: &str = "0198d4c1-3f5e-7c00-8000-000000000001";

/// Mutation, code, input.
type Refusal = (&'static str, &'static str, Value);

/// Provokes each refusal, and notes which mutation answered with which code.
async fn provoke(client: &Client, refusals: Vec<Refusal>, provoked: &mut BTreeSet<(String, String)>) {
    for (mutation, code, input) in refusals {
        let (answered, _) = client.refused(mutation, input.clone(), "__typename").await;
        assert_eq!(answered, code, "{mutation} {input}");
        provoked.insert((mutation.to_owned(), answered));
    }
}

#[tokio::test]
async fn g25_each_mutation_lists_the_codes_that_it_answers() {
    let described: BTreeSet<(String, String)> = codes::described()
        .into_iter()
        .flat_map(|(mutation, codes)| codes.into_iter().map(move |code| (mutation.clone(), code)))
        .collect();
    let mut provoked = BTreeSet::new();
    let house = House::new().await;
    let admin = house.admin().await;
    provoke(&house.desk, of_rooms(&house).await, &mut provoked).await;
    provoke(&house.desk, of_locks(&house).await, &mut provoked).await;
    provoke(&house.desk, of_reservations(&house).await, &mut provoked).await;
    provoke(&house.desk, of_stays(&house).await, &mut provoked).await;
    provoke(&house.desk, of_guests(&house).await, &mut provoked).await;
    provoke(&house.locks, of_webhooks(&house).await, &mut provoked).await;
    provoke(&house.desk, of_lock_commands(&house).await, &mut provoked).await;
    provoke(&admin, of_administration(&house, &admin).await, &mut provoked).await;
    let doors = access_grants::Doors::new().await;
    provoke(&doors.house.locks, access_grants::codes::refusals(&doors).await, &mut provoked).await;
    let (of_keys, disabled) = of_keys(&house).await;
    provoke(&house.locks, of_keys, &mut provoked).await;
    admin.done("setRoomAccessKeysEnabled", json!({"enabled": false}), "__typename").await;
    // A client knows its hotel as it was when its key was let in.
    let locks = Client::new(&house.test, &house.keys.live).await;
    provoke(&locks, disabled, &mut provoked).await;
    let unprovoked: Vec<_> = described.difference(&provoked).collect();
    assert!(unprovoked.is_empty(), "described, and not answered: {unprovoked:#?}");
    let undescribed: Vec<_> = provoked.difference(&described).collect();
    assert!(undescribed.is_empty(), "answered, and not described: {undescribed:#?}");
}

#[tokio::test]
async fn g25_the_argument_of_chain_is_described() {
    let house = House::new().await;
    let query = "{ __schema { directives { name args { name description } } } }";
    let schema = house.desk.data(query, json!({})).await;
    let directives = schema["__schema"]["directives"].as_array().expect("directives").iter();
    let chain = directives.filter(|directive| directive["name"] == "chain").collect::<Vec<_>>();
    let description = text(&chain[0]["args"][0]["description"]);
    // The schema file tells as much as introspection.
    let described =
        format!("directive @chain(\n\t\"\"\"\n\t{description}\n\t\"\"\"\n\tvariable: String!\n) on FIELD\n");
    assert!(codes::schema_file().contains(&described), "{described}");
}

#[tokio::test]
async fn every_mutation_lists_codes_that_there_are() {
    let described = codes::described();
    let mutations = "{ __schema { mutationType { fields { name } } } }";
    let schema = House::new().await.desk.data(mutations, json!({})).await;
    let mutations = schema["__schema"]["mutationType"]["fields"].as_array().expect("fields").iter();
    let mutations: BTreeSet<String> = mutations.map(|field| text(&field["name"])).collect();
    assert_eq!(described.keys().cloned().collect::<BTreeSet<_>>(), mutations);
    let known: BTreeSet<&str> = latchkey::error::ErrorCode::ALL.iter().map(|code| code.spec().wire).collect();
    for (mutation, codes) in described {
        assert!(!codes.is_empty(), "{mutation}");
        assert!(codes.iter().all(|code| known.contains(code.as_str())), "{mutation}: {codes:?}");
    }
}

async fn of_rooms(house: &House) -> Vec<Refusal> {
    let suite = house.desk.done("createCategory", json!({"name": "Suite"}), "category { id }").await;
    let suite = &suite["category"]["id"];
    let category = &house.category;
    house.room("101").await;
    let room = house.room("102").await;
    vec![
        ("createCategory", "INVALID_ARGUMENT", json!({"name": ""})),
        ("createCategory", "NAME_TAKEN", json!({"name": "Double"})),
        ("updateCategory", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateCategory", "INVALID_ARGUMENT", json!({"id": suite, "name": ""})),
        ("updateCategory", "NAME_TAKEN", json!({"id": suite, "name": "Double"})),
        ("createRoomSetup", "NOT_FOUND", json!({"name": "103", "categoryId": NOBODY})),
        ("createRoomSetup", "INVALID_ARGUMENT", json!({"name": "", "categoryId": category})),
        ("createRoomSetup", "NAME_TAKEN", json!({"name": "101", "categoryId": category})),
        ("updateRoomSetup", "NOT_FOUND", json!({"id": NOBODY, "name": "103"})),
        ("updateRoomSetup", "INVALID_ARGUMENT", json!({"id": room, "name": ""})),
        ("updateRoomSetup", "NAME_TAKEN", json!({"id": room, "name": "101"})),
    ]
}

async fn of_locks(house: &House) -> Vec<Refusal> {
    let (door, room) = (house.entrance("door").await, house.room("110").await);
    house.entrance("taken").await;
    for key in ["space", "taken"] {
        house.desk.done("createSpace", json!({"spaceKey": key, "name": key}), "__typename").await;
        let encoder = json!({"encoderKey": key, "name": key, "provider": "VOSTIO"});
        house.desk.done("createEncoder", encoder, "__typename").await;
    }
    let entrance = json!({"name": "x", "provider": "VOSTIO", "canBelongToReservation": false, "modes": ["CODE"]});
    let encoder = json!({"name": "x", "provider": "VOSTIO"});
    let simulated = with(json!({"name": "x", "provider": "VOSTIO", "simulated": true}), "integrationId", json!(NOBODY));
    give_grants(house, &door).await;
    give_command(house, "taken").await;
    vec![
        ("createEntrance", "INVALID_ARGUMENT", with(entrance.clone(), "name", json!(""))),
        ("createEntrance", "NAME_TAKEN", with(entrance, "entranceKey", json!("taken"))),
        ("updateEntrance", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateEntrance", "INVALID_ARGUMENT", json!({"id": "door", "modes": []})),
        ("updateEntrance", "NAME_TAKEN", json!({"id": "door", "entranceKey": "taken"})),
        ("deleteEntrance", "NOT_FOUND", json!({"id": "nothing"})),
        ("deleteEntrance", "INVALID_ARGUMENT", json!({"id": "door"})),
        ("createSpace", "NOT_FOUND", json!({"name": "x", "entranceIds": ["nothing"]})),
        ("createSpace", "INVALID_ARGUMENT", json!({"name": ""})),
        ("createSpace", "NAME_TAKEN", json!({"name": "x", "spaceKey": "taken"})),
        ("updateSpace", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateSpace", "INVALID_ARGUMENT", json!({"id": room, "name": "x"})),
        ("updateSpace", "NAME_TAKEN", json!({"id": "space", "spaceKey": "taken"})),
        ("deleteSpace", "NOT_FOUND", json!({"id": NOBODY})),
        ("deleteSpace", "INVALID_ARGUMENT", json!({"id": room})),
        ("addSpaceEntrances", "NOT_FOUND", json!({"spaceId": "space", "entranceIds": ["nothing"]})),
        ("removeSpaceEntrances", "NOT_FOUND", json!({"spaceId": "nothing", "entranceIds": []})),
        ("createEncoder", "NOT_FOUND", with(encoder.clone(), "integrationId", json!(NOBODY))),
        ("createEncoder", "INVALID_ARGUMENT", simulated),
        ("createEncoder", "NAME_TAKEN", with(encoder, "encoderKey", json!("taken"))),
        ("updateEncoder", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateEncoder", "INVALID_ARGUMENT", json!({"id": "space", "name": ""})),
        ("updateEncoder", "NAME_TAKEN", json!({"id": "space", "encoderKey": "taken"})),
        ("deleteEncoder", "NOT_FOUND", json!({"id": NOBODY})),
        ("deleteEncoder", "INVALID_ARGUMENT", json!({"id": "taken"})),
    ]
}

/// A reservation as `importReservation` takes it.
fn imported(house: &House, id: &str, status: &str) -> Value {
    json!({"externalId": id, "status": status, "client": {"person": {"lastname": "Doe"}}, "roomStays": [
        {"categoryId": house.category, "reservation_from": "2026-01-30", "reservation_to": "2026-01-31"},
    ]})
}

fn with(mut input: Value, name: &str, value: Value) -> Value {
    input[name] = value;
    input
}

async fn of_reservations(house: &House) -> Vec<Refusal> {
    let (active, _) = house.reservation("A1", &[("2026-01-30", "2026-02-02")]).await;
    let mut ids = Vec::new();
    for status in ["INVOICED", "CANCELLED"] {
        let input = imported(house, status, status);
        ids.push(house.desk.done("importReservation", input, "reservation { id }").await["reservation"]["id"].clone());
    }
    let new = imported(house, "new", "ACTIVE");
    let create = json!({"client": new["client"], "roomStays": new["roomStays"]});
    vec![
        ("createReservation", "NOT_FOUND", with(create.clone(), "client", json!({"id": NOBODY}))),
        ("createReservation", "INVALID_ARGUMENT", with(create.clone(), "roomStays", json!([]))),
        ("createReservation", "CODE_TAKEN", with(create, "code", json!("A1"))),
        ("updateReservation", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateReservation", "INVALID_ARGUMENT", json!({"id": active, "code": ""})),
        ("updateReservation", "CODE_TAKEN", json!({"id": ids[0], "code": "A1"})),
        ("cancelReservation", "NOT_FOUND", json!({"id": NOBODY})),
        ("cancelReservation", "INVALID_ARGUMENT", json!({"id": active, "reason": ""})),
        ("cancelReservation", "RESERVATION_INVOICED", json!({"id": ids[0]})),
        ("reactivateReservation", "NOT_FOUND", json!({"id": NOBODY})),
        ("reactivateReservation", "INVALID_ARGUMENT", json!({"id": ids[1], "reason": ""})),
        ("reactivateReservation", "RESERVATION_NOT_CANCELLED", json!({"id": active})),
        ("importReservation", "NOT_FOUND", with(new.clone(), "client", json!({"id": NOBODY}))),
        ("importReservation", "INVALID_ARGUMENT", with(new.clone(), "externalId", json!(""))),
        ("importReservation", "CODE_TAKEN", with(new, "code", json!("A1"))),
        ("importReservation", "RESERVATION_INVOICED", imported(house, "INVOICED", "ACTIVE")),
        ("importReservation", "RESERVATION_CANCELLED", imported(house, "CANCELLED", "INVOICED")),
    ]
}

/// A stay that is to come, one whose reservation was cancelled, and one that has departed.
async fn stays(house: &House, prefix: &str) -> (String, String, String) {
    let open = house.stay(&format!("{prefix}1")).await;
    let (reservation, mut cancelled) = house.reservation(&format!("{prefix}2"), &[("2026-01-30", "2026-02-02")]).await;
    house.desk.done("cancelReservation", json!({"id": reservation}), "__typename").await;
    let (_, mut departed) = house.reservation(&format!("{prefix}3"), &[("2026-01-20", "2026-01-22")]).await;
    (open, cancelled.remove(0), departed.remove(0))
}

async fn of_stays(house: &House) -> Vec<Refusal> {
    let (open, cancelled, departed) = stays(house, "S").await;
    let (reservation, _) = house.reservation("S4", &[("2026-01-30", "2026-02-02")]).await;
    let (of_cancelled, _) = house.reservation("S5", &[("2026-01-30", "2026-02-02")]).await;
    house.desk.done("cancelReservation", json!({"id": of_cancelled}), "__typename").await;
    let category = &house.category;
    let new = |reservation: &str, to: &str| json!({"reservationId": reservation, "categoryId": category, "reservation_from": "2026-01-30", "reservation_to": to});
    let mut refusals = vec![
        ("addRoomStay", "NOT_FOUND", new(NOBODY, "2026-01-31")),
        ("addRoomStay", "INVALID_ARGUMENT", new(&reservation, "2026-01-29")),
        ("addRoomStay", "RESERVATION_CANCELLED", new(&of_cancelled, "2026-01-31")),
        ("updateRoomStay", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateRoomStay", "INVALID_ARGUMENT", json!({"id": open, "reason": ""})),
        ("updateRoomStay", "RESERVATION_CANCELLED", json!({"id": cancelled})),
        ("swapRoomStays", "INVALID_ARGUMENT", json!({"firstRoomStayId": open, "secondRoomStayId": open})),
        ("splitRoomStay", "INVALID_ARGUMENT", json!({"roomStayId": open, "date": "2026-01-30"})),
        ("changeRoomStayDates", "INVALID_ARGUMENT", json!({"roomStayId": open, "reservation_to": "2026-01-29"})),
    ];
    for (code, stay) in
        [("NOT_FOUND", NOBODY), ("RESERVATION_CANCELLED", &cancelled), ("ROOM_STAY_DEPARTED", &departed)]
    {
        let swap = json!({"firstRoomStayId": open, "secondRoomStayId": stay});
        refusals.push(("swapRoomStays", code, swap));
        refusals.push(("moveRoomStay", code, json!({"roomStayId": stay, "roomSetupId": null})));
        refusals.push(("splitRoomStay", code, json!({"roomStayId": stay, "date": "2026-01-31"})));
        if code != "ROOM_STAY_DEPARTED" {
            refusals.push(("changeRoomStayDates", code, json!({"roomStayId": stay})));
            refusals.push(("setRoomStayDepartureTime", code, json!({"roomStayId": stay, "departureTime": null})));
        }
    }
    refusals.push(("deleteRoomStay", "NOT_FOUND", json!({"roomStayId": NOBODY})));
    for mutation in ["moveRoomStay", "setRoomStayDepartureTime", "deleteRoomStay"] {
        refusals.push((mutation, "INVALID_ARGUMENT", json!({"roomStayId": open, "reason": ""})));
    }
    refusals
}

async fn of_guests(house: &House) -> Vec<Refusal> {
    let (open, cancelled, _) = stays(house, "G").await;
    let client = house.desk.done("createClient", json!({"person": {"lastname": "Doe"}}), "client { id }").await;
    let client = &client["client"]["id"];
    vec![
        ("createClient", "INVALID_ARGUMENT", json!({})),
        ("updateClient", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateClient", "INVALID_ARGUMENT", json!({"id": client, "lastname": ""})),
        ("addRoomStayGuest", "NOT_FOUND", json!({"roomStayId": open, "clientId": NOBODY})),
        ("addRoomStayGuest", "RESERVATION_CANCELLED", json!({"roomStayId": cancelled, "clientId": client})),
        ("removeRoomStayGuest", "NOT_FOUND", json!({"roomStayId": open, "clientId": client})),
        ("removeRoomStayGuest", "INVALID_ARGUMENT", json!({"roomStayId": open, "clientId": client, "reason": ""})),
        ("removeRoomStayGuest", "RESERVATION_CANCELLED", json!({"roomStayId": cancelled, "clientId": client})),
    ]
}

async fn of_webhooks(house: &House) -> Vec<Refusal> {
    let new = json!({"url": "https://example.com/", "status": "DISABLED", "events": ["room_stay.created"]});
    let endpoint = house.locks.done("createWebhookEndpoint", new.clone(), "webhookEndpoint { id }").await;
    let endpoint = &endpoint["webhookEndpoint"]["id"];
    vec![
        ("createWebhookEndpoint", "INVALID_ARGUMENT", with(new, "events", json!([]))),
        ("updateWebhookEndpoint", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateWebhookEndpoint", "INVALID_ARGUMENT", json!({"id": endpoint, "events": []})),
        ("deleteWebhookEndpoint", "NOT_FOUND", json!({"id": NOBODY})),
        ("rotateWebhookSecret", "NOT_FOUND", json!({"id": NOBODY})),
        ("sendTestWebhook", "NOT_FOUND", json!({"id": NOBODY})),
        ("sendTestWebhook", "INVALID_ARGUMENT", json!({"id": endpoint})),
        ("resendWebhook", "NOT_FOUND", json!({"deliveryId": NOBODY})),
    ]
}

async fn of_lock_commands(house: &House) -> Vec<Refusal> {
    let encoder = house.encoder("desk", Some(&house.desk)).await;
    house.tell(&house.desk, encoder, Uuid::from_u128(1)).await;
    let claimed = house.desk.claim_one().await;
    let (id, claim) = (&claimed["id"], &claimed["claimId"]);
    vec![
        ("claimLockCommands", "INVALID_ARGUMENT", json!({"first": 0})),
        ("completeLockCommand", "NOT_FOUND", json!({"id": NOBODY, "claimId": claim})),
        (
            "completeLockCommand",
            "INVALID_ARGUMENT",
            json!({"id": id, "claimId": claim, "error": "ACTION_ATTEMPT_EXPIRED"}),
        ),
        ("completeLockCommand", "LEASE_LOST", json!({"id": id, "claimId": NOBODY})),
        ("simulateNextEncoding", "NOT_FOUND", json!({"encoderId": NOBODY})),
        ("simulateNextEncoding", "INVALID_ARGUMENT", json!({"encoderId": encoder})),
    ]
}

async fn of_administration(house: &House, admin: &Client) -> Vec<Refusal> {
    let locks = house.keys.integration_id;
    let new =
        |integration: &str, name: &str| json!({"integrationId": integration, "name": name, "permission": "WRITE"});
    let pair = admin.done("createApiKey", new(&locks.to_string(), "Spare"), "apiKey { id }").await;
    let pair = &pair["apiKey"]["id"];
    let mut refusals = vec![
        ("createApiKey", "NOT_FOUND", new(NOBODY, "x")),
        ("createApiKey", "INVALID_ARGUMENT", new(&locks.to_string(), "")),
        ("connectIntegration", "INVALID_ARGUMENT", json!({"name": ""})),
        ("connectIntegration", "NAME_TAKEN", json!({"name": "Locks"})),
        ("disconnectIntegration", "NOT_FOUND", json!({"id": NOBODY})),
        ("disconnectIntegration", "INVALID_ARGUMENT", json!({"id": admin.actor.principal.integration_id()})),
        ("setRoomAccessKeysEnabled", "INVALID_ARGUMENT", json!({"enabled": false, "reason": ""})),
    ];
    for mutation in ["revokeApiKey", "regenerateApiKey", "disableApiKey", "enableApiKey"] {
        refusals.push((mutation, "NOT_FOUND", json!({"id": NOBODY})));
        refusals.push((mutation, "INVALID_ARGUMENT", json!({"id": pair, "reason": ""})));
    }
    refusals
}

/// While they are enabled, and while they are not.
async fn of_keys(house: &House) -> (Vec<Refusal>, Vec<Refusal>) {
    let (open, cancelled, departed) = stays(house, "K").await;
    let (assigned, free) = (house.locks.pin("1").await, house.locks.pin("2").await);
    house.locks.add(&open, &assigned).await;
    let both = |stay: &str, key: &str| json!({"roomStayId": stay, "roomAccessKeyId": key});
    let pin = json!({"roomAccessPin": {"pin": "1"}});
    let enabled = vec![
        ("createRoomAccessKey", "INVALID_ARGUMENT", json!({})),
        ("addRoomAccessKey", "NOT_FOUND", both(NOBODY, &free)),
        ("addRoomAccessKey", "RESERVATION_CANCELLED", both(&cancelled, &free)),
        ("addRoomAccessKey", "ROOM_STAY_DEPARTED", both(&departed, &free)),
        ("addRoomAccessKey", "KEY_ALREADY_ASSIGNED", both(&open, &free)),
        ("removeRoomAccessKey", "NOT_FOUND", both(&open, NOBODY)),
        ("removeRoomAccessKey", "KEY_NOT_ASSIGNED", both(&open, &free)),
        ("deleteRoomAccessKey", "NOT_FOUND", json!({"roomAccessKeyId": NOBODY})),
        ("deleteRoomAccessKey", "KEY_STILL_ASSIGNED", json!({"roomAccessKeyId": assigned})),
    ];
    let disabled = vec![
        ("createRoomAccessKey", "ROOM_ACCESS_KEYS_DISABLED", pin),
        ("addRoomAccessKey", "ROOM_ACCESS_KEYS_DISABLED", both(&open, &free)),
        ("removeRoomAccessKey", "ROOM_ACCESS_KEYS_DISABLED", both(&open, &assigned)),
        ("deleteRoomAccessKey", "ROOM_ACCESS_KEYS_DISABLED", json!({"roomAccessKeyId": free})),
    ];
    (enabled, disabled)
}

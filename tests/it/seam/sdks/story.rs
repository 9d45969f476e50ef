//! A guest's story, told by a client and GraphQL together: each sees what the other did.

use serde_json::{Value, json};
use tokio::join;

use super::contract;
use super::sdk::{self, Generation, Sdk};
use crate::access_grants::acts::{Door, door, encoder};
use crate::access_grants::read_grant;
use crate::support::{House, PATIENCE, TestServer, eventually, nodes, text};

/// A guest's stay in a room, and the vendor's bridge at the desk's encoder.
struct Scene<'a> {
    house: &'a House,
    encoder: &'a str,
    /// Key of the guest.
    guest: String,
    stay: String,
    /// Keys of the door of the room, and of that of another one.
    doors: [String; 2],
    other_room: String,
}

impl<'a> Scene<'a> {
    async fn new(house: &'a House, encoder: &'a str, generation: Generation) -> Self {
        let rooms = [1, 2].map(|number| format!("{generation:?}-{number}"));
        let doors = rooms.clone().map(|room| format!("door-{room}"));
        let stay = house.stay_in(&rooms[0]).await;
        let room = text(&house.desk.read_stay(&stay, "room_setup { id }").await["room_setup"]["id"]);
        let other_room = house.room(&rooms[1]).await;
        door(house, Door::guest(&doors[0]).of(&room)).await;
        door(house, Door::guest(&doors[1]).of(&other_room)).await;
        Self { house, encoder, guest: format!("anna-{generation:?}"), stay, doors, other_room }
    }

    /// The client has a card encoded and waits for it; meanwhile the bridge does that over GraphQL. Answers with what it wrote.
    async fn encode(&self, sdk: &mut Sdk, card: &Value) -> Value {
        let asked = json!({"access_method_id": card, "acs_encoder_id": self.encoder});
        let (attempt, written) = join!(sdk.get("access_methods.encode", asked), self.write_a_card());
        assert_eq!((&attempt["status"], &attempt["result"]["acs_credential_id"]), (&json!("success"), card));
        written
    }

    /// What the vendor's bridge does, once there is something to do.
    async fn write_a_card(&self) -> Value {
        let locks = &self.house.locks;
        let selection = "commands { id claimId card { startsAt endsAt doors { entranceKey sequence } } }";
        let mut command = Value::Null;
        eventually(PATIENCE, "a card is to be written", async || {
            let mut claimed = locks.done("claimLockCommands", json!({"first": 1}), selection).await;
            command = claimed["commands"].get_mut(0).map(Value::take).unwrap_or_default();
            !command.is_null()
        })
        .await;
        let done = json!({"id": command["id"], "claimId": command["claimId"]});
        locks.done("completeLockCommand", done, "status").await;
        command["card"].take()
    }
}

/// The only grant of the stay, as the client lists it.
async fn grant_of(sdk: &mut Sdk, stay: &str) -> Value {
    let grants = sdk.get("access_grants.list", json!({"reservation_key": stay})).await;
    assert_eq!(grants.as_array().map(Vec::len), Some(1), "{grants:#}");
    grants[0].clone()
}

async fn entrances_of(sdk: &mut Sdk, grant: &Value) -> Vec<Value> {
    sdk.get("access_grants.get_related", json!({"access_grant_ids": [grant["access_grant_id"]]})).await;
    let batch = &sdk.last().body["batch"];
    batch["acs_entrances"].as_array().expect("a list").iter().map(|one| one["display_name"].clone()).collect()
}

fn warnings(grant: &Value) -> Vec<Value> {
    grant["warnings"].as_array().expect("a list").iter().map(|warning| warning["warning_code"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_and_graphql_tell_a_guests_story_together() {
    let house = House::new().await;
    let encoder = encoder(&house).await;
    let server = TestServer::start(&house.test).await;
    let mut exchanges = Vec::new();
    for mut sdk in sdk::all(&server.url, &house.keys.live).await {
        let scene = Scene::new(&house, &encoder, sdk.generation).await;
        let (first, card) = arrives(&scene, &mut sdk).await;
        let (second, card) = changes_room(&scene, &mut sdk, &first, &card).await;
        stays_longer(&scene, &mut sdk, &second, &card).await;
        leaves(&scene, &mut sdk, &second).await;

        let events = sdk.get("events.list", json!({"since": "2026-01-30T00:00:00Z"})).await;
        let told = |grant: &Value| {
            let events = events.as_array().expect("a list").iter();
            let of_grant = events.filter(|one| one["access_grant_id"] == grant["access_grant_id"]);
            of_grant
                .map(|one| text(&one["event_type"]))
                .filter(|kind| kind.starts_with("access_grant."))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&first), ["access_grant.created", "access_grant.deleted"]);
        let of_second = ["access_grant.created", "access_grant.access_times_changed", "access_grant.deleted"];
        assert_eq!(told(&second), of_second, "{:?}", sdk.generation);
        exchanges.extend(sdk.wire.exchanges());
    }
    contract::hold(&exchanges);
}

/// The client adds the guest, GraphQL grants access to the stay, the client has the card written.
async fn arrives(scene: &Scene<'_>, sdk: &mut Sdk) -> (Value, Value) {
    let Scene { house, stay, guest, .. } = scene;
    sdk.get("user_identities.create", json!({"full_name": "Anna Muster", "user_identity_key": guest})).await;
    let query = "{ userIdentities { edges { node { userIdentityKey fullName } } } }";
    let seen = nodes(&house.locks.data(query, json!({})).await["userIdentities"]);
    assert!(seen.contains(&json!({"userIdentityKey": guest, "fullName": "Anna Muster"})), "{seen:#?}");

    let of_stay = json!({"userIdentityId": guest, "roomStayId": stay, "requestedAccessMethods": [{"mode": "CARD"}]});
    let made = house.locks.done("createAccessGrant", of_stay, "accessGrant { id }").await;
    let grant = grant_of(sdk, stay).await;
    assert_eq!(grant["access_grant_id"], made["accessGrant"]["id"]);
    assert_eq!(grant["starts_at"], "2026-01-30T14:00:00Z");
    assert_eq!(entrances_of(sdk, &grant).await, [json!(scene.doors[0])]);

    let card = grant["access_method_ids"][0].clone();
    let written = scene.encode(sdk, &card).await;
    assert_eq!(written["doors"], json!([{"entranceKey": scene.doors[0], "sequence": 1}]));
    let id = text(&grant["access_grant_id"]);
    let state = read_grant(&house.locks, &id, "accessMethods { state }").await;
    assert_eq!(state["accessMethods"], json!([{"state": "ENCODED"}]));
    (grant, card)
}

/// The desk moves the guest: the client no longer finds the grant, but one for the other room.
async fn changes_room(scene: &Scene<'_>, sdk: &mut Sdk, grant: &Value, card: &Value) -> (Value, Value) {
    let move_to = json!({"roomStayId": scene.stay, "roomSetupId": scene.other_room});
    scene.house.desk.done("moveRoomStay", move_to, "roomStay { id }").await;
    let gone = sdk.thrown("access_grants.get", json!({"access_grant_id": grant["access_grant_id"]})).await;
    assert_eq!(gone.code.as_deref(), Some("access_grant_not_found"));
    let moved = grant_of(sdk, &scene.stay).await;
    assert_eq!(entrances_of(sdk, &moved).await, [json!(scene.doors[1])]);
    assert_eq!(warnings(&moved), ["encoding_required"]);
    let new_card = moved["access_method_ids"][0].clone();
    assert_ne!(new_card, *card);
    scene.encode(sdk, &new_card).await;
    assert_eq!(warnings(&grant_of(sdk, &scene.stay).await), [""; 0]);
    (moved, new_card)
}

/// The desk adds two days, the client names the grant: each reads both.
async fn stays_longer(scene: &Scene<'_>, sdk: &mut Sdk, grant: &Value, card: &Value) {
    let longer = json!({"roomStayId": scene.stay, "reservation_to": "2026-02-04"});
    scene.house.desk.done("changeRoomStayDates", longer, "roomStay { id }").await;
    let id = &grant["access_grant_id"];
    sdk.get("access_grants.update", json!({"access_grant_id": id, "name": "Anna's room"})).await;
    let extended = grant_of(sdk, &scene.stay).await;
    assert_eq!((&extended["access_grant_id"], &extended["ends_at"]), (id, &json!("2026-02-04T10:00:00Z")));
    assert_eq!(warnings(&extended), ["encoding_required"]);
    let seen = read_grant(&scene.house.locks, &text(id), "name endsAt warnings { code }").await;
    let expected = json!({"name": "Anna's room", "endsAt": "2026-02-04T11:00:00+01:00",
        "warnings": [{"code": "ENCODING_REQUIRED"}]});
    assert_eq!(seen, expected);
    let written = scene.encode(sdk, card).await;
    assert_eq!(written["endsAt"], "2026-02-04T11:00:00+01:00");
}

/// The client deletes the grant: GraphQL has it revoked.
async fn leaves(scene: &Scene<'_>, sdk: &mut Sdk, grant: &Value) {
    let id = &grant["access_grant_id"];
    sdk.get("access_grants.delete", json!({"access_grant_id": id})).await;
    assert_eq!(read_grant(&scene.house.locks, &text(id), "id").await, Value::Null);
    assert_eq!(sdk.get("access_grants.list", json!({})).await, json!([]));
}

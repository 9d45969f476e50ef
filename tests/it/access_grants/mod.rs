//! Access grants: what they are made of, who sees them, what is read along with them, what any history of them keeps, and the story of
//! a guest.

pub mod acts;
pub mod codes;
mod disconnecting;
mod identities;
mod laws;
mod methods;
mod model;
mod orders;
mod races;
mod reading;
mod requests;
mod stays;
mod story;
pub mod tenancy;
mod unlocking;
mod visibility;

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::support::{Client, House, TestApp, nodes, text};

/// Where the clock stands: the day before the first stay of the printed examples.
const START: &str = "2025-05-09T09:00:00Z";
/// Rooms, each with one door that can belong to a reservation.
const ROOMS: [&str; 3] = ["101", "102", "203"];
/// Doors of all guests.
const COMMON: [&str; 3] = ["gym-id", "lobby-id", "pool-id"];
const GUESTS: [&str; 5] = ["guest-1", "guest-2", "guest-3", "g1", "g2"];

/// A house with doors, under the keys that the printed examples of access grants name, and guests of `locks`, whose bridge has an
/// encoder.
pub struct Doors {
    pub house: House,
}

impl Doors {
    pub async fn new() -> Self {
        Self::of(House::on(TestApp::at(START).await, "grand-hotel", Tz::Europe__Berlin).await).await
    }

    /// Furnishes a house.
    pub async fn of(house: House) -> Self {
        for room in ROOMS {
            let id = house.room(room).await;
            let (space, door) = (format!("room-{room}"), format!("room-{room}-id"));
            house.desk.done("updateSpace", json!({"id": id, "spaceKey": space}), "space { id }").await;
            hang(&house.desk, &door, "VISIONLINE", true).await;
            let doors = json!({"spaceId": space, "entranceIds": [door]});
            house.desk.done("addSpaceEntrances", doors, "space { id }").await;
        }
        for door in COMMON {
            hang(&house.desk, door, "VISIONLINE", false).await;
        }
        let integration = house.keys.integration_id;
        let encoder = json!({"encoderKey": "encoder-1", "name": "Front desk", "provider": "VISIONLINE",
            "integrationId": integration});
        house.desk.done("createEncoder", encoder, "encoder { id }").await;
        for guest in GUESTS {
            identity(&house.locks, guest, "GUEST").await;
        }
        Self { house }
    }

    /// Makes a grant of `locks`; answers with its id.
    pub async fn grant(&self, input: Value) -> String {
        text(&self.house.locks.done("createAccessGrant", input, "accessGrant { id }").await["accessGrant"]["id"])
    }

    /// Has a grant of `locks` refused; answers with the code and the argument path.
    pub async fn refused(&self, input: Value) -> (String, Value) {
        self.house.locks.refused("createAccessGrant", input, "accessGrant { id }").await
    }

    /// A grant as `locks` reads it; `null` when it is not there.
    pub async fn read(&self, grant: &str, selection: &str) -> Value {
        read_grant(&self.house.locks, grant, selection).await
    }

    /// The access methods of a grant, also of one that was deleted.
    pub async fn methods(&self, grant: &str, selection: &str) -> Vec<Value> {
        let query = format!(
            "query($id: ID!) {{ accessMethods(filter: {{accessGrantId: {{eq: $id}}}}) {{ edges {{ node {{ {selection} }} }} }} }}"
        );
        nodes(&self.house.locks.data(&query, json!({ "id": grant })).await["accessMethods"])
    }

    /// The state of the only method of a grant.
    pub async fn state(&self, grant: &str) -> String {
        text(&self.methods(grant, "state").await[0]["state"])
    }

    /// Has the encoder write the first card of a grant; answers with what it bears.
    pub async fn encode(&self, grant: &str) -> Value {
        let method = self.methods(grant, "id").await[0]["id"].clone();
        let input = json!({"accessMethodId": method, "encoderId": "encoder-1"});
        self.house.locks.done("encodeAccessMethod", input, "actionAttempt { status }").await;
        let selection = "commands { id claimId accessMethodId card { credential startsAt endsAt doors { entranceKey \
             reservationStartsAt sequence } } }";
        let claimed = self.house.locks.done("claimLockCommands", json!({"first": 1}), selection).await;
        let command = &claimed["commands"][0];
        assert_eq!(command["accessMethodId"], method);
        let done = json!({"id": command["id"], "claimId": command["claimId"]});
        self.house.locks.done("completeLockCommand", done, "status").await;
        command["card"].clone()
    }

    /// Makes a grant and has its card written; answers with its id and what the card bears.
    pub async fn card(&self, input: Value) -> (String, Value) {
        let grant = self.grant(input).await;
        let card = self.encode(&grant).await;
        (grant, card)
    }

    /// Moves the clock to that instant.
    pub fn at(&self, instant: &str) {
        let instant: chrono::DateTime<chrono::Utc> = instant.parse().expect("an instant");
        self.house.test.advance(instant - self.house.test.clock.now());
    }

    /// The ids of the grants with that reservation key.
    pub async fn of_reservation(&self, key: &str) -> Vec<String> {
        let query =
            "query($key: String!) { accessGrants(filter: {reservationKey: {eq: $key}}) { edges { node { id } } } }";
        let data = self.house.locks.data(query, json!({ "key": key })).await;
        nodes(&data["accessGrants"]).iter().map(|grant| text(&grant["id"])).collect()
    }
}

/// Hangs a door that opens to cards.
pub async fn hang(desk: &Client, key: &str, provider: &str, can_belong_to_reservation: bool) {
    let door = json!({"entranceKey": key, "name": key, "provider": provider, "modes": ["CARD", "MOBILE_KEY"],
        "canBelongToReservation": can_belong_to_reservation});
    desk.done("createEntrance", door, "entrance { id }").await;
}

/// Hangs a door that opens from afar alone.
pub async fn hang_cloud(desk: &Client, key: &str) {
    let door = json!({"entranceKey": key, "name": key, "provider": "BRIVO", "modes": ["CLOUD_KEY"],
        "canBelongToReservation": false});
    desk.done("createEntrance", door, "entrance { id }").await;
}

/// Makes an identity; answers with its id.
pub async fn identity(client: &Client, key: &str, kind: &str) -> String {
    let input = json!({"userIdentityKey": key, "kind": kind});
    text(&client.done("createUserIdentity", input, "userIdentity { id }").await["userIdentity"]["id"])
}

/// Makes a grant of `client`, and answers with every mutation of access grants: name, input, what to select of the
/// payload.
pub async fn mutations(desk: &Client, client: &Client) -> Vec<(&'static str, Value, &'static str)> {
    hang(desk, "room-301-id", "VISIONLINE", true).await;
    let encoder = json!({"encoderKey": "encoder-1", "name": "Front desk", "provider": "VISIONLINE", "simulated": true});
    desk.done("createEncoder", encoder, "encoder { id }").await;
    identity(client, "guest-1", "GUEST").await;
    identity(client, "guest-2", "GUEST").await;
    let new = json!({"userIdentityId": "guest-1", "entranceIds": ["room-301-id"], "reservationKey": "stay-1",
        "requestedAccessMethods": [{"mode": "CARD"}]});
    let made = client.done("createAccessGrant", new.clone(), "accessGrant { id accessMethods { id } }").await;
    let (grant, method) = (&made["accessGrant"]["id"], &made["accessGrant"]["accessMethods"][0]["id"]);
    let more = json!({"accessGrantId": grant, "requestedAccessMethods": [{"mode": "CARD"}]});
    hang_cloud(desk, "cloud-id").await;
    let of_key = json!({"userIdentityId": "guest-1", "entranceIds": ["cloud-id"],
        "requestedAccessMethods": [{"mode": "CLOUD_KEY"}]});
    let made = client.done("createAccessGrant", of_key, "accessGrant { accessMethods { id } }").await;
    let unlock = json!({"accessMethodId": made["accessGrant"]["accessMethods"][0]["id"], "entranceId": "cloud-id"});
    vec![
        ("createUserIdentity", json!({"kind": "STAFF"}), "userIdentity { kind }"),
        ("updateUserIdentity", json!({"id": "guest-1", "fullName": "Jane Doe"}), "userIdentity { fullName }"),
        ("deleteUserIdentity", json!({"id": "guest-2"}), "deleted"),
        ("createAccessGrant", new, "accessGrant { endsAt }"),
        ("updateAccessGrant", json!({"id": grant, "name": "Jane"}), "accessGrant { name }"),
        ("deleteAccessGrant", json!({"id": grant}), "deleted"),
        ("requestAccessMethods", more, "accessGrant { accessMethods { mode } }"),
        ("deleteAccessMethod", json!({"accessMethodId": method}), "accessMethod { state }"),
        ("encodeAccessMethod", json!({"accessMethodId": method, "encoderId": "encoder-1"}), "actionAttempt { status }"),
        ("unlockDoor", unlock, "actionAttempt { status }"),
        ("reportAccessMethodOverride", json!({"accessMethodId": method}), "accessMethod { state }"),
    ]
}

/// A grant as `client` reads it; `null` when it is not there.
pub async fn read_grant(client: &Client, grant: &str, selection: &str) -> Value {
    let query = format!(
        "query($id: ID!) {{ accessGrants(filter: {{id: {{eq: $id}}}}) {{ edges {{ node {{ {selection} }} }} }} }}"
    );
    let mut data = client.data(&query, json!({ "id": grant })).await;
    data.pointer_mut("/accessGrants/edges/0/node").map(Value::take).unwrap_or_default()
}

/// The first printed example: a card of guest 1 for room 101.
pub fn stay_1() -> Value {
    json!({"userIdentityId": "guest-1", "entranceIds": ["room-101-id"], "startsAt": "2025-05-10T15:00:00Z",
        "endsAt": "2025-05-14T11:00:00Z", "requestedAccessMethods": [{"mode": "CARD"}], "reservationKey": "stay-1"})
}

/// Guest 2 after guest 1, in the same room, under another key.
pub fn stay_2() -> Value {
    but(
        stay_1(),
        json!({"userIdentityId": "guest-2", "startsAt": "2025-05-14T15:00:00Z",
        "endsAt": "2025-05-16T11:00:00Z", "reservationKey": "stay-2"}),
    )
}

/// An input with other members; `null` takes one away.
pub fn but(mut input: Value, others: Value) -> Value {
    let Value::Object(others) = others else { panic!("members, not {others}") };
    for (name, value) in others {
        if value.is_null() {
            input.as_object_mut().expect("an input").remove(&name);
        } else {
            input[name] = value;
        }
    }
    input
}

/// A lock without a line, as the printed text has it: it knows what cards bear, and the greatest reservation that it has seen.
pub struct Lock {
    key: &'static str,
    greatest: Option<(String, i64)>,
}

impl Lock {
    pub fn new(key: &'static str) -> Self {
        Self { key, greatest: None }
    }

    /// Whether it opens to a card. A card of a greater reservation invalidates those of lesser ones by that.
    pub fn opens(&mut self, card: &Value) -> bool {
        let doors = card["doors"].as_array().expect("doors");
        let Some(door) = doors.iter().find(|door| door["entranceKey"] == self.key) else { return false };
        let Some(sequence) = door["sequence"].as_i64() else { return true };
        let order = Some((text(&door["reservationStartsAt"]), sequence));
        let opens = order >= self.greatest;
        self.greatest = order.max(self.greatest.take());
        opens
    }
}

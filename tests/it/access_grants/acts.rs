//! Doors, encoders, identities and grants in one line each, for those who need many of them.

use serde_json::{Value, json};

use crate::support::{Client, House, text};

/// What is read of a grant.
pub const GRANT: &str = "id accessGrantKey name reservationKey startsAt endsAt entrances { entranceKey } warnings { code } \
     errors { code } accessMethods { id mode state warnings { code } }";

/// A door to be made.
pub struct Door<'a> {
    key: &'a str,
    is_guests_own: bool,
    room: Option<&'a str>,
}

impl<'a> Door<'a> {
    /// One that can belong to a reservation.
    pub fn guest(key: &'a str) -> Self {
        Self { key, is_guests_own: true, room: None }
    }

    /// One that everybody uses.
    pub fn common(key: &'a str) -> Self {
        Self { key, is_guests_own: false, room: None }
    }

    /// In a room.
    pub fn of(self, room: &'a str) -> Self {
        Self { room: Some(room), ..self }
    }
}

/// Makes a door with a Visionline lock; answers with its id.
pub async fn door(house: &House, door: Door<'_>) -> String {
    let input = json!({
        "entranceKey": door.key, "name": door.key, "provider": "VISIONLINE", "modes": ["CARD", "MOBILE_KEY"],
        "canBelongToReservation": door.is_guests_own,
    });
    let id = text(&house.desk.done("createEntrance", input, "entrance { id }").await["entrance"]["id"]);
    if let Some(room) = door.room {
        house.desk.done("addSpaceEntrances", json!({"spaceId": room, "entranceIds": [id]}), "space { id }").await;
    }
    id
}

/// An encoder whose bridge is the lock vendor's; answers with its id.
pub async fn encoder(house: &House) -> String {
    let bridge = house.locks.actor.principal.integration_id();
    let input = json!({"name": "Desk", "provider": "VISIONLINE", "integrationId": bridge});
    text(&house.desk.done("createEncoder", input, "encoder { id }").await["encoder"]["id"])
}

/// Somebody of that kind; answers with the id.
pub async fn identity(client: &Client, kind: &str) -> String {
    let made = client.done("createUserIdentity", json!({ "kind": kind }), "userIdentity { id }").await;
    text(&made["userIdentity"]["id"])
}

/// Grants access, which has to succeed; answers with the grant.
pub async fn grant(client: &Client, input: Value) -> Value {
    client.done("createAccessGrant", input, &format!("accessGrant {{ {GRANT} }}")).await["accessGrant"].take()
}

/// Grants access for a stay, with a card.
pub async fn grant_of_stay(client: &Client, identity: &str, stay: &str) -> Value {
    let input = json!({
        "userIdentityId": identity, "roomStayId": stay, "accessGrantKey": format!("of {stay}"),
        "requestedAccessMethods": [{"mode": "CARD"}],
    });
    grant(client, input).await
}

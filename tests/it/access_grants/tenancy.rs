//! A record of another hotel is answered for exactly like one that does not exist.

use serde_json::{Value, json};

use super::{Doors, but, hang_cloud, identity, stay_1};
use crate::support::{Client, House, fingerprint, nodes, text};

/// Every place in an input of access grants where an id stands.
pub const PLACES: [&str; 19] = [
    "CreateUserIdentityInput.clientId",
    "UpdateUserIdentityInput.id",
    "UpdateUserIdentityInput.clientId",
    "DeleteUserIdentityInput.id",
    "CreateAccessGrantInput.userIdentityId",
    "CreateAccessGrantInput.entranceIds",
    "CreateAccessGrantInput.spaceIds",
    "CreateAccessGrantInput.roomStayId",
    "UpdateAccessGrantInput.id",
    "UpdateAccessGrantInput.entranceIds",
    "UpdateAccessGrantInput.spaceIds",
    "DeleteAccessGrantInput.id",
    "RequestAccessMethodsInput.accessGrantId",
    "DeleteAccessMethodInput.accessMethodId",
    "EncodeAccessMethodInput.accessMethodId",
    "EncodeAccessMethodInput.encoderId",
    "UnlockDoorInput.accessMethodId",
    "UnlockDoorInput.entranceId",
    "ReportAccessMethodOverrideInput.accessMethodId",
];

/// Ids of one hotel's records.
struct Ids {
    identity: String,
    grant: String,
    method: String,
    cloud_key: String,
    entrance: String,
    space: String,
    stay: String,
    client: String,
    encoder: String,
}

impl Ids {
    /// What `locks` has there.
    async fn of(doors: &Doors) -> Self {
        let (desk, locks) = (&doors.house.desk, &doors.house.locks);
        let first = async |list: &str| {
            let query = format!("{{ {list}(first: 1) {{ edges {{ node {{ id }} }} }} }}");
            text(&nodes(&desk.data(&query, json!({})).await[list])[0]["id"])
        };
        let grant = doors.grant(but(stay_1(), json!({"startsAt": null, "endsAt": null}))).await;
        hang_cloud(desk, "cloud-id").await;
        let of_key = json!({"userIdentityId": "guest-1", "entranceIds": ["cloud-id"],
            "requestedAccessMethods": [{"mode": "CLOUD_KEY"}]});
        let cloud_key = text(&doors.methods(&doors.grant(of_key).await, "id").await[0]["id"]);
        Self {
            identity: identity(locks, "beside", "GUEST").await,
            method: text(&doors.methods(&grant, "id").await[0]["id"]),
            cloud_key,
            grant,
            entrance: first("entrances").await,
            space: first("spaces").await,
            stay: doors.house.stay("R1").await,
            client: first("clients").await,
            encoder: first("encoders").await,
        }
    }

    /// No record has any of these.
    fn of_nobody() -> Self {
        let id = |number: u8| format!("01990000-0000-7000-8000-0000000000{number:02}");
        Self {
            identity: id(1),
            grant: id(2),
            method: id(3),
            entrance: id(4),
            space: id(5),
            stay: id(6),
            client: id(7),
            encoder: id(8),
            cloud_key: id(9),
        }
    }
}

/// Mutation and input for each of [`PLACES`], with ids of `own` but for that place.
fn tried(own: &Ids, other: &Ids) -> Vec<(&'static str, Value)> {
    let new = |field: &str, value: Value| {
        let mut new = json!({"userIdentityId": own.identity, "entranceIds": [own.entrance], "reservationKey": "new"});
        new[field] = value;
        new
    };
    vec![
        ("createUserIdentity", json!({"kind": "GUEST", "clientId": other.client})),
        ("updateUserIdentity", json!({"id": other.identity, "fullName": "X"})),
        ("updateUserIdentity", json!({"id": own.identity, "clientId": other.client})),
        ("deleteUserIdentity", json!({"id": other.identity})),
        ("createAccessGrant", new("userIdentityId", json!(other.identity))),
        ("createAccessGrant", new("entranceIds", json!([other.entrance]))),
        ("createAccessGrant", new("spaceIds", json!([other.space]))),
        ("createAccessGrant", json!({"userIdentityId": own.identity, "roomStayId": other.stay})),
        ("updateAccessGrant", json!({"id": other.grant, "name": "X"})),
        ("updateAccessGrant", json!({"id": own.grant, "entranceIds": [other.entrance]})),
        ("updateAccessGrant", json!({"id": own.grant, "spaceIds": [other.space]})),
        ("deleteAccessGrant", json!({"id": other.grant})),
        ("requestAccessMethods", json!({"accessGrantId": other.grant, "requestedAccessMethods": []})),
        ("deleteAccessMethod", json!({"accessMethodId": other.method})),
        ("encodeAccessMethod", json!({"accessMethodId": other.method, "encoderId": own.encoder})),
        ("encodeAccessMethod", json!({"accessMethodId": own.method, "encoderId": other.encoder})),
        ("unlockDoor", json!({"accessMethodId": other.cloud_key, "entranceId": own.entrance})),
        ("unlockDoor", json!({"accessMethodId": own.cloud_key, "entranceId": other.entrance})),
        ("reportAccessMethodOverride", json!({"accessMethodId": other.method})),
    ]
}

#[tokio::test]
async fn what_is_of_another_hotel_is_answered_for_as_none() {
    let doors = Doors::of(House::new().await).await;
    let neighbour = Doors::of(doors.house.next_door().await).await;
    let (own, foreign, nobody) = (Ids::of(&doors).await, Ids::of(&neighbour).await, Ids::of_nobody());
    let tester = Client::new(&doors.house.test, &doors.house.keys.test).await;
    let before = fingerprint(&doors.house.test.db.pool).await;
    let places = tried(&own, &foreign).into_iter().zip(tried(&own, &nobody)).zip(PLACES);
    for (((name, of_neighbour), (_, of_nobody)), place) in places {
        for client in [&doors.house.locks, &tester] {
            let answer = client.act(name, of_neighbour.clone(), "__typename").await;
            assert_eq!(answer, client.act(name, of_nobody.clone(), "__typename").await, "{place}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{place}: {answer}");
            let path = answer["errors"][0]["extensions"]["argumentPath"].as_array().expect("a path");
            assert_eq!(path[1], place.rsplit('.').next().expect("a field"), "{place}");
        }
    }
    assert_eq!(fingerprint(&doors.house.test.db.pool).await, before);
    for list in ["userIdentities", "accessGrants", "accessMethods"] {
        let query = format!("{{ {list}(first: 100) {{ edges {{ node {{ id }} }} }} }}");
        let listed = doors.house.desk.data(&query, json!({})).await.to_string();
        let theirs = [&foreign.identity, &foreign.grant, &foreign.method];
        assert!(theirs.iter().all(|id| !listed.contains(id.as_str())), "{listed}");
    }
}

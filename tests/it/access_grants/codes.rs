//! A refusal of each mutation of access grants with each of its codes.

use serde_json::{Value, json};

use super::{Doors, but, stay_1};

/// An id that no record has.
const NOBODY: &str = "0198d4c1-3f5e-7c00-8000-000000000001";

/// Mutation, code and input of each refusal of `locks`.
pub async fn refusals(doors: &Doors) -> Vec<(&'static str, &'static str, Value)> {
    let house = &doors.house;
    let grant = doors.grant(but(stay_1(), json!({"accessGrantKey": "one"}))).await;
    let joiner = doors.grant(stay_1()).await;
    let common = doors.grant(but(stay_1(), json!({"entranceIds": ["gym-id"], "reservationKey": null}))).await;
    let method = doors.methods(&grant, "id").await[0]["id"].clone();
    let revoked = doors.methods(&common, "id").await[0]["id"].clone();
    house.locks.done("deleteAccessMethod", json!({"accessMethodId": revoked}), "__typename").await;
    let (reservation, mut cancelled) = house.reservation("R1", &[("2025-05-10", "2025-05-14")]).await;
    house.desk.done("cancelReservation", json!({"id": reservation}), "__typename").await;
    let (_, mut departed) = house.reservation("R2", &[("2025-05-01", "2025-05-03")]).await;
    let of_stay = |stay: String| json!({"userIdentityId": "guest-1", "roomStayId": stay});
    let create = |others: Value| but(stay_1(), others);
    let apart = json!({"startsAt": "2025-05-15T15:00:00Z", "endsAt": "2025-05-18T11:00:00Z"});
    vec![
        ("createUserIdentity", "NOT_FOUND", json!({"kind": "GUEST", "clientId": NOBODY})),
        ("createUserIdentity", "INVALID_ARGUMENT", json!({"kind": "GUEST", "userIdentityKey": ""})),
        ("createUserIdentity", "NAME_TAKEN", json!({"kind": "GUEST", "userIdentityKey": "g1"})),
        ("updateUserIdentity", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateUserIdentity", "INVALID_ARGUMENT", json!({"id": "guest-1", "kind": "STAFF"})),
        ("updateUserIdentity", "NAME_TAKEN", json!({"id": "g2", "userIdentityKey": "g1"})),
        ("deleteUserIdentity", "NOT_FOUND", json!({"id": NOBODY})),
        ("deleteUserIdentity", "INVALID_ARGUMENT", json!({"id": "guest-1"})),
        ("createAccessGrant", "NOT_FOUND", create(json!({"userIdentityId": "nobody"}))),
        ("createAccessGrant", "INVALID_ARGUMENT", create(json!({"entranceIds": []}))),
        ("createAccessGrant", "NAME_TAKEN", create(json!({"accessGrantKey": "one"}))),
        ("createAccessGrant", "RESERVATION_CANCELLED", of_stay(cancelled.remove(0))),
        ("createAccessGrant", "ROOM_STAY_DEPARTED", of_stay(departed.remove(0))),
        ("createAccessGrant", "RESERVATION_KEY_NOT_SUPPORTED", create(json!({"entranceIds": ["gym-id"]}))),
        ("createAccessGrant", "RESERVATION_KEY_REQUIRED", create(json!({"reservationKey": null}))),
        (
            "createAccessGrant",
            "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP",
            create(json!({"entranceIds": ["room-203-id"]})),
        ),
        ("createAccessGrant", "RESERVATION_JOINER_ENTRANCE_SET_CONFLICT", create(json!({"spaceIds": ["room-102"]}))),
        ("createAccessGrant", "RESERVATION_TIME_FRAMES_MUST_OVERLAP", create(apart.clone())),
        ("updateAccessGrant", "NOT_FOUND", json!({"id": NOBODY})),
        ("updateAccessGrant", "INVALID_ARGUMENT", json!({"id": grant, "startsAt": null})),
        ("updateAccessGrant", "RESERVATION_KEY_REQUIRED", json!({"id": common, "entranceIds": ["room-101-id"]})),
        (
            "updateAccessGrant",
            "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP",
            json!({"id": grant, "spaceIds": ["room-203"]}),
        ),
        ("updateAccessGrant", "RESERVATION_TIME_FRAMES_MUST_OVERLAP", but(apart, json!({"id": joiner}))),
        ("deleteAccessGrant", "NOT_FOUND", json!({"id": NOBODY})),
        ("requestAccessMethods", "NOT_FOUND", json!({"accessGrantId": NOBODY, "requestedAccessMethods": []})),
        (
            "requestAccessMethods",
            "INVALID_ARGUMENT",
            json!({"accessGrantId": grant, "requestedAccessMethods": vec![json!({"mode": "CARD"}); 21]}),
        ),
        ("deleteAccessMethod", "NOT_FOUND", json!({"accessMethodId": NOBODY})),
        ("encodeAccessMethod", "NOT_FOUND", json!({"accessMethodId": method, "encoderId": "nothing"})),
        ("encodeAccessMethod", "INVALID_ARGUMENT", json!({"accessMethodId": revoked, "encoderId": "encoder-1"})),
        ("unlockDoor", "NOT_FOUND", json!({"accessMethodId": NOBODY, "entranceId": "gym-id"})),
        ("unlockDoor", "INVALID_ARGUMENT", json!({"accessMethodId": method, "entranceId": "gym-id"})),
        ("reportAccessMethodOverride", "NOT_FOUND", json!({"accessMethodId": NOBODY})),
        ("reportAccessMethodOverride", "INVALID_ARGUMENT", json!({"accessMethodId": method})),
    ]
}

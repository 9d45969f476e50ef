//! Who sees and changes which grants, identities and methods.

use serde_json::{Value, json};

use super::{Doors, but, identity, read_grant, stay_1, stay_2};
use crate::support::{Client, nodes};

const LISTS: [(&str, &str); 3] = [
    ("userIdentities", "{ userIdentities(first: 100) { totalCount edges { node { id } } } }"),
    ("accessGrants", "{ accessGrants(first: 100) { totalCount edges { node { id } } } }"),
    ("accessMethods", "{ accessMethods(first: 100) { totalCount edges { node { id } } } }"),
];

async fn counts(client: &Client) -> Vec<(usize, i64)> {
    let mut counts = Vec::new();
    for (name, query) in LISTS {
        let data = client.data(query, json!({})).await;
        counts.push((nodes(&data[name]).len(), data[name]["totalCount"].as_i64().expect("a number")));
    }
    counts
}

#[tokio::test]
async fn an_integration_sees_its_own_and_the_front_desk_everybodys() {
    let doors = Doors::new().await;
    let house = &doors.house;
    doors.grant(stay_1()).await;
    identity(&house.other_locks, "guest-9", "GUEST").await;
    let theirs = but(stay_2(), json!({"userIdentityId": "guest-9", "reservationKey": "stay-1"}));
    house.other_locks.done("createAccessGrant", theirs, "accessGrant { id }").await;
    assert_eq!(counts(&house.locks).await, [(5, 5), (1, 1), (1, 1)]);
    assert_eq!(counts(&house.other_locks).await, [(1, 1), (1, 1), (1, 1)]);
    assert_eq!(counts(&house.messaging).await, [(0, 0), (0, 0), (0, 0)]);
    for all in [&house.desk, &house.admin().await] {
        assert_eq!(counts(all).await, [(6, 6), (2, 2), (2, 2)]);
    }
}

#[tokio::test]
async fn what_is_anothers_cannot_be_told_from_what_is_not_there() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let key = json!({"accessGrantKey": "grant-1"});
    let grant = doors.grant(but(stay_1(), key)).await;
    let method = doors.methods(&grant, "id").await[0]["id"].clone();
    let not_found = |field: &str| ("NOT_FOUND".to_owned(), json!(["input", field]));
    let foreign = but(stay_1(), json!({"reservationKey": "other"}));
    for client in [&house.other_locks, &house.desk] {
        for id in [grant.as_str(), "grant-1"] {
            let more = json!({"accessGrantId": id, "requestedAccessMethods": []});
            for (name, input, field) in [
                ("updateAccessGrant", json!({"id": id, "name": "Mine"}), "id"),
                ("deleteAccessGrant", json!({"id": id}), "id"),
                ("requestAccessMethods", more, "accessGrantId"),
                ("deleteAccessMethod", json!({"accessMethodId": method}), "accessMethodId"),
                ("updateUserIdentity", json!({"id": "guest-1"}), "id"),
                ("deleteUserIdentity", json!({"id": "guest-1"}), "id"),
                ("createAccessGrant", foreign.clone(), "userIdentityId"),
            ] {
                assert_eq!(client.refused(name, input, "__typename").await, not_found(field), "{name}");
            }
        }
    }
    let encode = json!({"accessMethodId": method, "encoderId": "encoder-1"});
    for (name, input) in
        [("encodeAccessMethod", encode.clone()), ("reportAccessMethodOverride", json!({"accessMethodId": method}))]
    {
        assert_eq!(house.other_locks.refused(name, input, "__typename").await, not_found("accessMethodId"));
    }
    // The front desk has the card of any integration written.
    house.desk.done("encodeAccessMethod", encode, "actionAttempt { id }").await;
    assert_eq!(read_grant(&house.other_locks, &grant, "id").await, Value::Null);
    assert_eq!(read_grant(&house.desk, &grant, "integration { name }").await["integration"]["name"], "Locks");
}

#[tokio::test]
async fn readers_change_nothing() {
    let doors = Doors::new().await;
    let (code, _) = doors.house.messaging.refused("createAccessGrant", stay_1(), "accessGrant { id }").await;
    assert_eq!(code, "FORBIDDEN");
}

/// The override on a door is the hotel's, but the keys of reservations are the integration's own.
#[tokio::test]
async fn two_integrations_have_reservations_of_their_own_on_one_door() {
    let doors = Doors::new().await;
    let house = &doors.house;
    identity(&house.other_locks, "guest-9", "GUEST").await;
    let (_, first) = doors.card(stay_1()).await;
    let theirs = but(stay_1(), json!({"userIdentityId": "guest-9"}));
    house.other_locks.done("createAccessGrant", theirs, "accessGrant { id }").await;
    let (_, third) = doors.card(but(stay_1(), json!({"reservationKey": "third"}))).await;
    let sequence = |card: &Value| card["doors"][0]["sequence"].as_i64().expect("a number");
    assert_eq!(sequence(&third), sequence(&first) + 2);
}

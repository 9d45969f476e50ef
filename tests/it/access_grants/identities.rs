//! User identities.

use serde_json::{Value, json};

use super::{Doors, identity, stay_1};
use crate::support::{Client, nodes, text};

const ALL: &str = "userIdentity { userIdentityKey kind fullName emailAddress phoneNumber client { id } }";

async fn keys(client: &Client, filter: Value) -> Vec<String> {
    let query = "query($filter: UserIdentityFilter) { userIdentities(filter: $filter) { totalCount edges { node { \
         userIdentityKey } } } }";
    let data = client.data(query, json!({ "filter": filter })).await;
    let listed = nodes(&data["userIdentities"]);
    assert_eq!(data["userIdentities"]["totalCount"], listed.len());
    listed.iter().map(|identity| text(&identity["userIdentityKey"])).collect()
}

#[tokio::test]
async fn an_identity_is_made_changed_found_and_deleted() {
    let doors = Doors::new().await;
    let (desk, locks) = (&doors.house.desk, &doors.house.locks);
    let client = desk.done("createClient", json!({"person": {"lastname": "Doe"}}), "client { id }").await;
    let new = json!({"userIdentityKey": "doe", "kind": "GUEST", "fullName": " Jane Doe ", "emailAddress": " ",
        "clientId": client["client"]["id"]});
    let made = locks.done("createUserIdentity", new, ALL).await;
    assert_eq!(
        made["userIdentity"],
        json!({"userIdentityKey": "doe", "kind": "GUEST", "fullName": "Jane Doe",
        "emailAddress": null, "phoneNumber": null, "client": {"id": client["client"]["id"]}})
    );
    let change = json!({"id": "doe", "kind": "RESIDENT", "phoneNumber": "+49 30 1", "clientId": null});
    let changed = locks.done("updateUserIdentity", change, ALL).await;
    assert_eq!(
        changed["userIdentity"],
        json!({"userIdentityKey": "doe", "kind": "RESIDENT", "fullName": "Jane Doe",
        "emailAddress": null, "phoneNumber": "+49 30 1", "client": null})
    );
    assert_eq!(keys(locks, json!({"kind": {"eq": "RESIDENT"}})).await, ["doe"]);
    assert_eq!(keys(locks, json!({"userIdentityKey": {"in": ["doe", "g1", "nobody"]}})).await, ["g1", "doe"]);
    assert_eq!(keys(locks, json!({"not": {"clientId": {"eq": null}}})).await, Vec::<String>::new());
    locks.done("deleteUserIdentity", json!({"id": "doe"}), "deleted").await;
    assert_eq!(keys(locks, json!({"userIdentityKey": {"eq": "doe"}})).await, Vec::<String>::new());
    let again = locks.refused("deleteUserIdentity", json!({"id": "doe"}), "deleted").await;
    assert_eq!(again, ("NOT_FOUND".to_owned(), json!(["input", "id"])));
}

#[tokio::test]
async fn what_is_wrong_with_an_identity_is_named() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    let nobody = "0198d4c1-3f5e-7c00-8000-000000000001";
    for (input, code, field) in [
        (json!({"kind": "GUEST", "userIdentityKey": "g1"}), "NAME_TAKEN", "userIdentityKey"),
        (json!({"kind": "GUEST", "userIdentityKey": nobody}), "INVALID_ARGUMENT", "userIdentityKey"),
        (json!({"kind": "GUEST", "clientId": nobody}), "NOT_FOUND", "clientId"),
        (json!({"kind": "GUEST", "fullName": "x".repeat(321)}), "INVALID_ARGUMENT", "fullName"),
    ] {
        let refused = locks.refused("createUserIdentity", input.clone(), "userIdentity { id }").await;
        assert_eq!(refused, (code.to_owned(), json!(["input", field])), "{input}");
    }
    let taken = json!({"id": "g2", "userIdentityKey": "g1"});
    let refused = locks.refused("updateUserIdentity", taken, "userIdentity { id }").await;
    assert_eq!(refused, ("NAME_TAKEN".to_owned(), json!(["input", "userIdentityKey"])));
    // Each integration has keys of its own.
    identity(&doors.house.other_locks, "g1", "STAFF").await;
}

#[tokio::test]
async fn an_identity_with_grants_stays_and_stays_what_it_is() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    let grant = doors.grant(stay_1()).await;
    let refused = locks.refused("deleteUserIdentity", json!({"id": "guest-1"}), "deleted").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "id"])));
    let staff = json!({"id": "guest-1", "kind": "STAFF"});
    let refused = locks.refused("updateUserIdentity", staff.clone(), "userIdentity { id }").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "kind"])));
    // The rules of residents are those of guests.
    locks.done("updateUserIdentity", json!({"id": "guest-1", "kind": "RESIDENT"}), "userIdentity { id }").await;
    doors.encode(&grant).await;
    locks.done("deleteAccessGrant", json!({"id": grant}), "deleted").await;
    locks.done("updateUserIdentity", staff, "userIdentity { id }").await;
    locks.done("deleteUserIdentity", json!({"id": "guest-1"}), "deleted").await;
    assert_eq!(doors.state(&grant).await, "REVOKED");
    // Its key is free, and nobody is found by what it was called.
    identity(locks, "guest-1", "GUEST").await;
    let gone = doors.house.desk.data("{ userIdentities(filter: {kind: {eq: STAFF}}) { totalCount } }", json!({}));
    assert_eq!(gone.await["userIdentities"]["totalCount"], 0);
}

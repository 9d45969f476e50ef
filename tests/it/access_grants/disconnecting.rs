//! Grants and identities of an integration that is disconnected.

use serde_json::json;

use super::{Doors, but, identity, read_grant, stay_1, stay_2};
use crate::support::{nodes, text};

#[tokio::test]
async fn its_grants_and_identities_go_with_events_as_if_it_had_deleted_them() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let admin = house.admin().await;
    let (grant, _) = doors.card(stay_1()).await;
    identity(&house.other_locks, "guest-9", "GUEST").await;
    let theirs = but(stay_2(), json!({"userIdentityId": "guest-9"}));
    let theirs = house.other_locks.done("createAccessGrant", theirs, "accessGrant { id }").await;
    let input = json!({"id": house.keys.integration_id});
    let selection = "integration { holdings { accessGrants userIdentities } } accessGrantsDeleted accessGrantsLeft \
         userIdentitiesDeleted userIdentitiesLeft";
    let query = "{ integrations { edges { node { name holdings { accessGrants userIdentities } } } } }";
    let before = nodes(&admin.data(query, json!({})).await["integrations"]);
    assert_eq!(before[0], json!({"name": "Locks", "holdings": {"accessGrants": 1, "userIdentities": 5}}));
    let done = admin.done("disconnectIntegration", input.clone(), selection).await;
    assert_eq!(
        done,
        json!({"integration": {"holdings": {"accessGrants": 0, "userIdentities": 0}}, "accessGrantsDeleted": 1,
            "accessGrantsLeft": 0, "userIdentitiesDeleted": 5, "userIdentitiesLeft": 0})
    );
    let methods = "query($id: ID!) { accessMethods(filter: {accessGrantId: {eq: $id}}) { edges { node { state } } } }";
    let methods = house.desk.data(methods, json!({ "id": grant })).await;
    assert_eq!(nodes(&methods["accessMethods"]), [json!({"state": "REVOKED"})]);
    assert!(!read_grant(&house.desk, &text(&theirs["accessGrant"]["id"]), "id").await.is_null());
    let told: Vec<String> = sqlx::query_scalar(
        "SELECT type FROM events WHERE integration_id = $1 AND type LIKE 'access%' ORDER BY position",
    )
    .bind(house.keys.integration_id)
    .fetch_all(&house.test.db.pool)
    .await
    .expect("can be read");
    assert_eq!(told.last().map(String::as_str), Some("access_grant.deleted"), "{told:?}");
    // Connected again, it begins empty.
    let again =
        admin.done("connectIntegration", json!({"name": "Locks"}), "integration { holdings { userIdentities } }");
    assert_eq!(again.await["integration"]["holdings"]["userIdentities"], 0);
}

#[tokio::test]
async fn a_grant_that_waits_for_its_stay_is_not_given_back_to_who_is_gone() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let stay = house.reservation("R1", &[("2025-05-10", "2025-05-14")]).await.1.remove(0);
    let rooms = house.desk.data("{ settings { roomSetups { id } } }", json!({})).await;
    let to = json!({"roomStayId": stay, "roomSetupId": rooms["settings"]["roomSetups"][0]["id"]});
    house.desk.done("moveRoomStay", to, "roomStay { id }").await;
    doors.grant(json!({"userIdentityId": "g1", "roomStayId": stay})).await;
    let reservation = text(&house.desk.read_stay(&stay, "reservation { id }").await["reservation"]["id"]);
    house.desk.done("cancelReservation", json!({"id": reservation}), "reservation { id }").await;
    let input = json!({"id": house.keys.integration_id});
    let done = house.admin().await.done("disconnectIntegration", input, "userIdentitiesDeleted").await;
    assert_eq!(done["userIdentitiesDeleted"], 5);
    house.desk.done("reactivateReservation", json!({"id": reservation}), "reservation { id }").await;
    let listed = house.desk.data("{ accessGrants { totalCount } }", json!({})).await;
    assert_eq!(listed["accessGrants"]["totalCount"], 0);
}

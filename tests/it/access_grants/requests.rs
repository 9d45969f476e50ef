//! Several acts in one request: each finds what those before it have done to grants, and nothing is told that never was.

use serde_json::{Value, json};

use super::acts::{Door, door, encoder, grant_of_stay, identity};
use crate::feed::Follower;
use crate::support::{House, code, nodes, text};

const MOVE: &str = "mutation($stay: ID!, $room: ID!) { moveRoomStay(input: {roomStayId: $stay, roomSetupId: $room}) { \
     roomStay { id } } }";
const GRANT: &str = "mutation($guest: ID!, $stay: ID!) { createAccessGrant(input: {userIdentityId: $guest, roomStayId: $stay, \
     requestedAccessMethods: [{mode: CARD}]}) { accessGrant { id @chain(variable: \"grant\") entrances { entranceKey } } } }";
const DELETE: &str = "mutation($grant: ID!) { deleteAccessGrant(input: {id: $grant}) { deleted } }";

/// A stay in the first of two rooms with doors; answers with it, the rooms and a guest.
async fn furnished() -> (House, String, [String; 2], String) {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let first = text(&house.desk.read_stay(&stay, "room_setup { id }").await["room_setup"]["id"]);
    let second = house.room("203").await;
    door(&house, Door::guest("101").of(&first)).await;
    door(&house, Door::guest("203").of(&second)).await;
    let guest = identity(&house.desk, "GUEST").await;
    (house, stay, [first, second], guest)
}

#[tokio::test]
async fn a_stay_is_moved_and_granted_in_one_request_and_read_as_it_is_then() {
    let (house, stay, rooms, guest) = furnished().await;
    grant_of_stay(&house.desk, &guest, &stay).await;
    let read = "{ accessGrants { edges { node { entrances { entranceKey } } } } }";
    let answers = house
        .desk
        .batch(&[
            (MOVE, json!({"stay": stay, "room": rooms[1]})),
            (GRANT, json!({"guest": guest, "stay": stay})),
            (read, json!({})),
        ])
        .await;
    assert!(answers.iter().all(|answer| code(answer) == "no error"), "{answers:#?}");
    let granted = &answers[1]["data"]["createAccessGrant"]["accessGrant"];
    assert_eq!(granted["entrances"], json!([{"entranceKey": "203"}]));
    let there = json!({"entrances": [{"entranceKey": "203"}]});
    assert_eq!(nodes(&answers[2]["data"]["accessGrants"]), [there.clone(), there]);
    let live = house.desk.data("{ accessGrants { edges { node { id } } } }", json!({})).await;
    assert!(
        nodes(&live["accessGrants"]).iter().any(|grant| grant["id"] == granted["id"]),
        "the id that was answered lives"
    );
}

#[tokio::test]
async fn what_is_granted_and_deleted_in_one_request_is_not_told() {
    let (house, stay, _, guest) = furnished().await;
    let mut feed = Follower::new(&house.desk).await;
    let answers = house.desk.batch(&[(GRANT, json!({"guest": guest, "stay": stay})), (DELETE, json!({}))]).await;
    assert!(answers.iter().all(|answer| code(answer) == "no error"), "{answers:#?}");
    assert_eq!(feed.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_grant_and_the_encoding_of_its_card_are_one_request() {
    let (house, stay, _, _) = furnished().await;
    let encoder = encoder(&house).await;
    let guest = identity(&house.locks, "GUEST").await;
    let grant = "mutation($guest: ID!, $stay: ID!) { createAccessGrant(input: {userIdentityId: $guest, roomStayId: $stay, \
         requestedAccessMethods: [{mode: CARD}]}) { accessGrant { accessMethod(mode: CARD) { id @chain(variable: \"method\") } } } }";
    let encode = "mutation($method: ID!, $encoder: ID!) { encodeAccessMethod(input: {accessMethodId: $method, \
         encoderId: $encoder}) { actionAttempt { status } } }";
    let answers = house
        .locks
        .batch(&[(grant, json!({"guest": guest, "stay": stay})), (encode, json!({ "encoder": encoder }))])
        .await;
    assert_eq!(answers[1]["data"]["encodeAccessMethod"]["actionAttempt"]["status"], "PENDING", "{answers:#?}");
}

#[tokio::test]
async fn a_grant_that_waits_for_its_stay_can_be_deleted() {
    let (house, stay, _, guest) = furnished().await;
    let granted = grant_of_stay(&house.desk, &guest, &stay).await;
    let reservation = text(&house.desk.read_stay(&stay, "reservation { id }").await["reservation"]["id"]);
    house.desk.done("cancelReservation", json!({ "id": reservation }), "reservation { id }").await;
    let stranger = house.locks.refused("deleteAccessGrant", json!({"id": granted["id"]}), "deleted").await;
    assert_eq!(stranger.0, "NOT_FOUND");
    house.desk.done("deleteAccessGrant", json!({"id": granted["id"]}), "deleted").await;
    let again = house.desk.refused("deleteAccessGrant", json!({"id": granted["id"]}), "deleted").await;
    assert_eq!(again.0, "NOT_FOUND");
    house.desk.done("reactivateReservation", json!({ "id": reservation }), "reservation { id }").await;
    let live = house.desk.data("{ accessGrants { edges { node { id } } } }", json!({})).await;
    assert_eq!(nodes(&live["accessGrants"]), Vec::<Value>::new());
}

#[tokio::test]
async fn a_name_is_kept_as_those_of_rooms_are() {
    let (house, stay, _, guest) = furnished().await;
    let named = |name: &str| json!({"userIdentityId": guest, "roomStayId": stay, "name": name});
    let granted = house.desk.done("createAccessGrant", named("  Jane "), "accessGrant { id name }").await;
    assert_eq!(granted["accessGrant"]["name"], "Jane");
    let (id, blank) = (&granted["accessGrant"]["id"], ("INVALID_ARGUMENT".to_owned(), json!(["input", "name"])));
    assert_eq!(house.desk.refused("createAccessGrant", named("   "), "accessGrant { id }").await, blank);
    let renamed = json!({"id": id, "name": "   "});
    assert_eq!(house.desk.refused("updateAccessGrant", renamed, "accessGrant { id }").await, blank);
}

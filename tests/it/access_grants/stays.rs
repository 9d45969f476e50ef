//! Grants that follow a room stay, as the schema shows them.

use serde_json::{Value, json};

use super::Doors;
use crate::support::text;

/// A stay in room 101 from 10 to 14 May 2025, and a grant of guest 1 for it.
async fn stay(doors: &Doors) -> (String, Value) {
    let stay = doors.house.reservation("R1", &[("2025-05-10", "2025-05-14")]).await.1.remove(0);
    let rooms = doors.house.desk.data("{ settings { roomSetups { id name } } }", json!({})).await;
    let room = &rooms["settings"]["roomSetups"][0];
    assert_eq!(room["name"], "101");
    let to = json!({"roomStayId": stay, "roomSetupId": room["id"]});
    doors.house.desk.done("moveRoomStay", to, "roomStay { id }").await;
    let input = json!({"userIdentityId": "guest-1", "roomStayId": stay, "entranceIds": ["gym-id"],
        "requestedAccessMethods": [{"mode": "CARD"}]});
    (stay, input)
}

#[tokio::test]
async fn a_grant_of_a_stay_has_its_times_its_doors_and_its_id_as_the_reservation_key() {
    let doors = Doors::new().await;
    let (stay, input) = stay(&doors).await;
    let grant = doors.grant(input.clone()).await;
    let selection = "reservationKey startsAt endsAt roomStay { id room_setup { name } } entrances { entranceKey }";
    assert_eq!(
        doors.read(&grant, selection).await,
        json!({"reservationKey": stay, "startsAt": "2025-05-10T15:00:00+02:00", "endsAt": "2025-05-14T11:00:00+02:00",
            "roomStay": {"id": stay, "room_setup": {"name": "101"}},
            "entrances": [{"entranceKey": "room-101-id"}, {"entranceKey": "gym-id"}]})
    );
    assert_eq!(doors.of_reservation(&stay).await, [grant]);
    for (name, value) in
        [("reservationKey", "stay-1"), ("startsAt", "2025-05-10T15:00:00Z"), ("endsAt", "2025-05-14T11:00:00Z")]
    {
        let mut given = input.clone();
        given[name] = json!(value);
        assert_eq!(doors.refused(given).await, ("INVALID_ARGUMENT".to_owned(), json!(["input", name])));
    }
}

#[tokio::test]
async fn the_times_of_a_grant_of_a_stay_are_changed_with_the_stay() {
    let doors = Doors::new().await;
    let (stay, input) = stay(&doors).await;
    let (grant, _) = doors.card(input).await;
    let other = json!({"id": grant, "endsAt": "2025-05-16T11:00:00Z"});
    let refused = doors.house.locks.refused("updateAccessGrant", other, "accessGrant { id }").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "endsAt"])));
    let dates = json!({"roomStayId": stay, "reservation_to": "2025-05-16"});
    doors.house.desk.done("changeRoomStayDates", dates, "roomStay { id }").await;
    let read = doors.read(&grant, "endsAt warnings { code }").await;
    assert_eq!(read, json!({"endsAt": "2025-05-16T11:00:00+02:00", "warnings": [{"code": "ENCODING_REQUIRED"}]}));
    doors.encode(&grant).await;
    assert_eq!(doors.read(&grant, "warnings { code }").await, json!({"warnings": []}));
}

#[tokio::test]
async fn a_grant_follows_its_stay_into_another_room_with_cards_of_its_own() {
    let doors = Doors::new().await;
    let (stay, input) = stay(&doors).await;
    let (grant, _) = doors.card(input).await;
    let rooms = doors.house.desk.data("{ settings { roomSetups { id name } } }", json!({})).await;
    let to = json!({"roomStayId": stay, "roomSetupId": rooms["settings"]["roomSetups"][2]["id"]});
    doors.house.desk.done("moveRoomStay", to, "roomStay { id }").await;
    assert_eq!(doors.read(&grant, "id").await, Value::Null);
    let left = doors.methods(&grant, "state warnings { code }").await;
    assert_eq!(left, [json!({"state": "REVOKED", "warnings": [{"code": "CARD_COLLECTION_REQUIRED"}]})]);
    let successors = doors.of_reservation(&stay).await;
    let read = doors.read(&successors[0], "entrances { entranceKey } warnings { code } accessMethods { state }").await;
    assert_eq!(
        read,
        json!({"entrances": [{"entranceKey": "room-203-id"}, {"entranceKey": "gym-id"}],
            "warnings": [{"code": "ENCODING_REQUIRED"}], "accessMethods": [{"state": "ENCODING_REQUIRED"}]})
    );
    assert_eq!(successors.len(), 1);
}

/// Deleting the identity forgets whom a grant was for that waits: nobody is given it back.
#[tokio::test]
async fn a_grant_that_waits_for_its_stay_ends_with_its_identity() {
    let doors = Doors::new().await;
    let (stay, input) = stay(&doors).await;
    doors.grant(input).await;
    let reservation = doors.house.desk.read_stay(&stay, "reservation { id }").await;
    let reservation = json!({"id": text(&reservation["reservation"]["id"])});
    doors.house.desk.done("cancelReservation", reservation.clone(), "reservation { id }").await;
    doors.house.locks.done("deleteUserIdentity", json!({"id": "guest-1"}), "deleted").await;
    doors.house.desk.done("reactivateReservation", reservation, "reservation { id }").await;
    assert!(doors.of_reservation(&stay).await.is_empty());
}

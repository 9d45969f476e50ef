//! Rules of reservations on doors, with their printed examples.

use latchkey::error::ErrorCode;
use serde_json::{Value, json};

use crate::access_grants::{Doors, but, stay_1};

/// Has a grant refused; answers with the code and the message.
async fn refusal(doors: &Doors, input: Value) -> (String, String) {
    let response = doors.house.locks.act("createAccessGrant", input, "accessGrant { id }").await;
    let error = &response["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{response:#}")).to_owned();
    (text(&error["extensions"]["code"]), text(&error["message"]))
}

fn is(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

fn cleanup() -> (String, String) {
    is(
        "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP",
        "To change the doors for this reservation, delete the existing access grants first.",
    )
}

fn joiner_conflict() -> (String, String) {
    is(
        "RESERVATION_JOINER_ENTRANCE_SET_CONFLICT",
        "Joiner access grants must use the same or a subset of the reservation-capable doors.",
    )
}

/// A grant by spaces, as the printed text has most of them.
fn of_spaces(spaces: &[&str]) -> Value {
    but(stay_1(), json!({"entranceIds": null, "spaceIds": spaces}))
}

async fn delete(doors: &Doors, grant: &str) {
    doors.house.locks.done("deleteAccessGrant", json!({"id": grant}), "deleted").await;
}

#[tokio::test]
async fn b20_a_reservation_key_needs_a_capable_entrance() {
    let doors = Doors::new().await;
    let refused = refusal(&doors, but(stay_1(), json!({"entranceIds": ["gym-id", "pool-id"]}))).await;
    let message = "No targeted entrances support reservation behavior. Remove reservation_key or include at least one \
        reservation-capable entrance.";
    assert_eq!(refused, is("RESERVATION_KEY_NOT_SUPPORTED", message));
}

#[tokio::test]
async fn b21_a_provider_that_needs_a_reservation_key_for_guests_is_not_granted_without() {
    let doors = Doors::new().await;
    let refused = refusal(&doors, but(stay_1(), json!({"reservationKey": null}))).await;
    let message = "A targeted entrance requires a reservation for guest credentials. Add a reservation_key.";
    assert_eq!(refused, is("RESERVATION_KEY_REQUIRED", message));
}

#[tokio::test]
async fn b22_the_first_grant_fixes_the_doors_of_its_reservation() {
    let doors = Doors::new().await;
    let first = doors.grant(of_spaces(&["room-101"])).await;
    assert_eq!(refusal(&doors, of_spaces(&["room-203"])).await, cleanup());
    // The set is the reservation's: it outlives the first grant, as long as another one is there.
    doors.grant(of_spaces(&["room-101"])).await;
    delete(&doors, &first).await;
    assert_eq!(refusal(&doors, of_spaces(&["room-203"])).await, cleanup());
}

#[tokio::test]
async fn b23_other_doors_are_granted_after_all_grants_of_the_key_were_listed_and_deleted() {
    let doors = Doors::new().await;
    for guest in ["guest-1", "guest-2"] {
        doors.grant(but(of_spaces(&["room-101"]), json!({"userIdentityId": guest}))).await;
    }
    let listed = doors.of_reservation("stay-1").await;
    assert_eq!(listed.len(), 2);
    for grant in &listed {
        delete(&doors, grant).await;
    }
    let again = doors.grant(of_spaces(&["room-203"])).await;
    assert_eq!(doors.of_reservation("stay-1").await, [again]);
}

#[tokio::test]
async fn b24_joiners_have_the_same_doors_or_fewer_and_never_more() {
    let doors = Doors::new().await;
    doors.grant(of_spaces(&["room-101", "room-102"])).await;
    doors.grant(of_spaces(&["room-101", "room-102"])).await;
    doors.grant(of_spaces(&["room-102"])).await;
    assert_eq!(refusal(&doors, of_spaces(&["room-101", "room-102", "room-203"])).await, joiner_conflict());
    // Neither more nor fewer: other doors.
    assert_eq!(refusal(&doors, of_spaces(&["room-102", "room-203"])).await, cleanup());
}

#[tokio::test]
async fn b25_entrances_that_cannot_belong_are_left_out_of_that() {
    let doors = Doors::new().await;
    doors.grant(but(of_spaces(&["room-101"]), json!({"entranceIds": ["gym-id"]}))).await;
    for common in [json!([]), json!(["lobby-id", "pool-id"]), json!(["gym-id", "lobby-id", "pool-id"])] {
        doors.grant(but(of_spaces(&["room-101"]), json!({ "entranceIds": common }))).await;
    }
    assert_eq!(doors.of_reservation("stay-1").await.len(), 4);
}

#[tokio::test]
async fn b26_the_times_of_all_grants_of_a_key_overlap() {
    let doors = Doors::new().await;
    doors.grant(of_spaces(&["room-101"])).await;
    let between = |from: &str, to: &str| but(of_spaces(&["room-101"]), json!({"startsAt": from, "endsAt": to}));
    let joiner = doors.grant(between("2025-05-11T11:00:00Z", "2025-05-14T11:00:00Z")).await;
    let expected = is(
        "RESERVATION_TIME_FRAMES_MUST_OVERLAP",
        "Access grants in the same reservation must have overlapping time frames.",
    );
    let apart = refusal(&doors, between("2025-05-15T15:00:00Z", "2025-05-18T11:00:00Z")).await;
    let touching = refusal(&doors, between("2025-05-14T11:00:00Z", "2025-05-18T11:00:00Z")).await;
    let with_one_alone = refusal(&doors, between("2025-05-10T15:00:00Z", "2025-05-11T11:00:00Z")).await;
    assert_eq!([&apart, &touching, &with_one_alone], [&expected; 3]);
    let moved = json!({"id": joiner, "startsAt": "2025-05-14T12:00:00Z", "endsAt": "2025-05-16T11:00:00Z"});
    let (code, _) = doors.house.locks.refused("updateAccessGrant", moved, "accessGrant { id }").await;
    assert_eq!(code, expected.0);
}

#[tokio::test]
async fn b27_a_stay_that_does_not_overlap_has_another_key() {
    let doors = Doors::new().await;
    let (_, first) = doors.card(stay_1()).await;
    let apart =
        json!({"startsAt": "2025-05-15T15:00:00Z", "endsAt": "2025-05-18T11:00:00Z", "reservationKey": "stay-2"});
    let (_, second) = doors.card(but(stay_1(), apart)).await;
    assert_eq!((&first["doors"][0]["sequence"], &second["doors"][0]["sequence"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn b34_doors_are_added_by_clearing_the_grants_and_reissuing_them() {
    let doors = Doors::new().await;
    let grant = doors.grant(of_spaces(&["room-101"])).await;
    let larger = of_spaces(&["room-101", "room-102"]);
    assert_eq!(refusal(&doors, larger.clone()).await, joiner_conflict());
    let update = json!({"id": grant, "spaceIds": ["room-101", "room-102"]});
    let (code, _) = doors.house.locks.refused("updateAccessGrant", update, "accessGrant { id }").await;
    assert_eq!(code, cleanup().0);
    delete(&doors, &grant).await;
    let grant = doors.grant(larger).await;
    let expected = json!([{"entranceKey": "room-101-id"}, {"entranceKey": "room-102-id"}]);
    assert_eq!(doors.read(&grant, "entrances { entranceKey }").await["entrances"], expected);
}

#[tokio::test]
async fn b35_five_errors_have_the_printed_statuses_and_titles() {
    let expected = [
        ("RESERVATION_KEY_NOT_SUPPORTED", 400),
        ("RESERVATION_KEY_REQUIRED", 400),
        ("RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP", 409),
        ("RESERVATION_JOINER_ENTRANCE_SET_CONFLICT", 409),
        ("RESERVATION_TIME_FRAMES_MUST_OVERLAP", 409),
    ];
    let specs = ErrorCode::ALL.iter().map(|code| code.spec());
    let rules = specs.filter(|spec| expected.iter().any(|(code, _)| *code == spec.wire));
    assert_eq!(rules.map(|spec| (spec.wire, spec.http_status)).collect::<Vec<_>>(), expected);
    let doors = Doors::new().await;
    doors.grant(of_spaces(&["room-101"])).await;
    let titles = [
        "reservation_key not supported.",
        "reservation_key required for guest cards.",
        "Reservation entrance change requires cleanup.",
        "Reservation joiner entrance set conflict.",
        "Reservation time frames must overlap.",
    ];
    for ((others, (code, _)), title) in [
        json!({"entranceIds": ["gym-id"], "spaceIds": null}),
        json!({"reservationKey": null}),
        json!({"spaceIds": ["room-203"]}),
        json!({"spaceIds": ["room-101", "room-102"]}),
        json!({"startsAt": "2025-05-15T15:00:00Z", "endsAt": "2025-05-18T11:00:00Z"}),
    ]
    .into_iter()
    .zip(expected)
    .zip(titles)
    {
        let input = but(of_spaces(&["room-101"]), others);
        let response = doors.house.locks.act("createAccessGrant", input, "accessGrant { id }").await;
        let extensions = &response["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["title"]), (&json!(code), &json!(title)));
    }
}

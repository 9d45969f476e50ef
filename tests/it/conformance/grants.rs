//! Reservations on doors: what a credential bears, and what locks make of it.

use serde_json::{Value, json};

use crate::access_grants::{Doors, Lock, but, hang, identity, stay_1, stay_2};
use crate::support::nodes;

/// The number of the reservation in the order of the first door of a card.
fn sequence(card: &Value) -> i64 {
    card["doors"][0]["sequence"].as_i64().expect("a number")
}

/// An identity of the staff, and a grant for it outside of reservations.
async fn staff(doors: &Doors) -> Value {
    identity(&doors.house.locks, "porter", "STAFF").await;
    but(stay_1(), json!({"userIdentityId": "porter", "reservationKey": null}))
}

#[tokio::test]
async fn b01_a_lock_decides_by_what_the_card_bears() {
    let doors = Doors::new().await;
    let (_, card) = doors.card(stay_1()).await;
    let expected = json!({"credential": "GUEST", "startsAt": "2025-05-10T17:00:00+02:00",
        "endsAt": "2025-05-14T13:00:00+02:00", "doors": [{"entranceKey": "room-101-id",
        "reservationStartsAt": "2025-05-10T17:00:00+02:00", "sequence": 1}]});
    assert_eq!(card, expected);
}

#[tokio::test]
async fn b02_a_later_credential_makes_the_lock_invalidate_earlier_ones() {
    let doors = Doors::new().await;
    let (_, first) = doors.card(stay_1()).await;
    let (_, second) = doors.card(stay_2()).await;
    let mut lock = Lock::new("room-101-id");
    assert_eq!([&first, &second, &first, &second].map(|card| lock.opens(card)), [true, true, false, true]);
}

#[tokio::test]
async fn b03_offline_systems_override_and_online_ones_do_not() {
    let doors = Doors::new().await;
    let mut first = Vec::new();
    for (provider, overrides) in [
        ("DORMAKABA_COMMUNITY", true),
        ("DORMAKABA_AMBIANCE", true),
        ("VISIONLINE", true),
        ("VOSTIO", true),
        ("BRIVO", false),
        ("AVIGILON_ALTA", false),
    ] {
        hang(&doors.house.desk, provider, provider, true).await;
        let its = json!({"id": "encoder-1", "provider": provider});
        doors.house.desk.done("updateEncoder", its, "encoder { id }").await;
        let here = json!({"entranceIds": [provider], "endsAt": null, "reservationKey": format!("{provider}-1")});
        first.push((doors.card(but(stay_1(), here)).await.0, provider, overrides));
        let here = json!({"entranceIds": [provider], "reservationKey": format!("{provider}-2")});
        doors.card(but(stay_2(), here)).await;
    }
    doors.at("2025-05-14T15:00:00Z");
    for (grant, provider, overrides) in first {
        let expected = if overrides { "OVERRIDE_EXPECTED" } else { "ENCODED" };
        assert_eq!(doors.state(&grant).await, expected, "{provider}");
    }
}

#[tokio::test]
async fn b04_guests_and_residents_need_a_reservation_on_override_systems() {
    let doors = Doors::new().await;
    for kind in ["GUEST", "RESIDENT"] {
        identity(&doors.house.locks, kind, kind).await;
        let without = json!({"userIdentityId": kind, "reservationKey": null});
        let (code, _) = doors.refused(but(stay_1(), without)).await;
        assert_eq!(code, "RESERVATION_KEY_REQUIRED", "{kind}");
        doors.grant(but(stay_1(), json!({"userIdentityId": kind}))).await;
    }
}

#[tokio::test]
async fn b05_staff_neither_override_nor_are_overridden_and_have_no_reservation_key() {
    let doors = Doors::new().await;
    let porter = staff(&doors).await;
    let refused = doors.refused(but(porter.clone(), json!({"reservationKey": "stay-1"}))).await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "reservationKey"])));
    let (_, guest) = doors.card(stay_1()).await;
    let (_, porter) = doors.card(porter).await;
    let (_, next) = doors.card(stay_2()).await;
    let mut lock = Lock::new("room-101-id");
    assert_eq!([&guest, &porter, &guest, &next, &porter].map(|card| lock.opens(card)), [true; 5]);
}

#[tokio::test]
async fn b06_joiners_are_all_accepted_at_once() {
    let doors = Doors::new().await;
    let (_, one) = doors.card(stay_1()).await;
    let (_, two) = doors.card(but(stay_1(), json!({"userIdentityId": "g2"}))).await;
    let mut lock = Lock::new("room-101-id");
    assert_eq!([&one, &two, &one, &two].map(|card| lock.opens(card)), [true; 4]);
}

#[tokio::test]
async fn b07_override_and_joining_are_for_guests_and_residents_alone() {
    let doors = Doors::new().await;
    let (porter, card) = doors.card(but(staff(&doors).await, json!({"endsAt": null}))).await;
    assert_eq!(card["doors"][0]["sequence"], Value::Null);
    let (guest, _) = doors.card(but(stay_1(), json!({"endsAt": null}))).await;
    doors.card(stay_2()).await;
    doors.at("2025-05-14T15:00:00Z");
    assert_eq!((doors.state(&guest).await, doors.state(&porter).await), ("OVERRIDE_EXPECTED".into(), "ENCODED".into()));
}

#[tokio::test]
async fn b08_grants_with_one_reservation_key_are_one_reservation() {
    let doors = Doors::new().await;
    let (one, first) = doors.card(stay_1()).await;
    let later = json!({"userIdentityId": "g2", "startsAt": "2025-05-11T11:00:00Z"});
    let (two, second) = doors.card(but(stay_1(), later)).await;
    assert_eq!(first["doors"], second["doors"]);
    assert_eq!(doors.of_reservation("stay-1").await, [one, two]);
}

#[tokio::test]
async fn b09_the_first_grant_of_a_key_starts_a_reservation_and_overrides_the_one_before() {
    let doors = Doors::new().await;
    let (before, first) = doors.card(but(stay_1(), json!({"endsAt": null}))).await;
    let (_, next) = doors.card(stay_2()).await;
    assert_eq!((sequence(&first), sequence(&next)), (1, 2));
    assert_eq!(doors.state(&before).await, "ENCODED");
    doors.at("2025-05-14T15:00:00Z");
    assert_eq!(doors.state(&before).await, "OVERRIDE_EXPECTED");
}

#[tokio::test]
async fn b10_further_grants_of_a_key_join() {
    let doors = Doors::new().await;
    let (one, first) = doors.card(stay_1()).await;
    let (two, second) = doors.card(but(stay_1(), json!({"userIdentityId": "guest-2"}))).await;
    assert_eq!((sequence(&first), sequence(&second)), (1, 1));
    doors.at("2025-05-11T00:00:00Z");
    assert_eq!((doors.state(&one).await, doors.state(&two).await), ("ENCODED".into(), "ENCODED".into()));
}

#[tokio::test]
async fn b11_another_key_on_the_same_space_starts_a_reservation_and_overrides_the_existing_one() {
    let doors = Doors::new().await;
    let (existing, first) = doors.card(stay_1()).await;
    let (_, other) = doors.card(but(stay_1(), json!({"reservationKey": "stay-2"}))).await;
    assert_eq!((sequence(&first), sequence(&other)), (1, 2));
    doors.at("2025-05-10T15:00:00Z");
    assert_eq!(doors.state(&existing).await, "OVERRIDE_EXPECTED");
}

#[tokio::test]
async fn b12_common_doors_are_provisioned_as_standard_access() {
    let doors = Doors::new().await;
    let common = json!({"entranceIds": ["gym-id"], "reservationKey": null});
    let (grant, card) = doors.card(but(stay_1(), common)).await;
    assert_eq!(card["doors"], json!([{"entranceKey": "gym-id", "reservationStartsAt": null, "sequence": null}]));
    assert_eq!(doors.read(&grant, "reservationKey").await["reservationKey"], Value::Null);
}

#[tokio::test]
async fn b13_entrances_are_listed_by_space_and_say_whether_they_can_belong_to_a_reservation() {
    let doors = Doors::new().await;
    let query = "{ entrances(spaceId: \"room-101\") { edges { node { entranceKey canBelongToReservation } } } }";
    let listed = doors.house.locks.data(query, json!({})).await;
    let expected = json!({"entranceKey": "room-101-id", "canBelongToReservation": true});
    assert_eq!(nodes(&listed["entrances"]), [expected]);
}

#[tokio::test]
async fn b14_a_capable_entrance_wants_a_reservation_key_and_without_one_there_is_none() {
    let doors = Doors::new().await;
    let all = json!(["gym-id", "room-101-id"]);
    let (code, _) = doors.refused(but(stay_1(), json!({"entranceIds": all, "reservationKey": null}))).await;
    assert_eq!(code, "RESERVATION_KEY_REQUIRED");
    doors.grant(but(stay_1(), json!({"entranceIds": all}))).await;
    doors.grant(but(stay_1(), json!({"entranceIds": ["gym-id"], "reservationKey": null}))).await;
}

#[tokio::test]
async fn b15_a_mixed_grant_applies_the_rule_per_entrance() {
    let doors = Doors::new().await;
    let mixed = json!({"entranceIds": ["room-101-id", "gym-id", "lobby-id"]});
    let (_, first) = doors.card(but(stay_1(), mixed.clone())).await;
    let (_, second) = doors.card(but(stay_2(), mixed)).await;
    let numbered = |card: &Value| {
        let doors = card["doors"].as_array().expect("doors").iter();
        doors.map(|door| (door["entranceKey"].clone(), door["sequence"].clone())).collect::<Vec<_>>()
    };
    let expected = |sequence: i64| {
        vec![(json!("room-101-id"), json!(sequence)), (json!("gym-id"), json!(null)), (json!("lobby-id"), json!(null))]
    };
    assert_eq!((numbered(&first), numbered(&second)), (expected(1), expected(2)));
    let mut gym = Lock::new("gym-id");
    assert_eq!([&first, &second, &first].map(|card| gym.opens(card)), [true; 3]);
}

#[tokio::test]
async fn b16_the_fields_of_a_new_grant() {
    let doors = Doors::new().await;
    let grant = doors.grant(but(stay_1(), json!({"entranceIds": ["gym-id"], "spaceIds": ["room-101"]}))).await;
    let selection = "userIdentity { userIdentityKey } entrances { entranceKey } spaces { spaceKey } startsAt endsAt \
         requestedAccessMethods { mode } reservationKey";
    let expected = json!({"userIdentity": {"userIdentityKey": "guest-1"}, "spaces": [{"spaceKey": "room-101"}],
        "entrances": [{"entranceKey": "room-101-id"}, {"entranceKey": "gym-id"}],
        "startsAt": "2025-05-10T17:00:00+02:00", "endsAt": "2025-05-14T13:00:00+02:00",
        "requestedAccessMethods": [{"mode": "CARD"}], "reservationKey": "stay-1"});
    assert_eq!(doors.read(&grant, selection).await, expected);
}

#[tokio::test]
async fn b17_the_type_of_the_credential_is_chosen_by_whom_it_is_for() {
    let doors = Doors::new().await;
    identity(&doors.house.locks, "tenant", "RESIDENT").await;
    let (_, guest) = doors.card(stay_1()).await;
    let (_, resident) = doors.card(but(stay_1(), json!({"userIdentityId": "tenant"}))).await;
    let (_, porter) = doors.card(staff(&doors).await).await;
    let types = [guest, resident, porter].map(|card| card["credential"].clone());
    assert_eq!(types, [json!("GUEST"), json!("GUEST"), json!("STAFF")]);
}

#[tokio::test]
async fn b18_an_override_takes_effect_when_the_new_credential_is_used_at_the_lock() {
    let doors = Doors::new().await;
    let (before, first) = doors.card(but(stay_1(), json!({"endsAt": null}))).await;
    let (_, next) = doors.card(stay_2()).await;
    let mut lock = Lock::new("room-101-id");
    assert!(lock.opens(&first) && lock.opens(&first), "written, and not used yet");
    doors.at("2025-05-14T15:30:00Z");
    assert_eq!(doors.state(&before).await, "OVERRIDE_EXPECTED");
    assert!(lock.opens(&next) && !lock.opens(&first));
    let method = &doors.methods(&before, "id").await[0]["id"];
    let seen = json!({"accessMethodId": method, "seenAt": "2025-05-14T15:10:00Z"});
    doors.house.locks.done("reportAccessMethodOverride", seen, "accessMethod { id }").await;
    assert_eq!(doors.state(&before).await, "OVERRIDE_SEEN");
}

#[tokio::test]
async fn b19_issued_credentials_are_access_methods_to_fetch_show_and_encode() {
    let doors = Doors::new().await;
    let grant = doors.grant(stay_1()).await;
    let expected = json!({"mode": "CARD", "state": "ENCODING_REQUIRED", "isEncodingRequired": true, "issuedAt": null});
    let selection = "mode state isEncodingRequired issuedAt";
    assert_eq!(doors.methods(&grant, selection).await, std::slice::from_ref(&expected));
    assert_eq!(
        doors.read(&grant, &format!("accessMethods {{ {selection} }}")).await["accessMethods"],
        json!([expected])
    );
    doors.encode(&grant).await;
    let expected = json!({"mode": "CARD", "state": "ENCODED", "isEncodingRequired": false,
        "issuedAt": "2025-05-09T11:00:00+02:00"});
    assert_eq!(doors.methods(&grant, selection).await, [expected]);
}

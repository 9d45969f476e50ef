//! Access methods.

use serde_json::json;

use super::{Doors, but, stay_1, stay_2};

#[tokio::test]
async fn what_cannot_be_made_is_an_error_of_the_grant_and_no_method() {
    let doors = Doors::new().await;
    let modes = json!([{"mode": "CODE"}, {"mode": "CARD"}, {"mode": "MOBILE_KEY"}, {"mode": "CODE"}]);
    let grant = doors.grant(but(stay_1(), json!({"requestedAccessMethods": modes}))).await;
    let selection = "requestedAccessMethods { mode accessMethodId } accessMethods { id mode } errors { code message } \
         warnings { code }";
    let read = doors.read(&grant, selection).await;
    let card = read["accessMethods"][0]["id"].clone();
    assert_eq!(read["accessMethods"], json!([{"id": card, "mode": "CARD"}]));
    assert_eq!(
        read["requestedAccessMethods"],
        json!([{"mode": "CODE", "accessMethodId": null}, {"mode": "CARD", "accessMethodId": card},
            {"mode": "MOBILE_KEY", "accessMethodId": null}, {"mode": "CODE", "accessMethodId": null}])
    );
    assert_eq!(
        read["errors"],
        json!([{"code": "CANNOT_CREATE_REQUESTED_ACCESS_METHODS",
            "message": "These access methods cannot be made for the entrances: MOBILE_KEY, CODE"}])
    );
    // A card that was never written is new, and no reason to warn.
    assert_eq!(read["warnings"], json!([]));
    assert_eq!(doors.methods(&grant, "mode state").await, [json!({"mode": "CARD", "state": "ENCODING_REQUIRED"})]);
}

#[tokio::test]
async fn more_methods_are_asked_for_later_and_a_lost_card_is_taken_away() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    let grant = doors.grant(stay_1()).await;
    doors.encode(&grant).await;
    let lost = doors.methods(&grant, "id").await[0]["id"].clone();
    let more = json!({"accessGrantId": grant, "requestedAccessMethods": [{"mode": "CARD"}]});
    let answer = locks.done("requestAccessMethods", more, "accessGrant { accessMethods { state } }").await;
    assert_eq!(answer["accessGrant"]["accessMethods"], json!([{"state": "ENCODED"}, {"state": "ENCODING_REQUIRED"}]));
    for _ in 0..2 {
        let input = json!({"accessMethodId": lost});
        let taken = locks.done("deleteAccessMethod", input, "accessMethod { state warnings { code } }").await;
        let expected = json!({"state": "REVOKED", "warnings": [{"code": "CARD_COLLECTION_REQUIRED"}]});
        assert_eq!(taken["accessMethod"], expected);
    }
    let input = json!({"accessMethodId": lost, "encoderId": "encoder-1"});
    let refused = locks.refused("encodeAccessMethod", input, "actionAttempt { id }").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "accessMethodId"])));
    // Once its time has ended, nothing opens to it.
    doors.at("2025-05-14T11:00:00Z");
    let states = doors.methods(&grant, "state isEncodingRequired warnings { code }").await;
    assert_eq!(
        states,
        [
            json!({"state": "REVOKED", "isEncodingRequired": false, "warnings": []}),
            json!({"state": "EXPIRED", "isEncodingRequired": false, "warnings": []})
        ]
    );
}

#[tokio::test]
async fn an_override_is_expected_from_a_later_reservation_that_has_begun_and_was_issued() {
    let doors = Doors::new().await;
    let open = but(stay_1(), json!({"endsAt": null}));
    let (first, _) = doors.card(open).await;
    let second = doors.grant(stay_2()).await;
    doors.at("2025-05-14T16:00:00Z");
    assert_eq!(doors.state(&first).await, "ENCODED", "its card was not written");
    doors.encode(&second).await;
    assert_eq!(doors.state(&first).await, "OVERRIDE_EXPECTED");
    assert_eq!(doors.state(&second).await, "ENCODED");
    // A card that was written stays in the world when its grant is deleted.
    doors.house.locks.done("deleteAccessGrant", json!({"id": second}), "deleted").await;
    assert_eq!(doors.state(&first).await, "OVERRIDE_EXPECTED");
}

#[tokio::test]
async fn a_card_that_was_taken_away_before_its_reservation_began_overrides_nothing() {
    let doors = Doors::new().await;
    let (first, _) = doors.card(but(stay_1(), json!({"endsAt": null}))).await;
    let (second, _) = doors.card(stay_2()).await;
    doors.house.locks.done("deleteAccessGrant", json!({"id": second}), "deleted").await;
    doors.at("2025-05-14T16:00:00Z");
    assert_eq!(doors.state(&first).await, "ENCODED");
}

#[tokio::test]
async fn an_override_that_was_seen_is_reported_once_and_within_its_time() {
    let doors = Doors::new().await;
    let (grant, _) = doors.card(stay_1()).await;
    let method = doors.methods(&grant, "id").await[0]["id"].clone();
    let report = async |seen: Option<&str>| {
        let input = json!({"accessMethodId": method, "seenAt": seen});
        doors.house.desk.act("reportAccessMethodOverride", input, "accessMethod { state overriddenAt }").await
    };
    assert_eq!(report(None).await["errors"][0]["extensions"]["argumentPath"], json!(["input", "seenAt"]));
    doors.at("2025-05-12T10:00:00Z");
    for seen in [Some("2025-05-12T09:00:00Z"), Some("2025-05-12T08:00:00Z"), None] {
        let answer = report(seen).await;
        let expected = json!({"state": "OVERRIDE_SEEN", "overriddenAt": "2025-05-12T11:00:00+02:00"});
        assert_eq!(answer["data"]["reportAccessMethodOverride"]["accessMethod"], expected);
    }
    assert!(report(Some("2025-05-12T10:00:01Z")).await["errors"].is_array());
    let common = json!({"reservationKey": null, "entranceIds": ["gym-id"]});
    let standard = doors.grant(but(stay_1(), common)).await;
    let method = doors.methods(&standard, "id").await[0]["id"].clone();
    let refused =
        doors.house.locks.refused("reportAccessMethodOverride", json!({"accessMethodId": method}), "__typename");
    assert_eq!(refused.await, ("INVALID_ARGUMENT".to_owned(), json!(["input", "accessMethodId"])));
}

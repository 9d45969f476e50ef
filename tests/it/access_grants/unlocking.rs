//! Doors that are opened from afar.

use serde_json::{Value, json};

use super::{Doors, but, hang_cloud, stay_1};
use crate::support::{Client, House, fingerprint, text};

const ATTEMPT: &str = "actionAttempt { id actionType status error { code message } accessMethodId encoderId encoderKey entranceId \
     entranceKey finishedAt }";

/// A house with a door that opens from afar, `cloud-id`, a grant for it and for a door that does not, which has begun, and its
/// cloud key.
async fn cloud_key(doors: &Doors) -> (String, String) {
    hang_cloud(&doors.house.desk, "cloud-id").await;
    let grant = doors
        .grant(but(
            stay_1(),
            json!({"startsAt": null, "entranceIds": ["gym-id", "cloud-id"], "reservationKey": null,
                "requestedAccessMethods": [{"mode": "CLOUD_KEY"}, {"mode": "CARD"}]}),
        ))
        .await;
    let methods = doors.methods(&grant, "id mode").await;
    let key = methods.iter().find(|method| method["mode"] == "CLOUD_KEY").expect("a cloud key");
    (grant, text(&key["id"]))
}

fn input(method: &str, entrance: &str) -> Value {
    json!({"accessMethodId": method, "entranceId": entrance})
}

/// Makes the hotel a sandbox, which nothing else does to a hotel that there is.
async fn make_sandbox(house: &House) {
    let made = "UPDATE hotels SET is_sandbox = true WHERE id = $1";
    sqlx::query(made).bind(house.hotel.id).execute(&house.test.db.pool).await.expect("it is one");
}

#[tokio::test]
async fn a_door_opens_in_a_sandbox_and_nowhere_else_as_nothing_is_connected_to_it() {
    let doors = Doors::new().await;
    let (_, key) = cloud_key(&doors).await;
    let locks = &doors.house.locks;
    let settings = "{ settings { isSandbox } }";
    assert_eq!(locks.data(settings, json!({})).await["settings"]["isSandbox"], false);
    let done = locks.done("unlockDoor", input(&key, "cloud-id"), ATTEMPT).await;
    let attempt = &done["actionAttempt"];
    assert_eq!((&attempt["actionType"], &attempt["status"]), (&json!("UNLOCK_DOOR"), &json!("ERROR")));
    let expected = json!({"code": "DEVICE_NOT_CONNECTED",
        "message": "Nothing is connected to this door: it was not opened"});
    assert_eq!(attempt["error"], expected);

    make_sandbox(&doors.house).await;
    let locks = Client::new(&doors.house.test, &doors.house.keys.live).await;
    assert_eq!(locks.data(settings, json!({})).await["settings"]["isSandbox"], true);
    let door = text(&attempt["entranceId"]);
    let done = locks.done("unlockDoor", input(&key, &door), ATTEMPT).await;
    let opened = &done["actionAttempt"];
    assert_eq!((&opened["status"], &opened["error"]), (&json!("SUCCESS"), &Value::Null));
    assert_eq!((&opened["accessMethodId"], &opened["entranceKey"]), (&json!(key), &json!("cloud-id")));
    assert_eq!((&opened["encoderId"], &opened["encoderKey"]), (&Value::Null, &Value::Null));
    assert!(opened["finishedAt"].is_string(), "nobody waits for it");

    // Both are told later, to those who asked and to the front desk, and to nobody else.
    let list = "{ actionAttempts { totalCount edges { node { id status entranceId } } } }";
    let listed = locks.data(list, json!({})).await;
    assert_eq!(listed["actionAttempts"]["totalCount"], 2);
    assert_eq!(listed["actionAttempts"]["edges"][1]["node"]["id"], opened["id"]);
    assert_eq!(doors.house.desk.data(list, json!({})).await, listed);
    assert_eq!(doors.house.other_locks.data(list, json!({})).await["actionAttempts"]["totalCount"], 0);
}

#[tokio::test]
async fn no_encoder_is_told_to_open_a_door() {
    let doors = Doors::new().await;
    let house = &doors.house;
    make_sandbox(house).await;
    let locks = Client::new(&house.test, &house.keys.live).await;
    let (_, key) = cloud_key(&doors).await;
    let opened = locks.done("unlockDoor", input(&key, "cloud-id"), ATTEMPT).await;
    let none = [Value::Null; 0];
    assert_eq!((house.locks.claim(50).await, house.keep_up().await), (none.to_vec(), 0));
    let completing = json!({"id": opened["actionAttempt"]["id"], "claimId": opened["actionAttempt"]["id"]});
    let refused = locks.refused("completeLockCommand", completing, "status").await;
    assert_eq!(refused, ("NOT_FOUND".to_owned(), json!(["input", "id"])));
}

#[tokio::test]
async fn only_a_cloud_key_that_is_live_opens_a_door_of_its_grant_that_opens_from_afar() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    let (grant, key) = cloud_key(&doors).await;
    let card = doors.methods(&grant, "id mode").await;
    let card = text(&card.iter().find(|method| method["mode"] == "CARD").expect("a card")["id"]);
    let to_come =
        json!({"entranceIds": ["cloud-id"], "reservationKey": null, "requestedAccessMethods": [{"mode": "CLOUD_KEY"}]});
    let to_come = doors.grant(but(stay_1(), to_come)).await;
    let to_come = text(&doors.methods(&to_come, "id").await[0]["id"]);
    hang_cloud(&doors.house.desk, "other-id").await;
    let before = fingerprint(&doors.house.test.db.pool).await;
    let nobody = "0198d4c1-3f5e-7c00-8000-000000000001";
    for (method, entrance, code, place, message) in [
        (nobody, "cloud-id", "NOT_FOUND", "accessMethodId", "Access method not found"),
        (&key, nobody, "NOT_FOUND", "entranceId", "Entrance not found"),
        (&key, "nothing", "NOT_FOUND", "entranceId", "Entrance not found"),
        (&card, "cloud-id", "INVALID_ARGUMENT", "accessMethodId", "Only a cloud key opens an entrance from afar"),
        (&to_come, "cloud-id", "INVALID_ARGUMENT", "accessMethodId", "The access grant has not begun"),
        (&key, "gym-id", "INVALID_ARGUMENT", "entranceId", "The access method does not open this entrance"),
        (&key, "other-id", "INVALID_ARGUMENT", "entranceId", "The access method does not open this entrance"),
    ] {
        expect_refused(locks, method, entrance, (code, place, message)).await;
    }
    assert_eq!(fingerprint(&doors.house.test.db.pool).await, before);

    doors.at("2025-05-14T11:00:00Z");
    expect_refused(locks, &key, "cloud-id", ("INVALID_ARGUMENT", "accessMethodId", "The access grant has ended")).await;
    locks.done("deleteAccessMethod", json!({"accessMethodId": key}), "accessMethod { id }").await;
    let revoked = ("INVALID_ARGUMENT", "accessMethodId", "The access method was revoked");
    expect_refused(locks, &key, "cloud-id", revoked).await;
}

async fn expect_refused(client: &Client, method: &str, entrance: &str, expected: (&str, &str, &str)) {
    let response = client.act("unlockDoor", input(method, entrance), "actionAttempt { id }").await;
    let error = &response["errors"][0];
    let (code, place, message) = expected;
    assert_eq!((&error["message"], &error["extensions"]["code"]), (&json!(message), &json!(code)), "{response:#}");
    assert_eq!(error["extensions"]["argumentPath"], json!(["input", place]));
}

#[tokio::test]
async fn the_trail_says_who_opened_which_door_by_what() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let (_, key) = cloud_key(&doors).await;
    let done = house.locks.done("unlockDoor", input(&key, "cloud-id"), ATTEMPT).await;
    let attempt = &done["actionAttempt"];
    let trail: Vec<(String, String, String, Option<Vec<String>>)> = sqlx::query_as(
        "SELECT actor_type, action, related_id::text, updated_fields FROM audit_entries
         WHERE object_type = 'LOCK_COMMAND' AND object_id::text = $1 ORDER BY id",
    )
    .bind(attempt["id"].as_str())
    .fetch_all(&house.test.db.pool)
    .await
    .expect("a trail");
    let entry = |action: &str, related: &Value, fields: Option<&[&str]>| {
        let fields = fields.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect());
        ("INTEGRATION".to_owned(), action.to_owned(), text(related), fields)
    };
    let expected =
        [entry("CREATED", &attempt["entranceId"], None), entry("UPDATED", &json!(key), Some(&["status", "error"]))];
    assert_eq!(trail, expected);
}

#[tokio::test]
async fn a_door_goes_with_what_it_was_told_once_no_grant_has_it() {
    let doors = Doors::new().await;
    let (grant, key) = cloud_key(&doors).await;
    let (locks, desk) = (&doors.house.locks, &doors.house.desk);
    locks.done("unlockDoor", input(&key, "cloud-id"), ATTEMPT).await;
    let deleting = json!({"id": "cloud-id"});
    let refused = desk.refused("deleteEntrance", deleting.clone(), "deleted").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "id"])));
    locks.done("updateAccessGrant", json!({"id": grant, "entranceIds": ["gym-id"]}), "accessGrant { id }").await;
    desk.done("deleteEntrance", deleting, "deleted").await;
    let list = "{ actionAttempts { totalCount } }";
    assert_eq!(locks.data(list, json!({})).await["actionAttempts"]["totalCount"], 0);
}

#[tokio::test]
async fn the_front_desk_opens_by_any_key_and_an_integration_by_its_own() {
    let doors = Doors::new().await;
    let house = &doors.house;
    let (_, key) = cloud_key(&doors).await;
    let foreign = house.other_locks.refused("unlockDoor", input(&key, "cloud-id"), "actionAttempt { id }").await;
    assert_eq!(foreign, ("NOT_FOUND".to_owned(), json!(["input", "accessMethodId"])));
    let reader = house.messaging.refused("unlockDoor", input(&key, "cloud-id"), "actionAttempt { id }").await;
    assert_eq!(reader.0, "FORBIDDEN");
    house.desk.done("unlockDoor", input(&key, "cloud-id"), ATTEMPT).await;
}

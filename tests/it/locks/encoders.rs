//! Encoders made, changed and deleted.

use serde_json::{Value, json};

use super::{finish_commands, give_command, refusal, trail};
use crate::support::{House, nodes, text};

const ENCODER: &str = "encoder { id encoderKey name provider simulated integration { id name } failures backoffUntil \
     lastSuccessAt createdAt updatedAt }";

fn desk(field: &str, value: Value) -> Value {
    let mut input = json!({"encoderKey": "desk", "name": "Desk", "provider": "VISIONLINE"});
    input[field] = value;
    input
}

#[tokio::test]
async fn an_encoder_is_of_the_integration_that_makes_it_or_of_another_one_or_simulated() {
    let house = House::new().await;
    let own = house.desk.actor.principal.integration_id().expect("an integration");
    let locks = house.keys.integration_id;
    let made = house.desk.done("createEncoder", desk("name", json!(" Desk ")), ENCODER).await["encoder"].take();
    let id = text(&made["id"]);
    assert_eq!(
        made,
        json!({"id": id, "encoderKey": "desk", "name": "Desk", "provider": "VISIONLINE", "simulated": false,
            "integration": {"id": own, "name": "Front desk"}, "failures": 0, "backoffUntil": null, "lastSuccessAt": null,
            "createdAt": "2026-01-30T10:00:00+01:00", "updatedAt": "2026-01-30T10:00:00+01:00"})
    );
    let change =
        json!({"id": "desk", "integrationId": locks, "name": "Lobby", "provider": "VOSTIO", "encoderKey": "lobby"});
    let changed = house.desk.done("updateEncoder", change, ENCODER).await["encoder"].take();
    assert_eq!(
        [&changed["integration"]["name"], &changed["name"], &changed["provider"], &changed["encoderKey"]],
        [&json!("Locks"), &json!("Lobby"), &json!("VOSTIO"), &json!("lobby")]
    );
    let without = json!({"id": id, "integrationId": null, "encoderKey": null});
    let without = house.desk.done("updateEncoder", without, ENCODER).await["encoder"].take();
    assert_eq!((&without["integration"], &without["encoderKey"]), (&Value::Null, &Value::Null));
    let named = house.desk.done("createEncoder", desk("integrationId", json!(locks)), ENCODER).await;
    assert_eq!(named["encoder"]["integration"]["name"], "Locks");
    let simulated = json!({"name": "Demo", "provider": "VISIONLINE", "simulated": true});
    let simulated = house.desk.done("createEncoder", simulated, ENCODER).await["encoder"].take();
    assert_eq!((&simulated["simulated"], &simulated["integration"]), (&json!(true), &Value::Null));
    let given = json!({"id": simulated["id"], "integrationId": locks});
    let refused = house.desk.refused("updateEncoder", given, ENCODER).await;
    assert_eq!(refused, refusal("INVALID_ARGUMENT", "integrationId"));
    assert_eq!(
        trail(&house, &id).await,
        [
            json!(["UPDATED", ["encoderKey", "integration"]]),
            json!(["UPDATED", ["encoderKey", "name", "provider", "integration"]]),
            json!(["CREATED", null]),
        ]
    );
}

#[tokio::test]
async fn names_and_keys_are_checked() {
    let house = House::new().await;
    house.desk.done("createEncoder", desk("encoderKey", json!("taken")), "encoder { id }").await;
    house.desk.done("createEncoder", desk("encoderKey", json!("other")), "encoder { id }").await;
    for (field, value, code) in [
        ("name", json!(""), "INVALID_ARGUMENT"),
        ("encoderKey", json!("a\nb"), "INVALID_ARGUMENT"),
        ("encoderKey", json!("taken"), "NAME_TAKEN"),
        ("integrationId", json!("nobody"), "NOT_FOUND"),
    ] {
        let refused = house.desk.refused("createEncoder", desk(field, value.clone()), "encoder { id }").await;
        assert_eq!(refused, refusal(code, field));
        let refused = house.desk.refused("updateEncoder", json!({"id": "other", field: value}), "encoder { id }").await;
        assert_eq!(refused, refusal(code, field));
    }
    let taken = house.desk.act("createEncoder", desk("encoderKey", json!("taken")), "encoder { id }").await;
    assert_eq!(taken["errors"][0]["message"], "Another encoder of the hotel has this key");
}

#[tokio::test]
async fn an_encoder_with_commands_keeps_its_provider_and_is_not_deleted_until_they_are_finished() {
    let house = House::new().await;
    let encoder = house.desk.done("createEncoder", desk("simulated", json!(true)), "encoder { id }").await;
    let id = text(&encoder["encoder"]["id"]);
    give_command(&house, "desk").await;
    let simulation = "INSERT INTO simulated_encoders (hotel_id, encoder_id) SELECT hotel_id, id FROM encoders
         WHERE hotel_id = $1 AND encoder_key = $2";
    super::write(&house, simulation, "desk").await;
    let change = json!({"id": "desk", "provider": "VOSTIO"});
    let refused = house.desk.refused("updateEncoder", change.clone(), "encoder { id }").await;
    assert_eq!(refused, refusal("INVALID_ARGUMENT", "provider"));
    let refused = house.desk.refused("deleteEncoder", json!({"id": "desk"}), "deleted").await;
    assert_eq!(refused, refusal("INVALID_ARGUMENT", "id"));
    house.desk.done("updateEncoder", json!({"id": "desk", "name": "Lobby"}), "encoder { id }").await;
    finish_commands(&house, "desk").await;
    house.desk.done("updateEncoder", change, "encoder { id }").await;
    house.desk.done("deleteEncoder", json!({"id": "desk"}), "deleted").await;
    let rows = "SELECT (SELECT count(*) FROM lock_commands) + (SELECT count(*) FROM simulated_encoders)
                       + (SELECT count(*) FROM encoders)";
    let left: i64 = sqlx::query_scalar(rows).fetch_one(&house.test.db.pool).await.expect("a count");
    assert_eq!(left, 0);
    assert_eq!(trail(&house, &id).await[0], json!(["DELETED", null]));
}

#[tokio::test]
async fn an_integration_sees_itself_alone_and_the_front_desk_sees_all() {
    let house = House::new().await;
    for (key, integration) in [("1", &house.locks), ("2", &house.other_locks)] {
        let id = integration.actor.principal.integration_id();
        let input = json!({"encoderKey": key, "name": key, "provider": "VOSTIO", "integrationId": id});
        house.desk.done("createEncoder", input, "encoder { id }").await;
    }
    let query = "{ encoders { edges { node { integration { name } } } } }";
    for (client, seen) in [
        (&house.locks, [json!({"name": "Locks"}), Value::Null]),
        (&house.other_locks, [Value::Null, json!({"name": "Other locks"})]),
        (&house.messaging, [Value::Null, Value::Null]),
        (&house.desk, [json!({"name": "Locks"}), json!({"name": "Other locks"})]),
    ] {
        let encoders = nodes(&client.data(query, json!({})).await["encoders"]);
        assert_eq!(encoders.iter().map(|encoder| encoder["integration"].clone()).collect::<Vec<_>>(), seen);
    }
}

#[tokio::test]
async fn encoders_of_a_disconnected_integration_have_none() {
    let house = House::new().await;
    let integration = house.keys.integration_id;
    let made = house.desk.done("createEncoder", desk("integrationId", json!(integration)), "encoder { id }").await;
    let id = text(&made["encoder"]["id"]);
    let failing =
        "UPDATE encoders SET failures = 3, backoff_until = created_at WHERE hotel_id = $1 AND encoder_key = $2";
    super::write(&house, failing, "desk").await;
    house.test.disconnect(&house.hotel, "Locks").await.expect("disconnected");
    let shown = house.desk.done("updateEncoder", json!({"id": id}), ENCODER).await["encoder"].take();
    assert_eq!(
        (&shown["integration"], &shown["failures"], &shown["backoffUntil"]),
        (&Value::Null, &json!(0), &Value::Null)
    );
    assert_eq!(trail(&house, &id).await[0], json!(["UPDATED", ["integration"]]));
    let again = json!({"id": id, "integrationId": integration});
    let refused = house.desk.refused("updateEncoder", again, "encoder { id }").await;
    assert_eq!(refused, refusal("INVALID_ARGUMENT", "integrationId"));
}

#[tokio::test]
async fn with_another_integration_an_encoder_begins_without_failures() {
    let house = House::new().await;
    house.desk.done("createEncoder", desk("name", json!("Desk")), "encoder { id }").await;
    let failing =
        "UPDATE encoders SET failures = 3, backoff_until = created_at WHERE hotel_id = $1 AND encoder_key = $2";
    super::write(&house, failing, "desk").await;
    let renamed = house.desk.done("updateEncoder", json!({"id": "desk", "name": "Lobby"}), ENCODER).await;
    assert_eq!(renamed["encoder"]["failures"], 3);
    let moved = json!({"id": "desk", "integrationId": house.keys.integration_id});
    let moved = house.desk.done("updateEncoder", moved, ENCODER).await;
    assert_eq!((&moved["encoder"]["failures"], &moved["encoder"]["backoffUntil"]), (&json!(0), &Value::Null));
}

//! Spaces made, changed and deleted, and the entrances that they hold.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{refusal, trail};
use crate::support::{House, text};

const SPACE: &str = "space { id spaceKey name roomSetup { id } entrances { entranceKey } updatedAt }";

fn keys(space: &Value) -> Vec<String> {
    space["space"]["entrances"].as_array().expect("entrances").iter().map(|one| text(&one["entranceKey"])).collect()
}

#[tokio::test]
async fn a_space_is_made_changed_by_its_id_or_its_key_and_deleted_without_its_entrances() {
    let house = House::new().await;
    house.entrance("gym").await;
    let pool = house.entrance("pool").await;
    let input = json!({"spaceKey": "spa", "name": " Spa ", "entranceIds": [pool, "gym", "gym"]});
    let made = house.desk.done("createSpace", input, SPACE).await["space"].take();
    let id = text(&made["id"]);
    assert_eq!(
        made,
        json!({"id": id, "spaceKey": "spa", "name": "Spa", "roomSetup": null,
            "entrances": [{"entranceKey": "gym"}, {"entranceKey": "pool"}], "updatedAt": "2026-01-30T10:00:00+01:00"})
    );
    house.test.advance(TimeDelta::minutes(1));
    let changed =
        house.desk.done("updateSpace", json!({"id": "spa", "spaceKey": null, "name": "Wellness"}), SPACE).await;
    assert_eq!(
        (&changed["space"]["spaceKey"], &changed["space"]["name"], &changed["space"]["updatedAt"]),
        (&Value::Null, &json!("Wellness"), &json!("2026-01-30T10:01:00+01:00"))
    );
    house.desk.done("deleteSpace", json!({"id": id}), "deleted").await;
    assert_eq!(house.desk.refused("deleteSpace", json!({"id": id}), "deleted").await, refusal("NOT_FOUND", "id"));
    let left = house.desk.data("{ entrances { edges { node { spaces { id } } } } }", json!({})).await;
    assert_eq!(left["entrances"]["edges"], json!([{"node": {"spaces": []}}, {"node": {"spaces": []}}]));
    assert_eq!(
        trail(&house, &id).await,
        [json!(["DELETED", null]), json!(["UPDATED", ["spaceKey", "name"]]), json!(["CREATED", null])]
    );
}

#[tokio::test]
async fn names_and_keys_are_checked() {
    let house = House::new().await;
    for key in ["spa", "taken"] {
        house.desk.done("createSpace", json!({"spaceKey": key, "name": key}), "space { id }").await;
    }
    for (field, value, code) in [
        ("name", json!(""), "INVALID_ARGUMENT"),
        ("name", json!("x".repeat(201)), "INVALID_ARGUMENT"),
        ("spaceKey", json!(""), "INVALID_ARGUMENT"),
        ("spaceKey", json!("0198d4c1-3f5e-7c00-8000-000000000001"), "INVALID_ARGUMENT"),
        ("spaceKey", json!("taken"), "NAME_TAKEN"),
    ] {
        for (mutation, mut input) in [("createSpace", json!({"name": "x"})), ("updateSpace", json!({"id": "spa"}))] {
            input[field] = value.clone();
            let refused = house.desk.refused(mutation, input, "space { id }").await;
            assert_eq!(refused, refusal(code, field), "{mutation} {value}");
        }
    }
    let taken = house.desk.act("createSpace", json!({"name": "x", "spaceKey": "taken"}), "space { id }").await;
    assert_eq!(taken["errors"][0]["message"], "Another space of the hotel has this key");
}

#[tokio::test]
async fn entrances_are_put_into_a_space_and_taken_out_once() {
    let house = House::new().await;
    let (gym, pool) = (house.entrance("gym").await, house.entrance("pool").await);
    let space = house.desk.done("createSpace", json!({"spaceKey": "spa", "name": "Spa"}), "space { id }").await;
    let id = text(&space["space"]["id"]);
    let named = |entrances: &[&str]| json!({"spaceId": "spa", "entranceIds": entrances});
    assert_eq!(keys(&house.desk.done("addSpaceEntrances", named(&[&pool, "gym"]), SPACE).await), ["gym", "pool"]);
    let again = house.desk.done("addSpaceEntrances", named(&["pool"]), SPACE).await;
    assert_eq!(keys(&again), ["gym", "pool"]);
    assert_eq!(keys(&house.desk.done("removeSpaceEntrances", named(&[&gym]), SPACE).await), ["pool"]);
    assert_eq!(keys(&house.desk.done("removeSpaceEntrances", named(&["gym"]), SPACE).await), ["pool"]);
    assert_eq!(keys(&house.desk.done("removeSpaceEntrances", named(&[]), SPACE).await), ["pool"]);
    for mutation in ["addSpaceEntrances", "removeSpaceEntrances"] {
        let refused = house.desk.refused(mutation, named(&["pool", "nothing"]), "space { id }").await;
        assert_eq!(refused, ("NOT_FOUND".into(), json!(["input", "entranceIds", 1])));
    }
    house.desk.done("deleteEntrance", json!({"id": "pool"}), "deleted").await;
    assert_eq!(keys(&house.desk.done("updateSpace", json!({"id": "spa"}), SPACE).await), [""; 0]);
    assert_eq!(
        trail(&house, &id).await,
        [json!(["UPDATED", ["entrances"]]), json!(["UPDATED", ["entrances"]]), json!(["CREATED", null])]
    );
}

//! Lists of entrances, spaces and encoders: what narrows them, and how many statements they take.

use serde_json::{Value, json};

use crate::support::{House, nodes, text};

/// Entrances `101`, `102`, `gym` and `lobby`, of which the first is the room's and `gym` and `lobby` are the space `common`.
async fn furnished() -> (House, String) {
    let house = House::new().await;
    let room = house.room("101").await;
    for key in ["101", "102"] {
        house.entrance(key).await;
    }
    for (key, provider) in [("gym", "BRIVO"), ("lobby", "VOSTIO")] {
        let input = json!({"entranceKey": key, "name": key, "provider": provider, "canBelongToReservation": false,
            "modes": ["CODE"]});
        house.desk.done("createEntrance", input, "entrance { id }").await;
    }
    house.desk.done("addSpaceEntrances", json!({"spaceId": room, "entranceIds": ["101"]}), "space { id }").await;
    let common = json!({"spaceKey": "common", "name": "Common", "entranceIds": ["gym", "lobby"]});
    house.desk.done("createSpace", common, "space { id }").await;
    (house, room)
}

async fn keys(house: &House, space: Value, filter: Value) -> Vec<String> {
    let query = "query($space: ID, $filter: EntranceFilter) { entrances(spaceId: $space, filter: $filter) { \
         totalCount edges { node { entranceKey } } } }";
    let data = house.messaging.data(query, json!({"space": space, "filter": filter})).await;
    let found: Vec<String> = nodes(&data["entrances"]).iter().map(|entrance| text(&entrance["entranceKey"])).collect();
    assert_eq!(data["entrances"]["totalCount"], found.len());
    found
}

#[tokio::test]
async fn entrances_are_listed_by_space_and_tell_whether_they_can_belong_to_a_reservation() {
    let (house, room) = furnished().await;
    assert_eq!(keys(&house, json!(room), Value::Null).await, ["101"]);
    assert_eq!(keys(&house, json!("common"), Value::Null).await, ["gym", "lobby"]);
    assert_eq!(keys(&house, json!("nothing"), Value::Null).await, [""; 0]);
    assert_eq!(keys(&house, json!("common"), json!({"provider": {"eq": "BRIVO"}})).await, ["gym"]);
    let query = "{ entrances(spaceId: \"common\") { edges { node { canBelongToReservation } } } }";
    let data = house.messaging.data(query, json!({})).await;
    assert_eq!(
        nodes(&data["entrances"]),
        [json!({"canBelongToReservation": false}), json!({"canBelongToReservation": false})]
    );
}

#[tokio::test]
async fn entrances_are_filtered() {
    let (house, _) = furnished().await;
    let id = text(&house.desk.done("updateEntrance", json!({"id": "gym"}), "entrance { id }").await["entrance"]["id"]);
    for (filter, found) in [
        (json!({"id": {"eq": id}}), vec!["gym"]),
        (json!({"entranceKey": {"in": ["lobby", "101"]}}), vec!["101", "lobby"]),
        (json!({"entranceKey": {"eq": null}}), vec![]),
        (json!({"canBelongToReservation": true}), vec!["101", "102"]),
        (json!({"provider": {"in": ["BRIVO", "VISIONLINE"]}}), vec!["101", "102", "gym"]),
        (json!({"not": {"canBelongToReservation": true}, "or": [{"provider": {"eq": "VOSTIO"}}]}), vec!["lobby"]),
        (Value::Null, vec!["101", "102", "gym", "lobby"]),
    ] {
        assert_eq!(keys(&house, Value::Null, filter.clone()).await, found, "{filter}");
    }
}

#[tokio::test]
async fn spaces_and_encoders_are_filtered() {
    let (house, room) = furnished().await;
    for key in ["1", "2"] {
        let input = json!({"encoderKey": key, "name": key, "provider": "VOSTIO", "simulated": true});
        house.desk.done("createEncoder", input, "encoder { id }").await;
    }
    for (root, filter, found) in [
        ("spaces", json!({"roomSetupId": {"eq": room}}), vec!["101"]),
        ("spaces", json!({"roomSetupId": {"eq": null}}), vec!["Common"]),
        ("spaces", json!({"id": {"in": [room]}}), vec!["101"]),
        ("spaces", json!({"not": {"spaceKey": {"eq": "common"}}}), vec!["101"]),
        ("encoders", json!({"encoderKey": {"eq": "2"}}), vec!["2"]),
        ("encoders", json!({"or": [{"encoderKey": {"eq": "1"}}, {"encoderKey": {"eq": "2"}}]}), vec!["1", "2"]),
    ] {
        let of = if root == "spaces" { "SpaceFilter" } else { "EncoderFilter" };
        let query =
            format!("query($filter: {of}) {{ {root}(filter: $filter) {{ totalCount edges {{ node {{ name }} }} }} }}");
        let data = house.messaging.data(&query, json!({ "filter": filter })).await;
        let names: Vec<String> = nodes(&data[root]).iter().map(|node| text(&node["name"])).collect();
        assert_eq!(names, found, "{filter}");
        assert_eq!(data[root]["totalCount"], found.len());
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_grow_with_what_there_is() {
    let house = House::new().await;
    let query = "{ entrances { edges { node { id spaces { name } } } } \
         spaces { edges { node { id roomSetup { id name category { name } } entrances { id spaces { id } } } } } \
         encoders { edges { node { id integration { name } } } } }";
    let mut taken = Vec::new();
    for index in 0..3 {
        let (room, door) = (house.room(&format!("10{index}")).await, house.entrance(&format!("{index}")).await);
        house.desk.done("addSpaceEntrances", json!({"spaceId": room, "entranceIds": [door]}), "space { id }").await;
        house.desk.done("addSpaceEntrances", json!({"spaceId": room, "entranceIds": ["0"]}), "space { id }").await;
        house.desk.done("createEncoder", json!({"name": "x", "provider": "VOSTIO"}), "encoder { id }").await;
        taken.push(house.desk.statements(&[(query, json!({}))]).await);
    }
    assert_eq!(taken, [7, 7, 7]);
    let ids = "{ spaces { edges { node { id roomSetup { id __typename } } } } }";
    assert_eq!(
        house.desk.statements(&[(ids, json!({}))]).await,
        1,
        "a room of which only the id is wanted is not read"
    );
}

//! Reading grants with what belongs to them, and test keys.

use async_graphql::Variables;
use latchkey::graphql::{GraphQlRequest, execute};
use serde_json::{Value, json};

use super::{Doors, but, hang, stay_1, stay_2};
use crate::support::{Client, code, fingerprint, nodes, text};

const EVERYTHING: &str = "query($after: String) { accessGrants(first: 100, after: $after) { totalCount pageInfo { endCursor \
     hasNextPage hasPreviousPage } edges { node { id accessGrantKey name reservationKey startsAt endsAt createdAt updatedAt \
     integration { name } userIdentity { userIdentityKey client { id } } roomStay { id room_setup { name } guests { id } } \
     entrances { entranceKey spaces { spaceKey } } spaces { spaceKey roomSetup { name } entrances { entranceKey } } \
     requestedAccessMethods { mode } accessMethods { state warnings { code } } warnings { code } errors { code } } } } \
     accessMethods(first: 100) { totalCount edges { node { state } } } \
     userIdentities(first: 100) { totalCount edges { node { client { id } } } } }";

async fn statements(client: &Client, doors: &Doors) -> u32 {
    let request = GraphQlRequest {
        query: EVERYTHING.to_owned(),
        operation_name: None,
        variables: Variables::from_json(json!({})),
    };
    let execution = execute(&doors.house.test, &client.actor, vec![request]).await;
    assert!(execution.responses[0].errors.is_empty(), "{:?}", execution.responses[0].errors);
    execution.statements
}

#[tokio::test]
async fn nested_lists_take_one_statement_each_however_many_grants_there_are() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    doors.grant(but(stay_1(), json!({"spaceIds": ["room-101"]}))).await;
    let one = statements(locks, &doors).await;
    let mut common = Vec::new();
    for number in 0..20 {
        let key = format!("door-{number}");
        hang(&doors.house.desk, &key, "VISIONLINE", false).await;
        common.push(key);
    }
    common.push("room-101-id".to_owned());
    let modes = json!([{"mode": "CARD"}, {"mode": "CODE"}, {"mode": "CARD"}]);
    for guest in ["guest-1", "guest-2", "g1", "g2"] {
        for _ in 0..5 {
            let others = json!({"userIdentityId": guest, "entranceIds": common, "requestedAccessMethods": modes});
            doors.grant(but(stay_1(), others)).await;
        }
    }
    assert_eq!(statements(locks, &doors).await, one);
    let data = locks.data(EVERYTHING, json!({})).await;
    let grants = nodes(&data["accessGrants"]);
    assert_eq!((grants.len(), &data["accessGrants"]["totalCount"]), (21, &json!(21)));
    assert_eq!(
        grants[0]["spaces"],
        json!([{"spaceKey": "room-101", "roomSetup": {"name": "101"},
        "entrances": [{"entranceKey": "room-101-id"}]}])
    );
    assert_eq!(grants[20]["entrances"].as_array().map(Vec::len), Some(21));
    assert_eq!(grants[20]["entrances"][0], json!({"entranceKey": "room-101-id", "spaces": [{"spaceKey": "room-101"}]}));
    assert_eq!(grants[20]["requestedAccessMethods"].as_array().map(Vec::len), Some(3));
    assert_eq!(grants[20]["userIdentity"]["userIdentityKey"], "g2");
}

#[tokio::test]
async fn making_and_deleting_takes_as_many_statements_for_one_door_as_for_twenty() {
    let doors = Doors::new().await;
    let mut taken = Vec::new();
    let mut keys = vec!["gym-id".to_owned()];
    for round in 0..2 {
        let input = json!({"userIdentityId": "g1", "entranceIds": keys, "requestedAccessMethods": vec![json!({"mode": "CARD"}); keys.len().min(20)]});
        let query = "mutation($input: CreateAccessGrantInput!) { createAccessGrant(input: $input) { accessGrant { \
             id @chain(variable: \"id\") } } }";
        let delete = "mutation($id: ID!) { deleteAccessGrant(input: {id: $id}) { deleted accessMethods { state } } }";
        let requests = [(query, json!({ "input": input })), (delete, json!({}))].map(|(query, variables)| {
            GraphQlRequest { query: query.to_owned(), operation_name: None, variables: Variables::from_json(variables) }
        });
        let execution = execute(&doors.house.test, &doors.house.locks.actor, requests.into()).await;
        assert!(execution.responses.iter().all(|response| response.errors.is_empty()), "{:?}", execution.responses);
        taken.push(execution.statements);
        for number in (0..20).filter(|_| round == 0) {
            let key = format!("door-{number}");
            hang(&doors.house.desk, &key, "VISIONLINE", false).await;
            keys.push(key);
        }
    }
    assert_eq!(taken[0], taken[1]);
}

#[tokio::test]
async fn grants_are_filtered_and_paged_both_ways() {
    let doors = Doors::new().await;
    let (one, two) = (doors.grant(but(stay_1(), json!({"accessGrantKey": "one"}))).await, doors.grant(stay_2()).await);
    let common = json!({"reservationKey": null, "entranceIds": ["gym-id"], "endsAt": null, "userIdentityId": "g1"});
    let three = doors.grant(but(stay_1(), common)).await;
    let identity = doors
        .house
        .locks
        .data("{ userIdentities(filter: {userIdentityKey: {eq: \"g1\"}}) { edges { node { id } } } }", json!({}));
    let identity = nodes(&identity.await["userIdentities"])[0]["id"].clone();
    let query = "query($filter: AccessGrantFilter, $first: Int, $last: Int, $after: String, $before: String) { \
         accessGrants(filter: $filter, first: $first, last: $last, after: $after, before: $before) { \
         pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { node { id } } } }";
    let list = async |variables: Value| doors.house.locks.data(query, variables).await["accessGrants"].take();
    let ids = |connection: &Value| nodes(connection).iter().map(|grant| text(&grant["id"])).collect::<Vec<_>>();
    for (filter, expected) in [
        (json!({"id": {"in": [two, three]}}), vec![&two, &three]),
        (json!({"accessGrantKey": {"eq": "one"}}), vec![&one]),
        (json!({"reservationKey": {"eq": null}}), vec![&three]),
        (json!({"userIdentityId": {"eq": identity}}), vec![&three]),
        (json!({"roomStayId": {"eq": null}}), vec![&one, &two, &three]),
        (json!({"startsAt": {"gt": "2025-05-10T15:00:00Z"}}), vec![&two]),
        (json!({"endsAt": {"eq": null}}), vec![&three]),
        (json!({"not": {"endsAt": {"le": "2025-05-14T11:00:00Z"}}}), vec![&two, &three]),
        (json!({"or": [{"reservationKey": {"eq": "stay-1"}}, {"reservationKey": {"eq": "stay-2"}}]}), vec![&one, &two]),
    ] {
        assert_eq!(ids(&list(json!({ "filter": filter })).await).iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    let first = list(json!({"first": 2})).await;
    assert_eq!((ids(&first), &first["pageInfo"]["hasNextPage"]), (vec![one.clone(), two.clone()], &json!(true)));
    let rest = list(json!({"first": 2, "after": first["pageInfo"]["endCursor"]})).await;
    assert_eq!((ids(&rest), &rest["pageInfo"]["hasPreviousPage"]), (vec![three.clone()], &json!(true)));
    let back = list(json!({"last": 2, "before": rest["pageInfo"]["startCursor"]})).await;
    assert_eq!(ids(&back), [one, two]);
    let other = json!({"after": first["pageInfo"]["endCursor"], "filter": {"accessGrantKey": {"eq": "one"}}});
    assert_eq!(code(&doors.house.locks.run(query, other).await), "INVALID_CURSOR");
}

#[tokio::test]
async fn a_test_key_grants_and_takes_away_and_leaves_nothing() {
    let doors = Doors::new().await;
    let grant = doors.grant(stay_1()).await;
    let test = Client::new(&doors.house.test, &doors.house.keys.test).await;
    let method = doors.methods(&grant, "id").await[0]["id"].clone();
    let before = fingerprint(&doors.house.test.db.pool).await;
    for (name, input) in [
        ("createUserIdentity", json!({"kind": "GUEST"})),
        ("updateUserIdentity", json!({"id": "g1", "fullName": "Doe"})),
        ("deleteUserIdentity", json!({"id": "g1"})),
        ("createAccessGrant", stay_2()),
        ("updateAccessGrant", json!({"id": grant, "endsAt": "2025-05-16T11:00:00Z"})),
        ("requestAccessMethods", json!({"accessGrantId": grant, "requestedAccessMethods": [{"mode": "CARD"}]})),
        ("encodeAccessMethod", json!({"accessMethodId": method, "encoderId": "encoder-1"})),
        ("deleteAccessMethod", json!({"accessMethodId": method})),
        ("deleteAccessGrant", json!({"id": grant})),
    ] {
        let done = test.act(name, input, "__typename").await;
        assert_eq!(done["extensions"]["sandbox"], true, "{done:#}");
        assert!(done.get("errors").is_none(), "{done:#}");
    }
    assert_eq!(fingerprint(&doors.house.test.db.pool).await, before);
}

#[tokio::test]
async fn an_id_is_chained_from_the_identity_to_the_grant_to_its_methods() {
    let doors = Doors::new().await;
    let operations = [
        (
            "mutation { createUserIdentity(input: {kind: GUEST}) { userIdentity { id @chain(variable: \"who\") } } }",
            json!({}),
        ),
        (
            "mutation($who: ID!) { createAccessGrant(input: {userIdentityId: $who, entranceIds: [\"gym-id\"]}) { \
             accessGrant { id @chain(variable: \"grant\") } } }",
            json!({}),
        ),
        (
            "mutation($grant: ID!) { requestAccessMethods(input: {accessGrantId: $grant, requestedAccessMethods: \
             [{mode: CARD}]}) { accessGrant { accessMethods { state } } } }",
            json!({}),
        ),
    ];
    let batch = doors.house.locks.batch(&operations).await;
    let methods = &batch[2]["data"]["requestAccessMethods"]["accessGrant"]["accessMethods"];
    assert_eq!(methods, &json!([{"state": "ENCODING_REQUIRED"}]), "{batch:#?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_grant_is_named_by_its_place() {
    let doors = Doors::new().await;
    let nobody = "0198d4c1-3f5e-7c00-8000-000000000001";
    doors.grant(but(stay_1(), json!({"accessGrantKey": "one"}))).await;
    for (others, code, path) in [
        (json!({"userIdentityId": "nobody"}), "NOT_FOUND", json!(["userIdentityId"])),
        (json!({"entranceIds": ["room-101-id", "nothing"]}), "NOT_FOUND", json!(["entranceIds", 1])),
        (json!({"spaceIds": [nobody]}), "NOT_FOUND", json!(["spaceIds", 0])),
        (json!({"entranceIds": []}), "INVALID_ARGUMENT", json!(["entranceIds"])),
        (json!({"endsAt": "2025-05-10T15:00:00Z"}), "INVALID_ARGUMENT", json!(["endsAt"])),
        (
            json!({"startsAt": "2025-05-01T15:00:00Z", "endsAt": "2025-05-02T15:00:00Z"}),
            "INVALID_ARGUMENT",
            json!(["endsAt"]),
        ),
        (json!({"reservationKey": ""}), "INVALID_ARGUMENT", json!(["reservationKey"])),
        (json!({"accessGrantKey": nobody}), "INVALID_ARGUMENT", json!(["accessGrantKey"])),
        (json!({"accessGrantKey": "one"}), "NAME_TAKEN", json!(["accessGrantKey"])),
        (json!({"name": ""}), "INVALID_ARGUMENT", json!(["name"])),
        (
            json!({"requestedAccessMethods": vec![json!({"mode": "CARD"}); 21]}),
            "INVALID_ARGUMENT",
            json!(["requestedAccessMethods"]),
        ),
    ] {
        let mut place = vec![json!("input")];
        place.extend(path.as_array().expect("a path").clone());
        let refused = doors.refused(but(stay_1(), others.clone())).await;
        assert_eq!(refused, (code.to_owned(), json!(place)), "{others}");
    }
}

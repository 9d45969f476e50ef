//! Several operations in one request: order, `@chain`, and all or nothing.

use serde_json::{Value, json};

use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{Client, House, code, fingerprint, nodes};

const CREATE: &str = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
    roomAccessKey { id @chain(variable: \"roomAccessKeyId\") } } }";
const ASSIGN: &str = "mutation A($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: { \
    roomStayId: $roomStayId roomAccessKeyId: $roomAccessKeyId}) { roomStay { roomAccessKey { id } } } }";
const NODE: &str = "query Q($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { id } } } }";

fn pin(pin: usize) -> Value {
    json!({"input": {"roomAccessPin": {"pin": pin.to_string()}}})
}

/// Create, Assign, Create, Assign, ... for every stay.
fn prepare_rooms(stays: &[String]) -> Vec<(&'static str, Value)> {
    let each = |(index, stay): (usize, &String)| [(CREATE, pin(index)), (ASSIGN, json!({ "roomStayId": stay }))];
    stays.iter().enumerate().flat_map(each).collect()
}

fn codes(responses: &[Value]) -> Vec<&str> {
    responses.iter().map(code).collect()
}

/// Whether an answer does not say that everything was undone.
fn kept(response: &Value) -> bool {
    response["extensions"].get("rolledBack").is_none()
}

/// A stay without a room and without a key.
async fn house_with_a_stay() -> (House, String) {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    (house, stay)
}

#[tokio::test]
async fn fifty_rooms_are_prepared_in_one_request_or_not_at_all() {
    let house = House::new().await;
    let (_, stays) = house.reservation("GROUP", &[("2026-01-30", "2026-02-01"); 50]).await;
    let mut operations = prepare_rooms(&stays);
    assert_eq!(operations.len(), 100);
    let good = std::mem::replace(&mut operations[51], (ASSIGN, json!({"roomStayId": "no-such-stay"})));
    let before = fingerprint(&house.test.db.pool).await;
    let responses = house.locks.batch(&operations).await;
    assert!(responses[..51].iter().all(|response| response.get("errors").is_none()));
    assert_eq!(code(&responses[51]), "NOT_FOUND");
    assert_eq!(codes(&responses[52..]), ["NOT_RUN"; 48]);
    assert!(responses.iter().all(|response| response["extensions"]["rolledBack"] == true));
    assert!(responses[52].get("data").is_none());
    assert_eq!(fingerprint(&house.test.db.pool).await, before);

    operations[51] = good;
    let responses = house.locks.batch(&operations).await;
    assert!(responses.iter().all(|response| response.get("errors").is_none() && kept(response)));
    let query = "query($cursor: String) { room_stays(first: 100 after: $cursor) { edges { node { id roomAccessKey { \
        ... on RoomAccessPin { pin } } } } } }";
    let data = house.messaging.data(query, json!({})).await;
    let pins: Vec<Value> = nodes(&data["room_stays"]).iter().map(|stay| stay["roomAccessKey"]["pin"].clone()).collect();
    assert_eq!(pins, (0..50).map(|index| json!(index.to_string())).collect::<Vec<_>>());
}

#[tokio::test]
async fn chain_is_refused_below_a_list_twice_and_over_a_variable_that_was_sent() {
    let (house, stay) = house_with_a_stay().await;
    for below_list in [
        "{ room_stays { edges { node { id @chain(variable: \"id\") } } } }",
        "{ room_stays { edges @chain(variable: \"id\") { node { id } } } }",
        "{ ...F } fragment F on Query { settings { categories { ...C } } } fragment C on Category { id \
            @chain(variable: \"id\") }",
        "mutation($input: SwapRoomStaysInput!) { swapRoomStays(input: $input) { roomStays { id @chain(variable: \
            \"id\") } } }",
    ] {
        assert_eq!(code(&house.desk.run(below_list, json!({})).await), "CHAIN_BELOW_LIST", "{below_list}");
    }
    for twice in [
        "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { roomAccessKey { \
         id @chain(variable: \"v\") ... on RoomAccessPin { pin @chain(variable: \"v\") } } } }",
        "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { roomAccessKey { \
         id @chain(variable: \"v\") @chain(variable: \"v\") } } }",
        "mutation($input: CreateRoomAccessKeyInput!) { a: createRoomAccessKey(input: $input) { ...K } \
         b: createRoomAccessKey(input: $input) { ...K } } \
         fragment K on CreateRoomAccessKeyPayload { roomAccessKey { id @chain(variable: \"v\") } }",
    ] {
        assert_eq!(code(&house.locks.run(twice, pin(1)).await), "CHAIN_VARIABLE_TWICE", "{twice}");
    }
    let sent = json!({"roomStayId": stay, "roomAccessKeyId": null});
    let responses = house.locks.batch(&[(CREATE, pin(1)), (ASSIGN, sent)]).await;
    assert_eq!(codes(&responses), ["no error", "CHAIN_OVERRIDES_VARIABLE"], "null is a value that was sent");
    assert!(house.locks.own_pins().await.is_empty());
    for wrong in ["id @chain(variable: $v)", "id @chain", "id @chain(variable: 7)"] {
        let query = format!(
            "query($v: String!) {{ settings {{ categories {{ id }} }} room_stays {{ totalCount pageInfo {{ {} }} }} }}",
            wrong.replace("id", "hasNextPage")
        );
        assert_eq!(code(&house.locks.run(&query, json!({"v": "x"})).await), "GRAPHQL_VALIDATION_FAILED", "{wrong}");
    }
}

#[tokio::test]
async fn a_chained_value_that_is_null_or_missing_is_a_variable_that_was_not_provided() {
    let (house, stay) = house_with_a_stay().await;
    let seen =
        "mutation S($id: ID!) { updateRoomStay(input: {id: $id}) { roomStay { check_in @chain(variable: \"id\") } } }";
    let responses = house.locks.batch(&[(seen, json!({ "id": stay })), (NODE, json!({}))]).await;
    assert_eq!(codes(&responses), ["no error", "INVALID_VARIABLE"]);
    let message = "Variable \"$id\" of required type \"ID!\" is not provided";
    assert_eq!(responses[1]["errors"][0]["message"], message);

    let unreached = "mutation S($id: ID! $no: Boolean!) { updateRoomStay(input: {id: $id}) { roomStay { \
        id @chain(variable: \"id\") @include(if: $no) } } }";
    let responses = house.locks.batch(&[(unreached, json!({"id": stay, "no": false})), (NODE, json!({}))]).await;
    assert_eq!(responses[1]["errors"][0]["message"], message);
    let optional = "query Q($id: ID) { room_stays(filter: {id: {eq: $id}}) { totalCount } }";
    let responses = house.locks.batch(&[(seen, json!({ "id": stay })), (optional, json!({}))]).await;
    assert_eq!(codes(&responses), ["no error", "no error"]);
}

#[tokio::test]
async fn chain_where_nothing_follows_does_nothing() {
    let (house, stay) = house_with_a_stay().await;
    assert_eq!(code(&house.locks.run(CREATE, pin(1)).await), "no error", "alone");
    let undeclared = house.locks.batch(&[(CREATE, pin(2)), (CREATE_KEY, pin(3))]).await;
    assert_eq!(codes(&undeclared), ["no error", "no error"]);
    let key = house.locks.pin("4").await;
    let sent = json!({"roomStayId": stay, "roomAccessKeyId": key});
    let between = [(CREATE, pin(5)), ("{ __typename }", json!({})), (ASSIGN, sent)];
    assert_eq!(codes(&house.locks.batch(&between).await), ["no error"; 3], "the next operation only");
    assert_eq!(house.locks.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn values_of_queries_can_be_chained_too() {
    let (house, stay) = house_with_a_stay().await;
    let first = "query F($id: ID!) { reservations(filter: {code: {eq: \"R1\"}}) { totalCount } \
        room_stays(filter: {id: {eq: $id}}) { pageInfo { endCursor @chain(variable: \"after\") } } }";
    let next = "query N($id: ID! $after: String) { room_stays(filter: {id: {eq: $id}} after: $after) { edges { \
        node { id } } } }";
    let responses = house.messaging.batch(&[(first, json!({ "id": stay })), (next, json!({ "id": stay }))]).await;
    assert_eq!(responses[1]["data"]["room_stays"]["edges"], json!([]), "behind the only stay");
}

#[tokio::test]
async fn a_whole_object_can_be_chained() {
    let (house, _) = house_with_a_stay().await;
    let first = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
        roomAccessKey @chain(variable: \"pin\") { ... on RoomAccessPin { pin } } } }";
    let copy = "mutation D($pin: RoomAccessPinInput!) { createRoomAccessKey(input: {roomAccessPin: $pin}) { \
        roomAccessKey { id } } }";
    let responses = house.locks.batch(&[(first, pin(7)), (copy, json!({}))]).await;
    assert_eq!(codes(&responses), ["no error"; 2], "{responses:#?}");
    assert_eq!(house.locks.own_pins().await, ["7", "7"]);
}

#[tokio::test]
async fn aliased_mutations_run_in_order_and_all_or_none() {
    let (house, stay) = house_with_a_stay().await;
    let before = fingerprint(&house.test.db.pool).await;
    let query = |pin: &str, stay: &str| {
        format!(
            "mutation {{ a: createRoomAccessKey(input: {{roomAccessPin: {{pin: \"{pin}\"}}}}) {{ \
                roomAccessKey {{ id }} }} \
             b: updateRoomStay(input: {{id: \"{stay}\" check_in: \"2026-01-30T15:00:00Z\"}}) {{ roomStay {{ id }} }} \
             c: createRoomAccessKey(input: {{roomAccessPin: {{pin: \"3\"}}}}) {{ roomAccessKey {{ id }} }} }}"
        )
    };
    for (pin, of, failed) in [("aB", stay.as_str(), "a"), ("1", "no-such-stay", "b")] {
        let response = house.locks.run(&query(pin, of), json!({})).await;
        assert_eq!(response["errors"][0]["path"], json!([failed]), "{response}");
        assert_eq!(response["data"][failed], Value::Null);
        assert_eq!(response["extensions"]["rolledBack"], true);
        assert_eq!(fingerprint(&house.test.db.pool).await, before);
    }
    assert_eq!(code(&house.locks.run(&query("1", &stay), json!({})).await), "no error");
    assert_eq!(house.locks.own_pins().await, ["1", "3"]);
}

#[tokio::test]
async fn a_mutation_that_is_selected_twice_runs_once() {
    let (house, _) = house_with_a_stay().await;
    let query = "mutation($input: CreateRoomAccessKeyInput! $yes: Boolean = true) { \
        createRoomAccessKey(input: $input) { roomAccessKey { id } } ...F \
        ... on Mutation { createRoomAccessKey(input: $input) { roomAccessKey { ...K } } } ... @include(if: \
            $yes) { __typename } } \
        fragment F on Mutation { createRoomAccessKey(input: $input) { roomAccessKey { kind: __typename } } } \
        fragment K on RoomAccessPin { pin }";
    let data = house.locks.data(query, pin(1)).await;
    let made = &data["createRoomAccessKey"]["roomAccessKey"];
    assert_eq!((made["kind"].clone(), made["pin"].clone()), (json!("RoomAccessPin"), json!("1")));
    assert!(made["id"].is_string());
    assert_eq!(house.locks.own_pins().await, ["1"]);
    let sometimes = "mutation($input: CreateRoomAccessKeyInput! $yes: Boolean = true) { \
        createRoomAccessKey(input: $input) { roomAccessKey { id } } \
        createRoomAccessKey(input: $input) @include(if: $yes) { roomAccessKey { __typename } } }";
    assert_eq!(code(&house.locks.run(sometimes, pin(2)).await), "no error");
    let different = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"3\"}}) { roomAccessKey { id } } \
        createRoomAccessKey(input: {roomAccessPin: {pin: \"4\"}}) { roomAccessKey { id } } }";
    assert_eq!(code(&house.locks.run(different, json!({})).await), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(house.locks.own_pins().await, ["1", "2"]);
}

#[tokio::test]
async fn a_coercion_failure_in_the_first_of_two_mutations_leaves_nothing() {
    let (house, stay) = house_with_a_stay().await;
    let before = fingerprint(&house.test.db.pool).await;
    let query = "mutation($at: Datetime $stay: ID!) { bad: updateRoomStay(input: {id: $stay check_in: $at}) { \
        roomStay { id } } \
        good: createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }";
    let response = house.locks.run(query, json!({"at": "tomorrow", "stay": stay})).await;
    assert_eq!(code(&response), "INVALID_VARIABLE");
    assert!(response.get("data").is_none(), "refused before anything ran");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let batch = house.locks.batch(&[(query, json!({"at": "tomorrow", "stay": stay})), (CREATE_KEY, pin(2))]).await;
    assert_eq!(code(&batch[1]), "NOT_RUN");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn queries_in_a_mutating_batch_see_its_changes_and_are_not_run_after_a_failure() {
    let (house, stay) = house_with_a_stay().await;
    let read = "query R($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { roomAccessKey { ... on \
        RoomAccessPin { pin } } } } } \
        roomAccessKeys { totalCount } }";
    let id = json!({ "id": stay });
    let assign = (ASSIGN, json!({ "roomStayId": stay }));
    let batch = [(read, id.clone()), (CREATE, pin(7)), assign.clone(), (read, id.clone())];
    let responses = house.locks.batch(&batch).await;
    let state = |response: &Value| {
        let data = &response["data"];
        (data["room_stays"]["edges"][0]["node"]["roomAccessKey"].clone(), data["roomAccessKeys"]["totalCount"].clone())
    };
    assert_eq!(state(&responses[0]), (Value::Null, json!(0)));
    assert_eq!(state(&responses[3]), (json!({"pin": "7"}), json!(1)));

    let responses = house.locks.batch(&[(CREATE, pin(8)), assign, (read, id)]).await;
    assert_eq!(codes(&responses), ["no error", "KEY_ALREADY_ASSIGNED", "NOT_RUN"]);
    // A query that fails undoes the mutations before it, too.
    let responses =
        house.locks.batch(&[(CREATE_KEY, pin(9)), ("{ room_stays(first: 101) { totalCount } }", json!({}))]).await;
    assert_eq!(codes(&responses), ["no error", "INVALID_ARGUMENT"]);
    assert_eq!(house.locks.own_pins().await, ["7"]);
    // And so does a document that cannot even be parsed.
    for wrong in ["{", "{ nope }", "query($x: Int!) { __typename }"] {
        let responses = house.locks.batch(&[(CREATE_KEY, pin(9)), (wrong, json!({})), (CREATE_KEY, pin(10))]).await;
        assert_ne!(code(&responses[1]), "no error", "{wrong}");
        assert_eq!(code(&responses[2]), "NOT_RUN");
    }
    assert_eq!(house.locks.own_pins().await, ["7"]);
}

#[tokio::test]
async fn without_a_mutation_every_operation_stands_alone() {
    let (house, stay) = house_with_a_stay().await;
    let responses =
        house.messaging.batch(&[("{ nope }", json!({})), (NODE, json!({ "id": stay })), ("{", json!({}))]).await;
    assert_eq!(codes(&responses), ["GRAPHQL_VALIDATION_FAILED", "no error", "GRAPHQL_PARSE_FAILED"]);
    assert_eq!(responses[1]["data"]["room_stays"]["edges"][0]["node"]["id"], json!(stay));
    assert!(responses.iter().all(kept));
}

#[tokio::test]
async fn a_read_only_key_runs_nothing_of_a_batch_with_a_mutation() {
    let (house, stay) = house_with_a_stay().await;
    let responses =
        house.messaging.batch(&[(NODE, json!({ "id": stay })), (CREATE_KEY, pin(1)), ("{", json!({}))]).await;
    assert_eq!(codes(&responses), ["NOT_RUN", "FORBIDDEN", "GRAPHQL_PARSE_FAILED"]);
}

#[tokio::test]
async fn a_test_key_is_answered_like_a_live_one_and_writes_nothing() {
    let (house, stay) = house_with_a_stay().await;
    let test = Client::new(&house.test, &house.keys.test).await;
    let before = fingerprint(&house.test.db.pool).await;
    let read = (NODE, json!({ "id": stay }));
    let responses = test.batch(&[(CREATE, pin(1)), (ASSIGN, json!({ "roomStayId": stay })), read.clone()]).await;
    assert!(responses[1]["data"]["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"].is_string());
    assert!(responses.iter().all(|response| kept(response) && response["extensions"]["sandbox"] == true));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    assert_eq!(house.locks.key_of(&stay).await, None);
    let own = house.locks.pin("2").await;
    house.locks.add(&stay, &own).await;
    let refused = test.batch(&[(CREATE, pin(1)), (ASSIGN, json!({ "roomStayId": stay }))]).await;
    assert_eq!(code(&refused[1]), "KEY_ALREADY_ASSIGNED", "checked against what is there");
    assert!(!kept(&refused[1]) && refused[1]["extensions"]["sandbox"] == true, "{}", refused[1]);
    let seen = test.batch(&[read]).await;
    assert_eq!(seen[0]["data"]["room_stays"]["edges"][0]["node"]["id"], json!(stay), "reads live data");
    assert_eq!(
        code(&test.run(ADD_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": own}})).await),
        "no error"
    );
}

#[tokio::test]
async fn a_chained_value_does_not_jump_over_an_operation_that_is_refused() {
    let (house, stay) = house_with_a_stay().await;
    let first = "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { totalCount @chain(variable: \"size\") } }";
    let last = "query($size: Int) { room_stays(first: $size) { edges { node { id } } } }";
    let batch = [(first, json!({ "id": stay })), ("{", json!({})), (last, json!({"size": 1}))];
    assert_eq!(codes(&house.messaging.batch(&batch).await), ["no error", "GRAPHQL_PARSE_FAILED", "no error"]);
}

//! Values as the specification has them: variables, defaults, directives, texts and numbers.

mod changes;
mod validation;

use async_graphql::Variables;
use latchkey::graphql::{self, GraphQlRequest, Schema};
use serde_json::{Value, json};

use crate::sandbox::Round;
use crate::support::{Client, House, TestServer, code, error_code, fingerprint, nodes, text};

const NOTES: &str = "mutation($id: ID!, $notes: String) { updateReservation(input: {id: $id, groupName: \"X\", \
    notes: $notes}) { reservation { notes groupName } } }";

/// What the specification makes of a request.
fn judged(schema: &Schema, query: &str, variables: Value) -> Result<Value, String> {
    let variables = Variables::from_json(variables);
    let request = GraphQlRequest { query: query.to_owned(), operation_name: None, variables };
    match schema.judge(request) {
        Ok(selected) => Ok(serde_json::to_value(selected).expect("JSON")),
        Err(error) => Err(error.code.spec().wire.to_owned()),
    }
}

async fn total(client: &Client, query: &str, variables: Value) -> i64 {
    client.data(query, variables).await["room_stays"]["totalCount"].as_i64().expect("a number")
}

#[tokio::test]
async fn g01_a_variable_without_a_value_in_an_object_is_no_entry() {
    let house = House::new().await;
    let (id, _) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    house.desk.done("updateReservation", json!({"id": id, "notes": "late"}), "reservation { id }").await;
    for (variables, expected) in [
        (json!({"id": id}), json!("late")),
        (json!({"id": id, "notes": "early"}), json!("early")),
        (json!({"id": id, "notes": null}), json!(null)),
        (json!({"id": id}), json!(null)),
    ] {
        let data = house.desk.data(NOTES, variables.clone()).await;
        assert_eq!(data["updateReservation"]["reservation"]["notes"], expected, "{variables}");
    }
}

#[tokio::test]
async fn g01_an_operator_without_a_value_is_not_there() {
    let house = House::new().await;
    house.reservation("R1", &[("2026-01-30", "2026-02-02"), ("2026-02-01", "2026-02-03")]).await;
    let between = "query($from: Date, $to: Date) { room_stays(filter: {reservation_from: {ge: $from, lt: $to}}) { \
        totalCount } }";
    let inside = "query($id: ID, $day: Date) { room_stays(filter: {not: {id: {eq: $id}, date: $day}, \
        or: [{date: $day}, {check_in: {eq: null}}]}) { totalCount edges { node { guests { id } } } } }";
    let whole = "query($first: Int, $after: String, $filter: RoomStayFilter) { \
        room_stays(first: $first, after: $after, filter: $filter) { totalCount } }";
    let codes = "query($code: String, $codes: [String!]) { reservations(filter: {code: {eq: $code, in: $codes}}) { \
        edges { node { id } } } }";
    // The second time, each document is one that was seen before.
    for _ in 0..2 {
        assert_eq!(total(&house.messaging, between, json!({})).await, 2);
        assert_eq!(total(&house.messaging, between, json!({"from": "2026-02-01"})).await, 1);
        assert_eq!(total(&house.messaging, between, json!({"to": "2026-02-01"})).await, 1);
        assert_eq!(code(&house.messaging.run(between, json!({"from": null})).await), "INVALID_ARGUMENT");
        assert_eq!(total(&house.messaging, inside, json!({})).await, 0, "the complement of everything");
        assert_eq!(total(&house.messaging, inside, json!({"day": "2026-02-02"})).await, 1);
        assert_eq!(total(&house.messaging, whole, json!({})).await, 2);
        assert_eq!(nodes(&house.desk.data(codes, json!({})).await["reservations"]).len(), 1);
        assert_eq!(nodes(&house.desk.data(codes, json!({"codes": []})).await["reservations"]).len(), 0);
    }
}

#[tokio::test]
async fn g01_members_of_nested_objects_and_of_objects_in_lists_are_no_exception() {
    let house = House::new().await;
    let query = "mutation($category: ID!, $room: ID, $adults: Int, $free: Int = 3, $notes: String, $mail: String, \
        $groups: AgeGroupsInput) { \
        createReservation(input: {code: \"R1\", client: {person: {lastname: \"Doe\", email: $mail}}, notes: $notes, \
            roomStays: [{categoryId: $category, roomSetupId: $room, reservation_from: \"2026-02-01\", \
                reservation_to: \"2026-02-02\", ageGroups: {adults: $adults, child1: 2, free: $free}}, \
                {categoryId: $category, reservation_from: \"2026-02-01\", reservation_to: \"2026-02-02\", \
                ageGroups: $groups}]}) { \
            reservation { notes rooms { edges { node { room_setup { id } ageGroups { adults child1 child2 free } } } } } } }";
    let data = house.desk.data(query, json!({"category": house.category})).await;
    let reservation = &data["createReservation"]["reservation"];
    assert_eq!(reservation["notes"], json!(null));
    let stays = nodes(&reservation["rooms"]);
    let groups: Vec<_> = stays.iter().map(|stay| stay["ageGroups"].clone()).collect();
    assert!(groups.contains(&json!({"adults": 1, "child1": 2, "child2": 0, "free": 3})), "{groups:?}");
    assert!(groups.contains(&json!({"adults": 1, "child1": 0, "child2": 0, "free": 0})), "{groups:?}");
    let null = house.desk.run(query, json!({"category": house.category, "adults": null})).await;
    assert_eq!(code(&null), "INVALID_VARIABLE", "null is a value, and not one of Int!: {null}");
}

#[tokio::test]
async fn g01_a_variable_that_chain_leaves_empty_is_no_entry() {
    let house = House::new().await;
    let (id, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    house.desk.done("updateReservation", json!({"id": id, "notes": "late"}), "reservation { id }").await;
    let seen = "mutation($id: ID!) { updateRoomStay(input: {id: $id}) { roomStay { \
        check_in @chain(variable: \"notes\") } } }";
    let batch = [(seen, json!({"id": stays[0]})), (NOTES, json!({"id": id}))];
    let answers = house.desk.batch(&batch).await;
    let reservation = &answers[1]["data"]["updateReservation"]["reservation"];
    assert_eq!(*reservation, json!({"notes": "late", "groupName": "X"}));
    house
        .desk
        .done("updateRoomStay", json!({"id": stays[0], "check_in": "2026-01-30T15:00:00Z"}), "roomStay { id }")
        .await;
    let answers = house.desk.batch(&batch).await;
    assert_eq!(answers[1]["data"]["updateReservation"]["reservation"]["notes"], "2026-01-30T16:00:00+01:00");
}

#[tokio::test]
async fn g01_no_member_of_any_mutation_is_there_without_a_value() {
    let round = Round::new().await;
    let schema = graphql::schema();
    let query = "{ __schema { types { name inputFields { name defaultValue type { ...T ofType { ...T ofType { ...T \
        ofType { ...T } } } } } } } } fragment T on __Type { kind name }";
    let types = round.tester.data(query, json!({})).await["__schema"]["types"].take();
    let mut left_out = 0;
    for (mutation, input, _) in &round.mutations {
        let (first, rest) = mutation.split_at(1);
        let of = format!("{}{rest}Input", first.to_uppercase());
        let found = types.as_array().expect("types").iter().find(|found| found["name"] == of.as_str());
        let members = found.unwrap_or_else(|| panic!("{of}"))["inputFields"].as_array().expect("members");
        let (mut declared, mut given) = (Vec::new(), Vec::new());
        for member in members {
            let (name, written) = (text(&member["name"]), written(&member["type"]));
            let optional = if member["defaultValue"].is_null() { &written } else { written.trim_end_matches('!') };
            declared.push(format!("${name}: {optional}"));
            given.push(format!("{name}: ${name}"));
        }
        let (declared, given) = (declared.join(" "), given.join(" "));
        let whole = format!("mutation($input: {of}!) {{ {mutation}(input: $input) {{ __typename }} }}");
        let apart = format!("mutation({declared}) {{ {mutation}(input: {{{given}}}) {{ __typename }} }}");
        let expected = judged(schema, &whole, json!({ "input": input }));
        assert_eq!(judged(schema, &apart, input.clone()), expected, "{apart} {input}");
        let arguments = &expected.expect("a valid request")[0]["arguments"]["input"];
        for member in members.iter().filter(|member| member["defaultValue"].is_null()) {
            let name = member["name"].as_str().expect("a name");
            assert_eq!(arguments.get(name).is_some(), input.get(name).is_some(), "{mutation} {name}");
            left_out += usize::from(input.get(name).is_none());
        }
    }
    assert!(left_out > 60, "{left_out}");
}

/// A type as it is written.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => text(&of["name"]),
    }
}

#[tokio::test]
async fn g02_the_default_of_a_variable_counts_at_skip_and_include() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    house.locks.add(&stay, &key).await;
    let shown = json!({"roomAccessKey": {"id": key}});
    let bodies = [
        "roomAccessKey @include(if: $keys) { id }",
        "roomAccessKey @skip(if: $hide) { id }",
        "... @include(if: $keys) { roomAccessKey { id } }",
        "...K @include(if: $keys)",
        "... on RoomStay @skip(if: $hide) { ...K @include(if: $keys) }",
    ];
    for body in bodies {
        let used = if body.contains("...K") { "fragment K on RoomStay { roomAccessKey { id } }" } else { "" };
        let query = format!(
            "query($keys: Boolean = true, $hide: Boolean! = false) {{ room_stays {{ edges {{ node {{ __typename \
             {body} ...U }} }} }} }} {used} fragment U on RoomStay {{ id @skip(if: $hide) category @include(if: $keys) {{ id @skip(if: $hide) }} }}"
        );
        let node = |answer: &Value| {
            let mut node = answer["data"]["room_stays"]["edges"][0]["node"].clone();
            let node = node.as_object_mut().unwrap_or_else(|| panic!("{answer}"));
            node.retain(|name, _| name == "roomAccessKey");
            json!(node)
        };
        for _ in 0..2 {
            assert_eq!(node(&house.locks.run(&query, json!({})).await), shown, "{body}");
            let hidden = house.locks.run(&query, json!({"keys": false, "hide": true})).await;
            assert_eq!(node(&hidden), json!({}), "{body}");
            let batch = house.locks.batch(&[(&query, json!({})), (&query, json!({"keys": false, "hide": true}))]).await;
            assert_eq!((node(&batch[0]), node(&batch[1])), (shown.clone(), json!({})), "{body}");
        }
        assert_eq!(code(&house.locks.run(&query, json!({"hide": null})).await), "INVALID_VARIABLE");
        assert_eq!(code(&house.locks.run(&query, json!({"keys": null})).await), "INVALID_VARIABLE");
    }
}

#[tokio::test]
async fn g02_the_default_counts_on_roots_of_mutations_too() {
    let house = House::new().await;
    let query = "mutation($input: CreateRoomAccessKeyInput!, $run: Boolean = false, $skip: Boolean = true) { \
        createRoomAccessKey(input: $input) @include(if: $run) { roomAccessKey { id } } \
        again: createRoomAccessKey(input: $input) @skip(if: $skip) { roomAccessKey { id } } \
        ... @include(if: $run) { createRoomAccessKey(input: $input) { roomAccessKey { __typename } } } __typename }";
    let pin = |pin: &str, run: bool| json!({"input": {"roomAccessPin": {"pin": pin}}, "run": run});
    for _ in 0..2 {
        let data = house.locks.data(query, json!({"input": {"roomAccessPin": {"pin": "1"}}})).await;
        assert_eq!(data, json!({"__typename": "Mutation"}));
    }
    assert!(house.locks.own_pins().await.is_empty());
    let data = house.locks.data(query, pin("2", true)).await;
    assert_eq!(data["createRoomAccessKey"]["roomAccessKey"]["__typename"], "RoomAccessPin");
    assert_eq!(house.locks.own_pins().await, ["2"], "selected twice, run once");
    assert_eq!(house.locks.data(query, pin("3", false)).await, json!({"__typename": "Mutation"}));
    assert_eq!(house.locks.own_pins().await, ["2"]);
}

#[tokio::test]
async fn g03_null_is_no_value_of_a_type_without_null_whatever_the_default() {
    let house = House::new().await;
    house.stay("R1").await;
    let by_day = "query($d: Date! = \"2026-12-01\") { room_stays(filter: {date: $d}) { totalCount } }";
    let by_ids = "query($ids: [ID!]! = []) { room_stays(filter: {id: {in: $ids}}) { totalCount } }";
    let by_size = "query($n: Int! = 5) { room_stays(first: $n) { totalCount } }";
    let filtered = "query($f: RoomStayFilter! = {date: \"2026-12-01\"}) { room_stays(filter: $f) { totalCount } }";
    for _ in 0..2 {
        for (query, name, found) in [(by_day, "d", 0), (by_ids, "ids", 0), (by_size, "n", 1), (filtered, "f", 0)] {
            assert_eq!(total(&house.messaging, query, json!({})).await, found, "{query}");
            let error = house.messaging.error(query, json!({ name: null })).await;
            assert_eq!(error["extensions"]["code"], "INVALID_VARIABLE", "{query}");
            let message = error["message"].as_str().expect("a message");
            assert!(message.starts_with(&format!("Variable \"${name}\" of required type ")), "{message}");
        }
        let error = house.messaging.error(by_ids, json!({"ids": ["a", null]})).await;
        assert_eq!(error["message"], "Variable \"$ids\" at \"[1]\" must not be null");
    }
    // A default that is not null makes room for a variable that may be null: not for null itself.
    let optional = "query($n: Boolean = true) { room_stays { totalCount @include(if: $n) } }";
    assert_eq!(total(&house.messaging, optional, json!({})).await, 1);
    assert_eq!(code(&house.messaging.run(optional, json!({"n": null})).await), "INVALID_VARIABLE");
}

#[tokio::test]
async fn g05_texts_are_written_as_the_specification_has_them() {
    let house = House::new().await;
    let (id, _) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    for (written, meant) in [
        (r#""Baby \ud83d\udc76 crib""#, "Baby \u{1f476} crib"),
        (r#""\u{1F476}\u{0041}\u{a}""#, "\u{1f476}A\n"),
        (r#""\b\f\n\r\t\/\\\"\u00e9""#, "\u{8}\u{c}\n\r\t/\\\"\u{e9}"),
        (r#""""a\"""b""""#, "a\"\"\"b"),
        ("\"\"\"\n    one\n      two\n\n    three \\n\n  \"\"\"", "one\n  two\n\nthree \\n"),
        (r#""""""""#, ""),
        (r#""{[(#\u0022""#, "{[(#\""),
    ] {
        let query = format!(
            "mutation {{ updateReservation(input: {{id: \"{id}\", notes: {written}}}) {{ reservation {{ notes }} }} }}"
        );
        let data = house.desk.data(&query, json!({})).await;
        assert_eq!(data["updateReservation"]["reservation"]["notes"], meant, "{written}");
    }
    let before = fingerprint(&house.test.db.pool).await;
    for wrong in
        [r#""\ud83d""#, r#""\udc76\ud83d""#, r#""\u{110000}""#, r#""\u{}""#, r#""\x""#, r#""\u12""#, "\"a\nb\""]
    {
        let query = format!(
            "mutation {{ updateReservation(input: {{id: \"{id}\", notes: {wrong}}}) {{ reservation {{ notes }} }} }}"
        );
        assert_eq!(code(&house.desk.run(&query, json!({})).await), "GRAPHQL_PARSE_FAILED", "{wrong}");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn g07_a_whole_number_is_an_int_however_json_writes_it() {
    let house = House::new().await;
    house.reservation("R1", &[("2026-01-30", "2026-02-02"), ("2026-02-01", "2026-02-03")]).await;
    let server = TestServer::start(&house.test).await;
    let query = "query($n: Int) { room_stays(first: $n) { edges { node { id } } } }";
    for _ in 0..2 {
        for (number, found) in [("2.0", 2), ("1e0", 1), ("10e-1", 1), ("-0", 0), ("-0.0", 0), ("1.0E+1", 2)] {
            let body = format!("{{\"query\": {}, \"variables\": {{\"n\": {number}}}}}", json!(query));
            let answer = server.run_body(&house.keys.live, &serde_json::from_str(&body).expect("JSON")).await;
            assert_eq!(nodes(&answer["data"]["room_stays"]).len(), found, "{number} {answer}");
        }
        for wrong in
            [json!(2.5), json!("2"), json!(true), json!([2]), json!({}), json!(2_147_483_648_u32), json!(1e300)]
        {
            let answer = server.run(&house.keys.live, query, json!({ "n": wrong })).await;
            assert_eq!(error_code(&answer), "INVALID_VARIABLE", "{wrong} {answer}");
            assert_eq!(answer["errors"][0]["message"], "Variable \"$n\" must be an Int, a whole number of 32 bits");
            assert!(answer.get("data").is_none());
        }
    }
    let inside = "query($f: AgeGroupsInput!) { __typename } ";
    assert_eq!(code(&house.desk.run(inside, json!({"f": {}})).await), "GRAPHQL_VALIDATION_FAILED", "unused");
}

#[test]
fn g07_values_are_coerced_to_their_types() {
    let schema = Schema::new();
    let by_ids = "query($v: [ID!]) { room_stays(filter: {id: {in: $v}}) { totalCount } }";
    let filter = "query($v: RoomStayFilter) { room_stays(filter: $v) { totalCount } }";
    let ids = |ids: Value| json!({"id": {"in": ids}});
    for (query, given, expected) in [
        (by_ids, json!("a"), ids(json!(["a"]))),
        (by_ids, json!(7), ids(json!(["7"]))),
        (by_ids, json!([7.0, "b"]), ids(json!(["7", "b"]))),
        (by_ids, json!([]), ids(json!([]))),
        (by_ids, json!(null), ids(json!(null))),
        (filter, json!({"or": {"date": "2026-01-30"}}), json!({"or": [{"date": "2026-01-30"}]})),
        (filter, json!({"reservationStatus": {"in": "ACTIVE"}}), json!({"reservationStatus": {"in": ["ACTIVE"]}})),
        (filter, json!({"not": null}), json!({"not": null})),
    ] {
        let selected = judged(&schema, query, json!({ "v": given }));
        let selected = selected.unwrap_or_else(|code| panic!("{code} for {given}"));
        assert_eq!(selected[0]["arguments"]["filter"], expected, "{given}");
    }
    for (query, wrong) in [
        (by_ids, json!([null])),
        (by_ids, json!([["a"]])),
        (by_ids, json!(1.5)),
        (by_ids, json!(true)),
        (filter, json!([{}])),
        (filter, json!("x")),
        (filter, json!({"reservation_form": {}})),
        (filter, json!({"date": 20_260_130})),
        (filter, json!({"date": "30.01.2026"})),
        (filter, json!({"check_in": {"gt": "2026-01-30T15:00:00"}})),
        (filter, json!({"reservationStatus": {"eq": "GONE"}})),
        (filter, json!({"or": [{"id": {"in": [{}]}}]})),
    ] {
        assert_eq!(judged(&schema, query, json!({ "v": wrong })), Err("INVALID_VARIABLE".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_variable_is_told_with_its_place() {
    let house = House::new().await;
    let filter = "query($v: RoomStayFilter) { room_stays(filter: $v) { totalCount } }";
    let long = "x".repeat(1_000);
    for (wrong, message) in [
        (json!("x"), "Variable \"$v\" must be an object of type RoomStayFilter"),
        (
            json!({"date": "x"}),
            "Variable \"$v\" at \"date\" must be a Date: a date is written YYYY-MM-DD, in the years 1900 to 9999",
        ),
        (json!({"or": [{}, {"id": {"in": ["a", {}]}}]}), "Variable \"$v\" at \"or[1].id.in[1]\" must be of type ID"),
        (json!({"id": {"nope": 1}}), "Variable \"$v\" at \"id\" has a field \"nope\", which IdFilter does not have"),
        (
            json!({"reservationStatus": {"eq": "GONE"}}),
            "Variable \"$v\" at \"reservationStatus.eq\" must be a value of the enum ReservationStatus",
        ),
    ] {
        let error = house.messaging.error(filter, json!({ "v": wrong })).await;
        assert_eq!(error["message"], message);
    }
    let error = house.messaging.error(filter, json!({"v": {long: 1}})).await;
    assert!(text(&error["message"]).len() < 200, "{error}");
}

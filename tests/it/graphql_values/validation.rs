//! What the rules of the specification refuse, and what they do not.

use serde_json::{Value, json};

use crate::support::{House, TestServer, code, error_code, fingerprint, text};

#[tokio::test]
async fn g06_what_the_rules_of_the_specification_refuse_is_refused() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    house.locks.add(&stay, &key).await;
    let before = fingerprint(&house.test.db.pool).await;
    let key = |inside: &str| format!("{{ room_stays {{ edges {{ node {{ roomAccessKey {{ {inside} }} }} }} }} }}");
    let create = |declared: &str, pin: &str| {
        format!(
            "mutation{declared} {{ createRoomAccessKey(input: {{roomAccessPin: {pin}}}) {{ roomAccessKey {{ id }} }} }}"
        )
    };
    let stays = |filter: &str| format!("{{ room_stays(filter: {filter}) {{ totalCount }} }}");
    for (rule, query) in [
        ("unique names of input fields", create("", "{pin: \"11\", pin: \"22\"}")),
        ("unique names, deep down", stays("{or: [{not: {date: \"2026-01-30\", date: \"2026-01-31\"}}]}")),
        ("an enum is no text", stays("{reservationStatus: {eq: \"ACTIVE\"}}")),
        ("a text is no enum", stays("{id: {eq: ACTIVE}}")),
        ("enum values", stays("{reservationStatus: {in: [GONE]}}")),
        ("positions of variables", create("($p: String)", "{pin: $p}")),
        ("positions, with null as default", create("($p: String = null)", "{pin: $p}")),
        ("positions, whole objects", create("($p: RoomAccessPinInput!)", "{pin: $p}")),
        ("positions, in lists", "query($i: ID) { room_stays(filter: {id: {in: [$i]}}) { totalCount } }".into()),
        ("positions, lists", "query($i: [ID]) { room_stays(filter: {id: {in: $i}}) { totalCount } }".into()),
        (
            "positions, a single value for a list",
            "query($i: ID!) { room_stays(filter: {id: {in: $i}}) { totalCount } }".into(),
        ),
        ("positions, of directives", "query($b: Boolean) { room_stays { totalCount @include(if: $b) } }".into()),
        (
            "positions, in fragments",
            "query($n: String) { ...F } fragment F on Query { room_stays(first: $n) { totalCount } }".into(),
        ),
        (
            "overlapping fields of other types",
            key("... on RoomAccessPin { x: pin } ... on RoomAccessQR { x: deletesAt }"),
        ),
        ("overlapping fields", key("id id: __typename")),
        ("overlapping arguments", "{ room_stays(first: 1) { totalCount } room_stays(first: 2) { totalCount } }".into()),
        (
            "overlapping lists of other length",
            "{ room_stays(filter: {id: {in: [\"a\"]}}) { totalCount } \
               ... { room_stays(filter: {id: {in: [\"a\", \"b\"]}}) { totalCount } } }"
                .into(),
        ),
        ("known directives", "{ __typename @unknown }".into()),
        ("places of directives", "query @skip(if: true) { __typename }".into()),
        ("required arguments of directives", "{ room_stays { totalCount @skip } }".into()),
        ("unique directives", "{ room_stays { totalCount @skip(if: false) @skip(if: false) } }".into()),
        ("known arguments", "{ room_stays(frist: 1) { totalCount } }".into()),
        ("unique arguments", "{ room_stays(first: 1, first: 1) { totalCount } }".into()),
        ("required arguments", "mutation { createRoomAccessKey { roomAccessKey { id } } }".into()),
        ("required fields of inputs", create("", "{}")),
        ("null where it must not be", create("", "{pin: null}")),
        ("known fields of inputs", stays("{nope: 1}")),
        ("known fragments", "{ ...F }".into()),
        ("used fragments", "{ __typename } fragment F on Query { __typename }".into()),
        ("possible fragments", "{ room_stays { ... on Client { id } } }".into()),
        ("composite fragments", "{ room_stays { ... on Date { id } } }".into()),
        ("known types", "{ ... on Nope { id } }".into()),
        ("defined variables", "{ room_stays(first: $n) { totalCount } }".into()),
        ("used variables", "query($n: Int) { __typename }".into()),
        ("unique variables", "query($n: Int, $n: Int) { room_stays(first: $n) { totalCount } }".into()),
        ("types of variables", "query($n: RoomStay) { room_stays(first: $n) { totalCount } }".into()),
        ("defaults of variables", "query($n: Int = \"1\") { room_stays(first: $n) { totalCount } }".into()),
        ("defaults of scalars", "query($d: Date = \"1\") { room_stays(filter: {date: $d}) { totalCount } }".into()),
        ("unique operations", "query A { __typename } query A { __typename }".into()),
        ("lone operations", "{ __typename } { __typename }".into()),
        (
            "unique fragments",
            "{ ...F } fragment F on Query { a: __typename } fragment F on Query { b: __typename }".into(),
        ),
        ("executable definitions", "{ __typename } type A { a: Int }".into()),
        ("leaves", "{ settings { roomAccessKeysEnabled { x } } }".into()),
        ("no leaves", "{ settings }".into()),
    ] {
        let answer = house.locks.run(&query, json!({"p": "1", "i": "a", "n": 1, "b": true})).await;

        assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED", "{rule}: {answer}");
        assert!(answer.get("data").is_none(), "{rule}");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn what_the_rules_of_the_specification_allow_is_answered() {
    let house = House::new().await;
    house.stay("R1").await;
    for (query, variables) in [
        ("query($p: ID! = \"a\") { room_stays(filter: {id: {in: [$p, \"b\"]}}) { totalCount } }", json!({})),
        ("query($n: Int = 3) { room_stays(first: $n) { totalCount } room_stays(first: $n) { totalCount } }", json!({})),
        (
            "{ room_stays(filter: {id: {in: \"a\"}}) { totalCount } room_stays(filter: {id: {in: \"a\"}}) { edges { cursor } } }",
            json!({}),
        ),
        ("{ room_stays(filter: {date: \"2026-01-30\", id: {eq: 7}}) { totalCount } }", json!({})),
        (
            "{ room_stays { edges { node { roomAccessKey { ... on RoomAccessPin { x: pin } ... on RoomAccessQR { x: qrData } } } } } }",
            json!({}),
        ),
        (
            "query($b: Boolean! = false) { ... @include(if: $b) { room_stays { totalCount } } __typename @skip(if: $b) }",
            json!({}),
        ),
        (
            "{ room_stays { edges { node { roomAccessKey { ... on RoomAccessPin { x: auditTrail { n: totalCount } } \
             ... on RoomAccessQR { x: auditTrail(first: 2) { n: totalCount } } } } } } }",
            json!({}),
        ),
        (
            "{ auditEntries { edges { node { actor { integration { name } } } } } \
             clients { edges { node { id ... on Person { a: firstname } ... on Company { a: email } } } } }",
            json!({}),
        ),
        ("query A { a: __typename } fragment F on Query { __typename } query B { ...F }", json!({})),
    ] {
        let answer = house.desk.run(query, variables).await;
        let expected = if query.contains("query B") { "OPERATION_NOT_FOUND" } else { "no error" };
        assert_eq!(code(&answer), expected, "{query} {answer}");
    }
}

#[tokio::test]
async fn g19_typename_is_a_field_like_any_other() {
    let house = House::new().await;
    let query = "query($w: Boolean!) { settings { roomAccessKeysEnabled __typename @include(if: $w) } \
        __typename @skip(if: $w) }";
    for _ in 0..2 {
        let data = house.messaging.data(query, json!({"w": true})).await;
        assert_eq!(data, json!({"settings": {"roomAccessKeysEnabled": true, "__typename": "Settings"}}));
        let data = house.messaging.data(query, json!({"w": false})).await;
        assert_eq!(data, json!({"settings": {"roomAccessKeysEnabled": true}, "__typename": "Query"}));
    }
    for wrong in [
        "{ __typename(a: 1) }",
        "{ __typename { x } }",
        "{ __typename @skip(if: $undefined) }",
        "{ __typename @skip }",
        "{ __typename @include(if: \"x\") }",
        "{ settings { __typename(a: 1) } }",
        "{ settings { __schema { description } } }",
        "query($w: Boolean) { __typename @skip(if: $w) }",
    ] {
        assert_eq!(code(&house.messaging.run(wrong, json!({})).await), "GRAPHQL_VALIDATION_FAILED", "{wrong}");
    }
}

/// Sends one operation; answers with the status and the body.
async fn send(server: &TestServer, key: &str, query: &str, variables: Value) -> (u16, Value) {
    let body = json!({ "query": query, "variables": variables });
    let request = server.request("POST", "/graphql").bearer_auth(key).json(&body);
    let response = request.header("accept", "application/graphql-response+json").send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn g20_a_value_that_does_not_fit_is_refused_before_anything_runs() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let (document, variable) = ("GRAPHQL_VALIDATION_FAILED", "INVALID_VARIABLE");
    for (expected, query, variables) in [
        (document, "query($a: String) { room_stays(first: $a) { totalCount } }", json!({"a": 2})),
        (document, "{ room_stays(filter: \"x\") { totalCount } }", json!({})),
        (document, "{ room_stays(first: 95884372542) { totalCount } }", json!({})),
        (document, "{ room_stays(first: 1.0) { totalCount } }", json!({})),
        (document, "{ room_stays(first: \"1\") { totalCount } }", json!({})),
        (document, "{ room_stays(filter: {date: \"tomorrow\"}) { totalCount } }", json!({})),
        (document, "{ room_stays(filter: {date: 5}) { totalCount } }", json!({})),
        (document, "{ room_stays(filter: {check_in: {gt: \"2026-01-30\"}}) { totalCount } }", json!({})),
        (
            document,
            "{ room_stays(filter: {check_in: {in: [\"2026-01-30T10:00:00Z\", \"x\"]}}) { totalCount } }",
            json!({}),
        ),
        (document, "{ room_stays(filter: {id: {eq: true}}) { totalCount } }", json!({})),
        (document, "{ room_stays(filter: {id: {eq: 1.5}}) { totalCount } }", json!({})),
        (variable, "query($n: Int) { room_stays(first: $n) { totalCount } }", json!({"n": "2"})),
        (variable, "query($n: Int) { room_stays(first: $n) { totalCount } }", json!({"n": 95_884_372_542_u64})),
        (variable, "query($d: Date!) { room_stays(filter: {date: $d}) { totalCount } }", json!({"d": "tomorrow"})),
        (variable, "query($d: Date!) { room_stays(filter: {date: $d}) { totalCount } }", json!({})),
        (variable, "query($f: RoomStayFilter) { room_stays(filter: $f) { totalCount } }", json!({"f": "x"})),
        (variable, "query($b: Boolean!) { room_stays @skip(if: $b) { totalCount } }", json!({"b": "true"})),
    ] {
        // The second time, the document may be one that was seen before.
        for _ in 0..2 {
            let (status, answer) = send(&server, &house.keys.live, query, variables.clone()).await;
            assert_eq!((status, error_code(&answer)), (400, expected), "{query} {variables} {answer}");
            assert!(answer.get("data").is_none(), "{query} {answer}");
            assert!(answer["errors"][0].get("path").is_none(), "{query} {answer}");
            if expected == document {
                assert!(answer["errors"][0]["locations"][0]["column"].is_u64(), "{query} {answer}");
            }
        }
    }
    let admin = house.admin().await;
    let time = |time: &str| {
        format!(
            "mutation {{ setRoomStayDepartureTime(input: {{roomStayId: \"a\", departureTime: {time}}}) {{ \
            roomStay {{ id }} }} }}"
        )
    };
    for wrong in ["\"24:00\"", "\"noon\"", "1200", "NOON", "{}"] {
        assert_eq!(code(&admin.run(&time(wrong), json!({})).await), document, "{wrong}");
    }
    assert_eq!(code(&admin.run(&time("\"12:00\""), json!({})).await), "NOT_FOUND");
}

#[tokio::test]
async fn g20_an_error_says_where_and_leaks_nothing() {
    let house = House::new().await;
    let query =
        "query($unused: Int) {\n  room_stays(first: \"secret-1234\",\n    filter: {date: \"secret-5678\"}) { nope }\n}";
    let answer = house.messaging.run(query, json!({})).await;
    let told = answer.to_string();
    assert!(!told.contains("secret") && !told.contains(".graphql") && !told.contains("src/"), "{told}");
    let query = "{\n  room_stays(\n    first: \"é\", filter: {date: \"x\"}) { totalCount }\r  settings\n}";
    let errors = house.messaging.run(query, json!({})).await["errors"].take();
    let places: Vec<_> = errors.as_array().expect("errors").iter().map(|error| error["locations"][0].clone()).collect();
    assert!(places.contains(&json!({"line": 3, "column": 12})), "{errors}");
    for error in errors.as_array().expect("errors") {
        let message = text(&error["message"]);
        assert!(message.starts_with(char::is_uppercase) && !message.contains('`'), "{message}");
    }
    let flood = format!("{{ {} }}", (0..1_000).map(|n| format!("x{n}")).collect::<Vec<_>>().join(" "));
    let answer = house.messaging.run(&flood, json!({})).await;
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn g21_the_grammar_is_that_of_the_specification() {
    let house = House::new().await;
    let (parse, validation) = ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED");
    for (expected, query) in [
        (parse, "query() { __typename }"),
        (parse, "{ room_stays() { totalCount } }"),
        (parse, "{ settings {} }"),
        (parse, "{ __typename @skip() }"),
        (parse, "{ ...on } fragment on on Query { __typename }"),
        (parse, "fragment on on Query { __typename } { __typename }"),
        (validation, "query($n: Int @skip(if: true)) { room_stays(first: $n) { totalCount } }"),
        (validation, "query($n: Int @chain(variable: \"x\")) { room_stays(first: $n) { totalCount } }"),
        (parse, "query($n: Int = $m, $m: Int) { room_stays(first: $n) { totalCount } }"),
        (parse, "{ room_stays(first: 01) { totalCount } }"),
        (parse, "{ room_stays(first: -) { totalCount } }"),
        (parse, "{ room_stays(first: 1x) { totalCount } }"),
        (parse, "{ room_stays(first: 1.) { totalCount } }"),
        (parse, "{ room_stays(filter: {reservationStatus: {eq: null}, }, first: ) { totalCount } }"),
        (parse, "{ __typename } }"),
        (parse, "{ __typename"),
        (parse, "query { __typename } nonsense"),
        (parse, "{ a: b: __typename }"),
        (parse, "\u{7}{ __typename }"),
    ] {
        let answer = house.messaging.run(query, json!({})).await;
        assert_eq!(code(&answer), expected, "{query} {answer}");
    }
    for query in [
        "{ room_stays(first: -0) { edges { cursor } } }",
        "\u{feff}{ __typename, }",
        "query,Q,{,__typename,},",
        "# only a comment\r\n{ __typename }",
        "{ ...query } fragment query on Query { __typename }",
        "query query { __typename }",
        "{ fragment: __typename on: __typename true: __typename }",
    ] {
        let answer = house.messaging.run(query, json!({})).await;
        assert_eq!(code(&answer), "no error", "{query} {answer}");
    }
    let data = house.messaging.data("{ room_stays(first: -0) { edges { cursor } } }", json!({})).await;
    assert_eq!(data, json!({"room_stays": {"edges": []}}));
}

#[tokio::test]
async fn a_mutation_that_is_refused_keeps_its_request_from_running() {
    let house = House::new().await;
    let before = fingerprint(&house.test.db.pool).await;
    let read = "{ room_stays { totalCount } }";
    let create =
        "mutation($pin: String!) { createRoomAccessKey(input: {roomAccessPin: {pin: $pin}}) { roomAccessKey { id } } }";
    let wrong = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: 7}}) { roomAccessKey { id } } }";
    for (expected, query, variables) in [
        ("GRAPHQL_VALIDATION_FAILED", wrong, json!({})),
        ("INVALID_VARIABLE", create, json!({"pin": 7})),
        ("INVALID_VARIABLE", create, json!({})),
    ] {
        let batch = [(read, json!({})), (query, variables), (read, json!({})), (create, json!({"pin": "1"}))];
        let answers = house.locks.batch(&batch).await;
        let codes: Vec<_> = answers.iter().map(code).collect();
        assert_eq!(codes, ["no error", expected, "NOT_RUN", "NOT_RUN"]);
        assert!(answers.iter().all(|answer| answer["extensions"]["rolledBack"] == true), "{answers:#?}");
        let answers = house.locks.batch(&batch[..3]).await;
        assert_eq!(code(&answers[2]), "NOT_RUN", "also where it is the only mutation");
        assert_eq!(code(&house.messaging.batch(&batch[..2]).await[1]), "FORBIDDEN");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

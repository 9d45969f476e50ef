//! Documents that want to hurt, over real HTTP: each is refused with a code, before any statement of its own, and the
//! server goes on.
//!
//! No test of this file looks at a clock; those of [`server`] do. Most documents here, were they followed, would abort the process or keep it busy
//! until the test run is given up.

mod inputs;
mod requests;
mod server;
mod texts;
mod values;

use chrono_tz::Tz;
use latchkey::actor::Permission;
use latchkey::graphql::limits;
use serde_json::{Value, json};

use crate::support::{LogLines, TestApp, TestServer, error_code};

/// Most bytes of an answer to a document that is refused.
const MAX_ANSWER: usize = 16 * 1024;

struct Target {
    server: TestServer,
    key: String,
    log: LogLines,
    _app: TestApp,
}

impl Target {
    async fn start() -> Self {
        let log = LogLines::capture();
        let app = TestApp::new().await;
        let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
        let vendor = app.integration(&hotel, "Lock Vendor", Permission::FrontDesk).await;
        Self { server: TestServer::start(&app.app).await, key: vendor.live, log, _app: app }
    }

    /// Sends `body` and answers with the code of its first error.
    async fn code(&self, body: &Value) -> String {
        let response = self.server.post(&self.key, body).send().await.expect("the server goes on");
        let bytes = response.bytes().await.expect("a body");
        assert!(bytes.len() <= MAX_ANSWER, "{} bytes answer {:.200}", bytes.len(), body.to_string());
        let line = self.log.requests().pop().expect("a line");
        assert_eq!(line["db.statements"], 0, "{:.200}", body.to_string());
        error_code(&serde_json::from_slice(&bytes).expect("JSON")).to_owned()
    }

    async fn refuses(&self, expected: &str, document: &str) {
        assert_eq!(self.code(&json!({ "query": document })).await, expected, "{document:.300}");
    }

    async fn refuses_variables(&self, expected: &str, document: &str, variables: Value) {
        let body = json!({ "query": document, "variables": variables });
        assert_eq!(self.code(&body).await, expected, "{document:.300}");
    }

    async fn still_answers(&self) {
        let answer = self.server.run(&self.key, "{ room_stays { totalCount } }", Value::Null).await;
        assert_eq!(answer["data"], json!({ "room_stays": { "totalCount": 0 } }));
    }
}

fn many(times: usize, text: impl Fn(usize) -> String) -> String {
    (0..times).map(text).collect::<Vec<_>>().concat()
}

/// Fragments that spread the one before them `width` times.
fn tower(levels: usize, width: usize, on: &str, leaf: &str) -> String {
    let floors = many(levels - 1, |below| {
        format!("fragment f{} on {on}{{{}}}", below + 1, format!("...f{below}").repeat(width))
    });
    format!("fragment f0 on {on}{{{leaf}}}{floors}")
}

fn connection(fields: &str) -> String {
    format!("edges {{ node {{ {fields} }} }}")
}

#[tokio::test]
async fn brackets_do_not_reach_the_parsers_stack() {
    let target = Target::start().await;
    for open in ["[", "{a:", "[{not:", "{or:["] {
        target
            .refuses("DOCUMENT_TOO_DEEP", &format!("{{ room_stays(filter: {}", open.repeat(3_000 / open.len())))
            .await;
    }
    target.refuses("DOCUMENT_TOO_DEEP", &"{a".repeat(7_500)).await;
    target.refuses("DOCUMENT_TOO_DEEP", &format!("{{{}", "...{".repeat(4_000))).await;
    target.refuses("DOCUMENT_TOO_DEEP", &format!("query($a: {}", "[".repeat(16_000))).await;
    target.refuses("DOCUMENT_TOO_DEEP", &format!("{{ a @d(b: {}", "[".repeat(16_000))).await;
    target.refuses("GRAPHQL_PARSE_FAILED", &format!("{{ a(b: [\"\"\" x \" {}", "[".repeat(8_000))).await;
    target.refuses("DOCUMENT_TOO_LARGE", &format!("{{ a }} # {}", "x".repeat(20_000))).await;
    target.still_answers().await;
}

#[tokio::test]
async fn fragments_are_not_followed_again_and_again() {
    let target = Target::start().await;
    let leaf = "settings{categories{id}}";
    for width in [2, 8] {
        let towers = tower(22, width, "Query", leaf);
        target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{...f21}}{towers}")).await;
        // In an operation that does not run, too.
        let idle = format!("query a{{__typename}}query b{{...f21}}{towers}");
        let body = json!({ "query": idle, "operationName": "a" });
        assert_eq!(target.code(&body).await, "DOCUMENT_TOO_COMPLEX");
    }
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{...f29}}{}", tower(30, 3, "Query", "__typename"))).await;
    target.refuses("DOCUMENT_TOO_DEEP", &format!("{{...f39}}{}", tower(40, 1, "Query", "__typename"))).await;
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{...f399}}{}", tower(400, 1, "Query", "__typename"))).await;
    target.still_answers().await;
}

#[tokio::test]
async fn circles_of_fragments_are_refused() {
    let target = Target::start().await;
    for circle in [
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query { ...b }",
        "{ ...a } fragment a on Query { settings { ...b } } fragment b on Settings { categories { id } ... { ...b } }",
        "{ __typename } fragment a on Query { ...a ...a }",
        "{ __typename } fragment a on Query { ...b } fragment b on Query { ...a }",
    ] {
        target.refuses("GRAPHQL_VALIDATION_FAILED", circle).await;
    }
    target.still_answers().await;
}

#[tokio::test]
async fn floods_are_refused() {
    let target = Target::start().await;
    for flood in [
        format!("{{ {} }}", "__typename ".repeat(1_480)),
        format!("{{ {} }}", "a ".repeat(8_000)),
        format!("{{ {} }}", many(1_000, |n| format!("a{n}:__typename "))),
        format!("{{ __typename {} }}", "@skip(if:true) ".repeat(1_000)),
        format!("{{ {} }}", "__typename @include(if:true) ".repeat(500)),
        format!("{{ {} }}", "...{__typename} ".repeat(1_000)),
        format!("{{ settings({}) {{ __typename }} }}", many(1_000, |n| format!("a{n}:1 "))),
        format!("query({}) {{ __typename }}", many(1_000, |n| format!("$v{n}:ID "))),
        many(500, |n| format!("query q{n}{{__typename}} ")),
        many(500, |n| format!("mutation m{n}{{__typename}} ")),
        format!("{{ {} }}", "n".repeat(15_000)),
        format!("{{ room_stays(first: {}) {{ totalCount }} }}", "9".repeat(15_000)),
    ] {
        let code = target.code(&json!({ "query": flood })).await;
        // The first has fewer fields than are allowed; it runs, and costs nothing.
        let expected = if flood.len() > 16_200 { "none" } else { "DOCUMENT_TOO_COMPLEX" };
        let expected = if flood.len() > 16_384 { "DOCUMENT_TOO_LARGE" } else { expected };
        assert!(code == expected || code == "OPERATION_NOT_FOUND", "{code} for {flood:.100}");
    }
    target.still_answers().await;
}

#[tokio::test]
async fn pages_are_multiplied_before_they_are_read() {
    let target = Target::start().await;
    let inner = connection(&format!("reservation {{ rooms(first: 100) {{ {} }} }}", connection("id")));
    let rooms = connection(&format!("rooms(first: 100) {{ {inner} }}"));
    let document = format!("{{ reservations(first: 100) {{ {rooms} }} }}");
    target.refuses("DOCUMENT_TOO_COMPLEX", &document).await;
    let variables = document.replacen('{', "query($n: Int) {", 1).replace("100", "$n");
    for size in [json!(100), json!(1_000_000), json!(-1)] {
        target.refuses_variables("DOCUMENT_TOO_COMPLEX", &variables, json!({ "n": size })).await;
    }
    target.refuses_variables("INVALID_VARIABLE", &variables, json!({"n": "x"})).await;
    let page = connection(&format!("rooms(first: 100) {{ {} }}", connection("id reservation { id }")));
    let aliases = many(40, |n| format!("a{n}: reservations(first: 100) {{ {page} }} "));
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{ {aliases} }}")).await;
    let batch: Vec<Value> =
        (0..90).map(|_| json!({ "query": format!("{{ reservations(first: 100) {{ {page} }} }}") })).collect();
    let answer = target.server.run_body(&target.key, &json!(batch)).await;
    assert_eq!(answer[89]["errors"][0]["extensions"]["code"], "DOCUMENT_TOO_COMPLEX");
    target.still_answers().await;
}

#[tokio::test]
async fn introspection_is_bounded_but_the_query_of_graphiql_passes() {
    let target = Target::start().await;
    let nested = |field: &str, levels: usize| {
        let ends = "}".repeat(field.matches('{').count() * levels);
        format!("{{ __schema {{ types {{ {} name {ends} }} }} }}", field.repeat(levels))
    };
    target.refuses("DOCUMENT_TOO_DEEP", &nested("fields { type {", 5)).await;
    target.refuses("DOCUMENT_TOO_DEEP", &nested("possibleTypes {", 8)).await;
    target.refuses("DOCUMENT_TOO_DEEP", &nested("ofType {", 40)).await;
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{ __schema {{ types {{ {} }} }} }}", "name ".repeat(600))).await;
    let aliases = many(300, |n| format!("a{n}: __type(name: \"Query\") {{ fields {{ name }} }} "));
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{ {aliases} }}")).await;
    let types = tower(20, 2, "__Type", "name");
    target.refuses("DOCUMENT_TOO_COMPLEX", &format!("{{ __schema {{ types {{ ...f19 }} }} }} {types}")).await;

    let answer = target.server.run(&target.key, INTROSPECTION, Value::Null).await;
    assert!(answer.get("errors").is_none(), "{answer:.500}");
    assert!(answer["data"]["__schema"]["types"].as_array().is_some_and(|types| types.len() > 30));
}

#[tokio::test]
async fn values_are_bounded_in_documents_and_in_variables() {
    let target = Target::start().await;
    let document = "query($f: RoomStayFilter) { room_stays(filter: $f) { totalCount } }";
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "not": inner }));
    target.refuses_variables("DOCUMENT_TOO_DEEP", document, json!({ "f": nested(100) })).await;
    assert_eq!(target.code(&json!({ "query": document, "variables": { "f": nested(130) } })).await, "BAD_REQUEST");
    let literal = format!(
        "{{ room_stays(filter: {}{}) {{ totalCount }} }}",
        "{not:".repeat(30),
        "{}".to_owned() + &"}".repeat(30)
    );
    target.refuses("DOCUMENT_TOO_DEEP", &literal).await;

    let ids = json!(vec!["0198c0de-0000-7000-8000-000000000000"; 20_000]);
    let by_id = "query($ids: [ID!]!) { room_stays(filter: {id: {in: $ids}}) { totalCount } }";
    target.refuses_variables("DOCUMENT_TOO_COMPLEX", by_id, json!({ "ids": ids })).await;
    let uses = many(200, |n| format!("a{n}: room_stays(filter: {{id: {{in: $ids}}}}) {{ totalCount }} "));
    let document = format!("query($ids: [ID!]!) {{ {uses} }}");
    let some = json!(vec!["0198c0de-0000-7000-8000-000000000000"; 100]);
    target.refuses_variables("DOCUMENT_TOO_COMPLEX", &document, json!({ "ids": some })).await;
    target.still_answers().await;
}

#[tokio::test]
async fn answers_to_many_mistakes_are_no_longer_than_the_mistakes() {
    let target = Target::start().await;
    let name = "n".repeat(limits::MAX_ARGUMENTS);
    for document in [
        format!("{{ {} }}", many(1_400, |n| format!("x{n} "))),
        format!("{{ {} }}", "a:room_stays{totalCount} a:reservations{totalCount} ".repeat(200)),
        format!(
            "{{ {} }}",
            format!("{name}:room_stays(first:1){{totalCount}} {name}:room_stays(last:2){{totalCount}} ").repeat(100)
        ),
        format!("query({}) {{ room_stays {{ totalCount }} }}", many(200, |n| format!("$v{n}:Nothing "))),
        format!("{{ {} }}", "...nothing ".repeat(400)),
        format!("{{ {} }}", "... on Nothing { a } ".repeat(400)),
        format!("{{ room_stays {{ {} totalCount }} }}", "totalCount @nothing ".repeat(190)),
        format!("{{ room_stays({}) {{ totalCount }} }}", many(32, |n| format!("n{n}:1 "))),
    ] {
        target.refuses("GRAPHQL_VALIDATION_FAILED", &document).await;
    }
    target.still_answers().await;
}

#[tokio::test]
async fn what_is_no_graphql_is_refused() {
    let target = Target::start().await;
    for document in [
        "",
        " ",
        "\u{0}",
        "{",
        "}",
        "{}",
        "{ ä }",
        "{ a(b: \"\\ud800\") }",
        "{ 🔑 }",
        "query",
        "\u{feff}\u{feff}",
        "...",
        "{ a(b: 01) }",
    ] {
        target.refuses("GRAPHQL_PARSE_FAILED", document).await;
    }
    target.refuses("GRAPHQL_VALIDATION_FAILED", "subscription { a }").await;
    let huge = "{ room_stays(first: 99999999999999999999999999) { totalCount } }";
    let code = target.code(&json!({ "query": huge })).await;
    assert!(matches!(code.as_str(), "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED"), "{code}");
    target.still_answers().await;
}

#[tokio::test]
async fn a_batch_of_hostile_documents_is_refused_one_by_one() {
    let target = Target::start().await;
    let hostile = [
        format!("{{ {} }}", "a ".repeat(5_000)),
        format!("{{...f24}}{}", tower(25, 9, "Query", "__typename")),
        "{a".repeat(5_000),
        format!("{{ {} }}", many(1_200, |n| format!("x{n} "))),
    ];
    let batch: Vec<Value> = (0..20).map(|n| json!({ "query": hostile[n % hostile.len()] })).collect();
    let answer = target.server.run_body(&target.key, &json!(batch)).await;
    let codes: Vec<&str> = (0..4).map(|n| error_code(&answer[n])).collect();
    assert_eq!(
        codes,
        ["DOCUMENT_TOO_COMPLEX", "DOCUMENT_TOO_COMPLEX", "DOCUMENT_TOO_DEEP", "GRAPHQL_VALIDATION_FAILED"]
    );
    assert_eq!(answer.as_array().map(Vec::len), Some(20));
    target.still_answers().await;
}

/// What GraphiQL sends to learn the schema.
const INTROSPECTION: &str = "
    query IntrospectionQuery {
      __schema {
        description queryType { name kind } mutationType { name kind } subscriptionType { name kind }
        types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
      }
    }
    fragment FullType on __Type {
      kind name description specifiedByURL
      fields(includeDeprecated: true) {
        name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
      }
      inputFields(includeDeprecated: true) { ...InputValue }
      interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { ...TypeRef }
    }
    fragment InputValue on __InputValue {
      name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
    }
    fragment TypeRef on __Type {
      kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
        kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
    }
";

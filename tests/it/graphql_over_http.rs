//! Conformance to the GraphQL over HTTP specification, stage 2 draft, on `POST /graphql`.
//!
//! Each row bears the number of the audit of the `graphql-http` project that asks the same, where there is one. Where the
//! audits still follow the rules that the specification had before 2025, the specification counts: what is not a
//! GraphQL request is 400 under `application/json` too, and without an `Accept` header the answer is
//! `application/graphql-response+json`. Those rows bear the number with `spec`.

use chrono_tz::Tz;
use latchkey::actor::Permission;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{TestApp, TestServer, error_code, header};

const JSON: &str = "application/json";
const NEW: &str = "application/graphql-response+json";

struct Graph {
    server: TestServer,
    key: String,
    _app: TestApp,
}

impl Graph {
    async fn start() -> Self {
        let app = TestApp::new().await;
        let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
        let vendor = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
        Self { server: TestServer::start(&app.app).await, key: vendor.live, _app: app }
    }

    fn post(&self, accept: Option<&str>) -> RequestBuilder {
        let request = self.server.request("POST", "/graphql").bearer_auth(&self.key);
        match accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        }
    }

    /// Status, `Content-Type` without parameters, and body of the answer to `body`.
    async fn answer(&self, accept: &str, body: &str) -> (u16, String, Value) {
        let request = self.post(Some(accept)).header("content-type", JSON).body(body.to_owned());
        read(request).await
    }
}

async fn read(request: RequestBuilder) -> (u16, String, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let content_type = header(&response, "content-type").to_owned();
    let media_type = content_type.strip_suffix("; charset=utf-8").expect("the encoding is named").to_owned();
    // 82A3: JSON in UTF-8, or this fails.
    let text = String::from_utf8(response.bytes().await.expect("a body").to_vec()).expect("UTF-8");
    (status, media_type, serde_json::from_str(&text).expect("JSON"))
}

fn query(text: &str) -> String {
    json!({ "query": text }).to_string()
}

const TYPENAME: &str = r#"{"query": "{ __typename }"}"#;

#[tokio::test]
async fn the_answer_has_the_media_type_that_was_asked_for() {
    let graph = Graph::start().await;
    for (audit, accept, expected) in [
        ("22EB", NEW, NEW),
        ("4655", JSON, JSON),
        ("47DE", "*/*", JSON),
        ("highest priority", "application/json;q=0.8, application/graphql-response+json;q=0.9", NEW),
        ("recommended", "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", NEW),
    ] {
        let (status, media_type, answer) = graph.answer(accept, TYPENAME).await;
        assert_eq!((status, media_type.as_str()), (200, expected), "{audit}");
        assert_eq!(answer, json!({ "data": { "__typename": "Query" }, "extensions": { "cost": 1 } }), "{audit}");
    }
}

#[tokio::test]
async fn audit_80d8_spec_without_an_accept_header_the_answer_is_graphql_response_json() {
    let graph = Graph::start().await;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{TYPENAME}",
        graph.key,
        TYPENAME.len()
    );
    let answer = graph.server.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("content-type: application/graphql-response+json; charset=utf-8"), "{answer}");
}

#[tokio::test]
async fn what_cannot_be_served_is_not_acceptable() {
    let graph = Graph::start().await;
    for accept in ["text/html", "application/xml", "application/json;q=0", "application/json; charset=utf-16"] {
        let (status, media_type, answer) = graph.answer(accept, TYPENAME).await;
        assert_eq!((status, media_type.as_str(), error_code(&answer)), (406, JSON, "NOT_ACCEPTABLE"), "{accept}");
    }
}

#[tokio::test]
async fn a_body_is_json_in_utf_8() {
    let graph = Graph::start().await;
    for (audit, content_type, expected) in [
        ("03D4, 2C94, 78D5", Some("application/json"), 200),
        ("BF61", Some("application/json; charset=utf-8"), 200),
        ("BF61", Some("application/json; charset=UTF-8"), 200),
        ("9ABE", None, 415),
        ("other encodings", Some("application/json; charset=iso-8859-1"), 415),
        ("other types", Some("application/graphql"), 415),
        ("simple requests of browsers", Some("text/plain"), 415),
        ("simple requests of browsers", Some("application/x-www-form-urlencoded"), 415),
        ("simple requests of browsers", Some("multipart/form-data; boundary=a"), 415),
    ] {
        for accept in [JSON, NEW] {
            let mut request = graph.post(Some(accept)).body(TYPENAME);
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let (status, media_type, _) = read(request).await;
            assert_eq!((status, media_type.as_str()), (expected, accept), "{audit}");
        }
    }
    let sterne = json!({ "query": "query($x: String) { __typename } # ★ é 🔑", "variables": { "x": "★" } }).to_string();
    let (_, _, answer) = graph.answer(JSON, &sterne).await;
    assert_ne!(error_code(&answer), "BAD_REQUEST");
}

#[tokio::test]
async fn well_formed_parameters_are_taken() {
    let graph = Graph::start().await;
    for (audits, body) in [
        ("34A2, 13EE", json!({ "query": "{ __typename }" })),
        ("8161, B8B3", json!({ "query": "query Query { __typename }", "operationName": "Query" })),
        ("94B0, 0220", json!({ "query": "{ __typename }", "variables": null })),
        ("94B1, 0221", json!({ "query": "{ __typename }", "operationName": null })),
        ("94B2, 0222", json!({ "query": "{ __typename }", "extensions": null })),
        (
            "2EA1, 28B9",
            json!({
                "query": "query Type($name: String!) { __type(name: $name) { name } }",
                "variables": { "name": "sometype" },
            }),
        ),
        ("428F, 1B7A, 39AA", json!({ "query": "{ __typename }", "extensions": { "some": "value" } })),
        ("other names", json!({ "query": "{ __typename }", "reserved": 1 })),
    ] {
        for accept in [JSON, NEW] {
            let (status, _, answer) = graph.answer(accept, &body.to_string()).await;
            assert_eq!(status, 200, "{audits}: {answer}");
            assert!(answer.get("errors").is_none() && answer.get("data").is_some(), "{audits}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_not_a_graphql_request_is_400_in_both_types() {
    let graph = Graph::start().await;
    let mut bodies = vec![
        ("7267".to_owned(), String::new()),
        ("60AA, 2163, D477 spec".to_owned(), "{ \"not a JSON".to_owned()),
        ("B6DC, BCF8".to_owned(), "NONSENSE".to_owned()),
        ("6610, 3715 spec".to_owned(), json!({ "notquery": "{ __typename }" }).to_string()),
        ("3E36, 17C5, 34D6, F5AF spec".to_owned(), json!({ "qeury": "{ __typename }" }).to_string()),
        ("null query".to_owned(), json!({ "query": null }).to_string()),
        ("not an object".to_owned(), json!("{ __typename }").to_string()),
    ];
    let objects = [json!("string"), json!(0), json!(false), json!(["array"])];
    let strings = [json!({ "obj": "ect" }), json!(0), json!(false), json!(["array"])];
    for index in 0..4 {
        for (audits, parameter, wrong) in [
            ("4F5, 9FE spec", "query", &strings[index]),
            ("E3E, FB9 spec", "operationName", &strings[index]),
            ("69B, F05 spec", "variables", &objects[index]),
            ("904, 368 spec", "extensions", &objects[index]),
        ] {
            let mut body = json!({ "query": "{ __typename }" });
            body[parameter] = wrong.clone();
            bodies.push((format!("{audits} {index}"), body.to_string()));
        }
    }
    for (audits, body) in bodies {
        for accept in [JSON, NEW] {
            let (status, media_type, answer) = graph.answer(accept, &body).await;
            assert_eq!((status, media_type.as_str()), (400, accept), "{audits}: {answer}");
            assert_eq!(error_code(&answer), "BAD_REQUEST", "{audits}");
            assert!(answer.get("data").is_none(), "{audits}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_before_it_runs_is_200_or_the_status_of_its_code() {
    let graph = Graph::start().await;
    let variable = "query($name: String!) { __type(name: $name) { name } }";
    for (audits, body, expected) in [
        ("865D, 556A, D586, 572B", query("{"), "GRAPHQL_PARSE_FAILED"),
        ("51FE, 74FF, 5E5B, FDE2", query("{ f8f31403dfe404bccbb0e835f2629c6a7 }"), "GRAPHQL_VALIDATION_FAILED"),
        ("GetOperation, several", query("query A { __typename } query B { __typename }"), "OPERATION_NOT_FOUND"),
        (
            "GetOperation, unknown",
            json!({ "query": "query A { __typename }", "operationName": "B" }).to_string(),
            "OPERATION_NOT_FOUND",
        ),
        ("CoerceVariableValues, missing", query(variable), "INVALID_VARIABLE"),
        (
            "CoerceVariableValues, wrong",
            json!({ "query": variable, "variables": { "name": 7 } }).to_string(),
            "INVALID_VARIABLE",
        ),
    ] {
        for (accept, status) in [(JSON, 200), (NEW, 400)] {
            let (found, media_type, answer) = graph.answer(accept, &body).await;
            assert_eq!((found, media_type.as_str()), (status, accept), "{audits}: {answer}");
            assert_eq!(error_code(&answer), expected, "{audits}: {answer}");
            assert!(answer.get("data").is_none(), "{audits}: {answer}");
        }
    }
}

#[tokio::test]
async fn bc58_who_is_not_let_in_gets_401_in_the_type_asked_for() {
    let graph = Graph::start().await;
    for accept in [JSON, NEW] {
        let request = graph.server.request("POST", "/graphql").header("accept", accept).header("content-type", JSON);
        let (status, media_type, answer) = read(request.body(TYPENAME)).await;
        assert_eq!((status, media_type.as_str(), error_code(&answer)), (401, accept, "UNAUTHORIZED"));
    }
}

#[tokio::test]
async fn f01_a_batch_is_answered_in_order_with_200_in_both_types() {
    let graph = Graph::start().await;
    let batch = json!([
        { "query": "{ a: __typename }" },
        { "query": "query B { b: __typename }", "operationName": "B" },
        { "query": "{" },
    ]);
    for accept in [JSON, NEW] {
        let (status, media_type, answer) = graph.answer(accept, &batch.to_string()).await;
        assert_eq!((status, media_type.as_str()), (200, accept));
        assert_eq!(answer[0], json!({ "data": { "a": "Query" }, "extensions": { "cost": 1 } }));
        assert_eq!(answer[1], json!({ "data": { "b": "Query" }, "extensions": { "cost": 1 } }));
        assert_eq!(error_code(&answer[2]), "GRAPHQL_PARSE_FAILED");
        assert_eq!(answer.as_array().map(Vec::len), Some(3));
    }
    for (length, expected) in [(0, "BATCH_TOO_LARGE"), (101, "BATCH_TOO_LARGE")] {
        let batch = vec![json!({ "query": "{ __typename }" }); length];
        let (status, _, answer) = graph.answer(JSON, &json!(batch).to_string()).await;
        // Refused as a whole, in an array as every batch.
        assert_eq!((status, error_code(&answer[0])), (400, expected));
    }
    let (status, _, answer) = graph.answer(JSON, &json!([{ "query": "{ __typename }" }, 7]).to_string()).await;
    assert_eq!((status, error_code(&answer[0])), (400, "BAD_REQUEST"));
    assert_eq!(answer[0]["errors"][0]["message"], "Operation 1: A GraphQL request is a JSON object");
}

#[tokio::test]
async fn f07_every_error_has_a_code_and_the_category_of_its_kind() {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let reader = app.integration(&hotel, "Guest Messaging", Permission::ReadOnly).await;
    let graph = Graph { server: TestServer::start(&app.app).await, key: reader.live, _app: app };
    for accept in [JSON, NEW] {
        let mutation = "mutation { deleteRoomAccessKey(input: {roomAccessKeyId: \"a\"}) { deleted } }";
        let (status, _, answer) = graph.answer(accept, &query(mutation)).await;
        assert_eq!(status, 200);
        assert_eq!(answer["errors"][0]["message"], "Operation \"mutation\" not allowed");
        assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "FORBIDDEN", "category": "auth" }));

        let (_, _, answer) = graph.answer(accept, &query("{ room_stays(first: 101) { totalCount } }")).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["category"], &extensions["argumentPath"]),
            (&json!("validation"), &json!(["first"])),
            "{answer}"
        );
        let (_, _, answer) = graph.answer(accept, &query("{ nothing }")).await;
        assert_eq!(answer["errors"][0]["extensions"], json!({ "code": "GRAPHQL_VALIDATION_FAILED" }));
    }
}

#[tokio::test]
async fn g17_a_compressed_body_is_refused_as_what_it_is() {
    let graph = Graph::start().await;
    let rest = graph.server.request("POST", "/api/pms/v1/grand-hotel/guests/checkin").bearer_auth(&graph.key);
    let rest = rest.header("idempotency-key", "k");
    for (request, code) in [(graph.post(Some(JSON)), "/errors/0/extensions/code"), (rest, "/code")] {
        let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
        let request = request.header("content-type", JSON).header("content-encoding", "gzip").body(gzip.to_vec());
        let response = request.send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, "accept-encoding")), (415, "identity"));
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer.pointer(code), Some(&json!("UNSUPPORTED_MEDIA_TYPE")), "{answer}");
        assert!(answer.to_string().contains("Content-Encoding, such as gzip"), "{answer}");
    }
    let plain = graph.post(Some(JSON)).header("content-type", JSON).header("content-encoding", "identity");
    assert_eq!(read(plain.body(TYPENAME)).await.0, 200);
}

#[tokio::test]
async fn g17_an_empty_accept_header_is_none() {
    let graph = Graph::start().await;
    for accept in ["", " ", ","] {
        let (status, media_type, _) = graph.answer(accept, TYPENAME).await;
        assert_eq!((status, media_type.as_str()), (200, NEW), "{accept:?}");
    }
}

/// A batch of so many operations, with everything in it that could be mistaken for the end of one.
fn batch(operations: usize) -> String {
    let operation = json!({"query": "{ a(b: [1, \"],\"]) }", "variables": {"x": [[], {"y": "}\\\""}]}});
    serde_json::to_string_pretty(&vec![operation; operations]).expect("JSON")
}

#[tokio::test]
async fn g17_a_batch_that_is_refused_as_a_whole_is_answered_with_an_error_for_each_operation() {
    let graph = Graph::start().await;
    let server = &graph.server;
    let anybody = || server.request("POST", "/graphql").header("accept", JSON);
    let request = |body: String| graph.post(Some(JSON)).header("content-type", JSON).body(body);
    let keyed = |key: &str| request(batch(3)).header("idempotency-key", key.to_owned());
    let oversize = format!("{}{}", batch(2), " ".repeat(1 << 20));
    for (request, status, code, errors) in [
        (anybody().bearer_auth("pms_live_wrong").header("content-type", JSON).body(batch(3)), 401, "UNAUTHORIZED", 3),
        (anybody().body(batch(1)), 401, "UNAUTHORIZED", 1),
        (anybody().body(batch(100)), 401, "UNAUTHORIZED", 100),
        (graph.post(Some("text/html")).body(batch(3)), 406, "NOT_ACCEPTABLE", 3),
        (graph.post(Some(JSON)).header("content-type", "text/plain").body(batch(3)), 415, "UNSUPPORTED_MEDIA_TYPE", 3),
        (keyed(&"x".repeat(256)), 400, "INVALID_ARGUMENT", 3),
        (request(r#"[{"query": 1}, {"query": "{ a }"}]"#.to_owned()), 400, "BAD_REQUEST", 2),
        // Their number is none that a batch may have, or is not known.
        (request("[]".to_owned()), 400, "BATCH_TOO_LARGE", 1),
        (request(batch(101)), 400, "BATCH_TOO_LARGE", 1),
        (request("[{}, {".to_owned()), 400, "BAD_REQUEST", 1),
        (request(oversize), 413, "PAYLOAD_TOO_LARGE", 2),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{code}");
        let answer: Vec<Value> = response.json().await.expect("an array");
        assert_eq!(answer.len(), errors, "{code}");
        for answer in answer {
            let errors = answer["errors"].as_array().expect("errors");
            assert_eq!((errors.len(), error_code(&answer)), (1, code), "{answer}");
        }
    }
    // One request that is refused is one object.
    let single = anybody().bearer_auth("pms_live_wrong").header("content-type", JSON).body(TYPENAME);
    assert_eq!(error_code(&single.send().await.expect("an answer").json().await.expect("JSON")), "UNAUTHORIZED");
}

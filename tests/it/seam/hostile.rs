//! What no SDK sends, at every route: a clear refusal, never a fault.

use latchkey::seam::ROUTES;
use serde_json::{Value, json};

use super::house::{Facade, body, document, error, parameters};
use crate::support::fingerprint;

#[tokio::test]
async fn bodies_that_are_no_parameters() {
    let facade = Facade::new().await;
    let before = fingerprint(&facade.doors.house.test.db.pool).await;
    let deep = format!("{{\"name\":{}", "[".repeat(2000));
    let bodies: [&[u8]; 12] = [
        b"{",
        b"null",
        b"[]",
        b"5",
        b"\"x\"",
        b"{\"a\":1}{}",
        b"\xff\xfe{}",
        b"{\"\\ud800\": 1}",
        b"{\"name\": \"\xc3\x28\"}",
        b"{'name': 1}",
        deep.as_bytes(),
        b"{\"no_such_parameter\": 1}",
    ];
    for route in ROUTES {
        for body in bodies {
            let request = facade.server.request("POST", &format!("/seam{}", route.spec.path));
            let request = request.bearer_auth(&facade.desk.live).header("content-type", "application/json");
            let (status, refused) = error(request.body(body.to_vec()).send().await.expect("an answer")).await;
            let said = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_eq!((status, &refused["type"]), (400, &json!("invalid_input")), "{} {said}", route.spec.path);
            assert!(refused["validation_errors"].is_object(), "{refused}");
        }
        for (name, value, status) in [
            ("content-type", "text/plain", 415),
            ("content-type", "application/json; charset=utf-16", 415),
            ("content-encoding", "gzip", 415),
        ] {
            let request = facade.server.request("POST", &format!("/seam{}", route.spec.path));
            let request = request.bearer_auth(&facade.desk.live).header(name, value);
            let request =
                if name == "content-type" { request } else { request.header("content-type", "application/json") };
            let refused = error(request.body("{}").send().await.expect("an answer")).await;
            assert_eq!(refused.0, status, "{} {name}", route.spec.path);
        }
    }
    let large = facade.server.request("POST", "/seam/spaces/list").bearer_auth(&facade.desk.live);
    let large = large.header("content-type", "application/json").body(vec![b' '; 2 << 20]).send().await;
    assert_eq!(error(large.expect("an answer")).await.0, 413);
    assert_eq!(fingerprint(&facade.doors.house.test.db.pool).await, before);
}

/// Every parameter with values of every sort: never a fault, and a refusal says where.
#[tokio::test]
async fn values_of_every_sort_at_every_parameter() {
    let facade = Facade::new().await;
    let records = facade.records(&facade.doors.house, &facade.desk.live, &facade.desk.live, "own").await;
    let document = document();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("'; DROP TABLE hotels; --"),
        json!("🔑".repeat(300)),
        json!("x".repeat(100_000)),
        json!("+275760-09-13T00:00:00Z"),
        json!("0000-01-01T00:00:00Z"),
        json!("2025-02-30T00:00:00Z"),
        json!([]),
        json!([[]]),
        json!([null]),
        json!(["\u{0}"]),
        json!({}),
        json!({"mode": "card"}),
        json!([{"mode": "sword"}]),
        json!({"in": [1]}),
    ];
    for route in ROUTES {
        let path = route.spec.path;
        for (name, _) in parameters(&document, route) {
            for value in &values {
                let mut sent = body(&document, route, &records);
                sent[&name] = value.clone();
                // Nothing of it is kept.
                let response = facade.post(&facade.desk.test, path, &sent).await;
                if response.status().as_u16() == 200 {
                    continue;
                }
                let (status, refused) = error(response).await;
                let short: String = value.to_string().chars().take(40).collect();
                assert!((400..500).contains(&status), "{path} {name} {short}: {status} {refused}");
                let text = refused.to_string();
                assert!(!text.contains("sqlx") && !text.contains("SELECT") && !text.contains("struct "), "{text}");
                if refused["type"] == "invalid_input" {
                    let places = refused["validation_errors"].as_object().expect("an object");
                    assert!(places.len() > 1 || !places["_errors"].as_array().expect("a list").is_empty(), "{refused}");
                }
            }
        }
    }
}

#[tokio::test]
async fn queries_that_are_no_parameters() {
    let facade = Facade::new().await;
    for (query, status) in [
        ("_strict=true", 200),
        ("limit=1&limit=2", 400),
        ("limit=", 200),
        ("limit=%00", 400),
        ("limit=99999999999999999999", 400),
        ("space_key=%ff", 200),
        ("space_key=a&_strict=true", 200),
        ("%=", 400),
        ("limit[]=1", 400),
        ("&&&=&", 200),
        ("no_such_parameter=1", 400),
    ] {
        let request = facade.server.request("GET", &format!("/seam/spaces/list?{query}"));
        let response = request.bearer_auth(&facade.own.live).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), status, "{query}");
    }
    let many = "acs_entrance_ids=nowhere&".repeat(1000);
    let request = facade.server.request("GET", &format!("/seam/acs/entrances/list?{many}"));
    let response = request.bearer_auth(&facade.own.live).send().await.expect("an answer");
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["acs_entrances"], json!([]), "{answer}");
}

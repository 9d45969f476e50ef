//! The edge: credentials, ids, limits, slow clients, health, shutdown.

use std::sync::atomic::Ordering;

use chrono_tz::Tz;
use futures_util::future::join_all;
use latchkey::actor::Permission;
use latchkey::app::App;
use latchkey::auth::ApiKeyChange;
use latchkey::clock::Clock;
use latchkey::http::WRITE_STALL;
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::support::{House, LogLines, PATIENCE, TestApp, TestIntegration, TestServer, error_code, eventually, header};

async fn started() -> (TestApp, TestIntegration, TestServer) {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let vendor = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
    let server = TestServer::start(&app.app).await;
    (app, vendor, server)
}

/// An application whose database cannot be reached.
fn without_database() -> App {
    let nowhere = PgConnectOptions::new_without_pgpass().host("/nonexistent").username("nobody");
    let ids = IdSource::operating_system();
    let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
    App::new(nowhere, 1, Clock::system(), ids, secret_keys, WebhookSettings::default())
}

fn typename() -> Value {
    json!({ "query": "{ __typename }" })
}

/// Sends `authorization` and tells status, `WWW-Authenticate`, code, category and message.
async fn refused(server: &TestServer, authorization: Option<&str>) -> (u16, String, Value) {
    let mut request = server.request("POST", "/graphql").json(&typename());
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let response = request.send().await.expect("an answer");
    let (status, challenge) = (response.status().as_u16(), header(&response, "www-authenticate").to_owned());
    let answer: Value = response.json().await.expect("JSON");
    assert!(answer.get("data").is_none());
    (status, challenge, answer["errors"].clone())
}

fn auth_error(code: &str, message: &str) -> (u16, String, Value) {
    let error = json!({ "message": message, "extensions": { "code": code, "category": "auth" } });
    (401, "Bearer".to_owned(), json!([error]))
}

#[tokio::test]
async fn g35_a_body_of_another_media_type_is_told_what_to_send() {
    let (_app, vendor, server) = started().await;
    for path in ["/graphql", "/api/pms/v1/grand-hotel/guests/checkin"] {
        for (content_type, said) in [
            (None, "The header Content-Type is missing; send Content-Type: application/json"),
            (
                Some("text/plain"),
                "The header Content-Type says that the body is not JSON; send Content-Type: application/json",
            ),
            (
                Some("application/json; charset=latin1"),
                "The header Content-Type names another encoding than UTF-8, the only one of JSON",
            ),
        ] {
            let request = server.request("POST", path).bearer_auth(&vendor.live).body("{}");
            let request = match content_type {
                Some(content_type) => request.header("content-type", content_type),
                None => request,
            };
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status().as_u16(), 415);
            let answer: Value = response.json().await.expect("JSON");
            let message = answer.pointer("/errors/0/message").unwrap_or(&answer["message"]);
            assert_eq!(message, said, "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn e19_a_missing_or_malformed_header_says_how_to_send_it() {
    let (_app, vendor, server) = started().await;
    let expected = auth_error("UNAUTHORIZED", "Missing or malformed Authorization header. Use: Bearer pms_live_xxx");
    assert_eq!(refused(&server, None).await, expected);
    for malformed in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", &vendor.live] {
        assert_eq!(refused(&server, Some(malformed)).await, expected, "{malformed}");
    }
}

#[tokio::test]
async fn e20_e22_e24_every_wrong_key_gets_the_same_answer() {
    let (app, vendor, server) = started().await;
    let expected = auth_error("UNAUTHORIZED", "Invalid credentials");
    app.change_api_key(vendor.api_key_id, ApiKeyChange::Disable).await.expect("disabled");
    for wrong in [
        "x",
        "pms_live_",
        "pms_live_ghijklmnopghijklmnopghijklmnopgh",
        "pms_live_00000000000000000000000000000000",
        "pms_test_00000000000000000000000000000000",
        &vendor.live,
    ] {
        assert_eq!(refused(&server, Some(&format!("Bearer {wrong}"))).await, expected, "{wrong}");
    }
}

#[tokio::test]
async fn e16_e21_a_revoked_key_is_told_so_from_the_next_request_on() {
    let (app, vendor, server) = started().await;
    assert_eq!(server.post(&vendor.live, &typename()).send().await.expect("an answer").status(), 200);
    app.change_api_key(vendor.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    let expected = auth_error("KEY_REVOKED", "API key has been revoked. Contact hotel admin for a new key.");
    for key in [&vendor.live, &vendor.test] {
        assert_eq!(refused(&server, Some(&format!("Bearer {key}"))).await, expected);
    }
    let close = format!("Bearer {}0", vendor.live);
    assert_eq!(refused(&server, Some(&close)).await, auth_error("UNAUTHORIZED", "Invalid credentials"));
}

#[tokio::test]
async fn e01_a_key_is_asked_for_before_the_body_is_looked_at() {
    let (_app, vendor, server) = started().await;
    let post = |key: &str| server.request("POST", "/graphql").bearer_auth(key).body("x".repeat(900_000));
    assert_eq!(post("wrong").send().await.expect("an answer").status(), 401);
    assert_eq!(post(&vendor.live).send().await.expect("an answer").status(), 415);
    let lower_case = server.request("POST", "/graphql").header("authorization", format!("bearer {}", vendor.live));
    assert_eq!(lower_case.json(&typename()).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn f15_graphql_is_served_by_post_only() {
    let (_app, vendor, server) = started().await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = server.request(method, "/graphql?query={__typename}").bearer_auth(&vendor.live);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(header(&response, "allow"), "POST", "{method}");
        if method != "HEAD" {
            assert_eq!(error_code(&response.json().await.expect("JSON")), "METHOD_NOT_ALLOWED");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_in_json() {
    let server = TestServer::start(&without_database()).await;
    for (method, path, status, expected) in [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("POST", "/graphql//", 404, "NOT_FOUND"),
        ("GET", "/docs/nothing.md", 404, "NOT_FOUND"),
        ("GET", "/graphql/ide/nothing.js", 404, "NOT_FOUND"),
        ("GET", "/graphql/ide/..%2fide.html", 404, "NOT_FOUND"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let response = server.request(method, path).send().await.expect("an answer");
        assert_eq!(response.status(), status, "{path}");
        assert!(header(&response, "content-type").contains("json"));
        assert_eq!(error_code(&response.json().await.expect("JSON")), expected, "{path}");
    }
}

#[tokio::test]
async fn e18_every_answer_carries_an_id_of_its_own_and_security_headers() {
    let server = TestServer::start(&without_database()).await;
    let mut ids = std::collections::HashSet::new();
    for (method, path) in [("GET", "/healthz"), ("GET", "/nothing"), ("GET", "/graphql"), ("GET", "/graphql/ide")] {
        let request = server.request(method, path).header("x-request-id", "req_chosen");
        let response = request.send().await.expect("an answer");
        let id = header(&response, "x-request-id").to_owned();
        assert!(id.len() == 12 && id.starts_with("req_") && id != "req_chosen", "{id}");
        assert!(ids.insert(id));
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(header(&response, "x-frame-options"), "DENY");
        assert!(header(&response, "content-security-policy").contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable_and_may_be_tried_again() {
    let app = without_database();
    app.ready.store(true, Ordering::Release);
    let server = TestServer::start(&app).await;
    let response = server.post("any", &typename()).send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "1"));
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(error_code(&answer), "UNAVAILABLE");
    assert!(!answer.to_string().contains("nonexistent"));

    assert_eq!(server.request("GET", "/healthz").send().await.expect("an answer").status(), 200);
    let response = server.request("GET", "/readyz").send().await.expect("an answer");
    assert_eq!(response.status(), 503);
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer, json!({ "status": "unavailable", "reason": "database" }));
}

#[tokio::test]
async fn readiness_waits_for_the_start_to_end() {
    let (app, _vendor, server) = started().await;
    let response = server.request("GET", "/readyz").send().await.expect("an answer");
    assert_eq!(response.status(), 503);
    assert_eq!(response.json::<Value>().await.expect("JSON"), json!({ "status": "unavailable", "reason": "starting" }));
    app.ready.store(true, Ordering::Release);
    assert_eq!(server.request("GET", "/readyz").send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_refused() {
    let (_app, vendor, server) = started().await;
    let post = |body: String| server.post(&vendor.live, &Value::Null).body(body);
    let padded = |bytes: usize| format!("{}{}", typename(), " ".repeat(bytes - typename().to_string().len()));
    assert_eq!(post(padded(1 << 20)).send().await.expect("an answer").status(), 200);
    let response = post(padded((1 << 20) + 1)).send().await.expect("an answer");
    assert_eq!(response.status(), 413);
    assert_eq!(error_code(&response.json().await.expect("JSON")), "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn graphiql_is_served_whole_from_here() {
    let server = TestServer::start(&without_database()).await;
    let response = server.request("GET", "/graphql/ide").send().await.expect("an answer");
    assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
    assert!(header(&response, "content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    let page = response.text().await.expect("text");
    for reference in page.split('"').filter(|part| part.starts_with("/graphql/ide/")) {
        let response = server.request("GET", reference).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{reference}");
        let versioned = reference.contains(".min.");
        assert_eq!(header(&response, "cache-control").contains("immutable"), versioned, "{reference}");
    }
}

#[tokio::test]
async fn g31_whoever_comes_with_a_browser_is_shown_the_way() {
    let server = TestServer::start(&without_database()).await;
    let get = |path: &str| server.request("GET", path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let response = get("/").send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "text/html; charset=utf-8"));
    let policy = header(&response, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self';"), "{policy}");
    let page = response.text().await.expect("text");
    assert!(!page.contains("://") && !page.contains("<script"), "nothing comes from elsewhere");
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for wanted in ["/graphql/ide", "/schema.graphql", "/docs/API.md", "/healthz", "/readyz", "/favicon.ico"] {
        assert!(links.contains(&wanted), "{wanted}");
    }
    for link in links.into_iter().filter(|link| *link != "/readyz") {
        let response = get(link).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{link}");
        let kind = header(&response, "content-type").to_owned();
        let expected = match link.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "md" | "graphql" => "text/plain; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "ico" => "image/svg+xml",
            "json" => "application/json",
            _ if link == "/healthz" => "application/json",
            _ => "text/html; charset=utf-8",
        };
        assert!(kind.starts_with(expected), "{link}: {kind}");
    }

    for (path, expected) in [("/graphql/ide/", 200), ("/graphql/ide", 200), ("/docs/API.md/", 200), ("/docs/", 404)] {
        assert_eq!(get(path).send().await.expect("an answer").status(), expected, "{path}");
    }

    for path in ["/graphql", "/graphql/"] {
        let response = get(path).send().await.expect("an answer");
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "POST"), "{path}");
        assert!(response.text().await.expect("text").contains("<a href=\"/graphql/ide\">"), "{path}");
        let response = server.request("GET", path).header("accept", "application/json").send().await;
        let answer: Value = response.expect("an answer").json().await.expect("JSON");
        assert_eq!(error_code(&answer), "METHOD_NOT_ALLOWED");
        assert!(answer["errors"][0]["message"].as_str().expect("text").contains("/graphql/ide"), "{answer}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_changes_nothing() {
    let (app, vendor, server) = started().await;
    app.ready.store(true, Ordering::Release);
    let answer = server.request("POST", "/graphql/").bearer_auth(&vendor.live).json(&typename()).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    for path in ["/healthz/", "/readyz/", "/api/pms/v1/openapi.json/"] {
        assert_eq!(server.request("GET", path).send().await.expect("an answer").status(), 200, "{path}");
    }
    let guests =
        server.request("GET", "/api/pms/v1/grand-hotel/guests/?limit=1").bearer_auth(&vendor.live).send().await;
    assert_eq!(guests.expect("an answer").status(), 200);
}

#[tokio::test]
async fn g32_graphiql_opens_with_the_next_arrivals() {
    let house = House::new().await;
    for (code, from) in [("R1", "2026-01-29"), ("R2", "2026-01-30"), ("R3", "2026-01-31"), ("R4", "2026-02-01")] {
        house.reservation(code, &[(from, "2026-02-20")]).await;
    }
    let (cancelled, _) = house.reservation("R5", &[("2026-01-30", "2026-02-20")]).await;
    house.desk.done("cancelReservation", json!({ "id": cancelled }), "reservation { id }").await;
    let page = include_str!("../../src/http/graphiql/ide.js");
    let query = page.split("const example = `").nth(1).and_then(|rest| rest.split('`').next()).expect("the query");
    assert!(query.starts_with("# The next arrivals: today's and tomorrow's."));
    let query = query.replace("${day(0)}", "2026-01-30").replace("${day(1)}", "2026-01-31");
    let found = house.messaging.data(&query, json!({})).await["room_stays"]["edges"].take();
    let mut arrivals: Vec<&str> = found
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| edge["node"]["reservation_from"].as_str().expect("a day"))
        .collect();
    arrivals.sort_unstable();
    assert_eq!(arrivals, ["2026-01-30", "2026-01-31"]);
}

// The time stands still until nothing else can happen, then it jumps to the next time-out: no test waits for it.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_send_its_head_within_10_seconds_is_cut_off() {
    let server = TestServer::start(&without_database()).await;
    for beginning in ["", "GET /healthz HTTP/1.1\r\nx-slow: ", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /hea"] {
        let start = Instant::now();
        let answer = server.raw(beginning.as_bytes()).await;
        assert_eq!(answer.matches("200 OK").count(), usize::from(beginning.contains("\r\n\r\n")), "{answer}");
        assert!((10..12).contains(&start.elapsed().as_secs()), "{:?} after {beginning}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answers_is_cut_off() {
    let server = TestServer::start(&without_database()).await;
    let mut stream = server.connect().await;
    let asks = "GET /graphql/ide/graphiql-4.1.2.min.js HTTP/1.1\r\nhost: a\r\n\r\n".repeat(40);
    stream.write_all(asks.as_bytes()).await.expect("sent");
    tokio::time::sleep(3 * WRITE_STALL).await;
    let mut received = Vec::new();
    // Reset or closed: both are the end.
    let _ = stream.read_to_end(&mut received).await;
    assert!(received.len() < 40 * 1_000_000, "all of it came: {}", received.len());
}

/// Takes a lock that authentication waits for, and tells when a request does.
struct Obstacle {
    holder: sqlx::Transaction<'static, sqlx::Postgres>,
    watcher: PgConnection,
}

impl Obstacle {
    async fn new(app: &TestApp) -> Self {
        let mut holder = app.db.pool.begin().await.expect("a transaction");
        sqlx::query("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.expect("locked");
        Self { holder, watcher: app.db.options().connect().await.expect("a connection") }
    }

    async fn stands_in_the_way(&mut self) {
        let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'api_keys'::regclass)";
        eventually(PATIENCE, "a request waits", async || {
            sqlx::query_scalar(waiting).fetch_one(&mut self.watcher).await.expect("an answer")
        })
        .await;
    }

    async fn remove(self) {
        self.holder.rollback().await.expect("unlocked");
    }
}

#[tokio::test]
async fn a_stopping_server_finishes_what_it_serves_and_takes_nothing_new() {
    let (app, vendor, server) = started().await;
    let mut obstacle = Obstacle::new(&app).await;
    let request = tokio::spawn(server.post(&vendor.live, &typename()).send());
    obstacle.stands_in_the_way().await;
    let url = server.url.clone();
    let stopping = server.stop();
    eventually(PATIENCE, "nothing new is taken", async || reqwest::get(format!("{url}/healthz")).await.is_err()).await;
    assert!(!stopping.is_finished());
    obstacle.remove().await;
    assert_eq!(request.await.expect("it ends").expect("an answer").status(), 200);
    stopping.await.expect("it ends").expect("without an error");
}

#[tokio::test]
async fn a_request_runs_to_its_end_after_its_client_has_hung_up() {
    let lines = LogLines::capture();
    let (app, vendor, server) = started().await;
    let mut obstacle = Obstacle::new(&app).await;
    let request = tokio::spawn(server.post(&vendor.live, &typename()).send());
    obstacle.stands_in_the_way().await;
    request.abort();
    assert!(request.await.is_err());
    let stopping = server.stop();
    obstacle.remove().await;
    stopping.await.expect("it ends").expect("without an error");
    let line = lines.requests().pop().expect("a line");
    assert_eq!((&line["http.status"], &line["actor.hotel"]), (&json!(200), &json!("grand-hotel")));
}

#[tokio::test]
async fn e12_one_line_per_request_tells_who_and_what_but_no_secret() {
    let lines = LogLines::capture();
    let (_app, vendor, server) = started().await;
    let secret = json!({ "query": "{ __typename unknownField }", "variables": { "pin": "987654" } });
    let response = server.post(&vendor.live, &secret).send().await.expect("an answer");
    let id = header(&response, "x-request-id").to_owned();
    server.request("GET", "/graphql/ide/ide.css?pin=987654").send().await.expect("an answer");
    server.request("GET", "/987654").send().await.expect("an answer");

    let requests = lines.requests();
    assert_eq!(requests.len(), 3);
    let line = &requests[0];
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["request.id"], id);
    assert_eq!((&line["http.method"], &line["http.path"]), (&json!("POST"), &json!("/graphql")));
    assert_eq!(line["http.status"], 200);
    assert_eq!(line["actor.hotel"], "grand-hotel");
    assert_eq!(line["actor.integration"], vendor.integration_id.to_string());
    assert!(line["duration_ms"].is_u64() && line["db.statements"].is_u64());
    assert_eq!(requests[1]["http.path"], "/graphql/ide/{file}");
    assert_eq!(requests[2]["http.path"], "none");
    let text = lines.text();
    for secret in ["987654", &vendor.live, "__typename"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn f18_requests_of_a_test_key_are_marked_in_the_log() {
    let lines = LogLines::capture();
    let (_app, vendor, server) = started().await;
    for key in [&vendor.test, &vendor.live] {
        server.post(key, &typename()).send().await.expect("an answer");
        let page = server.request("GET", "/api/pms/v1/grand-hotel/guests").bearer_auth(key);
        assert_eq!(page.send().await.expect("an answer").status(), 200);
    }
    let marks: Vec<Value> = lines.requests().into_iter().map(|mut line| line["actor.test"].take()).collect();
    assert_eq!(marks, [json!(true), json!(true), Value::Null, Value::Null]);
}

#[tokio::test]
async fn g44_requests_that_a_failing_database_refuses_are_counted_in_one_warning_with_its_cause() {
    let lines = LogLines::capture();
    let server = TestServer::start(&without_database()).await;
    let requests = (0..20).map(|_| async {
        let batch = json!([{ "query": "{ __typename }" }, { "query": "{ __typename }" }]);
        let rest = server.request("GET", "/api/pms/v1/grand-hotel/guests").bearer_auth("any").send();
        let (one, two, rest) =
            tokio::join!(server.post("any", &typename()).send(), server.post("any", &batch).send(), rest);
        for answer in [one, two, rest] {
            assert_eq!(answer.expect("an answer").status(), 503);
        }
    });
    join_all(requests).await;
    server.stop().await.expect("it ends").expect("without an error");
    assert!(lines.requests().is_empty(), "each has a line for whoever wants them at debug");
    let text = lines.text();
    let of = |message: &str| -> Vec<Value> {
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &Value| line["message"] == message && line["level"] == "WARN").collect()
    };
    let refused = of("requests refused");
    assert_eq!(refused.iter().map(|line| line["unavailable"].as_u64().expect("a number")).sum::<u64>(), 60);
    assert!((1..=5).contains(&refused.len()), "one a second: {refused:?}");
    assert!(refused[0]["error.causes"].as_str().is_some_and(|causes| !causes.is_empty()));
    assert_eq!(of("the database cannot be reached").len(), 1);
}

#[tokio::test]
async fn g37_the_log_line_counts_all_statements_of_a_request() {
    let lines = LogLines::capture();
    let (app, vendor, server) = started().await;
    let count = |request: usize| lines.requests()[request]["db.statements"].clone();
    let query = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }";
    server.run(&vendor.live, query, json!({})).await;
    assert_eq!(count(0), 2, "the key, and the audit trail");
    server.run(&vendor.test, query, json!({})).await;
    assert_eq!(count(1), 1, "the key, which is undone, and no audit trail");
    let rest = |method: &str, path: &str| {
        server.request(method, &format!("/api/pms/v1/grand-hotel/guests{path}")).bearer_auth(&vendor.live)
    };
    rest("GET", "").send().await.expect("an answer");
    assert_eq!(count(2), 1);
    let nobody = json!({"pmsGuestId": "nobody"});
    let refused =
        rest("POST", "/checkout").header("idempotency-key", "k").json(&nobody).send().await.expect("an answer");
    assert_eq!(refused.status(), 404);
    assert_eq!(count(3), 4, "two for the idempotency key, two for the guest");
    let list = || rest("POST", "/sync").header("idempotency-key", "k").json(&json!({"guests": []}));
    list().send().await.expect("an answer");
    assert_eq!(count(4), 4, "two for the idempotency key, who is in the house, and the answer is kept");
    list().send().await.expect("an answer");
    assert_eq!(count(5), 2, "the answer is found");
    drop(app);
}

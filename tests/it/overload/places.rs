//! Who holds a place, who waits for one, and what whoever finds none is told.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use latchkey::actor::Permission;
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestApp, TestIntegration, TestServer, error_code, eventually, header};

/// As many requests of the test application run at a time as it has connections.
const PLACES: usize = 5;
/// Longest that anybody waits for a place, and what a busy machine may add.
const PATIENCE: Duration = Duration::from_secs(10);

struct Site {
    app: TestApp,
    vendor: TestIntegration,
    server: TestServer,
}

impl Site {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let hotel = app.hotel("grand-hotel", chrono_tz::Tz::Europe__Berlin).await;
        let vendor = app.integration(&hotel, "Locks", Permission::Write).await;
        let server = TestServer::start(&app).await;
        Self { app, vendor, server }
    }

    async fn graphql(&self) -> Response {
        let body = json!({"query": "{ room_stays { totalCount } }"});
        self.server.post(&self.vendor.live, &body).send().await.expect("an answer")
    }

    async fn rest(&self) -> Response {
        let guests = self.server.request("GET", "/api/pms/v1/grand-hotel/guests");
        guests.bearer_auth(&self.vendor.live).send().await.expect("an answer")
    }

    async fn waiting_in_the_database(&self) -> usize {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&self.app.db.pool).await.expect("a count");
        usize::try_from(waiting).expect("a count")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_place_is_told_so_in_the_form_of_the_interface() {
    let site = Site::new().await;
    let mut holding = site.app.db.pool.begin().await.expect("a connection");
    holding.execute("LOCK TABLE room_stays IN ACCESS EXCLUSIVE MODE").await.expect("held");
    let running = join_all((0..PLACES).map(|_| site.graphql()));
    let others = async {
        eventually(PATIENCE, "all places wait", async || site.waiting_in_the_database().await == PLACES).await;
        let began = Instant::now();
        let batch = site.server.post(&site.vendor.live, &json!([{"query": "{ a }"}, {"query": "{ b }"}]));
        let (graphql, rest, batch) = tokio::join!(site.graphql(), site.rest(), batch.send());
        let waited = began.elapsed();
        let health = site.server.request("GET", "/healthz").send().await.expect("an answer");
        assert_eq!(health.status(), 200, "who watches needs no place");
        holding.rollback().await.expect("let go");
        (graphql, rest, batch.expect("an answer"), waited)
    };
    let (running, (graphql, rest, batch, waited)) = tokio::join!(running, others);
    assert!(waited < PATIENCE, "{waited:?}");
    for response in [&graphql, &rest, &batch] {
        assert_eq!(response.status(), 503);
        assert_eq!(header(response, "retry-after"), "1");
        assert!(header(response, "x-request-id").starts_with("req_"));
    }
    let id = header(&rest, "x-request-id").to_owned();
    assert_eq!(error_code(&graphql.json().await.expect("JSON")), "OVERLOADED");
    let batch: Vec<Value> = batch.json().await.expect("an array");
    assert_eq!(batch.iter().map(error_code).collect::<Vec<_>>(), ["OVERLOADED"; 2]);
    let rest: Value = rest.json().await.expect("JSON");
    assert_eq!(rest["code"], "OVERLOADED");
    assert_eq!(rest["requestId"], id);
    for response in running {
        assert_eq!(response.status(), 200, "{:?}", response.text().await);
    }
    assert_eq!(site.graphql().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_holds_no_place() {
    let site = Site::new().await;
    let body = r#"{"query": "{ __typename }"}"#;
    let (beginning, end) = body.split_at(10);
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{beginning}",
        site.vendor.live,
        body.len()
    );
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..2 * PLACES {
        let mut stream = site.server.connect().await;
        stream.write_all(head.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    for response in join_all((0..2 * PLACES).map(|_| site.graphql())).await {
        assert_eq!(response.status(), 200, "{:?}", response.text().await);
    }
    for stream in &mut slow {
        stream.write_all(end.as_bytes()).await.expect("sent");
    }
    for mut stream in slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_connections_are_used_up_the_request_is_told_that_it_may_try_again() {
    let site = Site::new().await;
    let all = join_all((0..PLACES).map(|_| site.app.pool.of_hotel(site.vendor.hotel_id))).await;
    let response = site.graphql().await;
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "1"));
    assert_eq!(error_code(&response.json().await.expect("JSON")), "UNAVAILABLE");
    assert!(all.iter().all(Result::is_ok));
    drop(all);
    assert_eq!(site.graphql().await.status(), 200);
}

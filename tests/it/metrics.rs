//! What Prometheus reads, what docs/OPERATIONS.md says of it, and what the dashboard and the alert rules make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener as StdListener;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::error::ErrorCode;
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::throttle::{Limit, ThrottleSettings};
use latchkey::webhooks::{self, Sender, WebhookSettings};
use latchkey::{http, pruner};
use reqwest::{Client, StatusCode};
use serde_json::json;
use sqlx::Executor as _;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{DataDir, House, Receiver, Reply, TestApp, TestDb, TestServer, latchkey as program};
use crate::webhooks as hooks;

/// A listener for Prometheus.
struct Prometheus {
    url: String,
    _serving: JoinSet<()>,
}

impl Prometheus {
    async fn of(app: &App) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut serving = JoinSet::new();
        serving.spawn(http::serve_metrics(listener, app.clone(), std::future::pending()));
        Self { url, _serving: serving }
    }

    async fn scrape(&self) -> Scrape {
        let answer = Client::new().get(format!("{}/metrics", self.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        Scrape(answer.text().await.expect("text"))
    }
}

/// What Prometheus was told.
struct Scrape(String);

impl Scrape {
    /// The value of a series, by its name and labels as they are written.
    fn value(&self, series: &str) -> Option<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().expect("a number"))
    }

    /// Types of the metrics that have at least one sample, by name.
    fn metrics(&self) -> BTreeMap<String, String> {
        let of_type = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let mut metrics: BTreeMap<String, String> = of_type.map(|(name, kind)| (name.into(), kind.into())).collect();
        let sampled: BTreeSet<&str> =
            self.samples().map(|sample| sample.split(['{', ' ']).next().unwrap_or_default()).collect();
        metrics.retain(|name, kind| match kind.as_str() {
            "histogram" => sampled.contains(format!("{name}_count").as_str()),
            _ => sampled.contains(name.as_str()),
        });
        metrics
    }

    fn samples(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter(|line| !line.starts_with('#'))
    }
}

/// A hotel whose integrations have webhooks.
async fn house() -> House {
    let test = TestApp::with_webhooks(hooks::settings("127.0.0.0/8")).await;
    House::on(test, "grand-hotel", Tz::Europe__Berlin).await
}

/// Limits that are soon reached, of requests or of what they cost.
fn limits(requests: u64, cost: u64) -> ThrottleSettings {
    ThrottleSettings {
        requests: Limit::new(requests),
        cost: Limit::new(cost),
        auth_failures: Limit::new(2),
        ..ThrottleSettings::unlimited()
    }
}

/// A process on the database of a house.
fn process(house: &House, limits: ThrottleSettings) -> App {
    let parts = &house.test;
    let (clock, ids, keys) = (parts.clock.clone(), parts.ids.clone(), parts.secret_keys.clone());
    App::with_limits(parts.db.options(), 2, clock, ids, keys, hooks::settings("127.0.0.0/8"), limits)
}

/// Has a process do everything that is counted.
async fn keep_busy(house: &House, app: &App) {
    let server = TestServer::start(app).await;
    let key = &house.keys.live;
    let guests = server.request("GET", "/api/pms/v1/grand-hotel/guests?limit=1").bearer_auth(key);
    guests.send().await.expect("an answer");
    // Until the budget is used up.
    let ask = json!({"query": "{ room_stays { totalCount } }"});
    while server.post(key, &ask).send().await.expect("an answer").status() == StatusCode::OK {}
    for _ in 0..3 {
        server.post("pms_live_doe_301", &ask).send().await.expect("an answer");
    }
    server.request("GET", "/doe/301").send().await.expect("an answer");

    let (working, broken) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(410)).await);
    for receiver in [&working, &broken] {
        hooks::endpoint(&house.locks, &receiver.url(), &["room_stay.created"]).await;
    }
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.locks.pin("4711").await).await;
    webhooks::deliver_due(app, &app.webhooks, &Arc::new(Sender::default())).await.expect("the database is there");
    assert!(app.secret_keys.open(b"row", b"sealed with a key that nobody has").is_err());
    house.test.advance(TimeDelta::days(9));
    pruner::prune_due(app).await.expect("the database is there");
}

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names and types in the table of docs/OPERATIONS.md.
fn documented() -> BTreeMap<String, String> {
    let text = read("docs/OPERATIONS.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `latchkey_")?.split_once("` | "));
    rows.map(|(name, rest)| {
        let kind = rest.split(' ').next().expect("a type");
        (format!("latchkey_{name}"), kind.to_owned())
    })
    .collect()
}

#[tokio::test]
async fn what_is_told_under_load_is_what_is_documented_and_names_nobody() {
    let house = house().await;
    let app = process(&house, limits(100, 1_000));
    let prometheus = Prometheus::of(&app).await;
    keep_busy(&house, &app).await;
    let scrape = prometheus.scrape().await;
    assert_eq!(scrape.metrics(), documented());

    let names = ["grand", "Locks", "doe", "301", "4711", "127.0.0.1", house.keys.live.as_str()];
    let ids = [house.hotel.id, house.keys.integration_id, house.keys.api_key_id].map(|id| id.to_string());
    for name in names.into_iter().chain(ids.iter().map(String::as_str)) {
        let telling: Vec<&str> = scrape
            .samples()
            .filter(|sample| {
                let labels = sample.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
                labels.is_some_and(|(labels, _)| labels.contains(name))
            })
            .collect();
        assert!(telling.is_empty(), "{name}: {telling:#?}");
    }
    for (series, expected) in [
        (r#"latchkey_http_requests_total{route="/api/pms/v1/{hotel}/guests",status="200"}"#, 1.0),
        (r#"latchkey_http_requests_total{route="/graphql",status="401"}"#, 2.0),
        (r#"latchkey_http_requests_total{route="/graphql",status="429"}"#, 2.0),
        (r#"latchkey_http_requests_total{route="other",status="404"}"#, 1.0),
        (r#"latchkey_http_errors_total{code="RATE_LIMITED"}"#, 2.0),
        (r#"latchkey_limit_refusals_total{limit="cost"}"#, 1.0),
        (r#"latchkey_limit_refusals_total{limit="auth_failures"}"#, 1.0),
        (r#"latchkey_webhook_attempts_total{outcome="delivered"}"#, 1.0),
        (r#"latchkey_webhook_attempts_total{outcome="STATUS_REFUSED"}"#, 1.0),
        ("latchkey_webhook_endpoints_disabled_total", 1.0),
        (r#"latchkey_pruner_keys_total{action="revoked"}"#, 1.0),
        (r#"latchkey_pruner_keys_total{action="deleted"}"#, 1.0),
        ("latchkey_sealed_values_unreadable_total", 1.0),
        ("latchkey_admission_places", 2.0),
        ("latchkey_admission_places_taken", 0.0),
        ("latchkey_database_up", 1.0),
        (r#"latchkey_database_connections_max{pool="requests"}"#, 2.0),
    ] {
        assert_eq!(scrape.value(series), Some(expected), "{series}\n{}", scrape.0);
    }
}

#[tokio::test]
async fn what_is_counted_by_closed_lists_of_labels_begins_at_zero() {
    let house = house().await;
    let scrape = Prometheus::of(&process(&house, limits(1, 1_000))).await.scrape().await;
    let codes =
        ErrorCode::ALL.iter().map(|code| format!(r#"latchkey_http_errors_total{{code="{}"}}"#, code.spec().wire));
    let limits = ["requests", "cost", "auth_failures"];
    let limits = limits.map(|limit| format!(r#"latchkey_limit_refusals_total{{limit="{limit}"}}"#));
    let outcomes = webhooks::Failure::ALL.map(webhooks::Failure::as_str).into_iter().chain(["delivered"]);
    let outcomes = outcomes.map(|outcome| format!(r#"latchkey_webhook_attempts_total{{outcome="{outcome}"}}"#));
    for series in codes.chain(limits).chain(outcomes) {
        assert_eq!(scrape.value(&series), Some(0.0), "{series}");
    }
}

#[test]
fn the_dashboard_and_the_alert_rules_name_only_what_there_is() {
    let documented = documented();
    let mut named = 0;
    for path in ["docs/monitoring/dashboard.json", "docs/monitoring/alerts.yml", "docs/monitoring/alerts.test.yml"] {
        let text = read(path);
        for name in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            // The name of the rules' group, of the service and of the dashboard have no underscore.
            if !name.starts_with("latchkey_") {
                continue;
            }
            let of_histogram = ["_bucket", "_sum", "_count"].into_iter().find_map(|part| name.strip_suffix(part));
            let known = documented.contains_key(name)
                || of_histogram.is_some_and(|name| documented.get(name).is_some_and(|kind| kind == "histogram"));
            assert!(known, "{path}: {name}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
    let dashboard: serde_json::Value = serde_json::from_str(&read("docs/monitoring/dashboard.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 8));
}

#[tokio::test]
async fn the_listener_answers_nothing_else_and_the_metrics_are_nowhere_else() {
    let house = house().await;
    let (server, prometheus) = (TestServer::start(&house.test).await, Prometheus::of(&house.test).await);
    let client = Client::new();
    for path in ["/", "/graphql", "/healthz", "/readyz", "/metrics/more", "/graphql/ide"] {
        let answer = client.get(format!("{}{path}", prometheus.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let answer = client.post(format!("{}/metrics", prometheus.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    let answer = server.request("GET", "/metrics").bearer_auth(&house.keys.live).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    // What Prometheus asks is no request.
    let scrape = prometheus.scrape().await;
    let requests: Vec<&str> = scrape.samples().filter(|sample| sample.contains("http_requests_total")).collect();
    assert_eq!(requests, [r#"latchkey_http_requests_total{route="other",status="404"} 1"#]);
}

#[tokio::test]
async fn two_servers_of_one_process_count_each_for_itself() {
    let house = house().await;
    let (one, other) = (process(&house, limits(1, 1_000)), process(&house, limits(0, 0)));
    let (of_one, of_other) = (Prometheus::of(&one).await, Prometheus::of(&other).await);
    let (server, beside) = (TestServer::start(&one).await, TestServer::start(&other).await);
    let ask = json!({"query": "{ __typename }"});
    for _ in 0..3 {
        server.post(&house.keys.live, &ask).send().await.expect("an answer");
    }
    beside.post(&house.keys.live, &ask).send().await.expect("an answer");
    let (one, other) = (of_one.scrape().await, of_other.scrape().await);
    let ok = r#"latchkey_http_requests_total{route="/graphql",status="200"}"#;
    assert_eq!((one.value(ok), other.value(ok)), (Some(1.0), Some(1.0)));
    let refused = r#"latchkey_limit_refusals_total{limit="requests"}"#;
    assert_eq!((one.value(refused), other.value(refused)), (Some(2.0), Some(0.0)));
    let statements = |scrape: &Scrape| scrape.value(r#"latchkey_http_request_statements_count{route="/graphql"}"#);
    assert_eq!((statements(&one), statements(&other)), (Some(3.0), Some(1.0)));
}

#[tokio::test]
async fn what_waits_in_the_database_is_told_and_asked_for_once_in_ten_seconds() {
    let house = house().await;
    let app = process(&house, limits(0, 0));
    let (hooks_of, prometheus) = (Receiver::new(Reply::Status(500)).await, Prometheus::of(&app).await);
    hooks::endpoint(&house.locks, &hooks_of.url(), &["room_stay.created"]).await;
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.locks.pin("1").await).await;
    house.test.advance(TimeDelta::seconds(90));
    let oldest = |endpoints| format!(r#"latchkey_webhook_oldest_due_seconds{{endpoints="{endpoints}"}}"#);
    let waiting = |endpoints| format!(r#"latchkey_webhook_endpoints_waiting{{endpoints="{endpoints}"}}"#);
    let keys = "latchkey_pruner_oldest_due_seconds";
    let scrape = prometheus.scrape().await;
    assert_eq!((scrape.value(&oldest("working")), scrape.value(&waiting("working"))), (Some(90.0), Some(1.0)));
    assert_eq!((scrape.value(&oldest("failing")), scrape.value(&waiting("failing"))), (Some(0.0), Some(0.0)));
    assert_eq!(scrape.value(keys), Some(0.0));

    webhooks::deliver_due(&app, &app.webhooks, &Arc::new(Sender::default())).await.expect("the database is there");
    house.test.advance(TimeDelta::seconds(9));
    assert_eq!(prometheus.scrape().await.value(&oldest("working")), Some(90.0), "as it was");
    // The second attempt is due 10 seconds after the first one, give or take one.
    house.test.advance(TimeDelta::seconds(11));
    let scrape = prometheus.scrape().await;
    assert_eq!((scrape.value(&oldest("working")), scrape.value(&waiting("working"))), (Some(0.0), Some(0.0)));
    assert!(scrape.value(&oldest("failing")).is_some_and(|seconds| (8.0..12.0).contains(&seconds)), "{}", scrape.0);

    // The key is due two civil days after the stay, on 4 February at 10:00 UTC.
    let due = "2026-02-04T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
    house.test.advance(due + TimeDelta::hours(1) - house.test.clock.now());
    assert_eq!(prometheus.scrape().await.value(keys), Some(3_600.0));
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_and_keeps_no_scrape_waiting() {
    let house = house().await;
    let app = process(&house, limits(0, 0));
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    holding.execute("LOCK TABLE webhook_deliveries IN ACCESS EXCLUSIVE MODE").await.expect("held");
    let scrape = Prometheus::of(&app).await.scrape().await;
    assert_eq!(scrape.value("latchkey_database_up"), Some(0.0));
    holding.rollback().await.expect("the database is there");

    let nowhere = PgConnectOptions::new_without_pgpass().host("/nonexistent").username("nobody");
    let ids = IdSource::operating_system();
    let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
    let app = App::new(nowhere, 1, Clock::system(), ids, secret_keys, WebhookSettings::default());
    let scrape = Prometheus::of(&app).await.scrape().await;
    assert_eq!(scrape.value("latchkey_database_up"), Some(0.0));
    // No number, so that no rule compares it with one.
    for series in [r#"latchkey_webhook_oldest_due_seconds{endpoints="working"}"#, "latchkey_pruner_oldest_due_seconds"]
    {
        assert!(scrape.value(series).is_some_and(f64::is_nan), "{series}");
    }
    assert_eq!(scrape.value(r#"latchkey_webhook_endpoints_waiting{endpoints="working"}"#), None);
}

#[tokio::test]
async fn whoever_finds_no_place_is_counted() {
    let house = house().await;
    let app = process(&house, limits(0, 0));
    let (server, prometheus) = (TestServer::start(&app).await, Prometheus::of(&app).await);
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    holding.execute("LOCK TABLE room_stays IN ACCESS EXCLUSIVE MODE").await.expect("held");
    let ask = json!({"query": "{ room_stays { totalCount } }"});
    // Two hold a place, 32 can wait: one is refused at once.
    let mut requests = JoinSet::new();
    for _ in 0..35 {
        let request = server.post(&house.keys.live, &ask);
        requests.spawn(async move { request.send().await.expect("an answer").status() });
    }
    let refused = requests.join_next().await.expect("one is answered").expect("no panic");
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    let scrape = prometheus.scrape().await;
    assert_eq!(scrape.value("latchkey_admission_places_taken"), Some(2.0));
    assert!(scrape.value("latchkey_admission_refused_total").is_some_and(|refused| refused >= 1.0));
    assert!(scrape.value("latchkey_http_connections").is_some_and(|open| open >= 34.0), "{}", scrape.0);
    holding.rollback().await.expect("the database is there");
    while requests.join_next().await.is_some() {}
    let code = format!(r#"latchkey_http_errors_total{{code="{}"}}"#, ErrorCode::Overloaded.spec().wire);
    let scrape = prometheus.scrape().await;
    assert_eq!(scrape.value(&code), scrape.value("latchkey_admission_refused_total"));
    assert_eq!(scrape.value("latchkey_http_requests_running"), Some(0.0));
}

#[tokio::test]
async fn the_program_serves_metrics_where_it_is_told_to_and_nowhere_else() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let serving = data.serve();
    assert!(!serving.log().contains("metrics"), "{}", serving.log());
    drop(serving);
    let serving = data.serve_with(&["--metrics-listen", "127.0.0.1:0"]);
    let (_, rest) = serving.log().split_once(r#""metrics.url":""#).expect("where it serves them");
    let url = rest.split('"').next().expect("a URL");
    let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
    assert!(text.contains(concat!(r#"latchkey_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#)), "{text}");

    let occupied = StdListener::bind("127.0.0.1:0").expect("a port");
    let address = occupied.local_addr().expect("an address").to_string();
    let output = program(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &address]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)), "{said}");
}

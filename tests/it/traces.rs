//! Traces: from a request to the webhooks that it causes, as a collector sees them and as a caller and a receiver do.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use latchkey::webhooks::{self, Sender};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use reqwest::{Client, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{DataDir, House, Receiver, Reply, Serving, TestDb, TestServer, text};
use crate::webhooks as hooks;

/// A place in a trace of a caller's.
const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

/// A collector of traces.
struct Collector(Receiver);

impl Collector {
    async fn new() -> Self {
        Self(Receiver::new(Reply::Status(200)).await)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Everything that was exported, as it came.
    fn bytes(&self) -> Vec<u8> {
        self.0.received().into_iter().flat_map(|received| received.body).collect()
    }

    fn exports(&self) -> Vec<ExportTraceServiceRequest> {
        let decode = |body: Vec<u8>| ExportTraceServiceRequest::decode(&body[..]).expect("the protocol");
        self.0.received().into_iter().map(|received| decode(received.body)).collect()
    }

    /// Spans of all exports, in the order in which they began.
    fn spans(&self) -> Vec<Span> {
        let resources = self.exports().into_iter().flat_map(|export| export.resource_spans);
        let mut spans: Vec<Span> =
            resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

/// The value of an attribute as text.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    let Some(AnyValue { value: Some(value) }) = &found.value else { return None };
    Some(match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

/// The spans below one, each with its status where it has one, indented by depth.
fn tree(spans: &[Span], parent: &[u8], depth: usize, text: &mut String) {
    for span in spans.iter().filter(|span| span.parent_span_id == parent) {
        let of = |key| attribute(&span.attributes, key).map(|value| format!(" {value}")).unwrap_or_default();
        let (name, status) = (of("graphql.operation.name"), of("http.response.status_code"));
        writeln!(text, "{}{}{name}{status}{}", "  ".repeat(depth), span.name, of("event.type")).expect("a string");
        tree(spans, &span.span_id, depth + 1, text);
    }
}

/// A server process with a collector, and a hotel in it.
struct Site {
    data: DataDir,
    collector: Collector,
    /// Keys of the front desk and of a lock vendor.
    desk: String,
    locks: String,
    _db: TestDb,
}

impl Site {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let data = DataDir::with_database(&db);
        data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
        let desk = data.api_key("grand-hotel", "Front desk", "FRONT_DESK");
        let locks = data.api_key("grand-hotel", "Locks", "WRITE");
        Self { data, collector: Collector::new().await, desk, locks, _db: db }
    }

    fn serve(&self, environment: &[(&str, &str)]) -> Serving {
        let url = self.collector.url();
        // Only the end exports.
        let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
        all.extend(environment);
        self.data.serve_in(&all, &["--webhook-allow-networks", "127.0.0.0/8"])
    }
}

async fn post(server: &Serving, key: &str, body: &Value, traceparent: Option<&str>) -> Value {
    let mut request = Client::new().post(format!("{}/graphql", server.url)).bearer_auth(key).json(body);
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.expect("JSON")
}

/// Compares the trace with the one that docs/OPERATIONS.md shows.
fn expect_documented(trace: &str) {
    const BEGIN: &str = "<!-- A test writes this trace. -->\n```text\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATIONS.md");
    let text = fs::read_to_string(&file).expect("docs/OPERATIONS.md");
    let (before, rest) = text.split_once(BEGIN).expect("the trace");
    let (_, after) = rest.split_once("```").expect("its end");
    let current = format!("{before}{BEGIN}{trace}```{after}");
    if env::var_os("UPDATE").is_some() {
        fs::write(&file, &current).expect("the file can be written");
        return;
    }
    assert!(text == current, "UPDATE=1 cargo nextest run traces:: writes it anew:\n{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_followed_from_its_request_to_its_webhook() {
    let site = Site::new().await;
    let server = site.serve(&[("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=4712")]);
    let receiver = Receiver::new(Reply::Status(204)).await;
    let desk = async |query: &str, input: Value| {
        post(&server, &site.desk, &json!({"query": query, "variables": {"input": input}}), None).await
    };
    let made = desk(
        "mutation($input: CreateCategoryInput!) { createCategory(input: $input) { category { id } } }",
        json!({"name": "Double"}),
    );
    let category = text(&made.await["data"]["createCategory"]["category"]["id"]);
    let stay = json!({"categoryId": category, "reservation_from": "2030-01-30", "reservation_to": "2030-02-02"});
    let made = desk(
        "mutation($input: CreateReservationInput!) { createReservation(input: $input) { reservation { \
             rooms { edges { node { id } } } } } }",
        json!({"code": "R1", "client": {"person": {"lastname": "Mustermann"}}, "roomStays": [stay]}),
    );
    let stay = text(&made.await["data"]["createReservation"]["reservation"]["rooms"]["edges"][0]["node"]["id"]);
    let input =
        json!({"url": format!("{}/secret-path", receiver.url()), "status": "ENABLED", "events": ["room_stay.updated"]});
    post(&server, &site.locks, &json!({"query": hooks::CREATE, "variables": {"input": input}}), None).await;

    let batch = json!([
        {"query": "mutation NewKey($pin: String!) { createRoomAccessKey(input: {roomAccessPin: {pin: $pin}}) { \
             roomAccessKey { id @chain(variable: \"key\") } } }", "variables": {"pin": "471142"}},
        {"query": "mutation Assign($stay: ID!, $key: ID!) { addRoomAccessKey(input: {roomStayId: $stay, \
             roomAccessKeyId: $key}) { roomStay { id } } }", "variables": {"stay": stay}},
    ]);
    let answers = post(&server, &site.locks, &batch, Some(CALLER)).await;
    assert!(answers[1]["data"]["addRoomAccessKey"]["roomStay"]["id"].is_string(), "{answers}");
    let webhook = receiver.wait_for(1).await.remove(0);
    assert!(site.collector.spans().is_empty(), "nothing was exported before the end");
    let (status, log) = server.end(Signal::TERM);
    assert!(status.success(), "{log}");

    let spans = site.collector.spans();
    let spans: Vec<Span> = spans.into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let request = spans.iter().find(|span| hex(&span.parent_span_id) == CALLERS_SPAN).expect("the request's span");
    let of_request = |key| attribute(&request.attributes, key);
    assert_eq!((request.name.as_str(), request.kind()), ("POST /graphql", SpanKind::Server));
    assert_eq!(of_request("http.route").as_deref(), Some("/graphql"));
    assert!(of_request("request.id").is_some_and(|id| id.starts_with("req_")));
    let delivery = spans.iter().find(|span| span.name == "deliver webhook").expect("the delivery's span");
    assert_eq!((&delivery.parent_span_id, delivery.kind()), (&request.span_id, SpanKind::Client));
    assert_eq!(webhook.header("traceparent"), Some(format!("00-{TRACE}-{}-01", hex(&delivery.span_id)).as_str()));
    let mut shown = String::new();
    tree(&spans, &request.parent_span_id, 0, &mut shown);
    assert_eq!(shown.lines().count(), spans.len(), "every span has its place:\n{shown}");
    expect_documented(&shown);

    let export = &site.collector.exports()[0];
    let resource = export.resource_spans[0].resource.as_ref().expect("a resource");
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("latchkey"));
    let exported = site.collector.0.received().remove(0);
    assert_eq!(exported.request_line, "POST /v1/traces HTTP/1.1");
    assert_eq!(exported.header("x-collector-key"), Some("4712"));
    let bytes = site.collector.bytes();
    for secret in
        ["471142", "Mustermann", "Grand Hotel", "secret-path", "2030-01-30", "= $1", &site.locks, &site.desk, &stay]
    {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_variables_name_the_service_and_choose_what_is_exported() {
    let site = Site::new().await;
    let ask = json!({"query": "{ __typename }"});
    let server =
        site.serve(&[("OTEL_SERVICE_NAME", "keys-of-berlin"), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")]);
    post(&server, &site.locks, &ask, None).await;
    post(&server, &site.locks, &ask, Some(CALLER)).await;
    server.end(Signal::TERM);
    let spans = site.collector.spans();
    assert!(!spans.is_empty() && spans.iter().all(|span| hex(&span.trace_id) == TRACE), "{spans:#?}");
    let resource = site.collector.exports()[0].resource_spans[0].resource.clone().expect("a resource");
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("keys-of-berlin"));

    let server = site.serve(&[("OTEL_SDK_DISABLED", "true")]);
    post(&server, &site.locks, &ask, Some(CALLER)).await;
    server.end(Signal::TERM);
    assert_eq!(site.collector.spans().len(), spans.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_keeps_nothing_waiting_and_a_wrong_one_is_told() {
    let site = Site::new().await;
    let server = site.serve(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    post(&server, &site.locks, &json!({"query": "{ __typename }"}), Some(CALLER)).await;
    let (status, log) = server.end(Signal::TERM);
    assert!(status.success(), "{log}");
    let wrong = site.data.command(&["serve"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "not a URL").output().expect("runs");
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(said.starts_with("latchkey: ") && said.contains("OTEL_EXPORTER_OTLP_"), "{said}");
    assert_eq!((said.lines().count(), wrong.status.code()), (1, Some(1)), "{said}");
}

#[tokio::test]
async fn without_a_collector_a_callers_place_in_its_trace_goes_on_to_its_webhooks_and_nothing_else_does() {
    let house = House::on(
        crate::support::TestApp::with_webhooks(hooks::settings("127.0.0.0/8")).await,
        "grand-hotel",
        chrono_tz::Tz::Europe__Berlin,
    )
    .await;
    let server = TestServer::start(&house.test).await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (endpoint, _) = hooks::endpoint(&house.locks, &receiver.url(), &["room_stay.updated"]).await;
    let test = json!({"query": hooks::TEST, "variables": {"id": endpoint}});
    let sender = std::sync::Arc::new(Sender::default());
    let cases: [(&[&str], _); 4] =
        [(&[CALLER], Some(CALLER)), (&[], None), (&["Müller, 301"], None), (&[CALLER, CALLER], None)];
    for (number, (sent, expected)) in cases.into_iter().enumerate() {
        let mut request = server.post(&house.keys.live, &test);
        for value in sent {
            request = request.header("traceparent", *value);
        }
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK);
        assert_eq!(
            webhooks::deliver_due(&house.test, &house.test.webhooks, &sender).await.expect("the database is there"),
            1
        );
        assert_eq!(receiver.received()[number].header("traceparent"), expected, "{sent:?}");
    }
}

//! Traces: spans of requests, operations, statements and deliveries, exported by OTLP over HTTP.
//!
//! Nothing of it is installed unless `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector; then a span costs as much as asking
//! whether anybody wants it. Whether or not, the `traceparent` of a request goes on to the webhooks that it causes.
//!
//! A span holds names, codes and numbers: no secret, no body, no variable, no URL and nothing of a guest.

use std::env;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::tls;

/// Header of the place in a trace.
pub const TRACEPARENT: &str = "traceparent";
/// Target of all spans, which tells them apart from whatever else is traced.
const TARGET: &str = "latchkey::trace";
/// Target of the events that tell of statements.
const STATEMENTS: &str = "sqlx::query";
/// Variables that name a collector: either will do.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// Longest wait for the last spans when the process ends.
const LAST_EXPORT: Duration = Duration::from_secs(3);

/// A span that only an exporter wants: the log does not go below its level.
macro_rules! span {
    ($name:literal, $($fields:tt)*) => {
        tracing::trace_span!(target: TARGET, $name, $($fields)*)
    };
}

/// A place in a trace, as the W3C's header `traceparent` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Traceparent(SpanContext);

impl Traceparent {
    /// Reads the value of the header. Of a later version than 00, what is known of it is read.
    pub fn parse(text: &str) -> Option<Self> {
        let (known, later) = text.split_at_checked(55)?;
        let fields: Vec<&str> = known.split('-').collect();
        let [version, trace, span, flags] = fields[..] else { return None };
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let lengths = [version, trace, span, flags].map(str::len);
        if lengths != [2, 32, 16, 2] || !fields.iter().all(|field| field.bytes().all(is_hex)) {
            return None;
        }
        if version == "ff" || !later.is_empty() && (version == "00" || !later.starts_with('-')) {
            return None;
        }
        let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
        let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
        context.is_valid().then_some(Self(context))
    }

    /// That of a request. Two of them are none.
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        Self::parse(value.to_str().ok()?)
    }

    /// That of a span; `None` where spans are not exported.
    pub fn of_span(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context().span().span_context().clone();
        context.is_valid().then_some(Self(context))
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(context) = self;
        write!(f, "00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags())
    }
}

/// The name of a method in spans: clients may make up others, which are not told.
fn known_method(method: &str) -> &str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
    if known.contains(&method) { method } else { "_OTHER" }
}

/// The name of the span of a request, after the conventions of OpenTelemetry.
fn name_of_request(method: &str, route: Option<&str>) -> String {
    let method = if method == "_OTHER" { "HTTP" } else { method };
    route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
}

/// The span of a request that was made at a place in a trace.
pub fn request(method: &str, route: Option<&str>, id: &str, parent: Option<&Traceparent>) -> Span {
    let method = known_method(method);
    let span = span!(
        "request",
        otel.name = name_of_request(method, route),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        error.codes = tracing::field::Empty,
        request.id = id,
    );
    continue_from(&span, parent);
    span
}

/// Says what came of a request.
pub fn answered(span: &Span, status: u16, codes: Option<&str>) {
    span.record("http.response.status_code", status);
    if let Some(codes) = codes {
        span.record("error.codes", codes);
    }
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a GraphQL operation.
pub fn operation(kind: &str, name: Option<&str>) -> Span {
    span!("operation", otel.name = kind, graphql.operation.r#type = kind, graphql.operation.name = name,)
}

/// The span of an attempt to deliver a webhook, in the trace of the request that caused it.
pub fn delivery(event_type: &str, endpoint: &dyn fmt::Display, attempt: i32, parent: Option<&Traceparent>) -> Span {
    let span = span!(
        "delivery",
        otel.name = "deliver webhook",
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        event.r#type = event_type,
        endpoint.id = %endpoint,
        attempt,
        http.request.method = "POST",
        http.response.status_code = tracing::field::Empty,
        error.r#type = tracing::field::Empty,
    );
    continue_from(&span, parent);
    span
}

/// Says what came of an attempt. `failure` as in the delivery log.
pub fn attempted(span: &Span, status: Option<u16>, failure: Option<&str>) {
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if let Some(failure) = failure {
        span.record("error.type", failure);
        span.record("otel.status_code", "ERROR");
    }
}

fn continue_from(span: &Span, parent: Option<&Traceparent>) {
    if let Some(Traceparent(parent)) = parent
        && !span.is_disabled()
    {
        // It fails where spans are only logged.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent.clone()));
    }
}

/// The exporter of this process. To be ended last.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// An exporter, where the environment names a collector.
    ///
    /// # Errors
    /// A variable of the environment cannot be used.
    pub fn of_environment() -> Result<Option<Self>, ExporterBuildError> {
        let is_set = |name| env::var(name).is_ok_and(|value: String| !value.is_empty());
        let is_off = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        if is_off || !ENDPOINTS.into_iter().any(is_set) {
            return Ok(None);
        }
        tls::install_crypto_provider();
        let exporter = SpanExporter::builder().with_http().build()?;
        let service = env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty());
        let mut resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ])
            .with_detector(Box::new(EnvResourceDetector::new()));
        if let Some(service) = service {
            resource = resource.with_service_name(service);
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        Ok(Some(Self { provider }))
    }

    /// What hands the spans and the statements of the process to the exporter.
    pub(super) fn layers<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let tracer = self.provider.tracer("latchkey");
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        let is_span = |metadata: &Metadata<'_>| metadata.target() == TARGET;
        let is_statement = |metadata: &Metadata<'_>| metadata.target() == STATEMENTS;
        spans.with_filter(filter_fn(is_span)).and_then(Statements { tracer }.with_filter(filter_fn(is_statement)))
    }

    /// Exports what there still is, as far as the collector takes it in time.
    pub fn end(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST_EXPORT) {
            tracing::warn!(error.causes = %error, "the last spans were not exported");
        }
    }
}

/// Makes a span of each statement that `sqlx` tells of once it has ended, below the span that it ran in. Statements of workers
/// that belong to no trace make none.
struct Statements {
    tracer: SdkTracer,
}

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let parent = Context::current();
        if !parent.span().span_context().is_sampled() {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let end = SystemTime::from(Clock::system().now());
        let builder = SpanBuilder::from_name(statement.name())
            .with_kind(SpanKind::Client)
            .with_start_time(end.checked_sub(statement.took).unwrap_or(end))
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.response.returned_rows", statement.rows),
            ]);
        self.tracer.build_with_context(builder, &parent).end_with_timestamp(end);
    }
}

/// What a span says of a statement.
#[derive(Default)]
struct Statement {
    /// Its first words.
    summary: String,
    /// The whole, where that is more.
    text: String,
    took: Duration,
    rows: i64,
}

impl Statement {
    /// What it does to which table, such as `SELECT room_stays`. Nothing else of its text is in the span.
    fn name(&self) -> String {
        let text = if self.text.is_empty() { &self.summary } else { &self.text };
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "CALL", "SET", "BEGIN", "COMMIT", "ROLLBACK"];
        let Some(verb) = words.find(|word| verbs.contains(word)) else { return "statement".to_owned() };
        let table = match verb {
            "UPDATE" | "CALL" => words.next(),
            "SELECT" | "INSERT" | "DELETE" => words.skip_while(|word| !matches!(*word, "FROM" | "INTO")).nth(1),
            _ => None,
        };
        match table.filter(|table| table.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')) {
            Some(table) => format!("{verb} {table}"),
            None => verb.to_owned(),
        }
    }
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_place_in_a_trace_is_read_and_written_as_it_came() {
        for text in [GOOD, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"] {
            assert_eq!(Traceparent::parse(text).expect("a place").to_string(), text);
        }
        // Of other flags and of later versions only what is known.
        for text in [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes-later",
        ] {
            assert_eq!(Traceparent::parse(text).expect("a place").to_string(), GOOD, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_in_a_trace_is_left_out() {
        for text in [
            "",
            "00",
            "Müller, Zimmer 301",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033311-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333é-01",
        ] {
            assert_eq!(Traceparent::parse(text), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(Traceparent::of_headers(&headers), None);
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert!(Traceparent::of_headers(&headers).is_some());
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(Traceparent::of_headers(&headers), None);
    }

    #[test]
    fn a_request_is_named_by_its_method_where_that_is_one_of_http() {
        let name = |method, route| name_of_request(known_method(method), route);
        assert_eq!(name("POST", Some("/graphql")), "POST /graphql");
        assert_eq!(name("GET", None), "GET");
        assert_eq!((known_method("DOE301"), known_method("get")), ("_OTHER", "_OTHER"));
        assert_eq!(name("DOE301", Some("/graphql")), "HTTP /graphql");
        assert_eq!(name("DOE301", None), "HTTP");
    }

    #[test]
    fn a_statement_is_named_by_what_it_does_and_never_by_a_value() {
        let name = |text: &str| Statement { text: text.to_owned(), ..Statement::default() }.name();
        for (text, expected) in [
            ("\n\nSELECT s.id FROM room_stays s WHERE s.hotel_id = $1\n", "SELECT room_stays"),
            ("WITH entry AS (INSERT INTO audit_entries (id) SELECT 1)", "INSERT audit_entries"),
            ("WITH RECURSIVE pending AS ((SELECT hotel_id FROM webhook_deliveries))", "SELECT webhook_deliveries"),
            ("UPDATE room_stays s SET note = $1", "UPDATE room_stays"),
            ("DELETE FROM room_access_keys WHERE id = $1", "DELETE room_access_keys"),
            ("SELECT set_config('latchkey.hotel_id', $1, false)", "SELECT"),
            ("SELECT id FROM (SELECT 1)", "SELECT"),
            ("BEGIN; SET LOCAL latchkey.hotel_id = '0190'", "BEGIN"),
            ("COMMIT", "COMMIT"),
            ("VACUUM", "statement"),
        ] {
            assert_eq!(name(text), expected, "{text}");
        }
    }
}

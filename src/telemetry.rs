//! What is seen from outside: the log, one line per event on standard error, so that standard output stays the commands' own;
//! [`metrics`]; [`traces`].

pub mod metrics;
pub mod traces;

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

use traces::Traces;

use crate::error::Error;

/// What is logged. Kept as the text that was checked, since the filter itself cannot be copied.
#[derive(Clone, Debug)]
pub struct LogFilter(String);

impl LogFilter {
    /// `None` when `text` is no filter.
    pub fn parse(text: &str) -> Option<Self> {
        EnvFilter::try_new(text).ok().map(|_| Self(text.to_owned()))
    }
}

/// How it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl LogFormat {
    /// For people on a terminal, for machines otherwise.
    pub fn for_output() -> Self {
        if stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Starts the log of this process, and hands its spans to an exporter where there is one.
pub fn start(filter: &LogFilter, format: LogFormat, traces: Option<&Traces>) {
    let log = fmt::layer().with_writer(stderr);
    let log = match format {
        LogFormat::Text => log.with_target(false).with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    let filter = EnvFilter::new(&filter.0);
    match traces {
        // The filter is then asked once for all, and what it refuses costs least.
        None => registry().with(log).with(filter).init(),
        Some(traces) => registry().with(log.with_filter(filter)).with(traces.layers()).init(),
    }
}

/// Warns of work that failed and will be tried again within seconds. While the database is away, which has lines of its own,
/// only whoever looks closely hears of it each time.
pub fn warn_of_retry(error: &Error, what: &str) {
    let (code, cause) = (error.code.spec().wire, &error.source);
    if error.is_of_outage() {
        tracing::debug!(code, ?cause, "{what}");
    } else {
        tracing::warn!(code, ?cause, "{what}");
    }
}

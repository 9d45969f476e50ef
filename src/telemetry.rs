//! Telemetry: the log, one line per event on standard error, so that standard output stays the commands' own;
//! [`metrics`]; [`traces`].

pub mod metrics;
pub mod traces;

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, registry};

use traces::Traces;

use crate::error::Error;

/// What is not logged unless somebody asks for exactly that: of a certificate that is not valid the delivery log tells.
const QUIET: &str = "rustls_platform_verifier=off";

/// What is logged. Kept as the text that was checked, since the filter itself cannot be copied.
#[derive(Clone, Debug)]
pub struct LogFilter(String);

impl LogFilter {
    /// `None` when `text` is no filter.
    pub fn parse(text: &str) -> Option<Self> {
        EnvFilter::try_new(text).ok().map(|_| Self(text.to_owned()))
    }

    fn to_filter(&self) -> EnvFilter {
        EnvFilter::new(format!("{QUIET},{}", self.0))
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
    let filter = filter.to_filter();
    match traces {
        // The filter is then asked once for all, and what it refuses costs least.
        None => registry().with(log).with(filter).init(),
        Some(traces) => registry().with(log.with_filter(filter)).with(traces.layers()).init(),
    }
}

/// Tells of work that failed and will be tried again. While the database is away, which has lines of its own, only the level
/// debug has a line each time.
macro_rules! tell_of_retry {
    ($level:ident, $error:expr, $what:expr) => {{
        let (code, cause) = ($error.code.spec().wire, &$error.source);
        if $error.is_of_outage() {
            tracing::debug!(code, ?cause, "{}", $what);
        } else {
            tracing::$level!(code, ?cause, "{}", $what);
        }
    }};
}

/// Warns of work that failed and will be tried again within seconds.
pub fn warn_of_retry(error: &Error, what: &str) {
    tell_of_retry!(warn, error, what);
}

/// Tells of work that failed, is needed, and will be tried again some time.
pub fn error_of_retry(error: &Error, what: &str) {
    tell_of_retry!(error, error, what);
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;
    use crate::error::ErrorCode;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(filter: &str, work: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let filter = LogFilter::parse(filter).expect("a filter").to_filter();
        with_default(registry().with(layer).with(filter), work);
        let bytes = written.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn certificates_that_are_not_valid_are_told_by_the_delivery_log_alone() {
        let verify = || tracing::error!(target: "rustls_platform_verifier::verification::others", "/root/.cargo/a.rs");
        for filter in ["info", "latchkey=debug,warn", "trace"] {
            assert_eq!(log(filter, verify), "", "{filter}");
        }
        assert!(log("info,rustls_platform_verifier=error", verify).contains("a.rs"), "who asks for it gets it");
    }

    #[test]
    fn an_outage_is_told_once_and_everything_else_each_time() {
        let lost = Error::from(sqlx::Error::Io(io::ErrorKind::ConnectionReset.into()));
        let busy = Error::of(ErrorCode::Unavailable);
        let tell = |error: &Error| {
            warn_of_retry(error, "not now");
            error_of_retry(error, "not now");
        };
        assert_eq!(log("info", || tell(&lost)), "");
        assert_eq!(log("debug", || tell(&lost)).lines().count(), 2);
        assert_eq!(log("info", || tell(&busy)).lines().count(), 2);
    }
}

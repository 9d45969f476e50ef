//! The settings: each has a flag and a variable of the environment, and the flag wins.
//!
//! Values arrive as text and are checked here, so that a bad one is refused in one line that names its setting and, where
//! the value may be a secret, does not repeat it.

use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;

use crate::queue::schedule::{self, Schedule};
use crate::secrets::SecretKeys;
use crate::telemetry::{LogFilter, LogFormat};
use crate::throttle::{Limit, ThrottleSettings, TrustedProxies};
use crate::webhooks::WebhookSettings;
use crate::webhooks::address::AllowedNetworks;
use crate::webhooks::schedule::DEFAULT as DEFAULT_SCHEDULE;

/// Most connections that one process may open: beyond it PostgreSQL itself gets slower.
const MOST_CONNECTIONS: u32 = 1_000;

/// What is logged unless told otherwise. The database's notices say only that migrations have run before; a bad certificate of a
/// webhook endpoint stands in its delivery log.
const DEFAULT_LOG: &str = "info,sqlx=warn";

/// Heading of the settings that every command uses.
pub const SETTINGS: &str = "Settings";
/// Heading of the settings that only a server uses.
pub const SERVER_SETTINGS: &str = "Settings of serve";

/// The settings as they were given.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = SETTINGS)]
pub struct Settings {
    /// Address and port to serve on
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::LISTEN.variable, hide_env_values = true, global = true, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,

    /// Address and port for Prometheus, which reads /metrics there and nothing else [default: none]
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::METRICS_LISTEN.variable, hide_env_values = true, global = true, value_name = "ADDRESS")]
    metrics_listen: Option<String>,

    /// Folder of the embedded database, the secret keys and demo.json [default: the user's data folder, /var/lib/latchkey as root]
    #[arg(long, env = Setting::DATA_DIR.variable, hide_env_values = true, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,

    /// A PostgreSQL server of your own, version 15 or newer [default: an embedded one]
    #[arg(long, env = Setting::DATABASE_URL.variable, hide_env_values = true, global = true, value_name = "URL")]
    database_url: Option<String>,

    /// That server as the owner of its tables, who makes migrations [default: the same user for both]
    #[arg(long, env = Setting::MIGRATE_DATABASE_URL.variable, hide_env_values = true, global = true, value_name = "URL")]
    migrate_database_url: Option<String>,

    /// Connections to the database, 1 to 1000
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::DATABASE_CONNECTIONS.variable, hide_env_values = true, global = true, value_name = "NUMBER", default_value = "10")]
    database_connections: String,

    /// How long to wait at the start for a PostgreSQL of your own that cannot be reached
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::START_TIMEOUT.variable, hide_env_values = true, global = true, value_name = "DURATION", default_value = "1m")]
    start_timeout: String,

    /// What seals PINs and other secrets: `<number>:<base64 of 32 bytes>`, comma-separated, the key for new values first
    /// [default: made once and kept in the data folder; required with a server of your own]
    #[arg(long, env = Setting::SECRET_KEY.variable, hide_env_values = true, global = true, value_name = "KEYS")]
    secret_key: Option<String>,

    /// Networks that webhooks reach although they are not public, and without TLS: `127.0.0.0/8,fd00::/8` [default: none]
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::WEBHOOK_ALLOW_NETWORKS.variable, hide_env_values = true, global = true, value_name = "NETWORKS")]
    webhook_allow_networks: Option<String>,

    /// Delays before the second attempt to deliver a webhook, the third and so on
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::WEBHOOK_SCHEDULE.variable, hide_env_values = true, global = true, value_name = "DELAYS", default_value = DEFAULT_SCHEDULE)]
    webhook_schedule: String,

    /// Requests of an API key a minute, and at once; 0 for no limit
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::RATE_LIMIT.variable, hide_env_values = true, global = true, value_name = "NUMBER", default_value = ThrottleSettings::DEFAULT_REQUESTS)]
    rate_limit: String,

    /// What the requests of an API key may cost a minute, and at once; 0 for no limit
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::COST_LIMIT.variable, hide_env_values = true, global = true, value_name = "NUMBER", default_value = ThrottleSettings::DEFAULT_COST)]
    cost_limit: String,

    /// Requests without a valid API key from an address a minute, and at once; 0 for no limit
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::AUTH_FAILURE_LIMIT.variable, hide_env_values = true, global = true, value_name = "NUMBER", default_value = ThrottleSettings::DEFAULT_AUTH_FAILURES)]
    auth_failure_limit: String,

    /// Networks of the proxies in front, whose X-Forwarded-For is believed: `10.0.0.0/8,fd00::/8` [default: none]
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::TRUSTED_PROXIES.variable, hide_env_values = true, global = true, value_name = "NETWORKS")]
    trusted_proxies: Option<String>,

    /// Open connections, 1 to 100000; more wait until one ends or makes room
    #[arg(long, help_heading = SERVER_SETTINGS, env = Setting::CONNECTIONS.variable, hide_env_values = true, global = true, value_name = "NUMBER", default_value = ThrottleSettings::DEFAULT_CONNECTIONS)]
    connections: String,

    /// Instant at which the clock starts, in RFC 3339; only with the embedded database [default: the present]
    #[arg(long, env = Setting::CLOCK.variable, hide_env_values = true, global = true, value_name = "INSTANT")]
    clock: Option<String>,

    /// Serve although the clock is more than a day behind what was last written, or was set more than a day ahead of it: `true`
    /// or `false`
    #[arg(long, env = Setting::ACCEPT_CLOCK.variable, hide_env_values = true, global = true, value_name = "BOOLEAN", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false")]
    accept_clock: String,

    /// What to log, such as `info` or `latchkey=debug,warn` [default: `RUST_LOG`, else `info`]
    #[arg(long, env = Setting::LOG.variable, hide_env_values = true, global = true, value_name = "FILTER")]
    log: Option<String>,

    /// `text` or `json` [default: text on a terminal, else json]
    #[arg(long, env = Setting::LOG_FORMAT.variable, hide_env_values = true, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

/// The settings, checked.
#[derive(Clone)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// Where to serve the metrics, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The folder of what is kept outside the database. Absolute; may not exist yet.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// Most connections of the request pool.
    pub database_connections: u32,
    /// How long a server waits at its start for a database that cannot be reached.
    pub start_timeout: Duration,
    /// Secret keys; without any the data folder holds them.
    pub secret_keys: Option<SecretKeys>,
    /// How webhooks are sent.
    pub webhooks: WebhookSettings,
    /// Limits of requests.
    pub limits: ThrottleSettings,
    /// Instant at which the clock starts; without one it is the machine's.
    pub clock: Option<DateTime<Utc>>,
    /// Whether to serve by a clock that does not fit the data.
    pub accept_clock: bool,
    /// What to log.
    pub log: LogFilter,
    /// How to log.
    pub log_format: LogFormat,
}

/// Which database to use.
#[derive(Clone)]
pub enum Database {
    /// Our own.
    Embedded,
    /// Somebody else's. Boxed for their size.
    Server {
        /// What the service logs in as.
        login: Box<PgConnectOptions>,
        /// Who owns the tables and makes migrations; the same unless told otherwise.
        owner: Box<PgConnectOptions>,
    },
}

/// The two names of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    variable: &'static str,
    flag: &'static str,
}

impl Setting {
    /// Address and port to serve on.
    pub const LISTEN: Self = Self { variable: "LATCHKEY_LISTEN", flag: "--listen" };
    /// Address and port for Prometheus.
    pub const METRICS_LISTEN: Self = Self { variable: "LATCHKEY_METRICS_LISTEN", flag: "--metrics-listen" };
    /// The folder of what is kept outside the database.
    pub const DATA_DIR: Self = Self { variable: "LATCHKEY_DATA_DIR", flag: "--data-dir" };
    /// A server of one's own.
    pub const DATABASE_URL: Self = Self { variable: "DATABASE_URL", flag: "--database-url" };
    /// A server of one's own, as the owner of its tables.
    pub const MIGRATE_DATABASE_URL: Self =
        Self { variable: "LATCHKEY_MIGRATE_DATABASE_URL", flag: "--migrate-database-url" };
    const DATABASE_CONNECTIONS: Self =
        Self { variable: "LATCHKEY_DATABASE_CONNECTIONS", flag: "--database-connections" };
    /// How long a server waits at its start for its database.
    pub const START_TIMEOUT: Self = Self { variable: "LATCHKEY_START_TIMEOUT", flag: "--start-timeout" };
    /// What seals PINs and other secrets.
    pub const SECRET_KEY: Self = Self { variable: "LATCHKEY_SECRET_KEY", flag: "--secret-key" };
    const WEBHOOK_ALLOW_NETWORKS: Self =
        Self { variable: "LATCHKEY_WEBHOOK_ALLOW_NETWORKS", flag: "--webhook-allow-networks" };
    const WEBHOOK_SCHEDULE: Self = Self { variable: "LATCHKEY_WEBHOOK_SCHEDULE", flag: "--webhook-schedule" };
    const RATE_LIMIT: Self = Self { variable: "LATCHKEY_RATE_LIMIT", flag: "--rate-limit" };
    const COST_LIMIT: Self = Self { variable: "LATCHKEY_COST_LIMIT", flag: "--cost-limit" };
    const AUTH_FAILURE_LIMIT: Self = Self { variable: "LATCHKEY_AUTH_FAILURE_LIMIT", flag: "--auth-failure-limit" };
    const TRUSTED_PROXIES: Self = Self { variable: "LATCHKEY_TRUSTED_PROXIES", flag: "--trusted-proxies" };
    const CONNECTIONS: Self = Self { variable: "LATCHKEY_CONNECTIONS", flag: "--connections" };
    /// When the clock starts.
    pub const CLOCK: Self = Self { variable: "LATCHKEY_CLOCK", flag: "--clock" };
    /// Whether a clock that does not fit the data is right all the same.
    pub const ACCEPT_CLOCK: Self = Self { variable: "LATCHKEY_ACCEPT_CLOCK", flag: "--accept-clock" };
    const LOG: Self = Self { variable: "LATCHKEY_LOG", flag: "--log" };
    const LOG_FORMAT: Self = Self { variable: "LATCHKEY_LOG_FORMAT", flag: "--log-format" };

    /// Refuses the value of this setting. `problem` follows the setting's name in a sentence.
    pub fn refuse(self, problem: impl Into<String>) -> ConfigError {
        ConfigError { setting: self, problem: problem.into() }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.variable, self.flag)
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct ConfigError {
    setting: Setting,
    problem: String,
}

impl Config {
    /// Checks the settings.
    pub fn check(given: Settings) -> Result<Self, ConfigError> {
        let migrate_url = present(Setting::MIGRATE_DATABASE_URL, given.migrate_database_url)?;
        let database = match present(Setting::DATABASE_URL, given.database_url)? {
            None if migrate_url.is_some() => {
                return Err(Setting::MIGRATE_DATABASE_URL.refuse("is accepted only with DATABASE_URL"));
            }
            None => Database::Embedded,
            Some(url) => {
                let login = Box::new(database_options(Setting::DATABASE_URL, &url)?);
                let owner = match &migrate_url {
                    Some(url) => Box::new(database_options(Setting::MIGRATE_DATABASE_URL, url)?),
                    None => login.clone(),
                };
                Database::Server { login, owner }
            }
        };
        let clock = present(Setting::CLOCK, given.clock)?.map(|text| clock(&text, &database)).transpose()?;
        let secret_keys = present(Setting::SECRET_KEY, given.secret_key)?
            .map(|text| {
                SecretKeys::parse(&text).map_err(|reason| Setting::SECRET_KEY.refuse(format!("is wrong: {reason}")))
            })
            .transpose()?;
        if secret_keys.is_none() && matches!(database, Database::Server { .. }) {
            return Err(Setting::SECRET_KEY.refuse("is required with DATABASE_URL"));
        }
        Ok(Self {
            listen: listen(Setting::LISTEN, &given.listen)?,
            metrics_listen: present(Setting::METRICS_LISTEN, given.metrics_listen)?
                .map(|text| listen(Setting::METRICS_LISTEN, &text))
                .transpose()?,
            data_dir: data_dir(present(Setting::DATA_DIR, given.data_dir)?)?,
            database,
            database_connections: connections(&given.database_connections)?,
            start_timeout: start_timeout(&given.start_timeout)?,
            secret_keys,
            webhooks: WebhookSettings {
                schedule: webhook_schedule(&given.webhook_schedule)?,
                allowed_networks: networks(present(Setting::WEBHOOK_ALLOW_NETWORKS, given.webhook_allow_networks)?)?,
            },
            limits: ThrottleSettings {
                requests: limit(Setting::RATE_LIMIT, &given.rate_limit)?,
                cost: limit(Setting::COST_LIMIT, &given.cost_limit)?,
                auth_failures: limit(Setting::AUTH_FAILURE_LIMIT, &given.auth_failure_limit)?,
                trusted_proxies: proxies(present(Setting::TRUSTED_PROXIES, given.trusted_proxies)?)?,
                connections: most_connections(&given.connections)?,
            },
            clock,
            accept_clock: boolean(Setting::ACCEPT_CLOCK, &given.accept_clock)?,
            log: log(present(Setting::LOG, given.log)?)?,
            log_format: log_format(present(Setting::LOG_FORMAT, given.log_format)?.as_deref())?,
        })
    }
}

/// Refuses an empty value: a secret that failed to arrive must not silently mean the default.
fn present(setting: Setting, value: Option<String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(value) if value.trim().is_empty() => Err(setting.refuse("is empty; remove it or give it a value")),
        value => Ok(value),
    }
}

fn listen(setting: Setting, text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| setting.refuse(format!("is not an address and port such as 127.0.0.1:8080: {text:?}")))
}

fn database_options(setting: Setting, url: &str) -> Result<PgConnectOptions, ConfigError> {
    // The value holds a password: neither it nor the parser's message, which may quote it, is repeated.
    let wrong = || setting.refuse("is not a URL such as postgres://user:password@host:5432/database");
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(wrong());
    }
    PgConnectOptions::from_str(url).map_err(|_| {
        setting.refuse(
            "cannot be read: its port, its sslmode, or a character of user or password that has to be written as %XX is wrong",
        )
    })
}

fn clock(text: &str, database: &Database) -> Result<DateTime<Utc>, ConfigError> {
    if matches!(database, Database::Server { .. }) {
        return Err(Setting::CLOCK.refuse("is accepted only with the embedded database, not with DATABASE_URL"));
    }
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| Setting::CLOCK.refuse(format!("is not an instant such as 2026-01-30T09:00:00Z: {text:?}")))
}

fn boolean(setting: Setting, text: &str) -> Result<bool, ConfigError> {
    text.parse().map_err(|_| setting.refuse(format!("is neither true nor false: {text:?}")))
}

fn connections(text: &str) -> Result<u32, ConfigError> {
    text.parse().ok().filter(|number| (1..=MOST_CONNECTIONS).contains(number)).ok_or_else(|| {
        Setting::DATABASE_CONNECTIONS.refuse(format!("is not a number from 1 to {MOST_CONNECTIONS}: {text:?}"))
    })
}

fn start_timeout(text: &str) -> Result<Duration, ConfigError> {
    let delay = schedule::delay(text.trim()).map_err(|problem| Setting::START_TIMEOUT.refuse(problem))?;
    Ok(delay.to_std().expect("a delay is positive"))
}

fn networks(given: Option<String>) -> Result<AllowedNetworks, ConfigError> {
    let Some(text) = given else { return Ok(AllowedNetworks::default()) };
    AllowedNetworks::parse(&text).map_err(|entry| {
        Setting::WEBHOOK_ALLOW_NETWORKS.refuse(format!("holds {entry:?}, which is not a network such as 127.0.0.0/8"))
    })
}

fn limit(setting: Setting, text: &str) -> Result<Option<Limit>, ConfigError> {
    let wrong = || setting.refuse(format!("is not a number from 0 to {}: {text:?}", Limit::MOST));
    match text.parse().map_err(|_| wrong())? {
        0 => Ok(None),
        number => Limit::new(number).map(Some).ok_or_else(wrong),
    }
}

fn proxies(given: Option<String>) -> Result<TrustedProxies, ConfigError> {
    let Some(text) = given else { return Ok(TrustedProxies::default()) };
    TrustedProxies::parse(&text).map_err(|entry| {
        Setting::TRUSTED_PROXIES.refuse(format!("holds {entry:?}, which is not a network such as 10.0.0.0/8"))
    })
}

fn most_connections(text: &str) -> Result<usize, ConfigError> {
    let most = ThrottleSettings::MOST_CONNECTIONS;
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Setting::CONNECTIONS.refuse(format!("is not a number from 1 to {most}: {text:?}")))
}

fn webhook_schedule(text: &str) -> Result<Schedule, ConfigError> {
    Schedule::parse(text).map_err(|problem| Setting::WEBHOOK_SCHEDULE.refuse(problem))
}

fn data_dir(given: Option<String>) -> Result<PathBuf, ConfigError> {
    let folder = given.map(PathBuf::from).or_else(default_data_dir);
    let folder = folder.ok_or_else(|| Setting::DATA_DIR.refuse("is required, as there is no home folder"))?;
    std::path::absolute(&folder).map_err(|error| Setting::DATA_DIR.refuse(format!("cannot be used: {error}")))
}

/// Where the platform keeps data of a service (root) or of a user.
fn default_data_dir() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/latchkey".into());
    }
    let home = env::home_dir().filter(|home| home.is_absolute());
    if cfg!(target_os = "macos") {
        return Some(home?.join("Library/Application Support/latchkey"));
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    data.or_else(|| Some(home?.join(".local/share"))).map(|folder| folder.join("latchkey"))
}

fn log(given: Option<String>) -> Result<LogFilter, ConfigError> {
    let text = given.or_else(|| env::var("RUST_LOG").ok()).unwrap_or_else(|| DEFAULT_LOG.to_owned());
    LogFilter::parse(&text).ok_or_else(|| {
        Setting::LOG.refuse(format!("or RUST_LOG is not a filter such as info or latchkey=debug,warn: {text:?}"))
    })
}

fn log_format(given: Option<&str>) -> Result<LogFormat, ConfigError> {
    match given {
        None => Ok(LogFormat::for_output()),
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err(Setting::LOG_FORMAT.refuse(format!("is neither text nor json: {other:?}"))),
    }
}

impl Config {
    /// Folder of the embedded cluster.
    pub fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// File of the secret keys of the embedded database.
    pub fn secret_key_file(&self) -> PathBuf {
        self.data_dir.join("secret.keys")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        settings: Settings,
    }

    fn limits(args: &[&str]) -> Result<ThrottleSettings, String> {
        let database = ["latchkey", "--database-url", "postgres://localhost", "--secret-key"];
        let key = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let program = Program::parse_from(database.iter().chain([&key]).chain(args));
        Config::check(program.settings).map(|config| config.limits).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_are_on_unless_told_otherwise_and_0_is_off() {
        let limit = |number| Limit::new(number);
        let proxies = TrustedProxies::default();
        let default = ThrottleSettings {
            requests: limit(200),
            cost: limit(1_000_000),
            auth_failures: limit(60),
            trusted_proxies: proxies,
            connections: 900,
        };
        assert_eq!(limits(&[]), Ok(default.clone()));
        let off = ["--rate-limit", "0", "--cost-limit", "0", "--auth-failure-limit", "0"];
        assert_eq!(limits(&off), Ok(ThrottleSettings::unlimited()));
        let set = ["--rate-limit", "7", "--trusted-proxies", "10.0.0.0/8", "--connections", "1"];
        let trusted_proxies = TrustedProxies::parse("10.0.0.0/8").expect("a network");
        assert_eq!(
            limits(&set),
            Ok(ThrottleSettings { requests: limit(7), trusted_proxies, connections: 1, ..default })
        );
    }

    #[test]
    fn a_limit_that_cannot_be_kept_is_told() {
        for (flag, value) in [
            ("--rate-limit", "-1"),
            ("--rate-limit", "many"),
            ("--rate-limit", "1000000001"),
            ("--cost-limit", ""),
            ("--auth-failure-limit", "0.5"),
            ("--trusted-proxies", "10.0.0.0/8,proxy"),
            ("--trusted-proxies", ""),
            ("--connections", "0"),
            ("--connections", "100001"),
        ] {
            let told = limits(&[&format!("{flag}={value}")]).expect_err(value);
            assert!(told.contains(flag), "{told}");
        }
    }
}

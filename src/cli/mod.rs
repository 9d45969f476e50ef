//! The command line. Each command parses, calls a service, prints.
//!
//! Exit codes: 0 done, 1 failed, 2 a setting or the usage was wrong. Results go to standard output, everything else to
//! standard error.

mod api_key;
mod audit;
mod demo;
mod explain;
mod hotel;
mod import;
mod integration;
mod migrate;
mod prune;
mod rotate_secrets;
mod schema;
mod serve;
mod start;
mod table;
mod webhook;

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser};

use crate::actor::Principal;
use crate::app::App;
use crate::config::{Config, ConfigError, SERVER_SETTINGS, SETTINGS, Settings};
use crate::db::embedded::{self, Durability, EmbeddedError};
use crate::error::Error;
use crate::hotels::Hotel;
use crate::telemetry::{self, traces::Traces};
use crate::unit::Tx;
use explain::chain;

pub use start::{Started, start, start_read_only};

/// How long threads may go on when all is done.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// GraphQL backend for hotel stays and the keys that open their rooms.
#[derive(Parser)]
#[command(name = "latchkey", version, max_term_width = 100)]
#[command(after_help = "Settings, each a flag and a variable of the environment: see --help")]
#[command(after_long_help = "Exit codes: 0 done, 1 failed, 2 a setting or the usage was wrong")]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Serve the API
    Serve,
    /// Bring the database to the schema of this version, as every other command that uses it does first
    Migrate(migrate::Args),
    /// Import bookings from a CSV file: a hotel's own, or the public hotel booking data
    Import(import::Args),
    /// Print the GraphQL schema
    Schema,
    /// Create, change, list, show and delete hotels
    #[command(subcommand)]
    Hotel(hotel::Command),
    /// Create, list, disable, enable, revoke and regenerate API keys
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Connect, list and disconnect integrations
    #[command(subcommand)]
    Integration(integration::Command),
    /// List webhook endpoints
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Revoke and delete room access keys that are due, as the server does every minute
    Prune(prune::Args),
    /// Seal PINs, QR data, webhook secrets and kept answers again, with the first secret key, or check that they open
    RotateSecrets(rotate_secrets::Args),
    /// Tell who did what in a hotel and why, the newest first
    Audit(audit::Args),
    /// Show the demo's hotels and their API keys, load the demo, or start it over
    Demo(demo::Args),
    #[command(name = embedded::KEEPER_COMMAND, hide = true)]
    KeepPostgres { folder: PathBuf, durability: Durability },
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let given = usage().get_matches();
    let Cli { settings, command } = Cli::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    // Needs no settings, and outlives the process that has them.
    if let Command::KeepPostgres { folder, durability } = &command {
        return embedded::keeper::run(folder, *durability);
    }
    match run(command, settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("latchkey: {failure}");
            match failure {
                Failure::Setting(_) => ExitCode::from(2),
                Failure::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Every command takes all settings, so that one environment and one set of flags fit them all. Short help leaves them out, and
/// long help of other commands than `serve` those that only a server uses.
fn usage() -> clap::Command {
    let in_long_help = |arg: Arg| match arg.get_help_heading() {
        Some(SETTINGS | SERVER_SETTINGS) => arg.hide_short_help(true),
        _ => arg,
    };
    let mut usage = Cli::command().mut_args(in_long_help);
    // Hands the settings down to the commands.
    usage.build();
    usage.mut_subcommands(|command| if command.get_name() == "serve" { command } else { without_server(command) })
}

fn without_server(command: clap::Command) -> clap::Command {
    let hidden = |arg: Arg| if arg.get_help_heading() == Some(SERVER_SETTINGS) { arg.hide(true) } else { arg };
    command.mut_args(hidden).mut_subcommands(without_server)
}

fn run(command: Command, settings: Settings) -> Result<(), Failure> {
    if let Command::Schema = command {
        return schema::run();
    }
    let config = Config::check(settings)?;
    let traces = match command {
        Command::Serve => Traces::of_environment().map_err(|error| {
            Failure::Other(format!("traces cannot be exported as the variables OTEL_EXPORTER_OTLP_... say: {error}"))
        })?,
        _ => None,
    };
    telemetry::start(&config.log, config.log_format, traces.as_ref());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match command {
            Command::Serve => serve::run(&config).await,
            Command::Migrate(args) => migrate::run(&args, &config).await,
            Command::Import(args) => import::run(args, &config).await,
            Command::Hotel(command) => report(&config, async |app| hotel::run(command, app).await).await,
            Command::ApiKey(command) => report(&config, async |app| api_key::run(command, app).await).await,
            Command::Integration(command) => report(&config, async |app| integration::run(command, app).await).await,
            Command::Webhook(command) => report(&config, async |app| webhook::run(command, app).await).await,
            Command::Prune(args) => prune::run(args, &config).await,
            Command::RotateSecrets(args) => rotate_secrets::run(args, &config).await,
            Command::Audit(args) => report(&config, async |app| audit::run(&args, app).await).await,
            Command::Demo(args) => demo::run(args, &config).await,
            Command::Schema | Command::KeepPostgres { .. } => unreachable!("these need no settings"),
        }
    });
    if let Some(traces) = traces {
        traces.end();
    }
    // What blocks a thread, such as looking up the name of a host, cannot be cut off, and is not waited for.
    runtime.shutdown_timeout(LEFTOVERS);
    done
}

/// Why a command did not do what it was asked for. Operators read it, so it may name its cause.
#[derive(Debug)]
pub enum Failure {
    /// A setting cannot be used.
    Setting(ConfigError),
    /// Anything else, in a sentence.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(error) => error.fmt(f),
            Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Setting(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let cause = error.source.map(|source| format!(": {}", chain(&*source)));
        Self::Other(format!("{}{}", error.message.english(), cause.unwrap_or_default()))
    }
}

impl From<EmbeddedError> for Failure {
    fn from(error: EmbeddedError) -> Self {
        Self::Other(chain(&error))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(format!("the database cannot be used: {}", chain(&error)))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// A transaction of an operator.
async fn begin(app: &App, hotel: Hotel) -> Result<Tx, Error> {
    Tx::begin_worker(app, Arc::new(hotel), Principal::Operator, app.clock.now()).await
}

/// Does something with the database that is configured, and prints what came of it.
async fn report(config: &Config, work: impl AsyncFnOnce(&App) -> Result<String, Failure>) -> Result<(), Failure> {
    let started = start(config).await?;
    let outcome = work(&started.app).await;
    started.stop().await;
    print(&outcome?)
}

/// Prints a result. A reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

//! The start: from settings to a running application.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use super::{Failure, explain};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Database, Setting};
use crate::db::embedded::{Durability, Embedded};
use crate::db::{self, roles};
use crate::error::is_passing;
use crate::events;
use crate::id::IdSource;
use crate::last_write::{self, ClockSource};
use crate::rotation::registry::{self, RegistryError};
use crate::secrets::{SecretKeys, key_file};

/// How often it is tried to connect to a database that cannot be reached.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// How often the log says that the database is waited for.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Most things that a refusal lists as missing.
const MOST_MISSING: usize = 5;
/// Name of the database on the embedded server.
pub(super) const DATABASE: &str = "latchkey";

/// An application, and the server that it stands on.
pub struct Started {
    /// The application.
    pub app: App,
    /// The use of the embedded server, when that is the database.
    pub embedded: Option<Embedded>,
}

impl Started {
    /// Closes the connections, then lets go of the embedded server.
    pub async fn stop(self) {
        self.app.worker_pool.close().await;
        self.app.pool.close().await;
    }
}

/// What a command does with the database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Read and write.
    Full,
    /// Read alone: nothing is made or migrated, and PostgreSQL refuses to write.
    ReadOnly,
}

/// Starts or reaches the database, brings it to the schema of this binary, puts the application together, and sees to it that its
/// secret keys are those that the database is sealed with.
pub async fn start(config: &Config) -> Result<Started, Failure> {
    start_within(config, Duration::ZERO).await
}

/// Like [`start`], but waits up to `patience` for a database that cannot be reached.
pub(super) async fn start_within(config: &Config, patience: Duration) -> Result<Started, Failure> {
    let started = open(config, Access::Full, patience).await?;
    registry::register(&started.app).await.map_err(|error| about_keys(config, error))?;
    Ok(started)
}

/// Starts for a command that must not change anything in the database, whatever it does.
pub async fn start_read_only(config: &Config) -> Result<Started, Failure> {
    let started = open(config, Access::ReadOnly, Duration::ZERO).await?;
    registry::verify(&started.app).await.map_err(|error| about_keys(config, error))?;
    Ok(started)
}

/// Starts after a secret key was lost, which is given up.
pub(super) async fn start_without_key(config: &Config, number: u32) -> Result<Started, Failure> {
    let started = open(config, Access::Full, Duration::ZERO).await?;
    let given_up = registry::give_up(&started.app, number).await;
    given_up.map_err(|error| about_keys(config, error))?;
    registry::register(&started.app).await.map_err(|error| about_keys(config, error))?;
    Ok(started)
}

/// Refuses to go on by a clock that does not fit the data, for a command that revokes or drops what is due by it.
pub(super) async fn require_fitting_clock(config: &Config, app: &App) -> Result<(), Failure> {
    if config.accept_clock {
        return Ok(());
    }
    let source = if config.clock.is_some() { ClockSource::Set } else { ClockSource::System };
    let Some(wrong) = last_write::check_clock(app, source).await? else { return Ok(()) };
    let problem = format!(
        "{wrong}: by this clock, keys would be revoked and events dropped at the wrong time. Set it right, or accept it with \
         {}",
        Setting::ACCEPT_CLOCK
    );
    Err(match source {
        ClockSource::Set => Setting::CLOCK.refuse(problem).into(),
        ClockSource::System => Failure::Other(format!("the machine's clock {problem}")),
    })
}

/// Where the secret keys are from, and what is wrong with them.
fn about_keys(config: &Config, error: RegistryError) -> Failure {
    match error {
        RegistryError::Database(error) => error.into(),
        wrong if config.secret_keys.is_some() => Setting::SECRET_KEY.refuse(wrong.to_string()).into(),
        wrong => {
            let file = config.secret_key_file();
            Setting::SECRET_KEY.refuse(format!("is not set, and {} {wrong}", file.display())).into()
        }
    }
}

async fn open(config: &Config, access: Access, patience: Duration) -> Result<Started, Failure> {
    let ids = IdSource::operating_system();
    let (embedded, owner, login, secret_keys) = match &config.database {
        Database::Embedded => {
            if access == Access::ReadOnly && !config.cluster().join("data").exists() {
                return Err(Failure::Other(format!("there is no database in {} yet", config.data_dir.display())));
            }
            make_data_dir(&config.data_dir)?;
            let secret_keys = match &config.secret_keys {
                Some(keys) => keys.clone(),
                None => kept_secret_keys(config, &ids)?,
            };
            let embedded = Embedded::start(&config.cluster(), Durability::Durable, &std::env::current_exe()?).await?;
            if access == Access::Full {
                embedded.ensure_database(DATABASE).await?;
            }
            let owner = embedded.connect_options(DATABASE);
            let login = owner.clone().username(roles::EMBEDDED_LOGIN);
            (Some(embedded), owner, login, secret_keys)
        }
        Database::Server { login, owner } => {
            let keys = config.secret_keys.clone();
            (
                None,
                (**owner).clone(),
                (**login).clone(),
                keys.ok_or_else(|| Setting::SECRET_KEY.refuse("is required with DATABASE_URL"))?,
            )
        }
    };
    let login = match access {
        Access::Full => {
            migrate(&owner, &login, patience).await?;
            login
        }
        Access::ReadOnly => {
            require_migrated(&owner).await?;
            login.options([("default_transaction_read_only", "on")])
        }
    };
    let clock = config.clock.map_or_else(Clock::system, Clock::starting_at);
    let (connections, webhooks, limits) = (config.database_connections, config.webhooks.clone(), config.limits.clone());
    let app = App::with_limits(login.clone(), connections, clock, ids, secret_keys, webhooks, limits);
    let in_force = async { roles::are_in_force(&mut *app.worker_pool.acquire().await?).await };
    if !in_force.await.map_err(|error| explain::unreachable(&error, &login, Setting::DATABASE_URL))? {
        let reason = "connections to the database do not get the role that they ask for when they are opened: a pooler \
                      between must pass that on";
        return Err(Failure::Other(reason.into()));
    }
    if access == Access::Full {
        // Before anything is written: what falls into the default partition first keeps its week from getting one. What has
        // expired is dropped by the server alone.
        events::make_partitions(&mut *app.worker_pool.acquire().await?, app.clock.now()).await?;
    }
    Ok(Started { app, embedded })
}

/// On a connection of its own: a migration may take longer than the statements of a request. A user that may not change
/// the schema goes on when there is nothing to change.
async fn migrate(owner: &PgConnectOptions, login: &PgConnectOptions, patience: Duration) -> Result<(), Failure> {
    let mut conn = connect(owner, setting_of(owner, login), patience).await?;
    db::check_server(&mut conn)
        .await?
        .map_err(|reason| Failure::Other(format!("the database cannot be used: {reason}")))?;
    let migrated = migrate_on(&mut conn, owner.get_username(), login.get_username()).await;
    conn.close().await?;
    migrated
}

/// The setting that names the owner of the tables.
fn setting_of(owner: &PgConnectOptions, login: &PgConnectOptions) -> Setting {
    let same = owner.get_username() == login.get_username() && owner.get_host() == login.get_host();
    if same { Setting::DATABASE_URL } else { Setting::MIGRATE_DATABASE_URL }
}

/// Connects, and waits up to `patience` for a server that cannot be reached or accepts nobody yet. What no waiting mends
/// fails at once.
async fn connect(options: &PgConnectOptions, setting: Setting, patience: Duration) -> Result<PgConnection, Failure> {
    let began = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        let error = match Box::pin(db::answered_within(db::PATIENCE, options.connect())).await {
            Ok(conn) => return Ok(conn),
            Err(error) => error,
        };
        let waited = began.elapsed();
        if !is_passing(&error) || waited >= patience {
            let failure = explain::unreachable(&error, options, setting);
            if patience.is_zero() || !is_passing(&error) {
                return Err(failure);
            }
            let in_vain = format!("{failure}; waited {} s, see {}", patience.as_secs(), Setting::START_TIMEOUT);
            return Err(Failure::Other(in_vain));
        }
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            let (waited_s, at_most_s) = (waited.as_secs(), patience.as_secs());
            tracing::warn!(cause = %explain::chain(&error), waited_s, at_most_s, "waiting for the database");
            told = Some(Instant::now());
        }
        sleep(RETRY_EVERY).await;
    }
}

/// Makes what a database relies on and no dump of it holds: the roles, which belong to the whole cluster. For a database that
/// is about to be restored.
pub(super) async fn prepare_cluster(config: &Config) -> Result<(), Failure> {
    let Database::Server { login, owner } = &config.database else {
        return Err(Failure::Other("only a server of your own needs to be prepared: give DATABASE_URL".into()));
    };
    let mut conn = connect(owner, setting_of(owner, login), Duration::ZERO).await?;
    let prepared = async {
        roles::create(&mut conn).await?;
        roles::allow(&mut conn, owner.get_username()).await?;
        roles::allow(&mut conn, login.get_username()).await
    };
    let prepared = prepared.await;
    conn.close().await?;
    Ok(prepared?)
}

async fn require_migrated(owner: &PgConnectOptions) -> Result<(), Failure> {
    let mut conn = owner.connect().await?;
    let reason = "the database needs migrations, and this command changes nothing: run `latchkey migrate` first";
    let migrated = expect_migrated(&mut conn, reason).await;
    conn.close().await?;
    migrated
}

async fn migrate_on(conn: &mut PgConnection, owner: &str, login: &str) -> Result<(), Failure> {
    if !db::may_migrate(conn).await? {
        let reason = "the database needs migrations, and its user may not make them: run `latchkey migrate` as the owner of \
                      the tables, or give LATCHKEY_MIGRATE_DATABASE_URL";
        return expect_migrated(conn, reason).await;
    }
    db::migrate(conn).await.map_err(|error| explain::not_migrated(&error, owner))?;
    if login == roles::EMBEDDED_LOGIN {
        roles::create_embedded_login(conn).await?;
    }
    expect_rights(conn).await?;
    Ok(roles::allow(conn, login).await?)
}

/// Refuses a database that is to be migrated first, for `reason`, or was restored without its roles, which looks the same.
async fn expect_migrated(conn: &mut PgConnection, reason: &str) -> Result<(), Failure> {
    if !db::is_empty(conn).await? {
        expect_rights(conn).await?;
    }
    if db::is_migrated(conn).await? { Ok(()) } else { Err(Failure::Other(reason.into())) }
}

/// Refuses a database that was restored where its roles were not: policies and rights that name them are then not in it.
async fn expect_rights(conn: &mut PgConnection) -> Result<(), Failure> {
    let missing = roles::missing(conn).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let (shown, rest) = missing.split_at(missing.len().min(MOST_MISSING));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    Err(Failure::Other(format!(
        "the database lacks {}{more}. A dump was restored before its roles were there: run `latchkey migrate \
         --prepare-cluster`, then restore the dump again, into an empty database",
        shown.join(", ")
    )))
}

pub(super) fn make_data_dir(folder: &Path) -> Result<(), Failure> {
    // PostgreSQL's account, which is not root, has to pass through root's.
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .map_err(|error| Setting::DATA_DIR.refuse(format!("cannot be used: {}: {error}", folder.display())).into())
}

/// The secret keys of the data folder. They are made before the database is, so a database without them has lost them.
fn kept_secret_keys(config: &Config, ids: &IdSource) -> Result<SecretKeys, Failure> {
    let path = config.secret_key_file();
    let refuse = |problem: String| Setting::SECRET_KEY.refuse(format!("is not set, and {}{problem}", path.display()));
    if !path.exists() {
        if config.cluster().join("data").exists() {
            return Err(refuse(" is gone: put back the keys that the database was sealed with".into()).into());
        }
        key_file::make(&path, ids).map_err(|error| refuse(format!(" cannot be made: {error}")))?;
    }
    SecretKeys::of_file(path.clone()).map_err(|error| refuse(format!(" cannot be used: {error}")).into())
}

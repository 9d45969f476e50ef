//! From settings to a running application.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::Failure;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Database, Setting};
use crate::db;
use crate::db::embedded::{Durability, Embedded};
use crate::events;
use crate::id::IdSource;
use crate::secrets::MasterKeys;

/// Name of the database on the embedded server.
const DATABASE: &str = "latchkey";

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

/// Starts or reaches the database, brings it to the schema of this binary and puts the application together.
pub async fn start(config: &Config) -> Result<Started, Failure> {
    let ids = IdSource::operating_system();
    let (embedded, options, master_keys) = match &config.database {
        Database::Embedded => {
            make_data_dir(&config.data_dir)?;
            let master_keys = match &config.master_keys {
                Some(keys) => keys.clone(),
                None => kept_master_keys(config, &ids)?,
            };
            let embedded = Embedded::start(&config.cluster(), Durability::Durable, &std::env::current_exe()?).await?;
            embedded.ensure_database(DATABASE).await?;
            let options = embedded.connect_options(DATABASE);
            (Some(embedded), options, master_keys)
        }
        Database::Server(options) => {
            let keys = config.master_keys.clone();
            (
                None,
                (**options).clone(),
                keys.ok_or_else(|| Setting::MASTER_KEYS.refuse("is required with DATABASE_URL"))?,
            )
        }
    };
    migrate(options.clone()).await?;
    let pool = db::connect(options, config.database_connections).await?;
    let clock = config.clock.map_or_else(Clock::system, Clock::starting_at);
    let app = App::with_limits(pool, clock, ids, master_keys, config.webhooks.clone(), config.limits.clone());
    // Before anything is written: what falls into the default partition first keeps its week from getting one.
    events::maintain(&mut *app.worker_pool.acquire().await?, app.clock.now()).await?;
    Ok(Started { app, embedded })
}

/// On a connection of its own: a migration may take longer than the statements of a request.
async fn migrate(options: PgConnectOptions) -> Result<(), Failure> {
    let mut conn = options.connect().await?;
    let migrated = db::MIGRATOR.run(&mut conn).await;
    conn.close().await?;
    migrated.map_err(|error| Failure::Other(format!("the database cannot be migrated: {}", super::chain(&error))))
}

fn make_data_dir(folder: &Path) -> Result<(), Failure> {
    // PostgreSQL's account, which is not root, has to pass through root's.
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .map_err(|error| Setting::DATA_DIR.refuse(format!("cannot be used: {}: {error}", folder.display())).into())
}

/// The master keys of the data folder. They are made before the database is, so a database without them has lost them.
fn kept_master_keys(config: &Config, ids: &IdSource) -> Result<MasterKeys, Failure> {
    let path = config.master_key_file();
    let refuse = |problem: String| Setting::MASTER_KEYS.refuse(format!("is not set, and {}{problem}", path.display()));
    if !path.exists() {
        if config.cluster().join("data").exists() {
            return Err(refuse(" is gone: put back the keys that the database was sealed with".into()).into());
        }
        make_key_file(&path, &MasterKeys::generate(ids))
            .map_err(|error| refuse(format!(" cannot be made: {error}")))?;
    }
    let text = fs::read_to_string(&path).map_err(|error| refuse(format!(" cannot be read: {error}")))?;
    MasterKeys::parse(&text).map_err(|reason| refuse(format!(" is damaged: {reason}")).into())
}

/// Writes a file that is whole or not there, and that leaves one alone that another process has just made.
fn make_key_file(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension(format!("keys.{}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

//! A private PostgreSQL of our own, for installations that bring none.
//!
//! It runs from installed binaries, listens on a Unix socket in a folder that only its account may enter, and on no TCP
//! port. Every process that uses a cluster holds a shared lock on it; a keeper process ([`keeper`]) starts the server,
//! starts it again when it dies, and stops it when it gets the lock for itself: when the last user has gone, however it
//! went. Locks are the operating system's and end with the process that holds them, so none is ever stale.
//!
//! - start lock (exclusive): one process at a time goes through [`Embedded::start`].
//! - users lock: shared by users; a keeper takes it exclusively, and only then stops the server. A process that comes at
//!   that moment waits for the lock and then starts a new keeper.
//! - keeper lock (exclusive): a living keeper. It lets go of it before the users lock.
//!
//! A keeper that is killed leaves its server running. A process that serves looks out for that ([`Embedded::keep_up`]), as
//! does the next start; both are then replaced.

mod account;
mod binaries;
mod cluster;
mod error;
pub mod keeper;
mod layout;
mod server;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

pub use error::EmbeddedError;

use account::Account;
use error::About;
use layout::{Layout, Lock};

/// Hidden subcommand of the binary that makes it a keeper.
pub const KEEPER_COMMAND: &str = "keep-postgres";

/// Longest wait for a server that is being started again after a crash.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(2);

/// How often it is looked whether the keeper lives.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest pause between two attempts to start a new one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whether data survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Data survive crashes of everything but the disk.
    Durable,
    /// The cluster is gone with its last user; nothing waits for the disk. For tests.
    ThrowAway,
}

impl Durability {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::ThrowAway => "throw-away",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Durable, Self::ThrowAway].into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("no durability is called {text}"))
    }
}

/// The use of an embedded server. Dropping it, or the end of the process, ends the use.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    sockets: PathBuf,
    _use: File,
}

/// What a cluster is started from.
#[derive(Clone, Debug)]
struct Cluster {
    folder: PathBuf,
    durability: Durability,
    executable: PathBuf,
}

impl Embedded {
    /// Uses the cluster in `folder`: makes it and starts its server where that has not happened yet.
    ///
    /// `executable` is the `latchkey` binary, which becomes the keeper.
    pub async fn start(folder: &Path, durability: Durability, executable: &Path) -> Result<Self, EmbeddedError> {
        let cluster = Cluster { folder: folder.to_owned(), durability, executable: executable.to_owned() };
        let embedded = blocking(move || Self::attach(cluster)).await?;
        embedded.connect("postgres").await?.close().await.map_err(EmbeddedError::Connect)?;
        Ok(embedded)
    }

    fn attach(cluster: Cluster) -> Result<Self, EmbeddedError> {
        let account = Account::choose(&cluster.folder)?;
        let layout = Layout::create(&cluster.folder, &account)?;
        let starting = layout.lock_file(Lock::Start)?;
        starting.lock().about(layout.folder())?;
        let using = layout.lock_file(Lock::Users)?;
        using.lock_shared().about(layout.folder())?;
        cluster.ensure_keeper(&layout, &account)?;
        Ok(Self { sockets: layout.socket_folder(), cluster, _use: using })
    }

    /// Starts a new keeper whenever the one there was has ended. Runs until it is dropped.
    pub async fn keep_up(&self) {
        let mut pause = LOOK_EVERY;
        loop {
            tokio::time::sleep(pause).await;
            let cluster = self.cluster.clone();
            match blocking(move || cluster.look_after()).await {
                Ok(false) => pause = LOOK_EVERY,
                Ok(true) => {
                    tracing::warn!("the embedded PostgreSQL had lost its keeper and was started again");
                    pause = LOOK_EVERY;
                }
                Err(error) => {
                    tracing::warn!(cause = %error, "the embedded PostgreSQL has lost its keeper and does not start");
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// How to reach `database` on this server.
    pub fn connect_options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.sockets)
            .port(layout::PORT)
            .username(cluster::SUPERUSER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// Makes `database` where it is missing.
    pub async fn ensure_database(&self, database: &str) -> Result<(), EmbeddedError> {
        let mut conn = self.connect("postgres").await?;
        let made = create_database(&mut conn, database).await;
        conn.close().await.and(made).map_err(EmbeddedError::Connect)
    }

    /// Connects, and waits for a server that its keeper is just starting again.
    async fn connect(&self, database: &str) -> Result<PgConnection, EmbeddedError> {
        let began = Instant::now();
        loop {
            match self.connect_options(database).connect().await {
                Err(error) if is_starting(&error) && began.elapsed() < CONNECT_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => return result.map_err(EmbeddedError::Connect),
            }
        }
    }
}

impl Cluster {
    /// For who uses it: starts a keeper where none is left, and tells whether that was so.
    fn look_after(&self) -> Result<bool, EmbeddedError> {
        let account = Account::choose(&self.folder)?;
        let layout = Layout::create(&self.folder, &account)?;
        let starting = layout.lock_file(Lock::Start)?;
        starting.lock().about(layout.folder())?;
        self.ensure_keeper(&layout, &account)
    }

    /// Only while holding [`Lock::Start`] and [`Lock::Users`].
    fn ensure_keeper(&self, layout: &Layout, account: &Account) -> Result<bool, EmbeddedError> {
        if layout.has_keeper()? {
            return Ok(false);
        }
        cluster::prepare(layout, account, self.durability)?;
        keeper::spawn(&self.executable, layout, self.durability)?;
        Ok(true)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, EmbeddedError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| EmbeddedError::Start(error.to_string()))?
}

fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03")),
        _ => false,
    }
}

async fn create_database(conn: &mut PgConnection, database: &str) -> sqlx::Result<()> {
    let exists = sqlx::query_scalar!(r#"SELECT true AS "exists!" FROM pg_database WHERE datname = $1"#, database)
        .fetch_optional(&mut *conn)
        .await?;
    if exists.is_some() {
        return Ok(());
    }
    let statement = format!(r#"CREATE DATABASE "{}""#, database.replace('"', "\"\""));
    match sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(conn).await {
        // Another process was faster.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => Ok(()),
        result => result.map(drop),
    }
}

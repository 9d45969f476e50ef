//! A database per test, cloned from a migrated template on a throw-away server that all test processes share.

use std::env;
use std::path::{Path, PathBuf};
use std::process;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use latchkey::db::MIGRATOR;
use latchkey::db::embedded::{Durability, Embedded};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::OnceCell;

/// An empty database with the current schema. Dropping it drops the database, also when the test has panicked.
pub struct TestDb {
    /// A few connections to it, for which row level security is no wall.
    pub pool: PgPool,
    options: PgConnectOptions,
    name: String,
}

impl TestDb {
    /// Takes some tens of milliseconds.
    pub async fn new() -> Self {
        Self::copy_of(&server().await.template).await
    }

    /// Without any migration.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // For the client that asks what stands on it.
        latchkey::tls::install_crypto_provider();
        let server = server().await;
        let name = format!("latchkey_test_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut conn = server.admin().await;
        execute(&mut conn, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        execute(&mut conn, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        conn.close().await.expect("the connection closes");
        let options = server.options.clone().database(&name);
        let pool = PgPoolOptions::new().max_connections(5).connect_with(options.clone()).await;
        let pool = pool.expect("the new database is there");
        Self { pool, options, name }
    }

    /// Its `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.options.to_url_lossy().to_string()
    }

    /// How to reach it with a pool of one's own.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let options = self.options.clone().database("postgres");
        // A thread with a runtime of its own: the test's runtime cannot be waited for here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut conn = options.connect().await?;
                conn.execute(AssertSqlSafe(statement)).await?;
                conn.close().await
            })
        });
        let dropped: Result<(), sqlx::Error> = dropping.join().expect("the thread ends");
        if !std::thread::panicking() {
            dropped.expect("the database of the test can be dropped");
        }
    }
}

/// The server of this test process.
struct Server {
    options: PgConnectOptions,
    template: String,
    /// Holds the shared lock until the process ends.
    _embedded: Option<Embedded>,
}

async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(Server::start).await
}

impl Server {
    /// The one that `LATCHKEY_TEST_DATABASE_URL` names (its role may create databases), else an embedded one.
    async fn start() -> Self {
        let (options, embedded) = if let Ok(url) = env::var("LATCHKEY_TEST_DATABASE_URL") {
            (PgConnectOptions::from_str(&url).expect("LATCHKEY_TEST_DATABASE_URL is a URL"), None)
        } else {
            let executable = Path::new(env!("CARGO_BIN_EXE_latchkey"));
            let embedded = Embedded::start(&cluster_folder(), Durability::ThrowAway, executable).await;
            let embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
            (embedded.connect_options("postgres"), Some(embedded))
        };
        let server = Self { options, template: template_name(), _embedded: embedded };
        server.make_template().await;
        server
    }

    async fn admin(&self) -> PgConnection {
        self.options.clone().database("postgres").connect().await.expect("the server answers")
    }

    /// Makes the template unless another test process has made it. A half-made one never bears the name.
    async fn make_template(&self) {
        let mut conn = self.admin().await;
        if !self.has_template(&mut conn).await {
            // Other test processes wait here; the lock ends with the connection.
            conn.execute("SELECT pg_advisory_lock(5264372)").await.expect("the lock can be taken");
            if !self.has_template(&mut conn).await {
                let unfinished = format!("{}_unfinished", self.template);
                execute(&mut conn, format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
                execute(&mut conn, format!("CREATE DATABASE {unfinished}")).await;
                let options = self.options.clone().database(&unfinished);
                let mut owner = options.connect().await.expect("connects");
                latchkey::db::migrate(&mut owner).await.expect("the migrations run");
                owner.close().await.expect("the connection closes");
                execute(&mut conn, format!("ALTER DATABASE {unfinished} RENAME TO {}", self.template)).await;
            }
        }
        conn.close().await.expect("the connection closes");
    }

    async fn has_template(&self, conn: &mut PgConnection) -> bool {
        sqlx::query_scalar("SELECT count(*) = 1 FROM pg_database WHERE datname = $1")
            .bind(&self.template)
            .fetch_one(conn)
            .await
            .expect("the catalogue can be read")
    }
}

async fn execute(conn: &mut PgConnection, statement: String) {
    conn.execute(AssertSqlSafe(statement.clone())).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Below the system's temporary folder, where also the account may go that PostgreSQL runs as when we are root. One per
/// checkout and user.
fn cluster_folder() -> PathBuf {
    let hash = hex(&Sha256::digest(env!("CARGO_MANIFEST_DIR")));
    env::temp_dir().join(format!("latchkey-tests-{}-{hash}", rustix::process::geteuid().as_raw()))
}

/// Changes with every change of a migration.
fn template_name() -> String {
    let hash = MIGRATOR.iter().fold(Sha256::new(), |hash, migration| hash.chain_update(&migration.checksum));
    format!("latchkey_template_{}", hex(&hash.finalize()))
}

fn hex(hash: &[u8]) -> String {
    hash.first_chunk().map(|bytes| format!("{:016x}", u64::from_be_bytes(*bytes))).expect("eight bytes")
}

//! A durable server of the benchmark's own with a hundred hotels, and the CPU time of everything that takes part.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::db::embedded::{Durability, Embedded};
use latchkey::events::{self, Change, EventActor};
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use latchkey::webhooks::address::AllowedNetworks;
use latchkey::{db, http};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Hotels.
const HOTELS: usize = 100;
/// Connections of the pool. More than a server has by default, as the benchmark stands for several.
const CONNECTIONS: u32 = 20;
/// Keys that `keys.sql` makes are due by then, and the stays that it makes have departed.
const NOW: &str = "2026-02-10T12:00:00Z";

/// The running server.
pub struct Ground {
    pub app: App,
    /// Connections that no wall keeps from anything.
    pub owner: PgPool,
    pub hotels: Vec<Uuid>,
    /// Of the GraphQL API.
    pub url: String,
    folder: PathBuf,
    embedded: Embedded,
}

impl Ground {
    pub async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-bench-events-{}", std::process::id()));
        let executable = Path::new(env!("CARGO_BIN_EXE_latchkey"));
        let embedded = Embedded::start(&folder, Durability::Durable, executable).await.expect("a server");
        embedded.ensure_database("bench").await.expect("a database");
        let options = embedded.connect_options("bench");
        let owner = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options.clone()).await;
        let owner = owner.expect("a connection");
        db::migrate(&mut owner.acquire().await.expect("a connection")).await.expect("the schema");
        let ids = IdSource::operating_system();
        let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
        let clock = Clock::starting_at(NOW.parse().expect("an instant"));
        let allowed_networks = AllowedNetworks::parse("127.0.0.0/8").expect("a network");
        let webhooks = WebhookSettings { allowed_networks, ..WebhookSettings::default() };
        let app = App::new(options, CONNECTIONS, clock, ids, secret_keys, webhooks);
        let mut conn = app.worker_pool.acquire().await.expect("a connection");
        events::maintain(&mut conn, app.clock.now()).await.expect("partitions");
        drop(conn);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
        // It ends with the program.
        tokio::spawn(http::serve(listener, app.clone(), std::future::pending()));
        let mut ground = Self { app, owner, hotels: Vec::new(), url, folder, embedded };
        ground.fill(include_str!("hotels.sql"), HOTELS).await;
        ground.hotels =
            sqlx::query_scalar("SELECT id FROM hotels ORDER BY id").fetch_all(&ground.owner).await.expect("hotels");
        ground
    }

    /// Runs statements that take a number, without the time-outs of requests.
    pub async fn fill(&self, statements: &str, number: usize) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        let statements = format!("SET statement_timeout = 0; {}", statements.replace(":number", &number.to_string()));
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *conn).await.unwrap_or_else(|error| panic!("{error}"));
        conn.close().await.expect("closed");
    }

    /// Writes so many changes of a hotel in one commit; answers how many deliveries came of them.
    pub async fn write(&self, hotel: Uuid, count: u128) -> u64 {
        let app = &self.app;
        let changes = (0..count).map(|n| Change::room_stay_updated(Uuid::from_u128(n), ["room_setup"])).collect();
        let mut tx = self.owner.begin().await.expect("a connection");
        let written = events::write_in(&mut tx, &app.ids, hotel, EventActor::System, app.clock.now(), changes).await;
        let deliveries = written.expect("written");
        tx.commit().await.expect("committed");
        if deliveries > 0 {
            app.deliveries_wake.notify_one();
        }
        deliveries
    }

    /// CPU seconds that the sessions of the database have used.
    async fn postgres_cpu(&self) -> f64 {
        let sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()";
        let sessions: Vec<i32> = sqlx::query_scalar(sessions).fetch_all(&self.owner).await.expect("the sessions");
        sessions.iter().map(|pid| cpu(&format!("/proc/{pid}/stat"))).sum()
    }

    pub async fn stop(self) {
        self.app.worker_pool.close().await;
        self.app.pool.close().await;
        self.owner.close().await;
        drop(self.embedded);
        // The keeper needs the folder until PostgreSQL has stopped.
        while self.folder.join("data/postmaster.pid").exists() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        fs::remove_dir_all(&self.folder).expect("the folder is ours");
    }
}

/// User and system time in a `stat` file of Linux, in seconds; 0 where there is none.
pub fn cpu(file: &str) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(file).unwrap_or_default();
    // Behind the name in brackets: user time is the twelfth field, system time the next one.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// A stretch of time, and the CPU time that went into it.
pub struct Stretch {
    began: Instant,
    postgres: f64,
    own: f64,
}

impl Stretch {
    pub async fn begin(ground: &Ground) -> Self {
        Self { postgres: ground.postgres_cpu().await, own: cpu("/proc/self/stat"), began: Instant::now() }
    }

    /// Ends it: so many things were done in it. `not_ours` is the CPU time of others in this process.
    pub async fn report(&self, ground: &Ground, name: &str, count: f64, not_ours: f64) {
        let seconds = self.began.elapsed().as_secs_f64();
        let milliseconds = |cpu: f64| cpu * 1000.0 / count;
        let postgres = milliseconds(ground.postgres_cpu().await - self.postgres);
        let own = milliseconds(cpu("/proc/self/stat") - self.own - not_ours);
        println!("{name:<44}{:>10.0}{seconds:>8.1}{postgres:>12.4}{own:>12.4}", count / seconds);
    }
}

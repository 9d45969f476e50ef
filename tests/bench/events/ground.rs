//! A durable server of the benchmark's own with a hundred hotels, and the CPU time of everything that takes part.

use std::sync::Arc;
use std::time::Instant;

use latchkey::actor::{Permission, Principal, WEBHOOKS};
use latchkey::app::App;
use latchkey::audit::{Entry, Journal};
use latchkey::auth::{self, NewApiKey};
use latchkey::clock::Clock;
use latchkey::events::{self, Change};
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::unit::Tx;
use latchkey::webhooks::WebhookSettings;
use latchkey::webhooks::address::AllowedNetworks;
use latchkey::{hotel_settings, http, integrations, room_stays};
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::postgres::{Postgres, run};
use super::processes::stat;
use super::table::Table;

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
    postgres: Postgres,
}

impl Ground {
    pub async fn start() -> Self {
        let postgres = Postgres::start(&[]).await;
        let (options, owner) = postgres.database("bench", CONNECTIONS).await;
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
        let mut ground = Self { app, owner, hotels: Vec::new(), url, postgres };
        ground.fill(include_str!("hotels.sql"), HOTELS).await;
        ground.hotels =
            sqlx::query_scalar("SELECT id FROM hotels ORDER BY id").fetch_all(&ground.owner).await.expect("hotels");
        ground
    }

    /// Runs statements that take a number, without the time-outs of requests.
    pub async fn fill(&self, statements: &str, number: usize) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        let statements = format!("SET statement_timeout = 0; {}", statements.replace(":number", &number.to_string()));
        run(&mut conn, &statements).await;
        conn.close().await.expect("closed");
    }

    /// A connection of its own for somebody who writes; the pool would hand out another one for each commit.
    pub async fn writer(&self) -> PoolConnection<sqlx::Postgres> {
        self.owner.acquire().await.expect("a connection")
    }

    /// Writes so many changes of a hotel in one commit; answers how many deliveries came of them.
    pub async fn write(&self, writer: &mut PgConnection, hotel: Uuid, count: u128) -> u64 {
        let app = &self.app;
        let changes: Vec<Change> =
            (0..count).map(|n| room_stays::UPDATED.of(Uuid::from_u128(n)).with_fields(["room_setup"])).collect();
        let mut tx = writer.begin().await.expect("a transaction");
        let journal = Journal::of(changes.iter().map(Entry::from));
        let (ids, now) = (&app.ids, app.clock.now());
        let written = events::write_in(&mut tx, ids, hotel, Principal::Worker(WEBHOOKS), now, &changes, &journal).await;
        let deliveries = written.expect("written");
        tx.commit().await.expect("committed");
        if deliveries > 0 {
            app.deliveries_wake.notify_one();
        }
        deliveries
    }
}

/// An integration of a hotel that may write, and a pair of keys for it.
pub async fn create_api_key(app: &App, hotel: Uuid) -> NewApiKey {
    let hotels = hotel_settings::list(app).await.expect("hotels");
    let hotel = hotels.into_iter().find(|one| one.id == hotel).expect("the hotel");
    let tx = Tx::begin_worker(app, Arc::new(hotel), Principal::Operator, app.clock.now()).await;
    let mut tx = tx.expect("a transaction");
    let integration = integrations::ensure_in(&mut tx, "Locks").await.expect("an integration");
    let key = auth::create_in(&mut tx, integration, "Locks".to_owned(), Permission::Write).await.expect("a key");
    tx.commit().await.expect("committed");
    key
}

/// CPU seconds of the process or thread that a `stat` file is of.
pub fn cpu(file: &str) -> f64 {
    stat(file).map_or(0.0, |stat| stat.cpu)
}

/// A stretch of time, and the CPU time that went into it.
pub struct Stretch {
    began: Instant,
    postgres: f64,
    own: f64,
}

impl Stretch {
    pub fn begin(ground: &Ground) -> Self {
        Self { postgres: ground.postgres.cpu(), own: cpu("/proc/self/stat"), began: Instant::now() }
    }

    /// Ends it: so many things were done in it. `not_ours` is the CPU time of others in this process.
    pub fn report(&self, ground: &Ground, table: &Table, name: &str, count: f64, not_ours: f64) {
        let seconds = self.began.elapsed().as_secs_f64();
        let milliseconds = |cpu: f64| cpu * 1000.0 / count;
        let postgres = milliseconds(ground.postgres.cpu() - self.postgres);
        let own = milliseconds(cpu("/proc/self/stat") - self.own - not_ours);
        table.row(&[
            name.to_owned(),
            format!("{:.0}", count / seconds),
            format!("{seconds:.1}"),
            format!("{own:.4}"),
            format!("{postgres:.4}"),
        ]);
    }
}

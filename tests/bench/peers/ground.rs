//! A durable PostgreSQL of the benchmark's own with a hotel that all servers serve.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::db;
use latchkey::db::embedded::{Durability, Embedded};
use latchkey::id::IdSource;
use latchkey::secrets::{SecretKeys, seal_context};
use latchkey::webhooks::WebhookSettings;
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, PgConnection, PgPool};
use uuid::Uuid;

use super::hotel::{self, run};

/// Rooms of the reservation that is read.
const ROOMS: i64 = 5;

/// The database and what is asked for in it.
pub struct Ground {
    pub hotel: Uuid,
    /// Stays of the hotel.
    pub stays: usize,
    pub integration: Uuid,
    /// API key.
    pub key: String,
    pub now: DateTime<Utc>,
    /// First and last day of the window.
    pub start: NaiveDate,
    pub end: NaiveDate,
    /// Last day on which somebody can depart who is there in the window: the bound that Latchkey's statement has.
    pub latest_departure: NaiveDate,
    /// When the keys that PostGraphile writes are due; the others work it out.
    pub key_due: DateTime<Utc>,
    pub reservation_code: String,
    /// Stays of the future without a key.
    pub free_stays: Vec<Uuid>,
    pub secret_key: String,
    pub database_url: String,
    pub socket_folder: PathBuf,
    pub port: u16,
    pub user: String,
    pub database: String,
    app: App,
    /// Connections that no wall keeps from anything.
    owner: PgPool,
    folder: PathBuf,
    embedded: Embedded,
}

impl Ground {
    /// With a hotel of so many stays.
    pub async fn start(stays: usize) -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-bench-peers-{}", std::process::id()));
        let executable = Path::new(env!("CARGO_BIN_EXE_latchkey"));
        let embedded = Embedded::start(&folder, Durability::Durable, executable).await.expect("a server");
        embedded.ensure_database("bench").await.expect("a database");
        let options = embedded.connect_options("bench");
        let owner = PgPoolOptions::new().connect_with(options.clone()).await.expect("a connection");
        db::migrate(&mut owner.acquire().await.expect("a connection")).await.expect("the schema");
        let ids = IdSource::operating_system();
        let secret_key = SecretKeys::generate(&ids);
        let secret_keys = SecretKeys::parse(&secret_key).unwrap_or_else(|reason| panic!("{reason}"));
        let app = App::new(options.clone(), 1, Clock::system(), ids, secret_keys, WebhookSettings::default());
        let now = app.clock.now();
        let made = hotel::make(&app, &owner, stays, now.date_naive()).await;
        let hotel = made.window.hotel.id;

        let mut conn = owner.acquire().await.expect("a connection");
        seal_pins(&app, &mut conn, hotel).await;
        let reservation_code = fill_reservation(&mut conn, hotel).await;
        let free_stays = sqlx::query_scalar(
            "SELECT id FROM room_stays WHERE hotel_id = $1 AND room_access_key_id IS NULL AND reservation_to > $2
             ORDER BY id",
        )
        .bind(hotel)
        .bind(made.window.end + Days::new(30))
        .fetch_all(&mut *conn)
        .await
        .expect("stays of the future");
        let longest: i32 = sqlx::query_scalar("SELECT longest_stay_nights FROM hotels WHERE id = $1")
            .bind(hotel)
            .fetch_one(&mut *conn)
            .await
            .expect("a hotel");
        run(&mut conn, "SET statement_timeout = 0").await;
        run(&mut conn, "VACUUM ANALYZE").await;
        conn.close().await.expect("closed");

        Self {
            hotel,
            stays: made.window.stays,
            integration: made.integration,
            key: made.window.key,
            now,
            start: made.window.start,
            end: made.window.end,
            latest_departure: made.window.end + Days::new(u64::from(longest.unsigned_abs())),
            key_due: now + TimeDelta::days(400),
            reservation_code,
            free_stays,
            secret_key,
            database_url: options.to_url_lossy().to_string(),
            socket_folder: options.get_socket().expect("a socket").clone(),
            port: options.get_port(),
            user: options.get_username().to_owned(),
            database: "bench".into(),
            app,
            owner,
            folder,
            embedded,
        }
    }

    /// An id for a record that a client names.
    pub fn new_id(&self) -> Uuid {
        self.app.ids.uuid(self.now)
    }

    /// Takes away what the mutations have left.
    pub async fn clear_keys(&self) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        sqlx::query(
            "UPDATE room_stays SET room_access_key_id = NULL, room_access_key_kind = NULL, room_access_key_due_at = NULL
             WHERE hotel_id = $1 AND id = ANY ($2) AND room_access_key_id IS NOT NULL",
        )
        .bind(self.hotel)
        .bind(&self.free_stays)
        .execute(&mut *conn)
        .await
        .expect("cleared");
        run(
            &mut conn,
            "DELETE FROM room_access_keys k
             WHERE NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = k.hotel_id AND s.room_access_key_id = k.id)",
        )
        .await;
        run(&mut conn, "VACUUM ANALYZE room_stays, room_access_keys, events, event_counters").await;
    }

    /// Number of PostgreSQL's first process.
    pub fn postmaster(&self) -> u32 {
        let text = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("PostgreSQL runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a number")
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

/// Gives the keys PINs that open.
async fn seal_pins(app: &App, conn: &mut PgConnection, hotel: Uuid) {
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM room_access_keys WHERE hotel_id = $1")
        .bind(hotel)
        .fetch_all(&mut *conn)
        .await
        .expect("keys");
    let sealed: Vec<Vec<u8>> =
        ids.iter().map(|id| app.secret_keys.seal(&app.ids, &seal_context(hotel, *id), "0042")).collect();
    sqlx::query(
        "UPDATE room_access_keys k SET secret = s.secret FROM unnest($2::uuid[], $3::bytea[]) AS s (id, secret)
         WHERE k.hotel_id = $1 AND k.id = s.id",
    )
    .bind(hotel)
    .bind(ids)
    .bind(sealed)
    .execute(conn)
    .await
    .expect("sealed");
}

/// Puts stays with a key together as the rooms of one reservation; answers with its code.
async fn fill_reservation(conn: &mut PgConnection, hotel: Uuid) -> String {
    sqlx::query_scalar(
        "WITH rooms AS (
             SELECT id FROM room_stays WHERE hotel_id = $1 AND room_access_key_id IS NOT NULL
             ORDER BY id LIMIT $2
         ), made AS (
             INSERT INTO reservations (hotel_id, id, code, client_id, created_at, updated_at)
             SELECT hotel_id, gen_random_uuid(), 'GROUP', client_id, created_at, updated_at
             FROM reservations WHERE hotel_id = $1 LIMIT 1
             RETURNING id, code
         ), moved AS (
             UPDATE room_stays s SET reservation_id = (SELECT id FROM made)
             WHERE s.hotel_id = $1 AND s.id IN (SELECT id FROM rooms)
         )
         SELECT code FROM made",
    )
    .bind(hotel)
    .bind(ROOMS)
    .fetch_one(conn)
    .await
    .expect("a reservation")
}

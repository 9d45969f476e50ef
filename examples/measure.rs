//! How fast the pruner and the writing of events are on this machine.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --release --example measure -- prune 1000000
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --release --example measure -- events
//! ```
//!
//! It makes a database of its own on that server, which must be allowed, and drops it in the end. Where the server runs
//! on this machine (Linux), it tells the CPU time of its sessions, too, which does not depend on what else is going on.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::events::{self, Change, EventActor};
use latchkey::id::IdSource;
use latchkey::secrets::MasterKeys;
use latchkey::webhooks::WebhookSettings;
use latchkey::{db, pruner};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use uuid::Uuid;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

const DATABASE: &str = "latchkey_measure";
const NOW: &str = "2026-02-10T12:00:00Z";
const HOTELS: i32 = 100;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: PgConnectOptions = std::env::var("DATABASE_URL")?.parse()?;
    let mut admin = options.connect().await?;
    let drop = || AssertSqlSafe(format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"));
    admin.execute(drop()).await?;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {DATABASE}"))).await?;
    let pool = db::connect(options.database(DATABASE), 20).await?;
    db::migrate(&pool).await?;
    let ids = IdSource::operating_system();
    let keys = MasterKeys::parse(&MasterKeys::generate(&ids))?;
    let app = App::new(pool, Clock::manual(NOW.parse()?), ids, keys, WebhookSettings::default());
    events::maintain(&mut *app.pool.acquire().await?, app.clock.now()).await.map_err(told)?;
    fill(&app, include_str!("measure/hotels.sql"), HOTELS).await?;
    let measured = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prune", keys] => prune(&app, keys.parse()?).await,
        ["events"] => write_events(&app).await,
        _ => Err("usage: measure prune KEYS | measure events".into()),
    };
    app.pool.close().await;
    admin.execute(drop()).await?;
    admin.close().await?;
    measured
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn told(error: latchkey::error::Error) -> String {
    format!("{}: {:?}", error.message, error.source)
}

/// Runs statements that take a number, without the time-outs of requests.
async fn fill(app: &App, statements: &str, number: i32) -> Outcome {
    let mut conn = app.pool.acquire().await?;
    conn.execute("SET statement_timeout = 0").await?;
    conn.execute(AssertSqlSafe(statements.replace(":number", &number.to_string()))).await?;
    conn.close().await?;
    Ok(())
}

/// Half of the keys are on a stay that is long over, the other half are on none.
async fn prune(app: &App, keys: i32) -> Outcome {
    fill(app, include_str!("measure/keys.sql"), keys).await?;
    let start = Start::now(app).await?;
    let pruned = pruner::prune_due(app).await.map_err(told)?;
    println!("{pruned:?}: {}", start.told(app, f64::from(keys), "keys").await?);
    Ok(())
}

async fn write_events(app: &App) -> Outcome {
    let hotels: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM hotels ORDER BY id").fetch_all(&app.pool).await?;
    for connections in [1, 4, 16] {
        let one = commits(app, connections, &hotels[..1]).await?;
        let all = commits(app, connections, &hotels).await?;
        println!("{connections:2} connections, one event each: {one:6.0} commits/s of one hotel, {all:6.0} of many");
    }
    for endpoints in [0, 1, 5] {
        fill(app, include_str!("measure/endpoints.sql"), endpoints).await?;
        let start = Start::now(app).await?;
        let rows = fan_out(app, hotels[0]).await?;
        println!("{endpoints} endpoints, 100 events a commit: {}", start.told(app, rows, "rows").await?);
    }
    Ok(())
}

/// Commits a second when so many connections do nothing else.
async fn commits(app: &App, connections: usize, hotels: &[Uuid]) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let end = Instant::now() + Duration::from_secs(3);
    let tasks = (0..connections).map(|task| {
        let (app, hotels) = (app.clone(), hotels.to_vec());
        tokio::spawn(async move {
            let mut done = 0_u32;
            while Instant::now() < end {
                let hotel = hotels[(task + done as usize) % hotels.len()];
                write(&app, hotel, 1).await?;
                done += 1;
            }
            Ok::<_, String>(done)
        })
    });
    let mut sum = 0.0;
    for task in tasks.collect::<Vec<_>>() {
        sum += f64::from(task.await??);
    }
    Ok(sum / 3.0)
}

/// Rows of events and deliveries that one connection writes in three seconds.
async fn fan_out(app: &App, hotel: Uuid) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let start = Instant::now();
    let mut rows = 0;
    while start.elapsed() < Duration::from_secs(3) {
        rows += 100 + u32::try_from(write(app, hotel, 100).await?)?;
    }
    Ok(f64::from(rows))
}

/// When something began, and the CPU seconds that the sessions of the database had used by then.
struct Start {
    instant: Instant,
    cpu: f64,
}

impl Start {
    async fn now(app: &App) -> sqlx::Result<Self> {
        Ok(Self { cpu: server_cpu(app).await?, instant: Instant::now() })
    }

    /// How fast so many things were done since.
    async fn told(&self, app: &App, count: f64, things: &str) -> sqlx::Result<String> {
        let seconds = self.instant.elapsed().as_secs_f64();
        let cpu = (server_cpu(app).await? - self.cpu) * 1000.0 / count;
        Ok(format!("{:.0} {things}/s in {seconds:.1} s, {cpu:.4} ms of the server's CPU each", count / seconds))
    }
}

/// CPU seconds of the sessions of the database; 0 where they run on another machine.
async fn server_cpu(app: &App) -> sqlx::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()";
    let sessions: Vec<i32> = sqlx::query_scalar(sessions).fetch_all(&app.pool).await?;
    let ticks = sessions.iter().filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name in brackets: user time is the twelfth field, system time the next one.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
    });
    Ok(ticks.sum::<f64>() / TICKS_PER_SECOND)
}

async fn write(app: &App, hotel: Uuid, count: u128) -> Result<u64, String> {
    let now: DateTime<Utc> = app.clock.now();
    let change = |n| Change::room_stay_updated(Uuid::from_u128(n), ["room_setup"]);
    let mut tx = app.pool.begin().await.map_err(|error| error.to_string())?;
    let changes = (0..count).map(change).collect();
    let deliveries =
        events::write_in(&mut tx, &app.ids, hotel, EventActor::System, now, changes).await.map_err(told)?;
    tx.commit().await.map_err(|error| error.to_string())?;
    Ok(deliveries)
}

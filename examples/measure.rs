//! How fast the pruner and the writing of events are on this machine.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --release --example measure -- prune 1000000
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --release --example measure -- events
//! ```
//!
//! It makes a database of its own on that server, which must be allowed, and drops it in the end. Times are wall-clock
//! times; where one connection is busy all the time, they bound the CPU that it takes from above.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::events::{self, Change, EventActor};
use latchkey::id::IdSource;
use latchkey::secrets::MasterKeys;
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
    let app = App::new(pool, Clock::manual(NOW.parse()?), ids, keys);
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
    let start = Instant::now();
    let pruned = pruner::prune_due(app).await.map_err(told)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("pruned {pruned:?} in {seconds:.1} s: {:.0} keys/s", f64::from(keys) / seconds);
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
        let (rows, seconds) = fan_out(app, hotels[0]).await?;
        let each = seconds * 1000.0 / f64::from(rows);
        println!(
            "{endpoints} endpoints, 100 events a commit: {:6.0} rows/s, {each:.4} ms each",
            f64::from(rows) / seconds
        );
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

/// Rows of events and deliveries that one connection writes, and in how many seconds.
async fn fan_out(app: &App, hotel: Uuid) -> Result<(u32, f64), Box<dyn Error + Send + Sync>> {
    let start = Instant::now();
    let mut rows = 0;
    while start.elapsed() < Duration::from_secs(3) {
        rows += 100 + u32::try_from(write(app, hotel, 100).await?)?;
    }
    Ok((rows, start.elapsed().as_secs_f64()))
}

async fn write(app: &App, hotel: Uuid, count: u128) -> Result<u64, String> {
    let now: DateTime<Utc> = app.clock.now();
    let change = |n| Change::RoomStayUpdated { id: Uuid::from_u128(n), fields: vec!["room_setup"] };
    let mut tx = app.pool.begin().await.map_err(|error| error.to_string())?;
    let changes = (0..count).map(change).collect();
    let deliveries =
        events::write_in(&mut tx, &app.ids, hotel, EventActor::System, now, changes).await.map_err(told)?;
    tx.commit().await.map_err(|error| error.to_string())?;
    Ok(deliveries)
}

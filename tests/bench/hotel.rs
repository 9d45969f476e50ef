//! A hotel with a week that is always the same, and a history of any size.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use latchkey::app::App;
use latchkey::auth::{self, Permission};
use latchkey::hotels::{self, Hotel, NewHotel};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use uuid::Uuid;

/// Stays in the window's week.
const IN_WINDOW: usize = 200;
/// Rooms of a hotel.
const ROOMS: usize = 100;

/// A hotel and its week.
pub struct Window {
    pub hotel: Hotel,
    pub key: String,
    pub stays: usize,
    pub start: NaiveDate,
    pub end: NaiveDate,
}

/// A hotel that was made.
pub struct Made {
    pub window: Window,
    /// Owner of its keys.
    pub integration: Uuid,
}

/// Makes a hotel of so many stays, whose week begins `today`. `owner`: connections that no wall keeps from anything.
pub async fn make(app: &App, owner: &PgPool, stays: usize, today: NaiveDate) -> Made {
    let time = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    let new = NewHotel {
        slug: format!("bench-{stays}"),
        name: format!("{stays} stays"),
        time_zone: Tz::Europe__Lisbon,
        check_in_time: time(15),
        check_out_time: time(11),
    };
    let hotel = hotels::create(app, new).await.expect("a hotel");
    let made = auth::create_api_key(app, hotel.id, "Locks", "Locks", Permission::Write).await.expect("a key");
    let mut conn = owner.acquire().await.expect("a connection");
    run(&mut conn, "SET statement_timeout = 0").await;
    for statement in include_str!("hotel.sql").split(";\n").filter(|statement| !statement.trim().is_empty()) {
        let statement = statement
            .replace(":hotel", &format!("'{}'::uuid", hotel.id))
            .replace(":integration", &format!("'{}'::uuid", made.integration_id))
            .replace(":stays", &stays.to_string())
            .replace(":rooms", &ROOMS.to_string())
            .replace(":in_window", &IN_WINDOW.to_string())
            .replace(":today", &format!("DATE '{today}'"));
        run(&mut conn, &statement).await;
    }
    let key = made.pair.live.expose().to_owned();
    let window = Window { hotel, key, stays, start: today, end: today + Days::new(6) };
    Made { window, integration: made.integration_id }
}

/// Runs a statement without parameters.
pub async fn run(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

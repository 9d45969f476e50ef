//! Bookings from files.

mod again;
mod files;
mod mapping;
mod own;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use latchkey::error::Result;
use latchkey::hotels::Hotel;
use latchkey::import::{self, Options, Summary};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::TestApp;

const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,\
    stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,country,market_segment,distribution_channel,\
    reserved_room_type,assigned_room_type,agent,company,customer_type,reservation_status,reservation_status_date";
/// Two nights from 28 January 2026 for two adults and a child, booked ten days ahead.
pub const STAYED: &str =
    "City,0,10,2026,January,28,0,2,2,1,0,BB,PRT,Online TA,TA/TO,A,A,9,NULL,Transient,Check-Out,1/30/2026";
const NO_SHOW: &str =
    "City,1,3,2026,January,29,0,4,1,0,0,HB,ESP,Direct,Direct,A,A,NULL,NULL,Transient,No-Show,1/29/2026";
const CANCELLED: &str =
    "City,1,30,2026,February,10,2,5,2,0,0,SC,DEU,Online TA,TA/TO,D,D,240,NULL,Transient,Canceled,1/20/2026";
const DAY_USE: &str =
    "City,0,0,2026,January,29,0,0,2,0,0,BB,FRA,Direct,Direct,A,A,NULL,NULL,Transient,Check-Out,1/29/2026";
const UPGRADED: &str =
    "City,0,20,2026,February,2,0,3,2,0,0,BB,GBR,Direct,Direct,A,D,NULL,NULL,Transient,Check-Out,2/5/2026";
const GROUP: &str =
    "City,0,40,2026,February,20,2,0,2,0,0,BB,PRT,Groups,TA/TO,A,A,38,NULL,Transient-Party,Check-Out,2/22/2026";

pub fn csv(lines: &[&str]) -> String {
    [&[HEADER], lines].concat().join("\n")
}

async fn city() -> (TestApp, Hotel) {
    let app = TestApp::new().await;
    let hotel = app.hotel("city-hotel", Tz::Europe__Lisbon).await;
    (app, hotel)
}

async fn try_import(app: &TestApp, hotel: &Hotel, file: impl AsRef<[u8]>, options: Options) -> Result<Summary> {
    import::import(app, hotel, file.as_ref(), &options, &|_| ()).await
}

async fn import_file(app: &TestApp, hotel: &Hotel, file: impl AsRef<[u8]>) -> Summary {
    try_import(app, hotel, file, Options::default()).await.unwrap_or_else(|error| panic!("{error:?}"))
}

fn of_hotel(hotel: &str) -> Options {
    Options { hotel: Some(hotel.to_owned()), ..Options::default() }
}

const TABLES: [&str; 7] =
    ["hotels", "categories", "room_setups", "clients", "reservations", "room_stays", "room_stay_guests"];

/// Every row of every table that an import writes, in a fixed order.
async fn whole_tables(pool: &PgPool) -> Vec<String> {
    let mut tables = Vec::new();
    for table in TABLES {
        let statement = format!("SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM {table} t");
        let rows: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await.expect("rows");
        tables.push(rows.unwrap_or_default());
    }
    tables
}

async fn count(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {what}"))).fetch_one(pool).await.expect("a count")
}

/// A stay and its reservation.
#[derive(sqlx::FromRow)]
struct Stay {
    id: Uuid,
    code: String,
    status: String,
    category: String,
    room: Option<String>,
    room_category: Option<String>,
    reservation_from: NaiveDate,
    reservation_to: NaiveDate,
    check_in: Option<DateTime<Utc>>,
    check_out: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    meal_notes: Option<String>,
    group_name: Option<String>,
    company: Option<String>,
    contact_id: Option<Uuid>,
    guest_language: Option<String>,
    adults: i16,
    child1: i16,
    free: i16,
}

async fn stays(pool: &PgPool) -> Vec<Stay> {
    sqlx::query_as(
        "SELECT s.*, r.code, r.status, r.cancelled_at, r.group_name, r.contact_id, booker.company, guest.language AS guest_language,
                category.name AS category, room.name AS room, room_category.name AS room_category
         FROM room_stays s
         JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         JOIN clients booker ON booker.hotel_id = r.hotel_id AND booker.id = r.client_id
         JOIN categories category ON category.hotel_id = s.hotel_id AND category.id = s.category_id
         JOIN room_stay_guests g ON g.hotel_id = s.hotel_id AND g.room_stay_id = s.id AND g.position = 1
         JOIN clients guest ON guest.hotel_id = g.hotel_id AND guest.id = g.client_id
         LEFT JOIN room_setups room ON room.hotel_id = s.hotel_id AND room.id = s.room_setup_id
         LEFT JOIN categories room_category
                ON room_category.hotel_id = room.hotel_id AND room_category.id = room.category_id
         ORDER BY s.reservation_from, s.reservation_to, s.id",
    )
    .fetch_all(pool)
    .await
    .expect("stays")
}

async fn only_stay(pool: &PgPool) -> Stay {
    let mut stays = stays(pool).await;
    assert_eq!(stays.len(), 1);
    stays.remove(0)
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Pairs of stays that share a room for a night; day use counts as the night that follows it.
async fn double_occupancies(pool: &PgPool) -> i64 {
    let statement = "
        WITH held AS (
            SELECT s.id, s.hotel_id, s.room_setup_id, s.reservation_from AS first,
                   greatest(s.reservation_to, s.reservation_from + 1) AS last
            FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
            WHERE r.status <> 'CANCELLED'
        )
        SELECT count(*) FROM held a JOIN held b
            ON b.hotel_id = a.hotel_id AND b.room_setup_id = a.room_setup_id AND b.id > a.id
           AND b.first < a.last AND b.last > a.first";
    sqlx::query_scalar(statement).fetch_one(pool).await.expect("a count")
}

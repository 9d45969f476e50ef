//! A database of real bookings: the hotels of the import's file, as often as it takes.

use std::path::Path;
use std::sync::Arc;

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use latchkey::actor::{Permission, Principal};
use latchkey::app::App;
use latchkey::auth;
use latchkey::clock::Clock;
use latchkey::hotel_settings::{self, NewHotel};
use latchkey::hotels::{self, HotelId};
use latchkey::id::IdSource;
use latchkey::secrets::{SecretKeys, seal_context};
use latchkey::unit::Tx;
use latchkey::webhooks::WebhookSettings;
use latchkey::{import, integrations};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::options::Size;
use super::postgres::{Postgres, run};

/// The bookings, see `src/demo/data/ATTRIBUTION.md`.
const BOOKINGS: &str = "src/demo/data/hotel_bookings.csv.gz";
/// The file's hotels.
const HOTELS_OF_THE_FILE: [&str; 2] = ["City Hotel", "Resort Hotel"];
/// Monday of the week that becomes the window, next week: late summer, with the city hotel at its fullest. Nobody of it has
/// arrived, so no key is due while the benchmark runs.
const WEEK_OF_THE_FILE: NaiveDate = NaiveDate::from_ymd_opt(2015, 9, 14).expect("a date");
/// Stays without a key that requests may put one on, in all hotels together.
const FREE_STAYS: usize = 10_000;
/// Least stays without a key for each hotel.
const FREE_STAYS_PER_HOTEL: usize = 50;

/// Tables whose rows mutations change or delete.
const CHANGED: [&str; 10] = [
    "room_stays",
    "room_access_keys",
    "event_counters",
    "entrances",
    "access_reservations",
    "access_reservation_doors",
    "access_grants",
    "access_grant_entrances",
    "access_grant_spaces",
    "access_methods",
];

/// The database and what is asked for in it.
pub struct Ground {
    pub size: Size,
    pub hotels: Vec<Hotel>,
    /// First and last day of the window.
    pub start: NaiveDate,
    pub end: NaiveDate,
    /// Rooms of each hotel's reservation.
    pub rooms: usize,
    pub secret_key: String,
    pub options: PgConnectOptions,
    /// Connections that no wall keeps from anything.
    pub owner: PgPool,
    pub app: App,
}

/// A hotel, and what is asked for in it.
pub struct Hotel {
    pub id: HotelId,
    /// Owner of its room access keys.
    pub integration: Uuid,
    /// API key.
    pub key: String,
    /// Last day on which somebody can depart who is there in the window: the bound that Latchkey's statement has.
    pub latest_departure: NaiveDate,
    /// Code of a reservation whose rooms all have a room access key.
    pub reservation_code: String,
    /// All rooms, each with one door.
    pub rooms: Vec<Uuid>,
    /// Stays of the future without a room access key, each of another reservation: all batches come to the same statements.
    pub free_stays: Vec<Uuid>,
}

impl Ground {
    pub async fn make(postgres: &Postgres, size: Size) -> Self {
        let (options, owner) = postgres.database(&format!("bench_{}", size.stays()), 4).await;
        let ids = IdSource::operating_system();
        let secret_key = SecretKeys::generate(&ids);
        let secret_keys = SecretKeys::parse(&secret_key).unwrap_or_else(|reason| panic!("{reason}"));
        let app = App::new(options.clone(), 1, Clock::system(), ids, secret_keys, WebhookSettings::default());
        let today = app.clock.now().date_naive();
        let start = today + Days::new(7 - u64::from(today.weekday().num_days_from_monday()));
        let mut ground = Self {
            size,
            hotels: Vec::new(),
            start,
            end: start + Days::new(6),
            rooms: 0,
            secret_key,
            options,
            owner,
            app,
        };
        let templates = ground.import().await;
        // Two at a time: it is PostgreSQL that works, on one core for each of them.
        let lanes = (0..2).map(|lane| ground.replicate(templates[lane], lane));
        let mut hotels: Vec<(usize, Hotel)> =
            futures_util::future::join_all(lanes).await.into_iter().flatten().collect();
        hotels.sort_by_key(|(number, _)| *number);
        ground.hotels = hotels.into_iter().map(|(_, hotel)| hotel).collect();
        let mut conn = ground.owner.acquire().await.expect("a connection");
        run(&mut conn, "VACUUM ANALYZE").await;
        run(&mut conn, "CHECKPOINT").await;
        drop(conn);
        ground.choose().await;
        ground
    }

    /// Imports the file's hotels as users do, and puts them aside.
    async fn import(&self) -> Vec<HotelId> {
        let shift_weeks = i32::try_from((self.start - WEEK_OF_THE_FILE).num_weeks()).expect("a few hundred weeks");
        let mut templates = Vec::new();
        for name in HOTELS_OF_THE_FILE {
            let hotel = self.create_hotel(&format!("template-{}", templates.len())).await;
            let options = import::Options { hotel: Some(name.into()), shift_weeks, ..import::Options::default() };
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(BOOKINGS);
            let file = std::fs::File::open(file).expect("the bookings");
            let summary = import::import(&self.app, &hotel, file, &options, &|_| ()).await.expect("imported");
            assert!(summary.bad_lines.is_empty(), "{:?}", summary.bad_lines);
            templates.push(hotel.id);
        }
        let mut conn = self.owner.acquire().await.expect("a connection");
        run(&mut conn, include_str!("data/templates.sql")).await;
        templates
    }

    async fn create_hotel(&self, slug: &str) -> hotels::Hotel {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
        let new = NewHotel {
            slug: slug.into(),
            name: slug.into(),
            time_zone: Tz::Europe__Lisbon,
            check_in_time: time(15),
            check_out_time: time(11),
            is_sandbox: false,
        };
        hotel_settings::create(&self.app, new).await.expect("a hotel")
    }

    /// Makes every other hotel, beginning with number `first`, of a template.
    async fn replicate(&self, template: HotelId, first: usize) -> Vec<(usize, Hotel)> {
        let mut conn = PgConnection::connect_with(&self.options).await.expect("a connection");
        let mut made = Vec::new();
        for number in (first..self.size.hotels).step_by(HOTELS_OF_THE_FILE.len()) {
            let hotel = self.create_hotel(&format!("bench-{number}")).await;
            let statements = include_str!("data/replicate.sql")
                .replace(":hotel", &format!("'{}'::uuid", hotel.id))
                .replace(":template", &format!("'{template}'::uuid"))
                .replace(":stays", &self.size.stays_per_hotel.to_string());
            run(&mut conn, &statements).await;
            let now = self.app.clock.now();
            let tx = Tx::begin_worker(&self.app, Arc::new(hotel.clone()), Principal::Operator, now).await;
            let mut tx = tx.expect("a transaction");
            let locks = integrations::ensure_in(&mut tx, "Locks").await.expect("an integration");
            let new = auth::create_in(&mut tx, locks, "Locks".to_owned(), Permission::Write).await.expect("a key");
            tx.commit().await.expect("committed");
            self.hand_out_keys(&mut conn, &hotel, new.integration_id).await;
            let statements = include_str!("data/grants.sql")
                .replace(":hotel", &format!("'{}'::uuid", hotel.id))
                .replace(":integration", &format!("'{}'::uuid", new.integration_id));
            run(&mut conn, &statements).await;
            let longest: i32 = sqlx::query_scalar("SELECT longest_stay_nights FROM hotels WHERE id = $1")
                .bind(hotel.id)
                .fetch_one(&mut conn)
                .await
                .expect("a hotel");
            made.push((
                number,
                Hotel {
                    id: hotel.id,
                    integration: new.integration_id,
                    key: new.pair.live.expose().to_owned(),
                    latest_departure: self.end + Days::new(u64::from(longest.unsigned_abs())),
                    reservation_code: String::new(),
                    rooms: Vec::new(),
                    free_stays: Vec::new(),
                },
            ));
        }
        made
    }

    /// Gives the active stays of the window a PIN that opens.
    async fn hand_out_keys(&self, conn: &mut PgConnection, hotel: &hotels::Hotel, integration: Uuid) {
        let stays: Vec<(Uuid, NaiveDate, NaiveDate)> = sqlx::query_as(
            "SELECT s.id, s.reservation_from, s.reservation_to
             FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
             WHERE s.hotel_id = $1 AND s.reservation_from <= $3 AND s.reservation_to > $2 AND r.status = 'ACTIVE'",
        )
        .bind(hotel.id)
        .bind(self.start)
        .bind(self.end)
        .fetch_all(&mut *conn)
        .await
        .expect("stays");
        let app = &self.app;
        let now = app.clock.now();
        let ids: Vec<Uuid> = stays.iter().map(|_| app.ids.uuid(now)).collect();
        let sealed = ids.iter().map(|id| app.secret_keys.seal(&app.ids, &seal_context(hotel.id, *id), "004217"));
        let due = stays.iter().map(|(_, from, to)| hotel.key_due(*from, *to, None));
        sqlx::query(
            "WITH new AS (SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::bytea[], $6::timestamptz[]) n (stay, id, secret, due)),
                  key AS (INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at)
                          SELECT $1, id, $2, 'PIN', secret, $7 FROM new)
             UPDATE room_stays s
             SET room_access_key_id = new.id, room_access_key_kind = 'PIN', room_access_key_due_at = new.due
             FROM new WHERE s.hotel_id = $1 AND s.id = new.stay",
        )
        .bind(hotel.id)
        .bind(integration)
        .bind(stays.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
        .bind(&ids)
        .bind(sealed.collect::<Vec<_>>())
        .bind(due.collect::<Vec<_>>())
        .bind(now)
        .execute(conn)
        .await
        .expect("keys");
    }

    /// Chooses what is asked for: reservations of the same number of rooms in every hotel, and stays without a key.
    async fn choose(&mut self) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        run(&mut conn, include_str!("data/choose.sql")).await;
        let rooms: i64 = sqlx::query_scalar(
            "SELECT max(rooms) FROM (SELECT rooms FROM bench.parties WHERE rooms <= 20
                                     GROUP BY rooms HAVING count(DISTINCT hotel_id) = $1) common",
        )
        .bind(i64::try_from(self.hotels.len()).expect("a number"))
        .fetch_one(&mut *conn)
        .await
        .expect("a reservation of so many rooms in every hotel");
        self.rooms = usize::try_from(rooms).expect("a number");
        let most = FREE_STAYS_PER_HOTEL.max(FREE_STAYS / self.hotels.len());
        for hotel in &mut self.hotels {
            hotel.reservation_code =
                sqlx::query_scalar("SELECT min(code) FROM bench.parties WHERE hotel_id = $1 AND rooms = $2")
                    .bind(hotel.id)
                    .bind(rooms)
                    .fetch_one(&mut *conn)
                    .await
                    .expect("a reservation");
            hotel.rooms = sqlx::query_scalar("SELECT id FROM room_setups WHERE hotel_id = $1 ORDER BY id")
                .bind(hotel.id)
                .fetch_all(&mut *conn)
                .await
                .expect("rooms");
            hotel.free_stays = sqlx::query_scalar(
                "SELECT DISTINCT ON (s.reservation_id) s.id
                 FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
                 WHERE s.hotel_id = $1 AND s.reservation_from > $2 AND r.status = 'ACTIVE'
                 ORDER BY s.reservation_id, s.id LIMIT $3",
            )
            .bind(hotel.id)
            .bind(self.end)
            .bind(i64::try_from(most).expect("a number"))
            .fetch_all(&mut *conn)
            .await
            .expect("stays of the future");
        }
    }

    /// Takes away what the mutations have left.
    pub async fn clear(&self) {
        let mut conn = self.owner.acquire().await.expect("a connection");
        run(&mut conn, include_str!("data/clear.sql")).await;
        for table in CHANGED {
            run(&mut conn, &format!("VACUUM {table}")).await;
        }
    }
}

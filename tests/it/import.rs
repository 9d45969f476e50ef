//! Bookings from files.

use std::io::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use flate2::Compression;
use flate2::write::GzEncoder;
use latchkey::error::{ErrorCode, Result};
use latchkey::hotels::{self, Hotel};
use latchkey::import::{self, BadLine, Counts, Options, Summary};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::{DataDir, TestApp, TestDb};

const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,\
    stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,country,market_segment,distribution_channel,\
    reserved_room_type,assigned_room_type,agent,company,customer_type,reservation_status,reservation_status_date";
/// Two nights from 28 January 2026 for two adults and a child, booked ten days ahead.
const STAYED: &str =
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
const REAL: &[u8] = include_bytes!("../../src/demo/data/hotel_bookings.csv.gz");

fn csv(lines: &[&str]) -> String {
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

fn real(hotel: &str) -> Options {
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

#[tokio::test]
async fn a_departed_stay_is_invoiced_and_was_physically_there() {
    let (app, hotel) = city().await;
    app.advance(TimeDelta::hours(6));
    import_file(&app, &hotel, csv(&[STAYED])).await;
    let stay = only_stay(&app.pool).await;
    assert_eq!(stay.status, "INVOICED");
    assert_eq!((stay.reservation_from, stay.reservation_to), (date("2026-01-28"), date("2026-01-30")));
    let (check_in, check_out) = (stay.check_in.expect("came"), stay.check_out.expect("left"));
    assert_eq!((check_in.date_naive(), check_out.date_naive()), (date("2026-01-28"), date("2026-01-30")));
    assert!(check_out <= app.clock.now());
    assert_eq!(stay.created_at.date_naive(), date("2026-01-18"));
    assert_eq!(stay.updated_at, app.clock.now());
    assert_eq!((stay.adults, stay.child1, stay.free), (2, 1, 0));
    assert_eq!(stay.meal_notes.as_deref(), Some("Bed and breakfast"));
    assert_eq!(stay.guest_language.as_deref(), Some("pt"));
    assert_eq!((stay.company, stay.group_name), (None, None));
    assert_eq!(count(&app.pool, "hotels WHERE longest_stay_nights = 2").await, 1);
}

#[tokio::test]
async fn a_stay_in_the_future_is_active_and_nobody_has_come() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[UPGRADED])).await;
    let stay = only_stay(&app.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in, stay.check_out), ("ACTIVE", None, None));
    assert_eq!(stay.category, "Room type A");
    assert_eq!((stay.room.as_deref(), stay.room_category.as_deref()), (Some("D101"), Some("Room type D")));
}

#[tokio::test]
async fn a_cancelled_booking_has_no_room_and_the_day_of_its_cancellation() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[CANCELLED])).await;
    let stay = only_stay(&app.pool).await;
    assert_eq!((stay.status.as_str(), stay.room, stay.check_in), ("CANCELLED", None, None));
    assert_eq!(stay.cancelled_at.map(|instant| instant.date_naive()), Some(date("2026-01-20")));
}

#[tokio::test]
async fn a_cancellation_ahead_of_the_clock_counts_from_the_import() {
    let (app, hotel) = city().await;
    let line = CANCELLED.replace("1/20/2026", "2/9/2026");
    import_file(&app, &hotel, csv(&[&line])).await;
    let imported_at = app.clock.now();
    assert_eq!(only_stay(&app.pool).await.cancelled_at, Some(imported_at));
    app.advance(TimeDelta::hours(1));
    let again = import_file(&app, &hotel, csv(&[&line])).await;
    assert_eq!(again.reservations, Counts { created: 0, changed: 0, unchanged: 1 });
    assert_eq!(only_stay(&app.pool).await.cancelled_at, Some(imported_at));
}

#[tokio::test]
async fn a_no_show_holds_its_room_and_is_active_until_its_dates_are_over() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[NO_SHOW])).await;
    let stay = only_stay(&app.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in, stay.room.as_deref()), ("ACTIVE", None, Some("A101")));
    app.advance(TimeDelta::days(5));
    import_file(&app, &hotel, csv(&[NO_SHOW])).await;
    let stay = only_stay(&app.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in), ("INVOICED", None));
}

#[tokio::test]
async fn day_use_begins_and_ends_on_one_day_in_a_room_of_its_own() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[DAY_USE, NO_SHOW, STAYED])).await;
    let stays = stays(&app.pool).await;
    let day_use =
        stays.iter().find(|stay| stay.reservation_from == stay.reservation_to).expect("a stay without a night");
    assert_eq!(day_use.status, "INVOICED");
    assert_eq!(day_use.check_in.map(|instant| instant.date_naive()), Some(date("2026-01-29")));
    assert_eq!(day_use.check_out.map(|instant| instant.date_naive()), Some(date("2026-01-29")));
    assert!(stays.iter().filter(|stay| stay.room == day_use.room).count() == 1);
    assert_eq!(double_occupancies(&app.pool).await, 0);
}

#[tokio::test]
async fn lines_of_a_party_are_the_rooms_of_one_reservation_of_their_agency() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[GROUP, STAYED, GROUP, GROUP])).await;
    let stays = stays(&app.pool).await;
    let group: Vec<&Stay> = stays.iter().filter(|stay| stay.group_name.is_some()).collect();
    assert_eq!(group.len(), 3);
    assert!(group.iter().all(|stay| stay.code == group[0].code && stay.contact_id.is_some()));
    assert!(group[0].company.as_deref().is_some_and(|name| name.ends_with("(agent 38)")), "{:?}", group[0].company);
    assert_eq!(count(&app.pool, "reservations").await, 2);
}

#[tokio::test]
async fn a_room_of_a_party_that_is_cancelled_or_taken_back_keeps_its_stay() {
    let (app, hotel) = city().await;
    let cancelled = GROUP.replace("Check-Out", "Canceled");
    import_file(&app, &hotel, csv(&[GROUP, GROUP])).await;
    let before: Vec<Uuid> = stays(&app.pool).await.iter().map(|stay| stay.id).collect();
    let tables = whole_tables(&app.pool).await;

    let summary = import_file(&app, &hotel, csv(&[GROUP, &cancelled])).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 1, unchanged: 1 });
    let after = stays(&app.pool).await;
    assert_eq!(after.iter().map(|stay| stay.id).collect::<Vec<_>>(), before);
    assert_eq!(after.iter().filter(|stay| stay.status == "CANCELLED").count(), 1);

    import_file(&app, &hotel, csv(&[GROUP, GROUP])).await;
    assert_eq!(whole_tables(&app.pool).await, tables);
}

#[tokio::test]
async fn a_changed_line_changes_its_own_records_and_nothing_else() {
    let (app, hotel) = city().await;
    let others = [NO_SHOW, DAY_USE, GROUP, CANCELLED];
    import_file(&app, &hotel, csv(&[&[STAYED], &others[..]].concat())).await;
    let imported_at = app.clock.now();
    let before = stays(&app.pool).await;
    app.advance(TimeDelta::minutes(1));
    let longer = STAYED.replace(",0,2,2,1,0,", ",0,3,3,1,1,");
    let summary = import_file(&app, &hotel, csv(&[&[longer.as_str()], &others[..]].concat())).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 1, unchanged: 4 });
    assert_eq!(summary.clients, Counts { created: 0, changed: 0, unchanged: 6 });
    for (stay, before) in stays(&app.pool).await.iter().zip(&before) {
        let changed = stay.adults == 3;
        assert_eq!(stay.id, before.id);
        assert_eq!(stay.updated_at, if changed { app.clock.now() } else { imported_at });
        assert!(changed || stay.room == before.room);
    }
}

#[tokio::test]
async fn what_the_front_desk_added_survives_another_import() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[STAYED])).await;
    let additions = [
        "UPDATE room_stays SET departure_time = '14:00', maid_notes = 'cot', check_in = '2026-01-28T14:00:00Z'",
        "UPDATE reservations SET notes = 'regular guest'",
        "UPDATE clients SET lastname = 'Saramago', mobile = '+351 912 000 000'",
    ];
    for statement in additions {
        sqlx::query(statement).execute(&app.pool).await.expect(statement);
    }
    let tables = whole_tables(&app.pool).await;
    import_file(&app, &hotel, csv(&[STAYED])).await;
    assert_eq!(whole_tables(&app.pool).await, tables);

    let summary = import_file(&app, &hotel, csv(&[&STAYED.replace("PRT", "FRA")])).await;
    assert_eq!(summary.clients, Counts { created: 0, changed: 1, unchanged: 0 });
    let renamed = "clients WHERE lastname = 'Saramago' AND language = 'fr' AND country = 'FR'";
    assert_eq!(count(&app.pool, renamed).await, 1);
}

#[tokio::test]
async fn stays_of_the_front_desk_keep_their_rooms_to_themselves() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[STAYED])).await;
    // The same nights in the same room, but no line of the file: it stands for a booking made at the desk.
    let other = DAY_USE.replace(",0,0,2,", ",0,5,2,");
    sqlx::query("UPDATE room_stays SET reservation_from = '2026-01-29', reservation_to = '2026-02-03'")
        .execute(&app.pool)
        .await
        .expect("moved");
    import_file(&app, &hotel, csv(&[&other])).await;
    assert_eq!(double_occupancies(&app.pool).await, 0);
    assert_eq!(count(&app.pool, "room_setups").await, 2);
}

#[tokio::test]
async fn beyond_the_cap_stays_share_rooms_and_the_summary_says_how_many() {
    let (app, hotel) = city().await;
    let lines = vec![STAYED; 5];
    let options = Options { max_rooms_per_type: 3, ..Options::default() };
    let summary = try_import(&app, &hotel, csv(&lines), options).await.expect("imported");
    assert_eq!((summary.rooms_created, summary.double_booked), (3, 2));
    assert_eq!(double_occupancies(&app.pool).await, 2);
}

#[tokio::test]
async fn a_bad_line_is_reported_with_its_number_and_the_rest_goes_on() {
    let (app, hotel) = city().await;
    let month = STAYED.replace("January", "Janvier");
    let day = STAYED.replace("January,28", "February,30");
    let adults = STAYED.replace(",0,2,2,", ",0,2,two,");
    let status = STAYED.replace("Check-Out", "Maybe");
    let quote = STAYED.replacen("City", "\"City", 1);
    let absent = STAYED.replace(",A,A,", ",NULL,A,");
    let lines = [&month, "", STAYED, &day, &adults, "only,three,fields", &status, &quote, &absent, NO_SHOW];
    let summary = import_file(&app, &hotel, csv(&lines)).await;
    assert_eq!(summary.room_stays, Counts { created: 2, changed: 0, unchanged: 0 });
    let reported: Vec<(usize, &str)> =
        summary.bad_lines.iter().map(|BadLine { number, reason }| (*number, reason.as_str())).collect();
    assert_eq!(
        reported,
        [
            (2, "arrival_date: 28 Janvier 2026 is not a date"),
            (5, "arrival_date: 30 February 2026 is not a date"),
            (6, "adults: \"two\" is not a whole number from 0 to 1000"),
            (7, "3 fields where the header row has 22"),
            (8, "reservation_status: \"Maybe\" is none of Check-Out, Canceled and No-Show"),
            (9, "1 fields where the header row has 22"),
            (10, "reserved_room_type is absent"),
        ]
    );
}

#[tokio::test]
async fn a_file_without_required_columns_is_refused_and_nothing_changes() {
    let (app, hotel) = city().await;
    let before = whole_tables(&app.pool).await;
    for (file, message) in [
        ("", "The file is empty"),
        (
            "hotel,arrival_date_year,arrival_date_month,adults\nCity,2026,May,2",
            "The header row lacks: arrival_date_day_of_month, stays_in_weekend_nights, stays_in_week_nights, reserved_room_type",
        ),
    ] {
        let refused = try_import(&app, &hotel, file, Options::default()).await.expect_err("refused");
        assert_eq!((refused.code, &*refused.message), (ErrorCode::InvalidArgument, message));
    }
    assert_eq!(whole_tables(&app.pool).await, before);
}

#[tokio::test]
async fn optional_columns_may_be_missing() {
    let (app, hotel) = city().await;
    let file = "ARRIVAL_DATE_YEAR,arrival_date_month,arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,\
                reserved_room_type,adults\n2026,2,14,1,0,Deluxe,2";
    assert_eq!(import_file(&app, &hotel, file).await.room_stays.created, 1);
    let stay = only_stay(&app.pool).await;
    assert_eq!((stay.status.as_str(), stay.room.as_deref()), ("ACTIVE", Some("Deluxe101")));
    assert_eq!(stay.reservation_to, date("2026-02-15"));
}

#[tokio::test]
async fn encodings_line_ends_and_delimiters_make_no_difference() {
    let (app, hotel) = city().await;
    let plain = csv(&[STAYED, GROUP]);
    import_file(&app, &hotel, &plain).await;
    let tables = whole_tables(&app.pool).await;
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let files: [Vec<u8>; 5] = [
        format!("\u{feff}{plain}").into_bytes(),
        plain.replace('\n', "\r\n").into_bytes(),
        plain.replace(',', ";").into_bytes(),
        plain.replace(',', "\t").into_bytes(),
        utf16,
    ];
    for file in files {
        import_file(&app, &hotel, file).await;
        assert_eq!(whole_tables(&app.pool).await, tables);
    }
}

#[tokio::test]
async fn gzip_is_recognised_and_means_the_same_as_plain() {
    let (app, hotel) = city().await;
    let plain = csv(&[STAYED, GROUP]);
    import_file(&app, &hotel, &plain).await;
    let tables = whole_tables(&app.pool).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(plain.as_bytes()).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    import_file(&app, &hotel, &gzip).await;
    assert_eq!(whole_tables(&app.pool).await, tables);
    let damaged = try_import(&app, &hotel, &gzip[..gzip.len() / 2], Options::default()).await;
    assert_eq!(damaged.expect_err("refused").code, ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn a_file_of_several_hotels_needs_a_choice() {
    let (app, hotel) = city().await;
    let resort = STAYED.replace("City", "Resort");
    let file = csv(&[STAYED, &resort, &resort]);
    let refused = try_import(&app, &hotel, &file, Options::default()).await.expect_err("refused");
    assert_eq!(refused.message, "The file holds several hotels; choose one with --hotel: \"City\", \"Resort\"");
    let refused = try_import(&app, &hotel, &file, real("Ritz")).await.expect_err("refused");
    assert_eq!(refused.message, "The file has no hotel \"Ritz\"; it holds: \"City\", \"Resort\"");
    let summary = try_import(&app, &hotel, &file, real("resort")).await.expect("imported");
    assert_eq!(summary.room_stays.created, 2);
}

#[tokio::test]
async fn another_shift_moves_the_same_bookings() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[UPGRADED])).await;
    let before = only_stay(&app.pool).await;
    for (weeks, from) in [(2, "2026-02-16"), (-3, "2026-01-12")] {
        let options = Options { shift_weeks: weeks, ..Options::default() };
        try_import(&app, &hotel, csv(&[UPGRADED]), options).await.expect("imported");
        let stay = only_stay(&app.pool).await;
        assert_eq!((stay.id, stay.reservation_from), (before.id, date(from)));
        assert_eq!(stay.status, if weeks > 0 { "ACTIVE" } else { "INVOICED" });
    }
    let options = Options { shift_weeks: i32::MAX, ..Options::default() };
    let summary = try_import(&app, &hotel, csv(&[UPGRADED]), options).await.expect("nothing to import");
    assert_eq!(summary.bad_lines.len(), 1);
}

#[tokio::test]
async fn the_real_bookings_fit_their_rooms_and_a_second_import_changes_nothing() {
    let app = TestApp::at("2015-09-16T12:00:30Z").await;
    let resort = app.hotel("resort-hotel", Tz::Europe__Lisbon).await;
    let city = app.hotel("city-hotel", Tz::Europe__Lisbon).await;
    let mut tables = Vec::new();
    for round in [1, 2] {
        for (hotel, name, bookings, rooms) in [(&resort, "Resort Hotel", 9_999, 155), (&city, "City Hotel", 4_939, 212)]
        {
            let summary = try_import(&app, hotel, REAL, real(name)).await.expect("imported");
            assert_eq!(summary.bad_lines, []);
            assert_eq!(summary.double_booked, 0);
            let (created, unchanged) = if round == 1 { (bookings, 0) } else { (0, bookings) };
            assert_eq!(summary.room_stays, Counts { created, changed: 0, unchanged });
            assert_eq!(summary.reservations.changed + summary.clients.changed, 0);
            assert_eq!(summary.rooms_created, if round == 1 { rooms } else { 0 });
        }
        // A moment in which nothing happens in the hotels.
        app.advance(TimeDelta::seconds(20));
        tables.push(whole_tables(&app.pool).await);
    }
    assert!(tables[0] == tables[1], "the second import changed something");
    assert_eq!(double_occupancies(&app.pool).await, 0);
    let mut conn = app.pool.acquire().await.expect("a connection");
    assert_eq!(hotels::store::longest_stay(&mut conn, resort.id).await.expect("nights"), 56);
    assert_eq!(
        count(
            &app.pool,
            "room_stays s JOIN reservations r USING (hotel_id) WHERE r.id = s.reservation_id AND r.status = 'CANCELLED'"
        )
        .await,
        7_793
    );
    assert_eq!(count(&app.pool, "reservations r WHERE NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = r.hotel_id AND s.reservation_id = r.id)").await, 0);
    assert_eq!(count(&app.pool, "room_stays WHERE adults = 55").await, 1);
}

#[tokio::test]
async fn the_command_prints_counts_and_bad_lines_and_fails_when_a_line_was_left_out() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "city-hotel", "--name", "City", "--time-zone", "Europe/Lisbon"]);
    let path = data.path().join("bookings.csv");
    let import = |lines: &[&str]| {
        std::fs::write(&path, csv(lines)).expect("written");
        let output = data.run(&["import", "city-hotel", path.to_str().expect("text"), "--shift-weeks", "-2"]);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, counts, _) = import(&[STAYED, "bad", NO_SHOW]);
    assert_eq!(code, Some(1));
    assert!(counts.contains("room stays            2        0          0\n"), "{counts}");

    let (code, counts, said) = import(&[STAYED, NO_SHOW]);
    assert_eq!((code, said.contains("line 3")), (Some(0), false));
    assert!(counts.contains("room stays            0        0          2\n"), "{counts}");
    assert_eq!(count(&db.pool, "room_stays WHERE reservation_from = '2026-01-14'").await, 1);

    let (_, _, said) = import(&[STAYED, "bad", NO_SHOW]);
    assert!(said.contains("line 3: 1 fields where the header row has 22\n"), "{said}");
    assert!(said.ends_with("latchkey: 1 line was left out; the others are imported\n"), "{said}");
    let unknown = data.run(&["import", "other-hotel", path.to_str().expect("text")]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no hotel \"other-hotel\""));
    assert_eq!(unknown.status.code(), Some(1));
}

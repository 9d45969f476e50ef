//! A hotel's own bookings.

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::error::ErrorCode;
use latchkey::hotels::Hotel;
use latchkey::import::{Counts, DateOrder, Format, Options};
use serde_json::json;
use sqlx::PgPool;

use super::{STAYED, city, count, csv, try_import, whole_tables};
use crate::support::{DataDir, House, LATCHKEY, TestApp, TestDb, fingerprint, text};

const SAMPLE: &str = include_str!("../../../docs/samples/bookings.csv");
const HEADER: &str = "code,last_name,room,category,arrival,departure,status,email";

fn own(lines: &[&str]) -> String {
    [&[HEADER], lines].concat().join("\n")
}

fn with_rooms() -> Options {
    Options { create_rooms: true, ..Options::default() }
}

async fn imported(app: &TestApp, hotel: &Hotel, file: &str) -> latchkey::import::Summary {
    let summary = try_import(app, hotel, file, with_rooms()).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(summary.bad_lines, []);
    summary
}

/// Code, status, room, category, nights and guests of each stay.
async fn house(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', r.code, r.status, coalesce(room.name, '-'), c.name, s.reservation_from, s.reservation_to,
                          (SELECT string_agg(concat_ws(' ', p.firstname, p.lastname), '+' ORDER BY g.position)
                           FROM room_stay_guests g JOIN clients p ON p.hotel_id = g.hotel_id AND p.id = g.client_id
                           WHERE g.hotel_id = s.hotel_id AND g.room_stay_id = s.id))
         FROM room_stays s
         JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         JOIN categories c ON c.hotel_id = s.hotel_id AND c.id = s.category_id
         LEFT JOIN room_setups room ON room.hotel_id = s.hotel_id AND room.id = s.room_setup_id
         ORDER BY r.code, room.name, s.reservation_from",
    )
    .fetch_all(pool)
    .await
    .expect("stays")
}

async fn events(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', type, array_to_string(updated_fields, ',')) FROM events ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .expect("events")
}

#[tokio::test]
async fn g28_the_sample_is_imported_as_the_documentation_prints_it() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let document = include_str!("../../../docs/IMPORT.md");
    let printed = document.split("```sh\n").nth(1).and_then(|block| block.split("```").next()).expect("a block");
    let program = data.command(&[]);
    let mut shell = std::process::Command::new("bash");
    shell.args(["-eu", "-c", &format!("latchkey() {{ '{LATCHKEY}' \"$@\"; }}\n{printed}")]);
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().expect("bash is there");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Nothing was written: this was a dry run."), "{said}");
    for (line, counts) in [("room stays", [7, 0, 0]), ("reservations", [6, 0, 0]), ("clients", [7, 0, 0])] {
        let row = |line: &str| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<i32>>();
        let rows: Vec<_> = said.lines().filter(|text| text.starts_with(line)).map(row).collect();
        assert_eq!(rows, [counts, counts], "what a dry run tells is what then happens: {said}");
    }
    assert_eq!(
        house(&db.pool).await,
        [
            "B-1001 ACTIVE 101 Double room 2027-05-14 2027-05-17 Jane Doe",
            "B-1002 ACTIVE 102 Double room 2027-05-14 2027-05-21 Jürgen Müller",
            "B-1003 ACTIVE 201 Suite 2027-05-15 2027-05-18 Lucía Fernández Ruiz",
            "B-1004 ACTIVE 101 Double room 2027-05-17 2027-05-19 Piet de Vries",
            "B-1004 ACTIVE 103 Double room 2027-05-17 2027-05-19 Anneke de Vries",
            "B-1005 ACTIVE - Suite 2027-05-20 2027-05-22 Marie Dubois",
            "B-1006 CANCELLED 103 Double room 2027-05-20 2027-05-21 Alan Smith",
        ]
    );
    let doe = "clients WHERE email = 'jane.doe@guests.example' AND telephone = '+49 30 5550101' AND language = 'en'";
    assert_eq!(count(&db.pool, doe).await, 1);
}

#[tokio::test]
async fn every_column_of_the_documentation_is_known_and_every_known_one_is_documented() {
    let (app, hotel) = city().await;
    let document = include_str!("../../../docs/IMPORT.md");
    let (_, section) = document.split_once("## Own bookings").expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with("| Column |")).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    let documented: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).collect::<Vec<_>>()).collect();
    let options = Options { columns: vec![("nonsense".into(), "x".into())], ..Options::default() };
    let refused = try_import(&app, &hotel, SAMPLE, options).await.expect_err("refused").message.english();
    let (_, known) = refused.rsplit_once("columns ").expect("a list");
    let known: std::collections::BTreeSet<&str> = known.split(", ").collect();
    assert_eq!(documented.into_iter().collect::<std::collections::BTreeSet<_>>(), known);
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_whatever_the_front_desk_has_done_meanwhile() {
    let (app, hotel) = city().await;
    let made = imported(&app, &hotel, SAMPLE).await;
    assert_eq!((made.rooms_created, made.categories_created), (4, 2));
    for statement in [
        "UPDATE room_stays SET reservation_to = '2027-06-01', room_setup_id = NULL WHERE adults = 1 AND reservation_from = '2027-05-14'",
        "UPDATE reservations SET status = 'CANCELLED', cancelled_at = created_at, notes = 'x' WHERE code = 'B-1003'",
        "UPDATE clients SET lastname = 'Smythe', mobile = '1' WHERE lastname = 'Smith'",
    ] {
        sqlx::query(statement).execute(&app.db.pool).await.expect(statement);
    }
    let tables = whole_tables(&app.db.pool).await;
    app.advance(TimeDelta::days(3));
    let events_before = events(&app.db.pool).await;
    let again = imported(&app, &hotel, SAMPLE).await;
    assert_eq!(again.room_stays, Counts { created: 0, changed: 0, unchanged: 7 });
    assert_eq!(again.reservations, Counts { created: 0, changed: 0, unchanged: 6 });
    assert_eq!(again.clients, Counts { created: 0, changed: 0, unchanged: 7 });
    // Neither the order of lines or columns nor the form of dates makes another line of one.
    let mut lines: Vec<&str> = SAMPLE.lines().collect();
    lines[1..].reverse();
    let other = lines.join("\n").replace(',', ";").replace("2027-05-14", "14.05.2027");
    imported(&app, &hotel, &other).await;
    assert_eq!(whole_tables(&app.db.pool).await, tables);
    assert_eq!(events(&app.db.pool).await, events_before);
}

#[tokio::test]
async fn a_changed_line_changes_its_own_stay_and_says_what() {
    let (app, hotel) = city().await;
    imported(&app, &hotel, SAMPLE).await;
    let before = house(&app.db.pool).await;
    let told = events(&app.db.pool).await.len();
    let changed = SAMPLE
        .replace("102,Double room,2027-05-14,2027-05-21", "103,Double room,2027-05-14,2027-05-16")
        .replace(
            "B-1003,Lucía,Fernández Ruiz,201,Suite,2027-05-15,2027-05-18,active",
            "B-1003,Lucía,Fernández Ruiz,201,Suite,2027-05-15,2027-05-18,cancelled",
        )
        .replace("B-1004,Anneke,de Vries", "B-1004,Joost,Bakker")
        .replace("marie.dubois@guests.example", "marie@guests.example");
    let summary = imported(&app, &hotel, &changed).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 2, unchanged: 5 });
    assert_eq!(summary.reservations, Counts { created: 0, changed: 1, unchanged: 5 });
    assert_eq!(summary.clients, Counts { created: 1, changed: 1, unchanged: 5 });
    let after = house(&app.db.pool).await;
    assert_eq!(after[1], "B-1002 ACTIVE 103 Double room 2027-05-14 2027-05-16 Jürgen Müller");
    assert_eq!(after[2], "B-1003 CANCELLED 201 Suite 2027-05-15 2027-05-18 Lucía Fernández Ruiz");
    assert_eq!(after[4], "B-1004 ACTIVE 103 Double room 2027-05-17 2027-05-19 Joost Bakker");
    for same in [0, 3, 5, 6] {
        assert_eq!(after[same], before[same]);
    }
    assert_eq!(count(&app.db.pool, "clients WHERE email = 'marie@guests.example'").await, 1);
    let mut events = events(&app.db.pool).await.split_off(told);
    events.sort();
    assert_eq!(
        events,
        [
            "client.updated",
            "reservation.updated status,cancelledAt",
            "room_stay.updated guests",
            "room_stay.updated room_setup,reservation_to",
        ]
    );
    let tables = whole_tables(&app.db.pool).await;
    imported(&app, &hotel, &changed).await;
    assert_eq!(whole_tables(&app.db.pool).await, tables);
}

#[tokio::test]
async fn a_changed_line_does_not_undo_what_the_front_desk_did_to_the_rest_of_its_reservation() {
    let (app, hotel) = city().await;
    imported(&app, &hotel, SAMPLE).await;
    let renamed = "UPDATE clients SET lastname = 'de Vries-Bos' WHERE firstname = 'Piet'";
    sqlx::query(renamed).execute(&app.db.pool).await.expect("renamed");
    let changed = SAMPLE.replace("B-1004,Anneke,de Vries,103", "B-1004,Anneke,de Vries,102");
    let summary = imported(&app, &hotel, &changed).await;
    assert_eq!((summary.clients.created, summary.clients.changed, summary.reservations.changed), (0, 0, 0));
    assert_eq!(summary.room_stays.changed, 1);
    assert!(house(&app.db.pool).await.iter().any(|stay| stay.ends_with("Piet de Vries-Bos")));
}

#[tokio::test]
async fn blank_fields_of_a_changed_line_leave_what_is_there() {
    let (app, hotel) = city().await;
    imported(&app, &hotel, &own(&["R1,Doe,101,Double,2026-02-01,2026-02-03,active,doe@guests.example"])).await;
    imported(&app, &hotel, &own(&["R1,Doe,,,2026-02-01,2026-02-04,,"])).await;
    assert_eq!(house(&app.db.pool).await, ["R1 ACTIVE 101 Double 2026-02-01 2026-02-04 Doe"]);
    assert_eq!(count(&app.db.pool, "clients WHERE email = 'doe@guests.example'").await, 1);
}

#[tokio::test]
async fn rooms_of_a_reservation_are_told_apart_by_what_they_are_like() {
    let (app, hotel) = city().await;
    let lines = [
        "G1,Ada,101,Double,2026-02-01,2026-02-03,,",
        "G1,Bea,102,Double,2026-02-01,2026-02-03,,",
        "G1,Cleo,,Double,2026-02-01,2026-02-03,,",
        "G1,Cleo,,Double,2026-02-01,2026-02-03,,",
    ];
    imported(&app, &hotel, &own(&lines)).await;
    let ids = "SELECT string_agg(s.id::text, ' ' ORDER BY c.lastname, s.id) FROM room_stays s
               JOIN room_stay_guests g ON g.room_stay_id = s.id JOIN clients c ON c.id = g.client_id";
    let before: String = sqlx::query_scalar(ids).fetch_one(&app.db.pool).await.expect("ids");
    // Another order, other dates, and the rooms of two guests changed over.
    let lines = [
        "G1,Cleo,,Double,2026-02-01,2026-02-03,,",
        "G1,Bea,103,Double,2026-02-01,2026-02-05,,",
        "G1,Cleo,,Double,2026-02-01,2026-02-03,,",
        "G1,Ada,102,Double,2026-02-02,2026-02-03,,",
    ];
    let summary = imported(&app, &hotel, &own(&lines)).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 2, unchanged: 2 });
    // Bea's stay is the one of Bea's arrival; what is left is Ada's.
    assert_eq!(sqlx::query_scalar::<_, String>(ids).fetch_one(&app.db.pool).await.expect("ids"), before);
    // Two guests change rooms: each keeps the stay, and with it the key.
    let swapped = lines.map(|line| line.replace("103", "0").replace("102", "103").replace(",0,", ",102,"));
    let swapped: Vec<&str> = swapped.iter().map(String::as_str).collect();
    let summary = imported(&app, &hotel, &own(&swapped)).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 2, unchanged: 2 });
    assert_eq!(sqlx::query_scalar::<_, String>(ids).fetch_one(&app.db.pool).await.expect("ids"), before);
    imported(&app, &hotel, &own(&lines)).await;
    // One more line is one more room.
    let more = [&lines[..], &["G1,Dora,104,Double,2026-02-01,2026-02-03,,"]].concat();
    let summary = imported(&app, &hotel, &own(&more)).await;
    assert_eq!(summary.room_stays, Counts { created: 1, changed: 0, unchanged: 4 });
    // And a line that is gone changes nothing.
    let summary = imported(&app, &hotel, &own(&lines[..1])).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 0, unchanged: 1 });
    assert_eq!(count(&app.db.pool, "room_stays").await, 5);
}

#[tokio::test]
async fn a_dry_run_of_either_format_tells_what_an_import_does_and_writes_nothing() {
    for (file, options) in [(SAMPLE.to_owned(), with_rooms()), (csv(&[STAYED, "bad"]), Options::default())] {
        let (app, hotel) = city().await;
        let dry = Options { dry_run: true, ..options.clone() };
        let before = fingerprint(&app.db.pool).await;
        let told = try_import(&app, &hotel, &file, dry.clone()).await.expect("told");
        assert_eq!(fingerprint(&app.db.pool).await, before);
        let done = try_import(&app, &hotel, &file, options).await.expect("imported");
        assert_eq!(told, done);
        let tables = fingerprint(&app.db.pool).await;
        let again = try_import(&app, &hotel, &file, dry).await.expect("told");
        assert_eq!((again.room_stays.created, again.room_stays.changed), (0, 0));
        assert_eq!(fingerprint(&app.db.pool).await, tables);
    }
}

#[tokio::test]
async fn rooms_that_the_hotel_lacks_are_bad_lines_unless_they_are_asked_for() {
    let (app, hotel) = city().await;
    let lines = [
        "R1,Doe,101,Double,2026-02-01,2026-02-03,,",
        "R2,Roe,101,,2026-02-03,2026-02-04,,",
        "R3,Poe,101,Single,2026-02-04,2026-02-05,,",
        "R4,Loe,999,,2026-02-04,2026-02-05,,",
        "R5,Zoe,,,2026-02-04,2026-02-05,,",
    ];
    let summary = try_import(&app, &hotel, own(&lines[..2]), Options::default()).await.expect("read");
    let reasons: Vec<String> =
        summary.bad_lines.iter().map(|line| format!("{} {}", line.number, line.reason)).collect();
    assert_eq!(
        reasons,
        [
            "2 category: the hotel has none that is called \"Double\"; make it, or import with --create-rooms",
            "3 room: the hotel has none that is called \"101\"; make it, or import with --create-rooms",
        ]
    );
    assert_eq!(count(&app.db.pool, "reservations").await + count(&app.db.pool, "room_setups").await, 0);
    let summary = try_import(&app, &hotel, own(&lines), with_rooms()).await.expect("imported");
    let reasons: Vec<&str> = summary.bad_lines.iter().map(|line| line.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "room: \"999\" cannot be made, because no line says its category",
            "category: is blank, and there is no room to take it from"
        ]
    );
    // Of two categories the first; a name in other letters is the same room.
    assert_eq!(
        count(&app.db.pool, "room_setups r JOIN categories c ON c.id = r.category_id AND c.name = 'Double'").await,
        1
    );
    assert_eq!(count(&app.db.pool, "categories").await, 2);
    assert_eq!(count(&app.db.pool, "room_setups r JOIN spaces s ON s.id = r.id AND s.name = r.name").await, 1);
    let summary = imported(&app, &hotel, &own(&["R6,Doe,101,DOUBLE,2026-03-01,2026-03-03,,"])).await;
    assert_eq!((summary.rooms_created, summary.categories_created), (0, 0));
}

#[tokio::test]
async fn other_systems_exports_are_read_with_what_they_call_things() {
    let (app, hotel) = city().await;
    let export = "Confirmation Number;Guest Name;Room No.;Room Type;Check-In;Check-Out;Status;Total\n\
                  8801;\"Doe, Jane\";12;Suite;03/02/2026;14/02/2026;Confirmed;\"1,200.00\"\n\
                  8802;John Roe;14;Suite;03/02/2026 15:00;05/02/2026;CXL;80\n";
    let summary = imported(&app, &hotel, export).await;
    assert_eq!(summary.room_stays.created, 2);
    assert!(summary.remarks[0].starts_with("Columns: code from \"Confirmation Number\", room from \"Room No.\""));
    assert_eq!(summary.remarks[1], "Columns that are not read: \"Total\"");
    assert_eq!(
        house(&app.db.pool).await,
        [
            "8801 ACTIVE 12 Suite 2026-02-03 2026-02-14 Jane Doe",
            "8802 CANCELLED 14 Suite 2026-02-03 2026-02-05 John Roe"
        ]
    );
    // A name of the hotel's own, and a day that could be read both ways.
    let export = "Our Ref,Name,Room,From,To\nX1,Doe,12,03/04/2026,05/04/2026\n";
    let refused = try_import(&app, &hotel, export, Options::default()).await.expect_err("refused");
    assert!(refused.message.english().contains("--column code=\"Our Ref\""), "{}", refused.message.english());
    let columns = vec![("code".to_owned(), "our ref".to_owned())];
    let options = Options { columns, ..Options::default() };
    let refused = try_import(&app, &hotel, export, options.clone()).await.expect_err("refused");
    assert!(refused.message.english().contains("line 2 has \"03/04/2026\""), "{}", refused.message.english());
    let options = Options { dates: Some(DateOrder::MonthFirst), ..options };
    assert_eq!(try_import(&app, &hotel, export, options).await.expect("imported").room_stays.created, 1);
    assert_eq!(count(&app.db.pool, "room_stays WHERE reservation_from = '2026-03-04'").await, 1);
}

#[tokio::test]
async fn the_header_row_tells_the_format_and_options_of_the_other_one_are_refused() {
    let (app, hotel) = city().await;
    let of = |format| Options { format: Some(format), ..Options::default() };
    let of_city = Options { hotel: Some("City".into()), ..Options::default() };
    let public = csv(&[STAYED]);
    assert_eq!(try_import(&app, &hotel, &public, of_city.clone()).await.expect("imported").room_stays.created, 1);
    for (file, options, said) in [
        (SAMPLE, of_city, "The header row lacks: arrival_date_year"),
        (SAMPLE, of(Format::HotelBookings), "The header row lacks: arrival_date_year"),
        (public.as_str(), of(Format::Own), "The header row has no column that is known as: code, arrival, departure"),
        (public.as_str(), with_rooms(), "--create-rooms is for a hotel's own bookings"),
        (SAMPLE, Options { shift_weeks: 1, ..Options::default() }, "--shift-weeks is for the public booking data"),
    ] {
        let refused = try_import(&app, &hotel, file, options).await.expect_err("refused");
        assert_eq!(refused.code, ErrorCode::InvalidArgument);
        assert!(refused.message.english().starts_with(said), "{}", refused.message.english());
    }
}

#[tokio::test]
async fn a_reservation_is_cancelled_as_a_whole() {
    let (app, hotel) = city().await;
    let two = ["R1,Doe,101,Double,2026-02-01,2026-02-03,,", "R1,Roe,102,Double,2026-02-01,2026-02-03,cancelled,"];
    let summary = imported(&app, &hotel, &own(&two)).await;
    assert_eq!((summary.room_stays.created, summary.cancelled_rooms), (1, 1));
    imported(
        &app,
        &hotel,
        &own(&["R2,Doe,103,Double,2026-02-01,2026-02-03,,", "R2,Roe,104,Double,2026-02-01,2026-02-03,,"]),
    )
    .await;
    let half =
        own(&["R2,Doe,103,Double,2026-02-01,2026-02-03,,", "R2,Roe,104,Double,2026-02-01,2026-02-03,Cancelled,"]);
    let summary = try_import(&app, &hotel, &half, Options::default()).await.expect("read");
    assert!(summary.bad_lines[0].reason.contains("deleteRoomStay"), "{:?}", summary.bad_lines);
    assert_eq!(count(&app.db.pool, "reservations WHERE status <> 'ACTIVE'").await, 0);
    imported(&app, &hotel, &half.replace(",,\n", ",cancelled,\n")).await;
    let cancelled = "reservations WHERE code = 'R2' AND status = 'CANCELLED' AND cancelled_at = '2026-01-30T09:00:00Z'";
    assert_eq!(count(&app.db.pool, cancelled).await, 1);
    imported(&app, &hotel, &half.replace(",Cancelled,", ",confirmed,")).await;
    assert_eq!(count(&app.db.pool, "reservations WHERE code = 'R2' AND status = 'ACTIVE'").await, 1);
}

#[tokio::test]
async fn who_has_arrived_and_left_is_recorded_and_what_was_recorded_is_kept() {
    let (app, hotel) = city().await;
    let lines = [
        "R1,Doe,101,Double,2026-01-28,2026-02-03,in house,",
        "R2,Roe,102,Double,2026-01-26,2026-01-29,Checked Out,",
        "R3,Poe,103,Double,2026-01-28,2026-01-29,no-show,",
        "R4,Loe,104,Double,2026-02-28,2026-03-01,checked_in,",
    ];
    let summary = try_import(&app, &hotel, own(&lines), with_rooms()).await.expect("imported");
    assert_eq!(
        summary.bad_lines[0].reason,
        "status: says that the guest has arrived, and the arrival is on 2026-02-28"
    );
    let presence: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', r.code, r.status, s.check_in AT TIME ZONE 'UTC', s.check_out AT TIME ZONE 'UTC')
         FROM room_stays s JOIN reservations r ON r.id = s.reservation_id ORDER BY 1",
    )
    .fetch_all(&app.db.pool)
    .await
    .expect("stays");
    assert_eq!(
        presence,
        ["R1 ACTIVE 2026-01-28 15:00:00", "R2 INVOICED 2026-01-26 15:00:00 2026-01-29 11:00:00", "R3 ACTIVE"]
    );
    sqlx::query(
        "UPDATE room_stays SET check_in = '2026-01-28T17:12:00Z' WHERE check_out IS NULL AND check_in IS NOT NULL",
    )
    .execute(&app.db.pool)
    .await
    .expect("recorded");
    imported(&app, &hotel, &own(&["R1,Doe,101,Double,2026-01-28,2026-01-30,departed,"])).await;
    let kept = "room_stays WHERE check_in = '2026-01-28T17:12:00Z' AND check_out = '2026-01-30T09:00:00Z'";
    assert_eq!(count(&app.db.pool, kept).await, 1);
    let invoiced = own(&["R2,Roe,102,Double,2026-01-26,2026-01-29,cancelled,"]);
    let summary = try_import(&app, &hotel, invoiced, Options::default()).await.expect("read");
    assert_eq!(summary.bad_lines[0].reason, "status: the reservation was invoiced and can no longer be cancelled");
}

#[tokio::test]
async fn a_reservation_of_the_front_desk_is_found_by_its_code_and_its_key_stays_on_it() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let due = "SELECT room_access_key_due_at::text FROM room_stays WHERE room_access_key_id IS NOT NULL";
    let before: String = sqlx::query_scalar(due).fetch_one(&house.test.db.pool).await.expect("due");
    let guest = house.desk.read_stay(&stay, "reservation { client { id } }").await;
    let client = text(&guest["reservation"]["client"]["id"]);
    let line = "R-101,Newcomer,101,,2026-01-30,2026-02-05,,";
    let summary = try_import(&house.test, &house.hotel, own(&[line]), Options::default()).await.expect("imported");
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 1, unchanged: 0 });
    assert_eq!(house.locks.key_of(&stay).await, Some(key));
    let after: String = sqlx::query_scalar(due).fetch_one(&house.test.db.pool).await.expect("due");
    assert!(after.as_str() > before.as_str(), "the key comes off later: {before}, {after}");
    let read = house.desk.read_stay(&stay, "reservation_to reservation { code client { id } }").await;
    assert_eq!(read["reservation_to"], json!("2026-02-05"));
    assert_ne!(text(&read["reservation"]["client"]["id"]), client);

    // Codes are compared as people read them.
    let line = line.replace("R-101", "r-101");
    let summary = try_import(&house.test, &house.hotel, own(&[&line]), Options::default()).await.expect("imported");
    assert_eq!((summary.bad_lines, summary.reservations.created, summary.room_stays.created), (vec![], 0, 0));
}

#[tokio::test]
async fn another_hotel_with_the_same_codes_and_rooms_is_not_touched() {
    let (app, hotel) = city().await;
    let other = app.hotel("other-hotel", Tz::Europe__Lisbon).await;
    imported(&app, &other, SAMPLE).await;
    let rows = "SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM room_stays t WHERE hotel_id = $1";
    let of_other =
        async || -> String { sqlx::query_scalar(rows).bind(other.id).fetch_one(&app.db.pool).await.expect("rows") };
    let before = of_other().await;
    let changed = SAMPLE.replace("2027-05-21", "2027-05-22");
    let summary = imported(&app, &hotel, &changed).await;
    assert_eq!((summary.room_stays.created, summary.rooms_created, summary.categories_created), (7, 4, 2));
    imported(&app, &hotel, SAMPLE).await;
    assert_eq!(of_other().await, before);
}

#[tokio::test]
async fn lines_that_share_a_room_are_imported_and_named() {
    let (app, hotel) = city().await;
    let lines = [
        "R1,Doe,101,Double,2026-02-01,2026-02-05,,",
        "R2,Roe,101,Double,2026-02-05,2026-02-06,,",
        "R3,Poe,101,Double,2026-02-04,2026-02-05,,",
        "R4,Loe,101,Double,2026-02-01,2026-02-05,cancelled,",
    ];
    let summary = imported(&app, &hotel, &own(&lines)).await;
    assert_eq!((summary.room_stays.created, summary.double_booked), (4, 1));
    assert_eq!(summary.remarks, ["lines 2 and 4 both have room 101 on 2026-02-04"]);
}

#[tokio::test]
async fn a_company_books_and_its_guest_is_the_contact() {
    let (app, hotel) = city().await;
    let file = "code,guest_name,company,category,arrival,departure,adults,children,notes\n\
                R1,Doe,Nordwind,Double,2026-02-01,2026-02-05,2.0,1,\"late\narrival\"";
    imported(&app, &hotel, file).await;
    let booked = "reservations r JOIN clients b ON b.id = r.client_id JOIN clients c ON c.id = r.contact_id
                  WHERE b.company = 'Nordwind' AND c.lastname = 'Doe' AND r.notes = 'late arrival'";
    assert_eq!(count(&app.db.pool, booked).await, 1);
    assert_eq!(count(&app.db.pool, "room_stays WHERE adults = 2 AND child1 = 1").await, 1);
    imported(&app, &hotel, &file.replace("Nordwind", "NORDWIND").replace("2026-02-05", "2026-02-06")).await;
    assert_eq!(count(&app.db.pool, "clients").await, 2);
}

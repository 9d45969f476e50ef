//! A second import: what it changes and what it leaves alone.

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::hotels;
use latchkey::import::{Counts, Options};
use uuid::Uuid;

use super::{
    CANCELLED, DAY_USE, GROUP, NO_SHOW, STAYED, UPGRADED, city, count, csv, date, double_occupancies, import_file,
    of_hotel, only_stay, stays, try_import, whole_tables,
};
use crate::support::TestApp;

const REAL: &[u8] = include_bytes!("../../../src/demo/data/hotel_bookings.csv.gz");

#[tokio::test]
async fn a_cancellation_ahead_of_the_clock_counts_from_the_import() {
    let (app, hotel) = city().await;
    let line = CANCELLED.replace("1/20/2026", "2/9/2026");
    import_file(&app, &hotel, csv(&[&line])).await;
    let imported_at = app.clock.now();
    assert_eq!(only_stay(&app.db.pool).await.cancelled_at, Some(imported_at));
    app.advance(TimeDelta::hours(1));
    let again = import_file(&app, &hotel, csv(&[&line])).await;
    assert_eq!(again.reservations, Counts { created: 0, changed: 0, unchanged: 1 });
    assert_eq!(only_stay(&app.db.pool).await.cancelled_at, Some(imported_at));
}

#[tokio::test]
async fn a_room_of_a_party_that_is_cancelled_or_taken_back_keeps_its_stay() {
    let (app, hotel) = city().await;
    let cancelled = GROUP.replace("Check-Out", "Canceled");
    import_file(&app, &hotel, csv(&[GROUP, GROUP])).await;
    let before: Vec<Uuid> = stays(&app.db.pool).await.iter().map(|stay| stay.id).collect();
    let tables = whole_tables(&app.db.pool).await;

    let summary = import_file(&app, &hotel, csv(&[GROUP, &cancelled])).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 1, unchanged: 1 });
    let after = stays(&app.db.pool).await;
    assert_eq!(after.iter().map(|stay| stay.id).collect::<Vec<_>>(), before);
    assert_eq!(after.iter().filter(|stay| stay.status == "CANCELLED").count(), 1);

    import_file(&app, &hotel, csv(&[GROUP, GROUP])).await;
    assert_eq!(whole_tables(&app.db.pool).await, tables);
}

#[tokio::test]
async fn a_changed_line_changes_its_own_records_and_nothing_else() {
    let (app, hotel) = city().await;
    let others = [NO_SHOW, DAY_USE, GROUP, CANCELLED];
    import_file(&app, &hotel, csv(&[&[STAYED], &others[..]].concat())).await;
    let imported_at = app.clock.now();
    let before = stays(&app.db.pool).await;
    app.advance(TimeDelta::minutes(1));
    let longer = STAYED.replace(",0,2,2,1,0,", ",0,3,3,1,1,");
    let summary = import_file(&app, &hotel, csv(&[&[longer.as_str()], &others[..]].concat())).await;
    assert_eq!(summary.room_stays, Counts { created: 0, changed: 1, unchanged: 4 });
    assert_eq!(summary.clients, Counts { created: 0, changed: 0, unchanged: 6 });
    for (stay, before) in stays(&app.db.pool).await.iter().zip(&before) {
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
        sqlx::query(statement).execute(&app.db.pool).await.expect(statement);
    }
    let tables = whole_tables(&app.db.pool).await;
    import_file(&app, &hotel, csv(&[STAYED])).await;
    assert_eq!(whole_tables(&app.db.pool).await, tables);

    let summary = import_file(&app, &hotel, csv(&[&STAYED.replace("PRT", "FRA")])).await;
    assert_eq!(summary.clients, Counts { created: 0, changed: 1, unchanged: 0 });
    let renamed = "clients WHERE lastname = 'Saramago' AND language = 'fr' AND country = 'FR'";
    assert_eq!(count(&app.db.pool, renamed).await, 1);
}

#[tokio::test]
async fn stays_of_the_front_desk_keep_their_rooms_to_themselves() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[STAYED])).await;
    // The same nights in the same room, but no line of the file: it stands for a booking made at the desk.
    let other = DAY_USE.replace(",0,0,2,", ",0,5,2,");
    sqlx::query("UPDATE room_stays SET reservation_from = '2026-01-29', reservation_to = '2026-02-03'")
        .execute(&app.db.pool)
        .await
        .expect("moved");
    import_file(&app, &hotel, csv(&[&other])).await;
    assert_eq!(double_occupancies(&app.db.pool).await, 0);
    assert_eq!(count(&app.db.pool, "room_setups").await, 2);
}

#[tokio::test]
async fn another_shift_moves_the_same_bookings() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[UPGRADED])).await;
    let before = only_stay(&app.db.pool).await;
    for (weeks, from) in [(2, "2026-02-16"), (-3, "2026-01-12")] {
        let options = Options { shift_weeks: weeks, ..Options::default() };
        try_import(&app, &hotel, csv(&[UPGRADED]), options).await.expect("imported");
        let stay = only_stay(&app.db.pool).await;
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
            let summary = try_import(&app, hotel, REAL, of_hotel(name)).await.expect("imported");
            assert_eq!(summary.bad_lines, []);
            assert_eq!(summary.double_booked, 0);
            let (created, unchanged) = if round == 1 { (bookings, 0) } else { (0, bookings) };
            assert_eq!(summary.room_stays, Counts { created, changed: 0, unchanged });
            assert_eq!(summary.reservations.changed + summary.clients.changed, 0);
            assert_eq!(summary.rooms_created, if round == 1 { rooms } else { 0 });
        }
        // A moment in which nothing happens in the hotels.
        app.advance(TimeDelta::seconds(20));
        tables.push(whole_tables(&app.db.pool).await);
    }
    assert!(tables[0] == tables[1], "the second import changed something");
    assert_eq!(double_occupancies(&app.db.pool).await, 0);
    let mut conn = app.db.pool.acquire().await.expect("a connection");
    assert_eq!(hotels::longest_stay(&mut conn, resort.id).await.expect("nights"), 56);
    assert_eq!(
        count(
            &app.db.pool,
            "room_stays s JOIN reservations r USING (hotel_id) WHERE r.id = s.reservation_id AND r.status = 'CANCELLED'"
        )
        .await,
        7_793
    );
    assert_eq!(count(&app.db.pool, "reservations r WHERE NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = r.hotel_id AND s.reservation_id = r.id)").await, 0);
    assert_eq!(count(&app.db.pool, "room_stays WHERE adults = 55").await, 1);
}

#[tokio::test]
async fn a_category_that_the_front_desk_has_renamed_is_found_again() {
    let app = TestApp::at("2015-09-16T12:00:30Z").await;
    let resort = app.hotel("resort-hotel", Tz::Europe__Lisbon).await;
    try_import(&app, &resort, REAL, of_hotel("Resort Hotel")).await.expect("imported");
    sqlx::query("UPDATE categories SET name = 'Sea view' WHERE name = 'Room type A'")
        .execute(&app.db.pool)
        .await
        .expect("renamed");
    let summary = try_import(&app, &resort, REAL, of_hotel("Resort Hotel")).await.expect("imported again");
    assert_eq!(summary.room_stays.created + summary.room_stays.changed, 0);
    assert_eq!(count(&app.db.pool, "categories WHERE name = 'Room type A'").await, 0);
}

//! What becomes of a line.

use chrono::TimeDelta;
use latchkey::import::Options;

use super::{
    CANCELLED, DAY_USE, GROUP, NO_SHOW, STAYED, Stay, UPGRADED, city, count, csv, date, double_occupancies,
    import_file, only_stay, stays, try_import,
};

#[tokio::test]
async fn a_departed_stay_is_invoiced_and_was_physically_there() {
    let (app, hotel) = city().await;
    app.advance(TimeDelta::hours(6));
    import_file(&app, &hotel, csv(&[STAYED])).await;
    let stay = only_stay(&app.db.pool).await;
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
    assert_eq!(count(&app.db.pool, "hotels WHERE longest_stay_nights = 2").await, 1);
}

#[tokio::test]
async fn a_stay_in_the_future_is_active_and_nobody_has_come() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[UPGRADED])).await;
    let stay = only_stay(&app.db.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in, stay.check_out), ("ACTIVE", None, None));
    assert_eq!(stay.category, "Room type A");
    assert_eq!((stay.room.as_deref(), stay.room_category.as_deref()), (Some("D101"), Some("Room type D")));
}

#[tokio::test]
async fn a_cancelled_booking_has_no_room_and_the_day_of_its_cancellation() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[CANCELLED])).await;
    let stay = only_stay(&app.db.pool).await;
    assert_eq!((stay.status.as_str(), stay.room, stay.check_in), ("CANCELLED", None, None));
    assert_eq!(stay.cancelled_at.map(|instant| instant.date_naive()), Some(date("2026-01-20")));
}

#[tokio::test]
async fn a_no_show_holds_its_room_and_is_active_until_its_dates_are_over() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[NO_SHOW])).await;
    let stay = only_stay(&app.db.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in, stay.room.as_deref()), ("ACTIVE", None, Some("A101")));
    app.advance(TimeDelta::days(5));
    import_file(&app, &hotel, csv(&[NO_SHOW])).await;
    let stay = only_stay(&app.db.pool).await;
    assert_eq!((stay.status.as_str(), stay.check_in), ("INVOICED", None));
}

#[tokio::test]
async fn day_use_begins_and_ends_on_one_day_in_a_room_of_its_own() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[DAY_USE, NO_SHOW, STAYED])).await;
    let stays = stays(&app.db.pool).await;
    let day_use =
        stays.iter().find(|stay| stay.reservation_from == stay.reservation_to).expect("a stay without a night");
    assert_eq!(day_use.status, "INVOICED");
    assert_eq!(day_use.check_in.map(|instant| instant.date_naive()), Some(date("2026-01-29")));
    assert_eq!(day_use.check_out.map(|instant| instant.date_naive()), Some(date("2026-01-29")));
    assert!(stays.iter().filter(|stay| stay.room == day_use.room).count() == 1);
    assert_eq!(double_occupancies(&app.db.pool).await, 0);
}

#[tokio::test]
async fn lines_of_a_party_are_the_rooms_of_one_reservation_of_their_agency() {
    let (app, hotel) = city().await;
    import_file(&app, &hotel, csv(&[GROUP, STAYED, GROUP, GROUP])).await;
    let stays = stays(&app.db.pool).await;
    let group: Vec<&Stay> = stays.iter().filter(|stay| stay.group_name.is_some()).collect();
    assert_eq!(group.len(), 3);
    assert!(group.iter().all(|stay| stay.code == group[0].code && stay.contact_id.is_some()));
    assert!(group[0].company.as_deref().is_some_and(|name| name.ends_with("(agent 38)")), "{:?}", group[0].company);
    assert_eq!(count(&app.db.pool, "reservations").await, 2);
}

#[tokio::test]
async fn beyond_the_cap_stays_share_rooms_and_the_summary_says_how_many() {
    let (app, hotel) = city().await;
    let lines = vec![STAYED; 5];
    let options = Options { max_rooms_per_type: 3, ..Options::default() };
    let summary = try_import(&app, &hotel, csv(&lines), options).await.expect("imported");
    assert_eq!((summary.rooms_created, summary.double_booked), (3, 2));
    assert_eq!(double_occupancies(&app.db.pool).await, 2);
}

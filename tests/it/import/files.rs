//! What files are read, and what is wrong with others.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use latchkey::error::ErrorCode;
use latchkey::import::{BadLine, Counts, Options};

use super::{
    GROUP, NO_SHOW, STAYED, city, count, csv, date, import_file, of_hotel, only_stay, try_import, whole_tables,
};
use crate::support::{DataDir, TestDb};

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
            (9, "a quotation mark is opened and not closed"),
            (10, "reserved_room_type is absent"),
        ]
    );
}

#[tokio::test]
async fn g12_a_blank_needed_column_is_a_bad_line_and_numbers_are_taken_alike_in_every_column() {
    let (app, hotel) = city().await;
    for (what, line, reason) in [
        ("adults", STAYED.replace(",0,2,2,1,", ",0,2,,1,"), "adults is absent"),
        ("week nights", STAYED.replace(",0,2,2,1,", ",0,NULL,2,1,"), "stays_in_week_nights is absent"),
        ("weekend nights", STAYED.replace(",0,2,2,1,", ",,2,2,1,"), "stays_in_weekend_nights is absent"),
        ("year", STAYED.replace(",2026,", ",,"), "arrival_date_year is absent"),
        ("month", STAYED.replace(",January,", ",NA,"), "arrival_date_month is absent"),
        ("day", STAYED.replace(",28,", ",,"), "arrival_date_day_of_month is absent"),
        (
            "half a child",
            STAYED.replace(",2,2,1,0,", ",2,2,1.5,0,"),
            "children: \"1.5\" is not a whole number from 0 to 1000",
        ),
        (
            "half a day",
            STAYED.replace(",28,", ",28.5,"),
            "arrival_date_day_of_month: \"28.5\" is not a whole number from 0 to 31",
        ),
    ] {
        let summary = import_file(&app, &hotel, csv(&[&line])).await;
        assert_eq!(summary.bad_lines, [BadLine { number: 2, reason: reason.into() }], "{what}");
    }
    assert_eq!(count(&app.db.pool, "reservations").await, 0);
    import_file(&app, &hotel, csv(&[STAYED])).await;
    let tables = whole_tables(&app.db.pool).await;
    // As programs write numbers of columns with gaps: is_canceled to babies, and the agent.
    let floats =
        "City,0.0,10.0,2026.0,1.0,28.0,0.0,2.0,2.0,1.0,0.0,BB,PRT,Online TA,TA/TO,A,A,9.0,NULL,Transient,,1/30/2026";
    let again = import_file(&app, &hotel, csv(&[floats])).await;
    assert_eq!(again.room_stays, Counts { created: 0, changed: 0, unchanged: 1 });
    assert_eq!(whole_tables(&app.db.pool).await, tables);
    for header in [csv(&[]), "code,last_name,arrival,departure\n\n".to_owned()] {
        let refused = try_import(&app, &hotel, header, Options::default()).await.expect_err("refused");
        assert_eq!(refused.message.english(), "The file holds a header row and no bookings; nothing was imported");
    }
}

#[tokio::test]
async fn a_file_without_required_columns_is_refused_and_nothing_changes() {
    let (app, hotel) = city().await;
    let before = whole_tables(&app.db.pool).await;
    for (file, message) in [
        ("", "The file is empty"),
        (
            "hotel,arrival_date_year,arrival_date_month,adults\nCity,2026,May,2",
            "The header row lacks: arrival_date_day_of_month, stays_in_weekend_nights, stays_in_week_nights, reserved_room_type",
        ),
    ] {
        let refused = try_import(&app, &hotel, file, Options::default()).await.expect_err("refused");
        assert_eq!((refused.code, &*refused.message.english()), (ErrorCode::InvalidArgument, message));
    }
    assert_eq!(whole_tables(&app.db.pool).await, before);
}

#[tokio::test]
async fn optional_columns_may_be_missing() {
    let (app, hotel) = city().await;
    let file = "ARRIVAL_DATE_YEAR,arrival_date_month,arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,\
                reserved_room_type,adults\n2026,2,14,1,0,Deluxe,2";
    assert_eq!(import_file(&app, &hotel, file).await.room_stays.created, 1);
    let stay = only_stay(&app.db.pool).await;
    assert_eq!((stay.status.as_str(), stay.room.as_deref()), ("ACTIVE", Some("Deluxe101")));
    assert_eq!(stay.reservation_to, date("2026-02-15"));
}

#[tokio::test]
async fn encodings_line_ends_and_delimiters_make_no_difference() {
    let (app, hotel) = city().await;
    let plain = csv(&[STAYED, GROUP]);
    import_file(&app, &hotel, &plain).await;
    let tables = whole_tables(&app.db.pool).await;
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
        assert_eq!(whole_tables(&app.db.pool).await, tables);
    }
}

#[tokio::test]
async fn gzip_is_recognised_and_means_the_same_as_plain() {
    let (app, hotel) = city().await;
    let plain = csv(&[STAYED, GROUP]);
    import_file(&app, &hotel, &plain).await;
    let tables = whole_tables(&app.db.pool).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(plain.as_bytes()).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    import_file(&app, &hotel, &gzip).await;
    assert_eq!(whole_tables(&app.db.pool).await, tables);
    let damaged = try_import(&app, &hotel, &gzip[..gzip.len() / 2], Options::default()).await;
    assert_eq!(damaged.expect_err("refused").code, ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn a_file_of_several_hotels_needs_a_choice() {
    let (app, hotel) = city().await;
    let resort = STAYED.replace("City", "Resort");
    let file = csv(&[STAYED, &resort, &resort]);
    let refused = try_import(&app, &hotel, &file, Options::default()).await.expect_err("refused");
    assert_eq!(
        refused.message.english(),
        "The file holds several hotels; choose one with --hotel: \"City\", \"Resort\""
    );
    let refused = try_import(&app, &hotel, &file, of_hotel("Ritz")).await.expect_err("refused");
    assert_eq!(refused.message.english(), "The file has no hotel \"Ritz\"; it holds: \"City\", \"Resort\"");
    let summary = try_import(&app, &hotel, &file, of_hotel("resort")).await.expect("imported");
    assert_eq!(summary.room_stays.created, 2);
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
    assert!(counts.contains("room stays               2          0          0\n"), "{counts}");

    let (code, counts, said) = import(&[STAYED, NO_SHOW]);
    assert_eq!((code, said.contains("line 3")), (Some(0), false));
    assert!(counts.contains("room stays               0          0          2\n"), "{counts}");
    assert_eq!(count(&db.pool, "room_stays WHERE reservation_from = '2026-01-14'").await, 1);

    let (_, _, said) = import(&[STAYED, "bad", NO_SHOW]);
    assert!(said.contains("line 3: 1 fields where the header row has 22\n"), "{said}");
    assert!(said.ends_with("latchkey: 1 line left out; the others are imported\n"), "{said}");
    let (code, _, said) = import(&["bad"]);
    assert_eq!(
        (code, said.ends_with("1 line left out, and there was no other: nothing was imported\n")),
        (Some(1), true)
    );
    let (code, _, said) = import(&[]);
    assert_eq!((code, said.contains("no bookings")), (Some(1), true), "{said}");
    let unknown = data.run(&["import", "other-hotel", path.to_str().expect("text")]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no hotel \"other-hotel\""));
    assert_eq!(unknown.status.code(), Some(1));
}

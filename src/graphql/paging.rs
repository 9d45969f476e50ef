//! Paging: what a client says about the page it wants.

use crate::db::PageRequest;
pub use crate::db::{CursorKey, CursorScope};
use crate::error::{Error, ErrorAt, Message, Result};

const DEFAULT_SIZE: u8 = 20;
const LARGEST_SIZE: i32 = 100;

/// What a client says about the page it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageArguments {
    /// The first so many.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// The last so many.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// Checks them for a list.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, and `INVALID_CURSOR` for the cursor of another list.
    pub fn request<K: CursorKey>(&self, scope: CursorScope<'_>) -> Result<PageRequest<K>> {
        let (size, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::new(Message::FirstAndLast).at("last")),
            (None, Some(last)) => (size(last).at("last")?, true),
            (Some(first), None) => (size(first).at("first")?, false),
            (None, None) => (DEFAULT_SIZE, false),
        };
        let cursor = |text: &Option<String>, name| text.as_ref().map(|text| scope.key(text).at(name)).transpose();
        Ok(PageRequest {
            size: size.into(),
            from_end,
            after: cursor(&self.after, "after")?,
            before: cursor(&self.before, "before")?,
        })
    }
}

/// How many records to put on a page that is read forwards only: 20 when not said.
///
/// # Errors
/// `INVALID_ARGUMENT` outside 0 to 100
pub fn page_size(first: Option<i32>) -> Result<u8> {
    first.map_or(Ok(DEFAULT_SIZE), size)
}

fn size(count: i32) -> Result<u8> {
    u8::try_from(count)
        .ok()
        .filter(|_| count <= LARGEST_SIZE)
        .ok_or_else(|| Error::new(Message::PageSizeOutOfRange { most: LARGEST_SIZE }))
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use async_graphql::{InputType, Value};
    use chrono::{DateTime, NaiveDate, Utc};
    use serde::Serialize;
    use serde_json::json;
    use uuid::Uuid;

    use super::super::filters::{ClientFilter, FilterInput, ReservationFilter, RoomStayFilter};
    use super::*;
    use crate::db::{Condition, Filter};
    use crate::hotels::HotelId;
    use crate::webhooks::DeliveryStatus;

    const HOTEL: HotelId = Uuid::from_u128(1);
    const ID: Uuid = Uuid::from_u128(7);

    fn departure() -> (NaiveDate, Uuid) {
        (NaiveDate::from_ymd_opt(2026, 2, 5).expect("a date"), ID)
    }

    #[test]
    fn a_cursor_opens_for_its_own_list_only() {
        let scope = CursorScope::new(HOTEL, "room_stays", &"filter");
        let key = departure();
        let cursor = scope.cursor(&key);
        assert_eq!(scope.key::<(NaiveDate, Uuid)>(&cursor).expect("its own cursor"), key);
        for other in [
            CursorScope::new(Uuid::from_u128(2), "room_stays", &"filter"),
            CursorScope::new(HOTEL, "rooms", &"filter"),
            CursorScope::new(HOTEL, "room_stays", &"other"),
        ] {
            assert!(other.key::<(NaiveDate, Uuid)>(&cursor).is_err());
        }
        for bad in ["", "!", "AAAA", &cursor[1..], &format!("{cursor}A")] {
            assert!(scope.key::<(NaiveDate, Uuid)>(bad).is_err(), "{bad}");
        }
    }

    fn filter<F: InputType + FilterInput>(input: serde_json::Value) -> Filter<F::Field> {
        let input = F::parse(Value::from_json(input).ok()).unwrap_or_else(|_| panic!("a filter"));
        input.filter().expect("a filter")
    }

    /// Clients keep cursors: each of these stays readable, and the second of each pair is what is answered.
    #[test]
    fn cursors_are_what_they_were() {
        let stays = filter::<RoomStayFilter>(json!({
            "id": {"in": [Uuid::from_u128(9)]},
            "date": "2026-02-03",
            "reservation_from": {"lt": "2026-02-09", "le": "2026-02-08"},
            "reservation_to": {"ge": "2026-02-01", "gt": "2026-01-31"},
            "check_in": {"eq": null},
            "check_out": {"eq": "2026-02-04T12:00:00.5+01:00"},
            "updatedAt": {"ge": "2026-01-01T00:00:00Z"},
            "reservationStatus": {"in": ["ACTIVE", "INVOICED"]},
            "not": {"id": {"eq": "nobody"}},
            "or": [{}, {"date": "2026-02-02"}],
        }));
        let reservations = filter::<ReservationFilter>(json!({
            "code": {"eq": "A\"1"},
            "bookingChannelCode": {"in": ["x", "y"]},
            "id": {"eq": null},
        }));
        let clients = filter::<ClientFilter>(json!({"birthday": {"eq": "1980-05-17"}}));
        let endpoints = (ID, vec![Condition::In(vec![ID])]);
        let deliveries = (ID, Some(DeliveryStatus::Delivered));
        let since: DateTime<Utc> = "2026-02-01T10:00:00Z".parse().expect("an instant");
        let entries = (Some(ID), Some(since), None::<DateTime<Utc>>);
        let none = filter::<RoomStayFilter>(json!({}));
        check(
            "room_stays",
            &stays,
            departure(),
            "YyIhCj_3FlIAC0lEAAAAAAAAAAAAAAAAAAAABw",
            "GWX1AbrrXJAAC0lEAAAAAAAAAAAAAAAAAAAABw",
        );
        check(
            "room_stays",
            &none,
            departure(),
            "dFa65SJT-_cAC0lEAAAAAAAAAAAAAAAAAAAABw",
            "1oYpfF1sD1sAC0lEAAAAAAAAAAAAAAAAAAAABw",
        );
        check(
            "reservations",
            &reservations,
            ID,
            "qPEXbpAWQYQAAAAAAAAAAAAAAAAAAAAH",
            "V-k2AUL84YgAAAAAAAAAAAAAAAAAAAAH",
        );
        check("clients", &clients, ID, "5PksCMU1aPMAAAAAAAAAAAAAAAAAAAAH", "lpZ4aZVm_mYAAAAAAAAAAAAAAAAAAAAH");
        check(
            "webhookEndpoints",
            &endpoints,
            ID,
            "L58hD6T8otQAAAAAAAAAAAAAAAAAAAAH",
            "FWs8R88xTR8AAAAAAAAAAAAAAAAAAAAH",
        );
        check("webhookDeliveries", &deliveries, 11_i64, "ZH1qx78mj-EAAAAAAAAACw", "7r-hCgohf8QAAAAAAAAACw");
        check("auditEntries", &entries, ID, "Xc_2UOBGhj8AAAAAAAAAAAAAAAAAAAAH", "VBBWWLYdrxQAAAAAAAAAAAAAAAAAAAAH");
        check("roomAccessKeys", &ID, ID, "WRSnUevCmqMAAAAAAAAAAAAAAAAAAAAH", "5ouO24XKe2wAAAAAAAAAAAAAAAAAAAAH");
        check("events", &(), 11_i64, "_ihin7qxBYQAAAAAAAAACw", "q9HYQmG1lbQAAAAAAAAACw");
    }

    /// `before` was answered before there was an encoding.
    fn check<K: CursorKey + Debug + PartialEq>(
        connection: &'static str,
        filter: &(impl Serialize + Debug + Sync),
        key: K,
        before: &str,
        now: &str,
    ) {
        let scope = CursorScope::new(HOTEL, connection, filter);
        assert_eq!(scope.cursor(&key), now);
        for cursor in [before, now] {
            assert_eq!(scope.key::<K>(cursor).unwrap_or_else(|error| panic!("{cursor}: {error:?}")), key);
        }
    }
}

//! Reading room stays: pages with their to-one records in one statement each.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::super::model::{RoomStay, StayDetails};
use super::detail_columns;
use crate::auth::CredentialFingerprint;
use crate::clients::{self, Client};
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::reservations::{self, ReservationJoins, ReservationStatus};
use crate::room_access_keys::AssignedKey;
use crate::rooms::{self, Category, RoomSetup};

/// What room stays can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StayField {
    /// Id.
    Id(Condition<Uuid>),
    /// Stays in the night that begins on that day.
    Date(NaiveDate),
    /// Day of arrival.
    ReservationFrom(Condition<NaiveDate>),
    /// Day of departure.
    ReservationTo(Condition<NaiveDate>),
    /// Physical arrival.
    CheckIn(Condition<DateTime<Utc>>),
    /// Physical departure.
    CheckOut(Condition<DateTime<Utc>>),
    /// Last change.
    UpdatedAt(Condition<DateTime<Utc>>),
    /// Status of the reservation.
    ReservationStatus(Condition<ReservationStatus>),
}

/// Sort key of the hotel's list of stays: departure, then id.
pub type StayKey = (NaiveDate, Uuid);

/// What to read along with stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a part of the statement")]
pub struct StayJoins {
    /// Notes, age groups, and the times of the record.
    pub details: bool,
    /// The room and its category, of which the stay itself knows the id alone.
    pub room_setup: bool,
    /// The booked category.
    pub category: bool,
    /// The first guest.
    pub first_guest: bool,
    /// The PIN, QR data and compartment of the key, sealed.
    pub secret: bool,
    /// The owner of the key, and when it is deleted.
    pub key_end: bool,
    /// The reservation, and what belongs to it.
    pub reservation: Option<ReservationJoins>,
    /// The position of the hotel's last event that the page knows of.
    pub event_position: bool,
}

/// A page of stays.
#[derive(Clone)]
pub struct StayPage {
    /// The stays.
    pub stays: Page<StayView>,
    /// Position of the hotel's last event in the same snapshot; 0 before the first. `None` when not asked for.
    pub event_position: Option<i64>,
}

/// A stay with what [`StayJoins`] asked for.
#[derive(Clone)]
pub struct StayView {
    /// The stay.
    pub stay: RoomStay,
    /// Its details.
    pub details: Option<StayDetails>,
    /// Its room.
    pub room_setup: Option<RoomSetup>,
    /// Its booked category.
    pub category: Option<Category>,
    /// Its first guest.
    pub first_guest: Option<Client>,
    /// The sealed PIN or QR data of its key.
    pub secret: Option<Vec<u8>>,
    /// The compartment of its key.
    pub compartment: Option<String>,
    /// The end of its key.
    pub key_end: Option<KeyEnd>,
    /// Its reservation.
    pub reservation: Option<reservations::ReservationView>,
}

impl From<RoomStay> for StayView {
    /// The stay alone.
    fn from(stay: RoomStay) -> Self {
        Self {
            stay,
            details: None,
            room_setup: None,
            category: None,
            first_guest: None,
            secret: None,
            compartment: None,
            key_end: None,
            reservation: None,
        }
    }
}

/// When a key is deleted, and who may know.
#[derive(Clone, Copy, Debug)]
pub struct KeyEnd {
    /// The integration that owns the key.
    pub owner: Uuid,
    /// When the last of its stays lets go of it.
    pub deletes_at: DateTime<Utc>,
}

impl KeyEnd {
    /// When the key is deleted, for its owner alone.
    pub fn visible_to(self, integration: Option<Uuid>) -> Option<DateTime<Utc>> {
        (integration == Some(self.owner)).then_some(self.deletes_at)
    }
}

const COLUMNS: &str = "s.id, s.reservation_id, s.category_id, s.room_setup_id, s.reservation_from, s.reservation_to, \
     s.departure_time, s.check_in, s.check_out, s.room_access_key_id, s.room_access_key_kind";

pub(super) fn push_selected(sql: &mut QueryBuilder<Postgres>, joins: StayJoins) {
    sql.push(COLUMNS);
    if joins.details {
        for column in detail_columns::COLUMNS {
            sql.push(", s.").push(*column);
        }
    }
    if joins.room_setup {
        sql.push(
            ", rs.id AS rs_id, rs.name AS rs_name, rs.area_name AS rs_area_name, \
             rs.cleaning_status AS rs_cleaning_status, \
             rc.id AS rc_id, rc.name AS rc_name, rc.description AS rc_description",
        );
    }
    if joins.category {
        sql.push(", bc.id AS bc_id, bc.name AS bc_name, bc.description AS bc_description");
    }
    if joins.first_guest {
        sql.push(", ");
        clients::push_columns(sql, "fg");
    }
    if joins.secret {
        sql.push(", k.secret AS k_secret, k.compartment AS k_compartment");
    }
    if joins.event_position {
        sql.push(", e.event_position");
    }
    if joins.key_end {
        sql.push(", k.integration_id AS k_owner, k_end.at AS k_deletes_at");
    }
    if let Some(reservation) = joins.reservation {
        sql.push(", ");
        reservations::push_columns(sql, reservation);
    }
}

pub(super) fn push_joins(sql: &mut QueryBuilder<Postgres>, joins: StayJoins) {
    if joins.room_setup {
        sql.push(
            " LEFT JOIN room_setups rs ON rs.hotel_id = s.hotel_id AND rs.id = s.room_setup_id \
             LEFT JOIN categories rc ON rc.hotel_id = rs.hotel_id AND rc.id = rs.category_id",
        );
    }
    if joins.category {
        sql.push(" LEFT JOIN categories bc ON bc.hotel_id = s.hotel_id AND bc.id = s.category_id");
    }
    if joins.first_guest {
        sql.push(
            " LEFT JOIN LATERAL (SELECT c.* FROM room_stay_guests g \
             JOIN clients c ON c.hotel_id = g.hotel_id AND c.id = g.client_id \
             WHERE g.hotel_id = s.hotel_id AND g.room_stay_id = s.id ORDER BY g.position LIMIT 1) fg ON TRUE",
        );
    }
    if joins.secret || joins.key_end {
        sql.push(" LEFT JOIN room_access_keys k ON k.hotel_id = s.hotel_id AND k.id = s.room_access_key_id");
    }
    if joins.key_end {
        sql.push(
            " LEFT JOIN LATERAL (SELECT max(ks.room_access_key_due_at) AS at FROM room_stays ks \
             WHERE ks.hotel_id = s.hotel_id AND ks.room_access_key_id = s.room_access_key_id) k_end ON TRUE",
        );
    }
    if let Some(reservation) = joins.reservation {
        // Every stay has one; an empty page that is read with its event position has a row without a stay.
        sql.push(" LEFT JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id");
        reservations::push_joins(sql, reservation);
    }
}

pub(super) fn view(row: &PgRow, joins: StayJoins) -> Result<StayView> {
    Ok(StayView {
        stay: stay(row)?,
        details: if joins.details { Some(detail_columns::read(row)?) } else { None },
        room_setup: if joins.room_setup { rooms::room_setup_from_row(row)? } else { None },
        category: if joins.category { rooms::category_from_row(row, "bc")? } else { None },
        first_guest: if joins.first_guest { clients::from_row(row, "fg")? } else { None },
        secret: if joins.secret { row.try_get("k_secret")? } else { None },
        compartment: if joins.secret { row.try_get("k_compartment")? } else { None },
        key_end: if joins.key_end { key_end(row)? } else { None },
        reservation: joins.reservation.map(|joins| reservations::view(row, joins)).transpose()?,
    })
}

fn key_end(row: &PgRow) -> Result<Option<KeyEnd>> {
    let (owner, deletes_at) = (row.try_get("k_owner")?, row.try_get("k_deletes_at")?);
    Ok(Option::zip(owner, deletes_at).map(|(owner, deletes_at)| KeyEnd { owner, deletes_at }))
}

/// A stay from [`COLUMNS`], which come first in each row. By position: looking for names is most of the work of reading.
fn stay(row: &PgRow) -> Result<RoomStay> {
    let room_access_key = AssignedKey::of(row.try_get(9)?, row.try_get(10)?)?;
    Ok(RoomStay {
        id: row.try_get(0)?,
        reservation_id: row.try_get(1)?,
        category_id: row.try_get(2)?,
        room_setup_id: row.try_get(3)?,
        reservation_from: row.try_get(4)?,
        reservation_to: row.try_get(5)?,
        departure_time: row.try_get(6)?,
        check_in: row.try_get(7)?,
        check_out: row.try_get(8)?,
        room_access_key,
    })
}

fn push_field(field: &StayField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        StayField::Id(condition) => condition.push("s.id", sql),
        StayField::Date(night) => {
            sql.push("(s.reservation_from <= ").push_bind(*night);
            sql.push(" AND s.reservation_to > ").push_bind(*night).push(")");
        }
        StayField::ReservationFrom(condition) => condition.push("s.reservation_from", sql),
        StayField::ReservationTo(condition) => condition.push("s.reservation_to", sql),
        StayField::CheckIn(condition) => condition.push("s.check_in", sql),
        StayField::CheckOut(condition) => condition.push("s.check_out", sql),
        StayField::UpdatedAt(condition) => condition.push("s.updated_at", sql),
        StayField::ReservationStatus(condition) => {
            sql.push(
                "EXISTS (SELECT FROM reservations fr WHERE fr.hotel_id = s.hotel_id AND fr.id = s.reservation_id AND ",
            );
            reservations::push_status(condition, "fr.status", sql);
            sql.push(")");
        }
    }
}

/// The filter, and the bounds on the departure that follow from it: a stay that has begun by some day departs at most
/// the hotel's longest stay later, and one that begins on some day does not depart before. Without them, the scan of a
/// window in the order of departures would read every later stay, or every earlier one.
fn push_where(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, filter: &Filter<StayField>) {
    sql.push("s.hotel_id = ").push_bind(hotel).push(" AND ");
    filter.push(sql, push_field);
    for field in filter.certain() {
        let (earliest, latest) = match field {
            StayField::ReservationFrom(Condition::Eq(Some(day))) => (Some(*day), Some(*day)),
            StayField::ReservationFrom(Condition::Lt(day) | Condition::Le(day)) => (None, Some(*day)),
            StayField::ReservationFrom(Condition::Gt(day) | Condition::Ge(day)) => (Some(*day), None),
            StayField::Date(night) => (None, Some(*night)),
            _ => (None, None),
        };
        if let Some(day) = earliest {
            sql.push(" AND s.reservation_to >= ").push_bind(day);
        }
        if let Some(day) = latest {
            sql.push(" AND s.reservation_to <= ").push_bind(day);
            sql.push(" + (SELECT h.longest_stay_nights FROM hotels h WHERE h.id = ").push_bind(hotel).push(")");
        }
    }
}

fn push_key(sql: &mut QueryBuilder<Postgres>, operator: &'static str, (departure, id): StayKey) {
    sql.push(" AND (s.reservation_to, s.id) ").push(operator).push(" (");
    sql.push_bind(departure).push(", ").push_bind(id).push(")");
}

/// The hotel's counter of events, as `e`: one row in any case, to which a page is then joined so that both are of one
/// snapshot.
pub(super) fn push_event_position(sql: &mut QueryBuilder<Postgres>, hotel: HotelId) {
    sql.push("(SELECT coalesce(max(c.last_position), 0) AS event_position FROM event_counters c WHERE c.hotel_id = ");
    sql.push_bind(hotel).push(") e");
}

/// The page that rows make up; a row without a stay only carries the event position.
pub(super) fn page_of<K>(rows: &[PgRow], request: &PageRequest<K>, joins: StayJoins) -> Result<StayPage> {
    let event_position = match rows.first() {
        Some(row) if joins.event_position => Some(row.try_get("event_position")?),
        _ => None,
    };
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        if row.try_get::<Option<Uuid>, _>(0)?.is_some() {
            views.push(view(row, joins)?);
        }
    }
    Ok(StayPage { stays: Page::of_rows(views, request), event_position })
}

/// A page of the hotel's stays by departure.
pub(in crate::room_stays) async fn page(
    conn: &mut PgConnection,
    fingerprint: Option<&CredentialFingerprint>,
    hotel: HotelId,
    filter: &Filter<StayField>,
    request: &PageRequest<StayKey>,
    joins: StayJoins,
) -> Result<StayPage> {
    let direction = request.direction();
    let push_order = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" ORDER BY s.reservation_to ").push(direction).push(", s.id ").push(direction);
    };
    let push_page = |sql: &mut QueryBuilder<Postgres>| {
        push_where(sql, hotel, filter);
        // The first page has a statement of its own: a cursor before all stays would hide from the planner where to
        // start.
        if let Some(after) = request.after {
            push_key(sql, ">", after);
        }
        if let Some(before) = request.before {
            push_key(sql, "<", before);
        }
        push_order(sql);
        sql.push(" LIMIT ").push_bind(request.limit());
    };
    let mut sql = QueryBuilder::new("SELECT ");
    push_selected(&mut sql, joins);
    if joins.event_position {
        sql.push(" FROM ");
        push_event_position(&mut sql, hotel);
        sql.push(" LEFT JOIN LATERAL (SELECT s.* FROM room_stays s WHERE ");
        push_page(&mut sql);
        sql.push(") s ON TRUE");
        push_joins(&mut sql, joins);
        if let Some(fingerprint) = fingerprint {
            sql.push(" WHERE ");
            fingerprint.push_confirmation(&mut sql);
        }
        push_order(&mut sql);
    } else {
        sql.push(" FROM room_stays s");
        push_joins(&mut sql, joins);
        sql.push(" WHERE ");
        if let Some(fingerprint) = fingerprint {
            fingerprint.push_confirmation(&mut sql);
            sql.push(" AND ");
        }
        push_page(&mut sql);
    }
    page_of(&sql.build().fetch_all(conn).await?, request, joins)
}

/// How many of the hotel's stays match, and whether some lie before or behind a page.
pub(in crate::room_stays) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<StayField>,
    request: &ListBoundsRequest<StayKey>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push("FROM room_stays s WHERE ");
        push_where(sql, hotel, filter);
    };
    crate::db::bounds(conn, request, list, push_key).await
}

/// One stay.
pub(in crate::room_stays) async fn find(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    joins: StayJoins,
) -> Result<Option<StayView>> {
    let filter = Filter::Field(StayField::Id(Condition::Eq(Some(id))));
    Ok(page(conn, None, hotel, &filter, &PageRequest::first(1), joins).await?.stays.items.pop())
}

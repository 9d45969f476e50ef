//! The SQL of imports. Records travel as one JSON parameter per batch.
//!
//! What is there already is compared, and updated only where it differs: unchanged rows are neither locked nor written.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, query, query_as, query_scalar};
use uuid::Uuid;

use super::records::{CategoryRecord, ClientRecord, ReservationRecord, StayRecord};
use super::rooms::{ExistingRoom, NewRoom};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks;
use crate::text;

/// A record, and its name as it is compared.
#[derive(Serialize)]
struct Folded<'a, T> {
    #[serde(flatten)]
    record: &'a T,
    folded: String,
}

fn folded<'a, T>(records: &'a [T], name: impl Fn(&'a T) -> &'a str) -> Vec<Folded<'a, T>> {
    records.iter().map(|record| Folded { record, folded: text::fold(name(record)) }).collect()
}

/// The time limits of requests do not fit a transaction that loads a whole hotel.
pub async fn lift_time_limits(conn: &mut PgConnection) -> sqlx::Result<()> {
    query!(
        "SELECT set_config(name, '0', true)
         FROM unnest(ARRAY['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) AS name"
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Lets a transaction that is rolled back write on a connection that is for reading alone. It has to be the first statement.
pub async fn write_although_read_only(conn: &mut PgConnection) -> sqlx::Result<()> {
    query!("SET TRANSACTION READ WRITE").execute(conn).await?;
    Ok(())
}

/// Has statements and foreign key checks planned again for the size that the tables have now. A connection keeps the plans
/// that it made while they were almost empty, and those read far too much of a full table.
pub async fn forget_plans(conn: &mut PgConnection) -> sqlx::Result<()> {
    query!("DISCARD PLANS").execute(conn).await?;
    Ok(())
}

/// Waits for other imports into the hotel. Requests do not wait.
pub async fn lock_imports(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<()> {
    query!("SELECT pg_advisory_xact_lock(hashtextextended('latchkey import ' || $1::text, 0))", hotel.to_string())
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Makes the categories that are missing; returns names and ids of all of the hotel's, and ids of those that were made.
pub async fn ensure_categories(
    conn: &mut PgConnection,
    hotel: HotelId,
    categories: &[CategoryRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<(Vec<(String, Uuid)>, Vec<Uuid>)> {
    let made = query_scalar!(
        "INSERT INTO categories (hotel_id, id, name, name_folded, description, created_at, updated_at)
         SELECT $1, id, name, folded, NULLIF(description, ''), $3, $3
         FROM json_to_recordset($2::json) AS new(id uuid, name text, folded text, description text)
         ON CONFLICT DO NOTHING
         RETURNING id",
        hotel,
        Json(folded(categories, |category| &category.name)) as _,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let rows = query!("SELECT name, id FROM categories WHERE hotel_id = $1", hotel).fetch_all(conn).await?;
    Ok((rows.into_iter().map(|row| (row.name, row.id)).collect(), made))
}

/// The hotel's rooms, in the order in which they are given away.
pub async fn rooms(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<Vec<ExistingRoom>> {
    query_as!(
        ExistingRoom,
        "SELECT id, name, category_id FROM room_setups WHERE hotel_id = $1 ORDER BY char_length(name), name",
        hotel,
    )
    .fetch_all(conn)
    .await
}

/// Adds rooms, and the spaces that they are.
pub async fn insert_rooms(
    conn: &mut PgConnection,
    hotel: HotelId,
    rooms: &[NewRoom],
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "INSERT INTO room_setups (hotel_id, id, name, name_folded, area_name, category_id, created_at, updated_at)
         SELECT $1, id, name, folded, NULLIF(area_name, ''), category_id, $3, $3
         FROM json_to_recordset($2::json) AS new(id uuid, name text, folded text, area_name text, category_id uuid)",
        hotel,
        Json(folded(rooms, |room| &room.name)) as _,
        now,
    )
    .execute(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = rooms.iter().map(|room| room.id).collect();
    locks::follow_rooms(conn, hotel, &ids, now).await
}

/// A stay that has a room.
pub struct Occupied {
    pub stay_id: Uuid,
    pub room_id: Uuid,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// The stays that have a room and do not depart before `since`.
pub async fn occupied(conn: &mut PgConnection, hotel: HotelId, since: NaiveDate) -> sqlx::Result<Vec<Occupied>> {
    query_as!(
        Occupied,
        r#"SELECT s.id AS stay_id, s.room_setup_id AS "room_id!", s.reservation_from AS "from", s.reservation_to AS "to"
           FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
           WHERE s.hotel_id = $1 AND s.reservation_to >= $2 AND s.room_setup_id IS NOT NULL AND r.status <> 'CANCELLED'"#,
        hotel,
        since,
    )
    .fetch_all(conn)
    .await
}

/// Creates and updates clients. Names are made up, so a better one that the front desk has
/// entered is kept.
pub async fn write_clients(
    conn: &mut PgConnection,
    hotel: HotelId,
    clients: &[ClientRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Written>> {
    query_as!(
        Written,
        r#"WITH new AS (
               SELECT * FROM json_to_recordset($2::json) AS new(
                   id uuid, kind text, firstname text, lastname text, company text, language text, country text,
                   email text, telephone text, mobile text)
           ), changed AS (
               UPDATE clients old SET language = new.language, country = new.country, updated_at = $3
               FROM new
               WHERE old.hotel_id = $1 AND old.id = new.id AND old.country IS DISTINCT FROM new.country
               RETURNING old.id
           ), created AS (
               INSERT INTO clients (hotel_id, id, kind, firstname, lastname, company, language, country, email, telephone,
                                    mobile, created_at, updated_at)
               SELECT $1, id, kind, firstname, lastname, company, language, country, email, telephone, mobile, $3, $3
               FROM new
               ON CONFLICT (hotel_id, id) DO NOTHING
               RETURNING id
           )
           SELECT id AS "id!", TRUE AS "created!", '{}'::text[] AS "fields!" FROM created
           UNION ALL SELECT id, FALSE, '{}'::text[] FROM changed"#,
        hotel,
        Json(clients) as _,
        now,
    )
    .fetch_all(conn)
    .await
}

/// A record that was written: new, or with the fields that changed, in the names of the schema.
pub struct Written {
    pub id: Uuid,
    pub created: bool,
    pub fields: Vec<String>,
}

/// Creates and updates reservations. A cancellation ahead of the clock counts from now.
pub async fn write_reservations(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservations: &[ReservationRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Written>> {
    query_as!(
        Written,
        r#"WITH given AS (
               SELECT new.*, CASE WHEN new.cancelled_at > $3 THEN COALESCE(old.cancelled_at, $3) ELSE new.cancelled_at END
                             AS cancelled
               FROM json_to_recordset($2::json) AS new(
                   id uuid, code text, folded text, status text, client_id uuid, contact_id uuid,
                   group_name text, booking_channel_code text, booking_source text, notes text, created_at timestamptz,
                   cancelled_at timestamptz)
               LEFT JOIN reservations old ON old.hotel_id = $1 AND old.id = new.id
           ), new AS (
               SELECT given.*, array_remove(ARRAY[
                   CASE WHEN old.status <> given.status THEN 'status' END,
                   CASE WHEN old.client_id <> given.client_id THEN 'client' END,
                   CASE WHEN old.contact_id IS DISTINCT FROM given.contact_id THEN 'contact' END,
                   CASE WHEN old.group_name IS DISTINCT FROM given.group_name THEN 'groupName' END,
                   CASE WHEN old.booking_channel_code IS DISTINCT FROM given.booking_channel_code
                        THEN 'bookingChannelCode' END,
                   CASE WHEN old.booking_source IS DISTINCT FROM given.booking_source THEN 'bookingSource' END,
                   CASE WHEN old.cancelled_at IS DISTINCT FROM given.cancelled THEN 'cancelledAt' END], NULL) AS fields
               FROM given LEFT JOIN reservations old ON old.hotel_id = $1 AND old.id = given.id
           ), changed AS (
               UPDATE reservations old
               SET status = new.status, client_id = new.client_id, contact_id = new.contact_id,
                   group_name = new.group_name, booking_channel_code = new.booking_channel_code,
                   booking_source = new.booking_source, cancelled_at = new.cancelled, updated_at = $3
               FROM new
               WHERE old.hotel_id = $1 AND old.id = new.id AND cardinality(new.fields) > 0
               RETURNING old.id, new.fields
           ), created AS (
               INSERT INTO reservations (hotel_id, id, code, code_folded, status, client_id, contact_id, group_name,
                                         booking_channel_code, booking_source, notes, created_at, updated_at,
                                         cancelled_at)
               SELECT $1, id, code, folded, status, client_id, contact_id, group_name, booking_channel_code, booking_source,
                      notes, created_at, $3, cancelled
               FROM new
               ON CONFLICT (hotel_id, id) DO NOTHING
               RETURNING id
           )
           SELECT id AS "id!", TRUE AS "created!", '{}'::text[] AS "fields!" FROM created
           UNION ALL SELECT id, FALSE, fields FROM changed"#,
        hotel,
        Json(folded(reservations, |reservation| &reservation.code)) as _,
        now,
    )
    .fetch_all(conn)
    .await
}

/// Creates and updates room stays. Physical times that were recorded are kept, and so are guests.
pub async fn write_stays(
    conn: &mut PgConnection,
    hotel: HotelId,
    stays: &[StayRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Written>> {
    query_as!(
        Written,
        r#"WITH given AS (
               SELECT new.*, COALESCE(old.check_in, new.check_in) AS arrived,
                      COALESCE(old.check_out, CASE WHEN new.check_out IS NOT NULL
                                                    THEN GREATEST(new.check_out, old.check_in) END) AS departed
               FROM json_to_recordset($2::json) AS new(
                   id uuid, reservation_id uuid, category_id uuid, room_setup_id uuid, reservation_from date,
                   reservation_to date, departure_time time, check_in timestamptz, check_out timestamptz,
                   guest_message text, maid_notes text, meal_notes text, adults smallint, child1 smallint, free smallint,
                   created_at timestamptz, guest_ids json)
               LEFT JOIN room_stays old ON old.hotel_id = $1 AND old.id = new.id
           ), new AS (
               SELECT given.*, array_remove(ARRAY[
                   CASE WHEN old.reservation_id <> given.reservation_id THEN 'reservation' END,
                   CASE WHEN old.category_id <> given.category_id THEN 'category' END,
                   CASE WHEN old.room_setup_id IS DISTINCT FROM given.room_setup_id THEN 'room_setup' END,
                   CASE WHEN old.reservation_from <> given.reservation_from THEN 'reservation_from' END,
                   CASE WHEN old.reservation_to <> given.reservation_to THEN 'reservation_to' END,
                   CASE WHEN old.check_in IS DISTINCT FROM given.arrived THEN 'check_in' END,
                   CASE WHEN old.check_out IS DISTINCT FROM given.departed THEN 'check_out' END,
                   CASE WHEN old.meal_notes IS DISTINCT FROM given.meal_notes THEN 'mealNotes' END,
                   CASE WHEN (old.adults, old.child1, old.free) <> (given.adults, given.child1, given.free)
                        THEN 'ageGroups' END], NULL) AS fields
               FROM given LEFT JOIN room_stays old ON old.hotel_id = $1 AND old.id = given.id
           ), changed AS (
               UPDATE room_stays old
               SET reservation_id = new.reservation_id, category_id = new.category_id,
                   room_setup_id = new.room_setup_id, reservation_from = new.reservation_from,
                   reservation_to = new.reservation_to, check_in = new.arrived, check_out = new.departed,
                   meal_notes = new.meal_notes, adults = new.adults, child1 = new.child1, free = new.free,
                   updated_at = $3
               FROM new
               WHERE old.hotel_id = $1 AND old.id = new.id AND cardinality(new.fields) > 0
               RETURNING old.id, new.fields
           ), created AS (
               INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, room_setup_id, reservation_from,
                                       reservation_to, departure_time, check_in, check_out, guest_message, maid_notes,
                                       meal_notes, adults, child1, free, created_at, updated_at)
               SELECT $1, id, reservation_id, category_id, room_setup_id, reservation_from, reservation_to,
                      departure_time, arrived, departed, guest_message, maid_notes, meal_notes, adults, child1, free,
                      created_at, $3
               FROM new
               ON CONFLICT (hotel_id, id) DO NOTHING
               RETURNING id
           ), guests AS (
               INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
               SELECT $1, new.id, guest.position, guest.id::uuid
               FROM new CROSS JOIN json_array_elements_text(new.guest_ids) WITH ORDINALITY AS guest(id, position)
               WHERE NOT EXISTS (SELECT FROM room_stay_guests g WHERE g.hotel_id = $1 AND g.room_stay_id = new.id)
           )
           SELECT id AS "id!", TRUE AS "created!", '{}'::text[] AS "fields!" FROM created
           UNION ALL SELECT id, FALSE, fields FROM changed"#,
        hotel,
        Json(stays) as _,
        now,
    )
    .fetch_all(conn)
    .await
}

/// Deletes those of the reservations that no stay is part of, and tells which they are.
pub async fn delete_empty_reservations(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Uuid>> {
    query_scalar!(
        "DELETE FROM reservations r WHERE hotel_id = $1 AND id = ANY($2)
           AND NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = $1 AND s.reservation_id = r.id)
         RETURNING id",
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await
}

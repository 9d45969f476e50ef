//! The SQL of importing a hotel's own bookings, as far as it is not that of all imports.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, query, query_as, query_scalar};
use uuid::Uuid;

use super::super::records::ClientRecord;
use super::plan::{FirstGuest, Known, KnownReservation, KnownStay, Origin};
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::text;

/// The codes of the hotel's reservations that people take for one of `codes`, the oldest first.
pub async fn codes_like(conn: &mut PgConnection, hotel: HotelId, codes: &[&str]) -> sqlx::Result<Vec<String>> {
    let folded: Vec<String> = codes.iter().map(|code| text::fold(code)).collect();
    query_scalar!(
        r#"SELECT code FROM reservations
           WHERE hotel_id = $1 AND (code_folded = ANY($2)
                                    OR (code_folded IS NULL AND lower(code COLLATE "C") = ANY($2))
                                    OR (code_folded IS NULL AND code = ANY($3)))
           ORDER BY created_at, id"#,
        hotel,
        &folded,
        codes as _,
    )
    .fetch_all(conn)
    .await
}

/// The digests of the lines that have made the stays of these reservations.
pub async fn digests(conn: &mut PgConnection, hotel: HotelId, codes: &[&str]) -> sqlx::Result<HashSet<Uuid>> {
    let digests = query_scalar!(
        "SELECT l.digest FROM imported_lines l
         JOIN room_stays s ON s.hotel_id = l.hotel_id AND s.id = l.room_stay_id
         JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         WHERE l.hotel_id = $1 AND r.code = ANY($2)",
        hotel,
        codes as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(digests.into_iter().collect())
}

/// Reads what the hotel has of these reservations, and holds their stays and them until the transaction ends.
pub async fn lock_known(conn: &mut PgConnection, hotel: HotelId, codes: &[&str]) -> Result<Known> {
    // Stays before reservations, each by id, as everywhere.
    let stays = query_as!(
        KnownStay,
        r#"SELECT s.id, s.reservation_id, l.digest AS "digest?", s.category_id, s.room_setup_id, s.reservation_from,
                  s.reservation_to, s.meal_notes, s.adults, s.child1, s.free,
                  ARRAY(SELECT g.client_id FROM room_stay_guests g
                        WHERE g.hotel_id = s.hotel_id AND g.room_stay_id = s.id ORDER BY g.position) AS "guest_ids!"
           FROM reservations r
           JOIN room_stays s ON s.hotel_id = r.hotel_id AND s.reservation_id = r.id
           LEFT JOIN imported_lines l ON l.hotel_id = s.hotel_id AND l.room_stay_id = s.id
           WHERE r.hotel_id = $1 AND r.code = ANY($2) ORDER BY s.id FOR NO KEY UPDATE OF s"#,
        hotel,
        codes as _,
    )
    .fetch_all(&mut *conn)
    .await?;
    let reservations = query!(
        "SELECT id, code, status, client_id, contact_id, group_name, booking_channel_code, booking_source, cancelled_at
         FROM reservations WHERE hotel_id = $1 AND code = ANY($2) ORDER BY id FOR NO KEY UPDATE",
        hotel,
        codes as _,
    )
    .fetch_all(&mut *conn)
    .await?;
    let bookers = reservations.iter().flat_map(|row| std::iter::once(row.client_id).chain(row.contact_id));
    let clients: Vec<Uuid> = bookers.chain(stays.iter().flat_map(|stay| stay.guest_ids.iter().copied())).collect();
    let mut known = Known { clients: self::clients(conn, hotel, &clients).await?, ..Known::default() };
    for stay in stays {
        known.stays.entry(stay.reservation_id).or_default().push(stay);
    }
    for row in reservations {
        let status = crate::reservations::ReservationStatus::parse(&row.status)?.as_str();
        let reservation = KnownReservation {
            id: row.id,
            code: row.code,
            status,
            client_id: row.client_id,
            contact_id: row.contact_id,
            group_name: row.group_name,
            booking_channel_code: row.booking_channel_code,
            booking_source: row.booking_source,
            cancelled_at: row.cancelled_at,
        };
        known.reservations.insert(reservation.code.clone(), reservation);
    }
    Ok(known)
}

async fn clients(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<HashMap<Uuid, ClientRecord>> {
    let rows = query!(
        "SELECT id, kind, firstname, lastname, company, language, country, email, telephone, mobile
         FROM clients WHERE hotel_id = $1 AND id = ANY($2)",
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = match row.kind.as_str() {
                "PERSON" => "PERSON",
                "COMPANY" => "COMPANY",
                other => return Err(Error::internal(format!("unknown kind of client {other}"))),
            };
            let client = ClientRecord {
                id: row.id,
                kind,
                firstname: row.firstname,
                lastname: row.lastname,
                company: row.company,
                language: row.language,
                country: row.country,
                email: row.email,
                telephone: row.telephone,
                mobile: row.mobile,
            };
            Ok((row.id, client))
        })
        .collect()
}

/// Writes the details of clients that are there.
pub async fn update_clients(
    conn: &mut PgConnection,
    hotel: HotelId,
    clients: &[ClientRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE clients old
         SET language = new.language, country = new.country, email = new.email, telephone = new.telephone,
             mobile = new.mobile, updated_at = $3
         FROM json_to_recordset($2::json) AS new(
             id uuid, language text, country text, email text, telephone text, mobile text)
         WHERE old.hotel_id = $1 AND old.id = new.id",
        hotel,
        Json(clients) as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts other guests in the first places of stays.
pub async fn write_first_guests(
    conn: &mut PgConnection,
    hotel: HotelId,
    guests: &[FirstGuest],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "WITH new AS (
             SELECT * FROM json_to_recordset($2::json) AS new(room_stay_id uuid, client_id uuid)
         ), placed AS (
             INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
             SELECT $1, room_stay_id, 1, client_id FROM new
             ON CONFLICT (hotel_id, room_stay_id, position) DO UPDATE SET client_id = excluded.client_id
         )
         UPDATE room_stays s SET updated_at = $3 FROM new WHERE s.hotel_id = $1 AND s.id = new.room_stay_id",
        hotel,
        Json(guests) as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Remembers which lines the stays are from.
pub async fn write_origins(conn: &mut PgConnection, hotel: HotelId, origins: &[Origin]) -> sqlx::Result<()> {
    query!(
        "INSERT INTO imported_lines (hotel_id, room_stay_id, digest)
         SELECT $1, room_stay_id, digest FROM json_to_recordset($2::json) AS new(room_stay_id uuid, digest uuid)
         ON CONFLICT (hotel_id, room_stay_id) DO UPDATE SET digest = excluded.digest",
        hotel,
        Json(origins) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

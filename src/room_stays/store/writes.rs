//! Changing room stays.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::{PgConnection, QueryBuilder, query, query_as, query_scalar};
use uuid::Uuid;

use super::super::model::{RoomStay, StayDetails};
use super::detail_columns;
use crate::error::{Error, Result};
use crate::hotels::{Hotel, HotelId};
use crate::reservations::ReservationStatus;
use crate::room_access_keys::AssignedKey;

/// A stay that is held until the transaction ends, and the status of its reservation.
#[derive(Clone)]
pub(crate) struct LockedStay {
    /// The stay.
    pub stay: RoomStay,
    /// The status of its reservation.
    pub reservation_status: ReservationStatus,
}

/// Reads stays and holds them until the transaction ends, in the order of their ids.
pub(in crate::room_stays) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
) -> Result<Vec<LockedStay>> {
    let mut locked = lock_unconfirmed(&mut *conn, hotel, ids).await?;
    // In a statement of its own: the transaction that had locked a stay may have cancelled its reservation, and a statement
    // that has waited sees the row that it waited for as it is now, but everything else as it was before.
    let reservations: Vec<Uuid> = locked.iter().map(|locked| locked.stay.reservation_id).collect();
    let statuses =
        query!("SELECT id, status FROM reservations WHERE hotel_id = $1 AND id = ANY($2)", hotel, &reservations)
            .fetch_all(conn)
            .await?;
    for locked in &mut locked {
        let status = statuses.iter().find(|status| status.id == locked.stay.reservation_id);
        let status = status.ok_or_else(|| Error::internal("a stay without its reservation"))?;
        locked.reservation_status = ReservationStatus::parse(&status.status)?;
    }
    Ok(locked)
}

/// Like [`lock`], but with the status of reservations as it was before: if this had to wait for a stay, the transaction that had locked
/// it may have cancelled the reservation. For those that find out when they write.
pub(crate) async fn lock_unconfirmed(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<LockedStay>> {
    let rows = query!(
        r#"SELECT s.id, s.reservation_id, s.category_id, s.room_setup_id, s.reservation_from, s.reservation_to,
                  s.departure_time, s.check_in, s.check_out, s.room_access_key_id, s.room_access_key_kind,
                  (SELECT r.status FROM reservations r WHERE r.hotel_id = $1 AND r.id = s.reservation_id) AS "status!"
           FROM room_stays s WHERE s.hotel_id = $1 AND s.id = ANY ($2) ORDER BY s.id FOR NO KEY UPDATE"#,
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let stay = RoomStay {
                id: row.id,
                reservation_id: row.reservation_id,
                category_id: row.category_id,
                room_setup_id: row.room_setup_id,
                reservation_from: row.reservation_from,
                reservation_to: row.reservation_to,
                departure_time: row.departure_time,
                check_in: row.check_in,
                check_out: row.check_out,
                room_access_key: AssignedKey::of(row.room_access_key_id, row.room_access_key_kind.as_deref())?,
            };
            Ok(LockedStay { stay, reservation_status: ReservationStatus::parse(&row.status)? })
        })
        .collect()
}

/// The ids of the stays of reservations.
pub(in crate::room_stays) async fn ids_of_reservations(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservations: &[Uuid],
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "SELECT id FROM room_stays WHERE hotel_id = $1 AND reservation_id = ANY ($2) ORDER BY id",
        hotel,
        reservations,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// The details of a stay that is held.
pub(in crate::room_stays) async fn details(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<StayDetails> {
    let row = sqlx::query("SELECT * FROM room_stays WHERE hotel_id = $1 AND id = $2")
        .bind(hotel)
        .bind(id)
        .fetch_one(conn)
        .await?;
    detail_columns::read(&row)
}

/// When the pruner takes the key of a stay off it, if it has one.
pub(crate) fn key_due(hotel: &Hotel, stay: &RoomStay) -> Option<DateTime<Utc>> {
    stay.room_access_key.map(|_| hotel.key_due(stay.reservation_from, stay.reservation_to, stay.departure_time))
}

/// Adds a stay.
pub(in crate::room_stays) async fn insert(
    conn: &mut PgConnection,
    hotel: &Hotel,
    stay: &RoomStay,
    details: &StayDetails,
) -> Result<()> {
    let mut sql = QueryBuilder::new(
        "INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, room_setup_id, reservation_from, reservation_to, \
         departure_time, check_in, check_out, room_access_key_id, room_access_key_kind, room_access_key_due_at",
    );
    for column in detail_columns::COLUMNS {
        sql.push(", ").push(*column);
    }
    sql.push(") VALUES (");
    let mut values = sql.separated(", ");
    values.push_bind(hotel.id).push_bind(stay.id).push_bind(stay.reservation_id).push_bind(stay.category_id);
    values.push_bind(stay.room_setup_id).push_bind(stay.reservation_from).push_bind(stay.reservation_to);
    values.push_bind(stay.departure_time).push_bind(stay.check_in).push_bind(stay.check_out);
    values.push_bind(stay.room_access_key.map(|key| key.id));
    values.push_bind(stay.room_access_key.map(|key| key.kind.as_str()));
    values.push_bind(key_due(hotel, stay));
    detail_columns::push_values(&mut values, details);
    sql.push(")").build().execute(conn).await?;
    Ok(())
}

/// Writes what the front desk and the integrations change of a stay. Its reservation, category and notes stay as they are.
pub(in crate::room_stays) async fn update(
    conn: &mut PgConnection,
    hotel: &Hotel,
    stay: &RoomStay,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE room_stays SET room_setup_id = $3, reservation_from = $4, reservation_to = $5, departure_time = $6,
                               check_in = $7, check_out = $8, room_access_key_id = $9, room_access_key_kind = $10,
                               room_access_key_due_at = $12, updated_at = $11
         WHERE hotel_id = $1 AND id = $2",
        hotel.id,
        stay.id,
        stay.room_setup_id,
        stay.reservation_from,
        stay.reservation_to,
        stay.departure_time,
        stay.check_in,
        stay.check_out,
        stay.room_access_key.map(|key| key.id),
        stay.room_access_key.map(|key| key.kind.as_str()),
        now,
        key_due(hotel, stay),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a stay; its guest list goes with it.
pub(in crate::room_stays) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<()> {
    query!("DELETE FROM room_stays WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}

/// Puts clients on a stay's guest list, in this order.
pub(in crate::room_stays) async fn insert_guests(
    conn: &mut PgConnection,
    hotel: HotelId,
    stay: Uuid,
    clients: &[Uuid],
) -> Result<()> {
    query!(
        "INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
         SELECT $1, $2, g.position::smallint, g.client_id
         FROM unnest($3::uuid[]) WITH ORDINALITY g (client_id, position)",
        hotel,
        stay,
        clients,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a stay the guest list of another one.
pub(in crate::room_stays) async fn copy_guests(
    conn: &mut PgConnection,
    hotel: HotelId,
    from: Uuid,
    to: Uuid,
) -> Result<()> {
    query!(
        "INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
         SELECT hotel_id, $3, position, client_id FROM room_stay_guests WHERE hotel_id = $1 AND room_stay_id = $2",
        hotel,
        from,
        to,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a client at the end of the guest list of a stay that is held. False when it is on it already.
pub(in crate::room_stays) async fn append_guest(
    conn: &mut PgConnection,
    hotel: HotelId,
    stay: Uuid,
    client: Uuid,
) -> Result<bool> {
    let done = query!(
        "INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
         SELECT $1, $2, coalesce(max(position), 0) + 1, $3
         FROM room_stay_guests WHERE hotel_id = $1 AND room_stay_id = $2
         ON CONFLICT ON CONSTRAINT room_stay_guests_client_key DO NOTHING",
        hotel,
        stay,
        client,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a client off a stay's guest list. False when it is not on it.
pub(in crate::room_stays) async fn remove_guest(
    conn: &mut PgConnection,
    hotel: HotelId,
    stay: Uuid,
    client: Uuid,
) -> Result<bool> {
    let done = query!(
        "DELETE FROM room_stay_guests WHERE hotel_id = $1 AND room_stay_id = $2 AND client_id = $3",
        hotel,
        stay,
        client,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many of the given clients the hotel has.
pub(in crate::room_stays) async fn count_clients(
    conn: &mut PgConnection,
    hotel: HotelId,
    clients: &[Uuid],
) -> Result<i64> {
    let count = query_scalar!(
        r#"SELECT count(*) AS "count!" FROM clients WHERE hotel_id = $1 AND id = ANY($2)"#,
        hotel,
        clients,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// What the due time of a key follows from.
struct AssignedStay {
    id: Uuid,
    reservation_from: NaiveDate,
    reservation_to: NaiveDate,
    departure_time: Option<NaiveTime>,
}

/// Holds all stays of a hotel that have a key until the transaction ends, in the order of their ids.
pub(crate) async fn lock_assigned(conn: &mut PgConnection, hotel: HotelId) -> Result<()> {
    query!(
        "SELECT FROM room_stays WHERE hotel_id = $1 AND room_access_key_due_at IS NOT NULL
         ORDER BY id FOR NO KEY UPDATE",
        hotel,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Works out again when the keys of a hotel's stays are due, after its zone or its check-out time changed.
pub(crate) async fn renew_key_due(conn: &mut PgConnection, hotel: &Hotel) -> Result<()> {
    let stays = query_as!(
        AssignedStay,
        "SELECT id, reservation_from, reservation_to, departure_time FROM room_stays
         WHERE hotel_id = $1 AND room_access_key_due_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE",
        hotel.id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = stays.iter().map(|stay| stay.id).collect();
    let due: Vec<DateTime<Utc>> = stays
        .iter()
        .map(|stay| hotel.key_due(stay.reservation_from, stay.reservation_to, stay.departure_time))
        .collect();
    query!(
        "UPDATE room_stays s SET room_access_key_due_at = d.due_at
         FROM unnest($2::uuid[], $3::timestamptz[]) d (id, due_at)
         WHERE s.hotel_id = $1 AND s.id = d.id",
        hotel.id,
        &ids[..],
        &due[..],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes their keys off held stays.
pub(crate) async fn revoke_keys(
    conn: &mut PgConnection,
    hotel: HotelId,
    stays: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE room_stays SET room_access_key_id = NULL, room_access_key_kind = NULL, room_access_key_due_at = NULL,
                               updated_at = $3
         WHERE hotel_id = $1 AND id = ANY ($2)",
        hotel,
        stays,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

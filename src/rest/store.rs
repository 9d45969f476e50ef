//! The SQL of the guest list as a hotel's own system sees it.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query_scalar};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;

/// One room of a guest: a stay with its first guest, or with who booked where none is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The stay.
    pub stay: Uuid,
    /// Its reservation.
    pub reservation: Uuid,
    /// Code of the reservation.
    pub code: String,
    /// Id under which this integration brought the reservation.
    pub external_id: Option<String>,
    /// The client.
    pub client: Uuid,
    /// Whether the client is an organisation.
    pub is_company: bool,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name, or name of the organisation.
    pub last_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// The room.
    pub room: Option<Uuid>,
    /// Its name.
    pub room_number: Option<String>,
    /// Day of arrival.
    pub check_in_date: NaiveDate,
    /// Day of departure.
    pub check_out_date: NaiveDate,
    /// Physical arrival.
    pub checked_in_at: Option<DateTime<Utc>>,
    /// Physical departure.
    pub checked_out_at: Option<DateTime<Utc>>,
}

impl Guest {
    /// Whether the guest has come and not left.
    pub fn in_house(&self) -> bool {
        self.checked_in_at.is_some() && self.checked_out_at.is_none()
    }
}

/// Which guests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// Those of a reservation.
    OfReservation(Uuid),
    /// The one of a stay.
    OfStay(Uuid),
    /// Those in the house behind a stay, at most so many.
    InHouse { after: Uuid, limit: i64 },
}

/// Guests of the hotel, by stay, with the external ids of one integration.
pub(super) async fn guests(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    which: Which,
) -> Result<Vec<Guest>> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT s.id AS stay, s.reservation_id, r.code, i.external_id, c.id AS client, c.kind = 'COMPANY' AS is_company,
                c.firstname, coalesce(c.lastname, c.company) AS lastname, c.email, c.telephone, c.language,
                s.room_setup_id, m.name AS room, s.reservation_from, s.reservation_to, s.check_in, s.check_out
         FROM room_stays s
         JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         LEFT JOIN room_setups m ON m.hotel_id = s.hotel_id AND m.id = s.room_setup_id
         LEFT JOIN LATERAL (SELECT client_id FROM room_stay_guests
                            WHERE hotel_id = s.hotel_id AND room_stay_id = s.id ORDER BY position LIMIT 1) g ON true
         JOIN clients c ON c.hotel_id = s.hotel_id AND c.id = coalesce(g.client_id, r.client_id)
         LEFT JOIN reservation_imports i
             ON i.hotel_id = s.hotel_id AND i.reservation_id = s.reservation_id AND i.integration_id = ",
    );
    sql.push_bind(integration).push(" WHERE s.hotel_id = ").push_bind(hotel);
    match which {
        Which::OfReservation(id) => {
            sql.push(" AND s.reservation_id = ").push_bind(id).push(" ORDER BY s.id");
        }
        Which::OfStay(id) => {
            sql.push(" AND s.id = ").push_bind(id);
        }
        Which::InHouse { after, limit } => {
            sql.push(" AND s.check_in IS NOT NULL AND s.check_out IS NULL AND s.id > ").push_bind(after);
            sql.push(" AND r.status <> 'CANCELLED' ORDER BY s.id LIMIT ").push_bind(limit);
        }
    }
    let rows = sql.build().fetch_all(conn).await?;
    rows.iter().map(guest).collect()
}

fn guest(row: &PgRow) -> Result<Guest> {
    Ok(Guest {
        stay: row.try_get("stay")?,
        reservation: row.try_get("reservation_id")?,
        code: row.try_get("code")?,
        external_id: row.try_get("external_id")?,
        client: row.try_get("client")?,
        is_company: row.try_get("is_company")?,
        first_name: row.try_get("firstname")?,
        last_name: row.try_get("lastname")?,
        email: row.try_get("email")?,
        phone: row.try_get("telephone")?,
        language: row.try_get("language")?,
        room: row.try_get("room_setup_id")?,
        room_number: row.try_get("room")?,
        check_in_date: row.try_get("reservation_from")?,
        check_out_date: row.try_get("reservation_to")?,
        checked_in_at: row.try_get("check_in")?,
        checked_out_at: row.try_get("check_out")?,
    })
}

/// Names by which a reservation is known: family names of its guests and of who booked.
pub(super) async fn last_names(conn: &mut PgConnection, hotel: HotelId, reservation: Uuid) -> Result<Vec<String>> {
    let names = query_scalar!(
        r#"SELECT coalesce(c.lastname, c.company) AS "name!" FROM clients c WHERE c.hotel_id = $1 AND c.id IN (
               SELECT r.client_id FROM reservations r WHERE r.hotel_id = $1 AND r.id = $2
               UNION ALL
               SELECT g.client_id FROM room_stays s
               JOIN room_stay_guests g ON g.hotel_id = s.hotel_id AND g.room_stay_id = s.id
               WHERE s.hotel_id = $1 AND s.reservation_id = $2)"#,
        hotel,
        reservation,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// Whether somebody else is in a room.
pub(super) async fn is_occupied(conn: &mut PgConnection, hotel: HotelId, room: Uuid, except: Uuid) -> Result<bool> {
    let occupied = query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
               WHERE s.hotel_id = $1 AND s.check_in IS NOT NULL AND s.check_out IS NULL AND s.room_setup_id = $2
               AND s.id <> $3 AND r.status <> 'CANCELLED') AS "occupied!""#,
        hotel,
        room,
        except,
    )
    .fetch_one(conn)
    .await?;
    Ok(occupied)
}

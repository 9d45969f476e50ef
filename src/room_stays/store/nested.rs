//! Reading the room stays that belong to other records: one statement for all parents.

use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::pages::{StayJoins, StayPage, StayView, page_of, push_event_position, push_joins, push_selected, view};
use crate::db::{ListBounds, ListBoundsRequest, PageRequest, by_ordinal, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;

/// Most stays that are listed as overlapping one.
const MOST_OVERLAPPING: i64 = 20;

/// A page of the stays of each of the given reservations, all by one request, by id, in one statement.
pub async fn pages_of_reservations(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservations: &[Uuid],
    request: &PageRequest<Uuid>,
    joins: StayJoins,
) -> Result<Vec<StayPage>> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    push_selected(&mut sql, joins);
    sql.push(", p.n FROM unnest(").push_bind(reservations.to_vec());
    sql.push("::uuid[]) WITH ORDINALITY p (reservation_id, n)");
    if joins.event_position {
        sql.push(" CROSS JOIN ");
        push_event_position(&mut sql, hotel);
    }
    sql.push(" LEFT JOIN LATERAL (SELECT s.* FROM room_stays s");
    sql.push(" WHERE s.hotel_id = ").push_bind(hotel).push(" AND s.reservation_id = p.reservation_id");
    push_id_page(&mut sql, "s.id", request);
    sql.push(") s ON TRUE");
    push_joins(&mut sql, joins);
    sql.push(" ORDER BY p.n, s.id ").push(request.direction());
    let mut rows = sql.build().fetch_all(conn).await?.into_iter().peekable();
    let mut pages = Vec::with_capacity(reservations.len());
    for ordinal in 1..=reservations.len() {
        let mut of_this = Vec::new();
        while let Some(row) = rows.next_if(|row| row.try_get("n").is_ok_and(|n: i64| usize::try_from(n) == Ok(ordinal)))
        {
            of_this.push(row);
        }
        pages.push(page_of(&of_this, request, joins)?);
    }
    Ok(pages)
}

/// The bounds of the list of stays of each of the given reservations, in one statement.
pub(crate) async fn bounds_of_reservations(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservations: &[Uuid],
    request: &ListBoundsRequest<Uuid>,
) -> Result<Vec<ListBounds>> {
    let rows = sqlx::query!(
        r#"SELECT count(s.id) AS "total!", count(s.id) FILTER (WHERE s.id <= $3) AS "up_to!",
                  count(s.id) FILTER (WHERE s.id >= $4) AS "from!"
           FROM unnest($2::uuid[]) WITH ORDINALITY p (reservation_id, n)
           LEFT JOIN room_stays s ON s.hotel_id = $1 AND s.reservation_id = p.reservation_id
           GROUP BY p.n ORDER BY p.n"#,
        hotel,
        reservations,
        request.up_to,
        request.from,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ListBounds { total: row.total, up_to: row.up_to > 0, from: row.from > 0 }).collect())
}

/// The first [`MOST_OVERLAPPING`] stays of other guests that have the room of each of the given stays in a night of its own.
/// Cancelled reservations hold no room. A stay may be given twice.
pub(crate) async fn overlapping(
    conn: &mut PgConnection,
    hotel: HotelId,
    stays: &[Uuid],
    joins: StayJoins,
) -> Result<Vec<Vec<StayView>>> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT ");
    push_selected(&mut sql, joins);
    sql.push(", p.n FROM unnest(").push_bind(stays.to_vec()).push("::uuid[]) WITH ORDINALITY p (stay_id, n)");
    sql.push(" JOIN room_stays o ON o.hotel_id = ").push_bind(hotel).push(" AND o.id = p.stay_id");
    sql.push(
        " JOIN reservations oreservation \
          ON oreservation.hotel_id = o.hotel_id AND oreservation.id = o.reservation_id \
          AND oreservation.status <> 'CANCELLED' \
          CROSS JOIN LATERAL (SELECT x.* FROM room_stays x \
              JOIN reservations xr ON xr.hotel_id = x.hotel_id AND xr.id = x.reservation_id AND xr.status <> 'CANCELLED' \
              WHERE x.hotel_id = o.hotel_id AND x.room_setup_id = o.room_setup_id AND x.id <> o.id \
              AND x.reservation_from < o.reservation_to AND x.reservation_to > o.reservation_from \
              ORDER BY x.reservation_to, x.id LIMIT ",
    );
    sql.push_bind(MOST_OVERLAPPING).push(") s");
    push_joins(&mut sql, joins);
    sql.push(" ORDER BY p.n, s.reservation_to, s.id");
    let rows = sql.build().fetch_all(conn).await?;
    let found = rows.iter().map(|row| Ok((row.try_get("n")?, view(row, joins)?))).collect::<Result<Vec<_>>>()?;
    Ok(by_ordinal(found, stays.len()))
}

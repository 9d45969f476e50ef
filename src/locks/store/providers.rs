//! The SQL of which providers a hotel has.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};

use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::Provider;

/// The providers of the hotel's doors and encoders, each with the time when the first of them was made, in that order.
pub async fn providers(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<(Provider, DateTime<Utc>)>> {
    let rows = query!(
        r#"SELECT provider AS "provider!", min(created_at) AS "since!"
           FROM (SELECT provider, created_at FROM entrances WHERE hotel_id = $1
                 UNION ALL SELECT provider, created_at FROM encoders WHERE hotel_id = $1) present
           GROUP BY provider ORDER BY min(created_at), provider"#,
        hotel,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((Provider::parse(&row.provider)?, row.since))).collect()
}

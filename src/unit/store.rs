//! The SQL of the unit of work.

use sqlx::PgConnection;

use crate::error::Result;
use crate::hotels::HotelId;

/// Waits until no other transaction of the hotel is past this point.
pub(super) async fn wait_for_turn(conn: &mut PgConnection, hotel: HotelId) -> Result<()> {
    let (_, random) = hotel.as_u64_pair();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(random.cast_signed()).execute(conn).await?;
    Ok(())
}

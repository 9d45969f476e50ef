//! Hotels are the tenants: every record of Latchkey belongs to exactly one.

mod model;
mod store;

use sqlx::PgConnection;

pub use model::{Hotel, HotelId, YEARS, civil_date, end_instant, start_instant};
pub(crate) use store::Row;
pub use store::{find, find_all, insert, lock, longest_stay, raise_longest_stay};

use crate::error::{Error, Record, Result};

/// The hotel with that slug.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, slug: &str) -> Result<Hotel> {
    store::find_by_slug(conn, slug).await?.ok_or_else(|| Error::not_found(Record::Hotel))
}

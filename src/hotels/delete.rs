//! Deleting a hotel with everything that belongs to it.
//!
//! Only a hotel that nobody works with any more is deleted: its integrations are disconnected first, each by somebody who means
//! it. That takes their keys off the doors with events, revokes their API keys and deletes their endpoints, so that no request
//! and no delivery meets a hotel that is half gone.
//!
//! Rows go in batches, each in a transaction of its own; after a crash, deleting again goes on. The audit trail stays until
//! its time is over: it holds names of fields and never values.

use sqlx::PgConnection;

use super::{Hotel, store};
use crate::audit::{self, Entry, ObjectType};
use crate::context::Context;
use crate::error::{Error, Result};

/// Rows of a table that one transaction deletes. PostgreSQL looks for each of them whether another row refers to it, and steps over
/// what was deleted before until it is vacuumed, so that more would take too long in a large hotel.
const BATCH: i64 = 500;

/// Deletes a hotel, and tells how many rows went with it.
///
/// # Errors
/// `INVALID_ARGUMENT` while an integration is connected, `NOT_FOUND` when somebody else was faster.
pub async fn delete(context: &Context, hotel: &Hotel) -> Result<u64> {
    require_disconnected(&mut *context.worker_pool.acquire().await?, hotel).await?;
    let mut rows = 0;
    for table in store::TENANT_TABLES {
        loop {
            // A statement of its own is a transaction of its own.
            let deleted =
                store::delete_rows(&mut *context.worker_pool.acquire().await?, hotel.id, *table, BATCH).await?;
            rows += deleted;
            if deleted == 0 {
                break;
            }
        }
    }
    rows += delete_rest(context, hotel).await?;
    tracing::warn!(hotel = %hotel.id, slug = hotel.slug, rows, "hotel deleted");
    Ok(rows)
}

/// Deletes what came meanwhile, such as the events of a worker, and the hotel itself.
async fn delete_rest(context: &Context, hotel: &Hotel) -> Result<u64> {
    let mut tx = context.worker_pool.begin().await?;
    store::lock_for_deletion(&mut tx, hotel.id).await?;
    require_disconnected(&mut tx, hotel).await?;
    let mut rows = 0;
    for table in store::TENANT_TABLES {
        rows += store::delete_rows(&mut tx, hotel.id, *table, BATCH).await?;
    }
    if store::delete(&mut tx, hotel.id).await? == 0 {
        return Err(Error::not_found("Hotel"));
    }
    audit::write_in(
        &mut tx,
        &context.ids,
        hotel.id,
        context.clock.now(),
        [Entry::deleted(ObjectType::Hotel, hotel.id)],
    )
    .await?;
    tx.commit().await?;
    Ok(rows)
}

async fn require_disconnected(conn: &mut PgConnection, hotel: &Hotel) -> Result<()> {
    let connected = store::connected_integrations(conn, hotel.id).await?;
    let Some(first) = connected.first() else { return Ok(()) };
    let names = connected.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    Err(Error::invalid(format!(
        "These integrations are still connected: {names}. Disconnect each of them first, which takes its keys off the doors: \
         latchkey integration disconnect {} {first:?}",
        hotel.slug
    )))
}

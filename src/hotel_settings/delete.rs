//! Deleting a hotel with everything that belongs to it.
//!
//! Only a hotel that nobody works with any more is deleted: its integrations are disconnected first, each by somebody who means
//! it. That takes their keys off the doors with events, revokes their API keys and deletes their endpoints, so that no request
//! and no delivery meets a hotel that is half gone.
//!
//! Rows go in batches, each in a transaction of its own; after a crash, deleting again goes on. The audit trail stays until
//! its time is over: it holds names of fields and never values.

use std::sync::Arc;

use sqlx::PgConnection;

use super::store;
use crate::actor::Principal;
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, Message, Record, Result};
use crate::hotels::Hotel;
use crate::unit::{Transactions, Tx};

/// Rows of a table that one transaction deletes. PostgreSQL looks for each of them whether another row refers to it, and steps over
/// what was deleted before until it is vacuumed, so that more would take too long in a large hotel.
const BATCH: i64 = 500;

/// Deletes a hotel, and tells how many rows went with it.
///
/// # Errors
/// `INVALID_ARGUMENT` while an integration is connected, `NOT_FOUND` when somebody else was faster.
pub async fn delete(transactions: &Transactions, hotel: &Hotel) -> Result<u64> {
    require_disconnected(&mut *transactions.worker_pool.acquire().await?, hotel).await?;
    let mut rows = 0;
    for table in store::TENANT_TABLES {
        loop {
            // A statement of its own is a transaction of its own.
            let deleted =
                store::delete_rows(&mut *transactions.worker_pool.acquire().await?, hotel.id, *table, BATCH).await?;
            rows += deleted;
            if deleted == 0 {
                break;
            }
        }
    }
    rows += delete_rest(transactions, hotel).await?;
    tracing::warn!(hotel = %hotel.id, slug = hotel.slug, rows, "hotel deleted");
    Ok(rows)
}

/// Deletes what came meanwhile, such as the events of a worker, and the hotel itself.
async fn delete_rest(transactions: &Transactions, hotel: &Hotel) -> Result<u64> {
    let now = transactions.clock.now();
    let mut tx = Tx::begin_worker(transactions, Arc::new(hotel.clone()), Principal::Operator, now).await?;
    store::lock_for_deletion(tx.conn().await?, hotel.id).await?;
    require_disconnected(tx.conn().await?, hotel).await?;
    let mut rows = 0;
    for table in store::TENANT_TABLES {
        rows += store::delete_rows(tx.conn().await?, hotel.id, *table, BATCH).await?;
    }
    if store::delete(tx.conn().await?, hotel.id).await? == 0 {
        return Err(Error::not_found(Record::Hotel));
    }
    tx.audit(Entry::deleted(ObjectType::Hotel, hotel.id));
    tx.commit().await?;
    Ok(rows)
}

async fn require_disconnected(conn: &mut PgConnection, hotel: &Hotel) -> Result<()> {
    let connected = store::connected_integrations(conn, hotel.id).await?;
    let Some(first) = connected.first() else { return Ok(()) };
    let names = connected.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let (slug, first) = (hotel.slug.clone(), format!("{first:?}"));
    Err(Error::new(Message::IntegrationsConnected { names, slug, first }))
}

//! The statements that all queues share.

use sqlx::{PgConnection, query};

use crate::error::Result;

/// Makes the statements of this transaction go by index, whatever the planner believes.
///
/// Its plans outlive what they were made for: they are made once per connection, when a queue was empty or the week's
/// partition was new, and would then read a whole partition for each party, or sort all that waits for it to take four.
pub async fn go_by_index(conn: &mut PgConnection) -> Result<()> {
    query!("SELECT set_config('enable_seqscan', 'off', true) AS scan, set_config('enable_sort', 'off', true) AS sort")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Notifies the listeners of a channel.
pub(super) async fn notify(conn: &mut PgConnection, channel: &str) -> Result<()> {
    query!("SELECT pg_notify($1, '')", channel).fetch_one(conn).await?;
    Ok(())
}

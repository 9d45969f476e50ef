//! The SQL of the register of secret keys.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};

use crate::error::{Error, Result};
use crate::secrets::Fingerprint;

/// What the database knows of a key.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// Its number.
    pub number: u32,
    /// `None` when it was given up before it was registered.
    pub fingerprint: Option<Fingerprint>,
    /// Whether processes start without it.
    pub released: bool,
}

/// Lets one process at a time change the register, until its transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<()> {
    query!("SELECT pg_advisory_xact_lock(hashtextextended('latchkey secret keys', 0))").fetch_one(conn).await?;
    Ok(())
}

/// All keys that the database knows.
pub async fn registered(conn: &mut PgConnection) -> Result<Vec<Registered>> {
    let rows =
        query!("SELECT number, fingerprint, released_at FROM secret_keys ORDER BY number").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let fingerprint = row.fingerprint.map(|bytes| Fingerprint::try_from(&bytes[..])).transpose();
            Ok(Registered {
                number: u32::try_from(row.number).map_err(Error::internal)?,
                fingerprint: fingerprint.map_err(Error::internal)?,
                released: row.released_at.is_some(),
            })
        })
        .collect()
}

/// Registers a key, or that one that was released is used again.
pub async fn register(
    conn: &mut PgConnection,
    number: u32,
    fingerprint: &Fingerprint,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "INSERT INTO secret_keys (number, fingerprint, registered_at) VALUES ($1, $2, $3)
         ON CONFLICT (number) DO UPDATE SET fingerprint = excluded.fingerprint, released_at = NULL",
        i64::from(number),
        &fingerprint[..],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets processes start without a key from now on.
pub async fn release(conn: &mut PgConnection, number: u32, now: DateTime<Utc>) -> Result<()> {
    query!(
        "INSERT INTO secret_keys (number, registered_at, released_at) VALUES ($1, $2, $2)
         ON CONFLICT (number) DO UPDATE SET released_at = excluded.released_at",
        i64::from(number),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

//! Domain events: what happened, as webhooks and the feed tell it.
//!
//! Services say what they changed with [`crate::unit::Tx::emit`], in terms of the [`ChangeKind`]s of their capability. Changes of
//! one record in one request merge ([`Changes`]); the commit of the transaction writes them, so that an event exists exactly
//! when its change does.
//!
//! The events of a hotel are numbered without gaps in the order of their commits: the commit takes the hotel's counter, the
//! last lock of its transaction, writes the events, and then, seeing who has subscribed by now, the deliveries. A reader
//! who is at a position has missed nothing.

mod change;
mod kind;
mod partitions;
pub mod seam;
mod store;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use change::{Change, Changes};
pub use kind::{Audience, Catalogue, ChangeKind, SeamType};
pub use partitions::{RETENTION, maintain, make_partitions, run_maintenance};
pub(crate) use store::lock_counter;
pub use store::{Event, FeedPage, FeedRequest};

use crate::actor::Principal;
use crate::audit::Journal;
use crate::error::{Error, ErrorAt, ErrorCode, Result};
use crate::hotels::HotelId;
use crate::id::IdSource;

/// How many statements [`write_in`] takes.
pub(crate) fn statements_of(changes: &[Change], journal: &Journal) -> u32 {
    match (changes.is_empty(), journal.is_empty()) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}

/// Writes changes of one hotel as events, its journal into the audit trail, and one delivery for each enabled endpoint that
/// subscribed to them. Nothing but the commit may follow. Answers how many deliveries there are.
pub async fn write_in(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: HotelId,
    principal: Principal,
    now: DateTime<Utc>,
    changes: &[Change],
    journal: &Journal,
) -> Result<u64> {
    if changes.is_empty() && journal.is_empty() {
        return Ok(0);
    }
    store::insert(conn, ids, hotel, principal, now, changes, journal).await
}

/// The events of a hotel behind a position, as one integration may see them.
///
/// Positions have no gaps, so a position whose next event is missing is one that the hotel is not at: it is too old, or
/// it is from a history that a restored backup does not know.
///
/// # Errors
/// `EVENTS_EXPIRED`, `INVALID_ARGUMENT` for an unknown type
pub async fn feed(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    kinds: Catalogue,
    now: DateTime<Utc>,
    request: FeedRequest<'_>,
) -> Result<FeedPage> {
    kinds.types_named(request.types.unwrap_or_default()).at("types")?;
    if request.after.is_some_and(|after| !(0..i64::MAX).contains(&after)) {
        // No cursor of ours.
        return Err(Error::of(ErrorCode::EventsExpired).at("after"));
    }
    let (begins, kept_since) = (now - partitions::RETENTION, now - partitions::RETENTION - partitions::GRACE);
    let page = store::feed(conn, hotel, integration, request, begins, kept_since).await?;
    page.ok_or_else(|| Error::of(ErrorCode::EventsExpired).at("after"))
}

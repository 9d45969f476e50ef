//! Spaces that are rooms: each room is one, under its own id, and is made and renamed with it.
//!
//! The audit trail says so of the room alone.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use super::store;
use crate::error::Result;
use crate::events::Change;
use crate::hotels::HotelId;
use crate::rooms;
use crate::unit::{Follower, Tx};

/// The follower that makes and renames the spaces of rooms.
pub struct RoomSpaces;

impl Follower for RoomSpaces {
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        Box::pin(follow_in(tx, changes))
    }
}

async fn follow_in(tx: &mut Tx, changes: &[Change]) -> Result<()> {
    let rooms: Vec<Uuid> = changes.iter().filter(|change| concerns_space(change)).map(|change| change.id).collect();
    if rooms.is_empty() {
        return Ok(());
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    follow_rooms(tx.conn().await?, hotel, &rooms, now).await
}

/// Whether a room was made or has another name.
fn concerns_space(change: &Change) -> bool {
    *change.kind == rooms::CREATED
        || (*change.kind == rooms::UPDATED && change.fields.iter().any(|name| name == "name"))
}

/// Makes the spaces that these rooms are, and renames those whose room has another name by now. For those who write many rooms
/// at a time, whom no follower follows.
pub(crate) async fn follow_rooms(
    conn: &mut PgConnection,
    hotel: HotelId,
    rooms: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(store::spaces::follow_rooms(conn, hotel, rooms, now).await?)
}

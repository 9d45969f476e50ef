//! Reservations that an integration brings under an id of its own.
//!
//! The first import makes the reservation. A later one under the same id finds it and brings its status in line; dates,
//! rooms and guests stay as the hotel has them by then. Nobody else sees the id, and the same id of another integration is
//! another reservation.

use uuid::Uuid;

use super::{NewReservation, create_in, store};
use crate::error::{Error, ErrorCode, Message, Result, violated_constraint};
use crate::reservations::{self, ReservationStatus};
use crate::unit::Tx;

/// Longest external id, in characters.
pub const EXTERNAL_ID_MAX: usize = 64;

/// A reservation as an integration brings it.
pub struct ImportedReservation {
    /// The integration's own id of it, 1 to 64 characters.
    pub external_id: String,
    /// The status that it has.
    pub status: ReservationStatus,
    /// What to make when the id is new.
    pub new: NewReservation,
}

/// Makes the reservation, or brings the status of the one that was imported before in line.
///
/// # Errors
/// `INVALID_ARGUMENT`, `NOT_FOUND`, `CODE_TAKEN`; `RESERVATION_INVOICED`, `RESERVATION_CANCELLED` for a status that it
/// cannot have any more
pub async fn import_in(tx: &mut Tx, import: ImportedReservation) -> Result<Uuid> {
    let ImportedReservation { external_id, status, new } = import;
    let external_id = checked_external_id(&external_id)?;
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    let id = if let Some(id) = store::find_import(tx.conn().await?, hotel, integration, &external_id).await? {
        id
    } else {
        let id = create_in(tx, new).await?;
        store::insert_import(tx.conn().await?, hotel, integration, &external_id, id, now).await.map_err(raced)?;
        id
    };
    reservations::bring_to_in(tx, id, status).await?;
    Ok(id)
}

/// The reservation that goes by this id: one that the integration imported under it, else the one with that code; and
/// whether it was imported.
pub async fn find_in(tx: &mut Tx, external_id: &str) -> Result<Option<(Uuid, bool)>> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    if let Some(id) = store::find_import(tx.conn().await?, hotel, integration, external_id).await? {
        return Ok(Some((id, true)));
    }
    Ok(reservations::find_by_code(tx.conn().await?, hotel, external_id).await?.map(|id| (id, false)))
}

/// An external id as it is kept. It is another system's and compared as it is, but for spaces at its ends.
fn checked_external_id(id: &str) -> Result<String> {
    let id = id.trim();
    if (1..=EXTERNAL_ID_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control) {
        return Ok(id.to_owned());
    }
    Err(Error::new(Message::LineInvalid { name: "externalId", most: EXTERNAL_ID_MAX }).at("externalId"))
}

/// Who imports the same reservation at the same moment finds it when run again.
fn raced(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("reservation_imports_pkey") => Error { retry: true, ..Error::of(ErrorCode::Unavailable) },
        _ => error.into(),
    }
}

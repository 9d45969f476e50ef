//! Bookings: a reservation together with its stays and who books it.
//!
//! An integration can bring reservations of its own under ids of its own ([`import_in`]).

mod import;
mod store;

use uuid::Uuid;

pub use import::{EXTERNAL_ID_MAX, ImportedReservation, find_in, import_in};

use crate::clients::{self, ClientDetails, ClientKind};
use crate::error::{Error, ErrorAt, Message, Result};
use crate::reservations::{self, ReservationChange};
use crate::room_stays::{self, NewStay};
use crate::unit::Tx;

/// Most stays that one reservation is made with.
const MOST_STAYS: usize = 100;

/// Who books.
pub enum Booker {
    /// A client of the hotel.
    Existing(Uuid),
    /// Somebody new.
    New(Box<(ClientKind, ClientDetails)>),
}

/// A reservation to be made.
pub struct NewReservation {
    /// Code, unique in the hotel whatever its capitals and spaces; `None` = one is made up.
    pub code: Option<String>,
    /// Who books.
    pub client: Booker,
    /// Its stays, at least one.
    pub stays: Vec<NewStay>,
    /// Whether a new person who books is the guest of stays that name none: who makes both at once has no id to name.
    pub booker_stays: bool,
    /// Everything else.
    pub details: ReservationChange,
}

/// Makes a reservation with its stays.
///
/// # Errors
/// `INVALID_ARGUMENT`, `NOT_FOUND`, `CODE_TAKEN`
pub async fn create_in(tx: &mut Tx, new: NewReservation) -> Result<Uuid> {
    if !(1..=MOST_STAYS).contains(&new.stays.len()) {
        return Err(Error::new(Message::ReservationSizeOutOfRange { most: MOST_STAYS }).at("roomStays"));
    }
    let (client_id, guest) = match new.client {
        Booker::Existing(id) => {
            reservations::require_client_in(tx, id).await.at("id").at("client")?;
            (id, None)
        }
        Booker::New(client) => {
            let (kind, details) = *client;
            let stays = new.booker_stays && matches!(kind, ClientKind::Person { .. });
            let id = clients::create_in(tx, kind, details).await.at("client")?.id;
            (id, stays.then_some(id))
        }
    };
    let id = reservations::create_in(tx, new.code, client_id, new.details).await?;
    for (index, mut stay) in new.stays.into_iter().enumerate() {
        if stay.guest_ids.is_empty() {
            stay.guest_ids.extend(guest);
        }
        room_stays::insert_in(tx, id, stay).await.at(index).at("roomStays")?;
    }
    Ok(id)
}

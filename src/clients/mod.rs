//! Clients: the persons and companies that book, pay or stay.
//!
//! A client stays the kind that it was made as. Every change is a `client.updated`; nothing deletes a client.

mod codes;
mod model;
mod store;

use uuid::Uuid;

pub use codes::{country, language, languages};
pub use model::{Client, ClientChange, ClientDetails, ClientKind, DETAIL_MAX, DetailsChange, NAME_MAX};
pub use store::{ClientField, bounds, guests_of, page};
pub(crate) use store::{exists, from_row, push_columns};

use crate::audit::{Action, Entry, ObjectType};
use crate::error::{Error, ErrorAt, Record, Result};
use crate::events::{Audience, ChangeKind};
use crate::unit::Tx;

/// A client was changed.
pub static UPDATED: ChangeKind = ChangeKind {
    event_type: "client.updated",
    action: Action::Updated,
    object: ObjectType::Client,
    audience: Audience::Hotel,
    names_fields: false,
    meaning: "a guest or company was changed",
    seam: &[],
};

/// Adds a client.
///
/// # Errors
/// `INVALID_ARGUMENT` below `person` or `company`, for a name or a detail that breaks its rule
pub async fn create_in(tx: &mut Tx, kind: ClientKind, details: ClientDetails) -> Result<Client> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let argument = match kind {
        ClientKind::Person { .. } => "person",
        ClientKind::Company { .. } => "company",
    };
    let client = Client::new(tx.context.ids.uuid(now), kind, details).at(argument)?;
    store::insert(tx.conn().await?, hotel, &client, now).await?;
    tx.audit(Entry::created(ObjectType::Client, client.id));
    Ok(client)
}

/// Changes a client, and answers with it as it is now.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub async fn update_in(tx: &mut Tx, id: Uuid, change: ClientChange) -> Result<Client> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before =
        store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(|| Error::not_found(Record::Client).at("id"))?;
    let after = change.apply(before.clone())?;
    if after != before {
        store::update(tx.conn().await?, hotel, &after, now).await?;
        tx.emit(UPDATED.of(id).with_fields(model::changed_fields(&before, &after)));
    }
    Ok(after)
}

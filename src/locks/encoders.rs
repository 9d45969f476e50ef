//! Making, changing and deleting encoders.

use uuid::Uuid;

use super::model::named;
use super::store::encoders::{self as store, EncoderRecord};
use super::{Encoder, Provider, Reference, checked_key, checked_name};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt, Message, Record, Result, violated_constraint};
use crate::integrations;
use crate::unit::Tx;

/// An encoder to be made.
pub struct NewEncoder {
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read, 1 to 200 characters.
    pub name: String,
    /// Whose cards it writes.
    pub provider: Provider,
    /// Whether Latchkey plays it. It stays what it was made as.
    pub simulated: bool,
    /// Whose bridge takes its commands: that which makes it, unless another one is named. None of a simulated one.
    pub integration: Option<Uuid>,
}

/// What to change of an encoder; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct EncoderChange {
    /// New key.
    pub key: Option<Option<String>>,
    /// New name, 1 to 200 characters.
    pub name: Option<String>,
    /// New maker of its cards.
    pub provider: Option<Provider>,
    /// New integration whose bridge takes its commands, or none.
    pub integration: Option<Option<Uuid>>,
}

/// Adds an encoder.
///
/// # Errors
/// `NOT_FOUND` for the integration, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn create_encoder_in(tx: &mut Tx, new: NewEncoder) -> Result<Encoder> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let key = new.key.map(checked_key).transpose().at("encoderKey")?;
    let name = checked_name(&new.name)?;
    let integration = match new.integration {
        named @ Some(_) => named,
        None if new.simulated => None,
        None => Some(tx.actor.integration()?),
    };
    check_integration_in(tx, new.simulated, integration).await?;
    let record = EncoderRecord {
        id: tx.context.ids.uuid(now),
        key: key.as_deref(),
        name: &name,
        provider: new.provider,
        simulated: new.simulated,
        integration,
    };
    store::insert(tx.conn().await?, hotel, &record, now).await.map_err(refused)?;
    tx.audit(Entry::created(ObjectType::Encoder, record.id));
    store::get(tx.conn().await?, hotel, record.id).await
}

/// Changes an encoder. Its provider stays while it has commands, which are for cards of that provider.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn update_encoder_in(tx: &mut Tx, reference: &Reference, change: EncoderChange) -> Result<Encoder> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = lock_in(tx, reference).await?;
    let key = match change.key {
        Some(key) => key.map(checked_key).transpose().at("encoderKey")?,
        None => before.key.clone(),
    };
    let name = change.name.map_or_else(|| Ok(before.name.clone()), |name| checked_name(&name))?;
    let provider = change.provider.unwrap_or(before.provider);
    let had = before.integration.as_ref().map(|integration| integration.id);
    let integration = change.integration.unwrap_or(had);
    let changed = named([
        (key != before.key, "encoderKey"),
        (name != before.name, "name"),
        (provider != before.provider, "provider"),
        (integration != had, "integration"),
    ]);
    if integration != had {
        check_integration_in(tx, before.simulated, integration).await?;
    }
    if provider != before.provider && store::is_busy(tx.conn().await?, hotel, before.id).await? {
        return Err(Error::new(Message::EncoderBusy).at("provider"));
    }
    if changed.is_empty() {
        return Ok(before);
    }
    let (id, simulated) = (before.id, before.simulated);
    let record = EncoderRecord { id, key: key.as_deref(), name: &name, provider, simulated, integration };
    store::update(tx.conn().await?, hotel, &record, now).await.map_err(refused)?;
    tx.audit(Entry::updated(ObjectType::Encoder, id, changed));
    store::get(tx.conn().await?, hotel, id).await
}

/// Deletes an encoder with its commands, all of which have to be finished.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub async fn delete_encoder_in(tx: &mut Tx, reference: &Reference) -> Result<Uuid> {
    let hotel = tx.actor.hotel.id;
    let Encoder { id, .. } = lock_in(tx, reference).await?;
    if store::is_busy(tx.conn().await?, hotel, id).await? {
        return Err(Error::new(Message::EncoderBusy).at("id"));
    }
    store::delete_commands(tx.conn().await?, hotel, id).await?;
    store::delete(tx.conn().await?, hotel, id).await?;
    tx.audit(Entry::deleted(ObjectType::Encoder, id));
    Ok(id)
}

/// Refuses an integration that is none of the hotel's, or is disconnected, or has nothing to do with an encoder that is simulated.
async fn check_integration_in(tx: &mut Tx, simulated: bool, integration: Option<Uuid>) -> Result<()> {
    let Some(integration) = integration else { return Ok(()) };
    if simulated {
        return Err(Error::new(Message::SimulatedEncoderHasNoIntegration).at("integrationId"));
    }
    integrations::require_connected_in(tx, integration).await.at("integrationId")
}

async fn lock_in(tx: &mut Tx, reference: &Reference) -> Result<Encoder> {
    let hotel = tx.actor.hotel.id;
    let encoder = store::lock(tx.conn().await?, hotel, reference).await?;
    encoder.ok_or_else(|| Error::not_found(Record::Encoder).at("id"))
}

/// What a violated constraint means.
fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("encoders_key_key") => Error::new(Message::EncoderKeyTaken).at("encoderKey"),
        _ => error.into(),
    }
}

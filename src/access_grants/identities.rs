//! User identities: somebody to whom access is granted. Each belongs to the integration that made it.

use uuid::Uuid;

use super::store::identities as store;
use super::{IdentityDetails, IdentityKind, UserIdentity};
use crate::audit::{Entry, ObjectType};
use crate::clients;
use crate::error::{Error, ErrorAt, Message, Record, Result, violated_constraint};
use crate::locks::{Reference, checked_key};
use crate::text;
use crate::unit::Tx;

/// An identity to be made.
pub struct NewIdentity {
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Kind.
    pub kind: IdentityKind,
    /// How they are called and reached.
    pub details: IdentityDetails,
    /// The client of the hotel that they are.
    pub client_id: Option<Uuid>,
}

/// What to change of an identity; an outer `None` leaves it as it is, an inner one takes it away.
#[derive(Default)]
pub struct IdentityChange {
    /// New key.
    pub key: Option<Option<String>>,
    /// New kind.
    pub kind: Option<IdentityKind>,
    /// New name.
    pub full_name: Option<Option<String>>,
    /// New e-mail address.
    pub email_address: Option<Option<String>>,
    /// New telephone number.
    pub phone_number: Option<Option<String>>,
    /// The client of the hotel that they are.
    pub client_id: Option<Option<Uuid>>,
}

/// Adds an identity.
///
/// # Errors
/// `NOT_FOUND` for the client, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn create_identity_in(tx: &mut Tx, new: NewIdentity) -> Result<UserIdentity> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let identity = UserIdentity {
        id: tx.context.ids.uuid(now),
        key: new.key.map(checked_key).transpose().at("userIdentityKey")?,
        kind: new.kind,
        details: checked_details(new.details)?,
        client_id: new.client_id,
        created_at: now,
        updated_at: now,
    };
    require_client_in(tx, identity.client_id).await?;
    store::insert(tx.conn().await?, hotel, integration, &identity).await.map_err(refused)?;
    tx.audit(Entry::created(ObjectType::UserIdentity, identity.id));
    Ok(identity)
}

/// Changes an identity. Between staff and others its kind stays as long as it has grants: the rules of their doors differ, and so do
/// their cards.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, and for the client; `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn update_identity_in(tx: &mut Tx, reference: &Reference, change: IdentityChange) -> Result<UserIdentity> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = lock_own_in(tx, reference).await?;
    let details = before.details.clone();
    let mut after = UserIdentity {
        key: match change.key {
            Some(key) => key.map(checked_key).transpose().at("userIdentityKey")?,
            None => before.key.clone(),
        },
        kind: change.kind.unwrap_or(before.kind),
        details: checked_details(IdentityDetails {
            full_name: change.full_name.unwrap_or(details.full_name),
            email_address: change.email_address.unwrap_or(details.email_address),
            phone_number: change.phone_number.unwrap_or(details.phone_number),
        })?,
        client_id: change.client_id.unwrap_or(before.client_id),
        ..before.clone()
    };
    let changed = changed_fields(&before, &after);
    if changed.is_empty() {
        return Ok(before);
    }
    if after.client_id != before.client_id {
        require_client_in(tx, after.client_id).await?;
    }
    let is_staff = |identity: &UserIdentity| identity.kind == IdentityKind::Staff;
    if is_staff(&before) != is_staff(&after) && store::has_grants(tx.conn().await?, hotel, before.id).await? {
        return Err(Error::new(Message::KindOfGrants).at("kind"));
    }
    after.updated_at = now;
    store::update(tx.conn().await?, hotel, &after).await.map_err(refused)?;
    tx.audit(Entry::updated(ObjectType::UserIdentity, after.id, changed));
    Ok(after)
}

/// Deletes an identity without grants. Grants of it that wait for their stay wait no longer.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `INVALID_ARGUMENT` while it has grants.
pub async fn delete_identity_in(tx: &mut Tx, reference: &Reference) -> Result<()> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let id = store::find(tx.conn().await?, hotel, integration, reference).await?.ok_or_else(not_found)?;
    // Grants come before identities in the order of locks.
    let waiting = store::lock_waiting_grants(tx.conn().await?, hotel, id).await?;
    let identity = lock_own_in(tx, &Reference::Id(id)).await?;
    if store::has_live_grants(tx.conn().await?, hotel, identity.id).await? {
        return Err(Error::new(Message::IdentityHasGrants).at("id"));
    }
    if !waiting.is_empty() {
        super::store::stop_waiting(tx.conn().await?, hotel, &waiting).await?;
    }
    store::mark_deleted(tx.conn().await?, hotel, identity.id, now).await?;
    tx.audit(Entry::deleted(ObjectType::UserIdentity, identity.id));
    Ok(())
}

/// Deletes at most so many identities without grants of an integration that is disconnected, and tells how many.
pub(crate) async fn delete_of_integration_in(tx: &mut Tx, integration: Uuid, most: i64) -> Result<usize> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let deleted = store::mark_deleted_of_integration(tx.conn().await?, hotel, integration, most, now).await?;
    for id in &deleted {
        tx.audit(Entry::deleted(ObjectType::UserIdentity, *id));
    }
    Ok(deleted.len())
}

async fn lock_own_in(tx: &mut Tx, reference: &Reference) -> Result<UserIdentity> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    store::lock(tx.conn().await?, hotel, integration, reference).await?.ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::not_found(Record::UserIdentity).at("id")
}

/// Refuses a client that the hotel does not have.
async fn require_client_in(tx: &mut Tx, client: Option<Uuid>) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    match client {
        Some(client) if !clients::exists(tx.conn().await?, hotel, client).await? => {
            Err(Error::not_found(Record::Client).at("clientId"))
        }
        _ => Ok(()),
    }
}

fn checked_details(details: IdentityDetails) -> Result<IdentityDetails> {
    Ok(IdentityDetails {
        full_name: checked_detail(details.full_name, "fullName")?,
        email_address: checked_detail(details.email_address, "emailAddress")?,
        phone_number: checked_detail(details.phone_number, "phoneNumber")?,
    })
}

/// A detail as it is kept, like those of clients: tidied, and a blank text is no text.
fn checked_detail(text: Option<String>, name: &'static str) -> Result<Option<String>> {
    let text = text.map(|text| text::tidy(&text)).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > clients::DETAIL_MAX) {
        return Err(Error::new(Message::ClientDetailTooLong { name, most: clients::DETAIL_MAX }).at(name));
    }
    Ok(text)
}

/// Names of the fields in which two states of an identity differ.
fn changed_fields(before: &UserIdentity, after: &UserIdentity) -> Vec<&'static str> {
    [
        (before.key != after.key, "userIdentityKey"),
        (before.kind != after.kind, "kind"),
        (before.details.full_name != after.details.full_name, "fullName"),
        (before.details.email_address != after.details.email_address, "emailAddress"),
        (before.details.phone_number != after.details.phone_number, "phoneNumber"),
        (before.client_id != after.client_id, "client"),
    ]
    .into_iter()
    .filter_map(|(changed, name)| changed.then_some(name))
    .collect()
}

/// Says that a key is taken.
fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("user_identities_key_key") => Error::new(Message::UserIdentityKeyTaken).at("userIdentityKey"),
        _ => error.into(),
    }
}

//! Access methods: more of them, encoding their cards, opening doors by them, taking them away, and what locks were seen to do.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::grants::{MOST_METHODS, find_own_in, lock_live_in};
use super::store::{self, LockedMethod, OwnedMethod};
use super::{CheckedMethod, GRANT_UPDATED, METHOD_CREATED, METHOD_REVOKED, visible_to, write};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::lock_commands::{self, NewCommand, NewUnlock};
use crate::locks::{self, Mode, Reference};
use crate::unit::Tx;

/// Grants whose methods are taken away together.
pub enum GrantsOf {
    /// That one.
    Grant(Reference),
    /// Those with this reservation key.
    ReservationKey(String),
}

/// Asks for more methods of a grant. Answers its id.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `INVALID_ARGUMENT` for more than 20 methods.
pub async fn request_methods_in(tx: &mut Tx, grant: &Reference, modes: &[Mode]) -> Result<Uuid> {
    if modes.len() > MOST_METHODS {
        return Err(Error::new(Message::TooManyMethods { most: MOST_METHODS }).at("requestedAccessMethods"));
    }
    tx.follow().await?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = find_own_in(tx, grant).await.at("accessGrantId")?;
    let grant = lock_live_in(tx, id).await.at("accessGrantId")?;
    if grant.frame.has_ended(now) {
        return Err(Error::new(Message::GrantHasRunOut).at("accessGrantId"));
    }
    let doors: Vec<Uuid> = grant.doors.all().collect();
    let doors = locks::entrances_by_ids(tx.conn().await?, hotel, &doors).await?;
    let methods: Vec<CheckedMethod> =
        modes.iter().map(|mode| CheckedMethod::of(tx.context.ids.uuid(now), *mode, &doors)).collect();
    store::insert_methods(tx.conn().await?, hotel, (id, grant.integration_id), &methods, now).await?;
    for method in methods.iter().filter(|method| !method.refused) {
        tx.emit(METHOD_CREATED.of(method.id).owned_by(grant.integration_id));
    }
    tx.emit(GRANT_UPDATED.of(id).with_fields(["accessMethods"]).owned_by(grant.integration_id));
    Ok(id)
}

/// Takes a method of the integration's own away: a card that was lost. Taking it away again changes nothing.
///
/// # Errors
/// `NOT_FOUND`
pub async fn delete_method_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let method = lock_in(tx, Some(integration), id).await.at("accessMethodId")?;
    if method.revoked_at.is_some() {
        return Ok(());
    }
    store::revoke(tx.conn().await?, hotel, id, now).await?;
    lock_commands::cancel_in(tx, &[id]).await?;
    tx.emit(METHOD_REVOKED.of(id).owned_by(method.integration_id));
    Ok(())
}

/// Takes all methods of some grants of the integration's own away.
///
/// # Errors
/// `NOT_FOUND` unless there is such a grant.
pub async fn delete_methods_of_grants_in(tx: &mut Tx, grants: &GrantsOf) -> Result<()> {
    tx.follow().await?;
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let ids = match grants {
        GrantsOf::Grant(grant) => vec![find_own_in(tx, grant).await.at("accessGrantId")?],
        GrantsOf::ReservationKey(key) => store::of_reservation_key(tx.conn().await?, hotel, integration, key).await?,
    };
    let locked = store::lock(tx.conn().await?, hotel, &ids).await?;
    if locked.is_empty() {
        return Err(Error::not_found(Record::AccessGrant).at("reservationKey"));
    }
    let revoked = store::revoke_of_grants(tx.conn().await?, hotel, &ids, now).await?;
    lock_commands::cancel_in(tx, &revoked.iter().map(|method| method.id).collect::<Vec<_>>()).await?;
    for method in revoked {
        tx.emit(METHOD_REVOKED.of(method.id).owned_by(method.integration_id));
    }
    Ok(())
}

/// Tells an encoder to write the card of a method of the integration's own, or, for the front desk, of any. Answers the id of the
/// command, which is that of its action attempt.
///
/// # Errors
/// `NOT_FOUND` for the method or the encoder, `INVALID_ARGUMENT` for a method that is no card, was taken away or has ended, and for an
/// encoder of another provider than its doors.
pub async fn encode_in(tx: &mut Tx, id: Uuid, encoder: Reference) -> Result<Uuid> {
    let hotel = tx.actor.hotel.id;
    let visible = visible_to(&tx.actor)?;
    let method = lock_in(tx, visible, id).await.at("accessMethodId")?;
    if method.mode != Mode::Card {
        return Err(Error::new(Message::CardOfGrantOnly).at("accessMethodId"));
    }
    method.require_live(tx.now).at("accessMethodId")?;
    let writes = lock_commands::encoder_in(tx, &encoder).await?.provider;
    if store::card_providers(tx.conn().await?, hotel, id).await?.iter().any(|provider| *provider != writes) {
        return Err(Error::new(Message::EncoderOfOtherProvider { provider: writes }).at("encoderId"));
    }
    let card = store::cards(tx.conn().await?, hotel, &[id]).await?.pop();
    let (_, card, revision) = card.ok_or_else(|| Error::new(Message::CardOfGrantOnly).at("accessMethodId"))?;
    lock_commands::request_in(tx, NewCommand { encoder, subject_id: id, card, revision }).await
}

/// Opens a door from afar by a cloud key of the integration's own, or, for the front desk, of any. Answers the id of the command, which
/// is that of its action attempt.
///
/// # Errors
/// `NOT_FOUND` for the method or the entrance, `INVALID_ARGUMENT` for a method that is no cloud key, was taken away or has ended, or
/// has not begun, and for an entrance that it does not open.
pub async fn unlock_in(tx: &mut Tx, id: Uuid, entrance: &Reference) -> Result<Uuid> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let visible = visible_to(&tx.actor)?;
    let method = lock_in(tx, visible, id).await.at("accessMethodId")?;
    if method.mode != Mode::CloudKey {
        return Err(Error::new(Message::CloudKeyOnly).at("accessMethodId"));
    }
    method.require_live(now).at("accessMethodId")?;
    if now < method.frame.starts_at {
        return Err(Error::new(Message::GrantHasNotBegun).at("accessMethodId"));
    }
    let door = store::door_of(tx.conn().await?, hotel, id, entrance).await?;
    let (entrance_id, opens) = door.ok_or_else(|| Error::not_found(Record::Entrance)).at("entranceId")?;
    if !opens {
        return Err(Error::new(Message::MethodDoesNotOpen).at("entranceId"));
    }
    lock_commands::unlock_in(tx, NewUnlock { subject_id: id, entrance_id }).await
}

/// Takes note that a lock was seen to refuse a method for a later reservation, as the audit of the lock says. Once it is known, it
/// stays as it is.
///
/// # Errors
/// `NOT_FOUND` unless the method is the integration's own or the front desk reports, `INVALID_ARGUMENT` for one that belongs to no
/// reservation and for a time that is still to come.
pub async fn report_override_in(tx: &mut Tx, id: Uuid, seen_at: Option<DateTime<Utc>>) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let visible = visible_to(&tx.actor)?;
    let method = lock_in(tx, visible, id).await.at("accessMethodId")?;
    let seen_at = seen_at.unwrap_or(now);
    if seen_at > now || seen_at < method.frame.starts_at {
        return Err(Error::new(Message::OverrideSeenOutOfTime).at("seenAt"));
    }
    if !method.of_reservation {
        return Err(Error::new(Message::OverrideOfStandard).at("accessMethodId"));
    }
    if method.overridden_at.is_none() {
        store::mark_overridden(tx.conn().await?, hotel, id, seen_at).await?;
        emit_updated(tx, id, &method, "overriddenAt");
    }
    Ok(())
}

async fn lock_in(tx: &mut Tx, integration: Option<Uuid>, id: Uuid) -> Result<LockedMethod> {
    tx.follow().await?;
    let hotel = tx.actor.hotel.id;
    let method = store::lock_method(tx.conn().await?, hotel, integration, id).await?;
    method.ok_or_else(|| Error::not_found(Record::AccessMethod))
}

fn emit_updated(tx: &mut Tx, id: Uuid, method: &LockedMethod, field: &'static str) {
    write::emit_updated(tx, &[OwnedMethod { id, integration_id: method.integration_id }], &[field]);
}

//! Writing what was decided: grants that are made, given other times, and deleted, any number of them by the same statements. The caller
//! holds their reservations, their doors and themselves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store::{self, Outdated, OwnedMethod};
use super::{
    CheckedGrant, GRANT_CREATED, GRANT_DELETED, GRANT_UPDATED, LockedGrant, METHOD_CREATED, METHOD_REVOKED,
    METHOD_UPDATED, TimeFrame,
};
use crate::error::{Error, Message, Result};
use crate::unit::Tx;
use crate::{lock_commands, locks};

/// Fixes the doors of reservations, each with its place in the order of the door: (reservation, doors, time).
pub(super) async fn establish_in(tx: &mut Tx, first: &[(Uuid, BTreeSet<Uuid>, TimeFrame)]) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let mut reservations_of: BTreeMap<Uuid, Vec<(Uuid, TimeFrame)>> = BTreeMap::new();
    for (reservation, doors, frame) in first {
        for door in doors {
            reservations_of.entry(*door).or_default().push((*reservation, *frame));
        }
    }
    let counts: Vec<(Uuid, i64)> = reservations_of
        .iter()
        .map(|(door, reservations)| (*door, i64::try_from(reservations.len()).unwrap_or(i64::MAX)))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let last = locks::raise_sequences(tx.conn().await?, hotel, &counts).await?;
    let mut doors = Vec::new();
    for (door, reservations) in reservations_of {
        let last = last.get(&door).ok_or_else(|| Error::internal("a door that is held is gone"))?;
        let numbers = (1..=*last).rev().zip(reservations.into_iter().rev());
        doors.extend(numbers.map(|(number, (reservation, frame))| (reservation, door, frame, number)));
    }
    store::insert_doors(tx.conn().await?, hotel, &doors).await
}

/// Adds grants. Their reservations have their doors already.
///
/// # Errors
/// `NAME_TAKEN` for the key of a grant
pub(super) async fn make_in(tx: &mut Tx, grants: &[CheckedGrant]) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    if store::insert(tx.conn().await?, hotel, grants, now).await? < grants.len() {
        return Err(Error::new(Message::AccessGrantKeyTaken).at("accessGrantKey"));
    }
    for grant in grants {
        tx.emit(GRANT_CREATED.of(grant.id).owned_by(grant.integration_id));
        for method in grant.methods.iter().filter(|method| !method.refused) {
            tx.emit(METHOD_CREATED.of(method.id).owned_by(grant.integration_id));
        }
    }
    Ok(())
}

/// Gives grants other times. What is on plastic already does not change: cards have to be encoded again (checklist B31, B32), also
/// those of joiners where the order of the reservation on a door follows.
pub(super) async fn redate_in(tx: &mut Tx, grants: &[(LockedGrant, TimeFrame)]) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let frames: Vec<(Uuid, TimeFrame)> = grants.iter().map(|(grant, frame)| (grant.id, *frame)).collect();
    if frames.is_empty() {
        return Ok(());
    }
    store::update_frames(tx.conn().await?, hotel, &frames, now).await?;
    let before: Vec<(Uuid, DateTime<Utc>)> =
        grants.iter().map(|(grant, _)| (grant.id, grant.frame.starts_at)).collect();
    let reservations = store::renew_starts(tx.conn().await?, hotel, &before, now).await?;
    for (grant, frame) in grants {
        let fields =
            [("startsAt", grant.frame.starts_at != frame.starts_at), ("endsAt", grant.frame.ends_at != frame.ends_at)];
        let fields = fields.into_iter().filter_map(|(name, changed)| changed.then_some(name));
        tx.emit(GRANT_UPDATED.of(grant.id).with_fields(fields).owned_by(grant.integration_id));
    }
    // A card that has begun to open goes on, wherever in the past its grant begins.
    let is_outdated = |(grant, frame): &&(LockedGrant, TimeFrame)| {
        grant.frame.ends_at != frame.ends_at || grant.frame.starts_at > now || frame.starts_at > now
    };
    let outdated: Vec<Uuid> = grants.iter().filter(is_outdated).map(|(grant, _)| grant.id).collect();
    require_encoding_in(tx, Outdated { grants: &outdated, reservations: &reservations }).await
}

/// Has cards encoded again, and pending commands write what they are to bear now.
pub(super) async fn require_encoding_in(tx: &mut Tx, outdated: Outdated<'_>) -> Result<()> {
    if outdated.grants.is_empty() && outdated.reservations.is_empty() {
        return Ok(());
    }
    let hotel = tx.actor.hotel.id;
    let methods = store::require_encoding(tx.conn().await?, hotel, outdated).await?;
    if methods.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = methods.iter().map(|(method, _)| method.id).collect();
    let cards = store::cards(tx.conn().await?, hotel, &ids).await?;
    lock_commands::renew_in(tx, &cards).await?;
    // Of the others it was known.
    let bore_it: Vec<OwnedMethod> =
        methods.into_iter().filter_map(|(method, bore_it)| bore_it.then_some(method)).collect();
    emit_updated(tx, &bore_it, &["isEncodingRequired"]);
    Ok(())
}

/// Deletes live grants and takes their methods away. A reservation keeps its doors as long as it has other grants. `awaits_stay`: they
/// are given back when their stay gives access again.
pub(super) async fn clear_in(tx: &mut Tx, grants: &[&LockedGrant], awaits_stay: bool) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    if grants.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = grants.iter().map(|grant| grant.id).collect();
    store::mark_deleted(tx.conn().await?, hotel, &ids, awaits_stay, now).await?;
    let methods = store::revoke_of_grants(tx.conn().await?, hotel, &ids, now).await?;
    let reservations: Vec<Uuid> = grants.iter().filter_map(|grant| grant.reservation_id).collect();
    if !reservations.is_empty() {
        store::end_without_grants(tx.conn().await?, hotel, &reservations, now).await?;
    }
    for method in &methods {
        tx.emit(METHOD_REVOKED.of(method.id).owned_by(method.integration_id));
    }
    for grant in grants {
        tx.emit(GRANT_DELETED.of(grant.id).owned_by(grant.integration_id));
    }
    let methods: Vec<Uuid> = methods.into_iter().map(|method| method.id).collect();
    if methods.is_empty() { Ok(()) } else { lock_commands::cancel_in(tx, &methods).await }
}

/// Says of methods which of their fields changed.
pub(super) fn emit_updated(tx: &mut Tx, methods: &[OwnedMethod], fields: &[&'static str]) {
    for method in methods {
        tx.emit(METHOD_UPDATED.of(method.id).with_fields(fields.to_vec()).owned_by(method.integration_id));
    }
}

//! Making, changing and deleting grants. Locks are taken in one order everywhere: the stay, the reservation, its doors by id, grants
//! by id.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::{self, AskedDoor, AskedGrant, Established, Standing};
use super::{GRANT_CREATED, GRANT_DELETED, GRANT_UPDATED, Grant, METHOD_UPDATED, TimeFrame, store};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::locks::{self, Entrance, Mode};
use crate::unit::Tx;

/// What the grants of a reservation have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationOf {
    /// A reservation key of the integration.
    Key(String),
    /// A room stay, whoever grants.
    RoomStay(Uuid),
}

/// A grant to be made.
pub struct NewGrant {
    /// Whom it is for.
    pub user_identity_id: Uuid,
    /// Doors.
    pub entrance_ids: Vec<Uuid>,
    /// Spaces whose doors it opens.
    pub space_ids: Vec<Uuid>,
    /// What it shares a reservation by.
    pub reservation: Option<ReservationOf>,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Its time.
    pub frame: TimeFrame,
    /// What its methods are, each one of its own.
    pub modes: Vec<Mode>,
}

/// Makes a grant with its methods.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key, and those of [`rules::decide`].
pub async fn create_in(tx: &mut Tx, new: NewGrant) -> Result<Uuid> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    check_times(new.frame, now)?;
    let identity = store::lock_identity(tx.conn().await?, hotel, integration, new.user_identity_id).await?;
    let identity = identity.ok_or_else(|| Error::not_found(Record::UserIdentity).at("userIdentityId"))?;
    let reservation = match &new.reservation {
        Some(of) => Some(lock_reservation_in(tx, of, integration).await?),
        None => None,
    };
    let entrances = locks::lock_entrances_in(tx, &new.entrance_ids, &new.space_ids).await?;
    let doors: Vec<AskedDoor> = entrances.iter().map(asked).collect();
    let asked = AskedGrant {
        identity: identity.kind,
        has_reservation_key: reservation.is_some(),
        doors: &doors,
        frame: new.frame,
    };
    let standing = rules::decide(asked, reservation.as_ref().and_then(|(_, established)| established.as_ref()))?;
    let reservation_id = reservation.map(|(id, _)| id);
    if let (Standing::First(doors), Some(reservation)) = (&standing, reservation_id) {
        establish_in(tx, reservation, doors, new.frame.starts_at).await?;
    }
    let grant = Grant {
        id: tx.context.ids.uuid(now),
        integration_id: integration,
        reservation_id,
        room_stay_id: match new.reservation {
            Some(ReservationOf::RoomStay(stay)) => Some(stay),
            _ => None,
        },
        frame: new.frame,
    };
    let key = new.key.as_deref();
    let inserted = store::insert_grant(tx.conn().await?, hotel, &grant, new.user_identity_id, key, now).await?;
    if !inserted {
        return Err(Error::new(Message::AccessGrantKeyTaken).at("accessGrantKey"));
    }
    let entrance_ids: Vec<Uuid> = entrances.iter().map(|entrance| entrance.id).collect();
    store::insert_entrances(tx.conn().await?, hotel, grant.id, &entrance_ids).await?;
    let methods: Vec<(Uuid, Mode)> = new.modes.iter().map(|mode| (tx.context.ids.uuid(now), *mode)).collect();
    store::insert_methods(tx.conn().await?, hotel, grant.id, &methods, now).await?;
    tx.emit(GRANT_CREATED.of(grant.id).owned_by(integration));
    Ok(grant.id)
}

/// Gives a grant another time. What is on plastic already does not change: its cards have to be encoded again.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `INVALID_ARGUMENT`, `RESERVATION_TIME_FRAMES_MUST_OVERLAP`
pub async fn update_frame_in(tx: &mut Tx, id: Uuid, frame: TimeFrame) -> Result<()> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    check_times(frame, now)?;
    let grant = lock_own_in(tx, id, integration).await?;
    if grant.frame == frame {
        return Ok(());
    }
    if let Some(reservation) = grant.reservation_id {
        let others = store::live_frames(tx.conn().await?, hotel, reservation, Some(id), now).await?;
        rules::check_frame(frame, &others)?;
    }
    store::update_frame(tx.conn().await?, hotel, id, frame, now).await?;
    if let Some(reservation) = grant.reservation_id {
        // At the lock, reservations are ordered by when they begin, so their order follows new times.
        store::renew_starts(tx.conn().await?, hotel, reservation).await?;
    }
    let fields = [("starts_at", grant.frame.starts_at != frame.starts_at), ("ends_at", grant.frame.ends_at != frame.ends_at)];
    let fields = fields.into_iter().filter_map(|(name, changed)| changed.then_some(name));
    tx.emit(GRANT_UPDATED.of(id).with_fields(fields).owned_by(grant.integration_id));
    for method in store::require_encoding(tx.conn().await?, hotel, id).await? {
        tx.emit(METHOD_UPDATED.of(method).with_fields(["encodingRequired"]).owned_by(grant.integration_id));
    }
    Ok(())
}

/// Deletes a grant and revokes its methods. Its reservation keeps its doors as long as it has others.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own.
pub async fn delete_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let grant = lock_own_in(tx, id, integration).await?;
    store::mark_deleted(tx.conn().await?, hotel, id, now).await?;
    for method in store::revoke_methods(tx.conn().await?, hotel, id, now).await? {
        tx.emit(METHOD_UPDATED.of(method).with_fields(["revokedAt"]).owned_by(grant.integration_id));
    }
    if let Some(reservation) = grant.reservation_id {
        store::end_reservation_without_grants(tx.conn().await?, hotel, reservation, now).await?;
    }
    tx.emit(GRANT_DELETED.of(id).owned_by(grant.integration_id));
    Ok(())
}

fn asked(entrance: &Entrance) -> AskedDoor {
    AskedDoor {
        entrance: entrance.id,
        can_belong_to_reservation: entrance.can_belong_to_reservation,
        guests_need_reservation_key: entrance.provider.traits().guests_need_reservation_key,
    }
}

/// Refuses a time that has ended or ends before it begins.
fn check_times(frame: TimeFrame, now: DateTime<Utc>) -> Result<()> {
    match frame.ends_at {
        Some(end) if end <= frame.starts_at => Err(Error::new(Message::GrantEndsBeforeItStarts).at("endsAt")),
        Some(end) if end <= now => Err(Error::new(Message::GrantHasEnded).at("endsAt")),
        _ => Ok(()),
    }
}

/// Holds the reservation until the transaction ends, and makes it where there is none. Answers its doors and times if it has live
/// grants.
async fn lock_reservation_in(tx: &mut Tx, of: &ReservationOf, integration: Uuid) -> Result<(Uuid, Option<Established>)> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let fresh = tx.context.ids.uuid(now);
    let id = store::lock_reservation(tx.conn().await?, hotel, fresh, of, integration, now).await?;
    if id == fresh {
        return Ok((id, None));
    }
    let frames = store::live_frames(tx.conn().await?, hotel, id, None, now).await?;
    if frames.is_empty() {
        // Its grants have run out meanwhile: another reservation begins under the key.
        store::end_reservation(tx.conn().await?, hotel, id, now).await?;
        store::lock_reservation(tx.conn().await?, hotel, fresh, of, integration, now).await?;
        return Ok((fresh, None));
    }
    let doors = store::doors(tx.conn().await?, hotel, id).await?;
    Ok((id, Some(Established { doors, frames })))
}

/// Fixes the doors of a reservation, each with its place in the door's order.
async fn establish_in(tx: &mut Tx, reservation: Uuid, doors: &BTreeSet<Uuid>, starts_at: DateTime<Utc>) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let doors: Vec<Uuid> = doors.iter().copied().collect();
    let sequences = locks::next_sequences(tx.conn().await?, hotel, &doors).await?;
    store::insert_doors(tx.conn().await?, hotel, reservation, &sequences, starts_at).await
}

async fn lock_own_in(tx: &mut Tx, id: Uuid, integration: Uuid) -> Result<Grant> {
    let hotel = tx.actor.hotel.id;
    // Its reservation comes first in the order of locks, and does not change.
    store::lock_reservation_of(tx.conn().await?, hotel, id).await?;
    let grant = store::lock_own(tx.conn().await?, hotel, integration, id).await?;
    grant.ok_or_else(|| Error::not_found(Record::AccessGrant).at("id"))
}

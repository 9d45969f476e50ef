//! Grants that clients make, change and delete.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rules::{self, AskedDoor, AskedGrant, Established, Standing};
use super::stay_access::stay_access_in;
use super::store::{self, Outdated};
use super::{CheckedGrant, CheckedMethod, GRANT_UPDATED, IdentityKind, LockedGrant, ReservationOf, TimeFrame, write};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::locks::{self, Entrance, Mode, NAME_MAX, Reference, checked_key};
use crate::rooms::checked_name;
use crate::unit::Tx;

/// Most methods that may be asked for at once.
pub(super) const MOST_METHODS: usize = 20;

/// A grant to be made.
pub struct NewGrant {
    /// Whom it is for.
    pub user_identity: Reference,
    /// Doors. For a stay, those beside the doors of its room.
    pub entrances: Vec<Reference>,
    /// Spaces whose doors it opens. For a stay, those beside its room.
    pub spaces: Vec<Reference>,
    /// Where its times come from.
    pub target: Target,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Name that people read.
    pub name: Option<String>,
    /// What its methods are, each one of its own.
    pub modes: Vec<Mode>,
}

/// What a grant is bound to.
pub enum Target {
    /// Times of its own, and a reservation key where it is for a guest's own door.
    Free {
        /// What it shares a reservation by.
        reservation_key: Option<String>,
        /// First instant; `None`: at once.
        starts_at: Option<DateTime<Utc>>,
        /// First instant after it; `None`: it is open.
        ends_at: Option<DateTime<Utc>>,
    },
    /// A room stay, which gives it its times and the doors of its room, and is its reservation.
    RoomStay(Uuid),
}

/// What to change of a grant; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct GrantChange {
    /// First instant.
    pub starts_at: Option<DateTime<Utc>>,
    /// First instant after it; an inner `None`: it is open.
    pub ends_at: Option<Option<DateTime<Utc>>>,
    /// Name that people read.
    pub name: Option<Option<String>>,
    /// Doors and spaces in the place of those that it was made for.
    pub doors: Option<(Vec<Reference>, Vec<Reference>)>,
}

/// Makes a grant with its methods.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key, for a stay `RESERVATION_CANCELLED` and `ROOM_STAY_DEPARTED`, and those of
/// [`rules::decide`].
pub async fn create_in(tx: &mut Tx, new: NewGrant) -> Result<Uuid> {
    tx.follow().await?;
    let (hotel, now, integration) = (tx.actor.hotel.id, tx.now, tx.actor.integration()?);
    let key = new.key.map(checked_key).transpose().at("accessGrantKey")?;
    let name = new.name.map(|name| checked_name(&name, NAME_MAX)).transpose()?;
    if new.modes.len() > MOST_METHODS {
        return Err(Error::new(Message::TooManyMethods { most: MOST_METHODS }).at("requestedAccessMethods"));
    }
    // The stay comes first in the order of locks.
    let (frame, access, of) = match new.target {
        Target::RoomStay(stay) => {
            let access = stay_access_in(tx, stay).await.at("roomStayId")?;
            (access.frame, Some((stay, access)), Some(ReservationOf::RoomStay(stay)))
        }
        Target::Free { reservation_key, starts_at, ends_at } => {
            let frame = TimeFrame { starts_at: starts_at.unwrap_or(now), ends_at };
            check_times(tx, frame)?;
            let key = reservation_key.map(checked_key).transpose().at("reservationKey")?;
            (frame, None, key.map(|key| ReservationOf::Key { integration, key }))
        }
    };
    let identity = store::lock_identity(tx.conn().await?, hotel, integration, &new.user_identity).await?;
    let identity = identity.ok_or_else(|| Error::not_found(Record::UserIdentity).at("userIdentityId"))?;
    if access.is_some() && identity.kind == IdentityKind::Staff {
        return Err(Error::new(Message::StayOfStaff).at("roomStayId"));
    }
    // An online door of a stay needs no reservation: its grant follows the stay without one.
    let of = of.filter(|_| access.as_ref().is_none_or(|(_, access)| access.doors.iter().any(is_capable)));
    let reservation = match &of {
        Some(of) => Some(lock_reservation_in(tx, of).await?),
        None => None,
    };
    let of_room: Vec<Uuid> = access.iter().flat_map(|(_, access)| access.doors.iter().map(|door| door.id)).collect();
    let wanted = new.entrances.into_iter().chain(of_room.iter().map(|door| Reference::Id(*door)));
    let (entrances, space_ids) = locks::lock_entrances_in(tx, &wanted.collect::<Vec<_>>(), &new.spaces).await?;
    if entrances.is_empty() {
        return Err(Error::new(Message::GrantWithoutEntrance).at("entranceIds"));
    }
    let doors: Vec<AskedDoor> = entrances.iter().map(asked).collect();
    let asked =
        AskedGrant { identity: identity.kind, has_reservation_key: reservation.is_some(), doors: &doors, frame };
    let standing = rules::decide(asked, reservation.as_ref().and_then(|(_, established)| established.as_ref()))?;
    let reservation = reservation.map(|(id, _)| id).zip(of.as_ref().map(ReservationOf::key));
    if let (Standing::First(doors), Some((reservation, _))) = (standing, &reservation) {
        write::establish_in(tx, &[(*reservation, doors, frame)]).await?;
    }
    let ids = &tx.context.ids;
    let id = ids.uuid(now);
    let methods = new.modes.iter().map(|mode| CheckedMethod::of(ids.uuid(now), *mode, &entrances)).collect();
    let (of_stay, named) = entrances.into_iter().partition(|door| of_room.contains(&door.id));
    let grant = CheckedGrant {
        id,
        integration_id: integration,
        user_identity_id: identity.id,
        key,
        name,
        reservation,
        room_stay_id: access.map(|(stay, _)| stay),
        frame,
        of_stay,
        named,
        space_ids,
        methods,
        replaces: false,
    };
    write::make_in(tx, &[grant]).await?;
    Ok(id)
}

/// Changes a grant. New times are checked like those of a new grant; the doors that can belong to a reservation are fixed as long as it
/// has grants (Rule 2).
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `INVALID_ARGUMENT`, also for other times than those of its stay,
/// `RESERVATION_TIME_FRAMES_MUST_OVERLAP`, `RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP`, `RESERVATION_KEY_REQUIRED`
pub async fn update_in(tx: &mut Tx, grant: &Reference, change: GrantChange) -> Result<Uuid> {
    tx.follow().await?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = find_own_in(tx, grant).await.at("id")?;
    let name = change.name.map(|name| name.map(|name| checked_name(&name, NAME_MAX)).transpose()).transpose()?;
    let has_ended = store::lock_reservations_of(tx.conn().await?, hotel, &[id]).await?;
    let doors = match &change.doors {
        Some((entrances, spaces)) => Some(locks::lock_entrances_in(tx, entrances, spaces).await?),
        None => None,
    };
    let grant = lock_live_in(tx, id).await.at("id")?;
    let frame = TimeFrame {
        starts_at: change.starts_at.unwrap_or(grant.frame.starts_at),
        ends_at: change.ends_at.unwrap_or(grant.frame.ends_at),
    };
    if let Some((named, spaces)) = doors {
        change_doors_in(tx, &grant, named, spaces).await?;
    }
    if let Some(name) = name
        && name != grant.name
    {
        store::update_name(tx.conn().await?, hotel, id, name.as_deref(), now).await?;
        tx.emit(GRANT_UPDATED.of(id).with_fields(["name"]).owned_by(grant.integration_id));
    }
    if frame != grant.frame {
        if grant.room_stay_id.is_some() {
            let argument = if frame.starts_at == grant.frame.starts_at { "endsAt" } else { "startsAt" };
            return Err(Error::new(Message::TimesAreThoseOfStay).at(argument));
        }
        check_times(tx, frame)?;
        if has_ended {
            return Err(Error::new(Message::ReservationHasEnded).at("endsAt"));
        }
        if let Some(reservation) = grant.reservation_id {
            let others = store::live_frames(tx.conn().await?, hotel, reservation, Some(id), now).await?;
            rules::check_frame(frame, &others)?;
        }
        write::redate_in(tx, &[(grant, frame)]).await?;
    }
    Ok(id)
}

/// Replaces the doors of a grant that it was made for by name or by space.
async fn change_doors_in(tx: &mut Tx, grant: &LockedGrant, named: Vec<Entrance>, spaces: Vec<Uuid>) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let named: Vec<Entrance> = named.into_iter().filter(|door| !grant.doors.of_stay.contains(&door.id)).collect();
    if named.is_empty() && grant.doors.of_stay.is_empty() {
        return Err(Error::new(Message::GrantWithoutEntrance).at("entranceIds"));
    }
    let before: BTreeSet<Uuid> = grant.doors.named.iter().copied().collect();
    let after: BTreeSet<Uuid> = named.iter().map(|door| door.id).collect();
    if let Some(reservation) = grant.reservation_id {
        let fixed = store::doors(tx.conn().await?, hotel, reservation).await?;
        let capable_before: BTreeSet<Uuid> = before.intersection(&fixed).copied().collect();
        let capable_after: BTreeSet<Uuid> = named.iter().filter(|door| is_capable(door)).map(|door| door.id).collect();
        if capable_before != capable_after {
            return Err(Error::new(Message::ReservationEntranceChangeRequiresCleanup));
        }
    } else {
        let doors: Vec<AskedDoor> = named.iter().map(asked).collect();
        let asked =
            AskedGrant { identity: grant.identity.kind, has_reservation_key: false, doors: &doors, frame: grant.frame };
        rules::decide(asked, None)?;
    }
    if before == after {
        return Ok(());
    }
    let after: Vec<Uuid> = after.into_iter().collect();
    store::replace_named_doors(tx.conn().await?, hotel, grant.id, &after, &spaces, now).await?;
    tx.emit(GRANT_UPDATED.of(grant.id).with_fields(["entrances"]).owned_by(grant.integration_id));
    write::require_encoding_in(tx, Outdated { grants: &[grant.id], reservations: &[] }).await
}

/// Deletes a grant and takes its methods away. Its reservation keeps its doors as long as it has others. One that waits for its stay,
/// and is deleted by that already, is not given back any more. Answers its id.
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own.
pub async fn delete_in(tx: &mut Tx, grant: &Reference) -> Result<Uuid> {
    tx.follow().await?;
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    let Some(id) = store::find(tx.conn().await?, hotel, Some(integration), grant).await? else {
        let waiting = store::stop_one_waiting(tx.conn().await?, hotel, integration, grant).await?;
        let id = waiting.ok_or_else(not_found).at("id")?;
        tx.audit(Entry::deleted(ObjectType::AccessGrant, id));
        return Ok(id);
    };
    store::lock_reservations_of(tx.conn().await?, hotel, &[id]).await?;
    let grant = lock_live_in(tx, id).await.at("id")?;
    write::clear_in(tx, &[&grant], false).await?;
    Ok(id)
}

/// Deletes at most so many grants of an integration that is disconnected, and tells how many. Those that wait for their stay wait no
/// longer, and count.
pub(crate) async fn clear_of_integration_in(tx: &mut Tx, integration: Uuid, most: i64) -> Result<usize> {
    let hotel = tx.actor.hotel.id;
    let ids = store::of_integration(tx.conn().await?, hotel, integration, most).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    store::lock_reservations_of(tx.conn().await?, hotel, &ids).await?;
    let grants = store::lock(tx.conn().await?, hotel, &ids).await?;
    let (live, waiting): (Vec<&LockedGrant>, Vec<&LockedGrant>) = grants.iter().partition(|grant| grant.live);
    write::clear_in(tx, &live, false).await?;
    if !waiting.is_empty() {
        let waiting: Vec<Uuid> = waiting.into_iter().map(|grant| grant.id).collect();
        store::stop_waiting(tx.conn().await?, hotel, &waiting).await?;
    }
    Ok(grants.len())
}

/// The id of a grant of the integration that acts.
pub(super) async fn find_own_in(tx: &mut Tx, grant: &Reference) -> Result<Uuid> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    let id = store::find(tx.conn().await?, hotel, Some(integration), grant).await?;
    id.ok_or_else(not_found)
}

/// Holds a grant, unless it was deleted meanwhile.
pub(super) async fn lock_live_in(tx: &mut Tx, id: Uuid) -> Result<LockedGrant> {
    let hotel = tx.actor.hotel.id;
    let locked = store::lock(tx.conn().await?, hotel, &[id]).await?.pop();
    locked.filter(|grant| grant.live).ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::not_found(Record::AccessGrant)
}

/// Whether a door can belong to a reservation.
fn is_capable(entrance: &Entrance) -> bool {
    entrance.can_belong_to_reservation
}

fn asked(entrance: &Entrance) -> AskedDoor {
    AskedDoor {
        entrance: entrance.id,
        can_belong_to_reservation: entrance.can_belong_to_reservation,
        guests_need_reservation_key: entrance.provider.traits().guests_need_reservation_key,
    }
}

/// Refuses a time that has ended or ends before it begins.
fn check_times(tx: &Tx, frame: TimeFrame) -> Result<()> {
    tx.actor.hotel.require_within_years(frame.starts_at).at("startsAt")?;
    frame.ends_at.map_or(Ok(()), |end| tx.actor.hotel.require_within_years(end)).at("endsAt")?;
    match frame.ends_at {
        Some(end) if end <= frame.starts_at => Err(Error::new(Message::GrantEndsBeforeItStarts).at("endsAt")),
        Some(end) if end <= tx.now => Err(Error::new(Message::GrantHasEnded).at("endsAt")),
        _ => Ok(()),
    }
}

/// Holds the reservation until the transaction ends, and makes it where there is none. Answers its doors and times if it has live
/// grants.
async fn lock_reservation_in(tx: &mut Tx, of: &ReservationOf) -> Result<(Uuid, Option<Established>)> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let fresh = tx.context.ids.uuid(now);
    let id = store::lock_reservation(tx.conn().await?, hotel, fresh, of, now).await?;
    if id == fresh {
        return Ok((id, None));
    }
    let frames = store::live_frames(tx.conn().await?, hotel, id, None, now).await?;
    if frames.is_empty() {
        // Its grants have run out meanwhile: another reservation begins under the key.
        store::end_reservation(tx.conn().await?, hotel, id, now).await?;
        store::lock_reservation(tx.conn().await?, hotel, fresh, of, now).await?;
        return Ok((fresh, None));
    }
    let doors = store::doors(tx.conn().await?, hotel, id).await?;
    Ok((id, Some(Established { doors, frames })))
}

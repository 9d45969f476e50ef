//! Grants that follow their stay, in the transaction that changes it.
//!
//! A stay gives access while its reservation is not cancelled, its guest has not checked out, and it has a room with doors. While
//! it does not, its grants are deleted and wait; when it does again, each gets a successor with methods of its own, since what
//! was taken away stays dead. A move deletes them and makes successors at once: clear, then create (checklist B30). New dates
//! move the times. A split gives the second part grants like those of the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::stay_access::{StayAccess, frame};
use super::{CheckedGrant, CheckedMethod, LockedGrant, TimeFrame, store, write};
use crate::audit::ObjectType;
use crate::error::Result;
use crate::events::Change;
use crate::locks::{self, Entrance};
use crate::reservations::{self, ReservationStatus};
use crate::room_stays::{self, LockedStay};
use crate::unit::{Follower, Tx};

/// Fields of a stay that decide whether it gives access, and from when until when.
const FIELDS: [&str; 6] =
    ["room_setup", "reservation_from", "reservation_to", "departureTime", "check_in", "check_out"];

/// Has grants follow their stays.
pub struct StayFollower;

impl Follower for StayFollower {
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        Box::pin(follow_in(tx, changes))
    }
}

/// What changes say of stays.
#[derive(Default)]
struct Touched {
    /// Stays to look at.
    stays: BTreeSet<Uuid>,
    /// Those of them that are gone.
    deleted: BTreeSet<Uuid>,
    /// Those of them that were moved.
    moved: BTreeSet<Uuid>,
    /// New halves of stays, with the first half.
    halves: BTreeMap<Uuid, Uuid>,
    /// Reservations that were cancelled or re-activated.
    reservations: Vec<Uuid>,
    /// Whether the hotel's times or zone changed.
    clock: bool,
}

impl Touched {
    fn of(changes: &[Change]) -> Self {
        let mut touched = Self::default();
        for change in changes {
            let names = |fields: &[&str]| change.fields.iter().any(|field| fields.contains(&field.as_ref()));
            if change.kind == &room_stays::DELETED || (change.kind == &room_stays::UPDATED && names(&FIELDS)) {
                touched.stays.insert(change.id);
                if change.kind == &room_stays::DELETED {
                    touched.deleted.insert(change.id);
                } else if names(&["room_setup"]) {
                    touched.moved.insert(change.id);
                }
            } else if let (ObjectType::RoomStay, Some(first)) = (change.kind.object, change.split_from) {
                touched.halves.insert(change.id, first);
            } else if change.kind == &reservations::UPDATED && names(&["status"]) {
                touched.reservations.push(change.id);
            } else if change.kind.object == ObjectType::Hotel {
                touched.clock |= names(&["timeZone", "checkInTime", "checkOutTime"]);
            }
        }
        touched
    }

    fn is_empty(&self) -> bool {
        self.stays.is_empty() && self.halves.is_empty() && self.reservations.is_empty() && !self.clock
    }
}

async fn follow_in(tx: &mut Tx, changes: &[Change]) -> Result<()> {
    let mut touched = Touched::of(changes);
    if touched.is_empty() {
        return Ok(());
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    if !touched.reservations.is_empty() {
        touched.stays.extend(room_stays::of_reservations_in(tx, &touched.reservations).await?);
    }
    if touched.clock {
        touched.stays.extend(store::followed_stays(tx.conn().await?, hotel, now).await?);
    }
    let wanted: Vec<Uuid> = touched.stays.iter().chain(touched.halves.values()).copied().collect();
    let ids = store::of_stays(tx.conn().await?, hotel, &wanted).await?;
    if ids.is_empty() && touched.reservations.is_empty() {
        return Ok(());
    }
    // Held before the grants are looked for again: a grant that is being made for one of them holds it, too.
    let all: Vec<Uuid> = wanted.iter().chain(touched.halves.keys()).copied().collect();
    let stays = room_stays::lock_all_in(tx, &all).await?;
    let ids = store::of_stays(tx.conn().await?, hotel, &wanted).await?;
    if ids.is_empty() {
        return Ok(());
    }
    store::lock_reservations_of(tx.conn().await?, hotel, &ids).await?;
    let grants = store::lock(tx.conn().await?, hotel, &ids).await?;
    let rooms: BTreeSet<Uuid> = stays.iter().filter_map(|locked| locked.stay.room_setup_id).collect();
    let rooms: Vec<Uuid> = rooms.into_iter().collect();
    let mut doors: HashMap<Uuid, Vec<Entrance>> = HashMap::new();
    for (room, door) in locks::lock_entrances_of_rooms_in(tx, &rooms).await? {
        doors.entry(room).or_default().push(door);
    }
    let access: HashMap<Uuid, StayAccess> =
        stays.iter().filter_map(|locked| Some((locked.stay.id, access_of(tx, locked, &doors)?))).collect();
    let plan = Plan::of(&touched, &grants, &access, now);
    plan.carry_out_in(tx).await
}

/// What a stay gives access to now; `None` while it gives none.
fn access_of(tx: &Tx, locked: &LockedStay, doors: &HashMap<Uuid, Vec<Entrance>>) -> Option<StayAccess> {
    let LockedStay { stay, reservation_status } = locked;
    if *reservation_status == ReservationStatus::Cancelled || stay.check_out.is_some() {
        return None;
    }
    let doors = doors.get(&stay.room_setup_id?)?.clone();
    Some(StayAccess { frame: frame(tx, stay)?, doors })
}

/// What is to be done.
#[derive(Default)]
struct Plan<'a> {
    /// Live grants to delete for good: their stay is gone.
    ended: Vec<&'a LockedGrant>,
    /// Live grants to delete.
    cleared: Vec<&'a LockedGrant>,
    /// Deleted grants that wait no longer: each gets a successor, or will never get one.
    awaited: Vec<Uuid>,
    /// Live grants and their new times.
    redated: Vec<(LockedGrant, TimeFrame)>,
    /// Grants to make: after which one, for which stay, whether the key goes over.
    made: Vec<(&'a LockedGrant, Uuid, &'a StayAccess, bool)>,
}

impl<'a> Plan<'a> {
    fn of(
        touched: &Touched,
        grants: &'a [LockedGrant],
        access: &'a HashMap<Uuid, StayAccess>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut plan = Self::default();
        let mut kept = BTreeSet::new();
        // Live grants first: what waits for a stay that has access by others is not given back.
        for grant in grants.iter().filter(|grant| grant.live).chain(grants.iter().filter(|grant| !grant.live)) {
            let Some(stay) = grant.room_stay_id.filter(|stay| touched.stays.contains(stay)) else { continue };
            let access = access.get(&stay);
            match access.filter(|_| grant.live) {
                Some(access) if keeps_doors(grant, access, touched.moved.contains(&stay)) => {
                    kept.insert(stay);
                    if access.frame != grant.frame {
                        plan.redated.push((grant.clone(), access.frame));
                    }
                    continue;
                }
                _ if grant.live && touched.deleted.contains(&stay) => plan.ended.push(grant),
                _ if grant.live => plan.cleared.push(grant),
                _ if kept.contains(&stay) || touched.deleted.contains(&stay) => plan.awaited.push(grant.id),
                _ => {}
            }
            if let Some(access) = access.filter(|access| !access.frame.has_ended(now) && !kept.contains(&stay)) {
                plan.awaited.push(grant.id);
                plan.made.push((grant, stay, access, true));
            }
        }
        for (half, first) in &touched.halves {
            let Some(access) = access.get(half).filter(|access| !access.frame.has_ended(now)) else { continue };
            let of_first = grants.iter().filter(|grant| grant.live && grant.room_stay_id == Some(*first));
            plan.made.extend(of_first.map(|grant| (grant, *half, access, false)));
        }
        plan
    }

    async fn carry_out_in(self, tx: &mut Tx) -> Result<()> {
        let (hotel, now) = (tx.actor.hotel.id, tx.now);
        write::clear_in(tx, &self.ended, false).await?;
        write::clear_in(tx, &self.cleared, true).await?;
        if !self.awaited.is_empty() {
            store::stop_waiting(tx.conn().await?, hotel, &self.awaited).await?;
        }
        write::redate_in(tx, &self.redated).await?;
        if self.made.is_empty() {
            return Ok(());
        }
        let named: BTreeSet<Uuid> =
            self.made.iter().flat_map(|(grant, ..)| grant.doors.named.iter().copied()).collect();
        let named = locks::lock_entrances_by_id_in(tx, &named.into_iter().collect::<Vec<_>>()).await?;
        let keys: BTreeSet<(Uuid, String)> =
            self.made.iter().filter_map(|(grant, ..)| Some((grant.integration_id, grant.key.clone()?))).collect();
        let taken = store::taken_keys(tx.conn().await?, hotel, &keys).await?;
        let mut reservations: BTreeMap<Uuid, Uuid> = BTreeMap::new();
        let mut made = Vec::with_capacity(self.made.len());
        for (grant, stay, access, succeeds) in self.made {
            let ids = &tx.context.ids;
            let is_of_reservation = access.doors.iter().any(|door| door.can_belong_to_reservation);
            let reservation = *reservations.entry(stay).or_insert_with(|| ids.uuid(now));
            let beside: Vec<Entrance> = named
                .iter()
                .filter(|door| grant.doors.named.contains(&door.id) && !door.can_belong_to_reservation)
                .filter(|door| access.doors.iter().all(|own| own.id != door.id))
                .cloned()
                .collect();
            let doors: Vec<Entrance> = access.doors.iter().chain(&beside).cloned().collect();
            made.push(CheckedGrant {
                id: ids.uuid(now),
                integration_id: grant.integration_id,
                user_identity_id: grant.identity.id,
                key: grant.key.clone().filter(|key| succeeds && !taken.contains(&(grant.integration_id, key.clone()))),
                name: grant.name.clone(),
                reservation: is_of_reservation.then(|| (reservation, stay.to_string())),
                room_stay_id: Some(stay),
                frame: access.frame,
                of_stay: access.doors.clone(),
                named: beside,
                space_ids: grant.space_ids.clone(),
                methods: grant.modes.iter().map(|mode| CheckedMethod::of(ids.uuid(now), *mode, &doors)).collect(),
                replaces: true,
            });
        }
        establish_in(tx, &made).await?;
        write::make_in(tx, &made).await
    }
}

/// Whether a live grant keeps its doors: as long as the stay was not moved to other ones.
fn keeps_doors(grant: &LockedGrant, access: &StayAccess, moved: bool) -> bool {
    let of_room: BTreeSet<Uuid> = access.doors.iter().map(|door| door.id).collect();
    !moved || of_room == grant.doors.of_stay.iter().copied().collect()
}

/// Makes the reservations of stays whose grants are made, each with the doors of the room.
async fn establish_in(tx: &mut Tx, made: &[CheckedGrant]) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    store::insert_of_stays(tx.conn().await?, hotel, made, now).await?;
    let first: BTreeMap<Uuid, (BTreeSet<Uuid>, TimeFrame)> = made
        .iter()
        .filter_map(|grant| {
            let (reservation, _) = grant.reservation.as_ref()?;
            let doors =
                grant.of_stay.iter().filter(|door| door.can_belong_to_reservation).map(|door| door.id).collect();
            Some((*reservation, (doors, grant.frame)))
        })
        .collect();
    let first: Vec<_> = first.into_iter().map(|(reservation, (doors, frame))| (reservation, doors, frame)).collect();
    write::establish_in(tx, &first).await
}

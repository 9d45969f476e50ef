//! What a request has done to keys and to the stays that they are on, before it is written.
//!
//! Making a key, adding and removing it check everything at once, against stays that are held, and change what is kept
//! here. It is written all together: when the request commits, or before it does or reads anything else. So many acts
//! take as few statements as one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::RoomStay;
use super::store::{self, LockedStay};
use crate::db::Tx;
use crate::error::Result;
use crate::room_access_keys::{self, KeyKind, StoredKey};

/// See the module.
#[derive(Default)]
pub struct Unwritten {
    /// Stays that the request will hold, as far as could be told from its variables. They are held together with the first.
    announced: Vec<Uuid>,
    held: BTreeMap<Uuid, Held>,
    made: BTreeMap<Uuid, Made>,
    /// Keys that were there before, and came off a stay.
    came_off: Vec<Uuid>,
}

/// A stay that is held, as the request has changed it.
struct Held {
    locked: LockedStay,
    changed: bool,
    was_added: bool,
}

/// A key that the request has made. Nobody else sees it, so it need not be held, and is on no stay but these.
struct Made {
    key: StoredKey,
    stays: usize,
}

/// A key to be written.
pub(super) struct NewKey {
    pub key: StoredKey,
    /// `None` for a key that is on a stay.
    pub unassigned_since: Option<DateTime<Utc>>,
}

/// A held stay whose key is to be written.
pub(super) struct ChangedStay {
    pub stay: RoomStay,
    /// Whether a key was put on it, if only for a while: its reservation must not be cancelled.
    pub was_added: bool,
}

impl Unwritten {
    /// Says which stays the request will hold. Those that there are none of do no harm.
    pub fn announce(&mut self, stays: Vec<Uuid>) {
        self.announced = stays;
    }

    /// Whether nothing is kept: no stay as it was when it was held, and nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.made.is_empty() && self.came_off.is_empty()
    }

    /// Takes everything but what was announced.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let announced = std::mem::take(&mut self.announced);
        std::mem::replace(self, Self { announced, ..Self::default() })
    }

    /// Adds a key that is on no stay yet.
    pub(crate) fn make(&mut self, key: StoredKey) {
        self.made.insert(key.id, Made { key, stays: 0 });
    }

    /// The kind of a key that the request has made.
    pub(crate) fn made(&self, key: Uuid) -> Option<KeyKind> {
        self.made.get(&key).map(|made| made.key.kind)
    }

    /// Changes a held stay, of which nothing but the key may differ.
    pub(super) fn change(&mut self, stay: RoomStay) {
        let held = self.held.get_mut(&stay.id).expect("a stay is held before it is changed");
        let (before, after) = (held.locked.stay.room_access_key, stay.room_access_key);
        for (key, comes) in [(before, false), (after, true)] {
            let Some(key) = key else { continue };
            match self.made.get_mut(&key.id) {
                Some(made) if comes => made.stays += 1,
                Some(made) => made.stays -= 1,
                None if comes => {}
                None => self.came_off.push(key.id),
            }
        }
        held.was_added |= after.is_some();
        held.locked.stay = stay;
        held.changed = true;
    }
}

/// Holds a stay until the transaction ends, and tells how the request has left it; `None` when there is none.
pub(super) async fn hold_in(tx: &mut Tx, id: Uuid) -> Result<Option<LockedStay>> {
    if !tx.unwritten.held.contains_key(&id) {
        let mut ids = std::mem::take(&mut tx.unwritten.announced);
        ids.push(id);
        let hotel = tx.actor.hotel.id;
        for locked in store::hold(tx.conn_beside_unwritten(), hotel, &ids).await? {
            // One that is held already may have been changed.
            tx.unwritten.held.entry(locked.stay.id).or_insert(Held { locked, changed: false, was_added: false });
        }
    }
    Ok(tx.unwritten.held.get(&id).map(|held| held.locked.clone()))
}

/// Writes everything. Takes no lock that is not held, those of the integrations that own new keys excepted.
pub(crate) async fn write_in(tx: &mut Tx, unwritten: Unwritten) -> Result<()> {
    let Unwritten { held, made, came_off, .. } = unwritten;
    let (hotel, integration, now) = (tx.actor.hotel.clone(), tx.actor.principal.integration_id(), tx.now);
    let keys: Vec<NewKey> = made
        .into_values()
        .map(|made| NewKey { key: made.key, unassigned_since: (made.stays == 0).then_some(now) })
        .collect();
    let stays: Vec<ChangedStay> = held
        .into_values()
        .filter(|held| held.changed)
        .map(|held| ChangedStay { stay: held.locked.stay, was_added: held.was_added })
        .collect();
    if !keys.is_empty() || !stays.is_empty() {
        store::write_assignments(tx.conn(), &hotel, integration, &keys, &stays, now).await?;
    }
    if !came_off.is_empty() {
        room_access_keys::came_off_in(tx, &came_off).await?;
    }
    Ok(())
}

//! Pending changes of keys and of the stays that they are on.
//!
//! Creating a key, adding and removing it check everything at once, against stays that are locked, and change what is kept
//! here. It is written all together: when the request commits, or before it does or reads anything else. So many mutations
//! take as few statements as one.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::store::{self, ChangedStay, NewKey};
use crate::error::Result;
use crate::room_access_keys::{self, KeyKind, StoredKey};
use crate::room_stays::{self, LockedStay, RoomStay};
use crate::unit::{Pending, Tx};

/// What a request has done to keys and has yet to write, and the stays that it has locked for that.
#[derive(Default)]
pub struct PendingKeys {
    /// Stays that the request will lock, as far as could be told from its variables. They are locked together with the first.
    lock_hints: Vec<Uuid>,
    locked: BTreeMap<Uuid, Locked>,
    created: BTreeMap<Uuid, Created>,
    /// Keys that were there before, and were taken off a stay.
    unassigned: Vec<Uuid>,
}

/// A locked stay, as the request has changed it.
struct Locked {
    stay: LockedStay,
    changed: bool,
    was_added: bool,
}

/// A key that the request has created. Nobody else sees it, so it need not be locked, and is on no stay but these.
struct Created {
    key: StoredKey,
    stays: usize,
}

impl PendingKeys {
    /// Says which stays the request will lock. Those that there are none of do no harm.
    pub fn hint(&mut self, stays: Vec<Uuid>) {
        self.lock_hints = stays;
    }

    /// Adds a key that is on no stay yet.
    pub(super) fn create(&mut self, key: StoredKey) {
        self.created.insert(key.id, Created { key, stays: 0 });
    }

    /// The kind of a key that the request has created.
    pub(super) fn created(&self, key: Uuid) -> Option<KeyKind> {
        self.created.get(&key).map(|created| created.key.kind)
    }

    /// Changes a locked stay, of which nothing but the key may differ.
    pub(super) fn change(&mut self, stay: RoomStay) {
        let locked = self.locked.get_mut(&stay.id).expect("a stay is locked before it is changed");
        let (before, after) = (locked.stay.stay.room_access_key, stay.room_access_key);
        for (key, is_added) in [(before, false), (after, true)] {
            let Some(key) = key else { continue };
            match self.created.get_mut(&key.id) {
                Some(created) if is_added => created.stays += 1,
                Some(created) => created.stays -= 1,
                None if is_added => {}
                None => self.unassigned.push(key.id),
            }
        }
        locked.was_added |= after.is_some();
        locked.stay.stay = stay;
        locked.changed = true;
    }
}

impl Pending for PendingKeys {
    /// A stay that is locked counts: what is known of it may be changed otherwise afterwards.
    fn is_empty(&self) -> bool {
        self.locked.is_empty() && self.created.is_empty() && self.unassigned.is_empty()
    }

    fn write(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<()>> {
        Box::pin(write_in(tx, *self))
    }
}

/// Locks a stay until the transaction ends, and tells how the request has left it; `None` when there is none.
pub(super) async fn lock_in(tx: &mut Tx, id: Uuid) -> Result<Option<LockedStay>> {
    if !tx.pending::<PendingKeys>().locked.contains_key(&id) {
        let mut ids = std::mem::take(&mut tx.pending::<PendingKeys>().lock_hints);
        ids.push(id);
        let hotel = tx.actor.hotel.id;
        let stays = room_stays::lock_unconfirmed(tx.conn_beside_pending(), hotel, &ids).await?;
        let pending = tx.pending::<PendingKeys>();
        for stay in stays {
            // One that is locked already may have been changed.
            pending.locked.entry(stay.stay.id).or_insert(Locked { stay, changed: false, was_added: false });
        }
    }
    Ok(tx.pending::<PendingKeys>().locked.get(&id).map(|locked| locked.stay.clone()))
}

/// Writes everything. Takes no lock that is not held, those of the integrations that own new keys excepted.
async fn write_in(tx: &mut Tx, pending: PendingKeys) -> Result<()> {
    let PendingKeys { lock_hints, locked, created, unassigned } = pending;
    tx.pending::<PendingKeys>().hint(lock_hints);
    let (hotel, integration, now) = (tx.actor.hotel.clone(), tx.actor.principal.integration_id(), tx.now);
    let keys: Vec<NewKey> = created
        .into_values()
        .map(|created| NewKey { key: created.key, unassigned_since: (created.stays == 0).then_some(now) })
        .collect();
    let stays: Vec<ChangedStay> = locked
        .into_values()
        .filter(|locked| locked.changed)
        .map(|locked| ChangedStay { stay: locked.stay.stay, was_added: locked.was_added })
        .collect();
    if !keys.is_empty() || !stays.is_empty() {
        store::write_assignments(tx.conn().await?, &hotel, integration, &keys, &stays, now).await?;
    }
    if !unassigned.is_empty() {
        room_access_keys::mark_unassigned_in(tx, &unassigned).await?;
    }
    Ok(())
}

//! Inputs of mutations of access grants.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::access_grants::{GrantChange, NewGrant, Target};
use crate::error::{Error, Message, Result};
use crate::graphql::changes::irremovable;
use crate::graphql::enums::AccessMode;
use crate::graphql::scalars::{Datetime, uuid};
use crate::locks::{Mode, Reference};

/// An access method to ask for.
#[derive(InputObject)]
pub struct RequestedAccessMethodInput {
    /// What it is to be.
    mode: AccessMode,
}

/// A new access grant.
#[derive(InputObject)]
pub struct CreateAccessGrantInput {
    /// Whom it is for: a user identity of your integration, by its id or by its key.
    user_identity_id: ID,
    /// Doors, each by its id or by its key. With a room stay, those beside the doors of its room.
    #[graphql(default)]
    entrance_ids: Vec<ID>,
    /// Spaces whose doors it opens, each by its id or by its key. With a room stay, those beside its room.
    #[graphql(default)]
    space_ids: Vec<ID>,
    /// The room stay that it follows: from it are its times and the doors of its room, and it is its reservation.
    room_stay_id: Option<ID>,
    /// What the access grants of one reservation share, 1 to 200 characters: wanted where guests are to open doors that can belong to
    /// a reservation. Not with a room stay.
    reservation_key: Option<String>,
    /// First instant at which it opens doors: now when it is not said. Not with a room stay.
    starts_at: Option<Datetime>,
    /// First instant at which it opens none any more: when it is not said, it is open. Not with a room stay.
    ends_at: Option<Datetime>,
    /// Name by which your integration finds it, unique in it: 1 to 200 characters, not written like an id.
    access_grant_key: Option<String>,
    /// Name that people read: 1 to 200 characters.
    name: Option<String>,
    /// The access methods to make, at most 20: each is one of its own, one card.
    #[graphql(default)]
    requested_access_methods: Vec<RequestedAccessMethodInput>,
}

/// What to change of an access grant. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateAccessGrantInput {
    /// The access grant, by its id or by its key.
    id: ID,
    /// First instant at which it opens doors. Not with a room stay.
    starts_at: MaybeUndefined<Datetime>,
    /// First instant at which it opens none any more; `null`: it is open. Not with a room stay.
    ends_at: MaybeUndefined<Datetime>,
    /// Name that people read: 1 to 200 characters; `null` takes it away.
    name: MaybeUndefined<String>,
    /// Doors, each by its id or by its key. They and those of `spaceIds` replace all that it was made for: with one of the two
    /// alone, the other one has none. The doors of the room of its room stay are not among them.
    entrance_ids: MaybeUndefined<Vec<ID>>,
    /// Spaces whose doors it opens, each by its id or by its key. They replace those that it was made for together with `entranceIds`.
    space_ids: MaybeUndefined<Vec<ID>>,
}

/// Which access grant to delete.
#[derive(InputObject)]
pub struct DeleteAccessGrantInput {
    /// The access grant, by its id or by its key.
    id: ID,
}

/// More access methods of an access grant.
#[derive(InputObject)]
pub struct RequestAccessMethodsInput {
    /// The access grant, by its id or by its key.
    access_grant_id: ID,
    /// The access methods to make, at most 20: each is one of its own, one card.
    requested_access_methods: Vec<RequestedAccessMethodInput>,
}

impl CreateAccessGrantInput {
    /// The grant to be made.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what a room stay says itself.
    pub(super) fn new_grant(self) -> Result<NewGrant> {
        let target = match &self.room_stay_id {
            None => Target::Free {
                reservation_key: self.reservation_key,
                starts_at: self.starts_at.map(|at| at.0.to_utc()),
                ends_at: self.ends_at.map(|at| at.0.to_utc()),
            },
            Some(stay) => {
                let given = [
                    (self.reservation_key.is_some(), "reservationKey"),
                    (self.starts_at.is_some(), "startsAt"),
                    (self.ends_at.is_some(), "endsAt"),
                ];
                if let Some((_, name)) = given.into_iter().find(|(given, _)| *given) {
                    return Err(Error::new(Message::GrantOfStayHasTimes { name }).at(name));
                }
                Target::RoomStay(uuid(stay))
            }
        };
        Ok(NewGrant {
            user_identity: Reference::parse(&self.user_identity_id),
            entrances: references(&self.entrance_ids),
            spaces: references(&self.space_ids),
            target,
            key: self.access_grant_key,
            name: self.name,
            modes: modes(self.requested_access_methods),
        })
    }
}

impl UpdateAccessGrantInput {
    /// Which grant, and what to change of it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for `null` where there has to be something.
    pub(super) fn change(self) -> Result<(Reference, GrantChange)> {
        let ends_at: Option<Option<Datetime>> = self.ends_at.into();
        let entrances = irremovable(self.entrance_ids, "entranceIds")?;
        let spaces = irremovable(self.space_ids, "spaceIds")?;
        let doors = (entrances.is_some() || spaces.is_some())
            .then(|| (references(&entrances.unwrap_or_default()), references(&spaces.unwrap_or_default())));
        let change = GrantChange {
            starts_at: irremovable(self.starts_at, "startsAt")?.map(|at| at.0.to_utc()),
            ends_at: ends_at.map(|at| at.map(|at| at.0.to_utc())),
            name: self.name.into(),
            doors,
        };
        Ok((Reference::parse(&self.id), change))
    }
}

impl DeleteAccessGrantInput {
    /// Which grant.
    pub(super) fn reference(&self) -> Reference {
        Reference::parse(&self.id)
    }
}

impl RequestAccessMethodsInput {
    /// Which grant, and what to make for it.
    pub(super) fn request(self) -> (Reference, Vec<Mode>) {
        (Reference::parse(&self.access_grant_id), modes(self.requested_access_methods))
    }
}

fn references(ids: &[ID]) -> Vec<Reference> {
    ids.iter().map(|id| Reference::parse(id)).collect()
}

fn modes(requested: Vec<RequestedAccessMethodInput>) -> Vec<Mode> {
    requested.into_iter().map(|method| method.mode.into()).collect()
}

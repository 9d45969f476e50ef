//! Filter inputs of doors, spaces and encoders.

use async_graphql::{InputObject, MaybeUndefined};

use crate::db::{Condition, Filter};
use crate::error::Result;
use crate::graphql::enums::LockProvider;
use crate::graphql::filters::{FilterInput, IdFilter, Nested, StringFilter, each, equal, one_of};
use crate::locks::{EncoderField, EntranceField, Provider, SpaceField};

/// Conditions on the maker of a lock.
#[derive(InputObject)]
pub struct LockProviderFilter {
    /// Exactly this maker.
    eq: MaybeUndefined<LockProvider>,
    /// One of these makers.
    r#in: MaybeUndefined<Vec<LockProvider>>,
}

impl LockProviderFilter {
    fn conditions(self) -> Result<Vec<Condition<String>>> {
        let name = |provider: LockProvider| Provider::from(provider).traits().name.to_owned();
        let mut all = Vec::new();
        equal(self.eq, name, &mut all);
        one_of(self.r#in, |providers| providers.into_iter().map(name).collect(), &mut all)?;
        Ok(all)
    }
}

/// Which entrances. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct EntranceFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By key.
    entrance_key: Option<StringFilter>,
    /// By the maker of the lock.
    provider: Option<LockProviderFilter>,
    /// Whether it can belong to a reservation.
    can_belong_to_reservation: Option<bool>,
    /// Must not match.
    not: Option<Box<EntranceFilter>>,
    /// At least one of these must match.
    or: Option<Vec<EntranceFilter>>,
}

impl FilterInput for EntranceFilter {
    type Field = EntranceField;

    fn conditions(self, all: &mut Vec<Filter<EntranceField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(EntranceField::Id(c)))?;
        each(self.entrance_key, "entranceKey", StringFilter::conditions, |c| add(EntranceField::Key(c)))?;
        each(self.provider, "provider", LockProviderFilter::conditions, |c| add(EntranceField::Provider(c)))?;
        if let Some(can) = self.can_belong_to_reservation {
            add(EntranceField::CanBelongToReservation(can));
        }
        Ok(Nested { not: self.not, or: self.or })
    }
}

/// Which spaces. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct SpaceFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By key.
    space_key: Option<StringFilter>,
    /// By the room that it is; `{eq: null}` = no room.
    room_setup_id: Option<IdFilter>,
    /// Must not match.
    not: Option<Box<SpaceFilter>>,
    /// At least one of these must match.
    or: Option<Vec<SpaceFilter>>,
}

impl FilterInput for SpaceFilter {
    type Field = SpaceField;

    fn conditions(self, all: &mut Vec<Filter<SpaceField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(SpaceField::Id(c)))?;
        each(self.space_key, "spaceKey", StringFilter::conditions, |c| add(SpaceField::Key(c)))?;
        each(self.room_setup_id, "roomSetupId", IdFilter::conditions, |c| add(SpaceField::RoomSetupId(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

/// Which encoders. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct EncoderFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By key.
    encoder_key: Option<StringFilter>,
    /// Must not match.
    not: Option<Box<EncoderFilter>>,
    /// At least one of these must match.
    or: Option<Vec<EncoderFilter>>,
}

impl FilterInput for EncoderFilter {
    type Field = EncoderField;

    fn conditions(self, all: &mut Vec<Filter<EncoderField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(EncoderField::Id(c)))?;
        each(self.encoder_key, "encoderKey", StringFilter::conditions, |c| add(EncoderField::Key(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

//! Filter inputs of user identities, access grants and access methods.

use async_graphql::{InputObject, MaybeUndefined};

use crate::access_grants::{GrantField, IdentityField, IdentityKind, MethodField};
use crate::db::{Condition, Filter};
use crate::error::Result;
use crate::graphql::enums::{AccessMode, UserIdentityKind};
use crate::graphql::filters::{DatetimeFilter, FilterInput, IdFilter, Nested, StringFilter, each, equal, one_of};
use crate::locks::Mode;

/// Conditions on the kind of a user identity.
#[derive(InputObject)]
pub struct UserIdentityKindFilter {
    /// Exactly this kind.
    eq: MaybeUndefined<UserIdentityKind>,
    /// One of these kinds.
    r#in: MaybeUndefined<Vec<UserIdentityKind>>,
}

impl UserIdentityKindFilter {
    fn conditions(self) -> Result<Vec<Condition<String>>> {
        let name = |kind: UserIdentityKind| IdentityKind::from(kind).name().to_owned();
        let mut all = Vec::new();
        equal(self.eq, name, &mut all);
        one_of(self.r#in, |kinds| kinds.into_iter().map(name).collect(), &mut all)?;
        Ok(all)
    }
}

/// Conditions on a means of entry.
#[derive(InputObject)]
pub struct AccessModeFilter {
    /// Exactly this one.
    eq: MaybeUndefined<AccessMode>,
    /// One of these.
    r#in: MaybeUndefined<Vec<AccessMode>>,
}

impl AccessModeFilter {
    fn conditions(self) -> Result<Vec<Condition<String>>> {
        let name = |mode: AccessMode| Mode::from(mode).name().to_owned();
        let mut all = Vec::new();
        equal(self.eq, name, &mut all);
        one_of(self.r#in, |modes| modes.into_iter().map(name).collect(), &mut all)?;
        Ok(all)
    }
}

/// Which user identities. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct UserIdentityFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By key.
    user_identity_key: Option<StringFilter>,
    /// By kind.
    kind: Option<UserIdentityKindFilter>,
    /// By the client of the hotel; `{eq: null}` = no client.
    client_id: Option<IdFilter>,
    /// Must not match.
    not: Option<Box<UserIdentityFilter>>,
    /// At least one of these must match.
    or: Option<Vec<UserIdentityFilter>>,
}

impl FilterInput for UserIdentityFilter {
    type Field = IdentityField;

    fn conditions(self, all: &mut Vec<Filter<IdentityField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(IdentityField::Id(c)))?;
        each(self.user_identity_key, "userIdentityKey", StringFilter::conditions, |c| add(IdentityField::Key(c)))?;
        each(self.kind, "kind", UserIdentityKindFilter::conditions, |c| add(IdentityField::Kind(c)))?;
        each(self.client_id, "clientId", IdFilter::conditions, |c| add(IdentityField::ClientId(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

/// Which access grants. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct AccessGrantFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By key.
    access_grant_key: Option<StringFilter>,
    /// By the key of the reservation, which is the id of the room stay where there is one; `{eq: null}` = no reservation.
    reservation_key: Option<StringFilter>,
    /// By the user identity.
    user_identity_id: Option<IdFilter>,
    /// By the room stay; `{eq: null}` = no room stay.
    room_stay_id: Option<IdFilter>,
    /// By its first instant.
    starts_at: Option<DatetimeFilter>,
    /// By the first instant after it; `{eq: null}` = it is open.
    ends_at: Option<DatetimeFilter>,
    /// Must not match.
    not: Option<Box<AccessGrantFilter>>,
    /// At least one of these must match.
    or: Option<Vec<AccessGrantFilter>>,
}

impl FilterInput for AccessGrantFilter {
    type Field = GrantField;

    fn conditions(self, all: &mut Vec<Filter<GrantField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(GrantField::Id(c)))?;
        each(self.access_grant_key, "accessGrantKey", StringFilter::conditions, |c| add(GrantField::Key(c)))?;
        each(self.reservation_key, "reservationKey", StringFilter::conditions, |c| add(GrantField::ReservationKey(c)))?;
        each(self.user_identity_id, "userIdentityId", IdFilter::conditions, |c| add(GrantField::UserIdentityId(c)))?;
        each(self.room_stay_id, "roomStayId", IdFilter::conditions, |c| add(GrantField::RoomStayId(c)))?;
        each(self.starts_at, "startsAt", DatetimeFilter::conditions, |c| add(GrantField::StartsAt(c)))?;
        each(self.ends_at, "endsAt", DatetimeFilter::conditions, |c| add(GrantField::EndsAt(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

/// Which access methods. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct AccessMethodFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By the access grant, also one that was deleted.
    access_grant_id: Option<IdFilter>,
    /// By the means of entry.
    mode: Option<AccessModeFilter>,
    /// Must not match.
    not: Option<Box<AccessMethodFilter>>,
    /// At least one of these must match.
    or: Option<Vec<AccessMethodFilter>>,
}

impl FilterInput for AccessMethodFilter {
    type Field = MethodField;

    fn conditions(self, all: &mut Vec<Filter<MethodField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(MethodField::Id(c)))?;
        each(self.access_grant_id, "accessGrantId", IdFilter::conditions, |c| add(MethodField::GrantId(c)))?;
        each(self.mode, "mode", AccessModeFilter::conditions, |c| add(MethodField::Mode(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

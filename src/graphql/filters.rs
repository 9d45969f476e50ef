//! Filter inputs in the 3RPMS style, and the filters they stand for.
//!
//! Several operators on a field and several fields of a filter all have to hold. `not` is the complement: it matches
//! exactly the records that the inner filter does not, those without a value included.

use async_graphql::{ID, InputObject, InputType, MaybeUndefined};
use chrono::{DateTime, NaiveDate, Utc};

use super::enums::{ActionAttemptStatus, ReservationStatus};
use super::scalars::{Date, Datetime, uuid, uuids};
use crate::clients::ClientField;
use crate::db::{Condition, Filter};
use crate::error::{Error, ErrorAt, Message, Result};
use crate::lock_commands::{AttemptField, CommandStatus};
use crate::reservations::{self, ReservationField};
use crate::room_stays::StayField;

/// Most values that one `in` may hold.
const MOST_VALUES: usize = 1000;
/// Most filters that one filter may hold below `not` and `or`.
const MOST_FILTERS: usize = 100;

/// Conditions on an id.
#[derive(InputObject)]
pub struct IdFilter {
    /// Exactly this id.
    eq: MaybeUndefined<ID>,
    /// One of these ids, at most 1,000.
    r#in: MaybeUndefined<Vec<ID>>,
}

/// Conditions on a text.
#[derive(InputObject)]
pub struct StringFilter {
    /// Exactly this text; `null` = no text.
    eq: MaybeUndefined<String>,
    /// One of these texts, at most 1,000.
    r#in: MaybeUndefined<Vec<String>>,
}

/// Conditions on a date.
#[derive(InputObject)]
pub struct DateFilter {
    /// Before this date.
    lt: MaybeUndefined<Date>,
    /// On or before this date.
    le: MaybeUndefined<Date>,
    /// On this date; `null` = no date.
    eq: MaybeUndefined<Date>,
    /// On one of these dates, at most 1,000.
    r#in: MaybeUndefined<Vec<Date>>,
    /// On or after this date.
    ge: MaybeUndefined<Date>,
    /// After this date.
    gt: MaybeUndefined<Date>,
}

/// Conditions on an instant.
#[derive(InputObject)]
pub struct DatetimeFilter {
    /// Before this instant.
    lt: MaybeUndefined<Datetime>,
    /// At or before this instant.
    le: MaybeUndefined<Datetime>,
    /// At this instant; `null` = no instant.
    eq: MaybeUndefined<Datetime>,
    /// At one of these instants, at most 1,000.
    r#in: MaybeUndefined<Vec<Datetime>>,
    /// At or after this instant.
    ge: MaybeUndefined<Datetime>,
    /// After this instant.
    gt: MaybeUndefined<Datetime>,
}

/// Conditions on the status of a reservation.
#[derive(InputObject)]
pub struct ReservationStatusFilter {
    /// Exactly this status.
    eq: MaybeUndefined<ReservationStatus>,
    /// One of these statuses.
    r#in: MaybeUndefined<Vec<ReservationStatus>>,
}

/// Which room stays. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct RoomStayFilter {
    /// By id.
    id: Option<IdFilter>,
    /// Stays in the night that begins on this date: arrived by then, and departing later.
    date: Option<Date>,
    /// By date of arrival.
    #[graphql(name = "reservation_from")]
    reservation_from: Option<DateFilter>,
    /// By date of departure.
    #[graphql(name = "reservation_to")]
    reservation_to: Option<DateFilter>,
    /// By physical arrival; `{eq: null}` = not checked in.
    #[graphql(name = "check_in")]
    check_in: Option<DatetimeFilter>,
    /// By physical departure; `{eq: null}` = not checked out.
    #[graphql(name = "check_out")]
    check_out: Option<DatetimeFilter>,
    /// By the last change.
    updated_at: Option<DatetimeFilter>,
    /// By the status of the reservation. Stays of cancelled reservations are returned unless filtered out.
    reservation_status: Option<ReservationStatusFilter>,
    /// Must not match.
    not: Option<Box<RoomStayFilter>>,
    /// At least one of these must match.
    or: Option<Vec<RoomStayFilter>>,
}

/// Which reservations. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct ReservationFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By code, which is not the id.
    code: Option<StringFilter>,
    /// By the booking's number at the channel that sold it.
    booking_channel_code: Option<StringFilter>,
    /// Must not match.
    not: Option<Box<ReservationFilter>>,
    /// At least one of these must match.
    or: Option<Vec<ReservationFilter>>,
}

/// Which clients. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct ClientFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By day of birth.
    birthday: Option<DateFilter>,
    /// Must not match.
    not: Option<Box<ClientFilter>>,
    /// At least one of these must match.
    or: Option<Vec<ClientFilter>>,
}

/// Conditions on how far an action attempt has got.
#[derive(InputObject)]
pub struct ActionAttemptStatusFilter {
    /// Exactly this status.
    eq: MaybeUndefined<ActionAttemptStatus>,
    /// One of these statuses.
    r#in: MaybeUndefined<Vec<ActionAttemptStatus>>,
}

/// Which action attempts. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct ActionAttemptFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By how far it has got.
    status: Option<ActionAttemptStatusFilter>,
    /// By the access method that the card is of, or that opens the door.
    access_method_id: Option<IdFilter>,
    /// Must not match.
    not: Option<Box<ActionAttemptFilter>>,
    /// At least one of these must match.
    or: Option<Vec<ActionAttemptFilter>>,
}

/// A filter input that stands for conditions on fields `Self::Field`.
pub trait FilterInput: Sized {
    /// What can be filtered by.
    type Field;

    /// Collects the conditions of this level, and what stands below `not` and `or`.
    fn conditions(self, all: &mut Vec<Filter<Self::Field>>) -> Result<Nested<Self>>;

    /// The filter that the input stands for.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the place below the filter.
    fn filter(self) -> Result<Filter<Self::Field>> {
        // The filter itself, and those below it.
        let mut budget = MOST_FILTERS + 1;
        convert(self, &mut budget)
    }
}

/// `not` and `or` of a filter.
pub struct Nested<F> {
    /// The filter that must not match.
    pub not: Option<Box<F>>,
    /// Filters of which one must match.
    pub or: Option<Vec<F>>,
}

/// The filter of an optional argument called `filter`.
pub fn filter_argument<F: FilterInput>(filter: Option<F>) -> Result<Filter<F::Field>> {
    filter.map_or_else(|| Ok(Filter::default()), |filter| filter.filter().at("filter"))
}

fn convert<F: FilterInput>(input: F, budget: &mut usize) -> Result<Filter<F::Field>> {
    *budget = budget.checked_sub(1).ok_or_else(|| Error::new(Message::FilterTooLarge { most: MOST_FILTERS }))?;
    let mut all = Vec::new();
    let nested = input.conditions(&mut all)?;
    if let Some(not) = nested.not {
        all.push(Filter::Not(Box::new(convert(*not, budget).at("not")?)));
    }
    if let Some(or) = nested.or {
        let any = or.into_iter().enumerate().map(|(index, part)| convert(part, budget).at(index).at("or"));
        all.push(Filter::Any(any.collect::<Result<_>>()?));
    }
    Ok(Filter::All(all))
}

impl FilterInput for RoomStayFilter {
    type Field = StayField;

    fn conditions(self, all: &mut Vec<Filter<StayField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |condition| add(StayField::Id(condition)))?;
        if let Some(night) = self.date {
            add(StayField::Date(night.0));
        }
        each(self.reservation_from, "reservation_from", DateFilter::conditions, |c| {
            add(StayField::ReservationFrom(c));
        })?;
        each(self.reservation_to, "reservation_to", DateFilter::conditions, |c| add(StayField::ReservationTo(c)))?;
        each(self.check_in, "check_in", DatetimeFilter::conditions, |c| add(StayField::CheckIn(c)))?;
        each(self.check_out, "check_out", DatetimeFilter::conditions, |c| add(StayField::CheckOut(c)))?;
        each(self.updated_at, "updatedAt", DatetimeFilter::conditions, |c| add(StayField::UpdatedAt(c)))?;
        each(self.reservation_status, "reservationStatus", ReservationStatusFilter::conditions, |c| {
            add(StayField::ReservationStatus(c));
        })?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

impl FilterInput for ReservationFilter {
    type Field = ReservationField;

    fn conditions(self, all: &mut Vec<Filter<ReservationField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(ReservationField::Id(c)))?;
        each(self.code, "code", StringFilter::conditions, |c| add(ReservationField::Code(c)))?;
        each(self.booking_channel_code, "bookingChannelCode", StringFilter::conditions, |c| {
            add(ReservationField::BookingChannelCode(c));
        })?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

impl FilterInput for ClientFilter {
    type Field = ClientField;

    fn conditions(self, all: &mut Vec<Filter<ClientField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(ClientField::Id(c)))?;
        each(self.birthday, "birthday", DateFilter::conditions, |c| add(ClientField::Birthday(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

impl FilterInput for ActionAttemptFilter {
    type Field = AttemptField;

    fn conditions(self, all: &mut Vec<Filter<AttemptField>>) -> Result<Nested<Self>> {
        let mut add = |field| all.push(Filter::Field(field));
        each(self.id, "id", IdFilter::conditions, |c| add(AttemptField::Id(c)))?;
        each(self.status, "status", ActionAttemptStatusFilter::conditions, |c| add(AttemptField::Status(c)))?;
        each(self.access_method_id, "accessMethodId", IdFilter::conditions, |c| add(AttemptField::Subject(c)))?;
        Ok(Nested { not: self.not, or: self.or })
    }
}

/// Hands each condition of an optional field filter on.
pub fn each<I, T>(
    input: Option<I>,
    name: &'static str,
    conditions: impl Fn(I) -> Result<Vec<Condition<T>>>,
    add: impl FnMut(Condition<T>),
) -> Result<()> {
    if let Some(input) = input {
        conditions(input).at(name)?.into_iter().for_each(add);
    }
    Ok(())
}

impl IdFilter {
    /// The conditions that the input stands for.
    pub fn conditions(self) -> Result<Vec<Condition<uuid::Uuid>>> {
        let mut all = Vec::new();
        equal(self.eq, |id| uuid(&id), &mut all);
        one_of(self.r#in, |ids| uuids(&ids), &mut all)?;
        Ok(all)
    }
}

impl StringFilter {
    /// The conditions that the input stands for.
    pub fn conditions(self) -> Result<Vec<Condition<String>>> {
        let mut all = Vec::new();
        equal(self.eq, storable, &mut all);
        one_of(self.r#in, |texts| texts.into_iter().map(storable).collect(), &mut all)?;
        Ok(all)
    }
}

/// PostgreSQL has no U+0000 in texts, so a text with one equals none of them; the replacement character keeps it that way
/// for everything a hotel would write.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

impl DateFilter {
    fn conditions(self) -> Result<Vec<Condition<NaiveDate>>> {
        let mut all = Vec::new();
        compare(self.lt, "lt", |date| Condition::Lt(date.0), &mut all)?;
        compare(self.le, "le", |date| Condition::Le(date.0), &mut all)?;
        equal(self.eq, |date| date.0, &mut all);
        one_of(self.r#in, |dates| dates.into_iter().map(|date| date.0).collect(), &mut all)?;
        compare(self.ge, "ge", |date| Condition::Ge(date.0), &mut all)?;
        compare(self.gt, "gt", |date| Condition::Gt(date.0), &mut all)?;
        Ok(all)
    }
}

impl DatetimeFilter {
    /// The conditions that the input stands for.
    pub fn conditions(self) -> Result<Vec<Condition<DateTime<Utc>>>> {
        let mut all = Vec::new();
        compare(self.lt, "lt", |at| Condition::Lt(at.0.to_utc()), &mut all)?;
        compare(self.le, "le", |at| Condition::Le(at.0.to_utc()), &mut all)?;
        equal(self.eq, |at| at.0.to_utc(), &mut all);
        one_of(self.r#in, |all| all.into_iter().map(|at| at.0.to_utc()).collect(), &mut all)?;
        compare(self.ge, "ge", |at| Condition::Ge(at.0.to_utc()), &mut all)?;
        compare(self.gt, "gt", |at| Condition::Gt(at.0.to_utc()), &mut all)?;
        Ok(all)
    }
}

impl ReservationStatusFilter {
    fn conditions(self) -> Result<Vec<Condition<reservations::ReservationStatus>>> {
        let mut all = Vec::new();
        equal(self.eq, Into::into, &mut all);
        one_of(self.r#in, |statuses| statuses.into_iter().map(Into::into).collect(), &mut all)?;
        Ok(all)
    }
}

impl ActionAttemptStatusFilter {
    fn conditions(self) -> Result<Vec<Condition<String>>> {
        let name = |status: ActionAttemptStatus| CommandStatus::from(status).as_str().to_owned();
        let mut all = Vec::new();
        equal(self.eq, name, &mut all);
        one_of(self.r#in, |statuses| statuses.into_iter().map(name).collect(), &mut all)?;
        Ok(all)
    }
}

/// A comparison with `null` would match nothing, or, left out, everything: neither is what anybody means.
fn compare<I: InputType, T>(
    value: MaybeUndefined<I>,
    name: &'static str,
    condition: impl Fn(I) -> Condition<T>,
    all: &mut Vec<Condition<T>>,
) -> Result<()> {
    match value {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => return Err(Error::new(Message::MustNotBeNull { name }).at(name)),
        MaybeUndefined::Value(value) => all.push(condition(value)),
    }
    Ok(())
}

/// The condition of an operator `eq`.
pub fn equal<I: InputType, T>(value: MaybeUndefined<I>, convert: impl Fn(I) -> T, all: &mut Vec<Condition<T>>) {
    match value {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => all.push(Condition::Eq(None)),
        MaybeUndefined::Value(value) => all.push(Condition::Eq(Some(convert(value)))),
    }
}

/// The condition of an operator `in`.
pub fn one_of<I: InputType, T>(
    values: MaybeUndefined<Vec<I>>,
    convert: impl Fn(Vec<I>) -> Vec<T>,
    all: &mut Vec<Condition<T>>,
) -> Result<()> {
    match values {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => return Err(Error::new(Message::MustNotBeNull { name: "in" }).at("in")),
        MaybeUndefined::Value(values) if values.len() > MOST_VALUES => {
            return Err(Error::new(Message::TooManyAlternatives { most: MOST_VALUES }).at("in"));
        }
        MaybeUndefined::Value(values) => all.push(Condition::In(convert(values))),
    }
    Ok(())
}

//! Inputs of the front desk's mutations, and the records that come of them.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::super::enums::SelfcheckinStatus;
use super::super::scalars::{Date, LocalTime, uuid, uuids};
use crate::bookings::{Booker, NewReservation};
use crate::clients::{ClientDetails, ClientKind};
use crate::error::{Error, ErrorAt, Message, Result};
use crate::reservations::ReservationChange;
use crate::room_stays::{AgeGroups, NewStay};

/// A person who books.
#[derive(InputObject)]
pub struct PersonInput {
    /// Given name.
    pub(super) firstname: Option<String>,
    /// Family name.
    pub(super) lastname: String,
    /// Day of birth.
    pub(super) birthday: Option<Date>,
    /// How to reach them.
    #[graphql(flatten)]
    pub(super) details: ClientDetailsInput,
}

/// An organisation that books.
#[derive(InputObject)]
pub struct CompanyInput {
    /// Name of the organisation.
    pub(super) company: String,
    /// How to reach them.
    #[graphql(flatten)]
    pub(super) details: ClientDetailsInput,
}

/// What persons and organisations have in common.
#[derive(InputObject)]
pub struct ClientDetailsInput {
    /// ISO 639-1 code; tags like `de-DE`, ISO 639-3 codes and English names are taken for it.
    pub(super) language: Option<String>,
    /// E-mail address.
    pub(super) email: Option<String>,
    /// Telephone number.
    pub(super) telephone: Option<String>,
    /// Mobile number.
    pub(super) mobile: Option<String>,
    /// Number plate.
    pub(super) car_plate_number: Option<String>,
    /// Street and number.
    pub(super) street: Option<String>,
    /// Postal code.
    pub(super) zipcode: Option<String>,
    /// Town.
    pub(super) city: Option<String>,
    /// ISO 3166-1 alpha-2 code; alpha-3 codes and English names are taken for it.
    pub(super) country: Option<String>,
}

/// Who books: exactly one of its fields.
#[derive(InputObject)]
pub struct ReservationClientInput {
    /// A client of the hotel.
    pub(super) id: Option<ID>,
    /// A new person.
    pub(super) person: Option<PersonInput>,
    /// A new organisation.
    pub(super) company: Option<CompanyInput>,
}

/// Guests of a stay by age group; 0 to 1,000 each.
#[derive(InputObject)]
pub struct AgeGroupsInput {
    /// Adults.
    #[graphql(default = 1)]
    pub(super) adults: i32,
    /// Children of the hotel's first age group.
    #[graphql(default)]
    pub(super) child1: i32,
    /// Children of the hotel's second age group.
    #[graphql(default)]
    pub(super) child2: i32,
    /// Guests that stay for free.
    #[graphql(default)]
    pub(super) free: i32,
}

/// A stay of a reservation.
#[derive(InputObject)]
pub struct ReservationRoomStayInput {
    /// What is booked.
    pub(super) category_id: ID,
    /// The room, if it is known already.
    pub(super) room_setup_id: Option<ID>,
    /// Day of arrival.
    #[graphql(name = "reservation_from")]
    pub(super) reservation_from: Date,
    /// Day of departure; the arrival's own day for day use. At most 1,096 nights.
    #[graphql(name = "reservation_to")]
    pub(super) reservation_to: Date,
    /// Who sleeps there, in order; each client once.
    pub(super) guest_ids: Option<Vec<ID>>,
    /// Guests by age group; one adult when absent.
    pub(super) age_groups: Option<AgeGroupsInput>,
    /// Message for the guest.
    pub(super) guest_message: Option<String>,
    /// Notes for housekeeping.
    pub(super) maid_notes: Option<String>,
    /// Notes for the kitchen.
    pub(super) meal_notes: Option<String>,
    /// Code of the rate.
    pub(super) rate_code: Option<String>,
}

/// A new reservation.
#[derive(InputObject)]
pub struct CreateReservationInput {
    /// 1 to 64 characters, unique in the hotel whatever its capitals; made up when absent.
    pub(super) code: Option<String>,
    /// Who books.
    pub(super) client: ReservationClientInput,
    /// Whom to talk to, where that is somebody else.
    pub(super) contact_id: Option<ID>,
    /// Its stays, 1 to 100.
    pub(super) room_stays: Vec<ReservationRoomStayInput>,
    /// Name of the travelling group.
    pub(super) group_name: Option<String>,
    /// The booking's number at the channel that sold it.
    pub(super) booking_channel_code: Option<String>,
    /// Where the booking came from.
    pub(super) booking_source: Option<String>,
    /// Where staff see the booking in the hotel's own system.
    pub(super) pms_url: Option<String>,
    /// Notes of the front desk.
    pub(super) notes: Option<String>,
    /// How far the guest is with checking in online.
    pub(super) selfcheckin_status: Option<SelfcheckinStatus>,
}

/// What to change of a reservation. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateReservationInput {
    /// The reservation.
    pub(super) id: ID,
    /// 1 to 64 characters, unique in the hotel whatever its capitals.
    pub(super) code: MaybeUndefined<String>,
    /// Who books: a client of the hotel.
    pub(super) client_id: MaybeUndefined<ID>,
    /// Whom to talk to; `null` = nobody else.
    pub(super) contact_id: MaybeUndefined<ID>,
    /// Name of the travelling group.
    pub(super) group_name: MaybeUndefined<String>,
    /// The booking's number at the channel that sold it.
    pub(super) booking_channel_code: MaybeUndefined<String>,
    /// Where the booking came from.
    pub(super) booking_source: MaybeUndefined<String>,
    /// Where staff see the booking in the hotel's own system.
    pub(super) pms_url: MaybeUndefined<String>,
    /// Notes of the front desk.
    pub(super) notes: MaybeUndefined<String>,
    /// How far the guest is with checking in online.
    pub(super) selfcheckin_status: MaybeUndefined<SelfcheckinStatus>,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// A reservation to cancel.
#[derive(InputObject)]
pub struct CancelReservationInput {
    /// The reservation.
    pub(super) id: ID,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// A reservation to re-activate.
#[derive(InputObject)]
pub struct ReactivateReservationInput {
    /// The reservation.
    pub(super) id: ID,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// A stay to add.
#[derive(InputObject)]
pub struct AddRoomStayInput {
    /// The reservation, not cancelled.
    pub(super) reservation_id: ID,
    /// The stay.
    #[graphql(flatten)]
    pub(super) stay: ReservationRoomStayInput,
}

/// A stay to move. What is absent stays as it is.
#[derive(InputObject)]
pub struct MoveRoomStayInput {
    /// The stay: not cancelled, not departed.
    pub(super) room_stay_id: ID,
    /// Its new room; `null` = no room for now.
    pub(super) room_setup_id: MaybeUndefined<ID>,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// Two stays that swap their rooms.
#[derive(InputObject)]
pub struct SwapRoomStaysInput {
    /// One stay: not cancelled, not departed.
    pub(super) first_room_stay_id: ID,
    /// Another one.
    pub(super) second_room_stay_id: ID,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// New dates of a stay. What is absent stays as it is.
#[derive(InputObject)]
pub struct ChangeRoomStayDatesInput {
    /// The stay, not cancelled.
    pub(super) room_stay_id: ID,
    /// Day of arrival.
    #[graphql(name = "reservation_from")]
    pub(super) reservation_from: MaybeUndefined<Date>,
    /// Day of departure. At most 1,096 nights after the arrival.
    #[graphql(name = "reservation_to")]
    pub(super) reservation_to: MaybeUndefined<Date>,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// Where to split a stay.
#[derive(InputObject)]
pub struct SplitRoomStayInput {
    /// The stay: not cancelled, not departed.
    pub(super) room_stay_id: ID,
    /// Day on which the second part begins: after the arrival and before the departure.
    pub(super) date: Date,
    /// Room of the second part; the same room when absent, `null` = no room for now.
    pub(super) room_setup_id: MaybeUndefined<ID>,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// A late check-out. What is absent stays as it is.
#[derive(InputObject)]
pub struct SetRoomStayDepartureTimeInput {
    /// The stay, not cancelled.
    pub(super) room_stay_id: ID,
    /// Local time on the day of departure; `null` = the hotel's check-out time.
    pub(super) departure_time: MaybeUndefined<LocalTime>,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

/// A stay to delete.
#[derive(InputObject)]
pub struct DeleteRoomStayInput {
    /// The stay.
    pub(super) room_stay_id: ID,
    /// Why, for the audit trail: 1 to 500 characters. No names: it outlives the guest's data.
    pub(super) reason: Option<String>,
}

pub(super) fn new_reservation(input: CreateReservationInput) -> Result<NewReservation> {
    let client = booker(input.client)?;
    Ok(NewReservation {
        code: input.code,
        client,
        stays: new_stays(input.room_stays)?,
        booker_stays: false,
        details: ReservationChange {
            contact_id: Some(input.contact_id.as_ref().map(uuid)),
            group_name: Some(input.group_name),
            booking_channel_code: Some(input.booking_channel_code),
            booking_source: Some(input.booking_source),
            pms_url: Some(input.pms_url),
            notes: Some(input.notes),
            selfcheckin_status: input.selfcheckin_status.map(Into::into),
            ..ReservationChange::default()
        },
    })
}

/// Who books.
pub(in crate::graphql) fn booker(input: ReservationClientInput) -> Result<Booker> {
    let new = |(kind, details)| Booker::New(Box::new((kind, details)));
    match (input.id, input.person, input.company) {
        (Some(id), None, None) => Ok(Booker::Existing(uuid(&id))),
        (None, Some(person), None) => Ok(new(person.into())),
        (None, None, Some(company)) => Ok(new(company.into())),
        _ => Err(Error::new(Message::BookerAmbiguous).at("client")),
    }
}

impl From<PersonInput> for (ClientKind, ClientDetails) {
    fn from(PersonInput { firstname, lastname, birthday, details }: PersonInput) -> Self {
        let kind = ClientKind::Person { firstname, lastname, birthday: birthday.map(|date| date.0) };
        (kind, details.into())
    }
}

impl From<CompanyInput> for (ClientKind, ClientDetails) {
    fn from(CompanyInput { company, details }: CompanyInput) -> Self {
        (ClientKind::Company { company }, details.into())
    }
}

/// The stays of a new reservation.
pub(in crate::graphql) fn new_stays(inputs: Vec<ReservationRoomStayInput>) -> Result<Vec<NewStay>> {
    let stays = inputs.into_iter().enumerate().map(|(index, stay)| new_stay(stay).at(index).at("roomStays"));
    stays.collect()
}

pub(super) fn new_stay(input: ReservationRoomStayInput) -> Result<NewStay> {
    let age_groups = match input.age_groups {
        None => AgeGroups { adults: 1, child1: 0, child2: 0, free: 0 },
        Some(groups) => AgeGroups {
            adults: guests(groups.adults, "adults")?,
            child1: guests(groups.child1, "child1")?,
            child2: guests(groups.child2, "child2")?,
            free: guests(groups.free, "free")?,
        },
    };
    Ok(NewStay {
        category_id: uuid(&input.category_id),
        room_setup_id: input.room_setup_id.as_ref().map(uuid),
        reservation_from: input.reservation_from.0,
        reservation_to: input.reservation_to.0,
        guest_ids: uuids(&input.guest_ids.unwrap_or_default()),
        age_groups,
        guest_message: input.guest_message,
        maid_notes: input.maid_notes,
        meal_notes: input.meal_notes,
        rate_code: input.rate_code,
    })
}

fn guests(count: i32, name: &'static str) -> Result<i16> {
    i16::try_from(count)
        .ok()
        .filter(|count| (0..=1000).contains(count))
        .ok_or_else(|| Error::new(Message::GuestCountOutOfRange { name }).at(name).at("ageGroups"))
}

impl From<ClientDetailsInput> for ClientDetails {
    fn from(input: ClientDetailsInput) -> Self {
        Self {
            language: input.language,
            email: input.email,
            telephone: input.telephone,
            mobile: input.mobile,
            car_plate_number: input.car_plate_number,
            street: input.street,
            zipcode: input.zipcode,
            city: input.city,
            country: input.country,
        }
    }
}

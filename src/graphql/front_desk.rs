//! Mutations of the front desk: reservations and stays. All of them need the permission `FRONT_DESK`.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::context::{RequestContext, Session};
use super::error::{InInput, Outcome};
use super::load::{self, ReservationPlan, StayPlan};
use super::reservations::ReservationNode;
use super::room_stays::RoomStayNode;
use super::scalars::{Date, LocalTime, uuid, uuids};
use super::selection::Selection;
use crate::auth::Permission;
use crate::clients::{ClientDetails, ClientKind};
use crate::error::{Error, ErrorAt, Result};
use crate::reservations::{self, Booker, NewReservation, ReservationChange, SelfcheckinStatus};
use crate::room_stays::{self, AgeGroups, NewStay, SplitStay};

/// A person who books.
#[derive(InputObject)]
pub struct PersonInput {
    /// Given name.
    firstname: Option<String>,
    /// Family name.
    lastname: String,
    /// Day of birth.
    birthday: Option<Date>,
    /// How to reach them.
    #[graphql(flatten)]
    details: ClientDetailsInput,
}

/// An organisation that books.
#[derive(InputObject)]
pub struct CompanyInput {
    /// Name of the organisation.
    company: String,
    /// How to reach them.
    #[graphql(flatten)]
    details: ClientDetailsInput,
}

/// What persons and organisations have in common.
#[derive(InputObject)]
pub struct ClientDetailsInput {
    /// ISO 639-1 code, lower case.
    language: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Telephone number.
    telephone: Option<String>,
    /// Mobile number.
    mobile: Option<String>,
    /// Number plate.
    car_plate_number: Option<String>,
    /// Street and number.
    street: Option<String>,
    /// Postal code.
    zipcode: Option<String>,
    /// Town.
    city: Option<String>,
    /// ISO 3166-1 code, upper case.
    country: Option<String>,
}

/// Who books: exactly one of its fields.
#[derive(InputObject)]
pub struct ReservationClientInput {
    /// A client of the hotel.
    id: Option<ID>,
    /// A new person.
    person: Option<PersonInput>,
    /// A new organisation.
    company: Option<CompanyInput>,
}

/// Guests of a stay by age group; 0 to 1,000 each.
#[derive(InputObject)]
pub struct AgeGroupsInput {
    /// Adults.
    #[graphql(default = 1)]
    adults: i32,
    /// Children of the hotel's first age group.
    #[graphql(default)]
    child1: i32,
    /// Children of the hotel's second age group.
    #[graphql(default)]
    child2: i32,
    /// Guests that stay for free.
    #[graphql(default)]
    free: i32,
}

/// A stay of a reservation.
#[derive(InputObject)]
pub struct ReservationRoomStayInput {
    /// What is booked.
    category_id: ID,
    /// The room, if it is known already.
    room_setup_id: Option<ID>,
    /// Day of arrival.
    #[graphql(name = "reservation_from")]
    reservation_from: Date,
    /// Day of departure; the arrival's own day for day use. At most 1,096 nights.
    #[graphql(name = "reservation_to")]
    reservation_to: Date,
    /// Who sleeps there, in order; each client once.
    guest_ids: Option<Vec<ID>>,
    /// Guests by age group; one adult when absent.
    age_groups: Option<AgeGroupsInput>,
    /// Message for the guest.
    guest_message: Option<String>,
    /// Notes for housekeeping.
    maid_notes: Option<String>,
    /// Notes for the kitchen.
    meal_notes: Option<String>,
    /// Code of the rate.
    rate_code: Option<String>,
}

/// A new reservation.
#[derive(InputObject)]
pub struct CreateReservationInput {
    /// 1 to 64 characters, unique in the hotel; made up when absent.
    code: Option<String>,
    /// Who books.
    client: ReservationClientInput,
    /// Whom to talk to, where that is somebody else.
    contact_id: Option<ID>,
    /// Its stays, 1 to 100.
    room_stays: Vec<ReservationRoomStayInput>,
    /// Name of the travelling group.
    group_name: Option<String>,
    /// The booking's number at the channel that sold it.
    booking_channel_code: Option<String>,
    /// Where the booking came from.
    booking_source: Option<String>,
    /// Where staff see the booking in the hotel's own system.
    pms_url: Option<String>,
    /// Notes of the front desk.
    notes: Option<String>,
    /// How far the guest is with checking in online.
    selfcheckin_status: Option<SelfcheckinStatus>,
}

/// What to change of a reservation. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateReservationInput {
    /// The reservation.
    id: ID,
    /// 1 to 64 characters, unique in the hotel.
    code: Option<String>,
    /// Who books: a client of the hotel.
    client_id: Option<ID>,
    /// Whom to talk to; `null` = nobody else.
    contact_id: MaybeUndefined<ID>,
    /// Name of the travelling group.
    group_name: MaybeUndefined<String>,
    /// The booking's number at the channel that sold it.
    booking_channel_code: MaybeUndefined<String>,
    /// Where the booking came from.
    booking_source: MaybeUndefined<String>,
    /// Where staff see the booking in the hotel's own system.
    pms_url: MaybeUndefined<String>,
    /// Notes of the front desk.
    notes: MaybeUndefined<String>,
    /// How far the guest is with checking in online.
    selfcheckin_status: Option<SelfcheckinStatus>,
}

/// A reservation to cancel.
#[derive(InputObject)]
pub struct CancelReservationInput {
    /// The reservation.
    id: ID,
}

/// A reservation to re-activate.
#[derive(InputObject)]
pub struct ReactivateReservationInput {
    /// The reservation.
    id: ID,
}

/// A stay to add.
#[derive(InputObject)]
pub struct AddRoomStayInput {
    /// The reservation, not cancelled.
    reservation_id: ID,
    /// The stay.
    #[graphql(flatten)]
    stay: ReservationRoomStayInput,
}

/// A stay to move.
#[derive(InputObject)]
pub struct MoveRoomStayInput {
    /// The stay: not cancelled, not departed.
    room_stay_id: ID,
    /// Its new room; `null` = no room for now.
    room_setup_id: Option<ID>,
}

/// Two stays that swap their rooms.
#[derive(InputObject)]
pub struct SwapRoomStaysInput {
    /// One stay: not cancelled, not departed.
    first_room_stay_id: ID,
    /// Another one.
    second_room_stay_id: ID,
}

/// New dates of a stay. What is absent stays as it is.
#[derive(InputObject)]
pub struct ChangeRoomStayDatesInput {
    /// The stay, not cancelled.
    room_stay_id: ID,
    /// Day of arrival.
    #[graphql(name = "reservation_from")]
    reservation_from: Option<Date>,
    /// Day of departure. At most 1,096 nights after the arrival.
    #[graphql(name = "reservation_to")]
    reservation_to: Option<Date>,
}

/// Where to split a stay.
#[derive(InputObject)]
pub struct SplitRoomStayInput {
    /// The stay: not cancelled, not departed.
    room_stay_id: ID,
    /// Day on which the second part begins: after the arrival and before the departure.
    date: Date,
    /// Room of the second part; the same room when absent.
    room_setup_id: Option<ID>,
}

/// A late check-out.
#[derive(InputObject)]
pub struct SetRoomStayDepartureTimeInput {
    /// The stay, not cancelled.
    room_stay_id: ID,
    /// Local time on the day of departure; `null` = the hotel's check-out time.
    departure_time: Option<LocalTime>,
}

/// A stay to delete.
#[derive(InputObject)]
pub struct DeleteRoomStayInput {
    /// The stay.
    room_stay_id: ID,
}

/// Answer of mutations of one reservation.
#[derive(SimpleObject)]
pub struct ReservationPayload {
    /// The reservation.
    reservation: ReservationNode,
}

/// Answer of mutations of one stay.
#[derive(SimpleObject)]
pub struct RoomStayPayload {
    /// The stay.
    room_stay: RoomStayNode,
}

/// Answer of `swapRoomStays`.
#[derive(SimpleObject)]
pub struct SwapRoomStaysPayload {
    /// Both stays, in the order of the input.
    room_stays: Vec<RoomStayNode>,
}

/// Answer of `splitRoomStay`.
#[derive(SimpleObject)]
pub struct SplitRoomStayPayload {
    /// The first part: the stay that was there before.
    room_stay: RoomStayNode,
    /// The second part, with the same key and guests.
    new_room_stay: RoomStayNode,
}

/// Answer of `deleteRoomStay`.
#[derive(SimpleObject)]
pub struct DeleteRoomStayPayload {
    /// Always true; a stay that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of the front desk.
#[derive(Default)]
pub struct FrontDeskMutation;

#[Object]
impl FrontDeskMutation {
    /// Makes a reservation with its room stays. Needs the permission `FRONT_DESK`.
    async fn create_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: CreateReservationInput,
    ) -> Outcome<Option<ReservationPayload>> {
        let mut session = front_desk(ctx).await?;
        let new = new_reservation(input).in_input()?;
        let id = reservations::create_in(session.tx(), new).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Changes a reservation. Needs the permission `FRONT_DESK`.
    async fn update_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateReservationInput,
    ) -> Outcome<Option<ReservationPayload>> {
        let mut session = front_desk(ctx).await?;
        let id = uuid(&input.id);
        let change = ReservationChange {
            code: input.code,
            client_id: input.client_id.as_ref().map(uuid),
            contact_id: input.contact_id.map_value(|id| uuid(&id)).into(),
            group_name: input.group_name.into(),
            booking_channel_code: input.booking_channel_code.into(),
            booking_source: input.booking_source.into(),
            pms_url: input.pms_url.into(),
            notes: input.notes.into(),
            selfcheckin_status: input.selfcheckin_status,
        };
        reservations::update_in(session.tx(), id, change).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Cancels a reservation. Its stays keep their keys; whoever opens the doors learns it from `reservation.updated`.
    /// Cancelling it again succeeds. Needs the permission `FRONT_DESK`.
    async fn cancel_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: CancelReservationInput,
    ) -> Outcome<Option<ReservationPayload>> {
        let mut session = front_desk(ctx).await?;
        let id = uuid(&input.id);
        reservations::cancel_in(session.tx(), id).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Makes a cancelled reservation active again. Needs the permission `FRONT_DESK`.
    async fn reactivate_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: ReactivateReservationInput,
    ) -> Outcome<Option<ReservationPayload>> {
        let mut session = front_desk(ctx).await?;
        let id = uuid(&input.id);
        reservations::reactivate_in(session.tx(), id).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Adds a stay to a reservation. Needs the permission `FRONT_DESK`.
    async fn add_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay.")] input: AddRoomStayInput,
    ) -> Outcome<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        let new = new_stay(input.stay).in_input()?;
        let stay = room_stays::add_in(session.tx(), uuid(&input.reservation_id), new).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Moves a stay to another room. Its key stays on it and now has to open another door. A room that is taken is not
    /// refused: see `overlappingRoomStays`. Needs the permission `FRONT_DESK`.
    async fn move_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its new room.")] input: MoveRoomStayInput,
    ) -> Outcome<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        let stay = uuid(&input.room_stay_id);
        room_stays::move_in(session.tx(), stay, input.room_setup_id.as_ref().map(uuid)).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Lets two stays swap their rooms, at once. Needs the permission `FRONT_DESK`.
    async fn swap_room_stays(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The two stays.")] input: SwapRoomStaysInput,
    ) -> Outcome<Option<SwapRoomStaysPayload>> {
        let mut session = front_desk(ctx).await?;
        let (first, second) = (uuid(&input.first_room_stay_id), uuid(&input.second_room_stay_id));
        room_stays::swap_in(session.tx(), first, second).await.in_input()?;
        let plan = StayPlan::of(&Selection::of(ctx).field("roomStays"))?;
        let mut room_stays = Vec::with_capacity(2);
        for stay in [first, second] {
            room_stays.push(load::stay(&mut session, stay, &plan).await?);
        }
        Ok(Some(session.done(SwapRoomStaysPayload { room_stays })))
    }

    /// Changes arrival, departure or both; extends a stay, too. Its key stays on it. Needs the permission `FRONT_DESK`.
    async fn change_room_stay_dates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its new dates.")] input: ChangeRoomStayDatesInput,
    ) -> Outcome<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        let stay = uuid(&input.room_stay_id);
        let (from, to) = (input.reservation_from.map(|date| date.0), input.reservation_to.map(|date| date.0));
        room_stays::change_dates_in(session.tx(), stay, from, to).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Splits a stay in two. The second part is a new stay with the same key and the same guests. Needs the permission
    /// `FRONT_DESK`.
    async fn split_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and where to split it.")] input: SplitRoomStayInput,
    ) -> Outcome<Option<SplitRoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        let stay = uuid(&input.room_stay_id);
        let split = SplitStay { date: input.date.0, room_setup_id: input.room_setup_id.as_ref().map(uuid) };
        let second = room_stays::split_in(session.tx(), stay, split).await.in_input()?;
        let selection = Selection::of(ctx);
        let room_stay = load::stay(&mut session, stay, &StayPlan::of(&selection.field("roomStay"))?).await?;
        let new_room_stay = load::stay(&mut session, second, &StayPlan::of(&selection.field("newRoomStay"))?).await?;
        Ok(Some(session.done(SplitRoomStayPayload { room_stay, new_room_stay })))
    }

    /// Agrees with a guest on a late check-out, or takes that back. It moves the end of the stay, and with it the day on which
    /// its key is deleted. Needs the permission `FRONT_DESK`.
    async fn set_room_stay_departure_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its time of departure.")] input: SetRoomStayDepartureTimeInput,
    ) -> Outcome<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        let stay = uuid(&input.room_stay_id);
        let time = input.departure_time.map(|time| time.0);
        room_stays::set_departure_time_in(session.tx(), stay, time).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Deletes a stay. Its key comes off it; on no other stay, the key is deleted two days later. Needs the permission
    /// `FRONT_DESK`.
    async fn delete_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay.")] input: DeleteRoomStayInput,
    ) -> Outcome<Option<DeleteRoomStayPayload>> {
        let mut session = front_desk(ctx).await?;
        room_stays::delete_in(session.tx(), uuid(&input.room_stay_id)).await.in_input()?;
        Ok(Some(session.done(DeleteRoomStayPayload { deleted: true })))
    }
}

async fn front_desk<'a>(ctx: &'a Context<'_>) -> Outcome<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::FrontDesk)?;
    Ok(session)
}

/// The answer of a mutation that concerns a reservation.
pub(super) async fn reservation_payload(
    ctx: &Context<'_>,
    mut session: Session<'_>,
    id: uuid::Uuid,
) -> Outcome<Option<ReservationPayload>> {
    let plan = ReservationPlan::of(&Selection::of(ctx).field("reservation"))?;
    let reservation = load::reservation(&mut session, id, &plan).await?;
    Ok(Some(session.done(ReservationPayload { reservation })))
}

/// The answer of a mutation that concerns a stay.
pub(super) async fn stay_payload(
    ctx: &Context<'_>,
    mut session: Session<'_>,
    id: uuid::Uuid,
) -> Outcome<Option<RoomStayPayload>> {
    let plan = StayPlan::of(&Selection::of(ctx).field("roomStay"))?;
    let room_stay = load::stay(&mut session, id, &plan).await?;
    Ok(Some(session.done(RoomStayPayload { room_stay })))
}

fn new_reservation(input: CreateReservationInput) -> Result<NewReservation> {
    let client = booker(input.client)?;
    Ok(NewReservation {
        code: input.code,
        client,
        stays: new_stays(input.room_stays)?,
        details: ReservationChange {
            contact_id: Some(input.contact_id.as_ref().map(uuid)),
            group_name: Some(input.group_name),
            booking_channel_code: Some(input.booking_channel_code),
            booking_source: Some(input.booking_source),
            pms_url: Some(input.pms_url),
            notes: Some(input.notes),
            selfcheckin_status: input.selfcheckin_status,
            ..ReservationChange::default()
        },
    })
}

/// Who books.
pub(super) fn booker(input: ReservationClientInput) -> Result<Booker> {
    let new = |(kind, details)| Booker::New(Box::new((kind, details)));
    match (input.id, input.person, input.company) {
        (Some(id), None, None) => Ok(Booker::Existing(uuid(&id))),
        (None, Some(person), None) => Ok(new(person.into())),
        (None, None, Some(company)) => Ok(new(company.into())),
        _ => Err(Error::invalid("Exactly one of id, person and company must be given").at("client")),
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
pub(super) fn new_stays(inputs: Vec<ReservationRoomStayInput>) -> Result<Vec<NewStay>> {
    let stays = inputs.into_iter().enumerate().map(|(index, stay)| new_stay(stay).at(index).at("roomStays"));
    stays.collect()
}

fn new_stay(input: ReservationRoomStayInput) -> Result<NewStay> {
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
        .ok_or_else(|| Error::invalid(format!("{name} must be between 0 and 1000")).at(name).at("ageGroups"))
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

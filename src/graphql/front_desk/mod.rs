//! Mutations of the front desk: reservations and stays. All of them need the permission `FRONT_DESK`.

mod inputs;

use async_graphql::{Context, Object, SimpleObject};

use self::inputs::{
    AddRoomStayInput, CancelReservationInput, ChangeRoomStayDatesInput, CreateReservationInput, DeleteRoomStayInput,
    MoveRoomStayInput, ReactivateReservationInput, SetRoomStayDepartureTimeInput, SplitRoomStayInput,
    SwapRoomStaysInput, UpdateReservationInput, new_reservation, new_stay,
};
pub(super) use self::inputs::{
    CompanyInput, PersonInput, ReservationClientInput, ReservationRoomStayInput, booker, new_stays,
};
use super::changes::irremovable;
use super::context::{RequestContext, Session, with_reason};
use super::error::{InInput, Resolved};
use super::load::{self, ReservationPlan, StayPlan};
use super::reservations::ReservationNode;
use super::room_stays::RoomStayNode;
use super::scalars::uuid;
use super::selection::Selection;
use crate::actor::Permission;
use crate::bookings;
use crate::reservations::{self, ReservationChange};
use crate::room_stays::{self, SplitStay};

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
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `CODE_TAKEN`.
    async fn create_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: CreateReservationInput,
    ) -> Resolved<Option<ReservationPayload>> {
        let mut session = front_desk(ctx, None).await?;
        let new = new_reservation(input).in_input()?;
        let id = bookings::create_in(session.tx(), new).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Changes a reservation. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `CODE_TAKEN`.
    async fn update_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateReservationInput,
    ) -> Resolved<Option<ReservationPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let id = uuid(&input.id);
        let change = ReservationChange {
            code: irremovable(input.code, "code").in_input()?,
            client_id: irremovable(input.client_id, "clientId").in_input()?.as_ref().map(uuid),
            contact_id: input.contact_id.map_value(|id| uuid(&id)).into(),
            group_name: input.group_name.into(),
            booking_channel_code: input.booking_channel_code.into(),
            booking_source: input.booking_source.into(),
            pms_url: input.pms_url.into(),
            notes: input.notes.into(),
            selfcheckin_status: irremovable(input.selfcheckin_status, "selfcheckinStatus").in_input()?.map(Into::into),
        };
        reservations::update_in(session.tx(), id, change).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Cancels a reservation. Its stays keep their keys; whoever opens the doors learns it from `reservation.updated`.
    /// Cancelling it again succeeds. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_INVOICED`.
    async fn cancel_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: CancelReservationInput,
    ) -> Resolved<Option<ReservationPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let id = uuid(&input.id);
        reservations::cancel_in(session.tx(), id).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Makes a cancelled reservation active again. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_NOT_CANCELLED`.
    async fn reactivate_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: ReactivateReservationInput,
    ) -> Resolved<Option<ReservationPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let id = uuid(&input.id);
        reservations::reactivate_in(session.tx(), id).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }

    /// Adds a stay to a reservation. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`.
    async fn add_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay.")] input: AddRoomStayInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx, None).await?;
        let new = new_stay(input.stay).in_input()?;
        let stay = room_stays::add_in(session.tx(), uuid(&input.reservation_id), new).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Moves a stay to another room. Its key stays on it and now has to open another door. A room that is taken is not
    /// refused: see `overlappingRoomStays`. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`.
    async fn move_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its new room.")] input: MoveRoomStayInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let stay = uuid(&input.room_stay_id);
        let room = input.room_setup_id.map_value(|id| uuid(&id)).into();
        room_stays::move_in(session.tx(), stay, room).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Lets two stays swap their rooms, at once. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`.
    async fn swap_room_stays(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The two stays.")] input: SwapRoomStaysInput,
    ) -> Resolved<Option<SwapRoomStaysPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
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
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`.
    async fn change_room_stay_dates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its new dates.")] input: ChangeRoomStayDatesInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let stay = uuid(&input.room_stay_id);
        let from = irremovable(input.reservation_from, "reservation_from").in_input()?.map(|date| date.0);
        let to = irremovable(input.reservation_to, "reservation_to").in_input()?.map(|date| date.0);
        room_stays::change_dates_in(session.tx(), stay, from, to).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Splits a stay in two. The second part is a new stay with the same key and the same guests. Needs the permission
    /// `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`.
    async fn split_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and where to split it.")] input: SplitRoomStayInput,
    ) -> Resolved<Option<SplitRoomStayPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let stay = uuid(&input.room_stay_id);
        let room_setup_id = input.room_setup_id.map_value(|id| uuid(&id)).into();
        let split = SplitStay { date: input.date.0, room_setup_id };
        let second = room_stays::split_in(session.tx(), stay, split).await.in_input()?;
        let selection = Selection::of(ctx);
        let room_stay = load::stay(&mut session, stay, &StayPlan::of(&selection.field("roomStay"))?).await?;
        let new_room_stay = load::stay(&mut session, second, &StayPlan::of(&selection.field("newRoomStay"))?).await?;
        Ok(Some(session.done(SplitRoomStayPayload { room_stay, new_room_stay })))
    }

    /// Agrees with a guest on a late check-out, or takes that back. It moves the end of the stay, and with it the day on which
    /// its key is deleted. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`.
    async fn set_room_stay_departure_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay and its time of departure.")] input: SetRoomStayDepartureTimeInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        let stay = uuid(&input.room_stay_id);
        let time = input.departure_time.map_value(|time| time.0).into();
        room_stays::set_departure_time_in(session.tx(), stay, time).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Deletes a stay. Its key comes off it; on no other stay, the key is deleted two days later. Needs the permission
    /// `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn delete_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The stay.")] input: DeleteRoomStayInput,
    ) -> Resolved<Option<DeleteRoomStayPayload>> {
        let mut session = front_desk(ctx, input.reason.as_deref()).await?;
        room_stays::delete_in(session.tx(), uuid(&input.room_stay_id)).await.in_input()?;
        Ok(Some(session.done(DeleteRoomStayPayload { deleted: true })))
    }
}

async fn front_desk<'a>(ctx: &'a Context<'_>, reason: Option<&str>) -> Resolved<Session<'a>> {
    let mut session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::FrontDesk)?;
    with_reason(&mut session, reason)?;
    Ok(session)
}

/// The answer of a mutation that concerns a reservation.
pub(super) async fn reservation_payload(
    ctx: &Context<'_>,
    mut session: Session<'_>,
    id: uuid::Uuid,
) -> Resolved<Option<ReservationPayload>> {
    let plan = ReservationPlan::of(&Selection::of(ctx).field("reservation"))?;
    let reservation = load::reservation(&mut session, id, &plan).await?;
    Ok(Some(session.done(ReservationPayload { reservation })))
}

/// The answer of a mutation that concerns a stay.
pub(super) async fn stay_payload(
    ctx: &Context<'_>,
    mut session: Session<'_>,
    id: uuid::Uuid,
) -> Resolved<Option<RoomStayPayload>> {
    let plan = StayPlan::of(&Selection::of(ctx).field("roomStay"))?;
    let room_stay = load::stay(&mut session, id, &plan).await?;
    Ok(Some(session.done(RoomStayPayload { room_stay })))
}

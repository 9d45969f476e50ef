//! Mutations of clients, guest lists and imported reservations, as 3RPMS offers them.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::changes::irremovable;
use super::clients::ClientNode;
use super::context::{RequestContext, Session, with_reason};
use super::enums::ReservationStatus;
use super::error::{InInput, Resolved};
use super::front_desk::{
    CompanyInput, PersonInput, ReservationClientInput, ReservationPayload, ReservationRoomStayInput, RoomStayPayload,
    booker, new_stays, reservation_payload, stay_payload,
};
use super::scalars::{Date, uuid};
use crate::actor::Permission;
use crate::bookings::{self, ImportedReservation, NewReservation};
use crate::clients::{self, ClientChange, DetailsChange};
use crate::error::{Error, Message, Result};
use crate::reservations::ReservationChange;
use crate::room_stays;

/// A new client: exactly one of its fields.
#[derive(InputObject)]
pub struct CreateClientInput {
    /// A human being.
    person: Option<PersonInput>,
    /// An organisation.
    company: Option<CompanyInput>,
}

/// What to change of a client. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateClientInput {
    /// The client.
    id: ID,
    /// Given name of a person.
    firstname: MaybeUndefined<String>,
    /// Family name of a person, 1 to 200 characters.
    lastname: MaybeUndefined<String>,
    /// Day of birth of a person.
    birthday: MaybeUndefined<Date>,
    /// Name of an organisation, 1 to 200 characters.
    company: MaybeUndefined<String>,
    /// ISO 639-1 code; tags like `de-DE`, ISO 639-3 codes and English names are taken for it.
    language: MaybeUndefined<String>,
    /// E-mail address.
    email: MaybeUndefined<String>,
    /// Telephone number.
    telephone: MaybeUndefined<String>,
    /// Mobile number.
    mobile: MaybeUndefined<String>,
    /// Number plate.
    car_plate_number: MaybeUndefined<String>,
    /// Street and number.
    street: MaybeUndefined<String>,
    /// Postal code.
    zipcode: MaybeUndefined<String>,
    /// Town.
    city: MaybeUndefined<String>,
    /// ISO 3166-1 alpha-2 code; alpha-3 codes and English names are taken for it.
    country: MaybeUndefined<String>,
}

/// A guest to put on a stay.
#[derive(InputObject)]
pub struct AddRoomStayGuestInput {
    /// The stay, not cancelled.
    room_stay_id: ID,
    /// The client who sleeps there.
    client_id: ID,
}

/// A guest to take off a stay.
#[derive(InputObject)]
pub struct RemoveRoomStayGuestInput {
    /// The stay, not cancelled.
    room_stay_id: ID,
    /// One of its guests.
    client_id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// A reservation that was made elsewhere.
#[derive(InputObject)]
pub struct ImportReservationInput {
    /// This integration's own id of it, 1 to 64 characters. No other integration sees it.
    external_id: String,
    /// Its status there.
    #[graphql(default_with = "ReservationStatus::Active")]
    status: ReservationStatus,
    /// 1 to 64 characters, unique in the hotel whatever its capitals; made up when absent.
    code: Option<String>,
    /// Who books.
    client: ReservationClientInput,
    /// Its stays, 1 to 100. A new person who books is the guest of those that name none.
    room_stays: Vec<ReservationRoomStayInput>,
    /// Name of the travelling group.
    group_name: Option<String>,
    /// The booking's number at the channel that sold it.
    booking_channel_code: Option<String>,
    /// Where the booking came from.
    booking_source: Option<String>,
    /// Notes for the front desk.
    notes: Option<String>,
}

/// Answer of mutations of one client.
#[derive(SimpleObject)]
pub struct ClientPayload {
    /// The client.
    client: ClientNode,
}

/// Mutations of the guest side.
#[derive(Default)]
pub struct GuestMutation;

#[Object]
impl GuestMutation {
    /// Makes a client. Needs the permission `WRITE`.
    ///
    /// Errors: `INVALID_ARGUMENT`.
    async fn create_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client.")] input: CreateClientInput,
    ) -> Resolved<Option<ClientPayload>> {
        let mut session = writer(ctx).await?;
        let (kind, details) = match (input.person, input.company) {
            (Some(person), None) => person.into(),
            (None, Some(company)) => company.into(),
            _ => return Err(Error::new(Message::ClientKindAmbiguous)).in_input(),
        };
        let client = clients::create_in(session.tx(), kind, details).await.in_input()?;
        Ok(Some(session.done(ClientPayload { client: client.into() })))
    }

    /// Changes a client. A person stays a person, an organisation an organisation. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn update_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateClientInput,
    ) -> Resolved<Option<ClientPayload>> {
        let mut session = writer(ctx).await?;
        let id = uuid(&input.id);
        let client = clients::update_in(session.tx(), id, change(input).in_input()?).await.in_input()?;
        Ok(Some(session.done(ClientPayload { client: client.into() })))
    }

    /// Puts a client at the end of a stay's guest list. One that is on it already stays in its place. Needs the permission
    /// `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `RESERVATION_CANCELLED`.
    async fn add_room_stay_guest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who and where.")] input: AddRoomStayGuestInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = writer(ctx).await?;
        let stay = uuid(&input.room_stay_id);
        room_stays::add_guest_in(session.tx(), stay, uuid(&input.client_id)).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Takes a client off a stay's guest list. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`.
    async fn remove_room_stay_guest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who and where.")] input: RemoveRoomStayGuestInput,
    ) -> Resolved<Option<RoomStayPayload>> {
        let mut session = writer(ctx).await?;
        with_reason(&mut session, input.reason.as_deref())?;
        let stay = uuid(&input.room_stay_id);
        room_stays::remove_guest_in(session.tx(), stay, uuid(&input.client_id)).await.in_input()?;
        stay_payload(ctx, session, stay).await
    }

    /// Brings a reservation that was made elsewhere. The first import under an `externalId` makes it. A later one finds it
    /// again and brings its status in line; dates, rooms and guests stay as the hotel has them by then. Needs the
    /// permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `CODE_TAKEN`, `RESERVATION_CANCELLED`, `RESERVATION_INVOICED`.
    async fn import_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The reservation.")] input: ImportReservationInput,
    ) -> Resolved<Option<ReservationPayload>> {
        let mut session = writer(ctx).await?;
        let import = imported(input).in_input()?;
        let id = bookings::import_in(session.tx(), import).await.in_input()?;
        reservation_payload(ctx, session, id).await
    }
}

async fn writer<'a>(ctx: &'a Context<'_>) -> Resolved<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::Write)?;
    Ok(session)
}

fn imported(input: ImportReservationInput) -> Result<ImportedReservation> {
    let details = ReservationChange {
        group_name: Some(input.group_name),
        booking_channel_code: Some(input.booking_channel_code),
        booking_source: Some(input.booking_source),
        notes: Some(input.notes),
        ..ReservationChange::default()
    };
    let (client, stays) = (booker(input.client)?, new_stays(input.room_stays)?);
    let new = NewReservation { code: input.code, client, stays, booker_stays: true, details };
    Ok(ImportedReservation { external_id: input.external_id, status: input.status.into(), new })
}

fn change(input: UpdateClientInput) -> Result<ClientChange> {
    Ok(ClientChange {
        firstname: input.firstname.into(),
        lastname: irremovable(input.lastname, "lastname")?,
        birthday: input.birthday.map_value(|date| date.0).into(),
        company: irremovable(input.company, "company")?,
        details: DetailsChange {
            language: input.language.into(),
            email: input.email.into(),
            telephone: input.telephone.into(),
            mobile: input.mobile.into(),
            car_plate_number: input.car_plate_number.into(),
            street: input.street.into(),
            zipcode: input.zipcode.into(),
            city: input.city.into(),
            country: input.country.into(),
        },
    })
}

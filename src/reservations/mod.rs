//! Reservations: bookings of one or more rooms, found by their code.
//!
//! `ACTIVE` → `CANCELLED` → `ACTIVE`; `ACTIVE` → `INVOICED`. Cancelling and re-activating keep the stays and their keys:
//! those who open the doors learn it from `reservation.updated`.

mod model;
mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use model::{Reservation, ReservationStatus, SelfcheckinStatus};
pub use store::{ReservationField, ReservationJoins, ReservationView};
pub(crate) use store::{find_by_code, push_columns, push_joins, push_status, view};

use crate::audit::{Action, ObjectType};
use crate::clients;
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorAt, ErrorCode, Message, Record, Result, violated_constraint};
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
use crate::unit::Tx;

/// A reservation was made.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "reservation.created",
    action: Action::Created,
    object: ObjectType::Reservation,
    audience: Audience::Hotel,
    names_fields: false,
    meaning: "a reservation was made",
    seam: &[],
};
/// A reservation was changed.
pub static UPDATED: ChangeKind = ChangeKind {
    event_type: "reservation.updated",
    action: Action::Updated,
    object: ObjectType::Reservation,
    audience: Audience::Hotel,
    names_fields: true,
    meaning: r#"it was changed, cancelled or activated again (both `["status", "cancelledAt"]`)"#,
    seam: &[],
};

/// What to change of a reservation; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct ReservationChange {
    /// New code.
    pub code: Option<String>,
    /// New client.
    pub client_id: Option<Uuid>,
    /// New contact.
    pub contact_id: Option<Option<Uuid>>,
    /// New name of the group.
    pub group_name: Option<Option<String>>,
    /// New number at the booking channel.
    pub booking_channel_code: Option<Option<String>>,
    /// New source.
    pub booking_source: Option<Option<String>>,
    /// New address in the hotel's own system.
    pub pms_url: Option<Option<String>>,
    /// New notes.
    pub notes: Option<Option<String>>,
    /// New state of the online check-in.
    pub selfcheckin_status: Option<SelfcheckinStatus>,
}

/// A page of the hotel's reservations, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ReservationField>,
    request: &PageRequest<Uuid>,
    joins: ReservationJoins,
) -> Result<Page<ReservationView>> {
    store::page(conn, hotel, filter, request, joins).await
}

/// The bounds of the hotel's list of reservations.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ReservationField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    store::bounds(conn, hotel, filter, request).await
}

/// One reservation of the hotel, with what belongs to it.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    joins: ReservationJoins,
) -> Result<ReservationView> {
    let filter = Filter::Field(ReservationField::Id(Condition::Eq(Some(id))));
    let found = store::page(conn, hotel, &filter, &PageRequest::first(1), joins).await?.items.pop();
    found.ok_or_else(not_found)
}

/// Adds a reservation without stays. The caller has looked for the client.
///
/// # Errors
/// `INVALID_ARGUMENT`, `NOT_FOUND`, `CODE_TAKEN`
pub(crate) async fn create_in(
    tx: &mut Tx,
    code: Option<String>,
    client_id: Uuid,
    details: ReservationChange,
) -> Result<Uuid> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = tx.context.ids.uuid(now);
    let chosen = code.is_some();
    let mut reservation = Reservation {
        id,
        code: code.unwrap_or_else(|| made_up_code(tx)),
        status: ReservationStatus::Active,
        client_id,
        contact_id: None,
        group_name: None,
        booking_channel_code: None,
        booking_source: None,
        pms_url: None,
        notes: None,
        selfcheckin_status: SelfcheckinStatus::Disabled,
        created_at: now,
        updated_at: now,
        cancelled_at: None,
    };
    apply(&mut reservation, details);
    if chosen {
        reservation.code = model::checked_code(&reservation.code)?;
        refuse_taken_in(tx, &reservation).await?;
    }
    require_contact_in(tx, &reservation).await?;
    store::insert(tx.conn().await?, hotel, &reservation).await.map_err(code_taken)?;
    tx.emit(CREATED.of(id));
    Ok(id)
}

/// Changes a reservation.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `CODE_TAKEN`
pub async fn update_in(tx: &mut Tx, id: Uuid, change: ReservationChange) -> Result<()> {
    let before = lock_in(tx, id).await.at("id")?;
    let mut after = before.clone();
    apply(&mut after, change);
    require_client_in(tx, after.client_id).await.at("clientId")?;
    if after.code != before.code {
        after.code = model::checked_code(&after.code)?;
        refuse_taken_in(tx, &after).await?;
    }
    require_contact_in(tx, &after).await?;
    write_in(tx, &before, &after).await
}

/// Cancels an active reservation; cancelling it again changes nothing.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_INVOICED`
pub async fn cancel_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let before = lock_in(tx, id).await.at("id")?;
    match before.status {
        ReservationStatus::Active => {}
        ReservationStatus::Cancelled => return Ok(()),
        ReservationStatus::Invoiced => return Err(Error::of(ErrorCode::ReservationInvoiced)),
    }
    let after = Reservation { status: ReservationStatus::Cancelled, cancelled_at: Some(tx.now), ..before.clone() };
    write_in(tx, &before, &after).await
}

/// Makes a cancelled reservation active again. Stays keep the keys that were not cleaned up meanwhile.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_NOT_CANCELLED`
pub async fn reactivate_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let before = lock_in(tx, id).await.at("id")?;
    if before.status != ReservationStatus::Cancelled {
        return Err(Error::of(ErrorCode::ReservationNotCancelled));
    }
    let after = Reservation { status: ReservationStatus::Active, cancelled_at: None, ..before.clone() };
    write_in(tx, &before, &after).await
}

/// Brings the status of a reservation in line with that of another system.
///
/// # Errors
/// `NOT_FOUND`; `RESERVATION_INVOICED`, `RESERVATION_CANCELLED` for a status that it cannot have any more
pub(crate) async fn bring_to_in(tx: &mut Tx, id: Uuid, status: ReservationStatus) -> Result<()> {
    use ReservationStatus::{Active, Cancelled, Invoiced};
    let before = lock_in(tx, id).await?;
    match (before.status, status) {
        (Invoiced, Active | Cancelled) => return Err(Error::of(ErrorCode::ReservationInvoiced).at("status")),
        (Cancelled, Invoiced) => return Err(Error::of(ErrorCode::ReservationCancelled).at("status")),
        _ => {}
    }
    let cancelled_at = (status == Cancelled).then(|| before.cancelled_at.unwrap_or(tx.now));
    let after = Reservation { status, cancelled_at, ..before.clone() };
    write_in(tx, &before, &after).await
}

/// Holds a reservation that is not cancelled until the transaction ends.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`
pub(crate) async fn lock_open_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    if lock_in(tx, id).await?.status == ReservationStatus::Cancelled {
        return Err(Error::new(Message::ReservationCancelled));
    }
    Ok(())
}

async fn lock_in(tx: &mut Tx, id: Uuid) -> Result<Reservation> {
    let hotel = tx.actor.hotel.id;
    store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::not_found(Record::Reservation)
}

fn apply(reservation: &mut Reservation, change: ReservationChange) {
    let ReservationChange {
        code,
        client_id,
        contact_id,
        group_name,
        booking_channel_code,
        booking_source,
        pms_url,
        notes,
        selfcheckin_status,
    } = change;
    set(&mut reservation.code, code);
    set(&mut reservation.client_id, client_id);
    set(&mut reservation.contact_id, contact_id);
    set(&mut reservation.group_name, group_name);
    set(&mut reservation.booking_channel_code, booking_channel_code);
    set(&mut reservation.booking_source, booking_source);
    set(&mut reservation.pms_url, pms_url);
    set(&mut reservation.notes, notes);
    set(&mut reservation.selfcheckin_status, selfcheckin_status);
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// Refuses the code of another reservation.
async fn refuse_taken_in(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let found = store::find_by_code(tx.conn().await?, hotel, &reservation.code).await?;
    if found.is_none_or(|id| id == reservation.id) { Ok(()) } else { Err(Error::of(ErrorCode::CodeTaken).at("code")) }
}

async fn require_contact_in(tx: &mut Tx, reservation: &Reservation) -> Result<()> {
    match reservation.contact_id {
        Some(contact) => require_client_in(tx, contact).await.at("contactId"),
        None => Ok(()),
    }
}

/// Refuses a client that the hotel does not have.
///
/// # Errors
/// `NOT_FOUND`
pub(crate) async fn require_client_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let exists = clients::exists(tx.conn().await?, hotel, id).await?;
    if exists { Ok(()) } else { Err(Error::not_found(Record::Client)) }
}

async fn write_in(tx: &mut Tx, before: &Reservation, after: &Reservation) -> Result<()> {
    let fields = changed_fields(before, after);
    if fields.is_empty() {
        return Ok(());
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    store::update(tx.conn().await?, hotel, after, now).await.map_err(code_taken)?;
    tx.emit(UPDATED.of(after.id).with_fields(fields));
    Ok(())
}

fn changed_fields(before: &Reservation, after: &Reservation) -> Vec<&'static str> {
    [
        (before.code != after.code, "code"),
        (before.status != after.status, "status"),
        (before.client_id != after.client_id, "client"),
        (before.contact_id != after.contact_id, "contact"),
        (before.group_name != after.group_name, "groupName"),
        (before.booking_channel_code != after.booking_channel_code, "bookingChannelCode"),
        (before.booking_source != after.booking_source, "bookingSource"),
        (before.pms_url != after.pms_url, "pmsUrl"),
        (before.notes != after.notes, "notes"),
        (before.selfcheckin_status != after.selfcheckin_status, "selfcheckinStatus"),
        (before.cancelled_at != after.cancelled_at, "cancelledAt"),
    ]
    .into_iter()
    .filter_map(|(changed, name)| changed.then_some(name))
    .collect()
}

/// A code that nobody chose: eight characters that cannot be misread.
fn made_up_code(tx: &Tx) -> String {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut random = [0_u8; 8];
    tx.context.ids.fill(&mut random);
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Somebody else took the code since it was looked for.
fn code_taken(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("reservations_hotel_id_code_key" | "reservations_hotel_id_code_folded_key") => {
            Error::of(ErrorCode::CodeTaken).at("code")
        }
        _ => error.into(),
    }
}

//! Room access keys in the schema.

use async_graphql::{ComplexObject, Context, ID, InputObject, Interface, Object, SimpleObject};
use uuid::Uuid;

use super::audit::{AuditEntryNode, TrailPlan, Trails};
use super::connection::{Connection, ListNode};
use super::context::RequestContext;
use super::error::{InInput, Refusal, Resolved};
use super::load::{self, StayPlan};
use super::paging::{CursorScope, PageArguments};
use super::room_stays::RoomStayNode;
use super::scalars::{Datetime, uuid};
use super::selection::Selection;
use crate::db::ListBounds;
use crate::error::{Error, ErrorAt, Message, Result};
use crate::key_assignments;
use crate::room_access_keys::{self, KeyKind, NewKey, StoredKey};

/// What gives a guest access to a room. New kinds may be added at any time: handle a key of a type that you did not ask for.
#[expect(clippy::duplicated_attributes, reason = "the lint takes the types of different arguments for one attribute")]
#[derive(Clone, Interface)]
#[graphql(
    name = "RoomAccessKey",
    field(name = "id", ty = "&ID", desc = "Opaque, at most 64 letters, digits and hyphens."),
    field(
        name = "deletes_at",
        ty = "&Option<Datetime>",
        desc = "When Latchkey deletes the key by itself, as things stand; `null` for other integrations' keys."
    ),
    field(
        name = "audit_trail",
        ty = "Resolved<&Connection<AuditEntryNode>>",
        desc = "Who did what to the key and put it on which stays, the newest first. See `auditEntries`.",
        arg(
            name = "first",
            ty = "Option<i32>",
            desc = "The first so many, at most 100; 20 when neither first nor last is given."
        ),
        arg(name = "after", ty = "Option<String>", desc = "Only entries behind this cursor."),
        arg(name = "last", ty = "Option<i32>", desc = "The last so many, at most 100."),
        arg(name = "before", ty = "Option<String>", desc = "Only entries before this cursor.")
    )
)]
pub enum RoomAccessKeyNode {
    /// A PIN for the door.
    Pin(RoomAccessPin),
    /// A PIN for a key box.
    KeyStorage(RoomAccessKeyStorage),
    /// A QR code for the door.
    Qr(RoomAccessQr),
}

impl ListNode for RoomAccessKeyNode {
    const CONNECTION: &'static str = "RoomAccessKeyConnection";
    const EDGE: &'static str = "RoomAccessKeyEdge";
}

/// A PIN that opens the room itself, during the whole stay.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct RoomAccessPin {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// When Latchkey deletes the key by itself, as things stand; `null` for other integrations' keys.
    deletes_at: Option<Datetime>,
    #[graphql(skip)]
    secret: Opened,
    #[graphql(skip)]
    trails: Trails,
}

/// A PIN for a box that holds the physical key. Meant for one use on arrival; it may not work afterwards.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct RoomAccessKeyStorage {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Where staff put the key. Never show it to guests.
    compartment: String,
    /// When Latchkey deletes the key by itself, as things stand; `null` for other integrations' keys.
    deletes_at: Option<Datetime>,
    #[graphql(skip)]
    secret: Opened,
    #[graphql(skip)]
    trails: Trails,
}

/// A QR code that the lock's scanner reads.
#[derive(Clone, SimpleObject)]
#[graphql(name = "RoomAccessQR", complex)]
pub struct RoomAccessQr {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// When Latchkey deletes the key by itself, as things stand; `null` for other integrations' keys.
    deletes_at: Option<Datetime>,
    #[graphql(skip)]
    secret: Opened,
    #[graphql(skip)]
    trails: Trails,
}

/// A PIN or the data of a QR code, or why it does not open: that fails the one field that it is for, and neither the key nor
/// the page around it.
pub type Opened = Option<Resolved<String>>;

impl RoomAccessKeyNode {
    /// A key with its opened secret. Neither that nor the compartment is there where nothing of them was selected.
    pub fn new(id: Uuid, kind: KeyKind, secret: Opened, compartment: String, deletes_at: Option<Datetime>) -> Self {
        let (id, trails) = (ID(id.to_string()), Trails::default());
        match kind {
            KeyKind::Pin => Self::Pin(RoomAccessPin { id, deletes_at, secret, trails }),
            KeyKind::KeyStorage => {
                Self::KeyStorage(RoomAccessKeyStorage { id, compartment, deletes_at, secret, trails })
            }
            KeyKind::Qr => Self::Qr(RoomAccessQr { id, deletes_at, secret, trails }),
        }
    }

    /// Adds the pages of its audit trail.
    pub fn set_trails(&mut self, of_key: Trails) {
        let (Self::Pin(RoomAccessPin { trails, .. })
        | Self::KeyStorage(RoomAccessKeyStorage { trails, .. })
        | Self::Qr(RoomAccessQr { trails, .. })) = self;
        *trails = of_key;
    }

    /// One of the integration's own keys.
    fn opened(context: &RequestContext, key: StoredKey) -> Self {
        let secret = Some(open(context, key.id, &key.secret));
        let deletes_at = key.deletes_at.map(|at| Datetime::local(at, context.actor.hotel.time_zone));
        Self::new(key.id, key.kind, secret, key.compartment.unwrap_or_default(), deletes_at)
    }
}

/// Opens the PIN or the QR data of a key of the hotel.
pub fn open(context: &RequestContext, key: Uuid, sealed: &[u8]) -> Resolved<String> {
    let opened = room_access_keys::open_secret(&context.app.secret_keys, context.actor.hotel.id, key, sealed);
    opened.map(|secret| secret.expose().to_owned()).map_err(Refusal::from)
}

macro_rules! key_object {
    ($name:ident, $(#[$description:meta])+ $field:ident) => {
        #[ComplexObject]
        impl $name {
            $(#[$description])+
            async fn $field(&self) -> &Opened {
                &self.secret
            }

            /// Who did what to the key and put it on which stays, the newest first: without the permission `FRONT_DESK`, what
            /// this integration did. What the same request does is part of it afterwards. See `auditEntries`.
            async fn audit_trail(
                &self,
                #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")]
                first: Option<i32>,
                #[graphql(desc = "Only entries behind this cursor.")] after: Option<String>,
                #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
                #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
            ) -> Resolved<&Connection<AuditEntryNode>> {
                self.trails.page(&PageArguments { first, after, last, before })
            }
        }
    };
}

key_object!(
    RoomAccessPin,
    /// 1 to 10 letters and digits. A text: it can begin with zeros. `null` only beside the error `SECRET_UNREADABLE`.
    pin
);
key_object!(
    RoomAccessKeyStorage,
    /// 1 to 10 letters and digits. A text: it can begin with zeros. `null` only beside the error `SECRET_UNREADABLE`.
    pin
);
key_object!(
    RoomAccessQr,
    /// What the QR code holds: 1 to 512 characters. `null` only beside the error `SECRET_UNREADABLE`.
    qr_data
);

/// Queries for room access keys.
#[derive(Default)]
pub struct RoomAccessKeyQuery;

#[Object]
impl RoomAccessKeyQuery {
    /// The keys that this integration may grant or revoke: those that it made, in the order in which it made them.
    async fn room_access_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only keys behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only keys before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<RoomAccessKeyNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<RoomAccessKeyNode>> {
    let (hotel, integration) = (context.actor.hotel.id, context.actor.integration()?);
    let scope = CursorScope::new(hotel, "roomAccessKeys", &integration);
    let request = arguments.request(scope)?;
    let node = selection.field("edges").field("node");
    let (deletes_at, plan) = (node.has("deletesAt"), TrailPlan::of(&node)?);
    let mut session = context.read().await?;
    let page = room_access_keys::page(session.conn().await?, hotel, integration, &request, deletes_at).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        room_access_keys::bounds(session.conn().await?, hotel, integration, &wanted).await?
    };
    let keys: Vec<Uuid> = page.items.iter().map(|key| key.id).collect();
    let mut trails = Trails::read(&mut session, &keys, &plan).await?.into_iter();
    let keyed = page.map(|key| {
        let (id, mut node) = (key.id, RoomAccessKeyNode::opened(context, key));
        node.set_trails(trails.next().unwrap_or_default());
        (id, node)
    });
    Ok(Connection::new(keyed, bounds, &request, scope))
}

/// A PIN for a door.
#[derive(InputObject)]
pub struct RoomAccessPinInput {
    /// 1 to 10 letters and digits (A-Z, a-z, 0-9). Upper case or lower case, not both at the same time.
    pin: String,
}

/// A PIN for a key box.
#[derive(InputObject)]
pub struct RoomAccessKeyStorageInput {
    /// 1 to 10 letters and digits (A-Z, a-z, 0-9). Upper case or lower case, not both at the same time.
    pin: String,
    /// Where staff put the key: 1 to 10 letters and digits.
    compartment: String,
}

/// A QR code for a door.
#[derive(InputObject)]
#[graphql(name = "RoomAccessQRInput")]
pub struct RoomAccessQrInput {
    /// What the QR code holds: 1 to 512 characters.
    qr_data: String,
}

/// A new room access key: exactly one of its fields.
#[derive(InputObject)]
#[expect(clippy::struct_field_names, reason = "names of the 3RPMS schema")]
pub struct CreateRoomAccessKeyInput {
    /// A PIN for a door.
    room_access_pin: Option<RoomAccessPinInput>,
    /// A PIN for a key box.
    room_access_key_storage: Option<RoomAccessKeyStorageInput>,
    /// A QR code for a door.
    #[graphql(name = "roomAccessQR")]
    room_access_qr: Option<RoomAccessQrInput>,
}

/// Which key to put on which stay.
#[derive(InputObject)]
pub struct AddRoomAccessKeyInput {
    /// The stay: not cancelled, not departed, and without another key.
    room_stay_id: ID,
    /// One of this integration's own keys.
    room_access_key_id: ID,
}

/// Which key to take off which stay.
#[derive(InputObject)]
pub struct RemoveRoomAccessKeyInput {
    /// The stay that has the key.
    room_stay_id: ID,
    /// One of this integration's own keys.
    room_access_key_id: ID,
}

/// Which key to delete.
#[derive(InputObject)]
pub struct DeleteRoomAccessKeyInput {
    /// One of this integration's own keys, on no stay.
    room_access_key_id: ID,
}

/// Answer of `createRoomAccessKey`.
#[derive(SimpleObject)]
pub struct CreateRoomAccessKeyPayload {
    /// The new key. Keep its id.
    room_access_key: RoomAccessKeyNode,
}

/// Answer of `addRoomAccessKey`.
#[derive(SimpleObject)]
pub struct AddRoomAccessKeyPayload {
    /// The stay, with its key.
    room_stay: RoomStayNode,
}

/// Answer of `removeRoomAccessKey`.
#[derive(SimpleObject)]
pub struct RemoveRoomAccessKeyPayload {
    /// The stay, without a key.
    room_stay: RoomStayNode,
}

/// Answer of `deleteRoomAccessKey`.
#[derive(SimpleObject)]
pub struct DeleteRoomAccessKeyPayload {
    /// Always true; a key that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of room access keys.
#[derive(Default)]
pub struct RoomAccessKeyMutation;

#[Object]
impl RoomAccessKeyMutation {
    /// Makes a room access key. Until it is added to a stay, only the integration that made it sees it.
    ///
    /// Writing a key operates no lock: it tells the hotel and its other integrations how the room is opened.
    ///
    /// Errors: `INVALID_ARGUMENT`, `ROOM_ACCESS_KEYS_DISABLED`.
    async fn create_room_access_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the key holds.")] input: CreateRoomAccessKeyInput,
    ) -> Resolved<Option<CreateRoomAccessKeyPayload>> {
        let context = RequestContext::of(ctx);
        let mut session = context.write().await?;
        let new = new_key(input).in_input()?;
        let key = key_assignments::create_in(session.tx(), &new).in_input()?;
        let plan = TrailPlan::of(&Selection::of(ctx).field("roomAccessKey"))?;
        let trails = Trails::read(&mut session, &[key.id], &plan).await?.pop().unwrap_or_default();
        let mut room_access_key = RoomAccessKeyNode::opened(context, key);
        room_access_key.set_trails(trails);
        Ok(Some(session.done(CreateRoomAccessKeyPayload { room_access_key })))
    }

    /// Puts one of this integration's keys on a stay, for other integrations and staff to use. Best done a day before the
    /// arrival. A key may be on several stays; a stay has at most one key. Adding the key that is already there succeeds.
    ///
    /// Errors: `NOT_FOUND`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`, `KEY_ALREADY_ASSIGNED`,
    /// `ROOM_ACCESS_KEYS_DISABLED`.
    async fn add_room_access_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key on which stay.")] input: AddRoomAccessKeyInput,
    ) -> Resolved<Option<AddRoomAccessKeyPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let stay = uuid(&input.room_stay_id);
        let stay = key_assignments::add_key_in(session.tx(), stay, uuid(&input.room_access_key_id)).await.in_input()?;
        let plan = StayPlan::of(&Selection::of(ctx).field("roomStay"))?;
        let room_stay = load::written_stay(&mut session, stay, &plan).await?;
        Ok(Some(session.done(AddRoomAccessKeyPayload { room_stay })))
    }

    /// Takes one of this integration's keys off a stay.
    ///
    /// Errors: `NOT_FOUND`, `KEY_NOT_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`.
    async fn remove_room_access_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key off which stay.")] input: RemoveRoomAccessKeyInput,
    ) -> Resolved<Option<RemoveRoomAccessKeyPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let stay = uuid(&input.room_stay_id);
        let stay =
            key_assignments::remove_key_in(session.tx(), stay, uuid(&input.room_access_key_id)).await.in_input()?;
        let plan = StayPlan::of(&Selection::of(ctx).field("roomStay"))?;
        let room_stay = load::written_stay(&mut session, stay, &plan).await?;
        Ok(Some(session.done(RemoveRoomAccessKeyPayload { room_stay })))
    }

    /// Deletes one of this integration's keys, after it was removed from all stays. Latchkey deletes keys by itself two days
    /// after the departure, or after two days on no stay.
    ///
    /// Errors: `NOT_FOUND`, `KEY_STILL_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`.
    async fn delete_room_access_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: DeleteRoomAccessKeyInput,
    ) -> Resolved<Option<DeleteRoomAccessKeyPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        key_assignments::delete_in(session.tx(), uuid(&input.room_access_key_id)).await.in_input()?;
        Ok(Some(session.done(DeleteRoomAccessKeyPayload { deleted: true })))
    }
}

fn new_key(input: CreateRoomAccessKeyInput) -> Result<NewKey> {
    match (input.room_access_pin, input.room_access_key_storage, input.room_access_qr) {
        (Some(new), None, None) => NewKey::pin(new.pin).at("roomAccessPin"),
        (None, Some(new), None) => NewKey::key_storage(new.pin, new.compartment).at("roomAccessKeyStorage"),
        (None, None, Some(new)) => NewKey::qr(new.qr_data).at("roomAccessQR"),
        _ => Err(Error::new(Message::KeyKindAmbiguous)),
    }
}

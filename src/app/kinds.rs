//! The catalogue of changes: from it come the types that can be subscribed to, the schema's text and the table in docs/EVENTS.md.

use crate::events::Catalogue;
use crate::{
    access_grants, clients, hotel_settings, lock_commands, reservations, room_access_keys, room_stays, rooms, webhooks,
};

/// Every kind of change, in the order in which they are documented.
pub static KINDS: Catalogue = Catalogue::new(&[
    &reservations::CREATED,
    &reservations::UPDATED,
    &room_stays::CREATED,
    &room_stays::UPDATED,
    &room_stays::DELETED,
    &clients::UPDATED,
    &room_access_keys::CREATED,
    &room_access_keys::DELETED,
    &access_grants::GRANT_CREATED,
    &access_grants::GRANT_UPDATED,
    &access_grants::GRANT_DELETED,
    &access_grants::METHOD_CREATED,
    &access_grants::METHOD_UPDATED,
    &access_grants::METHOD_REVOKED,
    &lock_commands::CREATED,
    &lock_commands::FINISHED,
    &hotel_settings::UPDATED,
    &rooms::CREATED,
    &rooms::UPDATED,
    &webhooks::TESTED,
]);

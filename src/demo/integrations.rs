//! The four integrations of every hotel of the demo.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::file::{DemoHotel, DemoIntegration};
use crate::actor::Permission;
use crate::auth::{self, ApiKeyPair, NewApiKey};
use crate::context::Context;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::integrations;

/// The lock vendor whose locks take PINs and QR codes.
pub const DOOR_LOCKS: &str = "Tumbler Door Locks";
/// The lock vendor whose boxes hold physical keys.
pub const KEY_STORAGE: &str = "Nightbox Key Storage";
const GUEST_MESSAGING: &str = "Guest Messaging";
const FRONT_DESK: &str = "Front Desk";

/// Name and permission of each, in the order of `demo.json`.
pub const INTEGRATIONS: [(&str, Permission); 4] = [
    (DOOR_LOCKS, Permission::Write),
    (KEY_STORAGE, Permission::Write),
    (GUEST_MESSAGING, Permission::ReadOnly),
    (FRONT_DESK, Permission::FrontDesk),
];

/// The two that make room access keys.
#[derive(Clone, Copy)]
pub struct LockVendors {
    /// See [`DOOR_LOCKS`].
    pub door_locks: Uuid,
    /// See [`KEY_STORAGE`].
    pub key_storage: Uuid,
}

/// Adds the integrations to a new hotel, and a pair of API keys to each.
pub async fn create(
    conn: &mut PgConnection,
    context: &Context,
    hotel: HotelId,
    slug: &str,
    now: DateTime<Utc>,
) -> Result<(LockVendors, DemoHotel)> {
    let ids = INTEGRATIONS.map(|_| context.ids.uuid(now));
    for (id, (name, _)) in ids.iter().zip(INTEGRATIONS) {
        integrations::insert(conn, hotel, *id, name, now).await?;
    }
    let entry = issue_keys(conn, context, hotel, slug, ids, now).await?;
    Ok((LockVendors { door_locks: ids[0], key_storage: ids[1] }, entry))
}

/// Makes a pair of API keys for each of the hotel's integrations, given in the order of [`INTEGRATIONS`].
pub async fn issue_keys(
    conn: &mut PgConnection,
    context: &Context,
    hotel: HotelId,
    slug: &str,
    integrations: [Uuid; 4],
    now: DateTime<Utc>,
) -> Result<DemoHotel> {
    let mut entries = Vec::with_capacity(integrations.len());
    for (integration, (name, permission)) in integrations.into_iter().zip(INTEGRATIONS) {
        let (id, pair) = (context.ids.uuid(now), ApiKeyPair::generate(&context.ids));
        let new =
            NewApiKey { id, hotel_id: hotel, integration_id: integration, name: name.to_owned(), permission, pair };
        auth::insert_api_key(conn, &new, now).await?;
        entries.push(DemoIntegration {
            name: name.to_owned(),
            permission: permission.as_str().to_owned(),
            live_key: new.pair.live.expose().to_owned(),
            test_key: new.pair.test.expose().to_owned(),
        });
    }
    Ok(DemoHotel { slug: slug.to_owned(), integrations: entries })
}

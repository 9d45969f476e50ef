//! Room access keys of the demo, made in bulk.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::integrations::LockVendors;
use super::store::{self, Assignment, KeyRecord};
use crate::context::Context;
use crate::error::Result;
use crate::hotels::{Hotel, HotelId};
use crate::secrets::seal_context;

/// What a key opens, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PIN at the door.
    Pin,
    /// A PIN at the box with the physical key.
    Storage,
    /// A QR code at the door.
    Qr,
}

/// A key and the stays that it is for.
pub struct Wanted {
    /// Its kind.
    pub kind: Kind,
    /// The stays, of which there is at least one.
    pub stay_ids: Vec<Uuid>,
}

/// Makes the keys, each owned by the vendor of its kind, and puts them on their stays.
pub async fn hand_out(
    conn: &mut PgConnection,
    context: &Context,
    hotel: &Hotel,
    vendors: LockVendors,
    wanted: Vec<Wanted>,
    now: DateTime<Utc>,
) -> Result<()> {
    let stays: Vec<Uuid> = wanted.iter().flat_map(|wanted| wanted.stay_ids.iter().copied()).collect();
    let due: HashMap<Uuid, DateTime<Utc>> = store::ends(conn, hotel.id, &stays)
        .await?
        .into_iter()
        .map(|stay| (stay.id, hotel.key_due(stay.reservation_from, stay.reservation_to, stay.departure_time)))
        .collect();
    let keys: Vec<KeyRecord> = wanted
        .into_iter()
        .map(|wanted| {
            let stays = wanted.stay_ids.iter().map(|id| Assignment { id: *id, due_at: due[id] }).collect();
            make(context, hotel.id, vendors, wanted.kind, stays, now)
        })
        .collect();
    Ok(store::hand_out(conn, hotel.id, &keys, now).await?)
}

fn make(
    context: &Context,
    hotel: HotelId,
    vendors: LockVendors,
    kind: Kind,
    stays: Vec<Assignment>,
    now: DateTime<Utc>,
) -> KeyRecord {
    let id = context.ids.uuid(now);
    let mut random = [0; 8];
    context.ids.fill(&mut random);
    let number = u64::from_be_bytes(random);
    let pin = format!("{:06}", number % 1_000_000);
    let compartment = format!("{}{}", number / 1_000_000 % 20 + 1, if number.is_multiple_of(2) { "L" } else { "R" });
    let (kind, integration_id, plain, compartment) = match kind {
        Kind::Pin => ("PIN", vendors.door_locks, pin, None),
        Kind::Storage => ("KEY_STORAGE", vendors.key_storage, pin, Some(compartment)),
        Kind::Qr => ("QR", vendors.door_locks, format!("tumbler:{number:016x}"), None),
    };
    let secret = STANDARD.encode(context.secret_keys.seal(&context.ids, &seal_context(hotel, id), &plain));
    KeyRecord { id, integration_id, kind, secret, compartment, stays }
}

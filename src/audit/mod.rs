//! The audit trail: who did what to which record, when, and why where staff said so.
//!
//! Services note what they do in the [`Journal`] of their transaction ([`crate::unit::Tx::emit`] and
//! [`crate::unit::Tx::audit`]); its commit writes the entries together with the events ([`crate::events`]). So an entry
//! exists exactly when its effect does: a request that fails and one with a test key leave none.
//!
//! An entry names fields and never tells values, so it holds no secret and nothing of a guest but the reason that staff
//! wrote. Nothing changes or deletes an entry; partitions are dropped after [`RETENTION`], whatever has become of the
//! record.
//!
//! Not in it: what a machine keeps for itself (use of API keys, deliveries and their attempts, kept answers), the records
//! of the demo as it is loaded, and its API keys.

mod journal;
mod model;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use journal::Journal;
pub use model::{Action, Actor, ActorType, AuditEntry, Entry, Object, ObjectType, REASON_MAX, Reason};

use crate::actor::{self, Permission};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::Result;
use crate::hotels::HotelId;

/// How long entries are kept: a year, and time to look into what happened in it.
pub const RETENTION: TimeDelta = TimeDelta::days(400);

/// Which entries of a hotel somebody may read.
///
/// An integration reads its own. With the permission `FRONT_DESK` it reads those about what a front desk sees, with
/// `ADMIN` all, by whomever they were caused.
#[derive(Clone, Debug)]
pub struct Reader {
    hotel: HotelId,
    /// Its own entries are read in any case.
    integration: Option<Uuid>,
    /// Types of objects about which everybody's entries are read.
    types: &'static [ObjectType],
}

impl Reader {
    /// The sender of a request.
    pub fn of(actor: &actor::Actor) -> Self {
        let types = match actor.permission {
            Permission::ReadOnly | Permission::Write => &[],
            Permission::FrontDesk => ObjectType::OF_FRONT_DESK,
            Permission::Admin => ObjectType::ALL,
        };
        Self { hotel: actor.hotel.id, integration: actor.principal.integration_id(), types }
    }

    /// An operator of the service.
    pub fn operator(hotel: HotelId) -> Self {
        Self { hotel, integration: None, types: ObjectType::ALL }
    }
}

/// Which entries, as far as the reader may see them: the newest first.
#[derive(Clone, Debug)]
pub struct AuditList {
    /// Who reads.
    pub reader: Reader,
    /// Not before this instant.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
}

impl AuditList {
    /// Everything that the reader may see.
    pub fn of(reader: Reader) -> Self {
        Self { reader, since: None, until: None }
    }
}

/// A page of the entries about all of the hotel, newest first.
pub async fn page(conn: &mut PgConnection, list: &AuditList, request: &PageRequest<Uuid>) -> Result<Page<AuditEntry>> {
    store::page(conn, list, request).await
}

/// The bounds of the list of entries about all of the hotel.
pub async fn bounds(
    conn: &mut PgConnection,
    list: &AuditList,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    store::bounds(conn, list, request).await
}

/// For each of these records, whether or not it still exists, a page of the entries about it, newest first.
pub async fn pages_of_objects(
    conn: &mut PgConnection,
    list: &AuditList,
    objects: &[Uuid],
    request: &PageRequest<Uuid>,
) -> Result<Vec<Page<AuditEntry>>> {
    store::pages_of_objects(conn, list, objects, request).await
}

/// The bounds of the lists of entries about these records.
pub async fn bounds_of_objects(
    conn: &mut PgConnection,
    list: &AuditList,
    objects: &[Uuid],
    request: &ListBoundsRequest<Uuid>,
) -> Result<Vec<ListBounds>> {
    store::bounds_of_objects(conn, list, objects, request).await
}

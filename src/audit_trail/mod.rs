//! The audit trail as it is read: who may see which entries, by page.

mod store;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::actor::{self, Permission};
use crate::audit::{Action, ActorType, Object, ObjectType};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::integrations::Integration;

/// Who made an entry.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What kind of actor.
    pub actor_type: ActorType,
    /// The integration.
    pub integration: Option<Integration>,
    /// Id and name of the pair of API keys.
    pub api_key: Option<(Uuid, String)>,
}

/// An entry as it was written.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Id; ids sort in the order in which entries were written.
    pub id: Uuid,
    /// When it was done.
    pub created_at: DateTime<Utc>,
    /// What was done.
    pub action: Action,
    /// To what.
    pub object: Object,
    /// Names of the fields that changed; `None` for everything but updates.
    pub updated_fields: Option<Vec<String>>,
    /// Another record that it concerns.
    pub related: Option<Object>,
    /// Who did it.
    pub actor: Actor,
    /// Why, where staff said so.
    pub reason: Option<String>,
    /// `X-Request-Id` of the request that did it.
    pub request_id: Option<String>,
}

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

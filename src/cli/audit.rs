//! `latchkey audit`

use chrono::SecondsFormat;
use serde_json::{Value, json};
use uuid::Uuid;

use super::table::{Output, Table};
use super::{Failure, explain};
use crate::app::App;
use crate::audit::Object;
use crate::audit_trail::{self, AuditEntry, AuditList, Reader};
use crate::db::PageRequest;
use crate::error::ErrorCode;
use crate::hotel_settings;

/// Entries that are read at a time.
const PAGE: u16 = 100;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The hotel; one that was deleted by its id
    hotel_slug: String,
    /// Only what concerns the record with this id: a room stay, a room access key, a reservation ...; it may be gone
    #[arg(long, value_name = "ID")]
    object: Option<Uuid>,
    /// At most so many, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(args: &Args, app: &App) -> Result<String, Failure> {
    let hotel = match (hotel_settings::get_by_slug(app, &args.hotel_slug).await, args.hotel_slug.parse()) {
        (Ok(hotel), _) => hotel.id,
        (Err(error), Ok(id)) if error.code == ErrorCode::NotFound => id,
        (Err(error), _) => return Err(explain::no_such(error, || explain::no_hotel(&args.hotel_slug))),
    };
    let list = AuditList::of(Reader::operator(hotel));
    let mut conn = app.worker_pool.acquire().await?;
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let request = PageRequest { after, ..PageRequest::first(PAGE) };
        let page = match args.object {
            Some(object) => audit_trail::pages_of_objects(&mut conn, &list, &[object], &request).await?.remove(0),
            None => audit_trail::page(&mut conn, &list, &request).await?,
        };
        after = page.items.last().map(|entry| entry.id);
        entries.extend(page.items);
        if !page.more || entries.len() >= args.limit {
            entries.truncate(args.limit);
            let table = Table::new(&["at", "actor", "action", "object", "fields", "related", "reason", "requestId"]);
            let table = entries.iter().fold(table, |table, entry| table.row(values(entry)));
            return Ok(table.print(&args.output));
        }
    }
}

fn values(entry: &AuditEntry) -> [Value; 8] {
    let object = |object: &Object| json!(format!("{} {}", object.object_type.as_str(), object.id));
    let actor = match (&entry.actor.integration, &entry.actor.api_key) {
        (Some(integration), Some((id, _))) => format!("{} (API key {id})", integration.name),
        (Some(integration), None) => integration.name.clone(),
        (None, _) => entry.actor.actor_type.as_str().to_owned(),
    };
    [
        json!(entry.created_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        json!(actor),
        json!(entry.action.as_str()),
        object(&entry.object),
        json!(entry.updated_fields),
        json!(entry.related.as_ref().map(object)),
        json!(entry.reason),
        json!(entry.request_id),
    ]
}

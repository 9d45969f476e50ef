//! `latchkey audit`

use chrono::SecondsFormat;
use uuid::Uuid;

use super::{Failure, print, start};
use crate::app::App;
use crate::audit::{self, AuditEntry, AuditList, Reader};
use crate::config::Config;
use crate::db::PageRequest;
use crate::hotels;

/// Entries that are read at a time.
const PAGE: u8 = 100;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The hotel
    hotel_slug: String,
    /// Only what concerns the record with this id: a room stay, a room access key, a reservation ...; it may be gone
    #[arg(long, value_name = "ID")]
    object: Option<Uuid>,
    /// At most so many, the newest first
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

pub(super) async fn run(args: Args, config: &Config) -> Result<(), Failure> {
    let started = start(config).await?;
    let outcome = execute(&args, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(args: &Args, app: &App) -> Result<String, Failure> {
    let hotel = hotels::get_by_slug(app, &args.hotel_slug).await?;
    let list = AuditList::of(Reader::operator(hotel.id));
    let mut conn = app.worker_pool.acquire().await?;
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let request = PageRequest { after, ..PageRequest::first(PAGE) };
        let page = match args.object {
            Some(object) => audit::pages_of_objects(&mut conn, &list, &[object], &request).await?.remove(0),
            None => audit::page(&mut conn, &list, &request).await?,
        };
        after = page.items.last().map(|entry| entry.id);
        lines.extend(page.items.iter().map(line));
        if !page.more || lines.len() >= args.limit {
            lines.truncate(args.limit);
            return Ok(lines.concat());
        }
    }
}

/// When, who, what was done, to what, which fields, what else it concerns, why, in which request.
fn line(entry: &AuditEntry) -> String {
    let absent = || "-".to_owned();
    let object = |object: &audit::Object| format!("{} {}", object.object_type.as_str(), object.id);
    let actor = match (&entry.actor.integration, &entry.actor.api_key) {
        (Some(integration), Some((id, _))) => format!("{} (API key {id})", integration.name),
        (Some(integration), None) => integration.name.clone(),
        (None, _) => entry.actor.actor_type.as_str().to_owned(),
    };
    let columns = [
        entry.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        actor,
        entry.action.as_str().to_owned(),
        object(&entry.object),
        entry.updated_fields.as_ref().map_or_else(absent, |fields| fields.join(",")),
        entry.related.as_ref().map_or_else(absent, object),
        entry.reason.clone().unwrap_or_else(absent),
        entry.request_id.clone().unwrap_or_else(absent),
    ];
    format!("{}\n", columns.join("\t"))
}

//! `latchkey webhook`

use chrono::SecondsFormat;
use serde_json::json;

use super::table::{Output, Table};
use super::{Failure, explain};
use crate::app::App;
use crate::webhooks;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List a hotel's webhook endpoints, and why and since when Latchkey has disabled them
    List {
        /// The hotel
        hotel_slug: String,
        #[command(flatten)]
        output: Output,
    },
}

pub(super) async fn run(command: Command, app: &App) -> Result<String, Failure> {
    let Command::List { hotel_slug, output } = command;
    let hotel = explain::hotel(app, &hotel_slug).await?;
    let endpoints = webhooks::of_hotel(app, hotel.id).await?;
    let table = Table::new(&["id", "integration", "url", "status", "format", "events", "reason", "disabledAt"]);
    let table = endpoints.iter().fold(table, |table, (integration, endpoint)| {
        let disabled_at = endpoint.disabled_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        table.row([
            json!(endpoint.id),
            json!(integration),
            json!(endpoint.url),
            json!(endpoint.status.as_str()),
            json!(endpoint.format.as_str()),
            json!(endpoint.events),
            json!(endpoint.disabled_reason),
            json!(disabled_at),
        ])
    });
    Ok(table.print(&output))
}

//! `latchkey integration`

use std::fmt::Write as _;

use serde_json::json;

use super::table::{Output, Table};
use super::{Failure, begin, explain};
use crate::app::App;
use crate::disconnection;
use crate::hotels::Hotel;
use crate::integrations::{self, Holdings, Integration};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Connect an integration; `api-key create` does so, too
    Connect(Named),
    /// List a hotel's integrations and what they hold
    List {
        /// The hotel
        hotel_slug: String,
        #[command(flatten)]
        output: Output,
    },
    /// Revoke an integration's API keys, delete its webhook endpoints, access grants and user identities, and take its room access
    /// keys off all stays
    Disconnect(Named),
}

#[derive(clap::Args)]
pub(super) struct Named {
    /// The hotel
    hotel_slug: String,
    /// Name of the integration
    name: String,
}

pub(super) async fn run(command: Command, app: &App) -> Result<String, Failure> {
    match command {
        Command::Connect(Named { hotel_slug, name }) => {
            let hotel = explain::hotel(app, &hotel_slug).await?;
            let mut tx = begin(app, hotel).await?;
            let integration = integrations::connect_in(&mut tx, &name).await?;
            tx.commit().await?;
            Ok(format!("id    {}\n", integration.id))
        }
        Command::List { hotel_slug, output } => {
            let hotel = explain::hotel(app, &hotel_slug).await?;
            Ok(table(&integrations::list(app, hotel.id).await?).print(&output))
        }
        Command::Disconnect(Named { hotel_slug, name }) => {
            let hotel = explain::hotel(app, &hotel_slug).await?;
            disconnect(app, &hotel, &name).await
        }
    }
}

/// Says what was taken away by each of the transactions that it took.
async fn disconnect(app: &App, hotel: &Hotel, name: &str) -> Result<String, Failure> {
    let mut said = String::new();
    loop {
        let mut tx = begin(app, hotel.clone()).await?;
        let done = disconnection::disconnect_by_name_in(&mut tx, name).await.map_err(|error| {
            let list = format!("`latchkey integration list {}` shows those that there are", hotel.slug);
            explain::no_such(error, || format!("there is no integration {name:?}: {list}"))
        })?;
        tx.commit().await?;
        writeln!(
            said,
            "{} API keys revoked, {} webhook endpoints deleted, {} room access keys deleted, {} stays changed, \
             {} access grants deleted, {} user identities deleted",
            done.api_keys_revoked,
            done.webhook_endpoints_deleted,
            done.room_access_keys_deleted,
            done.room_stays_changed,
            done.access_grants_deleted,
            done.user_identities_deleted,
        )
        .expect("a string takes everything");
        let left = done.room_access_keys_left + done.access_grants_left + done.user_identities_left;
        let keys = done.room_access_keys_deleted + done.room_stays_changed;
        let progress = keys + done.access_grants_deleted + done.user_identities_deleted > 0;
        if left == 0 || !progress {
            return Ok(said);
        }
    }
}

fn table(integrations: &[(Integration, Holdings)]) -> Table {
    let table = Table::new(&[
        "id",
        "name",
        "apiKeys",
        "roomAccessKeys",
        "roomStays",
        "accessGrants",
        "userIdentities",
        "webhookEndpoints",
        "state",
    ]);
    integrations.iter().fold(table, |table, (integration, holdings)| {
        let state = if integration.disconnected_at.is_some() { "disconnected" } else { "connected" };
        table.row([
            json!(integration.id),
            json!(integration.name),
            json!(holdings.api_keys),
            json!(holdings.room_access_keys),
            json!(holdings.room_stays),
            json!(holdings.access_grants),
            json!(holdings.user_identities),
            json!(holdings.webhook_endpoints),
            json!(state),
        ])
    })
}

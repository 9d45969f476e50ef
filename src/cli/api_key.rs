//! `latchkey api-key`

use chrono::SecondsFormat;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::json;
use uuid::Uuid;

use super::table::{Output, Table};
use super::{Failure, begin, explain};
use crate::actor::Permission;
use crate::app::App;
use crate::auth::{self, ApiKeyChange, ApiKeyInfo, NewApiKey};
use crate::integrations;
use crate::unit::Tx;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a pair of keys and print it, this one time
    Create(Create),
    /// List a hotel's keys, masked
    List {
        /// The hotel
        hotel_slug: String,
        #[command(flatten)]
        output: Output,
    },
    /// Refuse a pair until it is enabled again
    Disable {
        /// Id of the pair, see `list`
        id: Uuid,
    },
    /// Accept a disabled pair again
    Enable {
        /// Id of the pair, see `list`
        id: Uuid,
    },
    /// Refuse a pair for good
    Revoke {
        /// Id of the pair, see `list`
        id: Uuid,
    },
    /// Refuse a pair for good and print a new one of the same name, permission and integration, this one time
    Regenerate {
        /// Id of the pair, see `list`
        id: Uuid,
    },
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// The hotel
    hotel_slug: String,
    /// Name of the vendor's connection, which is made when it is new
    #[arg(long, value_name = "NAME")]
    integration: String,
    /// Name of the pair; that of the integration when left out
    #[arg(long)]
    name: Option<String>,
    /// What the keys permit
    #[arg(long)]
    permission: Permission,
}

impl ValueEnum for Permission {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::ReadOnly => "Queries",
            Self::Write => "Also room access keys, physical check-in and check-out, cleaning status",
            Self::FrontDesk => "Also what a hotel does at its front desk: rooms, reservations and stays",
            Self::Admin => "Also what its administrator does: API keys, integrations, the hotel's switches",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

pub(super) async fn run(command: Command, app: &App) -> Result<String, Failure> {
    match command {
        Command::Create(new) => {
            let hotel = explain::hotel(app, &new.hotel_slug).await?;
            let mut tx = begin(app, hotel).await?;
            let integration = integrations::ensure_in(&mut tx, &new.integration).await?;
            let name = new.name.unwrap_or(new.integration);
            let made = auth::create_in(&mut tx, integration, name, new.permission).await?;
            tx.commit().await?;
            Ok(shown_once(&made))
        }
        Command::List { hotel_slug, output } => {
            let hotel = explain::hotel(app, &hotel_slug).await?;
            Ok(table(&auth::list_api_keys(app, hotel.id).await?).print(&output))
        }
        Command::Disable { id } => change(app, id, ApiKeyChange::Disable).await,
        Command::Enable { id } => change(app, id, ApiKeyChange::Enable).await,
        Command::Revoke { id } => change(app, id, ApiKeyChange::Revoke).await,
        Command::Regenerate { id } => {
            let mut tx = begin_for(app, id).await?;
            let made = auth::regenerate_in(&mut tx, id).await?;
            tx.commit().await?;
            Ok(shown_once(&made))
        }
    }
}

async fn change(app: &App, id: Uuid, change: ApiKeyChange) -> Result<String, Failure> {
    let mut tx = begin_for(app, id).await?;
    auth::change_in(&mut tx, id, change).await?;
    tx.commit().await?;
    Ok(String::new())
}

/// A transaction of the hotel that a pair of API keys belongs to.
async fn begin_for(app: &App, id: Uuid) -> Result<Tx, Failure> {
    let no_pair = || format!("there is no pair of API keys {id}: `latchkey api-key list <hotel>` shows a hotel's");
    let hotel = auth::hotel_of(app, id).await.map_err(|error| explain::no_such(error, no_pair))?;
    Ok(begin(app, hotel).await?)
}

fn shown_once(made: &NewApiKey) -> String {
    format!("id    {}\nlive  {}\ntest  {}\n", made.id, made.pair.live.expose(), made.pair.test.expose())
}

fn table(keys: &[ApiKeyInfo]) -> Table {
    let table = Table::new(&[
        "id",
        "integration",
        "name",
        "permission",
        "liveKey",
        "testKey",
        "requests",
        "lastUsedAt",
        "state",
    ]);
    keys.iter().fold(table, |table, key| {
        let state = match (key.revoked_at, key.disabled_at) {
            (Some(_), _) => "revoked",
            (None, Some(_)) => "disabled",
            (None, None) => "active",
        };
        table.row([
            json!(key.id),
            json!(key.integration.name),
            json!(key.name),
            json!(key.permission.as_str()),
            json!(key.live_preview),
            json!(key.test_preview),
            json!(key.request_count),
            json!(key.last_used_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))),
            json!(state),
        ])
    })
}

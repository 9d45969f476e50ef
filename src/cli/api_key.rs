//! `latchkey api-key`

use chrono::SecondsFormat;
use uuid::Uuid;

use super::{Failure, print, start};
use crate::app::App;
use crate::auth::{self, ApiKeyChange, ApiKeyInfo, NewApiKey, Permission};
use crate::config::Config;
use crate::hotels;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a pair of keys and print it, this one time
    Create(Create),
    /// List a hotel's keys, masked
    List {
        /// The hotel
        hotel_slug: String,
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

pub(super) async fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let started = start(config).await?;
    let outcome = execute(command, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(command: Command, app: &App) -> Result<String, Failure> {
    match command {
        Command::Create(new) => {
            let hotel = hotels::get_by_slug(app, &new.hotel_slug).await?;
            let name = new.name.as_ref().unwrap_or(&new.integration);
            let made = auth::create_api_key(app, hotel.id, &new.integration, name, new.permission).await?;
            Ok(shown_once(&made))
        }
        Command::List { hotel_slug } => {
            let hotel = hotels::get_by_slug(app, &hotel_slug).await?;
            Ok(auth::list_api_keys(app, hotel.id).await?.iter().map(line).collect())
        }
        Command::Disable { id } => change(app, id, ApiKeyChange::Disable).await,
        Command::Enable { id } => change(app, id, ApiKeyChange::Enable).await,
        Command::Revoke { id } => change(app, id, ApiKeyChange::Revoke).await,
        Command::Regenerate { id } => Ok(shown_once(&auth::regenerate_api_key(app, id).await?)),
    }
}

async fn change(app: &App, id: Uuid, change: ApiKeyChange) -> Result<String, Failure> {
    auth::change_api_key(app, id, change).await?;
    Ok(String::new())
}

fn shown_once(made: &NewApiKey) -> String {
    format!("id    {}\nlive  {}\ntest  {}\n", made.id, made.pair.live.expose(), made.pair.test.expose())
}

/// Id, integration, name, permission, previews, requests, last use, state.
fn line(key: &ApiKeyInfo) -> String {
    let state = match (key.revoked_at, key.disabled_at) {
        (Some(_), _) => "revoked",
        (None, Some(_)) => "disabled",
        (None, None) => "active",
    };
    let last_used = key.last_used_at.map_or("never".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let columns = [
        &key.id.to_string(),
        &key.integration.name,
        &key.name,
        key.permission.as_str(),
        &key.live_preview,
        &key.test_preview,
        &key.request_count.to_string(),
        &last_used,
        state,
    ];
    format!("{}\n", columns.join("\t"))
}

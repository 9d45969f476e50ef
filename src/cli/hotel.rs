//! `latchkey hotel`

use std::fmt::Write as _;

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::{Failure, print, start};
use crate::app::App;
use crate::config::Config;
use crate::hotels::{self, Hotel, HotelChange, NewHotel};
use crate::webhooks::{self, Endpoint};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a hotel
    Create(Create),
    /// Change a hotel; what is left out stays as it is
    Update(Update),
    /// List all hotels
    List,
    /// List a hotel's webhook endpoints, and why and since when Latchkey has disabled them
    Webhooks {
        /// The hotel
        slug: String,
    },
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// Name in addresses: lower-case letters, digits and hyphens
    slug: String,
    /// Name that people read
    #[arg(long)]
    name: String,
    /// IANA name of the hotel's time zone, such as Europe/Berlin
    #[arg(long)]
    time_zone: Tz,
    /// Local time from which rooms are handed out
    #[arg(long, value_name = "HH:MM", default_value = "15:00", value_parser = time)]
    check_in: NaiveTime,
    /// Local time by which rooms are given back
    #[arg(long, value_name = "HH:MM", default_value = "11:00", value_parser = time)]
    check_out: NaiveTime,
}

#[derive(clap::Args)]
pub(super) struct Update {
    /// The hotel
    slug: String,
    /// Name that people read
    #[arg(long)]
    name: Option<String>,
    /// IANA name of the hotel's time zone; moves all departures
    #[arg(long)]
    time_zone: Option<Tz>,
    /// Local time from which rooms are handed out
    #[arg(long, value_name = "HH:MM", value_parser = time)]
    check_in: Option<NaiveTime>,
    /// Local time by which rooms are given back; moves all departures but late check-outs
    #[arg(long, value_name = "HH:MM", value_parser = time)]
    check_out: Option<NaiveTime>,
    /// Whether lock vendors may write room access keys
    #[arg(long)]
    room_access_keys: Option<Switch>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) async fn run(command: Command, config: &Config) -> Result<(), Failure> {
    let started = start(config).await?;
    let outcome = execute(command, &started.app).await;
    started.stop().await;
    print(&outcome?)
}

async fn execute(command: Command, app: &App) -> Result<String, Failure> {
    let hotels = match command {
        Command::Create(new) => {
            let new = NewHotel {
                slug: new.slug,
                name: new.name,
                time_zone: new.time_zone,
                check_in_time: new.check_in,
                check_out_time: new.check_out,
            };
            vec![hotels::create(app, new).await?]
        }
        Command::Update(update) => {
            let change = HotelChange {
                name: update.name,
                time_zone: update.time_zone,
                check_in_time: update.check_in,
                check_out_time: update.check_out,
                room_access_keys_enabled: update.room_access_keys.map(|switch| matches!(switch, Switch::On)),
            };
            vec![hotels::update(app, &update.slug, change).await?]
        }
        Command::List => hotels::list(app).await?,
        Command::Webhooks { slug } => {
            let hotel = hotels::get_by_slug(app, &slug).await?;
            return Ok(webhooks::of_hotel(app, hotel.id).await?.iter().map(endpoint_line).collect());
        }
    };
    Ok(hotels.iter().map(line).collect())
}

fn line(hotel: &Hotel) -> String {
    let mut line = format!("{}\t{}\t{}", hotel.slug, hotel.name, hotel.time_zone);
    let times = (hotel.check_in_time.format("%H:%M"), hotel.check_out_time.format("%H:%M"));
    writeln!(line, "\tcheck-in {}\tcheck-out {}", times.0, times.1).expect("a string takes everything");
    line
}

fn endpoint_line((integration, endpoint): &(String, Endpoint)) -> String {
    let reason = endpoint.disabled_reason.as_deref().unwrap_or("-");
    let since = endpoint.disabled_at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    format!("{integration}\t{}\t{}\t{reason}\t{since}\n", endpoint.url, endpoint.status.as_str())
}

fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "expected a time such as 15:00".to_owned())
}

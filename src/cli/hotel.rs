//! `latchkey hotel`

use std::sync::Arc;

use chrono::NaiveTime;
use chrono_tz::{TZ_VARIANTS, Tz};
use serde_json::{Value, json};

use super::table::{Output, Table};
use super::{Failure, begin, explain};
use crate::app::App;
use crate::hotel_settings::{self, Contents, HotelChange, NewHotel};
use crate::hotels::Hotel;
use crate::rooms;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Create a hotel
    Create(Create),
    /// Change a hotel; what is left out stays as it is
    Update(Update),
    /// List all hotels
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Show a hotel's settings and how much belongs to it
    Show {
        /// The hotel
        slug: String,
        #[command(flatten)]
        output: Output,
    },
    /// List a hotel's rooms
    Rooms {
        /// The hotel
        slug: String,
        #[command(flatten)]
        output: Output,
    },
    /// Delete a hotel and everything that belongs to it, once its integrations are disconnected
    Delete(Delete),
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// Name in addresses: lower-case letters, digits and hyphens
    slug: String,
    /// Name that people read
    #[arg(long)]
    name: String,
    /// IANA name of the hotel's time zone, such as Europe/Berlin
    #[arg(long, value_parser = time_zone)]
    time_zone: Tz,
    /// Local time from which rooms are handed out
    #[arg(long, value_name = "HH:MM", default_value = "15:00", value_parser = time)]
    check_in: NaiveTime,
    /// Local time by which rooms are given back
    #[arg(long, value_name = "HH:MM", default_value = "11:00", value_parser = time)]
    check_out: NaiveTime,
    /// Make it a sandbox, for good: a hotel to try things in, where what guests and locks do can be simulated
    #[arg(long)]
    sandbox: bool,
}

#[derive(clap::Args)]
pub(super) struct Update {
    /// The hotel
    slug: String,
    /// Name that people read
    #[arg(long)]
    name: Option<String>,
    /// IANA name of the hotel's time zone; moves all departures
    #[arg(long, value_parser = time_zone)]
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

#[derive(clap::Args)]
pub(super) struct Delete {
    /// The hotel
    slug: String,
    /// The slug again; without it, nothing is deleted and what would be is told
    #[arg(long, value_name = "SLUG")]
    yes_delete: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

pub(super) async fn run(command: Command, app: &App) -> Result<String, Failure> {
    match command {
        Command::Create(new) => {
            let new = NewHotel {
                slug: new.slug,
                name: new.name,
                time_zone: new.time_zone,
                check_in_time: new.check_in,
                check_out_time: new.check_out,
                is_sandbox: new.sandbox,
            };
            Ok(table([&hotel_settings::create(app, new).await?]).text())
        }
        Command::Update(update) => {
            let change = HotelChange {
                name: update.name,
                time_zone: update.time_zone,
                check_in_time: update.check_in,
                check_out_time: update.check_out,
                room_access_keys_enabled: update.room_access_keys.map(|switch| matches!(switch, Switch::On)),
            };
            let mut tx = begin(app, explain::hotel(app, &update.slug).await?).await?;
            hotel_settings::update_in(&mut tx, &change).await?;
            let hotel = Arc::clone(&tx.actor.hotel);
            tx.commit().await?;
            Ok(table([&*hotel]).text())
        }
        Command::List { output } => Ok(table(&hotel_settings::list(app).await?).print(&output)),
        Command::Show { slug, output } => {
            let hotel = explain::hotel(app, &slug).await?;
            let contents = hotel_settings::contents(app, hotel.id).await?;
            Ok(card(&hotel, &contents).print_first(&output))
        }
        Command::Rooms { slug, output } => {
            let hotel = explain::hotel(app, &slug).await?;
            let rooms = rooms::room_setups(&mut *app.worker_pool.acquire().await?, hotel.id).await?;
            let table = Table::new(&["id", "name", "category", "area"]);
            let table = rooms.iter().fold(table, |table, room| {
                table.row([json!(room.id), json!(room.name), json!(room.category.name), json!(room.area_name)])
            });
            Ok(table.print(&output))
        }
        Command::Delete(args) => delete(app, &args).await,
    }
}

async fn delete(app: &App, Delete { slug, yes_delete }: &Delete) -> Result<String, Failure> {
    let hotel = explain::hotel(app, slug).await?;
    if yes_delete.as_ref() != Some(slug) {
        let Contents { reservations, room_stays, clients, room_access_keys, .. } =
            hotel_settings::contents(app, hotel.id).await?;
        return Err(Failure::Other(format!(
            "nothing is deleted yet: {slug:?} has {reservations} reservations, {room_stays} room stays, {clients} clients and \
             {room_access_keys} room access keys, and they would be gone for good. If that is meant: latchkey hotel delete \
             {slug} --yes-delete {slug}"
        )));
    }
    let rows = hotel_settings::delete(app, &hotel).await?;
    Ok(format!(
        "Deleted {slug} and {rows} records of it. `latchkey audit {}` goes on telling its audit trail.\n",
        hotel.id
    ))
}

const HOTEL: &[&str] = &["slug", "name", "timeZone", "checkIn", "checkOut", "roomAccessKeys", "sandbox"];

fn values(hotel: &Hotel) -> [Value; 7] {
    let time = |time: NaiveTime| json!(time.format("%H:%M").to_string());
    [
        json!(hotel.slug),
        json!(hotel.name),
        json!(hotel.time_zone.name()),
        time(hotel.check_in_time),
        time(hotel.check_out_time),
        json!(hotel.room_access_keys_enabled),
        json!(hotel.is_sandbox),
    ]
}

fn table<'a>(hotels: impl IntoIterator<Item = &'a Hotel>) -> Table {
    hotels.into_iter().fold(Table::new(HOTEL), |table, hotel| table.row(values(hotel)))
}

fn card(hotel: &Hotel, contents: &Contents) -> Table {
    let table = Table::new(&[
        "slug",
        "name",
        "timeZone",
        "checkIn",
        "checkOut",
        "roomAccessKeys",
        "sandbox",
        "id",
        "categories",
        "rooms",
        "clients",
        "reservations",
        "roomStays",
        "keys",
        "integrations",
        "apiKeys",
        "webhookEndpoints",
    ]);
    let counts = [
        contents.categories,
        contents.rooms,
        contents.clients,
        contents.reservations,
        contents.room_stays,
        contents.room_access_keys,
        contents.integrations,
        contents.api_keys,
        contents.webhook_endpoints,
    ];
    table.row(values(hotel).into_iter().chain([json!(hotel.id)]).chain(counts.map(|count| json!(count))))
}

fn time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "expected a time such as 15:00".to_owned())
}

/// A zone by its name, or what the name may have been meant to be.
fn time_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        let wanted = text.to_lowercase().replace(' ', "_");
        let is_meant = |zone: &&Tz| {
            let name = zone.name().to_lowercase();
            !wanted.is_empty() && (name == wanted || name.rsplit('/').next() == Some(&wanted))
        };
        match TZ_VARIANTS.iter().find(is_meant) {
            Some(zone) => format!("the IANA name of that zone is {}", zone.name()),
            None => "expected the IANA name of a time zone, such as Europe/Berlin".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_is_not_known_is_answered_with_one_that_is() {
        assert_eq!(time_zone("Europe/Berlin"), Ok(Tz::Europe__Berlin));
        let meant = Err("the IANA name of that zone is America/New_York".to_owned());
        assert_eq!(time_zone("new york"), meant);
        assert_eq!(time_zone("america/new_york"), meant);
        for text in ["Mars", "", "+01:00"] {
            assert!(time_zone(text).is_err_and(|reason| reason.contains("such as Europe/Berlin")), "{text}");
        }
    }
}

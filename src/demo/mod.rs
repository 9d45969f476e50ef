//! The demo: four hotels to try Latchkey with, loaded into an empty database, and the file that tells their API keys.
//!
//! `grand-hotel` is hand-made, so that examples find what they need; `city-hotel` and `resort-hotel` hold the real bookings
//! of `data/ATTRIBUTION.md`. These live around the present of the clock at the time of loading. `sandbox` is a sandbox hotel, which
//! nobody has booked yet.
//!
//! It grows old: `latchkey demo --reset` empties its hotels and loads it again, in one transaction, and only where nobody else's hotels are.
//!
//! API keys are stored as hashes only, so `demo.json` is the one place that knows them, and both must agree. Everything is
//! loaded in one transaction, and the file is on the disk before it commits. A crash in between leaves a file without a
//! database, which the next start loads again and overwrites. Whenever the file is lost, damaged or about other keys,
//! the next start revokes the demo's API keys, makes new ones and writes the file again.

mod doors;
mod file;
mod grand_hotel;
mod house;
mod integrations;
mod keys;
mod overview;
mod real_hotels;
mod sandbox;
mod store;

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, NaiveTime, Utc};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

pub use file::{DemoFile, DemoHotel, DemoIntegration};
pub use overview::{curl, overview, reader};

use crate::auth::ApiKey;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::import::lift_time_limits;
use integrations::INTEGRATIONS;
use real_hotels::REAL_HOTELS;

/// Loads the demo when the database holds no hotel, and sees to it that `demo.json` in `data_dir` is true: `url` and keys
/// that work. Does nothing where somebody's own hotels are.
///
/// # Errors
/// `INTERNAL` when the file cannot be written; then nothing is loaded.
pub async fn ensure(context: &Context, data_dir: &Path, url: &str) -> Result<()> {
    let now = context.clock.now();
    let mut transaction = context.worker_pool.begin().await?;
    lift_time_limits(&mut transaction).await?;
    store::lock(&mut transaction).await?;
    let hotels = if store::is_empty(&mut transaction).await? {
        tracing::info!("loading the demo");
        load(&mut transaction, context, now).await?
    } else {
        let Some(present) = find(&mut transaction).await? else { return Ok(()) };
        match DemoFile::read(data_dir).map_err(Error::internal)? {
            Some(file) if is_true(&mut transaction, &file, &present).await? => {
                if file.url == url {
                    return Ok(());
                }
                file.hotels
            }
            _ => {
                tracing::warn!(
                    "demo.json is lost or does not belong to this database: making new API keys for the demo"
                );
                reissue(&mut transaction, context, present, now).await?
            }
        }
    };
    DemoFile { url: url.to_owned(), hotels }.write(data_dir).map_err(Error::internal)?;
    transaction.commit().await?;
    Ok(())
}

/// Loads the demo into a database without hotels; `None` when it has some.
///
/// # Errors
/// `INTERNAL` when the file cannot be written; then nothing is loaded.
pub async fn load_into_empty(context: &Context, data_dir: &Path, url: &str) -> Result<Option<DemoFile>> {
    let mut transaction = context.worker_pool.begin().await?;
    lift_time_limits(&mut transaction).await?;
    store::lock(&mut transaction).await?;
    if !store::is_empty(&mut transaction).await? {
        return Ok(None);
    }
    let file = load_and_tell(&mut transaction, context, data_dir, url).await?;
    transaction.commit().await?;
    Ok(Some(file))
}

/// Empties the demo's hotels and loads them again, on a connection of the owner of the tables. `None` when the database holds
/// other hotels, too; then nothing is changed.
///
/// # Errors
/// `INTERNAL` when the file cannot be written, `UNAVAILABLE` when a server uses the tables; then nothing is changed.
pub async fn reset(
    context: &Context,
    owner: &mut PgConnection,
    data_dir: &Path,
    url: &str,
) -> Result<Option<DemoFile>> {
    let mut transaction = owner.begin().await?;
    store::lock(&mut transaction).await?;
    store::lock_all_hotels(&mut transaction).await?;
    if !store::is_empty(&mut transaction).await? {
        let demo: Vec<&str> = slugs().collect();
        let foreign = store::slugs(&mut transaction).await?.iter().any(|slug| !demo.contains(&slug.as_str()));
        // Somebody's own hotels may bear these names; the demo's integrations are none that a hotel has by chance.
        if foreign || find(&mut transaction).await?.is_none() {
            return Ok(None);
        }
        store::empty_hotels(&mut transaction).await?;
    }
    lift_time_limits(&mut transaction).await?;
    let file = load_and_tell(&mut transaction, context, data_dir, url).await?;
    transaction.commit().await?;
    Ok(Some(file))
}

/// Writes where the server is into the file, if that belongs to the database.
pub async fn renew_url(context: &Context, data_dir: &Path, url: &str) -> Result<()> {
    let Ok(Some(file)) = DemoFile::read(data_dir) else { return Ok(()) };
    if file.url == url {
        return Ok(());
    }
    let mut conn = context.worker_pool.acquire().await?;
    let Some(present) = find(&mut conn).await? else { return Ok(()) };
    if is_true(&mut conn, &file, &present).await? {
        DemoFile { url: url.to_owned(), ..file }.write(data_dir).map_err(Error::internal)?;
    }
    Ok(())
}

/// When the demo of the database was loaded; `None` when it is not there.
pub async fn loaded_at(context: &Context) -> Result<Option<DateTime<Utc>>> {
    let mut conn = context.worker_pool.acquire().await?;
    let Some(present) = find(&mut conn).await? else { return Ok(None) };
    let Some(first) = present.first() else { return Ok(None) };
    Ok(store::created_at(&mut conn, first.id).await?)
}

async fn load_and_tell(conn: &mut PgConnection, context: &Context, data_dir: &Path, url: &str) -> Result<DemoFile> {
    let hotels = load(conn, context, context.clock.now()).await?;
    let file = DemoFile { url: url.to_owned(), hotels };
    file.write(data_dir).map_err(Error::internal)?;
    Ok(file)
}

async fn load(conn: &mut PgConnection, context: &Context, now: DateTime<Utc>) -> Result<Vec<DemoHotel>> {
    let mut hotels = vec![grand_hotel::load(conn, context, now).await?];
    for real in &REAL_HOTELS {
        hotels.push(real_hotels::load(conn, context, real, now).await?);
    }
    hotels.push(sandbox::load(conn, context, now).await?);
    Ok(hotels)
}

/// A hotel of the demo in the database; the integrations are in the order of [`INTEGRATIONS`].
struct Present {
    id: HotelId,
    slug: String,
    integrations: [Uuid; 4],
}

/// The demo's hotels, in the order of the file, when all of them and all of their integrations are there. A demo that 0.1.0 has loaded
/// has no sandbox.
async fn find(conn: &mut PgConnection) -> Result<Option<Vec<Present>>> {
    let wanted: Vec<String> = slugs().map(str::to_owned).collect();
    let names = INTEGRATIONS.map(|(name, _)| name.to_owned());
    let found: HashMap<(String, String), (HotelId, Uuid)> = store::integrations(conn, &wanted, &names)
        .await?
        .into_iter()
        .map(|one| ((one.slug, one.name), (one.hotel_id, one.id)))
        .collect();
    let present = |slug: String| {
        let mut integrations = [Uuid::nil(); 4];
        let mut id = Uuid::nil();
        for (integration, (name, _)) in integrations.iter_mut().zip(INTEGRATIONS) {
            (id, *integration) = *found.get(&(slug.clone(), name.to_owned()))?;
        }
        Some(Present { id, slug, integrations })
    };
    let present: Vec<Present> = wanted.into_iter().filter_map(present).collect();
    let has_sandbox = store::slugs(conn).await?.iter().any(|slug| slug == sandbox::SLUG);
    let expected = slugs().filter(|slug| *slug != sandbox::SLUG || has_sandbox);
    Ok(present.iter().map(|hotel| hotel.slug.as_str()).eq(expected).then_some(present))
}

fn slugs() -> impl Iterator<Item = &'static str> {
    std::iter::once(grand_hotel::SLUG).chain(REAL_HOTELS.iter().map(|real| real.slug)).chain([sandbox::SLUG])
}

/// Whether the file lists the demo's hotels that are present and their integrations, with API keys that the database knows.
async fn is_true(conn: &mut PgConnection, file: &DemoFile, present: &[Present]) -> Result<bool> {
    let slugs = present.iter().map(|hotel| hotel.slug.as_str());
    let complete = file.hotels.iter().map(|hotel| hotel.slug.as_str()).eq(slugs)
        && file.hotels.iter().all(|hotel| {
            let listed = hotel.integrations.iter().map(|one| (one.name.as_str(), one.permission.as_str()));
            listed.eq(INTEGRATIONS.iter().map(|(name, permission)| (*name, permission.as_str())))
        });
    let hashes = |key: fn(&DemoIntegration) -> &str| -> Vec<Vec<u8>> {
        let integrations = file.hotels.iter().flat_map(|hotel| &hotel.integrations);
        integrations.map(|one| ApiKey::hash_of(key(one)).to_vec()).collect()
    };
    let (live, test) = (hashes(|one| &one.live_key), hashes(|one| &one.test_key));
    Ok(complete && usize::try_from(store::known_pairs(conn, &live, &test).await?) == Ok(live.len()))
}

/// Replaces the API keys, which nobody knows any more.
async fn reissue(
    conn: &mut PgConnection,
    context: &Context,
    hotels: Vec<Present>,
    now: DateTime<Utc>,
) -> Result<Vec<DemoHotel>> {
    let mut entries = Vec::with_capacity(hotels.len());
    for hotel in hotels {
        for integration in hotel.integrations {
            store::revoke_pairs(conn, hotel.id, integration, now).await?;
        }
        entries.push(integrations::issue_keys(conn, context, hotel.id, &hotel.slug, hotel.integrations, now).await?);
    }
    Ok(entries)
}

/// A local time that is known to exist.
fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day")
}

//! The rotation of secret keys: what older keys have sealed is sealed again, with the first key of the ring.
//!
//! It walks through each place of sealed values in the order of its primary key, hotel by hotel, and opens every value: so a
//! run also tells which do not open. What is to be sealed again is changed in short transactions. They skip rows that others
//! hold and then wait for them one at a time, holding nothing else, so they cannot be part of a deadlock. A run that was
//! interrupted is run again, beside any number of servers and of other runs.
//!
//! A value that opens, but with another key than the one that it names, was sealed by a server that had that key under the
//! wrong number. It is sealed again, too.
//!
//! Not promised: that older keys are done with after one run, as a request that began before may still seal with one. A run
//! that finds nothing to do is the proof.

pub mod registry;
mod store;

use std::collections::{BTreeMap, BTreeSet};

pub use store::{PLACES, Place};
use store::{RowId, Sealed};

use crate::context::Context;
use crate::error::Result;
use crate::hotel_settings;
use crate::hotels::HotelId;
use crate::secrets;

/// What a run found and did in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Table and column.
    pub place: Place,
    /// Values that were looked at.
    pub seen: usize,
    /// How many of them each secret key had sealed, by the number that they name.
    pub by_key: BTreeMap<u32, usize>,
    /// Of these, values that were sealed again.
    pub resealed: usize,
    /// Of these, values that do not open: their key is not in the ring, or they are damaged. They are left as they are.
    pub unopened: Vec<String>,
}

/// Whether a run changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Seals again what is not sealed with the first key.
    Reseal,
    /// Opens everything and changes nothing.
    Check,
}

/// Seals everything with the first key that is sealed with another one.
///
/// # Errors
/// The first one that the database meets. What was done until then stays done.
pub async fn reseal_all(context: &Context) -> Result<Vec<Rotated>> {
    walk(context, Run::Reseal).await
}

/// Opens everything that is sealed.
///
/// # Errors
/// The first one that the database meets.
pub async fn check_all(context: &Context) -> Result<Vec<Rotated>> {
    walk(context, Run::Check).await
}

async fn walk(context: &Context, run: Run) -> Result<Vec<Rotated>> {
    let hotels = hotel_settings::list(context).await?;
    let mut all = Vec::new();
    for place in PLACES {
        let mut done = Rotated { place, seen: 0, by_key: BTreeMap::new(), resealed: 0, unopened: Vec::new() };
        for hotel in &hotels {
            walk_hotel(context, hotel.id, run, &mut done).await?;
        }
        all.push(done);
    }
    Ok(all)
}

async fn walk_hotel(context: &Context, hotel: HotelId, run: Run, done: &mut Rotated) -> Result<()> {
    let mut after = None;
    loop {
        let mut conn = context.worker_pool.acquire().await?;
        let batch = store::next_batch(&mut conn, hotel, done.place, after.as_ref()).await?;
        drop(conn);
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.row.clone());
        done.seen += batch.len();
        let mut stale = Vec::new();
        for sealed in batch {
            if let Some(number) = secrets::key_number(&sealed.value) {
                *done.by_key.entry(number).or_default() += 1;
            }
            match state(context, hotel, done.place, &sealed) {
                State::Current => {}
                State::Stale => stale.push(sealed.row),
                State::Unopened => done.unopened.push(name(hotel, &sealed.row)),
            }
        }
        if run == Run::Reseal && !stale.is_empty() {
            reseal_rows(context, hotel, done, stale).await?;
        }
    }
}

/// How a value is sealed.
enum State {
    /// With the first key.
    Current,
    /// With another key of the ring.
    Stale,
    /// With none of them, as far as can be told.
    Unopened,
}

fn state(context: &Context, hotel: HotelId, place: Place, sealed: &Sealed) -> State {
    let (bound_to, keys) = (place.seal_context(hotel, &sealed.row), &context.secret_keys);
    if secrets::key_number(&sealed.value) == Some(keys.current()) && keys.opens(&bound_to, &sealed.value) {
        State::Current
    } else if keys.open_with_any(&bound_to, &sealed.value).is_some() {
        State::Stale
    } else {
        State::Unopened
    }
}

fn name(hotel: HotelId, row: &RowId) -> String {
    format!("{hotel} {}", row.id)
}

/// All of the rows that nobody holds in one transaction, then the rest one by one.
async fn reseal_rows(context: &Context, hotel: HotelId, done: &mut Rotated, rows: Vec<RowId>) -> Result<()> {
    let place = done.place;
    let mut tx = context.worker_pool.begin().await?;
    let free = store::claim_free(&mut tx, hotel, place, &rows).await?;
    let mut left: BTreeSet<RowId> = rows.into_iter().collect();
    for sealed in &free {
        left.remove(&sealed.row);
    }
    let resealed = reseal(context, hotel, place, free);
    store::write(&mut tx, hotel, place, &resealed).await?;
    tx.commit().await?;
    done.resealed += resealed.len();

    for row in left {
        let mut tx = context.worker_pool.begin().await?;
        let claimed = store::claim(&mut tx, hotel, place, &row).await?;
        let resealed = reseal(context, hotel, place, claimed);
        store::write(&mut tx, hotel, place, &resealed).await?;
        tx.commit().await?;
        done.resealed += resealed.len();
    }
    Ok(())
}

/// Those of the locked values that are still stale, sealed again.
fn reseal(context: &Context, hotel: HotelId, place: Place, held: Vec<Sealed>) -> Vec<Sealed> {
    let mut resealed = Vec::with_capacity(held.len());
    for sealed in held {
        if !matches!(state(context, hotel, place, &sealed), State::Stale) {
            continue;
        }
        let bound_to = place.seal_context(hotel, &sealed.row);
        if let Some(plain) = context.secret_keys.open_with_any(&bound_to, &sealed.value) {
            let value = context.secret_keys.seal(&context.ids, &bound_to, plain.expose());
            resealed.push(Sealed { row: sealed.row, value });
        }
    }
    resealed
}

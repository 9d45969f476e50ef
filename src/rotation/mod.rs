//! The rotation of secret keys: what older keys have sealed is sealed anew with the first key of the ring.
//!
//! It walks through each place of sealed values in the order of its primary key, hotel by hotel, in short transactions. It
//! skips rows that others hold and then waits for them one at a time, holding nothing else, so it cannot be part of a
//! deadlock. What is already sealed with the first key is only looked at: a run that was interrupted is run again, beside
//! any number of servers and of other runs.
//!
//! Not promised: that older keys are done with after one run, as a request that began before may still seal with one. A run
//! that finds nothing to do is the proof.

mod store;

use std::collections::BTreeSet;

pub use store::{PLACES, Place};
use store::{Range, Sealed};

use crate::app::App;
use crate::error::Result;
use crate::hotels::{self, HotelId};

/// What a run did in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Table and column.
    pub place: Place,
    /// Values that were looked at.
    pub seen: usize,
    /// Of these, values that were sealed anew.
    pub resealed: usize,
    /// Of these, values that do not open: their key is not in the ring, or they are damaged. They are left as they are.
    pub unopened: Vec<String>,
}

/// Seals everything with the first key that is sealed with another one.
///
/// # Errors
/// The first one that the database meets. What was done until then stays done.
pub async fn reseal_all(app: &App) -> Result<Vec<Rotated>> {
    let hotels = hotels::list(app).await?;
    let mut all = Vec::new();
    for place in PLACES {
        let mut done = Rotated { place, seen: 0, resealed: 0, unopened: Vec::new() };
        for hotel in &hotels {
            reseal_hotel(app, hotel.id, place, &mut done).await?;
        }
        all.push(done);
    }
    Ok(all)
}

async fn reseal_hotel(app: &App, hotel: HotelId, place: Place, done: &mut Rotated) -> Result<()> {
    let mut after = None;
    loop {
        let mut conn = app.worker_pool.acquire().await?;
        let range = store::next_range(&mut conn, hotel, place, after, app.secret_keys.current()).await?;
        drop(conn);
        let Some(range) = range else { return Ok(()) };
        done.seen += range.seen;
        if range.stale {
            reseal_range(app, hotel, place, &range, done).await?;
        }
        after = Some(range.last);
    }
}

/// All of the range that nobody holds in one transaction, then the rest one by one.
async fn reseal_range(app: &App, hotel: HotelId, place: Place, range: &Range, done: &mut Rotated) -> Result<()> {
    let mut unopened = BTreeSet::new();
    let mut tx = app.worker_pool.begin().await?;
    let free = store::claim_free(&mut tx, hotel, place, range, app.secret_keys.current()).await?;
    let resealed = reseal(app, hotel, place, free, &mut unopened);
    store::write(&mut tx, hotel, place, &resealed).await?;
    tx.commit().await?;
    done.resealed += resealed.len();

    let mut rest = range.clone();
    loop {
        let mut tx = app.worker_pool.begin().await?;
        let claimed = store::claim_first(&mut tx, hotel, place, &rest, app.secret_keys.current()).await?;
        let Some(claimed) = claimed else { break };
        rest.after = Some(claimed.row.clone());
        let resealed = reseal(app, hotel, place, vec![claimed], &mut unopened);
        store::write(&mut tx, hotel, place, &resealed).await?;
        tx.commit().await?;
        done.resealed += resealed.len();
    }
    done.unopened.extend(unopened);
    Ok(())
}

/// The values that open, sealed anew. The rows of the others are noted.
fn reseal(
    app: &App,
    hotel: HotelId,
    place: Place,
    claimed: Vec<Sealed>,
    unopened: &mut BTreeSet<String>,
) -> Vec<Sealed> {
    let mut resealed = Vec::with_capacity(claimed.len());
    for Sealed { row, value } in claimed {
        let context = place.seal_context(hotel, &row);
        match app.secret_keys.open(&context, &value) {
            Ok(plain) => {
                let value = app.secret_keys.seal(&app.ids, &context, plain.expose());
                resealed.push(Sealed { row, value });
            }
            Err(_) => {
                unopened.insert(format!("{hotel} {}", row.id));
            }
        }
    }
    resealed
}

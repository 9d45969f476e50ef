//! The register of secret keys: which key each number stands for, by its fingerprint, in the database that is sealed with them.
//!
//! A process compares its ring with the register before it seals or opens anything, and does not start with another key under a
//! known number, or without a key that values are still sealed with. A key that is new is registered then. A number that
//! values name already, as in a database that is older than the register, has to prove itself on some of them.
//!
//! A key that nothing is sealed with any more is *released*: processes start without it, but its number still stands for no other
//! key. So is one that was lost, once somebody gives it up: its values do not open, and everything else works.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use self::store::Registered;
use super::store::{PLACES, key_numbers, sealed_with};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::secrets::{Fingerprint, KEY_ID_BYTES};

/// Most values of a place on which an unregistered key is tried. One that opens is proof; several may be damaged.
const SAMPLES: i64 = 20;

/// Why a process must not use its secret keys. As the end of a sentence that begins with where they are from.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A number stands for another key in the database.
    #[error(
        "has another key {number} than the one that this database is sealed with{}: put that one back, and give a new key a new number",
        known_as.map(|known| format!(" (it is the database's key {known})")).unwrap_or_default()
    )]
    Other {
        /// The number.
        number: u32,
        /// The number under which the database knows the key.
        known_as: Option<u32>,
    },
    /// A key that is needed is not there.
    #[error(
        "lacks key {0}, with which values of this database are sealed: add it behind the others, or, if it is lost for \
         good, give it up with `latchkey rotate-secrets --give-up-key {0}`"
    )]
    Missing(u32),
    /// An unregistered key opens none of the values that name its number.
    #[error("has a key {0} that opens nothing of what this database has sealed with its key {0}: put that one back")]
    Unproven(u32),
    /// A key that is there cannot be given up.
    #[error("has key {0}: remove it there before you give it up")]
    Present(u32),
    /// The database could not be asked.
    #[error("{}", .0.message.english())]
    Database(Error),
}

impl From<Error> for RegistryError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What the register lacks.
#[derive(Default)]
struct Changes {
    /// Keys that are new, or used again.
    register: Vec<(u32, Fingerprint)>,
    /// Keys that nothing is sealed with any more.
    release: Vec<u32>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.register.is_empty() && self.release.is_empty()
    }
}

/// Compares the ring with the register and changes nothing.
///
/// # Errors
/// See [`RegistryError`].
pub async fn verify(context: &Context) -> Result<(), RegistryError> {
    compare(&mut *context.worker_pool.acquire().await?, context).await.map(drop)
}

/// Compares the ring with the register, and registers what is new. Of processes that do so at once with different keys, the
/// first one wins.
///
/// # Errors
/// See [`RegistryError`].
pub async fn register(context: &Context) -> Result<(), RegistryError> {
    if compare(&mut *context.worker_pool.acquire().await?, context).await?.is_empty() {
        return Ok(());
    }
    let mut tx = context.worker_pool.begin().await?;
    store::lock(&mut tx).await?;
    // Once more: another process may just have done it, with these keys or with others.
    let changes = compare(&mut tx, context).await?;
    let now = context.clock.now();
    for (number, fingerprint) in &changes.register {
        store::register(&mut tx, *number, fingerprint, now).await?;
    }
    for number in changes.release {
        store::release(&mut tx, number, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Gives up a key that is lost: processes start without it, and what it has sealed does not open.
///
/// # Errors
/// See [`RegistryError`].
pub async fn give_up(context: &Context, number: u32) -> Result<(), RegistryError> {
    if context.secret_keys.fingerprints().contains_key(&number) {
        return Err(RegistryError::Present(number));
    }
    let mut tx = context.worker_pool.begin().await?;
    store::lock(&mut tx).await?;
    store::release(&mut tx, number, context.clock.now()).await?;
    Ok(tx.commit().await?)
}

async fn compare(conn: &mut PgConnection, context: &Context) -> Result<Changes, RegistryError> {
    let ring = context.secret_keys.fingerprints();
    let all = store::registered(conn).await?;
    let known: BTreeMap<u32, Fingerprint> = all.iter().filter_map(|key| Some((key.number, key.fingerprint?))).collect();
    for (number, fingerprint) in &ring {
        if known.get(number).is_some_and(|expected| expected != fingerprint) {
            let known_as = known.iter().find(|(_, known)| *known == fingerprint).map(|(number, _)| *number);
            return Err(RegistryError::Other { number: *number, known_as });
        }
    }
    context.secret_keys.expect(&known);
    let is_in_use = |number: u32| all.iter().any(|key| key.number == number && !key.released);
    let mut changes = Changes {
        register: ring.iter().filter(|(number, _)| !is_in_use(**number)).map(|(n, f)| (*n, *f)).collect(),
        release: all.iter().filter(|key| is_absent(key, &ring)).map(|key| key.number).collect(),
    };
    if changes.is_empty() {
        return Ok(changes);
    }
    // Only now, as it reads everything that is sealed.
    let named = named_numbers(conn).await?;
    let missing = changes.release.iter().copied().find(|number| named.contains(number));
    // Before the first key is registered, a number in a value is all that tells of a key.
    let unheard_of = named.iter().copied().filter(|_| known.is_empty());
    let unheard_of =
        unheard_of.filter(|number| !ring.contains_key(number)).find(|n| all.iter().all(|key| key.number != *n));
    if let Some(number) = missing.or(unheard_of) {
        return Err(RegistryError::Missing(number));
    }
    for (number, _) in &changes.register {
        if !known.contains_key(number) && named.contains(number) && !opens_any(conn, context, *number).await? {
            return Err(RegistryError::Unproven(*number));
        }
    }
    changes.register.sort_unstable_by_key(|(number, _)| *number);
    Ok(changes)
}

fn is_absent(key: &Registered, ring: &BTreeMap<u32, Fingerprint>) -> bool {
    !key.released && !ring.contains_key(&key.number)
}

async fn named_numbers(conn: &mut PgConnection) -> Result<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for place in PLACES {
        let named = key_numbers(conn, place).await?;
        numbers.extend(
            named.iter().filter_map(|bytes| bytes.first_chunk::<KEY_ID_BYTES>()).map(|b| u32::from_be_bytes(*b)),
        );
    }
    Ok(numbers)
}

async fn opens_any(conn: &mut PgConnection, context: &Context, number: u32) -> Result<bool> {
    for place in PLACES {
        let samples = sealed_with(conn, place, number, SAMPLES).await?;
        let opens = |(hotel, sealed): &(_, super::Sealed)| {
            context.secret_keys.opens(&place.seal_context(*hotel, &sealed.row), &sealed.value)
        };
        if samples.iter().any(opens) {
            return Ok(true);
        }
    }
    Ok(false)
}

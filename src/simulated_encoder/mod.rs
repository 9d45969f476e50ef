//! Simulated encoders: Latchkey plays them itself, for demonstrations and tests.
//!
//! One is a client of the leased queue ([`crate::lock_commands`]) as a bridge is. What it keeps, nobody but it reads: how it was
//! told to fail next, and the card that it wrote last.

mod encoders;
mod store;

use uuid::Uuid;

use self::encoders::SimulatedEncoders;
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt as _, Message, Result};
use crate::lock_commands::{CHANNEL, Failure, encoder_in};
use crate::locks::Reference;
use crate::queue::{self, Worker};
use crate::unit::{Transactions, Tx};

/// Tells a simulated encoder how its next attempt at a card fails; `None`: it succeeds. Answers with the encoder's id.
///
/// # Errors
/// `NOT_FOUND` at `encoderId`; `INVALID_ARGUMENT` for an encoder that is not simulated, and for a failure that encoders do not
/// report.
pub async fn simulate_next_in(tx: &mut Tx, encoder: &Reference, failure: Option<Failure>) -> Result<Uuid> {
    let encoder = encoder_in(tx, encoder).await?;
    if !encoder.simulated {
        return Err(Error::new(Message::EncoderNotSimulated)).at("encoderId");
    }
    if let Some(traits) = failure.map(Failure::traits)
        && !traits.is_reported
    {
        return Err(Error::new(Message::FailureNotReported { name: traits.name })).at("failsWith");
    }
    let hotel = tx.actor.hotel.id;
    store::fail_next(tx.conn().await?, hotel, encoder.id, failure).await?;
    tx.audit(Entry::updated(ObjectType::Encoder, encoder.id, ["failsWith"]));
    Ok(encoder.id)
}

/// Plays the simulated encoders of all hotels until `shutdown`.
///
/// A process does what its own requests commit, told by [`crate::context::ContextParts::simulated_encoders_wake`].
pub async fn run(transactions: Transactions, shutdown: impl Future<Output = ()>) {
    let (pool, woken) = (transactions.worker_pool.clone(), transactions.context.clone());
    let listening = tokio::spawn(queue::listen(pool, CHANNEL, move || woken.simulated_encoders_wake.notify_one()));
    let mut worker = Worker::new(SimulatedEncoders::new(transactions));
    worker.work(shutdown).await;
    listening.abort();
    worker.wind_up().await;
}

/// Does everything that is due at simulated encoders, until nothing is, and answers how many attempts that took.
///
/// # Errors
/// `UNAVAILABLE`; what was done but not recorded is done again later.
pub async fn encode_due(transactions: &Transactions) -> Result<usize> {
    let mut worker = Worker::new(SimulatedEncoders::new(transactions.clone()));
    let mut attempts = 0;
    while let Some(more) = worker.round().await? {
        attempts += more;
    }
    Ok(attempts)
}

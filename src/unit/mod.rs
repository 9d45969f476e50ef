//! The unit of work: one transaction of one hotel with everything that belongs to its commit, and what runs a request in it.
//!
//! A [`Tx`] is the only way to change a hotel's records, for requests, workers, imports and the command line alike: services note
//! their changes in it, and its commit writes the events, the audit trail and the deliveries, and wakes who sends them. It knows
//! no capability. What a capability has yet to write waits in it as [`Pending`]; what follows the changes of others is handed to
//! it by the application as a [`Follower`].

mod attempt;
mod run;
mod store;
mod tx;

use std::ops::Deref;
use std::sync::Arc;

pub use attempt::{OpenTx, Unit};
pub use run::{Attempt, DEADLINE, Failure, run};
pub use tx::{Follower, Pending, Statements, Tx};

use crate::context::Context;

/// What transactions are opened with: a [`Context`], which it dereferences to, and who follows their changes. Cheap to clone.
#[derive(Clone)]
pub struct Transactions {
    /// What services work with.
    pub context: Context,
    followers: Arc<[Box<dyn Follower>]>,
}

impl Transactions {
    /// Of transactions whose changes are followed by `followers`, in that order.
    pub fn new(context: Context, followers: Vec<Box<dyn Follower>>) -> Self {
        Self { context, followers: followers.into() }
    }
}

impl Deref for Transactions {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

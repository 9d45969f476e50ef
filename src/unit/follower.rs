//! Followers: what has to change with the changes of others, in their transaction.

use futures_util::future::BoxFuture;

use super::Tx;
use crate::error::Result;
use crate::events::Change;

/// Rounds in which followers may answer changes with changes.
pub(super) const ROUNDS: usize = 4;

/// A capability whose records follow those of others, such as what opens doors follows a stay.
///
/// Before a transaction commits, each follower is given its changes, merged by object, in the order in which the objects first
/// changed. Whatever followers emit themselves is given to all of them in the next round. Transactions of test keys are followed,
/// too, and then undone.
pub trait Follower: Send + Sync {
    /// Changes rows and emits events as `changes` demand. What it refuses fails the transaction.
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>>;
}

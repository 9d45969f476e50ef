//! Pending writes: what has been decided in a transaction and is still to be written.

use std::any::Any;

use futures_util::future::BoxFuture;

use super::Tx;
use crate::error::Result;

/// Writes of a capability that wait for each other, so that many of them take few statements.
///
/// They are checked when they are noted, under the locks that they need. The transaction writes them when it commits, and before
/// it hands out its connection for anything else ([`Tx::conn`]).
pub trait Pending: Any + Send + Sync {
    /// Whether there is nothing to write, nor anything that is known only until something else is done.
    fn is_empty(&self) -> bool;

    /// Writes everything.
    fn write(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<()>>;
}

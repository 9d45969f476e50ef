//! Entries of the audit trail: who did what to which record, when, and why where staff said so. [`crate::audit_trail`] reads them.
//!
//! Services note what they do in the [`Journal`] of their transaction ([`crate::unit::Tx::emit`] and
//! [`crate::unit::Tx::audit`]); its commit writes the entries together with the events ([`crate::events`]). So an entry
//! exists exactly when its effect does: a request that fails and one with a test key leave none.
//!
//! An entry names fields and never tells values, so it holds no secret and nothing of a guest but the reason that staff
//! wrote. Nothing changes or deletes an entry; partitions are dropped after [`RETENTION`], whatever has become of the
//! record.
//!
//! Not in it: what a machine keeps for itself (use of API keys, deliveries and their attempts, kept answers), the records
//! of the demo as it is loaded, and its API keys.

mod journal;
mod model;

use chrono::TimeDelta;

pub use journal::Journal;
pub use model::{Action, ActorType, Entry, Object, ObjectType, REASON_MAX, Reason};

/// How long entries are kept: a year, and time to look into what happened in it.
pub const RETENTION: TimeDelta = TimeDelta::days(400);

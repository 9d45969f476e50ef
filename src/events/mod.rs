//! What happened: the public contract of webhooks and feed.
//!
//! Services say what they changed with [`crate::db::Tx::emit`]. Changes of one object in one request become one event;
//! the commit of the transaction writes them, so that an event exists exactly when its change does.

mod change;

pub use change::{Change, Changes};

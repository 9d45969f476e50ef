//! The fast path: pages of room stays that are answered without the executor.
//!
//! A valid document whose one root field is `room_stays`, and which selects nothing that takes a further statement, is compiled
//! once ([`CompiledPage::of`]) into what to read and what to write for each row. One table ([`fields`]) says so for each field,
//! and the executor reads ahead by the same table ([`joins_of`]).
//!
//! The executor stays the authority: [`answer`] is the one door, and whatever does not come back from it, errors included, is
//! the executor's to answer. Without the fast path ([`App`]`::fast_path`) it answers everything.

mod compile;
mod fields;
mod page;
mod write;

use std::sync::atomic::Ordering;

use async_graphql::Variables;
use serde_json::value::RawValue;

pub use self::fields::joins_of;
pub use self::write::CompiledPage;
use super::context::RequestContext;
use crate::app::App;
use crate::auth::CredentialFingerprint;

/// Whether anything is answered here.
pub fn is_on(app: &App) -> bool {
    app.fast_path.load(Ordering::Relaxed)
}

/// The `data` of an operation; `None` leaves it to the executor.
///
/// With a fingerprint, the statement that reads the page first confirms that the actor's credential is still what it was.
pub async fn answer(
    context: &RequestContext,
    page: Option<&CompiledPage>,
    fingerprint: Option<&CredentialFingerprint>,
    variables: &Variables,
) -> Option<Box<RawValue>> {
    let page = page?;
    // In a transaction, a statement that failed would leave nothing for the executor to tell of.
    if context.mutates || !is_on(&context.app) {
        return None;
    }
    page.answer(context, fingerprint, variables).await.ok()
}

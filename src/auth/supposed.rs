//! Credentials that were good a moment ago, so that a page is read in the same round trip that confirms its reader.
//!
//! It is no cache of API keys: nobody is let in by what is remembered here. It says what to ask PostgreSQL for. The statement
//! that reads for a credential confirms it first, by its current rows, and fails when anything has changed
//! ([`push_confirmation`](super::store::push_confirmation)).

use quick_cache::sync::Cache;

use crate::actor::Actor;

/// Most credentials that are remembered, some hundred bytes each.
const MOST: usize = 10_000;

/// Who makes a request, unless that has changed since.
#[derive(Clone)]
pub struct Supposed {
    /// Who it was the last time.
    pub actor: Actor,
    /// What confirms it.
    pub claim: Claim,
}

/// A credential, and what it stood for.
#[derive(Clone, Copy)]
pub struct Claim {
    /// SHA-256 of its text.
    pub(super) hash: [u8; 32],
    /// Hash of what was found for it.
    pub(super) known: i64,
}

/// What credentials stood for when they were looked up last, those that are used.
pub struct Credentials(Cache<[u8; 32], Supposed>);

impl Default for Credentials {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Credentials {
    pub(super) fn remember(&self, supposed: Supposed) {
        self.0.insert(supposed.claim.hash, supposed);
    }

    pub(super) fn recall(&self, hash: &[u8; 32]) -> Option<Supposed> {
        self.0.get(hash)
    }

    /// Forgets what was not confirmed.
    pub fn forget(&self, claim: &Claim) {
        self.0.remove(&claim.hash);
    }
}

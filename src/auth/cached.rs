//! Cached credentials: what API keys stood for when they were looked up last.
//!
//! Nobody is admitted by the cache. It says what to ask PostgreSQL for: the statement that reads for a cached credential first
//! confirms it by its current rows, and fails when anything has changed ([`CredentialFingerprint::push_confirmation`]). So a page
//! is read in the same round trip that confirms its reader.

use quick_cache::sync::Cache;

use crate::actor::Actor;

/// Most credentials that are cached, some hundred bytes each.
const MOST: usize = 10_000;

/// An API key as it was when it was looked up last.
#[derive(Clone)]
pub struct CachedCredential {
    /// Who made the request.
    pub actor: Actor,
    /// What confirms that nothing has changed since.
    pub fingerprint: CredentialFingerprint,
}

/// A credential fingerprint: an API key, and a hash of what was found for it.
#[derive(Clone, Copy)]
pub struct CredentialFingerprint {
    /// SHA-256 of the key's text.
    pub(super) key_hash: [u8; 32],
    /// PostgreSQL's hash of the key's and the hotel's columns.
    pub(super) record_hash: i64,
}

/// The credentials that are used.
pub struct CredentialCache(Cache<[u8; 32], CachedCredential>);

impl Default for CredentialCache {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl CredentialCache {
    pub(super) fn insert(&self, credential: CachedCredential) {
        self.0.insert(credential.fingerprint.key_hash, credential);
    }

    pub(super) fn get(&self, key_hash: &[u8; 32]) -> Option<CachedCredential> {
        self.0.get(key_hash)
    }

    /// Removes a credential that was not confirmed.
    pub fn remove(&self, fingerprint: &CredentialFingerprint) {
        self.0.remove(&fingerprint.key_hash);
    }
}

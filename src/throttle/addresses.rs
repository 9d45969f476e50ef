//! Failed authentications by address.
//!
//! An address whose failures of the last minute are used up is refused before anything is looked up. Hotels and their
//! vendors share addresses, so a credential that was authenticated before is looked up all the same: nobody is locked out by
//! a neighbour. It is no cache of keys: the look-up decides, every time.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::unsync::Cache;

use super::bucket::{Bucket, Limit};
use super::proxies::site;

/// Most addresses that are remembered, some tens of bytes each. Beyond that, failures of the rarest ones are forgotten.
const MOST_ADDRESSES: usize = 100_000;
/// Most credentials that are remembered.
const MOST_CREDENTIALS: usize = 100_000;

/// A credential as it is recognised again: a hash with a secret of this process, from which nothing can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential(u64);

/// Failures by address, and the credentials that were authenticated before.
pub(super) struct Addresses {
    state: Mutex<State>,
    secret: RandomState,
}

struct State {
    failures: Cache<IpAddr, Bucket>,
    authenticated: Cache<Credential, ()>,
}

impl Addresses {
    pub(super) fn new() -> Self {
        let state = State { failures: Cache::new(MOST_ADDRESSES), authenticated: Cache::new(MOST_CREDENTIALS) };
        Self { state: Mutex::new(state), secret: RandomState::new() }
    }

    /// Recognises a credential by the bytes that it was sent as.
    pub(super) fn credential(&self, sent: &[u8]) -> Credential {
        Credential(self.secret.hash_one(sent))
    }

    /// Whether a credential may be looked up.
    ///
    /// # Errors
    /// How long until one may.
    pub(super) fn check(
        &self,
        limit: Limit,
        address: IpAddr,
        credential: Option<Credential>,
        now: Duration,
    ) -> Result<(), Duration> {
        let state = self.state();
        if credential.is_some_and(|credential| state.authenticated.get(&credential).is_some()) {
            return Ok(());
        }
        // A copy: only a failure takes anything.
        state.failures.get(&site(address)).copied().unwrap_or_default().take(limit, 1, now)
    }

    /// Notes a credential that was authenticated.
    pub(super) fn authenticated(&self, credential: Credential) {
        self.state().authenticated.insert(credential, ());
    }

    /// Notes a failure.
    pub(super) fn failed(&self, limit: Limit, address: IpAddr, credential: Option<Credential>, now: Duration) {
        let mut state = self.state();
        if let Some(credential) = credential {
            state.authenticated.remove(&credential);
        }
        let site = site(address);
        let mut failures = state.failures.get(&site).copied().unwrap_or_default();
        // Requests that were looked up at the same time may be too many: the address owes no more than all of it.
        let _ = failures.take(limit, 1, now);
        state.failures.insert(site, failures);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Maps of sums are whole whatever a thread panicked at.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit::new(3).expect("in range");
    const NOW: Duration = Duration::from_secs(1_000);

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_failures_and_gets_them_back_one_by_one() {
        let addresses = Addresses::new();
        let here = address("192.0.2.1");
        for _ in 0..3 {
            assert_eq!(addresses.check(LIMIT, here, None, NOW), Ok(()));
            addresses.failed(LIMIT, here, None, NOW);
        }
        addresses.failed(LIMIT, here, None, NOW);
        assert_eq!(addresses.check(LIMIT, here, None, NOW), Err(Duration::from_secs(20)));
        assert_eq!(addresses.check(LIMIT, address("192.0.2.2"), None, NOW), Ok(()));
        assert_eq!(addresses.check(LIMIT, here, None, NOW + Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn a_neighbour_of_the_same_64_bits_is_the_same_address() {
        let addresses = Addresses::new();
        for last in 0..3 {
            addresses.failed(LIMIT, address(&format!("2001:db8::{last}")), None, NOW);
        }
        assert!(addresses.check(LIMIT, address("2001:db8::abcd"), None, NOW).is_err());
        assert!(addresses.check(LIMIT, address("2001:db8:0:1::abcd"), None, NOW).is_ok());
    }

    #[test]
    fn a_credential_that_was_authenticated_is_looked_up_until_it_fails() {
        let addresses = Addresses::new();
        let here = address("192.0.2.1");
        let good = addresses.credential(b"Bearer good");
        addresses.authenticated(good);
        for _ in 0..3 {
            addresses.failed(LIMIT, here, Some(addresses.credential(b"Bearer bad")), NOW);
        }
        assert!(addresses.check(LIMIT, here, Some(addresses.credential(b"Bearer new")), NOW).is_err());
        assert!(addresses.check(LIMIT, here, Some(good), NOW).is_ok());
        addresses.failed(LIMIT, here, Some(good), NOW);
        assert!(addresses.check(LIMIT, here, Some(good), NOW).is_err());
    }
}

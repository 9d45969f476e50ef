//! Limits: requests and cost of each principal, failed authentications of each address, connections.
//!
//! Each process keeps token buckets in its memory, so that no request waits or writes for its limit. Those of the
//! principals are kept in step by an exchange every second ([`run_exchange`]). A replica learns what a principal took
//! elsewhere by the first exchange after its first request there; until then it goes by what it knows. So a principal that
//! uses several replicas at once can exceed its limit for a second, at most by one whole limit for each other replica, and
//! pays it back: nothing more is admitted until the excess has flowed back. Of more than three limits the rest is forgiven,
//! so with up to four replicas the average is exact. Without the database, each replica keeps the limit by itself.
//!
//! Nobody is turned away in silence: what is too much is `RATE_LIMITED`, with the time to wait.

mod addresses;
mod bucket;
mod exchange;
mod principals;
mod proxies;
mod settings;
mod store;

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;

pub use addresses::Credential;
pub use bucket::{Left, Limit};
pub use exchange::{exchange, run_exchange};
pub use principals::Budget;
pub use proxies::TrustedProxies;
pub use settings::ThrottleSettings;

use addresses::Addresses;
use principals::Principals;

use crate::actor::Actor;
use crate::clock::Clock;
use crate::error::{Error, Message, Result, Seconds};
use crate::telemetry::metrics::LimitRefusals;

/// What a page or an act costs, for the statements that it takes; a value in an answer costs 1.
pub const STATEMENT_COST: u64 = 100;

/// The buckets of this process.
pub struct Throttle {
    /// The limits.
    pub settings: ThrottleSettings,
    clock: Clock,
    principals: Principals,
    addresses: Addresses,
    refusals: LimitRefusals,
}

/// A client that is not authenticated yet: its address, and its credential if it has one.
#[derive(Clone, Copy, Debug)]
pub struct Unauthenticated {
    /// Where the request comes from, as far as the proxies are believed.
    pub address: IpAddr,
    credential: Option<Credential>,
}

impl Throttle {
    /// With full buckets. `refusals`: where refusals are counted.
    pub fn new(settings: ThrottleSettings, clock: Clock, refusals: LimitRefusals) -> Self {
        Self { settings, clock, principals: Principals::default(), addresses: Addresses::new(), refusals }
    }

    /// The client that sends a request on a connection from `peer`.
    pub fn unauthenticated(&self, peer: IpAddr, headers: &HeaderMap, credential: Option<&[u8]>) -> Unauthenticated {
        Unauthenticated {
            address: self.settings.trusted_proxies.origin(peer, headers),
            credential: credential.map(|sent| self.addresses.credential(sent)),
        }
    }

    /// Refuses a client whose address has had too many failures, unless the credential was authenticated before.
    ///
    /// # Errors
    /// `RATE_LIMITED`
    pub fn may_authenticate(&self, client: &Unauthenticated) -> Result<()> {
        let Some(limit) = self.settings.auth_failures else { return Ok(()) };
        let checked = self.addresses.check(limit, client.address, client.credential, self.clock.monotonic());
        checked.map_err(|wait| {
            self.refusals.count("auth_failures");
            refusal(wait, |wait| Message::TooManyFailures { wait })
        })
    }

    /// Notes that a client was authenticated.
    pub fn authenticated(&self, client: &Unauthenticated) {
        if let (Some(_), Some(credential)) = (self.settings.auth_failures, client.credential) {
            self.addresses.authenticated(credential);
        }
    }

    /// Notes that a client could not be authenticated.
    pub fn failed(&self, client: &Unauthenticated) {
        if let Some(limit) = self.settings.auth_failures {
            self.addresses.failed(limit, client.address, client.credential, self.clock.monotonic());
        }
    }

    /// Takes a request of the actor.
    ///
    /// # Errors
    /// `RATE_LIMITED`
    pub fn admit_request(&self, actor: &Actor) -> Result<()> {
        let (Some(limit), Some(principal)) = (self.settings.requests, actor.principal.key()) else { return Ok(()) };
        let now = self.clock.monotonic();
        self.principals.take(actor.hotel.id, principal, Budget::Requests, limit, 1, now).map_err(|wait| {
            self.refusals.count(Budget::Requests.name());
            refusal(wait, |wait| Message::TooManyRequests { most: limit.per_minute(), wait })
        })
    }

    /// Takes the cost of a request of the actor.
    ///
    /// # Errors
    /// `RATE_LIMITED`; `DOCUMENT_TOO_COMPLEX` for what no waiting would make possible.
    pub fn admit_cost(&self, actor: &Actor, cost: u64) -> Result<()> {
        let (Some(limit), Some(principal)) = (self.settings.cost, actor.principal.key()) else { return Ok(()) };
        let most = limit.per_minute();
        if cost > most {
            return Err(Error::new(Message::CostOutOfReach { cost, most }));
        }
        let now = self.clock.monotonic();
        self.principals.take(actor.hotel.id, principal, Budget::Cost, limit, cost, now).map_err(|wait| {
            self.refusals.count(Budget::Cost.name());
            refusal(wait, |wait| Message::CostTooHigh { cost, most, wait })
        })
    }

    /// Takes the cost of what the actor was answered with, which was not known before. It is never refused; what is too much keeps
    /// later requests out until it has flowed back.
    pub fn owe_cost(&self, actor: &Actor, cost: u64) {
        if let (Some(limit), Some(principal)) = (self.settings.cost, actor.principal.key()) {
            self.principals.owe(principal, Budget::Cost, limit, cost, self.clock.monotonic());
        }
    }

    /// Whether the actor has something left of each budget.
    pub fn has_left(&self, actor: &Actor) -> bool {
        self.left(actor).all(|(_, left)| left.units > 0)
    }

    /// Takes a request of the actor with its cost. Where there is not enough of both, nothing is taken, unless others
    /// take the last of it at the same moment.
    pub fn admits(&self, actor: &Actor, cost: u64) -> bool {
        let enough = |(budget, left): (Budget, Left)| left.units >= if budget == Budget::Cost { cost } else { 1 };
        self.left(actor).all(enough) && self.admit_request(actor).is_ok() && self.admit_cost(actor, cost).is_ok()
    }

    /// What is left to the actor of each budget that is limited.
    pub fn left(&self, actor: &Actor) -> impl Iterator<Item = (Budget, Left)> {
        let now = self.clock.monotonic();
        Budget::ALL.into_iter().filter_map(move |budget| {
            let limit = budget.limit(&self.settings)?;
            Some((budget, self.principals.left(actor.principal.key()?, budget, limit, now)))
        })
    }
}

/// Says what is too much, and when to try again.
fn refusal(wait: Duration, message: impl FnOnce(Seconds) -> Message) -> Error {
    let seconds = seconds(wait).max(1);
    Error { retry_after_seconds: Some(seconds), ..Error::new(message(Seconds(seconds))) }
}

/// Whole seconds after which a time has passed.
pub fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

//! The settings of the limits.

use super::{Limit, TrustedProxies};

/// The limits. One that is not there does not limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Requests of a principal a minute, and at once.
    pub requests: Option<Limit>,
    /// Cost of the requests of a principal a minute, and at once.
    pub cost: Option<Limit>,
    /// Failed authentications from an address a minute, and at once.
    pub auth_failures: Option<Limit>,
    /// Proxies that are believed who asked them.
    pub trusted_proxies: TrustedProxies,
    /// Most open connections; more wait until one ends.
    pub connections: usize,
}

impl ThrottleSettings {
    /// Requests of a principal a minute, unless told otherwise.
    pub const DEFAULT_REQUESTS: &str = "200";
    /// Cost a minute, unless told otherwise: 50 batches of 100 operations on room access keys fit nearly twice, and four of the
    /// largest requests that there can be.
    pub const DEFAULT_COST: &str = "1000000";
    /// Failed authentications a minute, unless told otherwise: a forgotten script does not reach it, and no key is guessed by it.
    pub const DEFAULT_AUTH_FAILURES: &str = "60";
    /// Connections, unless told otherwise: below 1,024 open files, the usual limit of a process.
    pub const DEFAULT_CONNECTIONS: &str = "900";
    /// Most connections that can be asked for.
    pub const MOST_CONNECTIONS: usize = 100_000;

    /// No limits, and few connections: for tests and measurements.
    pub fn unlimited() -> Self {
        Self {
            requests: None,
            cost: None,
            auth_failures: None,
            trusted_proxies: TrustedProxies::default(),
            connections: 900,
        }
    }
}

//! The buckets of the principals that send requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ThrottleSettings;
use super::bucket::{Bucket, Left, Limit};
use crate::actor::PrincipalKey;
use crate::hotels::HotelId;

/// What is limited for each principal, such as a pair of a live and a test key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Requests; a batch is one.
    Requests,
    /// What they cost.
    Cost,
}

impl Budget {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Cost];

    /// Its name in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Cost => "cost",
        }
    }

    /// Its limit, if it has one.
    pub(super) const fn limit(self, settings: &ThrottleSettings) -> Option<Limit> {
        match self {
            Self::Requests => settings.requests,
            Self::Cost => settings.cost,
        }
    }
}

/// Buckets of authenticated principals, each until they are full again, some minutes after the last request.
#[derive(Default)]
pub(super) struct Principals(Mutex<HashMap<PrincipalKey, Buckets>>);

#[derive(Debug)]
struct Buckets {
    hotel: HotelId,
    requests: Bucket,
    cost: Bucket,
    /// Reported a moment ago: what the others reported in the same moment is not known yet.
    just_reported: bool,
}

impl Buckets {
    const fn bucket(&mut self, budget: Budget) -> &mut Bucket {
        match budget {
            Budget::Requests => &mut self.requests,
            Budget::Cost => &mut self.cost,
        }
    }

    /// Those that have a limit.
    fn limited(&mut self, settings: &ThrottleSettings) -> impl Iterator<Item = (&mut Bucket, Limit)> {
        let requests = settings.requests.map(|limit| (&mut self.requests, limit));
        let cost = settings.cost.map(|limit| (&mut self.cost, limit));
        requests.into_iter().chain(cost)
    }
}

/// What a principal owes, as it is reported and merged: parts of requests and of cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) hotel: HotelId,
    pub(super) principal: PrincipalKey,
    pub(super) requests: u64,
    pub(super) cost: u64,
}

impl Owed {
    const fn parts(&self, budget: Budget) -> u64 {
        match budget {
            Budget::Requests => self.requests,
            Budget::Cost => self.cost,
        }
    }
}

impl Principals {
    /// Takes units of a principal's budget.
    ///
    /// # Errors
    /// How long it takes until there are as many.
    pub(super) fn take(
        &self,
        hotel: HotelId,
        principal: PrincipalKey,
        budget: Budget,
        limit: Limit,
        units: u64,
        now: Duration,
    ) -> Result<(), Duration> {
        let new = || Buckets { hotel, requests: Bucket::default(), cost: Bucket::default(), just_reported: false };
        self.all().entry(principal).or_insert_with(new).bucket(budget).take(limit, units, now)
    }

    /// Takes units of a principal's budget that it has used already. One that was not admitted before is not known.
    pub(super) fn owe(&self, principal: PrincipalKey, budget: Budget, limit: Limit, units: u64, now: Duration) {
        if let Some(buckets) = self.all().get_mut(&principal) {
            buckets.bucket(budget).owe(limit, units, now);
        }
    }

    /// What is left of a principal's budget.
    pub(super) fn left(&self, principal: PrincipalKey, budget: Budget, limit: Limit, now: Duration) -> Left {
        let bucket = self.all().get_mut(&principal).map(|buckets| *buckets.bucket(budget));
        bucket.unwrap_or_default().left(limit, now)
    }

    /// What the other processes do not know yet, and once more nothing, to merge what they reported meanwhile. Principals
    /// that send no more requests are forgotten.
    pub(super) fn report(&self, settings: &ThrottleSettings, now: Duration) -> Vec<Owed> {
        let mut all = self.all();
        all.retain(|_, buckets| !buckets.limited(settings).all(|(bucket, limit)| bucket.is_idle(limit, now)));
        all.iter_mut()
            .filter_map(|(principal, buckets)| {
                let has_unreported = buckets.requests.has_unreported() || buckets.cost.has_unreported();
                let just_reported = std::mem::replace(&mut buckets.just_reported, has_unreported);
                if !has_unreported && !just_reported {
                    return None;
                }
                let mut report = |budget: Budget| {
                    budget.limit(settings).map_or(0, |limit| buckets.bucket(budget).report(limit, now))
                };
                let (requests, cost) = (report(Budget::Requests), report(Budget::Cost));
                Some(Owed { hotel: buckets.hotel, principal: *principal, requests, cost })
            })
            .collect()
    }

    /// Takes back a report that did not reach the other processes.
    pub(super) fn take_back(&self, settings: &ThrottleSettings, reported: &[Owed]) {
        self.each(settings, reported, Bucket::take_back);
    }

    /// Merges what all processes together owed at an instant.
    pub(super) fn merge(&self, settings: &ThrottleSettings, all: &[Owed], as_of: Duration, now: Duration) {
        self.each(settings, all, |bucket, limit, parts| bucket.merge(limit, parts, as_of, now));
    }

    fn each(&self, settings: &ThrottleSettings, owed: &[Owed], act: impl Fn(&mut Bucket, Limit, u64)) {
        let mut all = self.all();
        for owed in owed {
            let Some(buckets) = all.get_mut(&owed.principal) else { continue };
            for budget in Budget::ALL {
                if let Some(limit) = budget.limit(settings) {
                    act(buckets.bucket(budget), limit, owed.parts(budget));
                }
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<PrincipalKey, Buckets>> {
        // A map of sums is whole whatever a thread panicked at.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The buckets of the API keys that are in use.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::ThrottleSettings;
use super::bucket::{Bucket, Left, Limit};
use crate::auth::Actor;
use crate::hotels::HotelId;

/// What is limited for each API key, that is for each pair of a live and a test key.
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

/// Only keys that were let in are here, and only until their buckets are full again, some minutes after their last use.
#[derive(Default)]
pub(super) struct Keys(Mutex<HashMap<Uuid, Key>>);

#[derive(Debug)]
struct Key {
    hotel: HotelId,
    requests: Bucket,
    cost: Bucket,
    /// Told a moment ago: what the others told in the same moment is not known yet.
    curious: bool,
}

impl Key {
    const fn bucket(&mut self, budget: Budget) -> &mut Bucket {
        match budget {
            Budget::Requests => &mut self.requests,
            Budget::Cost => &mut self.cost,
        }
    }

    /// Its buckets that have a limit.
    fn limited(&mut self, settings: &ThrottleSettings) -> impl Iterator<Item = (&mut Bucket, Limit)> {
        let requests = settings.requests.map(|limit| (&mut self.requests, limit));
        let cost = settings.cost.map(|limit| (&mut self.cost, limit));
        requests.into_iter().chain(cost)
    }
}

/// What is told of a key, and learnt of it: parts of requests and of cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) hotel: HotelId,
    pub(super) api_key: Uuid,
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

impl Keys {
    /// Takes units of a key's budget.
    ///
    /// # Errors
    /// How long it takes until there are as many.
    pub(super) fn take(
        &self,
        actor: &Actor,
        budget: Budget,
        limit: Limit,
        units: u64,
        now: Duration,
    ) -> Result<(), Duration> {
        let mut keys = self.keys();
        let new =
            || Key { hotel: actor.hotel.id, requests: Bucket::default(), cost: Bucket::default(), curious: false };
        keys.entry(actor.api_key_id).or_insert_with(new).bucket(budget).take(limit, units, now)
    }

    /// What is left of a key's budget.
    pub(super) fn left(&self, api_key: Uuid, budget: Budget, limit: Limit, now: Duration) -> Left {
        let bucket = self.keys().get_mut(&api_key).map(|key| *key.bucket(budget));
        bucket.unwrap_or_default().left(limit, now)
    }

    /// What the other processes do not know yet, and once more nothing, to learn what they told meanwhile. Keys that are not in
    /// use any more are forgotten.
    pub(super) fn tell(&self, settings: &ThrottleSettings, now: Duration) -> Vec<Owed> {
        let mut keys = self.keys();
        keys.retain(|_, key| !key.limited(settings).all(|(bucket, limit)| bucket.is_idle(limit, now)));
        keys.iter_mut()
            .filter_map(|(api_key, key)| {
                let has_news = key.requests.has_news() || key.cost.has_news();
                let was_curious = std::mem::replace(&mut key.curious, has_news);
                if !has_news && !was_curious {
                    return None;
                }
                let mut tell =
                    |budget: Budget| budget.limit(settings).map_or(0, |limit| key.bucket(budget).tell(limit, now));
                let (requests, cost) = (tell(Budget::Requests), tell(Budget::Cost));
                Some(Owed { hotel: key.hotel, api_key: *api_key, requests, cost })
            })
            .collect()
    }

    /// They could not be told.
    pub(super) fn were_not_told(&self, settings: &ThrottleSettings, told: &[Owed]) {
        self.each(settings, told, Bucket::was_not_told);
    }

    /// What all processes together owed at an instant.
    pub(super) fn learn(&self, settings: &ThrottleSettings, all: &[Owed], as_of: Duration, now: Duration) {
        self.each(settings, all, |bucket, limit, parts| bucket.learn(limit, parts, as_of, now));
    }

    fn each(&self, settings: &ThrottleSettings, owed: &[Owed], act: impl Fn(&mut Bucket, Limit, u64)) {
        let mut keys = self.keys();
        for owed in owed {
            let Some(key) = keys.get_mut(&owed.api_key) else { continue };
            for budget in Budget::ALL {
                if let Some(limit) = budget.limit(settings) {
                    act(key.bucket(budget), limit, owed.parts(budget));
                }
            }
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<Uuid, Key>> {
        // A map of sums is whole whatever a thread panicked at.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

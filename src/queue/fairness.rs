//! Fairness between parties: how many jobs each is given when places are few.

use std::collections::HashMap;
use std::hash::Hash;

use crate::id::IdSource;

/// How much may be in flight at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For parties that work.
    pub working: Share,
    /// For parties whose last attempt failed.
    pub failing: Share,
}

/// The places for one kind of parties.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Most jobs for all of them.
    pub places: usize,
    /// Most jobs for one of them.
    pub per_party: u16,
}

/// A party that has jobs due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting<P> {
    /// The party.
    pub party: P,
    /// Whether its last attempt failed.
    pub failing: bool,
}

/// The places for jobs, and those of them that are taken.
pub struct Places<P> {
    limits: Limits,
    taken: usize,
    taken_by_failing: usize,
    by_party: HashMap<P, u16>,
}

impl<P: Copy + Eq + Hash> Places<P> {
    /// Places that are all free.
    pub fn new(limits: Limits) -> Self {
        Self { limits, taken: 0, taken_by_failing: 0, by_party: HashMap::new() }
    }

    /// Takes a place for a job in flight.
    pub fn take(&mut self, party: P, failing: bool) {
        *(if failing { &mut self.taken_by_failing } else { &mut self.taken }) += 1;
        self.count(party);
    }

    /// Counts a job towards the limit of its party alone: a party whose outcomes cannot be settled yet is given nothing beyond
    /// its limit meanwhile.
    pub fn count(&mut self, party: P) {
        *self.by_party.entry(party).or_default() += 1;
    }

    /// Distributes the free places among the parties that wait: one for each, then a second one, and so on, up to the limit of a
    /// party. Begins at another party each time, so that none is always the last when places are few.
    pub fn allot(&self, mut waiting: Vec<Waiting<P>>, ids: &IdSource) -> Vec<(P, u16)> {
        let mut random = [0; 4];
        ids.fill(&mut random);
        if !waiting.is_empty() {
            let middle = usize::try_from(u32::from_be_bytes(random)).unwrap_or(0) % waiting.len();
            waiting.rotate_left(middle);
        }
        let those = |failing| waiting.iter().filter(move |one| one.failing == failing).map(|one| one.party);
        let mut allotted = self.distribute(those(false), self.limits.working, self.taken);
        allotted.extend(self.distribute(those(true), self.limits.failing, self.taken_by_failing));
        allotted
    }

    /// Distributes the places of a share, of which so many are `taken`, in the order of the parties.
    ///
    /// Half of the places are for parties that have nothing in flight: a second job at a time is for when less than half are
    /// taken. So parties that are slow to answer cannot keep others from their first job.
    fn distribute(&self, parties: impl Iterator<Item = P>, share: Share, mut taken: usize) -> Vec<(P, u16)> {
        let mut allotted: Vec<(P, u16)> = parties.map(|party| (party, 0)).collect();
        for level in 1..=share.per_party {
            let open = if level == 1 { share.places } else { share.places / 2 };
            for (party, count) in &mut allotted {
                if taken >= open {
                    break;
                }
                if self.by_party.get(party).copied().unwrap_or(0) + *count < level {
                    *count += 1;
                    taken += 1;
                }
            }
        }
        allotted.retain(|(_, count)| *count > 0);
        allotted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(number: usize) -> Places<u32> {
        let share = Share { places: number, per_party: 4 };
        Places::new(Limits { working: share, failing: Share { places: 2, per_party: 1 } })
    }

    fn allotted(places: &Places<u32>, parties: std::ops::Range<u32>) -> Vec<(u32, u16)> {
        places.distribute(parties, places.limits.working, places.taken)
    }

    #[test]
    fn every_party_gets_a_place_before_one_gets_a_second() {
        let counts = |number| allotted(&places(number), 1..4);
        assert_eq!(counts(10), [(1, 2), (2, 2), (3, 1)]);
        assert_eq!(counts(2), [(1, 1), (2, 1)]);
        assert_eq!(counts(200), [(1, 4), (2, 4), (3, 4)]);
        assert_eq!(counts(0), []);
    }

    #[test]
    fn what_is_in_flight_and_what_is_not_settled_counts_towards_the_limit_of_a_party() {
        let mut places = places(100);
        for (party, jobs) in [(1, 2), (2, 4)] {
            (0..jobs).for_each(|_| places.take(party, false));
        }
        places.count(1);
        assert_eq!(places.taken, 6);
        assert_eq!(allotted(&places, 1..4), [(1, 1), (3, 4)]);
    }

    #[test]
    fn parties_that_are_slow_leave_half_of_the_places_to_the_first_jobs_of_others() {
        let mut places = places(400);
        // However often they are given what is free.
        for _ in 0..10 {
            for (party, count) in allotted(&places, 0..100) {
                (0..count).for_each(|_| places.take(party, false));
            }
        }
        assert_eq!(places.taken, 200);
        let others = allotted(&places, 100..400);
        assert_eq!(others.len(), 200);
        assert!(others.iter().all(|(_, count)| *count == 1));
    }

    #[test]
    fn parties_that_fail_have_places_of_their_own_and_none_is_always_the_last() {
        let mut places = places(0);
        places.take(9, true);
        let waiting: Vec<Waiting<u32>> = (1..=3).map(|party| Waiting { party, failing: true }).collect();
        let ids = IdSource::seeded(1);
        let mut first: Vec<(u32, u16)> = (0..50).flat_map(|_| places.allot(waiting.clone(), &ids)).collect();
        assert_eq!(first.len(), 50, "one of two places is free");
        first.sort_unstable();
        first.dedup();
        assert_eq!(first, [(1, 1), (2, 1), (3, 1)]);
        assert_eq!(places.allot(Vec::new(), &ids), []);
    }
}

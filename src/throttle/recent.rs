//! A map of bounded size that forgets what was not written for longest.

use std::collections::HashMap;
use std::hash::Hash;

/// Two maps: writing goes to the young one; when that is full, it becomes the old one, and the old one is forgotten.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V: Copy> Recent<K, V> {
    /// Of at most `most` entries; at least half as many are remembered.
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: most.div_ceil(2) }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_youngest_and_never_more_than_its_size() {
        let mut recent = Recent::new(10);
        for number in 0..1_000 {
            recent.insert(number, number);
            assert!(recent.len() <= 10);
            for young in (number - 4).max(0)..=number {
                assert_eq!(recent.get(&young), Some(young));
            }
        }
        assert_eq!(recent.get(&0), None);
    }

    #[test]
    fn the_last_value_counts_and_what_is_removed_is_gone() {
        let mut recent = Recent::new(4);
        for (key, value) in [(1, 'a'), (2, 'b'), (3, 'c'), (1, 'd')] {
            recent.insert(key, value);
        }
        assert_eq!(recent.get(&1), Some('d'));
        recent.remove(&1);
        assert_eq!(recent.get(&1), None);
    }
}

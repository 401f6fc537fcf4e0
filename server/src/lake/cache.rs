//! A map that forgets what was used longest ago once it weighs too much.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A shared cache with a bound on the summed weight of its values.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    weight_max: usize,
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    entries: HashMap<K, Entry<V>>,
    weight: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    pub(crate) fn new(weight_max: usize) -> Self {
        let state = State { entries: HashMap::new(), weight: 0, clock: 0 };
        Self { weight_max, state: Mutex::new(state) }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        let entry = state.entries.get_mut(key)?;
        entry.used = clock;
        Some(entry.value.clone())
    }

    /// Keeps a value, unless it alone weighs more than the whole cache may.
    pub(crate) fn insert(&self, key: K, value: V, weight: usize) {
        let mut state = self.lock();
        state.remove(&key);
        if weight > self.weight_max {
            return;
        }
        state.clock += 1;
        let used = state.clock;
        state.weight += weight;
        state.entries.insert(key, Entry { value, weight, used });
        while state.weight > self.weight_max {
            let oldest = state.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            state.remove(&key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        // A panic while the lock was held leaves the map itself whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> State<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.weight -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_leaves_first() {
        let cache = Cache::new(10);
        cache.insert("a", 1, 4);
        cache.insert("b", 2, 4);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.insert("c", 3, 4);
        assert_eq!((cache.get(&"a"), cache.get(&"b"), cache.get(&"c")), (Some(1), None, Some(3)));
        cache.insert("huge", 4, 11);
        assert_eq!((cache.get(&"huge"), cache.get(&"c")), (None, Some(3)));
        cache.insert("a", 5, 1);
        cache.insert("d", 6, 5);
        assert_eq!(
            (cache.get(&"a"), cache.get(&"c"), cache.get(&"d")),
            (Some(5), Some(3), Some(6))
        );
    }
}

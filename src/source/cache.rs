//! Values that are dear to make and shared by all workers, kept up to a weight.
//!
//! Two who want the same value at once make it once; the other waits. What was not used for the longest goes first. A value
//! that somebody still holds is found again even when it was too heavy to be kept.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Values by key, with a bound on the sum of their weights and on their number.
pub(super) struct Cache<K, V: ?Sized> {
    max_weight: u64,
    max_values: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V: ?Sized> {
    kept: HashMap<K, Kept<V>>,
    /// The keys of what is kept by the time of their last use.
    by_use: BTreeMap<u64, K>,
    weight: u64,
    clock: u64,
    gates: HashMap<K, Arc<Gate<V>>>,
}

struct Kept<V: ?Sized> {
    value: Arc<V>,
    weight: u64,
    used: u64,
}

/// Held by whoever makes a value; then remembers it as long as anybody has it.
type Gate<V> = Mutex<Option<Weak<V>>>;

impl<K: Hash + Eq + Clone, V: ?Sized> Cache<K, V> {
    pub fn new(max_weight: u64, max_values: usize) -> Self {
        let state = State { kept: HashMap::new(), by_use: BTreeMap::new(), weight: 0, clock: 0, gates: HashMap::new() };
        Cache { max_weight, max_values, state: Mutex::new(state) }
    }

    /// The value of a key, made by `make`, with its weight, where nobody has it. Waits while another thread makes it. An
    /// error of `make` is not kept: whoever waited tries again.
    pub fn get<E>(&self, key: &K, make: impl FnOnce() -> Result<(Arc<V>, u64), E>) -> Result<Arc<V>, E> {
        let gate = match lock(&self.state).look_up(key) {
            Ok(value) => return Ok(value),
            Err(gate) => gate,
        };
        let mut made = lock(&gate);
        if let Some(value) = made.as_ref().and_then(Weak::upgrade) {
            return Ok(value);
        }
        let (value, weight) = make()?;
        *made = Some(Arc::downgrade(&value));
        drop(made);
        lock(&self.state).keep(key, &value, weight, self.max_weight, self.max_values);
        Ok(value)
    }

    /// The value of a key, where it is kept.
    pub fn kept(&self, key: &K) -> Option<Arc<V>> {
        lock(&self.state).touch(key)
    }

    /// The sum of what is kept.
    #[cfg(test)]
    pub fn weight(&self) -> u64 {
        let state = lock(&self.state);
        assert_eq!(state.weight, state.kept.values().map(|kept| kept.weight).sum::<u64>());
        state.weight
    }
}

impl<K: Hash + Eq + Clone, V: ?Sized> State<K, V> {
    fn look_up(&mut self, key: &K) -> Result<Arc<V>, Arc<Gate<V>>> {
        self.touch(key).ok_or_else(|| Arc::clone(self.gates.entry(key.clone()).or_default()))
    }

    /// What is kept for a key, used now.
    fn touch(&mut self, key: &K) -> Option<Arc<V>> {
        let kept = self.kept.get_mut(key)?;
        self.clock += 1;
        self.by_use.remove(&kept.used);
        self.by_use.insert(self.clock, key.clone());
        kept.used = self.clock;
        Some(Arc::clone(&kept.value))
    }

    fn keep(&mut self, key: &K, value: &Arc<V>, weight: u64, max_weight: u64, max_values: usize) {
        self.forget_gates();
        if weight > max_weight || self.kept.contains_key(key) {
            return;
        }
        while self.weight > max_weight - weight || self.kept.len() >= max_values.max(1) {
            self.drop_oldest();
        }
        self.clock += 1;
        self.weight += weight;
        self.by_use.insert(self.clock, key.clone());
        self.kept.insert(key.clone(), Kept { value: Arc::clone(value), weight, used: self.clock });
    }

    fn drop_oldest(&mut self) {
        let (_, oldest) = self.by_use.pop_first().expect("what is too heavy or too many is not empty");
        let kept = self.kept.remove(&oldest).expect("the key was just found");
        self.weight -= kept.weight;
    }

    /// Drops the gates whose value is gone and at which nobody waits, now and then.
    fn forget_gates(&mut self) {
        if self.gates.len() <= 2 * self.kept.len() + 64 {
            return;
        }
        self.gates.retain(|_, gate| {
            let is_gone =
                |made: MutexGuard<Option<Weak<V>>>| made.as_ref().is_none_or(|value| value.strong_count() == 0);
            Arc::strong_count(gate) > 1 || !gate.try_lock().is_ok_and(is_gone)
        });
    }
}

/// Nothing here is left half done by a panic.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn get(cache: &Cache<u32, String>, key: u32, weight: u64, made: &AtomicUsize) -> Arc<String> {
        let make = || {
            made.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ()>((Arc::new(key.to_string()), weight))
        };
        cache.get(&key, make).unwrap()
    }

    #[test]
    fn the_longest_unused_goes_first_and_the_bound_holds() {
        let (cache, made) = (Cache::new(10, 100), AtomicUsize::new(0));
        for (key, weight, makes, total) in [
            (1, 4, 1, 4),
            (2, 4, 2, 8),
            (1, 4, 2, 8),
            (3, 4, 3, 8),
            (1, 4, 3, 8),
            (2, 4, 4, 8),
            (4, 11, 5, 8),
            (4, 11, 6, 8),
            (5, 10, 7, 10),
            (6, 0, 8, 10),
        ] {
            assert_eq!(*get(&cache, key, weight, &made), key.to_string());
            assert_eq!((made.load(Ordering::SeqCst), cache.weight()), (makes, total), "after {key}");
        }
    }

    #[test]
    fn no_more_than_the_given_number_is_kept() {
        let (cache, made) = (Cache::new(1000, 2), AtomicUsize::new(0));
        for key in 0..300 {
            get(&cache, key, 1, &made);
            assert!(cache.weight() <= 2);
        }
        assert!(lock(&cache.state).gates.len() < 100);
    }

    #[test]
    fn what_somebody_holds_is_found_though_too_heavy_to_keep() {
        let (cache, made) = (Cache::new(0, 100), AtomicUsize::new(0));
        let held = get(&cache, 7, 5, &made);
        assert!(Arc::ptr_eq(&held, &get(&cache, 7, 5, &made)));
        drop(held);
        get(&cache, 7, 5, &made);
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn many_threads_make_a_value_once() {
        let (cache, made) = (Cache::new(100, 100), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..20).for_each(|key| assert_eq!(*get(&cache, key, 1, &made), key.to_string())));
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 20);
    }

    #[test]
    fn an_error_is_not_kept() {
        let cache: Cache<u32, String> = Cache::new(100, 100);
        assert_eq!(cache.get(&1, || Err("no")), Err("no"));
        assert_eq!(*get(&cache, 1, 1, &AtomicUsize::new(0)), "1");
    }
}

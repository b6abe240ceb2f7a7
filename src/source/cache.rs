//! Values that are dear to make and shared by all workers, kept up to a weight.
//!
//! Two who want the same value at once make it once; the other waits. What was not used for the longest goes first. A value
//! that somebody still holds is found again even when it was too heavy to be kept.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Values by key, with a bound on the sum of their weights and on their number.
pub(super) struct Cache<K, V: ?Sized> {
    max_values: usize,
    state: Mutex<State<K, V>>,
}

struct State<K, V: ?Sized> {
    kept: HashMap<K, Kept<V>>,
    /// The keys of what is kept by the time of their last use.
    by_use: BTreeMap<u64, K>,
    /// Of what is kept, and of the room that is set aside.
    weight: u64,
    max_weight: u64,
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
        let (kept, by_use, gates) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Cache { max_values, state: Mutex::new(State { kept, by_use, weight: 0, max_weight, clock: 0, gates }) }
    }

    /// The value of a key, made by `make`, with its weight, where nobody has it. Waits while another thread makes it. An
    /// error of `make` is not kept: whoever waited tries again.
    pub fn get<E>(&self, key: &K, make: impl FnOnce() -> Result<(Arc<V>, u64), E>) -> Result<Arc<V>, E> {
        let gate = {
            let mut state = lock(&self.state);
            if let Some(value) = state.find(key) {
                return Ok(value);
            }
            Arc::clone(state.gates.entry(key.clone()).or_default())
        };
        let mut made = lock(&gate);
        if let Some(value) = made.as_ref().and_then(Weak::upgrade) {
            return Ok(value);
        }
        let (value, weight) = make()?;
        *made = Some(Arc::downgrade(&value));
        drop(made);
        let mut state = lock(&self.state);
        state.forget_gates();
        if !state.kept.contains_key(key) && state.make_room(weight, self.max_values, 0) {
            state.keep(key, &value, weight);
        }
        drop(state);
        Ok(value)
    }

    /// The value of a key, if it is kept. This counts as a use.
    pub fn find(&self, key: &K) -> Option<Arc<V>> {
        lock(&self.state).find(key)
    }

    /// Sets room aside for a value that is still to be made, by dropping what was not used for the longest, but nothing that
    /// was used in the last `spared` look-ups. `None` where that does not make enough room; then nothing is dropped.
    pub fn room(&self, weight: u64, spared: u64) -> Option<Room<'_, K, V>> {
        let mut state = lock(&self.state);
        if !state.make_room(weight, self.max_values, spared) {
            return None;
        }
        state.weight += weight;
        Some(Room { cache: self, weight })
    }

    /// From now on no more may be kept than there is, room that is set aside included.
    pub fn shrink(&self) {
        let mut state = lock(&self.state);
        state.max_weight = state.weight;
    }

    /// What all values together may weigh.
    pub fn max_weight(&self) -> u64 {
        lock(&self.state).max_weight
    }

    /// The sum of what is kept and of the room that is set aside.
    pub fn weight(&self) -> u64 {
        lock(&self.state).weight
    }
}

/// Room in a cache, set aside for one value. It is given back when it is dropped without one.
pub(super) struct Room<'a, K: Hash + Eq + Clone, V: ?Sized> {
    cache: &'a Cache<K, V>,
    weight: u64,
}

impl<K: Hash + Eq + Clone, V: ?Sized> Room<'_, K, V> {
    /// Keeps the value that the room is for, if nobody kept one of the same key meanwhile. It may have become lighter.
    pub fn keep(mut self, key: &K, value: &Arc<V>, weight: u64) {
        assert!(weight <= self.weight, "the room is for the value");
        let mut state = lock(&self.cache.state);
        // At once: nobody may see both, and find no room.
        state.weight -= std::mem::take(&mut self.weight);
        if !state.kept.contains_key(key) {
            state.keep(key, value, weight);
        }
    }
}

impl<K: Hash + Eq + Clone, V: ?Sized> Drop for Room<'_, K, V> {
    fn drop(&mut self) {
        lock(&self.cache.state).weight -= self.weight;
    }
}

impl<K: Hash + Eq + Clone, V: ?Sized> State<K, V> {
    fn find(&mut self, key: &K) -> Option<Arc<V>> {
        self.clock += 1;
        let kept = self.kept.get_mut(key)?;
        self.by_use.remove(&kept.used);
        self.by_use.insert(self.clock, key.clone());
        kept.used = self.clock;
        Some(Arc::clone(&kept.value))
    }

    fn keep(&mut self, key: &K, value: &Arc<V>, weight: u64) {
        self.clock += 1;
        self.weight += weight;
        self.by_use.insert(self.clock, key.clone());
        self.kept.insert(key.clone(), Kept { value: Arc::clone(value), weight, used: self.clock });
    }

    /// Whether one more value of this weight may be kept, after dropping others that may be dropped for it.
    fn make_room(&mut self, weight: u64, max_values: usize, spared: u64) -> bool {
        if weight > self.max_weight {
            return false;
        }
        let (mut dropped, mut freed) = (0, 0);
        let is_enough = |dropped: usize, freed: u64| {
            let left = self.weight - freed;
            weight <= self.max_weight.saturating_sub(left) && self.kept.len() - dropped < max_values.max(1)
        };
        let mut oldest = self.by_use.iter();
        while !is_enough(dropped, freed) {
            match oldest.next() {
                Some((used, key)) if self.clock - used >= spared => freed += self.kept[key].weight,
                _ => return false,
            }
            dropped += 1;
        }
        (0..dropped).for_each(|_| self.drop_oldest());
        true
    }

    fn drop_oldest(&mut self) {
        let (_, oldest) = self.by_use.pop_first().expect("there is something to drop");
        let kept = self.kept.remove(&oldest).expect("what has a time of use is kept");
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
    fn room_is_made_of_what_is_not_in_use() {
        let (cache, made) = (Cache::new(10, 100), AtomicUsize::new(0));
        get(&cache, 1, 4, &made);
        get(&cache, 2, 4, &made);
        assert!(cache.room(3, 3).is_none(), "both were used in the last three look-ups");
        assert!(cache.find(&1).is_some() && cache.find(&2).is_some());
        (0..5).for_each(|_| drop(cache.find(&2)));
        let room = cache.room(3, 3).unwrap();
        assert_eq!((cache.weight(), cache.find(&1).is_some()), (7, false));
        assert!(cache.room(8, 0).is_none(), "room that is set aside is nobody else's");
        room.keep(&9, &Arc::new("9".to_owned()), 2);
        assert_eq!((cache.weight(), cache.find(&9).is_some()), (6, true));
        drop(cache.room(10, 0).unwrap());
        assert_eq!(cache.weight(), 0);
    }

    #[test]
    fn a_cache_that_shrank_keeps_no_more_than_it_had() {
        let (cache, made) = (Cache::new(10, 100), AtomicUsize::new(0));
        get(&cache, 1, 4, &made);
        cache.shrink();
        assert!(cache.room(5, 0).is_none() && cache.find(&1).is_some());
        get(&cache, 2, 3, &made);
        assert_eq!((cache.weight(), cache.find(&1).is_some()), (3, false));
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

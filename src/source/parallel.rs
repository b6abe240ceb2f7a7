//! Waiting for several things at once.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

/// Does `work` for each item, on up to `width` threads, and gives the results in the items' order. With one item, or a width of
/// 1, on this thread alone. After an error no new item is begun, and that of the first item is given.
pub(super) fn each<T: Send, R: Send, E: Send>(
    items: impl IntoIterator<Item = T>,
    width: usize,
    work: impl Fn(T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let items: Vec<T> = items.into_iter().collect();
    let width = width.min(items.len());
    if width <= 1 {
        return items.into_iter().map(work).collect();
    }
    let mut done: Vec<Option<Result<R, E>>> = items.iter().map(|_| None).collect();
    let waiting = Mutex::new(items.into_iter().zip(&mut done));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..width {
            scope.spawn(|| {
                while let Some((item, place)) = next() {
                    let is_failed = place.insert(work(item)).is_err();
                    if is_failed {
                        while next().is_some() {}
                    }
                }
            });
        }
    });
    // Items that were not begun lie behind one that failed.
    done.into_iter().flatten().collect()
}

/// The items, begun at another place at each turn. Workers that want the same blocks at once then decode different ones first
/// and find those of the others, where in the same order they would wait for each other at every block.
pub(super) fn staggered<I: Iterator>(items: impl Fn() -> I, turn: u64) -> impl Iterator<Item = I::Item> {
    // Multiples of the golden ratio lie apart from each other, however many there are.
    let place = (turn as f64 * 0.618_033_988_749_895).fract();
    let start = (place * items().count() as f64) as usize;
    items().skip(start).chain(items().take(start))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_work_is_side_by_side() {
        let barrier = Barrier::new(4);
        let doubled = each(0..8, 4, |n| {
            barrier.wait();
            Ok::<_, ()>(2 * n)
        });
        assert_eq!(doubled.unwrap(), (0..8).map(|n| 2 * n).collect::<Vec<_>>());
        assert_eq!(each(0..3, 1, Ok::<_, ()>).unwrap(), [0, 1, 2]);
        assert!(each([0u8; 0], 5, Ok::<_, ()>).unwrap().is_empty());
    }

    #[test]
    fn an_error_ends_the_work() {
        for width in [1, 3] {
            let begun = AtomicUsize::new(0);
            let failed = each(0..1000, width, |n| {
                begun.fetch_add(1, Ordering::Relaxed);
                if n == 5 { Err(n) } else { Ok(n) }
            });
            assert_eq!(failed.unwrap_err(), 5);
            assert!(begun.load(Ordering::Relaxed) < 1000);
        }
    }

    #[test]
    fn each_turn_begins_elsewhere_and_leaves_nothing_out() {
        let turn = |turn| staggered(|| 0..10, turn).collect::<Vec<_>>();
        assert_eq!(turn(0), (0..10).collect::<Vec<_>>());
        assert_eq!(turn(1), [6, 7, 8, 9, 0, 1, 2, 3, 4, 5]);
        for n in 0..20 {
            let mut items = turn(n);
            items.sort();
            assert_eq!(items, turn(0));
        }
        assert!(staggered(|| 0..0, 5).next().is_none());
    }
}

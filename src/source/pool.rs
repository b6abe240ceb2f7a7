//! Things that one thread uses at a time, such as open files, kept for the next that needs one.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Up to so many of them wait; more are made when more threads work at once, and dropped afterwards.
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    most: usize,
}

impl<T> Pool<T> {
    pub fn new(most: usize) -> Self {
        Pool { idle: Mutex::default(), most }
    }

    /// Does `work` with one that waits, or that `make` makes. After an error it is dropped: nobody knows its state.
    pub fn with<R, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
        work: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        let waiting = self.lock().pop();
        let mut one = match waiting {
            Some(one) => one,
            None => make()?,
        };
        let outcome = work(&mut one)?;
        let mut idle = self.lock();
        if idle.len() < self.most {
            idle.push(one);
        }
        Ok(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_worked_is_used_again_and_what_failed_is_not() {
        let pool = Pool::new(1);
        let mut made = 0;
        let mut run = |fails: bool| {
            let make = || {
                made += 1;
                Ok(made)
            };
            pool.with(make, |one| if fails { Err(*one) } else { Ok(*one) })
        };
        assert_eq!([run(false), run(false), run(true), run(false)], [Ok(1), Ok(1), Err(1), Ok(2)]);
    }
}

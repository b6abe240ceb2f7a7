//! Memory as a budget in bytes: a task holds a permit for the voxels and objects it has in memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::buffers::Buffers;

/// Bytes that one unit of the semaphore stands for; it counts in 32 bits when it hands out permits.
const UNIT: u64 = 4096;

/// So many bytes, shared by all tasks of a process.
#[derive(Debug, Clone)]
pub struct Budget {
    units: Arc<Semaphore>,
    total: u32,
}

/// The memory of a run's tasks: what they may hold, and what of it is kept for the next ones.
#[derive(Debug, Clone)]
pub struct Memory {
    pub budget: Budget,
    pub buffers: Buffers,
}

impl Memory {
    /// `bytes` in all, of which tasks may hold two thirds: what the allocator loses between blocks is not counted.
    pub fn new(bytes: u64) -> Self {
        let kept = bytes / KEPT;
        Memory { budget: Budget::new(bytes - 2 * kept), buffers: Buffers::new(kept) }
    }
}

/// The part of the memory that is kept in buffers which nobody uses just now, as a divisor.
const KEPT: u64 = 6;

/// The right to hold some bytes; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    units: OwnedSemaphorePermit,
}

impl Budget {
    pub fn new(bytes: u64) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Budget { units: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits until `bytes` are free, first come first served. A task larger than the whole budget gets all of it and
    /// so runs alone.
    pub async fn acquire(&self, bytes: u64) -> Permit {
        let units = to_units(bytes).min(self.total);
        let units = self.units.clone().acquire_many_owned(units).await;
        Permit { units: units.expect("the budget is never closed") }
    }
}

impl Permit {
    /// Gives back what is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.units.num_permits().saturating_sub(to_units(bytes) as usize);
        drop(self.units.split(surplus));
    }
}

fn to_units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_larger_than_the_budget_takes_all_of_it() {
        let budget = Budget::new(10 * UNIT);
        let mut all = budget.acquire(u64::MAX).await;
        assert_eq!(budget.units.available_permits(), 0);
        all.shrink_to(3 * UNIT - 1);
        assert_eq!(budget.units.available_permits(), 7);
        all.shrink_to(5 * UNIT);
        assert_eq!(budget.units.available_permits(), 7);
        drop(all);
        assert_eq!(budget.units.available_permits(), 10);
    }
}

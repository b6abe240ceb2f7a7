//! The right to work on a message and to delete it, as long as it lasts.
//!
//! A message that is not deleted within its lease is handed out again, with a new receipt, and from then on the old one
//! deletes nothing. The job's keys cannot make a lease longer. So when a message comes again to the process that still works
//! on it, it is not begun anew: the work goes on, with the new receipt and the new lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// The lease of one message.
#[derive(Debug)]
pub struct Lease {
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    /// What deletes the message.
    receipt: String,
    taken: Instant,
    deadline: Instant,
}

/// The leases that this process holds, by their messages' ids.
#[derive(Debug, Default)]
pub struct Leases {
    held: Mutex<HashMap<String, Weak<Lease>>>,
}

impl Lease {
    pub fn receipt(&self) -> String {
        self.current().receipt.clone()
    }

    /// When the message was last received.
    pub fn taken(&self) -> Instant {
        self.current().taken
    }

    /// When another worker may get it.
    pub fn deadline(&self) -> Instant {
        self.current().deadline
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leases {
    /// Takes in a message that was received. `None` when it is one that is being worked on, whose lease it renews.
    pub fn begin(&self, message: &str, receipt: String, taken: Instant, deadline: Instant) -> Option<Arc<Lease>> {
        let current = Current { receipt, taken, deadline };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = held.get(message).and_then(Weak::upgrade) {
            *lease.current() = current;
            return None;
        }
        if held.len() >= 1024 && held.len() == held.capacity() {
            held.retain(|_, lease| lease.strong_count() > 0);
        }
        let lease = Arc::new(Lease { current: Mutex::new(current) });
        held.insert(message.to_owned(), Arc::downgrade(&lease));
        Some(lease)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_message_that_comes_again_renews_its_lease() {
        let (leases, now) = (Leases::default(), Instant::now());
        let later = now + Duration::from_secs(120);
        let lease = leases.begin("m", "r1".to_owned(), now, later).unwrap();
        assert!(leases.begin("m", "r2".to_owned(), later, later + Duration::from_secs(120)).is_none());
        assert_eq!((lease.receipt().as_str(), lease.taken()), ("r2", later));
        assert!(leases.begin("other", "r3".to_owned(), now, later).is_some());
        drop(lease);
        assert_eq!(leases.begin("m", "r4".to_owned(), now, later).unwrap().receipt(), "r4", "it was given back");
    }

    #[test]
    fn leases_that_ended_are_forgotten() {
        let (leases, now) = (Leases::default(), Instant::now());
        for message in 0..20_000 {
            leases.begin(&message.to_string(), String::new(), now, now);
        }
        assert!(leases.held.lock().unwrap().len() < 4000);
    }
}

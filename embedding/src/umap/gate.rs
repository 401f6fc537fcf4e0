//! A gate that threads pass together, thousands of times a second: whoever comes first looks out for
//! the others for a while before it lets somebody else have the core.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Looks before the core is given away.
const LOOKS: usize = 4096;

pub(super) struct Gate {
    threads: usize,
    here: AtomicUsize,
    passed: AtomicUsize,
    is_broken: AtomicBool,
}

impl Gate {
    pub(super) fn new(threads: usize) -> Self {
        let (here, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { threads, here, passed, is_broken: AtomicBool::new(false) }
    }

    /// Waits for all: whether they go on.
    pub(super) fn pass(&self) -> bool {
        self.pass_and(|| ())
    }

    /// The same, where the last to come does something before any goes on.
    pub(super) fn pass_and(&self, before: impl FnOnce()) -> bool {
        let passed = self.passed.load(Ordering::Acquire);
        if self.here.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            before();
            self.here.store(0, Ordering::Relaxed);
            self.passed.store(passed.wrapping_add(1), Ordering::Release);
            return !self.is_broken.load(Ordering::Relaxed);
        }
        let mut looks = 0;
        while self.passed.load(Ordering::Acquire) == passed {
            if self.is_broken.load(Ordering::Relaxed) {
                return false;
            }
            looks += 1;
            match looks < LOOKS {
                true => std::hint::spin_loop(),
                false => std::thread::yield_now(),
            }
        }
        true
    }

    /// Held by a thread for as long as it passes: where it panics, the others do not wait for it.
    pub(super) fn entered(&self) -> Entered<'_> {
        Entered(self)
    }
}

pub(super) struct Entered<'a>(&'a Gate);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.is_broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn nobody_is_ahead_by_more_than_one() {
        let (gate, count) = (Gate::new(3), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..2000 {
                        count.fetch_add(1, Ordering::Relaxed);
                        assert!(gate.pass());
                        assert_eq!(count.load(Ordering::Relaxed), (round + 1) * 3);
                        assert!(gate.pass());
                    }
                });
            }
        });
    }

    #[test]
    fn nobody_waits_for_a_thread_that_broke() {
        let gate = Gate::new(2);
        let broke = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let _entered = gate.entered();
                panic!("broke");
            });
            assert!(!gate.pass());
            other.join()
        });
        assert!(broke.is_err());
    }
}

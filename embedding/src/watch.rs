//! How far a computation is, told to whoever waits, who may end it.

/// Told of progress, and asked before each block of rows whether to go on.
pub trait Watch: Sync {
    /// `done` of `of` steps of a phase are behind us.
    fn progress(&self, phase: Phase, done: u64, of: u64);

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Choosing where clusters begin.
    Init,
    /// Moving them. `of` is the most iterations that there may be.
    Iterations,
    /// Going through all rows once. `of` is blocks of them.
    Pass,
    /// Looking for the nearest of each row. `of` is blocks of them.
    Neighbours,
    /// Moving points. `of` is all epochs that there will be.
    Epochs,
    /// Measuring what came of it.
    Measures,
}

/// Nobody waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&self, _: Phase, _: u64, _: u64) {}
}

//! Undo and redo of the clauses. A drag counts as one change: its start is recorded when
//! it first moves, and the rest of it belongs to that.

use super::command::Gesture;
use crate::protocol::Clause;

const STEPS_MAX: usize = 200;

#[derive(Debug, Clone, Default)]
pub struct History {
    past: Vec<Vec<Clause>>,
    future: Vec<Vec<Clause>>,
    /// A gesture is under way, and where it began is already in `past`.
    moving: bool,
}

impl History {
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Keeps what is about to change.
    pub(super) fn record(&mut self, before: &[Clause]) {
        self.future.clear();
        self.past.push(before.to_vec());
        if self.past.len() > STEPS_MAX {
            self.past.remove(0);
        }
        self.moving = false;
    }

    /// Keeps where a gesture began, once.
    pub(super) fn during(&mut self, gesture: Gesture, before: &[Clause]) {
        if !self.moving {
            self.record(before);
        }
        self.moving = gesture == Gesture::Moving;
    }

    /// Whether the last recorded change came back to where it began.
    pub(super) fn unchanged_by_last(&self, now: &[Clause]) -> bool {
        self.past.last().is_some_and(|before| before == now)
    }

    pub(super) fn forget_last(&mut self) {
        self.past.pop();
    }

    /// The clauses before the last change, or `now` where there is none.
    pub(super) fn undo(&mut self, now: &[Clause]) -> Vec<Clause> {
        self.moving = false;
        Self::step(&mut self.past, &mut self.future, now)
    }

    pub(super) fn redo(&mut self, now: &[Clause]) -> Vec<Clause> {
        self.moving = false;
        Self::step(&mut self.future, &mut self.past, now)
    }

    fn step(from: &mut Vec<Vec<Clause>>, to: &mut Vec<Vec<Clause>>, now: &[Clause]) -> Vec<Clause> {
        match from.pop() {
            Some(clauses) => {
                to.push(now.to_vec());
                clauses
            }
            None => now.to_vec(),
        }
    }
}

//! Undo and redo of what is shown: clauses, views, the order of rows, their columns
//! and how these are laid out.
//! A drag counts as one change: its start is recorded when it first moves, and the rest
//! of it belongs to that. Where a scatter is panned to is no change of its own.

use engine::query::OrderKey;

use super::command::Gesture;
use super::layout::RowLayout;
use super::{Chosen, ShownView};
use crate::protocol::Clause;

const STEPS_MAX: usize = 200;

/// The part of what was chosen that undo brings back.
#[derive(Debug, Clone, PartialEq)]
pub struct Undoable {
    clauses: Vec<Clause>,
    views: Option<Vec<ShownView>>,
    order_by: Vec<OrderKey>,
    row_columns: Option<Vec<String>>,
    row_layout: RowLayout,
}

impl Undoable {
    pub(super) fn of(chosen: &Chosen) -> Self {
        let Chosen { clauses, views, order_by, row_columns, row_layout, .. } = chosen.clone();
        Self { clauses, views, order_by, row_columns, row_layout }
    }

    /// Puts it back. A view whose axes are as they were stays where it was panned to.
    fn restore(mut self, chosen: &mut Chosen) {
        for view in self.views.iter_mut().flatten() {
            if let Some(now) = chosen.view(view.id)
                && now.mark == view.mark
            {
                view.viewport = now.viewport;
            }
        }
        chosen.clauses = self.clauses;
        chosen.views = self.views;
        chosen.order_by = self.order_by;
        chosen.row_columns = self.row_columns;
        chosen.row_layout = self.row_layout;
    }

    /// Whether they show the same, wherever it is panned to.
    fn is_like(&self, other: &Self) -> bool {
        let marks = |of: &Self| -> Vec<_> {
            of.views.iter().flatten().map(|view| (view.id, view.mark.clone())).collect()
        };
        self.clauses == other.clauses
            && marks(self) == marks(other)
            && self.order_by == other.order_by
            && self.row_columns == other.row_columns
            && self.row_layout == other.row_layout
    }
}

#[derive(Debug, Clone, Default)]
pub struct History {
    past: Vec<Undoable>,
    future: Vec<Undoable>,
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

    /// Keeps what was before a change, if it was one.
    pub(super) fn changed(&mut self, before: Undoable, now: &Chosen) {
        if !before.is_like(&Undoable::of(now)) {
            self.record(before);
        }
    }

    fn record(&mut self, before: Undoable) {
        self.future.clear();
        self.past.push(before);
        if self.past.len() > STEPS_MAX {
            self.past.remove(0);
        }
        self.moving = false;
    }

    /// Keeps where a gesture began, once.
    pub(super) fn during(&mut self, gesture: Gesture, before: &Chosen) {
        if !self.moving {
            self.record(Undoable::of(before));
        }
        self.moving = gesture == Gesture::Moving;
    }

    /// Whether the last recorded change came back to where it began.
    pub(super) fn unchanged_by_last(&self, now: &Chosen) -> bool {
        self.past.last().is_some_and(|before| before.is_like(&Undoable::of(now)))
    }

    pub(super) fn forget_last(&mut self) {
        self.past.pop();
    }

    /// Goes back to before the last change, if there is one.
    pub(super) fn undo(&mut self, chosen: &mut Chosen) {
        self.moving = false;
        Self::step(&mut self.past, &mut self.future, chosen);
    }

    pub(super) fn redo(&mut self, chosen: &mut Chosen) {
        self.moving = false;
        Self::step(&mut self.future, &mut self.past, chosen);
    }

    fn step(from: &mut Vec<Undoable>, to: &mut Vec<Undoable>, chosen: &mut Chosen) {
        if let Some(before) = from.pop() {
            to.push(Undoable::of(chosen));
            before.restore(chosen);
        }
    }
}

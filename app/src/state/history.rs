//! Undo and redo of what is shown: clauses, views, the order of rows, their columns
//! and how these are laid out.
//! A drag counts as one change: its start is recorded when it first moves, and the rest
//! of it belongs to that. Where a scatter is panned to is no change of its own.

use std::sync::Arc;

use engine::query::OrderKey;

use super::command::Gesture;
use super::layout::RowLayout;
use super::names::Names;
use super::row_groups::RowGroups;
use super::{Chosen, ShownView};
use crate::protocol::Clause;

const STEPS_MAX: usize = 200;

/// The part of what was chosen that undo brings back. Steps share what did not change between
/// them: a drawn outline alone is tens of kilobytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Undoable {
    clauses: Vec<Arc<Clause>>,
    views: Option<Arc<Vec<ShownView>>>,
    order_by: Vec<OrderKey>,
    row_columns: Option<Arc<Vec<String>>>,
    row_layout: Arc<RowLayout>,
    names: Arc<Names>,
    row_groups: Arc<RowGroups>,
}

impl Undoable {
    pub(super) fn of(chosen: &Chosen) -> Self {
        let Chosen { clauses, views, order_by, row_columns, row_layout, names, row_groups, .. } =
            chosen.clone();
        Self {
            clauses: clauses.into_iter().map(Arc::new).collect(),
            views: views.map(Arc::new),
            order_by,
            row_columns: row_columns.map(Arc::new),
            row_layout: Arc::new(row_layout),
            names: Arc::new(names),
            row_groups: Arc::new(row_groups),
        }
    }

    /// Holds what is equal in `other` together with it.
    fn share(&mut self, other: &Self) {
        for clause in &mut self.clauses {
            other.clauses.iter().for_each(|known| join(clause, known));
        }
        if let (Some(own), Some(known)) = (&mut self.views, &other.views) {
            join(own, known);
        }
        if let (Some(own), Some(known)) = (&mut self.row_columns, &other.row_columns) {
            join(own, known);
        }
        join(&mut self.row_layout, &other.row_layout);
        join(&mut self.names, &other.names);
        join(&mut self.row_groups, &other.row_groups);
    }

    /// Puts it back. A view whose axes are as they were stays where it was panned to.
    fn restore(self, chosen: &mut Chosen) {
        let mut views = self.views.map(Arc::unwrap_or_clone);
        for view in views.iter_mut().flatten() {
            if let Some(now) = chosen.view(view.id)
                && now.mark == view.mark
            {
                view.viewport = now.viewport;
            }
        }
        chosen.clauses = self.clauses.into_iter().map(Arc::unwrap_or_clone).collect();
        chosen.views = views;
        chosen.order_by = self.order_by;
        chosen.row_columns = self.row_columns.map(Arc::unwrap_or_clone);
        chosen.row_layout = Arc::unwrap_or_clone(self.row_layout);
        chosen.names = Arc::unwrap_or_clone(self.names);
        chosen.row_groups = Arc::unwrap_or_clone(self.row_groups);
    }

    /// Whether they show the same, wherever it is panned to.
    fn is_like(&self, other: &Self) -> bool {
        let marks = |of: &Self| -> Vec<_> {
            let views = of.views.iter().flat_map(|views| views.iter());
            views.map(|view| (view.id, view.mark.clone())).collect()
        };
        self.clauses == other.clauses
            && marks(self) == marks(other)
            && self.order_by == other.order_by
            && self.row_columns == other.row_columns
            && self.row_layout == other.row_layout
            && self.names == other.names
            && self.row_groups == other.row_groups
    }
}

fn join<T: PartialEq>(own: &mut Arc<T>, known: &Arc<T>) {
    if *own == *known {
        own.clone_from(known);
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

    fn record(&mut self, mut before: Undoable) {
        if let Some(last) = self.past.last() {
            before.share(last);
        }
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
            let mut now = Undoable::of(chosen);
            now.share(&before);
            to.push(now);
            before.restore(chosen);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use engine::predicate::Predicate;

    use super::*;

    #[test]
    fn steps_hold_together_what_did_not_change() {
        let clause = |id: &str| Clause {
            id: id.to_owned(),
            predicate: Predicate::NotNull { column: id.to_owned() },
        };
        let mut chosen = Chosen { clauses: vec![clause("outline")], ..Chosen::default() };
        let mut history = History::default();
        for step in 0..10 {
            history.during(Gesture::Done, &chosen);
            chosen.clauses.truncate(1);
            chosen.clauses.push(clause(&format!("step {step}")));
        }
        let outlines: Vec<_> = history.past.iter().map(|step| &step.clauses[0]).collect();
        assert!(outlines.windows(2).all(|pair| Arc::ptr_eq(pair[0], pair[1])));
        for step in (0..10).rev() {
            assert_eq!(chosen.clauses.last().unwrap().id, format!("step {step}"));
            history.undo(&mut chosen);
        }
        assert_eq!(chosen.clauses, [clause("outline")]);
        history.redo(&mut chosen);
        assert_eq!(chosen.clauses, [clause("outline"), clause("step 0")]);
    }
}

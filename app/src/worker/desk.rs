//! What the page waits for: the newest question, and the rows it asked for. An older
//! question is forgotten; of windows of rows the newest few are answered. Pure.

use std::collections::VecDeque;

use engine::query::OrderKey;

use crate::protocol::table::CopyAsked;
use crate::protocol::{Clause, Generation, View};
use crate::worker::answer::Question;

/// A window of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsAsked {
    pub request: u64,
    pub order_by: Vec<OrderKey>,
    pub columns: Vec<String>,
    pub first: u64,
    pub count: u32,
}

/// Windows that wait at most: whoever scrolls on no longer needs the first of more.
const ROWS_WAITING_MAX: usize = 4;
/// Rows of one window at most.
const ROWS_MAX: u32 = 2000;

#[derive(Debug, Default)]
pub struct Desk {
    /// What is shown, or will be.
    question: Question,
    /// Whether the newest question has its answer.
    is_answered: bool,
    rows: VecDeque<RowsAsked>,
    /// Cells to copy, until somebody takes them up.
    copy: Option<CopyAsked>,
    /// The copy that is waited for.
    copy_wanted: Option<u64>,
}

impl Desk {
    pub fn show(&mut self, generation: Generation, clauses: Vec<Clause>, views: Vec<View>) {
        self.question = Question { generation, clauses, views };
        self.is_answered = false;
    }

    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The question was answered, unless another has come.
    pub fn answered(&mut self, generation: Generation) {
        self.is_answered = self.question.generation == generation;
    }

    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    pub fn ask_rows(
        &mut self,
        request: u64,
        order_by: Vec<OrderKey>,
        columns: Vec<String>,
        first: u64,
        count: u32,
    ) {
        if self.rows.len() == ROWS_WAITING_MAX {
            self.rows.pop_front();
        }
        let count = count.min(ROWS_MAX);
        self.rows.push_back(RowsAsked { request, order_by, columns, first, count });
    }

    /// A copy in place of the one before; `None` gives that up.
    pub fn ask_copy(&mut self, asked: Option<CopyAsked>) {
        self.copy_wanted = asked.as_ref().map(|asked| asked.request);
        self.copy = asked;
    }

    pub fn next_copy(&mut self) -> Option<CopyAsked> {
        self.copy.take()
    }

    pub fn is_copy_wanted(&self, request: u64) -> bool {
        self.copy_wanted == Some(request)
    }

    pub fn next_rows(&mut self) -> Option<RowsAsked> {
        self.rows.pop_front()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_question_counts() {
        let mut desk = Desk::default();
        desk.show(1, vec![], vec![]);
        desk.show(2, vec![], vec![]);
        desk.answered(1);
        assert!(!desk.is_answered());
        desk.answered(2);
        assert!(desk.is_answered());
    }

    #[test]
    fn of_many_windows_the_newest_wait() {
        let mut desk = Desk::default();
        for request in 0..6 {
            desk.ask_rows(request, vec![], vec![], 0, u32::MAX);
        }
        assert_eq!(desk.next_rows().unwrap().request, 2);
        assert_eq!(desk.next_rows().unwrap().count, ROWS_MAX);
    }
}

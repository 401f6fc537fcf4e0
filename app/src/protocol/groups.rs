//! What page and worker say to each other about what groups of rows are made of. It travels as
//! text within a request and its reply: only who asks, and who answers, needs to read it, and
//! both are fetched when they are used.

use engine::literal::Literal;
use serde::{Deserialize, Serialize};

/// Page → worker, as JSON in [`Request::Groups`](super::Request::Groups).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupsAsked {
    /// Answered by [`Groups`].
    Counts(Counts),
    /// Answered by rows' numbers, group by group as they were asked for.
    Extremes(Extremes),
}

/// Rows of the selection, counted by the values of some columns together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counts {
    /// None of them counts all rows as one group.
    pub keys: Vec<String>,
    /// Clauses, by id, that rows need not pass: mostly those of the keys themselves.
    pub without: Vec<String>,
    /// Columns of numbers of which means are wanted too.
    pub measures: Vec<String>,
    /// How many groups at most: of more, those with the most rows.
    pub most: u32,
}

/// Rows of each group that have least of a measure, or most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Extremes {
    pub by: String,
    /// The groups: what they have in `by`.
    pub values: Vec<Literal>,
    pub without: Vec<String>,
    pub measure: String,
    pub is_most: bool,
    /// Rows of each.
    pub count: u32,
}

/// Groups, those with the most rows first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Groups {
    pub groups: Vec<Group>,
    /// Whether there are more than these.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Group {
    /// One for each column; `None` is null.
    pub key: Vec<Option<Literal>>,
    pub rows: u64,
    /// Of each measure: mean and standard deviation of a sample, where there are any.
    pub measures: Vec<[Option<f64>; 2]>,
}

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
    /// Answered by [`Finds`].
    Find(Find),
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
    /// Whether the last of the keys is counted word by word: rows whose text has a word, however
    /// often.
    #[serde(default)]
    pub has_terms: bool,
}

impl Counts {
    /// The same by the words of the last key.
    pub fn of_terms(self) -> Self {
        Self { has_terms: true, ..self }
    }
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

/// Rows of the selection whose texts have all of some words, each in one of some columns, in
/// letters of any size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    pub words: Vec<String>,
    pub columns: Vec<String>,
    /// Columns whose numbers are wanted of the rows: where their points are.
    pub numbers: Vec<String>,
    pub most: u32,
}

/// The first of the rows that were found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Finds {
    pub rows: Vec<FoundRow>,
    /// Whether there are more.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FoundRow {
    pub row: u64,
    /// The first columns that have the words, and what they say.
    pub texts: Vec<(String, String)>,
    pub numbers: Vec<Option<f64>>,
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

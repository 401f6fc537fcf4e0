//! The one error of the query model: which field of the query is to blame, and why.

use serde::{Deserialize, Serialize};

/// A query that cannot be answered as asked. `field` is the path of the part to
/// blame (`filters[1].value`), for problem+json and for inline errors in the page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{field}: {kind}")]
pub struct QueryError {
    pub field: String,
    pub kind: QueryErrorKind,
}

/// What is wrong with the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum QueryErrorKind {
    #[error("{detail}")]
    Malformed { detail: String },
    #[error("no column {column:?}{}", near_hint(near.as_deref()))]
    UnknownColumn { column: String, near: Option<String> },
    #[error("{op} does not apply to column {column:?} of type {data_type}")]
    OperatorForType { op: String, column: String, data_type: String },
    #[error("{value} is not a value of column {column:?} of type {data_type}{hint}")]
    WrongType { value: String, column: String, data_type: String, hint: String },
    #[error("bad regular expression: {detail}")]
    BadRegex { detail: String },
    #[error("the sum of column {column:?} does not fit 64 bits")]
    Overflow { column: String },
    #[error("{detail}")]
    Unsupported { detail: String },
}

fn near_hint(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default()
}

impl QueryError {
    pub fn new(field: impl Into<String>, kind: QueryErrorKind) -> Self {
        Self { field: field.into(), kind }
    }

    pub fn malformed(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(field, QueryErrorKind::Malformed { detail: detail.into() })
    }

    /// `column` is not among `names`; the nearest name is offered.
    pub fn unknown_column<'a>(
        field: impl Into<String>,
        column: &str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let near = nearest_name(column, names);
        Self::new(field, QueryErrorKind::UnknownColumn { column: column.to_owned(), near })
    }
}

/// The name closest to `wanted` (case ignored, then edit distance), if one is close.
pub fn nearest_name<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = wanted.to_lowercase();
    let budget = (lower.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (edit_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.to_owned())
}

/// Levenshtein distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let next = (*cell + 1).min(left + 1).min(diagonal + usize::from(from != *to));
            diagonal = *cell;
            *cell = next;
            left = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let names = ["delay", "distance", "carrier"];
        assert_eq!(nearest_name("Delay", names), Some("delay".to_owned()));
        assert_eq!(nearest_name("distnce", names), Some("distance".to_owned()));
        assert_eq!(nearest_name("zzz", names), None);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
    }
}

//! Rows that are given names: groups of rows, each by what its rows have in common, and the
//! column of names that comes of them. The companion's jobs and the browser label by this.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::bind::Bound;
use crate::error::QueryError;
use crate::eval::Evaluator;
use crate::predicate::Predicate;
use crate::query::filters_as_list;
use crate::steps::fields::Fields;

/// Groups of one column of names.
pub const GROUPS_MAX: usize = 1000;
/// Letters of a name.
pub const LETTERS_MAX: usize = 200;
/// What the column is called where nobody says.
pub const NAME: &str = "label";

/// The column of names, as it is asked for: the fields `groups`, `as` and `otherwise`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Labels {
    /// A row that is in several has the name of the last of them.
    pub groups: Vec<RowGroup>,
    #[serde(rename = "as")]
    pub name: String,
    /// The column whose value a row has as its name that is in none of them; without one it has
    /// none.
    pub otherwise: Option<String>,
}

/// Rows with a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowGroup {
    pub name: String,
    /// What its rows pass.
    #[serde(serialize_with = "filters_as_list")]
    pub filters: Predicate,
}

impl Labels {
    /// Takes its fields from those of a job.
    ///
    /// # Errors
    /// Where one is missing, or not what it may be: `groups[2].filters[0].value`.
    pub fn take(fields: &mut Fields) -> Result<Self, QueryError> {
        let raw: Vec<Box<RawValue>> = fields.optional("groups")?.unwrap_or_default();
        let otherwise: Option<String> = fields.optional("otherwise")?;
        let name: String = fields.optional("as")?.unwrap_or_else(|| NAME.to_owned());
        if name.is_empty() {
            return Err(QueryError::malformed("as", "a column needs a name"));
        }
        if raw.is_empty() && otherwise.is_none() {
            return Err(QueryError::malformed("groups", "there are none"));
        }
        if raw.len() > GROUPS_MAX {
            let detail = format!("there are {}, and may be {GROUPS_MAX}", raw.len());
            return Err(QueryError::malformed("groups", detail));
        }
        let groups = raw.iter().enumerate();
        let groups = groups.map(|(at, raw)| group(raw, &format!("groups[{at}]")));
        let groups = groups.collect::<Result<_, _>>()?;
        Ok(Self { groups, name, otherwise })
    }

    /// The columns that have to be read to tell names, each once.
    pub fn columns(&self) -> Vec<&str> {
        let of_groups = self.groups.iter().flat_map(|group| group.filters.columns());
        let mut names: Vec<&str> = Vec::new();
        for name in of_groups.chain(self.otherwise.as_deref()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

fn group(raw: &RawValue, place: &str) -> Result<RowGroup, QueryError> {
    let mut fields = Fields::read_at(raw.get(), &format!("{place}."), place)?;
    let name: String = fields.required("name")?;
    let letters = name.chars().count();
    if name.trim().is_empty() || letters > LETTERS_MAX {
        let detail = format!("a name has from 1 to {LETTERS_MAX} letters");
        return Err(QueryError::malformed(fields.at("name"), detail));
    }
    let at = fields.at("filters");
    let filters = fields.take("filters");
    let filters = filters.ok_or_else(|| QueryError::malformed(&at, "missing"))?;
    let filters = Predicate::from_filters(&filters, &at)?;
    match fields.first() {
        None => Ok(RowGroup { name, filters }),
        Some(stray) => {
            let detail = format!("unknown field `{stray}`");
            Err(QueryError::malformed(fields.at(stray), detail))
        }
    }
}

/// Tells the names of rows, batch by batch.
#[derive(Debug)]
pub struct Labeller {
    groups: Vec<(Arc<str>, Evaluator)>,
}

impl Labeller {
    /// # Errors
    /// Where a group is of a column that `schema` has not, or by values that it cannot have; the
    /// group is named.
    pub fn new(groups: &[RowGroup], schema: &Schema) -> Result<Self, QueryError> {
        let groups = groups.iter().enumerate().map(|(at, group)| {
            let bound = Bound::new(&group.filters, schema, &format!("groups[{at}].filters"))?;
            Ok((Arc::from(group.name.as_str()), Evaluator::new(bound)))
        });
        Ok(Self { groups: groups.collect::<Result<_, QueryError>>()? })
    }

    /// Of each row the name of the last group that it is in. `first_row` is the number in the
    /// table of the batch's first row, where the batch does not say its rows' numbers.
    ///
    /// # Errors
    /// As [`Evaluator::eval`].
    pub fn names(
        &mut self,
        batch: &RecordBatch,
        first_row: u64,
    ) -> Result<Vec<Option<Arc<str>>>, QueryError> {
        let mut names: Vec<Option<Arc<str>>> = vec![None; batch.num_rows()];
        for (name, evaluator) in &mut self.groups {
            for row in evaluator.eval(batch, first_row)?.iter_ones() {
                if let Some(own) = names.get_mut(row) {
                    *own = Some(Arc::clone(name));
                }
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::{ArrayRef, Float64Array, Int64Array};

    use super::*;

    fn labels(text: &str) -> Result<Labels, QueryError> {
        Labels::take(&mut Fields::read(text).unwrap())
    }

    #[test]
    fn a_bad_field_is_named() {
        let long = "x".repeat(201);
        let long = format!(r#"{{"groups": [{{"name": "{long}", "filters": []}}]}}"#);
        for (text, field) in [
            ("{}", "groups"),
            (r#"{"groups": []}"#, "groups"),
            (r#"{"groups": 3}"#, "groups"),
            (r#"{"groups": [3]}"#, "groups[0]"),
            (r#"{"groups": [{"filters": []}]}"#, "groups[0].name"),
            (r#"{"groups": [{"name": " ", "filters": []}]}"#, "groups[0].name"),
            (long.as_str(), "groups[0].name"),
            (r#"{"groups": [{"name": "a"}]}"#, "groups[0].filters"),
            (r#"{"groups": [{"name": "a", "filters": [], "colour": 1}]}"#, "groups[0].colour"),
            (
                r#"{"groups": [{"name": "a", "filters": []}, {"name": "b", "filters": [{"column": "x", "op": "eq"}]}]}"#,
                "groups[1].filters[0].value",
            ),
            (r#"{"groups": [{"name": "a", "filters": []}], "as": ""}"#, "as"),
            (r#"{"otherwise": 3}"#, "otherwise"),
        ] {
            assert_eq!(labels(text).unwrap_err().field, field, "{text}");
        }
        let many = vec![r#"{"name": "a", "filters": []}"#; GROUPS_MAX + 1].join(",");
        assert_eq!(labels(&format!(r#"{{"groups": [{many}]}}"#)).unwrap_err().field, "groups");
        // Values of a column alone, under the names that groups give them or their own.
        assert_eq!(labels(r#"{"otherwise": "cluster"}"#).unwrap().name, NAME);
    }

    #[test]
    fn the_last_group_gives_the_name() {
        let text = r#"{"groups": [
            {"name": "low", "filters": [{"column": "x", "op": "lt", "value": 3}]},
            {"name": "first", "filters": [{"column": "_row", "op": "eq", "value": 10}]},
            {"name": "low", "filters": [{"columns": ["x", "y"], "op": "within",
                "value": [[3.5, -1], [4.5, -1], [4.5, 1], [3.5, 1]]}]}
        ], "otherwise": "kind"}"#;
        let labels = labels(text).unwrap();
        assert_eq!(labels.columns(), ["x", "_row", "y", "kind"]);
        let x: ArrayRef =
            Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(3), Some(4), None]));
        let y: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 0.0, 0.0, 0.0, f64::NAN]));
        let batch = RecordBatch::try_from_iter([("x", x), ("y", y)]).unwrap();
        let mut labeller = Labeller::new(&labels.groups, &batch.schema()).unwrap();
        let names = labeller.names(&batch, 10).unwrap();
        let names: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
        assert_eq!(names, [Some("first"), Some("low"), None, Some("low"), None]);
        let unknown = RowGroup {
            name: "a".to_owned(),
            filters: Predicate::from_filters_text(r#"[{"column": "z", "op": "is_null"}]"#).unwrap(),
        };
        let error = Labeller::new(&[unknown], &batch.schema()).unwrap_err();
        assert_eq!(error.field, "groups[0].filters[0].column");
    }
}

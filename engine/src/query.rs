//! A query: which rows and columns of which version of a table, grouped, ordered and
//! cut how. The body of `POST /api/query`; what a slice's key is made of.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::QueryError;
use crate::predicate::{Predicate, exact_float};

/// Every part but `table` is optional. No `limit` means all rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Query {
    pub table: String,
    /// A Delta version, or the `f-…` fingerprint of a table without versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// All columns if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Predicate::is_all", serialize_with = "filters_as_list")]
    pub filters: Predicate,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<GroupKey>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aggregates: Vec<Aggregate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<OrderKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// `filters` is an array of nodes, whatever the tree's root is.
pub(crate) fn filters_as_list<S: Serializer>(
    filters: &Predicate,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match filters {
        Predicate::And(clauses) => clauses.serialize(serializer),
        other => [other].serialize(serializer),
    }
}

/// A version of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Version {
    Number(u64),
    Fingerprint(String),
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Fingerprint(text) => f.write_str(text),
        }
    }
}

/// A column to group by, whole or in bins.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GroupKey {
    Column(String),
    Binned(BinnedKey),
}

// By hand: serde's untagged enums buffer their input, which loses the text of numbers.
impl<'de> Deserialize<'de> for GroupKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let key = match raw.get().trim_start().starts_with('"') {
            true => serde_json::from_str(raw.get()).map(Self::Column),
            false => serde_json::from_str(raw.get()).map(Self::Binned),
        };
        key.map_err(|error| serde::de::Error::custom(plain_detail(&error)))
    }
}

impl GroupKey {
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) => column,
            Self::Binned(key) => &key.column,
        }
    }

    /// The name of the group's column in the answer.
    pub fn name(&self) -> &str {
        match self {
            Self::Column(column) => column,
            Self::Binned(key) => key.name.as_deref().unwrap_or(&key.column),
        }
    }
}

/// `{"column": …, "bin": {"step": …, "origin": …}, "as": …}`; without `bin` a plain column renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinnedKey {
    pub column: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin: Option<Bin>,
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Bins, shown by their lower edge. Of equal width: bin = floor((x − origin) / step), where
/// `step` is a number, or an ISO 8601 duration for time columns (in UTC). Or of numbers
/// between `edges`, in ascending order: a value's edge is the greatest that is not above it,
/// and minus infinity below all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<crate::literal::Literal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<crate::literal::Literal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<crate::literal::Literal>,
}

/// One aggregate of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    pub op: AggregateOp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The quantile, 0 to 1, of `quantile`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "exact_or_null")]
    pub q: Option<f64>,
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn exact_or_null<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(from)?;
    let exact = |raw: Box<RawValue>| {
        exact_float(&raw).ok_or_else(|| serde::de::Error::custom("expected a number"))
    };
    raw.map(exact).transpose()
}

impl Aggregate {
    /// Default names: `count`, `{op}_{column}`.
    pub fn output_name(&self) -> String {
        match (&self.name, &self.column) {
            (Some(name), _) => name.clone(),
            (None, None) => self.op.name().to_owned(),
            (None, Some(column)) => format!("{}_{column}", self.op.name()),
        }
    }
}

/// The aggregate functions. Nulls are left out; `count` without a column counts rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateOp {
    Count,
    CountDistinct,
    Sum,
    Mean,
    Min,
    Max,
    Median,
    Quantile,
    /// Of a sample (n − 1).
    Stddev,
    Variance,
}

impl AggregateOp {
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::Quantile => "quantile",
            Self::Stddev => "stddev",
            Self::Variance => "variance",
        }
    }
}

/// One key of the order. Nulls come last in both directions unless `nulls` is `first`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    pub column: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
    #[serde(default, skip_serializing_if = "Nulls::is_last")]
    pub nulls: Nulls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nulls {
    First,
    #[default]
    Last,
}

impl Nulls {
    fn is_last(&self) -> bool {
        *self == Self::Last
    }
}

/// A seeded sample: after the filters, the `rows` rows with the smallest
/// [`crate::sample::hash64`] of (seed, row number), in table order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    pub rows: u64,
    #[serde(default)]
    pub seed: u64,
}

/// The parts of a query before they are checked one by one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuery {
    table: Option<Box<RawValue>>,
    version: Option<Box<RawValue>>,
    columns: Option<Box<RawValue>>,
    filters: Option<Box<RawValue>>,
    group_by: Option<Box<RawValue>>,
    aggregates: Option<Box<RawValue>>,
    order_by: Option<Box<RawValue>>,
    limit: Option<Box<RawValue>>,
    offset: Option<Box<RawValue>>,
    sample: Option<Box<RawValue>>,
}

impl Query {
    /// All rows and columns of a table.
    pub fn of_table(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            version: None,
            columns: None,
            filters: Predicate::all(),
            group_by: Vec::new(),
            aggregates: Vec::new(),
            order_by: Vec::new(),
            limit: None,
            offset: 0,
            sample: None,
        }
    }

    /// Reads a query, naming the field to blame. Whether columns exist and types fit is
    /// decided later, against a schema.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        let raw: RawQuery = serde_json::from_str(text)
            .map_err(|error| QueryError::malformed(blamed_field(&error), error.to_string()))?;
        let filters = match &raw.filters {
            Some(filters) => Predicate::from_filters(filters, "filters")?,
            None => Predicate::all(),
        };
        let query = Self {
            table: part("table", raw.table.as_deref())?
                .ok_or_else(|| QueryError::malformed("table", "missing"))?,
            version: part("version", raw.version.as_deref())?,
            columns: part("columns", raw.columns.as_deref())?,
            filters,
            group_by: items("group_by", raw.group_by.as_deref())?,
            aggregates: items("aggregates", raw.aggregates.as_deref())?,
            order_by: items("order_by", raw.order_by.as_deref())?,
            limit: part("limit", raw.limit.as_deref())?,
            offset: part("offset", raw.offset.as_deref())?.unwrap_or_default(),
            sample: part("sample", raw.sample.as_deref())?,
        };
        Ok(query)
    }

    /// Whether the answer is groups (or one row of aggregates) rather than rows.
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty() || !self.aggregates.is_empty()
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// An optional part; null counts as absent.
fn part<T: for<'de> Deserialize<'de>>(
    name: &str,
    raw: Option<&RawValue>,
) -> Result<Option<T>, QueryError> {
    match raw {
        None => Ok(None),
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|error| QueryError::malformed(name, plain_detail(&error))),
    }
}

/// A list, whose bad item is named by its index.
fn items<T: for<'de> Deserialize<'de>>(
    name: &str,
    raw: Option<&RawValue>,
) -> Result<Vec<T>, QueryError> {
    let list: Vec<Box<RawValue>> = part(name, raw)?.unwrap_or_default();
    let numbered = list.iter().enumerate();
    numbered
        .map(|(index, item)| {
            serde_json::from_str(item.get()).map_err(|error| {
                QueryError::malformed(format!("{name}[{index}]"), plain_detail(&error))
            })
        })
        .collect()
}

/// serde's message without its line and column, which count from the part, not the body.
fn plain_detail(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The unknown field that serde names in backticks, or the body as a whole.
fn blamed_field(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let mut quoted = text.strip_prefix("unknown field `").into_iter().flat_map(|t| t.split('`'));
    quoted.next().unwrap_or("query").to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"table":"flights","version":3,"columns":["distance","delay"],
        "filters":[{"column":"carrier","op":"in","value":["AA","DL"]},
                   {"column":"delay","op":"between","value":[0,60]},
                   {"column":"id","op":"eq","value":9007199254740993},
                   {"column":"gene_name","op":"contains","value":"BRCA","case_sensitive":false}],
        "group_by":["carrier",{"column":"delay","bin":{"step":10}}],
        "aggregates":[{"op":"count","as":"n"},{"op":"mean","column":"distance","as":"m"}],
        "order_by":[{"column":"n","descending":true}],
        "limit":100,"offset":0,"sample":{"rows":10000,"seed":7}}"#;

    #[test]
    fn a_full_query_survives_both_ways() {
        let query = Query::from_json(FULL).unwrap();
        let text = serde_json::to_string(&query).unwrap();
        assert!(text.contains("9007199254740993"), "{text}");
        assert_eq!(Query::from_json(&text).unwrap(), query);
    }

    #[test]
    fn the_field_to_blame_is_named() {
        let cases = [
            (r#"{}"#, "table"),
            (r#"{"table":1}"#, "table"),
            (r#"{"table":"t","colums":[]}"#, "colums"),
            (r#"{"table":"t","limit":-1}"#, "limit"),
            (
                r#"{"table":"t","filters":[{"column":"a","op":"eq","value":1},{"column":"b","op":"between","value":[1]}]}"#,
                "filters[1].value",
            ),
            (
                r#"{"table":"t","filters":[{"column":"a","op":"equals","value":1}]}"#,
                "filters[0].op",
            ),
            (
                r#"{"table":"t","filters":[{"or":[{"column":"a","op":"in","value":[1,null]}]}]}"#,
                "filters[0].or[0].value[1]",
            ),
            (r#"{"table":"t","order_by":[{"column":"a"},{"col":"a"}]}"#, "order_by[1]"),
            (r#"{"table":"t","aggregates":[{"op":"average"}]}"#, "aggregates[0]"),
            ("nonsense", "query"),
        ];
        for (text, field) in cases {
            assert_eq!(Query::from_json(text).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn deep_trees_are_refused() {
        let deep = format!(
            "{}{}{}",
            "{\"not\":".repeat(200),
            r#"{"column":"a","op":"is_null"}"#,
            "}".repeat(200)
        );
        let text = format!(r#"{{"table":"t","filters":[{deep}]}}"#);
        assert!(Query::from_json(&text).is_err());
    }
}

//! The predicate tree: what a filter says, before it meets a table.
//!
//! Semantics are three-valued. A null input makes every operator but `is_null` and
//! `not_null` unknown; `and`, `or` and `not` follow Kleene; a row passes only where
//! the whole is true. NaN makes every comparison false but `ne` (and `not_in`); -0
//! equals +0. [`crate::eval`] is the reference; every other reading compiles to it.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{QueryError, nearest_name};
use crate::interaction::{self, Control, Interaction};
use crate::literal::Literal;

/// A comparison with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }
}

/// A boolean expression over the columns of a table. JSON as in the HTTP contract.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// True for no clauses.
    And(Vec<Predicate>),
    /// False for no clauses.
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    Compare {
        column: String,
        op: Comparison,
        value: Literal,
    },
    /// Both ends included.
    Between {
        column: String,
        low: Literal,
        high: Literal,
    },
    /// `in` and, negated, `not_in`. An empty list finds no rows, negated all non-null ones.
    In {
        column: String,
        values: Vec<Literal>,
        negated: bool,
    },
    /// Literal substring.
    Contains {
        column: String,
        text: String,
        case_sensitive: bool,
    },
    /// Unanchored regular expression of the crate `regex`.
    Matches {
        column: String,
        pattern: String,
        case_sensitive: bool,
    },
    IsNull {
        column: String,
    },
    NotNull {
        column: String,
    },
    /// Points of two columns inside a polygon: even-odd rule, edges included.
    Within {
        x: String,
        y: String,
        polygon: Vec<[f64; 2]>,
    },
    /// A control of a dashboard, whose meaning depends on the column's type.
    Interaction(Interaction),
}

impl Predicate {
    /// The predicate that every row passes.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }

    /// Whether this is the predicate that every row passes, as written.
    pub fn is_all(&self) -> bool {
        match self {
            Self::And(clauses) => clauses.iter().all(Self::is_all),
            Self::Interaction(interaction) => interaction.is_unset(),
            _ => false,
        }
    }

    /// The `filters` of a query: an array of nodes, all of which must hold.
    pub fn from_filters(filters: &RawValue, path: &str) -> Result<Self, QueryError> {
        let nodes: Vec<Box<RawValue>> = serde_json::from_str(filters.get())
            .map_err(|_| QueryError::malformed(path, "expected an array of filters"))?;
        let mut clauses = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            clauses.push(Self::from_node(node, &format!("{path}[{index}]"), 0)?);
        }
        Ok(Self::And(clauses))
    }

    /// The `filters` of a query as text, for URL parameters.
    pub fn from_filters_text(filters: &str) -> Result<Self, QueryError> {
        let raw: &RawValue = serde_json::from_str(filters)
            .map_err(|error| QueryError::malformed("filters", format!("not JSON: {error}")))?;
        Self::from_filters(raw, "filters")
    }

    fn from_node(node: &RawValue, path: &str, depth: usize) -> Result<Self, QueryError> {
        if depth > DEPTH_MAX {
            return Err(QueryError::malformed(path, format!("nested deeper than {DEPTH_MAX}")));
        }
        let fields: Fields = serde_json::from_str(node.get())
            .map_err(|_| QueryError::malformed(path, "expected an object"))?;
        if interaction::is_record(&fields) {
            return Interaction::from_record(&fields, path).map(Self::Interaction);
        }
        let list = |name: &str, raw: &RawValue| -> Result<Vec<Self>, QueryError> {
            let path = format!("{path}.{name}");
            let nodes: Vec<Box<RawValue>> = serde_json::from_str(raw.get())
                .map_err(|_| QueryError::malformed(&path, "expected an array of filters"))?;
            let mut clauses = Vec::with_capacity(nodes.len());
            for (index, node) in nodes.iter().enumerate() {
                clauses.push(Self::from_node(node, &format!("{path}[{index}]"), depth + 1)?);
            }
            Ok(clauses)
        };
        if let Some(raw) = fields.get("and") {
            only(&fields, &["and"], path)?;
            return Ok(Self::And(list("and", raw)?));
        }
        if let Some(raw) = fields.get("or") {
            only(&fields, &["or"], path)?;
            return Ok(Self::Or(list("or", raw)?));
        }
        if let Some(raw) = fields.get("not") {
            only(&fields, &["not"], path)?;
            let inner = Self::from_node(raw, &format!("{path}.not"), depth + 1)?;
            return Ok(Self::Not(Box::new(inner)));
        }
        Self::from_clause(&fields, path)
    }

    fn from_clause(fields: &Fields, path: &str) -> Result<Self, QueryError> {
        let clause = ClauseFields { fields, path };
        let op = clause.text("op")?;
        let known: &[&str] = match op.as_str() {
            "within" => &["columns", "op", "value"],
            "contains" | "matches" => &["column", "op", "value", "case_sensitive"],
            "is_null" | "not_null" => &["column", "op"],
            _ => &["column", "op", "value"],
        };
        only(fields, known, path)?;
        let compare = |op: Comparison| -> Result<Self, QueryError> {
            let value = literal(clause.value()?, &clause.field("value"))?;
            Ok(Self::Compare { column: clause.text("column")?, op, value })
        };
        match op.as_str() {
            "eq" => compare(Comparison::Eq),
            "ne" => compare(Comparison::Ne),
            "lt" => compare(Comparison::Lt),
            "le" => compare(Comparison::Le),
            "gt" => compare(Comparison::Gt),
            "ge" => compare(Comparison::Ge),
            "between" => {
                let ends = literals(clause.value()?, &clause.field("value"))?;
                let [low, high] = <[Literal; 2]>::try_from(ends).map_err(|_| {
                    QueryError::malformed(clause.field("value"), "expected [low, high]")
                })?;
                Ok(Self::Between { column: clause.text("column")?, low, high })
            }
            "in" | "not_in" => Ok(Self::In {
                column: clause.text("column")?,
                values: literals(clause.value()?, &clause.field("value"))?,
                negated: op == "not_in",
            }),
            "contains" | "matches" => clause.text_search(op == "matches"),
            "is_null" => Ok(Self::IsNull { column: clause.text("column")? }),
            "not_null" => Ok(Self::NotNull { column: clause.text("column")? }),
            "within" => clause.within(),
            other => {
                let near = nearest_name(other, OPERATORS);
                let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                let detail = format!("no operator {other:?}{near}");
                Err(QueryError::malformed(clause.field("op"), detail))
            }
        }
    }

    /// The names of the columns this predicate reads, each once, in order of appearance.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.visit_columns(&mut |name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        names
    }

    /// Whether any part of it is a regular expression.
    pub fn has_pattern(&self) -> bool {
        match self {
            Self::And(clauses) | Self::Or(clauses) => clauses.iter().any(Self::has_pattern),
            Self::Not(inner) => inner.has_pattern(),
            Self::Matches { .. } => true,
            Self::Interaction(interaction) => {
                matches!(interaction.control, Control::Text { is_pattern: true, .. })
            }
            _ => false,
        }
    }

    fn visit_columns<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::And(clauses) | Self::Or(clauses) => {
                for clause in clauses {
                    clause.visit_columns(visit);
                }
            }
            Self::Not(inner) => inner.visit_columns(visit),
            Self::Compare { column, .. }
            | Self::Between { column, .. }
            | Self::In { column, .. }
            | Self::Contains { column, .. }
            | Self::Matches { column, .. }
            | Self::IsNull { column }
            | Self::NotNull { column } => visit(column),
            Self::Within { x, y, .. } => {
                visit(x);
                visit(y);
            }
            Self::Interaction(interaction) => visit(&interaction.column),
        }
    }
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// The fields of one clause, and where it stands.
struct ClauseFields<'a> {
    fields: &'a Fields,
    path: &'a str,
}

impl ClauseFields<'_> {
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    fn raw(&self, name: &str) -> Result<&RawValue, QueryError> {
        let raw = self.fields.get(name).map(Box::as_ref);
        raw.ok_or_else(|| QueryError::malformed(self.field(name), "missing"))
    }

    fn text(&self, name: &str) -> Result<String, QueryError> {
        serde_json::from_str(self.raw(name)?.get())
            .map_err(|_| QueryError::malformed(self.field(name), "expected a string"))
    }

    fn value(&self) -> Result<&RawValue, QueryError> {
        self.raw("value")
    }

    fn text_search(&self, is_pattern: bool) -> Result<Predicate, QueryError> {
        let Some(Literal::Text(text)) = Literal::from_json(self.value()?) else {
            return Err(QueryError::malformed(self.field("value"), "expected a string"));
        };
        let case_sensitive = match self.fields.get("case_sensitive") {
            None => true,
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| {
                QueryError::malformed(self.field("case_sensitive"), "expected true or false")
            })?,
        };
        let column = self.text("column")?;
        Ok(match is_pattern {
            false => Predicate::Contains { column, text, case_sensitive },
            true => Predicate::Matches { column, pattern: text, case_sensitive },
        })
    }

    fn within(&self) -> Result<Predicate, QueryError> {
        let columns = serde_json::from_str::<[String; 2]>(self.raw("columns")?.get());
        let [x, y] = columns.map_err(|_| {
            QueryError::malformed(self.field("columns"), "expected the names of two columns")
        })?;
        let corners = serde_json::from_str::<Vec<[&RawValue; 2]>>(self.value()?.get()).ok();
        let exact = |[x, y]: &[&RawValue; 2]| Some([exact_float(x)?, exact_float(y)?]);
        let polygon = corners.and_then(|corners| corners.iter().map(exact).collect());
        let polygon: Option<Vec<[f64; 2]>> = polygon;
        let polygon = polygon.filter(|corners| corners.len() >= 3).ok_or_else(|| {
            let detail = "expected [[x, y], …] of three or more corners";
            QueryError::malformed(self.field("value"), detail)
        })?;
        Ok(Predicate::Within { x, y, polygon })
    }
}

/// The nearest number of 64 bits, which serde_json's own reading of floats may miss by one
/// place; `None` for what is no number, or beyond the largest.
pub(crate) fn exact_float(number: &RawValue) -> Option<f64> {
    number.get().parse().ok().filter(|value: &f64| value.is_finite())
}

/// Deeper trees are refused: they would only exhaust the stack.
const DEPTH_MAX: usize = 64;

const OPERATORS: [&str; 14] = [
    "eq", "ne", "lt", "le", "gt", "ge", "between", "in", "not_in", "contains", "matches",
    "is_null", "not_null", "within",
];

/// The node as the contract writes it.
impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Interaction(interaction) = self {
            return interaction.serialize(serializer);
        }
        let mut node = serializer.serialize_map(None)?;
        match self {
            // Returned above, whole.
            Self::Interaction(_) => {}
            Self::And(clauses) => node.serialize_entry("and", clauses)?,
            Self::Or(clauses) => node.serialize_entry("or", clauses)?,
            Self::Not(inner) => node.serialize_entry("not", inner)?,
            Self::IsNull { column } => clause(&mut node, column, "is_null")?,
            Self::NotNull { column } => clause(&mut node, column, "not_null")?,
            Self::Within { x, y, polygon } => {
                node.serialize_entry("columns", &[x, y])?;
                node.serialize_entry("op", "within")?;
                node.serialize_entry("value", polygon)?;
            }
            Self::Compare { column, op, value } => {
                clause(&mut node, column, op.name())?;
                node.serialize_entry("value", value)?;
            }
            Self::Between { column, low, high } => {
                clause(&mut node, column, "between")?;
                node.serialize_entry("value", &[low, high])?;
            }
            Self::In { column, values, negated } => {
                clause(&mut node, column, if *negated { "not_in" } else { "in" })?;
                node.serialize_entry("value", values)?;
            }
            Self::Contains { column, text, case_sensitive } => {
                clause(&mut node, column, "contains")?;
                text_value(&mut node, text, *case_sensitive)?;
            }
            Self::Matches { column, pattern, case_sensitive } => {
                clause(&mut node, column, "matches")?;
                text_value(&mut node, pattern, *case_sensitive)?;
            }
        }
        node.end()
    }
}

fn clause<M: SerializeMap>(node: &mut M, column: &str, op: &str) -> Result<(), M::Error> {
    node.serialize_entry("column", column)?;
    node.serialize_entry("op", op)
}

fn text_value<M: SerializeMap>(
    node: &mut M,
    text: &str,
    case_sensitive: bool,
) -> Result<(), M::Error> {
    node.serialize_entry("value", text)?;
    if !case_sensitive {
        node.serialize_entry("case_sensitive", &false)?;
    }
    Ok(())
}

/// One node, for messages between page and worker; bodies of queries go through
/// [`Predicate::from_filters`], which names the field to blame.
impl<'de> Deserialize<'de> for Predicate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_node(&raw, "filter", 0).map_err(serde::de::Error::custom)
    }
}

fn literal(raw: &RawValue, path: &str) -> Result<Literal, QueryError> {
    Literal::from_json(raw)
        .ok_or_else(|| QueryError::malformed(path, "expected a number, a string, true or false"))
}

fn literals(raw: &RawValue, path: &str) -> Result<Vec<Literal>, QueryError> {
    let items: Vec<Box<RawValue>> = serde_json::from_str(raw.get())
        .map_err(|_| QueryError::malformed(path, "expected an array"))?;
    let numbered = items.iter().enumerate();
    numbered.map(|(index, item)| literal(item, &format!("{path}[{index}]"))).collect()
}

/// Refuses fields that would otherwise be ignored in silence.
fn only(fields: &Fields, known: &[&str], path: &str) -> Result<(), QueryError> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(QueryError::malformed(
            format!("{path}.{name}"),
            format!("unknown field; expected one of {}", known.join(", ")),
        )),
    }
}

//! A predicate bound to a schema: columns found, operators checked against types,
//! literals read exactly and turned into ranges of the column's own domain. What
//! [`crate::eval`] runs, and what pruning is compiled from.

mod fold;
mod literals;
pub(crate) mod moment;
pub(crate) mod number;
mod outline;
pub mod pattern;
mod ranges;
mod runs;
mod text;

use std::sync::Arc;

use arrow_buffer::i256;
use arrow_schema::{DataType, Schema};
use half::f16;

pub use self::fold::FoldedFinder;
pub(crate) use self::literals::decimals_of;
use self::literals::{Request, test_from_request};
pub use self::outline::{Coordinate, Outline};
pub use self::pattern::Pattern;
pub use self::ranges::{Ranges, Stored};
pub use self::text::TextTest;
use crate::error::{QueryError, QueryErrorKind};
use crate::interaction::{Control, Interaction};
use crate::literal::Literal;
use crate::predicate::{Comparison, Predicate};

/// The name of the virtual column that numbers the rows of a table, from 0.
pub const ROW_COLUMN: &str = "_row";

/// A predicate ready to run on batches of one schema. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bound {
    root: Arc<Node>,
}

/// The bound tree. `and` of nothing is true, `or` of nothing false.
#[derive(Debug)]
pub enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// A test of one column. Unknown where the column is null, but for the null tests.
    Test {
        column: BoundColumn,
        test: Test,
    },
    /// A point of two columns in a polygon. Unknown where either is null.
    Within {
        x: BoundColumn,
        y: BoundColumn,
        outline: Box<Outline>,
    },
}

/// A column of the schema that was bound to.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundColumn {
    pub name: String,
    /// Its place in the schema; `None` for the virtual `_row`.
    pub index: Option<usize>,
    /// Its type, dictionaries and run-ends seen through to their values.
    pub data_type: DataType,
}

/// A test in the domain of the column's stored values: dates, times, timestamps and
/// durations as their integers, decimals as their unscaled integers.
#[derive(Debug)]
pub enum Test {
    IsNull,
    NotNull,
    /// Unknown on every row: any comparison with a column of type null.
    Unknown,
    Boolean {
        passes_false: bool,
        passes_true: bool,
    },
    Int8(Ranges<i8>),
    Int16(Ranges<i16>),
    Int32(Ranges<i32>),
    Int64(Ranges<i64>),
    UInt8(Ranges<u8>),
    UInt16(Ranges<u16>),
    UInt32(Ranges<u32>),
    UInt64(Ranges<u64>),
    Int128(Ranges<i128>),
    Int256(Ranges<i256>),
    Float16(Ranges<f16>),
    Float32(Ranges<f32>),
    Float64(Ranges<f64>),
    Text(TextTest),
}

impl Bound {
    /// Binds a predicate to a schema. `path` is where the predicate stands in the query
    /// (`filters`), for errors such as `filters[1].value`.
    pub fn new(predicate: &Predicate, schema: &Schema, path: &str) -> Result<Self, QueryError> {
        let binder = Binder { schema };
        let root = match predicate {
            // The root is the query's list of filters.
            Predicate::And(clauses) => binder.list(clauses, path)?.map(Node::And),
            clause => binder.node(clause, path)?,
        };
        Ok(Self { root: Arc::new(root.unwrap_or(Node::And(Vec::new()))) })
    }

    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Whether every row passes, whatever it holds.
    pub fn is_all(&self) -> bool {
        matches!(self.root(), Node::And(clauses) if clauses.is_empty())
    }
}

impl Node {
    /// Calls `visit` with each column that the tree reads, as often as it does.
    pub fn visit_columns<'a>(&'a self, visit: &mut impl FnMut(&'a BoundColumn)) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => {
                nodes.iter().for_each(|node| node.visit_columns(visit));
            }
            Self::Not(node) => node.visit_columns(visit),
            Self::Test { column, .. } => visit(column),
            Self::Within { x, y, .. } => {
                visit(x);
                visit(y);
            }
        }
    }
}

impl BoundColumn {
    /// Finds a column of a schema, or the virtual one; `field` is to blame if it is missing.
    pub fn find(name: &str, schema: &Schema, field: &str) -> Result<Self, QueryError> {
        if let Ok(index) = schema.index_of(name) {
            let data_type = value_type(schema.field(index).data_type()).clone();
            return Ok(Self { name: name.to_owned(), index: Some(index), data_type });
        }
        if name == ROW_COLUMN {
            let data_type = DataType::Int64;
            return Ok(Self { name: name.to_owned(), index: None, data_type });
        }
        let names = schema.fields().iter().map(|field| field.name().as_str());
        Err(QueryError::unknown_column(field, name, names))
    }
}

/// The type of a column's values, dictionaries and run-ends seen through.
pub fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        DataType::RunEndEncoded(_, values) => value_type(values.data_type()),
        plain => plain,
    }
}

struct Binder<'a> {
    schema: &'a Schema,
}

/// What a node binds to; `None` where it is a control that means no filter.
type Binding = Result<Option<Node>, QueryError>;

impl Binder<'_> {
    /// The nodes of a list. A list of nothing but controls without a filter is none itself.
    fn list(&self, clauses: &[Predicate], path: &str) -> Result<Option<Vec<Node>>, QueryError> {
        let mut nodes = Vec::with_capacity(clauses.len());
        for (index, clause) in clauses.iter().enumerate() {
            nodes.extend(self.node(clause, &format!("{path}[{index}]"))?);
        }
        Ok((clauses.is_empty() || !nodes.is_empty()).then_some(nodes))
    }

    fn node(&self, predicate: &Predicate, path: &str) -> Binding {
        let request = match predicate {
            Predicate::And(clauses) => {
                return Ok(self.list(clauses, &format!("{path}.and"))?.map(Node::And));
            }
            Predicate::Or(clauses) => {
                return Ok(self.list(clauses, &format!("{path}.or"))?.map(Node::Or));
            }
            Predicate::Not(inner) => {
                let inner = self.node(inner, &format!("{path}.not"))?;
                return Ok(inner.map(|inner| Node::Not(Box::new(inner))));
            }
            Predicate::Interaction(interaction) => return self.interaction(interaction, path),
            Predicate::IsNull { column } => return self.null_test(column, Test::IsNull, path),
            Predicate::NotNull { column } => return self.null_test(column, Test::NotNull, path),
            Predicate::Within { x, y, polygon } => return self.within([x, y], polygon, path),
            Predicate::Compare { op, value, .. } => Request::Compare { op: *op, value },
            Predicate::Between { low, high, .. } => {
                Request::Span { low: Some(low), high: Some(high) }
            }
            Predicate::In { values, negated, .. } => {
                Request::In { values, negated: *negated, is_lenient: false }
            }
            Predicate::Contains { text, case_sensitive, .. } => {
                Request::Contains { text, case_sensitive: *case_sensitive }
            }
            Predicate::Matches { pattern, case_sensitive, .. } => {
                Request::Matches { pattern, case_sensitive: *case_sensitive }
            }
        };
        let columns = predicate.columns();
        let name = columns.first().copied().unwrap_or_default();
        let column = BoundColumn::find(name, self.schema, &format!("{path}.column"))?;
        self.test(column, &request, path)
    }

    fn test(&self, column: BoundColumn, request: &Request<'_>, path: &str) -> Binding {
        let test = test_from_request(&column, request, path)?;
        Ok(Some(Node::Test { column, test }))
    }

    fn null_test(&self, column: &str, test: Test, path: &str) -> Binding {
        let column = BoundColumn::find(column, self.schema, &format!("{path}.column"))?;
        Ok(Some(Node::Test { column, test }))
    }

    fn within(&self, names: [&String; 2], polygon: &[[f64; 2]], path: &str) -> Binding {
        let find = |place: usize, name: &str| {
            let column = BoundColumn::find(name, self.schema, &format!("{path}.columns[{place}]"))?;
            if literals::has_coordinates(&column.data_type) {
                return Ok(column);
            }
            Err(operator_for_type("within", &column, path))
        };
        let [x, y] = names;
        let outline = Box::new(Outline::new(polygon.to_vec()));
        Ok(Some(Node::Within { x: find(0, x)?, y: find(1, y)?, outline }))
    }

    /// A control's column may be missing from this table: then it filters nothing here.
    fn interaction(&self, interaction: &Interaction, path: &str) -> Binding {
        let Ok(column) = BoundColumn::find(&interaction.column, self.schema, path) else {
            return Ok(None);
        };
        let switched;
        let request = match &interaction.control {
            Control::Unset => return Ok(None),
            Control::OneOf(values) => Request::In { values, negated: false, is_lenient: true },
            Control::Text { text, is_pattern: true, case_sensitive } => {
                Request::Matches { pattern: text, case_sensitive: *case_sensitive }
            }
            Control::Text { text, is_pattern: false, case_sensitive } => {
                Request::Contains { text, case_sensitive: *case_sensitive }
            }
            Control::Range { low, high } => {
                Request::Span { low: low.as_ref(), high: high.as_ref() }
            }
            Control::Dates { low, high } => {
                Request::Dates { low: low.as_ref(), high: high.as_ref() }
            }
            Control::Point(value) => Request::Compare { op: Comparison::Eq, value },
            Control::Switch(value) => {
                switched = Literal::Bool(*value);
                Request::Compare { op: Comparison::Eq, value: &switched }
            }
        };
        self.test(column, &request, path)
    }
}

fn operator_for_type(op: &str, column: &BoundColumn, path: &str) -> QueryError {
    QueryError::new(
        format!("{path}.op"),
        QueryErrorKind::OperatorForType {
            op: op.to_owned(),
            column: column.name.clone(),
            data_type: column.data_type.to_string(),
        },
    )
}

#[cfg(test)]
mod tests;

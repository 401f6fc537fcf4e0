//! A predicate bound to a schema: columns found, operators checked against types,
//! literals read exactly and turned into ranges of the column's own domain. What
//! [`crate::eval`] runs, and what pruning and pushdown are compiled from.

use std::sync::Arc;

use arrow_buffer::i256;
use arrow_schema::{DataType, Schema};
use half::f16;

use crate::error::QueryError;
use crate::predicate::Predicate;

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
    Test { column: BoundColumn, test: Test },
    /// A point of two columns in a polygon. Unknown where either is null.
    Within { x: BoundColumn, y: BoundColumn, polygon: Vec<[f64; 2]> },
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
    Boolean { passes_false: bool, passes_true: bool },
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
}

/// The values inside any of the ranges, both ends included; negated, all others, NaN
/// among them. The ranges are sorted and do not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges<T> {
    pub ranges: Vec<(T, T)>,
    pub negated: bool,
}

impl Bound {
    /// Binds a predicate to a schema. `path` is where the predicate stands in the query
    /// (`filters`), for errors such as `filters[1].value`.
    pub fn new(predicate: &Predicate, schema: &Schema, path: &str) -> Result<Self, QueryError> {
        let _ = (predicate, schema);
        Err(QueryError::malformed(path, "predicates are not bound yet"))
    }

    pub fn root(&self) -> &Node {
        &self.root
    }
}

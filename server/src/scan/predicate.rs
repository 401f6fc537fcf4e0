//! The engine's predicates as filters of a scan: the engine decides each row, and what it may
//! decide within bounds decides which files and row groups are read.

use std::ops::Bound as End;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::Column;
use datafusion::common::pruning::PruningStatistics;
use datafusion::error::{DataFusionError, Result};
use engine::bind::{Bound, BoundColumn, Node, Ranges, Stored, Test, TextTest};
use engine::eval;

use super::filter::ScanFilter;

/// A predicate that is bound to the schema of the table.
#[derive(Debug)]
pub struct PredicateFilter {
    bound: Bound,
    columns: Vec<String>,
}

impl PredicateFilter {
    pub fn new(bound: Bound) -> Self {
        let mut columns: Vec<String> = Vec::new();
        bound.root().visit_columns(&mut |column: &BoundColumn| {
            if !columns.contains(&column.name) {
                columns.push(column.name.clone());
            }
        });
        Self { bound, columns }
    }
}

impl ScanFilter for PredicateFilter {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mask = eval::eval(&self.bound, batch);
        mask.map(|mask| mask.to_array()).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn prune(&self, containers: &dyn PruningStatistics) -> Result<Vec<bool>> {
        let chances = Pruner { containers }.node(self.bound.root());
        Ok(chances.into_iter().map(|chance| chance.passes).collect())
    }
}

/// What can happen in one container: whether some row may pass, and whether some row may fail.
/// A row of which it is unknown does neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chance {
    passes: bool,
    fails: bool,
}

const ANYTHING: Chance = Chance { passes: true, fails: true };

struct Pruner<'a> {
    containers: &'a dyn PruningStatistics,
}

impl Pruner<'_> {
    fn node(&self, node: &Node) -> Vec<Chance> {
        let all = self.containers.num_containers();
        let every = |chance| vec![chance; all];
        let join = |left: Vec<Chance>, right: Vec<Chance>, both: fn(Chance, Chance) -> Chance| {
            left.into_iter().zip(right).map(|(left, right)| both(left, right)).collect()
        };
        match node {
            Node::And(nodes) => {
                nodes.iter().fold(every(Chance { passes: true, fails: false }), |all, node| {
                    join(all, self.node(node), |left, right| Chance {
                        passes: left.passes && right.passes,
                        fails: left.fails || right.fails,
                    })
                })
            }
            Node::Or(nodes) => {
                nodes.iter().fold(every(Chance { passes: false, fails: true }), |any, node| {
                    join(any, self.node(node), |left, right| Chance {
                        passes: left.passes || right.passes,
                        fails: left.fails && right.fails,
                    })
                })
            }
            Node::Not(node) => self
                .node(node)
                .into_iter()
                .map(|chance| Chance { passes: chance.fails, fails: chance.passes })
                .collect(),
            Node::Test { column, test } => self.test(column, test),
            Node::Within { x, y, outline } => self.within(x, y, outline.bounds()),
        }
    }

    fn test(&self, column: &BoundColumn, test: &Test) -> Vec<Chance> {
        let all = self.containers.num_containers();
        let name = Column::new_unqualified(column.name.clone());
        let values = match (self.containers.min_values(&name), self.containers.max_values(&name)) {
            (Some(min), Some(max)) => chances_of(test, &min, &max),
            _ => None,
        };
        let values = values.unwrap_or_else(|| vec![ANYTHING; all]);
        let nulls = Nulls::of(self.containers, &name);
        values.into_iter().enumerate().map(|(i, chance)| nulls.apply(i, test, chance)).collect()
    }

    /// Points that may lie in a polygon: those of boxes that its own box meets.
    fn within(&self, x: &BoundColumn, y: &BoundColumn, bounds: [[f64; 2]; 2]) -> Vec<Chance> {
        let all = self.containers.num_containers();
        let axis = |column: &BoundColumn, [low, high]: [f64; 2]| {
            let name = Column::new_unqualified(column.name.clone());
            let to_f64 = |array: ArrayRef| {
                let floats = arrow_cast::cast(&array, &DataType::Float64).ok()?;
                (floats.null_count() == array.null_count()).then_some(floats)
            };
            let min = self.containers.min_values(&name).and_then(to_f64);
            let max = self.containers.max_values(&name).and_then(to_f64);
            match min.zip(max) {
                Some((min, max)) => {
                    let meets = Ranges::new(vec![(low, high)], false);
                    chances_in::<Float64Type>(&meets, &min, &max)
                }
                None => None,
            }
            .unwrap_or_else(|| vec![ANYTHING; all])
        };
        let [across, down] = bounds;
        let (across, down) = (axis(x, across), axis(y, down));
        across
            .into_iter()
            .zip(down)
            .map(|(x, y)| Chance { passes: x.passes && y.passes, fails: true })
            .collect()
    }
}

/// Whether a column is null in some rows, or in all, per container.
struct Nulls {
    counts: Option<ArrayRef>,
    rows: Option<ArrayRef>,
}

impl Nulls {
    fn of(containers: &dyn PruningStatistics, column: &Column) -> Self {
        Self { counts: containers.null_counts(column), rows: containers.row_counts() }
    }

    fn apply(&self, container: usize, test: &Test, chance: Chance) -> Chance {
        let at = |array: &Option<ArrayRef>| {
            let counts = array.as_ref()?.as_primitive_opt::<UInt64Type>()?;
            (container < counts.len() && counts.is_valid(container))
                .then(|| counts.value(container))
        };
        let nulls = at(&self.counts);
        // Rows that were deleted since may have been the nulls, never the other way about.
        let none_null = nulls == Some(0);
        let all_null = nulls.zip(at(&self.rows)).is_some_and(|(nulls, rows)| nulls == rows);
        match test {
            Test::IsNull => Chance { passes: !none_null, fails: !all_null },
            Test::NotNull => Chance { passes: !all_null, fails: !none_null },
            _ if all_null => Chance { passes: false, fails: false },
            _ => chance,
        }
    }
}

/// What a test may say of values between two bounds; none where the bounds are of another type.
fn chances_of(test: &Test, min: &ArrayRef, max: &ArrayRef) -> Option<Vec<Chance>> {
    macro_rules! by_type {
        ($ranges:expr, $($data_type:pat => $native:ty,)*) => {
            match min.data_type() {
                $($data_type => chances_in::<$native>($ranges, min, max),)*
                _ => None,
            }
        };
    }
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match test {
        Test::IsNull | Test::NotNull => None,
        Test::Unknown => Some(vec![Chance { passes: false, fails: false }; min.len()]),
        Test::Boolean { passes_false, passes_true } => {
            booleans([*passes_false, *passes_true], min, max)
        }
        Test::Int8(ranges) => chances_in::<Int8Type>(ranges, min, max),
        Test::Int16(ranges) => chances_in::<Int16Type>(ranges, min, max),
        Test::Int32(ranges) => by_type!(ranges,
            DataType::Int32 => Int32Type,
            DataType::Date32 => Date32Type,
            DataType::Decimal32(..) => Decimal32Type,
        ),
        Test::Int64(ranges) => by_type!(ranges,
            DataType::Int64 => Int64Type,
            DataType::Date64 => Date64Type,
            DataType::Decimal64(..) => Decimal64Type,
            DataType::Timestamp(Second, _) => TimestampSecondType,
            DataType::Timestamp(Millisecond, _) => TimestampMillisecondType,
            DataType::Timestamp(Microsecond, _) => TimestampMicrosecondType,
            DataType::Timestamp(Nanosecond, _) => TimestampNanosecondType,
        ),
        Test::UInt8(ranges) => chances_in::<UInt8Type>(ranges, min, max),
        Test::UInt16(ranges) => chances_in::<UInt16Type>(ranges, min, max),
        Test::UInt32(ranges) => chances_in::<UInt32Type>(ranges, min, max),
        Test::UInt64(ranges) => chances_in::<UInt64Type>(ranges, min, max),
        Test::Int128(ranges) => chances_in::<Decimal128Type>(ranges, min, max),
        Test::Int256(ranges) => chances_in::<Decimal256Type>(ranges, min, max),
        Test::Float16(_) => None,
        Test::Float32(ranges) => chances_in::<Float32Type>(ranges, min, max),
        Test::Float64(ranges) => chances_in::<Float64Type>(ranges, min, max),
        Test::Text(test) => texts(test, min, max),
    }
}

fn chances_in<T: ArrowPrimitiveType>(
    ranges: &Ranges<T::Native>,
    min: &ArrayRef,
    max: &ArrayRef,
) -> Option<Vec<Chance>>
where
    T::Native: Stored,
{
    let (min, max) = (min.as_primitive_opt::<T>()?, max.as_primitive_opt::<T>()?);
    let is_float = T::DATA_TYPE.is_floating();
    let chance = |i| {
        // One known bound would do, but writers give both or none.
        if min.is_null(i) || max.is_null(i) {
            return ANYTHING;
        }
        let (low, high) = (min.value(i), max.value(i));
        let meets = ranges.ranges.iter().any(|(from, to)| *from <= high && low <= *to);
        let covers = ranges.ranges.iter().any(|(from, to)| *from <= low && high <= *to);
        let inside = Chance { passes: meets, fails: !covers };
        let chance = match ranges.negated {
            false => inside,
            true => Chance { passes: inside.fails, fails: inside.passes },
        };
        // Bounds leave NaN out, which is in no range, and so passes a negated one.
        match (is_float, ranges.negated) {
            (false, _) => chance,
            (true, false) => Chance { fails: true, ..chance },
            (true, true) => Chance { passes: true, ..chance },
        }
    };
    Some((0..min.len()).map(chance).collect())
}

fn booleans(passes: [bool; 2], min: &ArrayRef, max: &ArrayRef) -> Option<Vec<Chance>> {
    let (min, max) = (min.as_boolean_opt()?, max.as_boolean_opt()?);
    let [passes_false, passes_true] = passes;
    let chance = |i| {
        if min.is_null(i) || max.is_null(i) {
            return ANYTHING;
        }
        let (has_false, has_true) = (!min.value(i), max.value(i));
        Chance {
            passes: has_false && passes_false || has_true && passes_true,
            fails: has_false && !passes_false || has_true && !passes_true,
        }
    };
    Some((0..min.len()).map(chance).collect())
}

/// Text by the order of its bytes. The bounds may be cut short, but still enclose all values.
fn texts(test: &TextTest, min: &ArrayRef, max: &ArrayRef) -> Option<Vec<Chance>> {
    let as_text = |array: &ArrayRef| arrow_cast::cast(array, &DataType::Utf8).ok();
    let (min, max) = (as_text(min)?, as_text(max)?);
    let (min, max) = (min.as_string_opt::<i32>()?, max.as_string_opt::<i32>()?);
    let chance = |i| {
        if min.is_null(i) || max.is_null(i) {
            return ANYTHING;
        }
        let (low, high) = (min.value(i), max.value(i));
        match test {
            TextTest::Span { low: from, high: to } => span_chance(from, to, low, high),
            TextTest::OneOf { values, negated } => {
                let meets =
                    values.iter().any(|value| low <= value.as_str() && value.as_str() <= high);
                let only = low == high && values.iter().any(|value| value == low);
                match negated {
                    false => Chance { passes: meets, fails: !only },
                    true => Chance { passes: !only, fails: meets },
                }
            }
            TextTest::Contains(_)
            | TextTest::ContainsFolded(_)
            | TextTest::Matches(_)
            | TextTest::Dates { .. } => ANYTHING,
        }
    };
    Some((0..min.len()).map(chance).collect())
}

fn span_chance(from: &End<String>, to: &End<String>, low: &str, high: &str) -> Chance {
    let above = |value: &str| match from {
        End::Unbounded => true,
        End::Included(from) => value >= from.as_str(),
        End::Excluded(from) => value > from.as_str(),
    };
    let below = |value: &str| match to {
        End::Unbounded => true,
        End::Included(to) => value <= to.as_str(),
        End::Excluded(to) => value < to.as_str(),
    };
    Chance { passes: above(high) && below(low), fails: !(above(low) && below(high)) }
}

//! Groups and their aggregates, by the contract:
//!
//! - Without keys there is one row, also over nothing; with keys, one per combination met.
//!   Null is a key of its own, NaN is one key, -0 is +0. Groups come sorted by key,
//!   ascending, nulls last.
//! - A key column keeps its type; dictionaries and run-ends become their values, views
//!   become plain strings and binaries. Keys are nullable. A bin's edge is `Int64` where
//!   column and step are integers, the column's own type for times and durations, else
//!   `Float64`.
//! - `count` and `count_distinct` are `Int64` and never null; nulls are not counted, NaN
//!   is one distinct value. Every other aggregate is null where no value is left.
//! - `sum` is `Int64` for integers (out of range is an error), `Float64` for floats,
//!   `Decimal128(min(38, p + 10), s)` for decimals of up to 128 bits,
//!   `Decimal256(min(76, p + 10), s)` for wider ones, and a duration for durations.
//! - `mean`, `median`, `quantile`, `stddev` and `variance` are `Float64`, durations as
//!   numbers in their unit. They and `sum` are for numbers and durations alone.
//! - `min` and `max` have the type that a key would have, and are for every type but
//!   nested ones. They, `median` and `quantile` leave NaN out; the others let it through.
//! - `quantile` interpolates linearly at (n - 1) q; `stddev` and `variance` divide by
//!   n - 1 and are null for one value.
//! - A column of type null counts as integers of which none is there.

mod bin;
mod duration;
mod extremes;
mod finish;
mod key;
mod part;
mod plan;
mod state;
mod sums;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use arrow_select::filter::{FilterBuilder, FilterPredicate};

use self::key::Keys;
use self::plan::GroupPlan;
use self::state::{Members, State};
use crate::bind::BoundColumn;
use crate::column::{answer_type, arrow_failed, column_of, plain};
use crate::error::QueryError;
use crate::mask::Mask;
use crate::query::{Aggregate, GroupKey};

/// Groups the rows that it is fed, batch by batch.
pub struct Grouper {
    plan: GroupPlan,
    keys: Keys,
    states: Vec<State>,
    schema: SchemaRef,
}

impl Grouper {
    /// Checks keys and aggregates against the schema of the batches to come. To blame are
    /// fields such as `group_by[0].bin.step` and `aggregates[1].op`.
    pub fn new(
        group_by: &[GroupKey],
        aggregates: &[Aggregate],
        schema: &Schema,
    ) -> Result<Self, QueryError> {
        let plan = GroupPlan::new(group_by, aggregates, schema)?;
        let keys = Keys::new(plan.keys.iter().map(plan::KeyPlan::data_type));
        let states = plan.states.iter().map(|state| {
            let column = state.column.as_ref();
            State::new(state.kind, &column.map_or(DataType::Null, |c| answer_type(&c.data_type)))
        });
        let states = states.collect();
        let schema = Arc::new(Schema::new(plan.fields()));
        Ok(Self { plan, keys, states, schema })
    }

    /// The schema of the answer.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns that are read, each once.
    pub fn columns(&self) -> Vec<&str> {
        let keys = self.plan.keys.iter().map(|key| &key.column);
        let states = self.plan.states.iter().filter_map(|state| state.column.as_ref());
        let mut names: Vec<&str> = Vec::new();
        for column in keys.chain(states) {
            if !names.contains(&column.name.as_str()) {
                names.push(&column.name);
            }
        }
        names
    }

    /// The memory held, roughly.
    pub fn byte_count(&self) -> usize {
        let states = self.states.iter().map(State::byte_count);
        self.keys.byte_count() + states.sum::<usize>()
    }

    pub fn group_count(&self) -> usize {
        self.keys.group_count()
    }

    /// Takes the rows of a batch that are in the mask, all rows without one. `first_row`
    /// is the number of the batch's first row in the table, for the virtual `_row`.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        mask: Option<&Mask>,
        first_row: u64,
    ) -> Result<(), QueryError> {
        let mask = mask.filter(|mask| !mask.is_full());
        let filter = mask.map(|mask| FilterBuilder::new(&mask.to_array()).optimize().build());
        let picked = |column: &BoundColumn| -> Result<ArrayRef, QueryError> {
            let array = column_of(batch, column, first_row)?;
            let filtered = filter.as_ref().map(|filter: &FilterPredicate| filter.filter(&array));
            filtered.unwrap_or(Ok(array)).map_err(arrow_failed)
        };
        let mut keys = Vec::with_capacity(self.plan.keys.len());
        for key in &self.plan.keys {
            let array = picked(&key.column)?;
            keys.push(key.bin.as_ref().map_or(Ok(array.clone()), |bin| bin.edges(&array))?);
        }
        let groups = self.keys.groups(&keys)?;
        let len = mask.map_or(batch.num_rows(), Mask::count);
        let members = Members { groups: groups.as_deref(), len };
        let rows: ArrayRef = Arc::new(arrow_array::NullArray::new(len));
        let group_count = self.keys.group_count();
        for (state, plan) in self.states.iter_mut().zip(&self.plan.states) {
            state.resize(group_count);
            let array = plan.column.as_ref().map_or(Ok(rows.clone()), picked)?;
            let blamed = |error| blame(error, plan.column.as_ref());
            state.push(&plain(&array)?, members).map_err(blamed)?;
        }
        Ok(())
    }

    /// Adds what another grouper of the same query saw of other rows.
    pub fn merge(&mut self, other: Self) -> Result<(), QueryError> {
        let groups = self.keys.merge(&other.keys)?;
        let group_count = self.keys.group_count();
        let other_count = other.keys.group_count();
        let plans = self.plan.states.iter();
        for ((state, mut other), plan) in self.states.iter_mut().zip(other.states).zip(plans) {
            state.resize(group_count);
            other.resize(other_count);
            state.merge(other, &groups).map_err(|error| blame(error, plan.column.as_ref()))?;
        }
        Ok(())
    }

    /// The groups and their aggregates, sorted by key.
    pub fn finish(self) -> Result<RecordBatch, QueryError> {
        let order = self.keys.sorted()?;
        self.finish_in(&order)
    }

    /// The groups and their aggregates in the order in which they were met, for those who
    /// put them in one of their own.
    pub fn finish_unsorted(self) -> Result<RecordBatch, QueryError> {
        let order: Vec<u32> = (0..self.keys.group_count()).map(|group| group as u32).collect();
        self.finish_in(&order)
    }

    fn finish_in(mut self, order: &[u32]) -> Result<RecordBatch, QueryError> {
        let group_count = self.keys.group_count();
        self.states.iter_mut().for_each(|state| state.resize(group_count));
        let mut arrays = self.keys.arrays(Some(order))?;
        for (index, aggregate) in self.plan.aggregates.iter().enumerate() {
            let Some(state) = self.states.get(aggregate.state) else { continue };
            let column =
                self.plan.states.get(aggregate.state).and_then(|plan| plan.column.as_ref());
            let array = finish::column(aggregate, state, order).map_err(|mut error| {
                error.field = format!("aggregates[{index}]");
                blame(error, column)
            });
            arrays.push(array?);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(order.len()));
        RecordBatch::try_new_with_options(self.schema, arrays, &options).map_err(arrow_failed)
    }
}

/// Names the column whose sum ran over.
fn blame(mut error: QueryError, column: Option<&BoundColumn>) -> QueryError {
    if let (crate::error::QueryErrorKind::Overflow { column: name }, Some(column)) =
        (&mut error.kind, column)
    {
        name.clone_from(&column.name);
    }
    error
}

//! A whole query over batches in memory: filters, sample, groups or rows, order, page.
//! What the browser answers from a slice, and what the server's plans are held to.
//!
//! - Rows keep the types of their columns; views and run-ends become plain strings,
//!   binaries and values. `_row` is `Int64`, never null. The types of groups are told in
//!   [`crate::group`].
//! - The sample is drawn after the filters and before groups.
//! - `order_by` names columns of the table, or of the answer where it is grouped;
//!   `columns` picks among the same, each once. Groups that are not ordered come sorted
//!   by key, rows in table order.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use arrow_select::filter::FilterBuilder;
use arrow_select::interleave::interleave;

use crate::bind::{Bound, BoundColumn, ROW_COLUMN};
use crate::column::{answer_array, answer_type, arrow_failed, column_of, row_numbers};
use crate::error::QueryError;
use crate::eval::Evaluator;
use crate::group::Grouper;
use crate::mask::Mask;
use crate::order::Sorter;
use crate::query::Query;
use crate::sample::Sampler;

/// Answers a query from all batches of a table or slice. `first_row` is the number in the
/// table of the first row; batches that carry a column `_row` number theirs by it.
pub fn execute(
    query: &Query,
    schema: &Schema,
    batches: &[RecordBatch],
    first_row: u64,
) -> Result<RecordBatch, QueryError> {
    let input = Input::new(schema, batches, first_row);
    if query.is_grouped() {
        let mut grouper = Grouper::new(&query.group_by, &query.aggregates, schema)?;
        let masks = input.masks(query)?;
        for ((batch, first_row), mask) in input.numbered().zip(&masks) {
            grouper.push(batch, Some(mask), first_row)?;
        }
        let groups = grouper.finish()?;
        let schema = groups.schema();
        let groups = [groups];
        let input = Input::new(&schema, &groups, 0);
        return input.rows(query, &[Mask::all(input.len())], false);
    }
    let masks = input.masks(query)?;
    input.rows(query, &masks, true)
}

/// Batches of one schema, numbered one after the other.
struct Input<'a> {
    schema: &'a Schema,
    batches: &'a [RecordBatch],
    first_row: u64,
}

impl<'a> Input<'a> {
    fn new(schema: &'a Schema, batches: &'a [RecordBatch], first_row: u64) -> Self {
        Self { schema, batches, first_row }
    }

    fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The batches and the numbers of their first rows.
    fn numbered(&self) -> impl Iterator<Item = (&'a RecordBatch, u64)> + use<'a> {
        let starts = self.batches.iter().scan(self.first_row, |next, batch| {
            let start = *next;
            *next = next.saturating_add(batch.num_rows() as u64);
            Some(start)
        });
        self.batches.iter().zip(starts)
    }

    /// Per batch, the rows that pass the filters and are in the sample.
    fn masks(&self, query: &Query) -> Result<Vec<Mask>, QueryError> {
        let bound = Bound::new(&query.filters, self.schema, "filters")?;
        let mut evaluator = Evaluator::new(bound);
        let masks = self.numbered().map(|(batch, first_row)| evaluator.eval(batch, first_row));
        let masks = masks.collect::<Result<Vec<_>, _>>()?;
        let Some(sample) = query.sample else { return Ok(masks) };
        let mut sampler = Sampler::new(sample);
        for ((batch, first_row), mask) in self.numbered().zip(&masks) {
            let numbers = self.row_numbers(batch, first_row)?;
            let numbers = numbers.as_primitive_opt::<Int64Type>().map(|numbers| numbers.values());
            sampler.push(mask, |row| {
                let number = numbers.and_then(|numbers| numbers.get(row)).copied();
                number.map_or(first_row + row as u64, |number| number as u64)
            });
        }
        let mut places = sampler.finish().into_iter().peekable();
        let mut start = 0;
        let sampled = masks.iter().map(|mask| {
            let mut drawn = Mask::none(mask.len());
            let end = start + mask.len() as u64;
            while let Some(place) = places.next_if(|place| *place < end) {
                drawn.set((place - start) as usize, true);
            }
            start = end;
            drawn
        });
        Ok(sampled.collect())
    }

    fn row_numbers(&self, batch: &RecordBatch, first_row: u64) -> Result<ArrayRef, QueryError> {
        let carried = BoundColumn::find(ROW_COLUMN, self.schema, "sample")?;
        match carried.data_type {
            DataType::Int64 => column_of(batch, &carried, first_row),
            _ => Ok(row_numbers(first_row, batch.num_rows())),
        }
    }

    /// The columns asked for, in their order; all of the schema if none is.
    fn columns(&self, query: &Query, has_rows: bool) -> Result<Vec<BoundColumn>, QueryError> {
        let names: Vec<Cow<'_, str>> = match &query.columns {
            Some(names) => names.iter().map(Cow::from).collect(),
            None => self.schema.fields().iter().map(|field| Cow::from(field.name())).collect(),
        };
        let mut columns: Vec<BoundColumn> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let field = format!("columns[{index}]");
            if columns.iter().any(|column| column.name == *name) {
                return Err(QueryError::malformed(field, format!("{name:?} is asked for twice")));
            }
            let column = BoundColumn::find(name, self.schema, &field)?;
            if column.index.is_none() && !has_rows {
                return Err(self.unknown(field, name));
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn unknown(&self, field: String, name: &str) -> QueryError {
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        QueryError::unknown_column(field, name, names)
    }

    /// The rows of the masks: the columns asked for, in order, one page. `has_rows` tells
    /// whether they are rows of a table, which have numbers.
    fn rows(
        &self,
        query: &Query,
        masks: &[Mask],
        has_rows: bool,
    ) -> Result<RecordBatch, QueryError> {
        let columns = self.columns(query, has_rows)?;
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let end = offset.saturating_add(limit.unwrap_or(usize::MAX));
        let page = match query.order_by.is_empty() {
            true => Page::of_masks(masks, offset, end),
            false => Page::Places(self.places_in_order(query, masks, has_rows, offset, end)?),
        };
        let mut fields = Vec::with_capacity(columns.len());
        let mut arrays = Vec::with_capacity(columns.len());
        for column in &columns {
            let field = column.index.map(|index| self.schema.field(index).clone());
            let field = field.unwrap_or_else(|| Field::new(ROW_COLUMN, DataType::Int64, false));
            let data_type = answer_type(field.data_type());
            let parts =
                self.numbered().map(|(batch, first_row)| column_of(batch, column, first_row));
            let parts = parts.collect::<Result<Vec<ArrayRef>, _>>()?;
            arrays.push(page.values(&parts, &data_type)?);
            fields.push(field.with_data_type(data_type));
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(page.len()));
        RecordBatch::try_new_with_options(schema, arrays, &options).map_err(arrow_failed)
    }

    fn places_in_order(
        &self,
        query: &Query,
        masks: &[Mask],
        has_rows: bool,
        offset: usize,
        end: usize,
    ) -> Result<Vec<(usize, usize)>, QueryError> {
        for (index, key) in query.order_by.iter().enumerate() {
            if !has_rows && self.schema.index_of(&key.column).is_err() {
                return Err(self.unknown(format!("order_by[{index}].column"), &key.column));
            }
        }
        let mut sorter = Sorter::new(&query.order_by, self.schema)?;
        let rows = masks
            .iter()
            .enumerate()
            .flat_map(|(batch, mask)| mask.iter_ones().map(move |row| (batch, row)));
        let all: Vec<(usize, usize)> = rows.collect();
        for ((batch, first_row), mask) in self.numbered().zip(masks) {
            // Rows that were left out have numbers too.
            let numbered = self.with_row_numbers(query, batch, first_row)?;
            if mask.is_full() {
                sorter.push(&numbered, first_row)?;
                continue;
            }
            let filter = FilterBuilder::new(&mask.to_array()).optimize().build();
            let passing = filter.filter_record_batch(&numbered).map_err(arrow_failed)?;
            sorter.push(&passing, first_row)?;
        }
        let order = sorter.finish(Some(end))?;
        let rows = order.into_iter().skip(offset);
        Ok(rows.filter_map(|row| all.get(row as usize).copied()).collect())
    }

    /// The columns that the order reads.
    fn with_row_numbers(
        &self,
        query: &Query,
        batch: &RecordBatch,
        first_row: u64,
    ) -> Result<RecordBatch, QueryError> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for key in &query.order_by {
            let column = BoundColumn::find(&key.column, self.schema, "order_by")?;
            let array = column_of(batch, &column, first_row)?;
            fields.push(Field::new(&key.column, array.data_type().clone(), true));
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(arrow_failed)
    }
}

/// The rows of an answer, as they lie in the batches.
enum Page {
    /// Batch and row of each.
    Places(Vec<(usize, usize)>),
    /// In table order.
    Masks(Vec<Mask>),
}

impl Page {
    /// The rows of the masks from the one at `offset` to before the one at `end`.
    fn of_masks(masks: &[Mask], offset: usize, end: usize) -> Self {
        let mut place = 0;
        let cut = |mask: &Mask| {
            let start = place;
            place += mask.count();
            if offset <= start && place <= end {
                return mask.clone();
            }
            let mut cut = Mask::none(mask.len());
            let on_page = |place: usize| (offset..end).contains(&place);
            let rows = (start..).zip(mask.iter_ones());
            rows.filter(|(place, _)| on_page(*place)).for_each(|(_, row)| cut.set(row, true));
            cut
        };
        Self::Masks(masks.iter().map(cut).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Places(places) => places.len(),
            Self::Masks(masks) => masks.iter().map(Mask::count).sum(),
        }
    }

    /// The values of a column, whose arrays in the batches are `parts`.
    fn values(&self, parts: &[ArrayRef], data_type: &DataType) -> Result<ArrayRef, QueryError> {
        if self.len() == 0 {
            return Ok(new_empty_array(data_type));
        }
        match self {
            Self::Places(places) => {
                let parts = parts.iter().map(answer_array).collect::<Result<Vec<_>, _>>()?;
                let parts: Vec<&dyn Array> = parts.iter().map(|part| &**part).collect();
                interleave(&parts, places).map_err(arrow_failed)
            }
            Self::Masks(masks) => {
                let used = parts.iter().zip(masks).filter(|(_, mask)| mask.count() > 0);
                let picked = used.map(|(part, mask)| match mask.is_full() {
                    true => answer_array(part),
                    false => {
                        let filter = FilterBuilder::new(&mask.to_array()).optimize().build();
                        answer_array(&filter.filter(part).map_err(arrow_failed)?)
                    }
                });
                let picked = picked.collect::<Result<Vec<_>, _>>()?;
                match picked.as_slice() {
                    [only] => Ok(only.clone()),
                    several => {
                        let several: Vec<&dyn Array> = several.iter().map(|part| &**part).collect();
                        concat(&several).map_err(arrow_failed)
                    }
                }
            }
        }
    }
}

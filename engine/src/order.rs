//! The order of rows by several keys, as a permutation. Nulls come last in either
//! direction unless they are asked for first; NaN comes after every number in either
//! direction; strings and binaries go by bytes, dictionaries by value, false before
//! true; -0 is +0; ties keep the order of the table.

pub(crate) mod key;
mod radix;
mod rank;
mod sorting;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;

use self::key::KeyColumn;
pub use self::sorting::Sorting;
use crate::bind::BoundColumn;
use crate::column::column_of;
use crate::error::{QueryError, QueryErrorKind};
use crate::intern::has_values;
use crate::query::{Nulls, OrderKey};

/// Puts rows in order, fed batch by batch.
pub struct Sorter {
    keys: Vec<(BoundColumn, KeyColumn)>,
    rows: u64,
}

impl Sorter {
    /// Finds the columns of the keys; `order_by[0].column` is to blame if one is missing
    /// or has no order.
    pub fn new(keys: &[OrderKey], schema: &Schema) -> Result<Self, QueryError> {
        let numbered = keys.iter().enumerate();
        let keys = numbered.map(|(index, key)| {
            let field = format!("order_by[{index}].column");
            let column = BoundColumn::find(&key.column, schema, &field)?;
            if !has_values(&column.data_type) {
                let kind = QueryErrorKind::OperatorForType {
                    op: "order_by".to_owned(),
                    column: column.name,
                    data_type: column.data_type.to_string(),
                };
                return Err(QueryError::new(field, kind));
            }
            let stored = column.index.map(|index| schema.field(index).data_type());
            let stored = stored.unwrap_or(&column.data_type);
            let key = KeyColumn::new(stored, key.descending, key.nulls);
            Ok((column, key))
        });
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, rows: 0 })
    }

    /// Takes the rows of the batch that follows; `first_row` is the number of its first row
    /// in the table, for the virtual `_row`.
    pub fn push(&mut self, batch: &RecordBatch, first_row: u64) -> Result<(), QueryError> {
        for (column, key) in &mut self.keys {
            key.push(&column_of(batch, column, first_row)?)?;
        }
        self.rows += batch.num_rows() as u64;
        if self.rows > u64::from(u32::MAX) {
            let detail = "more than four billion rows cannot be ordered at once".to_owned();
            return Err(QueryError::new("order_by", QueryErrorKind::Unsupported { detail }));
        }
        Ok(())
    }

    /// The rows in order, numbered as they were pushed; only the first `limit` of them.
    pub fn finish(self, limit: Option<usize>) -> Result<Vec<u32>, QueryError> {
        let limit = limit.unwrap_or(usize::MAX);
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        // Picking a few out is linear; putting all in order is by digits.
        if limit < rows / FEW || rows < RADIX_ROWS_MIN {
            let mut order = (0..self.rows).map(|row| row as u32).collect();
            pick(&mut order, &self.resolved()?, limit);
            return Ok(order);
        }
        let mut sorting = self.into_sorting()?;
        while !sorting.step(usize::MAX) {}
        let mut order = sorting.into_order();
        order.truncate(limit);
        Ok(order)
    }

    /// All rows pushed, to be put in order in steps: between two of them a worker can look
    /// at what else has come in.
    pub fn into_sorting(self) -> Result<Sorting, QueryError> {
        let rows = u32::try_from(self.rows).unwrap_or(u32::MAX);
        Ok(Sorting::new(rows, self.resolved()?))
    }

    fn resolved(self) -> Result<Vec<KeyColumn>, QueryError> {
        self.keys.into_iter().map(|(_, key)| key.resolved()).collect()
    }
}

/// Puts the first `limit` rows first, in order.
fn pick(order: &mut Vec<u32>, keys: &[KeyColumn], limit: usize) {
    let compare = |a: &u32, b: &u32| {
        let orders = keys.iter().map(|key| key.compare(*a as usize, *b as usize));
        let mut unequal = orders.filter(|order| order.is_ne());
        unequal.next().unwrap_or_else(|| a.cmp(b))
    };
    if limit == 0 || keys.is_empty() {
        order.truncate(limit);
        return;
    }
    if limit < order.len() {
        if let [key] = keys
            && key.is_words()
            && !key.has_classes()
        {
            // One key without nulls: words and rows side by side stay in the cache.
            let pair = |row: &u32| (key.word(*row as usize), *row);
            let mut pairs: Vec<(u64, u32)> = order.iter().map(pair).collect();
            pairs.select_nth_unstable(limit);
            pairs.truncate(limit);
            pairs.sort_unstable();
            *order = pairs.into_iter().map(|(_, row)| row).collect();
            return;
        }
        order.select_nth_unstable_by(limit, compare);
        order.truncate(limit);
    }
    order.sort_unstable_by(compare);
}

/// A limit below this share of the rows is picked out first.
const FEW: usize = 8;
/// Fewer rows are compared one by one.
const RADIX_ROWS_MIN: usize = 512;

/// The places of the values of an array in ascending order, nulls last.
pub(crate) fn ascending(array: &ArrayRef) -> Result<Vec<u32>, QueryError> {
    let mut key = KeyColumn::new(array.data_type(), false, Nulls::Last);
    key.push(array)?;
    let mut sorting = Sorting::new(array.len() as u32, vec![key.resolved()?]);
    while !sorting.step(usize::MAX) {}
    Ok(sorting.into_order())
}

/// The rank of each value of an array when they are in ascending order, nulls last.
pub(crate) fn ranks(array: &ArrayRef) -> Result<Vec<u32>, QueryError> {
    let order = ascending(array)?;
    let mut ranks = vec![0; order.len()];
    for (rank, row) in order.into_iter().enumerate() {
        if let Some(place) = ranks.get_mut(row as usize) {
            *place = rank as u32;
        }
    }
    Ok(ranks)
}

/// Numbers of rows in the order of their keys, which are ranks: the first key first.
pub(crate) fn order_by_ranks(len: usize, keys: &[Vec<u32>]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len).map(|row| row as u32).collect();
    for key in keys.iter().rev() {
        let words: Vec<u64> = key.iter().map(|rank| u64::from(*rank)).collect();
        radix::sort_by_words(&mut order, &words);
    }
    order
}

#[cfg(test)]
mod tests;

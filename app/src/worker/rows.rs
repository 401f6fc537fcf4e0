//! Rows of the selection in any order, a window at a time: one permutation an order, kept
//! while the order holds; counts of selected rows along it, renewed with the selection;
//! so that any place of millions of rows is found by a short search. Pure.

use engine::mask::WORD_BITS;
use engine::query::OrderKey;

use crate::cell::cell_text;
use crate::texts;
use crate::worker::resident::{BLOCK_ROWS, Resident};
use crate::worker::sort::{RowSort, Sorted};

/// Places along an order that share a count.
const STRIDE: usize = 4096;

/// An order of the rows and where the selected ones are in it.
#[derive(Default)]
pub struct RowOrder {
    /// What the order is of: keys, epoch of the rows, how many.
    of: Option<(Vec<OrderKey>, u64, usize)>,
    /// What is left to do for it.
    work: Option<RowSort>,
    /// The rows in order; `None` for table order.
    permutation: Option<Vec<u32>>,
    /// The selection that the counts are of.
    counted: Option<u64>,
    /// Selected rows before each stretch of [`STRIDE`] places.
    counts: Vec<u32>,
    selected: usize,
}

/// The selection to show rows of.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    pub words: &'a [u64],
    pub rows: usize,
    pub revision: u64,
    pub epoch: u64,
}

impl RowOrder {
    /// Works towards the order `keys`, a step at a time; true when it is there.
    pub fn step(
        &mut self,
        keys: &[OrderKey],
        resident: &Resident,
        selection: &Selection<'_>,
    ) -> Result<bool, String> {
        let names: Vec<&str> = keys.iter().map(|key| key.column.as_str()).collect();
        if let Some(missing) = names.iter().find(|name| resident.column(name).is_none()) {
            return Err(texts::refusals::not_loaded(missing));
        }
        let rows = selection.rows.min(resident.rows_of(names.iter().copied()));
        let is_same = self.of.as_ref().is_some_and(|(of, epoch, of_rows)| {
            of == keys && *epoch == selection.epoch && (*of_rows == rows || keys.is_empty())
        });
        if !is_same {
            *self = Self { of: Some((keys.to_vec(), selection.epoch, rows)), ..Self::default() };
            if !keys.is_empty() {
                self.work = Some(RowSort::new(keys, rows, resident)?);
            }
        }
        if let Some(work) = self.work.take() {
            match work.step(resident)? {
                Sorted::Partly(work) => self.work = Some(work),
                Sorted::Whole(sorting) => self.permutation = Some(sorting.into_order()),
            }
            return Ok(false);
        }
        if self.counted != Some(selection.revision) {
            self.count(selection, rows);
            self.counted = Some(selection.revision);
        }
        Ok(true)
    }

    fn count(&mut self, selection: &Selection<'_>, rows: usize) {
        self.counts.clear();
        let mut sum = 0;
        match &self.permutation {
            Some(order) => {
                for stretch in order.chunks(STRIDE) {
                    self.counts.push(sum);
                    sum +=
                        stretch.iter().map(|&row| bit(selection.words, row as usize)).sum::<u32>();
                }
            }
            None => {
                let n_words = rows.div_ceil(WORD_BITS).min(selection.words.len());
                for stretch in
                    selection.words.get(..n_words).unwrap_or_default().chunks(STRIDE / WORD_BITS)
                {
                    self.counts.push(sum);
                    sum += stretch.iter().map(|word| word.count_ones()).sum::<u32>();
                }
            }
        }
        self.selected = sum as usize;
    }

    /// Rows of the selection.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The rows of the selection from the `first` on, by number.
    pub fn window(&self, selection: &Selection<'_>, first: usize, count: usize) -> Vec<u64> {
        let mut rows = Vec::with_capacity(count.min(self.selected));
        let stretch = self.counts.partition_point(|&before| before as usize <= first);
        let Some(stretch) = stretch.checked_sub(1) else { return rows };
        let before = self.counts.get(stretch).copied().unwrap_or_default() as usize;
        let mut skip = first - before;
        let start = stretch * STRIDE;
        let mut take = |row: usize| {
            if bit(selection.words, row) == 1 {
                match skip.checked_sub(1) {
                    Some(left) => skip = left,
                    None => rows.push(row as u64),
                }
            }
            rows.len() < count
        };
        match &self.permutation {
            _ if count == 0 => {}
            Some(order) => {
                let rest = order.get(start..).unwrap_or_default();
                rest.iter().map(|&row| row as usize).all(&mut take);
            }
            None => {
                let words = selection.words.get(start / WORD_BITS..).unwrap_or_default();
                let mut row = start;
                for &word in words {
                    let end = row + WORD_BITS;
                    if word != 0 && !(row..end).all(&mut take) {
                        break;
                    }
                    row = end;
                }
            }
        }
        rows
    }
}

fn bit(words: &[u64], row: usize) -> u32 {
    words.get(row / WORD_BITS).map_or(0, |word| (word >> (row % WORD_BITS)) as u32 & 1)
}

/// Those of some columns that are here as far as these rows: of the others nothing is known,
/// which is not the same as null.
pub fn here(resident: &Resident, columns: &[String], rows: &[u64]) -> Vec<String> {
    let end = rows.iter().max().map_or(0, |row| *row as usize + 1);
    let is_here = |name: &&String| resident.column(name).is_some_and(|c| c.rows() >= end);
    columns.iter().filter(is_here).cloned().collect()
}

/// The cells of rows, of columns that are [`here`].
pub fn cells(resident: &Resident, columns: &[String], rows: &[u64]) -> Vec<Vec<Option<String>>> {
    let columns: Vec<_> = columns.iter().map(|name| resident.column(name)).collect();
    let cell = |row: u64| {
        let row = row as usize;
        columns
            .iter()
            .map(|column| {
                let block = column.as_ref()?.blocks().get(row / BLOCK_ROWS)?;
                cell_text(block.as_ref(), row % BLOCK_ROWS)
            })
            .collect()
    };
    rows.iter().map(|&row| cell(row)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array};
    use arrow_schema::{DataType, Field};
    use engine::kind::Kind;
    use engine::mask::Mask;
    use engine::query::Nulls;
    use engine::sample::hash64;

    use super::*;
    use crate::protocol::Origin;
    use crate::worker::resident::column::Column;

    const ROWS: usize = BLOCK_ROWS * 2 + 99;

    fn value(row: usize) -> Option<i32> {
        (row % 10 != 3).then(|| (hash64(9, row as u64) % 1000) as i32)
    }

    fn resident() -> Resident {
        let mut resident = Resident::new("t".into(), None, "u".into(), Origin::Browser);
        let array: ArrayRef = Arc::new(Int32Array::from_iter((0..ROWS).map(value)));
        let field = Arc::new(Field::new("n", DataType::Int32, true));
        let mut column = Column::new(field, Kind::Number, 0);
        column.push(&array).unwrap();
        column.finish().unwrap();
        resident.insert(column);
        resident
    }

    #[test]
    fn what_has_not_arrived_is_not_null() {
        let mut resident = resident();
        let field = Arc::new(Field::new("late", DataType::Int32, true));
        let mut late = Column::new(field, Kind::Number, 1);
        late.push(&(Arc::new(Int32Array::from(vec![7; BLOCK_ROWS])) as ArrayRef)).unwrap();
        resident.insert(late);
        let names = ["n", "late", "never"].map(str::to_owned);
        assert_eq!(here(&resident, &names, &[0, BLOCK_ROWS as u64 - 1]), ["n", "late"]);
        assert_eq!(here(&resident, &names, &[5, BLOCK_ROWS as u64]), ["n"]);
    }

    fn ready(order: &mut RowOrder, keys: &[OrderKey], resident: &Resident, at: &Selection<'_>) {
        while !order.step(keys, resident, at).unwrap() {}
    }

    #[test]
    fn any_window_of_any_order_is_what_sorting_all_gives() {
        let resident = resident();
        let key = |descending| OrderKey { column: "n".into(), descending, nulls: Nulls::Last };
        let mut order = RowOrder::default();
        for (revision, modulus) in [(1, 1), (2, 7), (3, 5000)] {
            let mask = Mask::from_fn(ROWS, |row| hash64(3, row as u64).is_multiple_of(modulus));
            let at = Selection { words: mask.words(), rows: ROWS, revision, epoch: 1 };
            for keys in [vec![], vec![key(false)], vec![key(true)]] {
                ready(&mut order, &keys, &resident, &at);
                let mut expected: Vec<usize> = mask.iter_ones().collect();
                match keys.first() {
                    Some(key) if key.descending => expected
                        .sort_by_key(|&row| (value(row).is_none(), std::cmp::Reverse(value(row)))),
                    Some(_) => expected.sort_by_key(|&row| (value(row).is_none(), value(row))),
                    None => {}
                }
                assert_eq!(order.selected(), expected.len());
                let last = expected.len().saturating_sub(3);
                for first in
                    [0, 1, STRIDE - 1, STRIDE, expected.len() / 2, last, expected.len() + 5]
                {
                    let found = order.window(&at, first, 20);
                    let wanted: Vec<u64> =
                        expected.iter().skip(first).take(20).map(|&row| row as u64).collect();
                    assert_eq!(found, wanted, "{first} of {}", expected.len());
                }
            }
        }
    }

    #[test]
    fn cells_are_of_the_rows_and_absent_columns_empty() {
        let resident = resident();
        let found = cells(&resident, &["n".into(), "gone".into()], &[0, 3, BLOCK_ROWS as u64]);
        let text = |row| value(row).map(|n: i32| n.to_string());
        assert_eq!(found, [vec![text(0), None], vec![None, None], vec![text(BLOCK_ROWS), None]]);
        let key = OrderKey { column: "gone".into(), descending: false, nulls: Nulls::Last };
        let at = Selection { words: &[], rows: 0, revision: 1, epoch: 1 };
        assert!(RowOrder::default().step(&[key], &resident, &at).is_err());
    }
}

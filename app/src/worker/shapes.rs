//! How a column is distributed, of all rows and of those that pass all filters: what stands
//! under the names of the rows' columns. Worked out a block at a time while nothing else is
//! to be done, and without memory of the size of the column. Pure.

use std::collections::HashSet;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use engine::kind::Kind;
use engine::mask::WORD_BITS;

use crate::cell::cell_text;
use crate::protocol::table::Shape;
use crate::worker::answer::ExtentScan;
use crate::worker::bins::{Bins, OUTSIDE_CODE};
use crate::worker::numbers::{Measure, floats_into, wholes_into};
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::{Column, NULL_CODE};

/// Bins, or values, that a shape has.
pub const SLOTS: u16 = 24;
/// Different numbers that are counted; of more it is said that they are more.
const DISTINCT_MAX: usize = 10_000;

/// The work on one column: first on all its rows, once, then on those that pass, as often as
/// others pass.
pub struct Shaping {
    rows: usize,
    epoch: u64,
    phase: Phase,
    block: usize,
    scan: ExtentScan,
    slots: Slots,
    unfiltered: Vec<u64>,
    distinct: Distinct,
    filtered: Vec<u64>,
    nulls: u64,
    selected: u64,
    codes: Vec<u16>,
    wholes: Vec<i64>,
    floats: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Extent,
    All,
    Selected,
    Done,
}

/// What rows are counted by.
enum Slots {
    /// Only what is missing.
    None,
    Bins(Bins, Measure),
    Flags,
    /// By the code of a text; while all rows are counted each code has a slot of its own.
    Words(Vec<u16>),
}

#[derive(Default)]
struct Distinct {
    seen: HashSet<u64>,
    is_more: bool,
}

impl Distinct {
    fn see(&mut self, bits: u64) {
        if !self.is_more {
            self.seen.insert(bits);
            self.is_more = self.seen.len() > DISTINCT_MAX;
            if self.is_more {
                // How many there are is all that is told of them.
                self.seen = HashSet::from([0]);
            }
        }
    }
}

impl Shaping {
    pub fn new(column: &Column, epoch: u64) -> Self {
        let slots = match (column.n_words(), column.kind()) {
            (Some(n_words), _) => Slots::Words((0..n_words as u32).map(|n| n as u16).collect()),
            (None, Kind::Boolean) => Slots::Flags,
            _ => Slots::None,
        };
        let phase = match Measure::of(column.field().data_type()) {
            Some(_) => Phase::Extent,
            None => Phase::All,
        };
        let n_slots = match &slots {
            Slots::Words(words) => words.len(),
            Slots::Flags => 2,
            _ => 0,
        };
        Self {
            rows: column.rows(),
            epoch,
            phase,
            block: 0,
            scan: ExtentScan::default(),
            slots,
            unfiltered: vec![0; n_slots],
            distinct: Distinct::default(),
            filtered: Vec::new(),
            nulls: 0,
            selected: 0,
            codes: Vec::new(),
            wholes: Vec::new(),
            floats: Vec::new(),
        }
    }

    /// Whether this is still about the rows of the column.
    pub fn is_of(&self, column: &Column, epoch: u64) -> bool {
        self.epoch == epoch && self.rows == column.rows()
    }

    /// Other rows pass now.
    pub fn renew(&mut self) {
        if self.phase == Phase::Done {
            self.phase = Phase::Selected;
        }
        if self.phase == Phase::Selected {
            self.begin_selected();
        }
    }

    fn begin_selected(&mut self) {
        self.block = 0;
        self.filtered.clear();
        self.filtered.resize(self.unfiltered.len(), 0);
        self.nulls = 0;
        self.selected = 0;
    }

    /// Looks at one more block; false once all is known.
    pub fn step(&mut self, column: &Column, mask: &[u64]) -> bool {
        match self.phase {
            Phase::Extent => {
                if !self.scan.step(column) {
                    self.begin_bins(column);
                    self.phase = Phase::All;
                }
            }
            Phase::All => {
                if !self.count_all(column) {
                    self.rank(column);
                    self.phase = Phase::Selected;
                    self.begin_selected();
                }
            }
            Phase::Selected => {
                if !self.count_selected(column, mask) {
                    self.phase = Phase::Done;
                    // A block's numbers of every column would come to much.
                    (self.codes, self.wholes, self.floats) = Default::default();
                }
            }
            Phase::Done => {}
        }
        self.phase != Phase::Done
    }

    fn begin_bins(&mut self, column: &Column) {
        let measure = Measure::of(column.field().data_type());
        if let Some((measure, extent)) = measure.zip(self.scan.extent) {
            let bins = Bins::new(measure, extent, None, SLOTS);
            self.unfiltered = vec![0; usize::from(bins.count)];
            self.slots = Slots::Bins(bins, measure);
        }
    }

    /// The slot of each row of a block, into `codes`; false where there is no such block.
    fn code(&mut self, column: &Column, block: usize) -> bool {
        let Some(array) = column.blocks().get(block) else { return false };
        self.codes.clear();
        match &self.slots {
            Slots::None => self.codes.resize(array.len(), OUTSIDE_CODE),
            Slots::Bins(bins, Measure::Float) => {
                floats_into(array.as_ref(), &mut self.floats);
                bins.codes_of_floats(&self.floats, &mut self.codes);
            }
            Slots::Bins(bins, Measure::Whole { .. }) => {
                wholes_into(array.as_ref(), &mut self.wholes);
                bins.codes_of_wholes(&self.wholes, &mut self.codes);
            }
            Slots::Flags => {
                let flags = array.as_boolean_opt();
                let code = |row| flags.map_or(OUTSIDE_CODE, |flags| u16::from(!flags.value(row)));
                self.codes.extend((0..array.len()).map(code));
            }
            Slots::Words(slots) => {
                let codes = column.codes(block).unwrap_or_default();
                let slot = |code: &u16| match *code {
                    NULL_CODE => NULL_CODE,
                    code => slots.get(usize::from(code)).copied().unwrap_or(OUTSIDE_CODE),
                };
                self.codes.extend(codes.iter().map(slot));
                return true;
            }
        }
        if array.logical_null_count() > 0 {
            for (row, code) in self.codes.iter_mut().enumerate() {
                if array.is_null(row) {
                    *code = NULL_CODE;
                }
            }
        }
        true
    }

    fn count_all(&mut self, column: &Column) -> bool {
        if !self.code(column, self.block) {
            return false;
        }
        for &code in &self.codes {
            if let Some(slot) = self.unfiltered.get_mut(usize::from(code)) {
                *slot += 1;
            }
        }
        let valid = self.codes.iter().map(|&code| code != NULL_CODE);
        match &self.slots {
            Slots::Bins(_, Measure::Float) if !self.distinct.is_more => {
                // One zero, and one NaN.
                let bits =
                    |value: &f64| if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
                let values = self.floats.iter().zip(valid).filter(|(_, valid)| *valid);
                values.for_each(|(value, _)| self.distinct.see(bits(value)));
            }
            Slots::Bins(_, Measure::Whole { .. }) if !self.distinct.is_more => {
                let values = self.wholes.iter().zip(valid).filter(|(_, valid)| *valid);
                values.for_each(|(value, _)| self.distinct.see(value.cast_unsigned()));
            }
            _ => {}
        }
        self.block += 1;
        true
    }

    /// Of many texts the most frequent ones have slots, equals in the order of the texts.
    fn rank(&mut self, column: &Column) {
        let Slots::Words(slots) = &mut self.slots else { return };
        let words = column.blocks().last().and_then(|block| block.as_any_dictionary_opt());
        let text = |code: &u16| {
            words.and_then(|words| cell_text(words.values().as_ref(), usize::from(*code)))
        };
        let count = |code: &u16| self.unfiltered.get(usize::from(*code)).copied().unwrap_or(0);
        let mut codes: Vec<u16> = slots.iter().copied().filter(|code| count(code) > 0).collect();
        self.distinct.seen = codes.iter().map(|&code| u64::from(code)).collect();
        codes.sort_by_key(|code| std::cmp::Reverse(count(code)));
        // Only those at the cut, and before it, are compared as texts.
        let least = codes.get(usize::from(SLOTS) - 1).map_or(0, count);
        codes.retain(|code| count(code) >= least);
        codes.sort_by_cached_key(|code| (std::cmp::Reverse(count(code)), text(code)));
        codes.truncate(usize::from(SLOTS));
        let unfiltered = codes.iter().map(count).collect();
        slots.fill(OUTSIDE_CODE);
        for (slot, code) in codes.iter().enumerate() {
            if let Some(place) = slots.get_mut(usize::from(*code)) {
                *place = slot as u16;
            }
        }
        self.unfiltered = unfiltered;
    }

    fn count_selected(&mut self, column: &Column, mask: &[u64]) -> bool {
        let first = self.block * BLOCK_ROWS / WORD_BITS;
        let words = mask.get(first..).unwrap_or_default();
        let is_any = words.iter().take(BLOCK_ROWS / WORD_BITS).any(|word| *word != 0);
        if !is_any && self.block < column.blocks().len() {
            self.block += 1;
            return true;
        }
        if !self.code(column, self.block) {
            return false;
        }
        for (codes, &word) in self.codes.chunks(WORD_BITS).zip(words) {
            let mut left = word;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(&code) = codes.get(bit) else { break };
                self.selected += 1;
                match self.filtered.get_mut(usize::from(code)) {
                    Some(slot) => *slot += 1,
                    None => self.nulls += u64::from(code == NULL_CODE),
                }
            }
        }
        self.block += 1;
        true
    }

    /// What was found.
    pub fn shape(&self, column: &str) -> Shape {
        let is_counted = matches!(self.slots, Slots::Bins(..) | Slots::Words(_));
        Shape {
            column: column.to_owned(),
            unfiltered: self.unfiltered.clone(),
            filtered: self.filtered.clone(),
            nulls: self.nulls,
            selected: self.selected,
            distinct: is_counted.then_some(match self.distinct.is_more {
                true => (DISTINCT_MAX as u64, true),
                false => (self.distinct.seen.len() as u64, false),
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray};
    use arrow_schema::Field;
    use engine::kind::kind_from_type;
    use engine::mask::Mask;

    use super::*;

    fn column(array: ArrayRef) -> Column {
        let field = Arc::new(Field::new("c", array.data_type().clone(), true));
        let mut column = Column::new(field, kind_from_type(array.data_type()), 0);
        column.push(&array).unwrap();
        column.finish().unwrap();
        column
    }

    fn shape(column: &Column, mask: &Mask) -> Shape {
        let mut shaping = Shaping::new(column, 1);
        while shaping.step(column, mask.words()) {}
        let first = shaping.shape("c");
        // Again, after another selection.
        let none = Mask::from_fn(column.rows(), |_| false);
        shaping.renew();
        while shaping.step(column, none.words()) {}
        assert_eq!((shaping.shape("c").selected, shaping.shape("c").nulls), (0, 0));
        assert_eq!(shaping.shape("c").filtered.iter().sum::<u64>(), 0);
        shaping.renew();
        while shaping.step(column, mask.words()) {}
        assert_eq!(shaping.shape("c"), first);
        first
    }

    #[test]
    fn numbers_are_counted_by_bin_under_the_selection() {
        const ROWS: usize = BLOCK_ROWS + 1000;
        let value = |row: usize| (!row.is_multiple_of(7)).then_some((row % 48) as i32);
        let mask = Mask::from_fn(ROWS, |row| row % 3 == 0);
        let numbers = column(Arc::new(Int32Array::from_iter((0..ROWS).map(value))));
        let found = shape(&numbers, &mask);
        let count =
            |keep: &dyn Fn(usize) -> bool| (0..ROWS).filter(|&row| keep(row)).count() as u64;
        assert_eq!(found.unfiltered.len(), 24);
        for slot in 0..24 {
            let is_in = |row: usize| value(row).is_some_and(|n| n / 2 == slot as i32);
            assert_eq!(found.unfiltered[slot], count(&is_in));
            assert_eq!(found.filtered[slot], count(&|row| is_in(row) && row % 3 == 0));
        }
        assert_eq!(found.nulls, count(&|row| row % 3 == 0 && value(row).is_none()));
        assert_eq!(found.selected, count(&|row| row % 3 == 0));
        assert_eq!(found.distinct, Some((48, false)));
    }

    #[test]
    fn texts_by_their_most_frequent_values() {
        let word = |row: usize| format!("w{:03}", if row < 100 { row } else { row % 30 });
        let array = StringArray::from_iter_values((0..1000).map(word));
        let mask = Mask::from_fn(1000, |row| row >= 500);
        let found = shape(&column(Arc::new(array)), &mask);
        assert_eq!((found.unfiltered.len(), found.distinct), (24, Some((100, false))));
        // Thirty words are equally frequent: the first of them by name.
        let expected: Vec<u64> = (0..24)
            .map(|n| (0..1000).filter(|&row| word(row) == format!("w{n:03}")).count() as u64)
            .collect();
        let mut sorted = expected.clone();
        sorted.sort_by_key(|&n| std::cmp::Reverse(n));
        assert_eq!(found.unfiltered, sorted);
        assert_eq!(
            found.filtered.iter().sum::<u64>(),
            (500..1000).filter(|row| row % 30 < 24).count() as u64
        );
    }

    #[test]
    fn flags_floats_and_the_rest() {
        let flags = BooleanArray::from(vec![Some(true), Some(true), Some(false), None]);
        let all = Mask::from_fn(4, |_| true);
        let found = shape(&column(Arc::new(flags)), &all);
        assert_eq!((found.filtered, found.nulls, found.distinct), (vec![2, 1], 1, None));
        let floats = Float64Array::from(vec![0.0, -0.0, f64::NAN, 1.0]);
        let found = shape(&column(Arc::new(floats)), &all);
        assert_eq!(found.filtered.iter().sum::<u64>(), 3, "NaN has no bin");
        assert_eq!(found.distinct, Some((3, false)));
        let empty = shape(
            &column(Arc::new(Float64Array::from(vec![None, None]))),
            &Mask::from_fn(2, |_| true),
        );
        assert_eq!((empty.unfiltered.len(), empty.nulls, empty.selected), (0, 2, 2));
    }
}

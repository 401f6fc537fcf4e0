//! A small portrait of a column for the schema list: nulls, a few bins or the most frequent
//! values, distinct values where they are few, both ends. Worked out in steps. Pure.

use engine::kind::Kind;

use crate::cell::cell_text;
use crate::protocol::Profile;
use crate::worker::answer::ExtentScan;
use crate::worker::bins::{Bins, Extent};
use crate::worker::numbers::{Measure, floats_into, wholes_into};
use crate::worker::resident::column::{Column, NULL_CODE};

/// Bins or values that a portrait has.
const COUNTS_MAX: usize = 24;
/// Text of at most so many values is a category.
const CATEGORY_MAX: usize = 100;

/// The work on one column.
#[derive(Default)]
pub struct Profiling {
    scan: ExtentScan,
    bins: Option<Bins>,
    block: usize,
    counts: Vec<u32>,
    wholes: Vec<i64>,
    floats: Vec<f64>,
    codes: Vec<u16>,
}

impl Profiling {
    /// Looks at one more block; the portrait after the last.
    pub fn step(&mut self, column: &Column) -> Option<Profile> {
        if column.n_words().is_some() {
            return self.step_words(column);
        }
        match Measure::of(column.field().data_type()) {
            Some(measure) => self.step_numbers(column, measure),
            None => Some(self.plain(column)),
        }
    }

    fn step_words(&mut self, column: &Column) -> Option<Profile> {
        let n_words = column.n_words().unwrap_or_default();
        self.counts.resize(n_words, 0);
        if let Some(codes) = column.codes(self.block) {
            for &code in codes {
                if let Some(count) = self.counts.get_mut(usize::from(code)) {
                    *count += 1;
                }
            }
            self.block += 1;
            return None;
        }
        let mut profile = self.plain(column);
        let mut counts: Vec<u32> = self.counts.iter().copied().filter(|&n| n > 0).collect();
        profile.distinct = Some(counts.len() as u64);
        if column.kind() == Kind::Text && counts.len() <= CATEGORY_MAX && column.is_complete() {
            profile.kind = Kind::Category;
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.truncate(COUNTS_MAX);
        profile.counts = counts;
        Some(profile)
    }

    fn step_numbers(&mut self, column: &Column, measure: Measure) -> Option<Profile> {
        if self.scan.step(column) {
            return None;
        }
        let Some(extent) = self.scan.extent else { return Some(self.plain(column)) };
        let bins =
            *self.bins.get_or_insert_with(|| Bins::new(measure, extent, None, COUNTS_MAX as u16));
        self.counts.resize(usize::from(bins.count), 0);
        if let Some(block) = column.blocks().get(self.block) {
            self.codes.clear();
            match measure {
                Measure::Float => {
                    floats_into(block.as_ref(), &mut self.floats);
                    bins.codes_of_floats(&self.floats, &mut self.codes);
                }
                Measure::Whole { .. } => {
                    wholes_into(block.as_ref(), &mut self.wholes);
                    bins.codes_of_wholes(&self.wholes, &mut self.codes);
                }
            }
            for (row, &code) in self.codes.iter().enumerate() {
                let slot = self.counts.get_mut(usize::from(code)).filter(|_| block.is_valid(row));
                if let Some(count) = slot {
                    *count += 1;
                }
            }
            self.block += 1;
            return None;
        }
        let mut profile = self.plain(column);
        profile.counts = std::mem::take(&mut self.counts);
        let [low, high] = ends(column, extent);
        (profile.min, profile.max) = (low, high);
        Some(profile)
    }

    /// What is known of a column of any kind.
    fn plain(&self, column: &Column) -> Profile {
        let nulls = match column.n_words() {
            Some(_) => (0..column.blocks().len())
                .filter_map(|block| column.codes(block))
                .map(|codes| codes.iter().filter(|&&code| code == NULL_CODE).count() as u64)
                .sum(),
            None => column.blocks().iter().map(|block| block.logical_null_count() as u64).sum(),
        };
        Profile {
            column: column.name().to_owned(),
            kind: column.kind(),
            nulls,
            counts: Vec::new(),
            distinct: None,
            min: None,
            max: None,
        }
    }
}

/// Whether an end stands in a row of a block's numbers, whole or not.
type IsEnd<'a> = dyn Fn(&[i64], &[f64], usize) -> bool + 'a;

/// The ends of a column as its cells show them.
fn ends(column: &Column, extent: Extent) -> [Option<String>; 2] {
    let text = |found: &IsEnd<'_>| {
        let (mut wholes, mut floats) = (Vec::new(), Vec::new());
        column.blocks().iter().find_map(|block| {
            match extent {
                Extent::Wholes { .. } => wholes_into(block.as_ref(), &mut wholes),
                Extent::Floats { .. } => floats_into(block.as_ref(), &mut floats),
            };
            let row = (0..block.len())
                .find(|&row| block.is_valid(row) && found(&wholes, &floats, row))?;
            cell_text(block.as_ref(), row)
        })
    };
    match extent {
        Extent::Wholes { low, high } => {
            [low, high].map(|end| text(&|wholes, _, row| wholes.get(row) == Some(&end)))
        }
        Extent::Floats { low, high } => {
            [low, high].map(|end| text(&|_, floats, row| floats.get(row) == Some(&end)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, StringArray};
    use arrow_schema::Field;
    use engine::kind::kind_from_type;

    use super::*;

    fn profile(array: ArrayRef) -> Profile {
        let field = Arc::new(Field::new("c", array.data_type().clone(), true));
        let mut column = Column::new(field, kind_from_type(array.data_type()), 0);
        column.push(&array).unwrap();
        column.finish().unwrap();
        let mut profiling = Profiling::default();
        loop {
            if let Some(profile) = profiling.step(&column) {
                return profile;
            }
        }
    }

    #[test]
    fn numbers_have_bins_and_ends() {
        let floats = (0..100_000).map(|n| (n % 10 != 0).then_some(f64::from(n) / 4.0));
        let found = profile(Arc::new(Float64Array::from_iter(floats)));
        assert_eq!(found.nulls, 10_000);
        assert_eq!(found.counts.len(), 24);
        assert_eq!(found.counts.iter().sum::<u32>(), 90_000);
        assert_eq!((found.min.as_deref(), found.max.as_deref()), (Some("0.25"), Some("24999.75")));
        let days = profile(Arc::new(Date32Array::from(vec![Some(3), None, Some(1)])));
        assert_eq!(
            (days.min.as_deref(), days.max.as_deref()),
            (Some("1970-01-02"), Some("1970-01-04"))
        );
        assert_eq!(days.counts, [1, 0, 1]);
    }

    #[test]
    fn texts_have_their_most_frequent_values() {
        let words = ["a", "b", "b", "c", "b", "c"].map(Some).into_iter().chain([None]);
        let found = profile(Arc::new(StringArray::from_iter(words)));
        assert_eq!((found.nulls, found.distinct), (1, Some(3)));
        assert_eq!(found.counts, [3, 2, 1]);
        assert_eq!(found.kind, Kind::Category);
        let many = (0..500).map(|n| n.to_string());
        let found = profile(Arc::new(StringArray::from_iter_values(many)));
        assert_eq!((found.kind, found.counts.len()), (Kind::Text, 24));
    }

    #[test]
    fn other_kinds_tell_their_nulls() {
        let flags = profile(Arc::new(BooleanArray::from(vec![Some(true), None])));
        assert_eq!((flags.nulls, flags.kind), (1, Kind::Boolean));
        assert!(profile(Arc::new(Float64Array::from(vec![f64::NAN]))).counts.is_empty());
    }
}

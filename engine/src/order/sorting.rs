//! Putting all rows in order, in steps: from the last key to the first, each by a stable
//! sort that keeps what the later keys decided.

use super::key::KeyColumn;
use super::radix::Radix;
use super::rank::Ranking;

/// An order under way; see [`super::Sorter::into_sorting`].
pub struct Sorting {
    order: Vec<u32>,
    /// The keys that are still to be sorted by, the first key first.
    keys: Vec<KeyColumn>,
    stage: Stage,
    /// Rows that have a value of the first key.
    valued: usize,
}

/// What is done for the last of the keys left.
enum Stage {
    /// Keys that are not words become ranks.
    Rank(Box<Ranking>),
    Words(Radix),
    /// Nulls and NaN go around the values.
    Classes(Radix),
}

impl Sorting {
    pub(super) fn new(rows: u32, keys: Vec<KeyColumn>) -> Self {
        let stage = Stage::Rank(Box::default());
        let valued = keys.first().map_or(rows as usize, |key| key.valued(rows as usize));
        Self { order: (0..rows).collect(), keys, stage, valued }
    }

    /// Works on about `budget` rows more and tells whether all is in order.
    pub fn step(&mut self, budget: usize) -> bool {
        let Some(key) = self.keys.last_mut() else { return true };
        match &mut self.stage {
            Stage::Rank(ranking) => {
                if ranking.step(key, budget) {
                    self.stage = Stage::Words(Radix::new());
                }
            }
            Stage::Words(radix) => {
                let word = |row: u32| key.word(row as usize);
                if radix.step(&mut self.order, word, budget) {
                    self.stage = Stage::Classes(Radix::new());
                }
            }
            Stage::Classes(radix) => {
                let class = |row: u32| u64::from(key.class(row as usize));
                if !key.has_classes() || radix.step(&mut self.order, class, budget) {
                    self.keys.pop();
                    self.stage = Stage::Rank(Box::default());
                }
            }
        }
        self.keys.is_empty()
    }

    /// Of an order by one key, ascending and with nulls last: the rows that have a value,
    /// neither null nor NaN, in order.
    pub fn into_valued(mut self) -> Vec<u32> {
        self.order.truncate(self.valued);
        self.order
    }

    /// The rows in order, numbered as they were pushed, once [`Self::step`] told so.
    pub fn into_order(self) -> Vec<u32> {
        self.order
    }
}

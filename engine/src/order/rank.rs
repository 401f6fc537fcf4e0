//! Keys that are not words, made so: each value's place among the distinct ones.

use super::key::{KeyColumn, KeyValues};
use super::radix::Radix;

/// A ranking under way.
#[derive(Default)]
pub(super) struct Ranking {
    order: Vec<u32>,
    stage: Stage,
    ranks: Vec<u64>,
    rank: u64,
}

#[derive(Default)]
enum Stage {
    #[default]
    Start,
    /// By the first eight bytes.
    Heads(Radix),
    /// By the rest, where those are equal; from this place on.
    Runs(usize),
    Assign(usize),
}

impl Ranking {
    /// Works on about `budget` rows more and tells whether the key's values are words.
    pub(super) fn step(&mut self, key: &mut KeyColumn, budget: usize) -> bool {
        let (values, descending) = key.values_and_direction();
        match &mut self.stage {
            Stage::Start => {
                self.order = (0..values.len()).map(|row| row as u32).collect();
                self.ranks = vec![0; values.len()];
                self.stage = match values {
                    KeyValues::Words(_) | KeyValues::Coded { .. } => return true,
                    KeyValues::Bytes(_) => Stage::Heads(Radix::new()),
                    KeyValues::Wide(wide) => {
                        self.order.sort_unstable_by_key(|row| wide.get(*row as usize));
                        Stage::Assign(0)
                    }
                };
            }
            Stage::Heads(radix) => {
                let KeyValues::Bytes(bytes) = values else { return true };
                if radix.step(&mut self.order, |row| bytes.head(row as usize), budget) {
                    self.stage = Stage::Runs(0);
                }
            }
            Stage::Runs(start) => {
                let KeyValues::Bytes(bytes) = values else { return true };
                let rest = self.order.get_mut(*start..).unwrap_or_default();
                let head = |row: u32| bytes.head(row as usize);
                let mut seen = 0;
                for run in rest.chunk_by_mut(|a, b| head(*a) == head(*b)) {
                    seen += run.len();
                    if run.len() > 1 {
                        run.sort_unstable_by(|a, b| bytes.compare(*a as usize, *b as usize));
                    }
                    if seen >= budget {
                        break;
                    }
                }
                *start += seen;
                if *start >= self.order.len() {
                    self.stage = Stage::Assign(0);
                }
            }
            Stage::Assign(start) => {
                let end = start.saturating_add(budget.max(1)).min(self.order.len());
                for place in *start..end {
                    let Some(row) = self.order.get(place).map(|row| *row as usize) else { break };
                    let before = place.checked_sub(1).and_then(|before| self.order.get(before));
                    let differs = |before: &u32| values.compare(*before as usize, row).is_ne();
                    self.rank += u64::from(before.is_some_and(differs));
                    if let Some(rank) = self.ranks.get_mut(row) {
                        *rank = if descending { !self.rank } else { self.rank };
                    }
                }
                *start = end;
                if end == self.order.len() {
                    key.set_words(std::mem::take(&mut self.ranks));
                    return true;
                }
            }
        }
        false
    }
}

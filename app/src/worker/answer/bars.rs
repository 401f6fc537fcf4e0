//! The values of a category, boolean or text column by count, under whatever mask comes.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use crate::protocol::{Bar, MarkResult};
use crate::worker::resident::column::Column;
use crate::worker::tally::{Codes, Tally};

use super::coding::Coding;
use super::masks::BLOCK_WORDS;

#[derive(Debug)]
pub struct Bars {
    pub column: String,
    limit: usize,
    search: String,
    coding: Coding,
    unfiltered: Tally,
    tally: Tally,
    /// The codes whose labels match the search, of the first so many codes.
    matching: (usize, Vec<u32>),
}

impl Bars {
    /// `None` where the column is of another kind.
    pub fn new(column: &Column, limit: u16, search: &str) -> Option<Self> {
        Some(Self {
            column: column.name().to_owned(),
            limit: usize::from(limit),
            search: search.to_lowercase(),
            coding: Coding::of(column)?,
            unfiltered: Tally::default(),
            tally: Tally::default(),
            matching: (0, Vec::new()),
        })
    }

    pub fn is_of(&self, column: &str, here: &Column) -> bool {
        self.column == column && self.coding.is_of(here)
    }

    /// Another search or limit needs no counting anew.
    pub fn set_search(&mut self, limit: u16, search: &str) {
        self.limit = usize::from(limit);
        let search = search.to_lowercase();
        if search != self.search {
            self.search = search;
            self.matching = (0, Vec::new());
        }
    }

    /// Codes one more block; false where all are.
    pub fn step(&mut self, column: &Column) -> bool {
        let before = self.coding.n_blocks();
        let is_stepped = self.coding.step(column);
        self.unfiltered.grow(self.coding.n_codes());
        self.tally.grow(self.coding.n_codes());
        if self.coding.n_blocks() > before
            && let Some(codes) = self.coding.codes(column, before)
        {
            self.unfiltered.add(codes);
        }
        is_stepped
    }

    /// Counts under a mask, a block a step; false past the last.
    pub fn count(&mut self, column: &Column, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.tally.prepare(mask);
        }
        let first = block * BLOCK_WORDS;
        let end = (first + BLOCK_WORDS).min(mask.len());
        let Some(mask) = mask.get(first..end).filter(|mask| !mask.is_empty()) else { return false };
        let Some(codes) = self.coding.codes(column, block) else { return false };
        self.tally.follow(first, mask, codes);
        true
    }

    /// The code of each row, block by block, and how many codes there are.
    pub fn codes<'a>(&'a self, column: &'a Column) -> Option<(Vec<Codes<'a>>, usize)> {
        let blocks = 0..self.coding.n_blocks();
        let codes = blocks.map(|block| self.coding.codes(column, block)).collect::<Option<_>>()?;
        Some((codes, self.coding.n_codes()))
    }

    /// The counts under the mask.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// `own` is the clause that these bars made: its values are shown whatever their count.
    pub fn result(&mut self, column: &Column, own: Option<&Predicate>) -> MarkResult {
        self.match_labels(column);
        let unfiltered = self.unfiltered.counts();
        let counts = self.tally.counts();
        let count = |code: u32| counts.get(code as usize).copied().unwrap_or_default();
        let whole = |code: u32| unfiltered.get(code as usize).copied().unwrap_or_default();
        let mut codes: Vec<u32> =
            self.matching.1.iter().copied().filter(|&code| whole(code) > 0).collect();
        let distinct = codes.len() as u64;
        // By count, then by value: as the companion orders them.
        let order = |a: &u32, b: &u32| {
            let by_count = count(*b).cmp(&count(*a));
            by_count.then_with(|| self.coding.compare(column, *a as usize, *b as usize))
        };
        if codes.len() > self.limit && self.limit > 0 {
            codes.select_nth_unstable_by(self.limit - 1, order);
            let chosen = own.map(chosen_texts).unwrap_or_default();
            let rest = codes.split_off(self.limit);
            let is_chosen = |code: &u32| {
                let literal = self.coding.literal(column, *code as usize);
                chosen.contains(&literal.as_text())
            };
            if !chosen.is_empty() {
                codes.extend(rest.into_iter().filter(is_chosen));
            }
        }
        codes.sort_unstable_by(order);
        let bars: Vec<Bar> = codes
            .into_iter()
            .map(|code| Bar {
                value: self.coding.literal(column, code as usize),
                label: self.coding.label(column, code as usize),
                count: u64::from(count(code)),
                unfiltered: u64::from(whole(code)),
            })
            .collect();
        MarkResult::Bars { bars, distinct, nulls: u64::from(self.tally.nulls()) }
    }

    fn match_labels(&mut self, column: &Column) {
        let n_codes = self.coding.n_codes();
        let (from, matching) = &mut self.matching;
        for code in *from..n_codes {
            let is_match = self.search.is_empty()
                || self.coding.label(column, code).to_lowercase().contains(&self.search);
            if is_match {
                matching.push(code as u32);
            }
        }
        *from = n_codes;
    }
}

/// The values that a clause of equality chooses.
fn chosen_texts(predicate: &Predicate) -> Vec<&str> {
    match predicate {
        Predicate::In { values, negated: false, .. } => {
            values.iter().map(Literal::as_text).collect()
        }
        Predicate::Compare { op: Comparison::Eq, value, .. } => vec![value.as_text()],
        Predicate::And(clauses) | Predicate::Or(clauses) => {
            clauses.iter().flat_map(chosen_texts).collect()
        }
        _ => Vec::new(),
    }
}

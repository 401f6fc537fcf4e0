//! The most frequent values of a category, boolean or text column as places along a side,
//! and one place for all others. Which they are is told by all rows, so that they stand
//! still while a brush moves.

use arrow_array::Array;

use crate::protocol::Side;
use crate::worker::resident::column::{Column, NULL_CODE};
use crate::worker::tally::Tally;

use super::coding::Coding;

#[derive(Debug)]
pub struct Names {
    most: usize,
    coding: Coding,
    counts: Tally,
    /// The codes that have a place of their own, in order.
    top: Vec<u32>,
    /// The place of each code.
    places: Vec<u16>,
    has_other: bool,
    /// The rows that the places are by.
    rows: usize,
    /// Counts the changes of the places.
    pub revision: u32,
}

impl Names {
    /// `None` where the column is of another kind.
    pub fn new(column: &Column, most: usize) -> Option<Self> {
        Some(Self {
            most,
            coding: Coding::of(column)?,
            counts: Tally::default(),
            top: Vec::new(),
            places: Vec::new(),
            has_other: false,
            rows: 0,
            revision: 0,
        })
    }

    /// Whether its codes are still the column's.
    pub fn is_of(&self, column: &Column) -> bool {
        self.coding.is_of(column)
    }

    /// Takes one more block in; false where there is none, and the places are known then.
    pub fn step(&mut self, column: &Column) -> bool {
        let before = self.coding.n_blocks();
        if self.coding.step(column) {
            self.counts.grow(self.coding.n_codes());
            if let Some(codes) = self.coding.codes(column, before) {
                self.counts.add(codes);
            }
            return true;
        }
        let rows = column.blocks().iter().map(|block| block.len()).sum();
        if self.revision == 0 || self.rows != rows {
            self.rows = rows;
            self.place(column);
        }
        false
    }

    fn count(&self, code: u32) -> u32 {
        self.counts.counts().get(code as usize).copied().unwrap_or_default()
    }

    fn found(&self, column: &Column) -> (Vec<u32>, bool) {
        let mut codes: Vec<u32> =
            (0..self.coding.n_codes() as u32).filter(|code| self.count(*code) > 0).collect();
        // By count, then by value: as the companion orders them.
        let order = |a: &u32, b: &u32| {
            let by_count = self.count(*b).cmp(&self.count(*a));
            by_count.then_with(|| self.coding.compare(column, *a as usize, *b as usize))
        };
        let has_other = codes.len() > self.most;
        if has_other {
            codes.select_nth_unstable_by(self.most, order);
            codes.truncate(self.most);
        }
        codes.sort_unstable_by(order);
        (codes, has_other)
    }

    fn place(&mut self, column: &Column) {
        let (top, has_other) = self.found(column);
        if self.revision > 0 && (&top, has_other) == (&self.top, self.has_other) {
            // Codes that are new are of the others; who had a place keeps it.
            self.places.resize(self.coding.n_codes(), top.len() as u16);
            return;
        }
        self.places = vec![top.len() as u16; self.coding.n_codes()];
        for (place, code) in top.iter().enumerate() {
            if let Some(slot) = self.places.get_mut(*code as usize) {
                *slot = place as u16;
            }
        }
        (self.top, self.has_other) = (top, has_other);
        self.revision += 1;
    }

    /// How many places there are.
    pub fn many(&self) -> usize {
        self.top.len() + usize::from(self.has_other)
    }

    /// The places of a block's rows, [`NULL_CODE`] where there is no value.
    pub fn block(&self, column: &Column, block: usize) -> Option<Vec<u16>> {
        let place = |code: usize| self.places.get(code).copied().unwrap_or(NULL_CODE);
        let codes = self.coding.codes(column, block)?;
        Some(codes.map(|code| code.map_or(NULL_CODE, place)))
    }

    pub fn side(&self, column: &Column) -> Side {
        let values = self.top.iter().map(|code| self.coding.literal(column, *code as usize));
        Side::Names { values: values.collect(), other: self.has_other }
    }
}

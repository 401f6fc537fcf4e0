//! The palette index of every row of a scatter, from a column of any kind that can colour:
//! categories by how frequent they are, numbers and times along a ramp. Decided from all
//! rows that are here, so that colours stay put while filters move.

use crate::draw::palette::{CATEGORIES, MISSING, OTHER, Palette, Rgb, of_change};
use crate::draw::points::Points;
use crate::few::sort_few;
use crate::look::Look;
use crate::protocol::{CHANGE_COLUMN, Legend, LegendEntry};
use crate::texts;
use crate::worker::numbers::Measure;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::Column;
use crate::worker::tally::Tally;

use super::coding::Coding;
use super::masks::BLOCK_WORDS;
use super::ramp::{Channel, Ramp};

#[derive(Debug)]
pub enum Coloring {
    Categories(Box<Categories>),
    Ramp(Box<Ramp>),
}

#[derive(Debug)]
pub struct Categories {
    coding: Coding,
    unfiltered: Tally,
    shown: Tally,
    /// The codes that have a colour of their own, most frequent first.
    ranked: Vec<u32>,
    /// The palette index of each code.
    indices: Vec<u8>,
    n_colored: usize,
    /// Colours of what changed between two versions, by palette index; else empty.
    changes: Vec<Rgb>,
}

impl Coloring {
    /// `None` where nothing can be coloured by the column.
    pub fn of(column: &Column, look: Look) -> Option<Self> {
        let data_type = column.field().data_type().clone();
        if Measure::of(&data_type).is_some() {
            let is_time = data_type.is_temporal() && column.kind() == engine::kind::Kind::Time;
            return Some(Self::Ramp(Box::new(Ramp::new(is_time, look, Channel::Color))));
        }
        Some(Self::Categories(Box::new(Categories {
            coding: Coding::of(column)?,
            unfiltered: Tally::default(),
            shown: Tally::default(),
            ranked: Vec::new(),
            indices: Vec::new(),
            n_colored: 0,
            changes: Vec::new(),
        })))
    }

    pub fn is_of(&self, column: &Column) -> bool {
        match self {
            Self::Categories(categories) => categories.coding.is_of(column),
            Self::Ramp(_) => Measure::of(column.field().data_type()).is_some(),
        }
    }

    /// Colours one more block of points; false where all that are there are coloured.
    pub fn step(&mut self, column: &Column, points: &mut Points) -> bool {
        match self {
            Self::Categories(categories) => categories.step(column, points),
            Self::Ramp(ramp) => ramp.step(column, points),
        }
    }

    /// Counts what a legend shows, a block a step; false past the last.
    pub fn count(&mut self, column: &Column, block: usize, mask: &[u64], points: &Points) -> bool {
        match self {
            Self::Categories(categories) => categories.count(column, block, mask),
            Self::Ramp(ramp) => ramp.count(block, mask, points),
        }
    }

    /// The same column is to be coloured otherwise.
    pub fn set_look(&mut self, look: Look) {
        if let Self::Ramp(ramp) = self {
            ramp.set(look);
        }
    }

    pub fn palette(&self, theme: crate::draw::Theme, look: Look) -> Palette {
        match self {
            Self::Categories(categories) => {
                Palette::categorical(theme).with_first(&categories.changes)
            }
            Self::Ramp(_) => Palette::ramp(theme, look.ramp, look.is_reversed),
        }
    }

    pub fn legend(&self, column: &Column, palette: &Palette) -> Legend {
        match self {
            Self::Categories(categories) => categories.legend(column, palette),
            Self::Ramp(ramp) => ramp.legend(palette),
        }
    }
}

impl Categories {
    fn step(&mut self, column: &Column, points: &mut Points) -> bool {
        let before = self.coding.n_blocks();
        let is_stepped = self.coding.step(column);
        self.unfiltered.grow(self.coding.n_codes());
        self.shown.grow(self.coding.n_codes());
        if self.coding.n_blocks() > before
            && let Some(codes) = self.coding.codes(column, before)
        {
            self.unfiltered.add(codes);
        }
        if is_stepped {
            return true;
        }
        self.rank(column);
        self.color_next(column, points)
    }

    fn rank(&mut self, column: &Column) {
        let counts = self.unfiltered.counts();
        if self.indices.len() == counts.len() && self.n_colored == self.coding.n_blocks() {
            return;
        }
        let count = |code: &u32| counts.get(*code as usize).copied().unwrap_or_default();
        let mut ranked: Vec<u32> =
            (0..counts.len() as u32).filter(|code| count(code) > 0).collect();
        let key = |code: &u32| (std::cmp::Reverse(count(code)), *code);
        if ranked.len() > CATEGORIES {
            ranked.select_nth_unstable_by_key(CATEGORIES - 1, key);
            ranked.truncate(CATEGORIES);
        }
        sort_few(&mut ranked, key);
        let mut indices = vec![OTHER; counts.len()];
        for (index, code) in (0..).zip(&ranked) {
            if let Some(slot) = indices.get_mut(*code as usize) {
                *slot = index;
            }
        }
        if column.name() == CHANGE_COLUMN {
            let label = |code: &u32| self.coding.label(column, *code as usize);
            self.changes = ranked.iter().map(|code| of_change(&label(code))).collect();
        }
        // Codes only grow; points keep their colours if the codes that were there do.
        if !indices.starts_with(&self.indices) {
            self.n_colored = 0;
        }
        self.ranked = ranked;
        self.indices = indices;
    }

    fn color_next(&mut self, column: &Column, points: &mut Points) -> bool {
        let first = self.n_colored * BLOCK_ROWS;
        if first >= points.rows() {
            return false;
        }
        let Some(codes) = self.coding.codes(column, self.n_colored) else { return false };
        let index = |code: usize| self.indices.get(code).copied().unwrap_or(OTHER);
        let colors = codes.map(|code| code.map_or(MISSING, index));
        points.set_colors(first, &colors);
        self.n_colored += 1;
        true
    }

    fn count(&mut self, column: &Column, block: usize, mask: &[u64]) -> bool {
        if block == 0 {
            self.shown.prepare(mask);
        }
        let first = block * BLOCK_WORDS;
        let end = (first + BLOCK_WORDS).min(mask.len());
        let Some(mask) = mask.get(first..end).filter(|mask| !mask.is_empty()) else { return false };
        let Some(codes) = self.coding.codes(column, block) else { return false };
        self.shown.follow(first, mask, codes);
        true
    }

    fn legend(&self, column: &Column, palette: &Palette) -> Legend {
        let counts = self.shown.counts();
        let count = |code: u32| u64::from(counts.get(code as usize).copied().unwrap_or_default());
        let mut entries: Vec<LegendEntry> = (0..)
            .zip(&self.ranked)
            .map(|(index, &code)| LegendEntry {
                label: self.coding.label(column, code as usize),
                color: palette.color(index).css(),
                count: count(code),
                value: Some(self.coding.literal(column, code as usize)),
            })
            .collect();
        let whole: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let n_distinct = self.unfiltered.counts().iter().filter(|&&count| count > 0).count();
        if n_distinct > entries.len() {
            let named: u64 = entries.iter().map(|entry| entry.count).sum();
            entries.push(LegendEntry {
                label: texts::scatter::other_categories(n_distinct - entries.len()),
                color: palette.color(OTHER).css(),
                count: whole - named,
                value: None,
            });
        }
        if self.unfiltered.nulls() > 0 {
            entries.push(LegendEntry {
                label: texts::scatter::NO_VALUE.to_owned(),
                color: palette.color(MISSING).css(),
                count: u64::from(self.shown.nulls()),
                value: None,
            });
        }
        Legend::Categories { entries }
    }
}

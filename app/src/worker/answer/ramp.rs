//! The palette index of every row of a scatter from a column of numbers or times: along a
//! ramp between two percentiles, evenly, by logarithms, or so that every colour is of as
//! many values. What lies beyond the ends keeps an index of its own in the ends' colours;
//! so do rows without a value and those whose value is no number: the legend counts them.

use arrow_array::Array;
use engine::gather::take;

use crate::draw::palette::{BELOW, MISSING, OTHER, Palette, RAMP_LAST, ramp_index};
use crate::draw::points::Points;
use crate::draw::stamp::{Part, SIZES};
use crate::look::{Look, Spread};
use crate::protocol::{Legend, LegendEntry};
use crate::texts;
use crate::worker::numbers::floats_into;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::Column;

use super::masks::BLOCK_WORDS;

/// Values looked at for the ends of a ramp.
const SAMPLE_MAX: usize = 20_000;
/// Colours in the legend of a ramp.
const RAMP_STOPS: usize = 9;
/// Steps of a ramp whose colours are of as many values each.
const STEPS: usize = RAMP_LAST as usize - 2;

/// What of points a ramp decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Color,
    Size,
}

#[derive(Debug)]
pub struct Ramp {
    channel: Channel,
    is_time: bool,
    spread: Spread,
    clip: [u8; 2],
    /// Finite values of every so-manieth row, in order.
    sample: Vec<f64>,
    scale: Option<Scale>,
    /// Blocks that the sample is of.
    n_sampled: usize,
    values: Vec<f64>,
    n_colored: usize,
    has_null: bool,
    has_nan: bool,
    /// Rows that are counted, and how many have each index.
    counted: Vec<u64>,
    counts: Box<[u32; 256]>,
}

/// Where on the ramp a value is.
#[derive(Debug, Clone, PartialEq)]
struct Scale {
    domain: [f64; 2],
    spread: Spread,
    /// The value in the middle of each step, where every step is of as many values.
    steps: Vec<f64>,
}

impl Ramp {
    pub fn new(is_time: bool, look: Look, channel: Channel) -> Self {
        Self {
            channel,
            is_time,
            spread: look.spread,
            clip: look.clip,
            sample: Vec::new(),
            scale: None,
            n_sampled: 0,
            values: Vec::new(),
            n_colored: 0,
            has_null: false,
            has_nan: false,
            counted: Vec::new(),
            counts: Box::new([0; 256]),
        }
    }

    /// Runs between other ends, or otherwise.
    pub fn set(&mut self, look: Look) {
        if (self.spread, self.clip) != (look.spread, look.clip) {
            (self.spread, self.clip) = (look.spread, look.clip);
            self.rescale();
        }
    }

    /// Colours one more block of points; false where all that are there are coloured.
    pub fn step(&mut self, column: &Column, points: &mut Points) -> bool {
        let n_blocks = column.blocks().len();
        // Found anew when there is twice as much to find it from, and at the end.
        let is_due = n_blocks > 0
            && (self.n_sampled == 0
                || n_blocks >= 2 * self.n_sampled
                || (column.is_complete() && n_blocks > self.n_sampled));
        if is_due {
            self.n_sampled = n_blocks;
            self.sample = sample(column);
            self.rescale();
            return true;
        }
        let first = self.n_colored * BLOCK_ROWS;
        if first >= points.rows() {
            return false;
        }
        let Some(block) = column.blocks().get(self.n_colored) else { return false };
        floats_into(block.as_ref(), &mut self.values);
        let nulls = block.nulls().filter(|nulls| nulls.null_count() > 0);
        let mut colors = Vec::with_capacity(self.values.len());
        for (row, &value) in self.values.iter().enumerate() {
            colors.push(match (value.is_nan(), &self.scale) {
                (true, _) if nulls.is_some_and(|nulls| nulls.is_null(row)) => {
                    self.has_null = true;
                    MISSING
                }
                (true, _) => {
                    self.has_nan = true;
                    OTHER
                }
                (false, Some(scale)) => scale.index(value),
                // No value is finite.
                (false, None) if value < 0.0 => BELOW,
                (false, None) => RAMP_LAST,
            });
        }
        // Rows that were counted in other colours are not counted any more.
        self.forget(self.n_colored * BLOCK_WORDS, points);
        match self.channel {
            Channel::Color => points.set_colors(first, &colors),
            Channel::Size => {
                colors.iter_mut().for_each(|index| *index = size_of(*index));
                points.set_stamps(first, Part::Size, &colors);
            }
        }
        self.n_colored += 1;
        true
    }

    /// Where it begins and ends, once it is known; whether there are rows without a value.
    pub fn ends(&self) -> Option<([f64; 2], bool)> {
        self.scale.as_ref().map(|scale| (scale.domain, self.has_null || self.has_nan))
    }

    fn rescale(&mut self) {
        let scale = Scale::of(&self.sample, self.spread, self.clip);
        if scale != self.scale {
            self.scale = scale;
            self.n_colored = 0;
        }
    }

    /// Takes a block's rows out of the counts, before their colours change.
    fn forget(&mut self, first: usize, points: &Points) {
        self.follow(first, &[0; BLOCK_WORDS], points);
    }

    fn follow(&mut self, first: usize, mask: &[u64], points: &Points) {
        for (word, now) in (first..).zip(mask) {
            let Some(before) = self.counted.get_mut(word) else { return };
            let mut changed = *before ^ now;
            while changed != 0 {
                let bit = changed.trailing_zeros() as usize;
                changed &= changed - 1;
                let step = if now >> bit & 1 == 1 { 1 } else { u32::MAX };
                let index = usize::from(points.color(word * 64 + bit));
                if let Some(count) = self.counts.get_mut(index) {
                    *count = count.wrapping_add(step);
                }
            }
            *before = *now;
        }
    }

    /// Counts what the legend shows, a block a step; false past the last.
    pub fn count(&mut self, block: usize, mask: &[u64], points: &Points) -> bool {
        if block == 0 {
            self.counted.resize(mask.len().max(self.counted.len()), 0);
        }
        let first = block * BLOCK_WORDS;
        let end = (first + BLOCK_WORDS).min(mask.len());
        let Some(mask) = mask.get(first..end).filter(|mask| !mask.is_empty()) else { return false };
        self.follow(first, mask, points);
        true
    }

    pub fn legend(&self, palette: &Palette) -> Legend {
        let count = |index: u8| u64::from(self.counts[usize::from(index)]);
        let entry = |label: &str, index: u8| LegendEntry {
            label: label.to_owned(),
            color: palette.color(index).css(),
            count: count(index),
            value: None,
        };
        let mut missing = Vec::new();
        if self.has_nan {
            missing.push(entry(texts::scatter::NOT_A_NUMBER, OTHER));
        }
        if self.has_null {
            missing.push(entry(texts::scatter::NO_VALUE, MISSING));
        }
        Legend::Ramp {
            domain: self.scale.as_ref().map_or([0.0, 1.0], |scale| scale.domain),
            middle: self.scale.as_ref().and_then(Scale::middle),
            time: self.is_time,
            colors: palette.ramp_css(RAMP_STOPS),
            beyond: [count(BELOW), count(RAMP_LAST)],
            missing,
        }
    }
}

/// The size that stands for an index; what is no value has the smallest.
fn size_of(index: u8) -> u8 {
    match index {
        MISSING | OTHER => 0,
        index => {
            let share = f32::from(index.saturating_sub(1)) / f32::from(RAMP_LAST - 2);
            (share.min(1.0) * (SIZES - 1) as f32).round() as u8
        }
    }
}

impl Scale {
    /// `None` where there is no value to run between. `sample` is in order.
    fn of(sample: &[f64], spread: Spread, clip: [u8; 2]) -> Option<Self> {
        // Only what is above zero has a logarithm.
        let positive = sample.partition_point(|value| *value <= 0.0);
        let (spread, sample) = match spread {
            Spread::Log if positive < sample.len() => (spread, sample.get(positive..)?),
            Spread::Log => (Spread::Linear, sample),
            _ => (spread, sample),
        };
        let last = sample.len().checked_sub(1)?;
        let at = |share: f64| sample.get((last as f64 * share).round() as usize).copied();
        let ends = clip.map(|percent| f64::from(percent) / 100.0);
        let mut domain = [at(ends[0])?, at(ends[1])?];
        if domain[0] >= domain[1] {
            domain = [*sample.first()?, *sample.last()?];
        }
        let low = sample.partition_point(|value| *value < domain[0]);
        let high = sample.partition_point(|value| *value <= domain[1]);
        let inner = sample.get(low..high).unwrap_or_default();
        let mut steps = Vec::new();
        if spread == Spread::Equal {
            let most = inner.len().saturating_sub(1);
            steps.extend((0..=STEPS).filter_map(|step| inner.get(step * most / STEPS).copied()));
        }
        Some(Self { domain, spread, steps })
    }

    fn index(&self, value: f64) -> u8 {
        let [low, high] = self.domain;
        if value < low {
            return BELOW;
        }
        if value > high {
            return RAMP_LAST;
        }
        ramp_index(match self.spread {
            _ if low >= high => 0.5,
            Spread::Linear => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
            Spread::Log => (value / low).ln() / (high / low).ln(),
            Spread::Equal => {
                // The middle of the steps that are of this value alone.
                let first = self.steps.partition_point(|step| *step < value);
                let past = self.steps.partition_point(|step| *step <= value);
                (first + past).saturating_sub(1) as f64 / 2.0 / STEPS as f64
            }
        })
    }

    /// The value in the middle of the colours, where that is not the middle of the domain.
    fn middle(&self) -> Option<f64> {
        match self.spread {
            Spread::Linear => None,
            Spread::Log => Some((self.domain[0].ln() / 2.0 + self.domain[1].ln() / 2.0).exp()),
            Spread::Equal => self.steps.get(STEPS / 2).copied(),
        }
    }
}

/// Finite values of every so-manieth row, in order.
fn sample(column: &Column) -> Vec<f64> {
    let stride = (column.rows() / SAMPLE_MAX).max(1);
    let mut sample = Vec::with_capacity(SAMPLE_MAX + 1);
    let mut values = Vec::new();
    let mut row = 0;
    for (index, block) in column.blocks().iter().enumerate() {
        let start = index * BLOCK_ROWS;
        let mut places = Vec::new();
        while row < start + block.len() {
            places.push((row - start) as u32);
            row += stride;
        }
        if let Ok(picked) = take(block.as_ref(), &places) {
            floats_into(picked.as_ref(), &mut values);
            sample.extend(values.iter().copied().filter(|value| value.is_finite()));
        }
    }
    sample.sort_by(f64::total_cmp);
    sample
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ramps_run_between_percentiles_and_beyond_them_have_indices_of_their_own() {
        let sample: Vec<f64> = (0..=100).map(f64::from).collect();
        let scale = |spread, clip| Scale::of(&sample, spread, clip).unwrap();
        let linear = scale(Spread::Linear, [10, 90]);
        assert_eq!(linear.domain, [10.0, 90.0]);
        let indices = [9.9, 10.0, 50.0, 90.0, 90.1].map(|value| linear.index(value));
        assert_eq!(indices, [BELOW, 1, 127, RAMP_LAST - 1, RAMP_LAST]);
        assert_eq!(linear.middle(), None);
        // By logarithms: of what is above zero.
        let log = scale(Spread::Log, [0, 100]);
        assert_eq!(log.domain, [1.0, 100.0]);
        assert_eq!([-1.0, 0.0, 1.0, 10.0, 100.0].map(|v| log.index(v)), [0, 0, 1, 127, 252]);
        assert!((log.middle().unwrap() - 10.0).abs() < 1e-9);
        let none = Scale::of(&[-2.0, -1.0], Spread::Log, [0, 100]).unwrap();
        assert_eq!((none.domain, none.spread), ([-2.0, -1.0], Spread::Linear));
        assert_eq!(Scale::of(&[], Spread::Log, [2, 98]), None);
    }

    #[test]
    fn equal_colours_are_of_as_many_values() {
        // Half of the values are zero, the others crowd at one end.
        let mut sample = vec![0.0; 1000];
        sample.extend((1..=1000).map(|i| 1.01_f64.powi(i)));
        let scale = Scale::of(&sample, Spread::Equal, [0, 100]).unwrap();
        assert_eq!(scale.index(0.0), 1 + (STEPS as f64 * 0.25).round() as u8);
        let mut counts = [0usize; 256];
        sample.iter().for_each(|value| counts[usize::from(scale.index(*value))] += 1);
        assert!(counts[129..252].iter().all(|count| (4..=12).contains(count)), "{counts:?}");
        // A single value has the middle colour whatever the spread.
        for spread in [Spread::Linear, Spread::Log, Spread::Equal] {
            assert_eq!(Scale::of(&[5.0; 9], spread, [2, 98]).unwrap().index(5.0), 127);
        }
    }
}

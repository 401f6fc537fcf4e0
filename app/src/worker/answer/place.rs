//! Where rows lie along one axis of a scatter: at their numbers, at the logarithms of them,
//! or in the places of names, where chance, the same every time, keeps them apart.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_buffer::ScalarBuffer;
use engine::sample::hash64;

use crate::look::{BAND, Look, is_named};
use crate::protocol::Side;
use crate::texts;
use crate::worker::numbers::{Measure, floats_into};
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::{Column, NULL_CODE};

use super::names::Names;

/// Names that have a place of their own.
pub const NAMES_MAX: usize = 60;

#[derive(Debug)]
pub enum Places {
    Plain,
    Log,
    /// The number of the axis: y is read downwards.
    Names(Box<Names>, usize),
}

impl Places {
    /// Or why there is no such axis.
    pub fn new(column: &Column, look: Look, axis: usize) -> Result<Self, String> {
        let names = is_named(column.kind()).then(|| Names::new(column, NAMES_MAX)).flatten();
        match names {
            Some(names) => Ok(Self::Names(Box::new(names), axis)),
            None if Measure::of(column.field().data_type()).is_none() => {
                Err(texts::refusals::no_axis(column.name()))
            }
            None if look.is_log(axis, column.kind()) => Ok(Self::Log),
            None => Ok(Self::Plain),
        }
    }

    /// Whether the axis is still what [`Self::new`] would make of it.
    pub fn is_of(&self, column: &Column, look: Look, axis: usize) -> bool {
        match self {
            Self::Names(names, _) => names.is_of(column),
            Self::Log => look.is_log(axis, column.kind()),
            Self::Plain => !look.is_log(axis, column.kind()),
        }
    }

    pub fn is_log(&self) -> bool {
        matches!(self, Self::Log)
    }

    /// Finds names, a block a step; false where all that are there are known.
    pub fn step(&mut self, column: &Column) -> bool {
        if let Self::Names(names, _) = self { names.step(column) } else { false }
    }

    /// Changes when names move.
    pub fn revision(&self) -> u32 {
        if let Self::Names(names, _) = self { names.revision } else { 0 }
    }

    pub fn side(&self, column: &Column) -> Side {
        if let Self::Names(names, _) = self { names.side(column) } else { Side::One }
    }

    /// The ends of the axis, where they do not follow from the rows.
    pub fn extent(&self) -> Option<[f64; 2]> {
        let Self::Names(names, axis) = self else { return None };
        Some(extent_of_names(names.many(), *axis))
    }

    /// The numbers of a block as the column keeps them, where it keeps them as points do.
    pub fn kept(&self, column: &Column, block: usize) -> Option<ScalarBuffer<f32>> {
        let Self::Plain = self else { return None };
        let array = column.blocks().get(block)?.as_primitive_opt::<Float32Type>()?;
        (array.null_count() == 0).then(|| array.values().clone())
    }

    /// The numbers of a block; of names, their places.
    pub fn fill(&self, column: &Column, block: usize, out: &mut Vec<f64>) -> Option<()> {
        let Self::Names(names, axis) = self else {
            floats_into(column.blocks().get(block)?.as_ref(), out);
            return Some(());
        };
        let down = if *axis == 1 { -1.0 } else { 1.0 };
        let first = block * BLOCK_ROWS;
        out.clear();
        out.extend((first as u64..).zip(names.block(column, block)?).map(|(row, place)| {
            if place == NULL_CODE {
                return f64::NAN;
            }
            let chance = hash64(*axis as u64, row) as f64 / u64::MAX as f64;
            down * f64::from(place) + (2.0 * chance - 1.0) * BAND
        }));
        Some(())
    }
}

/// A place is one wide, and its name in the middle.
pub fn extent_of_names(many: usize, axis: usize) -> [f64; 2] {
    let last = many.max(1) as f64 - 0.5;
    if axis == 1 { [-last, 0.5] } else { [-0.5, last] }
}

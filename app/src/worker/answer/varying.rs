//! The sizes and shapes of a scatter's points, from columns of their own. Sizes run between
//! the same percentiles as colours do; shapes are of the most frequent names, and one is of
//! all others. Rows without a value have the smallest size and the shape of the others.

use crate::draw::points::Points;
use crate::draw::stamp::{Part, Shape};
use crate::look::Look;
use crate::protocol::{Side, Sizes, Varied};
use crate::texts;
use crate::worker::resident::column::NULL_CODE;
use crate::worker::resident::{BLOCK_ROWS, Resident};

use super::names::Names;
use super::ramp::{Channel, Ramp};

/// Names that have a shape of their own.
pub const SHAPES: usize = Shape::ALL.len() - 1;

#[derive(Debug, Default)]
pub struct Varying {
    of: Varied,
    size: Option<Box<Ramp>>,
    shape: Option<Box<Shapes>>,
}

#[derive(Debug)]
struct Shapes {
    names: Names,
    revision: u32,
    n_shaped: usize,
}

impl Varying {
    /// By other columns, or by none; or why these say neither.
    pub fn set(
        &mut self,
        resident: &Resident,
        of: &Varied,
        points: &mut Points,
    ) -> Result<(), String> {
        let column =
            |name: &String| resident.column(name).ok_or_else(|| texts::refusals::not_loaded(name));
        let is_coded = match (&self.shape, &of.shape) {
            (Some(shape), Some(name)) => shape.names.is_of(column(name)?),
            _ => true,
        };
        if self.of == *of && is_coded {
            return Ok(());
        }
        points.clear_stamps();
        *self = Self { of: of.clone(), ..Self::default() };
        if of.size.as_ref().map(column).transpose()?.is_some() {
            self.size = Some(Box::new(Ramp::new(false, Look::default(), Channel::Size)));
        }
        if let Some(name) = &of.shape {
            let names = Names::new(column(name)?, SHAPES);
            let names = names.ok_or_else(|| texts::refusals::no_names(name))?;
            self.shape = Some(Box::new(Shapes { names, revision: 0, n_shaped: 0 }));
        }
        Ok(())
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        [&self.of.size, &self.of.shape].into_iter().flatten().map(String::as_str)
    }

    /// Points are others, and have no stamps yet.
    pub fn start_over(&mut self, resident: &Resident, points: &mut Points) {
        let of = std::mem::take(&mut self.of);
        // The columns are those that were there before.
        let _same = self.set(resident, &of, points);
    }

    /// Sizes or shapes one more block; false where all that are there have theirs.
    pub fn step(&mut self, resident: &Resident, points: &mut Points) -> bool {
        let of = |name: &Option<String>| name.as_ref().and_then(|name| resident.column(name));
        if let (Some(ramp), Some(column)) = (&mut self.size, of(&self.of.size))
            && ramp.step(column, points)
        {
            return true;
        }
        let (Some(shapes), Some(column)) = (&mut self.shape, of(&self.of.shape)) else {
            return false;
        };
        if shapes.names.step(column) {
            return true;
        }
        if shapes.revision != shapes.names.revision {
            (shapes.revision, shapes.n_shaped) = (shapes.names.revision, 0);
        }
        let first = shapes.n_shaped * BLOCK_ROWS;
        if first >= points.rows() {
            return false;
        }
        let Some(places) = shapes.names.block(column, shapes.n_shaped) else { return false };
        let shape = |place: u16| if place == NULL_CODE { SHAPES as u8 } else { place as u8 };
        let shapes_of: Vec<u8> = places.into_iter().map(shape).collect();
        points.set_stamps(first, Part::Shape, &shapes_of);
        shapes.n_shaped += 1;
        true
    }

    pub fn sizes(&self) -> Option<Sizes> {
        let (domain, has_missing) = self.size.as_ref()?.ends()?;
        Some(Sizes { domain, has_missing })
    }

    pub fn shapes(&self, resident: &Resident) -> Side {
        let column = self.of.shape.as_ref().and_then(|name| resident.column(name));
        let shapes = self.shape.as_ref().zip(column);
        shapes.map_or(Side::One, |(shapes, column)| shapes.names.side(column))
    }
}

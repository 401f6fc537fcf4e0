//! The box around an outline in cells, and what they say of 64 points at a time.

use super::{Edge, is_within};
use crate::mask::{WORD_BITS, packed};

/// The outermost cells lie around the box: what is outside of it is in one of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells {
    x: Axis,
    y: Axis,
    /// Row by row from the lowest.
    kinds: Box<[u8; SIDE * SIDE]>,
    /// The edges that come into each row of cells: no others tell of a point there.
    row_edges: Box<[Vec<Edge>; SIDE]>,
}

/// Which cell a place is in: `(at - low) * scale + 1`, rounded down and held within the side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    scale: f64,
    /// The same in single precision, where that is wrong by less than [`MARGIN`].
    single: Option<(f32, f32)>,
}

/// Cells to a side. Their kinds take 64 kB, which the processor keeps at hand.
const SIDE: usize = 256;

/// Of a cell: so near to an edge, points are held against it. Rounding moves a point by far
/// less, or there are no cells ([`Axis::new`]).
const MARGIN: f64 = 1.0 / 64.0;

const OUTSIDE: u8 = 0;
const INSIDE: u8 = 1;
/// An edge runs through the cell, or may.
const EDGE: u8 = 2;

/// As `map` of an array, which is no loop that becomes vector instructions where a build is
/// for size.
#[inline(always)]
fn each<A: Copy, B: Copy + Default>(
    values: &[A; WORD_BITS],
    change: impl Fn(A) -> B,
) -> [B; WORD_BITS] {
    let mut changed = [B::default(); WORD_BITS];
    for (changed, value) in changed.iter_mut().zip(values) {
        *changed = change(*value);
    }
    changed
}

/// A column's number as one place of a point.
pub trait Coordinate: Copy + Into<f64> {
    /// What is inside of nothing.
    const NOWHERE: Self;

    fn cells(axis: &Axis, places: &[Self; WORD_BITS]) -> [u32; WORD_BITS];
}

impl Coordinate for f64 {
    const NOWHERE: Self = Self::NAN;

    #[inline(always)]
    fn cells(axis: &Axis, places: &[Self; WORD_BITS]) -> [u32; WORD_BITS] {
        each(places, |at| axis.cell(at))
    }
}

impl Coordinate for f32 {
    const NOWHERE: Self = Self::NAN;

    #[inline(always)]
    fn cells(axis: &Axis, places: &[Self; WORD_BITS]) -> [u32; WORD_BITS] {
        match axis.single {
            // Twice as many at a time.
            Some((low, scale)) => {
                each(places, |at| (((at - low) * scale + 1.0) as u32).min(SIDE as u32 - 1))
            }
            None => each(places, |at| axis.cell(at.into())),
        }
    }
}

impl Axis {
    /// `None` where cells would be too narrow for numbers of this size to tell them apart.
    fn new(low: f64, high: f64) -> Option<Self> {
        let scale = (SIDE as f64 - 2.0) / (high - low);
        let size = low.abs().max(high.abs()) * scale;
        let is_told_with = |epsilon: f64| size * epsilon * 16.0 < MARGIN;
        if !scale.is_normal() || !is_told_with(f64::EPSILON) {
            return None;
        }
        let is_single = is_told_with(f64::from(f32::EPSILON)) && (1e-30..1e30).contains(&scale);
        Some(Self { low, high, scale, single: is_single.then_some((low as f32, scale as f32)) })
    }

    fn holds(&self, at: f64) -> bool {
        at >= self.low && at <= self.high
    }

    /// In cells from the outermost one.
    #[inline(always)]
    fn place(&self, at: f64) -> f64 {
        (at - self.low) * self.scale + 1.0
    }

    #[inline(always)]
    fn cell(&self, at: f64) -> u32 {
        // A cast from a float keeps within the type's ends, and NaN is 0.
        (self.place(at) as u32).min(SIDE as u32 - 1)
    }

    /// The middle of a cell.
    fn middle(&self, cell: usize) -> f64 {
        self.low + (cell as f64 - 0.5) / self.scale
    }
}

impl Cells {
    /// Tells the cells apart; `None` for a box that has no width or height.
    pub(super) fn new(low: [f64; 2], high: [f64; 2], edges: &[Edge]) -> Option<Self> {
        let (x, y) = (Axis::new(low[0], high[0])?, Axis::new(low[1], high[1])?);
        let mut cells = Self {
            x,
            y,
            kinds: Box::new([OUTSIDE; SIDE * SIDE]),
            row_edges: Box::new([const { Vec::new() }; SIDE]),
        };
        edges.iter().for_each(|edge| cells.mark(*edge));
        // Between two edges a row of cells is all inside or all outside: one point tells.
        let rows = cells.kinds.as_chunks_mut::<SIDE>().0.iter_mut().zip(cells.row_edges.iter());
        for (row, (kinds, edges)) in rows.enumerate() {
            let mut before = EDGE;
            for (column, kind) in kinds.iter_mut().enumerate() {
                if *kind != EDGE {
                    *kind = match before {
                        EDGE => {
                            let edges = edges.iter().copied();
                            u8::from(is_within(edges, x.middle(column), y.middle(row)))
                        }
                        same => same,
                    };
                }
                before = *kind;
            }
        }
        Some(cells)
    }

    /// Marks the cells that an edge runs through, or so near that rounding may tell.
    fn mark(&mut self, edge: Edge) {
        let (from, to) = edge;
        let (from, to) = if from[1] <= to[1] { (from, to) } else { (to, from) };
        let [(ax, ay), (bx, by)] = [from, to].map(|[x, y]| (self.x.place(x), self.y.place(y)));
        let index = |at: f64| (at as usize).min(SIDE - 1);
        for row in index(ay - MARGIN)..=index(by + MARGIN) {
            // Where the edge is while it is in the row, or that near.
            let along = |y: f64| {
                let share = if by > ay { ((y - ay) / (by - ay)).clamp(0.0, 1.0) } else { 0.0 };
                ax + share * (bx - ax)
            };
            let ends = match by > ay {
                true => [row as f64 - MARGIN, row as f64 + 1.0 + MARGIN].map(along),
                false => [ax, bx],
            };
            let left = index(ends[0].min(ends[1]) - MARGIN);
            let right = index(ends[0].max(ends[1]) + MARGIN);
            let cells = self.kinds.get_mut(row * SIDE + left..=row * SIDE + right);
            cells.into_iter().for_each(|cells| cells.fill(EDGE));
            if let Some(edges) = self.row_edges.get_mut(row) {
                // As it runs: from its other end, rounding may tell a point's side otherwise.
                edges.push(edge);
            }
        }
    }

    /// A bit for each of 64 points.
    #[inline(always)]
    pub(super) fn word<T: Coordinate>(&self, xs: &[T; WORD_BITS], ys: &[T; WORD_BITS]) -> u64 {
        // Cells first, all alike; then what they say; then the few points that need edges.
        let (columns, rows) = (T::cells(&self.x, xs), T::cells(&self.y, ys));
        let mut kinds = [0; WORD_BITS];
        for (kind, (column, row)) in kinds.iter_mut().zip(columns.iter().zip(&rows)) {
            let place = row * SIDE as u32 + column;
            *kind = self.kinds.get(place as usize).copied().unwrap_or(OUTSIDE);
        }
        let mut inside = packed(&each(&kinds, |kind| kind & INSIDE));
        let mut near_edges = packed(&each(&kinds, |kind| kind >> 1));
        while near_edges != 0 {
            let bit = near_edges.trailing_zeros() as usize;
            near_edges &= near_edges - 1;
            let (Some(x), Some(y), Some(row)) = (xs.get(bit), ys.get(bit), rows.get(bit)) else {
                continue;
            };
            let (x, y) = ((*x).into(), (*y).into());
            let edges = self.row_edges.get(*row as usize).map_or(&[][..], |edges| edges);
            let is_inside =
                self.x.holds(x) && self.y.holds(y) && is_within(edges.iter().copied(), x, y);
            inside |= u64::from(is_inside) << bit;
        }
        inside
    }

    /// How many of all cells are outside, inside and at an edge.
    #[cfg(test)]
    pub(super) fn shares(&self) -> [f64; 3] {
        [OUTSIDE, INSIDE, EDGE].map(|wanted| {
            let count = self.kinds.iter().filter(|kind| **kind == wanted).count();
            count as f64 / self.kinds.len() as f64
        })
    }
}
